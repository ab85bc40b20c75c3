"""One file's header as one record per frame."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from necroangle.dicom.admission import admitted_kind, admitted_matrix, is_inverted
from necroangle.dicom.attributes import code, laterality, numbers, spacing_mm
from necroangle.dicom.facts import repeat_keys, sequence_facts
from necroangle.dicom.groups import FrameGroups, frame_groups, still_picture
from necroangle.dicom.guard import has_executable_preamble, is_dicom, pydicom_door
from necroangle.dicom.identity import patient_key, pseudonym, source_image, subject_of
from necroangle.dicom.mosaic import MOSAIC_TAGS, is_mosaic, mosaic_of
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.radiograph import coded_view, detector_scale, no_scale
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.windows import stated_window
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import ImagePlane

__all__ = ["KEYWORDS", "SYNTAX", "Origin", "frames_of", "read_headers"]

_DIRECTORY = "1.2.840.10008.1.3.10"

SYNTAX = re.compile(r"[0-9.]{0,64}")
"""A transfer syntax that may be repeated."""

KEYWORDS = [
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
    "PixelAspectRatio",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "WindowCenter",
    "WindowWidth",
    "VOILUTSequence",
    "PixelRepresentation",
    "RescaleIntercept",
    "InstanceNumber",
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "DiffusionBValue",
    "RepetitionTime",
    "InversionTime",
    "EchoTrainLength",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "SpectrallySelectedSuppression",
    "BurnedInAnnotation",
    "EstimatedRadiographicMagnificationFactor",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
"""The allow-list: nothing else is read from a header. ``PatientID`` passes only as the pseudonym
of a de-identified study, and as a key that means nothing outside this process."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a header comes from.

    Attributes
    ----------
    file
        Its path relative to the opened folder, for the records and the messages.
    syntax
        Its transfer syntax UID; empty where it states none, ``"invalid"`` where that is no UID.
    program
        Whether it is a program at the same time.
    """

    file: str
    syntax: str = ""
    program: bool = False


def read_headers(
    path: Path, file: str, names: SubjectNames | None = None
) -> tuple[FrameHeader, ...]:
    """The frames of one file, without their pixels.

    Parameters
    ----------
    path
        The file.
    file
        Its path relative to the opened folder, for the records and the messages.
    names
        The study's names of its subjects; without them, what the file itself carries.

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
        with pydicom_door(file, "reading the header", stage="header"):
            dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=KEYWORDS)
            if str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY:
                return ()
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
            syntax = syntax if SYNTAX.fullmatch(syntax) else "invalid"
            origin = Origin(file, syntax, has_executable_preamble(path))
            if is_mosaic(dataset):
                private = dcmread(
                    path, stop_before_pixels=True, force=True, specific_tags=list(MOSAIC_TAGS)
                )
                return _named(_tiles(dataset, private, origin), dataset, names)
            return frames_of(dataset, origin, names)
    except DicomError as error:
        raise error.placed(file=file, stage="header") from None


def frames_of(
    dataset: Dataset, origin: Origin, names: SubjectNames | None = None
) -> tuple[FrameHeader, ...]:
    """One record per frame of a parsed header.

    Parameters
    ----------
    dataset
        The header.
    origin
        Its file.
    names
        As for :func:`read_headers`.

    Raises
    ------
    DicomError
        If it holds no image that can be measured.
    """
    kind = admitted_kind(dataset)
    admitted_matrix(dataset)
    is_inverted(dataset)
    if is_mosaic(dataset):
        raise DicomError("a mosaic: its private header is needed to unfold it")
    if kind != "stack":
        return _named((_picture(still_picture(dataset), origin, kind),), dataset, names)
    groups = frame_groups(dataset)
    slices = tuple(_slice(frame, origin, number) for number, frame in enumerate(groups, start=1))
    return _named(slices, dataset, names)


def _named(
    frames: tuple[FrameHeader, ...], dataset: Dataset, names: SubjectNames | None
) -> tuple[FrameHeader, ...]:
    """The frames with their subject: asked once a file, after all else is known to be right."""
    subject = subject_of(dataset, names)
    return frames if subject is None else tuple(replace(f, subject=subject) for f in frames)


def _tiles(dataset: Dataset, private: Dataset, origin: Origin) -> tuple[FrameHeader, ...]:
    """The slices of a mosaic; the plane that the file states is of the whole picture."""
    groups = still_picture(dataset)
    if admitted_kind(dataset) != "stack":
        raise DicomError("a mosaic, and no MR or CT image", tag="ImageType")
    picture = _slice(groups, origin, 1)
    mosaic = mosaic_of(private, picture.plane, picture.rows, picture.columns)
    return tuple(
        replace(
            picture,
            plane=plane,
            rows=mosaic.rows,
            columns=mosaic.columns,
            tiles_per_side=mosaic.per_side,
            source=replace(picture.source, frame_number=number),
        )
        for number, plane in enumerate(mosaic.planes, start=1)
    )


def _slice(groups: FrameGroups, origin: Origin, number: int) -> FrameHeader:
    anatomy = groups.find("FrameAnatomySequence")
    plain = _header(groups, origin, "stack", number, _plane(groups))
    side = laterality(anatomy, "FrameLaterality")
    return plain if side is None else replace(plain, laterality=side)


def _picture(groups: FrameGroups, origin: Origin, kind: str) -> FrameHeader:
    scale = no_scale(groups.dataset) if kind == "secondary" else detector_scale(groups.dataset)
    return replace(
        _header(groups, origin, kind, 1, scale.plane),
        view=coded_view(groups.dataset) if kind == "radiograph" else None,
        calibrated=scale.calibrated,
        spacing_source=scale.source,
    )


def _header(
    groups: FrameGroups, origin: Origin, kind: str, number: int, plane: ImagePlane
) -> FrameHeader:
    dataset = groups.dataset
    rows, columns = admitted_matrix(dataset)
    window, window_source = stated_window(groups)
    return FrameHeader(
        file=origin.file,
        source=source_image(dataset, number),
        modality=code(dataset, "Modality") or "",
        kind=kind,
        plane=plane,
        rows=rows,
        columns=columns,
        inverted=is_inverted(dataset),
        window=window,
        laterality=laterality(dataset, "ImageLaterality", "Laterality"),
        patient_position=code(dataset, "PatientPosition"),
        visit=pseudonym(dataset, "ClinicalTrialTimePointID"),
        patient_key=patient_key(dataset),
        repeat=repeat_keys(groups),
        facts=sequence_facts(groups, window_source, executable_preamble=origin.program),
        syntax=origin.syntax,
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
