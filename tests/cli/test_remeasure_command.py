"""``necroangle remeasure``: rows, refusals, exit codes, and runs that are cut off."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading

from necroangle.annotation import encode_reading
from necroangle.batch import measure_files
from necroangle.cli.readings.remeasure import command
from necroangle.cohort import CohortStore


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return made_study(tmp_path / "study", 12)


def made_study(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        raw = encode_reading(make_reading(90.0 + number / 10, subject=f"S{number:04d}"))
        (folder / f"{number:04d}.reading.json").write_bytes(raw)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_rows_stand_in_the_table_and_a_second_run_writes_nothing(
    study: Path, tmp_path: Path
) -> None:
    cohort = tmp_path / "c.sqlite"
    found = run(study, "--cohort", cohort)
    assert (found.exit_code, found.stdout) == (0, "12 measured: 12 new, 0 changed, 0 unchanged\n")
    assert CohortStore.open(cohort).rows() == measure_files([study]).rows
    before = cohort.read_bytes()
    assert run(study, "--cohort", cohort).output.startswith("12 measured: 0 new, 0 changed, 12")
    assert cohort.read_bytes() == before


def test_a_dry_run_counts_and_writes_nothing(study: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "c.sqlite"
    assert "12 new" in run(study, "--cohort", cohort, "--dry-run").output
    assert not cohort.exists()
    run(study / "0000.reading.json", study / "0001.reading.json", "--cohort", cohort)
    (study / "0001.reading.json").write_bytes(encode_reading(make_reading(140.0, subject="S0001")))
    before = cohort.read_bytes()
    found = run(study, "--cohort", cohort, "--dry-run")
    assert found.stdout.endswith("12 measured: 10 new, 1 changed, 1 unchanged\n")
    assert "why: marks edited" in found.output
    assert cohort.read_bytes() == before


def test_several_methods_have_rows_of_their_own(study: Path, tmp_path: Path) -> None:
    cohort = tmp_path / "c.sqlite"
    words = ("--method", "ha_mr_midslice", "--method", "largest_slice")
    assert run(study, "--cohort", cohort, *words).output.startswith("24 measured: 24 new")
    methods = {row["method"] for row in CohortStore.open(cohort).rows()}
    assert methods == {"ha_mr_midslice", "largest_slice"}


def test_refusals_are_told_and_tabled(study: Path, tmp_path: Path) -> None:
    (study / "=bad.reading.json").write_bytes(b"{")
    table = tmp_path / "failures.csv"
    found = run(study, "--cohort", tmp_path / "c.sqlite", "--failures", table)
    assert found.exit_code == 1
    assert "12 measured" in found.output
    assert "1 refused" in found.output
    with table.open(newline="") as file:
        heading, row = csv.reader(file)
    assert heading == ["file", "place", "reason"]
    assert row[0] == str(study / "=bad.reading.json")
    assert row[1] == "line 1, column 2"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 1),
        (("--policy", "any"), 1),
        (("--policy", "none"), 0),
        (("--policy", "threshold"), 1),
        (("--policy", "threshold", "--threshold", "10"), 0),
    ],
)
def test_the_exit_code_goes_by_the_policy(
    study: Path, tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    (study / "bad.reading.json").write_bytes(b"{")
    assert run(study, "--cohort", tmp_path / "c.sqlite", *words).exit_code == code


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    found = run(tmp_path, "--cohort", tmp_path / "c.sqlite")
    assert found.exit_code == 2
    assert "no reading files" in found.output


_RUN = "from necroangle.cli.readings.remeasure import command; command()"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_run_that_is_killed_is_started_again(tmp_path: Path) -> None:
    study = made_study(tmp_path / "study", 60)
    cohort = tmp_path / "c.sqlite"
    words = [sys.executable, "-c", _RUN, str(study), "--cohort", str(cohort)]
    chance = random.Random(4)
    for _ in range(int(os.environ.get("NECROANGLE_KILLS", "3"))):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 3.0))
        process.kill()
        process.wait()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    assert CohortStore.open(cohort).rows() == measure_files([study]).rows
