"""Pixels with their geometry: stacks, the slices to read, lines between them, new planes."""

from necroangle.imaging.crossing import Crossing, NoCrossing, cross_reference, plane_crossing
from necroangle.imaging.midslice import (
    Bracket,
    MidSlice,
    SliceOffset,
    Stack,
    bracketing_slices,
    mid_slice,
    slice_offset_mm,
)
from necroangle.imaging.planes import coronal_plane, neck_plane, sagittal_plane
from necroangle.imaging.registration import (
    HeadMotion,
    HeadPicture,
    Unregistered,
    register_heads,
)
from necroangle.imaging.reslice import reslice
from necroangle.imaging.volume import Slice, Volume

__all__ = [
    "Bracket",
    "Crossing",
    "HeadMotion",
    "HeadPicture",
    "MidSlice",
    "NoCrossing",
    "Slice",
    "SliceOffset",
    "Stack",
    "Unregistered",
    "Volume",
    "bracketing_slices",
    "coronal_plane",
    "cross_reference",
    "mid_slice",
    "neck_plane",
    "plane_crossing",
    "register_heads",
    "reslice",
    "sagittal_plane",
    "slice_offset_mm",
]
