"""The list of rules: what a monitor would ask, each with what was measured of it.

Import, editing and ``necroangle queries`` follow this one list. ``benchmarks/queries.py`` seeds
errors of known kinds in a made registry and prints how many each rule finds, and how often it asks
about what is right.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from necroangle.clinical import checks, cohort_checks, course_checks
from necroangle.clinical.checks import Issue, Look, ReadVisit
from necroangle.clinical.cohort_checks import Cohort
from necroangle.clinical.records import Hip, State
from necroangle.protocol.enrolment import Enrolment
from necroangle.protocol.study import StudyProtocol

OfSubject = Callable[[Look], Iterator[Issue]]
OfHip = Callable[[Look, Hip], Iterator[Issue]]
OfCohort = Callable[[Cohort], Iterator[Issue]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name
        What it is called in queries and in the ledger; never given again.
    asks
        What a monitor asks.
    of_subject, of_hip, of_cohort
        What finds it: looks at one subject, at each of its hips, or at the whole cohort.
    at_entry
        Whether it is asked when records are imported or edited; what a record still lacks is not.
    measured
        Of its own kind of error, so many per cent found by this rule itself; and the per cent of
        right rows that it asks about in vain (``benchmarks/queries.py``, a made registry of 2,000
        hips).
    """

    name: str
    asks: str
    of_subject: OfSubject | None = None
    of_hip: OfHip | None = None
    of_cohort: OfCohort | None = None
    at_entry: bool = True
    measured: tuple[int, float] | None = None

    def issues(self, look: Look) -> Iterator[Issue]:
        """What it finds in one subject."""
        if self.of_subject is not None:
            yield from self.of_subject(look)
        if self.of_hip is not None:
            for hip in look.hips:
                yield from self.of_hip(look, hip)


RULES = (
    Rule("aetiology", "do the amounts fit the cause?", checks.of_aetiology, measured=(100, 0.00)),
    Rule("person", "are age and body mass right?", course_checks.of_person, measured=(100, 0.00)),
    Rule(
        "pain_scale",
        "on which scale was the pain given?",
        checks.of_pain_scale,
        measured=(100, 0.00),
    ),
    Rule(
        "pain_numbers",
        "was the pain given on the other scale?",
        of_hip=course_checks.of_pain_numbers,
        measured=(100, 0.30),
    ),
    Rule(
        "harris",
        "why is the total not the sum of its items?",
        checks.of_harris,
        measured=(100, 0.00),
    ),
    Rule("steinberg", "which size has this stage?", checks.of_steinberg, measured=(100, 0.00)),
    Rule(
        "scores_together",
        "is a score turned round?",
        of_hip=course_checks.of_scores_together,
        measured=(100, 0.00),
    ),
    Rule(
        "score_jumps",
        "is this score right, so far from those beside it?",
        of_hip=course_checks.of_score_jumps,
        measured=(100, 0.08),
    ),
    Rule(
        "repeated_visit",
        "is this visit a copy of another?",
        of_hip=course_checks.of_repeated_visit,
        measured=(100, 0.03),
    ),
    Rule(
        "study",
        "which visit or event of the study is meant?",
        checks.of_study,
        measured=(100, 0.00),
    ),
    Rule(
        "future",
        "is the day right, which has not come yet?",
        of_hip=checks.of_future,
        measured=(100, 0.00),
    ),
    Rule(
        "windows",
        "is the day right, so far from the plan?",
        of_hip=checks.of_windows,
        measured=(85, 0.00),
    ),
    Rule(
        "order",
        "are the days of two visits exchanged?",
        of_hip=checks.of_order,
        measured=(100, 0.00),
    ),
    Rule(
        "predecessors",
        "can this have happened before the hip was in the study?",
        of_hip=course_checks.of_predecessors,
        measured=(100, 0.00),
    ),
    Rule(
        "treatment",
        "on which day was the hip treated?",
        of_hip=checks.of_treatment,
        measured=(100, 0.00),
    ),
    Rule(
        "replaced",
        "what is recorded of a hip that was replaced?",
        of_hip=checks.of_replacement,
        measured=(100, 0.00),
    ),
    Rule("death", "what is recorded after death?", of_hip=checks.of_death, measured=(100, 0.00)),
    Rule("lost", "what is recorded after the loss?", of_hip=checks.of_loss, measured=(100, 0.00)),
    Rule(
        "stages",
        "which stage is wrong, the earlier or the later?",
        of_hip=course_checks.of_stages,
        measured=(88, 0.00),
    ),
    Rule(
        "stage_after_collapse",
        "had the head collapsed?",
        of_hip=course_checks.of_stage_after_collapse,
        measured=(100, 0.00),
    ),
    Rule("unilateral", "are both hips ill?", course_checks.of_unilateral, measured=(100, 0.00)),
    Rule("other_side", "is it the other side?", course_checks.of_other_side, measured=(100, 0.00)),
    Rule(
        "swapped_sides",
        "are left and right exchanged?",
        course_checks.of_swapped_sides,
        measured=(95, 0.03),
    ),
    Rule(
        "angle",
        "is the reading of this hip, so far from the last one?",
        of_hip=course_checks.of_angle,
        measured=(100, 0.00),
    ),
    Rule(
        "both_readers",
        "do they mean the same hip?",
        of_hip=course_checks.of_both_readers,
        measured=(100, 0.00),
    ),
    Rule("strangers", "who read this?", of_hip=course_checks.of_strangers, measured=(100, 0.00)),
    Rule(
        "event_day",
        "on which day did it happen?",
        of_hip=course_checks.of_event_day,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "index_day",
        "from which day do the visits count?",
        of_hip=course_checks.of_index_day,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "missing_visits",
        "was this visit missed?",
        of_hip=course_checks.of_missing_visits,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "equal_angles",
        "was one view taken for both?",
        of_hip=course_checks.of_equal_angles,
        measured=(100, 0.00),
    ),
    Rule(
        "exchanged_scores",
        "are two scores in each other's column?",
        of_hip=course_checks.of_exchanged_scores,
        measured=(95, 0.11),
    ),
    Rule(
        "copied_hip",
        "was one hip entered for both?",
        course_checks.of_copied_hip,
        measured=(100, 0.00),
    ),
    Rule(
        "late_index",
        "is the index date right?",
        course_checks.of_late_index,
        measured=(100, 0.00),
    ),
    Rule(
        "visit_without_reading",
        "where is the reading?",
        of_hip=course_checks.of_visit_without_reading,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "reading_without_visit",
        "where is the visit?",
        of_hip=course_checks.of_reading_without_visit,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "names",
        "is this another spelling of a subject?",
        of_cohort=cohort_checks.of_names,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "list",
        "does this hip belong to the study?",
        of_cohort=cohort_checks.of_list,
        at_entry=False,
    ),
    Rule(
        "doubled_readings",
        "which of two equal readings is right?",
        of_cohort=cohort_checks.of_doubled_readings,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "twins",
        "was one patient entered twice?",
        of_cohort=cohort_checks.of_twins,
        at_entry=False,
        measured=(100, 0.00),
    ),
    Rule(
        "fields",
        "why is there no value?",
        of_cohort=cohort_checks.of_fields,
        at_entry=False,
        measured=(100, 0.00),
    ),
)
"""Every rule, in the order in which it is asked."""


