"""A reader whose bias and spread are known, who marks a calibration's hips beside the truth."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import (
    FIRST_REVISION,
    NO_ENTRIES,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
)
from necroangle.calibration import Calibration, CalibrationHip, Truths
from necroangle.phantom.model import neck_direction
from necroangle.phantom.mr import MrSeries
from necroangle.phantom.truth import contour_mm
from necroangle.readerstudy import ListedCase, conduct_of, reading_list
from necroangle.terms import Finding

__all__ = ["KnownReader", "read_all"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KnownReader:
    """How a reader marks.

    Attributes
    ----------
    end_sd_mm, end_bias_mm
        Of arc ends along the surface, outward.
    hip_sd_mm
        What all four ends of a hip share.
    rim_sd_mm, rim_bias_mm
        Of rim marks across the surface, outward.
    slice_miss
        How often a slice beside the nearest is marked.
    """

    end_sd_mm: float = 1.0
    end_bias_mm: float = 0.0
    hip_sd_mm: float = 0.0
    rim_sd_mm: float = 0.5
    rim_bias_mm: float = 0.0
    slice_miss: float = 0.0


def read_all(
    calibration: Calibration, truths: Truths, reader: KnownReader, chance: np.random.Generator
) -> list[HipReading]:
    """Every case of the list, repeats too."""
    hips = {hip.subject: hip for hip in calibration.hips}
    worklist = calibration.worklist
    shared = {name: float(chance.normal(0, reader.hip_sd_mm)) for name in hips}
    found = []
    for listed in reading_list(worklist, calibration.reader):
        hip = hips[listed.case.subject]
        outward = reader.end_bias_mm + shared[hip.subject]
        views = [_view(hip, series, truths, reader, outward, chance) for series in hip.series]
        found.append(_reading(calibration, listed, hip, (views[0], views[1])))
    return found


def _view(
    hip: CalibrationHip,
    series: MrSeries,
    truths: Truths,
    reader: KnownReader,
    outward_mm: float,
    chance: np.random.Generator,
) -> ReadView:
    offsets = truths.offsets_mm(series, hip)
    index = int(np.argmin(np.abs(offsets)))
    if chance.random() < reader.slice_miss:
        index += 1 if index + 1 < len(offsets) else -1
    plane, lying = series.planes[index], series.lying(hip.hip)
    axes = np.array((plane.row_cosine, plane.column_cosine, plane.normal))
    middle = np.array(lying.centre_mm) + offsets[index] * axes[2]
    image = _image(hip, series, index)
    truth = truths.on(image.instance_uid)
    (arc,) = truth.arcs

    def mark(turn: float, radius: float) -> Mark:
        arm = np.cos(turn) * axes[0] + np.sin(turn) * axes[1]
        x, y, z = (middle + radius * arm).tolist()
        return Mark.at_patient(plane, (x, y, z))

    start, via, end = (np.array(point) - middle for point in (arc.start_mm, arc.via_mm, arc.end_mm))
    turns = [float(np.arctan2(one @ axes[1], one @ axes[0])) for one in (start, end, via)]
    radii = [float(np.hypot(one @ axes[0], one @ axes[1])) for one in (start, end, via)]
    moved = chance.normal(outward_mm, reader.end_sd_mm, 2) / radii[:2]
    turns[0] -= moved[0]
    turns[1] += moved[1]
    neck = np.array(neck_direction(hip.side))
    away = np.arctan2(-neck @ axes[1], -neck @ axes[0])
    span = np.radians(chance.uniform(200, 250)) / 2
    rim = np.linspace(away - span, away + span, 12)
    reach = contour_mm(lying, offsets[index], axes, np.degrees(rim))
    reach = reach + chance.normal(reader.rim_bias_mm, reader.rim_sd_mm, len(rim))
    geometry = series.geometry
    return ReadView(
        view=geometry.view,
        finding=Finding.NECROSIS,
        image=image,
        plane=PlaneRecord.of(plane, (geometry.rows, geometry.columns)),
        passport=None,
        rim=tuple(mark(float(turn), float(far)) for turn, far in zip(rim, reach, strict=True)),
        arcs=(NecroticArc(*(mark(*one) for one in zip(turns, radii, strict=True))),),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


_IMAGES: dict[tuple[str, str, int], ImageRecord] = {}


def _image(hip: CalibrationHip, series: MrSeries, index: int) -> ImageRecord:
    """What an image is called; its names take long to make."""
    key = (hip.subject, series.folder, index)
    if key not in _IMAGES:
        _IMAGES[key] = ImageRecord.of(series.source(index))
    return _IMAGES[key]


def _reading(
    calibration: Calibration,
    listed: ListedCase,
    hip: CalibrationHip,
    views: tuple[ReadView, ReadView],
) -> HipReading:
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject=hip.subject,
        laterality=hip.side,
        visit=listed.case.visit,
        reader=calibration.reader,
        read_no=listed.read_no,
        views=views,
        entries=NO_ENTRIES,
        notes="",
        conduct=msgspec.structs.replace(
            conduct_of(calibration.worklist, listed, 60.0), submitted=True
        ),
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at=f"2026-11-{10 + listed.session}T08:00:00.000Z",
        software="necroangle test",
    )
