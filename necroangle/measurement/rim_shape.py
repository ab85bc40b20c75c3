"""What rim marks say of an angle's error: their noise, its correlation, and the head's shape.

The head's contour is ``r(t) = R + sum a_k cos k(t - p_k)``, k = 2 to 4, each component with a prior
(:data:`PRIORS`). A circle fitted to a part of it lies off, and the angle with it: the lever of a
harmonic is linear in the circle's own least squares. The residuals say something of the harmonics;
what they cannot see stays as it was assumed. More marks do not help, a longer rim does.

Every sum over the marks is one of the moments ``sum cos kt``, ``sum sin kt``, k up to 8, and of
those of the residuals, so that no trigonometric function and no matrix larger than 6 by 6 is
needed. All is elementwise over the views: a hip has the same bits alone and among others.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.point_sets import PointSets, ordered_sum, parts_of
from necroangle.protocol.pair_error import SHAPE, SHARED_HEIGHT

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Priors:
    """What is assumed where marks say nothing: each a decision of this project.

    Attributes
    ----------
    shape
        Standard deviation of each component of the contour's harmonics of order 2, 3 and 4, as a
        share of the radius. The first is an oval of 3 %.
    shared
        Correlation of the two views' cos 2 components: the height of the dome is in both.
    correlation, correlation_pairs, most_correlation
        Correlation of neighbouring rim marks, how many pairs of marks it counts as, and the
        largest that is believed.
    long_rim, rim_runs
        Contours of more marks than the first are averaged in so many runs: automatic contours
        err smoothly.
    exact
        No mark is more exact than this share of the radius (0.05 mm): below it, residuals say
        nothing of the shape.
    """

    shape: tuple[float, float, float] = SHAPE
    shared: float = SHARED_HEIGHT
    correlation: float = 0.25
    correlation_pairs: float = 24.0
    most_correlation: float = 0.8
    long_rim: int = 40
    rim_runs: int = 22
    exact: float = 0.05 / 24


PRIORS = Priors()

_TAU = np.repeat(PRIORS.shape, 2)[:, None]


@dataclass(frozen=True, slots=True, eq=False)
class Rims:
    """The rims behind the angles of V views.

    Attributes
    ----------
    points
        (2, M) plane mm.
    start, count
        (V,) the run of each view; a count of 0 where there is no rim.
    centre_mm, radius_mm
        (2, V) and (V,) their circles.
    superior
        (2, V) unit vectors towards superior, in the planes.
    weight
        (V,) of a radius known beforehand beside one mark; 0 without.
    """

    points: Array
    start: Places
    count: Places
    centre_mm: Array
    radius_mm: Array
    superior: Array
    weight: Array


@dataclass(frozen=True, slots=True, eq=False)
class RimErrors:
    """What rim noise and the head's shape do to the angles of V views and to the sums of R hips.

    Attributes
    ----------
    variance
        (V,) variance of a mark, mm², pooled over the views of a hip.
    inflation
        (V,) what the marks' correlation along the rim makes of it.
    factor
        (V,) share of the mark's variance in the angle's, radians² per mm².
    freedom
        (V,) marks, or runs of them, less 3.
    shape
        (V,) variance of the angle by the shape of the head, radians².
    shared
        (R,) covariance of the two views' angles by it.
    ends
        (2, 2, V) offsets from the centre of the first and the last mark along the rim, mm.
    """

    variance: Array
    inflation: Array
    factor: Array
    freedom: Array
    shape: Array
    shared: Array
    ends: Array

    @property
    def rim(self) -> Array:
        """(V,) variance of the angle by the noise of the rim marks, radians²."""
        return np.asarray(self.variance * self.inflation * self.factor)


@dataclass(slots=True, eq=False)
class _Moments:
    """Sums over the marks of V rims, in their order along the rim; r are the residuals.

    Attributes
    ----------
    cos, sin
        (9, V) sums of cos kt and sin kt, k from 0.
    gap_cos, gap_sin
        (5, V) sums of r cos kt and r sin kt.
    product
        (V,) sums of products of neighbouring residuals.
    beside
        (5, V) sums over neighbours, of the products sin sin, cos cos and sin cos, and of the
        means of sin and of cos.
    number
        (V,) marks, or runs of them.
    ends
        (2, 2, V) offsets of the first and the last mark, mm.
    """

    cos: Array
    sin: Array
    gap_cos: Array
    gap_sin: Array
    square: Array
    product: Array
    beside: Array
    number: Array
    ends: Array

    @classmethod
    def none(cls, size: int) -> "_Moments":
        shapes = ((9,), (9,), (5,), (5,), (), (), (5,), (), (2, 2))
        return cls(*(np.zeros((*shape, size)) for shape in shapes))

    def put(self, places: Places, other: "_Moments") -> None:
        for field in fields(_Moments):
            getattr(self, field.name)[..., places] = getattr(other, field.name)


def rim_errors(rims: Rims, pull: Array, hip: Places, coupled: Bools, alone_mm: Array) -> RimErrors:
    """What rim noise and the head's shape do to the angles of views, and to their sums.

    Parameters
    ----------
    rims
        The rims.
    pull
        (2, V) derivative of each angle by its circle's centre (u, v), radians per mm.
    hip
        (V,) which hip a view belongs to; growing.
    coupled
        (R,) whether the two views of a hip share the height of the dome.
    alone_mm
        (V,) standard deviation of a mark where the residuals have no freedom.

    References
    ----------
    Least squares of ``cos kt`` and ``sin kt`` on ``1, cos t, sin t``. An AR(1) error of
    correlation ρ multiplies the variance of what is smooth along the rim by (1 + ρ) / (1 - ρ).
    """
    with np.errstate(all="ignore"):  # of a rim that holds no centre, whose hip has been refused
        sums = _moments(rims)
        up_u, up_v = rims.superior
        lean = np.array((pull[1] * up_u - pull[0] * up_v, pull[0] * up_u + pull[1] * up_v))
        scale = _TAU * rims.radius_mm
        on_circle = _on_circle(sums) * scale
        gap = np.array((sums.gap_sin[1], sums.gap_cos[1], sums.gap_cos[0]))
        zero = np.zeros_like(gap[:1])
        right = np.concatenate((on_circle, gap[:, None], np.concatenate((lean, zero))[:, None]), 1)
        unit = np.broadcast_to(np.eye(3)[:, :, None], (3, 3, len(hip)))
        found = _solved(_circle_matrix(sums, rims.weight), np.concatenate((right, unit), 1))
        bent, moved, lever, inverse = found[:, :6], found[:, 6], found[:, 7], found[:, 8:]
        long = rims.count > PRIORS.long_rim
        variance, inflation = _noise(sums, inverse, 2 * hip + long, alone_mm)
        own = variance * inflation
        trusted = np.maximum(own, (PRIORS.exact * rims.radius_mm) ** 2)
        information = _harmonics(sums) * (scale[:, None] * scale)
        information -= _products(on_circle, bent)
        seen = (_residuals(sums) * scale - _product(on_circle, moved)) / trusted
        shape_lever = _product(on_circle, lever)
        shape, shared = _posterior(information / trusted, seen, shape_lever, hip, coupled)
    there = rims.count > 0
    return RimErrors(
        variance=variance,
        inflation=np.where(there, inflation, 1.0),
        factor=np.where(there, lean[0] * lever[0] + lean[1] * lever[1], 0.0),
        freedom=np.where(there, sums.number - 3, 0.0),
        shape=np.where(there, shape, 0.0),
        shared=shared,
        ends=sums.ends,
    )


def _moments(rims: Rims) -> _Moments:
    found = _Moments.none(len(rims.count))
    for some in parts_of(rims.count):
        sets = PointSets.of_runs(rims.points, rims.start[some], rims.count[some])
        offsets = sets.points - rims.centre_mm[:, None, some]
        distance = np.sqrt(offsets[0] * offsets[0] + offsets[1] * offsets[1])
        unit = offsets / distance
        order = _along_the_rim(unit, sets)
        unit = np.take_along_axis(unit, order[None], 1)
        gaps = np.take_along_axis(distance, order, 0) - rims.radius_mm[some]
        up_u, up_v = rims.superior[:, some]
        turned = unit[1] * up_u - unit[0] * up_v, unit[0] * up_u + unit[1] * up_v
        long = sets.count > PRIORS.long_rim
        last = np.take_along_axis(order, sets.count.astype(np.intp)[None] - 1, 0)
        ends = np.array(
            [np.take_along_axis(offsets, one[None], 1)[:, 0] for one in (order[:1], last)]
        )
        few = np.flatnonzero(~long)
        if len(few):
            marks = np.array((*turned, gaps, sets.keep))
            marks = marks if len(few) == len(some) else np.ascontiguousarray(marks[:, :, few])
            found.put(some[few], _summed(marks, ends[:, :, few]))
        many = np.flatnonzero(long)
        if len(many):
            counts = sets.count[many].astype(np.intp)
            runs = _in_runs(np.array((*turned, gaps))[:, :, many], counts)
            marks = np.concatenate((runs, np.ones((1, *runs.shape[1:]))))
            found.put(some[many], _summed(marks, ends[:, :, many]))
    return found


def _along_the_rim(unit: Array, sets: PointSets) -> Places:
    """(N, K) places of the marks in their order round the circle, from behind the largest gap."""
    u, v = unit
    around = v / (np.abs(u) + np.abs(v))  # grows with the direction, quadrant by quadrant
    turn = np.where(u >= 0, around, 2.0 - around)
    order = np.argsort(np.where(sets.keep > 0, turn, np.inf), axis=0, kind="stable")
    u, v = np.take_along_axis(u, order, 0), np.take_along_axis(v, order, 0)
    number = sets.count.astype(np.intp)
    rows = np.arange(len(u))[:, None]
    following = np.where(rows + 1 < number, rows + 1, 0)
    next_u, next_v = np.take_along_axis(u, following, 0), np.take_along_axis(v, following, 0)
    dot, cross = u * next_u + v * next_v, u * next_v - v * next_u
    gap = np.where(cross >= 0, 1.0 - dot, 3.0 + dot)  # grows with the angle, from 0 to 4
    largest = np.argmax(np.where(rows < number, gap, -1.0), axis=0)
    places = np.where(rows < number, (rows + largest + 1) % number, rows)
    return np.take_along_axis(order, places, 0)


def _in_runs(rims: Array, count: Places) -> Array:
    """(3, N, K) sin, cos and residual along long rims as means of runs, the directions as units."""
    runs = PRIORS.rim_runs
    found = np.zeros((3, runs, len(count)))
    for place, number in enumerate(count.tolist()):
        bounds = np.arange(runs) * number // runs
        size = np.diff(np.append(bounds, number))
        for row in range(3):
            found[row, :, place] = np.add.reduceat(rims[row, :number, place], bounds) / size
    length = np.sqrt(found[0] * found[0] + found[1] * found[1])
    found[:2] /= length
    return found


def _summed(marks: Array, ends: Array) -> _Moments:
    """The moments of (4, N, K): sin and cos of the direction, residual, 1 where there is a mark."""
    keep = marks[3]
    sin, cos, gaps = marks[:3] * keep
    number = ordered_sum(keep)
    of_cos, of_sin = [number], [0.0 * number]
    gap_cos, gap_sin = [ordered_sum(gaps)], [0.0 * number]
    c, s = cos, sin
    for order in range(1, 9):
        if order > 1:
            c, s = c * cos - s * sin, s * cos + c * sin
        of_cos.append(ordered_sum(c))
        of_sin.append(ordered_sum(s))
        if order < 5:
            gap_cos.append(ordered_sum(gaps * c))
            gap_sin.append(ordered_sum(gaps * s))
    pair = keep[1:]
    here, there = (sin[:-1], cos[:-1]), (sin[1:], cos[1:])
    beside = (
        here[0] * there[0],
        here[1] * there[1],
        0.5 * (here[0] * there[1] + here[1] * there[0]),
        0.5 * (here[0] * pair + there[0]),
        0.5 * (here[1] * pair + there[1]),
    )
    return _Moments(
        cos=np.array(of_cos),
        sin=np.array(of_sin),
        gap_cos=np.array(gap_cos),
        gap_sin=np.array(gap_sin),
        square=ordered_sum(gaps * gaps),
        product=ordered_sum(gaps[1:] * gaps[:-1]),
        beside=np.array([ordered_sum(one) for one in beside]),
        number=number,
        ends=ends,
    )


def _circle_matrix(sums: _Moments, weight: Array) -> Array:
    """(3, 3, V) normal matrix of sin t, cos t and 1: of the circle's centre and radius."""
    n, c2, s2 = sums.number, sums.cos[2], sums.sin[2]
    c, s = sums.cos[1], sums.sin[1]
    rows = (((n - c2) / 2, s2 / 2, s), (s2 / 2, (n + c2) / 2, c), (s, c, n + weight))
    return np.array([[*row] for row in rows])


