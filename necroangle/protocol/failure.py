"""Radiographic failure of a hip by a stated rule."""

from collections.abc import Iterable
from dataclasses import dataclass

from necroangle.analysis.course import HipCourse
from necroangle.analysis.plan import OutcomePlan
from necroangle.analysis.visits import arco_order
from necroangle.terms import ArcoStage

__all__ = ["Failure", "failure_of", "resolve_rule"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Whether a hip failed.

    Attributes
    ----------
    failed
        None where it cannot be told: no stage at the baseline or after it, or a baseline that is
        past the rule's end point already.
    days
        From the index date to the event, or to the visit that showed it; None without a date.
    where
        The visit or the event that showed it.
    """

    failed: bool | None
    days: float | None = None
    where: str = ""


def resolve_rule(rule: str, courses: Iterable[HipCourse]) -> str:
    """The rule that ``"auto"`` stands for in a cohort; any other name as it is.

    Examples
    --------
    >>> resolve_rule("auto", []), resolve_rule("collapse", [])
    ('reaches', 'collapse')
    """
    if rule != "auto":
        return rule
    recorded = any(event.event == "radiographic_failure" for one in courses for event in one.events)
    return "event" if recorded else "reaches"


def failure_of(course: HipCourse, rule: str, plan: OutcomePlan) -> Failure:
    """Judge a hip by a rule of :data:`necroangle.analysis.plan.FAILURE_RULES`.

    A stage counts at whatever visit after the baseline it first appears, up to a replacement.

    Parameters
    ----------
    course
        The hip's course.
    rule
        Any rule but ``"auto"``.
    plan
        Stages of the rule "reaches", and whether a replacement is a failure.

    Examples
    --------
    >>> from necroangle.analysis.course import follow_courses
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "3A"))]
    >>> (course,) = follow_courses([], {"visit": visits}).courses
    >>> [failure_of(course, rule, OutcomePlan()).failed for rule in ("reaches", "collapse")]
    [False, True]
    """
    if course.had_tha_before:
        return Failure(None)
    if rule == "event":
        return _by_event(course, "radiographic_failure")
    found = _by_stage(course, rule, plan)
    at_risk = _is_at_risk(course, rule, plan)
    if rule == "collapse" and at_risk and not found.failed:
        recorded = _by_event(course, "collapse")
        found = recorded if recorded.failed else found
    if plan.tha_is_failure and course.ending.has_tha and at_risk and not found.failed:
        return Failure(True, course.ending.tha_days, "tha")
    return found


def _by_event(course: HipCourse, name: str) -> Failure:
    """An event counts after the index date, and where one of the dates is not known."""
    for event in course.events:
        known = event.day is not None and course.index_day is not None
        days = float((event.day - course.index_day).days) if known else None  # type: ignore[operator]
        if event.event == name and (days is None or days > 0):
            return Failure(True, days, f"event {name}")
    return Failure(False)


def _end_stages(rule: str, plan: OutcomePlan) -> frozenset[ArcoStage]:
    """Stages that fail a hip whose baseline is an earlier one."""
    if rule == "reaches":
        return frozenset(plan.failure_stages)
    return frozenset(stage for stage in ArcoStage if rule != "collapse" or stage.is_collapsed)


def _is_at_risk(course: HipCourse, rule: str, plan: OutcomePlan) -> bool:
    """Whether the baseline stage is known and can still fail.

    A head that has collapsed at the baseline cannot collapse; a stage can still progress.
    """
    start = course.baseline.arco if course.baseline else None
    if start is None or (rule == "collapse" and start.is_collapsed):
        return False
    return any(arco_order(stage) > arco_order(start) for stage in _end_stages(rule, plan))


def _by_stage(course: HipCourse, rule: str, plan: OutcomePlan) -> Failure:
    start = course.baseline.arco if course.baseline else None
    if start is None or not _is_at_risk(course, rule, plan):
        return Failure(None)
    stages = _end_stages(rule, plan)
    staged = [(one, one.arco) for one in course.follow_ups if one.arco is not None]
    for one, stage in staged:
        if stage in stages and arco_order(stage) > arco_order(start):
            return Failure(True, one.place_days, one.planned.name)
    return Failure(False if staged else None)
