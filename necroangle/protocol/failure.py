"""Radiographic failure of a hip by a stated rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from necroangle.protocol.dates import days_from
from necroangle.protocol.ending import Ending
from necroangle.protocol.hips import HipEvent, event_that_counts
from necroangle.protocol.study import FailureRule, StudyProtocol
from necroangle.terms import ArcoStage


@dataclass(frozen=True, slots=True)
class StageAt:
    """An ARCO stage of the natural hip after the baseline: when, and at which visit."""

    stage: ArcoStage
    days: float | None
    visit: str


@dataclass(frozen=True, slots=True)
class FailureOutcome:
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


def resolve_rule(rule: FailureRule, events: Iterable[HipEvent]) -> FailureRule:
    """The rule that ``"auto"`` stands for in a cohort with these events; any other as it is.

    Examples
    --------
    >>> resolve_rule("auto", []), resolve_rule("auto", [HipEvent("radiographic_failure")])
    ('reaches', 'event')
    """
    if rule != "auto":
        return rule
    return "event" if any(one.event == "radiographic_failure" for one in events) else "reaches"


def failure_of(
    baseline: ArcoStage | None,
    stages: Sequence[StageAt],
    events: Sequence[HipEvent],
    index_day: date | None,
    ending: Ending,
    protocol: StudyProtocol,
    rule: FailureRule,
) -> FailureOutcome:
    """Judge a hip by a rule of :data:`necroangle.protocol.study.FAILURE_RULES`.

    A stage counts at whatever visit after the baseline it first appears, up to a replacement. An
    event counts after the index day, not on it, and where one of the dates is not known.

    Parameters
    ----------
    baseline
        Stage at the baseline.
    stages
        Stages of the natural hip after it, in order of time.
    events, index_day, ending
        What was recorded of the hip, and its index day.
    protocol
        Stages of the rule "reaches", and whether a replacement is a failure.
    rule
        Any rule but ``"auto"``.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> start, later = ArcoStage("2"), [StageAt(ArcoStage("3A"), 730.0, "m24")]
    >>> [
    ...     failure_of(start, later, [], None, Ending(), NO_STUDY, rule).failed
    ...     for rule in ("reaches", "collapse")
    ... ]
    [False, True]
    """
    if rule == "event":
        return _by_event(events, "radiographic_failure", index_day)
    ends = _end_stages(rule, protocol)
    at_risk = (
        baseline is not None
        and not (rule == "collapse" and baseline.is_collapsed)  # it cannot collapse again
        and any(stage.order > baseline.order for stage in ends)
    )
    if baseline is None or not at_risk:
        return FailureOutcome(None)
    found = FailureOutcome(False if stages else None)
    for one in stages:
        if one.stage in ends and one.stage.order > baseline.order:
            return FailureOutcome(True, one.days, one.visit)
    if rule == "collapse" and (recorded := _by_event(events, "collapse", index_day)).failed:
        return recorded
    if protocol.failure.tha and ending.has_tha:
        return FailureOutcome(True, ending.tha_days, "tha")
    return found


def _by_event(events: Iterable[HipEvent], name: str, index_day: date | None) -> FailureOutcome:
    event = event_that_counts(events, name, index_day)
    days = None if event is None else days_from(index_day, event.day)
    if event is None or (days is not None and days <= 0):
        return FailureOutcome(False)
    return FailureOutcome(True, None if days is None else float(days), f"event {name}")


def _end_stages(rule: FailureRule, protocol: StudyProtocol) -> frozenset[ArcoStage]:
    """Stages that fail a hip whose baseline is an earlier one."""
    if rule == "reaches":
        return frozenset(protocol.failure.reaches)
    return frozenset(stage for stage in ArcoStage if rule != "collapse" or stage.is_collapsed)
