"""What a verification can find in the database: the ledger against itself, the rows against it."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.anchors import AnchorCheck
from necroangle.ledger.chain import GENESIS, Link, broken_links, is_erased
from necroangle.ledger.erasure import ERASURE, erased_by
from necroangle.ledger.events import decode_payload, links
from necroangle.ledger.locking import LOCK, UNLOCKED_KINDS
from necroangle.ledger.measured import (
    COLUMNS_KIND,
    MEASUREMENT,
    READING_FILE,
    decode_row,
    encode_row,
    names_today,
    row_key_text,
)
from necroangle.ledger.records import OWN_KINDS, RESTORED, decode_key
from necroangle.ledger.schema import ALEMBIC, LEDGER, META, REVISION, ROWS, SCHEMA_VERSION, TAIL
from necroangle.ledger.shape import check_shape
from necroangle.measurement.columns import KEY, NAMES
from necroangle.measurement.plausibility_cohort import Misfit
from necroangle.measurement.row import Cell, RowKey
from necroangle.moments import is_before, utc_now

_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_FETCHED = 2000
_OF_RESTORED = ("events", "given_up")
SEALING = "sealing"
"""Kind of the event that tells what the ledger's end was before its events were sealed."""

_PLAIN = frozenset({str, int, float, type(None)})
_INFINITE = frozenset({inf, -inf})
_READING_PARTS = 5
_HASH_AT = NAMES.index("annotation_sha256")

