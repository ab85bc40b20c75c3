"""Sequences of an ordinary header, skipped over but seen to be sound."""

import struct

from necroangle.dicom.encoding import LONG_VRS
from necroangle.dicom.plain_values import SHORT_VRS, Unusual

__all__ = ["past_items"]

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
