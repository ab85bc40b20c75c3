"""The head sphere: one centre and one radius for the rim marks of all views, in patient mm."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry.frames import PatientPoints
from necroangle.geometry.orthogonal import geometric_centres, lengths, solved
from necroangle.geometry.point_sets import PointSets, ordered_sum
from necroangle.geometry.vectors import dot3

Array = NDArray[np.float64]

_FLAT = 1e-12
"""Below this determinant the algebraic start is noise: the search then begins at the mean."""

_SURE_ROUNDNESS = 1e-9
"""Product of the principal spreads, of sum 1, above which marks are far from one plane."""

_NO_CENTRE = "the rim points do not hold a centre; spread them over the rim"


@dataclass(frozen=True, slots=True)
class Sphere:
    """A sphere in patient LPS mm.

    Attributes
    ----------
    centre_mm
        Patient LPS mm.
    radius_mm
        Radius in mm.
    """

    centre_mm: tuple[float, float, float]
    radius_mm: float


@dataclass(frozen=True, slots=True)
class SphereFit:
    """A head sphere and how well the marks hold it.

    Attributes
    ----------
    sphere
        The sphere.
    count
        Number of marks.
    rss_mm2
        Sum of squared distances of the marks from the sphere, mm².
    unit_covariance
        4 x 4 covariance of (x, y, z, radius) for a click noise of 1 mm, row by row.
    """

    sphere: Sphere
    count: int
    rss_mm2: float
    unit_covariance: tuple[tuple[float, ...], ...]

    @property
    def rms_mm(self) -> float:
        """Root mean square distance of the marks from the sphere, mm."""
        return math.sqrt(self.rss_mm2 / self.count)


def fit_sphere(points: PatientPoints) -> SphereFit:
    """Fit the sphere with the least sum of squared distances to the points.

    Parameters
    ----------
    points
        (N, 3) patient points, mm, N >= 4, from at least two planes.

    Raises
    ------
    RimError
        For fewer than 4 points, or points that lie in one plane or hold no centre.

    Examples
    --------
    >>> import numpy as np
    >>> axes = np.vstack((np.eye(3), -np.eye(3)))
    >>> fit = fit_sphere(24 * axes + (90, -10, 35))
    >>> [round(x, 9) for x in (*fit.sphere.centre_mm, fit.sphere.radius_mm)]
    [90.0, -10.0, 35.0, 24.0]
    >>> fit_sphere(np.eye(3))
    Traceback (most recent call last):
    ...
    necroangle.errors.RimError: a head sphere needs 4 rim points, found 3
    """
    marks = np.asarray(points, float).reshape(-1, 3)
    if problem := ball_fault(marks):
        raise RimError(problem)
    found = fit_spheres(PointSets.alike(np.ascontiguousarray(marks.T)[:, :, None]))
    if not found.holds[0]:
        raise RimError(_NO_CENTRE)
    return found.sphere(0)


def ball_fault(marks: NDArray[np.float64]) -> str:
    """Why (N, 3) rim marks give no sphere, whatever the fit; nothing where they may."""
    if len(marks) < 4:
        return f"a head sphere needs 4 rim points, found {len(marks)}"
    if not np.isfinite(marks).all():
        return "a rim point is not a finite number"
    spread = np.linalg.svd(marks - marks.mean(axis=0), compute_uv=False)
    if not spread[2] > 1e-6 * spread[0]:
        return "the rim points lie in one plane; a head sphere needs two views"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Spheres:
    """Spheres of K sets of marks.

    Attributes
    ----------
    centre_mm
        (3, K) patient LPS mm.
    radius_mm, count, rss_mm2
        (K,) as in :class:`SphereFit`.
    roundness
        (K,) product of the three principal spreads of the marks, of sum 1: 0 where they lie in one
        plane, 1/27 at most.
    covariance
        (10, K) parts of the symmetric covariance of (x, y, z, radius) for a click noise of 1 mm,
        row by row from the diagonal: xx, xy, xz, xr, yy, yz, yr, zz, zr, rr.
    holds
        (K,) whether it exists: whether the marks hold a centre.
    """

    centre_mm: Array
    radius_mm: Array
    count: Array
    rss_mm2: Array
    roundness: Array
    covariance: Array
    holds: NDArray[np.bool_]

    @classmethod
    def none(cls, size: int) -> "Spheres":
        """Room for spheres: zeros, that hold no centre."""
        centre, covariance = np.zeros((3, size)), np.zeros((10, size))
        r, n, rss, round_ = np.zeros((4, size))
        return cls(centre, r, n, rss, round_, covariance, np.zeros(size, bool))

    def put(self, places: NDArray[np.intp], spheres: "Spheres") -> None:
        """Put some spheres in their places among these."""
        for field in fields(Spheres):
            getattr(self, field.name)[..., places] = getattr(spheres, field.name)

    def some(self, chosen: NDArray[np.bool_]) -> "Spheres":
        """Some of the spheres."""
        return Spheres(*(getattr(self, field.name)[..., chosen] for field in fields(Spheres)))

    def sphere(self, place: int) -> SphereFit:
        """One of the spheres by itself."""
        x, y, z = self.centre_mm[:, place].tolist()
        xx, xy, xz, xr, yy, yz, yr, zz, zr, rr = self.covariance[:, place].tolist()
        return SphereFit(
            Sphere((x, y, z), float(self.radius_mm[place])),
            int(self.count[place]),
            float(self.rss_mm2[place]),
            ((xx, xy, xz, xr), (xy, yy, yz, yr), (xz, yz, zz, zr), (xr, yr, zr, rr)),
        )

    def faults(self, sets: PointSets) -> dict[int, str]:
        """Which of the spheres are none, and why: as :func:`fit_sphere` judges one."""
        good = (self.roundness > _SURE_ROUNDNESS) & self.holds & (self.count >= 4)
        found = {}
        for place in np.flatnonzero(~good).tolist():
            problem = ball_fault(sets.of(place)) or ("" if self.holds[place] else _NO_CENTRE)
            if problem:
                found[place] = problem
        return found


def fit_spheres(sets: PointSets) -> Spheres:
    """Fit the sphere with the least sum of squared distances to each set of marks, patient mm.

    What makes marks unusable (fewer than 4, in one plane) is for the caller to judge:
    :meth:`Spheres.faults`.

    Examples
    --------
    >>> axes = 24.0 * np.vstack((np.eye(3), -np.eye(3))) + (90.0, -10.0, 35.0)
    >>> found = fit_spheres(PointSets.alike(axes.T[:, :, None]))
    >>> found.centre_mm[:, 0].round(9).tolist(), round(float(found.radius_mm[0]), 9)
    ([90.0, -10.0, 35.0], 24.0)
    """
    count, keep = sets.count, sets.keep
    with np.errstate(all="ignore"):
        shift = np.array([sets.sum(part) / count for part in sets.points])
        about = sets.points - shift[:, None]
        square = about[0] * about[0] + about[1] * about[1] + about[2] * about[2]
        scale = np.sqrt(sets.sum(square) / count)
        shape = about / np.where(scale > 0, scale, 1.0) * keep
        start, roundness = _algebraic(shape, count)
        centre = geometric_centres(PointSets(shape, count, keep), start)
        offsets = shape - centre[:, None]
        distance = lengths(offsets)
        radius = sets.sum(distance) / count
        gaps = sets.masked(distance - radius)
        directions = [sets.masked(part) for part in offsets / distance]
        covariance, holds = _covariance(directions, count)
    rss = ordered_sum(gaps * gaps) * (scale * scale)
    place, size = centre * scale + shift, radius * scale
    return Spheres(place, size, count, rss, roundness, np.array(covariance), holds)


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
