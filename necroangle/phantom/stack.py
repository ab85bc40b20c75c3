"""A stack of parallel slices about a point: spacing, thickness, gap and obliquity."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.terms import View

__all__ = ["SeriesGeometry", "Vector3", "rotation"]

Vector3 = tuple[float, float, float]

_MOST = 4096

_AXES: dict[View, tuple[Vector3, Vector3]] = {
    View.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    View.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


def rotation(turns_deg: Vector3) -> NDArray[np.float64]:
    """Turn about x, then about y, then about z of patient LPS, right-handed.

    Parameters
    ----------
    turns_deg
        Three angles, degrees.

    Returns
    -------
    NDArray[np.float64]
        (3, 3) matrix that turns column vectors.

    Examples
    --------
    >>> (rotation((0, 0, 90)) @ [1, 0, 0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    matrix = np.eye(3)
    for axis, turn_deg in enumerate(turns_deg):
        cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = turn @ matrix
    return matrix


@dataclass(frozen=True, slots=True)
class SeriesGeometry:
    """A stack of parallel slices.

    Attributes
    ----------
    view
        ``View.CORONAL`` or ``View.SAGITTAL``: the plane before it is tilted.
    row_spacing_mm, column_spacing_mm
        Distance between the centres of neighbouring rows, and of neighbouring columns, mm.
    rows, columns
        Size of the matrix.
    slices
        Number of slices.
    thickness_mm, gap_mm
        Thickness of a slice, and the gap between two; their sum is the step along the normal.
    tilt_deg
        Turns about x, y and z of patient LPS, in that order: the obliquity.
    shift_mm
        Where the stack's middle lies from the point it is laid about: along the row, down the
        column, along the normal, mm. So the mid slice need not pass through the head's centre.

    Raises
    ------
    PhantomError
        If the view is a radiograph, or a size is not positive.

    Examples
    --------
    >>> from necroangle.terms import View
    >>> stack = SeriesGeometry(View.SAGITTAL, 0.7, 0.7, rows=3, columns=3, slices=3)
    >>> [plane.origin_mm[0] for plane in stack.planes((90.0, 0.0, 0.0))]
    [93.85, 90.0, 86.15]
    >>> SeriesGeometry(View.SAGITTAL, 0.0, 0.7)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: spacing and thickness must be above 0 mm, ...
    """

    view: View
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int = 160
    columns: int = 160
    slices: int = 11
    thickness_mm: float = 3.5
    gap_mm: float = 0.35
    tilt_deg: Vector3 = (0.0, 0.0, 0.0)
    shift_mm: Vector3 = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.view not in _AXES:
            raise PhantomError(f"a series is coronal or sagittal, found {self.view.value}")
        sizes = (self.row_spacing_mm, self.column_spacing_mm, self.thickness_mm)
        if not min(sizes) > 0:
            raise PhantomError(f"spacing and thickness must be above 0 mm, found {sizes}")
        if not self.gap_mm >= 0:
            raise PhantomError(f"the gap must be 0 mm or more, found {self.gap_mm}")
        counts = (self.rows, self.columns, self.slices)
        if min(counts) < 1 or max(counts) > _MOST:
            raise PhantomError(
                f"rows, columns and slices must lie between 1 and {_MOST}, found {counts}"
            )

    @property
    def step_mm(self) -> float:
        """Distance between the middles of neighbouring slices, mm."""
        return self.thickness_mm + self.gap_mm

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3): row cosine, column cosine and normal, one a row, in patient LPS."""
        turn = rotation(self.tilt_deg)
        row, column = (turn @ np.array(axis) for axis in _AXES[self.view])
        return np.array((row, column, np.cross(row, column)))

    def planes(self, centre_mm: Vector3) -> tuple[ImagePlane, ...]:
        """The slices' planes, in the order of the normal, laid about a patient point (mm)."""
        axes = self.axes
        middle = np.array(centre_mm) + np.array(self.shift_mm) @ axes
        corner = middle - axes[0] * self.column_spacing_mm * (self.columns - 1) / 2
        corner = corner - axes[1] * self.row_spacing_mm * (self.rows - 1) / 2
        offsets = (np.arange(self.slices) - (self.slices - 1) / 2) * self.step_mm
        return tuple(self._plane(corner + offset * axes[2], axes) for offset in offsets)

    def _plane(self, origin: NDArray[np.float64], axes: NDArray[np.float64]) -> ImagePlane:
        """One plane, with its numbers as a DICOM decimal string holds them."""
        position = [round(value, 6) for value in origin.tolist()]
        cosines = [round(value, 12) for value in axes[:2].ravel().tolist()]
        spacing = (self.row_spacing_mm, self.column_spacing_mm)
        return ImagePlane.from_dicom(position, cosines, spacing)
