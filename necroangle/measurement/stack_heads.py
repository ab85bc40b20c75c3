"""Where the head's centre lies for each view whose slices are taken together.

A view knows the centre within its slices from its own rims, and along their normal from the radii
of two or more of them: on a sphere ``r² + t² = const + 2 s t``, t the slices' places and s the
centre's. The other view sees the centre along that normal within its own slices; but only where
both stand in one frame of reference, and only if the patient lay still between the two series.

Neither is believed alone, and neither is dropped: the two are weighed. Most patients lie still,
some move; which it was is a matter of how far both centres lie apart, in units of what their marks
may err (a mixture of two normal distributions, along each axis of the slices). So each view has a
centre of its own, and no sphere is laid through both.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import ArcError, GeometryError, RimError
from necroangle.geometry.arc import arcs_about, each
from necroangle.geometry.circle import Circles
from necroangle.geometry.orthogonal import lengths
from necroangle.geometry.point_sets import PointSets, parts_of, runs
from necroangle.geometry.vectors import dot3, inverse3, matmul3, quadratic3
from necroangle.measurement.bands import SliceArcs
from necroangle.measurement.heads import Heads, circles_of_runs, facing_of, spheres_of_runs
from necroangle.measurement.marks import (
    PlaneColumns,
    ReadingBatch,
    above,
    in_patient,
    in_plane,
)
from necroangle.measurement.method import Settings
from necroangle.measurement.refusals import Refusals, Refused, Stage
from necroangle.measurement.slices import Ordered, OrderedSlices, outside
from necroangle.measurement.uncertainty import Noise, pooled_noise

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

STILL_MM, MOVED_MM, MOVED_SHARE = 0.3, 2.5, 0.05
"""Standard deviation of a patient's place between two series, along one axis, of one who lies still
and of one who moves; and how many move. Decisions of this project."""

_SHAPE_MM = 0.25
"""A view's own centre errs by so much beside its rims' noise, for no head is a sphere: likewise."""

_ALIKE = 2.6
"""By so much marks that err as their neighbours do raise the variance of a centre along the normal,
where a movement is told. So fewer than 2 % of patients who lay still are told to have moved."""

_HELD_MM = 8.0
"""A centre that is known no better than this along the normal is none."""

_NOWHERE_MM2 = 1e6
"""Variance along the normal of a rim on one slice alone, which tells nothing of it."""

_LEAST_MARKS = 3

_ONE_RIM = (
    "the rim is marked on one slice alone, which does not tell where the head's centre lies beside "
    "it; mark it on a second slice of the stack, or in the other view"
)
_TWO_FRAMES = (
    "centre_plane needs the rim on two slices of each stack where the views stand in different "
    "frames of reference"
)


@dataclass(frozen=True, slots=True, eq=False)
class Stacks:
    """The heads of those views whose marked slices are taken together.

    Attributes
    ----------
    there
        (V,) whether the view has one.
    centre_mm, radius_mm
        (3, V) patient mm, and (V,): where the head lies in the images of the view.
    covariance, of_rims
        (6, V) of the centre, mm²: xx, xy, xz, yy, yz, zz; what may have moved is in it. And what
        the noise of the rims has in it, which grows with their correlation.
    crossed
        (R, 3, 3) covariance of a hip's first centre with its second, mm².
    noise
        (R,) click noise of the rims.
    moved_mm, moved_se_mm
        (V,) how far the view's own slices see the centre along their normal from where the other
        view saw it, coronal positive behind it, sagittal positive to the left; and its standard
        error. NaN where either does not tell.
    slices
        By view, its marked slices that cut the head, with the arcs about the head's centre; or why
        they cannot be put in order.
    count
        How many they are, by view.
    problems
        The views with a slice that does not go with the head, and what is wrong.
    """

    there: Bools
    centre_mm: Array
    radius_mm: Array
    covariance: Array
    of_rims: Array
    crossed: Array
    noise: Noise
    moved_mm: Array
    moved_se_mm: Array
    slices: dict[int, Ordered]
    count: dict[int, int]
    problems: dict[int, Refused]

    @classmethod
    def none(cls, batch: ReadingBatch, settings: Settings) -> "Stacks":
        """No stacks."""
        size = len(batch.own)
        unknown = np.full((2, size), np.nan)
        return cls(
            there=np.zeros(size, bool),
            centre_mm=np.zeros((3, size)),
            radius_mm=np.zeros(size),
            covariance=np.zeros((6, size)),
            of_rims=np.zeros((6, size)),
            crossed=np.zeros((batch.size, 3, 3)),
            noise=pooled_noise(np.zeros(batch.size), np.zeros(batch.size), settings),
            moved_mm=unknown[0],
            moved_se_mm=unknown[1],
            slices={},
            count={},
            problems={},
        )

    @property
    def moved_z(self) -> Array:
        """(V,) how surely the patient moved along the slices' normal; NaN where nothing tells."""
        sure = _ALIKE * self.moved_se_mm**2 + STILL_MM**2 + 2 * _SHAPE_MM**2
        return np.abs(self.moved_mm) / np.sqrt(sure)

    def of_views(self, gradient: Array, inflation: Array) -> Array:
        """(V,) variance of angles by their centres, radians²."""
        whole, rims = (
            quadratic3(list(one), list(gradient)) for one in (self.covariance, self.of_rims)
        )
        return np.where(self.there, whole + (inflation - 1.0) * rims, 0)

    def of_sums(self, batch: ReadingBatch, gradient: Array, inflation: Array) -> Array:
        """(R,) the same of A + B, whose two centres were weighed from the same rims."""
        own = self.of_views(gradient, inflation)
        found = np.asarray(np.bincount(batch.hip, own, batch.size), np.float64)
        both = np.flatnonzero((batch.view_of >= 0).all(axis=0))
        a, b = batch.view_of[:, both]
        crossed = self.crossed[both].transpose(1, 2, 0)
        seen = [dot3(list(row), list(gradient[:, b])) for row in crossed]
        shared = dot3(seen, list(gradient[:, a])) * np.maximum(inflation[a], inflation[b])
        found[both] = np.maximum(found[both] + 2 * shared, 0.0)
        return found

    def distance_squared(self, batch: ReadingBatch) -> tuple[Places, Array]:
        """The views with a head, and mean squares of their own slices' distances from it, mm²."""
        views = np.flatnonzero(self.there)
        planes = batch.own_planes.of(views)
        height = above(self.centre_mm[:, views], planes)
        covariance = list(self.covariance[:, views])
        return views, height * height + quadratic3(covariance, planes.normal)


