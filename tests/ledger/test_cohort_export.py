"""What leaves the cohort: CSV that no spreadsheet runs, JSON and data frames with every digit."""

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest
from hipmaker import make_reading

from necroangle.cohort import COLUMNS, CohortRow, CohortStore, load, to_row
from necroangle.ledger.table import HEADINGS, all_cells, main_cells, show_cell, to_csv, to_json
from necroangle.measurement import measure
from necroangle.measurement.columns import NAMES
from necroangle.terms import UnreadReason, View

_READING = make_reading(100.1, 99.9)
_ROW = to_row(_READING, measure(_READING), "0f" * 32)


def row(**changed: str | int | float | None) -> CohortRow:
    return CohortRow.of({**_ROW, **changed})


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_text_is_never_a_formula(start: str) -> None:
    hostile = f"{start}cmd|'/C calc'!A0"
    (cells,) = csv.DictReader(io.StringIO(to_csv([row(subject=hostile)]), newline=""))
    assert cells["subject"] == f"'{hostile}"


def test_csv_numbers_stay_numbers_in_full() -> None:
    text = to_csv([row(a_slice_offset_mm=-1.25, koo_kim_index=0.1 + 0.2, arco=None)])
    (cells,) = csv.DictReader(io.StringIO(text))
    assert cells["a_slice_offset_mm"] == "-1.25"
    assert cells["koo_kim_index"] == "0.30000000000000004"
    assert (cells["read_no"], cells["arco"]) == ("1", "")


def test_csv_has_a_heading_and_plain_line_ends() -> None:
    text = to_csv([row(), row(read_no=2)])
    assert text.split("\n")[0] == ",".join(NAMES)
    assert text.count("\n") == 3
    assert "\r" not in text
    assert to_csv([]) == ",".join(NAMES) + "\n"


def test_csv_quotes_what_would_break_a_line() -> None:
    (cells,) = csv.DictReader(io.StringIO(to_csv([row(subject='a,"b"\nc')]), newline=""))
    assert cells["subject"] == 'a,"b"\nc'


def test_json_gives_back_every_value() -> None:
    some = [row(subject="홍길동"), row(koo_kim_index=0.1 + 0.2, arco=None)]
    text = to_json(some)
    assert text.isascii()
    assert json.loads(text) == [dict(each) for each in some]
    assert json.loads(to_json([])) == []


def test_the_data_frame_is_typed(tmp_path: Path) -> None:
    file = tmp_path / "cohort.sqlite"
    unread = make_reading(None, 80.0, subject="00123")
    CohortStore.open(file).upsert([_ROW, to_row(unread, measure(unread), "0f" * 32)])
    frame = load(file)
    assert list(frame.columns) == [*NAMES, "visit_state"]
    plain = {"text": pd.StringDtype(), "whole": pd.Int64Dtype(), "real": pd.Float64Dtype()}
    for column in COLUMNS:
        dtype = frame[column.name].dtype
        assert isinstance(dtype, pd.CategoricalDtype) or dtype == plain[column.kind], column.name
    assert list(frame["subject"]) == ["00123", "S01"]
    assert frame["ha_grade"].isna().tolist() == [True, False]
    assert frame["cna_deg"].isna().tolist() == [True, False]
    assert frame["cna_deg"].iloc[1] == 200.0


def test_grades_and_stages_of_the_data_frame_are_in_order(tmp_path: Path) -> None:
    file = tmp_path / "cohort.sqlite"
    stages = ("4", "1", "3B", "3A", "2", None)
    rows = [row(subject=f"S{n}", arco=stage, ha_grade=4 - n % 4) for n, stage in enumerate(stages)]
    CohortStore.open(file).upsert(rows)
    frame = load(file)
    assert frame["arco"].sort_values().tolist()[:5] == ["1", "2", "3A", "3B", "4"]
    assert (frame["arco"] >= "3A").tolist() == [True, False, True, True, False, False]
    assert (frame["ha_grade"] >= 3).tolist() == [True, True, False, False, True, True]
    assert list(frame["laterality"].cat.categories) == ["L", "R"]
    assert not frame["laterality"].cat.ordered
    assert frame["flags"].dtype == pd.StringDtype()


def test_an_empty_cohort_is_an_empty_typed_frame(tmp_path: Path) -> None:
    CohortStore.open(tmp_path / "cohort.sqlite")
    frame = load(tmp_path / "cohort.sqlite")
    assert len(frame) == 0
    assert frame["cna_deg"].dtype == pd.Float64Dtype()
    assert frame["ha_grade"].cat.categories.tolist() == [1, 2, 3, 4]


def _shown(row: CohortRow) -> dict[str, str]:
    return dict(zip(HEADINGS, main_cells(row), strict=True))


def test_the_printed_row_is_rounded_after_the_sum() -> None:
    interval = {"cna_low_deg": 199.28 - 10.1, "cna_high_deg": 199.28 + 10.1}
    angles = {"a_deg": 99.64, "b_deg": 99.64, "cna_deg": 199.28, **interval}
    shown = _shown(row(**angles, ha_grade=1, ha_risk="moderate"))
    assert (shown["A"], shown["B"], shown["CNA"]) == ("99.6°", "99.6°", "199.3° ± 10.1°")
    assert shown["category"] == "Ha 1, moderate"


def test_the_printed_row_of_a_hip_without_necrosis_says_so() -> None:
    reading = make_reading(0.0, 0.0)
    shown = _shown(to_row(reading, measure(reading), "a" * 64))
    assert (shown["CNA"], shown["category"]) == ("0.0° (0.0° to 7.9°)", "no necrosis")


def test_the_printed_row_tells_not_read_from_no_necrosis() -> None:
    for reason in UnreadReason:
        reading = make_reading(None, 0.0, reason=reason)
        shown = _shown(to_row(reading, measure(reading), "0f" * 32))
        assert (shown["A"], shown["B"]) == (reason.replace("_", " "), "0.0°")
        assert (shown["CNA"], shown["category"]) == ("–", "–")
        assert shown["flags"].startswith("hip view not read")


def test_the_printed_row_names_radiograph_bins_and_every_flag() -> None:
    reading = make_reading(200.0, 190.0, b_view=View.CROSS_TABLE)
    shown = _shown(to_row(reading, measure(reading), "0f" * 32))
    assert shown["category"] == "Kerboul large"
    assert shown["flags"] == "A arc above 180; B arc above 180"


def test_control_characters_are_spelt_out() -> None:
    hostile = "S01\x1b[31m\n\u202egnp"
    assert show_cell(hostile) == r"S01\x1b[31m\n\u202egnp"
    texts = [*main_cells(row(subject=hostile)), *(cell for _, cell in all_cells(row(reader="\a")))]
    assert all(cell.isprintable() for cell in texts)
