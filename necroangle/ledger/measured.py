"""Measured rows and the readings behind them, as events of the ledger; the table built from these.

Each change of a row is an event of kind ``measurement``. Its content is a JSON list: the digest of
the column names, then the cells in their order. The names themselves stand in the ledger once, as
an event of kind ``columns`` with that digest for a key, so that a row can be read when the columns
have long changed.

The bytes of each reading stand once, under their SHA-256, and are never removed; which reading it
is, and which was there before, is said by events of kind ``reading_file``. With them every angle
can be measured again when the reading files themselves are gone.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import Link
from necroangle.ledger.events import LedgerEnd, decode_payload, last_of, last_states, portions
from necroangle.ledger.records import (
    Event,
    Outcome,
    State,
    decide,
    decode_key,
    encode_key,
    encode_values,
)
from necroangle.ledger.schema import CONTENT, LEDGER, ROWS, insert_tuples, update_tuples
from necroangle.measurement.columns import COLUMNS, KEY, NAMES
from necroangle.measurement.row import Cell, CohortRow, RowKey
from necroangle.storage import sha256_of

MEASUREMENT, COLUMNS_KIND, READING_FILE = "measurement", "columns", "reading_file"

RENAMED = {f"{angle}_se_deg": f"{angle}_se_marking" for angle in ("a", "b", "cna")}
"""Columns that older events name otherwise: until version 5 there was no other standard error."""

_ENCODE = msgspec.json.Encoder().encode
_CONTENTS_AT_ONCE = 200
_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_THIS_ROW = sa.and_(*(ROWS.c[name] == sa.bindparam(f"key_{name}") for name in KEY))

_HASH_AT = NAMES.index("annotation_sha256")
_READING_PARTS = 5
"""So much of a row's key says which reading it was measured from."""


_UNITES_NONE = '"consensus_of":""'
"""What the event of nearly every reading holds, as :func:`encode_values` writes it."""


class _Consensus(msgspec.Struct):
    """What the table needs to know of a reading beside its row."""

    consensus_of: tuple[str, ...] = ()


_CONSENSUS = msgspec.json.Decoder(_Consensus)


def columns_digest(names: Iterable[str]) -> str:
    """What stands for the column names in an event: 16 hexadecimal digits."""
    return hashlib.sha256(_ENCODE(list(names))).hexdigest()[:16]


_DIGEST = columns_digest(NAMES)


def encode_row(cells: tuple[Any, ...], digest: str = _DIGEST) -> str:
    """The content of a measured row as JSON.

    Examples
    --------
    >>> encode_row(("S01", "L", None, 12.5), "0123456789abcdef")
    '["0123456789abcdef","S01","L",null,12.5]'
    """
    return _ENCODE((digest, *cells)).decode()


def row_key_text(cells: tuple[Any, ...]) -> str:
    """The key of a row, from its cells, as it stands in the ledger."""
    return _ENCODE(list(map(str, cells[: len(KEY)]))).decode()


def decode_row(connection: sa.Connection, payload: str, place: str) -> dict[str, Cell]:
    """The cells of a measured row by name, in the columns that it was written with.

    Raises
    ------
    CohortError
        If it cannot be read: it was tampered with.
    """
    try:
        digest, *cells = msgspec.json.decode(payload, type=tuple[str | int | float | None, ...])
        names = NAMES if digest == _DIGEST else _names_of(connection, str(digest))
        return dict(zip(names, cells, strict=True))
    except (msgspec.MsgspecError, ValueError) as error:
        raise CohortError(f"{place}: its content is damaged; run `necroangle verify`") from error


def rows_of(connection: sa.Connection, subjects: Iterable[str]) -> dict[tuple[Any, ...], Any]:
    """The cells of the rows that stand in the table for some subjects, by key."""
    if connection.execute(sa.select(ROWS.c.subject).limit(1)).one_or_none() is None:
        return {}
    found = {}
    for some in portions(sorted(subjects)):
        for cells in connection.execute(_SELECT.where(ROWS.c.subject.in_(some))).all():
            found[tuple(cells[: len(KEY)])] = tuple(cells)
    return found


