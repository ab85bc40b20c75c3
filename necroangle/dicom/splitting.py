"""A series into stacks: by its form, then, where a stack is not regular, by what tells it apart.

Repeated positions are split by echo, time point and the like only where each part then holds
every position exactly once; two slabs of one sagittal series only where both are regular, with
one and the same step. What is not certain stays whole, and is refused with its reason.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from necroangle.dicom.depths import (
    POSITION_TOLERANCE_MM,
    Depths,
    allowed_step_mm,
    along_normal,
    usual_step_mm,
)
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.separators import SEPARATORS, Labelled, grouped
from necroangle.dicom.stack import StackGeometry, split_frames, stack_geometry
from necroangle.errors import DicomError

__all__ = ["Part", "split_series"]

MIN_SLAB_SLICES = 3
"""A slab of fewer slices is none: a slice is missing, or does not belong."""

MIN_SLAB_GAP_MM = 20.0
MIN_SLAB_GAP_STEPS = 4
"""The gap between two slabs is at least both: nearer slabs may be one with slices missing."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames that belong together, and what sets them apart from the rest of their series.

    Attributes
    ----------
    frames
        At least one.
    split_by
        In words that may be shown; empty where nothing was split.
    stack
        The regular stack that they make, or None where they make none.
    """

    frames: tuple[FrameHeader, ...]
    split_by: str
    stack: StackGeometry | None


Stacks = list[tuple[tuple[str, ...], StackGeometry]]


def split_series(frames: Sequence[FrameHeader]) -> tuple[Part, ...]:
    """Split the frames of one series into stacks.

    The parts and their order do not depend on the order or the names of the files. A part that
    is no regular stack is left as it is, for :func:`stack_geometry` to refuse.

    Parameters
    ----------
    frames
        Frames of one series. Radiographs and secondary captures stay alone.

    Examples
    --------
    >>> from necroangle.dicom.facts import RepeatKeys
    >>> from necroangle.geometry import ImagePlane
    >>> from necroangle.terms import SourceImage
    >>> def slice_of(echo_ms, y_mm):
    ...     plane = ImagePlane.from_dicom((0, y_mm, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.5))
    ...     source = SourceImage("1.2", "1.2.3", f"1.2.3.{echo_ms}.{y_mm}")
    ...     repeat = RepeatKeys(echo_time_ms=echo_ms)
    ...     return FrameHeader("IM", source, "MR", "stack", plane, 256, 256, repeat=repeat)
    >>> parts = split_series([slice_of(te, y) for te in (20.0, 80.0) for y in (0, 3, 6)])
    >>> [(part.split_by, len(part.frames)) for part in parts]
    [('echo time 20 ms', 3), ('echo time 80 ms', 3)]
    """
    groups = split_frames(frames)
    form = _form_words(groups)
    parts: list[Part] = []
    for group in groups:
        own = form if group[0].kind == "stack" else ()
        stacks = _resolved(group, tuple(SEPARATORS))
        if stacks is None:
            parts.append(Part(tuple(group), ", ".join(own), None))
            continue
        for labels, stack in stacks:
            parts.append(Part(stack.frames, ", ".join((*own, *labels)), stack))
    return tuple(parts)


def _form_words(groups: Sequence[Sequence[FrameHeader]]) -> tuple[str, ...]:
    heads = [group[0] for group in groups if group[0].kind == "stack"]
    looks: dict[str, Callable[[FrameHeader], Hashable]] = {
        "modality": lambda frame: frame.modality,
        "matrix": lambda frame: (frame.rows, frame.columns),
        "polarity": lambda frame: frame.inverted,
    }
    words = [name for name, look in looks.items() if len({look(head) for head in heads}) > 1]
    spacings = [(h.plane.row_spacing_mm, h.plane.column_spacing_mm) for h in heads]
    cosines = [(*h.plane.row_cosine, *h.plane.column_cosine) for h in heads]
    if len(heads) > 1 and np.any(np.ptp(spacings, axis=0) > 1e-3 * np.min(spacings, axis=0)):
        words.append("pixel spacing")
    if len(heads) > 1 and np.ptp(cosines, axis=0).max() > 1e-3:
        words.append("orientation")
    return tuple(words)


def _resolved(frames: Sequence[FrameHeader], separators: Sequence[str]) -> Stacks | None:
    """The regular stacks of a group; None where it cannot be split for certain."""
    whole = _regular(frames)
    if whole is not None:
        return [((), whole)]
    parts, rest = _first_split(frames, separators)
    stacks: Stacks = []
    for label, members in parts:
        inner = _resolved(members, rest)
        if inner is None:
            return None
        stacks += [((label, *labels), kept) for labels, kept in inner]
    return stacks or None


def _regular(frames: Sequence[FrameHeader]) -> StackGeometry | None:
    try:
        return stack_geometry(frames)
    except DicomError:
        return None


def _first_split(
    frames: Sequence[FrameHeader], separators: Sequence[str]
) -> tuple[Labelled, Sequence[str]]:
    depths = along_normal(frames)
    places = _places(depths)
    count = int(places.max()) + 1
    if count == len(frames):
        return _by_stack_id(frames) or _slabs(depths), ()
    if count == 1:
        return [], ()
    place_of = {id(f): int(place) for f, place in zip(depths.frames, places, strict=True)}
    for number, name in enumerate(separators):
        parts = SEPARATORS[name](depths, place_of)
        if len(parts) > 1 and all(
            len({place_of[id(frame)] for frame in members}) == count for _, members in parts
        ):
            return parts, separators[number + 1 :]
    return _by_stack_id(frames), separators


def _places(depths: Depths) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The number of each frame's position along the normal, from 0."""
    apart = np.diff(depths.depths_mm) >= POSITION_TOLERANCE_MM
    return np.concatenate(([0], np.cumsum(apart))).astype(np.intp)


def _slabs(depths: Depths) -> Labelled:
    steps_mm = np.diff(depths.depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    odd = np.flatnonzero(np.abs(steps_mm - usual_mm) > allowed_step_mm(usual_mm))
    if len(odd) != 1 or depths.frames[0].plane.name().name != "sagittal":
        return []
    cut = int(odd[0]) + 1
    gap_mm = float(steps_mm[cut - 1])
    halves = [list(depths.frames[:cut]), list(depths.frames[cut:])]
    wide = gap_mm >= max(MIN_SLAB_GAP_MM, MIN_SLAB_GAP_STEPS * usual_mm)
    whole = min(map(len, halves)) >= MIN_SLAB_SLICES
    if not wide or not whole or _numbers_are_missing(halves, gap_mm, usual_mm):
        return []
    return [(f"slab {number} of 2", half) for number, half in enumerate(halves, start=1)]


def _numbers_are_missing(halves: list[list[FrameHeader]], gap_mm: float, usual_mm: float) -> bool:
    """Whether as many instance numbers are left out as slices fit the gap: a hole, no gap."""
    before, after = (f.repeat.instance_number for f in (halves[0][-1], halves[1][0]))
    if before is None or after is None:
        return False
    return abs(after - before) == round(gap_mm / usual_mm) > 1


def _by_stack_id(frames: Sequence[FrameHeader]) -> Labelled:
    groups = grouped(frames, lambda frame: frame.repeat.stack_id)
    if len(groups) < 2 or min(len(members) for _, members in groups) < 2:
        return []
    return [(f"stack {number}", members) for number, (_, members) in enumerate(groups, start=1)]
