"""Visits on the time axis: months, windows, baseline, change, and what is censored."""

import pytest
from coursemaker import ANGLES, DATES, HIP, PLAN, Row, at, event, follow, row, seen
from hipmaker import make_reading

from necroangle.analysis import analysis_set, outcomes_of
from necroangle.analysis.printing import table_rows
from necroangle.cohort import to_row
from necroangle.errors import CohortError
from necroangle.measurement import change_between, measure


def test_months_are_days_by_a_twelfth_of_a_year() -> None:
    course, _ = follow(ANGLES, visit=DATES)
    assert at(course, "m12").days == 366
    assert at(course, "m12").months == pytest.approx(366 / 30.4375)


@pytest.mark.parametrize(
    ("clinical", "days"),
    [
        ({"hip": [{**HIP, "treatment_date": "2020-02-09"}]}, 336),
        (
            {
                "hip": [{**HIP, "treatment_date": "2020-02-09"}],
                "subject": [{"subject": "S1", "index_date": "2020-01-20"}],
            },
            336,
        ),
        ({"treatment": [{**HIP, "number": "1", "treatment_date": "2020-02-09"}]}, 336),
        ({"subject": [{"subject": "S1", "index_date": "2020-01-20"}]}, 356),
        ({}, 366),
    ],
)
def test_the_index_date_is_that_of_treatment_then_subject_then_visit(
    clinical: dict[str, list[Row]], days: int
) -> None:
    course, _ = follow(ANGLES, visit=DATES, **clinical)
    assert at(course, "m12").days == days


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2020-10-12", True), ("2020-10-11", False), ("2021-04-10", True), ("2021-04-11", False)],
)
def test_the_bounds_of_a_window_belong_to_it(day: str, inside: bool) -> None:
    """Day 365 of 2020-01-11 is 2021-01-10; 90 days before and after it still count."""
    course, _ = follow([], visit=[seen("m00", "2020-01-11"), seen("m12", day)])
    assert at(course, "m12").in_window is inside
    assert ("out_of_window" in at(course, "m12").flags) is not inside


def test_without_dates_the_nominal_time_stands_in_and_is_said() -> None:
    course, outcome = follow(ANGLES)
    assert at(course, "m24").months == 24.0
    assert at(course, "m24").days is None
    assert at(course, "m24").in_window is None
    assert "undated" in at(course, "m24").flags
    assert outcome.follow_up_days == pytest.approx(730.5)


def test_the_change_has_the_error_of_both_angles() -> None:
    errors = {"cna_se_total": 5.0, "cna_low_deg": 232.0, "cna_high_deg": 249.0}
    later = {"cna_se_total": 12.0, "cna_low_deg": 198.0, "cna_high_deg": 225.0}
    _, outcome = follow([row("m00", 240.0, **errors), row("m12", 210.0, **later)])
    change = outcome.change
    assert change is not None
    assert (change.change_deg, change.se_deg) == (-30.0, 13.0)
    assert (change.low_deg, change.high_deg) == (-30.0 - 15.0, -30.0 + 17.0)  # 12, 9; 15, 8
    assert change.mdc95_deg == pytest.approx(1.96 * 13.0)
    assert (change.decreased, change.is_real) == (True, True)


def test_without_errors_nobody_says_whether_a_change_is_real() -> None:
    _, outcome = follow(ANGLES)
    assert outcome.change is not None
    assert (outcome.change.mdc95_deg, outcome.change.is_real) == (None, None)
    assert outcome.change.decreased
    found = outcomes_of(analysis_set(ANGLES, {}, PLAN)).quantities
    assert [one.words for one in found if one.quantity == "cna_mdc95"] == ["nothing recorded"]
    assert [one.n for one in found if one.quantity == "cna_decreased_real"] == [0, 0]


def test_repeat_reads_give_the_smallest_real_change() -> None:
    twice = [
        row(visit, cna, subject=f"R{number}", read_no=read, cna_se_total=9.0)
        for number in range(5)
        for visit in ("m00",)
        for read, cna in ((1, 200.0), (2, 206.0))
    ]
    found = outcomes_of(analysis_set([*ANGLES, *twice], {}, PLAN))
    (mdc95,) = [one for one in found.quantities if one.quantity == "cna_mdc95"]
    assert mdc95.value == pytest.approx(2.5706 * 2**0.5 * 18**0.5, rel=1e-4), "t of 5, not z"
    assert mdc95.n == 5
    assert "repeat reads by the same reader" in mdc95.method
    assert [hip.change.is_real for hip in found.hips if hip.change] == [True]


def test_different_readers_stand_in_for_repeat_reads() -> None:
    twice = [
        row("m00", cna, subject=f"R{number}", reader=reader)
        for number in range(5)
        for reader, cna in (("kim", 200.0), ("lee", 206.0))
    ]
    noise = analysis_set([*ANGLES, *twice], {}, PLAN).noise
    assert noise is not None
    assert noise.source == "first reads by different readers"
    assert noise.sem_deg == pytest.approx(18**0.5)


