"""The head circle: the geometric least-squares circle of the rim marks, with its covariance.

The sum of squared distances from the marks to the circle is minimised (maximum likelihood for
equal, isotropic click noise). Algebraic fits minimise something else and are biased on the short
arcs that a femoral head offers; here one (HyperLS) only gives the start.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry.frames import PlanePoints
from necroangle.geometry.orthogonal import WeightedRadius
from necroangle.geometry.rims import fit_rims

__all__ = ["Circle", "CircleFit", "fit_circle", "rim_span_deg"]

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
    _refuse_unusable(marks)
    found = fit_rims(marks.T[:, :, None], np.full(1, float(len(marks))), prior=prior)
    span = float(found.span_deg[0])
    _refuse_short(span, MIN_RIM_SPAN_DEG if prior is None else MIN_RIM_SPAN_KNOWN_DEG)
    if not found.holds[0]:
        raise RimError("the rim points do not hold a centre; spread them over the rim")
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


def rim_span_deg(centre_mm: NDArray[np.float64], points: NDArray[np.float64]) -> float:
    """Angle spanned by (N, 2) points about a centre: 360 minus the largest gap, in degrees.

    Examples
    --------
    >>> rim_span_deg(np.zeros(2), np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    180.0
    """
    offsets = points - centre_mm
    directions = np.sort(np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0])))
    gaps = np.diff(directions, append=directions[0] + 360.0)
    return 360.0 - float(gaps.max())


def _refuse_short(span: float, least: float) -> None:
    if span < least:
        raise RimError(
            f"the rim points span only {span:.0f}° of the head; mark at least {least:.0f}°, "
            "better 180°"
        )


def _refuse_unusable(marks: NDArray[np.float64]) -> None:
    distinct = np.unique(marks, axis=0)
    if not np.isfinite(marks).all():
        raise RimError("a rim point is not a finite number")
    if len(distinct) < 3:
        raise RimError(
            f"a head circle needs 3 rim points in different places, found {len(distinct)}"
        )
    spread = np.linalg.svd(distinct - distinct.mean(axis=0), compute_uv=False)
    if spread[1] <= 1e-6 * spread[0]:
        raise RimError("the rim points lie on a straight line; mark the round contour of the head")
