"""One reading has one interval, on whichever road it is measured, by the noise of its reader."""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.annotation import encode_reading, file_name, load_reading
from necroangle.batch import settings_of_study
from necroangle.batch.study_settings import measuring_in
from necroangle.cli import cli
from necroangle.measurement import change_between, measure
from necroangle.measurement.row import to_row
from necroangle.protocol.study import ReaderNoise, noise_toml
from necroangle.study import init_study, open_study

ERRORS = (
    *("a_low_deg", "a_high_deg", "b_low_deg", "b_high_deg", "cna_low_deg", "cna_high_deg"),
    *("cna_se_marking", "cna_se_total", "cna_mdc95_deg", "other_grade_p"),
    *("end_sd_mm", "end_bias_mm", "end_dof", "end_source"),
)
Row = dict[str, Any]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two readers read a hip at two visits; one of them is known from a calibration."""
    made = init_study(tmp_path / "onfh", "onfh", readers=("kim", "lee"))
    for reader, more in (("kim", 0.0), ("lee", 7.0)):
        for visit, angle in (("m00", 120.0), ("m12", 85.0)):
            reading = make_reading(angle + more, 80.0, visit=visit, reader=reader)
            (made.readings / file_name(reading)).write_bytes(encode_reading(reading))
    kim = ReaderNoise(
        reader="kim", end_sd_mm=0.6, end_bias_mm=0.15, end_dof=43.7, source="calibration"
    )
    with (made.folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{noise_toml(kim)}\n")
    monkeypatch.chdir(made.folder)
    return made.folder


def said(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    return result.output


def by_measure() -> list[Row]:
    found: list[Row] = json.loads(said("measure", "readings", "--json"))["rows"]
    return found


def by_remeasure() -> list[Row]:
    said("remeasure", "readings", "--yes", "--cohort", "again.sqlite")
    return stored("again.sqlite")


def stored(file: str) -> list[Row]:
    with sqlite3.connect(file) as base:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute("select * from cohort")]


def by_window() -> list[Row]:
    """As the dock measures a reading that it saves among these."""
    folder = Path("readings")
    readings = [load_reading(path) for path in sorted(folder.iterdir())]
    return [dict(to_row(one, measuring_in(folder).measure(one), "")) for one in readings]


def test_every_road_gives_one_interval_to_the_bit(study: Path) -> None:
    roads = (by_measure, by_remeasure, by_window)
    rows = [{(one["reader"], one["visit"]): one for one in road()} for road in roads]
    assert rows[0].keys() == rows[1].keys() == rows[2].keys()
    assert len(rows[0]) == 4
    for key in rows[0]:
        first, *others = ([row[key][name] for name in ERRORS] for row in rows)
        assert all(one == first for one in others), key
    known, unknown = (rows[0][reader, "m00"] for reader in ("kim", "lee"))
    assert (known["end_sd_mm"], known["end_source"]) == (0.6, "calibration")
    assert (unknown["end_sd_mm"], unknown["end_source"]) == (1.0, "unknown reader")
    width = [one["cna_high_deg"] - one["cna_low_deg"] for one in (known, unknown)]
    assert width[0] < 0.85 * width[1], "what is known of a reader makes the interval shorter"


def test_a_change_has_one_limit_in_the_window_the_command_and_the_outcome(study: Path) -> None:
    said("measure", "readings")
    folder, settings = Path("readings"), settings_of_study(open_study(study))
    pair = [
        make_reading(angle, 80.0, visit=visit, reader="kim")
        for visit, angle in (("m00", 120.0), ("m12", 85.0))
    ]
    before, after = (measuring_in(folder).measure(one) for one in pair)
    by_dock = change_between(before, after).mdc95_deg
    before, after = (measure(one, None, settings) for one in pair)
    by_core = change_between(before, after).mdc95_deg
    assert by_dock is not None
    assert by_dock == by_core
    files = [next(folder.glob(f"*{visit}__kim*")) for visit in ("m00", "m12")]
    told = said("change", *map(str, files))
    assert f"MDC95 {by_dock:.1f}°" in told
    table = said("outcome", "--table", "visits", "--csv")
    assert any(f"{float(cell):.9f}" == f"{by_dock:.9f}" for cell in re.findall(r"\d+\.\d+", table))


def test_verify_finds_an_interval_that_was_tampered_with(study: Path) -> None:
    said("measure", "readings")
    assert "no problem was found" in said("verify")
    with sqlite3.connect("cohort.sqlite") as base:
        base.execute("update cohort set cna_low_deg = cna_low_deg + 3.0 where reader = 'kim'")
    assert "cna_low_deg" in said("verify")
