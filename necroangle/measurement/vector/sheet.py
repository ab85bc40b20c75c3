"""The marks of many readings in a few long arrays, with the checks that their files need."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading
from necroangle.geometry.triple import dot3
from necroangle.measurement.projection import PlaneColumns, in_plane
from necroangle.measurement.vector.facts import HipFacts, ViewFacts, facts_of

__all__ = ["Sheet", "sheet_of"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_FARTHEST_MM = 1e5
_NEAR = 0.01 - 1e-6
_RIGHT = 1e-3 - 1e-4
"""A little within the limits of :mod:`necroangle.annotation.check` and of an image plane: what
passes here passes there, whatever the rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """R readings with V views that were read, A arcs and M marks.

    Attributes
    ----------
    hips, views
        What stands in the readings and in the views that were read, beside marks.
    landmarked
        The readings with landmarks, by place.
    hip, side
        (V,) which reading a view belongs to, and whether it is its first or second view.
    planes
        The views' planes, (V,) a coordinate.
    rim_start, rim_count
        (V,) where a view's rim begins among the marks, and its length.
    arc_view, arc_start
        (A,) which view an arc is on, and where its start, end and middle begin among the marks.
    u, v
        (M,) the marks in plane mm.
    collapsed, flat
        (V,) whether stage or remark say that the head has collapsed; whether it is a radiograph.
    flat_hip, frames_differ
        (R,) whether a reading is of radiographs; whether its views stand in different frames.
    sure
        (R,) whether a reading surely holds together, and is of the kind that is measured in
        arrays. The others are for the general road to judge.
    """

    hips: HipFacts
    views: ViewFacts
    landmarked: dict[int, HipReading]
    hip: Places
    side: Places
    planes: PlaneColumns
    rim_start: Places
    rim_count: Places
    arc_view: Places
    arc_start: Places
    u: Array
    v: Array
    collapsed: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    flat_hip: NDArray[np.bool_]
    frames_differ: NDArray[np.bool_]
    sure: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of readings."""
        return len(self.hips.subject)


def sheet_of(readings: Iterable[HipReading]) -> Sheet:
    """Lay out the marks of readings that have been decoded, and check them."""
    facts = facts_of(readings)
    views, hips = facts.views, facts.hips
    hip = np.array(views.hip, np.intp)
    planes, spacing = _planes(np.array(facts.planes))
    sure = np.array(hips.sound, bool) & np.array(facts.spelt, bool)
    u, v, fine = _projected(np.array(facts.marks), planes, spacing, views.count)
    sure[hip[~(fine & _right_angled(planes, spacing))]] = False
    flat_hip = np.array(hips.flat, bool)
    arc_view, arc_start = np.array(facts.arcs, np.intp).reshape(-1, 2).T
    return Sheet(
        *(hips, views, facts.landmarked, hip, np.array(views.side, np.intp), planes),
        rim_start=np.array(views.start, np.intp),
        rim_count=np.array(views.rim_count, np.intp),
        arc_view=arc_view,
        arc_start=arc_start,
        u=u,
        v=v,
        collapsed=np.array(views.collapsed, bool),
        flat=flat_hip[hip],
        flat_hip=flat_hip,
        frames_differ=np.array(hips.frames_differ, bool),
        sure=sure,
    )


def _planes(numbers: Array) -> tuple[PlaneColumns, Array]:
    """Planes and (2, V) row and column spacings."""
    x, y, z, rx, ry, rz, cx, cy, cz, *spacing = _by_column(numbers, 11)
    return PlaneColumns((x, y, z), (rx, ry, rz), (cx, cy, cz)), np.array(spacing)


def _by_column(numbers: Array, size: int) -> Array:
    return np.ascontiguousarray(numbers.reshape(-1, size).T)


def _right_angled(planes: PlaneColumns, spacing: Array) -> NDArray[np.bool_]:
    """(V,) whether the numbers of a plane surely make a plane."""
    row, column = planes.row, planes.column
    unit = [np.abs(np.sqrt(dot3(axis, axis)) - 1.0) <= _RIGHT for axis in (row, column)]
    near = [np.abs(part) <= _FARTHEST_MM for part in planes.origin]
    sized = ((spacing >= 1e-3) & (spacing <= 1e2)).all(axis=0)
    return np.asarray(
        np.logical_and.reduce([*unit, *near]) & sized & (np.abs(dot3(row, column)) <= _RIGHT)
    )


def _projected(
    marks: Array, planes: PlaneColumns, spacing: Array, number_of: tuple[int, ...]
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(M,) u and v of the marks, and (V,) whether each view's marks surely lie where they say."""
    *points, row, column = _by_column(marks, 5)
    views = np.repeat(np.arange(len(number_of)), number_of)
    of_mark = PlaneColumns(
        *(tuple(part[views] for part in axis) for axis in planes)  # type: ignore[arg-type]
    )
    u, v = in_plane(points, of_mark)
    off = dot3([p - o for p, o in zip(points, of_mark.origin, strict=True)], of_mark.normal)
    row_mm, column_mm = spacing[:, views]
    fine = np.abs(off) <= _NEAR
    fine &= np.abs(v / row_mm - row) <= _NEAR
    fine &= np.abs(u / column_mm - column) <= _NEAR
    for numbers in (*points, row, column):
        fine &= np.abs(numbers) <= _FARTHEST_MM
    good = np.ones(len(number_of), bool)
    good[views[~fine]] = False
    return u, v, good
