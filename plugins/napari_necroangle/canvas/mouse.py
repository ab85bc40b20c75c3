"""What the mouse and the keys do on a canvas.

A press begins a manner, which has the mouse until its release; the first in the list that takes the
press has it. A manner is a function of the :class:`Press` that gives a generator, or None where it
does not take it: each ``yield`` gives the :class:`Moves` since the last one, until the release. A
new one is a function here and its place in the list of :class:`Mouse`.

:class:`CanvasFilter` hears Qt before napari and vispy do, so that none of their keys is reachable
and no position is lost: vispy passes on one move in 10 ms, and napari fewer.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_necroangle.canvas.overlay import Ground
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.edits import marks_along
from napari_necroangle.reading.keys import REPEATED, Shortcut, keys_in_use
from necroangle.terms import View

GRAB_PX = 12.0
"""A press this near to a mark takes hold of it: a target of 24 px, for a pen and a finger."""
CLICK_PX = 4.0
"""A press that moves less than this before its release is a click."""
ZOOM_STEP = 1.15
_WIDTH_PX, _LEVEL_PX = 200.0, 400.0
"""Sideways so far for e times the width of the window; down so far for one width of level."""
_NOTCH = 120
"""What Qt says of one notch of a wheel."""

_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.ShiftModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
"""Those that count: that a key stands in the pad of numbers is none."""

Point = tuple[float, float]


class Hands(Protocol):
    """What is told of the reader's hands."""

    def touched(self, view: View) -> None:
        """The reader has turned to a view."""

    def clicked(self, view: View, handle: Handle | None) -> None:
        """A click has set a mark, or an end has been set exactly."""

    def stroked(self) -> None:
        """A rim, arc or outline has been drawn."""

    def windowed(self, view: View) -> None:
        """The grey values of a view are shown otherwise."""

    def pointed(self, view: View, uv_mm: Point | None) -> None:
        """The mouse lies over a point, plane mm, of a view with no button held; None: it left."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A position of the mouse: (x, y) logical pixels, and (u, v) plane mm under it then."""

    px: Point
    uv_mm: Point


@dataclass(frozen=True, slots=True)
class Press:
    """A button that went down."""

    at: Spot
    button: Qt.MouseButton = _LEFT
    modifiers: Qt.KeyboardModifier = _NONE
    with_space: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """Every position since the last time, at least one; whether the last is where it was let go."""

    spots: Sequence[Spot]
    is_over: bool = False

    @property
    def last(self) -> Spot:
        """Where the mouse is."""
        return self.spots[-1]


Manner = Generator[None, Moves, None]


