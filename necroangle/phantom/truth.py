"""The exact necrotic angle of a spherical head on any plane, in closed form.

The lesion's surface is a spherical cap: the points p of the head's sphere with
``(p - c) . a >= R cos(alpha)``. A plane at signed distance s from the centre c cuts the sphere in
a circle of radius ``r = sqrt(R² - s²)``. With a = a_p + (n . a) n, the direction phi on that circle
is necrotic where ``r |a_p| cos(phi - phi_0) + s (n . a) >= R cos(alpha)``, so with
``k = (R cos(alpha) - s n . a) / (r |a_p|)`` the arc is 0 for k >= 1, 360° for k <= -1, and else
``2 acos(k)`` about phi_0.

The surface of a head of another form lies at its own distance in each direction, and a lesion is
still what lies within a cone: on a plane through the centre the angle is the same; beside it the
ends are found by search.

Nothing here is shared with the measurement that it is there to check.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane
from necroangle.phantom.model import Lesion, PhantomHip, Vector3
from necroangle.phantom.surface import directions_from, surface_mm

Interval = tuple[float, float]

_PARALLEL = 1e-12


@dataclass(frozen=True, slots=True)
class ArcTruth:
    """One necrotic arc on a slice's head circle.

    Attributes
    ----------
    start_mm, via_mm, end_mm
        Patient LPS mm: one end, the middle of the arc, the other end, in the direction from the
        row towards the column. For an arc of 360 degrees start and end are the same point.
    angle_deg
        Its angle at the circle's centre, above 0, up to 360 degrees.
    """

    start_mm: Vector3
    via_mm: Vector3
    end_mm: Vector3
    angle_deg: float


@dataclass(frozen=True, slots=True)
class SliceTruth:
    """What is true of one hip on one slice.

    Attributes
    ----------
    offset_mm
        Signed distance of the slice from the head's centre, along the slice's normal, mm.
    centre_mm
        Centre of the head circle, patient LPS mm; None where the slice misses the head.
    radius_mm
        Radius of the head circle, mm; 0 where the slice misses the head.
    arcs
        The necrotic arcs; those of overlapping lesions are one.
    angle_deg
        Their sum, 0 to 360 degrees; None where the slice misses the head.
    """

    offset_mm: float
    centre_mm: Vector3 | None
    radius_mm: float
    arcs: tuple[ArcTruth, ...]
    angle_deg: float | None


def cap_interval_deg(
    lesion: Lesion, radius_mm: float, offset_mm: float, axes: NDArray[np.float64]
) -> Interval | None:
    """The directions on a slice's head circle that one lesion covers.

    Parameters
    ----------
    lesion
        The cap.
    radius_mm
        Radius of the head, mm.
    offset_mm
        Signed distance of the slice from the head's centre along the normal, mm; smaller than the
        radius.
    axes
        (3, 3): row cosine, column cosine and normal of the slice, one a row.

    Returns
    -------
    Interval | None
        Lower bound in [0, 360) and upper bound, degrees from the row towards the column; None
        where the cap does not meet the slice.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = cap_interval_deg(Lesion((1.0, 0.0, 0.0), 30.0), 24.0, 0.0, np.eye(3))
    >>> round(low, 9), round(high, 9)
    (330.0, 390.0)
    """
    along_row, along_column, along_normal = (axes @ np.array(lesion.axis)).tolist()
    circle = math.sqrt(radius_mm**2 - offset_mm**2)
    reach = circle * math.hypot(along_row, along_column)
    needed = radius_mm * math.cos(math.radians(lesion.half_angle_deg)) - offset_mm * along_normal
    if needed >= reach:
        return None
    if needed <= -reach or reach <= _PARALLEL * radius_mm:
        return 0.0, 360.0
    half = math.degrees(math.acos(needed / reach))
    low = (math.degrees(math.atan2(along_column, along_row)) - half) % 360.0
    return low, low + 2 * half


def cut(hip: PhantomHip, plane: ImagePlane) -> SliceTruth:
    """What is true of a hip on a plane.

    Parameters
    ----------
    hip
        The hip, in the patient frame of the plane.
    plane
        The slice's plane.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> hip = PhantomHip(Laterality.LEFT, (86, 0, 0), 24, (Lesion((0.0, 0.0, 1.0), 50.0),))
    >>> coronal = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (0.8, 0.8))
    >>> round(cut(hip, coronal).angle_deg, 9)
    100.0
    """
    axes = np.array((plane.row_cosine, plane.column_cosine, plane.normal))
    centre = np.array(hip.centre_mm)
    offset = float((np.array(plane.origin_mm) - centre) @ axes[2])
    if abs(offset) >= hip.radius_mm:
        return SliceTruth(offset, None, 0.0, (), None)
    middle = centre + offset * axes[2]
    radius = math.sqrt(hip.radius_mm**2 - offset**2)
    if hip.form is not None:
        return _cut_of_form(hip, offset, axes)
    intervals = cap_union_deg(hip, offset, axes)
    arcs = tuple(_arc(middle, radius, axes, interval) for interval in intervals)
    angle = math.fsum(arc.angle_deg for arc in arcs)
    return SliceTruth(offset, _vector(middle), radius, arcs, angle)


_STEPS = 3600
_ROUNDS = 12


def contour_mm(
    hip: PhantomHip, offset_mm: float, axes: NDArray[np.float64], turns_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) distances of a slice's contour from the head's centre as it stands on the slice, mm.

    Parameters are those of :func:`cap_interval_deg`, and (N,) directions from the row towards the
    column.
    """
    turn = np.radians(turns_deg)
    along = np.outer(np.cos(turn), axes[0]) + np.outer(np.sin(turn), axes[1])
    found = np.full(len(turn), math.sqrt(hip.radius_mm**2 - offset_mm**2))
    for _ in range(_ROUNDS):  # the distance settles, for the surface is nearly round
        point = found[:, None] * along + offset_mm * axes[2]
        surface = surface_mm(directions_from(point, hip), hip)
        found = np.sqrt(np.maximum(surface**2 - offset_mm**2, 0.0))
    return found


