"""The test files inside pydicom's wheel: malformed, truncated, odd. Nothing hangs or escapes."""

import shutil
import time
from pathlib import Path

import numpy as np
import pydicom.data
import pytest

from necroangle.dicom import SeriesSummary, read_volume, scan_folder
from necroangle.errors import DicomError

pytestmark = pytest.mark.timeout(120)

FILES = Path(pydicom.data.__file__).parent / "test_files"
DISC = FILES / "dicomdirtests"


def alone(file: str, folder: Path) -> SeriesSummary:
    shutil.copy(FILES / file, folder)
    (series,) = scan_folder(folder).series
    return series


def test_each_file_alone_is_opened_refused_or_skipped(tmp_path: Path) -> None:
    opened = refused = skipped = 0
    for path in sorted(path for path in FILES.iterdir() if path.is_file()):
        folder = tmp_path / path.stem
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder)
        before = time.process_time()
        scan = scan_folder(folder)
        for series in scan.series:
            try:
                assert np.isfinite(read_volume(series).pixels).all()
            except DicomError as error:
                assert error.file == path.name  # noqa: PT017
        assert time.process_time() - before < 10
        opened += len(scan.series)
        refused += len(scan.refused)
        skipped += scan.skipped
    assert (opened > 8, refused > 30, skipped > 3) == (True, True, True)


@pytest.mark.parametrize(
    "file",
    [
        "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm",
        "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_expb.dcm",
        "MR_small_padded.dcm",
    ],
)  # fmt: skip
def test_one_slice_gives_the_same_numbers_in_every_encoding(tmp_path: Path, file: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = read_volume(alone("MR_small.dcm", tmp_path / "a"))
    other = read_volume(alone(file, tmp_path / "b"))
    np.testing.assert_array_equal(other.pixels, plain.pixels)
    assert (other.planes, other.sources) == (plain.planes, plain.sources)


def test_truncated_pixels_are_refused_with_figures(tmp_path: Path) -> None:
    shutil.copy(FILES / "MR_truncated.dcm", tmp_path)
    (refusal,) = scan_folder(tmp_path).refused
    assert (refusal.tag, refusal.reason) == (
        "PixelData", "cut short: found 8130 vs 8192 bytes expected",
    )  # fmt: skip


def test_a_disc_of_mixed_series() -> None:
    scan = scan_folder(DISC / "98892003")
    assert {str(series.plane).partition(",")[0] for series in scan.series} == {
        "axial", "coronal", "sagittal",
    }  # fmt: skip
    whole = scan_folder(DISC)
    assert any("CT scout" in str(refusal) for refusal in whole.refused)
    assert any("uneven" in series.regularity.flags for series in whole.series)


def test_radiographs_of_the_disc_are_uncalibrated() -> None:
    series = [s for s in scan_folder(DISC / "77654033").series if s.modality == "CR"]
    assert sorted(str(s.view) for s in series) == ["AP", "AP", "LATERAL"]
    assert {(s.spacing_source, s.calibrated) for s in series} == {("ImagerPixelSpacing", False)}
    assert [read_volume(s).pixels.shape for s in series] == [(1, 16, 16)] * 3
