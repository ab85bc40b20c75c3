"""The table of measured rows, built again from the ledger."""

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.measured import MEASUREMENT, decode_row
from necroangle.ledger.read import last_of
from necroangle.ledger.schema import LEDGER, ROWS, insert_tuples
from necroangle.measurement.columns import COLUMNS, NAMES
from necroangle.measurement.row import Cell

__all__ = ["rebuild_rows"]


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
