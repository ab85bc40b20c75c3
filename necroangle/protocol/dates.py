"""When: the nominal months of a visit, the day that a hip's days count from, the planned visits."""

import math
from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from necroangle.protocol.study import IndexDay, StudyProtocol
from necroangle.protocol.visits import Visit, months_of_name


def nominal_months(name: str, protocol: StudyProtocol) -> float | None:
    """Nominal months of a visit: as the study plans it, else as its name says; None: neither.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> nominal_months("yr2", NO_STUDY), nominal_months("late", NO_STUDY)
    (24.0, None)
    >>> planned = NO_STUDY.overridden({"visits": [{"name": "late", "months": 30}]})
    >>> nominal_months("late", planned)
    30.0
    """
    visit = protocol.visit(name)
    return months_of_name(name) if visit is None else visit.nominal_months


def with_visits(protocol: StudyProtocol, names: Iterable[str]) -> StudyProtocol:
    """The protocol with its visits and its index visit filled in.

    Where it plans none, the visits are those that are named, in order of the months that their
    names say, the others behind by name. The index visit is the stated one, else the first of
    month 0, else none.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> full = with_visits(NO_STUDY, ["m12", "late", "baseline", "2y"])
    >>> [(visit.name, visit.nominal_months) for visit in full.visits], full.index_visit
    ([('baseline', 0.0), ('m12', 12.0), ('2y', 24.0), ('late', None)], 'baseline')
    """
    visits = protocol.visits or tuple(
        sorted(
            (Visit(name, months_of_name(name)) for name in sorted(set(names))),
            key=lambda visit: _late(visit.nominal_months),
        )
    )
    first = next((visit.name for visit in visits if visit.nominal_months == 0), None)
    return replace(protocol, visits=visits, index_visit=protocol.index_visit or first)


def _late(months: float | None) -> float:
    return math.inf if months is None else months


def index_visit_of(own: str | None, protocol: StudyProtocol) -> str | None:
    """The visit that a hip's others are compared with: its own, else the study's."""
    return own or protocol.index_visit


def index_day(
    protocol: StudyProtocol,
    *,
    treatment: date | None = None,
    index_date: date | None = None,
    visit: date | None = None,
) -> date | None:
    """The day that the days and months of a hip count from: the first that is known.

    Parameters
    ----------
    protocol
        Its ``index_day`` says the order.
    treatment
        The hip's day of treatment, else that of its first treatment.
    index_date
        Its patient's index date.
    visit
        The day of its index visit.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> days = {"treatment": None, "index_date": date(2020, 1, 2), "visit": date(2020, 1, 9)}
    >>> index_day(NO_STUDY, **days)
    datetime.date(2020, 1, 2)
    >>> index_day(NO_STUDY.overridden({"index_day": ["visit"]}), **days)
    datetime.date(2020, 1, 9)
    """
    known: dict[IndexDay, date | None] = {
        "treatment": treatment,
        "index_date": index_date,
        "visit": visit,
    }
    return next((day for name in protocol.index_day if (day := known[name]) is not None), None)


def days_from(index: date | None, day: date | None) -> int | None:
    """Days from the index day; None where one of the two is not known."""
    return None if index is None or day is None else (day - index).days
