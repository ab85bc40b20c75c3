"""The judge: one header, from either reader, to a record for each frame or a refusal."""

import hashlib
import os
import re
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset, FileDataset

from necroangle.dicom.attributes import (
    FrameGroups,
    code,
    codes,
    frame_groups,
    integer,
    laterality,
    numbers,
    required_uid,
    spacing_mm,
    stated_code,
    stated_window,
    still_picture,
    uid,
    whole,
)
from necroangle.dicom.facts import is_capture, repeat_keys, sequence_facts
from necroangle.dicom.films import coded_view, detector_scale, no_scale
from necroangle.dicom.guard import MAX_FRAME_PIXELS
from necroangle.dicom.mosaic import grid_of, is_mosaic, mosaic_of
from necroangle.dicom.pseudonym import SubjectNames, is_pseudonym
from necroangle.dicom.records import RECOGNISED, FrameHeader
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import ImagePlane
from necroangle.terms import SourceImage

__all__ = [
    "KEYWORDS",
    "MAKER",
    "SYNTAX",
    "Origin",
    "check_pixels",
    "frames_of",
    "mended_by_meta",
    "plane_of",
    "subject_of",
]

SYNTAX = re.compile(r"[0-9.]{0,64}")
"""A transfer syntax that may be repeated."""

KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "FrameOfReferenceUID",
    "ImageType",
    "Modality",
    "Manufacturer",
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
    "BitsAllocated",
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
    "FlipAngle",
    "TriggerTime",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "StudyTime",
    "SeriesTime",
    "AcquisitionTime",
    "ContentTime",
    "RepetitionTime",
    "InversionTime",
    "EchoTrainLength",
    "ScanningSequence",
    "SequenceName",
    "MagneticFieldStrength",
    "SequenceVariant",
    "ScanOptions",
    "PatientOrientation",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "MRAcquisitionType",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "SpectrallySelectedSuppression",
    "BurnedInAnnotation",
    "ConversionType",
    "EstimatedRadiographicMagnificationFactor",
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
"""The allow-list: nothing else is read from a header. ``PatientID`` passes only as the pseudonym
of a de-identified study, and as a key that means nothing outside this process. Of
``ContrastBolusAgent`` passes only that there is one; of ``Manufacturer``, whether it is
:data:`MAKER`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a header comes from.

    Attributes
    ----------
    file
        Its path relative to the opened folder, for the records and the messages.
    syntax
        Its transfer syntax UID; empty where it states none.
    program
        Whether it is a program at the same time.
    mended
        Whether identifiers were taken from the file meta information.
    """

    file: str
    syntax: str = ""
    program: bool = False
    mended: bool = False


_OF_META = {
    "SOPInstanceUID": "MediaStorageSOPInstanceUID",
    "SOPClassUID": "MediaStorageSOPClassUID",
}


def mended_by_meta(dataset: FileDataset) -> bool:
    """Take the identifiers of an image that only its file meta information states into it."""
    mended = False
    for keyword, of_meta in _OF_META.items():
        stated = dataset.file_meta.get(of_meta)
        if stated and not str(dataset.get(keyword) or "").strip(" \0"):
            setattr(dataset, keyword, stated)
            mended = True
    return mended


def frames_of(
    dataset: Dataset, origin: Origin, names: SubjectNames | None = None
) -> tuple[FrameHeader, ...]:
    """One record per frame of a parsed header.

    Parameters
    ----------
    dataset
        The header, with :data:`~necroangle.dicom.mosaic.MOSAIC_TAGS` where it is a mosaic's.
    origin
        Its file.
    names
        The study's names of its subjects; without them, what the file itself carries.

    Raises
    ------
    DicomError
        If it holds no image that can be measured.
    """
    kind = admitted_kind(dataset)
    admitted_matrix(dataset)
    check_colour(dataset, kind)
    if is_mosaic(dataset):
        return _named(_tiles(dataset, origin, kind), dataset, names)
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


