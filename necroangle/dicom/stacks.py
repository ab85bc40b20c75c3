"""Which frames make one regular stack, in which order, and why some make none.

Positions and orientations decide: never the file name, the instance number, the slice thickness
or the stated spacing between slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.depths import (
    POSITION_TOLERANCE_MM,
    allowed_step_mm,
    along_normal,
    usual_step_mm,
)
from necroangle.dicom.records import FrameHeader
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane

__all__ = ["StackGeometry", "split_frames", "stack_geometry"]

ORIENTATION_TOLERANCE = 1e-3
"""Frames whose direction cosines differ by more than this are different orientations."""

SPACING_TOLERANCE = 1e-3
"""Frames whose pixel spacings differ by more than this share are of different stacks."""

MAX_MISSING = 10
"""A gap of more slices than this is called a gap, not missing slices."""

SHIFT_TOLERANCE_MM = 0.05
"""How far a slice may be shifted within its plane against the first one."""

SHIFT_TOLERANCE = 0.005
"""Or this share of the stack's length (0.3° of shear), whichever is more."""


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """Frames in order of position along their common normal.

    Attributes
    ----------
    frames
        Positions grow along row cosine x column cosine.
    step_mm
        Median distance between neighbours along the normal; 0 for one frame.
    """

    frames: tuple[FrameHeader, ...]
    step_mm: float


