"""The angle of every view about its own head circle, with its boundaries and its doubts."""

import math
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Circle
from necroangle.geometry.triple import dot3, quadratic2
from necroangle.measurement import view_flags as limits
from necroangle.measurement.angle import surface_angle
from necroangle.measurement.direction import AnatomicalAxes, boundaries, orthogonal_axes
from necroangle.measurement.vector.arcs import each
from necroangle.measurement.vector.heads import Heads
from necroangle.measurement.vector.sheet import Sheet
from necroangle.terms import Finding, Flag, Laterality, View

__all__ = ["FLAGS", "ViewAngles", "bits_of", "flag_words", "stored", "view_angles", "view_doubts"]

Array = NDArray[np.float64]

FLAGS = tuple(Flag)
_BITS = {flag: 1 << place for place, flag in enumerate(FLAGS)}
_RADIAN, _DEG = math.pi / 180.0, 180.0 / math.pi
_TIE = 1e-3


@dataclass(slots=True, eq=False)
class ViewAngles:
    """What the arcs of V views say; see :class:`necroangle.measurement.ViewMeasurement`.

    Attributes
    ----------
    angle, span
        (V,) degrees, not rounded.
    pull_u, pull_v, ends
        (V,) derivatives of the angle by the centre, and the sum of 1/ρ² over the ends.
    edge_gap, start, end, middle
        (V,) mm and degrees; NaN where there is none.
    arc_count
        (V,) number of arcs.
    sure
        (V,) whether all of it is beyond doubt.
    """

    angle: Array
    span: Array
    pull_u: Array
    pull_v: Array
    ends: Array
    edge_gap: Array
    start: Array
    end: Array
    middle: Array
    arc_count: NDArray[np.intp]
    sure: NDArray[np.bool_]

    def rim_factor(self, sheet: Sheet, heads: Heads) -> Array:
        """(V,) share of the rim's variance in the angle's, radians² per mm²."""
        planes = sheet.planes
        gradient = [
            self.pull_u * along + self.pull_v * down
            for along, down in zip(planes.row, planes.column, strict=True)
        ]
        pull = dot3(planes.row, gradient), dot3(planes.column, gradient)
        return quadratic2((heads.covariance[0], heads.covariance[1], heads.covariance[3]), pull)


def view_angles(sheet: Sheet, heads: Heads) -> ViewAngles:
    """The angles of all views."""
    size = len(sheet.hip)
    arcs = heads.arcs
    found = ViewAngles(
        **{name: np.zeros(size) for name in ("angle", "span", "pull_u", "pull_v", "ends")},
        **{name: np.full(size, np.nan) for name in ("edge_gap", "start", "end", "middle")},
        arc_count=np.bincount(arcs.view, minlength=size),
        sure=heads.sure.copy(),
    )
    superior, positive, flat = _axes(sheet)
    with np.errstate(all="ignore"):
        _single_arcs(found, heads, superior, positive, flat)
    for view in np.flatnonzero((found.arc_count > 1) & found.sure).tolist():
        axes = None if flat[view] else _axes_of(superior, positive, view)
        _several_arcs(found, heads, view, axes)
    bounded = np.isfinite(found.start) | flat | (found.arc_count == 0)
    found.sure &= bounded & np.isfinite(found.angle) & np.isfinite(found.ends)
    return found


def _axes(sheet: Sheet) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(2, V) superior and positive side of the views' slices, and which are radiographs."""
    row, column = sheet.planes.row, sheet.planes.column
    flat = sheet.flat
    coronal = np.array([view is View.CORONAL for view in sheet.views.view], bool)
    left = np.array([one is Laterality.LEFT for one in sheet.hips.laterality], bool)
    across = np.where(left, 1.0, -1.0)[sheet.hip]
    nothing = np.zeros(len(flat))
    towards = (np.where(coronal, across, 0.0), np.where(coronal, 0.0, 1.0), nothing)
    up = (
        dot3((nothing, nothing, nothing + 1.0), row),
        dot3((nothing, nothing, nothing + 1.0), column),
    )
    with np.errstate(all="ignore"):
        superior, positive = orthogonal_axes(up, (dot3(towards, row), dot3(towards, column)))
    return np.array(superior), np.array(positive), flat


def _axes_of(superior: Array, positive: Array, view: int) -> AnatomicalAxes:
    (su, sv), (pu, pv) = superior[:, view].tolist(), positive[:, view].tolist()
    return AnatomicalAxes((su, sv), (pu, pv))


def _single_arcs(
    found: ViewAngles,
    heads: Heads,
    superior: Array,
    positive: Array,
    flat: NDArray[np.bool_],
) -> None:
    """Fill in the views that have one arc, as :func:`surface_angle` and :func:`boundaries` do."""
    arcs = heads.arcs
    one = np.flatnonzero(found.arc_count[arcs.view] == 1)
    view, low, high = arcs.view[one], arcs.low[one], arcs.high[one]
    start_gap, end_gap, radius = arcs.start_gap_mm[one], arcs.end_gap_mm[one], heads.radius[view]
    forth = arcs.extent_deg[one] >= 0
    near = radius + np.where(forth, start_gap, end_gap)
    far = radius + np.where(forth, end_gap, start_gap)
    first, last = low * _RADIAN, high * _RADIAN
    span = np.minimum(360.0, 360.0 - ((low + 360.0) - high))
    found.angle[view] = high - low
    found.span[view] = span
    found.pull_u[view] = -each(math.sin, first) / near + each(math.sin, last) / far
    found.pull_v[view] = each(math.cos, first) / near - each(math.cos, last) / far
    found.ends[view] = 1.0 / (near * near) + 1.0 / (far * far)
    found.edge_gap[view] = np.maximum(np.abs(start_gap), np.abs(end_gap))
    turn = (low + span / 2) * _RADIAN
    u, v = each(math.cos, turn), each(math.sin, turn)
    (su, sv), (pu, pv) = superior[:, view], positive[:, view]
    middle = each(math.atan2, u * pu + v * pv, u * su + v * sv) * _DEG
    middle[flat[view]] = np.nan
    found.start[view], found.middle[view], found.end[view] = (
        (middle - span / 2),
        middle,
        (middle + span / 2),
    )


