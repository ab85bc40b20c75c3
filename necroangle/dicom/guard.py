"""What is opened at all, and the walk over a file before a parser is let near it.

A few bytes can make a parser recurse until its stack is full, build millions of items or let a
decoder fill the memory. Every file that the fast reader leaves is walked first: tags and lengths
only, without recursion. What an error may say is settled here too.
"""

import io
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pydicom.datadict import dictionary_VR
from pydicom.values import converters

from necroangle.errors import DicomError
from necroangle.silence import silence
from necroangle.storage import BINARY

DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP class of a ``DICOMDIR``: it is never parsed, and no path in it is ever followed."""

LONG_VRS = frozenset(
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)
"""Value representations whose length takes four bytes."""

_PREAMBLE = 132
_IMPLICIT = "1.2.840.10008.1.2"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_SYNTAX, _SOP_CLASS = 0x0010, 0x0002
_MAX_META_ELEMENTS = 64
_MAX_META_VALUE = 64 * 1024
_PIECE = 1024**2


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the data set of a file is written.

    Attributes
    ----------
    start
        Where the data set starts, bytes from the start of the file.
    implicit, little
        No VRs are stated; least significant byte first.
    deflated
        The data set is compressed as a whole.
    syntax, sop_class
        As the file meta information states them, or empty strings.
    """

    start: int
    implicit: bool
    little: bool
    deflated: bool
    syntax: str
    sop_class: str


def file_encoding(stream: BinaryIO, head: bytes, size: int) -> Encoding:
    """Read the file meta information.

    A file that states no transfer syntax is guessed by its first element, as pydicom does.

    Parameters
    ----------
    stream
        The file.
    head
        Its first bytes.
    size
        Its size in bytes.

    Raises
    ------
    DicomError
        If the meta information is cut short or damaged, or neither a transfer syntax nor a first
        element says how the data set is written.
    """
    place = _PREAMBLE if head[128:_PREAMBLE] == b"DICM" else 0
    found = {_SYNTAX: "", _SOP_CLASS: ""}
    for _ in range(_MAX_META_ELEMENTS):
        stream.seek(place)
        start = stream.read(12)
        if len(start) < 8 or start[:2] != b"\x02\x00":
            break
        element, value_place, length = _meta_element(start, place)
        if value_place + length > size:
            raise DicomError(
                f"file meta information: element (0002,{element:04X}) states {length} bytes, "
                f"{size - value_place} are left: cut short or damaged"
            )
        if element in found:
            stream.seek(value_place)
            value = stream.read(min(length, _MAX_META_VALUE))
            found[element] = value.decode("latin-1").strip(" \0")
        place = value_place + length
    return _encoding(place, start, found[_SYNTAX], found[_SOP_CLASS])


def _meta_element(start: bytes, place: int) -> tuple[int, int, int]:
    element = int.from_bytes(start[2:4], "little")
    vr = start[4:6]
    if vr in LONG_VRS:
        return element, place + 12, int.from_bytes(start[8:12], "little")
    width = 2 if b"AA" <= vr <= b"ZZ" else 4
    return element, place + 8, int.from_bytes(start[8 - width : 8], "little")


def _encoding(place: int, start: bytes, syntax: str, sop_class: str) -> Encoding:
    if syntax:
        return Encoding(
            place,
            implicit=syntax == _IMPLICIT,
            little=syntax != _BIG_ENDIAN,
            deflated=syntax == _DEFLATED,
            syntax=syntax,
            sop_class=sop_class,
        )
    (group,) = struct.unpack("<H", start[:2]) if len(start) >= 8 else (0xFFFF,)
    if group not in (0x0000, 0x0002, 0x0008, 0x0200, 0x0800):
        raise DicomError(
            "no transfer syntax, and no element follows: not a data set, or damaged",
            tag="TransferSyntaxUID",
        )
    explicit = start[4:6].decode("latin-1") in converters
    little = not (explicit and group >= 0x0100)
    return Encoding(place, not explicit, little, False, "", sop_class)


