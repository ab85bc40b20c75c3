"""What can tell apart frames that stand at one position, as functions that try to part them."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from necroangle.dicom.depths import Depths
from necroangle.dicom.records import FrameHeader

__all__ = ["SEPARATORS", "Labelled", "grouped"]

PLACE_TOLERANCE_MM = 10.0
"""Frames shifted against each other within their plane by more are of different places."""

_WORDS = {
    "W": "water", "WATER": "water", "F": "fat", "FAT": "fat",
    "IP": "in phase", "IN_PHASE": "in phase", "OP": "out of phase", "OUT_PHASE": "out of phase",
    "OPP_PHASE": "out of phase", "M": "magnitude", "MAGNITUDE": "magnitude", "P": "phase",
    "PHASE": "phase", "R": "real", "REAL": "real", "I": "imaginary", "IMAGINARY": "imaginary",
}  # fmt: skip
"""Words of ``ImageType`` that may be shown."""


Labelled = list[tuple[str, list[FrameHeader]]]
Separator = Callable[[Depths, dict[int, int]], Labelled]


def grouped(
    frames: Sequence[FrameHeader], look: Callable[[FrameHeader], Hashable]
) -> list[tuple[Hashable, list[FrameHeader]]]:
    """Frames by a value, smallest first; nothing where one frame has none."""
    groups: dict[Hashable, list[FrameHeader]] = defaultdict(list)
    for frame in frames:
        groups[look(frame)].append(frame)
    if None in groups or () in groups:
        return []
    return sorted(groups.items(), key=lambda pair: pair[0])  # type: ignore[arg-type,return-value]


def _by_value(
    look: Callable[[FrameHeader], Hashable], label: Callable[[Hashable, int], str]
) -> Separator:
    def separate(depths: Depths, _: dict[int, int]) -> Labelled:
        groups = grouped(depths.frames, look)
        return [(label(value, n), members) for n, (value, members) in enumerate(groups, start=1)]

    return separate


def _by_place(depths: Depths, _: dict[int, int]) -> Labelled:
    """By where in its plane a frame lies: pictures of two places at the same depths."""
    firsts: list[int] = []
    members: list[list[FrameHeader]] = []
    for index, frame in enumerate(depths.frames):
        shifts = np.linalg.norm(depths.shifts_mm[firsts] - depths.shifts_mm[index], axis=1)
        near = np.flatnonzero(shifts <= PLACE_TOLERANCE_MM)
        if len(near):
            members[int(near[0])].append(frame)
        elif len(firsts) < 8:
            firsts.append(index)
            members.append([frame])
        else:
            return []
    return [(f"place {number}", group) for number, group in enumerate(members, start=1)]


def _by_dimension(depths: Depths, place_of: dict[int, int]) -> Labelled:
    """By a dimension index of an enhanced image: the first one that sets frames apart cleanly."""
    count = min(len(frame.repeat.dimensions) for frame in depths.frames)
    repeats = len(depths.frames) // len(set(place_of.values()))
    for axis in range(count):
        groups = grouped(depths.frames, lambda frame: frame.repeat.dimensions[axis])  # noqa: B023
        if len(groups) == repeats > 1:
            return [(f"dimension {axis + 1} index {v}", members) for v, members in groups]
    return []


def _by_file(depths: Depths, _: dict[int, int]) -> Labelled:
    """By the file of multi-frame images, each of which is a volume."""
    groups = grouped(
        depths.frames, lambda f: (f.repeat.instance_number or 0, f.source.instance_uid)
    )
    return [(f"file {number}", members) for number, (_, members) in enumerate(groups, start=1)]


def _by_block(depths: Depths, place_of: dict[int, int]) -> Labelled:
    """By runs of instance numbers, each of which holds every position once."""
    groups = grouped(depths.frames, lambda frame: frame.repeat.instance_number)
    if len(groups) != len(depths.frames):
        return []
    ordered = [frame for _, (frame,) in groups]
    size = len({*place_of.values()})
    blocks = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    if any(len({place_of[id(frame)] for frame in block}) != size for block in blocks):
        return []
    return [(f"volume {number}", block) for number, block in enumerate(blocks, start=1)]


def _word(value: Hashable, number: int) -> str:
    words = value if isinstance(value, tuple) else ()
    known = dict.fromkeys(_WORDS[word] for word in words if word in _WORDS)
    return "image type " + (" ".join(known) or str(number))


SEPARATORS: dict[str, Separator] = {
    "place": _by_place,
    "image type": _by_value(lambda f: f.repeat.image_words, _word),
    "echo time": _by_value(
        lambda f: None if f.repeat.echo_time_ms is None else round(f.repeat.echo_time_ms, 2),
        lambda value, _: f"echo time {value:g} ms",
    ),
    "echo": _by_value(lambda f: f.repeat.echo_number, lambda value, _: f"echo {value}"),
    "b-value": _by_value(lambda f: f.repeat.b_value, lambda value, _: f"b-value {value:g}"),
    "time point": _by_value(
        lambda f: f.repeat.temporal_position, lambda value, _: f"time point {value}"
    ),
    "acquisition": _by_value(
        lambda f: f.repeat.acquisition_number, lambda value, _: f"acquisition {value}"
    ),
    "dimension": _by_dimension,
    "file": _by_file,
    "volume": _by_block,
}
"""What can tell frames at one position apart, the surest and most telling first."""
