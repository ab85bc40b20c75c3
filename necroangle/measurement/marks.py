"""Readings laid out as arrays: their slices, their arcs and all their marks, in plane mm.

A decoded reading is some hundred small objects. Those of a thousand readings do not fit into a
processor's cache, and making and dropping them would cost more than all arithmetic. So what is
needed is taken from each reading as it comes, and the reading is let go.
"""

import ctypes
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import repeat
from typing import NamedTuple, TypeVar

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from necroangle.annotation import (
    HipReading,
    Mark,
    NeighbourSlice,
    ReaderEntries,
    ReadView,
    UnreadView,
)
from necroangle.annotation.quick import Texts
from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PlanePoints
from necroangle.geometry.vectors import cross3, dot3
from necroangle.measurement.refusals import Refused
from necroangle.protocol.free_text import free_text_problem
from necroangle.terms import (
    VIEW_PAIRS,
    Finding,
    Flag,
    Laterality,
    Observation,
    UnreadReason,
    View,
    Weighting,
)

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]
Triple = tuple[Array, Array, Array]
T = TypeVar("T")


_FARTHEST_MM = 1e5
_NEAR = 0.01 - 1e-6
_RIGHT = _PARALLEL = 1e-3 - 1e-4
"""A little within the limits of :mod:`necroangle.annotation.check` and of an image plane: what
passes here passes there, whatever the rounding."""


class PlaneColumns(NamedTuple):
    """The planes of K slices, or of one: each coordinate an array of (K,), or of no dimension."""

    origin: Triple
    row: Triple
    column: Triple

    @property
    def normal(self) -> Triple:
        """Unit normals: row cosine x column cosine."""
        return cross3(self.row, self.column)

    def of(self, places: Places) -> "PlaneColumns":
        """The planes of some slices."""
        return PlaneColumns(
            *(tuple(part[places] for part in axis) for axis in self)  # type: ignore[arg-type]
        )


def plane_columns(plane: ImagePlane) -> PlaneColumns:
    """One plane, as arrays of no dimension.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> [abs(float(part)) for part in plane_columns(plane).normal]
    [0.0, 1.0, 0.0]
    """
    return PlaneColumns(*map(_triple, (plane.origin_mm, plane.row_cosine, plane.column_cosine)))


def in_plane(points: Sequence[Array] | Array, plane: PlaneColumns) -> tuple[Array, Array]:
    """Patient mm (x, y, z) to plane mm (u, v); what lies off the plane is projected on it."""
    x, y, z = (part - start for part, start in zip(points, plane.origin, strict=True))
    return dot3((x, y, z), plane.row), dot3((x, y, z), plane.column)


def above(points: Sequence[Array] | Array, plane: PlaneColumns) -> Array:
    """Signed distance of patient mm (x, y, z) from the plane, along its normal, mm."""
    x, y, z = (part - start for part, start in zip(points, plane.origin, strict=True))
    return dot3((x, y, z), plane.normal)


def in_patient(points: Sequence[Array] | Array, plane: PlaneColumns) -> Triple:
    """Plane mm (u, v) to patient mm (x, y, z)."""
    u, v = points
    x, y, z = (
        u * along + v * down + start
        for start, along, down in zip(plane.origin, plane.row, plane.column, strict=True)
    )
    return x, y, z


def plane_points(marks: Iterable[Mark], plane: ImagePlane) -> PlanePoints:
    """Marks as (N, 2) plane mm."""
    points = np.array([mark.patient_mm for mark in marks], float).reshape(-1, 3)
    return PlanePoints(np.column_stack(in_plane(points.T, plane_columns(plane))))


