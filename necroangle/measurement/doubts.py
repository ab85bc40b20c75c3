"""The doubts about a view and about a hip: each once, with its limit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import STACK_FLAGS
from necroangle.measurement.angles import ViewAngles
from necroangle.measurement.arcs import covered_deg, edge_gaps
from necroangle.measurement.heads import Heads, Judges
from necroangle.measurement.marks import ReadingBatch
from necroangle.measurement.method import Settings
from necroangle.terms import Finding, Flag, UnreadReason, Weighting

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bits = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a doubt begins; each is a decision of this project.

    Millimetres are those of the patient; on radiographs :attr:`.heads.Heads.unit_mm`.

    Attributes
    ----------
    few_rim_points
        Fewer rim marks than this leave the circle's error badly known.
    short_rim_deg, very_short_rim_deg
        Below these spans of the rim the centre is poorly held.
    rough_rim_mm
        A rim that follows no circle better than this is not a round head's.
    edge_gap_mm
        An arc's end farther from the circle is on another structure, or the circle is.
    oblique_deg
        Beyond this tilt a slice is no longer what its name says.
    off_centre_mm
        Beyond this distance from the head's centre a slice shows another angle.
    radii_differ_mm, centres_differ_mm, disagree_level
        Beyond these, and the chance of it, the two views show two heads, or one that has moved. A
        real head is never quite round, so the chance alone would always fire.
    moved_z
        The patient moved between the series where both views' centres lie farther apart along a
        normal, in standard errors.
    arc_deg
        Above it Koo and Kim's index passes 100.
    another_grade
        A cut-off is near where the probability of another grade is larger.
    """

    few_rim_points: int = 8
    short_rim_deg: float = 150.0
    very_short_rim_deg: float = 120.0
    rough_rim_mm: float = 1.0
    edge_gap_mm: float = 3.0
    oblique_deg: float = 20.0
    off_centre_mm: float = 3.0
    radii_differ_mm: float = 2.0
    centres_differ_mm: float = 1.75
    disagree_level: float = 0.005
    moved_z: float = 2.58
    arc_deg: float = 180.0
    another_grade: float = 0.1


LIMITS = Limits()

_FLAGS = tuple(Flag)
_BITS = {flag: 1 << place for place, flag in enumerate(_FLAGS)}


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """What the doubts about V views are raised from."""

    batch: ReadingBatch
    heads: Heads
    angles: ViewAngles
    covered: Array
    gap: Array
    rms: Array
    tilt: Array
    is_own_plane: Bools
    uncovered: Bools
    moved_z: Array

    def words(self, finding: Finding) -> Bools:
        return np.array([one is finding for one in self.batch.views.finding], bool)

    def of_stack(self, flag: Flag) -> Bools:
        return np.array([flag in one for one in self.batch.views.stack_flags], bool)

    def misplaced(self) -> Bools:
        found = np.zeros(len(self.rms), bool)
        found[list(self.heads.misplaced)] = True
        return found

    def arc_count(self) -> NDArray[np.intp]:
        return np.bincount(self.angles.arcs.circle, minlength=len(self.rms))


_OF_VIEWS: dict[Flag, Callable[[_Views], Bools]] = {
    Flag.ARC_ABOVE_180: lambda v: v.covered > LIMITS.arc_deg,
    Flag.MULTI_ARC: lambda v: v.arc_count() > 1,
    Flag.NOT_SUBCHONDRAL: lambda v: v.words(Finding.NOT_SUBCHONDRAL),
    Flag.OFF_MIDSLICE: lambda v: v.words(Finding.OFF_MIDSLICE),
    Flag.POSTOP_TRACK: lambda v: np.array(v.batch.views.drilled, bool),
    Flag.UNCALIBRATED: lambda v: ~np.array(v.batch.views.calibrated, bool),
    **{flag: partial(_Views.of_stack, flag=flag) for flag in STACK_FLAGS},
    Flag.EDGE_OFF_CIRCLE: lambda v: v.gap > LIMITS.edge_gap_mm * v.heads.unit_mm,
    Flag.FEW_RIM_POINTS: lambda v: v.heads.there & (v.heads.count < LIMITS.few_rim_points),
    Flag.SHORT_RIM: lambda v: v.heads.there & (v.heads.circles.span_deg < LIMITS.short_rim_deg),
    Flag.VERY_SHORT_RIM: lambda v: (
        v.heads.there & (v.heads.circles.span_deg < LIMITS.very_short_rim_deg)
    ),
    Flag.ROUGH_RIM: lambda v: v.heads.there & (v.rms > LIMITS.rough_rim_mm * v.heads.unit_mm),
    Flag.MISPLACED_RIM_POINT: lambda v: v.misplaced(),
    Flag.COLLAPSED_FIT: lambda v: v.heads.collapsed,
    Flag.PLANE_NOT_OF_VIEW: lambda v: ~v.batch.flat & ~v.is_own_plane,
    Flag.OBLIQUE_PLANE: lambda v: ~v.batch.flat & v.is_own_plane & (v.tilt > LIMITS.oblique_deg),
    Flag.LESION_NOT_COVERED: lambda v: v.uncovered,
    Flag.HEAD_MOVED: lambda v: v.moved_z > LIMITS.moved_z,
}
"""Beside those that a method's mode raises itself."""

