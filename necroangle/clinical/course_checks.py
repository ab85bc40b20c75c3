"""What the course of a hip contradicts: stages, scores, sides, readings from visit to visit.

The limits are ours and provisional: ``benchmarks/queries.py`` measures what each rule finds and how
often it asks in vain. A query is a question, never a verdict.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from necroangle.clinical.checks import Issue, Look, ReadVisit
from necroangle.clinical.records import Hip, Values, day_of, index_day, number_of
from necroangle.entries import field_named
from necroangle.protocol.reads import lone_sides, strangers

STAGED = ("arco", "jic_stage", "steinberg", "ficat")
_COLLAPSED = 31
"""Code of ARCO 3A, the first stage of collapse."""


class Score(NamedTuple):
    """A score and what it may do between two visits.

    Attributes
    ----------
    name
        Its field.
    spike
        So far off both neighbours, on one side of them, it is asked about.
    jump
        So far off its only neighbour.
    floor, ceiling
        Its ends, where it may well stay.
    """

    name: str
    spike: float
    jump: float
    floor: float
    ceiling: float


SCORES = (Score("vas", 6.0, 8.5, 0.0, 10.0), Score("hhs", 35.0, 60.0, 0.0, 100.0),
          Score("womac", 35.0, 60.0, 0.0, 96.0))  # fmt: skip

WHOLE_DEG = 360.0
EXCHANGED = 40.0
"""By so many points a visit must two scores fit better exchanged."""

COPIED_VISITS = 3
INDEX_LATE_DAYS = 180

ANGLE_JUMP_DEG = 60.0
"""A combined angle that changes by more between two visits, or two readers of one visit."""


def score_of(values: Values, name: str) -> float | None:
    """A score of a visit; pain as 0 to 10."""
    number = number_of(values, name)
    if name != "vas" or number is None:
        return number
    scale = number_of(values, "vas_scale")
    return None if scale not in (10.0, 100.0) or number > scale else number * 10.0 / scale


def of_stages(look: Look, hip: Hip) -> Iterator[Issue]:
    """A stage that is earlier than one before it: necrosis does not heal back."""
    for name in STAGED:
        codes = _codes(name)
        found = [
            (visit, codes[str(values[name])])
            for visit, values in look.visits(hip)
            if values.get(name) in codes
        ]
        highest: tuple[str, int] | None = None
        for visit, code in found:
            if highest is not None and code < highest[1]:
                words = {code: word for word, code in codes.items()}
                label = field_named("visit", name).label
                message = f"{label} {words[code]}, after {words[highest[1]]} at {highest[0]}"
                yield Issue("visit", (*hip, visit), name, message, is_fatal=False)
            if highest is None or code > highest[1]:
                highest = visit, code


def _codes(name: str) -> Mapping[str, int]:
    """The codes of a stage, which rise."""
    choices = field_named("visit", name).choices
    return {} if choices is None else choices.codes


def of_score_jumps(look: Look, hip: Hip) -> Iterator[Issue]:
    """A score that stands far from the visits beside it."""
    visits = look.visits(hip)
    for score in SCORES:
        given = [
            (visit, number)
            for visit, values in visits
            if (number := score_of(values, score.name)) is not None
        ]
        for place, (visit, number) in enumerate(given):
            beside = [given[at][1] for at in (place - 1, place + 1) if 0 <= at < len(given)]
            limit = score.spike if len(beside) == 2 else score.jump
            off = [number - one for one in beside]
            if off and min(map(abs, off)) > limit and (min(off) > 0 or max(off) < 0):
                words = " and ".join(f"{one:g}" for one in beside)
                message = f"{number:g} beside {words} at the visits before and after"
                yield Issue("visit", (*hip, visit), score.name, message, is_fatal=False)


def of_scores_together(look: Look, hip: Hip) -> Iterator[Issue]:
    """Scores of one visit that contradict each other: one may be turned round."""
    for visit, values in look.visits(hip):
        vas, hhs, womac = (score_of(values, one.name) for one in SCORES)
        good, bad = hhs is not None and hhs >= 90, hhs is not None and hhs <= 35
        if vas is not None and ((good and vas >= 7) or (bad and vas <= 0.5)):
            message = f"pain {vas:g} of 10 beside a Harris Hip Score of {hhs:g}"
            yield Issue("visit", (*hip, visit), "vas", message, is_fatal=False)
        if womac is not None and ((good and womac >= 60) or (bad and womac <= 8)):
            message = f"WOMAC {womac:g} (0 is best) beside a Harris Hip Score of {hhs:g}"
            yield Issue("visit", (*hip, visit), "womac", message, is_fatal=False)


def of_exchanged_scores(look: Look, hip: Hip) -> Iterator[Issue]:
    """Harris Hip Score and WOMAC that fit the visits beside them far better exchanged."""
    given = [
        (visit, hhs, womac)
        for visit, values in look.visits(hip)
        if (hhs := score_of(values, "hhs")) is not None
        and (womac := score_of(values, "womac")) is not None
    ]
    for place, (visit, hhs, womac) in enumerate(given):
        beside = [given[at] for at in (place - 1, place + 1) if 0 <= at < len(given)]
        as_is = sum(abs(hhs - one[1]) + abs(womac - one[2]) for one in beside)
        swapped = sum(abs(womac - one[1]) + abs(hhs - one[2]) for one in beside)
        if beside and as_is - swapped > EXCHANGED * len(beside) and 3 * swapped < as_is:
            message = f"{hhs:g}, and WOMAC {womac:g}: exchanged, they would fit the visits beside"
            yield Issue("visit", (*hip, visit), "hhs", message, is_fatal=False)


def of_copied_hip(look: Look) -> Iterator[Issue]:
    """Both hips of a subject with the very same scores at many visits: one may be a copy."""
    hips = look.state.hips(look.subject)
    if len(hips) != 2:
        return
    first, second = (dict(look.visits(hip)) for hip in hips)
    shared = [
        (mine, theirs)
        for visit in first.keys() & second.keys()
        if None not in (mine := [score_of(first[visit], name) for name in _WHOLE_VISIT])
        and None not in (theirs := [score_of(second[visit], name) for name in _WHOLE_VISIT])
    ]
    if len(shared) >= COPIED_VISITS and all(mine == theirs for mine, theirs in shared):
        message = f"the scores of both hips are the same at all {len(shared)} visits"
        yield Issue("hip", hips[1], "scores", message, is_fatal=False)


def of_late_index(look: Look) -> Iterator[Issue]:
    """An index date long after the first treatment or visit of every hip."""
    index = day_of(look.state.one("subject", (look.subject,)), "index_date")
    days = [
        day
        for hip in look.hips
        for day in (
            day_of(look.state.one("hip", hip), "treatment_date"),
            *(day_of(values, "visit_date") for _, values in look.visits(hip)[:1]),
        )
        if day is not None
    ]
    late = (index - max(days)).days if index is not None and days else 0
    if late > INDEX_LATE_DAYS:
        message = f"{late} days after the first treatment and visit: is the year right?"
        yield Issue("subject", (look.subject,), "index_date", message, is_fatal=False)


def of_pain_numbers(look: Look, hip: Hip) -> Iterator[Issue]:
    """Pain that looks as if it were told on the other scale."""
    given = [
        (visit, number, scale, number_of(values, "hhs"))
        for visit, values in look.visits(hip)
        if (number := number_of(values, "vas")) is not None
        and (scale := number_of(values, "vas_scale")) is not None
    ]
    scales = [scale for _, _, scale, _ in given]
    for visit, number, scale, hhs in given:
        others = [one for name, one, its, _ in given if name != visit and its == scale]
        usual = max(set(scales), key=scales.count)
        if scale != usual and scales.count(usual) >= 2:
            message = f"on a scale of {scale:g}, the other visits on {usual:g}"
            yield Issue("visit", (*hip, visit), "vas_scale", message, is_fatal=False)
        elif scale == 100 and number >= 1 and _is_of_ten(number) and _is_in_pain(hhs, others):
            message = f"{number:g} of 100 in a hip that is not well: was it {number:g} of 10?"
            yield Issue("visit", (*hip, visit), "vas", message, is_fatal=False)
    numbers = [number for _, number, scale, _ in given if scale == 100]
    if len(numbers) >= 3 and all(map(_is_of_ten, numbers)) and max(numbers) >= 5:
        message = "every pain score of this hip is 10 or less of 100: was the scale 0 to 10?"
        yield Issue("visit", (*hip, given[0][0]), "vas", message, is_fatal=False)


def _is_in_pain(hhs: float | None, others: list[float]) -> bool:
    """Whether a hip hurts: by its Harris Hip Score, else by its other visits."""
    if hhs is not None:
        return hhs <= 72
    return len(others) >= 2 and min(others) >= 20


def _is_of_ten(number: float) -> bool:
    return number <= 10 and number == int(number)


_WHOLE_VISIT = ("vas", "hhs", "womac")


def of_repeated_visit(look: Look, hip: Hip) -> Iterator[Issue]:
    """Two visits with the very same scores: one may be a copy."""
    seen: dict[tuple[float, ...], str] = {}
    for visit, values in look.visits(hip):
        scores = [score_of(values, name) for name in _WHOLE_VISIT]
        given = tuple(one for one in scores if one is not None)
        ends = (0.0, 10.0, 96.0, 100.0)
        if len(given) < len(_WHOLE_VISIT) or sum(one in ends for one in given) > 1:
            continue
        if given in seen:
            message = f"pain, Harris Hip Score and WOMAC are those of {seen[given]} again"
            yield Issue("visit", (*hip, visit), "hhs", message, is_fatal=False)
        seen.setdefault(given, visit)


def of_predecessors(look: Look, hip: Hip) -> Iterator[Issue]:
    """What happened to a hip before it was in the study, or in an order that cannot be."""
    if look.protocol is None:
        return
    start = index_day(look.state, hip, look.protocol)
    for key, values in look.state.of("event", hip):
        day = day_of(values, "event_date")
        if start is None or day is None:
            continue
        if day < start and not _is_told(look, hip, key[2], day):
            message = f"{(start - day).days} days before the index day of the hip"
            yield Issue("event", key, "event_date", message, is_fatal=False)
    for visit, values in look.visits(hip):
        day, months = day_of(values, "visit_date"), look.place_of(visit, values)[0]
        if start is not None and day is not None and 0 < months < math.inf and day <= start:
            message = f"{(start - day).days} days before the index day, though a follow-up"
            yield Issue("visit", (*hip, visit), "visit_date", message, is_fatal=False)
    yield from _of_years(look, hip)


def of_event_day(look: Look, hip: Hip) -> Iterator[Issue]:
    """An event without its day."""
    for key, values in look.state.of("event", hip):
        if day_of(values, "event_date") is None:
            yield Issue("event", key, "event_date", "an event without its day", is_fatal=False)


def _is_told(look: Look, hip: Hip, event: str, day: date) -> bool:
    """Whether the visits after an event that ends a course are asked about anyway."""
    days = (day_of(values, "visit_date") for _, values in look.visits(hip))
    return event in {"tha", "lost", "death"} and any(one and one > day for one in days)


def _of_years(look: Look, hip: Hip) -> Iterator[Issue]:
    """The index date of the patient and the treatment of the hip lie years apart."""
    person = day_of(look.state.one("subject", hip[:1]), "index_date")
    treated = day_of(look.state.one("hip", hip), "treatment_date")
    if person is not None and treated is not None and abs((treated - person).days) > 365:
        message = f"{abs((treated - person).days)} days from the index date of the patient"
        yield Issue("hip", hip, "treatment_date", message, is_fatal=False)


def of_stage_after_collapse(look: Look, hip: Hip) -> Iterator[Issue]:
    """A stage before collapse, after a collapse was recorded."""
    codes = _codes("arco")
    days = [
        day
        for key, values in look.state.of("event", hip)
        if key[2] == "collapse" and (day := day_of(values, "event_date")) is not None
    ]
    for visit, values in look.visits(hip) if days else ():
        day, stage = day_of(values, "visit_date"), str(values.get("arco"))
        if day is not None and day > min(days) and codes.get(stage, 99) < _COLLAPSED:
            message = f"ARCO {stage}, {(day - min(days)).days} days after a collapse"
            yield Issue("visit", (*hip, visit), "arco", message, is_fatal=False)


def of_person(look: Look) -> Iterator[Issue]:
    """Age and body mass that a study of adults seldom has."""
    for key, values in look.state.of("subject", (look.subject,)):
        for name, low, high in (("age_at_index_years", 15.0, 88.0), ("bmi_kg_m2", 14.0, 45.0)):
            number = number_of(values, name)
            if number is not None and not low <= number <= high:
                message = f"{number:g} is unusual: mostly {low:g} to {high:g}"
                yield Issue("subject", key, name, message, is_fatal=False)


def of_unilateral(look: Look) -> Iterator[Issue]:
    """Said to be on one side, and both hips are recorded."""
    hips = look.state.hips(look.subject)
    for hip in hips if len(hips) > 1 else ():
        if number_of(look.state.one("hip", hip), "bilateral") == 0:
            message = "not bilateral, and there are records of both hips"
            yield Issue("hip", hip, "bilateral", message, is_fatal=False)


def of_other_side(look: Look) -> Iterator[Issue]:
    """A hip whose few visits are those that the other side lacks: the side may be mistaken."""
    seen = {
        hip: {visit for visit, _ in look.visits(hip)}
        | {one.visit for one in look.readings if one.hip == hip}
        for hip in look.hips
    }
    for hip, visits in seen.items():
        for other, theirs in seen.items():
            few = len(visits) * 2 < len(theirs) + 1
            if hip != other and visits and few and not visits & theirs:
                names = ", ".join(sorted(visits))
                message = f"only {names}, which {other[1]} lacks: is it the other side?"
                yield Issue("hip", hip, "laterality", message, is_fatal=False)
    reads = [(one.hip[1], one.visit, one.reader) for one in look.readings]
    for (side, visit, reader), message in lone_sides(reads).items():
        key = (look.subject, side, visit)
        yield Issue("visit", key, f"reading {reader}", message, is_fatal=False)


def of_swapped_sides(look: Look) -> Iterator[Issue]:
    """A visit of both hips that fits far better with the sides exchanged."""
    hips = look.hips
    if len(hips) != 2:
        return
    left, right = (dict(_measures(look, hip)) for hip in hips)
    shared = [visit for visit in left if visit in right]
    for place, visit in enumerate(shared):
        beside = [shared[at] for at in (place - 1, place + 1) if 0 <= at < len(shared)]
        as_is = sum(_apart(one[visit], one[near]) for one in (left, right) for near in beside)
        swapped = sum(
            _apart(one[visit], other[near])
            for one, other in ((left, right), (right, left))
            for near in beside
        )
        if beside and as_is - swapped > 2.0 * len(beside) and swapped < 0.6 * as_is:
            message = "stages and scores fit better with left and right exchanged"
            yield Issue("visit", (*hips[0], visit), "laterality", message, is_fatal=False)


_UNITS = {"arco": 1.0, "vas": 2.5, "hhs": 15.0, "womac": 15.0}
"""What is one step of a measure: a stage, the spread of a score."""


def _measures(look: Look, hip: Hip) -> Iterator[tuple[str, dict[str, float]]]:
    ranks = {word: float(rank) for rank, word in enumerate(_codes("arco"))}
    for visit, values in look.visits(hip):
        given = {one.name: score_of(values, one.name) for one in SCORES}
        given["arco"] = ranks.get(str(values.get("arco")))
        yield visit, {name: number for name, number in given.items() if number is not None}


def _apart(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How far two visits lie apart, in steps; a measure that only one has does not count."""
    return sum(
        min(4.0, abs(one[name] - other[name]) / _UNITS[name]) for name in one.keys() & other.keys()
    )


