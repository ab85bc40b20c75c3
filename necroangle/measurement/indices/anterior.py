"""The anterior necrotic angle: how far forward from the neck's axis the necrosis reaches."""

from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle
from necroangle.measurement.arcs import boundaries
from necroangle.measurement.indices.marks import (
    Point,
    Turn,
    frame_along,
    neck_direction,
    stored,
)

ANTERIOR_COLLAPSE_DEG = 79.0
"""From this angle all 5 hips collapsed, below it 1 of 27, in hips whose lateral boundary lay in the
middle third of the weight-bearing portion (Kubo et al. 2018). It says nothing of other hips."""


def anterior_necrotic_deg(
    circle: Circle,
    arcs: tuple[Arc, ...],
    neck_distal_mm: Point,
    neck_proximal_mm: Point,
    turn: Turn,
) -> float:
    """Angle between the neck's midline and the ray from the head's centre to the anterior boundary.

    The midline points into the head, so the angle grows as the necrosis reaches forward. It is
    negative where the whole lesion lies behind the midline.

    Parameters
    ----------
    circle
        The head circle, plane mm.
    arcs
        Necrotic arcs of the mid-oblique (sagittal along the neck) MR slice, about the head's
        centre; of several the outermost anterior boundary counts.
    neck_distal_mm, neck_proximal_mm
        Two points on the neck's midline, away from the head and near it; plane (u, v) mm.
    turn
        Sense of the turn from anterior over the top to posterior.

    Returns
    -------
    float
        Degrees, stored to 1e-6.

    Raises
    ------
    GeometryError
        If there is no arc, or the neck points are one point or swapped.

    References
    ----------
    Kubo et al. 2018, "The effect of the anterior boundary of necrotic lesion on the occurrence of
    collapse in osteonecrosis of the femoral head" (abstract).

    Examples
    --------
    >>> head = Circle((0.0, 0.0), 24.0)
    >>> neck = {"neck_distal_mm": (0.0, 40.0), "neck_proximal_mm": (0.0, 30.0)}
    >>> anterior_necrotic_deg(head, (Arc(190.0, 100.0, 0.0, 0.0),), **neck, turn=1)
    80.0
    >>> anterior_necrotic_deg(head, (), **neck, turn=1)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: no necrotic arc: there is no anterior boundary
    """
    axis = neck_direction(circle, neck_distal_mm, neck_proximal_mm)
    found = boundaries(arcs, frame_along(axis, turn))
    if found is None:
        raise GeometryError("no necrotic arc: there is no anterior boundary")
    return stored(-found.start_deg)
