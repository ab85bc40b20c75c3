"""Where a reader stands: every case on the list with its status, and the one that comes next."""

import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from necroangle.annotation import Conduct, HipReading
from necroangle.errors import ReadingError
from necroangle.readerstudy.order import ListedCase, reading_list
from necroangle.readerstudy.worklist import Worklist, worklist_id
from necroangle.terms import Laterality

_Key = tuple[str, Laterality, str, int]


class Status(StrEnum):
    """What can be done with a case."""

    OPEN = "open"
    """It can be read."""
    SUBMITTED = "submitted"
    """It has been read; reopening it needs a reason."""
    LOCKED = "locked"
    """It belongs to the second session, which has not begun."""
    MISSING = "missing"
    """It was submitted, but its file is gone; it comes back from the history."""


@dataclass(frozen=True, slots=True)
class CaseItem:
    """A case of a reader's list.

    Attributes
    ----------
    listed
        Its place, its code and what it is.
    status
        What can be done with it.
    opens_on
        When a locked case opens; None where the first session is not complete, and for others.
    is_begun
        Whether something is saved that was not submitted.
    revision
        Number of the version in its file, 0 without one.
    """

    listed: ListedCase
    status: Status
    opens_on: date | None = None
    is_begun: bool = False
    revision: int = 0

    @property
    def words(self) -> str:
        """The status in plain words."""
        if self.status is Status.LOCKED:
            return f"opens on {self.opens_on}" if self.opens_on else "opens after the first session"
        if self.status is Status.OPEN:
            return "reopened" if self.revision > 1 else "begun" if self.is_begun else "to read"
        return "submitted" if self.status is Status.SUBMITTED else "its file is gone"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reader has come.

    Attributes
    ----------
    total, submitted, to_read, locked, missing
        Numbers of cases.
    opens_on
        When the second session opens; None where that is not known or it is open.
    """

    total: int
    submitted: int
    to_read: int
    locked: int
    missing: int
    opens_on: date | None

    @property
    def fraction(self) -> float:
        """0 at the start, 1 at the end."""
        return self.submitted / self.total


def case_list(
    worklist: Worklist,
    reader: str,
    today: date,
    readings: Iterable[HipReading],
    submitted_before: Iterable[HipReading] = (),
) -> tuple[CaseItem, ...]:
    """Every case of a reader's list with its status.

    Parameters
    ----------
    worklist, reader
        The study, and who reads.
    today
        Today in UTC. The second session opens ``washout_days`` after the day on which the last
        case of the first was submitted. A clock that is set back opens nothing earlier.
    readings
        Saved readings; those of others are not looked at.
    submitted_before
        Versions from the reader's history: a case that stands there and not among the readings
        is missing.

    Raises
    ------
    ReadingError
        If readings were made on another worklist, or two claim one place with the same revision.
    """
    own = _own(worklist, reader, readings)
    known = _own(worklist, reader, submitted_before).keys()
    listed = reading_list(worklist, reader)
    opens_on = _second_session(worklist, listed, own)
    return tuple(_item(one, own, known, opens_on, today) for one in listed)


def progress_of(items: Iterable[CaseItem]) -> Progress:
    """How far a reader has come."""
    found = tuple(items)
    counts = {status: sum(item.status is status for item in found) for status in Status}
    dates = [item.opens_on for item in found if item.opens_on is not None]
    return Progress(
        total=len(found),
        submitted=counts[Status.SUBMITTED],
        to_read=counts[Status.OPEN],
        locked=counts[Status.LOCKED],
        missing=counts[Status.MISSING],
        opens_on=min(dates, default=None),
    )


def next_case(items: Iterable[CaseItem], after: int = 0) -> CaseItem | None:
    """The next case to read: the first behind a place of the list, else the first of all.

    Parameters
    ----------
    items
        The list.
    after
        ``read_order`` of the case that was just read; 0 at the start.
    """
    to_read = [item for item in items if item.status is Status.OPEN]
    behind = (item for item in to_read if item.listed.read_order > after)
    return next(behind, to_read[0] if to_read else None)


def conduct_of(
    worklist: Worklist, listed: ListedCase, duration_s: float | None, *, submitted: bool = False
) -> Conduct:
    """How a reading of a listed case is conducted, as its file says it.

    Parameters
    ----------
    worklist, listed
        The study and the case.
    duration_s
        Active reading time.
    submitted
        Whether it is final.
    """
    return Conduct(
        worklist=worklist_id(worklist),
        read_order=listed.read_order,
        blinded=worklist.blinded,
        duration_s=None if duration_s is None else round(float(duration_s), 1),
        submitted=submitted,
    )


def clock_doubt(readings: Iterable[HipReading], today: date) -> str:
    """What speaks against the computer's clock; empty where nothing does.

    Examples
    --------
    >>> clock_doubt([], date(2026, 1, 31))
    ''
    """
    latest = max((_saved_on(reading) for reading in readings), default=today)
    if latest <= today:
        return ""
    return (
        f"this computer's clock says {today}, but a reading was saved on {latest}: set the clock "
        "right, or the second session opens on a wrong day"
    )


def _own(worklist: Worklist, reader: str, readings: Iterable[HipReading]) -> dict[_Key, HipReading]:
    """The reader's own on this worklist by their key, the latest revision of each."""
    name = worklist_id(worklist)
    found: dict[_Key, HipReading] = {}
    for reading in readings:
        if reading.reader != reader or reading.conduct.worklist is None:
            continue
        if reading.conduct.worklist != name:
            raise ReadingError(
                f"the reading {reading.key} was made on another worklist or before this one was "
                "edited; put the worklist back as it was, or give this study a folder of its own"
            )
        other = found.get(_key(reading))
        if other is not None and other != reading:
            if other.revision.number == reading.revision.number:
                raise ReadingError(
                    f"two different files claim to be the reading {reading.key}; move one away"
                )
            reading = max(other, reading, key=lambda one: one.revision.number)
        found[_key(reading)] = reading
    return found


