"""The DICOM modules that every phantom file shares, and the writing of a file.

Nothing depends on the clock or on the machine: identifiers come from the study itself, so the same
study gives the same bytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

from necroangle.phantom.model import PhantomStudy

_UID_PREFIX = "1.2.826.0.1.3680043.8.498."
_IMPLEMENTATION = generate_uid(_UID_PREFIX, ["necroangle", "phantom"])
_IMPLEMENTATION_NAME = "NECROANGLE_1"
_SPIFF = b"\xff\xe8"

_EMPTY = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientBirthDate",
    "PatientSex",
)
"""Required, and empty: no person, no date."""


def uid_of(study: PhantomStudy, *parts: str) -> UID:
    """A UID that depends on the study's content and on these words alone."""
    content = repr(study)
    for unused in _ADDED_LATER:
        content = content.replace(unused, "")
    return generate_uid(_UID_PREFIX, ["necroangle", content, *parts])


_ADDED_LATER = (", form=None", ", look=None", ", also=()")
"""Where a study does without them, its identifiers are what they were before there were any."""


def study_uid(study: PhantomStudy) -> UID:
    """StudyInstanceUID of a phantom study."""
    return uid_of(study, "study")


def study_header(study: PhantomStudy) -> Dataset:
    """Patient, study, clinical trial and equipment modules: no person, no date."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _EMPTY:
        setattr(header, keyword, "")
    header.PatientName = f"PHANTOM^{study.name}"
    header.PatientID = study.subject
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = "Computed phantom: there is no person"
    header.StudyInstanceUID = study_uid(study)
    header.StudyID = "1"
    header.StudyDescription = "HIP PHANTOM"
    header.ClinicalTrialSponsorName = "necroangle"
    header.ClinicalTrialProtocolID = "NECROANGLE-PHANTOM"
    header.ClinicalTrialProtocolName = "Phantom hips with known truth"
    header.ClinicalTrialSiteID = ""
    header.ClinicalTrialSiteName = ""
    header.ClinicalTrialSubjectID = study.subject
    header.ClinicalTrialTimePointID = study.visit
    header.ClinicalTrialCoordinatingCenterName = ""
    header.Manufacturer = "necroangle"
    header.ManufacturerModelName = "phantom"
    header.SoftwareVersions = "1"
    return header


def series_header(header: Dataset, uid: UID, number: int, description: str) -> None:
    """Fill the series module, but for its modality and its side."""
    header.SeriesInstanceUID = uid
    header.SeriesNumber = number
    header.SeriesDescription = description
    header.BodyPartExamined = "HIP"
    header.PerformedProcedureStepDescription = "HIP PHANTOM"


def code_item(value: str, meaning: str) -> Dataset:
    """One item of a code sequence, SNOMED CT."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return item


def save(dataset: Dataset, path: Path, *, compress: bool) -> None:
    """Write a file: JPEG-LS lossless, or Explicit VR Little Endian where not to be compressed."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
    dataset.file_meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    if compress:
        to_jpeg_ls(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def to_jpeg_ls(dataset: Dataset) -> None:
    """Compress the picture of a data set, lossless; all bits that are allocated are coded.

    Parameters
    ----------
    dataset
        One grey frame, uncompressed, with its file meta.
    """
    dataset.PixelData = encapsulate([_jpeg_ls(dataset.pixel_array)])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless


def _jpeg_ls(pixels: NDArray[Any]) -> bytes:
    """A JPEG-LS stream without the SPIFF header, which DICOM has no use for."""
    from imagecodecs import jpegls_encode

    stream = bytes(jpegls_encode(pixels))
    start, rest = stream[:2], stream[2:]
    while rest.startswith(_SPIFF):
        rest = rest[2 + int.from_bytes(rest[2:4], "big") :]
    return start + rest


def decimal(values: Sequence[float]) -> list[str]:
    """Decimal strings of up to 12 decimals, at most 16 characters each, as DICOM wants them."""
    texts = (f"{value:.12f}"[:16].rstrip("0").rstrip(".") for value in values)
    return ["0" if text == "-0" else text for text in texts]
