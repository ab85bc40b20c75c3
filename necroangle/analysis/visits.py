"""A hip at a visit: when, in which state, what was read and entered, how the angle changed."""

from dataclasses import dataclass

from necroangle.analysis.censoring import VisitState
from necroangle.analysis.noise import RepeatNoise, mdc95_of_pair
from necroangle.analysis.plan import DAYS_PER_MONTH, OutcomePlan, VisitPlan
from necroangle.analysis.reads import Read
from necroangle.analysis.records import HipKey, VisitFacts
from necroangle.terms import ArcoStage

__all__ = ["DOUBTS", "AngleChange", "HipVisit", "angle_change", "arco_order"]

DOUBTS = {
    "arco_differs": "the reading and the clinical table give two ARCO stages: the table's counts",
    "arco_earlier": "the ARCO stage is earlier than at the baseline, which a stage cannot become",
    "out_of_order": "the dates contradict the planned order: the dates count",
    "out_of_window": "the date lies outside the visit's window",
    "prosthesis_undated": "a reading shows a prosthesis, and no THA is recorded",
    "readers_differ": "the angle and its baseline were read by different readers",
    "seen_after_death": "dated after the patient's death",
    "seen_after_lost": "seen after the patient was lost",
    "undated": "no date: the nominal time of the visit stands in",
    "unplaced": "neither date nor nominal time: left out of every change",
    "unplanned": "the visit is not planned",
}
"""Doubts about a hip's visit: data, never a reason to stop."""

_STAGES = tuple(ArcoStage)


@dataclass(frozen=True, slots=True)
class AngleChange:
    """Change of the combined angle from the baseline, degrees.

    Attributes
    ----------
    change_deg, se_deg
        Later less earlier, and its standard error where both angles have one.
    low_deg, high_deg
        95 % interval from the two angles' own intervals (MOVER).
    mdc95_deg, mdc95_source
        Smallest change that is real, and where it comes from.
    decreased, increased
        Whether the change is beyond the study's threshold, strictly.
    is_real
        Whether it is beyond MDC95; None where that is not known.
    """

    change_deg: float
    se_deg: float | None
    low_deg: float | None
    high_deg: float | None
    mdc95_deg: float | None
    mdc95_source: str
    decreased: bool
    increased: bool
    is_real: bool | None


@dataclass(frozen=True, slots=True)
class HipVisit:
    """A hip at a visit.

    Attributes
    ----------
    hip
        The hip; its ``subject`` is the cluster that keeps two hips of a patient together.
    planned
        The visit as planned.
    number
        Place among the planned visits from 1; None for an unplanned one.
    days
        From the index date to the visit's own date; None without dates.
    place_days
        ``days``, or the nominal day without dates; None where neither is known.
    is_baseline
        Whether it is the hip's index visit.
    state
        Whether it was observed, is missing, or is censored.
    read, facts
        Reading and entries; None where there are none, and where the visit is censored.
    change
        Change of the angle from the baseline.
    flags
        Names of :data:`DOUBTS`.
    was_attended
        Whether anything was entered or read, also where the visit is censored.
    """

    hip: HipKey
    planned: VisitPlan
    number: int | None
    days: float | None
    place_days: float | None
    is_baseline: bool
    state: VisitState
    read: Read | None = None
    facts: VisitFacts | None = None
    change: AngleChange | None = None
    flags: tuple[str, ...] = ()
    was_attended: bool = False

    @property
    def months(self) -> float | None:
        """Months from the index date: days / 30.4375, nominal where there is no date."""
        return None if self.place_days is None else self.place_days / DAYS_PER_MONTH

    @property
    def in_window(self) -> bool | None:
        """Whether the date lies in the planned window; None without date or window."""
        return self.planned.is_in_window(self.days)

    @property
    def cna_deg(self) -> float | None:
        """Combined angle of a visit that counts."""
        return self.read.cna_deg if self.read else None

    @property
    def arco(self) -> ArcoStage | None:
        """ARCO stage from the clinical table, else from the reading."""
        if self.facts is not None and self.facts.arco is not None:
            return self.facts.arco
        return ArcoStage(self.read.arco) if self.read is not None and self.read.arco else None

    @property
    def jic(self) -> str | None:
        """JIC type from the clinical table, else from the reading."""
        if self.facts is not None and self.facts.jic is not None:
            return self.facts.jic
        return self.read.jic if self.read is not None else None

    @property
    def vas(self) -> float | None:
        """Pain, 0 to 10."""
        return self.facts.vas if self.facts else None

    @property
    def hhs(self) -> float | None:
        """Harris Hip Score, 0 to 100."""
        return self.facts.hhs if self.facts else None


def arco_order(stage: ArcoStage) -> int:
    """Place of a stage in 1 < 2 < 3A < 3B < 4.

    Examples
    --------
    >>> arco_order(ArcoStage("3B")) - arco_order(ArcoStage("2"))
    2
    """
    return _STAGES.index(stage)


def angle_change(
    baseline: Read, later: Read, noise: RepeatNoise | None, plan: OutcomePlan
) -> AngleChange | None:
    """Change between two readings; None where one has no combined angle.

    Interval by MOVER: with d the difference and (l, u) the angles' own intervals,
    ``d - sqrt((x2 - l2)² + (u1 - x1)²)`` to ``d + sqrt((u2 - x2)² + (x1 - l1)²)``.

    Parameters
    ----------
    baseline, later
        The two readings, by one method.
    noise
        From repeat reads; None: the standard errors of the two angles make MDC95.
    plan
        Its threshold.

    References
    ----------
    G. Y. Zou, A. Donner, Stat Med 27 (2008) 1693, doi 10.1002/sim.3095.
    """
    first, second = baseline.cna_deg, later.cna_deg
    if first is None or second is None:
        return None
    change = round(second - first, 6)
    low, high = _mover(baseline, later, change)
    errors = (baseline.se_deg, later.se_deg)
    variances = [error**2 for error in errors if error is not None]
    mdc95 = noise.mdc95_deg if noise else mdc95_of_pair(*errors)
    source = noise.source if noise else "standard errors of the two angles"
    return AngleChange(
        change,
        sum(variances) ** 0.5 if len(variances) == 2 else None,
        low,
        high,
        mdc95,
        source if mdc95 is not None else "not known: no standard errors, no repeat reads",
        change < -plan.change_threshold_deg,
        change > plan.change_threshold_deg,
        None if mdc95 is None else abs(change) > mdc95,
    )


def _mover(baseline: Read, later: Read, change: float) -> tuple[float | None, float | None]:
    first, second = _reaches(baseline), _reaches(later)
    if first is None or second is None:
        return None, None
    (down1, up1), (down2, up2) = first, second
    return change - (down2**2 + up1**2) ** 0.5, change + (up2**2 + down1**2) ** 0.5


def _reaches(read: Read) -> tuple[float, float] | None:
    """How far the interval reaches below and above the angle."""
    if read.cna_deg is None or read.low_deg is None or read.high_deg is None:
        return None
    return read.cna_deg - read.low_deg, read.high_deg - read.cna_deg
