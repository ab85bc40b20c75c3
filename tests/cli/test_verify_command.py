"""``necroangle verify``: what it prints, what it finds by itself, how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from ledgertools import READINGS, filled_cohort, reach_in
from postgres import new_place

from necroangle.cli.records.verify import command
from necroangle.errors import CohortError

ROWS = len(READINGS)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    filled_cohort(tmp_path / "study" / "cohort.sqlite", tmp_path / "study" / "readings")
    return tmp_path / "study"


def test_all_is_well(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(study)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert (
        lines[0]
        == "15 events, 5 rows, 3 clinical records, 5 kept readings, 5 reading files, 3 anchors"
    )
    assert lines[1] == "5 rows measured again"
    assert lines[3] == "no problem was found"
    head = lines[2].removeprefix("last event's hash ")
    assert run(study, "--head", head, "--workers", "2").exit_code == 0
    assert run(study, "--head", "0" * 64).exit_code == 1
    monkeypatch.chdir(study)
    assert run().stdout == result.stdout


def test_each_problem_is_a_line_with_a_name(study: Path) -> None:
    reach_in(study / "cohort.sqlite", "UPDATE cohort SET cna_deg = 1.5 WHERE subject = '홍길동'")
    file = study / "readings" / "S04__L__m00__r1__1.reading.json"
    file.write_bytes(file.read_bytes().replace(b'"rows": 256', b'"rows": 257'))
    result = run(study)
    assert result.exit_code == 1
    first, second, *_, last = result.stdout.splitlines()
    assert first.startswith(f"file {file.name}: changed in line ")
    assert "row 홍길동 L m00, reader r1, read 1" in second
    assert "column cna_deg: holds 1.5, event" in second
    assert last == "2 problems"


def test_as_json(study: Path) -> None:
    found = json.loads(run(study, "--json").stdout)
    assert (found["clean"], found["problems"], found["rows"]) == (True, [], ROWS)
    reach_in(study / "cohort.sqlite", "DELETE FROM cohort WHERE subject = 'S04'")
    result = run(study, "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["part"] == "row"
    assert problem["place"].startswith("S04 L m00, reader r1")


def test_a_cohort_alone_and_a_folder_alone(study: Path) -> None:
    alone = json.loads(run("--cohort", study / "cohort.sqlite", "--json").stdout)
    assert (alone["files"], alone["recomputed"]) == (0, ROWS)
    both = run("--cohort", study / "cohort.sqlite", "--readings", study / "readings", "--json")
    assert json.loads(both.stdout)["files"] == ROWS


def test_a_cohort_on_a_server(tmp_path: Path) -> None:
    place = str(new_place("postgresql", tmp_path))
    filled_cohort(place, tmp_path / "readings")
    result = run("--cohort", place, "--readings", tmp_path / "readings")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "no problem was found")


def test_what_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert isinstance(result.exception, CohortError)
    assert "there is no cohort table" in str(result.exception)
    assert list(tmp_path.iterdir()) == []
