"""The outcomes of a cohort: every quantity, and what must be known beside them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.hips import ArcoCourse, HipOutcome, ScorePair, failure_by, hip_outcomes
from necroangle.analysis.quantities import ALL, Quantity, by_stage, count, rate, spread
from necroangle.analysis.visits import DOUBTS, AngleChange, HipVisit
from necroangle.entries import field_named
from necroangle.errors import CohortError
from necroangle.plain_text import counted
from necroangle.protocol.study import EVENTS, FAILURE_RULES, FailureRule, TestKind
from necroangle.statistics.signed_rank import holm, signed_rank


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
        The analysis set that they follow from.
    notes
        Rules that were used and doubts that were found, one sentence each.
    """

    quantities: tuple[Quantity, ...]
    hips: tuple[HipOutcome, ...]
    cohort: AnalysisSet
    notes: tuple[str, ...]


def outcomes_of(cohort: AnalysisSet) -> Outcomes:
    """Every outcome of a cohort.

    Parameters
    ----------
    cohort
        The analysis set.

    Raises
    ------
    CohortError
        If none of the stated readers read anything, or no visit can be the baseline.

    References
    ----------
    Yoon et al. 2024, doi 10.1007/s13770-024-00647-z (the quantities).

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "2"))]
    >>> found = outcomes_of(analysis_set([], {"visit": visits}))
    >>> [
    ...     (one.group, one.value, one.n)
    ...     for one in found.quantities
    ...     if one.quantity == "arco_maintained"
    ... ]
    [('all', 1, 1), ('ARCO 2', 1, 1)]
    """
    _refuse_unfit(cohort)
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


def _refuse_unfit(cohort: AnalysisSet) -> None:
    """A cohort without the readers that are stated, or without a visit that can be the baseline."""
    protocol, names = cohort.protocol, ", ".join(cohort.names)
    if cohort.readers and not cohort.rules and protocol.readers:
        raise CohortError(
            f"no reading by {', '.join(protocol.readers)}; readers: {', '.join(cohort.readers)}"
        )
    if protocol.index_visit is None and cohort.names and not _own_baselines(cohort):
        raise CohortError(
            f"no visit is known to be the baseline among: {names}; name it by --index-visit, or "
            "plan the visits in the study's study.toml"
        )
    unplanned = set(cohort.names) - {planned.name for planned in protocol.visits}
    if unplanned and not any(one.has_baseline_visit for one in cohort.courses):
        raise CohortError(
            f"no hip has the index visit {protocol.index_visit!r}; visits in the cohort: {names}; "
            "name the baseline by --index-visit, or in the study's study.toml"
        )


def _own_baselines(cohort: AnalysisSet) -> bool:
    return any(course.treated.index_visit for course in cohort.courses)


def _notes(hips: Sequence[HipOutcome], rule: FailureRule, cohort: AnalysisSet) -> Iterator[str]:
    """Rules first, then doubts."""
    index = cohort.protocol.index_visit
    yield f"baseline: visit {index}; one reading a hip and visit: {cohort.rule}"
    yield f"angle by method {cohort.method}" if cohort.method else "no angles"
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


def _hip_doubts(
    hips: Sequence[HipOutcome], rule: FailureRule, cohort: AnalysisSet
) -> Iterator[str]:
    """Doubts about whole hips, each with its number."""
    several = sum(hip.course.treated.treatments > 1 for hip in hips)
    undated = sum(hip.has_tha and hip.course.ending.tha_days is None for hip in hips)
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
    yield from (f"{counted(number, 'hip')} {words}" for number, words in counts if number)
    yield from cohort.reader_notes()


def _unlike(hips: Sequence[HipOutcome], rule: FailureRule, cohort: AnalysisSet) -> int:
    """Hips that failed by recorded event or by the planned stages, but not by both."""
    if rule != "event":
        return 0
    by_stage = [failure_by(hip.course, "reaches", cohort.protocol).failed for hip in hips]
    return sum(
        other is not None and hip.failure.failed != other
        for hip, other in zip(hips, by_stage, strict=True)
    )


# ---- who was studied ---------------------------------------------------------------------------

DAYS_PER_YEAR = 365.25
_CONTACT = "index date to last contact, days / 365.25; nominal time where there is no date"
_OF_HIPS = frozenset({"collapse", "radiographic_failure"})
_NATURAL = "likewise, to the replacement at most"


