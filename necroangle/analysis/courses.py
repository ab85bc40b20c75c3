"""The analysis set: every hip with its visits on one time axis, one reading each, and censored.

Everything that says a number of the study reads it from here: the outcomes, the exports in every
shape, the data frame. No value of a replaced or dead hip stands in it as one of the natural hip.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from types import MappingProxyType

from necroangle.analysis.records import PlainRow, read_records
from necroangle.analysis.visits import AngleRead, HipVisit, angle_change
from necroangle.errors import CohortError
from necroangle.plain_text import counted
from necroangle.protocol.dates import days_from, index_day, index_visit_of, with_visits
from necroangle.protocol.ending import Ending, VisitState, ending_of, is_after, state_at
from necroangle.protocol.hips import (
    ClinicalHip,
    ClinicalVisit,
    HipEvent,
    HipKey,
    Patient,
    StudyRecords,
)
from necroangle.protocol.noise import (
    NO_NOISE,
    RepeatNoise,
    StudyNoise,
)
from necroangle.protocol.pair_error import PairRead
from necroangle.protocol.reads import ChosenRead, ReadOf, choose_read, rule_of_reads, strangers
from necroangle.protocol.repeat_reads import noise_of_repeats, single_reads
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.protocol.visits import Visit
from necroangle.terms import Flag, UnreadReason, Weighting

__all__ = [
    "AnalysisSet",
    "HipCourse",
    "PlainRow",
    "ReadingId",
    "United",
    "analysis_set",
    "shows_prosthesis",
]

ReadingId = tuple[str, ...]
"""Subject, side, visit, reader and number of the read, as texts."""

United = Mapping[ReadingId, frozenset[str]]
"""The readings that name others they unite, and which of those are kept, by their hash."""

NOTHING_UNITED: United = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HipCourse:
    """A hip from its baseline on.

    Attributes
    ----------
    hip, patient, treated
        The hip, its patient, and how it was treated.
    index_day
        Date from which days are counted; None without any date.
    ending
        Replacement, death, loss.
    events
        Every event, as recorded, deaths and losses entered for the other hip among them.
    visits
        Planned and unplanned visits, by their place in time.
    had_tha_before
        Whether the hip was replaced at or before the index date: it is in no outcome.
    """

    hip: HipKey
    patient: Patient
    treated: ClinicalHip
    index_day: date | None
    ending: Ending
    events: tuple[HipEvent, ...]
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

    @property
    def observed_days(self) -> float | None:
        """Likewise, but to the replacement at most: how long the natural hip was observed."""
        contact, tha = self.contact_days, self.ending.tha_days
        return contact if contact is None or tha is None else min(contact, tha)

    @property
    def contact_days(self) -> float | None:
        """Latest day on which the patient was seen or something dated happened; at least 0."""
        days = [one.place_days for one in self.visits if one.was_attended]
        days += [
            days_from(self.index_day, event.day) for event in self.events if event.event != "lost"
        ]
        days.append(self.ending.tha_days)
        known = [float(day) for day in days if day is not None]
        return max(0.0, *known) if known else None

    def visit(self, name: str) -> HipVisit | None:
        """The visit of that name, or None."""
        return next((one for one in self.visits if one.planned.name == name), None)


@dataclass(frozen=True)
class AnalysisSet:
    """The courses of all hips, and by which rules they were followed.

    Attributes
    ----------
    courses
        By hip.
    protocol
        With its visits and its index visit filled in.
    method
        The one measuring method; None where there is no reading.
    readers
        Who read, beside consensus readings.
    rule
        How readings were chosen, for people.
    rules
        How often each rule chose.
    noise
        Measuring error from repeat reads, where there are enough.
    study_noise
        The same, of one reader and between two.
    left_out
        How many hip visits were read by readers alone who are none of the study's.
    strangers
        Those readers, with the number of their readings.
    not_united
        How many readings name others that they unite, of which fewer than two are kept.
    chosen
        Reader and number of the reading that stands for each subject, side and visit.
    others
        Hips that are named by readings alone of readers who do not count: in no outcome.
    reads
        Rows of the study's readers' own readings of natural hips, of any number to a hip visit.
    """

    courses: tuple[HipCourse, ...]
    protocol: StudyProtocol
    method: str | None
    readers: tuple[str, ...]
    rule: str
    rules: tuple[tuple[str, int], ...]
    noise: RepeatNoise | None
    left_out: int
    strangers: tuple[tuple[str, int], ...]
    not_united: int
    chosen: Mapping[tuple[str, str, str], tuple[str, int]]
    others: tuple[HipCourse, ...] = ()
    study_noise: StudyNoise = NO_NOISE
    reads: tuple[PlainRow, ...] = ()

    def course(self, subject: str, laterality: str) -> HipCourse:
        """The course of a hip.

        Raises
        ------
        KeyError
            If nothing names the hip.
        """
        return self._by_hip[HipKey(subject, laterality)]

    @cached_property
    def _by_hip(self) -> dict[HipKey, HipCourse]:
        return {course.hip: course for course in (*self.courses, *self.others)}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all visits at which anything was entered or read."""
        attended = {
            one.planned.name for hip in self.courses for one in hip.visits if one.was_attended
        }
        return tuple(sorted(attended))

    def reader_notes(self) -> Iterator[str]:
        """Which readings do not count, and why, one sentence each."""
        if self.left_out:
            yield f"{counted(self.left_out, 'visit')} of hips read by other readers only: left out"
        if self.strangers:
            told = ", ".join(
                f"{name} ({counted(count, 'reading')})" for name, count in self.strangers
            )
            yield f"readers who are none of the study's, left out: {told}"
        if self.not_united:
            yield (
                f"{counted(self.not_united, 'reading')} named as adjudicated unite fewer than two "
                "kept readings: no consensus, but their reader's own"
            )


