"""Whatever is done to a study by one who can write its files, plain `verify` finds and names it.

Only what is kept elsewhere stands against one who writes all of them: a copy of the anchors, a
noted line, or a signing key. What they do then is tried too.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ledgertools import reach_in
from postgres import new_place

from necroangle.annotation import sha256_of
from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.ledger import events
from necroangle.ledger import store as store_module
from necroangle.ledger.anchors import (
    Anchor,
    encode_anchor,
    last_anchor,
    public_key_text,
    read_anchors,
    signer_of,
    with_own_hash,
)
from necroangle.ledger.chain import LINK_COLUMNS, Link, link
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import verify

KINDS = ["sqlite", "postgresql"]


class Place:
    """A cohort of either kind, its anchors, and hands that reach into it from outside."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.place = folder / "cohort.sqlite" if kind == "sqlite" else new_place(kind, folder)
        self.anchors = folder / "cohort.sqlite.anchors"

    def store(self, *, create: bool = False) -> CohortStore:
        found = CohortStore.open(self.place, create=create)
        found.anchors = self.anchors
        return found

    def fill(self) -> None:
        store = self.store(create=True)
        for number in range(3):
            key = (f"S{number:02}",)
            store.record([Entry("subject", key, {"sex": "F"})], actor="nurse")
            visit = Entry("visit", (*key, "L", "m06"), {"vas": 3.5}, "as told")
            hip = Entry("hip", (*key, "L"), {"ficat": "2"})
            store.record([hip, visit], actor="nurse")

    def do(self, *statements: str) -> None:
        """Statements as one who takes the guards away first, and puts them back."""
        if self.kind == "sqlite":
            assert isinstance(self.place, Path)
            for one in statements:
                reach_in(self.place, one)
            return
        self.on_server(
            *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in _GUARDED),
            *statements,
            *(
                f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"
                for table, names in _GUARDED.items()
                for name in names
            ),
        )

    def on_server(self, *statements: str) -> None:
        engine = sa.create_engine(str(self.place), poolclass=sa.NullPool)
        with engine.begin() as connection:
            for one in statements:
                connection.exec_driver_sql(one)

    def query(self, statement: str) -> list[Any]:
        with self.store().reading() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def found(self, **asked: Any) -> list[str]:
        """What plain `verify` says."""
        result = verify(self.store(), **asked)
        return [*map(str, result.problems), *(f"note {note}" for note in result.notes)]


_GUARDED = {
    "ledger": ("ledger_erased", "ledger_grows", "ledger_kept"),
    "reading_content": ("reading_kept", "reading_removed"),
}


