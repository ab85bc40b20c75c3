"""From the analysis set to one table: one row per reading, or per hip visit.

The analysis set says the days, the months, the state of a visit and the reading that stands for it;
here its values meet the clinical and measured columns. What a censored visit holds does not leave.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

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
    fact_cells,
    key_cells,
)
from necroangle.export.measured import MEASURED_COLUMNS, measured_cells
from necroangle.export.privacy import Dates, shifted
from necroangle.export.table import PLACES, Cells, ExportTable, Given, cells_of
from necroangle.measurement.row import CohortRow
from necroangle.protocol.dates import nominal_months
from necroangle.protocol.ending import VisitState
from necroangle.protocol.reads import ReadOf, strangers
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.terms import Flag

Unit = Literal["reading", "hip_visit"]
Key = TypeVar("Key", bound=tuple[str, ...])

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
            if (not readers or row["reader"] in readers) and method in {None, row["method"]}
        ]
        others = strangers({str(line.row["reader"]) for line in lines if line.row}, source.protocol)
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
    made = _Columns(source, asked, lines)
    return ExportTable.of_columns(
        made.columns(),
        made.cells(),
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
    key = row.key
    course = followed.course(key.subject, key.laterality)
    is_chosen = followed.chosen.get(key[:3]) == key[3:5]
    read = ReadOf(key.reader, key.read_no, source.united.get(tuple(map(str, key[:5]))))
    at = VisitLine(course.visit(key.visit), state, is_chosen, read.is_consensus)
    return _Line(course, key.visit, at, as_it_may_leave(row, state))


def _visit_lines(followed: AnalysisSet, rows: Iterable[CohortRow]) -> Iterator[_Line]:
    """Every visit that was attended; of a hip without any, its index visit."""
    by_read = {row.key[:5]: row for row in rows if row.key.method == followed.method}
    for course in followed.courses:
        attended = [one for one in course.visits if one.was_attended]
        baseline = [one for one in course.visits if one.is_baseline]
        for one in attended or baseline or course.visits[:1]:
            read = one.read
            place = (*course.hip, one.planned.name)
            row = by_read[(*place, read.reader, read.read_no)] if read else None
            at = VisitLine(
                one, one.state, True if read else None, read.is_consensus if read else None
            )
            yield _Line(course, one.planned.name, at, row)


class _Columns:
    """Columns and values of the long table, made column by column.

    What belongs to a patient or a hip is worked out once for each, and then put to its rows.
    """

    def __init__(
        self, source: ExportSource, protocol: StudyProtocol, lines: Sequence[_Line]
    ) -> None:
        self._source = source
        self._protocol = protocol
        self._lines = lines
        self._index = ClinicalIndex.of(source.clinical)
        dated = source.dates == "shifted"
        self._clinical = {kind: clinical_columns(kind, with_dates=dated) for kind in _KINDS}
        self._rows = [line.row for line in lines]
        self._censored = np.array([line.at.state.is_censored for line in lines], bool)

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
            *(measured if None in self._rows else MEASURED_COLUMNS),
            *FACT_COLUMNS,
        )

    def cells(self) -> list[Given]:
        """The values of each column, in the order of the lines."""
        lines, facts = self._lines, self._source.facts
        places = [(*line.course.hip, line.name) for line in lines]
        names = {name: nominal_months(name, self._protocol) for _, _, name in places}
        visits = [line.at.visit for line in lines]
        hashes = [None if row is None else str(row["annotation_sha256"]) for row in self._rows]
        return [
            *key_cells(
                places,
                [names[name] for _, _, name in places],
                [None if one is None or one.days is None else int(one.days) for one in visits],
                self._rows,
            ),
            *self._clinical_cells(places),
            *self._course_cells(),
            *map(list, zip(*(visit_values(line.at) for line in lines), strict=True)),
            *self._measured_cells(),
            *fact_cells([facts.get(sha256 or "") for sha256 in hashes], self._source.secret),
        ]

    def _clinical_cells(self, places: Sequence[tuple[str, str, str]]) -> Iterator[Cells]:
        """What the clinic entered; at a censored visit nothing, whatever stands there."""
        kinds: dict[str, tuple[int, Mapping[Any, ClinicalRow]]] = {
            "subject": (1, {(subject,): row for subject, row in self._index.subjects.items()}),
            "hip": (2, self._index.hips),
            "treatment": (2, self._index.treatments),
            "visit": (3, self._index.visits),
        }
        for kind, (parts, found) in kinds.items():
            own = (place[:parts] for place in places)
            keys, which = _numbered([key if key in found else () for key in own])
            rows = [found.get(key) for key in keys]
            subjects = ["".join(key[:1]) for key in keys]
            for one in self._clinical[kind]:
                out = list(map(self._out, map(one.value, rows), subjects))
                cells = cells_of(one.column, out).take(which)
                if one.field.by == "both":
                    cells = self._with_reads(one, cells)
                censors = kind == "visit" and not one.field.private
                yield cells.without(self._censored) if censors else cells
        # and what follows from it, of the last kind: the visits
        derived = zip(*map(derived_values, rows), strict=True)
        for column, values in zip(DERIVED_COLUMNS, derived, strict=True):
            yield cells_of(column, values).take(which).without(self._censored)

    def _out(self, value: Value, subject: str) -> Value:
        """The value as it may leave: dates shifted."""
        if not isinstance(value, date):
            return value
        assert self._source.secret is not None  # noqa: S101  (build_table refuses it)
        return shifted(value, self._source.secret, subject)

    def _with_reads(self, one: ClinicalColumn, cells: Cells) -> Cells:
        """Where the clinic gives no stage, the one that the reader of the images entered."""
        read = [None if row is None else row[one.field.name] for row in self._rows]
        if one.codes is None or not any(read):
            return cells
        codes = [None if word is None else one.codes.codes[str(word)] for word in read]
        numbers = np.array(codes, dtype=np.float64)
        taken = (cells.why == PLACES[Missing.NOT_DONE]) & ~np.isnan(numbers)
        return Cells(np.where(taken, numbers, cells.values), np.where(taken, np.int8(0), cells.why))

    def _course_cells(self) -> Iterator[Cells]:
        has_events = bool(self._source.clinical.get("event"))
        courses = {line.course.hip: line.course for line in self._lines}
        _, which = _numbered([line.course.hip for line in self._lines])
        values = [
            course_values(course, self._protocol, has_events=has_events)
            for course in courses.values()
        ]
        for column, one in zip(COURSE_COLUMNS, zip(*values, strict=True), strict=True):
            yield cells_of(column, one).take(which)

    def _measured_cells(self) -> Iterator[Cells]:
        """What was measured; where the visit is censored, not applicable, and flagged."""
        replaced = np.array(
            [line.at.state is VisitState.CENSORED_THA for line in self._lines], bool
        )
        for column, cells in zip(MEASURED_COLUMNS, measured_cells(self._rows), strict=True):
            why = np.where(
                self._censored & (cells.why > 0), np.int8(PLACES[Missing.NOT_APPLICABLE]), cells.why
            )
            if column.name == f"flag_{Flag.CENSORED_BY_THA}":
                yield Cells(
                    np.where(replaced, 1.0, cells.values), np.where(replaced, np.int8(0), why)
                )
            else:
                yield Cells(cells.values, why)


def _numbered(keys: Sequence[Key]) -> tuple[list[Key], NDArray[np.intp]]:
    """Each key once, in order, and the place of each given key among them."""
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return list(places), np.array([places[key] for key in keys], np.intp)


def _notes(source: ExportSource, lines: Sequence[_Line]) -> list[str]:
    notes = []
    if source.secret is None:
        notes.append("no secret was given: image keys are empty")
    hashes = {str(line.row["annotation_sha256"]) for line in lines if line.row}
    if unknown := len(hashes - source.facts.keys()):
        notes.append(f"{unknown} reading files are not there: their columns are empty")
    methods = {str(line.row["method"]) for line in lines if line.row}
    if len(methods) > 1:
        notes.append(f"several methods, {', '.join(sorted(methods))}: never mix their angles")
    hips = {line.course.hip: line.course for line in lines}.values()
    if several := sum(course.treated.treatments > 1 for course in hips):
        notes.append(f"{several} hips had several treatments: the first one is here")
    if censored := sum(line.at.state.is_censored for line in lines):
        notes.append(f"{censored} rows after a replacement or death: without any value of the hip")
    return notes
