"""Readings by a hand that does not share the assumptions of the error budget.

Heads are oval or have harmonics, their dome is higher or lower than the circle; rim noise is
correlated along the rim and larger along it than across; arc ends have a spread of their own and a
habit that pushes all of them outward; the lesion is a cap, tilted out of the slices, which lie off
the head's centre. The truth is the angle in the centre plane of a round head.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReaderEntries,
    ReadView,
)
from necroangle.geometry import ImagePlane
from necroangle.terms import Finding, Laterality, View

__all__ = ["MIXTURE", "ROWS", "Case", "Hips", "read_hips"]

Array = NDArray[np.float64]

CENTRE_MM = np.array([90.0, -10.0, 35.0])
SPACING_MM = (0.6, 0.45)
_AXES = {
    View.CORONAL: (np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])),
    View.SAGITTAL: (np.array([0.0, 1.0, 0.0]), np.array([-1.0, 0.0, 0.0])),
}
"""Of each view: its row's direction, and row x down, the normal of its slices."""
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Case:
    """What is wrong with head, hand and slice.

    Attributes
    ----------
    name
        For the table.
    marks, span_deg
        Of each rim.
    rim_sd_mm, rim_rho, along_mm
        Noise across the rim, its correlation between neighbours, and noise along it.
    end_sd_mm, end_spread, habit_sd_mm
        Spread of arc ends, its own spread between readers (lognormal), and the readers' habits.
    oval, oval_sd, waves_sd_mm
        Difference of the axes as a share of the radius: fixed, or its spread; and the spread of
        harmonics of order 3.
    dome_mm
        How much higher the dome is than the circle; its spread is ``dome_sd_mm``.
    offset_mm
        Slices lie as far off the centre, either way, evenly.
    tilt_deg, tilt_sd_deg
        Of the lesion out of each slice.
    """

    name: str
    marks: tuple[int, int] = (12, 12)
    span_deg: tuple[float, float] = (220.0, 220.0)
    rim_sd_mm: float = 0.5
    rim_rho: float = 0.0
    along_mm: float = 0.0
    end_sd_mm: float = 1.0
    end_spread: float = 0.0
    habit_sd_mm: float = 0.0
    oval: float = 0.0
    oval_sd: float = 0.0
    waves_sd_mm: float = 0.0
    dome_mm: float = 0.0
    dome_sd_mm: float = 0.0
    offset_mm: float = 0.0
    tilt_deg: float = 0.0
    tilt_sd_deg: float = 0.0
    least: float = 0.93
    most: float = 1.0


ROWS = (
    Case("round, on centre, 1 mm reader"),
    Case("8 marks, rim 180", (8, 8), (180.0, 180.0)),
    Case("12 marks, rim 130", span_deg=(130.0, 130.0)),
    Case("rim noise correlated .7, 12 marks", rim_rho=0.7),
    Case("rim noise correlated .7, 30 marks", (30, 30), rim_rho=0.7),
    Case("across .3, along 2 mm", rim_sd_mm=0.3, along_mm=2.0),
    Case("oval 3 %, rim 220", oval=0.03),
    Case("oval +5 %, rim 220", oval=0.05),
    Case("oval -5 %, rim 220", oval=-0.05),
    Case("oval 5 %, rim 180, 12 marks", span_deg=(180.0, 180.0), oval=0.05),
    Case("oval 5 %, rim 180, 30 marks", (30, 30), (180.0, 180.0), oval=0.05, least=0.92),
    Case("dome +1 mm", dome_mm=1.0),
    Case("dome -1 mm", dome_mm=-1.0),
    Case("slices +-3 mm, tilt 0", offset_mm=3.0),
    Case("slices +-3 mm, tilt 10", offset_mm=3.0, tilt_deg=10.0),
    Case("slices +-3 mm, tilt 20", offset_mm=3.0, tilt_deg=20.0),
)
"""What is wrong one by one."""

MIXTURE = Case(
    "mixture: tilts, slices, ovals, correlated rims, unlike readers",
    marks=(9, 16),
    span_deg=(180.0, 260.0),
    rim_rho=0.5,
    end_spread=0.35,
    habit_sd_mm=0.3,
    oval_sd=0.025,
    waves_sd_mm=0.1,
    dome_sd_mm=0.3,
    offset_mm=2.0,
    tilt_sd_deg=15.0,
    most=0.98,
)
"""All of it, as it may come together."""


@dataclass(frozen=True)
class Hips:
    """Readings with the true angles of A and B.

    Attributes
    ----------
    readings
        N readings.
    truth_deg
        (N, 2) degrees.
    """

    readings: list[HipReading]
    truth_deg: Array


@dataclass(frozen=True)
class Hip:
    """A head and its lesion, the same at every visit.

    Attributes
    ----------
    axes
        Of each view, how its slices see the lesion: component along the slice towards lateral or
        posterior, along the normal, and up.
    cut
        Cosine of the half angle of the cap.
    oval, wave_mm, phase, dome_mm
        Of each view's contour.
    """

    axes: tuple[Array, Array]
    cut: float
    oval: float
    wave_mm: Array
    phase: Array
    dome_mm: float


RADIUS_MM = 24.0


