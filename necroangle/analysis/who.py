"""Who was studied: patients and hips, age, dose, follow-up, and what happened to them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from necroangle.analysis.course import Cohort
from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.quantity import ALL, Quantity, count, spread
from necroangle.analysis.records import EVENTS

__all__ = ["people", "what_happened"]

DAYS_PER_YEAR = 365.25
_LAST = "index date to last contact, days / 365.25; nominal time where there is no date"
_OF_HIPS = frozenset({"collapse", "radiographic_failure"})
_NATURAL = "likewise, to the replacement at most"


def people(hips: Sequence[HipOutcome], cohort: Cohort) -> Iterator[Quantity]:
    """Patients and hips counted separately, sex, age, aetiology, dose and follow-up.

    Parameters
    ----------
    hips
        Hips that count: not replaced before the index date.
    cohort
        Its plan names the type of quantile.
    """
    kind = cohort.plan.quantile_type
    patients = _by_patient(hips)
    yield count("patients", ALL, len(patients), len(patients), "patients")
    yield count("hips", ALL, len(hips), len(hips), "hips")
    bilateral = sum(len(own) > 1 for own in patients.values())
    yield count("patients_with_two_hips", ALL, bilateral, len(patients), "patients")
    firsts = [own[0] for own in patients.values()]
    yield from _words("sex", firsts, lambda hip: hip.course.subject.sex)
    yield spread("age", ALL, [hip.course.subject.age_years for hip in firsts], "years", kind)
    yield from _words("aetiology", firsts, lambda hip: hip.course.subject.aetiology)
    yield spread("follow_up", "patients", map(_longest, patients.values()), "years", kind, _LAST)
    yield spread(
        "follow_up", "hips", [_years(hip.follow_up_days) for hip in hips], "years", kind, _LAST
    )
    natural = [_years(hip.observed_days) for hip in hips]
    yield spread("natural_hip_follow_up", "hips", natural, "years", kind, f"{_LAST}; {_NATURAL}")
    doses = {name: [hip.course.facts.dose for hip in own] for name, own in patients.items()}
    largest = [
        max((dose for dose in own if dose is not None), default=None) for own in doses.values()
    ]
    first = "first treatment of each hip"
    yield spread(
        "cell_dose", "patients", largest, "cells", kind, f"{first}, the larger of two hips"
    )
    yield spread("cell_dose", "hips", [hip.course.facts.dose for hip in hips], "cells", kind, first)


def what_happened(hips: Sequence[HipOutcome], excluded: int) -> Iterator[Quantity]:
    """Hip replacements and the other recorded events, hips counted.

    Parameters
    ----------
    hips
        Hips that count.
    excluded
        How many do not, being replaced at or before the index date.
    """
    replaced = [hip for hip in hips if hip.has_tha]
    rule = "recorded tha events after the index date, and readings that show a prosthesis"
    yield count("tha", ALL, len(replaced), len(hips), "hips", rule)
    people_replaced = {hip.course.hip.subject for hip in replaced}
    everyone = {hip.course.hip.subject for hip in hips}
    yield count("tha", "patients", len(people_replaced), len(everyone), "patients", rule)
    for name in EVENTS:
        if name != "tha":
            found = [hip for hip in hips if any(one.event == name for one in hip.course.events)]
            said = "recorded events" + ("" if name in _OF_HIPS else ", of both hips of a patient")
            yield count(f"event_{name}", ALL, len(found), len(hips), "hips", said)
            people = {hip.course.hip.subject for hip in found}
            yield count(f"event_{name}", "patients", len(people), len(everyone), "patients", said)
    yield count(
        "tha_before_index", ALL, excluded, len(hips) + excluded, "hips", "left out of all outcomes"
    )


def _by_patient(hips: Sequence[HipOutcome]) -> dict[str, list[HipOutcome]]:
    found: dict[str, list[HipOutcome]] = {}
    for hip in hips:
        found.setdefault(hip.course.hip.subject, []).append(hip)
    return found


def _words(
    quantity: str, patients: Sequence[HipOutcome], word: Callable[[HipOutcome], str | None]
) -> Iterator[Quantity]:
    """How many patients have each word; those without one last."""
    found = Counter(word(one) for one in patients)
    for name in sorted(found, key=lambda name: (name is None, name or "")):
        yield count(quantity, name or "not recorded", found[name], len(patients), "patients")


def _longest(hips: Sequence[HipOutcome]) -> float | None:
    known = [hip.follow_up_days for hip in hips if hip.follow_up_days is not None]
    return _years(max(known)) if known else None


def _years(days: float | None) -> float | None:
    return None if days is None else days / DAYS_PER_YEAR
