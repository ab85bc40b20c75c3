"""The head circle of every view, and whether both views of a hip show one and the same head.

Which marks hold the circle, which are left out, which look misplaced.

Of a collapsed head the rim within the necrotic arc is no longer round: it is left out, and the ends
of the arc, which lie on what has not moved, count as rim in its place. The circle is then that of
the head before it collapsed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import Mark
from necroangle.errors import ArcError, GeometryError, RimError
from necroangle.geometry import Circle, CircleFit, ImagePlane, SphereFit, WeightedRadius, fit_circle
from necroangle.geometry.arc import ArcColumns, arcs_about, each
from necroangle.geometry.circle import Circles, directions_deg, fit_circles, least_span_deg
from necroangle.geometry.point_sets import PointSets, parts_of, runs
from necroangle.geometry.sphere import Spheres, ball_fault, fit_spheres
from necroangle.geometry.vectors import cross3, dot3, quadratic2
from necroangle.measurement.marks import PlaneColumns, ReadingBatch, in_patient, plane_points
from necroangle.measurement.method import Settings
from necroangle.measurement.misplaced import Misplaced, misplaced_in_sets
from necroangle.measurement.refusals import Refusals, Stage
from necroangle.protocol.pair_error import RADIUS_MM
from necroangle.terms import View

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

_MAX_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The head circles of V views.

    Attributes
    ----------
    circles
        The circles; zeros where there is none.
    unit_mm
        (V,) how long a millimetre of marking is: where mm are those of a radiograph, magnified or
        none at all, the share of the head's radius that it is of one of 24 mm. Every limit in mm is
        meant in it.
    there
        (V,) whether there is one: a rim is marked, and nothing is wrong with it nor with the arcs.
    count
        (V,) marks that the circle was fitted to.
    arcs
        The arcs on the views' own slices about their circles.
    collapsed
        (V,) whether the circle is that of the head before it collapsed.
    left_out
        Rim marks, from 0, that a collapsed head leaves out, by view; only of collapsed ones.
    misplaced
        The rim marks that look misplaced, by view. They are named, not removed.
    used
        (2, M) points that the circles were fitted to, plane mm: runs of them.
    used_mm
        (3, M) the same in patient mm.
    used_start
        (V,) where the run of each view begins; ``count`` is its length.
    """

    circles: Circles
    unit_mm: Array
    there: Bools
    count: Places
    arcs: ArcColumns
    collapsed: Bools
    left_out: dict[int, tuple[int, ...]]
    misplaced: dict[int, tuple[Misplaced, ...]]
    used: Array
    used_mm: Array
    used_start: Places


def head_circle(rim: Iterable[Mark], plane: ImagePlane) -> CircleFit:
    """Head circle of rim marks alone, in plane mm.

    Raises
    ------
    RimError
        As :func:`necroangle.geometry.fit_circle`.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> rim = [Mark.at_plane(plane, u, v) for u, v in ((24, 0), (0, 24), (-24, 0), (0, -24))]
    >>> round(head_circle(rim, plane).circle.radius_mm, 9)
    24.0
    >>> head_circle(rim[:2], plane)
    Traceback (most recent call last):
    ...
    necroangle.errors.RimError: a head circle needs 3 rim points in different places, found 2
    """
    return fit_circle(plane_points(rim, plane))


def marking_unit_mm(view: View, circle: Circle | None) -> float:
    """How long a millimetre of marking is in a view: as :attr:`Heads.unit_mm`.

    Examples
    --------
    >>> marking_unit_mm(View.AP, Circle((0.0, 0.0), 120.0))  # of a film of pixels
    5.0
    """
    return circle.radius_mm / RADIUS_MM if circle and view.is_radiograph else 1.0


