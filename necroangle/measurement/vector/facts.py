"""What the arrays need of readings, taken from each as it comes: the reading need not be kept.

A decoded reading is some hundred small objects. Those of a thousand readings do not fit into a
processor's cache, and making and dropping them would cost more than all arithmetic.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

from necroangle.annotation import HipReading, Mark, ReaderEntries, ReadView
from necroangle.annotation.quick import Texts
from necroangle.terms import (
    Finding,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = ["Facts", "HipFacts", "ViewFacts", "facts_of"]

T = TypeVar("T")

_LATERALS = (View.FROG_LEG, View.CROSS_TABLE)


@dataclass(frozen=True, slots=True)
class HipFacts:
    """What stands in R readings beside marks, (R,) each.

    Attributes
    ----------
    subject, laterality, visit, reader, read_no, entries
        As in :class:`necroangle.annotation.HipReading`.
    views, statuses
        The views of each, and for both the finding, or why the view was not read.
    sound
        Whether its parts agree, but for its numbers, and it has no neighbouring slices.
    flat, frames_differ
        Whether it is of radiographs; whether its views stand in different frames of reference.
    """

    subject: tuple[str, ...]
    laterality: tuple[Laterality, ...]
    visit: tuple[str, ...]
    reader: tuple[str, ...]
    read_no: tuple[int, ...]
    entries: tuple[ReaderEntries, ...]
    views: tuple[tuple[View, View], ...]
    statuses: tuple[tuple[Finding | UnreadReason, Finding | UnreadReason], ...]
    sound: tuple[bool, ...]
    flat: tuple[bool, ...]
    frames_differ: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """What stands in V views that were read beside marks, (V,) each.

    Attributes
    ----------
    hip, side
        Which reading a view belongs to, and whether it is its first or second view.
    start, rim_count, count
        Where its marks begin among all, how many are of its rim, and how many it has.
    collapsed
        Whether stage or remark say that the head has collapsed.
    view, finding
        As in :class:`necroangle.annotation.ReadView`.
    drilled, calibrated
        Whether a track of surgery was seen; whether mm are true mm.
    """

    hip: tuple[int, ...]
    side: tuple[int, ...]
    start: tuple[int, ...]
    rim_count: tuple[int, ...]
    count: tuple[int, ...]
    collapsed: tuple[bool, ...]
    view: tuple[View, ...]
    finding: tuple[Finding, ...]
    drilled: tuple[bool, ...]
    calibrated: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was taken from R readings with V views that were read, A arcs and M marks.

    Attributes
    ----------
    hips, views
        Words, places and numbers of marks.
    spelt
        (R,) whether the texts of each reading fit their patterns.
    marks
        5 M numbers: patient mm, row and column of each mark.
    planes
        11 V numbers: origin, the cosines of row and column, the spacings of rows and columns.
    arcs
        (A,) the view of each arc, and where its start, end and middle begin among the marks.
    landmarked
        The readings with landmarks, by place: they are kept.
    """

    hips: HipFacts
    views: ViewFacts
    spelt: list[bool]
    marks: "array[float]"
    planes: "array[float]"
    arcs: list[tuple[int, int]]
    landmarked: dict[int, HipReading]


def facts_of(readings: Iterable[HipReading]) -> Facts:
    """Take from readings what the arrays need; each is let go before the next is asked for.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> found = facts_of(iter(readings_of(sample_studies()["plain"])))
    >>> len(found.hips.subject), len(found.views.hip), len(found.planes)
    (2, 4, 44)
    """
    hips: list[tuple[object, ...]] = []
    views: list[tuple[object, ...]] = []
    found = Facts(
        _columns(HipFacts, []), _columns(ViewFacts, []), [], array("d"), array("d"), [], {}
    )
    texts = Texts()
    for hip, reading in enumerate(readings):
        texts.add(reading)
        hips.append(_of_hip(reading))
        sunken = reading.arco is not None and reading.arco.is_collapsed
        for side, view in enumerate(reading.views):
            if isinstance(view, ReadView):
                views.append((hip, side, *_of_view(found, len(views), view, sunken)))
                if view.landmarks:
                    found.landmarked[hip] = reading
        del reading
    return Facts(
        _columns(HipFacts, hips),
        _columns(ViewFacts, views),
        texts.sound(),
        found.marks,
        found.planes,
        found.arcs,
        found.landmarked,
    )


def _columns(kind: type[T], rows: list[tuple[object, ...]]) -> T:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(*(zip(*rows, strict=True) if rows else repeat((), len(names))))


def _of_hip(reading: HipReading) -> tuple[object, ...]:
    first, second = reading.views
    return (
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
        *_holds_together(reading),
    )


def _of_view(found: Facts, place: int, view: ReadView, sunken: bool) -> tuple[object, ...]:
    """Put marks, arcs and plane of a view to the others; its words and numbers."""
    start, rim, seen, plane = len(found.marks) // 5, view.rim, view.observations, view.plane
    marks = [*rim]
    for arc in view.arcs:
        found.arcs.append((place, start + len(marks)))
        marks += (arc.start, arc.end, arc.via)
    if view.landmarks:
        marks += [landmark.mark for landmark in view.landmarks]
    marks += view.contour
    found.marks.fromlist(_numbers(marks))
    found.planes.fromlist(
        [
            *plane.origin_mm,
            *plane.row_cosine,
            *plane.column_cosine,
            plane.row_spacing_mm,
            plane.column_spacing_mm,
        ]
    )
    return (
        start,
        len(rim),
        len(marks),
        sunken or Observation.FLATTENED in seen,
        view.view,
        view.finding,
        Observation.POSTOP_TRACK in seen,
        plane.calibrated,
    )


def _numbers(marks: list[Mark]) -> list[float]:
    numbers: list[float] = []
    for mark in marks:
        numbers += mark.patient_mm
        numbers += mark.pixel
    return numbers


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


def _each_once(words: "list[str] | tuple[str, ...]") -> bool:
    return len(set(words)) == len(words)
