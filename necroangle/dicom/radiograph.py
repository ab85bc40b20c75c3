"""Radiographs: a plane in detector mm, what those mm are worth, and the coded view."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import code, first_number, item, spacing_mm, wholes
from necroangle.geometry import ImagePlane

__all__ = ["DetectorScale", "coded_view", "detector_scale", "no_scale"]

MAX_MAGNIFICATION = 3
"""A larger magnification than this is a slip, and is not applied."""

_POSITIONS = {"AP": "AP", "PA": "PA", "LL": "LATERAL", "RL": "LATERAL", "LATERAL": "LATERAL"}

_VIEW_CODES = {
    "399348003": "AP",
    "R-10206": "AP",
    "272479007": "PA",
    "R-10214": "PA",
    "399067008": "LATERAL",
    "R-102CD": "LATERAL",
    "399173006": "LATERAL",
    "399198007": "LATERAL",
    "399352003": "LATERAL",
    "399260004": "LATERAL",
}
"""SNOMED CT and SNOMED RT codes of DICOM context group 4010 that name a view of the hip."""


@dataclass(frozen=True, slots=True)
class DetectorScale:
    """The plane of a radiograph in its own frame.

    Attributes
    ----------
    plane
        Origin at the first pixel, x along the row, y down the column, in ``source`` mm.
    calibrated
        Whether the mm are true mm in the patient.
    source
        ``"PixelSpacing"``, ``"ImagerPixelSpacing"``,
        ``"EstimatedRadiographicMagnificationFactor"`` (the detector's spacing divided by it) or
        ``"none"`` (the width of one pixel counts as 1 mm).
    """

    plane: ImagePlane
    calibrated: bool
    source: str


def detector_scale(dataset: Dataset) -> DetectorScale:
    """Spacing of a radiograph, and whether it holds in the patient.

    ``ImagerPixelSpacing`` is measured on the detector, magnified against the patient.
    ``PixelSpacing`` counts as calibrated only when ``PixelSpacingCalibrationType`` says how and
    it differs from ``ImagerPixelSpacing``. ``ImagerPixelSpacing`` divided by
    ``EstimatedRadiographicMagnificationFactor`` holds about the middle of a patient of usual
    size: an estimate, and not calibrated.

    Raises
    ------
    DicomError
        If a spacing is there but is not two positive numbers.

    References
    ----------
    DICOM PS3.3 10.7.1.3, Pixel Spacing Calibration Type.
    """
    patient = spacing_mm(dataset, "PixelSpacing")
    detector = spacing_mm(dataset, "ImagerPixelSpacing")
    kind = code(dataset, "PixelSpacingCalibrationType")
    if patient is not None:
        calibrated = kind in ("GEOMETRY", "FIDUCIAL") and patient != detector
        return DetectorScale(_plane(patient), calibrated, "PixelSpacing")
    factor = first_number(dataset, "EstimatedRadiographicMagnificationFactor")
    if detector is not None and factor is not None and 1 < factor <= MAX_MAGNIFICATION:
        row_mm, column_mm = detector
        plane = _plane((row_mm / factor, column_mm / factor))
        return DetectorScale(plane, False, "EstimatedRadiographicMagnificationFactor")
    if detector is not None:
        return DetectorScale(_plane(detector), False, "ImagerPixelSpacing")
    return no_scale(dataset)


def no_scale(dataset: Dataset) -> DetectorScale:
    """The scale of a picture that has none: the width of one pixel counts as 1 mm.

    Its height follows from ``PixelAspectRatio`` (height, width), where that is stated.
    """
    ratio = wholes(dataset, "PixelAspectRatio")
    stated = len(ratio) == 2 and min(ratio) > 0
    return DetectorScale(_plane((ratio[0] / ratio[1] if stated else 1.0, 1.0)), False, "none")


def coded_view(dataset: Dataset) -> str | None:
    """``"AP"``, ``"PA"`` or ``"LATERAL"`` where the file codes it, else None.

    No code tells a frog-leg from a cross-table lateral: the reader does.
    """
    position = _POSITIONS.get(code(dataset, "ViewPosition") or "")
    view = item(dataset, "ViewCodeSequence")
    if position is not None or view is None:
        return position
    return _VIEW_CODES.get(code(view, "CodeValue") or "")


def _plane(spacing: tuple[float, ...]) -> ImagePlane:
    return ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), spacing)
