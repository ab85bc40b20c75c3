"""What is drawn over a slice: circle, rays and arcs, from the measured values themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Arc, Circle, arc_polyline

DASH_MM = 3.0

Segments = NDArray[np.float64]
"""(N, 2, 2) plane mm: start and end of each segment as (u, v)."""

NO_SEGMENTS: Segments = np.zeros((0, 2, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """Segments over one slice, plane mm.

    ``circle``: the head circle, and where it is drawn with one, a cross at its centre.
    ``rays``: from the centre to the ends of each arc.
    """

    circle: Segments
    rays: Segments
    arcs: Segments

    @property
    def parts(self) -> tuple[tuple[str, Segments], ...]:
        """The segments by the name of their pen."""
        return (("circle", self.circle), ("rays", self.rays), ("arc", self.arcs))

    def carried(self, by: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> "Drawing":
        """The drawing on another slice, to which (N, 2) plane mm are carried."""
        parts = (by(lines.reshape(-1, 2)).reshape(-1, 2, 2) for _, lines in self.parts)
        return Drawing(*parts)


@dataclass(frozen=True, slots=True, eq=False)
class PenLines:
    """Lines over a slice that do not come from the draft.

    ``segments``: (N, 2, 2) plane mm.
    """

    pen: str
    segments: Segments


def drawing_of(circle: Circle | None, arcs: Sequence[Arc], *, has_cross: bool = True) -> Drawing:
    """What there is to draw of a slice: nothing before its rim gives a circle."""
    if circle is None:
        return Drawing(NO_SEGMENTS, NO_SEGMENTS, NO_SEGMENTS)
    around = segments_along(arc_polyline(circle, 0.0, 360.0))
    along = [arc_polyline(circle, arc.start_deg, arc.extent_deg) for arc in arcs]
    rays = [(circle.centre_mm, end) for line in along for end in line[[0, -1]].tolist()]
    return Drawing(
        circle=np.concatenate((around, _cross(circle))) if has_cross else around,
        rays=np.array(rays).reshape(-1, 2, 2),
        arcs=np.concatenate((NO_SEGMENTS, *map(segments_along, along))),
    )


def outline_of(points_mm: NDArray[np.float64]) -> Segments:
    """A closed outline through (N, 2) plane points, mm; nothing for fewer than two."""
    if len(points_mm) < 2:
        return NO_SEGMENTS
    return np.stack((points_mm, np.roll(points_mm, -1, axis=0)), axis=1)


def dashed(ends_mm: tuple[tuple[float, float], tuple[float, float]] | None) -> Segments:
    """A dashed line between two points, plane mm; nothing for no line.

    Examples
    --------
    >>> dashed(((0.0, 0.0), (0.0, 15.0))).tolist()
    [[[0.0, 0.0], [0.0, 3.0]], [[0.0, 6.0], [0.0, 9.0]], [[0.0, 12.0], [0.0, 15.0]]]
    """
    if ends_mm is None:
        return NO_SEGMENTS
    first, last = np.array(ends_mm)
    count = 2 * max(1, round(float(np.hypot(*(last - first))) / (2 * DASH_MM))) + 1
    points = np.linspace(first, last, count + 1)
    return np.stack((points[:-1:2], points[1::2]), axis=1)


def ghost_lines(drawing: Drawing) -> tuple[Segments, Segments]:
    """An earlier drawing in dashes: circle and rays, and the arcs, whose very ends are kept.

    Examples
    --------
    >>> circle = Circle((0.0, 0.0), 24.0)
    >>> drawing = drawing_of(circle, (Arc(10.0, 90.0, 0.0, 0.0),), has_cross=False)
    >>> thin, arcs = ghost_lines(drawing)
    >>> [len(thin) < 120, arcs[0, 0].round(1).tolist(), arcs[-1, 1].round(1).tolist()]
    [True, [23.6, 4.2], [-4.2, 23.6]]
    """
    around = drawing.circle[np.arange(len(drawing.circle)) % 3 == 0]
    rays = [dashed(((a[0], a[1]), (b[0], b[1]))) for a, b in drawing.rays.tolist()]
    starts = np.ones(len(drawing.arcs), bool)
    starts[1:] = (drawing.arcs[1:, 0] != drawing.arcs[:-1, 1]).any(axis=1)
    ends = np.append(starts[1:], True)[: len(starts)]
    kept = starts | ends | (np.arange(len(starts)) % 3 != 2)
    return np.concatenate((around, *rays)), drawing.arcs[kept]


def segments_along(points: NDArray[np.float64]) -> Segments:
    """The segments between (N, 2) plane points, mm, one after the other."""
    return np.stack((points[:-1], points[1:]), axis=1)


def _cross(circle: Circle) -> Segments:
    u, v = circle.centre_mm
    arm = 0.06 * circle.radius_mm
    return np.array((((u - arm, v), (u + arm, v)), ((u, v - arm), (u, v + arm))))
