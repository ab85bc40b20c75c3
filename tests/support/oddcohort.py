"""Cohorts as clinics keep them: odd visit names, own index visits, replacements, deaths, losses.

Every number comes from one seed. A cohort has 30 to 60 hips, several readers, and readings that
unite others in every spelling: two kept ones, one kept and one gone, one of another visit, none at
all under the reader's name ``consensus``.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hipmaker import make_reading
from msgspec.structs import replace

from necroangle.annotation import HipReading, ReaderEntries, encode_reading, sha256_of
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.entries import KEYS
from necroangle.ledger.records import Entry
from necroangle.measurement import measure
from necroangle.protocol.study import NO_STUDY, StudyProtocol, study_toml
from necroangle.protocol.visits import Visit
from necroangle.terms import ArcoStage, JicType, Laterality, UnreadReason

__all__ = ["READERS", "OddCohort", "odd_cohort"]

READERS = ("bob", "alice")
"""The study's readers, the first one first; ``zed`` and ``consensus`` are none of them."""

DAYS_PER_MONTH = 30.4375
_NAMES: dict[float, tuple[str, ...]] = {
    0.0: ("m00", "baseline", "bl", "preoperative", "pre-op", "index", "mo0", "visit_m0", "y0"),
    1.5: ("m1.5", "1.5m", "month_1.5"),
    6.0: ("m06", "mo6", "6m", "visit_m6", "month.6", "6.m", "6_months"),
    12.0: ("m12", "yr1", "1y", "visit_m12", "12mo", "year-1"),
    24.0: ("yr2", "2yr", "m24", "24_m", "y2", "2years"),
}
_ANGLES = tuple(range(20, 181, 8))
_STAGES = tuple(map(str, ArcoStage))
Row = dict[str, Any]


@dataclass
class OddCohort:
    """A cohort to be.

    Attributes
    ----------
    protocol
        The study's; where ``in_study`` is not set, what holds without a study folder.
    in_study
        Whether a ``study.toml`` goes with it.
    readings
        The reading files.
    records
        Clinical rows by kind.
    natural_until
        Of each hip, the day of its replacement or its patient's death, the earlier one.
    """

    protocol: StudyProtocol
    in_study: bool
    readings: list[HipReading] = field(default_factory=list)
    records: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in KEYS})
    natural_until: dict[tuple[str, str], date] = field(default_factory=dict)

    def keep(self, folder: Path) -> None:
        """The cohort table, and the ``study.toml``, in a folder."""
        if self.in_study:
            (folder / "study.toml").write_bytes(study_toml(self.protocol))
        entries = []
        for kind, rows in self.records.items():
            for row in rows:
                key = tuple(str(row[name]) for name in KEYS[kind])
                values = {k: v for k, v in row.items() if k not in KEYS[kind] and v is not None}
                entries.append(Entry(kind, key, values))
        contents = {sha256_of(raw): raw for raw in map(encode_reading, self.readings)}
        with CohortStore.open(folder / "cohort.sqlite") as store:
            store.upsert(map(_row, self.readings), contents)
            store.record(entries, actor="test")


@lru_cache(maxsize=1024)
def _template(a: float | None, b: float | None, reason: UnreadReason) -> HipReading:
    return make_reading(a, b, reason=reason)


@lru_cache(maxsize=1024)
def _measured(template: HipReading) -> CohortRow:
    return to_row(template, measure(template), "0" * 64)


def _row(reading: HipReading) -> CohortRow:
    """The measured row: equal marks are measured once, and take the reading's key and entries."""
    plain = _template(100.0, 80.0, UnreadReason.NOT_DONE)
    names = ("subject", "laterality", "visit", "reader", "read_no", "entries", "consensus_of")
    template = replace(reading, **{name: getattr(plain, name) for name in names})
    entered = {
        name: getattr(reading.entries, name) or None for name in ("arco", "jic", "jic_stage")
    }
    key = {**reading.key._asdict(), **entered}
    sha256 = sha256_of(encode_reading(reading))
    return CohortRow.of({**_measured(template), **key, "annotation_sha256": sha256})


