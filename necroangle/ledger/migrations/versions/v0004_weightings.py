"""Version 4: columns for what weights the images of each view."""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"

COLUMNS = ("a_weighting", "b_weighting")


def upgrade() -> None:
    """Add the columns, empty; what the ledger says of earlier rows is left as it is."""
    for name in COLUMNS:
        op.add_column("cohort", sa.Column(name, sa.Text()))
    op.execute("UPDATE necroangle_meta SET value = '4' WHERE name = 'schema'")
