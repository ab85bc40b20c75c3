"""What a study planned, and how its outcomes are counted: stated, not hidden in a formula."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from necroangle.analysis.quartiles import QUANTILE_NAMES
from necroangle.analysis.signed_rank import TestKind, ZeroRule
from necroangle.errors import CohortError
from necroangle.measurement.change import STUDY_RULE_DEG
from necroangle.terms import ArcoStage

__all__ = ["DAYS_PER_MONTH", "FAILURE_RULES", "OutcomePlan", "VisitPlan", "infer_visits"]

DAYS_PER_MONTH = 30.4375
"""A month in days: a twelfth of 365.25."""

FAILURE_RULES = {
    "auto": "the recorded events where the cohort has any, else reaches",
    "event": "a recorded radiographic_failure event after the index date",
    "reaches": "one of the stated ARCO stages after the baseline, above the baseline's stage",
    "collapse": "ARCO 3A or later, or a collapse event, after a baseline before collapse",
    "arco_progression": "an ARCO stage after the baseline that is later than the baseline's",
}
"""Rules of radiographic failure by name."""

_BASELINE_NAMES = frozenset({"baseline", "base", "preop", "pre-op", "pre_op", "preoperative"})
_MONTHS = re.compile(r"(?:m|mo|month|months|visit_m)[_\- ]?0*(\d+(?:\.\d+)?)")
_MONTHS_AFTER = re.compile(r"0*(\d+(?:\.\d+)?)[_\- ]?(?:m|mo|month|months)")
_YEARS = re.compile(r"(?:y|yr|year|years)[_\- ]?0*(\d+(?:\.\d+)?)")
_YEARS_AFTER = re.compile(r"0*(\d+(?:\.\d+)?)[_\- ]?(?:y|yr|year|years)")


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One planned visit.

    Attributes
    ----------
    name
        As it stands in the readings.
    months
        Nominal months from the index date; None where it is not known.
    days_before, days_after
        The window about the nominal day, in days; None: no window.

    Raises
    ------
    CohortError
        If the name is empty or a number is not finite, or a window is negative.

    Examples
    --------
    >>> VisitPlan("m12", 12.0, 60, 90).is_in_window(400)
    True
    >>> VisitPlan("", 0.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a planned visit needs a name
    """

    name: str
    months: float | None = None
    days_before: float | None = None
    days_after: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise CohortError("a planned visit needs a name")
        if self.months is not None and not math.isfinite(self.months):
            raise CohortError(f"visit {self.name}: months must be finite, found {self.months}")
        for days in (self.days_before, self.days_after):
            if days is not None and not 0 <= days < math.inf:
                raise CohortError(f"visit {self.name}: a window has days from 0, found {days}")

    @property
    def nominal_days(self) -> float | None:
        """Nominal day from the index date."""
        return None if self.months is None else self.months * DAYS_PER_MONTH

    def is_in_window(self, days: float | None) -> bool | None:
        """Whether a day from the index date lies in the window; None where that is not known.

        Bounds belong to the window; the nominal day is rounded to a whole one.
        """
        nominal = self.nominal_days
        if days is None or nominal is None:
            return None
        if self.days_before is None and self.days_after is None:
            return None
        late = days - round(nominal)
        return -(self.days_before or 0.0) <= late <= (self.days_after or 0.0)


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """How the outcomes of a cohort are counted.

    Attributes
    ----------
    visits
        Planned visits in order; empty: told from the visits' names (:func:`infer_visits`).
    index_visit
        The baseline; by default the first planned visit. A hip may name its own.
    readers
        Whose first read counts where there is no consensus, the first one first; by default the
        first reader by name of each hip and visit.
    consensus_reader
        The reader's name under which a consensus is kept.
    method
        Measuring method; by default the only one in the cohort.
    change_threshold_deg
        The study's rule: a combined angle changed by more than this counts.
    failure_rule
        A name of :data:`FAILURE_RULES`.
    failure_stages
        The stages of the rule ``"reaches"``: by default 3B and 4, a depression above 2 mm.
    tha_is_failure
        Whether a replacement is a failure by the rules that ask for stages.
    quantile_type
        7 or 6.
    test, zeros
        Kind of the signed-rank test, and what becomes of differences of zero.
    repeats_needed
        Degrees of freedom that repeat reads need before MDC95 is taken from them.

    Raises
    ------
    CohortError
        If two visits have one name, the index visit is not planned, or a rule is unknown.

    Examples
    --------
    >>> OutcomePlan().change_threshold_deg
    20.0
    >>> OutcomePlan(failure_rule="by eye")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: there is no failure rule 'by eye'; there are: auto, ...
    """

    visits: tuple[VisitPlan, ...] = ()
    index_visit: str | None = None
    readers: tuple[str, ...] = ()
    consensus_reader: str = "consensus"
    method: str | None = None
    change_threshold_deg: float = STUDY_RULE_DEG
    failure_rule: str = "auto"
    failure_stages: tuple[ArcoStage, ...] = (ArcoStage.STAGE_3B, ArcoStage.STAGE_4)
    tha_is_failure: bool = True
    quantile_type: int = 7
    test: TestKind = "auto"
    zeros: ZeroRule = "wilcoxon"
    repeats_needed: int = 5

    def __post_init__(self) -> None:
        names = [visit.name for visit in self.visits]
        if len(set(names)) < len(names):
            raise CohortError(f"two planned visits have one name: {', '.join(names)}")
        if names and self.index_visit is not None and self.index_visit not in names:
            raise CohortError(
                f"index visit {self.index_visit!r} is not planned; visits: {', '.join(names)}"
            )
        if self.failure_rule not in FAILURE_RULES:
            raise CohortError(
                f"there is no failure rule {self.failure_rule!r}; there are: "
                f"{', '.join(FAILURE_RULES)}"
            )
        if self.quantile_type not in QUANTILE_NAMES:
            raise CohortError(f"quantiles are of type 6 or 7, found {self.quantile_type!r}")
        if not 0 <= self.change_threshold_deg < math.inf:
            raise CohortError(f"a threshold is degrees from 0, found {self.change_threshold_deg}")


def infer_visits(names: Iterable[str]) -> tuple[VisitPlan, ...]:
    """Visits whose names say their months, in order of them; the others behind, by name.

    ``baseline``, ``preop`` and ``m00`` are month 0; ``m06``, ``month_6``, ``6m`` and ``y1``,
    ``1y`` say months and years. Nothing is guessed of other names.

    Examples
    --------
    >>> [(visit.name, visit.months) for visit in infer_visits(["m12", "late", "baseline", "2y"])]
    [('baseline', 0.0), ('m12', 12.0), ('2y', 24.0), ('late', None)]
    """
    visits = [VisitPlan(name, _months_of(name)) for name in sorted(set(names))]
    return tuple(
        sorted(visits, key=lambda visit: math.inf if visit.months is None else visit.months)
    )


def _months_of(name: str) -> float | None:
    word = name.strip().lower()
    if word in _BASELINE_NAMES:
        return 0.0
    for pattern, factor in (
        (_MONTHS, 1.0),
        (_MONTHS_AFTER, 1.0),
        (_YEARS, 12.0),
        (_YEARS_AFTER, 12.0),
    ):
        found = pattern.fullmatch(word)
        if found:
            return float(found[1]) * factor
    return None
