"""Readings that are taken out of the cohort, and put back: nothing is erased.

The rows of all methods go, and an event of its own says which reading it was, so that its file,
which may still stand in the folder, is not measured back without a word.
"""

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.events import record
from necroangle.ledger.measured import withdraw_rows
from necroangle.ledger.records import WITHDRAWN_READING, Entry, Record
from necroangle.ledger.schema import ROWS
from necroangle.ledger.store import CohortStore
from necroangle.measurement.row import RowKey

ReadingId = tuple[str, str, str, str, str]
"""Subject, laterality, visit, reader and number of a reading, as texts."""


def readings_of(store: CohortStore, prefix: tuple[str, ...]) -> dict[ReadingId, list[RowKey]]:
    """The readings whose key begins with a prefix, and the keys of their rows.

    Parameters
    ----------
    prefix
        Subject, laterality, visit, reader and number of the read, as far as they are said.
    """
    columns = (ROWS.c[name] for name in RowKey._fields)
    query = (
        sa.select(*columns).where(ROWS.c.subject == prefix[0]) if prefix else sa.select(*columns)
    )
    found: dict[ReadingId, list[RowKey]] = {}
    with store.reading() as connection:
        for row in sorted(RowKey(*cells) for cells in connection.execute(query)):
            own = (row.subject, row.laterality, row.visit, row.reader, str(row.read_no))
            if own[: len(prefix)] == prefix:
                found.setdefault(own, []).append(row)
    return found


def withdrawn_readings(store: CohortStore) -> dict[tuple[str, ...], Record]:
    """The readings that are withdrawn: by whom, when and why."""
    return {record.key: record for record in store.current(WITHDRAWN_READING)}


def withdraw_reading(store: CohortStore, reading: ReadingId, *, actor: str, reason: str) -> int:
    """Take a reading out of the cohort; how many rows there were.

    Raises
    ------
    CohortError
        If no row was measured from it, or no reason is given.
    """
    if not reason.strip():
        raise CohortError(f"{store.name}: say why the reading is withdrawn")
    rows = readings_of(store, reading).get(reading, [])
    if not rows:
        raise CohortError(f"{store.name}: no row was measured from the reading {' '.join(reading)}")
    told = Entry(WITHDRAWN_READING, reading, {"rows": len(rows)}, reason)
    with store.appending(actor) as (connection, end):
        record(connection, end, [told], actor)
        return withdraw_rows(connection, end, rows, reason)


def put_back(store: CohortStore, reading: ReadingId, *, actor: str, reason: str) -> None:
    """Let a withdrawn reading be measured again.

    Raises
    ------
    CohortError
        If it is not withdrawn, or no reason is given.
    """
    if not reason.strip():
        raise CohortError(f"{store.name}: say why the reading is put back")
    if reading not in withdrawn_readings(store):
        raise CohortError(f"{store.name}: the reading {' '.join(reading)} is not withdrawn")
    store.record([Entry(WITHDRAWN_READING, reading, None, reason)], actor=actor)
