"""When a hip ceased to be observed: replaced, patient dead, or lost.

After a hip replacement there is no head to measure: angles, stages and scores of later visits are
left out and nothing is carried forward to them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from necroangle.protocol.dates import days_from
from necroangle.protocol.hips import HipEvent, event_that_counts


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

    @property
    def is_censored(self) -> bool:
        """Whether what the visit holds is none of the natural hip of a living patient."""
        return self in (VisitState.CENSORED_THA, VisitState.CENSORED_DEATH)


@dataclass(frozen=True, slots=True)
class Ending:
    """The events that end the observation of a hip, in days from its index date.

    Attributes
    ----------
    has_tha, has_death, is_lost
        Whether the event is recorded (a prosthesis in a reading is one).
    tha_days, death_days, lost_days
        When; None where there is no date.
    tha_day, death_day
        The dates, for visits of a hip without index date.
    """

    has_tha: bool = False
    has_death: bool = False
    is_lost: bool = False
    tha_days: float | None = None
    death_days: float | None = None
    lost_days: float | None = None
    tha_day: date | None = None
    death_day: date | None = None


def ending_of(
    events: Iterable[HipEvent], index_day: date | None, shown: Sequence[float | None] = ()
) -> Ending:
    """The ending of a hip from its events; the earliest counts of several of one kind.

    Parameters
    ----------
    events
        As recorded, deaths and losses of the patient among them.
    index_day
        Index date of the hip.
    shown
        Place in days, where it is known, of each visit whose reading shows a prosthesis. The first
        of them dates a replacement that has no date of its own.

    Examples
    --------
    >>> events = [HipEvent("tha", date(2023, 1, 31)), HipEvent("tha", date(2022, 1, 31))]
    >>> ending_of(events, date(2021, 1, 31)).tha_days
    365.0
    """
    happened = list(events)
    tha, death, lost = (
        event_that_counts(happened, name, index_day) for name in ("tha", "death", "lost")
    )
    tha_days, death_days, lost_days = (_days(index_day, event) for event in (tha, death, lost))
    tha_day = tha.day if tha else None
    seen = [place for place in shown if place is not None]
    return Ending(
        has_tha=tha is not None or bool(shown),
        has_death=death is not None,
        is_lost=lost is not None,
        # without its own date it censors from the visit on that shows it, which has no angle
        tha_days=min(seen) if seen and tha_day is None else tha_days,
        death_days=death_days,
        lost_days=lost_days,
        tha_day=tha_day,
        death_day=death.day if death else None,
    )


def state_at(
    ending: Ending, days: float | None, day: date | None, *, has_data: bool, has_angle: bool
) -> VisitState:
    """State of a visit.

    On the day of the replacement itself a measured angle is of the natural head and counts;
    without one, the visit is taken as after it.

    Parameters
    ----------
    ending
        What ended the observation of the hip.
    days, day
        The visit's day from the index date, nominal where it has no date; and its date.
    has_data, has_angle
        Whether anything was entered or read, and whether there is a combined angle.

    Examples
    --------
    >>> ending = Ending(has_tha=True, tha_days=700.0)
    >>> state_at(ending, 730.0, None, has_data=True, has_angle=True).value
    'censored_tha'
    >>> state_at(ending, 365.0, None, has_data=False, has_angle=False).value
    'missing'
    """
    if day is not None and ending.tha_day is not None:
        if day > ending.tha_day or (day == ending.tha_day and not has_angle):
            return VisitState.CENSORED_THA
    elif is_after(days, ending.tha_days):
        return VisitState.CENSORED_THA
    if day is not None and ending.death_day is not None:
        if day > ending.death_day:
            return VisitState.CENSORED_DEATH
    elif is_after(days, ending.death_days):
        return VisitState.CENSORED_DEATH
    if has_data:
        return VisitState.OBSERVED
    return VisitState.LOST if is_after(days, ending.lost_days) else VisitState.MISSING


def is_after(days: float | None, event_days: float | None) -> bool:
    """Whether a day lies after that of an event; not where one of them is not known."""
    return days is not None and event_days is not None and days > event_days


def _days(index_day: date | None, event: HipEvent | None) -> float | None:
    days = days_from(index_day, event.day if event else None)
    return None if days is None else float(days)
