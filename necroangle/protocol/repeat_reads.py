"""How far a study's readers err, from hips that were read more than once.

Two reads of one hip differ by marking, and by whatever :func:`~.pair_error.pair_error` adds for
every pair: their slices may lie apart, and their rims see the shape of the head differently. What
the rows say of these is taken out of the repeats first. Else it would count twice.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import Any, NamedTuple

from necroangle.protocol.noise import RepeatNoise, StudyNoise
from necroangle.protocol.pair_error import PairRead, apart_by_marking, apart_by_place

_FAR, _USUAL_DEG = 3.5, 5.0
"""Beyond so many standard deviations, these no smaller than this, a read is of something else."""


class SingleRead(NamedTuple):
    """One reader's own angle of one hip at one visit, degrees.

    ``pair`` is what the error of a pair follows from; None where the row does not say it.
    """

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    cna_deg: float
    pair: PairRead | None = None


def single_reads(rows: Iterable[Mapping[str, Any]]) -> Iterator[SingleRead]:
    """The reads of hip visits that were read more than once; a single read says nothing.

    Parameters
    ----------
    rows
        Rows of the cohort table by one method, none of a consensus.
    """
    several: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row.get("cna_deg") is not None:
            place = row["subject"], row["laterality"], row["visit"]
            several.setdefault(place, []).append(row)
    for place, some in several.items():
        if len(some) > 1:
            for row in some:
                own = row["reader"], row["read_no"], row["cna_deg"]
                yield SingleRead(*place, *own, PairRead.of_row(row))


def noise_of_repeats(reads: Iterable[SingleRead], needed: float) -> StudyNoise:
    """Measuring error from the cohort's own repeat reads and comparisons of readers.

    Of each hip visit ``sum (x - mean)² = (n - 1) (SEM² + w)`` is expected, ``w`` what the slices'
    offsets and the rims of its reads explain. SEM² is the one that makes all of them likeliest.
    What slices make is foreseen from lesions in general, and those of a study may be tilted less:
    so no more is taken out than leaves the reads' own errors of marking. Pooled within hip, visit
    and reader; and within hip and visit over the readers' first reads. A read that lies far from
    its group (an arc marked the wrong way round) is left out: 3.5 standard deviations from the
    median, these from the median of all differences.

    Parameters
    ----------
    reads
        Readers' own reads by one method; a consensus is no repeat.
    needed
        Degrees of freedom; with fewer the size would be a matter of luck. Reads whose slices lie
        far apart say less.

    Examples
    --------
    >>> twice = [SingleRead("S1", "L", "m0", "kim", n, cna) for n, cna in ((1, 200.0), (2, 206.0))]
    >>> noise = noise_of_repeats(twice, 1).same_reader
    >>> round(noise.sem_deg, 2), noise.dof, round(noise.mdc95_deg, 1)
    (4.24, 1.0, 76.2)
    >>> noise_of_repeats(twice, 5)
    StudyNoise(same_reader=None, two_readers=None)
    """
    found = (
        _noise(groups, source)
        for groups, source in zip(
            _grouped(reads),
            ("repeat reads by the same reader", "first reads by different readers"),
            strict=True,
        )
    )
    return StudyNoise(*(one if one and one.dof >= needed else None for one in found))


def marking_shares(reads: Iterable[SingleRead]) -> tuple[float, float]:
    """What share of the variance of one reader's repeats, and of two readers', is marking.

    The rest is by slices and rims that lie apart, as :func:`noise_of_repeats` takes it out.

    Examples
    --------
    >>> marking_shares([])
    (1.0, 1.0)
    """
    same, two = (_share(_kept(groups)) for groups in _grouped(reads))
    return same, two


def _share(groups: Sequence["_Group"]) -> float:
    whole = _pooled(groups)
    return _likeliest(groups) / whole if whole else 1.0


Reads = list[Sequence[SingleRead]]


def _grouped(reads: Iterable[SingleRead]) -> tuple[Reads, Reads]:
    """Reads of one hip visit by one reader; and the first reads of each reader."""
    within: dict[tuple[object, ...], list[SingleRead]] = {}
    firsts: dict[tuple[object, ...], list[SingleRead]] = {}
    for read in sorted(reads, key=lambda read: read.read_no):
        key = read[:4]
        if key not in within:
            firsts.setdefault(key[:3], []).append(read)
        within.setdefault(key, []).append(read)
    return list(within.values()), list(firsts.values())


@dataclass(frozen=True, slots=True)
class _Group:
    """Reads of one hip visit: their squares about the mean, deg², and their degrees of freedom.

    And of one read the variances by place and by marking that the rows foresee, deg².
    """

    squares: float
    freedom: int
    placed: float
    marked: float

    @classmethod
    def of(cls, reads: Sequence[SingleRead]) -> "_Group":
        mean = math.fsum(read.cna_deg for read in reads) / len(reads)
        pairs = [
            (one.pair, other.pair)
            for one, other in combinations(reads, 2)
            if one.pair is not None and other.pair is not None
        ]
        freedom = len(reads) - 1
        share = math.degrees(1.0) ** 2 / (len(reads) * freedom)
        return cls(
            math.fsum((read.cna_deg - mean) ** 2 for read in reads),
            freedom,
            share * math.fsum(apart_by_place(*pair) for pair in pairs),
            share * math.fsum(apart_by_marking(*pair) for pair in pairs),
        )


def _kept(groups: Iterable[Sequence[SingleRead]]) -> list[_Group]:
    """What the groups say, without reads that are of something else."""
    several = [group for group in groups if len(group) > 1]  # most are single, and say nothing
    if not several:
        return []
    steps = [abs(b.cna_deg - a.cna_deg) for group in several for a, b in pairwise(group)]
    reach = _FAR * max(_USUAL_DEG, 1.4826 * median(steps) / math.sqrt(2.0))
    kept = []
    for group in several:
        middle = median(read.cna_deg for read in group)
        near = [read for read in group if abs(read.cna_deg - middle) <= reach]
        if len(near) > 1:
            kept.append(_Group.of(near))
    return kept


def _noise(reads: Iterable[Sequence[SingleRead]], source: str) -> RepeatNoise | None:
    groups = _kept(reads)
    if not groups:
        return None
    variance = _likeliest(groups)
    told = [variance / (variance + one.placed) if variance else 1.0 for one in groups]
    freedom = math.fsum(one.freedom * share**2 for one, share in zip(groups, told, strict=True))
    return RepeatNoise(math.sqrt(variance), freedom, source)


def _pooled(groups: Sequence[_Group]) -> float:
    """Variance within the groups, deg²; 0 without any."""
    freedom = sum(one.freedom for one in groups)
    return math.fsum(one.squares for one in groups) / freedom if freedom else 0.0


def _likeliest(groups: Sequence[_Group]) -> float:
    """The variance of marking that makes the squares of all groups likeliest, deg²."""
    high = _pooled(groups)
    if not any(one.placed for one in groups) or _slope(groups, high) >= 0:
        return high
    marked = math.fsum(one.freedom * one.marked for one in groups)
    low = min(high, marked / sum(one.freedom for one in groups))
    if _slope(groups, low) <= 0:
        return low
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _slope(groups, middle) > 0 else (low, middle)
    return (low + high) / 2


def _slope(groups: Sequence[_Group], variance: float) -> float:
    """How the likelihood grows with the variance of marking."""
    expected = [variance + one.placed for one in groups]
    return math.fsum(
        (one.squares / own - one.freedom) / own for one, own in zip(groups, expected, strict=True)
    )
