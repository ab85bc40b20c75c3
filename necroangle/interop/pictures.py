"""What a PACS shows of a reading: presentation states, the two slices as key objects, a capture.

A presentation state draws head circle, boundaries and arc over its image in any viewer and changes
no pixel. The capture is for viewers that show neither: the picture of the reading, as
``necroangle overlay`` draws it, with no name in it but the pseudonym.
"""

from math import cos, sin
from typing import Any

import highdicom as hd
import numpy as np
from highdicom.sr import CodedConcept
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from necroangle.annotation import ReadView
from necroangle.geometry import Arc
from necroangle.interop.headers import person
from necroangle.interop.report import Source, boundary_points, on_image
from necroangle.measurement import ViewMeasurement, show_deg
from necroangle.report.picture import Image

STATES, KEYS, CAPTURES = 9902, 9903, 9904
"""Series numbers."""

_STEPS = 64
"""Points of a whole circle as it is drawn."""

LABEL_LETTERS = 16


def presentations_of(source: Source) -> list[Dataset]:
    """A presentation state for each view that was read."""
    return [
        _presentation(source, letter, view, measured, number)
        for number, (letter, view, measured) in enumerate(source.views, start=1)
    ]


def _presentation(
    source: Source, letter: str, view: ReadView, measured: ViewMeasurement, number: int
) -> Dataset:
    header = source.headers[view.view]
    layer = hd.pr.GraphicLayer("NECROANGLE", order=1, description="combined necrotic angle")
    lines = [_line(part) for points in _lines(view, measured) for part in _on_picture(view, points)]
    words = f"{letter.upper()} {view.view.label}: {show_deg(measured.angle_deg)} deg"
    frame = view.image.frame_number if header.get("NumberOfFrames") else None
    note = hd.pr.TextObject(
        words,
        units="DISPLAY",
        bounding_box=(0.02, 0.02, 0.5, 0.08),
        text_justification="LEFT",
    )
    annotation = hd.pr.GraphicAnnotation(
        [header],
        layer,
        referenced_frame_number=frame,
        graphic_objects=lines or None,
        text_objects=[note],
    )
    made = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[header],
        sop_instance_uid=source.version_uid("presentation", letter),
        instance_number=number,
        content_label=f"NECROANGLE_{letter.upper()}"[:LABEL_LETTERS],
        content_description=words,
        graphic_layers=[layer],
        graphic_annotations=[annotation],
        content_creator_name=person(source.reading.reader),
        **source.shared(series="presentation", number=STATES),
    )
    made.PresentationCreationDate, made.PresentationCreationTime = source.saved
    return _sided(source, made)


def _lines(view: ReadView, measured: ViewMeasurement) -> list[NDArray[np.float64]]:
    """The head circle, the boundaries and the arcs, (N, 2) column and row."""
    if measured.circle is None:
        return []
    lines = [_round(view, measured, Arc(0.0, 360.0, 0.0, 0.0)), *boundary_points(view, measured)]
    return lines + [_round(view, measured, arc, 1.04) for arc in measured.arcs]


def _on_picture(view: ReadView, points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The parts of a line that lie on the image."""
    shown = ((points >= 0) & (points <= (view.plane.columns, view.plane.rows))).all(axis=1)
    ends = np.flatnonzero(np.diff(shown)) + 1
    parts = zip(np.split(points, ends), np.split(shown, ends), strict=True)
    return [part for part, is_shown in parts if is_shown[0] and len(part) > 1]


def _round(
    view: ReadView, measured: ViewMeasurement, arc: Arc, factor: float = 1.0
) -> NDArray[np.float64]:
    """A part of the head circle, or of one about it."""
    circle = measured.circle
    assert circle is not None  # noqa: S101
    (u, v), radius = circle.centre_mm, circle.radius_mm * factor
    steps = max(2, round(_STEPS * arc.angle_deg / 360.0)) + 1
    turns = np.radians(np.linspace(arc.start_deg, arc.start_deg + arc.extent_deg, steps))
    return on_image(view, [(u + radius * cos(t), v + radius * sin(t)) for t in turns.tolist()])


def _line(points: NDArray[np.float64]) -> Any:
    return hd.pr.GraphicObject("POLYLINE", points, units="PIXEL")


def key_objects_of(source: Source) -> Dataset:
    """The slices that were read, as a selection of key objects."""
    headers = list(source.headers.values())
    reader = hd.sr.PersonObserverIdentifyingAttributes(person(source.reading.reader))
    content = hd.ko.KeyObjectSelection(
        document_title=CodedConcept("113000", "DCM", "Of Interest"),
        referenced_objects=headers,
        observer_person_context=hd.sr.ObserverContext(
            CodedConcept("121006", "DCM", "Person"), reader
        ),
        description="The slices on which the combined necrotic angle was read",
    )
    made = hd.ko.KeyObjectSelectionDocument(
        evidence=headers,
        content=content,
        sop_instance_uid=source.version_uid("key objects"),
        instance_number=1,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **source.shared(series="key objects", number=KEYS),
    )
    return _sided(source, made)


def capture_of(source: Source, picture: Image) -> Dataset:
    """A picture of the reading as a secondary capture.

    Parameters
    ----------
    source
        The reading.
    picture
        (R, C, 3) blue green red, of :func:`necroangle.report.draw_reading`.
    """
    header = next(iter(source.headers.values()))
    made = hd.sc.SCImage(
        pixel_array=np.ascontiguousarray(picture[:, :, ::-1]),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=header.StudyInstanceUID,
        sop_instance_uid=source.version_uid("capture"),
        instance_number=1,
        patient_id=header.PatientID,
        patient_name=header.PatientName,
        patient_birth_date=header.PatientBirthDate,
        patient_sex=header.PatientSex,
        accession_number=header.AccessionNumber,
        study_id=header.StudyID,
        study_date=header.StudyDate,
        study_time=header.StudyTime,
        referring_physician_name=header.ReferringPhysicianName,
        patient_orientation=("L", "F"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **source.shared(series="capture", number=CAPTURES),
    )
    made["PatientOrientation"].value = ""  # two slices, with letters of their own in the picture
    made.BurnedInAnnotation = "NO"
    made.DerivationDescription = "drawing of a reading over its slices"
    return _sided(source, made)


def _sided(source: Source, made: Dataset) -> Dataset:
    made.Laterality = source.reading.laterality.value
    return source.dated(made)
