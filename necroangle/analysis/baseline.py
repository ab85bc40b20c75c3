"""The first pages of a paper: baseline table, flow of patients and hips, sentences to paste."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.analysis.agreement import AgreementStudy
from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.events import GROUPINGS, EventStudy
from necroangle.analysis.hips import HipOutcome, hip_outcomes
from necroangle.analysis.outcomes import LAST, Outcomes
from necroangle.analysis.quantities import ALL, CLOPPER_PEARSON, Quantity, p_words, quartiles
from necroangle.entries import field_named
from necroangle.plain_text import counted
from necroangle.protocol.ending import VisitState


@dataclass(frozen=True, slots=True)
class BaselineCell:
    """One cell of the baseline table.

    Attributes
    ----------
    variable, level
        What is described; the level of a category, empty for a number.
    group
        ``"all"`` or the group.
    unit_of
        ``"patients"`` or ``"hips"``: what is counted.
    n
        How many have the value.
    total
        How many there are; for a number those in whom it is known.
    value, low, high
        Median and quartiles of a number; share in percent of a category.
    unit
        Of the value.
    difference
        Standardised difference between the groups, the largest of all pairs; it stands in the
        cells of the group ``"all"``. None with one group.
    """

    variable: str
    level: str
    group: str
    unit_of: str
    n: int
    total: int
    value: float | None
    low: float | None
    high: float | None
    unit: str
    difference: float | None

    @property
    def text(self) -> str:
        """Number and share of a category, median and quartiles of a number; a dash for neither.

        Examples
        --------
        >>> BaselineCell("age", "", "all", "patients", 18, 18, 35, 28.5, 42, "years", None).text
        '35.0 [28.5 to 42.0]'
        """
        if self.value is None:
            return "–"
        if self.level:
            return f"{self.n} of {self.total} ({self.value:.0f} %)"
        low, middle, high = (f"{value or 0.0:.1f}" for value in (self.low, self.value, self.high))
        missing = f", n {self.n}" if self.n < self.total else ""
        return f"{middle} [{low} to {high}]{missing}"


@dataclass(frozen=True, slots=True)
class BaselineLine:
    """One line of the baseline table: a variable or a level of it, with the cell of each group."""

    variable: str
    level: str
    cells: Mapping[str, BaselineCell]

    @property
    def whole(self) -> BaselineCell:
        """The cell of all."""
        return self.cells[ALL]

    def texts(self, groups: Sequence[str], nothing: str = "") -> list[str]:
        """The text of each group's cell."""
        return [self.cells[name].text if name in self.cells else nothing for name in groups]


def lines_of(cells: Sequence[BaselineCell]) -> tuple[list[str], list[BaselineLine]]:
    """The groups, and the lines of the table, in their order."""
    lines: dict[tuple[str, str], dict[str, BaselineCell]] = {}
    for one in cells:
        lines.setdefault((one.variable, one.level), {})[one.group] = one
    groups = list(dict.fromkeys(one.group for one in cells))
    return groups, [BaselineLine(*name, own) for name, own in lines.items()]


@dataclass(frozen=True, slots=True)
class _Variable:
    title: str
    of_hips: bool
    value: Callable[[HipOutcome], object]
    unit: str = ""
    levels: tuple[str, ...] = ()


def _baseline(name: str) -> Callable[[HipOutcome], object]:
    return lambda hip: getattr(hip.course.baseline, name, None)


def _millions(dose: float | None) -> float | None:
    return None if dose is None else dose / 1e6


def _levels(kind: str, name: str) -> tuple[str, ...]:
    return tuple(map(str, field_named(kind, name).values))


