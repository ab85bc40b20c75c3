"""The outcomes for people: a few words a line, the method below."""

from collections.abc import Iterable

from necroangle.analysis.outcomes import Outcomes
from necroangle.analysis.quantity import ALL, Quantity
from necroangle.analysis.scores import LAST
from necroangle.plain_text import harmless

__all__ = ["Line", "by_visit_lines", "main_lines", "test_notes"]

Line = tuple[str, str, str]
"""Name of the quantity, group, and what is found."""

_TITLES = {
    "patients": "patients",
    "hips": "hips",
    "patients_with_two_hips": "patients with two hips",
    "sex": "sex",
    "age": "age",
    "aetiology": "aetiology",
    "follow_up": "follow-up",
    "natural_hip_follow_up": "follow-up of the natural hip",
    "cell_dose": "cell dose",
    "arco_at_baseline": "ARCO stage at baseline",
    "jic_at_baseline": "JIC type at baseline",
    "arco_maintained": "stage maintained",
    "arco_progressed": "stage progressed",
    "arco_replaced": "replaced, stage unchanged before",
    "arco_earlier": "earlier stage than at baseline",
    "radiographic_failure_rate": "radiographic failure",
    "failure_not_judged": "failure not judged",
    "cna_at_baseline": "CNA at baseline",
    "cna_change": "CNA change, last",
    "cna_mdc95": "smallest real change (MDC95)",
    "cna_decreased": "CNA decreased above the rule",
    "cna_decreased_real": "CNA decreased beyond MDC95",
    "cna_decreased_both": "CNA decreased, rule and MDC95",
    "cna_increased": "CNA increased above the rule",
    "cna_increased_real": "CNA increased beyond MDC95",
    "cna_increased_both": "CNA increased, rule and MDC95",
    "vas_baseline": "VAS (0-10) at baseline",
    "vas_later": "VAS (0-10), last",
    "vas_change": "VAS change",
    "vas_p": "VAS against baseline",
    "hhs_baseline": "HHS at baseline",
    "hhs_later": "HHS, last",
    "hhs_change": "HHS change",
    "hhs_p": "HHS against baseline",
    "tha": "total hip arthroplasty",
    "event_collapse": "collapse recorded",
    "event_radiographic_failure": "radiographic failure recorded",
    "event_lost": "lost to follow-up",
    "event_death": "death",
    "tha_before_index": "replaced before the index date",
}
_HIDDEN_WHEN_NONE = frozenset(
    {
        "event_collapse",
        "event_radiographic_failure",
        "event_lost",
        "event_death",
        "tha_before_index",
        "failure_not_judged",
    }
)
_VISIT_TITLES = {
    "arco_at_visit": "ARCO",
    "jic_at_visit": "JIC",
    "cna": "CNA",
    "cna_change": "CNA change",
    "vas_later": "VAS",
    "vas_p": "VAS P",
    "hhs_later": "HHS",
    "hhs_p": "HHS P",
}


def main_lines(outcomes: Outcomes) -> list[Line]:
    """The main quantities in order; repeated names stand once."""
    lines: list[Line] = []
    last = ""
    for one in outcomes.quantities:
        title = _TITLES.get(one.quantity)
        if title is None or one.group.startswith("visit ") or _is_hidden(one):
            continue
        group = "" if one.group in (ALL, LAST) else harmless(one.group)
        lines.append(("" if title == last else title, group, shown(one)))
        last = title
    return lines


def by_visit_lines(outcomes: Outcomes) -> list[Line]:
    """Stages, angle and scores at each visit, against the baseline."""
    lines: list[Line] = []
    last = ""
    for one in outcomes.quantities:
        title = _VISIT_TITLES.get(one.quantity)
        if title is None or not one.group.startswith("visit "):
            continue
        visit, _, word = harmless(one.group).partition(": ")
        lines.append(("" if visit == last else visit, f"{title} {word}".strip(), shown(one)))
        last = visit
    return lines


def shown(one: Quantity) -> str:
    """A quantity in a few words; what has no value shows why.

    Examples
    --------
    >>> shown(Quantity("age", "all", 18, 35.0, 28.5, 42.0, "years", "median"))
    '35.0 [28.5 to 42.0] years, n 18'
    >>> shown(Quantity("vas_p", "last", 20, 0.0519, None, None, "P", "exact"))
    'P = 0.052, 20 pairs'
    >>> shown(Quantity("failure", "ARCO 2", 14, 14.2857, 1.78, 42.81, "%", "rule"))
    '2 of 14: 14.3 % (1.8 to 42.8 %)'
    """
    if one.value is None:
        return one.words
    if one.unit == "P":
        size = "P < 0.001" if one.value < 0.0005 else f"P = {one.value:.3f}"
        return f"{size}, {one.n} pairs"
    if one.unit == "%":
        share = f"{round(one.value * one.n / 100)} of {one.n}: {one.value:.1f} %"
        return f"{share} ({one.low:.1f} to {one.high:.1f} %)"
    if one.unit in ("hips", "patients"):
        return f"{one.value:g}" if one.quantity == one.unit else f"{one.value:g} of {one.n}"
    return _spread(one)


def test_notes(quantities: Iterable[Quantity]) -> list[str]:
    """The tests at the last observation: method, and the P values of the other methods."""
    found = [one for one in quantities if one.group == LAST and one.unit == "P"]
    notes = []
    for name in ("vas_p", "hhs_p"):
        chosen = next((one for one in found if one.quantity == name), None)
        if chosen is None or chosen.value is None:
            continue
        others = [
            f"{one.value:.3f} ({words})"
            for one in found
            for kind, words in _OTHERS.items()
            if one.quantity == f"{name}_{kind}" and one.value and one.method != chosen.method
        ]
        notes.append(
            f"{name.removesuffix('_p').upper()}: {chosen.method}; by other methods "
            f"{', '.join(others)}"
        )
    return notes


_OTHERS = {"exact": "exact", "normal": "normal", "normal_cc": "normal with correction"}


def _is_hidden(one: Quantity) -> bool:
    if one.quantity in ("sex", "aetiology") and one.group == "not recorded":
        return one.value == one.n
    return one.quantity in _HIDDEN_WHEN_NONE and not one.value


def _spread(one: Quantity) -> str:
    texts = [_number(number, one.unit) for number in (one.value, one.low, one.high)]
    unit = "°" if one.unit == "deg" else ("" if one.unit == "cells" else f" {one.unit}")
    if one.low is None:
        return f"{texts[0]}{unit}"
    return f"{texts[0]} [{texts[1]} to {texts[2]}]{unit}, n {one.n}"


def _number(number: float | None, unit: str) -> str:
    if number is None:
        return "–"
    return f"{number:.3g}" if unit == "cells" else f"{number:.1f}"
