"""The angle of every view by its method: which slice, which centre, which arcs.

Four modes. ``surface_arc``: the union of the arcs on the view's own slice. ``max_extent``: tangents
from the centre to the lesion's outline. ``largest_slice``: the surface arc on the marked slice
where it is largest, less what the largest of several noisy arcs is too large by. ``centre_plane``:
the surface arc where the plane through the head's centre meets the boundary told by the marked
slices.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import ArcError, GeometryError, MethodError, NecroangleError, RimError
from necroangle.geometry import Arc
from necroangle.geometry.arc import ArcColumns, arcs_about
from necroangle.geometry.sphere import Spheres
from necroangle.geometry.vectors import dot3
from necroangle.measurement.arcs import SliceAngles, extent_angles, surface_angles
from necroangle.measurement.heads import Heads, circles_of_runs
from necroangle.measurement.marks import PlaneColumns, ReadingBatch, above, in_patient, in_plane
from necroangle.measurement.method import Settings
from necroangle.measurement.refusals import Refusals, Refused, Stage
from necroangle.measurement.slices import centre_planes, outside
from necroangle.measurement.stack_heads import Stacks
from necroangle.terms import Finding, Flag

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

_NOTHING_THERE = (Finding.NO_NECROSIS, Finding.OFF_MIDSLICE)


@dataclass(frozen=True, slots=True, eq=False)
class RimRuns:
    """The rims, with their circles and planes, that the centres of V angles come from.

    Attributes
    ----------
    points
        (2, M) plane mm.
    start, count
        (V,) the run of each view; a count of 0 where there is no rim.
    centre_mm, radius_mm, planes
        (2, V), (V,) and (V,) of the circles.
    """

    points: Array
    start: Places
    count: Places
    centre_mm: Array
    radius_mm: Array
    planes: PlaneColumns

    @classmethod
    def of_heads(cls, batch: ReadingBatch, heads: Heads) -> "RimRuns":
        """The views' own."""
        count, circles = np.where(heads.there, heads.count, 0), heads.circles
        places = heads.used_start, count
        return cls(heads.used, *places, circles.centre_mm, circles.radius_mm, batch.own_planes)


@dataclass(slots=True, eq=False)
class ViewAngles:
    """The angles of V views, with what their standard errors need.

    Attributes
    ----------
    angles
        The angles, not rounded; 0 where nothing is marked.
    arcs
        The arcs behind them, about the views' circles.
    there
        (V,) whether a circle stands behind the angle.
    centre_mm, radius_mm
        (2, V) and (V,) that circle, plane mm of the slice that was measured.
    gradient
        (3, V) derivative of the angle by the head's centre in patient mm, radians per mm.
    rims
        The rims behind their centres.
    on_own_slice
        Whether the angles are those on the views' own slices, wherever these lie.
    shift_mm
        (V,) where the measured slice lies from the view's own, along the normal.
    flags
        Doubts of the mode itself, (V,) each.
    """

    angles: SliceAngles
    arcs: ArcColumns
    there: Bools
    centre_mm: Array
    radius_mm: Array
    gradient: Array
    shift_mm: Array
    flags: dict[Flag, Bools]
    rims: RimRuns | None = None
    on_own_slice: bool = True

    @classmethod
    def nothing(cls, size: int) -> "ViewAngles":
        """Views with nothing marked: the angles are 0."""
        return cls(
            angles=SliceAngles.none(size),
            arcs=ArcColumns.of([]),
            there=np.zeros(size, bool),
            centre_mm=np.zeros((2, size)),
            radius_mm=np.zeros(size),
            gradient=np.zeros((3, size)),
            shift_mm=np.zeros(size),
            flags={},
        )

    def on_slices(self, planes: PlaneColumns) -> None:
        """Let the gradients be those of the angles in the planes of their slices."""
        u, v = self.angles.pull
        pairs = zip(planes.row, planes.column, strict=True)
        self.gradient = np.array([u * along + v * down for along, down in pairs])


