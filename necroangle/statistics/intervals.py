"""Intervals that several statistics share: of sums of mean squares, and by resampling patients.

Each function takes plain numbers and arrays, and gives two bounds of 95 % unless told otherwise.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import CohortError

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_TAIL = (1.0 - 0.95) / 2.0

SEED = 20241
"""Where no other is given: the same table gives the same interval."""


@dataclass(frozen=True, slots=True)
class MeanSquare:
    """A mean square with its degrees of freedom, and its coefficient in a sum."""

    value: float
    dof: float
    coefficient: float = 1.0


def interval_of_sum(parts: Sequence[MeanSquare]) -> Interval:
    """95 % interval of a sum of mean squares, whose coefficients may be negative.

    By modified large samples: exact for one mean square; for sums its coverage stays near 95 %
    where an interval by the normal curve fails, at few degrees of freedom. Bounds below 0 are 0: it
    is a variance.

    Parameters
    ----------
    parts
        Independent mean squares, each with degrees of freedom and coefficient.

    References
    ----------
    F. A. Graybill, C.-M. Wang, J Am Stat Assoc 75 (1980) 869, doi 10.1080/01621459.1980.10477565;
    N. Ting et al., J Stat Comput Simul 35 (1990) 135, doi 10.1080/00949659008811240.

    Examples
    --------
    A standard deviation of 3 from 20 degrees of freedom lies between 2.3 and 4.3.

    >>> [round(bound**0.5, 2) for bound in interval_of_sum([MeanSquare(9.0, 20)])]
    [2.3, 4.33]
    """
    from scipy.special import chdtri, fdtri

    tail = _TAIL
    estimate = math.fsum(one.coefficient * one.value for one in parts)
    low_part, high_part = 0.0, 0.0
    less = {id(one): 1.0 - one.dof / float(chdtri(one.dof, tail)) for one in parts}
    more = {id(one): one.dof / float(chdtri(one.dof, 1.0 - tail)) - 1.0 for one in parts}
    plus = [one for one in parts if one.coefficient >= 0]
    minus = [one for one in parts if one.coefficient < 0]
    for one in plus:
        size = (one.coefficient * one.value) ** 2
        low_part += less[id(one)] ** 2 * size
        high_part += more[id(one)] ** 2 * size
    for one in minus:
        size = (one.coefficient * one.value) ** 2
        low_part += more[id(one)] ** 2 * size
        high_part += less[id(one)] ** 2 * size
    for one in plus:
        for other in minus:
            size = one.coefficient * one.value * -other.coefficient * other.value
            upper = float(fdtri(one.dof, other.dof, 1.0 - tail))
            lower = float(fdtri(one.dof, other.dof, tail))
            low_part += size * float(
                ((upper - 1) ** 2 - (less[id(one)] * upper) ** 2 - more[id(other)] ** 2) / upper
            )
            high_part += size * float(
                ((1 - lower) ** 2 - (more[id(one)] * lower) ** 2 - less[id(other)] ** 2) / lower
            )
    low = estimate - math.sqrt(max(low_part, 0.0))
    high = estimate + math.sqrt(max(high_part, 0.0))
    return max(low, 0.0), max(high, 0.0)


def clopper_pearson(events: int, total: int) -> Interval | None:
    """Exact 95 % interval of a share: those under which so few, or so many, are not too rare.

    ``low`` solves P(X >= events) = 0.025 and ``high`` P(X <= events) = 0.025 for a binomial X.

    Parameters
    ----------
    events, total
        How many of how many.

    Returns
    -------
    tuple of two floats, or None
        Bounds from 0 to 1; None where the total is 0, for there is no share.

    Raises
    ------
    CohortError
        If the counts are not 0 <= events <= total.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404, doi 10.1093/biomet/26.4.404.

    Examples
    --------
    Grade 2 of Ha 2006: 6 of 9 hips collapsed.

    >>> [round(100 * bound, 1) for bound in clopper_pearson(6, 9)]
    [29.9, 92.5]
    >>> clopper_pearson(3, 2)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a share needs 0 <= events <= total, found 3 of 2
    """
    from scipy.special import betaincinv

    if not 0 <= events <= total:
        raise CohortError(f"a share needs 0 <= events <= total, found {events} of {total}")
    if total == 0:
        return None
    tail = _TAIL
    low = 0.0 if events == 0 else float(betaincinv(events, total - events + 1, tail))
    high = 1.0 if events == total else float(betaincinv(events + 1, total - events, 1.0 - tail))
    return low, high


# ---- by resampling patients --------------------------------------------------------------------


def cluster_weights(clusters: int, draws: int, seed: int = SEED) -> NDArray[np.int64]:
    """How often each patient is drawn in each of many samples of as many patients, with return.

    Returns
    -------
    array of int, (draws, clusters)

    Examples
    --------
    >>> weights = cluster_weights(18, 500)
    >>> weights.shape, set(weights.sum(1).tolist())
    ((500, 18), {18})
    """
    random = np.random.default_rng(seed)
    return random.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=draws)


def cluster_times(clusters: Sequence[object], draws: int, seed: int = SEED) -> tuple[Floats, int]:
    """How often each row counts in each sample, (draws, rows), and how many patients there are."""
    place = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    own = np.array([place[one] for one in clusters])
    return cluster_weights(len(place), draws, seed)[:, own].astype(float), len(place)


def percentile_bounds(values: Floats, clusters: int) -> Interval | None:
    """Expanded 95 % percentile interval of resampled values; None where fewer than half are finite.

    A plain percentile interval is too short with few patients: its tail is drawn out by what a t
    with one degree of freedom less than patients is wider than the normal curve.

    References
    ----------
    T. C. Hesterberg, Am Stat 69 (2015) 371, doi 10.1080/00031305.2015.1089789.
    """
    from scipy.special import ndtr, stdtrit

    kept = values[np.isfinite(values)]
    if clusters < 2 or kept.size < max(values.size / 2, 20):
        return None
    size = math.sqrt(clusters / (clusters - 1))
    tail = float(ndtr(size * stdtrit(clusters - 1, _TAIL)))
    low, high = np.quantile(kept, (tail, 1.0 - tail))
    return float(low), float(high)


def cluster_interval(
    statistic: Callable[[Floats], Floats], clusters: Sequence[object], draws: int = 1000
) -> Interval | None:
    """95 % interval of any statistic of rows, by drawing patients with all their rows.

    Parameters
    ----------
    statistic
        From how often each row counts in each sample, shape (draws, rows), to the statistic of
        each sample, shape (draws,); NaN where it has none.
    clusters
        The patient of each row.
    draws
        Samples drawn.

    Examples
    --------
    >>> ages = np.array([20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    >>> low, high = cluster_interval(lambda times: times @ ages / times.sum(1), "aabbcc")
    >>> bool(low < ages.mean() < high)
    True
    """
    times, count = cluster_times(clusters, draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = statistic(times)
    return percentile_bounds(found, count)
