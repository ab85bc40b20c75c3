"""Which images are let in, by what their header says they are."""

from pydicom.dataset import Dataset

from necroangle.dicom.attributes import code, integer, required_uid, uid
from necroangle.errors import DicomError

__all__ = ["admitted_kind", "admitted_matrix", "is_inverted"]

MAX_SIDE_PX = 65_535
"""Largest number of rows or columns that DICOM can state."""

MAX_FRAME_PIXELS = 64 * 1024**2
"""Larger frames are refused at the header: no image of a hip comes near."""

_KINDS = {
    "MR": "stack",
    "CT": "stack",
    "CR": "radiograph",
    "DX": "radiograph",
    "RF": "radiograph",
}
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def admitted_kind(dataset: Dataset) -> str:
    """``"stack"``, ``"radiograph"`` or ``"secondary"``.

    The modality decides, so that images of a private SOP class, or of none, pass where they
    describe themselves. Only a secondary capture is told by its SOP class: a picture of a screen,
    page or film, which may be looked at but has no scale and fits no view.

    Raises
    ------
    DicomError
        If it is no MR, CT, CR, DX or RF image, nor a secondary capture, or it is a CT scout.
    """
    sop_class = uid(dataset, "SOPClassUID") or ""
    required_uid(dataset, "SOPInstanceUID")
    if sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + "."):
        return "secondary"
    modality = code(dataset, "Modality")
    if modality is None:
        raise DicomError("absent: what kind of image it is cannot be told", tag="Modality")
    if modality not in _KINDS:
        raise DicomError(
            f"{modality}: no image to measure (MR, CT, CR, DX and RF are opened)", tag="Modality"
        )
    _check_is_slice(dataset, modality)
    return _KINDS[modality]


def _check_is_slice(dataset: Dataset, modality: str) -> None:
    words = str(dataset.get("ImageType") or "").upper()
    if modality == "CT" and "LOCALIZER" in words:
        raise DicomError("a CT scout: a projection, no slice", tag="ImageType")


def admitted_matrix(dataset: Dataset) -> tuple[int, int]:
    """Rows and columns.

    Raises
    ------
    DicomError
        If one is absent or out of bounds, or the frame is beyond the size cap.
    """
    rows = integer(dataset, "Rows", 1, MAX_SIDE_PX)
    columns = integer(dataset, "Columns", 1, MAX_SIDE_PX)
    if rows * columns > MAX_FRAME_PIXELS:
        raise DicomError(
            f"{rows} x {columns} pixels, more than {MAX_FRAME_PIXELS} in one frame", tag="Rows"
        )
    return rows, columns


def is_inverted(dataset: Dataset) -> bool:
    """Whether low grey values are bright (``MONOCHROME1``).

    Raises
    ------
    DicomError
        If the image is in colour, or does not say.
    """
    photometric = code(dataset, "PhotometricInterpretation")
    if photometric is None:
        raise DicomError("absent: no image to measure", tag="PhotometricInterpretation")
    samples = 1
    if dataset.get("SamplesPerPixel") is not None:
        samples = integer(dataset, "SamplesPerPixel", 1, 4)
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise DicomError(
            f"colour ({photometric}, {samples} samples a pixel): grey values are needed",
            tag="PhotometricInterpretation",
        )
    return photometric == "MONOCHROME1"
