"""Thousands of random hips for the batch: sound, doubtful, contrary and broken, from a seed."""

from math import cos, radians, sin
from typing import TypeVar

import msgspec
import numpy as np
from hipmaker import RADIUS_MM, SHAPE, make_image, make_reading, make_view

from necroangle.annotation import (
    HipReading,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReaderEntries,
    ReadView,
    UnreadView,
    encode_reading,
)
from necroangle.geometry import ImagePlane
from necroangle.terms import (
    ArcoStage,
    Finding,
    JicType,
    LandmarkName,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = ["random_files", "random_readings"]

Chance = np.random.Generator
T = TypeVar("T")
_REMARKS = (Observation.FLATTENED, Observation.POSTOP_TRACK)


def random_files(count: int, seed: int) -> list[tuple[str, bytes]]:
    """Names and bytes of reading files; a few are no reading files at all."""
    chance = np.random.default_rng(seed + 1)
    files = []
    for number, reading in enumerate(random_readings(count, seed)):
        raw = encode_reading(reading)
        kind = chance.integers(0, 200)
        if kind == 0:
            raw = raw[: len(raw) // 2]
        elif kind == 1:
            raw = raw.replace(b'"read_no"', b'"read_no": 1, "read_no"')
        elif kind == 2:
            raw = raw.replace(b'"row_spacing_mm": 0', b'"row_spacing_mm": 1')
        files.append((f"{number:05d}.reading.json", raw))
    return files


def random_readings(count: int, seed: int) -> list[HipReading]:
    """Readings that the file format takes; some cannot be measured."""
    chance = np.random.default_rng(seed)
    return [_reading(chance, number) for number in range(count)]


def _reading(chance: Chance, number: int) -> HipReading:
    flat = bool(chance.random() < 0.2)
    side = _one(chance, tuple(Laterality))
    b_view = _one(chance, (View.FROG_LEG, View.CROSS_TABLE)) if flat else View.SAGITTAL
    turn = tuple(chance.uniform(-30, 30, 3)) if chance.random() < 0.5 else (0.0, 0.0, 0.0)
    spacing = (float(chance.uniform(0.2, 1.2)), float(chance.uniform(0.2, 1.2)))
    views = tuple(
        _view(chance, view, side, turn, spacing)
        for view in (View.AP if flat else View.CORONAL, b_view)
    )
    first, second = views
    return msgspec.structs.replace(
        make_reading(views=(first, second), laterality=side),
        subject=f"S{number:06d}",
        reader=_one(chance, ("r1", "r2", "reader.3")),
        read_no=int(chance.integers(1, 4)),
        entries=ReaderEntries.of(
            {
                "arco": _one(chance, (None, None, None, *ArcoStage)),
                "jic": _one(chance, (None, *JicType)),
            }
        ),
        notes=_one(chance, ("", "", "seen twice", 'the "edge": unsure', "größer\\kleiner")),
    )


def _view(
    chance: Chance,
    view: View,
    side: Laterality,
    turn: tuple[float, ...],
    spacing: tuple[float, float],
) -> ReadView | UnreadView:
    if chance.random() < 0.06:
        return UnreadView(view, _one(chance, tuple(UnreadReason)))
    count = int(chance.integers(3, 22))
    made = make_view(
        view,
        120.0,
        laterality=side,
        turn_deg=(0.0, 0.0, 0.0) if view.is_radiograph else turn,
        spacing_mm=spacing,
        offset_mm=0.0 if view.is_radiograph else float(chance.normal(0, 2)),
        calibrated=bool(chance.random() < 0.7),
    )
    assert isinstance(made, ReadView)
    plane = made.plane.plane()
    centre = _centre(made)
    rim = _rim(chance, plane, centre, count)
    arcs = _arcs(chance, plane, centre)
    finding = Finding.NECROSIS if arcs else _one(chance, tuple(Finding)[1:])
    frame = _one(chance, (None, *["1.2.826.0.1"] * 20, "1.2.826.0.2"))
    return msgspec.structs.replace(
        made,
        finding=finding,
        image=make_image(1 + view.is_a, frame_of_reference=frame),
        rim=rim if arcs or chance.random() < 0.8 else (),
        arcs=arcs,
        observations=tuple(one for one in _REMARKS if chance.random() < 0.15),
        landmarks=_landmarks(chance, plane, centre),
        contour=_contour(chance, plane, centre) if chance.random() < 0.1 else (),
        neighbours=_neighbours(chance, made, centre),
    )


def _centre(view: ReadView) -> tuple[float, float]:
    """The middle of the made rim, plane mm."""
    plane = view.plane.plane()
    points = plane.patient_to_plane(np.array([one.patient_mm for one in view.rim]))  # type: ignore[arg-type]
    u, v = points.mean(axis=0).tolist()
    return u, v


def _at(plane: ImagePlane, centre: tuple[float, float], deg: float, radius: float) -> Mark:
    u = centre[0] + radius * cos(radians(deg))
    v = centre[1] + radius * sin(radians(deg))
    return Mark.at_plane(plane, u, v)


def _rim(
    chance: Chance, plane: ImagePlane, centre: tuple[float, float], count: int
) -> tuple[Mark, ...]:
    span = float(chance.choice([40.0, 90.0, 150.0, 220.0, 300.0, 345.0], p=_SPANS))
    noise = float(chance.choice([0.0, 0.2, 0.5, 1.0, 2.5]))
    start = float(chance.uniform(0, 360))
    marks = []
    for deg in np.linspace(start, start + span, count):
        wrong = 5.0 * (chance.random() < 0.01)
        radius = RADIUS_MM + noise * chance.normal() + wrong
        marks.append(_at(plane, centre, float(deg), float(radius)))
    if chance.random() < 0.02:
        return (marks[0],) * count
    if chance.random() < 0.02:
        return tuple(
            Mark.at_plane(plane, centre[0] + step, centre[1] + step) for step in range(count)
        )
    return tuple(marks)


_SPANS = [0.03, 0.05, 0.12, 0.4, 0.2, 0.2]


def _arcs(
    chance: Chance, plane: ImagePlane, centre: tuple[float, float]
) -> tuple[NecroticArc, ...]:
    number = int(chance.choice([0, 1, 2, 3], p=[0.2, 0.65, 0.1, 0.05]))
    found = []
    for _ in range(number):
        start = float(chance.uniform(0, 360))
        angle = float(chance.uniform(5, 350)) * float(chance.choice([-1, 1]))
        angle = 0.0 if chance.random() < 0.01 else angle
        degs = (start, start + angle, start + angle / 2)
        radii = RADIUS_MM + chance.normal(0, 1.5, 3)
        start_mark, end, via = (
            _at(plane, centre, deg, float(radius)) for deg, radius in zip(degs, radii, strict=True)
        )
        found.append(NecroticArc(start_mark, end, via))
    return tuple(found)


def _landmarks(
    chance: Chance, plane: ImagePlane, centre: tuple[float, float]
) -> tuple[Landmark, ...]:
    if chance.random() < 0.75:
        return ()
    places = {
        LandmarkName.TEARDROP: (40.0, 20.0),
        LandmarkName.ACETABULAR_EDGE: (-14.0, -24.0),
        LandmarkName.NECK_PROXIMAL: (-20.0, 24.0),
        LandmarkName.NECK_DISTAL: (-32.0, 38.0),
        LandmarkName.COLLAPSE_DEEPEST: (2.0, -20.0),
    }
    return tuple(
        Landmark(name, Mark.at_plane(plane, centre[0] + u, centre[1] + v))
        for name, (u, v) in places.items()
        if chance.random() < 0.8
    )


def _contour(chance: Chance, plane: ImagePlane, centre: tuple[float, float]) -> tuple[Mark, ...]:
    turns = np.sort(chance.uniform(200, 300, 8))
    return tuple(_at(plane, centre, float(deg), float(chance.uniform(10, 24))) for deg in turns)


def _neighbours(
    chance: Chance, view: ReadView, centre: tuple[float, float]
) -> tuple[NeighbourSlice, ...]:
    if view.view.is_radiograph or chance.random() < 0.9:
        return ()
    plane = view.plane.plane()
    x, y, z = (np.array(plane.origin_mm) + 3.0 * plane.normal).tolist()
    there = ImagePlane((x, y, z), plane.row_cosine, plane.column_cosine, *_spacings(plane))
    image = msgspec.structs.replace(view.image, instance_uid="1.2.3.9.9")
    rim = tuple(_at(there, centre, float(deg), RADIUS_MM - 0.3) for deg in range(0, 240, 30))
    return (NeighbourSlice(image, PlaneRecord.of(there, SHAPE), rim, _arcs(chance, there, centre)),)


def _spacings(plane: ImagePlane) -> tuple[float, float]:
    return plane.row_spacing_mm, plane.column_spacing_mm


def _one(chance: Chance, choices: tuple[T, ...]) -> T:
    return choices[int(chance.integers(len(choices)))]
