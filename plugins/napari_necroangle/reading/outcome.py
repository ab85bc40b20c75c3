"""What a draft measures right now, and what is still missing: nothing here computes an angle."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from msgspec import structs

from napari_necroangle.reading.draft import (
    ArcDraft,
    Entry,
    NeighbourDraft,
    ReadingDraft,
    Role,
    ViewDraft,
    reading_of,
)
from necroangle.annotation import Mark, NecroticArc, NeighbourSlice, ReadView, UnreadView
from necroangle.batch.study_settings import BY_IMAGE, Measuring
from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle, CircleFit, ImagePlane, PatientPoints, PlanePoints
from necroangle.measurement import (
    HipMeasurement,
    ViewMeasurement,
    head_circle,
    measure_draft,
    view_arcs,
)
from necroangle.terms import Finding, UnreadReason, View

NEEDED_RIM_MARKS = 3

_PARTS = {
    Role.START: "one end of the arc",
    Role.END: "the other end of the arc",
    Role.VIA: "a point between them on the necrotic side",
}


@dataclass(frozen=True, slots=True)
class SliceOutcome:
    """What a neighbouring slice says so far.

    Attributes
    ----------
    entry
        The slice as it would stand in a saved reading.
    circle, arcs
        What is drawn on it, plane mm: about its own rim, or about the view's centre without one.
    missing
        What is to be done before it is complete; empty once it is.
    """

    entry: NeighbourSlice
    circle: Circle | None
    arcs: tuple[Arc, ...]
    missing: str


def beside(draft: ViewDraft, circle: Circle | None) -> tuple[SliceOutcome, ...]:
    """What the neighbours of a view say, the view's own head circle being known or not."""
    return tuple(_beside(one, draft, circle) for one in draft.neighbours)


def fit_of(rim: tuple[Mark, ...], plane: ImagePlane) -> tuple[CircleFit | None, str]:
    """The head circle of rim marks and how well they hold it, or why there is none."""
    if len(rim) < NEEDED_RIM_MARKS:
        more = NEEDED_RIM_MARKS - len(rim)
        return None, f"mark {more} more rim point{'s' if more > 1 else ''}"
    try:
        return head_circle(rim, plane), ""
    except GeometryError as error:
        return None, str(error)


def arcs_about(
    drafts: tuple[ArcDraft, ...], plane: ImagePlane, circle: Circle
) -> tuple[tuple[Arc, ...], str]:
    """The complete arcs about a circle, and what keeps the others from being one."""
    found: list[Arc] = []
    trouble = ""
    for draft in drafts:
        arc = draft.complete()
        if arc is None:
            trouble = trouble or _lacking(draft)
            continue
        try:
            found.extend(view_arcs((arc,), plane, circle))
        except GeometryError as error:
            trouble = trouble or str(error)
    return tuple(found), trouble


def complete_arcs(drafts: tuple[ArcDraft, ...]) -> tuple[NecroticArc, ...]:
    """The arcs that have their three points."""
    return tuple(arc for arc in (draft.complete() for draft in drafts) if arc is not None)


def _beside(slice_: NeighbourDraft, draft: ViewDraft, circle: Circle | None) -> SliceOutcome:
    plane = slice_.on.plane.plane()
    missing = ""
    if slice_.rim:
        fit, missing = fit_of(slice_.rim, plane)
        circle = fit.circle if fit is not None else None
    elif circle is not None and draft.on is not None:
        circle = _carried(circle, draft.on.plane.plane(), plane)
    arcs: tuple[Arc, ...] = ()
    if circle is not None:
        arcs, trouble = arcs_about(slice_.arcs, plane, circle)
        missing = missing or trouble
    if not slice_.arcs and not slice_.is_free:
        missing = missing or "mark the arc on the neighbouring slice, or say that it is free"
    entry = NeighbourSlice(slice_.on.image, slice_.on.plane, slice_.rim, complete_arcs(slice_.arcs))
    return SliceOutcome(entry, circle, arcs, missing)


