"""The orthogonal-distance fit of a circle or a sphere: one solver for both.

With r_i = |p_i - c|, u_i = (p_i - c) / r_i and R = mean(r), the radius is eliminated and each
Levenberg-Marquardt step s on the centre solves

    [sum (u - ū)(u - ū)ᵀ + λI] s = sum (u - ū)(r - r̄).

A radius known beforehand, R0 with weight w = (click noise / its own error)², adds one residual,
sqrt(n w / (n + w)) (r̄ - R0): what is left of w (R - R0)² once R is eliminated.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError

__all__ = ["WeightedRadius", "best_radius", "geometric_centre", "unit_covariance"]

_MAX_STEPS = 100
_FLAT = 1e-10
_CONVERGED = 1e-12
_ROUNDING, _TINY = 1.0 + 1e-12, 1e-24
"""At the minimum the sum of squares grows by its own rounding: that is no worse step."""


@dataclass(frozen=True, slots=True)
class WeightedRadius:
    """A radius known beforehand, in the units of the points.

    Attributes
    ----------
    radius
        The radius.
    weight
        Its weight beside one rim mark: variance of a mark over variance of this radius.
    """

    radius: float
    weight: float


def geometric_centre(
    points: NDArray[np.float64],
    start: NDArray[np.float64],
    prior: WeightedRadius | None = None,
) -> NDArray[np.float64]:
    """Centre of the least-squares circle or sphere.

    Parameters
    ----------
    points
        (N, D) points about the origin, of mean square 1.
    start
        (D,) where the search begins.
    prior
        A radius known beforehand, or None.
    """
    centre, damping = start, 1e-4
    residual, jacobian = _residuals(points, centre, prior)
    for _ in range(_MAX_STEPS):
        normal = jacobian.T @ jacobian + damping * np.eye(len(start))
        step = np.linalg.solve(normal, jacobian.T @ residual)
        new_residual, new_jacobian = _residuals(points, centre + step, prior)
        if float(new_residual @ new_residual) <= _ROUNDING * float(residual @ residual) + _TINY:
            centre, residual, jacobian = centre + step, new_residual, new_jacobian
            damping = max(damping * 0.1, 1e-15)
            if float(np.linalg.norm(step)) < _CONVERGED * (1.0 + float(np.linalg.norm(centre))):
                break
        else:
            damping *= 10.0
            if damping > 1e8:
                break
    return centre


def best_radius(distances: NDArray[np.float64], prior: WeightedRadius | None = None) -> float:
    """The radius that goes with a centre: the mean distance, drawn towards the prior."""
    if prior is None:
        return float(distances.mean())
    total = float(distances.sum()) + prior.weight * prior.radius
    return total / (len(distances) + prior.weight)


def unit_covariance(
    offsets: NDArray[np.float64], prior: WeightedRadius | None = None
) -> tuple[tuple[float, ...], ...]:
    """Covariance of (centre, radius) for a click noise of 1: inverse of ``sum w wᵀ``.

    Parameters
    ----------
    offsets
        (N, D) points less the centre; w is each one's direction followed by 1.

    Raises
    ------
    RimError
        If the points hold no centre: all in one direction, or alike in another way.
    """
    directions = offsets / np.linalg.norm(offsets, axis=1)[:, None]
    weights = np.column_stack((directions, np.ones(len(offsets))))
    information = weights.T @ weights
    if prior is not None:
        information[-1, -1] += prior.weight
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError as error:
        raise RimError("the rim points do not hold a centre; spread them over the rim") from error
    return tuple(tuple(row) for row in covariance.tolist())


def _residuals(
    points: NDArray[np.float64], centre: NDArray[np.float64], prior: WeightedRadius | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centred distances (N,) and their centred directions (N, D); one row more for a prior."""
    offsets = points - centre
    distances = np.maximum(np.linalg.norm(offsets, axis=1), _FLAT)
    directions = offsets / distances[:, None]
    mean, mean_direction = distances.mean(), directions.mean(axis=0)
    if prior is None:
        return distances - mean, directions - mean_direction
    count = len(distances)
    pull = math.sqrt(count * prior.weight / (count + prior.weight))
    return (
        np.append(distances - mean, pull * (mean - prior.radius)),
        np.vstack((directions - mean_direction, pull * mean_direction)),
    )
