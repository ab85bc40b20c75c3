"""What speaks against a reading: one list of checks, for dock, batch, ``verify`` and audit.

Each check has a scope. One reading: :func:`judge_plausibility`, raised as flags of its row. A hip's
visits, the patient's other hip, the whole cohort:
:func:`necroangle.measurement.plausibility_cohort.held_together`. What makes the number meaningless
refuses the row; the rest is a flag that says what to look at.

Not to be seen in one reading: rim and ends on the acetabulum together; a mirrored coronal view with
a right header whose rim leaves the neck's side open; pixels taken as square at a ratio below 1.1; a
slice 8 mm off in a frame of its own; a move of up to 3 mm along a normal; a dome sunk by 1 mm;
another patient's images of like size. See ``docs/measurement.md``.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.geometry.arc import ArcColumns, arcs_about
from necroangle.measurement.arcs import from_superior_deg
from necroangle.measurement.doubts import bits_of
from necroangle.measurement.heads import Heads, Judges, circles_of_runs
from necroangle.measurement.marks import PlaneColumns, ReadingBatch, above, in_patient, in_plane
from necroangle.measurement.method import RadiusPrior, Settings
from necroangle.measurement.plausibility_rims import (
    Rims,
    dent_shapes,
    neck_runs,
    radius_shifts,
    sizes,
    stretch_shapes,
)
from necroangle.measurement.refusals import Refused
from necroangle.terms import Flag, Laterality, View

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Plausible:
    """Where a reading ceases to be plausible; each limit is a decision of this project.

    Attributes
    ----------
    radius_mm, head_mm
        Radii of adults' heads, flagged outside; and of any head at all, refused outside.
    wrong_side_mm, other_hip_mm
        A head so far on the other side of the patient's middle is flagged; is refused.
    over_neck_deg, opposite_deg, opposite_extent_deg
        An arc whose middle lies so far from superior is flagged; is refused if it is as large. The
        neck never counts: of a head that is necrotic all over, the arc runs from one articular
        margin to the other, and its middle lies near superior.
    beyond_rim_deg, unmarked_deg
        An arc that reaches so far beyond the last rim mark, into so wide a part without marks.
    stretched, stretched_z
        Share by which one axis of both images is too long, and how surely.
    sunken_z, sunken_one_view_z
        How surely a dent lies within the arcs of both views; of one alone.
    on_neck_level, on_neck_mm
        Chance and distance of a run of marks at the end of a rim.
    ends_off_mm
        Middle distance of the arcs' ends from their circles.
    prior_z, prior_refused_z
        How surely the rim has another radius than the one that was given.
    neck_side_deg
        A part of a rim without marks that is so wide shows on which side the neck is.
    open_deg, open_below_deg
        A part of a rim without marks that is at least so wide has its middle below the head: no
        nearer to superior than this, on coronal and on other slices.
    tiny_arc_deg
        No arc that was meant is so short.
    views_apart_deg
        One lesion does not show angles so unlike.
    visit_radius_mm, other_radius_mm
        Difference of the head's radius between visits; between the two hips.
    both_hips_mm
        The two heads of a patient lie farther apart.
    turned_deg
        Turn of an arc's middle between visits, or between the readings of one.
    neighbour_mm
        The circle of a neighbouring slice lies so far beside that of the view's own.
    copied_marks
        So many equal marks are no chance.
    """

    radius_mm: tuple[float, float] = (15.0, 32.0)
    head_mm: tuple[float, float] = (13.0, 38.0)
    wrong_side_mm: float = 20.0
    other_hip_mm: float = 60.0
    over_neck_deg: float = 90.0
    opposite_deg: float = 120.0
    opposite_extent_deg: float = 60.0
    beyond_rim_deg: float = 25.0
    unmarked_deg: float = 60.0
    stretched: float = 0.04
    stretched_z: float = 2.25
    sunken_z: float = 2.4
    sunken_one_view_z: float = 2.7
    on_neck_level: float = 0.003
    on_neck_mm: float = 1.5
    ends_off_mm: float = 2.0
    prior_z: float = 2.8
    prior_refused_z: float = 4.0
    neck_side_deg: tuple[float, float] = (50.0, 110.0)
    open_deg: float = 50.0
    open_below_deg: tuple[float, float] = (105.0, 125.0)
    tiny_arc_deg: float = 10.0
    views_apart_deg: float = 100.0
    visit_radius_mm: float = 1.25
    other_radius_mm: float = 2.0
    both_hips_mm: float = 60.0
    turned_deg: float = 45.0
    neighbour_mm: float = 5.0
    copied_marks: int = 3


PLAUSIBLE = Plausible()

Scope = Literal["reading", "visits", "cohort"]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes
    ----------
    name
        Its word: of one reading the flag that it raises.
    scope
        ``"reading"``; ``"visits"``: the readings of one patient; ``"cohort"``: all of them.
    look_at
        What to look at.
    false_alarms
        Share of 5,000 sound hips that raise it: ``benchmarks/plausibility.py`` measures it.
    refuses
        Beyond which limit there is no row; empty where there always is one.
    """

    name: str
    scope: Scope
    look_at: str
    false_alarms: float
    refuses: str = ""


