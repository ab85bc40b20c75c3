"""The ledger against itself: the chain, its end, its guards, and what it says of each key."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec
import sqlalchemy as sa

from necroangle.ledger.chain import GENESIS, Link, broken_links
from necroangle.ledger.content import READING_FILE
from necroangle.ledger.measured import MEASUREMENT
from necroangle.ledger.read import links
from necroangle.ledger.records import OWN_KINDS, decode_key
from necroangle.ledger.schema import CONTENT, LEDGER, TAIL
from necroangle.ledger.verify_report import Problem

__all__ = ["Told", "check_ledger"]

_SERVER_GUARDS = frozenset(f"{table.name}_append_only" for table in (LEDGER, CONTENT))
_FILE_GUARDS = frozenset(
    f"{table.name}_no_{change}"
    for table in (LEDGER, CONTENT)
    for change in ("update", "delete", "insert")
)
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


class Told:
    """What the events, read from first to last, say of each key.

    Attributes
    ----------
    measured
        Key of a row to its last event's number and the digest of its content; rows that were
        withdrawn are not in it.
    readings
        SHA-256 of each kept reading to its key and the event that told of it; older versions too.
    records
        Kind to the keys of its current records.
    events, head
        How many events, and the last one's hash.
    hashes_wanted, hashes_found
        Hashes that were asked for, and those that are in the chain.
    """

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self.measured: dict[str, tuple[int, bytes]] = {}
        self.readings: dict[str, tuple[str, int]] = {}
        self.records: dict[str, set[tuple[str, ...]]] = {}
        self.events, self.head = 0, GENESIS
        self.hashes_wanted = frozenset(wanted)
        self.hashes_found: set[str] = set()

    def passing(self, some: Iterable[Link]) -> Iterator[Link]:
        """The same events, looked at as they pass."""
        for link in some:
            self.events += 1
            self.head = link.hash
            if link.hash in self.hashes_wanted:
                self.hashes_found.add(link.hash)
            if all(isinstance(part, str) for part in (link.kind, link.key)):  # or tampered with
                self._look_at(link)
            yield link

    def _look_at(self, link: Link) -> None:
        if link.kind == MEASUREMENT:
            if isinstance(link.payload, str):
                digest = hashlib.sha256(link.payload.encode()).digest()
                self.measured[link.key] = (link.seq, digest)
            else:
                self.measured.pop(link.key, None)
        elif link.kind == READING_FILE:
            self.readings[_sha256_in(link.payload)] = (link.key, link.seq)
        elif link.kind not in OWN_KINDS:
            keys = self.records.setdefault(link.kind, set())
            if link.payload is None:
                keys.discard(decode_key(link.key))
            else:
                keys.add(decode_key(link.key))


def check_ledger(connection: sa.Connection, told: Told) -> Iterator[Problem]:
    """The problems of the chain, of its end and of its guards; ``told`` is filled on the way."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield Problem("database", "file", f"{line}; take a backup")
    there = set(connection.exec_driver_sql(_TRIGGERS[dialect]).scalars())
    for name in sorted((_FILE_GUARDS if dialect == "sqlite" else _SERVER_GUARDS) - there):
        yield Problem("database", f"guard {name}", "is missing: the ledger could be changed")
    for seq, problem in broken_links(told.passing(links(connection))):
        yield Problem("event", _name(connection, seq), problem)
    yield from _check_end(connection, told)
    for lost in sorted(told.hashes_wanted - told.hashes_found):
        yield Problem("event", f"{lost:.16}...", "no event has this hash: the ledger was rewritten")


def _check_end(connection: sa.Connection, told: Told) -> Iterator[Problem]:
    tails = connection.execute(sa.select(TAIL.c.seq, TAIL.c.hash)).all()
    if [tuple(tail) for tail in tails] == [(told.events, told.head)]:
        return
    said = tails[0].seq if tails else "nothing"
    yield Problem(
        "event",
        f"{told.events}",
        f"is the last one, but the ledger ended with event {said} when it was written: events "
        "were removed or added from outside",
    )


def _name(connection: sa.Connection, seq: int) -> str:
    query = sa.select(LEDGER.c.kind, LEDGER.c.key).where(LEDGER.c.seq == seq)
    found = connection.execute(query).one_or_none()
    if found is None:
        return str(seq)
    return f"{seq} ({found.kind} {' '.join(map(str, decode_key(str(found.key))))})"


def _sha256_in(payload: object) -> str:
    """The hash that an event of a reading tells of; nothing where it was tampered with."""
    try:
        found = msgspec.json.decode(str(payload), type=dict[str, str | int])
        return str(found["sha256"])
    except (msgspec.MsgspecError, KeyError, UnicodeEncodeError):
        return ""
