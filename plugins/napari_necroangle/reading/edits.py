"""What a reader can do to a view: an edit takes a draft and gives the changed one; a stroke marks.

A mark is only where the hand was: nothing is laid between two positions of the mouse, for on a slow
machine they lie far apart, and a chord lies inside the head.
"""

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from napari_necroangle.reading.draft import (
    ArcDraft,
    Handle,
    MarkedSlice,
    NeighbourDraft,
    Role,
    ViewDraft,
)
from necroangle.annotation import Landmark, Mark
from necroangle.errors import ReadingError
from necroangle.geometry import ImagePlane
from necroangle.terms import Finding, UnreadReason

Point = tuple[float, float]


def placed(draft: ViewDraft, handle: Handle, on: MarkedSlice, uv_mm: Point) -> ViewDraft:
    """The view with a new mark, or an arc's point set anew.

    Raises
    ------
    ReadingError
        If the slice is not the one that the handle belongs to.
    """
    draft = _on_slice(draft, handle.slice_no, on)
    changed = draft.with_mark(handle, Mark.at_plane(on.plane.plane(), *uv_mm))
    return _necrotic(changed, handle)


def moved(draft: ViewDraft, handle: Handle, uv_mm: Point) -> ViewDraft:
    """The view with a mark moved within its slice."""
    on = draft.marked(handle.slice_no).on
    assert on is not None  # noqa: S101
    return draft.with_mark(handle, Mark.at_plane(on.plane.plane(), *uv_mm))


