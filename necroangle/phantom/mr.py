"""MR series of a phantom study: their pictures, what is true of them, and their DICOM files.

A picture holds partial volume, bias field, Rician noise and whole grey values.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, MRImageStorage

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane, PixelPoints
from necroangle.phantom.anatomy import Field, t1_signal
from necroangle.phantom.header import decimal, series_header, study_header, uid_of
from necroangle.phantom.lifelike import lifelike_signal
from necroangle.phantom.looks import Contrast, MrLook
from necroangle.phantom.model import PhantomHip, PhantomStudy, SeriesGeometry
from necroangle.terms import Laterality, SourceImage, View

FAT_GREY = 260.0
"""Grey value of a signal of 1 before the bias field."""
MOST_GREY = 1023
"""The largest grey value: 10 bits are stored."""

_IN_PLANE = (-0.25, 0.25)
_ACROSS = (-1 / 3, 0.0, 1 / 3)
_FINE_ACROSS = tuple((place - 3) / 7 for place in range(7))
"""Depths of a slice, as shares of its thickness: finer where a surface runs aslant through it."""


@dataclass(frozen=True, slots=True)
class NoiseKey:
    """What seeds a slice's noise: the study's seed, the series' number, the slice's index."""

    seed: int
    series: int
    index: int


def render_slice(
    study: PhantomStudy, series: SeriesGeometry, plane: ImagePlane, key: NoiseKey
) -> NDArray[np.uint16]:
    """Draw one slice.

    Each pixel is the mean signal of 2 x 2 places in the plane at 3 depths of the slice, at 7 where
    the study is lifelike.

    Parameters
    ----------
    study
        The hips and the noise.
    series
        Size and thickness of the slice.
    plane
        Where it lies.
    key
        Seed of its noise.

    Returns
    -------
    NDArray[np.uint16]
        (rows, columns) grey values, 0 to ``MOST_GREY``.
    """
    pixels = np.indices((series.rows, series.columns)).reshape(2, -1).T.astype(float)
    signal = np.zeros(len(pixels), np.float32)
    signal_of, across = (
        (lifelike_signal, _FINE_ACROSS) if study.is_lifelike else (t1_signal, _ACROSS)
    )
    for row_step in _IN_PLANE:
        for column_step in _IN_PLANE:
            places = plane.pixel_to_patient(PixelPoints(pixels + np.array((row_step, column_step))))
            for part in across:
                shifted = places + plane.normal * part * series.thickness_mm
                signal += signal_of(shifted.astype(np.float32), study)
    signal /= len(_IN_PLANE) ** 2 * len(across)
    grey = FAT_GREY * signal * _bias(pixels, series)
    if study.look is not None and study.look.bias:
        grey = grey * _uneven_coil(pixels, series, study.look.bias)
    return _with_noise(grey, study.snr, key).reshape(series.rows, series.columns)


def _bias(pixels: NDArray[np.float64], series: SeriesGeometry) -> Field:
    """A smooth sensitivity of the coil, about 0.86 to 1.14 over the picture."""
    row, column = (pixels / (series.rows, series.columns)).T - 0.5
    field = 1 + 0.10 * np.cos(2.2 * row + 0.4) * np.cos(3.0 * column) - 0.08 * row + 0.10 * column
    return np.asarray(field, np.float32)


def _uneven_coil(pixels: NDArray[np.float64], series: SeriesGeometry, strength: float) -> Field:
    """A coil that lies to one side: up to half as bright again there, half as dark opposite."""
    row, column = (pixels / (series.rows, series.columns)).T - 0.5
    field = 1 + strength * (0.55 * np.sin(2.0 * column + 0.8 * row) - 0.25 * np.cos(5.0 * row))
    return np.asarray(field, np.float32)


def _with_noise(grey: Field, snr: float, key: NoiseKey) -> NDArray[np.uint16]:
    """Rician noise: the length of a complex signal with equal Gaussian noise in both parts."""
    generator = np.random.default_rng((key.seed, key.series, key.index))
    real, imaginary = generator.normal(0.0, FAT_GREY / snr, (2, len(grey)))
    noisy = np.rint(np.hypot(grey + real, imaginary))
    return np.asarray(np.clip(noisy, 0, MOST_GREY), np.uint16)


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
    other
        What weights it, where that is not the study's own look; else None.
    """

    study: PhantomStudy
    geometry: SeriesGeometry
    laterality: Laterality | None
    number: int
    other: Contrast | None = None

    @property
    def folder(self) -> str:
        """Name of its folder: ``coronal``, ``sagittal_r``, ``sagittal_l``, ``coronal_stir``."""
        side = f"_{self.laterality.value.lower()}" if self.laterality else ""
        contrast = f"_{self.other.name.lower()}" if self.other else ""
        return f"{self.geometry.view.value}{side}{contrast}"

    @property
    def contrast(self) -> Contrast:
        """What weights its pictures."""
        return self.other or (self.study.look or MrLook()).contrast

    @cached_property
    def planes(self) -> tuple[ImagePlane, ...]:
        """Its planes, in the order of InstanceNumber."""
        if self.laterality is None:
            return self.geometry.planes(self.study.middle_mm)
        return self.geometry.planes(self.study.hip(self.laterality).centre_mm)

    def lying(self, hip: PhantomHip) -> PhantomHip:
        """A hip as it lay when this series was taken; the patient may have moved."""
        look = self.study.look
        if look is None or self.laterality is None or not any(look.moved_mm):
            return hip
        x, y, z = (one + by for one, by in zip(hip.centre_mm, look.moved_mm, strict=True))
        return replace(hip, centre_mm=(x, y, z))

    @property
    def shown(self) -> PhantomStudy:
        """The study as it lay when this series was taken."""
        right, left = map(self.lying, self.study.hips)
        look = self.study.look
        if self.other is not None:
            look = replace(look or MrLook(), contrast=self.other)
        return replace(self.study, hips=(right, left), look=look)

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
    """The study's MR series: coronal, then sagittal of the right and of the left hip.

    Coronal series of other contrasts come last.
    """
    if study.coronal is None or study.sagittal is None:
        return ()
    for geometry, wanted in ((study.coronal, View.CORONAL), (study.sagittal, View.SAGITTAL)):
        if geometry.view is not wanted:
            raise PhantomError(f"the {wanted.value} series has a {geometry.view.value} geometry")
    return (
        MrSeries(study, study.coronal, None, 1),
        MrSeries(study, study.sagittal, Laterality.RIGHT, 2),
        MrSeries(study, study.sagittal, Laterality.LEFT, 3),
        *(
            MrSeries(study, study.coronal, None, number, contrast)
            for number, contrast in enumerate(study.also, 4)
        ),
    )


