"""Mouse and keys on a canvas: click sets a mark, drag moves or draws, wheel turns slices."""

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QWidget

from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.edits import marks_along
from napari_necroangle.reading.keys import KEYS
from necroangle.terms import View

__all__ = ["Hands", "Interaction", "SampledPath"]

GRAB_PX = 10.0
"""A press this near to a mark takes hold of it."""
CLICK_PX = 4.0
"""A press that moves less than this before its release is a click."""
ZOOM_STEP = 1.15


class Hands(Protocol):
    """What is told of the reader's hands."""

    def touched(self, view: View) -> None:
        """The reader has turned to a view."""

    def clicked(self, view: View, handle: Handle | None) -> None:
        """A click has set a mark, or an end has been set exactly."""

    def stroked(self) -> None:
        """A rim, arc or outline has been drawn."""


class SampledPath(QObject):
    """Every position that Qt tells a canvas of while the left button is held.

    vispy passes on one move in 10 ms at most, and napari fewer.

    Parameters
    ----------
    native
        The widget of the canvas.
    plane
        What it shows.
    """

    def __init__(self, native: QWidget, plane: PlaneView) -> None:
        super().__init__(native)
        self._native, self._plane = native, plane
        self._path: list[tuple[float, float]] = []
        native.installEventFilter(self)

    def close(self) -> None:
        """Listen no longer."""
        self._native.removeEventFilter(self)

    def path(self) -> tuple[tuple[float, float], ...]:
        """The positions since the last press, (u, v) plane mm; each place once in a row."""
        return tuple(self._path)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Note where the mouse is, and let the canvas have the event."""
        if isinstance(event, QMouseEvent) and watched is self._native:
            kind = event.type()
            if kind == QEvent.Type.MouseButtonPress:
                self._path = []
            is_held = bool(event.buttons() & Qt.MouseButton.LeftButton)
            if is_held or kind == QEvent.Type.MouseButtonRelease:
                size = (self._native.width(), self._native.height())
                place = self._plane.uv_under((event.position().x(), event.position().y()), size)
                if not self._path or place != self._path[-1]:
                    self._path.append(place)
        return False


class Interaction:
    """The mouse and the keys of one canvas.

    Parameters
    ----------
    plane_view
        The canvas.
    hands
        Is told what was done.
    sampled
        Gives every position of the mouse since its press, (u, v) plane mm: napari is told of some
        of them only. Where it gives none, those that napari was told of are taken.
    """

    def __init__(
        self,
        plane_view: PlaneView,
        hands: Hands,
        sampled: Callable[[], Sequence[tuple[float, float]]] = tuple,
    ) -> None:
        self._plane_view = plane_view
        self._hands, self._sampled = hands, sampled
        model = plane_view.model
        self._found = (
            list(model.mouse_wheel_callbacks),
            list(model.mouse_double_click_callbacks),
        )
        model.mouse_wheel_callbacks[:] = [self._wheel]
        model.mouse_double_click_callbacks[:] = [self._double_click]
        model.mouse_drag_callbacks.append(self._press)

    def close(self) -> None:
        """Give the canvas its own behaviour back."""
        model = self._plane_view.model
        model.mouse_wheel_callbacks[:], model.mouse_double_click_callbacks[:] = self._found
        model.mouse_drag_callbacks.remove(self._press)
        for key in (*(shortcut.key for shortcut in KEYS), ...):
            model.bind_key(key, None, overwrite=True)

    def bind_keys(self, run: Callable[[str, View], None]) -> None:
        """Bind the keys on the canvas and its layers, whose own keys would hide them.

        Every other key is bound to nothing: napari's would turn the picture under our letters.
        """
        plane = self._plane_view
        for target in (plane.model, plane.image, plane.points):
            for shortcut in KEYS:
                target.bind_key(shortcut.key, self._handler(shortcut.name, run), overwrite=True)
            target.bind_key(..., _nothing, overwrite=True)

    def _handler(self, name: str, run: Callable[[str, View], None]) -> Callable[[Any], None]:
        def handle(_: Any) -> None:
            if self._plane_view.case is not None:
                run(name, self._plane_view.view)

        return handle

    def _wheel(self, _: Any, event: Any) -> None:
        """Turn slices; with Control, zoom about the mouse."""
        if self._plane_view.picture is None:
            return
        event.handled = True
        step = 1 if event.delta[1] > 0 else -1
        if "Control" in event.modifiers:
            self._zoom(ZOOM_STEP**step, event.position)
        else:
            self._plane_view.go_to(self._plane_view.slice_index - step)

    def _zoom(self, factor: float, about: tuple[float, ...]) -> None:
        camera = self._plane_view.model.scene.camera
        middle = np.array(camera.center[-2:])
        point = np.array(about[-2:])
        camera.center = (0.0, *(point + (middle - point) / factor).tolist())
        camera.zoom *= factor

    def _double_click(self, _: Any, event: Any) -> None:
        """The second click of two in one place says that a magnified end is right."""
        event.handled = True
        plane = self._plane_view
        if plane.case is not None and plane.settling is not None:
            self._hands.clicked(plane.view, plane.settling)

    def _press(self, _: Any, event: Any) -> Generator[None, None, None]:
        """Decide at the press what the mouse does until its release."""
        case = self._plane_view.case
        if case is None:
            return
        self._hands.touched(self._plane_view.view)
        if event.button == 2:
            yield from self._window(event)
        elif case.session.is_locked:
            return
        elif event.button == 1 and self._plane_view.settling is not None:
            yield from self._set_exactly(case, self._plane_view.settling, event)
        elif event.button == 1 and ("Shift" in event.modifiers or self._starts_rim(case, event)):
            yield from self._stroke(case, event)
        elif event.button == 1 and not event.modifiers:
            handle = self._plane_view.hit(_uv(event), GRAB_PX)
            if handle is None:
                yield from self._click(case, event)
            else:
                yield from self._drag(case, handle, event)

    def _starts_rim(self, case: Case, event: Any) -> bool:
        """Whether a plain drag draws: a rim is wanted here, and none is there yet."""
        view = self._plane_view.view
        aim = case.aim(view)
        is_bare = aim is not None and aim.role is Role.RIM and aim.index == 0
        return is_bare and not event.modifiers and self._plane_view.hit(_uv(event), GRAB_PX) is None

    def _set_exactly(self, case: Case, handle: Handle, event: Any) -> Generator[None, None, None]:
        """Put a magnified arc end where the mouse is, until its release."""
        plane = self._plane_view
        event.handled = True
        if plane.draws(handle) and plane.slice_index == plane.slice_of(handle):
            case.drag(plane.view, handle, _uv(event))
            yield
            while event.type == "mouse_move":
                case.drag(plane.view, handle, _uv(event))
                event.handled = True
                yield
            case.session.settle()
        self._hands.clicked(plane.view, handle)

    def _stroke(self, case: Case, event: Any) -> Generator[None, None, None]:
        """Draw what is aimed at along the mouse; a press that does not move is a click."""
        plane = self._plane_view
        aim, index = case.aim(plane.view), plane.slice_index
        pressed, path, farthest = np.array(event.pos), [_uv(event)], 0.0
        is_plain, drew = not event.modifiers, False
        event.handled = True
        yield
        while event.type == "mouse_move":
            path.append(_uv(event))
            farthest = max(farthest, float(np.hypot(*(np.array(event.pos) - pressed))))
            drew = self._draw(case, aim, index, self._sampled() or path) or drew
            event.handled = True
            yield
        whole = self._sampled() or [*path, _uv(event)]
        drew = (farthest >= CLICK_PX and self._draw(case, aim, index, whole)) or drew
        if drew:
            case.end_stroke(plane.view)
            self._hands.stroked()
        elif farthest < CLICK_PX and is_plain:
            self._hands.clicked(plane.view, case.click(plane.view, index, path[0]))

    def _draw(
        self, case: Case, aim: Handle | None, index: int, path: Sequence[tuple[float, float]]
    ) -> bool:
        marks = marks_along(path, aim.role) if aim is not None else ()
        if marks:
            case.draw(self._plane_view.view, index, marks)
        return bool(marks) and not case.session.is_settled

    def _drag(self, case: Case, handle: Handle, event: Any) -> Generator[None, None, None]:
        """Move a mark with the mouse; the release says where it stays.

        A click without a move takes the mark in hand; where something else is to be set, such as
        an arc end beside a rim point, it is set there.
        """
        view = self._plane_view.view
        start = np.array(self._plane_view.uv_of(handle)) - _uv(event)
        pressed, where = tuple(event.pos), _uv(event)
        case.selected[view] = handle
        event.handled = True
        yield
        while event.type == "mouse_move":
            case.drag(view, handle, _pair(start + _uv(event)))
            event.handled = True
            yield
        aim = case.aim(view)
        if tuple(event.pos) != pressed:
            case.drag(view, handle, _pair(start + _uv(event)))
        elif case.session.is_settled and aim is not None and aim.role is not handle.role:
            self._hands.clicked(view, case.click(view, self._plane_view.slice_index, where))
            return
        case.session.settle()

    def _click(self, case: Case, event: Any) -> Generator[None, None, None]:
        """Set a mark where the mouse was clicked; a longer move has panned the picture."""
        pressed, where = np.array(event.pos), _uv(event)
        index = self._plane_view.slice_index
        farthest = 0.0
        yield
        while event.type == "mouse_move":
            farthest = max(farthest, float(np.hypot(*(np.array(event.pos) - pressed))))
            yield
        if farthest < CLICK_PX:
            view = self._plane_view.view
            self._hands.clicked(view, case.click(view, index, where))

    def _window(self, event: Any) -> Generator[None, None, None]:
        """Sideways for contrast, up and down for brightness."""
        image = self._plane_view.image
        low, high = image.contrast_limits
        least, most = image.contrast_limits_range
        pressed = np.array(event.pos)
        event.handled = True
        yield
        while event.type == "mouse_move":
            right, down = (np.array(event.pos) - pressed).tolist()
            width = max((high - low) * float(np.exp(right / 200.0)), (most - least) * 1e-3)
            level = (low + high) / 2 + down / 400.0 * (high - low)
            new_low = min(max(level - width / 2, least), most - (most - least) * 1e-3)
            new_high = min(max(level + width / 2, new_low + (most - least) * 1e-3), most)
            image.contrast_limits = (new_low, new_high)
            event.handled = True
            yield


def _nothing(_: Any) -> None:
    """What napari's own keys do on our canvases."""


def _uv(event: Any) -> tuple[float, float]:
    """Plane mm under the mouse: world is plane mm, for the first pixel stands at 0."""
    *_, v, u = event.position
    return float(u), float(v)


def _pair(values: Any) -> tuple[float, float]:
    u, v = values.tolist()
    return u, v
