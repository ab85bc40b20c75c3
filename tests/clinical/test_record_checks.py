"""What records may not contradict, case by case, and the words for a person's identity."""

from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.clinical.cells import Reading, parse_cell, parse_date
from necroangle.clinical.checks import aetiology_doubts
from necroangle.clinical.identity import heading_tells_identity
from necroangle.clinical.raw_table import column_letters
from necroangle.clinical.records import State
from necroangle.clinical.rules import check_subject
from necroangle.entries import FIELDS, field_named
from necroangle.measurement.row import Cell
from necroangle.protocol.study import decode_protocol, new_protocol, study_toml
from necroangle.terms import ArcoStage, JicType

CONFIG = decode_protocol(study_toml(new_protocol("onfh", "ha_mr_midslice")))
TODAY = date(2026, 1, 1)
HIP = ("S1", "R")
Content = dict[tuple[str, tuple[str, ...]], dict[str, Cell]]


def said(content: Content) -> list[tuple[str, str, bool]]:
    """Kind, message and whether it is fatal, of every issue."""
    issues = check_subject(State(content), "S1", CONFIG, TODAY)
    return [(issue.kind, issue.message, issue.is_fatal) for issue in issues]


def visit(name: str = "m00", /, **values: Cell) -> Content:
    return {("visit", (*HIP, name)): values}


def event(name: str, day: str | None = None, number: str = "1") -> Content:
    values: dict[str, Cell] = {} if day is None else {"event_date": day}
    return {("event", (*HIP, name, number)): values}


@dataclass(frozen=True)
class Case:
    """Records and the one thing that is said of them; nothing where they are right."""

    name: str
    content: Content
    message: str = ""
    is_fatal: bool = True
    more: Content = field(default_factory=dict)


ITEMS: dict[str, Cell] = {"hhs_pain": 30.0, "hhs_function": 33.0, "hhs_deformity": 4.0}
TEN_ITEMS: dict[str, Cell] = {
    "hhs_pain": 40,
    "hhs_limp": 11,
    "hhs_support": 11,
    "hhs_distance": 8,
    "hhs_stairs": 4,
    "hhs_shoes": 4,
    "hhs_sitting": 5,
    "hhs_transport": 0,
    "hhs_deformity": 4,
    "hhs_rom": 5.0,
}
TREATED: Content = {("hip", HIP): {"treatment_date": "2020-01-01"}}

