"""Thousands of random hips for measuring: sound, doubtful, contrary and broken, from a seed.

A head is a ball, a little oval; its necrosis is a cap that is cut by every slice, or arcs that have
nothing to do with each other. Up to six neighbouring slices a view, outlines, landmarks, collapse,
radiographs, 3 to 60 rim marks, and every fault that is refused.
"""

from dataclasses import dataclass
from math import acos, cos, degrees, hypot, pi, radians, sin, sqrt
from typing import TypeVar

import msgspec
import numpy as np
from hipmaker import SHAPE, head_centre_mm, make_image, make_plane, make_reading

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
from necroangle.geometry import ImagePlane, PatientPoints
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
Stretch = tuple[float, float]
"""Middle direction and angle of an arc, degrees."""

T = TypeVar("T")
_REMARKS = (Observation.FLATTENED, Observation.POSTOP_TRACK)
_SPANS = ([40.0, 90.0, 150.0, 220.0, 300.0, 345.0], [0.015, 0.045, 0.12, 0.42, 0.2, 0.2])
_NEIGHBOURS = ([0, 1, 2, 3, 4, 5, 6], [0.34, 0.1, 0.22, 0.1, 0.14, 0.05, 0.05])


def random_files(count: int, seed: int) -> list[tuple[str, bytes]]:
    """Names and bytes of reading files; a few are no reading files at all."""
    chance = np.random.default_rng(seed + 1)
    files = []
    for number, reading in enumerate(random_readings(count, seed)):
        raw = encode_reading(reading)
        kind = chance.integers(0, 200)
        if kind == 0:
            raw = raw[: raw.index(b'"visit"')]
        elif kind == 1:
            raw = raw.replace(b'"read_no"', b'"read_no": 1, "read_no"')
        elif kind == 2:
            raw = raw.replace(b'"row_spacing_mm": 0', b'"row_spacing_mm": 1')
        elif kind == 3:
            raw = raw.replace(b'"finding": "necrosis"', b'"finding": "no_necrosis"')
        files.append((f"{number:05d}.reading.json", raw))
    return files


def random_readings(count: int, seed: int) -> list[HipReading]:
    """Readings that the file format takes; some cannot be measured.

    Each has a seed of its own, so that the first hundred are the first hundred of any number.
    """
    return [_reading(np.random.default_rng((seed, number)), number) for number in range(count)]


@dataclass(frozen=True)
class _Hip:
    """A head and its necrosis, patient mm.

    The necrosis is the cap within ``half_deg`` of a direction; with 0 each slice has its own.
    """

    side: Laterality
    centre: tuple[float, float, float]
    radius: float
    oval: float
    axis: tuple[float, float, float]
    half_deg: float
    noise: float


def _reading(chance: Chance, number: int) -> HipReading:
    flat = bool(chance.random() < 0.12)
    hip = _hip(chance, flat)
    b_view = _one(chance, (View.FROG_LEG, View.CROSS_TABLE)) if flat else View.SAGITTAL
    turn = tuple(chance.uniform(-20, 20, 3)) if chance.random() < 0.5 and not flat else (0, 0, 0)
    spacing = (float(chance.uniform(0.2, 1.2)), float(chance.uniform(0.2, 1.2)))
    frame = _one(chance, (None, *["1.2.826.0.1"] * 9))
    frames = (frame, frame if chance.random() < 0.93 else "1.2.826.0.2")
    views = tuple(
        _view(chance, view, hip, turn, spacing, one)
        for view, one in zip((View.AP if flat else View.CORONAL, b_view), frames, strict=True)
    )
    first, second = views
    return msgspec.structs.replace(
        make_reading(views=(first, second), laterality=hip.side),
        subject=f"S{number:06d}",
        reader=_one(chance, ("r1", "r2", "reader.3")),
        read_no=int(chance.integers(1, 4)),
        entries=ReaderEntries.of(
            {
                "arco": _one(chance, (None, None, None, None, *ArcoStage)),
                "jic": _one(chance, (None, *JicType)),
            }
        ),
        notes=_one(chance, ("", "", "seen twice", 'the "edge": unsure', "größer\\kleiner")),
    )


def _hip(chance: Chance, flat: bool) -> _Hip:
    side = _one(chance, tuple(Laterality))
    centre = (100.0, 90.0, 0.0) if flat else head_centre_mm(side)
    x, y, z = (
        float(part + shift) for part, shift in zip(centre, chance.normal(0, 3, 3), strict=True)
    )
    lean = chance.normal(0, 0.5, 3) + np.array((0.0, -0.4, 1.2))
    a, b, c = (lean / np.linalg.norm(lean)).tolist()
    return _Hip(
        side,
        (x, y, 0.0 if flat else z),
        float(np.clip(chance.normal(24, 2), 18, 30)),
        float(chance.choice([0.0, 0.0, 0.4, 1.2])),
        (a, b, c),
        0.0 if flat or chance.random() < 0.3 else float(chance.uniform(25, 100)),
        float(chance.choice([0.0, 0.2, 0.5, 1.0, 2.5], p=[0.1, 0.25, 0.4, 0.2, 0.05])),
    )


