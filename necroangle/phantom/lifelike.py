"""Signal of hips that are no spheres, in T1, PD, fat-suppressed T2 and STIR.

The anatomy is that of :mod:`necroangle.phantom.anatomy`; what differs is laid over it: the head's
own surface, fovea and cartilage of changing width, fluid, osteophytes, the band with a blurred or a
double line, a dome that has sunk, with its crescent, and oedema beside a lesion.
"""

from dataclasses import dataclass, replace

import numpy as np

from necroangle.phantom.anatomy import (
    BAND_MM,
    CARTILAGE,
    CORTEX,
    CUP_RADIUS,
    HEAD_RADIUS,
    MUSCLE,
    RIM_MM,
    Field,
    Site,
    bladder,
    blend,
    capsule,
    cortex_mm,
    cup_angle_deg,
    ellipsoid,
    fade,
    femur,
    length,
    lesion_distance,
    marrow,
    pelvis,
    site_of,
    smooth_union,
    soft_tissue,
    trabeculae,
)
from necroangle.phantom.looks import Contrast, HeadForm, MrLook
from necroangle.phantom.model import PhantomHip, PhantomStudy, neck_direction
from necroangle.phantom.surface import directions_from, sunken_mm, surface_mm
from necroangle.terms import Laterality

_T1_TONES = (0.0, 0.06, 0.14, MUSCLE, 0.42, 0.92, 1.0)
"""Signals of air, cortex, capsule, muscle, bowel and fat in T1: what a contrast says anew."""


@dataclass(frozen=True, slots=True)
class _Palette:
    """Signals of a contrast, 0 to 1.

    Attributes
    ----------
    tones
        What the tissues of ``_T1_TONES`` give.
    fluid, cartilage
        Of the joint, and of the bladder.
    band, line, dead
        Outer margin of a lesion, its inner line, and what lies within.
    crescent
        The fracture under a sunken dome.
    oedema
        What it adds to the marrow beside a lesion.
    always_line
        Whether the inner line shows in any case.
    """

    tones: tuple[float, ...]
    fluid: float
    cartilage: float
    band: float
    line: float
    dead: float
    crescent: float
    oedema: float = 0.0
    always_line: bool = False


_PALETTES = {
    Contrast.T1: _Palette(_T1_TONES, 0.26, 0.50, 0.10, 0.40, 0.70, 0.07),
    Contrast.PD: _Palette(
        (0.0, 0.06, 0.16, 0.44, 0.5, 0.80, 0.86), 0.90, 0.66, 0.13, 0.72, 0.60, 0.80
    ),
    Contrast.T2_FS: _Palette(
        (0.0, 0.05, 0.08, 0.17, 0.3, 0.10, 0.11), 0.95, 0.40, 0.05, 0.62, 0.12, 0.90, 0.34, True
    ),
    Contrast.STIR: _Palette(
        (0.0, 0.04, 0.08, 0.20, 0.3, 0.06, 0.07), 0.90, 0.36, 0.06, 0.50, 0.10, 0.85, 0.42, True
    ),
}

_DEPTH_OF_CRESCENT_MM, _CRESCENT_MM, _LEAST_CRACKED_MM = 2.4, 0.9, 1.0
_OEDEMA_MM, _INNERMOST_MM = 9.0, 9.0
"""How far oedema reaches; nearer to the head's centre the distance from a lesion is not exact."""

_NECK = np.array(neck_direction(Laterality.LEFT))


def lifelike_signal(points: Field, study: PhantomStudy) -> Field:
    """Noiseless signal, about 0 to 1, as :func:`necroangle.phantom.anatomy.t1_signal` gives it.

    Parameters
    ----------
    points
        (N, 3) patient LPS mm.
    study
        The study whose hips lie there.
    """
    middle = np.asarray(study.middle_mm, np.float32)
    on_left = points[:, 0] >= middle[0]
    signal = np.empty(len(points), np.float32)
    for hip, chosen in ((study.hips[1], on_left), (study.hips[0], ~on_left)):
        painter = _Painter(points[chosen], hip, study.look or MrLook(), middle)
        signal[chosen] = painter.signal()
    return signal