CHECKS = (
    Check(
        Flag.RADIUS_UNLIKELY,
        "reading",
        "the spacing of the image, and whether the rim is the head's",
        0.001,
        "13 to 38 mm",
    ),
    Check(
        Flag.SIDE_UNLIKELY,
        "reading",
        "which hip was read: place in the patient against the side stated",
        0.0,
        "60 mm on the other side",
    ),
    Check(
        Flag.ARC_OVER_NECK,
        "reading",
        "the third mark of the arc: it belongs on the necrotic side",
        0.0,
        "middle 120° from superior",
    ),
    Check("two_heads", "reading", "whether both views are of one hip and visit", 0.0, "always"),
    Check(Flag.ARC_BEYOND_RIM, "reading", "the rim below the arc: mark it as far", 0.0),
    Check(Flag.STRETCHED_IMAGE, "reading", "the spacing of rows against that of columns", 0.0072),
    Check(Flag.DOME_SUNKEN, "reading", "the dome: enter the stage, or a flattened dome", 0.0038),
    Check(Flag.RIM_ON_NECK, "reading", "the last rim marks: they may lie on the neck", 0.0084),
    Check(Flag.RIM_OFF_HEAD, "reading", "whether the rim is the head's or the socket's", 0.0),
    Check(
        Flag.PRIOR_UNLIKE_RIM,
        "reading",
        "where the known radius comes from",
        0.009,
        "beyond 4 standard errors",
    ),
    Check(Flag.MIRRORED_VIEW, "reading", "the neck's side: image or side is mirrored", 0.0006),
    Check(Flag.STUDIES_DIFFER, "reading", "whether both views are of one patient and visit", 0.0),
    Check(Flag.TURNED_VIEW, "reading", "which way up the image is", 0.0018),
    Check(Flag.TINY_ARC, "reading", "the ends of the arc: they may be one mark", 0.0),
    Check(Flag.VIEWS_UNLIKE, "reading", "the arc of either view, and its third mark", 0.0),
    Check(Flag.HEAD_MOVED, "reading", "whether the patient moved between the series", 0.0165),
    Check(
        Flag.NEIGHBOUR_UNLIKE,
        "reading",
        "the neighbouring slice: its rim may be another hip's",
        0.0,
        "farther than the head is large",
    ),
    Check(Flag.MARK_OUTSIDE_IMAGE, "reading", "the marks: they may be of an enlarged image", 0.0),
    Check(Flag.RADII_DIFFER, "reading", "spacing and rim of the view that differs", 0.0008),
    Check(Flag.CENTRES_DIFFER, "reading", "whether the patient moved between the series", 0.0158),
    Check(Flag.SLICE_OFF_CENTRE, "reading", "whether a slice nearer to the centre exists", 0.001),
    Check(
        Flag.EDGE_OFF_CIRCLE, "reading", "the arc's ends, and whether the rim is the head's", 0.001
    ),
    Check(Flag.MISPLACED_RIM_POINT, "reading", "the rim mark that is named", 0.0154),
    Check(Flag.ROUGH_RIM, "reading", "the rim marks: some lie on another structure", 0.0006),
    Check(Flag.VERY_SHORT_RIM, "reading", "the rim: mark more of it", 0.0),
    Check(Flag.PLANE_NOT_OF_VIEW, "reading", "which view the image shows", 0.0),
    Check("radius_unlike_visit", "visits", "spacing and rim of the visits that differ", 0.0004),
    Check("radius_unlike_other_hip", "visits", "spacing and rim of both hips", 0.0),
    Check("hips_on_one_side", "visits", "which hip each reading is of", 0.0),
    Check("arc_turned", "visits", "sides of the images, and the third mark of the arc", 0.0),
    Check("reads_unlike", "visits", "which of the readings of one visit is of other images", 0.0),
    Check("visit_of_two_studies", "visits", "which study is of the visit", 0.0),
    Check("images_twice", "cohort", "whose images they are, and of which visit", 0.0),
    Check("study_twice", "cohort", "whose study it is, and of which visit", 0.0),
    Check("marks_twice", "cohort", "which of the readings was copied", 0.0),
)
"""Every check, each once."""


