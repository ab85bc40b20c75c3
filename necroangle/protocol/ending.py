"""When a hip ceased to be observed: replaced, patient dead, or lost.

After a hip replacement there is no head to measure: angles, stages and scores of later visits are
left out and nothing is carried forward to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from necroangle.analysis.records import EventFacts

__all__ = ["Ending", "VisitState", "ending_of"]


class VisitState(StrEnum):
    """What a hip's visit is."""

    OBSERVED = "observed"
    MISSING = "missing"
    """Planned, and nothing was entered nor read."""
    BEFORE_BASELINE = "before_baseline"
    CENSORED_THA = "censored_tha"
    CENSORED_DEATH = "censored_death"
    LOST = "lost"
    """Planned after the patient was lost, and nothing is there."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The events that end the observation of a hip, in days from its index date.

    Attributes
    ----------
    has_tha, has_death, is_lost
        Whether the event is recorded (a prosthesis in a reading is one).
    tha_days, death_days, lost_days
        When; None where there is no date.
    tha_day
        Date of the replacement, for visits of a hip without index date.
    """

    has_tha: bool = False
    has_death: bool = False
    is_lost: bool = False
    tha_days: float | None = None
    death_days: float | None = None
    lost_days: float | None = None
    tha_day: date | None = None

    def state(
        self, days: float | None, day: date | None, *, has_data: bool, has_angle: bool
    ) -> VisitState:
        """State of a visit.

        On the day of the replacement itself a measured angle is of the natural head and counts;
        without one, the visit is taken as after it.

        Parameters
        ----------
        days, day
            The visit's day from the index date, nominal where it has no date; and its date.
        has_data, has_angle
            Whether anything was entered or read, and whether there is a combined angle.

        Examples
        --------
        >>> ending = Ending(has_tha=True, tha_days=700.0)
        >>> ending.state(730.0, None, has_data=True, has_angle=True).value
        'censored_tha'
        >>> ending.state(365.0, None, has_data=False, has_angle=False).value
        'missing'
        """
        if self._is_after_tha(days, day, has_angle):
            return VisitState.CENSORED_THA
        if _is_after(days, self.death_days):
            return VisitState.CENSORED_DEATH
        if has_data:
            return VisitState.OBSERVED
        return VisitState.LOST if _is_after(days, self.lost_days) else VisitState.MISSING

    def _is_after_tha(self, days: float | None, day: date | None, has_angle: bool) -> bool:
        if day is not None and self.tha_day is not None:
            return day > self.tha_day or (day == self.tha_day and not has_angle)
        return _is_after(days, self.tha_days)


def _is_after(days: float | None, event_days: float | None) -> bool:
    return days is not None and event_days is not None and days > event_days


def ending_of(
    events: Iterable[EventFacts], index_day: date | None, prosthesis_days: float | None
) -> Ending:
    """The ending of a hip from its events; the earliest counts of several of one kind.

    Parameters
    ----------
    events
        As recorded.
    index_day
        Index date of the hip.
    prosthesis_days
        Day from the index date of the first reading that shows a prosthesis, or None. It dates a
        replacement that has no date of its own.

    Examples
    --------
    >>> events = [EventFacts("tha", date(2023, 1, 31)), EventFacts("tha", date(2022, 1, 31))]
    >>> ending_of(events, date(2021, 1, 31), None).tha_days
    365.0
    """
    happened = list(events)

    def first(name: str) -> tuple[bool, date | None, float | None]:
        own = [event.day for event in happened if event.event == name]
        dated = sorted(day for day in own if day is not None)
        day = dated[0] if dated else None
        days = float((day - index_day).days) if day and index_day else None
        return bool(own), day, days

    has_tha, tha_day, tha_days = first("tha")
    has_death, _, death_days = first("death")
    is_lost, _, lost_days = first("lost")
    if prosthesis_days is not None:
        has_tha = True
        if tha_day is None:  # censored from that visit on, which itself has no angle
            tha_days = prosthesis_days
    return Ending(has_tha, has_death, is_lost, tha_days, death_days, lost_days, tha_day)
