"""A table of an earlier version becomes one of the present version: nothing is lost."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from ledgertools import reach_in
from postgres import new_place

from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.ledger import schema as ledger_schema
from necroangle.ledger.measured import RENAMED
from necroangle.ledger.records import Entry
from necroangle.ledger.schema import REVISION, ROWS, SCHEMA_VERSION
from necroangle.ledger.verify import verify

ARCHIVE = Path(__file__).parent / "archive" / "cohort_v1.sqlite"
SECOND = ARCHIVE.with_name("cohort_v2.sqlite")
ADDED_SINCE_2 = ["jic_stage", "steinberg", "steinberg_size", "a_weighting", "b_weighting"]
ADDED_SINCE_4 = [
    *("a_se_total", "b_se_total", "cna_se_total", "a_rim_middle_deg", "b_rim_middle_deg"),
    *("other_grade_p", "end_bias_mm", "end_dof", "end_source"),
]
ADDED_SINCE_5 = [
    *("a_moved_mm", "a_moved_se_mm", "b_moved_mm", "b_moved_se_mm"),
    *("a_slice_count", "b_slice_count"),
]
SAID = "seq, at, actor, kind, key, action, reason, payload, idempotency_key"
BACKUP = f"cohort.sqlite.before-{REVISION}.bak"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(ARCHIVE, tmp_path / "cohort.sqlite"))


def contents(file: Path) -> list[tuple[object, ...]]:
    """The rows, in the columns of the version that made them first, whatever they are called."""
    first = [RENAMED.get(name, name) for name in names(ARCHIVE)]
    asked = [name if name in names(file) else f"{_former(name)}" for name in first]
    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT {', '.join(asked)} FROM cohort ORDER BY 1, 2, 3, 4, 5, 6"
        return connection.execute(query).fetchall()


def _former(name: str) -> str:
    return next(old for old, new in RENAMED.items() if new == name)


def names(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(cohort)")]


def schema(file: Path) -> dict[str, str]:
    """What SQLite keeps of tables, indexes and triggers, white space aside."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: "".join(sql.split()).lower().replace('"', "") for name, sql in found}


def test_every_cell_stays_and_every_row_is_told_to_the_ledger(old: Path) -> None:
    before = contents(old)
    store = CohortStore.open(old, create=False)
    assert contents(old) == before
    assert sorted(row.key.subject for row in store.rows()) == ["00123", "S01", "S04", "홍길동"]
    result = verify(store)
    assert result.is_clean
    assert result.counts.events == 1 + len(before) + 1
    key = (*map(str, before[0][:6]),)
    (event,) = store.history("measurement", key)
    assert (event.actor, event.action) == ("migration", "create")
    assert event.values is not None
    assert list(event.values.values()) == list(before[0])


def test_a_table_of_version_2_keeps_rows_records_readings_and_chain(tmp_path: Path) -> None:
    old = Path(shutil.copy(SECOND, tmp_path / "cohort.sqlite"))
    before = contents(old)
    with closing(sqlite3.connect(old)) as connection:
        ledger = connection.execute(f"SELECT {SAID} FROM ledger ORDER BY seq").fetchall()
        head = connection.execute("SELECT hash FROM ledger_tail").fetchone()[0]
        kept = connection.execute("SELECT * FROM reading_content ORDER BY sha256").fetchall()
    store = CohortStore.open(old)
    assert contents(old) == before
    renamed = [RENAMED.get(name, name) for name in names(SECOND)]
    assert set(names(old)) == {*renamed, *ADDED_SINCE_2, *ADDED_SINCE_4, *ADDED_SINCE_5}
    new = (*ADDED_SINCE_2, *ADDED_SINCE_4, *ADDED_SINCE_5)
    assert all(row[name] is None for row in store.rows() for name in new)
    assert all(row["cna_se_marking"] for row in store.rows() if row["cna_deg"])
    assert [(row["arco"], row["jic"]) for row in store.rows()] == [
        ("2", "C1"),
        ("3A", None),
        (None, "B"),
    ]
    with closing(sqlite3.connect(old)) as connection:
        now = connection.execute(f"SELECT {SAID} FROM ledger ORDER BY seq").fetchall()
        assert now[:-1] == ledger
        assert now[-1][3] == "sealing"
        found = connection.execute("SELECT * FROM reading_content ORDER BY sha256").fetchall()
    assert found == kept
    result = verify(store, head=head)
    assert result.is_clean, "the old end is known by its hash"
    assert result.counts.anchors == 1
    assert result.counts.recomputed == 3, "readings of version 2 are measured again"
    (visit, _) = store.current("visit")
    assert visit.values["hhs_pain"] == 35.0, "points that stand there stay, published or not"
    assert old.with_name(BACKUP).is_file()


