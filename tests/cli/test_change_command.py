"""``necroangle change`` and measuring by several methods and settings, through the command."""

import csv
import io
import json
from pathlib import Path

import pytest
from commands import run_command
from hipmaker import make_reading

from necroangle.annotation import HipReading, file_name, save_reading


def save(folder: Path, reading: HipReading) -> str:
    save_reading(reading, folder / file_name(reading))
    return file_name(reading)


def table(cwd: Path) -> list[dict[str, str]]:
    shown = run_command("table", "--csv", folder=cwd)
    assert shown.returncode == 0, shown.stderr
    return list(csv.DictReader(io.StringIO(shown.stdout)))


def test_two_visits_are_compared_in_words(tmp_path: Path) -> None:
    earlier = save(tmp_path, make_reading(110.0, 100.0, visit="m00"))
    later = save(tmp_path, make_reading(90.0, 80.0, visit="m12"))
    shown = run_command("change", earlier, later, folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "change  -40.0°" in shown.stdout
    assert "beyond measuring error on the marked slices, MDC95" in shown.stdout
    assert "same reader, change on the marked slices, by the errors of marking" in shown.stdout
    assert "decreased by more than 20°: yes" in shown.stdout
    assert "medial boundary" in shown.stdout


def test_visits_of_two_hips_are_not_compared(tmp_path: Path) -> None:
    earlier = save(tmp_path, make_reading(subject="S01"))
    later = save(tmp_path, make_reading(subject="S02"))
    shown = run_command("change", earlier, later, folder=tmp_path)
    assert shown.returncode == 2
    assert "different hips" in shown.stderr


def test_several_methods_have_rows_of_their_own(tmp_path: Path) -> None:
    name = save(tmp_path, make_reading(110.0, 100.0))
    methods = ("--method", "ha_mr_midslice", "--method", "centre_plane")
    assert run_command("measure", name, *methods, folder=tmp_path).returncode == 0
    assert [row["method"] for row in table(tmp_path)] == ["centre_plane", "ha_mr_midslice"]
    again = run_command("measure", name, *methods, folder=tmp_path)
    assert "2 unchanged" in again.stdout


def test_a_method_that_needs_other_marks_refuses_the_file_with_the_reason(tmp_path: Path) -> None:
    name = save(tmp_path, make_reading())
    shown = run_command("measure", name, "--method", "max_extent", folder=tmp_path)
    assert shown.returncode == 1
    assert "needs the lesion's outline" in shown.stderr


def test_settings_stand_in_the_row(tmp_path: Path) -> None:
    name = save(tmp_path, make_reading())
    assert (
        run_command(
            "measure", name, "--end-sd-mm", "2", "--centre", "sphere", folder=tmp_path
        ).returncode
        == 0
    )
    (row,) = table(tmp_path)
    assert (row["end_sd_mm"], row["centre"]) == ("2.0", "sphere")
    assert "sphere_centre" in row["flags"]


def test_end_point_noise_is_taken_from_repeat_reads(tmp_path: Path) -> None:
    for number, angle in ((1, 100.0), (2, 104.0)):
        save(tmp_path, make_reading(angle, 80.0 + number, read_no=number))
    shown = run_command("measure", ".", "--end-sd-from-repeats", "--json", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    sds = {row["end_sd_mm"] for row in json.loads(shown.stdout)["rows"]}
    assert len(sds) == 1
    assert sds.pop() == pytest.approx(0.6, abs=0.4)
    alone = run_command(
        "measure", "S01__L__m00__r1__1.reading.json", "--end-sd-from-repeats", folder=tmp_path
    )
    assert alone.returncode == 2
    assert "no arc was marked twice" in alone.stderr
