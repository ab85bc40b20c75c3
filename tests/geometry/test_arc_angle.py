"""Directed arcs: the laws of an angle that never folds."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from necroangle.errors import ArcError
from necroangle.geometry import Arc, PlanePoints, arc_through, span_deg, union_deg

R = 24.0
angles = st.floats(1, 359)
turns = st.floats(0, 360)
shares = st.floats(0.02, 0.98)


def on_circle(*directions_deg: float, radius: float = R) -> PlanePoints:
    turn = np.radians(directions_deg)
    return PlanePoints(radius * np.column_stack((np.cos(turn), np.sin(turn))))


@given(turns, angles, shares)
def test_the_angle_is_the_one_marked_up_to_360(first: float, angle: float, share: float) -> None:
    arc = arc_through((0, 0), R, on_circle(first, first + angle, first + share * angle))
    assert arc.angle_deg == pytest.approx(angle, abs=1e-9)


@given(turns, angles, shares, shares)
def test_an_arc_and_its_complement_make_360(
    first: float, angle: float, share: float, other: float
) -> None:
    inside = first + share * angle
    outside = first + angle + other * (360 - angle)
    arc = arc_through((0, 0), R, on_circle(first, first + angle, inside))
    rest = arc_through((0, 0), R, on_circle(first, first + angle, outside))
    assert arc.angle_deg + rest.angle_deg == pytest.approx(360, abs=1e-9)


@given(turns, angles, shares)
def test_swapping_start_and_end_keeps_the_angle(first: float, angle: float, share: float) -> None:
    start, end, via = first, first + angle, first + share * angle
    there = arc_through((0, 0), R, on_circle(start, end, via))
    back = arc_through((0, 0), R, on_circle(end, start, via))
    assert there.angle_deg == pytest.approx(back.angle_deg, abs=1e-9)
    low, high = there.interval_deg()
    assert high - low == pytest.approx(angle, abs=1e-9)


@given(turns, angles, shares, st.floats(0.5, 2), st.floats(0.5, 2))
def test_an_end_off_the_circle_is_projected_and_its_gap_kept(
    first: float, angle: float, share: float, near: float, far: float
) -> None:
    points = on_circle(first, first + angle, first + share * angle)
    points[0] *= near
    points[1] *= far
    arc = arc_through((0, 0), R, points)
    assert arc.angle_deg == pytest.approx(angle, abs=1e-9)
    assert arc.start_gap_mm == pytest.approx(R * (near - 1), abs=1e-9)
    assert arc.end_gap_mm == pytest.approx(R * (far - 1), abs=1e-9)


@pytest.mark.parametrize(
    ("directions", "words"),
    [
        ((10, 10, 90), "start and end"),
        ((10, 90, 10), "start and middle point"),
        ((10, 90, 90), "middle point and end"),
    ],
)
def test_marks_in_one_direction_are_refused(
    directions: tuple[float, float, float], words: str
) -> None:
    with pytest.raises(ArcError, match=words):
        arc_through((0, 0), R, on_circle(*directions))


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize(("place", "label"), [(0, "start"), (1, "end"), (2, "middle point")])
def test_a_mark_that_is_no_number_is_refused_as_such(wrong: float, place: int, label: str) -> None:
    marks = np.array([[24.0, 0.0], [0.0, 24.0], [17.0, 17.0]])
    marks[place, 1] = wrong
    with pytest.raises(ArcError, match=f"the arc's {label} is not a finite number"):
        arc_through((0.0, 0.0), 24.0, PlanePoints(marks))


def test_a_mark_on_the_centre_is_refused() -> None:
    points = on_circle(0, 90, 45)
    points[1] = 0
    with pytest.raises(ArcError, match="end lies on the head's centre"):
        arc_through((0, 0), R, points)


arcs = st.builds(Arc, turns, st.floats(-359, 359), st.just(0.0), st.just(0.0))


@given(st.lists(arcs, min_size=1, max_size=5))
def test_union_is_the_measure_of_the_covered_directions(several: list[Arc]) -> None:
    steps = 7200
    directions = (np.arange(steps) + 0.5) * (360 / steps)
    covered = np.zeros(steps, bool)
    for arc in several:
        low, high = arc.interval_deg()
        covered |= (directions - low) % 360 <= high - low
    assert union_deg(several) == pytest.approx(360 * float(covered.mean()), abs=0.06 * len(several))


@given(st.lists(arcs, min_size=1, max_size=5))
def test_union_is_never_above_span_nor_span_above_360(several: list[Arc]) -> None:
    assert max(arc.angle_deg for arc in several) <= union_deg(several) + 1e-9
    assert union_deg(several) <= span_deg(several) + 1e-9
    assert span_deg(several) <= 360


@given(arcs)
def test_one_arc_is_its_own_union_and_span(arc: Arc) -> None:
    assume(arc.angle_deg > 0)
    assert union_deg([arc]) == pytest.approx(arc.angle_deg, abs=1e-9)
    assert span_deg([arc]) == pytest.approx(arc.angle_deg, abs=1e-9)


def test_the_generic_angle_tool_would_have_folded() -> None:
    arc = arc_through((0, 0), R, on_circle(0, 215, 100))
    start, end = on_circle(0, 215)
    folded = math.degrees(math.acos(float(start @ end) / R**2))
    assert (round(arc.angle_deg), round(folded)) == (215, 145)
