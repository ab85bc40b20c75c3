"""Cohorts whose outcomes are known by construction: plain rows as the outcomes take them.

A :class:`HipSpec` says what becomes of a hip; :func:`plain_cohort` makes its readings, visits and
events. :data:`STUDY` holds 22 hips of 18 patients with the aggregates printed by Yoon 2024, doi
10.1007/s13770-024-00647-z; no patient of that study is in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import hypot
from pathlib import Path
from typing import Any

from necroangle.cohort import CohortRow
from necroangle.entries import KEYS
from necroangle.ledger.records import Entry
from necroangle.ledger.store import CohortStore
from necroangle.measurement.columns import COLUMNS, NAMES
from necroangle.protocol.visits import Visit

__all__ = ["STUDY", "VISITS", "HipSpec", "PlainCohort", "full_row", "plain_cohort", "store_cohort"]

DAYS_PER_MONTH = 30.4375
VISITS = (
    Visit("m00", 0.0, 90, 14),
    *(Visit(f"m{months}", float(months), 180, 180) for months in (12, 24, 36, 48, 60, 72)),
)
STUDY_START = date(2015, 3, 2)
SE_DEG = 4.0

PlainRow = dict[str, Any]


@dataclass(frozen=True)
class HipSpec:
    """What becomes of a hip.

    Attributes
    ----------
    subject, laterality, age_years, dose
        Whose hip, how old, how many cells.
    stages
        ARCO stage at the baseline, and at the last visit of the natural hip.
    cna_deg, vas, hhs
        At the baseline, and at that last visit; None: not recorded.
    last_days
        Day of that last visit from the index date.
    tha_days
        Day of the replacement after it, or None.
    after_days
        Day of a visit after the replacement, or None.
    """

    subject: str
    laterality: str = "L"
    age_years: float | None = 40.0
    dose: float | None = 1e8
    stages: tuple[str | None, str | None] = ("2", "2")
    cna_deg: tuple[float | None, float | None] = (200.0, 200.0)
    vas: tuple[float | None, float | None] = (5.0, 4.0)
    hhs: tuple[float | None, float | None] = (70.0, 75.0)
    last_days: int = 730
    tha_days: int | None = None
    after_days: int | None = None

    @property
    def yearly(self) -> tuple[tuple[str, int], ...]:
        """Visits between the baseline and the last one, with their days: as at the baseline."""
        last = _visit_near(self.last_days)
        days = {one.name: round((one.months or 0) * DAYS_PER_MONTH) + 5 for one in VISITS[1:]}
        return tuple(
            (name, day) for name, day in days.items() if name < last and day <= self.last_days - 90
        )


@dataclass(frozen=True)
class PlainCohort:
    """Rows of the cohort table and clinical rows by kind."""

    rows: list[PlainRow]
    clinical: dict[str, list[PlainRow]]


def plain_cohort(
    specs: Iterable[HipSpec], *, method: str = "ha_mr_midslice", failure_events: Iterable[str] = ()
) -> PlainCohort:
    """The cohort of some hips.

    Parameters
    ----------
    specs
        The hips; patients are told by their subject.
    method
        Of all readings.
    failure_events
        Hips, as ``"S01 L"``, with a recorded radiographic failure at their last visit.
    """
    hips = list(specs)
    failed = set(failure_events)
    treated = {one.subject: place for place, one in enumerate(hips)}
    rows: list[PlainRow] = []
    clinical: dict[str, list[PlainRow]] = {
        "subject": [_subject(one) for one in {one.subject: one for one in hips}.values()],
        "hip": [],
        "treatment": [],
        "visit": [],
        "event": [],
    }
    for one in hips:
        index = STUDY_START + timedelta(days=37 * treated[one.subject])
        key = {"subject": one.subject, "laterality": one.laterality}
        clinical["hip"].append({**key, "treatment_date": index.isoformat()})
        clinical["treatment"].append({**key, "number": "1", "cell_dose": one.dose})
        for visit, entry, row in _visits(one, index, method):
            clinical["visit"].append({**key, "visit": visit, **entry})
            rows.append({**key, "visit": visit, **row})
        if f"{one.subject} {one.laterality}" in failed:
            clinical["event"].append(_event(key, "radiographic_failure", index, one.last_days))
        if one.tha_days is not None:
            clinical["event"].append(_event(key, "tha", index, one.tha_days))
    return PlainCohort(rows, clinical)


def full_row(row: PlainRow) -> CohortRow:
    """A row of the cohort table with every column, for the store."""
    blank = {
        column.name: None if column.need == "maybe" else _filled(column.kind, column.allowed)
        for column in COLUMNS
    }
    values = {**blank, "flags": "", "index_refused": "", "a_status": "necrosis"}
    return CohortRow.of({**values, **{name: row[name] for name in row if name in NAMES}})


def store_cohort(path: Path, cohort: PlainCohort) -> None:
    """Keep a cohort: its rows, and its clinical records one by one."""
    entries = []
    for kind, rows in cohort.clinical.items():
        for row in rows:
            key = tuple(str(row[name]) for name in KEYS[kind])
            values = {name: cell for name, cell in row.items() if name not in KEYS[kind]}
            entries.append(Entry(kind, key, values))
    with CohortStore.open(path) as store:
        store.upsert(map(full_row, cohort.rows))
        store.record(entries, actor="test")


def _filled(kind: str, allowed: Sequence[str]) -> str | int:
    return (allowed[0] if allowed else "made") if kind == "text" else 1


def _subject(one: HipSpec) -> PlainRow:
    return {"subject": one.subject, "age_at_index_years": one.age_years, "sex": "F"}


def _event(key: PlainRow, name: str, index: date, days: int) -> PlainRow:
    day = (index + timedelta(days=days)).isoformat()
    return {**key, "event": name, "number": "1", "event_date": day}


def _visits(one: HipSpec, index: date, method: str) -> Iterator[tuple[str, PlainRow, PlainRow]]:
    """Baseline, yearly visits with values half-way, the last one, and one after a replacement."""
    last = _visit_near(one.last_days)
    yield "m00", _entry(one, 0, index - timedelta(days=9), 10), _row(one, one.cna_deg[0], method)
    for name, days in one.yearly:
        middle = _middle(*one.cna_deg)
        entry = _entry(one, 0, index + timedelta(days=days), 10)
        yield name, entry, _row(one, middle, method)
    day = index + timedelta(days=one.last_days)
    yield last, _entry(one, 1, day, 100), _row(one, one.cna_deg[1], method)
    if one.after_days is not None:
        after = index + timedelta(days=one.after_days)
        prosthesis = {**_row(one, None, method), "b_status": "prosthesis"}
        entry = {"visit_date": after.isoformat(), "vas": 0.0, "vas_scale": 10, "hhs": 99.0}
        yield _visit_near(one.after_days), {**entry, "arco": "4"}, prosthesis


def _visit_near(days: int) -> str:
    return min(VISITS[1:], key=lambda one: abs((one.months or 0) * DAYS_PER_MONTH - days)).name


def _entry(one: HipSpec, place: int, day: date, scale: int) -> PlainRow:
    """Entries of a visit; pain on 0 to 10 or on 0 to 100."""
    vas = one.vas[place]
    return {
        "visit_date": day.isoformat(),
        "arco": one.stages[place],
        "vas": None if vas is None else vas * scale / 10,
        "vas_scale": None if vas is None else scale,
        "hhs": one.hhs[place],
    }


def _row(one: HipSpec, cna_deg: float | None, method: str) -> PlainRow:
    known = cna_deg is not None
    return {
        "reader": "kim",
        "read_no": 1,
        "method": method,
        "cna_deg": cna_deg,
        "cna_se_total": SE_DEG if known else None,
        "cna_low_deg": cna_deg - 1.96 * SE_DEG if cna_deg is not None else None,
        "cna_high_deg": cna_deg + 1.96 * SE_DEG if cna_deg is not None else None,
        "b_status": "necrosis" if known else "not_done",
    }


def _middle(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else (first + last) / 2


MDC95_DEG = 1.96 * hypot(SE_DEG, SE_DEG)
"""Smallest real change of every made hip: 11.1 degrees."""

_PATIENTS = (
    # age, dose, last contact in days; two hips where a second stage follows
    (22.0, 0.31e8, 380),
    (24.0, 0.45e8, 400),
    (26.0, 0.52e8, 410),
    (27.0, 0.60e8, 700),
    (28.0, 0.74e8, 730),
    (30.0, 0.80e8, 731),
    (31.0, 0.91e8, 1100),
    (33.0, 0.98e8, 1120),
    (34.0, 1.06e8, 1460),
    (36.0, 1.06e8, 1462),
    (37.0, 1.10e8, 1500),
    (39.0, 1.22e8, 1800),
    (42.0, 1.35e8, 1935),
    (42.0, 1.50e8, 1936),
    (45.0, 1.61e8, 1990),
    (49.0, 1.80e8, 2150),
    (53.0, 2.00e8, 2200),
    (58.0, 2.40e8, 2300),
)
_WITH_TWO_HIPS = (2, 7, 11, 15)
"""Places of the patients with two hips: two below each median, two above."""

_COURSES = (
    # stages, change of the angle, replaced: 14 hips of ARCO 2, then 8 of 3A
    *((("2", "2"), change, False) for change in (-31.4, -24.2, -22.8, -20.0, -6.1, 0.0, 4.4)),
    *((("2", "3A"), change, False) for change in (-27.5, -19.9, 2.0, 9.3, 12.6)),
    (("2", "3B"), 25.1, False),
    (("2", "3B"), 31.0, True),
    *((("3A", "3A"), change, False) for change in (-40.3, -21.6, -13.0, 1.5)),
    (("3A", "4"), 14.2, False),
    (("3A", "3B"), 22.4, True),
    (("3A", "4"), 18.8, True),
    (("3A", "3B"), 5.0, True),
)
_VAS_CHANGES = (
    *(-3.0, -1.5, -1.5, -5.5, -1.5, -1.5, -1.0, 1.0, 2.5, -1.5, -4.5, -1.5, 2.0, 1.0, -2.0),
    *(-2.5, -2.5, 1.0, 1.0, -1.5, 3.0, -0.5),
)
"""Exact two-sided signed-rank P 0.05192."""

_HHS_CHANGES = (
    *(-31, 0, 37, 7, 18, 16, 16, 15, 0, -7, 1, 8, -23, -8, 5, -12, -24, 22, 13, 5, -10, 0),
)
"""Exact two-sided signed-rank P 0.53473."""


def _study() -> tuple[HipSpec, ...]:
    """Hips in the order of the patients; courses are dealt so that a replacement has time."""
    places = [
        (number, side)
        for number in range(len(_PATIENTS))
        for side in (("L", "R") if number in _WITH_TWO_HIPS else ("R",))
    ]
    dealt = [place * 5 % len(places) for place in range(len(places))]
    return tuple(
        _study_hip(number, side, _COURSES[dealt[place]], place)
        for place, (number, side) in enumerate(places)
    )


def _study_hip(
    number: int, side: str, course: tuple[tuple[str, str], float, bool], place: int
) -> HipSpec:
    age, dose, contact = _PATIENTS[number]
    stages, change, replaced = course
    start = 190.0 + 4.0 * place
    is_seen_after = replaced and contact > 1400
    return HipSpec(
        subject=f"S{number + 1:02}",
        laterality=side,
        age_years=age,
        dose=dose,
        stages=stages,
        cna_deg=(start, round(start + change, 6)),
        vas=(6.0, 6.0 + _VAS_CHANGES[place]),
        hhs=(55.0, 55.0 + _HHS_CHANGES[place]),
        last_days=contact - 400 if is_seen_after else contact - 20 * replaced,
        tha_days=contact - 380 if is_seen_after else (contact if replaced else None),
        after_days=contact if is_seen_after else None,
    )


STUDY = _study()
"""22 hips of 18 patients."""
