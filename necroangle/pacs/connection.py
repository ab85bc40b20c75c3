"""What a connection can do, whatever it speaks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from necroangle.errors import DicomError, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from necroangle.pacs.arrivals import Arrivals, DicomObject, ObjectKey
    from necroangle.pacs.query import FoundStudy, Query

MAX_STUDIES = 1000
"""A search that finds more was meant otherwise."""

MAX_OBJECTS = 200_000
"""Objects of one study."""

MAX_IN_A_ROW = 3
"""A server that fails so many objects one after the other fails the next one, too."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server does, as it says itself.

    Attributes
    ----------
    answers
        What it answered.
    refuses
        What it does not take.
    unknown
        What it does not say.
    """

    answers: tuple[str, ...]
    refuses: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """An object that did not come, and why."""

    key: ObjectKey
    reason: str
    is_passing: bool = False


class Connection(Protocol):
    """A session with one server; every error is a :class:`~necroangle.errors.ServerError`."""

    def close(self) -> None:
        """End the session."""

    def abilities(self) -> Abilities:
        """What the server does."""

    def studies(self, query: Query) -> list[FoundStudy]:
        """The studies that match."""

    def objects(self, study_uid: str) -> list[ObjectKey]:
        """The objects of a study."""

    def fetch(self, study_uid: str, keys: Sequence[ObjectKey], arrivals: Arrivals) -> list[Problem]:
        """Bring objects of a study into the folder; those that did not come, and why."""

    def store(self, path: Path, found: DicomObject) -> str:
        """Send a file; what the server remarks, or nothing."""


class Losses:
    """The objects that did not come, so that the others can.

    Attributes
    ----------
    problems
        What did not come, and why.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._in_a_row = 0

    @contextmanager
    def noted(self, key: ObjectKey) -> Iterator[None]:
        """Note what goes wrong with one object.

        Raises
        ------
        ServerError
            If the server fails object after object.
        OSError
            If the disk takes no more.
        """
        try:
            yield
        except DicomError as error:
            self.problems.append(Problem(key, str(error)))
        except ServerError as error:
            self.problems.append(Problem(key, error.problem, error.is_passing))
            self._in_a_row += 1
            if self._in_a_row >= MAX_IN_A_ROW:
                raise
        else:
            self._in_a_row = 0