def read_hips(case: Case, count: int, seed: int, visits: int = 1) -> list[Hips]:
    """Hips as read at some visits, by one reader each, the slices chosen anew."""
    chance = np.random.default_rng(seed)
    found = [Hips([], np.zeros((count, 2))) for _ in range(visits)]
    for number in range(count):
        hip = _hip(case, chance)
        spread = case.end_sd_mm * float(np.exp(chance.normal(0, case.end_spread)))
        habit = float(chance.normal(0, case.habit_sd_mm)) if case.habit_sd_mm else 0.0
        for visit, hips in enumerate(found):
            views = []
            for side, view in enumerate((View.CORONAL, View.SAGITTAL)):
                offset = float(chance.uniform(-1, 1)) * case.offset_mm
                made, truth = _view(case, hip, view, side, offset, spread, habit, chance)
                views.append(made)
                hips.truth_deg[number, side] = truth
            hips.readings.append(_reading(number, visit, (views[0], views[1])))
    return found


def _hip(case: Case, chance: np.random.Generator) -> Hip:
    """A lesion whose angle in each view is 70 to 124 degrees, tilted out of each slice."""
    axes = []
    cut = float(np.cos(np.radians(chance.uniform(35, 62))))
    for _ in range(2):
        sign = 1.0 if chance.random() < 0.5 else -1.0
        tilt = np.radians(sign * case.tilt_deg + chance.normal(0, case.tilt_sd_deg))
        lean = np.radians(chance.normal(0, 15))
        tilt = float(np.clip(tilt, -0.6, 0.6))
        inside = np.cos(tilt)
        axes.append(np.array([inside * np.sin(lean), np.sin(tilt), inside * np.cos(lean)]))
    return Hip(
        axes=(axes[0], axes[1]),
        cut=cut,
        oval=case.oval + float(chance.normal(0, case.oval_sd)),
        wave_mm=chance.normal(0, case.waves_sd_mm, 2),
        phase=chance.uniform(0, 2 * np.pi, 2),
        dome_mm=case.dome_mm + float(chance.normal(0, case.dome_sd_mm)),
    )


def _half_angle(axis: Array, cut: float, offset_mm: float) -> float:
    """Half of the angle that a slice shows of the cap, about its own circle's centre."""
    circle = np.sqrt(RADIUS_MM**2 - offset_mm**2)
    reach = (RADIUS_MM * cut - offset_mm * axis[1]) / (circle * np.hypot(axis[0], axis[2]))
    return float(np.arccos(np.clip(reach, -0.999, 0.999)))


def _view(
    case: Case,
    hip: Hip,
    view: View,
    side: int,
    offset_mm: float,
    spread_mm: float,
    habit_mm: float,
    chance: np.random.Generator,
) -> tuple[ReadView, float]:
    axis = hip.axes[side]
    middle = float(np.arctan2(axis[0], axis[2]))
    half = _half_angle(axis, hip.cut, offset_mm)
    circle = float(np.sqrt(RADIUS_MM**2 - offset_mm**2))

    def contour(turn: Array) -> Array:
        dome = hip.dome_mm * np.exp(-(((turn - middle) / 0.6) ** 2))
        wave = hip.wave_mm[side] * np.cos(3 * turn - hip.phase[side])
        long, wide = circle * (1 + hip.oval / 2), circle * (1 - hip.oval / 2)
        oval = long * wide / np.hypot(wide * np.cos(turn), long * np.sin(turn))
        return np.asarray(oval + wave + dome)

    marks = int(chance.integers(case.marks[0], case.marks[1] + 1))
    span = np.radians(chance.uniform(*case.span_deg))
    turn = np.linspace(-span / 2, span / 2, marks) + np.radians(chance.normal(0, 5))
    turn = turn + chance.normal(0, case.along_mm / RADIUS_MM, marks)
    noise = np.empty(marks)
    noise[0] = chance.normal()
    for place in range(1, marks):
        fresh = np.sqrt(1 - case.rim_rho**2) * chance.normal()
        noise[place] = case.rim_rho * noise[place - 1] + fresh
    rim = contour(turn) + case.rim_sd_mm * noise
    moved = chance.normal(habit_mm, spread_mm, 2) / RADIUS_MM
    ends = np.array([middle - half - moved[0], middle + half + moved[1], middle])
    row, normal = _AXES[view]
    plane = _plane(view, offset_mm)

    def mark(direction: float, radius: float) -> Mark:
        place = CENTRE_MM + normal * offset_mm
        place = place + radius * (np.sin(direction) * row + np.cos(direction) * _UP)
        offset = place - plane.origin_mm
        return Mark.at_plane(plane, float(offset @ row), float(-offset @ _UP))

    arc = [mark(*one) for one in zip(ends, contour(ends), strict=True)]
    number = side + 1
    made = ReadView(
        view=view,
        finding=Finding.NECROSIS,
        image=ImageRecord("1.2.3", f"1.2.3.{number}", f"1.2.3.{number}.1", 1, "1.2.826.0.1"),
        plane=PlaneRecord.of(plane, (256, 320)),
        passport=None,
        rim=tuple(mark(*one) for one in zip(turn, rim, strict=True)),
        arcs=(NecroticArc(*arc),),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )
    return made, 2 * float(np.degrees(_half_angle(axis, hip.cut, 0.0)))


def _plane(view: View, offset_mm: float) -> ImagePlane:
    row, normal = _AXES[view]
    origin = CENTRE_MM + normal * offset_mm - 70.0 * row + 75.0 * _UP
    return ImagePlane.from_dicom(origin.tolist(), [*row, 0.0, 0.0, -1.0], SPACING_MM)


def _reading(number: int, visit: int, views: tuple[ReadView, ReadView]) -> HipReading:
    return HipReading(
        format="necroangle.reading",
        version=3,
        subject=f"S{number}",
        laterality=Laterality.LEFT,
        visit=f"m{12 * visit:02d}",
        reader="r1",
        read_no=1,
        views=views,
        entries=ReaderEntries(),
        notes="",
        saved_at="2026-01-01T00:00:00.000Z",
        software="necroangle benchmark",
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
    )
