"""What a draft measures right now, and what is still missing: nothing here computes an angle."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from napari_necroangle._draft import ArcDraft, ReadingDraft, Role, ViewDraft
from napari_necroangle._record import Entry, reading_of
from necroangle.annotation import ReadView, UnreadView
from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle, ImagePlane
from necroangle.measurement import (
    HipMeasurement,
    ViewMeasurement,
    head_circle,
    measure,
    view_arcs,
)
from necroangle.terms import Finding, UnreadReason, View

__all__ = ["Outcome", "ViewOutcome", "outcome_of", "view_outcome"]

NEEDED_RIM_MARKS = 3

_PARTS = {
    Role.START: "one end of the arc",
    Role.END: "the other end of the arc",
    Role.VIA: "a point between them on the dead side",
}


@dataclass(frozen=True, slots=True)
class ViewOutcome:
    """What one view says so far.

    Attributes
    ----------
    view
        Which view.
    entry
        The view as it would stand in a saved reading.
    measurement
        Its measurement, once it is complete; None before, and where it was not read.
    plane, circle, arcs
        The marked plane, the head circle and the arcs, in plane mm: as measured, and before the
        view is complete the circle of its rim and the arcs about it.
    missing
        What is to be done before the view is complete; empty once it is.
    """

    view: View
    entry: Entry
    measurement: ViewMeasurement | None = None
    plane: ImagePlane | None = None
    circle: Circle | None = None
    arcs: tuple[Arc, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the hip says so far.

    Attributes
    ----------
    views
        The A view and the B view.
    hip
        The measurement of what is complete.
    """

    views: tuple[ViewOutcome, ViewOutcome]
    hip: HipMeasurement

    def view(self, view: View) -> ViewOutcome:
        """One of its two views."""
        return self.views[0] if view is self.views[0].view else self.views[1]

    @property
    def entries(self) -> tuple[Entry, Entry]:
        """Both views as they would stand in a saved reading."""
        return self.views[0].entry, self.views[1].entry

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing in either view."""
        return not any(view.missing for view in self.views)


def outcome_of(draft: ReadingDraft) -> Outcome:
    """What a draft says so far, by the same measurement that re-measures its file."""
    first, second = (view_outcome(view) for view in draft.views)
    return _measured(draft, (first, second))


def view_outcome(draft: ViewDraft) -> ViewOutcome:
    """What one view holds so far; marks that give no circle or arc are a text, not an error."""
    unread = UnreadView(draft.view, UnreadReason.NOT_DONE)
    if isinstance(draft.choice, UnreadReason):
        return ViewOutcome(draft.view, UnreadView(draft.view, draft.choice))
    if draft.on is None:
        return ViewOutcome(draft.view, unread, missing="not started")
    plane = draft.on.plane.plane()
    circle, missing = _circle(draft, plane)
    arcs: tuple[Arc, ...] = ()
    if circle is not None and draft.choice in (Finding.NECROSIS, None):
        arcs, trouble = _arcs(draft, plane, circle)
        missing = missing or trouble
    missing = missing or _undecided(draft)
    entry = unread if missing else _entry(draft)
    return ViewOutcome(draft.view, entry, None, plane, circle, arcs, missing)


def _measured(draft: ReadingDraft, views: tuple[ViewOutcome, ViewOutcome]) -> Outcome:
    """Measure what is complete; a view that the measurement refuses is not complete."""
    first, second = views
    reading = reading_of(draft, (first.entry, second.entry), datetime.now(UTC))
    try:
        hip = measure(reading)
    except GeometryError as error:
        return _measured(draft, _without_refused(views, error))
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


def _circle(draft: ViewDraft, plane: ImagePlane) -> tuple[Circle | None, str]:
    count = len(draft.rim)
    optional = draft.choice not in (Finding.NECROSIS, None)
    if count == 0 and optional:
        return None, ""
    if count < NEEDED_RIM_MARKS:
        more = NEEDED_RIM_MARKS - count
        return None, f"mark {more} more rim point{'s' if more > 1 else ''}"
    try:
        return head_circle(draft.rim, plane).circle, ""
    except GeometryError as error:
        return None, str(error)


def _arcs(draft: ViewDraft, plane: ImagePlane, circle: Circle) -> tuple[tuple[Arc, ...], str]:
    found: list[Arc] = []
    trouble = ""
    for arc in draft.arcs:
        complete = arc.complete()
        if complete is None:
            trouble = trouble or _lacking(arc)
            continue
        try:
            found.extend(view_arcs((complete,), plane, circle))
        except GeometryError as error:
            trouble = trouble or str(error)
    return tuple(found), trouble


def _lacking(arc: ArcDraft) -> str:
    there = {role for role, _ in arc.marks}
    return "mark " + next(text for role, text in _PARTS.items() if role not in there)


def _undecided(draft: ViewDraft) -> str:
    if draft.choice is None:
        return "mark the necrotic arc, or choose what you found"
    if draft.choice is Finding.NECROSIS and not draft.arcs:
        return "mark one end of the necrotic arc"
    return ""


def _entry(draft: ViewDraft) -> ReadView:
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
        arcs=tuple(arc for arc in (part.complete() for part in arcs) if arc is not None),
        observations=draft.observations,
        neighbours=draft.neighbours,
        landmarks=draft.landmarks,
        contour=draft.contour,
    )
