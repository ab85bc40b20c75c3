"""The head of an earlier visit on today's slice: few pairs of known motion, and what is refused."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from visitpairs import VisitPair, made_pair

from necroangle.geometry import Circle, ImagePlane, PlanePoints
from necroangle.imaging import HeadMotion, Unregistered, register_heads
from necroangle.imaging.registration import HeadPicture
from necroangle.terms import Laterality, View, Weighting


@cache
def pair(seed: int, view: View, *, thigh_alone: bool = False) -> VisitPair:
    return made_pair(seed, view, thigh_alone=thigh_alone)


def motion(prior: HeadPicture, today: HeadPicture) -> HeadMotion:
    found = register_heads(prior, today)
    assert isinstance(found, HeadMotion), found
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("view", [View.CORONAL, View.SAGITTAL])
def test_the_ghost_lies_where_the_head_is(seed: int, view: View) -> None:
    made = pair(seed, view)
    found = motion(made.prior, made.today)
    turn, place = made.turn_error_deg(found), made.place_error_mm(found)
    assert abs(turn) < 1.0
    assert abs(turn) < 3 * found.rotation_se_deg
    assert np.hypot(*place) < 1.0
    assert np.all(np.abs(place) < 4 * np.array(found.shift_se_mm))
    assert 0.05 < found.rotation_se_deg < 1.0
    assert found.ghost.radius_mm == made.prior.circle.radius_mm
    centre = found.to_today(PlanePoints(np.array([made.prior.circle.centre_mm])))[0]
    assert centre == pytest.approx(found.ghost.centre_mm)


def test_a_thigh_that_turned_alone_is_followed_by_the_head_not_by_the_pelvis() -> None:
    made = pair(4, View.CORONAL, thigh_alone=True)
    assert abs(made.turn_deg) > 3
    found = motion(made.prior, made.today)
    assert abs(made.turn_error_deg(found)) < 1.0


def test_a_round_head_that_does_not_tell_how_far_the_thigh_turned_is_refused() -> None:
    made = pair(4, View.SAGITTAL, thigh_alone=True)
    assert register_heads(made.prior, made.today) is Unregistered.TURN_UNKNOWN


def test_slices_further_apart_leave_the_turn_less_sure() -> None:
    made = pair(1, View.CORONAL)
    prior = replace(made.prior, offset_mm=0.0)
    same, next_ = (
        motion(prior, changed(offset_mm=offset)).rotation_se_deg for offset in (0.0, 3.0)
    )
    unknown = motion(prior, changed(offset_mm=None)).rotation_se_deg
    assert same < unknown < next_


@pytest.mark.parametrize("seed", [2037, 2040, 2042])
def test_slices_that_are_nearly_the_same_do_not_make_the_turn_surer_than_it_is(seed: int) -> None:
    """The residuals alone say less than half of these errors."""
    near = pair(seed, View.CORONAL)
    found = motion(near.prior, near.today)
    assert abs(near.turn_error_deg(found)) < 1.96 * found.rotation_se_deg
    assert found.rotation_se_deg < 0.2


def test_gain_and_offset_of_the_grey_values_do_not_matter() -> None:
    made = pair(1, View.CORONAL)
    bright = replace(made.today.picture, pixels=made.today.picture.pixels * 7.3)
    first = motion(made.prior, made.today)
    second = motion(made.prior, replace(made.today, picture=bright))
    assert second.rotation_deg == pytest.approx(first.rotation_deg, abs=1e-6)
    assert second.shift_mm == pytest.approx(first.shift_mm, abs=1e-6)


def changed(**to: object) -> HeadPicture:
    return replace(pair(1, View.CORONAL).today, **to)  # type: ignore[arg-type]


def tilted() -> HeadPicture:
    one = pair(1, View.CORONAL).today
    plane = ImagePlane.from_dicom((0, 0, 0), (0, 1, 0, 0, 0, -1), (0.7, 0.7))
    return replace(one, picture=replace(one.picture, plane=plane))


def test_what_does_not_fit_is_refused_with_its_reason() -> None:
    made = pair(1, View.CORONAL)
    size = made.today.picture.shape
    noise = np.random.default_rng(0).normal(100.0, 20.0, size)
    other = Laterality.LEFT if made.prior.laterality is Laterality.RIGHT else Laterality.RIGHT
    centre, radius = made.today.circle.centre_mm, made.today.circle.radius_mm
    offset = (made.prior.offset_mm or 0.0) + 3.2
    for today, reason in (
        (changed(laterality=other), Unregistered.OTHER_SIDE),
        (changed(weighting=Weighting.STIR), Unregistered.OTHER_WEIGHTING),
        (tilted(), Unregistered.OTHER_PLANE),
        (changed(offset_mm=offset), Unregistered.OTHER_SLICE),
        (changed(circle=Circle(centre, radius + 4.0)), Unregistered.OTHER_SIZE),
        (changed(picture=replace(made.today.picture, pixels=noise)), Unregistered.POOR_MATCH),
        (
            changed(picture=replace(made.today.picture, pixels=np.zeros(size))),
            Unregistered.POOR_MATCH,
        ),
    ):
        assert register_heads(made.prior, today) is reason
        assert reason.meaning


def test_a_head_that_is_dead_nearly_all_over_is_refused() -> None:
    made = pair(1, View.CORONAL)
    (arc,) = made.today.arcs
    wide = replace(arc, start_deg=0.0, extent_deg=300.0)
    assert register_heads(made.prior, replace(made.today, arcs=(wide,))) is Unregistered.LITTLE_LEFT


def test_an_unknown_weighting_or_place_is_not_held_against_a_pair() -> None:
    made = pair(1, View.CORONAL)
    today = changed(weighting=Weighting.UNKNOWN, offset_mm=None)
    assert isinstance(register_heads(made.prior, today), HeadMotion)