@dataclass(frozen=True, slots=True)
class _Work:
    """What a mode is given: the marks, what was made of them, and where refusals are noted."""

    batch: ReadingBatch
    heads: Heads
    spheres: Spheres | None
    sphere_of: Places
    stacks: Stacks
    settings: Settings
    refusals: Refusals

    def refuse(self, view: int, kind: type[NecroangleError], problem: str, *step: int) -> None:
        facts = self.batch.views
        self.refusals.note_view(
            facts.hip[view], facts.side[view], Stage.ANGLE, kind, problem, *step
        )

    def label(self, view: int) -> str:
        return self.batch.views.view[view].label

    def free_views(self) -> Bools:
        return self.refusals.free[self.batch.hip]

    def cut(self, slices: Places) -> tuple[Array, Array, Array]:
        """(2, K) centres, radii and heights of the circles in which slices cut the joint sphere."""
        assert self.spheres is not None  # noqa: S101
        place = self.sphere_of[self.batch.hip[self.batch.slice_view[slices]]]
        planes, centre = self.batch.planes.of(slices), self.spheres.centre_mm[:, place]
        radius, height = self.spheres.radius_mm[place], above(centre, planes)
        with np.errstate(invalid="ignore"):
            circle = np.sqrt(radius * radius - height * height)
        return np.array(in_plane(centre, planes)), circle, height


def angles_of(
    mode: str,
    batch: ReadingBatch,
    heads: Heads,
    sphere: tuple[Spheres, Places] | None,
    stacks: Stacks,
    settings: Settings,
    refusals: Refusals,
) -> ViewAngles:
    """The angles of all views; what gives none is noted.

    Parameters
    ----------
    mode
        ``"surface_arc"``, ``"max_extent"``, ``"largest_slice"`` or ``"centre_plane"``.
    sphere
        The joint spheres where their centres are to be used, with (R,) which is whose; None for
        the views' own circles.
    """
    spheres, sphere_of = sphere or (None, np.zeros(0, np.intp))
    work = _Work(batch, heads, spheres, sphere_of, stacks, settings, refusals)
    found = _MODES[mode](work)
    if found.rims is None:
        found.rims = RimRuns.of_heads(batch, heads)
    found.on_own_slice = mode in _ON_OWN_SLICE
    return found


def _surface(work: _Work) -> ViewAngles:
    batch, heads = work.batch, work.heads
    if work.spheres is not None:
        return _surface_about_spheres(work)
    found = ViewAngles.nothing(len(batch.own))
    circles = heads.circles
    found.there, found.arcs = heads.there.copy(), heads.arcs
    found.centre_mm, found.radius_mm = circles.centre_mm, circles.radius_mm
    with np.errstate(all="ignore"):  # of a faulty arc, whose hip has been refused
        found.angles = surface_angles(heads.arcs, circles.radius_mm)
    found.on_slices(batch.own_planes)
    return found


def _surface_about_spheres(work: _Work) -> ViewAngles:
    batch = work.batch
    found = ViewAngles.nothing(len(batch.own))
    views = np.flatnonzero(work.heads.there & work.free_views())
    _about_spheres(work, found, views)
    arcs = batch.own_arcs
    mine = np.zeros(len(batch.own), bool)
    mine[views] = True
    view = batch.slice_view[batch.arc_slice[arcs]]
    some = np.flatnonzero(mine[view])
    found.arcs = arcs_about(
        batch.arc_points(arcs[some]), view[some], found.centre_mm, found.radius_mm
    )
    for place in np.flatnonzero(found.arcs.fault).tolist():
        work.refuse(int(found.arcs.circle[place]), ArcError, found.arcs.problem(place), 1, place)
    with np.errstate(all="ignore"):
        found.angles = surface_angles(found.arcs, found.radius_mm)
    found.on_slices(batch.own_planes)
    return found


