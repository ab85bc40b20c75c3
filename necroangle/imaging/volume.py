"""A regular stack of slices, and one slice of it: pixels that know where they lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.terms import SourceImage

__all__ = ["Slice", "Volume"]


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One image with its plane and its source.

    Attributes
    ----------
    pixels
        (rows, columns) grey values.
    plane
        Where it lies in patient LPS mm; for a radiograph, in detector mm.
    source
        Its DICOM identifiers.
    window
        (low, high) grey values shown black and white, or None where the file names none.
    """

    pixels: NDArray[Any]
    plane: ImagePlane
    source: SourceImage
    window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Slices of one orientation, matrix and spacing, ordered along their common normal.

    Attributes
    ----------
    pixels
        (slices, rows, columns) grey values, modality rescale applied.
    planes
        One per slice, in the same order: positions grow along the normal.
    sources
        One per slice, in the same order.
    step_mm
        Distance between neighbouring slices along the normal, from their positions; 0 for one
        slice.
    window
        (low, high) grey values shown black and white, or None where the files name none.
    """

    pixels: NDArray[Any]
    planes: tuple[ImagePlane, ...]
    sources: tuple[SourceImage, ...]
    step_mm: float
    window: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def scale_mm(self) -> tuple[float, float, float]:
        """Size of one step along slices, rows and columns, mm: what a viewer needs as scale."""
        plane = self.planes[0]
        return (self.step_mm or 1.0, plane.row_spacing_mm, plane.column_spacing_mm)

    def slice(self, index: int) -> Slice:
        """One slice by its place in the stack, from 0."""
        return Slice(self.pixels[index], self.planes[index], self.sources[index], self.window)

    def nearest_index(self, points: PatientPoints) -> int:
        """Index of the slice nearest to the mean of (N, 3) patient points."""
        distances = [abs(float(np.mean(plane.distance_mm(points)))) for plane in self.planes]
        return int(np.argmin(distances))
