"""A reading file is written whole or not at all, and never over what nobody has seen."""

import errno
import os
from pathlib import Path

import pytest
from hipmaker import make_reading
from msgspec.structs import replace

from necroangle.annotation import HipReading, encode_reading, load_reading, save_reading
from necroangle.errors import ReadingError


@pytest.fixture
def old() -> HipReading:
    return make_reading()


@pytest.fixture
def new() -> HipReading:
    return make_reading(110.0, notes="seen again")


@pytest.mark.parametrize("step", ["os.fsync", "Path.replace"])
def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: HipReading, new: HipReading, step: str
) -> None:
    path = tmp_path / "a.reading.json"
    sha256 = save_reading(old, path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"necroangle.storage.{step}", full)
    with pytest.raises((OSError, ReadingError)):
        save_reading(new, path, replaces=sha256)
    monkeypatch.undo()
    assert load_reading(path) == old
    assert [file.name for file in tmp_path.iterdir()] == ["a.reading.json"]


def test_a_new_reading_never_replaces_another(
    tmp_path: Path, old: HipReading, new: HipReading
) -> None:
    path = tmp_path / "a.reading.json"
    save_reading(old, path)
    with pytest.raises(ReadingError, match=r"a\.reading\.json: another version"):
        save_reading(new, path)
    assert load_reading(path) == old


def test_a_version_that_was_seen_is_replaced(
    tmp_path: Path, old: HipReading, new: HipReading
) -> None:
    path = tmp_path / "a.reading.json"
    sha256 = save_reading(old, path)
    save_reading(new, path, replaces=sha256)
    assert load_reading(path) == new
    with pytest.raises(ReadingError, match="another version"):
        save_reading(replace(old, notes="third"), path, replaces=sha256)
    assert load_reading(path) == new


def test_saving_the_same_again_changes_nothing(tmp_path: Path, old: HipReading) -> None:
    path = tmp_path / "a.reading.json"
    assert save_reading(old, path) == save_reading(old, path)
    assert path.read_bytes() == encode_reading(old)


def test_a_contradicting_reading_is_not_saved(tmp_path: Path, old: HipReading) -> None:
    path = tmp_path / "a.reading.json"
    broken = replace(old, views=(old.views[1], old.views[0]))
    with pytest.raises(ReadingError, match="first view must be"):
        save_reading(broken, path)
    with pytest.raises(ReadingError, match="regex"):
        save_reading(replace(old, subject="../x"), path)
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_keeps_the_old_file(
    tmp_path: Path, old: HipReading, new: HipReading
) -> None:
    path = tmp_path / "a.reading.json"
    sha256 = save_reading(old, path)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises((OSError, ReadingError)):
            save_reading(new, path, replaces=sha256)
        assert load_reading(path) == old
    finally:
        tmp_path.chmod(0o755)
