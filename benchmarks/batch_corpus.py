"""Reading files for the benchmarks of the batch: noisy hips of every kind, each of its own key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from necroangle.annotation import (
    HipReading,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    encode_reading,
)
from necroangle.geometry import ImagePlane
from necroangle.measurement import DEFAULTS, METHODS, RadiusPrior, Settings
from necroangle.phantom import readings_of, sample_studies
from necroangle.selftest import Clicks, click_noise, round_hip
from necroangle.terms import ArcoStage, LandmarkName

__all__ = ["KINDS", "Kind", "kind_items", "noisy_files", "write_files"]

_MADE = 500
_MADE_OF_A_KIND = 100
_STEP_MM = 4.0
_RADIUS_MM = 24.0

Chance = np.random.Generator


@dataclass(frozen=True)
class Kind:
    """Readings of one kind, and how they are measured.

    Attributes
    ----------
    make
        Makes one of them.
    method
        Its name; None for the method of the kind of image.
    settings
        What is taken as given.
    """

    make: Callable[[Chance], HipReading]
    method: str | None = None
    settings: Settings = DEFAULTS


def noisy_files(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names and bytes: 8 to 16 rim marks a view, arc 220 degrees, noise 0.4 mm, one necrotic arc.

    Five hundred are marked; the others are copies of them with subjects of their own.
    """
    chance = np.random.default_rng(seed)
    made = [_plain(chance) for _ in range(min(count, _MADE))]
    yield from _copies(made, count)


def kind_items(kind: Kind, count: int, seed: int = 0) -> list[tuple[str, bytes]]:
    """Names and bytes of readings of one kind; a hundred are made, the others are copies."""
    chance = np.random.default_rng(seed)
    return list(_copies([kind.make(chance) for _ in range(_MADE_OF_A_KIND)], count))


def write_files(folder: Path, count: int) -> list[Path]:
    """Write them, a thousand a folder."""
    paths = []
    for number, (name, raw) in enumerate(noisy_files(count)):
        path = folder / f"{number // 1000:04d}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        paths.append(path)
    return paths


def _copies(made: list[HipReading], count: int) -> Iterator[tuple[str, bytes]]:
    raws = [encode_reading(replace(one, subject="SUBJECT-0000000")) for one in made]
    for number in range(count):
        subject = f"SUBJECT-{number:07d}".encode()
        raw = raws[number % len(raws)].replace(b"SUBJECT-0000000", subject)
        yield f"{number:07d}.reading.json", raw


def _plain(chance: Chance) -> HipReading:
    return _hip(chance, int(chance.integers(8, 17)))


def _hip(chance: Chance, marks: int, arco: ArcoStage | None = None) -> HipReading:
    clicks = Clicks(220.0, marks, 0.4, 1.0)
    return click_noise(round_hip(clicks, 110.0, arco=arco), clicks, chance)


def _many_marks(chance: Chance) -> HipReading:
    return _hip(chance, int(chance.integers(8, 61)))


def _collapsed(chance: Chance) -> HipReading:
    return _hip(chance, int(chance.integers(10, 17)), ArcoStage.STAGE_3B)


def _refused(chance: Chance) -> HipReading:
    """The rim of the second view reaches round 40 degrees only."""
    short = click_noise(
        round_hip(Clicks(40.0, 9, 0.1, 1.0), 110.0), Clicks(40.0, 9, 0.1, 1.0), chance
    )
    return replace(_plain(chance), views=(_plain(chance).views[0], short.views[1]))


def _radiographs(chance: Chance) -> HipReading:
    reading = readings_of(sample_studies()["radiographs"])[0]
    return click_noise(reading, Clicks(220.0, 12, 0.4, 1.0), chance)


def _each_view(reading: HipReading, change: Callable[[ReadView], ReadView]) -> HipReading:
    first, second = (change(one) if isinstance(one, ReadView) else one for one in reading.views)
    return replace(reading, views=(first, second))


def _at(plane: ImagePlane, centre: tuple[float, float], deg: float, radius: float) -> Mark:
    u, v = centre
    return Mark.at_plane(plane, u + radius * cos(radians(deg)), v + radius * sin(radians(deg)))


