"""Planes, circles and arcs in millimetres; numpy and nothing else."""

from necroangle.geometry.arc import Arc, arc_through, span_deg, union_deg
from necroangle.geometry.circle import Circle, CircleFit, fit_circle, rim_span_deg
from necroangle.geometry.frames import PatientPoints, PixelPoints, PlanePoints
from necroangle.geometry.plane import ImagePlane, PlaneName

__all__ = [
    "Arc",
    "Circle",
    "CircleFit",
    "ImagePlane",
    "PatientPoints",
    "PixelPoints",
    "PlaneName",
    "PlanePoints",
    "arc_through",
    "fit_circle",
    "rim_span_deg",
    "span_deg",
    "union_deg",
]
