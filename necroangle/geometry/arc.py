"""Directed arcs on a circle: the angle from start to end on the side where a third point lies.

Two end points name two arcs, theta and 360° - theta; the third point settles which. So the angle
runs from 0 to 360 degrees and never folds at 180.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from necroangle.errors import ArcError
from necroangle.geometry.frames import PlanePoints

__all__ = ["Arc", "arc_through", "span_deg", "union_deg"]

_COINCIDENT_MM = 1e-6


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc about a centre, in plane mm.

    Attributes
    ----------
    start_deg
        Direction of the first boundary, counter-clockwise from +u towards +v, in [0, 360).
    extent_deg
        Signed angle from start to end, in (-360, 360): positive from +u towards +v.
    start_gap_mm, end_gap_mm
        Distance of the marked end from the circle it is projected on: positive outside.
    """

    start_deg: float
    extent_deg: float
    start_gap_mm: float
    end_gap_mm: float

    @property
    def angle_deg(self) -> float:
        """The angle that the arc subtends at the centre, 0 to 360 degrees."""
        return abs(self.extent_deg)

    def interval_deg(self) -> tuple[float, float]:
        """Lower bound in [0, 360) and upper bound (may pass 360), counter-clockwise."""
        low = self.start_deg if self.extent_deg >= 0 else self.start_deg + self.extent_deg
        low %= 360.0
        return low, low + self.angle_deg


def arc_through(
    centre_mm: Sequence[float],
    radius_mm: float,
    points: PlanePoints,
) -> Arc:
    """Build the arc from start to end through the point between them.

    The ends are projected radially on the circle: only their directions count for the angle, and
    their distance from the circle is kept.

    Parameters
    ----------
    centre_mm
        (2,) plane point (u, v), mm.
    radius_mm
        Radius of the head circle, mm; used for the gaps only.
    points
        (3, 2) plane points, mm: start, end, and one between them on the necrotic side.

    Raises
    ------
    ArcError
        If two of the points lie in the same direction from the centre, or one on the centre.

    Examples
    --------
    >>> import numpy as np
    >>> quarter = np.array([[24.0, 0.0], [0.0, 24.0], [17.0, 17.0]])
    >>> round(arc_through((0, 0), 24, quarter).angle_deg, 6)
    90.0
    >>> the_rest = np.array([[24.0, 0.0], [0.0, 24.0], [-24.0, 0.0]])
    >>> round(arc_through((0, 0), 24, the_rest).angle_deg, 6)
    270.0
    >>> arc_through((0, 0), 24, np.array([[24.0, 0.0], [12.0, 0.0], [-24.0, 0.0]]))
    Traceback (most recent call last):
    ...
    necroangle.errors.ArcError: start and end lie in the same direction from the centre...
    """
    arms = [(float(u) - centre_mm[0], float(v) - centre_mm[1]) for u, v in np.asarray(points)]
    for label, arm in zip(("start", "end", "middle point"), arms, strict=True):
        if not math.hypot(*arm) > _COINCIDENT_MM:
            raise ArcError(f"the arc's {label} lies on the head's centre; move it to the surface")
    start, end, via = arms
    to_end = _turn_deg(start, end)
    to_via = _turn_deg(start, via)
    _refuse_same_direction(start, to_end, to_via, _turn_deg(via, end))
    extent = to_end if to_via < to_end else to_end - 360.0
    return Arc(
        start_deg=math.degrees(math.atan2(start[1], start[0])) % 360.0,
        extent_deg=extent,
        start_gap_mm=math.hypot(*start) - radius_mm,
        end_gap_mm=math.hypot(*end) - radius_mm,
    )


def union_deg(arcs: Iterable[Arc]) -> float:
    """Total angle covered by the arcs, overlaps counted once, 0 to 360 degrees.

    Examples
    --------
    >>> union_deg([Arc(350, 30, 0, 0), Arc(10, 40, 0, 0)])
    60.0
    >>> union_deg([])
    0.0
    """
    return math.fsum(high - low for low, high in _merged(arcs))


def span_deg(arcs: Iterable[Arc]) -> float:
    """Angle from the outermost boundary to the other: 360 minus the largest free gap.

    Examples
    --------
    >>> span_deg([Arc(350, 20, 0, 0), Arc(40, 20, 0, 0)])
    70.0
    """
    merged = _merged(arcs)
    if not merged:
        return 0.0
    following = [low for low, _ in merged[1:]] + [merged[0][0] + 360.0]
    largest_gap = max(low - high for low, (_, high) in zip(following, merged, strict=True))
    return min(360.0, 360.0 - largest_gap)


def _turn_deg(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Counter-clockwise angle from one arm to another, in [0, 360)."""
    cross = first[0] * second[1] - first[1] * second[0]
    dot = first[0] * second[0] + first[1] * second[1]
    return math.degrees(math.atan2(cross, dot)) % 360.0


def _refuse_same_direction(
    start: tuple[float, float], to_end: float, to_via: float, via_to_end: float
) -> None:
    tolerance = math.degrees(_COINCIDENT_MM / math.hypot(*start))
    for label, turn in (
        ("start and end", to_end),
        ("start and middle point", to_via),
        ("middle point and end", via_to_end),
    ):
        if min(turn, 360.0 - turn) <= tolerance:
            raise ArcError(f"{label} lie in the same direction from the centre; move one of them")


def _merged(arcs: Iterable[Arc]) -> list[tuple[float, float]]:
    """Disjoint intervals, counter-clockwise; lower bounds in [0, 360), uppers may pass 360."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted(arc.interval_deg() for arc in arcs):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    while len(merged) > 1 and merged[-1][1] - 360.0 >= merged[0][0]:
        _, first_high = merged.pop(0)
        merged[-1] = (merged[-1][0], max(merged[-1][1], first_high + 360.0))
    if merged and merged[-1][1] - merged[-1][0] >= 360.0:
        return [(0.0, 360.0)]
    return merged