_VARIABLES = (
    _Variable("sex", False, lambda hip: hip.course.patient.sex, "", _levels("subject", "sex")),
    _Variable("age", False, lambda hip: hip.course.patient.age_years, "years"),
    _Variable(
        "aetiology",
        False,
        lambda hip: hip.course.patient.aetiology,
        "",
        _levels("subject", "aetiology"),
    ),
    _Variable("side", True, lambda hip: hip.course.hip.laterality, "", ("L", "R")),
    _Variable("ARCO stage", True, _baseline("arco"), "", _levels("visit", "arco")),
    _Variable("JIC type", True, _baseline("jic"), "", _levels("visit", "jic")),
    _Variable("JIC stage", True, _baseline("jic_stage"), "", _levels("visit", "jic_stage")),
    _Variable("CNA", True, lambda hip: hip.cna_baseline_deg, "deg"),
    _Variable("VAS (0-10)", True, _baseline("vas"), "points"),
    _Variable("HHS", True, _baseline("hhs"), "points"),
    _Variable("cell dose", True, lambda hip: _millions(hip.course.treated.dose), "million cells"),
)


def baseline_table(cohort: AnalysisSet, by: str | None = None) -> list[BaselineCell]:
    """The baseline of patients and hips, whole and by group.

    Parameters
    ----------
    cohort
        The analysis set; hips replaced before the index date are left out.
    by
        A name of :data:`necroangle.analysis.events.GROUPINGS`; None for no groups. A patient with
        hips in two groups counts in both.

    References
    ----------
    Standardised difference: P. C. Austin, Stat Med 28 (2009) 3083, doi 10.1002/sim.3697; of
    categories with several levels: D. Yang, J. E. Dalton, SAS Global Forum 335 (2012).

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> visits = [
    ...     {
    ...         "subject": f"S{n}",
    ...         "laterality": "L",
    ...         "visit": "m00",
    ...         "arco": "2",
    ...         "vas": n,
    ...         "vas_scale": 10,
    ...     }
    ...     for n in range(1, 6)
    ... ]
    >>> cells = baseline_table(analysis_set([], {"visit": visits}))
    >>> [(one.variable, one.level, one.n, one.value) for one in cells if one.unit_of == "hips"]
    [('side', 'L', 5, 100.0), ('ARCO stage', '2', 5, 100.0), ('VAS (0-10)', '', 5, 3.0)]
    """
    _, every = hip_outcomes(cohort)
    hips = [hip for hip in every if not hip.course.had_tha_before]
    groups: dict[str, list[HipOutcome]] = {ALL: hips}
    if by is not None:
        for hip in hips:
            groups.setdefault(GROUPINGS[by](hip) or "not known", []).append(hip)
        groups = {ALL: hips, **{name: groups[name] for name in sorted(groups) if name != ALL}}
    kind = cohort.protocol.statistics.quantiles
    return [cell for variable in _VARIABLES for cell in _cells(variable, groups, kind)]


def _cells(
    variable: _Variable, groups: Mapping[str, Sequence[HipOutcome]], kind: int
) -> Iterator[BaselineCell]:
    values = {name: _values(variable, own) for name, own in groups.items()}
    known = {name: [one for one in own if one is not None] for name, own in values.items()}
    if not known[ALL]:
        return
    of = "hips" if variable.of_hips else "patients"
    apart = _apart(variable, [own for name, own in known.items() if name != ALL])
    for name, own in values.items():
        difference = apart if name == ALL else None
        if not variable.levels:
            numbers = [float(str(one)) for one in known[name]]
            found = quartiles(numbers, kind)
            middle = None if found is None else found.median
            low, high = (None, None) if found is None else (found.low, found.high)
            yield BaselineCell(
                variable.title, "", name, of, len(numbers), len(own), middle, low, high,
                variable.unit, difference,
            )  # fmt: skip
            continue
        words = [str(one) for one in known[name]]
        for level in variable.levels:
            if level in {str(one) for one in known[ALL]}:
                share = 100.0 * words.count(level) / len(words) if words else None
                yield BaselineCell(
                    variable.title, level, name, of, words.count(level), len(words), share,
                    None, None, "%", difference,
                )  # fmt: skip


