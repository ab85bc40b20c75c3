"""A hip with its two pictures: what is shown, what the next click means, where the views cut."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType, structs

from napari_necroangle.reading.draft import (
    LANDMARKS,
    ArcDraft,
    Handle,
    MarkedSlice,
    Role,
    ViewDraft,
)
from napari_necroangle.reading.edits import ENOUGH_POSITIONS
from napari_necroangle.reading.session import ReadingSession
from necroangle.annotation import ImageRecord, PlaneRecord, StackPassport
from necroangle.errors import ReadingError
from necroangle.geometry import Marker, PatientPoints, PixelPoints, PlanePoints
from necroangle.imaging import MidSlice, Slice, Volume, cross_reference, mid_slice, slice_offset_mm
from necroangle.measurement.doubts import LIMITS
from necroangle.terms import Finding, LandmarkName, Laterality, UnreadReason, View


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A volume that is shown for one view.

    Attributes
    ----------
    calibrated
        Whether its mm are true mm; False on most radiographs.
    sequence
        What weights it, and its number: nothing that identifies.
    film_letters
        The letters at the edges of a radiograph, where its file tells them.
    """

    view: View
    volume: Volume
    calibrated: bool = True
    passport: StackPassport | None = None
    sequence: str = ""
    film_letters: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.volume)

    @property
    def marker(self) -> Marker | None:
        """The marker that tells its scale, where a reader has set one."""
        return _marker_in(self.passport)

    def marked_slice(self, index: int) -> MarkedSlice:
        """A slice as a reading records it."""
        plane = PlaneRecord.of(
            self.volume.planes[index],
            self.volume.pixels.shape[1:3],
            frame="detector" if self.view.is_radiograph else "patient",
            calibrated=self.calibrated,
        )
        return MarkedSlice(ImageRecord.of(self.volume.sources[index]), plane, self.passport)

    def index_of(self, on: MarkedSlice | None) -> int | None:
        """Where a marked slice stands in this stack; None where it is not of it."""
        return None if on is None else self.index_of_image(on.image)

    def index_of_image(self, image: ImageRecord) -> int | None:
        """Where an image stands in this stack; None where it is not of it."""
        records = (ImageRecord.of(source) for source in self.volume.sources)
        return next((index for index, found in enumerate(records) if found == image), None)

    def edge_letters(self, index: int) -> Mapping[str, str]:
        """The anatomical direction at each edge of a slice, as far as it is known."""
        is_film = self.view.is_radiograph
        return self.film_letters if is_film else self.volume.planes[index].edge_letters()

    def pixel_of(self, uv_mm: tuple[float, float]) -> tuple[float, float]:
        """Row and column of a point, plane mm."""
        _, down_mm, across_mm = self.volume.scale_mm
        return uv_mm[1] / down_mm, uv_mm[0] / across_mm

    def uv_of(self, pixel: tuple[float, float]) -> tuple[float, float]:
        """Plane mm of a row and a column."""
        _, down_mm, across_mm = self.volume.scale_mm
        return pixel[1] * across_mm, pixel[0] * down_mm

    def grey(self, index: int, uv_mm: tuple[float, float]) -> float | None:
        """The grey value under a point, plane mm; None outside the picture."""
        if not self.holds(uv_mm):
            return None
        row, column = map(round, self.pixel_of(uv_mm))
        rows, columns = self.volume.rows, self.volume.columns
        return float(self.volume.pixels[index, min(row, rows - 1), min(column, columns - 1)])

    def patient_mm(self, index: int, uv_mm: tuple[float, float]) -> PatientPoints:
        """(1, 3) patient LPS mm of a point, plane mm, of a slice; of a radiograph detector mm."""
        return self.volume.planes[index].plane_to_patient(PlanePoints(np.array([uv_mm])))

    def holds(self, uv_mm: tuple[float, float]) -> bool:
        """Whether a point, plane mm, lies on the picture: on a pixel, up to its very edge."""
        _, rows, columns = self.volume.pixels.shape
        row, column = self.pixel_of(uv_mm)
        return bool(-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5)

    def centre_mm(self) -> PatientPoints:
        """(1, 3) patient LPS mm: the middle of the stack."""
        _, rows, columns = self.volume.pixels.shape
        middle = PixelPoints(np.array([[(rows - 1) / 2, (columns - 1) / 2]]))
        ends = [self.volume.planes[index].pixel_to_patient(middle) for index in (0, len(self) - 1)]
        return PatientPoints(np.mean(ends, axis=0))

    def best_slice(self, centre: PatientPoints, away_mm: float = 0.0) -> MidSlice:
        """The slice nearest to a place, so far from a head's centre, (1, 3) patient LPS mm."""
        return mid_slice(self.volume, centre, away_mm=away_mm)

    def offset_mm(self, index: int, centre: PatientPoints) -> float:
        """Signed distance of a slice from a head's centre: positive behind it, or to its left."""
        return slice_offset_mm(self.volume, index, centre)

    def windows(self) -> tuple[tuple[str, tuple[float, float]], ...]:
        """Presets of (low, high) grey values shown black and white, each with its name."""
        low, middle, bright, high = self.volume.percentiles(0.5, 50.0, 90.0, 99.9)
        presets = (
            ("as stored", self.volume.shown_window()),
            ("marrow", (middle, high)),
            ("dark band", (low, bright)),
            ("full range", (low, high)),
        )
        return tuple((name, (a, b)) for name, (a, b) in presets if b > a)


