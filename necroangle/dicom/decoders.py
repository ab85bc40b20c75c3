"""Which decoder reads which encoding: pinned, and told with its version.

Decoders of lossy JPEG differ in grey values, and pydicom takes whichever it finds first. Here one
is named for each transfer syntax, whatever else is installed.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder, DecodeRunner
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from necroangle.dicom.pictures import PICTURES
from necroangle.errors import DicomError

DECODER_DEPENDENCIES = dict.fromkeys(
    (
        *(JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1),
        *(JPEGLSLossless, JPEGLSNearLossless),
    ),
    ("imagecodecs",),
)
"""What each transfer syntax needs, as pydicom asks a plugin for it."""

_END_OF_IMAGE = b"\xff\xd9"
_PADDING = b"\0\xff"


def is_available(uid: str) -> bool:
    """Whether frames of this transfer syntax can be decoded here."""
    return uid in DECODER_DEPENDENCIES and find_spec("imagecodecs") is not None


def decode_jpeg(src: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one frame.

    The frame's own precision decides how wide a pixel is, and its bits are kept as they are: the
    signed values of a lossless frame come out as the header says. Colours come as red, green and
    blue.

    Parameters
    ----------
    src
        The frame.
    runner
        pydicom's, for the size that is expected.

    Raises
    ------
    ValueError
        If it is no JPEG frame of so many samples a pixel, or is cut short: the library would fill
        up the rest of the picture in silence.
    """
    from imagecodecs import jpeg8_decode

    if not src.rstrip(_PADDING).endswith(_END_OF_IMAGE):
        raise ValueError("no end of image: the frame is cut short")
    is_colour = runner.samples_per_pixel == 3
    is_rgb = is_colour and runner.photometric_interpretation == "RGB"
    array = np.ascontiguousarray(jpeg8_decode(src, colorspace="RGB" if is_rgb else None))
    if array.ndim != 2 + is_colour:
        raise ValueError(f"a frame of {array.ndim} dimensions, {2 + is_colour} are needed")
    if is_colour:
        runner.set_option("photometric_interpretation", "RGB")
        runner.set_option("planar_configuration", 0)
    runner.set_option("bits_allocated", 8 * array.dtype.itemsize)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def load_decoders() -> None:
    """Load what the first compressed picture would otherwise wait for: a twentieth of a second."""
    with contextlib.suppress(ImportError):
        from imagecodecs import jpeg8_decode, jpegls_decode  # noqa: F401


