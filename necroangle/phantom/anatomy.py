"""T1-weighted signal of a pair of hips at any point of the patient."""

from dataclasses import dataclass

import numpy as np

from necroangle.phantom.bones import (
    CARTILAGE,
    CUP_RADIUS,
    HEAD_RADIUS,
    cup_angle_deg,
    femur,
    pelvis,
)
from necroangle.phantom.lesion import lesion_distance
from necroangle.phantom.model import PhantomHip, lateral_sign
from necroangle.phantom.shapes import Field, blend, fade, length
from necroangle.phantom.soft_tissue import FAT, soft_tissue
from necroangle.phantom.study import PhantomStudy

__all__ = ["BAND_MM", "RIM_MM", "t1_signal"]

RIM_MM = 1.1
"""Thickness of the dark subchondral line."""
BAND_MM = 1.9
"""Thickness of the lesion's low-signal band, inward from its outer margin."""

_CORTEX = 0.06
_BAND = 0.10
_NECROTIC = 0.70
_CARTILAGE = 0.50
_JOINT_SPACE = 0.26
_PELVIC_MARROW = 0.74
_RED_MARROW = 0.66


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
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


def _hip_signal(points: Field, hip: PhantomHip, middle: Field) -> Field:
    offset = points - np.asarray(hip.centre_mm, np.float32)
    mirror = np.array((lateral_sign(hip.laterality), 1.0, 1.0), np.float32)
    site = _Site(offset, offset * mirror * np.float32(HEAD_RADIUS / hip.radius_mm))
    signal = soft_tissue(site.hip_points, points - middle)
    signal = _with_pelvis(signal, site)
    signal = _with_joint(signal, site)
    return _with_femur(signal, site, hip)


def _with_pelvis(signal: Field, site: _Site) -> Field:
    distance = pelvis(site.hip_points)
    signal = blend(signal, _CORTEX, fade(distance, 0.6))
    marrow = np.float32(_PELVIC_MARROW) + np.float32(0.05) * _trabeculae(site.hip_points, 0.19)
    return blend(signal, marrow, fade(distance + 1.3, 0.6))


def _with_joint(signal: Field, site: _Site) -> Field:
    """Cartilage on the head, the joint space, the socket's cartilage, and the fat of its floor."""
    arm = length(site.hip_points)
    rim = cup_angle_deg(site.hip_points)
    inside = fade(arm - np.float32(CUP_RADIUS), 0.5)
    signal = blend(signal, _CARTILAGE, inside * fade(rim - 4.0, 8.0))
    slit = np.abs(arm - np.float32(HEAD_RADIUS + CARTILAGE)) - np.float32(0.25)
    signal = blend(signal, _JOINT_SPACE, fade(slit, 0.6) * fade(rim - 10.0, 20.0))
    labrum = np.abs(arm - 26.5) + np.abs(rim - 2.0) * np.float32(0.45) - np.float32(2.6)
    return blend(signal, 0.10, fade(labrum, 0.8))


def _with_femur(signal: Field, site: _Site, hip: PhantomHip) -> Field:
    distance = femur(site.hip_points) * np.float32(hip.radius_mm / HEAD_RADIUS)
    signal = blend(signal, _CORTEX, fade(distance, 0.3))
    depth = np.float32(RIM_MM) + _cortex_mm(site.hip_points)
    return blend(signal, _marrow(site, hip), fade(distance + depth, 0.3))


def _cortex_mm(hip_points: Field) -> Field:
    """How much thicker than the head's the cortex is: thick at the calcar and down the shaft."""
    x, _, z = np.moveaxis(hip_points, -1, 0)
    shaft = np.clip((-z - np.float32(45.0)) / 35.0, 0, 1) * np.float32(4.0)
    calcar = np.exp(-(((x - 20.0) / 11.0) ** 2) - ((z + 36.0) / 14.0) ** 2) * np.float32(2.2)
    thicker: Field = shaft + calcar
    return thicker


def _marrow(site: _Site, hip: PhantomHip) -> Field:
    """Fatty marrow of head and trochanter, less fat in the neck, and the lesions in the head."""
    x, y, z = np.moveaxis(site.hip_points, -1, 0)
    red = np.exp(-(((x - 30.0) / 17.0) ** 2) - ((z + 30.0) / 17.0) ** 2 - ((y - 6.0) / 18.0) ** 2)
    marrow = np.float32(FAT) - red * np.float32(FAT - _RED_MARROW)
    marrow = marrow + np.float32(0.03) * _trabeculae(site.hip_points, 0.27)
    scar = np.abs((0.55 * x - 0.83 * z) - 7.0 + np.float32(0.012) * (x + 4.0) ** 2)
    in_head = fade(length(site.hip_points) - np.float32(20.0), 3.0)
    marrow = blend(marrow, 0.55, fade(scar - 0.3, 0.8) * in_head * np.float32(0.5))
    return _with_lesions(marrow, site, hip)


def _with_lesions(marrow: Field, site: _Site, hip: PhantomHip) -> Field:
    if not hip.lesions:
        return marrow
    margins = [lesion_distance(site.offset_mm, one, hip.radius_mm) for one in hip.lesions]
    margin = np.minimum.reduce(margins)
    marrow = blend(marrow, _BAND, fade(margin, 0.4))
    patches = np.float32(_NECROTIC) + np.float32(0.10) * _trabeculae(site.hip_points, 0.42)
    return blend(marrow, patches, fade(margin + np.float32(BAND_MM), 0.5))


def _trabeculae(points: Field, pitch: float) -> Field:
    """A smooth, uneven pattern of -1 to 1, about 6 / pitch mm from crest to crest."""
    x, y, z = np.moveaxis(points * np.float32(pitch), -1, 0)
    bent = np.sin(x + 1.7 * np.sin(0.6 * z)) * np.sin(1.3 * z + np.sin(0.8 * y))
    pattern: Field = bent * np.sin(0.9 * y + 0.5 * x + 0.4)
    return pattern
