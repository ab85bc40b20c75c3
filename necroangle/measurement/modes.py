"""The modes of measuring a view: which slice, which centre, which arc."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import NeighbourSlice
from necroangle.errors import GeometryError, MethodError
from necroangle.geometry import Circle, ImagePlane, PatientPoints, Sphere, fit_circle
from necroangle.measurement.angle import SliceAngle, extent_angle, surface_angle
from necroangle.measurement.judge import MarkedCircle
from necroangle.measurement.projection import above, in_patient, in_plane, plane_columns
from necroangle.measurement.view import MarkedView, plane_points, view_arcs
from necroangle.terms import Finding, Flag

__all__ = ["NOTHING", "ModeAngle", "angle_by_mode", "sphere_circle"]


@dataclass(frozen=True, slots=True, eq=False)
class ModeAngle:
    """A view's angle by some mode, with what its standard error needs.

    Attributes
    ----------
    angle
        The angle and its derivatives, or None where nothing is marked: the angle is then 0.
    circle
        The circle that the arcs lie on, plane mm of the slice that was measured, or None.
    gradient_mm
        (3,) derivative of the angle by the head's centre in patient mm, radians per mm.
    end_factor
        Sum of 1/ρ² over the ends, mm⁻².
    own_fit
        The fit whose centre was used; None where the centre is the joint sphere's.
    slice_shift_mm
        Where the measured slice lies from the view's own, along the normal.
    flags
        Doubts of the mode itself.
    """

    angle: SliceAngle | None
    circle: Circle | None
    gradient_mm: NDArray[np.float64]
    end_factor: float
    own_fit: MarkedCircle | None
    slice_shift_mm: float = 0.0
    flags: tuple[Flag, ...] = ()


def angle_by_mode(mode: str, marked: MarkedView, sphere: Sphere | None) -> ModeAngle:
    """The angle of a view.

    Parameters
    ----------
    mode
        ``"surface_arc"``, ``"max_extent"`` or ``"largest_slice"``.
    marked
        The view with its head circle.
    sphere
        The joint sphere where its centre is to be used, or None for the view's own circle.

    Raises
    ------
    MethodError
        If the marks that the mode needs are missing; the message says which.
    GeometryError
        If they give no circle or no arc.
    """
    if mode == "max_extent":
        return _extent(marked, sphere)
    if mode == "largest_slice":
        return max(_all_slices(marked, sphere), key=_size)
    return _surface(marked, sphere)


def sphere_circle(sphere: Sphere, plane: ImagePlane) -> Circle:
    """The circle in which a plane cuts the head sphere, plane mm.

    Raises
    ------
    GeometryError
        If the plane misses the sphere.
    """
    columns = plane_columns(plane)
    centre = np.array(sphere.centre_mm)
    height = float(above(centre, columns))
    if abs(height) >= sphere.radius_mm:
        raise GeometryError(
            f"the slice lies {abs(height):.1f} mm from the head's centre, outside it"
        )
    u, v = map(float, in_plane(centre, columns))
    return Circle((u, v), math.sqrt(sphere.radius_mm * sphere.radius_mm - height * height))


def _surface(marked: MarkedView, sphere: Sphere | None) -> ModeAngle:
    if marked.head is None:
        return NOTHING
    if sphere is None:
        circle = marked.head.fit.circle
        return _about(surface_angle(marked.head.arcs, circle), circle, marked.marked_circle, marked)
    circle = sphere_circle(sphere, marked.plane)
    arcs = view_arcs(marked.view.arcs, marked.plane, circle)
    return _about(surface_angle(arcs, circle), circle, None, marked)


def _extent(marked: MarkedView, sphere: Sphere | None) -> ModeAngle:
    view = marked.view
    if not view.contour:
        if view.finding in (Finding.NO_NECROSIS, Finding.OFF_MIDSLICE):
            return NOTHING
        raise MethodError(
            f"{view.view.label} view: max_extent needs the lesion's outline (contour)"
        )
    if marked.head is None:
        raise MethodError(f"{view.view.label} view: max_extent needs the head's rim")
    circle = sphere_circle(sphere, marked.plane) if sphere else marked.head.fit.circle
    contour = plane_points(view.contour, marked.plane)
    own = None if sphere else marked.marked_circle
    return _about(extent_angle(contour, circle), circle, own, marked)


def _all_slices(marked: MarkedView, sphere: Sphere | None) -> list[ModeAngle]:
    found = [_surface(marked, sphere)]
    for index, neighbour in enumerate(marked.view.neighbours):
        try:
            found.append(_neighbour(neighbour, marked, sphere))
        except GeometryError as error:
            raise type(error)(
                f"{marked.view.view.label} view, neighbour {index}: {error}"
            ) from error
    return found


def _neighbour(neighbour: NeighbourSlice, marked: MarkedView, sphere: Sphere | None) -> ModeAngle:
    """A neighbour about its own circle, or, with fewer than 3 rim marks, the view's centre."""
    plane = neighbour.plane.plane()
    if not neighbour.arcs:
        return NOTHING
    own = None
    if sphere is not None:
        circle = sphere_circle(sphere, plane)
    elif len(neighbour.rim) >= 3:
        rim = plane_points(neighbour.rim, plane)
        rim_mm = np.column_stack(in_patient(rim.T, plane_columns(plane)))
        own = MarkedCircle(plane, PatientPoints(rim_mm), fit_circle(rim))
        circle = own.fit.circle
    elif marked.marked_circle is not None:
        own = marked.marked_circle
        u, v = map(float, in_plane(own.centre_mm, plane_columns(plane)))
        circle = Circle((u, v), own.fit.circle.radius_mm)
    else:
        raise GeometryError("no rim is marked here nor on the view's own slice")
    angle = surface_angle(view_arcs(neighbour.arcs, plane, circle), circle)
    return _about(angle, circle, own, marked, plane)


def _about(
    angle: SliceAngle,
    circle: Circle,
    own: MarkedCircle | None,
    marked: MarkedView,
    plane: ImagePlane | None = None,
) -> ModeAngle:
    where = plane or marked.plane
    shift = above(np.array(where.origin_mm), plane_columns(marked.plane))
    return ModeAngle(
        angle=angle,
        circle=circle,
        gradient_mm=_gradient_mm(angle, where),
        end_factor=angle.end_factor,
        own_fit=own,
        slice_shift_mm=float(shift),
    )


def _gradient_mm(angle: SliceAngle, plane: ImagePlane) -> NDArray[np.float64]:
    """The derivative in the plane, as one in patient mm."""
    u, v = angle.pull
    pairs = zip(plane.row_cosine, plane.column_cosine, strict=True)
    return np.array([u * along + v * down for along, down in pairs])


NOTHING = ModeAngle(None, None, np.zeros(3), 0.0, None)
"""A view with nothing marked: the angle is 0."""


def _size(found: ModeAngle) -> float:
    return found.angle.angle_deg if found.angle else 0.0
