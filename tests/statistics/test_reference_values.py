"""Statistics against published tables and against values that R gave."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from necroangle.errors import CohortError
from necroangle.statistics.agreement import (
    Reads,
    bland_altman,
    components,
    icc,
    icc_by_patients,
    within_reader,
)
from necroangle.statistics.categories import cohen, fleiss, gwet
from necroangle.statistics.curves import cochran_armitage, roc, youden_cut
from necroangle.statistics.intervals import clopper_pearson
from necroangle.statistics.regression import cox, fine_gray, groups_by_patients
from necroangle.statistics.slopes import estimating_slope, mixed_slope
from necroangle.statistics.survival import (
    Times,
    at_time,
    gray_test,
    incidence,
    interval_censored,
    log_rank,
    numbers_at_risk,
    restricted_mean,
    survival,
)

SHROUT_FLEISS = (
    (9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7),
)  # fmt: skip
SKIN = ((10, 4, 1, 0), (5, 10, 12, 2), (2, 4, 12, 5), (0, 2, 6, 13))
FLEISS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip
WRIGHT = (
    (494, 490), (395, 397), (516, 512), (434, 401), (476, 470), (557, 611), (413, 415), (442, 431),
    (650, 638), (433, 429), (417, 420), (656, 633), (267, 275), (478, 492), (178, 165), (423, 372),
    (427, 421),
)  # fmt: skip
MINI = (
    (512, 525), (430, 415), (520, 508), (428, 444), (500, 500), (600, 625), (364, 460), (380, 390),
    (658, 642), (445, 432), (432, 420), (626, 605), (260, 227), (477, 467), (259, 268), (350, 370),
    (451, 443),
)  # fmt: skip
TREATED = (6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
PLACEBO = (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
REMISSION = Times.of([*TREATED, *PLACEBO], [1] * 9 + [0] * 12 + [1] * 21)


def test_shrout_and_fleiss() -> None:
    found = icc(SHROUT_FLEISS)
    expected = {
        "ICC(1,1)": (0.165742, -0.132932, 0.722560),
        "ICC(2,1)": (0.289764, 0.018787, 0.761084),
        "ICC(3,1)": (0.714841, 0.342465, 0.945858),
        "ICC(2,k)": (0.620051, 0.071137, 0.927232),
    }
    for name, (value, *bounds) in expected.items():
        assert found[name].value == pytest.approx(value, abs=5e-7)
        assert found[name].interval == pytest.approx(tuple(bounds), abs=1e-6)


def test_standard_error_of_measurement_of_shrout_and_fleiss() -> None:
    flat = [value for row in SHROUT_FLEISS for value in row]
    found = components(Reads.of(flat, np.repeat(range(6), 4).tolist(), list("abcd") * 6))
    assert found.two_readers.sd == pytest.approx(2.503, abs=5e-4)
    assert found.two_readers.mdc95 == pytest.approx(6.937, abs=5e-4)


def test_peak_flow_of_bland_and_altman() -> None:
    large, mini = ([pair[0] for pair in meter] for meter in (WRIGHT, MINI))
    found = bland_altman(mini, large)
    assert (found.bias, found.sd) == pytest.approx((-2.1176, 38.7651), abs=1e-4)
    assert found.bias_interval == pytest.approx((-22.05, 17.81), abs=0.01)
    assert (found.low, found.high) == pytest.approx((-78.10, 73.86), abs=0.01)
    two = bland_altman(mini, large, 2.0)
    assert (two.low, two.high) == pytest.approx((-79.7, 75.5), abs=0.1)


@pytest.mark.parametrize(("meter", "sd"), [(WRIGHT, 15.307), (MINI, 19.911)])
def test_standard_deviation_within_a_meter(meter: tuple[tuple[int, int], ...], sd: float) -> None:
    flat = [value for pair in meter for value in pair]
    hips = np.repeat(range(len(meter)), 2).tolist()
    pooled, _ = within_reader(Reads.of(flat, hips, ["one"] * len(flat)))
    assert (pooled.sd, pooled.dof) == pytest.approx((sd, 17), abs=5e-4)


def test_kappa_of_the_skin_conditions() -> None:
    plain, linear, quadratic = (cohen(SKIN, kind) for kind in ("plain", "linear", "quadratic"))
    assert (plain.value, plain.se) == pytest.approx((0.344875, 0.072397), abs=1e-6)
    assert plain.interval == pytest.approx((0.20298, 0.48677), abs=1e-5)
    assert (linear.value, linear.se) == pytest.approx((0.508160, 0.065508), abs=1e-6)
    assert linear.interval == pytest.approx((0.379766, 0.636554), abs=1e-6)
    assert quadratic.value == pytest.approx(0.660723, abs=1e-6)


def test_kappa_of_many_readers() -> None:
    assert fleiss(FLEISS).value == pytest.approx(0.20993, abs=5e-6)
    # two readers who differ in nothing but chance: Gwet's coefficient is near the agreement
    lopsided = [[2, 0]] * 97 + [[1, 1]] * 3
    assert fleiss(lopsided).value == pytest.approx(-0.0152, abs=1e-4)
    assert gwet(lopsided).value == pytest.approx(0.969, abs=5e-4)


def test_remission_of_leukaemia() -> None:
    curve = survival(REMISSION.where(np.arange(42) < 21))
    for week, value in ((6, 0.8571), (10, 0.7529), (23, 0.4482)):
        found = at_time(curve, week)
        assert found is not None
        assert found[0] == pytest.approx(value, abs=5e-5)
    last = at_time(curve, 23)
    assert last is not None
    assert last[1] == pytest.approx((0.1881, 0.6801), abs=5e-5)
    assert numbers_at_risk(REMISSION, [0, 10, 20]) == [42, 23, 10]
    test = log_rank(REMISSION, [0] * 21 + [1] * 21)
    assert (test.chi2, test.dof) == pytest.approx((16.792941, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("ties", "beta", "se"), [("efron", 1.572125, 0.412397), ("breslow", 1.509191, 0.409564)]
)
def test_cox_of_leukaemia(ties: str, beta: float, se: float) -> None:
    group = np.repeat([0.0, 1.0], 21)[:, None]
    (found,) = cox(REMISSION, group, ["placebo"], ties=ties).coefficients  # type: ignore[arg-type]
    assert (found.beta, found.se) == pytest.approx((beta, se), abs=1e-6)


# twenty hips of ten patients with a competing event and ties; the values are R's:
# survival 3.5.3 (survdiff, coxph, finegray) and cmprsk 2.2.11 (cuminc)
COMPETING = Times.of(
    [2, 3, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11, 12, 12, 13, 14, 15],
    [1, 2, 1, 0, 1, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 0, 1, 0],
)
LARGE = np.array([3, 1, 2, 2, 4, 3, 1, 3, 2, 2, 1, 4, 1, 2, 3, 1, 2, 1, 2, 1], float)
GROUPS = list("abababbabaababbababa")
PATIENTS = [number // 2 for number in range(20)]


def test_competing_events_as_r_finds_them() -> None:
    first = gray_test(COMPETING, GROUPS)
    assert (first.chi2, first.p) == pytest.approx((0.7945606427, 0.3727246401), rel=1e-8)
    plain = log_rank(COMPETING, GROUPS)
    assert plain.chi2 == pytest.approx(0.357788759, rel=1e-8)
    curve = incidence(COMPETING)
    found = at_time(curve, 8.0)
    assert found is not None
    assert found[0] == pytest.approx(0.3173295455, rel=1e-8)
    (one,) = cox(COMPETING, LARGE[:, None], ["size"], PATIENTS).coefficients
    assert (one.beta, one.se, one.robust_se) == pytest.approx(
        (0.888821171, 0.341211661, 0.231143172), rel=1e-7
    )
    (one,) = fine_gray(COMPETING, LARGE[:, None], ["size"], PATIENTS).coefficients
    assert (one.beta, one.se, one.robust_se) == pytest.approx(
        (0.846326812, 0.31466592, 0.246757235), rel=1e-7
    )
    mean = restricted_mean(COMPETING, 12.0)
    assert (mean.value, mean.se) == pytest.approx((9.2897727273, 0.7887810716), rel=1e-8)


def test_area_of_hanley_and_mcneil() -> None:
    ratings = np.repeat([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], [33, 6, 6, 11, 2, 3, 2, 2, 11, 33])
    abnormal = np.repeat([False, True], [58, 51])
    found = roc(ratings, abnormal)
    assert (found.auc, found.se) == pytest.approx((0.893171, 0.030724), abs=1e-6)
    assert found.interval == pytest.approx((0.83295, 0.95339), abs=1e-5)
    cut = youden_cut(ratings, abnormal)
    assert cut is not None
    assert cut.at_least == 4
    assert (cut.sensitivity, cut.specificity) == pytest.approx((0.8627, 0.7759), abs=5e-5)
    assert 0 <= cut.optimism < 0.1


def test_collapse_by_grade_of_ha() -> None:
    trend = cochran_armitage([0, 6, 16, 7], [5, 9, 16, 7])
    assert trend.p is not None
    assert trend.p < 1e-4
    bounds = [clopper_pearson(*pair) for pair in ((0, 5), (6, 9), (16, 16), (7, 7))]
    assert bounds == [
        pytest.approx((0, 0.5218), abs=5e-5),
        pytest.approx((0.2993, 0.9251), abs=5e-5),
        pytest.approx((0.7941, 1), abs=5e-5),
        pytest.approx((0.5904, 1), abs=5e-5),
    ]


def test_events_between_visits() -> None:
    # with every event between two visits of one calendar the answer is a share
    left, right = [0, 0, 6, 12, 12, 12], [6, 6, 12, math.inf, math.inf, math.inf]
    curve = interval_censored(left, right)
    assert curve.mass.tolist() == pytest.approx([2 / 6, 1 / 6])
    assert curve.bounds_at(6.0) == pytest.approx((4 / 6, 4 / 6))
    assert curve.bounds_at(3.0) == pytest.approx((4 / 6, 1.0))
    exact = interval_censored([1, 2, 3], [1, 2, math.inf])
    assert exact.mass.tolist() == pytest.approx([1 / 3, 1 / 3])


def test_degenerate_cases_are_said_in_words() -> None:
    assert {one.words for one in icc([[1, 1], [2, 2]]).values()} == {
        "all readers identical; interval undefined"
    }
    assert {one.words for one in icc([[1, 1], [1, 1]]).values()} == {"all readings equal"}
    assert "one grade" in cohen([[4, 0], [0, 0]]).words
    assert "one grade" in fleiss([[2, 0], [2, 0]]).words
    assert gwet([[2, 0], [2, 0]]).words == "all hips agree; interval undefined"
    assert roc([1, 2], [1, 1]).words == "every hip has the event"
    assert "parts the hips" in roc([1, 2, 3, 4], [0, 0, 1, 1]).words
    assert youden_cut([1, 2], [0, 0]) is None
    assert log_rank(REMISSION, [1] * 42).words == "a test needs two groups"
    assert gray_test(Times.of([1, 2], [0, 0]), "ab").words == "no events to compare"
    assert cochran_armitage([0, 0], [4, 4]).p is None
    assert "no bound" in cox(Times.of([1, 2, 3, 4], [1, 1, 0, 0]), [[1], [1], [0], [0]], "x").words
    assert bland_altman([1, 2, 3], [2, 3, 4]).words == "all differences equal"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: icc([[1, 2]]),
        lambda: icc([[1.0, math.nan], [1.0, 2.0]]),
        lambda: bland_altman([1, 2], [1, 2]),
        lambda: cohen([[1, 2]]),
        lambda: fleiss([[1, 0]]),
        lambda: Times.of([-1], [0]),
        lambda: Times.of([1, 2], [0]),
        lambda: restricted_mean(REMISSION, 99.0),
        lambda: interval_censored([3], [2]),
        lambda: cox(REMISSION, np.ones((42, 1)), ["flat"]),
        lambda: roc([math.nan], [1]),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    with pytest.raises(CohortError):
        wrong()  # type: ignore[operator]


def test_resampling_patients_draws_both_hips_of_each() -> None:
    random = np.random.default_rng(5)
    hips = random.normal(200, 30, 40)
    table = hips[:, None] + random.normal(0, 6, (40, 2))
    alone = icc_by_patients(table, [str(n) for n in range(40)])["ICC(2,1)"]
    doubled = icc_by_patients(np.repeat(table, 2, 0), [str(n // 2) for n in range(80)])["ICC(2,1)"]
    assert alone is not None
    assert doubled is not None
    assert doubled == pytest.approx(alone, abs=0.01)  # the same hip twice says nothing new
    by_formula = icc(np.repeat(table, 2, 0))["ICC(2,1)"].interval
    assert by_formula is not None
    assert by_formula[1] - by_formula[0] < 0.85 * (doubled[1] - doubled[0])


DATA = Path(__file__).parent / "data"


def table_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_female_rats_of_mantel() -> None:
    """R: ``coxph(Surv(time, status) ~ rx, cluster = litter)`` of survival's rats, sex "f"."""
    rats = table_of("rats_female.csv")
    data = Times.of([float(one["time"]) for one in rats], [int(one["status"]) for one in rats])
    litters = [one["litter"] for one in rats]
    (found,) = cox(data, [[float(one["rx"])] for one in rats], ["rx"], litters).coefficients
    assert (found.beta, found.se) == pytest.approx((0.904735242, 0.317510437), abs=1e-8)
    assert (found.robust_se, found.p) == pytest.approx((0.302516506, 0.00278341426), abs=1e-8)
    test = groups_by_patients(data, [one["rx"] for one in rats], litters, competing=False)
    assert (test.chi2, test.p) == pytest.approx((7.64919785946, 0.005679757083), rel=1e-9)


