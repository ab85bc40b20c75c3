"""The measured rows against the ledger, cell by cell; the clinical records against each other."""

import hashlib
from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.measured import decode_row, encode_row, row_key_text
from necroangle.ledger.records import decode_key
from necroangle.ledger.schema import LEDGER, ROWS
from necroangle.ledger.verify_report import Problem
from necroangle.measurement.columns import KEY, NAMES
from necroangle.measurement.row import Cell, RowKey

__all__ = ["MeasuredCells", "check_records", "check_rows"]

_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_FETCHED = 2000
_PLAIN = frozenset({str, int, float, type(None)})
_READING_PARTS = 5
_HASH_AT = NAMES.index("annotation_sha256")

_PARENTS = {
    "hip": ("subject", 1),
    "visit": ("hip", 2),
    "treatment": ("hip", 2),
    "event": ("hip", 2),
}
"""Kind of a clinical record, the kind that it belongs to, and how much of the key they share."""


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
    for row in connection.execute(_SELECT.execution_options(yield_per=_FETCHED)):
        cells = tuple(row)
        key = row_key_text(cells)
        last = missing.pop(key, None)
        if last is None:
            yield Problem(
                "row", row_name(cells), "the ledger knows no such row: added from outside"
            )
        elif not _is_plain(cells) or _digest(cells) != last[1]:
            yield from _differences(connection, last[0], cells)
        else:
            yield MeasuredCells(cells[_HASH_AT], decode_key(key)[:_READING_PARTS], cells)
    for key, (seq, _) in missing.items():
        parts = decode_key(key)
        yield Problem("row", row_name(parts), f"is missing, though event {seq} put it there")
        yield from _reading_told(_said(connection, seq), parts)


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
    return _PLAIN.issuperset(map(type, cells)) and inf not in cells and -inf not in cells


def _digest(cells: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(encode_row(cells).encode()).digest()


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
    yield from _reading_told(said, decode_key(row_key_text(cells)))


def _said(connection: sa.Connection, seq: int) -> dict[str, Cell]:
    """What an event says of a row; nothing where it cannot be read."""
    payload = connection.execute(sa.select(LEDGER.c.payload).where(LEDGER.c.seq == seq)).scalar()
    try:
        return decode_row(connection, str(payload), f"event {seq}")
    except CohortError:
        return {}


def _reading_told(said: dict[str, Cell], key: tuple[str, ...]) -> Iterator[MeasuredCells]:
    if said:
        yield MeasuredCells(str(said["annotation_sha256"]), key[:_READING_PARTS], ())
