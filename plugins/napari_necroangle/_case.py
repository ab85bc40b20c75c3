"""One hip under the reader's eyes: its session, its two pictures, and what the next click means."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_necroangle._draft import ArcDraft, Handle, Role, ViewDraft
from napari_necroangle._picture import Picture
from napari_necroangle._session import ReadingSession
from necroangle.errors import ReadingError
from necroangle.geometry import PatientPoints, PlanePoints
from necroangle.terms import Finding, Laterality, UnreadReason, View

__all__ = ["ARC_ROLES", "Case", "CaseKey"]

ARC_ROLES = (Role.START, Role.END, Role.VIA)


@dataclass(frozen=True, slots=True)
class CaseKey:
    """What is read: a visit of a folder, a hip, and a pair of views."""

    folder: Path
    visit: str
    side: Laterality
    views: tuple[View, View]


class Case:
    """A session with its pictures.

    Parameters
    ----------
    session
        The reading being made.
    pictures
        What is shown for each view; a view without a series has none.

    Attributes
    ----------
    notice
        One line that the reader should see now, or empty.
    """

    def __init__(self, session: ReadingSession, pictures: dict[View, Picture]) -> None:
        self.session = session
        self.pictures = pictures
        self.notice = ""
        self._aims: dict[View, Handle | None] = {}
        self.selected: dict[View, Handle] = {}

    def aim(self, view: View) -> Handle | None:
        """What the next click in a view will set; None once all is set."""
        draft = self.session.draft.view(view)
        if view not in self._aims:
            return Handle(Role.RIM, len(draft.rim)) if not draft.arcs else _first_gap(draft)
        aim = self._aims[view]
        return Handle(Role.RIM, len(draft.rim)) if aim and aim.role is Role.RIM else aim

    def aim_at(self, view: View, role: Role | None) -> None:
        """Choose what the next click sets."""
        draft = self.session.draft.view(view)
        arc = max(len(draft.arcs) - 1, 0)
        self._aims[view] = None if role is None else Handle(role, 0 if role is Role.RIM else arc)
        self.session.settle()

    def aim_at_new_arc(self, view: View) -> None:
        """Let the next click begin another arc."""
        self._aims[view] = Handle(Role.START, len(self.session.draft.view(view).arcs))
        self.session.settle()

    def next_aim(self, view: View) -> None:
        """Go on: from the rim to the arc, and along the arc to what is missing."""
        draft = self.session.draft.view(view)
        self._aims[view] = _first_gap(draft)
        self.session.settle()

    def click(self, view: View, slice_index: int, uv_mm: tuple[float, float]) -> None:
        """Set what is aimed at; a click on a slice that cannot take it becomes a notice."""
        aim = self.aim(view)
        if aim is None:
            self.notice = "All points are set. Drag a point to move it."
            self.session.settle()
            return
        on = self.pictures[view].marked_slice(slice_index)
        self.notice = ""
        self.selected[view] = aim
        if aim.role is not Role.RIM:
            self._aims[view] = _after(self.session.draft.view(view), aim)
        try:
            self.session.place(view, aim, on, uv_mm)
        except ReadingError as error:
            self._aims[view] = aim
            del self.selected[view]
            self.notice = self._elsewhere(view) or error.problem
            self.session.settle()

    def drag(self, view: View, handle: Handle, uv_mm: tuple[float, float]) -> None:
        """Move a mark while the mouse is down."""
        self.selected[view] = handle
        self.session.move(view, handle, uv_mm)

    def remove_selected(self, view: View) -> None:
        """Take away the mark that was set or moved last; without one, the last rim mark."""
        draft = self.session.draft.view(view)
        places = [handle for handle, _ in draft.marks]
        handle = self.selected.pop(view, None)
        if handle not in places:
            handle = next((one for one in reversed(places) if one.role is Role.RIM), None)
        if handle is None:
            return
        if handle.role is not Role.RIM:
            self._aims[view] = handle
        self.session.remove(view, handle)

    def choose(self, view: View, choice: Finding | UnreadReason | None, slice_index: int) -> None:
        """Say what was found on a view."""
        picture = self.pictures.get(view)
        on = picture.marked_slice(slice_index) if picture is not None else None
        self.notice = ""
        self.session.choose(view, choice, on)

    def clear(self, view: View) -> None:
        """Start a view anew."""
        self._aims.pop(view, None)
        self.selected.pop(view, None)
        self.notice = ""
        self.session.clear(view)

    def marks_index(self, view: View) -> int | None:
        """The slice that carries a view's marks or finding, in the series that is shown."""
        picture = self.pictures.get(view)
        on = self.session.draft.view(view).on
        return picture.index_of(on) if picture is not None else None

    def is_untouched(self, view: View) -> bool:
        """Whether nothing has been entered in a view."""
        draft = self.session.draft.view(view)
        return not draft.is_bound and draft.choice is None

    def proposed_index(self, view: View) -> int:
        """Where to begin: the slice nearest to the head as the other view shows it.

        Where it does not show it yet, the middle of the view's own stack.
        """
        picture = self.pictures[view]
        centre = self.centre_seen_in_other(view)
        if centre is None or view.is_radiograph:
            return picture.middle_index
        return picture.volume.nearest_index(centre)

    def centre_seen_in_other(self, view: View) -> PatientPoints | None:
        """(1, 3) patient mm: the head's centre in the other view.

        Before that has a circle, the middle of a sagittal stack, which is laid over one hip; the
        middle of a coronal stack says nothing, for it often lies between both hips.
        """
        other = next(one.view for one in self.session.draft.views if one.view is not view)
        measured = self.session.outcome().view(other)
        if measured.circle is not None and measured.plane is not None:
            centre = PlanePoints(np.array([measured.circle.centre_mm]))
            return measured.plane.plane_to_patient(centre)
        is_one_hip = other is View.SAGITTAL and other in self.pictures
        return self.pictures[other].centre_mm() if is_one_hip else None

    def _elsewhere(self, view: View) -> str:
        index = self.marks_index(view)
        if index is None:
            return "The marks of this view lie on another series. Choose it, or clear the view."
        return f"The marks of this view lie on slice {index + 1}. Go there, or clear the view."


def _first_gap(draft: ViewDraft) -> Handle | None:
    for index, arc in enumerate(draft.arcs or (ArcDraft(),)):
        there = {role for role, _ in arc.marks}
        for role in ARC_ROLES:
            if role not in there:
                return Handle(role, index)
    return None


def _after(draft: ViewDraft, aim: Handle) -> Handle | None:
    arc = draft.arcs[aim.index] if aim.index < len(draft.arcs) else ArcDraft()
    there = {aim.role, *(role for role, _ in arc.marks)}
    left = [role for role in ARC_ROLES if role not in there]
    return Handle(left[0], aim.index) if left else None