def analysis_set(
    rows: Iterable[PlainRow],
    clinical: Mapping[str, Sequence[PlainRow]],
    protocol: StudyProtocol = NO_STUDY,
    united: United = NOTHING_UNITED,
    *,
    with_changes: bool = True,
) -> AnalysisSet:
    """Put readings, visits and events of every hip on one time axis, and censor them.

    Months are days / 30.4375 from the hip's index day. A visit without date stands at its nominal
    time. Of several readings of a hip visit one stands for it.

    Parameters
    ----------
    rows
        Rows of the cohort table: mappings from column name to value.
    clinical
        Clinical rows by kind, as :func:`necroangle.analysis.records.read_records` takes.
    protocol
        The study's; without planned visits, what the visits' names say.
    united
        Which kept readings each adjudicated reading unites.
    with_changes
        Whether visits are compared with the baseline; their states need it not.

    Raises
    ------
    CohortError
        If methods or their versions are mixed, or a clinical value is not valid.

    Examples
    --------
    >>> row = {"subject": "S1", "laterality": "L", "reader": "kim", "read_no": 1, "method": "m"}
    >>> rows = [{**row, "visit": v, "cna_deg": cna} for v, cna in (("m00", 220.0), ("m12", 190.0))]
    >>> (course,) = analysis_set(rows, {}).courses
    >>> course.follow_ups[0].change.change_deg, course.follow_ups[0].months
    (-30.0, 12.0)
    >>> analysis_set([*rows, {**rows[0], "method": "max_extent"}], {})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: the cohort holds several methods: m, max_extent; ...
    """
    records = read_records(clinical)
    method, own = _of_one_method(list(rows), protocol.method)
    groups = _by_hip_visit(own, united)
    chosen = {
        place: one
        for place, some in sorted(groups.items())
        if (one := choose_read(some, protocol)) is not None
    }
    reads = {place: _angle_read(groups[place][one.read], one) for place, one in chosen.items()}
    full = with_visits(protocol, {visit for _, visit in (*reads, *records.visits)})
    named = {*(hip for hip, _ in (*reads, *records.visits)), *records.hips, *records.events}
    hips = sorted({*named, *(hip for hip, _ in groups)})
    placed = {course.hip: course for course in _courses(hips, reads, records, full)}
    reads_of_natural_hips = tuple(_natural_reads(groups, placed, full))
    repeats = noise_of_repeats(single_reads(reads_of_natural_hips), full.noise.repeats_needed)
    adopted = full.noise.of_angle
    noise = StudyNoise(
        adopted.same_reader or repeats.same_reader, adopted.two_readers or repeats.two_readers
    )
    courses = [
        replace(course, visits=_with_changes(course.visits, noise, full))
        if with_changes
        else course
        for course in placed.values()
    ]
    every = [read for some in groups.values() for read in some]
    readers = Counter(read.reader for read in every if not read.is_consensus)
    agreed = any(one.is_consensus for one in chosen.values())
    return AnalysisSet(
        courses=tuple(course for course in courses if course.hip in named),
        protocol=full,
        method=method,
        readers=tuple(sorted(readers)),
        rule=rule_of_reads(sorted(readers), protocol, has_consensus=agreed),
        rules=tuple(sorted(Counter(one.rule for one in chosen.values()).items())),
        noise=noise.known,
        study_noise=noise,
        reads=reads_of_natural_hips,
        left_out=len(groups) - len(chosen),
        strangers=tuple((name, readers[name]) for name in strangers(readers, protocol)),
        not_united=sum(read.unites is not None and not read.is_consensus for read in every),
        chosen={
            (*hip, visit): (one.read.reader, one.read.read_no)
            for (hip, visit), one in chosen.items()
        },
        others=tuple(course for course in courses if course.hip not in named),
    )