def fit_heads(
    batch: ReadingBatch, settings: Settings, refusals: Refusals, *, judged: bool = True
) -> Heads:
    """Find the head circle of every view that has a rim; note what gives none.

    Without ``judged``, misplaced marks are not looked for: the circles are the same.
    """
    work = _Work(batch, _prior(settings), refusals)
    work.fit(work.rim_start, work.rim_count, np.flatnonzero(batch.marked))
    work.refuse_arcs()
    sunken = batch.collapsed & work.has_arcs & work.there
    inside = work.leave_out_sectors(np.flatnonzero(sunken))
    planes = batch.own_planes.of(np.repeat(np.arange(len(work.count)), work.count))
    used = work.points[:, runs(work.start, work.count)]
    first = np.cumsum(work.count) - work.count
    scaled = batch.flat & work.there
    unit = np.where(scaled, work.circles.radius_mm / RADIUS_MM, 1.0)
    return Heads(
        circles=work.circles,
        unit_mm=unit,
        there=work.there,
        count=work.count,
        arcs=work.arcs(),
        collapsed=sunken & work.there,
        left_out={view: tuple(np.flatnonzero(one).tolist()) for view, one in inside.items()},
        misplaced=_misplaced(batch, inside, np.flatnonzero(work.there), unit) if judged else {},
        used=used,
        used_mm=np.array(in_patient(used, planes)),
        used_start=first,
    )


def circles_of_runs(
    points: Array, start: Places, count: Places, prior: WeightedRadius | None
) -> tuple[Circles, dict[int, str]]:
    """Circles of runs of (2, M) points, and which of the runs give none, and why."""
    found = Circles.none(len(count))
    problems: dict[int, str] = {}
    for some in parts_of(count):
        sets = PointSets.of_runs(points, start[some], count[some])
        circles = fit_circles(sets, prior)
        faults = circles.faults(sets, least_span_deg(prior))
        sound = np.ones(len(some), bool)
        sound[list(faults)] = False
        found.put(some, circles, sound)
        problems |= {int(some[place]): problem for place, problem in faults.items()}
    return found, problems


