"""Time to event of a study: curves, tests, models, and how well the angle predicts.

Three endpoints: radiographic failure by the study's rule, collapse, and replacement. A replacement
competes with collapse, and death with all of them: the share that has had an event is then the
cumulative incidence, and one less Kaplan-Meier would be too high. An event that is seen at a visit
happened between that visit and the one before it; curves by the visit's day stand beside the range
that this leaves open.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Literal

from necroangle.analysis.courses import AnalysisSet, HipCourse
from necroangle.analysis.hips import HipOutcome, failure_by, hip_outcomes
from necroangle.analysis.quantities import ALL, Quantity, count, p_words, rate, unknown
from necroangle.entries import field_named
from necroangle.errors import CohortError
from necroangle.measurement.grades import HaRisk, ha_grade, ha_risk
from necroangle.plain_text import counted
from necroangle.protocol.failure import FailureOutcome
from necroangle.protocol.hips import HipKey
from necroangle.protocol.study import FAILURE_RULES, FailureRule
from necroangle.statistics.curves import (
    Roc,
    area_difference,
    cochran_armitage,
    roc,
    youden_cut,
)
from necroangle.statistics.intervals import MeanSquare, clopper_pearson, interval_of_sum
from necroangle.statistics.regression import Hazards, cox, fine_gray, groups_by_patients
from necroangle.statistics.survival import (
    Curve,
    GroupTest,
    Times,
    at_time,
    gray_test,
    incidence,
    interval_censored,
    log_rank,
    numbers_at_risk,
    restricted_mean,
    survival,
)

Endpoint = Literal["failure", "collapse", "replacement"]

ENDPOINTS: Mapping[Endpoint, str] = {
    "failure": "radiographic failure by the study's rule",
    "collapse": "ARCO 3A or later, or a collapse event, in a hip that had not collapsed",
    "replacement": "total hip arthroplasty",
}
"""What is waited for."""

DAYS_PER_YEAR = 365.25
_LOST, _HAPPENED, _REPLACED, _DIED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class HipTime:
    """A hip until the event, or until it was last observed without.

    Attributes
    ----------
    hip
        Which hip.
    years
        From the index date to the event, or to the end of the observation.
    code
        0 observed to the end, 1 the event, 2 a replacement that competes, 3 death.
    after_years, by_years
        The event happened after the one and by the other; ``by_years`` is infinite without event.
    outcome
        What else became of the hip.
    """

    hip: HipKey
    years: float
    code: int
    after_years: float
    by_years: float
    outcome: HipOutcome


def hip_times(cohort: AnalysisSet, endpoint: Endpoint) -> tuple[list[HipTime], list[str]]:
    """Time to an endpoint of every hip at risk of it, and why others are left out.

    Parameters
    ----------
    cohort
        The analysis set.
    endpoint
        A name of :data:`ENDPOINTS`.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> stages = (("m00", "2"), ("m12", "2"), ("m24", "3B"))
    >>> visits = [{**hip, "visit": visit, "arco": stage} for visit, stage in stages]
    >>> (one,), notes = hip_times(analysis_set([], {"visit": visits}), "collapse")
    >>> round(one.years, 2), one.code, round(one.after_years, 2), notes
    (2.0, 1, 1.0, [])
    """
    rule, hips = hip_outcomes(cohort)
    found: list[HipTime] = []
    notes: dict[str, int] = {}
    for hip in hips:
        one = _timed(hip, cohort, endpoint, rule)
        if isinstance(one, str):
            notes[one] = notes.get(one, 0) + 1
        else:
            found.append(one)
    return found, [f"{number} x {words}: left out" for words, number in notes.items()]


def _timed(
    hip: HipOutcome, cohort: AnalysisSet, endpoint: Endpoint, rule: FailureRule
) -> HipTime | str:
    course = hip.course
    if course.had_tha_before:
        return "replaced before the index date"
    happened = _judged(course, cohort, endpoint, rule)
    if happened.failed is None:
        return "no stage at the baseline or after it, or past the endpoint at the baseline"
    if happened.failed and happened.days is None:
        return "the event has no date"
    end, code = _end_of(course, endpoint, cohort)
    if happened.failed and happened.days is not None:
        end, code = happened.days, _HAPPENED
    if end is None:
        return "no visit or event with a date after the index date"
    if end < 0:
        return "the patient died, or the event happened, before the index date"
    seen = [one.place_days for one in course.follow_ups if one.place_days is not None]
    is_at_visit = (
        code == _HAPPENED
        and happened.where not in ("tha",)
        and not (happened.where.startswith("event "))
    )
    before = max((day for day in seen if day < end), default=0.0) if is_at_visit else end
    return HipTime(
        course.hip,
        end / DAYS_PER_YEAR,
        code,
        before / DAYS_PER_YEAR,
        end / DAYS_PER_YEAR if code == _HAPPENED else math.inf,
        hip,
    )


def _judged(
    course: HipCourse, cohort: AnalysisSet, endpoint: Endpoint, rule: FailureRule
) -> FailureOutcome:
    if endpoint == "replacement":
        return FailureOutcome(course.ending.has_tha, course.ending.tha_days, "tha")
    if endpoint == "failure":
        return failure_by(course, rule, cohort.protocol)
    alone = cohort.protocol.overridden({"failure.tha": False})
    return failure_by(course, "collapse", alone)


def _end_of(course: HipCourse, endpoint: Endpoint, cohort: AnalysisSet) -> tuple[float | None, int]:
    """Day and code of what ends the observation without the event."""
    ending = course.ending
    if endpoint != "replacement" and ending.has_tha and ending.tha_days is not None:
        is_failure = endpoint == "failure" and cohort.protocol.failure.tha
        return ending.tha_days, _LOST if is_failure else _REPLACED
    if ending.has_death and ending.death_days is not None:
        return ending.death_days, _DIED
    days = course.contact_days if endpoint == "replacement" else _last_stage(course)
    return (days, _LOST) if days is not None and days > 0 else (None, _LOST)


def _last_stage(course: HipCourse) -> float | None:
    """Last day on which the stage was known: what was not looked for was not seen."""
    days = [one.place_days for one in course.follow_ups if one.arco is not None]
    known = [float(day) for day in days if day is not None]
    return max(known) if known else course.observed_days


# ---- groups ------------------------------------------------------------------------------------


def _stage(hip: HipOutcome) -> str | None:
    return f"ARCO {hip.arco_baseline}" if hip.arco_baseline else None


def _grade(hip: HipOutcome) -> str | None:
    read = hip.course.baseline.read if hip.course.baseline else None
    if read is None or read.cna_deg is None:
        return None
    return f"Ha grade {int(ha_grade(read.cna_deg))}" if read.cna_deg else "no necrosis"


def _risk(hip: HipOutcome) -> str | None:
    angle = hip.cna_baseline_deg
    if angle is None:
        return None
    if angle == 0:
        return "no necrosis"
    return str(ha_risk(angle))


def _arm(hip: HipOutcome) -> str | None:
    code = hip.course.treated.treatment
    return None if code is None else field_named("treatment", "treatment").values.get(code, code)


GROUPINGS: Mapping[str, Callable[[HipOutcome], str | None]] = {
    "stage": _stage,
    "arm": _arm,
    "grade": _grade,
    "risk": _risk,
}
"""By what hips are grouped, at the baseline; an arm is the first treatment of a hip."""

_ORDER = ("no necrosis", *map(str, HaRisk))


def _grouped(times: Sequence[HipTime], by: str) -> dict[str, list[HipTime]]:
    found: dict[str, list[HipTime]] = {}
    for one in times:
        name = GROUPINGS[by](one.outcome)
        if name is not None:
            found.setdefault(name, []).append(one)
    order = {name: place for place, name in enumerate(_ORDER)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], 9), item[0])))


# ---- everything --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A step of a curve.

    Attributes
    ----------
    curve
        ``"incidence"`` or ``"survival"``.
    group
        ``"all"`` or a group at the baseline.
    years, value, low, high
        From when on, and the share with its pointwise 95 % interval.
    at_risk
        Hips still observed just before.
    """

    curve: str
    group: str
    years: float
    value: float
    low: float
    high: float
    at_risk: int


