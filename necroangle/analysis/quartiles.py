"""Median and quartiles, with the rule that makes them said by name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from necroangle.errors import CohortError

__all__ = ["QUANTILE_NAMES", "Quartiles", "quantile", "quartiles"]

QUANTILE_NAMES = {
    6: "quantiles of type 6, (n + 1) p, as SPSS",
    7: "quantiles of type 7, (n - 1) p + 1, as R, NumPy and Excel",
}
"""The two rules in use among statistical programs (Hyndman and Fan 1996)."""


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Median with the quartiles beside it, in the unit of the values.

    Attributes
    ----------
    count
        How many values.
    median, low, high
        The 50th, 25th and 75th percentile.
    """

    count: int
    median: float
    low: float
    high: float


def quantile(ordered: Sequence[float], share: float, kind: int = 7) -> float:
    """The quantile of ordered values: a straight line between the two neighbours of its place.

    With n values the place, counted from 1, is ``(n - 1) p + 1`` (type 7) or ``(n + 1) p`` kept
    within 1 and n (type 6).

    Parameters
    ----------
    ordered
        At least one value, in growing order.
    share
        p, from 0 to 1.
    kind
        7 or 6.

    Raises
    ------
    CohortError
        If there is no value, or the kind is another.

    References
    ----------
    R. J. Hyndman, Y. Fan, Am Stat 50 (1996) 361, doi 10.1080/00031305.1996.10473566.

    Examples
    --------
    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.25), quantile([1.0, 2.0, 3.0, 4.0], 0.25, 6)
    (1.75, 1.25)
    >>> quantile([], 0.5)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: no values: no quantile
    """
    if kind not in QUANTILE_NAMES:
        raise CohortError(f"quantiles are of type 6 or 7, found {kind!r}")
    count = len(ordered)
    if count == 0:
        raise CohortError("no values: no quantile")
    place = (count - 1) * share if kind == 7 else (count + 1) * share - 1
    place = min(max(place, 0.0), count - 1.0)
    below = math.floor(place)
    above = min(below + 1, count - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def quartiles(values: Iterable[float | None], kind: int = 7) -> Quartiles | None:
    """Median and quartiles of the values that are there; None where there is none.

    Parameters
    ----------
    values
        Values in any order; None is left out.
    kind
        Type of the quantile, 7 or 6.

    Examples
    --------
    >>> quartiles([4.0, None, 1.0, 2.0, 3.0])
    Quartiles(count=4, median=2.5, low=1.75, high=3.25)
    >>> quartiles([None]) is None
    True
    """
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    low, median, high = (quantile(ordered, share, kind) for share in (0.25, 0.5, 0.75))
    return Quartiles(len(ordered), median, low, high)
