"""The cohort on its way to statistics: one table, every format, labels and codes in each.

``build_table`` makes a long table of measured and clinical rows, ``to_wide`` puts the visits beside
each other, ``write_export`` writes a folder. Nothing heavy is imported before it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from necroangle.export.build import build_table
from necroangle.export.facts import ReadingFacts, contents_in, facts_from, facts_of
from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable
from necroangle.export.privacy import load_secret, smallest_cell
from necroangle.export.provenance import Provenance
from necroangle.export.row_builder import ExportSource
from necroangle.export.wide import to_wide

if TYPE_CHECKING:
    from necroangle.export.folder import write_export

__all__ = [
    "ExportColumn",
    "ExportSource",
    "ExportTable",
    "Missing",
    "Provenance",
    "ReadingFacts",
    "build_table",
    "contents_in",
    "facts_from",
    "facts_of",
    "load_secret",
    "smallest_cell",
    "to_wide",
    "write_export",
]


def __getattr__(name: str) -> Any:
    if name != "write_export":  # its writers bring pandas
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.folder").write_export