def _tiles(dataset: Dataset, origin: Origin, kind: str) -> tuple[FrameHeader, ...]:
    """The slices of a mosaic; the plane that the file states is of the whole picture."""
    groups = still_picture(dataset)
    if kind != "stack":
        raise DicomError("a mosaic, and no MR or CT image", tag="ImageType")
    if "VFRAME" in codes(dataset, "ImageType"):
        mosaic = grid_of(dataset, *admitted_matrix(dataset))
        picture = _header(groups, origin, kind, 1, mosaic.planes[0])
    else:
        picture = _slice(groups, origin, 1)
        mosaic = mosaic_of(dataset, picture.plane, picture.rows, picture.columns)
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
    plain = _header(groups, origin, "stack", number, plane_of(groups))
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
        inverted=code(dataset, "PhotometricInterpretation") == "MONOCHROME1",
        window=window,
        laterality=laterality(dataset, "ImageLaterality", "Laterality"),
        patient_position=code(dataset, "PatientPosition"),
        visit=pseudonym(dataset, "ClinicalTrialTimePointID"),
        patient_key=patient_key(dataset),
        repeat=repeat_keys(groups),
        facts=sequence_facts(
            groups, window_source, executable_preamble=origin.program, uids_mended=origin.mended
        ),
        syntax=origin.syntax,
        series_number=_series_number(dataset),
    )


def plane_of(groups: FrameGroups) -> ImagePlane:
    """Where a slice lies in the patient.

    Raises
    ------
    DicomError
        If its position, orientation or spacing is absent, or no slice can have it.
    """
    where = groups.need("PlanePositionSequence")
    position = _present("ImagePositionPatient", numbers(where, "ImagePositionPatient", 3))
    where = groups.need("PlaneOrientationSequence")
    orientation = _present("ImageOrientationPatient", numbers(where, "ImageOrientationPatient", 6))
    where = groups.need("PixelMeasuresSequence")
    spacing = _present("PixelSpacing", spacing_mm(where, "PixelSpacing"))
    if max(map(abs, position)) > FARTHEST_MM:
        raise DicomError(
            f"further than {FARTHEST_MM:g} mm from the origin, found {position}",
            tag="ImagePositionPatient",
        )
    try:
        return ImagePlane.from_dicom(position, orientation, spacing)
    except PlaneError as error:
        raise DicomError(str(error), tag="ImageOrientationPatient") from None


def _present(keyword: str, values: tuple[float, ...] | None) -> tuple[float, ...]:
    if values is None:
        raise DicomError("absent: where the slice lies cannot be told", tag=keyword)
    return values


MAX_SIDE_PX = 65_535
"""Largest number of rows or columns that DICOM can state."""

FARTHEST_MM = 1e5
"""No scanner places a slice further from its origin."""

_KINDS = {
    "MR": "stack",
    "CT": "stack",
    "CR": "radiograph",
    "DX": "radiograph",
    "RF": "radiograph",
    "RG": "radiograph",
}

_NO_IMAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66": "raw data",
    "1.2.840.10008.5.1.4.1.1.4.2": "a spectrum",
    "1.2.840.10008.5.1.4.38.1": "a hanging protocol",
    "1.2.840.10008.5.1.4.39.1": "a palette of colours",
}
MAKER = "necroangle"
"""``Manufacturer`` of the reports and pictures of readings that necroangle writes."""

_OF_READINGS = {
    "1.2.840.10008.5.1.4.1.1.88.34": "readings found: `necroangle take` reads this report",
    "1.2.840.10008.5.1.4.1.1.7": "a picture of a reading: no image to measure",
}
"""What necroangle writes beside the images that were read."""

