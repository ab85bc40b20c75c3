"""The earlier visit beside the present one: which readings there are, and where their marks fall.

Two visits have two frames of reference, and the patient never lies twice alike. What they share is
the femoral head: an earlier mark is carried to the present visit by the way from the earlier head
centre to the present one, patient axes kept. On radiographs, whose millimetres are the detector's,
the head's radius gives the scale as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_necroangle._draft import ReadingDraft
from napari_necroangle._outcome import Outcome
from napari_necroangle._overlay import Drawing, arc_polyline
from napari_necroangle._picture import Picture
from necroangle.annotation import SUFFIX, HipReading, ReadView, load_reading
from necroangle.errors import MethodError, NecroangleError
from necroangle.geometry import Circle, ImagePlane, PatientPoints, PlanePoints
from necroangle.measurement import (
    HipChange,
    HipMeasurement,
    ViewMeasurement,
    change_between,
    measure,
)
from necroangle.terms import View

__all__ = ["Earlier", "Ghost", "change_from", "earlier_readings", "ghost_of"]

_Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A reading of the same hip at another visit.

    Attributes
    ----------
    reading
        The reading.
    measurement
        What it measures.
    """

    reading: HipReading
    measurement: HipMeasurement

    @classmethod
    def of(cls, reading: HipReading) -> "Earlier":
        """Measure a reading.

        Raises
        ------
        NecroangleError
            If its marks cannot be measured.
        """
        return cls(reading, measure(reading))

    def view(self, view: View) -> tuple[ReadView, ViewMeasurement] | None:
        """A view that was read, with its measurement."""
        pairs = zip(self.reading.views, (self.measurement.a, self.measurement.b), strict=True)
        for entry, measured in pairs:
            if entry.view is view and isinstance(entry, ReadView) and measured is not None:
                return entry, measured
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Ghost:
    """An earlier view over a slice of the present one.

    Attributes
    ----------
    slice_index
        The slice of the present stack that cuts the head where the earlier slice did.
    drawing
        Circle, rays and arcs, plane mm of that slice.
    placed_by
        What carried them there: ``"frame of reference"``, ``"own circle"`` or ``"other view"``.
    """

    slice_index: int
    drawing: Drawing
    placed_by: str


def earlier_readings(folder: Path, draft: ReadingDraft) -> tuple[Earlier, ...]:
    """The readings of the draft's hip at its other visits, in the same kind of image.

    The reader's own come first, then those of others; within that by visit and read. A file that
    cannot be read or measured is passed over: opening it tells why.
    """
    found: list[Earlier] = []
    for path in _files_of(folder, draft):
        try:
            reading = load_reading(path)
            if _is_other_visit(reading, draft):
                found.append(Earlier.of(reading))
        except NecroangleError:
            continue
    return tuple(
        sorted(found, key=lambda one: (one.reading.reader != draft.reader, *one.reading.key))
    )


def change_from(earlier: Earlier, outcome: Outcome) -> HipChange | None:
    """The change since an earlier visit, with its interval; None where it cannot be said."""
    try:
        return change_between(earlier.measurement, outcome.hip)
    except MethodError:
        return None


def ghost_of(earlier: Earlier, view: View, outcome: Outcome, picture: Picture) -> Ghost | None:
    """Where an earlier view's circle and arcs fall on the present stack.

    Parameters
    ----------
    earlier
        The earlier reading.
    view, picture
        The present view and its stack.
    outcome
        What is marked by now: the head centre of this view, or of the other.

    Returns
    -------
    Ghost or None
        None where the earlier view has no circle, or nothing yet ties the two visits together.
    """
    found = earlier.view(view)
    if found is None or found[1].circle is None:
        return None
    entry, measured = found
    assert measured.circle is not None  # noqa: S101
    old = entry.plane.plane()
    tie = _tie(earlier, entry, view, outcome, picture)
    if tie is None:
        return None
    shift_mm, placed_by = tie
    centre = _patient(old, [measured.circle.centre_mm])[0] + shift_mm
    own = outcome.view(view)
    index = picture.volume.nearest_index(PatientPoints(centre[None])) if len(picture) > 1 else 0
    scale = 1.0
    if view.is_radiograph and own.circle is not None:
        scale = own.circle.radius_mm / measured.circle.radius_mm
    carrier = _Carrier(old, shift_mm, picture.volume.planes[index], measured.circle, scale)
    return Ghost(index, carrier.draw(measured), placed_by)


