"""Which frames can make one stack, in which order, and how regular it is.

Positions and orientations decide: never the file name, the instance number, the slice thickness
or the stated spacing between slices. What is not regular is graded, not refused: each slice can be
read in its own plane, and only what needs a regular volume is withheld.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.records import REGULAR, FrameHeader, Regularity
from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane

POSITION_TOLERANCE_MM = 0.01
"""Frames nearer to each other than this along the normal stand at the same position."""

STEP_TOLERANCE_MM = 0.01
"""Steps between slices may differ by this from the usual step: positions are rounded in files."""

STEP_TOLERANCE = 0.01
"""Or by this share of the usual step, whichever is more."""

ORIENTATION_TOLERANCE = 1e-3
"""Frames whose direction cosines differ by more than this are different orientations."""

LOOSE_ORIENTATION_DEG = 1.0
"""Slices turned by less than this against each other may still be one jittered stack."""

SPACING_TOLERANCE = 1e-3
"""Frames whose pixel spacings differ by more than this share are of different stacks."""

EVEN_MM = 1e-3
"""Steps of even slices differ by less than this where positions are not rounded."""

SHIFT_TOLERANCE_MM = 0.05
"""How far a slice may be shifted within its plane against the first one."""

SHIFT_TOLERANCE = 0.005
"""Or this share of the stack's length (0.3° of shear), whichever is more."""

ROUNDED_TO_MM = (10.0, 1.0, 0.1)
"""Grids that files round positions to. A finer one stays within the tolerance of a step."""

MOST_MISSING = 0.6
"""Where more than this share of the slices would be missing, what is there is only uneven."""

MOST_RUNS = 3
"""Stretches of one step each: more of them are only uneven."""

