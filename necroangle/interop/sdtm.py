"""A trial's delivery: CDISC SDTM domains MK and PR, their relation, and define.xml.

Made of the long export table, one row a reading, so that codes, labels, missing reasons and what
may leave are those of every export. The imaging of a hip visit is a procedure (PR); what was read
on it are musculoskeletal findings (MK); RELREC ties them by their link identifiers. A finding that
is not there is a record with the status NOT DONE and one of the three reasons. Dates do not leave:
the study day is that of the export.

Sources: CDISC SDTM v2.0 and SDTMIG v3.4 for names and roles of variables, Define-XML v2.1.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from necroangle import __version__
from necroangle.errors import CohortError
from necroangle.export import ExportTable
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.storage import write_atomically

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

    def csv(self) -> bytes:
        """The records as CSV: UTF-8, comma and dot."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([one.name for one in self.variables])
        for row in self.rows:
            writer.writerow([row.get(one.name, "") for one in self.variables])
        return stream.getvalue().encode()


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


def sdtm_domains(table: ExportTable, study: str) -> tuple[Domain, ...]:
    """The domains MK, PR and RELREC of a long export table of readings.

    Parameters
    ----------
    table
        Of :func:`necroangle.export.build_table`, one row a reading.
    study
        STUDYID.

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
    pr = _numbered(procedures.values(), "PRSEQ", ("USUBJID", "PRLNKID"))
    mk = tuple({**row, "DOMAIN": "MK"} for row in mk)
    pr = tuple({**row, "DOMAIN": "PR"} for row in pr)
    return (
        Domain("MK", "Musculoskeletal System Findings", "One record per finding", _MK, mk),
        Domain("PR", "Procedures", "One record per imaging procedure", _PR, pr),
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
        "MKMETHOD": told["method"][:200],
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


# ---- files -------------------------------------------------------------------------------------

_ODM = "http://www.cdisc.org/ns/odm/v1.3"
_DEF = "http://www.cdisc.org/ns/def/v2.1"
_XLINK = "http://www.w3.org/1999/xlink"
_CODED = ("MKTESTCD", "MKSTAT", "MKREASND", "MKLAT", "MKEVAL", "PRTRT", "PRLAT", "RELTYPE")


def write_sdtm(domains: Sequence[Domain], folder: Path, study: str, when: str) -> tuple[Path, ...]:
    """Write each domain as a CSV file, and define.xml, which describes them.

    Parameters
    ----------
    domains
        Of :func:`sdtm_domains`.
    folder
        Where; made if it is not there.
    study
        STUDYID.
    when
        When they were made, ``2026-01-31T08:15:00.000Z``.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for domain in domains:
        path = folder / f"{domain.name.lower()}.csv"
        write_atomically(path, domain.csv())
        files.append(path)
    path = folder / "define.xml"
    write_atomically(path, define_xml(domains, study, when))
    return (*files, path)


def define_xml(domains: Sequence[Domain], study: str, when: str) -> bytes:
    """Define-XML 2.1 of the domains: datasets, variables, and the words of coded ones."""
    for prefix, space in (("", _ODM), ("def", _DEF), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, space)
    top = ElementTree.Element(
        f"{{{_ODM}}}ODM",
        {
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"DEFINE.{study}",
            "CreationDateTime": when,
            f"{{{_DEF}}}Context": "Submission",
        },
    )
    about = _below(top, "Study", OID=f"STUDY.{study}")
    words = _below(about, "GlobalVariables")
    for name, text in (
        ("StudyName", study),
        ("StudyDescription", "Combined necrotic angle of the femoral head"),
        ("ProtocolName", study),
    ):
        _below(words, name).text = text
    version = _below(about, "MetaDataVersion", OID="MDV.1", Name=f"necroangle {__version__}")
    version.set(f"{{{_DEF}}}DefineVersion", "2.1.0")
    _standards(version)
    coded = {one: _words_of(domains, one) for one in _CODED}
    for domain in domains:
        _item_group(version, domain)
    for domain in domains:
        for variable in domain.variables:
            _item(version, domain, variable, coded.get(variable.name, ()))
    for name, found in coded.items():
        if found:
            listed = _below(version, "CodeList", OID=f"CL.{name}", Name=name, DataType="text")
            for word in found:
                _below(listed, "EnumeratedItem", CodedValue=word)
    for domain in domains:
        leaf = ElementTree.SubElement(version, f"{{{_DEF}}}leaf", {"ID": f"LF.{domain.name}"})
        leaf.set(f"{{{_XLINK}}}href", f"{domain.name.lower()}.csv")
        ElementTree.SubElement(leaf, f"{{{_DEF}}}title").text = f"{domain.name.lower()}.csv"
    ElementTree.indent(top, " ")
    content: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _below(parent: ElementTree.Element, name: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{_ODM}}}{name}", attributes)


def _standards(version: ElementTree.Element) -> None:
    listed = ElementTree.SubElement(version, f"{{{_DEF}}}Standards")
    attributes = {"OID": "STD.1", "Name": "SDTMIG", "Type": "IG", "Version": "3.4"}
    ElementTree.SubElement(listed, f"{{{_DEF}}}Standard", {**attributes, "Status": "Final"})


def _described(parent: ElementTree.Element, words: str) -> None:
    text = _below(_below(parent, "Description"), "TranslatedText")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    text.text = words


def _item_group(version: ElementTree.Element, domain: Domain) -> None:
    group = _below(
        version,
        "ItemGroupDef",
        OID=f"IG.{domain.name}",
        Domain=domain.name,
        Name=domain.name,
        Repeating="Yes",
        IsReferenceData="No",
        SASDatasetName=domain.name,
        Purpose="Tabulation",
    )
    group.set(f"{{{_DEF}}}Structure", domain.structure)
    group.set(f"{{{_DEF}}}StandardOID", "STD.1")
    group.set(f"{{{_DEF}}}ArchiveLocationID", f"LF.{domain.name}")
    _described(group, domain.label)
    for number, variable in enumerate(domain.variables, start=1):
        _below(
            group,
            "ItemRef",
            ItemOID=f"IT.{domain.name}.{variable.name}",
            OrderNumber=str(number),
            Mandatory="Yes" if variable.role in ("Identifier", "Topic") else "No",
            Role=variable.role,
        )


def _item(
    version: ElementTree.Element, domain: Domain, variable: Variable, coded: Sequence[str]
) -> None:
    longest = max((len(str(row.get(variable.name, ""))) for row in domain.rows), default=1)
    kind = {"DataType": "float"} if variable.is_number else {"DataType": "text"}
    item = _below(
        version,
        "ItemDef",
        OID=f"IT.{domain.name}.{variable.name}",
        Name=variable.name,
        SASFieldName=variable.name,
        Length=str(max(longest, 1)),
        **kind,
    )
    _described(item, variable.label)
    if coded:
        _below(item, "CodeListRef", CodeListOID=f"CL.{variable.name}")


def _words_of(domains: Sequence[Domain], name: str) -> tuple[str, ...]:
    found = {str(row[name]) for domain in domains for row in domain.rows if row.get(name)}
    return tuple(sorted(found))
