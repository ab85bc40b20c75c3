"""One header, from either reader, to a record for each frame or a refusal; how it was made."""

import hashlib
import os
import re
from dataclasses import dataclass, replace
from functools import partial

from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue

from necroangle.dicom.attributes import (
    FrameGroups,
    charset_known,
    code,
    codes,
    first_number,
    frame_groups,
    has_long_uid,
    integer,
    item,
    laterality,
    numbers,
    required_uid,
    since_start_s,
    spacing_mm,
    stated_code,
    stated_window,
    still_picture,
    uid,
    whole,
    wholes,
)
from necroangle.dicom.films import coded_view, detector_scale, magnification, no_scale
from necroangle.dicom.guard import MAX_FRAME_PIXELS
from necroangle.dicom.mosaic import grid_of, is_mosaic, mosaic_of
from necroangle.dicom.pseudonym import SubjectNames, is_pseudonym
from necroangle.dicom.records import RECOGNISED, FrameHeader, RepeatKeys, SequenceFacts
from necroangle.errors import DicomError, PlaneError
from necroangle.geometry import ImagePlane
from necroangle.terms import SourceImage

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
        raise DicomError("absent: where the slice lies is not known", tag=keyword)
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
    modality = stated_code(dataset, "Modality", "what kind of image it is is not stated")
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


# ---- how an image was made -----------------------------------------------------------------------


_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def is_capture(dataset: Dataset) -> bool:
    """Whether it is a secondary capture."""
    sop_class = uid(dataset, "SOPClassUID") or ""
    return sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + ".")


MAX_DIMENSIONS = 8
"""More dimension indices than this are not looked at."""


def repeat_keys(groups: FrameGroups) -> RepeatKeys:
    """What the header of one frame says that can tell it from another at its position."""
    dataset = groups.dataset
    content = groups.find("FrameContentSequence")
    frame_type = groups.find("MRImageFrameTypeSequence")
    words = codes(frame_type, "FrameType") or codes(dataset, "ImageType")
    component = code(frame_type, "ComplexImageComponent") if frame_type is not None else None
    timing = groups.find("MRTimingAndRelatedParametersSequence")
    return RepeatKeys(
        image_words=words[2:] + ((component,) if component else ()),
        stack_id=_short(content, "StackID"),
        echo_time_ms=_echo_time_ms(groups),
        echo_number=whole(dataset, "EchoNumbers"),
        b_value=first_number(groups.find("MRDiffusionSequence"), "DiffusionBValue"),
        temporal_position=_first_whole(
            content, "TemporalPositionIndex", "TemporalPositionIdentifier"
        ),
        acquisition_number=_first_whole(content, "FrameAcquisitionNumber", "AcquisitionNumber"),
        instance_number=whole(dataset, "InstanceNumber"),
        flip_angle_deg=first_number(timing, "FlipAngle"),
        gradient=_gradient(groups),
        acquired_s=since_start_s(dataset, "AcquisitionTime")
        if groups.per_frame is None
        else since_start_s(content, "FrameAcquisitionDateTime", dataset),
        stored_s=since_start_s(dataset, "ContentTime"),
        trigger_time_ms=first_number(dataset, "TriggerTime"),
        dimensions=wholes(content, "DimensionIndexValues")[:MAX_DIMENSIONS],
    )


def _gradient(groups: FrameGroups) -> tuple[float, ...]:
    """The direction of diffusion weighting, where it is stated."""
    where = groups.find("MRDiffusionSequence")
    if where is not None and groups.per_frame is not None:
        where = item(where, "DiffusionGradientDirectionSequence")
    value = None if where is None else where.get("DiffusionGradientOrientation")
    several = value if isinstance(value, MultiValue | list) else []
    try:
        return tuple(round(float(single), 3) + 0.0 for single in several)
    except (TypeError, ValueError):
        return ()


