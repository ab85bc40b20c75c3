"""The outcomes of a cohort: every quantity, and what must be known beside them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from necroangle.analysis.angles import angles, mdc95_words
from necroangle.analysis.course import Cohort, follow_courses
from necroangle.analysis.failure import failure_of
from necroangle.analysis.hips import HipOutcome, hip_outcomes
from necroangle.analysis.plan import OutcomePlan
from necroangle.analysis.quantity import Quantity
from necroangle.analysis.reads import ReadingId
from necroangle.analysis.scores import score_changes, visit_changes
from necroangle.analysis.stages import failures, rule_words, stages
from necroangle.analysis.visits import DOUBTS
from necroangle.analysis.who import people, what_happened

__all__ = ["Outcomes", "outcomes_of"]

PlainRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of a cohort.

    Attributes
    ----------
    quantities
        One for each number and group.
    hips
        Every hip, those replaced before the index date too.
    cohort
        Courses, plan, readings.
    notes
        Rules that were used and doubts that were found, one sentence each.
    """

    quantities: tuple[Quantity, ...]
    hips: tuple[HipOutcome, ...]
    cohort: Cohort
    notes: tuple[str, ...]


def outcomes_of(
    rows: Iterable[PlainRow],
    clinical: Mapping[str, Sequence[PlainRow]],
    plan: OutcomePlan | None = None,
    consensus: Collection[ReadingId] = frozenset(),
) -> Outcomes:
    """Every outcome of a cohort.

    Parameters
    ----------
    rows
        Rows of the cohort table: mappings from column name to value.
    clinical
        Clinical rows by kind: ``subject``, ``hip``, ``treatment``, ``visit``, ``event``.
    plan
        What was planned and how it is counted.
    consensus
        Which readings are a consensus.

    Raises
    ------
    CohortError
        If methods are mixed, a clinical value is not valid, or no visit can be the baseline.

    References
    ----------
    Yoon et al. 2024, doi 10.1007/s13770-024-00647-z (the quantities).

    Examples
    --------
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "2"))]
    >>> found = outcomes_of([], {"visit": visits})
    >>> [
    ...     (one.group, one.value, one.n)
    ...     for one in found.quantities
    ...     if one.quantity == "arco_maintained"
    ... ]
    [('all', 1, 1), ('ARCO 2', 1, 1)]
    """
    cohort = follow_courses(rows, clinical, plan, consensus)
    rule, every = hip_outcomes(cohort)
    hips = [hip for hip in every if not hip.course.had_tha_before]
    quantities = [
        *people(hips, cohort),
        *stages(hips),
        *failures(hips, rule, cohort),
        *angles(hips, cohort),
        *score_changes(hips, cohort),
        *what_happened(hips, len(every) - len(hips)),
        *visit_changes(hips, cohort),
    ]
    return Outcomes(tuple(quantities), every, cohort, tuple(_notes(hips, rule, cohort)))


def _notes(hips: Sequence[HipOutcome], rule: str, cohort: Cohort) -> Iterator[str]:
    """Rules first, then doubts."""
    plan = cohort.plan
    yield f"baseline: visit {plan.index_visit}; one reading a hip and visit: {cohort.reads.rule}"
    yield f"angle by method {cohort.reads.method}" if cohort.reads.method else "no angles"
    yield f"radiographic failure by {rule_words(rule, cohort)}"
    yield f"MDC95 {mdc95_words(cohort)}"
    if len({hip.course.hip.subject for hip in hips}) < len(hips):
        yield (
            "tests and intervals count hips as independent, which two hips of a patient are not: "
            "the column cluster of --table hips and visits names the patient"
        )
    yield from _hip_doubts(hips, rule, cohort)
    doubts = Counter(flag for hip in hips for one in hip.course.visits for flag in one.flags)
    for name in sorted(doubts):
        yield f"{doubts[name]} x {name}: {DOUBTS[name]}"


def _hip_doubts(hips: Sequence[HipOutcome], rule: str, cohort: Cohort) -> Iterator[str]:
    """Doubts about whole hips, each with its number."""
    several = sum(hip.course.facts.treatments > 1 for hip in hips)
    undated = sum(hip.has_tha and hip.course.ending.tha_days is None for hip in hips)
    left_out = cohort.reads.left_out
    counts = (
        (sum(hip.course.baseline is None for hip in hips), "without a baseline visit: no change"),
        (
            sum(not any(one.was_attended for one in hip.course.visits) for hip in hips),
            "without any visit or reading",
        ),
        (undated, "replaced with no date: no visit of theirs could be censored by it"),
        (several, "treated more than once: the first dose counts"),
        (_unlike(hips, rule, cohort), "where the recorded failure and the ARCO stages differ"),
    )
    yield from (f"{_many(number, 'hip')} {words}" for number, words in counts if number)
    if left_out:
        yield f"{_many(left_out, 'visit')} of hips read by other readers only: left out"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _unlike(hips: Sequence[HipOutcome], rule: str, cohort: Cohort) -> int:
    """Hips that failed by recorded event or by the planned stages, but not by both."""
    if rule != "event":
        return 0
    by_stage = [failure_of(hip.course, "reaches", cohort.plan).failed for hip in hips]
    return sum(
        other is not None and hip.failure.failed != other
        for hip, other in zip(hips, by_stage, strict=True)
    )
