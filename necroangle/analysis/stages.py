"""ARCO stages at the baseline and after it, JIC types, and radiographic failure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from necroangle.analysis.course import Cohort
from necroangle.analysis.hips import ArcoCourse, HipOutcome
from necroangle.analysis.plan import FAILURE_RULES
from necroangle.analysis.quantity import ALL, Quantity, by_stage, count, rate
from necroangle.terms import JicType

__all__ = ["failures", "rule_words", "stages"]

_COURSE_RULES = {
    ArcoCourse.MAINTAINED: "the last stage before any replacement equals the baseline's, no THA",
    ArcoCourse.PROGRESSED: "the last stage before any replacement is later than the baseline's",
    ArcoCourse.REPLACED: "replaced with no later stage recorded before: not maintained",
    ArcoCourse.EARLIER: "the last stage is earlier than the baseline's: check the entries",
}


def stages(hips: Sequence[HipOutcome]) -> Iterator[Quantity]:
    """Stages and types at the baseline; how many hips kept their stage, by baseline stage."""
    for group, own in by_stage(hips):
        if group != ALL:
            yield count("arco_at_baseline", group, len(own), len(hips), "hips")
    types = Counter(hip.course.baseline.jic if hip.course.baseline else None for hip in hips)
    for name in (*JicType, None):
        if types[name] and len(types) > types[None]:
            group = f"JIC {name}" if name else "JIC not known"
            yield count("jic_at_baseline", group, types[name], len(hips), "hips")
    for course, rule in _COURSE_RULES.items():
        for group, own in by_stage(hips, lambda hip: hip.arco_course is not None):
            found = sum(hip.arco_course is course for hip in own)
            if found or course in (ArcoCourse.MAINTAINED, ArcoCourse.PROGRESSED):
                yield count(f"arco_{course}", group, found, len(own), "hips", rule)


def failures(hips: Sequence[HipOutcome], rule: str, cohort: Cohort) -> Iterator[Quantity]:
    """How many hips failed by the rule, and the rate with its exact interval, by baseline stage.

    Parameters
    ----------
    hips
        Hips that count.
    rule
        The rule that was used.
    cohort
        Its plan words the rule.
    """
    said = rule_words(rule, cohort)
    judged = list(by_stage(hips, lambda hip: hip.failure.failed is not None))
    counts = [(group, sum(bool(hip.failure.failed) for hip in own), own) for group, own in judged]
    for group, failed, own in counts:
        yield count("radiographic_failure", group, failed, len(own), "hips", said)
    for group, failed, own in counts:
        yield rate("radiographic_failure_rate", group, failed, len(own), said)
    unjudged = sum(hip.failure.failed is None for hip in hips)
    yield count("failure_not_judged", ALL, unjudged, len(hips), "hips", said)


def rule_words(rule: str, cohort: Cohort) -> str:
    """The rule of failure in words, with its stages and what a replacement counts as."""
    words = f"rule {rule}: {FAILURE_RULES[rule]}"
    if rule == "event":
        named = {
            event.rule
            for course in cohort.courses
            for event in course.events
            if event.event == "radiographic_failure" and event.rule
        }
        return words + (f" (recorded by: {'; '.join(sorted(named))})" if named else "")
    if rule == "reaches":
        words += f" ({', '.join(cohort.plan.failure_stages)})"
    return words + (", or a replacement" if cohort.plan.tha_is_failure else "")
