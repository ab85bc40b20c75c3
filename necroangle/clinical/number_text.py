"""What a spreadsheet's number says: a plain number, a date, an id with leading zeros."""

import math
import re
from datetime import datetime, timedelta

__all__ = ["is_date_format", "number_text"]

_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
"""Numbers of the built-in date formats, the East Asian ones included."""

_IGNORED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General', re.IGNORECASE)
_EPOCH_1900 = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_FIRST_SURE_DAY = 61
"""Earlier days of the 1900 calendar are one off, for a 29 February 1900 that never was."""

_LAST_DAY = 2_958_465
_EXACT = 1e15


def is_date_format(number: int, code: str | None) -> bool:
    r"""Whether a number format shows a date.

    Parameters
    ----------
    number
        The format's number.
    code
        Its code, where the workbook gives one.

    Examples
    --------
    >>> is_date_format(14, None), is_date_format(164, 'yyyy"년" m"월" d"일"')
    (True, True)
    >>> is_date_format(165, '0.0 "days"'), is_date_format(0, "General"), is_date_format(20, None)
    (False, False, False)
    """
    if code is None:
        return number in _BUILT_IN_DATES
    return bool(re.search("[yd]", _IGNORED.sub("", code.partition(";")[0]), re.IGNORECASE))


def number_text(text: str, code: str | None, *, is_date: bool, from_1904: bool = False) -> str:
    """A number cell as text; digits that a float holds, no more.

    Parameters
    ----------
    text
        The number as the file has it.
    code
        Its format's code; ``00000`` keeps the zeros that the user sees.
    is_date
        Whether the format shows a date.
    from_1904
        Whether the workbook counts days from 1904.

    Examples
    --------
    >>> number_text("0.10000000000000001", None, is_date=False)
    '0.1'
    >>> number_text("123", "00000", is_date=False)
    '00123'
    >>> number_text("43894", None, is_date=True), number_text("43894.5", None, is_date=True)
    ('2020-03-04', '2020-03-04T12:00:00')
    """
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    if is_date:
        return _date_text(number, from_1904)
    if number == int(number) and abs(number) < _EXACT:
        zeros = len(code) if code and re.fullmatch("0+", code) else 1
        return f"{int(number):0{zeros}d}"
    return repr(number)


def _date_text(days: float, from_1904: bool) -> str:
    """The day, with the time where it is not midnight; the bare number where it is no day."""
    if not (0 if from_1904 else _FIRST_SURE_DAY) <= days <= _LAST_DAY - 1462:
        return repr(days)
    moment = (_EPOCH_1904 if from_1904 else _EPOCH_1900) + timedelta(seconds=round(days * 86400))
    return moment.isoformat() if moment.time() != moment.time().min else moment.date().isoformat()
