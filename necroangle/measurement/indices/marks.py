"""Landmarks and directions in one slice: how an index finds its zero and its sense of turning.

An index that belongs to the hip, not to the scanner, counts its angles from a landmark's direction.
Such a frame is an :class:`AnatomicalAxes` whose ``superior`` is that direction; the sense in which
its angles grow is the turn over the top of the head, medial to lateral or anterior to posterior.
"""

import math
from typing import Literal

from necroangle.errors import GeometryError
from necroangle.geometry import Circle
from necroangle.measurement.arcs import AnatomicalAxes

Point = tuple[float, float]
"""A landmark as plane (u, v), mm."""

Turn = Literal[-1, 1]
"""Sense of the turn over the top of the head: 1 from +u towards +v, -1 the other way."""

_COINCIDENT_MM = 1e-6
_STRAIGHT_SINE = math.sin(math.radians(5.0))
_STORED_DECIMALS = 6


def stored(value: float) -> float:
    """Round to the 1e-6 in which an index is stored and classified; never minus zero.

    Examples
    --------
    >>> stored(2.0000000001), stored(-1e-9)
    (2.0, 0.0)
    """
    return round(value, _STORED_DECIMALS) + 0.0


def refuse_not_finite(what: str, *values: float) -> None:
    """Refuse numbers that are not finite.

    Raises
    ------
    GeometryError
        Naming what holds the number.

    Examples
    --------
    >>> refuse_not_finite("the teardrop", 1.0, float("nan"))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the teardrop is not a finite number: (1.0, nan)
    """
    if not all(map(math.isfinite, values)):
        raise GeometryError(f"{what} is not a finite number: {values}")


def direction_to(tail_mm: Point, head_mm: Point, what: str) -> Point:
    """Unit vector from one plane point to another.

    Parameters
    ----------
    tail_mm, head_mm
        Plane (u, v), mm.
    what
        The two points in words, for the message.

    Raises
    ------
    GeometryError
        If they are one point, or not finite.

    Examples
    --------
    >>> direction_to((1.0, 1.0), (1.0, 5.0), "neck points")
    (0.0, 1.0)
    >>> direction_to((1.0, 1.0), (1.0, 1.0), "neck points")
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: neck points are one point; mark them apart
    """
    refuse_not_finite(what, *tail_mm, *head_mm)
    u, v = head_mm[0] - tail_mm[0], head_mm[1] - tail_mm[1]
    length = math.hypot(u, v)
    if not length > _COINCIDENT_MM:
        raise GeometryError(f"{what} are one point; mark them apart")
    return u / length, v / length


def neck_direction(circle: Circle, distal_mm: Point, proximal_mm: Point) -> Point:
    """Unit vector along the neck's midline, pointing into the head.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    distal_mm, proximal_mm
        Two points on the midline, away from the head and near it; plane (u, v) mm.

    Raises
    ------
    GeometryError
        If they are one point, or the proximal one is not the nearer to the head's centre.

    Examples
    --------
    >>> head = Circle((0.0, 0.0), 24.0)
    >>> neck_direction(head, distal_mm=(0.0, 40.0), proximal_mm=(0.0, 30.0))
    (0.0, -1.0)
    >>> neck_direction(head, distal_mm=(0.0, 30.0), proximal_mm=(0.0, 40.0))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the neck's distal point is nearer to the head than its ...
    """
    direction = direction_to(distal_mm, proximal_mm, "the two neck points")
    if math.dist(distal_mm, circle.centre_mm) <= math.dist(proximal_mm, circle.centre_mm):
        raise GeometryError(
            "the neck's distal point is nearer to the head than its proximal one; "
            "are the two marks swapped?"
        )
    return direction


def frame_along(direction: Point, turn: Turn) -> AnatomicalAxes:
    """Axes whose zero is a unit direction and whose angles grow with a turn.

    Examples
    --------
    >>> frame_along((0.0, -1.0), 1).angle_deg(1.0, 0.0)
    90.0
    """
    return AnatomicalAxes(direction, (-turn * direction[1], turn * direction[0]))


def turn_from_axes(axes: AnatomicalAxes) -> Turn:
    """The turn in which the angles of axes grow.

    Examples
    --------
    >>> turn_from_axes(AnatomicalAxes(superior=(0.0, -1.0), positive=(-1.0, 0.0)))
    -1
    """
    return 1 if _cross(axes.superior, axes.positive) > 0 else -1


def turn_from_landmarks(circle: Circle, teardrop_mm: Point, edge_mm: Point) -> Turn:
    """The turn from medial over the top to lateral, where no axes tell it: on a radiograph.

    The head's centre lies below the line from teardrop to acetabular edge, so the shorter turn
    about it, from the teardrop to the edge, goes over the top.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    teardrop_mm, edge_mm
        Plane (u, v), mm.

    Raises
    ------
    GeometryError
        If a landmark is the centre, or the centre is within 5 degrees of the line between them:
        then the two turns are alike.

    Examples
    --------
    >>> head = Circle((0.0, 0.0), 24.0)
    >>> turn_from_landmarks(head, (-40.0, 20.0), (14.0, -24.0))
    1
    >>> turn_from_landmarks(head, (-40.0, 20.0), (40.0, -20.0))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the head's centre lies on the line from teardrop to ...
    """
    sine = _turn_sine(circle, teardrop_mm, edge_mm)
    if abs(sine) <= _STRAIGHT_SINE:
        raise GeometryError(
            "the head's centre lies on the line from teardrop to acetabular edge, so it is not "
            "known which side is lateral; check the two landmarks"
        )
    return 1 if sine > 0 else -1


def refuse_contrary(circle: Circle, teardrop_mm: Point, edge_mm: Point, turn: Turn) -> None:
    """Refuse landmarks that say lateral is where the axes say medial.

    Raises
    ------
    GeometryError
        If the turn over the top from teardrop to edge runs clearly against ``turn``: the two are
        swapped, or belong to another hip.

    Examples
    --------
    >>> refuse_contrary(Circle((0.0, 0.0), 24.0), (-40.0, 20.0), (14.0, -24.0), -1)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the teardrop lies lateral of the acetabular edge; ...
    """
    if turn * _turn_sine(circle, teardrop_mm, edge_mm) < -_STRAIGHT_SINE:
        raise GeometryError(
            "the teardrop lies lateral of the acetabular edge; are the two marks swapped?"
        )


def circle_point(circle: Circle, frame: AnatomicalAxes, angle_deg: float) -> Point:
    """The point of the head circle at an angle of a frame, plane (u, v) mm.

    Examples
    --------
    >>> circle_point(Circle((1.0, 2.0), 24.0), frame_along((0.0, -1.0), 1), 0.0)
    (1.0, -22.0)
    """
    along, across = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    u, v = (
        centre + circle.radius_mm * (along * zero + across * side)
        for centre, zero, side in zip(circle.centre_mm, frame.superior, frame.positive, strict=True)
    )
    return u, v


def _turn_sine(circle: Circle, teardrop_mm: Point, edge_mm: Point) -> float:
    """Sine of the angle at the head's centre from teardrop to edge, positive from +u towards +v."""
    to_teardrop = direction_to(circle.centre_mm, teardrop_mm, "teardrop and head's centre")
    to_edge = direction_to(circle.centre_mm, edge_mm, "acetabular edge and head's centre")
    return _cross(to_teardrop, to_edge)


def _cross(first: Point, second: Point) -> float:
    return first[0] * second[1] - first[1] * second[0]
