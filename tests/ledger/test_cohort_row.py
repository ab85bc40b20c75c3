"""The row: every column, nothing but the columns, and no identity."""

import math
import pickle
import re
from typing import Any

import pytest
from hipmaker import make_reading, make_view
from hipstrategy import hip_angles_deg, readings
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from necroangle import __version__
from necroangle.annotation import HipReading
from necroangle.cohort import COLUMNS, CohortRow, to_row
from necroangle.errors import CohortError, NecroangleError
from necroangle.measurement import METHODS, HaRisk, measure
from necroangle.measurement.columns import KEY, NAMES
from necroangle.terms import ArcoStage, Finding, Flag, JicType, UnreadReason, View

SHA256 = "0f" * 32


def _row(reading: HipReading) -> CohortRow:
    return to_row(reading, measure(reading), SHA256)


def test_the_columns_have_names_that_every_format_takes() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) for name in NAMES)
    assert len({*NAMES}) == len(NAMES)
    assert KEY == NAMES[:6] == ("subject", "laterality", "visit", "reader", "read_no", "method")
    assert all(column.meaning for column in COLUMNS)


def test_the_row_of_a_known_hip() -> None:
    row = _row(make_reading(210.0, 100.0, arco=ArcoStage.STAGE_3A, jic=JicType.C2))
    expected = {
        "subject": "S01",
        "laterality": "L",
        "visit": "m00",
        "reader": "r1",
        "read_no": 1,
        "method": "ha_mr_midslice",
        "method_version": METHODS["ha_mr_midslice"].version,
        "modality": "mr",
        "a_view": "coronal",
        "a_status": "necrosis",
        "a_deg": 210.0,
        "a_span_deg": 210.0,
        "a_arc_count": 1,
        "a_rim_count": 18,
        "a_plane": "coronal",
        "a_flags": "arc_above_180 collapsed_fit",
        "b_view": "sagittal",
        "b_deg": 100.0,
        "b_flags": "collapsed_fit",
        "cna_deg": 310.0,
        "ha_grade": 4,
        "ha_risk": "high",
        "kerboul": "large",
        "flags": "views_unlike",
        "arco": "3A",
        "jic": "C2",
        "annotation_sha256": SHA256,
        "software_version": __version__,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["koo_kim_index"] == pytest.approx(210 * 100 / 324)
    assert row["a_radius_mm"] == pytest.approx(24.0)
    assert row["b_obliquity_deg"] == pytest.approx(0.0)


def test_a_radiograph_has_no_grade_of_ha() -> None:
    row = _row(make_reading(200.0, 100.0, b_view=View.FROG_LEG))
    assert (row["modality"], row["method"]) == ("radiograph", "kerboul_radiograph")
    assert (row["cna_deg"], row["kerboul"]) == (300.0, "large")
    assert row["ha_grade"] is row["ha_risk"] is row["a_plane"] is row["a_slice_offset_mm"] is None


@pytest.mark.parametrize("reason", UnreadReason)
def test_not_read_is_never_like_no_necrosis(reason: UnreadReason) -> None:
    unread = _row(make_reading(None, 80.0, reason=reason))
    healthy = _row(make_reading(0.0, 80.0))
    assert (unread["a_status"], healthy["a_status"]) == (str(reason), "no_necrosis")
    assert (unread["a_deg"], healthy["a_deg"]) == (None, 0.0)
    assert (unread["cna_deg"], healthy["cna_deg"]) == (None, 80.0)
    assert (unread["a_flags"], healthy["a_flags"]) == (None, "")
    measured = [name for name in NAMES if name.startswith("a_")][2:]
    assert all(unread[name] is None for name in measured)


def test_flags_stand_in_the_order_of_their_words() -> None:
    view = make_view(
        View.CORONAL, 0.0, rim_count=5, finding=Finding.OFF_MIDSLICE, turn_deg=(25, 0, 0)
    )
    row = _row(make_reading(views=(view, make_view(View.SAGITTAL, 80.0))))
    assert row["a_flags"] == "few_rim_points off_midslice oblique_plane"
    order = list(map(str, Flag))
    words = str(row["a_flags"]).split()
    assert sorted(words, key=order.index) == words


@given(hip_angles_deg, hip_angles_deg, st.sampled_from((View.SAGITTAL, View.CROSS_TABLE)))
def test_every_value_is_what_its_column_allows(
    a_deg: float | None, b_deg: float | None, b_view: View
) -> None:
    row = _row(make_reading(a_deg, b_deg, b_view=b_view))
    for column in COLUMNS:
        cell = row[column.name]
        if column.allowed and cell is not None:
            assert set(str(cell).split()) <= set(column.allowed), column.name
        if isinstance(cell, float):
            assert math.isfinite(cell)
            assert math.copysign(1, cell) == 1 or cell != 0, f"{column.name} is -0.0"


@given(readings())
def test_no_identifier_and_no_note_reaches_the_row(reading: HipReading) -> None:
    secret = "KIM^CHULSOO 19700131"
    noted = replace(reading, notes=secret)
    try:
        row = _row(noted)
    except NecroangleError:
        return
    text = " ".join(map(str, row.values()))
    assert secret not in text
    assert "1.2.3" not in re.sub(r"\b\d+\.\d+(e-?\d+)?\b", "", text.replace(SHA256, "")), text
    later = replace(noted, saved_at="2030-01-01T00:00:00.000Z", notes="")
    assert _row(replace(later, notes="a second look")) == _row(later), "nor change it"
    flag = str(Flag.NOTES_NAME_SOMEONE)
    told = str(row["flags"]).split()
    assert flag in told
    without = " ".join(one for one in told if one != flag)
    assert dict(_row(later)) == {**row, "flags": without}, "notes and time change no more"


def _values(**changed: Any) -> dict[str, Any]:
    return {**_row(make_reading()), **changed}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"a_deg": math.nan}, "a_deg must hold a finite number"),
        ({"cna_deg": math.inf}, "cna_deg must hold a finite number"),
        ({"subject": None}, "subject must not be empty"),
        ({"a_deg": "12"}, "a_deg must hold a real"),
        ({"read_no": 1.0}, "read_no must hold a whole"),
        ({"colour": "red"}, "missing or unknown: colour"),
    ],
)
def test_a_row_refuses_what_is_no_row(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(CohortError, match=problem):
        CohortRow.of(_values(**changed))


def test_a_negative_zero_becomes_zero() -> None:
    row = CohortRow.of(_values(a_slice_offset_mm=-0.0))
    assert repr(row["a_slice_offset_mm"]) == "0.0"


def test_a_row_is_a_frozen_mapping() -> None:
    row = _row(make_reading())
    assert list(row) == list(NAMES)
    assert CohortRow.of(dict(row)) == row
    assert len({row, CohortRow.of(dict(row))}) == 1
    with pytest.raises(AttributeError):
        row.cells = ()  # type: ignore[misc]
    with pytest.raises(KeyError):
        row["colour"]


def test_a_row_travels_between_processes() -> None:
    row = _row(make_reading(0.1, 300.2))
    assert repr(pickle.loads(pickle.dumps(row))) == repr(row)


def test_words_become_plain_text() -> None:
    row = _row(make_reading())
    assert type(row["ha_risk"]) is str
    assert row["ha_risk"] == HaRisk.LOW
    assert type(row["ha_grade"]) is int
