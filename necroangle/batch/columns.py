"""Rows of the cohort as columns: how a batch keeps them, and how they travel between processes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.measurement.columns import COLUMNS, KEY, NAMES
from necroangle.measurement.row import Cell, CohortRow, RowKey

__all__ = ["ColumnData", "RowColumns", "column_data"]

ColumnData = NDArray[np.float64] | list[str | None]
"""Numbers with NaN, or texts with None, where a row says nothing."""

_KINDS = {column.name: column.kind for column in COLUMNS}


@dataclass(frozen=True, slots=True, eq=False)
class RowColumns:
    """Rows of the cohort, column by column.

    Attributes
    ----------
    files
        The file that each row comes from.
    data
        One entry per column of the cohort. Whole and real numbers are float64 with NaN where there
        is nothing (a row never holds NaN); texts are lists with None.
    """

    files: list[str]
    data: Mapping[str, ColumnData]

    @classmethod
    def of(cls, files: Sequence[str], rows: Sequence[CohortRow]) -> "RowColumns":
        """Columns of rows.

        Examples
        --------
        >>> RowColumns.of([], []).rows()
        ()
        """
        cells = zip(*(row.cells for row in rows), strict=True) if rows else ([] for _ in NAMES)
        return cls(
            list(files),
            {name: column_data(name, one) for name, one in zip(NAMES, cells, strict=True)},
        )

    @classmethod
    def joined(cls, parts: Sequence["RowColumns"]) -> "RowColumns":
        """Several sets of rows as one, in their order."""
        if len(parts) == 1:
            return parts[0]
        files = [file for part in parts for file in part.files]
        return cls(files, {name: _together(parts, name) for name in NAMES})

    def __len__(self) -> int:
        return len(self.files)

    def rows(self) -> tuple[CohortRow, ...]:
        """The rows, each checked."""
        return tuple(map(CohortRow, self.cells(NAMES)))

    def cells(self, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
        """Some cells of each row."""
        return zip(*(_cells(name, self.data[name]) for name in names), strict=True)

    def keys(self) -> list[RowKey]:
        """The keys of the rows."""
        return [RowKey(*key) for key in self.cells(KEY)]  # type: ignore[arg-type]

    def select(self, places: Sequence[int]) -> "RowColumns":
        """Some of the rows, in the order asked for."""
        chosen = np.array(places, np.intp)
        data: dict[str, ColumnData] = {}
        for name, one in self.data.items():
            data[name] = one[chosen] if isinstance(one, np.ndarray) else [one[k] for k in places]
        return RowColumns([self.files[place] for place in places], data)


def column_data(name: str, cells: Iterable[Cell]) -> ColumnData:
    """The cells of one column."""
    if _KINDS[name] == "text":
        return list(cells)  # type: ignore[arg-type]
    return np.array([np.nan if cell is None else cell for cell in cells], float)


def _together(parts: Sequence[RowColumns], name: str) -> ColumnData:
    pieces = [part.data[name] for part in parts]
    if _KINDS[name] == "text":
        return [cell for piece in pieces if isinstance(piece, list) for cell in piece]
    arrays = [piece for piece in pieces if isinstance(piece, np.ndarray)]
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _cells(name: str, data: ColumnData) -> list[Cell]:
    if isinstance(data, list):
        return list(data)
    numbers: list[float] = data.tolist()
    if _KINDS[name] == "whole":
        return [None if one != one else int(one) for one in numbers]
    return [None if one != one else one for one in numbers]
