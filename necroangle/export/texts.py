"""Texts that every format can hold and no spreadsheet runs."""

import re

__all__ = ["TEXT_LIMIT", "bare", "clean_text", "cut_bytes"]

TEXT_LIMIT = 2000
"""Bytes of UTF-8: below Stata's 2045 for a plain string, and Excel's 32767 for a cell."""

_BREAKS = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


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


def bare(text: str) -> str:
    """The text before :func:`necroangle.plain_text.guarded`.

    Examples
    --------
    >>> from necroangle.plain_text import guarded
    >>> bare(guarded("-5")), bare(guarded("'s")), bare("S01")
    ('-5', "'s", 'S01')
    """
    return text[1:] if text.startswith("'") else text
