"""Decoding apart: the same volume, within limits, and nothing left behind."""

import gc
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dicombytes import element, mr_file

from necroangle.dicom import SeriesSummary, read_volume, scan_folder
from necroangle.dicom import worker as worker_loop
from necroangle.dicom.worker import GuardedReader, read_volume_guarded
from necroangle.errors import DicomError
from necroangle.memory import system_limits

SHARED = Path("/dev/shm")


def left_behind() -> list[str]:
    """Shared memory of this process; other test processes have their own."""
    return [path.name for path in SHARED.glob(f"*necro-{os.getpid()}-*")]


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


@pytest.mark.skipif(not system_limits(), reason="this system limits no process")
def test_the_memory_is_limited(tmp_path: Path) -> None:
    series = heavy(tmp_path)
    with pytest.raises(DicomError, match=r"0\.dcm: decoding needs more than 16 MiB") as caught:
        read_volume_guarded(series, memory_mib=16)
    assert (caught.value.stage, caught.value.cause) == ("decode", "MemoryError")
    assert read_volume_guarded(series, memory_mib=512).pixels.shape == (3, 16, 16)
    assert left_behind() == []


class Hangs:
    """Stands for a decoder that never comes back."""

    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (6000,)


class HoldsMuch:
    """Stands for a decoder that takes 200 MiB and goes on."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import time; held = b'x' * (200 << 20); time.sleep(60)",)


def test_the_memory_is_looked_at_where_the_system_does_not_limit_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_loop, "system_limits", lambda: False)
    series = stack(tmp_path)
    much: Any = HoldsMuch()
    with GuardedReader(memory_mib=100, seconds_a_file=60) as reader:
        with pytest.raises(DicomError, match=r"0\.dcm: decoding needs more than 100 MiB") as caught:
            reader.read(replace(series, root=much))
        assert (caught.value.stage, caught.value.cause) == ("decode", "MemoryError")
        np.testing.assert_array_equal(reader.read(series).pixels, read_volume(series).pixels)
    endless: Any = Hangs()
    with pytest.raises(DicomError, match=r"took more than 0\.6 s"):
        read_volume_guarded(replace(series, root=endless), seconds_a_file=0.2)
    assert left_behind() == []


@pytest.mark.skipif(not system_limits(), reason="this system limits no process")
def test_the_pixels_themselves_are_not_counted(tmp_path: Path) -> None:
    series = stack(tmp_path, side=1024, count=12, RescaleSlope="2", RescaleIntercept="0")
    volume = read_volume_guarded(series, memory_mib=12)
    assert volume.pixels.nbytes == 48 * 1024**2


def test_the_time_is_limited_by_the_number_of_files(tmp_path: Path) -> None:
    endless: Any = Hangs()
    series = replace(stack(tmp_path), root=endless)
    with pytest.raises(
        DicomError, match=r"0\.dcm: .* took more than 0\.6 s and was ended"
    ) as found:
        read_volume_guarded(series, seconds_a_file=0.2)
    assert (found.value.stage, found.value.cause) == ("decode", "TimeoutError")
    assert left_behind() == []


def heavy(folder: Path) -> SeriesSummary:
    """A stack whose files hold 64 MiB that are no pixels, before the pixels."""
    private = {0x00090010: element(0x00090010, "LO", b"X ")}
    private[0x00091010] = element(0x00091010, "OB", bytes(64 * 1024**2))
    for number in range(3):
        own = {"SOPInstanceUID": f"1.2.9.{number}", "ImagePositionPatient": f"0\\{3 * number}\\0"}
        (folder / f"{number}.dcm").write_bytes(mr_file(own, private))
    (series,) = scan_folder(folder).series
    return series


class EndsTheProcess:
    """Stands for a decoder that takes its process with it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (7,)


def test_a_worker_that_dies_is_a_refusal(tmp_path: Path) -> None:
    series = stack(tmp_path)
    deadly: Any = EndsTheProcess()
    with pytest.raises(DicomError, match=r"0\.dcm: decoding the stack .* ended the worker \(7\)"):
        read_volume_guarded(replace(series, root=deadly))


