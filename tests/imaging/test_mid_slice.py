"""The slice through the head's middle: found from patient positions, with its signed offset."""

import numpy as np
import pytest
from hipmaker import make_reading, make_view
from hypothesis import given
from hypothesis import strategies as st
from stackmaker import FRAME, any_plane, point, stack_of

from necroangle.annotation import ReadView
from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints
from necroangle.imaging import Stack, Volume, bracketing_slices, mid_slice
from necroangle.measurement import measure
from necroangle.terms import View

CORONAL = ImagePlane.from_dicom((-60, -20, 60), (1, 0, 0, 0, 0, -1), (1, 1))
SHAPE = (121, 121)
AXES = {"sagittal": 0, "coronal": 1, "axial": 2}


@given(
    first=any_plane(),
    step_mm=st.floats(0.5, 8),
    count=st.integers(1, 12),
    place=st.tuples(st.floats(-3, 15), st.floats(-0.4, 1.4), st.floats(-0.4, 1.4)),
)
def test_the_slice_is_the_nearest_and_its_offset_leads_back(
    first: ImagePlane, step_mm: float, count: int, place: tuple[float, float, float]
) -> None:
    stack = stack_of(first, [step_mm * n for n in range(count)], (20, 30))
    on_first = first.pixel_to_patient(PixelPoints(np.array([[20 * place[1], 30 * place[2]]])))
    centre = PatientPoints(on_first + place[0] * step_mm * first.normal)
    mid = mid_slice(stack, centre)
    away = [abs(float(plane.distance_mm(centre)[0])) for plane in stack.planes]
    assert abs(mid.offset_mm) == pytest.approx(min(away), abs=1e-9)
    assert away[mid.index] == pytest.approx(min(away), abs=1e-9)

    # the offset in its anatomical sense: from the centre to the slice, along +x, +y or +z
    axis = AXES[mid.plane]
    normal = first.normal * np.sign(first.normal[axis])
    back = stack.planes[mid.index].distance_mm(PatientPoints(centre + mid.offset_mm * normal))
    assert back[0] == pytest.approx(0.0, abs=1e-9)

    depth = place[0] * step_mm
    beyond = max(-depth, depth - (count - 1) * step_mm, 0.0)
    assert mid.beyond_mm == pytest.approx(beyond, abs=1e-9)


@pytest.mark.parametrize(
    ("y_mm", "index", "offset_mm", "is_in_stack"),
    [
        (-20.0, 0, 0.0, True),
        (-12.5, 2, 0.5, True),
        (-22.0, 0, 2.0, True),  # half a step in front: still the first slice's thickness
        (-22.1, 0, 2.1, False),
        (19.0, 9, -3.0, False),
        (300.0, 9, -284.0, False),
    ],
)
def test_outside_the_stack_is_said(
    y_mm: float, index: int, offset_mm: float, is_in_stack: bool
) -> None:
    stack = stack_of(CORONAL, [4.0 * n for n in range(10)], SHAPE)
    mid = mid_slice(stack, point(0, y_mm, 0))
    assert (mid.index, mid.plane, mid.is_in_stack) == (index, "coronal", is_in_stack)
    assert mid.offset_mm == pytest.approx(offset_mm, abs=1e-9)
    assert mid.is_in_image
    assert mid.shows_centre is is_in_stack


def test_a_head_beside_the_picture_is_said() -> None:
    stack = stack_of(CORONAL, [0.0, 4.0], SHAPE)
    assert mid_slice(stack, point(60.4, -19, 0)).shows_centre
    mid = mid_slice(stack, point(60.6, -19, 0))
    assert (mid.is_in_stack, mid.is_in_image, mid.shows_centre) == (True, False, False)


def test_a_lone_slice_has_no_neighbours() -> None:
    stack = stack_of(CORONAL, [0.0], SHAPE)
    assert mid_slice(stack, point(0, -18.1, 0)).is_in_stack
    assert not mid_slice(stack, point(0, -17.9, 0)).is_in_stack
    pair = bracketing_slices(stack, point(0, -18.1, 0))
    assert pair.before is not None
    assert pair.before.offset_mm == pytest.approx(-1.9)
    assert pair.after is None


@given(first=any_plane(), share=st.floats(0.01, 0.99), lower=st.integers(0, 4))
def test_neighbours_stand_on_either_side(first: ImagePlane, share: float, lower: int) -> None:
    stack = stack_of(first, [3.0 * n for n in range(6)], (20, 30))
    centre = PatientPoints(first.origin_mm + 3.0 * (lower + share) * first.normal[None])
    pair = bracketing_slices(stack, centre)
    assert pair.is_complete
    assert pair.before is not None
    assert pair.after is not None
    assert {pair.before.index, pair.after.index} == {lower, lower + 1}
    assert pair.before.offset_mm < 0 < pair.after.offset_mm
    assert pair.after.offset_mm - pair.before.offset_mm == pytest.approx(3.0)


def test_a_slice_on_the_centre_is_both_neighbours() -> None:
    stack = stack_of(CORONAL, [0.0, 4.0, 8.0], SHAPE)
    pair = bracketing_slices(stack, point(0, -16, 0))
    assert pair.before == pair.after
    assert pair.before is not None
    assert (pair.before.index, pair.before.offset_mm) == (1, 0.0)


@pytest.mark.parametrize("outside_mm", [-21.0, -3.0])
def test_outside_there_is_one_neighbour(outside_mm: float) -> None:
    stack = stack_of(CORONAL, [0.0, 4.0, 8.0, 12.0, 16.0], SHAPE)
    pair = bracketing_slices(stack, point(0, outside_mm, 0))
    assert [one is None for one in (pair.before, pair.after)] == [
        outside_mm < -20,
        outside_mm > -4,
    ]
    assert not pair.is_complete


def test_a_centre_of_another_frame_is_refused() -> None:
    stack = stack_of(CORONAL, [0.0, 4.0], SHAPE)
    assert mid_slice(stack, point(0, -16, 0), frame_uid=FRAME).index == 1
    with pytest.raises(PlaneError, match="different frames of reference"):
        mid_slice(stack, point(0, -16, 0), frame_uid="1.2.10")
    with pytest.raises(PlaneError, match="not a finite number"):
        bracketing_slices(stack, point(0, float("nan"), 0))


@pytest.mark.parametrize("offsets_mm", [(2.5, -1.5), (-0.7, 2.2)])
def test_the_offset_is_the_one_that_is_measured(offsets_mm: tuple[float, float]) -> None:
    a, b = offsets_mm
    views = (
        make_view(View.CORONAL, 100.0, offset_mm=a),
        make_view(View.SAGITTAL, 80.0, offset_mm=b),
    )
    hip = measure(make_reading(views=views))
    found = {}
    for view, other in zip(views, reversed(views), strict=True):
        assert isinstance(view, ReadView)
        record, plane = view.plane, view.plane.plane()
        stack: Stack = Volume(
            np.zeros((1, record.rows, record.columns)), (plane,), (view.image.source(),), 0.0
        )
        seen = next(one for one in (hip.a, hip.b) if one is not None and one.view is other.view)
        assert seen.centre_mm is not None
        found[view.view] = mid_slice(stack, point(*seen.centre_mm))
    assert found[View.CORONAL].offset_mm == pytest.approx(hip.a_slice_offset_mm, abs=1e-9)
    assert found[View.SAGITTAL].offset_mm == pytest.approx(hip.b_slice_offset_mm, abs=1e-9)
    assert abs(found[View.CORONAL].offset_mm) == pytest.approx(abs(offsets_mm[0]), abs=1e-6)
