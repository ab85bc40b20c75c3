"""Every encoding opens, by the decoder that is pinned for it, and exactly where it is lossless."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom.data
import pydicom.encaps
import pytest
from dicombytes import MR_IMAGE, encapsulated, mr_file
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from necroangle.dicom import SeriesSummary, decoders, passport_of, read_volume, scan_folder
from necroangle.dicom.decoders import DECODERS, decode_frame, decoder_words, is_decodable
from necroangle.errors import DicomError

FILES = Path(pydicom.data.__file__).parent / "test_files"
ROOT = "1.2.840.10008.1.2.4."
SIDE = 16
RAMP = (7 * np.arange(SIDE * SIDE, dtype="<u2")).reshape(SIDE, SIDE)

Encode = Callable[[NDArray[Any]], bytes | bytearray]


def compressed(frame: bytes, syntax: str, **values: Any) -> bytes:
    """A file that holds one compressed frame."""
    own = {**MR_IMAGE, "PixelData": None, **values}
    frame += b"\0" * (len(frame) % 2)
    return mr_file(own, {0x7FE00010: encapsulated(frame)}, syntax)


def opened(folder: Path, data: bytes) -> SeriesSummary:
    (folder / "a.dcm").write_bytes(data)
    (series,) = scan_folder(folder).series
    return series


LOSSLESS: dict[str, tuple[str, Encode]] = {
    "JPEG lossless": ("57", lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=4)),
    "JPEG lossless, first order": (
        "70", lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=1),
    ),
    "JPEG lossless of another encoder": ("70", lambda a: imagecodecs.ljpeg_encode(a)),
    "JPEG-LS": ("80", lambda a: imagecodecs.jpegls_encode(a)),
    "JPEG 2000": (
        "90", lambda a: imagecodecs.jpeg2k_encode(a, reversible=True, codecformat="j2k"),
    ),
    "HTJ2K": ("201", lambda a: imagecodecs.htj2k_encode(a)),
}  # fmt: skip


@pytest.mark.parametrize(("end", "encode"), LOSSLESS.values(), ids=list(LOSSLESS))
def test_lossless_frames_come_out_bit_by_bit(tmp_path: Path, end: str, encode: Encode) -> None:
    series = opened(tmp_path, compressed(bytes(encode(RAMP)), ROOT + end))
    pixels = read_volume(series).pixels
    assert pixels.dtype == np.uint16
    np.testing.assert_array_equal(pixels[0], RAMP)


LOSSY: dict[str, tuple[str, int, Encode]] = {
    "baseline": ("50", 8, lambda a: imagecodecs.jpeg8_encode(a, level=95)),
    "extended": ("51", 12, lambda a: imagecodecs.jpeg8_encode(a, level=95, bitspersample=12)),
    "JPEG-LS near-lossless": ("81", 16, lambda a: imagecodecs.jpegls_encode(a, level=2)),
    "JPEG 2000": ("91", 16, lambda a: imagecodecs.jpeg2k_encode(a, level=110, codecformat="j2k")),
}


@pytest.mark.parametrize(("end", "bits", "encode"), LOSSY.values(), ids=list(LOSSY))
def test_lossy_frames_come_out_nearly(tmp_path: Path, end: str, bits: int, encode: Encode) -> None:
    truth = RAMP // 8 if bits == 8 else RAMP
    allocated = 8 if bits == 8 else 16
    frame = bytes(encode(truth.astype(f"u{allocated // 8}")))
    values = {"BitsAllocated": allocated, "BitsStored": bits, "HighBit": bits - 1}
    pixels = read_volume(opened(tmp_path, compressed(frame, ROOT + end, **values))).pixels
    assert pixels.dtype.itemsize == allocated // 8
    assert np.abs(pixels[0].astype(int) - truth.astype(int)).max() <= 3


@pytest.mark.filterwarnings("ignore:The number of bytes of compressed")
@given(
    stored=st.integers(2, 16),
    signed=st.booleans(),
    predictor=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
)
def test_lossless_jpeg_of_any_depth_and_sign(
    stored: int, signed: bool, predictor: int, seed: int
) -> None:
    """Noise of every bit depth: what was coded comes out, by two encoders alike."""
    allocated = 8 if stored <= 8 else 16
    chance = np.random.default_rng(seed)
    raw = chance.integers(0, 2**stored, (9, 13)).astype(f"u{allocated // 8}")
    truth = raw.astype(np.int32)
    if signed:
        truth -= (truth >> (stored - 1)) << stored
    dataset = dcmread(FILES / "MR_small.dcm")
    dataset.Rows, dataset.Columns = raw.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = int(signed)
    for syntax, frame in (
        (JPEGLossless, imagecodecs.jpeg8_encode(
            raw, lossless=True, predictor=predictor, bitspersample=stored
        )),
        (JPEGLosslessSV1, imagecodecs.ljpeg_encode(raw, bitspersample=stored)),
    ):  # fmt: skip
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = pydicom.encaps.encapsulate([bytes(frame)])
        np.testing.assert_array_equal(decode_frame(dataset, 0), truth)


@pytest.mark.real_dicom
@pytest.mark.parametrize("file", ["MR3_JPLL", "CR-ModalitySequenceLUT.dcm"])
def test_real_lossless_jpeg_equals_what_another_decoder_makes_of_it(
    real_dicom_folder: Path, file: str
) -> None:
    (path,) = real_dicom_folder.rglob(file)
    dataset = dcmread(path)
    (frame,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    np.testing.assert_array_equal(
        decode_frame(dataset, 0).astype(np.uint16), imagecodecs.ljpeg_decode(frame)
    )


@pytest.mark.parametrize("file", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_twelve_bit_jpeg_of_a_scanner(file: str) -> None:
    pixels = decode_frame(dcmread(FILES / file), 0)
    assert pixels.shape == (1024, 256)
    assert pixels.dtype == np.uint16
    assert (pixels[420, 140], pixels[230, 120]) == (244, 95)


def test_nothing_else_that_is_installed_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """pydicom would take the first plugin of a list that any other program may lengthen."""
    dataset = dcmread(FILES / "MR_small_jp2klossless.dcm")
    theirs = get_decoder(dataset.file_meta.TransferSyntaxUID)
    before = decode_frame(dataset, 0)

    def never(*_: Any) -> bytes:
        raise AssertionError

    monkeypatch.setitem(theirs._available, "aaa", never)
    monkeypatch.setitem(theirs._available, "pylibjpeg", never)
    np.testing.assert_array_equal(decode_frame(dataset, 0), before)


def test_every_pinned_decoder_is_at_hand_and_told() -> None:
    assert [syntax for syntax in DECODERS if not is_decodable(syntax)] == []
    told = {decoder_words([syntax]).partition(" ")[0] for syntax in DECODERS}
    assert told == {"imagecodecs", "pylibjpeg-openjpeg", "pydicom"}
    both = decoder_words([ROOT + "70", "1.2.840.10008.1.2.1"])
    assert both == f"imagecodecs {imagecodecs.__version__} + native"


def test_the_passport_says_what_decodes(tmp_path: Path) -> None:
    for file, start in (("MR_small.dcm", "native"), ("MR_small_RLE.dcm", "pydicom 3")):
        folder = tmp_path / file
        folder.mkdir()
        shutil.copy(FILES / file, folder)
        (series,) = scan_folder(folder).series
        found = passport_of(series)
        assert found.decoder.startswith(start)
        assert found.to_dict()["decoder"] == found.decoder


def test_a_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = imagecodecs.ljpeg_encode(RAMP)
    series = opened(tmp_path, compressed(bytes(frame), ROOT + "70"))
    monkeypatch.setattr(decoders, "_version", lambda _: None)
    with pytest.raises(DicomError, match="install imagecodecs, or send it uncompressed"):
        read_volume(series)
    assert passport_of(series).decoder == "none"


@pytest.mark.parametrize("end", ["102", "106"])
def test_encodings_that_nothing_decodes_are_refused(tmp_path: Path, end: str) -> None:
    series = opened(tmp_path, compressed(b"\0" * 40, ROOT + end))
    with pytest.raises(DicomError, match="no decoder for its transfer syntax") as caught:
        read_volume(series)
    assert (caught.value.file, caught.value.stage) == ("a.dcm", "decode")


@pytest.mark.parametrize(("end", "encode"), LOSSLESS.values(), ids=list(LOSSLESS))
def test_a_frame_that_is_cut_short_is_refused_with_its_cause(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], end: str, encode: Encode
) -> None:
    frame = bytes(encode(RAMP))
    series = opened(tmp_path, compressed(frame[: len(frame) * 3 // 4], ROOT + end))
    with pytest.raises(DicomError, match="decoding frame 1") as caught:
        read_volume(series)
    error = caught.value
    assert (error.stage, error.cause, error.file) == ("decode", "RuntimeError", "a.dcm")
    assert isinstance(error.__cause__, RuntimeError)
    assert error.__cause__.__cause__ is None
    assert capfd.readouterr() == ("", "")


def test_codecs_are_not_loaded_by_a_scan(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(compressed(bytes(imagecodecs.ljpeg_encode(RAMP)), ROOT + "70"))
    program = (
        "import sys; from pathlib import Path; from necroangle.dicom import *; "
        f"s = scan_folder(Path({str(tmp_path)!r})).series[0]; print(passport_of(s).decoder); "
        "assert 'imagecodecs' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("imagecodecs ")