LONG_RUN = 3
"""Fewer double steps in a row are missing slices, and no step of their own."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Depths:
    """Frames in order of their position along a normal; all arrays stand beside the frames.

    Attributes
    ----------
    frames
        Nearest the tail of the normal first.
    depths_mm
        (N,) distance of each from the first, along the normal.
    shifts_mm
        (N, 3) patient LPS mm: how far each is shifted against the first within its plane.
    places
        (N,) number of each one's position along the normal, from 0.
    normal
        (3,) the normal.
    """

    frames: tuple[FrameHeader, ...]
    depths_mm: Numbers
    shifts_mm: Numbers
    places: NDArray[np.intp]
    normal: Numbers

    @property
    def positions(self) -> int:
        """How many different positions there are."""
        return int(self.places[-1]) + 1

    @property
    def has_repeats(self) -> bool:
        """Whether a position occurs more than once."""
        return self.positions < len(self.frames)


@dataclass(frozen=True, slots=True)
class StackGeometry:
    """Frames in order of position along their common normal.

    Attributes
    ----------
    frames
        Positions grow along row cosine x column cosine.
    step_mm
        Distance between neighbours along the normal: the median, or fitted where positions are
        rounded or slices are missing; 0 for one frame.
    regularity
        Whether they are evenly spaced, and if not, how.
    """

    frames: tuple[FrameHeader, ...]
    step_mm: float
    regularity: Regularity = REGULAR


def split_frames(frames: Sequence[FrameHeader]) -> tuple[tuple[FrameHeader, ...], ...]:
    """Split the frames of one series by what no stack can mix.

    That is modality, matrix, pixel spacing, frame of reference and orientation. The groups and
    their order do not depend on the order or the names of the files.

    Parameters
    ----------
    frames
        Frames of one series. Radiographs and secondary captures stay alone, one a group.
    """
    known = {f.source.frame_of_reference_uid for f in frames} - {None}
    only = next(iter(known)) if len(known) == 1 else None
    groups: list[list[FrameHeader]] = []
    near = _Neighbours(ORIENTATION_TOLERANCE)
    for frame in sorted(frames, key=_sort_key):
        cosines = _cosines(frame)
        alike = (number for number in near.of(cosines) if _alike(groups[number][0], frame, only))
        number = next(alike, len(groups))
        if number == len(groups):
            groups.append([])
            near.add(cosines, number)
        groups[number].append(frame)
    return tuple(tuple(group) for group in groups)


def along_normal(frames: Sequence[FrameHeader]) -> Depths:
    """Order frames of one orientation, at least one, by position."""
    normal = np.asarray(frames[0].plane.normal, float)
    if not _is_tight(frames):
        mean = np.mean([frame.plane.normal for frame in frames], axis=0)
        normal = mean / np.linalg.norm(mean)
    origins = np.array([frame.plane.origin_mm for frame in frames])
    order = np.argsort(origins @ normal, kind="stable")
    offsets = origins[order] - origins[order[0]]
    depths_mm = offsets @ normal
    shifts_mm = offsets - np.outer(depths_mm, normal)
    apart = np.diff(depths_mm) >= POSITION_TOLERANCE_MM
    places = np.concatenate(([0], np.cumsum(apart))).astype(np.intp)
    return Depths(tuple(frames[k] for k in order), depths_mm, shifts_mm, places, normal)


def usual_step_mm(steps_mm: Numbers) -> float:
    """The median of the steps, the lower one of two: always a step that is there."""
    return float(np.sort(steps_mm)[(len(steps_mm) - 1) // 2])


def allowed_step_mm(usual_mm: float) -> float:
    """By how much a step may differ from the usual one."""
    return max(STEP_TOLERANCE_MM, STEP_TOLERANCE * usual_mm)


def stack_geometry(frames: Sequence[FrameHeader]) -> StackGeometry:
    """Order frames of one orientation and matrix by position, find their step, and grade them.

    Parameters
    ----------
    frames
        At least one, each at a position of its own.

    Raises
    ------
    DicomError
        If positions are repeated.

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
    >>> stack_geometry([coronal(0), coronal(3), coronal(9)]).regularity.words()
    '1 slice missing behind slice 2'
    """
    return graded(along_normal(frames))


def graded(found: Depths) -> StackGeometry:
    """The stack of frames in order, as :func:`stack_geometry`.

    Raises
    ------
    DicomError
        If positions are repeated.
    """
    if len(found.frames) == 1:
        return StackGeometry(found.frames, 0.0)
    if found.has_repeats:
        raise _repeats(found)
    grid_mm = _grid_mm(found.frames)
    step_mm, steps = _graded_steps(found, grid_mm)
    shift = _graded_shifts(found, step_mm, grid_mm)
    turned_deg = _turned_deg(found)
    flags = (*steps.flags, *shift.flags, *(("jittered",) if turned_deg else ()))
    return StackGeometry(
        found.frames,
        step_mm,
        Regularity(
            flags=flags,
            uncertain_mm=steps.uncertain_mm,
            gaps=steps.gaps,
            runs=steps.runs,
            tilt_deg=shift.tilt_deg,
            shift_mm=shift.shift_mm,
            turned_deg=turned_deg,
        ),
    )


# --- what can be one stack


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


def _form(frame: FrameHeader, only: str | None) -> tuple[object, ...]:
    """What must be equal; a frame without a frame of reference joins the only one there is."""
    frame_uid = frame.source.frame_of_reference_uid or only
    tiles = frame.tiles_per_side
    return frame.modality, frame.rows, frame.columns, frame.inverted, tiles, frame_uid


def _alike_but_for_tilt(first: FrameHeader, other: FrameHeader, only: str | None) -> bool:
    return (
        (first.kind, other.kind) == ("stack", "stack")
        and _form(first, only) == _form(other, only)
        and _same_spacing(first.plane, other.plane)
    )


def _alike(first: FrameHeader, other: FrameHeader, only: str | None) -> bool:
    if not _alike_but_for_tilt(first, other, only):
        return False
    pairs = zip(_cosines(first), _cosines(other), strict=True)
    return all(abs(one - two) <= ORIENTATION_TOLERANCE for one, two in pairs)


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


class _Neighbours:
    """Finds orientations that may be near to another without comparing it with all of them.

    Space is cut into cells; an orientation is looked for in those within reach, mostly one.

    Parameters
    ----------
    reach
        How far a cosine may differ.
    """

    def __init__(self, reach: float) -> None:
        self._reach, self._width = reach, 16 * reach
        self._cells: dict[tuple[int, ...], list[int]] = {}

    def add(self, cosines: tuple[float, ...], number: int) -> None:
        """Put an orientation to the others."""
        cell = tuple(self._place(value) for value in cosines)
        self._cells.setdefault(cell, []).append(number)

    def of(self, cosines: tuple[float, ...]) -> list[int]:
        """The numbers of all that may be within reach, in order."""
        sides = [
            {self._place(value - self._reach), self._place(value + self._reach)}
            for value in cosines
        ]
        found = (number for cell in product(*sides) for number in self._cells.get(cell, ()))
        return sorted(found)

    def _place(self, value: float) -> int:
        # so that 0 and 1, the commonest cosines, lie well within a cell
        return math.floor(value / self._width + 0.37)


def _is_tight(frames: Sequence[FrameHeader]) -> bool:
    cosines = np.array([_cosines(frame) for frame in frames])
    return bool(np.abs(cosines - cosines[0]).max() <= ORIENTATION_TOLERANCE)


def near_groups(groups: Sequence[Sequence[FrameHeader]]) -> list[list[Sequence[FrameHeader]]]:
    """Groups of :func:`split_frames` that differ by no more than a little turn.

    They may be one stack whose slices are turned against each other, each by its own little angle.
    """
    least = math.cos(math.radians(LOOSE_ORIENTATION_DEG))
    near = _Neighbours(2 * math.sin(math.radians(LOOSE_ORIENTATION_DEG / 2)))
    found: list[list[Sequence[FrameHeader]]] = []
    for group in groups:
        cosines = _cosines(group[0])
        alike = (
            number
            for number in near.of(cosines)
            if _is_near(cosines, _cosines(found[number][0][0]), least)
            and _alike_but_for_tilt(found[number][0][0], group[0], None)
        )
        number = next(alike, len(found))
        if number == len(found):
            found.append([])
            near.add(cosines, number)
        found[number].append(group)
    return found


def _is_near(one: tuple[float, ...], other: tuple[float, ...], least: float) -> bool:
    """Whether row and column directions differ by no more than the angle of this cosine."""
    pairs = list(zip(one, other, strict=True))
    row, column = (sum(a * b for a, b in part) for part in (pairs[:3], pairs[3:]))
    return min(row, column) >= least


# --- how regular it is


def _grid_mm(frames: Sequence[FrameHeader]) -> float:
    """The coarsest grid that holds all coordinates; 0 where there is none."""
    origins = np.array([frame.plane.origin_mm for frame in frames])
    for grid_mm in ROUNDED_TO_MM:
        if np.all(np.abs(origins - grid_mm * np.round(origins / grid_mm)) < 1e-6):
            return grid_mm
    return 0.0


def _graded_steps(found: Depths, grid_mm: float) -> tuple[float, Regularity]:
    """The step, and what of the depths is not regular."""
    depths_mm = found.depths_mm
    steps_mm = np.diff(depths_mm)
    usual_mm = usual_step_mm(steps_mm)
    median_mm = float(np.median(steps_mm))
    if np.all(np.abs(steps_mm - usual_mm) <= allowed_step_mm(usual_mm)):
        is_rounded = grid_mm > 0 and float(np.ptp(steps_mm)) > EVEN_MM
        fitted_mm = _line(np.arange(len(depths_mm), dtype=float), depths_mm)[0]
        return fitted_mm if is_rounded else median_mm, REGULAR
    # rounding each coordinate to a grid moves a depth by at most so much
    uncertain_mm = grid_mm / 2 * float(np.abs(found.normal).sum())
    runs = _runs(steps_mm, uncertain_mm)
    if runs:
        return median_mm, Regularity(("two steps",), runs=runs)
    lattice = _lattice(depths_mm, usual_mm, uncertain_mm)
    if lattice is None:
        return median_mm, Regularity(("uneven",))
    step_mm, numbers = lattice
    missing = np.diff(numbers) - 1
    gaps = tuple((int(place), int(missing[place])) for place in np.flatnonzero(missing))
    single = steps_mm[missing == 0]
    is_rounded = bool(np.any(np.abs(single - step_mm) > allowed_step_mm(step_mm)))
    flags = (*(("rounded",) if is_rounded else ()), *(("gaps",) if gaps else ()))
    return step_mm, Regularity(flags, uncertain_mm if is_rounded else 0.0, gaps)


def _runs(steps_mm: Numbers, uncertain_mm: float) -> tuple[tuple[int, float], ...]:
    """Stretches of one step each, two or three of at least two steps; else nothing.

    A single odd step may join two of them. Looked for before the lattice: 7.5 is also 3 x 2.5.
    """
    runs: list[list[float]] = [[float(steps_mm[0])]]
    for step in steps_mm[1:].tolist():
        usual = float(np.median(runs[-1]))
        if abs(step - usual) <= max(2 * uncertain_mm, allowed_step_mm(usual)):
            runs[-1].append(step)
        else:
            runs.append([step])
    whole = [run for run in runs if len(run) > 1]
    joints = [run for run in runs[1:-1] if len(run) == 1]
    if not 2 <= len(whole) <= MOST_RUNS or len(whole) + len(joints) != len(runs):
        return ()
    if len(joints) > len(whole) - 1:
        return ()
    means = [float(np.mean(run)) for run in whole]
    if any(
        abs(one - two) <= max(2 * uncertain_mm, allowed_step_mm(min(one, two)))
        for one, two in pairwise(means)
    ):
        return ()
    least = min(means)
    if any(
        len(run) < LONG_RUN and abs(mean - least * round(mean / least)) <= allowed_step_mm(mean)
        for run, mean in zip(whole, means, strict=True)
        if mean > least
    ):
        return ()  # two neighbours of one slice each are missing: no second step
    return tuple((len(run), round(mean, 6)) for run, mean in zip(whole, means, strict=True))


def _lattice(
    depths_mm: Numbers, usual_mm: float, uncertain_mm: float
) -> tuple[float, NDArray[np.intp]] | None:
    """The even spacing on which all depths lie, and each one's number; None where there is none."""
    steps_mm = np.diff(depths_mm)
    near = np.abs(steps_mm - usual_mm) <= max(2 * uncertain_mm, allowed_step_mm(usual_mm))
    step_mm = float(steps_mm[near].mean())
    numbers = np.concatenate(([0.0], np.cumsum(np.maximum(np.round(steps_mm / step_mm), 1.0))))
    step_mm, start_mm = _line(numbers, depths_mm)
    for _ in range(3):
        numbers = np.round((depths_mm - start_mm) / step_mm)
        numbers -= numbers[0]
        if np.any(np.diff(numbers) < 1):
            return None
        step_mm, start_mm = _line(numbers, depths_mm)
    off_mm = np.abs(depths_mm - step_mm * numbers - start_mm).max()
    missing = 1 - len(depths_mm) / (numbers[-1] + 1)
    # rounding that drifts along the stack tilts the line by as much again
    if off_mm > 2 * uncertain_mm + allowed_step_mm(step_mm) or missing > MOST_MISSING:
        return None
    return float(step_mm), numbers.astype(np.intp)