@dataclass(frozen=True, slots=True)
class HipFacts:
    """What stands in R readings beside marks, (R,) each.

    Attributes
    ----------
    subject, laterality, visit, reader, read_no, entries
        As in :class:`necroangle.annotation.HipReading`.
    views, statuses
        The views of each, and for both the finding, or why the view was not read.
    weightings
        For both views what weights the images that were marked; None on radiographs, where it was
        not read, and where no loader was at hand.
    sound
        Whether its parts agree, but for its numbers.
    flat, frames_differ, studies_differ
        Whether it is of radiographs; whether its views stand in different frames of reference;
        whether they are of different studies.
    images, studies, is_consensus
        SOPInstanceUID and frame of the view's images; their studies, each once; whether it unites
        other readings.
    notes_problem
        What the notes hold that tells who somebody is; empty where nothing is found.
    """

    subject: tuple[str, ...]
    laterality: tuple[Laterality, ...]
    visit: tuple[str, ...]
    reader: tuple[str, ...]
    read_no: tuple[int, ...]
    entries: tuple[ReaderEntries, ...]
    views: tuple[tuple[View, View], ...]
    statuses: tuple[tuple[Finding | UnreadReason, Finding | UnreadReason], ...]
    weightings: tuple[tuple[Weighting | None, Weighting | None], ...]
    sound: tuple[bool, ...]
    flat: tuple[bool, ...]
    frames_differ: tuple[bool, ...]
    studies_differ: tuple[bool, ...]
    images: tuple[tuple[tuple[str, int], ...], ...]
    studies: tuple[tuple[str, ...], ...]
    is_consensus: tuple[bool, ...]
    notes_problem: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """What stands in V views that were read beside marks, (V,) each.

    Attributes
    ----------
    hip, side
        Which reading a view belongs to, and whether it is its first or second view.
    own
        Its own slice among all.
    collapsed
        Whether stage or remark say that the head has collapsed.
    view, finding
        As in :class:`necroangle.annotation.ReadView`.
    drilled, calibrated
        Whether a track of surgery was seen; whether mm are true mm.
    stack_flags
        What the loader doubted about the view's stack.
    contour_start, contour_count
        Where its outline begins among all marks, and its length.
    step_mm
        Distance of neighbouring slices of its stack; NaN where it is not known.
    """

    hip: tuple[int, ...]
    side: tuple[int, ...]
    own: tuple[int, ...]
    collapsed: tuple[bool, ...]
    view: tuple[View, ...]
    finding: tuple[Finding, ...]
    drilled: tuple[bool, ...]
    calibrated: tuple[bool, ...]
    stack_flags: tuple[tuple[Flag, ...], ...]
    contour_start: tuple[int, ...]
    contour_count: tuple[int, ...]
    step_mm: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ReadingBatch:
    """R readings with V views that were read, S slices, A arcs and M marks.

    A view's own slice comes first, then its neighbours; readings without neighbours have S = V.

    Attributes
    ----------
    hips, views
        What stands in the readings and in the views that were read, beside marks.
    landmarked
        The readings with landmarks, by place: their indices are worked out one by one.
    slice_view
        (S,) the view that a slice belongs to; growing.
    planes
        The slices' planes, (S,) a coordinate.
    rim_start, rim_count
        (S,) where a slice's rim begins among the marks, and its length.
    arc_slice, arc_start
        (A,) the slice that an arc is on, growing; where its start, end and middle begin among the
        marks.
    points
        (2, M) the marks in plane mm.
    off_image
        (S,) whether a mark of the slice lies outside its image.
    doubtful
        (R,) whether a reading may contradict itself: whoever decoded it must look closer.
    no_plane
        What is wrong with the planes that are none, by slice.
    refused
        Readings that were found to contradict themselves; whoever decoded them puts them here.
    """

    hips: HipFacts
    views: ViewFacts
    landmarked: dict[int, HipReading]
    slice_view: Places
    planes: PlaneColumns
    rim_start: Places
    rim_count: Places
    arc_slice: Places
    arc_start: Places
    points: Array
    off_image: Bools
    doubtful: Bools
    no_plane: dict[int, PlaneError]
    refused: dict[int, Refused] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of readings."""
        return len(self.hips.subject)

    @cached_property
    def hip(self) -> Places:
        """(V,) which reading a view belongs to; growing."""
        return np.array(self.views.hip, np.intp)

    @cached_property
    def side(self) -> Places:
        """(V,) whether a view is its reading's first or second."""
        return np.array(self.views.side, np.intp)

    @cached_property
    def own(self) -> Places:
        """(V,) each view's own slice."""
        return np.array(self.views.own, np.intp)

    @cached_property
    def is_own(self) -> Bools:
        """(S,) whether a slice is its view's own."""
        found = np.zeros(len(self.slice_view), bool)
        found[self.own] = True
        return found

    @cached_property
    def own_planes(self) -> PlaneColumns:
        """The planes of the views' own slices."""
        return self.planes if len(self.own) == len(self.slice_view) else self.planes.of(self.own)

    @cached_property
    def marked(self) -> Bools:
        """(V,) whether a view's own slice has rim marks."""
        return np.asarray(self.rim_count[self.own] > 0)

    @cached_property
    def own_arcs(self) -> Places:
        """Places of the arcs on the views' own slices."""
        return np.flatnonzero(self.is_own[self.arc_slice])

    @cached_property
    def has_neighbours(self) -> Bools:
        """(V,) whether slices beside a view's own are marked."""
        return np.bincount(self.slice_view, minlength=len(self.own)) > 1

    @cached_property
    def collapsed(self) -> Bools:
        """(V,) whether stage or remark say that the head has collapsed."""
        return np.array(self.views.collapsed, bool)

    @cached_property
    def flat_hip(self) -> Bools:
        """(R,) whether a reading is of radiographs."""
        return np.array(self.hips.flat, bool)

    @cached_property
    def flat(self) -> Bools:
        """(V,) whether a view is a radiograph."""
        return self.flat_hip[self.hip]

    @cached_property
    def frames_differ(self) -> Bools:
        """(R,) whether the views of a reading stand in different frames of reference."""
        return np.array(self.hips.frames_differ, bool)

    @cached_property
    def view_of(self) -> Places:
        """(2, R) the first and the second view of each reading; -1 where it was not read."""
        found = np.full((2, self.size), -1)
        found[self.side, self.hip] = np.arange(len(self.hip))
        return found

    def arc_points(self, arcs: Places) -> Array:
        """(2, 3, A) start, end and middle of some arcs."""
        return self.points[:, self.arc_start[arcs] + np.arange(3)[:, None]]


