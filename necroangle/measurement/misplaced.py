"""Rim marks that do not lie where the others say: of one rim, or of thousands at once.

The circle through three marks that leaves the least median distance, which several misplaced marks
cannot bend, tells the suspects. Up to 24 marks every three are tried, and the suspects are cleared
again one by one. Of a longer rim, such as an automatic contour, the work would grow with the fourth
power of its marks; there the rule is another:

- The marks are put in the order of the rim: by direction from their mean, from the widest gap on.
  Of more than 96 of them 96 are taken, evenly spaced: m marks.
- About 500 threes of these are tried, those of a fixed sequence whose marks lie m // 8 places or
  more apart. Suspects are the marks more than 1.5 mm from the least-median circle, the worst
  quarter at most.
- Then, at most four times and until nothing changes: a circle is fitted to the marks that are no
  suspects, and the suspects are those that stand out from it beyond chance and by more than 1.5 mm.

References
----------
P. J. Rousseeuw, J. Am. Stat. Assoc. 79 (1984) 871, doi 10.1080/01621459.1984.10477105.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import PlanePoints
from necroangle.geometry.circle import MIN_RIM_SPAN_DEG, Circles, directions_deg, fit_circles
from necroangle.geometry.point_sets import PointSets, parts_of

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Named = dict[int, tuple[tuple[int, float], ...]]

MISPLACED_MM = 1.5
"""A mark nearer than this to the circle of the others is never called misplaced."""

MISPLACED_LEVEL = 0.01
"""Chance of calling any mark of a faultless rim misplaced (Bonferroni over its marks)."""

_LEAST_MARKS, _EVERY_THREE = 6, 24
_MOST_TRIED, _SEQUENCE, _MOST_ROUNDS = 96, 1000, 4
_PLASTIC = 1.2207440846
"""Root of x⁴ = x + 1: the multiples of its powers fill a cube evenly (Roberts' R3 sequence)."""

_CELLS_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A rim mark that does not lie where the others say.

    Attributes
    ----------
    index
        Which mark of the rim, from 0.
    distance_mm
        Its signed distance from the circle of the other marks: positive outside.
    """

    index: int
    distance_mm: float


def misplaced_marks(rim: PlanePoints) -> tuple[Misplaced, ...]:
    """Name the rim marks that do not lie where the others say.

    Parameters
    ----------
    rim
        (N, 2) plane points, mm; fewer than 6 name nothing, and never more than a quarter is named.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 240, 20))
    >>> rim = 24 * np.column_stack((np.cos(turn), np.sin(turn)))
    >>> rim[4] *= 27 / 24
    >>> [(one.index, round(one.distance_mm, 3)) for one in misplaced_marks(rim)]
    [(4, 3.0)]
    """
    points = np.asarray(rim, float).reshape(-1, 2).T[:, :, None]
    named = misplaced_in_sets(PointSets.alike(np.ascontiguousarray(points)))
    return tuple(Misplaced(index, distance) for index, distance in named.get(0, ()))


def misplaced_in_sets(sets: PointSets) -> Named:
    """The misplaced marks of each rim that has any: by rim, (mark, signed distance in mm)."""
    named: Named = {}
    few: dict[int, list[int]] = {}
    many: dict[int, list[int]] = {}
    for count in np.unique(sets.count).astype(int).tolist():
        if count < _LEAST_MARKS:
            continue
        rims = np.flatnonzero(sets.count == count)
        tried = min(count, _MOST_TRIED) * len(_threes(count)[0])
        step = max(1, _CELLS_AT_ONCE // tried)
        for first in range(0, len(rims), step):
            some = rims[first : first + step]
            found = _suspects(sets.points[:, :count, some])
            (few if count <= _EVERY_THREE else many).update(
                (int(some[place]), suspects) for place, suspects in found
            )
    _clear_one_by_one(sets, few, named)
    _settle(sets, many, named)
    return named


def _suspects(points: Array) -> Iterator[tuple[int, list[int]]]:
    """Marks of (2, N, K) rims more than 1.5 mm from the least-median circle, the worst quarter."""
    count = points.shape[1]
    for place, far in far_from_least_median(points, MISPLACED_MM):
        worst = np.argsort(-far, kind="stable")[: count // 4].tolist()
        yield place, [mark for mark in worst if far[mark] > MISPLACED_MM]


def _clear_one_by_one(sets: PointSets, pending: dict[int, list[int]], named: Named) -> None:
    """Clear suspects, the least outlying first, unless all stand out from the others' circle."""
    while pending:
        left = {}
        for rim, suspects, distances, outlying in _against_others(sets, pending):
            at = np.array(suspects)
            least = int(np.argmin(outlying[at]))
            if outlying[at[least]] > 1.0:
                named[rim] = tuple(sorted(zip(suspects, distances[at].tolist(), strict=True)))
            elif len(suspects) > 1:
                left[rim] = suspects[:least] + suspects[least + 1 :]
        pending = left


