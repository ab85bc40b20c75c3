"""Mouse and keys on a canvas: click sets a mark, drag moves one, wheel turns slices."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from napari_necroangle._case import Case
from napari_necroangle._draft import Handle, Role
from napari_necroangle._plane_view import PlaneView

__all__ = ["KEYS", "Interaction"]

GRAB_PX = 10.0
"""A press this near to a mark takes hold of it."""
CLICK_PX = 4.0
"""A press that moves less than this before its release is a click."""
ZOOM_STEP = 1.15

KEYS = {
    "1": "rim points",
    "2": "first arc end",
    "3": "other arc end",
    "4": "point between",
    "Enter": "next step",
    "Delete": "take the point away",
    "Control-Z": "undo",
    "Control-Shift-Z": "redo",
}
"""Keys on a canvas, and what they do."""

_ROLE_KEYS = {"1": Role.RIM, "2": Role.START, "3": Role.END, "4": Role.VIA}


class Interaction:
    """The hands of one canvas.

    Parameters
    ----------
    plane_view
        The canvas.
    on_touch
        Called when the reader turns to this canvas with mouse or key.
    """

    def __init__(self, plane_view: PlaneView, on_touch: Callable[[], None]) -> None:
        self._plane_view = plane_view
        self._on_touch = on_touch
        model = plane_view.model
        self._found = (
            list(model.mouse_wheel_callbacks),
            list(model.mouse_double_click_callbacks),
        )
        model.mouse_wheel_callbacks[:] = [self._wheel]
        model.mouse_double_click_callbacks[:] = []
        model.mouse_drag_callbacks.append(self._press)

    def close(self) -> None:
        """Give the canvas its own behaviour back."""
        model = self._plane_view.model
        model.mouse_wheel_callbacks[:], model.mouse_double_click_callbacks[:] = self._found
        model.mouse_drag_callbacks.remove(self._press)
        for key in KEYS:
            model.keymap.pop(key, None)

    def bind_keys(self) -> None:
        """Bind the keys on the canvas and on its marks, whose own keys would hide them."""
        actions: dict[str, Callable[[Case], None]] = {
            "Enter": lambda case: case.next_aim(self._plane_view.view),
            "Delete": lambda case: case.remove_selected(self._plane_view.view),
            "Control-Z": lambda case: case.session.undo(),
            "Control-Shift-Z": lambda case: case.session.redo(),
        }
        for key, role in _ROLE_KEYS.items():
            actions[key] = self._aim_at(role)
        for key, action in actions.items():
            for target in (self._plane_view.model, self._plane_view.points):
                target.bind_key(key, self._handler(action), overwrite=True)

    def _aim_at(self, role: Role) -> Callable[[Case], None]:
        return lambda case: case.aim_at(self._plane_view.view, role)

    def _handler(self, action: Callable[[Case], None]) -> Callable[[Any], None]:
        def handle(_: Any) -> None:
            if self._plane_view.case is not None:
                self._on_touch()
                action(self._plane_view.case)

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

    def _press(self, _: Any, event: Any) -> Generator[None, None, None]:
        """Decide at the press what the mouse does until its release."""
        case = self._plane_view.case
        if case is None:
            return
        self._on_touch()
        if event.button == 2:
            yield from self._window(event)
        elif event.button == 1 and not event.modifiers:
            handle = self._plane_view.hit(_uv(event), GRAB_PX)
            if handle is None:
                yield from self._click(case, event)
            else:
                yield from self._drag(case, handle, event)

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
            case.click(view, self._plane_view.slice_index, where)
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
            case.click(self._plane_view.view, index, where)

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


def _uv(event: Any) -> tuple[float, float]:
    """Plane mm under the mouse: world is plane mm, for the first pixel stands at 0."""
    *_, v, u = event.position
    return float(u), float(v)


def _pair(values: Any) -> tuple[float, float]:
    u, v = values.tolist()
    return u, v
