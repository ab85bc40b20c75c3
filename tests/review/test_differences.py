"""Every difference of a re-measurement is named with its cause, and nothing else is."""

import csv
import io
from dataclasses import replace

import msgspec
import pytest
from hipmaker import make_reading, make_view
from hipstrategy import readings
from hypothesis import given

from necroangle.annotation import (
    HipReading,
    Mark,
    ReaderEntries,
    ReadView,
    encode_reading,
    sha256_of,
)
from necroangle.cohort import Cell, CohortRow, to_row
from necroangle.measurement import DEFAULTS, measure
from necroangle.protocol.noise import EndNoise
from necroangle.review.difference_report import as_csv, as_html, as_text
from necroangle.review.differences import (
    Cause,
    Differences,
    ReadingChange,
    compare_rows,
    reading_changes,
)
from necroangle.terms import JicType, View

Shelf = dict[str, HipReading]


def row_of(reading: HipReading, shelf: Shelf, end_sd_mm: float = 1.0) -> CohortRow:
    sha = sha256_of(encode_reading(reading))
    shelf[sha] = reading
    settings = replace(DEFAULTS, end_noise=EndNoise(end_sd_mm))
    return to_row(reading, measure(reading, None, settings), sha)


def edited(row: CohortRow, **cells: Cell) -> CohortRow:
    return CohortRow.of({**row, **cells})


def moved_end(reading: HipReading, by_px: float) -> HipReading:
    view = reading.views[0]
    assert isinstance(view, ReadView)
    (arc,) = view.arcs
    row, column = arc.start.pixel
    start = Mark.at_pixel(view.plane.plane(), row + by_px, column)
    arcs = (msgspec.structs.replace(arc, start=start),)
    return msgspec.structs.replace(
        reading, views=(msgspec.structs.replace(view, arcs=arcs), reading.views[1])
    )


def respaced(reading: HipReading, factor: float) -> HipReading:
    """The marks on their pixels, the rows of the A view farther apart."""
    view = reading.views[0]
    assert isinstance(view, ReadView)
    record = msgspec.structs.replace(view.plane, row_spacing_mm=view.plane.row_spacing_mm * factor)
    plane = record.plane()
    rim = tuple(Mark.at_pixel(plane, *mark.pixel) for mark in view.rim)
    arcs = tuple(
        type(arc)(*(Mark.at_pixel(plane, *mark.pixel) for mark in (arc.start, arc.end, arc.via)))
        for arc in view.arcs
    )
    changed = msgspec.structs.replace(view, plane=record, rim=rim, arcs=arcs)
    return msgspec.structs.replace(reading, views=(changed, reading.views[1]))


def compare(stored: list[CohortRow], measured: list[CohortRow], shelf: Shelf) -> Differences:
    return compare_rows(stored, measured, shelf.get, shelf.get)


def test_a_prepared_study_names_exactly_what_was_done() -> None:
    shelf: Shelf = {}
    study = [make_reading(100.0 + n, 80.0, subject=f"S{n:02}") for n in range(12)]
    stored = [row_of(reading, shelf) for reading in study]
    now = list(study)
    now[1] = respaced(study[1], 1.05)
    for n in (2, 3, 4):
        now[n] = moved_end(study[n], 4.0)
    measured = [row_of(reading, shelf) for n, reading in enumerate(now) if n != 5]
    stored[6] = edited(stored[6], method_version=0)
    found = compare(stored, measured, shelf)
    told = {row.key.subject: row.causes for row in found.rows}
    assert told == {
        "S01": (Cause.GEOMETRY,),
        "S02": (Cause.MARKS,),
        "S03": (Cause.MARKS,),
        "S04": (Cause.MARKS,),
        "S05": (Cause.GONE,),
        "S06": (Cause.METHOD,),
    }
    assert found.unchanged == 6
    assert all(
        "start of arc 1" in row.details[0] for row in found.rows if Cause.MARKS in row.causes
    )
    (geometry,) = (row for row in found.rows if row.causes == (Cause.GEOMETRY,))
    assert "row_spacing_mm 0.6 to 0.63" in geometry.details[0]


def test_the_same_rows_have_no_difference() -> None:
    shelf: Shelf = {}
    rows = [row_of(make_reading(subject=f"S{n}"), shelf) for n in range(5)]
    found = compare(rows, rows[::-1], shelf)
    assert found == Differences((), 5)
    assert "no differences" in as_text(found)