def sequence_facts(
    groups: FrameGroups,
    window_source: str,
    *,
    executable_preamble: bool = False,
    uids_mended: bool = False,
) -> SequenceFacts:
    """How the image of one frame was made.

    Parameters
    ----------
    groups
        The frame.
    window_source
        Where its window comes from.
    executable_preamble
        Whether its file is a program at the same time.
    uids_mended
        Whether identifiers were taken from its file meta information.
    """
    dataset = groups.dataset
    timing = groups.find("MRTimingAndRelatedParametersSequence")
    modifier = groups.find("MRModifierSequence")
    return SequenceFacts(
        image_type=codes(dataset, "ImageType"),
        repetition_time_ms=first_number(timing, "RepetitionTime"),
        echo_time_ms=_echo_time_ms(groups),
        inversion_time_ms=first_number(modifier, "InversionTimes")
        or first_number(dataset, "InversionTime"),
        echo_train_length=_first_whole(timing, "RFEchoTrainLength", "EchoTrainLength"),
        scanning_sequence=codes(dataset, "ScanningSequence")
        or _enhanced_sequence(groups)
        or _named_sequence(dataset),
        sequence_variant=codes(dataset, "SequenceVariant"),
        scan_options=codes(dataset, "ScanOptions") or _enhanced_options(groups),
        acquisition_type=code(dataset, "MRAcquisitionType"),
        stated_contrast=_stated_contrast(groups),
        burned_in=code(dataset, "BurnedInAnnotation"),
        magnification=magnification(dataset)[0],
        window_source=window_source,
        charset_known=charset_known(dataset),
        executable_preamble=executable_preamble,
        is_capture=is_capture(dataset),
        uids_mended=uids_mended or any(map(partial(has_long_uid, dataset), _UIDS)),
        flip_angle_deg=first_number(timing, "FlipAngle"),
        field_strength_t=_field_strength_t(dataset),
        has_medium=_has_medium(groups),
        patient_orientation=codes(groups.dataset, "PatientOrientation"),
    )


def _has_medium(groups: FrameGroups) -> bool:
    """Whether a contrast medium is stated; its name is free text and is not kept."""
    if groups.per_frame is not None:
        return item(groups.dataset, "ContrastBolusAgentSequence") is not None
    agent = str(groups.dataset.get("ContrastBolusAgent") or "").strip().upper()
    return agent not in ("", "NONE", "NO")


def _echo_time_ms(groups: FrameGroups) -> float | None:
    effective = first_number(groups.find("MREchoSequence"), "EffectiveEchoTime")
    return first_number(groups.dataset, "EchoTime") if effective is None else effective


def _enhanced_sequence(groups: FrameGroups) -> tuple[str, ...]:
    dataset, modifier = groups.dataset, groups.find("MRModifierSequence")
    echo = code(dataset, "EchoPulseSequence")
    words = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}.get(echo or "", ())
    planar = ("EP",) if code(dataset, "EchoPlanarPulseSequence") == "YES" else ()
    inverted = modifier is not None and code(modifier, "InversionRecovery") == "YES"
    return words + planar + (("IR",) if inverted else ())


def _named_sequence(dataset: Dataset) -> tuple[str, ...]:
    """The coded words of a sequence that only its maker's name tells; the name is not kept."""
    name = str(dataset.get("SequenceName") or "").strip().lstrip("*").lower()
    return next((words for start, words in _SEQUENCE_NAMES.items() if name.startswith(start)), ())


_SEQUENCE_NAMES = {
    **dict.fromkeys(("spcir", "tir"), ("SE", "IR")),
    **dict.fromkeys(("tse", "se", "spc", "hst"), ("SE",)),
    **dict.fromkeys(("ep", "re"), ("EP",)),
    **dict.fromkeys(("fl", "fm", "tfl", "tfi", "me", "swi", "dess"), ("GR",)),
}


def _field_strength_t(dataset: Dataset) -> float | None:
    """In tesla; some makers state gauss."""
    stated = first_number(dataset, "MagneticFieldStrength")
    return None if stated is None else stated / 10_000 if stated > 100 else stated


def _enhanced_options(groups: FrameGroups) -> tuple[str, ...]:
    modifier = groups.find("MRModifierSequence")
    suppressed = code(groups.dataset, "SpectrallySelectedSuppression") in ("FAT", "FAT_AND_WATER")
    excited = modifier is not None and code(modifier, "SpectrallySelectedExcitation") == "WATER"
    return (("FS",) if suppressed else ()) + (("WE",) if excited else ())


def _stated_contrast(groups: FrameGroups) -> str | None:
    frame_type = groups.find("MRImageFrameTypeSequence")
    return None if frame_type is None else code(frame_type, "AcquisitionContrast")


def _first_whole(dataset: Dataset | None, *keywords: str) -> int | None:
    found = (whole(dataset, keyword) for keyword in keywords)
    return next((value for value in found if value is not None), None)


def _short(dataset: Dataset | None, keyword: str) -> str | None:
    text = "" if dataset is None else str(dataset.get(keyword) or "").strip()
    return text if 0 < len(text) <= 16 else None
