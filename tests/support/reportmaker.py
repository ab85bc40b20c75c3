"""Headers of images that are not there, so that any reading can be written as a report."""

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from necroangle.annotation import HipReading, ReadView
from necroangle.interop.report import Source
from necroangle.measurement import Method, measure

if TYPE_CHECKING:
    from necroangle.terms import View

__all__ = ["MR", "header_of", "source_of"]

MR = "1.2.840.10008.5.1.4.1.1.4"
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def header_of(view: ReadView, subject: str) -> Dataset:
    """The header that the image of a view would have."""
    header = Dataset()
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber"):
        setattr(header, keyword, "")
    header.PatientID = subject
    header.PatientName = f"{subject}^"
    header.ReferringPhysicianName = ""
    header.StudyID = "1"
    header.StudyInstanceUID = view.image.study_uid
    header.SeriesInstanceUID = view.image.series_uid
    header.SOPInstanceUID = view.image.instance_uid
    header.SOPClassUID = DX if view.view.is_radiograph else MR
    header.Modality = "DX" if view.view.is_radiograph else "MR"
    header.Rows, header.Columns = view.plane.rows, view.plane.columns
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    return header


def source_of(reading: HipReading, method: Method | None = None) -> Source:
    """What the objects of a reading are made of, with invented headers."""
    read = [view for view in reading.views if isinstance(view, ReadView)]
    headers: dict[View, Dataset] = {view.view: header_of(view, "P-1") for view in read}
    return Source(reading, measure(reading, method), headers)