def fit_stacks(
    batch: ReadingBatch, heads: Heads, settings: Settings, refusals: Refusals, *, wanted: bool
) -> Stacks:
    """Find the head of each view of the hips whose neighbouring slices are marked.

    Parameters
    ----------
    wanted
        Whether the method cannot do without: then of every hip, and one with an arc where there is
        no head is refused.
    """
    beside = np.zeros(batch.size, bool)
    beside[batch.hip[batch.has_neighbours]] = True
    hips = refusals.free & ~batch.flat_hip & (beside | wanted)
    views = np.flatnonzero(hips[batch.hip])
    if not len(views):
        return Stacks.none(batch, settings)
    fits = _Fits.of(batch, heads, views)
    rss, freedom = (
        np.asarray(np.bincount(batch.hip[views], one, batch.size), np.float64)
        for one in (fits.rss_mm2, fits.freedom)
    )
    found = replace(Stacks.none(batch, settings), noise=pooled_noise(rss, freedom, settings))
    _weigh(batch, fits, found)
    if wanted:
        _refuse_without(batch, views, found, refusals)
    _fill(batch, found)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """What the rims of K views say alone.

    Attributes
    ----------
    views
        (K,) which views; growing.
    has_rim
        (K,) whether they say anything.
    centre_mm
        (3, K) the centre of the sphere through the rims, or of the circle of the only one.
    covariance
        (K, 3, 3) of it, for a click noise of 1 mm.
    beside
        (K, 3, 3) what stands for the centre lying anywhere along the normal of one rim, mm².
    rss_mm2, freedom
        (K,) of the sphere or the circle.
    points, start, count
        (3, M) the marks in patient mm, and the run of each view.
    """

    views: Places
    has_rim: Bools
    centre_mm: Array
    covariance: Array
    beside: Array
    rss_mm2: Array
    freedom: Array
    points: Array
    start: Places
    count: Places

    @classmethod
    def of(cls, batch: ReadingBatch, heads: Heads, views: Places) -> "_Fits":
        points, count, rims = _rim_points(batch, heads, views)
        found = cls(
            views=views,
            has_rim=np.zeros(len(views), bool),
            centre_mm=np.zeros((3, len(views))),
            covariance=np.zeros((len(views), 3, 3)),
            beside=np.zeros((len(views), 3, 3)),
            rss_mm2=np.zeros(len(views)),
            freedom=np.zeros(len(views)),
            points=points,
            start=np.cumsum(count) - count,
            count=count,
        )
        found.take_spheres(np.flatnonzero(rims > 1))
        found.take_circles(batch, heads, np.flatnonzero(~found.has_rim & (rims > 0)))
        return found

    def take_spheres(self, some: Places) -> None:
        """Those of views with several rims, where they hold one."""
        marks = self.points[:, runs(self.start[some], self.count[some])]
        spheres, faults = spheres_of_runs(marks, self.count[some])
        sound = np.ones(len(some), bool)
        sound[list(faults)] = False
        spheres, some = spheres.some(sound), some[sound]
        xx, xy, xz, _, yy, yz, _, zz, _, _ = spheres.covariance
        matrix = np.array(((xx, xy, xz), (xy, yy, yz), (xz, yz, zz)))
        self.put(some, spheres.centre_mm, matrix, spheres.rss_mm2, spheres.count - 4)

    def take_circles(self, batch: ReadingBatch, heads: Heads, some: Places) -> None:
        """The circle of the view's own slice, else of the first beside it that has a rim."""
        views = self.views[some]
        own = heads.there[views]
        self._put_circles(heads.circles, some[own], views[own], batch.own_planes, heads.count)
        rest = some[~own]
        rimmed = np.flatnonzero(~batch.is_own & (batch.rim_count >= _LEAST_MARKS))
        first = np.searchsorted(batch.slice_view[rimmed], self.views[rest])
        slices = rimmed[first]
        circles, faults = circles_of_runs(
            batch.points, batch.rim_start[slices], batch.rim_count[slices], None
        )
        sound = np.setdiff1d(np.arange(len(slices)), list(faults))
        planes = batch.planes.of(slices)
        self._put_circles(circles, rest[sound], sound, planes, batch.rim_count[slices])

    def _put_circles(
        self, circles: Circles, some: Places, which: Places, planes: PlaneColumns, count: Places
    ) -> None:
        """Circles as centres that lie anywhere along their normals."""
        of = planes.of(which)
        u, v = circles.centre_mm[:, which]
        uu, uv, _, vv, _, _ = circles.covariance[:, which]
        row, column, normal = (np.array(axis) for axis in (of.row, of.column, of.normal))
        matrix = uu * _outer(row, row) + vv * _outer(column, column)
        matrix = matrix + uv * (_outer(row, column) + _outer(column, row))
        self.beside[some] = (_NOWHERE_MM2 * _outer(normal, normal)).transpose(2, 0, 1)
        rss = circles.rss_mm2[which]
        self.put(some, np.array(in_patient((u, v), of)), matrix, rss, count[which] - 3)

    def put(
        self, some: Places, centre: Array, matrix: Array, rss: Array, freedom: Array | Places
    ) -> None:
        """Put what (3, 3, K) covariance and the rest say in the places of some views."""
        self.has_rim[some] = True
        self.centre_mm[:, some] = centre
        self.covariance[some] = matrix.transpose(2, 0, 1)
        self.rss_mm2[some], self.freedom[some] = rss, freedom


