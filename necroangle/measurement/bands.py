"""The boundary of the necrotic surface between marked slices: which arcs belong together, and how.

A slice at signed offset s from the centre of a head of radius R cuts it in a circle of radius
``r = sqrt(R² - s²)``. An arc of angle a on that circle has its chord at the signed distance
``q = r cos(a / 2)`` from the circle's centre (below 0 for an arc above 180 degrees). For a lesion
bounded by a plane, that is for every spherical cap however it is tilted, **q is linear in s** and
the arc's middle direction does not change. So q and the direction are interpolated, never the
angle: exact for a cap, a local model for any other lesion.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.geometry import Arc

Interval = tuple[float, float]
"""Lower bound and width of an arc, degrees."""

_SAME_SLICE_MM = 1e-6


@dataclass(frozen=True, slots=True)
class SliceArcs:
    """What is marked on one slice.

    Attributes
    ----------
    offset_mm
        Signed distance of the slice from the head's centre along the slices' common normal, mm:
        ``-plane.distance_mm(centre)``.
    arcs
        Each arc as (middle direction, angle) in degrees about the head's centre projected on the
        slice, directions from +u towards +v; angles above 0, up to 360. None where the slice was
        marked and is free of necrosis. Overlaps count once.

    Raises
    ------
    GeometryError
        If a number is not finite or an angle is out of range.

    Examples
    --------
    >>> SliceArcs.of(-1.5, [Arc(350.0, 100.0, 0.0, 0.0)])
    SliceArcs(offset_mm=-1.5, arcs=((400.0, 100.0),))
    >>> SliceArcs(0.0, ((270.0, 0.0),))
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: an arc's angle must lie above 0° and up to 360°, found 0.0
    """

    offset_mm: float
    arcs: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        finite = math.isfinite(self.offset_mm)
        for middle, angle in self.arcs:
            finite = finite and math.isfinite(middle) and math.isfinite(angle)
        if not finite:
            raise GeometryError("a marked slice holds a value that is not a finite number")
        for _, angle in self.arcs:
            if not 0 < angle <= 360.0:
                raise GeometryError(
                    f"an arc's angle must lie above 0° and up to 360°, found {angle}"
                )

    @classmethod
    def of(cls, offset_mm: float, arcs: Iterable[Arc]) -> "SliceArcs":
        """Take the arcs of a slice as :func:`necroangle.geometry.arc_through` gives them."""
        found = tuple((arc.interval_deg()[0] + arc.angle_deg / 2, arc.angle_deg) for arc in arcs)
        return cls(offset_mm, found)

    def intervals(self) -> list[Interval]:
        """Disjoint (lower bound, width) of the arcs, overlaps joined, degrees."""
        if len(self.arcs) == 1:  # nearly always: one arc joins no other
            ((middle, angle),) = self.arcs
            return [((middle - angle / 2) % 360.0, angle)]
        return joined([(middle - angle / 2, angle) for middle, angle in self.arcs])


class Cut(NamedTuple):
    """Where a slice cuts one necrotic stretch, or one healthy gap in it.

    Attributes
    ----------
    offset_mm, circle_mm
        The slice's offset from the head's centre, and the radius of its circle.
    middle_deg, angle_deg
        The stretch on it: 0 where the slice is free of it, 360 where it goes all round; then the
        chord is known on one side only.
    """

    offset_mm: float
    circle_mm: float
    middle_deg: float
    angle_deg: float

    @property
    def chord_mm(self) -> float:
        """Signed distance of the chord from the circle's centre."""
        return self.circle_mm * math.cos(math.radians(self.angle_deg / 2))

    @property
    def has_ends(self) -> bool:
        """Whether the stretch begins and ends on this slice."""
        return 0 < self.angle_deg < 360.0