def _view(
    chance: Chance,
    view: View,
    hip: _Hip,
    turn: tuple[float, ...],
    spacing: tuple[float, float],
    frame: str | None,
) -> ReadView | UnreadView:
    if chance.random() < 0.05:
        return UnreadView(view, _one(chance, tuple(UnreadReason)))
    flat = view.is_radiograph
    plane = make_plane(
        view,
        through_mm=hip.centre,
        turn_deg=turn,
        spacing_mm=spacing,
        offset_mm=0.0 if flat else float(chance.normal(0, 2)),
    )
    stretches = _stretches(chance, plane, hip)
    broken = chance.random() < 0.012
    arcs = tuple(_arc(chance, plane, hip, one, broken=broken) for one in stretches)
    count = int(chance.integers(3, 8) if chance.random() < 0.08 else chance.integers(8, 61))
    findings = tuple(Finding)[1:]
    image = make_image(1 + view.is_a, frame_of_reference=None if flat else frame)
    record = PlaneRecord.of(
        plane,
        SHAPE,
        frame="detector" if flat else "patient",
        calibrated=not flat or bool(chance.random() < 0.7),
    )
    made = ReadView(
        view=view,
        finding=Finding.NECROSIS if arcs else _one(chance, findings),
        image=image,
        plane=record,
        passport=None,
        rim=_rim(chance, plane, hip, count) if arcs or chance.random() < 0.85 else (),
        arcs=arcs,
        observations=tuple(one for one in _REMARKS if chance.random() < 0.12),
        neighbours=(),
        landmarks=_landmarks(chance, plane, hip),
        contour=_contour(chance, plane, hip) if chance.random() < 0.85 else (),
    )
    return (
        made if flat else msgspec.structs.replace(made, neighbours=_neighbours(chance, made, hip))
    )


def _circle(plane: ImagePlane, hip: _Hip) -> tuple[float, float, float, float]:
    """Centre (u, v) and radius in which a plane cuts the head, and its signed height over it."""
    centre = PatientPoints(np.array([hip.centre]))
    (u, v), height = plane.patient_to_plane(centre)[0].tolist(), float(plane.distance_mm(centre)[0])
    return u, v, sqrt(max(hip.radius**2 - height**2, 4.0)), -height


def _stretches(chance: Chance, plane: ImagePlane, hip: _Hip) -> list[Stretch]:
    """The necrotic stretches of a slice: those of the cap, or some at random."""
    if not hip.half_deg or chance.random() < 0.04:
        number = int(chance.choice([0, 1, 2, 3], p=[0.2, 0.6, 0.13, 0.07]))
        return [
            (float(chance.uniform(0, 360)), float(chance.uniform(5, 350))) for _ in range(number)
        ]
    _, _, radius, height = _circle(plane, hip)
    along, down, across = (
        float(np.dot(hip.axis, one))
        for one in (plane.row_cosine, plane.column_cosine, plane.normal)
    )
    cosine = (hip.radius * cos(radians(hip.half_deg)) - height * across) / (
        radius * hypot(along, down)
    )
    if cosine >= 0.999:
        return []
    angle = degrees(2 * acos(cosine)) if cosine > -0.99 else 345.0
    middle = degrees(np.arctan2(down, along)) + float(chance.normal(0, 3))
    angle = float(np.clip(angle + chance.normal(0, 5), 3.0, 352.0))
    if angle > 40 and chance.random() < 0.12:  # a healthy gap within
        return [(middle - angle / 3, angle / 3), (middle + angle / 3, angle / 4)]
    return [(middle, angle)]


def _at(plane: ImagePlane, hip: _Hip, deg: float, share: float = 1.0, off_mm: float = 0.0) -> Mark:
    """A mark at a direction, at a share of the slice's radius, and some mm off it."""
    u, v, radius, _ = _circle(plane, hip)
    reach = radius * share + off_mm + hip.oval * cos(2 * radians(deg))
    return Mark.at_plane(plane, u + reach * cos(radians(deg)), v + reach * sin(radians(deg)))


def _arc(
    chance: Chance, plane: ImagePlane, hip: _Hip, one: Stretch, *, broken: bool
) -> NecroticArc:
    middle, angle = one
    sense = float(chance.choice([-1, 1]))
    degs = [middle - sense * angle / 2, middle + sense * angle / 2, middle]
    shares = [1.0, 1.0, 1.0]
    fault = int(chance.integers(0, 3)) if broken else 3
    if fault == 0:
        degs[1] = degs[0]
    elif fault == 1:
        degs[2] = degs[1]
    gaps = chance.normal(0, 1.2, 3)
    marks = [
        _at(plane, hip, deg, share, float(gap))
        for deg, share, gap in zip(degs, shares, gaps, strict=True)
    ]
    if fault == 2:
        marks[0] = marks[1]
    return NecroticArc(*marks)


