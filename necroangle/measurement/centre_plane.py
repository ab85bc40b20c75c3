"""The necrotic angle on the plane through the head's centre, told by the slices beside it.

No slice of a stack lies on the head's centre, and a tilted lesion shows another angle a few
millimetres away: up to 20 degrees. The chords on the two slices beside the centre
(:mod:`necroangle.measurement.boundary`) give the chord on the centre plane:
``q = (s2 q1 - s1 q2) / (s2 - s1)``, ``angle = 2 acos(q / R)``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.measurement.boundary import (
    Band,
    Cut,
    SliceArcs,
    bands_between,
    bands_of,
    complement,
    in_order,
    joined,
)

__all__ = ["CentrePlane", "Sensitivity", "centre_plane"]

_ON_CENTRE_MM = 1e-9


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How far the angle follows a small change of what it was computed from.

    Attributes
    ----------
    end_deg_per_mm
        For each arc end that was used: degrees per mm of the end along the surface.
    centre_deg_per_mm
        Degrees per mm of the head's centre along +u, +v and the slices' normal, the marks and
        slices staying where they are.
    radius_deg_per_mm
        Degrees per mm of the head's radius.
    """

    end_deg_per_mm: tuple[float, ...]
    centre_deg_per_mm: tuple[float, float, float]
    radius_deg_per_mm: float

    def variance_deg2(
        self,
        end_sd_mm: float,
        head_covariance_mm2: NDArray[np.float64],
        axes: NDArray[np.float64],
    ) -> float:
        """Variance of the angle: ``sd² sum (d angle/d end)² + gᵀ Cov g``, to first order.

        Parameters
        ----------
        end_sd_mm
            Standard deviation of marking an arc's end along the surface, mm.
        head_covariance_mm2
            (4, 4) covariance of the head's (x, y, z, radius) in patient mm: the sphere fit's
            ``unit_covariance`` times the variance of a rim mark.
        axes
            (3, 3): row cosine, column cosine and normal of the slices, one a row.
        """
        centre = np.asarray(axes, float).T @ np.array(self.centre_deg_per_mm)
        gradient = np.append(centre, self.radius_deg_per_mm)
        ends = math.fsum(slope**2 for slope in self.end_deg_per_mm)
        head = float(gradient @ np.asarray(head_covariance_mm2, float) @ gradient)
        return end_sd_mm**2 * ends + head


@dataclass(frozen=True, slots=True)
class CentrePlane:
    """The necrotic angle on the plane through the head's centre.

    Attributes
    ----------
    angle_deg
        The angle, 0 to 360 degrees: the union of the arcs.
    low_deg, high_deg
        Least and largest angle that agrees with what the slices do not show; both are the angle,
        unless ``bounded``.
    arcs
        The arcs there, each as (middle direction, angle), degrees.
    bracketed
        Whether there are marked slices on both sides of the centre, or one on it.
    extrapolated
        Whether an arc was drawn on beyond the slices that show it.
    bounded
        Whether an arc ends somewhere between the slices (or fills one): the angle is that of the
        least tilted boundary, and the truth lies between ``low_deg`` and ``high_deg``.
    used
        Indices of the two slices beside the centre, in the order given; the same index twice
        where there is one alone.
    weights
        Of these two, adding up to 1.
    sensitivity
        For the standard error.
    """

    angle_deg: float
    low_deg: float
    high_deg: float
    arcs: tuple[tuple[float, float], ...]
    bracketed: bool
    extrapolated: bool
    bounded: bool
    used: tuple[int, int]
    weights: tuple[float, float]
    sensitivity: Sensitivity


def centre_plane(slices: Sequence[SliceArcs], radius_mm: float) -> CentrePlane:
    """Read the angle where the boundary of the necrosis meets the centre plane.

    With marked slices on both sides of the centre, the two next to it are used
    (:func:`necroangle.measurement.boundary.bands_between` says how arcs are matched, and what an
    arc without a partner means). With slices on one side only, the line of the two nearest is
    drawn on if the nearest lies within one step of the centre; else the nearest slice alone
    counts, its chord keeping its distance (exact for a lesion that is not tilted).

    Parameters
    ----------
    slices
        The marked slices of one view, in any order, with those found free of necrosis.
    radius_mm
        The head's radius, mm.

    Raises
    ------
    GeometryError
        For no slice that cuts the head, two slices in one place, or an arc on a slice that misses
        the head.

    Examples
    --------
    >>> slices = [SliceArcs(-2.0, ((270.0, 80.0),)), SliceArcs(2.0, ((280.0, 60.0),))]
    >>> found = centre_plane(slices, 24.0)
    >>> round(found.angle_deg, 3), found.arcs[0][0], found.bracketed
    (71.181, 275.0, True)
    >>> centre_plane([], 24.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: no marked slice cuts the head; mark the two slices ...
    """
    ordered = in_order(slices, radius_mm)
    if not ordered:
        raise GeometryError(
            "no marked slice cuts the head; mark the two slices on either side of its centre"
        )
    first, second = _beside_centre(ordered)
    pair = (ordered[first], ordered[second])
    alone = first == second
    bands = bands_of(pair[0], radius_mm) if alone else bands_between(ordered, first, radius_mm)
    angles = [float(band.angles_deg(np.zeros(1), radius_mm)[0]) for band in bands]
    arcs = _arcs(bands, angles)
    low, high = _range(bands, angles)
    bracketed = pair[0].offset_mm <= _ON_CENTRE_MM and pair[1].offset_mm >= -_ON_CENTRE_MM
    step = pair[1].offset_mm - pair[0].offset_mm
    share = 0.0 if alone else -pair[0].offset_mm / step
    return CentrePlane(
        angle_deg=math.fsum(angle for _, angle in arcs),
        low_deg=low,
        high_deg=high,
        arcs=arcs,
        bracketed=bracketed,
        extrapolated=any(band.extended for band in bands) or not (bracketed or alone),
        bounded=any(band.is_open for band in bands),
        used=(slices.index(pair[0]), slices.index(pair[1])),
        weights=(1.0 - share, share),
        sensitivity=_sensitivity(bands, angles, radius_mm),
    )


