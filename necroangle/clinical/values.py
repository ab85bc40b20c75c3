"""The text of a cell to a field's value, checked by the field's own rules."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from necroangle.clinical.dates import DateOrder, parse_date
from necroangle.clinical.identity import holds_identity, short_text
from necroangle.entries import CodeSet, Field

__all__ = ["Reading", "Stated", "parse_cell", "stated_values"]

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
        raise ValueError(f"{short_text(text)} is none of {', '.join(choices)}")
    return choice.code if wanted.type == "whole" else choice.word


def _free_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError(f"{len(text)} letters; {MAX_TEXT} are allowed")
    if holds_identity(text):
        raise ValueError("it holds what looks like a person's number; take it out")
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
