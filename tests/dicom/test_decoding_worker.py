"""Decoding apart: the same volume, within limits, and nothing left behind."""

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicombytes import mr_file

from necroangle.dicom import SeriesSummary, read_volume, scan_folder
from necroangle.dicom.worker import read_volume_guarded
from necroangle.errors import DicomError

SHARED = Path("/dev/shm")


def left_behind() -> list[str]:
    return [path.name for path in SHARED.glob("*necro-*")]


def stack(folder: Path, side: int = 16, count: int = 3, **values: Any) -> SeriesSummary:
    for number in range(count):
        pixels = np.arange(side * side, dtype="<u2") + 7 * number
        own = {
            "Rows": side, "Columns": side, "SOPInstanceUID": f"1.2.9.{number + 1}",
            "ImagePositionPatient": f"0\\{3 * number}\\0", "PixelData": pixels.tobytes(), **values,
        }  # fmt: skip
        (folder / f"{number}.dcm").write_bytes(mr_file(own))
    (series,) = scan_folder(folder).series
    return series


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"RescaleSlope": "0.5", "RescaleIntercept": "-3"},
        {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": "9", "WindowWidth": "4"},
    ],
    ids=["plain", "floats", "inverted"],
)
def test_the_volume_is_the_same(tmp_path: Path, values: dict[str, Any]) -> None:
    series = stack(tmp_path, **values)
    apart, here = read_volume_guarded(series), read_volume(series)
    assert apart.pixels.dtype == here.pixels.dtype
    np.testing.assert_array_equal(apart.pixels, here.pixels)
    assert (apart.planes, apart.sources) == (here.planes, here.sources)
    assert (apart.step_mm, apart.window) == (here.step_mm, here.window)
    assert left_behind() == []


def test_the_pixels_outlive_their_volume(tmp_path: Path) -> None:
    series = stack(tmp_path, side=256)
    truth = read_volume(series).pixels[1, 3:9].copy()
    rows = read_volume_guarded(series).pixels[1][3:9]
    gc.collect()
    np.testing.assert_array_equal(rows, truth)
    assert type(rows) is np.ndarray


def test_a_refusal_comes_back_as_it_is(tmp_path: Path) -> None:
    series = stack(tmp_path)
    (tmp_path / "1.dcm").unlink()
    with pytest.raises(DicomError, match=r"1\.dcm: cannot be read") as caught:
        read_volume_guarded(series)
    assert caught.value.file == "1.dcm"


@pytest.mark.skipif(sys.platform != "linux", reason="no memory limit on this system")
def test_the_memory_is_limited(tmp_path: Path) -> None:
    series = stack(tmp_path, side=1024, count=12)
    with pytest.raises(DicomError, match="MemoryError"):
        read_volume_guarded(series, memory_mib=8)
    assert read_volume_guarded(series, memory_mib=512).pixels.shape == (12, 1024, 1024)
    assert left_behind() == []


def test_the_time_is_limited(tmp_path: Path) -> None:
    series = stack(tmp_path, side=1024)
    with pytest.raises(DicomError, match=r"0\.dcm: .* took more than 1e-05 s and was ended"):
        read_volume_guarded(series, seconds=1e-5)
    assert left_behind() == []


class EndsTheProcess:
    """Stands for a decoder that takes its process with it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (7,)


def test_a_worker_that_dies_is_a_refusal(tmp_path: Path) -> None:
    series = stack(tmp_path)
    deadly: Any = EndsTheProcess()
    with pytest.raises(DicomError, match=r"0\.dcm: decoding the stack .* ended the worker \(7\)"):
        read_volume_guarded(replace(series, root=deadly))
