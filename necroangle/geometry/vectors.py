"""Products of vectors written out: the same bits for one vector and for arrays of thousands.

A library's matrix product may add in another order, or fuse, by the size of what it is given; what
is measured must not depend on how many hips are measured at once.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])


def dot3(first: Sequence[Number], second: Sequence[Number]) -> Number:
    """Scalar product of two vectors of three numbers or of three arrays.

    Examples
    --------
    >>> dot3((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    32.0
    """
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def cross3(first: Sequence[Number], second: Sequence[Number]) -> tuple[Number, Number, Number]:
    """Vector product.

    Examples
    --------
    >>> cross3((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    (0.0, 0.0, 1.0)
    """
    return (
        first[1] * second[2] - first[2] * second[1],
        first[2] * second[0] - first[0] * second[2],
        first[0] * second[1] - first[1] * second[0],
    )


def quadratic2(matrix: Sequence[Number], vector: Sequence[Number]) -> Number:
    """``vᵀ M v`` of a symmetric 2 x 2 matrix, given as (uu, uv, vv).

    Examples
    --------
    >>> quadratic2((1.0, 0.5, 2.0), (2.0, 1.0))
    8.0
    """
    (uu, uv, vv), (u, v) = matrix, vector
    return uu * u * u + 2.0 * (uv * u * v) + vv * v * v


def quadratic3(matrix: Sequence[Number], vector: Sequence[Number]) -> Number:
    """``vᵀ M v`` of a symmetric 3 x 3 matrix, given as (xx, xy, xz, yy, yz, zz).

    Examples
    --------
    >>> quadratic3((1.0, 0.5, 0.0, 2.0, 0.0, 3.0), (2.0, 1.0, 1.0))
    11.0
    """
    (xx, xy, xz, yy, yz, zz), (x, y, z) = matrix, vector
    squares = xx * x * x + yy * y * y + zz * z * z
    return squares + 2.0 * (xy * x * y + xz * x * z + yz * y * z)


def matmul3(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product of matrices, shapes (..., n, 3) and (..., 3, m).

    Examples
    --------
    >>> turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> matmul3(turn, turn)[0].tolist()
    [-1.0, 0.0, 0.0]
    """
    one, two, three = (first[..., k, None] * second[..., None, k, :] for k in range(3))
    return one + two + three


def inverse3(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of 3 x 3 matrices, shape (..., 3, 3), by their cofactors.

    Examples
    --------
    >>> inverse3(np.diag([1.0, 2.0, 4.0])).diagonal().tolist()
    [1.0, 0.5, 0.25]
    """
    rows = [tuple(matrix[..., row, column] for column in range(3)) for row in range(3)]
    columns = [cross3(rows[(k + 1) % 3], rows[(k + 2) % 3]) for k in range(3)]
    whole = dot3(rows[0], columns[0])
    found = np.stack([np.stack(column, axis=-1) for column in columns], axis=-1)
    return np.asarray(found / whole[..., None, None], np.float64)
