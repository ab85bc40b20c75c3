"""Agreement on a grade: kappas and Gwet's coefficient, plain and weighted, with their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.statistics.intervals import Interval

Floats = NDArray[np.float64]
WeightKind = Literal["plain", "linear", "quadratic"]
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Kappa:
    """A coefficient of agreement beyond chance.

    Attributes
    ----------
    value
        None where it is undefined, and ``words`` say why.
    se, interval
        Standard error and 95 % interval; None where they are undefined.
    agreement
        Share of pairs of reads that agree, by the weights.
    n
        Hips.
    words
        What no number can say.
    """

    value: float | None
    se: float | None
    interval: Interval | None
    agreement: float
    n: int
    words: str = ""


def agreement_weights(count: int, kind: WeightKind) -> Floats:
    """Weights of agreement of ordered categories: 1 on the diagonal.

    Examples
    --------
    >>> agreement_weights(3, "linear").tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    if kind == "plain" or count < 2:
        return np.eye(count)
    steps = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) / (count - 1.0)
    return 1.0 - (steps if kind == "linear" else steps**2)


def cohen(table: ArrayLike, kind: WeightKind = "plain") -> Kappa:
    """Cohen's kappa of two readers, with the large-sample error of Fleiss, Cohen and Everitt.

    Parameters
    ----------
    table
        Counts of hips, shape (categories, categories): rows by the first reader, columns by the
        second, in the order of the grades.
    kind
        Weights.

    Raises
    ------
    CohortError
        If the table is not square, or empty.

    References
    ----------
    J. L. Fleiss, J. Cohen, B. S. Everitt, Psychol Bull 72 (1969) 323, doi 10.1037/h0028106.

    Examples
    --------
    The skin conditions of the SAS manual.

    >>> table = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
    >>> found = cohen(table)
    >>> round(found.value, 6), [round(bound, 5) for bound in found.interval]
    (0.344875, [0.20298, 0.48677])
    >>> round(cohen(table, "linear").value, 6), round(cohen(table, "quadratic").value, 6)
    (0.50816, 0.660723)
    >>> cohen([[5, 0], [0, 0]]).words
    'both readers gave all hips one grade: kappa is undefined'
    """
    counts = np.asarray(table, float)
    n = float(counts.sum())
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or n <= 0:
        raise CohortError("kappa needs a square table of counts with a hip in it")
    shares = counts / n
    weights = agreement_weights(len(counts), kind)
    rows, columns = shares.sum(1), shares.sum(0)
    seen, chance = (float(part[0]) for part in _seen_and_chance(counts[None], weights))
    if chance >= 1.0 - 1e-12:
        words = "both readers gave all hips one grade: kappa is undefined"
        return Kappa(None, None, None, seen, int(n), words)
    value = (seen - chance) / (1.0 - chance)
    of_cells = (weights @ columns)[:, None] + (weights.T @ rows)[None, :]
    squares = float((shares * (weights - of_cells * (1.0 - value)) ** 2).sum())
    variance = (squares - (value - chance * (1.0 - value)) ** 2) / (n * (1.0 - chance) ** 2)
    se = math.sqrt(max(variance, 0.0))
    if se <= 1e-12:
        return Kappa(value, None, None, seen, int(n), "all hips agree; interval undefined")
    return Kappa(value, se, (value - _Z * se, min(value + _Z * se, 1.0)), seen, int(n))


def cohen_values(tables: Floats, kind: WeightKind = "plain") -> Floats:
    """Cohen's kappa of many tables, shape (n, categories, categories); NaN where undefined."""
    seen, chance = _seen_and_chance(tables, agreement_weights(tables.shape[1], kind))
    return _beyond_chance(seen, chance)


