"""The one function from which every angle comes, on the screen, in batch and in the table."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from necroangle.annotation import HipReading, ReadView
from necroangle.errors import GeometryError, MethodError, RimError
from necroangle.geometry import SphereFit
from necroangle.measurement.combine import combined_factors, rim_noise
from necroangle.measurement.estimate import Estimate
from necroangle.measurement.grades import (
    HaGrade,
    HaRisk,
    KerboulBin,
    ha_grade,
    ha_risk,
    kerboul_bin,
)
from necroangle.measurement.hip_flags import frames_differ, hip_flags
from necroangle.measurement.indices import (
    HipIndices,
    ViewGeometry,
    hip_indices,
    koo_kim_index,
    koo_kim_size,
)
from necroangle.measurement.judge import HeadJudge, judge_head
from necroangle.measurement.method import Method, default_method
from necroangle.measurement.modes import NOTHING, ModeAngle, angle_by_mode
from necroangle.measurement.probability import category_probabilities, is_near_cutoff
from necroangle.measurement.rounding import stored_deg
from necroangle.measurement.settings import DEFAULTS, Settings
from necroangle.measurement.stack import centre_plane_angle, head_sphere, necrotic_share
from necroangle.measurement.uncertainty import RimNoise, angle_estimate
from necroangle.measurement.view import MarkedView, ViewMeasurement, mark_view, view_result
from necroangle.terms import Flag

__all__ = ["HipMeasurement", "measure"]

Found = TypeVar("Found")

_GRADE_CUTS = (200.0, 250.0, 300.0)
_RISK_CUTS = (190.0, 240.0)


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
        Categories of the stored angle; None without one, and Ha's only on MR.
    grade_probability, risk_probability
        Probability of grades 1 to 4, and of low, moderate and high risk; empty where there is no
        grade.
    indices
        Derived indices, as far as the marks allow; Koo and Kim's from the angles of this method.
    flags
        Doubts about the hip as a whole; those of a view stand with the view.

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

    @property
    def cna_deg(self) -> float | None:
        """The combined necrotic angle, degrees."""
        return self.cna.value if self.cna else None

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


def measure(
    reading: HipReading, method: Method | None = None, settings: Settings = DEFAULTS
) -> HipMeasurement:
    """Measure a reading.

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
    ('218.3° (208.9° to 227.7°)', 2, 'moderate')
    >>> measure(reading, method_named("kerboul_radiograph"))
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: method kerboul_radiograph measures radiographs; ...
    """
    method = method or default_method(reading)
    method.refuse_unfit(reading)
    marked = [_at_view(index, partial(_mark, reading, index, settings)) for index in range(2)]
    judge = _judge(reading, marked)
    stacked = _stack_sphere(reading, marked, method)
    sphere = stacked if method.mode == "centre_plane" else _chosen_sphere(judge, settings)
    found = [
        _at_view(index, partial(_angle, method, one, sphere)) if one else None
        for index, one in enumerate(marked)
    ]
    noise = rim_noise(marked, sphere, settings)
    views = [
        _view(one, mode, (sphere, stacked), noise, settings) if one and mode else None
        for one, mode in zip(marked, found, strict=True)
    ]
    cna = _sum(views, [mode for mode in found if mode], sphere, noise, settings)
    graded = cna is not None and method.ha_scheme
    near = cna is not None and is_near_cutoff(cna, method.cut_offs_deg)
    return HipMeasurement(
        method=method,
        settings=settings,
        a=views[0],
        b=views[1],
        judge=judge,
        rim_sd_mm=math.sqrt(noise.variance_mm2),
        cna=cna,
        ha_grade=ha_grade(cna.value) if cna and graded else None,
        ha_risk=ha_risk(cna.value) if cna and graded else None,
        kerboul=kerboul_bin(cna.value) if cna else None,
        grade_probability=category_probabilities(cna, _GRADE_CUTS) if cna and graded else (),
        risk_probability=category_probabilities(cna, _RISK_CUTS) if cna and graded else (),
        indices=_indices(reading, marked, views),
        flags=hip_flags(reading, judge, settings, near_cutoff=near),
    )


def _at_view(index: int, work: Callable[[], Found]) -> Found:
    """Do some work on a view; a refusal is told with the view's place in the reading."""
    try:
        return work()
    except GeometryError as error:
        raise type(error)(str(error), place=f"$.views[{index}]") from error


