"""The one function from which every angle comes, on the screen, in batch and in the table."""

from dataclasses import dataclass

import numpy as np

from necroangle.annotation import HipReading, ReadView, UnreadView
from necroangle.errors import GeometryError
from necroangle.geometry import PatientPoints
from necroangle.measurement.grades import (
    HaGrade,
    HaRisk,
    KerboulBin,
    ha_grade,
    ha_risk,
    kerboul_bin,
)
from necroangle.measurement.method import Method, default_method
from necroangle.measurement.rounding import stored_deg
from necroangle.measurement.view import ViewMeasurement, measure_view
from necroangle.terms import Flag, UnreadReason

__all__ = ["HipMeasurement", "measure"]

OFF_CENTRE_MM = 3.0
RADII_DIFFER_MM = 2.0


@dataclass(frozen=True, slots=True)
class HipMeasurement:
    """What one reading says by one method.

    Attributes
    ----------
    method
        The method.
    a, b
        The A view (coronal or AP) and the B view; None where it was not read.
    a_slice_offset_mm, b_slice_offset_mm
        Signed distance of the marked slice from the head's centre as the other view shows it:
        coronal positive behind it, sagittal positive to the patient's left. None where unknown.
    cna_deg
        Combined necrotic angle A + B, stored to 1e-6 degree; None where a view is missing, or
        the hip has been replaced.
    ha_grade, ha_risk, kerboul
        Categories of the stored angle; None without one, and Ha's only on MR.
    koo_kim_index
        (A / 180)(B / 180) x 100 (Koo and Kim 1995); not clipped, may exceed 100.
    flags
        Doubts about the hip as a whole; those of a view stand with the view.

    References
    ----------
    Ha et al. 2006, doi 10.2106/JBJS.F.00535. Kerboul et al. 1974,
    doi 10.1302/0301-620X.56B2.291. Koo and Kim 1995, J Bone Joint Surg Br 77-B:875.
    """

    method: Method
    a: ViewMeasurement | None
    b: ViewMeasurement | None
    a_slice_offset_mm: float | None
    b_slice_offset_mm: float | None
    cna_deg: float | None
    ha_grade: HaGrade | None
    ha_risk: HaRisk | None
    kerboul: KerboulBin | None
    koo_kim_index: float | None
    flags: tuple[Flag, ...]


def measure(reading: HipReading, method: Method | None = None) -> HipMeasurement:
    """Measure a reading.

    Parameters
    ----------
    reading
        The reading; no image is needed.
    method
        How; by default Ha 2006 for MR and Kerboul 1974 for radiographs.

    Raises
    ------
    MethodError
        If the method is for another kind of image.
    GeometryError
        If the marks of a view give no circle or no arc; the message names the view.
    """
    method = method or default_method(reading)
    method.refuse_unfit(reading)
    a, b = (_measured(view, index) for index, view in enumerate(reading.views))
    replaced = any(
        isinstance(view, UnreadView) and view.reason is UnreadReason.PROSTHESIS
        for view in reading.views
    )
    offsets = _slice_offsets(reading, a, b)
    complete = a is not None and b is not None
    cna = stored_deg(a.angle_deg + b.angle_deg) if a and b else None
    return HipMeasurement(
        method=method,
        a=a,
        b=b,
        a_slice_offset_mm=offsets[0],
        b_slice_offset_mm=offsets[1],
        cna_deg=cna,
        ha_grade=ha_grade(cna) if cna is not None and method.ha_scheme else None,
        ha_risk=ha_risk(cna) if cna is not None and method.ha_scheme else None,
        kerboul=kerboul_bin(cna) if cna is not None else None,
        koo_kim_index=a.angle_deg * b.angle_deg / 324.0 if a and b else None,
        flags=_hip_flags(complete, replaced, _frames_differ(reading), (a, b), offsets),
    )


def _measured(view: ReadView | UnreadView, index: int) -> ViewMeasurement | None:
    if isinstance(view, UnreadView):
        return None
    try:
        return measure_view(view)
    except GeometryError as error:
        raise type(error)(str(error), place=f"$.views[{index}]") from error


def _frames_differ(reading: HipReading) -> bool:
    if reading.is_radiograph:
        return False
    frames = {
        view.image.frame_of_reference_uid for view in reading.views if isinstance(view, ReadView)
    }
    return len(frames) > 1


def _slice_offsets(
    reading: HipReading, a: ViewMeasurement | None, b: ViewMeasurement | None
) -> tuple[float | None, float | None]:
    """How far each slice lies from the centre that the other view found."""
    if reading.is_radiograph or _frames_differ(reading):
        return None, None
    first, second = reading.views
    return _offset_mm(first, b), _offset_mm(second, a)


def _offset_mm(view: ReadView | UnreadView, other: ViewMeasurement | None) -> float | None:
    if isinstance(view, UnreadView) or other is None or other.centre_mm is None:
        return None
    plane = view.plane.plane()
    normal = plane.normal
    facing = 1.0 if normal[np.argmax(np.abs(normal))] > 0 else -1.0
    centre = PatientPoints(np.array([other.centre_mm]))
    return -facing * float(plane.distance_mm(centre)[0])


def _hip_flags(
    complete: bool,
    replaced: bool,
    frames_differ: bool,
    views: tuple[ViewMeasurement | None, ViewMeasurement | None],
    offsets: tuple[float | None, float | None],
) -> tuple[Flag, ...]:
    raised = {
        Flag.VIEW_NOT_READ: not complete,
        Flag.CENSORED_BY_THA: replaced,
        Flag.FRAMES_DIFFER: frames_differ,
        Flag.SLICE_OFF_CENTRE: any(
            offset is not None and abs(offset) > OFF_CENTRE_MM for offset in offsets
        ),
        Flag.RADII_DIFFER: _radii_differ(views, offsets),
    }
    return tuple(flag for flag in Flag if raised.get(flag, False))


def _radii_differ(
    views: tuple[ViewMeasurement | None, ViewMeasurement | None],
    offsets: tuple[float | None, float | None],
) -> bool:
    """Whether the head's radii differ, each slice circle brought to the centre by its offset."""
    radii = [
        float(np.hypot(view.radius_mm, offset))
        for view, offset in zip(views, offsets, strict=True)
        if view is not None and view.radius_mm is not None and offset is not None
    ]
    return len(radii) == 2 and abs(radii[0] - radii[1]) > RADII_DIFFER_MM
