"""A study as it comes from a scanner: T1, STIR, ADC and a long subtraction of every view."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.multival import MultiValue

__all__ = ["FULL_PROTOCOL", "write_full_protocol"]

SAMPLE = Path(__file__).parents[2] / "sample_dicoms" / "plain"
COARSE = 8
"""Every eighth pixel is kept, with its place in the patient."""

FULL_PROTOCOL: dict[str, tuple[int, dict[str, Any]]] = {
    "T1": (11, {}),
    "STIR": (
        11,
        {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 4500, "EchoTime": 40,
         "InversionTime": 160},
    ),
    "ADC": (
        30,
        {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], "ScanningSequence": "EP",
         "RepetitionTime": 4000, "EchoTime": 70},
    ),
    "subtraction": (
        80, {"ImageType": ["DERIVED", "SECONDARY", "SUBTRACTION"], "RepetitionTime": 600},
    ),
}  # fmt: skip
"""Slices and attributes of each series of a view."""


def write_full_protocol(folder: Path) -> Path:
    """Write the four series of the coronal and of the right sagittal view; gives the folder."""
    for place, view in enumerate(("coronal", "sagittal_r")):
        first, second = (dcmread(SAMPLE / view / f"IM000{number}.dcm") for number in (1, 2))
        start = np.array(first.ImagePositionPatient, float)
        through = 11 * (np.array(second.ImagePositionPatient, float) - start)
        first.decompress()
        pixels = first.pixel_array[::COARSE, ::COARSE].copy()
        first.Rows, first.Columns = pixels.shape
        first.PixelSpacing = [COARSE * float(size) for size in first.PixelSpacing]
        first.PixelData = pixels.tobytes()
        # the longest first: neither number nor name of a series tells what is read
        for number, (name, (slices, attributes)) in enumerate(reversed(FULL_PROTOCOL.items())):
            first.SeriesNumber = 10 * place + number + 1
            first.SeriesInstanceUID = f"1.2.840.99.{place + 1}.{number + 1}"
            into = folder / view / name
            into.mkdir(parents=True)
            before = {keyword: first.get(keyword) for keyword in attributes}
            for keyword, value in attributes.items():
                setattr(first, keyword, value)
            for at in range(slices):
                first.SOPInstanceUID = f"{first.SeriesInstanceUID}.{at + 1}"
                first.file_meta.MediaStorageSOPInstanceUID = first.SOPInstanceUID
                first.InstanceNumber = at + 1
                here = start + through * at / slices
                first.ImagePositionPatient = [round(float(one), 6) for one in here]
                first.save_as(into / f"{at:03d}.dcm", enforce_file_format=True)
            _restore(first, before)
    return folder


def _restore(dataset: Any, values: dict[str, Any]) -> None:
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, list(value) if isinstance(value, MultiValue) else value)