_WAVEFORM = "1.2.840.10008.5.1.4.1.1.9."
_NO_IMAGES = {
    "SR": "a structured report",
    "PR": "a presentation state",
    "KO": "a selection of key objects",
    "DOC": "a document",
    "REG": "a registration",
    "PLAN": "a plan",
    "RTPLAN": "a plan",
    "RTSTRUCT": "outlines",
    "RTRECORD": "a record of treatment",
    "RWV": "a mapping of values",
    "SEG": "a segmentation",
    "M3D": "a model",
    "FID": "fiducial points",
    "ECG": "a waveform",
}
"""DICOM that belongs to studies and holds no image: nothing is wrong with it."""

_SCREENS = frozenset({"MR", "CT", "PT", "NM", "US", "SR", "PR", "DOC"})
"""A secondary capture of these modalities is a picture of a screen or a page, and no film."""

_PAGES = frozenset({"SD", "DRW", "SYN"})
"""``ConversionType`` of scanned documents, drawings and synthetic pictures."""

_COLOURS = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
"""Colour pictures that may hold nothing but grey values."""


def admitted_kind(dataset: Dataset) -> str:
    """``"stack"``, ``"radiograph"`` or ``"secondary"``.

    The modality decides, so that images of a private SOP class, or of none, pass where they
    describe themselves. Only a secondary capture is told by its SOP class: it is read as a
    radiograph, for many a film was captured so, but for pictures of a screen or page, which may be
    looked at and fit no view.

    Raises
    ------
    DicomError
        If it is no MR, CT, CR, DX, RF or RG image, nor a secondary capture, or it is a CT scout;
        of the stage :data:`~necroangle.dicom.records.RECOGNISED` where it is no image at all.
    """
    _check_is_image(dataset)
    required_uid(dataset, "SOPInstanceUID")
    if is_capture(dataset):
        is_page = bool(_PAGES & set(codes(dataset, "ConversionType")))
        is_page = is_page or code(dataset, "Modality") in _SCREENS
        return "secondary" if is_page else "radiograph"
    modality = stated_code(dataset, "Modality", "what kind of image it is cannot be told")
    if modality not in _KINDS:
        raise DicomError(
            f"{modality}: no image to measure (MR, CT, CR, DX, RF and RG are opened)",
            tag="Modality",
        )
    _check_is_slice(dataset, modality)
    return _KINDS[modality]


def _check_is_image(dataset: Dataset) -> None:
    sop_class = uid(dataset, "SOPClassUID") or ""
    what = _NO_IMAGE_CLASSES.get(sop_class) or _NO_IMAGES.get(code(dataset, "Modality") or "")
    if sop_class.startswith(_WAVEFORM):
        what = "a waveform"
    if sop_class in _OF_READINGS and str(dataset.get("Manufacturer") or "").strip() == MAKER:
        raise DicomError(_OF_READINGS[sop_class], stage=RECOGNISED)
    if what:
        raise DicomError(f"{what}: no image", tag="Modality", stage=RECOGNISED)


def _check_is_slice(dataset: Dataset, modality: str) -> None:
    words = str(dataset.get("ImageType") or "").upper()
    if modality == "CT" and "LOCALIZER" in words:
        raise DicomError("a CT scout: a projection, no slice", tag="ImageType")


def admitted_matrix(dataset: Dataset) -> tuple[int, int]:
    """Rows and columns.

    Raises
    ------
    DicomError
        If one is absent or out of bounds, or the frame is beyond the size cap.
    """
    rows = integer(dataset, "Rows", 1, MAX_SIDE_PX)
    columns = integer(dataset, "Columns", 1, MAX_SIDE_PX)
    if rows * columns > MAX_FRAME_PIXELS:
        raise DicomError(
            f"{rows} x {columns} pixels, more than {MAX_FRAME_PIXELS} in one frame", tag="Rows"
        )
    return rows, columns


