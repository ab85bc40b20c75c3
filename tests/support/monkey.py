"""A monkey in the reading window: seeded keys, mouse, menus, buttons, dialogs, napari's actions.

The list of :func:`acts` knows no window: the same list can be sent to the window of our own, to
napari's with the dock in it, and to a plain napari, the control. After each act
:meth:`Room.troubles` says what on the screen contradicts what is really shown.
"""

import logging
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from napari_necroangle.window import settle
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, QtMsgType, qInstallMessageHandler
from qtpy.QtGui import QCursor, QKeySequence, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
)

KINDS = {
    "key": 30,
    "click": 14,
    "drag": 8,
    "stroke": 8,
    "wheel": 8,
    "menu": 5,
    "button": 9,
    "type": 2,
    "read": 2,
    "model": 9,
    "dock": 3,
    "dialog": 4,
}
"""What is done, and how often."""
_CHANCES = 8
_MENU_KEYS = (
    *("Ctrl+O", "Ctrl+Shift+O", "Ctrl+Alt+O", "Ctrl+S", "Ctrl+Shift+S", "Alt+S", "Alt+Shift+S"),
    *("Ctrl+N", "Ctrl+M", "Ctrl+F", "Ctrl+Alt+P", "Ctrl+Shift+F", "F11", "Ctrl+Z", "Ctrl+Shift+Z"),
)
_LEFT_OUT = ("Exit", "Close", "Quit", "Restart", "onsole", "Open Sample", "Install", "Report")
"""Menus that end the program, start an interpreter, or ask the internet."""
_CONSOLE = "Ctrl+Shift+C"
"""It starts an interpreter, which is no use in a plain napari."""
_WANTS_SHAPES = "Toggle shape dimensions"
"""It raises where no layer of shapes is there, in a plain napari as well."""
_NO_BUTTON, _NO_KEY = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
_BUTTONS = (
    *(Qt.MouseButton.LeftButton,) * 4,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_HELD = (
    *(_NO_KEY,) * 4,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
_ANSWER_MS = 20


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do: its kind, a key or the name of an action, and chances in [0, 1)."""

    kind: str
    word: str
    chances: tuple[float, ...]

    def one_of(self, found: Sequence[Any], chance: int = 0) -> Any:
        """One of several, by a chance."""
        return found[int(self.chances[chance] * len(found))]


def acts(seed: int, count: int) -> Iterator[Act]:
    """So many acts, always the same ones for a seed; napari's shortcuts and ours are in it."""
    chance = np.random.default_rng(seed)
    keys, kinds = all_keys(), list(KINDS)
    often = np.array(list(KINDS.values()), float)
    words: dict[str, Sequence[str]] = {"key": keys, "model": tuple(MODEL_ACTS), "dock": DOCK_ACTS}
    for kind in chance.choice(kinds, size=count, p=often / often.sum()):
        found = words.get(str(kind), ("",))
        word = found[int(chance.integers(len(found)))]
        yield Act(str(kind), word, tuple(chance.random(_CHANCES).tolist()))


def all_keys() -> tuple[str, ...]:
    """Every shortcut of napari, those of its menus, and every key of ours."""
    from napari.settings import get_settings
    from napari_necroangle.reading.keys import KEYS

    given = get_settings().shortcuts.shortcuts.values()
    theirs = {str(one) for bound in given for one in bound}
    ours = {one.key for one in KEYS}
    for words in (("Control-", "Ctrl+"), ("Shift-", "Shift+"), ("Page", "Pg")):
        ours = {one.replace(*words) for one in ours}
    return tuple(sorted(theirs | ours | {*_MENU_KEYS}))


@dataclass
class Faults:
    """What went wrong unseen: exceptions, Qt's warnings, and errors that were logged."""

    found: list[str] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Hear of all of it meanwhile."""
        heard = _Heard(self.found)
        before = sys.excepthook
        sys.excepthook = self._raised
        webbrowser.register("none", None, _NoBrowser(), preferred=True)
        logging.getLogger().addHandler(heard)
        qt_before = qInstallMessageHandler(self._said)
        try:
            yield
        finally:
            qInstallMessageHandler(qt_before)
            logging.getLogger().removeHandler(heard)
            sys.excepthook = before

    def _raised(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        import traceback

        self.found.append("".join(traceback.format_exception(kind, error, trace)))

    def _said(self, kind: QtMsgType, _: object, words: str | None) -> None:
        # a screen without a window manager; a home without napari's icons
        harmless = ("propagateSizeHints", "raise()", "Cannot open file")
        if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            return
        if not any(one in (words or "") for one in harmless):
            self.found.append(f"Qt: {words}")


class _NoBrowser(webbrowser.BaseBrowser):
    """Opens nothing: the menu of help asks for pages of the internet."""

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        return True


class _Heard(logging.Handler):
    """Keeps what was logged as an error."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append(f"{record.name}: {self.format(record)}")


class Answerer:
    """Answers or closes each dialog and menu that opens, after some keys were typed into it."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self.closed = 0
        self._timer = QTimer()
        self._timer.timeout.connect(self._answer)
        self._timer.start(_ANSWER_MS)

    def close(self) -> None:
        """Answer no longer."""
        self._timer.stop()

    def _answer(self) -> None:
        app: Any = QApplication.instance()
        popup, dialog = app.activePopupWidget(), app.activeModalWidget()
        if popup is not None:
            popup.close()
        elif dialog is not None:
            self.closed += 1
            self._end(dialog)

    def _end(self, dialog: Any) -> None:
        if isinstance(dialog, QMessageBox):
            QTest.keyClicks(dialog, "5n")
            buttons = dialog.buttons()
            buttons[int(self._chance.integers(len(buttons)))].click()
        elif isinstance(dialog, QDialog):
            dialog.reject()
        else:
            dialog.close()


class Room(Protocol):
    """A window for the monkey."""

    window: Any
    layer_lists: int

    @property
    def models(self) -> Sequence[Any]:
        """The models of the canvases."""

    @property
    def natives(self) -> Sequence[Any]:
        """The canvases that can be clicked on."""

    @property
    def dock(self) -> Any:
        """Our dock; None in a plain napari."""

    def do_dock(self, act: Act) -> None:
        """Hide, close, move or ask again for the dock."""

    def troubles(self) -> list[str]:
        """What contradicts itself on the screen now."""


class Hand:
    """Does the acts in a room.

    Attributes
    ----------
    changed
        How often a key changed what the models show, apart from camera and slice.
    last
        The key, menu, button or action that was last.
    """

    def __init__(self, room: Room) -> None:
        self._room, self.changed, self.last = room, 0, ""

    def do(self, act: Act) -> None:
        """Do one, and let the window follow."""
        room = self._room
        if not room.window.isActiveWindow():
            room.window.activateWindow()
        before, self.last = state_of(room), act.word
        getattr(self, f"_{act.kind}")(act)
        let_go(act.chances[-1] < 0.05)
        self.changed += act.kind == "key" and state_of(room) != before

    def _key(self, act: Act) -> None:
        if act.word == _CONSOLE and self._room.dock is None:
            return
        focus = self._room.window.focusWidget()
        native = act.one_of(self._room.natives)
        where = native if act.chances[1] < 0.7 or focus is None else focus
        if act.chances[2] < 0.1:
            QTest.keyPress(where, Qt.Key.Key_Space)
        QTest.keySequence(where, QKeySequence(act.word))
        if act.chances[2] < 0.05:
            QTest.keyRelease(where, Qt.Key.Key_Space)

    def _click(self, act: Act) -> None:
        native, button = act.one_of(self._room.natives), act.one_of(_BUTTONS, 1)
        place = _place(native, act.chances[2], act.chances[3])
        send = QTest.mouseDClick if act.chances[4] < 0.1 else QTest.mouseClick
        send(native, button, act.one_of(_HELD, 5), place.toPoint())

    def _drag(self, act: Act) -> None:
        native, button = act.one_of(self._room.natives), act.one_of(_BUTTONS, 1)
        ends = [_place(native, *act.chances[at : at + 2]) for at in (2, 4)]
        path = [ends[0] + (ends[1] - ends[0]) * part for part in np.linspace(0, 1, 8)]
        self._along(native, path, button, act.one_of(_HELD, 6))

    def _stroke(self, act: Act) -> None:
        """Along a circle, as a hand draws a rim or an arc."""
        native = act.one_of(self._room.natives)
        middle = _place(native, *(0.4 + 0.2 * one for one in act.chances[1:3]))
        radius_px = (0.1 + 0.3 * act.chances[3]) * min(native.width(), native.height())
        turns = 2 * np.pi * (act.chances[4] + np.linspace(0, 0.3 + 0.5 * act.chances[5], 16))
        path = [middle + QPointF(*radius_px * np.array((np.cos(t), np.sin(t)))) for t in turns]
        held = Qt.KeyboardModifier.ShiftModifier if act.chances[6] < 0.5 else _NO_KEY
        self._along(native, path, Qt.MouseButton.LeftButton, held)

    def _read(self, act: Act) -> None:
        """Rim and arc on every canvas that is shown, and save."""
        for native in self._room.natives:
            size = min(native.width(), native.height())
            middle, radius_px = _place(native, 0.5, 0.5), (0.2 + 0.2 * act.chances[0]) * size
            for key, span in (("1", 0.7), ("2", 0.2 + 0.2 * act.chances[1])):
                QTest.keySequence(native, QKeySequence(key))
                turns = 2 * np.pi * np.linspace(0.15, 0.15 + span, 16)
                path = [
                    middle + QPointF(*radius_px * np.array((np.cos(t), np.sin(t)))) for t in turns
                ]
                held = Qt.KeyboardModifier.ShiftModifier
                self._along(native, path, Qt.MouseButton.LeftButton, held)
                let_go()
            QTest.keySequence(native, QKeySequence("S"))

    def _along(self, native: Any, path: Sequence[QPointF], button: Any, held: Any) -> None:
        _mouse(native, QEvent.Type.MouseButtonPress, path[0], button, button, held)
        for place in path[1:]:
            _mouse(native, QEvent.Type.MouseMove, place, _NO_BUTTON, button, held)
        _mouse(native, QEvent.Type.MouseButtonRelease, path[-1], button, _NO_BUTTON, held)

    def _wheel(self, act: Act) -> None:
        native = act.one_of(self._room.natives)
        place = _place(native, *act.chances[1:3])
        turned = QPoint(0, int(act.one_of((-240, -120, -40, 40, 120, 240), 3)))
        event = QWheelEvent(
            place,
            QPointF(native.mapToGlobal(place.toPoint())),
            QPoint(),
            turned,
            _NO_BUTTON,
            act.one_of(_HELD, 4),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(native, event)

    def _menu(self, act: Act) -> None:
        if self._room.dock is None:
            return
        found = list(menu_actions(self._room.window.menuBar()))
        if found:
            chosen = act.one_of(found)
            self.last = chosen.text()
            if not self.last.startswith(_WANTS_SHAPES):
                chosen.trigger()

    def _button(self, act: Act) -> None:
        dock = self._room.dock
        if dock is None:
            return
        found = dock.findChildren(QAbstractButton)
        found = [one for one in found if one.isVisible() and one.isEnabled()]
        if found:
            chosen = act.one_of(found)
            self.last = chosen.text() or chosen.objectName()
            chosen.click()

    def _type(self, act: Act) -> None:
        """Words into a field of the dock."""
        dock = self._room.dock
        if dock is None:
            return
        found = [*dock.findChildren(QLineEdit), *dock.findChildren(QPlainTextEdit)]
        found = [one for one in found if one.isVisible() and one.isEnabled()]
        if found:
            where = act.one_of(found)
            where.setFocus()
            QTest.keyClicks(where, act.one_of(("r1", "r2", "5", "note", "1999"), 1))

    def _model(self, act: Act) -> None:
        found = self._room.models
        if act.word in LAYER_ACTS:
            found = found[: self._room.layer_lists]
        if found:
            MODEL_ACTS[act.word](act.one_of(found), act)

    def _dock(self, act: Act) -> None:
        self._room.do_dock(act)

    def _dialog(self, act: Act) -> None:
        dock = self._room.dock
        if dock is not None:
            act.one_of((dock.ask_folder, dock.ask_reading, dock.toggle_help, dock.save))()


def _turn_dims(model: Any, act: Act) -> None:
    model.dims.order = act.one_of(((1, 0, 2), (0, 2, 1), (2, 1, 0))) if model.dims.ndim == 3 else ()


def _show_3d(model: Any, _: Act) -> None:
    model.dims.ndisplay = 3


def _grid(model: Any, _: Act) -> None:
    model.canvas.grid.enabled = True


def _step(model: Any, act: Act) -> None:
    model.dims.set_current_step(0, int(act.chances[1] * 20))


def _thick(model: Any, act: Act) -> None:
    model.dims.margin_left = (4.0 * act.chances[1],) * model.dims.ndim


def _take_layers(model: Any, act: Act) -> None:
    if act.chances[1] < 0.5:
        model.layers.clear()
    elif model.layers:
        model.layers.pop()


def _add_layer(model: Any, act: Act) -> None:
    from napari.layers import Image, Points

    if act.chances[1] < 0.5:
        model.layers.append(Image(np.zeros((4, 30, 30))))
    else:
        model.layers.append(Points(np.zeros((2, 2))))


def _hide_layers(model: Any, _: Act) -> None:
    model.layers.select_all()
    model.layers.toggle_selected_visibility()


def _look_elsewhere(model: Any, act: Act) -> None:
    camera = model.scene.camera
    camera.center = (0.0, *(100.0 * one for one in act.chances[1:3]))
    camera.zoom = 0.5 + 8 * act.chances[3]
    camera.angles = (30.0, 20.0, 10.0)


def _flip(model: Any, act: Act) -> None:
    model.scene.camera.orientation = act.one_of(
        (("towards", "up", "right"), ("away", "down", "left"), ("towards", "up", "left")), 1
    )


def _move_layer(model: Any, act: Act) -> None:
    for layer in model.layers:
        if act.chances[1] < 0.4:
            layer.scale = [2.0] * layer.ndim
        elif act.chances[1] < 0.7:
            layer.translate = [5.0] * layer.ndim
        else:
            layer.rotate = 30.0


def _theme(model: Any, act: Act) -> None:
    from napari.settings import get_settings

    name = act.one_of(("light", "dark"), 1)
    get_settings().appearance.theme = name
    model.theme = name


MODEL_ACTS: dict[str, Callable[[Any, Act], None]] = {
    "dims.order": _turn_dims,
    "dims.ndisplay": _show_3d,
    "dims.roll": lambda model, _: model.dims.roll(),
    "dims.step": _step,
    "dims.margin": _thick,
    "grid": _grid,
    "layers removed": _take_layers,
    "layers added": _add_layer,
    "layers hidden": _hide_layers,
    "layers moved": _move_layer,
    "camera": _look_elsewhere,
    "camera.orientation": _flip,
    "reset_view": lambda model, _: model.reset_view(),
    "theme": _theme,
}
"""What napari's menus, buttons, console and other plugins do to a model."""
LAYER_ACTS = ("layers removed", "layers added")
"""Those that nothing in the window of our own can reach."""
DOCK_ACTS = ("x", "eye", "float", "menu", "shrink", "layer list", "resize")


def state_of(room: Room) -> list[tuple[object, ...]]:
    """What napari's keys can change, without camera and slice."""
    return [
        (
            tuple(one.dims.order),
            one.dims.ndisplay,
            one.canvas.grid.enabled,
            [(layer.visible, layer.mode if hasattr(layer, "mode") else "") for layer in one.layers],
            str(one.theme),
        )
        for one in room.models
    ]


def let_go(longer: bool = False) -> None:
    """Let the window do what is due."""
    for _ in range(3):
        QApplication.processEvents()
    if longer:
        settle(80)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _place(native: Any, right: float, down: float) -> QPointF:
    return QPointF(round(right * native.width()), round(down * native.height()))


def _mouse(native: Any, kind: Any, place: QPointF, button: Any, buttons: Any, held: Any) -> None:
    there = QPointF(native.mapToGlobal(place.toPoint()))
    QApplication.sendEvent(native, QMouseEvent(kind, place, there, button, buttons, held))


def menu_actions(menu: Any) -> Iterator[Any]:
    """The actions of a menu bar that can be triggered, those of its menus with them."""
    for action in menu.actions():
        if any(one in action.text().replace("&", "") for one in _LEFT_OUT):
            continue
        if action.menu() is not None:
            yield from menu_actions(action.menu())
        elif action.isEnabled() and not action.isSeparator():
            yield action


@dataclass
class Run:
    """What a run of the monkey came to.

    Attributes
    ----------
    steps, dialogs
        How many acts were done, and dialogs answered.
    changed
        How often a key changed napari's state.
    compared
        How many saved readings were measured and held against the screen.
    theirs
        How often an action of napari's menus failed by itself.
    troubles
        What was wrong, each with its step.
    """

    steps: int = 0
    changed: int = 0
    compared: int = 0
    dialogs: int = 0
    theirs: int = 0
    troubles: list[str] = field(default_factory=list)


def run(
    room: Room,
    seed: int,
    count: int,
    *,
    stop_at: int = 1,
    each: Callable[[Run], None] = lambda _: None,
    is_enough: Callable[[Run], bool] = lambda _: False,
) -> Run:
    """Do so many acts in a room; it ends at so many troubles, each with its step and act.

    ``each`` is told after every act how it stands, and ``is_enough`` says whether that is all.
    """
    faults, done, hand = Faults(), Run(), Hand(room)
    answerer = Answerer(seed)
    QCursor.setPos(0, 0)
    try:
        with faults.watched():
            for number, act in enumerate(acts(seed, count)):
                try:
                    hand.do(act)
                    found = room.troubles()
                except Exception as error:  # whatever it is, it is a finding
                    found = [repr(error)]
                    faults._raised(type(error), error, error.__traceback__)
                theirs = [one for one in faults.found if act.kind == "menu" and _is_theirs(one)]
                done.theirs += len(theirs)
                found += [one for one in faults.found if one not in theirs]
                faults.found.clear()
                done.steps = number + 1
                done.troubles += [f"step {number}, {act.kind} {hand.last}: {one}" for one in found]
                done.changed, done.dialogs = hand.changed, answerer.closed
                each(done)
                if len(done.troubles) >= stop_at or is_enough(done):
                    break
    finally:
        answerer.close()
    done.compared = getattr(room, "compared", 0)
    return done


def _is_theirs(words: str) -> bool:
    """Whether napari's own code failed: nothing of ours is on the way from its menu."""
    from_menu = "app_model" in words or words.startswith("in_n_out:")
    return from_menu and "napari_necroangle" not in words
