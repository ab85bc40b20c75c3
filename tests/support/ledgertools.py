"""A small cohort with all that a cohort can hold, and hands that reach into its file."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hipmaker import make_reading

from necroangle.annotation import encode_reading, file_name, sha256_of
from necroangle.cohort import CohortStore, to_row
from necroangle.ledger.records import Entry
from necroangle.measurement import measure
from necroangle.terms import UnreadReason, View

__all__ = ["filled_cohort", "reach_in"]

READINGS = (
    make_reading(130.0, 120.04),
    make_reading(131.0, 119.0, read_no=2),
    make_reading(0.0, 80.0, subject="홍길동"),
    make_reading(None, 80.0, subject="00123", reason=UnreadReason.PROSTHESIS),
    make_reading(200.0, 100.0, subject="S04", b_view=View.FROG_LEG),
)


def filled_cohort(place: Path | str, readings: Path) -> CohortStore:
    """A cohort with rows, kept readings, their files, and clinical records."""
    store = CohortStore.open(place)
    raws = [encode_reading(reading) for reading in READINGS]
    rows = [
        to_row(reading, measure(reading), sha256_of(raw))
        for reading, raw in zip(READINGS, raws, strict=True)
    ]
    store.upsert(rows, {sha256_of(raw): raw for raw in raws}, "r1")
    readings.mkdir()
    for reading, raw in zip(READINGS, raws, strict=True):
        (readings / file_name(reading)).write_bytes(raw)
    store.record(
        [
            Entry("subject", ("S01",), {"sex": "F", "age_years": 41.5}),
            Entry("hip", ("S01", "L"), {"ficat": "2"}),
            Entry("visit", ("S01", "L", "m06"), {"vas": 3.5, "vas_missing": None}),
        ],
        actor="nurse",
    )
    store.record([Entry("visit", ("S01", "L", "m06"), {"vas": 4.5}, "typing error")], actor="lee")
    return store


def reach_in(file: Path, statement: str, cells: Iterable[object] = ()) -> None:
    """Do what no program of the house does: change the file, its guards taken away."""
    with closing(sqlite3.connect(file)) as connection:
        guards = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, tuple(cells))
        for _, sql in guards:
            connection.execute(sql)
        connection.commit()
