"""A series into stacks: by its form, then by the largest consistent partition.

Where positions are repeated, frames are parted by what tells them apart: echo, time point and the
like first, then their numbering (:mod:`necroangle.dicom.repeats`). A key is taken where it splits
with the grain (:func:`~necroangle.dicom.repeats.bound`): it need not fit perfectly, so that an
aborted last phase or a lost slice does not lose the rest. What is left over is set aside by name.
Frames of several contrasts are never one stack, however evenly they lie.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from necroangle.dicom.records import FrameHeader
from necroangle.dicom.repeats import (
    ACQUISITION,
    CONTRAST_KEYS,
    FILE,
    ORDERS,
    STACK,
    Key,
    Labels,
    Split,
    bound,
    exact_keys,
    numbered_split,
    ranks,
    split_by,
)
from necroangle.dicom.stacks import (
    Depths,
    StackGeometry,
    allowed_step_mm,
    along_normal,
    graded,
    near_groups,
    split_frames,
    stack_geometry,
    usual_step_mm,
)

PLACE_GAP_MM = 10.0
"""Frames further apart than this within their plane, with nothing between, are of two places."""

MOST_PLACES = 8
"""More places than this are none: radial planes, or a stack that drifts."""

WITH_THE_GRAIN = 0.85
"""A key is good that keeps this much of the best partition. Of 1,200 made series the true key kept
1 without a loss, at least 0.94 with a tenth of the slices lost; wrong ones 0.51 at most."""

WEAKLY = 0.6
"""A key that keeps less is of no use; between, it is taken where nothing better is at hand."""

INCOMPLETE = 0.5
"""A part with fewer positions than this share of the largest is set aside."""

MIN_SLAB_SLICES = 3
"""A slab of fewer slices is none: a slice is missing, or does not belong."""

MIN_SLAB_GAP_MM = 20.0
MIN_SLAB_GAP_STEPS = 4
"""The gap between two slabs is at least both: nearer slabs may be one with slices missing."""

WHOLE_STEPS = 0.05
"""A gap this near to a whole number of steps, with as many numbers left out, is a hole."""

MOST_CONTRASTS = 4
"""More contrasts than this in one stack are no contrasts, but a value that drifts."""

MOST_FOREIGN = 2
"""More slices than this that lie between the others are a stack of their own."""

FEW_DOUBLES, OF_POSITIONS = 2, 6
"""So many images too many are doubled slices in a stack of so many positions, as is a tenth."""

_Pieces = list[tuple[tuple[str, ...], tuple[FrameHeader, ...], StackGeometry | None]]


@dataclass(frozen=True, slots=True)
class Part:
    """Frames that belong together, and what sets them apart from the rest of their series.

    Attributes
    ----------
    frames
        At least one.
    split_by
        In words that may be shown; empty where nothing was split. ``"volume 2"`` was told apart by
        numbering only.
    stack
        The stack that they make, or None where positions are repeated and nothing tells them apart.
    """

    frames: tuple[FrameHeader, ...]
    split_by: str
    stack: StackGeometry | None


@dataclass(frozen=True, slots=True)
class Aside:
    """Frames that belong to no stack and harm none, and why."""

    frames: tuple[FrameHeader, ...]
    reason: str


def split_series(frames: Sequence[FrameHeader]) -> tuple[tuple[Part, ...], tuple[Aside, ...]]:
    """Split the frames of one series into stacks, and into what is set aside.

    The parts and their order do not depend on the order or the names of the files. A part whose
    positions are repeated is left as it is, for :func:`stack_geometry` to refuse.

    Parameters
    ----------
    frames
        Frames of one series. Radiographs and secondary captures stay alone.

    Examples
    --------
    >>> from necroangle.dicom.records import RepeatKeys
    >>> from necroangle.geometry import ImagePlane
    >>> from necroangle.terms import SourceImage
    >>> def slice_of(echo_ms, y_mm):
    ...     plane = ImagePlane.from_dicom((0, y_mm, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.5))
    ...     source = SourceImage("1.2", "1.2.3", f"1.2.3.{echo_ms}.{y_mm}")
    ...     repeat = RepeatKeys(echo_time_ms=echo_ms)
    ...     return FrameHeader("IM", source, "MR", "stack", plane, 256, 256, repeat=repeat)
    >>> parts, _ = split_series([slice_of(te, y) for te in (20.0, 80.0) for y in (0, 3, 6)])
    >>> [(part.split_by, len(part.frames)) for part in parts]
    [('echo time 20 ms', 3), ('echo time 80 ms', 3)]
    """
    groups = split_frames(frames)
    form = _form_words(groups)
    parts: list[Part] = []
    aside: list[Aside] = []
    clusters = near_groups(groups)
    of_one = tuple(word for word in form if len(clusters) > 1 or word != "orientation")
    for near in clusters:
        joined = _jittered(near, aside) if len(near) > 1 else None
        for group in near:
            if group[0].kind != "stack":
                parts.append(Part(tuple(group), "", stack_geometry(group)))
            elif joined is None:
                for labels, members, stack in _resolved(group, frozenset(), aside):
                    parts.append(Part(members, ", ".join((*form, *labels)), stack))
        for labels, members, stack in joined or ():
            parts.append(Part(members, ", ".join((*of_one, *labels)), stack))
    return tuple(parts), tuple(aside)


def _jittered(groups: Sequence[Sequence[FrameHeader]], aside: list[Aside]) -> _Pieces | None:
    """Groups that differ by a little turn as stacks whose slices are turned against each other.

    Not where they are stacks by themselves (the slabs of a spine, radial planes), nor where what
    comes out is not even.
    """
    if all(len(group) >= MIN_SLAB_SLICES and _is_even(tuple(group)) for group in groups):
        return None
    left: list[Aside] = []
    pieces = _resolved([frame for group in groups for frame in group], frozenset(), left)
    for _, _, stack in pieces:
        if stack is None or {"uneven", "two steps"} & set(stack.regularity.flags):
            return None
    if len(pieces) >= len(groups):
        return None
    aside += left
    return pieces


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
    if len({head.source.frame_of_reference_uid for head in heads}) > 1:
        words.append("frame of reference")
    return tuple(words)


def _resolved(frames: Sequence[FrameHeader], used: frozenset[str], aside: list[Aside]) -> _Pieces:
    """The stacks of frames of one form."""
    found = along_normal(frames)
    split = None if "place" in used else _by_place(found)
    if split is None:
        if not found.has_repeats:
            return _whole(found, aside)
        split = _chosen(found, used)
    if split is None:
        first = _without_doubles(found, aside)
        if first is None:
            return [((), found.frames, None)]
        return [
            (words, members, _flagged(stack, "doubled"))
            for words, members, stack in _resolved(first, used | _IN_PLACE, aside)
        ]
    groups = _groups(found, split)
    most = max(len(set(found.places[split.labels == n].tolist())) for n in range(len(groups)))
    pieces: _Pieces = []
    for number, (label, members) in enumerate(groups):
        count = len(set(found.places[split.labels == number].tolist()))
        if split.name != "place" and count < INCOMPLETE * most:
            aside.append(Aside(members, f"incomplete: {count} of {most} positions ({label})"))
            continue
        pieces += _labelled(label, _resolved(members, used | {split.name}, aside))
    return pieces


def _groups(found: Depths, split: Split) -> list[tuple[str, tuple[FrameHeader, ...]]]:
    """The frames of each label, in the order of the labels, each in that of the positions."""
    members: list[list[FrameHeader]] = [[] for _ in split.words]
    for frame, label in zip(found.frames, split.labels.tolist(), strict=True):
        members[label].append(frame)
    return [(words, tuple(one)) for words, one in zip(split.words, members, strict=True)]


def _labelled(label: str, pieces: _Pieces) -> _Pieces:
    return [((label, *labels), members, stack) for labels, members, stack in pieces]


# --- repeated positions


def _chosen(found: Depths, used: frozenset[str]) -> Split | None:
    """What tells repeats apart: the first exact key that is good, else the numbering.

    None where a few positions are doubled, or nothing tells them apart.
    """
    best = bound(np.zeros(len(found.frames), np.intp), found.places)
    split, kept = _exact(found, used, best)
    if kept >= WITH_THE_GRAIN or found.positions == 1 or (split is None and _is_little(found)):
        return split
    orders = ((name, order(found)) for name, order in ORDERS.items() if name not in used)
    for name, labels in orders:
        if labels is not None and bound(labels, found.places) / best >= WITH_THE_GRAIN:
            return numbered_split(name, labels)
    if split is not None:
        return split
    labels = None if "rank" in used else ranks(found)
    return None if labels is None else numbered_split("rank", labels)


def _exact(found: Depths, used: frozenset[str], best: float) -> tuple[Split | None, float]:
    """The first exact key that is good, else the best that is weak; and how much it keeps."""
    most = int(np.bincount(found.places).max())
    weak: Split | None = None
    weakly = WEAKLY
    for key in exact_keys(found):
        if key.name in used or (found.positions == 1 and not key.at_one_position):
            continue
        split = split_by(found, key)
        if split is None:
            continue
        kept = bound(split.labels, found.places) / best
        if kept >= WITH_THE_GRAIN:
            return split, kept
        if kept > weakly and len(split.words) < 2 * most:
            weak, weakly = split, kept
    return weak, 0.0


def _is_little(found: Depths) -> bool:
    """Whether only a few positions are doubled."""
    surplus = len(found.frames) - found.positions
    few = FEW_DOUBLES if found.positions >= OF_POSITIONS else 1
    return surplus <= max(few, 0.1 * found.positions) and found.positions >= MIN_SLAB_SLICES


def _without_doubles(found: Depths, aside: list[Aside]) -> list[FrameHeader] | None:
    """A few positions occur twice: the first image of each, the others are set aside."""
    if not _is_little(found):
        return None
    first: dict[int, FrameHeader] = {}
    order = sorted(range(len(found.frames)), key=lambda place: _age(found.frames[place]))
    doubles = []
    for index in order:
        place = int(found.places[index])
        if place in first:
            doubles.append(found.frames[index])
        else:
            first[place] = found.frames[index]
    aside.append(Aside(tuple(doubles), "a second image of a position that another one holds"))
    return [first[place] for place in sorted(first)]


def _age(frame: FrameHeader) -> tuple[float, str, int]:
    number = frame.repeat.instance_number
    return (
        float("inf") if number is None else number,
        frame.source.instance_uid,
        frame.source.frame_number,
    )


def _flagged(stack: StackGeometry | None, flag: str) -> StackGeometry | None:
    if stack is None:
        return None
    found = stack.regularity
    flags = dict.fromkeys((*found.flags, flag))
    return replace(stack, regularity=replace(found, flags=tuple(flags)))


def _by_place(found: Depths) -> Split | None:
    """By where in its plane a frame lies: pictures of two places, at the same depths or not.

    By single linkage, so that a tilted stack, whose slices shift a little each, stays whole.
    """
    spread = found.shifts_mm - found.shifts_mm.mean(axis=0)
    if np.abs(spread).max() <= PLACE_GAP_MM / 2:
        return None
    axis = np.linalg.svd(spread, full_matrices=False)[2][0]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    along_mm = spread @ axis
    order = np.argsort(along_mm, kind="stable")
    cuts = np.diff(along_mm[order]) > PLACE_GAP_MM
    numbers = np.concatenate(([0], np.cumsum(cuts)))
    counts = np.bincount(numbers)
    if not 2 <= len(counts) <= MOST_PLACES or counts.min() < 2:
        return None
    labels = np.empty(len(order), np.intp)
    labels[order] = numbers
    return Split("place", labels, tuple(f"place {n}" for n in range(1, len(counts) + 1)))


# --- no repeated positions


_IN_PLACE = frozenset({"place"})
"""Parts of a stack without repeats lie in one place; seen along their own mean normal, turned
slices of one may repeat a position after all."""


def _whole(found: Depths, aside: list[Aside]) -> _Pieces:
    """The stacks of frames each of which has a position of its own."""
    contrasts, is_mixed = _contrasts(found)
    if contrasts is not None:
        return [
            piece
            for label, members in _groups(found, contrasts)
            for piece in _labelled(label, _resolved(members, _IN_PLACE, aside))
        ]
    stack = graded(found)
    if len(found.frames) < 3 or not stack.regularity.flags:
        return [((), stack.frames, _flagged(stack, "mixed") if is_mixed else stack)]
    ways = (
        _of_regular_parts(found, STACK, 2),
        _slabs(found),
        _of_regular_parts(found, ACQUISITION, MIN_SLAB_SLICES),
        _of_regular_parts(found, FILE, MIN_SLAB_SLICES),
    )
    for split in ways:
        if split is not None:
            return [
                piece
                for label, members in _groups(found, split)
                for piece in _labelled(label, _resolved(members, _IN_PLACE, aside))
            ]
    rest = _without_foreign(found, aside)
    if rest is not None:
        stack = graded(rest)
    return [((), stack.frames, _flagged(stack, "mixed") if is_mixed else stack)]


def _contrasts(found: Depths) -> tuple[Split | None, bool]:
    """The contrasts of a stack that holds several, and whether it does without being separable.

    Slices of a T1 and a T2 that alternate every 2 mm look like one regular stack: a wrong picture,
    which is worse than a missing one.
    """
    is_mixed = False
    for key in CONTRAST_KEYS:
        split = split_by(found, key)
        if split is None:
            continue
        groups = [members for _, members in _groups(found, split)]
        if not _interleave(found, split.labels):
            continue
        is_mixed = True
        if len(groups) <= MOST_CONTRASTS and all(map(_is_even, groups)):
            return split, False
    return None, is_mixed


def _interleave(found: Depths, labels: Labels) -> bool:
    """Whether the depths of two labels overlap."""
    ranges = [found.depths_mm[labels == label][[0, -1]] for label in range(int(labels.max()) + 1)]
    ranges.sort(key=lambda ends: (float(ends[0]), float(ends[1])))
    return any(after[0] < before[1] for before, after in pairwise(ranges))


def _is_even(frames: tuple[FrameHeader, ...]) -> bool:
    found = along_normal(frames)
    if len(frames) < MIN_SLAB_SLICES or found.has_repeats:
        return False
    return not {"uneven", "two steps"} & set(graded(found).regularity.flags)


def _is_regular(frames: tuple[FrameHeader, ...]) -> bool:
    return not stack_geometry(frames).regularity.flags


def _slabs(found: Depths) -> Split | None:
    """By gaps that no lost slice explains: the two hips of one sagittal series."""
    steps_mm = np.diff(found.depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    wide = steps_mm >= max(MIN_SLAB_GAP_MM, MIN_SLAB_GAP_STEPS * usual_mm)
    cuts = [int(k) for k in np.flatnonzero(wide) if not _is_hole(found, int(k), usual_mm)]
    sizes = np.diff([0, *(cut + 1 for cut in cuts), len(found.frames)])
    if not cuts or sizes.min() < MIN_SLAB_SLICES:
        return None
    labels = np.repeat(np.arange(len(sizes)), sizes).astype(np.intp)
    words = tuple(f"slab {n} of {len(sizes)}" for n in range(1, len(sizes) + 1))
    return Split("slab", labels, words)


def _is_hole(found: Depths, place: int, usual_mm: float) -> bool:
    """Whether a gap is a whole number of steps, and as many instance numbers are left out."""
    before, after = (found.frames[place + k].repeat.instance_number for k in (0, 1))
    if before is None or after is None:
        return False
    steps = float(np.diff(found.depths_mm)[place]) / usual_mm
    whole = round(steps)
    return abs(after - before) == whole > 1 and abs(steps - whole) <= WHOLE_STEPS * whole


def _of_regular_parts(found: Depths, key: Key, least: int) -> Split | None:
    split = split_by(found, key)
    if split is None:
        return None
    groups = [members for _, members in _groups(found, split)]
    good = all(len(members) >= least and _is_regular(members) for members in groups)
    return split if good else None


def _without_foreign(found: Depths, aside: list[Aside]) -> Depths | None:
    """The stack without one or two slices that lie between neighbours one usual step apart."""
    depths_mm = found.depths_mm
    usual_mm = usual_step_mm(np.diff(depths_mm))
    around = depths_mm[2:] - depths_mm[:-2]
    foreign = np.flatnonzero(np.abs(around - usual_mm) <= allowed_step_mm(usual_mm)) + 1
    if not 0 < len(foreign) <= min(MOST_FOREIGN, max(1, 0.1 * len(depths_mm))):
        return None
    rest = along_normal([f for k, f in enumerate(found.frames) if k not in foreign])
    if rest.has_repeats or set(graded(rest).regularity.flags) - {"gaps"}:
        return None
    frames = tuple(found.frames[k] for k in foreign)
    aside.append(Aside(frames, "a slice between two slices that follow each other"))
    return rest
