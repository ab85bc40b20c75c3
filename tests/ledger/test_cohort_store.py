"""The store: what is put in comes back to the bit, twice is once, and two may write at once."""

import math
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hipmaker import make_reading
from hipstrategy import identifiers
from hypothesis import given, settings
from hypothesis import strategies as st

from necroangle.cohort import COLUMNS, Cell, Changes, CohortRow, CohortStore, Column, to_row
from necroangle.errors import CohortError
from necroangle.ledger import store as store_module
from necroangle.ledger.schema import SCHEMA_VERSION
from necroangle.ledger.store import is_local_disk, journal_mode, network_share
from necroangle.measurement import measure

_READING = make_reading()
_ROW = to_row(_READING, measure(_READING), "0f" * 32)

_CELLS: dict[str, st.SearchStrategy[Cell]] = {
    "text": st.text(max_size=40),
    "whole": st.integers(-(2**31), 2**31 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
}


def _cells(column: Column) -> st.SearchStrategy[Cell]:
    if column.need == "key":
        return st.integers(1, 999) if column.kind == "whole" else identifiers
    cells = _CELLS[column.kind]
    return st.none() | cells if column.need == "maybe" else cells


rows = st.builds(
    CohortRow.of, st.fixed_dictionaries({column.name: _cells(column) for column in COLUMNS})
)
"""Rows of any content that the kinds of their columns allow."""


def row(**changed: str | int | float | None) -> CohortRow:
    return CohortRow.of({**_ROW, **changed})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cohort.sqlite"


@settings(max_examples=30, deadline=None)
@given(st.lists(rows, max_size=4, unique_by=lambda row: row.key))
def test_rows_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, some: list[CohortRow]
) -> None:
    file = tmp_path_factory.mktemp("cohort") / "cohort.sqlite"
    assert CohortStore.open(file).upsert(some) == Changes(inserted=len(some))
    found = CohortStore.open(file).rows()
    assert list(map(repr, found)) == [repr(row) for row in sorted(some, key=lambda row: row.key)]
    assert CohortStore.open(file).upsert(some) == Changes(unchanged=len(some))


@pytest.mark.parametrize("value", [5e-324, 1.7976931348623157e308, 0.1 + 0.2, math.pi, -1e-15])
def test_a_float_keeps_every_digit(file: Path, value: float) -> None:
    CohortStore.open(file).upsert([row(a_deg=value)])
    (found,) = CohortStore.open(file).rows()
    assert repr(found["a_deg"]) == repr(value)


def test_rows_are_ordered_by_key_and_numbers_as_numbers(file: Path) -> None:
    store = CohortStore.open(file)
    store.upsert([row(subject="b"), row(read_no=10), row(read_no=9), row(subject="가")])
    order = [(found.key.subject, found.key.read_no) for found in store.rows()]
    assert order == [("S01", 9), ("S01", 10), ("b", 1), ("가", 1)]


def test_an_identifier_is_never_taken_for_a_number(file: Path) -> None:
    names = ["00123", "1E5", "NA", "None", "007"]
    CohortStore.open(file).upsert([row(subject=name) for name in names])
    assert [found["subject"] for found in CohortStore.open(file).rows()] == sorted(names)


def test_what_changed_is_counted_and_written(file: Path) -> None:
    store = CohortStore.open(file)
    assert store.upsert([row(), row(read_no=2)]) == Changes(inserted=2)
    again = [row(), row(read_no=2, cna_deg=181.0), row(read_no=3)]
    assert store.upsert(again) == Changes(inserted=1, updated=1, unchanged=1)
    assert store.rows() == tuple(again)


def test_twice_the_same_leaves_the_file_untouched(file: Path) -> None:
    some = [row(subject=f"S{number}") for number in range(50)]
    CohortStore.open(file).upsert(some)
    before, stamp = file.read_bytes(), file.stat().st_mtime_ns
    assert CohortStore.open(file).upsert(reversed(some)) == Changes(unchanged=50)
    assert CohortStore.open(file).upsert([]) == Changes()
    assert len(CohortStore.open(file, create=False).rows()) == 50
    assert file.read_bytes() == before
    assert file.stat().st_mtime_ns == stamp
    found = sorted(one.name for one in file.parent.iterdir())
    assert found == [file.name, f"{file.name}.anchors"], "a journal was left"


def test_two_rows_of_one_key_are_refused(file: Path) -> None:
    store = CohortStore.open(file)
    with pytest.raises(CohortError, match="two rows for one key: S01 L m00, reader r1, read 1"):
        store.upsert([row(), row(cna_deg=1.0)])
    assert store.rows() == ()


def test_all_rows_or_none(file: Path) -> None:
    store = CohortStore.open(file)
    store.upsert([row()])
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON cohort WHEN NEW.read_no = 3 "
            "BEGIN SELECT RAISE(ABORT, 'no more room'); END"
        )
    connection.close()
    with pytest.raises(CohortError, match=r"cohort\.sqlite: no more room"):
        store.upsert([row(cna_deg=1.0), row(read_no=2), row(read_no=3)])
    assert store.rows() == (row(),)