def _middle(view: ReadView) -> tuple[float, float]:
    """The middle of an image, where the made heads are, plane mm."""
    plane = view.plane
    return (
        (plane.columns - 1) / 2 * plane.column_spacing_mm,
        (plane.rows - 1) / 2 * plane.row_spacing_mm,
    )


def _neighbours(steps: tuple[int, ...]) -> Callable[[Chance], HipReading]:
    """Slices beside each view's own, with their rims and arcs."""

    def make(chance: Chance) -> HipReading:
        return _each_view(_plain(chance), lambda view: _beside(view, steps, chance))

    return make


def _beside(view: ReadView, steps: tuple[int, ...], chance: Chance) -> ReadView:
    plane, centre = view.plane.plane(), _middle(view)
    found = []
    for number, step in enumerate(steps):
        x, y, z = (np.array(plane.origin_mm) + _STEP_MM * step * plane.normal).tolist()
        spacings = plane.row_spacing_mm, plane.column_spacing_mm
        there = ImagePlane((x, y, z), plane.row_cosine, plane.column_cosine, *spacings)
        radius = sqrt(_RADIUS_MM**2 - (_STEP_MM * step) ** 2)
        half = 55.0 - 3.0 * abs(step)
        turns = np.linspace(-200, 20, 10)
        rim = [_at(there, centre, deg, radius + chance.normal(0, 0.4)) for deg in turns.tolist()]
        degs = (-90 - half + chance.normal(0, 2), -90 + half + chance.normal(0, 2), -90.0)
        image = replace(view.image, instance_uid=f"{view.image.instance_uid}.{number + 1}")
        record = PlaneRecord.of(there, (view.plane.rows, view.plane.columns))
        arc = NecroticArc(*(_at(there, centre, deg, radius) for deg in degs))
        found.append(NeighbourSlice(image, record, tuple(rim), (arc,)))
    return replace(view, neighbours=tuple(found))


def _outlined(chance: Chance) -> HipReading:
    def change(view: ReadView) -> ReadView:
        plane, centre = view.plane.plane(), _middle(view)
        turns = np.linspace(0, 360, 16, endpoint=False)
        outline = [
            _at(plane, centre, -90 + 50 * cos(radians(turn)), 17 + 6 * sin(radians(turn)))
            for turn in turns.tolist()
        ]
        return replace(view, contour=tuple(outline))

    return _each_view(_plain(chance), change)


def _landmarked(chance: Chance) -> HipReading:
    places = {
        LandmarkName.TEARDROP: (-40.0, 20.0),
        LandmarkName.ACETABULAR_EDGE: (14.0, -24.0),
        LandmarkName.NECK_PROXIMAL: (20.0, 24.0),
        LandmarkName.NECK_DISTAL: (32.0, 38.0),
        LandmarkName.COLLAPSE_DEEPEST: (2.0, -20.0),
    }

    def change(view: ReadView) -> ReadView:
        plane, (u, v) = view.plane.plane(), _middle(view)
        marks = [
            Landmark(name, Mark.at_plane(plane, u + right, v + down))
            for name, (right, down) in places.items()
        ]
        return replace(view, landmarks=tuple(marks))

    return _each_view(_plain(chance), change)


_TWO, _FOUR = _neighbours((-1, 1)), _neighbours((-2, -1, 1, 2))

KINDS = {
    "plain, 8 to 16 rim marks": Kind(_plain),
    "8 to 60 rim marks": Kind(_many_marks),
    "collapsed head": Kind(_collapsed),
    "radiographs": Kind(_radiographs),
    "landmarks": Kind(_landmarked),
    "refused: second rim too short": Kind(_refused),
    "radius known beforehand": Kind(
        _plain, None, Settings(radius_prior=RadiusPrior(24.0, 1.0, "m00"))
    ),
    "about the joint sphere": Kind(_plain, None, Settings(centre="sphere")),
    "max_extent": Kind(_outlined, "max_extent"),
    "two neighbours a view": Kind(_TWO),
    "two neighbours, largest_slice": Kind(_TWO, "largest_slice"),
    "two neighbours, centre_plane": Kind(_TWO, "centre_plane"),
    "four neighbours a view": Kind(_FOUR),
    "four neighbours, centre_plane": Kind(_FOUR, "centre_plane"),
}
"""What the mixed corpus is made of: every method, and every kind of reading."""

assert all(one.method is None or one.method in METHODS for one in KINDS.values())
