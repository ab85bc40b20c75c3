"""A table as text: its heading row, its rows, and what is wrong with either.

Nothing is guessed from a cell's looks: ``00123``, ``1E5`` and ``NA`` stay what they are.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from necroangle.clinical.headings import find_headings, joined_headings
from necroangle.errors import CohortError

Severity = Literal["fatal", "warning"]

Merged = tuple[tuple[int, int], tuple[int, int]]
"""Cells that are merged: row and column, from 1, of the first and of the last."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a table.

    Attributes
    ----------
    severity
        ``"fatal"``: nothing is imported. ``"warning"``: told, and imported.
    row
        Row as a spreadsheet counts, from 1 with the header; 0 where no row is meant.
    column
        Column from 1; 0 where no column is meant.
    heading
        The column's heading, where it is safe to show.
    message
        What was found and what to do. Never a value that may identify a patient.

    Examples
    --------
    >>> str(Problem("fatal", 12, 28, "vas", "11 is above 10"))
    'row 12, column AB (vas): 11 is above 10'
    """

    severity: Severity
    row: int
    column: int
    heading: str
    message: str

    def __str__(self) -> str:
        """One line: the place, then the message."""
        places = []
        if self.row:
            places.append(f"row {self.row}")
        if self.column:
            name = f" ({self.heading})" if self.heading else ""
            places.append(f"column {column_letters(self.column)}{name}")
        return ": ".join(part for part in (", ".join(places), self.message) if part)


def in_lines(problems: Iterable[Problem]) -> list[tuple[Severity, str]]:
    """Problems for people: one mistake that many rows share is one line.

    Examples
    --------
    >>> same = [
    ...     fatal("'IIIX' is none of 1, 2", row=row, column=3, heading="arco") for row in (2, 5)
    ... ]
    >>> in_lines([*same, fatal("empty", row=4)])
    [('fatal', "column C (arco): 'IIIX' is none of 1, 2: 2 rows, 2 and 5"), ('fatal', 'row 4: ...')]
    """
    rows: dict[tuple[Severity, int, str, str], list[int]] = {}
    for one in problems:
        rows.setdefault((one.severity, one.column, one.heading, one.message), []).append(one.row)
    found: list[tuple[Severity, str]] = []
    for (severity, column, heading, message), places in rows.items():
        if len(places) == 1:
            found.append((severity, str(Problem(severity, places[0], column, heading, message))))
            continue
        shown = " and ".join(map(str, places)) if len(places) == 2 else ""
        shown = shown or f"for instance {', '.join(map(str, places[:3]))}"
        words = f"{message}: {len(places)} rows, {shown}"
        found.append((severity, str(Problem(severity, 0, column, heading, words))))
    return found


def fatal(message: str, *, row: int = 0, column: int = 0, heading: str = "") -> Problem:
    """A problem for which nothing is imported."""
    return Problem("fatal", row, column, _short(heading), message)


def warning(message: str, *, row: int = 0, column: int = 0, heading: str = "") -> Problem:
    """A problem that is told, and does not stop the import."""
    return Problem("warning", row, column, _short(heading), message)


def column_letters(column: int) -> str:
    """A column's letters, as a spreadsheet shows them.

    Parameters
    ----------
    column
        From 1.

    Examples
    --------
    >>> [column_letters(number) for number in (1, 26, 27, 702, 703)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    letters = ""
    while column > 0:
        column, place = divmod(column - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def _short(heading: str) -> str:
    return heading if len(heading) <= 60 else f"{heading[:57]}..."


MAX_ROWS = 200_000
MAX_COLUMNS = 1_000
MAX_CELLS = 1_000_000
MAX_CELL_LETTERS = 32_767
"""What a spreadsheet's cell may hold."""

MAX_PROBLEMS = 100_000
"""From there on a table is not looked at further."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_HEADING = "a control character in the heading; if this is UTF-16, name it with --encoding"
_EDGES = " \t\r\n\u00a0\u3000\ufeff\u200b"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its number as a spreadsheet counts, and one text per column of the sheet."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table that was read.

    Attributes
    ----------
    how
        In which way it was read: ``"semicolon-separated text, cp949"``.
    headings
        The heading row; no two are equal where ``problems`` holds nothing fatal.
    heading_row
        Its number.
    rows
        The rows below that are not empty.
    problems
        What was found on the way.
    """

    how: str
    headings: tuple[str, ...]
    heading_row: int
    rows: tuple[RawRow, ...]
    problems: tuple[Problem, ...]


def clean_text(text: str) -> str:
    r"""A cell without blanks at its ends, its letters composed (NFC).

    Examples
    --------
    >>> clean_text(" 00123\u00a0")
    '00123'
    >>> clean_text("\u1112\u1161\u11ab") == "\ud55c"
    True
    """
    return unicodedata.normalize("NFC", text).strip(_EDGES)


def _filled(
    rows: list[tuple[int, tuple[str, ...]]], heading_row: int, merged: Iterable[Merged]
) -> tuple[list[tuple[int, tuple[str, ...]]], list[Problem]]:
    """The rows with what cells merged down a column say in each of them; what is told of merges."""
    by_number, told, filled = dict(rows), [], 0
    numbers = sorted(by_number)
    for (first, left), (last, right) in merged:
        place = f"{column_letters(left)}{first}:{column_letters(right)}{last}"
        says = "only the first of them holds the value"
        cells = by_number.get(first, ())
        if left == right and first > heading_row and left <= len(cells):
            says = "what they say stands in each of the rows"
            for number in numbers[bisect_right(numbers, first) : bisect_right(numbers, last)]:
                own = by_number[number]
                wide = (*own, *[""] * (left - len(own)))
                if not wide[left - 1]:
                    by_number[number] = (*wide[: left - 1], cells[left - 1], *wide[left:])
                filled += 1
        told.append(warning(f"cells {place:.20} are merged; {says}"))
        if len(told) > MAX_PROBLEMS or filled > MAX_CELLS:
            raise CohortError("too many merged cells; is this a table?")
    return list(by_number.items()), told


def build_raw_table(
    how: str,
    records: Iterable[tuple[int, Sequence[str]]],
    found: Iterable[Problem] = (),
    *,
    rectangular: bool,
    heading_rows: tuple[int, int] | None = None,
    known: Container[str] = (),
    merged: Iterable[Merged] = (),
) -> RawTable:
    """A sheet from its numbered records; titles above the headings are passed over.

    Parameters
    ----------
    how
        See :class:`RawTable`.
    records
        Row number and cells.
    found
        Problems that the reader of the file met.
    rectangular
        Whether a row shorter than the heading row is refused (delimited text) or filled up.
    heading_rows
        Numbers of the first and the last row of the headings; None: found by what they say.
    known
        Headings that are expected, in small letters.
    merged
        Cells that are merged. Below the headings, what one says down a column stands in each row.

    Raises
    ------
    CohortError
        If there is no heading row, or a limit is passed.

    Examples
    --------
    >>> sheet = build_raw_table("", [(1, ["subject", "vas"]), (2, ["00123"])], rectangular=True)
    >>> [str(problem) for problem in sheet.problems]
    ['row 2: 1 cells where the heading row has 2; a delimiter or a quote is missing']
    """
    rows = [
        (number, tuple(map(clean_text, cells)))
        for number, cells in records
        if any(cell and not cell.isspace() for cell in cells)
    ]
    if not rows:
        raise CohortError("the table is empty")
    first, last = _heading_places(rows, heading_rows, known)
    heading_row, found_headings = rows[last]
    if first != last:
        found_headings = tuple(joined_headings(rows[first][1], found_headings))
    headings = tuple(re.sub(r"\s+", " ", heading) for heading in found_headings)
    if last:
        how = f"{how}, headings in row {' and '.join(str(rows[at][0]) for at in {first, last})}"
    width = _width(headings)
    problems = [*found, *_heading_problems(headings[:width], heading_row)]
    kept = []
    below, told = _filled(rows[last + 1 :], heading_row, merged)
    problems += told
    for number, cells in below:
        problem = _shape_problem(number, cells, width, rectangular)
        if problem is not None:
            problems.append(problem)
        row = RawRow(number, (cells + ("",) * width)[:width])
        kept.append(row)
        problems += _cell_problems(row, headings)
        if len(problems) > MAX_PROBLEMS:
            raise CohortError(
                f"row {number}: more than {MAX_PROBLEMS:,} problems; is this a table?"
            )
    return RawTable(how, headings[:width], heading_row, tuple(kept), tuple(problems))


def _heading_places(
    rows: Sequence[tuple[int, tuple[str, ...]]],
    stated: tuple[int, int] | None,
    known: Container[str],
) -> tuple[int, int]:
    """Places of the first and the last row of the headings."""
    if stated is None:
        return find_headings(rows, known)
    numbers = [number for number, _ in rows]
    for number in stated:
        if number not in numbers:
            raise CohortError(f"row {number} is empty or not there: it holds no headings")
    return numbers.index(stated[0]), numbers.index(stated[1])


def _width(headings: Sequence[str]) -> int:
    """How many columns there are, without empty headings at the end."""
    return max((place for place, heading in enumerate(headings, 1) if heading), default=0)


def _heading_problems(headings: Sequence[str], row: int) -> list[Problem]:
    problems = []
    first: dict[str, int] = {}
    for column, heading in enumerate(headings, 1):
        if not heading:
            problems.append(fatal("this column has no heading", row=row, column=column))
        elif heading.casefold() in first:
            there = first[heading.casefold()]
            message = f"the heading of column {there} again; give each column its own"
            problems.append(fatal(message, row=row, column=column, heading=heading))
        elif _CONTROL.search(heading):
            problems.append(fatal(_CONTROL_HEADING, row=row, column=column))
        elif len(heading) > MAX_CELL_LETTERS:
            problems.append(fatal("a heading of more than 32,767 letters", row=row, column=column))
        first.setdefault(heading.casefold(), column)
    return problems


def _shape_problem(
    number: int, cells: Sequence[str], width: int, rectangular: bool
) -> Problem | None:
    beyond = next((place for place, cell in enumerate(cells[width:], width + 1) if cell), None)
    if beyond is not None:
        return fatal("a cell beyond the last heading", row=number, column=beyond)
    if rectangular and len(cells) < width:
        return fatal(
            f"{len(cells)} cells where the heading row has {width}; a delimiter or a quote is "
            "missing",
            row=number,
        )
    return None


def _cell_problems(row: RawRow, headings: Sequence[str]) -> list[Problem]:
    problems = []
    for column, cell in enumerate(row.cells, 1):
        if not cell or (cell.isprintable() and len(cell) <= MAX_CELL_LETTERS):
            continue
        if len(cell) > MAX_CELL_LETTERS:
            message = f"{len(cell)} letters; a cell may have {MAX_CELL_LETTERS}"
        elif control := _CONTROL.search(cell):
            code = ord(control.group())
            name = "NUL" if code == 0 else f"U+{code:04X}"
            message = f"a control character ({name}) in the cell"
        else:  # another script's space, or a line end
            continue
        heading = headings[column - 1]
        problems.append(fatal(message, row=row.number, column=column, heading=heading))
    return problems
