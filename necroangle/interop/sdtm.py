"""A trial's delivery: CDISC SDTM domains MK and PR, and their relation.

Made of the long export table, one row a reading, so that codes, labels, missing reasons and what
may leave are those of every export. The imaging of a hip visit is a procedure (PR); what was read
on it are musculoskeletal findings (MK); RELREC ties them by their link identifiers. A finding that
is not there is a record with the status NOT DONE and one of the three reasons. Treatments and
replacements of the hip are procedures, too. Dates do not leave: an operation has its study day.

Sources: CDISC SDTM v2.0 and SDTMIG v3.4 for names and roles of variables.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from necroangle.analysis.courses import HipCourse
from necroangle.entries import KINDS_OF_EVENT, field_named
from necroangle.errors import CohortError
from necroangle.export import ExportTable
from necroangle.export.clinical import day_of
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.protocol.dates import days_from
from necroangle.protocol.hips import HipKey

Row = dict[str, str | float]

_LAST_TEST = re.compile(r"[^A-Z0-9]")
_FINDINGS = (
    ("cna_cor_deg", "NECANGC", "Necrotic Angle, Coronal or AP View"),
    ("cna_sag_deg", "NECANGS", "Necrotic Angle, Sagittal or Lateral View"),
    ("cna_deg", "CNA", "Combined Necrotic Angle"),
    ("cna_grade", "HAGRADE", "Modified Kerboul Grade (Ha 2006)"),
    ("cna_risk", "HARISK", "Risk of Collapse (Ha 2006)"),
    ("kerboul", "KERBOUL", "Kerboul Size (1974)"),
)
"""Columns of the export with their test code, at most 8 letters, and test name, at most 40."""

_READ = re.compile(r"_read$")
_UNITS = {"deg": "deg", "mm": "mm", "": ""}
_REASONS = {
    Missing.NOT_APPLICABLE: "NOT APPLICABLE",
    Missing.NOT_READABLE: "IMAGE NOT READABLE",
    Missing.NOT_DONE: "NOT DONE",
}
_MODALITIES = {"MR": "MRI", "RADIOGRAPH": "X-RAY"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a domain: name, label, type, and how it is used."""

    name: str
    label: str
    role: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain with its records, in the order of their keys."""

    name: str
    label: str
    structure: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A treatment or a replacement of a hip; its study day is None where a date is not known."""

    hip: HipKey
    name: str
    study_day: int | None


_ID = (
    Variable("STUDYID", "Study Identifier", "Identifier"),
    Variable("DOMAIN", "Domain Abbreviation", "Identifier"),
    Variable("USUBJID", "Unique Subject Identifier", "Identifier"),
)
_WHEN = (
    Variable("VISITNUM", "Visit Number", "Timing", is_number=True),
    Variable("VISIT", "Visit Name", "Timing"),
)
_MK = (
    *_ID,
    Variable("MKSEQ", "Sequence Number", "Identifier", is_number=True),
    Variable("MKLNKID", "Link ID", "Identifier"),
    Variable("MKTESTCD", "Musculoskeletal Test Short Name", "Topic"),
    Variable("MKTEST", "Musculoskeletal Test Name", "Synonym Qualifier"),
    Variable("MKORRES", "Result or Finding in Original Units", "Result Qualifier"),
    Variable("MKORRESU", "Original Units", "Variable Qualifier"),
    Variable("MKSTRESC", "Character Result/Finding in Std Format", "Result Qualifier"),
    Variable("MKSTRESN", "Numeric Result/Finding in Standard Units", "Result Qualifier", True),
    Variable("MKSTRESU", "Standard Units", "Variable Qualifier"),
    Variable("MKSTAT", "Completion Status", "Record Qualifier"),
    Variable("MKREASND", "Reason Not Done", "Record Qualifier"),
    Variable("MKLOC", "Location Used for Measurement", "Record Qualifier"),
    Variable("MKLAT", "Laterality", "Variable Qualifier"),
    Variable("MKMETHOD", "Method of Test or Examination", "Record Qualifier"),
    Variable("MKEVAL", "Evaluator", "Record Qualifier"),
    Variable("MKEVALID", "Evaluator Identifier", "Variable Qualifier"),
    Variable("MKREPNUM", "Repetition Number", "Record Qualifier", is_number=True),
    *_WHEN,
)
_PR = (
    *_ID,
    Variable("PRSEQ", "Sequence Number", "Identifier", is_number=True),
    Variable("PRLNKID", "Link ID", "Identifier"),
    Variable("PRTRT", "Reported Name of Procedure", "Topic"),
    Variable("PRCAT", "Category", "Grouping Qualifier"),
    Variable("PRLOC", "Location of Procedure", "Record Qualifier"),
    Variable("PRLAT", "Laterality", "Variable Qualifier"),
    *_WHEN,
    Variable("PRSTDY", "Study Day of Start of Procedure", "Timing", is_number=True),
)
_RELREC = (
    Variable("STUDYID", "Study Identifier", "Identifier"),
    Variable("RDOMAIN", "Related Domain Abbreviation", "Identifier"),
    Variable("USUBJID", "Unique Subject Identifier", "Identifier"),
    Variable("IDVAR", "Identifying Variable", "Identifier"),
    Variable("IDVARVAL", "Identifying Variable Value", "Identifier"),
    Variable("RELTYPE", "Relationship Type", "Record Qualifier"),
    Variable("RELID", "Relationship Identifier", "Record Qualifier"),
)


