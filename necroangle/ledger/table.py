"""The cohort table for people and programs: data frame, printed words, CSV and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from necroangle.entries import READ_FIELDS
from necroangle.measurement import NO_NECROSIS, is_without_necrosis, show_deg
from necroangle.measurement.columns import COLUMNS, NAMES, Column
from necroangle.plain_text import csv_line, harmless
from necroangle.terms import UnreadReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from necroangle.measurement.row import Cell, CohortRow

HEADINGS = ("hip", "visit", "reader", "method", "A", "B", "CNA", "category", "flags")
"""Headings of :func:`main_cells`."""

_UNREAD = frozenset(map(str, UnreadReason))

_DTYPES = {"text": "string", "whole": "Int64", "real": "Float64"}

_ORDERED = frozenset(
    {
        "ha_risk",
        "kerboul",
        "koo_kim_size_prov",
        "jic_type_prov",
        "collapse_arco",
        "collapse_jic",
        *(field.name for field in READ_FIELDS if field.choices and field.choices.is_ordered),
    }
)
"""Columns whose allowed words rise in the order in which they are declared."""

_STEPS = {"ha_grade": (1, 2, 3, 4), "arco2021_type": (1, 2, 3)}
"""Columns of whole numbers that are steps, not amounts."""


def frame_of(rows: Sequence[CohortRow]) -> pd.DataFrame:
    """Measured rows as a data frame, one column per column of the cohort.

    Examples
    --------
    >>> frame_of([])["ha_grade"].dtype.categories.tolist()
    [1, 2, 3, 4]
    """
    import pandas as pd  # half a second, which nobody else should wait for

    return pd.DataFrame(
        {
            column.name: pd.Series([row[column.name] for row in rows], dtype=_dtype(column))
            for column in COLUMNS
        }
    )


def _dtype(column: Column) -> str | pd.CategoricalDtype:
    import pandas as pd

    if column.name in _STEPS:
        return pd.CategoricalDtype(list(_STEPS[column.name]), ordered=True)
    if column.kind == "text" and column.allowed and not column.holds_several:
        return pd.CategoricalDtype(list(column.allowed), ordered=column.name in _ORDERED)
    return _DTYPES[column.kind]


def main_cells(row: CohortRow) -> tuple[str, ...]:
    """The main values of a row, in the order of :data:`HEADINGS`.

    A view that was not read shows why; it never looks like one without necrosis, which shows 0.
    """
    return (
        f"{show_cell(row['subject'])} {show_cell(row['laterality'])}",
        show_cell(row["visit"]),
        f"{show_cell(row['reader'])} #{row['read_no']}",
        show_cell(row["method"]),
        _view_cell(row, "a"),
        _view_cell(row, "b"),
        _sum_cell(row),
        _category(row),
        _all_flags(row),
    )


def all_cells(row: CohortRow) -> tuple[tuple[str, str], ...]:
    """Every value of a row with the name of its column; values in full."""
    return tuple((column.name, _full_cell(column, row[column.name])) for column in COLUMNS)


def show_cell(cell: Cell) -> str:
    r"""A value as text in which nothing steers a terminal: control characters are spelt out.

    Examples
    --------
    >>> show_cell("S01\x1b[31m")
    'S01\\x1b[31m'
    >>> show_cell(None)
    '–'
    """
    if cell is None:
        return "–"
    return harmless(str(cell))


def _view_cell(row: CohortRow, side: str) -> str:
    status = str(row[f"{side}_status"])
    if status in _UNREAD:
        return status.replace("_", " ")
    return _show_angle(row[f"{side}_deg"])


def _show_angle(cell: Cell) -> str:
    return show_deg(cell if isinstance(cell, float) else None)


def _sum_cell(row: CohortRow) -> str:
    """The combined angle with half the width of its 95 % interval: ``218.3° ± 9.4°``.

    An interval that 0° or 720° cuts is shown by its ends: ``0.0° (0.0° to 7.9°)``.
    """
    angle, low, high = row["cna_deg"], row["cna_low_deg"], row["cna_high_deg"]
    if not (isinstance(angle, float) and isinstance(low, float) and isinstance(high, float)):
        return _show_angle(angle)
    if abs((high - angle) - (angle - low)) < 0.05:
        return f"{show_deg(angle)} ± {show_deg(high - angle)}"
    return f"{show_deg(angle)} ({show_deg(low)} to {show_deg(high)})"


def _category(row: CohortRow) -> str:
    """Ha's grade and risk on MR, Kerboul's bin on radiographs; neither without necrosis."""
    if is_without_necrosis(str(row["a_status"]), str(row["b_status"])):
        return NO_NECROSIS
    if row["ha_grade"] is not None:
        return f"Ha {row['ha_grade']}, {show_cell(row['ha_risk'])}"
    return f"Kerboul {show_cell(row['kerboul'])}" if row["kerboul"] is not None else "–"


def _all_flags(row: CohortRow) -> str:
    """The doubts of both views and of the hip: ``A short rim, multi arc; hip radii differ``."""
    groups = (("A", row["a_flags"]), ("B", row["b_flags"]), ("hip", row["flags"]))
    return "; ".join(f"{label} {_short_words(flags)}" for label, flags in groups if flags)


def _short_words(flags: Cell) -> str:
    return ", ".join(harmless(flag.replace("_", " ")) for flag in str(flags).split(" "))


def _full_cell(column: Column, cell: Cell) -> str:
    text = show_cell(cell)
    return f"{text} {column.unit}" if column.unit and cell is not None else text


def to_csv(rows: Iterable[CohortRow]) -> str:
    """CSV with a heading; cells as by :func:`necroangle.plain_text.csv_line`."""
    return "".join(map(csv_line, (NAMES, *(row.cells for row in rows))))


def to_json(rows: Iterable[CohortRow]) -> str:
    r"""JSON: a list of objects, one per line, floats in full, ``null`` where there is nothing.

    Letters beyond ASCII are written as ``\u`` escapes, so that any terminal can take them.
    """
    lines = ",\n".join(json.dumps(dict(row), allow_nan=False) for row in rows)
    return f"[\n{lines}\n]\n" if lines else "[]\n"
