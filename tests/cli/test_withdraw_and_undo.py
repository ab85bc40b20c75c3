"""A reading, a record, a whole import is taken back, and all of it is accounted for."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hipmaker import make_reading
from postgres import new_place

from necroangle.annotation import encode_reading, file_name
from necroangle.cli import cli
from necroangle.clinical import open_table, plan_import, write_import
from necroangle.clinical.undoing import imports_of, plan_undo, undo_import
from necroangle.cohort import CohortStore
from necroangle.entries import KINDS
from necroangle.errors import CohortError
from necroangle.ledger.records import QUERY, Entry
from necroangle.study import init_study

TABLE = """\
subject,side,visit,visit_date,arco,vas,vas_scale
KT-001,L,m00,2020-01-06,2,60,100
KT-001,L,m12,2021-01-06,3A,30,100
KT-002,R,m00,2020-02-06,1,50,100
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = init_study(tmp_path / "study", "onfh", readers=("r1",))
    monkeypatch.chdir(made.folder)
    Path("visits.csv").write_text(TABLE)
    return made.folder


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CohortStore:
    return CohortStore.open(new_place(request.param, tmp_path))


def put(subject: str, visit: str = "m00") -> None:
    reading = make_reading(subject=subject, visit=visit)
    Path("readings", file_name(reading)).write_bytes(encode_reading(reading))


WHO = ("--as", "kim", "--reason", "wrong patient")


def test_a_withdrawn_reading_counts_nowhere(study: Path) -> None:
    put("KT-001")
    put("KT-999")
    run("measure", "readings")
    told = run("withdraw", "reading", "KT-999", "l", "m00", "r1", *WHO)
    assert told.stdout == "withdrawn: reading KT-999 L m00 r1 1, 1 row\n"
    assert run("verify").exit_code == 0
    assert "KT-999" not in run("table", "--csv").stdout
    assert run("measure", "readings").exit_code == 1
    assert "KT-999" not in run("table", "--csv").stdout
    assert run("withdraw", "reading", "KT-999", "L", "m00", "r1", *WHO).exit_code == 2
    back = run("withdraw", "reading", "KT-999", "L", "m00", "r1", "--put-back", *WHO)
    assert back.exit_code == 0
    assert run("measure", "readings").exit_code == 0
    assert "KT-999" in run("table", "--csv").stdout
    assert run("verify").exit_code == 0


def test_a_subject_goes_with_all_that_belongs_to_it(study: Path) -> None:
    run("import", "visits.csv", "--as", "kim")
    put("KT-001")
    run("measure", "readings")
    alone = run("withdraw", "subject", "KT-001", *WHO)
    assert isinstance(alone.exception, CohortError)
    assert "--with-children" in str(alone.exception)
    told = run("withdraw", "subject", "KT-001", "--with-children", *WHO)
    assert told.stdout.splitlines() == [
        "withdrawn: visit KT-001 L m12",
        "withdrawn: visit KT-001 L m00",
        "withdrawn: hip KT-001 L",
        "withdrawn: subject KT-001",
        "withdrawn: reading KT-001 L m00 r1 1",
    ]
    assert run("verify").exit_code == 0
    store = CohortStore.open("cohort.sqlite")
    assert [record.key[0] for kind in KINDS for record in store.current(kind)] == ["KT-002"] * 3
    assert "KT-001" not in run("outcome", "--csv").stdout


def test_an_import_is_undone_as_if_it_had_not_been(study: Path) -> None:
    run("import", "visits.csv", "--as", "kim")
    assert "3 imports" not in run("undo").stdout
    (line, count) = run("undo").stdout.splitlines()
    assert line.endswith("subject 2, hip 2, visit 3  stands")
    assert count == "1 import"
    digest = line.split()[0]
    dry = run("undo", digest, "--dry-run")
    assert dry.exit_code == 0
    assert "7 withdrawn, 0 as before" in dry.stdout
    assert len(CohortStore.open("cohort.sqlite").current("visit")) == 3
    assert run("undo", "visits.csv", *WHO).exit_code == 0
    store = CohortStore.open("cohort.sqlite")
    assert not any(store.current(kind) for kind in (*KINDS, QUERY))
    assert run("verify").exit_code == 0
    again = run("undo", digest, *WHO)
    assert "nothing of it stands" in str(again.exception)
    assert (
        run("import", "visits.csv", "--as", "kim", "--update", "--reason", "right").exit_code == 0
    )
    assert run("undo", digest, *WHO).exit_code == 0


def imported(store: CohortStore, folder: Path, text: str, why: str = "") -> str:
    path = folder / "t.csv"
    path.write_text(text)
    table = open_table(path)
    write_import(store, plan_import(store, table, update_reason=why), actor="kim")
    return table.sha256


def contents(store: CohortStore) -> dict[tuple[str, ...], object]:
    return {(kind, *one.key): one.values for kind in KINDS for one in store.current(kind)}


def test_values_come_back_as_they_were(store: CohortStore, tmp_path: Path) -> None:
    imported(store, tmp_path, TABLE)
    before = contents(store)
    digest = imported(store, tmp_path, TABLE.replace("60,100", "70,100"), "read again")
    assert contents(store) != before
    plan = plan_undo(store, digest)
    assert undo_import(store, plan, actor="kim", reason="wrong file").changed == 1
    assert contents(store) == before
    assert [run.standing for run in imports_of(store)][-1] == 0


def test_what_was_changed_since_is_left_and_what_it_needs_stays(
    store: CohortStore, tmp_path: Path
) -> None:
    digest = imported(store, tmp_path, TABLE)
    key = ("KT-001", "L", "m12")
    store.record([Entry("visit", key, {"arco": "4"}, "radiograph", None)], actor="lee")
    store.record([Entry("event", ("KT-002", "R", "tha", "1"), {}, "", None)], actor="lee")
    plan = plan_undo(store, digest)
    assert plan.changed == ("visit KT-001 L m12",)
    assert plan.kept == ("hip KT-001 L", "hip KT-002 R", "subject KT-001", "subject KT-002")
    undo_import(store, plan, actor="kim", reason="wrong file")
    assert set(contents(store)) == {
        ("subject", "KT-001"),
        ("subject", "KT-002"),
        ("hip", "KT-001", "L"),
        ("hip", "KT-002", "R"),
        ("visit", *key),
        ("event", "KT-002", "R", "tha", "1"),
    }


def test_later_changes_forbid_the_undoing_until_they_may_be_left(study: Path) -> None:
    run("import", "visits.csv", "--as", "kim")
    run("edit", "visit", "KT-001", "L", "m12", "--set", "vas=35", *WHO)
    told = run("undo", "visits.csv", *WHO)
    assert told.exit_code == 1
    assert "changed since, left as it is: visit KT-001 L m12" in told.stderr
    assert len(CohortStore.open("cohort.sqlite").current("visit")) == 3
    assert run("undo", "visits.csv", "--leave-changed", *WHO).exit_code == 0
    assert [one.key[2] for one in CohortStore.open("cohort.sqlite").current("visit")] == ["m12"]
    assert run("verify").exit_code == 0
