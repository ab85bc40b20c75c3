"""An index belongs to the hip: turning, shifting, mirroring or scaling the picture leaves it."""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from necroangle.geometry import Arc, Circle, PlanePoints, arc_through
from necroangle.measurement.arcs import AnatomicalAxes
from necroangle.measurement.indices import (
    anterior_necrotic_deg,
    collapse_depth_mm,
    jic_extent,
    lateral_spared_deg,
    lcea_deg,
)
from necroangle.measurement.indices.marks import Turn, turn_from_axes, turn_from_landmarks

Point = tuple[float, float]

RADIUS_MM = 24.0
TYPES = ("A", "B", "C1", "C2")


@dataclass(frozen=True)
class Picture:
    """How a hip, given in mm outward and upward of its centre, comes to lie in the plane."""

    turn_deg: float = 0.0
    mirrored: bool = False
    scale: float = 1.0
    shift_mm: Point = (0.0, 0.0)

    def place(self, out: float, up: float) -> Point:
        return (
            self.shift_mm[0] + self.along(out, up)[0],
            self.shift_mm[1] + self.along(out, up)[1],
        )

    def along(self, out: float, up: float) -> Point:
        u, v = (-out if self.mirrored else out) * self.scale, -up * self.scale
        turn = radians(self.turn_deg)
        return (u * cos(turn) - v * sin(turn), u * sin(turn) + v * cos(turn))

    def surface(self, angle_deg: float, radius_mm: float = RADIUS_MM) -> Point:
        turn = radians(angle_deg)
        return self.place(radius_mm * sin(turn), radius_mm * cos(turn))

    @property
    def head(self) -> Circle:
        return Circle(self.shift_mm, RADIUS_MM * self.scale)

    @property
    def axes(self) -> AnatomicalAxes:
        plain = Picture(self.turn_deg, self.mirrored)
        return AnatomicalAxes(superior=plain.along(0, 1), positive=plain.along(1, 0))

    def arcs(self, start_deg: float, end_deg: float) -> tuple[Arc, ...]:
        three = [self.surface(x) for x in (start_deg, end_deg, (start_deg + end_deg) / 2)]
        return (arc_through(self.shift_mm, self.head.radius_mm, PlanePoints(np.array(three))),)


def pelvis(picture: Picture, lcea: float, sharp: float, gap: float) -> tuple[Point, Point]:
    """Teardrop and edge of a hip by its edge angle and the slope of the line between them."""
    out, up = (
        (RADIUS_MM + gap) * sin(radians(lcea)),
        (RADIUS_MM + gap) * cos(radians(lcea)),
    )
    length = (up + 20.0) / sin(radians(sharp))
    return picture.place(out - length * cos(radians(sharp)), -20.0), picture.place(out, up)


pictures = st.builds(
    Picture,
    st.floats(0, 360),
    st.booleans(),
    st.floats(0.3, 3.0),
    st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
)
starts = st.floats(-100, -60)
ends = st.floats(-50, 120)
lceas, sharps, gaps = st.floats(10, 38), st.floats(32, 42), st.floats(2, 6)


@given(pictures, starts, ends, lceas, sharps, gaps)
def test_jic_belongs_to_the_hip_and_needs_no_axes(
    picture: Picture, start: float, end: float, lcea: float, sharp: float, gap: float
) -> None:
    assume(abs(end - lcea) > 1e-3)
    sides: list[tuple[Picture, Turn | None]] = [(Picture(), 1), (picture, None)]
    here, there = (
        jic_extent(p.head, p.arcs(start, end), *pelvis(p, lcea, sharp, gap), turn)
        for p, turn in sides
    )
    assert there.w == pytest.approx(here.w, abs=2e-6)
    assert there.reaches_edge == here.reaches_edge == (end > lcea)
    assume(all(abs(here.w - cut) > 1e-5 for cut in (0, 1 / 3, 2 / 3, 1)))
    assert (there.jic_type, there.medial_of_wb) == (here.jic_type, here.medial_of_wb)


@given(ends, ends, lceas, sharps, gaps)
def test_a_necrosis_that_reaches_further_is_never_of_a_lesser_type(
    one: float, other: float, lcea: float, sharp: float, gap: float
) -> None:
    less, more = (
        TYPES.index(
            jic_extent(
                Picture().head,
                Picture().arcs(-100.0, end),
                *pelvis(Picture(), lcea, sharp, gap),
            ).jic_type
        )
        for end in sorted((one, other))
    )
    assert less <= more


@given(pictures, lceas, sharps, gaps)
def test_the_landmarks_and_the_axes_tell_the_same_turn(
    picture: Picture, lcea: float, sharp: float, gap: float
) -> None:
    marks = pelvis(picture, lcea, sharp, gap)
    assert turn_from_landmarks(picture.head, *marks) == turn_from_axes(picture.axes)
    assert lcea_deg(picture.head, picture.axes, marks[1]) == pytest.approx(lcea, abs=1e-5)


@given(pictures, starts, ends, st.floats(-70, -20))
def test_arcs_from_the_neck_belong_to_the_femur(
    picture: Picture, start: float, end: float, neck_deg: float
) -> None:
    neck = picture.surface(neck_deg + 180.0, 40.0), picture.surface(neck_deg + 180.0, 28.0)
    turn = turn_from_axes(picture.axes)
    arcs = picture.arcs(start, end)
    spared = lateral_spared_deg(picture.head, arcs, *neck, turn)
    anterior = anterior_necrotic_deg(picture.head, arcs, *neck, turn)
    assert spared == pytest.approx(max(0.0, 90.0 + neck_deg - end), abs=1e-5)
    assert anterior == pytest.approx(neck_deg - start, abs=1e-5)


@given(pictures, st.floats(-60, 60), st.floats(0.0, 10.0))
def test_a_depth_scales_and_nothing_else_moves_it(
    picture: Picture, where: float, depth: float
) -> None:
    assume(depth == 0.0 or depth > 1e-4)
    deepest = picture.surface(where, RADIUS_MM - depth - 1e-7)
    found = collapse_depth_mm(picture.head, deepest)
    assert found == pytest.approx(depth * picture.scale, abs=2e-6)
