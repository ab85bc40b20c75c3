"""Where frames of one orientation stand along their normal, and how far a step may differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.records import FrameHeader

__all__ = ["POSITION_TOLERANCE_MM", "Depths", "allowed_step_mm", "along_normal", "usual_step_mm"]

POSITION_TOLERANCE_MM = 0.01
"""Frames nearer to each other than this along the normal stand at the same position."""

STEP_TOLERANCE_MM = 0.01
"""Steps between slices may differ by this from the usual step: positions are rounded in files."""

STEP_TOLERANCE = 0.01
"""Or by this share of the usual step, whichever is more."""


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """Frames in order of their position along the normal of one of them.

    Attributes
    ----------
    frames
        Nearest the tail of the normal first.
    depths_mm
        (N,) distance of each from the first, along the normal.
    shifts_mm
        (N, 3) patient LPS mm: how far each is shifted against the first within its plane.
    """

    frames: tuple[FrameHeader, ...]
    depths_mm: NDArray[np.float64]
    shifts_mm: NDArray[np.float64]


def along_normal(frames: Sequence[FrameHeader]) -> Depths:
    """Order frames of one orientation, at least one, by position."""
    normal = frames[0].plane.normal
    origins = np.array([frame.plane.origin_mm for frame in frames])
    order = np.argsort(origins @ normal, kind="stable")
    offsets = origins[order] - origins[order[0]]
    depths_mm = offsets @ normal
    shifts_mm = offsets - np.outer(depths_mm, normal)
    return Depths(tuple(frames[index] for index in order), depths_mm, shifts_mm)


def usual_step_mm(steps_mm: NDArray[np.float64]) -> float:
    """The median of the steps, the lower one of two: always a step that is there."""
    return float(np.sort(steps_mm)[(len(steps_mm) - 1) // 2])


def allowed_step_mm(usual_mm: float) -> float:
    """By how much a step may differ from the usual one."""
    return max(STEP_TOLERANCE_MM, STEP_TOLERANCE * usual_mm)
