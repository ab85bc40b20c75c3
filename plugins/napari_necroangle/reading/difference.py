"""How two readers' marks of a view differ, and both drawn in one plane."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from necroangle.annotation import HipReading, ReadView
from necroangle.geometry import Arc, Circle, ImagePlane, PlanePoints
from necroangle.measurement import HipMeasurement, ViewMeasurement
from necroangle.terms import View

__all__ = ["CommonPlane", "Outline", "ViewDifference", "difference", "less"]

SAME_PLACE_MM = 0.01
"""Two slices whose corners lie no farther apart are one and the same place."""

_STEP_DEG = 3.0

Line = tuple[tuple[float, float], ...]


class CommonPlane(StrEnum):
    """How two readers' marks of a view come to lie in one picture."""

    SAME_SLICE = "same_slice"
    """Both marked the same slice: nothing was moved."""
    PROJECTED = "projected"
    """They marked different slices: the second reader's marks are projected on the first's."""
    NONE = "none"
    """They cannot be shown in one picture: a view not read, or no common frame."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What one reader drew, as lines in the common plane: (u, v) mm along the row and the column.

    Attributes
    ----------
    centre
        The head's centre.
    circle, arcs
        The head circle, closed, and the necrotic arcs on it.
    """

    centre: tuple[float, float]
    circle: Line
    arcs: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ViewDifference:
    """One view of the two readings; differences are the second less the first.

    Attributes
    ----------
    view
        Which view.
    common
        How the two come to lie in one picture.
    plane
        The common plane: the first reader's slice; None where there is none.
    first, second
        What each drew, None where she drew no circle or there is no common plane.
    slice_apart_mm
        Distance of the slices along the first one's normal; None without a common frame.
    centre_apart_mm
        Distance of the head centres in the common plane.
    radius_mm, angle_deg
        Difference of the radii and of the angles.
    start_deg, end_deg
        Difference of the medial (anterior) and the lateral (posterior) boundary, -180 to 180;
        None without an arc in both, and on radiographs.
    is_finding_the_same
        Whether both found the same on it.
    """

    view: View
    common: CommonPlane
    plane: ImagePlane | None
    first: Outline | None
    second: Outline | None
    slice_apart_mm: float | None
    centre_apart_mm: float | None
    radius_mm: float | None
    angle_deg: float | None
    start_deg: float | None
    end_deg: float | None
    is_finding_the_same: bool


def difference(
    first: HipReading,
    second: HipReading,
    measured: tuple[HipMeasurement, HipMeasurement],
    index: int,
) -> ViewDifference:
    """How two readings of one hip differ in a view.

    Parameters
    ----------
    first, second
        The readings.
    measured
        Their measurements.
    index
        0 for the A view, 1 for the B view.
    """
    one, other = first.views[index], second.views[index]
    found_one, found_other = ((hip.a, hip.b)[index] for hip in measured)
    if not isinstance(one, ReadView) or not isinstance(other, ReadView):
        return _incomparable(one.view, found_one, found_other, one == other)
    common = _common(one, other)
    is_shown = common is not CommonPlane.NONE
    plane, other_plane = one.plane.plane(), other.plane.plane()
    outlines = (
        _outline(found_one, plane, plane) if is_shown else None,
        _outline(found_other, other_plane, plane) if is_shown else None,
    )
    return ViewDifference(
        view=one.view,
        common=common,
        plane=plane if is_shown else None,
        first=outlines[0],
        second=outlines[1],
        slice_apart_mm=_apart(plane, other_plane) if is_shown else None,
        centre_apart_mm=_centres_apart(*outlines),
        radius_mm=less(_radius(found_other), _radius(found_one)),
        angle_deg=less(_angle(found_other), _angle(found_one)),
        start_deg=_turn(_start(found_other), _start(found_one)),
        end_deg=_turn(_end(found_other), _end(found_one)),
        is_finding_the_same=one.finding is other.finding,
    )


