"""The exact angle of a cap on a plane: laws, and a count of points as an independent check."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.phantom.model import (
    Lesion,
    PhantomHip,
    SeriesGeometry,
    Vector3,
    lesion_axis,
    rotation,
)
from necroangle.phantom.truth import SliceTruth, cap_interval_deg, cut, mid_index
from necroangle.terms import Laterality, View

turns = st.tuples(*[st.floats(-180, 180)] * 3)
halves = st.floats(5, 175)
radii = st.floats(18, 30)
parts = st.floats(-0.95, 0.95)


def angle(lesion: Lesion, radius_mm: float, offset_mm: float, axes: NDArray[np.float64]) -> float:
    interval = cap_interval_deg(lesion, radius_mm, offset_mm, axes)
    return 0.0 if interval is None else interval[1] - interval[0]


def unit(values: NDArray[np.float64]) -> Vector3:
    x, y, z = (values / np.linalg.norm(values)).tolist()
    return x, y, z


@given(turns, st.floats(0, 360), halves, radii)
def test_an_axis_in_the_centre_plane_gives_twice_the_half_angle(
    turn_deg: Vector3, direction_deg: float, half_deg: float, radius_mm: float
) -> None:
    axes = rotation(turn_deg)
    direction = math.radians(direction_deg)
    axis = unit(math.cos(direction) * axes[0] + math.sin(direction) * axes[1])
    found = angle(Lesion(axis, half_deg), radius_mm, 0.0, axes)
    assert found == pytest.approx(2 * half_deg, abs=1e-6)


@given(turns, turns, turns, halves, radii, parts)
def test_turning_everything_changes_nothing(
    turn_deg: Vector3, axis_turn: Vector3, more: Vector3, half: float, radius: float, part: float
) -> None:
    axes, axis = rotation(turn_deg), rotation(axis_turn)[:, 0]
    matrix = rotation(more)
    before = angle(Lesion(unit(axis), half), radius, part * radius, axes)
    after = angle(Lesion(unit(matrix @ axis), half), radius, part * radius, axes @ matrix.T)
    # near the edge of the cap a rounding of 1e-16 in the cosine is an angle of 1e-6 degrees
    assert after == pytest.approx(before, abs=1e-4)


@given(turns, turns, halves, radii, parts)
def test_a_cap_and_the_rest_of_the_sphere_make_360_degrees(
    turn_deg: Vector3, axis_turn: Vector3, half: float, radius: float, part: float
) -> None:
    axes, axis = rotation(turn_deg), rotation(axis_turn)[:, 0]
    cap = angle(Lesion(unit(axis), half), radius, part * radius, axes)
    rest = angle(Lesion(unit(-axis), 180 - half), radius, part * radius, axes)
    assert cap + rest == pytest.approx(360, abs=1e-4)


@given(
    st.floats(-30, 30),
    st.floats(-40, 20),
    st.floats(10, 60),
    radii,
    parts,
    st.sampled_from([View.CORONAL, View.SAGITTAL]),
)
def test_a_mirrored_hip_has_the_same_angles(
    front: float, out: float, half: float, radius: float, part: float, view: View
) -> None:
    angles = []
    for side, sign in ((Laterality.RIGHT, -1.0), (Laterality.LEFT, 1.0)):
        hip = PhantomHip(
            side, (sign * 86.0, 4.0, -7.0), radius, (Lesion(lesion_axis(side, front, out), half),)
        )
        shift = part * radius * (sign if view is View.SAGITTAL else 1.0)
        stack = SeriesGeometry(view, 1.0, 1.0, slices=1, shift_mm=(0.0, 0.0, shift))
        angles.append(cut(hip, stack.planes(hip.centre_mm)[0]).angle_deg)
    assert angles[0] == pytest.approx(angles[1], abs=1e-3)


@given(
    st.lists(
        st.tuples(st.floats(-60, 60), st.floats(-70, 40), st.floats(6, 70)), min_size=1, max_size=4
    ),
    st.tuples(*[st.floats(-25, 25)] * 3),
    parts,
)
def test_the_arcs_are_where_points_of_the_circle_lie_in_a_cap(
    tilts: list[tuple[float, float, float]], turn_deg: Vector3, part: float
) -> None:
    lesions = tuple(
        Lesion(lesion_axis(Laterality.LEFT, front, out), half) for front, out, half in tilts
    )
    try:
        hip = PhantomHip(Laterality.LEFT, (86.0, 4.0, -7.0), 24.0, lesions)
    except PhantomError:
        assume(False)
    shift = (0.0, 0.0, part * 24.0)
    stack = SeriesGeometry(View.CORONAL, 1, 1, slices=1, tilt_deg=turn_deg, shift_mm=shift)
    plane = stack.planes(hip.centre_mm)[0]
    truth = cut(hip, plane)
    assert truth.angle_deg == pytest.approx(counted_deg(hip, plane, truth), abs=0.2)


def counted_deg(hip: PhantomHip, plane: ImagePlane, truth: SliceTruth) -> float:
    """Share of many points of the slice's circle that lie in a cap, in degrees."""
    turn = np.radians(np.arange(0, 360, 0.02))
    arms = np.outer(np.cos(turn), plane.row_cosine) + np.outer(np.sin(turn), plane.column_cosine)
    assert truth.centre_mm is not None
    points = np.array(truth.centre_mm) + truth.radius_mm * arms - np.array(hip.centre_mm)
    inside = np.zeros(len(turn), bool)
    for lesion in hip.lesions:
        edge = hip.radius_mm * math.cos(math.radians(lesion.half_angle_deg))
        inside |= points @ np.array(lesion.axis) >= edge
    return float(inside.mean() * 360)


