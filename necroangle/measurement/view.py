"""One view: marks to head circle to necrotic angle."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from necroangle.annotation import Mark, NecroticArc, ReadView
from necroangle.errors import GeometryError
from necroangle.geometry import (
    Arc,
    Circle,
    CircleFit,
    ImagePlane,
    PatientPoints,
    PlanePoints,
    arc_through,
    fit_circle,
)
from necroangle.measurement.angle import SliceAngle, surface_angle
from necroangle.measurement.direction import anatomical_axes, boundaries
from necroangle.measurement.estimate import Estimate
from necroangle.measurement.head import HeadCircle, Misplaced, fit_head
from necroangle.measurement.judge import MarkedCircle
from necroangle.measurement.projection import in_patient, in_plane, plane_columns
from necroangle.measurement.rounding import stored_deg
from necroangle.measurement.settings import DEFAULTS, Settings
from necroangle.measurement.surface import SurfaceShare
from necroangle.measurement.uncertainty import angle_estimate, circle_factors, pooled_noise
from necroangle.measurement.view_flags import view_flags
from necroangle.terms import Flag, Laterality, Observation, View

__all__ = [
    "MarkedView",
    "ViewMeasurement",
    "head_circle",
    "mark_view",
    "measure_view",
    "plane_points",
    "view_arcs",
    "view_result",
]


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
        The arcs and the head circle behind the angle, in plane mm: what a picture draws. The
        circle is None where no rim is marked.
    centre_mm
        Centre of the head circle in patient LPS mm (detector mm on a radiograph), or None.
    rim_rms_mm, rim_span_deg, rim_count
        How closely the rim marks follow the circle, how far they reach round it, and how many.
    rim_left_out, rim_misplaced
        Rim marks, from 0, that a collapsed head leaves out, and those that look misplaced.
    edge_gap_mm
        Largest distance of an arc end from the circle, or None without an arc.
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
    slice_shift_mm: float
    start_deg: float | None
    end_deg: float | None
    middle_deg: float | None
    surface_share: float | None
    plane_name: str | None
    obliquity_deg: float | None
    flags: tuple[Flag, ...]

    @property
    def angle_deg(self) -> float:
        """The angle, degrees."""
        return self.estimate.value

    @property
    def arc_count(self) -> int:
        """Number of arcs."""
        return len(self.arcs)

    @property
    def radius_mm(self) -> float | None:
        """Radius of the head circle, mm."""
        return self.circle.radius_mm if self.circle else None


@dataclass(frozen=True, slots=True, eq=False)
class MarkedView:
    """A view with its head circle found: what every mode of measuring starts from.

    Attributes
    ----------
    view, plane, laterality
        The view, its plane, and the hip's side where it is known.
    head
        The head circle, or None where no rim is marked.
    marked_circle
        The same with the points that it was fitted to, in patient mm.
    """

    view: ReadView
    plane: ImagePlane
    laterality: Laterality | None
    head: HeadCircle | None
    marked_circle: MarkedCircle | None


def measure_view(
    view: ReadView, laterality: Laterality | None = None, settings: Settings = DEFAULTS
) -> ViewMeasurement:
    """Measure one view by itself: the arcs on the head's surface about its own head circle.

    Parameters
    ----------
    view
        The view.
    laterality
        The hip's side; without it a coronal view's boundaries have no direction.
    settings
        What is taken as given.

    Raises
    ------
    GeometryError
        Naming the view, where the rim marks give no circle or the arc marks no arc.

    Examples
    --------
    >>> import msgspec
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> coronal = readings_of(sample_studies()["plain"])[0].views[0]
    >>> found = measure_view(coronal, Laterality.RIGHT)
    >>> found.angle_deg, round(found.estimate.se, 2), round(found.radius_mm, 3)
    (107.473747, 3.38, 23.998)
    >>> measure_view(msgspec.structs.replace(coronal, rim=coronal.rim[:2]))
    Traceback (most recent call last):
    ...
    necroangle.errors.RimError: coronal view: a head circle needs 3 rim points ...
    """
    marked = mark_view(view, laterality, collapsed=False, settings=settings)
    if marked.head is None:
        return view_result(marked, None, None, Estimate(0.0, 0.0))
    fit = marked.head.fit
    angle = surface_angle(marked.head.arcs, fit.circle)
    noise = pooled_noise([(fit.rss_mm2, fit.count - 3)], settings)
    value = stored_deg(angle.angle_deg)
    estimate = angle_estimate(value, circle_factors(angle, fit), noise, settings)
    return view_result(marked, angle, fit.circle, estimate)


def mark_view(
    view: ReadView, laterality: Laterality | None, *, collapsed: bool, settings: Settings
) -> MarkedView:
    """Find the head circle of a view.

    Parameters
    ----------
    laterality
        The hip's side, where it is known.
    collapsed
        Whether the stage says that the head has collapsed; the view's own remark counts as well.

    Raises
    ------
    GeometryError
        As for :func:`measure_view`.
    """
    plane = view.plane.plane()
    if not view.rim:
        return MarkedView(view, plane, laterality, None, None)
    rim = plane_points(view.rim, plane)
    arcs = tuple(plane_points((arc.start, arc.end, arc.via), plane) for arc in view.arcs)
    sunken = collapsed or Observation.FLATTENED in view.observations
    try:
        head = fit_head(rim, arcs, collapsed=sunken, settings=settings)
    except GeometryError as error:
        raise type(error)(f"{view.view.label} view: {error}") from error
    kept = [place for place in range(len(view.rim)) if place not in head.left_out]
    ends = [arc[:2] for arc in arcs] if head.collapsed else []
    used = PlanePoints(np.vstack([rim[kept], *ends]))
    rim_mm = PatientPoints(np.column_stack(in_patient(used.T, plane_columns(plane))))
    circle = MarkedCircle(plane, rim_mm, head.fit)
    return MarkedView(view, plane, laterality, head, circle)


def view_result(
    marked: MarkedView,
    angle: SliceAngle | None,
    circle: Circle | None,
    estimate: Estimate,
    *,
    slice_shift_mm: float = 0.0,
    share: SurfaceShare | None = None,
    flags: tuple[Flag, ...] = (),
) -> ViewMeasurement:
    """Put together what is reported of a view.

    Parameters
    ----------
    marked
        The view.
    angle, circle, estimate
        The angle by some mode, the circle it lies on, and its standard error.
    slice_shift_mm
        Where the measured slice lies from the view's own.
    share
        Necrotic share of the surface, where three slices are marked.
    flags
        Doubts of the mode.
    """
    view, plane, head = marked.view, marked.plane, marked.head
    arcs = angle.arcs if angle else ()
    gaps = [abs(gap) for arc in arcs for gap in (arc.start_gap_mm, arc.end_gap_mm)]
    name = None if view.view.is_radiograph else plane.name()
    limits = boundaries(arcs, anatomical_axes(view.view, marked.laterality, plane))
    return ViewMeasurement(
        view=view.view,
        estimate=estimate,
        span_deg=stored_deg(angle.span_deg) if angle else 0.0,
        arcs=arcs,
        circle=circle,
        centre_mm=_patient_centre(plane, circle) if circle else None,
        rim_rms_mm=head.fit.rms_mm if head else None,
        rim_span_deg=head.fit.span_deg if head else None,
        rim_count=len(view.rim),
        rim_left_out=head.left_out if head else (),
        rim_misplaced=head.misplaced if head else (),
        edge_gap_mm=max(gaps) if gaps else None,
        slice_shift_mm=slice_shift_mm,
        start_deg=stored_deg(limits.start_deg) if limits else None,
        end_deg=stored_deg(limits.end_deg) if limits else None,
        middle_deg=stored_deg(limits.middle_deg) if limits else None,
        surface_share=share.share if share else None,
        plane_name=name.name if name else None,
        obliquity_deg=name.obliquity_deg if name else None,
        flags=view_flags(view, head, arcs, name, (*flags, *_uncovered(share))),
    )


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


def view_arcs(arcs: Iterable[NecroticArc], plane: ImagePlane, circle: Circle) -> tuple[Arc, ...]:
    """Arcs about a circle's centre, in plane mm.

    Raises
    ------
    ArcError
        As :func:`necroangle.geometry.arc_through`.

    Examples
    --------
    >>> plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.9))
    >>> start, end, via = (Mark.at_plane(plane, *uv) for uv in ((24, 0), (0, 24), (-24, 0)))
    >>> circle = Circle((0.0, 0.0), 24.0)
    >>> round(view_arcs([NecroticArc(start, end, via)], plane, circle)[0].angle_deg, 9)
    270.0
    >>> view_arcs([NecroticArc(start, start, via)], plane, circle)
    Traceback (most recent call last):
    ...
    necroangle.errors.ArcError: start and end lie in the same direction from the centre; ...
    """
    return tuple(
        arc_through(
            circle.centre_mm,
            circle.radius_mm,
            plane_points((arc.start, arc.end, arc.via), plane),
        )
        for arc in arcs
    )


def plane_points(marks: Iterable[Mark], plane: ImagePlane) -> PlanePoints:
    """Marks as (N, 2) plane mm."""
    points = np.array([mark.patient_mm for mark in marks], float).reshape(-1, 3)
    return PlanePoints(np.column_stack(in_plane(points.T, plane_columns(plane))))


def _uncovered(share: SurfaceShare | None) -> tuple[Flag, ...]:
    return () if share is None or share.covered else (Flag.LESION_NOT_COVERED,)


def _patient_centre(plane: ImagePlane, circle: Circle) -> tuple[float, float, float]:
    x, y, z = plane.plane_to_patient(PlanePoints(np.array([circle.centre_mm])))[0].tolist()
    return x, y, z
