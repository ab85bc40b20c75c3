"""SDTM domains of the cohort: keys, reasons, relation, and a define.xml that describes them."""

import csv
import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from exportmaker import readings, source_of

from necroangle.export import build_table
from necroangle.export.columns import Missing
from necroangle.interop.sdtm import Domain, define_xml, sdtm_domains, write_sdtm

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"


@pytest.fixture(scope="module")
def domains() -> dict[str, Domain]:
    table = build_table(source_of(readings()))
    return {one.name: one for one in sdtm_domains(table, "ONFH")}


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
    procedures = {(row["USUBJID"], row["PRLNKID"]) for row in pr}
    assert {(row["USUBJID"], row["MKLNKID"]) for row in mk} == procedures
    assert len(procedures) == len(pr)
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
    files = write_sdtm([*domains.values()], tmp_path, "ONFH", "2026-01-31T08:15:00.000Z")
    assert [file.name for file in files] == ["mk.csv", "pr.csv", "relrec.csv", "define.xml"]
    top = ElementTree.fromstring(files[-1].read_bytes())
    items = {one.get("OID"): one for one in top.iter(f"{ODM}ItemDef")}
    lists = {
        one.get("OID"): {item.get("CodedValue") for item in one}
        for one in top.iter(f"{ODM}CodeList")
    }
    for group, file in zip(top.iter(f"{ODM}ItemGroupDef"), files, strict=False):
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
    again = define_xml([*domains.values()], "ONFH", "2026-01-31T08:15:00.000Z")
    assert again == files[-1].read_bytes()


def test_no_date_leaves(domains: dict[str, Domain]) -> None:
    for domain in domains.values():
        assert not [one.name for one in domain.variables if one.name.endswith("DTC")]
