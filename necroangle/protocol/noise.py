"""The smallest change of the combined angle that is real, and where its size comes from."""

import math
from dataclasses import dataclass

from necroangle.errors import MethodError


@dataclass(frozen=True, slots=True)
class EndNoise:
    """How a reader marks the end of a necrotic arc, along the surface of the head.

    Attributes
    ----------
    sd_mm
        Standard deviation from one mark to the next.
    bias_mm
        Standard deviation of a reader's own habit, which pushes every end outward or inward alike.
    dof
        Degrees of freedom behind both: infinite where they are declared to be known.
    source
        Where they come from, for the record: ``"unknown reader"``, ``"study"``, ``"repeats"``,
        ``"calibration"``.

    Raises
    ------
    MethodError
        If a number is not positive (the habit may be 0), or the source is not said.

    Examples
    --------
    >>> UNKNOWN_READER
    EndNoise(sd_mm=1.0, bias_mm=0.3, dof=5.0, source='unknown reader')
    """

    sd_mm: float = 1.0
    bias_mm: float = 0.3
    dof: float = 5.0
    source: str = "unknown reader"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sd_mm) and self.sd_mm > 0):
            raise MethodError(f"the noise of an arc's end must be positive mm, found {self.sd_mm}")
        if not (math.isfinite(self.bias_mm) and self.bias_mm >= 0):
            raise MethodError(f"a reader's bias must be 0 mm or more, found {self.bias_mm}")
        if not self.dof > 0:
            raise MethodError(f"degrees of freedom must be positive, found {self.dof}")
        if not self.source:
            raise MethodError("the noise of a reader needs its source: the study, or repeats")


UNKNOWN_READER = EndNoise()
"""A reader nobody knows. A lognormal spread of 35 % between readers gives the five degrees."""


@dataclass(frozen=True, slots=True)
class RepeatNoise:
    """Error of marking of the combined angle, from reads of the same hip at the same visit.

    What slices and rims that lie apart make is not in it: every pair has its own.

    Attributes
    ----------
    sem_deg
        Standard error of measurement: the standard deviation within hip and visit, degrees.
    dof
        Degrees of freedom behind it.
    source
        Which reads were compared.
    """

    sem_deg: float
    dof: float
    source: str

    @property
    def mdc95_deg(self) -> float:
        """Smallest difference of two such readings that is real: ``t(0.975, dof) sqrt(2) SEM``."""
        return t_quantile(self.dof) * math.sqrt(2.0) * self.sem_deg


@dataclass(frozen=True, slots=True)
class StudyNoise:
    """Measuring error of the combined angle in a study.

    Attributes
    ----------
    same_reader
        From reads of one hip and visit by one reader; None where there are too few.
    two_readers
        From first reads by different readers, which hold the difference of their habits, too.
    """

    same_reader: RepeatNoise | None = None
    two_readers: RepeatNoise | None = None

    @property
    def known(self) -> RepeatNoise | None:
        """The first of them that is known."""
        return self.same_reader or self.two_readers


NO_NOISE = StudyNoise()
"""Of a study without repeat reads and comparisons."""


def t_quantile(dof: float) -> float:
    """The 97.5 % quantile of t, which makes an interval of 95 %.

    Examples
    --------
    >>> round(t_quantile(5), 2), round(t_quantile(math.inf), 2)
    (2.57, 1.96)
    """
    from scipy.special import stdtrit  # loaded where a change is judged

    return float(stdtrit(min(dof, 1e9), 0.975))


def mdc95_of_pair(first_se_deg: float | None, later_se_deg: float | None) -> float | None:
    """Smallest real change by the total errors of two angles: ``1.96 sqrt(se1² + se2²)``.

    For rows that do not say what their errors are made of.

    Examples
    --------
    >>> round(mdc95_of_pair(4.8, 5.1), 2), mdc95_of_pair(4.8, None)
    (13.73, None)
    """
    if first_se_deg is None or later_se_deg is None:
        return None
    return 1.96 * math.hypot(first_se_deg, later_se_deg)
