"""Slices of one head at two visits, rendered from phantom hips: the true motion is known.

Between the visits the lesion has grown by 10 degrees, the patient lies turned by up to 10 degrees
within the plane and moved by up to 8 mm, the slice lies up to 2 mm elsewhere in the head, pixels,
gain, shading and noise differ, and both circles are marked by hand. The thigh may be turned alone:
then the pelvis stays.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import Circle, ImagePlane, PatientPoints, PixelPoints, arc_through
from necroangle.imaging.registration import HeadMotion, HeadPicture
from necroangle.imaging.volume import Slice
from necroangle.phantom import Lesion, PhantomHip, PhantomStudy, cut, lateral_sign, lesion_axis
from necroangle.phantom.anatomy import HEAD_RADIUS, femur, t1_signal
from necroangle.terms import Laterality, SourceImage, View, Weighting

__all__ = ["VisitPair", "made_pair"]

Array = NDArray[np.float64]

FIELD_MM, FAT_GREY, THICK_MM = 110.0, 200.0, 3.5
GROWN_DEG, TURN_DEG, MOVED_MM, OFF_MM = 10.0, 10.0, 8.0, 2.0
CLICK_SD_MM, RADIUS_SD_MM = 0.3, 0.3
AXES = {
    View.CORONAL: np.array(((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
    View.SAGITTAL: np.array(((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0))),
}


@dataclass(frozen=True)
class VisitPair:
    """Two head pictures and the truth between them.

    Attributes
    ----------
    turn_deg
        From the earlier to the later picture, from +u towards +v.
    centres_mm
        True centre of the head on each, plane mm.
    """

    view: View
    prior: HeadPicture
    today: HeadPicture
    turn_deg: float
    centres_mm: tuple[Array, Array]

    def turn_error_deg(self, found: HeadMotion) -> float:
        """Of the turn that was found."""
        return found.rotation_deg - self.turn_deg

    def place_error_mm(self, found: HeadMotion) -> Array:
        """(2,) where the head's true centre comes to lie from where it is."""
        moved = found.to_today(np.array([self.centres_mm[0]]))  # type: ignore[arg-type]
        return np.asarray(moved[0] - self.centres_mm[1])


def made_pair(seed: int, view: View, *, thigh_alone: bool = False) -> VisitPair:
    """A pair of a seed."""
    chance = np.random.default_rng(seed)
    side = Laterality.LEFT if chance.random() < 0.5 else Laterality.RIGHT
    centre = lateral_sign(side) * np.array((88.0, 0.0, 0.0)) + chance.uniform(-8, 8, 3)
    axis = lesion_axis(side, chance.uniform(0, 35), chance.uniform(-10, 30))
    half_deg = chance.uniform(25, 50)
    before = PhantomHip(
        side, tuple(centre.tolist()), chance.uniform(21, 27), (Lesion(axis, half_deg),)
    )
    after = replace(before, lesions=(Lesion(axis, half_deg + GROWN_DEG / 2),))
    turn_deg = chance.uniform(-TURN_DEG, TURN_DEG)
    off_mm = chance.uniform(-2, 2) + np.array((0.0, chance.uniform(-OFF_MM, OFF_MM)))
    away = chance.normal(size=2)
    away *= MOVED_MM * math.sqrt(chance.random()) / np.linalg.norm(away)
    turn = _turn(view, turn_deg)
    patient, thigh = (np.eye(3), turn) if thigh_alone else (turn, np.eye(3))
    first = _Visit(before, view, np.eye(3), np.eye(3), float(off_mm[0]), np.zeros(2))
    second = _Visit(after, view, patient, thigh, float(off_mm[1]), away)
    (prior, there), (today, here) = (one.head_picture(chance) for one in (first, second))
    return VisitPair(view, prior, today, turn_deg, (there, here))


def _turn(view: View, turn_deg: float) -> Array:
    """(3, 3) a turn within the plane, from the row towards the column, in patient axes."""
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    within = np.array(((cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0)))
    return np.asarray(AXES[view].T @ within @ AXES[view])


