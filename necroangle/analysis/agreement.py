"""Agreement of a study's readers: on angles, boundaries and slices, on grades, stages and types.

The unit is a hip at a visit. Intervals by formula count these as independent; beside each stands
one by resampling patients, who bring all their hips and visits.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.quantities import interval_words, number_words, p_words
from necroangle.analysis.records import PlainRow
from necroangle.entries import field_named
from necroangle.errors import CohortError
from necroangle.protocol.repeat_reads import marking_shares, single_reads
from necroangle.protocol.study import AngleNoise
from necroangle.statistics.agreement import (
    ICC_NAMES,
    Reads,
    Spread,
    bland_altman,
    components,
    icc,
    icc_by_patients,
    within_reader,
)
from necroangle.statistics.categories import (
    Kappa,
    WeightKind,
    cohen,
    cohen_values,
    counts_of,
    fleiss,
    gwet,
    kappa_values,
    percent_agreement,
    percent_values,
)
from necroangle.statistics.intervals import Interval, cluster_interval

Floats = NDArray[np.float64]

NO_NECROSIS = "no necrosis"

NUMBERS: Mapping[str, tuple[str, str]] = {
    "a_deg": ("A", "deg"),
    "b_deg": ("B", "deg"),
    "cna_deg": ("CNA", "deg"),
    "a_start_deg": ("A, first boundary", "deg"),
    "a_end_deg": ("A, second boundary", "deg"),
    "b_start_deg": ("B, first boundary", "deg"),
    "b_end_deg": ("B, second boundary", "deg"),
    "a_slice_offset_mm": ("A, slice from the head's centre", "mm"),
    "b_slice_offset_mm": ("B, slice from the head's centre", "mm"),
}
"""Columns of numbers that are compared: what they are called, and their unit."""

GRADES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ha_grade": ("Ha's grade", (NO_NECROSIS, "1", "2", "3", "4")),
    "ha_risk": ("Ha's risk", (NO_NECROSIS, "low", "moderate", "high")),
    "arco": ("ARCO stage", tuple(map(str, field_named("visit", "arco").values))),
    "jic": ("JIC type", tuple(map(str, field_named("visit", "jic").values))),
    "jic_stage": ("JIC stage", tuple(map(str, field_named("visit", "jic_stage").values))),
}
"""Columns of ordered grades that are compared: what they are called, and the order."""

_OF_ANGLE = ("ha_grade", "ha_risk")
_WEIGHTS: tuple[WeightKind, ...] = ("plain", "linear", "quadratic")


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A number of the agreement.

    Attributes
    ----------
    quantity, statistic, readers
        What was read, which statistic, of whom: ``"all"``, a reader, or ``"kim, lee"``.
    hips, patients
        Hip visits and patients that it is from.
    value
        None where there is none, and ``words`` say why.
    low, high
        95 % interval by the method's formula.
    patients_low, patients_high
        95 % interval by resampling patients.
    unit
        ``"deg"``, ``"mm"``, ``"%"``, or empty for a coefficient.
    method
        The statistic in full.
    words
        What no number can say.
    """

    quantity: str
    statistic: str
    readers: str
    hips: int
    patients: int
    value: float | None
    low: float | None
    high: float | None
    patients_low: float | None
    patients_high: float | None
    unit: str
    method: str
    words: str = ""

    @property
    def text(self) -> str:
        """The number with the interval of its formula, as it is printed."""
        if self.value is None:
            return self.words
        return number_words(self.value, self.unit) + interval_words(self.low, self.high, self.unit)

    @property
    def by_patients(self) -> str:
        """The interval by resampling patients, as it is printed; empty where there is none."""
        return interval_words(self.patients_low, self.patients_high, self.unit).strip(" ()")


_MAIN = ("A", "B", "CNA", "Ha's grade", "ARCO stage", "JIC type", "JIC stage")
_LESS = ("ICC(1,1)", "ICC(3,1)", "proportional bias", "MDC95 of two consensus readings")


def is_main(one: AgreementRow) -> bool:
    """Whether a number is shown where there is no room for all."""
    weighted = one.statistic.endswith((", plain", ", linear")) or "Gwet" in one.statistic
    return one.quantity in _MAIN and one.statistic not in _LESS and not weighted


