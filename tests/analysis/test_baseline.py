"""Table 1, flow and sentences of the study whose numbers were printed."""

import math

import pytest
from cohortmaker import STUDY, VISITS, plain_cohort
from msgspec.structs import replace

from necroangle.analysis import AnalysisSet, analysis_set, outcomes_of
from necroangle.analysis.baseline import BaselineCell, baseline_table, flow, sentences
from necroangle.protocol.study import NO_STUDY


@pytest.fixture(scope="module")
def cohort() -> AnalysisSet:
    made = plain_cohort(STUDY)
    return analysis_set(made.rows, made.clinical, replace(NO_STUDY, visits=VISITS))


def cell(cells: list[BaselineCell], variable: str, level: str, group: str) -> BaselineCell:
    (one,) = [c for c in cells if (c.variable, c.level, c.group) == (variable, level, group)]
    return one


def test_patients_and_hips_are_counted_apart(cohort: AnalysisSet) -> None:
    cells = baseline_table(cohort, "stage")
    assert cell(cells, "age", "", "all").n == 18
    assert cell(cells, "ARCO stage", "2", "all").n == 14
    assert {one.unit_of for one in cells if one.variable == "CNA"} == {"hips"}
    # 18 patients, four with both hips, three of them with hips in both stages
    assert (cell(cells, "age", "", "ARCO 2").n, cell(cells, "age", "", "ARCO 3A").n) == (13, 8)


def test_the_standardised_difference_is_that_of_the_means(cohort: AnalysisSet) -> None:
    cells = baseline_table(cohort, "stage")
    groups: dict[str, list[float]] = {}
    for course in cohort.courses:
        start = course.baseline
        assert start is not None
        assert start.cna_deg is not None
        groups.setdefault(str(start.arco), []).append(start.cna_deg)
    means = [sum(own) / len(own) for own in groups.values()]
    variances = [
        sum((one - mean) ** 2 for one in own) / (len(own) - 1)
        for own, mean in zip(groups.values(), means, strict=True)
    ]
    expected = abs(means[0] - means[1]) / math.sqrt(sum(variances) / 2)
    assert cell(cells, "CNA", "", "all").difference == pytest.approx(expected)
    # of two shares it is the known formula
    one, other = (cell(cells, "side", "L", group) for group in ("ARCO 2", "ARCO 3A"))
    p, q = one.n / one.total, other.n / other.total
    step = abs(p - q) / math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert cell(cells, "side", "L", "all").difference == pytest.approx(step)


def test_what_makes_the_groups_has_no_difference(cohort: AnalysisSet) -> None:
    cells = baseline_table(cohort, "stage")
    assert cell(cells, "ARCO stage", "2", "all").difference is None


def test_the_flow_loses_nobody(cohort: AnalysisSet) -> None:
    rows = flow(cohort)
    hips = {row.step: row.hips for row in rows}
    assert hips["in the study"] == 22
    for visit in VISITS:
        own = [row.hips for row in rows if row.step.startswith(f"visit {visit.name}:")]
        assert sum(own) in (0, 22)
    assert all(row.reason for row in rows if "missing" in row.step or "replaced" in row.step)


def test_the_sentences_are_those_of_the_paper(cohort: AnalysisSet) -> None:
    """Yoon 2024, doi 10.1007/s13770-024-00647-z."""
    told = " ".join(one.journal for one in sentences(outcomes_of(cohort)))
    for printed in (
        "18 patients with 22 hips were analysed",
        "Median age was 35.0 [IQR 28.5 to 42.0] years",
        "Median follow-up was 4.0 [IQR 2.0 to 5.3] years",
        "maintained in 7 of 14 hips with ARCO 2",
        "maintained in 4 of 8 hips with ARCO 3A",
        "in 2 of 14 hips with ARCO 2 (14.3 %;",
        "in 4 of 8 hips with ARCO 3A (50.0 %;",
        "decreased in 6 of 22 hips (by more than 20°",
        "P = 0.052",
        "P = 0.535",
        "Total hip arthroplasty was performed in 4 of 22 hips",
    ):
        assert printed in told
    assert "None" not in told
    assert "nan" not in told
