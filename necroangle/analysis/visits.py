"""A hip at a visit: when, in which state, what was read and entered, how the angle changed."""

from dataclasses import dataclass

from necroangle.protocol.ending import VisitState
from necroangle.protocol.hips import ClinicalVisit, HipKey
from necroangle.protocol.noise import StudyNoise, mdc95_of_pair
from necroangle.protocol.pair_error import PairError, PairRead, pair_error
from necroangle.protocol.study import StudyProtocol
from necroangle.protocol.visits import DAYS_PER_MONTH, Visit
from necroangle.terms import ArcoStage

DOUBTS = {
    "arco_differs": "the reading and the clinical table give two ARCO stages: the table's counts",
    "arco_earlier": "the ARCO stage is earlier than at the baseline, which a stage cannot become",
    "out_of_order": "the dates contradict the planned order: the dates count",
    "out_of_window": "the date lies outside the visit's window",
    "prosthesis_undated": "a reading shows a prosthesis, and no THA is recorded",
    "readers_differ": "the angle and its baseline were read by different readers",
    "seen_after_death": "dated after the patient's death",
    "seen_after_lost": "seen after the patient was lost",
    "slices_differ": "the largest of another number of slices than at the baseline",
    "undated": "no date: the nominal time of the visit stands in",
    "unplaced": "neither date nor nominal time: left out of every change",
    "unplanned": "the visit is not planned",
    "weightings_differ": "a view and its baseline were read on images of unlike weighting",
}
"""Doubts about a hip's visit: data, never a reason to stop."""


@dataclass(frozen=True, slots=True)
class AngleRead:
    """The reading that stands for a hip at a visit.

    Attributes
    ----------
    reader, read_no
        Whose, and which of theirs.
    rule
        Why this one, as :func:`necroangle.protocol.reads.choose_read` says it.
    is_consensus
        Whether it is a consensus.
    reads
        Of how many readings it was chosen.
    cna_deg, se_deg, low_deg, high_deg
        Combined angle with standard error and 95 % interval; None where a view was not read.
    arco, jic, jic_stage
        As entered with the reading.
    ha_grade
        Ha's grade.
    is_prosthesis
        Whether a view says that the hip has been replaced.
    pair
        What the error of a change follows from; None where the row does not say it.
    weightings
        What weights the images of the A and of the B view; None where it is not kept.
    """

    reader: str
    read_no: int
    rule: str
    is_consensus: bool
    reads: int
    cna_deg: float | None
    se_deg: float | None
    low_deg: float | None
    high_deg: float | None
    arco: str | None
    jic: str | None
    jic_stage: str | None
    ha_grade: int | None
    is_prosthesis: bool
    weightings: tuple[str | None, str | None]
    pair: PairRead | None = None


