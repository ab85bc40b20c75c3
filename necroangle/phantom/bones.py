"""The bones of one hip as signed distances, in hip coordinates.

Hip coordinates are mm from the head's centre, scaled so that the head's radius is 24: (lateral,
posterior, superior). So one description serves both sides and every size.
"""

import numpy as np

from necroangle.phantom.model import neck_direction
from necroangle.phantom.shapes import Field, capsule, ellipsoid, length, smooth_union
from necroangle.terms import Laterality

__all__ = [
    "CARTILAGE",
    "CUP_RADIUS",
    "HEAD_RADIUS",
    "cup_angle_deg",
    "femur",
    "pelvis",
]

HEAD_RADIUS = 24.0
CARTILAGE = 1.8
"""Thickness of the head's cartilage; the joint space and the socket's cartilage follow."""
CUP_RADIUS = 27.6
"""Radius of the socket's subchondral bone."""

_NECK = np.array(neck_direction(Laterality.LEFT))
_CUP_POLE = np.array((-0.68, 0.17, 0.71)) / np.linalg.norm((-0.68, 0.17, 0.71))
_CUP_COVER_DEG = 78.0


def femur(points: Field) -> Field:
    """Distance to the femur's surface; the head is an exact sphere but where the neck leaves it."""
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
