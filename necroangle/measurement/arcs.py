"""Necrotic arcs about a head's centre: the angle that they cover, what moves it, where it lies.

Directions are angles from superior, seen in the slice: positive towards lateral on a coronal slice,
towards posterior on a sagittal one. An arc then runs from its medial to its lateral boundary, or
from its anterior to its posterior one, over the top of the head; so that start and end mean the
same in every hip and visit.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import NecroticArc
from necroangle.errors import ArcError
from necroangle.geometry import Arc, Circle, ImagePlane, span_deg, union_deg
from necroangle.geometry.arc import ArcColumns, arcs_about, each
from necroangle.geometry.vectors import dot3
from necroangle.measurement.marks import PlaneColumns, plane_columns, plane_points
from necroangle.terms import Laterality, View

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Pair = tuple[Array, Array]

_RADIAN, _DEG = math.pi / 180.0, 180.0 / math.pi
_RADIOGRAPHS = frozenset(view for view in View if view.is_radiograph)
_BESIDE_DEG = 1e-9
"""Ends that are no farther apart are one."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceAngles:
    """Angles at the heads' centres on K slices, and their first derivatives.

    With the centre's covariance C (mm²) and the end points' variance σ² along the surface,
    ``var = pullᵀ C pull + σ² ends``, in radians².

    Attributes
    ----------
    angle_deg, span_deg
        (K,) covered angle, and the angle from the outermost boundary to the other.
    pull
        (2, K) derivative of the angle by the centre's (u, v), radians per mm.
    ends
        (K,) sum of 1/ρ² over the ends that bound it, ρ their distances from the centre, mm⁻².
    outward
        (K,) sum of 1/ρ over them, mm⁻¹: how far the angle grows where every end moves outward.
    """

    angle_deg: Array
    span_deg: Array
    pull: Array
    ends: Array
    outward: Array

    @classmethod
    def none(cls, size: int) -> "SliceAngles":
        """Angles of nothing."""
        angle, span, ends, outward = np.zeros((4, size))
        return cls(angle, span, np.zeros((2, size)), ends, outward)

    def put(self, places: Places, angles: "SliceAngles") -> None:
        """Put some angles in their places among these."""
        self.angle_deg[places], self.span_deg[places] = angles.angle_deg, angles.span_deg
        self.pull[:, places], self.ends[places] = angles.pull, angles.ends
        self.outward[places] = angles.outward

    def of(self, places: Places) -> "SliceAngles":
        """Some of the angles."""
        columns = (self.angle_deg[places], self.span_deg[places], self.pull[:, places])
        return SliceAngles(*columns, self.ends[places], self.outward[places])


def surface_angles(arcs: ArcColumns, radius_mm: Array) -> SliceAngles:
    """Union of the necrotic arcs on the head's surface, about each of K circles.

    Parameters
    ----------
    arcs
        Arcs about the circles.
    radius_mm
        (K,) radii, mm.

    Examples
    --------
    >>> half = ArcColumns.of([(Arc(180.0, 180.0, 0.0, 0.0),)])
    >>> found = surface_angles(half, np.array([24.0]))
    >>> float(found.angle_deg[0]), round(24 * float(found.pull[1, 0]), 6)  # 2 sin(a/2) / R
    (180.0, -2.0)
    """
    found = SliceAngles.none(len(radius_mm))
    number = np.bincount(arcs.circle, minlength=len(radius_mm))
    one = np.flatnonzero(number[arcs.circle] == 1)
    single = arcs.some(one, arcs.circle[one])
    found.put(single.circle, _single_arcs(single, radius_mm[single.circle]))
    for place in np.flatnonzero(number > 1).tolist():
        _several_arcs(found, place, arcs.arcs_of(place), float(radius_mm[place]))
    return found


