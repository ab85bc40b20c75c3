"""The circle estimators that are compared, and rims with known truth to compare them on."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from skimage.measure import CircleModel

from necroangle.geometry import PlanePoints, fit_circle
from necroangle.geometry.circle import fit_circles
from necroangle.geometry.point_sets import PointSets

__all__ = [
    "BATCH",
    "EACH",
    "Rims",
    "bound_sd_mm",
    "exact_rim",
    "exact_scipy_centre",
    "fitted_centres",
    "make_rims",
    "scipy_centre",
]

Array = NDArray[np.float64]
RADIUS_MM = 24.0
_AT_ONCE = 1024

cv2.setNumThreads(1)


@dataclass(frozen=True)
class Rims:
    """Many noisy rims of one circle about (0, 0), whose arc's middle points along +u.

    Attributes
    ----------
    points_mm
        (K, N, 2) plane mm.
    bound_mm
        Kanatani-Cramér-Rao bound of the centre's standard deviation along the arc's middle.
    """

    points_mm: Array
    bound_mm: float

    def score(self, centres_mm: Array) -> tuple[float, float]:
        """(RMSE over the bound, bias in mm) of the centre along the arc's middle."""
        along = centres_mm[:, 0]
        return float(np.sqrt(np.mean(along**2))) / self.bound_mm, float(along.mean())


def exact_rim(arc_deg: float, count: int) -> Array:
    """(N, 2) marks on the true circle, evenly over an arc with one at either end."""
    turns = np.radians(np.linspace(-arc_deg / 2, arc_deg / 2, count))
    return RADIUS_MM * np.column_stack((np.cos(turns), np.sin(turns)))


def bound_sd_mm(arc_deg: float, count: int, sd_mm: float) -> float:
    """The bound: ``sd² (sum w wᵀ)⁻¹`` with w = (cos, sin, 1), its first diagonal element."""
    weights = np.column_stack((exact_rim(arc_deg, count) / RADIUS_MM, np.ones(count)))
    return sd_mm * float(np.sqrt(np.linalg.inv(weights.T @ weights)[0, 0]))


def make_rims(arc_deg: float, count: int, sd_mm: float, rims: int, seed: int) -> Rims:
    """Rims with normal noise in each coordinate."""
    noise = np.random.default_rng(seed).normal(0.0, sd_mm, (rims, count, 2))
    return Rims(exact_rim(arc_deg, count) + noise, bound_sd_mm(arc_deg, count, sd_mm))


def scipy_centre(points: Array) -> Array:
    """Levenberg-Marquardt on (u, v, radius), from the marks' mean, as a user would call it."""
    start = points.mean(axis=0)

    def residuals(circle: Array) -> Array:
        return np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2]

    radius = np.hypot(*(points - start).T).mean()
    return np.asarray(least_squares(residuals, (*start, radius), method="lm").x[:2])


def exact_scipy_centre(points: Array) -> Array:
    """The same with exact derivatives and no tolerance left: the reference answer."""

    def residuals(circle: Array) -> Array:
        return np.hypot(*(points - circle[:2]).T) - circle[2]

    def derivatives(circle: Array) -> Array:
        offsets = circle[:2] - points
        return np.column_stack((offsets / np.hypot(*offsets.T)[:, None], -np.ones(len(points))))

    start = (*points.mean(axis=0), RADIUS_MM)
    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
    found = least_squares(residuals, start, jac=derivatives, method="lm", **tight)
    return np.asarray(found.x[:2])


def fitted_centres(rims: Array) -> Array:
    """(K, 2) centres of (K, N, 2) rims, by the fit that measures; a thousand at once."""
    parts = []
    for first in range(0, len(rims), _AT_ONCE):
        points = np.ascontiguousarray(rims[first : first + _AT_ONCE].transpose(2, 1, 0))
        parts.append(fit_circles(PointSets.alike(points)).centre_mm.T)
    return np.concatenate(parts)


def _skimage(points: Array) -> Array:
    return np.asarray(CircleModel.from_estimate(points).center)


def _enclosing(points: Array) -> Array:
    return np.asarray(cv2.minEnclosingCircle(points.astype(np.float32))[0])


def _ellipse(points: Array) -> Array:
    return np.asarray(cv2.fitEllipse(points.astype(np.float32))[0])


def _ours(points: Array) -> Array:
    return np.asarray(fit_circle(PlanePoints(points)).circle.centre_mm)


def _circle_fits() -> dict[str, Callable[[Array], Array]]:
    """Those of circle-fit, where it is installed (the extra ``bench``)."""
    if find_spec("circle_fit") is None:
        return {}
    module = import_module("circle_fit")

    def fit_by(name: str) -> Callable[[Array], Array]:
        return lambda points: np.asarray(getattr(module, name)(points)[:2])

    return {f"circle-fit {name}": fit_by(name) for name in ("hyperLSQ", "taubinSVD", "prattSVD")}


BATCH: dict[str, Callable[[Array], Array]] = {
    "necroangle fit_circles (geometric)": lambda rims: fitted_centres(rims),
}
"""Estimators of many rims at once: (K, N, 2) to (K, 2)."""

EACH: dict[str, Callable[[Array], Array]] = {
    "necroangle fit_circle, one by one": _ours,
    "scikit-image CircleModel": _skimage,
    "OpenCV minEnclosingCircle": _enclosing,
    "OpenCV fitEllipse": _ellipse,
    **_circle_fits(),
    "scipy least_squares (lm)": scipy_centre,
}
"""Estimators of one rim a call: (N, 2) to (2,)."""