def test_the_backup_is_the_old_file_and_can_be_opened_again(old: Path) -> None:
    CohortStore.open(old)
    backup = old.with_name(BACKUP)
    assert contents(backup) == contents(ARCHIVE)
    assert schema(backup) == schema(ARCHIVE)
    found = sorted(file.name for file in old.parent.iterdir())
    assert found == [old.name, f"{old.name}.anchors", BACKUP]
    shutil.copy(backup, old)
    assert len(CohortStore.open(old).rows()) == 4
    assert old.with_name(f"cohort.sqlite.before-{REVISION}.2.bak").is_file()


def test_twice_opened_is_once_migrated(old: Path) -> None:
    store = CohortStore.open(old)
    store.record([Entry("subject", ("S01",), {"sex": "F"})], actor="kim")
    before = old.read_bytes()
    assert len(CohortStore.open(old).rows()) == 4
    assert old.read_bytes() == before


def test_a_migrated_table_is_made_like_a_new_one(old: Path, tmp_path: Path) -> None:
    CohortStore.open(old)
    CohortStore.open(tmp_path / "new.sqlite")
    migrated, new = schema(old), schema(tmp_path / "new.sqlite")
    assert migrated.keys() == new.keys()
    assert {name for name in new if migrated[name] != new[name]} == set()
    with (
        closing(sqlite3.connect(old)) as one,
        closing(sqlite3.connect(tmp_path / "new.sqlite")) as two,
    ):
        columns = [
            sorted(row[1:] for row in c.execute("PRAGMA table_info(cohort)")) for c in (one, two)
        ]
    assert columns[0] == columns[1], "the columns changed: write a script in migrations/versions"


def test_the_scripts_lead_to_the_present_version_in_one_line() -> None:
    scripts = ScriptDirectory(str(Path(ledger_schema.__file__).parent / "migrations"))
    assert scripts.get_heads() == [REVISION]
    assert scripts.get_bases() == ["v0001"]
    assert f"v{SCHEMA_VERSION:04}" == REVISION


def test_a_failure_in_the_middle_leaves_the_old_table(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (done)")
        connection.exec_driver_sql("DELETE FROM cohort")
        raise CohortError("the power went out")

    monkeypatch.setattr(ledger_schema, "_run", fail)
    with pytest.raises(CohortError, match=r"cohort\.sqlite: the power went out"):
        CohortStore.open(old)
    assert contents(old) == contents(ARCHIVE)
    assert schema(old) == schema(ARCHIVE)


def test_no_backup_no_migration(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CohortError, match=r"no backup could be written beside it .*No space left"):
        CohortStore.open(old)
    assert schema(old) == schema(ARCHIVE)
    assert [file.name for file in old.parent.iterdir()] == [old.name]


@pytest.mark.parametrize("version", [str(SCHEMA_VERSION + 1), "99", "new"])
def test_a_newer_version_is_refused_untouched(old: Path, version: str) -> None:
    reach_in(old, "UPDATE necroangle_meta SET value = ?", (version,))
    before = old.read_bytes()
    with pytest.raises(
        CohortError, match=f"version {version}, this necroangle knows {SCHEMA_VERSION}"
    ):
        CohortStore.open(old)
    assert old.read_bytes() == before
    assert [file.name for file in old.parent.iterdir()] == [old.name]


def test_alembic_is_not_imported_where_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom necroangle.cohort import CohortStore\n"
        f"CohortStore.open({str(tmp_path / 'c.sqlite')!r}).rows()\n"
        "print([name for name in ('alembic', 'mako', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_server_of_version_1_is_not_touched_before_a_dump(tmp_path: Path) -> None:
    place = new_place("postgresql", tmp_path)
    _make_version_1(str(place))
    with pytest.raises(CohortError, match="make a dump first"):
        CohortStore.open(place)
    store = CohortStore.open(place, dumped=True)
    assert len(store.rows()) == 4
    assert verify(store).is_clean
    assert verify(CohortStore.open(place)).counts.events == 6


def _make_version_1(url: str) -> None:
    engine = sa.create_engine(url)
    columns = names(ARCHIVE)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE necroangle_meta (name VARCHAR(64) PRIMARY KEY, "
                "value VARCHAR(64) NOT NULL)"
            )
        )
        connection.execute(sa.text("INSERT INTO necroangle_meta VALUES ('schema', '1')"))
        first = sa.Table("cohort", sa.MetaData(), *map(_as_it_was, columns))
        first.create(connection)
        rows = [dict(zip(columns, row, strict=True)) for row in contents(ARCHIVE)]
        connection.execute(first.insert(), rows)
    engine.dispose()


def _as_it_was(name: str) -> sa.Column[Any]:
    column = ROWS.c[RENAMED.get(name, name)]
    return sa.Column(name, column.type, primary_key=column.primary_key, nullable=column.nullable)
