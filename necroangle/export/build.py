"""From rows of the cohort and clinical rows to one table: one row per reading, or per hip visit."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from necroangle.errors import CohortError
from necroangle.export.clinical import ClinicalIndex, ClinicalRow
from necroangle.export.keys import KEY_COLUMNS, READING_KEYS
from necroangle.export.row_builder import ExportSource, Line, RowBuilder
from necroangle.export.table import ExportTable
from necroangle.ledger.hip_visits import HipVisit, choose_hip_visits
from necroangle.measurement.row import CohortRow

__all__ = ["Unit", "build_table"]

Unit = Literal["reading", "hip_visit"]

_UNITS = {
    "reading": "one reading: hip, visit, reader, read and method",
    "hip_visit": "one visit of one hip",
}


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
        ``"reading"``: every reading by every method. ``"hip_visit"``: every visit of a hip, with
        or without a reading, chosen by
        :func:`necroangle.ledger.hip_visits.choose_hip_visits`: the consensus, else the first
        read of the first stated reader.
    readers
        The readers that count, all where none is named; for hip visits the first one first.
    method
        Only the measurements by this method.

    Raises
    ------
    CohortError
        If a hip visit was measured by several methods and none is chosen, nothing is left, dates
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
    rows = [row for row in source.rows if method in {None, row.key.method}]
    index = ClinicalIndex.of(source.clinical)
    notes: tuple[str, ...] = ()
    if unit == "reading":
        chosen = [row for row in rows if not readers or row.key.reader in readers]
        lines = [Line(*row.key[:3], row) for row in chosen]
    else:
        visits = _visits_by_one_method(rows, source, readers)
        lines, notes = _with_clinical_visits(visits, index), _rules(visits)
    if not lines:
        raise CohortError("there is nothing to export: no row of the cohort table is chosen")
    builder = RowBuilder(source, index, lines)
    return ExportTable.of(
        builder.columns(),
        map(builder.values, lines),
        unit=_UNITS[unit],
        keys=len(KEY_COLUMNS) - (0 if unit == "reading" else len(READING_KEYS)),
        notes=(*notes, *_notes(source, lines)),
    )


def _visits_by_one_method(
    rows: Sequence[CohortRow], source: ExportSource, readers: Sequence[str]
) -> tuple[HipVisit, ...]:
    """The chosen readings, all by one method: two methods' angles never share a column."""
    visits = choose_hip_visits(rows, source.consensus, readers)
    methods = Counter(visit.row.key[:3] for visit in visits)
    place, times = methods.most_common(1)[0] if methods else ((), 0)
    if times > 1:
        names = sorted({visit.row.key.method for visit in visits if visit.row.key[:3] == place})
        raise CohortError(
            f"{' '.join(map(str, place))}: measured by several methods, {', '.join(names)}; choose "
            "one with --method"
        )
    return visits


def _with_clinical_visits(visits: Sequence[HipVisit], index: ClinicalIndex) -> list[Line]:
    """One line per hip visit of a reading or of the clinical rows."""
    read = {visit.row.key[:3]: visit.row for visit in visits}
    return [Line(*place, read.get(place)) for place in dict.fromkeys([*read, *index.visits])]


def _rules(visits: Sequence[HipVisit]) -> tuple[str, ...]:
    rules = Counter(visit.rule for visit in visits)
    said = (f"{rule} ({times})" for rule, times in sorted(rules.items()))
    return (f"reading of a hip visit: {'; '.join(said)}",) if rules else ()


def _notes(source: ExportSource, lines: Sequence[Line]) -> list[str]:
    notes = []
    if source.secret is None:
        notes.append("no secret was given: image keys are empty")
    hashes = {str(line.row["annotation_sha256"]) for line in lines if line.row}
    if unknown := len(hashes - source.facts.keys()):
        notes.append(f"{unknown} reading files are not at hand: their facts are empty")
    methods = {line.row.key.method for line in lines if line.row}
    if len(methods) > 1:
        notes.append(f"several methods, {', '.join(sorted(methods))}: never mix their angles")
    treated = Counter((row["subject"], row["laterality"]) for row in _treatments(source))
    if several := sum(times > 1 for times in treated.values()):
        notes.append(f"{several} hips had several treatments: the first one is here")
    return notes


def _treatments(source: ExportSource) -> Sequence[ClinicalRow]:
    return source.clinical.get("treatment", ())