@dataclass(frozen=True, slots=True)
class Flip:
    """A hip visit that readers put into two grades: each reader's first read."""

    quantity: str
    subject: str
    laterality: str
    visit: str
    grades: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AgreementStudy:
    """Agreement of a study's readers.

    Attributes
    ----------
    rows
        Every number.
    flips
        Hip visits whose grade depends on the reader.
    notes
        Which readings were compared, one sentence each.
    noise
        What a study can adopt as the error of every change; empty where too little is known.
    """

    rows: tuple[AgreementRow, ...]
    flips: tuple[Flip, ...]
    notes: tuple[str, ...]
    noise: tuple[AngleNoise, ...]


def agreement_of(
    cohort: AnalysisSet, visits: Sequence[str] = (), draws: int = 1000
) -> AgreementStudy:
    """Compare the readers' own readings.

    Parameters
    ----------
    cohort
        The analysis set; consensus readings, readers who are none of the study's and hips that
        have been replaced are in none of its reads.
    visits
        Names of the visits that count; empty for all.
    draws
        Samples of patients that are drawn for each interval.

    Raises
    ------
    CohortError
        If no hip visit was read twice.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> key = {"laterality": "L", "visit": "m00", "read_no": 1, "method": "m"}
    >>> rows = [
    ...     {**key, "subject": f"S{n}", "reader": reader, "cna_deg": 150.0 + 10 * n + bias}
    ...     for n in range(8)
    ...     for reader, bias in (("kim", 0.0), ("lee", 3.0 + n % 2))
    ... ]
    >>> found = agreement_of(analysis_set(rows, {}))
    >>> bias = next(one for one in found.rows if one.statistic == "bias" and one.quantity == "CNA")
    >>> bias.readers, bias.value
    ('lee less kim', 3.5)
    """
    rows = [row for row in cohort.reads if not visits or row["visit"] in visits]
    table = _Table.of(rows, draws)
    if not any(len(some) > 1 for some in table.by_hip.values()):
        raise CohortError(
            "no hip was read twice: agreement needs two readers, or two reads by one reader"
        )
    found: list[AgreementRow] = []
    for name, (title, unit) in NUMBERS.items():
        found += _of_number(table, name, title, unit)
    flips: list[Flip] = []
    for name, (title, order) in GRADES.items():
        found += _of_grade(table, name, title, order)
        flips += _flips(table, name, title)
    return AgreementStudy(
        tuple(found),
        tuple(flips),
        tuple(_notes(table, cohort, visits)),
        noise_found(table.reads("cna_deg"), marking_shares(single_reads(rows))),
    )


# ---- the readings ------------------------------------------------------------------------------

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows by hip visit and reader, first reads first."""

    by_hip: Mapping[Key, list[PlainRow]]
    readers: tuple[str, ...]
    draws: int

    @classmethod
    def of(cls, rows: Sequence[PlainRow], draws: int) -> "_Table":
        found: dict[Key, list[PlainRow]] = {}
        for row in sorted(rows, key=lambda row: (row["subject"], row["laterality"], row["visit"])):
            found.setdefault((row["subject"], row["laterality"], row["visit"]), []).append(row)
        for some in found.values():
            some.sort(key=lambda row: (row["reader"], row["read_no"]))
        return cls(found, tuple(sorted({row["reader"] for row in rows})), draws)

    def values(self, name: str) -> Iterator[tuple[Key, str, float]]:
        """Each reading's number, with its hip visit and reader; boundaries without their jump."""
        for key, some in self.by_hip.items():
            known = [(row["reader"], row.get(name)) for row in some if row.get(name) is not None]
            if not known:
                continue
            numbers = [float(value) for _, value in known if value is not None]
            if name.endswith(("start_deg", "end_deg")):
                numbers = _beside_each_other(numbers)
            for (reader, _), number in zip(known, numbers, strict=True):
                yield key, reader, number

    def reads(self, name: str) -> Reads | None:
        """Readings of hip visits that were read more than once."""
        found = list(self.values(name))
        several = Counter(key for key, _, _ in found)
        kept = [one for one in found if several[one[0]] > 1]
        if not kept:
            return None
        keys, readers, numbers = zip(*kept, strict=True)
        return Reads.of(numbers, keys, readers)

    def firsts(self, name: str, readers: Sequence[str]) -> tuple[Floats, list[Key]]:
        """First reads of hip visits that all these readers read, shape (hips, readers)."""
        found: dict[Key, dict[str, float]] = {}
        for key, reader, number in self.values(name):
            found.setdefault(key, {}).setdefault(reader, number)
        kept = [key for key, some in found.items() if all(reader in some for reader in readers)]
        table = [[found[key][reader] for reader in readers] for key in kept]
        return np.array(table, float).reshape(len(kept), len(readers)), kept

    def grades(self, name: str) -> dict[Key, dict[str, str]]:
        """The grade of each reader's first read."""
        found: dict[Key, dict[str, str]] = {}
        for key, some in self.by_hip.items():
            for row in some:
                grade = row.get(name)
                if name in _OF_ANGLE and row.get("cna_deg") == 0:
                    grade = NO_NECROSIS
                if grade is not None:
                    found.setdefault(key, {}).setdefault(row["reader"], str(grade))
        return found


