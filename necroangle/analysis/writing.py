"""Rows of outcomes as CSV and JSON, digits in full."""

import json
from collections.abc import Mapping, Sequence

from necroangle.measurement.row import Cell
from necroangle.plain_text import quoted

__all__ = ["rows_as_csv", "rows_as_json"]


def rows_as_csv(rows: Sequence[Mapping[str, Cell]]) -> str:
    r"""CSV with a heading: commas, ``\n`` line ends, floats in full, empty where there is nothing.

    A text that a spreadsheet would take for a formula begins with an apostrophe.

    Examples
    --------
    >>> rows_as_csv([{"visit": "=m0", "n": 2, "p": 0.25, "words": None}])
    "visit,n,p,words\n'=m0,2,0.25,\n"
    >>> rows_as_csv([])
    ''
    """
    if not rows:
        return ""
    lines = [",".join(rows[0]), *(",".join(map(_cell, row.values())) for row in rows)]
    return "\n".join(lines) + "\n"


def rows_as_json(rows: Sequence[Mapping[str, Cell]], notes: Sequence[str]) -> str:
    r"""JSON: ``{"rows": [...], "notes": [...]}``, one row a line, ``null`` where there is nothing.

    Examples
    --------
    >>> print(rows_as_json([{"n": 2}], ["a note"]))
    {"rows": [
    {"n": 2}
    ],
    "notes": ["a note"]}
    """
    lines = ",\n".join(json.dumps(dict(row), allow_nan=False) for row in rows)
    return f'{{"rows": [\n{lines}\n],\n"notes": {json.dumps(list(notes))}}}\n'


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return quoted(str(cell)) if isinstance(cell, str) else repr(cell)