def _line(numbers: Numbers, depths_mm: Numbers) -> tuple[float, float]:
    """Step and start of the straight line of least squares."""
    away = numbers - numbers.mean()
    step_mm = float(away @ depths_mm / (away @ away))
    return step_mm, float(depths_mm.mean() - step_mm * numbers.mean())


def _graded_shifts(found: Depths, step_mm: float, grid_mm: float) -> Regularity:
    """What of the places within the plane is not regular."""
    sizes_mm = np.linalg.norm(found.shifts_mm, axis=1)
    length_mm = float(found.depths_mm[-1])
    largest_mm = float(sizes_mm.max())
    if largest_mm <= max(SHIFT_TOLERANCE_MM, SHIFT_TOLERANCE * length_mm) + grid_mm:
        return REGULAR
    depths = found.depths_mm
    drift = depths @ found.shifts_mm / float(depths @ depths)
    slope = float(np.linalg.norm(drift))
    off_mm = np.linalg.norm(found.shifts_mm - np.outer(depths, drift), axis=1).max()
    if off_mm <= max(SHIFT_TOLERANCE_MM, 0.1 * slope * step_mm) + grid_mm:
        tilt_deg = float(np.degrees(np.arctan(slope)))
        return Regularity(("sheared",), tilt_deg=tilt_deg, shift_mm=largest_mm)
    return Regularity(("shifted",), shift_mm=largest_mm)


def _turned_deg(found: Depths) -> float:
    """The largest angle of a slice to the mean normal; 0 where all have one orientation."""
    if _is_tight(found.frames):
        return 0.0
    normals = np.array([frame.plane.normal for frame in found.frames])
    return float(np.degrees(np.arccos(np.clip(normals @ found.normal, -1.0, 1.0)).max()))


def _repeats(found: Depths) -> DicomError:
    counts = np.bincount(found.places)
    at: tuple[str, ...] = ()
    if len(counts) == 1:
        words = f"{counts[0]} images at one and the same position"
    elif counts.min() == counts.max():
        words = f"{counts[0]} images at each of {len(counts)} positions"
    else:
        index = int(np.argmax(np.diff(found.places) == 0))
        words = f"{len(found.frames)} images at {len(counts)} positions"
        at = (found.frames[index].file, found.frames[index + 1].file)
    return DicomError(
        f"{words}: several echoes or time points in one series, or copies; one image a position "
        "is needed, so send them as series of their own",
        tag="ImagePositionPatient",
        at=at,
    )
