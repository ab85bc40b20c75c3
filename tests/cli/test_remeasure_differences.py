"""``necroangle remeasure`` on a study in which some things were done: it names exactly those."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading

from necroangle.annotation import HipReading, Mark, ReadView, encode_reading, load_reading
from necroangle.cli.readings.remeasure import command
from necroangle.cohort import CohortRow, CohortStore

COUNT = 12
EDITED = ("S02", "S03", "S04")
RESPACED, OLD_METHOD, CORRUPT, LOST = "S01", "S06", "S07", "S08"


@dataclass(frozen=True)
class Study:
    readings: Path
    cohort: Path


def run(study: Study, *words: object, given: str | None = None) -> Result:
    arguments = [str(study.readings), "--cohort", str(study.cohort), *map(str, words)]
    return CliRunner().invoke(command, arguments, input=given)


def file_of(study: Study, subject: str) -> Path:
    return study.readings / f"{subject}.reading.json"


def changed(reading: HipReading, *, end_px: float = 0.0, spacing: float = 1.0) -> HipReading:
    """One end moved by some rows, or the rows farther apart with every mark on its pixel."""
    view = reading.views[0]
    assert isinstance(view, ReadView)
    record = msgspec.structs.replace(view.plane, row_spacing_mm=view.plane.row_spacing_mm * spacing)
    plane = record.plane()
    (arc,) = view.arcs
    row, column = arc.start.pixel
    start = Mark.at_pixel(plane, row + end_px, column)
    end, via = (Mark.at_pixel(plane, *mark.pixel) for mark in (arc.end, arc.via))
    rim = tuple(Mark.at_pixel(plane, *mark.pixel) for mark in view.rim)
    edited = msgspec.structs.replace(
        view, plane=record, rim=rim, arcs=(type(arc)(start, end, via),)
    )
    return msgspec.structs.replace(reading, views=(edited, reading.views[1]))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Measured once; then one spacing corrected, three readings edited, one file broken, one lost.

    One row is as an older version of the method left it.
    """
    study = Study(tmp_path / "readings", tmp_path / "cohort.sqlite")
    study.readings.mkdir()
    for number in range(COUNT):
        reading = make_reading(100.0 + number, 80.0, subject=f"S{number:02}")
        file_of(study, f"S{number:02}").write_bytes(encode_reading(reading))
    assert run(study).exit_code == 0
    for subject in EDITED:
        file = file_of(study, subject)
        file.write_bytes(encode_reading(changed(load_reading(file), end_px=5.0)))
    file = file_of(study, RESPACED)
    file.write_bytes(encode_reading(changed(load_reading(file), spacing=1.05)))
    store = CohortStore.open(study.cohort)
    old = next(row for row in store.rows() if row.key.subject == OLD_METHOD)
    store.upsert([CohortRow.of({**old, "method_version": 0, "cna_deg": 170.0})])
    file_of(study, CORRUPT).write_bytes(b"{")
    file_of(study, LOST).unlink()
    return study


def causes_in(report: Path) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(report.read_text("utf-8")))
    return {row["subject"]: row["causes"] for row in rows}


EXPECTED = {
    RESPACED: "geometry corrected",
    **dict.fromkeys(EDITED, "marks edited"),
    OLD_METHOD: "method version",
    CORRUPT: "no reading given",
    LOST: "no reading given",
}


def test_exactly_what_was_done_is_named_and_nothing_is_overwritten(
    study: Study, tmp_path: Path
) -> None:
    before = study.cohort.read_bytes()
    report, page = tmp_path / "r.csv", tmp_path / "r.html"
    found = run(study, "--report", report, "--report", page)
    assert found.exit_code == 3
    assert causes_in(report) == EXPECTED
    assert "10 measured: 0 new, 5 changed, 5 unchanged; 1 refused" in found.output
    assert f"{CORRUPT}.reading.json: line 1" in found.output
    assert "run again with --yes" in found.output
    assert study.cohort.read_bytes() == before
    assert page.read_text("utf-8").count("<tr>") == 1 + len(EXPECTED)


def test_a_dry_run_reports_the_same(study: Study, tmp_path: Path) -> None:
    report = tmp_path / "r.csv"
    before = study.cohort.read_bytes()
    assert run(study, "--dry-run", "--policy", "none", "--report", report).exit_code == 0
    assert causes_in(report) == EXPECTED
    assert study.cohort.read_bytes() == before


def test_after_yes_there_is_no_difference_left(study: Study) -> None:
    assert run(study, "--yes", "--policy", "none").exit_code == 0
    rows = {row.key.subject: row for row in CohortStore.open(study.cohort).rows()}
    assert rows[OLD_METHOD]["method_version"] == 1
    assert CORRUPT in rows, "a row whose reading is broken is told, not taken away"
    before = study.cohort.read_bytes()
    again = run(study, "--policy", "none")
    assert "0 new, 0 changed, 10 unchanged" in again.output
    assert study.cohort.read_bytes() == before


def test_two_workers_report_the_same(study: Study, tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    run(study, "--report", one)
    run(study, "--report", two, "--workers", "2")
    assert one.read_bytes() == two.read_bytes()


def test_without_the_former_readings_an_edit_is_said_to_be_unknown(tmp_path: Path) -> None:
    study = Study(tmp_path / "readings", tmp_path / "cohort.sqlite")
    study.readings.mkdir()
    file = file_of(study, "S00")
    file.write_bytes(encode_reading(make_reading(100.0, subject="S00")))
    run(study, "--no-keep")
    file.write_bytes(encode_reading(make_reading(101.0, subject="S00")))
    report = tmp_path / "r.csv"
    run(study, "--report", report)
    assert causes_in(report) == {"S00": "reading edited, its former content is not kept"}


def test_a_report_of_an_unknown_kind_is_refused_before_anything_is_measured(
    study: Study, tmp_path: Path
) -> None:
    found = run(study, "--report", tmp_path / "r.docx")
    assert found.exit_code == 2
    assert ".txt, .csv or .html" in found.output
