"""Reading the ledger: the current state of a key, and what was written before."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import Link
from necroangle.ledger.conflict import State
from necroangle.ledger.records import Record, decode_key, encode_key
from necroangle.ledger.schema import LEDGER
from necroangle.measurement.row import Cell

__all__ = [
    "current",
    "decode_payload",
    "find_record",
    "known_writes",
    "last_of",
    "last_states",
    "links",
    "was_withdrawn",
]

_AT_ONCE = 500
_FETCHED = 2000
_LINK = sa.select(*LEDGER.columns)


def current(connection: sa.Connection, kind: str, prefix: tuple[str, ...]) -> list[Record]:
    """The records of a kind whose key begins with a prefix, ordered by key.

    Raises
    ------
    CohortError
        If they are measured rows, which have a table of their own.
    """
    if kind == "measurement":
        raise CohortError("measured rows are given by rows(), their events by history()")
    wanted = last_of(kind)
    if prefix:
        text = encode_key(prefix)
        start = f"{text[:-1]},"
        begins = sa.func.substr(LEDGER.c.key, 1, len(start)) == start
        wanted = wanted.where(sa.or_(LEDGER.c.key == text, begins))
    found = connection.execute(_LINK.where(LEDGER.c.seq.in_(wanted), LEDGER.c.payload.is_not(None)))
    records = [_record(Link(*row)) for row in found]
    return sorted(records, key=lambda record: record.key)


def find_record(connection: sa.Connection, kind: str, key: str) -> Record | None:
    """The current record of one key, or None."""
    last = last_of(kind).where(LEDGER.c.key == key)
    row = connection.execute(_LINK.where(LEDGER.c.seq.in_(last))).one_or_none()
    return None if row is None or row.payload is None else _record(Link(*row))


def links(connection: sa.Connection, *, after: int = 0) -> Iterator[Link]:
    """Every event after a number, in order, fetched a few at a time."""
    query = _LINK.where(LEDGER.c.seq > after).order_by(LEDGER.c.seq)
    for row in connection.execute(query.execution_options(yield_per=_FETCHED)):
        yield Link(*row)


def last_states(
    connection: sa.Connection, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], State]:
    """The last event of each (kind, key) that has one."""
    by_kind: dict[str, list[str]] = {}
    for kind, key in places:
        by_kind.setdefault(kind, []).append(key)
    found = {}
    for kind, keys in by_kind.items():
        for some in _portions(keys):
            last = last_of(kind).where(LEDGER.c.key.in_(some))
            query = sa.select(LEDGER.c.key, LEDGER.c.seq, LEDGER.c.payload)
            for key, seq, payload in connection.execute(query.where(LEDGER.c.seq.in_(last))):
                found[kind, key] = State(seq, payload)
    return found


def known_writes(
    connection: sa.Connection, names: Sequence[str]
) -> dict[str, tuple[str, str, str | None]]:
    """Kind, key and content of the writes that carried these idempotency keys."""
    found = {}
    columns = (LEDGER.c.idempotency_key, LEDGER.c.kind, LEDGER.c.key, LEDGER.c.payload)
    for some in _portions(names):
        query = sa.select(*columns).where(LEDGER.c.idempotency_key.in_(some))
        for name, kind, key, payload in connection.execute(query):
            found[name] = (kind, key, payload)
    return found


def was_withdrawn(connection: sa.Connection, kind: str, key: str) -> bool:
    """Whether a key was ever withdrawn."""
    query = sa.select(LEDGER.c.seq).where(
        LEDGER.c.kind == kind, LEDGER.c.key == key, LEDGER.c.payload.is_(None)
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def decode_payload(text: str, place: str) -> dict[str, Cell]:
    """The content by name.

    Raises
    ------
    CohortError
        If it is no JSON object: the event was tampered with.
    """
    try:
        return msgspec.json.decode(text, type=dict[str, str | int | float | None])
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise CohortError(f"{place}: its content is damaged; run `necroangle verify`") from error


def last_of(kind: str) -> sa.Select[int]:
    """The numbers of the last events of every key of a kind."""
    return sa.select(sa.func.max(LEDGER.c.seq)).where(LEDGER.c.kind == kind).group_by(LEDGER.c.key)


def _record(link: Link) -> Record:
    assert link.payload is not None  # noqa: S101 - the caller asked for live ones
    values = decode_payload(link.payload, f"event {link.seq}")
    key = decode_key(link.key)
    return Record(link.kind, key, values, link.seq, link.at, link.actor, link.reason)


def _portions(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
