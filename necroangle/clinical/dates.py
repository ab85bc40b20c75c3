"""Dates of tables: real calendar days, and no guess which number is the month."""

import re
from datetime import date
from typing import Literal

__all__ = ["DateOrder", "parse_date"]

DateOrder = Literal["year first", "DD/MM/YYYY", "MM/DD/YYYY"]
"""How a table writes its dates; dots and dashes pass for slashes."""

FIRST_YEAR = 1900

_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_YEAR_FIRST_BARE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_FIRST_WORDS = re.compile(r"(\d{4})[년年] ?(\d{1,2})[월月] ?(\d{1,2})[일日]")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_TIME}")


def parse_date(text: str, order: DateOrder = "year first") -> date:
    """The day that a text names.

    Parameters
    ----------
    text
        ``2020-03-04``, ``2020/3/4``, ``2020.03.04``, ``20200304``, with or without a time of day,
        which is dropped; or, where the order is stated, ``04/03/2020``.
    order
        As stated by the mapping. A date with its year first is read in any case.

    Raises
    ------
    ValueError
        Saying what is wrong, without the text itself.

    Examples
    --------
    >>> parse_date("2020-03-04").isoformat(), parse_date("04.03.2020", "DD/MM/YYYY").isoformat()
    ('2020-03-04', '2020-03-04')
    >>> parse_date("03/04/2020")
    Traceback (most recent call last):
    ...
    ValueError: day or month first? state it in the mapping: dates = "DD/MM/YYYY" or "MM/DD/YYYY"
    >>> parse_date("2020-02-30")
    Traceback (most recent call last):
    ...
    ValueError: no day of the calendar
    """
    if not text.isascii() and (named := _YEAR_FIRST_WORDS.fullmatch(text)):
        return _day(named[1], named[2], named[3])
    if not text.isascii():
        raise ValueError("no date")
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[3], found[4])
    if found := _YEAR_FIRST_BARE.fullmatch(text):
        return _day(found[1], found[2], found[3])
    if found := _YEAR_LAST.fullmatch(text):
        if order == "DD/MM/YYYY":
            return _day(found[4], found[3], found[1])
        if order == "MM/DD/YYYY":
            return _day(found[4], found[1], found[3])
        raise ValueError(
            'day or month first? state it in the mapping: dates = "DD/MM/YYYY" or "MM/DD/YYYY"'
        )
    raise ValueError("no date; write it as 2020-03-04, the year in four digits")


def _day(year: str, month: str, day: str) -> date:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError("no day of the calendar") from error
    if found.year < FIRST_YEAR:
        raise ValueError(f"before {FIRST_YEAR}")
    return found
