"""From the path of the mouse to evenly spaced marks."""

from collections.abc import Sequence

import numpy as np

from napari_necroangle.reading.draft import Role

__all__ = ["LEAST_STROKE_MM", "length_mm", "marks_along"]

RIM_MARKS = 10
"""A drawn rim gets so many marks: 8 to 12 are enough, the ends of the arc matter more."""
ARC_MARKS = 3
OUTLINE_STEP_MM = 3.0
OUTLINE_MARKS = (6, 60)
LEAST_STROKE_MM = {Role.RIM: 20.0, Role.CONTOUR: 10.0}
"""A shorter path is no stroke; for an arc 4 mm will do."""

Path = Sequence[tuple[float, float]]


def length_mm(path: Path) -> float:
    """Length of a path of (u, v) plane mm.

    Examples
    --------
    >>> length_mm([(0.0, 0.0), (3.0, 4.0), (3.0, 10.0)])
    11.0
    """
    return float(np.hypot(*np.diff(np.array(path), axis=0).T).sum()) if len(path) > 1 else 0.0


def marks_along(path: Path, role: Role) -> tuple[tuple[float, float], ...]:
    """Marks at equal distances along a path, from its first point to its last.

    Parameters
    ----------
    path
        (u, v) plane mm, as the mouse went.
    role
        Ten marks for a rim; first, middle and last for an arc; every 3 mm for an outline, which
        is closed by itself.

    Returns
    -------
    tuple[tuple[float, float], ...]
        (u, v) plane mm; empty for a path too short to be meant.

    Examples
    --------
    >>> marks_along([(0.0, 0.0), (4.0, 0.0), (10.0, 0.0)], Role.START)
    ((0.0, 0.0), (5.0, 0.0), (10.0, 0.0))
    >>> marks_along([(0.0, 0.0), (1.0, 0.0)], Role.RIM)
    ()
    """
    total = length_mm(path)
    if total < LEAST_STROKE_MM.get(role, 4.0):
        return ()
    points = np.array(path)
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    if role is Role.CONTOUR:
        count = int(np.clip(round(total / OUTLINE_STEP_MM), *OUTLINE_MARKS)) + 1
        at = np.linspace(0.0, total, count)[:-1]
    else:
        at = np.linspace(0.0, total, RIM_MARKS if role is Role.RIM else ARC_MARKS)
    pairs = zip(np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1]), strict=True)
    return tuple((float(u), float(v)) for u, v in pairs)