def _readings(look: Look, hip: Hip) -> list[ReadVisit]:
    own = [one for one in look.readings if one.hip == hip]
    return sorted(own, key=lambda one: (look.place_of(one.visit, {}), one.reader, one.read_no))


def of_angle(look: Look, hip: Hip) -> Iterator[Issue]:
    """A combined angle far from that of the visit before, by the same reader."""
    by_reader: dict[str, list[ReadVisit]] = {}
    for one in _readings(look, hip):
        if one.read_no == 1 and one.cna_deg is not None:
            by_reader.setdefault(one.reader, []).append(one)
    for reader, reads in by_reader.items():
        for before, now in pairwise(reads):
            assert before.cna_deg is not None and now.cna_deg is not None  # noqa: S101, PT018
            change = now.cna_deg - before.cna_deg
            if abs(change) > ANGLE_JUMP_DEG:
                message = f"{change:+.0f} degrees since {before.visit}, reader {reader}"
                yield Issue("visit", (*hip, now.visit), "cna_deg", message, is_fatal=False)


def of_equal_angles(look: Look, hip: Hip) -> Iterator[Issue]:
    """Two views with the very same angle, to the last digit: one was taken for both."""
    for one in _readings(look, hip):
        if one.a_deg and one.a_deg == one.b_deg and one.a_deg < WHOLE_DEG:
            message = f"both views have the very same angle, reader {one.reader}"
            yield Issue("visit", (*hip, one.visit), "b_deg", message, is_fatal=False)