@dataclass(frozen=True)
class _Visit:
    hip: PhantomHip
    view: View
    patient: Array
    thigh: Array
    off_mm: float
    away_mm: Array

    def head_picture(self, chance: np.random.Generator) -> tuple[HeadPicture, Array]:
        """The slice with its marked circle, and the true centre on it."""
        spacing = chance.uniform(0.55, 0.85)
        size = round(FIELD_MM / spacing)
        row, column, normal = AXES[self.view] @ self.patient
        middle = np.array(self.hip.centre_mm) + self.off_mm * normal
        reach = spacing * (size - 1) / 2
        corner = middle - row * (reach + self.away_mm[0]) - column * (reach + self.away_mm[1])
        plane = ImagePlane.from_dicom(corner.tolist(), [*row, *column], (spacing, spacing))
        pixels = self._rendered(plane, size, chance)
        (lesion,) = self.hip.lesions
        axis = tuple((self.thigh @ lesion.axis).tolist())
        truth = cut(replace(self.hip, lesions=(Lesion(axis, lesion.half_angle_deg),)), plane)
        assert truth.centre_mm is not None
        centre = plane.patient_to_plane(PatientPoints(np.array([truth.centre_mm])))[0]
        marked = (centre + chance.normal(0, CLICK_SD_MM, 2)).tolist()
        arcs = [
            arc_through(
                marked,
                truth.radius_mm,
                plane.patient_to_plane(
                    PatientPoints(np.array((arc.start_mm, arc.end_mm, arc.via_mm)))
                ),
            )
            for arc in truth.arcs
        ]
        circle = Circle((marked[0], marked[1]), truth.radius_mm + chance.normal(0, RADIUS_SD_MM))
        source = SourceImage("1.2", "1.2.3", "1.2.3.4")
        return (
            HeadPicture(
                Slice(pixels, plane, source),
                circle,
                self.hip.laterality,
                tuple(arcs),
                truth.offset_mm,
                Weighting.T1,
            ),
            np.asarray(centre),
        )

    def _rendered(self, plane: ImagePlane, size: int, chance: np.random.Generator) -> Array:
        places = np.indices((size, size)).reshape(2, -1).T.astype(float)
        signal = np.zeros(len(places), np.float32)
        for part, way in ((-1 / 3, 1), (0.0, -1), (1 / 3, 1)):
            for aside in (-0.25, 0.25):
                within = places + np.array((aside, way * aside))
                at = plane.pixel_to_patient(PixelPoints(within)) + plane.normal * part * THICK_MM
                signal += self._signal(at.astype(np.float32)) / 6
        row, column = (places / size).T - 0.5
        slant = chance.uniform(-0.15, 0.15, 2)
        shading = (
            1 + slant[0] * row + slant[1] * column + 0.1 * np.cos(2 * row + chance.uniform(-1, 1))
        )
        fat = FAT_GREY * chance.uniform(0.6, 1.8)
        noise = chance.normal(0.0, fat / chance.uniform(20, 40), (2, len(signal)))
        grey = np.hypot(fat * shading * signal + noise[0], noise[1])
        return np.asarray(grey.reshape(size, size))

    def _signal(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The pelvis where it is; the thigh, and what lies within 1 mm of it, turned."""
        study = _study(self.hip)
        still = t1_signal(points, study)
        if np.array_equal(self.thigh, np.eye(3)):
            return still
        centre = np.asarray(self.hip.centre_mm, np.float32)
        back = (points - centre) @ self.thigh.astype(np.float32)
        size = np.float32(HEAD_RADIUS / self.hip.radius_mm)
        scale = np.array((lateral_sign(self.hip.laterality), 1.0, 1.0), np.float32) * size
        near = np.minimum(femur(back * scale), femur((points - centre) * scale)) < 1.0
        still[near] = t1_signal(back[near] + centre, study)
        return still


def _study(hip: PhantomHip) -> PhantomStudy:
    x, y, z = hip.centre_mm
    is_left = hip.laterality is Laterality.LEFT
    other = Laterality.RIGHT if is_left else Laterality.LEFT
    beside = PhantomHip(other, (-x, y, z), hip.radius_mm)
    return PhantomStudy("PAIR", (beside, hip) if is_left else (hip, beside))
