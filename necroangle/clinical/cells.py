"""What the text of a cell states: a value, a date, a part of a key; or why there is none."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal

from necroangle.clinical.identity import (
    refuse_as_name,
    refuse_as_subject,
    short_text,
)
from necroangle.entries import KEYS, KINDS_OF_EVENT, LATERALITIES, CodeSet, Field
from necroangle.errors import CohortError
from necroangle.protocol.free_text import free_text_problem

DateOrder = Literal["year first", "DD/MM/YYYY", "MM/DD/YYYY"]
"""How a table writes its dates; dots and dashes pass for slashes."""

FIRST_YEAR = 1900

_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})?"
_HALF_DAY = r"(?:(?:오전|오후|上午|下午|午前|午後) ?)?"
_CLOCK = rf"\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{_ZONE}"
_TIME = rf"\.?(?:[T ]{_HALF_DAY}{_CLOCK})?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.]) ?(\d{{1,2}})\2 ?(\d{{1,2}}){_TIME}")
_YEAR_FIRST_BARE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_FIRST_WORDS = re.compile(r"(\d{4})[년年] ?(\d{1,2})[월月] ?(\d{1,2})[일日]")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.]) ?(\d{{1,2}})\2 ?(\d{{4}}){_TIME}")
_ERAS = {"令和": 2018, "r": 2018, "平成": 1988, "h": 1988, "昭和": 1925, "s": 1925, "民國": 1911}
"""The year before the first of an era of Japan or Taiwan, and the letters for it."""

_OF_ERA = re.compile(
    r"(令和|平成|昭和|民國|[RHS]) ?(\d{1,3}|元)[年./-] ?(\d{1,2})[月./-] ?(\d{1,2})日?",
    re.IGNORECASE,
)
_MONTHS = (
    *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    *("jän", "", "mär", "", "mai", "", "", "", "", "okt", "", "dez"),
)
"""How months begin, in English and German."""

_NAMED_MONTH = re.compile(r"(\d{1,2})[ .-]{0,2}([A-Za-zä]{3,9})[ .,-]{0,2}(\d{4})")
_MONTH_FIRST = re.compile(r"([A-Za-zä]{3,9})\.? (\d{1,2}),? (\d{4})")


def parse_date(text: str, order: DateOrder = "year first") -> date:
    """The day that a text names.

    Parameters
    ----------
    text
        ``2020-03-04``, ``2020/3/4``, ``2020. 3. 4.``, ``20200304``, with or without a time of day,
        which is dropped; ``4-Mar-2020``, ``March 4, 2020``; ``令和2年3月4日``, ``R2.3.4``,
        ``民國109年3月4日``; or, where the order is stated, ``04/03/2020``.
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
    >>> [parse_date(one).isoformat() for one in ("令和2年3月4日", "4-Mar-2020", "2020. 3. 4.")]
    ['2020-03-04', '2020-03-04', '2020-03-04']
    >>> parse_date("03/04/2020")
    Traceback (most recent call last):
    ...
    ValueError: day or month first? state it in the mapping: dates = "DD/MM/YYYY" or "MM/DD/YYYY"
    >>> parse_date("2020-02-30")
    Traceback (most recent call last):
    ...
    ValueError: no day of the calendar
    """
    if named := _YEAR_FIRST_WORDS.fullmatch(text):
        return _day(named[1], named[2], named[3])
    if spelled := _of_words(text):
        return spelled
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


def _of_words(text: str) -> date | None:
    """The day that a text names by an era, or by a month's name; None where it does not."""
    if found := _OF_ERA.fullmatch(text):
        year = 1 if found[2] == "元" else int(found[2])
        return _day(str(_ERAS[found[1].lower()] + year), found[3], found[4])
    if found := _NAMED_MONTH.fullmatch(text):
        day, name, year_text = found.groups()
    elif found := _MONTH_FIRST.fullmatch(text):
        name, day, year_text = found.groups()
    else:
        return None
    begins = name[:3].lower()
    if begins not in _MONTHS:
        return None
    return _day(year_text, str(_MONTHS.index(begins) % 12 + 1), day)


