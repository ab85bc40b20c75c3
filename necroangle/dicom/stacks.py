"""Frames of a series to regular stacks.

Repeated positions are split by echo, time point and the like only where each part then holds
every position exactly once; two slabs of one sagittal series only where both are regular, with
one and the same step. What is not certain stays whole, and is refused with its reason.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.records import FrameHeader
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane

__all__ = [
    "POSITION_TOLERANCE_MM",
    "Part",
    "allowed_step_mm",
    "split_frames",
    "split_series",
    "stack_geometry",
    "usual_step_mm",
]

POSITION_TOLERANCE_MM = 0.01
"""Frames nearer to each other than this along the normal stand at the same position."""

STEP_TOLERANCE_MM = 0.01
"""Steps between slices may differ by this from the usual step: positions are rounded in files."""

STEP_TOLERANCE = 0.01
"""Or by this share of the usual step, whichever is more."""


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """Frames in order of their position along the normal of one of them.

    Attributes
    ----------
    frames
        Nearest the tail of the normal first.
    depths_mm
        (N,) distance of each from the first, along the normal.
    shifts_mm
        (N, 3) patient LPS mm: how far each is shifted against the first within its plane.
    """

    frames: tuple[FrameHeader, ...]
    depths_mm: NDArray[np.float64]
    shifts_mm: NDArray[np.float64]


def along_normal(frames: Sequence[FrameHeader]) -> Depths:
    """Order frames of one orientation, at least one, by position."""
    normal = frames[0].plane.normal
    origins = np.array([frame.plane.origin_mm for frame in frames])
    order = np.argsort(origins @ normal, kind="stable")
    offsets = origins[order] - origins[order[0]]
    depths_mm = offsets @ normal
    shifts_mm = offsets - np.outer(depths_mm, normal)
    return Depths(tuple(frames[index] for index in order), depths_mm, shifts_mm)


def usual_step_mm(steps_mm: NDArray[np.float64]) -> float:
    """The median of the steps, the lower one of two: always a step that is there."""
    return float(np.sort(steps_mm)[(len(steps_mm) - 1) // 2])


def allowed_step_mm(usual_mm: float) -> float:
    """By how much a step may differ from the usual one."""
    return max(STEP_TOLERANCE_MM, STEP_TOLERANCE * usual_mm)


ORIENTATION_TOLERANCE = 1e-3
"""Frames whose direction cosines differ by more than this are different orientations."""

SPACING_TOLERANCE = 1e-3
"""Frames whose pixel spacings differ by more than this share are of different stacks."""

MAX_MISSING = 10
"""A gap of more slices than this is called a gap, not missing slices."""

SHIFT_TOLERANCE_MM = 0.05
"""How far a slice may be shifted within its plane against the first one."""

SHIFT_TOLERANCE = 0.005
"""Or this share of the stack's length (0.3° of shear), whichever is more."""


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """Frames in order of position along their common normal.

    Attributes
    ----------
    frames
        Positions grow along row cosine x column cosine.
    step_mm
        Median distance between neighbours along the normal; 0 for one frame.
    """

    frames: tuple[FrameHeader, ...]
    step_mm: float


