"""Frames to stacks, without a file."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.dicom.records import FrameHeader
from necroangle.dicom.stacks import split_frames, stack_geometry
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane
from necroangle.terms import SourceImage

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)  # normal: +y
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def frame(
    position: tuple[float, float, float],
    number: int = 1,
    orientation: tuple[float, ...] = CORONAL,
    spacing: tuple[float, float] = (0.5, 0.5),
) -> FrameHeader:
    return FrameHeader(
        file=f"f{number}",
        source=SourceImage("1", "2", f"3.{number}"),
        modality="MR",
        kind="stack",
        plane=ImagePlane.from_dicom(position, orientation, spacing),
        rows=10,
        columns=12,
    )


def coronal_at(*depths_mm: float) -> list[FrameHeader]:
    return [frame((0, depth, 0), number) for number, depth in enumerate(depths_mm)]


@given(st.permutations(range(7)), st.floats(0.3, 15.0))
def test_order_is_of_positions_whatever_the_order_given(order: list[int], step_mm: float) -> None:
    frames = [frame((3.0, -20 + step_mm * place, 8.0), place) for place in order]
    stack = stack_geometry(split_frames(frames)[0])
    assert [f.file for f in stack.frames] == [f"f{place}" for place in range(7)]
    assert stack.step_mm == pytest.approx(step_mm, abs=1e-9)


def test_negative_normal_orders_from_head_to_foot() -> None:
    upside_down = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # normal: -z
    frames = [frame((0, 0, z), int(z), upside_down) for z in (0.0, 3.0, 6.0)]
    assert [f.file for f in stack_geometry(frames).frames] == ["f6", "f3", "f0"]


def test_one_frame_is_a_stack_without_a_step() -> None:
    assert stack_geometry(coronal_at(5.0)).step_mm == 0


def test_rounded_positions_pass() -> None:
    stack = stack_geometry(coronal_at(0.0, 2.001, 3.999, 6.0005))
    assert stack.step_mm == pytest.approx(2, abs=2e-3)


REFUSED = {
    "two echoes": (coronal_at(0, 3, 6, 0, 3, 6), "2 images at each of 3 positions"),
    "one place": (coronal_at(5, 5, 5, 5), "4 images at one and the same position"),
    "one repeated": (coronal_at(0, 3, 6, 3), "send them as series of their own (f1, f3)"),
    "nearly repeated": (coronal_at(0, 3, 6, 3.005), "4 images at 3 positions"),
}


@pytest.mark.parametrize(("frames", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_repeated_positions_are_refused_with_figures(
    frames: list[FrameHeader], reason: str
) -> None:
    (group,) = split_frames(frames)
    with pytest.raises(DicomError) as caught:
        stack_geometry(group)
    assert reason in str(caught.value)
    assert not any(one.file in caught.value.problem for one in frames)


GRADED = {
    "missing": (coronal_at(0, 3, 9, 12), "1 slice missing behind slice 2"),
    "missing at many places": (
        coronal_at(0, 3, 9, 12, 18, 21, 27, 30),
        "1 slice missing behind slice 2, 1 slice missing behind slice 4, and at 1 more places",
    ),
    "uneven": (coronal_at(0, 3, 7.23, 10.1), "slices are not evenly spaced"),
    "two slabs": (coronal_at(0, 3, 6, 96, 99, 102), "slices are not evenly spaced"),
    "rounded": (
        coronal_at(0, 4.0, 7.9, 11.9, 15.8), "positions rounded, uncertain by 0.05 mm",
    ),
    "tilt": (
        [frame((0, 4.0 * k, 1.3 * k), k) for k in range(5)],
        "sheared (tilted gantry), 18.0° off the normal",
    ),
    "one shifted": (
        [frame((2.03 * (k == 2), 4.0 * k, 0), k) for k in range(5)],
        "slices shifted within their plane, by up to 2.030 mm",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("frames", "words"), GRADED.values(), ids=list(GRADED))
def test_what_is_no_regular_stack_is_graded_with_figures(
    frames: list[FrameHeader], words: str
) -> None:
    (group,) = split_frames(frames)
    graded = stack_geometry(group).regularity
    assert graded.words() == words
    assert graded.is_volume == (graded.flags == ("rounded",))


def test_two_frames_of_reference_are_two_groups() -> None:
    first, second = coronal_at(0, 3)
    other = replace(second, source=replace(second.source, frame_of_reference_uid="9.9"))
    known = replace(first, source=replace(first.source, frame_of_reference_uid="9.8"))
    assert [len(group) for group in split_frames([known, other])] == [1, 1]
    assert [len(group) for group in split_frames([first, other])] == [2]


def test_orientations_and_matrices_are_split_in_one_order() -> None:
    frames = [
        *coronal_at(0, 3, 6),
        frame((0, 0, 0), 10, SAGITTAL),
        frame((4, 0, 0), 11, SAGITTAL),
        replace(frame((0, 0, 0), 20), rows=20),
    ]
    groups = split_frames(frames)
    assert groups == split_frames(frames[::-1])
    assert [[f.file for f in group] for group in groups] == [
        ["f10", "f11"],
        ["f0", "f1", "f2"],
        ["f20"],
    ]


def test_pixel_spacings_are_split() -> None:
    frames = [frame((0, 0, 0), 1), frame((0, 3, 0), 2, spacing=(0.5, 0.6)), frame((0, 6, 0), 3)]
    rounded = frame((0, 9, 0), 4, spacing=(0.5, 0.5003))
    assert [[f.file for f in group] for group in split_frames([*frames, rounded])] == [
        ["f1", "f3", "f4"],
        ["f2"],
    ]


@given(st.floats(0, 3e-4))
def test_rounding_of_cosines_does_not_split(angle_rad: float) -> None:
    turned = (float(np.cos(angle_rad)), float(np.sin(angle_rad)), 0.0, 0.0, 0.0, -1.0)
    assert len(split_frames([frame((0, 0, 0), 1), frame((0, 3, 0), 2, turned)])) == 1


@given(st.floats(2e-3, 1.5))
def test_a_turn_beyond_the_tolerance_splits(angle_rad: float) -> None:
    turned = (float(np.cos(angle_rad)), float(np.sin(angle_rad)), 0.0, 0.0, 0.0, -1.0)
    assert len(split_frames([frame((0, 0, 0), 1), frame((0, 3, 0), 2, turned)])) == 2


def test_radiographs_stay_alone() -> None:
    frames = [replace(f, kind="radiograph", modality="DX") for f in coronal_at(0, 0)]
    assert [len(group) for group in split_frames(frames)] == [1, 1]
