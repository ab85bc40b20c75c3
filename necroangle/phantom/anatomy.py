"""T1-weighted signal of a pair of hips at any point of the patient.

From bricks to body: signed distances of simple solids (negative inside, mm); the bones of one hip
in hip coordinates; where a lesion lies inside the head, and its low-signal band; muscles in their
fat, bladder, skin and air; and the signal of all of them.

Points are (..., 3) arrays in mm; every function gives an array of the leading shape. Hip
coordinates are mm from the head's centre, scaled so that the head's radius is 24: (lateral,
posterior, superior). So one description serves both sides and every size.

A lesion, in polar coordinates about the head's centre, with theta the angle from its axis and
R - r the depth under the surface, fills ``(theta / alpha)^m + ((R - r) / D)^m <= 1``. Its outer
margin meets the surface at theta = alpha and stands at a right angle on it, so that the ends of the
arc are the same on the surface and under the cortical rim.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.phantom.model import Lesion, PhantomHip, PhantomStudy, lateral_sign, neck_direction
from necroangle.terms import Laterality

Field = NDArray[np.float32]
Point = Sequence[float]


def length(points: Field) -> Field:
    """Length of each vector, mm."""
    size: Field = np.sqrt(np.einsum("...i,...i->...", points, points))
    return size


def ellipsoid(points: Field, centre_mm: Point, radii_mm: Point) -> Field:
    """Distance to an ellipsoid along the axes, exact on its surface and of first order near it.

    Examples
    --------
    >>> import numpy as np
    >>> point = np.array([[30.0, 0.0, 0.0]], np.float32)
    >>> ellipsoid(point, (0, 0, 0), (20, 10, 10)).tolist()
    [10.0]
    """
    offset = points - np.asarray(centre_mm, np.float32)
    radii = np.asarray(radii_mm, np.float32)
    near = length(offset / radii)
    slope = np.maximum(length(offset / radii**2), np.float32(1e-6))
    return np.asarray(near * (near - 1) / slope, np.float32)


def capsule(points: Field, ends_mm: tuple[Point, Point], radii_mm: tuple[float, float]) -> Field:
    """Distance to a rounded cone between two points, with a radius at each.

    Examples
    --------
    >>> import numpy as np
    >>> point = np.array([[5.0, 8.0, 0.0]], np.float32)
    >>> capsule(point, ((0, 0, 0), (10, 0, 0)), (2.0, 4.0)).tolist()
    [5.0]
    """
    start = np.asarray(ends_mm[0], np.float32)
    along = np.asarray(ends_mm[1], np.float32) - start
    offset = points - start
    part = np.clip((offset @ along) / np.float32(along @ along), 0, 1)
    radius = np.float32(radii_mm[0]) + part * np.float32(radii_mm[1] - radii_mm[0])
    return np.asarray(length(offset - part[..., None] * along) - radius, np.float32)


def smooth_union(first: Field, second: Field, blend_mm: float) -> Field:
    """Union of two solids whose seam is rounded over ``blend_mm``; elsewhere the exact union."""
    width = np.float32(blend_mm)
    near = np.maximum(width - np.abs(first - second), 0)
    joined: Field = np.minimum(first, second) - near * near / (4 * width)
    return joined


def fade(distance: Field, width_mm: float) -> Field:
    """1 well inside (negative distance), 0 well outside, straight over ``width_mm`` between."""
    weight: Field = np.clip(np.float32(0.5) - distance / np.float32(width_mm), 0, 1)
    return weight


def blend(below: Field, value: float | Field, weight: Field) -> Field:
    """Lay a signal over what is there, with a weight of 0 to 1."""
    laid: Field = below + weight * (np.asarray(value, np.float32) - below)
    return laid


HEAD_RADIUS = 24.0
CARTILAGE = 1.8
"""Thickness of the head's cartilage; the joint space and the socket's cartilage follow."""
CUP_RADIUS = 27.6
"""Radius of the socket's subchondral bone."""

_NECK = np.array(neck_direction(Laterality.LEFT))
_CUP_POLE = np.array((-0.68, 0.17, 0.71)) / np.linalg.norm((-0.68, 0.17, 0.71))
_CUP_COVER_DEG = 78.0


