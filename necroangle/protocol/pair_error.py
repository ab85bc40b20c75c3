"""How far a slice beside the head's centre shows another angle: the lesion's tilt as a prior."""

import math

__all__ = ["RADIUS_MM", "STEP_MM", "TILT_SQUARED", "slope_per_mm"]

TILT_DEG = 17.0
"""Standard deviation of the tilt of a lesion out of the slice: a decision of this project."""

TILT_SQUARED = 1.15 * math.tan(math.radians(TILT_DEG)) ** 2
"""Mean square of its tangent, with what irregular borders add."""

STEP_MM = 4.0
"""Distance of neighbouring slices where neither it nor the slice's offset is known."""

RADIUS_MM = 24.0
"""Radius of the head for which millimetres of marking are meant where there are no true ones."""

_LEAST_SINE, _LEAST_ANGLE = 0.35, 0.35


def slope_per_mm(angle_deg: float, radius_mm: float) -> float:
    """How an angle changes along the slices' normal, for a lesion tilted by 45 degrees.

    Of a cap cut by parallel slices the chord's distance from the centre is linear in the slice's
    offset s, with the slope ``-tan t``, t the tilt: at the centre
    ``d angle / ds = 2 tan t / (R sin(angle / 2))``.

    Parameters
    ----------
    angle_deg
        The angle; near 0 and 360 degrees, where the slope has no bound, it is held.
    radius_mm
        Radius of the head.

    Returns
    -------
    float
        Radians per mm; to be multiplied by the tangent of the tilt.

    Examples
    --------
    >>> round(math.degrees(slope_per_mm(100.0, 24.0) * math.tan(math.radians(20.0))), 1)
    2.3
    """
    angle = min(max(math.radians(angle_deg), _LEAST_ANGLE), 2 * math.pi - _LEAST_ANGLE)
    return 2.0 / (radius_mm * max(_LEAST_SINE, math.sin(angle / 2)))
