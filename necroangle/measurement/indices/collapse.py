"""Depth of collapse below the head circle, and the two readings of it, which disagree.

``depth = R - |p - c|`` for the deepest point p of the sunken surface, where mm are true mm. ARCO
cuts at 2 mm and leaves 2 mm in IIIA; the Japanese committee cuts at 3 mm and puts 3 mm in 3B. The
mark says that the reader saw a collapse: without it there is no depth, and a fracture without
depression stays the reader's own entry.
"""

import math

from necroangle.errors import GeometryError
from necroangle.geometry import Circle
from necroangle.measurement.indices.marks import Point, refuse_not_finite, stored
from necroangle.terms import ArcoStage, JicStage

_ARCO_3A_UP_TO_MM = 2.0
_JIC_3B_FROM_MM = 3.0


def collapse_depth_mm(circle: Circle, deepest_mm: Point) -> float:
    """``R - |p - c|``: how far the surface has sunk below the head circle, mm, stored to 1e-6.

    Parameters
    ----------
    circle
        The circle of the intact contour, plane mm. Only where they are true mm.
    deepest_mm
        Deepest point of the sunken surface, plane (u, v) mm.

    Raises
    ------
    GeometryError
        If the point lies outside the circle. A negative depth is no collapse, nor is it a depth
        of 0: the mark or the circle is wrong, and the reader must say which.

    References
    ----------
    Yoon et al., the 2019 revised ARCO staging, doi 10.1016/j.arth.2019.11.029, measures the
    depression of the head; concentric circles: Steinberg et al. 1995.

    Examples
    --------
    >>> head = Circle((10.0, 5.0), 24.0)
    >>> collapse_depth_mm(head, (10.0, -16.5))
    2.5
    >>> collapse_depth_mm(head, (10.0, -20.0))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the deepest point of collapse lies 1.00 mm outside ...
    """
    refuse_not_finite("the deepest point of collapse", *deepest_mm)
    depth = stored(circle.radius_mm - math.dist(deepest_mm, circle.centre_mm))
    if depth < 0:
        raise GeometryError(
            f"the deepest point of collapse lies {-depth:.2f} mm outside the head circle: mark it "
            "on the sunken surface, and the rim on intact contour only"
        )
    return depth


def collapse_arco(depth_mm: float) -> ArcoStage:
    """ARCO's reading of a depth, classified as stored: up to 2 mm is IIIA, above it IIIB.

    Parameters
    ----------
    depth_mm
        Depth of collapse, true mm, 0 or more.

    Raises
    ------
    GeometryError
        If the depth is negative or not finite.

    References
    ----------
    Yoon et al., the 2019 revised ARCO staging, doi 10.1016/j.arth.2019.11.029.

    Examples
    --------
    >>> [str(collapse_arco(depth)) for depth in (0.0, 2.0, 2.01)]
    ['3A', '3A', '3B']
    >>> collapse_arco(-0.5)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: a depth of collapse is 0 mm or more, found -0.5 mm
    """
    above = _checked(depth_mm) > _ARCO_3A_UP_TO_MM
    return ArcoStage.STAGE_3B if above else ArcoStage.STAGE_3A


def collapse_jic(depth_mm: float) -> JicStage:
    """The Japanese committee's reading of a depth, as stored: below 3 mm is 3A, from 3 mm 3B.

    Parameters
    ----------
    depth_mm
        Depth of collapse, true mm, 0 or more.

    Raises
    ------
    GeometryError
        If the depth is negative or not finite.

    References
    ----------
    Ando et al., Japanese Orthopaedic Association 2019 guideline, J Orthop Sci 2021(1):46-68.

    Examples
    --------
    >>> [str(collapse_jic(depth)) for depth in (2.01, 2.999999, 3.0)]
    ['3A', '3A', '3B']
    >>> collapse_jic(float("nan"))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: a depth of collapse is not a finite number: (nan,)
    """
    reached = _checked(depth_mm) >= _JIC_3B_FROM_MM
    return JicStage.STAGE_3B if reached else JicStage.STAGE_3A


def _checked(depth_mm: float) -> float:
    refuse_not_finite("a depth of collapse", depth_mm)
    if stored(depth_mm) < 0:
        raise GeometryError(f"a depth of collapse is 0 mm or more, found {depth_mm:g} mm")
    return stored(depth_mm)
