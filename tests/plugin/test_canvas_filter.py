"""The filter before napari: every position of the mouse arrives, and no key of napari does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from napari_necroangle.canvas.mouse import CanvasFilter, HeldKeys, Mouse, Moves, Press, Spot
from napari_necroangle.reading.keys import KEYS
from qtpy.QtCore import QCoreApplication, QPoint, Qt
from screenpointer import Pointer, screen_pointer

pytestmark = pytest.mark.screen

STROKE = 50
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


@dataclass
class Told(Mouse):
    """Notes what it is told."""

    presses: list[Press] = field(default_factory=list)
    moves: list[Moves] = field(default_factory=list)
    notches: list[int] = field(default_factory=list)
    hovers: list[Spot | None] = field(default_factory=list)

    def press(self, press: Press) -> None:
        self.presses.append(press)

    def move(self, moves: Moves) -> None:
        self.moves.append(moves)

    def hover(self, at: Spot | None) -> None:
        self.hovers.append(at)

    def wheel(self, notches: int, at: object, *, zooms: bool) -> None:
        self.notches.append(notches)


@dataclass
class Bare:
    """A napari canvas with a filter that notes alone."""

    viewer: Any
    native: Any
    mouse: Told
    ran: list[str]


@pytest.fixture
def bare(qtbot: Any) -> Iterator[Bare]:
    from napari.components import ViewerModel
    from napari.qt import QtViewer
    from napari_necroangle.canvas.hosts import close_viewer
    from napari_necroangle.canvas.overlay import Ground

    viewer: Any = QtViewer(ViewerModel())
    viewer.viewer.add_image(np.zeros((5, 60, 60)))
    viewer.resize(400, 400)
    viewer.show()
    qtbot.wait(200)
    native, mouse = viewer.canvas.native, Told()
    ran: list[str] = []
    ground = Ground(native, lambda uv: uv, lambda px: px)
    found = CanvasFilter(ground, (viewer,), mouse, ran.append, HeldKeys())
    yield Bare(viewer, native, mouse, ran)
    found.close()
    close_viewer(viewer)


@pytest.fixture
def pointer() -> Pointer:
    found = screen_pointer()
    if found is None:
        pytest.skip("no libXtst: the screen's own pointer cannot be moved")
    return found


def stroke(bare: Bare, qtbot: Any, pointer: Pointer) -> int:
    """Draw a circle while the program is busy with something else; positions that arrived."""
    turns = np.linspace(0.0, 1.5 * np.pi, STROKE + 1)
    corner = bare.native.mapToGlobal(QPoint(200, 200))
    path = [
        (corner.x() + round(120 * np.cos(turn)), corner.y() + round(120 * np.sin(turn)))
        for turn in turns
    ]
    bare.mouse.presses.clear()
    bare.mouse.moves.clear()
    pointer(*path[0])
    pointer(0, 0, 1)
    for place in path[1:]:
        pointer(*place)
    pointer(0, 0, -1)
    qtbot.waitUntil(lambda: bool(bare.mouse.moves) and bare.mouse.moves[-1].is_over, timeout=60_000)
    assert len(bare.mouse.presses) == 1
    spots = [one.px for moves in bare.mouse.moves for one in moves.spots]
    return len(set(spots))


def test_every_position_of_a_stroke_arrives(bare: Bare, qtbot: Any, pointer: Pointer) -> None:
    """And with Qt's own way, the control, they do not."""
    merges = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
    counts = {}
    for is_on in (True, False):
        QCoreApplication.setAttribute(merges, is_on)
        counts[is_on] = stroke(bare, qtbot, pointer)
    QCoreApplication.setAttribute(merges, True)
    assert counts[False] == STROKE
    assert counts[True] < STROKE / 2


def test_moves_go_on_once_and_the_release_has_the_last(bare: Bare, qtbot: Any) -> None:
    qtbot.mousePress(bare.native, LEFT, pos=QPoint(100, 100))
    for x in range(101, 121):
        move(bare.native, QPoint(x, 100))
    assert bare.mouse.moves == []
    qtbot.waitUntil(lambda: len(bare.mouse.moves) == 1, timeout=60_000)
    assert [one.px[0] for one in bare.mouse.moves[0].spots] == list(range(101, 121))
    move(bare.native, QPoint(130, 100))
    qtbot.mouseRelease(bare.native, MIDDLE, pos=QPoint(150, 100))
    qtbot.mouseRelease(bare.native, LEFT, pos=QPoint(140, 100))
    assert [one.px[0] for one in bare.mouse.moves[-1].spots] == [130, 140]
    assert bare.mouse.moves[-1].is_over
    before = len(bare.mouse.moves)
    move(bare.native, QPoint(150, 100))
    qtbot.wait(20)
    assert len(bare.mouse.moves) == before


def move(native: Any, spot: QPoint) -> None:
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    none, place = Qt.MouseButton.NoButton, QPointF(native.mapToGlobal(spot))
    held = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(spot), place, none, LEFT, held)
    QApplication.sendEvent(native, event)


