"""What the analysis set says of a hip and of its visits: events, follow-up, state, change."""

from collections.abc import Iterator
from dataclasses import dataclass

from necroangle.analysis.courses import HipCourse
from necroangle.analysis.visits import AngleChange, HipVisit
from necroangle.entries import KINDS_OF_EVENT, NO_YES, Choice, CodeSet
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.protocol.dates import days_from
from necroangle.protocol.ending import VisitState
from necroangle.protocol.hips import event_that_counts
from necroangle.protocol.study import StudyProtocol

_WHEN = {
    "collapse": "the first after the index day, where there are several",
    "radiographic_failure": "the first after the index day, where there are several",
    "tha": "recorded, or shown by a reading, which then dates it",
    "lost": "of either hip of the patient",
    "death": "of either hip of the patient",
}
_STATES = CodeSet(
    (
        Choice(VisitState.OBSERVED, 1, "observed"),
        Choice(VisitState.MISSING, 2, "planned, nothing read nor entered"),
        Choice(VisitState.BEFORE_BASELINE, 3, "before the baseline"),
        Choice(VisitState.CENSORED_THA, 4, "after the hip was replaced"),
        Choice(VisitState.CENSORED_DEATH, 5, "after death"),
        Choice(VisitState.LOST, 6, "planned after the patient was lost, nothing there"),
    )
)
"""Codes are fixed for ever: a new state takes a new one."""


def _course_columns() -> Iterator[ExportColumn]:
    for event in KINDS_OF_EVENT:
        label = KINDS_OF_EVENT.label(event)
        label = label[:1].upper() + label[1:]
        yield ExportColumn(
            event,
            "whole",
            f"{label}: recorded",
            values=NO_YES.values,
            measure="nominal",
            meaning=f"whether it happened ({_WHEN[event]}); missing where no event is recorded at "
            "all, or not this kind by the study",
            source="event.event",
            level="hip",
        )
        yield ExportColumn(
            f"{event}_days",
            "real" if event == "tha" else "whole",
            f"{label}: days from baseline",
            "days",
            source="event.event_date",
            level="hip",
        )
    days = (
        ("last_seen_days", "Last visit: days from baseline", "the last visit that has a date"),
        ("follow_up_days", "Follow-up: days to the last contact", "a visit, or an event but loss"),
        ("observed_days", "Follow-up of the natural hip, days", "likewise, to the replacement"),
    )
    for name, label, meaning in days:
        kind = "whole" if name == "last_seen_days" else "real"
        yield ExportColumn(name, kind, label, "days", meaning=meaning, level="hip")  # type: ignore[arg-type]
    yield ExportColumn("treatments", "whole", "Number of treatments", level="hip")
    yield ExportColumn(
        "replaced_before",
        "whole",
        "Replaced at or before the index day: in no outcome",
        values=NO_YES.values,
        measure="nominal",
        level="hip",
    )


COURSE_COLUMNS = tuple(_course_columns())
"""Of each hip: whether and when each event came, how long it was seen, whether it counts."""


def course_values(
    course: HipCourse, protocol: StudyProtocol, *, has_events: bool
) -> list[Value | None]:
    """Values of :data:`COURSE_COLUMNS` for one hip.

    Where no event of any hip is recorded, events were not entered: not done, never 0. Likewise an
    event that the study does not record.
    """
    ending = course.ending
    ends: dict[str, tuple[bool, float | None]] = {
        "tha": (ending.has_tha, ending.tha_days),
        "death": (ending.has_death, ending.death_days),
        "lost": (ending.is_lost, ending.lost_days),
    }
    values: list[Value | None] = []
    for name in KINDS_OF_EVENT:
        event = event_that_counts(course.events, name, course.index_day)
        days = days_from(course.index_day, event.day if event else None)
        happened, when = ends.get(name, (event is not None, days))
        if happened:
            values += [1, when if name == "tha" or when is None else int(when)]
        elif has_events and name in protocol.events:
            values += [0, Missing.NOT_APPLICABLE]
        else:
            values += [None, None]
    dated = [int(one.days) for one in course.visits if one.was_attended and one.days is not None]
    contact = course.contact_days
    return [
        *values,
        max(dated, default=None),
        contact,
        course.observed_days,
        course.treated.treatments,
        int(course.had_tha_before),
    ]