def _on_circle(sums: _Moments) -> Array:
    """(3, 6, V) products of sin t, cos t and 1 with the harmonics, cos 2t, sin 2t, cos 3t..."""
    cos, sin = sums.cos, sums.sin
    rows: tuple[list[Array], ...] = ([], [], [])
    for k in (2, 3, 4):
        rows[0].extend(((sin[k + 1] - sin[k - 1]) / 2, (cos[k - 1] - cos[k + 1]) / 2))
        rows[1].extend(((cos[k + 1] + cos[k - 1]) / 2, (sin[k + 1] + sin[k - 1]) / 2))
        rows[2].extend((cos[k], sin[k]))
    return np.array([np.array(row) for row in rows])


def _harmonics(sums: _Moments) -> Array:
    """(6, 6, V) products of the harmonics with each other."""
    found = np.empty((6, 6, len(sums.number)))
    cos, sin = sums.cos, sums.sin
    for j in (2, 3, 4):
        for k in range(j, 5):
            less, more, row, column = k - j, k + j, 2 * j - 4, 2 * k - 4
            found[row, column] = (cos[less] + cos[more]) / 2
            found[row + 1, column + 1] = (cos[less] - cos[more]) / 2
            found[row, column + 1] = (sin[more] + sin[less]) / 2
            found[row + 1, column] = (sin[more] - sin[less]) / 2
            found[column : column + 2, row : row + 2] = found[
                row : row + 2, column : column + 2
            ].transpose(1, 0, 2)
    return found