def _seen_and_chance(tables: Floats, weights: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = tables / tables.sum((1, 2), keepdims=True)
    seen = (weights * shares).sum((1, 2))
    return seen, np.einsum("ni,ij,nj->n", shares.sum(2), weights, shares.sum(1))


def _beyond_chance(seen: Floats, chance: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chance < 1.0 - 1e-12, (seen - chance) / (1.0 - chance), np.nan)


# ---- any number of readers ---------------------------------------------------------------------


def counts_of(reads: Sequence[Sequence[object | None]], categories: Sequence[object]) -> Floats:
    """How many readers gave each hip each grade, shape (hips, categories); None is no read.

    Examples
    --------
    >>> counts_of([[1, 1, 2], [2, None, 2]], [1, 2]).tolist()
    [[2.0, 1.0], [0.0, 2.0]]
    """
    place = {name: number for number, name in enumerate(categories)}
    found = np.zeros((len(reads), len(categories)))
    for row, some in enumerate(reads):
        for one in some:
            if one is not None:
                found[row, place[one]] += 1
    return found


def fleiss(counts: ArrayLike, kind: WeightKind = "plain") -> Kappa:
    """Fleiss' kappa; readers may differ from hip to hip, and in number.

    Parameters
    ----------
    counts
        How many readers gave each hip each grade, shape (hips, categories).
    kind
        Weights.

    Raises
    ------
    CohortError
        If no hip has two reads.

    References
    ----------
    J. L. Fleiss, Psychol Bull 76 (1971) 378, doi 10.1037/h0031619; the error: K. L. Gwet,
    Educ Psychol Meas 81 (2021) 781, doi 10.1177/0013164420973080.

    Examples
    --------
    >>> round(fleiss([[0, 3], [3, 0], [1, 2]]).value, 3)
    0.55
    """
    return _many(np.asarray(counts, float), kind, by_grades=False)


def gwet(counts: ArrayLike, kind: WeightKind = "plain") -> Kappa:
    """Gwet's AC1, with weights AC2: chance agreement that stays small where one grade is common.

    Parameters, errors and reads as :func:`fleiss`.

    References
    ----------
    K. L. Gwet, Br J Math Stat Psychol 61 (2008) 29, doi 10.1348/000711006X126600.

    Examples
    --------
    >>> round(gwet([[0, 3], [3, 0], [1, 2]]).value, 3)
    0.561
    """
    return _many(np.asarray(counts, float), kind, by_grades=True)


def kappa_values(counts: ArrayLike, kind: WeightKind, times: Floats, *, by_grades: bool) -> Floats:
    """Fleiss' kappa, or Gwet's coefficient, of many samples of hips; NaN where undefined.

    Parameters
    ----------
    counts
        How many readers gave each hip each grade, shape (hips, categories); each hip has a read.
    kind
        Weights.
    times
        How often each hip counts in each sample, shape (samples, hips).
    by_grades
        Gwet's chance agreement, in place of Fleiss'.
    """
    table = np.asarray(counts, float)
    seen, chance, _ = _parts(table, agreement_weights(table.shape[1], kind), times, by_grades)
    return _beyond_chance(seen, chance)


def _parts(
    counts: Floats, weights: Floats, times: Floats, by_grades: bool
) -> tuple[Floats, Floats, Floats]:
    """Agreement and chance agreement of each sample, and the agreeing pairs of each hip."""
    reads = counts.sum(1)
    several = reads > 1
    pairs = np.zeros(len(counts))
    pairs[several] = (counts * (counts @ weights - 1.0)).sum(1)[several] / (
        reads[several] * (reads[several] - 1.0)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = times @ pairs / (times @ several)
        shares = times @ (counts / reads[:, None]) / times.sum(1, keepdims=True)
    return seen, _by_chance(shares, shares, weights, by_grades), pairs


def _by_chance(grades: Floats, shares: Floats, weights: Floats, by_grades: bool) -> Floats:
    """How far grades agree by chance with grades of some shares: Fleiss' rule, or Gwet's."""
    if by_grades:
        size = len(weights)
        partners = (1.0 - shares) * float(weights.sum()) / (size * max(size - 1, 1))
    else:
        partners = shares @ weights
    found: Floats = (grades * partners).sum(-1)
    return found


def _many(counts: Floats, kind: WeightKind, *, by_grades: bool) -> Kappa:
    counts = counts[counts.sum(1) > 0]
    reads = counts.sum(1)
    several = reads > 1
    if not several.any():
        raise CohortError("agreement needs a hip that two readers read")
    weights = agreement_weights(counts.shape[1], kind)
    n = len(counts)
    parts = _parts(counts, weights, np.ones((1, n)), by_grades)
    seen, chance, pairs = float(parts[0][0]), float(parts[1][0]), parts[2]
    if chance >= 1.0 - 1e-12:
        words = "all readers gave all hips one grade: kappa is undefined"
        return Kappa(None, None, None, seen, n, words)
    own = counts / reads[:, None]
    of_hip = _by_chance(own, own.mean(0), weights, by_grades)
    value = (seen - chance) / (1.0 - chance)
    each = np.where(several, n / several.sum() * (pairs - chance) / (1.0 - chance), 0.0)
    each -= 2.0 * (1.0 - value) * (of_hip - chance) / (1.0 - chance)
    if n < 2:
        return Kappa(value, None, None, seen, n, "one hip; interval undefined")
    se = math.sqrt(float(((each - value) ** 2).sum()) / (n * (n - 1)))
    if se <= 1e-12:
        return Kappa(value, None, None, seen, n, "all hips agree; interval undefined")
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975)) * se
    return Kappa(value, se, (max(value - half, -1.0), min(value + half, 1.0)), seen, n)


def percent_values(counts: ArrayLike, times: Floats) -> Floats:
    """:func:`percent_agreement` of many samples of hips; ``times`` as in :func:`kappa_values`."""
    table = np.asarray(counts, float)
    return 100.0 * _parts(table, np.eye(table.shape[1]), times, by_grades=False)[0]


def percent_agreement(counts: ArrayLike) -> float:
    """Share of pairs of reads of one hip that are one grade, in percent; NaN without pairs.

    Examples
    --------
    >>> round(percent_agreement([[0, 3], [3, 0], [1, 2]]), 1)
    77.8
    """
    table = np.asarray(counts, float)
    return float(percent_values(table, np.ones((1, len(table))))[0])
