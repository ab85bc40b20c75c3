"""The little that may be known of whose image it is."""

import hashlib
import os

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import required_uid, uid
from necroangle.dicom.pseudonym import SubjectNames, is_pseudonym
from necroangle.terms import SourceImage

__all__ = ["patient_key", "pseudonym", "source_image", "subject_of"]

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