def _rim_points(batch: ReadingBatch, heads: Heads, views: Places) -> tuple[Array, Places, Places]:
    """(3, M) the points of all rims of some views, view after view; how many, and on how many rims.

    A slice with fewer than 3 marks has no rim; its marks count all the same.
    """
    chosen = np.zeros(len(batch.own), bool)
    chosen[views] = True
    slices = np.flatnonzero(chosen[batch.slice_view])
    beside = slices[~batch.is_own[slices]]
    marks = runs(batch.rim_start[beside], batch.rim_count[beside])
    planes = batch.planes.of(np.repeat(beside, batch.rim_count[beside]))
    pool = np.concatenate((heads.used_mm, np.array(in_patient(batch.points[:, marks], planes))), 1)
    start, count = np.zeros((2, len(batch.slice_view)), np.intp)
    start[batch.own], count[batch.own] = heads.used_start, heads.count
    count[beside] = batch.rim_count[beside]
    start[beside] = heads.used_mm.shape[1] + np.cumsum(count[beside]) - count[beside]
    view, size = batch.slice_view[slices], len(batch.own)
    number = np.bincount(view, count[slices], size)[views].astype(np.intp)
    rims = np.bincount(view, count[slices] >= _LEAST_MARKS, size)[views]
    return pool[:, runs(start[slices], count[slices])], number, rims.astype(np.intp)