def drawn(
    draft: ViewDraft, handle: Handle, on: MarkedSlice, points_mm: Sequence[Point]
) -> ViewDraft:
    """The view with a whole rim, arc or outline laid by one stroke.

    ``handle``: what is drawn. A rim or an outline replaces the one that is there; an arc is put
    in its place from the points' first, middle and last.
    ``points_mm``: (u, v) plane mm, three or more.

    Raises
    ------
    ReadingError
        As for :func:`placed`.
    """
    draft = _on_slice(draft, handle.slice_no, on)
    plane = on.plane.plane()
    marks = tuple(Mark.at_plane(plane, *point) for point in points_mm)
    if handle.role is Role.CONTOUR:
        return replace(draft, contour=marks)
    if handle.role is Role.RIM and handle.slice_no == 0:
        return replace(draft, rim=marks)
    if handle.role is Role.RIM:
        beside = replace(draft.neighbours[handle.slice_no - 1], rim=marks)
        return draft.with_neighbour(handle.slice_no, beside)
    ends = ((Role.START, marks[0]), (Role.END, marks[-1]), (Role.VIA, marks[len(marks) // 2]))
    for role, mark in ends:
        draft = draft.with_mark(replace(handle, role=role), mark)
    return _necrotic(draft, handle)


def freed(draft: ViewDraft, on: MarkedSlice) -> ViewDraft:
    """The view with a neighbouring slice that shows no necrosis.

    Raises
    ------
    ReadingError
        If it is the view's own slice, or of another series.
    """
    number = draft.slice_no(on)
    draft = _on_slice(draft, max(number, 1), on)
    beside = replace(draft.neighbours[number - 1], arcs=(), is_free=True)
    return draft.with_neighbour(number, beside)


def carried_to(draft: ViewDraft, on: MarkedSlice) -> ViewDraft:
    """The view on another slice: its rim and points go along, its arcs stay where they are.

    An arc is what was seen on its own slice. The slice that is left stays as a neighbour with its
    arcs; where the other slice was a neighbour, its own marks are the view's now.
    """
    if draft.on is None or draft.on.image == on.image:
        return draft
    plane = on.plane.plane()
    number = draft.slice_no(on)
    known = draft.neighbours[number - 1] if number <= len(draft.neighbours) else NeighbourDraft(on)
    left = NeighbourDraft(replace(draft.on, passport=None), draft.rim, draft.arcs)
    kept = [one for one in draft.neighbours if one.on.image != on.image]
    stays = any(arc.complete() for arc in left.arcs)
    changed = replace(
        draft,
        on=on,
        rim=known.rim or tuple(_projected(mark, plane) for mark in draft.rim),
        arcs=known.arcs,
        neighbours=(*kept, *([left] if stays else [])),
        landmarks=tuple(Landmark(one.name, _projected(one.mark, plane)) for one in draft.landmarks),
        contour=(),
    )
    if changed.arcs:
        return changed.choosing(Finding.NECROSIS)
    return changed.choosing(None) if changed.finding is Finding.NECROSIS else changed


def rescaled(draft: ViewDraft, on: MarkedSlice) -> ViewDraft:
    """The view on its own picture in another scale: every mark stays on its pixel."""
    if draft.on is None:
        return draft
    plane = on.plane.plane()

    def again(mark: Mark | None) -> Mark | None:
        return None if mark is None else Mark.at_pixel(plane, *mark.pixel)

    def all_again(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
        return tuple(Mark.at_pixel(plane, *mark.pixel) for mark in marks)

    return replace(
        draft,
        on=on,
        rim=all_again(draft.rim),
        arcs=tuple(ArcDraft(*map(again, (arc.start, arc.end, arc.via))) for arc in draft.arcs),
        landmarks=tuple(
            Landmark(one.name, Mark.at_pixel(plane, *one.mark.pixel)) for one in draft.landmarks
        ),
        contour=all_again(draft.contour),
    )


def chosen(
    draft: ViewDraft, choice: Finding | UnreadReason | None, on: MarkedSlice | None
) -> ViewDraft:
    """The view with a finding, or why it was not read, on its slice or else the one shown."""
    keeps = draft.on if draft.is_bound else None
    where = keeps or (on if isinstance(choice, Finding) else None)
    return replace(draft.choosing(choice), on=where)


def tidy(draft: ViewDraft) -> ViewDraft:
    """Without its last arc mark a view is no longer known to be necrotic; without any, free."""
    if draft.choice is Finding.NECROSIS and not draft.arcs:
        draft = draft.choosing(None)
    return draft if draft.is_bound or draft.choice else replace(draft, on=None)


def _necrotic(draft: ViewDraft, handle: Handle) -> ViewDraft:
    """An arc on the view's own slice says that there is necrosis."""
    own = handle.role.is_arc and handle.slice_no == 0
    return draft.choosing(Finding.NECROSIS) if own else draft


def _on_slice(draft: ViewDraft, slice_no: int, on: MarkedSlice) -> ViewDraft:
    """The view, laid on a slice where it lies on none yet, with room on a new neighbour."""
    if slice_no == 0:
        if draft.is_bound and draft.on is not None and draft.on.image != on.image:
            raise ReadingError(
                f"the {draft.view} marks lie on another slice; go there, or clear them to start "
                "again",
                place=draft.view,
            )
        return draft if draft.is_bound else replace(draft, on=on)
    if draft.on is None or draft.on.image == on.image:
        raise ReadingError("mark the view's own slice first", place=draft.view)
    if draft.on.image.series_uid != on.image.series_uid:
        raise ReadingError("a neighbouring slice must be of the same series", place=draft.view)
    if slice_no <= len(draft.neighbours):
        if draft.neighbours[slice_no - 1].on.image != on.image:
            raise ReadingError("the mark belongs to another slice", place=draft.view)
        return draft
    beside = NeighbourDraft(replace(on, passport=None))
    return replace(draft, neighbours=(*draft.neighbours, beside))


def _projected(mark: Mark, plane: ImagePlane) -> Mark:
    return Mark.at_patient(plane, mark.patient_mm)


RIM_MARKS = 10
"""A drawn rim gets so many marks: 8 to 12 are enough, the ends of the arc matter more."""
ARC_MARKS = 3
ENOUGH_POSITIONS = 6
"""A rim drawn through fewer positions is spoken of: each of them then weighs much."""
OUTLINE_STEP_MM = 3.0
OUTLINE_MARKS = (6, 60)
LEAST_STROKE_MM = {Role.RIM: 20.0, Role.CONTOUR: 10.0}
"""A shorter path is no stroke; for an arc 4 mm will do."""

Path = Sequence[tuple[float, float]]


def length_mm(path: Path) -> float:
    """Length of a path of (u, v) plane mm.

    Examples
    --------
    >>> length_mm([(0.0, 0.0), (3.0, 4.0), (3.0, 10.0)])
    11.0
    """
    return float(np.hypot(*np.diff(np.array(path), axis=0).T).sum()) if len(path) > 1 else 0.0


def marks_along(path: Path, role: Role) -> tuple[tuple[float, float], ...]:
    """Positions of a path that lie nearest to equal distances, from its first to its last.

    ``path``: (u, v) plane mm, as the mouse went.
    ``role``: up to ten marks for a rim; first, middle and last for an arc; one every 3 mm for
    an outline, which is closed by itself.

    Returns
    -------
    tuple[tuple[float, float], ...]
        (u, v) plane mm; empty for a path too short to be meant, or of fewer than three positions.

    Examples
    --------
    >>> marks_along([(0.0, 0.0), (4.0, 0.0), (10.0, 0.0)], Role.START)
    ((0.0, 0.0), (4.0, 0.0), (10.0, 0.0))
    >>> marks_along([(0.0, 0.0), (1.0, 0.0)], Role.RIM)
    ()
    """
    total = length_mm(path)
    if total < LEAST_STROKE_MM.get(role, 4.0):
        return ()
    points = np.array(path)
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    if role is Role.CONTOUR:
        count = int(np.clip(round(total / OUTLINE_STEP_MM), *OUTLINE_MARKS)) + 1
        wanted = np.linspace(0.0, total, count)[:-1]
    else:
        wanted = np.linspace(0.0, total, RIM_MARKS if role is Role.RIM else ARC_MARKS)
    nearest = np.abs(along[:, None] - wanted).argmin(axis=0)
    places = tuple(dict.fromkeys((float(u), float(v)) for u, v in points[nearest]))
    return places if len(places) >= ARC_MARKS else ()
