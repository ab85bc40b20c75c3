"""The doors through which a file is touched: what is opened, and what an error may say."""

import logging
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from necroangle.dicom.encoding import DIRECTORY, file_encoding, inflated
from necroangle.dicom.walk import check_elements
from necroangle.errors import DicomError

__all__ = ["has_executable_preamble", "is_dicom", "is_program", "pydicom_door"]

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
        cause = type(error).__name__
        words = " ".join(str(error).split())[:300] if quote else ""
        said = f"{cause}: {words}" if words else cause
        failed = DicomError(f"{doing} failed ({said})", file=file, stage=stage, cause=cause)
        error.__cause__ = error.__context__ = None
        raise failed from (error if quote else None)
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.propagate = propagate


def is_dicom(path: Path, file: str, *, deep: bool = True, whole: bool = False) -> bool:
    """Whether a file is worth parsing; only a regular file is ever opened.

    A file without the 128-byte preamble counts when it starts with an element of group 0002 or
    0008, as data sets written without file meta do. A ``DICOMDIR`` does not count: what it points
    to is found by walking the folder, and no path in it is ever followed.

    Parameters
    ----------
    path
        The file.
    file
        Its relative path, for the messages.
    deep
        Whether to walk over all elements, as must be done before pydicom parses the file.
    whole
        Whether pixel data that are cut short are refused too: before pixels are read.

    Raises
    ------
    DicomError
        If the file is no regular file, cannot be read, is beyond the size cap, inflates beyond
        its cap, is built to overwhelm a parser or a decoder, is cut short, or is named as DICOM
        without being it.
    """
    try:
        with _open_regular(path) as stream:
            named = path.suffix.lower() in DICOM_SUFFIXES
            return _look_inside(stream, named, deep=deep, whole=whole)
    except DicomError as error:
        raise error.placed(file=file, stage="open") from None
    except OSError as error:
        cause = type(error).__name__
        raise DicomError(
            f"cannot be read ({cause})", file=file, stage="open", cause=cause
        ) from None


def has_executable_preamble(path: Path) -> bool:
    """Whether a DICOM file is a program at the same time: ``MZ``, ``ELF`` or the like before it.

    Such a file is read like any other; its preamble is never executed and never copied.

    Raises
    ------
    DicomError
        If it is no regular file.
    OSError
        If it cannot be read.
    """
    with _open_regular(path) as stream:
        return is_program(stream.read(_PREAMBLE))


def is_program(head: bytes) -> bool:
    r"""Whether the first 132 bytes of a DICOM file are those of a program as well.

    Examples
    --------
    >>> is_program(b"MZ".ljust(128, b"\0") + b"DICM"), is_program(bytes(128) + b"DICM")
    (True, False)
    """
    return head[128:_PREAMBLE] == b"DICM" and head.startswith(_PROGRAMS)


def _open_regular(path: Path) -> BinaryIO:
    _check_regular(path.stat())
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    stream = os.fdopen(os.open(path, flags), "rb")
    try:
        _check_regular(os.fstat(stream.fileno()))
    except DicomError:
        stream.close()
        raise
    return stream


def _check_regular(info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise DicomError("no regular file (a pipe, a device, a folder): not opened")
    if info.st_size > MAX_FILE_BYTES:
        raise DicomError(f"{info.st_size} bytes, more than {MAX_FILE_BYTES}")


def _look_inside(stream: BinaryIO, named_dicom: bool, *, deep: bool, whole: bool) -> bool:
    head = stream.read(1024)
    if not (head[128:_PREAMBLE] == b"DICM" or _starts_with_element(head)):
        if named_dicom:
            what = "an empty file" if not head else "no DICOM file, whatever its name"
            raise DicomError(f"{what}: copy it again from its source")
        return False
    size = os.fstat(stream.fileno()).st_size
    encoding = file_encoding(stream, head, size)
    if encoding.sop_class == DIRECTORY:
        return False
    if deep and encoding.deflated:
        plain = inflated(stream, encoding.start, MAX_INFLATED_BYTES)
        check_elements(plain, plain.tell(), replace(encoding, start=0), whole=whole)
    elif deep:
        check_elements(stream, size, encoding, whole=whole)
    return True


def _starts_with_element(head: bytes) -> bool:
    if len(head) < 8:
        return False
    first, second, third, fourth = head[:4]
    little = first in (2, 8) and second == 0 and fourth == 0
    big = first == 0 and second in (2, 8) and third == 0
    return little or big
