"""What is taken with a flag, told by its true value, or known for what it is and not refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicombytes import MR_IMAGE, mr_file
from hostile_folder import look, refusal, write_good
from pydicom import dcmread
from pydicom.uid import RLELossless

from necroangle.dicom import passport_of, read_volume, scan_folder
from necroangle.dicom.attributes import made_uid
from necroangle.dicom.passport import passport_lines

WriteSlices = Callable[..., list[Path]]
PLACES = [(0.0, 3.0 * k, 0.0) for k in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_good(tmp_path)


@pytest.mark.parametrize(
    "keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]
)
@pytest.mark.parametrize("length", [65, 68, 128])
def test_an_identifier_a_little_too_long_is_taken_with_a_flag(
    folder: Path, keyword: str, length: int
) -> None:
    long = "1.2." + "3" * (length - 4)
    (folder / "bad.dcm").write_bytes(mr_file({keyword: long}))
    (series,), refused = look(folder)
    assert refused == ()
    assert series.facts.uids_mended
    found = made_uid(long.encode(), keyword.encode())
    source = series.sources[0]
    assert found in (
        source.instance_uid, source.study_uid, source.series_uid, source.frame_of_reference_uid,
    )  # fmt: skip
    assert len(found) <= 64
    assert read_volume(series).pixels.shape == (1, 16, 16)
    assert any("identifiers mended" in line for line in passport_lines(passport_of(series)))


@pytest.mark.parametrize("uid", ["1.2." + "3" * 125, "1.2 3", "1..2", "../x"])
def test_what_is_no_identifier_is_refused(folder: Path, uid: str) -> None:
    (folder / "bad.dcm").write_bytes(mr_file({"SOPInstanceUID": uid}))
    assert str(refusal(folder)) == "bad.dcm: SOPInstanceUID: no valid UID"


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_an_identifier_is_taken_from_the_file_meta(folder: Path, value: str | None) -> None:
    (folder / "bad.dcm").write_bytes(mr_file({"SOPInstanceUID": value}))
    (series,), refused = look(folder)
    assert refused == ()
    assert series.sources[0].instance_uid == "1.2.9.1"
    assert series.facts.uids_mended
    assert read_volume(series).pixels.shape == (1, 16, 16)


def test_a_stack_of_long_identifiers_keeps_its_slices_apart(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    stem = "1.2." + "4" * 70
    with pytest.warns(UserWarning, match="UI"):
        write_slices(tmp_path, PLACES, each=[{"SOPInstanceUID": f"{stem}.{k}"} for k in range(4)])
    (series,) = scan_folder(tmp_path).series
    assert len({source.instance_uid for source in series.sources}) == 4
    assert read_volume(series).pixels[3, 3, 2] == 3032


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"Modality": "mr"}, "Modality: no code, found 'mr': capitals are needed"),
        ({"Modality": "Kim^Min"}, "Modality: no code, not shown"),
        ({"Modality": None}, "Modality: absent: what kind of image it is is not stated"),
        (
            {"PhotometricInterpretation": "Monochrome2"},
            "PhotometricInterpretation: no code, found 'Monochrome2': capitals are needed",
        ),
        ({"PixelSpacing": "0,5\\0,5"}, "PixelSpacing: must be 2 finite numbers, found"),
        ({"PixelSpacing": "1e999\\1"}, "PixelSpacing: must be 2 finite numbers, found"),
    ],
)
def test_a_refusal_tells_the_value_that_was_found(
    folder: Path, values: dict[str, Any], told: str
) -> None:
    (folder / "bad.dcm").write_bytes(mr_file(values))
    assert str(refusal(folder)).removeprefix("bad.dcm: ").startswith(told)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"Modality": "SR"}, "a structured report"), ({"Modality": "PR"}, "a presentation state"),
        ({"Modality": "KO"}, "a selection of key objects"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66"}, "raw data"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.2"}, "a spectrum"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.38.1"}, "a hanging protocol"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.9.1.3", "Modality": "HD"}, "a waveform"),
        ({"Modality": "SEG"}, "a segmentation"), ({"Modality": "M3D"}, "a model"),
    ],
)  # fmt: skip
def test_what_is_no_image_is_recognised_and_not_refused(
    folder: Path, values: dict[str, Any], what: str
) -> None:
    own = {**dict.fromkeys(("Rows", "Columns", "PixelData")), **values}
    (folder / "a.dcm").write_bytes(mr_file({**MR_IMAGE, **own}))
    (folder / "b.dcm").write_bytes(mr_file({**MR_IMAGE, **own, "SOPInstanceUID": "1.2.9.2"}))
    scan = scan_folder(folder)
    assert (scan.refused, scan.aside, len(scan.series)) == ((), (), 1)
    (told,) = scan.recognised
    assert (told.reason, told.files) == (f"{what}: no image", 2)
    tally = scan.tally()
    assert (tally.opened, tally.skipped, tally.refused, tally.walked) == (1, 2, 0, scan.walked)


PADDED = {"PixelPaddingValue": 0, "RescaleSlope": 1, "RescaleIntercept": -1024}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize(
    ("values", "pads", "window"),
    [
        ({}, 0, None),
        ({"PixelPaddingValue": 0}, 0, (1000, 1034)),
        ({"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 20}, 20, (1000, 1034)),
        ({**PADDED, "Modality": "CT"}, 0, (-24, 10)),
        ({"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -2000}, 0, (-1000, -966)),
        ({"PixelPaddingValue": 7}, 0, None),
    ],
    ids=["none", "one value", "a range", "CT", "CT that does not say", "elsewhere"],
)
def test_padding_is_left_out_of_the_first_window(
    tmp_path: Path,
    write_slices: WriteSlices,
    values: dict[str, Any],
    pads: int,
    window: tuple[float, float] | None,
    compressed: bool,
) -> None:
    pixels = np.full((4, 5), pads, "<u2")
    pixels[1:3, 1:4] = 1000 + 10 * np.arange(2)[:, None] + np.array([0, 12, 24])
    paths = write_slices(tmp_path, PLACES, PixelData=pixels.tobytes(), **values)
    for path in paths if compressed else ():
        dataset = dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    volume = read_volume(scan_folder(tmp_path).series[0])
    if window is None:
        assert volume.window is None
        return
    assert volume.window == pytest.approx(window, abs=2)
    assert volume.shown_window() == volume.window


def test_a_window_that_the_files_name_is_kept(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, PLACES, PixelPaddingValue=0, WindowCenter=100.5, WindowWidth=201)
    assert read_volume(scan_folder(tmp_path).series[0]).window == (0.0, 200.0)