def _day(year: str, month: str, day: str) -> date:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError("no day of the calendar") from error
    if found.year < FIRST_YEAR:
        raise ValueError(f"before {FIRST_YEAR}")
    return found


MAX_TEXT = 2000
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0*)?")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a cell states: a value, or why there is none; both empty where it states nothing.

    Attributes
    ----------
    value
        Text, whole or real number; a date as ``2026-01-31``.
    reason
        Why the value is missing.
    """

    value: str | int | float | None = None
    reason: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether the cell states nothing."""
        return self.value is None and self.reason is None


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a column are read.

    Attributes
    ----------
    values
        The table's own words to the field's codes; first as written, then in any case.
    missing
        The table's words for a missing value, to the reason.
    dates
        Order of day and month.
    decimal
        The decimal mark.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    dates: DateOrder = "year first"
    decimal: Literal[".", ","] = "."


class UnknownWordError(ValueError):
    """A word that is none of a list.

    Attributes
    ----------
    text
        The word, which a message shows in full only where it can be no person's name.
    allowed
        The list.
    """

    def __init__(self, text: str, allowed: str) -> None:
        super().__init__(f"{short_text(text)} is none of {allowed}")
        self.text, self.allowed = text, allowed


def parse_cell(wanted: Field, text: str, reading: Reading) -> Stated:
    """What a cell states.

    Parameters
    ----------
    wanted
        The field.
    text
        The cell, without blanks at its ends.
    reading
        How the column is read; its ``missing`` holds the study's codes, too.

    Raises
    ------
    ValueError
        Saying what was found and what is allowed; never a date or free text itself.

    Examples
    --------
    >>> from necroangle.entries import field_named
    >>> parse_cell(field_named("visit", "arco"), "3a", Reading())
    Stated(value='3A', reason=None)
    >>> parse_cell(field_named("visit", "hhs"), "-98", Reading(missing={"-98": "not readable"}))
    Stated(value=None, reason='not readable')
    >>> parse_cell(field_named("visit", "hhs_rom"), "6", Reading())
    Traceback (most recent call last):
    ...
    ValueError: '6' is not from 0 to 5 points
    """
    text = _translated(text, reading.values)
    if not text:
        return Stated()
    reason = reading.missing.get(text) or reading.missing.get(_plain_code(text))
    if reason is not None:
        return Stated(reason=reason)
    if wanted.type == "date":
        return Stated(parse_date(_narrow(text), reading.dates).isoformat())
    if wanted.choices is not None:
        return Stated(_code(wanted, wanted.choices, _narrow(text)))
    if wanted.type == "text":
        return Stated(_free_text(text))
    return Stated(_number(wanted, _narrow(text), reading.decimal))


def stated_values(name: str, stated: Stated) -> dict[str, str | int | float | None]:
    """The entries of a record that say so.

    Examples
    --------
    >>> stated_values("vas", Stated(reason="not done"))
    {'vas': None, 'vas_missing': 'not done'}
    """
    if stated.reason is None:
        return {name: stated.value}
    return {name: None, f"{name}_missing": stated.reason}


def _translated(text: str, values: Mapping[str, str]) -> str:
    if not values or text in values:
        return values.get(text, text)
    return {word.casefold(): code for word, code in values.items()}.get(text.casefold(), text)


