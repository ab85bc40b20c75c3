"""Radiograph pair of a phantom hip: pictures, exact angles, and Digital X-Ray files.

The rays are parallel and the picture is enlarged by the study's magnification. The head's outline
is the circle in which the plane through its centre, square to the rays, cuts it; so the necrotic
arc of a radiograph is that plane's.

In the frog-leg view the thigh is bent and turned out, so that the rays pass the femur from its
inner to its outer side: the head is seen as on a sagittal slice, the pelvis as from the front.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation

from necroangle.geometry import ImagePlane
from necroangle.phantom.anatomy import HEAD_RADIUS, Field, fade, femur, lesion_distance, pelvis
from necroangle.phantom.header import code_item, decimal, series_header, study_header, uid_of
from necroangle.phantom.model import PhantomHip, PhantomStudy, RadiographGeometry, lateral_sign
from necroangle.phantom.truth import cap_union_deg
from necroangle.terms import Laterality, SourceImage, View

MOST_GREY = 4095
"""The largest grey value: 12 bits are stored."""

_ABDUCTION_DEG = 50.0
_REACH_MM = 66.0
_AT_ONCE = 1 << 15
"""Pixels that are drawn together: what they need stays in the processor's own memory."""

_STEP_MM = 2.2
_CANCELLOUS, _CORTICAL, _SCLEROTIC, _LUCENT = 0.34, 1.05, 0.85, 0.22
_SCLEROSIS_MM = 2.4


@dataclass(frozen=True, slots=True)
class DetectorArc:
    """One necrotic arc on a radiograph.

    Attributes
    ----------
    start_mm, via_mm, end_mm
        (u, v) in detector mm from the centre of the first pixel: one end, the middle, the other.
    angle_deg
        Its angle at the head's centre.
    """

    start_mm: tuple[float, float]
    via_mm: tuple[float, float]
    end_mm: tuple[float, float]
    angle_deg: float


@dataclass(frozen=True, slots=True)
class RadiographTruth:
    """What is true of one radiograph: the head circle in detector mm and its necrotic arcs."""

    centre_mm: tuple[float, float]
    radius_mm: float
    arcs: tuple[DetectorArc, ...]
    angle_deg: float


def view_axes(laterality: Laterality, view: View) -> NDArray[np.float64]:
    """(3, 3): along the picture's rows, down its columns, and along the rays, in the femur's LPS.

    Raises
    ------
    KeyError
        If the view is neither AP nor frog-leg.
    """
    medial = -lateral_sign(laterality)
    turn = math.radians(_ABDUCTION_DEG)
    row, column = {
        View.AP: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
        View.FROG_LEG: (
            (0.0, medial * math.cos(turn), medial * math.sin(turn)),
            (0.0, math.sin(turn), -math.cos(turn)),
        ),
    }[view]
    return np.array((row, column, np.cross(row, column)))


def head_pixel(laterality: Laterality, geometry: RadiographGeometry) -> tuple[float, float]:
    """(row, column) of the head's centre: above the middle and towards the midline."""
    column = (geometry.columns - 1) / 2 - lateral_sign(laterality) * 0.06 * geometry.columns
    return 0.42 * geometry.rows, column


def radiograph_truth(hip: PhantomHip, geometry: RadiographGeometry, view: View) -> RadiographTruth:
    """The head circle and the necrotic arcs of a hip on its AP or frog-leg radiograph."""
    row, column = head_pixel(hip.laterality, geometry)
    u, v = column * geometry.imager_spacing_mm, row * geometry.imager_spacing_mm
    radius = hip.radius_mm * geometry.magnification

    def on_circle(turn_deg: float) -> tuple[float, float]:
        turn = math.radians(turn_deg)
        return u + radius * math.cos(turn), v + radius * math.sin(turn)

    intervals = cap_union_deg(hip, 0.0, view_axes(hip.laterality, view))
    arcs = tuple(
        DetectorArc(on_circle(low), on_circle((low + high) / 2), on_circle(high), high - low)
        for low, high in intervals
    )
    return RadiographTruth((u, v), radius, arcs, math.fsum(arc.angle_deg for arc in arcs))