class Mouse:
    """The mouse of one canvas.

    ``manners``: what a press may begin, the first to take it first.
    """

    def __init__(self, plane: PlaneView, hands: Hands) -> None:
        self._plane, self._hands = plane, hands
        self._running: Manner | None = None
        self.manners: list[Callable[[Press], Manner | None]] = [
            self._panning,
            self._windowing,
            self._looking_only,
            self._settling,
            self._stroking,
            self._dragging,
            self._click,
        ]

    def press(self, press: Press) -> None:
        """Begin what this press begins."""
        if self._plane.case is None:
            return
        self._hands.touched(self._plane.view)
        found = (manner(press) for manner in self.manners)
        self._running = next((one for one in found if one is not None), None)
        if self._running is not None and next(self._running, self) is self:
            self._running = None

    def move(self, moves: Moves) -> None:
        """Go on with what was begun."""
        running = self._running
        if running is None:
            return
        if moves.is_over:
            self._running = None
        try:
            running.send(moves)
        except StopIteration:
            self._running = None

    def double_click(self, button: Qt.MouseButton) -> None:
        """The second click in one place: an end that is magnified is right there.

        Of the middle button it shows all again as at first.
        """
        plane = self._plane
        if plane.case is None:
            return
        if button == _MIDDLE:
            plane.reset()
        elif button == _LEFT and plane.settling is not None:
            self._hands.clicked(plane.view, plane.settling)

    def hover(self, at: Spot | None) -> None:
        """The mouse lies somewhere with no button held, or has left."""
        if self._plane.picture is not None:
            self._hands.pointed(self._plane.view, at.uv_mm if at is not None else None)

    def wheel(self, notches: int, at: Spot, *, zooms: bool) -> None:
        """Turn slices, or zoom about the mouse."""
        if self._plane.picture is None:
            return
        if zooms:
            self._plane.lens.zoom_at(at.uv_mm, ZOOM_STEP**notches)
        else:
            self._plane.go_to(self._plane.slice_index - notches)

    def _panning(self, press: Press) -> Manner | None:
        """The middle button, or the left one with the space bar, takes the picture along."""
        pans = press.button == _MIDDLE or (press.button == _LEFT and press.with_space)
        return self._pan(press) if pans else None

    def _windowing(self, press: Press) -> Manner | None:
        """The right button: sideways for contrast, up and down for brightness."""
        return self._window(press) if press.button == _RIGHT else None

    def _looking_only(self, press: Press) -> Manner | None:
        """Of the left button, what may be done with a submitted reading; of others nothing."""
        if press.button != _LEFT:
            return _nothing()
        return self._pan(press) if self._case.session.is_locked else None

    def _settling(self, press: Press) -> Manner | None:
        """Where an arc end is magnified, it goes where the mouse is."""
        handle = self._plane.settling
        return self._set_exactly(handle, press.at) if handle is not None else None

    def _stroking(self, press: Press) -> Manner | None:
        """With Shift a rim, arc or outline is drawn; without, where a rim is wanted and bare."""
        aim = self._case.aim(self._plane.view)
        is_bare = aim is not None and aim.role is Role.RIM and aim.index == 0
        plainly = is_bare and not press.modifiers and self._hit(press) is None
        return self._stroke(press, aim) if press.modifiers & _SHIFT or plainly else None

    def _dragging(self, press: Press) -> Manner | None:
        """A mark that is pressed goes with the mouse."""
        handle = self._hit(press) if not press.modifiers else None
        return self._drag(handle, press.at) if handle is not None else None

    def _pan(self, press: Press) -> Manner:
        start, is_over = self._plane.lens.centre_mm, False
        while not is_over:
            moves = yield
            self._carry(start, press.at, moves.last)
            is_over = moves.is_over

    def _carry(self, start_mm: Point, pressed: Spot, now: Spot) -> None:
        """Take the picture along, from where its middle was when the mouse was pressed."""
        lens = self._plane.lens
        u, v = (np.array(start_mm) - np.subtract(now.px, pressed.px) / lens.zoom).tolist()
        lens.centre_on((u, v))

    def _window(self, press: Press) -> Manner:
        greys, is_over = self._plane.greys, False
        assert greys is not None  # noqa: S101
        width, level = greys.figures
        while not is_over:
            moves = yield
            right, down = np.subtract(moves.last.px, press.at.px).tolist()
            wide = width * float(np.exp(min(right / _WIDTH_PX, 20.0)))
            greys.figures = (wide, level + down / _LEVEL_PX * width)
            self._hands.windowed(self._plane.view)
            is_over = moves.is_over

    def _set_exactly(self, handle: Handle, at: Spot) -> Manner:
        plane, case = self._plane, self._case
        mark = plane.mark_of(handle)
        if mark is not None and mark.index == plane.slice_index:
            case.drag(plane.view, handle, at.uv_mm)
            is_over = False
            while not is_over:
                moves = yield
                case.drag(plane.view, handle, moves.last.uv_mm)
                is_over = moves.is_over
            case.session.settle()
        self._hands.clicked(plane.view, handle)

    def _stroke(self, press: Press, aim: Handle | None) -> Manner:
        """Draw what is aimed at along the mouse; a press that does not move is a click."""
        plane, case = self._plane, self._case
        index, path = plane.slice_index, [press.at.uv_mm]
        farthest, drew, is_over = 0.0, False, False
        while not is_over:
            moves = yield
            path += [one.uv_mm for one in moves.spots]
            farthest = max(farthest, _farthest_px(press.at, moves))
            if farthest >= CLICK_PX:
                drew = self._draw(aim, index, path) or drew
            is_over = moves.is_over
        if drew:
            case.end_stroke(plane.view)
            self._hands.stroked()
        elif farthest < CLICK_PX and not press.modifiers:
            self._hands.clicked(plane.view, case.click(plane.view, index, path[0]))

    def _draw(self, aim: Handle | None, index: int, path: Sequence[Point]) -> bool:
        once = list(dict.fromkeys(path))
        marks = marks_along(once, aim.role) if aim is not None else ()
        if marks:
            self._case.draw(self._plane.view, index, marks)
        return bool(marks) and not self._case.session.is_settled

    def _drag(self, handle: Handle, at: Spot) -> Manner:
        """Move a mark with the mouse; the release says where it stays.

        A click without a move takes the mark in hand; where something else is to be set, such as
        an arc end beside a rim point, it is set there.
        """
        plane, case = self._plane, self._case
        view, moved, is_over = plane.view, False, False
        away = np.subtract(plane.uv_of(handle), at.uv_mm)
        case.selected[view] = handle
        while not is_over:
            moves = yield
            moved = moved or any(one.px != at.px for one in moves.spots)
            if moved:
                u, v = (away + moves.last.uv_mm).tolist()
                case.drag(view, handle, (u, v))
            is_over = moves.is_over
        aim = case.aim(view)
        if not moved and aim is not None and aim.role is not handle.role:
            self._hands.clicked(view, case.click(view, plane.slice_index, at.uv_mm))
            return
        case.session.settle()

    def _click(self, press: Press) -> Manner:
        """A click sets a mark where the mouse was pressed; a longer move pans."""
        plane, case, index = self._plane, self._case, self._plane.slice_index
        start_mm, pans, is_over = plane.lens.centre_mm, bool(press.modifiers), False
        while not is_over:
            moves = yield
            pans = pans or _farthest_px(press.at, moves) >= CLICK_PX
            if pans:
                self._carry(start_mm, press.at, moves.last)
            is_over = moves.is_over
        if not pans:
            self._hands.clicked(plane.view, case.click(plane.view, index, press.at.uv_mm))

    def _hit(self, press: Press) -> Handle | None:
        return self._plane.hit(press.at.uv_mm, GRAB_PX)

    @property
    def _case(self) -> Case:
        assert self._plane.case is not None  # noqa: S101
        return self._plane.case


