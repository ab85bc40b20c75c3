"""What re-measurement changes, and why: rows as they stand beside rows as they are measured now."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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
from necroangle.measurement.grades import NO_NECROSIS, is_without_necrosis
from necroangle.measurement.row import Cell, CohortRow, RowKey

# ---- what was changed in a reading ---------------------------------------------------------------


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


# ---- what re-measurement changes -----------------------------------------------------------------

Readings = Callable[[str], HipReading | None]
"""Gives the reading whose file has a SHA-256, or None where it is not known any more."""

_SETTINGS = (
    "end_sd_mm",
    "end_bias_mm",
    "end_dof",
    "end_source",
    "centre",
    "radius_prior_mm",
    "radius_prior_sd_mm",
    "radius_prior_source",
)
_GRADES = ("ha_grade", "ha_risk", "kerboul")


class Cause(StrEnum):
    """Why a row is not what it was."""

    NEW = "new reading"
    GONE = "no reading given"
    METHOD = "method version"
    SOFTWARE = "software version"
    SETTINGS = "settings"
    MARKS = "marks edited"
    GEOMETRY = "geometry corrected"
    ENTRIES = "entries edited"
    REWRITTEN = "file rewritten"
    UNKNOWN_EDIT = "reading edited, its former content is not kept"
    UNEXPLAINED = "unexplained: same reading, method, software and settings"


@dataclass(frozen=True, slots=True)
class CellChange:
    """One column of a row before and after."""

    column: str
    before: Cell
    after: Cell


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that is not what it was.

    Attributes
    ----------
    key
        Which row.
    causes
        Why, in the order of :class:`Cause`.
    details
        What of the reading was changed, in words; empty where it was not.
    cells
        Every column that changed; none for a row that is new or has no reading.
    cna_before_deg, cna_after_deg
        The combined angle.
    category_before, category_after
        Grade, risk and bin, in words.
    """

    key: RowKey
    causes: tuple[Cause, ...]
    details: tuple[str, ...]
    cells: tuple[CellChange, ...]
    cna_before_deg: float | None
    cna_after_deg: float | None
    category_before: str
    category_after: str

    @classmethod
    def gone(cls, key: RowKey) -> "RowDifference":
        """A row of the table that no reading was given for."""
        return cls(key, (Cause.GONE,), (), (), None, None, "", "")

    @property
    def change_deg(self) -> float | None:
        """How much the combined angle changed; None where there is none before or after."""
        if self.cna_before_deg is None or self.cna_after_deg is None:
            return None
        return self.cna_after_deg - self.cna_before_deg

    @property
    def changes_category(self) -> bool:
        """Whether the hip changes its grade, risk or bin, or loses or wins one."""
        standing = not {Cause.NEW, Cause.GONE} & set(self.causes)
        return standing and self.category_before != self.category_after


@dataclass(frozen=True, slots=True)
class Differences:
    """All that is not what it was, the hips that change grade on top, then by size of change.

    Attributes
    ----------
    rows
        The differences.
    unchanged
        How many rows are the same in every column.
    """

    rows: tuple[RowDifference, ...]
    unchanged: int

    @property
    def category_changes(self) -> tuple[RowDifference, ...]:
        """The hips that change grade."""
        return tuple(row for row in self.rows if row.changes_category)


def compare_rows(
    stored: Iterable[CohortRow],
    measured: Iterable[CohortRow],
    former: Readings,
    present: Readings,
    methods: Iterable[str] | None = None,
) -> Differences:
    """Compare rows as they stand in the table with rows as they are measured now.

    Parameters
    ----------
    stored, measured
        The rows; one per key in each.
    former, present
        The readings behind them, by the SHA-256 of their files.
    methods
        The methods that were measured: stored rows of others are left aside. By default all
        methods that occur in ``measured``.

    Examples
    --------
    >>> compare_rows([], [], lambda _: None, lambda _: None)
    Differences(rows=(), unchanged=0)
    """
    after = {row.key: row for row in measured}
    asked = set(methods) if methods is not None else {key.method for key in after}
    before = {row.key: row for row in stored if row.key.method in asked}
    found: list[RowDifference] = []
    unchanged = 0
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old == new:
            unchanged += 1
        else:
            found.append(_difference(key, old, new, former, present))
    return Differences(tuple(sorted(found, key=_rank)), unchanged)


def merged(parts: Iterable[Differences]) -> Differences:
    """Several differences as one, in their order of rank."""
    found = list(parts)
    rows = sorted((row for part in found for row in part.rows), key=_rank)
    return Differences(tuple(rows), sum(part.unchanged for part in found))


def _rank(row: RowDifference) -> tuple[bool, bool, float, RowKey]:
    unexplained = Cause.UNEXPLAINED in row.causes
    return not row.changes_category, not unexplained, -abs(row.change_deg or 0.0), row.key


def _difference(
    key: RowKey, old: CohortRow | None, new: CohortRow | None, former: Readings, present: Readings
) -> RowDifference:
    causes: list[Cause] = []
    details: tuple[str, ...] = ()
    cells: tuple[CellChange, ...] = ()
    if old is None:
        causes = [Cause.NEW]
    elif new is None:
        causes = [Cause.GONE]
    else:
        cells = tuple(
            CellChange(name, old[name], new[name]) for name in old if old[name] != new[name]
        )
        changed = _edits(old, new, former, present)
        causes = [*_versions(old, new), *(cause for cause, _ in changed)]
        details = tuple(detail for _, detail in changed if detail)
    ordered = sorted(set(causes) or {Cause.UNEXPLAINED}, key=list(Cause).index)
    return RowDifference(
        key=key,
        causes=tuple(ordered),
        details=details,
        cells=cells,
        cna_before_deg=_angle(old),
        cna_after_deg=_angle(new),
        category_before=_category(old),
        category_after=_category(new),
    )


def _versions(old: CohortRow, new: CohortRow) -> Iterator[Cause]:
    if old["method_version"] != new["method_version"]:
        yield Cause.METHOD
    if old["software_version"] != new["software_version"]:
        yield Cause.SOFTWARE
    if any(old[name] != new[name] for name in _SETTINGS):
        yield Cause.SETTINGS


_CAUSES: Mapping[ReadingChange, Cause] = {
    ReadingChange.MARKS: Cause.MARKS,
    ReadingChange.GEOMETRY: Cause.GEOMETRY,
    ReadingChange.ENTRIES: Cause.ENTRIES,
    ReadingChange.NONE: Cause.REWRITTEN,
}


def _edits(
    old: CohortRow, new: CohortRow, former: Readings, present: Readings
) -> list[tuple[Cause, str]]:
    """What was done to the reading, and where."""
    hashes = str(old["annotation_sha256"]), str(new["annotation_sha256"])
    if hashes[0] == hashes[1]:
        return []
    before, after = former(hashes[0]), present(hashes[1])
    if before is None or after is None:
        return [(Cause.UNKNOWN_EDIT, "")]
    return [(_CAUSES[kind], detail) for kind, detail in reading_changes(before, after)]


def _angle(row: CohortRow | None) -> float | None:
    angle = row["cna_deg"] if row is not None else None
    return angle if isinstance(angle, float) else None


def _category(row: CohortRow | None) -> str:
    if row is None:
        return ""
    if is_without_necrosis(*(str(row[name]) for name in ("a_status", "b_status"))):
        return NO_NECROSIS
    grade, risk, kerboul = (row[name] for name in _GRADES)
    words = [
        f"Ha {grade}, {risk}" if grade is not None else "",
        f"Kerboul {kerboul}" if kerboul else "",
    ]
    return "; ".join(filter(None, words)) or "none"