def inflated(stream: BinaryIO, start: int, limit: int) -> io.BytesIO:
    """Inflate the data set of a deflated file, up to so many bytes.

    Raises
    ------
    DicomError
        If it cannot be inflated, or grows beyond the limit.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    whole = io.BytesIO()
    stream.seek(start)
    try:
        while not inflater.eof and (piece := inflater.unconsumed_tail or stream.read(_PIECE)):
            room = limit + 1 - whole.tell()
            whole.write(inflater.decompress(piece, room))
            if whole.tell() > limit:
                raise DicomError(f"inflates to more than {limit} bytes")
    except zlib.error:
        raise DicomError("cannot be inflated: damaged") from None
    if not inflater.eof:
        raise DicomError("cannot be inflated: cut short")
    return whole


MAX_DEPTH = 32
"""Sequences nested deeper than this are refused: those of an image go about six deep."""

MAX_ELEMENTS = 200_000
"""Files of more elements and items are refused."""

_UNDEFINED = 0xFFFFFFFF
_ITEM_GROUP, _ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE, 0xE000, 0xE00D, 0xE0DD
_PIXELS = (0x7FE00010, 0x7FE00008, 0x7FE00009)
_ROWS, _COLUMNS = 0x00280010, 0x00280011
_NATIVE = ("", *(f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".1.99")))
_CHUNK = 16 * 1024
FRAME_HEAD = 64 * 1024
"""So many bytes of a compressed frame are looked at for its size."""


@dataclass(slots=True)
class _Level:
    """Where the walk is: within a data set, a sequence or the fragments of frames.

    ``bounded``: within a sequence of stated length, which parsers pass over as a whole; damage
    in there harms nothing.
    """

    end: int
    delimited: bool
    items: bool
    implicit: bool
    bounded: bool = False
    fragments: bool = False


def check_elements(stream: BinaryIO, size: int, encoding: Encoding) -> int | None:
    """Walk over all elements of a data set.

    Parameters
    ----------
    stream
        The file, or the inflated data set.
    size
        Its size in bytes.
    encoding
        How it is written.

    Returns
    -------
    int or None
        Bytes of its pixel data: those of all frames where they are compressed. None without any.

    Raises
    ------
    DicomError
        If sequences are nested too deep, elements are too many, one runs past the end of the
        file, or a compressed frame states another size than the header.
    """
    return _Walk(stream, size, encoding).run()


class _Walk:
    def __init__(self, stream: BinaryIO, size: int, encoding: Encoding) -> None:
        order = "<" if encoding.little else ">"
        self._tag = struct.Struct(order + "HH")
        self._short = struct.Struct(order + "H")
        self._long = struct.Struct(order + "I")
        self._stream, self._size, self._place = stream, size, encoding.start
        self._chunk, self._chunk_place = b"", 0
        self._pixel_bytes: int | None = None
        self._table_is_past = False
        self._compressed = encoding.syntax not in _NATIVE
        self._matrix: dict[int, int] = {}
        implicit = self._is_implicit(self._place, encoding.implicit, is_sequence=False)
        self._levels = [_Level(size, False, False, implicit)]

    def run(self) -> int | None:
        count = 0
        while self._levels:
            level = self._levels[-1]
            if self._place + 8 > level.end:
                self._leave(level)
                continue
            count += 1
            if count > MAX_ELEMENTS:
                raise DicomError(f"more than {MAX_ELEMENTS} elements and items")
            self._step(level)
        return self._pixel_bytes

    def _leave(self, level: _Level) -> None:
        if level.delimited and not level.bounded:
            what = "the frames" if level.fragments else "a sequence"
            raise DicomError(f"ends inside {what}: cut short or damaged")
        self._levels.pop()
        self._place = level.end

    def _step(self, level: _Level) -> None:
        offset = self._at(self._place, 12)
        group, element = self._tag.unpack_from(self._chunk, offset)
        if group == _ITEM_GROUP and element in (_ITEM_END, _SEQUENCE_END):
            self._end(level, items=element == _SEQUENCE_END)
        elif level.items:
            self._enter_item(level, offset)
        else:
            self._element(level, group << 16 | element, offset)

    def _end(self, level: _Level, *, items: bool) -> None:
        self._place += 8
        if level.delimited and level.items == items:
            self._levels.pop()

    def _enter_item(self, level: _Level, offset: int) -> None:
        (length,) = self._long.unpack_from(self._chunk, offset + 4)
        start = self._place + 8
        if level.fragments:
            self._fragment(start, length)
            return
        self._place = start
        end = self._end_of(start, length, "an item")
        implicit = self._is_implicit(start, level.implicit, is_sequence=True)
        self._levels.append(_Level(end, length == _UNDEFINED, False, implicit, level.bounded))

    def _element(self, level: _Level, tag: int, offset: int) -> None:
        vr, head, length = self._vr_and_length(level, offset)
        start = self._place + head
        if tag in _PIXELS and len(self._levels) == 1:
            self._pixel_bytes = 0
            if length != _UNDEFINED:
                self._pixels_of_stated_length(start, length)
                return
        end = self._end_of(start, length, f"element ({tag >> 16:04X},{tag & 0xFFFF:04X})")
        self._place = start
        if self._is_sequence(tag, vr, start, length):
            bounded = level.bounded or length != _UNDEFINED
            implicit = level.implicit or vr == b"UN"
            self._enter_sequence(_Level(end, length == _UNDEFINED, True, implicit, bounded))
        elif length == _UNDEFINED:
            self._levels.append(_Level(end, True, True, level.implicit, level.bounded, True))
        else:
            self._note_matrix(tag, length)
            self._place = end

    def _pixels_of_stated_length(self, start: int, length: int) -> None:
        left = max(0, self._size - start)
        if left < length:
            raise DicomError(f"cut short: found {left} vs {length} bytes expected", tag="PixelData")
        end = start + length
        self._place = start if self._compressed else end
        self._pixel_bytes = length
        if self._compressed:
            self._levels.append(_Level(end, False, True, False, bounded=True, fragments=True))

    def _enter_sequence(self, level: _Level) -> None:
        if sum(one.items for one in self._levels) >= MAX_DEPTH:
            raise DicomError(f"sequences nested deeper than {MAX_DEPTH}")
        self._levels.append(level)

    def _vr_and_length(self, level: _Level, offset: int) -> tuple[bytes, int, int]:
        vr = self._chunk[offset + 4 : offset + 6]
        if level.implicit or not b"AA" <= vr <= b"ZZ":
            return b"", 8, self._long.unpack_from(self._chunk, offset + 4)[0]
        if vr not in LONG_VRS:
            return vr, 8, self._short.unpack_from(self._chunk, offset + 6)[0]
        if offset + 12 > len(self._chunk):
            raise DicomError("ends inside an element: cut short")
        return vr, 12, self._long.unpack_from(self._chunk, offset + 8)[0]

    def _end_of(self, start: int, length: int, what: str) -> int:
        level = self._levels[-1]
        if length == _UNDEFINED or (level.bounded and start + length > level.end):
            return level.end
        if start + length > self._size:
            raise DicomError(
                f"{what} states {length} bytes, {max(0, self._size - start)} are left: cut short "
                "or damaged"
            )
        return start + length

    def _is_sequence(self, tag: int, vr: bytes, start: int, length: int) -> bool:
        if tag in _PIXELS or vr not in (b"SQ", b"", b"UN"):
            return False
        if length == _UNDEFINED:
            return True
        if length < 8 or start + 8 > self._size:
            return False
        offset = self._at(start, 8)
        is_item = self._tag.unpack_from(self._chunk, offset) == (_ITEM_GROUP, _ITEM)
        return is_item and (vr == b"SQ" or _dictionary_vr(tag) in ("SQ", "UN"))

    def _is_implicit(self, start: int, assumed: bool, *, is_sequence: bool) -> bool:
        if start + 8 > self._size or (is_sequence and assumed):
            return assumed
        offset = self._at(start, 8)
        if self._tag.unpack_from(self._chunk, offset)[0] == _ITEM_GROUP:
            return assumed
        first, second = self._chunk[offset + 4], self._chunk[offset + 5]
        return not (0x40 < first < 0x5B and 0x40 < second < 0x5B)

    def _note_matrix(self, tag: int, length: int) -> None:
        if tag in (_ROWS, _COLUMNS) and length == 2 and len(self._levels) == 1:
            offset = self._at(self._place, 2)
            self._matrix[tag] = self._short.unpack_from(self._chunk, offset)[0]

    def _fragment(self, start: int, length: int) -> None:
        end = self._end_of(start, 0 if length == _UNDEFINED else length, "a fragment of a frame")
        self._place = end
        if len(self._levels) == 2 and self._levels[-1].delimited:
            # the first item is a table of where the frames start
            self._pixel_bytes = (self._pixel_bytes or 0) + self._table_is_past * (end - start)
            self._table_is_past = True
        held = self._size - start if length == _UNDEFINED else end - start
        if len(self._levels) != 2 or len(self._matrix) != 2 or held < 8:
            return
        offset = self._at(start, 8)
        if self._chunk[offset] in (0xFF, 0x00):
            self._check_frame(start, min(held, FRAME_HEAD))

    def _check_frame(self, start: int, length: int) -> None:
        self._stream.seek(start)
        stated = stated_size(self._stream.read(length))
        expected = (self._matrix[_ROWS], self._matrix[_COLUMNS])
        if stated is not None and stated != expected:
            raise DicomError(
                f"a compressed frame states {stated[0]} x {stated[1]} pixels, the header "
                f"{expected[0]} x {expected[1]}: not decoded",
                tag="PixelData",
            )

    def _at(self, place: int, count: int) -> int:
        """Offset of a place in the chunk, so that ``count`` bytes follow (less at the end)."""
        offset = place - self._chunk_place
        if offset < 0 or offset + count > len(self._chunk):
            self._stream.seek(place)
            self._chunk, self._chunk_place, offset = self._stream.read(_CHUNK), place, 0
            if len(self._chunk) < min(count, self._size - place):
                raise DicomError("became shorter while it was read")
        return offset


def _dictionary_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


MAX_FILE_BYTES = 4 * 1024**3
"""Larger files are refused unread: no series of hip images comes near in one file."""

MAX_FRAME_PIXELS = 64 * 1024**2
"""Larger frames are refused at the header: no image of a hip comes near."""

MAX_INFLATED_BYTES = 128 * 1024**2
"""A deflated data set that grows beyond this is refused before it fills the memory."""

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
"""A file with such a name that is no DICOM file is refused aloud, not skipped in silence."""

_HEAD_BYTES = 1024
_OF_A_MAC = b"\x00\x05\x16\x07"
"""Begins the file ``._NAME`` that a Mac puts beside each file on a memory stick or a share."""
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"#!")


@contextmanager
def pydicom_door(file: str, doing: str, *, stage: str, quote: bool = False) -> Iterator[None]:
    """Let nothing but :class:`DicomError` out of a block that calls pydicom.

    pydicom's warnings and messages quote attribute values, and with them identities: warnings are
    silenced, log records kept from travelling on and messages withheld.

    Parameters
    ----------
    file
        Relative path, for the message.
    doing, stage
        What was being done: in words for the message, and as a stage.
    quote
        Whether the cause's own words may be repeated, and the cause handed on: only where no
        attribute value can stand in them, as in decoding.

    Raises
    ------
    DicomError
        For any exception within the block.

    Examples
    --------
    >>> with pydicom_door("a.dcm", "reading the header", stage="header"):
    ...     raise ValueError("PatientName^Secret")
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: a.dcm: reading the header failed (ValueError)
    """
    try:
        with silence:
            yield
    except DicomError:
        raise
    except Exception as error:
        cause = type(error).__name__
        words = " ".join(str(error).split())[:300] if quote else ""
        said = f"{cause}: {words}" if words else cause
        failed = DicomError(f"{doing} failed ({said})", file=file, stage=stage, cause=cause)
        error.__cause__ = error.__context__ = None
        raise failed from (error if quote else None)


@dataclass(frozen=True, slots=True)
class Walked:
    """A file that is worth parsing.

    Attributes
    ----------
    head
        Its first bytes, 1024 at most.
    pixel_bytes
        Bytes of its pixel data: those of all frames where they are compressed. None without any.
    """

    head: bytes
    pixel_bytes: int | None


def is_dicom(path: Path, file: str) -> bool:
    """Whether a file is worth parsing: as :func:`walked`, which says what was found on the way."""
    return walked(path, file) is not None


def walked(path: Path, file: str) -> Walked | None:
    """What a file is that is worth parsing; only a regular file is ever opened.

    All its elements are walked, as must be done before pydicom parses it. A file without the
    128-byte preamble counts when it starts with an element of group 0002 or 0008, as data sets
    written without file meta do. A ``DICOMDIR`` does not count: what it points to is found by
    walking the folder, and no path in it is ever followed.

    Parameters
    ----------
    path
        The file.
    file
        Its relative path, for the messages.

    Returns
    -------
    Walked or None
        None where the file is no DICOM file.

    Raises
    ------
    DicomError
        If the file is no regular file, cannot be read, is beyond the size cap, inflates beyond
        its cap, is built to overwhelm a parser or a decoder, is cut short, or is named as DICOM
        without being it.
    """
    try:
        with regular_file(path) as stream:
            return _walked(stream, path.suffix.lower() in DICOM_SUFFIXES)
    except DicomError as error:
        raise error.placed(file=file, stage="open") from None


def may_be_dicom(head: bytes, suffix: str) -> bool:
    r"""Whether a file is to be looked into, by its first bytes and the ending of its name.

    Examples
    --------
    >>> may_be_dicom(bytes(128) + b"DICM", ""), may_be_dicom(b"notes", ".txt")
    (True, False)
    """
    return (
        head[128:_PREAMBLE] == b"DICM"
        or _starts_with_element(head)
        or suffix.lower() in DICOM_SUFFIXES
    )


def is_program(head: bytes) -> bool:
    r"""Whether the first 132 bytes of a DICOM file are those of a program as well.

    Examples
    --------
    >>> is_program(b"MZ".ljust(128, b"\0") + b"DICM"), is_program(bytes(128) + b"DICM")
    (True, False)
    """
    return head[128:_PREAMBLE] == b"DICM" and head.startswith(_PROGRAMS)


@contextmanager
def regular_file(path: Path) -> Iterator[BinaryIO]:
    """A file opened for reading, where it is a regular one.

    Raises
    ------
    DicomError
        If it is a pipe, a device or a folder, is beyond the size cap, or cannot be read.
    """
    try:
        _check_regular(path.stat())
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY
        with os.fdopen(os.open(path, flags), "rb") as stream:
            _check_regular(os.fstat(stream.fileno()))
            yield stream
    except OSError as error:
        cause = type(error).__name__
        raise DicomError(f"cannot be read ({cause})", stage="open", cause=cause) from None


def _check_regular(info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise DicomError("no regular file (a pipe, a device, a folder): not opened")
    if info.st_size > MAX_FILE_BYTES:
        raise DicomError(f"{info.st_size} bytes, more than {MAX_FILE_BYTES}")


def _walked(stream: BinaryIO, named_dicom: bool) -> Walked | None:
    # a special file that answers "not now" to a read gives None
    head = stream.read(_HEAD_BYTES) or b""
    if not (head[128:_PREAMBLE] == b"DICM" or _starts_with_element(head)):
        if named_dicom and not head.startswith(_OF_A_MAC):
            what = "an empty file" if not head else "no DICOM file, whatever its name"
            raise DicomError(f"{what}: copy it again from its source")
        return None
    size = os.fstat(stream.fileno()).st_size
    encoding = file_encoding(stream, head, size)
    if encoding.sop_class == DIRECTORY:
        return None
    if encoding.deflated:
        plain = inflated(stream, encoding.start, MAX_INFLATED_BYTES)
        return Walked(head, check_elements(plain, plain.tell(), replace(encoding, start=0)))
    return Walked(head, check_elements(stream, size, encoding))


def _starts_with_element(head: bytes) -> bool:
    if len(head) < 8:
        return False
    first, second, third, fourth = head[:4]
    little = first in (2, 8) and second == 0 and fourth == 0
    big = first == 0 and second in (2, 8) and third == 0
    return little or big


# ---- what a compressed frame says of itself ------------------------------------------------------


_SOC_SIZ = b"\xff\x4f\xff\x51"
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
_SOI = b"\xff\xd8\xff"
_NO_FRAME_HEADER = {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_START_OF_SCAN = 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xD8)}


def stated_size(head: bytes) -> tuple[int, int] | None:
    r"""Rows and columns of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame.

    Parameters
    ----------
    head
        The first bytes of the frame, 64 KiB at most.

    Returns
    -------
    tuple of int, or None
        As the frame header says, (0, 0) where it says nonsense; None where the bytes start no
        such frame, or its header comes later.

    Examples
    --------
    >>> stated_size(b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01")
    (16, 32)
    >>> stated_size(b"no frame") is None
    True
    """
    if head.startswith(_JP2_BOX):
        found = head.find(_SOC_SIZ)
        return _siz(head[found:]) if found > 0 else None
    if head.startswith(_SOC_SIZ):
        return _siz(head)
    return _jpeg(head) if head.startswith(_SOI) else None


def _siz(head: bytes) -> tuple[int, int]:
    if len(head) < 42:
        return (0, 0)
    right, bottom, left, top, tile_width, tile_height = struct.unpack_from(">6I", head, 8)
    if left >= right or top >= bottom or not tile_width or not tile_height:
        return (0, 0)
    return (bottom - top, right - left)


def _jpeg(head: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in _STANDALONE:
            place += 2
        elif marker == _START_OF_SCAN:
            return (0, 0)
        elif _starts_frame(marker):
            rows, columns = struct.unpack_from(">2H", head, place + 5)
            return (rows, columns) if rows and columns else (0, 0)
        else:
            place += 2 + max(2, int.from_bytes(head[place + 2 : place + 4], "big"))
    return None


def _starts_frame(marker: int) -> bool:
    return marker == _JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER)
