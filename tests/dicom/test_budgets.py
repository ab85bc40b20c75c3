"""What a folder may cost, and that nothing in it ends the listing of the rest."""

import itertools
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicombytes import jpeg_2000, mr_file
from hostile_folder import look, refusal, write_good
from pydicom import dcmread
from pydicom.uid import RLELossless

from necroangle.dicom import archive, index, read_volume, scan_folder
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.splitting import split_series
from necroangle.errors import DicomError

WriteSlices = Callable[..., list[Path]]
PLACES = [(0.0, 3.0 * k, 0.0) for k in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_good(tmp_path)


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return path


def member(number: int, **values: Any) -> bytes:
    """An image whose header is not of the ordinary form, so that it has to be unpacked whole."""
    own = {"SOPInstanceUID": f"1.2.9.{number}", "ImagePositionPatient": f"0\\{3 * number}\\0"}
    return mr_file({**own, **values})[132:]


def test_an_archive_is_unpacked_up_to_its_budget(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bombs below the ratio: each member keeps its limits, all together would not."""
    monkeypatch.setattr(archive, "LISTING_BYTES", 20_000)
    pixels = {"Rows": 64, "Columns": 64, "PixelData": bytes(8192)}
    packed(folder / "a.zip", {f"{n}": member(n, **pixels) for n in range(8)})
    (found,), refused = look(folder)
    assert len(found) == 1
    (told,) = refused
    assert (told.files, told.stage) == (7, "open")
    assert told.reason == (
        "not looked into: 20000 bytes of its archive were unpacked before; unpack it"
    )


def test_an_archive_is_listed_within_its_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0.0, 250.0)
    monkeypatch.setattr("necroangle.dicom.archive.time.monotonic", lambda: next(clock))
    packed(folder / "a.zip", {f"{n}": mr_file({"SOPInstanceUID": f"1.2.9.{n}"}) for n in range(5)})
    budget = archive.Budget(1000)
    budget.spend(1, "a.zip!0")
    budget.spend(1, "a.zip!1")
    with pytest.raises(DicomError, match=r"a\.zip!2: not looked into: its archive took more than"):
        budget.spend(1, "a.zip!2")


def test_members_that_are_no_images_are_never_unpacked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(folder / "a.zip", {"notes.txt": b"x" * 100_000, "tool.exe": b"MZ" + bytes(100_000)})
    monkeypatch.setattr(archive, "unpacked", lambda *_: pytest.fail("unpacked"))
    assert look(folder) == ([], ())
    assert scan_folder(folder).skipped == 2


def test_a_study_beside_its_own_archive_costs_one_reading_more(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted is how often its directory is read: once to list, once to compare."""
    paths = write_slices(tmp_path / "study", PLACES)
    packed(tmp_path / "study.zip", {path.name: path.read_bytes() for path in paths})
    opened: list[Path] = []
    plain = zipfile.ZipFile

    def counted(path: Path) -> zipfile.ZipFile:
        opened.append(path)
        return plain(path)

    monkeypatch.setattr("necroangle.dicom.archive.zipfile.ZipFile", counted)
    scan = scan_folder(tmp_path)
    assert (len(scan.series[0]), scan.copies, scan.tally().walked) == (4, 4, scan.walked)
    assert len(opened) == 2


def test_a_tree_of_too_many_files_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_FILES", 3)
    for number in range(3):
        (folder / f"{number}").mkdir()
        (folder / f"{number}" / "notes").write_text("no image")
    with pytest.raises(DicomError, match="more than 3 files: open a part of it"):
        scan_folder(folder)


def test_a_tree_deeper_than_the_system_names_is_told(folder: Path) -> None:
    """Nothing recurses, and what lies too deep to be named is a folder that cannot be entered."""
    here = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("deep", dir_fd=here)
            below = os.open("deep", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        handle = os.open("bad.dcm", os.O_WRONLY | os.O_CREAT, dir_fd=here)
        os.write(handle, mr_file())
        os.close(handle)
    finally:
        os.close(here)
    scan = scan_folder(folder)
    assert len(scan.series) == 1
    (told,) = scan.refused
    assert "a folder that cannot be entered (ENAMETOOLONG)" in told.reason
    assert (scan.tally().unreadable, scan.tally().is_lacking) == (1, True)
    remove_deep(folder)


def remove_deep(folder: Path) -> None:
    """Take the nested folders away again, whose path is too long for what cleans up."""
    while (folder / "deep").exists():
        inner = folder / "deep" / "deep"
        if inner.exists():
            inner.rename(folder / "next")
        for left in (folder / "deep").iterdir():
            left.unlink()
        (folder / "deep").rmdir()
        if (folder / "next").exists():
            (folder / "next").rename(folder / "deep")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_special_file_is_told_and_never_opened(
    folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder / "odd.zip")
    make(folder / "odd")
    scan = scan_folder(folder)
    assert len(scan.series) == 1
    assert {one.reason for one in scan.refused} == {
        "no regular file (a pipe, a device, a folder): not opened"
    }


def test_a_fault_on_one_file_loses_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(folder / "a.zip", {"0": mr_file()})

    def faulty(*_: object) -> object:
        raise RecursionError

    monkeypatch.setattr(index, "members", faulty)
    found = refusal(folder)
    assert (found.place, found.stage) == ("a.zip", "header")
    assert "RecursionError" in found.reason


def test_a_fault_on_one_series_loses_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bad.dcm").write_bytes(mr_file())

    def faulty(frames: list[FrameHeader]) -> object:
        if frames[0].source.series_uid == "1.2.9.4":
            raise ZeroDivisionError
        return split_series(frames)

    monkeypatch.setattr("necroangle.dicom.series.split_series", faulty)
    found = refusal(folder)
    assert (found.place, found.stage) == ("bad.dcm", "series")
    assert "ZeroDivisionError" in found.reason


def reached(path: Path, **values: Any) -> None:
    """The same image, elsewhere: what lies on the disk now is not what was listed."""
    dataset = dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


OTHER_PLANES: dict[str, dict[str, Any]] = {
    "position": {"ImagePositionPatient": [0, 3.5, 0]},
    "orientation": {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
    "spacing": {"PixelSpacing": [0.5, 0.5]},
    "absent": {"ImagePositionPatient": None},
}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
@pytest.mark.parametrize("values", OTHER_PLANES.values(), ids=list(OTHER_PLANES))
def test_a_file_replaced_since_it_was_listed_is_not_read(
    tmp_path: Path, write_slices: WriteSlices, values: dict[str, Any], compressed: bool
) -> None:
    paths = write_slices(tmp_path, PLACES)
    if compressed:
        for path in paths:
            dataset = dcmread(path)
            dataset.compress(RLELossless, generate_instance_uid=False)
            dataset.save_as(path)
    (listed,) = scan_folder(tmp_path).series
    assert read_volume(listed).pixels[1, 3, 2] == 1032
    reached(paths[1], **values)
    with pytest.raises(DicomError, match=r"IM001\.dcm"):
        read_volume(listed)


def test_a_frame_of_an_enhanced_file_that_moved_is_not_read(
    tmp_path: Path, write_enhanced: Callable[..., Path]
) -> None:
    write_enhanced(tmp_path, PLACES)
    (listed,) = scan_folder(tmp_path).series
    moved = replace(listed.planes[2], origin_mm=(0.0, 6.5, 0.0))
    planes = (*listed.planes[:2], moved, listed.planes[3])
    assert read_volume(listed).pixels[2, 3, 2] == 2032
    with pytest.raises(DicomError, match="changed since it was listed"):
        read_volume(replace(listed, planes=planes))


@pytest.mark.parametrize("size", [0, 100, 400])
def test_a_file_that_shrinks_while_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Cut between the look at its size and the reading of its bytes."""
    bad = folder / "bad.dcm"
    bad.write_bytes(mr_file())
    read = os.read

    def cut(handle: int, count: int) -> bytes:
        os.truncate(bad, size)
        return read(handle, count)

    monkeypatch.setattr("necroangle.dicom.scanner.os.read", cut)
    found = refusal(folder)
    assert found.place == "bad.dcm"


def test_numbers_beyond_physics_are_refused(folder: Path) -> None:
    for number, values in enumerate(
        (
            {"PixelSpacing": "1e-300\\1e-300"}, {"PixelSpacing": "1e300\\1e300"},
            {"ImagePositionPatient": "0\\1e300\\0"}, {"ImagePositionPatient": "0\\1e6\\0"},
        )
    ):  # fmt: skip
        (folder / f"bad{number}").write_bytes(
            mr_file({"SOPInstanceUID": f"1.2.9.{number}"} | values)
        )
    with np.errstate(all="raise"):
        found, refused = look(folder)
    assert found == []
    assert sorted(one.tag for one in refused for _ in range(one.files)) == [
        "ImagePositionPatient", "ImagePositionPatient", "PixelSpacing", "PixelSpacing",
    ]  # fmt: skip


def test_a_codestream_that_states_another_size_is_never_decoded(folder: Path) -> None:
    (folder / "bad.png").write_bytes(jpeg_2000(9, 9))
    assert look(folder) == ([], ())