def _cut_of_form(hip: PhantomHip, offset: float, axes: NDArray[np.float64]) -> SliceTruth:
    middle = np.array(hip.centre_mm) + offset * axes[2]

    def dead(turns_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Above 0 where a direction of the slice's contour is necrotic."""
        turn, reach = np.radians(turns_deg), contour_mm(hip, offset, axes, turns_deg)
        along = np.outer(np.cos(turn), axes[0]) + np.outer(np.sin(turn), axes[1])
        point = reach[:, None] * along + offset * axes[2]
        point /= np.linalg.norm(point, axis=1)[:, None]
        by = [
            point @ np.array(one.axis) - math.cos(math.radians(one.half_angle_deg))
            for one in hip.lesions
        ]
        return np.max(by, axis=0) if by else np.full(len(turn), -1.0)

    turns = np.arange(_STEPS) * 360.0 / _STEPS
    value = dead(turns)
    changes = np.flatnonzero((value > 0) != (np.roll(value, -1) > 0))
    low, high = turns[changes], turns[changes] + 360.0 / _STEPS
    begins = value[changes] <= 0
    for _ in range(40):
        half = (low + high) / 2
        beyond = (dead(half) > 0) == begins
        low, high = np.where(beyond, low, half), np.where(beyond, half, high)
    starts = sorted(((low + high) / 2)[begins].tolist())
    ends = sorted(((low + high) / 2)[~begins].tolist())
    intervals = [
        (start, start + min((end - start) % 360.0 for end in ends)) for start in starts
    ] or ([(0.0, 360.0)] if value[0] > 0 else [])
    arcs = tuple(_arc_of_form(hip, offset, axes, one) for one in intervals)
    angle = math.fsum(arc.angle_deg for arc in arcs)
    radius = math.sqrt(hip.radius_mm**2 - offset**2)
    return SliceTruth(offset, _vector(middle), radius, arcs, angle)


def _arc_of_form(
    hip: PhantomHip, offset: float, axes: NDArray[np.float64], interval: Interval
) -> ArcTruth:
    low, high = interval
    turns = np.array((low, (low + high) / 2, high))
    reach, turn = contour_mm(hip, offset, axes, turns), np.radians(turns)
    arms = np.outer(np.cos(turn), axes[0]) + np.outer(np.sin(turn), axes[1])
    middle = np.array(hip.centre_mm) + offset * axes[2]
    start, via, end = (_vector(point) for point in middle + reach[:, None] * arms)
    return ArcTruth(start, via, end, high - low)


def cap_union_deg(
    hip: PhantomHip, offset_mm: float, axes: NDArray[np.float64]
) -> tuple[Interval, ...]:
    """The directions that all lesions of a hip cover together, overlaps once.

    Parameters are those of :func:`cap_interval_deg`; the intervals are disjoint, degrees. Their
    sum is the angle; with an offset of 0 that of the plane through the head's very centre.
    """
    found = (cap_interval_deg(one, hip.radius_mm, offset_mm, axes) for one in hip.lesions)
    return tuple(_joined([interval for interval in found if interval is not None]))


def mid_index(slices: Sequence[SliceTruth]) -> int:
    """Index, from 0, of the slice nearest to the head's centre: the first of two equals."""
    return min(range(len(slices)), key=lambda index: abs(slices[index].offset_mm))


def _joined(intervals: list[Interval]) -> list[Interval]:
    """Their union on the circle, as disjoint intervals.

    The circle is cut open where nothing lies, if there is such a place: at the start of an
    interval that no other interval covers. If there is none, the whole circle is covered.
    """
    for cut_deg, _ in intervals:
        others = [pair for pair in intervals if (cut_deg - pair[0]) % 360.0 > 0]
        if any((cut_deg - low) % 360.0 <= high - low for low, high in others):
            continue
        return _joined_from(cut_deg, intervals)
    return [(0.0, 360.0)] if intervals else []


def _joined_from(cut_deg: float, intervals: list[Interval]) -> list[Interval]:
    """The union of intervals none of which runs across the direction ``cut_deg``."""
    turned = sorted(((low - cut_deg) % 360.0, high - low) for low, high in intervals)
    joined: list[Interval] = []
    for start, width in turned:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], start + width))
        else:
            joined.append((start, start + width))
    return [(low + cut_deg, min(high, 360.0) + cut_deg) for low, high in joined]


def _arc(
    middle: NDArray[np.float64], radius: float, axes: NDArray[np.float64], interval: Interval
) -> ArcTruth:
    low, high = interval
    turns = np.radians((low, (low + high) / 2, high))
    arms = np.outer(np.cos(turns), axes[0]) + np.outer(np.sin(turns), axes[1])
    start, via, end = (_vector(point) for point in middle + radius * arms)
    return ArcTruth(start, via, end, high - low)


def _vector(values: NDArray[np.float64]) -> Vector3:
    x, y, z = values.tolist()
    return x, y, z
