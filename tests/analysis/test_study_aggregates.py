"""22 hips of 18 patients give back the aggregates that the study printed."""

import random

import pytest
from cohortmaker import MDC95_DEG, STUDY, VISITS, plain_cohort
from msgspec.structs import replace

from necroangle.analysis import Outcomes, analysis_set, outcomes_of
from necroangle.protocol.study import NO_STUDY

PLAN = replace(NO_STUDY, visits=VISITS)


def found(outcomes: Outcomes, quantity: str, group: str = "all") -> tuple[float | None, int]:
    (one,) = [one for one in outcomes.quantities if (one.quantity, one.group) == (quantity, group)]
    return one.value, one.n


def quartiles(outcomes: Outcomes, quantity: str, group: str = "all") -> list[float]:
    (one,) = [one for one in outcomes.quantities if (one.quantity, one.group) == (quantity, group)]
    assert one.value is not None
    assert one.low is not None
    assert one.high is not None
    return [one.value, one.low, one.high]


@pytest.fixture(scope="module")
def study() -> Outcomes:
    cohort = plain_cohort(STUDY)
    return outcomes_of(analysis_set(cohort.rows, cohort.clinical, PLAN))


@pytest.mark.parametrize(
    ("quantity", "group", "value", "n"),
    [
        ("patients", "all", 18, 18),
        ("hips", "all", 22, 22),
        ("patients_with_two_hips", "all", 4, 18),
        ("arco_at_baseline", "ARCO 2", 14, 22),
        ("arco_at_baseline", "ARCO 3A", 8, 22),
        ("arco_maintained", "ARCO 2", 7, 14),
        ("arco_maintained", "ARCO 3A", 4, 8),
        ("radiographic_failure", "ARCO 2", 2, 14),
        ("radiographic_failure", "ARCO 3A", 4, 8),
        ("cna_decreased", "all", 6, 22),
        ("cna_decreased", "ARCO 2", 4, 14),
        ("cna_decreased", "ARCO 3A", 2, 8),
        ("cna_decreased_real", "all", 9, 22),
        ("cna_increased", "all", 3, 22),
        ("tha", "all", 4, 22),
        ("tha", "patients", 4, 18),
        ("failure_not_judged", "all", 0, 22),
    ],
)
def test_counts(study: Outcomes, quantity: str, group: str, value: int, n: int) -> None:
    assert found(study, quantity, group) == (value, n)


@pytest.mark.parametrize(
    ("quantity", "group", "printed"),
    [
        ("age", "all", ["35.0", "28.5", "42.0"]),
        ("follow_up", "patients", ["4.0", "2.0", "5.3"]),
        ("follow_up", "hips", ["4.0", "2.0", "5.3"]),
    ],
)
def test_medians_and_quartiles(
    study: Outcomes, quantity: str, group: str, printed: list[str]
) -> None:
    assert [f"{number:.1f}" for number in quartiles(study, quantity, group)] == printed


def test_dose(study: Outcomes) -> None:
    assert quartiles(study, "cell_dose", "patients")[0] == 1.06e8
    assert quartiles(study, "cell_dose", "hips")[0] == 1.06e8


def test_failure_rates_with_exact_intervals(study: Outcomes) -> None:
    rates = {
        group: [round(number, 1) for number in quartiles(study, "radiographic_failure_rate", group)]
        for group in ("ARCO 2", "ARCO 3A")
    }
    assert rates == {"ARCO 2": [14.3, 1.8, 42.8], "ARCO 3A": [50.0, 15.7, 84.3]}


def test_p_values_by_named_methods(study: Outcomes) -> None:
    """R 4.2.2: wilcox.test, exactRankTests::wilcox.exact, coin::wilcoxsign_test."""
    values = {
        name: found(study, name, "last")[0]
        for name in ("vas_p", "vas_p_normal", "vas_p_normal_cc", "hhs_p", "hhs_p_normal")
    }
    assert values == {
        "vas_p": pytest.approx(0.05192279816, abs=1e-10),
        "vas_p_normal": pytest.approx(0.05210971241, abs=1e-10),
        "vas_p_normal_cc": pytest.approx(0.0541162301, abs=1e-10),
        "hhs_p": pytest.approx(0.5347290039, abs=1e-10),
        "hhs_p_normal": pytest.approx(0.5194874125, abs=1e-10),
    }
    assert [f"{values[name]:.3f}" for name in ("vas_p", "hhs_p")] == ["0.052", "0.535"]
    (chosen,) = [one for one in study.quantities if (one.quantity, one.group) == ("vas_p", "last")]
    assert "exact permutation distribution" in chosen.method


def test_the_smallest_real_change_is_that_of_the_standard_errors(study: Outcomes) -> None:
    assert found(study, "cna_mdc95")[0] == pytest.approx(MDC95_DEG)


def test_a_change_of_exactly_the_threshold_is_not_above_it(study: Outcomes) -> None:
    changes = {hip.change.change_deg: hip.change.decreased for hip in study.hips if hip.change}
    assert changes[-20.0] is False
    assert changes[-21.6] is True


def test_scores_after_a_replacement_do_not_count(study: Outcomes) -> None:
    replaced = [hip for hip in study.hips if hip.has_tha]
    seen_after = [hip for hip in replaced if hip.course.visits[-1].state == "censored_tha"]
    assert len(seen_after) >= 2
    assert all(hip.hhs and hip.hhs.last != 99.0 for hip in replaced)
    assert all(visit.entered is None for hip in seen_after for visit in hip.course.visits[-1:])


def test_the_order_of_rows_says_nothing(study: Outcomes) -> None:
    cohort = plain_cohort(STUDY)
    shuffler = random.Random(3)
    for rows in (cohort.rows, *cohort.clinical.values()):
        shuffler.shuffle(rows)
    assert outcomes_of(analysis_set(cohort.rows, cohort.clinical, PLAN)) == study


def test_visits_told_by_their_names_give_the_same(study: Outcomes) -> None:
    cohort = plain_cohort(STUDY)
    assert outcomes_of(analysis_set(cohort.rows, cohort.clinical)).quantities == study.quantities


def test_recorded_failures_are_the_rule_where_there_are_any() -> None:
    failed = [f"{one.subject} {one.laterality}" for one in STUDY if one.stages[1] in ("3B", "4")]
    cohort = plain_cohort(STUDY, failure_events=failed[:-1])
    outcomes = outcomes_of(analysis_set(cohort.rows, cohort.clinical, PLAN))
    assert found(outcomes, "radiographic_failure")[0] == len(failed) - 1 == 5
    assert any("rule event" in note for note in outcomes.notes)
    assert any(note.startswith("1 hip where the recorded failure") for note in outcomes.notes)


def test_quartiles_of_type_6() -> None:
    cohort = plain_cohort(STUDY)
    outcomes = outcomes_of(
        analysis_set(cohort.rows, cohort.clinical, PLAN.overridden({"statistics.quantiles": 6}))
    )
    assert quartiles(outcomes, "age") == [35.0, 27.75, 42.75]