class Band(NamedTuple):
    """One necrotic stretch, or one healthy gap in it, followed from one slice to another.

    Attributes
    ----------
    sign
        +1 for a necrotic stretch, -1 for a gap that is taken off.
    first, second
        Where the two slices cut it; the same for a stretch that is held by one slice alone.
    extended
        Whether its line is drawn on from a third slice, since it ends between the two.
    """

    sign: int
    first: Cut
    second: Cut
    extended: bool = False

    @property
    def is_open(self) -> bool:
        """Whether one of the chords is known on one side only, and no third slice helps."""
        return not self.extended and self.first.has_ends != self.second.has_ends

    def weights(self, offset_mm: float = 0.0) -> tuple[float, float]:
        """Weights of the two cuts at an offset; they add up to 1."""
        step = self.second.offset_mm - self.first.offset_mm
        if step == 0:
            return 1.0, 0.0
        share = (offset_mm - self.first.offset_mm) / step
        return 1.0 - share, share

    def chord_mm(self, offset_mm: float) -> float:
        """Signed distance of the chord at an offset."""
        first, second = self.weights(offset_mm)
        return first * self.first.chord_mm + second * self.second.chord_mm

    def angles_deg(self, offsets_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.float64]:
        """Angle of the stretch at each of (N,) offsets within the head, 0 to 360 degrees."""
        (angles,) = band_angles_deg([self], offsets_mm[None], np.array([radius_mm]))
        return np.asarray(angles)

    def middle_deg(self, offset_mm: float = 0.0) -> float:
        """Direction of the stretch's middle at an offset, turned the shorter way."""
        turn = (self.second.middle_deg - self.first.middle_deg + 180.0) % 360.0 - 180.0
        return self.first.middle_deg + self.weights(offset_mm)[1] * turn


