"""Texts that every format can hold and no spreadsheet runs."""

import re

__all__ = ["TEXT_LIMIT", "bare", "clean_text", "cut_bytes", "guarded"]

TEXT_LIMIT = 2000
"""Bytes of UTF-8: below Stata's 2045 for a plain string, and Excel's 32767 for a cell."""

_BREAKS = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def clean_text(text: str) -> tuple[str, bool]:
    r"""The text as it can stand in every format, and whether it had to be cut.

    Line breaks and tabs become one space, other control characters and broken surrogates ``\ufffd``
    (several programs end a text at NUL).

    Examples
    --------
    >>> clean_text("a\r\nb\x00c")
    ('a b\ufffdc', False)
    """
    if text.isprintable() and len(text) * 4 <= TEXT_LIMIT:
        return text, False
    plain = _UNWRITABLE.sub("\ufffd", _BREAKS.sub(" ", text))
    if len(plain.encode()) <= TEXT_LIMIT:
        return plain, False
    return cut_bytes(plain, TEXT_LIMIT - 3) + "…", True


def cut_bytes(text: str, limit: int) -> str:
    """The beginning of a text that takes no more than so many bytes of UTF-8.

    Examples
    --------
    >>> cut_bytes("홍길동", 7)
    '홍길'
    """
    return text.encode()[:limit].decode(errors="ignore")


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula.

    A text that begins with an apostrophe gets one more, so that taking one away gives every text
    back (:func:`bare`).

    Examples
    --------
    >>> guarded("=cmd|'/C calc'!A0"), guarded("00123"), guarded("'s")
    ("'=cmd|'/C calc'!A0", '00123', "''s")
    """
    return f"'{text}" if text.lstrip(" ").startswith((*_FORMULA, "'")) else text


def bare(text: str) -> str:
    """The text before it was guarded.

    Examples
    --------
    >>> bare(guarded("-5")), bare(guarded("'s")), bare("S01")
    ('-5', "'s", 'S01')
    """
    return text[1:] if text.startswith("'") else text