def split_frames(frames: Sequence[FrameHeader]) -> tuple[tuple[FrameHeader, ...], ...]:
    """Split the frames of one series by modality, matrix, pixel spacing and orientation.

    The groups and their order do not depend on the order or the names of the files.

    Parameters
    ----------
    frames
        Frames of one series. Radiographs and secondary captures stay alone, one a group.
    """
    groups: list[list[FrameHeader]] = []
    for frame in sorted(frames, key=_sort_key):
        for group in groups:
            if _alike(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return tuple(tuple(group) for group in groups)


def stack_geometry(frames: Sequence[FrameHeader]) -> StackGeometry:
    """Order frames of one orientation and matrix by position, and find their step.

    Parameters
    ----------
    frames
        One group of :func:`split_frames`, at least one frame.

    Raises
    ------
    DicomError
        If frames of reference differ, positions are repeated, steps differ (a slice is missing),
        or slices are shifted within their plane (gantry tilt).

    Examples
    --------
    >>> from necroangle.geometry import ImagePlane
    >>> from necroangle.terms import SourceImage
    >>> def coronal(y_mm):
    ...     plane = ImagePlane.from_dicom((0, y_mm, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.5))
    ...     source = SourceImage("1.2", "1.2.3", f"1.2.3.{y_mm}")
    ...     return FrameHeader(f"IM{y_mm}", source, "MR", "stack", plane, 256, 256)
    >>> stack = stack_geometry([coronal(6), coronal(0), coronal(3)])
    >>> [frame.file for frame in stack.frames], stack.step_mm
    (['IM0', 'IM3', 'IM6'], 3.0)
    >>> stack_geometry([coronal(0), coronal(3), coronal(9)])
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: ImagePositionPatient: slices are not evenly spaced: usually
    3.000 mm, 6.000 mm (1 missing), 1 such gap (IM3, IM9)
    """
    _check_same_frame(frames)
    found = along_normal(frames)
    if len(frames) == 1:
        return StackGeometry(found.frames, 0.0)
    _check_repeats(found.frames, found.depths_mm)
    _check_steps(found.frames, found.depths_mm)
    _check_shift(found.shifts_mm, found.depths_mm)
    return StackGeometry(found.frames, float(np.median(np.diff(found.depths_mm))))


def _sort_key(frame: FrameHeader) -> tuple[object, ...]:
    plane, source = frame.plane, frame.source
    return (
        frame.modality,
        frame.rows,
        frame.columns,
        frame.inverted,
        plane.row_spacing_mm,
        plane.column_spacing_mm,
        plane.row_cosine,
        plane.column_cosine,
        plane.origin_mm,
        source.instance_uid,
        source.frame_number,
    )


def _alike(first: FrameHeader, other: FrameHeader) -> bool:
    if (first.kind, other.kind) != ("stack", "stack"):
        return False
    if _form(first) != _form(other) or not _same_spacing(first.plane, other.plane):
        return False
    pairs = zip(_cosines(first), _cosines(other), strict=True)
    return all(abs(one - two) <= ORIENTATION_TOLERANCE for one, two in pairs)


def _form(frame: FrameHeader) -> tuple[object, ...]:
    return frame.modality, frame.rows, frame.columns, frame.inverted, frame.tiles_per_side


def _same_spacing(first: ImagePlane, other: ImagePlane) -> bool:
    return all(
        abs(one - two) <= SPACING_TOLERANCE * min(one, two)
        for one, two in (
            (first.row_spacing_mm, other.row_spacing_mm),
            (first.column_spacing_mm, other.column_spacing_mm),
        )
    )


def _cosines(frame: FrameHeader) -> tuple[float, ...]:
    return (*frame.plane.row_cosine, *frame.plane.column_cosine)


def _check_same_frame(frames: Sequence[FrameHeader]) -> None:
    if len({frame.source.frame_of_reference_uid for frame in frames}) > 1:
        raise DicomError(
            "several frames of reference in one stack: positions cannot be compared",
            tag="FrameOfReferenceUID",
        )


def _check_repeats(frames: Sequence[FrameHeader], depths_mm: NDArray[np.float64]) -> None:
    same = np.diff(depths_mm) < POSITION_TOLERANCE_MM
    at: tuple[str, ...] = ()
    if not same.any():
        return
    counts = np.bincount(np.concatenate(([0], np.cumsum(~same))))
    if len(counts) == 1:
        found = f"{counts[0]} images at one and the same position"
    elif counts.min() == counts.max():
        found = f"{counts[0]} images at each of {len(counts)} positions"
    else:
        index = int(np.argmax(same))
        found = f"{len(frames)} images at {len(counts)} positions"
        at = (frames[index].file, frames[index + 1].file)
    raise DicomError(
        f"{found}: several echoes or time points in one series, or copies; one image a position "
        "is needed, so send them as series of their own",
        tag="ImagePositionPatient",
        at=at,
    )


def _check_steps(frames: Sequence[FrameHeader], depths_mm: NDArray[np.float64]) -> None:
    steps_mm = np.diff(depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    allowed_mm = allowed_step_mm(usual_mm)
    odd = np.flatnonzero(np.abs(steps_mm - usual_mm) > allowed_mm)
    if not len(odd):
        return
    index = int(odd[0])
    missing = round(steps_mm[index] / usual_mm) - 1
    whole = abs(steps_mm[index] - (missing + 1) * usual_mm) <= allowed_mm
    hint = f"{missing} missing" if whole and 0 < missing <= MAX_MISSING else "uneven"
    raise DicomError(
        f"slices are not evenly spaced: usually {usual_mm:.3f} mm, {steps_mm[index]:.3f} mm "
        f"({hint}), {len(odd)} such {'gap' if len(odd) == 1 else 'gaps'}",
        tag="ImagePositionPatient",
        at=(frames[index].file, frames[index + 1].file),
    )


def _check_shift(shifts_mm: NDArray[np.float64], depths_mm: NDArray[np.float64]) -> None:
    sizes_mm = np.linalg.norm(shifts_mm, axis=1)
    length_mm = float(depths_mm[-1])
    if sizes_mm.max() <= max(SHIFT_TOLERANCE_MM, SHIFT_TOLERANCE * length_mm):
        return
    steps = np.diff(shifts_mm, axis=0)
    per_step_mm = float(np.linalg.norm(steps.mean(axis=0)))
    even = bool(np.all(np.linalg.norm(steps - steps.mean(axis=0), axis=1) <= 0.1 * per_step_mm))
    if even:
        tilt_deg = float(np.degrees(np.arctan2(sizes_mm[-1], length_mm)))
        raise DicomError(
            f"sheared stack (tilted gantry): each slice lies {per_step_mm:.3f} mm further within "
            f"its plane, {tilt_deg:.1f}° off the normal",
            tag="ImagePositionPatient",
        )
    raise DicomError(
        f"slices are shifted against each other within their plane, by up to "
        f"{sizes_mm.max():.3f} mm",
        tag="ImagePositionPatient",
    )
