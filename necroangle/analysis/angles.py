"""The combined angle: at the baseline, last, and changed by more than the rule and the error."""

from collections.abc import Iterator, Sequence

from necroangle.analysis.course import Cohort
from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.quantity import ALL, Quantity, by_stage, count, spread
from necroangle.analysis.visits import AngleChange

__all__ = ["angles", "mdc95_words"]

_LAST = "last angle before any replacement less baseline"


def angles(hips: Sequence[HipOutcome], cohort: Cohort) -> Iterator[Quantity]:
    """Combined angles and their changes, by ARCO stage at the baseline.

    Parameters
    ----------
    hips
        Hips that count.
    cohort
        Its plan names the threshold and the type of quantile.
    """
    kind = cohort.plan.quantile_type
    for group, own in by_stage(hips):
        values = [hip.cna_baseline_deg for hip in own]
        yield spread("cna_at_baseline", group, values, "deg", kind)
    for group, own in by_stage(hips):
        changes = [hip.change.change_deg for hip in own if hip.change]
        yield spread("cna_change", group, changes, "deg", kind, _LAST)
    yield _mdc95(hips, cohort)
    yield from _beyond(hips, cohort)


def _mdc95(hips: Sequence[HipOutcome], cohort: Cohort) -> Quantity:
    if cohort.noise is not None:
        words, value = mdc95_words(cohort), cohort.noise.mdc95_deg
        return Quantity("cna_mdc95", ALL, cohort.noise.dof, value, None, None, "deg", words)
    values = [hip.change.mdc95_deg for hip in hips if hip.change]
    return spread("cna_mdc95", ALL, values, "deg", cohort.plan.quantile_type, mdc95_words(cohort))


def mdc95_words(cohort: Cohort) -> str:
    """Where the smallest real change comes from."""
    if cohort.noise is not None:
        return (
            f"1.96 sqrt(2) SEM, SEM {cohort.noise.sem_deg:.1f}° from {cohort.noise.source}, "
            f"{cohort.noise.dof} degrees of freedom"
        )
    return "of each hip: 1.96 sqrt(se1² + se2²) from the standard errors of its two angles"


def _beyond(hips: Sequence[HipOutcome], cohort: Cohort) -> Iterator[Quantity]:
    """Counts beyond the study's threshold and beyond MDC95, down and up."""
    threshold = f"by more than {cohort.plan.change_threshold_deg:g}°, {_LAST}"
    error = f"beyond MDC95 ({mdc95_words(cohort)}), {_LAST}"
    both = f"by more than {cohort.plan.change_threshold_deg:g}° and beyond MDC95, {_LAST}"
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
