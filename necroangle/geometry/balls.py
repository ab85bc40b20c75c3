"""The head spheres of many pairs of rims at once; one alone is a batch of one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.orthogonal import Array, geometric_centres, lengths, ordered_sum, solved
from necroangle.geometry.triple import dot3

__all__ = ["Balls", "fit_balls"]

_FLAT = 1e-12
"""Below this determinant the algebraic start is noise: the search then begins at the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Balls:
    """Spheres of K sets of marks.

    Attributes
    ----------
    centre_mm
        (3, K) patient LPS mm.
    radius_mm, rss_mm2
        (K,) as in :class:`necroangle.geometry.SphereFit`.
    roundness
        (K,) product of the three principal spreads of the marks, of sum 1: 0 where they lie in one
        plane, 1/27 at most.
    covariance
        The ten parts of the symmetric covariance of (x, y, z, radius) for a click noise of 1 mm,
        (K,) each, row by row from the diagonal: xx, xy, xz, xr, yy, yz, yr, zz, zr, rr.
    holds
        (K,) whether it exists: whether the marks hold a centre.
    """

    centre_mm: Array
    radius_mm: Array
    rss_mm2: Array
    roundness: Array
    covariance: tuple[Array, ...]
    holds: NDArray[np.bool_]


def fit_balls(points: Array, count: Array, keep: Array | None = None) -> Balls:
    """Fit the sphere with the least sum of squared distances to each set of marks.

    Parameters
    ----------
    points
        (3, N, K) patient points, mm.
    count
        (K,) number of marks of each set; they stand first.
    keep
        (N, K) 1 for a mark and 0 where a set has none; None where every set has N marks.

    Examples
    --------
    >>> axes = 24.0 * np.vstack((np.eye(3), -np.eye(3))) + (90.0, -10.0, 35.0)
    >>> found = fit_balls(axes.T[:, :, None], np.full(1, 6.0))
    >>> found.centre_mm[:, 0].round(9).tolist(), round(float(found.radius_mm[0]), 9)
    ([90.0, -10.0, 35.0], 24.0)
    """

    def masked(terms: Array) -> Array:
        return terms if keep is None else terms * keep

    with np.errstate(all="ignore"):
        shift = np.array([ordered_sum(masked(part)) / count for part in points])
        about = points - shift[:, None]
        square = about[0] * about[0] + about[1] * about[1] + about[2] * about[2]
        scale = np.sqrt(ordered_sum(masked(square)) / count)
        shape = about / np.where(scale > 0, scale, 1.0)
        if keep is not None:
            shape = shape * keep
        start, roundness = _algebraic(shape, count)
        centre = geometric_centres(shape, start, count, keep)
        offsets = shape - centre[:, None]
        distance = lengths(offsets)
        radius = ordered_sum(masked(distance)) / count
        gaps = masked(distance - radius)
        directions = [masked(part) for part in offsets / distance]
        covariance, holds = _covariance(directions, count)
    rss = ordered_sum(gaps * gaps) * (scale * scale)
    return Balls(centre * scale + shift, radius * scale, rss, roundness, covariance, holds)


def _covariance(
    directions: list[Array], count: Array
) -> tuple[tuple[Array, ...], NDArray[np.bool_]]:
    """Inverse of ``sum w wᵀ``, w = (direction, 1), the radius eliminated first; whether it exists.

    Written out, so that a sphere has the same covariance alone and among others.
    """
    x, y, z = (ordered_sum(part) for part in directions)
    mean = (x / count, y / count, z / count)
    places = [(i, j) for i in range(3) for j in range(i, 3)]
    sums = (x, y, z)
    a, b, c, d, e, f = (
        ordered_sum(directions[i] * directions[j]) - sums[i] * mean[j] for i, j in places
    )
    minors = (
        d * f - e * e,
        c * e - b * f,
        b * e - c * d,
        a * f - c * c,
        b * c - a * e,
        a * d - b * b,
    )
    det = a * minors[0] + b * minors[1] + c * minors[2]
    xx, xy, xz, yy, yz, zz = (one / det for one in minors)
    xr = 0.0 - dot3((xx, xy, xz), mean)
    yr = 0.0 - dot3((xy, yy, yz), mean)
    zr = 0.0 - dot3((xz, yz, zz), mean)
    rr = 1.0 / count - dot3((xr, yr, zr), mean)
    parts = (xx, xy, xz, xr, yy, yz, yr, zz, zr, rr)
    holds = (det > 0) & (xx > 0) & (yy > 0) & (zz > 0) & np.isfinite(sum(parts))
    return parts, holds


def _algebraic(shape: Array, count: Array) -> tuple[Array, Array]:
    """Least squares of ``|p|² = 2 p·c + k``, the start of the search; and the roundness."""
    square = shape[0] * shape[0] + shape[1] * shape[1] + shape[2] * shape[2]
    places = [(i, j) for i in range(3) for j in range(i, 3)]
    moments = {(i, j): ordered_sum(shape[i] * shape[j]) / count for i, j in places}
    right = [0.5 * (ordered_sum(part * square) / count) for part in shape]
    found, det = solved(moments, right)
    return np.where(det > _FLAT, np.array(found), 0.0), det
