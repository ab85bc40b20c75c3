"""What a compressed frame says of itself, before a decoder is let near it."""

import struct

__all__ = ["stated_size"]

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
