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
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import GENESIS
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.storage import rename_over, sync_file

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
    sa.Column("server_at", sa.String(24)),
    sa.Column("server_user", _TEXT),
    sa.Column("actor", _TEXT, nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("key", _KEY_TEXT, nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("reason", _TEXT, nullable=False),
    sa.Column("payload", _TEXT),
    sa.Column("idempotency_key", _TEXT, unique=True),
    sa.Column("salt", sa.String(32)),
    sa.Column("sealed", _HASH, nullable=False),
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

UNLOCKED_KINDS = frozenset({"lock", "erasure", "query", "anchors", "restored"})
"""What may be written while a state is locked: what changes no number that is analysed, and what
the law asks for."""

_SEALED = (
    *("seq", "at", "server_at", "server_user", "actor", "kind", "action"),
    *("sealed", "previous_hash", "hash"),
)
"""Columns of an event that stay when what it says is erased."""

_ERASING = """{same} AND NEW.key = '' AND NEW.reason = '' AND NEW.payload IS NULL
 AND NEW.idempotency_key IS NULL AND NEW.salt IS NULL
 AND EXISTS (SELECT 1 FROM ledger WHERE kind = 'erasure' AND seq > OLD.seq
 AND {instr}(payload, ' ' || OLD.seq || ' ') > 0)"""
"""What an event says goes only where a later event of an erasure tells its number."""

_TOLD = """EXISTS (SELECT 1 FROM ledger WHERE kind = 'reading_file'
 AND {instr}(payload, OLD.sha256) > 0)"""
"""A kept reading goes only when no event tells of it any more."""

_REPLACED = "NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger)"
_SAME_NAME = "EXISTS (SELECT 1 FROM ledger WHERE idempotency_key = NEW.idempotency_key)"
_SAME_BYTES = "EXISTS (SELECT 1 FROM reading_content WHERE sha256 = NEW.sha256)"

SERVER_NOW = (
    "to_char(transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
)
"""The server's time as an event carries it: one and the same throughout a transaction."""

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
    set_guards(connection)
    connection.execute(TAIL.insert(), {"id": 1, "seq": 0, "hash": GENESIS})
    connection.execute(META.insert(), {"name": "schema", "value": str(SCHEMA_VERSION)})
    connection.execute(ALEMBIC.insert(), {"version_num": REVISION})


def copy_tables(source: sa.Connection, target: sa.Connection) -> None:
    """Make every table in an empty database and fill it from another, as it stands there."""
    _METADATA.create_all(target)
    for table in _METADATA.sorted_tables:
        query = sa.select(*table.columns).execution_options(yield_per=_ROWS_AT_ONCE)
        for some in source.execute(query).partitions():
            insert_tuples(target, table, [tuple(row) for row in some])
    set_guards(target)


def set_guards(connection: sa.Connection) -> None:
    """Make the guards of the tables that stand there."""
    if connection.dialect.name == "postgresql":
        statements = _server_guards(server_path(connection))
    else:
        statements = _file_guards()
    for statement in statements:
        connection.exec_driver_sql(statement)


def server_path(connection: sa.Connection) -> str:
    """Where the functions of a server look for tables: no table of a user's own comes first."""
    schema = str(connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar())
    return f"{schema}, pg_temp"


def _file_guards() -> tuple[str, ...]:
    """Statements after which ``ledger`` and ``reading_content`` of a file only grow.

    What was said of a patient can be erased after an event that says so, and in no other way. On
    SQLite an insert that would replace a row (``INSERT OR REPLACE``) is refused by a guard of its
    own: there, a program that has not set ``recursive_triggers`` passes by the others.
    """
    erasing = _ERASING.format(same=_same("IS"), instr="instr")
    return (
        _guard_in_file("ledger", "UPDATE", f"NOT ({erasing})"),
        _guard_in_file("ledger", "DELETE"),
        _guard_in_file("ledger", "INSERT", f"{_REPLACED} OR {_SAME_NAME}"),
        f"CREATE TRIGGER ledger_locked BEFORE INSERT ON ledger WHEN {_locked('0')} "
        "BEGIN SELECT RAISE(ABORT, 'a state is locked; nothing that is analysed changes'); END",
        _guard_in_file(CONTENT.name, "UPDATE"),
        _guard_in_file(CONTENT.name, "DELETE", _TOLD.format(instr="instr")),
        _guard_in_file(CONTENT.name, "INSERT", _SAME_BYTES),
    )


def _locked(no: str) -> str:
    """Whether an event would change a locked state."""
    unlocked = ", ".join(f"'{kind}'" for kind in sorted(UNLOCKED_KINDS))
    return (
        f"NEW.kind NOT IN ({unlocked}) AND coalesce((SELECT payload IS NOT NULL FROM ledger\n"  # noqa: S608
        f" WHERE kind = 'lock' ORDER BY seq DESC LIMIT 1), {no})"
    )


def _same(operator: str) -> str:
    return " AND ".join(f"NEW.{name} {operator} OLD.{name}" for name in _SEALED)


def _server_guards(path: str) -> tuple[str, ...]:
    """The same for a server: functions, and triggers as the server itself writes them.

    It also refuses an event that bears another time or user than its own, that is not chained to
    the last one, or that would change a locked state. The functions see every row, whoever writes.
    """
    functions = (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path = {path} AS $${body}$$"
        for name, body in server_functions().items()
    )
    triggers = (
        statement
        for name, trigger in server_triggers().items()
        for statement in (trigger, _always(name, trigger))
    )
    looks = (
        f"CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS {result} LANGUAGE plpgsql STABLE "
        f"SECURITY DEFINER SET search_path = {path} AS $${body}$$"
        for name, (arguments, result, body) in server_looks().items()
    )
    return (*functions, *looks, *triggers)


def _always(name: str, trigger: str) -> str:
    """A guard that stays awake in a session that replicates (``session_replication_role``)."""
    table = trigger.split(" ON ")[1].split(" ")[0]
    return f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def server_functions() -> dict[str, str]:
    """The bodies of the guards' functions on a database server, by name."""
    refuse = "RAISE EXCEPTION USING MESSAGE = 'the table ' || TG_TABLE_NAME || ' is append-only';"
    erasing = _ERASING.format(same=_same("IS NOT DISTINCT FROM"), instr="strpos")
    return {
        "necroangle_append_only": f" BEGIN {refuse} END ",
        "necroangle_ledger_grows": f""" BEGIN
IF {_REPLACED} THEN {refuse} END IF;
IF NEW.previous_hash IS DISTINCT FROM coalesce((SELECT hash FROM ledger WHERE seq = NEW.seq - 1),
 repeat('0', 64)) THEN
RAISE EXCEPTION USING MESSAGE = 'the end of the ledger was tampered with; run `necroangle verify`';
END IF;
IF {_locked("false")} THEN
RAISE EXCEPTION USING MESSAGE = 'a state is locked; nothing that is analysed changes'; END IF;
IF NEW.server_at IS DISTINCT FROM {SERVER_NOW}
 OR NEW.server_user IS DISTINCT FROM session_user::text THEN
RAISE EXCEPTION USING MESSAGE = 'an event bears the time and user of the server alone'; END IF;
RETURN NEW; END """,  # noqa: S608 - own names
        "necroangle_ledger_erased": f""" BEGIN
IF {erasing} THEN RETURN NEW; END IF;
{refuse} END """,
        "necroangle_reading_removed": f""" BEGIN
IF {_TOLD.format(instr="strpos")} THEN {refuse} END IF;
RETURN OLD; END """,
    }


def server_looks() -> dict[str, tuple[str, str, str]]:
    """What anchors need that a user of a server may not see: arguments, result, body, by name.

    Neither a hash, which is over random salts, nor a count tells anything of a patient.
    """
    return {
        "necroangle_hash": (
            "wanted integer",
            "text",
            " BEGIN RETURN (SELECT hash FROM ledger WHERE seq = wanted); END ",
        ),
        "necroangle_rows": (
            "",
            "bigint",
            " BEGIN RETURN (SELECT count(*) FROM cohort); END ",
        ),
    }


def server_triggers() -> dict[str, str]:
    """The guards of a database server, each as ``pg_get_triggerdef`` writes it, by name."""
    ledger, content = LEDGER.name, CONTENT.name
    return {
        name: f"CREATE TRIGGER {name} BEFORE {changes} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {function}()"
        for name, changes, table, each, function in (
            ("ledger_erased", "UPDATE", ledger, "ROW", "necroangle_ledger_erased"),
            ("ledger_grows", "INSERT", ledger, "ROW", "necroangle_ledger_grows"),
            ("ledger_kept", "DELETE OR TRUNCATE", ledger, "STATEMENT", "necroangle_append_only"),
            ("reading_kept", "UPDATE OR TRUNCATE", content, "STATEMENT", "necroangle_append_only"),
            ("reading_removed", "DELETE", content, "ROW", "necroangle_reading_removed"),
        )
    }


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
            closing(sqlite3.connect(_for_reading(file.absolute()), uri=True)) as source,
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


def _for_reading(file: PurePath) -> str:
    r"""The URI by which SQLite opens a file to read it alone.

    ``as_uri`` would put the computer of a Windows share where SQLite takes no computer.

    Examples
    --------
    >>> from pathlib import PurePosixPath, PureWindowsPath
    >>> _for_reading(PureWindowsPath(r"\\kontor\study\cohort 1.sqlite"))
    'file:////kontor/study/cohort%201.sqlite?mode=ro'
    >>> _for_reading(PureWindowsPath(r"C:\study\c#.sqlite"))
    'file:///C:/study/c%23.sqlite?mode=ro'
    >>> _for_reading(PurePosixPath("/c.sqlite"))
    'file:///c.sqlite?mode=ro'
    """
    path = quote(file.as_posix(), safe="/:")
    return f"file://{path}?mode=ro" if path.startswith("/") else f"file:///{path}?mode=ro"


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
    _as_new(connection)


def _as_new(connection: sa.Connection) -> None:
    """Bring guards and measured rows to the very text of a new table.

    Columns that were added stand at the end, others have old names: made anew, the table can be
    compared by its text.
    """
    drop_guards(connection)
    rows = [tuple(row) for row in connection.execute(sa.select(*ROWS.columns))]
    ROWS.drop(connection)
    ROWS.create(connection)
    insert_tuples(connection, ROWS, rows)
    set_guards(connection)


def drop_guards(connection: sa.Connection) -> None:
    """Take every guard of the house away, for a migration."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for name in connection.exec_driver_sql(query).scalars().all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        return
    for name, trigger in server_triggers().items():
        table = trigger.split(" ON ")[1].split(" ")[0]
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
