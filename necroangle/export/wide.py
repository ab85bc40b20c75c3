"""One row per hip: the values of every visit beside each other."""

from collections.abc import Sequence
from dataclasses import replace

from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.export.keys import HIP_KEYS
from necroangle.export.table import ExportTable

_ONCE = ("patient", "hip")


def to_wide(table: ExportTable) -> ExportTable:
    """The wide table of a long one.

    What belongs to the patient or the hip stands once; of the rest, the columns that have a
    ``stem`` stand once per visit, named after its nominal months: ``cna_m0``, ``cna_m6``.

    Parameters
    ----------
    table
        A long table with one row per visit of a hip.

    Raises
    ------
    CohortError
        If a hip has two rows for one time (each key is named), or a visit has no nominal months.

    Examples
    --------
    >>> from necroangle.export.keys import KEY_COLUMNS
    >>> columns = (*KEY_COLUMNS, ExportColumn("cna_deg", "real", "CNA", "deg", stem="cna"))
    >>> rows = [
    ...     ("S01", "S01_L", 1, "m00", 0.0, 0, "r1", 1, 1, 210.0),
    ...     ("S01", "S01_L", 1, "m06", 6.0, 180, "r1", 1, 1, 190.0),
    ... ]
    >>> long = ExportTable.of(columns, rows, unit="hip visit", keys=6)
    >>> [column.name for column in to_wide(long).columns]
    ['patient_id', 'hip_id', 'side', 'days_m0', 'cna_m0', 'days_m6', 'cna_m6']
    >>> to_wide(long).rows
    (('S01', 'S01_L', 1, 0, 210.0, 180, 190.0),)
    """
    once = [place for place, column in enumerate(table.columns) if column.level in _ONCE]
    many = [place for place, column in enumerate(table.columns) if column.stem]
    cells = _by_hip_and_month(table)
    months = sorted({month for _, month in cells})
    rows = []
    for hip in dict.fromkeys(hip for hip, _ in cells):
        seen = {month: cells[hip, month] for month in months if (hip, month) in cells}
        any_row = next(iter(seen.values()))
        values: list[Value] = [any_row[place] for place in once]
        for month in months:
            row = seen.get(month)
            values += [Missing.NOT_DONE if row is None else row[place] for place in many]
        rows.append(values)
    columns = [
        *(table.columns[place] for place in once),
        *(_at(table.columns[place], month) for month in months for place in many),
    ]
    return ExportTable.of(columns, rows, unit="one hip", keys=len(HIP_KEYS), notes=table.notes)


def _month_name(months: float) -> str:
    """Ending of a wide column: ``m6``, ``m1_5``."""
    return f"m{months:g}".replace(".", "_")


def _at(column: ExportColumn, month: float) -> ExportColumn:
    """The column at one visit."""
    when = f", month {month:g}"
    return replace(
        column,
        name=f"{column.stem}_{_month_name(month)}",
        label=column.label[: 80 - len(when)] + when,
        meaning=f"{column.meaning or column.label}{when}",
        level="hip",
        can_miss=True,
        stem="",
    )


def _by_hip_and_month(
    table: ExportTable,
) -> dict[tuple[Value, float], tuple[Value, ...]]:
    """Each row by its hip and time; two for one are refused with their keys."""
    names = [column.name for column in table.columns]
    hip, visit, month = (names.index(name) for name in ("hip_id", "visit", "months_nominal"))
    found: dict[tuple[Value, float], list[tuple[Value, ...]]] = {}
    nameless = set()
    for row in table.rows:
        months = row[month]
        if isinstance(months, float):
            found.setdefault((row[hip], months), []).append(row)
        else:
            nameless.add(str(row[visit]))
    if nameless:
        raise CohortError(
            f"visits without nominal months: {', '.join(sorted(nameless))}; name them in the "
            "study's study.toml, or call them m00, m06, m12"
        )
    double = [rows for rows in found.values() if len(rows) > 1]
    if double:
        raise CohortError(_refusal(double, names))
    return {key: rows[0] for key, rows in found.items()}


def _refusal(double: Sequence[Sequence[tuple[Value, ...]]], names: Sequence[str]) -> str:
    wanted = ("hip_id", "visit", "reader_id", "read_no", "method")
    places = [names.index(name) for name in wanted if name in names]
    shown = [
        " and ".join(" ".join(_show(row[place]) for place in places) for row in rows)
        for rows in double[:20]
    ]
    more = f"; and {len(double) - 20} more" if len(double) > 20 else ""
    return (
        f"a wide table has one row per hip and one value per time, but there are several for: "
        f"{'; '.join(shown)}{more} (hip, visit, reader, read, method); choose with --unit "
        "hip_visit, --reader or --method"
    )


def _show(cell: Value) -> str:
    return "-" if isinstance(cell, Missing) else str(cell)
