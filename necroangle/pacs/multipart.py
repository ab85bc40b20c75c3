"""``multipart/related`` as DICOMweb uses it, an object at a time, streamed.

dicomweb-client parses what it fetches and writes what it sends anew, whole in memory; here the
stored bytes go from disk to server and back as they are.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

_MAX_HEAD = 64 * 1024
_PIECE = 1 << 20


class CutError(ValueError):
    """A message that ends before its part does."""


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a message; None where it is not of several parts.

    Examples
    --------
    >>> boundary_of('multipart/related; type="application/dicom"; boundary="a=b"')
    b'a=b'
    """
    media, *parameters = content_type.split(";")
    if media.strip().lower() != "multipart/related":
        return None
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "boundary" and value:
            return value.strip('"').encode("latin-1", "replace")
    return None


def write_part(pieces: Iterator[bytes], boundary: bytes, write: Callable[[bytes], object]) -> None:
    r"""Write the first part of a message, holding no more of it than a piece.

    Raises
    ------
    CutError
        If the message ends before the part, or begins with none.

    Examples
    --------
    >>> found = bytearray()
    >>> write_part(iter([b"\r\n--x\r\nA: b\r\n\r\nhe", b"llo\r\n-", b"-x--"]), b"x", found.extend)
    >>> bytes(found)
    b'hello'
    """
    opening, closing = b"--" + boundary, b"\r\n--" + boundary
    held = b""
    while (end := _end_of_head(held, opening)) is None:
        piece = next(pieces, None)
        if piece is None or len(held) > _MAX_HEAD:
            raise CutError
        held += piece
    held = held[end:]
    while (at := held.find(closing)) < 0:
        sure = max(0, len(held) - len(closing) + 1)
        write(held[:sure])
        piece = next(pieces, None)
        if piece is None:
            raise CutError
        held = held[sure:] + piece
    write(held[:at])


def _end_of_head(held: bytes, opening: bytes) -> int | None:
    start = held.find(opening)
    end = held.find(b"\r\n\r\n", start) if start >= 0 else -1
    return None if end < 0 else end + 4


class OneFile:
    """A message of one part, which is a file, as the body of a request."""

    def __init__(self, path: Path) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
        self._path = path
        self._before = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._size = path.stat().st_size

    def __len__(self) -> int:
        return len(self._before) + self._size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        yield self._before
        with self._path.open("rb") as file:
            left = self._size
            while left and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece
        yield self._after
