"""From the analysis set to one table: one row per reading, or per hip visit.

The analysis set says the days, the months, the state of a visit and the reading that stands for it;
here its values meet the clinical and measured columns. What a censored visit holds does not leave.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from necroangle.analysis.courses import AnalysisSet, HipCourse, United, analysis_set
from necroangle.analysis.stored import as_it_may_leave, followed_rows
from necroangle.errors import CohortError
from necroangle.export.clinical import (
    DERIVED_COLUMNS,
    ClinicalColumn,
    ClinicalIndex,
    ClinicalRow,
    clinical_columns,
    derived_values,
)
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.export.follow_up import (
    COURSE_COLUMNS,
    VISIT_COLUMNS,
    VisitLine,
    course_values,
    visit_values,
)
from necroangle.export.keys import (
    FACT_COLUMNS,
    KEY_COLUMNS,
    READING_KEYS,
    ReadingFacts,
    fact_values,
    key_values,
)
from necroangle.export.measured import (
    FLAG_COLUMNS,
    MEASURED_COLUMNS,
    measured_values,
    unread_values,
)
from necroangle.export.privacy import Dates, shifted
from necroangle.export.table import ExportTable
from necroangle.measurement.row import CohortRow
from necroangle.protocol.dates import nominal_months
from necroangle.protocol.ending import VisitState
from necroangle.protocol.reads import ReadOf, strangers
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.terms import Flag

__all__ = ["ExportSource", "Unit", "build_table"]

Unit = Literal["reading", "hip_visit"]

_UNITS = {
    "reading": "one reading: hip, visit, reader, read and method",
    "hip_visit": "one visit of one hip",
}
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
    protocol
        The study's.
    united
        Which kept readings each adjudicated reading unites.
    facts
        Facts of the reading files by the SHA-256 of the file.
    secret
        The study's secret, where there is one.
    dates
        Whether dates go out (``"shifted"``, one shift per patient) or not (``"none"``).
    """

    rows: Sequence[CohortRow]
    clinical: Mapping[str, Sequence[ClinicalRow]] = field(default_factory=dict)
    protocol: StudyProtocol = NO_STUDY
    united: United = field(default_factory=dict)
    facts: Mapping[str, ReadingFacts] = field(default_factory=dict)
    secret: bytes | None = field(default=None, repr=False)
    dates: Dates = "none"


def build_table(
    source: ExportSource,
    unit: Unit = "reading",
    *,
    readers: Sequence[str] = (),
    method: str | None = None,
) -> ExportTable:
    """The long table.

    Parameters
    ----------
    source
        What it is made of.
    unit
        ``"reading"``: every reading by every method. ``"hip_visit"``: every visit of a hip at which
        anything was read or entered, with the reading that stands for it, as the outcomes take it;
        of a hip without any, its index visit.
    readers
        The readers that count, all (for hip visits: the study's) where none is named.
    method
        Only the measurements by this method; for hip visits, by default the study's.

    Raises
    ------
    CohortError
        If hip visits were measured by several methods and none is chosen, nothing is left, dates
        are asked for without a secret, or a clinical value is not what its field holds.

    Examples
    --------
    >>> build_table(ExportSource(()), "hip_visit")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: there is nothing to export: ...
    """
    if source.dates == "shifted" and source.secret is None:
        raise CohortError("shifted dates need the study's secret; give its file with --secret")
    asked = source.protocol.overridden({"readers": list(readers) or None, "method": method})
    notes: list[str] = []
    if unit == "reading":
        found = followed_rows(source.rows, source.clinical, source.protocol, source.united)
        lines = [
            _reading_line(row, state, followed, source)
            for row, state, followed in found
            if (not readers or row.key.reader in readers) and method in {None, row.key.method}
        ]
        others = strangers({line.row.key.reader for line in lines if line.row}, source.protocol)
        if others and not readers:
            notes.append(f"readers who are none of the study's: {', '.join(others)}")
    else:
        followed = analysis_set(source.rows, source.clinical, asked, source.united)
        lines = list(_visit_lines(followed, source.rows))
        if followed.rules:
            said = "; ".join(f"{rule} ({times})" for rule, times in followed.rules)
            notes.append(f"reading of a hip visit: {said}")
        notes += followed.reader_notes()
    if not lines:
        raise CohortError("there is nothing to export: no row of the cohort table is chosen")
    builder = _RowBuilder(source, asked, lines)
    return ExportTable.of(
        builder.columns(),
        map(builder.values, lines),
        unit=_UNITS[unit],
        keys=len(KEY_COLUMNS) - (0 if unit == "reading" else len(READING_KEYS)),
        notes=(*notes, *_notes(source, lines)),
    )


@dataclass(frozen=True)
class _Line:
    """One row to be: its hip, its visit, and the reading where there is one."""

    course: HipCourse
    name: str
    at: VisitLine
    row: CohortRow | None


def _reading_line(
    row: CohortRow, state: VisitState, followed: AnalysisSet, source: ExportSource
) -> _Line:
    course = followed.course(row.key.subject, row.key.laterality)
    visit = course.visit(row.key.visit)
    chosen = followed.chosen.get(row.key[:3])
    is_chosen = chosen == row.key[3:5]
    read = ReadOf(*row.key[3:5], source.united.get(tuple(map(str, row.key[:5]))))
    at = VisitLine(visit, state, is_chosen, read.is_consensus)
    return _Line(course, row.key.visit, at, as_it_may_leave(row, state))