def _rim(chance: Chance, plane: ImagePlane, hip: _Hip, count: int) -> tuple[Mark, ...]:
    span = float(chance.choice(_SPANS[0], p=_SPANS[1]))
    start = float(chance.uniform(0, 360))
    wrong = (chance.random(count) < 0.012) * chance.choice([-4.0, 3.0, 6.0], count)
    gaps = hip.noise * chance.normal(0, 1, count) + wrong
    kind = chance.random()
    degs = np.linspace(start, start + span, count)
    marks = [
        _at(plane, hip, deg, 1.0, gap)
        for deg, gap in zip(degs.tolist(), gaps.tolist(), strict=True)
    ]
    if kind < 0.006:
        return (marks[0],) * count
    if kind < 0.012:
        u, v, _, _ = _circle(plane, hip)
        return tuple(Mark.at_plane(plane, u + step, v + step) for step in range(count))
    if kind < 0.1:  # in the order of the clicks, not of the rim
        return tuple(marks[place] for place in chance.permutation(count).tolist())
    return tuple(marks)


def _contour(chance: Chance, plane: ImagePlane, hip: _Hip) -> tuple[Mark, ...]:
    """An outline: a lesion in the dome, or, seldom, one about the head's centre."""
    count = int(chance.integers(3, 30))
    if chance.random() < 0.06:
        turns = np.linspace(0, 360, count, endpoint=False) + chance.uniform(0, 360)
        return tuple(
            _at(plane, hip, deg, float(chance.uniform(0.2, 0.9))) for deg in turns.tolist()
        )
    middle, half = float(chance.uniform(180, 360)), float(chance.uniform(10, 85))
    turns = np.linspace(0, 2 * pi, count, endpoint=False)
    return tuple(
        _at(
            plane,
            hip,
            middle + half * cos(turn),
            0.68 + 0.25 * sin(turn),
            float(chance.normal(0, 0.3)),
        )
        for turn in turns.tolist()
    )


def _landmarks(chance: Chance, plane: ImagePlane, hip: _Hip) -> tuple[Landmark, ...]:
    if chance.random() < 0.7:
        return ()
    lateral = -1.0 if hip.side is Laterality.LEFT else 1.0
    lateral = -lateral if chance.random() < 0.1 else lateral  # the marks of the other hip
    places = {
        LandmarkName.TEARDROP: (40.0 * lateral, 20.0),
        LandmarkName.ACETABULAR_EDGE: (-14.0 * lateral, -24.0),
        LandmarkName.NECK_PROXIMAL: (-20.0 * lateral, 24.0),
        LandmarkName.NECK_DISTAL: (-32.0 * lateral, 38.0),
        LandmarkName.COLLAPSE_DEEPEST: (2.0, -20.0),
    }
    u, v, _, _ = _circle(plane, hip)
    moved = chance.normal(0, 1.5, (len(places), 2)).tolist()
    return tuple(
        Landmark(name, Mark.at_plane(plane, u + right + du, v + down + dv))
        for (name, (right, down)), (du, dv) in zip(places.items(), moved, strict=True)
        if chance.random() < 0.85
    )


def _neighbours(chance: Chance, view: ReadView, hip: _Hip) -> tuple[NeighbourSlice, ...]:
    """Slices beside a view's own, about the head's centre; a few beyond the head, or twice."""
    number = int(chance.choice(_NEIGHBOURS[0], p=_NEIGHBOURS[1]))
    step = float(chance.uniform(2.5, 6.0))
    steps = [-4, -3, -2, -1, 1, 2, 3, 4, 7]
    likely = np.array([0.5, 1, 3, 5, 5, 3, 1, 0.5, 0.05])
    if chance.random() < 0.2:  # all on one side
        likely[:4] = 1e-3
    chosen = chance.choice(steps, number, replace=False, p=likely / likely.sum()).tolist()
    if number and chance.random() < 0.01:
        chosen[0] = 0
    return tuple(
        _neighbour(chance, view, hip, place * step, index) for index, place in enumerate(chosen)
    )


def _neighbour(
    chance: Chance, view: ReadView, hip: _Hip, shift_mm: float, index: int
) -> NeighbourSlice:
    plane = view.plane.plane()
    x, y, z = (np.array(plane.origin_mm) + shift_mm * plane.normal).tolist()
    there = ImagePlane(
        (x, y, z),
        plane.row_cosine,
        plane.column_cosine,
        plane.row_spacing_mm,
        plane.column_spacing_mm,
    )
    image = msgspec.structs.replace(view.image, instance_uid=f"1.2.3.9.{index + 1}")
    count = int(chance.choice([0, 2, 3, 8, 14, 30], p=[0.25, 0.05, 0.05, 0.35, 0.25, 0.05]))
    outside = _circle(there, hip)[2] == 2.0 and chance.random() < 0.8
    stretches = [] if outside or chance.random() < 0.05 else _stretches(chance, there, hip)
    broken = chance.random() < 0.004
    return NeighbourSlice(
        image,
        PlaneRecord.of(there, SHAPE),
        _rim(chance, there, hip, count) if count else (),
        tuple(_arc(chance, there, hip, one, broken=broken) for one in stretches),
    )


def _one(chance: Chance, choices: tuple[T, ...]) -> T:
    return choices[int(chance.integers(len(choices)))]
