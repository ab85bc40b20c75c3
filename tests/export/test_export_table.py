"""The long and the wide table: what stands in a cell, why one is empty, and what is refused."""

import csv
import hashlib
import hmac
import io
import math
from datetime import date
from typing import Any

import pytest
from exportmaker import CLINICAL, SECRET, readings, source_of
from hipmaker import make_reading
from hypothesis import given
from hypothesis import strategies as st

from necroangle.errors import CohortError
from necroangle.export import (
    ExportColumn,
    ExportSource,
    ExportTable,
    Missing,
    build_table,
    smallest_cell,
    to_wide,
)
from necroangle.export.privacy import shift_days
from necroangle.export.redcap import redcap_files
from necroangle.protocol.study import NO_STUDY
from necroangle.terms import ArcoStage, Flag, UnreadReason, View

ID = ExportColumn("id", "text", "Id", can_miss=False)
X = ExportColumn("x", "real", "X")


def cells(table: ExportTable, name: str) -> dict[tuple[str, str], Any]:
    """Values of a column by hip (or patient) and visit."""
    names = [column.name for column in table.columns]
    visit = names.index("visit")
    return {(str(row[0]), str(row[visit])): row[names.index(name)] for row in table.rows}


def hip(table: ExportTable, name: str) -> dict[str, Any]:
    """Values of a column of a wide table by patient."""
    place = [column.name for column in table.columns].index(name)
    return {str(row[0]): row[place] for row in table.rows}


@given(order=st.permutations(range(8)))
def test_the_order_of_the_rows_changes_nothing(source: ExportSource, order: list[int]) -> None:
    table = build_table(source)
    again = ExportTable.of(
        table.columns, [table.rows[n] for n in order], unit=table.unit, keys=table.keys
    )
    assert again.rows == table.rows
    assert again.canonical_sha256 == table.canonical_sha256


def test_one_changed_cell_changes_the_hash() -> None:
    first = ExportTable.of((ID, X), [("a", 0.1), ("b", 0.2)], unit="row", keys=1)
    for rows in (
        [("a", 0.1), ("b", math.nextafter(0.2, 1))],
        [("a", 0.1), ("b", None)],
        [("a", 0.2), ("b", 0.1)],
        [("a", 0.1)],
    ):
        other = ExportTable.of((ID, X), rows, unit="row", keys=1)
        assert other.canonical_sha256 != first.canonical_sha256
    text = ExportColumn("x", "text", "X")
    as_text = ExportTable.of((ID, text), [("a", "0.1"), ("b", "0.2")], unit="row", keys=1)
    assert as_text.canonical_sha256 != first.canonical_sha256


def test_the_hash_of_a_table_is_the_same_in_every_version() -> None:
    """Golden: numbers of every size, codes, dates, texts and all three reasons."""
    columns = (
        ID,
        X,
        ExportColumn("n", "whole", "N", values=((1, "a"),)),
        ExportColumn("d", "date", "D"),
        ExportColumn("w", "text", "W"),
    )
    rows: list[tuple[Any, ...]] = [
        ("b", 1e-5, 1, date(2020, 2, 29), "é,'"),
        ("a", 1e16, 2**53, date(1900, 1, 1), ""),
        ("c", -1234.5678, Missing.NOT_DONE, None, Missing.NOT_READABLE),
        ("d", Missing.NOT_APPLICABLE, 0, None, "=1"),
        ("e", 9.999e-5, 7, None, None),
        ("f", 9007199254740993.0, 7, None, None),
    ]
    table = ExportTable.of(columns, rows, unit="row", keys=1)
    lines = (
        ("id:text", "x:real", "n:whole", "d:date", "w:text"),
        ('"a', "1e+16", "9007199254740992", "1900-01-01", '"'),
        ('"b', "1e-05", "1", "2020-02-29", "\"é,'"),
        ('"c', "-1234.5678", ".c", ".c", ".b"),
        ('"d', ".a", "0", ".c", '"=1'),
        ('"e', "9.999e-05", "7", ".c", ".c"),
        ('"f', "9007199254740992.0", "7", ".c", ".c"),
    )
    text = "\x1e".join(map("\x1f".join, lines))
    assert table.canonical_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert table.canonical_sha256[:16] == "8fdce39b42112a79"


