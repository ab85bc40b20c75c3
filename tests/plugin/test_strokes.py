"""A drawn rim is marked only where the mouse was, however few of its positions arrived."""

import numpy as np
import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Role
from napari_necroangle.reading.edits import ENOUGH_POSITIONS, marks_along

from necroangle.geometry import PlanePoints, fit_circle
from necroangle.terms import View

A = View.CORONAL
CENTRE = (48.0, 25.0)
RADIUS_MM = 20.0


def sampled(count: int, span_deg: float, *, uneven: float = 0.0) -> list[tuple[float, float]]:
    """So many positions of a hand that follows a circle."""
    turns = np.linspace(100.0, 100.0 + span_deg, count)
    turns[1:-1] += (
        uneven * span_deg / count * np.random.default_rng(count).uniform(-1, 1, count - 2)
    )
    u = CENTRE[0] + RADIUS_MM * np.cos(np.radians(turns))
    v = CENTRE[1] + RADIUS_MM * np.sin(np.radians(turns))
    return list(zip(u.tolist(), v.tolist(), strict=True))


@pytest.mark.parametrize("count", range(4, 31))
@pytest.mark.parametrize("span_deg", [150.0, 200.0, 250.0])
def test_the_circle_is_that_of_the_positions(count: int, span_deg: float) -> None:
    path = sampled(count, span_deg, uneven=0.4)
    marks = marks_along(path, Role.RIM)
    assert set(marks) <= set(path)
    assert (marks[0], marks[-1]) == (path[0], path[-1])
    assert len(marks) == len(set(marks))
    drawn, own = (fit_circle(PlanePoints(np.array(one))).circle for one in (marks, path))
    assert drawn.radius_mm == pytest.approx(own.radius_mm, abs=0.05)
    assert drawn.centre_mm == pytest.approx(own.centre_mm, abs=0.05)


@pytest.mark.parametrize("role", [Role.RIM, Role.START, Role.CONTOUR])
def test_two_positions_mark_nothing(role: Role) -> None:
    assert marks_along([(0.0, 0.0), (40.0, 0.0)], role) == ()


def test_an_arc_lies_on_three_positions() -> None:
    path = sampled(7, 90.0)
    assert marks_along(path, Role.START) == (path[0], path[3], path[6])


def test_an_outline_keeps_its_positions() -> None:
    path = sampled(40, 350.0)
    marks = marks_along(path, Role.CONTOUR)
    assert set(marks) <= set(path)
    assert len(marks) > 20


@pytest.mark.parametrize("count", [4, ENOUGH_POSITIONS, 12])
def test_a_thin_stroke_is_spoken_of(case: Case, count: int) -> None:
    case.aim_at(A, Role.RIM)
    case.draw(A, 2, marks_along(sampled(count, 200.0), Role.RIM))
    case.end_stroke(A)
    assert ("caught at" in case.notice) == (count < ENOUGH_POSITIONS)


def test_nothing_is_marked_outside_of_the_picture(case: Case) -> None:
    case.aim_at(A, Role.RIM)
    assert case.click(A, 2, (-5.0, 20.0)) is None
    assert "outside" in case.notice
    case.draw(A, 2, [(-5.0, 20.0), *sampled(8, 200.0)])
    case.end_stroke(A)
    rim = case.session.draft.view(A).rim
    assert len(rim) == 8
    handle, _ = case.session.draft.view(A).marks[0]
    before = case.session.draft
    case.drag(A, handle, (500.0, 20.0))
    assert case.session.draft == before
