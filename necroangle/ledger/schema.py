"""The tables of the cohort, their append-only guards, and how older tables are brought up.

``ledger`` and ``reading_content`` are the truth and only ever grow; ``cohort`` (the measured rows)
is derived from them and can be rebuilt; ``ledger_tail`` holds the last event's number and hash, and
on a database server is the lock that writers take in turn.

A change here is a new version: a script in ``migrations/versions``, whose number is the version.
The scripts are run by alembic, in one transaction and after a backup; it is imported only when
there is something to do.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import GENESIS
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.storage import rename_over, sync_file

__all__ = [
    "ALEMBIC",
    "CONTENT",
    "LEDGER",
    "META",
    "REVISION",
    "ROWS",
    "SCHEMA_VERSION",
    "TAIL",
    "backup_file",
    "create_tables",
    "found_version",
    "guards",
    "insert_tuples",
    "migrate",
    "update_tuples",
]

_SCRIPTS = Path(__file__).parent / "migrations"

REVISION = max(script.name[:5] for script in (_SCRIPTS / "versions").glob("v[0-9]*.py"))
"""The migration that leads to the present tables: the script with the highest number, ``v0003``."""

SCHEMA_VERSION = int(REVISION[1:])
"""Version of the tables; a newer one is refused, an older one migrated."""

_METADATA = sa.MetaData()
_TEXT = sa.Text()
_KEY_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HASH = sa.String(64)
_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "whole": sa.Integer(),
    "real": sa.Double(),
}
_ROWS_AT_ONCE = 5000


def _sql_column(column: Column) -> sa.Column[Any]:
    is_key_text = column.need == "key" and column.kind == "text"
    return sa.Column(
        column.name,
        sa.String(64) if is_key_text else _TYPES[column.kind],
        primary_key=column.need == "key",
        nullable=column.need == "maybe",
        autoincrement=False,
    )


META = sa.Table(
    "necroangle_meta",
    _METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(64), nullable=False),
)
ROWS = sa.Table("cohort", _METADATA, *map(_sql_column, COLUMNS))
LEDGER = sa.Table(
    "ledger",
    _METADATA,
    sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(24), nullable=False),
    sa.Column("actor", _TEXT, nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("key", _KEY_TEXT, nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("reason", _TEXT, nullable=False),
    sa.Column("payload", _TEXT),
    sa.Column("idempotency_key", _TEXT, unique=True),
    sa.Column("previous_hash", _HASH, nullable=False),
    sa.Column("hash", _HASH, nullable=False),
    sa.Index("ledger_of_key", "kind", "key", "seq"),
)
TAIL = sa.Table(
    "ledger_tail",
    _METADATA,
    sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("seq", sa.Integer(), nullable=False),
    sa.Column("hash", _HASH, nullable=False),
)
CONTENT = sa.Table(
    "reading_content",
    _METADATA,
    sa.Column("sha256", _HASH, primary_key=True),
    sa.Column("content", sa.LargeBinary(), nullable=False),
)
ALEMBIC = sa.Table(
    "necroangle_version",
    _METADATA,
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="necroangle_version_pkc"),
)
"""Where alembic keeps the version; a name of its own, for a server may hold other programs'."""