def test_an_index_that_no_lesion_can_have_is_not_applicable() -> None:
    """Its marks are not missing where there is no necrosis; they are where there is."""
    some = [make_reading(0.0, 0.0, subject="S1"), make_reading(80.0, 70.0, subject="S2")]
    none = make_reading(None, 0.0, subject="S3", reason=UnreadReason.NOT_READABLE)
    table = build_table(source_of([*some, none], clinical={}))
    for name in ("jic_w_prov", "lateral_spared_prov_deg", "arco2021_type", "anterior_necrotic_deg"):
        found = cells(table, name)
        assert found["S1", "m00"] is Missing.NOT_APPLICABLE, name
        assert found["S2", "m00"] is Missing.NOT_DONE, name
        assert found["S3", "m00"] is Missing.NOT_READABLE, name


def test_a_text_that_looks_missing_is_not_missing_for_the_hash() -> None:
    text = ExportColumn("x", "text", "X")
    said, gone = (
        ExportTable.of((ID, text), [("a", cell)], unit="row", keys=1)
        for cell in (".a", Missing.NOT_APPLICABLE)
    )
    assert said.canonical_sha256 != gone.canonical_sha256


def test_cells_are_cleaned() -> None:
    rows = [("a\x00b\ud800", math.nan), ("c\r\n\td", -0.0)]
    table = ExportTable.of((ID, X), rows, unit="row", keys=1)
    assert table.rows == (("a\ufffdb\ufffd", Missing.NOT_DONE), ("c d", 0.0))
    assert math.copysign(1, float(str(table.rows[1][1]))) == 1


def test_a_long_text_is_cut_and_the_cut_is_told() -> None:
    table = ExportTable.of((ID,), [("가" * 1000,)], unit="row", keys=1)
    text = str(table.rows[0][0])
    assert len(text.encode()) <= 2000
    assert text == "가" * 665 + "…"
    assert table.notes == ("id: 1 texts cut to 2000 bytes, each ends with …",)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("a", math.inf), "column x: a number must be finite and below 1e.300, found inf"),
        (("a", 1), "column x must hold a real, found 1"),
        ((1, 1.0), "column id must hold a text, found 1"),
        (("a",), "a row has 1 values for 2 columns"),
        ((True, 1.0), "column id must hold a text"),
    ],
)
def test_what_a_column_cannot_hold_is_refused(row: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(CohortError, match=problem):
        ExportTable.of((ID, X), [row], unit="row", keys=1)


def test_duplicates_are_refused_with_their_keys() -> None:
    rows = [("a", 1.0), ("b", 1.0), ("a", 2.0), ("a", 1.0)]
    with pytest.raises(CohortError, match=r"1 key stands in more than one row: id a \(3 rows\)"):
        ExportTable.of((ID, X), rows, unit="row", keys=1)
    reading = make_reading()
    with pytest.raises(CohortError, match="patient_id S01 hip_id S01_L"):
        build_table(source_of([reading, reading]))


def test_a_missing_value_says_why(source: ExportSource) -> None:
    table = build_table(source)
    assert cells(table, "cna_cor_deg")["1E5", "m00"] is Missing.NOT_READABLE
    assert cells(table, "cna_cor_deg")["1E5", "m06"] is Missing.NOT_APPLICABLE
    assert cells(table, "cna_deg")["1E5", "m00"] is Missing.NOT_READABLE
    assert cells(table, "cna_sag_deg")["1E5", "m00"] == 80.0
    assert cells(table, "cor_start_deg")["00123", "m00"] is Missing.NOT_APPLICABLE
    assert cells(table, "cna_cor_deg")["00123", "m00"] == 0.0
    assert cells(table, "jic_type_prov")["홍길동", "m00"] is Missing.NOT_DONE
    assert cells(table, "radius_prior_mm")["홍길동", "m00"] is Missing.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("reason", "missing"),
    [
        (UnreadReason.NOT_DONE, Missing.NOT_DONE),
        (UnreadReason.NOT_READABLE, Missing.NOT_READABLE),
        (UnreadReason.PROSTHESIS, Missing.NOT_APPLICABLE),
    ],
)
def test_a_view_that_was_not_read_gives_its_reason(reason: UnreadReason, missing: Missing) -> None:
    table = build_table(source_of([make_reading(None, 80.0, reason=reason)], clinical={}))
    place = ("S01", "m00")
    assert cells(table, "cna_deg")[place] is missing
    assert cells(table, "cna_near_cut")[place] is missing
    assert cells(table, "flag_short_rim")[place] is missing
    assert cells(table, "flag_view_not_read")[place] == 1
    assert cells(table, "flag_censored_by_tha")[place] == (reason is UnreadReason.PROSTHESIS)


