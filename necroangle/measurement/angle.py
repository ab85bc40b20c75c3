"""The necrotic angle of one slice by each mode, and what moves it."""

import math
from dataclasses import dataclass

import numpy as np

from necroangle.geometry import Arc, Circle, PlanePoints, span_deg, union_deg

__all__ = ["SliceAngle", "extent_angle", "surface_angle"]


@dataclass(frozen=True, slots=True)
class SliceAngle:
    """An angle at the head's centre and its first derivatives.

    With the circle's centre covariance C (mm²) and the end points' variance σ² along the surface,
    ``var = pullᵀ C pull + σ² end_factor``, in radians².

    Attributes
    ----------
    angle_deg, span_deg
        Covered angle, and the angle from the outermost boundary to the other.
    arcs
        The arcs behind it, about the circle's centre.
    pull
        Derivative of the angle by the centre's (u, v), radians per mm.
    end_factor
        Sum of 1/ρ² over the ends that bound it, ρ their distances from the centre, mm⁻².
    """

    angle_deg: float
    span_deg: float
    arcs: tuple[Arc, ...]
    pull: tuple[float, float]
    end_factor: float


def surface_angle(arcs: tuple[Arc, ...], circle: Circle) -> SliceAngle:
    """Union of the necrotic arcs on the head's surface.

    Examples
    --------
    >>> half = surface_angle((Arc(180.0, 180.0, 0.0, 0.0),), Circle((0.0, 0.0), 24.0))
    >>> half.angle_deg, round(24 * half.pull[1], 6)  # towards the arc: 2 sin(a/2) / R
    (180.0, -2.0)
    """
    ends = [end for arc in arcs for end in _ends(arc, circle.radius_mm)]
    free = [end for end in ends if not any(_strictly_inside(end[0], arc) for arc in arcs)]
    total = union_deg(arcs)
    return _with_derivatives(total, span_deg(arcs), arcs, free if total < 360.0 else [])


def extent_angle(contour: PlanePoints, circle: Circle) -> SliceAngle:
    """Angle between the two tangents from the head's centre to the lesion's outline.

    360 degrees where the centre lies within the outline.

    Parameters
    ----------
    contour
        (N, 2) plane points, mm, in their order; the last is joined to the first.
    circle
        The head circle.

    Examples
    --------
    >>> square = np.array([[10.0, -5.0], [20.0, -5.0], [20.0, 5.0], [10.0, 5.0]])
    >>> round(extent_angle(square, Circle((0.0, 0.0), 24.0)).angle_deg, 3)
    53.13
    """
    offsets = np.asarray(contour, float) - circle.centre_mm
    directions = np.degrees(np.arctan2(offsets[:, 1], offsets[:, 0]))
    turns = (np.diff(directions, append=directions[0]) + 180.0) % 360.0 - 180.0
    path = directions[0] + np.concatenate(([0.0], np.cumsum(turns)))
    if abs(path[-1] - path[0]) > 180.0:  # the outline runs round the centre
        return SliceAngle(360.0, 360.0, (Arc(0.0, 360.0, 0.0, 0.0),), (0.0, 0.0), 0.0)
    first, last = int(np.argmin(path[:-1])), int(np.argmax(path[:-1]))
    lengths = np.hypot(*offsets.T)
    extent = float(path[last] - path[first])
    gaps = [float(lengths[place] - circle.radius_mm) for place in (first, last)]
    arc = Arc(float(path[first]) % 360.0, extent, gaps[0], gaps[1])
    return _with_derivatives(extent, extent, (arc,), list(_ends(arc, circle.radius_mm)))


def _ends(
    arc: Arc, radius_mm: float
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """(direction deg, distance mm, sign) of the lower and the upper end, counter-clockwise."""
    low, high = arc.interval_deg()
    near, far = radius_mm + arc.start_gap_mm, radius_mm + arc.end_gap_mm
    if arc.extent_deg < 0:
        near, far = far, near
    return (low, near, -1.0), (high, far, 1.0)


def _strictly_inside(direction_deg: float, arc: Arc) -> bool:
    low, high = arc.interval_deg()
    into = (direction_deg - low) % 360.0
    return 1e-9 < into < high - low - 1e-9


def _with_derivatives(
    angle_deg: float,
    span: float,
    arcs: tuple[Arc, ...],
    ends: list[tuple[float, float, float]],
) -> SliceAngle:
    pull_u = pull_v = factor = 0.0
    for direction, distance, sign in ends:
        turn = math.radians(direction)
        pull_u += sign * math.sin(turn) / distance
        pull_v -= sign * math.cos(turn) / distance
        factor += 1.0 / (distance * distance)
    return SliceAngle(angle_deg, span, arcs, (pull_u, pull_v), factor)
