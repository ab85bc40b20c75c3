"""Series that hold more than one stack: split by what tells frames apart, else refused whole."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seriesmaker import frame_at

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom import stacks as stacks_module
from necroangle.dicom.records import FrameHeader, RepeatKeys
from necroangle.dicom.splitting import split_series
from necroangle.dicom.stacks import stack_geometry
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane
from necroangle.terms import SourceImage

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
LEFT_HIP = [60.0, 64.0, 68.0, 72.0, 76.0]
RIGHT_HIP = [-76.0, -72.0, -68.0, -64.0]

WriteSlices = Callable[..., list[Path]]
WriteEnhanced = Callable[..., Path]


def slices(
    depths_mm: Sequence[float], cosines: Sequence[float] = CORONAL, start: int = 1, **keys: Any
) -> list[FrameHeader]:
    """Slices at depths along the axis of their plane, their instance numbers in a row."""
    axis = 1 if cosines == CORONAL else 0
    frames = []
    for number, depth in enumerate(depths_mm, start=start):
        origin = [0.0, 0.0, 0.0]
        origin[axis] = depth
        repeat = RepeatKeys(**{"instance_number": number, **keys})
        plane = ImagePlane.from_dicom(origin, cosines, (0.5, 0.5))
        source = SourceImage("1", "2", f"3.{number}")
        frames.append(FrameHeader(f"f{number}", source, "MR", "stack", plane, 9, 9, repeat=repeat))
    return frames


def stacks(frames: Sequence[FrameHeader]) -> list[tuple[str, list[str]]]:
    return [
        (part.split_by, [frame.file for frame in stack_geometry(part.frames).frames])
        for part in split_series(frames)[0]
    ]


def test_two_hips_of_one_sagittal_series_are_two_stacks() -> None:
    frames = [*slices(LEFT_HIP, SAGITTAL), *slices(RIGHT_HIP, SAGITTAL, start=6)]
    parts = split_series(frames[::-1])[0]
    assert [part.split_by for part in parts] == ["slab 1 of 2", "slab 2 of 2"]
    depths = [
        [frame.plane.origin_mm[0] for frame in stack_geometry(part.frames).frames] for part in parts
    ]
    assert depths == [LEFT_HIP[::-1], RIGHT_HIP[::-1]]  # the normal points to the right


WHOLE = {
    "one slice missing": (slices([0, 4, 12, 16], SAGITTAL), "gaps"),
    "a gap of two slices": (slices([0, 4, 8, 20, 24, 28], SAGITTAL), "gaps"),
    "a short slab": (slices([0, 4, 80, 84, 88], SAGITTAL), "uneven"),
    "numbers left out": (
        [*slices([0, 4, 8], SAGITTAL), *slices([40, 44, 48], SAGITTAL, start=11)], "gaps",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("frames", "flag"), WHOLE.values(), ids=list(WHOLE))
def test_other_gaps_are_one_stack_that_says_so(frames: list[FrameHeader], flag: str) -> None:
    (part,), aside = split_series(frames)
    assert (part.split_by, aside) == ("", ())
    assert part.stack is not None
    assert part.stack.regularity.flags == (flag,)


SLABS = {
    "unequal steps": [*slices([0, 4, 8], SAGITTAL), *slices([80, 85, 90], SAGITTAL, start=4)],
    "three slabs": slices([0, 4, 8, 80, 84, 88, 160, 164, 168], SAGITTAL),
    "coronal slabs": slices([0, 4, 8, 80, 84, 88]),
}


@pytest.mark.parametrize("frames", SLABS.values(), ids=list(SLABS))
def test_slabs_of_any_step_and_plane(frames: list[FrameHeader]) -> None:
    count = len(frames) // 3
    assert [part.split_by for part in split_series(frames)[0]] == [
        f"slab {n} of {count}" for n in range(1, count + 1)
    ]


KEYS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "echo time": (
        [{"echo_time_ms": 20.0}, {"echo_time_ms": 80.5}],
        ["echo time 20 ms", "echo time 80.5 ms"],
    ),
    "echo number": ([{"echo_number": 1}, {"echo_number": 2}], ["echo 1", "echo 2"]),
    "b-value": ([{"b_value": 0.0}, {"b_value": 800.0}], ["b-value 0", "b-value 800"]),
    "time": (
        [{"temporal_position": n} for n in (1, 2, 10)],
        ["time point 1", "time point 2", "time point 10"],
    ),
    "acquisition": (
        [{"acquisition_number": 1}, {"acquisition_number": 2}],
        ["acquisition 1", "acquisition 2"],
    ),
    "dixon": (
        [{"image_words": ("M", "WATER")}, {"image_words": ("M", "FAT")}],
        ["image type magnitude fat", "image type magnitude water"],
    ),
    "words of no code": (
        [{"image_words": ("SMITH",)}, {"image_words": ("JONES",)}],
        ["image type 1", "image type 2"],
    ),
    "dimension": (
        [{"dimensions": (1, 1)}, {"dimensions": (1, 2)}],
        ["dimension 2 index 1", "dimension 2 index 2"],
    ),
    "nothing but numbers": ([{}, {}, {}], ["volume 1", "volume 2", "volume 3"]),
}


@pytest.mark.parametrize(("keys", "labels"), KEYS.values(), ids=list(KEYS))
@given(data=st.data())
def test_repeats_are_split_by_what_tells_them_apart(
    keys: list[dict[str, Any]], labels: list[str], data: st.DataObject
) -> None:
    repeats = [slices([0, 3, 6, 9], start=1 + 4 * n, **own) for n, own in enumerate(keys)]
    frames = [frame for repeat in repeats for frame in repeat]
    found = stacks(data.draw(st.permutations(frames)))
    assert [label for label, _ in found] == labels
    assert sorted(files for _, files in found) == sorted(
        [frame.file for frame in repeat] for repeat in repeats
    )


def test_echoes_within_time_points_within_hips() -> None:
    frames = [
        replace(frame, source=replace(frame.source, instance_uid=f"9.{place}.{time}.{echo}.{n}"))
        for place, hip in enumerate((LEFT_HIP, RIGHT_HIP))
        for time in (1, 2)
        for echo in (20.0, 60.0)
        for n, frame in enumerate(
            slices(hip, SAGITTAL, echo_time_ms=echo, temporal_position=time, instance_number=None)
        )
    ]
    labels = [label for label, _ in stacks(frames)]
    assert labels == [
        f"echo time {echo} ms, time point {time}, slab {slab} of 2"
        for echo in (20, 60)
        for time in (1, 2)
        for slab in (1, 2)
    ]


def test_two_places_at_the_same_depths() -> None:
    near = slices([0, 3, 6])
    far = [
        replace(f, plane=replace(f.plane, origin_mm=(150.0, f.plane.origin_mm[1], 0.0)))
        for f in slices([0, 3, 6], start=4)
    ]
    assert [label for label, _ in stacks([*near, *far])] == ["place 1", "place 2"]


def test_an_echo_that_lacks_a_slice_is_a_stack_of_its_own() -> None:
    frames = [
        *slices([0, 3, 6], echo_time_ms=20.0), *slices([0, 3], start=4, echo_time_ms=80.0),
    ]  # fmt: skip
    assert [(label, len(files)) for label, files in stacks(frames)] == [
        ("echo time 20 ms", 3), ("echo time 80 ms", 2),
    ]  # fmt: skip


def test_an_echo_that_is_not_always_said() -> None:
    frames = [
        *slices([0, 3, 6], echo_time_ms=20.0, instance_number=None),
        *slices([0, 3, 6], start=4, instance_number=None),
    ]
    assert [label for label, _ in stacks(frames)] == ["echo time 20 ms", "echo time not stated"]


def test_numbers_that_run_by_position() -> None:
    frames = [
        replace(frame, repeat=RepeatKeys(instance_number=2 * n + echo))
        for echo in (0, 1)
        for n, frame in enumerate(slices([0, 3, 6], start=1 + 3 * echo))
    ]
    assert stacks(frames) == [("volume 1", ["f1", "f2", "f3"]), ("volume 2", ["f4", "f5", "f6"])]


def test_a_second_image_of_a_position_is_set_aside() -> None:
    frames = [*slices([0, 3, 6]), *slices([3], start=4)]
    (part,), (aside,) = split_series(frames)
    assert [frame.file for frame in part.frames] == ["f1", "f2", "f3"]
    assert part.stack is not None
    assert part.stack.regularity.flags == ("doubled",)
    assert [frame.file for frame in aside.frames] == ["f4"]


UNCERTAIN = {
    "one position": slices([5, 5, 5]),
    "no numbers": slices([0, 3, 6, 0, 3, 6], instance_number=None),
}


@pytest.mark.parametrize("frames", UNCERTAIN.values(), ids=list(UNCERTAIN))
def test_what_nothing_tells_apart_stays_refused(frames: list[FrameHeader]) -> None:
    (part,) = split_series(frames)[0]
    assert (part.split_by, part.stack) == ("", None)
    with pytest.raises(DicomError, match="several echoes or time points"):
        stack_geometry(part.frames)


def test_stack_ids_part_what_is_not_regular() -> None:
    frames = [
        *slices([0, 3, 6], stack_id="7"), *slices([50, 53, 56], start=4, stack_id="B"),
    ]  # fmt: skip
    assert stacks(frames) == [("stack 1", ["f1", "f2", "f3"]), ("stack 2", ["f4", "f5", "f6"])]
    single = [*slices([0, 3], stack_id="7"), *slices([50], start=3, stack_id="B")]
    assert [part.split_by for part in split_series(single)[0]] == [""]


def test_echoes_of_two_stacks_that_overlap() -> None:
    frames = [
        replace(frame, source=replace(frame.source, instance_uid=f"9.{name}.{echo}.{n}"))
        for name, depths in (("A", [0, 3, 6]), ("B", [4, 7, 10]))
        for echo in (20.0, 60.0)
        for n, frame in enumerate(
            slices(depths, stack_id=name, echo_time_ms=echo, instance_number=None)
        )
    ]
    assert [label for label, _ in stacks(frames)] == [
        "echo time 20 ms, stack 1", "echo time 20 ms, stack 2",
        "echo time 60 ms, stack 1", "echo time 60 ms, stack 2",
    ]  # fmt: skip


def test_a_regular_stack_is_never_split() -> None:
    frames = [*slices([0, 3, 6], stack_id="1", echo_time_ms=20.0),
              *slices([9, 12, 15], start=4, stack_id="2", echo_time_ms=80.0)]  # fmt: skip
    assert [label for label, _ in stacks(frames)] == [""]


def test_forms_are_named() -> None:
    frames = slices([0, 3])
    finer = replace(frames[0].plane, row_spacing_mm=0.25, column_spacing_mm=0.25)
    others = [
        replace(frames[0], rows=18, plane=finer, source=replace(frames[0].source, instance_uid="8"))
    ]
    assert [part.split_by for part in split_series([*frames, *others])[0]] == [
        "matrix, pixel spacing"
    ] * 2


def test_files_of_two_echoes_open_as_two_volumes(tmp_path: Path, write_slices: WriteSlices) -> None:
    positions = [(0, 3.0 * k, 0) for k in range(3)] * 2
    echoes = [{"EchoTime": te} for te in (15, 15, 15, 90, 90, 90)]
    write_slices(tmp_path, positions, each=echoes)
    scan = scan_folder(tmp_path)
    assert [series.split_by for series in scan.series] == ["echo time 15 ms", "echo time 90 ms"]
    assert [series.stack_no for series in scan.series] == [1, 2]
    first, second = (read_volume(series).pixels[:, 0, 0].tolist() for series in scan.series)
    assert (first, second) == ([0, 1000, 2000], [3000, 4000, 5000])


def test_multi_frame_files_of_one_series_are_volumes(
    tmp_path: Path, write_enhanced: WriteEnhanced
) -> None:
    positions = [(0, 3.0 * k, 0) for k in range(3)]
    for number in (1, 2):
        write_enhanced(
            tmp_path / str(number), positions, SOPInstanceUID=f"1.2.{3 - number}",
            InstanceNumber=number,
        )  # fmt: skip
    scan = scan_folder(tmp_path)
    assert [(series.split_by, series.frames[0]) for series in scan.series] == [
        ("file 1", ("1/enhanced.dcm", 1)),
        ("file 2", ("2/enhanced.dcm", 1)),
    ]


def test_a_dixon_series_of_the_two_images_that_matter(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    positions = [(0, 3.0 * k, 0) for k in range(3)] * 2
    words = [["DERIVED", "PRIMARY", "DIXON", w] for w in ("WATER", "FAT") for _ in range(3)]
    write_slices(tmp_path, positions, each=[{"ImageType": word} for word in words])
    labels = [series.split_by for series in scan_folder(tmp_path).series]
    assert labels == ["image type fat", "image type water"]


@pytest.mark.parametrize("seed", range(12))
def test_slices_turned_every_which_way_are_all_accounted_for(seed: int) -> None:
    """Seen along the mean normal of a part, a position may come twice that was two before."""
    chance = np.random.default_rng(seed)
    base = np.array([[1.0, 0, 0], [0, 0, -1.0]])
    frames = []
    for number in range(400):
        turn = np.radians(180 * number / 10_000 * (1 + seed % 3))
        turned = base @ np.array(
            [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
        )
        repeat = RepeatKeys(instance_number=number)
        frames.append(frame_at(chance.uniform(-100, 100, 3), turned, f"1.2.{number}", repeat))
    parts, aside = split_series(frames)
    told = [f.file for group in (parts, aside) for one in group for f in one.frames]
    assert sorted(told) == sorted(f.file for f in frames)


def test_ten_thousand_orientations_take_no_time() -> None:
    """One against all took minutes; what is counted is comparisons, not seconds."""
    chance = np.random.default_rng(0)
    turns = np.linalg.qr(chance.normal(size=(3000, 3, 3)))[0]
    frames = [
        frame_at(np.zeros(3), turn[:2], f"1.2.{number}", RepeatKeys())
        for number, turn in enumerate(turns)
    ]
    compared = 0
    alike = stacks_module._alike

    def counted(*pair: Any) -> bool:
        nonlocal compared
        compared += 1
        return alike(*pair)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacks_module, "_alike", counted)
        groups = stacks_module.split_frames(frames)
    assert len(groups) > 2900
    assert compared < 2 * len(frames)
