"""The clinical columns of an export, and their values from the clinical rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from necroangle.clinical.harris import harris_score
from necroangle.entries import KINDS_OF_EVENT, NO_YES, CodeSet, Field, fields_of, missing_name
from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Kind, Missing, Value
from necroangle.export.privacy import grouped_age
from necroangle.measurement.row import Cell

ClinicalRow = Mapping[str, object]

_LEVELS: dict[str, Literal["patient", "hip", "visit"]] = {
    "subject": "patient",
    "hip": "hip",
    "treatment": "hip",
    "visit": "visit",
}
_FREE_WORDS = frozenset({"note"})
_REASONS = {
    "not applicable": Missing.NOT_APPLICABLE,
    "not readable": Missing.NOT_READABLE,
    "not done": Missing.NOT_DONE,
}
_AGE = "age_at_index_years"


@dataclass(frozen=True, slots=True)
class ClinicalColumn:
    """A clinical field on its way out.

    Attributes
    ----------
    column
        The column of the export.
    field
        The field that it shows.
    codes
        Codes of the field's words, where it has such.
    """

    column: ExportColumn
    field: Field
    codes: CodeSet | None

    def value(self, row: ClinicalRow | None) -> Value:
        """Value of the field in a row, or why there is none.

        Raises
        ------
        CohortError
            If the row holds what the field cannot.
        """
        cell = None if row is None else row.get(self.field.name)
        if row is None or cell is None or cell == "":
            return _reason(row, self.field.name)
        try:
            return self._typed(cell)
        except (KeyError, ValueError) as error:
            raise CohortError(
                f"{self.field.path}: {str(cell)!r:.80} is not what this field holds"
            ) from error

    def _typed(self, cell: object) -> Value:
        if self.field.type == "whole":
            return int(float(str(cell)))
        if self.codes is not None:
            return self.codes.codes[str(cell)]
        if self.field.type == "date":
            return _day(cell)
        if self.field.type == "text":
            return str(cell)
        number = float(str(cell))
        return grouped_age(number) if self.field.name == _AGE else number


def clinical_columns(kind: str, *, with_dates: bool) -> tuple[ClinicalColumn, ...]:
    """Columns of a kind of clinical row, in order; its dates only where asked for.

    Examples
    --------
    >>> [one.column.name for one in clinical_columns("hip", with_dates=False)]
    ['bilateral', 'index_visit']
    """
    names: set[str] = set()
    found = []
    for one in fields_of(kind):
        if one.name in names | _FREE_WORDS or (one.private and not with_dates):
            continue
        names.add(one.name)
        found.append(_clinical_column(one))
    return tuple(found)


def _clinical_column(one: Field) -> ClinicalColumn:
    codes = one.choices
    kind: Kind = "whole" if codes else one.type
    scale: Literal["nominal", "scale"] = "nominal" if kind == "text" else "scale"
    values = codes.values if codes else ()
    if one.name == _AGE:
        values = ((90, "90 or older"),)
    given = one.kind == "treatment" and one.private  # the hip has a date of this name, too
    return ClinicalColumn(
        ExportColumn(
            f"given_{one.name}" if given else one.name,
            kind,
            f"{one.label} (this treatment)" if given else one.label,
            one.unit,
            values,
            codes.measure if codes else scale,
            f"{one.meaning}; at the visit, else as read" if one.by == "both" else one.meaning,
            one.path,
            _LEVELS[one.kind],
            stem=one.name if one.kind == "visit" else "",
        ),
        one,
        codes,
    )


def _reason(row: ClinicalRow | None, name: str) -> Missing:
    said = None if row is None else row.get(missing_name(name))
    return _REASONS.get(str(said), Missing.NOT_DONE)


def _day(cell: object) -> date:
    return cell if isinstance(cell, date) else date.fromisoformat(str(cell))


VAS_10 = ExportColumn(
    "vas_10",
    "real",
    "VAS on the scale 0 to 10",
    "points",
    meaning="vas x 10 / vas_scale: comparable where two scales were used",
    source="visit.vas, visit.vas_scale",
    level="visit",
    stem="vas_10",
)


HHS_SUM = ExportColumn(
    "hhs_sum",
    "real",
    "Harris Hip Score, sum of its parts",
    "points",
    meaning="the sum of all parts of the Harris Hip Score, where all are given",
    source="visit.hhs_pain ... visit.hhs_rom",
    level="visit",
    stem="hhs_sum",
)
HHS_DOUBT = ExportColumn(
    "hhs_doubt",
    "whole",
    "Harris Hip Score: parts and total contradict",
    values=NO_YES.values,
    measure="nominal",
    meaning="whether the total, or the sum of function, is not what the items make, or points are "
    "not published ones; not applicable where there are no parts",
    source="visit.hhs ... visit.hhs_rom",
    level="visit",
    stem="hhs_doubt",
)
DERIVED_COLUMNS = (VAS_10, HHS_SUM, HHS_DOUBT)
"""What is worked out from the fields of a visit."""


def derived_values(row: ClinicalRow | None) -> list[Value]:
    """Values of :data:`DERIVED_COLUMNS`, or why they are missing.

    Examples
    --------
    >>> derived_values({"vas": 45.0, "vas_scale": 100, "hhs": 80.0})[0]
    4.5
    """
    score = harris_score({name: _cell(one) for name, one in (row or {}).items()})
    return [
        vas_10(row),
        Missing.NOT_DONE if score.items_sum is None else score.items_sum,
        int(bool(score.doubts)) if score.is_checked else Missing.NOT_APPLICABLE,
    ]


def _cell(value: object) -> Cell:
    return value if isinstance(value, int | float | str) else None


def vas_10(row: ClinicalRow | None) -> Value:
    """Pain on 0 to 10, or why it is missing.

    Examples
    --------
    >>> vas_10({"vas": 45.0, "vas_scale": 100})
    4.5
    """
    vas, scale = (None if row is None else row.get(name) for name in ("vas", "vas_scale"))
    if vas is None or not scale:
        return _reason(row, "vas")
    return float(str(vas)) * 10.0 / float(str(scale))


def day_of(row: ClinicalRow | None, name: str) -> date | None:
    """A date of a row, or None where it has none.

    Raises
    ------
    CohortError
        If what stands there is no date; the value itself is not shown.
    """
    cell = None if row is None else row.get(name)
    if cell is None or cell == "":
        return None
    try:
        return _day(cell)
    except ValueError as error:
        raise CohortError(f"{name}: not a date like 2026-01-31") from error


@dataclass(frozen=True)
class ClinicalIndex:
    """The clinical rows, found by their keys.

    Build it with :meth:`of`.
    """

    subjects: Mapping[str, ClinicalRow] = field(default_factory=dict)
    hips: Mapping[tuple[str, str], ClinicalRow] = field(default_factory=dict)
    treatments: Mapping[tuple[str, str], ClinicalRow] = field(default_factory=dict)
    visits: Mapping[tuple[str, str, str], ClinicalRow] = field(default_factory=dict)
    events: Mapping[tuple[str, str, str], ClinicalRow] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Mapping[str, Iterable[ClinicalRow]]) -> "ClinicalIndex":
        """Index the rows of each kind; of several treatments or events of a kind, the first.

        Examples
        --------
        >>> index = ClinicalIndex.of({"subject": [{"subject": "S01", "sex": "M"}]})
        >>> index.subjects["S01"]["sex"]
        'M'
        """
        rows = {kind: list(some) for kind, some in tables.items()}
        treatments = sorted(rows.get("treatment", ()), key=_number)
        events = sorted(rows.get("event", ()), key=lambda row: (_event_day(row), _number(row)))
        return cls(
            {str(row["subject"]): row for row in rows.get("subject", ())},
            {_hip(row): row for row in rows.get("hip", ())},
            {_hip(row): row for row in reversed(treatments)},
            {(*_hip(row), str(row["visit"])): row for row in rows.get("visit", ())},
            {(*_hip(row), str(row["event"])): row for row in reversed(events)},
        )

    def event(self, subject: str, laterality: str, event: str) -> ClinicalRow | None:
        """The first event of its kind of a hip; loss and death may stand with the other hip."""
        if event not in KINDS_OF_EVENT:
            raise CohortError(f"there is no event {event!r}")
        sides = [laterality, "", *("LR" if event in {"lost", "death"} else "")]
        found = (self.events.get((subject, side, event)) for side in sides)
        return next((row for row in found if row is not None), None)


def _hip(row: ClinicalRow) -> tuple[str, str]:
    return str(row["subject"]), str(row.get("laterality") or "")


def _number(row: ClinicalRow) -> float:
    return float(str(row.get("number") or 1))


def _event_day(row: ClinicalRow) -> date:
    return day_of(row, "event_date") or date.max
