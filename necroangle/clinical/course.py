"""The course of one hip in time: dates in order, windows, nothing after death, THA once.

Messages tell days as differences and never a date itself.
"""

from collections.abc import Iterator
from datetime import date

from necroangle.clinical.issue import Issue
from necroangle.clinical.state import Hip, State, Values, day_of, index_day
from necroangle.protocol.study import StudyProtocol

__all__ = ["check_course"]

_STAGES = ("arco", "jic", "ficat")
_DATED = (
    ("visit", "visit_date"),
    ("treatment", "treatment_date"),
    ("hip", "treatment_date"),
    ("event", "event_date"),
)


def check_course(
    state: State, hip: Hip, protocol: StudyProtocol | None, today: date
) -> Iterator[Issue]:
    """What the dated records of a hip contradict.

    Parameters
    ----------
    state
        Records, of this subject at least.
    hip
        Subject and laterality.
    protocol
        The study's, where there is one: its visits and windows.
    today
        Later dates are doubted.

    Examples
    --------
    >>> state = State(
    ...     {
    ...         ("event", ("S01", "L", "death", "1")): {"event_date": "2021-01-01"},
    ...         ("visit", ("S01", "L", "m24")): {"visit_date": "2021-02-01"},
    ...     }
    ... )
    >>> for issue in check_course(state, ("S01", "L"), None, date(2026, 1, 1)):
    ...     print(issue.message)
    31 days after the subject's death
    """
    yield from _check_future(state, hip, today)
    yield from _check_replacement(state, hip)
    yield from _check_death(state, hip)
    yield from _check_lost(state, hip)
    if protocol is not None:
        yield from _check_windows(state, hip, protocol)
        yield from _check_order(state, hip, protocol)
    yield from _check_treatment(state, hip)


def _dated(state: State, hip: Hip) -> Iterator[tuple[str, tuple[str, ...], str, date]]:
    """Kind, key, field and day of every dated record of a hip."""
    for kind, name in _DATED:
        for key, values in state.of(kind, hip):
            day = day_of(values, name)
            if day is not None:
                yield kind, key, name, day


def _event_days(state: State, prefix: tuple[str, ...], event: str) -> dict[tuple[str, ...], date]:
    return {
        key: day
        for key, values in state.of("event", prefix)
        if key[2] == event and (day := day_of(values, "event_date")) is not None
    }


def _check_future(state: State, hip: Hip, today: date) -> Iterator[Issue]:
    for kind, key, name, day in _dated(state, hip):
        if day > today:
            message = f"{(day - today).days} days in the future"
            yield Issue(kind, key, name, message, is_fatal=False)


def _check_replacement(state: State, hip: Hip) -> Iterator[Issue]:
    """A hip is replaced once; what comes after is censored."""
    events = [key for key, _ in state.of("event", hip) if key[2] == "tha"]
    for key in events[1:]:
        yield Issue("event", key, "event", "this hip has a total hip arthroplasty already")
    days = _event_days(state, hip, "tha")
    if not days:
        return
    replaced = min(days.values())
    for kind, key, name, day in _dated(state, hip):
        if day <= replaced or (kind == "event" and key[2] in {"tha", "lost", "death"}):
            continue
        message = f"{(day - replaced).days} days after the hip was replaced"
        if kind == "visit":
            message += ": angle and stage are censored, scores are kept"
            given = [stage for stage in _STAGES if state.one("visit", key).get(stage) is not None]
            message += f" ({', '.join(given)} given)" if given else ""
        yield Issue(kind, key, name, message, is_fatal=False)


def _check_death(state: State, hip: Hip) -> Iterator[Issue]:
    """Nothing after death; one death for both hips."""
    days = _event_days(state, hip[:1], "death")
    if not days:
        return
    died = min(days.values())
    for key, day in days.items():
        if day != died and key[:2] == hip:
            yield Issue("event", key, "event_date", "another day of death stands there already")
    for kind, key, name, day in _dated(state, hip):
        if day > died and not (kind == "event" and key[2] == "death"):
            yield Issue(kind, key, name, f"{(day - died).days} days after the subject's death")


def _check_lost(state: State, hip: Hip) -> Iterator[Issue]:
    days = _event_days(state, hip, "lost")
    if not days:
        return
    lost = max(days.values())
    for key, values in state.of("visit", hip):
        day = day_of(values, "visit_date")
        if day is not None and day > lost:
            message = f"{(day - lost).days} days after the hip was lost to follow-up"
            yield Issue("visit", key, "visit_date", message, is_fatal=False)


def _check_windows(state: State, hip: Hip, protocol: StudyProtocol) -> Iterator[Issue]:
    start = index_day(state, hip, protocol)
    for key, values in state.of("visit", hip):
        visit, day = protocol.visit(key[2]), day_of(values, "visit_date")
        if start is None or visit is None or day is None or visit.window_days is None:
            continue
        if not visit.holds((day - start).days):
            first, last = visit.window_days
            message = (
                f"day {(day - start).days} from the index date; the window of {visit.name} is "
                f"day {first} to {last}"
            )
            yield Issue("visit", key, "visit_date", message, is_fatal=False)


def _check_order(state: State, hip: Hip, protocol: StudyProtocol) -> Iterator[Issue]:
    """Visits with more months have later days."""
    latest: tuple[str, date] | None = None
    for visit in protocol.visits:
        key = (*hip, visit.name)
        day = day_of(state.one("visit", key), "visit_date")
        if day is None:
            continue
        if latest is not None and day <= latest[1]:
            message = f"not later than visit {latest[0]}"
            yield Issue("visit", key, "visit_date", message, is_fatal=False)
        if latest is None or day > latest[1]:
            latest = visit.name, day


def _check_treatment(state: State, hip: Hip) -> Iterator[Issue]:
    """The hip's day of treatment is that of one of its treatments."""
    day = day_of(state.one("hip", hip), "treatment_date")
    treatments: list[tuple[tuple[str, ...], Values]] = list(state.of("treatment", hip))
    days = {day_of(values, "treatment_date") for _, values in treatments} - {None}
    if day is not None and days and day not in days:
        message = "the hip's day of treatment is that of none of its treatments"
        yield Issue("hip", hip, "treatment_date", message, is_fatal=False)
