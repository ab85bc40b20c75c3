"""Nothing in the ledger is changed or removed, whoever tries and however."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from ledgertools import filled_cohort
from postgres import new_place
from sqlalchemy.exc import SQLAlchemyError

from necroangle.cohort import CohortStore
from necroangle.ledger.verify import verify

CHANGES = [
    "UPDATE ledger SET actor = 'x' WHERE seq = 1",
    "UPDATE ledger SET payload = NULL",
    "UPDATE ledger SET key = '', reason = '', payload = NULL, idempotency_key = NULL, salt = NULL",
    "DELETE FROM ledger WHERE seq = 2",
    "DELETE FROM ledger",
    "UPDATE reading_content SET content = ''",
    "DELETE FROM reading_content",
]
_CELLS = (
    "seq, at, server_at, server_user, 'x', kind, key, action, reason, payload, idempotency_key, "
    "salt, sealed, previous_hash, hash"
)
REPLACEMENTS = [
    f"INSERT OR REPLACE INTO ledger SELECT {_CELLS} FROM ledger WHERE seq = 2",
    "INSERT OR REPLACE INTO ledger SELECT "
    + _CELLS.replace("seq", "(SELECT max(seq) + 1 FROM ledger)")
    + " FROM ledger WHERE idempotency_key IS NOT NULL LIMIT 1",
    f"INSERT INTO ledger SELECT {_CELLS.replace('seq', '-1').replace('idempotency_key', 'NULL')} "
    "FROM ledger LIMIT 1",
    "INSERT OR REPLACE INTO reading_content SELECT sha256, x'00' FROM reading_content LIMIT 1",
    "UPDATE OR REPLACE ledger SET seq = 1 WHERE seq = 2",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guarded")
    filled_cohort(folder / "cohort.sqlite", folder / "readings")
    return folder / "cohort.sqlite"


@pytest.mark.parametrize("pragma", ["OFF", "ON"])
@pytest.mark.parametrize("statement", CHANGES + REPLACEMENTS)
def test_sqlite_refuses_any_other_program_too(file: Path, statement: str, pragma: str) -> None:
    before = file.read_bytes()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA recursive_triggers={pragma}")
        with pytest.raises(sqlite3.DatabaseError, match="is append-only"):
            connection.execute(statement)
    assert file.read_bytes() == before


def test_postgresql_refuses_too(tmp_path: Path) -> None:
    store = filled_cohort(new_place("postgresql", tmp_path), tmp_path / "readings")
    upsert = (
        f"INSERT INTO ledger SELECT {_CELLS} FROM ledger WHERE seq = 2 "
        "ON CONFLICT (seq) DO UPDATE SET actor = 'x'"
    )
    for statement in [*CHANGES, "TRUNCATE ledger", "TRUNCATE reading_content", upsert]:
        refused = pytest.raises(SQLAlchemyError, match="is append-only")
        with refused, store._engine.begin() as connection:
            connection.execute(sa.text(statement))
    assert verify(store, readings=tmp_path / "readings").is_clean


def test_postgresql_says_when_a_guard_was_taken_away_or_a_cell_changed(tmp_path: Path) -> None:
    store = filled_cohort(new_place("postgresql", tmp_path), tmp_path / "readings")
    with store._engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE ledger DISABLE TRIGGER ledger_erased"))
        connection.execute(sa.text("UPDATE ledger SET actor = 'x' WHERE seq = 3"))
        connection.execute(sa.text("UPDATE cohort SET cna_deg = 1 WHERE read_no = 2"))
    places = [f"{problem.part} {problem.place}" for problem in verify(store).problems]
    assert places[0] == "database guard ledger_erased"
    assert places[1].startswith("event 3 (measurement S01 L m00 r1 2")
    assert places[2].endswith("column cna_deg")
    assert len(places) == 3


def test_a_program_that_is_no_database_of_ours_is_not_asked(tmp_path: Path) -> None:
    """The guards belong to the tables, not to the connection: a new file has them at once."""
    CohortStore.open(tmp_path / "new.sqlite")
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as connection:
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        assert connection.execute(query).fetchone() == (7,)