class _Work:
    """The circles as they stand, with the points that each was fitted to."""

    def __init__(
        self, batch: ReadingBatch, prior: WeightedRadius | None, refusals: Refusals
    ) -> None:
        size = len(batch.own)
        self.batch, self.prior, self.refusals = batch, prior, refusals
        self.calibrated = np.array(batch.views.calibrated, bool)
        self.points = batch.points
        self.rim_start, self.rim_count = batch.rim_start[batch.own], batch.rim_count[batch.own]
        self.start, self.count = self.rim_start.copy(), self.rim_count.copy()
        self.circles = Circles.none(size)
        self.there = batch.marked.copy()
        arcs = batch.own_arcs
        self.own_arcs, self.arc_view = arcs, batch.slice_view[batch.arc_slice[arcs]]
        self.has_arcs = np.bincount(self.arc_view, minlength=size) > 0

    def fit(self, start: Places, count: Places, views: Places) -> None:
        """Fit circles of some views to runs of the points; note those that give none.

        A radius that is known in mm says nothing where there are none.
        """
        if self.prior is not None and not self.calibrated[views].all():
            for some in (self.calibrated[views], ~self.calibrated[views]):
                prior = self.prior if self.calibrated[views[some]].any() else None
                self._fit(start, count, views[some], prior)
        else:
            self._fit(start, count, views, self.prior)

    def _fit(
        self, start: Places, count: Places, views: Places, prior: WeightedRadius | None
    ) -> None:
        found, problems = circles_of_runs(self.points, start[views], count[views], prior)
        sound = np.ones(len(views), bool)
        for place, problem in problems.items():
            sound[place] = False
            self.refuse(int(views[place]), RimError, problem)
        self.circles.put(views, found, sound)

    def refuse(self, view: int, kind: type[GeometryError], problem: str) -> None:
        """Note what is wrong with a view, and leave it out from here on."""
        hip, side = self.batch.views.hip[view], self.batch.views.side[view]
        label = self.batch.views.view[view].label
        self.refusals.note_view(hip, side, Stage.MARKS, kind, f"{label} view: {problem}")
        self.there[view] = False

    def arcs(self, views: Places | None = None) -> ArcColumns:
        """The arcs of views that have a circle; of all, or of some."""
        wanted = self.there
        if views is not None:
            wanted = np.zeros(len(wanted), bool)
            wanted[views] = True
        some = np.flatnonzero(wanted[self.arc_view])
        centre, radius = self.circles.centre_mm, self.circles.radius_mm
        points = self.batch.arc_points(self.own_arcs[some])
        return arcs_about(points, self.arc_view[some], centre, radius)

    def refuse_arcs(self, views: Places | None = None) -> ArcColumns:
        """The same; note the views that have a faulty one."""
        arcs = self.arcs(views)
        for place in np.flatnonzero(arcs.fault).tolist():
            view = int(arcs.circle[place])
            if self.there[view]:
                self.refuse(view, ArcError, arcs.problem(place))
        return arcs

    def leave_out_sectors(self, views: Places) -> dict[int, Bools]:
        """Leave out the marks within the arcs and take the arcs' ends, until the choice is stable.

        Gives, by view, which of its rim marks lie within.
        """
        inside = {view: np.zeros(self.rim_count[view], bool) for view in views.tolist()}
        open_ = views
        for _ in range(_MAX_ROUNDS):
            if not len(open_):
                break
            arcs = self.arcs(open_)
            parts, stable = [], []
            for view in open_.tolist():
                now = self._within(view, arcs)
                parts.append(self._kept_and_ends(view, now))
                stable.append(np.array_equal(now, inside[view]))
                inside[view] = now
            self._append(open_, parts)
            self.fit(self.start, self.count, open_)
            settled = np.array(stable) | ~self.there[open_]
            self.refuse_arcs(open_[self.there[open_]])
            open_ = open_[~settled & self.there[open_]]
        return {view: one for view, one in inside.items() if self.there[view]}

    def _within(self, view: int, arcs: ArcColumns) -> Bools:
        first, last = np.searchsorted(arcs.circle, (view, view + 1)).tolist()
        start, count = int(self.rim_start[view]), int(self.rim_count[view])
        rim = self.batch.points[:, start : start + count]
        directions = directions_deg(rim - self.circles.centre_mm[:, view : view + 1])
        inside = np.zeros(count, bool)
        low, high = arcs.low[first:last], arcs.low[first:last] + np.abs(arcs.extent_deg[first:last])
        for one, other in zip(low.tolist(), high.tolist(), strict=True):
            inside |= (directions - one) % 360.0 <= other - one
        return inside

    def _kept_and_ends(self, view: int, inside: Bools) -> Array:
        """The rim marks that are kept, and the two ends of each arc after them."""
        start = int(self.rim_start[view])
        rim = self.batch.points[:, start : start + len(inside)][:, ~inside]
        first, last = np.searchsorted(self.arc_view, (view, view + 1)).tolist()
        ends = self.batch.arc_points(self.own_arcs[first:last])[:, :2]
        return np.concatenate((rim, ends.transpose(0, 2, 1).reshape(2, -1)), axis=1)

    def _append(self, views: Places, parts: list[Array]) -> None:
        """Put points behind all others, and let the runs of some views be these."""
        count = np.array([part.shape[1] for part in parts], np.intp)
        self.start[views] = self.points.shape[1] + np.cumsum(count) - count
        self.count[views] = count
        self.points = np.concatenate((self.points, *parts), axis=1)


def _misplaced(
    batch: ReadingBatch, inside: dict[int, Bools], views: Places, unit_mm: Array
) -> dict[int, tuple[Misplaced, ...]]:
    """The misplaced marks of some views, those left out not counting."""
    start, count = batch.rim_start[batch.own][views], batch.rim_count[batch.own][views]
    found = {}
    for some in parts_of(count):
        sets = PointSets.of_runs(batch.points, start[some], count[some])
        chosen = sets.keep > 0
        for column, view in enumerate(views[some].tolist()):
            if view in inside:
                chosen[: len(inside[view]), column] &= ~inside[view]
        kept = PointSets.chosen(sets.points / unit_mm[views[some]], chosen)
        for column, marks in misplaced_in_sets(kept).items():
            places, view = np.flatnonzero(chosen[:, column]).tolist(), int(views[some[column]])
            unit = float(unit_mm[view])
            found[view] = tuple(Misplaced(places[mark], away * unit) for mark, away in marks)
    return found