def _residuals(sums: _Moments) -> Array:
    """(6, V) products of the harmonics with the residuals."""
    return np.array([part[k] for k in (2, 3, 4) for part in (sums.gap_cos, sums.gap_sin)])


def _noise(sums: _Moments, inverse: Array, group: Places, alone_mm: Array) -> tuple[Array, Array]:
    """(V,) variance of a mark and the inflation by correlation, pooled over views alike.

    A view of marks and one of runs of marks are not alike.

    Parameters
    ----------
    group
        (V,) views of one number are alike.
    """
    size = int(group.max(initial=0)) + 1

    def pooled(values: Array) -> Array:
        return np.asarray(np.bincount(group, values, size)[group], np.float64)

    freedom = pooled(np.maximum(sums.number - 3, 0.0))
    squares = pooled(sums.square)
    variance = np.where(freedom > 0, squares / freedom, alone_mm * alone_mm)
    ss, cc, sc, s, c = sums.beside
    pairs = np.maximum(sums.number - 1, 0.0)
    lost = inverse[0, 0] * ss + inverse[1, 1] * cc + inverse[2, 2] * pairs
    lost = lost + 2 * (inverse[0, 1] * sc + inverse[0, 2] * s + inverse[1, 2] * c)
    made = np.where(squares > 0, pooled(sums.product) / variance, 0.0)
    believed = PRIORS.correlation * PRIORS.correlation_pairs
    share = (made + pooled(np.where(pairs > 0, lost, 0.0)) + believed) / (
        pooled(pairs) + PRIORS.correlation_pairs
    )
    rho = np.clip(share, 0.0, PRIORS.most_correlation)
    return variance, (1 + rho) / (1 - rho)