def _narrow(text: str) -> str:
    """Digits and letters of East Asian width as plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _plain_code(text: str) -> str:
    """``-99.0`` as ``-99``."""
    return str(int(float(text))) if text.startswith("-") and _WHOLE.fullmatch(text) else text


def _code(wanted: Field, choices: CodeSet, text: str) -> str | int:
    """The code, told by itself, its label or meaning, or another word for it; in any case."""
    plain = str(int(float(text))) if wanted.type == "whole" and _WHOLE.fullmatch(text) else text
    choice = choices.named(plain)
    if choice is None:
        raise UnknownWordError(text, ", ".join(choices))
    return choice.code if wanted.type == "whole" else choice.word


def _free_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(f"{len(text)} letters; {MAX_TEXT} are allowed")
    if problem := free_text_problem(text):
        raise ValueError(f"it holds what looks like {problem}; take it out")
    return text


def _number(wanted: Field, text: str, decimal: str) -> int | float:
    plain = text.replace(",", ".") if decimal == "," and text.count(",") == 1 else text
    if not _NUMBER.fullmatch(plain):
        hint = '; is "," the decimal mark? state it in the mapping' if "," in text else ""
        raise ValueError(f"{short_text(text)} is no number{hint}")
    number = float(plain)
    low = -math.inf if wanted.low is None else wanted.low
    high = math.inf if wanted.high is None else wanted.high
    if not math.isfinite(number) or not low <= number <= high:
        unit = f" {wanted.unit}" if wanted.unit else ""
        raise ValueError(f"{short_text(text)} is not from {low:g} to {high:g}{unit}")
    if wanted.type == "real":
        return number + 0.0
    if number != int(number):
        raise ValueError(f"{short_text(text)} is no whole number")
    return int(number)


_NUMBERED = re.compile(r"0*([1-9][0-9]{0,2})(\.0*)?", re.ASCII)


def parse_key_part(part: str, text: str, reading: Reading | None = None) -> str:
    """One part of a key.

    Parameters
    ----------
    part
        ``"subject"``, ``"laterality"``, ``"visit"``, ``"event"`` or ``"number"``.
    text
        As written.
    reading
        The mapping's words for it.

    Raises
    ------
    ValueError
        Saying what is allowed; never a subject's text itself.

    Examples
    --------
    >>> parse_key_part("laterality", "right"), parse_key_part("subject", "Ｊ－００１")
    ('R', 'J-001')
    >>> parse_key_part("visit", "6 months")
    Traceback (most recent call last):
    ...
    ValueError: no name: up to 64 letters, digits, dots, dashes and single underscores, no blanks
    """
    words = reading.values if reading is not None else {}
    folded = {word.casefold(): code for word, code in words.items()}
    return _PARSERS[part](words.get(text) or folded.get(text.casefold()) or text)


def parse_key(kind: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """A whole key as typed; the number of an event or treatment may be left out.

    Raises
    ------
    CohortError
        If parts are missing or too many, or one is not allowed.

    Examples
    --------
    >>> parse_key("event", ("S01", "l", "tha"))
    ('S01', 'L', 'tha', '1')
    >>> parse_key("visit", ("S01", "L"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: the key of a visit is: subject laterality visit
    """
    wanted = KEYS[kind]
    if wanted[-1] == "number" and len(parts) == len(wanted) - 1:
        parts = (*parts, "1")
    if len(parts) != len(wanted):
        raise CohortError(f"the key of a {kind} is: {' '.join(wanted)}")
    found = []
    for part, text in zip(wanted, parts, strict=True):
        try:
            found.append(parse_key_part(part, text))
        except ValueError as error:
            raise CohortError(f"{part}: {error}") from error
    return tuple(found)


def _subject(text: str) -> str:
    return _as_written_or_narrow(text, refuse_as_subject)


def _visit(text: str) -> str:
    return _as_written_or_narrow(text, refuse_as_name)


def _as_written_or_narrow(text: str, refuse: Callable[[str], str]) -> str:
    """A name that can stand as it is; else, where only that is wrong, in letters of usual width."""
    problem = refuse(text)
    if problem and refuse(_narrow(text)):
        raise ValueError(problem)
    return _narrow(text) if problem else text


def _coded(codes: CodeSet) -> Callable[[str], str]:
    def parse(text: str) -> str:
        choice = codes.named(_narrow(text))
        if choice is None:
            raise UnknownWordError(text, ", ".join(codes))
        return choice.word

    return parse


def _numbered(text: str) -> str:
    found = _NUMBERED.fullmatch(text)
    if found is None:
        raise ValueError(f"{short_text(text)} is no number from 1 to 999")
    return found[1]


_PARSERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "subject": _subject,
        "laterality": _coded(LATERALITIES),
        "visit": _visit,
        "event": _coded(KINDS_OF_EVENT),
        "number": _numbered,
    }
)
