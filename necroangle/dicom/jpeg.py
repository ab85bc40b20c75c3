"""JPEG baseline, extended and lossless frames by libjpeg-turbo, as pydicom asks a plugin for them.

The library is the one within imagecodecs, under permissive licences; it is loaded when the first
such frame is decoded.
"""

from importlib.util import find_spec

import numpy as np
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

__all__ = ["DECODER_DEPENDENCIES", "decode_jpeg", "is_available"]

DECODER_DEPENDENCIES = dict.fromkeys(
    (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1), ("imagecodecs",)
)
"""What each transfer syntax needs, as pydicom asks a plugin for it."""

_END_OF_IMAGE = b"\xff\xd9"
_PADDING = b"\0\xff"


def is_available(uid: str) -> bool:
    """Whether frames of this transfer syntax can be decoded here."""
    return uid in DECODER_DEPENDENCIES and find_spec("imagecodecs") is not None


def decode_jpeg(src: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one frame of grey values.

    The frame's own precision decides how wide a pixel is, and its bits are kept as they are: the
    signed values of a lossless frame come out as the header says.

    Parameters
    ----------
    src
        The frame.
    runner
        pydicom's, for the size that is expected.

    Raises
    ------
    ValueError
        If it is no JPEG frame of grey values, or is cut short: the library would fill up the rest
        of the picture in silence.
    """
    from imagecodecs import jpeg8_decode

    if not src.rstrip(_PADDING).endswith(_END_OF_IMAGE):
        raise ValueError("no end of image: the frame is cut short")
    array = np.ascontiguousarray(jpeg8_decode(src))
    if array.ndim != 2:
        raise ValueError(f"a frame of {array.ndim} dimensions, 2 are needed")
    runner.set_option("bits_allocated", 8 * array.dtype.itemsize)
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
