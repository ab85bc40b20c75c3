"""What a phantom study is made of, in patient LPS mm.

A stack of slices about a point; a hip and its lesions; and the study: two hips, the series and
radiographs that picture them, and the noise.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.phantom.looks import Contrast, HeadForm, MrLook
from necroangle.terms import Laterality, View

Vector3 = tuple[float, float, float]

_MOST = 4096

_AXES: dict[View, tuple[Vector3, Vector3]] = {
    View.CORONAL: ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    View.SAGITTAL: ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


def rotation(turns_deg: Vector3) -> NDArray[np.float64]:
    """Turn about x, then about y, then about z of patient LPS, right-handed.

    Parameters
    ----------
    turns_deg
        Three angles, degrees.

    Returns
    -------
    NDArray[np.float64]
        (3, 3) matrix that turns column vectors.

    Examples
    --------
    >>> (rotation((0, 0, 90)) @ [1, 0, 0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    matrix = np.eye(3)
    for axis, turn_deg in enumerate(turns_deg):
        cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        matrix = turn @ matrix
    return matrix


@dataclass(frozen=True, slots=True)
class SeriesGeometry:
    """A stack of parallel slices.

    Attributes
    ----------
    view
        ``View.CORONAL`` or ``View.SAGITTAL``: the plane before it is tilted.
    row_spacing_mm, column_spacing_mm
        Distance between the centres of neighbouring rows, and of neighbouring columns, mm.
    rows, columns
        Size of the matrix.
    slices
        Number of slices.
    thickness_mm, gap_mm
        Thickness of a slice, and the gap between two; their sum is the step along the normal.
    tilt_deg
        Turns about x, y and z of patient LPS, in that order: the obliquity.
    shift_mm
        Where the stack's middle lies from the point it is laid about: along the row, down the
        column, along the normal, mm. So the mid slice need not pass through the head's centre.

    Raises
    ------
    PhantomError
        If the view is a radiograph, or a size is not positive.

    Examples
    --------
    >>> from necroangle.terms import View
    >>> stack = SeriesGeometry(View.SAGITTAL, 0.7, 0.7, rows=3, columns=3, slices=3)
    >>> [plane.origin_mm[0] for plane in stack.planes((90.0, 0.0, 0.0))]
    [93.85, 90.0, 86.15]
    >>> SeriesGeometry(View.SAGITTAL, 0.0, 0.7)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: spacing and thickness must be above 0 mm, ...
    """

    view: View
    row_spacing_mm: float
    column_spacing_mm: float
    rows: int = 160
    columns: int = 160
    slices: int = 11
    thickness_mm: float = 3.5
    gap_mm: float = 0.35
    tilt_deg: Vector3 = (0.0, 0.0, 0.0)
    shift_mm: Vector3 = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.view not in _AXES:
            raise PhantomError(f"a series is coronal or sagittal, found {self.view.value}")
        sizes = (self.row_spacing_mm, self.column_spacing_mm, self.thickness_mm)
        if not min(sizes) > 0:
            raise PhantomError(f"spacing and thickness must be above 0 mm, found {sizes}")
        if not self.gap_mm >= 0:
            raise PhantomError(f"the gap must be 0 mm or more, found {self.gap_mm}")
        counts = (self.rows, self.columns, self.slices)
        if min(counts) < 1 or max(counts) > _MOST:
            raise PhantomError(
                f"rows, columns and slices must lie between 1 and {_MOST}, found {counts}"
            )

    @property
    def step_mm(self) -> float:
        """Distance between the middles of neighbouring slices, mm."""
        return self.thickness_mm + self.gap_mm

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3): row cosine, column cosine and normal, one a row, in patient LPS."""
        turn = rotation(self.tilt_deg)
        row, column = (turn @ np.array(axis) for axis in _AXES[self.view])
        return np.array((row, column, np.cross(row, column)))

    def planes(self, centre_mm: Vector3) -> tuple[ImagePlane, ...]:
        """The slices' planes, in the order of the normal, laid about a patient point (mm)."""
        axes = self.axes
        middle = np.array(centre_mm) + np.array(self.shift_mm) @ axes
        corner = middle - axes[0] * self.column_spacing_mm * (self.columns - 1) / 2
        corner = corner - axes[1] * self.row_spacing_mm * (self.rows - 1) / 2
        offsets = (np.arange(self.slices) - (self.slices - 1) / 2) * self.step_mm
        return tuple(self._plane(corner + offset * axes[2], axes) for offset in offsets)

    def _plane(self, origin: NDArray[np.float64], axes: NDArray[np.float64]) -> ImagePlane:
        """One plane, with its numbers as a DICOM decimal string holds them."""
        position = [round(value, 6) for value in origin.tolist()]
        cosines = [round(value, 12) for value in axes[:2].ravel().tolist()]
        spacing = (self.row_spacing_mm, self.column_spacing_mm)
        return ImagePlane.from_dicom(position, cosines, spacing)


NECK_SHAFT_DEG = 127.0
"""Angle between the neck and the shaft."""
ANTEVERSION_DEG = 12.0
"""Turn of the neck out of the coronal plane: the head lies before the trochanters."""
NECK_HALF_ANGLE_DEG = 40.0
"""Angle at the head's centre from the neck's axis to where the head's round surface begins."""

_UNIT_TOLERANCE = 1e-9


def lateral_sign(laterality: Laterality) -> float:
    """+1 for the left hip, whose lateral side is +x in patient LPS, and -1 for the right."""
    return 1.0 if laterality is Laterality.LEFT else -1.0


def lesion_axis(laterality: Laterality, anterior_deg: float, lateral_deg: float) -> Vector3:
    """Unit vector in patient LPS from the head's centre to the middle of a lesion.

    Seen from the side the axis leans ``anterior_deg`` forward of superior, seen from the front
    ``lateral_deg`` outward: ``(±tan lateral, -tan anterior, 1)`` scaled to length 1.

    Parameters
    ----------
    laterality
        The hip's side: lateral is +x for the left hip and -x for the right.
    anterior_deg, lateral_deg
        Tilts from superior, each above -90 and below 90 degrees; negative: posterior, medial.

    Raises
    ------
    PhantomError
        If a tilt is 90 degrees or more.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> [round(x, 3) for x in lesion_axis(Laterality.RIGHT, 0, 45)]
    [-0.707, 0.0, 0.707]
    >>> lesion_axis(Laterality.LEFT, 90, 0)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: the lesion's anterior tilt must lie between -90° and 90°, ...
    """
    for label, tilt in (("anterior", anterior_deg), ("lateral", lateral_deg)):
        if not abs(tilt) < 90:
            raise PhantomError(
                f"the lesion's {label} tilt must lie between -90° and 90°, found {tilt}"
            )
    x = lateral_sign(laterality) * math.tan(math.radians(lateral_deg))
    y = 0.0 - math.tan(math.radians(anterior_deg))
    length = math.hypot(x, y, 1.0)
    return x / length, y / length, 1.0 / length


def neck_direction(laterality: Laterality) -> Vector3:
    """Unit vector in patient LPS from the head's centre down the middle of the neck."""
    tilt, turn = math.radians(NECK_SHAFT_DEG), math.radians(ANTEVERSION_DEG)
    x = lateral_sign(laterality) * math.sin(tilt) * math.cos(turn)
    return x, math.sin(tilt) * math.sin(turn), math.cos(tilt)


@dataclass(frozen=True, slots=True)
class Lesion:
    """A necrotic lesion: its surface is the spherical cap about an axis through the centre.

    Attributes
    ----------
    axis
        Unit vector in patient LPS from the head's centre to the middle of the cap.
    half_angle_deg
        Angle from the axis to the cap's edge, above 0 and below 180 degrees.

    Raises
    ------
    PhantomError
        If the axis is not of length 1 or the angle is out of range.

    Examples
    --------
    >>> Lesion((0.0, 0.0, 1.0), 50.0).half_angle_deg
    50.0
    >>> Lesion((0.0, 0.0, 1.0), 180.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: a lesion's half angle must lie between 0° and 180°, ...
    """

    axis: Vector3
    half_angle_deg: float

    def __post_init__(self) -> None:
        if not abs(math.hypot(*self.axis) - 1.0) <= _UNIT_TOLERANCE:
            raise PhantomError(f"a lesion's axis must have length 1, found {self.axis}")
        if not 0 < self.half_angle_deg < 180:
            raise PhantomError(
                f"a lesion's half angle must lie between 0° and 180°, found {self.half_angle_deg}"
            )


@dataclass(frozen=True, slots=True)
class PhantomHip:
    """One hip: a spherical head on a neck, with its lesions.

    Attributes
    ----------
    laterality
        The hip's side.
    centre_mm
        Centre of the head in patient LPS mm.
    radius_mm
        Radius of the head, to the outer margin of the subchondral line, mm.
    lesions
        None for a normal hip.
    form
        What makes the head other than a sphere; None for an exact sphere.

    Raises
    ------
    PhantomError
        If the radius is no head's.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> axis = lesion_axis(Laterality.RIGHT, 0, 45)
    >>> PhantomHip(Laterality.RIGHT, (-86, 0, 0), 24, (Lesion(axis, 60),)).refuse_neck()
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: hip R: the lesion reaches the neck...
    """

    laterality: Laterality
    centre_mm: Vector3
    radius_mm: float
    lesions: tuple[Lesion, ...] = ()
    form: HeadForm | None = None

    def __post_init__(self) -> None:
        where = f"hip {self.laterality.value}"
        if not 15 <= self.radius_mm <= 35:
            raise PhantomError(
                f"{where}: a head's radius must lie between 15 and 35 mm, found {self.radius_mm}"
            )
        if not all(map(math.isfinite, self.centre_mm)):
            raise PhantomError(f"{where}: the centre is not finite, found {self.centre_mm}")

    def refuse_neck(self) -> None:
        """Refuse a lesion that reaches the neck, which has no joint surface and never counts.

        Raises
        ------
        PhantomError
            Saying how large the lesion may be.
        """
        neck = neck_direction(self.laterality)
        for lesion in self.lesions:
            apart = math.degrees(math.acos(float(np.clip(np.dot(lesion.axis, neck), -1, 1))))
            if apart < lesion.half_angle_deg + NECK_HALF_ANGLE_DEG:
                most = apart - NECK_HALF_ANGLE_DEG
                raise PhantomError(
                    f"hip {self.laterality.value}: the lesion reaches the neck, which has no "
                    f"joint surface: its half angle {lesion.half_angle_deg:g}° must be "
                    f"at most {most:.1f}°; make it smaller, or tilt it medially or forward"
                )


PATIENT_POSITIONS = ("HFS", "HFP", "HFDR", "HFDL", "FFS", "FFP", "FFDR", "FFDL")
"""PatientPosition (0018,5100) of a recumbent patient, as DICOM codes it."""

_PSEUDONYM = re.compile(r"(?!.*__)\w[\w.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RadiographGeometry:
    """Detector and magnification of a radiograph pair.

    Attributes
    ----------
    imager_spacing_mm
        Distance of the detector's pixels, both ways, mm (``ImagerPixelSpacing``).
    rows, columns
        Size of the image.
    magnification
        Size on the detector over size in the patient: unknown to a reader, so the image is
        uncalibrated.

    Raises
    ------
    PhantomError
        If the size or the magnification is not positive.
    """

    imager_spacing_mm: float = 0.3
    rows: int = 440
    columns: int = 400
    magnification: float = 1.15

    def __post_init__(self) -> None:
        if min(self.imager_spacing_mm, self.rows, self.columns) <= 0 or self.magnification < 1:
            raise PhantomError(f"not a detector that sees the hip from behind it: {self}")


@dataclass(frozen=True, slots=True)
class PhantomStudy:
    """One visit: both hips, the series that picture them, and the noise.

    Attributes
    ----------
    name
        Short name, upper-case letters, digits and hyphens: part of the phantom's PatientName.
    hips
        The right hip and the left hip.
    coronal, sagittal
        Geometry of the coronal series (about the middle between the heads) and of the sagittal
        series (one per hip, about its head); both None for a study of radiographs only.
    radiographs
        Geometry of the AP and frog-leg pair, or None for none.
    radiograph_sides
        The hips that are radiographed.
    patient_position
        One of ``PATIENT_POSITIONS``; planes are in patient LPS mm whatever it is.
    seed
        Seed of the noise: the same study with the same seed is the same file to the byte.
    snr
        Signal of fatty marrow over the noise's standard deviation.
    subject, visit
        Pseudonym and visit name: ClinicalTrialSubjectID and ClinicalTrialTimePointID.
    look
        How its MR pictures look, and whether the patient moved; None for plain T1.
    also
        Contrasts of which there is a further coronal series each, of the same slices.

    Raises
    ------
    PhantomError
        If a value is not allowed, with the value and what is.
    """

    name: str
    hips: tuple[PhantomHip, PhantomHip]
    coronal: SeriesGeometry | None = None
    sagittal: SeriesGeometry | None = None
    radiographs: RadiographGeometry | None = None
    radiograph_sides: tuple[Laterality, ...] = (Laterality.RIGHT, Laterality.LEFT)
    patient_position: str = "HFS"
    seed: int = 0
    snr: float = 36.0
    subject: str = "PHANTOM-01"
    visit: str = "baseline"
    look: MrLook | None = None
    also: tuple[Contrast, ...] = ()

    def __post_init__(self) -> None:
        sides = tuple(hip.laterality for hip in self.hips)
        if sides != (Laterality.RIGHT, Laterality.LEFT):
            raise PhantomError(f"a study needs its right hip, then its left hip, found {sides}")
        if self.hips[1].centre_mm[0] - self.hips[0].centre_mm[0] < 120:
            raise PhantomError(
                "the left head must lie at least 120 mm to the patient's left (+x) of the right "
                f"head, found x = {self.hips[1].centre_mm[0]} and {self.hips[0].centre_mm[0]}"
            )
        if self.seed < 0 or not self.snr > 0:
            raise PhantomError(
                f"seed must be 0 or more and snr above 0, found {self.seed}, {self.snr}"
            )
        if (self.coronal is None) != (self.sagittal is None):
            raise PhantomError("an MR study needs both its coronal and its sagittal geometry")
        self._check_words()

    def _check_words(self) -> None:
        if self.patient_position not in PATIENT_POSITIONS:
            allowed = ", ".join(PATIENT_POSITIONS)
            raise PhantomError(
                f"patient position {self.patient_position!r} is not one of {allowed}"
            )
        if not self.name.replace("-", "").isalnum() or not self.name.isupper():
            raise PhantomError(f"name {self.name!r}: use upper-case letters, digits and hyphens")
        for label, word in (("subject", self.subject), ("visit", self.visit)):
            if not _PSEUDONYM.fullmatch(word):
                raise PhantomError(
                    f"{label} {word!r}: use letters, digits, dots, dashes and single underscores, "
                    "at most 64"
                )

    @property
    def is_lifelike(self) -> bool:
        """Whether a head is no sphere, or the pictures have a look of their own."""
        formed = any(hip.form is not None for hip in self.hips)
        return self.look is not None or formed or bool(self.also)

    def hip(self, laterality: Laterality) -> PhantomHip:
        """The hip of that side."""
        return self.hips[0 if laterality is Laterality.RIGHT else 1]

    @property
    def middle_mm(self) -> Vector3:
        """The middle between the two heads, patient LPS mm."""
        right, left = (hip.centre_mm for hip in self.hips)
        return (
            (right[0] + left[0]) / 2,
            (right[1] + left[1]) / 2,
            (right[2] + left[2]) / 2,
        )