def _second_session(
    worklist: Worklist, listed: Iterable[ListedCase], own: dict[_Key, HipReading]
) -> date | None:
    """When it opens; None before the first session is complete."""
    first = [own.get((*one.case.key, one.read_no)) for one in listed if one.session == 1]
    done = [reading for reading in first if reading is not None and reading.conduct.submitted]
    if len(done) < len(first):
        return None
    last = max(map(_saved_on, done))
    return last + min(timedelta(days=worklist.washout_days), date.max - last)


def _item(
    listed: ListedCase,
    own: dict[_Key, HipReading],
    known: Container[_Key],
    opens_on: date | None,
    today: date,
) -> CaseItem:
    key = (*listed.case.key, listed.read_no)
    reading = own.get(key)
    if reading is not None:
        status = Status.SUBMITTED if reading.conduct.submitted else Status.OPEN
        begun = not reading.conduct.submitted
        return CaseItem(listed, status, is_begun=begun, revision=reading.revision.number)
    if key in known:
        return CaseItem(listed, Status.MISSING)
    if listed.session == 2 and (opens_on is None or today < opens_on):
        return CaseItem(listed, Status.LOCKED, opens_on)
    return CaseItem(listed, Status.OPEN)


def _key(reading: HipReading) -> _Key:
    return (reading.subject, reading.laterality, reading.visit, reading.read_no)


def _saved_on(reading: HipReading) -> date:
    try:
        return date.fromisoformat(reading.saved_at[:10])
    except ValueError as error:
        raise ReadingError(
            f"saved_at of the reading {reading.key} is no date: {reading.saved_at}",
            place="$.saved_at",
        ) from error


class ReadingClock:
    """Counts active time: the time between two acts, unless it is longer than a pause.

    Of a gap longer than the idle limit nothing counts. The time is taken from a clock that is
    never set back.

    Parameters
    ----------
    idle_limit_s
        The longest gap that counts.
    start_s
        What was counted before, when a case is taken up again.
    now
        The clock, seconds.

    Examples
    --------
    >>> moments = iter([0.0, 10.0, 500.0, 520.0])
    >>> clock = ReadingClock(idle_limit_s=60, now=lambda: next(moments))
    >>> for _ in range(4):  # at 0, 10, 500 and 520 s: 10 + 20, the pause of 490 s left out
    ...     clock.act()
    >>> clock.seconds
    30.0
    """

    def __init__(
        self,
        idle_limit_s: float = 60.0,
        start_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_limit_s = idle_limit_s
        self._now = now
        self._last: float | None = None
        self.seconds = start_s

    def act(self) -> None:
        """Note that the reader did something: a mark, a key, another slice."""
        now = self._now()
        gap = 0.0 if self._last is None else now - self._last
        if 0.0 < gap <= self._idle_limit_s:
            self.seconds += gap
        self._last = now

    def stop(self) -> None:
        """Note that the reader left the case; what follows does not count until the next act."""
        self._last = None
