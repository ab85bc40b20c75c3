"""Backup and restore, erasure, audit trail and locked states, by their commands."""

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from keptstudy import make_kept_study
from ledgertools import READINGS
from postgres import new_place

from necroangle.annotation import encode_reading, sha256_of
from necroangle.cli import cli
from necroangle.cohort import CohortStore, to_row
from necroangle.errors import CohortError, NecroangleError
from necroangle.keeping.backup import make_backup, restore
from necroangle.keeping.erase import find_traces
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import verify
from necroangle.measurement import measure
from necroangle.study import Study, open_study

SUBJECT = READINGS[-1].subject
OTHERS = sorted({one.subject for one in READINGS} - {SUBJECT})
WHO = ("--as", "kim", "--reason", "consent of the patient was withdrawn")


@pytest.fixture(params=["sqlite", "postgresql"])
def study(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    folder = tmp_path / "study"
    folder.mkdir()
    monkeypatch.chdir(folder)
    url = "" if request.param == "sqlite" else str(new_place("postgresql", tmp_path))
    return make_kept_study(folder, url=url)


def store_of(study: Study) -> CohortStore:
    return CohortStore.open(study.cohort, create=False, study=study)


def run(*arguments: object, code: int = 0) -> Result:
    found = CliRunner().invoke(cli, [str(one) for one in arguments])
    if found.exception is not None and isinstance(found.exception, NecroangleError):
        assert code == 2, found.exception
        return Result(found.runner, b"", b"", str(found.exception).encode(), "", 2, None)
    assert found.exit_code == code, (found.output, found.exception)
    return found


def assert_clean(study: Study) -> None:
    found = verify(store_of(study), readings=study.readings)
    assert found.problems == ()


def test_a_backup_on_another_machine_comes_to_the_same_hash(study: Study, tmp_path: Path) -> None:
    before = store_of(study).canonical_sha256()
    backup = tmp_path / "kept.zip"
    assert f"canonical sha256: {before}" in run("backup", backup).output
    assert backup.stat().st_mode & 0o077 == 0, "the secret is in it"
    said = run("restore", backup, tmp_path / "elsewhere" / "study", "--verify").output
    assert f"canonical sha256: {before}" in said
    assert "the same as in the backup" in said
    assert "no problem was found" in said
    there = open_study(tmp_path / "elsewhere" / "study")
    assert_clean(there)
    assert there.cohort == there.folder / "cohort.sqlite"
    assert verify(store_of(there)).head == verify(store_of(study)).head


def test_a_backup_moves_to_a_server_and_back(tmp_path: Path) -> None:
    study = make_kept_study(tmp_path / "study")
    make_backup(study, tmp_path / "one.zip")
    url = str(new_place("postgresql", tmp_path))
    there = restore(tmp_path / "one.zip", tmp_path / "server", place=url)
    assert there.canonical_sha256 == there.manifest.canonical_sha256
    on_server = open_study(tmp_path / "server")
    assert on_server.cohort == url
    assert_clean(on_server)
    record = [Entry("subject", ("S09",), {"sex": "F"})]
    store_of(on_server).record(record, actor="kim")
    make_backup(on_server, tmp_path / "two.zip")
    restore(tmp_path / "two.zip", tmp_path / "back")
    assert_clean(open_study(tmp_path / "back"))


def test_a_backup_that_was_changed_is_refused_by_the_name_of_the_file(
    study: Study, tmp_path: Path
) -> None:
    make_backup(study, tmp_path / "kept.zip")
    spoilt = tmp_path / "spoilt.zip"
    with zipfile.ZipFile(tmp_path / "kept.zip") as old, zipfile.ZipFile(spoilt, "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            new.writestr(name, raw.replace(b"onfh", b"onfx") if name == "study.toml" else raw)
    with pytest.raises(CohortError, match=r"study\.toml was changed"):
        restore(spoilt, tmp_path / "elsewhere")
    raw = (tmp_path / "kept.zip").read_bytes()
    for size in (0, 10, len(raw) // 2, len(raw) - 5):
        spoilt.write_bytes(raw[:size])
        with pytest.raises(CohortError):
            restore(spoilt, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_later_events_are_given_up_by_name_and_reason_alone(tmp_path: Path) -> None:
    study = make_kept_study(tmp_path / "study")
    make_backup(study, tmp_path / "kept.zip")
    store_of(study).record([Entry("subject", ("S09",), {})], actor="kim")
    with pytest.raises(CohortError, match="17 events, the backup ends with event 16"):
        restore(tmp_path / "kept.zip", study.folder)
    done = restore(tmp_path / "kept.zip", study.folder, actor="kim", reason="the disk failed")
    assert done.given_up == 17
    found = verify(store_of(study), readings=study.readings)
    assert found.problems == ()
    assert any("events up to 17 were given up" in note for note in found.notes)
    assert store_of(study).record([Entry("subject", ("S10",), {})], actor="kim").created == 1
    assert verify(store_of(study)).is_clean
    assert list(study.folder.glob("cohort.sqlite.before-restore.bak"))


def test_a_patient_is_erased_and_everything_else_verifies(study: Study, tmp_path: Path) -> None:
    store = store_of(study)
    secret = "한글 free words 4711"
    key = (SUBJECT, "L", "m06")
    store.record([Entry("subject", (SUBJECT,), {"note": secret})], actor="nurse")
    store.record([Entry("hip", key[:2], {"ficat": "3"})], actor="nurse")
    store.record(
        [Entry("visit", key, {"vas": 8.7536, "vas_scale": 10}, f"said by phone {secret}")],
        actor="nurse",
    )
    asked = {"state": "open", "answer": f"{SUBJECT.lower()} or {SUBJECT}?"}
    store.record([Entry("query", ("S77", "names"), asked)], actor="nurse")
    reason = f"it was said of {SUBJECT.lower()}"
    store.record([Entry("subject", ("S77",), {"sex": "F"}, reason)], actor="nurse")
    alike = verify(store).counts.events
    run("export", "--to", "csv")
    assert SUBJECT in (study.exports / "long_reading" / "cohort.csv").read_text()
    (study.folder / "list.csv").write_text(f"x,{SUBJECT}\n")
    before = verify(store, readings=study.readings)
    theirs = [one for one in READINGS if one.subject == SUBJECT]

    shown = run("erase", SUBJECT, *WHO).output
    assert "nothing was erased" in shown
    assert verify(store, readings=study.readings) == before

    done = run("erase", SUBJECT, *WHO, "--yes").output
    assert f"{len(theirs)} kept reading" in done
    assert f"name this patient and stay: {alike}\n" in done, (
        "another patient's reason names them, nearly"
    )
    assert "removed: exports/long_reading" in done
    assert "look at, it names the patient or may: list.csv" in done
    after = verify(store, readings=study.readings)
    assert after.problems == ()
    assert after.counts.erased >= 3 + 2 * len(theirs)
    assert after.counts.rows == before.counts.rows - len(theirs)
    (study.folder / "list.csv").unlink()
    make_backup(study, tmp_path / "new.zip")
    shutil.unpack_archive(tmp_path / "new.zip", tmp_path / "unpacked")
    values = [
        *(SUBJECT.encode(), secret.encode(), b"8.7536"),
        *(sha256_of(encode_reading(one)).encode() for one in theirs),
    ]
    for folder in (study.folder, tmp_path / "unpacked"):
        for file in folder.rglob("*"):
            raw = file.read_bytes() if file.is_file() else b""
            assert [one for one in values if one in raw] == [], file
    assert store.current("visit", (SUBJECT,)) == []
    assert [one.key for one in store.current("subject", ("S77",))] == [("S77",)]
    assert store.current("query", ("S77",)) == []
    assert all(row.key.subject != SUBJECT for row in store.rows())
    with pytest.raises(CohortError, match="nothing is known of a patient"):
        find_traces(study, SUBJECT)


def test_a_server_keeps_nothing_of_an_erased_patient(tmp_path: Path) -> None:
    study = make_kept_study(tmp_path / "study", url=str(new_place("postgresql", tmp_path)))
    store = store_of(study)
    store.erase(SUBJECT, actor="kim", reason="consent withdrawn")
    with store.reading() as connection:
        for table in ("ledger", "cohort", "reading_content"):
            rows = connection.exec_driver_sql(f"SELECT t::text FROM {table} t").scalars().all()
            assert not any(f'"{SUBJECT}"' in row or f"({SUBJECT}," in row for row in rows)


def test_an_erasure_that_no_event_tells_is_refused_or_named(study: Study) -> None:
    store = store_of(study)
    statement = (
        "UPDATE ledger SET key = '', reason = '', payload = NULL, idempotency_key = NULL, "
        "salt = NULL WHERE seq = 3"
    )
    with (
        pytest.raises(CohortError, match="is append-only"),
        store._reported(),
        store._engine.begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    with pytest.raises(CohortError, match="without the patient's pseudonym"):
        store.erase(SUBJECT, actor="kim", reason=f"{SUBJECT} asked for it")


def test_a_patient_erased_after_a_backup_is_erased_when_it_is_put_back(tmp_path: Path) -> None:
    study = make_kept_study(tmp_path / "study")
    make_backup(study, tmp_path / "kept.zip")
    store_of(study).erase(SUBJECT, actor="kim", reason="consent withdrawn")
    done = restore(tmp_path / "kept.zip", study.folder, actor="kim", reason="the disk failed")
    assert done.erased_again == 1
    assert SUBJECT.encode() not in (study.folder / "cohort.sqlite").read_bytes()
    assert verify(store_of(study)).is_clean


def test_the_audit_trail_by_subject_person_kind_and_day(study: Study, tmp_path: Path) -> None:
    def trail(*asked: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(run("audit", *asked).output)))

    every = trail()
    assert [int(one["event"]) for one in every] == list(range(2, 17)), "the columns are not told"
    first = READINGS[0]
    measured = trail("--kind", "measurement", "--subject", first.subject)
    assert len(measured) == sum(one.subject == first.subject for one in READINGS)
    assert "cna_deg: " in measured[0]["change"]
    changed, _ = (one for one in trail("--kind", "visit") if one["action"] == "change")
    assert changed["change"] == "vas: 3.5 -> 4.5"
    assert (changed["actor"], changed["reason"]) == ("lee", "typing error")
    assert {one["kind"] for one in trail("--person", first.reader)} >= {"measurement"}
    assert trail("--until", "2020-01-01") == []
    assert len(trail("--since", "2020-01-01")) == len(every)
    assert all(bool(one["server_user"]) == ("://" in str(study.cohort)) for one in every)
    run("audit", "-o", study.reports / "audit.html")
    page = (study.reports / "audit.html").read_text()
    assert "vas: 3.5 -&gt; 4.5" in page
    assert run("verify").output.count("anchor") >= 1
    run("audit", "-o", tmp_path / "audit.txt", code=2)


def test_a_locked_state_is_frozen_named_and_opened(study: Study) -> None:
    store = store_of(study)
    assert "open: no state" in run("lock").output
    said = run("lock", "analysis-1", "--as", "kim", "--reason", "database lock").output
    assert store.canonical_sha256() in said
    with pytest.raises(CohortError, match="the state 'analysis-1' is locked since"):
        store.record([Entry("subject", ("S09",), {})], actor="kim")
    reading = READINGS[0]
    row = to_row(reading, measure(reading), "0" * 64)
    with pytest.raises(CohortError, match="is locked since"):
        store.upsert([row], actor="kim")
    assert "locked state: analysis-1" in run("export", "--to", "csv").output
    told = (study.exports / "long_reading" / "provenance.json").read_text()
    assert '"locked_state": "analysis-1"' in told
    run("lock", "other", "--as", "kim", "--reason", "x", code=2)
    assert "open again: analysis-1" in run("lock", "--open", "--as", "kim", "--reason", "a").output
    assert store.record([Entry("subject", ("S09",), {})], actor="kim").created == 1
    run("lock", "analysis-1", "--as", "kim", "--reason", "again", code=2)
    assert_clean(study)
