"""Texts that harm neither a terminal nor a spreadsheet, whatever a file or a reader put in them."""

from collections.abc import Iterable

__all__ = ["counted", "csv_line", "guarded", "harmless", "quoted", "readable"]

_BREAKING = frozenset(',"\r\n')
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def harmless(text: str) -> str:
    r"""The text with control characters spelt out, so that nothing in it steers a terminal.

    Examples
    --------
    >>> harmless("a\x1b[31m.dcm")
    'a\\x1b[31m.dcm'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    A text that begins with an apostrophe gets one more, so that taking one away gives every text
    back.

    Examples
    --------
    >>> guarded("=cmd|'/C calc'!A0"), guarded("00123"), guarded("'s")
    ("'=cmd|'/C calc'!A0", '00123', "''s")
    """
    return f"'{text}" if text.lstrip(" ").startswith((*_FORMULA, "'")) else text


def quoted(text: str) -> str:
    """The text as a cell of a CSV: guarded against formulas, quoted where it must be.

    Examples
    --------
    >>> quoted("a,b"), quoted("-5"), quoted("00123")
    ('"a,b"', "'-5", '00123')
    """
    safe = guarded(text)
    return safe if _BREAKING.isdisjoint(safe) else '"' + safe.replace('"', '""') + '"'


def csv_line(cells: Iterable[object]) -> str:
    r"""A line of a CSV: commas, ``\n`` at its end, numbers in full, empty where there is nothing.

    A text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay
    numbers, negative ones too.

    Examples
    --------
    >>> csv_line(["=m0", 2, -0.25, None, "a,b"])
    '\'=m0,2,-0.25,,"a,b"\n'
    """
    return ",".join(map(_csv_cell, cells)) + "\n"


def _csv_cell(cell: object) -> str:
    if cell is None:
        return ""
    return quoted(str(cell)) if isinstance(cell, str) else repr(cell)


_SPELT = {
    "°": " deg",
    "±": "+/-",
    "…": "...",
    "–": "-",
    "—": "-",
    "─": "-",
    "×": "x",
    "≥": ">=",
    "≤": "<=",
    "→": "->",
    "·": "-",
    "²": "2",
    "µ": "u",
    "é": "e",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}


def readable(text: str, encoding: str) -> str:
    r"""The text in letters of an encoding; what it lacks is spelt.

    Examples
    --------
    >>> readable("107.5° ± 9.4°", "ascii")
    '107.5 deg +/- 9.4 deg'
    >>> readable("환자 1…", "cp437")
    '\\ud658\\uc790 1...'
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(_spelt(letter, encoding) for letter in text)
    return text


def _spelt(letter: str, encoding: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return _SPELT.get(letter) or letter.encode("ascii", "backslashreplace").decode()
    return letter


def counted(number: float, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> counted(1, "hip"), counted(22, "hip"), counted(1_250_000, "study"), counted(0.5, "year")
    ('1 hip', '22 hips', '1250000 studies', '0.5 years')
    """
    several = f"{noun[:-1]}ies" if noun.endswith(("dy", "ry", "py")) else f"{noun}s"
    shown = number if isinstance(number, int) else f"{number:g}"
    return f"{shown} {noun if number == 1 else several}"
