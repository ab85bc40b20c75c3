"""Stacks with known content, for tests: planes of any tilt, uneven steps, shear.

``from stackmaker import stack_of``: the folder of this file is on the path of the tests.
"""

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints
from necroangle.imaging import Volume
from necroangle.terms import SourceImage

__all__ = ["FRAME", "any_plane", "point", "stack_of"]

FRAME = "1.2.9"

Grey = Callable[[PatientPoints], NDArray[np.float64]]


def point(x: float, y: float, z: float) -> PatientPoints:
    """One patient point, (1, 3)."""
    return PatientPoints(np.array([[x, y, z]], dtype=float))


@st.composite
def any_plane(draw: st.DrawFn, reach_mm: float = 300.0) -> ImagePlane:
    """An image plane of any tilt, place and spacing."""
    turn = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.dot(q, q) > 0.01)))
    w, x, y, z = turn / np.linalg.norm(turn)
    row = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
    column = (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x))
    origin = draw(st.tuples(*[st.floats(-reach_mm, reach_mm)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.2, 2.0)] * 2))
    return ImagePlane.from_dicom(origin, (*row, *column), spacing)


def stack_of(
    first: ImagePlane,
    depths_mm: Sequence[float],
    shape: tuple[int, int],
    grey: Grey | None = None,
    *,
    shear: tuple[float, float] = (0.0, 0.0),
    frame: str | None = FRAME,
) -> Volume:
    """Slices at depths along the first one's normal, each pixel with the grey of its point.

    Parameters
    ----------
    shear
        Shift of a slice along rows and along columns for each mm of its depth.
    """
    row, column = np.array(first.row_cosine), np.array(first.column_cosine)
    drift = first.normal + shear[0] * row + shear[1] * column
    planes = tuple(
        ImagePlane(
            _triple(np.array(first.origin_mm) + depth * drift),
            first.row_cosine,
            first.column_cosine,
            first.row_spacing_mm,
            first.column_spacing_mm,
        )
        for depth in depths_mm
    )
    places = PixelPoints(np.indices(shape, dtype=float).reshape(2, -1).T)
    pixels = np.zeros((len(planes), *shape))
    if grey is not None:
        for slice_, plane in zip(pixels, planes, strict=True):
            slice_[:] = grey(plane.pixel_to_patient(places)).reshape(shape)
    sources = tuple(
        SourceImage("1.2", "1.2.3", f"1.2.3.{number}", 1, frame)
        for number in range(1, len(planes) + 1)
    )
    step = float(np.median(np.diff(depths_mm))) if len(planes) > 1 else 0.0
    return Volume(pixels, planes, sources, step, (0.0, 100.0))


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