def lay_out(readings: Iterable[HipReading]) -> ReadingBatch:
    """Lay out readings; each is let go before the next is asked for.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> batch = lay_out(iter(readings_of(sample_studies()["plain"])))
    >>> batch.size, len(batch.hip), batch.doubtful.tolist()
    (2, 4, [False, False])
    """
    keep_memory()
    taken = _Taken()
    for hip, reading in enumerate(readings):
        taken.add(hip, reading)
        del reading
    hips, views = _columns(HipFacts, taken.hips), _columns(ViewFacts, taken.views)
    slice_view, rim_start, rim_count, mark_count = np.array(taken.slices, np.intp).reshape(-1, 4).T
    arc_slice, arc_start = np.array(taken.arcs, np.intp).reshape(-1, 2).T
    numbers = _by_column(np.array(taken.planes), 13)
    x, y, z, rx, ry, rz, cx, cy, cz = numbers[:9]
    planes, spacing = PlaneColumns((x, y, z), (rx, ry, rz), (cx, cy, cz)), numbers[9:11]
    hip_of = np.array(views.hip, np.intp)[slice_view]
    with np.errstate(all="ignore"):  # what is no number is doubtful
        right = _right_angled(planes, spacing)
        marks = _by_column(np.array(taken.marks), 5)
        points, near = _projected(marks, planes, spacing, mark_count)
        beside = _parallel(planes, np.array(views.own, np.intp)[slice_view])
    doubtful = ~(np.array(hips.sound, bool) & np.array(taken.texts.sound(), bool))
    doubtful[hip_of[~(right & near & beside)]] = True
    return ReadingBatch(
        *(hips, views, taken.landmarked, slice_view, planes, rim_start, rim_count),
        arc_slice=arc_slice,
        arc_start=arc_start,
        points=points,
        off_image=_off_image(marks[3:], numbers[11:], mark_count),
        doubtful=doubtful,
        no_plane=_no_planes(numbers[:11], np.flatnonzero(~right)),
    )


