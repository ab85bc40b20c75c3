"""The film of reading a hip, made in the real window with a mouse: ``make screens``.

The marks are those of a sample's reading. Every frame is what the window shows, with the pointer
drawn on it and a line below that says what is being done.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from make_screens import RIGHT, SCREENS, SMALL, Stage, prepare, saved_reading
from PIL import Image, ImageDraw, ImageFont

FILM = SCREENS / "first_hip.webp"
CAPTION_PX, FONT_PX = 44, 22
MOVE_MS, STOP_MS, LAST_MS = 90, 1300, 3500
"""How long a frame stands: while the mouse moves, after each act, at the end."""

SETTLE_MS = 60
"""What the window is given to draw a move; after an act it has its whole time."""

POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))

Point = tuple[float, float]


class Film:
    """Frames of a window, with what is being done.

    Parameters
    ----------
    dock
        The reading dock of the window.
    """

    def __init__(self, dock: Any) -> None:
        self.frames: list[Image.Image] = []
        self.times_ms: list[int] = []
        self._dock = dock
        self._caption = ""
        self._font = ImageFont.load_default(FONT_PX)

    def say(self, words: str) -> None:
        """What is being done from now on."""
        self._caption = words

    def take(self, time_ms: int, pointer: Any = None) -> None:
        """A frame, and how long it stands; the pointer where it is in the window."""
        from napari_necroangle.window import DRAWING_MS, settle
        from qtpy.QtGui import QImage

        settle(SETTLE_MS if time_ms == MOVE_MS else DRAWING_MS)
        shown = self._dock.window().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        raw = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
        pixels = raw[:, : 3 * shown.width()].reshape(shown.height(), shown.width(), 3)
        frame = Image.new("RGB", (shown.width(), shown.height() + CAPTION_PX), "#101418")
        frame.paste(Image.fromarray(pixels), (0, 0))
        pen = ImageDraw.Draw(frame)
        if pointer is not None:
            x, y = pointer.x(), pointer.y()
            pen.polygon([(x + 1.3 * a, y + 1.3 * b) for a, b in POINTER], "white", "black")
        pen.text((16, shown.height() + 9), self._caption, "white", self._font)
        self.frames.append(frame)
        self.times_ms.append(time_ms)

    def save(self, path: Path) -> None:
        """Write the frames as one moving picture."""
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.times_ms, loop=0,
            quality=55, method=4,
        )  # fmt: skip


class Hand:
    """A mouse on the pictures.

    Parameters
    ----------
    dock
        The reading dock of the window.
    film
        What is filmed.
    """

    def __init__(self, dock: Any, film: Film) -> None:
        self._dock, self._film = dock, film

    def drag(self, view: int, path: list[Point]) -> None:
        """Press at the first point, move through the others, release at the last."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        native = self._native(view)
        self._move(view, path[0], held=False)
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=self._spot(view, path[0]))
        for point in path[1:]:
            self._move(view, point, held=True)
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=self._spot(view, path[-1]))
        self._show(view, path[-1], STOP_MS)

    def click(self, view: int, point: Point) -> None:
        """Click on a point."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        self._move(view, point, held=False)
        self._show(view, point, STOP_MS // 2)
        QTest.mouseClick(self._native(view), Qt.MouseButton.LeftButton, pos=self._spot(view, point))
        self._show(view, point, STOP_MS)

    def _move(self, view: int, point: Point, *, held: bool) -> None:
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        native, spot = self._native(view), QPointF(self._spot(view, point))
        none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
        QApplication.sendEvent(
            native,
            QMouseEvent(
                QEvent.Type.MouseMove, spot, native.mapToGlobal(spot), none,
                left if held else none, Qt.KeyboardModifier.NoModifier,
            ),
        )  # fmt: skip
        if held:
            self._show(view, point, MOVE_MS)

    def _show(self, view: int, point: Point, time_ms: int) -> None:
        native = self._native(view)
        there = native.mapTo(self._dock.window(), self._spot(view, point))
        self._film.take(time_ms, there)

    def _spot(self, view: int, point: Point) -> Any:
        from qtpy.QtCore import QPoint

        return QPoint(*(round(part) for part in self._dock.canvases.all[view].place_px(point)))

    def _native(self, view: int) -> Any:
        return self._dock.canvases.native_of(view)


def read_a_hip(stage: Stage, film: Film) -> None:
    """Both rims, both arcs, the result."""
    stage.open("plain")
    hand, reading = Hand(stage.dock, film), saved_reading(RIGHT)
    film.say("A coronal and a sagittal series of a hip")
    film.take(STOP_MS)
    for view, name in enumerate(("coronal", "sagittal")):
        film.say(f"{1 + view}. Draw along the healthy rim of the head: {name}")
        hand.drag(view, list(along(stage.points(view, reading.views[view].rim))))
    for view, name in enumerate(("coronal", "sagittal")):
        arc = reading.views[view].arcs[0]
        film.say(f"{3 + view}. Click each end of the necrotic arc, then exactly: {name}")
        for mark in (arc.start, arc.end):
            (end,) = stage.points(view, [mark])
            hand.click(view, end)
            hand.click(view, end)
        film.say(f"{3 + view}. Click between the ends, on the necrotic side: {name}")
        hand.click(view, *stage.points(view, [arc.via]))
    film.say("The combined angle, its 95 % interval and the grade are at the lower right")
    film.take(LAST_MS)


def along(points: list[Point]) -> Iterator[Point]:
    """More points between these, at the same distance from their middle: as a hand draws."""
    uv = np.array(points)
    middle = (uv.min(axis=0) + uv.max(axis=0)) / 2
    turn = np.unwrap(np.arctan2(*(uv - middle).T[::-1]))
    radius = np.hypot(*(uv - middle).T)
    at = np.linspace(0, len(uv) - 1, 2 * len(uv) - 1)
    turns = np.interp(at, np.arange(len(uv)), turn)
    radii = np.interp(at, np.arange(len(uv)), radius)
    for one, far in zip(turns, radii, strict=True):
        yield (float(middle[0] + far * np.cos(one)), float(middle[1] + far * np.sin(one)))


def main() -> None:
    """Make the film."""
    from napari_necroangle.window import DRAWING_MS, close_window, open_window, settle

    dock: Any = open_window(SMALL)
    try:
        with tempfile.TemporaryDirectory() as name:
            film = Film(dock)
            settle(DRAWING_MS)
            read_a_hip(Stage(dock, Path(name)), film)
    finally:
        close_window(dock)
    film.save(FILM)
    print(f"{FILM.name}  {FILM.stat().st_size // 1024} kB, {len(film.frames)} frames")


if __name__ == "__main__":
    prepare()
    main()
