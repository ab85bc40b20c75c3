"""Commands that change what is seen and nothing that is recorded."""

from collections.abc import Callable, Sequence

from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from necroangle.terms import View

__all__ = ["Act", "Looking"]

Act = Callable[[Case, View], None]


class Looking:
    """Slices, zoom, contrast, overlay, and the second look at the arc ends.

    Parameters
    ----------
    planes
        Gives the canvases.
    turn_to
        Shows a view.

    Attributes
    ----------
    acts
        The commands by their names.
    """

    def __init__(
        self, planes: Callable[[], Sequence[PlaneView]], turn_to: Callable[[View], None]
    ) -> None:
        self._planes, self._turn_to = planes, turn_to
        self._looked: tuple[View, Handle] | None = None
        self.acts: dict[str, Act] = {
            "second_look": self._second_look,
            "head": lambda _, view: self._on_plane(view, PlaneView.zoom_to_head),
            "jump": self._jump,
            "slice_up": lambda _, view: self._step(view, 1),
            "slice_down": lambda _, view: self._step(view, -1),
            "overlay": self._toggle_overlay,
            "window": self._next_window,
        }

    def plane(self, view: View) -> PlaneView | None:
        """The canvas that shows a view, if one does."""
        shown = (plane for plane in self._planes() if plane.picture is not None)
        return next((plane for plane in shown if plane.view is view), None)

    def _on_plane(self, view: View, act: Callable[[PlaneView], object]) -> None:
        plane = self.plane(view)
        if plane is not None:
            act(plane)

    def _second_look(self, case: Case, _: View) -> None:
        """Magnify the next arc end of either view; after the last one, show all as before."""
        ends = [
            (draft.view, handle)
            for draft in case.session.draft.views
            for handle, _ in draft.all_marks
            if handle.role in (Role.START, Role.END) and self.plane(draft.view) is not None
        ]
        at = ends.index(self._looked) + 1 if self._looked in ends else 0
        for one in self._planes():
            one.end_magnifying()
        self._looked = ends[at] if at < len(ends) else None
        if self._looked is None:
            case.notice = "That was every arc end." if ends else "There is no arc end yet."
            return
        self._magnify(case, *self._looked)
        case.notice = f"Arc end {at + 1} of {len(ends)}: drag it if it is off."

    def _magnify(self, case: Case, view: View, handle: Handle) -> None:
        plane = self.plane(view)
        if plane is None or not plane.draws(handle):
            return
        self._turn_to(view)
        plane.go_to(plane.slice_of(handle))
        plane.lens.magnify(plane.uv_of(handle), centred=True)
        case.selected[view] = handle

    def _jump(self, case: Case, view: View) -> None:
        """Show the slice at the head's centre, as the other view shows it."""
        if not view.is_radiograph:
            self._on_plane(view, lambda plane: plane.go_to(case.proposed_index(view)))

    def _step(self, view: View, step: int) -> None:
        self._on_plane(view, lambda plane: plane.go_to(plane.slice_index + step))

    def _toggle_overlay(self, *_: object) -> None:
        on = not all(plane.overlay_on for plane in self._planes())
        for plane in self._planes():
            plane.show_overlay(on)

    def _next_window(self, case: Case, view: View) -> None:
        plane = self.plane(view)
        if plane is not None:
            case.notice = f"Contrast: {plane.next_window()}."
