"""The categories fall where their sources say, on the stored angle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.measurement import ha_grade, ha_risk, kerboul_bin, show_deg, stored_deg

BELOW_200 = 199.9999999


@pytest.mark.parametrize(
    ("cna", "grade", "risk", "kerboul"),
    [
        (0.0, 1, "low", "small"),
        (160.0, 1, "low", "small"),
        (160.000001, 1, "low", "medium"),
        (190.0, 1, "low", "medium"),
        (190.000001, 1, "moderate", "medium"),
        (99.6 + 99.6, 1, "moderate", "medium"),
        (199.999999, 1, "moderate", "medium"),
        (stored_deg(BELOW_200), 2, "moderate", "large"),
        (200.0, 2, "moderate", "large"),
        (239.999999, 2, "moderate", "large"),
        (240.0, 2, "high", "large"),
        (249.999999, 2, "high", "large"),
        (250.0, 3, "high", "large"),
        (300.0, 4, "high", "large"),
        (720.0, 4, "high", "large"),
    ],
)
def test_boundaries(cna: float, grade: int, risk: str, kerboul: str) -> None:
    assert (ha_grade(cna), ha_risk(cna), kerboul_bin(cna)) == (grade, risk, kerboul)


@given(st.floats(0, 720))
def test_a_stored_angle_is_stored_as_itself(angle: float) -> None:
    assert stored_deg(stored_deg(angle)) == stored_deg(angle)
    assert float(repr(stored_deg(angle))) == stored_deg(angle)


@pytest.mark.parametrize(
    ("angle", "shown"),
    [(0.05, "0.1°"), (0.25, "0.3°"), (199.95, "200.0°"), (0.0, "0.0°"), (None, "–")],
)
def test_shown_half_up_to_a_tenth(angle: float | None, shown: str) -> None:
    assert show_deg(angle) == shown
