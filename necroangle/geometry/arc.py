"""Directed arcs on a circle: the angle from start to end on the side where a third point lies.

Two end points name two arcs, theta and 360° - theta; the third point settles which. So the angle
runs from 0 to 360 degrees and never folds at 180. Thousands of arcs are found at once; one alone is
an array of one, with the same bits.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import ArcError
from necroangle.geometry.circle import Circle, directions_deg
from necroangle.geometry.frames import PlanePoints

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_COINCIDENT_MM = 1e-6
_DEG = 180.0 / math.pi
_STEP_DEG = 3.0

_FAULTS = (
    "",
    *(
        f"the arc's {label} is not a finite number; mark it again"
        for label in ("start", "end", "middle point")
    ),
    *(
        f"the arc's {label} lies on the head's centre; move it to the surface"
        for label in ("start", "end", "middle point")
    ),
    *(
        f"{label} lie in the same direction from the centre; move one of them"
        for label in ("start and end", "start and middle point", "middle point and end")
    ),
)
"""What can be wrong with an arc, in the order in which it is looked for; first: nothing."""


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


@dataclass(frozen=True, slots=True, eq=False)
class ArcColumns:
    """A arcs, each about one of some circles.

    Attributes
    ----------
    circle
        (A,) which circle an arc is about; growing.
    start_deg, extent_deg, start_gap_mm, end_gap_mm
        (A,) as in :class:`Arc`.
    fault
        (A,) 0, or what is wrong with the marks of an arc: see :meth:`problem`.
    """

    circle: Places
    start_deg: Array
    extent_deg: Array
    start_gap_mm: Array
    end_gap_mm: Array
    fault: NDArray[np.int8]

    @classmethod
    def of(cls, arcs_of: Sequence[Sequence[Arc]]) -> "ArcColumns":
        """The arcs of each of some circles.

        Examples
        --------
        >>> found = ArcColumns.of([(), (Arc(350.0, 30.0, 0.0, 0.0),)])
        >>> found.circle.tolist(), found.arcs_of(1)[0].angle_deg
        ([1], 30.0)
        """
        numbers = [
            (one.start_deg, one.extent_deg, one.start_gap_mm, one.end_gap_mm)
            for arcs in arcs_of
            for one in arcs
        ]
        columns = np.array(numbers, float).reshape(-1, 4).T
        number = np.array([len(arcs) for arcs in arcs_of], np.intp)
        circle = np.repeat(np.arange(len(arcs_of)), number)
        start, extent, start_gap, end_gap = columns
        none = np.zeros(len(numbers), np.int8)
        return cls(circle, start, extent, start_gap, end_gap, none)

    @property
    def low(self) -> Array:
        """(A,) lower bounds in [0, 360), counter-clockwise."""
        back = np.where(self.extent_deg >= 0, self.start_deg, self.start_deg + self.extent_deg)
        return np.asarray(back % 360.0)

    def arc(self, place: int) -> Arc:
        """One of the arcs by itself."""
        columns = (self.start_deg, self.extent_deg, self.start_gap_mm, self.end_gap_mm)
        return Arc(*(float(one[place]) for one in columns))

    def arcs_of(self, circle: int) -> tuple[Arc, ...]:
        """The arcs about a circle, in their order."""
        first, last = np.searchsorted(self.circle, (circle, circle + 1)).tolist()
        return tuple(map(self.arc, range(first, last)))

    def some(self, chosen: "NDArray[np.bool_] | Places", circle: Places) -> "ArcColumns":
        """Some of the arcs, with other numbers for their circles."""
        columns = (self.start_deg, self.extent_deg, self.start_gap_mm, self.end_gap_mm, self.fault)
        return ArcColumns(circle, *(one[chosen] for one in columns))  # type: ignore[arg-type]

    def problem(self, place: int) -> str:
        """What is wrong with the marks of an arc, in words; nothing where nothing is."""
        return str(_FAULTS[self.fault[place]])


def arcs_about(points: Array, circle: Places, centre_mm: Array, radius_mm: Array) -> ArcColumns:
    """Arcs from start to end through a point between them, about their circles' centres.

    The ends are projected radially on the circle: only their directions count for the angle, and
    their distance from the circle is kept.

    Parameters
    ----------
    points
        (2, 3, A) plane mm: start, end, and one between them on the necrotic side.
    circle
        (A,) which circle each is about; growing.
    centre_mm, radius_mm
        (2, K) and (K,) the circles, plane mm.
    """
    arms = points - centre_mm[:, None, circle]
    start, end, via = arms[:, 0], arms[:, 1], arms[:, 2]
    reach = [each(math.hypot, *arm) for arm in (start, end, via)]
    fault = np.zeros(len(circle), np.int8)
    with np.errstate(all="ignore"):
        turns = _turn(start, end), _turn(start, via), _turn(via, end)
        tolerance = _COINCIDENT_MM / reach[0] * _DEG
        faults = [~np.isfinite(length) for length in reach]
        faults += [~(length > _COINCIDENT_MM) for length in reach]
        faults += [np.minimum(turn, 360.0 - turn) <= tolerance for turn in turns]
        for number in range(len(faults), 0, -1):
            fault[faults[number - 1]] = number
    to_end, to_via, _ = turns
    radius = radius_mm[circle]
    return ArcColumns(
        circle=circle,
        start_deg=directions_deg(start) % 360.0,
        extent_deg=np.where(to_via < to_end, to_end, to_end - 360.0),
        start_gap_mm=reach[0] - radius,
        end_gap_mm=reach[1] - radius,
        fault=fault,
    )


def arc_through(centre_mm: Sequence[float], radius_mm: float, points: PlanePoints) -> Arc:
    """Build the arc from start to end through the point between them: one of :func:`arcs_about`.

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
    marks = np.asarray(points, float).reshape(3, 2).T[:, :, None]
    centre = np.array(centre_mm, float)[:, None]
    found = arcs_about(marks, np.zeros(1, np.intp), centre, np.array([radius_mm], float))
    if found.fault[0]:
        raise ArcError(found.problem(0))
    return found.arc(0)


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


