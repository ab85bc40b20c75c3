"""Which slice of a stack shows the head's middle, how far off it lies, and its neighbours.

The head's centre decides, not the size of the circle: at 4 mm from the centre of a head of 24 mm
the circle is only 0.3 mm smaller, which no eye sees.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.terms import SourceImage

LONE_SLICE_REACH_MM = 2.0
"""How far a slice without neighbours counts as showing the head's middle: half a usual step."""

ON_SLICE_MM = 1e-6
"""A centre nearer than this to a slice lies on it."""


class Stack(Protocol):
    """What is needed to know of a stack: a volume is one, and so is the summary of its headers."""

    @property
    def planes(self) -> tuple[ImagePlane, ...]:
        """One per slice, in the order of their positions."""

    @property
    def sources(self) -> tuple[SourceImage, ...]:
        """One per slice, in the same order."""

    @property
    def step_mm(self) -> float:
        """Distance between neighbouring slices along the normal."""

    @property
    def rows(self) -> int:
        """Number of rows of a slice."""

    @property
    def columns(self) -> int:
        """Number of columns of a slice."""


@dataclass(frozen=True, slots=True)
class SliceOffset:
    """A slice and where it lies from the head's centre.

    Attributes
    ----------
    index
        Place in the stack, from 0.
    offset_mm
        Signed distance from the centre along the normal: a coronal slice positive behind it, a
        sagittal one positive to the patient's left, an axial one positive towards the head.
    """

    index: int
    offset_mm: float


@dataclass(frozen=True, slots=True)
class MidSlice:
    """The slice nearest to the head's centre, and whether it shows it.

    Attributes
    ----------
    index, offset_mm
        As in :class:`SliceOffset`.
    plane, obliquity_deg
        The anatomical plane nearest to the slice (``"coronal"``, ...), and the tilt from it.
    beyond_mm
        How far the centre lies outside the stack, along the normal: 0 between its first and last
        slice.
    is_in_stack
        Whether the centre lies no more than half a step outside the stack. Where it does not, the
        slice is only the last one of the stack, and not a middle one.
    is_in_image
        Whether the centre, projected on the slice, falls within its picture. A small field of view
        may show the other hip alone.
    """

    index: int
    offset_mm: float
    plane: str
    obliquity_deg: float
    beyond_mm: float
    is_in_stack: bool
    is_in_image: bool

    @property
    def shows_centre(self) -> bool:
        """Whether the slice is a middle slice of this head at all."""
        return self.is_in_stack and self.is_in_image


@dataclass(frozen=True, slots=True)
class Bracket:
    """The slices on either side of the head's centre.

    Attributes
    ----------
    before
        The nearest slice of negative offset (in front of the centre, to its right, below it), or
        None outside the stack.
    after
        The nearest slice of positive offset, or None. A slice on the centre is both.
    """

    before: SliceOffset | None
    after: SliceOffset | None

    @property
    def is_complete(self) -> bool:
        """Whether the centre lies between two slices, or on one."""
        return self.before is not None and self.after is not None


