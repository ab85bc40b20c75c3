"""What a draft measures right now, and what is still missing: nothing here computes an angle."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from napari_necroangle.reading.draft import ReadingDraft, ViewDraft
from napari_necroangle.reading.record import Entry, reading_of
from napari_necroangle.reading.slices import (
    SliceOutcome,
    arcs_about,
    beside,
    circle_of,
    complete_arcs,
)
from necroangle.annotation import ReadView, UnreadView
from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle, ImagePlane
from necroangle.measurement import HipMeasurement, ViewMeasurement, measure
from necroangle.terms import Finding, UnreadReason, View

__all__ = ["Outcome", "ViewOutcome", "outcome_of", "view_outcome"]

LEAST_OUTLINE = 3
"""So many points make an outline."""


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
    beside
        Its neighbouring slices, in their order.
    missing
        What is to be done before the view is complete; empty once it is.
    """

    view: View
    entry: Entry
    measurement: ViewMeasurement | None = None
    plane: ImagePlane | None = None
    circle: Circle | None = None
    arcs: tuple[Arc, ...] = ()
    beside: tuple[SliceOutcome, ...] = ()
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
    heads
        The measurement of the two head circles alone, arcs or not: what the views say of each
        other before they are complete. None without both circles.
    """

    views: tuple[ViewOutcome, ViewOutcome]
    hip: HipMeasurement
    heads: HipMeasurement | None = None

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
    found = _measured(draft, (first, second))
    return replace(found, heads=found.hip if found.hip.judge else _heads(draft, (first, second)))


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
        arcs, trouble = arcs_about(draft.arcs, plane, circle)
        missing = missing or trouble
    others = beside(draft, circle)
    missing = missing or _undecided(draft)
    missing = missing or next((one.missing for one in others if one.missing), "")
    entry = unread if missing else _entry(draft, others)
    return ViewOutcome(draft.view, entry, None, plane, circle, arcs, others, missing)


def _heads(draft: ReadingDraft, views: tuple[ViewOutcome, ViewOutcome]) -> HipMeasurement | None:
    """Measure the two rims as views without necrosis."""
    if any(view.circle is None for view in views):
        return None
    first, second = (
        _entry(replace(one, choice=Finding.NO_NECROSIS, neighbours=(), contour=()), ())
        for one in draft.views
    )
    try:
        return measure(reading_of(draft, (first, second), datetime.now(UTC)))
    except GeometryError:
        return None


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
    optional = draft.choice not in (Finding.NECROSIS, None)
    if not draft.rim and optional:
        return None, ""
    return circle_of(draft.rim, plane)


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
