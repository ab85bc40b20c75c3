"""Version 6: how far the patient moved between the two series, and how many slices are marked."""

import sqlalchemy as sa
from alembic import op

revision = "v0006"
down_revision = "v0005"

REAL = ("a_moved_mm", "a_moved_se_mm", "b_moved_mm", "b_moved_se_mm")


def upgrade() -> None:
    """Add the columns, empty."""
    for name in REAL:
        op.add_column("cohort", sa.Column(name, sa.Double()))
    for name in ("a_slice_count", "b_slice_count"):
        op.add_column("cohort", sa.Column(name, sa.Integer()))
    op.execute("UPDATE necroangle_meta SET value = '6' WHERE name = 'schema'")
