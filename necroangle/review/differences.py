"""What re-measurement changes, and why: rows as they stand beside rows as they are measured now."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from necroangle.annotation import HipReading
from necroangle.measurement.grades import NO_NECROSIS, is_without_necrosis
from necroangle.measurement.row import Cell, CohortRow, RowKey
from necroangle.review.reading_changes import ReadingChange, reading_changes

__all__ = ["Cause", "CellChange", "Differences", "RowDifference", "compare_rows", "merged"]

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

    @property
    def is_lasting(self) -> bool:
        """Whether writing the rows anew would change the table: all but a row without reading."""
        return Cause.GONE not in self.causes


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
    def lasting(self) -> tuple[RowDifference, ...]:
        """What writing the rows anew would change."""
        return tuple(row for row in self.rows if row.is_lasting)

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
