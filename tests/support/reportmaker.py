"""Headers of images that are not there, so that any reading can be written as a report."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from necroangle.annotation import HipReading, ReadView
from necroangle.dicom.records import FrameHeader, Scan
from necroangle.dicom.series import summarise
from necroangle.interop.report import Source
from necroangle.measurement import Method, measure
from necroangle.review import ImagePlaces
from necroangle.terms import View

__all__ = [
    "MR", "angle_group", "circle_group", "foreign_report", "header_of", "places_of", "saved",
    "source_of",
]  # fmt: skip

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


def places_of(reading: HipReading) -> ImagePlaces:
    """The images of a reading as a folder would hold them: a slice each, without pixels."""
    frames = []
    for number, view in enumerate(reading.views):
        if not isinstance(view, ReadView):
            continue
        flat = view.view.is_radiograph
        frames.append(
            FrameHeader(
                f"IM{number}",
                view.image.source(),
                "DX" if flat else "MR",
                "radiograph" if flat else "stack",
                view.plane.plane(),
                view.plane.rows,
                view.plane.columns,
                view="AP" if view.view is View.AP else None,
                subject="P-1",
                visit="m00",
            )
        )
    series, _, _ = summarise(frames, Path())
    return ImagePlaces([Scan(tuple(series), (), 0)])


def saved(dataset: Dataset, path: Path) -> Path:
    """A data set in a file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def foreign_report(groups: list[Dataset], name: str = "OTHER_1") -> Dataset:
    """A report as other tools write it, of measurement groups."""
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.ImplementationClassUID = UID("1.2.3")
    report.file_meta.ImplementationVersionName = name
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.34"
    report.SOPInstanceUID = "1.2.3.999"
    report.StudyInstanceUID, report.SeriesInstanceUID = "1.2.3", "1.2.3.99"
    report.Modality = "SR"
    report.PatientName = "SECRET^NAME"
    report.ValueType = "CONTAINER"
    report.ConceptNameCodeSequence = [coded("126000", "DCM", "Imaging Measurement Report")]
    measured = item("CONTAINER", "CONTAINS", coded("126010", "DCM", "Imaging Measurements"))
    measured.ContentSequence = groups
    report.ContentSequence = [measured]
    return report


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """A code."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def item(kind: str, relation: str, concept: Dataset | None = None) -> Dataset:
    """A content item."""
    made = Dataset()
    made.RelationshipType, made.ValueType = relation, kind
    if concept is not None:
        made.ConceptNameCodeSequence = [concept]
    return made


def angle_group(
    view: ReadView,
    points: Sequence[tuple[float, float]],
    written_deg: float,
    *,
    tracking: str = "Cornerstone3DTools@^0.1.0:Angle",
    beside: bool = False,
) -> Dataset:
    """A group with an angle, its coordinates below the number or beside it.

    ``points`` are (row, column) pixels, the first one's centre at (0, 0).
    """
    group = item("CONTAINER", "CONTAINS", coded("125007", "DCM", "Measurement Group"))
    name = item("TEXT", "HAS OBS CONTEXT", coded("112039", "DCM", "Tracking Identifier"))
    name.TextValue = tracking
    number = item("NUM", "CONTAINS", coded("1483009", "SCT", "Angle"))
    value = Dataset()
    value.NumericValue = f"{written_deg:.6f}"
    value.MeasurementUnitsCodeSequence = [coded("deg", "UCUM", "degree")]
    number.MeasuredValueSequence = [value]
    place = coordinates(view, "POLYLINE", points)
    if beside:
        group.ContentSequence = [place, name, number]
    else:
        number.ContentSequence = [place]
        group.ContentSequence = [name, number]
    return group


def circle_group(view: ReadView, centre: tuple[float, float], edge: tuple[float, float]) -> Dataset:
    """A group with a circle."""
    group = item("CONTAINER", "CONTAINS", coded("125007", "DCM", "Measurement Group"))
    group.ContentSequence = [coordinates(view, "CIRCLE", [centre, edge])]
    return group


def coordinates(view: ReadView, kind: str, points: Sequence[tuple[float, float]]) -> Dataset:
    """Coordinates on the image of a view."""
    place = item("SCOORD", "INFERRED FROM", coded("111030", "DCM", "Image Region"))
    place.GraphicType = kind
    place.GraphicData = [x for row, column in points for x in (column + 0.5, row + 0.5)]
    image = item("IMAGE", "SELECTED FROM")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        MR,
        view.image.instance_uid,
    )
    image.ReferencedSOPSequence = [reference]
    place.ContentSequence = [image]
    return place
