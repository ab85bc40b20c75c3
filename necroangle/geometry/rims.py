"""The head circles of many rims at once; one rim alone is a batch of one, with the same bits."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.orthogonal import (
    Array,
    WeightedRadius,
    geometric_centres,
    lengths,
    ordered_sum,
)

__all__ = ["RimCircles", "covariance_parts", "directions_deg", "fit_rims"]

_MAX_STEPS = 100
_DEG = 180.0 / math.pi


@dataclass(frozen=True, slots=True, eq=False)
class RimCircles:
    """Circles of K rims.

    Attributes
    ----------
    centre_mm
        (2, K) plane mm.
    radius_mm, rss_mm2, span_deg
        (K,) as in :class:`necroangle.geometry.CircleFit`.
    covariance
        The six parts of the symmetric covariance of (u, v, radius) for a click noise of 1 mm, (K,)
        each: uu, uv, ur, vv, vr, rr.
    holds
        (K,) whether the marks hold a centre.
    """

    centre_mm: Array
    radius_mm: Array
    rss_mm2: Array
    span_deg: Array
    covariance: tuple[Array, ...]
    holds: NDArray[np.bool_]


def fit_rims(
    points: Array, count: Array, keep: Array | None = None, prior: WeightedRadius | None = None
) -> RimCircles:
    """Fit the circle with the least sum of squared distances to the marks of each rim.

    What makes a rim unusable (fewer than 3 places, a straight line, a short span) is for the
    caller to judge.

    Parameters
    ----------
    points
        (2, N, K) plane points, mm.
    count
        (K,) number of marks of each rim; they stand first.
    keep
        (N, K) 1 for a mark and 0 where a rim has none; None where every rim has N marks.
    prior
        A radius known beforehand, mm, with its weight beside one rim mark; or None.

    Examples
    --------
    >>> turn = np.radians(np.arange(0.0, 220.0, 20.0))
    >>> rim = np.array((10 + 24 * np.cos(turn), 5 + 24 * np.sin(turn)))[:, :, None]
    >>> found = fit_rims(rim, np.full(1, 11.0))
    >>> [round(float(x[0]), 9) for x in (*found.centre_mm, found.radius_mm, found.span_deg)]
    [10.0, 5.0, 24.0, 200.0]
    """

    def masked(terms: Array) -> Array:
        return terms if keep is None else terms * keep

    with np.errstate(all="ignore"):
        shift = np.array([ordered_sum(masked(part)) / count for part in points])
        about = points - shift[:, None]
        scale = np.sqrt(ordered_sum(masked(about[0] * about[0] + about[1] * about[1])) / count)
        shape = about / scale
        if keep is not None:
            shape = shape * keep
        known = (prior.radius / scale, prior.weight) if prior else None
        centre = geometric_centres(shape, _hyper_centres(shape, count), count, keep, known)
        offsets = shape - centre[:, None]
        distance = lengths(offsets)
        total = ordered_sum(masked(distance))
        if known is None:
            radius = total / count
        else:
            radius = (total + known[1] * known[0]) / (count + known[1])
        gaps = masked(distance - radius)
        covariance, holds = covariance_parts(
            offsets / distance, count, keep, prior.weight if prior else 0.0
        )
    return RimCircles(
        centre_mm=centre * scale + shift,
        radius_mm=radius * scale,
        rss_mm2=ordered_sum(gaps * gaps) * (scale * scale),
        span_deg=_span_deg(offsets, keep),
        covariance=covariance,
        holds=holds,
    )


def covariance_parts(
    directions: Array, count: Array, keep: Array | None, weight: float = 0.0
) -> tuple[tuple[Array, ...], NDArray[np.bool_]]:
    """Covariance of (u, v, radius) for a noise of 1: inverse of ``sum w wᵀ``, w = (direction, 1).

    Parameters
    ----------
    directions
        (2, N, K) unit vectors from the centre to the marks.
    count, keep
        As for :func:`fit_rims`.
    weight
        Weight of a radius known beforehand.

    Returns
    -------
    tuple
        The six parts, and (K,) whether they exist.
    """
    c, s = directions if keep is None else directions * keep
    a, b, d = ordered_sum(c * c), ordered_sum(c * s), ordered_sum(s * s)
    e, f, g = ordered_sum(c), ordered_sum(s), count + weight
    c00, c01, c02 = d * g - f * f, e * f - b * g, b * f - d * e
    c11, c12, c22 = a * g - e * e, b * e - a * f, a * d - b * b
    det = a * c00 + b * c01 + e * c02
    parts = tuple(one / det for one in (c00, c01, c02, c11, c12, c22))
    holds = (det > 0) & (parts[0] > 0) & (parts[3] > 0) & np.isfinite(sum(parts))
    return parts, holds


def directions_deg(offsets: Array) -> Array:
    """Directions of (2, ...) offsets from +u towards +v, in (-180, 180] degrees.

    By the C library's ``atan2``, value by value: numpy's own differs by the length of the array.
    """
    v, u = offsets[1].ravel().tolist(), offsets[0].ravel().tolist()
    found = np.fromiter(map(math.atan2, v, u), float, len(u)) * _DEG
    return found.reshape(offsets.shape[1:])


def _span_deg(offsets: Array, keep: Array | None) -> Array:
    """360 degrees minus the largest gap between neighbours."""
    directions = directions_deg(offsets)
    if keep is not None:
        directions = np.where(keep > 0, directions, np.inf)
    directions = np.sort(directions, axis=0)
    first = directions[0] + 360.0
    following = np.concatenate((directions[1:], np.full((1, directions.shape[1]), np.inf)))
    ended = np.isinf(following)
    with np.errstate(invalid="ignore"):
        gaps = np.where(ended, first, following) - directions
    return np.asarray(360.0 - np.where(np.isinf(directions), -np.inf, gaps).max(axis=0))


def _hyper_centres(shape: Array, count: Array) -> Array:
    """HyperLS centres of rims with mean 0 and mean square 1: start of the geometric fit.

    References
    ----------
    A. Al-Sharadqah and N. Chernov, Electron. J. Statist. 3 (2009) 886, doi 10.1214/09-EJS419.
    """
    x, y = shape
    z = x * x + y * y
    mxx, myy, mxy = (ordered_sum(t) / count for t in (x * x, y * y, x * y))
    mxz, myz, mzz = (ordered_sum(t) / count for t in (x * z, y * z, z * z))
    mz = mxx + myy
    cov, var = mxx * myy - mxy * mxy, mzz - mz * mz
    a1 = var * mz + 4 * cov * mz - mxz * mxz - myz * myz
    a0 = mxz * (mxz * myy - myz * mxy) + myz * (myz * mxx - mxz * mxy) - var * cov
    t = _newton_roots(a0, a1, 4 * cov - 3 * mz * mz - mzz)
    det = 2 * (t * t - t * mz + cov)
    return np.array((mxz * (myy - t) - myz * mxy, myz * (mxx - t) - mxz * mxy)) / det


def _newton_roots(a0: Array, a1: Array, a2: Array) -> Array:
    """The smallest non-negative root of each a0 + a1 t + a2 t² + 4 t⁴, from t = 0."""

    def value(t: Array) -> Array:
        return a0 + t * (a1 + t * (a2 + t * (t * 4.0)))

    root, size = np.zeros_like(a0), np.abs(a0)
    open_ = np.ones(a0.shape, bool)
    for _ in range(_MAX_STEPS):
        slope = a1 + root * (2 * a2 + root * (root * 16.0))
        candidate = root - value(root) / slope
        new = np.abs(value(candidate))
        open_ = open_ & (slope != 0) & (candidate != root) & (new < size)
        if not open_.any():
            break
        root, size = np.where(open_, candidate, root), np.where(open_, new, size)
    return root
