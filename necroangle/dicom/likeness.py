"""Headers that are like the one before: only what differs along a series is looked at again.

Nearly all bytes of a slice's header are those of its neighbour's. What is learnt from one full scan
is which stretches stay, byte by byte, and which elements vary; a header that deviates from that is
scanned in full, and so are all headers of a form that is not learnt in a few attempts.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword

from necroangle.dicom.plain import (
    PlainHeader,
    Unusual,
    element_bounds,
    past_element,
    scan_elements,
)

__all__ = ["HeaderReader"]

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
