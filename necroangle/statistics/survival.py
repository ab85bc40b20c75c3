"""Time to event: survival, cumulative incidence beside competing events, tests, restricted means.

Times are of hips from the index date, in any unit. An event is a code: 0 is none (the observation
ended without one), 1 the event that is asked about, 2 and above events after which it can no longer
happen (a replacement, death).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.statistics.intervals import Interval

Floats = NDArray[np.float64]
_Z = 1.959963984540054
_ROUNDING = 1e-12
"""A share so near to 0 or 1 is that: sums of shares carry their rounding."""


@dataclass(frozen=True, slots=True)
class Times:
    """Observed times with what ended them.

    Attributes
    ----------
    times
        Time of the event or of the last observation, shape (n,), 0 or more.
    events
        0 for none, 1 for the event, 2 and above for competing events, shape (n,).
    """

    times: Floats
    events: NDArray[np.intp]

    @classmethod
    def of(cls, times: ArrayLike, events: ArrayLike) -> "Times":
        """From lists.

        Raises
        ------
        CohortError
            If a time is missing or below 0, or the lists have not one length.
        """
        own, codes = np.asarray(times, float), np.asarray(events, np.intp)
        if own.ndim != 1 or own.shape != codes.shape:
            raise CohortError("each hip needs a time and an event")
        if not (np.isfinite(own) & (own >= 0)).all():
            raise CohortError("a time to event is a number of 0 or more")
        return cls(own, codes)

    @property
    def alone(self) -> "Times":
        """The same with competing events as the end of observation."""
        return Times(self.times, np.where(self.events == 1, 1, 0))

    def where(self, chosen: NDArray[np.bool_]) -> "Times":
        """Those of some hips."""
        return Times(self.times[chosen], self.events[chosen])

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Curve:
    """A step function of time with its pointwise 95 % interval.

    Attributes
    ----------
    times
        Where it steps, ascending; it begins before the first of them at 1 (survival) or 0.
    values, low, high
        Its value from each time on.
    se
        Standard error of the value.
    start
        Value before the first step.
    observed
        How long each hip was observed, ascending.
    """

    times: Floats
    values: Floats
    low: Floats
    high: Floats
    se: Floats
    start: float
    observed: Floats

    @property
    def last(self) -> float:
        """Longest time observed: beyond it nothing is known."""
        return float(self.observed[-1]) if len(self.observed) else 0.0

    def before_events(self, time: float) -> Interval:
        """Exact interval while no event has happened, by the hips still observed at a time."""
        hips = len(self.observed) - int(np.searchsorted(self.observed, time, side="left"))
        bound = 0.025 ** (1.0 / hips) if hips else 0.0
        return (bound, 1.0) if self.start else (0.0, 1.0 - bound)


def at_time(curve: Curve, time: float) -> tuple[float, Interval] | None:
    """Value and interval at a time; None beyond the longest observation.

    While no event has happened the interval is Clopper and Pearson's of none of the hips that are
    still observed: no event among 22 hips leaves up to 15 % open.

    Examples
    --------
    >>> at_time(survival(Times.of([1, 2, 3], [1, 0, 1])), 9.0) is None
    True
    >>> value, (low, high) = at_time(incidence(Times.of([3.0] * 22, [0] * 22)), 2.0)
    >>> value, low, round(high, 3)
    (0.0, 0.0, 0.154)
    """
    if time > curve.last:
        return None
    place = int(np.searchsorted(curve.times, time, side="right")) - 1
    if place < 0 or curve.values[place] == curve.start:
        return curve.start, curve.before_events(time)
    return float(curve.values[place]), (float(curve.low[place]), float(curve.high[place]))


def numbers_at_risk(data: Times, times: ArrayLike) -> list[int]:
    """How many hips are still observed at each time.

    Examples
    --------
    >>> numbers_at_risk(Times.of([1, 2, 3], [1, 0, 1]), [0, 2, 2.5])
    [3, 2, 1]
    """
    return [int((data.times >= time).sum()) for time in np.asarray(times, float)]


class _Counts:
    """Numbers at risk and of events at each distinct time with an event of any kind."""

    def __init__(self, data: Times) -> None:
        order = np.argsort(data.times, kind="stable")
        times, events = data.times[order], data.events[order]
        self.times = np.unique(times[events > 0])
        self.at_risk = len(times) - np.searchsorted(times, self.times, side="left")
        self.of_event = self._number(times[events == 1])
        self.of_any = self._number(times[events > 0])

    def _number(self, times: Floats) -> NDArray[np.intp]:
        left = np.searchsorted(times, self.times, side="left")
        return np.searchsorted(times, self.times, side="right") - left


def survival(data: Times) -> Curve:
    """Kaplan-Meier: the share without event; what competes counts as the end of observation.

    Where events compete this is not the share that stays free of the event: use
    :func:`incidence`. The interval is that of the log of minus the log, the error Greenwood's.

    References
    ----------
    E. L. Kaplan, P. Meier, J Am Stat Assoc 53 (1958) 457, doi 10.1080/01621459.1958.10501452.

    Examples
    --------
    Remission under 6-MP, weeks (Freireich 1963).

    >>> weeks = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    >>> curve = survival(Times.of(weeks, [1] * 9 + [0] * 12))
    >>> value, (low, high) = at_time(curve, 23)
    >>> round(value, 4), round(low, 4), round(high, 4)
    (0.4482, 0.1881, 0.6801)
    """
    alone = data.alone
    counts = _Counts(alone)
    risk, happened = counts.at_risk.astype(float), counts.of_event.astype(float)
    values = np.cumprod(1.0 - happened / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = np.cumsum(happened / (risk * (risk - happened)))
        se = np.where(values > 0, values * np.sqrt(sums), 0.0)
    low, high = _log_log(values, se)
    return Curve(counts.times, values, low, high, se, 1.0, np.sort(data.times))


def incidence(data: Times) -> Curve:
    """Cumulative incidence of the event where others compete with it (Aalen and Johansen).

    The share that has had the event by a time, in a world where hips are also replaced and
    patients die. The interval is that of the log of minus the log, the error Aalen's.

    References
    ----------
    O. O. Aalen, S. Johansen, Scand J Stat 5 (1978) 141; interval and error: J. D. Kalbfleisch,
    R. L. Prentice, The Statistical Analysis of Failure Time Data (2002), 8.2.

    Examples
    --------
    Four hips: failed, replaced, failed, observed to the end.

    >>> curve = incidence(Times.of([1, 2, 3, 4], [1, 2, 1, 0]))
    >>> curve.values.tolist()
    [0.25, 0.25, 0.5]
    """
    counts = _Counts(data)
    risk = counts.at_risk.astype(float)
    own, of_any = counts.of_event.astype(float), counts.of_any.astype(float)
    free = np.cumprod(1.0 - of_any / risk)
    before = np.concatenate([[1.0], free[:-1]])
    values = np.minimum(np.cumsum(before * own / risk), 1.0)
    se = np.sqrt(_aalen(values, before, risk, own, of_any))
    low, high = _log_log(values, se)
    return Curve(counts.times, values, low, high, se, 0.0, np.sort(data.times))


def _aalen(values: Floats, before: Floats, risk: Floats, own: Floats, of_any: Floats) -> Floats:
    """Aalen's variance of the cumulative incidence at each step."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = of_any / ((risk - 1.0) * (risk - of_any))
        second = before**2 * own * (risk - own) / (risk**2 * (risk - 1.0))
        third = before * own * (risk - own) / (risk * (risk - of_any) * (risk - 1.0))
    first, second, third = (
        np.where(np.isfinite(part) & (risk > 1), part, 0.0) for part in (first, second, third)
    )
    squares = values**2 * np.cumsum(first) - 2.0 * values * np.cumsum(values * first)
    squares += np.cumsum(values**2 * first) + np.cumsum(second)
    squares -= 2.0 * (values * np.cumsum(third) - np.cumsum(values * third))
    return np.maximum(squares, 0.0)


