"""Families of phantom studies, each hard in one way, with the exact angle of every marked view.

Only the geometry of the phantom is used: no pixel is drawn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from necroangle.annotation import HipReading, ReadView
from necroangle.errors import PhantomError
from necroangle.measurement import HipMeasurement, Method, Settings
from necroangle.phantom import (
    Lesion,
    PhantomHip,
    PhantomStudy,
    RadiographGeometry,
    SeriesGeometry,
    cut,
    lesion_axis,
    readings_of,
)
from necroangle.phantom.radiograph import radiograph_truth
from necroangle.terms import Laterality, View


class Found(Protocol):
    """What was found of some readings."""

    def __getitem__(self, place: int, /) -> HipMeasurement:
        """Of one of them; it raises :class:`NecroangleError` where it was refused."""


Measure = Callable[[Sequence[HipReading], Method | None, Settings], Found]
"""What is on trial: :func:`necroangle.measurement.measure_many`, or what claims to be it."""

Case = tuple[HipReading, tuple[float, float]]
"""A reading, and the true angles of its A and its B view, degrees."""

LEAST_DEG, MOST_DEG = 10.0, 350.0
_SPACINGS_MM = ((0.5, 0.9), (0.9, 0.5), (0.6, 0.75), (1.2, 0.4), (0.3, 1.5))
_FROM_BEHIND = (0.0, 0.0, 180.0)
_HEADS = {Laterality.RIGHT: (-87.0, 1.0, -2.0), Laterality.LEFT: (85.0, 1.0, 3.0)}


@dataclass(frozen=True, slots=True)
class Family:
    """Readings of one kind with their true angles.

    Attributes
    ----------
    name
        What is hard about them.
    cases
        Each reading, marked at the truth, with the true angles of its views.
    """

    name: str
    cases: tuple[Case, ...]


def families(seed: int = 0) -> Iterator[Family]:
    """Every family, one after the other; the same seed gives the same studies."""
    chance = np.random.default_rng(seed)

    def drawn(name: str, studies: int, make: Callable[[], PhantomStudy]) -> Family:
        return Family(name, tuple(case for _ in range(studies) for case in _within_range(make)))

    yield Family("arcs of 10° to 350°", tuple(case for one in _sweep() for case in _cases(one)))
    yield drawn("tilted slices", 8, lambda: _study(chance, tilt=25.0))
    yield drawn("unequal row and column spacing", 8, lambda: _study(chance, unequal=True))
    yield drawn(
        "mirrored: right and left, from behind",
        8,
        lambda: _seen_from_behind(_study(chance, unequal=True)),
    )
    yield drawn(
        "all of these, slices off the centre",
        12,
        lambda: _study(chance, tilt=25.0, unequal=True, shift=5.0),
    )
    yield drawn("radiographs, magnified", 6, lambda: _radiographs(chance))


def true_angles_deg(study: PhantomStudy, reading: HipReading) -> tuple[float, float]:
    """The exact angles of a reading's views, by the phantom's closed form on the marked planes."""
    hip = study.hip(reading.laterality)
    a, b = (_true_angle_deg(study, hip, view) for view in reading.views)
    return a, b


def _true_angle_deg(study: PhantomStudy, hip: PhantomHip, view: object) -> float:
    assert isinstance(view, ReadView)  # noqa: S101
    if study.radiographs is not None:
        return radiograph_truth(hip, study.radiographs, view.view).angle_deg
    angle = cut(hip, view.plane.plane()).angle_deg
    assert angle is not None  # noqa: S101
    return angle


def _cases(study: PhantomStudy) -> tuple[Case, ...]:
    return tuple((reading, true_angles_deg(study, reading)) for reading in readings_of(study))


def _within_range(make: Callable[[], PhantomStudy]) -> tuple[Case, ...]:
    """The cases of the first study whose angles all lie within 10 to 350 degrees."""
    while True:
        try:
            cases = _cases(make())
        except PhantomError:  # a slice that is necrotic all round cannot be marked
            continue
        angles = [angle for _, pair in cases for angle in pair]
        if min(angles) >= LEAST_DEG and max(angles) <= MOST_DEG:
            return cases


def _hip(side: Laterality, radius_mm: float, lean: tuple[float, float], half: float) -> PhantomHip:
    lesion = Lesion(lesion_axis(side, *lean), half)
    return PhantomHip(side, _HEADS[side], radius_mm, (lesion,))


def _stack(view: View, spacing_mm: tuple[float, float]) -> SeriesGeometry:
    slices = 15 if view is View.CORONAL else 7
    return SeriesGeometry(view, *spacing_mm, rows=300, columns=600, slices=slices)


def _sweep() -> list[PhantomStudy]:
    """From 10 to 350 degrees in steps of 10, without any other difficulty."""
    halves = [*range(5, 176, 5), 90]
    return [
        PhantomStudy(
            "SWEEP",
            (
                _hip(Laterality.RIGHT, 23.0, (0.0, 0.0), right),
                _hip(Laterality.LEFT, 25.0, (0.0, 0.0), left),
            ),
            _stack(View.CORONAL, (0.7, 0.7)),
            _stack(View.SAGITTAL, (0.7, 0.7)),
        )
        for right, left in zip(halves[::2], halves[1::2], strict=True)
    ]


def _study(
    chance: np.random.Generator, *, tilt: float = 0.0, unequal: bool = False, shift: float = 0.0
) -> PhantomStudy:
    def stack(view: View) -> SeriesGeometry:
        spacing = _SPACINGS_MM[chance.integers(len(_SPACINGS_MM))] if unequal else (0.7, 0.7)
        x, y, z = chance.uniform(-tilt, tilt, 3).tolist()
        across, down, off = (chance.uniform(-shift, shift, 3) * (1.0, 1.0, 0.4)).tolist()
        return replace(_stack(view, spacing), tilt_deg=(x, y, z), shift_mm=(across, down, off))

    return PhantomStudy(
        "RANDOM",
        _random_hips(chance),
        stack(View.CORONAL),
        stack(View.SAGITTAL),
    )


def _random_hips(chance: np.random.Generator) -> tuple[PhantomHip, PhantomHip]:
    def hip(side: Laterality) -> PhantomHip:
        front, out = chance.uniform(-15, 15, 2).tolist()
        half = float(chance.uniform(LEAST_DEG / 2, MOST_DEG / 2))
        return _hip(side, float(chance.uniform(20, 28)), (front, out), half)

    return hip(Laterality.RIGHT), hip(Laterality.LEFT)


def _seen_from_behind(study: PhantomStudy) -> PhantomStudy:
    assert study.coronal is not None  # noqa: S101
    assert study.sagittal is not None  # noqa: S101
    return replace(
        study,
        coronal=replace(study.coronal, tilt_deg=_FROM_BEHIND),
        sagittal=replace(study.sagittal, tilt_deg=_FROM_BEHIND),
    )


def _radiographs(chance: np.random.Generator) -> PhantomStudy:
    geometry = RadiographGeometry(magnification=float(chance.uniform(1.0, 1.3)))
    return PhantomStudy("FILMS", _random_hips(chance), radiographs=geometry)
