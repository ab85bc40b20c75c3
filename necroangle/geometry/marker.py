"""Something of known size in a radiograph: two clicks on its edge tell what a pixel measures."""

from dataclasses import dataclass, replace

import numpy as np

from necroangle.errors import PlaneError
from necroangle.geometry.plane import ImagePlane

LEAST_MM, MOST_MM = 1.0, 500.0
"""No ball, coin or ruler that is laid beside a hip is smaller or larger."""

LEAST_PX = 10.0
"""Nearer clicks than this tell no scale: one pixel aside would be 10 % and more."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Two points of a picture that are a known distance apart.

    Attributes
    ----------
    ends
        Two points (row, column), pixels; the centre of the first pixel is (0, 0).
    size_mm
        How far they lie apart in the patient: the diameter of a ball, a stretch of a ruler.

    Examples
    --------
    >>> film = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1))
    >>> scaled = Marker(((10, 20), (110, 20)), 25.0).scaled(film, (512, 512))
    >>> scaled.row_spacing_mm, scaled.column_spacing_mm
    (0.25, 0.25)
    >>> Marker(((10, 20), (12, 20)), 25.0).scaled(film, (512, 512))
    Traceback (most recent call last):
    ...
    necroangle.errors.PlaneError: a marker of 2.0 pixels: mark one of 10 pixels or more
    """

    ends: tuple[tuple[float, float], tuple[float, float]]
    size_mm: float

    def scaled(self, plane: ImagePlane, shape: tuple[int, int]) -> ImagePlane:
        """The plane of a picture in true mm; what a pixel's height is to its width stays.

        Parameters
        ----------
        plane
            The picture's plane, in mm of any worth.
        shape
            Its (rows, columns).

        Raises
        ------
        PlaneError
            If the points lie outside of the picture or too near to each other, or the size is none
            that a marker can have.
        """
        self._check(shape)
        away = np.diff(np.asarray(self.ends, float), axis=0)[0]
        apart_mm = float(np.hypot(*(away * (plane.row_spacing_mm, plane.column_spacing_mm))))
        factor = self.size_mm / apart_mm
        return replace(
            plane,
            row_spacing_mm=plane.row_spacing_mm * factor,
            column_spacing_mm=plane.column_spacing_mm * factor,
        )

    def _check(self, shape: tuple[int, int]) -> None:
        ends = np.asarray(self.ends, float)
        if ends.shape != (2, 2) or not np.isfinite(ends).all():
            raise PlaneError("a marker has two ends, each a row and a column")
        if np.any(ends < -0.5) or np.any(ends > np.asarray(shape) - 0.5):
            raise PlaneError("the marker lies outside of the picture: mark it again")
        if not LEAST_MM <= self.size_mm <= MOST_MM:
            raise PlaneError(
                f"a marker measures {LEAST_MM:g} to {MOST_MM:g} mm, found {self.size_mm:g}"
            )
        apart_px = float(np.hypot(*np.diff(ends, axis=0)[0]))
        if apart_px < LEAST_PX:
            raise PlaneError(
                f"a marker of {apart_px:.1f} pixels: mark one of {LEAST_PX:g} pixels or more"
            )