class _Taken:
    """What was taken from readings so far."""

    def __init__(self) -> None:
        self.hips: list[tuple[object, ...]] = []
        self.views: list[tuple[object, ...]] = []
        self.slices: list[tuple[int, int, int, int]] = []
        self.arcs: list[tuple[int, int]] = []
        self.planes = array("d")
        self.marks = array("d")
        self.mark_count = 0
        self.landmarked: dict[int, HipReading] = {}
        self.texts = Texts()

    def add(self, hip: int, reading: HipReading) -> None:
        """Take what is needed of a reading."""
        self.texts.add(reading)
        first, second = reading.views
        self.hips.append(
            (
                reading.subject,
                reading.laterality,
                reading.visit,
                reading.reader,
                reading.read_no,
                reading.entries,
                (first.view, second.view),
                (
                    first.finding if isinstance(first, ReadView) else first.reason,
                    second.finding if isinstance(second, ReadView) else second.reason,
                ),
                (_weighting(first), _weighting(second)),
                *_holds_together(reading),
                *_images(reading),
                bool(reading.consensus_of),
                free_text_problem(reading.notes) if reading.notes else "",
            )
        )
        sunken = reading.arco is not None and reading.arco.is_collapsed
        for side, view in enumerate(reading.views):
            if isinstance(view, ReadView):
                self._add_view(hip, side, view, sunken=sunken)
                if view.landmarks:
                    self.landmarked[hip] = reading

    def _add_view(self, hip: int, side: int, view: ReadView, *, sunken: bool) -> None:
        number, own, seen = len(self.views), len(self.slices), view.observations
        more = [landmark.mark for landmark in view.landmarks] if view.landmarks else []
        if view.contour:
            more += view.contour
        last = self._add_slice(number, view, more)
        self.views.append(
            (
                hip,
                side,
                own,
                sunken or Observation.FLATTENED in seen,
                view.view,
                view.finding,
                Observation.POSTOP_TRACK in seen,
                view.plane.calibrated,
                () if view.passport is None else view.passport.flags,
                last - len(view.contour),
                len(view.contour),
                _step_mm(view),
            )
        )
        for neighbour in view.neighbours:
            self._add_slice(number, neighbour, [])

    def _add_slice(self, view: int, marked: "ReadView | NeighbourSlice", more: list[Mark]) -> int:
        """Put the marks of a slice and its plane to the others; how many marks there are then."""
        start, plane = self.mark_count, marked.plane
        marks = [*marked.rim]
        for arc in marked.arcs:
            self.arcs.append((len(self.slices), start + len(marks)))
            marks += (arc.start, arc.end, arc.via)
        marks += more
        numbers: list[float] = []
        for mark in marks:
            numbers += mark.patient_mm
            numbers += mark.pixel
        self.marks.fromlist(numbers)
        self.planes.fromlist(
            [
                *plane.origin_mm,
                *plane.row_cosine,
                *plane.column_cosine,
                plane.row_spacing_mm,
                plane.column_spacing_mm,
                plane.rows,
                plane.columns,
            ]
        )
        self.slices.append((view, start, len(marked.rim), len(marks)))
        self.mark_count += len(marks)
        return self.mark_count


def _columns(kind: type[T], rows: list[tuple[object, ...]]) -> T:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(*(zip(*rows, strict=True) if rows else repeat((), len(names))))


def _by_column(numbers: Array, size: int) -> Array:
    return np.ascontiguousarray(numbers.reshape(-1, size).T)


_WEIGHTINGS = {str(one): one for one in Weighting}


def _weighting(view: ReadView | UnreadView) -> Weighting | None:
    """What weights the images of a view, as far as the loader knew."""
    if isinstance(view, UnreadView) or view.passport is None or view.view.is_radiograph:
        return None
    return _WEIGHTINGS.get(view.passport.contrast, Weighting.UNKNOWN)


def _holds_together(reading: HipReading) -> tuple[bool, bool, bool]:
    """Whether the parts of a reading agree, but for its numbers; and two facts about it.

    Is it of radiographs; do its views stand in different frames of reference.
    """
    first, second = reading.views
    flat = first.view.is_radiograph
    good = (first.view, second.view) in VIEW_PAIRS
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


