"""Between plane mm and patient mm, coordinate by coordinate: for one slice or for many at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane
from necroangle.geometry.triple import cross3, dot3

__all__ = ["PlaneColumns", "above", "in_patient", "in_plane", "plane_columns"]

Array = NDArray[np.float64]
Triple = tuple[Array, Array, Array]


class PlaneColumns(NamedTuple):
    """The planes of K slices, or of one: each coordinate an array of (K,), or of no dimension."""

    origin: Triple
    row: Triple
    column: Triple

    @property
    def normal(self) -> Triple:
        """Unit normals: row cosine x column cosine."""
        return cross3(self.row, self.column)


def plane_columns(plane: ImagePlane) -> PlaneColumns:
    """One plane, as arrays of no dimension.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> [abs(float(part)) for part in plane_columns(plane).normal]
    [0.0, 1.0, 0.0]
    """
    return PlaneColumns(*map(_triple, (plane.origin_mm, plane.row_cosine, plane.column_cosine)))


def in_plane(points: Sequence[Array] | Array, plane: PlaneColumns) -> tuple[Array, Array]:
    """Patient mm (x, y, z) to plane mm (u, v); what lies off the plane is projected on it."""
    x, y, z = (part - start for part, start in zip(points, plane.origin, strict=True))
    return dot3((x, y, z), plane.row), dot3((x, y, z), plane.column)


def above(points: Sequence[Array] | Array, plane: PlaneColumns) -> Array:
    """Signed distance of patient mm (x, y, z) from the plane, along its normal, mm."""
    x, y, z = (part - start for part, start in zip(points, plane.origin, strict=True))
    return dot3((x, y, z), plane.normal)


def in_patient(points: Sequence[Array] | Array, plane: PlaneColumns) -> Triple:
    """Plane mm (u, v) to patient mm (x, y, z)."""
    u, v = points
    x, y, z = (
        u * along + v * down + start
        for start, along, down in zip(plane.origin, plane.row, plane.column, strict=True)
    )
    return x, y, z


def _triple(values: tuple[float, float, float]) -> Triple:
    x, y, z = map(np.float64, values)
    return x, y, z  # type: ignore[return-value]
