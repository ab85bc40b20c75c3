"""Headers of ordinary files, read fast; every other file is left to pydicom.

The first bytes of a file are walked element by element, in the one form that nearly all files
have: preamble, file meta, little endian, tags in ascending order, one frame. Whatever deviates is
:class:`Unusual`, and the thorough road (:func:`read_headers`) reads that file. Both share the judge
of :mod:`necroangle.dicom.header`.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydicom import dcmread
from pydicom.tag import Tag

from necroangle.dicom import guard
from necroangle.dicom.attributes import (
    FrameGroups,
    first_number,
    has_long_uid,
    numbers,
    required_uid,
    since_start_s,
    stated_window,
    whole,
)
from necroangle.dicom.decoders import NATIVE, decode_frame
from necroangle.dicom.guard import stated_size
from necroangle.dicom.header import (
    KEYWORDS,
    SYNTAX,
    Origin,
    check_pixels,
    frames_of,
    mended_by_meta,
)
from necroangle.dicom.mosaic import MOSAIC_TAGS, is_mosaic
from necroangle.dicom.pictures import grey_values, picture_header
from necroangle.dicom.plain import HeaderReader, PlainHeader, Unusual
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.records import FrameHeader
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane
from necroangle.storage import BINARY
from necroangle.terms import SourceImage

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FIRST_BYTES = 12 * 1024
"""Read at first: nearly every header ends before."""

MOST_BYTES = 256 * 1024
"""Read at most, for headers with private blocks; a longer header is unusual."""

MAX_RECORDS = 64
"""Series, or parts of series, whose last record is remembered."""

MOST_FRAGMENTS = 64
"""Frames of more parts, those beyond the first bytes, are walked by the guard."""

_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_ITEM_HEAD, _FRAME_START = 8, 512
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY
_NAMES = tuple(KEYWORDS)
_ALL_TAGS = [*map(Tag, KEYWORDS), *map(Tag, MOSAIC_TAGS)]
_VARYING = frozenset(
    {
        "SOPInstanceUID", "ImagePositionPatient", "InstanceNumber", "TriggerTime", "WindowCenter",
        "WindowWidth", "AcquisitionTime", "ContentTime",
    }
)  # fmt: skip
_SELDOM = ("WindowCenter", "WindowWidth", "TriggerTime", "AcquisitionTime", "ContentTime")
"""Of these, what mostly stays from one slice to the next."""

_SAME_WORDS = frozenset({"SOPClassUID", "Modality", "ImageType", "PhotometricInterpretation"})
"""Attributes whose refusals quote a value in the same words on both roads."""


_Seldom = tuple[bytes | None, ...]


class HeaderScanner:
    """Reads the headers of the files of one scan.

    It remembers the last records: the next slice of a series differs from the one before in its
    UID, position, number and window, and only these are looked at again.

    Parameters
    ----------
    names
        The study's names of its subjects; without them, what the files themselves carry.
    """

    def __init__(self, names: SubjectNames | None = None) -> None:
        self._names = names
        self._records: dict[tuple[object, ...], tuple[FrameHeader, _Seldom]] = {}
        self._reader = HeaderReader(_NAMES)

    def headers(self, path: Path, file: str) -> tuple[FrameHeader, ...]:
        """The frames of one file: as :func:`read_headers`, only faster.

        Parameters
        ----------
        path
            The file.
        file
            Its path relative to the opened folder, for the records and the messages.

        Raises
        ------
        DicomError
            If it is DICOM but holds no image that can be measured: file, tag and reason.
        """
        try:
            with opened(path) as (handle, size):
                header = plain_header(handle, size, self._reader)
                is_whole = header.ends_file or _frames_end_file(handle, size, header)
            if not is_whole:
                found = guard.walked(path, file)
                if found is None or not found.pixel_bytes:
                    raise Unusual
            return self.plain_headers(header, file)
        except Unusual:
            return read_headers(path, file, self._names)

    def headers_of_bytes(self, head: bytes, size: int, file: str) -> tuple[FrameHeader, ...]:
        """The frames of a file of which only the first bytes are at hand.

        Raises
        ------
        DicomError
            As :meth:`headers`.
        Unusual
            If the file is not of the ordinary form, or goes on after its pixels.
        """
        header = self._reader.scan(head, size)
        if not header.ends_file:
            raise Unusual
        return self.plain_headers(header, file)

    def plain_headers(self, header: PlainHeader, file: str) -> tuple[FrameHeader, ...]:
        """The frames of a scanned header.

        Raises
        ------
        DicomError
            As :meth:`headers`.
        Unusual
            If a value asks for the slow road.
        """
        key = (
            header.syntax,
            header.program,
            header.pixel_bytes,
            *[item for item in header.raw.items() if item[0] not in _VARYING],
        )
        seldom = tuple(map(header.raw.get, _SELDOM))
        known = self._records.get(key)
        if known is not None:
            like, before = known
            found = _next_slice(like, header, file, is_same=seldom == before)
            self._records[key] = found, seldom
            return (found,)
        frames = _judged(header, file, self._names)
        if len(frames) == 1 and frames[0].kind == "stack":
            if len(self._records) >= MAX_RECORDS:
                self._records.clear()
            self._records[key] = frames[0], seldom
        return frames


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, int]]:
    """A file's handle and its size.

    Raises
    ------
    Unusual
        If it is no regular file, too large, or cannot be opened or read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode) or info.st_size > guard.MAX_FILE_BYTES:
            raise Unusual
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise Unusual from error
    try:
        yield handle, info.st_size
    except OSError as error:
        raise Unusual from error
    finally:
        os.close(handle)


