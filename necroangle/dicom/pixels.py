"""The pixels of a listed stack as a volume."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

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

from necroangle.dicom.attributes import code, item, numbers, uid
from necroangle.dicom.decoders import decode_frame, decoder_words
from necroangle.dicom.groups import FrameGroups, frame_groups
from necroangle.dicom.guard import is_dicom, pydicom_door
from necroangle.dicom.header import SYNTAX
from necroangle.dicom.mosaic import tile
from necroangle.dicom.native_volume import Allocate, native_volume
from necroangle.dicom.plain_values import Unusual
from necroangle.dicom.records import SeriesSummary
from necroangle.dicom.stack_files import StackFiles
from necroangle.errors import DicomError
from necroangle.imaging import Volume

__all__ = ["read_volume"]

MAX_VOLUME_PIXELS = 512 * 1024**2
"""More pixels than this in one stack are refused before any is decoded."""

Pixels = NDArray[Any]


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
        try:
            pixels, inverted = native_volume(summary, files, allocate)
        except Unusual:
            pixels, inverted = _decoded_volume(summary, files, allocate)
    window = summary.window
    if inverted:
        window = _turn_round(pixels, window)
    decoder = decoder_words(summary.syntaxes)
    return Volume(pixels, summary.planes, summary.sources, summary.step_mm, window, decoder)


def _decoded_volume(
    summary: SeriesSummary, files: StackFiles, allocate: Allocate = np.empty
) -> tuple[Pixels, bool]:
    shape = (len(summary), summary.rows, summary.columns)
    pixels, dtypes, inverted = np.empty(0), set[np.dtype[Any]](), False
    for file, places in _places_by_file(summary).items():
        dataset = _open(files, file)
        for place, array in _decode(dataset, summary, places):
            if not dtypes:
                pixels = allocate(shape, array.dtype)
            dtypes.add(array.dtype)
            pixels = pixels.astype(np.result_type(pixels, array), copy=False)
            pixels[place] = array
        inverted = code(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    return pixels.astype(np.result_type(*dtypes), copy=False), inverted


def _places_by_file(summary: SeriesSummary) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, (file, _) in enumerate(summary.frames):
        places[file].append(place)
    return places


def _open(files: StackFiles, file: str) -> FileDataset:
    with files.path(file) as path, pydicom_door(file, "reading the pixels", stage="decode"):
        if not is_dicom(path, file, whole=True):
            raise DicomError(
                "no longer a DICOM file: list the folder again", file=file, stage="open"
            )
        dataset = dcmread(path, force=True)
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
    for place in places:
        file, number = summary.frames[place]
        try:
            with _decoding(dataset, file, number):
                same = uid(dataset, "SOPInstanceUID") == summary.sources[place].instance_uid
                if not same:
                    raise DicomError("changed since it was listed: list the folder again")
                groups = groups or frame_groups(dataset)
                if summary.tiles_per_side:
                    mosaic = _frame(dataset, groups, 1) if mosaic is None else mosaic
                    array = tile(mosaic, number, summary.tiles_per_side)
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
        raise DicomError("changed since it was listed: list the folder again")
    return _checked(_rescaled(decode_frame(dataset, number - 1), groups[number - 1]))


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
