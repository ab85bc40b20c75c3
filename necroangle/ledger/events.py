"""Events of the ledger, read and written within one transaction.

Reading gives the current state of a key and what was written before. Writing needs a transaction
that holds the write lock.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import Link, link, new_salt
from necroangle.ledger.locking import UNLOCKED_KINDS, locked_state
from necroangle.ledger.records import (
    OWN_KINDS,
    Conflict,
    Entry,
    Outcome,
    Record,
    Recorded,
    State,
    decide,
    decode_key,
    encode_key,
    encode_values,
    plain_text,
)
from necroangle.ledger.schema import LEDGER, SERVER_NOW, TAIL, insert_tuples
from necroangle.measurement.row import Cell
from necroangle.moments import is_before, utc_now
from necroangle.protocol.free_text import free_text_problem

_AT_ONCE = 500
_FETCHED = 2000
_LINK = sa.select(*LEDGER.columns)
_LOG = logging.getLogger(__name__)

_ENCODE = msgspec.json.Encoder().encode
_COUNTED = {
    Outcome.CREATE: "created",
    Outcome.CHANGE: "changed",
    Outcome.WITHDRAW: "withdrawn",
    Outcome.UNCHANGED: "unchanged",
}


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


def links(connection: sa.Connection) -> Iterator[Link]:
    """Every event, in order, fetched a few at a time.

    Those with a number below 1, which this program does not write, come first.
    """
    query = _LINK.order_by(LEDGER.c.seq)
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
        for some in portions(keys):
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
    for some in portions(names):
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


def portions(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """The items, so many at a time as one question to a database may name."""
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


class LedgerEnd:
    """The growing end of the ledger in one transaction.

    Built first thing in the transaction: on a database server it takes the lock under which
    writers go one after the other.

    Attributes
    ----------
    seq, hash
        Number and hash of the last event, those that were appended included.
    grew
        Whether anything was written.

    Raises
    ------
    CohortError
        If the last event is not the one that was written last: nothing is chained to it.
    """

    def __init__(self, connection: sa.Connection, actor: str) -> None:
        self._connection = connection
        self._links: list[Link] = []
        tail = connection.execute(
            sa.select(TAIL.c.seq, TAIL.c.hash).with_for_update()
        ).one_or_none()
        last = connection.execute(
            sa.select(LEDGER.c.seq, LEDGER.c.hash, LEDGER.c.at)
            .order_by(LEDGER.c.seq.desc())
            .limit(1)
        ).one_or_none()
        if tail is None or not self._is_last(last, tail):
            raise CohortError("the end of the ledger was tampered with; run `necroangle verify`")
        self.seq, self.hash = int(tail.seq), str(tail.hash)
        self.grew = False
        self._locked = locked_state(connection)
        self._stamp = (utc_now(), *_server_stamp(connection), plain_text(actor, "actor"))
        if last is not None and is_before(self._stamp[0], last.at):
            _LOG.warning(
                "this computer's clock says %s, the last event is of %s: set the clock",
                self._stamp[0],
                last.at,
            )

    def _is_last(self, last: Any, tail: Any) -> bool:
        """Whether the last event is the one that was written last.

        A server's users may not see every event; there, its own guard looks at what comes next.
        """
        if self._connection.dialect.name == "postgresql":
            return True
        return tail.seq == 0 if last is None else bool(last[:2] == tail)

    def append(
        self,
        kind: str,
        key: str,
        action: str,
        payload: str | None,
        *,
        reason: str = "",
        idempotency_key: str | None = None,
    ) -> int:
        """Chain an event to the end; its number. It is written by :meth:`write`.

        Raises
        ------
        CohortError
            If a state is locked, and the event would change it; or the reason tells who somebody
            is.
        """
        if self._locked is not None and kind not in UNLOCKED_KINDS:
            raise CohortError(
                f"the state {self._locked.name!r} is locked since {self._locked.at} by "
                f"{self._locked.actor or 'someone'}; open it with `necroangle lock --open`"
            )
        self.seq += 1
        if problem := free_text_problem(reason):
            raise CohortError(
                f"the reason holds what looks like {problem}; it is kept: take it out"
            )
        said = (kind, key, action, reason, payload, idempotency_key)
        one = link(self.hash, self.seq, self._stamp, said, new_salt())
        self._links.append(one)
        self.hash = one.hash
        return self.seq

    def write(self) -> None:
        """Write what was appended."""
        if not self._links:
            return
        insert_tuples(self._connection, LEDGER, list(self._links))
        self._connection.execute(TAIL.update().values(seq=self.seq, hash=self.hash))
        self._links.clear()
        self.grew = True


def _server_stamp(connection: sa.Connection) -> tuple[str | None, str | None]:
    """Time and user of a database server; nothing in a file."""
    if connection.dialect.name != "postgresql":
        return None, None
    at, user = connection.exec_driver_sql(f"SELECT {SERVER_NOW}, session_user::text").one()
    return str(at), str(user)


def record(
    connection: sa.Connection, end: LedgerEnd, entries: Iterable[Entry], actor: str
) -> Recorded:
    """Write entries; those that meet another writer's change are returned and not written.

    Raises
    ------
    CohortError
        If a value cannot be kept, or an idempotency key was used for another write.
    """
    asked = [(entry, encode_key(entry.key), _payload(entry)) for entry in entries]
    states = last_states(connection, [(entry.kind, key) for entry, key, _ in asked])
    done = known_writes(connection, [e.idempotency_key for e, _, _ in asked if e.idempotency_key])
    counts = dict.fromkeys(_COUNTED.values(), 0)
    conflicts: list[Conflict] = []
    for entry, key, payload in asked:
        place = (entry.kind, key)
        state = states.get(place, State())
        outcome = _outcome(connection, entry, (key, payload, actor), state, done)
        if outcome is Outcome.CONFLICT:
            assert entry.expected is not None  # noqa: S101 - or it would be no conflict
            end.write()  # what stands there may have been written just now
            found = find_record(connection, entry.kind, key)
            conflicts.append(Conflict(entry.key, entry.expected, found, entry))
            continue
        counts[_COUNTED[outcome]] += 1
        if outcome is not Outcome.UNCHANGED:
            name = entry.idempotency_key or _derived(entry.kind, key, payload, actor, state.seq)
            reason = plain_text(entry.reason, "reason")
            seq = end.append(
                entry.kind, key, outcome.value, payload, reason=reason, idempotency_key=name
            )
            states[place] = State(seq, payload)
            done[name] = (entry.kind, key, payload)
    return Recorded(**counts, conflicts=tuple(conflicts))


def _outcome(
    connection: sa.Connection,
    entry: Entry,
    written: tuple[str, str | None, str],
    state: State,
    done: dict[str, tuple[str, str, str | None]],
) -> Outcome:
    key, payload, actor = written
    name = entry.idempotency_key
    if name is not None and name in done:
        if done[name] != (entry.kind, key, payload):
            raise CohortError(f"the idempotency key {name!r:.80} was used for another write")
        return Outcome.UNCHANGED
    outcome = decide(state, payload, entry.expected)
    if outcome is not Outcome.CONFLICT or name is not None:
        return outcome
    tried = _derived(entry.kind, key, payload, actor, entry.expected or 0)
    is_retry = tried in known_writes(connection, [tried])
    if is_retry and not (entry.expected == 0 and was_withdrawn(connection, entry.kind, key)):
        return Outcome.UNCHANGED  # it was written, its writer never heard, and others went on
    return outcome


def _payload(entry: Entry) -> str | None:
    if entry.kind in OWN_KINDS:
        raise CohortError(f"{entry.kind} is written by the ledger itself; choose another word")
    return None if entry.values is None else encode_values(entry.values)


def _derived(kind: str, key: str, payload: str | None, actor: str, seen: int) -> str:
    """The idempotency key of a write that has none: the same wish on the same state."""
    return hashlib.sha256(_ENCODE((kind, key, payload, actor, seen))).hexdigest()
