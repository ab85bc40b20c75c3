"""A dock in a real window for tests: a hand on its mouse, and answers to its questions."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from necroangle.annotation import HipReading, ReadView
from necroangle.geometry import PatientPoints

MOVE_MS = 5
"""What was begun goes on once Qt has nothing else to tell."""

Point = tuple[float, float]


class Answers:
    """Answers every question of the dock as the test says, and keeps what was asked and told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[Sequence[str]], str | None] = lambda _: None
        self.typed = ""

    def choose(self, title: str, words: str, answers: Sequence[str]) -> str | None:
        self.asked.append(f"{title}: {words}")
        return self.answer(answers)

    def tell(self, title: str, words: str) -> None:
        self.asked.append(f"{title}: {words}")

    def text(self, title: str, words: str, start: str = "") -> str:
        self.asked.append(f"{title}: {words}")
        return self.typed or start


def all_words(window: Any) -> str:
    """Everything that a window shows in words or in tool tips, and all that stands on canvases."""
    from qtpy.QtWidgets import QWidget

    found = [window.windowTitle()]
    for widget in (window, *window.findChildren(QWidget)):
        for name in ("text", "toolTip", "currentText", "placeholderText", "windowTitle"):
            read = getattr(widget, name, None)
            if callable(read):
                found.append(str(read()))
        if hasattr(widget, "itemText"):
            found += [widget.itemText(at) for at in range(widget.count())]
        elif hasattr(widget, "item") and hasattr(widget, "row"):
            found += [widget.item(at).text() for at in range(widget.count())]
    return "\n".join(found)


def drawn(plane: Any, pen: str) -> Any:
    """(N, 2, 2) plane mm: all that a pen has drawn on a canvas, on whatever slice."""
    none = np.zeros((0, 2, 2))
    return np.concatenate((none, *plane.sketch.lines(pen).values()))


def mark(dock: Any, truth: HipReading, jitter_mm: float = 0.0) -> None:
    """Mark the open case as a reading says, each mark moved a little, always the same way."""
    from napari_necroangle.reading.draft import Handle, Role

    chance = np.random.default_rng(7)
    session = dock.workspace.case.session
    for plane, entry in zip(dock.planes, truth.views, strict=True):
        assert isinstance(entry, ReadView)
        index = plane.picture.index_of_image(entry.image)
        on, shown = plane.picture.marked_slice(index), plane.picture.volume.planes[index]

        def uv(patient_mm: tuple[float, float, float], shown: Any = shown) -> Point:
            there = shown.patient_to_plane(PatientPoints(np.array([patient_mm])))[0]
            u, v = (there + jitter_mm * chance.normal(size=2)).tolist()
            return u, v

        for number, point in enumerate(entry.rim):
            session.place(entry.view, Handle(Role.RIM, number), on, uv(point.patient_mm))
        for number, arc in enumerate(entry.arcs):
            for role in (Role.START, Role.END, Role.VIA):
                point = getattr(arc, role.value)
                session.place(entry.view, Handle(role, number), on, uv(point.patient_mm))
        if not entry.arcs:
            session.choose(entry.view, entry.finding, on)


def edit_for_ever(folder: Path) -> None:
    """Read a hip in a window with a real mouse, over and over; say each edit that is done.

    One line an edit: SHA-256 of the draft, and the two slices shown.
    """
    import hashlib

    import msgspec
    from napari_necroangle.window import open_window, settle

    logging.getLogger("vispy").setLevel(logging.ERROR)
    dock: Any = open_window((1700, 950), reader="r1")
    dock.dialogs = Answers()
    dock.open_folder(folder)
    settle(300)
    done: list[str] = []

    def say() -> None:
        session = dock.workspace.case.session
        if not session.is_settled:
            return
        digest = hashlib.sha256(msgspec.json.encode(session.draft)).hexdigest()
        if not done or digest != done[-1]:
            done.append(digest)
            print(digest, *(plane.slice_index for plane in dock.planes), flush=True)

    dock.workspace.case.session.listen(say)
    chance = np.random.default_rng()
    while True:
        _edit(dock, chance)


def _edit(dock: Any, chance: np.random.Generator) -> None:
    """A click, a drag, a turn of the wheel, undo, or words."""
    from napari_necroangle.window import settle
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    native = dock.canvases.native_of(int(chance.integers(2)))
    spot = QPoint(*(int(chance.integers(150, 400)) for _ in "xy"))
    kind = int(chance.integers(8))
    if kind < 5:
        QTest.mouseMove(native, spot)
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=spot)
        settle(MOVE_MS)
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spot)
    elif kind == 5:
        QTest.keyClick(native, Qt.Key.Key_Up if chance.random() < 0.5 else Qt.Key.Key_Down)
    elif kind == 6 and len(dock.workspace.case.session._history._past) > 1:
        QTest.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    else:
        QTest.keyClick(native, Qt.Key.Key_2 if chance.random() < 0.5 else Qt.Key.Key_1)
    settle(MOVE_MS)


if __name__ == "__main__":
    import sys

    edit_for_ever(Path(sys.argv[1]))
