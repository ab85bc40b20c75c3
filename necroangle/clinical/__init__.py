"""The clinical side of the cohort: subjects, hips, treatments, visits, events.

Fields and tables need nothing heavy; the importer and the editor bring the store when asked for.
"""

from typing import TYPE_CHECKING

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
from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.clinical.editing import edit_record, withdraw_record
    from necroangle.clinical.importing import open_table, plan_import, write_import
    from necroangle.clinical.mapping import TableMapping, load_mapping
    from necroangle.clinical.plan import Plan
    from necroangle.clinical.raw_table import Problem
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

__getattr__ = later(
    __name__,
    {
        ".editing": "edit_record withdraw_record",
        ".importing": "open_table plan_import write_import",
        ".mapping": "TableMapping load_mapping",
        ".plan": "Plan",
        ".raw_table": "Problem",
        ".records": "clinical_tables",
    },
)