CASES = (
    Case("vas on 10", visit(vas=10.0, vas_scale=10)),
    Case("vas on 100", visit(vas=100.0, vas_scale=100)),
    Case("vas above", visit(vas=10.5, vas_scale=10), "10.5 is above the scale's largest value, 10"),
    Case("vas alone", visit(vas=3.0), "0 to 10 or 0 to 100? state vas_scale, 10 or 100"),
    Case("items right", visit(hhs=72.0, hhs_rom=5.0, **ITEMS)),
    Case("items some", visit(hhs=70.0, **ITEMS)),
    Case(
        "items low",
        visit(hhs=60.0, **ITEMS),
        "the total is 60; its items make it between 67 and 72",
        is_fatal=False,
    ),
    Case(
        "items off",
        visit(hhs=71.0, hhs_rom=5.0, **ITEMS),
        "the total is 71; its items make it 72",
        is_fatal=False,
    ),
    Case("ten items", visit(hhs=91.5, **{**TEN_ITEMS, "hhs_rom": 4.5})),
    Case(
        "ten items off",
        visit(hhs=92.0, **{**TEN_ITEMS, "hhs_rom": 4.5}),
        "the total is 92; its items make it 91.5",
        is_fatal=False,
    ),
    Case(
        "function off",
        visit(hhs_function=40.0, **TEN_ITEMS),
        "the function score is 40; its items make it 43",
        is_fatal=False,
    ),
    Case(
        "points of nobody",
        visit(hhs_pain=35.0),
        "35 is none of the published points: 44, 40, 30, 20, 10, 0",
        is_fatal=False,
    ),
    Case("Steinberg", visit(steinberg="II", steinberg_size="C")),
    Case(
        "Steinberg VI",
        visit(steinberg="VI", steinberg_size="C"),
        "stage VI has no size",
        is_fatal=False,
    ),
    Case("items no total", visit(hhs_rom=5.0, **ITEMS)),
    Case("in window", visit("m06", visit_date="2020-07-01"), more=TREATED),
    Case(
        "off window",
        visit("m06", visit_date="2020-01-31"),
        "day 30 from the index date; the window of m06 is day 138 to 228",
        is_fatal=False,
        more=TREATED,
    ),
    Case(
        "order",
        {**visit("m03", visit_date="2020-08-01"), **visit("m06", visit_date="2020-07-01")},
        "not later than visit m03",
        is_fatal=False,
    ),
    Case("unknown visit", visit("m01", hhs=70.0), "no visit of the study (m00, m03"),
    Case(
        "after death",
        visit("m24", visit_date="2022-01-02"),
        "1 days after the subject's death",
        more=event("death", "2022-01-01"),
    ),
    Case("on the day of death", visit(visit_date="2022-01-01"), more=event("death", "2022-01-01")),
    Case(
        "score after THA",
        visit(visit_date="2022-01-02", hhs=90.0),
        "1 days after the hip was replaced: kept here, left out of outcomes and exports",
        is_fatal=False,
        more=event("tha", "2022-01-01"),
    ),
    Case(
        "stage after THA",
        visit(visit_date="2022-01-02", arco="4"),
        "(arco given)",
        is_fatal=False,
        more=event("tha", "2022-01-01"),
    ),
    Case(
        "THA twice",
        event("tha", "2022-01-01"),
        "this hip has a total hip arthroplasty already",
        more=event("tha", "2023-01-01", "2"),
    ),
    Case("lost after THA", event("tha", "2022-01-01"), more=event("lost", "2023-01-01")),
    Case(
        "after lost",
        visit(visit_date="2022-01-02"),
        "1 days after the hip was lost to follow-up",
        is_fatal=False,
        more=event("lost", "2022-01-01"),
    ),
    Case("future", visit(visit_date="2026-01-02"), "1 days in the future", is_fatal=False),
    Case(
        "treatments",
        {("treatment", (*HIP, "1")): {"treatment_date": "2020-01-02"}},
        "the hip's day of treatment is that of none of its treatments",
        is_fatal=False,
        more=TREATED,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_contradiction_is_told_once_and_nothing_else(case: Case) -> None:
    found = said({**case.content, **case.more})
    if not case.message:
        assert found == []
    else:
        ((_, message, is_fatal),) = found
        assert case.message in message
        assert is_fatal is case.is_fatal


def test_death_counts_for_both_hips() -> None:
    left: Content = {("event", ("S1", "L", "death", "1")): {"event_date": "2022-01-01"}}
    assert said({**left, **visit(visit_date="2022-02-01")})[0][2] is True
    other = {**left, **event("death", "2022-01-03")}
    assert any("another day of death" in message for _, message, _ in said(other))


def test_no_message_holds_a_date() -> None:
    for case in CASES:
        for _, message, _ in said({**case.content, **case.more}):
            assert "202" not in message


STEROID: dict[str, Cell] = {
    "prednisone_equivalent_g": 3.0,
    "prednisone_weeks": 12.0,
    "steroid_stopped_months": 6.0,
}
ALCOHOL: dict[str, Cell] = {
    "alcohol_ml_week": 500.0,
    "alcohol_months": 24.0,
    "alcohol_stopped_months": 0.0,
    "other_risk_factor": 0,
}


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({"aetiology": "steroid", **STEROID}, ""),
        ({"aetiology": "steroid", **STEROID, "prednisone_equivalent_g": 2.0}, "not more than 2 g"),
        ({"aetiology": "both", **STEROID, "steroid_stopped_months": 24.0}, "24 months after"),
        ({"aetiology": "steroid", **STEROID, "prednisone_weeks": 26.0}, "about 1.5 g within 3"),
        ({"aetiology": "idiopathic", **STEROID}, "fulfil the rule for glucocorticoids"),
        ({"aetiology": "alcohol", **ALCOHOL}, ""),
        ({"aetiology": "alcohol", **ALCOHOL, "alcohol_ml_week": 400.0}, "not more than 400 mL"),
        ({"aetiology": "alcohol", **ALCOHOL, "alcohol_months": 6.0}, "not more than 6"),
        ({"aetiology": "alcohol", **ALCOHOL, "alcohol_stopped_months": 13.0}, "not within 12"),
        ({"aetiology": "alcohol", **ALCOHOL, "other_risk_factor": 1}, "another risk factor"),
        ({"aetiology": "idiopathic", **ALCOHOL}, "fulfil the rule for alcohol"),
        ({"aetiology": "both", **ALCOHOL, **STEROID, "other_risk_factor": 1}, ""),
        ({**STEROID}, ""),
    ],
)
def test_amounts_bear_out_the_aetiology_or_a_doubt_is_told(
    values: dict[str, Cell], doubt: str
) -> None:
    doubts = list(aetiology_doubts(values))
    assert len(doubts) == bool(doubt)
    assert doubt in "".join(doubts)


