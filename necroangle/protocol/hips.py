"""The clinical side as the outcomes need it: plain rows in, frozen facts out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

from necroangle.errors import CohortError
from necroangle.terms import ArcoStage, Laterality

__all__ = ["EVENTS", "ClinicalFacts", "EventFacts", "HipKey", "VisitFacts", "read_clinical"]

EVENTS = ("collapse", "radiographic_failure", "tha", "lost", "death")
"""Events that are known."""

PlainRow = Mapping[str, Any]
Key = TypeVar("Key")
Fact = TypeVar("Fact")


class HipKey(NamedTuple):
    """A hip: pseudonym of the patient, and side. The patient is the cluster of two hips."""

    subject: str
    laterality: str


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What was entered for a hip at a visit; pain on 0 to 10, None where nothing was."""

    day: date | None = None
    arco: ArcoStage | None = None
    jic: str | None = None
    ficat: str | None = None
    vas: float | None = None
    hhs: float | None = None
    womac: float | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Something that happened to a hip: its day and the rule that called it, where known."""

    event: str
    day: date | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class HipFacts:
    """A hip before it is followed: when it was treated, with how many cells, from which visit."""

    treatment_day: date | None = None
    dose: float | None = None
    treatments: int = 0
    index_visit: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """A patient: sex ("M" or "F"), age in years at the index date, aetiology, index date."""

    sex: str | None = None
    age_years: float | None = None
    aetiology: str | None = None
    index_day: date | None = None


@dataclass(frozen=True, slots=True)
class ClinicalFacts:
    """The whole clinical side, by patient, hip and visit."""

    subjects: Mapping[str, SubjectFacts] = field(default_factory=dict)
    hips: Mapping[HipKey, HipFacts] = field(default_factory=dict)
    visits: Mapping[tuple[HipKey, str], VisitFacts] = field(default_factory=dict)
    events: Mapping[HipKey, tuple[EventFacts, ...]] = field(default_factory=dict)

    def of_patients(self) -> dict[str, tuple[EventFacts, ...]]:
        """Deaths and losses by patient: entered for one hip, they are of both."""
        found: dict[str, tuple[EventFacts, ...]] = {}
        for hip, events in sorted(self.events.items()):
            shared = tuple(event for event in events if event.event in ("lost", "death"))
            found[hip.subject] = (*found.get(hip.subject, ()), *shared)
        return found


def read_clinical(tables: Mapping[str, Sequence[PlainRow]]) -> ClinicalFacts:
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
    >>> facts = read_clinical(
    ...     {
    ...         "visit": [
    ...             {"subject": "S1", "laterality": "L", "visit": "m0", "vas": 45, "vas_scale": 100}
    ...         ]
    ...     }
    ... )
    >>> facts.visits[HipKey("S1", "L"), "m0"].vas
    4.5
    >>> read_clinical({"event": [{"subject": "S1", "laterality": "L", "event": "fell"}]})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: event S1 L, column event: 'fell' is none of collapse, ...
    """
    cells = {kind: [_Cells(kind, row) for row in rows] for kind, rows in tables.items()}
    return ClinicalFacts(
        _by_key((row.text("subject"), _subject(row)) for row in cells.get("subject", ())),
        _hips(cells.get("hip", ()), cells.get("treatment", ())),
        _by_key(((row.hip, row.text("visit")), _visit(row)) for row in cells.get("visit", ())),
        _events(cells.get("event", ())),
    )


class _Cells:
    """A plain row whose values are taken by kind, and refused by name."""

    def __init__(self, kind: str, row: PlainRow) -> None:
        self.kind = kind
        self.row = row

    @property
    def hip(self) -> HipKey:
        return HipKey(self.text("subject"), self.one_of("laterality", tuple(Laterality)))

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


def _subject(row: _Cells) -> SubjectFacts:
    return SubjectFacts(
        row.maybe_text("sex"),
        row.number("age_at_index_years", 0.0, 130.0),
        row.maybe_text("aetiology"),
        row.day("index_date"),
    )


def _visit(row: _Cells) -> VisitFacts:
    stage = row.maybe_text("arco")
    if stage is not None and stage not in tuple(ArcoStage):
        raise row.refusal("arco", f"{stage!r} is none of {', '.join(ArcoStage)}")
    return VisitFacts(
        row.day("visit_date"),
        ArcoStage(stage) if stage else None,
        row.maybe_text("jic"),
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


def _hips(rows: Iterable[_Cells], treatments: Iterable[_Cells]) -> dict[HipKey, HipFacts]:
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
        found[key] = HipFacts(
            day or (own[0].day("treatment_date") if own else None),
            own[0].number("cell_dose") if own else None,
            len(own),
            hip.maybe_text("index_visit") if hip else None,
        )
    return found


def _events(rows: Iterable[_Cells]) -> dict[HipKey, tuple[EventFacts, ...]]:
    found: dict[HipKey, tuple[EventFacts, ...]] = {}
    for row in rows:
        event = EventFacts(
            row.one_of("event", EVENTS), row.day("event_date"), row.maybe_text("rule")
        )
        found[row.hip] = (*found.get(row.hip, ()), event)
    return found
