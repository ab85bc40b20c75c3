"""Orientation letters: which way the patient lies on the picture, from the plane alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane

__all__ = ["EdgeLetters", "direction_letters", "edge_letters"]

_POSITIVE = "LPS"
_NEGATIVE = "RAI"
_LEAST = float(np.sin(np.radians(20.0)))
"""A direction earns a second letter once it is tilted by 20 degrees towards it."""


@dataclass(frozen=True, slots=True)
class EdgeLetters:
    """The letters at the four edges of a picture whose rows run down and columns right."""

    left: str
    right: str
    top: str
    bottom: str


def direction_letters(direction: NDArray[np.float64]) -> str:
    """Letters of a patient LPS direction, the strongest first.

    R and L are the patient's right and left, A and P front and back, S and I head and feet.

    Examples
    --------
    >>> direction_letters(np.array([1.0, 0.0, 0.0]))
    'L'
    >>> direction_letters(np.array([0.0, -0.42, 0.91]))
    'SA'
    """
    order = np.argsort(-np.abs(direction), kind="stable")
    chosen = [axis for axis in order if abs(direction[axis]) >= _LEAST]
    return "".join((_POSITIVE if direction[axis] > 0 else _NEGATIVE)[axis] for axis in chosen)


def edge_letters(plane: ImagePlane) -> EdgeLetters:
    """Letters of a plane's four edges.

    Examples
    --------
    >>> edge_letters(ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 0, -1), (1, 1)))
    EdgeLetters(left='R', right='L', top='S', bottom='I')
    """
    row, column = np.array(plane.row_cosine), np.array(plane.column_cosine)
    return EdgeLetters(
        left=direction_letters(-row),
        right=direction_letters(row),
        top=direction_letters(-column),
        bottom=direction_letters(column),
    )
