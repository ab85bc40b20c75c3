"""Version 5: the error of marking by its name, the total error beside it, and what was assumed."""

import sqlalchemy as sa
from alembic import op

revision = "v0005"
down_revision = "v0004"

RENAMED = {f"{angle}_se_deg": f"{angle}_se_marking" for angle in ("a", "b", "cna")}
REAL = (
    *("a_se_total", "b_se_total", "cna_se_total", "a_rim_middle_deg", "b_rim_middle_deg"),
    *("other_grade_p", "end_bias_mm", "end_dof"),
)


def upgrade() -> None:
    """Give the standard errors of marking their name; add the new columns, empty."""
    for old, new in RENAMED.items():
        op.execute(f"ALTER TABLE cohort RENAME COLUMN {old} TO {new}")
    for name in REAL:
        op.add_column("cohort", sa.Column(name, sa.Double()))
    op.add_column("cohort", sa.Column("end_source", sa.Text()))
    op.execute("UPDATE necroangle_meta SET value = '5' WHERE name = 'schema'")
