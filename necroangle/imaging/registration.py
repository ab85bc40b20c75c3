"""The head of an earlier visit laid on today's slice: how it is turned and moved within the plane.

A head is round, so three parts of the picture tell three things:

- its *rim* tells where it lies, and nothing of its turn;
- the *head* itself, with the neck where the slice shows it, tells the turn;
- head and *surroundings* together tell the turn more surely, as long as the joint stands as it did.

Each is matched by itself on pictures freed of gain and of the coil's shading, the necrotic parts of
both visits left out. Whether the thigh lies otherwise against the pelvis is told by the two turns
themselves: the further they lie apart, the more the head's own counts. Where that leaves the turn
open, as in a sagittal slice, whose round head tells little, it is refused. The errors come from the
residuals, which are correlated, and from the distance of the slices; what they leave out was found
on phantom pairs (``benchmarks/registration.py``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Arc, Circle, PlanePoints
from necroangle.imaging.matching import GRID_MM, Fit, Part, best_shift, fit_turn, refined
from necroangle.imaging.volume import Slice
from necroangle.terms import Laterality, Weighting

Array = NDArray[np.float64]

LARGEST_OFFSET_MM = 3.0
"""Two slices further apart along their normal show other parts of the head."""

LARGEST_TILT_DEG = 15.0
LARGEST_RADIUS_GAP_MM = 2.0
LEAST_FREE_SHARE = 0.3
"""So much of the head must be left beside the necrotic parts of both visits."""

LEAST_MATCH = 0.6
"""Correlation of head and surroundings; pairs of one weighting reach 0.8 and more."""

LARGEST_TURN_SE_DEG = 1.0
"""A turn that is known less well is refused."""

HEAD_FLOOR_DEG = 0.1
"""Of the head's own turn where the slice shows its neck, beside what the residuals say.

Pixels that lie otherwise, and the edges of what is compared, turn it by so much, which counts where
two slices are nearly the same and the residuals small. The likeliest value on 23 phantom pairs
whose slices lie within 1 mm was 0.08 (95 %: 0 to 0.18), on all 57 of them 0.03 (0 to 0.12).
On 60 pairs, seen when it was chosen, the interval then holds the truth in 95 %, else in 88 %."""

ROUND_HEAD_SD_DEG = 1.0
"""Of the head's own turn where the slice does not show its neck.

The marrow alone looks turned from visit to visit, in the residuals unseen: on sagittal phantom
pairs by so much, whatever the error from the residuals was."""

OBLIQUE_DEG_MM = 0.2
"""Head and surroundings look turned by so much for each mm between the two slices.

What runs through the slices obliquely lies elsewhere in the next one."""

UNKNOWN_GAP_MM = 1.2
"""How far two slices may lie apart where their places in the head are not known."""

STILL_SD_DEG = 0.3
"""How far a thigh that lies as it did is turned against the pelvis all the same."""

TURNED_SD_DEG, TURNED_SHARE = 5.0, 0.3
"""How far the thigh of a patient who lies otherwise is turned against the pelvis; and how often."""

RIM_FLOOR_MM = 0.05
"""What the rim's thickness, which differs from slice to slice, adds to the error of the place."""


class Unregistered(StrEnum):
    """Why there is no motion."""

    OTHER_SIDE = "other_side"
    OTHER_WEIGHTING = "other_weighting"
    OTHER_PLANE = "other_plane"
    OTHER_SLICE = "other_slice"
    OTHER_SIZE = "other_size"
    LITTLE_LEFT = "little_left"
    POOR_MATCH = "poor_match"
    TURN_UNKNOWN = "turn_unknown"

    @property
    def meaning(self) -> str:
        """One plain sentence for the reader."""
        return _MEANINGS[self]


