"""Values of ordinary elements as pydicom gives them, where there can be no doubt."""

import math
import re
import struct

from pydicom.charset import python_encoding
from pydicom.multival import MultiValue

__all__ = ["SHORT_VRS", "Unusual", "is_plain_charset", "plain_value"]

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Value representations whose length takes two bytes."""

_NUMBER = re.compile(r" *[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})? *")
_WHOLE = re.compile(r" *[+-]?[0-9]{1,9} *")
_PRINTABLE = re.compile(rb"[ -~]*")
_SAFE_TEXT = re.compile(rb"[ -\[\]-}]*")
_CHARSETS = frozenset(name.encode("ascii") for name in python_encoding)
_TEXTS = frozenset({"LO", "SH"})
_STRINGS = frozenset({"CS", "DS", "IS", "UI"})
_BINARY = {"US": struct.Struct("<H"), "FD": struct.Struct("<d")}


class Unusual(Exception):  # noqa: N818
    """A header, or a value, that is left to pydicom. Never leaves the loader.

    Parameters
    ----------
    short
        Whether only the bytes at hand did not suffice.
    """

    def __init__(self, *, short: bool = False) -> None:
        self.short = short
        super().__init__()


def is_plain_charset(raw: bytes) -> bool:
    r"""Whether plain ASCII stands for itself, but for ``\\`` and ``~``, in these character sets.

    Parameters
    ----------
    raw
        Value of ``SpecificCharacterSet``.

    Examples
    --------
    >>> (
    ...     is_plain_charset(b"ISO_IR 100"),
    ...     is_plain_charset(rb"\\ISO 2022 IR 87"),
    ...     is_plain_charset(b"X"),
    ... )
    (True, True, False)
    """
    return all(name.strip(b" ") in _CHARSETS for name in raw.split(b"\\"))


def plain_value(raw: bytes, vr: str) -> object:
    r"""The value of an element.

    Parameters
    ----------
    raw
        Its bytes.
    vr
        Its value representation.

    Returns
    -------
    object
        Text, a number, or pydicom's ``MultiValue`` of them; where it is empty, what pydicom says
        for empty.

    Raises
    ------
    Unusual
        If the value is not written as the standard says, or needs its character set.

    Examples
    --------
    >>> plain_value(b"ORIGINAL\\PRIMARY ", "CS"), plain_value(b"0.50\\0.7", "DS")
    (['ORIGINAL', 'PRIMARY'], [0.5, 0.7])
    >>> plain_value(b"0,5 ", "DS")
    Traceback (most recent call last):
    ...
    necroangle.dicom.plain_values.Unusual
    """
    if vr in _BINARY:
        if len(raw) != _BINARY[vr].size:
            raise Unusual
        return _BINARY[vr].unpack(raw)[0]
    if vr in _TEXTS:
        if not _SAFE_TEXT.fullmatch(raw):
            raise Unusual
        return raw.decode("ascii").rstrip(" ")
    if vr == "UI" and raw.endswith(b"\0"):
        raw = raw[:-1]
    if vr not in _STRINGS or not _PRINTABLE.fullmatch(raw):
        raise Unusual
    text = raw.decode("ascii").rstrip(" ")
    return _number(text, vr) if vr in ("DS", "IS") else _words(text, vr)


def _words(text: str, vr: str) -> object:
    if "\\" not in text:
        return text
    if vr == "UI":
        raise Unusual
    return MultiValue(str, text.split("\\"))


def _number(text: str, vr: str) -> object:
    if not text:
        return None
    if vr == "IS":
        if not _WHOLE.fullmatch(text):
            raise Unusual
        return int(text)
    parts = text.split("\\")
    if not all(map(_NUMBER.fullmatch, parts)):
        raise Unusual
    values = list(map(float, parts))
    if not all(map(math.isfinite, values)):
        raise Unusual
    return values[0] if len(values) == 1 else MultiValue(float, values)
