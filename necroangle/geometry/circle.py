"""The head circle: the geometric least-squares circle of the rim marks, with its covariance.

The sum of squared distances from the marks to the circle is minimised (maximum likelihood for
equal, isotropic click noise). Algebraic fits minimise something else and are biased on the short
arcs that a femoral head offers; here one (HyperLS) only gives the start.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry.frames import PlanePoints
from necroangle.geometry.orthogonal import WeightedRadius, geometric_centres, lengths
from necroangle.geometry.point_sets import PointSets, ordered_sum

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_MAX_STEPS = 100
_DEG = 180.0 / math.pi
_ROUGH = 0.12
"""Residuals above this share of the rim's extent (2 mm of a quarter of a head) are no contour's."""

_SURE_ROUNDNESS = 1e-8
"""Product of the principal spreads, of sum 1, above which marks are far from a straight line."""

MIN_RIM_SPAN_DEG = 60.0
"""Below this span of the rim no estimator finds the centre: refused."""

MIN_RIM_SPAN_KNOWN_DEG = 30.0
"""The same where the radius is known beforehand."""


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle in plane mm.

    Attributes
    ----------
    centre_mm
        (u, v) in plane mm.
    radius_mm
        Radius in mm.
    """

    centre_mm: tuple[float, float]
    radius_mm: float


@dataclass(frozen=True, slots=True)
class CircleFit:
    """A head circle and how well the rim marks hold it.

    Attributes
    ----------
    circle
        The circle.
    count
        Number of rim marks.
    rss_mm2
        Sum of squared distances of the marks from the circle, mm².
    span_deg
        Part of the circle that the marks span: 360 minus the largest gap between neighbours.
    unit_covariance
        3 x 3 covariance of (u, v, radius) for a click noise of 1 mm per coordinate, row by row;
        times the noise variance it is the Kanatani-Cramér-Rao bound.
    """

    circle: Circle
    count: int
    rss_mm2: float
    span_deg: float
    unit_covariance: tuple[tuple[float, ...], ...]

    @property
    def rms_mm(self) -> float:
        """Root mean square distance of the marks from the circle, mm."""
        return math.sqrt(self.rss_mm2 / self.count)


def fit_circle(points: PlanePoints, prior: WeightedRadius | None = None) -> CircleFit:
    """Fit the circle with the least sum of squared distances to the points.

    Parameters
    ----------
    points
        (N, 2) plane points, mm, N >= 3.
    prior
        A radius known beforehand, mm, with its weight beside one rim mark; or None.

    Raises
    ------
    RimError
        For fewer than 3 points, coincident or collinear points, or a rim spanning less than 60
        degrees (30 where the radius is known beforehand).

    References
    ----------
    N. Chernov, Circular and Linear Regression, CRC Press 2010, chapters 4 to 6.
    A. Al-Sharadqah and N. Chernov, Electron. J. Statist. 3 (2009) 886, doi 10.1214/09-EJS419.

    Examples
    --------
    >>> import numpy as np
    >>> turn = np.radians(np.arange(0, 220, 20))
    >>> fit = fit_circle(np.column_stack((10 + 24 * np.cos(turn), 5 + 24 * np.sin(turn))))
    >>> [round(x, 9) for x in (*fit.circle.centre_mm, fit.circle.radius_mm, fit.span_deg)]
    [10.0, 5.0, 24.0, 200.0]
    >>> fit_circle(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    Traceback (most recent call last):
    ...
    necroangle.errors.RimError: the rim points lie on a straight line; ...
    """
    marks = np.asarray(points, float).reshape(-1, 2)
    if problem := rim_fault(marks):
        raise RimError(problem)
    found = fit_circles(PointSets.alike(np.ascontiguousarray(marks.T)[:, :, None]), prior)
    span = float(found.span_deg[0])
    if problem := span_fault(span, least_span_deg(prior), holds=bool(found.holds[0])):
        raise RimError(problem)
    (u, v), (uu, uv, ur, vv, vr, rr) = (
        [float(part[0]) for part in parts] for parts in (found.centre_mm, found.covariance)
    )
    return CircleFit(
        circle=Circle((u, v), float(found.radius_mm[0])),
        count=len(marks),
        rss_mm2=float(found.rss_mm2[0]),
        span_deg=span,
        unit_covariance=((uu, uv, ur), (uv, vv, vr), (ur, vr, rr)),
    )