def test_one_worker_reads_many_stacks(tmp_path: Path) -> None:
    stacks = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        stacks.append(stack(tmp_path / str(number), side=16 + number))
    with GuardedReader() as reader:
        volumes = [reader.read(series) for series in stacks]
        first = reader._worker
        assert first is not None
        pid = first.pid
        volumes += [reader.read(series) for series in stacks]
        assert (reader._worker, first.pid) == (first, pid)
    for series, volume in zip(stacks * 2, volumes, strict=True):
        np.testing.assert_array_equal(volume.pixels, read_volume(series).pixels)
    assert left_behind() == []


def test_a_refusal_leaves_the_worker_and_a_death_brings_a_new_one(tmp_path: Path) -> None:
    series = stack(tmp_path)
    deadly: Any = EndsTheProcess()
    with GuardedReader() as reader:
        for root, reason in (
            (tmp_path / "gone", r"0\.dcm: cannot be read"),
            (deadly, r"ended the worker \(7\)"),
            (tmp_path / "gone", r"0\.dcm: cannot be read"),
        ):
            with pytest.raises(DicomError, match=reason):
                reader.read(replace(series, root=root))
            np.testing.assert_array_equal(reader.read(series).pixels, read_volume(series).pixels)
        worker = reader._worker
        assert worker is not None
        worker.kill()
        worker.join()
        assert reader.read(series).pixels.shape == (3, 16, 16)
    assert left_behind() == []


def test_a_reader_can_be_used_again_after_its_end(tmp_path: Path) -> None:
    series = stack(tmp_path)
    reader = GuardedReader()
    for _ in range(2):
        assert reader.read(series).pixels.shape == (3, 16, 16)
        reader.close()
    reader.close()


class Pipe:
    """The worker's end of a pipe, in this process."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, what: Any) -> None:
        self.sent.append(what)

    send_bytes = send

    def recv(self) -> None:
        return None


def test_pixels_are_sent_where_shared_memory_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = stack(tmp_path)
    monkeypatch.setattr(worker_loop, "_SHARED", tmp_path)
    small = SimpleNamespace(free=100)
    monkeypatch.setattr("necroangle.dicom.worker.shutil.disk_usage", lambda _: small)
    pipe: Any = Pipe()
    worker_loop._answer(pipe, worker_loop._Shelf(f"necro-{os.getpid()}-test"), series, 512)
    handed, *slices = pipe.sent
    assert (handed.shape, handed.shared) == ((3, 16, 16), False)
    sent = b"".join(bytes(one) for one in slices)
    assert sent == read_volume(series).pixels.tobytes()
    assert left_behind() == []


def test_a_worker_that_hangs_is_ended_and_the_next_stack_read(tmp_path: Path) -> None:
    series = stack(tmp_path)
    endless: Any = Hangs()
    with GuardedReader(seconds_a_file=0.2) as reader:
        with pytest.raises(DicomError, match=r"took more than 0\.6 s and was ended"):
            reader.read(replace(series, root=endless))
        reader._seconds_a_file = 100.0  # however busy the machine is
        assert reader.read(series).pixels.shape == (3, 16, 16)


QUIET = """
import sys
from pathlib import Path
from necroangle.dicom import scan_folder
from necroangle.dicom.worker import GuardedReader
if __name__ == "__main__":
    (series,) = scan_folder(Path(sys.argv[1])).series
    with GuardedReader() as reader:
        kept = [reader.read(series) for _ in range(int(sys.argv[2]))]
    print(len(kept))
"""


def test_nothing_is_said_at_the_end_of_a_program(tmp_path: Path) -> None:
    stack(tmp_path)
    program = tmp_path / "program.py"
    program.write_text(QUIET, "utf-8")
    command = [sys.executable, "-W", "error", str(program), str(tmp_path), "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "20\n", "")


def test_a_stack_is_read_from_its_own_folder_wherever_the_program_went_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker stays in the folder where it began, and one there may have the same name."""
    first, second = tmp_path / "first", tmp_path / "second"
    with GuardedReader() as reader:
        means = []
        for place, more in ((first, "0"), (second, "100")):
            (place / "images").mkdir(parents=True)
            monkeypatch.chdir(place)
            series = stack(Path("images"), RescaleIntercept=more)
            means.append(reader.read(series).pixels.mean())
        monkeypatch.chdir(tmp_path)
        assert reader.read(series).pixels.mean() == read_volume(series).pixels.mean() == means[1]
    assert means[1] == means[0] + 100
