"""Where one slice cuts another: the reference line that a viewer draws."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints, PlanePoints
from necroangle.imaging.volume import Slice

PARALLEL_SINE = 1e-3
"""Planes tilted by less than this (0.06°) count as parallel: files state cosines no better."""


class NoCrossing(StrEnum):
    """Why there is no line."""

    PARALLEL = "parallel"
    OUTSIDE = "outside"
    NO_FRAME = "no_frame"
    FRAMES_DIFFER = "frames_differ"

    @property
    def meaning(self) -> str:
        """One plain sentence for the reader."""
        return _MEANINGS[self]


_MEANINGS = {
    NoCrossing.PARALLEL: "the planes are parallel",
    NoCrossing.OUTSIDE: "the planes meet outside the picture",
    NoCrossing.NO_FRAME: "an image has no frame of reference: its place in the patient is unknown",
    NoCrossing.FRAMES_DIFFER: "the series have different frames of reference",
}


@dataclass(frozen=True, slots=True)
class Crossing:
    """The line in which another plane cuts a slice, or why there is none.

    Attributes
    ----------
    plane
        The plane of the slice on which the line is drawn.
    ends_mm
        ((u, v), (u, v)) plane mm of the slice, clipped to its picture, the upper end first (the
        left end on a level line); None where there is no line.
    reason
        Why there is none, or None.
    """

    plane: ImagePlane
    ends_mm: tuple[tuple[float, float], tuple[float, float]] | None
    reason: NoCrossing | None = None

    @property
    def ends_px(self) -> PixelPoints | None:
        """(2, 2) pixels (row, column) of the ends, or None."""
        points = self._points()
        return None if points is None else self.plane.plane_to_pixel(points)

    @property
    def ends_patient(self) -> PatientPoints | None:
        """(2, 3) patient LPS mm of the ends, or None."""
        points = self._points()
        return None if points is None else self.plane.plane_to_patient(points)

    def _points(self) -> PlanePoints | None:
        return None if self.ends_mm is None else PlanePoints(np.array(self.ends_mm))


def cross_reference(on: Slice, other: Slice, *, within_other: bool = False) -> Crossing:
    """Find where another slice cuts a slice, through patient coordinates.

    Parameters
    ----------
    on
        The slice on which the line is drawn.
    other
        The slice that cuts it.
    within_other
        Whether the line ends where the other picture ends, too.

    Returns
    -------
    Crossing
        With the reason where there is no line: no or another FrameOfReferenceUID, parallel
        planes, planes that meet outside the picture.
    """
    frames = (on.source.frame_of_reference_uid, other.source.frame_of_reference_uid)
    if not all(frames):
        return Crossing(on.plane, None, NoCrossing.NO_FRAME)
    if frames[0] != frames[1]:
        return Crossing(on.plane, None, NoCrossing.FRAMES_DIFFER)
    clip = other.shape if within_other else None
    return plane_crossing(on.plane, on.shape, other.plane, clip)


def plane_crossing(
    plane: ImagePlane,
    shape: tuple[int, int],
    other: ImagePlane,
    other_shape: tuple[int, int] | None = None,
) -> Crossing:
    """Find where a plane cuts a slice, both given in one frame of reference.

    On the slice, the other plane is the line ``a u + b v + d = 0``, with a and b the parts of its
    normal along the slice's axes, and d its distance from the slice's first pixel.

    Parameters
    ----------
    plane, shape
        The slice: its plane, and its (rows, columns).
    other
        The plane that cuts it.
    other_shape
        (rows, columns) of the other picture where the line shall end with it; None for the whole
        plane.

    Examples
    --------
    >>> coronal = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> sagittal = ImagePlane.from_dicom((-50, -60, 80), (0, 1, 0, 0, 0, -1), (1, 1))
    >>> line = plane_crossing(coronal, (128, 180), sagittal)
    >>> [(round(u, 9), round(v, 9)) for u, v in line.ends_mm]  # 40 mm from the left edge
    [(40.0, -0.5), (40.0, 127.5)]
    >>> plane_crossing(coronal, (128, 180), coronal).reason.meaning
    'the planes are parallel'
    """
    normal = other.normal
    slope = np.array((plane.row_cosine, plane.column_cosine)) @ normal
    steepness = float(np.linalg.norm(slope))
    if steepness < PARALLEL_SINE:
        return Crossing(plane, None, NoCrossing.PARALLEL)
    slope /= steepness
    depth = float(other.distance_mm(PatientPoints(np.array([plane.origin_mm])))[0]) / steepness
    foot, along = -depth * slope, _downwards(np.array((-slope[1], slope[0])))
    span = _clip(foot, along, plane, shape)
    if other_shape is not None:
        ends = plane.plane_to_patient(PlanePoints(np.array((foot, foot + along))))
        seen = other.patient_to_plane(ends)
        far = _clip(seen[0], seen[1] - seen[0], other, other_shape)
        span = (max(span[0], far[0]), min(span[1], far[1]))
    if not span[0] < span[1]:
        return Crossing(plane, None, NoCrossing.OUTSIDE)
    (u0, v0), (u1, v1) = (foot + np.outer(span, along)).tolist()
    return Crossing(plane, ((u0, v0), (u1, v1)))


def _downwards(along: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction of a line, turned to run down the picture, or to the right along a row."""
    u, v = along.tolist()
    is_level = abs(v) < 1e-9
    return -along if (u < 0 if is_level else v < 0) else along


def _clip(
    foot: NDArray[np.float64],
    along: NDArray[np.float64],
    plane: ImagePlane,
    shape: tuple[int, int],
) -> tuple[float, float]:
    """The part of the line ``foot + t along`` over a picture, as (first, last) t.

    A picture ends at the outer edges of its pixels. Outside it the first is above the last.
    """
    low, high = -math.inf, math.inf
    spacings = (plane.column_spacing_mm, plane.row_spacing_mm)
    for start, speed, spacing, count in zip(foot, along, spacings, shape[::-1], strict=True):
        near, far = -0.5 * spacing, (count - 0.5) * spacing
        if abs(speed) < 1e-12:
            if not near <= start <= far:
                return (math.inf, -math.inf)
            continue
        first, last = sorted(((near - start) / speed, (far - start) / speed))
        low, high = max(low, float(first)), min(high, float(last))
    return (low, high)
