"""Whether the planes that a reading carries are still those of the DICOM files on disk."""

from contextlib import suppress
from dataclasses import dataclass
from math import acos, degrees
from typing import Any

import msgspec
import numpy as np
from msgspec import UnsetType

from necroangle.annotation import HipReading, Mark, NeighbourSlice, PlaneRecord, ReadView
from necroangle.dicom import SeriesSummary
from necroangle.dicom.films import scaled_by_marker
from necroangle.errors import NecroangleError
from necroangle.geometry import Marker
from necroangle.measurement import measure
from necroangle.review.pictures import ImagePlaces, MeasuredBy

TOLERANCE_MM = 1e-4
"""Planes nearer than this everywhere on the image are the same; files round to about 1e-6."""

TOLERANCE_DEG = 1e-4
TOLERANCE_SPACING = 1e-7
"""Relative."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the reading says otherwise than the files.

    Attributes
    ----------
    what
        ``row_spacing_mm``, ``column_spacing_mm``, ``orientation``, ``position``, ``matrix``,
        ``frame``, ``calibrated``, ``frame_of_reference_uid``.
    reading, disk
        Both sides in words; identifiers are not printed.
    """

    what: str
    reading: str
    disk: str

    def __str__(self) -> str:
        """``what: reading, on disk``."""
        return f"{self.what}: {self.reading} in the reading, {self.disk} on disk"


@dataclass(frozen=True, slots=True)
class ViewAudit:
    """One marked slice of a reading beside the files.

    Attributes
    ----------
    place
        Where in the reading, as a JSON path.
    status
        ``"same"``, ``"differs"`` or ``"missing"``: the image is in none of the folders.
    differences
        What differs.
    angle_change_deg
        How much the combined angle (where there is none, the sum of the views that were read)
        would change if the marks stayed on their pixels and every plane were the one on disk;
        None where nothing differs, or where it could not be measured.
    """

    place: str
    status: str
    differences: tuple[Difference, ...] = ()
    angle_change_deg: float | None = None


def audit_reading(
    reading: HipReading, places: ImagePlaces, measured: MeasuredBy = measure
) -> tuple[ViewAudit, ...]:
    """Hold every marked slice of a reading beside the file that it names.

    Parameters
    ----------
    reading
        The reading.
    places
        The images at hand.
    measured
        How the change of the angle is measured; by default by the kind of image.

    Returns
    -------
    tuple of ViewAudit
        One for each marked slice: the views, then their neighbours.
    """
    found: list[ViewAudit] = []
    for place, marked in _marked(reading):
        summary = places.slice_of(marked.image)
        if summary is None:
            found.append(ViewAudit(place, "missing"))
            continue
        differences = tuple(_differences(marked, summary))
        found.append(ViewAudit(place, "differs" if differences else "same", differences))
    if any(one.status == "differs" for one in found):
        change = _angle_change_deg(reading, places, measured)
        found = [_with_change(one, change) for one in found]
    return tuple(found)


def plane_on_disk(summary: SeriesSummary, marked: ReadView | NeighbourSlice) -> PlaneRecord:
    """The plane record that a reading made today would carry, by the same marker of known size.

    A marker that gives no scale on the picture on disk is left aside.
    """
    shape = (summary.rows, summary.columns)
    frame = marked.plane.frame if summary.kind == "radiograph" else "patient"
    passport = marked.passport if isinstance(marked, ReadView) else None
    if passport is not None and not isinstance(passport.marker, UnsetType):
        with suppress(NecroangleError):
            marker = Marker(passport.marker.ends, passport.marker.size_mm)
            summary = scaled_by_marker(summary, marker)
    return PlaneRecord.of(summary.planes[0], shape, frame=frame, calibrated=summary.calibrated)


def with_planes_on_disk(reading: HipReading, places: ImagePlaces) -> HipReading:
    """The reading with every plane as the files on disk say; the marks stay on their pixels.

    A slice whose image is not at hand keeps its plane.
    """
    views = tuple(
        _moved(view, places) if isinstance(view, ReadView) else view for view in reading.views
    )
    return msgspec.structs.replace(reading, views=views)


