"""The analysis set of a cohort that is kept, and its measured rows as they may leave it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from necroangle.analysis.courses import (
    AnalysisSet,
    HipCourse,
    PlainRow,
    ReadingId,
    United,
    analysis_set,
    shows_prosthesis,
)
from necroangle.clinical import clinical_tables
from necroangle.decoding import from_json
from necroangle.entries import KEYS
from necroangle.ledger.records import Record
from necroangle.ledger.store import CohortStore
from necroangle.measurement.columns import COLUMNS
from necroangle.measurement.row import Cell, CohortRow
from necroangle.protocol.ending import VisitState, state_at
from necroangle.protocol.noise import StudyNoise
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.protocol.visits import Visit
from necroangle.study import Study
from necroangle.terms import Flag, UnreadReason


class _Place(msgspec.Struct):
    """The hip visit of a reading file, whatever else stands in it."""

    subject: str
    laterality: str
    visit: str


_DECODER = msgspec.json.Decoder(_Place)
_AFTER_THA = {"a_status": UnreadReason.PROSTHESIS.value, "b_status": UnreadReason.PROSTHESIS.value}
_AFTER_DEATH = {"a_status": UnreadReason.NOT_DONE.value, "b_status": UnreadReason.NOT_DONE.value}


def analysis_of(
    store: CohortStore,
    protocol: StudyProtocol = NO_STUDY,
    rows: Iterable[CohortRow] | None = None,
    records: Mapping[str, Iterable[Record]] | None = None,
) -> AnalysisSet:
    """The analysis set of a kept cohort.

    Parameters
    ----------
    store, protocol
        The cohort, and the study's rules.
    rows, records
        Its rows, and its clinical records by kind, where they have been read.

    Raises
    ------
    CohortError
        As :func:`necroangle.analysis.courses.analysis_set`.
    """
    found = store.rows() if rows is None else rows
    clinical = clinical_tables(store, records)
    return analysis_set(found, clinical, protocol, united_readings(store))


def rows_that_leave(
    store: CohortStore,
    protocol: StudyProtocol = NO_STUDY,
    subjects: Collection[str] | None = None,
) -> list[tuple[CohortRow, VisitState]]:
    """Every measured row as it may leave the cohort, with the state of its visit, by key.

    With ``subjects``, the rows of these alone: the state of a visit follows from its own patient.
    """
    kept = store.rows() if subjects is None else store.rows_of(subjects).values()
    united = united_readings(store)
    found = followed_rows(kept, clinical_tables(store), protocol, united, with_changes=False)
    rows = [(as_it_may_leave(row, state), state) for row, state, _ in found]
    return sorted(rows, key=lambda one: one[0].key)


def states_of_hip(
    store: CohortStore, subject: str, laterality: str, protocol: StudyProtocol = NO_STUDY
) -> dict[str, VisitState]:
    """The state of every visit of one hip, planned or held, by its name.

    Only this patient's rows and records are read, so that a window may ask for it.

    Raises
    ------
    CohortError
        As :func:`necroangle.analysis.courses.analysis_set`.
    """
    rows = store.rows_of([subject]).values()
    method = protocol.method or min((row.key.method for row in rows), default=None)
    records = {
        kind: [
            {**dict(zip(KEYS[kind], record.key, strict=True)), **record.values}
            for record in store.current(kind, (subject,))
        ]
        for kind in KEYS
    }
    own = [row for row in rows if row.key.method == method]
    found = analysis_set(own, records, protocol.overridden({"method": method}))
    return {
        one.planned.name: one.state
        for course in (*found.courses, *found.others)
        if course.hip == (subject, laterality)
        for one in course.visits
    }


def states_in_study(study: Study | None, subject: str, laterality: str) -> dict[str, VisitState]:
    """Likewise in a study's cohort; nothing where there is no study, or no cohort yet.

    Raises
    ------
    CohortError
        If the cohort cannot be read.
    """
    if study is None or (isinstance(study.cohort, Path) and not study.cohort.is_file()):
        return {}
    with CohortStore.open(study.cohort, create=False) as store:
        return states_of_hip(store, subject, laterality, study.protocol)


def noise_in_study(study: Study | None, method: str) -> StudyNoise:
    """Measuring error of a method from the reads in a study's cohort; nothing where there is none.

    Raises
    ------
    CohortError
        If the cohort cannot be read.
    """
    if study is None or (isinstance(study.cohort, Path) and not study.cohort.is_file()):
        return StudyNoise()
    with CohortStore.open(study.cohort, create=False) as store:
        rows = [row for row in store.rows() if row.key.method == method]
        if not rows:
            return StudyNoise()
        protocol = study.protocol.overridden({"method": method})
        found = analysis_set(rows, clinical_tables(store), protocol, united_readings(store))
        return found.study_noise


def united_readings(store: CohortStore) -> dict[ReadingId, frozenset[str]]:
    """Each reading that names others that it unites, with those that are kept.

    A reading is kept where the ledger has its bytes, also those of an older revision, and counts
    only for its own hip visit.
    """
    named = store.uniting_readings()
    wanted = {sha256 for others, _ in named.values() for sha256 in others}
    visits = {}
    for sha256, raw in store.contents(wanted) if wanted else ():
        place = from_json(raw, _DECODER)
        visits[sha256] = (place.subject, place.laterality, place.visit)
    return {
        key: frozenset(one for one in others if one != own and visits.get(one) == key[:3])
        for key, (others, own) in named.items()
    }


def followed_rows(
    rows: Iterable[CohortRow],
    clinical: Mapping[str, Sequence[PlainRow]],
    protocol: StudyProtocol = NO_STUDY,
    united: United | None = None,
    *,
    with_changes: bool = True,
) -> Iterator[tuple[CohortRow, VisitState, AnalysisSet]]:
    """Every measured row, of any reader and method, with the state of its hip visit.

    Each method is followed by itself, for a hip visit's angle is by one method. ``with_changes``
    as for :func:`necroangle.analysis.courses.analysis_set`.
    """
    ordered = sorted(rows, key=_method)
    for (method, _), some in groupby(ordered, key=_method):
        own = list(some)
        by_method = protocol.overridden({"method": method})
        found = analysis_set(own, clinical, by_method, united or {}, with_changes=with_changes)
        for row in own:
            course = found.course(str(row["subject"]), str(row["laterality"]))
            yield row, _state(row, course), found


def _method(row: CohortRow) -> tuple[str, str]:
    return str(row["method"]), str(row["method_version"])


def _state(row: CohortRow, course: HipCourse) -> VisitState:
    """State of a row: of its hip visit; by nominal time where nobody of the study read it."""
    if shows_prosthesis(row):
        return VisitState.CENSORED_THA
    name = str(row["visit"])
    visit = course.visit(name)
    if visit is not None and visit.state not in (VisitState.MISSING, VisitState.LOST):
        return visit.state
    place = visit.place_days if visit is not None else Visit(name).nominal_days
    has_angle = row["cna_deg"] is not None
    return state_at(course.ending, place, None, has_data=True, has_angle=has_angle)


def as_it_may_leave(row: CohortRow, state: VisitState) -> CohortRow:
    """The row, and where its visit is censored without anything that was measured or entered.

    After a replacement its views say ``prosthesis`` and the hip is flagged ``censored_by_tha``;
    after death they say ``not_done``.
    """
    if not state.is_censored:
        return row
    replaced = state is VisitState.CENSORED_THA
    values: dict[str, Cell] = {
        column.name: None if column.need == "maybe" else row[column.name] for column in COLUMNS
    }
    values |= _AFTER_THA if replaced else _AFTER_DEATH
    raised = [Flag.VIEW_NOT_READ, *([Flag.CENSORED_BY_THA] if replaced else [])]
    values |= {"flags": " ".join(raised), "index_refused": ""}
    return CohortRow.of(values)