def band_angles_deg(
    bands: Sequence[Band], offsets_mm: NDArray[np.float64], radius_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(B, N) angles of B stretches, each at N offsets within a head, 0 to 360 degrees.

    Parameters
    ----------
    offsets_mm
        (B, N) signed distances from the heads' centres.
    radius_mm
        (B,) the heads' radii.
    """
    square = np.array([float(radius) ** 2 for radius in radius_mm.tolist()])
    circles = np.sqrt(np.maximum(square[:, None] - offsets_mm**2, 0.0))
    start, end = np.array([_chords_mm(band) for band in bands]).reshape(-1, 2).T[:, :, None]
    chords = start + (end - start) * offsets_mm
    cosines = np.divide(chords, circles, out=np.sign(chords), where=circles > 0)
    whole = [band.first.angle_deg == band.second.angle_deg == 360.0 for band in bands]
    cosines[np.array(whole, bool)] = -1.0
    return np.asarray(np.degrees(2 * np.arccos(np.clip(cosines, -1.0, 1.0))))


def _chords_mm(band: Band) -> tuple[float, float]:
    """Signed distances of a band's chord at offset 0 and at offset 1 mm."""
    first, second = band.first.chord_mm, band.second.chord_mm
    (one, other), (third, fourth) = band.weights(0.0), band.weights(1.0)
    return one * first + other * second, third * first + fourth * second


def in_order(slices: Iterable[SliceArcs], radius_mm: float) -> list[SliceArcs]:
    """Slices that cut the head, by growing offset; those free of necrosis beyond it are left out.

    Raises
    ------
    GeometryError
        If there are arcs on a slice that misses the head, or two slices lie in one place.
    """
    ordered = sorted(slices, key=lambda one: one.offset_mm)
    for one in ordered:
        if one.arcs and abs(one.offset_mm) >= radius_mm:
            raise GeometryError(
                f"a slice {one.offset_mm:+.1f} mm from the head's centre holds an arc, but misses "
                f"the head of radius {radius_mm:.1f} mm; check its arcs and the rim marks"
            )
    for near, far in pairwise(ordered):
        if far.offset_mm - near.offset_mm < _SAME_SLICE_MM:
            raise GeometryError(
                f"two marked slices lie in one place, {near.offset_mm:+.1f} mm from the head's "
                "centre; leave one of them out"
            )
    return [one for one in ordered if abs(one.offset_mm) < radius_mm]


def bands_between(ordered: Sequence[SliceArcs], index: int, radius_mm: float) -> list[Band]:
    """The stretches between a slice and the next one.

    Arcs whose directions overlap belong together. One arc on either slice: one stretch. More on a
    slice: the stretch reaches from the first to the last of them, and each healthy gap between
    them is taken off and closes at the other slice. An arc with no partner is drawn on by the line
    from the slice beyond its own, where it has one arc for a partner there and this line agrees
    with its absence on the other slice; else it closes at that slice, which is the least
    tilted boundary that agrees with the marks. An arc that meets a whole circle goes likewise.

    Parameters
    ----------
    ordered
        Slices by growing offset, as :func:`in_order` gives them.
    index
        Of the first of the two slices.
    radius_mm
        The head's radius, mm.

    Examples
    --------
    >>> slices = [SliceArcs(-2.0, ((270.0, 80.0),)), SliceArcs(2.0, ((280.0, 60.0),))]
    >>> (band,) = bands_between(slices, 0, 24.0)
    >>> round(band.middle_deg(), 9), round(float(band.angles_deg(np.zeros(1), 24.0)[0]), 3)
    (275.0, 71.181)
    """
    direct = _direct_bands(ordered[index], ordered[index + 1], radius_mm)
    return [_drawn_on(band, ordered, index, radius_mm) for band in direct]


def bands_of(one: SliceArcs, radius_mm: float) -> list[Band]:
    """The arcs of one slice alone, each with a chord that keeps its distance."""
    cuts = [_cut(one, interval, radius_mm) for interval in one.intervals()]
    return [Band(1, cut, cut) for cut in cuts]


def bands_past(ordered: Sequence[SliceArcs], radius_mm: float) -> list[Band] | None:
    """The stretches of the last of two or more slices, on their lines past it.

    None where one of them is not on the slice before: one slice gives no line. A gap that is new
    keeps its chord.
    """
    bands = _direct_bands(ordered[-2], ordered[-1], radius_mm)
    past = [band for band in bands if band.second.angle_deg]
    if any(band.sign > 0 and not band.first.angle_deg for band in past):
        return None
    return [
        band if band.first.angle_deg else Band(band.sign, band.second, band.second) for band in past
    ]


def complement(intervals: Sequence[Interval]) -> list[Interval]:
    """What the intervals leave free on the circle, as disjoint (lower bound, width), degrees.

    Examples
    --------
    >>> complement([(350.0, 30.0), (10.0, 40.0)])
    [(50.0, 300.0)]
    """
    union = joined(intervals)
    if not union:
        return [(0.0, 360.0)]
    following = [*union[1:], union[0]]
    gaps = [
        (sum(one) % 360.0, (after[0] - sum(one)) % 360.0)
        for one, after in zip(union, following, strict=True)
    ]
    return [] if union[0][1] >= 360.0 else gaps


def joined(intervals: Sequence[Interval]) -> list[Interval]:
    """Their union on the circle as disjoint (lower bound, width), degrees.

    The circle is cut open at the start of an interval that no other covers; if there is none, the
    whole circle is covered.

    Examples
    --------
    >>> joined([(350.0, 30.0), (10.0, 40.0), (100.0, 5.0)])
    [(350.0, 60.0), (100.0, 5.0)]
    """
    if len(intervals) == 1:  # nearly always: the general way gives the same bits in more time
        ((low, width),) = intervals
        return [(low % 360.0, min(width, 360.0))]
    if len(intervals) == 2:
        return _two_joined(*intervals)
    for low, _ in intervals:
        if not any(0 < (low - other) % 360.0 <= width for other, width in intervals):
            return _joined_from(low, intervals)
    return [(0.0, 360.0)] if intervals else []


def _two_joined(first: Interval, second: Interval) -> list[Interval]:
    """The union of two, as the general way finds it."""
    (low, width), (other, reach) = first, second
    behind, ahead = (low - other) % 360.0, (other - low) % 360.0
    if not 0 < behind <= reach:
        origin, pair = low, ((0.0, width), (ahead, reach))
    elif not 0 < ahead <= width:
        origin, pair = other, ((0.0, reach), (behind, width))
    else:
        return [(0.0, 360.0)]
    (_, size), (start, length) = pair if pair[0] <= pair[1] else pair[::-1]
    if start <= size:
        return [(origin % 360.0, min(max(size, start + length), 360.0))]
    return [(origin % 360.0, min(size, 360.0)), ((start + origin) % 360.0, min(length, 360.0))]


def _joined_from(origin: float, intervals: Sequence[Interval]) -> list[Interval]:
    union: list[Interval] = []
    for start, width in sorted(((low - origin) % 360.0, width) for low, width in intervals):
        if union and start <= sum(union[-1]):
            low, reach = union[-1]
            union[-1] = (low, max(reach, start + width - low))
        else:
            union.append((start, width))
    return [((start + origin) % 360.0, min(width, 360.0)) for start, width in union]


def _direct_bands(near: SliceArcs, far: SliceArcs, radius_mm: float) -> list[Band]:
    """The stretches between two slices by these two alone."""
    here, there = near.intervals(), far.intervals()
    bands: list[Band] = []
    for union in joined([*here, *there]):
        (hull, gaps), (other, others) = _hull(here, union), _hull(there, union)
        bands.append(_band(1, (near, far), (hull, other), radius_mm))
        bands += [_band(-1, (near, far), (gap, None), radius_mm) for gap in gaps]
        bands += [_band(-1, (near, far), (None, gap), radius_mm) for gap in others]
    return bands


def _hull(side: Sequence[Interval], union: Interval) -> tuple[Interval | None, list[Interval]]:
    """From the first to the last arc of a slice within a union, and the gaps between them."""
    origin, reach = union
    if not side:
        return None, []
    if len(side) == 1:  # nearly always: the same, without lists
        ((low, width),) = side
        middle = (low + width / 2 - origin) % 360.0
        if middle > reach:
            return None, []
        start = middle - width / 2
        if reach >= 360.0:
            start += 360.0
        return (start + origin, start + width - start), []
    middles = (((low + width / 2 - origin) % 360.0, width) for low, width in side)
    inside = sorted((middle - width / 2, width) for middle, width in middles if middle <= reach)
    if not inside:
        return None, []
    if reach >= 360.0:
        inside = _from_largest_gap(inside)
    ends = [start + width for start, width in inside]
    gaps = [(end + origin, start - end) for end, (start, _) in zip(ends, inside[1:], strict=False)]
    return (inside[0][0] + origin, ends[-1] - inside[0][0]), gaps


def _from_largest_gap(inside: list[Interval]) -> list[Interval]:
    """The same arcs round the circle, counted from the end of their largest gap."""
    following = [*inside[1:], (inside[0][0] + 360.0, inside[0][1])]
    gaps = [after[0] - sum(before) for before, after in zip(inside, following, strict=True)]
    first = gaps.index(max(gaps)) + 1
    return inside[first:] + [(start + 360.0, width) for start, width in inside[:first]]


def _cut(one: SliceArcs, interval: Interval, radius_mm: float) -> Cut:
    low, width = interval
    circle = math.sqrt(max(radius_mm**2 - one.offset_mm**2, 0.0))
    return Cut(one.offset_mm, circle, (low + width / 2) % 360.0, width)


def _band(
    sign: int,
    slices: tuple[SliceArcs, SliceArcs],
    found: Sequence[Interval | None],
    radius_mm: float,
) -> Band:
    """A band; where a slice has nothing of it, or all, its middle is the other slice's."""
    near, far = found
    low, width = next((one for one in found if one is not None and one[1] < 360.0), (0.0, 360.0))
    free, whole = (low + width / 2, 0.0), (low + width / 2 - 180.0, 360.0)
    if near is None or near[1] >= 360.0:
        near = whole if near else free
    if far is None or far[1] >= 360.0:
        far = whole if far else free
    return Band(sign, _cut(slices[0], near, radius_mm), _cut(slices[1], far, radius_mm))


def _drawn_on(band: Band, ordered: Sequence[SliceArcs], index: int, radius_mm: float) -> Band:
    """The band on the line from a third slice, where that is known and fits; else as it is."""
    if band.sign < 0 or band.first.has_ends == band.second.has_ends:
        return band
    forward = band.first.has_ends
    held, missing = (band.first, band.second) if forward else (band.second, band.first)
    start = index - 1 if forward else index + 1
    if not 0 <= start < len(ordered) - 1:
        return band
    for other in _direct_bands(ordered[start], ordered[start + 1], radius_mm):
        if not (other.first.has_ends and other.second.has_ends):
            continue
        if _is_same(other.second if forward else other.first, held):
            chord = other.chord_mm(missing.offset_mm)
            fits = chord <= -missing.circle_mm if missing.angle_deg else chord >= missing.circle_mm
            return Band(1, other.first, other.second, extended=True) if fits else band
    return band


def _is_same(first: Cut, second: Cut) -> bool:
    turn = (first.middle_deg - second.middle_deg + 180.0) % 360.0 - 180.0
    return max(abs(turn), abs(first.angle_deg - second.angle_deg)) < 1e-6
