"""The one road from marks to angles, on the screen, in batch and in the table.

It is walked by many readings at once, in arrays; one alone is an array of one, with the same bits.
Marks (:mod:`.marks`) give head circles (:mod:`.heads`), the two views are held against each other
(:mod:`.pairs`), further slices are put about one head (:mod:`.slices`), the method's mode gives the
angles (:mod:`.angles`), the error budget what is known of them (:mod:`.budget`), and what is
doubtful is flagged (:mod:`.doubts`). What cannot be measured is noted on the way
(:mod:`.refusals`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading
from necroangle.errors import GeometryError, PlaneError
from necroangle.geometry import Arc, Circle, ImagePlane
from necroangle.geometry.arc import each
from necroangle.measurement.angles import ViewAngles, angles_of
from necroangle.measurement.arcs import boundary_columns, directions_from_superior
from necroangle.measurement.budget import Budget, JointCentres, budget_of
from necroangle.measurement.doubts import LIMITS, flags_of, hip_doubts, view_doubts
from necroangle.measurement.grades import (
    HA_GRADES,
    HA_RISKS,
    KERBOUL_BINS,
    KOO_KIM_SIZES,
    HaGrade,
    HaRisk,
    KerboulBin,
    is_without_necrosis,
    stored,
)
from necroangle.measurement.heads import HeadJudge, Heads, Judges, fit_heads, judge_heads
from necroangle.measurement.indices import HipIndices, ViewGeometry, hip_indices
from necroangle.measurement.marks import ReadingBatch, in_patient, lay_out
from necroangle.measurement.method import DEFAULT_METHODS, DEFAULTS, Method, Settings
from necroangle.measurement.misplaced import Misplaced
from necroangle.measurement.plausibility import judge_plausibility
from necroangle.measurement.refusals import Refusals, Refused, Stage
from necroangle.measurement.slices import MIN_SLICES, surface_shares
from necroangle.measurement.stack_heads import Stacks, fit_stacks
from necroangle.measurement.uncertainty import Estimate, Estimates, Noise, pooled_noise
from necroangle.protocol.noise import EndNoise
from necroangle.terms import Flag, Laterality, View, Weighting

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

_PLANES = ("sagittal", "coronal", "axial")
_DEG = 180.0 / math.pi


@dataclass(frozen=True, slots=True)
class ViewMeasurement:
    """What the marks of one view say.

    Attributes
    ----------
    view
        Which view.
    estimate
        The angle that the necrotic surface subtends at the head's centre, 0 to 360 degrees,
        stored to 1e-6, with its standard error: the union of the arcs; 0 where no arc reaches the
        surface.
    span_deg
        From the outermost boundary to the other; equals the angle for one arc.
    arcs, circle
        The arcs and the head circle behind the angle, in mm of the view's own plane: what a picture
        draws. They lie ``slice_shift_mm`` from it: see :meth:`lies_on`. The circle is None where no
        rim is marked.
    centre_mm
        Centre of the head circle, where it lies, in patient LPS mm (detector mm on a radiograph),
        or None.
    rim_rms_mm, rim_span_deg, rim_count
        How closely the rim marks follow the circle, how far they reach round it, and how many.
    rim_left_out, rim_misplaced
        Rim marks, from 0, that a collapsed head leaves out, and those that look misplaced.
    edge_gap_mm
        Largest distance of an arc end from the circle, or None without an arc.
    moved_mm
        How far the view's own slices see the head along their normal from where the other view saw
        it, with the standard error; None where either does not tell. See
        :class:`necroangle.measurement.stack_heads.Stacks`.
    slice_shift_mm
        Where the slice that gave the angle lies from the view's own, along its normal; 0 unless
        the method chose another.
    start_deg, end_deg, middle_deg
        Medial (anterior) boundary, lateral (posterior) boundary and middle as angles from
        superior; None without an arc and on a radiograph.
    surface_share
        Necrotic share of the head's surface, 0 to 1, from this view's marked slices; None with
        fewer than three.
    plane_name, obliquity_deg
        Nearest anatomical plane and the tilt from it; None on a radiograph.
    weighting
        What weights the images that were marked; None on a radiograph, and where it is not kept.
    flags
        Doubts, in the order of :class:`necroangle.terms.Flag`.
    """

    view: View
    estimate: Estimate
    span_deg: float
    arcs: tuple[Arc, ...]
    circle: Circle | None
    centre_mm: tuple[float, float, float] | None
    rim_rms_mm: float | None
    rim_span_deg: float | None
    rim_count: int
    rim_left_out: tuple[int, ...]
    rim_misplaced: tuple[Misplaced, ...]
    edge_gap_mm: float | None
    moved_mm: Estimate | None
    slice_shift_mm: float
    start_deg: float | None
    end_deg: float | None
    middle_deg: float | None
    surface_share: float | None
    plane_name: str | None
    obliquity_deg: float | None
    weighting: Weighting | None
    flags: tuple[Flag, ...]

    @property
    def angle_deg(self) -> float:
        """The angle, degrees."""
        return self.estimate.value

    def lies_on(self, own: ImagePlane) -> ImagePlane:
        """The plane on which circle and arcs lie: that of the view's own slice, shifted."""
        if not self.slice_shift_mm:
            return own
        x, y, z = (np.array(own.origin_mm) + self.slice_shift_mm * own.normal).tolist()
        return replace(own, origin_mm=(x, y, z))

    @property
    def arc_count(self) -> int:
        """Number of arcs."""
        return len(self.arcs)

    @property
    def radius_mm(self) -> float | None:
        """Radius of the head circle, mm."""
        return self.circle.radius_mm if self.circle else None


