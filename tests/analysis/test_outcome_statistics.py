"""Tests, intervals and quantiles against published and independent values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from necroangle.analysis.quantities import quartiles
from necroangle.errors import CohortError
from necroangle.statistics.intervals import clopper_pearson
from necroangle.statistics.signed_rank import EXACT_AT_MOST, EXACT_UP_TO, signed_rank

WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
"""First readings of peak flow, Bland and Altman 1986."""

whole_differences = st.lists(st.integers(-6, 6).map(float), min_size=1, max_size=30).filter(any)
untied_differences = st.lists(
    st.integers(-500, 500).filter(bool).map(float), min_size=1, max_size=30, unique_by=abs
)


@pytest.mark.parametrize(("kind", "p"), [("normal_cc", 0.56994), ("normal", 0.55398)])
def test_peak_flow(kind: str, p: float) -> None:
    differences = [first - second for first, second in zip(WRIGHT, MINI, strict=True)]
    found = signed_rank(differences, kind)  # type: ignore[arg-type]
    assert found.p == pytest.approx(p, abs=5e-6)
    assert ("without" in found.method) is (kind == "normal")


@given(untied_differences)
def test_exact_p_without_ties_is_that_of_scipy(differences: list[float]) -> None:
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank(differences, "exact").p == pytest.approx(float(expected), abs=1e-12)


@given(whole_differences.filter(lambda one: len(one) <= 10))
def test_exact_p_with_ties_is_that_of_every_pattern_of_sign(differences: list[float]) -> None:
    kept = [one for one in differences if one]
    ranks = stats.rankdata(np.abs(kept))
    patterns = np.array(np.meshgrid(*[[0, 1]] * len(kept))).reshape(len(kept), -1)
    sums = ranks @ patterns
    seen = min(ranks[np.array(kept) > 0].sum(), ranks[np.array(kept) < 0].sum())
    expected = min(1.0, 2 * np.mean(sums <= seen + 1e-9))
    assert signed_rank(differences, "exact").p == pytest.approx(expected)


@given(whole_differences.filter(lambda one: 2 <= len(one) <= 9))
@settings(max_examples=30)
def test_exact_p_with_ties_and_zeros_is_that_of_scipys_permutations(
    differences: list[float],
) -> None:
    """Up to 13 differences scipy can go through all signs, too; beyond, it draws some of them."""
    every = stats.PermutationMethod(n_resamples=2**14)
    expected = float(stats.wilcoxon(differences, method=every).pvalue)
    assert signed_rank(differences, "exact").p == pytest.approx(expected, abs=1e-12)


@given(whole_differences, st.sampled_from(["wilcox", "pratt"]), st.booleans())
def test_normal_p_is_that_of_scipy(differences: list[float], zeros: str, corrected: bool) -> None:
    found = signed_rank(
        differences,
        "normal_cc" if corrected else "normal",
        "pratt" if zeros == "pratt" else "wilcoxon",
    )
    expected = stats.wilcoxon(
        differences, zero_method=zeros, method="asymptotic", correction=corrected
    ).pvalue
    if abs(found.w_plus - found.w_minus) >= 1:  # nearer, scipy corrects beyond the middle
        assert found.p == pytest.approx(float(expected), abs=1e-9)


@given(whole_differences, st.sampled_from(["exact", "normal", "normal_cc"]))
def test_p_knows_no_direction_and_no_order(differences: list[float], kind: str) -> None:
    p = signed_rank(differences, kind).p  # type: ignore[arg-type]
    turned = signed_rank([-one for one in reversed(differences)], kind).p  # type: ignore[arg-type]
    assert p == pytest.approx(turned)
    assert p is not None
    assert 0 < p <= 1


def test_one_difference_in_decimal_places_is_one_tie() -> None:
    differences = [0.3 - 0.1, 0.5 - 0.3, -1.0, 3.0]
    assert differences[0] != differences[1]
    assert signed_rank(differences, "normal").p == signed_rank([0.2, 0.2, -1.0, 3.0], "normal").p


def test_what_cannot_be_tested_says_so() -> None:
    assert signed_rank([]).method == "no pairs: no test"
    zeros = signed_rank([0.0, 0.0, 0.0])
    assert (zeros.p, zeros.n_pairs, zeros.method) == (None, 3, "all differences are zero: no test")
    assert signed_rank([2.0]).p == 1.0


def test_automatic_choice_is_named() -> None:
    few = signed_rank([float(one) for one in range(1, EXACT_UP_TO + 1)])
    many = signed_rank([float(one) for one in range(1, EXACT_UP_TO + 2)])
    assert "exact" in few.method
    assert "normal approximation with continuity correction" in many.method


def test_the_exact_distribution_has_its_bound_and_says_so() -> None:
    differences = [float(one) for one in range(1, EXACT_AT_MOST + 2)]
    found = signed_rank(differences, "exact")
    assert (found.p, found.method) == (
        None,
        "exact only up to 100 differences, found 101: no test",
    )
    assert signed_rank(differences[1:], "exact").p == pytest.approx(2 / 2**100)


@pytest.mark.parametrize(
    ("events", "total", "low", "high"),
    [(6, 9, 29.9, 92.5), (25, 25, 86.3, 100.0), (0, 4, 0.0, 60.2), (2, 14, 1.8, 42.8)],
)
def test_exact_intervals(events: int, total: int, low: float, high: float) -> None:
    bounds = clopper_pearson(events, total)
    assert bounds is not None
    assert [round(100 * bound, 1) for bound in bounds] == [low, high]


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_exact_interval_is_that_of_scipy_and_its_own_mirror(pair: tuple[int, int]) -> None:
    events, total = pair
    expected = stats.binomtest(events, total).proportion_ci(method="exact")
    mirrored = clopper_pearson(total - events, total)
    assert mirrored is not None
    assert clopper_pearson(events, total) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


def test_a_share_of_nothing_is_none() -> None:
    assert clopper_pearson(0, 0) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_quartiles_are_those_of_their_definition(values: list[float]) -> None:
    """Hyndman and Fan: the place (n - 1) p + 1, or (n + 1) p kept within 1 and n."""
    ordered = sorted(values)
    for kind in (7, 6):
        found = quartiles(values, kind)
        assert found is not None
        for share, value in ((0.25, found.low), (0.5, found.median), (0.75, found.high)):
            count = len(ordered)
            place = (count - 1) * share if kind == 7 else (count + 1) * share - 1
            place = min(max(place, 0.0), count - 1.0)
            below = int(place)
            above = min(below + 1, count - 1)
            expected = ordered[below] + (place - below) * (ordered[above] - ordered[below])
            assert value == pytest.approx(expected, abs=1e-6)


def test_a_quantile_of_another_type_is_refused_and_of_nothing_is_none() -> None:
    with pytest.raises(CohortError, match="type 6 or 7, found 5"):
        quartiles([1.0], 5)
    assert quartiles([None]) is None
