"""One row of the cohort table, and the one function that makes it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from necroangle import __version__
from necroangle.annotation import HipReading, ReadView, UnreadView
from necroangle.entries import READ_FIELDS
from necroangle.errors import CohortError
from necroangle.measurement import Estimate, HaRisk, HipMeasurement, Misplaced, ViewMeasurement
from necroangle.measurement.columns import COLUMNS, NAMES, index_column_name
from necroangle.measurement.indices import INDEX_SOURCES
from necroangle.terms import Flag

__all__ = ["Cell", "CohortRow", "RowKey", "to_row"]

Cell = str | int | float | None

_PLACES = {name: place for place, name in enumerate(NAMES)}
_RULES = tuple((column.name, column.kind, column.need == "maybe") for column in COLUMNS)
_TYPES = {"text": str, "whole": int, "real": float}
_MEASURED = {
    "deg": "angle_deg",
    "start_deg": "start_deg",
    "end_deg": "end_deg",
    "middle_deg": "middle_deg",
    "slice_shift_mm": "slice_shift_mm",
    "surface_share": "surface_share",
    "span_deg": "span_deg",
    "arc_count": "arc_count",
    "radius_mm": "radius_mm",
    "rim_rms_mm": "rim_rms_mm",
    "rim_span_deg": "rim_span_deg",
    "rim_count": "rim_count",
    "edge_gap_mm": "edge_gap_mm",
    "plane": "plane_name",
    "obliquity_deg": "obliquity_deg",
}
"""Columns of a view and where they stand in its measurement."""


class RowKey(NamedTuple):
    """What makes a row one row. Rows are ordered by it."""

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    method: str

    def __str__(self) -> str:
        """One line for messages."""
        return (
            f"{self.subject} {self.laterality} {self.visit}, reader {self.reader}, "
            f"read {self.read_no}, method {self.method}"
        )


@dataclass(frozen=True, slots=True)
class CohortRow(Mapping[str, Cell]):
    """One row: a frozen mapping from column name to value, in the order of the columns.

    Attributes
    ----------
    cells
        One value per column: text, whole number, real number, or None where there is nothing to
        say. Never NaN.

    Raises
    ------
    CohortError
        If a value is missing, of the wrong type, or not a finite number; the message names the
        column.

    Examples
    --------
    >>> CohortRow(("S01", "L"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a row has ... values, found 2
    """

    cells: tuple[Cell, ...]

    def __post_init__(self) -> None:
        if len(self.cells) != len(COLUMNS):
            raise CohortError(f"a row has {len(COLUMNS)} values, found {len(self.cells)}")
        for (name, kind, empty_allowed), cell in zip(_RULES, self.cells, strict=True):
            if cell is None:
                if not empty_allowed:
                    raise CohortError(f"column {name} must not be empty")
            elif type(cell) is not _TYPES[kind]:
                raise CohortError(f"column {name} must hold a {kind}, found {cell!r:.80}")
            elif isinstance(cell, float) and not math.isfinite(cell):
                raise CohortError(f"column {name} must hold a finite number, found {cell!r}")

    @classmethod
    def of(cls, values: Mapping[str, Cell]) -> "CohortRow":
        """Build a row from its values by column name.

        A negative zero becomes zero, as SQLite would make it: the same bits come back.

        Raises
        ------
        CohortError
            As for the class, or if a column is missing or unknown.
        """
        if values.keys() != _PLACES.keys():
            wrong = sorted(values.keys() ^ _PLACES.keys())
            raise CohortError(f"columns missing or unknown: {', '.join(wrong)}")
        return cls(tuple(_plain(values[name]) for name in NAMES))

    @property
    def key(self) -> RowKey:
        """The key of the row."""
        return RowKey(*self.cells[: len(RowKey._fields)])  # type: ignore[arg-type]

    def __getitem__(self, name: str) -> Cell:
        return self.cells[_PLACES[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


def to_row(reading: HipReading, measurement: HipMeasurement, sha256: str) -> CohortRow:
    """The row of a measured reading.

    It holds no image identifier, no note and no time: measuring twice gives the same row.

    Parameters
    ----------
    reading
        What was measured.
    measurement
        ``measure(reading, method)``.
    sha256
        SHA-256 of the reading file's bytes, in hexadecimal.
    """
    first, second = reading.views
    values: dict[str, Cell] = {
        **reading.key._asdict(),
        "method": measurement.method.name,
        "method_version": measurement.method.version,
        "modality": "radiograph" if reading.is_radiograph else "mr",
        **_view_values("a", first, measurement.a, measurement.a_slice_offset),
        **_view_values("b", second, measurement.b, measurement.b_slice_offset),
        **_interval_values("cna", measurement.cna),
        "cna_deg": measurement.cna_deg,
        "cna_mdc95_deg": measurement.cna.mdc95 if measurement.cna else None,
        **_chances("ha_grade", "1234", measurement.grade_probability),
        **_chances("ha_risk", HaRisk, measurement.risk_probability),
        **_head_values(measurement),
        "ha_grade": measurement.ha_grade,
        "ha_risk": measurement.ha_risk,
        "kerboul": measurement.kerboul,
        **{index_column_name(name): getattr(measurement.indices, name) for name in INDEX_SOURCES},
        "index_refused": " ".join(one.index for one in measurement.indices.refused),
        "flags": _flag_words(measurement.flags),
        **{field.name: reading.entries.get(field.name) for field in READ_FIELDS},
        "annotation_sha256": sha256,
        "software_version": __version__,
    }
    return CohortRow.of(values)


def _view_values(
    side: str,
    view: ReadView | UnreadView,
    measured: ViewMeasurement | None,
    offset: Estimate | None,
) -> dict[str, Cell]:
    """The columns of one view; all but the first two are empty where it was not read."""
    values: dict[str, Cell] = {
        name: getattr(measured, attribute) if measured else None
        for name, attribute in _MEASURED.items()
    }
    values |= _interval_values("", measured.estimate if measured else None)
    values["rim_left_out"] = len(measured.rim_left_out) if measured else None
    values["rim_misplaced"] = _numbers(measured.rim_misplaced) if measured else None
    values["view"] = view.view
    values["status"] = view.finding if isinstance(view, ReadView) else view.reason
    values["slice_offset_mm"] = offset.value if offset else None
    values["slice_offset_se_mm"] = offset.se if offset else None
    values["flags"] = _flag_words(measured.flags) if measured else None
    return {f"{side}_{name}": value for name, value in values.items()}


def _interval_values(name: str, estimate: Estimate | None) -> dict[str, Cell]:
    """Standard error and bounds of an estimate, empty without one."""
    low, high = estimate.interval_95() if estimate else (None, None)
    bounds = {"se_deg": estimate.se if estimate else None, "low_deg": low, "high_deg": high}
    return {f"{name}_{key}" if name else key: value for key, value in bounds.items()}


def _chances(name: str, categories: Iterable[str], found: tuple[float, ...]) -> dict[str, Cell]:
    names = [f"{name}_{category}_p" for category in categories]
    return dict(zip(names, found or (None,) * len(names), strict=True))


def _head_values(measurement: HipMeasurement) -> dict[str, Cell]:
    """How the two views agree on the head, and what was taken as given."""
    judge, settings = measurement.judge, measurement.settings
    prior = settings.radius_prior
    return {
        "centre_gap_mm": judge.centre_gap_mm if judge else None,
        "radius_gap_mm": judge.radius_gap_mm if judge else None,
        "one_head_p": judge.p_value if judge else None,
        "rim_sd_mm": measurement.rim_sd_mm,
        "end_sd_mm": settings.end_point_sd_mm,
        "radius_prior_mm": prior.radius_mm if prior else None,
        "radius_prior_sd_mm": prior.sd_mm if prior else None,
        "radius_prior_source": prior.source if prior else None,
        "centre": settings.centre,
    }


def _numbers(misplaced: Iterable[Misplaced]) -> str:
    return " ".join(str(one.index + 1) for one in misplaced)


def _flag_words(flags: Iterable[Flag]) -> str:
    raised = set(flags)
    return " ".join(flag for flag in Flag if flag in raised)


def _plain(cell: Cell) -> Cell:
    """The value as a plain str, int or float: enum members by their value, -0.0 as 0.0."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, float):
        return float(cell) + 0.0
    return cell if cell is None else int(cell)