def plain_header(handle: int, size: int, reader: HeaderReader) -> PlainHeader:
    """The attributes that a reader looks for in an ordinary file, read from its start.

    Raises
    ------
    Unusual
        If the file is anything else.
    OSError
        If it cannot be read.
    """
    head = os.read(handle, FIRST_BYTES)
    try:
        return reader.scan(head, size)
    except Unusual as error:
        if not error.short or len(head) < FIRST_BYTES or head[128:132] != b"DICM":
            raise
    head += os.read(handle, MOST_BYTES - FIRST_BYTES)
    return reader.scan(head, size)


def _frames_end_file(handle: int, size: int, header: PlainHeader) -> bool:
    """Whether compressed frames are all there, of the size that is stated, and nothing follows.

    What is anything else is walked by the guard, which says what it is.
    """
    if header.pixel_bytes is not None:
        return False
    rows, columns = header.get("Rows"), header.get("Columns")
    place, count = header.pixel_start, 0
    head = _read_at(handle, place, FIRST_BYTES)
    while True:
        offset = place - header.pixel_start
        if offset + _ITEM_HEAD + _FRAME_START > len(head) and place + _ITEM_HEAD <= size:
            if count >= MOST_FRAGMENTS:
                return False
            part = _read_at(handle, place, guard.FRAME_HEAD)
        else:
            part = head[offset:]
        if part.startswith(_SEQUENCE_END):
            return count > 1 and place + _ITEM_HEAD == size
        if not part.startswith(_ITEM) or len(part) < _ITEM_HEAD:
            return False
        length = int.from_bytes(part[4:_ITEM_HEAD], "little")
        frame = part[_ITEM_HEAD : _ITEM_HEAD + length]
        if count and frame[:1] in (b"\xff", b"\x00"):
            stated = stated_size(frame[: guard.FRAME_HEAD])
            if stated is not None and stated != (rows, columns):
                return False
        count += length > 0 or not count
        place += _ITEM_HEAD + length


