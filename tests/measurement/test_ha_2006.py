"""Ha's 37 hips: stored angles that fit every printed count come back as printed.

Ha et al. 2006, doi 10.2106/JBJS.F.00535: collapse by grade 0/5, 6/9, 16/16, 7/7 and by risk 0/4,
4/8, 25/25. Both margins together fix the joint table of the six bands.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hipmaker import make_reading

from necroangle.measurement import HaGrade, HaRisk, ha_grade, ha_risk, measure

BANDS = (
    # lower and upper end of the band (both within it), hips, collapsed
    (150.0, 190.0, 4, 0),
    (190.000001, 199.999999, 1, 0),
    (200.0, 239.999999, 7, 4),
    (240.0, 249.999999, 2, 2),
    (250.0, 299.999999, 16, 16),
    (300.0, 360.0, 7, 7),
)

Hip = tuple[float, bool]


def hips() -> list[Hip]:
    """(stored combined angle, collapsed): spread over each band, its ends among them."""
    found = []
    for low, high, count, collapsed in BANDS:
        step = (high - low) / max(count - 1, 1)
        angles = [round(low + number * step, 6) for number in range(count)]
        found += [(angle, number < collapsed) for number, angle in enumerate(angles)]
    return found


def counts(words: Sequence[object], of: object) -> tuple[int, int]:
    """(collapsed, all) of the hips in a category."""
    chosen = [one for word, (_, one) in zip(words, hips(), strict=True) if word == of]
    return sum(chosen), len(chosen)


def auc(scores: Sequence[float]) -> float:
    """Chance that a hip that collapsed scores above one that did not; a tie counts half."""
    outcome = [one for _, one in hips()]
    bad = [score for score, one in zip(scores, outcome, strict=True) if one]
    good = [score for score, one in zip(scores, outcome, strict=True) if not one]
    wins = sum((high > low) + 0.5 * (high == low) for high in bad for low in good)
    return wins / (len(bad) * len(good))


def cochran_armitage_z(scores: Sequence[float]) -> float:
    """Trend of collapse over equally spaced categories."""
    outcome = [one for _, one in hips()]
    total, share = len(outcome), sum(outcome) / len(outcome)
    mean = sum(scores) / total
    trend = sum(score * (one - share) for score, one in zip(scores, outcome, strict=True))
    spread = sum((score - mean) ** 2 for score in scores)
    return trend / math.sqrt(share * (1 - share) * spread)


def grades() -> list[HaGrade]:
    return [ha_grade(angle) for angle, _ in hips()]


def risks() -> list[HaRisk]:
    return [ha_risk(angle) for angle, _ in hips()]


def test_there_are_37_hips_of_which_29_collapsed() -> None:
    assert (sum(one for _, one in hips()), len(hips())) == (29, 37)


@pytest.mark.parametrize(
    ("grade", "expected"), list(zip(HaGrade, [(0, 5), (6, 9), (16, 16), (7, 7)], strict=True))
)
def test_the_grades_come_back(grade: HaGrade, expected: tuple[int, int]) -> None:
    assert counts(grades(), grade) == expected


@pytest.mark.parametrize(
    ("risk", "expected"), list(zip(HaRisk, [(0, 4), (4, 8), (25, 25)], strict=True))
)
def test_the_risk_groups_come_back(risk: HaRisk, expected: tuple[int, int]) -> None:
    assert counts(risks(), risk) == expected


def test_the_areas_under_the_curve_come_back() -> None:
    order = list(HaRisk)
    risk = [order.index(one) for one in risks()]
    joint = [grade * 10 + group for grade, group in zip(grades(), risk, strict=True)]
    assert len(set(joint)) == 6
    assert [round(auc(scores), 4) for scores in (grades(), risk, joint)] == [
        0.9612,
        0.9655,
        0.9741,
    ]


def test_collapse_rises_with_the_grade() -> None:
    z = cochran_armitage_z([float(grade) for grade in grades()])
    assert z == pytest.approx(4.461, abs=5e-4)
    assert math.erfc(z / math.sqrt(2)) == pytest.approx(8.2e-6, rel=0.01)


def test_the_bands_leave_no_gap_between_stored_angles() -> None:
    for (_, high, *_), (low, *_) in pairwise(BANDS):
        assert round(low - high, 6) == 1e-6


@pytest.mark.parametrize("angle", [angle for angle, _ in hips()])
def test_a_reading_of_that_angle_gets_the_same_categories(angle: float) -> None:
    first = round(angle / 2, 6)
    found = measure(make_reading(first, angle - first))
    assert found.cna_deg == angle
    assert (found.ha_grade, found.ha_risk) == (ha_grade(angle), ha_risk(angle))
