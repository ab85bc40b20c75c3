"""One hip followed over a few visits, for tests of what becomes of a visit."""

from collections.abc import Sequence
from typing import Any

from necroangle.analysis import (
    HipCourse,
    HipOutcome,
    OutcomePlan,
    VisitPlan,
    follow_courses,
    hip_outcomes,
)
from necroangle.analysis.visits import HipVisit

__all__ = ["ANGLES", "DATES", "HIP", "PLAN", "Row", "at", "event", "follow", "row", "seen"]

VISITS = (
    VisitPlan("m00", 0.0, 90, 14),
    VisitPlan("m06", 6.0, 45, 45),
    VisitPlan("m12", 12.0, 90, 90),
    VisitPlan("m24", 24.0, 180, 180),
)
PLAN = OutcomePlan(visits=VISITS)
HIP = {"subject": "S1", "laterality": "L"}
Row = dict[str, Any]


def row(visit: str, cna_deg: float | None, **other: Any) -> Row:
    return {
        **HIP,
        "visit": visit,
        "reader": "kim",
        "read_no": 1,
        "method": "ha_mr_midslice",
        "cna_deg": cna_deg,
        **other,
    }


def seen(visit: str, day: str | None, **other: Any) -> Row:
    return {**HIP, "visit": visit, "visit_date": day, **other}


def event(name: str, day: str | None) -> Row:
    return {**HIP, "event": name, "event_date": day, "number": "1"}


def follow(rows: Sequence[Row], **clinical: list[Row]) -> tuple[HipCourse, HipOutcome]:
    cohort = follow_courses(rows, clinical, PLAN)
    (outcome,) = hip_outcomes(cohort)[1]
    return cohort.courses[0], outcome


def at(course: HipCourse, name: str) -> HipVisit:
    (one,) = [one for one in course.visits if one.planned.name == name]
    return one


ANGLES = [row("m00", 240.0), row("m12", 210.0), row("m24", 200.0)]
DATES = [seen("m00", "2020-01-10"), seen("m12", "2021-01-10"), seen("m24", "2022-01-10")]
