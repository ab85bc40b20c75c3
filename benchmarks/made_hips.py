"""Studies for timing: any number of hips, each two series of 40 slices of 512 x 512 pixels."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

__all__ = ["RADIUS_MM", "SLICES", "write_hips"]

SLICES, SIDE_PX, SPACING_MM, STEP_MM = 40, 512, 0.4, 3.0
RADIUS_MM = 24.0
ROOT = "1.2.826.0.1.3680043.10.999"
PLANES = (((1, 0, 0, 0, 0, -1), (0.0, 1.0, 0.0)), ((0, 1, 0, 0, 0, -1), (-1.0, 0.0, 0.0)))
"""Orientation and normal of the coronal and of the sagittal series."""


def write_hips(folder: Path, count: int) -> None:
    """Write studies of one right hip each: a bright head, and noise of its own."""
    offset = np.arange(SIDE_PX) - (SIDE_PX - 1) / 2
    away_mm = SPACING_MM * np.hypot(offset[:, None], offset)
    head = (700.0 / (1.0 + np.exp(away_mm - RADIUS_MM))).astype(np.uint16)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 90, (SLICES, *head.shape), np.uint16)
        for series, (orientation, normal) in enumerate(PLANES, 1):
            target = folder / f"hip{number:03}" / f"series{series}"
            target.mkdir(parents=True)
            for index in range(SLICES):
                slice_ = _header(number, series, index, orientation, normal)
                slice_.PixelData = (head + noise[(index + 7 * series) % SLICES]).tobytes()
                slice_.save_as(target / f"{index:02}.dcm", enforce_file_format=True)


def _header(
    number: int, series: int, index: int, orientation: tuple[int, ...], normal: tuple[float, ...]
) -> Dataset:
    slice_, study = Dataset(), f"{ROOT}.{number + 1}"
    slice_.file_meta = FileMetaDataset()
    slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_.SOPClassUID = slice_.file_meta.MediaStorageSOPClassUID = MRImageStorage
    slice_.SOPInstanceUID = f"{study}.{series}.{index + 1}"
    slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID
    slice_.StudyInstanceUID, slice_.SeriesInstanceUID = study, f"{study}.{series}"
    slice_.FrameOfReferenceUID = f"{study}.9"
    slice_.Modality, slice_.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    slice_.PatientID = slice_.ClinicalTrialSubjectID = f"HIP-{number:03}"
    slice_.ClinicalTrialTimePointID, slice_.Laterality = f"visit{number:03}", "R"
    slice_.SeriesNumber, slice_.InstanceNumber = series, index + 1
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    corner = (-90.0, 0.0, 0.0) - SPACING_MM * (SIDE_PX - 1) / 2 * (row + column)
    place = corner + STEP_MM * (index - SLICES // 2) * np.array(normal)
    slice_.ImagePositionPatient = [round(one, 4) for one in place.tolist()]
    slice_.ImageOrientationPatient = [float(one) for one in orientation]
    slice_.PixelSpacing, slice_.SliceThickness = [SPACING_MM, SPACING_MM], STEP_MM
    slice_.Rows = slice_.Columns = SIDE_PX
    slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 12, 11
    slice_.PixelRepresentation, slice_.WindowCenter, slice_.WindowWidth = 0, 400, 800
    return slice_
