"""The smallest change of the combined angle that is real, and where its size comes from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from necroangle.analysis.plan import OutcomePlan

__all__ = ["RepeatNoise", "mdc95_of_pair", "noise_of_repeats"]

PlainRow = Mapping[str, Any]


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


def noise_of_repeats(rows: Iterable[PlainRow], plan: OutcomePlan) -> RepeatNoise | None:
    """Measuring error from the cohort's own repeat reads; None where there are too few.

    ``SEM² = sum (x - mean)² / sum (n - 1)``, pooled within hip, visit and reader; where no reader
    read twice, within hip and visit over the readers' first reads, which holds their bias, too.

    Parameters
    ----------
    rows
        Rows of one method, without consensus readings, which are no repeats.
    plan
        ``repeats_needed``: with fewer degrees of freedom the size would be a matter of luck.

    Examples
    --------
    >>> row = {"subject": "S1", "laterality": "L", "visit": "m0", "reader": "kim"}
    >>> twice = [{**row, "read_no": n, "cna_deg": cna} for n, cna in ((1, 200.0), (2, 206.0))]
    >>> noise = noise_of_repeats(twice, OutcomePlan(repeats_needed=1))
    >>> round(noise.sem_deg, 2), noise.dof, round(noise.mdc95_deg, 1)
    (4.24, 1, 11.8)
    >>> noise_of_repeats(twice, OutcomePlan()) is None
    True
    """
    own = [row for row in rows if row.get("cna_deg") is not None]
    within: dict[tuple[str, ...], list[float]] = {}
    firsts: dict[tuple[str, ...], list[float]] = {}
    seen: set[tuple[str, ...]] = set()
    for row in sorted(own, key=lambda row: int(row["read_no"])):
        hip = (row["subject"], row["laterality"], row["visit"])
        key = (*hip, row["reader"])
        within.setdefault(key, []).append(row["cna_deg"])
        if key not in seen:
            firsts.setdefault(hip, []).append(row["cna_deg"])
            seen.add(key)
    for groups, source in (
        (within, "repeat reads by the same reader"),
        (firsts, "first reads by different readers"),
    ):
        noise = _pooled(groups.values(), source)
        if noise is not None and noise.dof >= plan.repeats_needed:
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
        mean = math.fsum(group) / len(group)
        squares += math.fsum((value - mean) ** 2 for value in group)
        freedom += len(group) - 1
    return RepeatNoise(math.sqrt(squares / freedom), freedom, source) if freedom else None
