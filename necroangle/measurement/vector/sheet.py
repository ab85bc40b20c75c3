"""The marks of many readings in a few long arrays, with the checks that their files need."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, Mark, ReadView
from necroangle.geometry.triple import dot3
from necroangle.measurement.projection import PlaneColumns, in_plane
from necroangle.terms import Finding, Observation, View

__all__ = ["Sheet", "sheet_of"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_LATERALS = (View.FROG_LEG, View.CROSS_TABLE)
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
    readings
        The readings.
    views
        The views that were read.
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

    readings: Sequence[HipReading]
    views: list[ReadView]
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


def sheet_of(readings: Sequence[HipReading]) -> Sheet:
    """Lay out the marks of readings that have been decoded, and check them."""
    views: list[ReadView] = []
    marks: list[Mark] = []
    places: list[tuple[int, int, int, int, bool]] = []
    arcs: list[tuple[int, int]] = []
    holds: list[tuple[bool, bool, bool]] = []
    for number, reading in enumerate(readings):
        holds.append(_holds_together(reading))
        sunken = reading.arco is not None and reading.arco.is_collapsed
        for side, view in enumerate(reading.views):
            if type(view) is ReadView:
                flat = sunken or Observation.FLATTENED in view.observations
                places.append((number, side, len(marks), len(view.rim), flat))
                marks += view.rim
                for arc in view.arcs:
                    arcs.append((len(views), len(marks)))
                    marks += (arc.start, arc.end, arc.via)
                marks += [landmark.mark for landmark in view.landmarks]
                marks += view.contour
                views.append(view)
    hip, side_, start, count, flat_ = np.array(places, np.intp).reshape(-1, 5).T
    arc_view, arc_start = np.array(arcs, np.intp).reshape(-1, 2).T
    planes, spacing = _planes(views)
    number_of = np.diff(np.append(start, len(marks)))
    sound, flat_hip, differ = np.array(holds, bool).reshape(-1, 3).T
    sure = sound.copy()
    u, v, fine = _projected(marks, planes, spacing, number_of)
    sure[hip[~(fine & _right_angled(planes, spacing))]] = False
    return Sheet(
        *(readings, views, hip, side_, planes, start, count, arc_view, arc_start, u, v),
        collapsed=flat_ > 0,
        flat=flat_hip[hip],
        flat_hip=flat_hip,
        frames_differ=differ,
        sure=sure,
    )


def _holds_together(reading: HipReading) -> tuple[bool, bool, bool]:
    """Whether the parts of a reading agree, but for its numbers; and two facts about it.

    Is it of radiographs; do its views stand in different frames of reference.
    """
    first, second = reading.views
    flat = first.view is View.AP
    good = (
        second.view in _LATERALS
        if flat
        else first.view is View.CORONAL and (second.view is View.SAGITTAL)
    )
    frame, differ = "detector" if flat else "patient", False
    if isinstance(first, ReadView):
        good = good and _view_holds(first, frame)
    if isinstance(second, ReadView):
        good = good and _view_holds(second, frame)
        if isinstance(first, ReadView):
            one, other = first.image, second.image
            good = good and one != other
            differ = not flat and one.frame_of_reference_uid != other.frame_of_reference_uid
    return good, flat, differ


def _view_holds(view: ReadView, frame: str) -> bool:
    return (
        not view.neighbours
        and view.plane.frame == frame
        and (view.finding is Finding.NECROSIS) == bool(view.arcs)
        and (len(view.rim) >= 3 or not (view.rim or view.arcs))
        and (len(view.observations) < 2 or _each_once(view.observations))
        and (len(view.landmarks) < 2 or _each_once([one.name for one in view.landmarks]))
    )


def _each_once(words: Sequence[str]) -> bool:
    return len(set(words)) == len(words)


def _planes(views: list[ReadView]) -> tuple[PlaneColumns, Array]:
    """Planes and (2, V) row and column spacings."""
    records = [view.plane for view in views]
    numbers = np.fromiter(
        chain.from_iterable(
            chain.from_iterable(
                (one.origin_mm, one.row_cosine, one.column_cosine) for one in records
            )
        ),
        float,
        9 * len(records),
    ).reshape(-1, 9)
    x, y, z, rx, ry, rz, cx, cy, cz = np.ascontiguousarray(numbers.T)
    spacing = [(one.row_spacing_mm, one.column_spacing_mm) for one in records]
    return (
        PlaneColumns((x, y, z), (rx, ry, rz), (cx, cy, cz)),
        np.array(spacing, float).reshape(-1, 2).T,
    )


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
    marks: list[Mark], planes: PlaneColumns, spacing: Array, number_of: Places
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(M,) u and v of the marks, and (V,) whether each view's marks surely lie where they say."""
    points = _flat(marks, "patient_mm", 3)
    row, column = _flat(marks, "pixel", 2)
    of_mark = PlaneColumns(
        *(tuple(np.repeat(part, number_of) for part in axis) for axis in planes)  # type: ignore[arg-type]
    )
    u, v = in_plane(points, of_mark)
    off = dot3([p - o for p, o in zip(points, of_mark.origin, strict=True)], of_mark.normal)
    row_mm, column_mm = np.repeat(spacing, number_of, axis=1)
    fine = np.abs(off) <= _NEAR
    fine &= np.abs(v / row_mm - row) <= _NEAR
    fine &= np.abs(u / column_mm - column) <= _NEAR
    for numbers in (*points, row, column):
        fine &= np.abs(numbers) <= _FARTHEST_MM
    views = np.repeat(np.arange(len(number_of)), number_of)
    good = np.ones(len(number_of), bool)
    good[views[~fine]] = False
    return u, v, good


def _flat(marks: list[Mark], name: str, size: int) -> Array:
    """(size, M) one attribute of the marks."""
    numbers = chain.from_iterable(map(attrgetter(name), marks))
    found = np.fromiter(numbers, float, size * len(marks)).reshape(-1, size)
    return np.ascontiguousarray(found.T)
