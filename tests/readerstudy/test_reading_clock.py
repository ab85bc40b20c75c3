"""Reading time: pauses left out, never negative, taken up where it was."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from necroangle.readerstudy import ReadingClock


@given(st.lists(st.floats(0, 1000), max_size=30), st.floats(1, 100))
def test_it_is_the_sum_of_the_gaps_that_are_no_pause(moments: list[float], limit: float) -> None:
    moments.sort()
    clock = ReadingClock(limit, now=iter(moments).__next__)
    for _ in moments:
        clock.act()
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert abs(clock.seconds - sum(gap for gap in gaps if gap <= limit)) < 1e-6


def test_a_clock_that_jumps_back_takes_nothing_away() -> None:
    clock = ReadingClock(60, start_s=5, now=iter([100.0, 40.0, 50.0]).__next__)
    for _ in range(3):
        clock.act()
    assert clock.seconds == 15


def test_away_from_the_case_nothing_counts() -> None:
    clock = ReadingClock(60, now=iter([0.0, 10.0, 30.0, 35.0]).__next__)
    clock.act()
    clock.act()
    clock.stop()
    clock.act()
    clock.act()
    assert clock.seconds == 15
