"""The search for misplaced marks, cut short where it can be, and bounded on long rims."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.geometry import PlanePoints
from necroangle.measurement import misplaced
from necroangle.measurement.misplaced import MISPLACED_MM, misplaced_marks

Points = NDArray[np.float64]

kinds = st.sampled_from(["clean", "one off", "some off", "ends off", "grid", "line", "far away"])


def rims_of(kind: str, seed: int, marks: int, count: int) -> Points:
    """(2, N, K) rims of one kind."""
    chance = np.random.default_rng(seed)
    turn = np.sort(chance.uniform(0, np.radians(chance.uniform(30, 350)), (marks, count)), axis=0)
    radius = chance.uniform(5, 40) + chance.normal(0, chance.choice([0, 0.1, 0.4, 1]), turn.shape)
    points = np.array((radius * np.cos(turn), radius * np.sin(turn)))
    if kind == "one off":
        points[:, chance.integers(marks)] += chance.normal(0, 5, (2, count))
    elif kind == "some off":
        some = chance.choice(marks, marks // 3, replace=False)
        points[:, some] += chance.normal(0, 3, (2, len(some), count))
    elif kind == "ends off":
        points[:, -2:] *= chance.uniform(0.7, 1.4)
    elif kind == "grid":  # ties, marks in one place, marks on a line
        points = np.round(points / 4) * 4
    elif kind == "line":
        points[1] *= chance.choice([0, 1e-9, 1e-3])
    elif kind == "far away":
        points += chance.normal(0, 3e4, (2, 1, count))
    return points


def searched_in_full(points: Points) -> list[int]:
    """The suspects of one rim of (2, N) marks, every circle looked at."""
    best, far = np.inf, np.zeros(points.shape[1])
    for three in combinations(range(points.shape[1]), 3):
        (u, *us), (v, *vs) = points[:, three].tolist()
        (a, c), (b, d) = ((one - u for one in us), (one - v for one in vs))
        area = 2 * (a * d - b * c)
        if abs(area) <= 1e-9:
            continue
        square, other = a * a + b * b, c * c + d * d
        along, down = (d * square - b * other) / area, (a * other - c * square) / area
        radius = np.sqrt(along * along + down * down)
        du, dv = points[0] - (u + along), points[1] - (v + down)
        gaps = np.abs(np.sqrt(du * du + dv * dv) - radius)
        if (median := np.median(gaps)) < best:
            best, far = float(median), gaps
    worst = np.argsort(-far, kind="stable")[: len(far) // 4].tolist()
    return [mark for mark in worst if far[mark] > MISPLACED_MM]


def suspects(points: Points) -> dict[int, list[int]]:
    return dict(misplaced._suspects(points))


@settings(deadline=None, max_examples=150)
@given(kinds, st.integers(0, 1 << 30), st.integers(6, 14), st.integers(1, 6))
def test_the_suspects_are_those_of_the_full_search(
    kind: str, seed: int, marks: int, count: int
) -> None:
    points = rims_of(kind, seed, marks, count)
    found = suspects(points)
    wanted = [searched_in_full(points[:, :, rim]) for rim in range(count)]
    assert [found.get(rim, []) for rim in range(count)] == wanted


def test_the_search_is_cut_short_for_most_careful_rims(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    gaps_of = misplaced._gaps

    def spy(*arguments: object) -> Points:
        gaps = gaps_of(*arguments)  # type: ignore[arg-type]
        looked_at.append(len(gaps))
        return gaps

    monkeypatch.setattr(misplaced, "_gaps", spy)
    chance = np.random.default_rng(2)
    turn = np.radians(np.linspace(0, 220, 12))[:, None]
    radius = 24 + chance.normal(0, 0.3, (12, 200))
    suspects(np.array((radius * np.cos(turn), radius * np.sin(turn))))
    assert sum(looked_at) < 0.1 * 220 * 200, "of 220 circles a rim"


def test_a_mark_just_within_and_just_beyond_the_limit() -> None:
    turn = np.radians(np.arange(0.0, 240.0, 30.0))
    rims = []
    for off in (MISPLACED_MM - 1e-9, MISPLACED_MM + 1e-9):
        radius = 24.0 + np.where(np.arange(len(turn)) == 3, off, 0.0)
        rims.append((radius * np.cos(turn), radius * np.sin(turn)))
    assert suspects(np.array(rims).transpose(1, 2, 0)) == {1: [3]}


def test_marks_on_a_line_have_no_least_median_circle() -> None:
    line = np.array([np.arange(8.0), np.arange(8.0)])[:, :, None]
    assert suspects(line) == {}


def test_nine_marks_in_one_place_leave_no_wide_circle() -> None:
    rim = np.array([[0.0, 20.0, 3.0, *[10.0] * 9], [0.0, 1.0, 14.0, *[-9.0] * 9]])
    wanted = searched_in_full(rim)
    assert wanted
    assert suspects(rim[:, :, None]) == {0: wanted}


def long_rim(seed: int, marks: int, span_deg: float, noise_mm: float) -> Points:
    """(N, 2) marks in the order of the rim."""
    chance = np.random.default_rng(seed)
    turn = np.radians(np.linspace(0, span_deg, marks))
    radius = 24.0 + chance.normal(0, noise_mm, marks)
    return np.column_stack((radius * np.cos(turn), radius * np.sin(turn)))


def named(rim: Points) -> list[int]:
    return [one.index for one in misplaced_marks(PlanePoints(rim))]


@pytest.mark.parametrize("marks", [25, 40, 100, 360])
def test_a_long_faultless_rim_names_no_mark_but_by_rare_chance(marks: int) -> None:
    """As rarely as a short one: 1 % by the rule, 0 to 2 % seen."""
    tried = 200
    alarms = sum(bool(named(long_rim(seed, marks, 220, 0.5))) for seed in range(tried))
    assert alarms <= 0.03 * tried


def test_an_oval_or_wavy_long_rim_names_no_mark() -> None:
    alarms = 0
    for seed in range(60):
        rim = long_rim(seed, 100, 220, 0.3)
        alarms += bool(named(rim * (1.025, 0.975)))
        waves = np.cumsum(np.random.default_rng(seed).normal(0, 0.2, 100))
        waves -= np.linspace(waves[0], waves[-1], 100)
        alarms += bool(named(rim * (1 + np.clip(waves, -0.7, 0.7) / 24.0)[:, None]))
    assert alarms <= 3


@pytest.mark.parametrize("marks", [25, 40, 96, 97, 360, 2000])
def test_a_mark_far_off_a_long_rim_is_named(marks: int) -> None:
    found = 0
    for seed in range(20):
        rim = long_rim(seed, marks, 220, 0.4)
        wrong = int(np.random.default_rng(seed).integers(marks))
        rim[wrong] *= 1 + (5.0 if seed % 2 else -5.0) / 24.0
        found += wrong in named(rim)
    assert found >= 19


@pytest.mark.parametrize("marks", [30, 150])
def test_the_order_of_the_clicks_does_not_matter_on_a_long_rim(marks: int) -> None:
    for seed in range(20):
        rim = long_rim(seed, marks, 250, 0.5)
        rim[[3, 11]] *= 1 + 4.0 / 24.0
        order = np.random.default_rng(seed).permutation(marks)
        assert sorted(order[named(rim[order])].tolist()) == named(rim)


def test_never_more_than_a_quarter_of_a_long_rim_is_named() -> None:
    for seed in range(20):
        rim = long_rim(seed, 60, 300, 0.3)
        rim[20:45] *= 1.3
        assert len(named(rim)) <= 15


def test_a_long_rim_on_a_line_or_in_one_place_names_nothing() -> None:
    line = np.column_stack((np.arange(150.0), np.arange(150.0)))
    assert named(line) == []
    assert named(np.ones((150, 2))) == []


def test_two_thousand_marks_take_little_memory() -> None:
    import tracemalloc

    rim = long_rim(1, 2000, 220, 0.5)
    named(rim)
    tracemalloc.start()
    named(rim)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100e6