def odd_cohort(seed: int) -> OddCohort:
    """The cohort of a seed."""
    draw = random.Random(seed)
    names = {months: draw.choice(some) for months, some in _NAMES.items()}
    cohort = OddCohort(_protocol(draw, names), draw.random() < 0.6)
    if not cohort.in_study:
        cohort.protocol = NO_STUDY
    wanted = draw.randint(30, 60)
    records_failures = draw.random() < 0.5
    repeats = draw.random() < 0.5
    number = 0
    while len(cohort.natural_until) < wanted:
        _add_patient(cohort, draw, f"P{number:02}", names, records_failures, repeats)
        number += 1
    return cohort


def _protocol(draw: random.Random, names: dict[float, str]) -> StudyProtocol:
    windows = {0.0: (60, 14), 1.5: (14, 14), 6.0: (45, 45), 12.0: (60, 90), 24.0: (180, 180)}
    planned = [
        Visit(name, months, *windows[months])
        for months, name in names.items()
        if months in (0.0, 6.0, 12.0) or draw.random() < 0.7
    ]
    asked = {
        "study": "odd",
        "readers": list(READERS),
        "consensus": draw.random() < 0.8,
        "index_visit": names[0.0],
        "index_day": draw.sample(["treatment", "index_date", "visit"], draw.randint(1, 3)),
        "visits": [
            {
                "name": v.name,
                "months": v.months,
                "before_days": v.before_days,
                "after_days": v.after_days,
            }
            for v in planned
        ],
        "cut_offs.change_deg": draw.choice([10.0, 20.0, 25.0]),
        "failure.rule": draw.choice(["auto", "event", "reaches", "collapse", "arco_progression"]),
        "failure.tha": draw.random() < 0.7,
        "failure.reaches": draw.choice([["3B", "4"], ["3A", "3B", "4"], ["4"]]),
        "statistics.quantiles": draw.choice([6, 7]),
        "statistics.wilcoxon": draw.choice(["auto", "exact", "normal", "normal_cc"]),
        "statistics.zeros": draw.choice(["wilcoxon", "pratt"]),
        "noise.repeats_needed": draw.choice([1, 5, 1000]),
    }
    return NO_STUDY.overridden(asked)


def _add_patient(
    cohort: OddCohort,
    draw: random.Random,
    subject: str,
    names: dict[float, str],
    records_failures: bool,
    repeats: bool,
) -> None:
    start = date(2015, 1, 1) + timedelta(days=draw.randint(0, 1500))
    if draw.random() < 0.9:
        cohort.records["subject"].append(
            {
                "subject": subject,
                "sex": draw.choice(["M", "F", None]),
                "age_at_index_years": draw.choice([None, round(draw.uniform(18, 80), 1)]),
                "aetiology": draw.choice(["steroid", "alcohol", "idiopathic", None]),
                "index_date": _maybe(draw, 0.3, start + timedelta(days=draw.randint(-20, 20))),
            }
        )
    died = start + timedelta(days=draw.randint(50, 900)) if draw.random() < 0.1 else None
    sides = draw.choice(["L", "R", "LR"])
    for side in sides:
        hip = {"subject": subject, "laterality": side}
        _add_hip(cohort, draw, hip, names, start, died, records_failures, repeats)
    if died is not None:
        cohort.records["event"].append(
            {
                "subject": subject,
                "laterality": draw.choice(sides),
                "event": "death",
                "number": "1",
                "event_date": died.isoformat(),
            }
        )


