"""Angles and circles that were drawn in another tool, whatever file they came in.

Pixels are (row, column) with the first pixel's centre at (0, 0), as everywhere; each reader of a
format turns what the format says into that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ReadingKey
from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.terms import Laterality, View

Array = NDArray[np.float64]
Kind = Literal["angle", "circle", "arc", "rim"]

MISMATCH_DEG = 0.5
"""A written angle that differs by more from that of its points is said to."""

CLOSED = 8
"""A closed line of so many points may be a circle that was drawn by hand."""

APART = "lines that do not meet: no angle at the centre of a head"

_SAME_PX = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What was drawn.

    Attributes
    ----------
    kind
        ``"angle"``: start, corner and end. ``"circle"``: three points on it or more, or two: its
        centre and a point on it. ``"arc"``: start, a point on the necrotic side and end, as a
        reader of ours marked them. ``"rim"``: such marks.
    points
        (N, 2) row and column in pixels of ``image``, or (N, 3) patient LPS mm.
    tool
        The program, in one word of small letters.
    image
        SOPInstanceUID and frame of the image; None where the points are in mm and it is not told.
        The frame is None where the file names none: it must be the only one.
    written_deg
        The angle as the file says it, or None.
    written_mm
        The radius of a circle as the file says it, or None.
    frame_uid
        FrameOfReferenceUID of points in mm, where the file says it.
    side
        The side of the hip as the file codes it, or None.
    owner
        Hip, visit, reader and repeat, where the file says them; else None.
    """

    kind: Kind
    points: Array
    tool: str
    image: tuple[str, int | None] | None = None
    written_deg: float | None = None
    written_mm: float | None = None
    frame_uid: str | None = None
    side: Laterality | None = None
    owner: ReadingKey | None = None

    def on_plane(self, plane: ImagePlane) -> Array:
        """(N, 2) the points in plane mm (u, v); of a circle by two points four on it."""
        if self.points.shape[1] == 3:
            points = np.asarray(plane.patient_to_plane(PatientPoints(self.points)))
        else:
            points = self.points[:, ::-1] * (plane.column_spacing_mm, plane.row_spacing_mm)
        if self.kind == "circle" and len(points) == 2:
            centre, (u, v) = points[0], points[1] - points[0]
            points = centre + np.array([(u, v), (-v, u), (-u, -v), (v, -u)])
        return points


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a file holds, and what became of it.

    Attributes
    ----------
    what, value, unit
        As the file says it.
    note
        The drawing that it belongs to, or why there is none.
    from_points
        The angle of its points, degrees, as if pixels were square; None of other numbers.
    """

    what: str
    value: float
    unit: str
    note: str = ""
    from_points: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file holds.

    Attributes
    ----------
    file
        Its name.
    readings
        Readings of ours, as they were.
    views
        Readings of ours of which the marks of one view may have been moved: that view counts.
    drawings
        Angles and circles.
    numbers
        The numbers of its authors.
    notes
        What is doubtful, and why the rest gives no reading.
    """

    file: str
    readings: tuple[HipReading, ...] = ()
    views: tuple[tuple[HipReading, View], ...] = ()
    drawings: tuple[Drawing, ...] = ()
    numbers: tuple[Number, ...] = ()
    notes: tuple[str, ...] = field(default=())


def angle_deg(corner: Sequence[float] | Array, ends: Array) -> float:
    """The angle at a corner, 0 to 180 degrees.

    Parameters
    ----------
    corner
        (D,) the corner.
    ends
        (2, D) where the two lines end.

    Examples
    --------
    >>> angle_deg((0.0, 0.0), np.array([[1.0, 0.0], [-1.0, 1.0]]))
    135.0
    """
    first, second = np.asarray(ends, float) - np.asarray(corner, float)
    across = np.linalg.norm(first) * second - np.linalg.norm(second) * first
    along = np.linalg.norm(first) * second + np.linalg.norm(second) * first
    return float(2.0 * np.degrees(np.arctan2(np.linalg.norm(across), np.linalg.norm(along))))


def corner_of(points: Array) -> Array | None:
    """Start, corner and end of an angle of three points, or of two lines that meet.

    Parameters
    ----------
    points
        (3, D) or (4, D); a closed triangle repeats its first point.

    Returns
    -------
    (3, D), or None where two lines do not meet: such an angle has no corner.
    """
    if len(points) == 3:
        return points
    if len(points) != 4:
        return None
    if np.abs(points[3] - points[0]).max() < _SAME_PX:
        return points[:3]
    for first, second in ((1, 2), (0, 2), (0, 3), (1, 3)):
        if np.abs(points[first] - points[second]).max() < _SAME_PX:
            return np.array([points[1 - first], points[first], points[5 - second]])
    return None
