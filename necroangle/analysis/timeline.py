"""The visits of a hip on its time axis: placed, put in order, judged, compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from necroangle.analysis.censoring import Ending, VisitState
from necroangle.analysis.noise import RepeatNoise
from necroangle.analysis.plan import OutcomePlan, VisitPlan
from necroangle.analysis.reads import Read
from necroangle.analysis.records import HipKey, VisitFacts
from necroangle.analysis.visits import HipVisit, angle_change, arco_order

__all__ = ["HipSources", "had_tha_before", "judged_visits", "placed_visits"]


@dataclass(frozen=True, slots=True)
class HipSources:
    """What is known of one hip, by the name of the visit.

    Attributes
    ----------
    hip
        The hip.
    reads, entries
        Readings and clinical entries.
    index_day
        Date from which days are counted.
    index_visit
        Name of the baseline.
    """

    hip: HipKey
    reads: Mapping[str, Read]
    entries: Mapping[str, VisitFacts]
    index_day: date | None
    index_visit: str | None


def placed_visits(sources: HipSources, plan: OutcomePlan) -> list[HipVisit]:
    """Every planned visit, and those of the hip that are not planned, each with its place in time.

    The place is the day from the index date, or the nominal day where there is no date.

    Examples
    --------
    >>> sources = HipSources(
    ...     HipKey("S1", "L"), {}, {"m12": VisitFacts(date(2022, 1, 6))}, date(2021, 1, 1), "m00"
    ... )
    >>> [(one.planned.name, one.number, one.days) for one in placed_visits(sources, OutcomePlan())]
    [('m12', None, 370.0)]
    """
    known = {planned.name for planned in plan.visits}
    unplanned = sorted({*sources.reads, *sources.entries} - known)
    numbered = [(planned, number) for number, planned in enumerate(plan.visits, start=1)]
    return [
        _placed(sources, planned, number)
        for planned, number in (*numbered, *((VisitPlan(name), None) for name in unplanned))
    ]


def _placed(sources: HipSources, planned: VisitPlan, number: int | None) -> HipVisit:
    entered = sources.entries.get(planned.name)
    day = entered.day if entered else None
    days = float((day - sources.index_day).days) if day and sources.index_day else None
    is_baseline = planned.name == sources.index_visit
    place = days if days is not None else planned.nominal_days
    return HipVisit(
        hip=sources.hip,
        planned=planned,
        number=number,
        days=days,
        place_days=0.0 if place is None and is_baseline else place,
        is_baseline=is_baseline,
        state=VisitState.MISSING,
        read=sources.reads.get(planned.name),
        facts=entered,
        was_attended=entered is not None or planned.name in sources.reads,
    )


def had_tha_before(visits: Sequence[HipVisit], ending: Ending) -> bool:
    """Whether the hip was replaced at or before its index date, or its index visit shows it."""
    if ending.tha_days is not None and ending.tha_days <= 0:
        return True
    return any(one.is_baseline and one.read and one.read.is_prosthesis for one in visits)


def judged_visits(
    visits: Sequence[HipVisit], ending: Ending, noise: RepeatNoise | None, plan: OutcomePlan
) -> tuple[HipVisit, ...]:
    """The visits in order of time, with their states, doubts and changes from the baseline.

    What a censored visit holds is taken out: it is not of the natural hip.
    """
    starts = [one.place_days for one in visits if one.is_baseline and one.place_days is not None]
    start = starts[0] if starts else 0.0
    states = [_with_state(one, ending, start) for one in visits]
    return _with_changes(_in_order(states), noise, plan)


def _with_state(one: HipVisit, ending: Ending, start: float) -> HipVisit:
    day = one.facts.day if one.facts else None
    state = ending.state(
        one.place_days, day, has_data=one.was_attended, has_angle=one.cna_deg is not None
    )
    if one.read is not None and one.read.is_prosthesis:
        state = VisitState.CENSORED_THA
    is_early = one.place_days is not None and one.place_days < start and not one.is_baseline
    if state is VisitState.OBSERVED and is_early:
        state = VisitState.BEFORE_BASELINE
    flags = _flags(one, ending)
    if state in (VisitState.CENSORED_THA, VisitState.CENSORED_DEATH):
        return replace(one, state=state, read=None, facts=None, flags=flags)
    return replace(one, state=state, flags=flags)


def _flags(one: HipVisit, ending: Ending) -> tuple[str, ...]:
    if not one.was_attended:
        return ()
    entered = one.facts.arco if one.facts else None
    read = one.read.arco if one.read else None
    place = one.place_days
    doubts = {
        "arco_differs": entered is not None and read is not None and entered != read,
        "out_of_window": one.in_window is False,
        "prosthesis_undated": bool(one.read and one.read.is_prosthesis) and ending.tha_day is None,
        "seen_after_death": _later(place, ending.death_days),
        "seen_after_lost": _later(place, ending.lost_days),
        "undated": one.days is None and place is not None,
        "unplaced": place is None,
        "unplanned": one.number is None,
    }
    return tuple(name for name, is_so in doubts.items() if is_so)


def _later(place: float | None, event_days: float | None) -> bool:
    return place is not None and event_days is not None and place > event_days


def _in_order(visits: Sequence[HipVisit]) -> list[HipVisit]:
    """By place in time; a visit whose date overtakes one planned later is flagged."""
    late = float("inf")
    ordered = sorted(visits, key=lambda one: late if one.place_days is None else one.place_days)
    found: list[HipVisit] = []
    highest = 0
    for one in ordered:
        number = one.number or 0 if one.days is not None else 0
        overtaken = 0 < number < highest
        found.append(replace(one, flags=(*one.flags, "out_of_order")) if overtaken else one)
        highest = max(highest, number)
    return found


def _with_changes(
    visits: Sequence[HipVisit], noise: RepeatNoise | None, plan: OutcomePlan
) -> tuple[HipVisit, ...]:
    start = next(
        (one for one in visits if one.is_baseline and one.state is VisitState.OBSERVED), None
    )
    return tuple(
        _changed(one, start, noise, plan)
        if start and not one.is_baseline and one.state is VisitState.OBSERVED
        else one
        for one in visits
    )


def _changed(
    one: HipVisit, start: HipVisit, noise: RepeatNoise | None, plan: OutcomePlan
) -> HipVisit:
    flags = list(one.flags)
    change = None
    if one.read and start.read and one.place_days is not None:
        change = angle_change(start.read, one.read, noise, plan)
        if change and _who(one.read) != _who(start.read):
            flags.append("readers_differ")
    if one.arco and start.arco and arco_order(one.arco) < arco_order(start.arco):
        flags.append("arco_earlier")
    return replace(one, change=change, flags=tuple(flags))


def _who(read: Read) -> str:
    return "" if read.is_consensus else read.reader
