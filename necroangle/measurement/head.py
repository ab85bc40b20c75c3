"""The head circle of a view: which marks hold it, which are left out, which look misplaced."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry import Arc, CircleFit, PlanePoints, WeightedRadius, arc_through, fit_circle
from necroangle.measurement.settings import DEFAULTS, Settings

__all__ = ["HeadCircle", "Misplaced", "fit_head", "misplaced_marks"]

MISPLACED_MM = 1.5
"""A mark nearer than this to the circle of the others is never called misplaced."""

MISPLACED_LEVEL = 0.01
"""Chance of calling any mark of a faultless rim misplaced (Bonferroni over its marks)."""

_MAX_ROUNDS = 12
_LEAST_MARKS = 6


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A rim mark that does not lie where the others say.

    Attributes
    ----------
    index
        Which mark of the rim, from 0.
    distance_mm
        Its signed distance from the circle of the other marks: positive outside.
    """

    index: int
    distance_mm: float


@dataclass(frozen=True, slots=True)
class HeadCircle:
    """A head circle and the marks behind it.

    Attributes
    ----------
    fit
        The circle, with covariance.
    arcs
        The necrotic arcs about its centre.
    collapsed
        Whether the circle is that of the head before it collapsed.
    left_out
        Rim marks, from 0, that lie within the necrotic arc of a collapsed head and do not count.
    misplaced
        Rim marks that look misplaced. They are named, not removed.
    """

    fit: CircleFit
    arcs: tuple[Arc, ...]
    collapsed: bool
    left_out: tuple[int, ...]
    misplaced: tuple[Misplaced, ...]


def fit_head(
    rim: PlanePoints,
    arcs: tuple[PlanePoints, ...],
    *,
    collapsed: bool = False,
    settings: Settings = DEFAULTS,
) -> HeadCircle:
    """Find the head circle of a slice.

    Of a collapsed head the rim within the necrotic arc is no longer round: it is left out, and the
    ends of the arc, which lie on what has not moved, count as rim in its place. The circle is then
    that of the head before it collapsed.

    Parameters
    ----------
    rim
        (N, 2) plane points, mm.
    arcs
        One (3, 2) array a necrotic arc: start, end, and a point between them; plane points, mm.
    collapsed
        Whether the reader says that the dome has sunk.
    settings
        A radius prior, and the click noise that weighs it.

    Raises
    ------
    RimError, ArcError
        As :func:`necroangle.geometry.fit_circle` and :func:`necroangle.geometry.arc_through`.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 360, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> ends = np.radians([275, 350, 310])  # start, end, between
    >>> arc = 24 * np.column_stack((np.cos(ends), np.sin(ends)))
    >>> head = fit_head(rim, (arc,), collapsed=True)
    >>> round(head.fit.circle.radius_mm, 6), head.left_out
    (24.0, (14, 15, 16, 17))
    """
    prior = _weighted(settings)
    points = np.asarray(rim, float)
    fit = fit_circle(PlanePoints(points), prior)
    found = _arcs_about(fit, arcs)
    inside = np.zeros(len(points), bool)
    sunken = collapsed and bool(arcs)
    if sunken:
        fit, found, inside = _without_sector(points, arcs, fit, prior)
    kept = np.flatnonzero(~inside)
    named = misplaced_marks(PlanePoints(points[kept]))
    return HeadCircle(
        fit=fit,
        arcs=found,
        collapsed=sunken,
        left_out=tuple(np.flatnonzero(inside).tolist()),
        misplaced=tuple(Misplaced(int(kept[one.index]), one.distance_mm) for one in named),
    )