def test_sleep_study() -> None:
    """R: lme4's ``lmer(Reaction ~ Days + (1 | Subject))``, with slopes, and geepack."""
    pytest.importorskip("statsmodels", reason="slopes need the extra stats")
    sleep = table_of("sleepstudy.csv")
    values = [float(one["Reaction"]) for one in sleep]
    days = [float(one["Days"]) for one in sleep]
    people = [one["Subject"] for one in sleep]
    level = mixed_slope(values, days, people, people)
    assert (level.intercept, level.value) == pytest.approx((251.40510, 10.46729), abs=1e-5)
    assert level.variances["hip"] == pytest.approx(1378.18, rel=1e-4)
    assert level.variances["repeat"] == pytest.approx(960.46, rel=1e-4)
    slopes = mixed_slope(values, days, people, people, with_slopes=True)
    assert slopes.se == pytest.approx(1.54579, abs=1e-4)
    assert [slopes.variances[name] for name in ("hip", "slope", "level x slope", "repeat")] == (
        pytest.approx([612.10, 35.07, 9.604, 654.94], rel=1e-3)
    )
    marginal = estimating_slope(values, days, people)
    assert marginal.se == pytest.approx(1.50224, abs=1e-5)
    assert marginal.correlation == pytest.approx(0.57104, abs=1e-5)