def _prior(settings: Settings) -> WeightedRadius | None:
    prior = settings.radius_prior
    if prior is None:
        return None
    return WeightedRadius(prior.radius_mm, math.pow(settings.rim_sd_mm / prior.sd_mm, 2))


# ---- both views of a hip held against each other -------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeadJudge:
    """What the two views say of each other.

    Attributes
    ----------
    sphere
        The joint sphere, patient LPS mm.
    centre_gap_mm
        How far the two circles' centres differ along the line that both slices share (mostly up
        and down): 0 when both show one head that has not moved.
    radius_gap_mm
        Difference of the head's radius, B view less A view, each circle brought to the centre.
    p_value
        Chance of the two circles to differ this much from one sphere by click noise alone (F test
        of 4 against 6 parameters); None where the marks have no freedom left.
    a_offset_mm, b_offset_mm
        Signed distance of each slice from the centre that the other view found: coronal positive
        behind it, sagittal positive to the patient's left.
    a_offset_unit, b_offset_unit
        Standard error of each offset for a click noise of 1 mm.

    References
    ----------
    F test of nested least squares: ``((RSS_sphere - RSS_two) / 2) / (RSS_two / (n - 6))``.

    Examples
    --------
    >>> from necroangle.measurement.measuring import measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> judge = measure(readings_of(sample_studies()["plain"])[0]).judge
    >>> round(judge.sphere.sphere.radius_mm, 3), abs(round(judge.centre_gap_mm, 6))
    (24.0, 0.0)
    >>> round(judge.a_offset_mm, 2), round(judge.b_offset_mm, 2)  # of the two marked slices
    (0.3, 0.6)
    """

    sphere: SphereFit
    centre_gap_mm: float
    radius_gap_mm: float
    p_value: float | None
    a_offset_mm: float
    b_offset_mm: float
    a_offset_unit: float
    b_offset_unit: float


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """What the two views of P hips say of each other: :class:`HeadJudge`, P times.

    Attributes
    ----------
    hip
        (P,) which hips; growing.
    spheres
        The joint spheres.
    centre_gap, radius_gap, a_offset, b_offset, a_unit, b_unit
        (P,) mm.
    p_value
        (P,) NaN where the marks have no freedom left.
    """

    hip: Places
    spheres: Spheres
    centre_gap: Array
    radius_gap: Array
    p_value: Array
    a_offset: Array
    b_offset: Array
    a_unit: Array
    b_unit: Array

    def judge(self, place: int) -> HeadJudge:
        """One of them by itself."""
        p_value = float(self.p_value[place])
        return HeadJudge(
            sphere=self.spheres.sphere(place),
            centre_gap_mm=float(self.centre_gap[place]),
            radius_gap_mm=float(self.radius_gap[place]),
            p_value=None if math.isnan(p_value) else p_value,
            a_offset_mm=float(self.a_offset[place]),
            b_offset_mm=float(self.b_offset[place]),
            a_offset_unit=float(self.a_unit[place]),
            b_offset_unit=float(self.b_unit[place]),
        )


def judge_heads(batch: ReadingBatch, heads: Heads, free: NDArray[np.bool_]) -> Judges:
    """Hold the two views of every hip against each other that has both, in one frame.

    Parameters
    ----------
    free
        (R,) the hips that can be measured so far.
    """
    both = (batch.view_of >= 0).all(axis=0) & free & ~batch.flat_hip & ~batch.frames_differ
    both[batch.hip[~heads.there]] = False
    hip = np.flatnonzero(both)
    spheres, problems = _joint_spheres(heads, *batch.view_of[:, hip])
    if problems:  # both views in one plane: they say nothing of each other
        kept = np.ones(len(hip), bool)
        kept[list(problems)] = False
        hip, spheres = hip[kept], spheres.some(kept)
    return _judged(batch, heads, hip, spheres)