@given(st.floats(-40, 40), st.floats(-50, 10), st.floats(20, 60), parts)
def test_arc_ends_lie_on_the_sphere_the_plane_and_the_edge_of_the_cap(
    front: float, out: float, half: float, part: float
) -> None:
    lesion = Lesion(lesion_axis(Laterality.RIGHT, front, out), half)
    hip = PhantomHip(Laterality.RIGHT, (-86.0, 4.0, -7.0), 24.0, (lesion,))
    stack = SeriesGeometry(View.SAGITTAL, 1, 1, slices=1, shift_mm=(0, 0, part * 24))
    plane = stack.planes(hip.centre_mm)[0]
    for arc in cut(hip, plane).arcs:
        ends = np.array((arc.start_mm, arc.end_mm, arc.via_mm)) - hip.centre_mm
        np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 24.0, atol=1e-9)
        np.testing.assert_allclose(ends @ plane.normal, cut(hip, plane).offset_mm, atol=1e-9)
        depth = ends @ np.array(lesion.axis) - 24 * math.cos(math.radians(half))
        np.testing.assert_allclose(depth[:2], 0.0, atol=1e-9)
        assert depth[2] > 0


def test_a_slice_beside_the_head_has_no_angle_and_one_through_a_normal_head_has_0() -> None:
    hip = PhantomHip(Laterality.LEFT, (86.0, 0.0, 0.0), 24.0)
    stack = SeriesGeometry(View.SAGITTAL, 1, 1, slices=3, thickness_mm=25, gap_mm=0)
    truths = [cut(hip, plane) for plane in stack.planes(hip.centre_mm)]
    assert [truth.angle_deg for truth in truths] == [None, 0.0, None]
    assert [truth.centre_mm for truth in truths] == [None, hip.centre_mm, None]
    assert mid_index(truths) == 1


def test_the_middle_slice_is_the_nearest_and_of_two_equals_the_first() -> None:
    hip = PhantomHip(Laterality.LEFT, (86.0, 0.0, 0.0), 24.0)
    stack = SeriesGeometry(View.CORONAL, 1, 1, slices=4, thickness_mm=4, gap_mm=0)
    truths = [cut(hip, plane) for plane in stack.planes(hip.centre_mm)]
    assert [truth.offset_mm for truth in truths] == [-6.0, -2.0, 2.0, 6.0]
    assert mid_index(truths) == 1
