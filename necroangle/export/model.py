"""What every writer gets: columns that say what they are, and rows in the order of their keys."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from necroangle.errors import CohortError
from necroangle.export.clean import clean_rows
from necroangle.export.column import NAME_RULE, ExportColumn, Kind, Value
from necroangle.export.missing import Missing

__all__ = ["NAME_RULE", "ExportColumn", "ExportTable", "Kind", "Value"]

Filling = str | int | float | None

_LETTERS = {reason: f".{reason.letter}" for reason in Missing}


@dataclass(frozen=True)
class ExportTable:
    """A table ready to be written.

    Build it with :meth:`of`.

    Attributes
    ----------
    columns
        The columns, the keys first.
    rows
        One tuple of values per row, ordered by key; what is missing is a :class:`Missing`.
    unit
        What one row is, in words.
    keys
        How many columns, from the first, make a row one row.
    notes
        What the reader of the table must know (texts that were cut, keys that were not given).
    """

    columns: tuple[ExportColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    unit: str
    keys: int
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        columns: Sequence[ExportColumn],
        rows: Iterable[Sequence[Value | None]],
        *,
        unit: str,
        keys: int,
        notes: Sequence[str] = (),
    ) -> "ExportTable":
        """Check and clean every value, order the rows, refuse duplicates.

        NaN and None become "not done", -0.0 becomes 0.0, control characters leave the texts, and a
        text of more than 2000 bytes is cut and the cut is noted.

        Raises
        ------
        CohortError
            If two rows have one key (each is named), a number is infinite, a value is of another
            kind than its column, or a name stands twice.

        Examples
        --------
        >>> columns = (ExportColumn("hip_id", "text", "Hip"), ExportColumn("x", "real", "X"))
        >>> ExportTable.of(columns, [("S2_L", -0.0), ("S1_R", None)], unit="hip", keys=1).rows
        (('S1_R', <Missing.NOT_DONE: ...>), ('S2_L', 0.0))
        >>> ExportTable.of(columns, [("S1_L", 1.0), ("S1_L", 2.0)], unit="hip", keys=1)
        Traceback (most recent call last):
        ...
        necroangle.errors.CohortError: 1 key stands in more than one row: hip_id S1_L (2 rows); ...
        """
        _refuse_double_names(columns)
        cut: dict[str, int] = {}
        clean = clean_rows(columns, rows, cut)
        clean.sort(key=lambda row: tuple(map(_order, row[:keys])))
        _refuse_duplicates(columns[:keys], clean)
        said = [
            f"{name}: {count} texts cut to 2000 bytes, each ends with …"
            for name, count in cut.items()
        ]
        return cls(tuple(columns), tuple(clean), unit, keys, (*notes, *said))

    @cached_property
    def cells(self) -> tuple[tuple[Value, ...], ...]:
        """The values column by column."""
        if not self.rows:
            return tuple(() for _ in self.columns)
        return tuple(zip(*self.rows, strict=True))

    @cached_property
    def gaps(self) -> tuple[dict[Missing, list[int]], ...]:
        """Rows in which a value is missing, by the reason, column by column."""
        return tuple(map(_gaps, self.cells))

    def filled(
        self, place: int, fill: Mapping[Missing, Filling], rest: Filling | None = None
    ) -> list[Any]:
        """The values of a column with something else for what is missing.

        Parameters
        ----------
        place
            Which column.
        fill
            What stands for each reason.
        rest
            What stands for every value that is not missing; the value itself where None.
        """
        cells = self.cells[place]
        found: list[Any] = list(cells) if rest is None else [rest] * len(cells)
        for reason, rows in self.gaps[place].items():
            for row in rows:
                found[row] = fill[reason]
        return found

    @cached_property
    def written(self) -> tuple[list[str], ...]:
        """Every value as text, column by column: digits in full, ISO dates, missing as ``.a``."""
        return tuple(self._written(place) for place in range(len(self.columns)))

    def _written(self, place: int) -> list[str]:
        if self.columns[place].kind == "text":
            return self.filled(place, _LETTERS)
        texts = list(map(str, self.filled(place, dict.fromkeys(Missing, 0))))
        for reason, rows in self.gaps[place].items():
            for row in rows:
                texts[row] = _LETTERS[reason]
        return texts

    @cached_property
    def canonical_sha256(self) -> str:
        r"""SHA-256 of the canonical table: one line per row, lines sorted, fixed formats.

        The heading has name and kind of every column. Values stand between unit separators
        (``\x1f``), texts after a ``"``. The order of the rows does not matter.
        """
        heading = "\x1f".join(f"{column.name}:{column.kind}" for column in self.columns)
        columns = [
            [
                '"' + text if type(cell) is str else text
                for text, cell in zip(texts, cells, strict=True)
            ]
            if column.kind == "text"
            else texts
            for column, texts, cells in zip(self.columns, self.written, self.cells, strict=True)
        ]
        lines = sorted("\x1f".join(row) for row in zip(*columns, strict=True))
        return hashlib.sha256("\x1e".join([heading, *lines]).encode()).hexdigest()


def _gaps(cells: tuple[Value, ...]) -> dict[Missing, list[int]]:
    found: dict[Missing, list[int]] = {}
    for place in [n for n, cell in enumerate(cells) if type(cell) is Missing]:
        found.setdefault(cells[place], []).append(place)  # type: ignore[arg-type]
    return found


def _text_of(cell: Value) -> str:
    if type(cell) is str:
        return cell
    if isinstance(cell, Missing):
        return f".{cell.letter}"
    return cell.isoformat() if isinstance(cell, date) else repr(cell)


def _order(cell: Value) -> tuple[int, int | float, str]:
    """Numbers by size, then texts; a missing key last."""
    if isinstance(cell, Missing):
        return 2, -cell.code, ""
    return (0, cell, "") if isinstance(cell, int | float) else (1, 0, str(cell))


def _refuse_double_names(columns: Sequence[ExportColumn]) -> None:
    names = [column.name for column in columns]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise CohortError(f"columns that stand twice: {', '.join(double)}")


def _refuse_duplicates(keys: Sequence[ExportColumn], rows: Sequence[tuple[Value, ...]]) -> None:
    count: dict[tuple[Value, ...], int] = {}
    for row in rows:
        key = row[: len(keys)]
        count[key] = count.get(key, 0) + 1
    double = {key: times for key, times in count.items() if times > 1}
    if double:
        raise CohortError(_duplicates(keys, double))


def _duplicates(keys: Sequence[ExportColumn], double: dict[tuple[Value, ...], int]) -> str:
    shown = [
        " ".join(f"{column.name} {_text_of(cell)}" for column, cell in zip(keys, key, strict=True))
        + f" ({times} rows)"
        for key, times in list(double.items())[:20]
    ]
    more = f"; and {len(double) - 20} more" if len(double) > 20 else ""
    number = "1 key stands" if len(double) == 1 else f"{len(double)} keys stand"
    return (
        f"{number} in more than one row: {'; '.join(shown)}{more}; choose one reading per row with "
        "--reader, --method or --unit hip_visit"
    )
