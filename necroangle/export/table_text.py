"""The rows of the cohort as CSV and as JSON, as ``necroangle table`` prints them: every digit."""

import json
from collections.abc import Iterable

from necroangle.measurement.columns import NAMES
from necroangle.measurement.row import Cell, CohortRow
from necroangle.plain_text import quoted

__all__ = ["to_csv", "to_json"]


def to_csv(rows: Iterable[CohortRow]) -> str:
    r"""CSV with a heading: commas, ``\n`` line ends, floats in full, empty where there is nothing.

    A text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay
    numbers, negative ones too.
    """
    lines = [",".join(NAMES), *(",".join(map(_csv_cell, row.cells)) for row in rows)]
    return "\n".join(lines) + "\n"


def to_json(rows: Iterable[CohortRow]) -> str:
    r"""JSON: a list of objects, one per line, floats in full, ``null`` where there is nothing.

    Letters beyond ASCII are written as ``\u`` escapes, so that any terminal can take them.
    """
    lines = ",\n".join(json.dumps(dict(row), allow_nan=False) for row in rows)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return quoted(cell) if isinstance(cell, str) else repr(cell)
