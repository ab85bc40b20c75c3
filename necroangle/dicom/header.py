"""One file's header as one record per frame."""

from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from necroangle.dicom.admission import admitted_kind, admitted_matrix, is_inverted
from necroangle.dicom.attributes import code, first_number, laterality, numbers, spacing_mm
from necroangle.dicom.groups import FrameGroups, frame_groups
from necroangle.dicom.guard import is_dicom, pydicom_door
from necroangle.dicom.identity import patient_key, pseudonym, source_image, subject_of
from necroangle.dicom.radiograph import coded_view, detector_scale
from necroangle.dicom.records import FrameHeader
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import ImagePlane

__all__ = ["read_headers"]

_DIRECTORY = "1.2.840.10008.1.3.10"

_KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImageType",
    "Modality",
    "PatientID",
    "PatientIdentityRemoved",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
    "PatientPosition",
    "Laterality",
    "ImageLaterality",
    "ViewPosition",
    "ViewCodeSequence",
    "ImagerPixelSpacing",
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "WindowCenter",
    "WindowWidth",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
"""The allow-list: nothing else is read from a header. ``PatientID`` passes only as the pseudonym
of a de-identified study, and as a key that means nothing outside this process."""


def read_headers(path: Path, file: str) -> tuple[FrameHeader, ...]:
    """The frames of one file, without their pixels.

    Parameters
    ----------
    path
        The file.
    file
        Its path relative to the opened folder, for the records and the messages.

    Returns
    -------
    tuple of FrameHeader
        Empty where the file is no DICOM file at all, or a ``DICOMDIR``.

    Raises
    ------
    DicomError
        If it is DICOM but holds no image that can be measured: file, tag and reason.
    """
    if not is_dicom(path, file):
        return ()
    try:
        with pydicom_door(file, "reading the header"):
            dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=_KEYWORDS)
            if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
                return ()
            return _frames(dataset, file)
    except DicomError as error:
        raise DicomError(error.problem, tag=error.tag, file=file) from None


def _frames(dataset: Dataset, file: str) -> tuple[FrameHeader, ...]:
    kind = admitted_kind(dataset)
    admitted_matrix(dataset)
    is_inverted(dataset)
    groups = frame_groups(dataset)
    if kind == "stack":
        return tuple(_slice(frame, file, number) for number, frame in enumerate(groups, start=1))
    if len(groups) > 1:
        raise DicomError(f"{len(groups)} frames: no still radiograph", tag="NumberOfFrames")
    return (_radiograph(groups[0], file),)


def _slice(groups: FrameGroups, file: str, number: int) -> FrameHeader:
    dataset = groups.dataset
    rows, columns = admitted_matrix(dataset)
    return FrameHeader(
        file=file,
        source=source_image(dataset, number),
        modality=str(code(dataset, "Modality")),
        kind="stack",
        plane=_plane(groups),
        rows=rows,
        columns=columns,
        inverted=is_inverted(dataset),
        window=_window(groups.find("FrameVOILUTSequence")),
        laterality=laterality(groups.find("FrameAnatomySequence"), "FrameLaterality")
        or laterality(dataset, "ImageLaterality", "Laterality"),
        patient_position=code(dataset, "PatientPosition"),
        subject=subject_of(dataset),
        visit=pseudonym(dataset, "ClinicalTrialTimePointID"),
        patient_key=patient_key(dataset),
    )


def _radiograph(groups: FrameGroups, file: str) -> FrameHeader:
    dataset = groups.dataset
    rows, columns = admitted_matrix(dataset)
    scale = detector_scale(dataset)
    return FrameHeader(
        file=file,
        source=source_image(dataset, 1),
        modality=str(code(dataset, "Modality")),
        kind="radiograph",
        plane=scale.plane,
        rows=rows,
        columns=columns,
        inverted=is_inverted(dataset),
        window=_window(dataset),
        laterality=laterality(dataset, "ImageLaterality", "Laterality"),
        patient_position=code(dataset, "PatientPosition"),
        view=coded_view(dataset),
        calibrated=scale.calibrated,
        spacing_source=scale.source,
        subject=subject_of(dataset),
        visit=pseudonym(dataset, "ClinicalTrialTimePointID"),
        patient_key=patient_key(dataset),
    )


def _plane(groups: FrameGroups) -> ImagePlane:
    where = groups.need("PlanePositionSequence")
    position = _present("ImagePositionPatient", numbers(where, "ImagePositionPatient", 3))
    where = groups.need("PlaneOrientationSequence")
    orientation = _present("ImageOrientationPatient", numbers(where, "ImageOrientationPatient", 6))
    where = groups.need("PixelMeasuresSequence")
    spacing = _present("PixelSpacing", spacing_mm(where, "PixelSpacing"))
    try:
        return ImagePlane.from_dicom(position, orientation, spacing)
    except PlaneError as error:
        raise DicomError(str(error), tag="ImageOrientationPatient") from None


def _present(keyword: str, values: tuple[float, ...] | None) -> tuple[float, ...]:
    if values is None:
        raise DicomError("absent: where the slice lies cannot be told", tag=keyword)
    return values


def _window(dataset: Dataset | None) -> tuple[float, float] | None:
    centre = first_number(dataset, "WindowCenter")
    width = first_number(dataset, "WindowWidth")
    if centre is None or width is None or width < 1:
        return None
    return (centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)
