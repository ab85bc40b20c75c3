"""How well a number predicts an event: area below the curve, its cut, and trends of shares."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.statistics.intervals import (
    Interval,
    cluster_interval,
    cluster_times,
    percentile_bounds,
)

Floats = NDArray[np.float64]
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Roc:
    """A receiver operating curve.

    Attributes
    ----------
    auc, se, interval
        Area below it, DeLong's error and 95 % interval; None where there is none.
    by_patients
        Interval by resampling patients; None where it was not asked for.
    false_positive, true_positive, cuts
        The curve: shares of hips at or above each cut, shape (points,), from (0, 0) to (1, 1).
    events, others
        Hips with and without the event.
    words
        What no number can say.
    """

    auc: float | None
    se: float | None
    interval: Interval | None
    by_patients: Interval | None
    false_positive: Floats
    true_positive: Floats
    cuts: Floats
    events: int
    others: int
    words: str = ""


def roc(
    scores: ArrayLike,
    events: ArrayLike,
    patients: Sequence[object] | None = None,
    draws: int = 2000,
) -> Roc:
    """Area below the receiver operating curve: larger numbers predict the event.

    Parameters
    ----------
    scores
        The number of each hip, shape (n,).
    events
        Whether it has the event, shape (n,).
    patients
        The patient of each hip; with it an interval by resampling patients is given.
    draws
        Samples drawn.

    Raises
    ------
    CohortError
        If a number is missing.

    References
    ----------
    E. R. DeLong et al., Biometrics 44 (1988) 837, doi 10.2307/2531595.

    Examples
    --------
    >>> found = roc([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])
    >>> round(found.auc, 3), found.events
    (0.889, 3)
    """
    numbers, has = np.asarray(scores, float), np.asarray(events, bool)
    if numbers.shape != has.shape or not np.isfinite(numbers).all():
        raise CohortError("a curve needs a number for each hip, none missing")
    cuts = np.concatenate([[np.inf], np.unique(numbers)[::-1]])
    above = numbers[:, None] >= cuts
    count, rest = int(has.sum()), int((~has).sum())
    empty = np.zeros(len(cuts))
    true = above[has].mean(0) if count else empty
    false = above[~has].mean(0) if rest else empty
    if not count or not rest:
        words = "every hip has the event" if count else "no hip has the event"
        return Roc(None, None, None, None, false, true, cuts, count, rest, words)
    auc, of_events, of_others = _areas(numbers[has], numbers[~has])
    resampled = None if patients is None else _auc_by_patients(numbers, has, patients, draws)
    if count < 2 or rest < 2:
        words = "one hip on a side; error undefined"
        return Roc(auc, None, None, resampled, false, true, cuts, count, rest, words)
    se = math.sqrt(of_events.var(ddof=1) / count + of_others.var(ddof=1) / rest)
    if se <= 0:
        words = "the number parts the hips with the event from the others; error undefined"
        return Roc(auc, None, None, resampled, false, true, cuts, count, rest, words)
    interval = (max(auc - _Z * se, 0.0), min(auc + _Z * se, 1.0))
    return Roc(auc, se, interval, resampled, false, true, cuts, count, rest)


@dataclass(frozen=True, slots=True)
class AreaDifference:
    """Two areas of the same hips: second less first; ``p`` is None where there is no test."""

    difference: float | None
    interval: Interval | None
    p: float | None
    words: str


def area_difference(first: ArrayLike, second: ArrayLike, events: ArrayLike) -> AreaDifference:
    """Whether one number predicts the event better than another, by DeLong's covariance.

    Parameters
    ----------
    first, second
        Both numbers of each hip, shape (n,).
    events
        Whether it has the event, shape (n,).

    References
    ----------
    E. R. DeLong et al., Biometrics 44 (1988) 837, doi 10.2307/2531595.

    Examples
    --------
    >>> has = [0, 0, 0, 1, 1, 1]
    >>> found = area_difference([1, 4, 2, 3, 6, 5], [1, 2, 5, 4, 6, 3], has)
    >>> round(found.difference, 3), found.p > 0.05
    (-0.111, True)
    """
    from scipy.special import ndtr

    one, other, has = np.asarray(first, float), np.asarray(second, float), np.asarray(events, bool)
    words = "DeLong's test of two areas of the same hips"
    if has.sum() < 2 or (~has).sum() < 2:
        return AreaDifference(None, None, None, "fewer than two hips on a side")
    area, of_events, of_others = _areas(one[has], one[~has])
    other_area, other_of_events, other_of_others = _areas(other[has], other[~has])
    variance = float((other_of_events - of_events).var(ddof=1) / has.sum())
    variance += float((other_of_others - of_others).var(ddof=1) / (~has).sum())
    difference = other_area - area
    if not variance > 1e-24:
        return AreaDifference(difference, None, None, "both numbers order the hips alike")
    se = math.sqrt(variance)
    interval = (difference - _Z * se, difference + _Z * se)
    return AreaDifference(difference, interval, float(2.0 * ndtr(-abs(difference) / se)), words)


def _areas(events: Floats, others: Floats) -> tuple[float, Floats, Floats]:
    """The area, and for each hip the share of the other side that it is beyond."""
    low = np.searchsorted(np.sort(others), events, side="left")
    high = np.searchsorted(np.sort(others), events, side="right")
    of_events = (low + high) / (2.0 * len(others))
    low = np.searchsorted(np.sort(events), others, side="left")
    high = np.searchsorted(np.sort(events), others, side="right")
    of_others = 1.0 - (low + high) / (2.0 * len(events))
    return float(of_events.mean()), of_events, of_others


def _auc_by_patients(
    numbers: Floats, has: NDArray[np.bool_], patients: Sequence[object], draws: int
) -> Interval | None:
    beyond = (numbers[has][:, None] > numbers[~has]) + 0.5 * (
        numbers[has][:, None] == numbers[~has]
    )

    def areas(times: Floats) -> Floats:
        ours, theirs = times[:, has], times[:, ~has]
        found: Floats = ((ours @ beyond) * theirs).sum(1) / (ours.sum(1) * theirs.sum(1))
        return found

    return cluster_interval(areas, patients, draws)


@dataclass(frozen=True, slots=True)
class Cut:
    """The cut with the largest sum of sensitivity and specificity.

    Attributes
    ----------
    at_least
        A hip at or above it is called.
    sensitivity, specificity
        As found, shares.
    optimism
        By how much their sum is too good, being chosen on the hips that it is judged on.
    interval
        Of the cut, by resampling patients; None with too few.
    """

    at_least: float
    sensitivity: float
    specificity: float
    optimism: float
    interval: Interval | None

    @property
    def index(self) -> float:
        """Youden's index as found: sensitivity and specificity less 1."""
        return self.sensitivity + self.specificity - 1.0

    @property
    def corrected_index(self) -> float:
        """Youden's index less its optimism: what the cut can be expected to reach in new hips."""
        return max(self.index - self.optimism, 0.0)


