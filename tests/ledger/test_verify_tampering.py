"""One byte changed anywhere, in a file, a row, a kept reading or an event, is found and named."""

import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hipmaker import make_reading
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgertools import READINGS, filled_cohort, reach_in

from necroangle.annotation import encode_reading, file_name, sha256_of
from necroangle.cohort import CohortStore, to_row
from necroangle.errors import CohortError
from necroangle.ledger.chain import LINK_COLUMNS, Link, link
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import Problem, verify
from necroangle.ledger.withdrawal import withdraw_reading
from necroangle.measurement import measure
from necroangle.measurement.columns import NAMES

ROWS = len(READINGS)
CHANGED = 60
"""So many bytes of the database file are changed, each alone."""
QUICK = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    filled_cohort(folder / "cohort.sqlite", folder / "readings")
    return folder


@pytest.fixture
def study(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "study")
    return tmp_path / "study"


def found(folder: Path, *, files: bool = False) -> tuple[Problem, ...]:
    store = CohortStore.open(folder / "cohort.sqlite", create=False)
    return verify(store, readings=folder / "readings" if files else None).problems


def restored(original: Path, study: Path) -> Path:
    shutil.copy(original / "cohort.sqlite", study / "cohort.sqlite")
    return study / "cohort.sqlite"


def test_an_untouched_cohort_is_clean_and_counted(study: Path) -> None:
    store = CohortStore.open(study / "cohort.sqlite")
    result = verify(store, readings=study / "readings")
    counts = result.counts
    assert result.problems == ()
    assert (counts.rows, counts.recomputed, counts.without_marks) == (ROWS, ROWS, 0)
    assert (counts.contents, counts.files, counts.records) == (ROWS, ROWS, 3)
    assert counts.events == 1 + 2 * ROWS + 4
    assert verify(store, workers=2, readings=study / "readings") == result


@QUICK
@given(st.data())
def test_one_byte_of_a_reading_file(original: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted((original / "readings").iterdir())))
    raw = file.read_bytes()
    place = data.draw(st.integers(0, len(raw) - 1))
    spoilt = bytes([raw[place] ^ data.draw(st.integers(1, 255))])
    try:
        file.write_bytes(raw[:place] + spoilt + raw[place + 1 :])
        problems = found(original, files=True)
    finally:
        file.write_bytes(raw)
    assert any(file.name in problem.place for problem in problems)
    assert {problem.part for problem in problems} == {"file"}


@QUICK
@given(st.data())
def test_one_cell_of_a_row(original: Path, study: Path, data: st.DataObject) -> None:
    file = restored(original, study)
    number = data.draw(st.integers(1, ROWS))
    column = data.draw(st.sampled_from(NAMES))
    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT subject, {column} FROM cohort WHERE rowid = ?"
        subject, old = connection.execute(query, (number,)).fetchone()
    new = data.draw(_others(old))
    try:
        reach_in(file, f"UPDATE cohort SET {column} = ? WHERE rowid = ?", (new, number))
    except (sqlite3.IntegrityError, OverflowError):
        return  # the column does not take it
    with closing(sqlite3.connect(file)) as connection:
        if repr(connection.execute(query, (number,)).fetchone()) == repr((subject, old)):
            return  # as the column keeps it, it is the same value
    problems = [problem for problem in found(study) if problem.part == "row"]
    assert any(subject in problem.place for problem in problems)
    if column not in NAMES[:6]:
        assert any(problem.place.endswith(f"column {column}") for problem in problems)


@QUICK
@given(st.data())
def test_one_cell_of_an_event(original: Path, study: Path, data: st.DataObject) -> None:
    file = restored(original, study)
    seq = data.draw(st.integers(1, 1 + 2 * ROWS + 4))
    column = data.draw(st.sampled_from(LINK_COLUMNS))
    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT {column} FROM ledger WHERE seq = ?"
        (old,) = connection.execute(query, (seq,)).fetchone()
    new = data.draw(_others(old))
    if column == "seq" and not isinstance(new, int):
        return
    try:
        reach_in(file, f"UPDATE ledger SET {column} = ? WHERE seq = ?", (new, seq))
    except sqlite3.IntegrityError:
        return
    with closing(sqlite3.connect(file)) as connection:
        if connection.execute(query, (seq,)).fetchone() == (old,):
            return
    named = [one.place.split(" ")[0] for one in found(study) if one.part == "event"]
    assert named
    assert column == "seq" or str(seq) in named