_PARENTS = {
    "hip": ("subject", 1),
    "visit": ("hip", 2),
    "treatment": ("hip", 2),
    "event": ("hip", 2),
}
"""Kind of a clinical record, the kind that it belongs to, and how much of the key they share."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is not as it should be.

    Attributes
    ----------
    part
        ``"database"``, ``"anchor"``, ``"event"``, ``"row"``, ``"record"``, ``"reading"`` (a kept
        one) or ``"file"``.
    place
        Which one: the event's number, the row's key and column, the file's name.
    problem
        What was found and what to do.
    """

    part: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``part place: problem``."""
        return f"{self.part} {self.place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were looked at.

    Attributes
    ----------
    events, rows, records
        Events of the ledger, measured rows, current clinical records.
    contents, files
        Kept readings, and reading files in the folder.
    recomputed
        Rows whose angles were measured again from their marks.
    without_marks
        Rows that were changed from outside, or whose marks are neither kept nor in the folder:
        their angles stand unproven.
    anchors
        Anchors that the chain was held against.
    erased
        Events of which nothing is left but the seal, for a patient's consent was withdrawn.
    """

    events: int = 0
    rows: int = 0
    records: int = 0
    contents: int = 0
    files: int = 0
    recomputed: int = 0
    without_marks: int = 0
    anchors: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome.

    Attributes
    ----------
    problems
        In order of part and place; none where all is well.
    counts
        What was looked at.
    head
        Hash of the last event. Noted elsewhere, it proves later that nothing before it changed.
    misfits
        What speaks against the readings, by themselves and held together. It is no problem of the
        record: the cohort is what it was.
    notes
        What must be told and is no problem of the record: clocks that went backwards, an older
        backup that was put back.
    """

    problems: tuple[Problem, ...]
    counts: Counts
    head: str
    misfits: tuple[Misfit, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


class LedgerState:
    """What the events, read from first to last, say of each key.

    Attributes
    ----------
    measured
        Key of a row to its last event's number and the digest of its content; rows that were
        withdrawn are not in it.
    readings
        SHA-256 of each kept reading to its key and the event that says so; older versions too.
    records
        Kind to the keys of its current records.
    events, head
        How many events, and the last one's hash.
    hashes_wanted, hashes_found
        Hashes that were asked for, and those that are in the chain.
    """

    def __init__(self, wanted: Iterable[str] = (), anchors: AnchorCheck | None = None) -> None:
        self.measured: dict[str, tuple[int, bytes]] = {}
        self.readings: dict[str, tuple[str, int]] = {}
        self.records: dict[str, set[tuple[str, ...]]] = {}
        self.events, self.head = 0, GENESIS
        self.hashes_wanted = frozenset(wanted)
        self.hashes_found: set[str] = set()
        self.anchors = anchors or AnchorCheck()
        self.notes: list[str] = []
        self.erased: set[int] = set()
        self.erasures: set[int] = set()
        self.row_count = 0
        self._clock = _Clock()
        self.unlocked = _LockCheck()

    def passing(self, some: Iterable[Link]) -> Iterator[Link]:
        """The same events, looked at as they pass."""
        for link in some:
            if link.seq >= 1:
                self._pass(link)
            yield link

    def _pass(self, link: Link) -> None:
        self.events += 1
        self.head = link.hash
        if link.hash in self.hashes_wanted:
            self.hashes_found.add(link.hash)
        if all(isinstance(part, str) for part in (link.kind, link.key)):  # or tampered with
            self._look_at(link)
            self.unlocked.pass_by(link)
        self.anchors.at(link, self.row_count)
        self._clock.pass_by(link)

    def end(self) -> None:
        """Note what is known once the last event has passed."""
        self.notes += self._clock.notes()

    def _look_at(self, link: Link) -> None:
        if link.kind == MEASUREMENT:
            self.row_count += {"create": 1, "withdraw": -1}.get(link.action, 0)
        if is_erased(link):
            self.erased.add(link.seq)
            return
        if link.kind == MEASUREMENT:
            if isinstance(link.payload, str):
                digest = hashlib.sha256(link.payload.encode()).digest()
                self.measured[link.key] = (link.seq, digest)
            else:
                self.measured.pop(link.key, None)
        elif link.kind == ERASURE:
            events, rows = erased_by(link.payload)
            self.erasures.update(events)
            self.row_count -= rows
        elif link.kind == SEALING:
            self.hashes_found.update(self.hashes_wanted & {_said_in(link.payload, "head")})
        elif link.kind == READING_FILE:
            self.readings[_said_in(link.payload, "sha256")] = (link.key, link.seq)
        elif link.kind not in OWN_KINDS:
            self._look_at_record(link)

    def _look_at_record(self, link: Link) -> None:
        if link.kind == RESTORED:
            ends, given_up = (_said_in(link.payload, name) for name in _OF_RESTORED)
            if ends.isdigit() and given_up.isdigit():
                self.anchors.restored.add((int(ends), int(given_up)))
        keys = self.records.setdefault(link.kind, set())
        if link.payload is None:
            keys.discard(decode_key(link.key))
        else:
            keys.add(decode_key(link.key))


class _Clock:
    """The times of the events, as they pass."""

    def __init__(self) -> None:
        self._now = utc_now()
        self._last: Link | None = None
        self._notes: list[str] = []
        self._small: list[tuple[int, str, str]] = []

    def pass_by(self, link: Link) -> None:
        """Look where the time goes backwards, lies in the future, or is not the server's."""
        last, self._last = self._last, link
        at = link.server_at or link.at
        before = at if last is None else last.server_at or last.at
        if is_before(at, before):
            assert last is not None  # noqa: S101
            self._notes.append(
                f"event {link.seq}: its time {at} is before that of event {last.seq}, {before}: a "
                "clock was wrong, or was set back"
            )
        elif link.server_at is None and _is_earlier(at, before):  # a server's writers wait in turn
            self._small.append((link.seq, at, before))
        if is_before(self._now, at):
            self._notes.append(f"event {link.seq}: its time {at} lies in the future")
        theirs = link.server_at
        if theirs and (is_before(link.at, theirs) or is_before(theirs, link.at)):
            self._notes.append(
                f"event {link.seq}: {link.actor or 'unnamed'} (server user {link.server_user}) "
                f"wrote at {link.at}, the server's clock said {theirs}"
            )

    def notes(self) -> list[str]:
        """What was seen; small steps back in one line, for clocks are set right every day."""
        if not self._small:
            return self._notes
        seq, at, before = self._small[0]
        more = "" if len(self._small) == 1 else f", and {len(self._small) - 1} more times"
        told = f"event {seq}: its time {at} is before that of the event before it, {before}{more}"
        return [*self._notes, f"{told}: a clock was set back a little, or two differ"]


def _is_earlier(at: object, before: object) -> bool:
    return isinstance(at, str) and isinstance(before, str) and at < before