_MEANINGS = {
    Unregistered.OTHER_SIDE: "the two slices show two hips",
    Unregistered.OTHER_WEIGHTING: "the two slices are of unlike weighting",
    Unregistered.OTHER_PLANE: f"the two slices are tilted by over {LARGEST_TILT_DEG:g}°",
    Unregistered.OTHER_SLICE: f"the slices lie over {LARGEST_OFFSET_MM:g} mm apart in the head",
    Unregistered.OTHER_SIZE: f"the two heads differ by over {LARGEST_RADIUS_GAP_MM:g} mm in radius",
    Unregistered.LITTLE_LEFT: "too little of the head is left beside the necrosis",
    Unregistered.POOR_MATCH: "the two pictures do not match",
    Unregistered.TURN_UNKNOWN: "the thigh may lie turned in the pelvis; the head does not tell",
}


@dataclass(frozen=True, slots=True, eq=False)
class HeadPicture:
    """A slice with the head that was marked on it.

    Attributes
    ----------
    picture
        An MR slice.
    circle
        The head, plane mm.
    laterality
        The hip: it tells where the neck lies.
    arcs
        The necrotic arcs: the sectors of the head below them are left out.
    offset_mm
        Signed distance of the slice from the head's centre along its normal; None where it is not
        known.
    weighting
        What weights the picture.
    """

    picture: Slice
    circle: Circle
    laterality: Laterality
    arcs: tuple[Arc, ...] = ()
    offset_mm: float | None = None
    weighting: Weighting = Weighting.UNKNOWN


@dataclass(frozen=True, slots=True)
class HeadMotion:
    """From the earlier slice to today's, within the plane.

    Attributes
    ----------
    rotation_deg, rotation_se_deg
        Turn from +u towards +v (clockwise on the screen), with its standard error.
    shift_mm, shift_se_mm
        (u, v): where the earlier circle's centre comes to lie from the centre marked today.
    head_turn_deg, whole_turn_deg
        The turn by the head alone, and with its surroundings; ``rotation_deg`` lies between them,
        the nearer to the first the less they agree.
    match
        Correlation of head and surroundings.
    prior, today
        The two circles as they were marked, each in its own plane mm.
    """

    rotation_deg: float
    rotation_se_deg: float
    shift_mm: tuple[float, float]
    shift_se_mm: tuple[float, float]
    head_turn_deg: float
    whole_turn_deg: float
    match: float
    prior: Circle
    today: Circle

    @property
    def ghost(self) -> Circle:
        """The earlier circle on today's slice, plane mm."""
        (u, v), (du, dv) = self.today.centre_mm, self.shift_mm
        return Circle((u + du, v + dv), self.prior.radius_mm)

    def to_today(self, points: PlanePoints) -> PlanePoints:
        """(N, 2) points of the earlier slice, plane mm, on today's."""
        angle = math.radians(self.rotation_deg)
        cosine, sine = math.cos(angle), math.sin(angle)
        u, v = (np.asarray(points) - self.prior.centre_mm).T
        turned = np.column_stack((cosine * u - sine * v, sine * u + cosine * v))
        return PlanePoints(turned + self.ghost.centre_mm)