def of_both_readers(look: Look, hip: Hip) -> Iterator[Issue]:
    """Readers of one visit, or reader and clinic, who cannot mean the same hip."""
    codes = _codes("arco")
    by_visit: dict[str, list[ReadVisit]] = {}
    for one in _readings(look, hip):
        by_visit.setdefault(one.visit, []).append(one)
    for visit, reads in by_visit.items():
        angles = [one.cna_deg for one in reads if one.cna_deg is not None]
        if angles and max(angles) - min(angles) > ANGLE_JUMP_DEG:
            message = f"readings of one visit differ by {max(angles) - min(angles):.0f} degrees"
            yield Issue("visit", (*hip, visit), "readings", message, is_fatal=False)
        clinic = codes.get(str(look.state.one("visit", (*hip, visit)).get("arco")))
        read = [code for one in reads if (code := codes.get(str(one.arco))) is not None]
        far = [code for code in read if clinic is not None and abs(code - clinic) >= 12]
        if far:
            message = "reader and clinic are two stages or more apart"
            yield Issue("visit", (*hip, visit), "arco_read", message, is_fatal=False)


def of_strangers(look: Look, hip: Hip) -> Iterator[Issue]:
    """Readings of a reader who is none of the study's."""
    if look.protocol is None:
        return
    for one in _readings(look, hip):
        if strangers({one.reader}, look.protocol) and not (
            look.protocol.consensus and one.reader == "consensus"
        ):
            message = f"read by {one.reader}, who is none of the study's readers"
            yield Issue("visit", (*hip, one.visit), "reader", message, is_fatal=False)