@dataclass(frozen=True, slots=True)
class EventStudy:
    """Time to an endpoint in a study.

    Attributes
    ----------
    endpoint
        A name of :data:`ENDPOINTS`.
    quantities
        Shares at whole years, tests, models, areas below curves, shares by group.
    curves
        Every step of the curves.
    times
        The hips that they are from.
    notes
        Rules, and hips that were left out, one sentence each.
    groups
        The hips of ``"all"`` and of each group at the baseline.
    """

    endpoint: Endpoint
    quantities: tuple[Quantity, ...]
    curves: tuple[CurveRow, ...]
    times: tuple[HipTime, ...]
    notes: tuple[str, ...]
    groups: Mapping[str, Sequence[HipTime]]

    def at_risk(self, group: str, years: Sequence[float]) -> list[int]:
        """How many hips of a group are still observed at each time."""
        return numbers_at_risk(_data(self.groups[group]), years)


def events_of(cohort: AnalysisSet, endpoint: Endpoint = "failure", by: str = "stage") -> EventStudy:
    """Everything about one endpoint.

    Parameters
    ----------
    cohort
        The analysis set.
    endpoint
        A name of :data:`ENDPOINTS`.
    by
        A name of :data:`GROUPINGS`.

    Raises
    ------
    CohortError
        If no hip is at risk of it.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> visits = [
    ...     {"subject": f"S{n}", "laterality": "L", "visit": visit, "arco": stage}
    ...     for n, last in enumerate(("2", "3B", "2", "3A"))
    ...     for visit, stage in (("m00", "2"), ("m24", last))
    ... ]
    >>> found = events_of(analysis_set([], {"visit": visits}), "collapse")
    >>> [(one.group, one.value, one.n) for one in found.quantities if one.quantity == "events"]
    [('all', 2, 4), ('ARCO 2', 2, 4)]
    """
    times, left_out = hip_times(cohort, endpoint)
    if not times:
        raise CohortError(
            f"no hip is at risk of {ENDPOINTS[endpoint]} with a visit after its baseline"
        )
    groups = {ALL: times, **_grouped(times, by)}
    curves = [row for name, own in groups.items() for row in _curve_rows(name, own)]
    quantities = [
        *_happened(groups),
        *_at_years(groups),
        *_open_range(times),
        *_tests(groups),
        *_means(groups),
        *_models(times),
        *_foretold(times),
        *_shares(times),
        *(_by_rules(cohort) if endpoint == "failure" else ()),
        *_next_trial(times, cohort),
    ]
    return EventStudy(
        endpoint, tuple(quantities), tuple(curves), tuple(times),
        tuple(_notes(times, endpoint, left_out)), groups,
    )  # fmt: skip