Groups = Mapping[tuple[HipKey, str], Mapping[ReadOf, PlainRow]]


def _by_hip_visit(rows: Iterable[PlainRow], united: United) -> Groups:
    """The readings of each hip visit, with their rows."""
    groups: dict[tuple[HipKey, str], dict[ReadOf, PlainRow]] = {}
    for row in rows:
        unites = united.get(_reading_id(row)) if united else None
        read = ReadOf(row["reader"], int(row["read_no"]), unites)
        place = HipKey(row["subject"], row["laterality"]), row["visit"]
        groups.setdefault(place, {})[read] = row
    return groups


def _natural_reads(
    groups: Groups, courses: Mapping[HipKey, HipCourse], protocol: StudyProtocol
) -> Iterator[PlainRow]:
    """The study's readers' own readings of natural hips: what was adjudicated is no repeat."""
    others = strangers({read.reader for some in groups.values() for read in some}, protocol)
    for (hip, visit), some in sorted(groups.items()):
        seen = courses[hip].visit(visit)
        if seen is not None and seen.state.is_censored:
            continue
        own = [read for read in some if read.unites is None and read.reader not in others]
        for read in sorted(own, key=lambda read: (read.reader, read.read_no)):
            yield some[read]


def _reading_id(row: PlainRow) -> ReadingId:
    names = ("subject", "laterality", "visit", "reader", "read_no")
    return tuple(str(row.get(name)) for name in names)


def _of_one_method(rows: list[PlainRow], wanted: str | None) -> tuple[str | None, list[PlainRow]]:
    names = sorted({row["method"] for row in rows})
    if wanted is None and len(names) > 1:
        raise CohortError(
            f"the cohort holds several methods: {', '.join(names)}; they are never mixed: choose "
            "one by --method"
        )
    method = wanted or (names[0] if names else None)
    if names and method not in names:
        raise CohortError(f"no row by method {method!r}; the cohort has: {', '.join(names)}")
    own = [row for row in rows if row["method"] == method]
    versions = sorted({str(row.get("method_version")) for row in own})
    if len(versions) > 1:
        raise CohortError(
            f"rows by versions {', '.join(versions)} of method {method}; measure all readings again"
        )
    return method, own


def shows_prosthesis(row: PlainRow) -> bool:
    """Whether a row of the cohort table says that the hip has been replaced."""
    statuses = {row.get("a_status"), row.get("b_status")}
    flags = str(row.get("flags") or "").split(" ")
    return UnreadReason.PROSTHESIS in statuses or Flag.CENSORED_BY_THA in flags


