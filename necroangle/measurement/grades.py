"""Published categories of the combined necrotic angle: half-open bins on the stored value."""

from enum import IntEnum, StrEnum

__all__ = ["HaGrade", "HaRisk", "KerboulBin", "ha_grade", "ha_risk", "kerboul_bin"]


class HaGrade(IntEnum):
    """Modified Kerboul grade on MR (Ha 2006, doi 10.2106/JBJS.F.00535)."""

    GRADE_1 = 1
    """Below 200 degrees."""
    GRADE_2 = 2
    """200 to below 250."""
    GRADE_3 = 3
    """250 to below 300."""
    GRADE_4 = 4
    """300 and above."""


class HaRisk(StrEnum):
    """Risk of collapse (Ha 2006, doi 10.2106/JBJS.F.00535)."""

    LOW = "low"
    """Up to 190 degrees."""
    MODERATE = "moderate"
    """Above 190, below 240."""
    HIGH = "high"
    """240 and above."""


class KerboulBin(StrEnum):
    """Kerboul's original bins (doi 10.1302/0301-620X.56B2.291; bins as on OrthopaedicsOne)."""

    SMALL = "small"
    """Up to 160 degrees."""
    MEDIUM = "medium"
    """Above 160, below 200."""
    LARGE = "large"
    """200 and above."""


def ha_grade(cna_deg: float) -> HaGrade:
    """Grade a stored combined necrotic angle; the printed whole degrees read as half-open bins.

    Examples
    --------
    >>> [int(ha_grade(angle)) for angle in (199.999999, 200, 250, 300)]
    [1, 2, 3, 4]
    """
    return HaGrade(1 + sum(cna_deg >= cut for cut in (200.0, 250.0, 300.0)))


def ha_risk(cna_deg: float) -> HaRisk:
    """Risk group of a stored combined necrotic angle; exactly 190 is low, as Ha prints.

    Examples
    --------
    >>> [str(ha_risk(angle)) for angle in (190, 190.000001, 240)]
    ['low', 'moderate', 'high']
    """
    if cna_deg <= 190.0:
        return HaRisk.LOW
    return HaRisk.MODERATE if cna_deg < 240.0 else HaRisk.HIGH


def kerboul_bin(cna_deg: float) -> KerboulBin:
    """Kerboul's bin of a stored combined necrotic angle; exactly 160 is small, 200 large.

    Examples
    --------
    >>> [str(kerboul_bin(angle)) for angle in (160, 160.000001, 200)]
    ['small', 'medium', 'large']
    """
    if cna_deg <= 160.0:
        return KerboulBin.SMALL
    return KerboulBin.MEDIUM if cna_deg < 200.0 else KerboulBin.LARGE
