"""Plain clinical rows in, frozen values out: every value checked, and refused by its place."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from necroangle.errors import CohortError
from necroangle.protocol.hips import (
    ClinicalHip,
    ClinicalVisit,
    HipEvent,
    HipKey,
    Patient,
    StudyRecords,
)
from necroangle.protocol.study import EVENTS
from necroangle.terms import ArcoStage, Laterality

PlainRow = Mapping[str, Any]
Key = TypeVar("Key")
Fact = TypeVar("Fact")


def read_records(tables: Mapping[str, Sequence[PlainRow]]) -> StudyRecords:
    """Read the clinical tables.

    Parameters
    ----------
    tables
        Rows by kind: ``subject``, ``hip``, ``treatment``, ``visit``, ``event``. A kind or a value
        may be missing; dates are ISO text, ``date`` or None.

    Raises
    ------
    CohortError
        If a value is not what its column holds, or two rows have one key; the message names
        table, row and column.

    Examples
    --------
    >>> records = read_records(
    ...     {
    ...         "visit": [
    ...             {"subject": "S1", "laterality": "L", "visit": "m0", "vas": 45, "vas_scale": 100}
    ...         ]
    ...     }
    ... )
    >>> records.visits[HipKey("S1", "L"), "m0"].vas
    4.5
    >>> read_records({"event": [{"subject": "S1", "laterality": "L", "event": "fell"}]})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: event S1 L, column event: 'fell' is none of collapse, ...
    """
    cells = {kind: [_Cells(kind, row) for row in rows] for kind, rows in tables.items()}
    events: dict[HipKey, tuple[HipEvent, ...]] = {}
    for row in cells.get("event", ()):
        event = HipEvent(row.one_of("event", EVENTS), row.day("event_date"), row.maybe_text("rule"))
        events[row.hip] = (*events.get(row.hip, ()), event)
    return StudyRecords(
        _by_key((row.text("subject"), _patient(row)) for row in cells.get("subject", ())),
        _hips(cells.get("hip", ()), cells.get("treatment", ())),
        _by_key(((row.hip, row.text("visit")), _visit(row)) for row in cells.get("visit", ())),
        events,
    )


_SIDES = tuple(Laterality)
_STAGES = {str(stage): stage for stage in ArcoStage}


class _Cells:
    """A plain row whose values are taken by kind, and refused by name."""

    def __init__(self, kind: str, row: PlainRow) -> None:
        self.kind = kind
        self.row = row

    @property
    def hip(self) -> HipKey:
        return HipKey(self.text("subject"), self.one_of("laterality", _SIDES))

    def text(self, name: str) -> str:
        value = self.row.get(name)
        if not isinstance(value, str) or not value:
            raise self.refusal(name, "a text is needed")
        return str(value)

    def maybe_text(self, name: str) -> str | None:
        return None if self.row.get(name) is None else str(self.row[name])

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise self.refusal(name, f"{value!r} is none of {', '.join(allowed)}")
        return value

    def number(self, name: str, low: float = 0.0, high: float = math.inf) -> float | None:
        value = self.row.get(name)
        if value is None:
            return None
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise self.refusal(name, f"{value!r:.40} is not a number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise self.refusal(name, f"{value:g} is not from {low:g} to {high:g}")
        return value

    def day(self, name: str) -> date | None:
        value = self.row.get(name)
        if value is None or type(value) is date:
            return value
        try:
            return date.fromisoformat(str(value)[:10])
        except ValueError:
            raise self.refusal(name, f"{value!r:.40} is no date like 2024-05-31") from None

    def refusal(self, name: str, problem: str) -> CohortError:
        keys = (self.row.get(key) for key in ("subject", "laterality", "visit"))
        place = " ".join(str(key) for key in (self.kind, *keys) if key is not None)
        return CohortError(f"{place}, column {name}: {problem}")


def _by_key(pairs: Iterable[tuple[Key, Fact]]) -> dict[Key, Fact]:
    found: dict[Key, Fact] = {}
    for key, fact in pairs:
        if key in found:
            raise CohortError(f"two clinical rows for one key: {key}")
        found[key] = fact
    return found


def _patient(row: _Cells) -> Patient:
    return Patient(
        row.maybe_text("sex"),
        row.number("age_at_index_years", 0.0, 130.0),
        row.maybe_text("aetiology"),
        row.day("index_date"),
    )


def _visit(row: _Cells) -> ClinicalVisit:
    stage = row.maybe_text("arco")
    if stage is not None and stage not in _STAGES:
        raise row.refusal("arco", f"{stage!r} is none of {', '.join(ArcoStage)}")
    return ClinicalVisit(
        row.day("visit_date"),
        _STAGES[stage] if stage else None,
        row.maybe_text("jic"),
        row.maybe_text("jic_stage"),
        row.maybe_text("ficat"),
        _pain(row),
        row.number("hhs", 0.0, 100.0),
        row.number("womac"),
    )


def _pain(row: _Cells) -> float | None:
    """Pain on 0 to 10, whatever scale it was entered on."""
    if row.row.get("vas") is None:
        return None
    scale = row.number("vas_scale")
    if scale not in (10.0, 100.0):
        raise row.refusal("vas_scale", f"10 or 100 is needed beside a pain score, found {scale}")
    pain = row.number("vas", 0.0, scale)
    return None if pain is None else pain * 10.0 / scale


def _hips(rows: Iterable[_Cells], treatments: Iterable[_Cells]) -> dict[HipKey, ClinicalHip]:
    """Hips with their first treatment: the one by number, then by place in the table."""
    given: dict[HipKey, list[_Cells]] = {}
    for one in treatments:
        given.setdefault(one.hip, []).append(one)
    plain = _by_key((row.hip, row) for row in rows)
    found = {}
    for key in dict.fromkeys((*plain, *given)):
        own = sorted(given.get(key, ()), key=lambda one: one.number("number") or 0.0)
        hip = plain.get(key)
        day = hip.day("treatment_date") if hip else None
        found[key] = ClinicalHip(
            day or (own[0].day("treatment_date") if own else None),
            own[0].number("cell_dose") if own else None,
            len(own),
            hip.maybe_text("index_visit") if hip else None,
            own[0].maybe_text("treatment") if own else None,
        )
    return found