def _several_arcs(found: ViewAngles, heads: Heads, view: int, axes: AnatomicalAxes | None) -> None:
    arcs = heads.arcs.arcs_of(view)
    centre = float(heads.u[view]), float(heads.v[view])
    angle = surface_angle(arcs, Circle(centre, float(heads.radius[view])))
    found.angle[view], found.span[view] = angle.angle_deg, angle.span_deg
    found.pull_u[view], found.pull_v[view] = angle.pull
    found.ends[view] = angle.end_factor
    found.edge_gap[view] = max(
        abs(gap) for arc in arcs for gap in (arc.start_gap_mm, arc.end_gap_mm)
    )
    bounds = boundaries(arcs, axes)
    if bounds is not None:
        found.start[view], found.end[view] = bounds.start_deg, bounds.end_deg
        found.middle[view] = bounds.middle_deg


def stored(values: Array) -> Array:
    """Angles rounded to the 1e-6 degree in which they are stored, as Python rounds one of them.

    Examples
    --------
    >>> stored(np.array([199.9999999, 0.0000005, np.nan])).tolist() == [200.0, round(5e-7, 6)]
    False
    >>> stored(np.array([199.9999999, 0.0000005])).tolist() == [200.0, round(5e-7, 6)]
    True
    """
    with np.errstate(all="ignore"):
        scaled = values * 1e6
        whole = np.rint(scaled)
        found = np.asarray(whole / 1e6)
        doubtful = np.abs(np.abs(scaled - whole) - 0.5) < _TIE
        doubtful |= ~(np.abs(values) < 1e6) & np.isfinite(values)
    for place in np.flatnonzero(doubtful).tolist():
        found[place] = round(float(values[place]), 6)
    return found


def view_doubts(
    sheet: Sheet, heads: Heads, angles: ViewAngles, rms: Array, tilt: Array, named: list[str]
) -> NDArray[np.int64]:
    """(V,) doubts about the views, a bit each, as :func:`necroangle.measurement.view_flags`.

    Parameters
    ----------
    rms
        (V,) root mean square distance of the rim marks, mm.
    tilt, named
        (V,) obliquity and name of each plane.
    """
    views = sheet.views
    rim, found, size = sheet.rim_count > 0, views.finding, len(sheet.hip)
    flat = sheet.flat
    own = np.array([view == name for view, name in zip(views.view, named, strict=True)], bool)
    misplaced = np.zeros(size, bool)
    misplaced[list(heads.misplaced)] = True
    number = angles.arc_count
    raised = {
        Flag.ARC_ABOVE_180: angles.angle > 180.0,
        Flag.MULTI_ARC: number > 1,
        Flag.NOT_SUBCHONDRAL: np.array([one is Finding.NOT_SUBCHONDRAL for one in found], bool),
        Flag.OFF_MIDSLICE: np.array([one is Finding.OFF_MIDSLICE for one in found], bool),
        Flag.POSTOP_TRACK: np.array(views.drilled, bool),
        Flag.UNCALIBRATED: ~np.array(views.calibrated, bool),
        Flag.EDGE_OFF_CIRCLE: angles.edge_gap > limits.EDGE_GAP_MM,
        Flag.FEW_RIM_POINTS: rim & (heads.count < limits.FEW_RIM_POINTS),
        Flag.SHORT_RIM: rim & (heads.span < limits.SHORT_RIM_DEG),
        Flag.VERY_SHORT_RIM: rim & (heads.span < limits.VERY_SHORT_RIM_DEG),
        Flag.ROUGH_RIM: rim & (rms > limits.ROUGH_RIM_MM),
        Flag.MISPLACED_RIM_POINT: misplaced,
        Flag.COLLAPSED_FIT: rim & sheet.collapsed & (number > 0),
        Flag.PLANE_NOT_OF_VIEW: ~flat & ~own,
        Flag.OBLIQUE_PLANE: ~flat & own & (tilt > limits.OBLIQUE_DEG),
    }
    return bits_of(raised, size)


def bits_of(raised: dict[Flag, NDArray[np.bool_]], size: int) -> NDArray[np.int64]:
    """(size,) the raised doubts, a bit each in the order of :class:`necroangle.terms.Flag`."""
    found = np.zeros(size, np.int64)
    for flag, where in raised.items():
        found |= np.where(where, _BITS[flag], 0)
    return found


def flag_words(bits: NDArray[np.int64]) -> list[str]:
    """The words of doubts, with a space between them."""
    kinds, kind_of = np.unique(bits, return_inverse=True)
    words = [
        " ".join(compress(FLAGS, [kind & _BITS[flag] for flag in FLAGS])) for kind in kinds.tolist()
    ]
    return [words[kind] for kind in kind_of.tolist()]
