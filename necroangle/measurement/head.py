"""The head circle of a view: which marks hold it, which are left out, which look misplaced."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Arc, CircleFit, PlanePoints, WeightedRadius, arc_through, fit_circle
from necroangle.geometry.rims import directions_deg
from necroangle.measurement.outliers import RimBlock, misplaced_in_block
from necroangle.measurement.settings import DEFAULTS, Settings

__all__ = ["HeadCircle", "Misplaced", "fit_head", "misplaced_marks"]

_MAX_ROUNDS = 12


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

    The circle through three marks that leaves the least median distance (which several misplaced
    marks cannot bend) tells the suspects. They are cleared again, the least outlying first, unless
    they stand out from the circle of all others beyond chance and by more than 1.5 mm.

    Parameters
    ----------
    rim
        (N, 2) plane points, mm; fewer than 6 name nothing, and never more than a quarter is named.

    References
    ----------
    P. J. Rousseeuw, J. Am. Stat. Assoc. 79 (1984) 871, doi 10.1080/01621459.1984.10477105.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 240, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> rim[4] *= 27 / 24
    >>> [(one.index, round(one.distance_mm, 3)) for one in misplaced_marks(rim)]
    [(4, 3.0)]
    """
    points = np.asarray(rim, float).reshape(-1, 2).T[:, :, None]
    named = misplaced_in_block(RimBlock.of(points, np.ones(points.shape[1:], bool)))
    return tuple(Misplaced(index, distance) for index, distance in named.get(0, ()))


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
    directions = directions_deg(offsets.T)
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
