"""Signed distances of simple solids: negative inside, mm; the bricks of the phantom's anatomy.

Points are (..., 3) arrays in mm; every function gives an array of the leading shape.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "Point", "blend", "capsule", "ellipsoid", "fade", "length", "smooth_union"]

Field = NDArray[np.float32]
Point = Sequence[float]


def length(points: Field) -> Field:
    """Length of each vector, mm."""
    size: Field = np.sqrt(np.einsum("...i,...i->...", points, points))
    return size


def ellipsoid(points: Field, centre_mm: Point, radii_mm: Point) -> Field:
    """Distance to an ellipsoid along the axes, exact on its surface and of first order near it.

    Examples
    --------
    >>> import numpy as np
    >>> point = np.array([[30.0, 0.0, 0.0]], np.float32)
    >>> ellipsoid(point, (0, 0, 0), (20, 10, 10)).tolist()
    [10.0]
    """
    offset = points - np.asarray(centre_mm, np.float32)
    radii = np.asarray(radii_mm, np.float32)
    near = length(offset / radii)
    slope = np.maximum(length(offset / radii**2), np.float32(1e-6))
    return np.asarray(near * (near - 1) / slope, np.float32)


def capsule(points: Field, ends_mm: tuple[Point, Point], radii_mm: tuple[float, float]) -> Field:
    """Distance to a rounded cone between two points, with a radius at each.

    Examples
    --------
    >>> import numpy as np
    >>> point = np.array([[5.0, 8.0, 0.0]], np.float32)
    >>> capsule(point, ((0, 0, 0), (10, 0, 0)), (2.0, 4.0)).tolist()
    [5.0]
    """
    start = np.asarray(ends_mm[0], np.float32)
    along = np.asarray(ends_mm[1], np.float32) - start
    offset = points - start
    part = np.clip((offset @ along) / np.float32(along @ along), 0, 1)
    radius = np.float32(radii_mm[0]) + part * np.float32(radii_mm[1] - radii_mm[0])
    return np.asarray(length(offset - part[..., None] * along) - radius, np.float32)


def smooth_union(first: Field, second: Field, blend_mm: float) -> Field:
    """Union of two solids whose seam is rounded over ``blend_mm``; elsewhere the exact union."""
    width = np.float32(blend_mm)
    near = np.maximum(width - np.abs(first - second), 0)
    joined: Field = np.minimum(first, second) - near * near / (4 * width)
    return joined


def fade(distance: Field, width_mm: float) -> Field:
    """1 well inside (negative distance), 0 well outside, straight over ``width_mm`` between."""
    weight: Field = np.clip(np.float32(0.5) - distance / np.float32(width_mm), 0, 1)
    return weight


def blend(below: Field, value: float | Field, weight: Field) -> Field:
    """Lay a signal over what is there, with a weight of 0 to 1."""
    laid: Field = below + weight * (np.asarray(value, np.float32) - below)
    return laid