def split_frames(frames: Sequence[FrameHeader]) -> tuple[tuple[FrameHeader, ...], ...]:
    """Split the frames of one series by modality, matrix, pixel spacing and orientation.

    The groups and their order do not depend on the order or the names of the files.

    Parameters
    ----------
    frames
        Frames of one series. Radiographs and secondary captures stay alone, one a group.
    """
    groups: list[list[FrameHeader]] = []
    for frame in sorted(frames, key=_sort_key):
        for group in groups:
            if _alike(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return tuple(tuple(group) for group in groups)


def stack_geometry(frames: Sequence[FrameHeader]) -> StackGeometry:
    """Order frames of one orientation and matrix by position, and find their step.

    Parameters
    ----------
    frames
        One group of :func:`split_frames`, at least one frame.

    Raises
    ------
    DicomError
        If frames of reference differ, positions are repeated, steps differ (a slice is missing),
        or slices are shifted within their plane (gantry tilt).

    Examples
    --------
    >>> from necroangle.geometry import ImagePlane
    >>> from necroangle.terms import SourceImage
    >>> def coronal(y_mm):
    ...     plane = ImagePlane.from_dicom((0, y_mm, 0), (1, 0, 0, 0, 0, -1), (0.5, 0.5))
    ...     source = SourceImage("1.2", "1.2.3", f"1.2.3.{y_mm}")
    ...     return FrameHeader(f"IM{y_mm}", source, "MR", "stack", plane, 256, 256)
    >>> stack = stack_geometry([coronal(6), coronal(0), coronal(3)])
    >>> [frame.file for frame in stack.frames], stack.step_mm
    (['IM0', 'IM3', 'IM6'], 3.0)
    >>> stack_geometry([coronal(0), coronal(3), coronal(9)])
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: ImagePositionPatient: slices are not evenly spaced: usually
    3.000 mm, 6.000 mm (1 missing), 1 such gap (IM3, IM9)
    """
    _check_same_frame(frames)
    found = along_normal(frames)
    if len(frames) == 1:
        return StackGeometry(found.frames, 0.0)
    _check_repeats(found.frames, found.depths_mm)
    _check_steps(found.frames, found.depths_mm)
    _check_shift(found.shifts_mm, found.depths_mm)
    return StackGeometry(found.frames, float(np.median(np.diff(found.depths_mm))))


def _sort_key(frame: FrameHeader) -> tuple[object, ...]:
    plane, source = frame.plane, frame.source
    return (
        frame.modality,
        frame.rows,
        frame.columns,
        frame.inverted,
        plane.row_spacing_mm,
        plane.column_spacing_mm,
        plane.row_cosine,
        plane.column_cosine,
        plane.origin_mm,
        source.instance_uid,
        source.frame_number,
    )


def _alike(first: FrameHeader, other: FrameHeader) -> bool:
    if (first.kind, other.kind) != ("stack", "stack"):
        return False
    if _form(first) != _form(other) or not _same_spacing(first.plane, other.plane):
        return False
    pairs = zip(_cosines(first), _cosines(other), strict=True)
    return all(abs(one - two) <= ORIENTATION_TOLERANCE for one, two in pairs)


def _form(frame: FrameHeader) -> tuple[object, ...]:
    return frame.modality, frame.rows, frame.columns, frame.inverted, frame.tiles_per_side


def _same_spacing(first: ImagePlane, other: ImagePlane) -> bool:
    return all(
        abs(one - two) <= SPACING_TOLERANCE * min(one, two)
        for one, two in (
            (first.row_spacing_mm, other.row_spacing_mm),
            (first.column_spacing_mm, other.column_spacing_mm),
        )
    )


def _cosines(frame: FrameHeader) -> tuple[float, ...]:
    return (*frame.plane.row_cosine, *frame.plane.column_cosine)


def _check_same_frame(frames: Sequence[FrameHeader]) -> None:
    if len({frame.source.frame_of_reference_uid for frame in frames}) > 1:
        raise DicomError(
            "several frames of reference in one stack: positions cannot be compared",
            tag="FrameOfReferenceUID",
        )


def _check_repeats(frames: Sequence[FrameHeader], depths_mm: NDArray[np.float64]) -> None:
    same = np.diff(depths_mm) < POSITION_TOLERANCE_MM
    at: tuple[str, ...] = ()
    if not same.any():
        return
    counts = np.bincount(np.concatenate(([0], np.cumsum(~same))))
    if len(counts) == 1:
        found = f"{counts[0]} images at one and the same position"
    elif counts.min() == counts.max():
        found = f"{counts[0]} images at each of {len(counts)} positions"
    else:
        index = int(np.argmax(same))
        found = f"{len(frames)} images at {len(counts)} positions"
        at = (frames[index].file, frames[index + 1].file)
    raise DicomError(
        f"{found}: several echoes or time points in one series, or copies; one image a position "
        "is needed, so send them as series of their own",
        tag="ImagePositionPatient",
        at=at,
    )


def _check_steps(frames: Sequence[FrameHeader], depths_mm: NDArray[np.float64]) -> None:
    steps_mm = np.diff(depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    allowed_mm = allowed_step_mm(usual_mm)
    odd = np.flatnonzero(np.abs(steps_mm - usual_mm) > allowed_mm)
    if not len(odd):
        return
    index = int(odd[0])
    missing = round(steps_mm[index] / usual_mm) - 1
    whole = abs(steps_mm[index] - (missing + 1) * usual_mm) <= allowed_mm
    hint = f"{missing} missing" if whole and 0 < missing <= MAX_MISSING else "uneven"
    raise DicomError(
        f"slices are not evenly spaced: usually {usual_mm:.3f} mm, {steps_mm[index]:.3f} mm "
        f"({hint}), {len(odd)} such {'gap' if len(odd) == 1 else 'gaps'}",
        tag="ImagePositionPatient",
        at=(frames[index].file, frames[index + 1].file),
    )


def _check_shift(shifts_mm: NDArray[np.float64], depths_mm: NDArray[np.float64]) -> None:
    sizes_mm = np.linalg.norm(shifts_mm, axis=1)
    length_mm = float(depths_mm[-1])
    if sizes_mm.max() <= max(SHIFT_TOLERANCE_MM, SHIFT_TOLERANCE * length_mm):
        return
    steps = np.diff(shifts_mm, axis=0)
    per_step_mm = float(np.linalg.norm(steps.mean(axis=0)))
    even = bool(np.all(np.linalg.norm(steps - steps.mean(axis=0), axis=1) <= 0.1 * per_step_mm))
    if even:
        tilt_deg = float(np.degrees(np.arctan2(sizes_mm[-1], length_mm)))
        raise DicomError(
            f"sheared stack (tilted gantry): each slice lies {per_step_mm:.3f} mm further within "
            f"its plane, {tilt_deg:.1f}° off the normal",
            tag="ImagePositionPatient",
        )
    raise DicomError(
        f"slices are shifted against each other within their plane, by up to "
        f"{sizes_mm.max():.3f} mm",
        tag="ImagePositionPatient",
    )


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
    >>> from necroangle.dicom.records import RepeatKeys
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
