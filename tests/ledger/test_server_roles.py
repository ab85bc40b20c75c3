"""Roles on a server: a forbidden act is refused by the server itself, whatever program asks."""

import threading
from itertools import count
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from hipmaker import make_reading
from postgres import new_place
from sqlalchemy.exc import SQLAlchemyError

from necroangle.annotation import encode_reading, sha256_of
from necroangle.cli import cli
from necroangle.cohort import CohortStore, to_row
from necroangle.errors import CohortError
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import verify
from necroangle.measurement import measure

NUMBERS = count(1)
FORBIDDEN = {
    "reader": [
        "SELECT content FROM reading_content",
        "DELETE FROM cohort",
        "UPDATE ledger SET actor = 'x'",
        "CREATE TABLE mine (x int)",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP POLICY ledger_seen ON ledger",
        "DELETE FROM ledger",
        "TRUNCATE cohort",
        "UPDATE necroangle_meta SET value = '1'",
        "SET ROLE tester",
        "SET session_replication_role = replica",
    ],
    "statistician": [
        "INSERT INTO ledger SELECT * FROM ledger LIMIT 1",
        "UPDATE cohort SET cna_deg = 0",
        "DELETE FROM cohort",
        "UPDATE ledger_tail SET seq = 0",
        "INSERT INTO reading_content VALUES ('aa', '')",
        "CREATE TABLE mine (x int)",
    ],
    "coordinator": [
        "UPDATE ledger SET payload = NULL WHERE seq = 1",
        "DELETE FROM ledger",
        "DELETE FROM reading_content",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TABLE ledger",
        "CREATE OR REPLACE FUNCTION necroangle_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RETURN NULL; END$$",
    ],
}


class Server:
    """A cohort on a server with two readers, two coordinators and a statistician."""

    def __init__(self, folder: Path) -> None:
        self.url = str(new_place("postgresql", folder))
        number = next(NUMBERS)
        self.names = {
            role: f"{role[:5]}{number}"
            for role in ("reader", "other_reader", "coordinator", "second", "statistician")
        }
        one = self.names
        done = CliRunner().invoke(
            cli,
            [
                *("init-server", self.url, "--reader", one["reader"]),
                *("--reader", one["other_reader"], "--coordinator", one["coordinator"]),
                *("--coordinator", one["second"], "--statistician", one["statistician"]),
            ],
        )
        assert done.exit_code == 0, (done.output, done.exception)
        assert "without a password" in done.output
        self.owner = CohortStore.open(self.url)

    def place(self, role: str) -> str:
        return self.url.replace("tester@", f"{self.names[role]}@")

    def store(self, role: str) -> CohortStore:
        return CohortStore.open(self.place(role), create=False)

    def do(self, role: str, statement: str) -> int:
        engine = sa.create_engine(self.place(role), poolclass=sa.NullPool)
        with engine.begin() as connection:
            return connection.exec_driver_sql(statement).rowcount

    def read(self, role: str, subject: str, *, reader: str = "") -> None:
        reading = make_reading(subject=subject, reader=reader or self.names[role])
        raw = encode_reading(reading)
        row = to_row(reading, measure(reading), sha256_of(raw))
        self.store(role).upsert([row], {sha256_of(raw): raw}, actor=self.names[role])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    found = Server(tmp_path_factory.mktemp("roles"))
    entries = [
        Entry("subject", ("S01",), {"sex": "F"}),
        Entry("hip", ("S01", "L"), {"ficat": "2"}),
        Entry("treatment", ("S01", "L", "1"), {"treatment": "core_decompression"}),
    ]
    found.store("coordinator").record(entries, actor="kim")
    found.read("reader", "S01")
    found.read("other_reader", "S01")
    return found


@pytest.mark.parametrize(
    ("role", "statement"), [(role, one) for role, some in FORBIDDEN.items() for one in some]
)
def test_a_forbidden_act_is_refused_by_the_server(
    server: Server, role: str, statement: str
) -> None:
    before = verify(server.owner).head
    with pytest.raises(SQLAlchemyError):
        server.do(role, statement)
    found = verify(server.owner)
    assert (found.head, found.problems) == (before, ())