def mr_image(series: MrSeries, index: int) -> Dataset:
    """One slice as an MR Image Storage data set, uncompressed."""
    key = NoiseKey(series.study.seed, series.number, index)
    pixels = render_slice(series.shown, series.geometry, series.planes[index], key)
    image = study_header(series.study)
    image.SOPClassUID = MRImageStorage
    image.SOPInstanceUID = UID(series.source(index).instance_uid)
    _describe_series(image, series)
    _describe_acquisition(image, series.geometry)
    _describe_contrast(image, series.contrast)
    _describe_place(image, series, index)
    _put_pixels(image, pixels)
    return image


def _describe_series(image: Dataset, series: MrSeries) -> None:
    short = "COR" if series.laterality is None else f"SAG {series.laterality.name}"
    words = f"{series.contrast.value} TSE {short}"
    series_header(image, series.uid, series.number, words)
    image.Modality = "MR"
    image.ProtocolName = words
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


_TIMES_MS = {
    Contrast.PD: ("2600", "28"),
    Contrast.T2_FS: ("3800", "72"),
    Contrast.STIR: ("4200", "42"),
}
"""Repetition and echo time."""


def _describe_contrast(image: Dataset, contrast: Contrast) -> None:
    if contrast is Contrast.T1:
        return
    image.RepetitionTime, image.EchoTime = _TIMES_MS[contrast]
    image.EchoTrainLength = 9
    if contrast is Contrast.T2_FS:
        image.ScanOptions = "FS"
    elif contrast is Contrast.STIR:
        image.ScanningSequence = ["SE", "IR"]
        image.InversionTime = "150"


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