def of_missing_visits(look: Look, hip: Hip) -> Iterator[Issue]:
    """A planned visit that should have been by now, and of which there is nothing."""
    if look.protocol is None:
        return
    start = index_day(look.state, hip, look.protocol)
    ends = _last_day(look, hip)
    there = {visit for visit, _ in look.visits(hip)}
    there |= {one.visit for one in look.readings if one.hip == hip}
    latest = max((look.place_of(one, {})[0] for one in there), default=-1.0)
    for visit in look.protocol.visits if there else ():
        months, days = visit.nominal_months, visit.nominal_days
        if visit.name in there or months is None or days is None:
            continue
        window = visit.window_days
        due = None if start is None else start.toordinal() + (window[1] if window else round(days))
        is_over = ends is not None and due is not None and due >= ends
        if not is_over and (months < latest or (due is not None and due < look.today.toordinal())):
            message = "planned, its time is over, and nothing is recorded or read"
            yield Issue("visit", (*hip, visit.name), "visit", message, is_fatal=False)


def _last_day(look: Look, hip: Hip) -> int | None:
    """The day after which no visit is to be expected, as an ordinal."""
    days: list[int] = []
    for prefix, events in ((hip, ("tha", "lost")), (hip[:1], ("death",))):
        for key, values in look.state.of("event", prefix):
            day = day_of(values, "event_date")
            if key[2] in events and day is not None:
                days.append(day.toordinal())
    return min(days, default=None)


