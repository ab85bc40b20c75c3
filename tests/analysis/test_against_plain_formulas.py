"""Whole cohorts of every odd kind against formulas written out in plain Python.

The cohorts are drawn at random: patients with two hips, missed visits, ties, no event, one event,
every event, an arm without follow-up, one reader, two readers with missing hips, constant scores,
death and replacement on one day, events before the first visit.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import plainformulas as plain
import pytest

from necroangle.analysis import AnalysisSet, analysis_set, outcomes_of
from necroangle.analysis.agreement import AgreementStudy, agreement_of
from necroangle.analysis.baseline import baseline_table, flow, sentences
from necroangle.analysis.events import ENDPOINTS, GROUPINGS, EventStudy, events_of, hip_times
from necroangle.analysis.quantities import Quantity
from necroangle.errors import CohortError
from necroangle.protocol.study import NO_STUDY

START, YEAR = date(2020, 1, 1), 365.25
RANK = {stage: place for place, stage in enumerate(("1", "2", "3A", "3B", "4"))}
VISITS = ("m00", "m12", "m24", "m36")


@dataclass
class Hip:
    """What was drawn for a hip: days, stages, scores and angles by visit, and events."""

    subject: str
    side: str
    arm: str
    days: dict[str, int] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    angles: dict[str, dict[str, float]] = field(default_factory=dict)
    tha: int | None = None
    death: int | None = None


KINDS = (
    "plain", "plain", "plain", "plain", "bilateral", "bilateral", "missing", "missing", "ties",
    "none", "one", "all", "empty arm", "one reader", "holes", "constant", "same day", "before",
    "few", "alone",
)  # fmt: skip


def drawn(seed: int) -> list[Hip]:
    random, kind = np.random.default_rng(seed), KINDS[seed]
    count = {"few": 3, "alone": 1}.get(kind, 14)
    hips = []
    for number in range(count):
        both = kind == "bilateral" or random.random() < 0.3
        for side in "LR" if both else "L":
            arm = "core_decompression" if number % 2 else "conservative"
            hips.append(_drawn_hip(random, kind, f"P{number:02}", side, arm))
    if kind == "one":
        hips[0].stages.update(m00="2", m24="4")
        hips[0].days.update(m00=0, m24=731)
    return hips


def _drawn_hip(random: np.random.Generator, kind: str, subject: str, side: str, arm: str) -> Hip:
    hip = Hip(subject, side, arm)
    stage = 2 if random.random() < 0.3 else 1
    missed = 0.5 if kind == "missing" else 0.1
    angle = round(float(random.uniform(120, 340)), 1)
    for place, visit in enumerate(VISITS):
        if place and (random.random() < missed or (kind == "empty arm" and arm == "conservative")):
            continue
        shift = 0 if not place or kind == "ties" else int(random.integers(-40, 40))
        hip.days[visit] = 365 * place + shift
        if place and kind != "none" and random.random() < (0.9 if kind == "all" else 0.25):
            stage = min(stage + (2 if kind == "all" else 1), 4)
        hip.stages[visit] = list(RANK)[stage]
        hip.scores[visit] = 5.0 if kind == "constant" else float(random.integers(0, 8))
        angle = angle + float(random.integers(-3, 4)) * 10
        readers = ("kim",) if kind == "one reader" else ("kim", "lee")
        for reader in readers:
            if not (kind == "holes" and random.random() < 0.3):
                noise = 0.0 if kind == "constant" else round(float(random.normal(0, 6)), 1)
                hip.angles.setdefault(visit, {})[reader] = round(min(max(angle + noise, 1), 700), 1)
    if kind not in ("none", "constant") and random.random() < 0.25:
        hip.tha = -30 if kind == "before" else int(random.integers(400, 1200))
    if random.random() < 0.15:
        hip.death = -30 if kind == "before" else int(random.integers(400, 1200))
    if kind == "same day" and random.random() < 0.5:
        hip.tha = hip.death = 500
    return hip


def cohort_of(hips: Sequence[Hip]) -> AnalysisSet:
    rows, clinical = (
        [],
        {name: list[dict[str, Any]]() for name in ("visit", "event", "treatment", "hip")},
    )
    for hip in hips:
        key = {"subject": hip.subject, "laterality": hip.side}
        clinical["hip"].append({**key, "treatment_date": START.isoformat()})
        clinical["treatment"].append({**key, "number": "1", "treatment": hip.arm})
        for visit, days in hip.days.items():
            clinical["visit"].append({
                **key, "visit": visit, "visit_date": (START + timedelta(days)).isoformat(),
                "arco": hip.stages[visit], "vas": hip.scores[visit], "vas_scale": 10,
            })  # fmt: skip
            rows += [
                {**key, "visit": visit, "reader": reader, "read_no": 1, "method": "m",
                 "cna_deg": angle, "ha_grade": 1 + sum(angle >= cut for cut in (200, 250, 300))}
                for reader, angle in hip.angles.get(visit, {}).items()
            ]  # fmt: skip
        for name, day in (("tha", hip.tha), ("death", hip.death)):
            if day is not None:
                when = (START + timedelta(day)).isoformat()
                clinical["event"].append({**key, "event": name, "number": "1", "event_date": when})
    return analysis_set(rows, clinical, NO_STUDY)


# ---- what became of a hip, read from what was drawn --------------------------------------------


def dead_of(hips: Sequence[Hip]) -> dict[str, int]:
    """A death is of both hips of a patient; the earliest counts."""
    found: dict[str, int] = {}
    for hip in hips:
        if hip.death is not None:
            found[hip.subject] = min(found.get(hip.subject, hip.death), hip.death)
    return found


def counts(hip: Hip, visit: str, death: int | None) -> bool:
    """Whether a visit is of the natural hip of a living patient."""
    day = hip.days[visit]
    if hip.tha is not None and (day > hip.tha or (day == hip.tha and visit not in hip.angles)):
        return False
    return death is None or day <= death


def natural(hip: Hip, death: int | None) -> list[str]:
    return [visit for visit in hip.days if counts(hip, visit, death)]


def span(hip: Hip, death: int | None) -> tuple[float, int] | None:
    """Years to failure (3B or 4, or a replacement), and what ended them; None: not at risk."""
    if hip.tha is not None and hip.tha <= 0:
        return None
    seen = natural(hip, death)
    if "m00" not in seen or RANK[hip.stages["m00"]] >= RANK["4"]:
        return None
    later = [visit for visit in seen if visit != "m00"]
    start = RANK[hip.stages["m00"]]
    for visit in later:
        if RANK[hip.stages[visit]] >= RANK["3B"] and RANK[hip.stages[visit]] > start:
            return hip.days[visit] / YEAR, 1
    if hip.tha is not None:
        return hip.tha / YEAR, 1
    if not later:
        return None
    return (death / YEAR, 3) if death is not None else (hip.days[later[-1]] / YEAR, 0)


# ---- the comparison ----------------------------------------------------------------------------


@pytest.fixture(params=range(len(KINDS)), ids=lambda seed: f"{seed}-{KINDS[seed]}")
def hips(request: pytest.FixtureRequest) -> list[Hip]:
    return drawn(request.param)


def value(found: Sequence[Quantity], quantity: str, group: str = "all") -> Quantity:
    (one,) = [one for one in found if (one.quantity, one.group) == (quantity, group)]
    return one


def failures(hips: Sequence[Hip]) -> Iterator[tuple[Hip, tuple[float, int]]]:
    dead = dead_of(hips)
    for hip in sorted(hips, key=lambda hip: (hip.subject, hip.side)):
        found = span(hip, dead.get(hip.subject))
        if found is not None:
            yield hip, found


def test_time_to_failure(hips: list[Hip]) -> None:
    known = list(failures(hips))
    if not known:
        with pytest.raises(CohortError, match="no hip is at risk"):
            events_of(cohort_of(hips))
        return
    study = events_of(cohort_of(hips))
    spans = [one for _, one in known]
    assert [(one.years, one.code) for one in study.times] == spans
    longest = max(years for years, _ in spans)
    for years in (1, 2, 3):
        if years <= longest:
            for name, expected in (
                ("incidence", plain.incidence_at(spans, years)),
                ("survival", plain.kaplan_at(spans, years)),
            ):
                one = value(study.quantities, f"{name}_{years}_years")
                assert one.value == pytest.approx(100 * expected)
                assert one.n == sum(t >= years for t, _ in spans)
                assert one.low is not None or expected in (0.0, 1.0)
    mean = value(study.quantities, "restricted_mean")
    horizon = float(mean.method.split(" up to ")[1].split()[0])
    groups = [f"ARCO {hip.stages['m00']}" for hip, _ in known]
    exact = min(
        max(t for (t, _), own in zip(spans, groups, strict=True) if own == group)
        for group in set(groups)
    )
    assert horizon == pytest.approx(exact, abs=0.006)
    assert mean.value == pytest.approx(plain.mean_until(spans, exact))
    _compare_groups(study, spans, groups)
    _compare_angles(study, known)


def _compare_groups(study: EventStudy, spans: Sequence[plain.Span], groups: list[str]) -> None:
    from scipy.stats import chi2

    one = value(study.quantities, "log_rank_p", "groups") if groups else None
    expected = plain.log_rank(spans, groups) if len(set(groups)) == 2 else None
    if len(set(groups)) > 2:
        return
    assert one is not None
    if expected is None:
        assert one.value is None
        assert one.words
    else:
        assert one.value == pytest.approx(float(chi2.sf(expected, 1)), rel=1e-9)


def _compare_angles(study: EventStudy, known: list[tuple[Hip, tuple[float, int]]]) -> None:
    own = [
        (angles[min(angles)], code == 1, years, code)
        for hip, (years, code) in known
        if (angles := hip.angles.get("m00"))
    ]
    if not own:
        return
    has = [event for _, event, _, code in own if code < 2]
    scores = [angle for angle, _, _, code in own if code < 2]
    one = value(study.quantities, "auc", "CNA at baseline")
    if not any(has) or all(has):
        assert one.value is None
        assert one.words
    elif min(sum(has), len(has) - sum(has)) > 1:
        expected, error = plain.area(scores, has)
        assert one.value == pytest.approx(expected)
        if error > 0:
            assert one.low == pytest.approx(max(expected - 1.959964 * error, 0), abs=1e-6)
    model = value(study.quantities, "cox", "CNA, by 10°") if len({o[0] for o in own}) > 1 else None
    if model is not None and model.value is not None:
        beta = plain.cox_beta([(t, code) for _, _, t, code in own], [a / 10 for a, *_ in own])
        assert math.log(model.value) == pytest.approx(beta, abs=1e-6)
    happened, totals = [], []
    for grade in range(1, 5):
        some = [
            event
            for angle, event, *_ in own
            if 1 + sum(angle >= cut for cut in (200, 250, 300)) == grade
        ]
        if some:
            happened.append(sum(some))
            totals.append(len(some))
            share = value(study.quantities, "event_share", f"Ha grade {grade}")
            low, high = plain.binomial_bounds(sum(some), len(some))
            assert (share.value, share.low, share.high) == pytest.approx(
                (100 * sum(some) / len(some), 100 * low, 100 * high), abs=1e-6
            )
    trend = [
        one for one in study.quantities if (one.quantity, one.group) == ("trend_p", "by grade")
    ]
    if len(totals) > 1 and 0 < sum(happened) < sum(totals):
        z = plain.trend_z(happened, totals)
        assert trend[0].value == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))
    else:
        assert all(one.value is None and one.words for one in trend)


def test_pain_at_each_visit(hips: list[Hip]) -> None:
    found = outcomes_of(cohort_of(hips)).quantities
    dead = dead_of(hips)
    kept = [hip for hip in hips if hip.tha is None or hip.tha > 0]
    raw: dict[str, float] = {}
    for visit in VISITS[1:]:
        pairs = [
            hip.scores[visit] - hip.scores["m00"]
            for hip in kept
            if {"m00", visit} <= set(natural(hip, dead.get(hip.subject)))
        ]
        if not pairs or len(pairs) > 16:
            continue
        expected = plain.signed_rank_p(pairs)
        one = value(found, "vas_p", f"visit {visit}")
        if expected is None:
            assert one.value is None
            assert "no test" in one.words
        else:
            assert one.value == pytest.approx(expected)
            raw[visit] = expected
    adjusted = [one.value for one in found if one.quantity == "vas_p_holm"]
    if len(raw) == len(adjusted):
        ordered = sorted(raw.values())
        least = 0.0
        expected_holm = []
        for place, p in enumerate(ordered):
            least = max(least, min(1.0, (len(ordered) - place) * p))
            expected_holm.append(least)
        assert sorted(p for p in adjusted if p is not None) == pytest.approx(expected_holm)


def test_agreement_of_the_readers(hips: list[Hip]) -> None:
    dead = dead_of(hips)
    read = {
        (hip.subject, hip.side, visit): hip.angles[visit]
        for hip in sorted(hips, key=lambda hip: (hip.subject, hip.side))
        for visit in sorted(natural(hip, dead.get(hip.subject)))
        if visit in hip.angles
    }
    both = [(angles["kim"], angles["lee"]) for angles in read.values() if len(angles) == 2]
    if not both:
        with pytest.raises(CohortError, match="no hip was read twice"):
            agreement_of(cohort_of(hips), draws=50)
        return
    study = agreement_of(cohort_of(hips), draws=50)
    if len(both) < 3:
        return
    _compare_agreement(study, both)


def _compare_agreement(study: AgreementStudy, both: list[tuple[float, float]]) -> None:
    rows = {(one.statistic, one.readers): one for one in study.rows if one.quantity == "CNA"}
    alike = all(one == other for one, other in both)
    for name, expected in plain.intraclass(both).items():
        one = rows[name, "all"]
        assert one.hips == len(both)
        assert one.value == pytest.approx(1.0 if alike else expected)
        assert (one.low is None) == alike
    bias, low, high = plain.limits(*zip(*both, strict=True))
    assert rows["bias", "lee less kim"].value == pytest.approx(bias)
    if not alike:
        assert rows["lower limit of agreement", "lee less kim"].value == pytest.approx(low)
        assert rows["upper limit of agreement", "lee less kim"].value == pytest.approx(high)
    grades = [
        tuple(1 + sum(angle >= cut for cut in (200, 250, 300)) for angle in pair) for pair in both
    ]
    kappas = {
        one.statistic: one for one in study.rows
        if one.quantity == "Ha's grade" and one.readers == "kim, lee"
    }  # fmt: skip
    for power, name in enumerate(("plain", "linear", "quadratic")):
        expected_kappa = plain.weighted_kappa([(i, j) for i, j in grades], 5, power)
        one = kappas[f"Cohen's kappa, {name}"]
        if expected_kappa is None:
            assert one.value is None
            assert one.words
        else:
            assert one.value == pytest.approx(expected_kappa)


def test_everything_is_said_and_nothing_is_nan(hips: list[Hip]) -> None:
    cohort = cohort_of(hips)
    said = [*outcomes_of(cohort).quantities]
    for endpoint in ENDPOINTS:
        for by in GROUPINGS:
            if hip_times(cohort, endpoint)[0]:
                said += events_of(cohort, endpoint, by).quantities
    for one in said:
        numbers = [number for number in (one.value, one.low, one.high) if number is not None]
        assert all(map(math.isfinite, numbers)), one
        assert one.value is not None or one.words, one
        if one.value is not None and one.low is not None and one.high is not None:
            assert one.low - 1e-9 <= one.value <= one.high + 1e-9, one
    assert all(baseline_table(cohort, by) for by in (None, *GROUPINGS))
    assert flow(cohort)
    for sentence in sentences(outcomes_of(cohort)):
        assert "nan" not in sentence.journal
        assert "None" not in sentence.journal
