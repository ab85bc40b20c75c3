"""Measured rows in the ledger: each change of a row is an event of kind ``measurement``.

Its content is a JSON list: the digest of the column names, then the cells in their order. The
names themselves stand in the ledger once, as an event of kind ``columns`` with that digest for a
key, so that a row can be read when the columns have long changed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.read import decode_payload, last_states
from necroangle.ledger.records import encode_key
from necroangle.ledger.schema import ROWS, insert_tuples, update_tuples
from necroangle.ledger.write import LedgerEnd
from necroangle.measurement.columns import KEY, NAMES
from necroangle.measurement.row import Cell, CohortRow, RowKey

__all__ = [
    "COLUMNS_KIND",
    "MEASUREMENT",
    "columns_digest",
    "decode_row",
    "encode_row",
    "row_key_text",
    "rows_of",
    "withdraw_rows",
    "write_rows",
]

MEASUREMENT, COLUMNS_KIND = "measurement", "columns"

_ENCODE = msgspec.json.Encoder().encode
_SUBJECTS_AT_ONCE = 500
_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_THIS_ROW = sa.and_(*(ROWS.c[name] == sa.bindparam(f"key_{name}") for name in KEY))


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
    wanted = sorted(subjects)
    found = {}
    for start in range(0, len(wanted), _SUBJECTS_AT_ONCE):
        some = wanted[start : start + _SUBJECTS_AT_ONCE]
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
    return str(decode_payload(state.payload, f"event {state.seq}")["names"]).split(" ")
