"""Names and labels under which the columns of the cohort table leave it."""

from necroangle.entries import READ_FIELDS

__all__ = ["INDEX_LABELS", "LABELS", "NAMES", "STEMS", "VIEW_NAMES"]

VIEW_NAMES = {"a": "cor", "b": "sag"}
"""What stands for A (coronal, AP) and B (sagittal, lateral) at the beginning of a name."""

NAMES = {
    "a_deg": "cna_cor_deg",
    "a_se_marking": "cna_cor_se_marking",
    "a_se_total": "cna_cor_se_total",
    "a_low_deg": "cna_cor_low_deg",
    "a_high_deg": "cna_cor_high_deg",
    "b_deg": "cna_sag_deg",
    "b_se_marking": "cna_sag_se_marking",
    "b_se_total": "cna_sag_se_total",
    "b_low_deg": "cna_sag_low_deg",
    "b_high_deg": "cna_sag_high_deg",
    "a_slice_offset_mm": "slice_cor",
    "a_slice_offset_se_mm": "slice_cor_se",
    "b_slice_offset_mm": "slice_sag",
    "b_slice_offset_se_mm": "slice_sag_se",
    "a_flags": "flags_cor",
    "b_flags": "flags_sag",
    "flags": "flags_hip",
    "ha_grade": "cna_grade",
    "ha_risk": "cna_risk",
    **{f"ha_grade_{n}_p": f"cna_grade_{n}_p" for n in (1, 2, 3, 4)},
    **{f"ha_risk_{risk}_p": f"cna_risk_{risk}_p" for risk in ("low", "moderate", "high")},
    **{one.name: one.export_name for one in READ_FIELDS if one.kind != "view"},
}
"""Export name by name in the database, where they differ beyond the view's prefix."""

LABELS = {
    "a_deg": "A view: necrotic angle, union of the arcs",
    "a_se_marking": "A view: standard error of the angle by marking alone",
    "a_se_total": "A view: standard error of the angle in all",
    "a_low_deg": "A view: lower 95 % bound of the necrotic angle",
    "a_high_deg": "A view: upper 95 % bound of the necrotic angle",
    "a_view": "A view: which (coronal or AP)",
    "a_slice_offset_mm": "A view: distance of the slice from the head's centre",
    "a_slice_offset_se_mm": "A view: standard error of that distance",
    "b_deg": "B view: necrotic angle, union of the arcs",
    "b_se_marking": "B view: standard error of the angle by marking alone",
    "b_se_total": "B view: standard error of the angle in all",
    "b_low_deg": "B view: lower 95 % bound of the necrotic angle",
    "b_high_deg": "B view: upper 95 % bound of the necrotic angle",
    "b_view": "B view: which (sagittal or lateral)",
    "b_slice_offset_mm": "B view: distance of the slice from the head's centre",
    "b_slice_offset_se_mm": "B view: standard error of that distance",
    "cna_deg": "Combined necrotic angle (CNA), A + B",
    "cna_se_marking": "CNA: standard error by marking alone",
    "cna_se_total": "CNA: standard error in all",
    "cna_low_deg": "CNA: lower 95 % bound",
    "cna_high_deg": "CNA: upper 95 % bound",
    "cna_mdc95_deg": "CNA: smallest difference to a reading like it (MDC95)",
    "other_grade_p": "CNA: probability of another grade",
    "radius_prior_sd_mm": "Standard deviation of the head radius known beforehand",
    "radius_prior_source": "Where the head radius known beforehand comes from",
    **{one.name: f"{one.label} as entered by the reader" for one in READ_FIELDS},
}
"""Labels where the meaning of the cohort's column says too little alone."""

INDEX_LABELS = {
    "koo_kim_index": "Index of Koo and Kim, (A/180)(B/180) x 100, not clipped",
    "koo_kim_size_prov": "Provisional: size of lesion by the index of Koo and Kim",
    "jic_w_prov": "Provisional: lateral boundary on teardrop to acetabular edge, 0 to 1",
    "jic_type_prov": "Provisional: JIC type from the marks",
    "jic_medial_of_wb_prov": "Provisional: lesion ends medial of the weight-bearing portion",
    "lcea_deg": "Lateral acetabular edge from superior at the head's centre",
    "arco2021_type": "ARCO 2021 type: lateral boundary against apex and acetabular edge",
    "lateral_spared_prov_deg": "Provisional: arc spared laterally",
    "anterior_necrotic_deg": "Neck midline to anterior boundary on mid-oblique MR",
    "collapse_depth_mm": "Depth of collapse below the head circle, deeper of two views",
    "collapse_arco": "ARCO 2019 stage from the depth of collapse",
    "collapse_jic": "JIC stage from the depth of collapse",
}
"""Labels of the indices; the codebook has the meaning in full, with its source."""

STEMS = {
    "a_deg": "cna_cor",
    "b_deg": "cna_sag",
    "cna_deg": "cna",
    "cna_se_total": "cna_se",
    "cna_low_deg": "cna_low",
    "cna_high_deg": "cna_high",
    "cna_mdc95_deg": "cna_mdc95",
    "ha_grade": "cna_grade",
    "ha_risk": "cna_risk",
    "kerboul": "kerboul",
    "koo_kim_index": "koo_kim",
    "collapse_depth_mm": "depth_mm",
    "a_status": "cor_status",
    "b_status": "sag_status",
    "flags": "flags_hip",
    **{
        one.name: VIEW_NAMES[one.name[0]] + one.name[1:] if one.kind == "view" else one.name
        for one in READ_FIELDS
        if one.by == "reader"
    },
}
"""What goes to a wide table, and its name before ``_m6``."""