def project(
    hip: PhantomHip, geometry: RadiographGeometry, view: View, seed: int
) -> NDArray[np.uint16]:
    """Draw one radiograph: (rows, columns) grey values, bone bright, 0 to ``MOST_GREY``."""
    across = _offsets_mm(hip.laterality, geometry)
    axes = view_axes(hip.laterality, view)
    front = view_axes(hip.laterality, View.AP)
    bone = np.zeros(len(across), np.float32)
    generator = np.random.default_rng((seed, 100 + list(View).index(view)))
    jitter = generator.uniform(0.0, _STEP_MM, len(across))
    for first in range(0, len(across), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        for depth in np.arange(-_REACH_MM, _REACH_MM, _STEP_MM):
            rays = np.column_stack((across[part], depth + jitter[part]))
            bone[part] += _femur_density((rays @ axes).astype(np.float32), hip)
            bone[part] += _pelvis_density((rays @ front).astype(np.float32), hip)
    attenuation = bone * np.float32(_STEP_MM) + _soft_tissue_mm(across)
    quanta = generator.normal(0.0, 14.0, len(bone))
    grey = 4600 * (1 - np.exp(-(attenuation - 6.0) / 30.0)) + 250 + quanta
    shape = (geometry.rows, geometry.columns)
    picture: NDArray[np.uint16] = np.clip(np.rint(grey), 0, MOST_GREY).astype(np.uint16)
    return picture.reshape(shape)


def _offsets_mm(laterality: Laterality, geometry: RadiographGeometry) -> NDArray[np.float64]:
    """(N, 2) mm in the patient from the head's centre, along the rows and down the columns."""
    row, column = head_pixel(laterality, geometry)
    scale = geometry.imager_spacing_mm / geometry.magnification
    rows, columns = np.indices((geometry.rows, geometry.columns)).reshape(2, -1)
    return np.column_stack((columns - column, rows - row)) * scale


def _in_hip(points: Field, hip: PhantomHip) -> Field:
    mirror = np.array((lateral_sign(hip.laterality), 1.0, 1.0), np.float32)
    return points * mirror * np.float32(HEAD_RADIUS / hip.radius_mm)


def _shell(distance: Field, cortex_mm: float | Field, inside: float | Field) -> Field:
    """Density of a bone: a cortex of this thickness about what is inside."""
    whole = fade(distance, 1.5)
    core = fade(distance + cortex_mm, 1.5)
    density: Field = whole * np.float32(_CORTICAL) + core * (inside - np.float32(_CORTICAL))
    return density


def _femur_density(points: Field, hip: PhantomHip) -> Field:
    hip_points = _in_hip(points, hip)
    inside = np.full(len(points), _CANCELLOUS, np.float32)
    for lesion in hip.lesions:
        margin = lesion_distance(points, lesion, hip.radius_mm)
        band = fade(margin, 1.0) - fade(margin + np.float32(_SCLEROSIS_MM), 1.0)
        inside += band * np.float32(_SCLEROTIC - _CANCELLOUS)
        inside += fade(margin + np.float32(_SCLEROSIS_MM), 1.0) * np.float32(_LUCENT - _CANCELLOUS)
    thick = np.clip((-hip_points[:, 2] - np.float32(30.0)) / 30.0, 0, 1) * np.float32(4.5)
    return _shell(femur(hip_points), thick + np.float32(1.3), inside)


def _pelvis_density(points: Field, hip: PhantomHip) -> Field:
    return _shell(pelvis(_in_hip(points, hip)), 1.6, _CANCELLOUS * 0.6)


def _soft_tissue_mm(across: NDArray[np.float64]) -> Field:
    """Attenuation of the soft tissue: thick in the middle, thinner towards the skin."""
    u, v = across.T
    thickness = 9.0 - 0.0007 * u**2 - 0.00025 * (v - 15.0) ** 2
    return np.asarray(thickness, np.float32)


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
