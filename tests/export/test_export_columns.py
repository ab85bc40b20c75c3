"""Names, labels and codes: what every statistics program takes, and what must never change."""

from typing import get_args

import pytest
from exportmaker import readings, source_of

from necroangle.entries import FIELDS
from necroangle.errors import CohortError
from necroangle.export import ExportColumn, ExportSource, Missing, build_table, to_wide
from necroangle.export.codes import CODE_SETS, code_set_of
from necroangle.export.columns import NAME_RULE, Kind, short_names
from necroangle.measurement import METHODS
from necroangle.measurement.columns import COLUMNS
from necroangle.terms import Flag

# Columns of several words; of free text there is nothing to code.
_LISTS = {"a_flags", "b_flags", "flags", "index_refused"}


@pytest.mark.parametrize("dates", ["none", "shifted"])
def test_every_name_suits_every_program(dates: str) -> None:
    long = build_table(source_of(readings(), dates=dates), "hip_visit")
    for table in (long, to_wide(long)):
        names = [column.name for column in table.columns]
        assert all(NAME_RULE.fullmatch(name) for name in names)
        assert len(set(names)) == len(names)
        assert all(0 < len(column.label) <= 80 for column in table.columns)
        assert all(column.kind in get_args(Kind) for column in table.columns)
        labels = [column.label for column in table.columns]
        assert len(set(labels)) == len(labels)


def test_the_columns_of_the_plan_are_there(source: ExportSource) -> None:
    names = {column.name for column in build_table(source).columns}
    wanted = (
        "patient_id hip_id side visit months_nominal days_from_baseline reader_id read_no "
        "read_order session_id cna_cor_deg cna_sag_deg cna_deg cna_grade cna_near_cut arco jic vas "
        "hhs collapse collapse_days tha tha_days last_seen_days slice_cor slice_sag pixel_mm "
        "slice_mm software_version method_version annotation_sha256 revision"
    )
    assert set(wanted.split()) <= names
    assert {f"flag_{flag}" for flag in Flag} <= names


def test_every_allowed_word_has_a_fixed_code() -> None:
    for column in COLUMNS:
        if column.allowed and column.name not in _LISTS:
            fixed = CODE_SETS[column.name]
            assert code_set_of(column.name, column.allowed) is fixed, column.name
    assert set(METHODS) <= CODE_SETS["method"].codes.keys()
    for field in FIELDS:
        if field.values and field.type == "text":
            assert code_set_of(field.name, tuple(field.values)) is CODE_SETS[field.name], field.name


def test_codes_are_what_they_have_always_been() -> None:
    assert dict(CODE_SETS["laterality"].codes) == {"L": 1, "R": 2}
    assert dict(CODE_SETS["arco"].codes) == {"1": 10, "2": 20, "3A": 31, "3B": 32, "4": 40}
    assert dict(CODE_SETS["jic"].codes) == {"A": 1, "B": 2, "C1": 3, "C2": 4}
    assert dict(CODE_SETS["sex"].codes) == {"M": 1, "F": 2}
    assert dict(CODE_SETS["ha_risk"].codes) == {"low": 1, "moderate": 2, "high": 3}
    assert list(CODE_SETS["method"].codes.values()) == [1, 2, 3, 4, 5]


def test_no_code_is_the_code_of_a_missing_value(source: ExportSource) -> None:
    reserved = {reason.code for reason in Missing}
    assert reserved == {-97, -98, -99}
    for column in build_table(source).columns:
        codes = [code for code, _ in column.values]
        assert reserved.isdisjoint(codes)
        assert len(set(codes)) == len(codes)
        assert len({label for _, label in column.values}) == len(codes), column.name


def test_short_names_are_short_and_each_stands_once(source: ExportSource) -> None:
    table = build_table(source)
    names = short_names(table.columns)
    assert len(set(names)) == len(names) == len(table.columns)
    assert all(len(name) <= 8 and name.replace("_", "").isalnum() for name in names)


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "_a", "a" * 27, "é", "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(CohortError, match="small letters"):
        ExportColumn(name, "real", "x")


def test_labels_that_stata_cuts_are_refused() -> None:
    assert ExportColumn("x", "real", "x" * 80).label
    with pytest.raises(CohortError, match="1 to 80"):
        ExportColumn("x", "real", "x" * 81)