def test_radiographs_have_no_grade_of_ha() -> None:
    table = build_table(source_of([make_reading(200.0, 100.0, b_view=View.FROG_LEG)], clinical={}))
    assert cells(table, "cna_grade")["S01", "m00"] is Missing.NOT_APPLICABLE
    assert cells(table, "kerboul")["S01", "m00"] == 3
    assert cells(table, "modality")["S01", "m00"] == 2


def test_flags_are_one_text_and_a_column_each() -> None:
    table = build_table(source_of([make_reading(200.0, 190.0)], clinical={}))
    place = ("S01", "m00")
    for flag in Flag:
        found = cells(table, f"flag_{flag}")[place]
        texts = [cells(table, name)[place] for name in ("flags_cor", "flags_sag", "flags_hip")]
        assert found == int(any(flag in str(text).split() for text in texts)), flag
    assert cells(table, "flag_arc_above_180")[place] == 1


def test_clinical_values_stand_beside_the_measured_ones(source: ExportSource) -> None:
    table = build_table(source, "hip_visit")
    assert cells(table, "sex")["홍길동", "m06"] == 1
    assert cells(table, "sex")["NA", "m00"] is Missing.NOT_DONE
    assert cells(table, "age_at_index_years")["홍길동", "m00"] == 90.0
    assert cells(table, "vas")["홍길동", "m00"] == 45.0
    assert cells(table, "vas_10")["홍길동", "m00"] == 4.5
    assert cells(table, "vas")["홍길동", "m12"] is Missing.NOT_APPLICABLE
    assert cells(table, "bilateral")["홍길동", "m00"] == 1
    assert cells(table, "arco")["홍길동", "m00"] == 20, "the visit's own"
    assert cells(table, "arco")["홍길동", "m06"] == 31, "as read where the visit has none"
    assert cells(table, "arco_read")["홍길동", "m00"] == 31


def test_days_count_from_the_index_date_and_no_date_leaves(source: ExportSource) -> None:
    table = build_table(source, "hip_visit")
    assert cells(table, "days_from_baseline")["홍길동", "m00"] == 4
    assert cells(table, "days_from_baseline")["홍길동", "m12"] == 370
    assert cells(table, "days_from_baseline")["00123", "m00"] is Missing.NOT_DONE
    assert cells(table, "last_seen_days")["홍길동", "m00"] == 370
    assert cells(table, "tha_days")["홍길동", "m00"] == 517
    assert not [column for column in table.columns if column.kind == "date"]
    shown = "".join(text for column in table.texts for text in column)
    assert "2020-01" not in shown
    assert "2021-0" not in shown


def test_a_treatment_date_is_the_baseline_where_there_is_one() -> None:
    treatment = {
        "subject": "홍길동",
        "laterality": "R",
        "number": "1",
        "treatment": "core_decompression_msc",
        "cell_dose": 1.06e8,
        "treatment_date": "2020-01-03",
    }
    later = {**treatment, "number": "2", "treatment_date": "2020-09-01", "cell_dose": 1.0}
    clinical = {**CLINICAL, "treatment": [later, treatment]}
    table = build_table(source_of(readings(), clinical=clinical), "hip_visit")
    assert cells(table, "days_from_baseline")["홍길동", "m00"] == 2
    assert cells(table, "cell_dose")["홍길동", "m00"] == 1.06e8
    assert "1 hips had several treatments: the first one is here" in table.notes


