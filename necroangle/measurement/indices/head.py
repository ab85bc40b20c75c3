"""The head on one view, with its landmarks in plane mm: what the indices are computed from."""

from dataclasses import dataclass

import numpy as np

from necroangle.annotation import HipReading, UnreadView
from necroangle.geometry import Arc, Circle, PatientPoints
from necroangle.measurement.arcs import AnatomicalAxes, anatomical_axes
from necroangle.measurement.indices.marks import (
    Point,
    Turn,
    turn_from_axes,
    turn_from_landmarks,
)
from necroangle.terms import LandmarkName


@dataclass(frozen=True, slots=True)
class ViewGeometry:
    """The head on one view that was read.

    Attributes
    ----------
    circle
        The head circle, plane mm, or None where no rim is marked.
    arcs
        The necrotic arcs about its centre; empty where no necrosis reaches the surface.
    """

    circle: Circle | None
    arcs: tuple[Arc, ...]


@dataclass(frozen=True, slots=True)
class MarkedHead:
    """The head on a view that was read and has a circle.

    Attributes
    ----------
    label
        The view's name for people.
    calibrated
        Whether its mm are true mm.
    circle, arcs
        As in :class:`ViewGeometry`.
    axes
        Anatomical axes; None on a radiograph.
    landmarks
        Names and plane (u, v), mm.
    """

    label: str
    calibrated: bool
    circle: Circle
    arcs: tuple[Arc, ...]
    axes: AnatomicalAxes | None
    landmarks: tuple[tuple[LandmarkName, Point], ...]

    def mark(self, name: LandmarkName) -> Point | None:
        """A landmark, or None where it is not marked."""
        return dict(self.landmarks).get(name)

    def pelvis(self) -> tuple[Point, Point] | None:
        """Teardrop and acetabular edge, or None unless both are marked."""
        return self._pair(LandmarkName.TEARDROP, LandmarkName.ACETABULAR_EDGE)

    def neck(self) -> tuple[Point, Point] | None:
        """The neck's distal and proximal point, or None unless both are marked."""
        return self._pair(LandmarkName.NECK_DISTAL, LandmarkName.NECK_PROXIMAL)

    def turn(self) -> Turn | None:
        """Sense of the turn to lateral or posterior; None on a radiograph without the pelvis.

        Raises
        ------
        GeometryError
            As :func:`necroangle.measurement.indices.marks.turn_from_landmarks`.
        """
        if self.axes:
            return turn_from_axes(self.axes)
        pelvis = self.pelvis()
        return turn_from_landmarks(self.circle, *pelvis) if pelvis else None

    def _pair(self, first: LandmarkName, second: LandmarkName) -> tuple[Point, Point] | None:
        one, other = self.mark(first), self.mark(second)
        return (one, other) if one and other else None


def marked_head(
    reading: HipReading, number: int, geometry: ViewGeometry | None
) -> MarkedHead | None:
    """The head on view 0 (A) or 1 (B) of a reading; None where it was not read or has no circle."""
    view = reading.views[number]
    if isinstance(view, UnreadView) or geometry is None or geometry.circle is None:
        return None
    plane = view.plane.plane()
    points = np.array([landmark.mark.patient_mm for landmark in view.landmarks], float)
    in_plane = plane.patient_to_plane(PatientPoints(points.reshape(-1, 3))).tolist()
    return MarkedHead(
        label=view.view.label,
        calibrated=view.plane.calibrated,
        circle=geometry.circle,
        arcs=geometry.arcs,
        axes=anatomical_axes(view.view, reading.laterality, plane),
        landmarks=tuple(
            (landmark.name, (u, v))
            for landmark, (u, v) in zip(view.landmarks, in_plane, strict=True)
        ),
    )