def rule_named(name: str) -> Rule | None:
    """The rule of that name, or None.

    Examples
    --------
    >>> rule_named("stages").asks
    'which stage is wrong, the earlier or the later?'
    """
    return next((rule for rule in RULES if rule.name == name), None)


def check_subject(
    state: State,
    subject: str,
    protocol: StudyProtocol | None,
    today: date | None = None,
    readings: Iterable[ReadVisit] = (),
) -> Iterator[Issue]:
    """What the records of one subject contradict as they are entered.

    Parameters
    ----------
    state
        Records, of this subject at least.
    subject
        Its pseudonym.
    protocol
        The study's, where there is one: its visits, windows and events.
    today
        Later dates are doubted; None for the day itself.
    readings
        The subject's readings.

    Examples
    --------
    >>> state = State({("visit", ("S01", "L", "m00")): {"vas": 30.0, "vas_scale": 10}})
    >>> for issue in check_subject(state, "S01", None):
    ...     print(issue.rule, issue.field, issue.message)
    pain_scale vas 30 is above the scale's largest value, 10
    """
    look = Look(state, subject, protocol, today or date.today(), tuple(readings))
    for rule in RULES:
        if rule.at_entry:
            for issue in rule.issues(look):
                yield replace(issue, rule=rule.name)


def check_cohort(
    state: State,
    subjects: Iterable[str],
    protocol: StudyProtocol | None,
    readings: Mapping[str, Iterable[ReadVisit]],
    enrolment: Enrolment,
    today: date | None = None,
) -> Iterator[Issue]:
    """What every rule finds in a whole cohort.

    Parameters
    ----------
    state
        All records.
    subjects
        Everybody of whom there is a record or a reading.
    protocol
        The study's, where there is one.
    readings
        Subject to readings.
    enrolment
        The study's list.
    today
        As for :func:`check_subject`.
    """
    day = today or date.today()
    looks = {
        one: Look(state, one, protocol, day, tuple(readings.get(one, ())))
        for one in sorted(subjects)
    }
    cohort = Cohort(looks, enrolment)
    for rule in RULES:
        found = [issue for look in looks.values() for issue in rule.issues(look)]
        if rule.of_cohort is not None:
            found += rule.of_cohort(cohort)
        for issue in found:
            yield replace(issue, rule=rule.name)