def _mark(reading: HipReading, index: int, settings: Settings) -> MarkedView | None:
    view = reading.views[index]
    if not isinstance(view, ReadView):
        return None
    collapsed = reading.arco is not None and reading.arco.is_collapsed
    return mark_view(view, reading.laterality, collapsed=collapsed, settings=settings)


def _judge(reading: HipReading, marked: Sequence[MarkedView | None]) -> HeadJudge | None:
    circles = [one.marked_circle for one in marked if one and one.marked_circle]
    if len(circles) < 2 or reading.is_radiograph or frames_differ(reading):
        return None
    try:
        return judge_head(circles[0], circles[1])
    except RimError:  # both views in one plane: they say nothing of each other
        return None


def _chosen_sphere(judge: HeadJudge | None, settings: Settings) -> SphereFit | None:
    if settings.centre == "circles":
        return None
    if judge is None:
        raise MethodError(
            "the joint sphere needs the rims of two MR views in one frame of reference"
        )
    return judge.sphere


def _stack_sphere(
    reading: HipReading, marked: Sequence[MarkedView | None], method: Method
) -> SphereFit | None:
    """The sphere of every marked slice, where more than one slice of a view is marked or wanted."""
    views = [one for one in marked if one]
    wanted = method.mode == "centre_plane"
    if reading.is_radiograph or not (wanted or any(one.view.neighbours for one in views)):
        return None
    if frames_differ(reading):
        if wanted:
            raise MethodError("centre_plane needs both views in one frame of reference")
        return None
    try:
        return head_sphere(views)
    except GeometryError:
        if wanted and any(one.view.arcs or one.view.neighbours for one in views):
            raise
        return None


def _angle(method: Method, marked: MarkedView, sphere: SphereFit | None) -> ModeAngle:
    if method.mode != "centre_plane":
        return angle_by_mode(method.mode, marked, sphere.sphere if sphere else None)
    if sphere is None:
        return NOTHING
    return centre_plane_angle(marked, sphere.sphere)


def _view(
    marked: MarkedView,
    mode: ModeAngle,
    spheres: tuple[SphereFit | None, SphereFit | None],
    noise: RimNoise,
    settings: Settings,
) -> ViewMeasurement:
    sphere, stacked = spheres
    value = stored_deg(mode.angle.angle_deg) if mode.angle else 0.0
    estimate = angle_estimate(value, combined_factors([mode], sphere), noise, settings)
    return view_result(
        marked,
        mode.angle,
        mode.circle or (marked.head.fit.circle if marked.head else None),
        estimate,
        slice_shift_mm=mode.slice_shift_mm,
        share=necrotic_share(marked, stacked.sphere) if stacked else None,
        flags=mode.flags,
    )


def _sum(
    views: Sequence[ViewMeasurement | None],
    found: Sequence[ModeAngle],
    sphere: SphereFit | None,
    noise: RimNoise,
    settings: Settings,
) -> Estimate | None:
    a, b = views
    if a is None or b is None:
        return None
    value = stored_deg(a.angle_deg + b.angle_deg)
    return angle_estimate(value, combined_factors(found, sphere), noise, settings)


def _indices(
    reading: HipReading,
    marked: Sequence[MarkedView | None],
    views: Sequence[ViewMeasurement | None],
) -> HipIndices:
    a, b = views
    heads = [
        ViewGeometry(one.head.fit.circle, one.head.arcs) if one and one.head else None
        for one in marked
    ]
    found = hip_indices(reading, heads[0], heads[1])
    if a is None or b is None or reading.is_radiograph:
        return found
    index = koo_kim_index(a.angle_deg, b.angle_deg)
    return replace(found, koo_kim_index=index, koo_kim_size=koo_kim_size(index))