@dataclass(frozen=True, slots=True, eq=False)
class Plausibility:
    """What the checks of one reading say of R readings with V views.

    Attributes
    ----------
    view_bits, hip_bits
        (V,) and (R,) flags, a bit each.
    refused
        The readings whose number would mean nothing, and why.
    """

    view_bits: NDArray[np.int64]
    hip_bits: NDArray[np.int64]
    refused: dict[int, Refused] = field(default_factory=dict)


def judge_plausibility(
    batch: ReadingBatch, heads: Heads, judges: Judges, settings: Settings, *, judged: bool = True
) -> Plausibility:
    """Hold every reading against what hips and honest mistakes look like.

    Without ``judged``, no doubt about the marks of a rim is raised for a view: what refuses a
    reading, and the doubts about hips, are the same.

    Examples
    --------
    >>> from necroangle.measurement.measuring import measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> hip = measure(readings_of(sample_studies()["plain"])[0])
    >>> [flag for flag in hip.flags if flag in {check.name for check in CHECKS}]
    []
    """
    work = _Work(batch, heads, judges)
    work.refuse_two_heads()
    views, rims = work.view_flags(), work.rims()
    views |= work.neighbour_flags()
    if settings.radius_prior is not None:
        views |= work.prior_flags(rims, settings.radius_prior)
    hips = work.hip_flags() | work.rim_hip_flags(rims)
    if judged:
        views |= work.rim_view_flags(rims)
    size = len(batch.own)
    return Plausibility(bits_of(views, size), bits_of(hips, batch.size), work.refused)


