"""The arcs of many views about their circles, each as :func:`arc_through` finds one."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Arc
from necroangle.geometry.rims import RimCircles, directions_deg
from necroangle.measurement.vector.sheet import Sheet

__all__ = ["ArcColumns", "arc_columns", "each"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_COINCIDENT_MM = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class ArcColumns:
    """A arcs.

    Attributes
    ----------
    view
        (A,) the view that an arc is on; growing.
    start_deg, extent_deg, start_gap_mm, end_gap_mm
        (A,) as in :class:`necroangle.geometry.Arc`.
    low, high
        (A,) its bounds counter-clockwise, degrees.
    sure
        (A,) whether the arc is beyond doubt.
    """

    view: Places
    start_deg: Array
    extent_deg: Array
    start_gap_mm: Array
    end_gap_mm: Array
    low: Array
    high: Array
    sure: NDArray[np.bool_]

    def arc(self, place: int) -> Arc:
        """One of the arcs by itself."""
        columns = (self.start_deg, self.extent_deg, self.start_gap_mm, self.end_gap_mm)
        return Arc(*(float(one[place]) for one in columns))

    def arcs_of(self, view: int) -> tuple[Arc, ...]:
        """The arcs of a view, in their order."""
        first, last = np.searchsorted(self.view, (view, view + 1)).tolist()
        return tuple(map(self.arc, range(first, last)))


def arc_columns(sheet: Sheet, which: Places, circles: RimCircles) -> ArcColumns:
    """Some arcs of a sheet about the circles of their views.

    Parameters
    ----------
    sheet
        The marks.
    which
        (A,) places of the arcs in the sheet.
    circles
        The circles of all views.
    """
    view, mark = sheet.arc_view[which], sheet.arc_start[which]
    u, v = circles.centre_mm[:, view]
    start, end, via = ((sheet.u[mark + k] - u, sheet.v[mark + k] - v) for k in range(3))
    reach = [each(math.hypot, *arm) for arm in (start, end, via)]
    turns = _turn(start, end), _turn(start, via), _turn(via, end)
    sure = np.logical_and.reduce([length > _COINCIDENT_MM for length in reach])
    with np.errstate(all="ignore"):
        tolerance = _COINCIDENT_MM / reach[0] * (180.0 / math.pi)
        for turn in turns:
            sure &= np.minimum(turn, 360.0 - turn) > tolerance
    to_end, to_via, _ = turns
    extent = np.where(to_via < to_end, to_end, to_end - 360.0)
    start_deg = directions_deg(np.array(start)) % 360.0
    low = np.where(extent >= 0, start_deg, start_deg + extent) % 360.0
    radius = circles.radius_mm[view]
    return ArcColumns(
        view=view,
        start_deg=start_deg,
        extent_deg=extent,
        start_gap_mm=reach[0] - radius,
        end_gap_mm=reach[1] - radius,
        low=low,
        high=low + np.abs(extent),
        sure=sure,
    )


def each(function: Callable[..., float], *arguments: Array) -> Array:
    """A function of the C library over arrays, value by value, as it works on one value."""
    lists = (one.tolist() for one in arguments)
    return np.fromiter(map(function, *lists), float, len(arguments[0]))


def _turn(first: tuple[Array, Array], second: tuple[Array, Array]) -> Array:
    """Counter-clockwise angle from one arm to another, in [0, 360)."""
    cross = first[0] * second[1] - first[1] * second[0]
    dot = first[0] * second[0] + first[1] * second[1]
    return directions_deg(np.array((dot, cross))) % 360.0
