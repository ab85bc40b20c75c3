"""What became of a hip: events, and how long it was seen."""

from collections.abc import Iterator
from datetime import date

from necroangle.entries import KINDS_OF_EVENT, NO_YES
from necroangle.export.clinical import ClinicalIndex, day_of
from necroangle.export.columns import ExportColumn, Missing, Value

__all__ = ["FOLLOW_UP_COLUMNS", "days_between", "follow_up_values"]


def _columns() -> Iterator[ExportColumn]:
    for event in KINDS_OF_EVENT:
        label = KINDS_OF_EVENT.label(event)
        label = label[:1].upper() + label[1:]
        yield ExportColumn(
            event,
            "whole",
            f"{label}: recorded",
            values=NO_YES.values,
            measure="nominal",
            meaning="whether the event is recorded; missing where the study has no events at all",
            source="event.event",
            level="hip",
        )
        yield ExportColumn(
            f"{event}_days",
            "whole",
            f"{label}: days from baseline",
            "days",
            source="event.event_date",
            level="hip",
        )
    yield ExportColumn(
        "last_seen_days",
        "whole",
        "Last visit: days from baseline",
        "days",
        meaning="from baseline to the last visit of the hip that has a date",
        source="visit.visit_date",
        level="hip",
    )


FOLLOW_UP_COLUMNS = tuple(_columns())
"""Whether and when each event came, and when the hip was last seen."""


def follow_up_values(
    index: ClinicalIndex, hip: tuple[str, str], baseline: date | None, last: date | None
) -> list[Value | None]:
    """Values of :data:`FOLLOW_UP_COLUMNS` for one hip.

    Where no event of any hip is recorded, events were not entered: not done, never 0.
    """
    values: list[Value | None] = []
    for event in KINDS_OF_EVENT:
        row = index.event(*hip, event)
        if row is None:
            values += [0, Missing.NOT_APPLICABLE] if index.events else [None, None]
        else:
            values += [1, days_between(baseline, day_of(row, "event_date"))]
    return [*values, days_between(baseline, last)]


def days_between(baseline: date | None, day: date | None) -> int | None:
    """Days from baseline to a day, None where one of them is not known."""
    return None if baseline is None or day is None else (day - baseline).days
