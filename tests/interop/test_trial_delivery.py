"""SDTM domains of the cohort: keys, reasons, relation, and a define.xml that describes them."""

import csv
import dataclasses
import io
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from exportmaker import CLINICAL, readings, source_of

from necroangle.analysis.courses import analysis_set
from necroangle.export import build_table
from necroangle.export.columns import Missing
from necroangle.interop.sdtm import Domain, Operation, Row, operations_of, sdtm_domains
from necroangle.interop.sdtm_files import define_xml, domain_xpt, write_sdtm
from necroangle.protocol.hips import HipKey

pyreadstat = pytest.importorskip("pyreadstat", reason='needs the extra "export"')

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
XLINK = "{http://www.w3.org/1999/xlink}"
WHEN = "2026-01-31T08:15:00.000Z"


@pytest.fixture(scope="module")
def domains() -> dict[str, Domain]:
    table = build_table(source_of(readings()))
    return {one.name: one for one in sdtm_domains(table, "ONFH", OPERATIONS)}


OPERATIONS = (
    Operation(HipKey("NA", "R"), "CORE DECOMPRESSION", 1),
    Operation(HipKey("NA", "R"), "TOTAL HIP ARTHROPLASTY", None),
)


def in_ascii(domain: Domain) -> Domain:
    """With another name for the subject whose name a transport file cannot hold."""
    rows: list[Row] = [
        {
            name: str(x).replace("홍길동", "S-07") if isinstance(x, str) else x
            for name, x in row.items()
        }
        for row in domain.rows
    ]
    return dataclasses.replace(domain, rows=tuple(rows))


def test_every_value_of_the_export_is_a_finding(domains: dict[str, Domain]) -> None:
    table: Any = build_table(source_of(readings()))
    at = {column.name: place for place, column in enumerate(table.columns)}
    codes = dict(table.columns[at["method"]].values)
    rows: Any = domains["MK"].rows
    found: dict[Any, Any] = {
        (row["USUBJID"], row["MKLAT"][:1], row["VISIT"], row["MKEVALID"], row["MKMETHOD"]): row
        for row in rows
        if row["MKTESTCD"] == "CNA"
    }
    assert len(found) == len(table.rows)
    for values in table.rows:
        side = dict(table.columns[at["side"]].values)[values[at["side"]]]
        row = found[
            f"ONFH-{values[at['patient_id']]}",
            side[:1].upper(),
            str(values[at["visit"]]).upper(),
            values[at["reader_id"]],
            codes[values[at["method"]]],
        ]
        value = values[at["cna_deg"]]
        if isinstance(value, Missing):
            assert row["MKSTAT"] == "NOT DONE"
            assert row["MKREASND"] in ("NOT APPLICABLE", "IMAGE NOT READABLE", "NOT DONE")
            assert "MKORRES" not in row
        else:
            assert float(row["MKSTRESN"]) == pytest.approx(value, abs=1e-6)
            assert (row["MKORRESU"], "MKSTAT" in row) == ("deg", False)


def test_keys_codes_and_links_hold(domains: dict[str, Domain]) -> None:
    mk: Any = domains["MK"].rows
    pr, ties = domains["PR"].rows, domains["RELREC"].rows
    for rows, name in ((mk, "MKSEQ"), (pr, "PRSEQ")):
        keys = [(row["USUBJID"], row[name]) for row in rows]
        assert len(set(keys)) == len(keys)
    imaging = [row for row in pr if row["PRCAT"] == "IMAGING"]
    procedures = {(row["USUBJID"], row["PRLNKID"]) for row in imaging}
    assert {(row["USUBJID"], row["MKLNKID"]) for row in mk} == procedures
    assert len(procedures) == len(imaging) == len(pr) - len(OPERATIONS)
    assert [(row["RDOMAIN"], row["IDVAR"], row["RELTYPE"]) for row in ties] == [
        ("PR", "PRLNKID", "ONE"),
        ("MK", "MKLNKID", "MANY"),
    ]
    names = {row["MKTESTCD"]: row["MKTEST"] for row in mk}
    assert all(len(code) <= 8 and len(name) <= 40 for code, name in names.items())
    assert len(set(names.values())) == len(names)
    assert {"CNA", "NECANGC", "NECANGS", "HAGRADE", "ARCO", "JIC", "JICSTAGE"} <= set(names)
    assert {row["MKLAT"] for row in mk} <= {"LEFT", "RIGHT"}


