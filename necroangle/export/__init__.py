"""The cohort on its way to statistics: one table, every format, labels and codes in each.

``build_table`` makes a long table of measured and clinical rows, ``to_wide`` puts the visits beside
each other, ``write_export`` writes a folder. Nothing heavy is imported before it is needed.
"""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.export.columns import ExportColumn, Missing
    from necroangle.export.folder import Provenance, write_export
    from necroangle.export.keys import ReadingFacts, contents_in, facts_from, facts_of
    from necroangle.export.privacy import load_secret, smallest_cell
    from necroangle.export.rows import ExportSource, build_table
    from necroangle.export.table import ExportTable
    from necroangle.export.wide import to_wide

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

__getattr__ = later(
    __name__,
    {
        ".columns": "ExportColumn Missing",
        ".folder": "Provenance write_export",
        ".keys": "ReadingFacts contents_in facts_from facts_of",
        ".privacy": "load_secret smallest_cell",
        ".rows": "ExportSource build_table",
        ".table": "ExportTable",
        ".wide": "to_wide",
    },
)