def _about_spheres(work: _Work, found: ViewAngles, views: Places) -> None:
    """Let the circles of some views be those in which their slices cut the joint sphere."""
    found.there[views] = True
    centre, radius, height = work.cut(work.batch.own[views])
    found.centre_mm[:, views], found.radius_mm[views] = centre, radius
    for place in np.flatnonzero(np.isnan(radius) | (radius <= 0)).tolist():
        work.refuse(int(views[place]), GeometryError, outside(float(height[place])), 0)


def _extent(work: _Work) -> ViewAngles:
    batch, heads = work.batch, work.heads
    found = ViewAngles.nothing(len(batch.own))
    count = np.array(batch.views.contour_count, np.intp)
    free = work.free_views()
    for view in np.flatnonzero(free & (count == 0)).tolist():
        if batch.views.finding[view] not in _NOTHING_THERE:
            text = f"{work.label(view)} view: max_extent needs the lesion's outline (contour)"
            work.refuse(view, MethodError, text)
    for view in np.flatnonzero(free & (count > 0) & ~heads.there).tolist():
        work.refuse(view, MethodError, f"{work.label(view)} view: max_extent needs the head's rim")
    views = np.flatnonzero(free & (count > 0) & heads.there)
    found.there[views] = True
    if work.spheres is not None:
        _about_spheres(work, found, views)
    else:
        found.centre_mm[:, views] = heads.circles.centre_mm[:, views]
        found.radius_mm[views] = heads.circles.radius_mm[views]
    start = np.array(batch.views.contour_start, np.intp)
    centre, radius = found.centre_mm[:, views], found.radius_mm[views]
    with np.errstate(all="ignore"):
        angles, arcs = extent_angles(batch.points, start[views], count[views], centre, radius)
    found.angles.put(views, angles)
    found.arcs = arcs.some(arcs.circle, views)
    found.on_slices(batch.own_planes)
    return found


def _largest(work: _Work) -> ViewAngles:
    """Of all marked slices of a view the first with the largest angle.

    The largest of several angles is too large, for each errs: it is drawn towards their mean by as
    much as their scatter is no larger than the noise of arc ends makes it.
    """
    batch = work.batch
    own = _surface(work)
    if len(batch.slice_view) == len(batch.own):
        return own
    beside = _Beside.of(work)
    angle, ends = np.zeros((2, len(batch.slice_view)))
    angle[batch.own], ends[batch.own] = own.angles.angle_deg, own.angles.ends
    angle[beside.slices], ends[beside.slices] = beside.angles.angle_deg, beside.angles.ends
    largest = np.maximum.reduceat(angle, batch.own)
    first = np.flatnonzero(angle == largest[batch.slice_view])
    chosen = first[np.unique(batch.slice_view[first], return_index=True)[1]]
    column_of = np.full(len(batch.slice_view), -1)
    column_of[beside.slices] = np.arange(len(beside.slices))
    views = np.flatnonzero(column_of[chosen] >= 0)
    columns = column_of[chosen[views]]
    found = beside.instead(work, own, views, columns)
    found.angles.angle_deg[:] -= _luck_deg(angle, ends * _end_variance(work), batch.slice_view)
    return found


def _end_variance(work: _Work) -> Array:
    """(S,) variance of the arc ends of each slice, mm²."""
    readers = work.batch.hips.reader
    noise = {name: work.settings.noise_of(name).sd_mm for name in set(readers)}
    sd = np.array([noise[name] for name in readers], float)
    return np.asarray(sd[work.batch.hip[work.batch.slice_view]] ** 2)


