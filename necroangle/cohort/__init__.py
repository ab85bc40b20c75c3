"""The cohort: one row per hip, visit, reader, read and method.

The door opens in two steps: rows and columns need nothing heavy; the store brings SQLAlchemy and
the data frame pandas only when they are asked for, so that a measurement waits for neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from necroangle.cohort.columns import COLUMNS, Column
from necroangle.cohort.row import Cell, CohortRow, RowKey, to_row

if TYPE_CHECKING:
    from necroangle.cohort.ledger import Conflict, Entry, Event, Record, Recorded
    from necroangle.cohort.ledger_visits import HipVisit
    from necroangle.cohort.store import Changes, CohortStore
    from necroangle.cohort.table import load

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
    "HipVisit",
    "Record",
    "Recorded",
    "RowKey",
    "load",
    "to_row",
]

_LATER = {
    "Changes": "store",
    "CohortStore": "store",
    "Conflict": "ledger",
    "Entry": "ledger",
    "Event": "ledger",
    "HipVisit": "ledger_visits",
    "Record": "ledger",
    "Recorded": "ledger",
    "load": "table",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