def test_the_wheel_counts_whole_notches(bare: Bare) -> None:
    from qtpy.QtCore import QPointF
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    for angle in (120, 50, 50, 50, -240):
        place = QPointF(100.0, 100.0)
        event = QWheelEvent(
            place,
            QPointF(bare.native.mapToGlobal(QPoint(100, 100))),
            QPoint(),
            QPoint(0, angle),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(bare.native, event)
    assert bare.mouse.notches == [1, 1, -1]
    assert bare.viewer.viewer.dims.current_step[0] == 2  # napari's own wheel would turn it


def test_keys_are_ours_or_nobodys(bare: Bare, qtbot: Any) -> None:
    """Every key of the table runs its command, whichever widget hears it; napari's do nothing."""
    dims = bare.viewer.viewer.dims
    before = (tuple(dims.order), dims.ndisplay, tuple(dims.current_step))
    for widget in (bare.native, bare.viewer):
        for key in ("T", "E", "Y", "G", "R"):
            qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{key}"), Qt.KeyboardModifier.AltModifier)
        for key in ("Left", "Right", "Home"):
            qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{key}"))
        qtbot.keyClick(widget, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert (tuple(dims.order), dims.ndisplay, tuple(dims.current_step)) == before
    assert bare.ran == ["reset_view", "reset_view"]
    bare.ran.clear()
    qtbot.keyClick(bare.native, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    qtbot.keyClick(bare.native, Qt.Key.Key_1, Qt.KeyboardModifier.KeypadModifier)
    assert bare.ran == ["go_on", "rim"]
    assert {one.name for one in KEYS} >= set(bare.ran)


def test_a_key_that_lies_is_one_press(bare: Bare) -> None:
    """A slow machine hears it again and again; only slices and undo go on with it."""
    from napari_necroangle.canvas.mouse import key_of
    from napari_necroangle.reading.keys import REPEATED
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QKeyEvent, QKeySequence

    press, heard = QEvent.Type.KeyPress, []
    for one in KEYS:
        keys = one.key.replace("Control", "Ctrl").replace("-", "+").replace("Page", "Pg")
        combined = QKeySequence(keys.replace("Enter", "Return"))[0]  # type: ignore[index]
        for again in (False, True, True):
            code, held = combined.key(), combined.keyboardModifiers()
            event = QKeyEvent(press, code, held, "", again)
            assert key_of(event) == one.name
            QCoreApplication.sendEvent(bare.native, event)
        heard += [one.name] * (3 if one.name in REPEATED else 1)
    assert bare.ran == heard
    assert sorted(REPEATED) == ["redo", "slice_down", "slice_up", "undo"]


def test_the_space_bar_is_held_until_it_is_let_go_or_the_keys_go_elsewhere(
    bare: Bare, qtbot: Any
) -> None:
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QFocusEvent
    from qtpy.QtWidgets import QApplication

    spot = QPoint(100, 100)

    def pressed() -> bool:
        qtbot.mouseClick(bare.native, LEFT, pos=spot)
        return bare.mouse.presses[-1].with_space

    qtbot.keyPress(bare.native, Qt.Key.Key_Space)
    assert pressed()
    qtbot.keyRelease(bare.native, Qt.Key.Key_Space)
    assert not pressed()
    qtbot.keyPress(bare.native, Qt.Key.Key_Space)
    QApplication.sendEvent(bare.native, QFocusEvent(QEvent.Type.FocusOut))
    assert not pressed()


def test_the_space_bar_holds_on_the_canvas_that_takes_the_keys_by_the_press(
    qtbot: Any,
) -> None:
    from napari.components import ViewerModel
    from napari.qt import QtViewer
    from napari_necroangle.canvas.hosts import close_viewer
    from napari_necroangle.canvas.overlay import Ground
    from qtpy.QtWidgets import QLineEdit, QSplitter

    both, keys, told = QSplitter(), HeldKeys(), (Told(), Told())
    viewers: list[Any] = [QtViewer(ViewerModel()) for _ in told]
    line = QLineEdit()
    natives = [one.canvas.native for one in viewers]
    for part in (*viewers, line):
        both.addWidget(part)
    found = [
        CanvasFilter(Ground(one, lambda uv: uv, lambda px: px), (), mouse, lambda _: None, keys)
        for one, mouse in zip(natives, told, strict=True)
    ]
    qtbot.addWidget(both)
    both.resize(600, 300)
    both.show()
    both.activateWindow()
    natives[0].setFocus()
    qtbot.waitUntil(natives[0].hasFocus, timeout=60_000)
    qtbot.keyPress(natives[0], Qt.Key.Key_Space)
    natives[1].setFocus()
    qtbot.mouseClick(natives[1], LEFT, pos=QPoint(50, 50))
    assert told[1].presses[-1].with_space
    line.setFocus()
    natives[1].setFocus()
    qtbot.mouseClick(natives[1], LEFT, pos=QPoint(50, 50))
    assert not told[1].presses[-1].with_space
    for one in found:
        one.close()
    for one in viewers:
        close_viewer(one)


def test_resizes_pass_and_drops_do_not(bare: Bare, qtbot: Any) -> None:
    bare.viewer.resize(500, 300)
    qtbot.wait(50)
    assert bare.viewer.viewer.canvas.size == (bare.native.height(), bare.native.width())
