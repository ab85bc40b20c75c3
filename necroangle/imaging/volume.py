"""A stack of slices, and one slice of it: pixels that know where they lie."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.terms import SourceImage

_LOOKED_AT = 1_000_000
"""Pixels from which the grey values of a stack are known well enough."""


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
    resampled
        How the pixels were computed, in words, where they are not those of the file: then
        ``source`` names the acquired slice nearest to the middle of the picture, which does not
        hold these pixels. None for an acquired slice.
    through_plane_mm
        Distance between the acquired slices that were interpolated, mm: where it is far above the
        spacing, the picture is finer than what was measured. None for an acquired slice.
    """

    pixels: NDArray[Any]
    plane: ImagePlane
    source: SourceImage
    window: tuple[float, float] | None = None
    resampled: str | None = None
    through_plane_mm: float | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return (rows, columns)


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
        (low, high) grey values shown black and white: as the files name it, or where they pad their
        pictures, the middle 99 per cent of what is none; else None.
    decoder
        What decoded the pixels, with its version; ``"native"`` where they were stored as they are.
    irregular
        Why nothing may be computed between the slices (slices are missing, sheared, of several
        contrasts), in words; empty where the stack is regular.
    """

    pixels: NDArray[Any]
    planes: tuple[ImagePlane, ...]
    sources: tuple[SourceImage, ...]
    step_mm: float
    window: tuple[float, float] | None = None
    decoder: str = ""
    irregular: str = ""

    def __len__(self) -> int:
        return len(self.planes)

    @property
    def scale_mm(self) -> tuple[float, float, float]:
        """Size of one step along slices, rows and columns, mm: what a viewer needs as scale."""
        plane = self.planes[0]
        return (self.step_mm or 1.0, plane.row_spacing_mm, plane.column_spacing_mm)

    @property
    def rows(self) -> int:
        """Number of rows of a slice."""
        return int(self.pixels.shape[1])

    @property
    def columns(self) -> int:
        """Number of columns of a slice."""
        return int(self.pixels.shape[2])

    @property
    def index_to_patient(self) -> NDArray[np.float64]:
        """(4, 4) matrix from (slice, row, column, 1) to patient LPS mm.

        Of the mean step: a slice may lie off it by what its position is off the even spacing. Only
        for what is drawn; a place in the patient comes from the plane of its own slice.

        Examples
        --------
        >>> planes = tuple(
        ...     ImagePlane.from_dicom((-90, y, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
        ...     for y in (5, 9)
        ... )
        >>> sources = tuple(SourceImage("1.2", "1.2.3", f"1.2.3.{n}") for n in (1, 2))
        >>> volume = Volume(np.zeros((2, 64, 64)), planes, sources, 4.0)
        >>> (volume.index_to_patient @ (1, 10, 20, 1)).tolist()
        [-72.0, 9.0, 95.0, 1.0]
        """
        first, last = self.planes[0], self.planes[-1]
        origin = np.array(first.origin_mm)
        matrix = np.eye(4)
        matrix[:3, 0] = first.normal * self.scale_mm[0]
        if len(self) > 1:
            matrix[:3, 0] = (np.array(last.origin_mm) - origin) / (len(self) - 1)
        matrix[:3, 1] = np.array(first.column_cosine) * first.row_spacing_mm
        matrix[:3, 2] = np.array(first.row_cosine) * first.column_spacing_mm
        matrix[:3, 3] = origin
        return matrix

    def shown_window(self) -> tuple[float, float]:
        """Grey values shown black and white: the files' own, else the middle 99 percent."""
        if self.window is not None:
            return self.window
        low, high = self.percentiles(0.5, 99.5)
        return (low, high) if high > low else (low, low + 1.0)

    def percentiles(self, *percents: float) -> list[float]:
        """Grey values below which so many percent of the pixels lie.

        Of a stack of more than a million pixels, every second (third, ...) row and column is
        looked at: a window shall not wait for all of them to be sorted.

        Examples
        --------
        >>> plane = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
        >>> ramp = np.arange(2000.0 * 1000).reshape(1, 2000, 1000)
        >>> volume = Volume(ramp, (plane,), (SourceImage("1.2", "1.2.3", "1.2.3.1"),), 4.0)
        >>> [round(one / ramp.size, 3) for one in volume.percentiles(25.0, 99.0)]
        [0.25, 0.99]
        """
        every = math.ceil(math.sqrt(self.pixels.size / _LOOKED_AT))
        found: list[float] = np.percentile(self.pixels[:, ::every, ::every], percents).tolist()
        return found

    def slice(self, index: int) -> Slice:
        """One slice by its place in the stack, from 0."""
        return Slice(self.pixels[index], self.planes[index], self.sources[index], self.window)

    def nearest_index(self, points: PatientPoints) -> int:
        """Index of the slice nearest to the mean of (N, 3) patient points."""
        distances = [abs(float(np.mean(plane.distance_mm(points)))) for plane in self.planes]
        return int(np.argmin(distances))
