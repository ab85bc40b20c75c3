"""The cohort, for users and notebooks: one row per hip, visit, reader, read and method.

The core itself imports from the packages behind it: :mod:`necroangle.measurement` (rows, columns)
and :mod:`necroangle.ledger` (store, table). The door opens in two steps: rows and columns need
nothing heavy; the store brings SQLAlchemy and the data frame pandas only when they are asked for,
so that a measurement waits for neither.
"""

from typing import TYPE_CHECKING

from necroangle.later import later
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.measurement.row import Cell, CohortRow, RowKey, to_row

if TYPE_CHECKING:
    from necroangle.analysis.frames import hip_visits, load
    from necroangle.ledger.records import Conflict, Entry, Event, Record, Recorded
    from necroangle.ledger.store import Changes, CohortStore

__all__ = [
    "COLUMNS",
    "Cell",
    "Changes",
    "CohortRow",
    "CohortStore",
    "Column",
    "Conflict",
    "Entry",
    "Event",
    "Record",
    "Recorded",
    "RowKey",
    "hip_visits",
    "load",
    "to_row",
]

__getattr__ = later(
    __name__,
    {
        "necroangle.analysis.frames": "hip_visits load",
        "necroangle.ledger.records": "Conflict Entry Event Record Recorded",
        "necroangle.ledger.store": "Changes CohortStore",
    },
)
