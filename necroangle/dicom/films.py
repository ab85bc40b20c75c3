"""Radiographs and films: what their millimetres are worth, and the coded view.

A projection has no place in the patient. Its spacing is that of the detector, of an estimate, of
something of known size in the picture, or none at all: an angle needs none.
"""

from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import code, first_number, item, spacing_mm, wholes
from necroangle.dicom.records import SeriesSummary
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane, Marker

MAX_MAGNIFICATION = 3
"""A larger magnification than this is a slip, and is not applied."""

_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}
_UPRIGHT = {"H": "S", "F": "I"}
"""What ``PatientOrientation`` calls up and down, as on slices."""
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
        ``"EstimatedRadiographicMagnificationFactor"`` or ``"DistanceSourceToPatient"`` (the
        detector's spacing divided by the magnification that the file states, or that its distances
        give: estimated, and never more) or ``"none"`` (the width of one pixel counts as 1 mm).
    """

    plane: ImagePlane
    calibrated: bool
    source: str


def detector_scale(dataset: Dataset) -> DetectorScale:
    """Spacing of a radiograph, and whether it holds in the patient.

    ``ImagerPixelSpacing`` is measured on the detector, magnified against the patient; so is a
    ``PixelSpacing`` that is equal to it. Any other ``PixelSpacing`` counts as calibrated only when
    ``PixelSpacingCalibrationType`` says how. The detector's spacing divided by the magnification
    holds about the middle of a patient of usual size: an estimate, and not calibrated.

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
    if patient is not None and patient != detector:
        calibrated = kind in ("GEOMETRY", "FIDUCIAL")
        return DetectorScale(_detector_plane(patient), calibrated, "PixelSpacing")
    if detector is None:
        return no_scale(dataset)
    factor, source = magnification(dataset)
    if factor is None:
        named = "ImagerPixelSpacing" if patient is None else "PixelSpacing"
        return DetectorScale(_detector_plane(detector), False, named)
    row_mm, column_mm = detector
    return DetectorScale(_detector_plane((row_mm / factor, column_mm / factor)), False, source)


def magnification(dataset: Dataset) -> tuple[float | None, str]:
    """By how much the detector's picture is larger than the patient, and the attribute that tells.

    As the file states it, else from the distances of source and patient: the same quotient.

    Examples
    --------
    >>> dataset = Dataset()
    >>> dataset.DistanceSourceToDetector, dataset.DistanceSourceToPatient = 1150, 1000
    >>> magnification(dataset)
    (1.15, 'DistanceSourceToPatient')
    >>> magnification(Dataset())
    (None, '')
    """
    stated = first_number(dataset, "EstimatedRadiographicMagnificationFactor")
    if stated is not None and 1 < stated <= MAX_MAGNIFICATION:
        return stated, "EstimatedRadiographicMagnificationFactor"
    to_detector = first_number(dataset, "DistanceSourceToDetector") or 0.0
    to_patient = first_number(dataset, "DistanceSourceToPatient") or 0.0
    if 0 < to_patient < to_detector <= MAX_MAGNIFICATION * to_patient:
        return to_detector / to_patient, "DistanceSourceToPatient"
    return None, ""


def no_scale(dataset: Dataset) -> DetectorScale:
    """The scale of a picture that has none: the width of one pixel counts as 1 mm.

    Its height follows from ``PixelAspectRatio`` (height, width), where that is stated.
    """
    ratio = wholes(dataset, "PixelAspectRatio")
    stated = len(ratio) == 2 and min(ratio) > 0
    return DetectorScale(
        _detector_plane((ratio[0] / ratio[1] if stated else 1.0, 1.0)), False, "none"
    )


def coded_view(dataset: Dataset) -> str | None:
    """``"AP"``, ``"PA"`` or ``"LATERAL"`` where the file codes it, else None.

    No code tells a frog-leg from a cross-table lateral: the reader does.
    """
    position = _POSITIONS.get(code(dataset, "ViewPosition") or "")
    view = item(dataset, "ViewCodeSequence")
    if position is not None or view is None:
        return position
    return _VIEW_CODES.get(code(view, "CodeValue") or "")


def _detector_plane(spacing: tuple[float, ...]) -> ImagePlane:
    return ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), spacing)


def scaled_by_marker(summary: SeriesSummary, marker: Marker) -> SeriesSummary:
    """A radiograph in true millimetres, by something of known size that it shows.

    Parameters
    ----------
    summary
        A radiograph, whatever its scale so far.
    marker
        Where the thing lies, and how large it is.

    Returns
    -------
    SeriesSummary
        The same picture, calibrated: its source of scale says ``"marker of 30 mm"``. True at the
        depth of the marker, which belongs beside the joint.

    Raises
    ------
    DicomError
        If it is no radiograph, or the spacing that comes out is none that a picture can have.
    """
    if summary.kind != "radiograph":
        raise DicomError("only a radiograph is scaled by a marker", file=summary.frames[0][0])
    (plane,) = summary.planes
    found = marker.scaled(plane, (summary.rows, summary.columns))
    return replace(
        summary,
        planes=(found,),
        row_spacing_mm=found.row_spacing_mm,
        column_spacing_mm=found.column_spacing_mm,
        calibrated=True,
        marker=marker,
        spacing_source=f"marker of {marker.size_mm:g} mm",
    )


def film_letters(patient_orientation: tuple[str, ...]) -> dict[str, str]:
    """The letter at each edge of a radiograph, as of a slice; none where the file does not say.

    Parameters
    ----------
    patient_orientation
        ``PatientOrientation``: where the rows run, and where the columns run. Of an oblique one the
        first letter counts.

    Examples
    --------
    >>> film_letters(("L", "F"))
    {'left': 'R', 'right': 'L', 'top': 'S', 'bottom': 'I'}
    >>> film_letters(())
    {}
    """
    first = [_UPRIGHT.get(word[0], word[0]) for word in patient_orientation]
    if len(first) != 2 or not set(first) <= _OPPOSITE.keys():
        return {}
    right, bottom = first
    return {"left": _OPPOSITE[right], "right": right, "top": _OPPOSITE[bottom], "bottom": bottom}
