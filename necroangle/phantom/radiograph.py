"""Radiograph pair of a phantom hip: Digital X-Ray Image Storage - For Presentation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation

from necroangle.geometry import ImagePlane
from necroangle.phantom.header import code_item, decimal, series_header, study_header, uid_of
from necroangle.phantom.study import PhantomStudy, RadiographGeometry
from necroangle.phantom.xray import MOST_GREY, project
from necroangle.terms import Laterality, SourceImage, View

__all__ = ["Radiograph", "radiograph_image", "radiographs"]

_DETECTOR_MM = 1150.0
"""DistanceSourceToDetector, mm."""


@dataclass(frozen=True, slots=True)
class Radiograph:
    """One radiograph of a study: one hip in one view, a series of its own.

    Attributes
    ----------
    study, geometry
        The study and its detector.
    laterality, view
        Which hip; ``View.AP`` or ``View.FROG_LEG``.
    number
        SeriesNumber.
    """

    study: PhantomStudy
    geometry: RadiographGeometry
    laterality: Laterality
    view: View
    number: int

    @property
    def file(self) -> str:
        """Path of its file in the study's folder: ``radiographs/r_ap.dcm``."""
        return f"radiographs/{self.laterality.value.lower()}_{self.view.value}.dcm"

    @property
    def source(self) -> SourceImage:
        """Its DICOM identifiers."""
        return SourceImage(
            str(uid_of(self.study, "study")),
            str(uid_of(self.study, self.file, "series")),
            str(uid_of(self.study, self.file)),
        )

    @property
    def plane(self) -> ImagePlane:
        """Its plane in detector mm: u along the rows, v down the columns, from the first pixel."""
        spacing = self.geometry.imager_spacing_mm
        return ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), (spacing, spacing))


def radiographs(study: PhantomStudy) -> tuple[Radiograph, ...]:
    """The study's radiographs: AP and frog-leg of each hip that is radiographed."""
    if study.radiographs is None:
        return ()
    wanted = [(side, view) for side in study.radiograph_sides for view in (View.AP, View.FROG_LEG)]
    return tuple(
        Radiograph(study, study.radiographs, side, view, number)
        for number, (side, view) in enumerate(wanted, start=11)
    )


def radiograph_image(radiograph: Radiograph) -> Dataset:
    """One radiograph as a DX For Presentation data set, uncompressed and uncalibrated."""
    study, geometry = radiograph.study, radiograph.geometry
    hip = study.hip(radiograph.laterality)
    pixels = project(hip, geometry, radiograph.view, study.seed)
    image = study_header(study)
    image.SOPClassUID = DigitalXRayImageStorageForPresentation
    image.SOPInstanceUID = UID(radiograph.source.instance_uid)
    words = "AP" if radiograph.view is View.AP else "FROG LEG LATERAL"
    description = f"HIP {radiograph.laterality.name} {words}"
    series_header(image, UID(radiograph.source.series_uid), radiograph.number, description)
    _describe_view(image, radiograph)
    _describe_detector(image, geometry)
    _put_pixels(image, pixels)
    return image


def _describe_view(image: Dataset, radiograph: Radiograph) -> None:
    image.Modality = "DX"
    image.PresentationIntentType = "FOR PRESENTATION"
    image.ImageType = ["ORIGINAL", "PRIMARY", ""]
    image.ImageLaterality = radiograph.laterality.value
    image.AnatomicRegionSequence = Sequence([code_item("24136001", "Hip joint")])
    image.PatientOrientation = ["L", "F"]
    if radiograph.view is View.AP:
        image.ViewPosition = "AP"
        view = code_item("399348003", "antero-posterior")
    else:
        view = code_item("399067008", "lateral projection")
    view.ViewModifierCodeSequence = Sequence([])
    image.ViewCodeSequence = Sequence([view])
    image.InstanceNumber = 1
    image.AcquisitionNumber = 1
    image.AcquisitionContextSequence = Sequence([])


def _describe_detector(image: Dataset, geometry: RadiographGeometry) -> None:
    spacing = decimal((geometry.imager_spacing_mm, geometry.imager_spacing_mm))
    image.DetectorType = ""
    image.ImagerPixelSpacing = spacing
    image.PositionerType = "NONE"
    image.DistanceSourceToDetector = decimal([_DETECTOR_MM])[0]
    image.AcquisitionDeviceProcessingDescription = ""
    image.BurnedInAnnotation = "NO"
    image.LossyImageCompression = "00"


def _put_pixels(image: Dataset, pixels: NDArray[np.uint16]) -> None:
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    image.PixelIntensityRelationship = "LOG"
    image.PixelIntensityRelationshipSign = -1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "0", "1", "US"
    image.PresentationLUTShape = "IDENTITY"
    image.WindowCenter, image.WindowWidth = (MOST_GREY + 1) // 2, MOST_GREY + 1
    image.PixelData = pixels.astype("<u2").tobytes()
    image["PixelData"].VR = "OW"