@dataclass(frozen=True, slots=True)
class HipMeasurement:
    """What one reading says by one method.

    Attributes
    ----------
    method, settings
        How it was measured, and what was taken as given.
    a, b
        The A view (coronal or AP) and the B view; None where it was not read.
    judge
        What the two views say of each other; None on radiographs, in two frames of reference, or
        where a rim is missing.
    rim_sd_mm
        Click noise of a rim mark, from the residuals of both views.
    cna
        Combined necrotic angle A + B with its standard error, stored to 1e-6 degree; None where a
        view is missing, or the hip has been replaced.
    ha_grade, ha_risk, kerboul
        Categories of the stored angle; None without one and without necrosis, Ha's only on MR.
    grade_probability, risk_probability
        Probability of grades 1 to 4, and of low, moderate and high risk; empty where there is no
        grade.
    indices
        Derived indices, as far as the marks allow; Koo and Kim's from the angles of this method.
    flags
        Doubts about the hip as a whole; those of a view stand with the view.
    blocked
        Why the number would mean nothing, so that it may not be kept; empty where it may. Only
        :func:`measure_draft` gives such a measurement.
    source
        The columns that this is a view of, and its place in them.

    References
    ----------
    Ha et al. 2006, doi 10.2106/JBJS.F.00535. Kerboul et al. 1974,
    doi 10.1302/0301-620X.56B2.291. Indices: :data:`necroangle.measurement.indices.INDEX_SOURCES`.
    """

    method: Method
    settings: Settings
    a: ViewMeasurement | None
    b: ViewMeasurement | None
    judge: HeadJudge | None
    rim_sd_mm: float
    cna: Estimate | None
    ha_grade: HaGrade | None
    ha_risk: HaRisk | None
    kerboul: KerboulBin | None
    grade_probability: tuple[float, ...]
    risk_probability: tuple[float, ...]
    indices: HipIndices
    flags: tuple[Flag, ...]
    blocked: str
    source: "tuple[Measured, int]" = field(repr=False, compare=False)

    @property
    def cna_deg(self) -> float | None:
        """The combined necrotic angle, degrees."""
        return self.cna.value if self.cna else None

    @property
    def no_necrosis(self) -> bool:
        """Whether the hip was read without necrosis: it has an angle, 0, and no category."""
        measured, place = self.source
        return is_without_necrosis(*measured.batch.hips.statuses[place])

    @property
    def a_slice_offset(self) -> Estimate | None:
        """Signed distance of the A slice from the B view's centre, mm: positive behind it."""
        judge = self.judge
        return Estimate(judge.a_offset_mm, judge.a_offset_unit * self.rim_sd_mm) if judge else None

    @property
    def b_slice_offset(self) -> Estimate | None:
        """Signed distance of the B slice from the A view's centre, mm: positive to the left."""
        judge = self.judge
        return Estimate(judge.b_offset_mm, judge.b_offset_unit * self.rim_sd_mm) if judge else None

    @property
    def a_slice_offset_mm(self) -> float | None:
        """The same without its standard error."""
        return self.judge.a_offset_mm if self.judge else None

    @property
    def b_slice_offset_mm(self) -> float | None:
        """The same without its standard error."""
        return self.judge.b_offset_mm if self.judge else None

    @classmethod
    def of(cls, measured: "Measured", place: int, *, draft: bool = False) -> "HipMeasurement":
        """One reading of many; of a ``draft`` also where it is implausible.

        Raises
        ------
        MethodError, GeometryError
            As :func:`measure`.
        """
        refused = measured.refused.get(place)
        if refused is not None and not (draft and refused is measured.implausible.get(place)):
            raise refused.error()
        method, both = measured.methods[place], bool(measured.both[place])
        cna = measured.cna.estimate(place) if both else None
        graded, sized = bool(measured.graded[place]), bool(measured.sized[place])
        at = np.searchsorted(measured.judges.hip, place)
        judged = at < len(measured.judges.hip) and measured.judges.hip[at] == place
        a, b = (measured.view(view) for view in measured.batch.view_of[:, place].tolist())
        return cls(
            method=method,
            settings=measured.settings,
            a=a,
            b=b,
            judge=measured.judges.judge(int(at)) if judged else None,
            rim_sd_mm=float(measured.rim_sd[place]),
            cna=cna,
            ha_grade=HA_GRADES.of(cna.value) if cna and graded else None,
            ha_risk=HA_RISKS.of(cna.value) if cna and graded else None,
            kerboul=KERBOUL_BINS.of(cna.value) if cna and sized else None,
            grade_probability=_at(measured.grade_chances, place) if graded else (),
            risk_probability=_at(measured.risk_chances, place) if graded else (),
            indices=measured.hip_indices(place),
            flags=flags_of(int(measured.doubts[place])),
            blocked=measured.implausible[place].problem if place in measured.implausible else "",
            source=(measured, place),
        )