@dataclass(frozen=True, slots=True, eq=False)
class _Carrier:
    """Carries plane points of an earlier slice to a present one."""

    old: ImagePlane
    shift_mm: _Vector
    new: ImagePlane
    circle: Circle
    scale: float

    def carry(self, points_mm: _Vector) -> _Vector:
        middle = np.array(self.circle.centre_mm)
        scaled = middle + (points_mm - middle) * self.scale
        patient = _patient(self.old, scaled) + self.shift_mm
        return np.asarray(self.new.patient_to_plane(PatientPoints(patient)), float)

    def draw(self, measured: ViewMeasurement) -> Drawing:
        middle = self.carry(np.array([self.circle.centre_mm]))[0]
        around = _steps(self.carry(arc_polyline(self.circle, 0.0, 360.0)))
        lines = [
            self.carry(arc_polyline(self.circle, arc.start_deg, arc.extent_deg))
            for arc in measured.arcs
        ]
        rays = [(middle, end) for line in lines for end in (line[0], line[-1])]
        arcs = [_steps(line) for line in lines]
        return Drawing(
            circle=around,
            rays=np.array(rays).reshape(-1, 2, 2),
            arcs=np.concatenate(arcs) if arcs else np.zeros((0, 2, 2)),
        )


def _tie(
    earlier: Earlier, entry: ReadView, view: View, outcome: Outcome, picture: Picture
) -> tuple[_Vector, str] | None:
    """The way from the earlier visit to the present one, patient mm, and what tells it."""
    frame = entry.image.frame_of_reference_uid
    if frame is not None and frame == picture.volume.sources[0].frame_of_reference_uid:
        return np.zeros(3), "frame of reference"
    order = [view] if view.is_radiograph else [view, _other(view, outcome)]
    for name, one in zip(("own circle", "other view"), order, strict=False):
        before, now = _earlier_centre(earlier, one), _present_centre(outcome, one)
        if before is not None and now is not None:
            return now - before, name
    return None


def _other(view: View, outcome: Outcome) -> View:
    return next(one.view for one in outcome.views if one.view is not view)


def _earlier_centre(earlier: Earlier, view: View) -> _Vector | None:
    found = earlier.view(view)
    if found is None or found[1].circle is None:
        return None
    return _point(found[0].plane.plane(), found[1].circle.centre_mm)


def _present_centre(outcome: Outcome, view: View) -> _Vector | None:
    now = outcome.view(view)
    if now.circle is None or now.plane is None:
        return None
    return _point(now.plane, now.circle.centre_mm)


def _point(plane: ImagePlane, point_mm: tuple[float, float]) -> _Vector:
    return np.asarray(_patient(plane, [point_mm])[0])


def _patient(plane: ImagePlane, points_mm: object) -> _Vector:
    points = PlanePoints(np.asarray(points_mm, float).reshape(-1, 2))
    return np.asarray(plane.plane_to_patient(points), float)


def _steps(line: _Vector) -> _Vector:
    return np.stack((line[:-1], line[1:]), axis=1)


def _files_of(folder: Path, draft: ReadingDraft) -> Iterable[Path]:
    """Files that may hold a reading of the hip: by its name, or by a digest of a long one."""
    if not draft.subject or not folder.is_dir():
        return ()
    starts = (f"{draft.subject}__{draft.laterality}__", "reading__")
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.endswith(SUFFIX) and path.name.startswith(starts)
    )


def _is_other_visit(reading: HipReading, draft: ReadingDraft) -> bool:
    same_hip = (reading.subject, reading.laterality) == (draft.subject, draft.laterality)
    kinds = {reading.views[0].view, draft.views[0].view}
    return same_hip and len(kinds) == 1 and reading.visit != draft.visit