def _images(
    reading: HipReading,
) -> tuple[bool, tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Whether the views of a reading are of different studies; which images and studies."""
    images = [view.image for view in reading.views if isinstance(view, ReadView)]
    studies = tuple(dict.fromkeys(one.study_uid for one in images))
    return len(studies) > 1, tuple((one.instance_uid, one.frame_number) for one in images), studies


def _view_holds(view: ReadView, frame: str) -> bool:
    return (
        view.plane.frame == frame
        and (view.finding is Finding.NECROSIS) == bool(view.arcs)
        and (len(view.rim) >= 3 or not (view.rim or view.arcs))
        and (len(view.observations) < 2 or _each_once(view.observations))
        and (len(view.landmarks) < 2 or _each_once([one.name for one in view.landmarks]))
        and (not view.neighbours or _neighbours_hold(view, frame))
        and (view.passport is None or view.passport.marker is UNSET)
    )


def _neighbours_hold(view: ReadView, frame: str) -> bool:
    images, series = {view.image}, view.image.series_uid
    for one in view.neighbours:
        if one.image in images or one.image.series_uid != series or one.plane.frame != frame:
            return False
        images.add(one.image)
    return True


def _step_mm(view: ReadView) -> float:
    step = view.passport.step_mm if view.passport is not None else None
    return math.nan if not step else abs(step)


def _each_once(words: "list[str] | tuple[str, ...]") -> bool:
    return len(set(words)) == len(words)


def _right_angled(planes: PlaneColumns, spacing: Array) -> Bools:
    """(S,) whether the numbers of a plane surely make a plane."""
    row, column = planes.row, planes.column
    unit = [np.abs(np.sqrt(dot3(axis, axis)) - 1.0) <= _RIGHT for axis in (row, column)]
    near = [np.abs(part) <= _FARTHEST_MM for part in planes.origin]
    sized = ((spacing >= 1e-3) & (spacing <= 1e2)).all(axis=0)
    return np.asarray(
        np.logical_and.reduce([*unit, *near]) & sized & (np.abs(dot3(row, column)) <= _RIGHT)
    )


def _projected(
    marks: Array, planes: PlaneColumns, spacing: Array, number_of: Places
) -> tuple[Array, Bools]:
    """(2, M) plane mm of the marks, and (S,) whether a slice's marks surely lie where they say."""
    *points, row, column = marks
    slices = np.repeat(np.arange(len(number_of)), number_of)
    of_mark = planes.of(slices)
    u, v = in_plane(points, of_mark)
    off = dot3([p - o for p, o in zip(points, of_mark.origin, strict=True)], of_mark.normal)
    row_mm, column_mm = spacing[:, slices]
    fine = np.abs(off) <= _NEAR
    fine &= np.abs(v / row_mm - row) <= _NEAR
    fine &= np.abs(u / column_mm - column) <= _NEAR
    for numbers in (*points, row, column):
        fine &= np.abs(numbers) <= _FARTHEST_MM
    good = np.ones(len(number_of), bool)
    good[slices[~fine]] = False
    return np.array((u, v)), good


_BESIDE_PIXELS = 1.0
"""A click on the last pixel may fall so far beside the image."""


def _off_image(pixels: Array, shape: Array, number_of: Places) -> Bools:
    """(S,) whether one of a slice's marks, (2, M) row and column, lies outside its image.

    An image of one pixel is none: points without a picture are on it.
    """
    slices = np.repeat(np.arange(len(number_of)), number_of)
    beyond = np.maximum(-pixels, pixels - shape[:, slices] + 1.0).max(axis=0) > _BESIDE_PIXELS
    found = np.bincount(slices[beyond], minlength=len(number_of)) > 0
    return np.asarray(found & (shape > 1).all(axis=0))


def _parallel(planes: PlaneColumns, own: Places) -> Bools:
    """(S,) whether each slice is surely parallel to its view's own."""
    if np.array_equal(own, np.arange(len(own))):
        return np.ones(len(own), bool)
    normal = planes.normal
    other = [part[own] for part in normal]
    turn = cross3(normal, other)
    return np.asarray((np.sqrt(dot3(turn, turn)) <= _PARALLEL) & (dot3(normal, other) > 0))


def _no_planes(numbers: Array, slices: Places) -> dict[int, PlaneError]:
    """Which of some slices have no plane, and why."""
    found = {}
    for place in slices.tolist():
        *axes, row_mm, column_mm = numbers[:, place].tolist()
        origin, row, column = (tuple(axes[k : k + 3]) for k in (0, 3, 6))
        try:
            ImagePlane(origin, row, column, row_mm, column_mm)
        except PlaneError as error:
            found[place] = error
    return found


def _triple(values: tuple[float, float, float]) -> Triple:
    x, y, z = map(np.float64, values)
    return x, y, z  # type: ignore[return-value]


_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of what is set, from ``malloc.h``."""

_KEPT_BYTES, _LARGEST_BYTES = 1 << 26, 1 << 25


@cache
def keep_memory() -> bool:
    """Keep up to 64 MB that are free at the heap's end, once in a process; whether it was possible.

    Fetching memory anew costs as much as the work: glibc gives large blocks back to the system as
    soon as they are free, and the system hands them out again page by page, each wiped. A thousand
    readings need many such blocks, one after the other. Where the C library is another, nothing is
    changed.

    Examples
    --------
    >>> keep_memory() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(adjust(_MMAP_THRESHOLD, _LARGEST_BYTES) and adjust(_TRIM_THRESHOLD, _KEPT_BYTES))
