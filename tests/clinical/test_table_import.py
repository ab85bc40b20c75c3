"""A table into the cohort: understood, checked as a whole, all of it or nothing."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necroangle.clinical import (
    FIELDS,
    KEYS,
    Plan,
    clinical_tables,
    plan_import,
    withdraw_record,
)
from necroangle.clinical.importing import (
    TableImport,
    open_table,
    suggest_mapping,
    write_import,
)
from necroangle.clinical.mapping import TableMapping, decode_mapping
from necroangle.clinical.raw_table import build_raw_table
from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.ledger.verification import check_records
from necroangle.protocol.study import decode_protocol, new_protocol, study_toml
from necroangle.study import Study, init_study

WIDE = """\
Pt,Side,Sex,Age,Cause,Op date,VAS pre,VAS 6m,ARCO pre,ARCO 6m,THA,THA date,Chart no
C001,Right,F,35,steroid,04/03/2020,60,30,II,II,no,,9912345
C001,Left,,,,04/03/2020,50,ND,II,IIIa,yes,06/05/2021,9912345
00123,Right,M,42,alcohol,01/02/2019,40,-98,IIIa,,no,,9954321
"""
MAPPING = """\
dates = "DD/MM/YYYY"
[constants]
"visit.vas_scale" = 100
[columns]
Pt = "subject"
Side = { to = "laterality", values = { Right = "R", Left = "L" } }
Age = "subject.age_at_index_years"
Cause = "subject.aetiology"
"Op date" = "hip.treatment_date"
"VAS pre" = { to = "visit.vas", visit = "m00" }
"VAS 6m" = { to = "visit.vas", visit = "m06", missing = { ND = "not done" } }
"ARCO pre" = { to = "visit.arco", visit = "m00", values = { II = "2", IIIa = "3A" } }
"ARCO 6m" = { to = "visit.arco", visit = "m06", values = { II = "2", IIIa = "3A" } }
THA = { to = "event.occurred", event = "tha" }
"THA date" = { to = "event.event_date", event = "tha" }
"Chart no" = "ignore"
"""

CONFIG = decode_protocol(study_toml(new_protocol("onfh", "centre_plane")))


@dataclass(frozen=True)
class Desk:
    """A study, its cohort, and a way to put a table into it."""

    study: Study
    store: CohortStore

    def open(self, text: str, mapping: str = "", kind: str | None = None) -> TableImport:
        path = self.study.folder / "t.csv"
        path.write_text(text, "utf-8")
        return open_table(path, decode_mapping(mapping.encode()) if mapping else None, kind=kind)

    def plan(self, text: str, mapping: str = "", *, kind: str | None = None, why: str = "") -> Plan:
        table = self.open(text, mapping, kind)
        return plan_import(self.store, table, protocol=self.study.protocol, update_reason=why)

    def take(self, text: str, mapping: str = "", *, why: str = "") -> Plan:
        plan = self.plan(text, mapping, why=why)
        assert not plan.is_fatal, list(map(str, plan.problems))
        write_import(self.store, plan, actor="nurse")
        return plan

    def fatal(self, text: str, mapping: str = "") -> list[str]:
        problems = self.plan(text, mapping).problems
        return [str(problem) for problem in problems if problem.severity == "fatal"]

    def values(self, kind: str, *key: str) -> dict[str, object]:
        (record,) = (one for one in self.store.current(kind) if one.key == key)
        return dict(record.values)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    study = init_study(tmp_path / "study", "onfh")
    return Desk(study, CohortStore.open(study.cohort))


def test_a_wide_table_feeds_every_kind(desk: Desk) -> None:
    plan = desk.take(WIDE, MAPPING)
    assert plan.new == {"subject": 2, "hip": 3, "visit": 6, "event": 1}
    assert desk.values("subject", "C001") == {
        "sex": "F",
        "age_at_index_years": 35.0,
        "aetiology": "steroid",
    }
    assert desk.values("hip", "00123", "R") == {"treatment_date": "2019-02-01"}
    assert desk.values("visit", "C001", "L", "m06") == {
        "arco": "3A",
        "vas": None,
        "vas_missing": "not done",
        "vas_scale": 100,
    }
    assert desk.values("visit", "00123", "R", "m06") == {
        "arco": None,
        "arco_missing": "not done",
        "vas": None,
        "vas_missing": "not readable",
        "vas_scale": 100,
    }
    assert desk.values("event", "C001", "L", "tha", "1") == {"event_date": "2021-05-06"}


def test_a_table_twice_changes_nothing(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    before = {kind: desk.store.current(kind) for kind in KEYS}
    again = desk.take(WIDE, MAPPING)
    assert not again.entries
    assert again.unchanged.total() == 12
    assert {kind: desk.store.current(kind) for kind in KEYS} == before


def test_nothing_is_written_where_one_problem_is_fatal(desk: Desk) -> None:
    plan = desk.plan(WIDE.replace("35,steroid", "350,steroid"), MAPPING)
    assert plan.entries
    with pytest.raises(CohortError, match="nothing was written"):
        write_import(desk.store, plan, actor="nurse")
    assert not any(desk.store.current(kind) for kind in KEYS)


def test_what_was_changed_since_is_shown_and_kept_until_a_reason_is_given(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    other = WIDE.replace("60,30", "60,35")
    (told,) = desk.fatal(other, MAPPING)
    assert told.startswith("row 2, column H (VAS 6m): stands as 30 by nurse on ")
    assert "the table says 35" in told
    assert desk.values("visit", "C001", "R", "m06")["vas"] == 30.0
    desk.take(other, MAPPING, why="the paper file says 35")
    assert desk.values("visit", "C001", "R", "m06")["vas"] == 35.0
    last = desk.store.history("visit", ("C001", "R", "m06"))[-1]
    assert last.reason.startswith("import of table ")
    assert last.reason.endswith(": the paper file says 35")
    assert last.actor == "nurse"


def test_a_private_date_is_not_told_in_a_conflict(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    (told,) = desk.fatal(WIDE.replace("01/02/2019", "02/02/2019"), MAPPING)
    assert "stands as another date" in told
    assert "2019" not in told


def test_an_empty_cell_never_replaces_a_value(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    plan = desk.take(WIDE.replace("60,30", ","), MAPPING)
    assert not plan.entries
    assert desk.values("visit", "C001", "R", "m00")["vas"] == 60.0


def test_what_was_withdrawn_does_not_come_back_by_itself(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    key = ("C001", "L", "tha")
    withdraw_record(desk.store, "event", key, actor="nurse", reason="other patient")
    (told,) = desk.fatal(WIDE, MAPPING)
    assert told.startswith("row 3: this event was withdrawn")
    desk.take(WIDE, MAPPING, why="it was this patient after all")
    assert desk.values("event", "C001", "L", "tha", "1") == {"event_date": "2021-05-06"}


def test_headings_that_are_names_or_labels_need_no_mapping(desk: Desk) -> None:
    desk.take(
        "Subject;Side;visit;VAS;vas scale;Harris Hip Score;hip.bilateral\n"
        "S1;left;m00;3;0 to 10;70.5;yes\n"
    )
    assert desk.values("visit", "S1", "L", "m00") == {"vas": 3.0, "vas_scale": 10, "hhs": 70.5}
    assert desk.values("hip", "S1", "L") == {"bilateral": 1}


def test_a_visit_brings_its_subject_and_hip_and_no_record_belongs_to_nothing(desk: Desk) -> None:
    plan = desk.take("subject,side,visit,hhs\nS1,R,m00,80\nS1,R,m06,85\n")
    assert plan.new == {"subject": 1, "hip": 1, "visit": 2}
    assert desk.values("hip", "S1", "R") == {}
    keys = {kind: {one.key for one in desk.store.current(kind)} for kind in KEYS}
    assert not list(check_records(keys))
    later = desk.take("subject,side,visit,hhs,bilateral\nS1,R,m00,80,1\n")
    assert (later.changed, later.unchanged) == ({"hip": 1}, {"visit": 1})


def test_a_visit_of_a_withdrawn_hip_is_refused(desk: Desk) -> None:
    text = "subject,side,visit,hhs\nS1,R,m00,80\n"
    desk.take(text)
    for kind, key in (("visit", ("S1", "R", "m00")), ("hip", ("S1", "R"))):
        withdraw_record(desk.store, kind, key, actor="nurse", reason="no such hip")
    assert [told.partition(";")[0] for told in desk.fatal(text)] == [
        "row 2: this hip was withdrawn",
        "row 2: this visit was withdrawn",
    ]


def test_a_date_of_treatment_is_the_hips_and_the_treatments(desk: Desk) -> None:
    desk.take("subject,laterality,treatment,treatment_date\nS1,R,core_decompression,2020-01-02\n")
    assert desk.values("hip", "S1", "R")["treatment_date"] == "2020-01-02"
    assert desk.values("treatment", "S1", "R", "1")["treatment_date"] == "2020-01-02"


def test_a_long_table_of_events_needs_no_date(desk: Desk) -> None:
    desk.take("subject,laterality,event\nS1,R,lost\nS1,L,\n")
    assert [record.key for record in desk.store.current("event")] == [("S1", "R", "lost", "1")]


FAULTS = (
    ("subject,sex\nHong Gildong,M\n", "row 2, column A (subject): no pseudonym"),
    ("subject,sex\n850101-1234567,M\n", "row 2, column A (subject): looks like a person's number"),
    ("subject,sex\n=cmd|' /C calc'!A0,M\n", "row 2, column A (subject): no pseudonym"),
    ("subject,sex\n,M\n", "row 2, column A (subject): empty; a subject needs its subject"),
    ("subject,sex\nS1,X\n", "row 2, column B (sex): 'X' is none of M, F"),
    ("subject,sex\nS1,M\nS1,F\n", "row 3, column B (sex): row 2 says otherwise"),
    ("subject,name\nS1,x\n", "row 1, column B (name): the heading names what may tell"),
    ("subject,Birth Date\nS1,x\n", "row 1, column B (Birth Date): the heading names"),
    ("subject,생년월일\nS1,x\n", "row 1, column B (생년월일): the heading names"),
    ("patient_id,sex\nS1,M\n", "row 1, column A (patient_id): the heading names"),
    ("subject,vsa\nS1,3\n", "row 1, column B (vsa): no known field"),
    ("subject,vas\nS1,3\n", "row 1, column B (vas): nothing gives the laterality"),
    ("subject,index_date\nS1,2020-02-30\n", "row 2, column B (index_date): no day of the calendar"),
    ("subject,index_date\nS1,03/04/2020\n", "row 2, column B (index_date): day or month first?"),
    ("subject,index_date\nS1,43831\n", "row 2, column B (index_date): no date"),
    ("subject,index_date\nS1,1820-01-01\n", "row 2, column B (index_date): before 1900"),
    ("subject,bmi_kg_m2\nS1,NA\n", "row 2, column B (bmi_kg_m2): 'NA' is no number"),
    ("subject;bmi_kg_m2\nS1;22,5\n", "row 2, column B (bmi_kg_m2): '22,5' is no number; is \",\""),
    ("subject,bmi_kg_m2\nS1,1e999\n", "row 2, column B (bmi_kg_m2): '1e999' is not from 8 to 100"),
    ("subject,bmi_kg_m2\nS1,nan\n", "row 2, column B (bmi_kg_m2): 'nan' is no number"),
    ("subject,smoking\nS1,2\n", "row 2, column B (smoking): '2' is none of 0, 1"),
    ("subject,side,visit,vas\nS1,R,m00,3\n", "row 2, column D (vas): 0 to 10 or 0 to 100?"),
    ("subject,side,visit,ficat\nS1,R,m01,3\n", "row 2, column C (visit): no visit of the study"),
    ("subject,side,visit,ficat\nS1,B,m00,3\n", "row 2, column B (side): 'B' is none of L, R"),
    (
        "subject,side,event,number\nS1,R,tha,0\n",
        "row 2, column D (number): '0' is no number from 1",
    ),
    ("subject,side,event,note\nS1,R,tha,850101-1234567\n", "row 2, column D (note): it holds what"),
)


@pytest.mark.parametrize(("text", "told"), FAULTS)
def test_a_fault_is_told_by_row_and_column(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "t.csv").write_text(text, "utf-8")
    plan = plan_import(None, open_table(tmp_path / "t.csv"), protocol=CONFIG)
    fatal = [str(problem) for problem in plan.problems if problem.severity == "fatal"]
    assert any(one.startswith(told) for one in fatal), fatal
    assert not any("Gildong" in one or "850101" in one for one in fatal)


def test_every_problem_is_listed_at_once(desk: Desk) -> None:
    text = "subject,sex,bmi_kg_m2\nS1,X,22\nS2,M,500\n S 3,F,abc\n"
    assert [one.partition(":")[0] for one in desk.fatal(text)] == [
        "row 2, column B (sex)",
        "row 3, column C (bmi_kg_m2)",
        "row 4, column A (subject)",
        "row 4, column C (bmi_kg_m2)",
    ]


def test_a_formula_in_a_note_is_kept_as_text_and_doubted(desk: Desk) -> None:
    text = "subject,side,event,note\nS1,R,lost,=cmd|' /C calc'!A0\n"
    (problem,) = desk.plan(text).problems
    assert problem.severity == "warning"
    desk.take(text)
    assert desk.values("event", "S1", "R", "lost", "1")["note"] == "=cmd|' /C calc'!A0"


def test_a_table_that_speaks_against_what_stands_there_is_refused(desk: Desk) -> None:
    desk.take("subject,side,visit,visit_date,hhs\nS1,R,m12,2021-01-01,80\n")
    (told,) = desk.fatal("subject,side,event,event_date\nS1,R,death,2020-12-31\n")
    assert told == "visit S1 R m12: visit_date: 1 days after the subject's death"


MAPPING_FAULTS = (
    ('[columns]\nA = "visit.vsa"', "column 'A': no field 'visit.vsa'; parts of the key"),
    ('[columns]\nA = "subject.vas"', "did you mean visit.vas?"),
    ('[columns]\nA = { to = "subject.sex", visit = "m00" }', "subject.sex has no visit"),
    ('[columns]\nA = { to = "event.occurred" }', "event.occurred needs event"),
    ('[columns]\nA = { to = "subject.sex", valeus = {} }', "valeus"),
    ('dates = "DMY"', r"\$\.dates: "),
    ("[constants]\nvas = 3", "constants: no field 'vas'; did you mean visit.vas?"),
    ('[constants]\nsubject = "S1"', "constants: no field 'subject'"),
    ("[columns", "Expected"),
)


@pytest.mark.parametrize(("mapping", "told"), MAPPING_FAULTS)
def test_a_mapping_is_read_strictly(mapping: str, told: str) -> None:
    with pytest.raises(CohortError, match=told) as refused:
        decode_mapping(mapping.encode())
    assert str(refused.value).startswith("mapping.toml: ")


def test_a_mapping_that_does_not_fit_the_table_is_told(desk: Desk) -> None:
    mapping = '[columns]\nSex = "subject.sex"\nName = "subject.smoking"\n[constants]\nvisit = "m00"'
    told = desk.fatal("subject,name,visit,vas,side\nS1,x,m06,3,R\n", mapping)
    assert "the mapping names a column 'Sex'; there is none" in told
    assert "the mapping names a column 'Name'; there is none" in told
    assert "column C (visit): the mapping states one visit for all rows, and this column" in (
        " ".join(told)
    )


def test_a_column_of_names_is_not_read_even_where_it_is_mapped(desk: Desk) -> None:
    told = desk.fatal("name,sex\nS1,M\n", '[columns]\nname = "subject"')
    assert told[0].startswith("row 1, column A (name): the heading names")
    desk.take("patient_id,sex\nS1,M\n", '[columns]\npatient_id = "subject"')
    assert desk.values("subject", "S1") == {"sex": "M"}


def test_a_suggested_mapping_leads_on(desk: Desk) -> None:
    text = 'subject,Sex,"a ""b"" \\ 가",Name\nS1,M,1,x\n'
    suggested = suggest_mapping(desk.open(text)).decode()
    assert '"Name" = "ignore"  # looks like' in suggested
    plan = desk.take(text, suggested)
    assert plan.new == {"subject": 1}


def test_tables_have_every_field_and_the_reasons(desk: Desk) -> None:
    desk.take(WIDE, MAPPING)
    tables = clinical_tables(desk.store)
    for kind, rows in tables.items():
        names = [*KEYS[kind], *(field.name for field in FIELDS if field.kind == kind)]
        assert all(list(row)[: len(names)] == names for row in rows)
    visits = {(row["subject"], row["laterality"], row["visit"]): row for row in tables["visit"]}
    assert visits["C001", "L", "m06"]["vas_missing"] == "not done"
    assert "vas_missing" not in visits["C001", "R", "m06"]


SUBJECTS = st.fixed_dictionaries(
    {
        "sex": st.sampled_from(["", "M", "F", "-99"]),
        "age_at_index_years": st.none() | st.floats(0, 120).map(lambda age: round(age, 3)),
        "smoking": st.sampled_from(["", "0", "1", "-97"]),
        "index_date": st.none() | st.dates().filter(lambda day: day.year >= 1900),
    }
)


@settings(max_examples=20)
@given(st.lists(SUBJECTS, min_size=1, max_size=5))
def test_what_is_written_is_what_was_stated(
    tmp_path_factory: pytest.TempPathFactory, subjects: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    store = CohortStore.open(folder / "cohort.sqlite")
    names = list(subjects[0])
    lines = [
        ",".join(
            [f"{number:05d}", *("" if one[name] is None else str(one[name]) for name in names)]
        )
        for number, one in enumerate(subjects)
    ]
    (folder / "t.csv").write_text("\n".join(["subject," + ",".join(names), *lines]))
    table = open_table(folder / "t.csv", TableMapping())
    plan = plan_import(store, table)
    assert not plan.is_fatal
    write_import(store, plan, actor="x")
    assert not plan_import(store, table).entries
    found = {str(row["subject"]): row for row in clinical_tables(store)["subject"]}
    for number, one in enumerate(subjects):
        row = found.get(f"{number:05d}", {})
        assert (row.get("sex") or "") == (one["sex"] if one["sex"] != "-99" else "")
        assert row.get("age_at_index_years") == one["age_at_index_years"]
        assert (row.get("index_date") or "None") == str(one["index_date"])


HEADINGS = st.sampled_from(
    [*(part for parts in KEYS.values() for part in parts), *(one.path for one in FIELDS)]
)
ANY_CELL = st.sampled_from(
    ["", "S1", "L", "R", "m00", "m06", "tha", "death", "1", "10", "-99", "2020-01-02", "2A", "no"]
) | st.text(max_size=6)


@settings(max_examples=150)
@given(
    st.lists(HEADINGS, min_size=1, max_size=8, unique=True),
    st.lists(st.lists(ANY_CELL, min_size=9, max_size=9), min_size=1, max_size=4),
)
def test_any_table_is_planned_or_told_where_it_is_wrong(
    headings: list[str], rows: list[list[str]]
) -> None:
    names = ["subject", *(heading for heading in headings if heading != "subject")]
    records = enumerate([names, *(["S1", *row][: len(names)] for row in rows)], 1)
    sheet = build_raw_table("", records, rectangular=True)
    plan = plan_import(None, TableImport(sheet, TableMapping(), None, "0" * 64), protocol=CONFIG)
    assert all(1 <= one.row <= len(rows) + 1 for one in plan.problems if one.row)
    assert all(one.column <= len(names) for one in plan.problems)
    for entry in () if plan.is_fatal else plan.entries:
        for name, value in (entry.values or {}).items():
            stem = name.removesuffix("_missing")
            wanted = next(one for one in FIELDS if one.path == f"{entry.kind}.{stem}")
            if name == stem and wanted.values and value is not None:
                assert str(value) in wanted.values
