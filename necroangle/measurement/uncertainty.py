"""Standard errors of the angles: rim noise pooled over the views, end points by declaration.

With s² = (sum of the views' rim residuals) / (sum of n - 3), k = pullᵀ M pull (M the centre's
covariance for a click noise of 1 mm) and e = sum of 1/ρ² over the ends,

    var(angle) = s² k + σ_e² e,    var(CNA) = sum over the views,

and the 95 % interval takes t with the Welch-Satterthwaite degrees of freedom
V² / (Vc² / (sum of n - 3) + Ve² / ν_e), Vc and Ve being the two parts; ν_e is infinite where σ_e
is declared.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from necroangle.measurement.grades import show_deg
from necroangle.measurement.settings import Settings

__all__ = [
    "Estimate",
    "Estimates",
    "Noise",
    "aspin_shift",
    "estimates",
    "pooled_noise",
    "welch_dof",
]

Array = NDArray[np.float64]
Number = TypeVar("Number", float, NDArray[np.float64])

_TWO_SIDED_95 = 0.975
_DEG = 180.0 / math.pi
MDC = 1.96 * math.sqrt(2.0)
"""Standard errors that make the smallest change which is real at 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and how well it is known.

    Attributes
    ----------
    value
        The value.
    se
        Its standard error, in the same unit; 0 where there is nothing to err about (no arc).
    dof
        Degrees of freedom behind the standard error; infinite where it is declared.
    t_shift
        What is added to the t quantile of the 95 % interval where few degrees of freedom stand
        behind a part of the variance (:func:`necroangle.measurement.uncertainty.aspin_shift`).

    Examples
    --------
    >>> cna = Estimate(198.0, 4.0, math.inf)
    >>> [round(bound, 2) for bound in cna.interval_95()]
    [190.16, 205.84]
    >>> round(cna.probability_below(200.0), 4)
    0.6915
    """

    value: float
    se: float
    dof: float = math.inf
    t_shift: float = 0.0

    def interval_95(self) -> tuple[float, float]:
        """Lower and upper bound of the 95 % interval: ``value ± (t(0.975, dof) + shift) se``."""
        low, high = self._alone().bounds()
        return float(low[0]), float(high[0])

    def probability_below(self, cut: float) -> float:
        """Probability that the true value lies below a cut, by the same t distribution."""
        return float(self._alone().below(cut)[0])

    @property
    def mdc95(self) -> float:
        """Smallest change between two such values that is real: ``1.96 sqrt(2) se``."""
        return MDC * self.se

    def show_deg(self) -> str:
        """The value and its interval in degrees, for people."""
        low, high = self.interval_95()
        return f"{show_deg(self.value)} ({show_deg(low)} to {show_deg(high)})"

    def _alone(self) -> "Estimates":
        numbers = (self.value, self.se, self.dof, self.t_shift)
        return Estimates(*(np.array([number], float) for number in numbers))


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """(K,) values with standard error, freedom and shift: :class:`Estimate`, K times."""

    value: Array
    se: Array
    dof: Array
    shift: Array

    def estimate(self, place: int) -> Estimate:
        """One of them by itself."""
        columns = (self.value, self.se, self.dof, self.shift)
        return Estimate(*(float(one[place]) for one in columns))

    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bounds of the 95 % intervals."""
        from scipy.special import stdtrit

        quantile = stdtrit(np.minimum(self.dof, 1e9), _TWO_SIDED_95) + self.shift
        reach = np.where(self.se > 0, quantile * self.se, 0.0)
        return self.value - reach, self.value + reach

    def below(self, cut: float) -> Array:
        """Probabilities that the true values lie below a cut."""
        from scipy.special import stdtr

        with np.errstate(all="ignore"):
            chance = stdtr(np.minimum(self.dof, 1e9), (cut - self.value) / self.se)
        return np.asarray(np.where(self.se > 0, chance, (self.value < cut).astype(float)))

    def chances(self, cuts: tuple[float, ...]) -> list[Array]:
        """Probabilities of each category between cut-offs, lowest first; they add up to 1.

        Examples
        --------
        >>> one = Estimate(200.0, 5.0)._alone()
        >>> [round(float(part[0]), 3) for part in one.chances((200.0, 250.0, 300.0))]
        [0.5, 0.5, 0.0, 0.0]
        """
        size = len(self.value)
        below = [np.zeros(size), *(self.below(cut) for cut in cuts), np.ones(size)]
        return [high - low for low, high in pairwise(below)]

    def near(self, cuts: tuple[float, ...]) -> NDArray[np.bool_]:
        """Whether a cut-off is within the smallest change that is real.

        Examples
        --------
        >>> [bool(Estimate(215.0, se)._alone().near((200.0, 250.0))[0]) for se in (4.0, 6.0)]
        [False, True]
        """
        reach = self.mdc95
        close = np.logical_or.reduce([np.abs(self.value - cut) <= reach for cut in cuts])
        return np.asarray(close & (self.se > 0))

    @property
    def mdc95(self) -> Array:
        """Smallest changes that are real."""
        return np.asarray(MDC * self.se)


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """(K,) variance of a rim mark per coordinate, mm², and the freedom behind it."""

    variance: Array
    dof: Array

    def of(self, places: NDArray[np.intp]) -> "Noise":
        """Some of them."""
        return Noise(self.variance[places], self.dof[places])


