"""One view: marks to head circle to necrotic angle."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from necroangle.annotation import Mark, NecroticArc, ReadView
from necroangle.errors import GeometryError
from necroangle.geometry import (
    Arc,
    Circle,
    CircleFit,
    ImagePlane,
    PatientPoints,
    PlanePoints,
    arc_through,
    fit_circle,
    span_deg,
    union_deg,
)
from necroangle.measurement.rounding import stored_deg
from necroangle.terms import Finding, Flag, Observation, View

__all__ = ["ViewMeasurement", "head_circle", "measure_view", "view_arcs"]

FEW_RIM_POINTS = 8
SHORT_RIM_DEG = 150.0
ROUGH_RIM_MM = 1.0
EDGE_GAP_MM = 3.0
OBLIQUE_DEG = 20.0


@dataclass(frozen=True, slots=True)
class ViewMeasurement:
    """What the marks of one view say.

    Attributes
    ----------
    view
        Which view.
    angle_deg
        Angle that the necrotic surface subtends at the head's centre, 0 to 360, stored to 1e-6:
        the union of the arcs; 0 where no arc reaches the surface.
    span_deg
        From the outermost boundary to the other; equals the angle for one arc.
    arc_count
        Number of arcs marked.
    centre_mm
        Centre of the head circle in patient LPS mm (detector mm on a radiograph), or None where
        no rim is marked.
    radius_mm, rim_rms_mm, rim_span_deg, rim_count
        The head circle, how closely the rim marks follow it, and how far they reach round it.
    edge_gap_mm
        Largest distance of an arc end from the circle, or None without an arc.
    plane_name, obliquity_deg
        Nearest anatomical plane and the tilt from it; None on a radiograph.
    flags
        Doubts, in the order of :class:`necroangle.terms.Flag`.
    """

    view: View
    angle_deg: float
    span_deg: float
    arc_count: int
    centre_mm: tuple[float, float, float] | None
    radius_mm: float | None
    rim_rms_mm: float | None
    rim_span_deg: float | None
    rim_count: int
    edge_gap_mm: float | None
    plane_name: str | None
    obliquity_deg: float | None
    flags: tuple[Flag, ...]


def measure_view(view: ReadView) -> ViewMeasurement:
    """Measure one view from its marks.

    Raises
    ------
    GeometryError
        Naming the view, where the rim marks give no circle or the arc marks no arc.
    """
    plane = view.plane.plane()
    try:
        fit = head_circle(view.rim, plane) if view.rim else None
        arcs = view_arcs(view.arcs, plane, fit.circle) if fit else ()
    except GeometryError as error:
        raise type(error)(f"{view.view.label} view: {error}") from error
    name = None if view.view.is_radiograph else plane.name()
    gaps = [abs(gap) for arc in arcs for gap in (arc.start_gap_mm, arc.end_gap_mm)]
    return ViewMeasurement(
        view=view.view,
        angle_deg=stored_deg(union_deg(arcs)),
        span_deg=stored_deg(span_deg(arcs)),
        arc_count=len(arcs),
        centre_mm=_patient_centre(plane, fit.circle) if fit else None,
        radius_mm=fit.circle.radius_mm if fit else None,
        rim_rms_mm=fit.rms_mm if fit else None,
        rim_span_deg=fit.span_deg if fit else None,
        rim_count=len(view.rim),
        edge_gap_mm=max(gaps) if gaps else None,
        plane_name=name.name if name else None,
        obliquity_deg=name.obliquity_deg if name else None,
        flags=_flags(view, fit, arcs),
    )


def head_circle(rim: Iterable[Mark], plane: ImagePlane) -> CircleFit:
    """Head circle of the rim marks, in plane mm.

    Raises
    ------
    RimError
        As :func:`necroangle.geometry.fit_circle`.
    """
    return fit_circle(_plane_points(rim, plane))


def view_arcs(arcs: Iterable[NecroticArc], plane: ImagePlane, circle: Circle) -> tuple[Arc, ...]:
    """Arcs about the head circle's centre, in plane mm.

    Raises
    ------
    ArcError
        As :func:`necroangle.geometry.arc_through`.
    """
    return tuple(
        arc_through(
            circle.centre_mm,
            circle.radius_mm,
            _plane_points((arc.start, arc.end, arc.via), plane),
        )
        for arc in arcs
    )


def _plane_points(marks: Iterable[Mark], plane: ImagePlane) -> PlanePoints:
    points = np.array([mark.patient_mm for mark in marks], float).reshape(-1, 3)
    return plane.patient_to_plane(PatientPoints(points))


def _patient_centre(plane: ImagePlane, circle: Circle) -> tuple[float, float, float]:
    x, y, z = plane.plane_to_patient(PlanePoints(np.array([circle.centre_mm])))[0].tolist()
    return x, y, z


def _flags(view: ReadView, fit: CircleFit | None, arcs: tuple[Arc, ...]) -> tuple[Flag, ...]:
    raised = {
        Flag.ARC_ABOVE_180: union_deg(arcs) > 180.0,
        Flag.MULTI_ARC: len(arcs) > 1,
        Flag.NOT_SUBCHONDRAL: view.finding is Finding.NOT_SUBCHONDRAL,
        Flag.OFF_MIDSLICE: view.finding is Finding.OFF_MIDSLICE,
        Flag.POSTOP_TRACK: Observation.POSTOP_TRACK in view.observations,
        Flag.COLLAPSED_FIT: Observation.FLATTENED in view.observations,
        Flag.UNCALIBRATED: not view.plane.calibrated,
        **_rim_flags(fit),
        Flag.EDGE_OFF_CIRCLE: any(
            max(abs(arc.start_gap_mm), abs(arc.end_gap_mm)) > EDGE_GAP_MM for arc in arcs
        ),
        **_plane_flags(view),
    }
    return tuple(flag for flag in Flag if raised.get(flag, False))


def _rim_flags(fit: CircleFit | None) -> dict[Flag, bool]:
    if fit is None:
        return {}
    return {
        Flag.FEW_RIM_POINTS: fit.count < FEW_RIM_POINTS,
        Flag.SHORT_RIM: fit.span_deg < SHORT_RIM_DEG,
        Flag.ROUGH_RIM: fit.rms_mm > ROUGH_RIM_MM,
    }


def _plane_flags(view: ReadView) -> dict[Flag, bool]:
    if view.view.is_radiograph:
        return {}
    name = view.plane.plane().name()
    return {
        Flag.PLANE_NOT_OF_VIEW: name.name != view.view,
        Flag.OBLIQUE_PLANE: name.name == view.view and name.obliquity_deg > OBLIQUE_DEG,
    }
