"""The head circle of a view: collapse, misplaced marks, a radius known beforehand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from viewmeasure import fit_head

from necroangle.errors import MethodError, RimError
from necroangle.geometry import PlanePoints, WeightedRadius, fit_circle
from necroangle.measurement import RadiusPrior, Settings
from necroangle.measurement.misplaced import misplaced_marks

R = 24.0
Points = NDArray[np.float64]


def on_circle(directions_deg: Points | list[float], radius: float = R) -> Points:
    turn = np.radians(np.asarray(directions_deg, float))
    return np.asarray(radius * np.column_stack((np.cos(turn), np.sin(turn))))


def collapsed_rim(depth_mm: float, noise_mm: float = 0.0, seed: int = 0) -> PlanePoints:
    """16 marks over 220 degrees about the top; the dome from -60 to +60 pressed in smoothly."""
    directions = np.linspace(-110, 110, 16)
    points = on_circle(directions)
    sunk = depth_mm * np.cos(np.radians(np.clip(directions * 1.5, -90, 90)))
    points[:, 0] -= sunk
    return PlanePoints(points + np.random.default_rng(seed).normal(0, noise_mm, points.shape))


def dome_arc(noise_mm: float = 0.0, seed: int = 0) -> PlanePoints:
    points = on_circle([-60, 60, 0])
    return PlanePoints(points + np.random.default_rng(seed + 10**6).normal(0, noise_mm, (3, 2)))


@pytest.mark.parametrize("depth", [1.0, 2.0, 4.0])
def test_a_collapsed_dome_does_not_move_the_circle(depth: float) -> None:
    head = fit_head(collapsed_rim(depth), (dome_arc(),), collapsed=True)
    assert head.circle.centre_mm == pytest.approx((0, 0), abs=1e-6)
    assert head.arcs[0].angle_deg == pytest.approx(120, abs=1e-5)
    assert head.left_out == tuple(range(4, 12))
    believed = fit_head(collapsed_rim(depth), (dome_arc(),))
    assert believed.arcs[0].angle_deg < 120 - 1.5 * depth


def test_the_bias_of_a_2_mm_collapse_is_below_a_fifth_of_a_degree() -> None:
    found = [
        fit_head(collapsed_rim(2.0, 0.5, seed), (dome_arc(0.5, seed),), collapsed=True)
        for seed in range(1200)
    ]
    angles = [head.arcs[0].angle_deg for head in found]
    standard_error = np.std(angles) / np.sqrt(len(angles))
    assert standard_error < 0.1
    assert np.mean(angles) == pytest.approx(120, abs=0.2)


def test_collapse_with_too_little_rim_left_is_refused() -> None:
    rim = PlanePoints(on_circle(np.linspace(-55, 55, 9)))
    arc = PlanePoints(on_circle([-25, 20, 0]))
    assert fit_head(rim, (arc,), collapsed=True).span_deg == pytest.approx(110)
    with pytest.raises(RimError, match="span only"):
        fit_head(PlanePoints(on_circle(np.linspace(-20, 20, 9))), (arc,), collapsed=True)


@given(st.integers(0, 11), st.floats(2.5, 6), st.booleans(), st.integers(0, 10**6))
def test_a_misplaced_mark_is_named_with_its_distance(
    index: int, distance: float, inside: bool, seed: int
) -> None:
    points = on_circle(np.linspace(0, 240, 12))
    points += np.random.default_rng(seed).normal(0, 0.1, points.shape)
    offset = -distance if inside else distance
    points[index] *= 1 + offset / R
    named = misplaced_marks(PlanePoints(points))
    assert [one.index for one in named] == [index]
    assert named[0].distance_mm == pytest.approx(offset, abs=1.2)


def test_two_misplaced_marks_are_both_named() -> None:
    points = on_circle(np.linspace(0, 240, 14))
    points += np.random.default_rng(3).normal(0, 0.2, points.shape)
    points[3] *= 1 + 4 / R
    points[9] *= 1 - 5 / R
    assert [one.index for one in misplaced_marks(PlanePoints(points))] == [3, 9]


def test_a_faultless_rim_names_no_mark_but_by_rare_chance() -> None:
    random = np.random.default_rng(5)
    rims = [on_circle(np.linspace(0, 220, 12)) + random.normal(0, 0.5, (12, 2)) for _ in range(800)]
    alarms = sum(bool(misplaced_marks(PlanePoints(rim))) for rim in rims)
    assert alarms <= 0.015 * len(rims)


def test_a_misplaced_mark_is_named_and_not_removed() -> None:
    points = on_circle(np.linspace(0, 240, 12))
    points[5] *= 1 + 4 / R
    head = fit_head(PlanePoints(points), ())
    assert head.count == 12
    assert [one.index for one in head.misplaced] == [5]
    fitted = fit_circle(PlanePoints(points)).circle
    assert head.circle.radius_mm == pytest.approx(fitted.radius_mm, abs=1e-9)


def centre_errors(span_deg: float, settings: Settings) -> Points:
    directions = np.linspace(-span_deg / 2, span_deg / 2, 12)
    random = np.random.default_rng(7)
    return np.array(
        [
            fit_head(
                PlanePoints(on_circle(directions) + random.normal(0, 0.5, (12, 2))),
                (),
                settings=settings,
            ).circle.centre_mm[0]
            for _ in range(600)
        ]
    )


def test_a_known_radius_halves_the_error_of_a_short_rim() -> None:
    prior = Settings(radius_prior=RadiusPrior(24.0, 0.3, "visit m00"))
    free, known = centre_errors(100, Settings()), centre_errors(100, prior)
    assert known.std() < 0.5 * free.std()


def test_the_covariance_with_a_known_radius_is_what_repeats_show() -> None:
    prior = Settings(radius_prior=RadiusPrior(24.0, 0.3, "other hip"))
    random = np.random.default_rng(11)
    radii = 24.0 + random.normal(0, 0.3, 600)  # the prior errs as it says
    rim = on_circle(np.linspace(-60, 60, 12))
    seen = [
        fit_circle(
            PlanePoints(rim + random.normal(0, 0.5, rim.shape)),
            WeightedRadius(float(radius), (0.5 / 0.3) ** 2),
        ).circle.centre_mm[0]
        for radius in radii
    ]
    head = fit_head(PlanePoints(rim), (), settings=prior)
    assert 0.5 * head.covariance[0] ** 0.5 == pytest.approx(np.std(seen), rel=0.1)


@pytest.mark.parametrize(
    ("radius", "sd", "source", "words"),
    [(-1.0, 0.3, "x", "positive mm"), (24.0, 0.0, "x", "positive mm"), (24.0, 0.3, "", "source")],
)
def test_a_prior_that_says_nothing_is_refused(
    radius: float, sd: float, source: str, words: str
) -> None:
    with pytest.raises(MethodError, match=words):
        RadiusPrior(radius, sd, source)
