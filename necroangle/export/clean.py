"""Every value as its column may hold it: checked and cleaned, column by column."""

from collections.abc import Iterable, Sequence
from datetime import date
from math import isnan

from necroangle.errors import CohortError
from necroangle.export.column import ExportColumn, Value
from necroangle.export.missing import Missing
from necroangle.export.texts import clean_text

__all__ = ["LARGEST_REAL", "LARGEST_WHOLE", "clean_rows"]

LARGEST_REAL = 1e300
"""Above it stand the numbers that mean "missing" in Stata and SPSS."""

LARGEST_WHOLE = 2**53
"""What a double counts to without a gap; SPSS, Stata, SAS and R have no other number."""

_PYTHON: dict[str, type] = {"text": str, "whole": int, "real": float, "date": date}


def clean_rows(
    columns: Sequence[ExportColumn],
    rows: Iterable[Sequence[Value | None]],
    cut: dict[str, int],
) -> list[tuple[Value, ...]]:
    """The rows with every value clean.

    Parameters
    ----------
    columns
        What each place of a row holds.
    rows
        The rows; what is missing may be None or NaN.
    cut
        Is filled with the number of texts that were cut, by column.

    Raises
    ------
    CohortError
        Naming the column and what it cannot hold.
    """
    given = list(rows)
    wrong = {len(row) for row in given} - {len(columns)}
    if wrong:
        raise CohortError(f"a row has {min(wrong)} values for {len(columns)} columns")
    if not given:
        return []
    cells = zip(*given, strict=True)
    made = [_clean(column, list(one), cut) for column, one in zip(columns, cells, strict=True)]
    return list(zip(*made, strict=True))


def _clean(column: ExportColumn, cells: list[Value | None], cut: dict[str, int]) -> list[Value]:
    """One column; the checks look at the set of types, so that the usual case is one pass."""
    types = set(map(type, cells))
    if types - {_PYTHON[column.kind], Missing, type(None)}:
        raise CohortError(
            f"column {column.name} must hold a {column.kind}, found {_first_other(column, cells)}"
        )
    if column.kind == "real":
        cells = [None if type(c) is float and isnan(c) else c for c in cells]
    found: list[Value] = [Missing.NOT_DONE if c is None else c for c in cells]
    if not column.can_miss and Missing in set(map(type, found)):
        raise CohortError(f"column {column.name} must not be empty")
    if column.kind == "text":
        return _clean_texts(column, found, cut)
    if column.kind in {"real", "whole"}:
        return _clean_numbers(column, found)
    return found


def _first_other(column: ExportColumn, cells: Sequence[Value | None]) -> str:
    wanted = {_PYTHON[column.kind], Missing, type(None)}
    return next(f"{cell!r:.80}" for cell in cells if type(cell) not in wanted)


def _clean_texts(column: ExportColumn, cells: list[Value], cut: dict[str, int]) -> list[Value]:
    """Each text once: a column has few different ones, or short ones."""
    texts = {cell: clean_text(cell) for cell in set(cells) if isinstance(cell, str)}
    shortened = {text for text, (_, was_cut) in texts.items() if was_cut}
    if shortened:
        cut[column.name] = sum(cell in shortened for cell in cells)
    return [texts[cell][0] if type(cell) is str else cell for cell in cells]


def _clean_numbers(column: ExportColumn, cells: list[Value]) -> list[Value]:
    numbers = [cell for cell in cells if isinstance(cell, int | float)]
    limit = LARGEST_REAL if column.kind == "real" else LARGEST_WHOLE
    large = max(numbers, key=abs, default=0)
    if abs(large) > limit:
        said = "must be finite and below 1e+300" if column.kind == "real" else "is beyond 2**53"
        raise CohortError(f"column {column.name}: a number {said}, found {large}")
    if column.kind == "whole":
        return cells
    return [cell + 0.0 if type(cell) is float else cell for cell in cells]