@given(st.dates(date(1900, 1, 1)), st.sampled_from("-/."))
def test_a_stated_order_reads_every_day(day: date, mark: str) -> None:
    year_first = f"{day.year}{mark}{day.month}{mark}{day.day:02d}"
    assert parse_date(year_first) == day
    assert parse_date(f"{day:%d}{mark}{day:%m}{mark}{day.year}", "DD/MM/YYYY") == day
    assert parse_date(f"{day:%m}{mark}{day:%d}{mark}{day.year}", "MM/DD/YYYY") == day
    assert parse_date(f"{day.year}년 {day.month}월 {day.day}일") == day


@given(st.text(max_size=12))
def test_any_text_is_a_date_or_a_refusal_that_does_not_repeat_it(text: str) -> None:
    try:
        told = parse_date(text).isoformat()
    except ValueError as error:
        told = str(error)
    assert told


NUMBERS = [one for one in FIELDS if one.type in {"whole", "real"} and not one.values]


@given(st.sampled_from(NUMBERS), st.floats(-10, 1e13))
def test_a_number_is_in_its_range_or_refused(wanted: object, number: float) -> None:
    one = next(field for field in NUMBERS if field is wanted)
    assert one.low is not None
    assert one.high is not None
    is_whole = one.type == "real" or number == int(number)
    if one.low <= number <= one.high and is_whole:
        assert parse_cell(one, repr(number), Reading()).value == number
    else:
        with pytest.raises(ValueError, match=r"not from|no whole number"):
            parse_cell(one, repr(number), Reading())


def test_every_code_is_told_by_itself_and_by_its_meaning_in_any_case() -> None:
    for one in FIELDS:
        for code, meaning in one.values.items():
            wanted = int(code) if one.type == "whole" else code
            for text in (code, code.lower(), code.upper(), meaning, meaning.upper()):
                assert parse_cell(one, text, Reading()).value == wanted


def test_east_asian_digits_are_digits() -> None:
    assert parse_cell(field_named("visit", "hhs"), "７５", Reading()).value == 75.0


def test_fields_are_declared_for_every_program_and_term() -> None:
    paths = [one.path for one in FIELDS]
    assert len(set(paths)) == len(paths)
    assert all(len(one.name) <= 26 and one.name.islower() for one in FIELDS)
    assert all(one.private == (one.type == "date") for one in FIELDS)
    assert set(field_named("visit", "arco").values) == set(map(str, ArcoStage))
    assert set(field_named("visit", "jic").values) == set(map(str, JicType))


@pytest.mark.parametrize(
    "heading",
    [
        "Name",
        "Patient Name",
        "patientName",
        "MRN",
        "DOB",
        "date of birth",
        "Chart no",
        "ID",
        "환자명",
        "등록번호",
        "주민등록번호",
        "氏名",
        "身份证号",
        "E-mail",
        "Phone",
    ],
)
def test_headings_of_identity_are_known(heading: str) -> None:
    assert heading_tells_identity(heading)


@pytest.mark.parametrize("one", FIELDS, ids=lambda one: one.path)
def test_no_field_is_taken_for_identity(one: object) -> None:
    wanted = next(field for field in FIELDS if field is one)
    assert not heading_tells_identity(wanted.name)
    assert not heading_tells_identity(wanted.label)


@given(st.integers(1, 20_000))
def test_letters_of_columns_count_as_in_a_spreadsheet(column: int) -> None:
    value = 0
    for letter in column_letters(column):
        value = 26 * value + ord(letter) - 64
    assert value == column
