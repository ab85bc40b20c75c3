"""Planes, circles and arcs in millimetres; numpy and nothing else."""

from necroangle.geometry.arc import Arc, arc_polyline, arc_through, span_deg, union_deg
from necroangle.geometry.circle import Circle, CircleFit, fit_circle
from necroangle.geometry.frames import PatientPoints, PixelPoints, PlanePoints
from necroangle.geometry.marker import Marker
from necroangle.geometry.orthogonal import WeightedRadius
from necroangle.geometry.plane import ImagePlane, PlaneName
from necroangle.geometry.sphere import Sphere, SphereFit, fit_sphere

__all__ = [
    "Arc",
    "Circle",
    "CircleFit",
    "ImagePlane",
    "Marker",
    "PatientPoints",
    "PixelPoints",
    "PlaneName",
    "PlanePoints",
    "Sphere",
    "SphereFit",
    "WeightedRadius",
    "arc_polyline",
    "arc_through",
    "fit_circle",
    "fit_sphere",
    "span_deg",
    "union_deg",
]
