"""The least-median circle of a rim: which circle most of its marks lie on, whatever the others say.

Thousands of rims are looked at together. There are hundreds of circles through three marks of a
rim, and nearly all can be passed over by a bound.
"""

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["far_from_least_median", "triples_of"]

Array = NDArray[np.float64]


def far_from_least_median(points: Array, limit_mm: float) -> tuple[NDArray[np.intp], Array]:
    """Which of (2, N, K) rims have a mark too far from their least-median circle.

    The least-median circle is that of the circles through three marks with the least median
    distance, the first of several. Where every circle with so far a mark has a median above that
    of some other circle, it is none of them: the rim is told without finding it. Only circles that
    can be the least are looked at in full.

    Parameters
    ----------
    points
        The marks, plane mm.
    limit_mm
        A mark farther away than this is too far.

    Returns
    -------
    tuple
        (P,) places of the rims, growing, and (P, N) distances of their marks, mm.

    Examples
    --------
    >>> turn = np.radians(np.arange(0.0, 240.0, 30.0))
    >>> radius = 24.0 + 3.0 * (np.arange(8) == 4)
    >>> rim = np.array((radius * np.cos(turn), radius * np.sin(turn)))[:, :, None]
    >>> places, gaps = far_from_least_median(rim, 1.5)
    >>> places.tolist(), gaps.round(6).tolist()
    ([0], [[0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0]])
    """
    with np.errstate(all="ignore"):  # marks on a straight line make no circle
        return _far_from_least_median(points, limit_mm)


def _far_from_least_median(points: Array, limit_mm: float) -> tuple[NDArray[np.intp], Array]:
    count = points.shape[1]
    triples = triples_of(count)
    circles = _circles_of_three(points, triples)
    wide = _wide_triples(count)
    rows = np.ascontiguousarray(points.transpose(0, 2, 1))
    bound = _least_of_some(rows, triples[:, wide], *(part[wide] for part in circles))
    near, wild = _can_be_least(points, circles, bound, limit_mm)
    rim, triple = np.nonzero(wild)
    gaps = _gaps(rows, triples, circles, rim, triple)
    rims = np.unique(rim[(gaps > limit_mm).any(axis=1) & (_medians(gaps) <= bound[rim])])
    if not len(rims):
        return rims, np.zeros((0, count))
    place, triple = np.nonzero(near[rims])
    gaps = _gaps(rows, triples, circles, rims[place], triple)
    medians = _medians(gaps)
    first = np.searchsorted(place, np.arange(len(rims)))
    least = np.minimum.reduceat(medians, first)
    best = np.flatnonzero(medians == least[place])
    chosen = gaps[best[np.unique(place[best], return_index=True)[1]]]
    far = (chosen > limit_mm).any(axis=1)
    return rims[far], chosen[far]