def _marked(reading: HipReading) -> list[tuple[str, ReadView | NeighbourSlice]]:
    found: list[tuple[str, ReadView | NeighbourSlice]] = []
    for index, view in enumerate(reading.views):
        if isinstance(view, ReadView):
            place = f"$.views[{index}]"
            found.append((place, view))
            found += [(f"{place}.neighbours[{n}]", one) for n, one in enumerate(view.neighbours)]
    return found


def _with_change(one: ViewAudit, change_deg: float | None) -> ViewAudit:
    if one.status != "differs":
        return one
    return ViewAudit(one.place, one.status, one.differences, change_deg)


def _differences(marked: ReadView | NeighbourSlice, summary: SeriesSummary) -> list[Difference]:
    old, new = marked.plane, plane_on_disk(summary, marked)
    found = [
        Difference(name, f"{getattr(old, name):.6g}", f"{getattr(new, name):.6g}")
        for name in ("row_spacing_mm", "column_spacing_mm")
        if abs(getattr(old, name) / getattr(new, name) - 1) > TOLERANCE_SPACING
    ]
    turn_deg = max(
        _between_deg(getattr(old, axis), getattr(new, axis))
        for axis in ("row_cosine", "column_cosine")
    )
    if turn_deg > TOLERANCE_DEG:
        found.append(Difference("orientation", "as marked", f"turned by {turn_deg:.3g}°"))
    shift_mm = float(np.linalg.norm(np.subtract(old.origin_mm, new.origin_mm)))
    if shift_mm > TOLERANCE_MM:
        found.append(Difference("position", "as marked", f"{shift_mm:.4g} mm away"))
    if (old.rows, old.columns) != (new.rows, new.columns):
        sizes = (f"{plane.rows} x {plane.columns}" for plane in (old, new))
        found.append(Difference("matrix", *sizes))
    found += [
        Difference(name, str(getattr(old, name)), str(getattr(new, name)))
        for name in ("frame", "calibrated")
        if getattr(old, name) != getattr(new, name)
    ]
    source = summary.sources[0]
    if marked.image.frame_of_reference_uid != source.frame_of_reference_uid:
        found.append(Difference("frame_of_reference_uid", "one", "another"))
    return found


def _between_deg(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    cosine = float(np.dot(first, second))
    if cosine > 0.999999:
        return degrees(float(np.linalg.norm(np.subtract(first, second))))
    return degrees(acos(max(-1.0, cosine)))


def _angle_change_deg(
    reading: HipReading, places: ImagePlaces, measured: MeasuredBy
) -> float | None:
    try:
        before = measured(reading)
        after = measured(with_planes_on_disk(reading, places))
    except NecroangleError:
        return None
    if before.cna_deg is not None and after.cna_deg is not None:
        return after.cna_deg - before.cna_deg
    return sum(
        new.angle_deg - old.angle_deg
        for old, new in ((before.a, after.a), (before.b, after.b))
        if old is not None and new is not None
    )


def _moved(marked: Any, places: ImagePlaces) -> Any:
    """A marked slice on the plane that its file states, its marks on the same pixels."""
    summary = places.slice_of(marked.image)
    changed: dict[str, Any] = {}
    if summary is not None:
        record = plane_on_disk(summary, marked)
        plane = record.plane()

        def again(mark: Mark) -> Mark:
            return Mark.at_pixel(plane, *mark.pixel)

        changed["plane"] = record
        changed["rim"] = tuple(again(mark) for mark in marked.rim)
        changed["arcs"] = tuple(
            msgspec.structs.replace(
                arc, start=again(arc.start), end=again(arc.end), via=again(arc.via)
            )
            for arc in marked.arcs
        )
        if isinstance(marked, ReadView):
            changed["contour"] = tuple(again(mark) for mark in marked.contour)
            changed["landmarks"] = tuple(
                msgspec.structs.replace(one, mark=again(one.mark)) for one in marked.landmarks
            )
    if isinstance(marked, ReadView):
        changed["neighbours"] = tuple(_moved(one, places) for one in marked.neighbours)
    return msgspec.structs.replace(marked, **changed)
