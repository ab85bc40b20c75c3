"""What a batch gives: rows, and what could not be measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from necroangle.measurement.row import CohortRow

__all__ = ["BatchResult", "Refusal"]


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A reading file that gave no row.

    Attributes
    ----------
    file
        As it was given, or as it lies in the folder that was given.
    place
        Where in the file, as far as that is known.
    problem
        What was found and what to do.
    """

    file: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``file: place: problem``."""
        return ": ".join(part for part in (self.file, self.place, self.problem) if part)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch gave, in an order that does not depend on the order of the files.

    Attributes
    ----------
    rows
        Ordered by key.
    refusals
        Ordered by file.
    contents
        The bytes of the readings that gave rows, by their SHA-256, where they were asked for.
    """

    rows: tuple[CohortRow, ...]
    refusals: tuple[Refusal, ...]
    contents: Mapping[str, bytes] = field(default_factory=dict, compare=False)