def _data(times: Sequence[HipTime]) -> Times:
    return Times.of([one.years for one in times], [one.code for one in times])


def _patients(times: Sequence[HipTime]) -> list[str]:
    return [one.hip.subject for one in times]


def _happened(groups: Mapping[str, Sequence[HipTime]]) -> Iterator[Quantity]:
    for name, own in groups.items():
        yield count("events", name, sum(one.code == _HAPPENED for one in own), len(own), "hips")
    for words, code in (("replaced first", _REPLACED), ("died first", _DIED)):
        for name, own in groups.items():
            number = sum(one.code == code for one in own)
            if number:
                yield count(words, name, number, len(own), "hips")


def _at_years(groups: Mapping[str, Sequence[HipTime]]) -> Iterator[Quantity]:
    """Cumulative incidence and Kaplan-Meier at 1, 2, 3, 5 and 10 years, as far as hips go."""
    for title, curve_of, method in (
        ("incidence", incidence, _AALEN),
        ("survival", survival, _KAPLAN),
    ):
        for years in (1, 2, 3, 5, 10):
            for name, own in groups.items():
                data = _data(own)
                if years <= data.times.max():
                    at_risk = numbers_at_risk(data, [years])[0]
                    found = at_time(curve_of(data), years)
                    yield _share(f"{title}_{years}_years", name, at_risk, found, method)


_AALEN = "cumulative incidence (Aalen-Johansen), log-log interval; n: hips still at risk"
_KAPLAN = "Kaplan-Meier, what competes ends the observation, log-log interval; n: still at risk"


def _share(
    quantity: str,
    group: str,
    n: int,
    found: tuple[float, tuple[float, float]] | None,
    method: str,
) -> Quantity:
    if found is None:
        return unknown(quantity, group, n, "%", method, "beyond the longest observation")
    value, (low, high) = found
    if low == high:  # no event so far, or every hip had it: no interval by this formula
        return Quantity(quantity, group, n, 100 * value, None, None, "%", method)
    return Quantity(quantity, group, n, 100 * value, 100 * low, 100 * high, "%", method)


def _open_range(times: Sequence[HipTime]) -> Iterator[Quantity]:
    """What is known where events lie between visits: the highest and the lowest curve."""
    if not any(one.after_years < one.by_years < math.inf for one in times):
        return
    curve = interval_censored([one.after_years for one in times], [one.by_years for one in times])
    longest = max(one.years for one in times)
    for years in (1, 2, 3, 5, 10):
        if years <= longest:
            low, high = curve.bounds_at(years)
            yield Quantity(
                f"between_visits_{years}_years", ALL, len(times), None, 100 * (1 - high),
                100 * (1 - low), "%",
                "Turnbull, what competes ends the observation: least and most that had the event",
                _range(100 * (1 - high), 100 * (1 - low)),
            )  # fmt: skip