def femur(points: Field, head: Field | None = None) -> Field:
    """Distance to the femur's surface; the head is an exact sphere but where the neck leaves it.

    Parameters
    ----------
    points
        (..., 3) hip coordinates.
    head
        (...) distance to the surface of a head of another form.
    """
    base = _NECK * 47.0
    neck = capsule(points, ((_NECK * 6.0).tolist(), base.tolist()), (12.8, 16.0))
    shaft = capsule(
        points,
        ((base[0] + 6, base[1] + 1, base[2] - 12), (base[0] + 4, base[1] + 2, -130.0)),
        (17.0, 13.5),
    )
    great = ellipsoid(points, (base[0] + 13, base[1] + 5, base[2] + 10), (12.0, 15.0, 20.0))
    lesser = ellipsoid(points, (base[0] - 9, base[1] + 10, base[2] - 27), (8.0, 8.0, 11.0))
    body = smooth_union(neck, shaft, 14.0)
    body = smooth_union(body, great, 9.0)
    body = smooth_union(body, lesser, 6.0)
    if head is None:
        head = length(points) - np.float32(HEAD_RADIUS)
    return smooth_union(head, body, 2.5)


def cup_angle_deg(points: Field) -> Field:
    """Angle from the socket's rim, degrees: negative where the socket covers the head."""
    arm = np.maximum(length(points), np.float32(1e-3))
    cosine = np.clip((points @ _CUP_POLE.astype(np.float32)) / arm, -1, 1)
    beyond: Field = np.degrees(np.arccos(cosine)) - np.float32(_CUP_COVER_DEG)
    return beyond


def pelvis(points: Field) -> Field:
    """Distance to the pelvis' surface, with the socket hollowed out."""
    block = ellipsoid(points, (-6.0, 3.0, 10.0), (31.0, 31.0, 36.0))
    wing = capsule(points, ((-14.0, 12.0, 40.0), (18.0, 10.0, 135.0)), (13.0, 7.0))
    pubis = capsule(points, ((-28.0, -12.0, -8.0), (-78.0, -26.0, -27.0)), (10.0, 9.0))
    lower = capsule(points, ((-80.0, -24.0, -32.0), (-52.0, 6.0, -66.0)), (8.0, 7.0))
    seat = capsule(points, ((-26.0, 20.0, -18.0), (-42.0, 24.0, -64.0)), (11.0, 13.0))
    flat = ellipsoid(points, (0.0, 14.0, 88.0), (30.0, 42.0, 70.0))
    bone = smooth_union(block, np.maximum(wing - 3.0, flat), 16.0)
    for part, width in ((pubis, 9.0), (lower, 6.0), (seat, 9.0)):
        bone = smooth_union(bone, part, width)
    arm = length(points)
    hollow = np.float32(CUP_RADIUS) - arm
    beyond_rim = np.radians(cup_angle_deg(points)) * np.minimum(arm, np.float32(40.0))
    open_side = beyond_rim - 2 * np.maximum(arm - np.float32(38.0), 0)
    distance: Field = np.maximum(np.maximum(bone, hollow), open_side)
    return distance


_POWER = 2.3
_UNDULATION = 0.10
_LEAST_ARM_MM = 1.0


def lesion_distance(points: Field, lesion: Lesion, radius_mm: float) -> Field:
    """Signed distance from the outer margin of a lesion's band, mm: negative inside the lesion.

    Parameters
    ----------
    points
        (..., 3) in mm from the head's centre, axes as patient LPS.
    lesion
        The lesion.
    radius_mm
        Radius of the head, mm.

    Examples
    --------
    >>> import numpy as np
    >>> edge = 24 * np.array([[np.sin(0.8), 0, np.cos(0.8)]], np.float32)
    >>> distance = lesion_distance(edge, Lesion((0.0, 0.0, 1.0), float(np.degrees(0.8))), 24.0)
    >>> bool(abs(distance[0]) < 1e-3)
    True
    """
    alpha = math.radians(lesion.half_angle_deg)
    arm = np.maximum(length(points), np.float32(_LEAST_ARM_MM))
    axis = np.asarray(lesion.axis, np.float32)
    theta = np.arccos(np.clip((points @ axis) / arm, -1, 1))
    depth = _depth_mm(points, lesion, radius_mm)
    across = theta / np.float32(alpha)
    inward = np.maximum(np.float32(radius_mm) - arm, 0) / depth
    level = (across**_POWER + inward**_POWER) ** np.float32(1 / _POWER)
    level = np.maximum(level, np.float32(1e-6))
    slope: Field = np.hypot(
        (across / level) ** (_POWER - 1) / (np.float32(alpha) * arm),
        (inward / level) ** (_POWER - 1) / depth,
    )
    return np.asarray((level - 1) / np.maximum(slope, np.float32(1e-6)), np.float32)