def rim_fault(marks: NDArray[np.float64]) -> str:
    """Why (N, 2) rim marks give no circle, whatever the fit; nothing where they may.

    Examples
    --------
    >>> rim_fault(np.array([[0.0, 0.0], [1.0, 1.0]]))
    'a head circle needs 3 rim points in different places, found 2'
    """
    distinct = np.unique(marks, axis=0)
    if not np.isfinite(marks).all():
        return "a rim point is not a finite number"
    if len(distinct) < 3:
        return f"a head circle needs 3 rim points in different places, found {len(distinct)}"
    spread = np.linalg.svd(distinct - distinct.mean(axis=0), compute_uv=False)
    if spread[1] <= 1e-6 * spread[0]:
        return "the rim points lie on a straight line; mark the round contour of the head"
    return ""


def least_span_deg(prior: WeightedRadius | None) -> float:
    """The span of the rim below which it is refused."""
    return MIN_RIM_SPAN_DEG if prior is None else MIN_RIM_SPAN_KNOWN_DEG


def span_fault(span_deg: float, least_deg: float, *, holds: bool) -> str:
    """Why a fitted circle is none: too short a rim, or no centre; nothing where it is one."""
    if span_deg < least_deg:
        return (
            f"the rim points span only {span_deg:.0f}° of the head; "
            f"mark at least {least_deg:.0f}°, better 180°"
        )
    return "" if holds else "the rim points do not hold a centre; spread them over the rim"


@dataclass(frozen=True, slots=True, eq=False)
class Circles:
    """Circles of K rims.

    Attributes
    ----------
    centre_mm
        (2, K) plane mm.
    radius_mm, rss_mm2, span_deg
        (K,) as in :class:`necroangle.geometry.CircleFit`.
    covariance
        (6, K) parts of the symmetric covariance of (u, v, radius) for a click noise of 1 mm: uu,
        uv, ur, vv, vr, rr.
    holds
        (K,) whether the marks hold a centre.
    """

    centre_mm: Array
    radius_mm: Array
    rss_mm2: Array
    span_deg: Array
    covariance: Array
    holds: NDArray[np.bool_]

    @classmethod
    def none(cls, size: int) -> "Circles":
        """Room for circles: zeros, that hold no centre."""
        radius, rss, span = np.zeros((3, size))
        nothing = np.zeros(size, bool)
        return cls(np.zeros((2, size)), radius, rss, span, np.zeros((6, size)), nothing)

    def put(self, places: Places, circles: "Circles", chosen: NDArray[np.bool_]) -> None:
        """Put the chosen of some circles in their places among these."""
        where = places[chosen]
        for field in fields(Circles):
            getattr(self, field.name)[..., where] = getattr(circles, field.name)[..., chosen]

    def faults(self, sets: PointSets, least_span_deg: float) -> dict[int, str]:
        """Which of the circles are none, and why: as :func:`fit_circle` judges one.

        Parameters
        ----------
        sets
            The marks that they were fitted to.
        least_span_deg
            The shortest rim that counts, degrees.
        """
        good = self.holds & ~(self.span_deg < least_span_deg) & _surely_round(sets)
        found = {}
        for place in np.flatnonzero(~good).tolist():
            span, holds = float(self.span_deg[place]), bool(self.holds[place])
            problem = rim_fault(sets.of(place)) or span_fault(span, least_span_deg, holds=holds)
            if problem:
                found[place] = problem
        return found


def fit_circles(sets: PointSets, prior: WeightedRadius | None = None) -> Circles:
    """Fit the circle with the least sum of squared distances to the marks of each rim.

    What makes a rim unusable (fewer than 3 places, a straight line, a short span) is for the
    caller to judge: :meth:`Circles.faults`.

    Parameters
    ----------
    sets
        The marks of each rim, plane mm.
    prior
        A radius known beforehand, mm, with its weight beside one rim mark; or None.

    Examples
    --------
    >>> turn = np.radians(np.arange(0.0, 220.0, 20.0))
    >>> rim = np.array((10 + 24 * np.cos(turn), 5 + 24 * np.sin(turn)))[:, :, None]
    >>> found = fit_circles(PointSets.alike(rim))
    >>> [round(float(x[0]), 9) for x in (*found.centre_mm, found.radius_mm, found.span_deg)]
    [10.0, 5.0, 24.0, 200.0]
    """
    count, keep = sets.count, sets.keep
    with np.errstate(all="ignore"):
        shift = np.array([sets.sum(part) / count for part in sets.points])
        about = sets.points - shift[:, None]
        scale = np.sqrt(sets.sum(about[0] * about[0] + about[1] * about[1]) / count)
        shape = about / scale * keep
        known = (prior.radius / scale, prior.weight) if prior else None
        moved = PointSets(shape, count, keep)
        start = hyper_centres(shape, count)
        centre = _least_of_rough(moved, start, geometric_centres(moved, start, known), known)
        offsets = shape - centre[:, None]
        distance = lengths(offsets)
        total = sets.sum(distance)
        if known is None:
            radius = total / count
        else:
            radius = (total + known[1] * known[0]) / (count + known[1])
        gaps = sets.masked(distance - radius)
        weight = prior.weight if prior else 0.0
        covariance, holds = _covariance(offsets / distance * keep, count + weight)
    return Circles(
        centre_mm=centre * scale + shift,
        radius_mm=radius * scale,
        rss_mm2=ordered_sum(gaps * gaps) * (scale * scale),
        span_deg=_span_deg(offsets, keep),
        covariance=np.array(covariance),
        holds=holds,
    )


