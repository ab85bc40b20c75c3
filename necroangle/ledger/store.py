"""The cohort in a database: one SQLite file by default, or PostgreSQL, through SQLAlchemy Core.

On SQLite every change is one transaction that takes the write lock at its start (``BEGIN
IMMEDIATE``): with the deferred default, two programs at once meet "database is locked". The
rollback journal is used; WAL only where the SQLite library is 3.51.3 or newer (in 3.7.0 to 3.51.2
it can corrupt the file) and the disk is surely local (WAL fails on network shares).
"""

import contextlib
import hashlib
import logging
import os
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from necroangle.errors import CohortError
from necroangle.ledger import events, measured
from necroangle.ledger.anchors import (
    Anchor,
    AnchorCheck,
    append_anchor,
    last_anchor,
    public_text,
    signer_of,
    study_mark,
)
from necroangle.ledger.erasure import Erased, erase_events, subjects_of
from necroangle.ledger.events import LedgerEnd
from necroangle.ledger.locking import UNLOCKED_KINDS, LockedState, locked_state
from necroangle.ledger.measured import (
    contents,
    rebuild_rows,
    rows_of,
    withdraw_rows,
    write_contents,
    write_rows,
)
from necroangle.ledger.records import OWN_KINDS, Entry, Event, Record, Recorded
from necroangle.ledger.roles import make_roles
from necroangle.ledger.schema import (
    CONTENT,
    LEDGER,
    META,
    ROWS,
    SCHEMA_VERSION,
    TAIL,
    create_tables,
    found_version,
    migrate,
)
from necroangle.measurement.columns import KEY, NAMES
from necroangle.measurement.row import CohortRow, RowKey
from necroangle.moments import utc_now
from necroangle.study import Study, find_study, study_here

__all__ = [
    "SCHEMA_VERSION",
    "Changes",
    "CohortStore",
    "is_local_disk",
    "journal_mode",
    "network_share",
]

_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_CREATION_LOCK = 6128350911  # any number that no other program takes
_FETCHED = 2000
_NO_TABLE = "there is no cohort table; run `necroangle measure` first"

LOCK_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10
PASSWORD_VARIABLE = "NECROANGLE_COHORT_PASSWORD"  # noqa: S105  (a variable's name)
"""Holds the password of a database URL that has a user and no password."""

_WAL_IS_SOUND = (3, 51, 3)
_PRAGMAS = (
    "synchronous=FULL",
    "fullfsync=ON",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "secure_delete=ON",
    "trusted_schema=OFF",
    "mmap_size=0",
)
_BEGIN = "necroangle_begin"
_MOUNTS = Path("/proc/mounts")

_LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "tmpfs", "xfs", "zfs"})
"""File systems of which it is sure; any other is taken for shared."""

_NETWORK = frozenset(
    {"afpfs", "afs", "ceph", "cifs", "davfs", "glusterfs", "ncpfs", "nfs", "nfs4", "rclone"}
    | {"smb", "smb2", "smb3", "smbfs", "sshfs", "webdav"}
)
"""File systems that are surely reached over a network."""

_UNC = "\\\\"
"""How Windows begins the path of a share."""

_LOG = logging.getLogger(__name__)

