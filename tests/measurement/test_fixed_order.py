"""What makes one and many agree: sums in a fixed order, one rounding, one circle for one rim."""

import math
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from randomhips import random_readings

from necroangle.errors import NecroangleError
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.geometry.circle import directions_deg, fit_circles
from necroangle.geometry.point_sets import PointSets, ordered_sum
from necroangle.measurement import METHODS, measure, measure_many, stored_deg
from necroangle.measurement.grades import stored
from necroangle.measurement.misplaced import misplaced_in_sets, misplaced_marks

numbers = st.floats(-400.0, 400.0)


@pytest.mark.parametrize("marks", [1, 2, 3, 7, 8, 9, 13, 40, 129, 700])
@pytest.mark.parametrize("rims", [1, 2, 3, 8, 17, 300])
def test_a_sum_does_not_depend_on_the_number_of_rims(marks: int, rims: int) -> None:
    chance = np.random.default_rng(marks * rims)
    terms = chance.normal(size=(marks, rims)) * 10.0 ** chance.integers(-6, 6, (marks, rims))
    # Python's own sum of floats carries what was rounded away since 3.12
    one_by_one = [reduce(add, column, 0.0) for column in terms.T.tolist()]
    assert ordered_sum(terms).tolist() == one_by_one
    assert ordered_sum(np.asfortranarray(terms)).tolist() == one_by_one


@given(st.lists(numbers | st.integers(-400_000_000, 400_000_000).map(lambda n: (n + 0.5) / 1e6)))
def test_angles_are_rounded_as_python_rounds(angles: list[float]) -> None:
    assert stored(np.array(angles, float)).tolist() == list(map(stored_deg, angles))


@given(st.lists(st.tuples(numbers, numbers), min_size=1))
def test_directions_are_those_of_one_offset(offsets: list[tuple[float, float]]) -> None:
    found = directions_deg(np.array(offsets, float).T)
    assert found.tolist() == [math.degrees(math.atan2(v, u)) for u, v in offsets]


def rims_of(seed: int, count: int) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Rims of 6 to 140 marks, some of them wrong."""
    chance = np.random.default_rng(seed)
    rims = []
    for _ in range(count):
        marks = int(chance.integers(6, 25) if chance.random() < 0.7 else chance.integers(25, 141))
        turn = np.radians(np.linspace(0, chance.uniform(100, 340), marks))
        radius = 24.0 + chance.normal(0, 0.5, marks) + 4.0 * (chance.random(marks) < 0.08)
        rims.append(np.column_stack((radius * np.cos(turn), radius * np.sin(turn))))
    return rims


def sets_of(rims: list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]) -> PointSets:
    longest = max(map(len, rims))
    points, chosen = np.zeros((2, longest, len(rims))), np.zeros((longest, len(rims)), bool)
    for place, rim in enumerate(rims):
        points[:, : len(rim), place], chosen[: len(rim), place] = rim.T, True
    return PointSets.chosen(points, chosen)


def test_a_rim_has_one_circle_alone_and_among_others() -> None:
    rims = rims_of(1, 200)
    found = fit_circles(sets_of(rims))
    for place, rim in enumerate(rims):
        fit = fit_circle(PlanePoints(rim))
        u, v = found.centre_mm[:, place].tolist()
        assert fit.circle.centre_mm == (u, v)
        assert fit.circle.radius_mm == found.radius_mm[place]
        assert (fit.rss_mm2, fit.span_deg) == (found.rss_mm2[place], found.span_deg[place])
        flat = [fit.unit_covariance[i][j] for i in range(3) for j in range(i, 3)]
        assert flat == [part[place] for part in found.covariance]


def test_the_same_marks_are_misplaced_alone_and_among_others() -> None:
    rims = rims_of(2, 300)
    found = misplaced_in_sets(sets_of(rims))
    assert len(found) > 30
    for place, rim in enumerate(rims):
        alone = [(one.index, one.distance_mm) for one in misplaced_marks(PlanePoints(rim))]
        assert alone == list(found.get(place, ()))


@pytest.mark.parametrize("size", [1, 7, 5000])
def test_the_mathematics_of_arrays_do_not_depend_on_their_length(size: int) -> None:
    chance = np.random.default_rng(size)
    x, y = chance.normal(0, 9, (2, size))
    share = np.abs(x) / (np.abs(x) + 1)
    for together, alone in (
        (np.arctan2(x, y), [float(np.arctan2(x[k : k + 1], y[k : k + 1])[0]) for k in range(size)]),
        (np.hypot(x, y), [float(np.hypot(x[k : k + 1], y[k : k + 1])[0]) for k in range(size)]),
        (np.arccos(share), [float(np.arccos(share[k : k + 1])[0]) for k in range(size)]),
    ):
        assert together.tolist() == alone


@pytest.mark.parametrize("name", [None, *METHODS])
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 9))
@example(seed=3627, count=2)  # both views of the second are not read
def test_a_hip_is_measured_alike_alone_and_among_others(
    name: str | None, seed: int, count: int
) -> None:
    method = METHODS[name] if name else None
    readings = random_readings(count, seed)
    together = measure_many(readings, method)
    for place, reading in enumerate(readings):
        refused = together.refused.get(place)
        if refused is None:
            assert repr(together[place]) == repr(measure(reading, method))
        else:
            with pytest.raises(NecroangleError) as error:
                measure(reading, method)
            assert repr(error.value) == repr(refused.error())
