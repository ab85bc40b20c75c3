"""Radiographic failure by each of its rules."""

from typing import Any

import pytest

from necroangle.analysis import OutcomePlan, follow_courses, hip_outcomes, outcomes_of
from necroangle.errors import CohortError
from necroangle.terms import ArcoStage

HIP = {"subject": "S1", "laterality": "L"}
THA = {**HIP, "event": "tha", "event_date": None}
FAILED = {**HIP, "event": "radiographic_failure", "event_date": None}
COLLAPSED = {**HIP, "event": "collapse", "event_date": None}


def failed(stages: tuple[str | None, ...], rule: str, *events: Any, **options: Any) -> bool | None:
    visits = [
        {**HIP, "visit": f"m{12 * number:02}", "arco": stage, "hhs": 70.0}
        for number, stage in enumerate(stages)
    ]
    plan = OutcomePlan(failure_rule=rule, **options)
    (outcome,) = hip_outcomes(follow_courses([], {"visit": visits, "event": list(events)}, plan))[1]
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
    assert failed(("2", "2"), "reaches", THA, tha_is_failure=False) is False
    assert failed(("2", "2"), "event", THA) is False
    assert failed((None, "2"), "reaches", THA) is None


def test_stages_are_the_studys_own() -> None:
    stages = (ArcoStage.STAGE_4,)
    assert failed(("2", "3B"), "reaches", failure_stages=stages) is False
    assert failed(("2", "4"), "reaches", failure_stages=stages) is True


def test_an_event_before_the_index_date_is_no_outcome() -> None:
    visit = {**HIP, "visit": "m00", "visit_date": "2020-01-10", "arco": "2"}
    early = {**FAILED, "event_date": "2019-12-01"}
    (outcome,) = hip_outcomes(follow_courses([], {"visit": [visit], "event": [early]}))[1]
    assert outcome.failure.failed is False


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(CohortError, match="there is no failure rule 'luck'; there are: auto"):
        OutcomePlan(failure_rule="luck")


def test_the_rule_that_was_recorded_is_named() -> None:
    visit = {**HIP, "visit": "m00", "arco": "2"}
    event = {**FAILED, "rule": "collapse above 2 mm on CT"}
    found = outcomes_of([], {"visit": [visit], "event": [event]}).quantities
    (failure,) = [
        one for one in found if (one.quantity, one.group) == ("radiographic_failure", "all")
    ]
    assert failure.method.endswith("(recorded by: collapse above 2 mm on CT)")
