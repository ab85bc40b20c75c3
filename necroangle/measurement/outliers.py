"""Rim marks that do not lie where the others say: of one rim, or of thousands at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import RimError
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.geometry.rims import RimCircles, fit_rims
from necroangle.measurement.least_median import far_from_least_median, triples_of

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

_CELLS_AT_ONCE = 1 << 18


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
        step = max(1, _CELLS_AT_ONCE // (count * len(triples_of(count)[0])))
        for first in range(0, len(rims), step):
            some = rims[first : first + step]
            places, gaps = far_from_least_median(block.points[:, :count, some], MISPLACED_MM)
            for place, far in zip(places.tolist(), gaps, strict=True):
                worst = np.argsort(-far, kind="stable")[: count // 4].tolist()
                found[int(some[place])] = [mark for mark in worst if far[mark] > MISPLACED_MM]
    return found


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