def _posterior(
    information: Array, seen: Array, lever: Array, hip: Places, coupled: Bools
) -> tuple[Array, Array]:
    """(V,) variances ``b (A + m mᵀ) bᵀ`` of the angles, and (R,) covariances of the views' two.

    ``A = (T⁻¹ + information)⁻¹``, ``m = A seen``; T couples the views' first component alone, so
    that two systems of 6 and one of 2 stand for the one of 12.
    """
    matrix = information + np.eye(6)[:, :, None]
    first = np.zeros_like(seen)
    first[0] = 1.0
    solved = _solved(matrix, np.array((lever, seen, first)).transpose(1, 0, 2))
    by_lever, by_seen, by_first = solved.transpose(1, 0, 2)
    own, mean = _dot(lever, by_lever), _dot(lever, by_seen)
    shape = own + mean * mean
    shared = np.zeros(len(coupled))
    if not coupled.any():
        return shape, shared
    pair = np.flatnonzero(coupled)
    a = np.searchsorted(hip, pair)
    b = a + 1
    r = 1.0 / PRIORS.shared
    hold, shift = by_first[0], by_seen[0]
    reach = by_lever[0]
    det = (hold[a] - 1) * (hold[b] - 1) - r * r
    aa, ab, bb = (hold[b] - 1) / det, r / det, (hold[a] - 1) / det
    along_a, along_b = aa * shift[a] + ab * shift[b], ab * shift[a] + bb * shift[b]
    mean_a, mean_b = mean[a] - reach[a] * along_a, mean[b] - reach[b] * along_b
    shape[a] = own[a] - reach[a] * reach[a] * aa + mean_a * mean_a
    shape[b] = own[b] - reach[b] * reach[b] * bb + mean_b * mean_b
    shared[pair] = mean_a * mean_b - reach[a] * reach[b] * ab
    return shape, shared


def _solved(matrix: Array, right: Array) -> Array:
    """Solve V symmetric positive systems, (n, n, V) and (n, m, V), by elimination."""
    size = len(matrix)
    full = np.concatenate((matrix, right), axis=1)
    for pivot in range(size):
        full[pivot, pivot + 1 :] /= full[pivot, pivot]
        factor = full[:, pivot].copy()
        factor[pivot] = 0.0
        full[:, pivot + 1 :] -= factor[:, None] * full[pivot, pivot + 1 :]
    return full[:, size:]


def _product(rows: Array, column: Array) -> Array:
    """(6, V) of (3, 6, V) and (3, V)."""
    return np.asarray(rows[0] * column[0] + rows[1] * column[1] + rows[2] * column[2])


def _products(rows: Array, columns: Array) -> Array:
    """(6, 6, V) of (3, 6, V) and (3, 6, V)."""
    found = rows[0][:, None] * columns[0]
    for one, other in zip(rows[1:], columns[1:], strict=True):
        found += one[:, None] * other
    return np.asarray(found)


def _dot(first: Array, second: Array) -> Array:
    found = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=True):
        found = found + one * other
    return np.asarray(found)
