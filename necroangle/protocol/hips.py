"""The plain values that the rules take: a hip, its patient, its visits, its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from necroangle.terms import ArcoStage


class HipKey(NamedTuple):
    """A hip: pseudonym of the patient, and side. The patient is the cluster of two hips."""

    subject: str
    laterality: str


@dataclass(frozen=True, slots=True)
class ClinicalVisit:
    """What was entered for a hip at a visit; pain on 0 to 10, None where nothing was."""

    day: date | None = None
    arco: ArcoStage | None = None
    jic: str | None = None
    jic_stage: str | None = None
    ficat: str | None = None
    vas: float | None = None
    hhs: float | None = None
    womac: float | None = None


@dataclass(frozen=True, slots=True)
class HipEvent:
    """Something that happened to a hip: its day and the rule that called it, where known."""

    event: str
    day: date | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class ClinicalHip:
    """A hip before it is followed: when and how it was treated, and from which visit it counts."""

    treatment_day: date | None = None
    dose: float | None = None
    treatments: int = 0
    index_visit: str | None = None
    treatment: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient: sex ("M" or "F"), age in years at the index date, aetiology, index date."""

    sex: str | None = None
    age_years: float | None = None
    aetiology: str | None = None
    index_day: date | None = None


@dataclass(frozen=True, slots=True)
class StudyRecords:
    """The whole clinical side, by patient, hip and visit."""

    patients: Mapping[str, Patient] = field(default_factory=dict)
    hips: Mapping[HipKey, ClinicalHip] = field(default_factory=dict)
    visits: Mapping[tuple[HipKey, str], ClinicalVisit] = field(default_factory=dict)
    events: Mapping[HipKey, tuple[HipEvent, ...]] = field(default_factory=dict)

    def of_patients(self) -> dict[str, tuple[HipEvent, ...]]:
        """Deaths and losses by patient: entered for one hip, they are of both."""
        found: dict[str, tuple[HipEvent, ...]] = {}
        for hip, events in sorted(self.events.items()):
            shared = tuple(event for event in events if event.event in ("lost", "death"))
            found[hip.subject] = (*found.get(hip.subject, ()), *shared)
        return found


def event_that_counts(
    events: Iterable[HipEvent], name: str, index_day: date | None
) -> HipEvent | None:
    """The event of a kind that stands for a hip, of several.

    What ends the observation (replacement, death, loss) is the first that has a date. A collapse
    or a failure is an outcome only after the index day: the first of those, else one without a
    date, else one before.

    Examples
    --------
    >>> events = [HipEvent("collapse", date(2020, 1, 1)), HipEvent("collapse", date(2022, 1, 1))]
    >>> event_that_counts(events, "collapse", date(2021, 1, 1)).day
    datetime.date(2022, 1, 1)
    """
    outcome = name in ("collapse", "radiographic_failure") and index_day is not None

    def order(event: HipEvent) -> tuple[int, date]:
        if event.day is None:
            return 1, date.max
        return 2 * (outcome and index_day is not None and event.day <= index_day), event.day

    return min((event for event in events if event.event == name), key=order, default=None)
