"""Outcomes as plain rows: of quantities, of hips, of hips at visits. No date leaves here."""

from collections.abc import Iterable
from dataclasses import asdict

from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.outcomes import Outcomes
from necroangle.analysis.quantity import Quantity
from necroangle.analysis.visits import AngleChange, HipVisit
from necroangle.measurement.row import Cell

__all__ = ["TABLES", "hip_rows", "quantity_rows", "table_rows", "visit_rows"]

Rows = list[dict[str, Cell]]

TABLES = ("quantities", "hips", "visits")
"""What :func:`table_rows` can give."""


def table_rows(outcomes: Outcomes, table: str) -> Rows:
    """The rows of one of :data:`TABLES`.

    Examples
    --------
    >>> from necroangle.analysis.outcomes import outcomes_of
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "3B"))]
    >>> row = table_rows(outcomes_of([], {"visit": visits}), "hips")[0]
    >>> row["cluster"], row["failure"], row["failure_where"]
    ('S1', 1, 'm24')
    """
    if table == "quantities":
        return quantity_rows(outcomes.quantities)
    if table == "hips":
        return hip_rows(outcomes.hips)
    return visit_rows(visit for hip in outcomes.hips for visit in hip.course.visits)


def quantity_rows(quantities: Iterable[Quantity]) -> Rows:
    """One row for each quantity and group."""
    return [asdict(one) for one in quantities]


def hip_rows(hips: Iterable[HipOutcome]) -> Rows:
    """One row for each hip; ``cluster`` keeps two hips of a patient together."""
    return [_hip_row(hip) for hip in hips]


def visit_rows(visits: Iterable[HipVisit]) -> Rows:
    """One row for each hip at each visit, planned or not, in order of time."""
    return [_visit_row(one) for one in visits]


def _hip_row(hip: HipOutcome) -> dict[str, Cell]:
    course = hip.course
    return {
        "subject": course.hip.subject,
        "laterality": course.hip.laterality,
        "cluster": course.hip.subject,
        "sex": course.subject.sex,
        "age_years": course.subject.age_years,
        "aetiology": course.subject.aetiology,
        "cell_dose": course.facts.dose,
        "left_out": int(course.had_tha_before),
        "arco_baseline": hip.arco_baseline,
        "arco_last": hip.arco_last,
        "arco_course": hip.arco_course,
        "failure": None if hip.failure.failed is None else int(hip.failure.failed),
        "failure_days": hip.failure.days,
        "failure_where": hip.failure.where or None,
        "cna_baseline_deg": hip.cna_baseline_deg,
        "cna_last_deg": hip.angle_last.cna_deg if hip.angle_last else None,
        "cna_last_visit": hip.angle_last.planned.name if hip.angle_last else None,
        **_change_cells(hip.change),
        "vas_baseline": hip.vas.baseline if hip.vas else None,
        "vas_last": hip.vas.last if hip.vas else None,
        "hhs_baseline": hip.hhs.baseline if hip.hhs else None,
        "hhs_last": hip.hhs.last if hip.hhs else None,
        "follow_up_days": hip.follow_up_days,
        "observed_days": hip.observed_days,
        "end": hip.end,
        "tha": int(hip.has_tha),
        "tha_days": course.ending.tha_days,
        "death_days": course.ending.death_days,
        "lost_days": course.ending.lost_days,
    }


def _visit_row(one: HipVisit) -> dict[str, Cell]:
    facts = one.facts
    return {
        "subject": one.hip.subject,
        "laterality": one.hip.laterality,
        "cluster": one.hip.subject,
        "visit": one.planned.name,
        "visit_number": one.number,
        "months_nominal": one.planned.months,
        "days_from_index": one.days,
        "months": one.months,
        "in_window": None if one.in_window is None else int(one.in_window),
        "baseline": int(one.is_baseline),
        "state": one.state,
        "reader": one.read.reader if one.read else None,
        "read_no": one.read.read_no if one.read else None,
        "consensus": int(one.read.is_consensus) if one.read else None,
        "cna_deg": one.cna_deg,
        "cna_se_deg": one.read.se_deg if one.read else None,
        "ha_grade": one.read.ha_grade if one.read else None,
        **_change_cells(one.change),
        "arco": one.arco,
        "jic": one.jic,
        "ficat": facts.ficat if facts else None,
        "vas": one.vas,
        "hhs": one.hhs,
        "womac": facts.womac if facts else None,
        "flags": " ".join(one.flags),
    }


_CHANGE = {
    "cna_change_deg": "change_deg",
    "cna_change_se_deg": "se_deg",
    "cna_change_low_deg": "low_deg",
    "cna_change_high_deg": "high_deg",
    "cna_change_mdc95_deg": "mdc95_deg",
    "cna_decreased": "decreased",
    "cna_increased": "increased",
    "cna_change_real": "is_real",
}
"""Columns of a change and where they stand in it."""


def _change_cells(change: AngleChange | None) -> dict[str, Cell]:
    cells = {name: getattr(change, place) if change else None for name, place in _CHANGE.items()}
    return {name: int(cell) if isinstance(cell, bool) else cell for name, cell in cells.items()}