@pytest.fixture(params=KINDS)
def cohort(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    place = Place(request.param, tmp_path / "study")
    place.fill()
    assert place.found() == []
    return place


@pytest.fixture
def file(tmp_path: Path) -> Place:
    place = Place("sqlite", tmp_path / "study")
    place.fill()
    return place


def assert_named(found: list[str], *words: str) -> None:
    assert any(all(word in line for word in words) for line in found), found


def rewritten(cohort: Place, change: Callable[[Link], Link], upto: int = 10**6) -> None:
    """Chain the whole ledger anew, some events changed, as 30 lines of Python do."""
    columns = ", ".join(LINK_COLUMNS)
    old = [Link._make(row) for row in cohort.query(f"SELECT {columns} FROM ledger ORDER BY seq")]
    previous, updates = "0" * 64, []
    for one in map(change, old[:upto]):
        said = (one.kind, one.key, one.action, one.reason, one.payload, one.idempotency_key)
        stamp = (one.at, one.server_at, one.server_user, one.actor)
        new = link(previous, one.seq, stamp, said, str(one.salt))
        previous = new.hash
        payload = "NULL" if new.payload is None else f"'{new.payload}'"
        updates.append(
            f"UPDATE ledger SET payload = {payload}, sealed = '{new.sealed}', hash = '{new.hash}', "
            f"previous_hash = '{new.previous_hash}', actor = '{new.actor}' WHERE seq = {new.seq}"
        )
    updates.append(f"UPDATE ledger_tail SET hash = '{previous}'")
    cohort.do(*updates)


def without_pain(one: Link) -> Link:
    if one.kind == "visit" and "S01" in one.key:
        return one._replace(payload='{"vas":0.5}')
    return one


def test_the_last_events_cut_off_and_the_tail_mended(cohort: Place) -> None:
    (head,) = cohort.query("SELECT hash FROM ledger WHERE seq = 7")
    cohort.do(
        "DELETE FROM ledger WHERE seq > 7",
        f"UPDATE ledger_tail SET seq = 7, hash = '{head[0]}'",
    )
    found = cohort.found()
    assert_named(found, "anchor", "tells of event 9", "ends with event 7", "cut off")
    with pytest.raises(CohortError, match="not the ledger that its anchors tell of"):
        cohort.store().record([Entry("subject", ("S09",), {})], actor="kim")


def test_one_score_changed_and_the_chain_made_anew(cohort: Place) -> None:
    rewritten(cohort, without_pain)
    assert_named(cohort.found(), "anchor", "event 7", "rewritten")
    with pytest.raises(CohortError, match="not the ledger that its anchors tell of"):
        cohort.store().record([Entry("subject", ("S09",), {})], actor="kim")


def test_the_first_event_changed_and_the_chain_made_anew(cohort: Place) -> None:
    rewritten(cohort, lambda one: one._replace(actor="someone") if one.seq == 1 else one)
    assert_named(cohort.found(), "anchor", "is of another ledger", "rewritten")


def test_an_older_copy_put_back(file: Place) -> None:
    shutil.copy(file.folder / "cohort.sqlite", file.folder / "old.sqlite")
    file.store().record([Entry("subject", ("S04",), {})], actor="nurse")
    shutil.move(file.folder / "old.sqlite", file.folder / "cohort.sqlite")
    assert_named(file.found(), "tells of event 10", "an older copy was put back")


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_cohort_that_is_empty_or_gone_is_not_begun_anew(file: Place, how: str) -> None:
    path = file.folder / "cohort.sqlite"
    path.unlink() if how == "removed" else path.write_bytes(b"")
    for create in (True, False):
        with pytest.raises(CohortError, match=r"anchors .* tell of 9 events .* restore"):
            CohortStore.open(path, create=create)
    assert how == "emptied" or not path.exists()


def test_a_servers_tables_that_are_gone_are_not_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from necroangle.study import init_study

    study = init_study(tmp_path / "study", "onfh")
    url = str(new_place("postgresql", tmp_path))
    text = (study.folder / "study.toml").read_text()
    (study.folder / "study.toml").write_text(text.replace('"cohort.sqlite"', f'"{url}"'))
    monkeypatch.chdir(study.folder)
    store = CohortStore.open(url)
    assert store.anchors == study.folder / "cohort.anchors"
    store.record([Entry("subject", ("S01",), {})], actor="kim")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    with pytest.raises(CohortError, match=r"its anchors .* tell of 1 events"):
        CohortStore.open(url)


def test_anchors_removed_changed_or_of_another_study(cohort: Place, tmp_path: Path) -> None:
    lines = cohort.anchors.read_bytes().splitlines(keepends=True)
    cohort.anchors.unlink()
    assert_named(cohort.found(), "anchor", "is missing", "nothing proves")
    cohort.anchors.write_bytes(b"".join(lines).replace(b'"rows":0', b'"rows":7', 1))
    assert_named(cohort.found(), "line 1", "7 measured rows, there were 0")
    cohort.anchors.write_bytes(b"".join([lines[0][:40] + b"\n", *lines[1:]]))
    assert_named(cohort.found(), "line 1", "is no anchor")
    other = Place("sqlite", tmp_path / "other")
    other.fill()
    shutil.copy(other.anchors, cohort.anchors)
    assert_named(cohort.found(), "is of another ledger", "another study's")


def test_another_studys_database_and_its_anchors_meet_a_kept_anchor(
    file: Place, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.anchors"
    shutil.copy(file.anchors, kept)
    other = Place("sqlite", tmp_path / "other")
    other.fill()
    for name in ("cohort.sqlite", "cohort.sqlite.anchors"):
        shutil.copy(other.folder / name, file.folder / name)
    assert file.found() == []
    assert_named(file.found(anchors=[kept]), "kept.anchors", "is of another ledger")


def test_all_rewritten_with_its_anchors_meets_a_kept_anchor(cohort: Place, tmp_path: Path) -> None:
    kept = tmp_path / "kept.anchors"
    shutil.copy(cohort.anchors, kept)
    rewritten(cohort, without_pain)
    heads = dict(cohort.query("SELECT seq, hash FROM ledger"))
    with cohort.anchors.open("w") as stream:
        for found in read_anchors(kept):
            assert found.anchor is not None
            new = Anchor(heads[1], found.anchor.seq, heads[found.anchor.seq], found.anchor.at, 0)
            stream.write(f"{encode_anchor(new)}\n")
    assert cohort.found() == [], "nothing in the study tells: that is what a kept anchor is for"
    assert_named(cohort.found(anchors=[kept]), "kept.anchors", "rewritten")


def key_pair(folder: Path, name: str) -> Path:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    (folder / name).write_bytes(private)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / name


def test_signed_anchors(tmp_path: Path) -> None:
    from necroangle.study import init_study

    ours, theirs = key_pair(tmp_path, "ours"), key_pair(tmp_path, "theirs")
    study = init_study(tmp_path / "study", "onfh")
    text = (study.folder / "study.toml").read_text()
    named = text.replace('signing_key = ""', f'signing_key = "{ours}"')
    assert named != text
    (study.folder / "study.toml").write_text(named)
    cohort = Place("sqlite", study.folder)
    cohort.fill()
    pinned = public_key_text(ours.with_suffix(".pub"))
    assert cohort.found(key=pinned) == []
    last = last_anchor(cohort.anchors)
    assert last is not None
    assert last.key == pinned
    text = cohort.anchors.read_text()
    cohort.anchors.write_text(text.replace('"at":"2', '"at":"1', 1))
    assert_named(cohort.found(), "line 1", "signature does not fit")
    lines = [signer_of(theirs).sign(last), Anchor(last.ledger, last.seq, last.head, last.at, 0)]
    cohort.anchors.write_text(text + "".join(f"{encode_anchor(one)}\n" for one in lines))
    found = cohort.found(key=pinned)
    assert_named(found, "line 7", "signed by another key")
    assert_named(found, "line 8", "is not signed")


def test_guards_that_do_nothing_are_told_from_guards(cohort: Place) -> None:
    if cohort.kind == "sqlite":
        with closing(sqlite3.connect(cohort.folder / "cohort.sqlite")) as connection:
            connection.execute("DROP TRIGGER ledger_no_update")
            connection.execute(
                "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT 1; END"
            )
        assert_named(cohort.found(), "guard ledger_no_update", "not as this program makes it")
        return
    cohort.on_server(
        "CREATE OR REPLACE FUNCTION necroangle_ledger_erased() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NEW; END$$"
    )
    assert_named(cohort.found(), "function necroangle_ledger_erased", "not as this program makes")


def groups(manipulations: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
    """Manipulations that can be told apart when they are done to one cohort together."""
    found: list[dict[str, str]] = []
    for statements, wanted in manipulations.values():
        place = wanted.split(":")[0]
        fits = (one for one in found if place not in {words.split(":")[0] for words in one})
        group = {} if "VIEW cohort" in statements else next(fits, {})
        group[wanted] = statements
        if group not in found:
            found.append(group)
    return sorted(found, key=len)


IN_FILE = {
    "a foreign trigger": (
        "CREATE TRIGGER extra AFTER INSERT ON ledger BEGIN DELETE FROM cohort; END",
        "guard extra: is not of this program",
    ),
    "a foreign table": ("CREATE TABLE extra (x)", "table extra: is not of this program"),
    "a foreign view": ("CREATE VIEW odd AS SELECT 1", "view odd: is not of this program"),
    "an index dropped": ("DROP INDEX ledger_of_key", "index ledger_of_key: is missing"),
    "an index of another kind": (
        "DROP INDEX ledger_of_key; CREATE INDEX ledger_of_key ON ledger (kind)",
        "index ledger_of_key: is not as",
    ),
    "a guard dropped": (
        "DROP TRIGGER reading_content_no_delete",
        "guard reading_content_no_delete: is missing",
    ),
    "a column added": ("ALTER TABLE ledger ADD COLUMN extra TEXT", "table ledger: is not as"),
    "a view in place of the rows": (
        "CREATE TABLE hidden AS SELECT * FROM cohort; DROP TABLE cohort; "
        "CREATE VIEW cohort AS SELECT * FROM hidden",
        "table cohort: is missing",
    ),
    "a rule gone from a table": (
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = replace(sql, "
        "'actor TEXT NOT NULL', 'actor TEXT') WHERE name = 'ledger'; "
        "PRAGMA writable_schema=RESET",
        "table ledger: is not as",
    ),
    "a pragma": ("PRAGMA user_version=7", "pragma user_version: is 7"),
    "another index": ("CREATE INDEX more ON ledger (actor)", "index more: is not of this program"),
    "a word of a guard weakened": (
        "PRAGMA writable_schema=ON; UPDATE sqlite_master SET "
        "sql = replace(sql, char(39, 32, 39), char(39, 39)) "
        "WHERE name = 'ledger_no_update'; PRAGMA writable_schema=RESET",
        "guard ledger_no_update: is not as",
    ),
    "a trigger by a name of SQLite's own": (
        "PRAGMA writable_schema=ON; INSERT INTO sqlite_master VALUES ('trigger', 'sqlite_x', "
        "'ledger', 0, 'CREATE TRIGGER sqlite_x AFTER INSERT ON ledger BEGIN SELECT 1; END'); "
        "PRAGMA writable_schema=RESET",
        "guard sqlite_x: is not of this program",
    ),
    "a table with weaker rules": (
        "CREATE TABLE x AS SELECT * FROM ledger_tail; DROP TABLE ledger_tail; "
        "CREATE TABLE ledger_tail AS SELECT * FROM x",
        "table ledger_tail: is not as",
    ),
}


@pytest.mark.parametrize("group", groups(IN_FILE))
def test_tables_of_a_file_are_compared_by_their_text(file: Place, group: dict[str, str]) -> None:
    for statements in group.values():
        with closing(sqlite3.connect(file.folder / "cohort.sqlite")) as connection:
            connection.executescript(statements)
    found = file.found()
    for wanted in group:
        assert_named(found, wanted)


IN_BOTH = {
    "an event with a number below one": (
        "INSERT INTO ledger SELECT -1, at, server_at, server_user, actor, kind, key, action, "
        "reason, payload, NULL, salt, sealed, previous_hash, hash FROM ledger WHERE seq = 3",
        "event -1 ",
    ),
    "another word on the version": (
        "INSERT INTO necroangle_meta VALUES ('x', 'y')",
        "table necroangle_meta: does not hold the version alone",
    ),
    "another version": (
        "UPDATE necroangle_version SET version_num = 'v0003'",
        "table necroangle_version: does not hold the version alone",
    ),
    "the end told under another number": ("UPDATE ledger_tail SET id = 7", "event 9: is the last"),
    "a key that is none": ("UPDATE ledger SET key = 'x' WHERE seq = 4", "event 4 (subject x): its"),
    "the time of an event": ("UPDATE ledger SET at = '2020' WHERE seq = 5", "event 5 "),
    "the person of an event": ("UPDATE ledger SET actor = 'lee' WHERE seq = 6", "event 6 "),
}


def test_rows_that_no_program_of_ours_writes(cohort: Place) -> None:
    cohort.do(*(statement for statement, _ in IN_BOTH.values()))
    found = cohort.found()
    for _, wanted in IN_BOTH.values():
        assert_named(found, wanted)


REWRITTEN: dict[str, Callable[[Link], Link]] = {
    "another person": lambda one: one._replace(actor="lee"),
    "a second earlier": lambda one: one._replace(at="2020-01-01T08:00:00.000Z"),
    "another reason": lambda one: one._replace(reason="as told again"),
    "another patient": lambda one: one._replace(key=one.key.replace("S01", "S02")),
    "another salt": lambda one: one._replace(salt="00" * 16),
    "a change made a new record": lambda one: one._replace(action="create"),
}


def test_a_chain_made_anew_meets_its_anchors_whatever_was_changed(file: Place) -> None:
    before = (file.folder / "cohort.sqlite").read_bytes()
    for what, change in REWRITTEN.items():
        rewritten(file, lambda one, do=change: do(one) if one.seq == 6 else one)  # type: ignore[misc]
        is_same = what == "a change made a new record"  # it was one
        assert is_same or any("rewritten" in line for line in file.found()), what
        (file.folder / "cohort.sqlite").write_bytes(before)


LINES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a line twice": (lambda lines: [*lines[:2], *lines[1:]], "line 3: occurs twice"),
    "a line taken out": (lambda lines: [*lines[:2], *lines[3:]], "line 3: does not follow"),
    "the first line taken out": (lambda lines: lines[1:], "line 1: does not follow"),
    "lines exchanged": (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1: does not follow"),
    "a line cut": (lambda lines: [lines[0], lines[1][:50] + b"\n", *lines[2:]], "line 2: is no"),
    "the end taken out": (lambda lines: lines[:2], "events 4 to 9 have no anchor"),
    "the last line taken out": (lambda lines: lines[:-1], "note events 8 to 9 have no anchor yet"),
    "all taken out": (lambda _: [], "is missing or empty"),
    "ends of lines": (
        lambda lines: [one.replace(b"\n", b"\r\n") for one in lines],
        "line ends were changed",
    ),
    "a time": (
        lambda lines: [*lines[:-1], lines[-1].replace(b'"at":"2', b'"at":"1')],
        "line 6: is of 1",
    ),
    "a name twice": (
        lambda lines: [*lines[:-1], lines[-1].replace(b'"seq":9', b'"seq":1,"seq":9')],
        "line 6: is not as it was written",
    ),
    "a number": (
        lambda lines: [*lines[:-1], lines[-1].replace(b'"seq":9', b'"seq":99999999999999999999')],
        "line 6: tells of event 99999999999999999999",
    ),
    "a backup that nobody put back": (
        lambda lines: [*lines, lines[3].replace(b'"rows":0', b'"rows":0,"lost":9')],
        "line 7: says that a backup was put back, and no event tells",
    ),
    "a mark of another study": (
        lambda lines: [*lines[:-1], lines[-1].replace(b'"rows":0', b'"rows":0,"study":"00"')],
        "line 6: is of another study",
    ),
}


def test_lines_of_anchors_that_were_moved_changed_or_taken_out(tmp_path: Path) -> None:
    from necroangle.study import init_study

    file = Place("sqlite", init_study(tmp_path / "study", "onfh").folder)
    file.fill()
    lines = file.anchors.read_bytes().splitlines(keepends=True)
    assert file.found() == []
    for change, wanted in LINES.values():
        changed = [re.sub(rb',"study":"[0-9a-f]{16}"', b"", one) for one in change(lines)]
        file.anchors.write_bytes(b"".join(changed if "another study" in wanted else change(lines)))
        assert_named(file.found(), wanted)


def test_a_ledger_and_its_anchors_exchanged_with_another_studys(tmp_path: Path) -> None:
    from necroangle.study import init_study

    ours, theirs = (Place("sqlite", init_study(tmp_path / n, n).folder) for n in ("a", "b"))
    for one in (ours, theirs):
        one.fill()
    for name in ("cohort.sqlite", "cohort.sqlite.anchors"):
        shutil.copy(theirs.folder / name, ours.folder / name)
    assert_named(ours.found(), "line 1: is of another study")


def test_reports_and_exports_that_were_edited(file: Place) -> None:
    page, printed = file.folder / "page.html", file.folder / "page.pdf"
    anchor = encode_anchor(file.store().anchor() or Anchor("", 0, "", "", 0))
    meta = f'<meta name="necroangle-anchor" content="{escape(anchor)}"><p>CNA 190</p>'
    page.write_bytes(with_own_hash(meta.encode(), ".html"))
    printed.write_bytes(with_own_hash(f"/Keywords ({anchor})\n% CNA 190".encode(), ".pdf"))
    exported = file.folder / "out"
    exported.mkdir()
    (exported / "cohort.csv").write_text("cna\n190\n")
    said = {"files": {"cohort.csv": sha256_of(b"cna\n190\n")}, "anchor": json.loads(anchor)}
    (exported / "provenance.json").write_text(json.dumps(said))
    kept = [page, printed, exported / "provenance.json"]
    assert file.found(anchors=kept) == []
    for one in (page, printed, exported / "cohort.csv"):
        one.write_bytes(one.read_bytes().replace(b"190", b"240"))
    found = file.found(anchors=kept)
    for name in ("page.html", "page.pdf", "out/cohort.csv"):
        assert_named(found, f"file {name}: was changed since it was")


def test_a_report_of_the_studys_other_cohort_is_no_problem(file: Place) -> None:
    other = Place("sqlite", file.folder)
    other.place, other.anchors = file.folder / "b.sqlite", file.folder / "b.sqlite.anchors"
    other.fill()
    page = file.folder / "b.html"
    anchor = other.store().anchor()
    assert anchor is not None
    page.write_text(f'<meta name="necroangle-anchor" content="{escape(encode_anchor(anchor))}">')
    assert file.found(anchors=[page]) == ["note b.html: is of the cohort b.sqlite: verify that with"
                                          " --cohort"]  # fmt: skip
    (file.folder / "b.sqlite").unlink()
    assert_named(file.found(anchors=[page]), "anchor b.html: is of another ledger")


def test_events_of_a_locked_state_and_times_to_come(
    cohort: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort.store().record([Entry("lock", ("state",), {"events": 9}, "analysis")], actor="kim")
    monkeypatch.setattr(events, "locked_state", lambda _: None)
    with pytest.raises(CohortError, match="a state is locked; nothing that is analysed changes"):
        cohort.store().record([Entry("subject", ("S09",), {})], actor="kim")
    if cohort.kind == "postgresql":
        cohort.on_server("ALTER TABLE ledger DISABLE TRIGGER ledger_grows")
    else:
        with closing(sqlite3.connect(cohort.folder / "cohort.sqlite")) as connection:
            connection.execute("DROP TRIGGER ledger_locked")
    monkeypatch.setattr(events, "utc_now", lambda: "2101-05-01T08:00:00.000Z")
    cohort.store().record([Entry("subject", ("S09",), {})], actor="kim")
    found = cohort.found()
    assert_named(found, "event 11", "was written while the state 'state' was locked")
    assert_named(found, "note event 11", "2101-05-01")


def test_a_clock_that_goes_back_by_a_second_is_told(
    file: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = file.query("SELECT max(at) FROM ledger")[0][0]
    earlier = (datetime.fromisoformat(at) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    monkeypatch.setattr(events, "utc_now", lambda: earlier.replace("+00:00", "Z"))
    file.store().record([Entry("subject", ("S09",), {})], actor="kim")
    assert_named(file.found(), "note event 10", "a clock was set back a little")
    assert verify(file.store()).is_clean


ON_SERVER = {
    "a foreign trigger": (
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;\n"
        "CREATE TRIGGER extra BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION x()",
        "guard extra: is not of this program",
    ),
    "a guard switched off": (
        "ALTER TABLE ledger DISABLE TRIGGER ledger_kept",
        "guard ledger_kept: is not as",
    ),
    "a guard half asleep": (
        "ALTER TABLE ledger ENABLE TRIGGER ledger_erased",
        "guard ledger_erased: is not as",
    ),
    "a rule": (
        "CREATE RULE quiet AS ON INSERT TO reading_content DO INSTEAD NOTHING",
        "rule quiet: is not of this program",
    ),
    "an index dropped": ("DROP INDEX ledger_of_key", "index ledger_of_key: is missing"),
    "a view in place of the rows": (
        "ALTER TABLE cohort RENAME TO hidden; CREATE VIEW cohort AS SELECT * FROM hidden",
        "table cohort: is not as",
    ),
    "a column added": ("ALTER TABLE ledger ADD COLUMN extra text", "table ledger: is not as"),
    "a check": (
        "ALTER TABLE ledger ADD CONSTRAINT odd CHECK (actor <> 'kim') NOT VALID",
        "constraint odd: is not of this program",
    ),
    "an heir": ("CREATE TABLE more () INHERITS (ledger)", "heir more: is not of this program"),
    "not kept after a crash": ("ALTER TABLE ledger SET UNLOGGED", "table ledger: is not as"),
    "a right for everybody": (
        "GRANT UPDATE ON ledger_tail TO PUBLIC",
        "right UPDATE on ledger_tail: was given to PUBLIC",
    ),
    "a right on a column": (
        "GRANT UPDATE (actor) ON ledger TO PUBLIC",
        "right UPDATE (actor) on ledger: was given to PUBLIC",
    ),
    "another owner": (
        "DO $$BEGIN CREATE ROLE eve; EXCEPTION WHEN duplicate_object THEN NULL; END$$;\n"
        "ALTER TABLE necroangle_meta OWNER TO eve",
        "table necroangle_meta: belongs to eve",
    ),
    "a function by the same name": (
        "CREATE FUNCTION necroangle_ledger_grows(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function necroangle_ledger_grows: is not as",
    ),
    "a guard's name on another table": (
        "CREATE FUNCTION y() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;\n"
        "CREATE TRIGGER reading_kept BEFORE INSERT ON cohort FOR EACH ROW EXECUTE FUNCTION y()",
        "guard reading_kept: is not as",
    ),
    "another order of letters": (
        'ALTER TABLE ledger ALTER COLUMN kind TYPE varchar(64) COLLATE "POSIX"',
        "table ledger: is not as",
    ),
    "a key that is looked at late": (
        "ALTER TABLE ledger_tail DROP CONSTRAINT ledger_tail_pkey;\n"
        "ALTER TABLE ledger_tail ADD PRIMARY KEY (id) DEFERRABLE",
        "constraint ledger_tail_pkey: is not of this program",
    ),
    "a word that is filled in": (
        "ALTER TABLE ledger ALTER COLUMN reason SET DEFAULT 'x'",
        "table ledger: is not as",
    ),
}


@pytest.mark.parametrize("group", groups(ON_SERVER))
def test_tables_of_a_server_are_compared_by_their_text(
    tmp_path: Path, group: dict[str, str]
) -> None:
    cohort = Place("postgresql", tmp_path)
    cohort.fill()
    for statements in group.values():
        cohort.on_server(*statements.split(";\n") if ";\n" in statements else [statements])
    found = cohort.found()
    for wanted in group:
        assert_named(found, wanted)


def test_a_journal_that_was_left_behind(file: Place) -> None:
    """The write-ahead log of a later state goes, and with it the last events."""
    path = file.folder / "cohort.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        before = path.read_bytes()
        connection.execute("INSERT INTO necroangle_meta VALUES ('x', 'y')")
        connection.commit()
        wal = path.with_name("cohort.sqlite-wal").read_bytes()
    path.write_bytes(before)
    path.with_name("cohort.sqlite-wal").write_bytes(wal[: len(wal) // 2])
    assert file.found() == []
    path.write_bytes(before[: len(before) // 2])
    try:
        found = file.found()
    except CohortError as error:
        found = [str(error)]
    assert found


def test_a_clock_that_goes_backwards_is_told(
    cohort: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(events, "utc_now", lambda: "2019-05-01T08:00:00.000Z")
    cohort.store().record([Entry("subject", ("S09",), {})], actor="kim")
    assert "this computer's clock says 2019" in caplog.text
    if cohort.kind == "sqlite":
        assert_named(cohort.found(), "note event 10", "2019-05-01", "is before that of event 9")
    else:
        assert_named(cohort.found(), "note event 10", "kim (server user tester)", "2019-05-01")
    assert verify(cohort.store()).is_clean


def test_a_server_bears_witness_to_time_and_user(tmp_path: Path) -> None:
    cohort = Place("postgresql", tmp_path)
    cohort.fill()
    users = cohort.query("SELECT DISTINCT server_user FROM ledger")
    assert users == [("tester",)]
    columns = ", ".join(LINK_COLUMNS)
    shown = columns.replace("server_at", "'2019-01-01T00:00:00.000Z'").replace(
        "seq", "(SELECT max(seq) + 1 FROM ledger)"
    )
    shown = shown.replace("idempotency_key", "NULL").replace(
        "previous_hash", "(SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1)"
    )
    with pytest.raises(sa.exc.SQLAlchemyError, match="time and user of the server alone"):
        cohort.on_server(f"INSERT INTO ledger ({columns}) SELECT {shown} FROM ledger WHERE seq = 1")


def test_an_anchor_that_cannot_be_kept_is_a_warning(
    file: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "append_anchor", full)
    assert file.store().record([Entry("subject", ("S09",), {})], actor="kim").created == 1
    assert "no anchor could be kept" in caplog.text
    assert file.found() == ["note event 10 has no anchor yet: written last, or from outside"]
    assert file.store().record([Entry("subject", ("S10",), {})], actor="kim").created == 1
    assert_named(file.found(), "events 10 to 11 have no anchor: lines were taken out")


def test_a_line_that_was_cut_off_by_the_power_does_not_spoil_the_next(file: Place) -> None:
    with file.anchors.open("ab") as stream:
        stream.write(b'{"ledger":"00')
    file.store().record([Entry("subject", ("S09",), {})], actor="kim")
    assert file.anchors.read_bytes().splitlines()[-1].endswith(b"}")
    assert_named(file.found(), "line 7", "is no anchor: changed, or cut off")
