"""Many readings measured by the surface arc on the marked slices: the columns of their results."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading
from necroangle.errors import NecroangleError
from necroangle.geometry import Circle
from necroangle.geometry.triple import cross3
from necroangle.measurement.hip_flags import (
    CENTRES_DIFFER_MM,
    DISAGREE_LEVEL,
    OFF_CENTRE_MM,
    RADII_DIFFER_MM,
)
from necroangle.measurement.indices import HipIndices, ViewGeometry, hip_indices
from necroangle.measurement.method import Method
from necroangle.measurement.settings import Settings
from necroangle.measurement.vector.arcs import each
from necroangle.measurement.vector.facts import HipFacts
from necroangle.measurement.vector.heads import Heads, fit_heads
from necroangle.measurement.vector.hips import (
    Estimates,
    Judges,
    Noise,
    estimates,
    judge_heads,
    pooled_noise_of,
)
from necroangle.measurement.vector.memory import keep_memory
from necroangle.measurement.vector.sheet import Sheet, sheet_of
from necroangle.measurement.vector.views import (
    ViewAngles,
    bits_of,
    stored,
    view_angles,
    view_doubts,
)
from necroangle.terms import Flag, UnreadReason

__all__ = ["Measured", "ViewColumns", "is_vectorised", "measured"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_PLANES = ("sagittal", "coronal", "axial")
_DEG = 180.0 / math.pi


@dataclass(frozen=True, slots=True, eq=False)
class ViewColumns:
    """The results of V views: see :class:`necroangle.measurement.ViewMeasurement`.

    NaN stands where there is nothing; ``hip`` says which reading a view belongs to, ``side``
    whether it is its first or second.
    """

    hip: Places
    side: Places
    angle: Estimates
    span: Array
    start: Array
    end: Array
    middle: Array
    arc_count: Places
    radius: Array
    rms: Array
    rim_span: Array
    rim_count: Places
    left_out: Places
    misplaced: dict[int, tuple[int, ...]]
    edge_gap: Array
    plane: list[str | None]
    obliquity: Array
    doubts: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The results of R readings: see :class:`necroangle.measurement.HipMeasurement`.

    Attributes
    ----------
    views
        The views that were read.
    both
        (R,) whether both were: there is a combined angle.
    cna
        (R,) combined angles; 0 where there is none.
    judged, judge
        (P,) the readings whose two views were held against each other, and what came of it.
    rim_sd
        (R,) mm.
    indices
        The indices of the readings that hold landmarks.
    doubts
        (R,) a bit each, without the nearness of a cut-off, which depends on the method.
    sure
        (R,) whether the reading was measured here. The others are for
        :func:`necroangle.measurement.measure`, which also says what is wrong with them.
    flat
        (R,) whether the reading is of radiographs.
    hips
        What else stands in the readings.
    """

    views: ViewColumns
    both: NDArray[np.bool_]
    cna: Estimates
    judged: Places
    judge: Judges
    rim_sd: Array
    indices: dict[int, HipIndices]
    doubts: NDArray[np.int64]
    sure: NDArray[np.bool_]
    flat: NDArray[np.bool_]
    hips: HipFacts


def is_vectorised(method: Method, settings: Settings) -> bool:
    """Whether readings can be measured in arrays by a method and settings."""
    plain = settings.radius_prior is None and settings.centre == "circles"
    return plain and method.mode == "surface_arc"


def measured(readings: Iterable[HipReading], settings: Settings) -> Measured:
    """Measure readings by the surface arc on their marked slices.

    Parameters
    ----------
    readings
        As decoded; their parts need not have been checked against each other. Each is let go
        before the next is asked for.
    settings
        What is taken as given; see :func:`is_vectorised`.

    Examples
    --------
    >>> from necroangle.measurement import DEFAULTS, measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> readings = readings_of(sample_studies()["plain"])
    >>> found = measured(readings, DEFAULTS)
    >>> found.cna.se.tolist() == [measure(reading).cna.se for reading in readings]
    True
    """
    keep_memory()
    with np.errstate(all="ignore"):  # what is no number is not sure
        return _measured(sheet_of(readings), settings)


def _measured(sheet: Sheet, settings: Settings) -> Measured:
    heads = fit_heads(sheet)
    angles = view_angles(sheet, heads)
    noise = pooled_noise_of(sheet, heads, settings)
    sure = sheet.sure.copy()
    sure[sheet.hip[~angles.sure]] = False
    judged, judge = _judged(sheet, heads)
    sure[judged[~judge.sure]] = False
    factor = np.where(sheet.rim_count > 0, angles.rim_factor(sheet, heads), 0.0)
    views = _view_columns(sheet, heads, angles, factor, noise, settings)
    both, cna = _sums(sheet, views, angles, factor, noise, settings)
    return Measured(
        views=views,
        both=both,
        cna=cna,
        judged=judged,
        judge=judge,
        rim_sd=np.sqrt(noise.variance),
        indices=_indices(sheet, heads, sure),
        doubts=_hip_doubts(sheet, judged, judge),
        sure=sure,
        flat=sheet.flat_hip,
        hips=sheet.hips,
    )


