"""Readings of a phantom study, marked at its truth: what a faultless reader would save."""

import math
from pathlib import Path

import numpy as np

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    file_name,
    save_reading,
)
from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.phantom.model import PhantomHip, PhantomStudy, neck_direction
from necroangle.phantom.mr import MrSeries, mr_series
from necroangle.phantom.radiograph import Radiograph, radiograph_truth, radiographs, view_axes
from necroangle.phantom.surface import directions_from, sunken_mm
from necroangle.phantom.truth import contour_mm, cut, mid_index
from necroangle.phantom.write import slice_truths
from necroangle.terms import Finding, Laterality, Observation

READER = "truth"
"""The reader's id in readings that are marked at the truth."""

_RIM_MARKS = 12
_RIM_SPAN_DEG = 270.0
_SAVED_AT = "2026-01-01T00:00:00.000Z"


def readings_of(study: PhantomStudy) -> tuple[HipReading, ...]:
    """One reading per hip and kind of image, marked at the truth.

    Rim marks: 12 over 270 degrees of the head circle, away from the neck. Arc ends and middles:
    the exact ones of the slice nearest to the head's centre.

    Raises
    ------
    PhantomError
        If a slice is necrotic all round: three points cannot mark an arc of 360 degrees.
    """
    readings = []
    for hip in study.hips:
        pair = [
            _slice_view(one, hip)
            for one in mr_series(study)
            if one.laterality in (None, hip.laterality) and one.other is None
        ]
        taken = [one for one in radiographs(study) if one.laterality is hip.laterality]
        films = [_radiograph_view(one, hip) for one in taken]
        readings += [
            _reading(study, hip.laterality, views) for views in (pair, films) if len(views) == 2
        ]
    return tuple(readings)


def save_readings(study: PhantomStudy, folder: Path) -> tuple[Path, ...]:
    """Save a study's readings, each under its own name; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for reading in readings_of(study):
        path = folder / file_name(reading)
        save_reading(reading, path)
        files.append(path)
    return tuple(files)


def _reading(study: PhantomStudy, laterality: Laterality, views: list[ReadView]) -> HipReading:
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject=study.subject,
        laterality=laterality,
        visit=study.visit,
        reader=READER,
        read_no=2 if views[0].view.is_radiograph and study.coronal else 1,
        views=(views[0], views[1]),
        entries=NO_ENTRIES,
        notes="Marked at the phantom's truth.",
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at=_SAVED_AT,
        software="necroangle phantom 1",
    )


def _slice_view(series: MrSeries, hip: PhantomHip) -> ReadView:
    index = mid_index(slice_truths(series, hip))
    plane = series.planes[index]
    hip = series.lying(hip)
    truth = cut(hip, plane)
    if truth.centre_mm is None:
        raise PhantomError(
            f"hip {hip.laterality.value}: no {series.geometry.view.value} slice cuts the head; "
            "more slices, or another centre, are needed"
        )
    arcs = tuple(
        NecroticArc(*(Mark.at_patient(plane, p) for p in (arc.start_mm, arc.end_mm, arc.via_mm)))
        for arc in truth.arcs
    )
    neck = neck_direction(hip.laterality)
    along = float(np.dot(neck, plane.row_cosine)), float(np.dot(neck, plane.column_cosine))
    centre = Mark.at_patient(plane, truth.centre_mm).pixel
    u, v = centre[1] * plane.column_spacing_mm, centre[0] * plane.row_spacing_mm
    geometry = series.geometry
    return ReadView(
        view=geometry.view,
        finding=_finding(hip, truth.angle_deg),
        image=ImageRecord.of(series.source(index)),
        plane=PlaneRecord.of(plane, (geometry.rows, geometry.columns)),
        passport=None,
        rim=tuple(Mark.at_plane(plane, u + x, v + y) for x, y in _contour_mm(hip, plane, along)),
        arcs=arcs,
        observations=(Observation.FLATTENED,) if hip.form and hip.form.sunken_mm else (),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


def _radiograph_view(radiograph: Radiograph, hip: PhantomHip) -> ReadView:
    geometry, plane = radiograph.geometry, radiograph.plane
    truth = radiograph_truth(hip, geometry, radiograph.view)
    arcs = tuple(
        NecroticArc(*(Mark.at_plane(plane, *p) for p in (arc.start_mm, arc.end_mm, arc.via_mm)))
        for arc in truth.arcs
    )
    axes = view_axes(hip.laterality, radiograph.view)
    row, column, _ = (axes @ np.array(neck_direction(hip.laterality))).tolist()
    u, v = truth.centre_mm
    return ReadView(
        view=radiograph.view,
        finding=_finding(hip, truth.angle_deg),
        image=ImageRecord.of(radiograph.source),
        plane=PlaneRecord.of(
            plane, (geometry.rows, geometry.columns), frame="detector", calibrated=False
        ),
        passport=None,
        rim=tuple(
            Mark.at_plane(plane, u + x, v + y) for x, y in _rim_mm(truth.radius_mm, row, column)
        ),
        arcs=arcs,
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


def _finding(hip: PhantomHip, angle_deg: float | None) -> Finding:
    if not hip.lesions:
        return Finding.NO_NECROSIS
    if angle_deg == 360.0:
        raise PhantomError(
            f"hip {hip.laterality.value}: the slice is necrotic all round, which no arc can mark; "
            "make the lesion smaller"
        )
    return Finding.NECROSIS if angle_deg else Finding.OFF_MIDSLICE


_LEAST_SUNKEN_MM = 0.2


def _contour_mm(
    hip: PhantomHip, plane: ImagePlane, neck: tuple[float, float]
) -> list[tuple[float, float]]:
    """Offsets of the rim marks from the head's centre on a slice: where the head is intact."""
    axes = np.array((plane.row_cosine, plane.column_cosine, plane.normal))
    offset = float((np.array(plane.origin_mm) - np.array(hip.centre_mm)) @ axes[2])
    if hip.form is None:
        return _rim_mm(math.sqrt(hip.radius_mm**2 - offset**2), *neck)
    turns = np.array([math.atan2(v, u) for u, v in _rim_mm(1.0, *neck)])
    reach = contour_mm(hip, offset, axes, np.degrees(turns))
    places = np.column_stack((reach * np.cos(turns), reach * np.sin(turns)))
    points = places @ axes[:2] + offset * axes[2]
    intact = sunken_mm(directions_from(points, hip), hip) < _LEAST_SUNKEN_MM
    return [(u, v) for u, v in places[intact].tolist()]


def _rim_mm(radius_mm: float, neck_u: float, neck_v: float) -> list[tuple[float, float]]:
    """Offsets from the circle's centre, evenly spread over the side away from the neck."""
    away = math.atan2(-neck_v, -neck_u)
    half = math.radians(_RIM_SPAN_DEG) / 2
    turns = np.linspace(away - half, away + half, _RIM_MARKS).tolist()
    return [(radius_mm * math.cos(turn), radius_mm * math.sin(turn)) for turn in turns]
