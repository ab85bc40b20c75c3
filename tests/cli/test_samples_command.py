"""``necroangle samples`` puts the sample set in a folder, and never writes over a file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from necroangle import samples
from necroangle.cli import cli
from necroangle.errors import PhantomError
from necroangle.samples import copy_samples, sample_set


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_whole_set_is_written_and_the_next_commands_are_named(tmp_path: Path) -> None:
    shown = CliRunner().invoke(cli, ["samples", str(tmp_path / "mine")])
    assert shown.exit_code == 0, shown.output
    assert content(tmp_path / "mine") == content(sample_set())
    assert f"necroangle read {tmp_path / 'mine' / 'plain'}" in shown.output
    again = CliRunner().invoke(cli, ["samples", str(tmp_path / "mine")])
    assert again.exit_code == 0
    assert "all are there" in again.output


def test_a_copy_that_was_cut_off_is_made_whole_beside_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    copy_samples(tmp_path)
    gone = ["plain/truth.json", "clinical.csv"]
    for name in gone:
        (tmp_path / name).unlink()
    assert copy_samples(tmp_path) == 2
    assert content(tmp_path) == {**content(sample_set()), "notes.txt": b"mine"}


def test_another_file_of_the_same_name_is_left_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", "utf-8")
    with pytest.raises(PhantomError, match=r"README\.md: another file has this name"):
        copy_samples(tmp_path)
    assert content(tmp_path) == {"README.md": b"mine"}


def test_a_copy_without_them_says_how_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "files", lambda _: tmp_path / "necroangle")
    with pytest.raises(PhantomError, match=r"necroangle phantom FOLDER --samples"):
        sample_set()