@dataclass(frozen=True, slots=True)
class AngleChange:
    """Change of the combined angle from the baseline, degrees.

    Attributes
    ----------
    change_deg, se_deg
        Later less earlier, and its standard error where both angles have one.
    low_deg, high_deg
        95 % interval by the error of the pair.
    mdc95_deg, mdc95_source
        Smallest change that is real, and where it comes from.
    decreased, increased
        Whether the change is beyond the study's threshold, strictly.
    is_real
        Whether it is beyond MDC95; None where that is not known, and between two readers whom the
        study has not compared.
    slices_differ
        Whether the largest of several slices is compared with that of another number of them.
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
    slices_differ: bool = False


@dataclass(frozen=True, slots=True)
class HipVisit:
    """A hip at a visit.

    Attributes
    ----------
    hip
        The hip; its ``subject`` is the cluster that keeps two hips of a patient together.
    planned
        The visit as planned, or as its name says.
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
    read, entered
        Reading and entries; None where there are none, and where the visit is censored.
    change
        Change of the angle from the baseline.
    flags
        Names of :data:`DOUBTS`.
    was_attended
        Whether anything was entered or read, also where the visit is censored.
    """

    hip: HipKey
    planned: Visit
    number: int | None
    days: float | None
    place_days: float | None
    is_baseline: bool
    state: VisitState
    read: AngleRead | None = None
    entered: ClinicalVisit | None = None
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
        return self.planned.holds(self.days)

    @property
    def cna_deg(self) -> float | None:
        """Combined angle of a visit that counts."""
        return self.read.cna_deg if self.read else None

    @property
    def arco(self) -> ArcoStage | None:
        """ARCO stage from the clinical table, else from the reading."""
        if self.entered is not None and self.entered.arco is not None:
            return self.entered.arco
        return ArcoStage(self.read.arco) if self.read is not None and self.read.arco else None

    @property
    def jic(self) -> str | None:
        """JIC type from the clinical table, else from the reading."""
        if self.entered is not None and self.entered.jic is not None:
            return self.entered.jic
        return self.read.jic if self.read is not None else None

    @property
    def jic_stage(self) -> str | None:
        """JIC stage from the clinical table, else from the reading."""
        if self.entered is not None and self.entered.jic_stage is not None:
            return self.entered.jic_stage
        return self.read.jic_stage if self.read is not None else None

    @property
    def vas(self) -> float | None:
        """Pain, 0 to 10."""
        return self.entered.vas if self.entered else None

    @property
    def hhs(self) -> float | None:
        """Harris Hip Score, 0 to 100."""
        return self.entered.hhs if self.entered else None


def angle_change(
    baseline: AngleRead, later: AngleRead, noise: StudyNoise, protocol: StudyProtocol
) -> AngleChange | None:
    """Change between two readings; None where one has no combined angle.

    The error is that of the pair (:mod:`necroangle.protocol.pair_error`). Of rows that do not say
    what their errors are made of, the interval is by MOVER: with d the difference and (l, u) the
    angles' own intervals, ``d - sqrt((x2 - l2)² + (u1 - x1)²)`` to
    ``d + sqrt((u2 - x2)² + (x1 - l1)²)``.

    Parameters
    ----------
    baseline, later
        The two readings, by one method.
    noise
        The study's own; where it knows nothing, the errors of the two angles stand in.
    protocol
        Its threshold.

    References
    ----------
    G. Y. Zou, A. Donner, Stat Med 27 (2008) 1693, doi 10.1002/sim.3095.
    """
    first, second = baseline.cna_deg, later.cna_deg
    if first is None or second is None:
        return None
    change = round(second - first, 6)
    limit = protocol.cut_offs.change_deg
    passed = change < -limit, change > limit
    if baseline.pair is not None and later.pair is not None:
        error = pair_error(baseline.pair, later.pair, noise)
        return _of_pair(change, error, passed)
    low, high = _mover(baseline, later, change)
    errors = (baseline.se_deg, later.se_deg)
    variances = [error**2 for error in errors if error is not None]
    one_reader = baseline.reader == later.reader
    known = noise.same_reader if one_reader else noise.two_readers
    mdc95 = known.mdc95_deg if known else mdc95_of_pair(*errors) if one_reader else None
    source = known.source if known else "standard errors of the two angles"
    if mdc95 is None:
        source = _NOT_KNOWN if one_reader else _NOT_COMPARED
    return AngleChange(
        change,
        sum(variances) ** 0.5 if len(variances) == 2 else None,
        low,
        high,
        mdc95,
        source,
        *passed,
        None if mdc95 is None else abs(change) > mdc95,
    )


_NOT_KNOWN = "not known: no standard errors, no repeat reads"
_NOT_COMPARED = "two readers: not judged, for the study has not compared them"


def _of_pair(change: float, error: PairError, passed: tuple[bool, bool]) -> AngleChange:
    reach, judged = error.mdc95_deg, error.is_judged
    return AngleChange(
        change,
        error.se_deg if judged else None,
        change - reach if judged else None,
        change + reach if judged else None,
        reach if judged else None,
        error.words,
        *passed,
        error.is_beyond(change),
        error.slices_differ,
    )


def _mover(
    baseline: AngleRead, later: AngleRead, change: float
) -> tuple[float | None, float | None]:
    first, second = _reaches(baseline), _reaches(later)
    if first is None or second is None:
        return None, None
    (down1, up1), (down2, up2) = first, second
    return change - (down2**2 + up1**2) ** 0.5, change + (up2**2 + down1**2) ** 0.5


def _reaches(read: AngleRead) -> tuple[float, float] | None:
    """How far the interval reaches below and above the angle."""
    if read.cna_deg is None or read.low_deg is None or read.high_deg is None:
        return None
    return read.cna_deg - read.low_deg, read.high_deg - read.cna_deg