def mid_slice(
    stack: Stack, centre: PatientPoints, *, away_mm: float = 0.0, frame_uid: str | None = None
) -> MidSlice:
    """Find the slice nearest to a head's centre, or to where a slice so far from it lies.

    Parameters
    ----------
    stack
        Slices in the patient (not a radiograph), of any orientation.
    centre
        (1, 3) patient LPS mm, from the marks, from the other view, or proposed.
    away_mm
        Signed distance from the centre at which the slice is wanted, as ``offset_mm`` counts it.
    frame_uid
        FrameOfReferenceUID in which the centre is given; None where that has been checked.

    Returns
    -------
    MidSlice
        Of two slices equally near, the first in the stack.

    Raises
    ------
    PlaneError
        If the centre is not one finite point, or is given in another frame of reference.

    Examples
    --------
    >>> from necroangle.imaging.volume import Volume
    >>> planes = tuple(
    ...     ImagePlane.from_dicom((-60, y, 60), (1, 0, 0, 0, 0, -1), (1, 1)) for y in (0, 4, 8)
    ... )
    >>> sources = tuple(SourceImage("1.2", "1.2.3", f"1.2.3.{n}") for n in (1, 2, 3))
    >>> stack = Volume(np.zeros((3, 120, 120)), planes, sources, 4.0)
    >>> mid = mid_slice(stack, PatientPoints(np.array([[0.0, 3.0, 0.0]])))
    >>> mid.index, mid.offset_mm, mid.plane, mid.shows_centre  # 1 mm behind the centre
    (1, 1.0, 'coronal', True)
    >>> mid = mid_slice(stack, PatientPoints(np.array([[0.0, 13.0, 0.0]])))
    >>> mid.index, mid.beyond_mm, mid.shows_centre
    (2, 5.0, False)
    >>> mid_slice(stack, PatientPoints(np.zeros((2, 3))))
    Traceback (most recent call last):
    ...
    necroangle.errors.PlaneError: a head has one centre, in patient mm; found 2 points
    """
    offsets = _offsets_mm(stack, centre, frame_uid)
    aside = offsets - away_mm
    index = int(np.argmin(np.abs(aside)))
    beyond = max(float(aside.min()), -float(aside.max()), 0.0)
    name = stack.planes[index].name()
    row, column = stack.planes[index].patient_to_pixel(centre)[0].tolist()
    return MidSlice(
        index=index,
        offset_mm=float(offsets[index]),
        plane=name.name,
        obliquity_deg=name.obliquity_deg,
        beyond_mm=beyond,
        is_in_stack=beyond <= (stack.step_mm / 2 or LONE_SLICE_REACH_MM),
        is_in_image=-0.5 <= row <= stack.rows - 0.5 and -0.5 <= column <= stack.columns - 0.5,
    )


def slice_offset_mm(stack: Stack, index: int, centre: PatientPoints) -> float:
    """Signed distance of a slice from a head's centre, (1, 3) patient LPS mm, as in `MidSlice`."""
    return float(_offsets_mm(stack, centre, None)[index])


def bracketing_slices(
    stack: Stack, centre: PatientPoints, *, frame_uid: str | None = None
) -> Bracket:
    """Find the slices on either side of a head's centre: those that the centre plane needs.

    Parameters
    ----------
    stack, centre, frame_uid
        As for :func:`mid_slice`.

    Raises
    ------
    PlaneError
        As for :func:`mid_slice`.

    Examples
    --------
    >>> from necroangle.imaging.volume import Volume
    >>> planes = tuple(
    ...     ImagePlane.from_dicom((x, -60, 60), (0, 1, 0, 0, 0, -1), (1, 1)) for x in (98, 94, 90)
    ... )
    >>> sources = tuple(SourceImage("1.2", "1.2.3", f"1.2.3.{n}") for n in (1, 2, 3))
    >>> stack = Volume(np.zeros((3, 120, 120)), planes, sources, 4.0)
    >>> pair = bracketing_slices(stack, PatientPoints(np.array([[95.0, 0.0, 0.0]])))
    >>> pair.before, pair.after
    (SliceOffset(index=1, offset_mm=-1.0), SliceOffset(index=0, offset_mm=3.0))
    """
    offsets = _offsets_mm(stack, centre, frame_uid)
    return Bracket(
        before=_nearest(offsets, offsets <= ON_SLICE_MM),
        after=_nearest(offsets, offsets >= -ON_SLICE_MM),
    )


def _nearest(offsets: NDArray[np.float64], allowed: NDArray[np.bool_]) -> SliceOffset | None:
    """The slice of least offset among those that are allowed."""
    if not allowed.any():
        return None
    index = int(np.argmin(np.where(allowed, np.abs(offsets), np.inf)))
    return SliceOffset(index, float(offsets[index]))


def _offsets_mm(stack: Stack, centre: PatientPoints, frame_uid: str | None) -> NDArray[np.float64]:
    """(slices,) signed offset of every slice from the centre, in the anatomical sense."""
    point = np.asarray(centre, float).reshape(-1, 3)
    if len(point) != 1:
        raise PlaneError(f"a head has one centre, in patient mm; found {len(point)} points")
    if not np.isfinite(point).all():
        raise PlaneError("the head's centre holds a value that is not a finite number")
    if frame_uid is not None and frame_uid != stack.sources[0].frame_of_reference_uid:
        raise PlaneError(
            "the head's centre and the stack have different frames of reference "
            "(FrameOfReferenceUID): find the centre on a series of the same frame"
        )
    normal = stack.planes[0].normal
    facing = 1.0 if normal[np.argmax(np.abs(normal))] > 0 else -1.0
    distances = [plane.distance_mm(PatientPoints(point))[0] for plane in stack.planes]
    return 0.0 - facing * np.array(distances)
