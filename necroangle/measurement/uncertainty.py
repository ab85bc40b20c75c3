"""A measured value and how well it is known: standard error, interval, probabilities."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from necroangle.measurement.grades import show_deg
from necroangle.measurement.method import Settings

Array = NDArray[np.float64]

_TWO_SIDED_95 = 0.975
_MANY = 1e9
"""So many degrees of freedom are as good as any number of them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and how well it is known.

    Attributes
    ----------
    value
        The value.
    se
        Its standard error, in the same unit, with all that is known to move it; 0 where there is
        nothing to err about.
    dof
        Degrees of freedom behind the standard error; infinite where it is declared.
    se_marking
        Of that what the noise of marks makes: how far a second marking of the same slices by the
        same reader would be off, and nothing else.
    overlooked
        Of an angle of 0: what may have been overlooked, one-sided at 95 %; 0 where an arc is
        marked.
    limits
        What the value cannot pass, and its interval does not.

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
    se_marking: float = 0.0
    overlooked: float = 0.0
    limits: tuple[float, float] = (-math.inf, math.inf)

    def interval_95(self) -> tuple[float, float]:
        """Lower and upper bound of the 95 % interval: ``value ± t(0.975, dof) se``."""
        low, high = self._alone().bounds()
        return float(low[0]), float(high[0])

    def probability_below(self, cut: float) -> float:
        """Probability that the true value lies below a cut, by the same t distribution."""
        return float(self._alone().below(cut)[0])

    @property
    def mdc95(self) -> float:
        """Smallest difference of two such values that is real: ``t(0.975, dof) sqrt(2) se``."""
        return float(self._alone().mdc95[0])

    def show_deg(self) -> str:
        """The value and its interval in degrees, for people."""
        low, high = self.interval_95()
        return f"{show_deg(self.value)} ({show_deg(low)} to {show_deg(high)})"

    def _alone(self) -> "Estimates":
        numbers = (self.value, self.se, self.dof, self.se_marking, self.overlooked)
        value, se, dof, marking, overlooked = (np.array([number], float) for number in numbers)
        return Estimates(value, se, dof, marking, overlooked, self.limits)


@dataclass(frozen=True, eq=False)
class Estimates:
    """(K,) values with what is known of their errors: :class:`Estimate`, K times."""

    value: Array
    se: Array
    dof: Array
    marking: Array
    overlooked: Array
    limits: tuple[float, float] = (-math.inf, math.inf)

    def estimate(self, place: int) -> Estimate:
        """One of them by itself."""
        columns = (self.value, self.se, self.dof, self.marking, self.overlooked)
        value, se, dof, marking, overlooked = (float(one[place]) for one in columns)
        return Estimate(value, se, dof, marking, overlooked, self.limits)

    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bounds of the 95 % intervals."""
        reach = np.where(self.se > 0, self._quantile * self.se, 0.0)
        above = np.sqrt(reach * reach + self.overlooked * self.overlooked)
        least, most = self.limits
        return np.maximum(self.value - reach, least), np.minimum(self.value + above, most)

    @cached_property
    def _quantile(self) -> Array:
        from scipy.special import stdtrit

        return np.asarray(stdtrit(np.minimum(self.dof, _MANY), _TWO_SIDED_95))

    def below(self, cut: float) -> Array:
        """Probabilities that the true values lie below a cut."""
        from scipy.special import stdtr

        with np.errstate(all="ignore"):
            chance = stdtr(np.minimum(self.dof, _MANY), (cut - self.value) / self.se)
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

    def another(self, places: NDArray[np.intp], cuts: tuple[float, ...]) -> Array:
        """Probabilities that the true values lie in another category than the stated one.

        Parameters
        ----------
        places
            (K,) the stated categories, from 0.

        Examples
        --------
        >>> one = Estimate(205.0, 5.0)._alone()
        >>> round(float(one.another(np.array([1]), (200.0, 250.0, 300.0))[0]), 3)
        0.159
        """
        chances = np.array(self.chances(cuts))
        own = np.take_along_axis(chances, places[None], 0)[0]
        return np.asarray(1.0 - own)

    @property
    def mdc95(self) -> Array:
        """Smallest differences that are real."""
        return np.asarray(self._quantile * math.sqrt(2.0) * self.se)


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
