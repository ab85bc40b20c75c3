"""The header of an image as the written objects need it: whose it is, and what they point to.

An allow-list, as in :mod:`necroangle.dicom.header`, but with the patient where the objects go back
to where the images came from. For a de-identified object the patient is the pseudonym alone, and
every identifier is another, the same wherever the key is the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pydicom import dcmread
from pydicom.dataset import Dataset

from necroangle.annotation import HipReading, ImageRecord, NeighbourSlice, ReadView
from necroangle.dicom import SeriesSummary
from necroangle.dicom.archive import StackFiles
from necroangle.dicom.attributes import FrameGroups, frame_groups
from necroangle.dicom.guard import pydicom_door, walked
from necroangle.dicom.pictures import PICTURES
from necroangle.dicom.pseudonym import IdentifierCodes
from necroangle.errors import DicomError
from necroangle.terms import View

BLOCK, CREATOR, READING = 0x0099, "NECROANGLE", 0x01
"""The private element in which a report keeps the reading file."""

HIDDEN_DATE = "19000101"
"""Stands for a date that DICOM demands and a de-identified object must not tell."""

_MOST_LETTERS = 63
"""Of a name of one word; DICOM takes 64 with the mark after it."""

_HIDDEN_TIME = "1900-01-01T00:00:00.000Z"

_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "IssuerOfPatientID")
_STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"),
    "ReferringPhysicianName",
)
_IMAGE = (
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "WindowCenter"),
    *("WindowWidth", "RescaleIntercept", "RescaleSlope", "RescaleType", "PixelSpacing"),
)
_GREY = {
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth"),
}
"""How grey values are shown, by the functional group of a frame that says it."""

_SHARED, _PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
_NAMES = ("PatientName", "ReferringPhysicianName")
_FORMS = {
    "PatientSex": re.compile("[MFO]?"),
    "PatientBirthDate": re.compile(r"(\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))?"),
    "StudyDate": re.compile(r"(\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))?"),
    "StudyTime": re.compile(r"(([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?)?"),
}
"""What an attribute must look like to be handed on: what an image says wrongly is left empty."""

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


@dataclass(frozen=True, slots=True)
class Hidden:
    """How identities are hidden in what leaves the study.

    Attributes
    ----------
    codes
        Gives the identifiers that stand for the images' own.

    Examples
    --------
    >>> from necroangle.dicom.pseudonym import IdentifierCodes
    >>> Hidden(IdentifierCodes(bytes(32))).uid("1.2.3")
    '2.25.54489988262693112531361069452'
    """

    codes: IdentifierCodes

    def uid(self, uid: str) -> str:
        """The identifier that stands for another."""
        return f"2.25.{int(self.codes.of('uid', uid), 16)}"

    def header(self, header: Dataset, subject: str) -> Dataset:
        """A header with the pseudonym for the patient and other identifiers."""
        hidden = Dataset()
        for keyword in (*_IMAGE, _SHARED, _PER_FRAME):
            if keyword in header:
                hidden[keyword] = header[keyword]
        for keyword in (*_PATIENT[:4], *_STUDY):
            setattr(hidden, keyword, "")
        hidden.PatientID = subject
        hidden.PatientName = person(subject)
        hidden.StudyInstanceUID = header.StudyInstanceUID
        for keyword in _UIDS:
            if hidden.get(keyword):
                setattr(hidden, keyword, self.uid(str(hidden.get(keyword))))
        return hidden

    def reading(self, reading: HipReading) -> HipReading:
        """A reading without dates, free words and the identifiers of its images."""
        views = tuple(
            self._marked(view) if isinstance(view, ReadView) else view for view in reading.views
        )
        return msgspec.structs.replace(
            reading,
            views=views,
            notes="",
            saved_at=_HIDDEN_TIME,
            conduct=msgspec.structs.replace(reading.conduct, worklist=None),
            revision=msgspec.structs.replace(reading.revision, reason=""),
        )

    def _marked(self, marked: Any) -> Any:
        changed: dict[str, Any] = {"image": self._image(marked.image)}
        if isinstance(marked, ReadView):
            neighbours: list[NeighbourSlice] = [self._marked(one) for one in marked.neighbours]
            changed["neighbours"] = tuple(neighbours)
        return msgspec.structs.replace(marked, **changed)

    def _image(self, image: ImageRecord) -> ImageRecord:
        frame = image.frame_of_reference_uid
        return msgspec.structs.replace(
            image,
            study_uid=self.uid(image.study_uid),
            series_uid=self.uid(image.series_uid),
            instance_uid=self.uid(image.instance_uid),
            frame_of_reference_uid=None if frame is None else self.uid(frame),
        )


def person(name: str) -> str:
    """A name of one word as DICOM writes names: the family's, and nothing else.

    Examples
    --------
    >>> person("kim"), person("Kim^Minji")
    ('kim^', 'Kim^Minji')
    """
    return name if "^" in name else f"{name[:_MOST_LETTERS]}^"


def headers_of(
    reading: HipReading, slices: Mapping[View, SeriesSummary], hidden: Hidden | None = None
) -> dict[View, Dataset]:
    """The header of each marked image of a reading, with what the written objects need.

    Parameters
    ----------
    reading
        The reading.
    slices
        The stack of one slice of each view that was read.
    hidden
        How identities are hidden; None where the objects go back to the patient's own archive.

    Raises
    ------
    DicomError
        If an image is not at hand, is no DICOM image of its own, or is of another patient than the
        other.
    """
    headers = {}
    for view in reading.views:
        if not isinstance(view, ReadView):
            continue
        summary = slices.get(view.view)
        if summary is None:
            raise DicomError(
                f"the image of the {view.view.label} view is in none of the folders: "
                "its header names whom the report is about"
            )
        headers[view.view] = _header(summary)
    if not headers:
        raise DicomError("no view was read: there is no image that a report could be about")
    if len({str(one.PatientID) for one in headers.values()}) > 1:
        raise DicomError(
            "the two views are of two patients: no report can be about both", tag="PatientID"
        )
    if hidden is None:
        return headers
    return {view: hidden.header(one, reading.subject) for view, one in headers.items()}


def _header(summary: SeriesSummary) -> Dataset:
    if summary.tiles_per_side:
        raise DicomError("a tile of a mosaic: no other tool shows it as an image of its own")
    if not set(PICTURES).isdisjoint(summary.syntaxes):
        raise DicomError("a picture that is no DICOM: no report can point to it")
    file, _ = summary.frames[0]
    with StackFiles(summary.root) as files, files.path(file) as path:
        found = read_dataset(path, file)
    header = Dataset()
    for keyword in (*_PATIENT, *_STUDY, *_IMAGE):
        if keyword in found:
            header[keyword] = found[keyword]
    for keyword in (*_PATIENT[:4], *_STUDY):
        if header.get(keyword) is None:
            setattr(header, keyword, "")
    for keyword in _NAMES:  # decoded, for the report is in UTF-8 whatever its images are in
        setattr(header, keyword, str(header.get(keyword) or ""))
    for keyword, fits in _FORMS.items():
        if not fits.fullmatch(str(header.get(keyword) or "")):
            setattr(header, keyword, "")
    _show_frame(header, found, summary.sources[0].frame_number)
    return header


def _show_frame(header: Dataset, found: Dataset, number: int) -> None:
    """How the grey values of one frame are shown, where writers of either kind look for it."""
    groups = FrameGroups(found)
    if found.get(_PER_FRAME):
        groups = frame_groups(found)[number - 1]
    elif int(header.get("NumberOfFrames") or 1) == 1:
        header.pop("NumberOfFrames", None)
    shared = Dataset()
    for group, keywords in _GREY.items():
        where = groups.find(group)
        if where is None or any(where.get(one) is None for one in keywords[:2]):
            continue
        one = Dataset()
        for keyword in keywords:
            if keyword in where:
                one[keyword] = where[keyword]
        setattr(shared, group, [one])
    setattr(header, _SHARED, [shared])
    setattr(header, _PER_FRAME, [Dataset()])


def read_dataset(path: Any, file: str) -> Dataset:
    """A DICOM file up to its pixels, walked before it is parsed.

    Raises
    ------
    DicomError
        If it is no DICOM file, or is damaged.
    """
    if walked(path, file) is None:
        raise DicomError("no DICOM file", file=file, stage="open")
    with pydicom_door(file, "reading the file", stage="header"):
        found = dcmread(path, force=True, stop_before_pixels=True)
        found.decode()
    return found
