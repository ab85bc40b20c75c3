"""Version 2: the append-only ledger and the readings' bytes; every row is told to the ledger."""

import hashlib
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa
from alembic import op

from necroangle.ledger.chain import GENESIS

revision = "v0002"
down_revision = "v0001"

ACTOR, REASON = "migration", "stood in the table of version 1"
LINK_COLUMNS = (
    *("seq", "at", "actor", "kind", "key", "action", "reason", "payload", "idempotency_key"),
    *("previous_hash", "hash"),
)
_ENCODE = msgspec.json.Encoder().encode


def upgrade() -> None:
    """Make the new tables, and chain an event for every row that is there."""
    _make_tables()
    connection = op.get_bind()
    seq, last = _tell_rows(connection)
    tail = sa.table("ledger_tail", sa.column("id"), sa.column("seq"), sa.column("hash"))
    connection.execute(tail.insert(), {"id": 1, "seq": seq, "hash": last})
    op.execute("UPDATE necroangle_meta SET value = '2' WHERE name = 'schema'")


def _make_tables() -> None:
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", key_text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("idempotency_key", sa.Text(), unique=True),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("ledger_of_key", "ledger", ["kind", "key", "seq"])
    op.create_table(
        "ledger_tail",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "reading_content",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def _tell_rows(connection: sa.Connection) -> tuple[int, str]:
    """Chain the rows to the ledger, by key; the last number and hash."""
    found = connection.exec_driver_sql(
        "SELECT * FROM cohort ORDER BY subject, laterality, visit, reader, read_no, method"
    )
    names, rows = list(found.keys()), found.all()
    digest = hashlib.sha256(_ENCODE(names)).hexdigest()[:16]
    wanted = [("columns", _text([digest]), _text({"names": " ".join(names)}))]
    wanted += [
        ("measurement", _text([str(cell) for cell in row[:6]]), _text([digest, *row]))
        for row in rows
    ]
    return _chain(connection, wanted if rows else [])


def _chain(connection: sa.Connection, wanted: list[tuple[str, str, str]]) -> tuple[int, str]:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    table = sa.table("ledger", *map(sa.column, LINK_COLUMNS))
    last, links = GENESIS, []
    for seq, (kind, key, payload) in enumerate(wanted, start=1):
        content = (seq, at, ACTOR, kind, key, "create", REASON, payload, None)
        previous, last = last, hashlib.sha256(_ENCODE((last, *content))).hexdigest()
        links.append(dict(zip(LINK_COLUMNS, (*content, previous, last), strict=True)))
    if links:
        connection.execute(table.insert(), links)
    return len(links), last


def _text(value: object) -> str:
    return _ENCODE(value).decode()