def _beside_centre(ordered: Sequence[SliceArcs]) -> tuple[int, int]:
    """Indices of the two neighbours that hold the angle; twice the same for one slice alone."""
    offsets = [one.offset_mm for one in ordered]
    nearest = min(range(len(offsets)), key=lambda index: abs(offsets[index]))
    behind = [index for index, offset in enumerate(offsets) if offset <= 0]
    if abs(offsets[nearest]) <= _ON_CENTRE_MM or len(offsets) == 1:
        return nearest, nearest
    if 0 < len(behind) < len(offsets):
        return behind[-1], behind[-1] + 1
    first = 0 if nearest == 0 else nearest - 1
    within_one_step = abs(offsets[nearest]) <= offsets[first + 1] - offsets[first]
    return (first, first + 1) if within_one_step else (nearest, nearest)


def _range(bands: Sequence[Band], angles: Sequence[float]) -> tuple[float, float]:
    """Least and largest total that agree with the chords known on one side only."""
    total = np.zeros(2)
    for band, angle in zip(bands, angles, strict=True):
        bounds = (angle, angle)
        if band.is_open:
            (free,) = (cut for cut in (band.first, band.second) if not cut.has_ends)
            weight = band.weights()[band.second == free]
            at_most = (free.angle_deg == 0) == (weight > 0)
            bounds = (0.0, angle) if at_most else (angle, 360.0)
        total += bounds if band.sign > 0 else (-bounds[1], -bounds[0])
    low, high = np.clip(total, 0.0, 360.0).tolist()
    return low, high


def _arcs(bands: Sequence[Band], angles: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """The stretches at the centre less their gaps, as (middle, angle)."""
    parts: dict[int, list[tuple[float, float]]] = {1: [], -1: []}
    for band, angle in zip(bands, angles, strict=True):
        if angle > 0:
            parts[band.sign].append((band.middle_deg() - angle / 2, angle))
    left = complement([*complement(parts[1]), *parts[-1]]) if parts[-1] else joined(parts[1])
    return tuple(((low + width / 2) % 360.0, width) for low, width in left)


def _sensitivity(bands: Sequence[Band], angles: Sequence[float], radius_mm: float) -> Sensitivity:
    """Sum over the stretches that have ends at the centre."""
    ends: list[float] = []
    head = np.zeros(4)
    for band, angle in zip(bands, angles, strict=True):
        if 0 < angle < 360.0:
            scale = band.sign * math.degrees(1.0 / (radius_mm * math.sin(math.radians(angle / 2))))
            ends += [scale * slope for slope in _end_slopes(band)]
            head += scale * _head_slopes(band, radius_mm)
    u, v, normal, radius = head.tolist()
    return Sensitivity(tuple(ends), (u, v, normal), radius)


def _end_slopes(band: Band) -> list[float]:
    """``w sin(a / 2)`` for the upper end of each arc and its negative for the lower."""
    slopes = []
    for weight, cut in _weighted(band):
        if cut.has_ends and weight:
            slope = weight * math.sin(math.radians(cut.angle_deg / 2))
            slopes += [-slope, slope]
    return slopes


def _head_slopes(band: Band, radius_mm: float) -> NDArray[np.float64]:
    """By the centre along u, v and the normal, and by the radius; (4,)."""
    step = band.second.offset_mm - band.first.offset_mm
    tilt = (band.second.chord_mm - band.first.chord_mm) / step if step else 0.0
    slopes = np.array((0.0, 0.0, -2.0 * tilt, 2.0 * band.chord_mm(0.0) / radius_mm))
    for weight, cut in _weighted(band):
        half, middle = math.radians(cut.angle_deg / 2), math.radians(cut.middle_deg)
        across = math.sin(half) ** 2
        along = math.cos(half) / cut.circle_mm
        slopes += (
            2.0
            * weight
            * np.array(
                (
                    across * math.cos(middle),
                    across * math.sin(middle),
                    -along * cut.offset_mm,
                    -along * radius_mm,
                )
            )
        )
    return slopes


def _weighted(band: Band) -> tuple[tuple[float, Cut], tuple[float, Cut]]:
    first, second = band.weights()
    return (first, band.first), (second, band.second)
