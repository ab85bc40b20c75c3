"""Ordinary headers straight from their bytes; whatever deviates is left to pydicom."""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.uid import AllTransferSyntaxes

from necroangle.dicom.guard import DIRECTORY, LONG_VRS, is_program

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""Value representations whose length takes two bytes."""

_NUMBER = re.compile(r" *[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})? *")
_WHOLE = re.compile(r" *[+-]?[0-9]{1,9} *")
_PRINTABLE = re.compile(rb"[ -~]*")
_SAFE_TEXT = re.compile(rb"[ -\[\]-}]*")
_CHARSETS = frozenset(name.encode("ascii") for name in python_encoding)
_TEXTS = frozenset({"LO", "SH"})
_STRINGS = frozenset({"CS", "DS", "IS", "TM", "UI"})
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
    necroangle.dicom.plain.Unusual
    """
    return short_value(raw, vr) if len(raw) <= _SHORT_BYTES else _value(raw, vr)


def _value(raw: bytes, vr: str) -> object:
    if vr in _BINARY:
        values = [found for (found,) in _several(raw, vr)]
        return values[0] if len(values) == 1 else MultiValue(float, values)
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


_SHORT_BYTES = 64
short_value = lru_cache(maxsize=1024)(_value)
"""Short values come again and again along a folder; nobody changes what is found."""


def _several(raw: bytes, vr: str) -> Iterator[tuple[float]]:
    """So many numbers as the bytes hold; several only of the kind that may be several."""
    size = _BINARY[vr].size
    if len(raw) != size and (vr != "FD" or not raw or len(raw) % size):
        raise Unusual
    return _BINARY[vr].iter_unpack(raw)


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


MAX_DEPTH = 16
"""Sequences nested deeper are unusual."""

_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_TAG, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF

_long = struct.Struct("<L").unpack_from
_tag_length = struct.Struct("<HHL").unpack_from


def past_items(head: bytes, offset: int, end: int | None, implicit: bool, depth: int) -> int:
    """Where the items of a sequence end.

    Parameters
    ----------
    head
        The bytes that hold the sequence.
    offset, end
        Where its first item starts, and where its value ends, if its length is stated.
    implicit
        Whether no value representations are stated in it.
    depth
        1 for a sequence of the data set itself.

    Raises
    ------
    Unusual
        If it is nested too deep, or not of the ordinary form.
    struct.error
        If it goes on beyond the bytes at hand.
    """
    if depth > MAX_DEPTH:
        raise Unusual
    while offset != end:
        group, number, length = _tag_length(head, offset)
        tag = group << 16 | number
        offset += 8
        if tag == _SEQUENCE_END and length == 0 and end is None:
            return offset
        if tag != _ITEM_TAG:
            raise Unusual
        item_end = None if length == _UNDEFINED else offset + length
        if end is not None and (item_end or 0) > end:
            raise Unusual
        offset = _past_elements(head, offset, item_end, implicit, depth)
    return offset


def _past_elements(head: bytes, offset: int, end: int | None, implicit: bool, depth: int) -> int:
    last = 0
    while offset != end:
        group, number, length = _tag_length(head, offset)
        tag = group << 16 | number
        if tag == _ITEM_END and length == 0 and end is None:
            return offset + 8
        if tag <= last or group == 0xFFFE:
            raise Unusual
        last = tag
        offset = _past_value(head, offset, implicit, depth)
        if end is not None and offset > end:
            raise Unusual
    return offset


def _past_value(head: bytes, offset: int, implicit: bool, depth: int) -> int:
    vr = b"" if implicit else head[offset + 4 : offset + 6]
    if vr in SHORT_VRS:
        return offset + 8 + (head[offset + 6] | head[offset + 7] << 8)
    if implicit:
        offset += 8
    elif vr in LONG_VRS:
        offset += 12
    else:
        raise Unusual
    (length,) = _long(head, offset - 4)
    if length == _UNDEFINED:
        if vr not in (b"SQ", b""):
            raise Unusual
        return past_items(head, offset, None, implicit, depth + 1)
    end: int = offset + length
    unstated = vr in (b"", b"UN")
    if length and (vr == b"SQ" or (unstated and head.startswith(_ITEM, offset))):
        return past_items(head, offset, end, unstated, depth + 1)
    return end