def marker_of(on: MarkedSlice | None) -> Marker | None:
    """The marker that told the scale of a marked slice."""
    return None if on is None else _marker_in(on.passport)


def _marker_in(passport: StackPassport | None) -> Marker | None:
    found = UNSET if passport is None else passport.marker
    return None if isinstance(found, UnsetType) else Marker(found.ends, found.size_mm)


ARC_ROLES = (Role.START, Role.END, Role.VIA)

LOCKED = "This reading is submitted and locked. Reopen… in the dock opens it again, with a reason."
"""What is said to who would change a submitted reading."""

LEAST_STROKE_POINTS = 3
"""A stroke of fewer positions marks nothing: neither a circle nor an arc."""


@dataclass(frozen=True, slots=True)
class CaseKey:
    """What is read: a visit of a folder, a hip, and a pair of views.

    ``code`` is what a worklist calls the case, or what else hands it out; empty where the reader
    chose the hip themselves.
    """

    folder: Path
    visit: str
    side: Laterality
    views: tuple[View, View]
    code: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """An earlier visit whose slices the present ones should meet: that makes the error smaller.

    ``offsets_mm``: distances of its A and B slices from the head's centre; None where they are
    not known.
    ``limit_deg``: smallest real change to a reading on slices at such distances; None where it
    is not judged.
    """

    visit: str
    offsets_mm: tuple[float | None, float | None]
    limit_deg: Callable[[tuple[float | None, float | None]], float | None]