class _LockCheck:
    """Events that changed the cohort while a state was locked: no program of ours writes them."""

    def __init__(self) -> None:
        self._name = ""
        self.found: list[tuple[int, str]] = []

    def pass_by(self, link: Link) -> None:
        """Look at the next event."""
        if link.kind == LOCK:
            self._name = "" if link.payload is None else " ".join(decode_key(link.key))
        elif self._name and link.kind not in UNLOCKED_KINDS:
            self.found.append((link.seq, self._name))


def check_ledger(connection: sa.Connection, state: LedgerState) -> Iterator[Problem]:
    """The problems of the chain, of its end and of its guards; ``state`` is filled on the way."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield Problem("database", "file", f"{line}; take a backup")
    for place, problem in (*check_shape(connection), *_check_own_words(connection)):
        yield Problem("database", place, problem)
    for seq, problem in broken_links(state.passing(links(connection))):
        yield Problem("event", _name(connection, seq), problem)
    state.end()
    yield from _check_end(connection, state)
    for seq, name in state.unlocked.found:
        problem = f"was written while the state {name!r} was locked: from outside"
        yield Problem("event", _name(connection, seq), problem)
    for seq in sorted(state.erased - state.erasures):
        yield Problem("event", str(seq), "what it says was erased, and no later event tells why")
    for part, place, problem in state.anchors.end(state.events):
        yield Problem(part, place, problem)
    for lost in sorted(state.hashes_wanted - state.hashes_found):
        yield Problem("event", f"{lost:.16}...", "no event has this hash: the ledger was rewritten")


def _check_own_words(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """What the tables say of their version, and nothing else."""
    version = [("schema", str(SCHEMA_VERSION))]
    for table, wanted in ((META, version), (ALEMBIC, [(REVISION,)])):
        if sorted(tuple(row) for row in connection.execute(sa.select(table))) != wanted:
            yield f"table {table.name}", "does not hold the version alone: changed from outside"


def _check_end(connection: sa.Connection, state: LedgerState) -> Iterator[Problem]:
    tails = connection.execute(sa.select(TAIL.c.id, TAIL.c.seq, TAIL.c.hash)).all()
    if [tuple(tail) for tail in tails] == [(1, state.events, state.head)]:
        return
    said = tails[0].seq if tails else "nothing"
    yield Problem(
        "event",
        f"{state.events}",
        f"is the last one, but the ledger ended with event {said} when it was written: events "
        "were removed or added from outside",
    )


def _name(connection: sa.Connection, seq: int) -> str:
    query = sa.select(LEDGER.c.kind, LEDGER.c.key).where(LEDGER.c.seq == seq)
    found = connection.execute(query).one_or_none()
    if found is None:
        return str(seq)
    return f"{seq} ({found.kind} {' '.join(map(str, decode_key(str(found.key))))})"


def _said_in(payload: object, name: str) -> str:
    """The hash that an event tells of; nothing where it was tampered with."""
    try:
        found = msgspec.json.decode(str(payload), type=dict[str, str | int])
        return str(found[name])
    except (msgspec.MsgspecError, KeyError, UnicodeEncodeError):
        return ""


class MeasuredCells(NamedTuple):
    """A row of which the ledger knows.

    Attributes
    ----------
    sha256, reading
        Hash and key of the reading that it was measured from, as the ledger says.
    cells
        The row's cells; empty where they are not as the ledger says.
    """

    sha256: str
    reading: tuple[str, ...]
    cells: tuple[Any, ...]


def check_rows(
    connection: sa.Connection, measured: dict[str, tuple[int, bytes]]
) -> Iterator[Problem | MeasuredCells]:
    """The problems of the rows, and the rows that have none.

    Parameters
    ----------
    measured
        Key of each row to the number of its last event and the SHA-256 of its content.
    """
    missing = dict(measured)
    older = _older_columns(connection)
    for row in connection.execute(_SELECT.execution_options(yield_per=_FETCHED)):
        cells = tuple(row)
        key = row_key_text(cells)
        last = missing.pop(key, None)
        if last is None:
            yield Problem(
                "row", row_name(cells), "the ledger has no such row: it was added from outside"
            )
        elif not _is_plain(cells) or not _is_written(cells, last[1], older):
            yield from _differences(connection, last[0], cells)
        else:
            yield MeasuredCells(cells[_HASH_AT], decode_key(key)[:_READING_PARTS], cells)
    for key, (seq, _) in missing.items():
        parts = decode_key(key)
        yield Problem("row", row_name(parts), f"is missing, though event {seq} put it there")
        yield from _reading_said(_said(connection, seq), parts)


def row_name(key: tuple[Any, ...]) -> str:
    """A row's key for people."""
    return str(RowKey(*key[: len(KEY)])) if len(key) >= len(KEY) else " ".join(map(str, key))


