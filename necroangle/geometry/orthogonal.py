"""The orthogonal-distance fit of circles and spheres: one solver for one rim and for thousands.

With r_i = |p_i - c|, u_i = (p_i - c) / r_i and R = mean(r), the radius is eliminated and each
Levenberg-Marquardt step s on the centre solves

    [sum (u - ū)(u - ū)ᵀ + λI] s = sum (u - ū)(r - r̄).

A radius known beforehand, R0 with weight w = (click noise / its own error)², adds one residual,
sqrt(n w / (n + w)) (r̄ - R0): what is left of w (R - R0)² once R is eliminated.

Points are (D, N, K), coordinate, mark, rim: :mod:`necroangle.geometry.point_sets`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.point_sets import PointSets, ordered_sum

Array = NDArray[np.float64]

_MAX_STEPS = 100
_FLAT = 1e-10
_CONVERGED = 1e-12
_ROUNDING, _TINY = 1.0 + 1e-12, 1e-24
"""At the minimum the sum of squares grows by its own rounding: that is no worse step."""


@dataclass(frozen=True, slots=True)
class WeightedRadius:
    """A radius known beforehand, in the units of the points.

    Attributes
    ----------
    radius
        The radius.
    weight
        Its weight beside one rim mark: variance of a mark over variance of this radius.
    """

    radius: float
    weight: float


def lengths(offsets: Array) -> Array:
    """(N, K) lengths of (D, N, K) offsets."""
    square = offsets[0] * offsets[0]
    for part in offsets[1:]:
        square = square + part * part
    return np.asarray(np.sqrt(square))


def solved(matrix: dict[tuple[int, int], Array], right: list[Array]) -> tuple[list[Array], Array]:
    """Solve K symmetric systems of 2 or 3 unknowns by cofactors; the solution and the determinant.

    Parameters
    ----------
    matrix
        (K,) entries by (row, column), row <= column.
    right
        (K,) right-hand sides.

    Examples
    --------
    >>> one = np.ones(1)
    >>> found, _ = solved({(0, 0): 2 * one, (0, 1): 0 * one, (1, 1): 4 * one}, [one, one])
    >>> [part.tolist() for part in found]
    [[0.5], [0.25]]
    """
    a, b = matrix[0, 0], matrix[0, 1]
    if len(right) == 2:
        d, (p, q) = matrix[1, 1], right
        det = a * d - b * b
        return [(d * p - b * q) / det, (a * q - b * p) / det], det
    e, d, f, g = matrix[0, 2], matrix[1, 1], matrix[1, 2], matrix[2, 2]
    c00, c01, c02 = d * g - f * f, e * f - b * g, b * f - d * e
    c11, c12, c22 = a * g - e * e, b * e - a * f, a * d - b * b
    det = a * c00 + b * c01 + e * c02
    p, q, r = right
    return [
        (c00 * p + c01 * q + c02 * r) / det,
        (c01 * p + c11 * q + c12 * r) / det,
        (c02 * p + c12 * q + c22 * r) / det,
    ], det


@dataclass(slots=True, eq=False)
class _State:
    """Where each rim's search stands, with the sums that its next step needs."""

    centre: Array
    objective: Array
    normal: dict[tuple[int, int], Array]
    pull: list[Array]

    def step(self, damping: Array) -> Array:
        size = len(self.pull)
        damped = {at: one + damping if at[0] == at[1] else one for at, one in self.normal.items()}
        assert len(damped) == size * (size + 1) // 2  # noqa: S101
        return np.array(solved(damped, self.pull)[0])

    def take(self, other: "_State", chosen: NDArray[np.bool_]) -> None:
        self.centre = np.where(chosen, other.centre, self.centre)
        self.objective = np.where(chosen, other.objective, self.objective)
        for at, theirs in other.normal.items():
            self.normal[at] = np.where(chosen, theirs, self.normal[at])
        self.pull = [
            np.where(chosen, new, old) for new, old in zip(other.pull, self.pull, strict=True)
        ]

    def of(self, chosen: NDArray[np.bool_]) -> "_State":
        return _State(
            self.centre[:, chosen],
            self.objective[chosen],
            {at: one[chosen] for at, one in self.normal.items()},
            [one[chosen] for one in self.pull],
        )


