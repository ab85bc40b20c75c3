"""The doors through which a file is touched: what is opened, and what an error may say."""

import logging
import stat
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from necroangle.errors import DicomError

__all__ = ["is_dicom", "pydicom_door"]

MAX_FILE_BYTES = 4 * 1024**3
"""Larger files are refused unread: no series of hip images comes near in one file."""

MAX_INFLATED_BYTES = 128 * 1024**2
"""A deflated data set that grows beyond this is refused before it fills the memory."""

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
"""A file with such a name that is no DICOM file is refused aloud, not skipped in silence."""

_TALKERS = ("pydicom", "pylibjpeg", "openjpeg", "jpeg_ls")
for _name in _TALKERS:
    logging.getLogger(_name).addHandler(logging.NullHandler())

_PREAMBLE = 132
_DEFLATED = b"1.2.840.10008.1.2.1.99"


@contextmanager
def pydicom_door(file: str, stage: str, *, quote: bool = False) -> Iterator[None]:
    """Let nothing but :class:`DicomError` out of a block that calls pydicom.

    pydicom's warnings and messages quote attribute values, and with them identities: warnings are
    silenced, log records kept from travelling on and messages withheld.

    Parameters
    ----------
    file
        Relative path, for the message.
    stage
        What was being done, for the message.
    quote
        Whether the cause's own words may be repeated: only where no attribute value can stand in
        them, as in decoding.

    Raises
    ------
    DicomError
        For any exception within the block.

    Examples
    --------
    >>> with pydicom_door("a.dcm", "reading the header"):
    ...     raise ValueError("PatientName^Secret")
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: a.dcm: reading the header failed (ValueError)
    """
    loggers = [logging.getLogger(name) for name in _TALKERS]
    before = [logger.propagate for logger in loggers]
    try:
        for logger in loggers:
            logger.propagate = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DicomError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:300] if quote else ""
        cause = f"{type(error).__name__}: {words}" if words else type(error).__name__
        raise DicomError(f"{stage} failed ({cause})", file=file) from None
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.propagate = propagate


def is_dicom(path: Path, file: str) -> bool:
    """Whether a file is worth parsing; only a regular file is ever opened.

    A file without the 128-byte preamble counts when it starts with an element of group 0002 or
    0008, as data sets written without file meta do.

    Parameters
    ----------
    path
        The file.
    file
        Its relative path, for the messages.

    Raises
    ------
    DicomError
        If the file is no regular file, cannot be read, is beyond the size cap, inflates beyond
        its cap, or is named as DICOM without being it.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise DicomError("no regular file (a pipe, a device, a folder): not opened", file=file)
        if info.st_size > MAX_FILE_BYTES:
            raise DicomError(f"{info.st_size} bytes, more than {MAX_FILE_BYTES}", file=file)
        with path.open("rb") as stream:
            head = stream.read(1024)
    except OSError as error:
        raise DicomError(f"cannot be read ({type(error).__name__})", file=file) from None
    found = head[128:_PREAMBLE] == b"DICM" or _starts_with_element(head)
    if found and _DEFLATED in head:
        _check_inflated(path, head, file)
    if not found and path.suffix.lower() in DICOM_SUFFIXES:
        what = "an empty file" if not head else "no DICOM file, whatever its name"
        raise DicomError(f"{what}: copy it again from its source", file=file)
    return found


def _starts_with_element(head: bytes) -> bool:
    if len(head) < 8:
        return False
    first, second, third, fourth = head[:4]
    little = first in (2, 8) and second == 0 and fourth == 0
    big = first == 0 and second in (2, 8) and third == 0
    return little or big


def _check_inflated(path: Path, head: bytes, file: str) -> None:
    start = _PREAMBLE + 12 + int.from_bytes(head[140:144], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            inflater.decompress(stream.read(MAX_INFLATED_BYTES), MAX_INFLATED_BYTES)
    except (OSError, zlib.error) as error:
        raise DicomError(f"cannot be inflated ({type(error).__name__})", file=file) from None
    if inflater.unconsumed_tail:
        raise DicomError(f"inflates to more than {MAX_INFLATED_BYTES} bytes", file=file)
