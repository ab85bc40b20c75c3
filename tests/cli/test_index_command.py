"""``necroangle index``: a line per stack and refused file, remembered, interruptible."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dicombytes import mr_file

from necroangle.cli import cli
from necroangle.dicom import index as dicom_index
from necroangle.dicom.index import refresh_index
from necroangle.dicom.store import DATABASE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One slice, an empty file with a name that steers terminals, and notes."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "IM1").write_bytes(mr_file())
    (tmp_path / "study" / "esc\x1b[31m.dcm").touch()
    (tmp_path / "study" / "notes").write_text("no DICOM")
    return tmp_path / "study"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["index", *map(str, arguments)])


def test_a_line_for_each(folder: Path) -> None:
    first = run(folder, "--json")
    assert first.exit_code == 0
    records = [json.loads(line) for line in first.stdout.splitlines()]
    assert [record["record"] for record in records] == ["series", "refusal"]
    assert records[0]["frames"][0][1] == 1
    assert records[1]["reason"].startswith("an empty file")
    assert (records[1]["stage"], records[1]["number"]) == ("open", 2)
    assert run(folder, "--json").stdout == first.stdout
    assert not any(word in first.stdout for word in ("1.2.9", "IM1", "esc"))


def test_identifiers_and_the_list_of_a_series(folder: Path) -> None:
    for number in (2, 3):
        (folder / f"IM{number}").write_bytes(mr_file({"SOPInstanceUID": f"1.2.9.{number}"}))
    hidden = [json.loads(line) for line in run(folder, "--json").stdout.splitlines()]
    shown = [
        json.loads(line) for line in run(folder, "--json", "--identifiers").stdout.splitlines()
    ]
    series = next(one for one in shown if one["files"] == 3)
    assert series["members"] == ["IM1", "IM2", "IM3"]
    assert (series["stage"], series["number"]) == ("geometry", 1)
    assert [one["files"] for one in hidden] == [one["files"] for one in shown]
    assert not any("members" in one for one in hidden)
    assert {one["series"] for one in hidden} == {one["series"] for one in shown}


def test_new_names_change_every_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("patient_id,pseudonym\nPAT-9,S-01\n")
    (tmp_path / "key").write_text("a secret of the study")
    by_list, by_key = ("--subjects", tmp_path / "names.csv"), ("--secret", tmp_path / "key")

    def subject(*named: object) -> Any:
        return json.loads(run(folder, "--json", *named).stdout.splitlines()[0])["subject"]

    assert subject() is None
    assert subject(*by_list) == "S-01"
    assert subject(*by_key).startswith("P-")
    (tmp_path / "names.csv").write_text("patient_id,pseudonym\nPAT-9,S-02\n")
    assert subject(*by_list) == "S-02"
    assert "0 files read" in run(folder, *by_list).stdout
    (tmp_path / "names.csv").write_text("patient_id,pseudonym\nPAT-8,S-02\n")
    record = json.loads(run(folder, "--json", *by_list).stdout.splitlines()[0])
    assert (record["record"], record["stage"], record["tag"]) == ("refusal", "names", "PatientID")


def test_for_people(folder: Path) -> None:
    assert "1 stack, 1 file refused, 1 that are no images; 3 files read, 0 known" in run(
        folder
    ).stdout.replace("\n", " ")
    again = run(folder).stdout
    assert "0 files read, 3 known, 0 gone" in again
    assert "refused  1 file: an empty file" in again
    assert "\x1b" not in again


def test_an_unchanged_folder_is_not_scanned_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(folder, "--json").stdout

    def never(*_: object) -> Any:
        raise AssertionError

    monkeypatch.setattr(dicom_index, "scan_index", never)
    assert run(folder, "--json").stdout == before


def test_the_database_may_be_elsewhere(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--db", tmp_path / "index").exit_code == 0
    assert (tmp_path / "index").is_file()
    assert not (folder / DATABASE).exists()
    result = run(folder, tmp_path, "--db", tmp_path / "index")
    assert result.exit_code == 2
    assert "--db goes with one FOLDER" in result.stderr


def test_several_folders(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(folder, tmp_path / "empty")
    assert "1 stack," in result.stdout
    assert "0 stacks, 0 files refused" in result.stdout


def test_interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def stopped(place: Path, store: Any, progress: Callable[[int, int], None]) -> Any:
        def stop(done: int, total: int) -> None:
            progress(done, total)
            raise KeyboardInterrupt

        return refresh_index(place, store, stop)

    monkeypatch.setattr(dicom_index, "refresh_index", stopped)
    result = run(folder)
    assert result.exit_code == 130
    assert "run again to go on" in result.stderr
    monkeypatch.undo()
    assert "2 files read, 1 known" in run(folder).stdout
