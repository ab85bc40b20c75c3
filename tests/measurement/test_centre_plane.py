"""The centre plane: exact for caps, within 2 degrees with noise, honest where it cannot know."""

import importlib.util
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.geometry import Arc, union_deg
from necroangle.measurement.bands import SliceArcs, complement, joined
from necroangle.measurement.slices import Sensitivity, centre_plane
from necroangle.phantom.model import Lesion
from necroangle.phantom.truth import cap_interval_deg

RADIUS_MM = 24.0
SINGLE = (270.0, 90.0)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The simulation that prints the figures of the documentation."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "centre_plane.py"
    spec = importlib.util.spec_from_file_location("benchmark_centre_plane", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def cap_slice(axis: NDArray[np.float64], half_deg: float, offset_mm: float) -> SliceArcs:
    x, y, z = axis.tolist()
    found = cap_interval_deg(Lesion((x, y, z), half_deg), RADIUS_MM, offset_mm, np.eye(3))
    arcs = () if found is None else (((found[0] + found[1]) / 2, found[1] - found[0]),)
    return SliceArcs(offset_mm, arcs)


def rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def angle_between(first: float, second: float) -> float:
    return abs((first - second + 180.0) % 360.0 - 180.0)


@given(
    half_deg=st.floats(40, 140),
    tilt_deg=st.floats(-35, 35),
    turn_deg=st.floats(0, 360),
    before_mm=st.floats(-4, -0.1),
    after_mm=st.floats(0.1, 4),
)
def test_it_is_exact_for_every_cap(
    half_deg: float, tilt_deg: float, turn_deg: float, before_mm: float, after_mm: float
) -> None:
    tilt, turn = math.radians(tilt_deg), math.radians(turn_deg)
    axis = np.array((math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn), 0.0))
    axis[2] = math.sin(tilt)
    slices = [cap_slice(axis / np.linalg.norm(axis), half_deg, s) for s in (before_mm, after_mm)]
    truth = cap_slice(axis / np.linalg.norm(axis), half_deg, 0.0)
    found = centre_plane(slices, RADIUS_MM)
    if all(one.arcs and one.arcs[0][1] < 360 for one in slices):
        assert found.angle_deg == pytest.approx(truth.arcs[0][1], abs=1e-6)
        assert angle_between(found.arcs[0][0], truth.arcs[0][0]) < 1e-6
        assert (found.bracketed, found.bounded, found.extrapolated) == (True, False, False)
        assert found.low_deg == found.high_deg == pytest.approx(found.angle_deg)
    else:
        true_deg = truth.arcs[0][1] if truth.arcs else 0.0
        assert found.bounded or found.angle_deg in (0.0, 360.0)
        assert found.low_deg - 1e-6 <= true_deg <= found.high_deg + 1e-6


@pytest.mark.parametrize("tilt_deg", [0.0, 10.0, 20.0, 30.0])
def test_noise_leaves_less_than_2_degrees(benchmark: ModuleType, tilt_deg: float) -> None:
    errors = benchmark.centre_errors(benchmark.cap_head, tilt_deg, 300)
    assert rms(errors[:, 0]) < 2.0
    assert abs(errors[:, 0].mean()) < 0.35


def test_a_single_slice_errs_several_times_more_on_a_tilted_lesion(benchmark: ModuleType) -> None:
    errors = benchmark.centre_errors(benchmark.cap_head, 30.0, 300)
    assert rms(errors[:, 1]) > 4 * rms(errors[:, 0])
    assert np.abs(errors[:, 1]).max() > 15.0


def test_the_standard_error_agrees_with_monte_carlo(benchmark: ModuleType) -> None:
    rng = np.random.default_rng(5)
    head = benchmark.cap_head(rng, 25.0, (50.0, 50.1))
    offsets = np.array((-1.3, 2.5))
    clean = [benchmark._true_slice(head, float(offset)) for offset in offsets]
    sensitivity = centre_plane(clean, head.radius_mm).sensitivity
    covariance, angles = np.zeros((4, 4)), []
    for _ in range(3000):
        fit, slices = benchmark.mark(rng, head, offsets)
        angles.append(centre_plane(slices, fit.sphere.radius_mm).angle_deg)
        covariance += np.array(fit.unit_covariance) / 3000
    variance = sensitivity.variance_deg2(0.5, 0.5**2 * covariance, head.axes)
    assert 0.95 < math.sqrt(variance) / np.std(angles) < 1.05