def _weigh(batch: ReadingBatch, fits: _Fits, found: Stacks) -> None:
    """Let the head of each view be where its own rims and the other view's say together."""
    views, size = fits.views, len(fits.views)
    hip = batch.hip[views]
    beside = batch.view_of[1 - batch.side[views], hip]
    place_of = np.full(len(batch.own) + 1, -1)
    place_of[views[fits.has_rim]] = np.flatnonzero(fits.has_rim)
    other = np.where(batch.frames_differ[hip], -1, place_of[beside])
    own = np.where(fits.has_rim, np.arange(size), -1)
    known = np.flatnonzero((own >= 0) | (other >= 0))
    own, other, hip, views = own[known], other[known], hip[known], views[known]
    variance = found.noise.variance[hip][:, None, None]
    instead = [np.where(one >= 0, one, rest) for one, rest in ((own, other), (other, own))]
    centres = [fits.centre_mm[:, one].T for one in instead]
    rims = [
        np.where(
            (one >= 0)[:, None, None],
            variance * fits.covariance[rest] + fits.beside[rest],
            _NOWHERE_MM2 * np.eye(3),
        )
        for one, rest in zip((own, other), instead, strict=True)
    ]
    planes = batch.own_planes.of(views)
    axes = np.array([np.array(one) for one in (planes.row, planes.column, planes.normal)])
    axes = np.ascontiguousarray(axes.transpose(2, 0, 1))
    turned = axes.transpose(0, 2, 1)
    apart = matmul3(axes, (centres[1] - centres[0])[:, :, None])[:, :, 0]
    spread = [np.diagonal(matmul3(matmul3(axes, one), turned), axis1=1, axis2=2) for one in rims]
    moved, doubt = _moved(apart, spread[0] + _SHAPE_MM**2, spread[1])
    first = rims[0] + _SHAPE_MM**2 * np.eye(3)
    second = rims[1] + matmul3(turned, moved[:, :, None] * axes)
    inverse = inverse3(first + second)
    stays, goes = matmul3(second, inverse), matmul3(first, inverse)
    shift = matmul3(goes, (centres[1] - centres[0])[:, :, None])[:, :, 0]
    covariance = matmul3(stays, first) + matmul3(turned, doubt[:, :, None] * axes)
    of_rims = matmul3(matmul3(stays, rims[0]), stays.transpose(0, 2, 1))
    of_rims = of_rims + matmul3(matmul3(goes, rims[1]), goes.transpose(0, 2, 1))
    centre = (centres[0] + shift).T
    radius = _radii(fits, instead[0], centre)
    normals = axes[:, 2:]
    along = matmul3(matmul3(normals, covariance), normals.transpose(0, 2, 1))[:, 0, 0]
    held = along < _HELD_MM**2
    _keep(found, views[held], centre[:, held], radius[held], covariance[held])
    found.of_rims[:, views[held]] = _parts(of_rims[held])
    told = (own >= 0) & (other >= 0)
    told &= np.maximum(spread[0][:, 2], spread[1][:, 2]) < _NOWHERE_MM2 / 2
    facing = facing_of(planes.normal)
    some = views[told]
    found.moved_mm[some] = (0.0 - facing * apart[:, 2])[told]
    found.moved_se_mm[some] = np.sqrt(spread[0][:, 2] + spread[1][:, 2])[told]
    _cross(batch, found, views, (stays, goes), rims)


def _moved(apart: Array, own: Array, other: Array) -> tuple[Array, Array]:
    """What stands for the patient's movement between two centres, along each axis, mm².

    Parameters
    ----------
    apart
        (K, 3) how far the other view's centre lies from the view's own.
    own, other
        (K, 3) their variances.

    Returns
    -------
    two (K, 3) arrays
        A variance that, added to the other view's, weighs both centres as the mixture does; and
        what the variance of their mean holds more for not knowing whether the patient moved.
    """
    still, far = (own + other + sd * sd for sd in (STILL_MM, MOVED_MM))
    against = 0.5 * apart * apart * (1.0 / far - 1.0 / still)
    odds = (1.0 - MOVED_SHARE) / MOVED_SHARE * np.sqrt(far / still)
    share = 1.0 / (1.0 + odds * each(math.exp, np.maximum(against, -700.0).ravel()).reshape(-1, 3))
    kept, kept_far = ((other + sd * sd) / (own + other + sd * sd) for sd in (STILL_MM, MOVED_MM))
    weight = (1.0 - share) * kept + share * kept_far
    doubt = share * (1.0 - share) * ((kept_far - kept) * apart) ** 2
    given = (1.0 - share) * own / still + share * own / far
    return np.maximum(own * weight / given - other, 0.0), doubt


def _radii(fits: _Fits, which: Places, centre: Array) -> Array:
    """(K,) mean distances of rims from centres."""
    found = np.zeros(len(which))
    start, count = fits.start[which], fits.count[which]
    for some in parts_of(count):
        sets = PointSets.of_runs(fits.points, start[some], count[some])
        away = lengths(sets.points - centre[:, None, some])
        found[some] = sets.sum(away) / sets.count
    return found


