"""Planes to be made from a 3-D acquisition: coronal and sagittal through a head, and along a neck.

Each has the head's centre in the middle of its picture. Pictures stand as a reader expects them:
upright, the patient's right on the left of a coronal one, anterior on the left of a sagittal one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints

SHAPE = (256, 256)
"""(rows, columns) of a made picture: 128 x 128 mm at the spacing below, one hip."""

SPACING_MM = (0.5, 0.5)
"""Between rows, then between columns."""

_LEFT, _POSTERIOR, _DOWN = np.eye(3) * (1.0, 1.0, -1.0)

_UPRIGHT_SINE = 0.05
"""A neck within 3° of the vertical has no plane that is both along it and upright."""


def coronal_plane(
    centre: PatientPoints,
    shape: tuple[int, int] = SHAPE,
    spacing_mm: tuple[float, float] = SPACING_MM,
) -> ImagePlane:
    """The coronal plane through a head's centre.

    Parameters
    ----------
    centre
        (1, 3) patient LPS mm.
    shape
        (rows, columns) of the picture in whose middle the centre shall lie.
    spacing_mm
        Between rows, then between columns.

    Raises
    ------
    PlaneError
        If the centre is not one finite point, or a spacing is not positive.

    Examples
    --------
    >>> plane = coronal_plane(PatientPoints(np.array([[90.0, -10.0, 35.0]])), (101, 201))
    >>> plane.origin_mm, plane.edge_letters()["left"]
    ((40.0, -10.0, 60.0), 'R')
    """
    return _centred(centre, _LEFT, _DOWN, shape, spacing_mm)


def sagittal_plane(
    centre: PatientPoints,
    shape: tuple[int, int] = SHAPE,
    spacing_mm: tuple[float, float] = SPACING_MM,
) -> ImagePlane:
    """The sagittal plane through a head's centre, anterior on the left of its picture.

    Parameters
    ----------
    centre, shape, spacing_mm
        As for :func:`coronal_plane`.

    Raises
    ------
    PlaneError
        As for :func:`coronal_plane`.

    Examples
    --------
    >>> plane = sagittal_plane(PatientPoints(np.array([[90.0, -10.0, 35.0]])))
    >>> print(plane.name(), plane.edge_letters()["left"])
    sagittal A
    """
    return _centred(centre, _POSTERIOR, _DOWN, shape, spacing_mm)


def neck_plane(
    centre: PatientPoints,
    neck: PatientPoints,
    *,
    turn_deg: float = 0.0,
    shape: tuple[int, int] = SHAPE,
    spacing_mm: tuple[float, float] = SPACING_MM,
) -> ImagePlane:
    """A plane through a head's centre along the neck's axis.

    Unturned it is the oblique coronal plane: upright, following the neck forwards. Turned about
    the axis it gives the radial planes; at 90 degrees the oblique axial one.

    Parameters
    ----------
    centre
        (1, 3) patient LPS mm.
    neck
        (2, 3) two points on the neck's axis, patient LPS mm, in either order.
    turn_deg
        Turn about the axis: positive brings the picture's upper edge forwards.
    shape, spacing_mm
        As for :func:`coronal_plane`.

    Raises
    ------
    PlaneError
        As for :func:`coronal_plane`, or if the axis is not two points, or is upright.

    Examples
    --------
    >>> centre = PatientPoints(np.array([[90.0, -10.0, 35.0]]))
    >>> axis = PatientPoints(np.array([[90.0, -10.0, 35.0], [120.0, 0.0, 15.0]]))
    >>> print(neck_plane(centre, axis).name())
    coronal, oblique 18.4°
    >>> neck_plane(centre, PatientPoints(np.zeros((2, 3))))
    Traceback (most recent call last):
    ...
    necroangle.errors.PlaneError: the neck's axis needs two points apart, in patient mm
    """
    axis = _axis(neck)
    across = np.array((axis[0], axis[1], 0.0))
    length = float(np.linalg.norm(across))
    if length < _UPRIGHT_SINE:
        raise PlaneError("the neck's axis is upright: check its two points")
    across /= length
    turn = math.radians(turn_deg)
    return _centred(
        centre, _turned(across, axis, turn), _turned(_DOWN, axis, turn), shape, spacing_mm
    )


def _axis(neck: PatientPoints) -> NDArray[np.float64]:
    """Unit vector along the neck, towards the patient's left (backwards if it has no such part)."""
    points = np.asarray(neck, float).reshape(-1, 3)
    apart = points[-1] - points[0] if len(points) == 2 else np.zeros(3)
    length = float(np.linalg.norm(apart))
    if not (math.isfinite(length) and length > 1e-6):
        raise PlaneError("the neck's axis needs two points apart, in patient mm")
    to_left, backwards = apart[0], apart[1]
    return np.asarray(apart / length * (1.0 if (to_left, backwards) >= (0.0, 0.0) else -1.0))


def _turned(
    direction: NDArray[np.float64], axis: NDArray[np.float64], turn: float
) -> NDArray[np.float64]:
    """A direction turned right-handedly about an axis (Rodrigues), radians."""
    along = (axis @ direction) * axis
    turned = along + math.cos(turn) * (direction - along)
    return np.asarray(turned + math.sin(turn) * np.cross(axis, direction))


def _centred(
    centre: PatientPoints,
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
) -> ImagePlane:
    point = np.asarray(centre, float).reshape(-1, 3)
    if len(point) != 1:
        raise PlaneError(f"a head has one centre, in patient mm; found {len(point)} points")
    across = (shape[1] - 1) / 2 * spacing_mm[1] * row
    down = (shape[0] - 1) / 2 * spacing_mm[0] * column
    origin = point[0] - across - down
    return ImagePlane.from_dicom(origin.tolist(), [*row, *column], spacing_mm)