def _luck_deg(angle_deg: Array, variance: Array, view: Places) -> Array:
    """(V,) by how much the largest angle of each view's slices is too large, degrees.

    Of n angles that scatter by s² about their mean, each with the noise σ², what is left of their
    distance from the mean is the share ``1 - σ² / s²`` (positive-part shrinkage).

    Parameters
    ----------
    angle_deg, variance
        (S,) of the slices, degrees and radians²; slices without an arc have no part in it.
    view
        (S,) which view each is of.

    References
    ----------
    B. Efron and C. Morris, J. Am. Stat. Assoc. 68 (1973) 117, doi 10.1080/01621459.1973.10481350.

    Examples
    --------
    >>> same, unlike = np.array([98.0, 104.0, 99.0, 101.0]), np.array([60.0, 100.0, 90.0, 70.0])
    >>> noise, view = np.full(4, np.radians(3.4) ** 2), np.zeros(4, int)
    >>> [round(float(_luck_deg(one, noise, view)[0]), 1) for one in (same, unlike)]
    [3.5, 0.7]
    """
    size = int(view.max(initial=-1)) + 1
    some = np.flatnonzero(angle_deg > 0)
    of, angle = view[some], angle_deg[some]
    number = np.bincount(of, minlength=size)
    with np.errstate(all="ignore"):
        mean = np.bincount(of, angle, size) / number
        noise = np.bincount(of, variance[some], size) / number * (180.0 / np.pi) ** 2
        scatter = np.bincount(of, (angle - mean[of]) ** 2, size) / (number - 1)
        share = np.minimum(noise / scatter, 1.0)
    largest = np.zeros(size)
    np.maximum.at(largest, of, angle)
    return np.where((number > 1) & (scatter > 0), share * (largest - mean), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Beside:
    """The neighbouring slices with arcs, about their own circles or the joint sphere.

    With fewer than 3 rim marks a slice takes its view's centre.

    Attributes
    ----------
    slices
        (K,) which slices; growing.
    rims
        The rims that the circles were fitted to.
    """

    slices: Places
    centre_mm: Array
    radius_mm: Array
    rims: RimRuns
    arcs: ArcColumns
    angles: SliceAngles

    @classmethod
    def of(cls, work: _Work) -> "_Beside":
        batch = work.batch
        free = work.free_views()[batch.slice_view]
        holds_arcs = np.bincount(batch.arc_slice, minlength=len(batch.slice_view)) > 0
        slices = np.flatnonzero(~batch.is_own & holds_arcs & free)
        if work.spheres is not None:
            centre, radius, height = work.cut(slices)
            for place in np.flatnonzero(np.isnan(radius) | (radius <= 0)).tolist():
                problem = outside(float(height[place]))
                _refuse_beside(work, slices, place, GeometryError, problem)
        else:
            count = batch.rim_count[slices]
            rimmed = np.flatnonzero(count >= 3)
            circles, problems = circles_of_runs(
                batch.points, batch.rim_start[slices[rimmed]], count[rimmed], None
            )
            for place, problem in problems.items():
                _refuse_beside(work, slices, int(rimmed[place]), RimError, problem)
            centre, radius = np.zeros((2, len(slices))), np.zeros(len(slices))
            centre[:, rimmed], radius[rimmed] = circles.centre_mm, circles.radius_mm
            rest = np.flatnonzero(count < 3)
            _take_views_centre(work, slices, rest, centre, radius)
        column_of = np.full(len(batch.slice_view), -1)
        column_of[slices] = np.arange(len(slices))
        arcs_of = np.flatnonzero(column_of[batch.arc_slice] >= 0)
        column = column_of[batch.arc_slice[arcs_of]]
        arcs = arcs_about(batch.arc_points(arcs_of), column, centre, radius)
        for place in np.flatnonzero(arcs.fault).tolist():
            problem = arcs.problem(place)
            _refuse_beside(work, slices, int(column[place]), ArcError, problem, 1, place)
        with np.errstate(all="ignore"):
            angles = surface_angles(arcs, radius)
        rims = _rims_beside(work, slices, centre, radius)
        return cls(slices, centre, radius, rims, arcs, angles)

    def instead(self, work: _Work, own: ViewAngles, views: Places, columns: Places) -> ViewAngles:
        """The angles of some views replaced by those of neighbouring slices."""
        batch, size = work.batch, len(work.batch.own)
        found = ViewAngles.nothing(size)
        found.angles.put(np.arange(size), own.angles)
        found.angles.put(views, self.angles.of(columns))
        found.there = own.there | np.isin(np.arange(size), views)
        found.centre_mm, found.radius_mm = own.centre_mm.copy(), own.radius_mm.copy()
        chosen = batch.planes.of(self.slices[columns])
        centre = in_patient(self.centre_mm[:, columns], chosen)
        found.centre_mm[:, views] = in_plane(centre, batch.own_planes.of(views))
        found.radius_mm[views] = self.radius_mm[columns]
        found.arcs = self._arcs_instead(own.arcs, views, columns)
        slices = batch.own.copy()
        slices[views] = self.slices[columns]
        measured = batch.planes.of(slices)
        found.on_slices(measured)
        found.shift_mm = above(np.array(measured.origin), batch.own_planes) + 0.0
        found.rims = self._rims_instead(work, views, columns)
        return found

    def _rims_instead(self, work: _Work, views: Places, columns: Places) -> RimRuns:
        own = RimRuns.of_heads(work.batch, work.heads)
        start, count = own.start.copy(), own.count.copy()
        centre, radius = own.centre_mm.copy(), own.radius_mm.copy()
        start[views], count[views] = self.rims.start[columns], self.rims.count[columns]
        centre[:, views], radius[views] = (
            self.rims.centre_mm[:, columns],
            self.rims.radius_mm[columns],
        )
        axes = [[part.copy() for part in axis] for axis in own.planes]
        for axis, other_axis in zip(axes, self.rims.planes, strict=True):
            for part, other in zip(axis, other_axis, strict=True):
                part[views] = other[columns]
        planes = PlaneColumns(*map(tuple, axes))  # type: ignore[arg-type]
        return RimRuns(self.rims.points, start, count, centre, radius, planes)

    def _arcs_instead(self, own: ArcColumns, views: Places, columns: Places) -> ArcColumns:
        replaced = set(views.tolist())
        view_of = dict(zip(columns.tolist(), views.tolist(), strict=True))
        pairs = [
            (view, own, k) for k, view in enumerate(own.circle.tolist()) if view not in replaced
        ]
        pairs += [
            (view_of[column], self.arcs, k)
            for k, column in enumerate(self.arcs.circle.tolist())
            if column in view_of
        ]
        pairs.sort(key=lambda one: (one[0], one[2]))
        return ArcColumns(
            circle=np.array([view for view, _, _ in pairs], np.intp),
            **{
                name: np.array([getattr(arcs, name)[k] for _, arcs, k in pairs])
                for name in ("start_deg", "extent_deg", "start_gap_mm", "end_gap_mm")
            },
            fault=np.zeros(len(pairs), np.int8),
        )


def _refuse_beside(
    work: _Work,
    slices: Places,
    place: int,
    kind: type[NecroangleError],
    problem: str,
    *step: int,
) -> None:
    view = int(work.batch.slice_view[slices[place]])
    number = int(slices[place] - work.batch.own[view]) - 1
    text = f"{work.label(view)} view, neighbour {number}: {problem}"
    work.refuse(view, kind, text, 2 + number, *step)


def _rims_beside(work: _Work, slices: Places, centre: Array, radius: Array) -> RimRuns:
    """The rims of slices; of their views where they have none of their own."""
    batch, heads = work.batch, work.heads
    view = batch.slice_view[slices]
    own = (batch.rim_count[slices] >= 3) & (work.spheres is None)
    shift = heads.used.shape[1]
    return RimRuns(
        points=np.concatenate((heads.used, batch.points), axis=1),
        start=np.where(own, batch.rim_start[slices] + shift, heads.used_start[view]),
        count=np.where(own, batch.rim_count[slices], np.where(heads.there, heads.count, 0)[view]),
        centre_mm=np.where(own, centre, heads.circles.centre_mm[:, view]),
        radius_mm=np.where(own, radius, heads.circles.radius_mm[view]),
        planes=batch.planes.of(np.where(own, slices, batch.own[view])),
    )


def _take_views_centre(
    work: _Work, slices: Places, rest: Places, centre: Array, radius: Array
) -> None:
    """Let the circles of slices without a rim be their views' own, projected on the slice."""
    batch, circles = work.batch, work.heads.circles
    view = batch.slice_view[slices[rest]]
    u, v = circles.centre_mm[:, view]
    patient = in_patient((u, v), batch.own_planes.of(view))
    centre[:, rest] = in_plane(patient, batch.planes.of(slices[rest]))
    radius[rest] = circles.radius_mm[view]
    for place in rest[~work.heads.there[view]].tolist():
        problem = "no rim is marked here nor on the view's own slice"
        _refuse_beside(work, slices, place, GeometryError, problem)


def _centre_plane(work: _Work) -> ViewAngles:
    """Angle on the plane through the head's centre, parallel to each view's slices."""
    batch, stacks = work.batch, work.stacks
    found = ViewAngles.nothing(len(batch.own))
    planes = batch.own_planes
    views = np.flatnonzero(stacks.there & work.free_views())
    centre, radius = stacks.centre_mm[:, views], stacks.radius_mm[views]
    of_view = planes.of(views)
    found.there[views] = True
    found.centre_mm[:, views], found.radius_mm[views] = in_plane(centre, of_view), radius
    found.shift_mm[views] = above(centre, of_view)
    slopes = np.zeros((3, len(views)))
    raised = {
        flag: np.zeros(len(batch.own), bool)
        for flag in (Flag.NOT_BRACKETED, Flag.EXTRAPOLATED, Flag.BOUNDED)
    }
    arcs: list[tuple[Arc, ...]] = [()] * len(batch.own)
    sound = [view for view in views.tolist() if view not in stacks.problems]
    read = centre_planes(stacks.slices[view] for view in sound)
    planes_of = dict(zip(sound, read, strict=True))
    for column, view in enumerate(views.tolist()):
        one = planes_of.get(view, stacks.problems.get(view))
        if isinstance(one, Refused):
            work.refuse(view, one.kind, one.problem)
            continue
        if isinstance(one, GeometryError):
            work.refuse(view, type(one), str(one))
            continue
        assert one is not None  # noqa: S101
        slopes_of_ends = np.radians(one.sensitivity.end_deg_per_mm)
        found.angles.angle_deg[view] = found.angles.span_deg[view] = one.angle_deg
        found.angles.ends[view] = float(np.sum(slopes_of_ends**2))
        found.angles.outward[view] = float(np.sum(np.abs(slopes_of_ends)))
        slopes[:, column] = np.radians(one.sensitivity.centre_deg_per_mm)
        arcs[view] = tuple(
            Arc((middle - angle / 2) % 360.0, angle, 0.0, 0.0) for middle, angle in one.arcs
        )
        raised[Flag.NOT_BRACKETED][view] = not one.bracketed
        raised[Flag.EXTRAPOLATED][view] = one.extrapolated
        raised[Flag.BOUNDED][view] = one.bounded
    found.arcs, found.flags = ArcColumns.of(arcs), raised
    axes = zip(of_view.row, of_view.column, of_view.normal, strict=True)
    found.gradient[:, views] = [dot3(list(slopes), along) for along in axes]
    return found


_ON_OWN_SLICE = frozenset({"surface_arc", "max_extent"})

_MODES: dict[str, Callable[[_Work], ViewAngles]] = {
    "surface_arc": _surface,
    "max_extent": _extent,
    "largest_slice": _largest,
    "centre_plane": _centre_plane,
}