def test_several_programs_write_at_once(file: Path) -> None:
    problems: list[BaseException] = []

    def write(reader: int) -> None:
        try:
            for number in range(1, 11):
                CohortStore.open(file).upsert([row(reader=f"r{reader}", read_no=number)])
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(reader,)) for reader in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(CohortStore.open(file).rows()) == 40


def _foreign(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE patients (name TEXT)")
    connection.close()


def _newer(file: Path) -> None:
    CohortStore.open(file)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE necroangle_meta SET value = '99'")
    connection.close()


def _spoilt(file: Path) -> None:
    CohortStore.open(file).upsert([row()])
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE cohort SET cna_deg = 'abc'")
    connection.close()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda file: file.write_bytes(b"subject,cna\n" * 200), "file is not a database"),
        (_foreign, "another program"),
        (_newer, f"version 99, this necroangle knows {SCHEMA_VERSION}; update necroangle"),
        (Path.mkdir, "a folder"),
        (_spoilt, "column cna_deg must hold a real, found 'abc'"),
    ],
    ids=["text file", "foreign database", "newer schema", "folder", "spoilt value"],
)
def test_what_is_no_cohort_table_is_refused_untouched(
    file: Path, make: Callable[[Path], object], problem: str
) -> None:
    make(file)
    before = file.is_file() and file.read_bytes()
    with pytest.raises(CohortError, match=rf"cohort\.sqlite: .*{problem}"):
        CohortStore.open(file).rows()
    assert (file.is_file() and file.read_bytes()) == before


def test_nothing_is_made_where_nothing_is_asked_for(file: Path) -> None:
    with pytest.raises(CohortError, match=r"no cohort table; run `necroangle measure` first"):
        CohortStore.open(file, create=False)
    file.touch()
    with pytest.raises(CohortError, match="no cohort table"):
        CohortStore.open(file, create=False)
    with pytest.raises(CohortError, match="its folder is missing"):
        CohortStore.open(file.parent / "gone" / "cohort.sqlite")
    assert [(found.name, found.stat().st_size) for found in file.parent.iterdir()] == [
        (file.name, 0)
    ]


def test_a_url_opens_the_same_table(file: Path) -> None:
    CohortStore.open(f"sqlite:///{file}").upsert([row()])
    assert CohortStore.open(file, create=False).rows() == (row(),)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mystery://me:secret@host/cohort", "no such kind of database"),
        ("://", "cannot be understood"),
        ("sqlite://", "a folder"),
    ],
)
def test_an_unusable_url_is_refused_without_its_password(url: str, problem: str) -> None:
    with pytest.raises(CohortError, match=problem) as refusal:
        CohortStore.open(url)
    assert "secret" not in str(refusal.value)


def test_sqlite_keeps_its_word(file: Path) -> None:
    engine = CohortStore.open(file)._engine
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "recursive_triggers",
                "trusted_schema",
            )
        }
    assert pragmas == {
        "journal_mode": journal_mode(file).lower(),
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "trusted_schema": 0,
    }


def test_an_sqlite_file_on_a_network_share_is_warned_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_module, "_file_system", lambda *_: "cifs")
    for _ in range(2):
        CohortStore.open(tmp_path / "shared.sqlite")
    (said,) = (one.getMessage() for one in caplog.records)
    assert said.startswith("shared.sqlite lies on a network share (cifs)")
    assert str(tmp_path) not in said
    monkeypatch.setattr(store_module, "_file_system", lambda *_: "fuseblk")
    CohortStore.open(tmp_path / "own.sqlite")
    assert len(caplog.records) == 1


def test_windows_and_macos_name_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        SimpleNamespace(mountpoint="/", fstype="apfs", opts="rw,local"),
        SimpleNamespace(mountpoint="/net", fstype="NTFS", opts="rw,remote"),
    ]
    monkeypatch.setattr("psutil.disk_partitions", lambda all: found)  # imported as on this machine
    monkeypatch.setattr("necroangle.ledger.store.sys.platform", "darwin")
    assert network_share(Path("/net/c.sqlite")) == "smb"
    assert network_share(Path("/home/c.sqlite")) == ""
    assert journal_mode(Path("/net/c.sqlite"), (3, 51, 3)) == "DELETE"


def test_a_table_with_other_columns_is_refused_in_words(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "cohort.sqlite"
    CohortStore.open(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE cohort DROP COLUMN jic")
    connection.close()
    with pytest.raises(CohortError, match="measure the readings into a new file"):
        CohortStore.open(path)


def test_wal_only_where_it_is_sound(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\nserver:/x /net\\040share nfs4 rw 0 0\n")
    assert is_local_disk(Path("/home/cohort.sqlite"), mounts)
    assert not is_local_disk(Path("/net share/cohort.sqlite"), mounts)
    assert not is_local_disk(Path("/home/cohort.sqlite"), tmp_path / "nowhere")
    assert journal_mode(tmp_path / "c.sqlite", (3, 51, 2)) == "DELETE"
    modes = {True: "WAL", False: "DELETE"}
    assert journal_mode(tmp_path / "c", (3, 51, 3)) == modes[is_local_disk(tmp_path / "c")]
