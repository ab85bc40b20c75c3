"""The smallest change of the combined angle that is real, and where its size comes from."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["RepeatNoise", "SingleRead", "mdc95_of_pair", "noise_of_repeats"]


class SingleRead(NamedTuple):
    """One reader's own angle of one hip at one visit, degrees."""

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    cna_deg: float


@dataclass(frozen=True, slots=True)
class RepeatNoise:
    """Measuring error of the combined angle, from reads of the same hip at the same visit.

    Attributes
    ----------
    sem_deg
        Standard error of measurement: the standard deviation within hip and visit, degrees.
    dof
        Degrees of freedom behind it.
    source
        Which reads were compared.
    """

    sem_deg: float
    dof: int
    source: str

    @property
    def mdc95_deg(self) -> float:
        """Smallest change between two readings that is real at 95 %: ``1.96 sqrt(2) SEM``."""
        return 1.96 * math.sqrt(2.0) * self.sem_deg


def noise_of_repeats(reads: Iterable[SingleRead], needed: int) -> RepeatNoise | None:
    """Measuring error from the cohort's own repeat reads; None where there are too few.

    ``SEM² = sum (x - mean)² / sum (n - 1)``, pooled within hip, visit and reader; where no reader
    read twice, within hip and visit over the readers' first reads, which holds their bias, too.

    Parameters
    ----------
    reads
        Readers' own reads by one method; a consensus is no repeat.
    needed
        Degrees of freedom; with fewer the size would be a matter of luck.

    Examples
    --------
    >>> twice = [SingleRead("S1", "L", "m0", "kim", n, cna) for n, cna in ((1, 200.0), (2, 206.0))]
    >>> noise = noise_of_repeats(twice, 1)
    >>> round(noise.sem_deg, 2), noise.dof, round(noise.mdc95_deg, 1)
    (4.24, 1, 11.8)
    >>> noise_of_repeats(twice, 5) is None
    True
    """
    within: dict[tuple[str, ...], list[float]] = {}
    firsts: dict[tuple[str, ...], list[float]] = {}
    for read in sorted(reads, key=lambda read: read.read_no):
        key = read[:4]
        if key not in within:
            firsts.setdefault(key[:3], []).append(read.cna_deg)
        within.setdefault(key, []).append(read.cna_deg)
    for groups, source in (
        (within, "repeat reads by the same reader"),
        (firsts, "first reads by different readers"),
    ):
        noise = _pooled(groups.values(), source)
        if noise is not None and noise.dof >= needed:
            return noise
    return None


def mdc95_of_pair(first_se_deg: float | None, later_se_deg: float | None) -> float | None:
    """Smallest real change by the standard errors of the two angles: ``1.96 sqrt(se1² + se2²)``.

    The errors follow from rim residuals and the stated noise of marking an arc's end.

    Examples
    --------
    >>> round(mdc95_of_pair(4.8, 5.1), 2), mdc95_of_pair(4.8, None)
    (13.73, None)
    """
    if first_se_deg is None or later_se_deg is None:
        return None
    return 1.96 * math.hypot(first_se_deg, later_se_deg)


def _pooled(groups: Iterable[Sequence[float]], source: str) -> RepeatNoise | None:
    squares, freedom = 0.0, 0
    for group in groups:
        if len(group) < 2:  # most are, and they say nothing
            continue
        mean = math.fsum(group) / len(group)
        squares += math.fsum((value - mean) ** 2 for value in group)
        freedom += len(group) - 1
    return RepeatNoise(math.sqrt(squares / freedom), freedom, source) if freedom else None
