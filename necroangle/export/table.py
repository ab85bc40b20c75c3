"""What every writer gets: columns that say what they are, and their values, checked and ordered.

Values are kept column by column, numbers as arrays: an export of 20,000 readings has seven million
cells, and one Python object for each would cost more than measuring the readings.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Missing, Value, clean_text

LARGEST_REAL = 1e300
"""Above it stand the numbers that mean "missing" in Stata and SPSS."""

LARGEST_WHOLE = 2**53
"""What a double counts to without a gap; SPSS, Stata, SAS and R have no other number."""

REASONS = (None, *Missing)
"""What a number of :attr:`Cells.why` means."""

PLACES = {reason: place for place, reason in enumerate(REASONS)}
"""The number of each reason."""

_LETTERS = np.array(["", *(f".{reason.letter}" for reason in Missing)], dtype=object)
_PYTHON: dict[str, type] = {"text": str, "whole": int, "real": float, "date": date}
_DAY = "datetime64[D]"


class Cells(NamedTuple):
    """The values of one column.

    Attributes
    ----------
    values
        Whole and real numbers as float64, NaN where one is missing; texts as a list, empty where
        one is missing; dates as ``datetime64[D]``.
    why
        For each row 0 where there is a value, else the place of the reason in :data:`REASONS`.
    """

    values: NDArray[Any] | list[str]
    why: NDArray[np.int8]

    def take(self, places: NDArray[np.intp]) -> "Cells":
        """The cells of some rows, in the order asked for."""
        values = self.values
        if isinstance(values, list):
            return Cells([values[place] for place in places.tolist()], self.why[places])
        return Cells(values[places], self.why[places])

    def without(self, rows: NDArray[np.bool_]) -> "Cells":
        """The same with no value in some rows: there the question does not arise."""
        if not rows.any():
            return self
        why = np.where(rows, np.int8(PLACES[Missing.NOT_APPLICABLE]), self.why)
        if isinstance(self.values, list):
            texts = zip(rows.tolist(), self.values, strict=True)
            return Cells(["" if gone else text for gone, text in texts], why)
        nothing = np.datetime64("NaT") if self.values.dtype.kind == "M" else np.nan
        return Cells(np.where(rows, nothing, self.values), why)


Given: TypeAlias = Cells | Sequence[Value | None]
"""A column as its maker has it: arrays that are sound, or values that are still to be checked."""


@dataclass(frozen=True)
class ExportTable:
    """A table ready to be written.

    Build it with :meth:`of` or :meth:`of_columns`.

    Attributes
    ----------
    columns
        The columns, the keys first.
    data
        The values of each column, in the order of the rows' keys.
    unit
        What one row is, in words.
    keys
        How many columns, from the first, make a row one row.
    notes
        What the reader of the table must know (texts that were cut, keys that were not given).
    """

    columns: tuple[ExportColumn, ...]
    data: tuple[Cells, ...]
    unit: str
    keys: int
    notes: tuple[str, ...] = ()

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
        given = list(rows)
        wrong = {len(row) for row in given} - {len(columns)}
        if wrong:
            raise CohortError(f"a row has {min(wrong)} values for {len(columns)} columns")
        cells: list[Sequence[Value | None]] = [list(one) for one in zip(*given, strict=True)]
        return cls.of_columns(
            columns, cells or [[] for _ in columns], unit=unit, keys=keys, notes=notes
        )

    @classmethod
    def of_columns(
        cls,
        columns: Sequence[ExportColumn],
        given: Sequence[Given],
        *,
        unit: str,
        keys: int,
        notes: Sequence[str] = (),
    ) -> "ExportTable":
        """The same of values that are given column by column.

        Raises
        ------
        CohortError
            As :meth:`of`.
        """
        names = [column.name for column in columns]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise CohortError(f"columns that occur twice: {', '.join(double)}")
        cut: dict[str, int] = {}
        data = [_clean(column, one, cut) for column, one in zip(columns, given, strict=True)]
        order = _order_of(data[:keys])
        data = [cells.take(order) for cells in data]
        _refuse_duplicates(columns[:keys], data[:keys])
        said = [
            f"{name}: {count} texts cut to 2000 bytes, each ends with …"
            for name, count in cut.items()
        ]
        return cls(tuple(columns), tuple(data), unit, keys, (*notes, *said))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.data[0].why) if self.data else 0

    def place(self, name: str) -> int | None:
        """Place of a column, None where there is none of that name."""
        return next((n for n, column in enumerate(self.columns) if column.name == name), None)

    def values(self, place: int) -> list[Value]:
        """The values of a column as Python has them; what is missing is a :class:`Missing`."""
        cells, kind = self.data[place], self.columns[place].kind
        found: list[Any] = list(cells.values) if kind == "text" else cells.values.tolist()  # type: ignore[union-attr]
        if kind == "whole":
            found = [number if number != number else int(number) for number in found]
        for row in np.flatnonzero(cells.why).tolist():
            found[row] = REASONS[cells.why[row]]
        return found

    @cached_property
    def rows(self) -> tuple[tuple[Value, ...], ...]:
        """The values row by row."""
        return tuple(zip(*map(self.values, range(len(self.columns))), strict=True))

    @cached_property
    def texts(self) -> tuple[NDArray[np.object_], ...]:
        """Every value as text, column by column: digits in full, ISO dates, missing is empty."""
        return tuple(
            _texts(column, cells) for column, cells in zip(self.columns, self.data, strict=True)
        )

    @cached_property
    def canonical_sha256(self) -> str:
        r"""SHA-256 of the canonical table: one line per row, lines sorted, fixed formats.

        The heading has name and kind of every column. Values stand between unit separators
        (``\x1f``), texts after a ``"``, missing ones are ``.a``, ``.b`` or ``.c``. The order of the
        rows does not matter.
        """
        heading = "\x1f".join(f"{column.name}:{column.kind}" for column in self.columns)
        columns = []
        for column, cells, texts in zip(self.columns, self.data, self.texts, strict=True):
            shown = '"' + texts if column.kind == "text" else texts
            gone = np.flatnonzero(cells.why)
            if gone.size:
                shown = shown.copy()
                shown[gone] = _LETTERS[cells.why[gone]]
            columns.append(shown.tolist())
        lines = sorted(map("\x1f".join, zip(*columns, strict=True)))
        return hashlib.sha256("\x1e".join([heading, *lines]).encode()).hexdigest()


def _clean(column: ExportColumn, given: Given, cut: dict[str, int]) -> Cells:
    """One column, checked; ``cut`` is told how many texts were cut."""
    cells = given if isinstance(given, Cells) else cells_of(column, given)
    if not column.can_miss and cells.why.any():
        raise CohortError(f"column {column.name} must not be empty")
    if isinstance(cells.values, list):
        texts = {text: clean_text(text) for text in set(cells.values)}
        shortened = {text for text, (_, was_cut) in texts.items() if was_cut}
        if shortened:
            cut[column.name] = sum(text in shortened for text in cells.values)
        return Cells([texts[text][0] for text in cells.values], cells.why)
    if column.kind == "date":
        return cells
    limit = _limit(column)
    _refuse_large(column, cells.values[np.abs(cells.values) >= limit].tolist())
    return Cells(cells.values + 0.0, cells.why)


def cells_of(column: ExportColumn, given: Sequence[Value | None]) -> Cells:
    """Values as arrays; None and NaN become "not done".

    Raises
    ------
    CohortError
        If a value is of another kind than the column, or a number is larger than any file holds.
    """
    kind = _PYTHON[column.kind]
    types = set(map(type, given))
    if types - {kind, Missing, type(None)}:
        other = next(
            f"{cell!r:.80}" for cell in given if type(cell) not in {kind, Missing, type(None)}
        )
        raise CohortError(f"column {column.name} must hold a {column.kind}, found {other}")
    why = np.zeros(len(given), np.int8)
    bare: Sequence[Any] = given
    if types != {kind}:
        places: dict[object, int] = {**PLACES, None: PLACES[Missing.NOT_DONE]}
        why = np.array([0 if type(one) is kind else places[one] for one in given], np.int8)
        bare = [one if type(one) is kind else None for one in given]
    if column.kind == "text":
        return Cells(["" if cell is None else cell for cell in bare], why)
    if column.kind == "date":
        return Cells(np.array(bare, dtype=_DAY), why)
    if column.kind == "whole":  # before they are doubles, which round what is too large
        _refuse_large(column, (cell for cell in bare if cell is not None))
    values = np.array(bare, dtype=np.float64)
    why[np.isnan(values) & (why == 0)] = PLACES[Missing.NOT_DONE]
    return Cells(values, why)


def _limit(column: ExportColumn) -> float:
    return LARGEST_REAL if column.kind == "real" else LARGEST_WHOLE


def _refuse_large(column: ExportColumn, numbers: Iterable[Any]) -> None:
    large = max(numbers, key=abs, default=0)
    if abs(large) > _limit(column):
        said = "must be finite and below 1e+300" if column.kind == "real" else "is beyond 2**53"
        raise CohortError(f"column {column.name}: a number {said}, found {large}")


def _order_of(keys: Sequence[Cells]) -> NDArray[np.intp]:
    """The order of the rows by their keys: values by size, a missing one last."""
    levels: list[NDArray[Any]] = []
    for values, why in keys:
        if isinstance(values, list):  # texts by their rank
            values = np.unique(_objects(values), return_inverse=True)[1]
        levels += [why, values]
    return np.lexsort(levels[::-1]) if levels else np.arange(0)


def _refuse_duplicates(columns: Sequence[ExportColumn], keys: Sequence[Cells]) -> None:
    """Refuse rows of one key; they stand beside each other, since the rows are in order."""
    if not keys or len(keys[0].why) < 2:
        return
    same = np.ones(len(keys[0].why) - 1, bool)
    for values, why in keys:
        one = _objects(values) if isinstance(values, list) else values
        same &= (why[1:] == why[:-1]) & ((one[1:] == one[:-1]) | (why[1:] > 0))
    if not same.any():
        return
    count: dict[tuple[str, ...], int] = {}
    shown = [
        np.where(cells.why > 0, _LETTERS[cells.why], _texts(column, cells)).tolist()
        for column, cells in zip(columns, keys, strict=True)
    ]
    for row in np.flatnonzero(same).tolist():
        key = tuple(texts[row] for texts in shown)
        count[key] = count.get(key, 1) + 1
    names = [column.name for column in columns]
    keys_shown = [
        " ".join(map(" ".join, zip(names, key, strict=True))) + f" ({times} rows)"
        for key, times in list(count.items())[:20]
    ]
    more = f"; and {len(count) - 20} more" if len(count) > 20 else ""
    number = "1 key stands" if len(count) == 1 else f"{len(count)} keys stand"
    raise CohortError(
        f"{number} in more than one row: {'; '.join(keys_shown)}{more}; choose one reading per row "
        "with --reader, --method or --unit hip_visit"
    )


def _texts(column: ExportColumn, cells: Cells) -> NDArray[np.object_]:
    """Each value as text, empty where it is missing; only what is there is written."""
    texts = np.full(len(cells.why), "", dtype=object)
    there = np.flatnonzero(cells.why == 0)
    if isinstance(cells.values, list):
        texts[:] = cells.values
    elif column.kind == "real":
        texts[there] = _real_texts(cells.values[there])
    elif column.kind == "whole":
        texts[there] = list(map(str, cells.values[there].astype(np.int64).tolist()))
    else:
        texts[there] = cells.values[there].astype(str)
    return texts


def _objects(texts: list[str]) -> NDArray[np.object_]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


def _real_texts(numbers: NDArray[np.float64]) -> list[str]:
    """Numbers in full, as Python writes them; msgspec does so four times as fast.

    It writes the exponents of very small and very large numbers otherwise.
    """
    if not numbers.size:
        return []
    texts = msgspec.json.encode(numbers.tolist()).decode()[1:-1].split(",")
    size = np.abs(numbers)
    for place in np.flatnonzero(((size < 1e-4) & (size > 0)) | (size >= 1e16)).tolist():
        texts[place] = repr(float(numbers[place]))
    return texts