def pooled_noise(rss_mm2: Array, freedom: Array, settings: Settings) -> Noise:
    """Click noise of rims from their residuals.

    Parameters
    ----------
    rss_mm2, freedom
        (K,) sums of squares, and their degrees of freedom.
    settings
        Its ``rim_sd_mm`` is taken where there is no freedom.

    Examples
    --------
    >>> found = pooled_noise(np.array([2.25]), np.array([9.0]), Settings())
    >>> found.variance.tolist(), found.dof.tolist()
    ([0.25], [9.0])
    """
    free = freedom > 0
    with np.errstate(all="ignore"):
        variance = np.where(free, rss_mm2 / freedom, settings.rim_sd_mm**2)
    return Noise(variance, np.where(free, freedom, math.inf))


def estimates(
    value_deg: Array, rim_factor: Array, ends: Array, noise: Noise, settings: Settings
) -> Estimates:
    """Angles with their standard errors in degrees.

    Parameters
    ----------
    value_deg
        (K,) the angles.
    rim_factor, ends
        (K,) what each angle's variance is made of, in radians²: ``s² rim_factor + σ_e² ends``.

    Examples
    --------
    >>> noise = Noise(np.array([0.25]), np.array([18.0]))
    >>> ends = np.array([4 / 24**2])
    >>> found = estimates(np.array([240.0]), 0 * ends, ends, noise, Settings(end_point_sd_mm=0.5))
    >>> round(found.estimate(0).se, 2)
    2.39
    """
    rim = noise.variance * rim_factor
    end = settings.end_point_sd_mm * settings.end_point_sd_mm * ends
    total = rim + end
    with np.errstate(all="ignore"):
        shares = rim / total, end / total
        share = shares[0] * shares[0] / noise.dof + shares[1] * shares[1] / settings.end_point_dof
        dof = np.where(share > 1e-12, 1.0 / share, math.inf)
        shift = aspin_shift(shares[0], noise.dof)
    known = ~(total <= 0.0)
    return Estimates(
        value=value_deg,
        se=np.where(known, np.sqrt(np.where(known, total, 0.0)) * _DEG, 0.0),
        dof=np.where(known, dof, math.inf),
        shift=np.where(known, shift, 0.0),
    )


def aspin_shift(share: Number, dof: Number) -> Number:
    """Second-order term of the 97.5 % quantile, beyond Welch's t, for a variance partly known.

    With u the share of the variance that is estimated with ν degrees of freedom (the rest being
    known) and z = 1.96: ``z / ν² [-(1 + z²)/2 u² + (3 + 5z² + z⁴)/3 u³ - (3 + 7z² + 2z⁴)/6 u⁴]``.
    0.08 at most from 5 rim marks a view, nothing to speak of from 12 on.

    References
    ----------
    A. A. Aspin, Biometrika 35 (1948) 88, doi 10.1093/biomet/35.1-2.88.

    Examples
    --------
    >>> round(aspin_shift(0.7, 4.0), 3), aspin_shift(0.5, math.inf)
    (0.081, 0.0)
    """
    z, square = 1.959964, share * share
    series = (
        -(1 + z**2) / 2 * square
        + (3 + 5 * z**2 + z**4) / 3 * (square * share)
        - (3 + 7 * z**2 + 2 * z**4) / 6 * (square * square)
    )
    return z / (dof * dof) * series


def welch_dof(parts: Iterable[tuple[float, float]]) -> float:
    """Degrees of freedom of a sum of variances, each given with its own (Welch-Satterthwaite).

    Examples
    --------
    >>> welch_dof([(1.0, 10.0), (1.0, 10.0)]), welch_dof([(1.0, math.inf)])
    (20.0, inf)
    """
    pairs = list(parts)
    total = math.fsum(variance for variance, _ in pairs)
    shares = ((variance / total, dof) for variance, dof in pairs)
    share = math.fsum(share * share / dof for share, dof in shares)
    return 1.0 / share if share > 1e-12 else math.inf
