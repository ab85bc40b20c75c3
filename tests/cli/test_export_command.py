"""``necroangle export``: what it writes, what it says, what it refuses."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading

from necroangle.annotation import HipReading, encode_reading, file_name, sha256_of
from necroangle.cli.records.export import FORMATS, command
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.errors import CohortError
from necroangle.export.folder import FORMATS as WRITTEN
from necroangle.measurement import measure
from necroangle.study import init_study
from necroangle.terms import Laterality


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a cohort of two hips of one patient and one of another."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "cohort.sqlite", tmp_path / "readings")
    return tmp_path


def fill(cohort: Path, folder: Path) -> None:
    some = [
        make_reading(130.0, 120.0, subject="홍길동"),
        make_reading(130.0, 120.0, subject="홍길동", laterality=Laterality.RIGHT),
        make_reading(100.0, 90.0, subject="00123"),
        make_reading(110.0, 90.0, subject="00123", visit="m06"),
    ]
    folder.mkdir(exist_ok=True)
    for reading in some:
        (folder / file_name(reading)).write_bytes(encode_reading(reading))
    CohortStore.open(cohort).upsert([row_of(reading) for reading in some])


def row_of(reading: HipReading) -> CohortRow:
    return to_row(reading, measure(reading), sha256_of(encode_reading(reading)))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_formats_are_those_that_are_written() -> None:
    assert FORMATS == WRITTEN


def test_all_formats_of_the_long_table(here: Path) -> None:
    result = run("--to", "all", "--by", "kim")
    assert result.exit_code == 0, result.output
    assert result.output.startswith(
        "4 rows (one row: one reading: hip, visit, reader, read and method), 3 hips of 2 patients; "
        "cluster by patient_id\nprivacy: "
    )
    assert "REPLACES all instruments" in result.output
    assert "no secret was given: image keys are empty" in result.output
    folder = here / "exports" / "long_reading"
    assert len(list(folder.iterdir())) == 16
    said = json.loads((folder / "provenance.json").read_text("utf-8"))
    assert said["who"] == "kim"
    assert said["query"] == {
        "study": "none",
        "shape": "long",
        "unit": "reading",
        "dates": "none",
        "readers": [],
        "method": None,
    }
    assert said["canonical_sha256"] in result.output
    assert [line["patient_id"] for line in lines(folder / "cohort.csv")] == [
        "00123",
        "00123",
        "홍길동",
        "홍길동",
    ]


def test_a_wide_table_is_one_row_per_hip_and_leaves_redcap(here: Path) -> None:
    result = run("--to", "all", "--shape", "wide", "--out", "out")
    assert result.exit_code == 0, result.output
    assert "REDCap" not in result.output
    (first, *others) = lines(here / "out" / "cohort.csv")
    assert len(others) == 2
    assert (first["cna_m0"], first["cna_m6"]) == ("190.0", "200.0")
    assert others[0]["cna_m6_missing_reason"] == "not_done"
    assert not (here / "out" / "redcap_records.csv").exists()


def test_the_same_cohort_has_the_same_hash_each_time(here: Path) -> None:
    hashes = set()
    for name in ("a", "b"):
        run("--to", "csv", "--out", name)
        said = json.loads((here / name / "provenance.json").read_text("utf-8"))
        hashes.add(said["canonical_sha256"])
    assert len(hashes) == 1
    assert (here / "a" / "cohort.csv").read_bytes() == (here / "b" / "cohort.csv").read_bytes()


def test_a_secret_gives_image_keys_and_no_uid(here: Path) -> None:
    (here / "secret.key").write_text("0123456789abcdef" * 2)
    assert run("--to", "csv", "--secret", "secret.key", "--out", "a").exit_code == 0
    keys = {line["image_key_cor"] for line in lines(here / "a" / "cohort.csv")}
    assert len(keys) == 1
    assert all(len(key) == 64 for key in keys)
    (here / "short.key").write_text("short")
    with pytest.raises(CohortError, match=r"short\.key: the secret has 5 bytes, it needs 16"):
        CliRunner().invoke(
            command, ["--to", "csv", "--secret", "short.key"], catch_exceptions=False
        )


def test_within_a_study_everything_comes_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = init_study(tmp_path / "onfh", "onfh")
    monkeypatch.chdir(study.folder)
    fill(Path(str(study.cohort)), study.readings)
    result = run("--to", "sav", "--unit", "hip_visit", "--dates", "shifted")
    assert result.exit_code == 0, result.output
    folder = study.exports / "long_hip_visit"
    assert (folder / "cohort.sav").is_file()
    table = lines(folder / "cohort.csv")
    assert "visit_date" in table[0]
    assert all(len(line["image_key_sag"]) == 64 for line in table)
    query = json.loads((folder / "provenance.json").read_text("utf-8"))["query"]
    assert query["method"] == study.protocol.method
    assert query["study"] == "onfh"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Missing option '--to'"),
        (("--to", "spss"), "'spss' is not one of"),
        (("--to", "csv", "--unit", "hip"), "'hip' is not one of"),
    ],
)
def test_what_is_not_understood_is_said(
    here: Path, arguments: tuple[str, ...], problem: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert problem in result.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--to", "csv", "--cohort", "gone.sqlite"), "gone.sqlite: there is no cohort table"),
        (("--to", "csv", "--reader", "nobody"), "there is nothing to export"),
        (("--to", "csv", "--dates", "shifted"), "shifted dates need the study's secret"),
        (("--to", "csv", "--out", "readings"), "which is no part of an export"),
        (("--to", "csv", "--out", "cohort.sqlite"), "a file; give a folder"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(
    here: Path, arguments: tuple[str, ...], problem: str
) -> None:
    before = sorted(here.rglob("*"))
    result = run(*arguments)
    assert isinstance(result.exception, CohortError)
    assert problem in str(result.exception)
    assert sorted(here.rglob("*")) == before


def test_several_readers_are_chosen_or_refused(here: Path) -> None:
    other = make_reading(90.0, 90.0, subject="00123", reader="r2")
    CohortStore.open(here / "cohort.sqlite").upsert([row_of(other)])
    result = run("--to", "csv", "--shape", "wide", "--unit", "reading")
    assert "00123_L m00 r1 1 1 and 00123_L m00 r2 1 1" in str(result.exception)
    assert run("--to", "csv", "--shape", "wide", "--reader", "r2", "--out", "b").exit_code == 0
    assert [line["cna_m0"] for line in lines(here / "b" / "cohort.csv")] == ["180.0"]


STOPPED = """
import os, signal, sys
import necroangle.export.folder as folder
from necroangle.cli.records.export import command
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
whole = folder._common_files
def stopped(table, bom):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    return whole(table, bom)
folder._common_files = stopped
command(["--to", "csv", "--out", "x"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stopped_export_leaves_no_part_behind(here: Path, name: str) -> None:
    before = {one.name for one in here.iterdir()}
    found = subprocess.run([sys.executable, "-c", STOPPED, name], cwd=here, capture_output=True)
    assert found.returncode != 0
    assert {one.name for one in here.iterdir()} == before


def test_a_wrong_secret_is_found_before_anything_is_read(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CohortStore, "open", None)
    result = run("--to", "csv", "--secret", "gone.key")
    assert isinstance(result.exception, CohortError)
    assert str(result.exception).startswith("gone.key: the secret cannot be read")
