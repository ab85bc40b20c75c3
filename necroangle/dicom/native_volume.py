"""Stacks whose files hold plain pixels: each frame read once, straight to its place."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.attributes import numbers
from necroangle.dicom.guard import is_dicom
from necroangle.dicom.plain_elements import PlainHeader
from necroangle.dicom.plain_values import Unusual
from necroangle.dicom.records import SeriesSummary
from necroangle.dicom.scanner import opened, plain_header
from necroangle.dicom.stack_files import StackFiles
from necroangle.errors import DicomError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Allocate", "native_volume"]

_NAMES = (
    "SOPInstanceUID",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "PerFrameFunctionalGroupsSequence",
)
_TYPES = {(8, 0): "u1", (8, 1): "i1", (16, 0): "<u2", (16, 1): "<i2"}

Pixels = NDArray[Any]
Allocate = Callable[[tuple[int, ...], np.dtype[Any]], Pixels]


@dataclass(frozen=True, slots=True)
class _Frame:
    """How the one frame of a file is stored.

    Attributes
    ----------
    start
        Where its pixels start, bytes.
    dtype
        Of the stored pixels.
    unused_bits
        High bits of each pixel that do not count.
    slope, intercept
        Modality rescale.
    inverted
        Whether low values are bright.
    """

    start: int
    dtype: str
    unused_bits: int
    slope: float
    intercept: float
    inverted: bool

    @property
    def is_rescaled(self) -> bool:
        return (self.slope, self.intercept) != (1.0, 0.0)


def native_volume(
    summary: SeriesSummary, files: StackFiles, allocate: Allocate = np.empty
) -> tuple[Pixels, bool]:
    """The grey values of a stack of single-frame files in native little endian.

    Parameters
    ----------
    summary
        The stack.
    files
        Where its files lie.
    allocate
        Makes the array for the pixels, from its shape and type.

    Returns
    -------
    ndarray, bool
        (slices, rows, columns) pixels, modality rescale applied, and whether low values are
        bright.

    Raises
    ------
    Unusual
        If one of the files is anything else, or has changed: the thorough road says what.
    DicomError
        If what follows the pixels of a file is damaged.
    """
    if summary.tiles_per_side:
        raise Unusual
    shape = (len(summary), summary.rows, summary.columns)
    pixels, inverted = np.empty(0), False
    frames: dict[tuple[object, ...], _Frame] = {}
    for place in range(len(summary)):
        file, number = summary.frames[place]
        with files.path(file) as path, opened(path) as (handle, size):
            header = plain_header(handle, size, _NAMES)
            if not header.ends_file:
                is_dicom(path, file)
            if number != 1 or header.get("SOPInstanceUID") != summary.sources[place].instance_uid:
                raise Unusual
            frame = _alike(header, summary, frames)
            dtype = np.dtype(np.float32 if frame.is_rescaled else frame.dtype)
            if place == 0:
                pixels = allocate(shape, dtype)
            elif dtype != pixels.dtype:
                raise Unusual
            _fill(handle, frame, pixels[place])
        inverted = frame.inverted
    return pixels, inverted


def _alike(
    header: PlainHeader, summary: SeriesSummary, frames: dict[tuple[object, ...], _Frame]
) -> _Frame:
    """The frame of a header; of headers that say the same, only the first is judged."""
    key = (header.pixel_start, header.pixel_bytes, *map(header.raw.get, _NAMES[1:]))
    if key not in frames:
        frames[key] = _frame(header, summary)
    return frames[key]


def _frame(header: PlainHeader, summary: SeriesSummary) -> _Frame:
    allocated, stored = header.get("BitsAllocated"), header.get("BitsStored")
    dtype = _TYPES.get((cast("int", allocated), cast("int", header.get("PixelRepresentation"))))
    matrix = (header.get("Rows"), header.get("Columns"))
    photometric = header.get("PhotometricInterpretation")
    if (
        dtype is None
        or not isinstance(stored, int)
        or not 1 <= stored <= cast("int", allocated)
        or matrix != (summary.rows, summary.columns)
        or header.pixel_bytes != summary.rows * summary.columns * np.dtype(dtype).itemsize
        or header.get("SamplesPerPixel") != 1
        or header.get("NumberOfFrames", 1) != 1
        or photometric not in ("MONOCHROME1", "MONOCHROME2")
    ):
        raise Unusual
    return _Frame(
        start=header.pixel_start,
        dtype=dtype,
        unused_bits=cast("int", allocated) - stored,
        slope=_one(header, "RescaleSlope", 1.0),
        intercept=_one(header, "RescaleIntercept", 0.0),
        inverted=photometric == "MONOCHROME1",
    )


def _one(header: PlainHeader, keyword: str, otherwise: float) -> float:
    try:
        (value,) = numbers(cast("Dataset", header), keyword, 1) or (otherwise,)
    except DicomError as error:
        raise Unusual from error
    if value == 0 and keyword == "RescaleSlope":
        raise Unusual
    return value


def _fill(handle: int, frame: _Frame, target: Pixels) -> None:
    stored = np.empty(target.shape, frame.dtype) if frame.is_rescaled else target
    _read_exactly(handle, frame.start, stored.reshape(-1).view(np.uint8).data)
    if frame.unused_bits:
        np.left_shift(stored, frame.unused_bits, out=stored)
        np.right_shift(stored, frame.unused_bits, out=stored)
    if frame.is_rescaled:
        target[...] = stored
        with np.errstate(over="ignore", invalid="ignore"):
            target *= np.float32(frame.slope)
            target += np.float32(frame.intercept)
        if not np.isfinite(target).all():
            raise Unusual


def _read_exactly(handle: int, start: int, target: memoryview) -> None:
    with io.FileIO(handle, closefd=False) as stream:
        stream.seek(start)
        while len(target):
            count = stream.readinto(target)
            if not count:
                raise Unusual
            target = target[count:]
