"""The head circle against its laws, an independent solver and the bound."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import least_squares

from necroangle.errors import RimError
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.geometry.circle import fit_circles
from necroangle.geometry.orthogonal import geometric_centres
from necroangle.geometry.point_sets import PointSets

Points = NDArray[np.float64]


def rim(
    span_deg: float,
    count: int,
    *,
    centre: tuple[float, float] = (0.0, 0.0),
    radius: float = 24.0,
    first_deg: float = 0.0,
    noise_mm: float = 0.0,
    seed: int = 0,
) -> PlanePoints:
    """Points on a circle, evenly over a span, with click noise."""
    turn = np.radians(first_deg + np.linspace(0, span_deg, count))
    points = centre + radius * np.column_stack((np.cos(turn), np.sin(turn)))
    return PlanePoints(points + np.random.default_rng(seed).normal(0, noise_mm, points.shape))


spans = st.floats(90, 350)
counts = st.integers(5, 30)
coordinates = st.floats(-500, 500)
radii = st.floats(15, 35)
turns = st.floats(0, 360)
seeds = st.integers(0, 2**31)


@given(spans, counts, coordinates, coordinates, radii, turns)
def test_exact_points_give_the_circle_back(
    span: float, count: int, u: float, v: float, radius: float, first: float
) -> None:
    fit = fit_circle(rim(span, count, centre=(u, v), radius=radius, first_deg=first))
    assert fit.circle.centre_mm == pytest.approx((u, v), abs=1e-7)
    assert fit.circle.radius_mm == pytest.approx(radius, abs=1e-7)
    assert fit.rms_mm < 1e-9


@given(spans, counts, turns, seeds)
def test_noisy_points_give_the_least_squares_circle_of_scipy(
    span: float, count: int, first: float, seed: int
) -> None:
    points = rim(span, count, centre=(100, -50), first_deg=first, noise_mm=0.5, seed=seed)
    fit = fit_circle(points)
    ours = np.array((*fit.circle.centre_mm, fit.circle.radius_mm))

    def residuals(unknown: Points) -> Points:
        return np.asarray(np.hypot(*(points - unknown[:2]).T) - unknown[2])

    theirs = least_squares(residuals, ours, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    assert np.abs(ours - theirs).max() < 1e-6
    assert fit.rss_mm2 == pytest.approx(float(np.sum(residuals(ours) ** 2)), rel=1e-9)


@given(spans, counts, seeds, turns, coordinates, coordinates, st.floats(0.01, 100))
def test_turning_shifting_and_scaling_the_marks_moves_the_circle_alike(
    span: float, count: int, seed: int, turn: float, u: float, v: float, factor: float
) -> None:
    points = rim(span, count, noise_mm=0.3, seed=seed)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    rotation = np.array(((cos, sin), (-sin, cos)))
    before = fit_circle(points)
    after = fit_circle(PlanePoints(factor * (points @ rotation) + (u, v)))
    expected = factor * (np.array(before.circle.centre_mm) @ rotation) + (u, v)
    tolerance = 1e-6 * max(1.0, factor)
    assert after.circle.centre_mm == pytest.approx(tuple(expected), abs=tolerance)
    assert after.circle.radius_mm == pytest.approx(factor * before.circle.radius_mm, rel=1e-7)


def test_the_unit_covariance_is_what_repeated_marking_shows() -> None:
    sigma, truth = 0.3, rim(200, 12)
    draws = np.random.default_rng(1).normal(0, sigma, (4000, *truth.shape))
    fits = [fit_circle(PlanePoints(truth + draw)).circle for draw in draws]
    seen = np.cov(np.array([(*c.centre_mm, c.radius_mm) for c in fits]).T)
    said = sigma**2 * np.array(fit_circle(truth).unit_covariance)
    assert np.sqrt(np.diag(said)) == pytest.approx(np.sqrt(np.diag(seen)), rel=0.05)


def test_short_arcs_are_not_pulled_inward_as_by_the_kasa_fit() -> None:
    fits = [fit_circle(rim(120, 12, noise_mm=0.5, seed=seed)).circle for seed in range(1500)]
    assert np.mean([c.radius_mm for c in fits]) == pytest.approx(24.0, abs=0.15)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([[0, 0], [1, 1]], "needs 3 rim points"),
        ([[0, 0], [1, 1], [1, 1]], "in different places, found 2"),
        ([[0, 0], [1, 1], [2, 2], [7, 7]], "straight line"),
        ([[0, 0], [1, 1], [2, math.nan]], "not a finite number"),
        ([], "needs 3 rim points"),
    ],
)
def test_marks_that_give_no_circle_are_refused(points: list[list[float]], words: str) -> None:
    with pytest.raises(RimError, match=words):
        fit_circle(PlanePoints(np.array(points, float).reshape(-1, 2)))


def test_a_rim_below_60_degrees_is_refused_and_says_its_span() -> None:
    with pytest.raises(RimError, match="span only 50°"):
        fit_circle(rim(50, 12))
    assert fit_circle(rim(70, 12)).span_deg == pytest.approx(70)


def test_a_quarter_rim_with_a_mark_far_off_ends_in_no_worse_minimum() -> None:
    """Beside a search that begins in the middle of the marks."""
    chance = np.random.default_rng(1)
    turn = np.linspace(-np.pi / 4, np.pi / 4, 8)[:, None]
    radius = 24 + chance.normal(0, 0.5, (8, 400))
    radius[chance.integers(0, 8, 400), np.arange(400)] += chance.uniform(-22, 22, 400)
    sets = PointSets.alike(np.array((radius * np.sin(turn), radius * np.cos(turn))))
    found = fit_circles(sets)
    shift = sets.points.mean(axis=1)
    about = sets.points - shift[:, None]
    scale = np.sqrt((about**2).sum(axis=(0, 1)) / 8)
    shape = PointSets.alike(about / scale)
    other = geometric_centres(shape, np.zeros((2, 400))) * scale + shift
    distance = np.hypot(*(sets.points - other[:, None]))
    least = ((distance - distance.mean(axis=0)) ** 2).sum(axis=0)
    assert (found.rss_mm2 <= least * (1 + 1e-6)).all()
