"""Everything outside the hip bones: muscles in their fat, bladder, skin and air, in T1 signal."""

import numpy as np
from numpy.typing import NDArray

from necroangle.phantom.shapes import Field, Point, blend, capsule, ellipsoid, fade

__all__ = ["FAT", "MUSCLE", "soft_tissue"]

FAT = 0.92
MUSCLE = 0.34
_AIR = 0.012
_BLADDER = 0.20
_BOWEL = 0.42

_FAT_PLANE_MM = 3.0
"""How far around a muscle its fat plane may reach, mm."""

_Solid = tuple[tuple[float, float, float], tuple[float, float, float]]

_MUSCLES: tuple[_Solid, ...] = (
    ((27.0, 6.0, 52.0), (17.0, 34.0, 46.0)),  # gluteus minimus
    ((50.0, 12.0, 56.0), (18.0, 44.0, 60.0)),  # gluteus medius
    ((20.0, 66.0, 4.0), (72.0, 25.0, 92.0)),  # gluteus maximus
    ((68.0, -14.0, 26.0), (7.0, 26.0, 58.0)),  # tensor fasciae latae
    ((-22.0, -38.0, 26.0), (22.0, 17.0, 96.0)),  # iliopsoas
    ((16.0, -58.0, -14.0), (24.0, 16.0, 92.0)),  # rectus femoris, sartorius
    ((70.0, 2.0, -102.0), (20.0, 42.0, 66.0)),  # vastus lateralis
    ((16.0, -28.0, -102.0), (24.0, 22.0, 66.0)),  # vastus medialis
    ((-6.0, 2.0, -58.0), (29.0, 22.0, 33.0)),  # pectineus, adductor brevis
    ((-28.0, -8.0, -112.0), (40.0, 42.0, 72.0)),  # adductors, gracilis
    ((-44.0, 4.0, 22.0), (10.0, 34.0, 46.0)),  # obturator internus
    ((-34.0, -4.0, -40.0), (25.0, 15.0, 12.0)),  # obturator externus
    ((10.0, 40.0, -22.0), (40.0, 12.0, 20.0)),  # quadratus femoris, gemelli
    ((-2.0, 46.0, -106.0), (42.0, 22.0, 76.0)),  # hamstrings
)
"""Middle and half-axes in hip coordinates (lateral, posterior, superior), mm."""


def soft_tissue(hip_points: Field, body_points: Field) -> Field:
    """T1 signal where there is no bone of the hip.

    Parameters
    ----------
    hip_points
        (N, 3) hip coordinates of the nearer hip: lateral, posterior, superior.
    body_points
        (N, 3) mm from the middle between the heads, axes as patient LPS.
    """
    signal = np.full(hip_points.shape[:-1], FAT * 0.97, np.float32)
    uneven = _warped(hip_points)
    columns = np.ascontiguousarray(np.moveaxis(uneven, -1, 0))
    fibres = (_fibres(hip_points, 0.0), _fibres(hip_points, 2.0))
    for place, (centre, radii) in enumerate(_MUSCLES):
        near = np.flatnonzero(_in_box(columns, centre, radii))
        distance = ellipsoid(uneven[near], centre, radii)
        found = blend(signal[near], FAT * 0.97, fade(distance - 1.2, 1.0))
        signal[near] = blend(found, fibres[place % 2][near], fade(distance, 1.2))
    signal = _capsule(signal, hip_points)
    signal = _pelvic_organs(signal, body_points)
    return _skin_and_air(signal, body_points)


def _warped(points: Field) -> Field:
    """The points, moved smoothly by a few mm: so that no muscle is a smooth egg."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack(
        (
            x + 4.0 * np.sin(0.065 * z + 0.05 * y) + 1.2 * np.sin(0.23 * z + 0.11 * y),
            y + 4.0 * np.sin(0.060 * z + 0.04 * x + 1.0) + 1.2 * np.sin(0.21 * x + 0.15 * z),
            z + 3.0 * np.sin(0.070 * x + 0.05 * y + 2.0),
        ),
        axis=-1,
    )


def _in_box(columns: Field, centre_mm: Point, radii_mm: Point) -> NDArray[np.bool_]:
    """Which points, given as (3, N) columns, a muscle and its fat plane may reach."""
    inside = np.ones(columns.shape[1:], bool)
    for column, centre, radius in zip(columns, centre_mm, radii_mm, strict=True):
        inside &= np.abs(column - np.float32(centre)) < np.float32(radius + _FAT_PLANE_MM)
    return inside


def _fibres(points: Field, phase: float) -> Field:
    """Signal of a muscle: bundles, and streaks of fat between some of them."""
    x, y, z = np.moveaxis(points, -1, 0)
    bundle = np.sin(0.62 * x + 0.16 * z + 1.5 * np.sin(0.05 * z + phase) + phase)
    across = np.sin(0.45 * y - 0.09 * z + 1.2 * np.sin(0.06 * x) + 2 * phase)
    streak = np.clip(bundle * across - np.float32(0.72), 0, 1)
    fibres: Field = MUSCLE + np.float32(0.02) * bundle + np.float32(0.55) * streak
    return fibres


def _capsule(signal: Field, hip_points: Field) -> Field:
    """The joint capsule: a dark sleeve about head and neck, with a little fat outside."""
    sleeve = capsule(hip_points, ((0.0, 0.0, 0.0), (25.0, 5.0, -19.0)), (28.5, 21.0))
    signal = blend(signal, FAT * 0.9, fade(sleeve - 2.5, 1.5))
    signal = blend(signal, 0.14, fade(sleeve, 0.8))
    return blend(signal, 0.34, fade(sleeve + 2.4, 1.5))


def _pelvic_organs(signal: Field, body_points: Field) -> Field:
    uneven = _warped(body_points)
    bowel = ellipsoid(uneven, (3.0, 22.0, 66.0), (40.0, 44.0, 42.0))
    bladder = ellipsoid(uneven, (0.0, -10.0, 16.0), (37.0, 32.0, 27.0))
    floor = ellipsoid(uneven, (0.0, 8.0, -28.0), (30.0, 34.0, 12.0))
    signal = blend(signal, MUSCLE, fade(floor, 2.0))
    signal = blend(signal, _BOWEL, fade(bowel, 2.0))
    signal = blend(signal, MUSCLE, fade(bladder - 3.0, 1.5))
    return blend(signal, _BLADDER, fade(bladder, 1.5))


def _skin_and_air(signal: Field, body_points: Field) -> Field:
    """The body's outline, with the cleft between the thighs."""
    x, y, z = np.moveaxis(body_points, -1, 0)
    half_width = np.float32(176.0) - np.float32(0.0016) * (z + 30.0) ** 2
    outline = (np.sqrt((x / half_width) ** 2 + (y / np.float32(112.0)) ** 2) - 1) * 112.0
    cleft = np.maximum(np.abs(x) + np.float32(0.32) * (z + 62.0), z + 62.0)
    body = np.maximum(outline, -cleft)
    signal = blend(signal, FAT, fade(-(body + 6.0), 3.0))
    signal = blend(signal, 0.30, fade(-(body + 1.2), 1.0))
    return blend(signal, _AIR, fade(-body, 1.0))