@dataclass(slots=True, eq=False)
class _Rims:
    """Points, and the radii known beforehand with their weight."""

    points: Array
    keep: Array
    count: Array
    known: Array | None
    weight: float

    def of(self, chosen: NDArray[np.bool_]) -> "_Rims":
        known = None if self.known is None else self.known[chosen]
        points, keep = self.points[:, :, chosen], self.keep[:, chosen]
        return _Rims(points, keep, self.count[chosen], known, self.weight)

    def masked(self, terms: Array) -> Array:
        return terms * self.keep

    def at(self, centre: Array) -> _State:
        """The state of the search at (D, K) centres."""
        count = self.count
        offsets = self.points - centre[:, None]
        distance = np.maximum(lengths(offsets), _FLAT)
        mean = ordered_sum(self.masked(distance)) / count
        directions = [part / distance for part in offsets]
        means = [ordered_sum(self.masked(part)) / count for part in directions]
        gaps = self.masked(distance - mean)
        arms = [self.masked(part - one) for part, one in zip(directions, means, strict=True)]
        objective = ordered_sum(gaps * gaps)
        places = [(i, j) for i in range(len(arms)) for j in range(i, len(arms))]
        normal = {(i, j): ordered_sum(arms[i] * arms[j]) for i, j in places}
        pull = [ordered_sum(arm * gaps) for arm in arms]
        if self.known is not None:
            share = count * self.weight / (count + self.weight)
            off = mean - self.known
            objective = objective + share * off * off
            normal = {(i, j): normal[i, j] + share * means[i] * means[j] for i, j in places}
            pull = [one + share * off * mean for one, mean in zip(pull, means, strict=True)]
        return _State(centre, objective, normal, pull)


def geometric_centres(
    sets: PointSets, start: Array, known: tuple[Array, float] | None = None
) -> Array:
    """(D, K) centres of the least-squares circles or spheres of K rims.

    Parameters
    ----------
    sets
        The marks of each about the origin, of mean square 1.
    start
        (D, K) where each search begins.
    known
        (K,) radii known beforehand, and their weight beside one mark; or None.

    Examples
    --------
    >>> turn = np.radians(np.arange(0.0, 220.0, 20.0))
    >>> rim = np.array((np.cos(turn) + 0.2, np.sin(turn) + 0.1))[:, :, None]
    >>> centre = geometric_centres(PointSets.alike(rim), np.zeros((2, 1)))
    >>> centre[:, 0].round(9).tolist()
    [0.2, 0.1]
    """
    rims = _Rims(sets.points, sets.keep, sets.count, *(known or (None, 0.0)))
    found = start.copy()
    rows = np.arange(start.shape[1])
    damping = np.full(len(rows), 1e-4)
    with np.errstate(all="ignore"):  # a step that is no number is not taken
        state = rims.at(found)
        for _ in range(_MAX_STEPS):
            step = state.step(damping)
            moved = rims.at(state.centre + step)
            better = moved.objective <= _ROUNDING * state.objective + _TINY
            state.take(moved, better)
            damping = np.where(better, np.maximum(damping * 0.1, 1e-15), damping * 10.0)
            arrived = lengths(step[:, None])[0] < _CONVERGED * (
                1.0 + lengths(state.centre[:, None])[0]
            )
            open_ = np.where(better, ~arrived, damping <= 1e8)
            if not open_.all():
                found[:, rows] = state.centre
                rows, damping = rows[open_], damping[open_]
                if not len(rows):
                    return found
                rims, state = rims.of(open_), state.of(open_)
    found[:, rows] = state.centre
    return found