def centre_of(circle: Circle | None, plane: ImagePlane) -> PatientPoints | None:
    """(1, 3) patient LPS mm: the centre of a circle on a plane; None without a circle."""
    if circle is None:
        return None
    return plane.plane_to_patient(PlanePoints(np.array([circle.centre_mm])))


def _carried(circle: Circle, plane: ImagePlane, other: ImagePlane) -> Circle:
    """A circle on a parallel slice: the same radius about the same centre."""
    centre = plane.plane_to_patient(PlanePoints(np.array([circle.centre_mm])))
    u, v = other.patient_to_plane(centre)[0].tolist()
    return Circle((u, v), circle.radius_mm)


def _lacking(arc: ArcDraft) -> str:
    there = {role for role, _ in arc.marks}
    return "mark " + next(text for role, text in _PARTS.items() if role not in there)


LEAST_OUTLINE = 3
"""So many points make an outline."""


@dataclass(frozen=True, slots=True)
class ViewOutcome:
    """What one view says so far.

    Attributes
    ----------
    entry
        The view as it would stand in a saved reading.
    measurement
        Its measurement, once it is complete; None before, and where it was not read.
    plane, circle, arcs
        The marked plane, the head circle and the arcs, in plane mm: as measured, and before the
        view is complete the circle of its rim and the arcs about it.
    missing
        What is to be done before the view is complete; empty once it is.
    rim_span_deg, rim_rms_mm
        How far its rim marks reach round, and how closely they follow the circle, while they give
        one.
    """

    view: View
    entry: Entry
    measurement: ViewMeasurement | None = None
    plane: ImagePlane | None = None
    circle: Circle | None = None
    arcs: tuple[Arc, ...] = ()
    beside: tuple[SliceOutcome, ...] = ()
    missing: str = ""
    rim_span_deg: float | None = None
    rim_rms_mm: float | None = None

    @property
    def left_unread(self) -> UnreadReason | None:
        """Why it was decided not to read it; None where it is read, or nothing is decided yet."""
        return (
            self.entry.reason if isinstance(self.entry, UnreadView) and not self.missing else None
        )

    @property
    def head_centre(self) -> PatientPoints | None:
        """(1, 3) patient LPS mm: the centre of its head circle; None before it has one."""
        return None if self.plane is None else centre_of(self.circle, self.plane)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the hip says so far.

    ``hip``: the measurement of what is complete.
    ``heads``: the measurement of the two head circles alone, arcs or not: what the views say of
    each other before they are complete. None without both circles.
    """

    views: tuple[ViewOutcome, ViewOutcome]
    hip: HipMeasurement
    heads: HipMeasurement | None = None

    def view(self, view: View) -> ViewOutcome:
        """One of its two views."""
        return self.views[0] if view is self.views[0].view else self.views[1]

    def other(self, view: View) -> View:
        """The view that is read beside one."""
        first, second = self.views
        return second.view if view is first.view else first.view

    @property
    def entries(self) -> tuple[Entry, Entry]:
        """Both views as they would stand in a saved reading."""
        return self.views[0].entry, self.views[1].entry

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing in either view."""
        return not any(view.missing for view in self.views)


def outcome_of(
    draft: ReadingDraft, views: tuple[ViewOutcome, ViewOutcome], measuring: Measuring = BY_IMAGE
) -> Outcome:
    """What a draft says so far, by the same measurement that re-measures its file.

    ``views``: what :func:`view_outcome` finds of each of its views.
    """
    found = _measured(draft, views, measuring)
    return replace(found, heads=found.hip if found.hip.judge else _heads(draft, views))


