"""The image plane: where a slice lies in the patient.

The only place where DICOM's ``ImagePositionPatient``, ``ImageOrientationPatient`` and
``PixelSpacing`` are understood.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PlaneError
from necroangle.geometry.frames import PatientPoints, PixelPoints, PlanePoints

Vector3 = tuple[float, float, float]

COSINE_TOLERANCE = 1e-3
"""How far direction cosines may be from unit length and from a right angle before refusal."""

_AXIS_PLANES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True, slots=True)
class PlaneName:
    """The anatomical plane nearest to an image plane, and how far it is tilted from it.

    Attributes
    ----------
    name
        ``"coronal"``, ``"sagittal"`` or ``"axial"``.
    obliquity_deg
        Angle between the normal and that plane's axis, 0 to about 54.7 degrees.
    """

    name: str
    obliquity_deg: float

    def __str__(self) -> str:
        """Say the plane as a reader would: ``coronal`` or ``coronal, oblique 12.3°``."""
        if self.obliquity_deg < 0.05:
            return self.name
        return f"{self.name}, oblique {self.obliquity_deg:.1f}°"


@dataclass(frozen=True, slots=True)
class ImagePlane:
    """The plane of one image: an isometry between plane mm and patient mm.

    Attributes
    ----------
    origin_mm
        Centre of the first pixel in patient LPS mm (``ImagePositionPatient``).
    row_cosine
        Unit vector along a row, towards growing column index (first three values of
        ``ImageOrientationPatient``).
    column_cosine
        Unit vector down a column, towards growing row index (last three values).
    row_spacing_mm
        Distance between the centres of neighbouring *rows* (first value of ``PixelSpacing``).
    column_spacing_mm
        Distance between the centres of neighbouring *columns* (second value).

    Raises
    ------
    PlaneError
        If a value is not finite, a spacing is not positive, or the cosines are not two unit
        vectors at a right angle.

    References
    ----------
    DICOM PS3.3 C.7.6.2, Image Plane Module.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> plane.pixel_to_patient([[10.0, 20.0]]).tolist()  # row 10, column 20
    [[-72.0, 5.0, 95.0]]
    >>> print(plane.name())
    coronal
    >>> ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 1, 0, 0), (0.5, 0.9))
    Traceback (most recent call last):
    ...
    necroangle.errors.PlaneError: row and column cosines are not at a right angle...
    """

    origin_mm: Vector3
    row_cosine: Vector3
    column_cosine: Vector3
    row_spacing_mm: float
    column_spacing_mm: float

    def __post_init__(self) -> None:
        numbers = (*self.origin_mm, *self.row_cosine, *self.column_cosine)
        spacings = (self.row_spacing_mm, self.column_spacing_mm)
        if not all(map(math.isfinite, (*numbers, *spacings))):
            raise PlaneError("image plane holds a value that is not a finite number")
        if min(spacings) <= 0:
            raise PlaneError(f"pixel spacing must be positive, found {spacings}")
        _check_cosines(self.row_cosine, self.column_cosine)

    @classmethod
    def from_dicom(
        cls,
        image_position_mm: Sequence[float],
        image_orientation: Sequence[float],
        pixel_spacing_mm: Sequence[float],
    ) -> "ImagePlane":
        """Build the plane from the three DICOM attributes, as they stand.

        The cosines, written in files with few decimals, are made exactly orthonormal: the row is
        kept and scaled to 1, the column is turned to a right angle with it.

        Parameters
        ----------
        image_position_mm
            Three values, patient LPS mm.
        image_orientation
            Six values.
        pixel_spacing_mm
            Two values: between rows, then between columns.

        Raises
        ------
        PlaneError
            As for the class, or if the number of values is wrong.
        """
        counts = (len(image_position_mm), len(image_orientation), len(pixel_spacing_mm))
        if counts != (3, 6, 2):
            raise PlaneError(
                f"position, orientation and spacing need 3, 6 and 2 values, found {counts}"
            )
        x, y, z = (float(value) for value in image_position_mm)
        row_raw = _vector(image_orientation[:3])
        column_raw = _vector(image_orientation[3:])
        _check_cosines(row_raw, column_raw)
        row = np.asarray(row_raw) / math.hypot(*row_raw)
        column = np.asarray(column_raw)
        column = column - (column @ row) * row
        column /= math.hypot(*column)
        return cls(
            (x, y, z),
            _vector(row.tolist()),
            _vector(column.tolist()),
            float(pixel_spacing_mm[0]),
            float(pixel_spacing_mm[1]),
        )

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit normal, (3,): row cosine x column cosine."""
        return np.cross(self.row_cosine, self.column_cosine)

    def pixel_to_plane(self, points: PixelPoints) -> PlanePoints:
        """(N, 2) pixels (row, column) to (N, 2) plane mm (u, v)."""
        rows, columns = np.asarray(points, float).reshape(-1, 2).T
        return PlanePoints(
            np.column_stack((columns * self.column_spacing_mm, rows * self.row_spacing_mm))
        )

    def plane_to_pixel(self, points: PlanePoints) -> PixelPoints:
        """(N, 2) plane mm (u, v) to (N, 2) pixels (row, column)."""
        u, v = np.asarray(points, float).reshape(-1, 2).T
        return PixelPoints(np.column_stack((v / self.row_spacing_mm, u / self.column_spacing_mm)))

    def plane_to_patient(self, points: PlanePoints) -> PatientPoints:
        """(N, 2) plane mm to (N, 3) patient LPS mm."""
        axes = np.array((self.row_cosine, self.column_cosine))
        return PatientPoints(np.asarray(points, float).reshape(-1, 2) @ axes + self.origin_mm)

    def patient_to_plane(self, points: PatientPoints) -> PlanePoints:
        """(N, 3) patient LPS mm to (N, 2) plane mm; what lies off the plane is projected on it."""
        axes = np.array((self.row_cosine, self.column_cosine))
        offsets = np.asarray(points, float).reshape(-1, 3) - self.origin_mm
        return PlanePoints(offsets @ axes.T)

    def pixel_to_patient(self, points: PixelPoints) -> PatientPoints:
        """(N, 2) pixels (row, column) to (N, 3) patient LPS mm."""
        return self.plane_to_patient(self.pixel_to_plane(points))

    def patient_to_pixel(self, points: PatientPoints) -> PixelPoints:
        """(N, 3) patient LPS mm to (N, 2) pixels (row, column)."""
        return self.plane_to_pixel(self.patient_to_plane(points))

    def distance_mm(self, points: PatientPoints) -> NDArray[np.float64]:
        """Signed distance of (N, 3) patient points from the plane, along the normal, in mm."""
        offsets = np.asarray(points, float).reshape(-1, 3) - self.origin_mm
        return np.asarray(offsets @ self.normal)

    def edge_letters(self) -> dict[str, str]:
        """Anatomical direction at each edge of the image, as letters of L R A P S I.

        A second letter stands where the edge points more than 20 degrees away from the first.

        Returns
        -------
        dict
            Keys ``left``, ``right``, ``top``, ``bottom``.

        Examples
        --------
        >>> plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
        >>> plane.edge_letters()
        {'left': 'R', 'right': 'L', 'top': 'S', 'bottom': 'I'}
        """
        row, column = np.array(self.row_cosine), np.array(self.column_cosine)
        return {
            "left": _letters(-row),
            "right": _letters(row),
            "top": _letters(-column),
            "bottom": _letters(column),
        }

    def name(self) -> PlaneName:
        """The nearest anatomical plane, by the dominant component of the normal."""
        size = np.abs(self.normal)
        axis = int(np.argmax(size))
        across = math.hypot(*(size[i] for i in range(3) if i != axis))
        return PlaneName(_AXIS_PLANES[axis], math.degrees(math.atan2(across, size[axis])))


def _vector(values: Sequence[float]) -> Vector3:
    x, y, z = values
    return float(x), float(y), float(z)


def _letters(direction: NDArray[np.float64]) -> str:
    """The letters of a direction in LPS, largest component first."""
    order = np.argsort(-np.abs(direction))
    tilted = [axis for axis in order if abs(direction[axis]) > math.sin(math.radians(20.0))]
    return "".join("LPS"[axis] if direction[axis] > 0 else "RAI"[axis] for axis in tilted)


def _check_cosines(row: Vector3, column: Vector3) -> None:
    for label, cosine in (("row", row), ("column", column)):
        length = math.hypot(*cosine)
        if not abs(length - 1) <= COSINE_TOLERANCE:
            raise PlaneError(f"{label} cosine {cosine} has length {length:.6g}, not 1")
    dot = row[0] * column[0] + row[1] * column[1] + row[2] * column[2]
    if not abs(dot) <= COSINE_TOLERANCE:
        raise PlaneError(f"row and column cosines are not at a right angle (cosine {dot:.6g})")
