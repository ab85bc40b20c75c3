"""What the residuals of rims say of a mistake: a stretched image, a sunken dome, marks on the neck.

The residuals e of n marks in directions t about their circle are taken as

    e = W dp + d x + noise,    W = (cos t, sin t, 1),

where dp moves the circle, x is the size of what is looked for and d its shape along the rim. The
noise has the covariance ``s² 0.4^|i - j| + H Hᵀ``: neighbours err alike, and a healthy head is no
circle either (H: the harmonics of order 2 to 4 of the error budget,
:data:`necroangle.protocol.pair_error.SHAPE`). So a sound oval head is no finding. x and its error
are the generalised least squares. The inverse of the first part has three diagonals, and H six
columns, so that no matrix larger than 6 by 6 is inverted.

Contours of more than 24 marks are averaged in 22 equal runs first: then a correlation of 0.4
between neighbours holds for them as well.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.circle import directions_deg
from necroangle.geometry.point_sets import PointSets, parts_of
from necroangle.protocol.pair_error import SHAPE

Array = NDArray[np.float64]
Places = NDArray[np.intp]

ROOM, RUNS = 24, 22
"""Most marks that are taken one by one; how many runs a longer contour is averaged in."""

NEIGHBOURS = 0.4
_SHAPE_SD = np.repeat(SHAPE, 2)

_LEAST_SD_MM = 0.1
"""Nobody marks better than this: marks made by a formula have no noise at all."""
_MOST_DROPPED = 3


@dataclass(frozen=True, eq=False)
class Rims:
    """K rims in their order, each with up to 24 marks or runs of marks; 0 stands behind the last.

    Attributes
    ----------
    view
        (K,) which views.
    turn
        (K, 24) directions from +u towards +v, radians.
    gap
        (K, 24) distances from the circle, mm; negative within.
    there
        (K, 24) 1 where there is a mark.
    count
        (K,) number of marks or runs.
    radius_mm
        (K,) of the circles.
    sd_mm, unit_mm
        (K,) noise of the marks, from the residuals of both views of the hip; and how long a
        millimetre of marking is (:class:`.heads.Heads`).
    last_deg, span_deg
        (K,) direction of the last mark, and how far the rim reaches round.
    """

    view: Places
    turn: Array
    gap: Array
    there: Array
    count: Places
    radius_mm: Array
    sd_mm: Array
    unit_mm: Array
    last_deg: Array
    span_deg: Array

    @classmethod
    def of(
        cls,
        points: Array,
        start: Places,
        count: Places,
        circles: tuple[Array, Array],
        views: Places,
        hip: Places,
        unit_mm: Array,
    ) -> "Rims":
        """Rims of runs of (2, M) plane points.

        Parameters
        ----------
        start, count
            (K,) the runs.
        circles
            (2, K) centres and (K,) radii, mm.
        views, hip
            (K,) which views they are, and of which hips.
        unit_mm
            (K,) how long a millimetre of marking is.
        """
        size = len(count)
        turn, gap = np.zeros((2, size, ROOM))
        last, span = np.zeros((2, size))
        centre, radius = circles
        for some in parts_of(count):
            sets = PointSets.of_runs(points, start[some], count[some])
            offsets = sets.points - centre[:, None, some]
            away = np.sqrt(offsets[0] ** 2 + offsets[1] ** 2) - radius[some]
            order, turned = _along(offsets, sets.keep)
            turn[some], gap[some] = _put(
                np.take_along_axis(away, order, axis=0), turned, sets.count
            )
            last[some] = turned[count[some] - 1, np.arange(len(some))]
            span[some] = last[some] - turned[0]
        number = np.where(count > ROOM, RUNS, count)
        there = (np.arange(ROOM) < number[:, None]).astype(float)
        noise = _noise_mm(_without(_shift(turn, there), gap, there), number, hip, unit_mm)
        return cls(views, turn, gap, there, number, radius, noise, unit_mm, last, span)

    @property
    def unmarked_deg(self) -> Array:
        """(K,) the part of the circle without marks; 0 where marks stand sparsely all round."""
        gap = 360.0 - self.span_deg
        return np.where(gap > 1.5 * self.span_deg / np.maximum(self.count - 1, 1), gap, 0.0)

    @cached_property
    def shift(self) -> Array:
        """(K, 24, 3) how the marks move with the circle: W of this module."""
        return _shift(self.turn, self.there)

    def weighed(self, columns: Array) -> Array:
        """(K, 24, M) columns times the inverse of the noise without the shape, mm⁻²."""
        zero = np.zeros((len(columns), 1, columns.shape[2]))
        before = np.concatenate((zero, columns[:, :-1]), axis=1)
        after = np.concatenate((columns[:, 1:], zero), axis=1)
        inner = np.zeros(self.there.shape)
        inner[:, 1:-1] = self.there[:, :-2] * self.there[:, 2:]
        own = (1.0 + NEIGHBOURS**2 * inner)[:, :, None] * columns
        scale = self.there / ((1.0 - NEIGHBOURS**2) * self.sd_mm**2)[:, None]
        return np.asarray((own - NEIGHBOURS * (before + after)) * scale[:, :, None])

    @cached_property
    def reduced(self) -> "_Reduced":
        """What every question to the residuals needs."""
        columns = np.concatenate((self.shift, self.gap[:, :, None], self.harmonics), axis=-1)
        weighed = self.weighed(columns)
        whole = columns.transpose(0, 2, 1) @ weighed
        shape = np.asarray(np.linalg.inv(np.eye(6) + whole[:, 4:, 4:]), np.float64)
        taken = shape @ whole[:, 4:, :4]
        information = whole[:, :4, :4] - whole[:, :4, 4:] @ taken
        return _Reduced(weighed, shape, taken, information)

    @property
    def harmonics(self) -> Array:
        """(K, 24, 6) of order 2 to 4, cosine and sine, times their standard deviations, mm."""
        parts = [f(k * self.turn) for k in (2, 3, 4) for f in (np.cos, np.sin)]
        scale = (_SHAPE_SD * self.radius_mm[:, None])[:, None]
        return np.stack(parts, axis=-1) * self.there[:, :, None] * scale


@dataclass(frozen=True, eq=False)
class _Reduced:
    """Of K rims, the shape of the head taken out.

    Attributes
    ----------
    weighed
        (K, 24, 10) W, residuals and harmonics times the inverse of the noise without the shape.
    shape, taken
        (K, 6, 6) inverse of the harmonics' information and their prior's; (K, 6, 4) that times the
        products of the harmonics with W and the residuals.
    information
        (K, 4, 4) products of W and the residuals by the inverse of the whole covariance.
    """

    weighed: Array
    shape: Array
    taken: Array
    information: Array


def _shift(turn: Array, there: Array) -> Array:
    columns = (np.cos(turn), np.sin(turn), np.ones_like(turn))
    return np.stack(columns, axis=-1) * there[:, :, None]


def _along(offsets: Array, keep: Array) -> tuple[Places, Array]:
    """(N, K) the marks in the order of their rims from the widest gap, and their directions."""
    directions = np.where(keep > 0, directions_deg(offsets), np.inf)
    order = np.argsort(directions, axis=0, kind="stable")
    along = np.take_along_axis(directions, order, axis=0)
    number = keep.sum(axis=0).astype(int)
    columns = np.arange(len(number))
    with np.errstate(invalid="ignore"):
        before = along - np.concatenate((along[number - 1, columns][None] - 360.0, along[:-1]))
    first = np.argmax(np.where(np.isfinite(before), before, -1.0), axis=0)
    places = (np.arange(len(order))[:, None] + first) % np.maximum(number, 1)
    places = np.where(keep > 0, places, np.arange(len(order))[:, None])
    turned = np.take_along_axis(along, places, axis=0)
    turned = np.where(turned < turned[0], turned + 360.0, turned)
    return np.take_along_axis(order, places, axis=0), turned


def _put(gap: Array, turned: Array, count: Array) -> tuple[Array, Array]:
    """(K, 24) directions, radians, and gaps of (N, K) ordered marks; longer ones in runs."""
    found = np.zeros((2, gap.shape[1], ROOM))
    values = np.radians(np.where(np.isfinite(turned), turned, 0.0)), gap
    few = count <= ROOM
    length = min(ROOM, len(gap))
    for column, one in zip(found, values, strict=True):
        column[few, :length] = one.T[few, :length]
        for place in np.flatnonzero(~few).tolist():
            number = int(count[place])
            run = np.arange(number) * RUNS // number
            sums = np.bincount(run, one[:number, place], RUNS)
            column[place, :RUNS] = sums / np.bincount(run, minlength=RUNS)
    there = np.arange(ROOM) < np.where(few, count, RUNS)[:, None]
    return found[0] * there, found[1] * there


def _noise_mm(gap: Array, number: Places, hip: Places, unit_mm: Array) -> Array:
    """(K,) noise of the marks, pooled over the rims of a hip."""
    hips, which = np.unique(hip, return_inverse=True)
    rss = np.bincount(which, (gap * gap).sum(axis=1), len(hips))
    freedom = np.bincount(which, np.maximum(number - 3, 0), len(hips))
    found = np.sqrt(rss / np.maximum(freedom, 1))[which]
    return np.asarray(np.maximum(found, _LEAST_SD_MM * unit_mm))


def sizes(rims: Rims, shape: Array) -> tuple[Array, Array]:
    """(K,) sizes of a shape in the residuals, and their standard errors, in units of the shape.

    The error is infinite where the marks cannot tell the shape from another circle.

    Parameters
    ----------
    shape
        (K, 24) how a size of 1 moves the marks outward, mm.
    """
    found = rims.reduced
    column = (shape * rims.there)[:, :, None]
    products = (column.transpose(0, 2, 1) @ found.weighed)[:, 0]
    harmonics = products[:, None, 4:]
    with_others = products[:, :4] - (harmonics @ found.taken)[:, 0]
    own = (column * rims.weighed(column)).sum(axis=(1, 2))
    own = own - (harmonics @ found.shape @ harmonics.transpose(0, 2, 1))[:, 0, 0]
    circle, of_circle = found.information[:, :3, :3], found.information[:, :3, 3]
    cross, seen = with_others[:, :3], with_others[:, 3]
    solved = np.linalg.solve(circle + 1e-12 * np.eye(3), np.stack((cross, of_circle), axis=-1))
    left = own - np.einsum("ki,ki->k", cross, solved[:, :, 0])
    size = seen - np.einsum("ki,ki->k", cross, solved[:, :, 1])
    sound = left > 1e-6 * np.maximum(own, 1e-12)
    with np.errstate(all="ignore"):
        return np.where(sound, size / left, 0.0), np.where(sound, 1 / np.sqrt(left), np.inf)


def stretch_shapes(rims: Rims) -> Array:
    """(K, 24) of an image whose rows lie closer than is stated: 1 is a ratio of 1 + 2/R per mm."""
    return np.asarray(rims.radius_mm[:, None] * np.cos(2 * rims.turn) / 2)


def dent_shapes(rims: Rims, low_deg: Array, extent_deg: Array) -> Array:
    """(K, 24) of a dome that has sunk by 1 mm in the middle of an arc, smoothly towards its ends.

    Parameters
    ----------
    low_deg, extent_deg
        (K,) where the arcs begin, from +u towards +v, and how far they reach; NaN without an arc.
    """
    with np.errstate(all="ignore"):
        share = ((np.degrees(rims.turn) - low_deg[:, None]) % 360.0) / extent_deg[:, None]
        within = (share > 0) & (share < 1)
        return np.where(within, -(np.sin(np.pi * share) ** 2), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class NeckRun:
    """The run of 1 to 3 marks at an end of each rim that lies worst to the others' circle.

    Attributes
    ----------
    p_value
        (K,) chance of a run so far away, of six that were tried.
    away_mm
        (K,) its mean distance from the circle of the others; positive outside.
    """

    p_value: Array
    away_mm: Array


def neck_runs(rims: Rims) -> NeckRun:
    """Hold 1 to 3 marks at either end of each rim against the circle of the others.

    F test of k more parameters; the circle of the others is the first step of its fit.
    """
    from scipy.special import fdtrc

    size = len(rims.view)
    best, away = np.ones(size), np.zeros(size)
    shift, place = rims.shift, np.arange(ROOM)
    whole = (rims.there * _without(shift, rims.gap, rims.there) ** 2).sum(axis=1)
    for dropped in range(1, _MOST_DROPPED + 1):
        for first in (place < dropped, place >= rims.count[:, None] - dropped):
            out = np.broadcast_to(first, rims.there.shape) * rims.there
            kept = rims.there - out
            moved = _without(shift, rims.gap, kept)
            left = (kept * moved**2).sum(axis=1)
            freedom = np.maximum(rims.count - 3 - dropped, 1)
            with np.errstate(all="ignore"):
                floor = np.maximum(left / freedom, (_LEAST_SD_MM * rims.unit_mm) ** 2)
                ratio = np.maximum(whole - left, 0.0) / dropped / floor
                found = np.minimum(1.0, 6 * fdtrc(dropped, freedom, ratio))
            found = np.where(rims.count - dropped >= 6, found, 1.0)
            mean = (out * moved).sum(axis=1) / dropped
            better = found < best
            best, away = np.where(better, found, best), np.where(better, mean, away)
    return NeckRun(best, away)


def _without(shift: Array, gap: Array, kept: Array) -> Array:
    """(K, 24) residuals of all marks about the circle of those that are kept."""
    weighted = shift * kept[:, :, None]
    normal = weighted.transpose(0, 2, 1) @ shift + 1e-9 * np.eye(3)
    right = (weighted.transpose(0, 2, 1) @ gap[:, :, None])[:, :, 0]
    moved = np.linalg.solve(normal, right[:, :, None])
    left = gap - (shift @ moved)[:, :, 0]
    return np.asarray(left * (shift[:, :, 2] > 0))


def radius_shifts(rims: Rims) -> tuple[Array, Array]:
    """(K,) by how much each rim's own radius is larger than the circle's, and its error, mm.

    Where a radius was known beforehand, the circle is not the rim's alone.
    """
    found = rims.reduced.information
    information = found[:, :3, :3] + 1e-12 * np.eye(3)
    moved = np.linalg.solve(information, found[:, :3, 3:])
    variance = np.asarray(np.linalg.inv(information), np.float64)[:, 2, 2]
    return np.asarray(moved[:, 2, 0], np.float64), np.asarray(np.sqrt(variance), np.float64)