def extent_angles(
    points: Array, start: Places, count: Places, centre_mm: Array, radius_mm: Array
) -> tuple[SliceAngles, ArcColumns]:
    """Angles between the two tangents from the head's centre to the lesion's outline, K times.

    360 degrees where the centre lies within the outline.

    Parameters
    ----------
    points
        (2, M) plane mm. An outline is a run of them in its order; the last is joined to the first.
    start, count
        (K,) where each outline begins, and its length, 1 or more.
    centre_mm, radius_mm
        (2, K) and (K,) the head circles.

    Examples
    --------
    >>> square = np.array([[10.0, 20.0, 20.0, 10.0], [-5.0, -5.0, 5.0, 5.0]])
    >>> zero = np.zeros((2, 1))
    >>> found, _ = extent_angles(square, np.array([0]), np.array([4]), zero, np.array([24.0]))
    >>> round(float(found.angle_deg[0]), 3)
    53.13
    """
    longest, outlines = int(count.max(initial=1)), np.arange(len(count))
    there = np.arange(longest)[:, None] < count
    places = np.where(there, start + np.arange(longest)[:, None], start)
    u, v = points[:, places] - centre_mm[:, None]
    directions = np.degrees(np.arctan2(v, u))
    following = np.concatenate((directions[1:], directions[:1]))
    following[count - 1, outlines] = directions[0]
    turns = (following - directions + 180.0) % 360.0 - 180.0
    walked = np.concatenate((np.zeros((1, len(count))), np.cumsum(turns, axis=0)))
    path = directions[0] + walked
    round_ = np.abs(path[count, outlines] - path[0]) > 180.0
    first = np.argmin(np.where(there, path[:-1], np.inf), axis=0)
    last = np.argmax(np.where(there, path[:-1], -np.inf), axis=0)
    gaps = np.hypot(u, v) - radius_mm
    extent = path[last, outlines] - path[first, outlines]
    zero = np.zeros(len(count))
    arcs = ArcColumns(
        circle=outlines,
        start_deg=np.where(round_, 0.0, path[first, outlines] % 360.0),
        extent_deg=np.where(round_, 360.0, extent),
        start_gap_mm=np.where(round_, 0.0, gaps[first, outlines]),
        end_gap_mm=np.where(round_, 0.0, gaps[last, outlines]),
        fault=zero.astype(np.int8),
    )
    found = _single_arcs(arcs, radius_mm)
    kept = (np.where(round_, 0.0, part) for part in (found.pull, found.ends, found.outward))
    return SliceAngles(arcs.extent_deg, arcs.extent_deg.copy(), *kept), arcs


def _single_arcs(arcs: ArcColumns, radius_mm: Array) -> SliceAngles:
    """The angles of arcs, each alone about a circle of its own; (A,) radii."""
    low = arcs.low
    high = low + np.abs(arcs.extent_deg)
    forth = arcs.extent_deg >= 0
    near = radius_mm + np.where(forth, arcs.start_gap_mm, arcs.end_gap_mm)
    far = radius_mm + np.where(forth, arcs.end_gap_mm, arcs.start_gap_mm)
    first, last = low * _RADIAN, high * _RADIAN
    pull_u = -each(math.sin, first) / near + each(math.sin, last) / far
    pull_v = each(math.cos, first) / near - each(math.cos, last) / far
    ends = 1.0 / (near * near) + 1.0 / (far * far)
    pull, outward = np.array((pull_u, pull_v)), 1.0 / near + 1.0 / far
    return SliceAngles(high - low, _single_span(low, high), pull, ends, outward)


def _single_span(low: Array, high: Array) -> Array:
    return np.minimum(360.0, 360.0 - ((low + 360.0) - high))