class Case:
    """A session with its pictures.

    Parameters
    ----------
    pictures
        What is shown for each view; a view without a series has none.

    Attributes
    ----------
    selected
        The mark of each view that was touched last.
    beside_on
        Whether clicks on another slice than the view's own mark it as a neighbour.
    lacking
        Views that cannot be read here, and why: no series of the study shows them.
    checked
        What was found last of each view's slice, with the outcome and the picture it holds for.
    """

    def __init__(self, session: ReadingSession, pictures: dict[View, Picture]) -> None:
        self.session = session
        self.pictures = pictures
        self.say("")
        self.selected: dict[View, Handle] = {}
        self.beside_on = False
        self.lacking: dict[View, str] = {}
        self.followed: Followed | None = None
        self.checked: dict[View, tuple[Any, ...]] = {}
        self._aims: dict[View, Handle | None] = {}
        self._seen: dict[View, int] = {}
        self._marker: tuple[float, tuple[tuple[float, float], ...]] = (0.0, ())

    @property
    def notice(self) -> str:
        """One line that the reader should see now, or empty: what no longer holds is not said."""
        words, of, holds = self._notice
        return words if of == self.session.draft and holds() else ""

    @notice.setter
    def notice(self, words: str) -> None:
        self.say(words)

    def say(self, words: str, holds: Callable[[], bool] = lambda: True) -> None:
        """Say something of the draft as it is now; it is gone with the reader's next act.

        ``holds``: whether it is still true, where it speaks of more than the draft.
        """
        self._notice = (words, self.session.draft, holds)

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
        if aim is None or aim.role in (Role.LANDMARK, Role.MARKER):
            return aim
        if aim.role is Role.RIM:
            return Handle(Role.RIM, len(draft.marked(number).rim), number)
        if aim.role is Role.CONTOUR:
            return Handle(Role.CONTOUR, len(draft.contour))
        return structs.replace(aim, slice_no=number)

    def aim_at(self, view: View, role: Role | None) -> None:
        """Choose what the next click sets."""
        arcs = self.session.draft.view(view).marked(self.slice_no(view)).arcs
        index = max(len(arcs) - 1, 0) if role is not None and role.is_arc else 0
        self._aims[view] = None if role is None else Handle(role, index)
        self.session.settle()

    def aim_at_landmark(self, view: View, name: LandmarkName) -> None:
        """Let the next click set a landmark."""
        self._aims[view] = Handle(Role.LANDMARK, LANDMARKS.index(name))
        self.session.settle()

    def aim_at_marker(self, view: View, size_mm: float) -> None:
        """Let the next two clicks set the ends of a marker of this size."""
        for other in [one for one, aim in self._aims.items() if aim and aim.role is Role.MARKER]:
            self._aims.pop(other)
        self._aims[view] = Handle(Role.MARKER, 0)
        self._marker = (size_mm, ())
        self.session.settle()

    def marker_ends(self, view: View) -> Sequence[tuple[float, float]]:
        """The ends (row, column) of a marker as far as they are clicked, else of the picture's."""
        aim, picture = self._aims.get(view), self.pictures.get(view)
        if aim is not None and aim.role is Role.MARKER:
            return self._marker[1]
        marker = picture.marker if picture is not None else None
        return () if marker is None else marker.ends

    def take_marker(self, view: View) -> Marker | None:
        """The marker whose two ends are clicked; None before. What is clicked next is as before."""
        size_mm, ends = self._marker
        if len(ends) < 2:
            return None
        self._aims.pop(view, None)
        return Marker((ends[0], ends[1]), size_mm)

    def aim_at_new_arc(self, view: View) -> None:
        """Let the next click begin another arc."""
        arcs = self.session.draft.view(view).marked(self.slice_no(view)).arcs
        self._aims[view] = Handle(Role.START, len(arcs))
        self.session.settle()

    def next_aim(self, view: View) -> None:
        """Go on: from the rim to the arc, and along the arc to what is missing."""
        self._aims[view] = first_gap(self.session.draft.view(view), self.slice_no(view))
        self.session.settle()

    def aim_again(self, view: View) -> None:
        """After undo or redo: of an arc that is aimed at, to what it lacks now."""
        aim = self._aims.get(view)
        if aim is not None and aim.role.is_arc:
            self._aims[view] = self._lacking_of(view, aim)

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
        is_inside = self.pictures[view].holds(uv_mm)
        if aim is None or not is_inside:
            done = "All points are set. Drag a point to move it."
            self.notice = done if is_inside else "That is outside of the picture."
            self.session.settle()
            return None
        if aim.role is Role.MARKER:
            end = self.pictures[view].pixel_of(uv_mm)
            self._marker = (self._marker[0], (*self._marker[1], end))
            self._aims[view] = aim = structs.replace(aim, index=len(self._marker[1]))
            self.notice = ""
            self.session.settle()
            return aim
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
        if aim is None or aim.role in (Role.LANDMARK, Role.MARKER):
            return
        first = aim if aim.role.is_arc else structs.replace(aim, index=0)
        picture = self.pictures[view]
        on = picture.marked_slice(slice_index)
        inside = [point for point in points_mm if picture.holds(point)]
        whole = len(inside) == len(points_mm)
        try:
            if len(inside) >= LEAST_STROKE_POINTS:
                self.session.draw(view, first, on, inside)
            self.notice = "" if whole else "Part of it is outside the picture."
        except ReadingError as error:
            self._say_refused(view, error)

    def end_stroke(self, view: View) -> None:
        """End a stroke: it is one step, an arc is done with it, and a thin rim is spoken of."""
        aim = self.aim(view)
        if aim is not None and aim.role.is_arc and not self.session.is_settled:
            self._aims[view] = None
        if aim is not None and aim.role is Role.RIM and not self.session.is_settled:
            count = len(self.session.draft.view(view).marked(aim.slice_no).rim)
            if count < ENOUGH_POSITIONS:
                self.notice = (
                    f"The mouse was caught at {count} places only. Draw it again, slower, or click "
                    "more points of the rim."
                )
        self.session.settle()

    def drag(self, view: View, handle: Handle, uv_mm: tuple[float, float]) -> None:
        """Move a mark while the mouse is down; beyond the picture's edge it stays where it was."""
        self.selected[view] = handle
        picture = self.pictures.get(view)
        if picture is None or picture.holds(uv_mm):
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
            return len(picture) // 2
        return picture.best_slice(centre, self.wanted_mm(view)).index

    def wanted_mm(self, view: View) -> float:
        """How far from the head's centre the slice should lie: where the earlier one lay."""
        number = 0 if self.session.draft.views[0].view is view else 1
        found = None if self.followed is None else self.followed.offsets_mm[number]
        return found if found is not None and abs(found) <= LIMITS.off_centre_mm else 0.0

    def head_centre(self, view: View) -> PatientPoints | None:
        """(1, 3) patient mm: the centre of the other view's head circle, once there is one."""
        if view.is_radiograph:
            return None
        return self.session.outcome().view(self.session.draft.other(view)).head_centre

    def centre_seen_in_other(self, view: View) -> PatientPoints | None:
        """(1, 3) patient mm: the head's centre in the other view.

        Before that has a circle, the middle of a sagittal stack, which is laid over one hip; the
        middle of a coronal stack says nothing, for it often lies between both hips.
        """
        other = self.session.draft.other(view)
        centre = self.head_centre(view)
        is_one_hip = other is View.SAGITTAL and other in self.pictures
        return centre if centre is not None or not is_one_hip else self.pictures[other].centre_mm()

    def _after(self, view: View, aim: Handle) -> Handle | None:
        """What follows a click: more rim or outline, the arc's next point, or nothing more."""
        if aim.role in (Role.RIM, Role.CONTOUR):
            return aim
        if aim.role is Role.LANDMARK:
            return None
        return self._lacking_of(view, aim, aim.role)

    def _lacking_of(self, view: View, aim: Handle, *but: Role) -> Handle | None:
        """The first point, but for these, that the arc of a handle lacks."""
        arcs = self.session.draft.view(view).marked(aim.slice_no).arcs
        arc = arcs[aim.index] if aim.index < len(arcs) else ArcDraft()
        there = {*but, *(role for role, _ in arc.marks)}
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
        self._say_refused(view, error)
        self.session.settle()

    def _say_refused(self, view: View, error: ReadingError) -> None:
        """Why no mark can be set on the slice that is shown, until another one is shown."""
        index, seen = self.marks_index(view), self.seen(view)
        if self.beside_on or index == seen:
            self.say(error.problem, lambda: self.seen(view) == seen)
        elif index is None:
            self.say(
                "The marks of this view lie on another series. Choose it, or clear the view.",
                lambda: self.marks_index(view) is None,
            )
        else:
            self.say(
                f"The marks of this view lie on slice {index + 1}. Go there, or clear the view.",
                lambda: self.seen(view) != index,
            )


def first_gap(draft: ViewDraft, slice_no: int) -> Handle | None:
    """The first arc point that is missing on a slice of a view; None where none is."""
    for index, arc in enumerate(draft.marked(slice_no).arcs or (ArcDraft(),)):
        there = {role for role, _ in arc.marks}
        for role in ARC_ROLES:
            if role not in there:
                return Handle(role, index, slice_no)
    return None


Ends = tuple[tuple[float, float], tuple[float, float]]


def reference_ends(case: Case, view: View) -> Ends | None:
    """The ends of the line, plane mm of the slice that is shown; None where there is none.

    On a radiograph it is the line between the ends of its marker.
    """
    other = case.session.draft.other(view)
    here, there = case.shown_slice(view), case.shown_slice(other)
    if view.is_radiograph:
        ends, picture = case.marker_ends(view), case.pictures.get(view)
        both = [picture.uv_of(end) for end in ends] if picture is not None else []
        return (both[0], both[1]) if len(both) == 2 else None
    if here is None or there is None:
        return None
    return cross_reference(here, there).ends_mm
