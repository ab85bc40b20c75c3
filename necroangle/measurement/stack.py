"""All marked slices of a view about one head: the centre-plane angle, and the dead share."""

from collections.abc import Iterable

import numpy as np

from necroangle.annotation import NecroticArc
from necroangle.errors import GeometryError
from necroangle.geometry import (
    Arc,
    Circle,
    ImagePlane,
    PatientPoints,
    Sphere,
    SphereFit,
    fit_sphere,
)
from necroangle.geometry.triple import dot3
from necroangle.measurement.angle import SliceAngle
from necroangle.measurement.boundary import SliceArcs
from necroangle.measurement.centre_plane import centre_plane
from necroangle.measurement.modes import ModeAngle, sphere_circle
from necroangle.measurement.projection import above, in_patient, in_plane, plane_columns
from necroangle.measurement.surface import SurfaceShare, surface_share
from necroangle.measurement.view import MarkedView, plane_points, view_arcs
from necroangle.terms import Flag, View

__all__ = ["centre_plane_angle", "head_sphere", "necrotic_share"]

ENOUGH_SLICES = 3


def head_sphere(marked: Iterable[MarkedView]) -> SphereFit:
    """Sphere through every rim mark: both views, and all slices of each.

    Raises
    ------
    RimError
        If the marks lie in one plane, or are fewer than 4.
    """
    rims: list[PatientPoints] = []
    for one in marked:
        if one.marked_circle is not None:
            rims.append(one.marked_circle.rim_mm)
        for neighbour in one.view.neighbours:
            plane = neighbour.plane.plane()
            points = plane_points(neighbour.rim, plane)
            rims.append(PatientPoints(np.column_stack(in_patient(points.T, plane_columns(plane)))))
    return fit_sphere(PatientPoints(np.vstack(rims) if rims else np.zeros((0, 3))))


def centre_plane_angle(marked: MarkedView, sphere: Sphere) -> ModeAngle:
    """Angle on the plane through the head's centre, parallel to the view's slices.

    Raises
    ------
    GeometryError
        As :func:`necroangle.measurement.centre_plane.centre_plane`.
    """
    found = centre_plane(_slices(marked, sphere), sphere.radius_mm)
    columns, centre = plane_columns(marked.plane), np.array(sphere.centre_mm)
    u, v = map(float, in_plane(centre, columns))
    arcs = tuple(Arc((middle - angle / 2) % 360.0, angle, 0.0, 0.0) for middle, angle in found.arcs)
    slopes = np.radians(found.sensitivity.centre_deg_per_mm).tolist()
    axes = zip(columns.row, columns.column, columns.normal, strict=True)
    ends = float(np.sum(np.radians(found.sensitivity.end_deg_per_mm) ** 2))
    raised = {
        Flag.NOT_BRACKETED: not found.bracketed,
        Flag.EXTRAPOLATED: found.extrapolated,
        Flag.BOUNDED: found.bounded,
    }
    return ModeAngle(
        angle=SliceAngle(found.angle_deg, found.angle_deg, arcs, (slopes[0], slopes[1]), ends),
        circle=Circle((u, v), sphere.radius_mm),
        gradient_mm=np.array([dot3(slopes, along) for along in axes]),
        end_factor=ends,
        own_fit=None,
        slice_shift_mm=float(above(centre, columns)),
        flags=tuple(flag for flag, is_so in raised.items() if is_so),
    )


def necrotic_share(marked: MarkedView, sphere: Sphere) -> SurfaceShare | None:
    """Necrotic share of the head's surface, or None with fewer than 3 marked slices on it.

    Raises
    ------
    GeometryError
        As :func:`necroangle.measurement.surface.surface_share`.
    """
    slices = _slices(marked, sphere)
    if len(slices) < ENOUGH_SLICES:
        return None
    return surface_share(slices, sphere.radius_mm)


def _slices(marked: MarkedView, sphere: Sphere) -> list[SliceArcs]:
    """Every marked slice that cuts the head, with its arcs about the head's centre."""
    slices = [(marked.view.arcs, marked.plane)]
    slices += [(one.arcs, one.plane.plane()) for one in marked.view.neighbours]
    found = (_slice(arcs, plane, sphere, marked.view.view) for arcs, plane in slices)
    return [one for one in found if one is not None]


def _slice(
    arcs: tuple[NecroticArc, ...], plane: ImagePlane, sphere: Sphere, view: View
) -> SliceArcs | None:
    offset = -float(above(np.array(sphere.centre_mm), plane_columns(plane)))
    if not arcs and abs(offset) >= sphere.radius_mm:
        return None
    try:
        return SliceArcs.of(offset, view_arcs(arcs, plane, sphere_circle(sphere, plane)))
    except GeometryError as error:
        raise type(error)(f"{view.label} view, slice at {offset:.1f} mm: {error}") from error