CASES: dict[str, tuple[SliceArcs, ...]] = {
    "two arcs, one each": (SliceArcs(-1.5, ((250.0, 95.0),)), SliceArcs(2.5, ((262.0, 70.0),))),
    "above 180 degrees": (SliceArcs(-2.0, ((90.0, 230.0),)), SliceArcs(1.0, ((80.0, 200.0),))),
    "no partner": (SliceArcs(-2.0, ((200.0, 100.0),)), SliceArcs(2.0, ())),
    "a whole circle": (SliceArcs(-2.0, ((200.0, 360.0),)), SliceArcs(2.0, ((190.0, 300.0),))),
    "drawn on": (
        SliceArcs(-6.0, ((200.0, 120.0),)),
        SliceArcs(-2.0, ((205.0, 70.0),)),
        SliceArcs(2.0, ()),
    ),
    "two stretches": (
        SliceArcs(-1.0, ((100.0, 40.0), (250.0, 60.0))),
        SliceArcs(3.0, ((110.0, 50.0), (240.0, 70.0))),
    ),
    "an arc that splits": (
        SliceArcs(-1.0, ((180.0, 120.0),)),
        SliceArcs(3.0, ((150.0, 50.0), (215.0, 40.0))),
    ),
    "one side only": (SliceArcs(1.5, ((250.0, 95.0),)), SliceArcs(5.0, ((262.0, 70.0),))),
    "far to one side": (SliceArcs(6.0, ((250.0, 95.0),)), SliceArcs(9.0, ((262.0, 70.0),))),
    "alone": (SliceArcs(2.0, ((250.0, 95.0),)),),
}


def change(
    slices: tuple[SliceArcs, ...],
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    radius_mm: float = 0.0,
    end: tuple[int, int, int] = (0, 0, 0),
    end_mm: float = 0.0,
) -> float:
    """The angle after moving the head under its marks, or one end (slice, arc, side) along it."""
    u, v, normal = shift_mm
    moved = []
    for at, one in enumerate(slices):
        circle = math.sqrt(RADIUS_MM**2 - one.offset_mm**2)
        arcs = []
        for number, (middle, angle) in enumerate(one.arcs):
            ends = []
            for side, turn_deg in enumerate((middle - angle / 2, middle + angle / 2)):
                slide = end_mm / circle * ((at, number, side) == end)
                turn = math.radians(turn_deg) + slide
                across = math.cos(turn) * -v - math.sin(turn) * -u
                along = circle + math.cos(turn) * -u + math.sin(turn) * -v
                ends.append(math.degrees(turn + math.atan2(across, along)))
            if angle == 360.0:
                ends = [0.0, 360.0]
            arcs.append(((ends[0] + ends[1]) / 2, ends[1] - ends[0]))
        moved.append(SliceArcs(one.offset_mm - normal, tuple(arcs)))
    return centre_plane(moved, RADIUS_MM + radius_mm).angle_deg


def slope(of: Callable[[float], float], step: float = 1e-4) -> float:
    return (of(step) - of(-step)) / (2 * step)


def by_differences(slices: tuple[SliceArcs, ...]) -> Sensitivity:
    ends = [
        slope(lambda d, end=(at, number, side): change(slices, end=end, end_mm=d))  # type: ignore[misc]
        for at, one in enumerate(slices)
        for number, (_, angle) in enumerate(one.arcs)
        for side in (0, 1)
        if angle < 360.0
    ]
    head = (
        slope(lambda d: change(slices, (d, 0.0, 0.0))),
        slope(lambda d: change(slices, (0.0, d, 0.0))),
        slope(lambda d: change(slices, (0.0, 0.0, d))),
    )
    return Sensitivity(tuple(ends), head, slope(lambda d: change(slices, radius_mm=d)))


@pytest.mark.parametrize("name", CASES)
def test_the_sensitivity_is_the_derivative(name: str) -> None:
    slices = CASES[name]
    stated = centre_plane(slices, RADIUS_MM).sensitivity
    found = by_differences(slices)
    assert sorted(one for one in found.end_deg_per_mm if abs(one) > 1e-9) == pytest.approx(
        sorted(stated.end_deg_per_mm), abs=1e-5
    )
    assert stated.centre_deg_per_mm == pytest.approx(found.centre_deg_per_mm, abs=1e-5)
    assert stated.radius_deg_per_mm == pytest.approx(found.radius_deg_per_mm, abs=1e-5)
    assert any(stated.end_deg_per_mm)


@pytest.mark.parametrize("name", CASES)
def test_turn_mirror_and_order_do_not_matter(name: str) -> None:
    slices = CASES[name]
    first = centre_plane(slices, RADIUS_MM)
    turned = [
        SliceArcs(-one.offset_mm, tuple((77.0 - middle, angle) for middle, angle in one.arcs))
        for one in slices
    ]
    second = centre_plane(turned[::-1], RADIUS_MM)
    assert second.angle_deg == pytest.approx(first.angle_deg, abs=1e-9)
    assert (second.low_deg, second.high_deg) == pytest.approx((first.low_deg, first.high_deg))
    flags = (first.bracketed, first.extrapolated, first.bounded)
    assert (second.bracketed, second.extrapolated, second.bounded) == flags
    assert sum(angle for _, angle in first.arcs) == pytest.approx(first.angle_deg)


