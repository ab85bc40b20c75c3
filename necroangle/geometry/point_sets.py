"""Sets of points of different lengths, side by side in one array: what the circle fits work on.

Every operation is elementwise over the sets and every sum runs over a set's points in their order,
so a set gives the same bits alone and among others.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_SETS_AT_ONCE = 1024
_CELLS_AT_ONCE = 1 << 16
"""What fits a processor's cache; and one long contour makes no thousand others as long."""


@dataclass(frozen=True, slots=True, eq=False)
class PointSets:
    """K sets of points.

    Attributes
    ----------
    points
        (D, N, K) coordinates in mm; a set's points stand first, 0 follows.
    count
        (K,) number of points of each set.
    keep
        (N, K) 1 for a point, 0 where there is none.
    """

    points: Array
    count: Array
    keep: Array

    @classmethod
    def alike(cls, points: Array) -> "PointSets":
        """Sets of as many points: (D, N, K) as they are."""
        _, number, size = points.shape
        return cls(points, np.full(size, float(number)), np.ones((number, size)))

    @classmethod
    def of_runs(cls, points: Array, start: Places, count: Places) -> "PointSets":
        """Sets that stand as runs in (D, M) points.

        Examples
        --------
        >>> marks = np.arange(5.0)[None]
        >>> sets = PointSets.of_runs(marks, np.array([0, 3]), np.array([3, 2]))
        >>> sets.points[0].T.tolist()
        [[0.0, 1.0, 2.0], [3.0, 4.0, 0.0]]
        """
        longest = int(count.max(initial=0))
        keep = np.arange(longest)[:, None] < count
        places = np.where(keep, start + np.arange(longest)[:, None], 0)
        weight = keep.astype(float)
        if not points.shape[1]:
            return cls(np.zeros((len(points), longest, len(count))), count.astype(float), weight)
        return cls(points[:, places] * weight, count.astype(float), weight)

    @classmethod
    def chosen(cls, points: Array, chosen: NDArray[np.bool_]) -> "PointSets":
        """The chosen of (D, N, K) points, in their order.

        Examples
        --------
        >>> marks = np.arange(6.0).reshape(2, 3, 1)
        >>> sets = PointSets.chosen(marks, np.array([[False], [True], [True]]))
        >>> sets.points[:, :, 0].tolist(), sets.count.tolist()
        ([[1.0, 2.0, 0.0], [4.0, 5.0, 0.0]], [2.0])
        """
        order = np.argsort(~chosen, axis=0, kind="stable")
        number = chosen.sum(axis=0)
        keep = (np.arange(len(chosen))[:, None] < number).astype(float)
        moved = np.take_along_axis(points, order[None], axis=1) * keep
        return cls(moved, number.astype(float), keep)

    @property
    def size(self) -> int:
        """Number of sets."""
        return len(self.count)

    def of(self, place: int) -> Array:
        """(N, D) the points of one set."""
        return self.points[:, : int(self.count[place]), place].T

    def some(self, chosen: Places) -> "PointSets":
        """Some of the sets, cut to the longest of them."""
        longest = int(self.count[chosen].max(initial=0))
        return PointSets(
            np.ascontiguousarray(self.points[:, :longest, chosen]),
            self.count[chosen],
            np.ascontiguousarray(self.keep[:longest, chosen]),
        )

    def masked(self, terms: Array) -> Array:
        """(N, K) terms, 0 where there is no point."""
        return terms * self.keep

    def sum(self, terms: Array) -> Array:
        """(K,) sums of (N, K) terms over the points of each set."""
        return ordered_sum(terms * self.keep)


def ordered_sum(terms: Array) -> Array:
    """Sum of (N, K) terms over their first axis, one after the other, whatever K is.

    Examples
    --------
    >>> many = np.geomspace(1e-9, 1e9, 40).reshape(20, 2)
    >>> bool(ordered_sum(many)[0] == ordered_sum(many[:, :1])[0])
    True
    """
    if terms.shape[1] == 1:  # numpy sums one long column pairwise, but accumulates it in order
        return np.asarray(np.add.accumulate(terms, axis=0)[-1])
    return np.asarray(np.add.reduce(np.ascontiguousarray(terms), axis=0))


def parts_of(count: Array | Places) -> Iterator[Places]:
    """Places of sets in parts of alike lengths, growing; empty sets are in none.

    Examples
    --------
    >>> [part.tolist() for part in parts_of(np.array([3, 0, 5, 40_000, 2]))]
    [[4, 0, 2], [3]]
    """
    order = np.argsort(count, kind="stable")
    order = order[count[order] > 0]
    lengths = count[order].astype(int).tolist()
    first = 0
    for last, length in enumerate(lengths):
        if last - first >= _SETS_AT_ONCE or (last - first) * length > _CELLS_AT_ONCE:
            yield order[first:last]
            first = last
    if first < len(order):
        yield order[first:]


def runs(start: Places, count: Places) -> Places:
    """The places of some runs, one run after the other.

    Examples
    --------
    >>> runs(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    last = np.cumsum(count)
    return np.asarray(np.arange(int(count.sum())) + np.repeat(start - (last - count), count))