def _range(low: float, high: float) -> str:
    texts = f"{low:.1f}", f"{high:.1f}"
    return f"{texts[0]} %" if texts[0] == texts[1] else f"{texts[0]} to {texts[1]} %"


def _tests(groups: Mapping[str, Sequence[HipTime]]) -> Iterator[Quantity]:
    own = [(one, name) for name, some in groups.items() if name != ALL for one in some]
    if not own:
        return
    data, names = _data([one for one, _ in own]), [name for _, name in own]
    for title, test in (("log_rank", log_rank(data, names)), ("gray", gray_test(data, names))):
        yield _test(f"{title}_p", len(own), test, "; hips counted as independent")
    people = _patients([one for one, _ in own])
    if len(set(people)) < len(people):
        for title, competing in (("log_rank", False), ("gray", True)):
            test = groups_by_patients(data, names, people, competing=competing)
            yield _test(f"{title}_by_patients_p", len(own), test, "")


def _test(quantity: str, n: int, test: GroupTest, beside: str) -> Quantity:
    if test.p is None:
        return unknown(quantity, "groups", n, "P", "test of the groups", test.words)
    return Quantity(quantity, "groups", n, test.p, None, None, "P", f"{test.words}{beside}")


def _means(groups: Mapping[str, Sequence[HipTime]]) -> Iterator[Quantity]:
    """Mean years without the event, up to where every group has a hip."""
    horizon = min(max(one.years for one in own) for own in groups.values())
    for name, own in groups.items():
        found = restricted_mean(_data(own), horizon)
        low, high = found.interval
        yield Quantity(
            "restricted_mean", name, len(own), found.value, low, high, "years",
            f"mean years without the event up to {horizon:.2f} years (Kaplan-Meier)",
        )  # fmt: skip


# ---- models ------------------------------------------------------------------------------------

_COVARIATES: Mapping[str, Callable[[HipOutcome], float | None]] = {
    "CNA, by 10°": lambda hip: None if hip.cna_baseline_deg is None else hip.cna_baseline_deg / 10,
    "collapsed at baseline": lambda hip: (
        None if hip.arco_baseline is None else float(hip.arco_baseline.is_collapsed)
    ),
}


def _models(times: Sequence[HipTime]) -> Iterator[Quantity]:
    """Each covariate alone, by Cox and by Fine and Gray, errors robust to patients."""
    for name, value in _COVARIATES.items():
        known = [(one, value(one.outcome)) for one in times]
        rows = [(one, number) for one, number in known if number is not None]
        if len({number for _, number in rows}) < 2:
            continue
        own = [one for one, _ in rows]
        table = [[number] for _, number in rows]
        for title, fit in (("cox", cox), ("fine_gray", fine_gray)):
            yield _ratio(title, name, fit(_data(own), table, [name], _patients(own)))


def _ratio(title: str, name: str, found: Hazards) -> Quantity:
    words = {"cox": "Cox, Efron's ties", "fine_gray": "Fine and Gray"}[title]
    method = f"hazard ratio, {words}, {found.events} events, error robust to patients"
    if not found.coefficients:
        return unknown(title, name, found.hips, "ratio", method, found.words)
    (one,) = found.coefficients
    low, high = one.interval
    return Quantity(title, name, found.hips, one.ratio, low, high, "ratio", method,
                    p_words(one.p))  # fmt: skip


# ---- how well the angle predicts --------------------------------------------------------------

_NUMBERS: Mapping[str, Callable[[HipOutcome], float | None]] = {
    "CNA at baseline": lambda hip: hip.cna_baseline_deg,
    "CNA change, last": lambda hip: hip.change.change_deg if hip.change else None,
}


def roc_of_angle(times: Sequence[HipTime]) -> Iterator[tuple[str, Roc, list[HipTime]]]:
    """The curve of each number for the event within the observation, and the hips it is from."""
    for name, value in _NUMBERS.items():
        known = [(one, value(one.outcome)) for one in times if one.code in (_LOST, _HAPPENED)]
        rows = [(one, number) for one, number in known if number is not None]
        if rows:
            own = [one for one, _ in rows]
            events = [one.code == _HAPPENED for one in own]
            yield name, roc([number for _, number in rows], events, _patients(own)), own