@dataclass(frozen=True, slots=True, eq=False)
class ViewColumns:
    """The results of V views: see :class:`ViewMeasurement`. NaN stands where there is nothing.

    Attributes
    ----------
    angle
        The angles with their errors.
    span, start, end, middle, edge_gap
        (V,) degrees, and mm.
    arc_count
        (V,) number of arcs.
    radius, rms, rim_span
        (V,) of the circle behind the angle, and of the head circle: mm and degrees.
    rim_middle
        (V,) direction of the middle of the rim behind the angle from superior, degrees.
    share
        (V,) necrotic share of the head's surface.
    plane, obliquity
        (V,) names and tilts of the planes.
    doubts
        (V,) a bit each.
    """

    angle: Estimates
    span: Array
    start: Array
    end: Array
    middle: Array
    edge_gap: Array
    arc_count: Places
    radius: Array
    rms: Array
    rim_span: Array
    rim_middle: Array
    share: Array
    plane: list[str | None]
    obliquity: Array
    doubts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Measured:
    """The results of R readings by one method: see :class:`HipMeasurement`.

    Attributes
    ----------
    batch
        The readings.
    methods, settings
        How each was measured, and what was taken as given.
    heads, judges, stacks, angles, views
        What was found of views, pairs and stacks.
    both
        (R,) whether both views were read: there is a combined angle.
    budget
        The errors of the angles, and what they are made of.
    another_grade
        (R,) probability that the grade is another one.
    rim_sd
        (R,) mm.
    indices
        The indices of the readings that hold landmarks.
    doubts
        (R,) a bit each.
    refused
        The readings that cannot be measured, and why. What stands for them elsewhere means
        nothing.
    implausible
        Those of them whose marks give an angle that would mean nothing.
    """

    batch: ReadingBatch
    methods: tuple[Method, ...]
    settings: Settings
    heads: Heads
    judges: Judges
    stacks: Stacks
    angles: ViewAngles
    views: ViewColumns
    both: Bools
    budget: Budget
    another_grade: Array
    rim_sd: Array
    indices: dict[int, HipIndices]
    doubts: NDArray[np.int64]
    refused: dict[int, Refused]
    implausible: dict[int, Refused]

    def __len__(self) -> int:
        return self.batch.size

    def __getitem__(self, place: int) -> HipMeasurement:
        return HipMeasurement.of(self, place)

    @cached_property
    def end_noise(self) -> list[EndNoise]:
        """(R,) how the reader of each marks an arc's end."""
        return [self.settings.noise_of(name) for name in self.batch.hips.reader]

    @property
    def cna(self) -> Estimates:
        """(R,) combined angles; 0 where there is none."""
        return self.budget.cna

    @cached_property
    def view_bounds(self) -> tuple[Array, Array]:
        """(V,) bounds of the 95 % intervals of the views' angles."""
        return self.views.angle.bounds()

    @cached_property
    def cna_bounds(self) -> tuple[Array, Array]:
        """(R,) bounds of the 95 % intervals of the combined angles."""
        return self.cna.bounds()

    @cached_property
    def grade_chances(self) -> list[Array]:
        """(R,) probabilities of Ha's grades."""
        return self.cna.chances(HA_GRADES.cuts)

    @cached_property
    def risk_chances(self) -> list[Array]:
        """(R,) probabilities of Ha's risk groups."""
        return self.cna.chances(HA_RISKS.cuts)

    @cached_property
    def offset_se(self) -> tuple[Array, Array]:
        """(P,) standard errors of the slices' offsets, mm."""
        noise = self.rim_sd[self.judges.hip]
        return self.judges.a_unit * noise, self.judges.b_unit * noise

    @cached_property
    def left_out(self) -> Places:
        """(V,) how many rim marks a collapsed head leaves out."""
        found = np.zeros(len(self.batch.own), np.intp)
        for view, marks in self.heads.left_out.items():
            found[view] = len(marks)
        return found

    @cached_property
    def sized(self) -> Bools:
        """(R,) whether there is a combined angle, and a lesion to be put into a category."""
        return _sized(self.batch, self.both)

    @cached_property
    def graded(self) -> Bools:
        """(R,) whether Ha's grades and risk groups apply, too."""
        return np.asarray(self.sized & np.array([one.ha_scheme for one in self.methods], bool))

    @cached_property
    def koo_kim(self) -> Array:
        """(R,) Koo and Kim's index from the angles of this method; NaN where there is none."""
        a, b = np.zeros((2, self.batch.size))
        for side, column in enumerate((a, b)):
            some = self.batch.side == side
            column[self.batch.hip[some]] = self.views.angle.value[some]
        found = stored((a / 180.0) * (b / 180.0) * 100.0)
        return np.where(self.both & ~self.batch.flat_hip, found, np.nan)

    def hip_indices(self, place: int) -> HipIndices:
        """Every index of one hip."""
        found, index = self.indices.get(place, HipIndices()), float(self.koo_kim[place])
        if math.isnan(index):
            return found
        size = KOO_KIM_SIZES.of(index) if self.sized[place] else None
        return replace(found, koo_kim_index=index, koo_kim_size=size)

    def circle(self, view: int) -> Circle | None:
        """The circle behind the angle of a view; its head circle where there is none."""
        for there, centre, radius in (
            (self.angles.there, self.angles.centre_mm, self.angles.radius_mm),
            (self.heads.there, self.heads.circles.centre_mm, self.heads.circles.radius_mm),
        ):
            if there[view]:
                u, v = centre[:, view].tolist()
                return Circle((u, v), float(radius[view]))
        return None

    def view(self, view: int) -> ViewMeasurement | None:
        """What the marks of one view say; None of one that was not read."""
        if view < 0:
            return None
        found, heads, batch = self.views, self.heads, self.batch
        circle, marked = self.circle(view), bool(heads.there[view])
        centre: tuple[float, float, float] | None = None
        if circle:
            u, v = (np.array([part]) for part in circle.centre_mm)
            plane = batch.own_planes.of(np.array([view]))
            shift = self.angles.shift_mm[view]
            x, y, z = (
                float(part[0] + shift * along[0])
                for part, along in zip(in_patient((u, v), plane), plane.normal, strict=True)
            )
            centre = (x, y, z)
        return ViewMeasurement(
            view=batch.views.view[view],
            estimate=found.angle.estimate(view),
            span_deg=float(found.span[view]),
            arcs=self.angles.arcs.arcs_of(view),
            circle=circle,
            centre_mm=centre,
            rim_rms_mm=float(found.rms[view]) if marked else None,
            rim_span_deg=float(found.rim_span[view]) if marked else None,
            rim_count=int(batch.rim_count[batch.own[view]]),
            rim_left_out=heads.left_out.get(view, ()),
            rim_misplaced=heads.misplaced.get(view, ()),
            edge_gap_mm=_number(found.edge_gap[view]),
            moved_mm=_estimate(self.stacks.moved_mm[view], self.stacks.moved_se_mm[view]),
            slice_shift_mm=float(self.angles.shift_mm[view]),
            start_deg=_number(found.start[view]),
            end_deg=_number(found.end[view]),
            middle_deg=_number(found.middle[view]),
            surface_share=_number(found.share[view]),
            plane_name=found.plane[view],
            obliquity_deg=_number(found.obliquity[view]),
            weighting=batch.hips.weightings[batch.views.hip[view]][batch.views.side[view]],
            flags=flags_of(int(found.doubts[view])),
        )


