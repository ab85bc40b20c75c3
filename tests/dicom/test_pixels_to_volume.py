"""Pixels of listed stacks: rescale, inversion, encodings, and what cannot be decoded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from necroangle.dicom import SeriesSummary, decoders, guard, pixels, read_volume, scan_folder
from necroangle.errors import DicomError
from necroangle.phantom.header import to_jpeg_ls

WriteSlices = Callable[..., list[Path]]
WriteEnhanced = Callable[..., Path]

PLACES = [(0.0, 3.0 * k, 0.0) for k in range(3)]
GRID = 10 * np.arange(4)[:, None] + np.arange(5)
VALUES = np.stack([1000 * k + GRID for k in range(3)])


def only(folder: Path) -> SeriesSummary:
    (series,) = scan_folder(folder).series
    return series


def test_identity_rescale_keeps_the_files_type(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, PLACES, RescaleSlope=1, RescaleIntercept=0)
    volume = read_volume(only(tmp_path))
    assert volume.pixels.dtype == np.uint16
    np.testing.assert_array_equal(volume.pixels, VALUES)


def test_each_slice_has_its_own_rescale(tmp_path: Path, write_slices: WriteSlices) -> None:
    slopes = [{"RescaleSlope": slope, "RescaleIntercept": -5} for slope in (1, 2, 0.5)]
    write_slices(tmp_path, PLACES, each=slopes)
    volume = read_volume(only(tmp_path))
    assert volume.pixels.dtype == np.float32
    truth = VALUES * np.array([1, 2, 0.5])[:, None, None] - 5
    np.testing.assert_allclose(volume.pixels, truth)


def test_frames_of_an_enhanced_file(tmp_path: Path, write_enhanced: WriteEnhanced) -> None:
    write_enhanced(tmp_path, PLACES[::-1], slopes=(1, 2, 3))
    volume = read_volume(only(tmp_path))
    truth = (VALUES * np.array([1, 2, 3])[:, None, None])[::-1]
    np.testing.assert_allclose(volume.pixels, truth)


def test_monochrome1_is_turned_round_with_its_window(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(
        tmp_path,
        PLACES,
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=[100, 7],
        WindowWidth=[51, 7],
    )
    series = only(tmp_path)
    volume = read_volume(series)
    np.testing.assert_array_equal(volume.pixels, VALUES.max() - VALUES)
    assert series.window == (74.5, 124.5)
    assert volume.window == (VALUES.max() - 124.5, VALUES.max() - 74.5)


def test_a_nonsense_window_is_no_window(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, PLACES, WindowCenter=100, WindowWidth=0)
    assert only(tmp_path).window is None


@pytest.mark.parametrize(
    "syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless], ids=["rle", "j2k", "jpeg-ls"]
)
def test_lossless_encodings_give_the_same_numbers(
    tmp_path: Path, write_slices: WriteSlices, syntax: UID
) -> None:
    for path in write_slices(tmp_path, PLACES, shape=(64, 64)):
        dataset = dcmread(path)
        if syntax == JPEGLSLossless:
            to_jpeg_ls(dataset)
        else:
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
    volume = read_volume(only(tmp_path))
    grid = 10 * np.arange(64)[:, None] + np.arange(64)
    np.testing.assert_array_equal(volume.pixels, np.stack([1000 * k + grid for k in range(3)]))


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=["implicit", "big endian", "deflated"],
)
def test_native_encodings_give_the_same_numbers(
    tmp_path: Path, write_slices: WriteSlices, syntax: UID
) -> None:
    write_slices(tmp_path, PLACES, syntax=syntax)
    np.testing.assert_array_equal(read_volume(only(tmp_path)).pixels, VALUES)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_without_file_meta(
    tmp_path: Path, write_slices: WriteSlices, syntax: UID
) -> None:
    paths = write_slices(tmp_path, PLACES, syntax=syntax, with_meta=False)
    assert paths[0].read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(read_volume(only(tmp_path)).pixels, VALUES)


def spoil(path: Path, **attributes: Any) -> None:
    dataset = dcmread(path)
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "short": ({"PixelData": b"\0" * 10}, "decoding frame 1 (Explicit VR Little Endian) failed"),
    "no pixels": ({"PixelData": None}, "decoding frame 1"),
    "bits": ({"BitsStored": 0}, "decoding frame 1"),
    "slope": ({"RescaleSlope": 0, "RescaleIntercept": 0}, "RescaleSlope: must not be 0"),
    "overflow": ({"RescaleSlope": 1e38, "RescaleIntercept": 0}, "no finite numbers"),
    "swapped": ({"SOPInstanceUID": "1.9"}, "changed since it was listed"),
    "matrix": ({"Rows": 5, "Columns": 4}, "decodes to (5, 4), the header says (4, 5)"),
}


@pytest.mark.parametrize(("attributes", "reason"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_a_file_spoilt_after_the_scan_is_named(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any], reason: str
) -> None:
    paths = write_slices(tmp_path, PLACES)
    series = only(tmp_path)
    spoil(paths[1], **attributes)
    with pytest.raises(DicomError) as caught:
        read_volume(series)
    assert caught.value.file == "IM001.dcm"
    assert reason in str(caught.value)


def test_a_broken_transfer_syntax_is_refused_in_silence(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    (path,) = write_slices(tmp_path, PLACES[:1])
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1", b"1.2.840\x0c10008.1.2.1"))
    (refusal,) = scan_folder(tmp_path).refused
    assert (refusal.place, refusal.tag) == ("IM000.dcm", "TransferSyntaxUID")
    assert "840" not in refusal.reason


def test_a_file_gone_after_the_scan_is_named(tmp_path: Path, write_slices: WriteSlices) -> None:
    paths = write_slices(tmp_path, PLACES)
    series = only(tmp_path)
    paths[2].unlink()
    with pytest.raises(DicomError, match=r"IM002\.dcm: cannot be read"):
        read_volume(series)


def test_a_missing_decoder_is_said_plainly(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_slices(tmp_path, PLACES[:1])
    dataset = dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    series = only(tmp_path)
    monkeypatch.setattr(decoders, "_version", lambda _: None)
    with pytest.raises(DicomError, match="no decoder for its transfer syntax") as caught:
        read_volume(series)
    assert (caught.value.tag, caught.value.stage) == ("TransferSyntaxUID", "decode")
    assert "install pydicom" in caught.value.problem


def test_the_volume_cap_holds_before_decoding(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slices(tmp_path, PLACES)
    series = only(tmp_path)
    monkeypatch.setattr(pixels, "MAX_VOLUME_PIXELS", 59)
    with pytest.raises(DicomError, match="60 pixels in one stack, more than 59"):
        read_volume(series)


def test_the_inflation_cap_holds(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_slices(tmp_path, PLACES[:1])
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    assert len(scan_folder(tmp_path).series) == 1
    monkeypatch.setattr(guard, "MAX_INFLATED_BYTES", 300)
    (refusal,) = scan_folder(tmp_path).refused
    assert "inflates to more than 300 bytes" in refusal.reason


def test_the_file_cap_holds(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slices(tmp_path, PLACES[:1])
    monkeypatch.setattr(guard, "MAX_FILE_BYTES", 100)
    assert "more than 100" in scan_folder(tmp_path).refused[0].reason
