"""``necroangle series`` on built folders."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from necroangle.cli.images.series import command

WriteSlices = Callable[..., list[Path]]


@pytest.fixture
def folder(tmp_path: Path, write_slices: WriteSlices) -> Path:
    write_slices(
        tmp_path / "a", [(0, 3.0 * k, 0) for k in range(4)], Laterality="L",
        SeriesInstanceUID="1.2.3.12345678",
    )  # fmt: skip
    write_slices(tmp_path / "b", [(0, 0, 0), (0, 0, 0)], SeriesInstanceUID="1.2.3.5")
    (tmp_path / "esc\x1b[31m[red].dcm").touch()
    return tmp_path


def test_table_and_refusals(folder: Path) -> None:
    result = CliRunner().invoke(command, [str(folder)], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if "12345678" in line)
    cells = re.split(r"\s{2,}", row.strip())
    assert cells[:5] == ["unknown", "coronal", "4", "3.000", "0.5 x 0.7"]
    assert cells[5:] == ["4 x 5", "L", "MR", "…12345678", "1"]
    assert "refused  b/IM000.dcm (and 1 more): ImagePositionPatient: 2 images" in result.stdout
    assert "esc\\x1b[31m[red].dcm: an empty file" in result.stdout
    assert "\x1b" not in result.stdout
    assert "1 to open, 2 refused, 0 files" in result.stdout


def test_json_is_one_object_a_line(folder: Path) -> None:
    result = CliRunner().invoke(command, [str(folder), "--json"])
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["record"] for record in records] == ["series", "refusal", "refusal"]
    assert records[0]["plane"] == "coronal"
    assert records[0]["laterality"] == "L"
    assert len({name for name, _ in records[0]["frames"]}) == 4
    assert (records[1]["files"], records[1]["number"], records[1]["stage"]) == (2, 5, "geometry")
    assert (records[2]["number"], records[2]["stage"]) == (7, "open")
    assert "1.2.3" not in result.stdout
    assert "IM0" not in result.stdout
    assert "esc" not in result.stdout


def test_identifiers_are_told_where_asked_for(folder: Path) -> None:
    result = CliRunner().invoke(command, [str(folder), "--json", "--identifiers"])
    stack, series, file = (json.loads(line) for line in result.stdout.splitlines())
    assert stack["frames"][3] == ["a/IM003.dcm", 1]
    assert (stack["study_uid"], stack["series_uid"]) == ("1.2.3", "1.2.3.12345678")
    assert len(stack["study"]) == len(stack["series"]) == 24
    assert series["members"] == ["b/IM000.dcm", "b/IM001.dcm"]
    assert file["place"] == "esc\x1b[31m[red].dcm"
    alone = CliRunner().invoke(command, [str(folder), "--identifiers"])
    assert (alone.exit_code, "--identifiers goes with --json" in alone.stderr) == (2, True)


def test_codes_are_the_same_under_one_secret(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one").write_text("a secret of the study")
    (tmp_path / "two").write_text("another of a study")

    def said(*options: str) -> str:
        return CliRunner().invoke(command, [str(folder), "--json", *options]).stdout

    assert said() != said()
    first = said("--secret", str(tmp_path / "one"))
    assert first == said("--secret", str(tmp_path / "one"))
    assert first != said("--secret", str(tmp_path / "two"))
    assert json.loads(first.splitlines()[0])["subject"].startswith("P-")


def test_subjects_are_named_by_the_studys_list(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("patient_id,pseudonym\nPAT-1,S-01\n")
    options = ["--json", "--subjects", str(tmp_path / "names.csv")]
    result = CliRunner().invoke(command, [str(folder / "a"), *options])
    assert json.loads(result.stdout)["subject"] == "S-01"
    both = CliRunner().invoke(command, [*options, "--secret", options[2], str(folder)])
    assert (both.exit_code, "subjects have one name each" in both.stderr) == (2, True)


def test_passports_are_shown_and_kept(folder: Path) -> None:
    shown = CliRunner().invoke(command, [str(folder), "--passport"]).stdout
    assert "slices    4, order from positions along the normal, step 3.0000 mm" in shown
    assert "scale     true mm (from PixelSpacing), pixel aspect 0.7143" in shown
    assert "side      coded L, by place none (against the origin" in shown
    result = CliRunner().invoke(command, [str(folder), "--json"])
    record = json.loads(result.stdout.splitlines()[0])
    assert record["split_by"] == ""
    assert record["passport"]["steps"]["step_mm"] == 3.0
    assert record["passport"]["contrast"]["family"] == "unknown"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert CliRunner().invoke(command, [str(tmp_path / "none")]).exit_code == 2
