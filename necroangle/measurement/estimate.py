"""A value with its standard error, and what may be said of it."""

import math
from dataclasses import dataclass

from necroangle.measurement.rounding import show_deg

__all__ = ["Estimate"]

_TWO_SIDED_95 = 0.975


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
        from scipy.special import stdtrit

        quantile = float(stdtrit(min(self.dof, 1e9), _TWO_SIDED_95)) + self.t_shift
        reach = quantile * self.se if self.se else 0.0
        return self.value - reach, self.value + reach

    def probability_below(self, cut: float) -> float:
        """Probability that the true value lies below a cut, by the same t distribution."""
        from scipy.special import stdtr

        if not self.se:
            return float(self.value < cut)
        return float(stdtr(min(self.dof, 1e9), (cut - self.value) / self.se))

    @property
    def mdc95(self) -> float:
        """Smallest change between two such values that is real: ``1.96 sqrt(2) se``."""
        return 1.96 * math.sqrt(2.0) * self.se

    def show_deg(self) -> str:
        """The value and its interval in degrees, for people."""
        low, high = self.interval_95()
        return f"{show_deg(self.value)} ({show_deg(low)} to {show_deg(high)})"