def _judged(batch: ReadingBatch, heads: Heads, hip: Places, spheres: Spheres) -> Judges:
    a, b = batch.view_of[:, hip]
    planes, radius = batch.own_planes, heads.circles.radius_mm
    normals = planes.normal
    u, v = heads.circles.centre_mm
    centres = in_patient((u, v), planes)
    shared = cross3([part[a] for part in normals], [part[b] for part in normals])
    length = np.sqrt(dot3(shared, shared))
    with np.errstate(all="ignore"):
        gap = dot3([part[b] - part[a] for part in centres], shared) / length
        a_offset, a_unit = _offsets(planes, heads, normals, centres, a, b)
        b_offset, b_unit = _offsets(planes, heads, normals, centres, b, a)
        p_value = _p_values(spheres.rss_mm2, heads, a, b)
    radii = each(math.hypot, radius[a], a_offset), each(math.hypot, radius[b], b_offset)
    return Judges(
        hip=hip,
        spheres=spheres,
        centre_gap=np.where(length > 0, gap, 0.0),
        radius_gap=radii[1] - radii[0],
        p_value=p_value,
        a_offset=a_offset,
        b_offset=b_offset,
        a_unit=a_unit,
        b_unit=b_unit,
    )


def _offsets(
    planes: PlaneColumns,
    heads: Heads,
    normals: tuple[Array, Array, Array],
    centres: tuple[Array, Array, Array],
    slices: Places,
    others: Places,
) -> tuple[Array, Array]:
    """Signed distances of slices from the other views' centres, and their errors for 1 mm."""
    normal = [part[slices] for part in normals]
    facing = facing_of(normal)
    origin = [part[slices] for part in planes.origin]
    between = [part[others] - start for part, start in zip(centres, origin, strict=True)]
    row, column = ([part[others] for part in axis] for axis in planes[1:])
    across = dot3(row, normal), dot3(column, normal)
    uu, uv, _, vv, _, _ = heads.circles.covariance[:, others]
    unit = np.sqrt(quadratic2((uu, uv, vv), across))
    return 0.0 - facing * dot3(between, normal), unit


def facing_of(normal: Sequence[Array]) -> Array:
    """(K,) 1 or -1: slices' normals so turned that they look to the left, behind or upward."""
    size = np.abs(np.array(normal))
    largest = np.take_along_axis(np.array(normal), np.argmax(size, axis=0)[None], axis=0)[0]
    return np.where(largest > 0, 1.0, -1.0)


def _joint_spheres(heads: Heads, a: Places, b: Places) -> tuple[Spheres, dict[int, str]]:
    """Spheres through the points of both circles; which give none, and why."""
    views = np.array((a, b)).T.ravel()
    places = runs(heads.used_start[views], heads.count[views])
    return spheres_of_runs(heads.used_mm[:, places], heads.count[a] + heads.count[b])


def spheres_of_runs(points_mm: Array, count: Places) -> tuple[Spheres, dict[int, str]]:
    """Spheres through sets of (3, M) patient points that stand one after the other.

    Also which of the sets give none, and why.
    """
    found = Spheres.none(len(count))
    problems: dict[int, str] = {}
    start = np.cumsum(count) - count
    for some in parts_of(count):
        sets = PointSets.of_runs(points_mm, start[some], count[some])
        spheres = fit_spheres(sets)
        found.put(some, spheres)
        problems |= {int(some[place]): text for place, text in spheres.faults(sets).items()}
    empty = np.flatnonzero(count == 0).tolist()
    problems |= dict.fromkeys(empty, ball_fault(np.zeros((0, 3))))
    return found, problems


def _p_values(rss: Array, heads: Heads, a: Places, b: Places) -> Array:
    from scipy.special import fdtrc

    count = heads.count[a] + heads.count[b]
    own = heads.circles.rss_mm2
    freedom, apart = count - 6, own[a] + own[b]
    ratio = np.maximum(0.0, (rss - apart) / 2) / (apart / freedom)
    none = (freedom < 1) | (apart < 1e-12 * count)
    return np.where(none, np.nan, fdtrc(2, freedom, ratio))
