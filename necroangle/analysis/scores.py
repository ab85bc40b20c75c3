"""Pain and hip score against the baseline: medians, changes, Wilcoxon's signed-rank test."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from necroangle.analysis.course import Cohort
from necroangle.analysis.hips import HipOutcome, ScorePair
from necroangle.analysis.quantity import Quantity, count, spread
from necroangle.analysis.signed_rank import TestKind, signed_rank
from necroangle.analysis.visits import HipVisit

__all__ = ["LAST", "score_changes", "visit_changes"]

LAST = "last"
"""The group of last observations against the baseline."""

_SCORES: tuple[tuple[str, str, Callable[[HipVisit], float | None]], ...] = (
    ("vas", "points of 10", lambda visit: visit.vas),
    ("hhs", "points of 100", lambda visit: visit.hhs),
)
_KINDS: tuple[TestKind, ...] = ("exact", "normal", "normal_cc")
_PAIRS = "hips with a score at the baseline and after it, before any replacement"


def score_changes(hips: Sequence[HipOutcome], cohort: Cohort) -> Iterator[Quantity]:
    """Scores at the last observation against the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its plan names the test and the type of quantile.
    """
    vas = [hip.vas for hip in hips if hip.vas]
    hhs = [hip.hhs for hip in hips if hip.hhs]
    for (name, unit, _), pairs in zip(_SCORES, (vas, hhs), strict=True):
        yield from _against_baseline(name, LAST, unit, pairs, cohort)


def visit_changes(hips: Sequence[HipOutcome], cohort: Cohort) -> Iterator[Quantity]:
    """Angles, stages and scores at each planned visit after the baseline, against the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its plan names the visits.
    """
    kind = cohort.plan.quantile_type
    for planned in cohort.plan.visits:
        group = f"visit {planned.name}"
        found = [(hip, one) for hip in hips if (one := _at(hip, planned.name)) is not None]
        if not found:
            continue
        yield from _words_at("arco_at_visit", group, [one.arco for _, one in found])
        yield from _words_at("jic_at_visit", group, [one.jic for _, one in found])
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
    name: str, group: str, unit: str, pairs: Sequence[ScorePair], cohort: Cohort
) -> Iterator[Quantity]:
    plan = cohort.plan
    kind = plan.quantile_type
    yield spread(f"{name}_baseline", group, [one.baseline for one in pairs], unit, kind, _PAIRS)
    yield spread(f"{name}_later", group, [one.last for one in pairs], unit, kind, _PAIRS)
    differences = [one.change for one in pairs]
    yield spread(f"{name}_change", group, differences, unit, kind, _PAIRS)
    chosen = signed_rank(differences, plan.test, plan.zeros)
    yield _p_value(f"{name}_p", group, differences, plan.test, cohort)
    if chosen.p is not None:
        for other in _KINDS:
            one = _p_value(f"{name}_p_{other}", group, differences, other, cohort)
            if one.value is not None:
                yield one


def _p_value(
    quantity: str, group: str, differences: Sequence[float], kind: TestKind, cohort: Cohort
) -> Quantity:
    test = signed_rank(differences, kind, cohort.plan.zeros)
    words = "" if test.p is not None else test.method
    method = f"{test.method}; hips counted as independent"
    if test.p is None:
        method = "Wilcoxon signed-rank"
    return Quantity(quantity, group, test.n_pairs, test.p, None, None, "P", method, words)
