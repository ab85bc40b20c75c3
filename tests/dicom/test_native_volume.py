"""The fast road into a volume gives the same pixels, bit for bit, or leaves it to pydicom's."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.archive import StackFiles
from necroangle.dicom.pixels import _decoded_volume, native_volume
from necroangle.dicom.plain import Unusual
from necroangle.errors import DicomError

WriteSlices = Callable[..., list[Path]]

PLACES = [(0.0, 3.0 * k, 0.0) for k in range(3)]
FILES = Path(pydicom.data.__file__).parent / "test_files"


def compared(folder: Path) -> Counter[str]:
    """Both roads on every stack of a folder; how many took which."""
    taken: Counter[str] = Counter()
    for series in scan_folder(folder).series:
        try:
            with StackFiles(series.root) as files:
                fast = native_volume(series, files)
        except (Unusual, DicomError):
            taken["slow"] += 1
            continue
        with StackFiles(series.root) as files:
            slow = _decoded_volume(series, files)
        assert (fast.inverted, fast.padding) == (slow.inverted, slow.padding)
        assert fast.pixels.dtype == slow.pixels.dtype
        assert fast.pixels.tobytes() == slow.pixels.tobytes()
        taken["fast"] += 1
    return taken


def test_pydicoms_own_files() -> None:
    assert compared(FILES)["fast"] > 1


@pytest.mark.real_dicom
@pytest.mark.timeout(120)
def test_real_files(real_dicom_folder: Path) -> None:
    folders = [path for path in real_dicom_folder.iterdir() if path.is_dir()]
    taken = sum((compared(path) for path in folders), Counter[str]())
    assert taken["fast"] > 15


BYTES = {"PixelData": bytes(range(20)), "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "implicit": {"syntax": ImplicitVRLittleEndian},
    "signed": {"PixelRepresentation": 1, "PixelData": np.arange(-10, 10, dtype="<i2").tobytes()},
    "unused bits": {"BitsStored": 12, "HighBit": 11, "PixelData": b"\xff\xfa" * 20},
    "unused bits, signed": {
        "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1, "PixelData": b"\xff\xfa" * 20,
    },
    "bytes": BYTES,
    "rescaled": {"RescaleSlope": "1.29", "RescaleIntercept": "-0.3"},
    "inverted": {"PhotometricInterpretation": "MONOCHROME1"},
    "one frame said": {"NumberOfFrames": 1},
}  # fmt: skip


@pytest.mark.parametrize("attributes", CASES.values(), ids=list(CASES))
def test_ordinary_pixels_take_the_fast_road(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    write_slices(tmp_path, PLACES, **attributes)
    assert compared(tmp_path) == {"fast": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {"syntax": ExplicitVRBigEndian},
        {"with_meta": False},
        {"PixelData": b"\0" * 42},
        {"BitsStored": 0},
        {"RescaleSlope": 0, "RescaleIntercept": 0},
        {"RescaleSlope": 1e38, "RescaleIntercept": 0},
        {"each": [{"RescaleSlope": 2, "RescaleIntercept": 0}, {}, {}]},
    ],
    ids=["big endian", "no meta", "long", "bits", "slope", "overflow", "two types"],
)
def test_the_rest_is_left_to_pydicom(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    write_slices(tmp_path, PLACES, **attributes)
    assert compared(tmp_path) == {"slow": 1}


def test_one_compressed_slice_among_plain_ones(tmp_path: Path, write_slices: WriteSlices) -> None:
    path = write_slices(tmp_path, PLACES)[1]
    before = read_volume(scan_folder(tmp_path).series[0]).pixels
    dataset = dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    assert compared(tmp_path) == {"slow": 1}
    np.testing.assert_array_equal(read_volume(scan_folder(tmp_path).series[0]).pixels, before)


def test_types_are_promoted_as_numpy_stacks_them(tmp_path: Path, write_slices: WriteSlices) -> None:
    each = [{}, {"PixelRepresentation": 1}, {"RescaleSlope": 2, "RescaleIntercept": 0}]
    write_slices(tmp_path, PLACES, each=each)
    pixels = read_volume(scan_folder(tmp_path).series[0]).pixels
    kinds = [np.empty(1, kind) for kind in (np.uint16, np.int16, np.float32)]
    assert pixels.dtype == np.stack(kinds).dtype
    assert pixels[:, 1, 2].tolist() == [12, 1012, 4024]


def test_a_file_cut_short_after_the_scan(tmp_path: Path, write_slices: WriteSlices) -> None:
    path = write_slices(tmp_path, PLACES)[1]
    (series,) = scan_folder(tmp_path).series
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DicomError, match=r"IM001\.dcm"):
        read_volume(series)