PIXEL_DATA = 0x7FE00010

_PREAMBLE, _LONG_HEAD = 132, 12
_LAST_BEFORE = 0x0007FFFF
_FLOAT_PIXELS = 0x7FE00008
_CHARSET = "SpecificCharacterSet"
_IMPLICIT = "1.2.840.10008.1.2"
_NATIVE = (_IMPLICIT, "1.2.840.10008.1.2.1")
_EITHER = b"US or SS"
_SYNTAXES = frozenset(
    str(syntax)
    for syntax in AllTransferSyntaxes
    if syntax.is_little_endian and not syntax.is_deflated
)
_short = struct.Struct("<HH2sH").unpack_from
_long = struct.Struct("<L").unpack_from
_implicit = struct.Struct("<HHL").unpack_from


@dataclass(frozen=True, slots=True, eq=False)
class PlainHeader:
    """What was asked of a header, under pydicom's keywords; stands in for its data set.

    Attributes
    ----------
    raw
        Keyword to the bytes of its value.
    syntax
        Transfer syntax UID.
    pixel_vr, pixel_start, pixel_bytes
        Value representation of the pixel data (empty in implicit files), and where its value
        lies; ``pixel_bytes`` is None for encapsulated frames.
    ends_file
        Whether nothing follows the pixel data, so that all of the file has been looked at.
    program
        Whether the file is a program at the same time.
    """

    raw: dict[str, bytes]
    syntax: str
    pixel_vr: str
    pixel_start: int
    pixel_bytes: int | None
    ends_file: bool
    program: bool

    def get(self, keyword: str, default: object = None) -> object:
        """The value of an attribute, or the default where it is absent.

        Raises
        ------
        Unusual
            If there can be doubt what the value is.
        """
        raw = self.raw.get(keyword)
        return default if raw is None else plain_value(raw, _vr(keyword))

    def __contains__(self, keyword: object) -> bool:
        return keyword in self.raw

    def __getattr__(self, name: str) -> NoReturn:
        """Any other use of a data set asks for a true one."""
        raise Unusual


def scan_elements(head: bytes, size: int, keywords: tuple[str, ...]) -> PlainHeader:
    """The attributes of these names, from the first bytes of a file.

    Parameters
    ----------
    head
        The first bytes: all up to the pixel data.
    size
        Length of the whole file, bytes.
    keywords
        Which attributes.

    Raises
    ------
    Unusual
        If the header is not of the ordinary form; ``short`` if more bytes may help.
    """
    wanted = _wanted(keywords)
    try:
        start, syntax = _file_meta(head)
        walk = _walk_implicit if syntax == _IMPLICIT else _walk_explicit
        raw, vr, start, length = walk(head, start, wanted)
    except struct.error:
        raise Unusual(short=True) from None
    encapsulated = length == _UNDEFINED
    if encapsulated == (syntax in _NATIVE) or (not encapsulated and start + length > size):
        raise Unusual
    if not is_plain_charset(raw.get(_CHARSET, b"")):
        raise Unusual
    return PlainHeader(raw, syntax, vr, start, *_extent(start, length, size), is_program(head))


def element_bounds(head: bytes, header: PlainHeader) -> list[tuple[int, int]] | None:
    """Where each element starts and ends, file meta included, up to the pixel data.

    Parameters
    ----------
    head
        The first bytes of a file.
    header
        What :func:`scan_elements` found in them.

    Returns
    -------
    list of (start, end), or None
        None in an implicit file: its elements do not say what they are.
    """
    if not header.pixel_vr:
        return None
    found, offset = [], _PREAMBLE
    while offset < header.pixel_start - _LONG_HEAD:
        end = past_element(head, offset)
        found.append((offset, end))
        offset = end
    return found


def past_element(head: bytes, offset: int) -> int:
    """Where an element of the data set or of the file meta ends, explicit little endian."""
    vr = head[offset + 4 : offset + 6]
    if vr in SHORT_VRS:
        return offset + 8 + (head[offset + 6] | head[offset + 7] << 8)
    (length,) = _long(head, offset + 8)
    return past_long(head, offset + _LONG_HEAD, length, vr)


def _extent(start: int, length: int, size: int) -> tuple[int | None, bool]:
    return (None, False) if length == _UNDEFINED else (length, start + length == size)