def _others(old: object) -> st.SearchStrategy[object]:
    """Other cells: one letter or digit off, another kind, nothing at all."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    some: st.SearchStrategy[object] = (
        st.none() | texts | st.binary(max_size=4) | st.just(float("inf"))
    )
    if isinstance(old, str) and old:
        places = st.integers(0, len(old) - 1)
        some |= places.map(lambda place: old[:place] + "~" + old[place + 1 :])
    elif isinstance(old, int | float):
        some |= st.sampled_from([old + 1, -old - 1, old * 1.0000000001 + 1e-9, str(old) + "0"])
    return some.filter(lambda new: repr(new) != repr(old))


@QUICK
@given(st.data())
def test_one_byte_of_a_kept_reading(original: Path, study: Path, data: st.DataObject) -> None:
    file = restored(original, study)
    with closing(sqlite3.connect(file)) as connection:
        kept = connection.execute("SELECT sha256, content FROM reading_content").fetchall()
    sha256, raw = data.draw(st.sampled_from(kept))
    place = data.draw(st.integers(0, len(raw) - 1))
    spoilt = raw[:place] + bytes([raw[place] ^ data.draw(st.integers(1, 255))]) + raw[place + 1 :]
    reach_in(file, "UPDATE reading_content SET content = ? WHERE sha256 = ?", (spoilt, sha256))
    (problem,) = found(study)
    assert problem.part == "reading"
    assert problem.problem == "its bytes were changed: the hash does not fit"
    (reading,) = (one for one in READINGS if sha256_of(encode_reading(one)) == sha256)
    assert problem.place.startswith(f"{reading.subject} L m00 r1 {reading.read_no} (event ")


def test_one_byte_of_the_database_file_is_found_or_does_not_matter(
    original: Path, study: Path
) -> None:
    chance = random.Random(6)
    before = _all_of(original / "cohort.sqlite")
    raw = (original / "cohort.sqlite").read_bytes()
    silent = 0
    for _ in range(CHANGED):
        place = chance.randrange(len(raw))
        spoilt = bytes([raw[place] ^ (1 << chance.randrange(8))])
        (study / "cohort.sqlite").write_bytes(raw[:place] + spoilt + raw[place + 1 :])
        try:
            problems = found(study)
        except CohortError:
            continue  # refused at the door
        if not problems:
            silent += 1
            assert _all_of(study / "cohort.sqlite") == before, f"byte {place} changed unnoticed"
    assert silent < CHANGED


def _all_of(file: Path) -> list[object]:
    with closing(sqlite3.connect(file)) as connection:
        tables = ("cohort", "ledger", "reading_content")
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


STATEMENTS = {
    "row removed": ("DELETE FROM cohort WHERE subject = 'S04'", "row S04 L m00, reader r1"),
    "row added": (
        "INSERT INTO cohort SELECT 'S99', " + ", ".join(NAMES[1:]) + " FROM cohort LIMIT 1",
        "row S99 L m00, reader r1, read 1, method .*: the ledger has no such row",
    ),
    "event removed": ("DELETE FROM ledger WHERE seq = 3", "event 4 .*: before it, event 3 is mis"),
    "last event removed": (
        "DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)",
        "event 14: is the last one, but the ledger ended with event 15",
    ),
    "kept reading removed": (
        "DELETE FROM reading_content WHERE sha256 = (SELECT min(sha256) FROM reading_content)",
        r"reading .* L m00 r1 . \(event \d+\): is not kept any more",
    ),
    "kept reading added": (
        "INSERT INTO reading_content VALUES ('00', x'00')",
        "reading 00.*: no event tells of it",
    ),
    "tail changed": ("UPDATE ledger_tail SET hash = '0'", "event 15: is the last one, but"),
    "guard removed": ("DROP TRIGGER ledger_no_update", "guard ledger_no_update: is missing"),
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_what_was_removed_or_added_is_named(study: Path, what: str) -> None:
    statement, wanted = STATEMENTS[what]
    if what == "guard removed":
        with closing(sqlite3.connect(study / "cohort.sqlite")) as connection:
            connection.execute(statement)
    else:
        reach_in(study / "cohort.sqlite", statement)
    assert any(_matches(wanted, str(problem)) for problem in found(study))


def _matches(wanted: str, text: str) -> bool:
    return re.search(wanted, text) is not None


def test_texts_that_are_no_utf8_are_named(study: Path) -> None:
    file = study / "cohort.sqlite"
    reach_in(file, "UPDATE cohort SET radius_prior_source = CAST(x'ff41' AS TEXT) WHERE rowid = 2")
    reach_in(file, "UPDATE ledger SET actor = CAST(x'ff41' AS TEXT) WHERE seq = 15")
    first, second = found(study)
    assert first.place == "15 (visit S01 L m06)"
    assert second.place.endswith("column radius_prior_source")


def test_nothing_is_chained_to_an_end_that_was_tampered_with(study: Path) -> None:
    reach_in(study / "cohort.sqlite", STATEMENTS["last event removed"][0])
    store = CohortStore.open(study / "cohort.sqlite")
    with pytest.raises(CohortError, match="end of the ledger was tampered with"):
        store.record([Entry("subject", ("S02",), {})], actor="kim")


def test_a_ledger_rewritten_from_end_to_end_meets_the_marks_and_the_noted_hash(study: Path) -> None:
    """Somebody changes an angle, and every hash after it, so that the chain holds again."""
    file = study / "cohort.sqlite"
    noted = verify(CohortStore.open(file)).head
    with closing(sqlite3.connect(file)) as connection:
        columns = ", ".join(LINK_COLUMNS)
        links = connection.execute(f"SELECT {columns} FROM ledger ORDER BY seq").fetchall()
    reach_in(file, "UPDATE cohort SET cna_deg = cna_deg - 30.0 WHERE read_no = 2")
    reach_in(file, "DELETE FROM ledger")
    for one in _rewritten(links):
        marks = ", ".join("?" * len(one))
        reach_in(file, f"INSERT INTO ledger VALUES ({marks})", one)
        reach_in(file, "UPDATE ledger_tail SET hash = ?", (one.hash,))
    store = CohortStore.open(file)
    problems = verify(store).problems
    assert {one.part for one in problems} == {"anchor", "row"}
    (problem,) = (one for one in problems if one.part == "row")
    assert problem.place.startswith("S01 L m00, reader r1, read 2, method ")
    assert problem.place.endswith(", column cna_deg")
    assert "drift 30 deg" in problem.problem
    (rewritten,) = (one for one in verify(store, head=noted).problems if one.part == "event")
    assert rewritten.problem == "no event has this hash: the ledger was rewritten"


def _rewritten(links: list[tuple[Any, ...]]) -> Iterator[Link]:
    previous = "0" * 64
    for old in map(Link._make, links):
        payload = old.payload
        if old.kind == "measurement" and old.key.split(",")[4] == '"2"':
            cells = msgspec.json.decode(str(payload))
            cells[1 + NAMES.index("cna_deg")] -= 30.0
            payload = msgspec.json.encode(cells).decode()
        said = (old.kind, old.key, old.action, old.reason, payload, old.idempotency_key)
        one = link(previous, old.seq, old[1:5], said, str(old.salt))
        yield one
        previous = one.hash


@pytest.mark.parametrize(
    "column",
    ["cna_low_deg", "a_high_deg", "cna_se_total", "b_se_marking", "ha_grade_2_p", "other_grade_p"],
)
def test_a_number_beside_the_angle_that_was_tampered_with_everywhere_is_found(
    tmp_path: Path, column: str
) -> None:
    """In the row, in its event, and in the chain after it: its reading says otherwise."""
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    reading = make_reading(110.0, 95.0)
    raw = encode_reading(reading)
    row = to_row(reading, measure(reading), sha256_of(raw))
    wrong = type(row).of({**row, column: float(str(row[column])) * 1.01 + 0.001})
    store.upsert([wrong], {sha256_of(raw): raw})
    (problem,) = verify(store).problems
    assert problem.place.endswith(f"column {column}")
    assert "drift" in problem.problem


def test_a_small_drift_is_told_and_a_smaller_one_is_not(tmp_path: Path) -> None:
    reading = make_reading()
    raw = encode_reading(reading)
    row = to_row(reading, measure(reading), sha256_of(raw))
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    for drift, count in ((5e-10, 0), (2e-9, 1)):
        drifted = type(row).of({**row, "a_deg": float(str(row["a_deg"])) + drift})
        store.upsert([drifted], {sha256_of(raw): raw})
        assert len(verify(store).problems) == count


def test_files_that_have_no_row_and_rows_that_have_no_file(study: Path) -> None:
    folder = study / "readings"
    stranger = make_reading(subject="S77")
    (folder / file_name(stranger)).write_bytes(encode_reading(stranger))
    (folder / file_name(READINGS[4])).unlink()
    (folder / file_name(READINGS[0])).write_bytes(
        encode_reading(READINGS[0]).replace(b'"notes": ""', b'"notes": "x"')
    )
    lines = [str(problem) for problem in found(study, files=True)]
    assert lines[0] == (
        "file S01__L__m00__r1__1.reading.json: changed in line " + lines[0].split("line ")[1]
    )
    assert '("notes": "",)' in lines[0]
    assert lines[1].startswith("file S04 L m00 r1 1: no file holds the reading")
    assert lines[2].startswith("file S77__L__m00__r1__1.reading.json: an orphan")
    assert len(lines) == 3


def _cut_off(*_: object) -> int:
    raise KeyboardInterrupt


def test_files_that_were_exchanged_and_a_withdrawn_one_that_was_changed(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CohortStore.open(study / "cohort.sqlite")
    first, second, third = (study / "readings" / file_name(READINGS[place]) for place in (0, 1, 2))
    raw = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(raw)
    gone = tuple(map(str, READINGS[2].key))
    with monkeypatch.context() as cut:
        cut.setattr("necroangle.ledger.withdrawal.withdraw_rows", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            withdraw_reading(store, gone, actor="kim", reason="the wrong hip")  # type: ignore[arg-type]
    assert store.current("withdrawn_reading") == [], "both are written, or neither"
    withdraw_reading(store, gone, actor="kim", reason="the wrong hip")  # type: ignore[arg-type]
    lines = [str(problem) for problem in found(study, files=True)]
    assert len(lines) == 2
    assert all("its name denies: files were exchanged" in line for line in lines)
    third.write_bytes(third.read_bytes().replace(b'"notes": ""', b'"notes": "x"'))
    assert any(
        third.name in str(one) and "withdrawn, and changed since" in str(one)
        for one in found(study, files=True)
    )


def test_an_old_version_brought_back_is_told(study: Path) -> None:
    store = CohortStore.open(study / "cohort.sqlite")
    reading = make_reading(140.0, 120.04)
    raw = encode_reading(reading)
    store.upsert([to_row(reading, measure(reading), sha256_of(raw))], {sha256_of(raw): raw}, "r1")
    (problem,) = found(study, files=True)
    assert "older version" in problem.problem
    (study / "readings" / file_name(reading)).write_bytes(raw)
    assert found(study, files=True) == ()
    events = store.history("reading_file", ("S01", "L", "m00", "r1", "1"))
    assert [event.action for event in events] == ["create", "change"]


def test_rows_whose_marks_are_in_files_alone_are_measured_from_them(tmp_path: Path) -> None:
    reading = make_reading()
    raw = encode_reading(reading)
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    store.upsert([to_row(reading, measure(reading), sha256_of(raw))])
    assert verify(store).counts.without_marks == 1
    (tmp_path / "a.reading.json").write_bytes(raw)
    assert verify(store, readings=tmp_path).counts.recomputed == 1
    with pytest.raises(CohortError, match="no such folder"):
        verify(store, readings=tmp_path / "nowhere")


def test_a_tampered_table_is_rebuilt_from_the_ledger(study: Path) -> None:
    store = CohortStore.open(study / "cohort.sqlite")
    before = store.rows()
    reach_in(study / "cohort.sqlite", "UPDATE cohort SET cna_deg = 1.0, a_status = 'necrosis'")
    reach_in(study / "cohort.sqlite", "DELETE FROM cohort WHERE subject = 'S04'")
    assert store.rebuild() == ROWS
    assert store.rows() == before
    assert found(study) == ()


def test_a_clinical_record_that_belongs_to_nothing_is_named(study: Path) -> None:
    store = CohortStore.open(study / "cohort.sqlite")
    some = [Entry("hip", ("S55", "R"), {}), Entry("event", ("S01", "R", "tha", "1"), {})]
    store.record([*some, Entry("hip", ("S01", "L"), None)], actor="kim")
    assert [f"{problem.part} {problem.place}" for problem in found(study)] == [
        "record event S01 R tha 1",
        "record hip S55 R",
        "record visit S01 L m06",
    ]
