"""What was changed between two versions of a reading: its marks, its planes, or its entries."""

from collections.abc import Iterator
from enum import StrEnum

from necroangle.annotation import (
    HipReading,
    Mark,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    UnreadView,
)
from necroangle.entries import READ_FIELDS

__all__ = ["ReadingChange", "reading_changes"]

PIXEL_TOLERANCE = 1e-6
"""A mark within this of where it was has not been moved; files keep 17 digits."""

_KEY_AND_NOTES = ("subject", "laterality", "visit", "reader", "read_no", "notes")
_PLANE = tuple(PlaneRecord.__struct_fields__)
_TEXT_OF_VIEW = ("image", "passport", "observations")

Entry = ReadView | UnreadView


class ReadingChange(StrEnum):
    """The kind of a change."""

    MARKS = "marks"
    GEOMETRY = "geometry"
    ENTRIES = "entries"
    NONE = "none"


def reading_changes(before: HipReading, after: HipReading) -> list[tuple[ReadingChange, str]]:
    """The changes with their places; ``NONE`` where both say the same.

    Marks are compared by their pixels: a mark that stayed on its pixel while its plane was
    corrected has not been edited.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> reading_changes(reading, reading)
    [(<ReadingChange.NONE: 'none'>, '')]
    """
    found: list[tuple[ReadingChange, str]] = []
    for old, new in zip(before.views, after.views, strict=True):
        found += _view_changes(old, new)
    entries = [name for name in _KEY_AND_NOTES if getattr(before, name) != getattr(after, name)]
    entries += [
        one.name
        for one in READ_FIELDS
        if before.entries.get(one.name) != after.entries.get(one.name)
    ]
    if entries:
        found.append((ReadingChange.ENTRIES, ", ".join(entries)))
    return found or [(ReadingChange.NONE, "")]


def _view_changes(old: Entry, new: Entry) -> Iterator[tuple[ReadingChange, str]]:
    name = new.view.label
    if old.view is not new.view:
        yield ReadingChange.MARKS, f"{old.view.label} became {name}"
        return
    if not (isinstance(old, ReadView) and isinstance(new, ReadView)):
        if old != new:
            yield ReadingChange.MARKS, f"{name}: {_state(old)} became {_state(new)}"
        return
    marks = list(_mark_changes(old, new))
    if marks:
        yield ReadingChange.MARKS, f"{name}: {', '.join(marks)}"
    planes = list(_plane_changes(old, new))
    if planes:
        yield ReadingChange.GEOMETRY, f"{name}: {', '.join(planes)}"
    texts = [field for field in _TEXT_OF_VIEW if getattr(old, field) != getattr(new, field)]
    if texts:
        yield ReadingChange.ENTRIES, f"{name}: {', '.join(texts)}"


def _state(entry: Entry) -> str:
    value = entry.reason if isinstance(entry, UnreadView) else entry.finding
    return str(value).replace("_", " ")


def _mark_changes(old: ReadView, new: ReadView) -> Iterator[str]:
    if old.finding is not new.finding:
        yield f"finding {_state(old)} became {_state(new)}"
    yield from _slice_marks(old, new)
    if _moved(_pixels(old.contour), _pixels(new.contour)):
        yield "contour"
    landmarks = [{one.name: one.mark for one in view.landmarks} for view in (old, new)]
    names = sorted(landmarks[0].keys() | landmarks[1].keys())
    moved = [name for name in names if _one_moved(landmarks[0].get(name), landmarks[1].get(name))]
    yield from (f"landmark {name}" for name in moved)
    neighbours = [{one.image: one for one in view.neighbours} for view in (old, new)]
    if neighbours[0].keys() != neighbours[1].keys():
        yield "neighbouring slices"
    for image in neighbours[0].keys() & neighbours[1].keys():
        if list(_slice_marks(neighbours[0][image], neighbours[1][image])):
            yield "marks of a neighbouring slice"


def _slice_marks(old: ReadView | NeighbourSlice, new: ReadView | NeighbourSlice) -> Iterator[str]:
    if _moved(_pixels(old.rim), _pixels(new.rim)):
        yield f"rim ({len(old.rim)} to {len(new.rim)} marks)"
    if len(old.arcs) != len(new.arcs):
        yield f"{len(old.arcs)} to {len(new.arcs)} arcs"
        return
    for number, (first, second) in enumerate(zip(old.arcs, new.arcs, strict=True), start=1):
        for end in ("start", "end", "via"):
            if _one_moved(getattr(first, end), getattr(second, end)):
                yield f"{end} of arc {number}"


def _plane_changes(old: ReadView, new: ReadView) -> Iterator[str]:
    for name in _PLANE:
        before, after = getattr(old.plane, name), getattr(new.plane, name)
        if before != after:
            yield f"{name} {_short(before)} to {_short(after)}" if _is_short(before) else name
    kept = {one.image: one.plane for one in old.neighbours}
    if any(kept.get(one.image, one.plane) != one.plane for one in new.neighbours):
        yield "planes of neighbouring slices"


def _is_short(value: object) -> bool:
    return isinstance(value, (int, float, str))


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _pixels(marks: tuple[Mark, ...]) -> list[tuple[float, float]]:
    return [mark.pixel for mark in marks]


def _moved(old: list[tuple[float, float]], new: list[tuple[float, float]]) -> bool:
    if len(old) != len(new):
        return True
    return any(
        max(abs(a[0] - b[0]), abs(a[1] - b[1])) > PIXEL_TOLERANCE
        for a, b in zip(old, new, strict=True)
    )


def _one_moved(old: Mark | None, new: Mark | None) -> bool:
    if old is None or new is None:
        return old is not new
    return _moved([old.pixel], [new.pixel])
