"""Readings of a round hip whose true angle is known, as a hand would mark them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReaderEntries,
    ReadView,
)
from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.phantom import SeriesGeometry
from necroangle.terms import ArcoStage, Finding, Laterality, View

RADIUS_MM = 24.0
_CENTRE_MM = (90.0, -10.0, 35.0)
_SUPERIOR_DEG = -90.0  # v grows downwards
_FRAME_UID = "1.2.826.0.1"


@dataclass(frozen=True, slots=True)
class Clicks:
    """How a head is marked, and how unsteady the hand is.

    Attributes
    ----------
    rim_span_deg, rim_count
        The part of the head's contour that is marked, about its top, and by how many marks.
    rim_sd_mm, end_sd_mm
        Noise per coordinate of a rim mark and of an arc's end, mm.
    """

    rim_span_deg: float
    rim_count: int
    rim_sd_mm: float
    end_sd_mm: float


def round_hip(
    clicks: Clicks, angle_deg: float, *, radius_mm: float = RADIUS_MM, arco: ArcoStage | None = None
) -> HipReading:
    """A left hip, marked without error on a coronal and a sagittal MR slice.

    Parameters
    ----------
    clicks
        The rim's extent and count; its noise is not applied here.
    angle_deg
        The necrotic angle of each view, about the top of the head, above 0 and below 360.
    radius_mm
        Radius of the head, mm.
    arco
        The stage that the reader enters.

    Raises
    ------
    PhantomError
        If the angle is out of range.

    Examples
    --------
    >>> from necroangle.measurement import measure
    >>> measure(round_hip(Clicks(220.0, 12, 0.5, 0.5), 105.0)).cna_deg
    210.0
    >>> round_hip(Clicks(220.0, 12, 0.5, 0.5), 360.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: the angle must lie between 0° and 360°, found 360.0
    """
    if not 0 < angle_deg < 360:
        raise PhantomError(f"the angle must lie between 0° and 360°, found {angle_deg}")
    coronal, sagittal = (
        _view(view, clicks, angle_deg, radius_mm) for view in (View.CORONAL, View.SAGITTAL)
    )
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject="ROUND",
        laterality=Laterality.LEFT,
        visit="m00",
        reader="hand",
        read_no=1,
        views=(coronal, sagittal),
        entries=ReaderEntries.of({"arco": arco}),
        notes="",
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at="2026-01-01T00:00:00.000Z",
        software="necroangle selftest 1",
    )


def click_noise(reading: HipReading, clicks: Clicks, chance: np.random.Generator) -> HipReading:
    """The same reading by an unsteady hand: rim marks and arc ends moved within the slice.

    Each coordinate of each mark moves by itself, normally distributed. The point between the ends
    stays: it only says which side is meant.
    """
    first, second = (
        _moved(view, clicks, chance) if isinstance(view, ReadView) else view
        for view in reading.views
    )
    return replace(reading, views=(first, second))


def dome_pressed_in(reading: HipReading, depth_mm: float) -> HipReading:
    """The same reading with the rim of :func:`round_hip` pressed in between the arc's ends.

    Parameters
    ----------
    depth_mm
        How deep the middle of the arc has sunk, mm; towards the ends it is less, as cos².
    """
    first, second = (
        _pressed(view, depth_mm) if isinstance(view, ReadView) else view for view in reading.views
    )
    return replace(reading, views=(first, second))


def _view(view: View, clicks: Clicks, angle_deg: float, radius_mm: float) -> ReadView:
    stack = SeriesGeometry(view, 0.6, 0.45, rows=256, columns=320, slices=1)
    (plane,) = stack.planes(_CENTRE_MM)
    half = clicks.rim_span_deg / 2
    rim = np.linspace(_SUPERIOR_DEG - half, _SUPERIOR_DEG + half, clicks.rim_count)
    ends = _SUPERIOR_DEG + angle_deg * np.array([-0.5, 0.5, 0.0])
    start, end, via = _on_circle(plane, radius_mm, ends)
    series = f"1.2.3.{1 if view.is_a else 2}"
    return ReadView(
        view=view,
        finding=Finding.NECROSIS,
        image=ImageRecord("1.2.3", series, f"{series}.1", 1, _FRAME_UID),
        plane=PlaneRecord.of(plane, (stack.rows, stack.columns)),
        passport=None,
        rim=tuple(_on_circle(plane, radius_mm, rim)),
        arcs=(NecroticArc(start, end, via),),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


def _on_circle(
    plane: ImagePlane, radius_mm: float, directions_deg: NDArray[np.float64]
) -> list[Mark]:
    u, v = plane.patient_to_plane(PatientPoints(np.array([_CENTRE_MM])))[0].tolist()
    turns = np.radians(directions_deg)
    points = radius_mm * np.column_stack((np.cos(turns), np.sin(turns))) + (u, v)
    return [Mark.at_plane(plane, *point) for point in points.tolist()]


def _moved(view: ReadView, clicks: Clicks, chance: np.random.Generator) -> ReadView:
    plane = view.plane.plane()
    ends = [mark for arc in view.arcs for mark in (arc.start, arc.end)]
    rim_shifts = chance.normal(0.0, clicks.rim_sd_mm, (len(view.rim), 2))
    end_shifts = chance.normal(0.0, clicks.end_sd_mm, (len(ends), 2))
    moved = iter(_shifted(plane, ends, end_shifts))
    arcs = tuple(NecroticArc(next(moved), next(moved), arc.via) for arc in view.arcs)
    return replace(view, rim=tuple(_shifted(plane, view.rim, rim_shifts)), arcs=arcs)


def _pressed(view: ReadView, depth_mm: float) -> ReadView:
    plane = view.plane.plane()
    centre = plane.patient_to_plane(PatientPoints(np.array([_CENTRE_MM])))[0]
    marks = [*view.rim, *((view.arcs[0].start,) if view.arcs else ())]
    points = plane.patient_to_plane(PatientPoints(np.array([mark.patient_mm for mark in marks])))
    offsets = points - centre
    up = offsets / np.hypot(*offsets.T)[:, None]
    from_top = np.arctan2(np.abs(up[:, 0]), -up[:, 1])
    half = from_top[-1] if view.arcs else 0.0
    rim_up, away = up[: len(view.rim)], from_top[: len(view.rim)]
    depths = np.where(away < half, depth_mm * np.cos(away / max(half, 1e-9) * np.pi / 2) ** 2, 0.0)
    return replace(view, rim=tuple(_shifted(plane, view.rim, -depths[:, None] * rim_up)))


def _shifted(
    plane: ImagePlane, marks: Iterable[Mark], shifts_mm: NDArray[np.float64]
) -> Iterable[Mark]:
    """Marks moved by (N, 2) plane mm."""
    axes = np.array((plane.row_cosine, plane.column_cosine))
    spacing = np.array((plane.row_spacing_mm, plane.column_spacing_mm))
    pairs = list(marks)
    patient = np.array([mark.patient_mm for mark in pairs]).reshape(-1, 3) + shifts_mm @ axes
    pixels = np.array([mark.pixel for mark in pairs]).reshape(-1, 2) + shifts_mm[:, ::-1] / spacing
    for (x, y, z), (row, column) in zip(patient.tolist(), pixels.tolist(), strict=True):
        yield Mark((x, y, z), (row, column))
