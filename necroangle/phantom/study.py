"""A phantom study: two hips, the series and radiographs that picture them, and the noise."""

import re
from dataclasses import dataclass

from necroangle.errors import PhantomError
from necroangle.phantom.model import PhantomHip
from necroangle.phantom.stack import SeriesGeometry, Vector3
from necroangle.terms import Laterality

__all__ = ["PATIENT_POSITIONS", "PhantomStudy", "RadiographGeometry"]

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