Found = tuple[dict[str, bytes], str, int, int]
Wanted = dict[int, tuple[str, bytes]]


@lru_cache(maxsize=8)
def _wanted(keywords: tuple[str, ...]) -> Wanted:
    wanted: Wanted = {}
    for keyword in (*keywords, _CHARSET):
        tag = tag_for_keyword(keyword)
        assert tag is not None  # noqa: S101
        wanted[tag] = (keyword, dictionary_VR(tag).encode())
    return wanted


@lru_cache(maxsize=256)
def _vr(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    assert tag is not None  # noqa: S101
    return dictionary_VR(tag)


def _file_meta(head: bytes) -> tuple[int, str]:
    """Where the data set starts, and its transfer syntax."""
    if head[128:132] != b"DICM":
        raise Unusual
    offset, last = 132, -1
    found = {0x0002: b"", 0x0010: b""}
    while True:
        group, number, vr, length = _short(head, offset)
        if group != 2:
            break
        offset += 8
        if number <= last or (vr not in SHORT_VRS and vr not in LONG_VRS):
            raise Unusual
        if vr in LONG_VRS:
            (length,) = _long(head, offset)
            offset += 4
        last = number
        if number in found:
            found[number] = head[offset : offset + length]
        offset += length
    return offset, _checked_syntax(found[0x0010], found[0x0002])


def _checked_syntax(raw: bytes, sop_class: bytes) -> str:
    syntax = raw.rstrip(b"\0 ").decode("ascii", "replace")
    if syntax not in _SYNTAXES or sop_class.startswith(DIRECTORY.encode()):
        raise Unusual
    return syntax


def _walk_explicit(head: bytes, offset: int, wanted: Wanted) -> Found:
    raw: dict[str, bytes] = {}
    last = _LAST_BEFORE
    while True:
        group, number, vr, length = _short(head, offset)
        tag = group << 16 | number
        if tag <= last:
            raise Unusual
        last = tag
        offset += 8
        if vr not in SHORT_VRS:
            if vr not in LONG_VRS or length or tag in wanted:
                raise Unusual
            (length,) = _long(head, offset)
            offset += 4
            if tag >= _FLOAT_PIXELS:
                return raw, _pixel_vr(tag, vr), offset, length
            offset = past_long(head, offset, length, vr)
            continue
        if tag in wanted:
            keyword, due = wanted[tag]
            if vr != due and not (due == _EITHER and vr in _EITHER):
                raise Unusual
            raw[keyword] = head[offset : offset + length]
        offset += length


def _pixel_vr(tag: int, vr: bytes) -> str:
    if tag != PIXEL_DATA or vr not in (b"OB", b"OW"):
        raise Unusual
    return vr.decode()


def _walk_implicit(head: bytes, offset: int, wanted: Wanted) -> Found:
    raw: dict[str, bytes] = {}
    last = _LAST_BEFORE
    if head[offset + 4 : offset + 6].isalpha():
        raise Unusual
    while True:
        group, number, length = _implicit(head, offset)
        tag = group << 16 | number
        if tag <= last:
            raise Unusual
        last = tag
        offset += 8
        if tag >= _FLOAT_PIXELS:
            if tag != PIXEL_DATA:
                raise Unusual
            return raw, "", offset, length
        if tag in wanted:
            keyword, due = wanted[tag]
            if due == b"SQ" or length == _UNDEFINED:
                raise Unusual
            raw[keyword] = head[offset : offset + length]
            offset += length
        else:
            offset = past_long(head, offset, length, b"")


def past_long(head: bytes, offset: int, length: int, vr: bytes) -> int:
    """Where the value of an element ends that may be a sequence."""
    implicit = vr in (b"", b"UN")
    if length == _UNDEFINED:
        if vr not in (b"SQ", b""):
            raise Unusual
        return past_items(head, offset, None, implicit, 1)
    end = offset + length
    if length and (vr == b"SQ" or (implicit and head.startswith(_ITEM, offset))):
        if end > len(head):
            raise Unusual(short=True)
        _check_items(head[offset:end], implicit)
    return end


@lru_cache(maxsize=512)
def _check_items(items: bytes, implicit: bool) -> None:
    past_items(items, 0, len(items), implicit, 1)


# ---- headers that are like the one before --------------------------------------------------------
# Nearly all bytes of a slice's header are those of its neighbour's. What is learnt from one full
# scan is which stretches stay, byte by byte, and which elements vary; a header that deviates from
# that is scanned in full, and so are all headers of a form that is not learnt in a few attempts.


MOST_LESSONS = 8
"""After so many full scans in a row no more is learnt: the headers are not like each other."""

_FIXED = {b"\x02\x00\x02\x00", b"\x02\x00\x10\x00", b"\x08\x00\x05\x00"}
"""SOP class and transfer syntax of the file meta, and the character set: what rules all else."""


@dataclass(frozen=True, slots=True)
class _Varying:
    """An element whose value differs: its tag and VR, and its keyword where it was asked for."""

    start: bytes
    keyword: str | None


@dataclass(frozen=True, slots=True)
class _Form:
    """What headers have in common.

    Attributes
    ----------
    parts
        Bytes that stay, and elements that vary, in their order up to the pixels.
    elements
        The bytes of each element by its tag and VR, of the header that was learnt last.
    varying
        Tag and VR of the elements that vary.
    header
        That header.
    """

    parts: tuple[bytes | _Varying, ...]
    elements: dict[bytes, bytes]
    varying: frozenset[bytes]
    header: PlainHeader

    def read(self, head: bytes, size: int) -> PlainHeader | None:
        """A header of this form; None where it deviates."""
        raw = dict(self.header.raw)
        offset = 0
        for part in self.parts:
            if isinstance(part, bytes):
                if not head.startswith(part, offset):
                    return None
                offset += len(part)
                continue
            if not head.startswith(part.start, offset):
                return None
            end = past_element(head, offset)
            if part.keyword is not None:
                raw[part.keyword] = head[offset + 8 : end]
            offset = end
        pixel_bytes = self.header.pixel_bytes
        pixels_end = None if pixel_bytes is None else offset + pixel_bytes
        if pixels_end is not None and pixels_end > size:
            return None
        like, ends_file = self.header, pixels_end == size
        return PlainHeader(
            raw, like.syntax, like.pixel_vr, offset, pixel_bytes, ends_file, like.program
        )


class HeaderReader:
    """Scans headers for the attributes of these names: as ``scan_elements``, only faster.

    Parameters
    ----------
    keywords
        Which attributes.
    """

    def __init__(self, keywords: tuple[str, ...]) -> None:
        self._keywords = keywords
        self._form: _Form | None = None
        self._lessons = 0

    def scan(self, head: bytes, size: int) -> PlainHeader:
        """The attributes, from the first bytes of a file.

        Raises
        ------
        Unusual
            As :func:`necroangle.dicom.plain.scan_elements`.
        """
        if self._form is not None:
            try:
                found = self._form.read(head, size)
            except (IndexError, struct.error, Unusual):
                found = None
            if found is not None:
                self._lessons = 0
                return found
        header = scan_elements(head, size, self._keywords)
        if self._lessons < MOST_LESSONS:
            self._lessons += 1
            self._form = _learnt(self._form, head, header)
        return header


def _learnt(before: _Form | None, head: bytes, header: PlainHeader) -> _Form | None:
    """What a header has in common with the one before, if it has the same elements at all."""
    bounds = element_bounds(head, header)
    if bounds is None:
        return None
    elements = {head[start : start + 6]: head[start:end] for start, end in bounds}
    varying: frozenset[bytes] = frozenset()
    if before is not None and list(before.elements) == list(elements):
        changed = {key for key, value in elements.items() if before.elements[key] != value}
        varying = before.varying | changed
    if any(key[:4] in _FIXED for key in varying):
        varying = frozenset()
    parts = tuple(_parts(head, bounds, varying, header))
    return _Form(parts, elements, varying, header)


def _parts(
    head: bytes, bounds: list[tuple[int, int]], varying: frozenset[bytes], header: PlainHeader
) -> Iterator[bytes | _Varying]:
    names = {_tag_bytes(keyword): keyword for keyword in header.raw}
    kept = 0
    for start, end in bounds:
        key = head[start : start + 6]
        if key not in varying:
            continue
        if kept < start:
            yield head[kept:start]
        yield _Varying(key, names.get(key[:4]))
        kept = end
    yield head[kept : header.pixel_start]


def _tag_bytes(keyword: str) -> bytes:
    tag = tag_for_keyword(keyword) or 0
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)
