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
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import CircleFit
from necroangle.geometry.triple import quadratic2
from necroangle.measurement.angle import SliceAngle
from necroangle.measurement.estimate import Estimate
from necroangle.measurement.settings import Settings

__all__ = [
    "RimNoise",
    "VarianceFactors",
    "angle_estimate",
    "aspin_shift",
    "circle_factors",
    "pooled_noise",
    "welch_dof",
]


Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class RimNoise:
    """Variance of a rim mark per coordinate, mm², and the freedom behind it."""

    variance_mm2: float
    dof: float


@dataclass(frozen=True, slots=True)
class VarianceFactors:
    """What an angle's variance is made of, in radians²: ``s² rim + σ_e² ends``."""

    rim: float
    ends: float

    def __add__(self, other: "VarianceFactors") -> "VarianceFactors":
        return VarianceFactors(self.rim + other.rim, self.ends + other.ends)


def pooled_noise(residuals: Iterable[tuple[float, int]], settings: Settings) -> RimNoise:
    """Pool the rim residuals of the views.

    Parameters
    ----------
    residuals
        (sum of squares in mm², degrees of freedom) per fit.
    settings
        Its ``rim_sd_mm`` is taken where no fit has any freedom.

    Examples
    --------
    >>> pooled_noise([(2.25, 9)], Settings())
    RimNoise(variance_mm2=0.25, dof=9)
    """
    pairs = list(residuals)
    freedom = sum(dof for _, dof in pairs)
    if freedom <= 0:
        return RimNoise(settings.rim_sd_mm**2, math.inf)
    return RimNoise(math.fsum(rss for rss, _ in pairs) / freedom, freedom)


def circle_factors(angle: SliceAngle, fit: CircleFit) -> VarianceFactors:
    """Variance factors of a slice's angle about its own head circle."""
    (uu, uv, _), (_, vv, _), _ = fit.unit_covariance
    return VarianceFactors(quadratic2((uu, uv, vv), angle.pull), angle.end_factor)


def angle_estimate(
    value_deg: float, factors: VarianceFactors, noise: RimNoise, settings: Settings
) -> Estimate:
    """An angle with its standard error in degrees.

    Examples
    --------
    >>> ends_only = VarianceFactors(rim=0.0, ends=4 / 24**2)
    >>> noise = RimNoise(0.25, 18)
    >>> round(angle_estimate(240.0, ends_only, noise, Settings(end_point_sd_mm=0.5)).se, 2)
    2.39
    """
    rim = noise.variance_mm2 * factors.rim
    ends = settings.end_point_sd_mm * settings.end_point_sd_mm * factors.ends
    total = rim + ends
    if total <= 0.0:
        return Estimate(value_deg, 0.0)
    dof = welch_dof(((rim, noise.dof), (ends, settings.end_point_dof)))
    shift = aspin_shift(rim / total, noise.dof)
    return Estimate(value_deg, math.degrees(math.sqrt(total)), dof, shift)


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
