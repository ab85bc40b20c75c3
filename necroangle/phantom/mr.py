"""MR series of a phantom study: which there are, what is true of them, and their DICOM files."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, MRImageStorage

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.phantom.header import decimal, series_header, study_header, uid_of
from necroangle.phantom.render import NoiseKey, render_slice
from necroangle.phantom.stack import SeriesGeometry
from necroangle.phantom.study import PhantomStudy
from necroangle.terms import Laterality, SourceImage, View

__all__ = ["MrSeries", "frame_of_reference_uid", "mr_image", "mr_series"]

_WINDOW_CENTER, _WINDOW_WIDTH = 140, 292


@dataclass(frozen=True)
class MrSeries:
    """One MR series of a study.

    Attributes
    ----------
    study
        The study.
    geometry
        Its stack.
    laterality
        The one hip of a sagittal series; None for the coronal series, which shows both.
    number
        SeriesNumber, from 1.
    """

    study: PhantomStudy
    geometry: SeriesGeometry
    laterality: Laterality | None
    number: int

    @property
    def folder(self) -> str:
        """Name of its folder: ``coronal``, ``sagittal_r`` or ``sagittal_l``."""
        side = f"_{self.laterality.value.lower()}" if self.laterality else ""
        return f"{self.geometry.view.value}{side}"

    @cached_property
    def planes(self) -> tuple[ImagePlane, ...]:
        """Its planes, in the order of InstanceNumber."""
        if self.laterality is None:
            return self.geometry.planes(self.study.middle_mm)
        return self.geometry.planes(self.study.hip(self.laterality).centre_mm)

    @property
    def uid(self) -> UID:
        """SeriesInstanceUID."""
        return uid_of(self.study, self.folder)

    def file(self, index: int) -> str:
        """Path of one slice's file in the study's folder, with forward slashes."""
        return f"{self.folder}/IM{index + 1:04d}.dcm"

    def source(self, index: int) -> SourceImage:
        """The DICOM identifiers of one slice."""
        return SourceImage(
            str(uid_of(self.study, "study")),
            str(self.uid),
            str(uid_of(self.study, self.folder, str(index))),
            1,
            str(frame_of_reference_uid(self.study)),
        )


def frame_of_reference_uid(study: PhantomStudy) -> UID:
    """FrameOfReferenceUID of a visit: its series share it, two visits never do."""
    return uid_of(study, "frame of reference")


def mr_series(study: PhantomStudy) -> tuple[MrSeries, ...]:
    """The study's MR series: coronal, then sagittal of the right and of the left hip."""
    if study.coronal is None or study.sagittal is None:
        return ()
    for geometry, wanted in ((study.coronal, View.CORONAL), (study.sagittal, View.SAGITTAL)):
        if geometry.view is not wanted:
            raise PhantomError(f"the {wanted.value} series has a {geometry.view.value} geometry")
    return (
        MrSeries(study, study.coronal, None, 1),
        MrSeries(study, study.sagittal, Laterality.RIGHT, 2),
        MrSeries(study, study.sagittal, Laterality.LEFT, 3),
    )


def mr_image(series: MrSeries, index: int) -> Dataset:
    """One slice as an MR Image Storage data set, uncompressed."""
    key = NoiseKey(series.study.seed, series.number, index)
    pixels = render_slice(series.study, series.geometry, series.planes[index], key)
    image = study_header(series.study)
    image.SOPClassUID = MRImageStorage
    image.SOPInstanceUID = UID(series.source(index).instance_uid)
    _describe_series(image, series)
    _describe_acquisition(image, series.geometry)
    _describe_place(image, series, index)
    _put_pixels(image, pixels)
    return image


def _describe_series(image: Dataset, series: MrSeries) -> None:
    short = "COR" if series.laterality is None else f"SAG {series.laterality.name}"
    series_header(image, series.uid, series.number, f"T1 TSE {short}")
    image.Modality = "MR"
    image.ProtocolName = f"T1 TSE {short}"
    image.PatientPosition = series.study.patient_position
    image.FrameOfReferenceUID = frame_of_reference_uid(series.study)
    image.PositionReferenceIndicator = ""
    if series.laterality is None:
        image.ImageLaterality = "B"
    else:
        image.Laterality = series.laterality.value


def _describe_acquisition(image: Dataset, geometry: SeriesGeometry) -> None:
    image.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    image.ScanningSequence = "SE"
    image.SequenceVariant = "SK"
    image.ScanOptions = ""
    image.MRAcquisitionType = "2D"
    image.RepetitionTime = "550"
    image.EchoTime = "12"
    image.EchoTrainLength = 3
    image.FlipAngle = "90"
    image.MagneticFieldStrength = "1.5"
    image.ImagedNucleus = "1H"
    image.SliceThickness = decimal([geometry.thickness_mm])[0]
    image.SpacingBetweenSlices = decimal([geometry.step_mm])[0]


def _describe_place(image: Dataset, series: MrSeries, index: int) -> None:
    plane = series.planes[index]
    image.AcquisitionNumber = 1
    image.InstanceNumber = index + 1
    image.ImagePositionPatient = decimal(plane.origin_mm)
    image.ImageOrientationPatient = decimal((*plane.row_cosine, *plane.column_cosine))
    image.PixelSpacing = decimal((plane.row_spacing_mm, plane.column_spacing_mm))
    middle = np.asarray(plane.origin_mm) - np.asarray(series.planes[0].origin_mm)
    image.SliceLocation = decimal([round(float(middle @ plane.normal), 6)])[0]


def _put_pixels(image: Dataset, pixels: NDArray[np.uint16]) -> None:
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 10, 9
    image.PixelRepresentation = 0
    image.WindowCenter = _WINDOW_CENTER
    image.WindowWidth = _WINDOW_WIDTH
    image.PixelData = pixels.astype("<u2").tobytes()
    image["PixelData"].VR = "OW"
