"""Version 3: columns for what the reader enters of JIC stage, Steinberg stage and size."""

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"

COLUMNS = ("jic_stage", "steinberg", "steinberg_size")


def upgrade() -> None:
    """Add the columns, empty; what the ledger says of earlier rows is left as it is."""
    for name in COLUMNS:
        op.add_column("cohort", sa.Column(name, sa.Text()))
    op.execute("UPDATE necroangle_meta SET value = '3' WHERE name = 'schema'")
