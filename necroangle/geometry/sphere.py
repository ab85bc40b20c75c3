"""The head sphere: one centre and one radius for the rim marks of all views, in patient mm."""

import math
from dataclasses import dataclass

import numpy as np

from necroangle.errors import RimError
from necroangle.geometry.balls import fit_balls
from necroangle.geometry.frames import PatientPoints

__all__ = ["Sphere", "SphereFit", "fit_sphere"]


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
    if len(marks) < 4:
        raise RimError(f"a head sphere needs 4 rim points, found {len(marks)}")
    about = marks - marks.mean(axis=0)
    spread = np.linalg.svd(about, compute_uv=False)
    if not spread[2] > 1e-6 * spread[0]:
        raise RimError("the rim points lie in one plane; a head sphere needs two views")
    found = fit_balls(marks.T[:, :, None], np.full(1, float(len(marks))))
    if not found.holds[0]:
        raise RimError("the rim points do not hold a centre; spread them over the rim")
    x, y, z = found.centre_mm[:, 0].tolist()
    xx, xy, xz, xr, yy, yz, yr, zz, zr, rr = (float(part[0]) for part in found.covariance)
    return SphereFit(
        Sphere((x, y, z), float(found.radius_mm[0])),
        len(marks),
        float(found.rss_mm2[0]),
        ((xx, xy, xz, xr), (xy, yy, yz, yr), (xz, yz, zz, zr), (xr, yr, zr, rr)),
    )
