"""Rim marks that do not lie where the others say: of one rim, or of thousands at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.geometry.rims import RimCircles, fit_rims

__all__ = ["MISPLACED_MM", "RimBlock", "gives_circle", "misplaced_in_block"]

Array = NDArray[np.float64]

MISPLACED_MM = 1.5
"""A mark nearer than this to the circle of the others is never called misplaced."""

MISPLACED_LEVEL = 0.01
"""Chance of calling any mark of a faultless rim misplaced (Bonferroni over its marks)."""

_LEAST_MARKS = 6
_LEAST_SPAN_DEG = 60.0
_SURE_ROUNDNESS = 1e-8
"""Product of the principal spreads, of sum 1, above which marks are far from a straight line."""

_CELLS_AT_ONCE = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class RimBlock:
    """The marks of K rims.

    Attributes
    ----------
    points
        (2, N, K) plane mm; a rim's marks stand first, 0 follows.
    count
        (K,) number of marks of each rim.
    keep
        (N, K) 1 for a mark, 0 where there is none.
    """

    points: Array
    count: Array
    keep: Array

    @classmethod
    def of(cls, points: Array, chosen: NDArray[np.bool_]) -> "RimBlock":
        """The chosen marks of (2, N, K) points, in their order.

        Examples
        --------
        >>> marks = np.arange(6.0).reshape(2, 3, 1)
        >>> block = RimBlock.of(marks, np.array([[False], [True], [True]]))
        >>> block.points[:, :, 0].tolist(), block.count.tolist()
        ([[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]], [2.0])
        """
        order = np.argsort(~chosen, axis=0, kind="stable")
        number = chosen.sum(axis=0)
        keep = (np.arange(len(chosen))[:, None] < number).astype(float)
        moved = np.take_along_axis(points, order[None], axis=1) * keep
        return cls(moved, number.astype(float), keep)

    @property
    def size(self) -> int:
        """Number of rims."""
        return len(self.count)

    def rims(self, chosen: NDArray[np.intp]) -> "RimBlock":
        """Some of the rims, cut to the longest of them."""
        longest = int(self.count[chosen].max(initial=0))
        return RimBlock(
            np.ascontiguousarray(self.points[:, :longest, chosen]),
            self.count[chosen],
            np.ascontiguousarray(self.keep[:longest, chosen]),
        )

    def fit(self) -> RimCircles:
        """The circles of the rims."""
        return fit_rims(self.points, self.count, self.keep)

    def surely_round(self) -> NDArray[np.bool_]:
        """(K,) whether the marks surely lie in 3 places and on no straight line.

        With 1000 marks or fewer, where the product of their principal spreads passes 1e-8, the
        ratio of the spreads of the different places passes 1e-6, the limit of a straight line.
        """
        with np.errstate(all="ignore"):
            x, y = (part - part.sum(axis=0) / self.count for part in self.points)
            x, y = x * self.keep, y * self.keep
            xx, yy, xy = (x * x).sum(axis=0), (y * y).sum(axis=0), (x * y).sum(axis=0)
            product = (xx * yy - xy * xy) / ((xx + yy) * (xx + yy))
        return np.asarray((product > _SURE_ROUNDNESS) & (self.count <= 1000))


def misplaced_in_block(block: RimBlock) -> dict[int, tuple[tuple[int, float], ...]]:
    """The misplaced marks of each rim that has any: by rim, (mark, signed distance in mm).

    See :func:`necroangle.measurement.head.misplaced_marks`.
    """
    pending = _suspects(block)
    named: dict[int, tuple[tuple[int, float], ...]] = {}
    while pending:
        left = {}
        for rim, (distances, outlying) in _against_others(block, pending):
            suspects = pending[rim]
            least = int(np.argmin(outlying))
            if outlying[least] > 1.0:
                named[rim] = tuple(sorted(zip(suspects, distances, strict=True)))
            elif len(suspects) > 1:
                left[rim] = suspects[:least] + suspects[least + 1 :]
        pending = left
    return named


def _suspects(block: RimBlock) -> dict[int, list[int]]:
    """Marks more than 1.5 mm from the least-median circle, at most a quarter, the worst ones."""
    found: dict[int, list[int]] = {}
    for count in np.unique(block.count).astype(int).tolist():
        if count < _LEAST_MARKS:
            continue
        rims = np.flatnonzero(block.count == count)
        step = max(1, _CELLS_AT_ONCE // (count * len(_triples(count)[0])))
        for first in range(0, len(rims), step):
            some = rims[first : first + step]
            with np.errstate(all="ignore"):  # marks on a straight line make no circle
                gaps = _least_median_gaps(block.points[:, :count, some])
            far = np.flatnonzero((gaps > MISPLACED_MM).any(axis=0)).tolist()
            for place in far:
                worst = np.argsort(-gaps[:, place], kind="stable")[: count // 4].tolist()
                found[int(some[place])] = [
                    mark for mark in worst if gaps[mark, place] > MISPLACED_MM
                ]
    return found


def _least_median_gaps(points: Array) -> Array:
    """(N, K) distances of the marks of (2, N, K) rims from their least-median circle, mm.

    Of circles through three marks the one with the least median distance, the first of several;
    0 where no three marks make a circle. Only those that can be the least are looked at in full.
    """
    marks, count, size = points, points.shape[1], points.shape[2]
    circles = _circles_of_three(points, _triples(count))
    wide = _wide_triples(count)
    bound = np.fmin.reduce(_medians(marks, *(part[wide] for part in circles)), axis=0)
    triple, rim = _can_be_least(marks, circles, bound)
    gaps = np.zeros((count, size))
    if not len(rim):
        return gaps
    u, v, radius = (part[triple, rim] for part in circles)
    near = _gaps(marks[:, :, rim], u, v, radius)
    medians = _median_of(near)
    rims, first = np.unique(rim, return_index=True)
    least = np.minimum.reduceat(medians, first)
    best = np.flatnonzero(medians == np.repeat(least, np.diff(np.append(first, len(rim)))))
    chosen = best[np.unique(rim[best], return_index=True)[1]]
    gaps[:, rims] = near[:, chosen]
    return gaps


def _can_be_least(
    points: Array, circles: tuple[Array, Array, Array], bound: Array
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Triples and rims whose circle may have a median distance of the bound or less, by rim.

    A mark is surely farther than m from a circle where its power, d² - r², is beyond m (2r + m)
    either way; with more than half of the marks so far, the median is beyond m too. Single
    precision will do, with room for its rounding.
    """
    middle = points.mean(axis=1)
    x, y = (part - at for part, at in zip(points, middle, strict=True))
    u, v, radius = circles[0] - middle[0], circles[1] - middle[1], circles[2]
    square, length = u * u + v * v, np.sqrt(u * u + v * v)
    rest = square - radius * radius
    reach = np.sqrt((x * x + y * y).max(axis=0))
    room = 4e-6 * (reach * reach + 2 * reach * length + np.abs(rest))
    limit = bound * (2 * radius + bound) * 1.000001 + room
    ones = np.ones_like
    left = np.array((x * x + y * y, x, y, ones(x)), np.float32).transpose(2, 1, 0)
    right = np.array((ones(u), -2 * u, -2 * v, rest), np.float32).transpose(2, 0, 1)
    power = np.matmul(np.ascontiguousarray(left), np.ascontiguousarray(right))
    far = np.abs(power, out=power) > limit.T.astype(np.float32)[:, None]
    number = np.add.reduce(far.view(np.uint8), axis=1, dtype=np.uint16)
    rim, triple = np.nonzero((number <= points.shape[1] // 2) & np.isfinite(radius.T))
    return triple, rim


@cache
def _triples(count: int) -> NDArray[np.intp]:
    """(3, T) every three of some marks."""
    return np.array(list(combinations(range(count), 3))).T


@cache
def _wide_triples(count: int) -> NDArray[np.intp]:
    """Places of the sixteen triples whose marks lie farthest apart in the order of the rim."""
    first, second, third = _triples(count)
    apart = (second - first) * (third - second) * (count - third + first)
    return np.argsort(-apart, kind="stable")[:16]


def _circles_of_three(points: Array, triples: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """(T, K) centres and radii of the circles through each three marks; NaN for a straight line."""
    (u1, u2, u3), (v1, v2, v3) = (part[triples] for part in points)
    across_u, across_v, along_u, along_v = u2 - u1, v2 - v1, u3 - u1, v3 - v1
    area = 2 * (across_u * along_v - across_v * along_u)
    area[np.abs(area) <= 1e-9] = np.nan
    square = across_u * across_u + across_v * across_v
    other = along_u * along_u + along_v * along_v
    offset_u = (along_v * square - across_v * other) / area
    offset_v = (across_u * other - along_u * square) / area
    radius = np.sqrt(offset_u * offset_u + offset_v * offset_v)
    return u1 + offset_u, v1 + offset_v, radius


def _gaps(points: Array, u: Array, v: Array, radius: Array) -> Array:
    """(N, S) distances of (2, N, S) marks from (S,) circles."""
    du, dv = points[0] - u, points[1] - v
    return np.asarray(np.abs(np.sqrt(du * du + dv * dv) - radius))


def _medians(points: Array, u: Array, v: Array, radius: Array) -> Array:
    """(T, K) median distances of the marks of (2, N, K) rims from (T, K) circles."""
    some = len(u)
    marks = np.broadcast_to(points[:, :, None], (2, points.shape[1], some, points.shape[2]))
    gaps = _gaps(marks.reshape(2, points.shape[1], -1), u.ravel(), v.ravel(), radius.ravel())
    return _median_of(gaps).reshape(u.shape)


def _median_of(gaps: Array) -> Array:
    """(S,) medians of (N, S) distances."""
    count = len(gaps)
    middle = [count // 2] if count % 2 else [count // 2 - 1, count // 2]
    ordered = np.partition(np.ascontiguousarray(gaps.T), middle, axis=1)
    if count % 2:
        return ordered[:, middle[0]]
    return np.asarray((ordered[:, middle[0]] + ordered[:, middle[1]]) / 2)


def _against_others(
    block: RimBlock, pending: dict[int, list[int]]
) -> Iterator[tuple[int, tuple[list[float], list[float]]]]:
    """By rim: distances of the suspects from the circle of the others, and by how much beyond.

    The second is 1 where a suspect just reaches both limits: 1.5 mm and the t quantile. Both are 0
    where the others give no circle.
    """
    rims = np.array(list(pending))
    number = [len(suspects) for suspects in pending.values()]
    mark = np.array([one for suspects in pending.values() for one in suspects])
    place = np.repeat(np.arange(len(rims)), number)
    chosen = block.keep[:, rims] > 0
    chosen[mark, place] = False
    others = RimBlock.of(block.points[:, :, rims], chosen)
    found = others.fit()
    with np.errstate(all="ignore"):
        distances, leverage = _distances(block.points[:, mark, rims[place]], found, place)
        freedom = np.maximum(others.count - 3, 1)
        quantiles = map(_quantile, freedom.tolist(), block.count[rims].tolist())
        variance = np.maximum(found.rss_mm2 / freedom, 1e-18)
        scatter = np.sqrt(variance[place] * (1.0 + leverage))
        limit = np.maximum(np.array(list(quantiles))[place] * scatter, MISPLACED_MM)
        outlying = np.abs(distances) / limit
    fits = gives_circle(others, found)[place]
    both = np.where(fits, distances, 0.0), np.where(fits, outlying, 0.0)
    last = np.cumsum(number).tolist()
    for rim, start, end in zip(pending, [0, *last], last, strict=False):
        yield rim, (both[0][start:end].tolist(), both[1][start:end].tolist())


def gives_circle(block: RimBlock, found: RimCircles) -> NDArray[np.bool_]:
    """(K,) whether each rim gives a circle by itself: as :func:`fit_circle` judges."""
    good = found.holds & ~(found.span_deg < _LEAST_SPAN_DEG)
    for rim in np.flatnonzero(good & ~block.surely_round()).tolist():
        try:
            fit_circle(PlanePoints(block.points[:, : int(block.count[rim]), rim].T))
        except RimError:
            good[rim] = False
    return good


def _distances(marks: Array, found: RimCircles, place: NDArray[np.intp]) -> tuple[Array, Array]:
    """(S,) signed distances of (2, S) marks from circles, mm, and their leverages."""
    uu, uv, ur, vv, vr, rr = (part[place] for part in found.covariance)
    du, dv = marks - found.centre_mm[:, place]
    length = np.sqrt(du * du + dv * dv)
    c, s = du / length, dv / length
    leverage = uu * c * c + vv * s * s + rr + 2 * (uv * c * s + ur * c + vr * s)
    return length - found.radius_mm[place], leverage


@cache
def _quantile(freedom: float, count: float) -> float:
    """The t quantile beyond which a mark stands out by more than chance."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1.0 - MISPLACED_LEVEL / (2 * count)))
