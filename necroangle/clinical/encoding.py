"""Bytes of a text table to text: told, marked, or found where only one reading makes sense.

A Korean table in CP949 is valid, and nonsense, as GB 18030, so a guess needs a reason: the
headings that the mapping names, or letters that only one writing would use. Where there is none,
the table is refused and the user names the encoding.
"""

import codecs
from collections.abc import Iterable

from necroangle.errors import CohortError

__all__ = ["ENCODINGS", "decode_text"]

ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp949",
    "cp932",
    "gb18030",
    "big5",
    "cp1252",
)
"""Encodings that a user may name."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = ("cp949", "cp932", "gb18030")
_ENOUGH = 12
"""Letters from which the writing is told: 12 Chinese ones seldom all look Hangul (about 1 in
1,000: half of written Chinese lies beyond the Hangul rows)."""


def decode_text(
    raw: bytes, encoding: str | None = None, expected: frozenset[str] = frozenset()
) -> tuple[str, str]:
    r"""The text, and the encoding it was read in.

    Parameters
    ----------
    raw
        All bytes.
    encoding
        As named by the user, or None to find it.
    expected
        Headings that a mapping names: the encoding that shows them is the right one.

    Raises
    ------
    CohortError
        If it cannot be decoded (naming the row), or more than one encoding may be meant.

    Examples
    --------
    >>> decode_text("subject,vas\n00123,1".encode("utf-8-sig"))
    ('subject,vas\n00123,1', 'utf-8-sig')
    >>> decode_text("환자,vas\n1,2".encode("cp949"), expected=frozenset({"환자"}))[1]
    'cp949'
    >>> decode_text("환자,vas\n1,2".encode("cp949"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: row 1: not UTF-8, and it may be cp949, cp932, ...
    """
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if encoding is not None:
        return _decode(raw, _as_marked(encoding, marked)), encoding
    if marked is not None:
        return _decode(raw, marked), marked
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        name = _find(raw, error.start, expected)
        return raw.decode(name), name


def _as_marked(encoding: str, marked: str | None) -> str:
    """With its byte order mark taken off, where the text has one of that encoding."""
    if marked is None or not marked.startswith(encoding.lower()[:6]):
        return encoding
    return marked


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = _row_of(raw, error.start)
        raise CohortError(f"row {row}: byte {error.start} is not {encoding}") from error


def _find(raw: bytes, first_byte: int, expected: frozenset[str]) -> str:
    texts = dict(_decodable(raw))
    fitting = _with_headings(texts, expected) or _in_one_writing(texts)
    if len(fitting) == 1:
        return fitting[0]
    row = _row_of(raw, first_byte)
    if not texts:
        raise CohortError(f"row {row}: byte {first_byte} is not UTF-8; name it with --encoding")
    raise CohortError(
        f"row {row}: not UTF-8, and it may be {', '.join(texts)}; name it with --encoding"
    )


def _decodable(raw: bytes) -> Iterable[tuple[str, str]]:
    for name in _GUESSED:
        try:
            yield name, raw.decode(name)
        except UnicodeDecodeError:
            continue


def _with_headings(texts: dict[str, str], expected: frozenset[str]) -> list[str]:
    """Encodings that show the headings that no other shows."""
    telling = [heading for heading in expected if not heading.isascii()]
    return [
        name
        for name, text in texts.items()
        if telling and all(heading in text[:1_000_000] for heading in telling)
    ]


def _in_one_writing(texts: dict[str, str]) -> list[str]:
    """Encodings in which every letter beyond ASCII belongs to one living writing."""
    return [name for name, text in texts.items() if _is_telling(name, text[:1_000_000])]


def _is_telling(name: str, text: str) -> bool:
    letters = [letter for letter in text if not letter.isascii() and letter.isalpha()]
    if len(set(letters)) < _ENOUGH:
        return False
    if name == "cp949":
        rows = {letter.encode("cp949")[:1] for letter in letters}
        return all(b"\xb0" <= row <= b"\xc8" for row in rows)
    if name == "cp932":
        kana = sum("\u3041" <= letter <= "\u30fc" for letter in letters)
        return kana >= 0.2 * len(letters) and not any(
            "\uff61" <= one <= "\uff9f" for one in letters
        )
    common = sum(b"\xb0" <= letter.encode("gb18030")[:1] <= b"\xd7" for letter in letters)
    beyond = sum(b"\xc9" <= letter.encode("gb18030")[:1] <= b"\xd7" for letter in letters)
    return common >= 0.97 * len(letters) and beyond >= 0.2 * len(letters)


def _row_of(raw: bytes, place: int) -> int:
    return raw[:place].count(b"\n") + 1