def test_files_and_their_description_agree(domains: dict[str, Domain], tmp_path: Path) -> None:
    listed = [in_ascii(one) for one in domains.values()]
    written = write_sdtm(listed, tmp_path, "ONFH", WHEN)
    names = ["mk.csv", "mk.xpt", "pr.csv", "pr.xpt", "relrec.csv", "relrec.xpt", "define.xml"]
    assert [file.name for file in written.files] == names
    assert written.refused == ()
    top = ElementTree.fromstring(written.files[-1].read_bytes())
    leaves = [one.get(f"{XLINK}href") for one in top.iter(f"{DEF}leaf")]
    assert leaves == ["mk.xpt", "pr.xpt", "relrec.xpt"]
    files = [file for file in written.files if file.suffix == ".csv"]
    items = {one.get("OID"): one for one in top.iter(f"{ODM}ItemDef")}
    lists = {
        one.get("OID"): {item.get("CodedValue") for item in one}
        for one in top.iter(f"{ODM}CodeList")
    }
    for group, file in zip(top.iter(f"{ODM}ItemGroupDef"), files, strict=True):
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
        described = [items[one.get("ItemOID")] for one in group.iter(f"{ODM}ItemRef")]
        assert list(rows[0]) == [one.get("Name") for one in described]
        for one in described:
            name = str(one.get("Name"))
            assert len(name) <= 8
            values = {row[name] for row in rows} - {""}
            assert max(map(len, values), default=0) <= int(one.get("Length") or 0)
            for reference in one.iter(f"{ODM}CodeListRef"):
                assert values <= lists[reference.get("CodeListOID")]
    transports = {one.name: f"{one.name.lower()}.xpt" for one in listed}
    again = define_xml(listed, "ONFH", WHEN, transports)
    assert again == written.files[-1].read_bytes()


def test_transport_files_come_back_equal(domains: dict[str, Domain], tmp_path: Path) -> None:
    """By two other programs; and the same records give the same bytes."""
    path = tmp_path / "domain.xpt"
    for domain in map(in_ascii, domains.values()):
        path.write_bytes(domain_xpt(domain, WHEN))
        assert domain_xpt(domain, WHEN) == path.read_bytes()
        frame, meta = pyreadstat.read_xport(str(path))
        assert meta.table_name == domain.name
        labels = {one.name: one.label for one in domain.variables}
        assert meta.column_names_to_labels == labels
        other = pd.read_sas(path, format="xport", encoding="ascii")
        for found in (frame, other):
            assert list(found.columns) == list(labels)
            assert len(found) == len(domain.rows)
            for one in domain.variables:
                for cell, row in zip(found[one.name], domain.rows, strict=True):
                    value = row.get(one.name, "")
                    if not one.is_number:
                        assert ("" if pd.isna(cell) else cell) == str(value)
                    elif value == "":
                        assert math.isnan(cell)
                    else:
                        # pandas reads the zero of the IBM 360 as 16 ** -65
                        assert cell == pytest.approx(float(value), rel=0.0, abs=1e-78)


@pytest.mark.parametrize(
    ("text", "words"),
    [("홍길동", "no ASCII"), ("é", "no ASCII"), ("x" * 201, "201 letters"), ("a\nb", "no ASCII")],
)
def test_what_a_transport_file_cannot_hold_is_said(
    domains: dict[str, Domain], tmp_path: Path, text: str, words: str
) -> None:
    domain = in_ascii(domains["PR"])
    rows = (*domain.rows[:2], {**domain.rows[2], "PRTRT": text}, *domain.rows[3:])
    listed = [dataclasses.replace(domain, rows=rows), in_ascii(domains["MK"])]
    (tmp_path / "pr.xpt").write_bytes(b"of an earlier run")
    written = write_sdtm(listed, tmp_path, "ONFH", WHEN)
    (problem,) = written.refused
    assert problem.startswith("pr.xpt: PRTRT, record 3: ")
    assert words in problem
    assert [one.name for one in written.files] == ["pr.csv", "mk.csv", "mk.xpt", "define.xml"]
    assert not (tmp_path / "pr.xpt").exists()
    leaves = re.findall(r'href="(.*?)"', written.files[-1].read_text("utf-8"))
    assert leaves == ["pr.csv", "mk.xpt"]


def test_treatments_and_replacements_are_procedures() -> None:
    """With their study day; the day before the index day is -1, and there is no day 0."""
    treatments = [
        {"subject": "홍길동", "laterality": "R", "number": "1", "treatment": word, **dated}
        for word, dated in (
            ("core_decompression_msc", {"treatment_date": "2020-01-01"}),
            ("osteotomy", {"treatment_date": "2019-12-31"}),
            ("other", {}),
            ("conservative", {"treatment_date": "2020-01-01"}),
        )
    ]
    found = operations_of(treatments, analysis_set([], CLINICAL, with_changes=False).courses)
    assert [(one.name, one.study_day) for one in found] == [
        ("CORE DECOMPRESSION WITH STROMAL CELLS", 1),
        ("OSTEOTOMY", -1),
        ("OTHER", None),
        ("TOTAL HIP ARTHROPLASTY", 518),
    ]


def test_no_date_leaves(domains: dict[str, Domain]) -> None:
    for domain in domains.values():
        assert not [one.name for one in domain.variables if one.name.endswith("DTC")]
