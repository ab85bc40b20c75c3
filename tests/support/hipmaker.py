"""Readings with known truth, for tests: planes of any tilt, marks on a true circle, whole hips.

``from hipmaker import make_reading``: the folder of this file is on the path of the tests.
"""

from collections.abc import Iterable, Sequence
from math import cos, degrees, radians, sin

import msgspec
import numpy as np
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
    UnreadView,
)
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.terms import (
    ArcoStage,
    Finding,
    JicType,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = [
    "SHAPE",
    "dome",
    "head_centre_mm",
    "make_arc",
    "make_image",
    "make_plane",
    "make_reading",
    "make_rim",
    "make_view",
]

SHAPE = (256, 320)
"""(rows, columns) of every made image."""

RADIUS_MM = 24.0
HEAD_X_MM = 90.0

_AXES = {
    View.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    View.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
_DETECTOR_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def head_centre_mm(laterality: Laterality = Laterality.LEFT) -> tuple[float, float, float]:
    """Centre of the made femoral head, patient LPS mm: left hips at +x."""
    return (HEAD_X_MM if laterality is Laterality.LEFT else -HEAD_X_MM, -10.0, 35.0)


def make_plane(
    view: View,
    *,
    through_mm: Sequence[float] = (HEAD_X_MM, -10.0, 35.0),
    turn_deg: Sequence[float] = (0.0, 0.0, 0.0),
    spacing_mm: tuple[float, float] = (0.6, 0.45),
    offset_mm: float = 0.0,
) -> ImagePlane:
    """A plane of a view whose image centre is a point.

    Parameters
    ----------
    through_mm
        Patient (detector on a radiograph) mm of the centre of the image.
    turn_deg
        Rotation of the plane about the patient's x, y and z axes; an MR view is oblique by it.
    spacing_mm
        Between rows, then between columns; unequal on purpose.
    offset_mm
        Shift along the normal.
    """
    turn = _rotation(turn_deg)
    row, column = (turn @ np.array(axis) for axis in _AXES.get(view, _DETECTOR_AXES))
    back = (SHAPE[1] - 1) / 2 * spacing_mm[1] * row + (SHAPE[0] - 1) / 2 * spacing_mm[0] * column
    origin = np.asarray(through_mm, float) - back + offset_mm * np.cross(row, column)
    return ImagePlane.from_dicom(origin.tolist(), [*row, *column], spacing_mm)


def make_rim(
    plane: ImagePlane,
    centre_mm: Sequence[float],
    radius_mm: float = RADIUS_MM,
    directions_deg: Iterable[float] = range(0, 360, 20),
) -> tuple[Mark, ...]:
    """Marks on the true circle about (u, v) plane mm; 0 degrees is +u, growing towards +v."""
    u, v = centre_mm
    turns = [radians(direction) for direction in directions_deg]
    return tuple(
        Mark.at_plane(plane, u + radius_mm * cos(turn), v + radius_mm * sin(turn)) for turn in turns
    )


def make_arc(
    plane: ImagePlane,
    centre_mm: Sequence[float],
    radius_mm: float = RADIUS_MM,
    *,
    start_deg: float = 200.0,
    angle_deg: float = 100.0,
) -> NecroticArc:
    """An arc of a true angle, between 0 and 360 degrees exclusive, with its middle as ``via``."""
    directions = (start_deg, start_deg + angle_deg, start_deg + angle_deg / 2)
    return NecroticArc(*make_rim(plane, centre_mm, radius_mm, directions))


def make_image(number: int, *, frame_of_reference: str | None = "1.2.826.0.1") -> ImageRecord:
    """Identifiers of an invented image."""
    return ImageRecord("1.2.3", f"1.2.3.{number}", f"1.2.3.{number}.1", 1, frame_of_reference)


def make_view(
    view: View,
    angle_deg: float | None,
    *,
    laterality: Laterality = Laterality.LEFT,
    turn_deg: Sequence[float] = (0.0, 0.0, 0.0),
    spacing_mm: tuple[float, float] = (0.6, 0.45),
    offset_mm: float = 0.0,
    start_deg: float = 200.0,
    rim_count: int = 18,
    finding: Finding | None = None,
    reason: UnreadReason = UnreadReason.NOT_DONE,
    observations: tuple[Observation, ...] = (),
    calibrated: bool = True,
) -> ReadView | UnreadView:
    """A view whose true angle is known; 0 is read without necrosis, None is not read.

    The head is a ball: a slice ``offset_mm`` from its centre shows the smaller circle.
    """
    if angle_deg is None:
        return UnreadView(view, reason)
    flat = view.is_radiograph
    centre = (100.0, 90.0, 0.0) if flat else head_centre_mm(laterality)
    plane = make_plane(
        view, through_mm=centre, turn_deg=turn_deg, spacing_mm=spacing_mm, offset_mm=offset_mm
    )
    circle = plane.patient_to_plane(PatientPoints(np.array([centre])))[0].tolist()
    radius = (RADIUS_MM**2 - offset_mm**2) ** 0.5
    arcs = (make_arc(plane, circle, radius, start_deg=start_deg, angle_deg=angle_deg),)
    return ReadView(
        view=view,
        finding=finding or (Finding.NECROSIS if angle_deg else Finding.NO_NECROSIS),
        image=make_image(1 + view.is_a, frame_of_reference=None if flat else "1.2.826.0.1"),
        plane=PlaneRecord.of(
            plane, SHAPE, frame="detector" if flat else "patient", calibrated=calibrated
        ),
        passport=None,
        rim=make_rim(plane, circle, radius, np.linspace(0, 360, rim_count, endpoint=False)),
        arcs=arcs if angle_deg else (),
        observations=observations,
        neighbours=(),
        landmarks=(),
        contour=(),
    )


def make_reading(
    a_deg: float | None = 100.0,
    b_deg: float | None = 80.0,
    *,
    subject: str = "S01",
    laterality: Laterality = Laterality.LEFT,
    visit: str = "m00",
    reader: str = "r1",
    read_no: int = 1,
    b_view: View = View.SAGITTAL,
    turn_deg: Sequence[float] = (0.0, 0.0, 0.0),
    spacing_mm: tuple[float, float] = (0.6, 0.45),
    reason: UnreadReason = UnreadReason.NOT_DONE,
    views: tuple[ReadView | UnreadView, ReadView | UnreadView] | None = None,
    arco: ArcoStage | None = None,
    jic: JicType | None = None,
    notes: str = "",
    **entered: str | float,
) -> HipReading:
    """A complete reading whose true angles are known.

    Parameters
    ----------
    a_deg, b_deg
        True angles of the two views: 0 is read without necrosis, None is not read (``reason``).
    b_view
        ``SAGITTAL`` for MR; a lateral radiograph makes a radiograph pair.
    turn_deg
        Obliquity of both MR planes, as in :func:`make_plane`.
    views
        Both views ready made, in place of the angles.
    entered
        What else the reader entered, by name.
    """
    a_view = View.AP if b_view.is_radiograph else View.CORONAL
    turn = (0.0, 0.0, 0.0) if b_view.is_radiograph else turn_deg
    first, second = (
        make_view(
            view,
            angle,
            laterality=laterality,
            turn_deg=turn,
            spacing_mm=spacing_mm,
            reason=reason,
        )
        for view, angle in ((a_view, a_deg), (b_view, b_deg))
    )
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject=subject,
        laterality=laterality,
        visit=visit,
        reader=reader,
        read_no=read_no,
        views=views or (first, second),
        entries=ReaderEntries.of({"arco": arco, "jic": jic, **entered}),
        notes=notes,
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at="2026-01-31T08:15:00.000Z",
        software="necroangle 0.1.0",
    )


def _rotation(turn_deg: Sequence[float]) -> NDArray[np.float64]:
    """Rotation about x, then y, then z."""
    x, y, z = (radians(angle) for angle in turn_deg)
    about_x = np.array([[1, 0, 0], [0, cos(x), -sin(x)], [0, sin(x), cos(x)]])
    about_y = np.array([[cos(y), 0, sin(y)], [0, 1, 0], [-sin(y), 0, cos(y)]])
    about_z = np.array([[cos(z), -sin(z), 0], [sin(z), cos(z), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, float)


def dome(
    start: float, end: float, side: Laterality, noise: float = 0.0, seed: int = 0
) -> HipReading:
    """A reading whose coronal arc runs from start to end, as angles from superior, lateral +."""
    out = 1.0 if side is Laterality.LEFT else -1.0

    def view(kind: View) -> ReadView:
        made = make_view(kind, 100.0, laterality=side)
        assert isinstance(made, ReadView)
        plane = made.plane.plane()
        centre = plane.patient_to_plane(PatientPoints(np.array([(90.0 * out, -10.0, 35.0)])))[0]
        lean = out if kind is View.CORONAL else 1.0
        ends = [270 + lean * angle for angle in (start, end, (start + end) / 2)]
        random = np.random.default_rng((seed, kind is View.CORONAL))
        ends[0] += degrees(random.normal(0, noise) / 24)
        ends[1] += degrees(random.normal(0, noise) / 24)
        arc = NecroticArc(*make_rim(plane, centre.tolist(), 24.0, ends))
        return msgspec.structs.replace(made, arcs=(arc,))

    return make_reading(views=(view(View.CORONAL), view(View.SAGITTAL)), laterality=side)
