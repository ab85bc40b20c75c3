"""Under the rules of Windows and macOS every command works, and each fix is needed.

The rules are those of :mod:`othersystems`; no Windows and no macOS is at hand here.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from as_on_windows import FIXES, WHOLE
from hipmaker import make_reading

from necroangle import storage
from necroangle.annotation import file_name, save_reading
from necroangle.errors import ReadingError
from necroangle.storage import rename_over, sync, write_atomically

SUPPORT = Path(__file__).parents[1] / "support"
WINDOWS = pytest.mark.skipif(sys.platform != "linux", reason="the rules are imitated on Linux")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What failed on the whole way, and with each fix turned back."""
    place = tmp_path_factory.mktemp("way")
    done = subprocess.run(
        [sys.executable, str(SUPPORT / "as_on_windows.py"), str(place), WHOLE, *FIXES],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(SUPPORT), *sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = (place / f"{WHOLE}.txt").read_bytes()
    assert b"subject,laterality" in printed
    assert b"\r\r\n" not in printed
    assert (place / WHOLE / "exported" / "cohort.sav").exists()
    assert (place / WHOLE / "a.pdf").exists()
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


@WINDOWS
def test_every_command_works(failed: dict[str, str]) -> None:
    assert failed[WHOLE] == ""


@WINDOWS
@pytest.mark.parametrize("fix", FIXES)
def test_each_fix_is_needed(fix: str, failed: dict[str, str]) -> None:
    commands = [line.removeprefix("refused: ").split()[0] for line in failed[fix].split("; ")]
    assert FIXES[fix][2] in commands, failed[fix]


RULES = """
import os, sys
from pathlib import Path
import othersystems
folder = Path(sys.argv[1])
othersystems.impose(folder)
def refused(call):
    try:
        call()
    except OSError as error:
        return getattr(error, "winerror", error.errno)
held, free, new = folder / "held", folder / "free", folder / "new"
held.write_bytes(b"1"); free.write_bytes(b"2"); (folder / "in").mkdir()
reading = held.open("rb")
assert refused(lambda: os.fsync(reading.fileno())) == 9
assert refused(lambda: free.replace(held)) == 32
assert refused(lambda: held.unlink()) == 32
assert refused(lambda: held.rename(new)) == 32
inner = (folder / "in" / "x").open("w")
assert refused(lambda: (folder / "in").rename(new)) == 32
assert refused(lambda: os.open(folder, os.O_RDONLY)) == 5
assert (folder / "FREE").read_bytes() == b"2"
assert refused(lambda: (folder / ("x" * 250)).write_bytes(b"")) == 3
reading.close(); held.chmod(0o444)
assert refused(lambda: free.replace(held)) == 5
assert refused(lambda: held.unlink()) == 5
assert not hasattr(os, "fork") and not hasattr(os, "pread")
try:
    import resource
except ImportError:
    print("all refused")
"""


@WINDOWS
def test_the_rules_refuse_what_windows_refuses(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RULES, str(tmp_path)]
    paths = os.pathsep.join((str(SUPPORT), *sys.path))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all refused\n"), done.stderr


class Refusing:
    """Refuses to rename, so often, with one of Windows' numbers."""

    def __init__(self, number: int, times: int) -> None:
        self._number, self._times = number, times

    def replace(self, target: Path) -> None:
        if self._times:
            self._times -= 1
            error = PermissionError(13, "refused")
            error.winerror = self._number  # type: ignore[attr-defined,unused-ignore]
            raise error


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is lost by waiting."""
    monkeypatch.setattr(storage, "_WAITS_S", (0.0, 0.0))


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("number", [5, 32, 33])
def test_who_holds_a_file_open_is_waited_for_and_then_named(number: int, tmp_path: Path) -> None:
    soon: object = Refusing(number, 2)
    rename_over(soon, tmp_path / "a.csv")  # type: ignore[arg-type]
    never: object = Refusing(number, 9)
    with pytest.raises(PermissionError) as caught:
        rename_over(never, tmp_path / "a.csv")  # type: ignore[arg-type]
    assert caught.value.strerror == "another program holds it open; close it there, and try again"
    other: object = Refusing(1, 1)
    with pytest.raises(PermissionError, match="refused"):
        rename_over(other, tmp_path / "a.csv")  # type: ignore[arg-type]


def test_macos_is_asked_to_flush_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    asked: list[int] = []
    plain: list[int] = []
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda _, what: asked.append(what))
    monkeypatch.setattr(os, "fsync", plain.append)
    with (tmp_path / "file").open("wb") as file:
        sync(file.fileno())
        assert (asked, plain) == ([51], [])

        def unknown(*_: int) -> None:
            raise OSError(45, "a share that does not know it")

        monkeypatch.setattr(fcntl, "fcntl", unknown)
        sync(file.fileno())
        assert plain == [file.fileno()]


def test_a_path_too_long_for_windows_is_named_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        error = FileNotFoundError(2, "no such file")
        error.winerror = 3  # type: ignore[attr-defined,unused-ignore]
        raise error

    monkeypatch.setattr(Path, "mkdir", refused)
    deep = tmp_path / ("x" * 200) / ("y" * 100)
    with pytest.raises(OSError, match=r"characters, and Windows takes 259: move the study"):
        write_atomically(deep, b"")
    with pytest.raises(OSError, match="no such file"):
        write_atomically(Path("short"), b"")


@pytest.mark.parametrize(
    "names", [("S01", "s01"), ("\uae40", "\u1100\u1175\u11b7")], ids=["case", "form"]
)
def test_two_readings_of_one_name_are_not_written_over_each_other(
    names: tuple[str, str], tmp_path: Path
) -> None:
    first, second = (msgspec.structs.replace(make_reading(), subject=name) for name in names)
    path = tmp_path / file_name(first)
    save_reading(first, path)
    if not (tmp_path / file_name(second)).exists():  # a disk that knows them apart
        (tmp_path / file_name(second)).symlink_to(path)
    with pytest.raises(ReadingError, match="this disk takes the names of"):
        save_reading(second, tmp_path / file_name(second))
    assert path.read_bytes()