def check_records(records: dict[str, set[tuple[str, ...]]]) -> Iterator[Problem]:
    """The clinical records that belong to nothing.

    Examples
    --------
    >>> print(*check_records({"subject": {("S01",)}, "hip": {("S01", "L"), ("S02", "L")}}))
    record hip S02 L: there is no subject S02; enter it, or withdraw this record
    """
    for kind, (parent, length) in _PARENTS.items():
        there = records.get(parent, set())
        for key in sorted(records.get(kind, set())):
            if key[:length] not in there:
                yield Problem(
                    "record",
                    f"{kind} {' '.join(key)}",
                    f"there is no {parent} {' '.join(key[:length])}; enter it, or withdraw this "
                    "record",
                )


def _is_plain(cells: tuple[Any, ...]) -> bool:
    """Whether the cells are what JSON can tell apart: infinity is not, nor are bytes."""
    return _PLAIN.issuperset(map(type, cells)) and _INFINITE.isdisjoint(cells)


class _Columns(NamedTuple):
    """Columns that a row may have been written with: their digest and places; and the others."""

    digest: str
    places: tuple[int, ...]
    others: tuple[int, ...]


def _older_columns(connection: sa.Connection) -> list[_Columns]:
    """The columns of earlier versions that the ledger remembers and that all exist today."""
    found = []
    query = sa.select(LEDGER.c.key, LEDGER.c.payload).where(LEDGER.c.kind == COLUMNS_KIND)
    for key, payload in connection.execute(query):
        with suppress(CohortError):  # a damaged event is named where the chain is verified
            names = names_today(str(decode_payload(str(payload), "").get("names", "")))
            if set(names) < set(NAMES):
                places = tuple(map(NAMES.index, names))
                others = tuple(set(range(len(NAMES))) - set(places))
                found.append(_Columns(decode_key(key)[0], places, others))
    return found


def _is_written(cells: tuple[Any, ...], sha256: bytes, older: list[_Columns]) -> bool:
    """Whether an event's content is this row, in the columns of today or of an earlier version."""
    if _digest(encode_row(cells)) == sha256:
        return True
    return any(
        all(cells[place] is None for place in one.others)
        and _digest(encode_row(tuple(cells[place] for place in one.places), one.digest)) == sha256
        for one in older
    )


def _digest(content: str) -> bytes:
    return hashlib.sha256(content.encode()).digest()


def _differences(
    connection: sa.Connection, seq: int, cells: tuple[Any, ...]
) -> Iterator[Problem | MeasuredCells]:
    """One problem for each column that is not as the row's last event says."""
    name, said = row_name(cells), _said(connection, seq)
    wrong = [
        (column, cell, said.get(column))
        for column, cell in zip(NAMES, cells, strict=True)
        if repr(said.get(column)) != repr(cell)
    ]
    for column, cell, was in wrong:
        place = f"{name}, column {column}"
        problem = f"holds {cell!r:.60}, event {seq} says {was!r:.60}; changed from outside"
        yield Problem("row", place, problem if said else f"event {seq} cannot be read")
    if not wrong:
        yield Problem("row", name, f"is not written as event {seq} says")
    yield from _reading_said(said, decode_key(row_key_text(cells)))


def _said(connection: sa.Connection, seq: int) -> dict[str, Cell]:
    """What an event says of a row; nothing where it cannot be read."""
    payload = connection.execute(sa.select(LEDGER.c.payload).where(LEDGER.c.seq == seq)).scalar()
    try:
        return decode_row(connection, str(payload), f"event {seq}")
    except CohortError:
        return {}


def _reading_said(said: dict[str, Cell], key: tuple[str, ...]) -> Iterator[MeasuredCells]:
    if said:
        yield MeasuredCells(str(said["annotation_sha256"]), key[:_READING_PARTS], ())