def _keep(found: Stacks, views: Places, centre: Array, radius: Array, covariance: Array) -> None:
    found.there[views] = True
    found.centre_mm[:, views], found.radius_mm[views] = centre, radius
    found.covariance[:, views] = _parts(covariance)


def _parts(matrix: Array) -> Array:
    """(6, K) parts of (K, 3, 3) symmetric matrices."""
    return np.asarray(matrix[:, (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)].T)


def _cross(
    batch: ReadingBatch,
    found: Stacks,
    views: Places,
    weights: tuple[Array, Array],
    rims: list[Array],
) -> None:
    """Covariance of a hip's two centres, both of which were weighed from the same two rims."""
    place = np.full(len(batch.own) + 1, -1)
    place[views[found.there[views]]] = np.flatnonzero(found.there[views])
    a, b = place[batch.view_of]
    both = np.flatnonzero((a >= 0) & (b >= 0) & ~batch.frames_differ)
    a, b = a[both], b[both]
    stays, goes = weights
    by_first = matmul3(matmul3(stays[a], rims[0][a]), goes[b].transpose(0, 2, 1))
    by_second = matmul3(matmul3(goes[a], rims[0][b]), stays[b].transpose(0, 2, 1))
    found.crossed[both] = by_first + by_second


def _refuse_without(batch: ReadingBatch, views: Places, found: Stacks, refusals: Refusals) -> None:
    """Refuse the hips with an arc in a view that has no head."""
    holds_arcs = np.zeros(len(batch.own), bool)
    holds_arcs[batch.slice_view[batch.arc_slice]] = True
    for view in views[holds_arcs[views] & ~found.there[views]].tolist():
        hip = int(batch.hip[view])
        if batch.frames_differ[hip]:
            refusals.note_method(hip, _TWO_FRAMES, Stage.STACK)
        else:
            problem = f"{batch.views.view[view].label} view: {_ONE_RIM}"
            refusals.note(hip, Refused(RimError, problem), Stage.STACK)


def _fill(batch: ReadingBatch, found: Stacks) -> None:
    """Cut the heads by the slices of their views, and take the arcs about their centres."""
    slices = np.flatnonzero(found.there[batch.slice_view])
    if not len(slices):
        return
    planes, of_view = batch.planes.of(slices), batch.slice_view[slices]
    centre, radius = found.centre_mm[:, of_view], found.radius_mm[of_view]
    height = above(centre, planes)
    with np.errstate(invalid="ignore"):
        circle = np.sqrt(radius * radius - height * height)
    misses = np.abs(height) >= radius
    column_of = np.full(len(batch.slice_view), -1)
    column_of[slices] = np.arange(len(slices))
    arcs_of = np.flatnonzero(column_of[batch.arc_slice] >= 0)
    arcs = arcs_about(
        batch.arc_points(arcs_of),
        column_of[batch.arc_slice[arcs_of]],
        np.array(in_plane(centre, planes)),
        circle,
    )
    angle = np.abs(arcs.extent_deg)
    marks = list(zip((arcs.low + angle / 2).tolist(), angle.tolist(), strict=True))
    bounds = np.searchsorted(arcs.circle, np.arange(len(slices) + 1)).tolist()
    faulty, offsets = arcs.fault.any(), (-height).tolist()
    views, missed = of_view.tolist(), misses.tolist()
    stacks: dict[int, list[SliceArcs]] = {}
    radius_of = dict(zip(views, radius.tolist(), strict=True))
    for column, (view, offset) in enumerate(zip(views, offsets, strict=True)):
        stack = stacks.setdefault(view, [])
        first, last = bounds[column : column + 2]
        if view in found.problems or (missed[column] and first == last):
            continue
        problem = outside(offset) if missed[column] else ""
        kind: type[GeometryError] = GeometryError
        if faulty and not problem:
            faults = [place for place in range(first, last) if arcs.fault[place]]
            kind, problem = ArcError, arcs.problem(faults[0]) if faults else ""
        if problem:
            label = batch.views.view[view].label
            text = f"{label} view, slice at {offset:.1f} mm: {problem}"
            found.problems[view] = Refused(kind, text)
        else:
            stack.append(SliceArcs(offset, tuple(marks[first:last])))
    for view, stack in stacks.items():
        if view not in found.problems:
            found.slices[view] = OrderedSlices.of(stack, radius_of[view])
            found.count[view] = len(stack)


def _outer(first: Array, second: Array) -> Array:
    """(3, 3, K) products of the components of two (3, K) vectors."""
    return np.asarray(first[:, None] * second)