def test_events_that_were_never_entered_are_missing_and_not_zero(source: ExportSource) -> None:
    table = build_table(source)
    assert cells(table, "tha")["00123", "m00"] == 0
    assert cells(table, "tha_days")["00123", "m00"] is Missing.NOT_APPLICABLE
    assert cells(table, "tha")["홍길동", "m00"] == 1
    without = build_table(source_of(readings(), clinical={}))
    shown = {place: cell for place, cell in cells(without, "tha").items() if place[0] == "1E5"}
    assert set(shown.values()) == {1}, "a reading shows the prosthesis"
    assert set(cells(without, "death").values()) == {Missing.NOT_DONE}
    others = {place: cell for place, cell in cells(without, "tha").items() if place not in shown}
    assert set(others.values()) == {Missing.NOT_DONE}
    unrecorded = NO_STUDY.overridden({"events": ["tha", "death"]})
    planned = build_table(source_of(readings(), protocol=unrecorded))
    assert cells(planned, "collapse")["00123", "m00"] is Missing.NOT_DONE
    assert cells(planned, "death")["00123", "m00"] == 0


def test_shifted_dates_move_by_one_constant_per_patient(source: ExportSource) -> None:
    table = build_table(source_of(readings(), dates="shifted"), "hip_visit")
    dates = cells(table, "visit_date")
    first, last = dates["홍길동", "m00"], dates["홍길동", "m12"]
    assert (last - first).days == 366
    assert (first.isoformat(), last.isoformat()) != ("2020-01-05", "2021-01-05")
    assert cells(table, "index_date")["홍길동", "m00"] < first
    assert len({shift_days(SECRET, f"S{n}") for n in range(50)}) > 30
    with pytest.raises(CohortError, match="need the study's secret"):
        build_table(source_of(readings(), dates="shifted", secret=None))


def test_image_keys_are_keyed_hashes_and_no_uid_leaves(source: ExportSource) -> None:
    table = build_table(source)
    (reading, *_) = readings()
    uid = reading.views[0].image.instance_uid  # type: ignore[union-attr]
    wanted = hmac.new(SECRET, uid.encode(), hashlib.sha256).hexdigest()
    assert cells(table, "image_key_cor")["홍길동", "m00"] == wanted
    assert cells(table, "image_key_cor")["1E5", "m00"] is Missing.NOT_DONE
    assert not any(uid in text for column in table.texts for text in column)
    keyless = build_table(source_of(readings(), secret=None))
    assert set(cells(keyless, "image_key_sag").values()) == {Missing.NOT_DONE}
    assert "no secret was given: image keys are empty" in keyless.notes


def test_a_hip_visit_has_one_row_with_or_without_a_reading(source: ExportSource) -> None:
    table = build_table(source, "hip_visit")
    assert len(table.rows) == len(build_table(source).rows) + 1
    assert cells(table, "hhs")["홍길동", "m12"] == 80.0
    assert cells(table, "cna_deg")["홍길동", "m12"] is Missing.NOT_DONE
    assert cells(table, "reader_id")["홍길동", "m12"] is Missing.NOT_DONE


def test_the_reading_of_a_hip_visit_is_the_consensus_or_the_stated_reader() -> None:
    some = [
        make_reading(a, 80.0, reader=name) for name, a in (("b", 90.0), ("a", 100.0), ("c", 110.0))
    ]
    consensus = {("S01", "L", "m00", "c", "1"): frozenset({"a" * 64, "b" * 64})}
    chosen = build_table(source_of(some, clinical={}), "hip_visit")
    stated = build_table(source_of(some, clinical={}), "hip_visit", readers=["b", "a"])
    agreed = build_table(source_of(some, clinical={}, united=consensus), "hip_visit")
    found = [cells(table, "reader_id")["S01", "m00"] for table in (chosen, stated, agreed)]
    assert found == ["a", "b", "c"]
    assert any("first by name, no reader stated" in note for note in chosen.notes)
    only = build_table(source_of(some, clinical={}), readers=["c"])
    assert [row[6] for row in only.rows] == ["c"]


def test_a_wide_table_has_one_row_per_hip(source: ExportSource) -> None:
    table = to_wide(build_table(source, "hip_visit"))
    assert table.unit == "one hip"
    assert len(table.rows) == 4
    assert hip(table, "cna_m0")["홍길동"] == pytest.approx(250.04)
    assert hip(table, "cna_m6")["1E5"] is Missing.NOT_APPLICABLE
    assert hip(table, "cna_m12")["홍길동"] is Missing.NOT_DONE
    assert hip(table, "vas_10_m0")["홍길동"] == 4.5
    assert hip(table, "tha")["홍길동"] == 1
    assert hip(table, "days_m12")["홍길동"] == 370


