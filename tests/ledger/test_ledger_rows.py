"""Measured rows in the ledger: what changed is told once, with the reading that it came from."""

from pathlib import Path

import pytest
from hipmaker import make_reading
from ledgertools import READINGS, filled_cohort
from msgspec.structs import replace
from postgres import new_place

from necroangle.annotation import HipReading, encode_reading, sha256_of
from necroangle.cohort import Changes, CohortRow, CohortStore, to_row
from necroangle.errors import CohortError
from necroangle.ledger.verify import verify
from necroangle.measurement import measure


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CohortStore:
    return CohortStore.open(new_place(request.param, tmp_path))


def measured(reading: HipReading) -> tuple[CohortRow, str, bytes]:
    raw = encode_reading(reading)
    return to_row(reading, measure(reading), sha256_of(raw)), sha256_of(raw), raw


def test_rows_and_readings_come_back_bit_for_bit(store: CohortStore) -> None:
    some = [measured(reading) for reading in READINGS]
    rows = [row for row, _, _ in some]
    readings = {sha256: raw for _, sha256, raw in some}
    assert store.upsert(rows, readings, "kim") == Changes(inserted=len(rows))
    assert [repr(row) for row in store.rows()] == [
        repr(row) for row in sorted(rows, key=lambda row: row.key)
    ]
    assert dict(store.contents()) == readings
    head = verify(store).head
    assert store.upsert(rows, readings, "lee") == Changes(unchanged=len(rows))
    assert verify(store).head == head, "twice the same is told once"
    assert verify(store).counts.recomputed == len(rows)


def test_a_reading_saved_again_is_a_new_event_and_the_old_one_stays(store: CohortStore) -> None:
    reading = make_reading()
    again = replace(reading, saved_at="2026-02-28T08:15:00.000Z")
    for one in (reading, again):
        row, sha256, raw = measured(one)
        store.upsert([row], {sha256: raw}, "kim")
    events = store.history("reading_file", ("S01", "L", "m00", "r1", "1"))
    assert [event.action for event in events] == ["create", "change"]
    assert [event.values and event.values["sha256"] for event in events] == [
        sha256_of(encode_reading(one)) for one in (reading, again)
    ]
    key = tuple(map(str, row.key))
    assert [event.action for event in store.history("measurement", key)] == ["create", "change"]
    values = store.history("measurement", key)[1].values
    assert values == dict(row)
    with pytest.raises(CohortError, match=r"measured rows are given by rows\(\)"):
        store.current("measurement")
    assert len(dict(store.contents())) == 2
    assert verify(store).is_clean


def test_a_row_first_without_its_reading_gets_it_later(store: CohortStore) -> None:
    row, sha256, raw = measured(make_reading())
    store.upsert([row])
    assert verify(store).counts.without_marks == 1
    assert store.upsert([row], {sha256: raw}) == Changes(unchanged=1)
    assert verify(store).counts.recomputed == 1


@pytest.mark.parametrize(
    ("sha256", "raw", "problem"),
    [
        ("0" * 64, b"{}", "no row was measured from the reading 000000000000..."),
        (None, b"{}", "has other bytes than its hash says"),
    ],
)
def test_a_reading_that_is_not_the_rows_is_refused(
    store: CohortStore, sha256: str | None, raw: bytes, problem: str
) -> None:
    row, right, _ = measured(make_reading())
    with pytest.raises(CohortError, match=problem):
        store.upsert([row], {sha256 or right: raw})
    assert store.rows() == ()


def test_a_withdrawn_row_leaves_the_table_and_stays_in_the_history(store: CohortStore) -> None:
    row, sha256, raw = measured(make_reading())
    store.upsert([row], {sha256: raw}, "kim")
    with pytest.raises(CohortError, match="say why"):
        store.withdraw_rows([row.key], actor="lee", reason=" ")
    assert store.withdraw_rows([row.key, row.key], actor="lee", reason="other patient") == 1
    assert store.rows() == ()
    last = store.history("measurement", tuple(map(str, row.key)))[-1]
    assert (last.action, last.reason, last.values) == ("withdraw", "other patient", None)
    assert store.rebuild() == 0
    assert store.upsert([row]) == Changes(inserted=1)
    assert verify(store).is_clean


def test_a_table_in_a_study_is_rebuilt_bit_for_bit(store: CohortStore, tmp_path: Path) -> None:
    store = filled_cohort(tmp_path / "own.sqlite", tmp_path / "readings")
    before = list(map(repr, store.rows()))
    assert store.rebuild() == len(before)
    assert list(map(repr, store.rows())) == before