def misplaced_marks(rim: PlanePoints) -> tuple[Misplaced, ...]:
    """Name the rim marks that do not lie where the others say.

    The worst mark by its externally studentised distance is taken away, the circle is fitted
    again, and so on while the worst stands out beyond chance and by more than 1.5 mm.

    Parameters
    ----------
    rim
        (N, 2) plane points, mm; fewer than 6 name nothing.

    References
    ----------
    R. D. Cook and S. Weisberg, Residuals and Influence in Regression, Chapman and Hall 1982.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 240, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> rim[4] *= 27 / 24
    >>> [(one.index, round(one.distance_mm, 3)) for one in misplaced_marks(rim)]
    [(4, 3.0)]
    """
    points = np.asarray(rim, float)
    left = list(range(len(points)))
    named: list[int] = []
    while len(left) >= _LEAST_MARKS and len(named) < len(points) // 4:
        worst = _worst(points[left])
        if worst is None:
            break
        named.append(left.pop(worst))
    if not named:
        return ()
    circle = fit_circle(PlanePoints(points[left])).circle
    distances = np.hypot(*(points[named] - circle.centre_mm).T) - circle.radius_mm
    return tuple(
        Misplaced(index, float(distance))
        for index, distance in sorted(zip(named, distances.tolist(), strict=True))
        if abs(distance) > MISPLACED_MM
    )


def _worst(points: NDArray[np.float64]) -> int | None:
    """Place of the mark that stands out most, or None where none does."""
    from scipy.special import stdtrit

    try:
        fit = fit_circle(PlanePoints(points))
    except RimError:
        return None
    offsets = points - fit.circle.centre_mm
    lengths = np.hypot(*offsets.T)
    weights = np.column_stack((offsets / lengths[:, None], np.ones(len(points))))
    leverage = np.einsum("ij,jk,ik->i", weights, np.array(fit.unit_covariance), weights)
    slack = np.maximum(1.0 - leverage, 1e-9)
    residuals = lengths - fit.circle.radius_mm
    freedom = len(points) - 4
    others = np.maximum(fit.rss_mm2 - residuals**2 / slack, 1e-18) / freedom
    outlying = np.abs(residuals) / np.sqrt(others * slack)
    worst = int(np.argmax(outlying))
    limit = float(stdtrit(freedom, 1.0 - MISPLACED_LEVEL / (2 * len(points))))
    if outlying[worst] <= limit or abs(residuals[worst] / slack[worst]) <= MISPLACED_MM:
        return None
    return worst


def _without_sector(
    points: NDArray[np.float64],
    arcs: tuple[PlanePoints, ...],
    fit: CircleFit,
    prior: WeightedRadius | None,
) -> tuple[CircleFit, tuple[Arc, ...], NDArray[np.bool_]]:
    """Leave out the marks within the arcs and take the arcs' ends, until the choice is stable."""
    ends = np.vstack([np.asarray(arc)[:2] for arc in arcs])
    found = _arcs_about(fit, arcs)
    inside = np.zeros(len(points), bool)
    for _ in range(_MAX_ROUNDS):
        now = _within(points, fit, found)
        fit = fit_circle(PlanePoints(np.vstack((points[~now], ends))), prior)
        found = _arcs_about(fit, arcs)
        if np.array_equal(now, inside):
            break
        inside = now
    return fit, found, inside


def _within(
    points: NDArray[np.float64], fit: CircleFit, arcs: tuple[Arc, ...]
) -> NDArray[np.bool_]:
    offsets = points - fit.circle.centre_mm
    directions = np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0]))
    inside = np.zeros(len(points), bool)
    for low, high in (arc.interval_deg() for arc in arcs):
        inside |= (directions - low) % 360.0 <= high - low
    return inside


def _arcs_about(fit: CircleFit, arcs: tuple[PlanePoints, ...]) -> tuple[Arc, ...]:
    circle = fit.circle
    return tuple(arc_through(circle.centre_mm, circle.radius_mm, arc) for arc in arcs)


def _weighted(settings: Settings) -> WeightedRadius | None:
    prior = settings.radius_prior
    if prior is None:
        return None
    return WeightedRadius(prior.radius_mm, math.pow(settings.rim_sd_mm / prior.sd_mm, 2))