def register_heads(prior: HeadPicture, today: HeadPicture) -> HeadMotion | Unregistered:
    """Lay the head of an earlier visit on today's slice.

    Parameters
    ----------
    prior, today
        The same view of the same hip at the two visits, each with its circle marked to 2 mm.

    Returns
    -------
    HeadMotion or Unregistered
        The motion with its own standard errors, or why there is none.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from necroangle.geometry import ImagePlane
    >>> from necroangle.terms import SourceImage
    >>> plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1))
    >>> picture = Slice(np.zeros((64, 64)), plane, SourceImage("1.2", "1.2.3", "1.2.3.4"))
    >>> left = HeadPicture(picture, Circle((32, 32), 24), Laterality.LEFT, offset_mm=-1.5)
    >>> register_heads(left, replace(left, offset_mm=2.0)).meaning
    'the slices lie over 3 mm apart in the head'
    >>> register_heads(left, left).meaning
    'the two pictures do not match'
    """
    reason = _unlike(prior, today)
    if reason is not None:
        return reason
    pair = _Pair(prior, today)
    if pair.free_share < LEAST_FREE_SHARE:
        return Unregistered.LITTLE_LEFT
    start = best_shift(pair.rim)
    whole = fit_turn(pair.whole, start)
    if whole is None or whole.match < LEAST_MATCH:
        return Unregistered.POOR_MATCH
    head = fit_turn(pair.head, start, near=whole.turn_deg)
    if head is None:
        return Unregistered.TURN_UNKNOWN
    turn_deg, turn_se_deg = _weighed(
        _turn_of(head, HEAD_FLOOR_DEG if pair.shows_neck else ROUND_HEAD_SD_DEG),
        _turn_of(whole, OBLIQUE_DEG_MM * pair.gap_mm, STILL_SD_DEG),
    )
    if turn_se_deg > LARGEST_TURN_SE_DEG:
        return Unregistered.TURN_UNKNOWN
    rim = refined(pair.rim, (math.radians(turn_deg), *start), free=(1, 2))
    if rim is None:
        return Unregistered.POOR_MATCH
    u_se, v_se = (math.hypot(RIM_FLOOR_MM, error) for error in rim.errors)
    return HeadMotion(
        rotation_deg=turn_deg,
        rotation_se_deg=turn_se_deg,
        shift_mm=rim.place[1:],
        shift_se_mm=(u_se, v_se),
        head_turn_deg=head.turn_deg,
        whole_turn_deg=whole.turn_deg,
        match=whole.match,
        prior=prior.circle,
        today=today.circle,
    )


def _unlike(prior: HeadPicture, today: HeadPicture) -> Unregistered | None:
    """Why the two cannot be laid on each other, before their pixels are looked at."""
    if prior.laterality is not today.laterality:
        return Unregistered.OTHER_SIDE
    if Weighting.differ(prior.weighting, today.weighting):
        return Unregistered.OTHER_WEIGHTING
    planes = prior.picture.plane, today.picture.plane
    least = math.cos(math.radians(LARGEST_TILT_DEG))
    if float(np.dot(*(plane.normal for plane in planes))) < least:
        return Unregistered.OTHER_PLANE
    if (
        prior.offset_mm is not None
        and today.offset_mm is not None
        and abs(prior.offset_mm - today.offset_mm) > LARGEST_OFFSET_MM
    ):
        return Unregistered.OTHER_SLICE
    if abs(prior.circle.radius_mm - today.circle.radius_mm) > LARGEST_RADIUS_GAP_MM:
        return Unregistered.OTHER_SIZE
    return None


def _turn_of(fit: Fit, *more_deg: float) -> tuple[float, float]:
    """A turn and its standard error, with what the residuals do not show of it."""
    return fit.turn_deg, math.hypot(fit.turn_se_deg, *more_deg)


def _weighed(head: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float]:
    """The head's turn and its standard error, degrees, from two turns with their standard errors.

    Either the thigh lies as it did and both tell the same turn, or it does not and the head's own
    is all there is. Both are weighed by how well they explain the distance of the two turns.
    """
    (own, own_se), (around, around_se) = head, whole
    apart, variance = own - around, own_se**2 + around_se**2
    still = (1 - TURNED_SHARE) * _likelihood(apart, variance)
    turned = TURNED_SHARE * _likelihood(apart, variance + TURNED_SD_DEG**2)
    share = turned / (still + turned)
    both = (own * around_se**2 + around * own_se**2) / variance
    turn = (1 - share) * both + share * own
    spread = (1 - share) * own_se**2 * around_se**2 / variance + share * own_se**2
    return turn, math.sqrt(spread + share * (1 - share) * (own - both) ** 2)


def _likelihood(value: float, variance: float) -> float:
    """Of a normal variable about 0; never 0 itself."""
    return math.exp(-min(value**2 / (2 * variance), 600.0)) / math.sqrt(variance)


# ---- the pictures about the head's centre --------------------------------------------------------