def _angle_read(row: PlainRow, chosen: ChosenRead) -> AngleRead:
    return AngleRead(
        row["reader"],
        row["read_no"],
        chosen.rule,
        chosen.is_consensus,
        chosen.reads,
        row.get("cna_deg"),
        row.get("cna_se_total"),
        row.get("cna_low_deg"),
        row.get("cna_high_deg"),
        row.get("arco"),
        row.get("jic"),
        row.get("jic_stage"),
        row.get("ha_grade"),
        shows_prosthesis(row),
        (row.get("a_weighting"), row.get("b_weighting")),
        PairRead.of_row(row, is_consensus=chosen.is_consensus),
    )


# ---- the courses of the hips ------------------------------------------------------------------


def _courses(
    hips: Iterable[HipKey],
    reads: Mapping[tuple[HipKey, str], AngleRead],
    records: StudyRecords,
    protocol: StudyProtocol,
) -> Iterator[HipCourse]:
    """The course of each of the hips, without changes of the angle yet."""
    read_at: dict[HipKey, dict[str, AngleRead]] = {}
    entered_at: dict[HipKey, dict[str, ClinicalVisit]] = {}
    for (hip, visit), read in reads.items():
        read_at.setdefault(hip, {})[visit] = read
    for (hip, visit), entered in records.visits.items():
        if entered != ClinicalVisit():  # a row without any entry is no visit
            entered_at.setdefault(hip, {})[visit] = entered
    shared = records.of_patients()
    for hip in hips:
        own = records.events.get(hip, ())
        events = (*own, *(event for event in shared.get(hip.subject, ()) if event not in own))
        yield _course(hip, read_at.get(hip, {}), entered_at.get(hip, {}), events, records, protocol)


def _course(
    hip: HipKey,
    reads: Mapping[str, AngleRead],
    entries: Mapping[str, ClinicalVisit],
    events: tuple[HipEvent, ...],
    records: StudyRecords,
    protocol: StudyProtocol,
) -> HipCourse:
    treated = records.hips.get(hip, ClinicalHip())
    patient = records.patients.get(hip.subject, Patient())
    index_visit = index_visit_of(treated.index_visit, protocol)
    at_index = entries.get(index_visit or "")
    index = index_day(
        protocol,
        treatment=treated.treatment_day,
        index_date=patient.index_day,
        visit=at_index.day if at_index else None,
    )
    known = {planned.name for planned in protocol.visits}
    numbered = [(planned, number) for number, planned in enumerate(protocol.visits, start=1)]
    unplanned = [(Visit(name), None) for name in sorted({*reads, *entries} - known)]
    visits = [
        _placed(
            hip,
            planned,
            number,
            reads.get(planned.name),
            entries.get(planned.name),
            index,
            is_baseline=planned.name == index_visit,
        )
        for planned, number in (*numbered, *unplanned)
    ]
    shown = [one.place_days for one in visits if one.read and one.read.is_prosthesis]
    ending = ending_of(events, index, shown)
    replaced_before = ending.tha_days is not None and ending.tha_days <= 0
    return HipCourse(
        hip,
        patient,
        treated,
        index,
        ending,
        events,
        _judged(visits, ending),
        replaced_before
        or any(one.is_baseline and one.read and one.read.is_prosthesis for one in visits),
    )


def _placed(
    hip: HipKey,
    planned: Visit,
    number: int | None,
    read: AngleRead | None,
    entered: ClinicalVisit | None,
    index: date | None,
    *,
    is_baseline: bool,
) -> HipVisit:
    """A visit at its place in time: its day from the index day, else its nominal day."""
    count = days_from(index, entered.day if entered else None)
    days = None if count is None else float(count)
    place = planned.nominal_days if days is None else days
    return HipVisit(
        hip=hip,
        planned=planned,
        number=number,
        days=days,
        place_days=0.0 if place is None and is_baseline else place,
        is_baseline=is_baseline,
        state=VisitState.MISSING,
        read=read,
        entered=entered,
        was_attended=entered is not None or read is not None,
    )


