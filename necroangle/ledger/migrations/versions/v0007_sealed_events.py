"""Version 7: what an event says is sealed before it is chained, so that it can be erased.

The chain is made anew; the last event tells the hash that the old one ended with.
"""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from necroangle.errors import CohortError
from necroangle.ledger.chain import GENESIS, Link, link

revision = "v0007"
down_revision = "v0006"

_ENCODE = msgspec.json.Encoder().encode
_OLD = "seq, at, actor, kind, key, action, reason, payload, idempotency_key, hash"
_AT_ONCE = 2000


def upgrade() -> None:
    """Seal and chain every event anew. The guards are made when all scripts have run."""
    connection = op.get_bind()
    _drop_guards(connection)
    op.drop_index("ledger_of_key", "ledger")
    op.rename_table("ledger", "ledger_before_v7")
    _make_table()
    old_head = connection.execute(sa.text("SELECT seq, hash FROM ledger_tail")).one()
    seq, head = _seal(connection, tuple(old_head))
    op.drop_table("ledger_before_v7")
    tail = sa.table("ledger_tail", sa.column("seq"), sa.column("hash"))
    connection.execute(tail.update().values(seq=seq, hash=head))
    op.create_index("ledger_of_key", "ledger", ["kind", "key", "seq"])
    op.execute("UPDATE necroangle_meta SET value = '7' WHERE name = 'schema'")


def _drop_guards(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        for table in ("ledger", "reading_content"):
            op.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
        return
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    for name in connection.exec_driver_sql(query).scalars().all():
        op.execute(f'DROP TRIGGER "{name}"')


def _make_table() -> None:
    key_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    if op.get_bind().dialect.name == "postgresql":  # the old table's indexes keep their names
        for old in ("ledger_pkey", "ledger_idempotency_key_key"):
            op.execute(f"ALTER INDEX IF EXISTS {old} RENAME TO {old}_before_v7")
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("server_at", sa.String(24)),
        sa.Column("server_user", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("key", key_text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text()),
        sa.Column("idempotency_key", sa.Text(), unique=True),
        sa.Column("salt", sa.String(32)),
        sa.Column("sealed", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )


def _seal(connection: sa.Connection, old: tuple[int, str]) -> tuple[int, str]:
    """Write every event in its new form; the last number and hash."""
    table = sa.table("ledger", *map(sa.column, Link._fields))
    seq, head = 0, GENESIS
    for some in _portions(connection, old):
        links = []
        for at, actor, kind, *said in some:
            seq += 1
            one = link(head, seq, (at, None, None, actor), (kind, *said), secrets.token_hex(16))
            head = one.hash
            links.append(one._asdict())
        connection.execute(table.insert(), links)
    return seq, head


def _portions(connection: sa.Connection, old: tuple[int, str]) -> Iterator[list[Any]]:
    """The old events, a few thousand at a time, each held against the old chain; its end."""
    query = sa.text(
        f"SELECT {_OLD} FROM ledger_before_v7 WHERE seq > :after ORDER BY seq LIMIT {_AT_ONCE}"  # noqa: S608
    )
    seq, head = 0, GENESIS
    while found := connection.execute(query, {"after": seq}).all():
        for number, *said, own in found:
            seq += 1
            head = hashlib.sha256(_ENCODE((head, seq, *said))).hexdigest()
            if (number, own) != (seq, head):
                raise CohortError(
                    f"event {seq} of its ledger was changed or removed from outside, so it is not "
                    "brought to this version: put a backup in its place"
                )
        yield [tuple(row)[1:-1] for row in found]
    if (seq, head) != old:
        raise CohortError(
            f"its ledger ended with event {old[0]}, {seq} are there: put a backup in its place"
        )
    if seq:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        payload = f'{{"events":{seq},"head":"{head}"}}'
        yield [(at, "migration", "sealing", '["v0007"]', "create", "", payload, None)]
