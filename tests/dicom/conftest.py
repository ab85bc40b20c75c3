"""DICOM files built for the tests: slices whose pixels say where they are."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
MR_CLASS = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_CLASS = "1.2.840.10008.5.1.4.1.1.4.1"

WriteSlices = Callable[..., list[Path]]
WriteEnhanced = Callable[..., Path]


def _decimals(values: Sequence[float]) -> list[DSfloat]:
    return [DSfloat(float(value), auto_format=True) for value in values]


def _image(
    pixels: NDArray[Any], attributes: dict[str, Any], syntax: UID = ExplicitVRLittleEndian
) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    defaults: dict[str, Any] = {
        "SOPClassUID": MR_CLASS,
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "FrameOfReferenceUID": "1.2.3.9",
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "PatientID": "PAT-1",
        "PhotometricInterpretation": "MONOCHROME2",
        "SamplesPerPixel": 1,
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": pixels.astype("<u2" if syntax.is_little_endian else ">u2").tobytes(),
    }
    for keyword, value in {**defaults, **attributes}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    return dataset


def _write_slices(
    folder: Path,
    positions: Sequence[Sequence[float]],
    orientation: Sequence[float] = CORONAL,
    spacing: Sequence[float] = (0.5, 0.7),
    shape: tuple[int, int] = (4, 5),
    names: Sequence[str] | None = None,
    each: Sequence[dict[str, Any]] | None = None,
    syntax: UID = ExplicitVRLittleEndian,
    with_meta: bool = True,
    **attributes: Any,
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    stem = attributes.get("SeriesInstanceUID") or "1.2.3.4"
    stem = stem if "/" not in stem else "1.2.3.4"
    grid = 10 * np.arange(shape[0])[:, None] + np.arange(shape[1])
    paths = []
    for index, position in enumerate(positions):
        own: dict[str, Any] = {
            "SOPInstanceUID": f"{stem}.{index + 1}",
            "InstanceNumber": index + 1,
            "ImagePositionPatient": _decimals(position),
            "ImageOrientationPatient": _decimals(orientation),
            "PixelSpacing": _decimals(spacing),
            **attributes,
            **(each[index] if each else {}),
        }
        path = folder / (names[index] if names else f"IM{index:03d}.dcm")
        dataset = _image(1000 * index + grid, own, syntax)
        if with_meta:
            dataset.save_as(path, enforce_file_format=True)
        else:
            del dataset.file_meta
            dataset.save_as(path, implicit_vr=False, little_endian=syntax.is_little_endian)
        paths.append(path)
    return paths


@pytest.fixture(scope="session")
def write_slices() -> WriteSlices:
    """Write one file per position; pixel (row, column) of slice i holds 1000 i + 10 row + column.

    Extra attributes go in by keyword; a value None leaves the attribute out. ``each`` gives
    attributes slice by slice.
    """
    return _write_slices


@pytest.fixture(scope="session")
def write_enhanced() -> WriteEnhanced:
    """Write one multi-frame file with shared orientation and spacing, positions per frame."""

    def write(
        folder: Path,
        positions: Sequence[Sequence[float]],
        slopes: Sequence[float] | None = None,
        **attributes: Any,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        shared, orientation, measures = Dataset(), Dataset(), Dataset()
        orientation.ImageOrientationPatient = _decimals(CORONAL)
        measures.PixelSpacing = _decimals((0.5, 0.7))
        shared.PlaneOrientationSequence = DicomSequence([orientation])
        shared.PixelMeasuresSequence = DicomSequence([measures])
        frames = []
        for index, position in enumerate(positions):
            frame, place = Dataset(), Dataset()
            place.ImagePositionPatient = _decimals(position)
            frame.PlanePositionSequence = DicomSequence([place])
            if slopes:
                rescale = Dataset()
                rescale.RescaleSlope = _decimals([slopes[index]])[0]
                rescale.RescaleIntercept = DSfloat(0)
                frame.PixelValueTransformationSequence = DicomSequence([rescale])
            frames.append(frame)
        grid = 10 * np.arange(4)[:, None] + np.arange(5)
        pixels = np.stack([1000 * index + grid for index in range(len(positions))])
        own: dict[str, Any] = {
            "SOPClassUID": ENHANCED_MR_CLASS,
            "SOPInstanceUID": "1.2.3.4.1",
            "NumberOfFrames": len(positions),
            "SharedFunctionalGroupsSequence": DicomSequence([shared]),
            "PerFrameFunctionalGroupsSequence": DicomSequence(frames),
            **attributes,
        }
        path = folder / "enhanced.dcm"
        _image(pixels, own).save_as(path, enforce_file_format=True)
        return path

    return write
