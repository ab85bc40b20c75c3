"""Reference lines: where one slice cuts another, through patient coordinates."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stackmaker import any_plane, stack_of

from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints, PlanePoints
from necroangle.imaging import NoCrossing, Slice, cross_reference, plane_crossing

CORONAL = ImagePlane.from_dicom((-90, 5, 100), (1, 0, 0, 0, 0, -1), (1, 1))
SAGITTAL = ImagePlane.from_dicom((-50, -60, 80), (0, 1, 0, 0, 0, -1), (0.5, 0.7))
SHAPE = (128, 180)

shapes = st.tuples(st.integers(1, 400), st.integers(1, 400))


def corners(plane: ImagePlane, shape: tuple[int, int]) -> PatientPoints:
    """The four outer corners of a picture."""
    low, (high_v, high_u) = -0.5, (shape[0] - 0.5, shape[1] - 0.5)
    pixels = [(low, low), (low, high_u), (high_v, high_u), (high_v, low)]
    return plane.pixel_to_patient(PixelPoints(np.array(pixels)))


@given(plane=any_plane(), other=any_plane(), shape=shapes)
def test_the_line_lies_on_both_planes_and_in_the_picture(
    plane: ImagePlane, other: ImagePlane, shape: tuple[int, int]
) -> None:
    line = plane_crossing(plane, shape, other)
    sides = other.distance_mm(corners(plane, shape))
    if line.ends_patient is None or line.ends_px is None:
        is_level = np.linalg.norm(np.cross(plane.normal, other.normal)) < 1e-3 + 1e-9
        assert line.reason is (NoCrossing.PARALLEL if is_level else NoCrossing.OUTSIDE)
        # a plane that passes beside the picture has all its corners on one side
        assert is_level or sides.min() > -1e-9 or sides.max() < 1e-9
        return
    assert line.reason is None
    points = np.vstack((line.ends_patient, line.ends_patient.mean(axis=0)))
    assert np.abs(plane.distance_mm(PatientPoints(points))).max() < 1e-9
    assert np.abs(other.distance_mm(PatientPoints(points))).max() < 1e-9
    assert sides.min() < 1e-9
    assert sides.max() > -1e-9

    low, high = np.array((-0.5, -0.5)), np.array(shape) - 0.5
    assert (line.ends_px >= low - 1e-9).all()
    assert (line.ends_px <= high + 1e-9).all()
    at_edge = np.minimum(np.abs(line.ends_px - low), np.abs(line.ends_px - high)).min(axis=1)
    assert (at_edge < 1e-9).all()  # both ends are on the border: the line is whole


@given(plane=any_plane(), other=any_plane(), shape=shapes, other_shape=shapes)
def test_both_pictures_see_the_same_line(
    plane: ImagePlane, other: ImagePlane, shape: tuple[int, int], other_shape: tuple[int, int]
) -> None:
    one = plane_crossing(plane, shape, other, other_shape).ends_patient
    two = plane_crossing(other, other_shape, plane, shape).ends_patient
    if one is None or two is None:
        ends = one if one is not None else two
        assert ends is None or np.ptp(ends, axis=0).max() < 1e-6
        return
    apart = np.linalg.norm(one[:, None] - two[None], axis=2)
    assert np.abs(apart.min(axis=1)).max() < 1e-6
    longer = plane_crossing(plane, shape, other).ends_patient
    assert longer is not None
    assert np.linalg.norm(one[1] - one[0]) <= np.linalg.norm(longer[1] - longer[0]) + 1e-9


@given(plane=any_plane(), other=any_plane(), shape=shapes)
def test_the_line_runs_down_whatever_way_the_other_faces(
    plane: ImagePlane, other: ImagePlane, shape: tuple[int, int]
) -> None:
    line = plane_crossing(plane, shape, other)
    assume(line.ends_mm is not None)
    assert line.ends_mm is not None
    (u0, v0), (u1, v1) = line.ends_mm
    assert v1 > v0 or (abs(v1 - v0) < 1e-6 and u1 > u0)
    turned = replace(other, row_cosine=other.column_cosine, column_cosine=other.row_cosine)
    back = plane_crossing(plane, shape, turned).ends_mm
    assert back is not None
    assert np.allclose(back, line.ends_mm, atol=1e-7)


def test_a_known_line() -> None:
    line = plane_crossing(SAGITTAL, (100, 200), CORONAL)
    # y = 5 is 65 mm behind the first column: column 65 / 0.7
    assert line.ends_px is not None
    assert np.allclose(line.ends_px, [[-0.5, 65 / 0.7], [99.5, 65 / 0.7]])
    level = plane_crossing(
        CORONAL, SHAPE, ImagePlane.from_dicom((0, 0, 40), (1, 0, 0, 0, 1, 0), (1, 1))
    )
    assert level.ends_mm is not None
    assert np.allclose(level.ends_mm, [(-0.5, 60.0), (179.5, 60.0)])


def one_slice(plane: ImagePlane, frame: str | None, shape: tuple[int, int] = SHAPE) -> Slice:
    return stack_of(plane, [0.0], shape, frame=frame).slice(0)


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (("1.2.9", "1.2.9"), None),
        (("1.2.9", "1.2.10"), NoCrossing.FRAMES_DIFFER),
        (("1.2.9", None), NoCrossing.NO_FRAME),
        ((None, None), NoCrossing.NO_FRAME),
    ],
)
def test_only_one_frame_of_reference_gives_a_line(
    frames: tuple[str | None, str | None], reason: NoCrossing | None
) -> None:
    line = cross_reference(one_slice(CORONAL, frames[0]), one_slice(SAGITTAL, frames[1]))
    assert line.reason is reason
    assert (line.ends_mm is None) is (reason is not None)
    assert (line.ends_px is None) is (reason is not None)
    assert reason is None or reason.meaning


def test_parallel_slices_and_slices_beside_give_no_line() -> None:
    here = one_slice(CORONAL, "1.2.9")
    behind = one_slice(replace(CORONAL, origin_mm=(-90, 9, 100)), "1.2.9")
    assert cross_reference(here, behind).reason is NoCrossing.PARALLEL
    beside = one_slice(replace(SAGITTAL, origin_mm=(-95, -60, 80)), "1.2.9")
    assert cross_reference(here, beside).reason is NoCrossing.OUTSIDE


def test_the_line_can_end_with_the_other_picture() -> None:
    coronal, sagittal = one_slice(CORONAL, "1.2.9"), one_slice(SAGITTAL, "1.2.9", (61, 200))
    whole = cross_reference(coronal, sagittal).ends_mm
    short = cross_reference(coronal, sagittal, within_other=True).ends_mm
    assert whole is not None
    assert short is not None
    assert np.allclose(whole, [(40, -0.5), (40, 127.5)])
    assert np.allclose(short, [(40, 19.75), (40, 50.25)])  # z from 80.25 to 49.75
    points = CORONAL.plane_to_patient(PlanePoints(np.array(short)))
    assert np.allclose(points, [(-50, 5, 80.25), (-50, 5, 49.75)])
