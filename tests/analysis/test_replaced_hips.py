"""After a replacement there is no angle, stage or score of the hip."""

import pytest
from coursemaker import ANGLES, DATES, PLAN, at, event, follow, row

from necroangle.analysis import analysis_set, outcomes_of


class TestReplacement:
    """After a replacement there is no angle, stage or score of the hip."""

    def test_nothing_is_carried_forward(self) -> None:
        course, outcome = follow(ANGLES, visit=DATES, event=[event("tha", "2021-06-01")])
        assert at(course, "m24").state == "censored_tha"
        assert at(course, "m24").cna_deg is None
        assert outcome.angle_last is not None
        assert outcome.angle_last.planned.name == "m12"
        assert outcome.end == "tha"
        assert outcome.follow_up_days == 731
        assert outcome.observed_days == 508

    def test_what_was_read_on_the_day_itself_counts_if_there_is_an_angle(self) -> None:
        course, _ = follow(ANGLES, visit=DATES, event=[event("tha", "2022-01-10")])
        assert at(course, "m24").state == "observed"
        course, _ = follow(ANGLES[:2], visit=DATES, event=[event("tha", "2022-01-10")])
        assert at(course, "m24").state == "censored_tha"

    @pytest.mark.parametrize("day", ["2019-05-01", "2020-01-10"])
    def test_at_or_before_the_baseline_it_leaves_the_hip_out(self, day: str) -> None:
        found = outcomes_of(
            analysis_set(ANGLES, {"visit": DATES, "event": [event("tha", day)]}, PLAN)
        )
        counts = {(one.quantity, one.group): one.value for one in found.quantities}
        assert counts["hips", "all"] == 0
        assert counts["tha", "all"] == 0
        assert counts["tha_before_index", "all"] == 1

    def test_a_prosthesis_in_a_reading_is_a_replacement(self) -> None:
        rows = [ANGLES[0], row("m12", None, a_status="prosthesis"), ANGLES[2]]
        course, outcome = follow(rows)
        assert [one.state.value for one in course.visits] == [
            "observed",
            "missing",
            "censored_tha",
            "censored_tha",
        ]
        assert outcome.has_tha
        assert "prosthesis_undated" in at(course, "m12").flags

    def test_a_prosthesis_at_the_baseline_leaves_the_hip_out(self) -> None:
        course, _ = follow([row("m00", None, flags="censored_by_tha"), ANGLES[1]])
        assert course.had_tha_before

    def test_without_a_date_it_counts_and_is_said(self) -> None:
        found = outcomes_of(
            analysis_set(ANGLES, {"visit": DATES, "event": [event("tha", None)]}, PLAN)
        )
        assert [hip.has_tha for hip in found.hips] == [True]
        assert any(note.startswith("1 hip replaced with no date") for note in found.notes)

    def test_the_stage_before_it_is_not_maintained(self) -> None:
        visits = [{**one, "arco": "2"} for one in DATES[:2]]
        _, outcome = follow([], visit=visits, event=[event("tha", "2021-06-01")])
        assert outcome.arco_course == "replaced"
        assert (outcome.failure.failed, outcome.failure.where) == (True, "tha")

    def test_two_of_them_count_once_and_the_first_censors(self) -> None:
        events = [event("tha", "2021-12-01"), event("tha", "2021-06-01")]
        course, _ = follow(ANGLES, visit=DATES, event=events)
        assert course.ending.tha_days == 508
