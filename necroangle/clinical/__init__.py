"""The clinical side of the cohort: subjects, hips, treatments, visits, events.

Fields and tables need nothing heavy; the importer and the editor bring the store when asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from necroangle.clinical.raw_table import Problem
from necroangle.entries import (
    FIELDS,
    KEYS,
    KINDS,
    REASONS,
    Field,
    field_named,
    fields_of,
    missing_name,
)

if TYPE_CHECKING:
    from necroangle.clinical.editing import edit_record, withdraw_record
    from necroangle.clinical.importing import open_table, plan_import, write_import
    from necroangle.clinical.mapping import TableMapping, load_mapping
    from necroangle.clinical.plan import Plan
    from necroangle.clinical.records import clinical_tables

__all__ = [
    "FIELDS",
    "KEYS",
    "KINDS",
    "REASONS",
    "Field",
    "Plan",
    "Problem",
    "TableMapping",
    "clinical_tables",
    "edit_record",
    "field_named",
    "fields_of",
    "load_mapping",
    "missing_name",
    "open_table",
    "plan_import",
    "withdraw_record",
    "write_import",
]

_LATER = {
    "Plan": "plan",
    "TableMapping": "mapping",
    "clinical_tables": "records",
    "edit_record": "editing",
    "load_mapping": "mapping",
    "open_table": "importing",
    "plan_import": "importing",
    "withdraw_record": "editing",
    "write_import": "importing",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
