"""Delimited text (CSV, TSV) to records, strictly: a quote that does not close is told."""

import re
from collections.abc import Callable

from necroangle.clinical.problem import Problem, fatal
from necroangle.clinical.sheet import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, clean_text
from necroangle.errors import CohortError

__all__ = ["DELIMITERS", "find_delimiter", "split_records"]

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_HEAD_LETTERS = 1 << 20
_NOT_BLANK = re.compile(r"[^\s]")
_DECLARED = re.compile(r"sep=(.)(\r\n|\r|\n)")
"""The line with which spreadsheets state the delimiter."""


def find_delimiter(text: str, known: frozenset[str]) -> tuple[str, int]:
    r"""The delimiter of a text, and where its records begin.

    It is what the first line states (``sep=;``); else the one that gives most headings that are
    known; else the one that gives most headings.

    Parameters
    ----------
    text
        The whole text.
    known
        Headings that are expected, in lower case.

    Raises
    ------
    CohortError
        If none splits the heading row.

    Examples
    --------
    >>> find_delimiter("subject;note, free;vas\n", frozenset({"subject", "vas"}))
    (';', 0)
    >>> find_delimiter("sep=|\r\na|b", frozenset())
    ('|', 7)
    """
    declared = _DECLARED.match(text)
    if declared:
        return declared[1], declared.end()
    lines = _NOT_BLANK.search(text)
    if lines is None:
        raise CohortError("the table is empty")
    head = text[: lines.start() + MAX_HEAD_LETTERS]
    best = max(DELIMITERS, key=lambda delimiter: _fitness(head, lines.start(), delimiter, known))
    if _fitness(head, lines.start(), best, known)[1] < 2:
        raise CohortError(
            "no comma, semicolon, tab or bar splits the heading row; name the delimiter with "
            "--delimiter, and check that this is a table"
        )
    return best, 0


def split_records(
    text: str, delimiter: str, start: int = 0, *, first_only: bool = False
) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    r"""The numbered records of a text, and what is wrong with its quotes.

    Quotes may hold delimiters and line ends; a quote within is doubled.

    Parameters
    ----------
    text, delimiter, start
        The text, and from where.
    first_only
        Stop behind the first record that is not empty.

    Raises
    ------
    CohortError
        If there are more rows, columns or cells than a table may have.

    Examples
    --------
    >>> split_records('id,note\r\n00123,"a ""b"",\n c"\r\n', ",")
    ([(1, ['id', 'note']), (2, ['00123', 'a "b",\n c'])], [])
    """
    match = _field_pattern(delimiter).match
    records: list[tuple[int, list[str]]] = []
    problems: list[Problem] = []
    number, total = 1 + (start > 0), 0
    while start < len(text):
        cells, start = _record(match, text, start, delimiter, number, problems)
        records.append((number, cells))
        number, total = number + 1, total + len(cells)
        if number > MAX_ROWS or total > MAX_CELLS:
            raise CohortError(
                f"row {number}: a table may have {MAX_ROWS:,} rows and {MAX_CELLS:,} cells; "
                "split it"
            )
        if first_only and any(cells):
            break
    return records, problems


def _record(
    match: Callable[[str, int], re.Match[str] | None],
    text: str,
    start: int,
    delimiter: str,
    number: int,
    problems: list[Problem],
) -> tuple[list[str], int]:
    """The cells of one record, and where the next one begins."""
    cells: list[str] = []
    end = delimiter
    while end == delimiter:
        found = match(text, start)
        assert found is not None  # noqa: S101  (the pattern matches anything)
        quoted, plain, end = found.groups()
        if quoted is None and plain.startswith('"'):
            message = "a quote that does not close, or text behind it"
            problems.append(fatal(message, row=number, column=len(cells) + 1))
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        start = found.end()
        if len(cells) > MAX_COLUMNS:
            raise CohortError(f"row {number}: more than {MAX_COLUMNS} columns")
    return cells, start


def _field_pattern(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(
        rf'(?:"((?:[^"]++|"")*+)"|([^{mark}\r\n]*+))({mark}|\r\n|\r|\n|\Z)',
    )


def _fitness(text: str, start: int, delimiter: str, known: frozenset[str]) -> tuple[int, int]:
    """How many headings are known, and how many there are."""
    try:
        records, _ = split_records(text, delimiter, start, first_only=True)
        headings = records[-1][1] if records else []
    except CohortError:  # too many columns for a table
        return 0, MAX_COLUMNS
    names = [clean_text(heading).casefold() for heading in headings]
    return sum(name in known for name in names), len(names)