def _judged(visits: Sequence[HipVisit], ending: Ending) -> tuple[HipVisit, ...]:
    """The visits in order of time, with their states and doubts.

    What a censored visit holds is taken out: it is not of the natural hip.
    """
    starts = [one.place_days for one in visits if one.is_baseline and one.place_days is not None]
    start = starts[0] if starts else 0.0
    return tuple(_in_order([_with_state(one, ending, start) for one in visits]))


def _with_changes(
    visits: Sequence[HipVisit], noise: StudyNoise, protocol: StudyProtocol
) -> tuple[HipVisit, ...]:
    """The visits with the change of the angle from the baseline."""
    start = next(
        (one for one in visits if one.is_baseline and one.state is VisitState.OBSERVED), None
    )
    return tuple(
        _changed(one, start, noise, protocol)
        if start and not one.is_baseline and one.state is VisitState.OBSERVED
        else one
        for one in visits
    )


def _with_state(one: HipVisit, ending: Ending, start: float) -> HipVisit:
    day = one.entered.day if one.entered else None
    state = state_at(
        ending,
        one.place_days,
        day,
        has_data=one.was_attended,
        has_angle=one.cna_deg is not None,
    )
    if one.read is not None and one.read.is_prosthesis:
        state = VisitState.CENSORED_THA
    is_early = one.place_days is not None and one.place_days < start and not one.is_baseline
    if state is VisitState.OBSERVED and is_early:
        state = VisitState.BEFORE_BASELINE
    flags = _flags(one, ending)
    if state.is_censored:
        return replace(one, state=state, read=None, entered=None, flags=flags)
    if state is one.state and not flags:
        return one
    return replace(one, state=state, flags=flags)


def _flags(one: HipVisit, ending: Ending) -> tuple[str, ...]:
    if not one.was_attended:
        return ()
    entered = one.entered.arco if one.entered else None
    read = one.read.arco if one.read else None
    place = one.place_days
    doubts = {
        "arco_differs": entered is not None and read is not None and entered != read,
        "out_of_window": one.in_window is False,
        "prosthesis_undated": bool(one.read and one.read.is_prosthesis) and ending.tha_day is None,
        "seen_after_death": is_after(place, ending.death_days),
        "seen_after_lost": is_after(place, ending.lost_days),
        "undated": one.days is None and place is not None,
        "unplaced": place is None,
        "unplanned": one.number is None,
    }
    return tuple(name for name, is_so in doubts.items() if is_so)


def _in_order(visits: Sequence[HipVisit]) -> list[HipVisit]:
    """By place in time; a visit whose date overtakes one planned later is flagged."""
    ordered = sorted(visits, key=lambda one: math.inf if one.place_days is None else one.place_days)
    found: list[HipVisit] = []
    highest = 0
    for one in ordered:
        number = one.number or 0 if one.days is not None else 0
        overtaken = 0 < number < highest
        found.append(replace(one, flags=(*one.flags, "out_of_order")) if overtaken else one)
        highest = max(highest, number)
    return found


def _changed(
    one: HipVisit, start: HipVisit, noise: StudyNoise, protocol: StudyProtocol
) -> HipVisit:
    flags = list(one.flags)
    change = None
    if one.read and start.read and one.place_days is not None:
        change = angle_change(start.read, one.read, noise, protocol)
        if change and _who(one.read) != _who(start.read):
            flags.append("readers_differ")
        if change and change.slices_differ:
            flags.append("slices_differ")
        if change and _are_unlike(start.read, one.read):
            flags.append("weightings_differ")
    if one.arco and start.arco and one.arco.order < start.arco.order:
        flags.append("arco_earlier")
    return replace(one, change=change, flags=tuple(flags))


def _are_unlike(first: AngleRead, second: AngleRead) -> bool:
    """Whether a view was read on images of another weighting than at the other visit."""
    pairs = zip(first.weightings, second.weightings, strict=True)
    return any(
        Weighting.differ(*(None if one is None else Weighting(one) for one in pair))
        for pair in pairs
    )


def _who(read: AngleRead) -> str:
    return "" if read.is_consensus else read.reader
