"""Type of the Japanese Investigation Committee: how far laterally the necrotic surface reaches.

Provisional: the types' wording is published, the construction of their lines was not seen.

With T the lowest point of the teardrop and E the lateral acetabular edge: ``M = (T + E) / 2``,
``u = unit(E - T)``, ``w(p) = (p - M).u / (|E - T| / 2)``. The weight-bearing portion runs from
the perpendicular bisector (w = 0) to the edge (w = 1), and its thirds are cut by parallel lines.

In a hip of ordinary shape the edge stands off the head and the line T-E rises by some 40 degrees,
so that no point of the head circle reaches w = 1: over the outermost part w even falls again. "It
reaches the acetabular edge" is therefore also taken at its word: the lateral boundary lies on the
ray from the head's centre to the edge, or beyond it. Then the type is C2 whatever w says.
"""

import math
from dataclasses import dataclass

from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle
from necroangle.measurement.arcs import boundaries
from necroangle.measurement.indices.marks import (
    Point,
    Turn,
    circle_point,
    direction_to,
    frame_along,
    refuse_contrary,
    refuse_not_finite,
    stored,
    turn_from_landmarks,
)
from necroangle.terms import JicType

_A_UP_TO = stored(1.0 / 3.0)
_B_UP_TO = stored(2.0 / 3.0)


@dataclass(frozen=True, slots=True)
class JicExtent:
    """Lateral reach of the necrotic surface in the weight-bearing portion. Provisional.

    Attributes
    ----------
    w
        0 at the medial limit of the weight-bearing portion, 1 at the acetabular edge; no unit.
    jic_type
        A, B, C1 or C2.
    medial_of_wb
        Whether the lesion ends before the weight-bearing portion begins; the type is then A.
    reaches_edge
        Whether the lateral boundary lies on the ray to the acetabular edge, or beyond it.
    """

    w: float
    jic_type: JicType
    medial_of_wb: bool
    reaches_edge: bool


def jic_w(point_mm: Point, teardrop_mm: Point, edge_mm: Point) -> float:
    """``(p - M).u / (|E - T| / 2)``, stored to 1e-6. Provisional.

    Parameters
    ----------
    point_mm
        Lateral boundary of the necrosis on the head circle, plane (u, v) mm.
    teardrop_mm, edge_mm
        Lowest point of the teardrop; lateral acetabular edge; plane (u, v) mm.

    Raises
    ------
    GeometryError
        If teardrop and edge are one point, or a number is not finite.

    References
    ----------
    Sugano et al. 2002, the 2001 revised criteria, PMID 12355139 (wording of the types).

    Examples
    --------
    >>> jic_w((12.0, -20.0), teardrop_mm=(-36.0, 0.0), edge_mm=(36.0, 0.0))
    0.333333
    >>> jic_w((12.0, -20.0), teardrop_mm=(36.0, 0.0), edge_mm=(36.0, 0.0))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: teardrop and acetabular edge are one point; mark them apart
    """
    refuse_not_finite("the lateral boundary", *point_mm)
    u = direction_to(teardrop_mm, edge_mm, "teardrop and acetabular edge")
    middle = ((teardrop_mm[0] + edge_mm[0]) / 2, (teardrop_mm[1] + edge_mm[1]) / 2)
    along = (point_mm[0] - middle[0]) * u[0] + (point_mm[1] - middle[1]) * u[1]
    return stored(along / (math.dist(teardrop_mm, edge_mm) / 2))


def jic_type(w: float, *, reaches_edge: bool = False) -> JicType:
    """Type by the stored w: A up to 1/3, B up to 2/3, C1 below 1, C2 from 1. Provisional.

    Parameters
    ----------
    w
        From :func:`jic_w`; below 0 is type A.
    reaches_edge
        Whether the necrosis reaches the ray from the head's centre to the acetabular edge: then C2.

    Raises
    ------
    GeometryError
        If w is not finite.

    References
    ----------
    Sugano et al. 2002, the 2001 revised criteria, PMID 12355139: A, at most the medial third of
    the weight-bearing portion; B, at most two thirds; C, more, C1 not reaching the acetabular
    edge, C2 reaching it.

    Examples
    --------
    >>> [str(jic_type(w)) for w in (-0.2, 1 / 3, 2 / 3, 0.999999, 1.0)]
    ['A', 'A', 'B', 'C1', 'C2']
    >>> str(jic_type(0.9, reaches_edge=True))
    'C2'
    >>> jic_type(float("inf"))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: w is not a finite number: (inf,)
    """
    refuse_not_finite("w", w)
    w = stored(w)
    if reaches_edge or w >= 1.0:
        return JicType.C2
    if w > _B_UP_TO:
        return JicType.C1
    return JicType.B if w > _A_UP_TO else JicType.A


def jic_extent(
    circle: Circle,
    arcs: tuple[Arc, ...],
    teardrop_mm: Point,
    edge_mm: Point,
    turn: Turn | None = None,
) -> JicExtent:
    """Lateral reach and type of the necrotic surface of a coronal slice or AP radiograph.

    Needs no true mm and no position in the patient. Provisional.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    arcs
        Necrotic arcs about its centre; of several the outermost lateral boundary counts.
    teardrop_mm, edge_mm
        Lowest point of the teardrop; lateral acetabular edge; plane (u, v) mm.
    turn
        Sense of the turn from medial over the top to lateral; None to tell it from the landmarks.

    Raises
    ------
    GeometryError
        If there is no arc, a landmark lies on the other or on the centre, the turn cannot be told
        from them, or they contradict it.

    References
    ----------
    Sugano et al. 2002, the 2001 revised criteria, PMID 12355139 (wording of the types).

    Examples
    --------
    >>> head, over_the_top = Circle((0.0, 0.0), 24.0), Arc(240.0, 30.0, 0.0, 0.0)
    >>> found = jic_extent(head, (over_the_top,), (-42.7, 20.0), (14.0, -24.2))
    >>> found.w, str(found.jic_type), found.reaches_edge
    (0.689413, 'C1', False)
    >>> jic_extent(head, (), (-42.7, 20.0), (14.0, -24.2))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: no necrotic arc: there is no lateral boundary
    """
    if turn is None:
        turn = turn_from_landmarks(circle, teardrop_mm, edge_mm)
    refuse_contrary(circle, teardrop_mm, edge_mm, turn)
    to_edge = direction_to(circle.centre_mm, edge_mm, "acetabular edge and head's centre")
    from_edge = frame_along(to_edge, turn)
    found = boundaries(arcs, from_edge)
    if found is None:
        raise GeometryError("no necrotic arc: there is no lateral boundary")
    w = jic_w(circle_point(circle, from_edge, found.end_deg), teardrop_mm, edge_mm)
    reaches_edge = stored(found.end_deg) >= 0.0
    return JicExtent(
        w=w,
        jic_type=jic_type(w, reaches_edge=reaches_edge),
        medial_of_wb=w < 0.0 and not reaches_edge,
        reaches_edge=reaches_edge,
    )