_BLUR_MM = 0.6
"""Noise finer than this tells nothing of a motion."""

_REACH = 1.5
"""How far the surroundings go, in radii of the head."""

_INNER = 0.93
"""Where the head's inside ends: the rim itself tells nothing of a turn."""

_RIM_HALF_MM = 2.0
_MARGIN_MM = 2.5
"""So far beside a necrotic sector the picture may differ, too."""

_NECK_HALF_DEG = 38.0
_LEAST_NECK = 0.7
"""A neck that leaves the slice more steeply than this is not seen in it."""

_SHADING_MM = 4.0
"""Means and spreads are taken over this distance: what changes more slowly is the coil's."""

_LEAST_SPREAD = 0.04
"""Of the mean grey value: a smaller spread is noise and is not blown up."""

_NECK_LPS = (0.781, 0.166, -0.602)
"""The left neck from the head's centre: neck and shaft at 127°, 12° of anteversion."""


class _Pair:
    """Both pictures on one grid: (2 n + 1, 2 n + 1), v down and u along, 0 at the marked centre."""

    def __init__(self, prior: HeadPicture, today: HeadPicture) -> None:
        largest = max(prior.circle.radius_mm, today.circle.radius_mm)
        reach = math.ceil((_REACH * largest + 10.0) / GRID_MM)
        self._axis: Array = np.asarray(np.arange(-reach, reach + 1) * GRID_MM, float)
        self._heads = prior, today
        self._pixels, self._seen = zip(
            *(_on_grid(one, self._axis) for one in self._heads), strict=True
        )
        self._v, self._u = np.meshgrid(self._axis, self._axis, indexing="ij")
        self._arm = np.hypot(self._u, self._v)
        self._free = [self._beside_necrosis(one) for one in self._heads]

    @property
    def free_share(self) -> float:
        """How much of the head is left beside the necrotic parts of both visits, 0 to 1."""
        inside = self._arm < self._heads[1].circle.radius_mm
        return float(np.mean((self._free[0] * self._free[1])[inside]))

    @property
    def gap_mm(self) -> float:
        """How far the two slices lie apart, or may, where that is not known."""
        prior, today = (one.offset_mm for one in self._heads)
        return UNKNOWN_GAP_MM if prior is None or today is None else today - prior

    @property
    def shows_neck(self) -> bool:
        """Whether the slices show how the neck leaves the head."""
        return all(_neck_within(one) is not None for one in self._heads)

    @cached_property
    def rim(self) -> Part:
        """The rim, but for where the neck begins."""
        weights = [
            _soft(np.abs(self._arm - one.circle.radius_mm) - _RIM_HALF_MM, 0.3)
            * (1.0 - self._towards_neck(one, _NECK_HALF_DEG + 10.0))
            for one in self._heads
        ]
        return self._part(weights, even=False)

    @cached_property
    def head(self) -> Part:
        """The head's inside, and the neck where the slice shows it."""
        weights = []
        for one in self._heads:
            radius = one.circle.radius_mm
            neck = self._towards_neck(one, _NECK_HALF_DEG) * _soft(self._arm - _REACH * radius, 0.5)
            inside = _soft(self._arm - _INNER * radius, 0.4)
            weights.append(np.maximum(inside, neck * (self._arm > 0.8 * radius)))
        return self._part(weights)

    @cached_property
    def whole(self) -> Part:
        """Head and surroundings."""
        return self._part(
            [_soft(self._arm - _REACH * one.circle.radius_mm, 0.5) for one in self._heads]
        )

    def _part(self, weights: Sequence[Array], *, even: bool = True) -> Part:
        own = [
            weight * free * seen
            for weight, free, seen in zip(weights, self._free, self._seen, strict=True)
        ]
        first, second = (
            _even(pixels, weight) if even else pixels / _mean(pixels, weight)
            for pixels, weight in zip(self._pixels, own, strict=True)
        )
        return Part(first, second, own[0], own[1], is_lit=not even)

    def _beside_necrosis(self, one: HeadPicture) -> Array:
        """1 where the head is not necrotic, 0 within the sectors of the arcs and near them."""
        from scipy.ndimage import gaussian_filter

        dead = np.zeros(self._arm.shape, bool)
        directions = np.degrees(np.arctan2(self._v, self._u))
        for arc in one.arcs:
            low, high = arc.interval_deg()
            away_deg = np.abs(_wrapped(directions - (low + high) / 2)) - (high - low) / 2
            aside = self._arm * np.sin(np.radians(np.clip(away_deg, 0.0, 90.0)))
            dead |= (aside < _MARGIN_MM) & (self._arm < 1.2 * one.circle.radius_mm)
        free = 1.0 - gaussian_filter(dead.astype(float), 0.8 / GRID_MM)
        return np.where(dead, 0.0, free)

    def _towards_neck(self, one: HeadPicture, half_deg: float) -> Array:
        """1 in the directions in which the neck leaves the head, 0 elsewhere."""
        neck_deg = _neck_within(one)
        if neck_deg is None:
            return np.zeros(self._arm.shape)
        directions = np.degrees(np.arctan2(self._v, self._u))
        return _soft(np.abs(_wrapped(directions - neck_deg)) - half_deg, 2.0)