def _judged(sheet: Sheet, heads: Heads) -> tuple[Places, Judges]:
    """The hips whose views can be held against each other."""
    view_of = np.full((2, sheet.size), -1)
    marked = np.flatnonzero(sheet.rim_count > 0)
    view_of[sheet.side[marked], sheet.hip[marked]] = marked
    pairs = (view_of >= 0).all(axis=0) & ~sheet.flat_hip & ~sheet.frames_differ
    judged = np.flatnonzero(pairs)
    a, b = view_of[:, judged]
    return judged, judge_heads(sheet, heads, a, b)


def _view_columns(
    sheet: Sheet,
    heads: Heads,
    angles: ViewAngles,
    factor: Array,
    noise: Noise,
    settings: Settings,
) -> ViewColumns:
    marked = sheet.rim_count > 0
    names, tilt = _plane_names(sheet)
    flat = sheet.flat
    own = Noise(noise.variance[sheet.hip], noise.dof[sheet.hip])
    with np.errstate(all="ignore"):
        rms = np.where(marked, np.sqrt(heads.rss / heads.count), np.nan)
    return ViewColumns(
        hip=sheet.hip,
        side=sheet.side,
        angle=estimates(stored(angles.angle), factor, angles.ends, own, settings),
        span=stored(angles.span),
        start=stored(angles.start),
        end=stored(angles.end),
        middle=stored(angles.middle),
        arc_count=angles.arc_count,
        radius=np.where(marked, heads.radius, np.nan),
        rms=rms,
        rim_span=np.where(marked, heads.span, np.nan),
        rim_count=sheet.rim_count,
        left_out=heads.left_out,
        misplaced=heads.misplaced,
        edge_gap=angles.edge_gap,
        plane=[None if one else name for one, name in zip(flat.tolist(), names, strict=True)],
        obliquity=np.where(flat, np.nan, tilt),
        doubts=view_doubts(sheet, heads, angles, rms, tilt, names),
    )


def _plane_names(sheet: Sheet) -> tuple[list[str], Array]:
    """(V,) names and tilts of the planes, as :meth:`necroangle.geometry.ImagePlane.name` gives."""
    size = np.abs(np.array(cross3(sheet.planes.row, sheet.planes.column)))
    axis = np.argmax(size, axis=0)
    others = np.array([[1, 2], [0, 2], [0, 1]])[axis].T
    columns = np.arange(size.shape[1])
    across = each(math.hypot, size[others[0], columns], size[others[1], columns])
    names = [_PLANES[one] for one in axis.tolist()]
    return names, each(math.atan2, across, size[axis, columns]) * _DEG


def _sums(
    sheet: Sheet,
    views: ViewColumns,
    angles: ViewAngles,
    factor: Array,
    noise: Noise,
    settings: Settings,
) -> tuple[NDArray[np.bool_], Estimates]:
    """Which hips have a combined angle, and the angles: A + B, their variances added."""
    size = sheet.size
    number = np.bincount(sheet.hip, minlength=size)
    parts = np.zeros((3, size))
    for side in (0, 1):
        some = sheet.side == side
        columns = (views.angle.value, factor, angles.ends)
        for part, column in zip(parts, columns, strict=True):
            part[sheet.hip[some]] += column[some]
    return number == 2, estimates(stored(parts[0]), parts[1], parts[2], noise, settings)


def _indices(sheet: Sheet, heads: Heads, sure: NDArray[np.bool_]) -> dict[int, HipIndices]:
    """Indices of the readings with landmarks, one by one; what cannot be told is not sure."""
    found: dict[int, HipIndices] = {}
    geometry: dict[tuple[int, int], ViewGeometry] = {}
    wanted = sheet.landmarked
    if not wanted:
        return found
    for view, (hip, side) in enumerate(zip(sheet.hip.tolist(), sheet.side.tolist(), strict=True)):
        if hip in wanted and sure[hip] and sheet.rim_count[view]:
            centre = float(heads.u[view]), float(heads.v[view])
            circle = Circle(centre, float(heads.radius[view]))
            geometry[hip, side] = ViewGeometry(circle, heads.arcs.arcs_of(view))
    for hip in sorted(wanted):
        if sure[hip]:
            a, b = (geometry.get((hip, side)) for side in (0, 1))
            try:
                found[hip] = hip_indices(wanted[hip], a, b)
            except NecroangleError:
                sure[hip] = False
    return found


def _hip_doubts(sheet: Sheet, judged: Places, judge: Judges) -> NDArray[np.int64]:
    size = sheet.size
    unread = np.bincount(sheet.hip, minlength=size) < 2
    replaced = np.zeros(size, bool)
    for hip in np.flatnonzero(unread).tolist():
        replaced[hip] = UnreadReason.PROSTHESIS in sheet.hips.statuses[hip]
    raised = {
        Flag.VIEW_NOT_READ: unread,
        Flag.CENSORED_BY_THA: replaced,
        Flag.FRAMES_DIFFER: sheet.frames_differ,
    }
    bits = bits_of(raised, size)
    farthest = np.maximum(np.abs(judge.a_offset), np.abs(judge.b_offset))
    unexplained = np.isnan(judge.p_value) | (judge.p_value < DISAGREE_LEVEL)
    of_judge = {
        Flag.SLICE_OFF_CENTRE: farthest > OFF_CENTRE_MM,
        Flag.RADII_DIFFER: np.abs(judge.radius_gap) > RADII_DIFFER_MM,
        Flag.CENTRES_DIFFER: (np.abs(judge.centre_gap) > CENTRES_DIFFER_MM) & unexplained,
    }
    bits[judged] |= bits_of(of_judge, len(judged))
    return bits
