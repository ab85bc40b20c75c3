"""How the pictures are looked at: slices, zoom, grey values, what the mouse points to."""

from collections.abc import Callable, Sequence

from napari_necroangle.canvas.lens import Greys, point_words
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from necroangle.terms import View

__all__ = ["Act", "Looking"]

Act = Callable[[Case, View], None]
"""A command, done on a view of a case."""


class Looking:
    """Slices, zoom, grey values, overlay, the mouse's cross, and the second look at the arc ends.

    Nothing of the reading is changed by it.

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
    is_linked
        Whether a window that is set on one canvas is set on the others: by name where it has one,
        else in parts of the window as stored.
    has_cursor, has_loupe
        Whether the other canvases show where the mouse points to, and this one a loupe.
    on_greys
        Called when grey values are shown otherwise.
    tell
        Says what lies under the mouse.
    """

    def __init__(
        self, planes: Callable[[], Sequence[PlaneView]], turn_to: Callable[[View], None]
    ) -> None:
        self._planes, self._turn_to = planes, turn_to
        self._looked: tuple[View, Handle] | None = None
        self.is_linked, self.has_cursor, self.has_loupe = False, True, False
        self.on_greys: Callable[[], None] = _unheard
        self.tell: Callable[[str], None] = _untold
        self.acts: dict[str, Act] = {
            "second_look": self._second_look,
            "head": lambda _, view: self._on_plane(view, PlaneView.zoom_to_head),
            "reset_view": lambda _, view: self._on_plane(view, PlaneView.reset),
            "jump": self._jump,
            "slice_up": lambda _, view: self._step(view, 1),
            "slice_down": lambda _, view: self._step(view, -1),
            "overlay": self._toggle_overlay,
            "window": self._next_window,
            "window_reset": lambda _, view: self.reset_window(view),
            "link": self._toggle_link,
            "invert": lambda _, view: self._invert(view),
            "cursor": self._toggle_cursor,
            "loupe": self._toggle_loupe,
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
        mark = plane.mark_of(handle) if plane is not None else None
        if plane is None or mark is None:
            return
        self._turn_to(view)
        plane.go_to(mark.index)
        plane.lens.magnify(plane.uv_of(handle), centred=True)
        case.selected[view] = handle

    def _jump(self, case: Case, view: View) -> None:
        """Show the slice at the head's centre, as the other view shows it."""
        if not view.is_radiograph:
            self._on_plane(view, lambda plane: plane.go_to(case.proposed_index(view)))

    def _step(self, view: View, step: int) -> None:
        self._on_plane(view, lambda plane: plane.go_to(plane.slice_index + step))

    def _toggle_overlay(self, *_: object) -> None:
        on = not all(plane.sketch.visible for plane in self._planes())
        for plane in self._planes():
            plane.sketch.show(visible=on)

    def greys(self, view: View) -> Greys | None:
        """How the grey values of a view are shown; None where it has no picture."""
        plane = self.plane(view)
        return plane.greys if plane is not None else None

    def set_figures(self, view: View, width: float, level: float) -> None:
        """Show this width and level on a view."""
        greys = self.greys(view)
        if greys is not None:
            greys.figures = (width, level)
            self.windowed(view)

    def set_preset(self, view: View, name: str) -> None:
        """Show the window of this name on a view."""
        greys = self.greys(view)
        if greys is not None:
            greys.preset = name
            self.windowed(view)

    def reset_window(self, view: View) -> None:
        """Show the grey values of a view as they are stored."""
        greys = self.greys(view)
        if greys is not None:
            greys.reset()
            self.windowed(view)

    def windowed(self, view: View) -> None:
        """Take the other canvases along where they are linked, and tell of it."""
        greys = self.greys(view)
        for plane in self._planes():
            if self.is_linked and greys is not None and plane.greys not in (None, greys):
                assert plane.greys is not None  # noqa: S101
                plane.greys.window = greys.on(plane.greys.stored)
                plane.greys.preset = greys.preset
                plane.greys.is_inverted = greys.is_inverted
            plane.write_corner()
        self.on_greys()

    def pointed(self, view: View, uv_mm: tuple[float, float] | None) -> None:
        """Show in the other canvases where the mouse points to, and say what lies there.

        A cross is shown in the same frame of reference alone: in another the same mm are another
        place.
        """
        plane = self.plane(view)
        if plane is None or plane.picture is None:
            return
        picture, index = plane.picture, plane.slice_index
        is_inside = uv_mm is not None and picture.holds(uv_mm)
        plane.show_loupe(uv_mm if self.has_loupe and is_inside else None)
        self.tell(point_words(picture, index, uv_mm) if uv_mm is not None else "")
        point = None
        if uv_mm is not None and is_inside and self.has_cursor and not view.is_radiograph:
            point = picture.patient_mm(index, uv_mm)
        frame = picture.volume.sources[index].frame_of_reference_uid
        for other in self._planes():
            if other is not plane and other.picture is not None:
                there = other.picture.volume.sources[other.slice_index].frame_of_reference_uid
                other.show_cross(point if frame and frame == there else None)

    def _next_window(self, case: Case, view: View) -> None:
        greys = self.greys(view)
        if greys is not None:
            case.notice = f"Contrast: {greys.next()}."
            self.windowed(view)

    def _invert(self, view: View) -> None:
        greys = self.greys(view)
        if greys is not None:
            greys.is_inverted = not greys.is_inverted
            self.windowed(view)

    def _toggle_link(self, case: Case, view: View) -> None:
        self.is_linked = not self.is_linked
        case.notice = f"Contrast of the views is {'linked' if self.is_linked else 'not linked'}."
        self.windowed(view)

    def _toggle_cursor(self, case: Case, view: View) -> None:
        self.has_cursor = not self.has_cursor
        case.notice = f"The mouse's cross in the other view is {_on(self.has_cursor)}."
        self.pointed(view, None)
        self.on_greys()

    def _toggle_loupe(self, case: Case, view: View) -> None:
        self.has_loupe = not self.has_loupe
        case.notice = f"The loupe at the mouse is {_on(self.has_loupe)}."
        self.pointed(view, None)
        self.on_greys()


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"


def _unheard() -> None:
    """Nobody shows the grey values."""


def _untold(_: str) -> None:
    """Nobody is told."""
