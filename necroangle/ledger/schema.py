"""The tables of the cohort, and the guards that keep the ledger append-only.

``ledger`` and ``reading_content`` are the truth and only ever grow; ``cohort`` (the measured rows)
is derived from them and can be rebuilt; ``ledger_tail`` holds the last event's number and hash, and
on a database server is the lock that writers take in turn.

A change here is a new version: :data:`SCHEMA_VERSION` and a script in ``migrations/versions``.
"""

from typing import Any

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.chain import GENESIS
from necroangle.measurement.columns import COLUMNS, Column

__all__ = [
    "ALEMBIC",
    "CONTENT",
    "LEDGER",
    "META",
    "REVISION",
    "ROWS",
    "SCHEMA_VERSION",
    "TAIL",
    "create_tables",
    "guards",
    "insert_tuples",
    "update_tuples",
]

SCHEMA_VERSION = 2
"""Version of the tables; a newer one is refused, an older one migrated."""

REVISION = "v0002"
"""The migration that leads to it."""

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


_CHANGES = ("UPDATE", "DELETE")
_REFUSE_FUNCTION = """
CREATE OR REPLACE FUNCTION necroangle_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
RAISE EXCEPTION USING MESSAGE = 'the table ' || TG_TABLE_NAME || ' is append-only';
END $$
"""


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