def _foretold(times: Sequence[HipTime]) -> Iterator[Quantity]:
    method = "area below the curve for the event within the observation, DeLong's interval"
    for name, found, own in roc_of_angle(times):
        if found.auc is None:
            yield unknown("auc", name, len(own), "area", method, found.words)
            continue
        low, high = found.interval or (None, None)
        words = ""
        if found.by_patients is not None:
            words = f"by patients {found.by_patients[0]:.3f} to {found.by_patients[1]:.3f}"
        yield Quantity("auc", name, len(own), found.auc, low, high, "area", method,
                       words or found.words)  # fmt: skip
        value = _NUMBERS[name]
        cut = youden_cut(
            [value(one.outcome) or 0.0 for one in own],
            [one.code == _HAPPENED for one in own],
            _patients(own),
        )
        if cut is not None:
            low, high = cut.interval or (None, None)
            yield Quantity(
                "cut", name, len(own), cut.at_least, low, high, "deg",
                "at or above this the event is foretold (Youden); interval by patients",
                f"sensitivity {100 * cut.sensitivity:.0f} %, specificity "
                f"{100 * cut.specificity:.0f} %, Youden's index {cut.index:.2f}; "
                f"{cut.corrected_index:.2f} corrected for optimism (bootstrap)",
            )  # fmt: skip
    yield from _better(times)


def _better(times: Sequence[HipTime]) -> Iterator[Quantity]:
    """Whether the change predicts better than the angle, in hips that have both."""
    (first, one), (second, other) = _NUMBERS.items()
    known = [
        (before, after, time.code == _HAPPENED)
        for time in times
        if time.code in (_LOST, _HAPPENED)
        and (before := one(time.outcome)) is not None
        and (after := other(time.outcome)) is not None
    ]
    if not known:
        return
    found = area_difference(*zip(*known, strict=True))
    low, high = found.interval or (None, None)
    method = f"area of {second} less that of {first}, the same hips; DeLong's interval"
    words = found.words if found.p is None else p_words(found.p)
    yield Quantity("auc_difference", f"{second} less {first}", len(known), found.difference, low,
                   high, "area", method, words)  # fmt: skip


def _shares(times: Sequence[HipTime]) -> Iterator[Quantity]:
    """The event by Ha's grade and band of risk, with exact intervals, and the trend over them."""
    for by in ("grade", "risk"):
        groups = _grouped(times, by)
        counts = [
            (name, sum(one.code == _HAPPENED for one in own), len(own))
            for name, own in groups.items()
        ]
        for name, happened, total in counts:
            yield rate("event_share", name, happened, total, "hips with the event, of all at risk")
        if len(counts) > 1:
            trend = cochran_armitage([one[1] for one in counts], [one[2] for one in counts])
            n = sum(one[2] for one in counts)
            if trend.p is None:
                yield unknown("trend_p", f"by {by}", n, "P", "Cochran-Armitage", trend.words)
            else:
                yield Quantity("trend_p", f"by {by}", n, trend.p, None, None, "P",
                               f"{trend.words}; hips counted as independent")  # fmt: skip


def _by_rules(cohort: AnalysisSet) -> Iterator[Quantity]:
    """Failure by every rule, with and without replacements: what depends on the rule is seen."""
    rules: tuple[FailureRule, ...] = ("event", "reaches", "collapse", "arco_progression")
    for rule in rules:
        for counts_tha in (True, False) if rule != "event" else (True,):
            protocol = cohort.protocol.overridden({"failure.tha": counts_tha})
            judged = [failure_by(course, rule, protocol).failed for course in cohort.courses]
            known = [one for one in judged if one is not None]
            name = rule if counts_tha else f"{rule}, replacements not counted"
            yield rate("failure_by_rule", name, sum(known), len(known), FAILURE_RULES[rule])


# ---- the next trial ----------------------------------------------------------------------------

_TWO_SIDED_5, _POWER_80 = 1.959963984540054, 0.8416212335729143


