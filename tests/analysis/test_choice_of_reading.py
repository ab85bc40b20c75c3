"""One reading for each hip and visit."""

import pytest
from coursemaker import ANGLES, PLAN, at, follow, row
from msgspec.structs import replace

from necroangle.analysis import analysis_set, outcomes_of
from necroangle.analysis.courses import United
from necroangle.errors import CohortError
from necroangle.protocol.study import StudyProtocol


class TestChoiceOfReading:
    """One reading for a hip at a visit, by a stated rule."""

    ROWS = (
        row("m00", 240.0),
        row("m00", 230.0, read_no=2),
        row("m00", 200.0, reader="lee"),
        row("m00", 222.0, reader="joint"),
    )

    def chosen(self, plan: StudyProtocol = PLAN, united: United | None = None) -> float | None:
        course = analysis_set(self.ROWS, {}, plan, united or {}).courses[0]
        return at(course, "m00").cna_deg

    def test_consensus_first_then_stated_reader_then_first_by_name(self) -> None:
        joint: United = {("S1", "L", "m00", "joint", "1"): frozenset({"a" * 64, "b" * 64})}
        assert self.chosen(united=joint) == 222.0
        assert self.chosen(replace(PLAN, readers=("kim",)), joint) == 222.0
        assert self.chosen(replace(PLAN, readers=("kim",), consensus=False), joint) == 240.0
        assert self.chosen(replace(PLAN, readers=("park", "lee", "kim"))) == 200.0
        assert self.chosen() == 222.0  # joint, the first by name
        assert self.chosen(replace(PLAN, readers=("kim",))) == 240.0

    def test_the_rule_is_said(self) -> None:
        rule = analysis_set(self.ROWS, {}, PLAN).rule
        assert rule == "first read of the first reader by name (joint, kim, lee; none was stated)"

    def test_a_visit_of_other_readers_is_left_out_and_counted(self) -> None:
        rows = [*ANGLES[:2], row("m24", 150.0, reader="lee")]
        found = outcomes_of(analysis_set(rows, {}, replace(PLAN, readers=("kim",))))
        assert "readers who are none of the study's, left out: lee (1 reading)" in found.notes
        assert "1 visit of hips read by other readers only: left out" in found.notes
        with pytest.raises(CohortError, match="no reading by park; readers: kim, lee"):
            outcomes_of(analysis_set(rows, {}, replace(PLAN, readers=("park",))))

    def test_different_readers_at_two_visits_are_told(self) -> None:
        course, _ = follow([ANGLES[0], row("m12", 210.0, reader="lee")])
        assert "readers_differ" in at(course, "m12").flags

    def test_unlike_weightings_at_two_visits_are_told(self) -> None:
        t1 = {"a_weighting": "T1", "b_weighting": "T1"}
        later = {"m06": {}, "m12": {"a_weighting": "T1"}, "m24": {**t1, "b_weighting": "STIR"}}
        rows = [{**row("m00", 240.0), **t1}]
        rows += [{**row(visit, 210.0), **words} for visit, words in later.items()]
        course, _ = follow(rows)
        told = ["weightings_differ" in at(course, visit).flags for visit in later]
        assert told == [False, False, True]

    def test_methods_are_never_mixed(self) -> None:
        rows = [*ANGLES, row("m24", 260.0, method="max_extent")]
        with pytest.raises(CohortError, match="several methods: ha_mr_midslice, max_extent"):
            analysis_set(rows, {}, PLAN)
        one = analysis_set(rows, {}, replace(PLAN, method="max_extent")).courses[0]
        assert at(one, "m24").cna_deg == 260.0
        assert at(one, "m00").cna_deg is None

    def test_versions_are_never_mixed(self) -> None:
        rows = [row("m00", 1.0, method_version=1), row("m12", 1.0, method_version=2)]
        with pytest.raises(CohortError, match="versions 1, 2"):
            analysis_set(rows, {}, PLAN)
