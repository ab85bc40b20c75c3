"""Scanned films as pictures (PNG, JPEG, TIFF), and the grey values of what is stored in colour.

A picture's pixels and its turn are all that is read of it: no text, no place, no camera. It names
no patient, and its identifiers are made from its bytes, so that a reading finds it again.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from necroangle.dicom.attributes import made_uid
from necroangle.dicom.guard import MAX_FRAME_PIXELS, regular_file
from necroangle.dicom.records import FrameHeader, SequenceFacts
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane
from necroangle.silence import silence
from necroangle.terms import SourceImage

PICTURES = ("PNG", "JPEG", "TIFF")
"""What is opened beside DICOM; also what stands for the transfer syntax of such a file."""

AS_PICTURE = "picture"
"""The stage of what is refused as a picture: told only where pictures count."""

MAX_PICTURE_BYTES = 256 * 1024**2
"""A larger picture is refused unread."""

_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_TURNED = range(5, 9)
_ORIENTATION = 0x0112
_DEEP = ("I;16", "I;16B", "I;16L", "I", "F")

MOST_COLOUR = 0.05
"""Where the channels of a picture go together but for less than this share of the range, it is
grey, or a film with a tinted base."""

_MOST_COMPARED = 250_000

Pixels = NDArray[Any]


def may_be_picture(head: bytes) -> bool:
    """Whether a file that starts so is a picture of the kinds that are opened."""
    return head.startswith(_STARTS)


def picture_header(path: Path, file: str) -> FrameHeader | None:
    """The one frame of a picture, its pixels unread; None where the file is no such picture.

    Parameters
    ----------
    path
        The file.
    file
        Its path relative to the opened folder, for the record and the messages.

    Raises
    ------
    DicomError
        If it is a picture that cannot be read: too large, of several pages, or damaged.
    """
    data = _bytes_of(path, file)
    if data is None:
        return None
    with _door(file, AS_PICTURE), _picture(data) as picture:
        rows, columns = picture.height, picture.width
        if picture.getexif().get(_ORIENTATION) in _TURNED:
            rows, columns = columns, rows
        syntax = picture.format or ""
    return FrameHeader(
        file=file,
        source=_source(data),
        modality="OT",
        kind="radiograph",
        plane=ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1)),
        rows=rows,
        columns=columns,
        calibrated=False,
        spacing_source="none",
        facts=SequenceFacts(is_capture=True),
        syntax=syntax,
    )


def picture_pixels(path: Path, file: str, instance_uid: str) -> Pixels:
    """(rows, columns) grey values of a picture, the way up that it says.

    Parameters
    ----------
    path, file
        As for :func:`picture_header`.
    instance_uid
        What that made of its bytes.

    Raises
    ------
    DicomError
        If it has changed since it was listed, cannot be decoded, or is in colour.
    """
    data = _bytes_of(path, file)
    if data is None or _source(data).instance_uid != instance_uid:
        raise DicomError("changed since it was listed: list the folder again", file=file)
    with _door(file, "decode"), _picture(data) as picture:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in ("1", "L", "LA"):
            return np.array(upright.convert("L"))
        if upright.mode not in _DEEP:
            return grey_values(np.array(upright.convert("RGB")))
        pixels = np.array(upright)
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            raise DicomError("grey values that are no finite numbers")
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def grey_values(pixels: Pixels) -> Pixels:
    """The brightness of a picture that is stored in colour and shows none.

    Parameters
    ----------
    pixels
        (rows, columns, 3) red, green and blue, whole numbers.

    Returns
    -------
    ndarray
        (rows, columns), of the same type; where the three are equal, that very value.

    Raises
    ------
    DicomError
        If it is in colour: the three do not go together.

    References
    ----------
    ITU-R BT.601 for the weights.

    Examples
    --------
    >>> grey_values(np.full((2, 2, 3), 117, np.uint8)).tolist()
    [[117, 117], [117, 117]]
    >>> grey_values(np.eye(3, dtype=np.uint8)[None] * 255)
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: PhotometricInterpretation: in colour: grey values are needed
    """
    whole = pixels.astype(np.int64)
    grey = (299 * whole[..., 0] + 587 * whole[..., 1] + 114 * whole[..., 2] + 500) // 1000
    stride = 1 + grey.size // _MOST_COMPARED
    light = grey.reshape(-1)[::stride].astype(float)
    channels = whole.reshape(-1, 3)[::stride].astype(float)
    light -= light.mean()
    channels -= channels.mean(axis=0)
    spread = float(light @ light)
    # a channel that falls where the others rise goes its own way
    slopes = np.maximum(light @ channels, 0.0) / (spread or 1.0)
    off = float(np.sqrt(np.mean((channels - np.outer(light, slopes)) ** 2)))
    if off > MOST_COLOUR * max(float(np.ptp(whole)), 1.0):
        raise DicomError("in colour: grey values are needed", tag="PhotometricInterpretation")
    return grey.astype(pixels.dtype)


def _bytes_of(path: Path, file: str) -> bytes | None:
    with _door(file, AS_PICTURE), regular_file(path) as stream:
        head = stream.read(8) or b""
        if not may_be_picture(head):
            return None
        data = head + stream.read(MAX_PICTURE_BYTES + 1)
        if len(data) > MAX_PICTURE_BYTES:
            raise DicomError(f"a picture of more than {MAX_PICTURE_BYTES} bytes")
        return data


@contextmanager
def _picture(data: bytes) -> Iterator[Image.Image]:
    with Image.open(io.BytesIO(data), formats=PICTURES) as picture:
        if picture.width * picture.height > MAX_FRAME_PIXELS:
            raise DicomError(
                f"a picture of {picture.height} x {picture.width} pixels, more than "
                f"{MAX_FRAME_PIXELS} pixels"
            )
        if getattr(picture, "n_frames", 1) > 1:
            raise DicomError("a picture of several pages: save each as a file of its own")
        yield picture


@contextmanager
def _door(file: str, stage: str) -> Iterator[None]:
    """Let nothing but :class:`DicomError` out, and none of the picture's own words."""
    try:
        with silence:
            yield
    except DicomError as error:
        raise error.placed(file=file, stage=stage) from None
    except Image.DecompressionBombError:
        raise DicomError(
            f"a picture of more than {MAX_FRAME_PIXELS} pixels", file=file, stage=stage
        ) from None
    except Exception as error:
        cause = type(error).__name__
        raise DicomError(
            f"a picture that cannot be read ({cause}): damaged or cut short",
            file=file,
            stage=stage,
            cause=cause,
        ) from None


def _source(data: bytes) -> SourceImage:
    image, series, study = (made_uid(data, what) for what in (b"image", b"series", b"study"))
    return SourceImage(study, series, image, 1, None)
