"""A planned visit: its name, its month, its window."""

import re
from functools import lru_cache
from typing import Annotated

from msgspec import Meta, Struct

DAYS_PER_MONTH = 365.25 / 12
"""A month in days: 30.4375."""

IDENTIFIER = r"^(?!.*__)(?!_)\w[\w.-]{0,63}(?<!_)(?![\s\S])"
"""What a subject, visit or reader may be called: the rule of the reading file."""

Name = Annotated[str, Meta(pattern=IDENTIFIER)]
Days = Annotated[int, Meta(ge=0, le=3650)]

LONGEST_MONTHS = 600
"""No study is longer; a larger number in a visit's name is a calendar year, or no month."""

_INDEX = frozenset(
    {"base", "baseline", "bl", "index", "pre", "pre-op", "pre_op", "preop", "preoperative"}
)
_NUMBER = r"(\d+(?:\.\d+)?)"
_MONTH, _YEAR = "(?:months?|mo|ms?)", "(?:years?|yrs?|ys?)"
_PATTERNS = tuple(
    (re.compile(pattern, re.ASCII), factor)
    for unit, factor in ((_MONTH, 1.0), (_YEAR, 12.0))
    for pattern in (f"(?:visit[ _.-]?)?{unit}[ _.-]?{_NUMBER}", f"{_NUMBER}[ _.-]?{unit}")
)


class Visit(Struct, frozen=True, forbid_unknown_fields=True):
    """One planned visit and the days in which it counts.

    Attributes
    ----------
    name
        As in the readings and the tables.
    months
        Nominal months from the index date; 0 for the index visit. Left out: as the name says.
    before_days, after_days
        How many days early and late it may be; without either there is no window.

    Examples
    --------
    >>> Visit("m12", 12, 60, 90).holds(400), Visit("m12", 12).holds(400)
    (True, None)
    """

    name: Name
    months: Annotated[float, Meta(ge=0, le=LONGEST_MONTHS)] | None = None
    before_days: Days | None = None
    after_days: Days | None = None

    @property
    def nominal_months(self) -> float | None:
        """The months that are stated, else those of the name; None where neither says any."""
        return months_of_name(self.name) if self.months is None else float(self.months)

    @property
    def nominal_days(self) -> float | None:
        """Nominal days from the index date; a month has 30.4375."""
        months = self.nominal_months
        return None if months is None else months * DAYS_PER_MONTH

    @property
    def window_days(self) -> tuple[int, int] | None:
        """First and last day, from the index date, that count; None without a window.

        The nominal day is rounded to a whole one; both bounds belong to the window.

        Examples
        --------
        >>> Visit("m06", 6, 45, 45).window_days
        (138, 228)
        """
        days = self.nominal_days
        if days is None or (self.before_days is None and self.after_days is None):
            return None
        return round(days) - (self.before_days or 0), round(days) + (self.after_days or 0)

    def holds(self, days: float | None) -> bool | None:
        """Whether a day from the index date lies in the window; None where that is not known."""
        window = self.window_days
        return None if window is None or days is None else window[0] <= days <= window[1]


@lru_cache(maxsize=1024)
def months_of_name(name: str) -> float | None:
    """Months that the name of a visit says; None where it says none, for nothing is guessed.

    Names of the index visit are month 0; a number beside a word for months or years says them.

    Examples
    --------
    >>> [months_of_name(name) for name in ("m06", "mo6", "6m", "m1.5", "visit_m12", "yr2", "2y")]
    [6.0, 6.0, 6.0, 1.5, 12.0, 24.0, 24.0]
    >>> [months_of_name(name) for name in ("baseline", "bl", "preoperative", "late", "y2024")]
    [0.0, 0.0, 0.0, None, None]
    """
    word = name.strip().lower()
    if word in _INDEX:
        return 0.0
    for pattern, factor in _PATTERNS:
        if found := pattern.fullmatch(word):
            months = float(found[1]) * factor
            return months if months <= LONGEST_MONTHS else None
    return None