def test_an_arc_without_a_partner_gives_the_least_tilted_boundary_and_its_bounds() -> None:
    found = centre_plane(CASES["no partner"], RADIUS_MM)
    closing = math.sqrt(RADIUS_MM**2 - 4) * (1 + math.cos(math.radians(50))) / 2
    assert found.angle_deg == pytest.approx(2 * math.degrees(math.acos(closing / RADIUS_MM)))
    assert (found.bounded, found.low_deg) == (True, 0.0)
    assert found.high_deg == found.angle_deg


def test_a_third_slice_settles_where_such_an_arc_ends() -> None:
    axis = np.array((math.cos(0.75), 0.0, math.sin(0.75)))
    slices = [cap_slice(axis, 45.0, offset) for offset in (-2.5, 1.5, 5.5)]
    truth = cap_slice(axis, 45.0, 0.0).arcs[0][1]
    assert not slices[0].arcs
    found = centre_plane(slices, RADIUS_MM)
    assert found.angle_deg == pytest.approx(truth, abs=1e-9)
    assert (found.bracketed, found.extrapolated, found.bounded) == (True, True, False)
    assert centre_plane(slices[:2], RADIUS_MM).bounded


def test_a_gap_is_taken_off() -> None:
    found = centre_plane(CASES["an arc that splits"], RADIUS_MM)
    assert found.bounded
    assert len(found.arcs) == 2
    assert found.low_deg == pytest.approx(found.angle_deg)
    assert found.high_deg > found.angle_deg + 5


def test_used_slices_and_weights() -> None:
    slices = [SliceArcs(offset, (SINGLE,)) for offset in (7.0, 3.0, -1.0, -5.0)]
    found = centre_plane(slices, RADIUS_MM)
    assert found.used == (2, 1)
    assert found.weights == (0.75, 0.25)


def test_one_side_only_is_told() -> None:
    near = centre_plane(CASES["one side only"], RADIUS_MM)
    assert (near.bracketed, near.extrapolated, near.used) == (False, True, (0, 1))
    assert near.weights == pytest.approx((10 / 7, -3 / 7))
    far = centre_plane(CASES["far to one side"], RADIUS_MM)
    assert (far.bracketed, far.extrapolated, far.used) == (False, False, (0, 0))


def test_a_slice_on_the_centre_gives_its_own_arc() -> None:
    slices = [SliceArcs(0.0, (SINGLE,)), SliceArcs(4.0, ((270.0, 30.0),))]
    found = centre_plane(slices, RADIUS_MM)
    assert found.angle_deg == pytest.approx(90.0)
    assert found.bracketed


@pytest.mark.parametrize(("arcs", "angle"), [((), 0.0), (((0.0, 360.0),), 360.0)])
def test_none_and_all(arcs: tuple[tuple[float, float], ...], angle: float) -> None:
    found = centre_plane([SliceArcs(-2.0, arcs), SliceArcs(2.0, arcs)], RADIUS_MM)
    assert (found.angle_deg, found.low_deg, found.high_deg) == (angle, angle, angle)
    assert not found.bounded
    assert not any(found.sensitivity.centre_deg_per_mm)


@pytest.mark.parametrize(
    ("slices", "problem"),
    [
        ([], "no marked slice cuts the head"),
        ([SliceArcs(1.0, ()), SliceArcs(1.0, ())], "two marked slices lie in one place"),
        ([SliceArcs(25.0, (SINGLE,))], "misses the head of radius 24.0 mm"),
    ],
)
def test_what_is_refused(slices: list[SliceArcs], problem: str) -> None:
    with pytest.raises(GeometryError, match=problem):
        centre_plane(slices, RADIUS_MM)


def test_a_slice_refuses_what_is_no_number() -> None:
    with pytest.raises(GeometryError, match="not a finite number"):
        SliceArcs(math.nan, ())


@given(
    st.lists(st.tuples(st.floats(0, 359), st.floats(1, 200)), max_size=5),
)
def test_joined_arcs_cover_what_the_union_covers(intervals: list[tuple[float, float]]) -> None:
    arcs = [Arc(low, width, 0.0, 0.0) for low, width in intervals]
    total = sum(width for _, width in joined(intervals))
    assert total == pytest.approx(union_deg(arcs), abs=1e-6)
    free = sum(width for _, width in complement(intervals))
    assert total + free == pytest.approx(360.0, abs=1e-6)