class _Work:
    """The checks of one reading, and whom they refuse."""

    def __init__(self, batch: ReadingBatch, heads: Heads, judges: Judges) -> None:
        self.batch, self.heads, self.judges = batch, heads, judges
        self.refused: dict[int, Refused] = {}
        self.left = np.array([one is Laterality.LEFT for one in batch.hips.laterality], bool)
        self.words = batch.views.view

    def refuse(self, hip: int, problem: str, place: str = "") -> None:
        """Note why the number of a hip would mean nothing: the first reason is told."""
        self.refused.setdefault(hip, Refused(GeometryError, problem, place))

    def view_flags(self) -> dict[Flag, Bools]:
        """Arcs over the neck, of which what lies opposite is refused; and arcs that are none."""
        arcs, batch = self.heads.arcs, self.batch
        tiny, off = np.zeros((2, len(batch.own)), bool)
        tiny[arcs.circle[np.abs(arcs.extent_deg) < PLAUSIBLE.tiny_arc_deg]] = True
        off[batch.slice_view[batch.off_image]] = True
        there = self.heads.there[arcs.circle]
        over = self.over_neck(arcs, arcs.circle, batch.own_planes.of(arcs.circle), there)
        return {Flag.ARC_OVER_NECK: over, Flag.TINY_ARC: tiny, Flag.MARK_OUTSIDE_IMAGE: off}

    def over_neck(
        self, arcs: ArcColumns, view: Places, planes: PlaneColumns, there: Bools
    ) -> Bools:
        """(V,) whether an arc lies over the neck; a large one that lies opposite is refused.

        Parameters
        ----------
        arcs, view, planes
            (A,) arcs, the views that they are of, and the planes that they lie in.
        there
            (A,) whether they lie on a circle.
        """
        over = np.zeros(len(self.batch.own), bool)
        extent = np.abs(arcs.extent_deg)
        away = np.abs(self.from_superior(arcs.low + extent / 2, view, planes))
        flat = np.array([one.is_radiograph for one in self.words], bool)
        lateral = flat & np.array([not one.is_a for one in self.words], bool)
        away[lateral[view] | ~there] = 0.0
        limit = np.where(flat[view], PLAUSIBLE.opposite_deg, PLAUSIBLE.over_neck_deg)
        over[view[away > limit]] = True
        large = extent > PLAUSIBLE.opposite_extent_deg
        opposite = large & (away > PLAUSIBLE.opposite_deg) & ~flat[view]
        for place in np.flatnonzero(opposite).tolist():
            self.refuse_view(
                int(view[place]),
                f"the middle of an arc lies {away[place]:.0f}° from superior, over the neck; its "
                "third mark belongs on the necrotic side",
            )
        return over

    def refuse_view(self, view: int, problem: str) -> None:
        """Note why the number of a hip would mean nothing for a fault of one view."""
        self.refuse(
            int(self.batch.hip[view]),
            f"{self.words[view].label} view: {problem}",
            f"$.views[{self.batch.views.side[view]}]",
        )

    def from_superior(self, turn_deg: Array, view: Places, planes: PlaneColumns) -> Array:
        """Angles from superior of directions on some views, towards lateral or posterior."""
        coronal = np.array([one is View.CORONAL for one in self.words], bool)[view]
        flat = np.array([one.is_radiograph for one in self.words], bool)[view]
        left = self.left[self.batch.hip[view]]
        return from_superior_deg(turn_deg, planes, coronal=coronal, flat=flat, left=left)

    def neighbour_flags(self) -> dict[Flag, Bools]:
        """Circles of neighbouring slices that lie beside the view's own, and their arcs."""
        batch, heads = self.batch, self.heads
        beside = ~batch.is_own & heads.there[batch.slice_view] & (batch.rim_count >= 3)
        slices = np.flatnonzero(beside)
        if not len(slices):
            return {}
        circles, faults = circles_of_runs(
            batch.points, batch.rim_start[slices], batch.rim_count[slices], None
        )
        sound = np.setdiff1d(np.arange(len(slices)), list(faults))
        slices, view = slices[sound], batch.slice_view[slices[sound]]
        u, v = circles.centre_mm[:, sound]
        planes, own = batch.planes.of(slices), batch.own_planes.of(view)
        centre = heads.circles.centre_mm[:, view]
        away = np.hypot(*(np.array(in_plane(in_patient((u, v), planes), own)) - centre))
        along = np.abs(above(planes.origin, own))
        radius = heads.circles.radius_mm[view]
        for place in np.flatnonzero((away > radius) | (along > 2 * radius)).tolist():
            self.refuse_view(
                int(view[place]),
                f"a neighbouring slice has its circle {away[place]:.0f} mm beside and "
                f"{along[place]:.0f} mm before or behind that of the view's own; its marks are of "
                "another structure, or of the other hip",
            )
        unlike = np.zeros(len(batch.own), bool)
        unlike[view[(away > PLAUSIBLE.neighbour_mm) & ~heads.collapsed[view]]] = True
        column = np.full(len(batch.slice_view), -1)
        column[slices] = np.arange(len(slices))
        places = np.flatnonzero(column[batch.arc_slice] >= 0)
        of = column[batch.arc_slice[places]]
        arcs = arcs_about(batch.arc_points(places), of, np.array((u, v)), circles.radius_mm[sound])
        over = self.over_neck(arcs, view[of], planes.of(of), np.ones(len(of), bool))
        return {Flag.NEIGHBOUR_UNLIKE: unlike | over}

    def hip_flags(self) -> dict[Flag, Bools]:
        """Radius, side, two studies, two angles."""
        radius = head_radius_mm(self.batch, self.heads, self.judges)
        x = head_x_mm(self.batch, self.heads)
        wrong = np.where(self.left, -x, x)
        low, high = PLAUSIBLE.head_mm
        with np.errstate(invalid="ignore"):
            for hip in np.flatnonzero((radius < low) | (radius > high)).tolist():
                self.refuse(
                    hip,
                    f"the head's radius is {radius[hip]:.1f} mm; no head is below {low:g} or above "
                    f"{high:g} mm: look at the spacing of the image, and at the rim",
                )
            for hip in np.flatnonzero(wrong > PLAUSIBLE.other_hip_mm).tolist():
                told, seen = ("left", "right") if self.left[hip] else ("right", "left")
                self.refuse(
                    hip,
                    f"read as the {told} hip, the head lies {wrong[hip]:.0f} mm to the patient's "
                    f"{seen}: correct the side, or the reading is of the other hip",
                    "$.laterality",
                )
            smallest, largest = PLAUSIBLE.radius_mm
            return {
                Flag.RADIUS_UNLIKELY: (radius < smallest) | (radius > largest),
                Flag.SIDE_UNLIKELY: wrong > PLAUSIBLE.wrong_side_mm,
                Flag.STUDIES_DIFFER: np.array(self.batch.hips.studies_differ, bool),
                Flag.VIEWS_UNLIKE: self.views_unlike(),
            }

    def views_unlike(self) -> Bools:
        """(R,) whether the arcs of both views are too unlike for one lesion."""
        batch, arcs = self.batch, self.heads.arcs
        extent = np.bincount(arcs.circle, np.abs(arcs.extent_deg), len(batch.own) + 1)
        a, b = extent[batch.view_of]  # of a view that was not read the last, 0
        both = (batch.view_of >= 0).all(axis=0) & ~batch.flat_hip
        return np.asarray(both & (np.abs(a - b) > PLAUSIBLE.views_apart_deg))

    def refuse_two_heads(self) -> None:
        """Circles that lie farther apart than a head is large are not of one head."""
        judges = self.judges
        apart = np.abs(np.array((judges.centre_gap, judges.a_offset, judges.b_offset)))
        for place in np.flatnonzero((apart > judges.spheres.radius_mm).any(axis=0)).tolist():
            self.refuse(
                int(judges.hip[place]),
                "the two circles cannot be of one head: their centres lie "
                f"{apart[:, place].max():.0f} mm apart",
            )

    def rims(self) -> Rims:
        """The rims that are a round head's: of a collapsed one, the arcs' ends are among them."""
        batch, heads = self.batch, self.heads
        views = np.flatnonzero(heads.there & ~heads.collapsed & ~batch.collapsed)
        start, count = batch.rim_start[batch.own][views], batch.rim_count[batch.own][views]
        circles = heads.circles.centre_mm[:, views], heads.circles.radius_mm[views]
        unit = heads.unit_mm[views]
        return Rims.of(batch.points, start, count, circles, views, batch.hip[views], unit)

    def prior_flags(self, rims: Rims, prior: RadiusPrior) -> dict[Flag, Bools]:
        """Whether a rim has another radius than the one that was given."""
        unlike = np.zeros(len(self.batch.own), bool)
        shift, error = radius_shifts(rims)
        own = rims.radius_mm + shift
        z = np.abs(own - prior.radius_mm) / np.hypot(error, prior.sd_mm)
        z[~np.array(self.batch.views.calibrated, bool)[rims.view]] = 0.0
        unlike[rims.view[z > PLAUSIBLE.prior_z]] = True
        for place in np.flatnonzero(z > PLAUSIBLE.prior_refused_z).tolist():
            self.refuse_view(
                int(rims.view[place]),
                f"the rim has a radius of {own[place]:.1f} mm, "
                f"which the known one of {prior.radius_mm:.1f} mm ({prior.source}) contradicts; "
                "measure without it, or look where it comes from",
            )
        return {Flag.PRIOR_UNLIKE_RIM: unlike}

    def rim_view_flags(self, rims: Rims) -> dict[Flag, Bools]:
        """Arcs beyond the rim, marks on the neck, views that are mirrored."""
        beyond, neck, mirrored, turned = np.zeros((4, len(self.batch.own)), bool)
        beyond[self.beyond_rim(rims)] = True
        run = neck_runs(rims)
        far = run.away_mm > PLAUSIBLE.on_neck_mm * rims.unit_mm
        neck[rims.view[far & (run.p_value < PLAUSIBLE.on_neck_level)]] = True
        low, high = PLAUSIBLE.neck_side_deg
        planes = self.batch.own_planes.of(rims.view)
        towards = self.from_superior(rims.last_deg + rims.unmarked_deg / 2, rims.view, planes)
        coronal = np.array([one is View.CORONAL for one in self.words], bool)[rims.view]
        shown = coronal & (rims.unmarked_deg > low) & (rims.unmarked_deg < high)
        mirrored[rims.view[shown & (towards > -170.0) & (towards < -70.0)]] = True
        is_open = (rims.unmarked_deg > PLAUSIBLE.open_deg) & ~self.batch.flat[rims.view]
        below = np.where(coronal, *PLAUSIBLE.open_below_deg)
        turned[rims.view[is_open & (np.abs(towards) < below)]] = True
        return {
            Flag.ARC_BEYOND_RIM: beyond,
            Flag.RIM_ON_NECK: neck,
            Flag.MIRRORED_VIEW: mirrored,
            Flag.TURNED_VIEW: turned,
        }

    def beyond_rim(self, rims: Rims) -> Places:
        """The views an arc of which reaches far into the part of the circle without marks."""
        arcs = self.heads.arcs
        gap, last = np.zeros((2, len(self.batch.own)))
        gap[rims.view], last[rims.view] = rims.unmarked_deg, rims.last_deg
        extent, gap, last = np.abs(arcs.extent_deg), gap[arcs.circle], last[arcs.circle]
        start = (arcs.low - last) % 360.0
        ahead = np.where(start < gap, np.minimum(gap - start, extent), 0.0)
        behind = np.minimum(start + extent - 360.0, np.minimum(start, gap))
        far = np.maximum(ahead, behind) > PLAUSIBLE.beyond_rim_deg
        return arcs.circle[far & (gap > PLAUSIBLE.unmarked_deg)]

    def rim_hip_flags(self, rims: Rims) -> dict[Flag, Bools]:
        """Images that are stretched, domes that have sunk, rims beside the head."""
        size, hip = self.batch.size, self.batch.hip[rims.view]
        share, error = sizes(rims, stretch_shapes(rims))
        known = np.isfinite(error) & ~self.batch.flat[rims.view]
        weight = np.where(known, 1 / (np.where(known, error, 1.0) ** 2 + 0.015**2), 0.0)
        total = np.bincount(hip, weight, size)
        with np.errstate(all="ignore"):
            stretched = np.abs(np.bincount(hip, weight * share, size)) / total
            surely = stretched * np.sqrt(total)
        return {
            Flag.STRETCHED_IMAGE: (stretched > PLAUSIBLE.stretched)
            & (surely > PLAUSIBLE.stretched_z),
            Flag.DOME_SUNKEN: self.sunken(rims),
            Flag.RIM_OFF_HEAD: self.ends_off(),
        }

    def sunken(self, rims: Rims) -> Bools:
        """(R,) whether the dome has sunk within the arcs, though no stage says so."""
        size, hip = self.batch.size, self.batch.hip[rims.view]
        low, extent = np.full((2, len(self.batch.own)), np.nan)
        arcs = self.heads.arcs
        order = np.argsort(np.abs(arcs.extent_deg), kind="stable")  # the largest comes last
        view = arcs.circle[order]
        low[view], extent[view] = arcs.low[order], np.abs(arcs.extent_deg[order])
        depth, error = sizes(rims, dent_shapes(rims, low[rims.view], extent[rims.view]))
        z = np.where(np.isfinite(error), depth / error, 0.0)
        number = np.bincount(hip, np.isfinite(error), size)
        surely = np.bincount(hip, z, size) / np.sqrt(np.maximum(number, 1))
        limit = np.where(number > 1, PLAUSIBLE.sunken_z, PLAUSIBLE.sunken_one_view_z)
        return np.asarray(surely > limit)

    def ends_off(self) -> Bools:
        """(R,) whether the arcs' ends lie within their circles, as on the socket's rim."""
        arcs, found = self.heads.arcs, np.zeros(self.batch.size, bool)
        hip = self.batch.hip[arcs.circle]
        some = ~self.batch.collapsed[arcs.circle]
        if not some.any():
            return found
        gaps = np.array((arcs.start_gap_mm, arcs.end_gap_mm)) / self.heads.unit_mm[arcs.circle]
        ends, of = gaps[:, some].ravel(), np.tile(hip[some], 2)
        order = np.lexsort((ends, of))
        hips, first, count = np.unique(of[order], return_index=True, return_counts=True)
        lower, upper = ends[order[first + (count - 1) // 2]], ends[order[first + count // 2]]
        found[hips] = (lower + upper) / 2 < -PLAUSIBLE.ends_off_mm
        return found


def head_radius_mm(batch: ReadingBatch, heads: Heads, judges: Judges) -> Array:
    """(R,) mean radius of the two circles, each brought to the head's centre; NaN without mm.

    A radius in pixels says nothing, so an uncalibrated radiograph has none.
    """
    own = np.where(heads.there, heads.circles.radius_mm, np.nan)
    own[~np.array(batch.views.calibrated, bool)] = np.nan
    a, b = batch.view_of[:, judges.hip]
    own[a] = np.hypot(own[a], judges.a_offset)
    own[b] = np.hypot(own[b], judges.b_offset)
    return _mean_of_views(own, batch)


def head_x_mm(batch: ReadingBatch, heads: Heads) -> Array:
    """(R,) how far to the patient's left the head lies; NaN on radiographs."""
    u, v = heads.circles.centre_mm
    x = np.where(heads.there & ~batch.flat, in_patient((u, v), batch.own_planes)[0], np.nan)
    return _mean_of_views(x, batch)


def _mean_of_views(values: Array, batch: ReadingBatch) -> Array:
    """(R,) means of the values of the views that have one; NaN where none has."""
    some = np.flatnonzero(np.isfinite(values))
    number = np.bincount(batch.hip[some], minlength=batch.size)
    with np.errstate(all="ignore"):
        return np.bincount(batch.hip[some], values[some], batch.size) / np.where(
            number > 0, number, np.nan
        )
