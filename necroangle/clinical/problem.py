"""What is wrong in a table, with its row and its column."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Problem", "Severity", "column_letters", "fatal", "warning"]

Severity = Literal["fatal", "warning"]


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
