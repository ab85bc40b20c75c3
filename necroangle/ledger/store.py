"""The cohort in a database: one SQLite file by default, or PostgreSQL, through SQLAlchemy Core."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from necroangle.errors import CohortError
from necroangle.ledger import history as ledger_history
from necroangle.ledger import read as ledger_read
from necroangle.ledger import write as ledger_write
from necroangle.ledger.content import READING_FILE, contents, write_contents
from necroangle.ledger.engine import file_of, open_engine, writing
from necroangle.ledger.hip_visits import HipVisit, choose_hip_visits
from necroangle.ledger.measured import rows_of, withdraw_rows, write_rows
from necroangle.ledger.migrate import found_version, migrate
from necroangle.ledger.rebuild import rebuild_rows
from necroangle.ledger.records import Entry, Event, Record, Recorded
from necroangle.ledger.schema import META, ROWS, SCHEMA_VERSION, create_tables
from necroangle.ledger.told import refusal
from necroangle.ledger.write import LedgerEnd
from necroangle.measurement.columns import KEY, NAMES
from necroangle.measurement.row import CohortRow, RowKey

__all__ = ["SCHEMA_VERSION", "Changes", "CohortStore"]

_SELECT = sa.select(*(ROWS.c[name] for name in NAMES))
_CREATION_LOCK = 6128350911  # any number that no other program takes
_NO_TABLE = "there is no cohort table; run `necroangle measure` first"


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

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @classmethod
    def open(cls, place: Path | str, *, create: bool = True, dumped: bool = False) -> "CohortStore":
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

        Raises
        ------
        CohortError
            If there is none and none is to be made, the file is no SQLite database or another
            program's, its folder is missing, or it was written by a newer necroangle.
        """
        engine, name = open_engine(place, create=create)
        store = cls(engine, name)
        with store._told():
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
        with self._told(), writing(self._engine).begin() as connection:
            end = LedgerEnd(connection, actor)
            inserted, updated = write_rows(connection, end, new)
            if readings:
                write_contents(connection, end, new.values(), readings)
            end.write()
        return Changes(inserted, updated, len(new) - inserted - updated)

    def rows(self) -> tuple[CohortRow, ...]:
        """Every row, ordered by key.

        Raises
        ------
        CohortError
            If the database cannot be read, or a value in it is not what its column allows.
        """
        with self.reading() as connection:
            found = [CohortRow(tuple(cells)) for cells in connection.execute(_SELECT).all()]
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
        with self._told(), writing(self._engine).begin() as connection:
            end = LedgerEnd(connection, actor)
            count = withdraw_rows(connection, end, keys, reason)
            end.write()
        return count

    def rebuild(self) -> int:
        """Build the measured rows again from the ledger; how many there are.

        Raises
        ------
        CohortError
            If an event cannot be read; the rows are then as they were.
        """
        with self._told(), writing(self._engine).begin() as connection:
            LedgerEnd(connection, "")  # the lock
            return rebuild_rows(connection)

    def hip_visits(self, readers: Sequence[str] = ()) -> tuple[HipVisit, ...]:
        """One row for each hip, visit and method, and the rule by which it was chosen.

        Parameters
        ----------
        readers
            The stated readers, the first one first; the consensus reading goes before them all.
        """
        agreed = {found.key for found in self.current(READING_FILE) if found.values["consensus_of"]}
        return choose_hip_visits(self.rows(), agreed, readers)

    def record(self, entries: Iterable[Entry], *, actor: str) -> Recorded:
        """Write entries to the ledger, in one transaction.

        An entry whose key was changed by another since the writer looked (``expected``) is not
        written; it is returned as a conflict, with what stands there now. The others are written.

        Raises
        ------
        CohortError
            If a value cannot be kept or the database refuses; nothing is then written.
        """
        with self._told(), writing(self._engine).begin() as connection:
            return ledger_write.record(connection, entries, actor)

    def current(self, kind: str, prefix: tuple[str, ...] = ()) -> list[Record]:
        """The records of a kind whose key begins with a prefix, ordered by key.

        Raises
        ------
        CohortError
            If the kind is ``"measurement"``: :meth:`rows` gives those.
        """
        with self.reading() as connection:
            return ledger_read.current(connection, kind, prefix)

    def history(self, kind: str, key: tuple[str, ...]) -> list[Event]:
        """Every event of one key, the first one first."""
        with self.reading() as connection:
            return ledger_history.history(connection, kind, key)

    def contents(self, wanted: Iterable[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """The kept readings, hash and bytes, ordered by hash: all, or those wanted."""
        with self.reading() as connection:
            yield from contents(connection, wanted)

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

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the database from its first look to its last."""
        engine = self._engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._told(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say the table's name in every refusal; never a statement or its values."""
        try:
            yield
        except SQLAlchemyError as error:
            raise CohortError(f"{self._name}: {refusal(error)}") from error
        except UnicodeEncodeError as error:
            raise CohortError(f"{self._name}: a text holds half a letter; remove it") from error
        except CohortError as error:
            raise CohortError(f"{self._name}: {error}") from error

    def _make_ready(self, create: bool, *, dumped: bool) -> None:
        with self._engine.begin() as connection:
            version = found_version(connection)
        if version is None and not create:
            raise CohortError(_NO_TABLE)
        if version != str(SCHEMA_VERSION):
            with writing(self._engine).begin() as connection:
                if connection.dialect.name == "postgresql":
                    lock = sa.func.pg_advisory_xact_lock(_CREATION_LOCK)
                    connection.execute(sa.select(lock))
                if version is None:
                    self._create(connection)
                else:
                    migrate(connection, file_of(self._engine), dumped=dumped)
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


def _by_key(rows: Iterable[CohortRow]) -> dict[RowKey, CohortRow]:
    found: dict[RowKey, CohortRow] = {}
    for row in rows:
        if row.key in found:
            raise CohortError(f"two rows for one key: {row.key}")
        found[row.key] = row
    return found
