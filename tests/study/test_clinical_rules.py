"""The rules of a study on plain values: months of a name, index day, reading, state, stages."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.protocol.dates import index_day, nominal_months
from necroangle.protocol.ending import Ending, VisitState, ending_of, state_at
from necroangle.protocol.hips import HipEvent
from necroangle.protocol.reads import ReadOf, choose_read
from necroangle.protocol.study import NO_STUDY
from necroangle.terms import ArcoStage

MONTHS = {
    "baseline": 0, "base": 0, "bl": 0, "pre": 0, "index": 0, "preop": 0, "pre-op": 0, "pre_op": 0,
    "preoperative": 0, "m00": 0, "visit_m0": 0, "m06": 6, "mo6": 6, "6m": 6, "month_6": 6,
    "month.6": 6, "6.m": 6, "m-6": 6, "6 months": 6, "visit_m12": 12, "m1.5": 1.5, "1.5m": 1.5,
    "y1": 12, "yr2": 24, "2yr": 24, "2years": 24, "year 3": 36, "M24": 24, "m600": 600,
    "m1234": None, "y2024": None, "late": None, "week6": None, "m": None, "mx6": None, "6": None,
    "m6b": None, "": None, "٣m": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "months"), MONTHS.items())
def test_a_name_says_its_months_or_nothing(name: str, months: float | None) -> None:
    assert nominal_months(name, NO_STUDY) == months


def test_a_plan_goes_before_a_name() -> None:
    plan = NO_STUDY.overridden({"visits": [{"name": "m06", "months": 7}, {"name": "m12"}]})
    assert [nominal_months(name, plan) for name in ("m06", "m12", "m24")] == [7.0, 12.0, 24.0]


@pytest.mark.parametrize(
    ("order", "known", "day"),
    [
        (["treatment", "index_date", "visit"], "tiv", 1),
        (["treatment", "index_date", "visit"], "iv", 2),
        (["treatment", "index_date", "visit"], "v", 3),
        (["visit", "treatment"], "tiv", 3),
        (["visit", "treatment"], "ti", 1),
        (["visit", "treatment"], "i", None),
    ],
)
def test_the_index_day_is_the_first_that_is_known(
    order: list[str], known: str, day: int | None
) -> None:
    days = {
        name: date(2020, 1, number) if name[0] in known else None
        for number, name in enumerate(("treatment", "index_date", "visit"), 1)
    }
    found = index_day(NO_STUDY.overridden({"index_day": order}), **days)
    assert found == (None if day is None else date(2020, 1, day))


READS = st.lists(
    st.builds(
        ReadOf,
        st.sampled_from(["kim", "lee", "consensus", "zoe"]),
        st.integers(1, 3),
        st.none() | st.frozensets(st.sampled_from(["a", "b", "c"])),
    ),
    max_size=6,
    unique_by=lambda read: (read.reader, read.read_no),
)


@given(READS, st.lists(st.sampled_from(["kim", "lee", "zoe"]), unique=True), st.booleans())
def test_the_reading_that_stands_follows_the_rule_in_any_order(
    reads: list[ReadOf], readers: list[str], consensus: bool
) -> None:
    protocol = NO_STUDY.overridden({"readers": readers or None, "consensus": consensus})
    found = choose_read(reads, protocol)
    assert found == choose_read(reads[::-1], protocol)
    agreed = [one for one in reads if one.unites is not None and len(one.unites) > 1]
    single = [one for one in reads if one not in agreed]
    if consensus and agreed:
        assert found is not None
        assert found.is_consensus
        assert found.read.read_no == max(one.read_no for one in agreed)
        return
    names = readers or sorted({one.reader for one in single})
    wanted = [one for name in names for one in single if one.reader == name]
    if not wanted:
        assert found is None
        return
    assert found is not None
    assert found.read.reader == wanted[0].reader
    own = [one.read_no for one in single if one.reader == wanted[0].reader]
    assert found.read.read_no == min(own)
    assert not found.is_consensus


@given(st.dates(date(2010, 1, 1), date(2030, 1, 1)), st.sampled_from(["tha", "death"]))
def test_after_an_ending_by_its_date_nothing_is_observed(day: date, event: str) -> None:
    end = date(2020, 1, 1)
    ending = ending_of([HipEvent(event, end)], None)
    state = state_at(ending, None, day, has_data=True, has_angle=True)
    assert state.is_censored is (day > end)


def test_a_prosthesis_dates_a_replacement_that_has_no_date() -> None:
    assert ending_of([], None, [700.0, 400.0, None]).tha_days == 400.0
    unplaced = ending_of([], None, [None])
    assert (unplaced.has_tha, unplaced.tha_days) == (True, None)
    dated = ending_of([HipEvent("tha", date(2020, 1, 1))], date(2019, 1, 1), [900.0])
    assert dated.tha_days == 365.0
    assert state_at(Ending(), 10.0, None, has_data=False, has_angle=False) is VisitState.MISSING


def test_stages_have_their_order() -> None:
    assert sorted(ArcoStage, key=lambda one: one.order) == ["1", "2", "3A", "3B", "4"]
