"""Writers killed at random, a full disk, a folder that is read-only: nothing is lost or torn.

A few trials by default; ``NECROANGLE_KILL_TRIALS="500 100"`` tries so many on SQLite and on
PostgreSQL. ``benchmarks/nothing_lost.py`` does the same and prints a table.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from killedwriters import run_trial
from ledgertools import READINGS, filled_cohort
from postgres import new_place

from necroangle.annotation import encode_reading, sha256_of
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.errors import CohortError
from necroangle.ledger.records import Entry
from necroangle.ledger.verify import verify
from necroangle.measurement import measure

ROW = to_row(READINGS[0], measure(READINGS[0]), sha256_of(encode_reading(READINGS[0])))


TRIALS = dict(
    zip(
        ("sqlite", "postgresql"),
        map(int, os.environ.get("NECROANGLE_KILL_TRIALS", "2 2").split()),
        strict=True,
    )
)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [(kind, seed) for kind, trials in TRIALS.items() for seed in range(1, trials + 1)],
)
def test_what_was_acknowledged_is_there_after_a_kill(kind: str, seed: int, tmp_path: Path) -> None:
    trial = run_trial(new_place(kind, tmp_path), tmp_path / "readings", seed=seed, longest_s=1.5)
    assert trial.problems == ()
    assert trial.killed == 8
    assert trial.acknowledged > 0


def many_rows(count: int) -> list[CohortRow]:
    return [CohortRow.of({**ROW, "subject": f"T{number}"}) for number in range(count)]


def in_child(work: Callable[[], None]) -> int:
    """Do something in a process of its own; 0 where it raised nothing."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of 1 MiB where the tests may mount one; whether it could be."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, check=False) if os.geteuid() == 0 else None
    if done is None or done.returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def assert_refused(store: CohortStore, before: tuple[CohortRow, ...], words: str) -> None:
    head = verify(store).head
    with pytest.raises(CohortError, match=rf"cohort\.sqlite: .*{words}"):
        store.upsert(many_rows(2000))
    with pytest.raises(CohortError, match=rf"cohort\.sqlite: .*{words}"):
        store.record(
            [Entry("visit", ("S01", "L", f"v{n}"), {"vas": n}) for n in range(20000)], actor="k"
        )
    assert store.rows() == before
    assert verify(store).head == head
    assert verify(store).is_clean


def test_a_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    with small_disk(tmp_path) as mounted:
        if not mounted:
            pytest.skip("no disk can be mounted here; the limit on a file's size is tried instead")
        store = filled_cohort(tmp_path / "cohort.sqlite", tmp_path / "readings")
        assert_refused(store, store.rows(), "the disk is full; nothing was changed: make room")
        assert store.record([Entry("subject", ("S02",), {})], actor="kim").created == 1


def test_a_limit_on_the_size_of_a_file_leaves_the_old_state(tmp_path: Path) -> None:
    store = filled_cohort(tmp_path / "cohort.sqlite", tmp_path / "readings")
    before = store.rows()

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        assert_refused(store, before, "nothing was changed")

    assert in_child(work) == 0
    assert store.record([Entry("subject", ("S02",), {})], actor="kim").created == 1
    assert verify(store, readings=tmp_path / "readings").is_clean


def nobody_may_look() -> bool:
    """Whether another user than root comes into the root folder at all."""

    def look() -> None:
        os.setuid(65534)
        next(Path(tempfile.gettempdir()).iterdir(), None)

    return os.geteuid() != 0 or in_child(look) == 0


def test_a_read_only_folder_is_refused_in_words_and_can_be_read() -> None:
    if not nobody_may_look():
        pytest.skip("root may write everywhere, and the root folder is closed to others")
    folder = Path(tempfile.mkdtemp(prefix="necroangle-"))
    store = filled_cohort(folder / "cohort.sqlite", folder / "readings")
    before = store.rows()
    (folder / "cohort.sqlite").chmod(0o444)
    folder.chmod(0o555)

    def work() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)
        assert_refused(CohortStore.open(folder / "cohort.sqlite"), before, "is read-only")
        with pytest.raises(CohortError, match=r"other\.sqlite: cannot be opened"):
            CohortStore.open(folder / "other.sqlite")

    try:
        assert in_child(work) == 0
    finally:
        folder.chmod(0o755)
    assert store.rows() == before
    assert sorted(file.name for file in folder.iterdir()) == [
        *("cohort.sqlite", "cohort.sqlite.anchors", "readings")
    ]
    shutil.rmtree(folder)


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    url = "postgresql+psycopg://kim:secret@127.0.0.1:1/cohort"
    with pytest.raises(CohortError, match="Connection refused") as refusal:
        CohortStore.open(url)
    assert "secret" not in str(refusal.value)


def test_a_server_goes_by_its_short_name_too_and_no_other_kind_does(tmp_path: Path) -> None:
    place = str(new_place("postgresql", tmp_path)).replace("+psycopg", "")
    assert CohortStore.open(place).upsert([ROW]).inserted == 1
    assert CohortStore.open(place, create=False).rows() == (ROW,)
    with pytest.raises(CohortError, match="SQLite file or on PostgreSQL"):
        CohortStore.open("mysql://host/cohort")


def test_another_programs_tables_are_left_alone(tmp_path: Path) -> None:
    place = str(new_place("postgresql", tmp_path))
    engine = sa.create_engine(place, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
    assert CohortStore.open(place).rows() == ()
    other = str(new_place("postgresql", tmp_path))
    engine = sa.create_engine(other, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE cohort (name TEXT)"))
    with pytest.raises(CohortError, match="another program's table has the name cohort"):
        CohortStore.open(other)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == ["cohort"]


def test_an_empty_server_has_no_cohort_table(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="no cohort table"):
        CohortStore.open(new_place("postgresql", tmp_path), create=False)
