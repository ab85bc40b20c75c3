"""The outcomes for people and for programs: a few words a line, plain rows, CSV and JSON.

No date leaves here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.outcomes import LAST, Outcomes
from necroangle.analysis.quantities import ALL, Quantity, p_words
from necroangle.analysis.visits import AngleChange, HipVisit
from necroangle.measurement.row import Cell
from necroangle.plain_text import csv_line, harmless

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
    "jic_stage_at_baseline": "JIC stage at baseline",
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
    "cna_per_year": "CNA by year, mixed model",
    "cna_per_year_marginal": "CNA by year, estimating equations",
    "vas_per_year": "VAS by year, mixed model",
    "vas_per_year_marginal": "VAS by year, estimating equations",
    "hhs_per_year": "HHS by year, mixed model",
    "hhs_per_year_marginal": "HHS by year, estimating equations",
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
    "jic_stage_at_visit": "JIC stage",
    "cna": "CNA",
    "cna_change": "CNA change",
    "vas_later": "VAS",
    "vas_p": "VAS P",
    "vas_p_holm": "VAS P, all visits (Holm)",
    "hhs_later": "HHS",
    "hhs_p": "HHS P",
    "hhs_p_holm": "HHS P, all visits (Holm)",
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
        return f"{p_words(one.value)}, {one.n} pairs"
    if one.unit == "%":
        share = f"{round(one.value * one.n / 100)} of {one.n}: {one.value:.1f} %"
        return f"{share} ({one.low:.1f} to {one.high:.1f} %)"
    if one.unit in ("hips", "patients"):
        return f"{one.value:g}" if one.quantity == one.unit else f"{one.value:g} of {one.n}"
    if one.words:
        return f"{one.text}, {one.words}"
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
            f"{p_words(one.value).removeprefix('P = ')} ({words})"
            for one in found
            for kind, words in _OTHERS.items()
            if one.quantity == f"{name}_{kind}"
            and one.value is not None
            and one.method != chosen.method
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


# ---- tables ------------------------------------------------------------------------------------

Rows = list[dict[str, Cell]]

TABLES = ("quantities", "hips", "visits")
"""What :func:`table_rows` can give."""


def table_rows(outcomes: Outcomes, table: str) -> Rows:
    """The rows of one of :data:`TABLES`.

    Examples
    --------
    >>> from necroangle.analysis.courses import analysis_set
    >>> from necroangle.analysis.outcomes import outcomes_of
    >>> hip = {"subject": "S1", "laterality": "L"}
    >>> visits = [{**hip, "visit": v, "arco": s} for v, s in (("m00", "2"), ("m24", "3B"))]
    >>> row = table_rows(outcomes_of(analysis_set([], {"visit": visits})), "hips")[0]
    >>> row["cluster"], row["failure"], row["failure_where"]
    ('S1', 1, 'm24')
    """
    if table == "quantities":
        return quantity_rows(outcomes.quantities)
    if table == "hips":
        return hip_rows(outcomes.hips)
    return visit_rows(visit for hip in outcomes.hips for visit in hip.course.visits)


def quantity_rows(quantities: Iterable[Quantity]) -> Rows:
    """One row for each quantity and group."""
    return [asdict(one) for one in quantities]


def hip_rows(hips: Iterable[HipOutcome]) -> Rows:
    """One row for each hip; ``cluster`` keeps two hips of a patient together."""
    return [_hip_row(hip) for hip in hips]


def visit_rows(visits: Iterable[HipVisit]) -> Rows:
    """One row for each hip at each visit, planned or not, in order of time."""
    return [_visit_row(one) for one in visits]


def _hip_row(hip: HipOutcome) -> dict[str, Cell]:
    course = hip.course
    return {
        "subject": course.hip.subject,
        "laterality": course.hip.laterality,
        "cluster": course.hip.subject,
        "sex": course.patient.sex,
        "age_years": course.patient.age_years,
        "aetiology": course.patient.aetiology,
        "cell_dose": course.treated.dose,
        "left_out": int(course.had_tha_before),
        "arco_baseline": hip.arco_baseline,
        "arco_last": hip.arco_last,
        "arco_course": hip.arco_course,
        "failure": None if hip.failure.failed is None else int(hip.failure.failed),
        "failure_days": hip.failure.days,
        "failure_where": hip.failure.where or None,
        "cna_baseline_deg": hip.cna_baseline_deg,
        "cna_last_deg": hip.angle_last.cna_deg if hip.angle_last else None,
        "cna_last_visit": hip.angle_last.planned.name if hip.angle_last else None,
        **_change_cells(hip.change),
        "vas_baseline": hip.vas.baseline if hip.vas else None,
        "vas_last": hip.vas.last if hip.vas else None,
        "hhs_baseline": hip.hhs.baseline if hip.hhs else None,
        "hhs_last": hip.hhs.last if hip.hhs else None,
        "follow_up_days": hip.follow_up_days,
        "observed_days": hip.observed_days,
        "end": hip.end,
        "tha": int(hip.has_tha),
        "tha_days": course.ending.tha_days,
        "death_days": course.ending.death_days,
        "lost_days": course.ending.lost_days,
    }


def _visit_row(one: HipVisit) -> dict[str, Cell]:
    entered = one.entered
    return {
        "subject": one.hip.subject,
        "laterality": one.hip.laterality,
        "cluster": one.hip.subject,
        "visit": one.planned.name,
        "visit_number": one.number,
        "months_nominal": one.planned.nominal_months,
        "days_from_index": one.days,
        "months": one.months,
        "in_window": None if one.in_window is None else int(one.in_window),
        "baseline": int(one.is_baseline),
        "state": one.state,
        "reader": one.read.reader if one.read else None,
        "read_no": one.read.read_no if one.read else None,
        "consensus": int(one.read.is_consensus) if one.read else None,
        "cna_deg": one.cna_deg,
        "cna_se_total": one.read.se_deg if one.read else None,
        "ha_grade": one.read.ha_grade if one.read else None,
        **_change_cells(one.change),
        "arco": one.arco,
        "jic": one.jic,
        "jic_stage": one.jic_stage,
        "ficat": entered.ficat if entered else None,
        "vas": one.vas,
        "hhs": one.hhs,
        "womac": entered.womac if entered else None,
        "flags": " ".join(one.flags),
    }


_CHANGE = {
    "cna_change_deg": "change_deg",
    "cna_change_se_deg": "se_deg",
    "cna_change_low_deg": "low_deg",
    "cna_change_high_deg": "high_deg",
    "cna_change_mdc95_deg": "mdc95_deg",
    "cna_decreased": "decreased",
    "cna_increased": "increased",
    "cna_change_real": "is_real",
}
"""Columns of a change and where they stand in it."""


def _change_cells(change: AngleChange | None) -> dict[str, Cell]:
    cells = {name: getattr(change, place) if change else None for name, place in _CHANGE.items()}
    return {name: int(cell) if isinstance(cell, bool) else cell for name, cell in cells.items()}


# ---- as text -----------------------------------------------------------------------------------


def rows_as_csv(rows: Sequence[Mapping[str, Cell]]) -> str:
    r"""CSV with a heading; cells as by :func:`necroangle.plain_text.csv_line`.

    Examples
    --------
    >>> rows_as_csv([{"visit": "=m0", "n": 2, "p": 0.25, "words": None}])
    "visit,n,p,words\n'=m0,2,0.25,\n"
    >>> rows_as_csv([])
    ''
    """
    if not rows:
        return ""
    return "".join(map(csv_line, (rows[0], *(row.values() for row in rows))))


def rows_as_json(rows: Sequence[Mapping[str, Cell]], notes: Sequence[str]) -> str:
    r"""JSON: ``{"rows": [...], "notes": [...]}``, one row a line, ``null`` where there is nothing.

    Examples
    --------
    >>> print(rows_as_json([{"n": 2}], ["a note"]))
    {"rows": [
    {"n": 2}
    ],
    "notes": ["a note"]}
    """
    lines = ",\n".join(json.dumps(dict(row), allow_nan=False) for row in rows)
    return f'{{"rows": [\n{lines}\n],\n"notes": {json.dumps(list(notes))}}}\n'
