"""Where a lesion lies inside the head, and its low-signal band.

In polar coordinates about the head's centre, with theta the angle from the lesion's axis and R - r
the depth under the surface, the lesion fills ``(theta / alpha)^m + ((R - r) / D)^m <= 1``. Its
outer margin meets the surface at theta = alpha and stands at a right angle on it, so that the ends
of the arc are the same on the surface and under the cortical rim.
"""

import math

import numpy as np

from necroangle.phantom.model import Lesion
from necroangle.phantom.shapes import Field, length

__all__ = ["lesion_distance"]

_POWER = 2.3
_UNDULATION = 0.10
_LEAST_ARM_MM = 1.0


def lesion_distance(points: Field, lesion: Lesion, radius_mm: float) -> Field:
    """Signed distance from the outer margin of a lesion's band, mm: negative inside the lesion.

    Parameters
    ----------
    points
        (..., 3) in mm from the head's centre, axes as patient LPS.
    lesion
        The lesion.
    radius_mm
        Radius of the head, mm.

    Examples
    --------
    >>> import numpy as np
    >>> from necroangle.phantom.shapes import Field
    >>> edge = 24 * np.array([[np.sin(0.8), 0, np.cos(0.8)]], np.float32)
    >>> distance = lesion_distance(edge, Lesion((0.0, 0.0, 1.0), float(np.degrees(0.8))), 24.0)
    >>> bool(abs(distance[0]) < 1e-3)
    True
    """
    alpha = math.radians(lesion.half_angle_deg)
    arm = np.maximum(length(points), np.float32(_LEAST_ARM_MM))
    axis = np.asarray(lesion.axis, np.float32)
    theta = np.arccos(np.clip((points @ axis) / arm, -1, 1))
    depth = _depth_mm(points, lesion, radius_mm)
    across = theta / np.float32(alpha)
    inward = np.maximum(np.float32(radius_mm) - arm, 0) / depth
    level = (across**_POWER + inward**_POWER) ** np.float32(1 / _POWER)
    level = np.maximum(level, np.float32(1e-6))
    slope: Field = np.hypot(
        (across / level) ** (_POWER - 1) / (np.float32(alpha) * arm),
        (inward / level) ** (_POWER - 1) / depth,
    )
    return np.asarray((level - 1) / np.maximum(slope, np.float32(1e-6)), np.float32)


def _depth_mm(points: Field, lesion: Lesion, radius_mm: float) -> Field:
    """Greatest depth of the lesion, gently wavy about its axis, mm; the surface is untouched."""
    share = min(0.85, 0.30 + 0.40 * lesion.half_angle_deg / 90.0)
    x, y, z = np.moveaxis(points, -1, 0)
    turn = np.float32(2 * math.pi / (1.1 * radius_mm))
    wave = np.sin(turn * (x + 0.6 * z) + 0.7) * np.cos(turn * (y - 0.4 * x) + 0.2)
    depth: Field = np.float32(share * radius_mm) * (1 + np.float32(_UNDULATION) * wave)
    return depth