def measure(
    reading: HipReading, method: Method | None = None, settings: Settings = DEFAULTS
) -> HipMeasurement:
    """Measure a reading: one of :func:`measure_many`.

    Parameters
    ----------
    reading
        The reading; no image is needed.
    method
        How; by default Ha 2006 for MR and Kerboul 1974 for radiographs.
    settings
        What is taken as given: end-point noise, a radius prior, which centre.

    Raises
    ------
    MethodError
        If the method is for another kind of image, or needs marks that are not there.
    GeometryError
        If the marks of a view give no circle or no arc; message and place name the view.

    Examples
    --------
    >>> from necroangle.measurement.method import method_named
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]  # marked at the truth
    >>> hip = measure(reading)
    >>> hip.cna.show_deg(), int(hip.ha_grade), str(hip.ha_risk)
    ('218.3° (204.0° to 232.6°)', 2, 'moderate')
    >>> measure(reading, method_named("kerboul_radiograph"))
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: method kerboul_radiograph measures radiographs; ...
    """
    return measure_many([reading], method, settings)[0]


def measure_draft(
    reading: HipReading, settings: Settings = DEFAULTS, method: Method | None = None
) -> HipMeasurement:
    """Measure a reading in the making: what forbids to keep it stands in ``blocked``.

    Raises
    ------
    GeometryError
        If the marks of a view give no circle or no arc, as :func:`measure`.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> measure_draft(readings_of(sample_studies()["plain"])[0]).blocked
    ''
    """
    return HipMeasurement.of(measure_many([reading], method, settings), 0, draft=True)


