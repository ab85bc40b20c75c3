"""The cells of one XLSX sheet, taken as they pass by."""

import re
from collections.abc import Iterator, Mapping

from necroangle.clinical.number_text import number_text
from necroangle.clinical.problem import Problem, fatal, warning
from necroangle.clinical.shared_texts import unescape
from necroangle.clinical.sheet import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from necroangle.errors import CohortError

__all__ = ["Formats", "WorksheetReader"]

Formats = tuple[tuple[str | None, bool], ...]
"""For each cell style, its format's code and whether that shows a date."""

MAX_LETTERS = 32 << 20
"""In all cells together; one text may stand in many."""

_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class WorksheetReader:
    """Takes the elements of a sheet and keeps its cells as texts.

    Parameters
    ----------
    texts
        The workbook's shared texts.
    formats
        Number formats by cell style.
    from_1904
        Whether days are counted from 1904.
    """

    def __init__(self, texts: list[str], formats: Formats, from_1904: bool) -> None:
        self._texts = texts
        self._formats = formats
        self._from_1904 = from_1904
        self._rows: dict[int, dict[int, str]] = {}
        self._problems: list[Problem] = []
        self._formulas: dict[int, list[int]] = {}
        self._row = self._column = self._cells = self._letters = self._hidden = 0
        self._kind = self._style = ""
        self._has_formula = False
        self._value: list[str] | None = None
        self._pieces: list[str] = []
        self._in_aid = False

    def on_start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if element == "c":
            self._begin_cell(attributes)
        elif element == "v" or (element == "t" and not self._in_aid):
            self._value = []
        elif element == "f":
            self._has_formula = True
        elif element == "row":
            self._begin_row(attributes)
        elif element == "rPh":
            self._in_aid = True
        elif element == "mergeCell":
            self._take_merged(attributes.get("ref", ""))

    def on_text(self, text: str) -> None:
        """Take a piece of text."""
        if self._value is not None:
            self._value.append(text)

    def on_end(self, element: str) -> None:
        """Take the end of an element."""
        if element in {"v", "t"} and self._value is not None:
            self._pieces += self._value
            self._value = None
        elif element == "rPh":
            self._in_aid = False
        elif element == "c":
            self._end_cell()

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that hold something, in order, each as wide as its last cell."""
        for number in sorted(self._rows):
            cells = self._rows[number]
            yield number, [cells.get(column, "") for column in range(1, max(cells) + 1)]

    def problems(self) -> list[Problem]:
        """What was met on the way."""
        found = list(self._problems)
        for column, rows in sorted(self._formulas.items()):
            message = (
                f"{len(rows)} cells hold formulas, the first in row {rows[0]}; what they last "
                "gave is used"
            )
            found.append(warning(message, column=column))
        if self._hidden:
            found.append(warning(f"{self._hidden} hidden rows are read like the others"))
        return found

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", str(self._row + 1))
        if not number.isascii() or not number.isdigit() or not self._row < int(number) <= 2**20:
            raise CohortError(f"the sheet's rows are out of order at {number!r:.20}")
        self._row, self._column = int(number), 0
        if attributes.get("hidden") in {"1", "true"}:
            self._hidden += 1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self._column += 1
        else:
            found = _PLACE.fullmatch(place)
            if found is None or int(found[2]) != self._row:
                raise CohortError(f"the sheet's cells are out of order at {place!r:.20}")
            self._column = _column_number(found[1])
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._has_formula = False
        self._pieces = []

    def _end_cell(self) -> None:
        text = self._cell_text("".join(self._pieces))
        if self._has_formula and not self._pieces:
            message = "a formula without a result; open the table, calculate and save it"
            self._problems.append(fatal(message, row=self._row, column=self._column))
        elif self._has_formula:
            self._formulas.setdefault(self._column, []).append(self._row)
        if text:
            self._keep(text)

    def _keep(self, text: str) -> None:
        if self._column > MAX_COLUMNS:
            raise CohortError(f"row {self._row}: more than {MAX_COLUMNS} columns")
        self._cells += 1
        self._letters += len(text)
        if self._letters > MAX_LETTERS:
            raise CohortError(
                f"row {self._row}: more than {MAX_LETTERS >> 20} Mi letters; split it"
            )
        self._rows.setdefault(self._row, {})[self._column] = text
        if len(self._rows) > MAX_ROWS or self._cells > MAX_CELLS:
            raise CohortError(
                f"row {self._row}: a table may have {MAX_ROWS:,} rows and {MAX_CELLS:,} cells; "
                "split it"
            )

    def _cell_text(self, text: str) -> str:
        if self._kind == "s":
            return self._shared_text(text)
        if self._kind == "e":
            message = f"the cell shows the error {text!r:.20}"
            self._problems.append(fatal(message, row=self._row, column=self._column))
            return text
        if self._kind != "n" or not text:
            return unescape(text)
        style = int(self._style) if self._style.isascii() and self._style.isdigit() else -1
        code, is_date = self._formats[style] if 0 <= style < len(self._formats) else (None, False)
        return number_text(text, code, is_date=is_date, from_1904=self._from_1904)

    def _shared_text(self, number: str) -> str:
        if not (number.isascii() and number.isdigit() and int(number) < len(self._texts)):
            raise CohortError(f"row {self._row}: a text of the workbook is missing")
        return self._texts[int(number)]

    def _take_merged(self, place: str) -> None:
        message = f"cells {place:.20} are merged; only the first of them holds the value"
        self._problems.append(warning(message))


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
