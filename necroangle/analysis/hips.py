"""What became of a hip: one frozen record, from its course."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from necroangle.analysis.courses import AnalysisSet, HipCourse
from necroangle.analysis.visits import AngleChange, HipVisit
from necroangle.protocol.failure import FailureOutcome, StageAt, failure_of, resolve_rule
from necroangle.protocol.study import FailureRule, StudyProtocol
from necroangle.terms import ArcoStage


class ArcoCourse(StrEnum):
    """The ARCO stage at the last observation against the baseline."""

    MAINTAINED = "maintained"
    PROGRESSED = "progressed"
    EARLIER = "earlier"
    """An earlier stage than at the baseline, which a stage cannot become: check the entries."""
    REPLACED = "replaced"
    """Replaced by a prosthesis with no later stage recorded before: not maintained."""


@dataclass(frozen=True, slots=True)
class ScorePair:
    """A score at the baseline and at its last observation."""

    baseline: float
    last: float
    visit: str

    @property
    def change(self) -> float:
        """Last less baseline."""
        return self.last - self.baseline


@dataclass(frozen=True, slots=True)
class HipOutcome:
    """Outcome of a hip.

    Attributes
    ----------
    course
        What it follows from.
    arco_baseline, arco_last, arco_course
        Stages, and how they compare; None where one is not known.
    failure
        Radiographic failure by the cohort's rule.
    angle_last, change
        Last visit with a combined angle after the baseline, and the change at it.
    vas, hhs
        Scores at the baseline and last; None without a pair.
    follow_up_days
        From the index date to the last contact: a visit, also after a replacement, or an event
        other than "lost".
    observed_days
        Likewise, but to the replacement at most: how long the natural hip was observed.
    """

    course: HipCourse
    arco_baseline: ArcoStage | None
    arco_last: ArcoStage | None
    arco_course: ArcoCourse | None
    failure: FailureOutcome
    angle_last: HipVisit | None
    change: AngleChange | None
    vas: ScorePair | None
    hhs: ScorePair | None
    follow_up_days: float | None
    observed_days: float | None

    @property
    def cna_baseline_deg(self) -> float | None:
        """Combined angle at the baseline."""
        return self.course.baseline.cna_deg if self.course.baseline else None

    @property
    def has_tha(self) -> bool:
        """Whether the hip was replaced after the index date."""
        return self.course.ending.has_tha and not self.course.had_tha_before

    @property
    def end(self) -> str:
        """What ended the observation: tha, death, lost, or the last visit."""
        ending = self.course.ending
        ends = (("tha", ending.has_tha), ("death", ending.has_death), ("lost", ending.is_lost))
        return next((name for name, happened in ends if happened), "last visit")


def hip_outcomes(cohort: AnalysisSet) -> tuple[FailureRule, tuple[HipOutcome, ...]]:
    """The rule of failure that was used, and the outcome of every hip, by hip.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "3B"))]
    >>> rule, (outcome,) = hip_outcomes(analysis_set([], {"visit": visits}))
    >>> rule, outcome.arco_course.value, outcome.failure.failed, outcome.failure.where
    ('reaches', 'progressed', True, 'm24')
    """
    events = [event for course in cohort.courses for event in course.events]
    rule = resolve_rule(cohort.protocol.failure.rule, events)
    return rule, tuple(_outcome(course, rule, cohort.protocol) for course in cohort.courses)


def failure_by(course: HipCourse, rule: FailureRule, protocol: StudyProtocol) -> FailureOutcome:
    """Radiographic failure of a hip by a rule; not judged where it was replaced before."""
    if course.had_tha_before:
        return FailureOutcome(None)
    stages = [
        StageAt(one.arco, one.place_days, one.planned.name)
        for one in course.follow_ups
        if one.arco is not None
    ]
    baseline = course.baseline.arco if course.baseline else None
    return failure_of(
        baseline, stages, course.events, course.index_day, course.ending, protocol, rule
    )


def _outcome(course: HipCourse, rule: FailureRule, protocol: StudyProtocol) -> HipOutcome:
    follow_ups = () if course.had_tha_before else course.follow_ups
    start = course.baseline.arco if course.baseline else None
    last = next((one.arco for one in reversed(follow_ups) if one.arco is not None), None)
    angled = next((one for one in reversed(follow_ups) if one.cna_deg is not None), None)
    return HipOutcome(
        course,
        start,
        last,
        None if course.had_tha_before else _compare(start, last, course.ending.has_tha),
        failure_by(course, rule, protocol),
        angled,
        angled.change if angled else None,
        _pair(course.baseline, follow_ups, lambda one: one.vas),
        _pair(course.baseline, follow_ups, lambda one: one.hhs),
        course.contact_days,
        course.observed_days,
    )


def _compare(start: ArcoStage | None, last: ArcoStage | None, has_tha: bool) -> ArcoCourse | None:
    if start is None or (last is None and not has_tha):
        return None
    grown = last.order - start.order if last else 0
    if grown > 0:
        return ArcoCourse.PROGRESSED
    if has_tha:
        return ArcoCourse.REPLACED
    return ArcoCourse.EARLIER if grown < 0 else ArcoCourse.MAINTAINED


def _pair(
    baseline: HipVisit | None,
    follow_ups: Sequence[HipVisit],
    value: Callable[[HipVisit], float | None],
) -> ScorePair | None:
    start = value(baseline) if baseline else None
    found = [(one, value(one)) for one in follow_ups]
    last = next(((one, score) for one, score in reversed(found) if score is not None), None)
    if start is None or last is None or last[1] is None:
        return None
    return ScorePair(start, last[1], last[0].planned.name)