def _beside_each_other(angles_deg: Sequence[float]) -> list[float]:
    """Directions of one boundary, each within half a turn of their mean direction.

    Examples
    --------
    >>> _beside_each_other([179.0, -179.0])
    [179.0, 181.0]
    """
    turns = np.exp(1j * np.radians(angles_deg))
    middle = float(np.degrees(np.angle(turns.sum())))
    first = angles_deg[0] - 360.0 * round((angles_deg[0] - middle) / 360.0)
    return [round(one - 360.0 * round((one - first) / 360.0), 9) for one in angles_deg]


def pairs_of(
    cohort: AnalysisSet, name: str
) -> Iterator[tuple[str, str, list[tuple[float, float]]]]:
    """First reads of each pair of readers: their names, and the numbers of each hip visit.

    Parameters
    ----------
    cohort
        As for :func:`agreement_of`.
    name
        A column of :data:`NUMBERS`.
    """
    table = _Table.of(cohort.reads, 0)
    for first, second in combinations(table.readers, 2):
        values, _ = table.firsts(name, (first, second))
        yield first, second, [(float(one), float(other)) for one, other in values]


def grade_pairs_of(
    cohort: AnalysisSet, name: str
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """As :func:`pairs_of`, of a column of :data:`GRADES`; pairs of readers without a hip are not.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> row = {"subject": "S1", "laterality": "L", "visit": "m00", "read_no": 1, "method": "m"}
    >>> rows = [{**row, "reader": r, "cna_deg": 210.0, "ha_grade": 2} for r in ("kim", "lee")]
    >>> list(grade_pairs_of(analysis_set(rows, {}), "ha_grade"))
    [('kim', 'lee', [('2', '2')])]
    """
    table = _Table.of(cohort.reads, 0)
    grades = table.grades(name).values()
    for first, second in combinations(table.readers, 2):
        pairs = [(some[first], some[second]) for some in grades if first in some and second in some]
        if pairs:
            yield first, second, pairs


# ---- numbers -----------------------------------------------------------------------------------


def _of_number(table: _Table, name: str, title: str, unit: str) -> Iterator[AgreementRow]:
    reads = table.reads(name)
    if reads is None or not np.ptp(reads.values) > 0:
        return
    times = Counter(key for key, _, _ in table.values(name))
    keys = [key for key, count in times.items() if count > 1]
    people = _Counted(len(keys), len({key[0] for key in keys}))
    values, complete = table.firsts(name, table.readers)
    if len(table.readers) > 1 and len(complete) > 1:
        patients = [key[0] for key in complete]
        bounds = icc_by_patients(values, patients, table.draws)
        of_complete = _Counted(len(complete), len(set(patients)))
        for one in (icc(values)[kind] for kind in ICC_NAMES):
            yield _row(
                title, one.name, "all", of_complete, one.value, one.interval,
                bounds[one.name], "", _ICC[one.name], one.words,
            )  # fmt: skip
    yield from _spreads(reads, title, unit, people)
    for first, second in combinations(table.readers, 2):
        yield from _pair(table, name, title, unit, first, second)


_ICC = {
    "ICC(1,1)": "one-way, one reading; first reads; F interval",
    "ICC(2,1)": "two-way, readers by chance, absolute agreement, one reading; F interval",
    "ICC(3,1)": "two-way, these readers, consistency, one reading; F interval",
    "ICC(2,k)": "two-way, readers by chance, absolute agreement, mean of all readers; F interval",
}


@dataclass(frozen=True, slots=True)
class _Counted:
    hips: int
    patients: int


def _row(
    quantity: str,
    statistic: str,
    readers: str,
    of: _Counted,
    value: float | None,
    interval: Interval | None,
    by_patients: Interval | None,
    unit: str,
    method: str,
    words: str = "",
) -> AgreementRow:
    low, high = interval or (None, None)
    p_low, p_high = by_patients or (None, None)
    known = None if value is None or math.isnan(value) else value
    return AgreementRow(
        quantity, statistic, readers, of.hips, of.patients, known, low, high, p_low, p_high, unit,
        method, words,
    )  # fmt: skip


def _spreads(reads: Reads, title: str, unit: str, of: _Counted) -> Iterator[AgreementRow]:
    """Components of variance, and what they say of one reading and of two."""
    if reads.hip_count < 2:
        return
    found = components(reads)
    reml = "restricted maximum likelihood; interval by mean squares of hips that all readers read"
    for name, value in found.variances.items():
        yield _row(
            title, f"variance, {name}", "all", of, value, found.intervals[name], None,
            f"{unit}²", reml,
        )  # fmt: skip
    pooled, own = within_reader(reads)
    yield from _spread_rows("one reader", pooled, title, unit, of, "all", "repeat reads, pooled")
    if len(own) > 1 and pooled.dof:
        for reader, spread in zip(reads.names, own, strict=True):
            if spread.dof:
                yield from _spread_rows(
                    "one reader", spread, title, unit, of, str(reader), "repeat reads"
                )
    if reads.reader_count > 1:
        for who, spread in (("two readers", found.two_readers), ("consensus", found.consensus)):
            yield from _spread_rows(who, spread, title, unit, of, "all", spread.words)


_SPREAD_NAMES = {
    "one reader": ("SD within reader", "repeatability coefficient"),
    "two readers": ("SEM, any reader", "reproducibility coefficient"),
    "consensus": ("SEM, mean of two readers", "MDC95 of two consensus readings"),
}


def _spread_rows(
    who: str, spread: Spread, title: str, unit: str, of: _Counted, readers: str, method: str
) -> Iterator[AgreementRow]:
    sd, limit = _SPREAD_NAMES[who]
    yield _row(title, sd, readers, of, spread.sd, spread.interval, None, unit, method, spread.words)
    said = f"MDC95 of {who}: 1.96 sqrt(2) SD; {method}"
    yield _row(title, limit, readers, of, spread.mdc95, spread.mdc95_interval, None, unit, said)


def _pair(
    table: _Table, name: str, title: str, unit: str, first: str, second: str
) -> Iterator[AgreementRow]:
    values, keys = table.firsts(name, (first, second))
    if len(keys) < 3:
        return
    found = bland_altman(values[:, 0], values[:, 1])
    patients = [key[0] for key in keys]
    of = _Counted(len(keys), len(set(patients)))
    differences = values[:, 1] - values[:, 0]
    who = f"{second} less {first}"

    def mean(times: Floats) -> Floats:
        found_means: Floats = times @ differences / times.sum(1)
        return found_means

    def limit(times: Floats, side: float) -> Floats:
        count, middle = times.sum(1), mean(times)
        squares = np.maximum(times @ differences**2 / count - middle**2, 0.0)
        limits: Floats = middle + side * found.multiplier * np.sqrt(squares * count / (count - 1))
        return limits

    def resampled(
        statistic: Callable[[Floats], Floats],
    ) -> Interval | None:
        return cluster_interval(statistic, patients, table.draws)

    bounds = resampled(mean)
    yield _row(title, "bias", who, of, found.bias, found.bias_interval, bounds, unit,
               "Bland-Altman, mean difference of first reads; t interval", found.words)  # fmt: skip
    if found.words:
        return
    said = f"Bland-Altman, {found.multiplier:g} SD of the differences; t interval of the limit"
    low = resampled(lambda times: limit(times, -1.0))
    high = resampled(lambda times: limit(times, 1.0))
    yield _row(title, "lower limit of agreement", who, of, found.low, found.low_interval, low,
               unit, said)  # fmt: skip
    yield _row(title, "upper limit of agreement", who, of, found.high, found.high_interval, high,
               unit, said)  # fmt: skip
    if found.slope is not None:
        words = p_words(found.slope_p) if found.slope_p is not None else ""
        yield _row(title, "proportional bias", who, of, found.slope, found.slope_interval, None,
                   "", "slope of the difference on the pair's mean; t interval", words)  # fmt: skip


# ---- grades ------------------------------------------------------------------------------------


def _of_grade(table: _Table, name: str, title: str, order: Sequence[str]) -> Iterator[AgreementRow]:
    grades = {key: some for key, some in table.grades(name).items() if len(some) > 1}
    if not grades:
        return
    keys = list(grades)
    patients = [key[0] for key in keys]
    of = _Counted(len(keys), len(set(patients)))
    reads = [[grades[key].get(reader) for reader in table.readers] for key in keys]
    counts = counts_of(reads, order)
    share = cluster_interval(lambda times: percent_values(counts, times), patients, table.draws)
    yield _row(title, "agreement", "all", of, percent_agreement(counts), None, share, "%",
               "pairs of first reads of one hip that are one grade")  # fmt: skip
    for weights in _WEIGHTS:
        for statistic, function, by_grades in (
            ("Fleiss' kappa", fleiss, False),
            ("Gwet's AC", gwet, True),
        ):
            found = function(counts, weights)
            values = partial(kappa_values, counts, weights, by_grades=by_grades)
            bounds = cluster_interval(values, patients, table.draws)
            yield _of_kappa(title, f"{statistic}, {weights}", "all", of, found, bounds,
                            "any number of readers; t interval over hips")  # fmt: skip
    for first, second in combinations(table.readers, 2):
        pairs = [
            (order.index(some[first]), order.index(some[second]), key[0])
            for key, some in grades.items()
            if first in some and second in some
        ]
        if len(pairs) > 1:
            yield from _of_pairs(title, f"{first}, {second}", len(order), pairs, table.draws)


def _of_pairs(
    title: str, who: str, size: int, pairs: Sequence[tuple[int, int, str]], draws: int
) -> Iterator[AgreementRow]:
    one, other = (np.array(some) for some in list(zip(*pairs, strict=True))[:2])
    patients = [pair[2] for pair in pairs]
    of = _Counted(len(pairs), len(set(patients)))

    cells = np.eye(size * size)[one * size + other]  # which cell of the table each hip is in

    def crossed(times: Floats) -> Floats:
        tables: Floats = (times @ cells).reshape(-1, size, size)
        return tables

    for weights in _WEIGHTS:
        found = cohen(crossed(np.ones((1, len(pairs))))[0], weights)
        bounds = cluster_interval(
            lambda times, weights=weights: cohen_values(crossed(times), weights),  # type: ignore[misc]
            patients,
            draws,
        )
        yield _of_kappa(title, f"Cohen's kappa, {weights}", who, of, found, bounds,
                        "Fleiss, Cohen and Everitt's interval")  # fmt: skip


def _of_kappa(
    title: str,
    statistic: str,
    who: str,
    of: _Counted,
    found: Kappa,
    bounds: Interval | None,
    method: str,
) -> AgreementRow:
    return _row(title, statistic, who, of, found.value, found.interval, bounds, "", method,
                found.words)  # fmt: skip


def _flips(table: _Table, name: str, title: str) -> Iterator[Flip]:
    for key, some in table.grades(name).items():
        if len(set(some.values())) > 1:
            yield Flip(title, *key, tuple(sorted(some.items())))


# ---- what is said beside it --------------------------------------------------------------------


def noise_found(
    reads: Reads | None, marking: tuple[float, float] = (1.0, 1.0)
) -> tuple[AngleNoise, ...]:
    """What a study can adopt of the combined angle's agreement.

    Parameters
    ----------
    reads
        Readings of hips that were read more than once.
    marking
        What share of the variance of one reader, and of two, is marking: what slices that lie
        apart make is added for each pair that is judged.
    """
    if reads is None or reads.hip_count < 2:
        return ()
    found = components(reads)
    kinds: tuple[tuple[Literal["same reader", "two readers"], Spread, float], ...] = (
        ("same reader", found.one_reader, marking[0]),
        ("two readers", found.two_readers, marking[1]),
    )
    return tuple(
        AngleNoise(who=who, sd_deg=round(spread.sd * math.sqrt(share), 3), dof=round(spread.dof, 1))
        for who, spread, share in kinds
        if spread.sd and spread.dof >= 1
    )


def _notes(table: _Table, cohort: AnalysisSet, visits: Sequence[str]) -> Iterator[str]:
    several = {key: some for key, some in table.by_hip.items() if len(some) > 1}
    people = {key[0] for key in several}
    repeats = sum(
        count - 1
        for some in several.values()
        for count in Counter(row["reader"] for row in some).values()
    )
    yield (
        f"{len(several)} hip visits of {len(people)} patients were read more than once, by "
        f"{', '.join(table.readers)}; {repeats} reads are repeats by the same reader"
    )
    if not visits and len({key[2] for key in several}) > 1:
        yield "visits of one hip are counted as hips; --visit NAME takes one visit alone"
    yield "intervals by formula count hips as independent; the other ones resample patients"
    if cohort.method:
        yield f"angle by method {cohort.method}"
    yield from cohort.reader_notes()