def _log_log(values: Floats, se: Floats) -> tuple[Floats, Floats]:
    inside = (values > _ROUNDING) & (values < 1 - _ROUNDING) & (se > 0)
    share, error = np.where(inside, values, 0.5), np.where(inside, se, 0.0)
    size = np.exp(_Z * error / (share * np.log(share)))
    return (
        np.where(inside, share ** (1.0 / size), values),
        np.where(inside, share**size, values),
    )


def _longest(data: Times) -> float:
    return float(data.times.max()) if len(data) else 0.0


# ---- groups ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupTest:
    """A test of groups.

    Attributes
    ----------
    chi2, dof, p
        The statistic; None where there is no test, and ``words`` say why.
    words
        Its name, or why there is none.
    """

    chi2: float | None
    dof: int
    p: float | None
    words: str


def log_rank(data: Times, groups: Sequence[object]) -> GroupTest:
    """Whether survival differs between groups; competing events count as end of observation.

    References
    ----------
    R. Peto, J. Peto, J R Stat Soc A 135 (1972) 185, doi 10.2307/2344317.

    Examples
    --------
    >>> test = log_rank(Times.of([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0]), list("aaabbb"))
    >>> round(test.chi2, 3), test.dof
    (5.052, 1)
    """
    own = _members(groups)
    if isinstance(own, str):
        return GroupTest(None, 0, None, own)
    alone = data.alone
    times = np.unique(alone.times[alone.events == 1])
    risk = np.array([(alone.times[member, None] >= times).sum(0) for member in own], float)
    happened = np.array(
        [((alone.times == time) & (alone.events == 1)).sum() for time in times], float
    )
    seen = np.array([(alone.events[member] == 1).sum() for member in own], float)
    total = risk.sum(0)
    shares = risk / total
    expected = (shares * happened).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(total > 1, happened * (total - happened) / (total - 1.0), 0.0)
    covariance = np.diag((shares * size).sum(1)) - (shares * size) @ shares.T
    return _chi2(seen - expected, covariance, "log-rank test")


