"""DICOM files written byte by byte, so that nothing stops a test from writing a bad one."""

import struct
from collections.abc import Mapping
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

EXPLICIT = "1.2.840.10008.1.2.1"
LONG = ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_NUMBERS = {"US": "<H", "SS": "<h", "UL": "<I", "SL": "<i", "FL": "<f", "FD": "<d"}

MR_IMAGE: dict[str, Any] = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "SOPInstanceUID": "1.2.9.1",
    "StudyInstanceUID": "1.2.9",
    "SeriesInstanceUID": "1.2.9.4",
    "FrameOfReferenceUID": "1.2.9.5",
    "Modality": "MR",
    "ImageType": "ORIGINAL\\PRIMARY",
    "PatientID": "PAT-9",
    "ImagePositionPatient": "0\\0\\0",
    "ImageOrientationPatient": "1\\0\\0\\0\\0\\-1",
    "PixelSpacing": "0.5\\0.5",
    "PhotometricInterpretation": "MONOCHROME2",
    "SamplesPerPixel": 1,
    "Rows": 16,
    "Columns": 16,
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
    "PixelData": bytes(512),
}
"""One slice of 16 x 16 pixels."""


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """One explicit little endian element; ``length`` overrides what the value says."""
    stated = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode("ascii")
    head += struct.pack("<HI", 0, stated) if vr in LONG else struct.pack("<H", stated)
    return head + value


def encoded(tag: int, vr: str, value: Any) -> bytes:
    """A value as the bytes of one element, padded to an even length."""
    if isinstance(value, bytes):
        raw = value
    elif vr in _NUMBERS:
        raw = struct.pack(_NUMBERS[vr], value)
    else:
        raw = str(value).encode("utf-8")
    if len(raw) % 2:
        raw += b"\0" if vr in ("UI", "OB") else b" "
    return element(tag, vr, raw)


def elements(values: Mapping[int, bytes]) -> bytes:
    """Elements in the order of their tags."""
    return b"".join(values[tag] for tag in sorted(values))


def keyword_elements(values: Mapping[str, Any]) -> dict[int, bytes]:
    """Elements by keyword; a value None leaves one out."""
    found = {}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None
        vr = "OW" if keyword == "PixelData" else dictionary_VR(tag)[:2]
        if value is not None:
            found[tag] = encoded(tag, vr, value)
    return found


def whole_file(
    dataset: bytes,
    syntax: str | None = EXPLICIT,
    sop_class: str = "1.2.840.10008.5.1.4.1.1.4",
    preamble: bytes = b"",
) -> bytes:
    """Preamble, file meta and data set."""
    meta = encoded(0x00020002, "UI", sop_class) + encoded(0x00020003, "UI", "1.2.9.1")
    if syntax is not None:
        meta += encoded(0x00020010, "UI", syntax)
    group = encoded(0x00020000, "UL", len(meta))
    return preamble.ljust(128, b"\0") + b"DICM" + group + meta + dataset


def mr_file(
    values: Mapping[str, Any] | None = None,
    extra: Mapping[int, bytes] | None = None,
    syntax: str = EXPLICIT,
    preamble: bytes = b"",
) -> bytes:
    """A slice of 16 x 16 pixels, with these attributes and elements of its own."""
    own = keyword_elements({**MR_IMAGE, **(values or {})})
    return whole_file(elements({**own, **(extra or {})}), syntax, preamble=preamble)


def encapsulated(*fragments: bytes) -> bytes:
    """Pixel data of compressed frames, the (empty) offset table first."""
    items = [ITEM + struct.pack("<I", len(part)) + part for part in (b"", *fragments)]
    return element(0x7FE00010, "OB", b"".join(items) + SEQUENCE_END, UNDEFINED)


def jpeg_2000(rows: int, columns: int) -> bytes:
    """The start of a code stream that states this size."""
    siz = struct.pack(">HH8IH", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1) + b"\x0f\1\1"
    return b"\xff\x4f\xff\x51" + siz + b"\xff\x90" + bytes(30)


def jpeg(rows: int, columns: int, marker: int = 0xC3) -> bytes:
    """The start of a JPEG (or, marker 0xF7, JPEG-LS) frame that states this size."""
    comment = b"\xff\xfe\x00\x06note"
    frame = b"\xff" + bytes([marker]) + struct.pack(">HBHHB", 11, 16, rows, columns, 1)
    return b"\xff\xd8" + comment + frame + b"\1\x11\0" + bytes(30)


def deeply_nested(depth: int, tag: int = 0x00081140, *, defined: bool = False) -> bytes:
    """Sequences in sequences."""
    inner = b""
    for _ in range(depth):
        if defined:
            item = ITEM + struct.pack("<I", len(inner)) + inner
            inner = element(tag, "SQ", item)
        else:
            body = ITEM + struct.pack("<I", UNDEFINED) + inner + ITEM_END + SEQUENCE_END
            inner = element(tag, "SQ", body, UNDEFINED)
    return inner