def _values(variable: _Variable, hips: Sequence[HipOutcome]) -> list[object]:
    if variable.of_hips:
        return [variable.value(hip) for hip in hips]
    first = {hip.course.hip.subject: hip for hip in reversed(hips)}
    return [variable.value(hip) for hip in first.values()]


def _apart(variable: _Variable, groups: Sequence[Sequence[object]]) -> float | None:
    """The largest standardised difference of two groups."""
    found = []
    for place, one in enumerate(groups):
        for other in groups[place + 1 :]:
            if len(one) < 2 or len(other) < 2:
                continue
            pair = _of_levels if variable.levels else _of_numbers
            size = pair([str(value) for value in one], [str(value) for value in other])
            if math.isfinite(size):
                found.append(size)
    return max(found, default=None)


def _of_numbers(one: Sequence[str], other: Sequence[str]) -> float:
    first, second = np.array(one, float), np.array(other, float)
    spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2.0)
    step = abs(float(first.mean() - second.mean()))
    return step / spread if spread > 0 else (0.0 if step == 0 else math.nan)


def _of_levels(one: Sequence[str], other: Sequence[str]) -> float:
    levels = sorted({*one, *other})[1:]  # the shares sum to 1: one level says nothing more
    if not levels:
        return 0.0
    first, second = (_shares(some, levels) for some in (one, other))
    spread = (_covariance(first) + _covariance(second)) / 2.0
    step = first - second
    if np.linalg.matrix_rank(spread, tol=1e-12) < len(levels) and np.abs(step).max() > 0.5:
        return math.nan  # the groups are made by it
    return math.sqrt(max(float(step @ np.linalg.pinv(spread) @ step), 0.0))


def _shares(words: Sequence[str], levels: Sequence[str]) -> NDArray[np.float64]:
    return np.array([words.count(level) / len(words) for level in levels])