def measure_many(
    readings: Iterable[HipReading], method: Method | None = None, settings: Settings = DEFAULTS
) -> Measured:
    """Measure readings; what cannot be measured is told, the rest goes on.

    Parameters
    ----------
    readings
        Each is let go before the next is asked for.
    method
        How; by default the method of each reading's kind of image.
    settings
        What is taken as given.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> found = measure_many(readings_of(sample_studies()["plain"]))
    >>> len(found), found[1].cna == measure(readings_of(sample_studies()["plain"])[1]).cna
    (2, True)
    """
    return measure_batch(lay_out(readings), method, settings)


def measure_batch(
    batch: ReadingBatch,
    method: Method | None = None,
    settings: Settings = DEFAULTS,
    *,
    judged: bool = True,
) -> Measured:
    """Measure readings that have been laid out: the whole road, in its order.

    Without ``judged``, misplaced rim marks are not looked for, which is nearly half of the work:
    every angle and error is the same, and no doubt about them is raised.
    """
    with np.errstate(all="ignore"):  # what is no number has been refused
        return _measure(batch, method, settings, judged=judged)


def _measure(
    batch: ReadingBatch, method: Method | None, settings: Settings, *, judged: bool
) -> Measured:
    refusals = _first_refusals(batch, method)
    heads = fit_heads(batch, settings, refusals, judged=judged)
    judges = judge_heads(batch, heads, refusals.free)
    mode = method.mode if method else "surface_arc"
    own_centre = mode == "centre_plane"
    stacks = fit_stacks(batch, heads, settings, refusals, wanted=own_centre)
    sphere = None if own_centre else _chosen_spheres(batch, judges, settings, refusals)
    angles = angles_of(mode, batch, heads, sphere, stacks, settings, refusals)
    share, uncovered = _shares(batch, stacks, refusals)
    noise = stacks.noise if own_centre else _noise(batch, heads, sphere, settings)
    centres = stacks if own_centre else sphere
    budget = budget_of(batch, judges, angles, centres, stacks, noise, settings)
    views = _view_columns(batch, heads, angles, stacks, budget, share, uncovered)
    both = np.asarray((batch.view_of >= 0).all(axis=0))
    found = judge_plausibility(batch, heads, judges, settings, judged=judged)
    views.doubts[:] |= found.view_bits
    methods = tuple(method or DEFAULT_METHODS[flat] for flat in batch.hips.flat)
    another = _another_grade(budget.cna, methods)
    return Measured(
        batch=batch,
        methods=methods,
        settings=settings,
        heads=heads,
        judges=judges,
        stacks=stacks,
        angles=angles,
        views=views,
        both=both,
        budget=budget,
        another_grade=another,
        rim_sd=np.sqrt(noise.variance),
        indices=_indices(batch, heads, refusals),
        doubts=hip_doubts(
            batch, judges, settings, _sized(batch, both) & (another > LIMITS.another_grade)
        )
        | found.hip_bits,
        refused=found.refused | refusals.of,
        implausible=found.refused,
    )


