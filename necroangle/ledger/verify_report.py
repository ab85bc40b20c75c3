"""What a verification found: problems with a name each, and what was looked at."""

from dataclasses import dataclass

__all__ = ["Counts", "Problem", "Verification"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is not as it should be.

    Attributes
    ----------
    part
        ``"database"``, ``"event"``, ``"row"``, ``"record"``, ``"reading"`` (a kept one) or
        ``"file"``.
    place
        Which one: the event's number, the row's key and column, the file's name.
    problem
        What was found and what to do.
    """

    part: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``part place: problem``."""
        return f"{self.part} {self.place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were looked at.

    Attributes
    ----------
    events, rows, records
        Events of the ledger, measured rows, current clinical records.
    contents, files
        Kept readings, and reading files in the folder.
    recomputed
        Rows whose angles were measured again from their marks.
    without_marks
        Rows whose marks are neither kept nor in the folder: their angles stand unproven.
    """

    events: int = 0
    rows: int = 0
    records: int = 0
    contents: int = 0
    files: int = 0
    recomputed: int = 0
    without_marks: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome.

    Attributes
    ----------
    problems
        In order of part and place; none where all is well.
    counts
        What was looked at.
    head
        Hash of the last event. Noted elsewhere, it proves later that nothing before it changed.
    """

    problems: tuple[Problem, ...]
    counts: Counts
    head: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems
