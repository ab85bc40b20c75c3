"""The necrotic share of the head's surface: exact for caps, a lower bound where not covered."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.errors import GeometryError
from necroangle.measurement.bands import SliceArcs
from necroangle.measurement.slices import surface_share
from necroangle.phantom.model import Lesion, PhantomHip
from necroangle.phantom.truth import cap_union_deg
from necroangle.terms import Laterality

RADIUS_MM = 24.0
STEP_MM = 4.0


def direction(tilt_deg: float, turn_deg: float) -> tuple[float, float, float]:
    """A unit vector, tilted out of the slices' plane: 90 degrees is their normal."""
    tilt, turn = math.radians(tilt_deg), math.radians(turn_deg)
    axis = np.array((math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn), 0.0))
    axis[2] = math.sin(tilt)
    x, y, z = (axis / np.linalg.norm(axis)).tolist()
    return x, y, z


def stack(lesions: tuple[Lesion, ...], offsets_mm: NDArray[np.float64]) -> list[SliceArcs]:
    """The true arcs on slices of a head."""
    hip = PhantomHip(Laterality.LEFT, (0.0, 0.0, 0.0), RADIUS_MM, lesions)
    slices = []
    for offset in offsets_mm.tolist():
        cuts = cap_union_deg(hip, offset, np.eye(3))
        arcs = tuple(((low + high) / 2, high - low) for low, high in cuts)
        slices.append(SliceArcs(offset, arcs))
    return slices


def whole_head(shift: float) -> NDArray[np.float64]:
    """Slices 4 mm apart over the head but for the last millimetre, shifted by a part of a step."""
    offsets = STEP_MM * (np.arange(-7, 8) + shift)
    return np.asarray(offsets[np.abs(offsets) < RADIUS_MM - 1.0], float)


def cap_share(half_deg: float) -> float:
    return (1 - math.cos(math.radians(half_deg))) / 2


@given(
    half_deg=st.floats(25, 150),
    tilt_deg=st.floats(-60, 60),
    turn_deg=st.floats(0, 360),
    shift=st.floats(0, 1),
)
def test_a_cap_anywhere_is_within_3_percent(
    half_deg: float, tilt_deg: float, turn_deg: float, shift: float
) -> None:
    lesion = Lesion(direction(tilt_deg, turn_deg), half_deg)
    found = surface_share(stack((lesion,), whole_head(shift)), RADIUS_MM)
    if found.covered:
        assert found.share == pytest.approx(cap_share(half_deg), rel=0.03)
        assert found.solid_angle_sr == pytest.approx(4 * math.pi * found.share)
    else:
        assert found.share <= cap_share(half_deg) * 1.001


@given(half_deg=st.floats(35, 65), tilt_deg=st.floats(-30, 30), shift=st.floats(0, 1))
def test_a_lesion_as_in_patients_is_exact(half_deg: float, tilt_deg: float, shift: float) -> None:
    lesion = Lesion(direction(tilt_deg, 270.0), half_deg)
    found = surface_share(stack((lesion,), whole_head(shift)), RADIUS_MM)
    assert found.covered
    assert found.share == pytest.approx(cap_share(half_deg), rel=2e-3)


@given(first=st.integers(0, 5), last=st.integers(8, 11), tilt_deg=st.floats(-30, 30))
def test_what_is_not_covered_is_a_lower_bound(first: int, last: int, tilt_deg: float) -> None:
    slices = stack((Lesion(direction(tilt_deg, 270.0), 60.0),), whole_head(0.4))[first:last]
    found = surface_share(slices, RADIUS_MM)
    assert found.share <= cap_share(60.0) * 1.001
    ends = (slices[0], slices[-1])
    if any(one.arcs and RADIUS_MM - abs(one.offset_mm) > STEP_MM + 1.0 for one in ends):
        assert not found.covered
        assert found.share < cap_share(60.0)
    assert found.slice_count == len(slices)


def test_more_slices_never_lower_the_bound() -> None:
    slices = stack((Lesion(direction(10.0, 270.0), 60.0),), whole_head(0.4))
    shares = [surface_share(slices[4 : 7 + more], RADIUS_MM).share for more in range(5)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_a_lesion_new_on_the_outermost_slice_is_not_covered() -> None:
    slices = stack((Lesion(direction(67.0, 0.0), 25.0),), whole_head(0.0))
    assert [bool(one.arcs) for one in slices[-2:]] == [False, True]
    found = surface_share(slices, RADIUS_MM)
    assert not found.covered
    assert found.share < cap_share(25.0)


def test_two_lesions_apart_add_up() -> None:
    lesions = (Lesion(direction(5.0, 270.0), 40.0), Lesion(direction(-10.0, 60.0), 35.0))
    found = surface_share(stack(lesions, whole_head(0.3)), RADIUS_MM)
    assert found.share == pytest.approx(cap_share(40.0) + cap_share(35.0), rel=5e-3)


def test_a_healthy_island_is_taken_off() -> None:
    ring = stack((Lesion(direction(0.0, 270.0), 60.0),), whole_head(0.5))
    island = stack((Lesion(direction(0.0, 270.0), 30.0),), whole_head(0.5))
    slices = []
    for outer, inner in zip(ring, island, strict=True):
        arcs = outer.arcs
        if inner.arcs:
            ((middle, wide),), ((_, narrow),) = outer.arcs, inner.arcs
            side = (wide - narrow) / 2
            arcs = ((middle - (wide - side) / 2, side), (middle + (wide - side) / 2, side))
        slices.append(SliceArcs(outer.offset_mm, arcs))
    found = surface_share(slices, RADIUS_MM)
    assert found.share == pytest.approx(cap_share(60.0) - cap_share(30.0), rel=0.03)


def test_order_and_mirror_do_not_matter() -> None:
    slices = stack((Lesion(direction(25.0, 200.0), 50.0),), whole_head(0.2))
    mirrored = [SliceArcs(-one.offset_mm, one.arcs) for one in slices]
    share = surface_share(slices, RADIUS_MM).share
    assert surface_share(slices[::-1], RADIUS_MM).share == share
    assert surface_share(mirrored, RADIUS_MM).share == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize(("arcs", "share"), [((), 0.0), (((0.0, 360.0),), 1.0)])
def test_none_and_all(arcs: tuple[tuple[float, float], ...], share: float) -> None:
    slices = [SliceArcs(offset, arcs) for offset in whole_head(0.0).tolist()]
    found = surface_share(slices, RADIUS_MM)
    assert found.share == pytest.approx(share, abs=1e-9)
    assert found.covered


def test_slices_beyond_the_head_need_no_arc_and_do_not_count() -> None:
    slices = stack((Lesion(direction(0.0, 270.0), 50.0),), whole_head(0.0))
    more = [*slices, SliceArcs(28.0, ()), SliceArcs(-28.0, ())]
    assert surface_share(more, RADIUS_MM) == surface_share(slices, RADIUS_MM)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_slices_are_refused(count: int) -> None:
    slices = [SliceArcs(4.0 * number, ((270.0, 90.0),)) for number in range(count)]
    with pytest.raises(GeometryError, match=f"needs 3 marked slices, found {count}"):
        surface_share(slices, RADIUS_MM)