def test_a_reader_sees_and_writes_their_own_readings_alone(server: Server) -> None:
    name, other = server.names["reader"], server.names["other_reader"]
    store = server.store("reader")
    assert {row.key.reader for row in store.rows()} == {name}
    assert store.current("subject") == []
    assert store.current("treatment") == []
    assert store.history("measurement", ("S01", "L", "m00", other, "1", "ha_mr_midslice")) == []
    with pytest.raises(CohortError, match="row-level security"):
        store.record([Entry("subject", ("S02",), {})], actor=name)
    with pytest.raises(CohortError, match="row-level security"):
        server.read("reader", "S05", reader=other)
    assert server.do("reader", f"UPDATE cohort SET cna_deg = 0 WHERE reader = '{other}'") == 0
    assert verify(server.owner).is_clean


def test_a_reader_writes_the_same_anchors_as_the_owner(server: Server, tmp_path: Path) -> None:
    store = server.store("reader")
    store.anchors = tmp_path / "cohort.anchors"
    server.read("other_reader", "S08")
    found, owners = store.anchor(), server.owner.anchor()
    assert found is not None
    assert owners is not None
    assert found == msgspec.structs.replace(owners, at=found.at)
    store.keep(found)
    store.keep(msgspec.structs.replace(found, seq=found.seq - 1))
    assert len(verify(server.owner, anchors=[store.anchors]).problems) == 1
    store.keep(msgspec.structs.replace(found, head="0" * 64))
    with (
        pytest.raises(CohortError, match="not the ledger that its anchors tell of"),
        store.appending("x"),
    ):
        pass


def test_a_statistician_reads_and_treatments_are_hidden(server: Server) -> None:
    store = server.store("statistician")
    assert len(store.rows()) == len(server.owner.rows())
    assert [record.key for record in store.current("subject")] == [("S01",)]
    assert store.current("treatment") == []
    assert server.owner.current("treatment") != []
    with pytest.raises(CohortError, match="permission denied"):
        store.record([Entry("subject", ("S02",), {})], actor="x")


def test_a_coordinator_does_not_erase_and_locks_hold_for_everyone(server: Server) -> None:
    store = server.store("coordinator")
    with pytest.raises(CohortError, match="the owner of the database must erase"):
        store.erase("S01", actor="kim", reason="consent withdrawn")
    store.record([Entry("lock", ("state",), {"events": 1}, "analysis")], actor="kim")
    with pytest.raises(CohortError, match="locked"):
        server.read("reader", "S03")
    store.record([Entry("lock", ("state",), None, "done")], actor="kim")
    server.read("reader", "S03")
    assert verify(server.owner).is_clean


def test_an_event_bears_the_user_whatever_name_was_given(server: Server) -> None:
    server.store("second").record([Entry("subject", ("S07",), {})], actor="somebody else")
    (event,) = server.owner.history("subject", ("S07",))
    assert event.actor == "somebody else"
    with server.owner.reading() as connection:
        query = f"SELECT server_user FROM ledger WHERE seq = {event.seq}"
        assert connection.exec_driver_sql(query).scalar() == server.names["second"]


def test_rules_that_were_loosened_are_named(tmp_path: Path) -> None:
    loosened = Server(tmp_path)
    for statement, wanted in (
        ("CREATE POLICY more ON ledger USING (true)", "policy more: is not of this program"),
        ("ALTER TABLE cohort DISABLE ROW LEVEL SECURITY", "row security cohort: is missing"),
        ("ALTER POLICY ledger_seen ON ledger USING (true)", "policy ledger_seen: is not as"),
        (f'ALTER ROLE "{loosened.names["reader"]}" BYPASSRLS', "passes by row security"),
        (f'GRANT DELETE ON cohort TO "{loosened.names["reader"]}"', "right DELETE on cohort: was"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "right CREATE on the schema: was given to ev"),
    ):
        with loosened.owner._engine.begin() as connection:
            connection.exec_driver_sql(statement)
        assert any(wanted in str(one) for one in verify(loosened.owner).problems), statement


def test_four_desks_at_once_lose_nothing(tmp_path: Path) -> None:
    desks = Server(tmp_path)
    failures: list[BaseException] = []

    def work(role: str) -> None:
        try:
            for number in range(6):
                if "reader" in role:
                    desks.read(role, f"T{number}")
                else:
                    key = (f"{role}{number}",)
                    desks.store(role).record([Entry("subject", key, {"sex": "F"})], actor=role)
        except BaseException as error:
            failures.append(error)

    roles = ("reader", "other_reader", "coordinator", "second")
    threads = [threading.Thread(target=work, args=(role,)) for role in roles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = verify(desks.owner)
    assert found.problems == ()
    assert (found.counts.rows, found.counts.records) == (12, 12)
