"""How a row is shown to people: short words, angles to 0.1 degree, nothing that can harm."""

from necroangle import plain_text
from necroangle.measurement import show_deg
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.measurement.row import Cell, CohortRow
from necroangle.terms import UnreadReason

__all__ = ["HEADINGS", "all_cells", "harmless", "main_cells"]

HEADINGS = ("hip", "visit", "reader", "method", "A", "B", "CNA", "category", "flags")
"""Headings of :func:`main_cells`."""

_UNREAD = frozenset(map(str, UnreadReason))


def main_cells(row: CohortRow) -> tuple[str, ...]:
    """The main values of a row, in the order of :data:`HEADINGS`.

    A view that was not read shows why; it never looks like one without necrosis, which shows 0.
    """
    return (
        f"{harmless(row['subject'])} {harmless(row['laterality'])}",
        harmless(row["visit"]),
        f"{harmless(row['reader'])} #{row['read_no']}",
        harmless(row["method"]),
        _view_cell(row, "a"),
        _view_cell(row, "b"),
        _sum_cell(row),
        _category(row),
        _all_flags(row),
    )


def all_cells(row: CohortRow) -> tuple[tuple[str, str], ...]:
    """Every value of a row with the name of its column; values in full."""
    return tuple((column.name, _full_cell(column, row[column.name])) for column in COLUMNS)


def harmless(cell: Cell) -> str:
    r"""A value as text in which nothing steers a terminal: control characters are spelt out.

    Examples
    --------
    >>> harmless("S01\x1b[31m")
    'S01\\x1b[31m'
    >>> harmless(None)
    '–'
    """
    if cell is None:
        return "–"
    return plain_text.harmless(str(cell))


def _view_cell(row: CohortRow, side: str) -> str:
    status = str(row[f"{side}_status"])
    if status in _UNREAD:
        return status.replace("_", " ")
    return _show_angle(row[f"{side}_deg"])


def _show_angle(cell: Cell) -> str:
    return show_deg(cell if isinstance(cell, float) else None)


def _sum_cell(row: CohortRow) -> str:
    """The combined angle with half the width of its 95 % interval: ``218.3° ± 9.4°``."""
    angle, high = row["cna_deg"], row["cna_high_deg"]
    if isinstance(angle, float) and isinstance(high, float):
        return f"{show_deg(angle)} ± {show_deg(high - angle)}"
    return _show_angle(angle)


def _category(row: CohortRow) -> str:
    """Ha's grade and risk on MR, Kerboul's bin on radiographs."""
    if row["ha_grade"] is not None:
        return f"Ha {row['ha_grade']}, {harmless(row['ha_risk'])}"
    return f"Kerboul {harmless(row['kerboul'])}" if row["kerboul"] is not None else "–"


def _all_flags(row: CohortRow) -> str:
    """The doubts of both views and of the hip: ``A short rim, multi arc; hip radii differ``."""
    groups = (("A", row["a_flags"]), ("B", row["b_flags"]), ("hip", row["flags"]))
    return "; ".join(f"{label} {_short_words(flags)}" for label, flags in groups if flags)


def _short_words(flags: Cell) -> str:
    return ", ".join(harmless(flag.replace("_", " ")) for flag in str(flags).split(" "))


def _full_cell(column: Column, cell: Cell) -> str:
    shown = harmless(cell)
    return f"{shown} {column.unit}" if column.unit and cell is not None else shown