_OF_JUDGES: dict[Flag, Callable[[Judges], Bools]] = {
    Flag.SLICE_OFF_CENTRE: lambda j: (
        np.maximum(np.abs(j.a_offset), np.abs(j.b_offset)) > LIMITS.off_centre_mm
    ),
    Flag.RADII_DIFFER: lambda j: np.abs(j.radius_gap) > LIMITS.radii_differ_mm,
    Flag.CENTRES_DIFFER: lambda j: (
        (np.abs(j.centre_gap) > LIMITS.centres_differ_mm)
        & (np.isnan(j.p_value) | (j.p_value < LIMITS.disagree_level))
    ),
}


def view_doubts(
    batch: ReadingBatch,
    heads: Heads,
    angles: ViewAngles,
    *,
    rms: Array,
    tilt: Array,
    named: list[str],
    uncovered: Bools,
    moved_z: Array,
) -> tuple[Bits, Array]:
    """(V,) doubts about the views, a bit each; and the largest gaps of their arcs' ends, mm.

    Parameters
    ----------
    rms
        (V,) root mean square distance of the rim marks, mm.
    tilt, named
        (V,) obliquity and name of each plane.
    uncovered
        (V,) whether marked slices leave the lesion open.
    moved_z
        (V,) how surely the patient moved between the series; NaN where nothing tells.
    """
    size = len(batch.own)
    own = np.array([one == name for one, name in zip(batch.views.view, named, strict=True)], bool)
    covered, gap = covered_deg(angles.arcs, size), edge_gaps(angles.arcs, size)
    seen = _Views(batch, heads, angles, covered, gap, rms, tilt, own, uncovered, moved_z)
    with np.errstate(invalid="ignore"):
        raised = {flag: rule(seen) for flag, rule in _OF_VIEWS.items()}
    return bits_of(raised | angles.flags, size), gap


def hip_doubts(batch: ReadingBatch, judges: Judges, settings: Settings, near: Bools) -> Bits:
    """(R,) doubts about the hips, a bit each.

    Parameters
    ----------
    near
        (R,) whether a cut-off is near.
    """
    size = batch.size
    unread = np.asarray((batch.view_of < 0).any(axis=0))
    replaced = np.zeros(size, bool)
    for hip in np.flatnonzero(unread).tolist():
        replaced[hip] = UnreadReason.PROSTHESIS in batch.hips.statuses[hip]
    judged = np.zeros(size, bool)
    judged[judges.hip] = True
    in_mm = np.zeros(size, bool)
    in_mm[batch.hip[np.array(batch.views.calibrated, bool)]] = True
    raised = {
        Flag.VIEW_NOT_READ: unread,
        Flag.CENSORED_BY_THA: replaced,
        Flag.FRAMES_DIFFER: batch.frames_differ,
        Flag.WEIGHTINGS_DIFFER: np.array(
            [Weighting.differ(*pair) for pair in batch.hips.weightings], bool
        ),
        Flag.RADIUS_PRIOR: np.full(size, settings.radius_prior is not None) & in_mm,
        Flag.NEAR_CUTOFF: near,
        Flag.NOTES_NAME_SOMEONE: np.array([bool(one) for one in batch.hips.notes_problem], bool),
        Flag.SPHERE_CENTRE: judged & np.full(size, settings.centre == "sphere"),
    }
    bits = bits_of(raised, size)
    of_judges = {flag: rule(judges) for flag, rule in _OF_JUDGES.items()}
    bits[judges.hip] |= bits_of(of_judges, len(judges.hip))
    return bits


def bits_of(raised: dict[Flag, Bools], size: int) -> Bits:
    """(size,) the raised doubts, a bit each in the order of :class:`necroangle.terms.Flag`."""
    found = np.zeros(size, np.int64)
    for flag, where in raised.items():
        found |= np.where(where, _BITS[flag], 0)
    return found


def flags_of(bits: int) -> tuple[Flag, ...]:
    """The doubts of one view or hip, in the order of :class:`necroangle.terms.Flag`."""
    return tuple(compress(_FLAGS, [bits & _BITS[flag] for flag in _FLAGS]))


def flag_words(bits: Bits) -> list[str]:
    """The words of doubts, with a space between them.

    Examples
    --------
    >>> flag_words(bits_of({Flag.MULTI_ARC: np.array([True, False])}, 2))
    ['multi_arc', '']
    """
    kinds, kind_of = np.unique(bits, return_inverse=True)
    words = [" ".join(flags_of(kind)) for kind in kinds.tolist()]
    return [words[kind] for kind in kind_of.tolist()]