def each(function: Callable[..., float], *arguments: Array) -> Array:
    """A function of the C library over arrays, value by value, as it works on one value.

    Examples
    --------
    >>> each(math.hypot, np.array([3.0, 5.0]), np.array([4.0, 12.0])).tolist()
    [5.0, 13.0]
    """
    lists = (one.tolist() for one in arguments)
    return np.fromiter(map(function, *lists), float, len(arguments[0]))


def _turn(first: Array, second: Array) -> Array:
    """Counter-clockwise angle from one arm to another, in [0, 360)."""
    cross = first[0] * second[1] - first[1] * second[0]
    dot = first[0] * second[0] + first[1] * second[1]
    return directions_deg(np.array((dot, cross))) % 360.0


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


def arc_polyline(circle: Circle, start_deg: float, extent_deg: float) -> NDArray[np.float64]:
    """Points along an arc of the circle, at most 3 degrees apart.

    Returns
    -------
    NDArray[np.float64]
        (N, 2) plane mm; the first and the last are the arc's very ends.

    Examples
    --------
    >>> arc_polyline(Circle((0.0, 0.0), 10.0), 0.0, 90.0)[[0, -1]].round(6).tolist()
    [[10.0, 0.0], [0.0, 10.0]]
    """
    count = max(2, math.ceil(abs(extent_deg) / _STEP_DEG) + 1)
    turns = np.radians(np.linspace(start_deg, start_deg + extent_deg, count))
    return np.column_stack(
        (
            circle.centre_mm[0] + circle.radius_mm * np.cos(turns),
            circle.centre_mm[1] + circle.radius_mm * np.sin(turns),
        )
    )
