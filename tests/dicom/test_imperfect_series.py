"""Series that hospitals send: each lists its good part, in order, with the flag of its flaw."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seriesmaker import MadeSeries, frame_at, made_series

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.records import FrameHeader, RepeatKeys, SequenceFacts
from necroangle.dicom.splitting import Part, split_series
from necroangle.dicom.stacks import StackGeometry
from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane
from necroangle.imaging import reslice

WriteSlices = Callable[..., list[Path]]

SEEDS = range(int(os.environ.get("NECROANGLE_MADE_SERIES", "150")))
FLAGS = {
    "lost": "gaps", "doubled": "doubled", "rounded": "rounded", "sheared": "sheared",
    "two steps": "two steps", "jittered": "jittered", "shifted": "shifted",
}  # fmt: skip
CORONAL = np.array([[1.0, 0, 0], [0, 0, -1.0]])
SAGITTAL = np.array([[0, 1.0, 0], [0, 0, -1.0]])


def stack_of(part: Part) -> StackGeometry:
    assert part.stack is not None
    return part.stack


def checked(made: MadeSeries) -> int:
    """How many frames are opened, after every property has been checked."""
    parts, aside = split_series(made.frames)
    stacks = [stack_of(part) for part in parts]
    opened = [frame for stack in stacks for frame in stack.frames]
    everything = [*opened, *(frame for one in aside for frame in one.frames)]
    assert sorted(f.file for f in everything) == sorted(f.file for f in made.frames)
    flags = set()
    for stack in stacks:
        volumes, places = zip(
            *(made.truth[f.source.instance_uid] for f in stack.frames), strict=True
        )
        assert len(set(volumes)) == 1, "a volume of two"
        assert list(places) in (sorted(places), sorted(places, reverse=True))
        found = set(stack.regularity.flags)
        # one slice of a phase that was aborted at once is the second image of its position
        assert found <= {FLAGS.get(made.flaw), "doubled" if made.flaw == "aborted" else None}
        flags |= found
        if not found & {"two steps", "jittered"}:
            rounding_mm = 2 * stack.regularity.uncertain_mm / (len(places) - 1)
            assert stack.step_mm == pytest.approx(made.step_mm, rel=0.005, abs=rounding_mm)
    if made.flaw in FLAGS and made.flaw != "rounded":  # small rounding is within the tolerance
        assert flags == {FLAGS[made.flaw]}
    return len(opened)


def test_made_series_keep_their_volumes_apart_and_nothing_is_lost() -> None:
    frames = opened = 0
    for seed in SEEDS:
        made = made_series(seed)
        try:
            opened += checked(made)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {made.key}, {made.flaw}: {error}") from error
        frames += len(made.frames)
    assert opened >= 0.99 * frames


@pytest.mark.parametrize("seed", range(0, 60, 7))
def test_the_listing_depends_on_no_order_and_no_name(seed: int) -> None:
    made = made_series(seed)
    renamed = [replace(f, file=f"x{n}") for n, f in enumerate(reversed(made.frames))]

    def listed(frames: Sequence[FrameHeader]) -> object:
        parts, aside = split_series(frames)
        return (
            [(p.split_by, [f.source for f in p.frames]) for p in parts],
            [(one.reason, {f.source for f in one.frames}) for one in aside],
        )

    assert listed(made.frames) == listed(renamed)


def slices(
    depths_mm: Sequence[float], start: int = 1, cosines: Any = CORONAL, **more: Any
) -> list[FrameHeader]:
    """Coronal slices at depths, their instance numbers in a row."""
    facts = SequenceFacts(**more.pop("facts", {}))
    frames = []
    for number, depth in enumerate(depths_mm, start=start):
        origin = np.zeros(3)
        origin[int(np.argmax(np.abs(np.cross(*cosines))))] = depth
        repeat = RepeatKeys(**{"instance_number": number, **more})
        frames.append(frame_at(origin, cosines, f"1.2.{number}", repeat, facts))
    return frames


def listed(frames: list[FrameHeader]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [
        (part.split_by, len(part.frames), stack_of(part).regularity.flags)
        for part in split_series(frames)[0]
    ]


T1: dict[str, Any] = {
    "echo_time_ms": 11.0,
    "facts": {"repetition_time_ms": 550.0, "scanning_sequence": ("SE",)},
}
T2 = {"echo_time_ms": 90.0, "facts": {"repetition_time_ms": 4000.0, "scanning_sequence": ("SE",)}}
PD = {"echo_time_ms": 11.0, "facts": {"repetition_time_ms": 4000.0, "scanning_sequence": ("SE",)}}
FAT_FREE = {"echo_time_ms": 11.0, "facts": {"scan_options": ("FS",)}}
MEDIUM = {**T1, "facts": {**T1["facts"], "has_medium": True}}
FLIPPED = {**T1, "facts": {**T1["facts"], "flip_angle_deg": 20.0}}


@pytest.mark.parametrize(
    "other",
    [T2, PD, FAT_FREE, MEDIUM, FLIPPED],
    ids=["T2", "PD", "fat suppressed", "contrast medium", "flip angle"],
)
def test_two_contrasts_that_alternate_are_never_one_stack(other: dict[str, Any]) -> None:
    """Every 2 mm a slice, of a T1 and another in turns: evenly spaced, and two pictures."""
    even = slices([4.0 * k for k in range(10)], 1, **T1)
    odd = slices([4.0 * k + 2 for k in range(10)], 11, **other)
    assert [(count, flags) for _, count, flags in listed([*even, *odd])] == [(10, ()), (10, ())]
    for part in split_series([*even, *odd])[0]:
        assert len({f.file in {g.file for g in even} for f in part.frames}) == 1


def test_two_contrasts_one_behind_the_other_stay_one_stack() -> None:
    front, back = slices([0, 3, 6], 1, **T1), slices([9, 12, 15], 4, **T2)
    assert [(label, count) for label, count, _ in listed([*front, *back])] == [("", 6)]


def test_contrasts_that_cannot_be_parted_are_flagged() -> None:
    frames = slices([2.0 * k for k in range(12)])
    frames = [
        replace(f, repeat=replace(f.repeat, echo_time_ms=10.0 + 5 * (n % 6)))
        for n, f in enumerate(frames)
    ]
    assert listed(frames) == [("", 12, ("mixed",))]


def test_an_aborted_last_phase_is_set_aside() -> None:
    frames = [
        frame
        for t in range(5)
        for frame in slices(
            [3.3 * k for k in range(20 if t < 4 else 7)], 20 * t + 1, temporal_position=t + 1
        )
    ]
    parts, (aside,) = split_series(frames)
    assert [(part.split_by, len(part.frames)) for part in parts] == [
        (f"time point {t}", 20) for t in (1, 2, 3, 4)
    ]
    assert (len(aside.frames), aside.reason) == (7, "incomplete: 7 of 20 positions (time point 5)")


def test_an_aborted_last_phase_told_by_its_numbers_alone() -> None:
    frames = [f for t in range(4) for f in slices([3.3 * k for k in range(20)], 20 * t + 1)]
    parts, (aside,) = split_series([*frames, *slices([3.3 * k for k in range(7)], 81)])
    assert [(part.split_by, len(part.frames)) for part in parts] == [
        (f"volume {t}", 20) for t in (1, 2, 3, 4)
    ]
    assert len(aside.frames) == 7


def test_slices_numbered_position_by_position() -> None:
    frames = [
        replace(f, repeat=RepeatKeys(instance_number=4 * place + volume + 1))
        for volume in range(4)
        for place, f in enumerate(slices([3.0 * k for k in range(20)], 20 * volume + 1))
    ]
    assert [(count, flags) for _, count, flags in listed(frames)] == [(20, ())] * 4


def test_a_lost_slice_is_a_gap() -> None:
    frames = slices([3.3 * k for k in range(20) if k != 12])
    ((_, count, flags),) = listed(frames)
    assert (count, flags) == (19, ("gaps",))
    stack = stack_of(split_series(frames)[0][0])
    assert stack.regularity.gaps == ((11, 1),)
    assert stack.step_mm == pytest.approx(3.3)


@pytest.mark.parametrize(
    ("step_mm", "turn"), [(3.96, 0.0), (3.3, 0.3)], ids=["straight", "oblique"]
)
def test_positions_rounded_to_a_tenth(step_mm: float, turn: float) -> None:
    cosines = np.array([[np.cos(turn), np.sin(turn), 0], [0, 0, -1.0]])
    normal = np.cross(*cosines)
    frames = [
        frame_at(np.round(step_mm * k * normal, 1), cosines, f"1.2.{k}", RepeatKeys())
        for k in range(20)
    ]
    (part,) = split_series(frames)[0]
    stack = stack_of(part)
    assert stack.regularity.flags == ("rounded",)
    assert stack.step_mm == pytest.approx(step_mm, rel=0.002)
    assert 0.05 <= stack.regularity.uncertain_mm <= 0.09


def test_a_slice_that_came_twice_is_set_aside() -> None:
    frames = slices([3.3 * k for k in range(20)])
    again = slices([3.3 * 7], 21)
    parts, (aside,) = split_series([*again, *frames])
    assert listed([*again, *frames]) == [("", 20, ("doubled",))]
    assert [f.file for f in aside.frames] == [again[0].file]
    assert len(parts) == 1


@pytest.mark.parametrize(("count", "places"), [(10, (3, 7)), (12, (9, 2)), (20, (1, 4, 6, 12, 17))])
def test_several_slices_that_came_twice_are_set_aside(count: int, places: tuple[int, ...]) -> None:
    """Whatever the order in which they came again: after all others, or between them."""
    frames = slices([3.3 * k for k in range(count)])
    again = [slices([3.3 * k], count + n)[0] for n, k in enumerate(places, start=1)]
    parts, aside = split_series([*again, *frames])
    assert [{f.file for f in part.frames} for part in parts] == [{f.file for f in frames}]
    assert {f.file for one in aside for f in one.frames} == {f.file for f in again}


def test_two_doubled_slices_among_the_others_numbers() -> None:
    frames = slices([3.3 * k for k in (0, 1, 2, 2, 3, 4, 5, 6, 6, 7)])
    parts, (aside,) = split_series(frames)
    assert listed(frames) == [("", 8, ("doubled",))]
    assert [f.file for f in aside.frames] == [frames[3].file, frames[8].file]
    assert len(parts) == 1


def test_a_foreign_slice_among_few_is_set_aside() -> None:
    frames = slices([4.0 * k for k in range(8)])
    foreign = slices([4.0 * 3 + 1.3], 21)
    parts, (aside,) = split_series([*frames, *foreign])
    assert [f.file for f in aside.frames] == [foreign[0].file]
    assert [stack_of(part).regularity.flags for part in parts] == [()]


def test_volumes_told_by_pauses_though_two_slices_have_one_time() -> None:
    frames = [
        replace(f, repeat=RepeatKeys(stored_s=30.0 * volume + 0.1 * (place // 2)))
        for volume in range(3)
        for place, f in enumerate(slices([3.0 * k for k in range(12)], 20 * volume + 1))
    ]
    assert [(count, flags) for _, count, flags in listed(frames)] == [(12, ())] * 3


def test_two_steps_are_one_stack_that_says_so() -> None:
    depths = [*(2.5 * k for k in range(12)), *(27.5 + 7.5 * k for k in range(1, 9))]
    (part,) = split_series(slices(depths))[0]
    stack = stack_of(part)
    assert stack.regularity.flags == ("two steps",)
    assert stack.regularity.runs == ((11, 2.5), (8, 7.5))


@pytest.mark.parametrize("cosines", [CORONAL, SAGITTAL], ids=["coronal", "sagittal"])
def test_two_slabs_in_any_plane(cosines: Any) -> None:
    near = slices([4.0 * k for k in range(6)], 1, cosines)
    far = slices([200.0 + 4 * k for k in range(6)], 7, cosines)
    assert listed([*near, *far]) == [("slab 1 of 2", 6, ()), ("slab 2 of 2", 6, ())]


def test_a_slice_that_lies_between_two_others_is_set_aside() -> None:
    frames = slices([4.0 * k for k in range(20)])
    foreign = slices([4.0 * 7 + 1.3], 21)
    parts, (aside,) = split_series([*frames, *foreign])
    assert [f.file for f in aside.frames] == [foreign[0].file]
    assert stack_of(parts[0]).regularity.flags == ()


def test_slices_further_apart_than_any_patient_is_long_are_refused(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path / "a", [(0, 0, 0), (0, 90_000.0, 0)])
    write_slices(tmp_path / "b", [(0, 0, 0), (0, 300.0, 0)], SeriesInstanceUID="1.2.3.5")
    scan = scan_folder(tmp_path)
    assert [len(series) for series in scan.series] == [2]
    (refusal,) = scan.refused
    assert (refusal.files, refusal.tag) == (2, "ImagePositionPatient")
    assert refusal.reason == "neighbouring slices lie 90000 mm apart: beyond any patient"


def test_frames_of_reference_are_split_and_one_that_is_silent_joins() -> None:
    first, second = slices([0, 3, 6]), slices([9, 12, 15], 4)

    def of(frames: list[FrameHeader], uid: str | None) -> list[FrameHeader]:
        return [replace(f, source=replace(f.source, frame_of_reference_uid=uid)) for f in frames]

    assert listed([*of(first, "1.5"), *of(second, "1.6")]) == [
        ("frame of reference", 3, ()),
        ("frame of reference", 3, ()),
    ]
    assert [count for _, count, _ in listed([*of(first, "1.5"), *of(second, None)])] == [6]


def test_a_stack_with_a_lost_slice_is_read_and_not_resliced(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    """Every present slice keeps the very plane that it has in the full stack."""
    places = [(0, 3.3 * k, 0) for k in range(8)]
    paths = write_slices(tmp_path, places)
    (whole,) = scan_folder(tmp_path).series
    full = read_volume(whole)
    paths[5].unlink()
    (lacking,) = scan_folder(tmp_path).series
    assert lacking.regularity.flags == ("gaps",)
    volume = read_volume(lacking)
    kept = [place for place in range(8) if place != 5]
    assert volume.planes == tuple(full.planes[place] for place in kept)
    assert np.array_equal(volume.pixels, full.pixels[kept])
    plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1))
    with pytest.raises(PlaneError, match="1 slice missing behind slice 5; read it in its slices"):
        reslice(volume, plane, (4, 4))
    assert reslice(full, plane, (4, 4)).shape == (4, 4)


def test_what_is_set_aside_is_told_and_counted(tmp_path: Path, write_slices: WriteSlices) -> None:
    places = [(0, 3.3 * k, 0) for k in range(10)]
    times = [{"TemporalPositionIdentifier": t} for t in (1, 2) for _ in range(10)]
    write_slices(tmp_path, [*places, *places[:3]], each=times[:13])
    scan = scan_folder(tmp_path)
    assert [len(series) for series in scan.series] == [10]
    (aside,) = scan.aside
    assert (aside.files, aside.stage) == (3, "aside")
    assert aside.reason == "incomplete: 3 of 10 positions (time point 2)"
    tally = scan.tally()
    assert (tally.opened, tally.aside, tally.refused) == (10, 3, 0)
    assert tally.walked == scan.walked == 13
