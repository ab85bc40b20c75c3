"""Stacks within ZIP archives: read like unpacked ones, one member at a time, within limits."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicombytes import mr_file
from pydicom import dcmread
from pydicom.uid import RLELossless

from necroangle.dicom import Scan, SeriesSummary, archive, read_volume, scan_folder
from necroangle.dicom.archive import StackFiles
from necroangle.dicom.index import refresh_index, scan_index
from necroangle.dicom.store import DATABASE, IndexStore
from necroangle.dicom.worker import read_volume_guarded
from necroangle.errors import DicomError

WriteSlices = Callable[..., list[Path]]

PLACES = [(0.0, 3.0 * k, 0.0) for k in range(4)]


def indexed(folder: Path) -> Scan:
    with closing(IndexStore(folder / DATABASE)) as store:
        refresh_index(folder, store)
        return scan_index(folder, store)


def packed(folder: Path, files: list[Path], name: str = "all.zip") -> SeriesSummary:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as target:
        for file in files:
            target.write(file, f"in/{file.name}")
    (series,) = indexed(folder).series
    return series


def compress(file: Path) -> None:
    dataset = dcmread(file)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(file)


@pytest.mark.parametrize("name", ["all.zip", "nameless", "a!b.zip"])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_volume_is_that_of_the_unpacked_files(
    tmp_path: Path, write_slices: WriteSlices, name: str, compressed: bool
) -> None:
    files = write_slices(tmp_path / "plain", PLACES)
    if compressed:
        compress(files[2])
    truth = read_volume(scan_folder(tmp_path / "plain").series[0])
    series = packed(tmp_path / "study", files, name)
    for volume in (read_volume(series), read_volume_guarded(series)):
        np.testing.assert_array_equal(volume.pixels, truth.pixels)
        assert (volume.planes, volume.sources) == (truth.planes, truth.sources)
    assert {path.name for path in (tmp_path / "study").iterdir()} == {name, DATABASE}


def test_a_stack_partly_in_an_archive(tmp_path: Path, write_slices: WriteSlices) -> None:
    files = write_slices(tmp_path / "plain", PLACES)
    truth = read_volume(scan_folder(tmp_path / "plain").series[0])
    study = tmp_path / "study"
    packed(study, files[:2])
    for file in files[2:]:
        file.rename(study / f"odd!{file.name}")
    (series,) = indexed(study).series
    np.testing.assert_array_equal(read_volume(series).pixels, truth.pixels)


def test_nothing_is_left_on_disk(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    series = packed(tmp_path / "study", write_slices(tmp_path / "plain", PLACES))
    for system in ("linux", "win32"):
        monkeypatch.setattr("necroangle.dicom.archive.sys.platform", system)
        with StackFiles(series.root) as files, files.path(series.frames[0][0]) as path:
            assert path.read_bytes()[128:132] == b"DICM"
            named = [found for found in (tmp_path / "scratch").rglob("*") if found.is_file()]
            assert [found.name for found in named] == ([] if system == "linux" else ["member.dcm"])
        assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_gone_or_damaged_is_named(tmp_path: Path, write_slices: WriteSlices) -> None:
    files = write_slices(tmp_path / "plain", PLACES)
    series = packed(tmp_path / "study", files)
    whole = (tmp_path / "study" / "all.zip").read_bytes()
    packed_again = tmp_path / "other"
    packed(packed_again, files[:3])
    (packed_again / "all.zip").rename(tmp_path / "study" / "all.zip")
    with pytest.raises(DicomError, match="no longer in its archive") as caught:
        read_volume(series)
    assert (caught.value.file, caught.value.stage) == ("all.zip!in/IM003.dcm", "open")
    (tmp_path / "study" / "all.zip").write_bytes(whole[:200])
    with pytest.raises(DicomError, match=r"all\.zip: an archive that cannot be read"):
        read_volume(series)
    (tmp_path / "study" / "all.zip").unlink()
    with pytest.raises(DicomError, match="cannot be read") as caught:
        read_volume(series)
    assert caught.value.file == "all.zip!in/IM000.dcm"
    os.mkfifo(tmp_path / "study" / "all.zip")
    with pytest.raises(DicomError, match="cannot be read"):
        read_volume(series)


def test_a_spoilt_member_is_refused(tmp_path: Path, write_slices: WriteSlices) -> None:
    series = packed(tmp_path / "study", write_slices(tmp_path / "plain", PLACES))
    with zipfile.ZipFile(tmp_path / "study" / "all.zip") as found:
        place = found.getinfo("in/IM001.dcm").header_offset + 60
    data = bytearray((tmp_path / "study" / "all.zip").read_bytes())
    data[place : place + 40] = bytes(40)
    (tmp_path / "study" / "all.zip").write_bytes(data)
    with pytest.raises(DicomError, match="cannot be unpacked") as caught:
        read_volume(series)
    assert (caught.value.file, caught.value.stage) == ("all.zip!in/IM001.dcm", "open")


def test_the_limits_of_members_hold_when_they_are_read(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = packed(tmp_path / "study", write_slices(tmp_path / "plain", PLACES))
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 100)
    with pytest.raises(DicomError, match=r"bytes in an archive, more than 100: unpack it"):
        read_volume(series)


@pytest.mark.parametrize("name", ["../../../out", "/out", "C:\\out", "a/../../out"])
def test_members_never_choose_their_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "study").mkdir()
    with zipfile.ZipFile(tmp_path / "study" / "all.zip", "w") as target:
        target.writestr(name, mr_file())
    (series,) = indexed(tmp_path / "study").series
    assert read_volume(series).pixels.shape == (1, 16, 16)
    assert {path.name for path in tmp_path.iterdir()} == {"study"}
    outside = replace(series, frames=((f"../study/all.zip!{name}x", 1),))
    with pytest.raises(DicomError, match="no longer in its archive"):
        read_volume(outside)


PEAK = """
import sys
from contextlib import closing
from pathlib import Path
from necroangle.dicom import read_volume
from necroangle.dicom.index import scan_index
from necroangle.dicom.store import IndexStore
folder = Path(sys.argv[1])
with closing(IndexStore(folder / sys.argv[2])) as store:
    (series,) = scan_index(folder, store).series
def memory(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(what)).split()[1])
before = memory("VmRSS")
pixels = read_volume(series).pixels
print((memory("VmHWM") - before) / pixels.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from Linux")
def test_memory_holds_the_volume_and_little_more(tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    side = 1024
    with zipfile.ZipFile(study / "all.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for number in range(24):
            pixels = np.arange(side * side, dtype="<u4").astype("<u2") * 7 + number
            own = {
                "Rows": side, "Columns": side, "SOPInstanceUID": f"1.2.9.{number + 1}",
                "ImagePositionPatient": f"0\\{3 * number}\\0", "PixelData": pixels.tobytes(),
            }  # fmt: skip
            target.writestr(f"{number}.dcm", mr_file(own))
    indexed(study)
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(study), DATABASE],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert float(run.stdout) < 1.25
