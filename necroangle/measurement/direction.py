"""Anatomical direction on a slice: so that start and end mean the same in every hip and visit.

Directions are angles from superior, seen in the slice: positive towards lateral on a coronal slice,
towards posterior on a sagittal one. An arc then runs from its medial to its lateral boundary, or
from its anterior to its posterior one, over the top of the head.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Arc, ImagePlane, span_deg
from necroangle.terms import Laterality, View

__all__ = ["AnatomicalAxes", "Boundaries", "anatomical_axes", "boundaries"]

_SUPERIOR = (0.0, 0.0, 1.0)
_POSTERIOR = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class AnatomicalAxes:
    """Superior and the positive side of a slice, as orthogonal unit vectors in plane (u, v)."""

    superior: tuple[float, float]
    positive: tuple[float, float]

    def angle_deg(self, u: float, v: float) -> float:
        """Angle of a plane direction from superior, in (-180, 180]."""
        up = u * self.superior[0] + v * self.superior[1]
        out = u * self.positive[0] + v * self.positive[1]
        return math.degrees(math.atan2(out, up))

    def from_plane_deg(self, direction_deg: float) -> float:
        """Angle from superior of a direction counted from +u towards +v."""
        turn = math.radians(direction_deg)
        return self.angle_deg(math.cos(turn), math.sin(turn))


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Where the necrotic surface begins, ends and has its middle, as angles from superior.

    Attributes
    ----------
    start_deg
        Medial (coronal) or anterior (sagittal) boundary; may lie below -180.
    end_deg
        Lateral or posterior boundary; may lie above 180.
    middle_deg
        Half way between, in (-180, 180].
    """

    start_deg: float
    end_deg: float
    middle_deg: float


def anatomical_axes(
    view: View, laterality: Laterality | None, plane: ImagePlane
) -> AnatomicalAxes | None:
    """Anatomical axes of a slice.

    None on a radiograph, whose frame is the detector's, and where lateral needs a side that is not
    known.

    Examples
    --------
    >>> coronal = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> axes = anatomical_axes(View.CORONAL, Laterality.RIGHT, coronal)
    >>> axes.angle_deg(-1.0, 0.0)  # to the patient's right: lateral of a right hip
    90.0
    """
    if view.is_radiograph or (view is View.CORONAL and laterality is None):
        return None
    lateral = (1.0 if laterality is Laterality.LEFT else -1.0, 0.0, 0.0)
    superior = _in_plane(plane, _SUPERIOR)
    superior /= np.linalg.norm(superior)
    positive = _in_plane(plane, lateral if view is View.CORONAL else _POSTERIOR)
    positive -= (positive @ superior) * superior
    positive /= np.linalg.norm(positive)
    return AnatomicalAxes(
        (float(superior[0]), float(superior[1])), (float(positive[0]), float(positive[1]))
    )


def boundaries(arcs: Iterable[Arc], axes: AnatomicalAxes | None) -> Boundaries | None:
    """Outermost boundaries of the arcs of a slice, or None without an arc or without axes.

    Examples
    --------
    >>> axes = AnatomicalAxes(superior=(0.0, -1.0), positive=(1.0, 0.0))
    >>> found = boundaries([Arc(230.0, 90.0, 0.0, 0.0)], axes)
    >>> [round(angle, 6) for angle in (found.start_deg, found.end_deg, found.middle_deg)]
    [-40.0, 50.0, 5.0]
    """
    several = tuple(arcs)
    if not several or axes is None:
        return None
    low, span = _outermost(several)
    middle = axes.from_plane_deg(low + span / 2)
    return Boundaries(middle - span / 2, middle + span / 2, middle)


def _outermost(arcs: tuple[Arc, ...]) -> tuple[float, float]:
    """Lower bound, from +u towards +v, and extent of the span of all arcs."""
    span = span_deg(arcs)
    lows = [arc.interval_deg()[0] for arc in arcs]
    for low in lows:
        reach = max(
            (arc_low - low) % 360.0 + arc.angle_deg for arc_low, arc in zip(lows, arcs, strict=True)
        )
        if reach <= span + 1e-9:
            return low, span
    return lows[0], span


def _in_plane(plane: ImagePlane, direction: tuple[float, float, float]) -> NDArray[np.float64]:
    """(u, v) of the part of a patient direction that lies in the plane."""
    return np.array((np.dot(direction, plane.row_cosine), np.dot(direction, plane.column_cosine)))