def check_colour(dataset: Dataset, kind: str) -> None:
    """Refuse what holds no grey values.

    A radiograph in colour may hold nothing but grey: that is seen when its pixels are.

    Raises
    ------
    DicomError
        If the image is a slice in colour, or does not say what its values are.
    """
    photometric = stated_code(dataset, "PhotometricInterpretation", "no image to measure")
    samples = 1
    if dataset.get("SamplesPerPixel") is not None:
        samples = integer(dataset, "SamplesPerPixel", 1, 4)
    is_grey = samples == 1 and photometric in ("MONOCHROME1", "MONOCHROME2")
    may_be_grey = samples == 3 and photometric in _COLOURS and kind != "stack"
    if not (is_grey or may_be_grey):
        raise DicomError(
            f"colour ({photometric}, {samples} samples a pixel): grey values are needed",
            tag="PhotometricInterpretation",
        )


def check_pixels(dataset: Dataset, found: int | None, *, is_native: bool) -> None:
    """Refuse an image whose pixels are not all there.

    Parameters
    ----------
    dataset
        Its header.
    found
        Bytes of its pixel data; None without any.
    is_native
        Whether the pixels are plain, so that the header says how many bytes they take.

    Raises
    ------
    DicomError
        If there are none, or fewer than its frames need.
    """
    if not found:
        raise DicomError("absent: a header without its image", tag="PixelData")
    if not is_native:
        return
    rows, columns = admitted_matrix(dataset)
    bits = integer(dataset, "BitsAllocated", 1, 64)
    is_halved = code(dataset, "PhotometricInterpretation") == "YBR_FULL_422"
    samples = 2 if is_halved else whole(dataset, "SamplesPerPixel") or 1
    frames = whole(dataset, "NumberOfFrames") or 1
    expected = (rows * columns * samples * frames * bits + 7) // 8
    if found < expected:
        raise DicomError(f"cut short: found {found} vs {expected} bytes expected", tag="PixelData")


_SALT = os.urandom(16)


def source_image(dataset: Dataset, frame_number: int) -> SourceImage:
    """The identifiers of one frame.

    Raises
    ------
    DicomError
        If a UID is absent or invalid.
    """
    return SourceImage(
        study_uid=required_uid(dataset, "StudyInstanceUID"),
        series_uid=required_uid(dataset, "SeriesInstanceUID"),
        instance_uid=required_uid(dataset, "SOPInstanceUID"),
        frame_number=frame_number,
        frame_of_reference_uid=uid(dataset, "FrameOfReferenceUID"),
        sop_class_uid=uid(dataset, "SOPClassUID"),
    )


def pseudonym(dataset: Dataset, keyword: str) -> str | None:
    """A clinical trial identifier, or None where it is absent or could not name a reading."""
    text = str(dataset.get(keyword) or "").strip(" \0")
    return text if is_pseudonym(text) else None


def subject_of(dataset: Dataset, names: SubjectNames | None = None) -> str | None:
    """The subject's pseudonym: never an identifier of a patient who is not de-identified.

    Where the study gives ``names``, it is one of theirs; else what the file itself carries.

    Raises
    ------
    DicomError
        If the names know no such patient.
    """
    if names is not None:
        return names.of(str(dataset.get("PatientID") or ""))
    subject = pseudonym(dataset, "ClinicalTrialSubjectID")
    if subject is None and str(dataset.get("PatientIdentityRemoved") or "").strip() == "YES":
        subject = pseudonym(dataset, "PatientID")
    return subject


def patient_key(dataset: Dataset) -> str:
    """Tell patients apart within this process; the value means nothing in another one.

    Empty where the file does not say whose image it is.
    """
    for keyword in ("PatientID", "ClinicalTrialSubjectID"):
        text = str(dataset.get(keyword) or "").strip()
        if text:
            words = text.encode("utf-8", "surrogatepass")
            return hashlib.blake2b(words, key=_SALT, digest_size=16).hexdigest()
    return ""


MAX_SERIES_NUMBER = 99_999
"""A larger number may be more than a number: a date, or that of an examination."""


def _series_number(dataset: Dataset) -> int | None:
    number = whole(dataset, "SeriesNumber")
    return number if number is not None and 0 <= number <= MAX_SERIES_NUMBER else None