def _least_of_rough(
    sets: PointSets, start: Array, centre: Array, known: tuple[Array, float] | None
) -> Array:
    """The same centres, those of rough rims the best of two more searches.

    A short rim with a mark far off has more than one minimum; of a rim that follows its circle the
    first is the least.
    """
    off = _mean_square(sets, centre, known)
    rough = np.flatnonzero(~(off < _ROUGH * _ROUGH))
    if not len(rough):
        return centre
    some = PointSets(sets.points[:, :, rough], sets.count[rough], sets.keep[:, rough])
    own = None if known is None else (known[0][rough], known[1])
    best, least = centre[:, rough], off[rough]
    for other in (0.5 * start[:, rough], 0.0 * start[:, rough]):
        found = geometric_centres(some, other, own)
        square = _mean_square(some, found, own)
        better = square < least * (1 - 1e-9)
        best, least = np.where(better, found, best), np.where(better, square, least)
    centre = centre.copy()
    centre[:, rough] = best
    return centre


def _mean_square(sets: PointSets, centre: Array, known: tuple[Array, float] | None) -> Array:
    """(K,) what the search makes least, a mark."""
    distance = lengths(sets.points - centre[:, None])
    mean = sets.sum(distance) / sets.count
    gaps = sets.masked(distance - mean)
    found = ordered_sum(gaps * gaps)
    if known is not None:
        share = sets.count * known[1] / (sets.count + known[1])
        found = found + share * (mean - known[0]) * (mean - known[0])
    return np.asarray(found / sets.count)


def _covariance(directions: Array, count: Array) -> tuple[tuple[Array, ...], NDArray[np.bool_]]:
    """Covariance of (u, v, radius) for a noise of 1, and whether it exists.

    Inverse of ``sum w wᵀ``, w = (direction, 1); a radius known beforehand counts as marks do.
    """
    c, s = directions
    a, b, d = ordered_sum(c * c), ordered_sum(c * s), ordered_sum(s * s)
    e, f, g = ordered_sum(c), ordered_sum(s), count
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


def _span_deg(offsets: Array, keep: Array) -> Array:
    """360 degrees minus the largest gap between neighbours."""
    directions = np.sort(np.where(keep > 0, directions_deg(offsets), np.inf), axis=0)
    first = directions[0] + 360.0
    following = np.concatenate((directions[1:], np.full((1, directions.shape[1]), np.inf)))
    ended = np.isinf(following)
    with np.errstate(invalid="ignore"):
        gaps = np.where(ended, first, following) - directions
    return np.asarray(360.0 - np.where(np.isinf(directions), -np.inf, gaps).max(axis=0))


def hyper_centres(shape: Array, count: Array) -> Array:
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


def _surely_round(sets: PointSets) -> NDArray[np.bool_]:
    """(K,) whether the marks surely lie in 3 places and on no straight line.

    With 1000 marks or fewer, where the product of their principal spreads passes 1e-8, the
    ratio of the spreads of the different places passes 1e-6, the limit of a straight line.
    """
    with np.errstate(all="ignore"):
        x, y = (part - part.sum(axis=0) / sets.count for part in sets.points)
        x, y = x * sets.keep, y * sets.keep
        xx, yy, xy = (x * x).sum(axis=0), (y * y).sum(axis=0), (x * y).sum(axis=0)
        product = (xx * yy - xy * xy) / ((xx + yy) * (xx + yy))
    return np.asarray((product > _SURE_ROUNDNESS) & (sets.count <= 1000))