def view_outcome(draft: ViewDraft) -> ViewOutcome:
    """What one view holds so far, not measured yet: its circle and arcs, and what is missing.

    Marks that give no circle or arc are a text, not an error.
    """
    unread = UnreadView(draft.view, UnreadReason.NOT_DONE)
    if isinstance(draft.choice, UnreadReason):
        return ViewOutcome(draft.view, UnreadView(draft.view, draft.choice))
    if draft.on is None:
        return ViewOutcome(draft.view, unread, missing="not started")
    plane = draft.on.plane.plane()
    fit, missing = _fit(draft, plane)
    circle = fit.circle if fit is not None else None
    arcs: tuple[Arc, ...] = ()
    if circle is not None and draft.choice in (Finding.NECROSIS, None):
        arcs, trouble = arcs_about(draft.arcs, plane, circle)
        missing = missing or trouble
    others = beside(draft, circle)
    missing = missing or _undecided(draft)
    missing = missing or next((one.missing for one in others if one.missing), "")
    entry = unread if missing else _entry(draft, others)
    found = ViewOutcome(draft.view, entry, None, plane, circle, arcs, others, missing)
    if fit is None:
        return found
    return replace(found, rim_span_deg=fit.span_deg, rim_rms_mm=fit.rms_mm)


def _heads(draft: ReadingDraft, views: tuple[ViewOutcome, ViewOutcome]) -> HipMeasurement | None:
    """Measure the two rims as views without necrosis."""
    if any(view.circle is None for view in views):
        return None
    first, second = (
        _entry(
            structs.replace(
                one, finding=Finding.NO_NECROSIS, reason=None, neighbours=(), contour=()
            ),
            (),
        )
        for one in draft.views
    )
    try:
        return measure_draft(reading_of(draft, (first, second), datetime.now(UTC)))
    except GeometryError:
        return None


def _measured(
    draft: ReadingDraft, views: tuple[ViewOutcome, ViewOutcome], measuring: Measuring
) -> Outcome:
    """Measure what is complete; a view that the measurement refuses is not complete."""
    first, second = views
    reading = reading_of(draft, (first.entry, second.entry), datetime.now(UTC))
    try:
        hip = measuring.measure_draft(reading)
    except GeometryError as error:
        return _measured(draft, _without_refused(views, error), measuring)
    return Outcome((_as_measured(first, hip.a), _as_measured(second, hip.b)), hip)


def _as_measured(view: ViewOutcome, measured: ViewMeasurement | None) -> ViewOutcome:
    if measured is None:
        return view
    return replace(view, measurement=measured, circle=measured.circle, arcs=measured.arcs)


def _without_refused(
    views: tuple[ViewOutcome, ViewOutcome], error: GeometryError
) -> tuple[ViewOutcome, ViewOutcome]:
    """Take the refused view back to unfinished: the one the error names, else the last read."""
    first, second = views
    if not any(isinstance(view.entry, ReadView) for view in views):
        raise error
    named_first = error.place.startswith("$.views[0]")
    if isinstance(first.entry, ReadView) and (
        named_first or not isinstance(second.entry, ReadView)
    ):
        return _refused(first, error), second
    return first, _refused(second, error)


def _refused(view: ViewOutcome, error: GeometryError) -> ViewOutcome:
    unread = UnreadView(view.view, UnreadReason.NOT_DONE)
    return replace(view, entry=unread, missing=str(error))


def _fit(draft: ViewDraft, plane: ImagePlane) -> tuple[CircleFit | None, str]:
    optional = draft.choice not in (Finding.NECROSIS, None)
    if not draft.rim and optional:
        return None, ""
    return fit_of(draft.rim, plane)


def _undecided(draft: ViewDraft) -> str:
    if draft.choice is None:
        return "mark the necrotic arc, or choose what you found"
    if draft.choice is Finding.NECROSIS and not draft.arcs:
        return "mark one end of the necrotic arc"
    if 0 < len(draft.contour) < LEAST_OUTLINE:
        return "mark more points of the lesion's outline, or take them away"
    return ""


def _entry(draft: ViewDraft, others: tuple[SliceOutcome, ...]) -> ReadView:
    assert draft.on is not None  # noqa: S101
    assert isinstance(draft.choice, Finding)  # noqa: S101
    arcs = draft.arcs if draft.choice is Finding.NECROSIS else ()
    return ReadView(
        view=draft.view,
        finding=draft.choice,
        image=draft.on.image,
        plane=draft.on.plane,
        passport=draft.on.passport,
        rim=draft.rim,
        arcs=complete_arcs(arcs),
        observations=draft.observations,
        neighbours=tuple(one.entry for one in others),
        landmarks=draft.landmarks,
        contour=draft.contour,
    )
