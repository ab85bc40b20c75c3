"""Version 9: a file refuses what would change a locked state; users of a server can write anchors.

The guards and functions are made when all scripts have run.
"""

from alembic import op

revision = "v0009"
down_revision = "v0008"


def upgrade() -> None:
    """Say the version; no table changes."""
    op.execute("UPDATE necroangle_meta SET value = '9' WHERE name = 'schema'")
