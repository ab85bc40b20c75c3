"""The measured columns of an export, and their values from a row of the cohort table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from necroangle.entries import read_field
from necroangle.export.codes import CODE_SETS, CodeSet, code_set_of
from necroangle.export.columns import ExportColumn, Kind, Missing, Value
from necroangle.export.labels import INDEX_LABELS, LABELS, NAMES, STEMS, VIEW_NAMES
from necroangle.measurement.columns import COLUMNS, Column
from necroangle.measurement.row import Cell, CohortRow
from necroangle.terms import Finding, Flag, UnreadReason

__all__ = ["FLAG_COLUMNS", "MEASURED_COLUMNS", "measured_values", "unread_values"]

Group = Literal["always", "a", "b", "hip", "mark", "entered", "given"]

_REASONS = {
    UnreadReason.PROSTHESIS: Missing.NOT_APPLICABLE,
    UnreadReason.NOT_READABLE: Missing.NOT_READABLE,
    UnreadReason.NOT_DONE: Missing.NOT_DONE,
}
_ALWAYS_KNOWN = frozenset({Flag.VIEW_NOT_READ, Flag.CENSORED_BY_THA})
"""Flags that say something where a view was not read, too."""

_SKIPPED = frozenset({"subject", "laterality", "visit", "reader", "read_no", "method"})
_GIVEN = frozenset({"radius_prior_mm", "radius_prior_sd_mm", "radius_prior_source", "end_sd_mm"})
_WORD_LISTS = frozenset({"a_flags", "b_flags", "flags", "index_refused"})
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
    is_coded = column.name in _CODED_WHOLE or (column.allowed and column.name not in _WORD_LISTS)
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
    "Within one detectable change (MDC95) of a cut-off",
    values=CODE_SETS["no_yes"].values,
    measure="nominal",
    meaning="whether |CNA - cut-off| is at most MDC95, for a cut-off of the method",
    source="cohort.flags",
)

MEASURED_COLUMNS = (*(one.column for one in _MEASURED), _NEAR_CUT, *FLAG_COLUMNS)
"""Columns of what was measured, without the keys."""


def measured_values(row: CohortRow) -> list[Value]:
    """Values of :data:`MEASURED_COLUMNS` for one row of the cohort table."""
    reasons = _reasons_of(row)
    values: list[Value] = [
        reasons[one.group] if (cell := row[one.source]) is None else _coded(one, cell)
        for one in _MEASURED
    ]
    raised = {word for name in ("a_flags", "b_flags", "flags") for word in _words(row[name])}
    near = int(Flag.NEAR_CUTOFF in raised)
    values.append(near if row["cna_deg"] is not None else reasons["hip"])
    values.extend(_flag_values(raised, reasons))
    return values


def unread_values() -> list[Value]:
    """The same for a visit of which there is no reading: not done, throughout."""
    return [Missing.NOT_DONE] * len(MEASURED_COLUMNS)


def _coded(one: _Measured, cell: Cell) -> Value:
    if one.codes is None:
        return cell  # type: ignore[return-value]
    return one.codes.codes[str(cell)]


def _words(cell: Cell) -> list[str]:
    return str(cell).split() if cell else []


def _flag_values(raised: set[str], reasons: dict[str, Missing]) -> Iterator[Value]:
    """1 where it was raised; 0 where both views were read and it was not."""
    whole = reasons.get("unread")
    for flag in Flag:
        if flag in raised:
            yield 1
        else:
            yield 0 if whole is None or flag in _ALWAYS_KNOWN else whole


def _reasons_of(row: CohortRow) -> dict[str, Missing]:
    """Why a value of each group is missing, where it is."""
    statuses = str(row["a_status"]), str(row["b_status"])
    a, b = (_REASONS.get(status) for status in statuses)  # type: ignore[call-overload]
    found = {reason for reason in (a, b) if reason is not None}
    whole = next((reason for reason in Missing if reason in found), None)
    nothing = not found and Finding.NECROSIS not in statuses
    unmarked = Missing.NOT_APPLICABLE if nothing else Missing.NOT_DONE
    replaced = UnreadReason.PROSTHESIS in statuses
    reasons = {
        "a": a or Missing.NOT_APPLICABLE,
        "b": b or Missing.NOT_APPLICABLE,
        "hip": whole or Missing.NOT_APPLICABLE,
        "mark": whole or unmarked,
        "entered": Missing.NOT_APPLICABLE if replaced else Missing.NOT_DONE,
        "given": Missing.NOT_APPLICABLE,
    }
    return reasons if whole is None else {**reasons, "unread": whole}