def _neck_within(one: HeadPicture) -> float | None:
    """Where the neck leaves the head, degrees from +u towards +v; None where it is not seen."""
    plane = one.picture.plane
    side = 1.0 if one.laterality is Laterality.LEFT else -1.0
    neck = np.array(_NECK_LPS) * (side, 1.0, 1.0)
    u, v = float(neck @ plane.row_cosine), float(neck @ plane.column_cosine)
    return math.degrees(math.atan2(v, u)) if math.hypot(u, v) >= _LEAST_NECK else None


def _on_grid(one: HeadPicture, axis: Array) -> tuple[Array, Array]:
    """The grey values at the grid's places, and 1 where the picture reaches there."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    plane, (rows, columns) = one.picture.plane, one.picture.shape
    spacing = plane.row_spacing_mm, plane.column_spacing_mm
    pixels = np.asarray(one.picture.pixels, float)
    smooth = gaussian_filter(pixels, [_BLUR_MM / size for size in spacing])
    u, v = one.circle.centre_mm
    down, along = (v + axis) / spacing[0], (u + axis) / spacing[1]
    places = np.array(np.meshgrid(down, along, indexing="ij"))
    seen = (
        (places[0] >= 0) & (places[0] <= rows - 1) & (places[1] >= 0) & (places[1] <= columns - 1)
    )
    return map_coordinates(smooth, places, order=3, mode="nearest"), seen.astype(float)


def _soft(beyond: Array, width: float) -> Array:
    """1 below 0, 0 above, in a smooth step."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip(beyond / width, -50.0, 50.0))))


def _wrapped(degrees: Array) -> Array:
    return (degrees + 180.0) % 360.0 - 180.0


def _mean(pixels: Array, weight: Array) -> float:
    """Mean grey value under a weight; 1 where it is nothing to divide by."""
    return float(np.sum(weight * pixels) / max(float(weight.sum()), 1e-9)) or 1.0


def _even(pixels: Array, weight: Array) -> Array:
    """Grey values less their mean about each place, over their spread there.

    Gain and shading of the coil go, and an edge counts by its place, not by its height. Only what
    is under the weight is heard.
    """
    from scipy.ndimage import gaussian_filter

    reach = _SHADING_MM / GRID_MM
    level = pixels / _mean(pixels, weight)
    there = np.maximum(gaussian_filter(weight, reach), 1e-3)
    mean = gaussian_filter(weight * level, reach) / there
    spread = np.maximum(gaussian_filter(weight * (level - mean) ** 2, reach) / there, 0.0)
    return np.asarray((level - mean) / np.sqrt(spread + _LEAST_SPREAD**2))
