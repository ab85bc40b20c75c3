"""Published categories of an angle or an index, each once with its source; and the two roundings.

An angle is stored to 1e-6 degree and classified on that stored value, so that a table read back
gives the same grade. It is shown to 0.1 degree, half up, after the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from necroangle.terms import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Category = TypeVar("Category", bound=Enum)

_TIE = 1e-3


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


class KooKimSize(StrEnum):
    """Size of a lesion by its index. Provisional: the bins are not from a source at hand."""

    SMALL = "small"
    """Below 33."""
    MEDIUM = "medium"
    """33 to below 67 (printed as 34 to 66)."""
    LARGE = "large"
    """67 and above."""


@dataclass(frozen=True, slots=True)
class Scheme(Generic[Category]):
    """Categories of a stored value, and where they change.

    Attributes
    ----------
    categories
        In their order, lowest first.
    cuts
        Where one ends and the next begins, growing; one fewer.
    below
        For each cut, whether a value on it belongs to the category below it.
    doi
        The source.
    """

    categories: tuple[Category, ...]
    cuts: tuple[float, ...]
    below: tuple[bool, ...]
    doi: str

    def places(self, values: Array) -> NDArray[np.intp]:
        """Which category each of some stored values has; 0 for one that is no number.

        Examples
        --------
        >>> import numpy as np
        >>> HA_RISKS.places(np.array([190.0, 190.000001, 239.999999, 240.0])).tolist()
        [0, 1, 1, 2]
        """
        import numpy as np

        found = np.zeros(values.shape, np.intp)
        for cut, stays in zip(self.cuts, self.below, strict=True):
            found += values > cut if stays else values >= cut
        return found

    def of(self, value: float) -> Category:
        """The category of one stored value."""
        import numpy as np

        return self.categories[int(self.places(np.array(value)))]


HA_GRADES = Scheme(tuple(HaGrade), (200.0, 250.0, 300.0), (False,) * 3, "10.2106/JBJS.F.00535")
"""The printed whole degrees are read as half-open bins."""

HA_RISKS = Scheme(tuple(HaRisk), (190.0, 240.0), (True, False), "10.2106/JBJS.F.00535")
"""Exactly 190 is low, as Ha prints."""

KERBOUL_BINS = Scheme(
    tuple(KerboulBin), (160.0, 200.0), (True, False), "10.1302/0301-620X.56B2.291"
)
"""Exactly 160 is small, 200 large."""

KOO_KIM_SIZES = Scheme(tuple(KooKimSize), (33.0, 67.0), (False, False), "")
"""Bins that go with Koo and Kim 1995, J Bone Joint Surg Br 77-B:875, but its text was not seen."""


NO_NECROSIS = "no necrosis"
"""What is said of a hip in place of a category."""


def is_without_necrosis(a_status: str | None, b_status: str | None) -> bool:
    """Whether both views of a hip were read without necrosis.

    Such a hip has an angle, 0, but no grade, no risk group and no size: all of them were found on
    hips with a lesion. A view whose lesion lies elsewhere, or does not reach the surface, has one.

    Examples
    --------
    >>> is_without_necrosis("no_necrosis", "no_necrosis")
    True
    >>> is_without_necrosis("no_necrosis", "off_midslice"), is_without_necrosis(None, None)
    (False, False)
    """
    return a_status == Finding.NO_NECROSIS and b_status == Finding.NO_NECROSIS


def ha_grade(cna_deg: float) -> HaGrade:
    """Grade a stored combined necrotic angle.

    Examples
    --------
    >>> [int(ha_grade(angle)) for angle in (199.999999, 200, 250, 300)]
    [1, 2, 3, 4]
    """
    return HA_GRADES.of(cna_deg)


def ha_risk(cna_deg: float) -> HaRisk:
    """Risk group of a stored combined necrotic angle.

    Examples
    --------
    >>> [str(ha_risk(angle)) for angle in (190, 190.000001, 240)]
    ['low', 'moderate', 'high']
    """
    return HA_RISKS.of(cna_deg)


def kerboul_bin(cna_deg: float) -> KerboulBin:
    """Kerboul's bin of a stored combined necrotic angle.

    Examples
    --------
    >>> [str(kerboul_bin(angle)) for angle in (160, 160.000001, 200)]
    ['small', 'medium', 'large']
    """
    return KERBOUL_BINS.of(cna_deg)


def stored(values: Array) -> Array:
    """Angles rounded to the 1e-6 degree in which they are stored, as Python rounds one of them.

    Examples
    --------
    >>> import numpy as np
    >>> stored(np.array([199.9999999, 0.0000005])).tolist() == [200.0, round(5e-7, 6)]
    True
    """
    import numpy as np

    with np.errstate(all="ignore"):
        scaled = values * 1e6
        whole = np.rint(scaled)
        found = np.asarray(whole / 1e6)
        doubtful = np.abs(np.abs(scaled - whole) - 0.5) < _TIE
        doubtful |= ~(np.abs(values) < 1e6) & np.isfinite(values)
    for place in np.flatnonzero(doubtful).tolist():
        found[place] = round(float(values[place]), 6)
    return found


def stored_deg(angle_deg: float) -> float:
    """Round an angle to the 1e-6 degree in which it is stored.

    Examples
    --------
    >>> stored_deg(199.9999999)
    200.0
    """
    return round(angle_deg, 6)


def show_deg(angle_deg: float | None) -> str:
    """Show an angle to 0.1 degree, half up; an en dash where there is none.

    Examples
    --------
    >>> show_deg(99.6 + 99.6), show_deg(0.25), show_deg(None)
    ('199.2°', '0.3°', '–')
    """
    if angle_deg is None:
        return "–"
    shown = Decimal(repr(angle_deg)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{shown}°"