def gray_test(data: Times, groups: Sequence[object]) -> GroupTest:
    """Whether the cumulative incidence of the event differs between groups (Gray, rho 0).

    References
    ----------
    R. J. Gray, Ann Stat 16 (1988) 1141, doi 10.1214/aos/1176350951.

    Examples
    --------
    Without competing events it asks what the log-rank test asks.

    >>> data = Times.of([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 0, 1, 1, 0, 0])
    >>> test = gray_test(data, list("abababab"))
    >>> test.dof, 0 < test.p < 1
    (1, True)
    """
    own = _members(groups)
    if isinstance(own, str):
        return GroupTest(None, 0, None, own)
    scores, covariance = _gray_scores(data, own)
    return _chi2(scores, covariance, "Gray's test")


def _members(groups: Sequence[object]) -> list[NDArray[np.intp]] | str:
    names = list(dict.fromkeys(groups))
    if len(names) < 2:
        return "a test needs two groups"
    place = {name: number for number, name in enumerate(names)}
    codes = np.array([place[one] for one in groups])
    return [np.flatnonzero(codes == number) for number in range(len(names))]


def _chi2(scores: Floats, covariance: Floats, words: str) -> GroupTest:
    from scipy.special import chdtrc

    dof = len(scores) - 1
    kept, matrix = scores[:dof], covariance[:dof, :dof]
    if np.linalg.matrix_rank(matrix) != dof:
        return GroupTest(None, dof, None, "no events to compare")
    chi2 = float(kept @ np.linalg.solve(matrix, kept))
    return GroupTest(chi2, dof, float(chdtrc(dof, chi2)), words)


def _gray_scores(data: Times, own: Sequence[NDArray[np.intp]]) -> tuple[Floats, Floats]:
    """Scores of the groups and their covariance.

    With Y hips at risk of a group, S its share without any event and G its share without the event
    (one less its incidence), ``R = Y G / S`` hips would be at risk if what competes took nobody
    away. The score of a group is its number of events less its share ``R / sum R`` of them all.
    Its covariance is that of the martingales of both kinds of event, to first order in the errors
    of S and G.
    """
    times = np.unique(data.times[data.events > 0])
    count, steps = len(own), len(times)
    risk, first, other = (np.zeros((count, steps)) for _ in range(3))
    for place, member in enumerate(own):
        part, codes = data.times[member, None], data.events[member, None]
        risk[place] = (part >= times).sum(0)
        first[place] = ((part == times) & (codes == 1)).sum(0)
        other[place] = ((part == times) & (codes > 1)).sum(0)
    at_risk = np.maximum(risk, 1.0)
    free = np.cumprod(1.0 - (first + other) / at_risk, axis=1)
    free_before = np.hstack([np.ones((count, 1)), free[:, :-1]])
    rest = 1.0 - np.cumsum(free_before * first / at_risk, axis=1)
    rest_before = np.hstack([np.ones((count, 1)), rest[:, :-1]])
    weight = np.where(risk > 0, risk / np.where(risk > 0, free_before, 1.0), 0.0)
    happened, kept = first.sum(0), weight * rest_before
    scores = first.sum(1) - (kept * (happened / np.maximum(kept.sum(0), 1e-300))).sum(1)
    # from here on the groups share one incidence: that is what is tested
    total = np.maximum(weight.sum(0), 1e-300)
    step = happened / total
    shared = 1.0 - np.cumsum(step)
    shared_before = np.maximum(np.concatenate([[1.0], shared[:-1]]), 1e-12)
    covariance = np.zeros((count, count))
    for r in range(count):
        own_share = np.eye(count)[r][:, None] - weight / total  # of each score on r's events
        pull = own_share * weight[r] * step / shared_before
        later = pull[:, ::-1].cumsum(1)[:, ::-1] - pull
        pace = free_before[r] / at_risk[r]
        left = shared / np.where(free[r] > 0, free[r], np.inf)
        of_first = own_share + np.where(free[r] > 0, 1.0 - left, 1.0) * pace * later
        of_other = left * pace * later
        first_size = weight[r] * step * _ties(happened, total * free_before[r])
        covariance += (of_first * first_size) @ of_first.T
        covariance += (of_other * other[r] * _ties(other[r], risk[r])) @ of_other.T
    return scores, covariance