def test_after_death_nothing_counts_and_a_lost_patient_may_come_back() -> None:
    course, _ = follow(ANGLES, visit=DATES, event=[event("death", "2021-06-01")])
    assert at(course, "m24").state == "censored_death"
    assert at(course, "m24").flags == ("seen_after_death",)
    course, _ = follow(ANGLES, visit=DATES, event=[event("death", "2022-01-10")])
    assert at(course, "m24").state == "observed"
    course, _ = follow(ANGLES, visit=DATES, event=[event("lost", "2021-06-01")])
    assert at(course, "m24").state == "observed"
    assert at(course, "m24").flags == ("seen_after_lost",)
    course, _ = follow(ANGLES[:2], visit=DATES[:2], event=[event("lost", "2021-06-01")])
    assert [one.state.value for one in course.visits] == ["observed", "missing", "observed", "lost"]


def test_a_death_is_of_both_hips() -> None:
    rows = [*ANGLES, *({**one, "laterality": "R"} for one in ANGLES)]
    both = [*DATES, *({**one, "laterality": "R"} for one in DATES)]
    clinical = {"visit": both, "event": [event("death", "2021-06-01")]}
    found = outcomes_of(analysis_set(rows, clinical, PLAN))
    assert [at(hip.course, "m24").state.value for hip in found.hips] == ["censored_death"] * 2
    deaths = {one.group: one.value for one in found.quantities if one.quantity == "event_death"}
    assert deaths == {"all": 2, "patients": 1}


def test_without_a_baseline_there_is_no_change() -> None:
    other = [row("m00", 200.0, subject="S2")]
    found = outcomes_of(analysis_set([*ANGLES[1:], *other], {}, PLAN))
    assert [hip.change for hip in found.hips] == [None, None]
    assert "1 hip without a baseline visit: no change" in found.notes


def test_a_baseline_without_an_angle_is_not_replaced_by_the_next_visit() -> None:
    course, outcome = follow([row("m00", None, a_status="not_done"), *ANGLES[1:]])
    assert course.baseline is not None
    assert outcome.change is None


def test_a_hip_may_name_its_own_baseline() -> None:
    _, outcome = follow(ANGLES, hip=[{**HIP, "index_visit": "m12"}])
    assert outcome.change is not None
    assert outcome.change.change_deg == -10.0


def test_visits_before_the_baseline_are_no_follow_up() -> None:
    visits = [seen("screening", "2019-06-01", arco="3B"), *DATES]
    course, outcome = follow([], visit=[{"arco": "2", **one} for one in visits])
    assert at(course, "screening").state == "before_baseline"
    assert at(course, "screening").flags == ("unplanned",)
    assert outcome.failure.failed is False


def test_a_visit_between_treatment_and_a_late_baseline_is_no_follow_up() -> None:
    visits = [seen("m00", "2020-01-20", arco="2"), seen("early", "2020-01-15", arco="4")]
    course, outcome = follow([], visit=visits, hip=[{**HIP, "treatment_date": "2020-01-10"}])
    assert at(course, "early").state == "before_baseline"
    assert outcome.arco_last is None


def test_the_first_treatment_is_that_with_the_lowest_number() -> None:
    treatments = [
        {**HIP, "number": number, "cell_dose": dose, "treatment_date": day}
        for number, dose, day in (("10", 3e8, "2022-01-01"), ("2", 1e8, "2020-01-10"))
    ]
    course, _ = follow(ANGLES, visit=DATES, treatment=treatments)
    assert course.treated.dose == 1e8
    assert at(course, "m12").days == 366
    notes = outcomes_of(analysis_set(ANGLES, {"treatment": treatments}, PLAN)).notes
    assert "1 hip treated more than once: the first dose counts" in notes


def test_follow_up_of_a_patient_is_that_of_the_longer_hip() -> None:
    other = [{**one, "laterality": "R"} for one in DATES[:2]]
    last = {**HIP, "visit": "late", "visit_date": "2024-01-10"}
    found = outcomes_of(analysis_set([], {"visit": [*DATES, *other, last]}, PLAN)).quantities
    years = {one.group: one.value for one in found if one.quantity == "follow_up"}
    assert years["patients"] == 1461 / 365.25 == 4.0
    assert years["hips"] == pytest.approx((1461 + 366) / 2 / 365.25)


def test_an_unplanned_visit_with_a_date_counts() -> None:
    visits = [*DATES, seen("pain", "2022-06-01")]
    course, outcome = follow([*ANGLES, row("pain", 190.0)], visit=visits)
    assert at(course, "pain").flags == ("unplanned",)
    assert outcome.angle_last is not None
    assert outcome.angle_last.planned.name == "pain"


def test_an_unplanned_visit_without_a_date_has_no_place() -> None:
    course, outcome = follow([*ANGLES, row("pain", 190.0)])
    assert at(course, "pain").flags == ("unplaced", "unplanned")
    assert at(course, "pain").change is None
    assert outcome.angle_last is not None
    assert outcome.angle_last.planned.name == "m24"


def test_dates_go_before_the_planned_order() -> None:
    visits = [DATES[0], seen("m12", "2022-03-01"), DATES[2]]
    course, outcome = follow(ANGLES, visit=visits)
    assert outcome.angle_last is not None
    assert outcome.angle_last.planned.name == "m12"
    assert "out_of_order" in at(course, "m12").flags


