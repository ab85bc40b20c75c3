"""Angle and scores by year, from every visit of the natural hip (extra stats)."""

from collections.abc import Callable, Iterator, Mapping

from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.quantities import ALL, Quantity, p_words, unknown
from necroangle.analysis.visits import HipVisit
from necroangle.protocol.ending import VisitState
from necroangle.statistics.slopes import Slope, estimating_slope, mixed_slope

_NUMBERS: Mapping[str, tuple[str, Callable[[HipVisit], float | None]]] = {
    "cna": ("deg", lambda visit: visit.cna_deg),
    "vas": ("points of 10", lambda visit: visit.vas),
    "hhs": ("points of 100", lambda visit: visit.hhs),
}
_MIXED = "change by year, linear mixed model (REML), random levels of patients and their hips"
_MARGINAL = "change by year, estimating equations, exchangeable, error robust to patients"


def slopes_of(cohort: AnalysisSet) -> list[Quantity]:
    """How angle, pain and hip score change by year.

    Visits count from the baseline on, each at its own time, up to a replacement or death. Hips
    that are replaced tend to be the worse ones: what they lack makes the slope too good.

    Raises
    ------
    CohortError
        If statsmodels is not installed.
    """
    return [one for name in _NUMBERS for one in _slopes(cohort, name)]


def _slopes(cohort: AnalysisSet, name: str) -> Iterator[Quantity]:
    unit, number = _NUMBERS[name]
    rows = [
        (value, one.place_days / 365.25, course.hip)
        for course in cohort.courses
        if not course.had_tha_before
        for one in course.visits
        if one.state is VisitState.OBSERVED
        and one.place_days is not None
        and (value := number(one)) is not None
    ]
    values, years = [row[0] for row in rows], [row[1] for row in rows]
    patients = [row[2].subject for row in rows]
    hips = [f"{row[2].subject} {row[2].laterality}" for row in rows]
    mixed = mixed_slope(values, years, hips, patients)
    yield _quantity(f"{name}_per_year", len(set(hips)), mixed, unit, _MIXED)
    marginal = estimating_slope(values, years, patients)
    yield _quantity(f"{name}_per_year_marginal", len(set(hips)), marginal, unit, _MARGINAL)


def _quantity(quantity: str, n: int, found: Slope, unit: str, method: str) -> Quantity:
    if found.value is None or found.interval is None or found.p is None:
        return unknown(quantity, ALL, n, unit, method, found.words)
    low, high = found.interval
    return Quantity(quantity, ALL, n, found.value, low, high, unit, method, p_words(found.p))
