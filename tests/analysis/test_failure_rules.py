"""Radiographic failure by each of its rules."""

from collections.abc import Mapping
from typing import Any

import pytest

from necroangle.analysis import analysis_set, hip_outcomes, outcomes_of
from necroangle.errors import CohortError
from necroangle.protocol.study import NO_STUDY

HIP = {"subject": "S1", "laterality": "L"}
THA = {**HIP, "event": "tha", "event_date": None}
FAILED = {**HIP, "event": "radiographic_failure", "event_date": None}
NOTHING: Mapping[str, Any] = {}
COLLAPSED = {**HIP, "event": "collapse", "event_date": None}


def failed(
    stages: tuple[str | None, ...], rule: str, *events: Any, options: Mapping[str, Any] = NOTHING
) -> bool | None:
    visits = [
        {**HIP, "visit": f"m{12 * number:02}", "arco": stage, "hhs": 70.0}
        for number, stage in enumerate(stages)
    ]
    plan = NO_STUDY.overridden({"failure.rule": rule, **options})
    (outcome,) = hip_outcomes(analysis_set([], {"visit": visits, "event": list(events)}, plan))[1]
    return outcome.failure.failed


@pytest.mark.parametrize(
    ("stages", "rule", "expected"),
    [
        (("2", "3A"), "reaches", False),
        (("2", "3B"), "reaches", True),
        (("2", "3B", "2"), "reaches", True),
        (("3A", "3B"), "reaches", True),
        (("3B", "3B"), "reaches", False),
        (("3B", "4"), "reaches", True),
        (("4", "4"), "reaches", None),
        (("2", None), "reaches", None),
        ((None, "4"), "reaches", None),
        (("2", "3A"), "collapse", True),
        (("2", "2"), "collapse", False),
        (("3A", "4"), "collapse", None),
        (("1", "2"), "arco_progression", True),
        (("3A", "3A"), "arco_progression", False),
        (("3A", "2"), "arco_progression", False),
        (("4", "4"), "arco_progression", None),
        (("2", "4"), "event", False),
    ],
)
def test_by_stages(stages: tuple[str | None, ...], rule: str, expected: bool | None) -> None:
    assert failed(stages, rule) is expected


def test_by_events() -> None:
    assert failed(("2", "2"), "event", FAILED) is True
    assert failed(("2", "2"), "auto", FAILED) is True
    assert failed(("2", "2"), "reaches", FAILED) is False
    assert failed(("2", "2"), "collapse", COLLAPSED) is True
    assert failed(("3A", "3A"), "collapse", COLLAPSED) is None


def test_a_replacement_is_a_failure_or_not_as_stated() -> None:
    assert failed(("2", "2"), "reaches", THA) is True
    assert failed(("2", None), "reaches", THA) is True
    assert failed(("2", "2"), "reaches", THA, options={"failure.tha": False}) is False
    assert failed(("2", "2"), "event", THA) is False
    assert failed((None, "2"), "reaches", THA) is None


def test_stages_are_the_studys_own() -> None:
    stages = {"failure.reaches": ["4"]}
    assert failed(("2", "3B"), "reaches", options=stages) is False
    assert failed(("2", "4"), "reaches", options=stages) is True


def test_an_event_before_the_index_date_is_no_outcome() -> None:
    visit = {**HIP, "visit": "m00", "visit_date": "2020-01-10", "arco": "2"}
    early = {**FAILED, "event_date": "2019-12-01"}
    (outcome,) = hip_outcomes(analysis_set([], {"visit": [visit], "event": [early]}))[1]
    assert outcome.failure.failed is False


@pytest.mark.parametrize(("day", "expected"), [("2020-01-10", False), ("2020-01-11", True)])
@pytest.mark.parametrize("rule", ["event", "collapse"])
def test_an_event_on_the_index_day_itself_is_no_outcome(
    day: str, expected: bool, rule: str
) -> None:
    visits = [
        {**HIP, "visit": name, "visit_date": date, "arco": "2"}
        for name, date in (("m00", "2020-01-10"), ("m12", "2021-01-10"))
    ]
    name = {"event": "radiographic_failure", "collapse": "collapse"}[rule]
    records = {"visit": visits, "event": [{**HIP, "event": name, "event_date": day}]}
    plan = NO_STUDY.overridden({"failure.rule": rule})
    (outcome,) = hip_outcomes(analysis_set([], records, plan))[1]
    assert outcome.failure.failed is expected
    assert outcome.failure.days == (1.0 if expected else None)


def test_of_several_events_the_first_after_the_index_day_is_the_outcome() -> None:
    visit = {**HIP, "visit": "m00", "visit_date": "2020-01-10", "arco": "2"}
    days = ("2022-01-10", "2019-01-10", "2021-01-09", "2020-01-10")  # the last on the day itself
    events = [{**FAILED, "event_date": day} for day in days]
    (outcome,) = hip_outcomes(analysis_set([], {"visit": [visit], "event": events}))[1]
    assert (outcome.failure.failed, outcome.failure.days) == (True, 365.0)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(CohortError, match=r"\$\.failure\.rule: Invalid enum value 'luck'"):
        NO_STUDY.overridden({"failure.rule": "luck"})


def test_the_rule_that_was_recorded_is_named() -> None:
    visit = {**HIP, "visit": "m00", "arco": "2"}
    event = {**FAILED, "rule": "collapse above 2 mm on CT"}
    found = outcomes_of(analysis_set([], {"visit": [visit], "event": [event]})).quantities
    (failure,) = [
        one for one in found if (one.quantity, one.group) == ("radiographic_failure", "all")
    ]
    assert failure.method.endswith("(recorded by: collapse above 2 mm on CT)")
