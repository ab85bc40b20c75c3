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
from necroangle.geometry.triple import dot3
from necroangle.terms import Laterality, View

__all__ = ["AnatomicalAxes", "Boundaries", "anatomical_axes", "boundaries", "orthogonal_axes"]

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

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
    towards = lateral if view is View.CORONAL else _POSTERIOR
    up, out = _in_plane(plane, _SUPERIOR), _in_plane(plane, towards)
    superior, positive = orthogonal_axes(up, out)
    return AnatomicalAxes(*((float(u), float(v)) for u, v in (superior, positive)))


def orthogonal_axes(up: Pair, out: Pair) -> tuple[Pair, Pair]:
    """Unit vectors along ``up`` and along what of ``out`` is at a right angle with it.

    Parameters
    ----------
    up, out
        (u, v) as numbers, or as arrays for many slices at once.

    Examples
    --------
    >>> orthogonal_axes((np.float64(0.0), np.float64(-2.0)), (np.float64(3.0), np.float64(1.0)))[1]
    (np.float64(1.0), np.float64(0.0))
    """
    length = np.sqrt(up[0] * up[0] + up[1] * up[1])
    superior = up[0] / length, up[1] / length
    along = out[0] * superior[0] + out[1] * superior[1]
    across = out[0] - along * superior[0], out[1] - along * superior[1]
    length = np.sqrt(across[0] * across[0] + across[1] * across[1])
    return superior, (across[0] / length, across[1] / length)


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


def _in_plane(plane: ImagePlane, direction: tuple[float, float, float]) -> Pair:
    """(u, v) of the part of a patient direction that lies in the plane."""
    axes = plane.row_cosine, plane.column_cosine
    u, v = (np.asarray(dot3(direction, axis)) for axis in axes)
    return u, v
