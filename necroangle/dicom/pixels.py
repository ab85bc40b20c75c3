"""The pixels of a listed stack as a volume."""

import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.pixels.processing import apply_modality_lut
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from necroangle.dicom.archive import StackFiles
from necroangle.dicom.attributes import (
    FrameGroups,
    code,
    first_number,
    frame_groups,
    item,
    numbers,
    uid,
    wholes,
)
from necroangle.dicom.decoders import decode_frame, decoder_words
from necroangle.dicom.guard import is_dicom, pydicom_door
from necroangle.dicom.header import SYNTAX, Origin, frames_of, mended_by_meta, plane_of
from necroangle.dicom.mosaic import tile
from necroangle.dicom.pictures import PICTURES, grey_values, picture_pixels
from necroangle.dicom.plain import HeaderReader, PlainHeader, Unusual
from necroangle.dicom.records import SeriesSummary
from necroangle.dicom.scanner import opened, plain_header
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane
from necroangle.imaging import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_NAMES = (
    "SOPInstanceUID",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "PerFrameFunctionalGroupsSequence",
)
_PADDING = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_TYPES = {(8, 0): "u1", (8, 1): "i1", (16, 0): "<u2", (16, 1): "<i2"}

Pixels = NDArray[Any]
Window = tuple[float, float]
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
    plane
        Of the first slice that is stored so; None for a radiograph.
    padding
        (low, high) grey values that stand where there is no picture, or None.
    """

    start: int
    dtype: str
    unused_bits: int
    slope: float
    intercept: float
    inverted: bool
    plane: ImagePlane | None
    padding: Window | None

    @property
    def is_rescaled(self) -> bool:
        return (self.slope, self.intercept) != (1.0, 0.0)


class Decoded(NamedTuple):
    """The grey values of a stack, as its files store them but for the modality rescale.

    Attributes
    ----------
    pixels
        (slices, rows, columns).
    inverted
        Whether low values are bright.
    padding
        (low, high) grey values that stand where there is no picture, or None.
    """

    pixels: Pixels
    inverted: bool
    padding: Window | None


def native_volume(
    summary: SeriesSummary, files: StackFiles, allocate: Allocate = np.empty
) -> Decoded:
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
    Decoded
        Modality rescale applied.

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
    pixels = np.empty(0)
    buffer: Pixels = np.empty(0)
    frames: dict[tuple[object, ...], _Frame] = {}
    reader = HeaderReader(_NAMES)
    for place in range(len(summary)):
        file, number = summary.frames[place]
        with files.path(file) as path, opened(path) as (handle, size):
            header = plain_header(handle, size, reader)
            if not header.ends_file:
                is_dicom(path, file)
            if number != 1 or header.get("SOPInstanceUID") != summary.sources[place].instance_uid:
                raise Unusual
            frame = _alike(header, summary, frames)
            _check_plane(header, frame.plane, summary.planes[place])
            dtype = np.dtype(np.float32 if frame.is_rescaled else frame.dtype)
            if place == 0:
                pixels = allocate(shape, dtype)
            elif dtype != pixels.dtype:
                raise Unusual
            if frame.is_rescaled and buffer.dtype != frame.dtype:
                buffer = np.empty(shape[1:], frame.dtype)
            _fill(handle, frame, pixels[place], buffer)
    return Decoded(pixels, frame.inverted, frame.padding)


def _alike(
    header: PlainHeader, summary: SeriesSummary, frames: dict[tuple[object, ...], _Frame]
) -> _Frame:
    """The frame of a header; of headers that say the same, only the first is judged."""
    key = (header.pixel_start, header.pixel_bytes, *map(header.raw.get, _NAMES[2:]))
    if key not in frames:
        frames[key] = _stored_frame(header, summary)
    return frames[key]


def _stored_frame(header: PlainHeader, summary: SeriesSummary) -> _Frame:
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
    slope = _one(header, "RescaleSlope", 1.0)
    intercept = _one(header, "RescaleIntercept", 0.0)
    padded = [
        int.from_bytes(header.raw[name], "little", signed="i" in dtype)
        for name in _PADDING
        if len(header.raw.get(name, b"")) == 2
    ]
    return _Frame(
        start=header.pixel_start,
        dtype=dtype,
        unused_bits=cast("int", allocated) - stored,
        slope=slope,
        intercept=intercept,
        padding=_padding(padded, slope, intercept),
        inverted=photometric == "MONOCHROME1",
        plane=_stated_plane(header) if summary.kind == "stack" else None,
    )


def _stated_plane(header: PlainHeader) -> ImagePlane:
    try:
        return plane_of(FrameGroups(cast("Dataset", header)))
    except DicomError as error:
        raise Unusual from error


def _check_plane(header: PlainHeader, like: ImagePlane | None, listed: ImagePlane) -> None:
    """See that a slice lies where it was listed: its file may have been replaced since."""
    if like is None:
        return
    try:
        position = numbers(cast("Dataset", header), "ImagePositionPatient", 3)
    except DicomError as error:
        raise Unusual from error
    if position != listed.origin_mm or _turn_and_scale(like) != _turn_and_scale(listed):
        raise Unusual


def _turn_and_scale(plane: ImagePlane) -> tuple[object, ...]:
    spacing = (plane.row_spacing_mm, plane.column_spacing_mm)
    return (plane.row_cosine, plane.column_cosine, spacing)


def _one(header: PlainHeader, keyword: str, otherwise: float) -> float:
    try:
        (value,) = numbers(cast("Dataset", header), keyword, 1) or (otherwise,)
    except DicomError as error:
        raise Unusual from error
    if value == 0 and keyword == "RescaleSlope":
        raise Unusual
    return value


def _fill(handle: int, frame: _Frame, target: Pixels, buffer: Pixels) -> None:
    """Read a frame into its place; through the buffer, of the stored type, where it is rescaled."""
    stored = buffer if frame.is_rescaled else target
    _read_exactly(handle, frame.start, stored.reshape(-1).view(np.uint8).data)
    if frame.unused_bits:
        _clear_unused(stored, frame.unused_bits)
    if frame.is_rescaled:
        _rescale(frame, stored, target)


def _clear_unused(stored: Pixels, unused: int) -> None:
    """Clear the high bits that do not count, in place; to see that nothing is in them is faster."""
    whole = np.iinfo(stored.dtype)
    is_low = whole.min == 0 or stored.min() >= whole.min >> unused
    if is_low and stored.max() <= whole.max >> unused:
        return
    np.left_shift(stored, unused, out=stored)  # of a signed number the highest left is the sign
    np.right_shift(stored, unused, out=stored)


def _rescale(frame: _Frame, stored: Pixels, target: Pixels) -> None:
    """The grey values of stored ones.

    Raises
    ------
    Unusual
        If some are no finite numbers.
    """
    slope, intercept = frame.slope, frame.intercept
    with np.errstate(over="ignore", invalid="ignore"):
        if slope == 1:
            np.add(stored, np.float32(intercept), out=target, dtype=np.float32)
        else:
            np.multiply(stored, np.float32(slope), out=target, dtype=np.float32)
        if slope != 1 and (intercept or slope < 0):  # so that 0 is never -0
            target += np.float32(intercept)
    # 16 bits by no more than this are far from where 32-bit floats end
    if abs(slope) + abs(intercept) > 1e9 and not np.isfinite(target).all():
        raise Unusual


def _read_exactly(handle: int, start: int, target: memoryview) -> None:
    if hasattr(os, "preadv"):
        while len(target):
            count = os.preadv(handle, [target], start)
            if not count:
                raise Unusual
            target, start = target[count:], start + count
        return
    with io.FileIO(handle, closefd=False) as stream:
        stream.seek(start)
        while len(target):
            count = stream.readinto(target) or 0
            if not count:
                raise Unusual
            target = target[count:]


LEAST_HU = -1024.0
"""No tissue, and no air, has fewer Hounsfield units: it is padding, stated or not."""

_SAMPLED = 100_000

MAX_VOLUME_PIXELS = 512 * 1024**2
"""More pixels than this in one stack are refused before any is decoded."""


def read_volume(summary: SeriesSummary, allocate: Allocate = np.empty) -> Volume:
    """Decode the slices of a stack, in its order.

    The modality rescale is applied: 32-bit floats where it changes anything, the file's own type
    where it does not. ``MONOCHROME1`` is turned round, so that bone is bright.

    Parameters
    ----------
    summary
        One stack or radiograph of :func:`necroangle.dicom.scan_folder`, or of an index: files
        within ZIP archives are unpacked one at a time.
    allocate
        Makes the array for the pixels, from its shape and type: asked again where a later file
        needs another road.

    Returns
    -------
    Volume
        (slices, rows, columns) pixels, with the planes and sources of the summary.

    Raises
    ------
    DicomError
        If the stack is beyond the size cap, a file has changed since it was listed, or a frame
        cannot be decoded: file, transfer syntax and cause.
    """
    size = len(summary) * summary.rows * summary.columns
    if size > MAX_VOLUME_PIXELS:
        raise DicomError(
            f"{size} pixels in one stack, more than {MAX_VOLUME_PIXELS}", stage="decode"
        )
    with StackFiles(summary.root) as files:
        if summary.syntaxes and set(summary.syntaxes) <= set(PICTURES):
            return volume_of(summary, _picture_volume(summary, files, allocate), None)
        try:
            pixels, inverted, padding = native_volume(summary, files, allocate)
        except Unusual:
            pixels, inverted, padding = _decoded_volume(summary, files, allocate)
    window = summary.window or _window_within(pixels, padding, summary.modality)
    if inverted:
        window = _turn_round(pixels, window)
    return volume_of(summary, pixels, window)


def volume_of(summary: SeriesSummary, pixels: Pixels, window: tuple[float, float] | None) -> Volume:
    """The decoded pixels of a stack with what was listed of it."""
    graded = summary.regularity
    return Volume(
        pixels=pixels,
        planes=summary.planes,
        sources=summary.sources,
        step_mm=summary.step_mm,
        window=window,
        decoder=decoder_words(summary.syntaxes),
        irregular="" if graded.is_volume else graded.words(),
    )


def _picture_volume(
    summary: SeriesSummary, files: StackFiles, allocate: Allocate = np.empty
) -> Pixels:
    ((file, _),) = summary.frames
    with files.path(file) as path:
        found = picture_pixels(path, file, summary.sources[0].instance_uid)
    pixels = allocate((1, *found.shape), found.dtype)
    pixels[0] = found
    return pixels


def _decoded_volume(
    summary: SeriesSummary, files: StackFiles, allocate: Allocate = np.empty
) -> Decoded:
    shape = (len(summary), summary.rows, summary.columns)
    pixels, dtypes, inverted = np.empty(0), set[np.dtype[Any]](), False
    padding: Window | None = None
    for file, places in _places_by_file(summary).items():
        dataset = _open(files, file)
        for place, array in _decode(dataset, summary, places):
            if not dtypes:
                pixels = allocate(shape, array.dtype)
            dtypes.add(array.dtype)
            pixels = pixels.astype(np.result_type(pixels, array), copy=False)
            pixels[place] = array
        inverted = code(dataset, "PhotometricInterpretation") == "MONOCHROME1"
        padding = padding or _stated_padding(dataset)
    return Decoded(pixels.astype(np.result_type(*dtypes), copy=False), inverted, padding)


def _places_by_file(summary: SeriesSummary) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, (file, _) in enumerate(summary.frames):
        places[file].append(place)
    return places


def _open(files: StackFiles, file: str) -> FileDataset:
    with files.path(file) as path, pydicom_door(file, "reading the pixels", stage="decode"):
        if not is_dicom(path, file):
            raise DicomError(
                "no longer a DICOM file: list the folder again", file=file, stage="open"
            )
        dataset = dcmread(path, force=True)
        mended_by_meta(dataset)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = _native_syntax(dataset)
        if not SYNTAX.fullmatch(str(dataset.file_meta.TransferSyntaxUID)):
            raise DicomError("no valid UID", tag="TransferSyntaxUID", file=file, stage="decode")
    return dataset


def _native_syntax(dataset: FileDataset) -> UID:
    is_implicit, is_little_endian = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian


def _decode(
    dataset: FileDataset, summary: SeriesSummary, places: Sequence[int]
) -> Iterator[tuple[int, Pixels]]:
    """Each place with its pixels; a mosaic is decoded once for all its tiles."""
    mosaic = None
    groups: Sequence[FrameGroups] = ()
    planes: list[ImagePlane] = []
    for place in places:
        file, number = summary.frames[place]
        try:
            with _decoding(dataset, file, number):
                groups = groups or frame_groups(dataset)
                if summary.kind == "stack":
                    planes = planes or [one.plane for one in frames_of(dataset, Origin(file))]
                _check_same(dataset, planes, summary, place)
                if summary.tiles_per_side:
                    mosaic = _frame(dataset, groups, 1) if mosaic is None else mosaic
                    array = tile(mosaic, number, summary.rows, summary.columns)
                else:
                    array = _frame(dataset, groups, number)
                _check_shape(array, summary, number)
        except DicomError as error:
            raise error.placed(file=file, stage="decode") from error.__cause__
        yield place, array


def _decoding(dataset: FileDataset, file: str, number: int) -> AbstractContextManager[None]:
    syntax = dataset.file_meta.TransferSyntaxUID.name
    return pydicom_door(file, f"decoding frame {number} ({syntax})", stage="decode", quote=True)


def _frame(dataset: FileDataset, groups: Sequence[FrameGroups], number: int) -> Pixels:
    if len(groups) < number:
        raise _changed()
    stored = decode_frame(dataset, number - 1)
    if stored.ndim == 3:
        stored = grey_values(stored)
    return _checked(_rescaled(stored, groups[number - 1]))


def _check_same(
    dataset: FileDataset, planes: Sequence[ImagePlane], summary: SeriesSummary, place: int
) -> None:
    """See that a frame is the one that was listed, and lies where it was listed."""
    number = summary.frames[place][1]
    same = uid(dataset, "SOPInstanceUID") == summary.sources[place].instance_uid
    if summary.kind == "stack":
        same = same and planes[number - 1 : number] == [summary.planes[place]]
    if not same:
        raise _changed()


def _changed() -> DicomError:
    return DicomError("changed since it was listed: list the folder again")


def _check_shape(array: Pixels, summary: SeriesSummary, number: int) -> None:
    if array.shape != (summary.rows, summary.columns):
        raise DicomError(
            f"frame {number} decodes to {array.shape}, the header says "
            f"{(summary.rows, summary.columns)}",
            tag="PixelData",
        )


def _rescaled(array: Pixels, groups: FrameGroups) -> Pixels:
    if item(groups.dataset, "ModalityLUTSequence") is not None:
        return apply_modality_lut(array, groups.dataset)
    where = groups.find("PixelValueTransformationSequence")
    if where is None:
        return array
    (slope,) = numbers(where, "RescaleSlope", 1) or (1.0,)
    (intercept,) = numbers(where, "RescaleIntercept", 1) or (0.0,)
    if slope == 0:
        raise DicomError("must not be 0", tag="RescaleSlope")
    if (slope, intercept) == (1.0, 0.0):
        return array
    return array.astype(np.float32) * np.float32(slope) + np.float32(intercept)


def _stated_padding(dataset: FileDataset) -> Window | None:
    padded = [float(value) for name in _PADDING for value in wholes(dataset, name)]
    slope = first_number(dataset, "RescaleSlope")
    return _padding(
        padded, 1.0 if slope is None else slope, first_number(dataset, "RescaleIntercept") or 0.0
    )


def _padding(stored: Sequence[float], slope: float, intercept: float) -> Window | None:
    """Stored padding as grey values: one value, or the two ends of a range."""
    values = [slope * value + intercept for value in stored]
    return (min(values), max(values)) if values else None


def _window_within(pixels: Pixels, padding: Window | None, modality: str) -> Window | None:
    """The middle 99 per cent of what is no padding; None where there is none to leave out."""
    sample = pixels.reshape(-1)[:: 1 + pixels.size // _SAMPLED]
    kept = np.ones(sample.shape, bool)
    if padding is not None:
        kept &= (sample < padding[0]) | (sample > padding[1])
    if modality == "CT":
        kept &= sample >= LEAST_HU
    shown = sample[kept]
    if len(shown) in (0, len(sample)):
        return None
    low, high = np.percentile(shown, (0.5, 99.5)).tolist()
    return (low, high) if high > low else None


def _checked(array: Pixels) -> Pixels:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DicomError("grey values that are no finite numbers", tag="PixelData")
    return array


def _turn_round(pixels: Pixels, window: tuple[float, float] | None) -> tuple[float, float] | None:
    """Make low values bright in place; the window that goes with them."""
    low, high = pixels.min(), pixels.max()
    np.subtract(high, pixels, out=pixels)
    pixels += low
    if window is None:
        return None
    ends = float(low) + float(high)
    return (ends - window[1], ends - window[0])