def _next_trial(times: Sequence[HipTime], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Hips that a trial of two equal arms needs, by this study's spread and share of events.

    For a difference of the mean change: ``n = 2 (z + z')² SD² / difference²`` an arm; for a hazard
    ratio of 1/2: ``4 (z + z')² / log(2)²`` events in both arms (Schoenfeld, doi 10.2307/2531021).
    """
    size = (_TWO_SIDED_5 + _POWER_80) ** 2
    said = "two equal arms, P below 0.05 two-sided, power 80 %, hips as independent"
    changes = [one.outcome.change.change_deg for one in times if one.outcome.change]
    limit = cohort.protocol.cut_offs.change_deg
    if len(changes) > 2 and limit > 0:
        variance = stdev(changes) ** 2
        bounds = interval_of_sum([MeanSquare(variance, len(changes) - 1)]) if variance else (0, 0)
        needed, low, high = (
            max(math.ceil(2 * size * one / limit**2), 2) for one in (variance, *bounds)
        )
        yield Quantity(
            "hips_an_arm", f"CNA change differs by {limit:g}°", len(changes), needed, low, high,
            "needed", f"{said}; SD of the change {variance**0.5:.1f}°, interval by that of the SD",
        )  # fmt: skip
    happened = sum(one.code == _HAPPENED for one in times)
    if happened > 0:
        events = 4 * size / math.log(2) ** 2
        share_low, share_high = clopper_pearson(happened, len(times)) or (0.0, 1.0)
        needed, low, high = (
            math.ceil(events / share / 2)
            for share in (happened / len(times), share_high, share_low)
        )
        yield Quantity(
            "hips_an_arm", "hazard ratio 0.5", len(times), needed, low, high, "needed",
            f"{said}; {math.ceil(events)} events, {happened} of {len(times)} hips have one here, "
            "interval by that of this share",
        )  # fmt: skip


def _curve_rows(group: str, times: Sequence[HipTime]) -> Iterator[CurveRow]:
    data = _data(times)
    for name, curve in (("incidence", incidence(data)), ("survival", survival(data))):
        yield CurveRow(name, group, 0.0, curve.start, curve.start, curve.start, len(data))
        at_risk = numbers_at_risk(data, curve.times)
        for place, years in enumerate(curve.times):
            yield CurveRow(name, group, float(years), *_step(curve, place), at_risk[place])
        if curve.last > (curve.times[-1] if len(curve.times) else 0.0):
            end = _step(curve, -1) if len(curve.times) else (curve.start,) * 3
            yield CurveRow(name, group, curve.last, *end, numbers_at_risk(data, [curve.last])[0])


def _step(curve: Curve, place: int) -> tuple[float, float, float]:
    return float(curve.values[place]), float(curve.low[place]), float(curve.high[place])


def _notes(times: Sequence[HipTime], endpoint: Endpoint, left_out: Sequence[str]) -> Iterator[str]:
    people = len(set(_patients(times)))
    who = f"{counted(len(times), 'hip')} of {counted(people, 'patient')}"
    yield f"endpoint: {ENDPOINTS[endpoint]}; {who}"
    if any(one.code > _HAPPENED for one in times):
        yield (
            "replacement or death came first in some hips: the share with the event is the "
            "cumulative incidence; one less Kaplan-Meier is too high"
        )
    if people < len(times):
        yield (
            "curves and the plain tests count hips as independent, which two hips of a patient are "
            "not; the tests and intervals by patients and the models' errors do not"
        )
    seen = sum(one.after_years < one.by_years < math.inf for one in times)
    if seen:
        yield f"{seen} events are dated by the visit that showed them: they happened before it"
    yield from left_out


# ---- names -------------------------------------------------------------------------------------

_TITLES = {
    "events": "hips with the event",
    "log_rank_p": "log-rank test of the groups",
    "gray_p": "Gray's test of the groups",
    "log_rank_by_patients_p": "log-rank test by patients",
    "gray_by_patients_p": "test of the incidence by patients",
    "restricted_mean": "mean years without the event",
    "cox": "hazard ratio, Cox",
    "fine_gray": "hazard ratio, Fine and Gray",
    "auc": "area below the curve",
    "auc_difference": "difference of the areas",
    "cut": "cut by Youden",
    "event_share": "share with the event",
    "trend_p": "trend over the groups",
    "failure_by_rule": "failure by other rules",
    "hips_an_arm": "hips an arm of the next trial",
}


def title_of(quantity: str) -> str:
    """The name of a quantity for people.

    Examples
    --------
    >>> title_of("incidence_2_years"), title_of("auc")
    ('cumulative incidence at 2 years', 'area below the curve')
    """
    name, _, years = quantity.removesuffix("_years").rpartition("_")
    if quantity.endswith("_years") and years.isdigit():
        words = {
            "incidence": "cumulative incidence",
            "survival": "Kaplan-Meier",
            "between_visits": "had the event, events between visits",
        }
        return f"{words[name]} at {years} year{'s' * (years != '1')}"
    return _TITLES.get(quantity, quantity)