def of_visit_without_reading(look: Look, hip: Hip) -> Iterator[Issue]:
    """A visit of a hip that is read at others, without a reading."""
    read = {one.visit for one in look.readings if one.hip == hip}
    ends = _last_day(look, hip)
    for visit, values in look.visits(hip) if read else ():
        day = day_of(values, "visit_date")
        is_over = ends is not None and day is not None and day.toordinal() > ends
        if visit not in read and not is_over:
            message = "a visit without a reading"
            yield Issue("visit", (*hip, visit), "reading", message, is_fatal=False)


def of_reading_without_visit(look: Look, hip: Hip) -> Iterator[Issue]:
    """A reading of a hip that has visits, without its visit; or after the hip was replaced."""
    visits = {visit for visit, _ in look.visits(hip)}
    for one in dict.fromkeys(read.visit for read in _readings(look, hip)):
        if visits and one not in visits:
            message = "a reading without a visit"
            yield Issue("visit", (*hip, one), "reading", message, is_fatal=False)


def of_index_day(look: Look, hip: Hip) -> Iterator[Issue]:
    """Follow-up visits, and no day from which their days could be counted."""
    if look.protocol is None or index_day(look.state, hip, look.protocol) is not None:
        return
    if len(look.visits(hip)) > 1:
        message = "no day of treatment, index date or index visit: days cannot be counted"
        yield Issue("hip", hip, "treatment_date", message, is_fatal=False)