class _Painter:
    """Paints the points near one hip: soft tissue, pelvis, joint, femur, lesions."""

    def __init__(self, points: Field, hip: PhantomHip, look: MrLook, middle: Field) -> None:
        self.hip, self.look, self.form = hip, look, hip.form or HeadForm()
        self.palette = _PALETTES[look.contrast]
        self.body = points - middle
        self.site: Site = site_of(points, hip)
        self.directions = directions_from(self.site.offset_mm, hip).astype(np.float32)
        self.surface = surface_mm(self.directions, hip).astype(np.float32)
        scale = np.float32(HEAD_RADIUS / hip.radius_mm)
        self.above = length(self.site.hip_points) - self.surface * scale

    def signal(self) -> Field:
        """The signal of all of it."""
        tissue = self.toned(soft_tissue(self.site.hip_points, self.body))
        tissue = blend(tissue, self.palette.fluid, fade(bladder(self.body), 1.5))
        return self.with_femur(self.with_joint(self.with_pelvis(tissue)))

    def toned(self, signal: Field) -> Field:
        """A T1 signal as this contrast shows it."""
        return np.asarray(np.interp(signal, _T1_TONES, self.palette.tones), np.float32)

    def with_pelvis(self, signal: Field) -> Field:
        """The pelvis with its marrow."""
        distance = pelvis(self.site.hip_points)
        signal = blend(signal, CORTEX, fade(distance, 0.6))
        fatty = np.float32(0.74) + np.float32(0.05) * trabeculae(self.site.hip_points, 0.19)
        return blend(signal, self.toned(fatty), fade(distance + 1.3, 0.6))

    def with_joint(self, signal: Field) -> Field:
        """Cartilage of changing width, the space between, the labrum, and fluid."""
        arm, rim = length(self.site.hip_points), cup_angle_deg(self.site.hip_points)
        x, y, z = np.moveaxis(self.directions, -1, 0)
        wave = np.sin(2.6 * x - 1.7 * y + 0.8) * np.cos(2.1 * z + 0.3)
        width = np.float32(CARTILAGE) * (1 + np.float32(self.form.uneven_cartilage) * wave)
        covered = fade(rim - 4.0, 8.0)
        signal = blend(signal, self.palette.cartilage, fade(arm - CUP_RADIUS, 0.5) * covered)
        open_mm = np.float32(0.25 + self.form.fluid_mm / 12.0)
        slit = np.abs(self.above - width) - open_mm
        signal = blend(signal, self.palette.fluid, fade(slit, 0.6) * fade(rim - 10.0, 20.0))
        labrum = np.abs(arm - 26.5) + np.abs(rim - 2.0) * np.float32(0.45) - np.float32(2.6)
        signal = blend(signal, self.palette.tones[2] * 0.7, fade(labrum, 0.8))
        return self.with_fluid(signal, rim)

    def with_fluid(self, signal: Field, rim: Field) -> Field:
        """Fluid about head and neck beyond the socket's rim, within the capsule."""
        if not self.form.fluid_mm:
            return signal
        sleeve = capsule(self.site.hip_points, ((0.0, 0.0, 0.0), (25.0, 5.0, -19.0)), (28.5, 21.0))
        near = self.bone() - np.float32(self.form.fluid_mm)
        inside = fade(sleeve + 2.4, 1.5) * fade(near, 1.0) * fade(4.0 - rim, 8.0)
        return blend(signal, self.palette.fluid, inside)

    def bone(self) -> Field:
        """Distance to the femur, with the osteophytes at its margins."""
        distance = femur(self.site.hip_points, self.above)
        height = self.form.osteophyte_mm
        if not height:
            return distance
        for up in ((0.60, 0.0, 0.80), (-0.62, 0.10, -0.78)):
            across = np.array(up) - np.dot(up, _NECK) * _NECK
            across /= np.linalg.norm(across)
            middle = 24.0 * (np.cos(0.9) * _NECK + np.sin(0.9) * across)
            spur = ellipsoid(self.site.hip_points, middle.tolist(), (height + 1.5,) * 3)
            distance = smooth_union(distance, spur, 2.0)
        return distance

    def with_femur(self, signal: Field) -> Field:
        """The femur with cortex, marrow and lesions."""
        distance = self.bone() * np.float32(self.hip.radius_mm / HEAD_RADIUS)
        signal = blend(signal, CORTEX, fade(distance, 0.3))
        depth = np.float32(RIM_MM) + cortex_mm(self.site.hip_points)
        inner = self.toned(marrow(self.site, replace(self.hip, lesions=())))
        return blend(signal, self.with_lesions(inner), fade(distance + depth, 0.3))

    def with_lesions(self, inner: Field) -> Field:
        """Lesions up to the head's own surface, and what they do to the marrow beside them."""
        if not self.hip.lesions:
            return inner
        onto_sphere = self.site.offset_mm * (self.hip.radius_mm / self.surface)[:, None]
        margin = np.minimum.reduce(
            [lesion_distance(onto_sphere, one, self.hip.radius_mm) for one in self.hip.lesions]
        )
        palette, blur = self.palette, self.look.band_blur_mm
        if palette.oedema:
            inner = inner + np.float32(palette.oedema) * self.oedema(onto_sphere)
        inner = blend(inner, palette.band, fade(margin, blur))
        within = np.float32(BAND_MM)
        if self.look.double_line or palette.always_line:
            inner = blend(inner, palette.line, fade(margin + np.float32(1.3), blur))
            within = np.float32(BAND_MM + 1.1)
        patches = np.float32(palette.dead) * (
            1 + np.float32(0.14) * trabeculae(self.site.hip_points, 0.42)
        )
        return self.with_crescent(blend(inner, patches, fade(margin + within, blur)))

    def oedema(self, onto_sphere: Field) -> Field:
        """How much of it there is beside the lesions, 0 to 1."""
        arm = np.maximum(length(onto_sphere), np.float32(1e-3))
        out = onto_sphere * np.maximum(np.float32(_INNERMOST_MM) / arm, 1.0)[:, None]
        away = np.minimum.reduce(
            [lesion_distance(out, one, self.hip.radius_mm) for one in self.hip.lesions]
        )
        away = away + np.maximum(np.float32(_INNERMOST_MM) - arm, 0)
        glow: Field = np.exp(-((np.maximum(away, 0) / np.float32(_OEDEMA_MM)) ** 2))
        return glow

    def with_crescent(self, inner: Field) -> Field:
        """The fracture under a sunken dome: a line along it that thins out towards its ends."""
        if self.form.sunken_mm < _LEAST_CRACKED_MM:
            return inner
        share = sunken_mm(self.directions, self.hip) / np.float32(self.form.sunken_mm)
        below = np.abs(self.surface - length(self.site.offset_mm) - _DEPTH_OF_CRESCENT_MM)
        line = below - np.float32(_CRESCENT_MM / 2) * np.sqrt(share)
        return blend(inner, self.palette.crescent, fade(line, 0.4) * fade(0.25 - share, 0.1))
