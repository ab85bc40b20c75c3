"""Where the necrosis ends laterally: beside apex and acetabular edge, and what it spares."""

from typing import Literal

from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle
from necroangle.measurement.arcs import AnatomicalAxes, boundaries
from necroangle.measurement.indices.marks import (
    Point,
    Turn,
    direction_to,
    frame_along,
    neck_direction,
    refuse_not_finite,
    stored,
)

LATERAL_SPARED_DEG = 20.0
"""Least lateral arc that Kerboul 1974 wants spared (doi 10.1302/0301-620X.56B2.291).

His 20 degrees stand; that they are counted as :func:`lateral_spared_deg` counts is provisional."""

_LATERAL_END_DEG = 90.0


def lcea_deg(circle: Circle, axes: AnatomicalAxes, edge_mm: Point) -> float:
    """Angle from superior of the ray from the head's centre to the lateral acetabular edge.

    Superior is the patient's z axis in the slice: no line of the pelvis corrects a tilted pelvis.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    axes
        Anatomical axes of the coronal slice.
    edge_mm
        Lateral acetabular edge, plane (u, v) mm.

    Returns
    -------
    float
        Degrees, positive laterally, between -90 and 90, stored to 1e-6.

    Raises
    ------
    GeometryError
        If the edge is not above the head's centre.

    References
    ----------
    The angle by which ARCO's types 2 and 3 are told apart: Yue et al. 2023,
    doi 10.1186/s12891-023-06587-4.

    Examples
    --------
    >>> axes = AnatomicalAxes(superior=(0.0, -1.0), positive=(1.0, 0.0))
    >>> lcea_deg(Circle((0.0, 0.0), 24.0), axes, (20.0, -20.0))
    45.0
    >>> lcea_deg(Circle((0.0, 0.0), 24.0), axes, (-40.0, 20.0))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the acetabular edge is not above the head's centre; ...
    """
    direction = direction_to(circle.centre_mm, edge_mm, "acetabular edge and head's centre")
    angle = stored(axes.angle_deg(*direction))
    if abs(angle) >= 90.0:
        raise GeometryError(
            "the acetabular edge is not above the head's centre; was another landmark meant?"
        )
    return angle


def arco2021_type(lateral_boundary_deg: float, lcea_deg: float) -> Literal[1, 2, 3]:
    """ARCO 2021 type: the necrosis ends medial of the apex, under the roof, or beyond its edge.

    Published for CT before collapse; on MR it is read from the same angles. Classified as stored:
    1 below 0, 2 from 0 to the edge inclusive, 3 beyond it.

    Parameters
    ----------
    lateral_boundary_deg
        Lateral boundary of the necrosis from superior, degrees, positive laterally.
    lcea_deg
        The acetabular edge, likewise.

    Raises
    ------
    GeometryError
        If the edge lies medial of the apex, where types 1 and 3 would overlap, or an angle is not
        finite.

    References
    ----------
    ARCO 2021 classification of the early stage; Yue et al. 2023, doi 10.1186/s12891-023-06587-4.

    Examples
    --------
    >>> [arco2021_type(boundary, 30) for boundary in (-0.000001, 0, 30, 30.000001)]
    [1, 2, 2, 3]
    >>> arco2021_type(10, -5)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the acetabular edge lies 5° medial of the head's apex: ...
    """
    refuse_not_finite("lateral boundary or acetabular edge", lateral_boundary_deg, lcea_deg)
    boundary, edge = stored(lateral_boundary_deg), stored(lcea_deg)
    if edge < 0:
        raise GeometryError(
            f"the acetabular edge lies {-edge:g}° medial of the head's apex: "
            "the types have no meaning there"
        )
    if boundary < 0:
        return 1
    return 2 if boundary <= edge else 3


def lateral_spared_deg(
    circle: Circle,
    arcs: tuple[Arc, ...],
    neck_distal_mm: Point,
    neck_proximal_mm: Point,
    turn: Turn,
) -> float:
    """Arc of the head's lateral part that the necrosis spares. Provisional.

    ``max(0, 90 - t)``, t being the angle from the neck's axis, pointing into the head, to the
    lateral boundary. So the lateral part is taken to end at the superolateral point of the head,
    where its tangent is parallel to the neck; Kerboul's abstract says only that "an arc of at
    least 20 degrees of the lateral part" is spared, and not where that part ends. Counted on the
    femur, it changes neither with the pelvis nor with the hip's position.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    arcs
        Necrotic arcs of the coronal slice or AP radiograph, about the head's centre; of several
        the outermost lateral boundary counts.
    neck_distal_mm, neck_proximal_mm
        Two points on the neck's midline, away from the head and near it; plane (u, v) mm.
    turn
        Sense of the turn from medial over the top to lateral.

    Returns
    -------
    float
        Degrees, stored to 1e-6; 0 where the necrosis reaches that end or passes it.

    Raises
    ------
    GeometryError
        If there is no arc, or the neck points are one point or swapped.

    References
    ----------
    Kerboul et al. 1974, doi 10.1302/0301-620X.56B2.291 (the rule). The superolateral point as the
    tangent parallel to the neck: figure 2 of PMC3563831.

    Examples
    --------
    >>> head = Circle((0.0, 0.0), 24.0)
    >>> neck = {"neck_distal_mm": (30.0, 30.0), "neck_proximal_mm": (20.0, 20.0)}
    >>> lateral_spared_deg(head, (Arc(225.0, 60.0, 0.0, 0.0),), **neck, turn=1)
    30.0
    >>> lateral_spared_deg(head, (), **neck, turn=1)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: no necrotic arc: there is no lateral boundary
    """
    axis = neck_direction(circle, neck_distal_mm, neck_proximal_mm)
    found = boundaries(arcs, frame_along(axis, turn))
    if found is None:
        raise GeometryError("no necrotic arc: there is no lateral boundary")
    return max(0.0, stored(_LATERAL_END_DEG - found.end_deg))
