"""Which studies are asked for, and what a server says of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from necroangle.clinical.raw_table import RawTable
from necroangle.clinical.table_files import read_table
from necroangle.errors import CohortError
from necroangle.pacs.arrivals import is_uid

COLUMNS = ("study_uid", "accession", "patient_id", "study_date")
"""Columns of a list of studies; others are passed over."""

MAX_QUERIES = 10_000
_LONGEST = 64
_DATE = re.compile(r"\d{8}(-(\d{8})?)?|-\d{8}")
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    r"""One study, or the studies of a patient: what is not empty must match.

    Its values are never shown: ``repr`` and messages hold its place alone.

    Parameters
    ----------
    study_uid, accession, patient_id
        One of these at least.
    study_date
        ``20240131``, a range ``20240101-20241231``, ``20240101-`` or ``-20241231``.
    place
        Where it stands, for messages: ``row 3``.

    Raises
    ------
    CohortError
        If it could match more than is meant: nothing is given, or a value holds a wildcard.

    Examples
    --------
    >>> Query(accession="A1", place="row 2")
    Query(row 2)
    >>> Query(accession="*", place="row 2")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: row 2: accession: * ? and \ would match other studies, too
    """

    study_uid: str = ""
    accession: str = ""
    patient_id: str = ""
    study_date: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        place = f"{self.place}: " if self.place else ""
        if not (self.study_uid or self.accession or self.patient_id):
            raise CohortError(f"{place}no study_uid, accession or patient_id: nothing to look for")
        if self.study_uid and not is_uid(self.study_uid):
            raise CohortError(f"{place}study_uid: no valid UID")
        if self.study_date and not _DATE.fullmatch(self.study_date):
            raise CohortError(f"{place}study_date: not like 20240131 or 20240101-20241231")
        for column in ("accession", "patient_id"):
            value = getattr(self, column)
            if any(letter in value for letter in "*?\\"):
                raise CohortError(f"{place}{column}: * ? and \\ would match other studies, too")
            if len(value) > _LONGEST or not value.isprintable():
                raise CohortError(f"{place}{column}: at most {_LONGEST} letters, none of control")

    def __repr__(self) -> str:
        return f"Query({self.place})"

    def filters(self) -> dict[str, str]:
        """DICOM keywords and values, without those that are empty."""
        values = {
            "StudyInstanceUID": self.study_uid,
            "AccessionNumber": self.accession,
            "PatientID": self.patient_id,
            "StudyDate": self.study_date,
        }
        return {keyword: value for keyword, value in values.items() if value}


@dataclass(frozen=True, slots=True, repr=False)
class FoundStudy:
    """What a server says of a study; all but modalities and counts identifies the patient."""

    study_uid: str
    patient_id: str = ""
    accession: str = ""
    study_date: str = ""
    patient_name: str = ""
    description: str = ""
    modalities: tuple[str, ...] = ()
    series: int | None = None
    objects: int | None = None

    def __repr__(self) -> str:
        return f"FoundStudy({'/'.join(self.modalities)}, {self.objects} objects)"


def matching(query: Query, found: Iterable[FoundStudy]) -> Iterator[FoundStudy]:
    """The studies that are those asked for: some servers pass over what they cannot search.

    Examples
    --------
    >>> others = [FoundStudy("1.2", accession="A1"), FoundStudy("1.3", accession="A2")]
    >>> [study.study_uid for study in matching(Query(accession="A1"), others)]
    ['1.2']
    """
    for study in found:
        pairs = (
            (query.study_uid, study.study_uid),
            (query.accession, study.accession),
            (query.patient_id, study.patient_id),
        )
        is_asked = all(not asked or asked.strip() == said.strip() for asked, said in pairs)
        if is_asked and _within(study.study_date, query.study_date):
            yield study


def _within(date: str, asked: str) -> bool:
    if not asked or not date:
        return True
    first, dash, last = asked.partition("-")
    return (first or "0") <= date <= (last or "9") if dash else date == first


def read_study_list(path: Path) -> list[Query]:
    """Read a list of studies: CSV, TSV, XLSX, XLS or ODS with a heading row.

    Parameters
    ----------
    path
        Columns ``study_uid``, ``accession``, ``patient_id``, ``study_date``: one of the first three
        at least. What stands in a row must all match.

    Raises
    ------
    CohortError
        Naming file and row, never a value.
    """
    table = _table(path)
    fatal = [str(problem) for problem in table.problems if problem.severity == "fatal"]
    if fatal:
        raise CohortError(f"{path.name}: {fatal[0]}")
    places = _places(table, path.name)
    queries = [_query(row.cells, places, f"row {row.number}", path.name) for row in table.rows]
    if not queries:
        raise CohortError(f"{path.name}: no row below the heading row")
    if len(queries) > MAX_QUERIES:
        raise CohortError(f"{path.name}: more than {MAX_QUERIES} rows; split the list")
    return queries


def _table(path: Path) -> RawTable:
    """The list; one of a single column has nothing that parts its columns."""
    known = frozenset(COLUMNS)
    try:
        return read_table(path, expected=known, known=known)
    except CohortError as error:
        try:
            table = read_table(path, delimiter=",", expected=known)
        except CohortError:
            raise error from None
        if len(table.headings) > 1 or _plain(table.headings[0]) not in known:
            raise
        return table


def _plain(heading: str) -> str:
    return heading.strip().lower().replace(" ", "_")


def _places(table: RawTable, file: str) -> dict[str, int]:
    headings = list(map(_plain, table.headings))
    places = {column: headings.index(column) for column in COLUMNS if column in headings}
    if not places.keys() - {"study_date"}:
        raise CohortError(f"{file}: no column study_uid, accession or patient_id")
    return places


def _query(cells: Sequence[str], places: dict[str, int], place: str, file: str) -> Query:
    values = {column: cells[at] for column, at in places.items()}
    values["study_date"] = _ISO_DATE.sub(r"\1\2\3", values.get("study_date", ""))
    try:
        return Query(**values, place=place)
    except CohortError as error:
        raise CohortError(f"{file}: {error}") from None