def _ties(events: Floats, risk: Floats) -> Floats:
    """Share of the variance that is left where several events have one time."""
    several = (events > 1) & (risk > 1)
    return np.where(
        several, np.maximum(1.0 - (events - 1.0) / np.where(several, risk - 1.0, 1.0), 0.0), 1.0
    )


# ---- means -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean time free of the event up to a horizon.

    Attributes
    ----------
    value, se, interval
        In the unit of the times.
    horizon
        Up to where.
    """

    value: float
    se: float
    interval: Interval
    horizon: float


def restricted_mean(data: Times, horizon: float) -> RestrictedMean:
    """Area below the Kaplan-Meier curve up to a horizon.

    Raises
    ------
    CohortError
        If the horizon is not above 0 and at most the longest observation.

    References
    ----------
    P. Royston, M. K. B. Parmar, BMC Med Res Methodol 13 (2013) 152, doi 10.1186/1471-2288-13-152.

    Examples
    --------
    >>> found = restricted_mean(Times.of([1, 2, 3, 4], [1, 1, 0, 0]), 4.0)
    >>> found.value
    2.75
    """
    if not 0 < horizon <= _longest(data):
        raise CohortError(
            f"a restricted mean needs a horizon of more than 0 and at most {_longest(data):g}, the "
            f"longest observation; found {horizon:g}"
        )
    alone = data.alone
    counts = _Counts(alone)
    inside = counts.times < horizon
    times = counts.times[inside]
    risk, happened = counts.at_risk[inside].astype(float), counts.of_event[inside].astype(float)
    values = np.cumprod(1.0 - happened / risk)
    areas = values * np.diff(np.concatenate([times, [horizon]]))
    value = float(areas.sum() + (times[0] if len(times) else horizon))
    beyond = areas[::-1].cumsum()[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = beyond**2 * happened / (risk * (risk - happened))
    se = math.sqrt(float(np.where(np.isfinite(parts), parts, 0.0).sum()))
    return RestrictedMean(value, se, (value - _Z * se, min(value + _Z * se, horizon)), horizon)


# ---- events seen at visits ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turnbull:
    """Survival where an event is known to lie between two visits only.

    Attributes
    ----------
    left, right
        Intervals in which the curve falls, ascending; where in them is not known.
    mass
        How much it falls in each; what is left over after the last is not known to fall.
    """

    left: Floats
    right: Floats
    mass: Floats

    def bounds_at(self, time: float) -> Interval:
        """Lowest and highest share without the event that the curve allows at a time."""
        low = 1.0 - float(self.mass[self.left < time].sum())
        high = 1.0 - float(self.mass[self.right <= time].sum())
        return max(low, 0.0), min(high, 1.0)


def interval_censored(left: ArrayLike, right: ArrayLike) -> Turnbull:
    """Most likely curve of events that happened after one visit and by another.

    Parameters
    ----------
    left
        Last visit without the event, shape (n,).
    right
        First visit with it; infinite where it has not been seen.

    Raises
    ------
    CohortError
        If an interval ends before it begins.

    References
    ----------
    B. W. Turnbull, J R Stat Soc B 38 (1976) 290, doi 10.1111/j.2517-6161.1976.tb01597.x.

    Examples
    --------
    >>> curve = interval_censored([0, 6, 6, 12], [6, 12, float("inf"), float("inf")])
    >>> curve.left.tolist(), curve.right.tolist(), curve.mass.round(3).tolist()
    ([0.0, 6.0], [6.0, 12.0], [0.25, 0.375])
    >>> curve.bounds_at(9.0)
    (0.375, 0.75)
    """
    begins, ends = np.asarray(left, float), np.asarray(right, float)
    if begins.shape != ends.shape or not (begins <= ends).all():
        raise CohortError("an event lies after one visit and by another: found one the wrong way")
    # the curve can fall only where a left end is next to a right end; an exact time is both
    marks = sorted({(value, 1) for value in begins} | {(value, 0) for value in ends})
    places = [(one[0], other[0]) for one, other in pairwise(marks) if one[1] == 1 and other[1] == 0]
    places += [(value, value) for value in np.unique(begins[begins == ends])]
    lows = np.array([place[0] for place in places])
    highs = np.array([place[1] for place in places])
    exact = (begins == ends)[:, None]
    inside = (begins[:, None] <= lows) & (highs <= ends[:, None])
    inside &= np.where(exact, lows == highs, (lows < highs) | (lows > begins[:, None]))
    mass = np.full(len(places), 1.0 / len(places))
    for _ in range(20_000):
        shares = inside * mass
        new = (shares / shares.sum(1, keepdims=True)).mean(0)
        done = np.abs(new - mass).max() < 1e-10
        mass = new
        if done:
            break
    order = np.lexsort((highs, lows))
    falls = [place for place in order if math.isfinite(highs[place]) and mass[place] > 1e-9]
    return Turnbull(lows[falls], highs[falls], mass[falls])