def _visit_lines(followed: AnalysisSet, rows: Iterable[CohortRow]) -> Iterator[_Line]:
    """Every visit that was attended; of a hip without any, its index visit."""
    by_read = {row.key[:5]: row for row in rows if row.key.method == followed.method}
    for course in followed.courses:
        attended = [one for one in course.visits if one.was_attended]
        for one in attended or [one for one in course.visits if one.is_baseline]:
            read = one.read
            place = (*course.hip, one.planned.name)
            row = by_read[(*place, read.reader, read.read_no)] if read else None
            at = VisitLine(
                one, one.state, True if read else None, read.is_consensus if read else None
            )
            yield _Line(course, one.planned.name, at, row)


class _RowBuilder:
    """Columns and values of the long table."""

    def __init__(
        self, source: ExportSource, protocol: StudyProtocol, lines: Sequence[_Line]
    ) -> None:
        self._source = source
        self._protocol = protocol
        self._index = ClinicalIndex.of(source.clinical)
        dated = source.dates == "shifted"
        self._clinical = {kind: clinical_columns(kind, with_dates=dated) for kind in _KINDS}
        self._unread = any(line.row is None for line in lines)
        has_events = bool(source.clinical.get("event"))
        self._course_values = {
            line.course.hip: course_values(line.course, protocol, has_events=has_events)
            for line in {line.course.hip: line for line in lines}.values()
        }

    def columns(self) -> tuple[ExportColumn, ...]:
        """The columns of the table, the keys first."""
        clinical = (one.column for kind in _KINDS for one in self._clinical[kind])
        measured = (replace(column, can_miss=True) for column in MEASURED_COLUMNS)
        return (
            *KEY_COLUMNS,
            *clinical,
            *DERIVED_COLUMNS,
            *COURSE_COLUMNS,
            *VISIT_COLUMNS,
            *(measured if self._unread else MEASURED_COLUMNS),
            *FACT_COLUMNS,
        )

    def values(self, line: _Line) -> list[Value | None]:
        """The values of one row."""
        hip = line.course.hip
        visit = self._index.visits.get((*hip, line.name))
        one, row = line.at.visit, line.row
        is_censored = line.at.state.is_censored
        facts = self._source.facts.get(str(row["annotation_sha256"])) if row else None
        days = None if one is None or one.days is None else int(one.days)
        months = nominal_months(line.name, self._protocol)
        return [
            *key_values(*hip, line.name, months, days, row),
            *self._clinical_values(line, visit),
            *(
                [Missing.NOT_APPLICABLE] * len(DERIVED_COLUMNS)
                if is_censored
                else derived_values(visit)
            ),
            *self._course_values[hip],
            *visit_values(line.at),
            *_measured(line),
            *fact_values(facts, self._source.secret),
        ]

    def _clinical_values(self, line: _Line, visit: ClinicalRow | None) -> Iterator[Value]:
        hip = line.course.hip
        rows = {
            "subject": self._index.subjects.get(hip.subject),
            "hip": self._index.hips.get(hip),
            "treatment": self._index.treatments.get(hip),
            "visit": visit,
        }
        for kind in _KINDS:
            for one in self._clinical[kind]:
                if kind == "visit" and line.at.state.is_censored and not one.field.private:
                    yield Missing.NOT_APPLICABLE
                else:
                    yield self._out(one, one.value(rows[kind]), line)

    def _out(self, one: ClinicalColumn, value: Value, line: _Line) -> Value:
        """The value as it may leave: dates shifted, a stage as read where none is given."""
        if isinstance(value, date):
            assert self._source.secret is not None  # noqa: S101  (build_table refuses it)
            return shifted(value, self._source.secret, line.course.hip.subject)
        read = line.row[one.field.name] if line.row and one.field.by == "both" else None
        if value is Missing.NOT_DONE and read is not None and one.codes is not None:
            return one.codes.codes[str(read)]
        return value


_CENSORED_FLAG = 1 + [column.name for column in reversed(FLAG_COLUMNS)].index(
    f"flag_{Flag.CENSORED_BY_THA}"
)
"""Place of the flag from the end of the measured values."""


def _measured(line: _Line) -> list[Value]:
    """What was measured; where the visit is censored, not applicable, and flagged."""
    values = measured_values(line.row) if line.row else unread_values()
    if line.at.state.is_censored:
        values = [Missing.NOT_APPLICABLE if type(one) is Missing else one for one in values]
    if line.at.state is VisitState.CENSORED_THA:
        values[-_CENSORED_FLAG] = 1
    return values


def _notes(source: ExportSource, lines: Sequence[_Line]) -> list[str]:
    notes = []
    if source.secret is None:
        notes.append("no secret was given: image keys are empty")
    hashes = {str(line.row["annotation_sha256"]) for line in lines if line.row}
    if unknown := len(hashes - source.facts.keys()):
        notes.append(f"{unknown} reading files are not at hand: their facts are empty")
    methods = {line.row.key.method for line in lines if line.row}
    if len(methods) > 1:
        notes.append(f"several methods, {', '.join(sorted(methods))}: never mix their angles")
    hips = {line.course.hip: line.course for line in lines}.values()
    if several := sum(course.treated.treatments > 1 for course in hips):
        notes.append(f"{several} hips had several treatments: the first one is here")
    if censored := sum(line.at.state.is_censored for line in lines):
        notes.append(f"{censored} rows after a replacement or death: without any value of the hip")
    return notes