def test_a_hip_that_is_without_necrosis_now_changes_its_category() -> None:
    shelf: Shelf = {}
    before, after = make_reading(30.0, 30.0), make_reading(0.0, 0.0)
    (row,) = compare([row_of(before, shelf)], [row_of(after, shelf)], shelf).rows
    assert row.category_before == "Ha 1, low; Kerboul small"
    assert row.category_after == "no necrosis"
    assert row.changes_category


def test_hips_that_change_grade_stand_on_top() -> None:
    shelf: Shelf = {}
    far, near = make_reading(60.0, 60.0, subject="A"), make_reading(100.0, 99.0, subject="B")
    stored = [row_of(one, shelf) for one in (far, near)]
    measured = [row_of(moved_end(far, 20.0), shelf), row_of(moved_end(near, 3.0), shelf)]
    found = compare(stored, measured, shelf)
    by_subject = {row.key.subject: row for row in found.rows}
    assert abs(by_subject["A"].change_deg or 0) > abs(by_subject["B"].change_deg or 0)
    assert [row.changes_category for row in found.rows] == [True, False]
    assert found.rows[0].key.subject == "B"
    assert as_text(found).splitlines()[2].startswith("GRADE B L")


def test_settings_software_and_drift_are_told_apart() -> None:
    shelf: Shelf = {}
    reading = make_reading()
    row = row_of(reading, shelf)
    wider = row_of(reading, shelf, end_sd_mm=2.0)
    assert compare([row], [wider], shelf).rows[0].causes == (Cause.SETTINGS,)
    old = edited(row, software_version="0.0.1")
    assert compare([old], [row], shelf).rows[0].causes == (Cause.SOFTWARE,)
    angle = row["a_deg"]
    assert isinstance(angle, float)
    drifted = edited(row, a_deg=angle + 1e-9)
    found = compare([drifted], [row], shelf).rows[0]
    assert found.causes == (Cause.UNEXPLAINED,)
    assert [cell.column for cell in found.cells] == ["a_deg"]


def test_what_was_never_kept_is_said_to_be_unknown() -> None:
    shelf: Shelf = {}
    before, after = row_of(make_reading(100.0), shelf), row_of(make_reading(101.0), shelf)
    found = compare_rows([before], [after], lambda _: None, shelf.get)
    assert found.rows[0].causes == (Cause.UNKNOWN_EDIT,)


def test_an_entry_and_a_rewritten_file_change_no_angle() -> None:
    shelf: Shelf = {}
    reading = make_reading()
    staged = msgspec.structs.replace(reading, entries=ReaderEntries.of({"jic": JicType.B}))
    later = msgspec.structs.replace(reading, saved_at="2026-02-01T08:15:00.000Z")
    for other, cause in ((staged, Cause.ENTRIES), (later, Cause.REWRITTEN)):
        (row,) = compare([row_of(reading, shelf)], [row_of(other, shelf)], shelf).rows
        assert row.causes == (cause,)
        assert row.change_deg == 0.0
        assert not row.changes_category


@given(readings())
def test_a_reading_does_not_differ_from_itself(reading: HipReading) -> None:
    assert reading_changes(reading, reading) == [(ReadingChange.NONE, "")]


@pytest.mark.parametrize("angle", [None, 0.0])
def test_a_view_that_is_read_otherwise_is_an_edit_of_marks(angle: float | None) -> None:
    reading = make_reading(100.0, 80.0)
    other = msgspec.structs.replace(
        reading, views=(make_view(View.CORONAL, angle), reading.views[1])
    )
    kinds = {kind for kind, _ in reading_changes(reading, other)}
    assert kinds == {ReadingChange.MARKS}


def test_the_reports_carry_no_live_formula_and_no_markup() -> None:
    shelf: Shelf = {}
    reading = make_reading(subject="S01", reader="r1")
    row = row_of(reading, shelf)
    hostile = edited(row, subject="=cmd|'/C calc'!A0", reader="<script>alert(1)</script>")
    found = compare([], [hostile], shelf)
    lines = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert lines[0]["subject"].startswith("'=")
    assert "<script>" not in as_html(found)
    assert "&lt;script&gt;" in as_html(found)
