"""Agreement of readers on a number: intraclass correlation, components of variance, limits.

Readings are a table of hips by readers, or a list with a hip, a reader and a repeat each. Every
quantity follows from mean squares, and every mean square from sums over hips: so resampling ten
thousand hips is a product of two matrices.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from necroangle.errors import CohortError
from necroangle.statistics.intervals import (
    SEED,
    Interval,
    MeanSquare,
    cluster_times,
    interval_of_sum,
    percentile_bounds,
)

Floats = NDArray[np.float64]

ICC_NAMES = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(2,k)")
"""One-way; two-way, readers by chance; two-way, these readers; the mean of all the readers."""


# ---- a table of hips by readers ----------------------------------------------------------------


class MeanSquares(NamedTuple):
    """Mean squares of hips by readers, one read in each cell; numbers, or arrays of resamples.

    Attributes
    ----------
    of_hips, of_readers, error, within
        Between hips, between readers, what is left, and all but hips.
    hips, readers
        How many there are.
    """

    of_hips: Floats
    of_readers: Floats
    error: Floats
    within: Floats
    hips: Floats
    readers: int


def mean_squares(table: ArrayLike, weights: ArrayLike | None = None) -> MeanSquares:
    """Mean squares of a complete table.

    Parameters
    ----------
    table
        Readings, shape (hips, readers), none missing.
    weights
        How often each hip counts in each resample, shape (resamples, hips); None for once each.

    Raises
    ------
    CohortError
        If the table has fewer than two hips or two readers, or a number is missing.
    """
    values = np.asarray(table, float)
    if values.ndim != 2 or min(values.shape) < 2:
        raise CohortError(f"agreement needs two hips and two readers, found a table {values.shape}")
    if not np.isfinite(values).all():
        raise CohortError("a reading is missing: leave the hip out, or its reader")
    values = values - values.mean()
    readers = values.shape[1]
    times = np.ones((1, len(values))) if weights is None else np.asarray(weights, float)
    count = times.sum(1)
    products = (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)
    means = times @ values / count[:, None]
    spread = (times @ products).reshape(-1, readers, readers) / count[:, None, None]
    spread -= means[:, :, None] * means[:, None, :]
    shared = np.maximum(spread.sum((1, 2)), 0.0) / readers
    left = np.maximum(np.trace(spread, axis1=1, axis2=2) - shared, 0.0)
    of_readers = count * means.var(1) * readers
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (
            count / (count - 1) * shared,
            of_readers / (readers - 1),
            count * left / ((count - 1) * (readers - 1)),
            (count * left + of_readers) / (count * (readers - 1)),
            count,
        )
    if weights is None:
        found = tuple(part[0] for part in found)
    return MeanSquares(*found, readers)


def _coefficients(squares: MeanSquares) -> dict[str, Floats]:
    hips, readers, error, within, count, k = squares
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "ICC(1,1)": (hips - within) / (hips + (k - 1) * within),
            "ICC(2,1)": (hips - error) / (hips + (k - 1) * error + k * (readers - error) / count),
            "ICC(3,1)": (hips - error) / (hips + (k - 1) * error),
            "ICC(2,k)": (hips - error) / (hips + (readers - error) / count),
        }


@dataclass(frozen=True, slots=True)
class Icc:
    """An intraclass correlation.

    Attributes
    ----------
    name
        One of :data:`ICC_NAMES`.
    value
        None where there is none, and ``words`` say why.
    interval
        By the F distribution, hips counted as independent; None where it is undefined.
    by_patients
        By resampling patients; None where it was not asked for, or there are too few.
    words
        What no number can say.
    """

    name: str
    value: float | None
    interval: Interval | None
    by_patients: Interval | None = None
    words: str = ""


def icc(table: ArrayLike, level: float = 0.95) -> dict[str, Icc]:
    """Intraclass correlations of a complete table, with their intervals by the F distribution.

    Parameters
    ----------
    table
        Readings, shape (hips, readers).
    level
        Coverage of the intervals.

    Raises
    ------
    CohortError
        As :func:`mean_squares`.

    References
    ----------
    P. E. Shrout, J. L. Fleiss, Psychol Bull 86 (1979) 420, doi 10.1037/0033-2909.86.2.420;
    K. O. McGraw, S. P. Wong, Psychol Methods 1 (1996) 30, doi 10.1037/1082-989X.1.1.30.

    Examples
    --------
    The table of Shrout and Fleiss.

    >>> rows = "9258 6132 8468 7126".split()
    >>> table = [[int(n) for n in row] for row in rows] + [[10, 5, 6, 9], [6, 2, 4, 7]]
    >>> found = icc(table)
    >>> [round(found[name].value, 3) for name in ICC_NAMES]
    [0.166, 0.29, 0.715, 0.62]
    >>> [round(bound, 4) for bound in found["ICC(2,1)"].interval]
    [0.0188, 0.7611]
    >>> icc([[1, 1], [2, 2], [3, 3]])["ICC(2,1)"].words
    'all readers identical; interval undefined'
    """
    squares = mean_squares(table)
    hips, _, error, within, *_ = (float(part) for part in squares[:5])
    if hips + within <= 0:
        return {name: Icc(name, None, None, words="all readings equal") for name in ICC_NAMES}
    values = {name: float(value) for name, value in _coefficients(squares).items()}
    if within <= 0:
        words = "all readers identical; interval undefined"
        return {name: Icc(name, 1.0, None, words=words) for name in ICC_NAMES}
    bounds = _f_intervals(squares, values["ICC(2,1)"], level)
    alike = "" if error > 0 else "readers differ by a constant only"
    return {name: Icc(name, values[name], bounds.get(name), words=alike) for name in ICC_NAMES}


def _f_intervals(squares: MeanSquares, two_way: float, level: float) -> dict[str, Interval]:
    from scipy.special import fdtri

    upper_tail = 1.0 - (1.0 - level) / 2.0
    hips, readers, error, within = (float(part) for part in squares[:4])
    n, k = float(squares.hips), squares.readers

    def single(other: float, dof: float) -> Interval:
        low = hips / other / fdtri(n - 1, dof, upper_tail)
        high = hips / other * fdtri(dof, n - 1, upper_tail)
        return float((low - 1) / (low + k - 1)), float((high - 1) / (high + k - 1))

    found = {"ICC(1,1)": single(within, n * (k - 1))}
    if not error > 0:
        return found
    found["ICC(3,1)"] = single(error, (n - 1) * (k - 1))
    if two_way >= 1:
        return found
    a = k * two_way / (n * (1 - two_way))
    b = 1 + k * two_way * (n - 1) / (n * (1 - two_way))
    part, rest = a * readers, b * error
    dof = (part + rest) ** 2 / (part**2 / (k - 1) + rest**2 / ((n - 1) * (k - 1)))
    of_others = k * readers + (k * n - k - n) * error
    upper, lower = fdtri(n - 1, dof, upper_tail), fdtri(dof, n - 1, upper_tail)
    low = float(n * (hips - upper * error) / (upper * of_others + n * hips))
    high = float(n * (lower * hips - error) / (of_others + n * lower * hips))
    found["ICC(2,1)"] = low, high
    found["ICC(2,k)"] = k * low / (1 + (k - 1) * low), k * high / (1 + (k - 1) * high)
    return found


def icc_by_patients(
    table: ArrayLike, patients: Sequence[str], draws: int = 2000, seed: int = SEED
) -> dict[str, Interval | None]:
    """Intervals of the intraclass correlations by resampling patients, both hips with each.

    Parameters
    ----------
    table
        Readings, shape (hips, readers).
    patients
        The patient of each hip.
    draws, seed
        Samples drawn, and where chance begins.
    """
    times, count = cluster_times(patients, draws, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = _coefficients(mean_squares(table, times))
    # Fisher's z has nearly the same spread everywhere: the interval is made there
    found: dict[str, Interval | None] = {}
    for name, resampled in values.items():
        inside = np.where(np.abs(resampled) < 1, resampled, np.nan)
        bounds = percentile_bounds(np.arctanh(inside), count)
        found[name] = None if bounds is None else (math.tanh(bounds[0]), math.tanh(bounds[1]))
    return found


# ---- readings with repeats ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reads:
    """Readings of one number, in any order; hips may lack readers, and cells may have repeats.

    Attributes
    ----------
    values
        The numbers, shape (n,).
    hips, readers
        Which hip and which reader, as numbers from 0, shape (n,).
    hip_count
        How many hips there are.
    names
        The readers' names, in the order of their numbers.
    """

    values: Floats
    hips: NDArray[np.intp]
    readers: NDArray[np.intp]
    hip_count: int
    names: tuple[object, ...]

    @property
    def reader_count(self) -> int:
        """How many readers there are."""
        return len(self.names)

    @classmethod
    def of(cls, values: ArrayLike, hips: Sequence[object], readers: Sequence[object]) -> "Reads":
        """From names of hips and readers.

        Raises
        ------
        CohortError
            If a number is not finite, or the lists have not one length.
        """
        numbers = np.asarray(values, float)
        if not np.isfinite(numbers).all() or not len(numbers) == len(hips) == len(readers):
            raise CohortError("each reading needs a number, a hip and a reader")
        places = [
            {name: number for number, name in enumerate(dict.fromkeys(some))}
            for some in (hips, readers)
        ]
        own = [
            np.array([place[name] for name in some], np.intp)
            for place, some in zip(places, (hips, readers), strict=True)
        ]
        return cls(numbers, own[0], own[1], len(places[0]), tuple(places[1]))

    def cells(self) -> tuple[Floats, NDArray[np.int64]]:
        """Mean and number of reads of each hip by each reader, shape (hips, readers)."""
        place = self.hips * self.reader_count + self.readers
        size = self.hip_count * self.reader_count
        counts = np.bincount(place, minlength=size)
        sums = np.bincount(place, self.values, size)
        with np.errstate(invalid="ignore"):
            means = sums / counts
        shape = self.hip_count, self.reader_count
        return means.reshape(shape), counts.reshape(shape)


@dataclass(frozen=True, slots=True)
class Spread:
    """A standard deviation with its interval, and the smallest real change that follows from it.

    Attributes
    ----------
    sd
        In the unit of the readings; None where nothing says it.
    interval
        None where it is undefined.
    dof
        Degrees of freedom, by Satterthwaite for a sum.
    words
        What it is from, or why there is none.
    """

    sd: float | None
    interval: Interval | None
    dof: float
    words: str

    @property
    def mdc95(self) -> float | None:
        """The repeatability, or reproducibility, coefficient: ``1.96 sqrt(2) sd``."""
        return None if self.sd is None else 1.959963984540054 * math.sqrt(2.0) * self.sd

    @property
    def mdc95_interval(self) -> Interval | None:
        """Its interval."""
        if self.interval is None:
            return None
        size = 1.959963984540054 * math.sqrt(2.0)
        return size * self.interval[0], size * self.interval[1]


def within_reader(reads: Reads) -> tuple[Spread, list[Spread]]:
    """Standard deviation of one reader's repeats of a hip: of all readers, and of each.

    Examples
    --------
    >>> reads = Reads.of([1, 3, 5, 5, 2, 4], list("aabbcc"), ["kim"] * 6)
    >>> pooled, (kim,) = within_reader(reads)
    >>> round(pooled.sd, 3), pooled.dof, pooled == kim
    (1.155, 3, True)
    """
    means, counts = reads.cells()
    errors = reads.values - means[reads.hips, reads.readers]
    squares = np.bincount(reads.readers, errors**2, reads.reader_count)
    freedom = np.maximum(counts - 1, 0).sum(0)
    own = [_spread(float(s), int(d)) for s, d in zip(squares, freedom, strict=True)]
    return _spread(float(squares.sum()), int(freedom.sum())), own


def _spread(squares: float, dof: int) -> Spread:
    if dof < 1:
        return Spread(None, None, 0, "no reader read a hip twice")
    value = squares / dof
    if value <= 0:
        return Spread(0.0, None, dof, "all repeats identical; interval undefined")
    low, high = interval_of_sum([MeanSquare(value, dof)])
    return Spread(math.sqrt(value), (math.sqrt(low), math.sqrt(high)), dof, "repeat reads")


@dataclass(frozen=True, slots=True)
class Components:
    """Components of variance, by restricted maximum likelihood, and what follows from them.

    Attributes
    ----------
    variances
        By name: ``hip``, ``reader``, ``reader x hip``, ``repeat``, in squared units. Where no
        reader read a hip twice the last two are one, ``reader x hip, repeat``.
    intervals
        By the same names, by mean squares of the hips that every reader read; None where they
        are undefined.
    one_reader, two_readers, consensus
        Standard deviation of one reading about the truth as one reader sees it, as any reader
        sees it, and of the mean of two readers.
    hips, complete
        How many hips there are, and how many of them every reader read.
    """

    variances: Mapping[str, float]
    intervals: Mapping[str, Interval | None]
    one_reader: Spread
    two_readers: Spread
    consensus: Spread
    hips: int
    complete: int


def components(reads: Reads) -> Components:
    """Components of variance of readings of hips by readers.

    Hips, readers and their interaction are drawn by chance; so is each repeat. Hips may lack
    readers. The intervals are by mean squares of unweighted cell means (exact where every cell
    has as many reads), and are as wide as few readers make them.

    Raises
    ------
    CohortError
        If there are fewer than two hips.

    References
    ----------
    H. D. Patterson, R. Thompson, Biometrika 58 (1971) 545, doi 10.1093/biomet/58.3.545;
    R. K. Burdick, F. A. Graybill, Confidence Intervals on Variance Components (1992).

    Examples
    --------
    >>> rows = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> flat = [n for row in rows for n in row]
    >>> reads = Reads.of(flat, [h for h in range(6) for _ in range(4)], list("abcd") * 6)
    >>> found = components(reads)
    >>> {name: round(value, 3) for name, value in found.variances.items()}
    {'hip': 2.556, 'reader': 5.244, 'reader x hip, repeat': 1.019}
    >>> round(found.two_readers.sd, 3), round(found.two_readers.mdc95, 3)
    (2.503, 6.937)
    """
    if reads.hip_count < 2:
        raise CohortError("components of variance need two hips")
    pooled, _ = within_reader(reads)
    variances = _reml(reads, has_repeats=pooled.dof > 0)
    means, counts = reads.cells()
    complete = (counts > 0).all(1)
    squares = None
    if reads.reader_count > 1 and complete.sum() > 1:
        squares = mean_squares(means[complete])
    per_cell = 1.0 / float((1.0 / counts[complete]).mean()) if complete.any() else 1.0
    intervals = _component_intervals(squares, pooled, per_cell)
    return Components(
        variances,
        {name: intervals.get(name) for name in variances},
        pooled,
        _between(variances, squares, pooled, per_cell, 1),
        _between(variances, squares, pooled, per_cell, 2),
        reads.hip_count,
        int(complete.sum()),
    )


def _repeat_square(pooled: Spread, coefficient: float) -> list[MeanSquare]:
    if not pooled.dof or not pooled.sd:
        return []
    return [MeanSquare(pooled.sd**2, pooled.dof, coefficient)]


def _component_intervals(
    squares: MeanSquares | None, pooled: Spread, per_cell: float
) -> dict[str, Interval | None]:
    found: dict[str, Interval | None] = {}
    if pooled.interval is not None:
        found["repeat"] = (pooled.interval[0] ** 2, pooled.interval[1] ** 2)
    if squares is None or not float(squares.error) > 0:
        return found
    hips, readers, error = (float(part) for part in squares[:3])
    n, k = float(squares.hips), squares.readers
    dof = (n - 1) * (k - 1)
    found["hip"] = interval_of_sum([MeanSquare(hips, n - 1, 1 / k), MeanSquare(error, dof, -1 / k)])
    found["reader"] = interval_of_sum(
        [MeanSquare(readers, k - 1, 1 / n), MeanSquare(error, dof, -1 / n)]
    )
    crossed = [MeanSquare(error, dof), *_repeat_square(pooled, -1 / per_cell)]
    found["reader x hip" if pooled.dof else "reader x hip, repeat"] = interval_of_sum(crossed)
    return found


def _between(
    variances: Mapping[str, float],
    squares: MeanSquares | None,
    pooled: Spread,
    per_cell: float,
    readers: int,
) -> Spread:
    """Of the mean of so many readers, about what all readers would say."""
    total = math.fsum(value for name, value in variances.items() if name != "hip") / readers
    if squares is None:
        return Spread(None, None, 0, "no hips that two readers read")
    n = float(squares.hips)
    parts = [
        MeanSquare(float(squares.of_readers), squares.readers - 1, 1 / n),
        MeanSquare(float(squares.error), (n - 1) * (squares.readers - 1), 1 - 1 / n),
        *_repeat_square(pooled, 1 - 1 / per_cell),
    ]
    estimate = math.fsum(one.coefficient * one.value for one in parts)
    if not estimate > 0:
        return Spread(0.0, None, 0, "all readers identical; interval undefined")
    spread = math.fsum((one.coefficient * one.value) ** 2 / one.dof for one in parts)
    low, high = (bound / estimate * total for bound in interval_of_sum(parts))
    words = "one reading by any reader" if readers == 1 else f"mean of {readers} readers"
    interval = (math.sqrt(low), math.sqrt(high))
    return Spread(math.sqrt(total), interval, estimate**2 / spread, words)


def _reml(reads: Reads, *, has_repeats: bool) -> dict[str, float]:
    """Restricted maximum likelihood, by the means of the cells: what is within them is a sum."""
    from scipy.optimize import minimize

    names = ["hip"]
    if reads.reader_count > 1:
        names += ["reader", *(["reader x hip", "repeat"] if has_repeats else [_MIXED])]
    else:
        names.append("repeat" if has_repeats else _MIXED)
    scale = float(reads.values.var())
    if not scale > 0:
        return dict.fromkeys(names, 0.0)
    cells = _Cells.of(reads)

    def deviance(shares: Floats) -> float:
        parts = dict(zip(names, scale * shares, strict=True))
        return cells.deviance(
            parts["hip"],
            parts.get("reader", 0.0),
            parts.get("reader x hip", 0.0),
            parts.get("repeat", parts.get(_MIXED, 0.0)),
        )

    bounds = [(0.0, 20.0)] * (len(names) - 1) + [(1e-9, 20.0)]
    starts = (np.full(len(names), 1.0 / len(names)), np.full(len(names), 0.02))
    starts[1][0] = 1.0
    fits = [
        minimize(
            deviance,
            start,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
        )
        for start in starts
    ]
    best = min(fits, key=lambda one: float(one.fun))
    return {name: float(scale * share) for name, share in zip(names, best.x, strict=True)}


_MIXED = "reader x hip, repeat"
"""The component that is left where no reader read a hip twice."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """What the likelihood needs of the readings: means and counts of cells, and what is within."""

    means: Floats
    counts: NDArray[np.int64]
    within: float

    @classmethod
    def of(cls, reads: Reads) -> "_Cells":
        means, counts = reads.cells()
        errors = reads.values - means[reads.hips, reads.readers]
        centred = np.where(counts > 0, means - reads.values.mean(), 0.0)
        return cls(centred, counts, float(errors @ errors))

    def deviance(self, of_hip: float, of_reader: float, of_cell: float, of_repeat: float) -> float:
        """Minus twice the restricted log likelihood, but for a constant.

        A cell of n reads has the weight ``n / (repeat + n cell)``; hips are eliminated one by one,
        then the readers, whom all hips share, and the mean last.
        """
        counts, readers = self.counts, self.counts.shape[1]
        spread = of_repeat + counts * of_cell
        weights = counts / spread
        sums = weights * self.means
        total, of_values = weights.sum(1), sums.sum(1)
        shrink = of_hip / (1.0 + of_hip * total)
        log_det = float((counts - (counts > 0)).sum()) * math.log(of_repeat)
        log_det += float(np.log(spread[counts > 0]).sum() + np.log1p(of_hip * total).sum())
        quadratic = self.within / of_repeat + float((sums * self.means).sum())
        quadratic -= float(shrink @ of_values**2)
        left = 1.0 - shrink * total
        ones, mean = float(total @ left), float(of_values @ left)
        if of_reader > 0:
            cross = np.diag(weights.sum(0)) - (weights * shrink[:, None]).T @ weights
            columns = np.stack(
                [weights.T @ left, (sums - weights * (shrink * of_values)[:, None]).sum(0)], 1
            )
            core = np.eye(readers) / of_reader + cross
            solved = np.linalg.solve(core, columns)
            log_det += float(np.linalg.slogdet(core)[1]) + readers * math.log(of_reader)
            quadratic -= float(columns[:, 1] @ solved[:, 1])
            mean -= float(columns[:, 0] @ solved[:, 1])
            ones -= float(columns[:, 0] @ solved[:, 0])
        return log_det + math.log(ones) + quadratic - mean**2 / ones


# ---- two readers beside each other -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Differences of pairs, second less first.

    Attributes
    ----------
    n
        Pairs.
    bias, sd
        Mean and standard deviation of the differences.
    bias_interval
        By Student's t.
    low, high
        Limits of agreement, ``bias - multiplier sd`` and ``bias + multiplier sd``.
    low_interval, high_interval
        Intervals of the limits.
    multiplier
        1.96 unless told otherwise.
    slope, slope_interval, slope_p
        Of the difference on the mean of the pair: a bias that grows with the size. None where
        all means are one.
    words
        What no number can say.
    """

    n: int
    bias: float
    sd: float
    bias_interval: Interval
    low: float
    high: float
    low_interval: Interval
    high_interval: Interval
    multiplier: float
    slope: float | None
    slope_interval: Interval | None
    slope_p: float | None
    words: str = ""