def _settle(sets: PointSets, pending: dict[int, list[int]], named: Named) -> None:
    """Name the marks that stand out from the circle of those that do not, a few times over."""
    for turn in range(_MOST_ROUNDS):
        left = {}
        for rim, suspects, distances, outlying in _against_others(sets, pending):
            worst = np.argsort(-outlying, kind="stable")[: len(outlying) // 4].tolist()
            found = sorted(mark for mark in worst if outlying[mark] > 1.0)
            if found and (turn == _MOST_ROUNDS - 1 or found == sorted(suspects)):
                named[rim] = tuple(zip(found, distances[found].tolist(), strict=True))
            elif found:
                left[rim] = found
        pending = left


def _against_others(
    sets: PointSets, pending: dict[int, list[int]]
) -> Iterator[tuple[int, list[int], Array, Array]]:
    """Rims with their suspects, and of every mark how it lies to the circle without the suspects.

    Its signed distance in mm, and by how much it is beyond: 1 where it just reaches both limits,
    1.5 mm and the t quantile. Both are 0 where the others give no circle.
    """
    for rims in _rims_at_once(sets, pending):
        block = sets.some(rims)
        chosen = block.keep > 0
        for place, rim in enumerate(rims.tolist()):
            chosen[pending[rim], place] = False
        others = PointSets.chosen(block.points, chosen)
        found = fit_circles(others)
        none = found.faults(others, MIN_RIM_SPAN_DEG)
        with np.errstate(all="ignore"):
            distances, leverage = _distances(block.points, found)
            freedom = np.maximum(others.count - 3, 1)
            quantiles = map(_quantile, freedom.tolist(), block.count.tolist())
            variance = np.maximum(found.rss_mm2 / freedom, 1e-18)
            scatter = np.sqrt(variance * (1.0 + leverage))
            outlying = np.abs(distances) / np.maximum(
                np.array(list(quantiles)) * scatter, MISPLACED_MM
            )
        for place, rim in enumerate(rims.tolist()):
            number = int(block.count[place])
            one, other = distances[:number, place], outlying[:number, place]
            if place in none:
                one, other = np.zeros(number), np.zeros(number)
            yield rim, pending[rim], one, other


def _rims_at_once(sets: PointSets, pending: dict[int, list[int]]) -> Iterator[Places]:
    rims = np.array(list(pending), np.intp)
    for part in parts_of(sets.count[rims]):
        yield rims[part]


def _distances(points: Array, found: Circles) -> tuple[Array, Array]:
    """(N, K) signed distances of (2, N, K) marks from their circles, mm, and their leverages."""
    uu, uv, ur, vv, vr, rr = found.covariance
    du, dv = points - found.centre_mm[:, None]
    length = np.sqrt(du * du + dv * dv)
    c, s = du / length, dv / length
    leverage = uu * c * c + vv * s * s + rr + 2 * (uv * c * s + ur * c + vr * s)
    return length - found.radius_mm, leverage


@lru_cache(maxsize=4096)
def _quantile(freedom: float, count: float) -> float:
    """The t quantile beyond which a mark stands out by more than chance."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1.0 - MISPLACED_LEVEL / (2 * count)))


def far_from_least_median(points: Array, limit_mm: float) -> Iterator[tuple[int, Array]]:
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

    Yields
    ------
    tuple
        The place of a rim, growing, and (N,) distances of its marks, mm.

    Examples
    --------
    >>> turn = np.radians(np.arange(0.0, 240.0, 30.0))
    >>> radius = 24.0 + 3.0 * (np.arange(8) == 4)
    >>> rim = np.array((radius * np.cos(turn), radius * np.sin(turn)))[:, :, None]
    >>> [(place, far.round(6).tolist()) for place, far in far_from_least_median(rim, 1.5)]
    [(0, [0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0])]
    """
    count = points.shape[1]
    with np.errstate(all="ignore"):  # marks on a straight line make no circle
        if count <= _EVERY_THREE:
            places, gaps = _far_from_least_median(points, limit_mm)
            yield from zip(places.tolist(), gaps, strict=True)
            return
        order = _along_the_rim(points)
        ordered = np.take_along_axis(points, order[None], axis=1)
        if count <= _MOST_TRIED:
            places, gaps = _far_from_least_median(ordered, limit_mm)
        else:
            places, gaps = _far_from_thinned(ordered, limit_mm)
        for place, far in zip(places.tolist(), gaps, strict=True):
            found = np.empty(count)
            found[order[:, place]] = far
            yield place, found


def _along_the_rim(points: Array) -> Places:
    """(N, K) marks in the order of their rims: by direction from the mean, from the widest gap."""
    directions = directions_deg(points - points.mean(axis=1)[:, None])
    order = np.argsort(directions, axis=0, kind="stable")
    sorted_ = np.take_along_axis(directions, order, axis=0)
    before = np.concatenate((sorted_[-1:] - 360.0, sorted_[:-1]))
    start = np.argmax(sorted_ - before, axis=0)
    turned = (np.arange(len(order))[:, None] + start) % len(order)
    return np.take_along_axis(order, turned, axis=0)


def _far_from_thinned(points: Array, limit_mm: float) -> tuple[Places, Array]:
    """The same of longer rims than are tried: the circle is of some, the distances of all."""
    count = points.shape[1]
    some = np.unique(np.round(np.linspace(0, count - 1, _MOST_TRIED)).astype(int))
    thinned = np.ascontiguousarray(points[:, some])
    threes = _threes(len(some))
    circles = _circles_of_three(thinned, threes)
    rows = np.ascontiguousarray(thinned.transpose(0, 2, 1))
    bound = _least_of_some(rows, threes, circles)
    near, _ = _can_be_least(thinned, circles, bound, limit_mm)
    rims = np.flatnonzero(near.any(axis=1))
    place, three = np.nonzero(near[rims])
    if not len(rims):
        return rims, np.zeros((0, count))
    medians = _medians(_gaps(rows, threes, circles, rims[place], three))
    chosen = three[_first_least(place, medians, len(rims))]
    u, v, radius = (part[chosen, rims] for part in circles)
    first_u, first_v = thinned[:, threes[0, chosen], rims]
    du, dv = points[0][:, rims] - (first_u + u), points[1][:, rims] - (first_v + v)
    gaps = np.abs(np.sqrt(du * du + dv * dv) - radius).T
    far = (gaps > limit_mm).any(axis=1)
    return rims[far], gaps[far]


def _far_from_least_median(points: Array, limit_mm: float) -> tuple[Places, Array]:
    count = points.shape[1]
    threes = _threes(count)
    circles = _circles_of_three(points, threes)
    rows = np.ascontiguousarray(points.transpose(0, 2, 1))
    bound = _least_of_some(rows, threes, circles)
    near, wild = _can_be_least(points, circles, bound, limit_mm)
    rim, three = np.nonzero(wild)
    gaps = _gaps(rows, threes, circles, rim, three)
    rims = np.unique(rim[(gaps > limit_mm).any(axis=1) & (_medians(gaps) <= bound[rim])])
    if not len(rims):
        return rims, np.zeros((0, count))
    place, three = np.nonzero(near[rims])
    gaps = _gaps(rows, threes, circles, rims[place], three)
    chosen = gaps[_first_least(place, _medians(gaps), len(rims))]
    far = (chosen > limit_mm).any(axis=1)
    return rims[far], chosen[far]


def _first_least(place: Places, medians: Array, size: int) -> Places:
    """Where the first least median of each rim stands; ``place`` grows and holds every rim."""
    first = np.searchsorted(place, np.arange(size))
    least = np.fmin.reduceat(medians, first)
    best = np.flatnonzero(medians == least[place])
    return np.asarray(best[np.unique(place[best], return_index=True)[1]])


def _circles_of_three(points: Array, threes: Places) -> tuple[Array, Array, Array]:
    """(T, K) centres, seen from the first mark, and radii of the circles through each three marks.

    NaN for a straight line. Worked out in place: memory is what this waits for.
    """
    first, second, third = threes
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


def _least_of_some(rows: Array, threes: Places, circles: tuple[Array, Array, Array]) -> Array:
    """(K,) least median distance of the marks of (2, K, N) rims from their widest circles."""
    wide = _wide_threes(rows.shape[2])
    u, v, radius = (part[wide] for part in circles)
    marks = rows[:, None]
    start = rows[:, :, threes[0, wide]].transpose(0, 2, 1)
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
    (offset_u, offset_v, radius), first = circles, _threes(points.shape[1])[0]
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
    threes: Places,
    circles: tuple[Array, Array, Array],
    rim: Places,
    three: Places,
) -> Array:
    """(S, N) distances of the marks of (2, K, N) rims from some of their circles."""
    offset_u, offset_v, radius = (part[three, rim] for part in circles)
    start, (u, v) = threes[0, three], rows[:, rim]
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
def _threes(count: int) -> Places:
    """(3, T) the threes of marks that are tried: every one of up to 24, else about 500.

    Examples
    --------
    >>> _threes(4).T.tolist()
    [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    >>> [_threes(count).shape[1] for count in (24, 25, 96, 2000)]
    [2024, 508, 437, 437]
    """
    if count <= _EVERY_THREE:
        return np.array(list(combinations(range(count), 3))).T
    if count > _MOST_TRIED:
        return _threes(_MOST_TRIED)
    steps = np.arange(1, _SEQUENCE + 1) * _PLASTIC ** -np.arange(1.0, 4.0)[:, None]
    threes = np.sort(np.floor(count * (steps % 1.0)).astype(np.intp), axis=0)
    return np.ascontiguousarray(threes[:, (np.diff(threes, axis=0) >= count // 8).all(axis=0)])


@cache
def _wide_threes(count: int) -> Places:
    """Places of the sixteen threes whose marks lie farthest apart in the order of the rim."""
    first, second, third = _threes(count)
    apart = (second - first) * (third - second) * (count - third + first)
    return np.argsort(-apart, kind="stable")[:16]
