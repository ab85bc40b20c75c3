"""One row for each hip at each visit, chosen from its readings by a stated rule."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from necroangle.measurement.row import CohortRow

__all__ = ["HipVisit", "choose_hip_visits"]

ReadingId = tuple[str, ...]
"""Subject, side, visit, reader and read number, as texts."""


@dataclass(frozen=True, slots=True)
class HipVisit:
    """The row that stands for one hip at one visit by one method.

    Attributes
    ----------
    row
        The measured row.
    rule
        Why this one: ``"consensus"``, ``"first read of R1"`` (a stated reader), ``"only reader
        R1"``, or ``"first read of R1 (first by name, no reader stated)"``.
    reads
        How many readings there were to choose from.
    """

    row: CohortRow
    rule: str
    reads: int


def choose_hip_visits(
    rows: Iterable[CohortRow],
    consensus: Collection[ReadingId] = frozenset(),
    readers: Sequence[str] = (),
) -> tuple[HipVisit, ...]:
    """One row for each hip, visit and method.

    The consensus reading, where there is one (the last, of several). Otherwise the first read of
    the first of the stated readers who read this hip at this visit; where readers are stated and
    none of them read it, there is no row. Without stated readers, the only reader's first read,
    or that of the first reader by name, and the rule says so.

    Parameters
    ----------
    rows
        Measured rows.
    consensus
        Which readings are consensus readings.
    readers
        The stated readers, the first one first.

    Returns
    -------
    tuple of HipVisit
        Ordered by subject, side, visit and method.
    """
    ordered = sorted(rows, key=_place)
    chosen = []
    for _, some in groupby(ordered, key=_place):
        reads = sorted(some, key=lambda row: row.key)
        found = _choose(reads, consensus, readers)
        if found is not None:
            chosen.append(HipVisit(*found, len(reads)))
    return tuple(chosen)


def _place(row: CohortRow) -> tuple[str, str, str, str]:
    key = row.key
    return key.subject, key.laterality, key.visit, key.method


def _choose(
    reads: list[CohortRow], consensus: Collection[ReadingId], readers: Sequence[str]
) -> tuple[CohortRow, str] | None:
    agreed = [row for row in reads if tuple(map(str, row.key[:5])) in consensus]
    if agreed:
        return max(agreed, key=lambda row: row.key.read_no), "consensus"
    first = {reader: next(some) for reader, some in _by_reader(reads)}
    if readers:
        stated = next((reader for reader in readers if reader in first), None)
        return None if stated is None else (first[stated], f"first read of {stated}")
    name = min(first)
    if len(first) == 1:
        return first[name], f"only reader {name}"
    return first[name], f"first read of {name} (first by name, no reader stated)"


def _by_reader(reads: list[CohortRow]) -> Iterator[tuple[str, Iterator[CohortRow]]]:
    """Reads by reader, each reader's in the order of their numbers."""
    return groupby(reads, key=lambda row: row.key.reader)