def write_rows(
    connection: sa.Connection, end: LedgerEnd, new: Mapping[RowKey, CohortRow]
) -> tuple[int, int]:
    """Put rows in the table and their changes in the ledger; how many are new, how many changed."""
    old = rows_of(connection, {key.subject for key in new})
    inserted = [row for key, row in new.items() if key not in old]
    updated = [row for key, row in new.items() if key in old and old[key] != row.cells]
    if not inserted and not updated:
        return 0, 0
    _remember_columns(connection, end)
    if inserted:
        insert_tuples(connection, ROWS, [row.cells for row in inserted])
    if updated:
        update_tuples(connection, ROWS, [row.cells for row in updated])
    for action, some in (("create", inserted), ("change", updated)):
        for row in some:
            end.append(MEASUREMENT, row_key_text(row.cells), action, encode_row(row.cells))
    return len(inserted), len(updated)


def withdraw_rows(
    connection: sa.Connection, end: LedgerEnd, keys: Iterable[RowKey], reason: str
) -> int:
    """Take rows out of the table; their events stay. How many there were."""
    count = 0
    for key in dict.fromkeys(keys):
        bound = {f"key_{name}": cell for name, cell in zip(KEY, key, strict=True)}
        if connection.execute(ROWS.delete().where(_THIS_ROW), bound).rowcount:
            end.append(MEASUREMENT, row_key_text(key), "withdraw", None, reason=reason)
            count += 1
    return count


def _remember_columns(connection: sa.Connection, end: LedgerEnd) -> None:
    key = encode_key((_DIGEST,))
    if not last_states(connection, [(COLUMNS_KIND, key)]):
        end.append(COLUMNS_KIND, key, "create", _ENCODE({"names": " ".join(NAMES)}).decode())


def _names_of(connection: sa.Connection, digest: str) -> list[str]:
    key = encode_key((digest,))
    state = last_states(connection, [(COLUMNS_KIND, key)]).get((COLUMNS_KIND, key))
    if state is None or state.payload is None:
        raise ValueError(digest)
    return names_today(str(decode_payload(state.payload, f"event {state.seq}")["names"]))


def names_today(names: str) -> list[str]:
    """The columns that an event names, as they are called today.

    Examples
    --------
    >>> names_today("cna_deg cna_se_deg")
    ['cna_deg', 'cna_se_marking']
    """
    return [RENAMED.get(name, name) for name in names.split(" ")]


def write_contents(
    connection: sa.Connection,
    end: LedgerEnd,
    rows: Iterable[CohortRow],
    readings: Mapping[str, bytes],
) -> int:
    """Keep the readings that some rows were measured from; how many were new.

    Raises
    ------
    CohortError
        If a reading's bytes are not those of its hash, or none of the rows was measured from it.
    """
    keys = {str(row.cells[_HASH_AT]): row.cells[:_READING_PARTS] for row in rows}
    for sha256, raw in readings.items():
        if sha256 not in keys:
            raise CohortError(f"no row was measured from the reading {sha256:.12}...")
        if sha256_of(raw) != sha256:
            raise CohortError(f"the reading {sha256:.12}... has other bytes than its hash says")
    known = _known(connection, list(readings))
    new = [(sha256, raw) for sha256, raw in readings.items() if sha256 not in known]
    if new:
        insert_tuples(connection, CONTENT, new)
    _note_readings(
        connection,
        end,
        [
            (encode_key(tuple(map(str, keys[sha256]))), sha256, raw)
            for sha256, raw in readings.items()
        ],
    )
    return len(new)


def uniting_readings(connection: sa.Connection) -> dict[tuple[str, ...], tuple[list[str], str]]:
    """The readings that name others that they unite: by key, the hashes of these and their own."""
    payload = LEDGER.c.payload
    query = sa.select(LEDGER.c.seq, LEDGER.c.key, payload).where(
        LEDGER.c.seq.in_(last_of(READING_FILE)), payload.not_like(f"%{_UNITES_NONE}%")
    )
    found = {}
    for seq, key, text in connection.execute(query):
        values = decode_payload(text, f"event {seq}")
        if values["consensus_of"]:
            found[decode_key(key)] = (str(values["consensus_of"]).split(), str(values["sha256"]))
    return found


