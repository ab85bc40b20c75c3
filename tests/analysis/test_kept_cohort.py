"""The analysis set of a kept cohort: which reading stands, and what a row may say after the hip."""

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from hipmaker import make_reading
from msgspec.structs import replace
from postgres import new_place

from necroangle.analysis.stored import analysis_of, united_readings
from necroangle.annotation import HipReading, encode_reading, sha256_of
from necroangle.cli.records.table import command as table
from necroangle.cohort import CohortRow, CohortStore, hip_visits, load, to_row
from necroangle.ledger.records import Entry
from necroangle.measurement import measure
from necroangle.protocol.study import NO_STUDY
from necroangle.terms import ArcoStage, JicType


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CohortStore:
    return CohortStore.open(new_place(request.param, tmp_path))


def measured(reading: HipReading) -> tuple[CohortRow, str, bytes]:
    raw = encode_reading(reading)
    return to_row(reading, measure(reading), sha256_of(raw)), sha256_of(raw), raw


def keep(store: CohortStore, *readings: HipReading) -> list[str]:
    """The readings in the cohort, measured; their hashes."""
    some = [measured(reading) for reading in readings]
    store.upsert([row for row, _, _ in some], {sha256: raw for _, sha256, raw in some})
    return [sha256 for _, sha256, _ in some]


def run(*arguments: str) -> str:
    return CliRunner().invoke(table, arguments, catch_exceptions=False).stdout


def chosen_in(store: CohortStore, *readers: str) -> list[tuple[str, str, str, int]]:
    """Visit, reader, rule and number of reads of every hip visit that has a reading."""
    found = analysis_of(store, replace(NO_STUDY, readers=readers))
    return [
        (one.planned.name, one.read.reader, one.read.rule, one.read.reads)
        for course in found.courses
        for one in course.visits
        if one.read
    ]


def test_one_row_stands_for_a_hip_at_a_visit_by_a_stated_rule(store: CohortStore) -> None:
    reads = [
        make_reading(100.0 + number, reader=reader, read_no=number)
        for reader, number in (("r2", 1), ("r2", 2), ("r1", 1), ("r1", 3))
    ]
    other = make_reading(90.0, visit="m06", reader="r2")
    hashes = keep(store, *reads, other)
    assert chosen_in(store) == [
        ("m00", "r1", "first read of r1 (first by name, no reader stated)", 4),
        ("m06", "r2", "only reader r2", 1),
    ]
    stated = [(reader, rule) for _, reader, rule, _ in chosen_in(store, "r2", "r1")]
    assert stated == [("r2", "first read of r2")] * 2
    assert [visit for visit, *_ in chosen_in(store, "r1")] == ["m00"]
    agreed = replace(reads[1], read_no=9, reader="r9", consensus_of=(hashes[1], hashes[2]))
    keep(store, agreed)
    assert chosen_in(store, "r1")[0] == ("m00", "r9", "consensus", 5)


def test_a_consensus_unites_two_kept_readings_of_its_hip_visit_and_no_name_makes_one(
    tmp_path: Path,
) -> None:
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    first, second = make_reading(100.0, reader="alice"), make_reading(110.0, reader="bob")
    elsewhere = make_reading(90.0, visit="m06", reader="bob")
    hashes = keep(store, first, second, elsewhere)
    named = make_reading(170.0, reader="consensus")
    one = replace(named, reader="c1", consensus_of=(hashes[0],))
    foreign = replace(named, reader="c2", consensus_of=(hashes[0], hashes[2]))
    gone = replace(named, reader="c3", consensus_of=(hashes[0], "f" * 64))
    twice = replace(named, reader="c4", consensus_of=(hashes[0], hashes[0]))
    keep(store, named, one, foreign, gone, twice)
    assert chosen_in(store, "alice")[0][1:3] == ("alice", "first read of alice")
    assert chosen_in(store)[0][1] == "alice"
    assert {len(kept) for kept in united_readings(store).values()} == {1}
    notes = list(analysis_of(store).reader_notes())
    assert notes == [
        "4 readings named as adjudicated unite fewer than two kept readings: no consensus, but "
        "their reader's own"
    ]
    true = replace(named, reader="zoe", consensus_of=(hashes[0], hashes[1]))
    keep(store, true)
    assert chosen_in(store, "alice")[0][1:3] == ("zoe", "consensus")


def test_of_several_consensus_readings_the_last_stands(tmp_path: Path) -> None:
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    pair = keep(store, make_reading(100.0, reader="a"), make_reading(110.0, reader="b"))
    for number, angle in ((2, 130.0), (1, 120.0), (3, 140.0)):
        joint = make_reading(angle, reader="joint", read_no=number)
        keep(store, replace(joint, consensus_of=tuple(pair)))
    (visit,) = analysis_of(store).courses[0].visits
    assert visit.read is not None
    assert (visit.read.reader, visit.read.read_no, visit.read.is_consensus) == ("joint", 3, True)


def test_a_consensus_still_unites_a_reading_that_was_revised_since(tmp_path: Path) -> None:
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    pair = keep(store, make_reading(100.0, reader="a"), make_reading(110.0, reader="b"))
    keep(store, replace(make_reading(125.0, reader="joint"), consensus_of=tuple(pair)))
    keep(store, make_reading(105.0, reader="a"))  # the first one's bytes stay in the ledger
    assert chosen_in(store)[0][1:3] == ("joint", "consensus")


@pytest.mark.parametrize(
    ("event", "state", "status"),
    [("tha", "censored_tha", "prosthesis"), ("death", "censored_death", "not_done")],
)
def test_after_replacement_or_death_a_data_frame_has_no_value_of_the_hip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str, state: str, status: str
) -> None:
    place = tmp_path / "cohort.sqlite"
    store = CohortStore.open(place)
    entered = {"arco": ArcoStage.STAGE_3A, "jic": JicType.C1}
    both = [make_reading(visit=visit, **entered) for visit in ("m00", "m24")]  # type: ignore[arg-type]
    keep(store, *both)
    days = (("m00", "2020-01-10"), ("m24", "2022-01-10"))
    hip = ("S01", "L")
    store.record(
        [
            *(Entry("visit", (*hip, visit), {"visit_date": day}) for visit, day in days),
            Entry("event", (*hip, event, "1"), {"event_date": "2021-06-01"}),
        ],
        actor="test",
    )
    frame = load(place).set_index("visit")
    assert list(frame["visit_state"]) == ["observed", state]
    before, after = frame.loc["m00"], frame.loc["m24"]
    assert before["cna_deg"] > 0
    assert (before["arco"], before["jic"]) == ("3A", "C1")
    assert (after["a_status"], after["b_status"]) == (status, status)
    assert ("censored_by_tha" in after["flags"]) is (event == "tha")
    told = {"subject", "laterality", "reader", "read_no", "method", "method_version", "modality"}
    told |= {"a_view", "b_view", "a_status", "b_status", "index_refused", "flags", "centre"}
    told |= {"annotation_sha256", "software_version", "visit_state"}
    assert set(after.dropna().index) == told
    monkeypatch.chdir(tmp_path)
    printed = pd.read_csv(io.StringIO(run("--csv"))).set_index("visit")
    assert list(printed["cna_deg"].isna()) == [False, True]
    kept = pd.read_csv(io.StringIO(run("--csv", "--as-kept"))).set_index("visit")
    assert list(kept["cna_deg"].isna()) == [False, False]
    visits = hip_visits(place).set_index("visit")
    assert list(visits["state"]) == ["observed", state]
    assert visits.loc["m24", ["cna_deg", "arco", "jic", "reader"]].isna().all()
