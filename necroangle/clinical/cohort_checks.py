"""What the records and readings of a whole cohort contradict, one subject beside the others."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from necroangle.clinical.checks import Issue, Look, ReadVisit
from necroangle.clinical.records import Hip, Values
from necroangle.entries import fields_of, missing_name
from necroangle.protocol.enrolment import Enrolment
from necroangle.protocol.near_names import NearNames, written_like

_ENOUGH = 20
_NEARLY_ALL = 0.9
"""A field that so many records of at least :data:`_ENOUGH` hold is expected of each."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a rule of the whole cohort looks at.

    Attributes
    ----------
    looks
        Every subject, by name.
    enrolment
        The study's list.
    """

    looks: Mapping[str, Look]
    enrolment: Enrolment


def of_names(cohort: Cohort) -> Iterator[Issue]:
    """Subjects whose name is nearly another's: the one that is written less usually is asked of."""
    names = NearNames(cohort.looks)
    usual = Counter(map(written_like, cohort.looks))
    for subject, look in cohort.looks.items():
        for other in names.near(subject):
            mine, theirs = (
                (usual[written_like(one)], _size(cohort.looks.get(one))) for one in (subject, other)
            )
            if (mine, subject) < (theirs, other):
                message = f"did you mean {other}?"
                yield Issue("subject", (look.subject,), "subject", message, is_fatal=False)
                break


def _size(look: Look | None) -> int:
    if look is None:
        return 0
    return len(look.readings) + sum(len(look.visits(hip)) for hip in look.state.hips(look.subject))


def of_list(cohort: Cohort) -> Iterator[Issue]:
    """Hips that are not in the study's list."""
    for subject, look in cohort.looks.items():
        places: list[tuple[str, ...]] = [*look.hips] or [(subject,)]
        for place in places:
            if problem := cohort.enrolment.refusal(*place):
                kind = "hip" if len(place) > 1 else "subject"
                yield Issue(kind, place, "subject", problem, is_fatal=False)


def of_doubled_readings(cohort: Cohort) -> Iterator[Issue]:
    """Readings with the very same angles: one was copied, or saved under two names."""
    seen: dict[tuple[float, float], ReadVisit] = {}
    for look in cohort.looks.values():
        for one in look.readings:
            if not one.a_deg or not one.b_deg:
                continue
            first = seen.setdefault((one.a_deg, one.b_deg), one)
            if first is not one:
                message = (
                    f"reader {one.reader}: the very angles of {' '.join(first.hip)} {first.visit}, "
                    f"reader {first.reader}"
                )
                key = (*one.hip, one.visit)
                yield Issue("visit", key, f"reading {one.reader} {one.read_no}", message,
                            is_fatal=False)  # fmt: skip


def of_twins(cohort: Cohort) -> Iterator[Issue]:
    """Visits of two subjects that agree in every entry: one patient may have been entered twice."""
    seen: dict[tuple[object, ...], tuple[str, ...]] = {}
    for look in cohort.looks.values():
        for key, values in look.state.of("visit", (look.subject,)):
            given = tuple(sorted((name, cell) for name, cell in values.items() if cell is not None))
            if len(given) < 4 or "visit_date" not in values:
                continue
            first = seen.setdefault((key[1], *given), key)
            if first[0] != key[0]:
                message = f"day and entries are those of {' '.join(first)}: one patient twice?"
                yield Issue("visit", key, "visit", message, is_fatal=False)


def of_fields(cohort: Cohort) -> Iterator[Issue]:
    """A field without a value that nearly every other record of its kind holds."""
    for kind in ("subject", "hip", "visit"):
        records: dict[str, list[tuple[tuple[str, ...], Values]]] = defaultdict(list)
        for look in cohort.looks.values():
            for key, values in look.state.of(kind, (look.subject,)):
                records[key[2] if kind == "visit" else ""].append((key, values))
        of_hip = _held_by_hips(cohort) if kind == "visit" else {}
        for some in records.values():
            yield from _lacking(kind, some, of_hip)


def _lacking(
    kind: str,
    records: list[tuple[tuple[str, ...], Values]],
    of_hip: Mapping[Hip, Mapping[str, int]],
) -> Iterator[Issue]:
    for field in fields_of(kind):
        name = field.name
        held = sum(values.get(name) is not None for _, values in records)
        expected = len(records) >= _ENOUGH and held >= _NEARLY_ALL * len(records)
        for key, values in records:
            excused = values.get(missing_name(name)) in ("not applicable", "not readable")
            if values.get(name) is not None or excused:
                continue
            own = of_hip.get((key[0], key[1]), {}) if len(key) > 1 else {}
            if expected or (own.get(name, 0) >= 2 and own[name] == own["visits"] - 1):
                message = "no value, though nearly all others have one"
                yield Issue(kind, key, name, message, is_fatal=False)


def _held_by_hips(cohort: Cohort) -> dict[Hip, Counter[str]]:
    """How many visits of each hip hold each field, and how many visits there are."""
    found: dict[Hip, Counter[str]] = defaultdict(Counter)
    for look in cohort.looks.values():
        for key, values in look.state.of("visit", (look.subject,)):
            held = found[key[0], key[1]]
            held["visits"] += 1
            held.update(name for name, cell in values.items() if cell is not None)
    return found