def youden_cut(
    scores: ArrayLike,
    events: ArrayLike,
    patients: Sequence[object] | None = None,
    draws: int = 1000,
) -> Cut | None:
    """Youden's cut, with what it flatters itself by (bootstrap); None without both kinds of hip.

    References
    ----------
    W. J. Youden, Cancer 3 (1950) 32; optimism: B. Efron, G. Gong, Am Stat 37 (1983) 36,
    doi 10.1080/00031305.1983.10483087.

    Examples
    --------
    >>> cut = youden_cut([1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 1, 0, 0, 1, 1, 1])
    >>> cut.at_least, cut.sensitivity, cut.specificity
    (6.0, 0.75, 1.0)
    """
    numbers, has = np.asarray(scores, float), np.asarray(events, bool)
    if not has.any() or has.all():
        return None
    clusters = list(range(len(numbers))) if patients is None else list(patients)
    cuts = np.unique(numbers)
    above = (numbers[:, None] >= cuts).astype(float)
    sens, spec = above[has].mean(0), 1.0 - above[~has].mean(0)
    best = int(np.argmax(sens + spec))
    times, count = cluster_times(clusters, draws)
    ours, theirs = times[:, has], times[:, ~has]
    with np.errstate(divide="ignore", invalid="ignore"):
        there = ours @ above[has] / ours.sum(1, keepdims=True)
        there = there + 1.0 - theirs @ above[~has] / theirs.sum(1, keepdims=True)
    valid = np.isfinite(there).all(1)
    picks = np.argmax(there[valid], axis=1)
    gain = there[valid][np.arange(len(picks)), picks] - (sens + spec)[picks]
    interval = percentile_bounds(
        np.concatenate([cuts[picks], np.full((~valid).sum(), np.nan)]), count
    )
    optimism = max(float(gain.mean()), 0.0) if len(picks) else math.nan
    return Cut(float(cuts[best]), float(sens[best]), float(spec[best]), optimism, interval)


@dataclass(frozen=True, slots=True)
class Trend:
    """A test of a trend of shares over ordered groups; ``p`` is None where there is none."""

    z: float | None
    p: float | None
    words: str


def cochran_armitage(
    events: Sequence[int], totals: Sequence[int], scores: Sequence[float] | None = None
) -> Trend:
    """Whether the share rises or falls over ordered groups, hips counted as independent.

    Parameters
    ----------
    events, totals
        Of each group, in order.
    scores
        Place of each group; None for 1, 2, 3...

    References
    ----------
    P. Armitage, Biometrics 11 (1955) 375, doi 10.2307/3001775.

    Examples
    --------
    Collapse by grade in Ha 2006.

    >>> trend = cochran_armitage([0, 6, 16, 7], [5, 9, 16, 7])
    >>> round(trend.z, 2), trend.p < 0.001
    (4.46, True)
    """
    from scipy.special import ndtr

    happened, size = np.asarray(events, float), np.asarray(totals, float)
    place = np.arange(1.0, len(size) + 1) if scores is None else np.asarray(scores, float)
    total = float(size.sum())
    share = float(happened.sum()) / total if total else math.nan
    spread = float((size * place**2).sum() - (size * place).sum() ** 2 / total) if total else 0.0
    if not 0 < share < 1 or not spread > 0:
        return Trend(None, None, "no trend to test: one group, or all hips alike")
    score = float((place * (happened - size * share)).sum())
    z = score / math.sqrt(share * (1.0 - share) * spread)
    return Trend(z, float(2.0 * ndtr(-abs(z))), "Cochran-Armitage test for trend")