_NO_OPERATION = {"conservative"}


def operations_of(
    treatments: Iterable[Mapping[str, object]], courses: Iterable[HipCourse]
) -> tuple[Operation, ...]:
    """The treatments and replacements of hips, with their study day: the index day is day 1.

    Parameters
    ----------
    treatments
        The clinic's rows of treatments. A conservative treatment is no procedure.
    courses
        The courses of the hips: they hold the index day and the replacements.
    """
    placed = {course.hip: course for course in courses}
    choices = field_named("treatment", "treatment").choices
    found = []
    for row in treatments:
        hip, word = HipKey(str(row["subject"]), str(row["laterality"])), row.get("treatment")
        if not word or word in _NO_OPERATION:
            continue
        course = placed.get(hip)
        day = days_from(course.index_day if course else None, day_of(row, "treatment_date"))
        name = choices.label(str(word)) if choices is not None else str(word)
        found.append(Operation(hip, name.upper(), _study_day(day)))
    replaced = KINDS_OF_EVENT.label("tha").upper()
    for hip, course in placed.items():
        for event in course.events:
            if event.event == "tha":
                day = days_from(course.index_day, event.day)
                found.append(Operation(hip, replaced, _study_day(day)))
    return tuple(found)


def _study_day(days: int | None) -> int | None:
    """SDTM has no day 0: the index day is day 1, the day before it -1."""
    return days if days is None or days < 0 else days + 1


def sdtm_domains(
    table: ExportTable, study: str, operations: Sequence[Operation] = ()
) -> tuple[Domain, ...]:
    """The domains MK, PR and RELREC of a long export table of readings.

    Parameters
    ----------
    table
        Of :func:`necroangle.export.build_table`, one row a reading.
    study
        STUDYID.
    operations
        Of :func:`operations_of`.

    Raises
    ------
    CohortError
        If the table is of another shape.
    """
    places = {column.name: place for place, column in enumerate(table.columns)}
    needed = ("patient_id", "side", "visit", "reader_id", "read_no", "method", "modality")
    missing = [name for name in needed if name not in places]
    if missing:
        raise CohortError(f"no long table of readings: no column {', '.join(missing)}")
    tests = tuple(_tests(table.columns))
    visits = _visit_numbers(table, places)
    findings: list[Row] = []
    procedures: dict[tuple[str, ...], Row] = {}
    for values in table.rows:
        told = {one.name: _shown(one, v) for one, v in zip(table.columns, values, strict=True)}
        shared = _shared(told, study, visits)
        link = "-".join((told["side"][:1].upper(), told["visit"], told["modality"].upper()))
        procedures.setdefault((shared["USUBJID"], link), _procedure(told, shared, link))
        for place, code, name in tests:
            findings.append(
                _finding(table.columns[place], values[place], code, name)
                | shared
                | _evaluated(told, link)
            )
    mk = _numbered(findings, "MKSEQ", ("USUBJID", "MKLNKID", "MKEVALID", "MKREPNUM", "MKMETHOD"))
    operated = [_operation(one, study) for one in operations]
    pr = _numbered([*procedures.values(), *operated], "PRSEQ", ("USUBJID", "PRLNKID", "PRTRT"))
    mk = tuple({**row, "DOMAIN": "MK"} for row in mk)
    pr = tuple({**row, "DOMAIN": "PR"} for row in pr)
    return (
        Domain("MK", "Musculoskeletal System Findings", "One record per finding", _MK, mk),
        Domain("PR", "Procedures", "One record per procedure", _PR, pr),
        Domain(
            "RELREC", "Related Records", "One record per related dataset", _RELREC, _ties(study)
        ),
    )


