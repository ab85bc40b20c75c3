"""Rows of the cohort table: one by one, and many column by column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from necroangle.errors import CohortError
from necroangle.measurement.columns import COLUMNS, KEY, NAMES, number_column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from necroangle.annotation import HipReading
    from necroangle.measurement.columns import ColumnData
    from necroangle.measurement.measuring import HipMeasurement, Measured

Cell = str | int | float | None

_PLACES = {name: place for place, name in enumerate(NAMES)}
_RULES = tuple((column.name, column.kind, column.need == "maybe") for column in COLUMNS)
_TYPES = {"text": str, "whole": int, "real": float}
_KINDS = {column.name: column.kind for column in COLUMNS}
_KEY_LENGTH = len(KEY)


class RowKey(NamedTuple):
    """What makes a row one row. Rows are ordered by it."""

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    method: str

    def __str__(self) -> str:
        """One line for messages."""
        return (
            f"{self.subject} {self.laterality} {self.visit}, reader {self.reader}, "
            f"read {self.read_no}, method {self.method}"
        )


@dataclass(frozen=True, slots=True)
class CohortRow(Mapping[str, Cell]):
    """One row: a frozen mapping from column name to value, in the order of the columns.

    Attributes
    ----------
    cells
        One value per column: text, whole number, real number, or None where there is nothing to
        say. Never NaN.

    Raises
    ------
    CohortError
        If a value is missing, of the wrong type, or not a finite number; the message names the
        column.

    Examples
    --------
    >>> CohortRow(("S01", "L"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a row has ... values, found 2
    """

    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
        if len(self.cells) != len(COLUMNS):
            raise CohortError(f"a row has {len(COLUMNS)} values, found {len(self.cells)}")
        for (name, kind, empty_allowed), cell in zip(_RULES, self.cells, strict=True):
            if cell is None:
                if not empty_allowed:
                    raise CohortError(f"column {name} must not be empty")
            elif type(cell) is not _TYPES[kind]:
                raise CohortError(f"column {name} must hold a {kind}, found {cell!r:.80}")
            elif isinstance(cell, float) and not math.isfinite(cell):
                raise CohortError(f"column {name} must hold a finite number, found {cell!r}")

    @classmethod
    def of(cls, values: Mapping[str, Cell]) -> CohortRow:
        """Build a row from its values by column name.

        A negative zero becomes zero, as SQLite would make it: the same bits come back.

        Raises
        ------
        CohortError
            As for the class, or if a column is missing or unknown.
        """
        if values.keys() != _PLACES.keys():
            wrong = sorted(values.keys() ^ _PLACES.keys())
            raise CohortError(f"columns missing or unknown: {', '.join(wrong)}")
        return cls(tuple(_plain(values[name]) for name in NAMES))

    @classmethod
    def of_cells(cls, rows: Sequence[tuple[Cell, ...]]) -> list[CohortRow]:
        """Many rows, each checked as the class does; the checks go column by column.

        Raises
        ------
        CohortError
            As for the class.
        """
        if {len(row) for row in rows} != {len(COLUMNS)} or not all(
            map(_column_is_sound, _RULES, zip(*rows, strict=True))
        ):
            return list(map(cls, rows))  # which names the row and the column at fault
        return list(map(_checked_row, rows))

    @property
    def key(self) -> RowKey:
        """The key of the row."""
        return RowKey._make(self.cells[:_KEY_LENGTH])

    def __getitem__(self, name: str) -> Cell:
        return self.cells[_PLACES[name]]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a column, or the default where there is no such column."""
        place = _PLACES.get(name)
        return default if place is None else self.cells[place]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


def _column_is_sound(rule: tuple[str, str, bool], cells: Sequence[Cell]) -> bool:
    _, kind, empty_allowed = rule
    types = set(map(type, cells))
    if not types <= ({_TYPES[kind], type(None)} if empty_allowed else {_TYPES[kind]}):
        return False
    if kind != "real":
        return True
    # by the sum first: one number that is not finite makes it so
    there: list[Any] = [cell for cell in cells if cell is not None]
    return math.isfinite(sum(there)) or all(map(math.isfinite, there))


def _checked_row(cells: tuple[Cell, ...]) -> CohortRow:
    """A row whose cells have been checked."""
    row = object.__new__(CohortRow)
    object.__setattr__(row, "cells", cells)
    return row


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
    def of(cls, files: Sequence[str], rows: Sequence[CohortRow]) -> RowColumns:
        """Columns of rows.

        Examples
        --------
        >>> RowColumns.of([], []).rows()
        ()
        """
        cells = zip(*(row.cells for row in rows), strict=True) if rows else ([] for _ in NAMES)
        return cls(
            list(files), {name: _column(name, one) for name, one in zip(NAMES, cells, strict=True)}
        )

    @classmethod
    def measured(
        cls,
        files: Sequence[str],
        sha256: Sequence[str],
        found: Measured,
        names: Collection[str] = NAMES,
    ) -> RowColumns:
        """Columns of the readings that were measured; those that were refused have no row.

        Parameters
        ----------
        files, sha256
            The files of all readings, and the SHA-256 of their bytes.
        names
            The columns that are wanted.
        """
        columns: dict[str, ColumnData] = {
            one.name: one.get(found) for one in COLUMNS if one.name in names
        }
        if "annotation_sha256" in names:
            columns["annotation_sha256"] = list(sha256)
        plain = {
            name: data if isinstance(data, list) else data + 0.0  # no negative zero
            for name, data in columns.items()
        }
        rows = cls(list(files), plain)
        if not found.refused:
            return rows
        return rows.select([place for place in range(len(files)) if place not in found.refused])

    @classmethod
    def joined(cls, parts: Sequence[RowColumns]) -> RowColumns:
        """Several sets of rows as one, in their order."""
        if len(parts) == 1:
            return parts[0]
        files = [file for part in parts for file in part.files]
        return cls(files, {name: _together(parts, name) for name in NAMES})

    def __len__(self) -> int:
        return len(self.files)

    def rows(self) -> tuple[CohortRow, ...]:
        """The rows, each checked."""
        return tuple(CohortRow.of_cells(list(self.cells(NAMES))))

    def cells(self, names: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
        """Some cells of each row."""
        return zip(*(_cells(name, self.data[name]) for name in names), strict=True)

    def keys(self) -> list[RowKey]:
        """The keys of the rows."""
        return [RowKey(*key) for key in self.cells(KEY)]  # type: ignore[arg-type]

    def select(self, places: Sequence[int]) -> RowColumns:
        """Some of the rows, in the order asked for."""
        chosen = list(places)
        data: dict[str, ColumnData] = {}
        for name, one in self.data.items():
            data[name] = [one[k] for k in chosen] if isinstance(one, list) else one[chosen]
        return RowColumns([self.files[place] for place in places], data)


def _column(name: str, cells: Iterable[Cell]) -> ColumnData:
    if _KINDS[name] == "text":
        return list(cells)  # type: ignore[arg-type]
    return number_column(cells)


def _together(parts: Sequence[RowColumns], name: str) -> ColumnData:
    pieces = [part.data[name] for part in parts]
    if _KINDS[name] == "text":
        return [cell for piece in pieces if isinstance(piece, list) for cell in piece]
    if not pieces:
        return number_column(())
    import numpy as np

    return np.concatenate([piece for piece in pieces if not isinstance(piece, list)])


def _cells(name: str, data: ColumnData) -> list[Cell]:
    if isinstance(data, list):
        return list(data)
    numbers: list[float] = data.tolist()
    if _KINDS[name] == "whole":
        return [None if one != one else int(one) for one in numbers]
    return [None if one != one else one for one in numbers]


def to_row(reading: HipReading, measurement: HipMeasurement, sha256: str) -> CohortRow:
    """The row of a measured reading: one line of the columns that it was measured in.

    It holds no image identifier, no note and no time: measuring twice gives the same row.

    Parameters
    ----------
    reading
        What was measured.
    measurement
        ``measure(reading, method)``.
    sha256
        SHA-256 of the reading file's bytes, in hexadecimal.

    Raises
    ------
    CohortError
        If the measurement is of another reading.
    """
    measured, place = measurement.source
    names = ["" for _ in range(len(measured))]
    rows = RowColumns.measured(names, [sha256] * len(names), measured)
    kept = [one for one in range(len(measured)) if one not in measured.refused]
    (row,) = rows.select([kept.index(place)]).rows()
    if row.key[:-1] != reading.key:
        raise CohortError(f"the measurement is of {row.key}, not of {reading.key}")
    return row


def _plain(cell: Cell) -> Cell:
    """The value as a plain str, int or float: enum members by their value, -0.0 as 0.0."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, float):
        return float(cell) + 0.0
    return cell if cell is None else int(cell)