def people(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Patients and hips counted separately, sex, age, aetiology, dose and follow-up.

    Parameters
    ----------
    hips
        Hips that count: not replaced before the index date.
    cohort
        Its protocol names the type of quantile.
    """
    kind = cohort.protocol.statistics.quantiles
    patients = _by_patient(hips)
    yield count("patients", ALL, len(patients), len(patients), "patients")
    yield count("hips", ALL, len(hips), len(hips), "hips")
    bilateral = sum(len(own) > 1 for own in patients.values())
    yield count("patients_with_two_hips", ALL, bilateral, len(patients), "patients")
    firsts = [own[0] for own in patients.values()]
    yield from _by_word("sex", firsts, lambda hip: hip.course.patient.sex)
    yield spread("age", ALL, [hip.course.patient.age_years for hip in firsts], "years", kind)
    yield from _by_word("aetiology", firsts, lambda hip: hip.course.patient.aetiology)
    yield spread("follow_up", "patients", map(_longest, patients.values()), "years", kind, _CONTACT)
    yield spread(
        "follow_up", "hips", [_years(hip.follow_up_days) for hip in hips], "years", kind, _CONTACT
    )
    natural = [_years(hip.observed_days) for hip in hips]
    yield spread("natural_hip_follow_up", "hips", natural, "years", kind, f"{_CONTACT}; {_NATURAL}")
    doses = {name: [hip.course.treated.dose for hip in own] for name, own in patients.items()}
    largest = [
        max((dose for dose in own if dose is not None), default=None) for own in doses.values()
    ]
    first = "first treatment of each hip"
    yield spread(
        "cell_dose", "patients", largest, "cells", kind, f"{first}, the larger of two hips"
    )
    yield spread(
        "cell_dose", "hips", [hip.course.treated.dose for hip in hips], "cells", kind, first
    )


def what_happened(hips: Sequence[HipOutcome], excluded: int) -> Iterator[Quantity]:
    """Hip replacements and the other recorded events, hips counted.

    Parameters
    ----------
    hips
        Hips that count.
    excluded
        How many do not, being replaced at or before the index date.
    """
    replaced = [hip for hip in hips if hip.has_tha]
    rule = "recorded tha events after the index date, and readings that show a prosthesis"
    yield count("tha", ALL, len(replaced), len(hips), "hips", rule)
    people_replaced = {hip.course.hip.subject for hip in replaced}
    everyone = {hip.course.hip.subject for hip in hips}
    yield count("tha", "patients", len(people_replaced), len(everyone), "patients", rule)
    for name in EVENTS:
        if name != "tha":
            found = [hip for hip in hips if any(one.event == name for one in hip.course.events)]
            said = "recorded events" + ("" if name in _OF_HIPS else ", of both hips of a patient")
            yield count(f"event_{name}", ALL, len(found), len(hips), "hips", said)
            people = {hip.course.hip.subject for hip in found}
            yield count(f"event_{name}", "patients", len(people), len(everyone), "patients", said)
    yield count(
        "tha_before_index", ALL, excluded, len(hips) + excluded, "hips", "left out of all outcomes"
    )


def _by_patient(hips: Sequence[HipOutcome]) -> dict[str, list[HipOutcome]]:
    found: dict[str, list[HipOutcome]] = {}
    for hip in hips:
        found.setdefault(hip.course.hip.subject, []).append(hip)
    return found


def _by_word(
    quantity: str, patients: Sequence[HipOutcome], word: Callable[[HipOutcome], str | None]
) -> Iterator[Quantity]:
    """How many patients have each word; those without one last."""
    found = Counter(word(one) for one in patients)
    for name in sorted(found, key=lambda name: (name is None, name or "")):
        yield count(quantity, name or "not recorded", found[name], len(patients), "patients")


def _longest(hips: Sequence[HipOutcome]) -> float | None:
    known = [hip.follow_up_days for hip in hips if hip.follow_up_days is not None]
    return _years(max(known)) if known else None


def _years(days: float | None) -> float | None:
    return None if days is None else days / DAYS_PER_YEAR


# ---- stages and failure ------------------------------------------------------------------------

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
    for system, name in (("JIC", "jic"), ("JIC stage", "jic_stage")):
        found = Counter(getattr(hip.course.baseline, name, None) for hip in hips)
        for word in (*field_named("visit", name).values, None):
            if found[word] and found.total() > found[None]:
                group = f"{system} {word or 'not known'}"
                yield count(f"{name}_at_baseline", group, found[word], len(hips), "hips")
    for course, rule in _COURSE_RULES.items():
        for group, own in by_stage(hips, lambda hip: hip.arco_course is not None):
            of_course = sum(hip.arco_course is course for hip in own)
            if of_course or course in (ArcoCourse.MAINTAINED, ArcoCourse.PROGRESSED):
                yield count(f"arco_{course}", group, of_course, len(own), "hips", rule)


def failures(
    hips: Sequence[HipOutcome], rule: FailureRule, cohort: AnalysisSet
) -> Iterator[Quantity]:
    """How many hips failed by the rule, and the rate with its exact interval, by baseline stage.

    Parameters
    ----------
    hips
        Hips that count.
    rule
        The rule that was used.
    cohort
        Its protocol words the rule.
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


def rule_words(rule: FailureRule, cohort: AnalysisSet) -> str:
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
        words += f" ({', '.join(cohort.protocol.failure.reaches)})"
    return words + (", or a replacement" if cohort.protocol.failure.tha else "")


# ---- the combined angle ------------------------------------------------------------------------

_LAST = "last angle before any replacement less baseline"


def angles(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Combined angles and their changes, by ARCO stage at the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its protocol names the threshold and the type of quantile.
    """
    kind = cohort.protocol.statistics.quantiles
    for group, own in by_stage(hips):
        values = [hip.cna_baseline_deg for hip in own]
        yield spread("cna_at_baseline", group, values, "deg", kind)
    for group, own in by_stage(hips):
        changes = [hip.change.change_deg for hip in own if hip.change]
        yield spread("cna_change", group, changes, "deg", kind, _LAST)
    yield _mdc95(hips, cohort)
    yield from _beyond(hips, cohort)


def _mdc95(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Quantity:
    if cohort.noise is not None:
        words, value = mdc95_words(cohort), cohort.noise.mdc95_deg
        return Quantity("cna_mdc95", ALL, round(cohort.noise.dof), value, None, None, "deg", words)
    values = [hip.change.mdc95_deg for hip in hips if hip.change]
    return spread(
        "cna_mdc95", ALL, values, "deg", cohort.protocol.statistics.quantiles, mdc95_words(cohort)
    )


def mdc95_words(cohort: AnalysisSet) -> str:
    """Where the smallest real change comes from."""
    if cohort.noise is not None:
        return (
            f"t sqrt(2) SEM, SEM {cohort.noise.sem_deg:.1f}° from {cohort.noise.source}, "
            f"{cohort.noise.dof:.0f} degrees of freedom"
        )
    return "of each hip: by the error of its pair of readings; two readers: not judged"


def _beyond(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Counts beyond the study's threshold and beyond MDC95, down and up."""
    threshold = f"by more than {cohort.protocol.cut_offs.change_deg:g}°, {_LAST}"
    error = f"beyond MDC95 ({mdc95_words(cohort)}), {_LAST}"
    both = f"by more than {cohort.protocol.cut_offs.change_deg:g}° and beyond MDC95, {_LAST}"
    for way, sign in (("decreased", -1), ("increased", 1)):
        for group, own in by_stage(hips, lambda hip: hip.change is not None):
            changes = [hip.change for hip in own if hip.change]
            by_rule = [one for one in changes if (one.decreased if sign < 0 else one.increased)]
            yield count(f"cna_{way}", group, len(by_rule), len(changes), "hips", threshold)
        for group, own in by_stage(hips, _has_error):
            changes = [hip.change for hip in own if hip.change]
            real = sum(_is_real(one, sign) for one in changes)
            yield count(f"cna_{way}_real", group, real, len(changes), "hips", error)
        for group, own in by_stage(hips, _has_error):
            changes = [hip.change for hip in own if hip.change]
            passed = [one for one in changes if (one.decreased if sign < 0 else one.increased)]
            found = sum(_is_real(one, sign) for one in passed)
            yield count(f"cna_{way}_both", group, found, len(changes), "hips", both)


def _has_error(hip: HipOutcome) -> bool:
    return hip.change is not None and hip.change.is_real is not None


def _is_real(change: AngleChange, sign: int) -> bool:
    return bool(change.is_real) and change.change_deg * sign > 0


# ---- pain and hip score; every visit -----------------------------------------------------------

LAST = "last"
"""The group of last observations against the baseline."""

_SCORES: tuple[tuple[str, str, Callable[[HipVisit], float | None]], ...] = (
    ("vas", "points of 10", lambda visit: visit.vas),
    ("hhs", "points of 100", lambda visit: visit.hhs),
)
_KINDS: tuple[TestKind, ...] = ("exact", "normal", "normal_cc")
_PAIRS = "hips with a score at the baseline and after it, before any replacement"


def score_changes(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Scores at the last observation against the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its protocol names the test and the type of quantile.
    """
    vas = [hip.vas for hip in hips if hip.vas]
    hhs = [hip.hhs for hip in hips if hip.hhs]
    for (name, unit, _), pairs in zip(_SCORES, (vas, hhs), strict=True):
        yield from _against_baseline(name, LAST, unit, pairs, cohort)


def visit_changes(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    """Angles, stages and scores at each planned visit after the baseline, against the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its protocol names the visits.

    References
    ----------
    Adjustment of the P values for several visits: S. Holm, Scand J Stat 6 (1979) 65.
    """
    yield from _adjusted(list(_visit_changes(hips, cohort)))


def _adjusted(quantities: Sequence[Quantity]) -> Iterator[Quantity]:
    """Each P value of the chosen test with the one that Holm adjusts for all visits, after it."""
    names = {f"{name}_p" for name, _, _ in _SCORES}
    tested = [one for one in quantities if one.quantity in names and one.value is not None]
    adjusted: dict[tuple[str, str], tuple[float, int]] = {}
    for name in names:
        own = [one for one in tested if one.quantity == name]
        for one, p in zip(own, holm([one.value or 0.0 for one in own]), strict=True):
            adjusted[name, one.group] = p, len(own)
    for one in quantities:
        yield one
        if (one.quantity, one.group) in adjusted:
            p, tests = adjusted[one.quantity, one.group]
            method = f"{one.method}; Holm's adjustment for {counted(tests, 'visit')}"
            yield replace(one, quantity=f"{one.quantity}_holm", value=p, method=method)


def _visit_changes(hips: Sequence[HipOutcome], cohort: AnalysisSet) -> Iterator[Quantity]:
    kind = cohort.protocol.statistics.quantiles
    for planned in cohort.protocol.visits:
        group = f"visit {planned.name}"
        found = [(hip, one) for hip in hips if (one := _at(hip, planned.name)) is not None]
        if not found:
            continue
        yield from _words_at("arco_at_visit", group, [one.arco for _, one in found])
        yield from _words_at("jic_at_visit", group, [one.jic for _, one in found])
        yield from _words_at("jic_stage_at_visit", group, [one.jic_stage for _, one in found])
        yield spread("cna", group, [one.cna_deg for _, one in found], "deg", kind)
        changes = [one.change.change_deg for _, one in found if one.change]
        yield spread("cna_change", group, changes, "deg", kind)
        for name, unit, score in _SCORES:
            pairs = _pairs(found, score)
            yield from _against_baseline(name, group, unit, pairs, cohort)


def _words_at(quantity: str, group: str, words: Sequence[str | None]) -> Iterator[Quantity]:
    """How many hips have each stage or type at a visit."""
    found = Counter(str(word) for word in words if word is not None)
    for word in sorted(found):
        yield count(quantity, f"{group}: {word}", found[word], found.total(), "hips")


def _at(hip: HipOutcome, name: str) -> HipVisit | None:
    return next((one for one in hip.course.follow_ups if one.planned.name == name), None)


def _pairs(
    found: Iterable[tuple[HipOutcome, HipVisit]], score: Callable[[HipVisit], float | None]
) -> list[ScorePair]:
    pairs = []
    for hip, one in found:
        start = score(hip.course.baseline) if hip.course.baseline else None
        later = score(one)
        if start is not None and later is not None:
            pairs.append(ScorePair(start, later, one.planned.name))
    return pairs


def _against_baseline(
    name: str, group: str, unit: str, pairs: Sequence[ScorePair], cohort: AnalysisSet
) -> Iterator[Quantity]:
    plan = cohort.protocol
    kind = plan.statistics.quantiles
    yield spread(f"{name}_baseline", group, [one.baseline for one in pairs], unit, kind, _PAIRS)
    yield spread(f"{name}_later", group, [one.last for one in pairs], unit, kind, _PAIRS)
    differences = [one.change for one in pairs]
    yield spread(f"{name}_change", group, differences, unit, kind, _PAIRS)
    chosen = signed_rank(differences, plan.statistics.wilcoxon, plan.statistics.zeros)
    yield _p_value(f"{name}_p", group, differences, plan.statistics.wilcoxon, cohort)
    if chosen.p is not None:
        for other in _KINDS:
            one = _p_value(f"{name}_p_{other}", group, differences, other, cohort)
            if one.value is not None:
                yield one


def _p_value(
    quantity: str, group: str, differences: Sequence[float], kind: TestKind, cohort: AnalysisSet
) -> Quantity:
    test = signed_rank(differences, kind, cohort.protocol.statistics.zeros)
    words = "" if test.p is not None else test.method
    method = f"{test.method}; hips counted as independent"
    if test.p is None:
        method = "Wilcoxon signed-rank"
    return Quantity(quantity, group, test.n_pairs, test.p, None, None, "P", method, words)