def _depth_mm(points: Field, lesion: Lesion, radius_mm: float) -> Field:
    """Greatest depth of the lesion, gently wavy about its axis, mm; the surface is untouched."""
    share = min(0.85, 0.30 + 0.40 * lesion.half_angle_deg / 90.0)
    x, y, z = np.moveaxis(points, -1, 0)
    turn = np.float32(2 * math.pi / (1.1 * radius_mm))
    wave = np.sin(turn * (x + 0.6 * z) + 0.7) * np.cos(turn * (y - 0.4 * x) + 0.2)
    depth: Field = np.float32(share * radius_mm) * (1 + np.float32(_UNDULATION) * wave)
    return depth


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
    filled = bladder(body_points)
    floor = ellipsoid(uneven, (0.0, 8.0, -28.0), (30.0, 34.0, 12.0))
    signal = blend(signal, MUSCLE, fade(floor, 2.0))
    signal = blend(signal, _BOWEL, fade(bowel, 2.0))
    signal = blend(signal, MUSCLE, fade(filled - 3.0, 1.5))
    return blend(signal, _BLADDER, fade(filled, 1.5))


def bladder(body_points: Field) -> Field:
    """Distance to the bladder."""
    return ellipsoid(_warped(body_points), (0.0, -10.0, 16.0), (37.0, 32.0, 27.0))


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


RIM_MM = 1.1
"""Thickness of the dark subchondral line."""
BAND_MM = 1.9
"""Thickness of the lesion's low-signal band, inward from its outer margin."""

CORTEX = 0.06
_BAND = 0.10
_NECROTIC = 0.70
_CARTILAGE = 0.50
_JOINT_SPACE = 0.26
_PELVIC_MARROW = 0.74
_RED_MARROW = 0.66


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Points near one hip: (N, 3) mm from its centre, and in its hip coordinates."""

    offset_mm: Field
    hip_points: Field


def t1_signal(points: Field, study: PhantomStudy) -> Field:
    """Noiseless T1 signal, about 0 (air, cortex) to 1 (fat).

    Parameters
    ----------
    points
        (N, 3) patient LPS mm.
    study
        The study whose hips lie there; each point is drawn from the hip on its side.
    """
    middle = np.asarray(study.middle_mm, np.float32)
    on_left = points[:, 0] >= middle[0]
    signal = np.empty(len(points), np.float32)
    for hip, chosen in ((study.hips[1], on_left), (study.hips[0], ~on_left)):
        signal[chosen] = _hip_signal(points[chosen], hip, middle)
    return signal


def site_of(points: Field, hip: PhantomHip) -> Site:
    """Where points lie about a hip."""
    offset = points - np.asarray(hip.centre_mm, np.float32)
    mirror = np.array((lateral_sign(hip.laterality), 1.0, 1.0), np.float32)
    return Site(offset, offset * mirror * np.float32(HEAD_RADIUS / hip.radius_mm))


def _hip_signal(points: Field, hip: PhantomHip, middle: Field) -> Field:
    site = site_of(points, hip)
    signal = soft_tissue(site.hip_points, points - middle)
    signal = _with_pelvis(signal, site)
    signal = _with_joint(signal, site)
    return _with_femur(signal, site, hip)


def _with_pelvis(signal: Field, site: Site) -> Field:
    distance = pelvis(site.hip_points)
    signal = blend(signal, CORTEX, fade(distance, 0.6))
    fatty = np.float32(_PELVIC_MARROW) + np.float32(0.05) * trabeculae(site.hip_points, 0.19)
    return blend(signal, fatty, fade(distance + 1.3, 0.6))


def _with_joint(signal: Field, site: Site) -> Field:
    """Cartilage on the head, the joint space, the socket's cartilage, and the fat of its floor."""
    arm = length(site.hip_points)
    rim = cup_angle_deg(site.hip_points)
    inside = fade(arm - np.float32(CUP_RADIUS), 0.5)
    signal = blend(signal, _CARTILAGE, inside * fade(rim - 4.0, 8.0))
    slit = np.abs(arm - np.float32(HEAD_RADIUS + CARTILAGE)) - np.float32(0.25)
    signal = blend(signal, _JOINT_SPACE, fade(slit, 0.6) * fade(rim - 10.0, 20.0))
    labrum = np.abs(arm - 26.5) + np.abs(rim - 2.0) * np.float32(0.45) - np.float32(2.6)
    return blend(signal, 0.10, fade(labrum, 0.8))