def test_an_earlier_stage_is_told_and_not_counted_as_maintained() -> None:
    visits = [seen("m00", None, arco="3A"), seen("m12", None, arco="2")]
    course, outcome = follow([], visit=visits)
    assert outcome.arco_course == "earlier"
    assert "arco_earlier" in at(course, "m12").flags


def test_the_clinical_stage_goes_before_that_of_the_reading() -> None:
    rows = [row("m00", 240.0, arco="2"), row("m12", 230.0, arco="3A")]
    course, outcome = follow(rows, visit=[seen("m12", None, arco="3B")])
    assert (outcome.arco_baseline, outcome.arco_last) == ("2", "3B")
    assert "arco_differs" in at(course, "m12").flags


def test_two_hips_of_a_patient_are_apart_and_one_cluster() -> None:
    rows = [*ANGLES, *({**one, "laterality": "R", "cna_deg": 180.0} for one in ANGLES)]
    found = outcomes_of(
        analysis_set(rows, {"event": [event("tha", "2021-06-01")], "visit": DATES}, PLAN)
    )
    table = table_rows(found, "hips")
    assert [(one["cluster"], one["laterality"], one["tha"]) for one in table] == [
        ("S1", "L", 1),
        ("S1", "R", 0),
    ]
    assert any("cluster" in note for note in found.notes)


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("visit", {"visit": "m00", "vas": 11, "vas_scale": 10}, "column vas: 11 is not from 0"),
        ("visit", {"visit": "m00", "vas": 5}, "column vas_scale: 10 or 100 is needed"),
        ("visit", {"visit": "m00", "arco": "3C"}, "column arco: '3C' is none of 1, 2"),
        ("visit", {"visit": "m00", "visit_date": "31.5.2024"}, "column visit_date: .* no date"),
        ("visit", {"visit": "m00", "hhs": "good"}, "column hhs: 'good' is not a number"),
        ("visit", {}, "column visit: a text is needed"),
        ("event", {"event": "fell"}, "column event: 'fell' is none of"),
        ("event", {"event": "tha", "laterality": "B"}, "column laterality: 'B' is none of L, R"),
    ],
)
def test_a_clinical_value_that_is_not_valid_is_named(kind: str, values: Row, problem: str) -> None:
    with pytest.raises(CohortError, match=problem):
        analysis_set([], {kind: [{**HIP, **values}]}, PLAN)


def test_two_rows_for_one_visit_are_refused() -> None:
    with pytest.raises(CohortError, match="two clinical rows for one key"):
        analysis_set([], {"visit": [DATES[0], DATES[0]]}, PLAN)


def test_an_index_visit_that_nobody_has_is_refused() -> None:
    with pytest.raises(CohortError, match="no hip has the index visit 'm00'; visits in the cohort"):
        outcomes_of(analysis_set([row("first", 200.0)], {}, PLAN))


def test_an_empty_cohort_has_outcomes_in_words() -> None:
    found = outcomes_of(analysis_set([], {})).quantities
    assert {one.value for one in found if one.unit == "hips"} == {0}
    assert {one.words for one in found if one.value is None} == {
        "nothing recorded",
        "no hip can be judged",
        "no pairs: no test",
    }


def test_stages_are_counted_at_each_visit() -> None:
    own = {"jic": "C1", "jic_stage": "3B"}
    visits = [{**one, "arco": stage, **own} for one, stage in zip(DATES, "224", strict=True)]
    found = outcomes_of(analysis_set([], {"visit": visits}, PLAN)).quantities
    counts = {(one.quantity, one.group): one.value for one in found}
    assert counts["arco_at_visit", "visit m12: 2"] == 1
    assert counts["arco_at_visit", "visit m24: 4"] == 1
    assert counts["jic_at_visit", "visit m24: C1"] == 1
    assert counts["jic_stage_at_visit", "visit m24: 3B"] == 1
    assert counts["jic_stage_at_baseline", "JIC stage 3B"] == 1


def test_a_row_without_entries_is_no_visit() -> None:
    blank = seen("m24", None, arco=None, vas=None)
    course, _ = follow(ANGLES[:2], visit=[*DATES[:2], blank])
    assert at(course, "m24").state == "missing"


def test_a_change_has_one_interval_in_outcomes_and_beside_two_files() -> None:
    before, after = make_reading(110.0, 100.0, visit="m00"), make_reading(95.0, 84.0, visit="m12")
    measured = measure(before), measure(after)
    rows = [dict(to_row(*one, "0" * 64)) for one in zip((before, after), measured, strict=True)]
    _, outcome = follow(rows)
    beside = change_between(*measured)
    assert outcome.change is not None
    assert beside.cna is not None
    assert (outcome.change.low_deg, outcome.change.high_deg) == pytest.approx(
        beside.cna.interval_95(), abs=1e-9
    )
    assert outcome.change.mdc95_deg == beside.mdc95_deg
    assert outcome.change.is_real == beside.is_real
    assert "change on the marked slices" in outcome.change.mdc95_source