_IN_WORDS = (
    ("SQLITE_FULL", "the disk is full; nothing was changed: make room and try again"),
    ("SQLITE_READONLY", "cannot be written: the file or its folder is read-only"),
    ("SQLITE_CANTOPEN", "cannot be opened: the file or its folder refuses it"),
    ("SQLITE_PERM", "cannot be opened: the file or its folder refuses it"),
    ("SQLITE_BUSY", "another program has been writing to it all the time; try again"),
    ("SQLITE_IOERR", "the disk failed; nothing was changed: check the disk and its free space"),
    ("SQLITE_CORRUPT", "the file is damaged; take a backup, and measure the readings again"),
)
"""SQLite's names of errors, by how they begin."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What an upsert did, in numbers of rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class CohortStore:
    """A cohort that is kept: measured rows, clinical records, and the ledger behind both.

    Build it with :meth:`open`. No connection stays open between two calls, so one store may be
    used by several threads, and there is nothing that must be closed. Every write is one
    transaction, all or none; a write that was cut off can be tried again without harm.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> store = CohortStore.open(folder / "cohort.sqlite")
    >>> store.rows()
    ()
    >>> store.record([Entry("subject", ("S01",), {"sex": "F"})], actor="nurse").created
    1
    >>> (found,) = store.current("subject")
    >>> found.values, found.revision
    ({'sex': 'F'}, 1)
    >>> CohortStore.open(folder / "other.sqlite", create=False)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: ...other.sqlite: there is no cohort table; ...
    """

    def __init__(self, engine: sa.Engine, name: str, anchors: Path | None = None) -> None:
        self._engine = engine
        self._name = name
        self.anchors = anchors
        """File that an anchor is appended to after every write; None where none is kept."""

    @classmethod
    def open(
        cls,
        place: Path | str,
        *,
        create: bool = True,
        dumped: bool = False,
        study: Study | None = None,
    ) -> "CohortStore":
        """Open a cohort.

        An SQLite file of an older version is brought to the present one, after a backup beside
        it (``cohort.sqlite.before-v0002.bak``).

        Parameters
        ----------
        place
            A file, or an SQLAlchemy URL (``postgresql+psycopg://...``).
        create
            Whether to make the tables where there are none.
        dumped
            Whether a dump of a server's database has been made: without it, one of an older
            version is not touched.
        study
            The study that it belongs to; by default the one of its file's folder, or of this
            folder for a server.

        Raises
        ------
        CohortError
            If there is none and none is to be made, anchors tell of one that is gone, the file is
            no SQLite database or another program's, its folder is missing, or it was written by a
            newer necroangle.
        """
        if not isinstance(place, str) or "://" not in place:
            _refuse_to_begin(beside(Path(place)), Path(place))
        engine, name = open_engine(place, create=create)
        store = cls(engine, name, _anchors(engine, place, study))
        with store._reported():
            store._make_ready(create, dumped=dumped)
        return store

    @property
    def name(self) -> str:
        """Its file or URL as given, without a password."""
        return self._name

    def upsert(
        self,
        rows: Iterable[CohortRow],
        readings: Mapping[str, bytes] | None = None,
        actor: str = "",
    ) -> Changes:
        """Put rows in the table, and the changes in the ledger; all or none, in one transaction.

        A row that stands there already, equal in every value, is not written: where nothing
        changes, the file does not change.

        Parameters
        ----------
        rows
            Measured rows.
        readings
            Bytes of the readings that the rows were measured from, by their SHA-256. They are
            kept, so that every angle can be measured again without any file.
        actor
            Who did it.

        Raises
        ------
        CohortError
            If two of the rows have one key, a reading's bytes are not those of its hash, or the
            database refuses.
        """
        new = _by_key(rows)
        with self.appending(actor) as (connection, end):
            inserted, updated = write_rows(connection, end, new)
            if readings:
                write_contents(connection, end, new.values(), readings)
        return Changes(inserted, updated, len(new) - inserted - updated)

    def rows(self) -> tuple[CohortRow, ...]:
        """Every row, ordered by key.

        Raises
        ------
        CohortError
            If the database cannot be read, or a value in it is not what its column allows.
        """
        with self.reading() as connection:
            found = CohortRow.of_cells([tuple(row) for row in connection.execute(_SELECT)])
        return tuple(sorted(found, key=lambda row: row.key))

    def rows_of(self, subjects: Iterable[str]) -> dict[RowKey, CohortRow]:
        """The rows of some subjects, by key.

        Raises
        ------
        CohortError
            As :meth:`rows`.
        """
        with self.reading() as connection:
            found = rows_of(connection, subjects)
        return {RowKey(*key): CohortRow(cells) for key, cells in found.items()}

    def keys(self) -> list[RowKey]:
        """The key of every row, in order."""
        columns = (ROWS.c[name] for name in KEY)
        with self.reading() as connection:
            return sorted(RowKey(*key) for key in connection.execute(sa.select(*columns)))

    def withdraw_rows(self, keys: Iterable[RowKey], *, actor: str, reason: str) -> int:
        """Take rows out of the table, with a reason; their events stay. How many there were.

        Raises
        ------
        CohortError
            If no reason is given, or the database refuses.
        """
        if not reason.strip():
            raise CohortError(f"{self._name}: say why the rows are withdrawn")
        with self.appending(actor) as (connection, end):
            return withdraw_rows(connection, end, keys, reason)

    def erase(self, subject: str, *, actor: str, reason: str) -> Erased:
        """Erase all that is said of a patient: events keep their seals, and nothing else is left.

        The file is then written anew, so that no old page keeps a value.

        Raises
        ------
        CohortError
            If nothing is said of the patient, the reason names them, or the database refuses.
        """
        with self.appending(actor) as (connection, end):
            _refuse_unless_owner(connection)
            found = erase_events(connection, end, subject, reason)
        self._write_anew()
        return found

    def erase_numbers(self, numbers: Iterable[int], *, actor: str) -> int:
        """Erase the patients that events of some numbers tell of; how many patients there were.

        For a backup from before their consent was withdrawn.
        """
        with self.reading() as connection:
            subjects = sorted(subjects_of(connection, numbers))
        for subject in subjects:
            self.erase(subject, actor=actor, reason="was erased before this backup was put back")
        return len(subjects)

    def _write_anew(self) -> None:
        """Free pages still hold what was removed."""
        with self._reported():
            if self._engine.dialect.name == "postgresql":
                engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    for table in (LEDGER, ROWS, CONTENT):
                        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table.name}")
                return
            raw = self._engine.raw_connection()
            try:
                raw.cursor().execute("VACUUM")
            except sqlite3.Error as error:
                raise CohortError(f"the file could not be written again: {error}") from error
            finally:
                raw.close()

    def rebuild(self) -> int:
        """Build the measured rows again from the ledger; how many there are.

        Raises
        ------
        CohortError
            If an event cannot be read; the rows are then as they were.
        """
        with self._reported(), writing(self._engine).begin() as connection:
            LedgerEnd(connection, "")  # the lock
            return rebuild_rows(connection)

    def record(self, entries: Iterable[Entry], *, actor: str) -> Recorded:
        """Write entries to the ledger, in one transaction.

        An entry whose key was changed by another since the writer looked (``expected``) is not
        written; it is returned as a conflict, with what stands there now. The others are written.

        Raises
        ------
        CohortError
            If a value cannot be kept or the database refuses; nothing is then written.
        """
        with self.appending(actor) as (connection, end):
            return events.record(connection, end, entries, actor)

    def current(self, kind: str, prefix: tuple[str, ...] = ()) -> list[Record]:
        """The records of a kind whose key begins with a prefix, ordered by key.

        Raises
        ------
        CohortError
            If the kind is ``"measurement"``: :meth:`rows` gives those.
        """
        with self.reading() as connection:
            return events.current(connection, kind, prefix)

    def history(self, kind: str, key: tuple[str, ...]) -> list[Event]:
        """Every event of one key, the first one first."""
        with self.reading() as connection:
            return measured.history(connection, kind, key)

    def uniting_readings(self) -> dict[tuple[str, ...], tuple[list[str], str]]:
        """The readings that name others that they unite: by key, the hashes of these and its own.

        Whether the others are kept, and are of the same hip visit, is not looked at.
        """
        with self.reading() as connection:
            return measured.uniting_readings(connection)

    def contents(self, wanted: Iterable[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """The kept readings, hash and bytes, ordered by hash: all, or those wanted."""
        with self.reading() as connection:
            yield from contents(connection, wanted)

    def contents_between(self, first: str, last: str) -> list[tuple[str, bytes]]:
        """The kept readings from one hash to another, both included, ordered by hash."""
        with self.reading() as connection:
            return measured.contents_between(connection, first, last)

    def close(self) -> None:
        """Let go of the database; the store can be used again."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database from its first look to its last."""
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._reported(), engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def appending(self, actor: str) -> Iterator[tuple[sa.Connection, LedgerEnd]]:
        """One transaction that writes: the connection, and the end of the ledger to append to.

        What was appended is written at the end of the block, and an anchor once it stands.

        Raises
        ------
        CohortError
            If the ledger is not the one that the anchors tell of, or the database refuses.
        """
        with self._reported():
            with writing(self._engine).begin() as connection:
                end = LedgerEnd(connection, actor)
                self._refuse_other(connection, end)
                yield connection, end
                end.write()
                anchor = anchor_of(connection)
            if end.grew:
                self.keep(anchor)

    def anchor(self) -> Anchor | None:
        """What the ledger is now, for an export or a report; None where it is empty."""
        with self.reading() as connection:
            anchor = anchor_of(connection)
        return None if anchor is None else self._signed(anchor)

    def keep(self, anchor: Anchor | None) -> None:
        """Append an anchor, signed where the study asks for it; a failure is a warning.

        What was written stands, and its writer is told so, whatever becomes of the anchor.
        """
        if anchor is None or self.anchors is None:
            return
        try:
            append_anchor(self.anchors, anchor, self._signed)
        except OSError as error:
            _LOG.warning("%s: no anchor could be kept: %s", self.anchors.name, error)

    def make_roles(self, users: Mapping[str, Iterable[str]]) -> list[str]:
        """Make roles on a server, and users in them; the users that are new.

        Raises
        ------
        CohortError
            If it is no server, a name is no user's, or the server refuses.
        """
        if self._engine.dialect.name != "postgresql":
            raise CohortError(f"{self._name}: roles are a PostgreSQL server's")
        with self._reported(), writing(self._engine).begin() as connection:
            return make_roles(connection, users)

    def canonical_sha256(self) -> str:
        """Hash of what the cohort holds: rows, current records and kept readings.

        It is the same on every machine and database, whatever the way there was.
        """
        with self.reading() as connection:
            return canonical_sha256(connection)

    def locked(self) -> LockedState | None:
        """The named state that is locked now; None where the cohort is open."""
        with self.reading() as connection:
            return locked_state(connection)

    def _signed(self, anchor: Anchor) -> Anchor:
        if self.anchors is None:
            return anchor
        try:
            study = find_study(self.anchors.parent)
            if study is None:
                return anchor
            anchor = msgspec.structs.replace(anchor, study=study_mark(study))
            key = study.signing_key
            return anchor if key is None else signer_of(key).sign(anchor)
        except CohortError as error:
            _LOG.warning("%s: an anchor is not signed: %s", self.anchors.name, error)
            return anchor

    def anchor_check(self, more: Iterable[Path], key: str) -> AnchorCheck:
        """The anchors that this ledger is held against: those beside it, and more.

        Parameters
        ----------
        more
            Kept copies, exports, reports.
        key
            Public key that every anchor must be signed by; empty for any.
        """
        beside = self.anchors if self.anchors and self.anchors.exists() else None
        study, own_key = None if beside is None else find_study(beside.parent), ""
        with contextlib.suppress(CohortError):  # at this desk the key may be out of reach
            if study is not None and study.signing_key is not None:
                own_key = public_text(signer_of(study.signing_key).key)
        return AnchorCheck(
            [*([beside] if beside else []), *more],
            key,
            beside,
            own_key,
            "" if study is None else study_mark(study),
            is_shared=self._engine.dialect.name != "sqlite",
            others={} if beside is None else _other_ledgers(beside),
        )

    def _refuse_other(self, connection: sa.Connection, end: LedgerEnd) -> None:
        """Refuse to write to a ledger that is not the one that was anchored last."""
        last = None if self.anchors is None else last_anchor(self.anchors)
        if last is None:
            return
        if end.seq < last.seq or hash_of(connection, last.seq) != last.head:
            raise CohortError(
                f"it is not the ledger that its anchors tell of ({last.seq} events at {last.at}): "
                "run `necroangle verify`; to go on with an older backup, `necroangle restore`"
            )

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """Say the table's name in every refusal; never a statement or its values."""
        try:
            yield
        except SQLAlchemyError as error:
            raise CohortError(f"{self._name}: {refusal(error)}") from error
        except UnicodeEncodeError as error:
            raise CohortError(f"{self._name}: a text holds half a letter; remove it") from error
        except UnicodeDecodeError as error:  # SQLite's own words quote the damaged text
            raise CohortError(f"{self._name}: the file is damaged; restore a backup") from error
        except CohortError as error:
            raise CohortError(f"{self._name}: {error}") from error

    def _make_ready(self, create: bool, *, dumped: bool) -> None:
        with self._engine.begin() as connection:
            version = found_version(connection)
        if version is None:
            _refuse_to_begin(self.anchors)
        if version is None and not create:
            raise CohortError(_NO_TABLE)
        if version != str(SCHEMA_VERSION):
            anchor = None
            with writing(self._engine).begin() as connection:
                if connection.dialect.name == "postgresql":
                    lock = sa.func.pg_advisory_xact_lock(_CREATION_LOCK)
                    connection.execute(sa.select(lock))
                if version is None:
                    self._create(connection)
                else:
                    migrate(connection, file_of(self._engine), dumped=dumped)
                    anchor = anchor_of(connection)
            self.keep(anchor)
        with self._engine.begin() as connection:
            columns = {column["name"] for column in sa.inspect(connection).get_columns(ROWS.name)}
        if columns != set(NAMES):
            raise CohortError(
                "its columns are not those that this necroangle writes; measure the readings into "
                "a new file"
            )

    @staticmethod
    def _create(connection: sa.Connection) -> None:
        names = sa.inspect(connection).get_table_names()
        if META.name in names:  # another program made it in between
            return
        if names and connection.dialect.name == "sqlite":
            raise CohortError("a database of another program; choose another file")
        create_tables(connection)


def _refuse_unless_owner(connection: sa.Connection) -> None:
    """What is erased on a server must be written anew, which its owner alone may do."""
    if connection.dialect.name == "postgresql":
        query = f"SELECT pg_has_role(tableowner, 'MEMBER') FROM pg_tables WHERE tablename = '{LEDGER.name}' AND schemaname = current_schema()"  # noqa: E501, S608
        if not connection.exec_driver_sql(query).scalar():
            raise CohortError("the owner of the database must erase: its pages are written again")


def anchor_of(connection: sa.Connection) -> Anchor | None:
    """What the ledger is now; None where it is empty."""
    tail = connection.execute(sa.select(TAIL.c.seq, TAIL.c.hash)).one()
    first = hash_of(connection, 1)
    if first is None:
        return None
    count = sa.select(sa.func.count()).select_from(ROWS)
    if connection.dialect.name == "postgresql":
        count = sa.select(sa.func.necroangle_rows())
    return Anchor(first, tail.seq, tail.hash, utc_now(), connection.scalar(count) or 0)


def hash_of(connection: sa.Connection, seq: int) -> str | None:
    """The hash of an event; on a server of any, also of one that the user may not see."""
    query = sa.select(LEDGER.c.hash).where(LEDGER.c.seq == seq)
    if connection.dialect.name == "postgresql":
        query = sa.select(sa.func.necroangle_hash(seq))
    return connection.scalar(query)


def canonical_sha256(connection: sa.Connection) -> str:
    """Hash of rows, current records and kept readings, in an order of their own."""
    records = sa.select(LEDGER.c.kind, LEDGER.c.key, LEDGER.c.payload).where(
        LEDGER.c.kind.not_in([*OWN_KINDS, *UNLOCKED_KINDS]),
        LEDGER.c.payload.is_not(None),
        LEDGER.c.seq.in_(
            sa.select(sa.func.max(LEDGER.c.seq)).group_by(LEDGER.c.kind, LEDGER.c.key)
        ),
    )
    found = [
        hashlib.sha256(msgspec.json.encode(tuple(row))).digest()
        for query in (_SELECT, records, sa.select(CONTENT.c.sha256))
        for row in connection.execute(query.execution_options(yield_per=_FETCHED))
    ]
    return hashlib.sha256(b"".join(sorted(found))).hexdigest()


def beside(file: Path) -> Path:
    """The anchors of a cohort in a file.

    Examples
    --------
    >>> beside(Path("cohort.sqlite")).name
    'cohort.sqlite.anchors'
    """
    return file.with_name(f"{file.name}.anchors")


def _other_ledgers(anchors: Path) -> dict[str, str]:
    """The other cohorts in the folder of some anchors: hash of the first event, and file's name."""
    own, found = last_anchor(anchors), {}
    for one in sorted(anchors.parent.glob("*.anchors")):
        file, last = one.with_suffix(""), last_anchor(one)
        if one != anchors and file.is_file() and last is not None:
            found[last.ledger] = file.name
    if own is not None:
        found.pop(own.ledger, None)
    return found


def _anchors(engine: sa.Engine, place: Path | str, study: Study | None) -> Path | None:
    file = file_of(engine)
    if file is not None:
        return beside(file)
    study = study or study_here()
    return study.anchors if study is not None and study.cohort == place else None


def _refuse_to_begin(anchors: Path | None, file: Path | None = None) -> None:
    """Refuse to begin a ledger where anchors tell of one."""
    last = None if anchors is None or (file and file.exists()) else last_anchor(anchors)
    if last is not None and anchors is not None:
        raise CohortError(
            f"{file or anchors.parent}: the cohort is empty or gone, but its anchors "
            f"({anchors.name}) tell of {last.seq} events and {last.rows} measured rows at "
            f"{last.at}: put it back (`necroangle restore`); to start again, move the anchors away"
        )


def _by_key(rows: Iterable[CohortRow]) -> dict[RowKey, CohortRow]:
    found: dict[RowKey, CohortRow] = {}
    for row in rows:
        if row.key in found:
            raise CohortError(f"two rows for one key: {row.key}")
        found[row.key] = row
    return found


def open_engine(place: Path | str, *, create: bool) -> tuple[sa.Engine, str]:
    """Engine of a file or URL, and its name for messages: as given, without a password.

    Raises
    ------
    CohortError
        If the file, or the folder to make it in, is missing, or the URL cannot be understood.

    Examples
    --------
    >>> open_engine("mystery://host/cohort", create=True)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: mystery://host/cohort: no such kind of database...
    """
    if isinstance(place, str) and "://" in place:
        return _url_engine(place, create=create)
    return _file_engine(Path(place), create=create), str(place)


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions take the write lock at their start."""
    return engine.execution_options(**{_BEGIN: "IMMEDIATE"})


def file_of(engine: sa.Engine) -> Path | None:
    """The SQLite file; None on a database server."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def journal_mode(path: Path, library: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str:
    """The journal that is safe for a file: ``"WAL"`` or ``"DELETE"``.

    Examples
    --------
    >>> journal_mode(Path("cohort.sqlite"), (3, 40, 1))
    'DELETE'
    """
    return "WAL" if library >= _WAL_IS_SOUND and is_local_disk(path) else "DELETE"


def _url_engine(place: str, *, create: bool) -> tuple[sa.Engine, str]:
    try:
        url = sa.make_url(place)
        name = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            return _file_engine(Path(url.database or "."), create=create), name
        return _server_engine(url, name), name
    except NoSuchModuleError as error:
        raise CohortError(f"{name}: no such kind of database is known") from error
    except ImportError as error:
        raise CohortError(
            f"{name}: its driver is not installed ({error.name}); "
            "pip install 'necroangle[postgresql]'"
        ) from error
    except ArgumentError as error:
        raise CohortError("the database URL cannot be understood") from error


def _server_engine(url: sa.URL, name: str) -> sa.Engine:
    url.get_dialect()
    if url.get_backend_name() != "postgresql":
        raise CohortError(f"{name}: a cohort is kept in an SQLite file or on PostgreSQL")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.username and url.password is None:
        # where the variable is not set either, PostgreSQL's own file ~/.pgpass is asked
        url = url.set(password=os.environ.get(PASSWORD_VARIABLE))
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    return sa.create_engine(
        url, poolclass=NullPool, connect_args=arguments, isolation_level="READ COMMITTED"
    )


def _file_engine(path: Path, *, create: bool) -> sa.Engine:
    if path.is_dir():
        raise CohortError(f"{path}: a folder; give the name of a file")
    if not path.exists() and not create:
        raise CohortError(f"{path}: there is no cohort table; run `necroangle measure` first")
    if not path.absolute().parent.is_dir():
        raise CohortError(f"{path}: its folder is missing; make it first")
    url = sa.URL.create("sqlite", database=str(path.absolute()))
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_TIMEOUT_S})
    mode = journal_mode(path.absolute())
    _warn_of_share(path.absolute())

    def prepare(connection: Any, _record: Any) -> None:
        _prepare_connection(connection, mode)

    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, mode: str) -> None:
    connection.isolation_level = None  # Python then begins no transaction of its own
    cursor = connection.cursor()
    try:
        for pragma in (f"journal_mode={mode}", *_PRAGMAS):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def is_local_disk(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether a file surely lies on a disk of this machine; in doubt it does not.

    Parameters
    ----------
    path
        The file, which need not exist yet.
    mounts
        The system's list of mounts.

    Examples
    --------
    >>> import tempfile
    >>> mounts = Path(tempfile.mkdtemp()) / "mounts"
    >>> text = "/dev/a / ext4 rw 0 0" + chr(10) + "server:/x /net nfs4 rw 0 0" + chr(10)
    >>> _ = mounts.write_text(text)
    >>> is_local_disk(Path("/data/c.sqlite"), mounts), is_local_disk(Path("/net/c.sqlite"), mounts)
    (True, False)
    """
    return _file_system(path, mounts) in _LOCAL


def network_share(path: Path, mounts: Path = _MOUNTS) -> str:
    """The kind of network share that a file surely lies on; empty where it may be none.

    Parameters
    ----------
    path, mounts
        As for :func:`is_local_disk`.

    Examples
    --------
    >>> network_share(Path("cohort.sqlite"), Path("nowhere"))
    ''
    """
    kind = _file_system(path, mounts)
    return kind if kind.removeprefix("fuse.") in _NETWORK else ""


def _file_system(path: Path, mounts: Path) -> str:
    """The kind of file system of a path, as Linux or else psutil names it; empty where unknown."""
    try:
        folders = [str(one) for one in (path.resolve(), *path.resolve().parents)]
    except OSError:
        return ""
    if folders[0].startswith(_UNC):
        return "smb"
    if sys.platform == "linux":
        try:
            lines = mounts.read_text("utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return ""
        kinds = {_unescaped(fields[1]): fields[2] for fields in map(str.split, lines)}
    else:
        kinds = _mounted_elsewhere()
    return next((kinds[one] for one in folders if one in kinds), "")


def _mounted_elsewhere() -> dict[str, str]:
    """Kinds of file systems on Windows and macOS, by where they are mounted."""
    import psutil

    found = psutil.disk_partitions(all=True)
    return {
        one.mountpoint: "smb" if "remote" in one.opts.split(",") else one.fstype.lower()
        for one in found
    }


@cache
def _warn_of_share(path: Path) -> None:
    """Say once that SQLite's locks cannot be relied on where a file lies on a network share."""
    kind = network_share(path)
    if kind:
        _LOG.warning(
            "%s lies on a network share (%s), where two programs at once may damage an SQLite "
            "file: keep it on this computer's disk, or use PostgreSQL (docs/study.md)",
            path.name,
            kind,
        )


def _unescaped(text: str) -> str:
    r"""A path of the list, in which a space is ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def refusal(error: SQLAlchemyError) -> str:
    """One line on an error of the database; never a statement or the values in it.

    Examples
    --------
    >>> refusal(SQLAlchemyError("..."))
    'SQLAlchemyError'
    """
    cause = getattr(error, "orig", None)
    if cause is None:
        return type(error).__name__
    name = getattr(cause, "sqlite_errorname", "")
    line = (str(cause).splitlines() or [type(cause).__name__])[0]
    words = next((words for start, words in _IN_WORDS if name.startswith(start)), "")
    return f"{words} ({line})" if words else line
