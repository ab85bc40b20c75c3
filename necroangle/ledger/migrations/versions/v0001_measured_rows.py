"""Version 1: the measured rows, as they were released first."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None

# Columns in their order; what kind each is, and which must be filled, is said below.
COLUMNS = [
    "subject",
    "laterality",
    "visit",
    "reader",
    "read_no",
    "method",
    "method_version",
    "modality",
    "a_view",
    "a_status",
    "a_deg",
    "a_se_deg",
    "a_low_deg",
    "a_high_deg",
    "a_span_deg",
    "a_arc_count",
    "a_start_deg",
    "a_end_deg",
    "a_middle_deg",
    "a_radius_mm",
    "a_rim_rms_mm",
    "a_rim_span_deg",
    "a_rim_count",
    "a_rim_left_out",
    "a_rim_misplaced",
    "a_edge_gap_mm",
    "a_surface_share",
    "a_plane",
    "a_obliquity_deg",
    "a_slice_offset_mm",
    "a_slice_offset_se_mm",
    "a_slice_shift_mm",
    "a_flags",
    "b_view",
    "b_status",
    "b_deg",
    "b_se_deg",
    "b_low_deg",
    "b_high_deg",
    "b_span_deg",
    "b_arc_count",
    "b_start_deg",
    "b_end_deg",
    "b_middle_deg",
    "b_radius_mm",
    "b_rim_rms_mm",
    "b_rim_span_deg",
    "b_rim_count",
    "b_rim_left_out",
    "b_rim_misplaced",
    "b_edge_gap_mm",
    "b_surface_share",
    "b_plane",
    "b_obliquity_deg",
    "b_slice_offset_mm",
    "b_slice_offset_se_mm",
    "b_slice_shift_mm",
    "b_flags",
    "cna_deg",
    "cna_se_deg",
    "cna_low_deg",
    "cna_high_deg",
    "cna_mdc95_deg",
    "ha_grade",
    "ha_risk",
    "kerboul",
    "ha_grade_1_p",
    "ha_grade_2_p",
    "ha_grade_3_p",
    "ha_grade_4_p",
    "ha_risk_low_p",
    "ha_risk_moderate_p",
    "ha_risk_high_p",
    "koo_kim_index",
    "koo_kim_size_prov",
    "jic_w_prov",
    "jic_type_prov",
    "jic_medial_of_wb_prov",
    "lcea_deg",
    "arco2021_type",
    "lateral_spared_prov_deg",
    "anterior_necrotic_deg",
    "collapse_depth_mm",
    "collapse_arco",
    "collapse_jic",
    "index_refused",
    "flags",
    "centre_gap_mm",
    "radius_gap_mm",
    "one_head_p",
    "rim_sd_mm",
    "end_sd_mm",
    "radius_prior_mm",
    "radius_prior_sd_mm",
    "radius_prior_source",
    "centre",
    "arco",
    "jic",
    "annotation_sha256",
    "software_version",
]
KEY = ["subject", "laterality", "visit", "reader", "read_no", "method"]
FILLED = [
    "method_version",
    "modality",
    "a_view",
    "a_status",
    "b_view",
    "b_status",
    "index_refused",
    "flags",
    "centre",
    "annotation_sha256",
    "software_version",
]
WHOLE = [
    "read_no",
    "method_version",
    "a_arc_count",
    "a_rim_count",
    "a_rim_left_out",
    "b_arc_count",
    "b_rim_count",
    "b_rim_left_out",
    "ha_grade",
    "jic_medial_of_wb_prov",
    "arco2021_type",
]
TEXT = [
    "subject",
    "laterality",
    "visit",
    "reader",
    "method",
    "modality",
    "a_view",
    "a_status",
    "a_rim_misplaced",
    "a_plane",
    "a_flags",
    "b_view",
    "b_status",
    "b_rim_misplaced",
    "b_plane",
    "b_flags",
    "ha_risk",
    "kerboul",
    "koo_kim_size_prov",
    "jic_type_prov",
    "collapse_arco",
    "collapse_jic",
    "index_refused",
    "flags",
    "radius_prior_source",
    "centre",
    "arco",
    "jic",
    "annotation_sha256",
    "software_version",
]


def upgrade() -> None:
    """Make the tables of version 1."""
    op.create_table(
        "necroangle_meta",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.String(64), nullable=False),
    )
    op.create_table("cohort", *map(_column, COLUMNS))
    op.execute("INSERT INTO necroangle_meta VALUES ('schema', '1')")


def _column(name: str) -> "sa.Column[Any]":
    kind: sa.types.TypeEngine[Any] = sa.Double()
    if name in WHOLE:
        kind = sa.Integer()
    elif name in TEXT:
        kind = sa.String(64) if name in KEY else sa.Text()
    is_key = name in KEY
    return sa.Column(
        name,
        kind,
        primary_key=is_key,
        nullable=not is_key and name not in FILLED,
        autoincrement=False,
    )