def _several_arcs(found: SliceAngles, place: int, arcs: tuple[Arc, ...], radius_mm: float) -> None:
    """The angle of several arcs about one circle, with the ends of their union."""
    total = union_deg(arcs)
    pull_u = pull_v = factor = outward = 0.0
    for direction, distance, sign in _free_ends(arcs, radius_mm) if total < 360.0 else ():
        turn = math.radians(direction)
        pull_u += sign * math.sin(turn) / distance
        pull_v -= sign * math.cos(turn) / distance
        factor += 1.0 / (distance * distance)
        outward += 1.0 / distance
    found.angle_deg[place], found.span_deg[place] = total, span_deg(arcs)
    found.pull[:, place], found.ends[place] = (pull_u, pull_v), factor
    found.outward[place] = outward


_End = tuple[float, float, float]
"""Direction in degrees, distance from the centre in mm, and -1 for a lower end, 1 for an upper."""


def _free_ends(arcs: tuple[Arc, ...], radius_mm: float) -> list[_End]:
    """The ends of the union: none that an arc goes on from, and one where two arcs share it."""
    free: list[_End] = []
    for arc in arcs:
        low, high = arc.interval_deg()
        near, far = radius_mm + arc.start_gap_mm, radius_mm + arc.end_gap_mm
        if arc.extent_deg < 0:
            near, far = far, near
        for end in ((low, near, -1.0), (high, far, 1.0)):
            if not any(_goes_on(end, one) for one in arcs) and not any(
                _is_same_end(end, one) for one in free
            ):
                free.append(end)
    return free


def _goes_on(end: _End, arc: Arc) -> bool:
    """Whether an arc covers what lies just beyond an end."""
    low, high = arc.interval_deg()
    return bool((end[0] + end[2] * _BESIDE_DEG - low) % 360.0 < high - low)


def _is_same_end(end: _End, other: _End) -> bool:
    apart = (end[0] - other[0] + 180.0) % 360.0 - 180.0
    return end[2] == other[2] and abs(apart) < _BESIDE_DEG


def covered_deg(arcs: ArcColumns, size: int) -> Array:
    """(K,) degrees that the arcs about each circle cover, overlaps counted once."""
    found = np.zeros(size)
    number = np.bincount(arcs.circle, minlength=size)
    low = arcs.low
    found[arcs.circle] = (low + np.abs(arcs.extent_deg)) - low
    for place in np.flatnonzero(number > 1).tolist():
        found[place] = union_deg(arcs.arcs_of(place))
    return found


def edge_gaps(arcs: ArcColumns, size: int) -> Array:
    """(K,) largest distance of an arc's end from its circle, mm; NaN without an arc."""
    found = np.full(size, -1.0)
    np.maximum.at(found, arcs.circle, np.abs(arcs.start_gap_mm))
    np.maximum.at(found, arcs.circle, np.abs(arcs.end_gap_mm))
    return np.where(found < 0, np.nan, found)