def _with_femur(signal: Field, site: Site, hip: PhantomHip) -> Field:
    distance = femur(site.hip_points) * np.float32(hip.radius_mm / HEAD_RADIUS)
    signal = blend(signal, CORTEX, fade(distance, 0.3))
    depth = np.float32(RIM_MM) + cortex_mm(site.hip_points)
    return blend(signal, marrow(site, hip), fade(distance + depth, 0.3))


def cortex_mm(hip_points: Field) -> Field:
    """How much thicker than the head's the cortex is: thick at the calcar and down the shaft."""
    x, _, z = np.moveaxis(hip_points, -1, 0)
    shaft = np.clip((-z - np.float32(45.0)) / 35.0, 0, 1) * np.float32(4.0)
    calcar = np.exp(-(((x - 20.0) / 11.0) ** 2) - ((z + 36.0) / 14.0) ** 2) * np.float32(2.2)
    thicker: Field = shaft + calcar
    return thicker


def marrow(site: Site, hip: PhantomHip) -> Field:
    """Fatty marrow of head and trochanter, less fat in the neck, and the lesions in the head."""
    x, y, z = np.moveaxis(site.hip_points, -1, 0)
    red = np.exp(-(((x - 30.0) / 17.0) ** 2) - ((z + 30.0) / 17.0) ** 2 - ((y - 6.0) / 18.0) ** 2)
    fatty = np.float32(FAT) - red * np.float32(FAT - _RED_MARROW)
    fatty = fatty + np.float32(0.03) * trabeculae(site.hip_points, 0.27)
    scar = np.abs((0.55 * x - 0.83 * z) - 7.0 + np.float32(0.012) * (x + 4.0) ** 2)
    in_head = fade(length(site.hip_points) - np.float32(20.0), 3.0)
    fatty = blend(fatty, 0.55, fade(scar - 0.3, 0.8) * in_head * np.float32(0.5))
    return _with_lesions(fatty, site, hip)


def _with_lesions(fatty: Field, site: Site, hip: PhantomHip) -> Field:
    if not hip.lesions:
        return fatty
    margins = [lesion_distance(site.offset_mm, one, hip.radius_mm) for one in hip.lesions]
    margin = np.minimum.reduce(margins)
    fatty = blend(fatty, _BAND, fade(margin, 0.4))
    patches = np.float32(_NECROTIC) + np.float32(0.10) * trabeculae(site.hip_points, 0.42)
    return blend(fatty, patches, fade(margin + np.float32(BAND_MM), 0.5))


def trabeculae(points: Field, pitch: float) -> Field:
    """A smooth, uneven pattern of -1 to 1, about 6 / pitch mm from crest to crest."""
    x, y, z = np.moveaxis(points * np.float32(pitch), -1, 0)
    bent = np.sin(x + 1.7 * np.sin(0.6 * z)) * np.sin(1.3 * z + np.sin(0.8 * y))
    pattern: Field = bent * np.sin(0.9 * y + 0.5 * x + 0.4)
    return pattern
