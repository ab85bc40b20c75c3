"""The course of a hip: its visits on one time axis, with the angle's change from the baseline."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from necroangle.analysis.censoring import Ending, VisitState, ending_of
from necroangle.analysis.noise import RepeatNoise, noise_of_repeats
from necroangle.analysis.plan import OutcomePlan, infer_visits
from necroangle.analysis.reads import ChosenReads, Read, ReadingId, choose_reads
from necroangle.analysis.records import (
    ClinicalFacts,
    EventFacts,
    HipFacts,
    HipKey,
    SubjectFacts,
    VisitFacts,
    read_clinical,
)
from necroangle.analysis.timeline import (
    HipSources,
    had_tha_before,
    judged_visits,
    placed_visits,
)
from necroangle.analysis.visits import HipVisit
from necroangle.errors import CohortError

__all__ = ["Cohort", "HipCourse", "follow_courses"]

PlainRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HipCourse:
    """A hip from its baseline on.

    Attributes
    ----------
    hip, subject, facts
        The hip, its patient, and how it was treated.
    index_day
        Date from which days are counted; None without any date.
    ending
        Replacement, death, loss.
    events
        Every event, as recorded.
    visits
        Planned and unplanned visits, by their place in time.
    had_tha_before
        Whether the hip was replaced at or before the index date: it is in no outcome.
    """

    hip: HipKey
    subject: SubjectFacts
    facts: HipFacts
    index_day: date | None
    ending: Ending
    events: tuple[EventFacts, ...]
    visits: tuple[HipVisit, ...]
    had_tha_before: bool

    @property
    def baseline(self) -> HipVisit | None:
        """The index visit where it counts."""
        found = [one for one in self.visits if one.is_baseline]
        return found[0] if found and found[0].state is VisitState.OBSERVED else None

    @property
    def has_baseline_visit(self) -> bool:
        """Whether the hip has its index visit, counted or not."""
        return any(one.is_baseline and one.was_attended for one in self.visits)

    @property
    def follow_ups(self) -> tuple[HipVisit, ...]:
        """Observed visits after the baseline that have a place in time, in order."""
        return tuple(
            one
            for one in self.visits
            if one.state is VisitState.OBSERVED
            and not one.is_baseline
            and one.place_days is not None
        )


@dataclass(frozen=True, slots=True)
class Cohort:
    """The courses of all hips, and by which rules they were followed.

    Attributes
    ----------
    courses
        By hip.
    plan
        With its visits filled in.
    reads
        The readings that count.
    noise
        Measuring error from repeat reads, where there are enough.
    """

    courses: tuple[HipCourse, ...]
    plan: OutcomePlan
    reads: ChosenReads
    noise: RepeatNoise | None


def follow_courses(
    rows: Iterable[PlainRow],
    clinical: Mapping[str, Sequence[PlainRow]],
    plan: OutcomePlan | None = None,
    consensus: Collection[ReadingId] = frozenset(),
) -> Cohort:
    """Put readings, visits and events of every hip on one time axis.

    Months are days / 30.4375 from the hip's index date: its treatment date, else the patient's
    index date, else the date of its index visit. A visit without date stands at its nominal time.

    Parameters
    ----------
    rows
        Rows of the cohort table.
    clinical
        Clinical rows by kind, as :func:`necroangle.analysis.records.read_clinical` takes.
    plan
        What was planned; by default what the visits' names say.
    consensus
        Which readings are a consensus.

    Raises
    ------
    CohortError
        If methods are mixed, a clinical value is not valid, or no visit can be the baseline.

    Examples
    --------
    >>> row = {"subject": "S1", "laterality": "L", "reader": "kim", "read_no": 1, "method": "m"}
    >>> rows = [{**row, "visit": v, "cna_deg": cna} for v, cna in (("m00", 220.0), ("m12", 190.0))]
    >>> (course,) = follow_courses(rows, {}).courses
    >>> course.follow_ups[0].change.change_deg, course.follow_ups[0].months
    (-30.0, 12.0)
    >>> follow_courses([{**row, "visit": "first"}], {})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: no visit is known to be the baseline among: first; ...
    """
    asked = plan or OutcomePlan()
    reads = choose_reads(rows, asked, consensus)
    facts = read_clinical(clinical)
    names = {visit for _, visit in (*reads.reads, *facts.visits)}
    full = _with_visits(asked, names, facts)
    noise = noise_of_repeats(reads.rows, full)
    shared = facts.of_patients()
    courses = [
        _course(sources, facts, shared.get(hip.subject, ()), noise, full)
        for hip, sources in _sources(reads, facts, full).items()
    ]
    unplanned = names - {planned.name for planned in full.visits}
    if unplanned and not any(one.has_baseline_visit for one in courses):
        raise CohortError(
            f"no hip has the index visit {full.index_visit!r}; visits in the cohort: "
            f"{', '.join(sorted(names))}; name the baseline by --index-visit, or in the study's "
            "config"
        )
    return Cohort(tuple(courses), full, reads, noise)


def _with_visits(plan: OutcomePlan, names: Iterable[str], facts: ClinicalFacts) -> OutcomePlan:
    visits = plan.visits or infer_visits(names)
    index = plan.index_visit or (visits[0].name if visits else None)
    own = {hip.index_visit for hip in facts.hips.values()} - {None}
    told = plan.visits or plan.index_visit or own or not visits or visits[0].months == 0
    if not told:
        raise CohortError(
            f"no visit is known to be the baseline among: {', '.join(sorted(names))}; name it by "
            "--index-visit, or plan the visits in the study's config"
        )
    return replace(plan, visits=visits, index_visit=index)


def _course(
    sources: HipSources,
    facts: ClinicalFacts,
    shared: tuple[EventFacts, ...],
    noise: RepeatNoise | None,
    plan: OutcomePlan,
) -> HipCourse:
    hip = sources.hip
    visits = placed_visits(sources, plan)
    own = facts.events.get(hip, ())
    events = (*own, *(event for event in shared if event not in own))
    shown = [one.place_days for one in visits if one.read and one.read.is_prosthesis]
    dated = [days for days in shown if days is not None]
    ending = ending_of(events, sources.index_day, min(dated) if dated else None)
    return HipCourse(
        hip,
        facts.subjects.get(hip.subject, SubjectFacts()),
        facts.hips.get(hip, HipFacts()),
        sources.index_day,
        ending,
        events,
        judged_visits(visits, ending, noise, plan),
        had_tha_before(visits, ending),
    )


def _sources(
    reads: ChosenReads, facts: ClinicalFacts, plan: OutcomePlan
) -> dict[HipKey, HipSources]:
    """What is known of every hip that is named anywhere, by hip in order."""
    read_at: dict[HipKey, dict[str, Read]] = {}
    entered_at: dict[HipKey, dict[str, VisitFacts]] = {}
    for (hip, visit), read in reads.reads.items():
        read_at.setdefault(hip, {})[visit] = read
    for (hip, visit), entered in facts.visits.items():
        if entered == VisitFacts():  # a row without any entry is no visit
            continue
        entered_at.setdefault(hip, {})[visit] = entered
    hips = sorted({*read_at, *entered_at, *facts.hips, *facts.events})
    return {
        hip: _source(hip, read_at.get(hip, {}), entered_at.get(hip, {}), facts, plan)
        for hip in hips
    }


def _source(
    hip: HipKey,
    reads: Mapping[str, Read],
    entries: Mapping[str, VisitFacts],
    facts: ClinicalFacts,
    plan: OutcomePlan,
) -> HipSources:
    own = facts.hips.get(hip, HipFacts())
    subject = facts.subjects.get(hip.subject, SubjectFacts())
    index = own.index_visit or plan.index_visit
    at_index = entries.get(index or "")
    index_day = own.treatment_day or subject.index_day or (at_index.day if at_index else None)
    return HipSources(hip, reads, entries, index_day, index)