def contents(
    connection: sa.Connection, wanted: Iterable[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Kept readings, hash and bytes, ordered by hash: all, or those wanted."""
    query = sa.select(CONTENT.c.sha256, CONTENT.c.content).order_by(CONTENT.c.sha256)
    hashes = None if wanted is None else set(wanted)
    count = connection.scalar(sa.select(sa.func.count()).select_from(CONTENT)) or 0
    if hashes is None or 2 * len(hashes) > count:  # one walk through all is faster then
        for sha256, raw in connection.execute(query.execution_options(yield_per=_CONTENTS_AT_ONCE)):
            if hashes is None or sha256 in hashes:
                yield sha256, bytes(raw)
        return
    for some in portions(sorted(hashes)):
        for sha256, raw in connection.execute(query.where(CONTENT.c.sha256.in_(some))):
            yield sha256, bytes(raw)


def contents_between(connection: sa.Connection, first: str, last: str) -> list[tuple[str, bytes]]:
    """The kept readings from one hash to another, both included, ordered by hash."""
    sha256 = CONTENT.c.sha256
    query = sa.select(sha256, CONTENT.c.content).where(sha256.between(first, last))
    return [(one, bytes(raw)) for one, raw in connection.execute(query.order_by(sha256))]


def _note_readings(
    connection: sa.Connection, end: LedgerEnd, readings: Sequence[tuple[str, str, bytes]]
) -> None:
    """An event for each reading that is not the one that stood there last."""
    states = last_states(connection, [(READING_FILE, key) for key, _, _ in readings])
    for key, sha256, raw in readings:
        payload = encode_values(
            {
                "bytes": len(raw),
                "consensus_of": _consensus_of(sha256, raw),
                "sha256": sha256,
            }
        )
        outcome = decide(states.get((READING_FILE, key), State()), payload, None)
        if outcome is not Outcome.UNCHANGED:
            end.append(READING_FILE, key, outcome.value, payload)


def _consensus_of(sha256: str, raw: bytes) -> str:
    try:
        return " ".join(_CONSENSUS.decode(raw).consensus_of)
    except msgspec.MsgspecError as error:
        raise CohortError(f"the reading {sha256:.12}... is no reading file") from error


def _known(connection: sa.Connection, hashes: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for some in portions(hashes):
        query = sa.select(CONTENT.c.sha256).where(CONTENT.c.sha256.in_(some))
        found.update(connection.execute(query).scalars())
    return found


def history(connection: sa.Connection, kind: str, key: tuple[str, ...]) -> list[Event]:
    """Every event of one key, the first one first."""
    query = sa.select(*LEDGER.columns).order_by(LEDGER.c.seq)
    found = connection.execute(query.where(LEDGER.c.kind == kind, LEDGER.c.key == encode_key(key)))
    return [_event(connection, Link(*row)) for row in found.all()]


def _event(connection: sa.Connection, link: Link) -> Event:
    return Event(
        seq=link.seq,
        at=link.at,
        actor=link.actor,
        kind=link.kind,
        key=decode_key(link.key),
        action=link.action,
        reason=link.reason,
        payload=link.payload,
        previous_hash=link.previous_hash,
        hash=link.hash,
        values=None if link.payload is None else _values(connection, link, link.payload),
        idempotency_key=link.idempotency_key,
    )


def _values(connection: sa.Connection, link: Link, payload: str) -> dict[str, Cell]:
    place = f"event {link.seq}"
    if link.kind == MEASUREMENT:
        return decode_row(connection, payload, place)
    return decode_payload(payload, place)


def rebuild_rows(connection: sa.Connection) -> int:
    """Empty the table and fill it with what the ledger says last of each row; how many there are.

    A column that the row was written without is empty.

    Raises
    ------
    CohortError
        If an event cannot be read, or lacks a column that must not be empty.
    """
    query = sa.select(LEDGER.c.seq, LEDGER.c.payload).where(
        LEDGER.c.seq.in_(last_of(MEASUREMENT)), LEDGER.c.payload.is_not(None)
    )
    found = connection.execute(query).all()
    rows = [
        _cells(decode_row(connection, payload, f"event {seq}"), f"event {seq}")
        for seq, payload in found
    ]
    connection.execute(ROWS.delete())
    insert_tuples(connection, ROWS, rows)
    return len(rows)


def _cells(values: dict[str, Cell], place: str) -> tuple[Cell, ...]:
    lacking = [c.name for c in COLUMNS if c.need != "maybe" and values.get(c.name) is None]
    if lacking:
        raise CohortError(f"{place}: has no {', '.join(lacking)}; measure its reading again")
    return tuple(values.get(name) for name in NAMES)