def test_a_wide_table_refuses_two_values_for_one_time() -> None:
    two = [make_reading(reader="a"), make_reading(reader="b")]
    with pytest.raises(CohortError, match="S01_L m00 a 1 1 and S01_L m00 b 1 1"):
        to_wide(build_table(source_of(two)))
    same = [make_reading(visit="m06"), make_reading(visit="6m")]
    with pytest.raises(CohortError, match="S01_L 6m r1 1 1 and S01_L m06 r1 1 1"):
        to_wide(build_table(source_of(same), "hip_visit"))


def test_a_wide_table_needs_nominal_months() -> None:
    some = [make_reading(visit="first"), make_reading(visit="m06")]
    with pytest.raises(CohortError, match="visits without nominal months: first"):
        to_wide(build_table(source_of(some, clinical={}), "hip_visit"))
    visits = [{"name": "first", "months": 0}, {"name": "m06", "months": 1.5}]
    planned = source_of(some, clinical={}, protocol=NO_STUDY.overridden({"visits": visits}))
    names = [column.name for column in to_wide(build_table(planned, "hip_visit")).columns]
    assert "cna_m0" in names
    assert "cna_m1_5" in names


def test_the_smallest_cell_is_told(source: ExportSource) -> None:
    said = smallest_cell(build_table(source))
    assert said.startswith("1 patient in the smallest cell of (sex, age band, aetiology), 2 such ")
    assert "90 and older" in said
    assert "91" not in said


def test_a_clinical_value_that_is_none_is_refused_by_its_place() -> None:
    clinical = {"subject": [{"subject": "홍길동", "sex": "X"}]}
    with pytest.raises(CohortError, match=r"subject\.sex: 'X' is not what this field holds"):
        build_table(source_of(readings(), clinical=clinical))


@pytest.mark.parametrize(("event", "state"), [("tha", 4), ("death", 5)])
def test_no_value_after_the_hip_leaves_in_any_shape(event: str, state: int) -> None:
    some = [
        make_reading(a, 90.0, visit=visit, arco=ArcoStage.STAGE_3A)
        for visit, a in (("m00", 100.0), ("m24", 150.0))
    ]
    hip = {"subject": "S01", "laterality": "L"}
    clinical = {
        "visit": [
            {**hip, "visit": "m00", "visit_date": "2020-01-10", "hhs": 60.0},
            {**hip, "visit": "m24", "visit_date": "2022-01-10", "hhs": 99.0, "arco": "4"},
        ],
        "event": [{**hip, "event": event, "number": "1", "event_date": "2021-06-01"}],
    }
    source = source_of(some, clinical=clinical)
    for unit in ("reading", "hip_visit"):
        table = build_table(source, unit)
        place = ("S01", "m24")
        for name in ("cna_deg", "cna_cor_deg", "cna_grade", "arco", "arco_read", "hhs", "kerboul"):
            assert cells(table, name)["S01", "m00"] is not Missing.NOT_APPLICABLE, name
            assert cells(table, name)[place] is Missing.NOT_APPLICABLE, name
        assert cells(table, "visit_state")[place] == state
        if event == "tha":
            assert cells(table, "flag_censored_by_tha")[place] == 1
    wide = to_wide(build_table(source, "hip_visit"))
    assert hip_value(wide, "cna_m0") == pytest.approx(190.0)
    assert hip_value(wide, "cna_m24") is Missing.NOT_APPLICABLE
    assert hip_value(wide, "arco_m24") is Missing.NOT_APPLICABLE
    assert hip_value(wide, "hhs_m24") is Missing.NOT_APPLICABLE
    assert hip_value(wide, "state_m24") == state
    records = redcap_files(build_table(source, "hip_visit"))["redcap_records.csv"].decode()
    lines = list(csv.DictReader(io.StringIO(records)))
    later = next(line for line in lines if line["redcap_event_name"].startswith("month_24"))
    assert [later[name] for name in ("cna_deg", "arco", "hhs", "arco_read")] == [""] * 4
    assert later["visit_state"] == str(state)


def hip_value(table: ExportTable, name: str) -> Any:
    return hip(table, name)["S01"]
