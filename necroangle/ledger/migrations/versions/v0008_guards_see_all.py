"""Version 8: a server's guards see every row, whoever writes, and hold chain and locked states.

The guards are made when all scripts have run.
"""

from alembic import op

revision = "v0008"
down_revision = "v0007"


def upgrade() -> None:
    """Say the version; no table changes."""
    op.execute("UPDATE necroangle_meta SET value = '8' WHERE name = 'schema'")
