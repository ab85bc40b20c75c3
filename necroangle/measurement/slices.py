"""All marked slices of a view about one head: the centre plane, and how much surface is dead.

No slice of a stack lies on the head's centre, and a tilted lesion shows another angle a few
millimetres away: up to 20 degrees. The chords on the two slices beside the centre
(:mod:`necroangle.measurement.bands`) give the chord on the centre plane:
``q = (s2 q1 - s1 q2) / (s2 - s1)``, ``angle = 2 acos(q / R)``.

A ring of a sphere between two parallel planes has the area ``2 pi R ds`` wherever it lies
(Archimedes), so the necrotic share of the sphere is ``1 / (4 pi R)`` times the integral of a(s) ds.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.measurement.bands import (
    Band,
    Cut,
    SliceArcs,
    band_angles_deg,
    bands_between,
    bands_of,
    bands_past,
    complement,
    in_order,
    joined,
)

Array = NDArray[np.float64]

MIN_SLICES = 3
"""Fewer marked slices tell nothing of the surface."""

POLE_MM = 1.0
"""A slice that cuts less than this off the head shows no contour: it need not be marked."""

_STEPS = 128
_ON_CENTRE_MM = 1e-9


class OrderedSlices:
    """The marked slices of one view in order, with the stretches between each two of them.

    The centre plane and the surface ask for the same stretches: they are worked out once.

    Raises
    ------
    GeometryError
        As :func:`necroangle.measurement.bands.in_order`.
    """

    def __init__(self, slices: Sequence[SliceArcs], radius_mm: float) -> None:
        self.slices, self.radius_mm = slices, radius_mm
        self.ordered = in_order(slices, radius_mm)
        self._between: dict[int, list[Band]] = {}

    @classmethod
    def of(cls, slices: Sequence[SliceArcs], radius_mm: float) -> "OrderedSlices | GeometryError":
        """The slices in order, or why they have none."""
        try:
            return cls(slices, radius_mm)
        except GeometryError as error:
            return error

    def between(self, index: int) -> list[Band]:
        """The stretches between a slice and the next one."""
        if index not in self._between:
            self._between[index] = bands_between(self.ordered, index, self.radius_mm)
        return self._between[index]


Ordered = OrderedSlices | GeometryError


def outside(height_mm: float) -> str:
    """What is said of a slice that misses the head."""
    return f"the slice lies {abs(height_mm):.1f} mm from the head's centre, outside it"


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
    (:func:`necroangle.measurement.bands.bands_between` says how arcs are matched, and what an
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
    (found,) = centre_planes([OrderedSlices(slices, radius_mm)])
    if isinstance(found, GeometryError):
        raise found
    return found


_NEIGHBOURHOOD_MM = 6.5


def measured_slope(stack: "Ordered | None") -> tuple[float, float] | None:
    """How an angle changes along the slices' normal about the head's centre, by its marked slices.

    Least squares over the slices with arcs that lie within 6.5 mm of the centre.

    Returns
    -------
    tuple of two floats, or None
        Radians per mm; and the sum of squares of the slices' distances from their mean, mm², which
        divides the variance of one angle. None with fewer than two such slices.

    Examples
    --------
    >>> slices = [SliceArcs(s, ((270.0, 80.0 + 2 * s),)) for s in (-2.0, 2.0, 6.0, 10.0)]
    >>> slope, weight = measured_slope(OrderedSlices(slices, 24.0))
    >>> round(math.degrees(slope), 6), weight
    (2.0, 32.0)
    """
    if not isinstance(stack, OrderedSlices):
        return None
    near = [
        (one.offset_mm, math.radians(math.fsum(angle for _, angle in one.arcs)))
        for one in stack.ordered
        if one.arcs and abs(one.offset_mm) <= _NEIGHBOURHOOD_MM
    ]
    if len(near) < 2:
        return None
    mean = math.fsum(offset for offset, _ in near) / len(near)
    weight = math.fsum((offset - mean) ** 2 for offset, _ in near)
    return math.fsum((offset - mean) * angle for offset, angle in near) / weight, weight


def centre_planes(stacks: Iterable[Ordered]) -> list[CentrePlane | GeometryError]:
    """The same of many views at once: an angle, or why there is none, for each."""
    work = [(one, _at_centre(one)) for one in stacks]
    sound = [
        (one.radius_mm, found[2])
        for one, found in work
        if isinstance(one, OrderedSlices) and not isinstance(found, GeometryError)
    ]
    bands = [band for _, some in sound for band in some]
    radii = np.array([radius_mm for radius_mm, some in sound for _ in some], float)
    angles = iter(band_angles_deg(bands, np.zeros((len(bands), 1)), radii)[:, 0].tolist())
    return [
        found if isinstance(found, GeometryError) else _read_off(one, found, angles)
        for one, found in work
    ]


_AtCentre = tuple[SliceArcs, SliceArcs, list[Band]]
"""The two slices beside the centre, and the stretches that they give there."""


def _at_centre(stack: Ordered) -> _AtCentre | GeometryError:
    if isinstance(stack, GeometryError):
        return stack
    if not stack.ordered:
        return GeometryError(
            "no marked slice cuts the head; mark the two slices on either side of its centre"
        )
    first, second = _beside_centre(stack.ordered)
    near, far = stack.ordered[first], stack.ordered[second]
    if first == second:
        return near, far, bands_of(near, stack.radius_mm)
    return near, far, stack.between(first)


def _read_off(stack: Ordered, found: _AtCentre, all_angles: Iterator[float]) -> CentrePlane:
    """The angle from the stretches at the centre and their angles there."""
    assert isinstance(stack, OrderedSlices)  # noqa: S101
    *pair, bands = found
    alone = pair[0] is pair[1]
    angles = list(islice(all_angles, len(bands)))
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
        used=(stack.slices.index(pair[0]), stack.slices.index(pair[1])),
        weights=(1.0 - share, share),
        sensitivity=_sensitivity(bands, angles, stack.radius_mm),
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
    low = high = 0.0
    for band, angle in zip(bands, angles, strict=True):
        least, most = angle, angle
        if band.is_open:
            (free,) = (cut for cut in (band.first, band.second) if not cut.has_ends)
            weight = band.weights()[band.second == free]
            at_most = (free.angle_deg == 0) == (weight > 0)
            least, most = (0.0, angle) if at_most else (angle, 360.0)
        low += least if band.sign > 0 else -most
        high += most if band.sign > 0 else -least
    return min(max(low, 0.0), 360.0), min(max(high, 0.0), 360.0)


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
    head = [0.0, 0.0, 0.0, 0.0]
    for band, angle in zip(bands, angles, strict=True):
        if 0 < angle < 360.0:
            scale = band.sign * math.degrees(1.0 / (radius_mm * math.sin(math.radians(angle / 2))))
            ends += [scale * slope for slope in _end_slopes(band)]
            slopes = _head_slopes(band, radius_mm)
            head = [one + scale * slope for one, slope in zip(head, slopes, strict=True)]
    u, v, normal, radius = head
    return Sensitivity(tuple(ends), (u, v, normal), radius)


def _end_slopes(band: Band) -> list[float]:
    """``w sin(a / 2)`` for the upper end of each arc and its negative for the lower."""
    slopes = []
    for weight, cut in _weighted(band):
        if cut.has_ends and weight:
            slope = weight * math.sin(math.radians(cut.angle_deg / 2))
            slopes += [-slope, slope]
    return slopes


def _head_slopes(band: Band, radius_mm: float) -> tuple[float, float, float, float]:
    """By the centre along u, v and the normal, and by the radius."""
    step = band.second.offset_mm - band.first.offset_mm
    tilt = (band.second.chord_mm - band.first.chord_mm) / step if step else 0.0
    u, v, normal, radius = 0.0, 0.0, -2.0 * tilt, 2.0 * band.chord_mm(0.0) / radius_mm
    for weight, cut in _weighted(band):
        half, middle = math.radians(cut.angle_deg / 2), math.radians(cut.middle_deg)
        across = math.sin(half) ** 2
        along = math.cos(half) / cut.circle_mm
        u += 2.0 * weight * (across * math.cos(middle))
        v += 2.0 * weight * (across * math.sin(middle))
        normal += 2.0 * weight * (-along * cut.offset_mm)
        radius += 2.0 * weight * (-along * radius_mm)
    return u, v, normal, radius


def _weighted(band: Band) -> tuple[tuple[float, Cut], tuple[float, Cut]]:
    first, second = band.weights()
    return (first, band.first), (second, band.second)


@dataclass(frozen=True, slots=True)
class SurfaceShare:
    """How much of the head's surface is necrotic.

    Attributes
    ----------
    share
        Necrotic part of the whole sphere, 0 to 1; a lower bound where not ``covered``.
    solid_angle_sr
        The same as a solid angle, ``4 pi share``, sr.
    covered
        Whether on both sides a slice without necrosis, or the head's end, closes the lesion.
    slice_count
        Number of slices that were marked and cut the head.
    """

    share: float
    solid_angle_sr: float
    covered: bool
    slice_count: int


def surface_share(slices: Sequence[SliceArcs], radius_mm: float) -> SurfaceShare:
    """Necrotic share of the head's surface from three or more marked slices.

    ``share = 1 / (4 pi R) * integral of a(s) ds``, a in radians. Between the slices each stretch
    is followed as :func:`bands_between` says. Beyond the outermost slice nothing is added, unless
    the next one would miss the head, or cut less than 1 mm off it: then the stretches are drawn
    on to the head's end, unless one is new on the outermost slice.

    Parameters
    ----------
    slices
        The marked slices, in any order; those without necrosis count, too: they close the lesion.
    radius_mm
        The head's radius R, mm.

    Raises
    ------
    GeometryError
        For fewer than 3 slices, two slices in one place, or an arc on a slice that misses the
        head.

    Examples
    --------
    >>> cap = [SliceArcs(s, ((270.0, 120.0),) if abs(s) < 20 else ()) for s in (-22, 0, 22)]
    >>> surface_share(cap, 24.0).covered
    True
    >>> surface_share(cap[:2], 24.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the necrotic share of the surface needs 3 marked slices, ...
    """
    (found,) = surface_shares([OrderedSlices(slices, radius_mm)])
    if isinstance(found, GeometryError):
        raise found
    return found


def surface_shares(stacks: Iterable[Ordered]) -> list[SurfaceShare | GeometryError]:
    """The same of many views at once: a share, or why there is none, for each."""
    work = [_Integrals.over(stack) for stack in stacks]
    areas = iter(_integrals([piece for one in work for piece in one.pieces]))
    return [one.share(areas) for one in work]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A band from one offset to another, on a head of some radius."""

    band: Band
    start_mm: float
    end_mm: float
    radius_mm: float


@dataclass(frozen=True, slots=True)
class _Integrals:
    """The pieces of which a view's necrotic surface is put together.

    Attributes
    ----------
    pieces
        Between the slices, then beyond them on either side.
    beyond
        Of each side, how many pieces lie beyond it; None where nothing closes the lesion.
    """

    radius_mm: float
    slice_count: int
    pieces: list[_Piece]
    beyond: tuple[int | None, ...]
    problem: GeometryError | None = None

    @classmethod
    def over(cls, stack: Ordered) -> "_Integrals":
        if isinstance(stack, GeometryError):
            return cls(math.nan, 0, [], (), stack)
        ordered, radius_mm = stack.ordered, stack.radius_mm
        if len(ordered) < MIN_SLICES:
            problem = (
                f"the necrotic share of the surface needs {MIN_SLICES} marked slices, "
                f"found {len(ordered)} that cut the head; mark more slices"
            )
            return cls(radius_mm, 0, [], (), GeometryError(problem))
        pieces = [
            _Piece(band, near.offset_mm, far.offset_mm, radius_mm)
            for index, (near, far) in enumerate(pairwise(ordered))
            for band in stack.between(index)
        ]
        ends = [
            _beyond(ordered[-2], ordered[-1], radius_mm, 1.0),
            _beyond(ordered[1], ordered[0], radius_mm, -1.0),
        ]
        pieces += [piece for end in ends for piece in end or ()]
        beyond = tuple(None if end is None else len(end) for end in ends)
        return cls(radius_mm, len(ordered), pieces, beyond)

    def share(self, areas: Iterator[float]) -> SurfaceShare | GeometryError:
        """The share, from the integrals of all pieces in their order."""
        if self.problem is not None:
            return self.problem
        inner = len(self.pieces) - sum(number or 0 for number in self.beyond)
        parts = list(islice(areas, inner))
        parts += [math.fsum(islice(areas, one)) for one in self.beyond if one is not None]
        share = min(max(math.fsum(parts) / (720.0 * self.radius_mm), 0.0), 1.0)
        return SurfaceShare(share, 4 * math.pi * share, None not in self.beyond, self.slice_count)


def _beyond(
    before: SliceArcs, last: SliceArcs, radius_mm: float, sign: float
) -> list[_Piece] | None:
    """The pieces beyond the outermost slice of a side; None where nothing closes the lesion.

    Parameters
    ----------
    sign
        1 on the side of growing offsets, -1 on the other, which is looked at in a mirror.
    """
    if not last.arcs:
        return []
    near_mm, far_mm = sign * before.offset_mm, sign * last.offset_mm
    if radius_mm - far_mm > far_mm - near_mm + POLE_MM:
        return None
    lines = bands_past([SliceArcs(near_mm, before.arcs), SliceArcs(far_mm, last.arcs)], radius_mm)
    if lines is None:
        return None
    return [_Piece(line, far_mm, radius_mm, radius_mm) for line in lines]


def _integrals(pieces: Sequence[_Piece]) -> list[float]:
    """Integrals of the bands' signed angles over their offsets, deg mm."""
    start, end, sign = (
        (
            np.array(column, float)
            for column in zip(
                *((one.start_mm, one.end_mm, one.band.sign) for one in pieces), strict=True
            )
        )
        if pieces
        else np.zeros((3, 0))
    )
    step = (end - start) / _STEPS
    middles = start[:, None] + step[:, None] * (np.arange(_STEPS, dtype=np.float64) + 0.5)
    radii = np.array([one.radius_mm for one in pieces], float)
    angles = band_angles_deg([one.band for one in pieces], middles, radii)
    return [float(area) for area in sign * step * angles.sum(axis=1)]
