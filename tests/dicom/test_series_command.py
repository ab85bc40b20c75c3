"""``necroangle series`` on built folders."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from necroangle.cli.series import command

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
    result = CliRunner().invoke(command, [str(folder)])
    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if "12345678" in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells == ["coronal", "4", "3.000", "0.5 x 0.7", "4 x 5", "L", "MR", "…12345678", "1", ""]
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
    assert records[0]["frames"][3] == ["a/IM003.dcm", 1]
    assert records[1]["files"] == 2


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