def _read_at(handle: int, place: int, count: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(handle, count, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, count)


def _judged(header: PlainHeader, file: str, names: SubjectNames | None) -> tuple[FrameHeader, ...]:
    origin = Origin(file, header.syntax, header.program)
    dataset = cast("Dataset", header)
    if is_mosaic(dataset):
        raise Unusual
    try:
        frames = frames_of(dataset, origin, names)
    except DicomError as error:
        if error.tag not in _SAME_WORDS:
            raise Unusual from error
        raise error.placed(file=file, stage="header") from None
    if header.get("SamplesPerPixel", 1) != 1:
        raise Unusual
    if header.pixel_bytes is not None:
        try:
            check_pixels(dataset, header.pixel_bytes, is_native=True)
        except DicomError as error:
            raise Unusual from error
    return frames


def _next_slice(like: FrameHeader, header: PlainHeader, file: str, *, is_same: bool) -> FrameHeader:
    """The record of a slice whose header is another's but for what varies along a series.

    ``is_same``: what varies seldom is the other's too.
    """
    dataset = cast("Dataset", header)
    if has_long_uid(dataset, "SOPInstanceUID"):
        raise Unusual
    try:
        instance_uid = required_uid(dataset, "SOPInstanceUID")
        position = numbers(dataset, "ImagePositionPatient", 3)
    except DicomError as error:
        raise Unusual from error
    if position is None:
        raise Unusual
    x, y, z = position
    number = whole(dataset, "InstanceNumber")
    source, plane = like.source, like.plane
    own: dict[str, Any] = {
        "file": file,
        "source": SourceImage(
            source.study_uid,
            source.series_uid,
            instance_uid,
            source.frame_number,
            source.frame_of_reference_uid,
            source.sop_class_uid,
        ),
        "plane": ImagePlane(
            (x, y, z),
            plane.row_cosine,
            plane.column_cosine,
            plane.row_spacing_mm,
            plane.column_spacing_mm,
        ),
    }
    if is_same:
        return replace(like, **own, repeat=replace(like.repeat, instance_number=number))
    window, window_source = stated_window(FrameGroups(dataset))
    facts = like.facts
    if window_source != facts.window_source:
        facts = replace(facts, window_source=window_source)
    repeat = replace(
        like.repeat,
        instance_number=number,
        trigger_time_ms=first_number(dataset, "TriggerTime"),
        acquired_s=since_start_s(dataset, "AcquisitionTime"),
        stored_s=since_start_s(dataset, "ContentTime"),
    )
    return replace(like, **own, window=window, repeat=repeat, facts=facts)


def read_headers(
    path: Path, file: str, names: SubjectNames | None = None
) -> tuple[FrameHeader, ...]:
    """The frames of one file by pydicom: the thorough road, for every form that a file may have.

    Parameters
    ----------
    path
        The file.
    file
        Its path relative to the opened folder, for the records and the messages.
    names
        The study's names of its subjects; without them, what the file itself carries.

    Returns
    -------
    tuple of FrameHeader
        That of a picture where the file is one; empty where it is nothing of the kind, or a
        ``DICOMDIR``.

    Raises
    ------
    DicomError
        If it is DICOM but holds no image that can be measured: file, tag and reason.
    """
    found = guard.walked(path, file)
    if found is None:
        picture = picture_header(path, file)
        return () if picture is None else (picture,)
    try:
        with guard.pydicom_door(file, "reading the header", stage="header"):
            dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=_ALL_TAGS)
            if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == guard.DIRECTORY:
                return ()
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
            if not SYNTAX.fullmatch(syntax):
                raise DicomError("no valid UID", tag="TransferSyntaxUID")
            mended = mended_by_meta(dataset)
            origin = Origin(file, syntax, guard.is_program(found.head), mended)
            frames = frames_of(dataset, origin, names)
            check_pixels(dataset, found.pixel_bytes, is_native=syntax in NATIVE)
            if dataset.get("SamplesPerPixel", 1) != 1:
                _check_grey(path)
            return frames
    except DicomError as error:
        raise error.placed(file=file, stage="header") from None


def _check_grey(path: Path) -> None:
    """Refuse a radiograph that is stored in colour and shows some: only its pixels can say."""
    grey_values(decode_frame(dcmread(path, force=True), 0))