def _first_refusals(batch: ReadingBatch, method: Method | None) -> Refusals:
    """Readings that contradict themselves, are of other images, or lie on no plane."""
    refusals = Refusals(batch.size)
    for hip, refused in batch.refused.items():
        refusals.note(hip, refused, -1)
    if method is not None:
        for hip in np.flatnonzero(batch.flat_hip != method.radiograph).tolist():
            refusals.note_method(hip, method.unfit, Stage.METHOD)
    for place, error in batch.no_plane.items():
        view = int(batch.slice_view[place])
        hip, side = batch.views.hip[view], batch.views.side[view]
        refusals.note_view(hip, side, Stage.MARKS, PlaneError, str(error))
    return refusals


def _chosen_spheres(
    batch: ReadingBatch, judges: Judges, settings: Settings, refusals: Refusals
) -> JointCentres | None:
    """The joint spheres, where their centres are asked for."""
    if settings.centre == "circles":
        return None
    place = _places(judges.hip, batch.size)
    for hip in np.flatnonzero((place < 0) & refusals.free).tolist():
        problem = "the joint sphere needs the rims of two MR views in one frame of reference"
        refusals.note_method(hip, problem, Stage.SPHERE)
    return judges.spheres, place


def _places(hips: Places, size: int) -> Places:
    found = np.full(size, -1)
    found[hips] = np.arange(len(hips))
    return found


def _shares(batch: ReadingBatch, stacks: Stacks, refusals: Refusals) -> tuple[Array, Bools]:
    """(V,) necrotic share of the surface, and whether the marked slices leave the lesion open."""
    share, uncovered = np.full(len(batch.own), np.nan), np.zeros(len(batch.own), bool)
    free = refusals.free
    for view, problem in stacks.problems.items():
        if free[batch.views.hip[view]]:
            _refuse_surface(batch, refusals, view, problem.kind, problem.problem)
    enough = [
        view
        for view, number in stacks.count.items()
        if free[batch.views.hip[view]] and number >= MIN_SLICES
    ]
    shares = surface_shares(stacks.slices[view] for view in enough)
    for view, found in zip(enough, shares, strict=True):
        if isinstance(found, GeometryError):
            _refuse_surface(batch, refusals, view, type(found), str(found))
        else:
            share[view], uncovered[view] = found.share, not found.covered
    return share, uncovered


def _refuse_surface(
    batch: ReadingBatch, refusals: Refusals, view: int, kind: type, problem: str
) -> None:
    hip, side = batch.views.hip[view], batch.views.side[view]
    refusals.note_view(hip, side, Stage.SURFACE, kind, problem)


def _noise(
    batch: ReadingBatch, heads: Heads, sphere: JointCentres | None, settings: Settings
) -> Noise:
    """(R,) click noise of the rim: of both views' circles, or of the sphere where it is used."""
    rss, freedom = np.zeros((2, batch.size))
    for side in (0, 1):
        some = heads.there & (batch.side == side)
        rss[batch.hip[some]] += heads.circles.rss_mm2[some]
        freedom[batch.hip[some]] += heads.count[some] - 3
    if sphere is not None:
        spheres, place = sphere
        used = np.flatnonzero(place >= 0)
        rss[used], freedom[used] = spheres.rss_mm2[place[used]], spheres.count[place[used]] - 4
    return pooled_noise(rss, freedom, settings)