def bland_altman(first: ArrayLike, second: ArrayLike, multiplier: float = 1.96) -> BlandAltman:
    """Limits of agreement of two readers, or of two reads.

    Parameters
    ----------
    first, second
        Readings of the same hips, shape (n,), n at least 3.
    multiplier
        Of the standard deviation; the paper of 1986 takes 2.

    Raises
    ------
    CohortError
        If there are fewer than three pairs, or a number is missing.

    References
    ----------
    J. M. Bland, D. G. Altman, Lancet 327 (1986) 307, doi 10.1016/S0140-6736(86)90837-8; and
    Stat Methods Med Res 8 (1999) 135, doi 10.1177/096228029900800204.

    Examples
    --------
    >>> found = bland_altman([200, 220, 240, 260], [202, 221, 245, 262])
    >>> round(found.bias, 2), round(found.low, 2), round(found.high, 2)
    (2.5, -0.89, 5.89)
    """
    from scipy.special import stdtr, stdtrit

    one, other = np.asarray(first, float), np.asarray(second, float)
    if one.shape != other.shape or one.ndim != 1 or one.size < 3:
        raise CohortError("limits of agreement need three pairs of readings")
    differences, means = other - one, (other + one) / 2.0
    if not np.isfinite(differences).all():
        raise CohortError("a reading is missing: leave the pair out")
    n = one.size
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    size = float(stdtrit(n - 1, 0.975))
    half = size * sd / math.sqrt(n)
    of_limit = size * sd * math.sqrt(1.0 / n + multiplier**2 / (2.0 * (n - 1)))
    low, high = bias - multiplier * sd, bias + multiplier * sd
    slope = slope_interval = slope_p = None
    apart = means - means.mean()
    if np.ptp(means) > 0 and sd > 0:
        width = float(apart @ apart)
        slope = float(apart @ differences) / width
        left = differences - bias - slope * apart
        error = math.sqrt(float(left @ left) / ((n - 2) * width))
        far = float(stdtrit(n - 2, 0.975)) * error
        slope_interval = slope - far, slope + far
        slope_p = float(2.0 * stdtr(n - 2, -abs(slope) / error)) if error > 0 else 0.0
    return BlandAltman(
        n,
        bias,
        sd,
        (bias - half, bias + half),
        low,
        high,
        (low - of_limit, low + of_limit),
        (high - of_limit, high + of_limit),
        multiplier,
        slope,
        slope_interval,
        slope_p,
        "" if sd > 0 else "all differences equal",
    )
