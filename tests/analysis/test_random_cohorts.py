"""Cohorts drawn at random, whose aggregates are counted from what was drawn."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from cohortmaker import VISITS, HipSpec, plain_cohort
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from necroangle.analysis import Outcomes, analysis_set, outcomes_of
from necroangle.protocol.study import NO_STUDY
from necroangle.terms import ArcoStage

PLAN = replace(NO_STUDY, visits=VISITS)
STAGES = list(map(str, ArcoStage))


@st.composite
def hips(draw: st.DrawFn, subject: str, laterality: str, age: float | None) -> HipSpec:
    start = draw(st.sampled_from(STAGES))
    last_days = draw(st.integers(300, 2200))
    tha = draw(st.none() | st.integers(1, 300))
    angles = st.none() | st.integers(0, 360_000).map(lambda thousandths: thousandths / 1000)
    pain = st.none() | st.integers(0, 20).map(lambda halves: halves / 2)
    score = st.none() | st.integers(0, 100).map(float)
    return HipSpec(
        subject,
        laterality,
        age_years=age,
        dose=draw(st.none() | st.floats(1e6, 1e9)),
        stages=(start, draw(st.sampled_from([None, *STAGES]))),
        cna_deg=(draw(angles), draw(angles)),
        vas=(draw(pain), draw(pain)),
        hhs=(draw(score), draw(score)),
        last_days=last_days,
        tha_days=None if tha is None else last_days + tha,
    )


@st.composite
def cohorts(draw: st.DrawFn) -> list[HipSpec]:
    found = []
    for number in range(draw(st.integers(1, 12))):
        age = draw(st.none() | st.floats(15, 80))
        sides = draw(st.sampled_from(["L", "R", "LR"]))
        found += [draw(hips(f"P{number:02}", side, age)) for side in sides]
    return found


def values(outcomes: Outcomes, name: str) -> dict[str, Any]:
    return {one.group: one for one in outcomes.quantities if one.quantity == name}


def order(stage: str) -> int:
    return STAGES.index(stage)


def grown(spec: HipSpec) -> int | None:
    """How many stages the drawn hip moved on; None where its last stage was not recorded.

    Yearly visits before the last one repeat the baseline's stage and scores.
    """
    start, last = spec.stages
    assert start is not None
    if last is not None:
        return order(last) - order(start)
    return 0 if spec.yearly else None


@given(cohorts())
@settings(max_examples=40)
def test_stages_and_failures_are_those_that_were_drawn(specs: list[HipSpec]) -> None:
    cohort = plain_cohort(specs)
    outcomes = outcomes_of(analysis_set(cohort.rows, cohort.clinical, PLAN))
    assert values(outcomes, "hips")["all"].value == len(specs)
    assert values(outcomes, "patients")["all"].value == len({one.subject for one in specs})
    assert values(outcomes, "tha")["all"].value == sum(one.tha_days is not None for one in specs)
    at_baseline = Counter(f"ARCO {one.stages[0]}" for one in specs)
    found = {group: one.value for group, one in values(outcomes, "arco_at_baseline").items()}
    assert found == at_baseline
    for group in at_baseline:
        own = [one for one in specs if f"ARCO {one.stages[0]}" == group]
        kept = sum(grown(one) == 0 and one.tha_days is None for one in own)
        assert values(outcomes, "arco_maintained")[group].value == kept
        at_risk = [one for one in own if one.stages[0] != "4"]
        failed = [one for one in at_risk if is_failed(one)]
        judged = [one for one in at_risk if is_failed(one) or grown(one) is not None]
        rate = values(outcomes, "radiographic_failure_rate")[group]
        assert (rate.n, rate.value is None) == (len(judged), not judged)
        if judged:
            assert rate.value == pytest.approx(100 * len(failed) / len(judged))


def is_failed(spec: HipSpec) -> bool:
    reached = spec.stages[1] in ("3B", "4") and (grown(spec) or 0) > 0
    return reached or spec.tha_days is not None


@given(cohorts())
@settings(max_examples=40)
def test_angles_and_scores_are_those_that_were_drawn(specs: list[HipSpec]) -> None:
    cohort = plain_cohort(specs)
    outcomes = outcomes_of(analysis_set(cohort.rows, cohort.clinical, PLAN))
    changes = [
        round(one.cna_deg[1] - one.cna_deg[0], 6)
        for one in specs
        if one.cna_deg[0] is not None and one.cna_deg[1] is not None
    ]
    assert values(outcomes, "cna_decreased")["all"].value == sum(one < -20 for one in changes)
    assert values(outcomes, "cna_increased")["all"].value == sum(one > 20 for one in changes)
    assert values(outcomes, "cna_change")["all"].n == len(changes)
    ages = {one.subject: one.age_years for one in specs}
    assert_spread(values(outcomes, "age")["all"], list(ages.values()))
    assert_spread(values(outcomes, "cell_dose")["hips"], [one.dose for one in specs])
    for name in ("vas", "hhs"):
        pairs = [paired(getattr(one, name), one) for one in specs]
        differences = [one for one in pairs if one is not None]
        assert_spread(values(outcomes, f"{name}_change")["last"], list(differences))
        test = values(outcomes, f"{name}_p")["last"]
        assert test.n == len(differences)
        if not any(differences):
            assert (test.value, test.words[-7:]) == (None, "no test")
        else:
            p = values(outcomes, f"{name}_p_normal")["last"].value
            expected = stats.wilcoxon(differences, method="asymptotic", correction=False).pvalue
            assert p == pytest.approx(float(expected), abs=1e-9)


def paired(score: tuple[float | None, float | None], spec: HipSpec) -> float | None:
    """Last less first; where the last visit has none, a yearly one before repeats the first."""
    first, last = score
    if first is None:
        return None
    if last is not None:
        return last - first
    return 0.0 if spec.yearly else None


def assert_spread(found: Any, drawn: list[float | None]) -> None:
    known = [one for one in drawn if one is not None]
    assert found.n == len(known)
    if not known:
        assert (found.value, found.words) == (None, "nothing recorded")
        return
    expected = np.quantile(known, [0.5, 0.25, 0.75])
    assert [found.value, found.low, found.high] == pytest.approx(list(expected))
