"""How a file is written: where its data set starts, its byte order, and whether VRs are stated."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from pydicom.values import converters

from necroangle.errors import DicomError

__all__ = ["DIRECTORY", "LONG_VRS", "Encoding", "file_encoding", "inflated"]

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
