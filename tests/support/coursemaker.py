"""One hip followed over a few visits, for tests of what becomes of a visit."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from necroangle.analysis import HipCourse, HipOutcome, analysis_set, hip_outcomes
from necroangle.analysis.visits import HipVisit
from necroangle.protocol.study import NO_STUDY
from necroangle.protocol.visits import Visit

__all__ = ["ANGLES", "DATES", "HIP", "PLAN", "Row", "at", "event", "follow", "row", "seen"]

VISITS = (
    Visit("m00", 0.0, 90, 14),
    Visit("m06", 6.0, 45, 45),
    Visit("m12", 12.0, 90, 90),
    Visit("m24", 24.0, 180, 180),
)
PLAN = replace(NO_STUDY, visits=VISITS)
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
    cohort = analysis_set(rows, clinical, PLAN)
    (outcome,) = hip_outcomes(cohort)[1]
    return cohort.courses[0], outcome


def at(course: HipCourse, name: str) -> HipVisit:
    (one,) = [one for one in course.visits if one.planned.name == name]
    return one


ANGLES = [row("m00", 240.0), row("m12", 210.0), row("m24", 200.0)]
DATES = [seen("m00", "2020-01-10"), seen("m12", "2021-01-10"), seen("m24", "2022-01-10")]