def _tests(columns: Sequence[ExportColumn]) -> Iterator[tuple[int, str, str]]:
    """What is delivered: place of the column, test code and test name."""
    places = {column.name: place for place, column in enumerate(columns)}
    taken = set()
    for name, code, words in _FINDINGS:
        if name in places:
            taken.add(code)
            yield places[name], code, words
    for place, column in enumerate(columns):
        if column.level == "reading" and _READ.search(column.name) and column.values:
            stem = _LAST_TEST.sub("", column.name.upper().removesuffix("_READ"))
            code = stem[:8] if stem[:8] not in taken else f"{stem[:7]}2"
            taken.add(code)
            yield place, code, column.label[:40]


def _shown(column: ExportColumn, value: Value) -> str:
    if isinstance(value, Missing):
        return ""
    labels = dict(column.values)
    return labels.get(value, str(value)) if isinstance(value, int) else str(value)


def _visit_numbers(table: ExportTable, places: Mapping[str, int]) -> dict[str, int]:
    """Visits in the order of their months, from 1; those without months come last."""
    months: dict[str, float] = {}
    at = places.get("months_nominal")
    for values in table.rows:
        month = values[at] if at is not None else Missing.NOT_DONE
        number = float(month) if isinstance(month, int | float) else float("inf")
        months.setdefault(str(values[places["visit"]]), number)
    ordered = sorted(months, key=lambda name: (months[name], name))
    return {name: number for number, name in enumerate(ordered, start=1)}


def _shared(told: Mapping[str, str], study: str, visits: Mapping[str, int]) -> dict[str, str]:
    return {
        "STUDYID": study,
        "USUBJID": f"{study}-{told['patient_id']}",
        "VISITNUM": str(visits[told["visit"]]),
        "VISIT": told["visit"].upper(),
    }


def _procedure(told: Mapping[str, str], shared: Mapping[str, str], link: str) -> Row:
    modality = told["modality"].upper()
    return {
        **shared,
        "PRLNKID": link,
        "PRTRT": _MODALITIES.get(modality, modality),
        "PRCAT": "IMAGING",
        "PRLOC": "HIP JOINT",
        "PRLAT": told["side"].upper(),
    }


def _operation(one: Operation, study: str) -> Row:
    row: Row = {
        "STUDYID": study,
        "USUBJID": f"{study}-{one.hip.subject}",
        "PRTRT": one.name,
        "PRCAT": "SURGERY",
        "PRLOC": "HIP JOINT",
        "PRLAT": {"L": "LEFT", "R": "RIGHT"}.get(one.hip.laterality, ""),
    }
    return row if one.study_day is None else row | {"PRSTDY": one.study_day}


def _finding(column: ExportColumn, value: Value, code: str, name: str) -> Row:
    row: Row = {"MKTESTCD": code, "MKTEST": name}
    if isinstance(value, Missing):
        return row | {"MKSTAT": "NOT DONE", "MKREASND": _REASONS[value]}
    unit = _UNITS.get(column.unit, column.unit)
    if column.values or isinstance(value, str):
        shown = _shown(column, value)
        return row | {"MKORRES": shown, "MKSTRESC": shown}
    text = f"{value:.6f}" if isinstance(value, float) else str(value)
    number = {"MKORRES": text, "MKSTRESC": text, "MKSTRESN": text}
    return row | number | ({"MKORRESU": unit, "MKSTRESU": unit} if unit else {})


def _evaluated(told: Mapping[str, str], link: str) -> Row:
    is_united = told.get("consensus", "").startswith(("1", "yes"))
    return {
        "MKLNKID": link,
        "MKLOC": "FEMUR, HEAD",
        "MKLAT": told["side"].upper(),
        "MKMETHOD": told["method"],
        "MKEVAL": "ADJUDICATOR" if is_united else "INDEPENDENT ASSESSOR",
        "MKEVALID": told["reader_id"],
        "MKREPNUM": told["read_no"],
    }


def _numbered(rows: object, name: str, keys: Sequence[str]) -> tuple[Row, ...]:
    """The records in the order of their keys, numbered from 1 in each subject."""
    given: list[Row] = list(rows)  # type: ignore[call-overload]
    given.sort(key=lambda row: tuple(str(row.get(key, "")) for key in keys))
    count: Counter[str] = Counter()
    numbered = []
    for row in given:
        count[str(row["USUBJID"])] += 1
        numbered.append({**row, name: count[str(row["USUBJID"])]})
    return tuple(numbered)


def _ties(study: str) -> tuple[Row, ...]:
    """The two datasets are related by their link identifiers: one procedure, many findings."""
    shared: Row = {"STUDYID": study, "USUBJID": "", "IDVARVAL": "", "RELID": "IMAGING"}
    return (
        {**shared, "RDOMAIN": "PR", "IDVAR": "PRLNKID", "RELTYPE": "ONE"},
        {**shared, "RDOMAIN": "MK", "IDVAR": "MKLNKID", "RELTYPE": "MANY"},
    )