@dataclass(frozen=True, slots=True)
class AnatomicalAxes:
    """Superior and the positive side of a slice, as orthogonal unit vectors in plane (u, v)."""

    superior: tuple[float, float]
    positive: tuple[float, float]

    def angle_deg(self, u: float, v: float) -> float:
        """Angle of a plane direction from superior, in (-180, 180]."""
        up = u * self.superior[0] + v * self.superior[1]
        out = u * self.positive[0] + v * self.positive[1]
        return math.degrees(math.atan2(out, up))

    def from_plane_deg(self, direction_deg: float) -> float:
        """Angle from superior of a direction counted from +u towards +v."""
        turn = math.radians(direction_deg)
        return self.angle_deg(math.cos(turn), math.sin(turn))


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where the necrotic surface begins, ends and has its middle, as angles from superior.

    Attributes
    ----------
    start_deg
        Medial (coronal) or anterior (sagittal) boundary; may lie below -180.
    end_deg
        Lateral or posterior boundary; may lie above 180.
    middle_deg
        Half way between, in (-180, 180].
    """

    start_deg: float
    end_deg: float
    middle_deg: float


def anatomical_axes(
    view: View, laterality: Laterality | None, plane: ImagePlane
) -> AnatomicalAxes | None:
    """Anatomical axes of a slice.

    None on a radiograph, whose frame is the detector's, and where lateral needs a side that is not
    known.

    Examples
    --------
    >>> coronal = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> axes = anatomical_axes(View.CORONAL, Laterality.RIGHT, coronal)
    >>> axes.angle_deg(-1.0, 0.0)  # to the patient's right: lateral of a right hip
    90.0
    """
    if view.is_radiograph or (view is View.CORONAL and laterality is None):
        return None
    across = np.array(1.0 if laterality is Laterality.LEFT else -1.0)
    superior, positive = _axes(plane_columns(plane), np.array(view is View.CORONAL), across)
    return AnatomicalAxes(*((float(u), float(v)) for u, v in (superior, positive)))


def _axes(planes: PlaneColumns, coronal: NDArray[np.bool_], across: Array) -> tuple[Pair, Pair]:
    """Superior and the positive side of slices: lateral on coronal ones, else posterior.

    Parameters
    ----------
    across
        1 where lateral is to the patient's left, -1 where it is to the right.
    """
    nothing = np.zeros(coronal.shape)
    towards = (np.where(coronal, across, 0.0), np.where(coronal, 0.0, 1.0), nothing)
    up = (nothing, nothing, nothing + 1.0)
    axes = planes.row, planes.column
    u, v = (dot3(up, axis) for axis in axes)
    out_u, out_v = (dot3(towards, axis) for axis in axes)
    length = np.sqrt(u * u + v * v)
    superior = u / length, v / length
    along = out_u * superior[0] + out_v * superior[1]
    across_u, across_v = out_u - along * superior[0], out_v - along * superior[1]
    length = np.sqrt(across_u * across_u + across_v * across_v)
    return superior, (across_u / length, across_v / length)


def boundaries(arcs: Iterable[Arc], axes: AnatomicalAxes | None) -> Boundaries | None:
    """Outermost boundaries of the arcs of a slice, or None without an arc or without axes.

    Examples
    --------
    >>> axes = AnatomicalAxes(superior=(0.0, -1.0), positive=(1.0, 0.0))
    >>> found = boundaries([Arc(230.0, 90.0, 0.0, 0.0)], axes)
    >>> [round(angle, 6) for angle in (found.start_deg, found.end_deg, found.middle_deg)]
    [-40.0, 50.0, 5.0]
    """
    several = tuple(arcs)
    if not several or axes is None:
        return None
    low, span = _outermost(several)
    middle = axes.from_plane_deg(low + span / 2)
    return Boundaries(middle - span / 2, middle + span / 2, middle)


def boundary_columns(
    arcs: ArcColumns, planes: PlaneColumns, views: Iterable[View], left: NDArray[np.bool_]
) -> Array:
    """(3, V) start, end and middle of the arcs of each view, as :func:`boundaries` finds them.

    NaN without an arc and on radiographs.

    Parameters
    ----------
    arcs
        About the views' circles.
    planes, views
        (V,) the views' planes, and which views they are.
    left
        (V,) whether the hip is a left one.
    """
    words = list(views)
    size = len(words)
    low, span = np.zeros(size), np.full(size, np.nan)
    low[arcs.circle] = arcs.low
    span[arcs.circle] = _single_span(arcs.low, arcs.low + np.abs(arcs.extent_deg))
    for place in np.flatnonzero(np.bincount(arcs.circle, minlength=size) > 1).tolist():
        low[place], span[place] = _outermost(arcs.arcs_of(place))
    middle = directions_from_superior(low + span / 2, planes, words, left)
    return np.array((middle - span / 2, middle + span / 2, middle))


def directions_from_superior(
    direction_deg: Array, planes: PlaneColumns, views: Iterable[View], left: NDArray[np.bool_]
) -> Array:
    """(V,) directions in the planes as angles from superior, in (-180, 180]; NaN on radiographs.

    Parameters
    ----------
    direction_deg
        (V,) from +u towards +v; NaN where there is none.
    planes, views, left
        As for :func:`boundary_columns`.
    """
    words = list(views)
    coronal = np.array([one is View.CORONAL for one in words], bool)
    nowhere = np.isnan(direction_deg) | np.array([one in _RADIOGRAPHS for one in words], bool)
    with np.errstate(all="ignore"):
        (su, sv), (pu, pv) = _axes(planes, coronal, np.where(left, 1.0, -1.0))
        turn = np.where(nowhere, 0.0, direction_deg) * _RADIAN
        u, v = each(math.cos, turn), each(math.sin, turn)
        found = each(math.atan2, u * pu + v * pv, u * su + v * sv) * _DEG
    return np.where(nowhere, np.nan, found)


def from_superior_deg(
    turn_deg: Array,
    planes: PlaneColumns,
    *,
    coronal: NDArray[np.bool_],
    flat: NDArray[np.bool_],
    left: NDArray[np.bool_],
) -> Array:
    """(K,) angles from superior of directions on slices, in (-180, 180].

    Parameters
    ----------
    turn_deg
        (K,) directions from +u towards +v.
    planes
        (K,) the planes that they lie on.
    coronal, flat, left
        (K,) whether a view is coronal, is a radiograph (superior is then the image's top), and
        whether the hip is a left one.

    Examples
    --------
    >>> coronal = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> planes, yes, no = plane_columns(coronal), np.array([True]), np.array([False])
    >>> from_superior_deg(np.array([0.0]), planes, coronal=yes, flat=no, left=yes).round().tolist()
    [90.0]
    """
    turn = turn_deg * _RADIAN
    u, v = each(math.cos, turn), each(math.sin, turn)
    with np.errstate(all="ignore"):
        (su, sv), (pu, pv) = _axes(planes, coronal, np.where(left, 1.0, -1.0))
    su, sv = np.where(flat, 0.0, su), np.where(flat, -1.0, sv)
    pu, pv = np.where(flat, 1.0, pu), np.where(flat, 0.0, pv)
    return each(math.atan2, u * pu + v * pv, u * su + v * sv) * _DEG


def _outermost(arcs: tuple[Arc, ...]) -> tuple[float, float]:
    """Lower bound, from +u towards +v, and extent of the span of all arcs."""
    span = span_deg(arcs)
    lows = [arc.interval_deg()[0] for arc in arcs]
    for low in lows:
        reach = max(
            (arc_low - low) % 360.0 + arc.angle_deg for arc_low, arc in zip(lows, arcs, strict=True)
        )
        if reach <= span + 1e-9:
            return low, span
    return lows[0], span


def view_arcs(arcs: Iterable[NecroticArc], plane: ImagePlane, circle: Circle) -> tuple[Arc, ...]:
    """Arcs about a circle's centre, in plane mm.

    Raises
    ------
    ArcError
        As :func:`necroangle.geometry.arc_through`.

    Examples
    --------
    >>> from necroangle.annotation import Mark
    >>> plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> start, end, via = (Mark.at_plane(plane, *uv) for uv in ((24, 0), (0, 24), (-24, 0)))
    >>> circle = Circle((0.0, 0.0), 24.0)
    >>> round(view_arcs([NecroticArc(start, end, via)], plane, circle)[0].angle_deg, 9)
    270.0
    >>> view_arcs([NecroticArc(start, start, via)], plane, circle)
    Traceback (most recent call last):
    ...
    necroangle.errors.ArcError: start and end lie in the same direction from the centre; ...
    """
    several = [plane_points((arc.start, arc.end, arc.via), plane) for arc in arcs]
    if not several:
        return ()
    points = np.array(several).transpose(2, 1, 0)
    centre = np.array(circle.centre_mm)[:, None]
    about = np.zeros(len(several), np.intp)
    found = arcs_about(points, about, centre, np.array([circle.radius_mm]))
    for place in np.flatnonzero(found.fault).tolist():
        raise ArcError(found.problem(place))
    return found.arcs_of(0)
