"""A walk over the elements of a file, without recursion, before a parser is let near it.

A few bytes can make a parser recurse until its stack is full, build millions of items or let a
decoder fill the memory. The walk reads tags and lengths only and refuses such files.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from pydicom.datadict import dictionary_VR

from necroangle.dicom.codestream import stated_size
from necroangle.dicom.encoding import LONG_VRS, Encoding
from necroangle.errors import DicomError

__all__ = ["check_elements"]

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
_FRAME_HEAD = 64 * 1024


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


def check_elements(stream: BinaryIO, size: int, encoding: Encoding, *, whole: bool = False) -> None:
    """Walk over all elements of a data set.

    Parameters
    ----------
    stream
        The file, or the inflated data set.
    size
        Its size in bytes.
    encoding
        How it is written.
    whole
        Whether pixel data that run past the end are refused too.

    Raises
    ------
    DicomError
        If sequences are nested too deep, elements are too many, one runs past the end of the
        file, or a compressed frame states another size than the header.
    """
    _Walk(stream, size, encoding, whole).run()


class _Walk:
    def __init__(self, stream: BinaryIO, size: int, encoding: Encoding, whole: bool) -> None:
        order = "<" if encoding.little else ">"
        self._tag = struct.Struct(order + "HH")
        self._short = struct.Struct(order + "H")
        self._long = struct.Struct(order + "I")
        self._stream, self._size, self._place = stream, size, encoding.start
        self._chunk, self._chunk_place = b"", 0
        self._whole = whole
        self._compressed = encoding.syntax not in _NATIVE
        self._matrix: dict[int, int] = {}
        implicit = self._is_implicit(self._place, encoding.implicit, is_sequence=False)
        self._levels = [_Level(size, False, False, implicit)]

    def run(self) -> None:
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
        if tag in _PIXELS and len(self._levels) == 1 and length != _UNDEFINED:
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
        if self._whole and left < length:
            raise DicomError(f"cut short: found {left} vs {length} bytes expected", tag="PixelData")
        end = start + min(length, left)
        self._place = start if self._compressed else end
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
        if len(self._levels) != 2 or len(self._matrix) != 2 or length < 8:
            return
        offset = self._at(start, 8)
        if self._chunk[offset] in (0xFF, 0x00):
            self._check_frame(start, min(length, _FRAME_HEAD))

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
