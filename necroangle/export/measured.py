"""The measured columns of an export, and their values from rows of the cohort table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from necroangle.entries import READ_FIELDS, read_field
from necroangle.export.codes import CODE_SETS, CodeSet, code_set_of
from necroangle.export.columns import ExportColumn, Kind, Missing
from necroangle.export.table import PLACES, Cells
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.measurement.row import Cell, CohortRow
from necroangle.terms import Finding, Flag, UnreadReason

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

# ---- names and labels ----------------------------------------------------------------------------


Group = Literal["always", "a", "b", "hip", "mark", "entered", "given"]

_REASONS = {
    UnreadReason.PROSTHESIS: Missing.NOT_APPLICABLE,
    UnreadReason.NOT_READABLE: Missing.NOT_READABLE,
    UnreadReason.NOT_DONE: Missing.NOT_DONE,
}
_ALWAYS_KNOWN = frozenset({Flag.VIEW_NOT_READ, Flag.CENSORED_BY_THA})
"""Flags that say something where a view was not read, too."""

_SKIPPED = frozenset({"subject", "laterality", "visit", "reader", "read_no", "method"})
_GIVEN = frozenset({"radius_prior_mm", "radius_prior_sd_mm", "radius_prior_source"}) | {
    "end_sd_mm",
    "end_bias_mm",
    "end_dof",
    "end_source",
}
_CODED_WHOLE = frozenset({"ha_grade", "arco2021_type", "jic_medial_of_wb_prov"})


@dataclass(frozen=True, slots=True)
class _Measured:
    """One column of the cohort table on its way out."""

    column: ExportColumn
    source: str
    group: Group
    codes: CodeSet | None


def _group(column: Column) -> Group:
    if column.need == "always":
        return "always"
    if column.name in _GIVEN:
        return "given"
    if read_field(column.name) is not None:
        return "entered"
    if column.name in INDEX_LABELS and not column.name.startswith("koo_kim"):
        return "mark"
    return {"a_": "a", "b_": "b"}.get(column.name[:2], "hip")  # type: ignore[return-value]


def _export_name(name: str) -> str:
    """Name of a column outside: ``a_radius_mm`` goes out as ``cor_radius_mm``."""
    if name in NAMES:
        return NAMES[name]
    return VIEW_NAMES[name[0]] + name[1:] if name[:2] in {"a_", "b_"} else name


def _label(column: Column) -> str:
    named = LABELS.get(column.name) or INDEX_LABELS.get(column.name)
    if named:
        return named
    view = {"a_": "A view: ", "b_": "B view: "}.get(column.name[:2], "")
    return view + column.meaning if view else column.meaning[:1].upper() + column.meaning[1:]


def _codes_of(column: Column) -> CodeSet | None:
    """The codes of a column's words, where it has such."""
    entry = read_field(column.name)
    if entry is not None:
        return entry.choices
    is_coded = column.name in _CODED_WHOLE or (column.allowed and not column.holds_several)
    return code_set_of(column.name, column.allowed) if is_coded else None


def _measured(column: Column) -> _Measured:
    group = _group(column)
    codes = _codes_of(column)
    kind: Kind = "whole" if codes else column.kind
    scale: Literal["nominal", "scale"] = "nominal" if kind == "text" else "scale"
    return _Measured(
        ExportColumn(
            _export_name(column.name),
            kind,
            _label(column),
            column.unit,
            codes.values if codes else (),
            codes.measure if codes else scale,
            column.meaning,
            f"cohort.{column.name}",
            can_miss=group != "always",
            stem=STEMS.get(column.name, ""),
        ),
        column.name,
        group,
        codes,
    )


_MEASURED = tuple(_measured(column) for column in COLUMNS if column.name not in _SKIPPED)


def _flag_column(flag: Flag) -> ExportColumn:
    return ExportColumn(
        f"flag_{flag}",
        "whole",
        f"Flag: {flag.meaning}"[:80],
        values=CODE_SETS["no_yes"].values,
        measure="nominal",
        meaning=f"{flag.meaning}: raised for a view or for the hip",
        source="cohort.a_flags, b_flags, flags",
    )


FLAG_COLUMNS = tuple(_flag_column(flag) for flag in Flag)
_NEAR_CUT = ExportColumn(
    "cna_near_cut",
    "whole",
    "Grade may be another one (above 10 %)",
    values=CODE_SETS["no_yes"].values,
    measure="nominal",
    meaning="whether the probability of another grade (other_grade_p) is above 0.1",
    source="cohort.flags",
)

MEASURED_COLUMNS = (*(one.column for one in _MEASURED), _NEAR_CUT, *FLAG_COLUMNS)
"""Columns of what was measured, without the keys."""


