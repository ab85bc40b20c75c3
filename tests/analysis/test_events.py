"""Time to event: which hip counts for how long, and what the curves and tables then say."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from cohortmaker import STUDY, VISITS, plain_cohort
from msgspec.structs import replace

from necroangle.analysis import AnalysisSet, analysis_set
from necroangle.analysis.events import HipTime, events_of, hip_times
from necroangle.analysis.quantities import Quantity
from necroangle.errors import CohortError
from necroangle.protocol.study import NO_STUDY
from necroangle.statistics.survival import (
    Times,
    at_time,
    incidence,
    interval_censored,
    survival,
)

YEAR = 365.25


def cohort_of(
    stages: dict[str, str],
    events: Sequence[tuple[str, str, str]] = (),
    **asked: Any,
) -> AnalysisSet:
    """Hips named in ``stages``, each with a letter of ARCO 2, 3(A), B or 4 at month 0, 12, 24..."""
    names = {"2": "2", "3": "3A", "B": "3B", "4": "4"}
    visits = [
        {
            "subject": name,
            "laterality": "L",
            "visit": f"m{12 * number:02}",
            "visit_date": f"{2020 + number}-01-01",
            "arco": names[letter],
        }
        for name, letters in stages.items()
        for number, letter in enumerate(letters)
        if letter != "-"
    ]
    happened = [
        {"subject": name, "laterality": "L", "event": event, "event_date": day}
        for name, event, day in events
    ]
    protocol = NO_STUDY.overridden(asked)
    return analysis_set([], {"visit": visits, "event": happened}, protocol)


def only(times: list[HipTime]) -> tuple[float, int, float, float]:
    (one,) = times
    return one.years, one.code, one.after_years, one.by_years


def test_an_event_that_a_visit_shows_lies_between_two_visits() -> None:
    times, notes = hip_times(cohort_of({"S1": "22B"}), "failure")
    assert only(times) == (731 / YEAR, 1, 366 / YEAR, 731 / YEAR)
    assert notes == []


def test_a_missed_visit_widens_the_range() -> None:
    times, _ = hip_times(cohort_of({"S1": "2-B"}), "failure")
    assert only(times)[2:] == (0.0, 731 / YEAR)


def test_observed_to_the_last_stage() -> None:
    times, _ = hip_times(cohort_of({"S1": "223"}), "failure")
    assert only(times) == (731 / YEAR, 0, 731 / YEAR, math.inf)


def test_a_replacement_is_a_failure_where_the_study_says_so_else_it_competes() -> None:
    tha = [("S1", "tha", "2022-07-01")]
    counted, _ = hip_times(cohort_of({"S1": "222"}, tha), "failure")
    assert only(counted)[:2] == (912 / YEAR, 1)
    other, _ = hip_times(cohort_of({"S1": "222"}, tha, **{"failure.tha": False}), "failure")
    assert only(other)[:2] == (912 / YEAR, 2)
    collapse, _ = hip_times(cohort_of({"S1": "222"}, tha), "collapse")
    assert only(collapse)[:2] == (912 / YEAR, 2)
    replacement, _ = hip_times(cohort_of({"S1": "222"}, tha), "replacement")
    assert only(replacement) == (912 / YEAR, 1, 912 / YEAR, 912 / YEAR)


def test_death_competes_with_everything() -> None:
    for endpoint in ("failure", "collapse", "replacement"):
        times, _ = hip_times(cohort_of({"S1": "22"}, [("S1", "death", "2021-07-01")]), endpoint)
        assert only(times)[:2] == (547 / YEAR, 3)


def test_hips_that_cannot_have_the_event_are_left_out_and_counted() -> None:
    times, notes = hip_times(cohort_of({"S1": "33", "S2": "22", "S3": "B4"}), "collapse")
    assert [one.hip.subject for one in times] == ["S2"]
    assert notes == ["2 x no stage at the baseline or after it, or past the endpoint at the "
                     "baseline: left out"]  # fmt: skip
    with pytest.raises(CohortError, match="no hip is at risk"):
        events_of(cohort_of({"S1": "33"}), "collapse")


def by_name(found: tuple[Quantity, ...], quantity: str, group: str = "all") -> Quantity:
    (one,) = [one for one in found if (one.quantity, one.group) == (quantity, group)]
    return one


def test_the_study_gives_its_failures_and_each_number_has_a_value_or_words() -> None:
    made = plain_cohort(STUDY)
    cohort = analysis_set(made.rows, made.clinical, replace(NO_STUDY, visits=VISITS))
    found = events_of(cohort, "failure", "stage")
    assert (by_name(found.quantities, "events", "ARCO 2").value,
            by_name(found.quantities, "events", "ARCO 3A").value) == (2, 4)  # fmt: skip
    for one in found.quantities:
        assert one.value is not None or one.words, one
        assert "nan" not in one.text
    last = [row for row in found.curves if (row.curve, row.group) == ("incidence", "all")][-1]
    kaplan = [row for row in found.curves if (row.curve, row.group) == ("survival", "all")][-1]
    assert last.value == pytest.approx(1 - kaplan.value)  # nothing competes here


def test_collapse_by_grade_of_ha() -> None:
    """Ha 2006: collapsed of all hips by grade, 0/5, 6/9, 16/16, 7/7 (doi 10.2106/JBJS.F.00535)."""
    counts = {150.0: (0, 5), 225.0: (6, 9), 275.0: (16, 16), 320.0: (7, 7)}
    rows, visits, number = [], [], 0
    for angle, (collapsed, total) in counts.items():
        for place in range(total):
            number += 1
            hip = {"subject": f"S{number}", "laterality": "L"}
            rows.append({**hip, "visit": "m00", "reader": "ha", "read_no": 1, "method": "m",
                         "cna_deg": angle + place / 10})  # fmt: skip
            last = "3A" if place < collapsed else "2"
            visits += [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", last))]
    found = events_of(analysis_set(rows, {"visit": visits}), "collapse", "grade").quantities
    for grade, (collapsed, total) in enumerate(counts.values(), 1):
        one = by_name(found, "event_share", f"Ha grade {grade}")
        assert (one.value, one.n) == (100 * collapsed / total, total)
    assert by_name(found, "event_share", "Ha grade 2").low == pytest.approx(29.93, abs=0.01)
    trend = by_name(found, "trend_p", "by grade").value
    assert trend is not None
    assert trend < 1e-4
    # every hip of grade 3 and 4 collapsed, none of grade 1: of 29 x 8 pairs, those within grade 2
    # are in doubt, and there the collapsed ones were made the smaller angles
    auc = by_name(found, "auc", "CNA at baseline").value
    assert auc == pytest.approx(1 - 6 * 3 / (29 * 8))


def test_competing_events_of_known_incidence() -> None:
    """Two constant hazards: the incidence is known, and one less Kaplan-Meier is too high."""
    random = np.random.default_rng(8)
    rate, other, end, runs = 0.10, 0.15, 5.0, 600
    truth = rate / (rate + other) * (1 - math.exp(-(rate + other) * end))
    inside, sums, plain = 0, 0.0, 0.0
    for _ in range(runs):
        event, compete = random.exponential(1 / rate, 60), random.exponential(1 / other, 60)
        lost = random.uniform(2, 9, 60)
        time = np.minimum(np.minimum(event, compete), lost)
        code = np.where(time == event, 1, np.where(time == compete, 2, 0))
        data = Times.of(time, code)
        found = at_time(incidence(data), end)
        kaplan = at_time(survival(data), end)
        if found is None or kaplan is None:
            continue
        inside += found[1][0] <= truth <= found[1][1]
        sums += found[0]
        plain += 1 - kaplan[0]
    assert sums / runs == pytest.approx(truth, abs=0.01)
    assert 0.93 <= inside / runs <= 0.97
    assert plain / runs > truth + 0.08


def test_an_interval_holds_the_truth_where_events_are_rare() -> None:
    """22 hips, one in twenty has the event: often none has it, and that is no certainty."""
    random = np.random.default_rng(9)
    rate, other, end, runs = 0.03, 0.05, 2.0, 1500
    truth = rate / (rate + other) * (1 - math.exp(-(rate + other) * end))
    inside = 0
    for _ in range(runs):
        event, compete = random.exponential(1 / rate, 22), random.exponential(1 / other, 22)
        lost = random.uniform(2, 9, 22)
        time = np.minimum(np.minimum(event, compete), lost)
        data = Times.of(time, np.where(time == event, 1, np.where(time == compete, 2, 0)))
        found = at_time(incidence(data), end)
        assert found is not None
        inside += found[1][0] <= truth <= found[1][1]
    assert inside / runs >= 0.93  # with so few events more: the bound of none is exact


def test_events_that_visits_show_lie_in_the_range_that_is_left_open() -> None:
    """Yearly visits, some missed: the visit's day is late, the range holds the truth."""
    random = np.random.default_rng(10)
    event = random.exponential(4.0, 4000)
    days = np.cumsum(random.choice([1.0, 1.0, 1.0, 2.0], (4000, 8)), axis=1)
    by = np.array([next((d for d in own if d >= t), math.inf) for t, own in
                   zip(event, days, strict=True)])  # fmt: skip
    after = np.array([max((d for d in own if d < t), default=0.0) for t, own in
                      zip(event, days, strict=True)])  # fmt: skip
    curve = interval_censored(after, by)
    seen = by < math.inf
    dated = Times.of(np.where(seen, by, days[:, -1]), seen.astype(int))
    for year in (1, 2, 3, 4):
        truth = math.exp(-year / 4.0)
        low, high = curve.bounds_at(year)
        assert low - 0.03 <= truth <= high + 0.03
        late = at_time(survival(dated), year - 1e-9)
        assert late is not None
        assert late[0] > truth + 0.02