_CHANGES = ("UPDATE", "DELETE")
_REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION necroangle_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
RAISE EXCEPTION USING MESSAGE = 'the table ' || TG_TABLE_NAME || ' is append-only';
END $$
"""

_FIRST = "v0001"
"""The version from before there were migrations: its tables do not say so themselves."""


def create_tables(connection: sa.Connection) -> None:
    """Make every table, empty, in the present version.

    Raises
    ------
    CohortError
        If another program's table has one of the names.
    """
    taken = set(sa.inspect(connection).get_table_names()) & _METADATA.tables.keys()
    if taken:
        raise CohortError(
            f"another program's table has the name {min(taken)}; give the cohort a database of "
            "its own"
        )
    _METADATA.create_all(connection)
    for statement in guards(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(TAIL.insert(), {"id": 1, "seq": 0, "hash": GENESIS})
    connection.execute(META.insert(), {"name": "schema", "value": str(SCHEMA_VERSION)})
    connection.execute(ALEMBIC.insert(), {"version_num": REVISION})


def guards(dialect: str) -> tuple[str, ...]:
    """Statements after which ``ledger`` and ``reading_content`` only grow.

    On SQLite an insert that would replace a row (``INSERT OR REPLACE``) is refused by a guard of
    its own: there, a program that has not set ``recursive_triggers`` passes by the others.
    """
    if dialect == "postgresql":
        return (_REFUSE_FUNCTION, *(_guard_on_server(name) for name in ("ledger", CONTENT.name)))
    ledger = "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger)"
    ledger += " OR EXISTS (SELECT 1 FROM ledger WHERE idempotency_key = NEW.idempotency_key)"
    content = "EXISTS (SELECT 1 FROM reading_content WHERE sha256 = NEW.sha256)"
    return (
        *(_guard_in_file(name, change) for name in ("ledger", CONTENT.name) for change in _CHANGES),
        _guard_in_file("ledger", "INSERT", ledger),
        _guard_in_file(CONTENT.name, "INSERT", content),
    )


def insert_tuples(connection: sa.Connection, table: sa.Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows given as tuples in the order of the table's columns, as fast as the driver."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    marks = ", ".join([_mark(connection)] * len(table.columns))
    _execute(connection, f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def update_tuples(connection: sa.Connection, table: sa.Table, rows: list[tuple[Any, ...]]) -> None:
    """Update rows, found by their primary key, given as for :func:`insert_tuples`."""
    mark, keys = _mark(connection), [column.name for column in table.primary_key]
    places = {column.name: place for place, column in enumerate(table.columns)}
    others = [name for name in places if name not in keys]
    order = [places[name] for name in (*others, *keys)]
    cells = ", ".join(f'"{name}" = {mark}' for name in others)
    this = " AND ".join(f'"{name}" = {mark}' for name in keys)
    statement = f'UPDATE "{table.name}" SET {cells} WHERE {this}'  # noqa: S608 - own names
    _execute(connection, statement, [tuple([row[place] for place in order]) for row in rows])


def _mark(connection: sa.Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


def _execute(connection: sa.Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.exec_driver_sql(statement, rows[start : start + _ROWS_AT_ONCE])


def _guard_on_server(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION necroangle_append_only()"
    )


def _guard_in_file(table: str, change: str, condition: str = "1") -> str:
    return (
        f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, 'the table {table} is append-only'); END"
    )


def found_version(connection: sa.Connection) -> str | None:
    """The version that a database says it has; None where there is no cohort table."""
    if not sa.inspect(connection).has_table(META.name):
        return None
    return str(connection.scalar(sa.select(META.c.value).where(META.c.name == "schema")))


def migrate(connection: sa.Connection, file: Path | None, *, dumped: bool) -> None:
    """Bring the table to the present version, within the caller's transaction.

    Parameters
    ----------
    connection
        In a transaction that holds the write lock.
    file
        The SQLite file, which is copied beside itself first; None on a database server.
    dumped
        Whether the caller has made a dump of the server's database.

    Raises
    ------
    CohortError
        If the version is newer than this program, or a server's database has not been dumped.
    """
    found = found_version(connection)
    if found == str(SCHEMA_VERSION):  # another program has done it in between
        return
    if found is None or not found.isdigit() or int(found) > SCHEMA_VERSION:
        raise CohortError(
            f"its table has version {found}, this necroangle knows {SCHEMA_VERSION}; "
            "update necroangle, or choose another file"
        )
    if file is not None:
        backup_file(file)
    elif not dumped:
        raise CohortError(
            f"its table has version {found} and must be brought to {SCHEMA_VERSION}: make a dump "
            "first (pg_dump), then run `necroangle verify --cohort URL --migrate`"
        )
    _run(connection)


def backup_file(file: Path) -> Path:
    """Copy an SQLite file beside itself, whole, though others may be reading it.

    Returns
    -------
    Path
        ``cohort.sqlite.before-v0002.bak``; with a number where such a file is there already.

    Raises
    ------
    CohortError
        If it cannot be written.
    """
    copy = next(name for name in _names(file) if not name.exists())
    part = copy.with_name(f".{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as target,
        ):
            source.backup(target)
        sync_file(part)
        rename_over(part, copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise CohortError(
            f"no backup could be written beside it ({error}), so it was left as it is"
        ) from error
    return copy


def _names(file: Path) -> Iterable[Path]:
    stem = f"{file.name}.before-{REVISION}"
    yield file.with_name(f"{stem}.bak")
    for number in range(2, 1000):
        yield file.with_name(f"{stem}.{number}.bak")


def _run(connection: sa.Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationStep
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_SCRIPTS))
    if not sa.inspect(connection).has_table(ALEMBIC.name):
        ALEMBIC.create(connection)
        connection.execute(ALEMBIC.insert(), {"version_num": _FIRST})

    def steps(found: Any, _context: Any) -> list[Any]:
        newest_first = scripts.iterate_revisions(REVISION, found)
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script)
            for script in reversed(list(newest_first))
        ]

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection=connection, transactional_ddl=True, version_table=ALEMBIC.name
        )
        environment.run_migrations()