def _circles_of_three(points: Array, triples: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """(T, K) centres, seen from the first mark, and radii of the circles through each three marks.

    NaN for a straight line. Worked out in place: memory is what this waits for.
    """
    first, second, third = triples
    (u1, across_u, along_u), (v1, across_v, along_v) = (
        (part[first], part[second], part[third]) for part in points
    )
    for part, start in ((across_u, u1), (along_u, u1), (across_v, v1), (along_v, v1)):
        part -= start
    area, other = across_u * along_v, np.multiply(across_v, along_u, out=u1)
    area -= other
    area *= 2
    area[np.abs(area, out=other) <= 1e-9] = np.nan
    square = _squared(across_u, across_v, v1)
    other = _squared(along_u, along_v, u1)
    offset_u, offset_v = along_v, across_u
    along_u *= square
    across_v *= other
    offset_u *= square
    offset_u -= across_v
    offset_u /= area
    offset_v *= other
    offset_v -= along_u
    offset_v /= area
    radius = _squared(offset_u, offset_v, square)
    return offset_u, offset_v, np.sqrt(radius, out=radius)


def _squared(u: Array, v: Array, out: Array) -> Array:
    """u² + v², in an array that is at hand."""
    np.multiply(u, u, out=out)
    out += v * v
    return out


def _least_of_some(
    rows: Array, triples: NDArray[np.intp], u: Array, v: Array, radius: Array
) -> Array:
    """(K,) least median distance of the marks of (2, K, N) rims from some of their circles."""
    marks = rows[:, None]
    start = rows[:, :, triples[0]].transpose(0, 2, 1)
    du = marks[0] - (start[0] + u)[:, :, None]
    dv = marks[1] - (start[1] + v)[:, :, None]
    gaps = np.abs(np.sqrt(du * du + dv * dv) - radius[:, :, None])
    least = np.fmin.reduce(_medians(gaps.reshape(-1, rows.shape[2])).reshape(u.shape), axis=0)
    return np.asarray(np.where(np.isnan(least), np.inf, least))


def _can_be_least(
    points: Array, circles: tuple[Array, Array, Array], bound: Array, limit_mm: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(K, T) circles whose median distance may be the bound or less; those with a far mark too.

    A mark is surely farther than m from a circle where its power, d² - r², is beyond m (2r + m)
    either way; with more than half of the marks so far, the median is beyond m too. A mark more
    than L off has a power of L (2r - L) or more, either way.

    The power is |p|² - 2 p·c + 2 a·c - |a|² with the circle's first mark a. Single precision will
    do, with room for its rounding: as |c| <= reach + r, the parts are 6 reach (reach + r) in all.
    """
    (offset_u, offset_v, radius), first = circles, triples_of(points.shape[1])[0]
    x, y = (part - part.mean(axis=0) for part in points)
    square = x * x + y * y
    reach = np.sqrt(square.max(axis=0))
    left = np.stack((square, -2 * x, -2 * y, np.ones_like(x)), axis=-1, dtype=np.float32)
    right = np.ones((points.shape[2], 4, len(first)), np.float32)
    x, y = x[first], y[first]
    u, v = x + offset_u, y + offset_v
    right[:, 1], right[:, 2] = u.T, v.T
    x *= u
    y *= v
    x += y
    x *= 2
    x -= square[first]
    right[:, 3] = x.T
    power = np.matmul(np.ascontiguousarray(left.transpose(1, 0, 2)), right)
    np.abs(power, out=power)
    size, slack = radius.T.astype(np.float32), 1.6e-5 * reach
    limit = _line(size, 2.00001 * bound + slack, 1.00001 * bound * bound + slack * reach)
    far = _line(size, 1.99999 * limit_mm - slack, -(limit_mm**2) - slack * reach)
    within = (power <= limit[:, None]).view(np.uint8)
    kind = np.uint8 if len(points[0]) < 256 else np.uint16
    number = np.add.reduce(within, axis=1, dtype=kind)
    near = number >= (len(points[0]) + 1) // 2
    return near, near & (np.maximum.reduce(power, axis=1) >= far)


def _line(size: NDArray[np.float32], slope: Array, start: Array) -> NDArray[np.float32]:
    """(K, T) slope times size plus start, in single precision."""
    found = size * slope.astype(np.float32)[:, None]
    found += start.astype(np.float32)[:, None]
    return found


def _gaps(
    rows: Array,
    triples: NDArray[np.intp],
    circles: tuple[Array, Array, Array],
    rim: NDArray[np.intp],
    triple: NDArray[np.intp],
) -> Array:
    """(S, N) distances of the marks of (2, K, N) rims from some of their circles."""
    offset_u, offset_v, radius = (part[triple, rim] for part in circles)
    start, (u, v) = triples[0, triple], rows[:, rim]
    place = np.arange(len(rim))
    u -= (u[place, start] + offset_u)[:, None]
    v -= (v[place, start] + offset_v)[:, None]
    u *= u
    v *= v
    u += v
    np.sqrt(u, out=u)
    u -= radius[:, None]
    return np.asarray(np.abs(u, out=u))


def _medians(gaps: Array) -> Array:
    """(S,) medians of (S, N) distances."""
    count = gaps.shape[1]
    middle = [count // 2] if count % 2 else [count // 2 - 1, count // 2]
    ordered = np.partition(gaps, middle, axis=1)
    if count % 2:
        return ordered[:, middle[0]]
    return np.asarray((ordered[:, middle[0]] + ordered[:, middle[1]]) / 2)


@cache
def triples_of(count: int) -> NDArray[np.intp]:
    """(3, T) every three of some marks.

    Examples
    --------
    >>> triples_of(4).T.tolist()
    [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    """
    return np.array(list(combinations(range(count), 3))).T


@cache
def _wide_triples(count: int) -> NDArray[np.intp]:
    """Places of the sixteen triples whose marks lie farthest apart in the order of the rim."""
    first, second, third = triples_of(count)
    apart = (second - first) * (third - second) * (count - third + first)
    return np.argsort(-apart, kind="stable")[:16]
