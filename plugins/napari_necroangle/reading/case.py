"""One hip under the reader's eyes: its session, its two pictures, and what the next click means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_necroangle.reading.draft import LANDMARKS, ArcDraft, Handle, Role, ViewDraft
from napari_necroangle.reading.picture import Picture
from napari_necroangle.reading.session import ReadingSession
from necroangle.errors import ReadingError
from necroangle.geometry import PatientPoints, PlanePoints
from necroangle.imaging import Slice
from necroangle.terms import Finding, LandmarkName, Laterality, UnreadReason, View

__all__ = ["ARC_ROLES", "LOCKED", "Case", "CaseKey", "first_gap"]

ARC_ROLES = (Role.START, Role.END, Role.VIA)

LOCKED = "This reading is submitted and locked. Reopen… in the dock opens it again, with a reason."
"""What is said to who would change a submitted reading."""


@dataclass(frozen=True, slots=True)
class CaseKey:
    """What is read: a visit of a folder, a hip, and a pair of views.

    ``code`` is what a worklist calls the case, or what else hands it out; empty where the reader
    chose the hip herself.
    """

    folder: Path
    visit: str
    side: Laterality
    views: tuple[View, View]
    code: str = ""


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
    selected
        The mark of each view that was touched last.
    beside_on
        Whether clicks on another slice than the view's own mark it as a neighbour.
    checked
        What was found last of each view's slice, with the outcome and the picture it holds for.
    """

    def __init__(self, session: ReadingSession, pictures: dict[View, Picture]) -> None:
        self.session = session
        self.pictures = pictures
        self.notice = ""
        self.selected: dict[View, Handle] = {}
        self.beside_on = False
        self.checked: dict[View, tuple[Any, ...]] = {}
        self._aims: dict[View, Handle | None] = {}
        self._seen: dict[View, int] = {}

    def put_away(self) -> None:
        """Let the pictures go: another hip is read now, and a volume is large."""
        self.pictures = {}
        self.checked = {}

    def aim(self, view: View) -> Handle | None:
        """What the next click in a view will set; None once all is set."""
        draft = self.session.draft.view(view)
        number = self.slice_no(view)
        if view not in self._aims:
            starts = number == 0 and not draft.arcs
            return Handle(Role.RIM, len(draft.rim)) if starts else first_gap(draft, number)
        aim = self._aims[view]
        if aim is None or aim.role is Role.LANDMARK:
            return aim
        if aim.role is Role.RIM:
            return Handle(Role.RIM, len(draft.rim_on(number)), number)
        if aim.role is Role.CONTOUR:
            return Handle(Role.CONTOUR, len(draft.contour))
        return replace(aim, slice_no=number)

    def aim_at(self, view: View, role: Role | None) -> None:
        """Choose what the next click sets."""
        arcs = self.session.draft.view(view).arcs_on(self.slice_no(view))
        index = max(len(arcs) - 1, 0) if role is not None and role.is_arc else 0
        self._aims[view] = None if role is None else Handle(role, index)
        self.session.settle()

    def aim_at_landmark(self, view: View, name: LandmarkName) -> None:
        """Let the next click set a landmark."""
        self._aims[view] = Handle(Role.LANDMARK, LANDMARKS.index(name))
        self.session.settle()

    def aim_at_new_arc(self, view: View) -> None:
        """Let the next click begin another arc."""
        arcs = self.session.draft.view(view).arcs_on(self.slice_no(view))
        self._aims[view] = Handle(Role.START, len(arcs))
        self.session.settle()

    def next_aim(self, view: View) -> None:
        """Go on: from the rim to the arc, and along the arc to what is missing."""
        self._aims[view] = first_gap(self.session.draft.view(view), self.slice_no(view))
        self.session.settle()

    def see(self, view: View, slice_index: int) -> None:
        """Note which slice a view shows; another neighbour begins with its own arc."""
        before = self.slice_no(view)
        self._seen[view] = slice_index
        if self.beside_on and self.slice_no(view) != before:
            self._aims.pop(view, None)

    def seen(self, view: View) -> int | None:
        """The slice that a view shows, from 0; None before it has shown one."""
        return self._seen.get(view)

    def mark_beside(self, on: bool) -> None:
        """Let clicks on other slices mark them as neighbours, or not."""
        self.beside_on = on
        self._aims.clear()
        self.session.settle()

    def slice_no(self, view: View) -> int:
        """Which of a view's slices is shown: 0 its own, or any that may not be marked."""
        picture = self.pictures.get(view)
        if not self.beside_on or picture is None or view not in self._seen:
            return 0
        return self.session.draft.view(view).slice_no(picture.marked_slice(self._seen[view]))

    def shown_slice(self, view: View) -> Slice | None:
        """The slice that a view shows, with its pixels."""
        picture = self.pictures.get(view)
        if picture is None or view not in self._seen:
            return None
        return picture.volume.slice(min(self._seen[view], len(picture) - 1))

    def click(self, view: View, slice_index: int, uv_mm: tuple[float, float]) -> Handle | None:
        """Set what is aimed at, and say what was set.

        A click on a slice that cannot take it becomes a notice.
        """
        self.see(view, slice_index)
        aim = self.aim(view)
        if aim is None:
            self.notice = "All points are set. Drag a point to move it."
            self.session.settle()
            return None
        on = self.pictures[view].marked_slice(slice_index)
        before = self._aims.get(view), view in self._aims, self.selected.get(view)
        self.notice = ""
        self.selected[view] = aim
        self._aims[view] = self._after(view, aim)
        try:
            self.session.place(view, aim, on, uv_mm)
        except ReadingError as error:
            self._refuse(view, before, error)
            return None
        return aim

    def draw(self, view: View, slice_index: int, points_mm: Sequence[tuple[float, float]]) -> None:
        """Lay the rim, arc or outline that is aimed at by one stroke, as far as it has come."""
        aim = self.aim(view)
        if aim is None or aim.role is Role.LANDMARK:
            return
        first = aim if aim.role.is_arc else replace(aim, index=0)
        on = self.pictures[view].marked_slice(slice_index)
        self.notice = ""
        try:
            self.session.draw(view, first, on, points_mm)
        except ReadingError as error:
            self.notice = self._elsewhere(view) or error.problem

    def end_stroke(self, view: View) -> None:
        """End a stroke: it is one step, and an arc is done with it."""
        aim = self.aim(view)
        if aim is not None and aim.role.is_arc and not self.session.is_settled:
            self._aims[view] = None
        self.session.settle()

    def drag(self, view: View, handle: Handle, uv_mm: tuple[float, float]) -> None:
        """Move a mark while the mouse is down."""
        self.selected[view] = handle
        self.session.move(view, handle, uv_mm)

    def remove_selected(self, view: View) -> None:
        """Take away the mark that was set or moved last; without one, the last rim mark."""
        draft = self.session.draft.view(view)
        places = [handle for handle, _ in draft.all_marks]
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
        return picture.best_slice(centre).index

    def head_centre(self, view: View) -> PatientPoints | None:
        """(1, 3) patient mm: the centre of the other view's head circle, once there is one."""
        other = next(one.view for one in self.session.draft.views if one.view is not view)
        measured = self.session.outcome().view(other)
        if view.is_radiograph or measured.circle is None or measured.plane is None:
            return None
        centre = PlanePoints(np.array([measured.circle.centre_mm]))
        return measured.plane.plane_to_patient(centre)

    def centre_seen_in_other(self, view: View) -> PatientPoints | None:
        """(1, 3) patient mm: the head's centre in the other view.

        Before that has a circle, the middle of a sagittal stack, which is laid over one hip; the
        middle of a coronal stack says nothing, for it often lies between both hips.
        """
        other = next(one.view for one in self.session.draft.views if one.view is not view)
        centre = self.head_centre(view)
        is_one_hip = other is View.SAGITTAL and other in self.pictures
        return centre if centre is not None or not is_one_hip else self.pictures[other].centre_mm()

    def _after(self, view: View, aim: Handle) -> Handle | None:
        """What follows a click: more rim or outline, the arc's next point, or nothing more."""
        if aim.role in (Role.RIM, Role.CONTOUR):
            return aim
        if aim.role is Role.LANDMARK:
            return None
        arcs = self.session.draft.view(view).arcs_on(aim.slice_no)
        arc = arcs[aim.index] if aim.index < len(arcs) else ArcDraft()
        there = {aim.role, *(role for role, _ in arc.marks)}
        left = [role for role in ARC_ROLES if role not in there]
        return Handle(left[0], aim.index) if left else None

    def _refuse(
        self, view: View, before: tuple[Handle | None, bool, Handle | None], error: ReadingError
    ) -> None:
        """Put everything back as it was before a click that was refused, and say why."""
        aim, was_set, selected = before
        del self._aims[view], self.selected[view]
        if was_set:
            self._aims[view] = aim
        if selected is not None:
            self.selected[view] = selected
        self.notice = self._elsewhere(view) or error.problem
        self.session.settle()

    def _elsewhere(self, view: View) -> str:
        if self.beside_on:
            return ""
        index = self.marks_index(view)
        if index is None:
            return "The marks of this view lie on another series. Choose it, or clear the view."
        return f"The marks of this view lie on slice {index + 1}. Go there, or clear the view."


def first_gap(draft: ViewDraft, slice_no: int) -> Handle | None:
    """The first arc point that is missing on a slice of a view; None where none is."""
    for index, arc in enumerate(draft.arcs_on(slice_no) or (ArcDraft(),)):
        there = {role for role, _ in arc.marks}
        for role in ARC_ROLES:
            if role not in there:
                return Handle(role, index, slice_no)
    return None
