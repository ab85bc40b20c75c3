"""What an export is made of, and how one row of the long table comes from it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from necroangle.export.clinical import (
    VAS_10,
    ClinicalColumn,
    ClinicalIndex,
    ClinicalRow,
    clinical_columns,
    day_of,
    vas_10,
)
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.export.follow_up import FOLLOW_UP_COLUMNS, days_between, follow_up_values
from necroangle.export.keys import FACT_COLUMNS, KEY_COLUMNS, ReadingFacts, fact_values, key_values
from necroangle.export.measured import MEASURED_COLUMNS, measured_values, unread_values
from necroangle.export.privacy import Dates, shifted
from necroangle.export.visits import nominal_months
from necroangle.measurement.row import CohortRow

__all__ = ["ExportSource", "Line", "RowBuilder"]

_KINDS = ("subject", "hip", "treatment", "visit")


@dataclass(frozen=True)
class ExportSource:
    """What an export is made of.

    Attributes
    ----------
    rows
        Measured rows of the cohort, in any order.
    clinical
        Clinical rows by kind (``"subject"``, ``"hip"``, ``"treatment"``, ``"visit"``, ``"event"``).
    months
        Nominal months of the visits that the study plans.
    consensus
        Which readings are a consensus: subject, side, visit, reader and read number, as texts.
    facts
        Facts of the reading files by the SHA-256 of the file.
    secret
        The study's secret, where there is one.
    dates
        Whether dates go out (``"shifted"``, one shift per patient) or not (``"none"``).
    """

    rows: Sequence[CohortRow]
    clinical: Mapping[str, Sequence[ClinicalRow]] = field(default_factory=dict)
    months: Mapping[str, float] = field(default_factory=dict)
    consensus: Collection[tuple[str, ...]] = frozenset()
    facts: Mapping[str, ReadingFacts] = field(default_factory=dict)
    secret: bytes | None = field(default=None, repr=False)
    dates: Dates = "none"


@dataclass(frozen=True)
class Line:
    """One row to be: its hip visit, and the reading where there is one."""

    subject: str
    laterality: str
    visit: str
    row: CohortRow | None


class RowBuilder:
    """Columns and values of the long table."""

    def __init__(self, source: ExportSource, index: ClinicalIndex, lines: Sequence[Line]) -> None:
        self._source = source
        self._index = index
        dated = source.dates == "shifted"
        self._clinical = {kind: clinical_columns(kind, with_dates=dated) for kind in _KINDS}
        visits = {line.visit for line in lines} | {visit for _, _, visit in index.visits}
        self._unread = any(line.row is None for line in lines)
        self._months = nominal_months(visits, source.months)
        self._last: dict[tuple[str, str], date] = {}
        self._first: dict[tuple[str, str], date] = {}
        for (subject, side, visit), row in index.visits.items():
            self._note_visit((subject, side), visit, day_of(row, "visit_date"))

    def _note_visit(self, hip: tuple[str, str], visit: str, day: date | None) -> None:
        if day is None:
            return
        self._last[hip] = max(day, self._last.get(hip, day))
        if self._months.get(visit) == 0:
            self._first[hip] = min(day, self._first.get(hip, day))

    def columns(self) -> tuple[ExportColumn, ...]:
        """The columns of the table, the keys first."""
        clinical = (one.column for kind in _KINDS for one in self._clinical[kind])
        measured = (replace(column, can_miss=True) for column in MEASURED_COLUMNS)
        return (
            *KEY_COLUMNS,
            *clinical,
            VAS_10,
            *FOLLOW_UP_COLUMNS,
            *(measured if self._unread else MEASURED_COLUMNS),
            *FACT_COLUMNS,
        )

    def values(self, line: Line) -> list[Value | None]:
        """The values of one row."""
        hip = (line.subject, line.laterality)
        visit = self._index.visits.get((*hip, line.visit))
        baseline = self._baseline(hip)
        day = day_of(visit, "visit_date")
        row = line.row
        facts = self._source.facts.get(str(row["annotation_sha256"])) if row else None
        return [
            *key_values(
                *hip, line.visit, self._months[line.visit], days_between(baseline, day), row
            ),
            *self._clinical_values(line, visit),
            vas_10(visit),
            *follow_up_values(self._index, hip, baseline, self._last.get(hip)),
            *(measured_values(row) if row else unread_values()),
            *fact_values(facts, self._source.secret),
        ]

    def _baseline(self, hip: tuple[str, str]) -> date | None:
        """The day that days count from: treatment, else index date, else the index visit."""
        return (
            day_of(self._index.hips.get(hip), "treatment_date")
            or day_of(self._index.treatments.get(hip), "treatment_date")
            or day_of(self._index.subjects.get(hip[0]), "index_date")
            or self._first.get(hip)
        )

    def _clinical_values(self, line: Line, visit: ClinicalRow | None) -> list[Value]:
        hip = (line.subject, line.laterality)
        rows = {
            "subject": self._index.subjects.get(line.subject),
            "hip": self._index.hips.get(hip),
            "treatment": self._index.treatments.get(hip),
            "visit": visit,
        }
        return [
            self._out(one, one.value(rows[kind]), line)
            for kind in _KINDS
            for one in self._clinical[kind]
        ]

    def _out(self, one: ClinicalColumn, value: Value, line: Line) -> Value:
        """The value as it may leave: dates shifted, a stage as read where none is given."""
        if isinstance(value, date):
            assert self._source.secret is not None  # noqa: S101  (build_table refuses it)
            return shifted(value, self._source.secret, line.subject)
        read = line.row[one.field.name] if line.row and one.field.by == "both" else None
        if value is Missing.NOT_DONE and read is not None and one.codes is not None:
            return one.codes.codes[str(read)]
        return value