def decode_jpeg_ls(src: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one JPEG-LS frame, as :func:`decode_jpeg`; colours as they were stored.

    Raises
    ------
    ValueError
        If it is no JPEG-LS frame of so many samples a pixel, or is cut short.
    """
    from imagecodecs import jpegls_decode

    array = np.ascontiguousarray(jpegls_decode(src))
    size, samples = (runner.rows, runner.columns), runner.samples_per_pixel
    if array.shape == (samples, *size) and samples > 1:
        runner.set_option("planar_configuration", 1)
    elif array.shape == (*size, samples) and samples > 1:
        runner.set_option("planar_configuration", 0)
    elif array.shape != size or samples != 1:
        raise ValueError(f"a frame of {array.shape}, {size} times {samples} are needed")
    runner.set_option("bits_allocated", 8 * array.dtype.itemsize)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


_ROOT = "1.2.840.10008.1.2"
NATIVE = frozenset({"", _ROOT, *(_ROOT + end for end in (".1", ".2", ".1.99"))})
"""Transfer syntaxes of plain pixels; an empty one stands for a file that states none."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The decoder of a transfer syntax.

    Attributes
    ----------
    plugin
        Its name as a plugin of pydicom.
    package
        The distribution whose version is told.
    """

    plugin: str
    package: str


_JPEG = Pinned("imagecodecs", "imagecodecs")
_JPEG_LS = Pinned("imagecodecs_jpeg_ls", "imagecodecs")
_JPEG_2000 = Pinned("pylibjpeg", "pylibjpeg-openjpeg")
_RLE = Pinned("pydicom", "pydicom")

DECODERS: dict[str, Pinned] = {
    f"{_ROOT}{end}": pinned
    for pinned, ends in {
        _JPEG: (".4.50", ".4.51", ".4.57", ".4.70"),
        _JPEG_LS: (".4.80", ".4.81"),
        _JPEG_2000: (".4.90", ".4.91", ".4.201", ".4.202", ".4.203"),
        _RLE: (".5",),
    }.items()
    for end in ends
}
"""JPEG baseline, extended and lossless; JPEG-LS; JPEG 2000 and HTJ2K; RLE."""


def decoder_words(syntaxes: Iterable[str]) -> str:
    """The decoders of these transfer syntaxes with their versions.

    Parameters
    ----------
    syntaxes
        Transfer syntax UIDs; an empty one stands for a file that states none, and is plain.

    Examples
    --------
    >>> decoder_words(["1.2.840.10008.1.2.1", ""]), decoder_words(["1.2.3"])
    ('native', 'none')
    >>> decoder_words(["1.2.840.10008.1.2.4.90"]).startswith("pylibjpeg-openjpeg ")
    True
    """
    return " + ".join(sorted({_words(syntax) for syntax in syntaxes}))


def is_decodable(syntax: str) -> bool:
    """Whether files of this transfer syntax can be decoded here.

    Examples
    --------
    >>> is_decodable("1.2.840.10008.1.2.5"), is_decodable("1.2.840.10008.1.2.4.102")
    (True, False)
    """
    return syntax in NATIVE or (
        syntax in DECODERS
        and _version(DECODERS[syntax].package) is not None
        and DECODERS[syntax].plugin in _decoder(syntax).available_plugins
    )


def decode_frame(dataset: Dataset, index: int) -> NDArray[Any]:
    """One frame of a file, by the decoder that is pinned for it.

    Parameters
    ----------
    dataset
        The whole file, its transfer syntax stated.
    index
        Number of the frame, from 0.

    Raises
    ------
    DicomError
        If no decoder is pinned for its transfer syntax, or it is not installed.
    Exception
        Whatever the decoder raises.
    """
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    if not is_decodable(syntax):
        raise _missing_decoder(syntax)
    plugin = "" if syntax in NATIVE else DECODERS[syntax].plugin
    options: dict[str, Any] = as_pixel_options(dataset)
    decoder = _decoder(syntax)
    return decoder.as_array(dataset, index=index, decoding_plugin=plugin, **options)[0]


def _missing_decoder(syntax: UID) -> DicomError:
    """The refusal of a file that nothing at hand decodes."""
    pinned = DECODERS.get(syntax)
    remedy = (
        f"install {pinned.package}, or send it uncompressed" if pinned else "send it uncompressed"
    )
    return DicomError(
        f"no decoder for its transfer syntax ({syntax.name}): {remedy}",
        tag="TransferSyntaxUID",
        stage="decode",
    )


def _words(syntax: str) -> str:
    if syntax in NATIVE:
        return "native"
    if syntax in PICTURES:
        return f"pillow {_version('pillow')}"
    pinned = DECODERS.get(syntax)
    found = None if pinned is None else _version(pinned.package)
    return "none" if pinned is None or found is None else f"{pinned.package} {found}"


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _decoder(syntax: str) -> Decoder:
    """A decoder of our own, so that neither other plugins nor other programs change it."""
    decoder = Decoder(UID(syntax))
    if syntax in DECODERS:
        plugin = DECODERS[syntax].plugin
        module, function = _PLUGINS[plugin]
        decoder.add_plugin(plugin, (module, function))
    return decoder


_OF_PYDICOM = "pydicom.pixels.decoders"
_PLUGINS = {
    "imagecodecs": ("necroangle.dicom.decoders", "decode_jpeg"),
    "imagecodecs_jpeg_ls": ("necroangle.dicom.decoders", "decode_jpeg_ls"),
    "pylibjpeg": (f"{_OF_PYDICOM}.pylibjpeg", "_decode_frame"),
    "pydicom": (f"{_OF_PYDICOM}.rle", "_decode_frame"),
}