def _visit_columns() -> Iterator[ExportColumn]:
    yield ExportColumn(
        "visit_state",
        "whole",
        "State of the visit",
        values=_STATES.values,
        measure="nominal",
        meaning="what a censored visit holds is of no natural hip, and does not leave",
        level="visit",
        can_miss=False,
        stem="state",
    )
    yield ExportColumn(
        "months",
        "real",
        "Months from baseline",
        "months",
        meaning="days / 30.4375; the nominal months where the visit has no date",
        level="visit",
    )
    yes = (
        ("is_baseline", "The hip's index visit", "visit"),
        ("in_window", "The date lies in the planned window", "visit"),
        ("stands_for_visit", "This reading stands for the hip visit", "reading"),
        ("is_consensus", "It unites two or more kept readings", "reading"),
    )
    for name, label, level in yes:
        yield ExportColumn(name, "whole", label, "", NO_YES.values, "nominal", level=level)  # type: ignore[arg-type]
    for name, (_, label, is_yes) in _CHANGES.items():
        yield ExportColumn(
            name,
            "whole" if is_yes else "real",
            label,
            "" if is_yes else "deg",
            NO_YES.values if is_yes else (),
            "nominal" if is_yes else "scale",
            meaning=f"{label}: this visit less the baseline",
            level="visit",
            stem="cna_change" if name == "cna_change_deg" else "",
        )
    yield ExportColumn(
        "visit_doubts", "text", "Doubts about the visit", measure="nominal", level="visit"
    )


_CHANGES = {
    "cna_change_deg": ("change_deg", "Change of the combined angle", False),
    "cna_change_se_deg": ("se_deg", "Change: standard error", False),
    "cna_change_low_deg": ("low_deg", "Change: lower 95 % bound", False),
    "cna_change_high_deg": ("high_deg", "Change: upper 95 % bound", False),
    "cna_change_mdc95_deg": ("mdc95_deg", "Smallest real change (MDC95)", False),
    "cna_decreased": ("decreased", "Decreased by more than the study's threshold", True),
    "cna_increased": ("increased", "Increased by more than the study's threshold", True),
    "cna_change_real": ("is_real", "Changed beyond MDC95", True),
}
"""Columns of a change: where they stand in it, label, and whether they say yes or no."""

VISIT_COLUMNS = tuple(_visit_columns())
"""Of each visit: its state and place in time, which reading stands for it, the angle's change."""


@dataclass(frozen=True)
class VisitLine:
    """A hip visit as one row sees it.

    Attributes
    ----------
    visit
        The visit in the analysis set; None where only readers read it who do not count.
    state
        Its state.
    is_chosen
        Whether the row's reading stands for the visit; None where the row has no reading.
    is_consensus
        Whether the row's reading counts as a consensus; None likewise.
    """

    visit: HipVisit | None
    state: VisitState
    is_chosen: bool | None
    is_consensus: bool | None


def visit_values(line: VisitLine) -> list[Value | None]:
    """Values of :data:`VISIT_COLUMNS` for one row."""
    one = line.visit
    change = one.change if one is not None and line.is_chosen else None
    return [
        _STATES.codes[line.state],
        None if one is None else one.months,
        None if one is None else int(one.is_baseline),
        None if one is None or one.in_window is None else int(one.in_window),
        None if line.is_chosen is None else int(line.is_chosen),
        None if line.is_consensus is None else int(line.is_consensus),
        *_change_values(change),
        " ".join(one.flags) if one is not None and one.flags else Missing.NOT_APPLICABLE,
    ]


def _change_values(change: AngleChange | None) -> Iterator[Value | None]:
    for place, _, is_yes in _CHANGES.values():
        value = None if change is None else getattr(change, place)
        if value is None:
            yield Missing.NOT_APPLICABLE
        else:
            yield int(value) if is_yes else value