def _add_hip(
    cohort: OddCohort,
    draw: random.Random,
    hip: Row,
    names: dict[float, str],
    start: date,
    died: date | None,
    records_failures: bool,
    repeats: bool,
) -> None:
    own_index = draw.random() < 0.1
    cohort.records["hip"].append(
        {
            **hip,
            "treatment_date": _maybe(draw, 0.3, start + timedelta(days=draw.randint(-5, 5))),
            "index_visit": names[6.0] if own_index else None,
        }
    )
    for number in range(1, draw.choice([1, 1, 1, 2, 3])):
        cohort.records["treatment"].append(
            {
                **hip,
                "number": str(number),
                "cell_dose": draw.choice([None, round(draw.uniform(1e7, 3e8))]),
                "treatment_date": _maybe(draw, 0.5, start + timedelta(days=9 * number)),
            }
        )
    replaced = start + timedelta(days=draw.randint(-40, 900)) if draw.random() < 0.25 else None
    for months, name in names.items():
        if draw.random() < (0.9 if months == 0 else 0.7):
            day = start + timedelta(days=round(months * DAYS_PER_MONTH) + draw.randint(-25, 25))
            if replaced is not None and draw.random() < 0.1:
                replaced = day  # on the very day of a visit
            _add_visit(cohort, draw, hip, name, day, repeats)
    if draw.random() < 0.1:
        day = start + timedelta(days=draw.randint(100, 800))
        _add_visit(cohort, draw, hip, draw.choice(["late", "pain"]), day, repeats)
    ends = [day for day in (replaced, died) if day is not None]
    cohort.natural_until[hip["subject"], hip["laterality"]] = min(ends, default=date.max)
    events = {
        "tha": replaced,
        "lost": start + timedelta(days=draw.randint(100, 800)) if draw.random() < 0.15 else None,
        "collapse": start + timedelta(days=draw.randint(-9, 800)) if draw.random() < 0.2 else None,
        "radiographic_failure": start + timedelta(days=draw.randint(-9, 800))
        if records_failures and draw.random() < 0.3
        else None,
    }
    for name, when in events.items():
        if when is not None:
            undated = name in ("lost", "collapse") and draw.random() < 0.2
            cohort.records["event"].append(
                {
                    **hip,
                    "event": name,
                    "number": "1",
                    "event_date": None if undated else when.isoformat(),
                }
            )


def _maybe(draw: random.Random, chance: float, day: date) -> str | None:
    return day.isoformat() if draw.random() < chance else None


def _add_visit(
    cohort: OddCohort, draw: random.Random, hip: Row, name: str, day: date, repeats: bool
) -> None:
    if draw.random() < 0.9:
        scale = draw.choice([10, 100])
        vas = draw.choice([None, draw.randint(0, 10) * scale / 10])
        cohort.records["visit"].append(
            {
                **hip,
                "visit": name,
                "visit_date": day.isoformat() if draw.random() < 0.9 else None,
                "arco": draw.choice([None, *_STAGES]),
                "jic": draw.choice([None, *map(str, JicType)]),
                "jic_stage": draw.choice([None, *_STAGES]),
                "vas": vas,
                "vas_scale": None if vas is None else scale,
                "hhs": draw.choice([None, float(draw.randint(20, 100))]),
            }
        )
    if draw.random() < 0.1:
        return
    reads = _Reads(cohort, draw, hip, name)
    kept = [reads.add(reader) for reader in READERS if draw.random() < 0.75]
    if repeats and kept and draw.random() < 0.3:
        kept.append(reads.add(cohort.readings[-1].reader, 2))
    if draw.random() < 0.15:
        reads.add("zed")
    spelling = draw.random()
    if spelling < 0.12 and len(kept) >= 2:
        for number in range(1, draw.choice([2, 3])):
            reads.add("joint", number, kept[:2])
    elif spelling < 0.18 and kept:
        reads.add("joint", 1, [kept[0], "f" * 64])
    elif spelling < 0.22 and kept:
        reads.add("joint", 1, [kept[0], sha256_of(encode_reading(cohort.readings[0]))])
    elif spelling < 0.30:
        reads.add("consensus")


class _Reads:
    """The readings of one hip at one visit."""

    def __init__(self, cohort: OddCohort, draw: random.Random, hip: Row, visit: str) -> None:
        self.cohort, self.draw, self.hip, self.visit = cohort, draw, hip, visit
        self.is_replaced = draw.random() < 0.02

    def add(self, reader: str, number: int = 1, unites: Sequence[str] = ()) -> str:
        """One more reading; its hash."""
        draw = self.draw
        angles = [float(draw.choice(_ANGLES)) for _ in "ab"]
        if self.is_replaced:
            template = _template(None, None, UnreadReason.PROSTHESIS)
        else:
            first = None if draw.random() < 0.05 else angles[0]
            template = _template(first, angles[1], UnreadReason.NOT_DONE)
        entered = {
            "arco": draw.choice(_STAGES) if draw.random() < 0.5 else None,
            "jic": draw.choice([None, *map(str, JicType)]),
            "jic_stage": draw.choice([None, *_STAGES]),
        }
        reading = replace(
            template,
            subject=self.hip["subject"],
            laterality=Laterality(self.hip["laterality"]),
            visit=self.visit,
            reader=reader,
            read_no=number,
            entries=ReaderEntries.of(entered),
            consensus_of=tuple(unites),
        )
        self.cohort.readings.append(reading)
        return sha256_of(encode_reading(reading))