def _incomparable(
    view: View, first: ViewMeasurement | None, second: ViewMeasurement | None, is_same: bool
) -> ViewDifference:
    """A view that one of them did not read."""
    return ViewDifference(
        view=view,
        common=CommonPlane.NONE,
        plane=None,
        first=None,
        second=None,
        slice_apart_mm=None,
        centre_apart_mm=None,
        radius_mm=None,
        angle_deg=less(_angle(second), _angle(first)),
        start_deg=None,
        end_deg=None,
        is_finding_the_same=is_same,
    )


def _common(one: ReadView, other: ReadView) -> CommonPlane:
    if one.image == other.image:
        return CommonPlane.SAME_SLICE
    frames = (one.image.frame_of_reference_uid, other.image.frame_of_reference_uid)
    if one.view.is_radiograph or frames[0] is None or frames[0] != frames[1]:
        return CommonPlane.NONE
    corners = [_corners(view) for view in (one, other)]
    far = float(np.abs(corners[0] - corners[1]).max())
    return CommonPlane.SAME_SLICE if far <= SAME_PLACE_MM else CommonPlane.PROJECTED


def _corners(view: ReadView) -> np.ndarray:
    plane = view.plane.plane()
    across = (view.plane.columns - 1) * plane.column_spacing_mm
    down = (view.plane.rows - 1) * plane.row_spacing_mm
    ends = np.array([[0, 0], [across, 0], [0, down], [across, down]], float)
    return plane.plane_to_patient(PlanePoints(ends))


def _outline(
    measured: ViewMeasurement | None, plane: ImagePlane, common: ImagePlane
) -> Outline | None:
    """What was drawn on one plane, projected on another along that one's normal."""
    if measured is None or measured.circle is None:
        return None
    circle = measured.circle
    whole = Arc(0.0, 360.0, 0.0, 0.0)

    def carried(points: np.ndarray) -> Line:
        if plane == common:
            return tuple((float(u), float(v)) for u, v in points)
        there = common.patient_to_plane(plane.plane_to_patient(PlanePoints(points)))
        return tuple((float(u), float(v)) for u, v in there)

    return Outline(
        centre=carried(np.array([circle.centre_mm]))[0],
        circle=carried(_points(circle, whole)),
        arcs=tuple(carried(_points(circle, arc)) for arc in measured.arcs),
    )


def _points(circle: Circle, arc: Arc) -> np.ndarray:
    """(N, 2) plane mm along an arc of a circle, its ends included."""
    count = max(2, math.ceil(arc.angle_deg / _STEP_DEG) + 1)
    turns = np.radians(np.linspace(arc.start_deg, arc.start_deg + arc.extent_deg, count))
    turned = np.column_stack([np.cos(turns), np.sin(turns)])
    return np.asarray(np.array(circle.centre_mm) + circle.radius_mm * turned, float)


def _apart(plane: ImagePlane, other: ImagePlane) -> float:
    offset = np.array(other.origin_mm) - np.array(plane.origin_mm)
    return float(offset @ plane.normal)


def _centres_apart(first: Outline | None, second: Outline | None) -> float | None:
    return math.dist(first.centre, second.centre) if first and second else None


def less(value: float | None, other: float | None) -> float | None:
    """The difference of two numbers, where there are two."""
    return None if value is None or other is None else value - other


def _turn(value: float | None, other: float | None) -> float | None:
    """Difference of two directions, -180 to 180 degrees."""
    return None if value is None or other is None else (value - other + 180.0) % 360.0 - 180.0


def _angle(measured: ViewMeasurement | None) -> float | None:
    return measured.angle_deg if measured else None


def _radius(measured: ViewMeasurement | None) -> float | None:
    return measured.radius_mm if measured else None


def _start(measured: ViewMeasurement | None) -> float | None:
    return measured.start_deg if measured else None


def _end(measured: ViewMeasurement | None) -> float | None:
    return measured.end_deg if measured else None
