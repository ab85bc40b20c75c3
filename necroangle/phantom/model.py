"""What a phantom is made of: hips and their lesions, in patient LPS mm."""

import math
from dataclasses import dataclass

import numpy as np

from necroangle.errors import PhantomError
from necroangle.phantom.stack import Vector3
from necroangle.terms import Laterality

__all__ = [
    "Lesion",
    "PhantomHip",
    "lateral_sign",
    "lesion_axis",
    "neck_direction",
]

NECK_SHAFT_DEG = 127.0
"""Angle between the neck and the shaft."""
ANTEVERSION_DEG = 12.0
"""Turn of the neck out of the coronal plane: the head lies before the trochanters."""
NECK_HALF_ANGLE_DEG = 40.0
"""Angle at the head's centre from the neck's axis to where the head's round surface begins."""

_UNIT_TOLERANCE = 1e-9


def lateral_sign(laterality: Laterality) -> float:
    """+1 for the left hip, whose lateral side is +x in patient LPS, and -1 for the right."""
    return 1.0 if laterality is Laterality.LEFT else -1.0


def lesion_axis(laterality: Laterality, anterior_deg: float, lateral_deg: float) -> Vector3:
    """Unit vector in patient LPS from the head's centre to the middle of a lesion.

    Seen from the side the axis leans ``anterior_deg`` forward of superior, seen from the front
    ``lateral_deg`` outward: ``(±tan lateral, -tan anterior, 1)`` scaled to length 1.

    Parameters
    ----------
    laterality
        The hip's side: lateral is +x for the left hip and -x for the right.
    anterior_deg, lateral_deg
        Tilts from superior, each above -90 and below 90 degrees; negative: posterior, medial.

    Raises
    ------
    PhantomError
        If a tilt is 90 degrees or more.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> [round(x, 3) for x in lesion_axis(Laterality.RIGHT, 0, 45)]
    [-0.707, 0.0, 0.707]
    >>> lesion_axis(Laterality.LEFT, 90, 0)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: the lesion's anterior tilt must lie between -90° and 90°, ...
    """
    for label, tilt in (("anterior", anterior_deg), ("lateral", lateral_deg)):
        if not abs(tilt) < 90:
            raise PhantomError(
                f"the lesion's {label} tilt must lie between -90° and 90°, found {tilt}"
            )
    x = lateral_sign(laterality) * math.tan(math.radians(lateral_deg))
    y = 0.0 - math.tan(math.radians(anterior_deg))
    length = math.hypot(x, y, 1.0)
    return x / length, y / length, 1.0 / length


def neck_direction(laterality: Laterality) -> Vector3:
    """Unit vector in patient LPS from the head's centre down the middle of the neck."""
    tilt, turn = math.radians(NECK_SHAFT_DEG), math.radians(ANTEVERSION_DEG)
    x = lateral_sign(laterality) * math.sin(tilt) * math.cos(turn)
    return x, math.sin(tilt) * math.sin(turn), math.cos(tilt)


@dataclass(frozen=True, slots=True)
class Lesion:
    """A necrotic lesion: its surface is the spherical cap about an axis through the centre.

    Attributes
    ----------
    axis
        Unit vector in patient LPS from the head's centre to the middle of the cap.
    half_angle_deg
        Angle from the axis to the cap's edge, above 0 and below 180 degrees.

    Raises
    ------
    PhantomError
        If the axis is not of length 1 or the angle is out of range.

    Examples
    --------
    >>> Lesion((0.0, 0.0, 1.0), 50.0).half_angle_deg
    50.0
    >>> Lesion((0.0, 0.0, 1.0), 180.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: a lesion's half angle must lie between 0° and 180°, ...
    """

    axis: Vector3
    half_angle_deg: float

    def __post_init__(self) -> None:
        if not abs(math.hypot(*self.axis) - 1.0) <= _UNIT_TOLERANCE:
            raise PhantomError(f"a lesion's axis must have length 1, found {self.axis}")
        if not 0 < self.half_angle_deg < 180:
            raise PhantomError(
                f"a lesion's half angle must lie between 0° and 180°, found {self.half_angle_deg}"
            )


@dataclass(frozen=True, slots=True)
class PhantomHip:
    """One hip: a spherical head on a neck, with its lesions.

    Attributes
    ----------
    laterality
        The hip's side.
    centre_mm
        Centre of the head in patient LPS mm.
    radius_mm
        Radius of the head, to the outer margin of the subchondral line, mm.
    lesions
        None for a normal hip.

    Raises
    ------
    PhantomError
        If the radius is no head's.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> axis = lesion_axis(Laterality.RIGHT, 0, 45)
    >>> PhantomHip(Laterality.RIGHT, (-86, 0, 0), 24, (Lesion(axis, 60),)).refuse_neck()
    Traceback (most recent call last):
    ...
    necroangle.errors.PhantomError: hip R: the lesion reaches the neck...
    """

    laterality: Laterality
    centre_mm: Vector3
    radius_mm: float
    lesions: tuple[Lesion, ...] = ()

    def __post_init__(self) -> None:
        where = f"hip {self.laterality.value}"
        if not 15 <= self.radius_mm <= 35:
            raise PhantomError(
                f"{where}: a head's radius must lie between 15 and 35 mm, found {self.radius_mm}"
            )
        if not all(map(math.isfinite, self.centre_mm)):
            raise PhantomError(f"{where}: the centre is not finite, found {self.centre_mm}")

    def refuse_neck(self) -> None:
        """Refuse a lesion that reaches the neck, which has no joint surface and never counts.

        Raises
        ------
        PhantomError
            Saying how large the lesion may be.
        """
        neck = neck_direction(self.laterality)
        for lesion in self.lesions:
            apart = math.degrees(math.acos(float(np.clip(np.dot(lesion.axis, neck), -1, 1))))
            if apart < lesion.half_angle_deg + NECK_HALF_ANGLE_DEG:
                most = apart - NECK_HALF_ANGLE_DEG
                raise PhantomError(
                    f"hip {self.laterality.value}: the lesion reaches the neck, which has no "
                    f"joint surface: its half angle {lesion.half_angle_deg:g}° must be "
                    f"at most {most:.1f}°; make it smaller, or tilt it medially or forward"
                )
