"""The parts of a record's key, read from a cell or from the command line."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from necroangle.clinical.identity import refuse_as_name, refuse_as_subject, short_text
from necroangle.clinical.values import Reading
from necroangle.entries import KEYS, KINDS_OF_EVENT, LATERALITIES, CodeSet
from necroangle.errors import CohortError

__all__ = ["parse_key", "parse_key_part"]

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
    >>> parse_key_part("laterality", "right"), parse_key_part("number", "2.0")
    ('R', '2')
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
    if problem := refuse_as_subject(text):
        raise ValueError(problem)
    return text


def _visit(text: str) -> str:
    if problem := refuse_as_name(text):
        raise ValueError(problem)
    return text


def _coded(codes: CodeSet) -> Callable[[str], str]:
    def parse(text: str) -> str:
        choice = codes.named(text)
        if choice is None:
            raise ValueError(f"{short_text(text)} is none of {', '.join(codes)}")
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