def _covariance(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.diag(shares) - np.outer(shares, shares)
    return found


# ---- flow --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A step of the flow: how many patients and hips, and why others are none of it."""

    step: str
    patients: int
    hips: int
    reason: str = ""


_STATES = {
    VisitState.OBSERVED: "seen",
    VisitState.MISSING: "visit missing",
    VisitState.CENSORED_THA: "replaced before",
    VisitState.CENSORED_DEATH: "died before",
    VisitState.LOST: "lost before",
    VisitState.BEFORE_BASELINE: "dated before the baseline",
}


def flow(cohort: AnalysisSet) -> list[FlowRow]:
    """Patients and hips from the study's records to each visit, with the reasons of those missing.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": "2"} for v in ("m00", "m24")]
    >>> rows = flow(analysis_set([], {"visit": visits}))
    >>> [(row.step, row.hips) for row in rows]
    [('in the study', 1), ('analysed', 1), ('visit m00: seen', 1), ('visit m24: seen', 1)]
    """
    rows = [_step("in the study", [course.hip.subject for course in cohort.courses])]
    before = [one for one in cohort.courses if one.had_tha_before]
    kept = [one for one in cohort.courses if not one.had_tha_before]
    bare = [one for one in kept if one.baseline is None]
    if before:
        subjects = [one.hip.subject for one in before]
        rows.append(_step("left out", subjects, "replaced at or before the index date"))
    rows.append(_step("analysed", [one.hip.subject for one in kept]))
    if bare:
        subjects = [one.hip.subject for one in bare]
        rows.append(_step("no change from baseline", subjects, "no baseline visit"))
    for planned in cohort.protocol.visits:
        found: dict[VisitState, list[str]] = {}
        for course in kept:
            one = course.visit(planned.name)
            if one is not None:
                found.setdefault(one.state, []).append(course.hip.subject)
        for state, words in _STATES.items():
            if state in found:
                name = "" if state is VisitState.OBSERVED else words
                rows.append(_step(f"visit {planned.name}: {words}", found[state], name))
    return rows


def _step(step: str, subjects: Sequence[str], reason: str = "") -> FlowRow:
    return FlowRow(step, len(set(subjects)), len(subjects), reason)


# ---- sentences ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement of the results.

    Attributes
    ----------
    plain
        For everybody.
    journal
        As a journal prints it, with the method.
    """

    plain: str
    journal: str


def sentences(
    outcomes: Outcomes, events: EventStudy | None = None, agreement: AgreementStudy | None = None
) -> list[Sentence]:
    """The results in sentences, from the quantities of the study and nothing else.

    Parameters
    ----------
    outcomes
        What became of the hips.
    events, agreement
        Time to an event and agreement of the readers, where they are to be said, too.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> from necroangle.analysis.outcomes import outcomes_of
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "3B"))]
    >>> found = sentences(outcomes_of(analysis_set([], {"visit": visits})))
    >>> found[0].plain
    '1 patient with 1 hip was followed.'
    """
    known = {(one.quantity, one.group): one for one in outcomes.quantities}
    makers = (_people, _age, _followed, _stage_kept, _failed, _changed, _scored, _replaced)
    said = [one for make in makers for one in make(known)]
    said += _over_time(events) if events is not None else ()
    return [*said, *(_agreed(agreement) if agreement is not None else ())]


Known = Mapping[tuple[str, str], Quantity]


def _people(known: Known) -> Iterator[Sentence]:
    patients, hips = known["patients", ALL], known["hips", ALL]
    both = known["patients_with_two_hips", ALL].value or 0
    who = f"{counted(patients.value or 0, 'patient')} with {counted(hips.value or 0, 'hip')}"
    verb = "was" if patients.value == 1 else "were"
    yield Sentence(
        f"{who} {verb} followed.",
        f"{who} {verb} analysed" + (f" ({both:g} with both hips)." if both else "."),
    )


def _age(known: Known) -> Iterator[Sentence]:
    one = known.get(("age", ALL))
    if one is not None and one.value is not None:
        yield Sentence(
            f"Half of the patients were younger than {one.value:.1f} years.",
            f"Median age was {_median(one, 'years')} ({one.method.partition(': ')[2]}).",
        )


def _followed(known: Known) -> Iterator[Sentence]:
    one = known.get(("follow_up", "patients"))
    if one is not None and one.value is not None:
        yield Sentence(
            f"Patients were followed for {one.value:.1f} years in the middle.",
            f"Median follow-up was {_median(one, 'years')}.",
        )


def _stage_kept(known: Known) -> Iterator[Sentence]:
    for one in _by_stage(known, "arco_maintained"):
        yield Sentence(
            f"Of {counted(one.n, 'hip')} in {one.group} at the baseline, {one.value:g} kept this "
            "stage.",
            f"The stage was maintained in {one.value:g} of {counted(one.n, 'hip')} with "
            f"{one.group} ({one.method}).",
        )


def _failed(known: Known) -> Iterator[Sentence]:
    for one in _by_stage(known, "radiographic_failure_rate"):
        number = round((one.value or 0) * one.n / 100)
        yield Sentence(
            f"{number} of {counted(one.n, 'hip')} in {one.group} failed on the radiograph "
            f"({one.value:.1f} %).",
            f"Radiographic failure occurred in {number} of {counted(one.n, 'hip')} with "
            f"{one.group} ({one.value:.1f} %; 95 % CI {one.low:.1f} to {one.high:.1f} %, "
            f"Clopper-Pearson; {one.method.removesuffix('; ' + CLOPPER_PEARSON)}).",
        )


def _changed(known: Known) -> Iterator[Sentence]:
    one, real = known.get(("cna_decreased", ALL)), known.get(("cna_decreased_real", ALL))
    limit = known.get(("cna_mdc95", ALL))
    if one is None or not one.n:
        return
    beyond = ""
    if real is not None and real.n and limit is not None and limit.value is not None:
        beyond = (
            f"; it decreased beyond measuring error (MDC95 {limit.value:.1f}°) in {real.value:g}"
        )
    yield Sentence(
        f"The dead part of the surface became smaller in {one.value:g} of {counted(one.n, 'hip')}, "
        "by more than the study's limit.",
        f"The combined necrotic angle decreased in {one.value:g} of "
        f"{counted(one.n, 'hip')} ({one.method}){beyond}.",
    )


def _scored(known: Known) -> Iterator[Sentence]:
    for name, words in (("vas", "pain (VAS)"), ("hhs", "Harris Hip Score")):
        first, last = known.get((f"{name}_baseline", LAST)), known.get((f"{name}_later", LAST))
        p = known.get((f"{name}_p", LAST))
        if first is None or last is None or first.value is None or last.value is None:
            continue
        plain = f"The {words} was {first.value:.1f} before and {last.value:.1f} at the last visit."
        if p is None or p.value is None:
            yield Sentence(plain, plain)
            continue
        size = p_words(p.value)
        yield Sentence(
            plain,
            f"Median {words} changed from {_median(first, '')} to {_median(last, '')} "
            f"({size}, {p.n} pairs; {p.method}).",
        )


def _replaced(known: Known) -> Iterator[Sentence]:
    one = known.get(("tha", ALL))
    if one is not None:
        yield Sentence(
            f"{one.value:g} of {counted(one.n, 'hip')} got a prosthesis.",
            f"Total hip arthroplasty was performed in {one.value:g} of {counted(one.n, 'hip')} "
            f"({one.method}).",
        )


def _over_time(events: EventStudy) -> Iterator[Sentence]:
    """The latest whole year that is reached, and the tests of the groups."""
    shares = [
        one
        for one in events.quantities
        if one.quantity.startswith("incidence_") and one.group == ALL and one.value is not None
    ]
    name = "radiographic failure" if events.endpoint == "failure" else events.endpoint
    if shares:
        last = shares[-1]
        years = last.quantity.split("_")[1]
        method = last.method.partition(", ")[0]
        yield Sentence(
            f"After {years} years {last.value:.0f} of 100 such hips can be expected to have had "
            f"{name}.",
            f"The {method} of {name} at {years} years was {last.text} with "
            f"{counted(last.n, 'hip')} at risk.",
        )
    for one in events.quantities:
        if one.quantity in ("gray_p", "gray_by_patients_p") and one.value is not None:
            groups = ", ".join(group for group in events.groups if group != ALL)
            yield Sentence(
                f"Whether {groups} differ over time: {p_words(one.value)}.",
                f"The cumulative incidence of {name} was compared between {groups} "
                f"({p_words(one.value)}; {one.method}).",
            )


def _agreed(agreement: AgreementStudy) -> Iterator[Sentence]:
    known = {one.statistic: one for one in agreement.rows if one.quantity == "CNA"}
    icc, limit = known.get("ICC(2,1)"), known.get("reproducibility coefficient")
    if icc is not None and icc.value is not None and icc.low is not None:
        yield Sentence(
            f"Readers agreed on the angle with a coefficient of {icc.value:.2f}; 1 is perfect.",
            f"Agreement of the combined necrotic angle between readers was ICC(2,1) "
            f"{icc.text.replace(' (', ' (95 % CI ')} in {counted(icc.hips, 'hip visit')}"
            + (f"; by resampling patients {icc.by_patients}." if icc.by_patients else "."),
        )
    if limit is not None and limit.value is not None:
        yield Sentence(
            f"Between two readers a change below {limit.value:.0f}° may be measuring error.",
            f"The smallest change beyond measuring error between two readers was {limit.text} "
            f"({limit.method}).",
        )


def _by_stage(known: Known, quantity: str) -> Iterator[Quantity]:
    for (name, group), one in known.items():
        if name == quantity and group.startswith("ARCO") and one.value is not None and one.n:
            yield one


def _median(one: Quantity, unit: str) -> str:
    return f"{one.value:.1f} [IQR {one.low:.1f} to {one.high:.1f}]{f' {unit}' if unit else ''}"