def _nothing() -> Manner:
    """The press is taken, and nothing comes of it."""
    yield


def _farthest_px(start: Spot, moves: Moves) -> float:
    """How far the mouse has been from where it was pressed, logical pixels."""
    return float(np.hypot(*np.subtract([one.px for one in moves.spots], start.px).T).max())


def key_of(event: QKeyEvent) -> str:
    """The command of a key; empty for a key that has none."""
    held = event.modifiers() & _MODIFIERS
    return _commands(keys_in_use()).get((int(event.key()), held), "")


@cache
def _commands(table: tuple[Shortcut, ...]) -> dict[tuple[int, Qt.KeyboardModifier], str]:
    found = {}
    for shortcut in table:
        *modifiers, name = shortcut.key.split("-")
        held = _NONE
        for one in modifiers:
            held |= getattr(Qt.KeyboardModifier, f"{one}Modifier")
        names = ("Enter", "Return") if name == "Enter" else (name,)
        for one in names:
            found[int(getattr(Qt.Key, f"Key_{one}")), held] = shortcut.name
    return found


@dataclass(slots=True)
class HeldKeys:
    """Keys that are held down, on whichever canvas they were heard."""

    space: bool = False


class CanvasFilter(QObject):
    """Hears mouse, wheel and keys of a canvas before anyone else, and keeps them.

    A move is noted and no more; what was begun goes on once Qt has nothing else to tell. Resizes
    and paints pass.

    ``around``: the widgets round it that may hear keys in its place.
    """

    def __init__(
        self,
        ground: Ground,
        around: Sequence[QWidget],
        mouse: Mouse,
        on_key: Callable[[str], None],
        keys: HeldKeys,
    ) -> None:
        super().__init__(ground.widget)
        self._ground, self._mouse, self._on_key, self._keys = ground, mouse, on_key, keys
        self._heard = (ground.widget, *around)
        self._noted: list[Spot] = []
        self._held = Qt.MouseButton.NoButton
        self._turned = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._go_on)
        self._kinds: dict[QEvent.Type, Callable[..., None]] = {
            QEvent.Type.MouseButtonPress: self._press,
            QEvent.Type.MouseButtonRelease: self._release,
            QEvent.Type.MouseButtonDblClick: self._double_click,
            QEvent.Type.MouseMove: self._move,
            QEvent.Type.Leave: self._leave,
            QEvent.Type.Wheel: self._wheel,
            QEvent.Type.ContextMenu: _take,
            QEvent.Type.DragEnter: QEvent.ignore,
            QEvent.Type.DragMove: QEvent.ignore,
            QEvent.Type.Drop: QEvent.ignore,
        }
        for widget in self._heard:
            widget.installEventFilter(self)

    def close(self) -> None:
        """Listen no longer."""
        self._soon.stop()
        for widget in self._heard:
            widget.removeEventFilter(self)
        self._heard = ()
        self.setParent(None)
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keep what is ours, and let all else pass."""
        kind = event.type()
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if kind == QEvent.Type.FocusOut and not self._is_canvas(QApplication.focusWidget()):
            self._keys.space = False
        react = self._kinds.get(kind) if watched is self._ground.widget else None
        if react is not None:
            react(event)
        return react is not None

    def _is_canvas(self, widget: QWidget | None) -> bool:
        """Whether a widget is another canvas: a press there takes the keys before it is heard."""
        own = self._ground.widget
        return widget is not own and type(widget) is type(own)

    def _key(self, event: QKeyEvent) -> bool:
        """Ours do their command; no other one goes on to napari, but Tab to Qt."""
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return False
        kind, name = event.type(), key_of(event)
        if kind == QEvent.Type.ShortcutOverride:
            if name:
                event.accept()
            return bool(name)
        event.accept()
        lies = event.isAutoRepeat()
        if event.key() == Qt.Key.Key_Space and not lies:
            self._keys.space = kind == QEvent.Type.KeyPress
        elif kind == QEvent.Type.KeyPress and name and not (lies and name not in REPEATED):
            self._on_key(name)
        return True

    def _press(self, event: QMouseEvent) -> None:
        if self._held != Qt.MouseButton.NoButton:
            return
        self._held = event.button()
        self._noted = []
        held = event.modifiers() & _MODIFIERS
        self._mouse.press(Press(self._spot(event), event.button(), held, self._keys.space))

    def _move(self, event: QMouseEvent) -> None:
        self._noted.append(self._spot(event))
        if not self._soon.isActive():
            self._soon.start(0)

    def _release(self, event: QMouseEvent) -> None:
        if event.button() != self._held:
            return
        self._held = Qt.MouseButton.NoButton
        self._soon.stop()
        noted, self._noted = [*self._noted, self._spot(event)], []
        self._mouse.move(Moves(noted, is_over=True))

    def _go_on(self) -> None:
        noted, self._noted = self._noted, []
        if noted and self._held == Qt.MouseButton.NoButton:
            self._mouse.hover(noted[-1])
        elif noted:
            self._mouse.move(Moves(noted))

    def _leave(self, _: QEvent) -> None:
        if self._held == Qt.MouseButton.NoButton:
            self._noted = []
            self._mouse.hover(None)

    def _double_click(self, event: QMouseEvent) -> None:
        self._mouse.double_click(event.button())

    def _wheel(self, event: QWheelEvent) -> None:
        """Whole notches; a touchpad turns in parts of one."""
        self._turned += event.angleDelta().y()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        if notches:
            zooms = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._mouse.wheel(notches, self._spot(event), zooms=zooms)

    def _spot(self, event: QMouseEvent | QWheelEvent) -> Spot:
        px = (event.position().x(), event.position().y())
        u, v = self._ground.to_mm(np.array([px]))[0].tolist()
        return Spot(px, (u, v))


def _take(_: QEvent) -> None:
    """Nothing comes of it."""