def _view_columns(
    batch: ReadingBatch,
    heads: Heads,
    angles: ViewAngles,
    stacks: Stacks,
    budget: Budget,
    share: Array,
    uncovered: Bools,
) -> ViewColumns:
    marked, circles = heads.there, heads.circles
    names, tilt = _plane_names(batch)
    flat = batch.flat
    rms = np.where(marked, np.sqrt(circles.rss_mm2 / heads.count), np.nan)
    doubts, gap = view_doubts(
        *(batch, heads, angles),
        rms=rms,
        tilt=tilt,
        named=names,
        uncovered=uncovered,
        moved_z=stacks.moved_z,
    )
    left = np.array([one is Laterality.LEFT for one in batch.hips.laterality], bool)[batch.hip]
    start, end, middle = boundary_columns(angles.arcs, batch.own_planes, batch.views.view, left)
    radius = np.where(marked, circles.radius_mm, np.nan)
    return ViewColumns(
        angle=budget.views,
        span=stored(angles.angles.span_deg),
        start=stored(start),
        end=stored(end),
        middle=stored(middle),
        edge_gap=gap,
        arc_count=np.bincount(angles.arcs.circle, minlength=len(batch.own)),
        radius=np.where(angles.there, angles.radius_mm, radius),
        rms=rms,
        rim_span=np.where(marked, circles.span_deg, np.nan),
        rim_middle=stored(
            directions_from_superior(
                budget.rim_middle_deg, batch.own_planes, batch.views.view, left
            )
        ),
        share=share,
        plane=[None if one else name for one, name in zip(flat.tolist(), names, strict=True)],
        obliquity=np.where(flat, np.nan, tilt),
        doubts=doubts,
    )


def _plane_names(batch: ReadingBatch) -> tuple[list[str], Array]:
    """(V,) names and tilts of the planes, as :meth:`necroangle.geometry.ImagePlane.name` gives."""
    size = np.abs(np.array(batch.own_planes.normal))
    axis = np.argmax(size, axis=0)
    others = np.array([[1, 2], [0, 2], [0, 1]])[axis].T
    columns = np.arange(size.shape[1])
    across = each(math.hypot, size[others[0], columns], size[others[1], columns])
    names = [_PLANES[one] for one in axis.tolist()]
    return names, each(math.atan2, across, size[axis, columns]) * _DEG


def _sized(batch: ReadingBatch, both: Bools) -> Bools:
    """(R,) which of the hips with a combined angle have a lesion."""
    free = [is_without_necrosis(a, b) for a, b in batch.hips.statuses]
    return np.asarray(both & ~np.array(free, bool))


def _another_grade(cna: Estimates, methods: tuple[Method, ...]) -> Array:
    """(R,) probabilities that the grade is another one: Ha's, and Kerboul's bins on radiographs."""
    found = np.zeros(len(methods))
    for scheme, ha in ((HA_GRADES, True), (KERBOUL_BINS, False)):
        some = np.array([one.ha_scheme is ha for one in methods], bool)
        if some.any():
            chance = cna.another(scheme.places(cna.value), scheme.cuts)
            found = np.where(some, chance, found)
    return found


def _indices(batch: ReadingBatch, heads: Heads, refusals: Refusals) -> dict[int, HipIndices]:
    """Indices of the readings with landmarks, one by one: each is branchy, and few have any."""
    found: dict[int, HipIndices] = {}
    free = refusals.free
    for hip, reading in batch.landmarked.items():
        if free[hip]:
            a, b = (_geometry(heads, view) for view in batch.view_of[:, hip].tolist())
            found[hip] = hip_indices(reading, a, b)
    return found


def _geometry(heads: Heads, view: int) -> ViewGeometry | None:
    if view < 0 or not heads.there[view]:
        return None
    u, v = heads.circles.centre_mm[:, view].tolist()
    return ViewGeometry(
        Circle((u, v), float(heads.circles.radius_mm[view])), heads.arcs.arcs_of(view)
    )


def _at(columns: list[Array], place: int) -> tuple[float, ...]:
    return tuple(float(one[place]) for one in columns)


def _estimate(value: float, error: float) -> Estimate | None:
    return None if math.isnan(value) else Estimate(float(value), float(error))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
