"""The head circle of every view: which marks hold it, which are left out, which look misplaced.

Of a collapsed head the rim within the necrotic arc is no longer round: it is left out, and the ends
of the arc, which lie on what has not moved, count as rim in its place. The circle is then that of
the head before it collapsed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import Mark
from necroangle.errors import ArcError, GeometryError, RimError
from necroangle.geometry import Circle, CircleFit, ImagePlane, WeightedRadius, fit_circle
from necroangle.geometry.arc import ArcColumns, arcs_about
from necroangle.geometry.circle import Circles, directions_deg, fit_circles, least_span_deg
from necroangle.geometry.point_sets import PointSets, parts_of, runs
from necroangle.measurement.marks import ReadingBatch, in_patient, plane_points
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