def measured_cells(rows: Sequence[CohortRow | None]) -> list[Cells]:
    """The values of :data:`MEASURED_COLUMNS` for rows of the cohort table, column by column.

    Where there is no reading (None), everything is not done.
    """
    read = [row for row in rows if row is not None]
    columns = zip(*(row.cells for row in read), strict=True) if read else ((),) * len(COLUMNS)
    cells = {column.name: one for column, one in zip(COLUMNS, columns, strict=True)}
    why = _reasons_of(list(zip(cells["a_status"], cells["b_status"], strict=True)))
    found = [_cells_of(one, cells[one.source], why[one.group]) for one in _MEASURED]
    found += _flag_cells(cells, why)
    if len(read) == len(rows):
        return found
    # every row its place among those that were read, or one place more, where nothing was done
    absent = len(read)
    places = np.cumsum([row is not None for row in rows]) - 1
    places[[place for place, row in enumerate(rows) if row is None]] = absent
    return [_with_one_not_done(one).take(places) for one in found]


def _with_one_not_done(cells: Cells) -> Cells:
    why = np.append(cells.why, np.int8(PLACES[Missing.NOT_DONE]))
    if isinstance(cells.values, list):
        return Cells([*cells.values, ""], why)
    return Cells(np.append(cells.values, np.nan), why)


def _cells_of(one: _Measured, cells: Sequence[Cell], why: NDArray[np.int8]) -> Cells:
    """One column: codes for words, and why a value is missing where it is."""
    if one.codes is None and one.column.kind == "text":
        gone = np.array([cell is None for cell in cells], bool)
        return Cells(["" if cell is None else str(cell) for cell in cells], np.where(gone, why, 0))
    numbers: Sequence[Cell] = cells
    if one.codes is not None:
        codes = one.codes.codes
        known = {cell: None if cell is None else codes[str(cell)] for cell in set(cells)}
        numbers = [known[cell] for cell in cells]
    values = np.array(numbers, dtype=np.float64)
    return Cells(values, np.where(np.isnan(values), why, np.int8(0)))


def _flag_cells(
    cells: Mapping[str, Sequence[Cell]], why: Mapping[str, NDArray[np.int8]]
) -> Iterator[Cells]:
    """Whether the sum is near a cut-off, then each flag: 1 where it was raised for view or hip.

    0 where both views were read and it was not raised.
    """
    words = list(zip(*(cells[name] for name in ("a_flags", "b_flags", "flags")), strict=True))
    sets = {
        said: {word for part in said if part for word in str(part).split()} for said in set(words)
    }
    kinds = {said: number for number, said in enumerate(sets)}
    which = np.array([kinds[said] for said in words], np.intp)

    def is_raised(flag: Flag) -> NDArray[np.bool_]:
        return np.array([flag in raised for raised in sets.values()], bool)[which]

    summed = np.array([cell is not None for cell in cells["cna_deg"]], bool)
    near = np.where(summed, np.int8(0), why["hip"])
    yield Cells(np.where(near > 0, np.nan, is_raised(Flag.NEAR_CUTOFF)), near)
    for flag in Flag:
        raised = is_raised(flag)
        unknown = np.where(raised | (flag in _ALWAYS_KNOWN), np.int8(0), why["unread"])
        yield Cells(np.where(unknown > 0, np.nan, raised), unknown)


def _reasons_of(statuses: Sequence[tuple[Cell, Cell]]) -> dict[str, NDArray[np.int8]]:
    """Why a value of each group of columns is missing, where it is, as :attr:`Cells.why`.

    ``"unread"`` says so where a view was not read, and 0 where both were.
    """
    kinds = {said: number for number, said in enumerate(dict.fromkeys(statuses))}
    which = np.array([kinds[said] for said in statuses], np.intp)
    of_kinds = [_reasons_of_one(str(a), str(b)) for a, b in kinds]
    return {
        group: np.array([PLACES[one[group]] for one in of_kinds], np.int8)[which]
        for group in _reasons_of_one("", "")
    }


def _reasons_of_one(a_status: str, b_status: str) -> dict[str, Missing | None]:
    statuses = a_status, b_status
    a, b = (_REASONS.get(status) for status in statuses)  # type: ignore[call-overload]
    found = {reason for reason in (a, b) if reason is not None}
    whole = next((reason for reason in Missing if reason in found), None)
    # an index of the lesion: none can be had where there is no lesion; else its marks are not set
    nothing = not found and Finding.NECROSIS not in statuses
    unmarked = Missing.NOT_APPLICABLE if nothing else Missing.NOT_DONE
    replaced = UnreadReason.PROSTHESIS in statuses
    return {
        "always": None,
        "a": a or Missing.NOT_APPLICABLE,
        "b": b or Missing.NOT_APPLICABLE,
        "hip": whole or Missing.NOT_APPLICABLE,
        "mark": whole or unmarked,
        "entered": Missing.NOT_APPLICABLE if replaced else Missing.NOT_DONE,
        "given": Missing.NOT_APPLICABLE,
        "unread": whole,
    }
