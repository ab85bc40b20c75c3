"""Readings by a hand that does not share the assumptions of the error budget, in arrays.

Heads are oval or have harmonics, their dome is higher or lower than the circle; rim noise is
correlated along the rim and larger along it than across; arc ends have a spread of their own and a
habit that pushes all of them outward; the lesion is a cap, tilted out of the slices, or one solid
with an irregular border; slices lie off the head's centre. The truth is the angle in the plane
through the centre of a head without unevenness.

Directions are radians from superior, towards lateral (coronal) or posterior (sagittal).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReaderEntries,
    ReadView,
)
from necroangle.geometry import ImagePlane
from necroangle.measurement.marks import HipFacts, PlaneColumns, ReadingBatch, ViewFacts
from necroangle.terms import Finding, Laterality, View

__all__ = [
    "MIXTURE",
    "MIXTURES",
    "ROWS",
    "Case",
    "Hips",
    "read_by_two",
    "read_hips",
    "read_stacks",
]

Array = NDArray[np.float64]
Chance = np.random.Generator

CENTRE_MM = np.array([90.0, -10.0, 35.0])
SPACING_MM = (0.6, 0.45)
_VIEWS = (View.CORONAL, View.SAGITTAL)
_ROW = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_NORMAL = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Of each view: its row's direction, and row x down, the normal of its slices."""
_DOWN = np.array([0.0, 0.0, -1.0])
_CORNER_MM = np.array([70.0, 75.0])
"""Where the head's centre stands in each image."""
_LEAST_HALF = 0.02
"""Half of the smallest arc that is marked, radians."""


@dataclass(frozen=True)
class Case:
    """What is wrong with head, hand and slice.

    Attributes
    ----------
    name
        For the table.
    marks, span_deg
        Of each rim: least and most.
    rim_sd_mm, rim_rho, along_mm, outer
        Noise across the rim, its correlation between neighbours, noise along it, and how much more
        of it there is at the rim's ends, as a share.
    rim_middle_deg
        Mean and spread of the direction of the rims' middles.
    end_sd_mm, end_spread, habit_sd_mm, habit_mm
        Spread of arc ends, its own spread between readers (lognormal), the readers' habits and
        their mean.
    radius_mm
        Of the heads: least and most.
    oval, oval_sd, waves
        Difference of the axes as a share of the radius: fixed, or its spread; and the spread of
        each component of harmonics of order 2, 3 and 4, as a share of the radius.
    axes_sd
        Spread of the three axes of a solid head, as a share of the radius.
    dome_mm
        How much higher the dome is than the circle; its spread is ``dome_sd_mm``.
    half_deg
        Half angle of the lesions: least and most.
    offset_mm, step_mm
        Slices lie as far off the centre, either way, evenly; and their neighbours beside them.
    moved_mm
        How far the patient moved along the coronal slices' normal after the sagittal series.
    tilt_deg, tilt_sd_deg
        Of the lesion out of each slice.
    solid, irregular
        Whether both views cut one lesion, which leans forward by 18 +- 12 and sideways by 0 +- 12
        degrees; and by what share its half angle changes along its border.
    frames_differ
        Whether nothing tells where the slices lie.
    neighbours
        How many slices on either side are marked, too.
    follow_mm
        At a later visit the slice lies within this of the first one's offset; None for anew.
    least, most, widest
        Limits of the coverage; and of the interval's width over that of marking alone. It is 1.8
        but where rims are short, slices far off, or lesions small, whose angle is steep.
    """

    name: str
    marks: tuple[int, int] = (12, 12)
    span_deg: tuple[float, float] = (220.0, 220.0)
    rim_sd_mm: float = 0.5
    rim_rho: float = 0.0
    along_mm: float = 0.0
    outer: float = 0.0
    rim_middle_deg: tuple[float, float] = (0.0, 5.0)
    end_sd_mm: float = 1.0
    end_spread: float = 0.0
    habit_sd_mm: float = 0.0
    habit_mm: float = 0.0
    radius_mm: tuple[float, float] = (24.0, 24.0)
    oval: float = 0.0
    oval_sd: float = 0.0
    waves: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axes_sd: float = 0.0
    dome_mm: float = 0.0
    dome_sd_mm: float = 0.0
    half_deg: tuple[float, float] = (35.0, 62.0)
    offset_mm: float = 0.0
    step_mm: float = 4.0
    moved_mm: float = 0.0
    tilt_deg: float = 0.0
    tilt_sd_deg: float = 0.0
    solid: bool = False
    irregular: float = 0.0
    frames_differ: bool = False
    neighbours: int = 0
    follow_mm: float | None = None
    least: float = 0.93
    most: float = 1.0
    widest: float = 1.8


_OFF = Case("slices +-3 mm, tilt 0", offset_mm=3.0)

ROWS = (
    Case("round, on centre, 1 mm reader"),
    Case("8 marks, rim 180", (8, 8), (180.0, 180.0)),
    Case("12 marks, rim 130", span_deg=(130.0, 130.0), widest=2.1),
    Case("rim noise correlated .7, 12 marks", rim_rho=0.7),
    Case("rim noise correlated .7, 30 marks", (30, 30), rim_rho=0.7),
    Case("across .3, along 2 mm", rim_sd_mm=0.3, along_mm=2.0),
    Case("noise thrice as large at the rim's ends", outer=2.0),
    Case("oval 3 %, rim 220", oval=0.03),
    Case("oval +5 %, rim 220", oval=0.05),
    Case("oval -5 %, rim 220", oval=-0.05),
    Case("oval 5 %, rim 180, 12 marks", span_deg=(180.0, 180.0), oval=0.05),
    Case("oval 5 %, rim 180, 30 marks", (30, 30), (180.0, 180.0), oval=0.05, least=0.92),
    Case("dome +1 mm", dome_mm=1.0),
    Case("dome -1 mm", dome_mm=-1.0),
    _OFF,
    replace(_OFF, name="slices +-3 mm, tilt 10", tilt_deg=10.0),
    replace(_OFF, name="slices +-3 mm, tilt 20", tilt_deg=20.0),
    replace(_OFF, name="slices +-4 mm, tilt 20", offset_mm=4.0, tilt_deg=20.0, widest=2.1),
    Case("slices +-2 mm, unknown, tilt 20", offset_mm=2.0, tilt_deg=20.0, frames_differ=True),
)
"""What is wrong one by one."""

_ALL = Case(
    "mixture of ovals, tilts, slices, readers",
    marks=(9, 16),
    span_deg=(180.0, 260.0),
    rim_rho=0.5,
    end_spread=0.35,
    habit_sd_mm=0.3,
    oval_sd=0.025,
    waves=(0.0, 0.1 / 24, 0.0),
    dome_sd_mm=0.3,
    offset_mm=2.0,
    tilt_sd_deg=15.0,
    most=0.98,
)

MIXTURES = (
    _ALL,
    replace(
        _ALL,
        name="mixture of solid lesions, irregular borders",
        marks=(8, 16),
        span_deg=(170.0, 260.0),
        oval_sd=0.0,
        waves=(0.0, 0.0, 0.0),
        axes_sd=0.02,
        dome_sd_mm=0.0,
        radius_mm=(20.0, 28.0),
        solid=True,
        irregular=0.08,
    ),
    replace(
        _ALL,
        name="mixture of contours of 40 marks",
        marks=(40, 40),
        span_deg=(200.0, 300.0),
        rim_sd_mm=0.6,
        rim_rho=0.9,
        end_sd_mm=1.1,
        oval_sd=0.0,
        waves=(0.01, 0.006, 0.004),
        offset_mm=1.5,
        step_mm=3.0,
        tilt_sd_deg=12.0,
    ),
    replace(
        _ALL,
        name="mixture of small lesions",
        widest=2.1,
        half_deg=(14.0, 38.0),
        waves=(0.008, 0.005, 0.003),
        oval_sd=0.015,
        radius_mm=(20.0, 27.0),
        rim_middle_deg=(-20.0, 15.0),
    ),
    replace(
        _ALL,
        name="mixture of large lesions",
        half_deg=(55.0, 95.0),
        waves=(0.008, 0.005, 0.003),
        oval_sd=0.015,
        span_deg=(170.0, 300.0),
        radius_mm=(21.0, 27.0),
        outer=0.5,
    ),
    replace(
        _ALL,
        name="mixture of short rims, uneven heads",
        span_deg=(150.0, 210.0),
        marks=(6, 12),
        rim_sd_mm=0.4,
        rim_rho=0.3,
        outer=1.0,
        waves=(0.012, 0.008, 0.006),
        oval_sd=0.01,
        rim_middle_deg=(-15.0, 15.0),
        along_mm=1.5,
    ),
    replace(
        _ALL,
        name="mixture of thick slices, unknown offsets",
        offset_mm=2.5,
        step_mm=5.0,
        frames_differ=True,
        tilt_sd_deg=16.0,
        rim_sd_mm=0.7,
        end_sd_mm=0.9,
    ),
)
"""All of it, as it may come together."""

MIXTURE = MIXTURES[0]


@dataclass(frozen=True)
class Hips:
    """Readings, laid out in arrays, with the true angles of A and B.

    Attributes
    ----------
    batch
        N readings.
    pixels
        (2, M) the marks as (column, row) in their images.
    truth_deg
        (N, 2) degrees.
    """

    batch: ReadingBatch
    pixels: Array
    truth_deg: Array

    @cached_property
    def readings(self) -> list[HipReading]:
        """The same as readings, as they would be saved."""
        return list(_readings(self.batch))


@dataclass(frozen=True)
class _Heads:
    """N heads with their lesions, the same at every visit; (N, 2) is of each view.

    Attributes
    ----------
    radius_mm
        (N,).
    stretch
        (N, 2) difference of the axes of an oval, as a share.
    cos, sin
        (N, 2, 3) components of harmonics of order 2 to 4, as shares of the radius.
    dome_mm
        (N,).
    axes
        (N, 2, 3) the lesion as each view's slices see it: along the slice, along the normal, up.
    cut
        (N,) cosine of the half angle.
    border
        (N, 2, 4) how the border of a solid lesion is uneven.
    """

    radius_mm: Array
    stretch: Array
    cos: Array
    sin: Array
    dome_mm: Array
    axes: Array
    cut: Array
    border: Array

    def circle_mm(self, offset_mm: Array) -> Array:
        """(N, 2) radius of the circle that a slice shows of a round head."""
        return np.asarray(np.sqrt(self.radius_mm[:, None] ** 2 - offset_mm**2))

    def contour_mm(self, turn: Array, offset_mm: Array, middle: Array) -> Array:
        """(N, 2, K) distance of the contour from its centre in directions on a slice."""
        circle = self.circle_mm(offset_mm)[..., None]
        half = self.stretch[..., None] / 2
        long, wide = circle * (1 + half), circle * (1 - half)
        found = long * wide / np.hypot(wide * np.cos(turn), long * np.sin(turn))
        for place, order in enumerate((2, 3, 4)):
            share = self.cos[..., place, None] * np.cos(order * turn)
            share = share + self.sin[..., place, None] * np.sin(order * turn)
            found = found + self.radius_mm[:, None, None] * share
        bump = np.exp(-(((turn - middle[..., None]) / 0.6) ** 2))
        return np.asarray(found + self.dome_mm[:, None, None] * bump)

    def edges(self, offset_mm: Array) -> Array:
        """(N, 2, 2) directions between which a slice at some offset shows the lesion."""
        along, across, up = np.moveaxis(self.axes, -1, 0)
        middle = np.arctan2(along, up)
        circle, inside = self.circle_mm(offset_mm), np.hypot(along, up)
        reach = self.radius_mm[:, None] * self.cut[:, None] - offset_mm * across
        half = np.arccos(np.clip(reach / (circle * inside), -0.999, 0.999))
        ends = np.stack((middle - half, middle + half), axis=-1)
        return self._uneven(ends, middle, offset_mm) if self.border.any() else ends

    def _uneven(self, ends: Array, middle: Array, offset_mm: Array) -> Array:
        """The ends on an uneven border: bisection between the middle and twice as far."""
        far = np.abs(ends - middle[..., None]) * 1.8
        low, high = np.zeros_like(ends), np.minimum(far, np.pi - 0.02)
        sign = np.array((-1.0, 1.0))
        for _ in range(30):
            tried = (low + high) / 2
            within = self._within(middle[..., None] + sign * tried, offset_mm)
            low, high = np.where(within, tried, low), np.where(within, high, tried)
        return np.asarray(middle[..., None] + sign * low)

    def _within(self, turn: Array, offset_mm: Array) -> NDArray[np.bool_]:
        """Whether the surface in directions on slices is necrotic."""
        circle, radius = self.circle_mm(offset_mm)[..., None], self.radius_mm[:, None, None]
        place = np.stack(
            (
                circle * np.sin(turn) / radius,
                np.broadcast_to(offset_mm[..., None] / radius, turn.shape),
                circle * np.cos(turn) / radius,
            ),
            axis=-1,
        )
        axis = self.axes[:, :, None]
        away = np.arccos(np.clip((place * axis).sum(axis=-1), -1, 1))
        side = np.cross(axis, np.array((0.0, 1.0, 0.0)))
        round_axis = np.arctan2(
            (np.cross(axis, side) * place).sum(axis=-1), (side * place).sum(axis=-1)
        )
        share = np.zeros_like(turn)
        for order in (1, 2, 3, 4):
            size, phase = self.border[:, None, :, order - 1, None].transpose(2, 0, 1, 3)
            share = share + size * np.cos(order * round_axis + phase)
        return np.asarray(away < np.arccos(self.cut)[:, None, None] * (1 + share))


def read_hips(case: Case, count: int, seed: int, visits: int = 1) -> list[Hips]:
    """Hips as read at some visits, by one reader each, the slices chosen anew."""
    chance = np.random.default_rng(seed)
    heads = _heads(case, count, chance)
    spread = case.end_sd_mm * np.exp(chance.normal(0, 1, count) * case.end_spread)
    habit = case.habit_mm + chance.normal(0, 1, count) * case.habit_sd_mm
    return list(_visits(case, heads, chance, [(spread, habit)] * visits))


def read_stacks(case: Case, count: int, seed: int, slices: int) -> Hips:
    """Hips of which neighbouring slices of each view are marked.

    They are the nearest to where the other view sees the head's centre; the first of them is the
    view's own.
    """
    chance = np.random.default_rng(seed)
    heads = _heads(case, count, chance)
    spread = case.end_sd_mm * np.exp(chance.normal(0, 1, count) * case.end_spread)
    habit = case.habit_mm + chance.normal(0, 1, count) * case.habit_sd_mm
    place = case.step_mm * (np.arange(-6, 7) - chance.random((count, 2, 1)))
    nearest = np.argsort(np.abs(place), axis=-1)[..., :slices]
    stack = np.moveaxis(np.take_along_axis(place, nearest, -1), -1, 0)
    return _read(case, heads, list(stack), spread, habit, 0, chance)


def _visits(
    case: Case, heads: _Heads, chance: Chance, hands: list[tuple[Array, Array]]
) -> Iterator[Hips]:
    size = (len(heads.radius_mm), 2)
    first = chance.uniform(-1, 1, size) * case.offset_mm
    for visit, (spread, habit) in enumerate(hands):
        offset = first
        if visit and case.follow_mm is not None:
            offset = first + chance.uniform(-1, 1, size) * case.follow_mm
        elif visit:
            offset = chance.uniform(-1, 1, size) * case.offset_mm
        beside = [step for step in range(-case.neighbours, case.neighbours + 1) if step]
        stack = [offset + step * case.step_mm for step in (0, *beside)]
        yield _read(case, heads, stack, spread, habit, visit, chance)


def read_by_two(
    case: Case, count: int, seed: int, habits_mm: tuple[float, float], *, one_visit: bool = False
) -> list[Hips]:
    """Hips as read by two readers with habits of their own, r1 and r2; at two visits, or at one."""
    chance = np.random.default_rng(seed)
    heads = _heads(case, count, chance)
    spread = np.full(count, case.end_sd_mm)
    hands = [(spread, np.full(count, habit)) for habit in habits_mm]
    found = list(_visits(case, heads, chance, hands))
    renamed = []
    for number, hips in enumerate(found, 1):
        facts = replace(hips.batch.hips, reader=(f"r{number}",) * count)
        if one_visit:
            facts = replace(facts, visit=("m00",) * count)
        renamed.append(replace(hips, batch=replace(hips.batch, hips=facts)))
    return renamed


def _heads(case: Case, count: int, chance: Chance) -> _Heads:
    """Heads, and lesions whose angle in each view is some 70 to 124 degrees by default."""
    cut = np.cos(np.radians(chance.uniform(*case.half_deg, count)))
    cos, sin = chance.normal(0, 1, (2, count, 2, 3)) * np.array(case.waves)
    wide, deep, high = chance.normal(0, 1, (3, count)) * case.axes_sd
    cos[:, 0, 0] += (high - wide) / 2
    cos[:, 1, 0] += (high - deep) / 2
    stretch = case.oval + chance.normal(0, 1, count) * case.oval_sd
    return _Heads(
        radius_mm=chance.uniform(*case.radius_mm, count),
        stretch=np.repeat(stretch[:, None], 2, axis=1),
        cos=cos,
        sin=sin,
        dome_mm=case.dome_mm + chance.normal(0, 1, count) * case.dome_sd_mm,
        axes=_solid(count, chance) if case.solid else _tilted(case, count, chance),
        cut=cut,
        border=np.stack(
            (
                chance.normal(0, 1, (count, 4)) * case.irregular / np.sqrt(2),
                chance.uniform(0, 2 * np.pi, (count, 4)),
            ),
            axis=1,
        )
        * bool(case.irregular),
    )


def _tilted(case: Case, count: int, chance: Chance) -> Array:
    """(N, 2, 3) axes of lesions that each view sees tilted in a way of its own."""
    sign = np.where(chance.random((count, 2)) < 0.5, 1.0, -1.0)
    tilt = np.radians(sign * case.tilt_deg + chance.normal(0, 1, (count, 2)) * case.tilt_sd_deg)
    tilt, lean = np.clip(tilt, -0.6, 0.6), np.radians(chance.normal(0, 15, (count, 2)))
    return np.stack((np.cos(tilt) * np.sin(lean), np.sin(tilt), np.cos(tilt) * np.cos(lean)), -1)


def _solid(count: int, chance: Chance) -> Array:
    """(N, 2, 3) axes of lesions that both views cut."""
    front = np.tan(np.radians(chance.normal(18, 12, count)))
    out = np.tan(np.radians(chance.normal(0, 12, count)))
    length = np.sqrt(front**2 + out**2 + 1)
    patient = np.stack((out, -front, np.ones(count)), -1) / length[:, None]
    x, y, z = patient.T
    return np.stack((np.stack((x, y, z), -1), np.stack((y, -x, z), -1)), axis=1)


def _read(
    case: Case,
    heads: _Heads,
    stack: list[Array],
    spread: Array,
    habit: Array,
    visit: int,
    chance: Chance,
) -> Hips:
    """One visit: the own slice of each view, and its neighbours behind it, by where they lie."""
    moved = np.array((case.moved_mm, 0.0))
    slices = [_marks(case, heads, place - moved, spread, habit, chance) for place in stack]
    rims, counts, arcs = (np.stack(part, axis=2) for part in zip(*slices, strict=True))
    most = rims.shape[3]
    padded = np.concatenate((rims, arcs), axis=3).reshape(-1, most + 3, 2)
    count = counts.ravel()
    keep = np.ones(padded.shape[:2], bool)
    keep[:, :most] = np.arange(most) < count[:, None]
    points = padded[keep].T
    start = np.concatenate(([0], np.cumsum(count + 3)[:-1]))
    size = len(heads.radius_mm)
    low, high = np.moveaxis(heads.edges(np.zeros((size, 2))), -1, 0)
    batch = _batch(case, np.stack(stack, axis=2), visit, start, count, points)
    pixels = points / np.array((SPACING_MM[1], SPACING_MM[0]))[:, None]
    return Hips(batch, pixels, np.degrees(high - low))


def _marks(
    case: Case, heads: _Heads, offset: Array, spread: Array, habit: Array, chance: Chance
) -> tuple[Array, NDArray[np.intp], Array]:
    """Rims (N, 2, K, 2) and their numbers, arcs (N, 2, 3, 2), plane mm, of slices at offsets."""
    shape, most = offset.shape, case.marks[1]
    edges = heads.edges(offset)
    middle = edges.mean(axis=-1)
    count = chance.integers(case.marks[0], most + 1, shape)
    span = np.radians(chance.uniform(*case.span_deg, shape))
    mean, sd = case.rim_middle_deg
    place = np.arange(most) / np.maximum(count - 1, 1)[..., None] - 0.5
    turn = span[..., None] * place + np.radians(chance.normal(mean, sd, shape))[..., None]
    turn = turn + chance.normal(0, 1, (*shape, most)) * case.along_mm / 24.0
    noise = chance.normal(0, 1, (*shape, most))
    for one in range(1, most):
        noise[..., one] *= np.sqrt(1 - case.rim_rho**2)
        noise[..., one] += case.rim_rho * noise[..., one - 1]
    noise *= case.rim_sd_mm * (1 + case.outer * np.abs(2 * place))
    rim = heads.contour_mm(turn, offset, middle) + noise
    moved = habit[:, None, None] + chance.normal(0, 1, (*shape, 2)) * spread[:, None, None]
    moved = moved * np.array((-1.0, 1.0)) / heads.radius_mm[:, None, None]
    low, high = np.moveaxis(edges + moved, -1, 0)
    low, high = np.minimum(low, middle - _LEAST_HALF), np.maximum(high, middle + _LEAST_HALF)
    ends = np.stack((low, high, middle), axis=-1)
    away = heads.contour_mm(ends, offset, middle)
    return _in_image(turn, rim), count, _in_image(ends, away)


def _in_image(turn: Array, away: Array) -> Array:
    u, v = _CORNER_MM
    return np.stack((u + away * np.sin(turn), v - away * np.cos(turn)), axis=-1)


def _batch(
    case: Case,
    place: Array,
    visit: int,
    start: NDArray[np.intp],
    count: NDArray[np.intp],
    points: Array,
) -> ReadingBatch:
    """The layout of N readings by where their slices lie, (N, 2, number of slices)."""
    size, _, number = place.shape
    views, offset = 2 * size, place.ravel()
    side = np.tile(np.repeat((0, 1), number), size)
    origin = CENTRE_MM + _NORMAL[side] * offset[:, None]
    origin = origin - _CORNER_MM[0] * _ROW[side] - _CORNER_MM[1] * _DOWN
    row, column = _ROW[side], np.broadcast_to(_DOWN, (len(side), 3))
    facts = HipFacts(
        subject=tuple(f"S{one}" for one in range(size)),
        laterality=(Laterality.LEFT,) * size,
        visit=(f"m{12 * visit:02d}",) * size,
        reader=("r1",) * size,
        read_no=(1,) * size,
        entries=(ReaderEntries(),) * size,
        views=(_VIEWS,) * size,
        statuses=((Finding.NECROSIS, Finding.NECROSIS),) * size,
        weightings=((None, None),) * size,
        sound=(True,) * size,
        flat=(False,) * size,
        frames_differ=(case.frames_differ,) * size,
        studies_differ=(False,) * size,
        images=(((f"1.2.3.{visit}.1.1.1", 1), (f"1.2.3.{visit}.2.1.1", 1)),) * size,
        studies=(("1.2.3",),) * size,
        is_consensus=(False,) * size,
        notes_problem=("",) * size,
    )
    own = range(0, number * views, number)
    view_facts = ViewFacts(
        hip=tuple(np.repeat(np.arange(size), 2).tolist()),
        side=(0, 1) * size,
        own=tuple(own),
        collapsed=(False,) * views,
        view=_VIEWS * size,
        finding=(Finding.NECROSIS,) * views,
        drilled=(False,) * views,
        calibrated=(True,) * views,
        stack_flags=((),) * views,
        contour_start=tuple((start + count + 3)[::number].tolist()),
        contour_count=(0,) * views,
        step_mm=(float("nan"),) * views,
    )
    slices = np.arange(number * views)
    return ReadingBatch(
        hips=facts,
        views=view_facts,
        landmarked={},
        slice_view=slices // number,
        planes=PlaneColumns(*(tuple(part.T.copy()) for part in (origin, row, column))),
        rim_start=start,
        rim_count=count,
        arc_slice=slices,
        arc_start=start + count,
        points=np.ascontiguousarray(points),
        off_image=np.zeros(number * views, bool),
        doubtful=np.zeros(size, bool),
        no_plane={},
    )


def _readings(batch: ReadingBatch) -> Iterator[HipReading]:
    for number in range(batch.size):
        first, second = (_view(batch, int(view), number) for view in batch.view_of[:, number])
        yield HipReading(
            format="necroangle.reading",
            version=3,
            subject=batch.hips.subject[number],
            laterality=Laterality.LEFT,
            visit=batch.hips.visit[number],
            reader=batch.hips.reader[number],
            read_no=1,
            views=(first, second),
            entries=ReaderEntries(),
            notes="",
            saved_at="2026-01-01T00:00:00.000Z",
            software="necroangle benchmark",
            conduct=FREE_READING,
            revision=FIRST_REVISION,
            consensus_of=(),
        )


def _view(batch: ReadingBatch, view: int, number: int) -> ReadView:
    slices = np.flatnonzero(batch.slice_view == view).tolist()
    side = batch.views.side[view]
    frame = side if batch.hips.frames_differ[number] else 0

    def marks(place: int) -> tuple[PlaneRecord, list[Mark], NecroticArc]:
        axes = (np.array([part[place] for part in axis]) for axis in batch.planes)
        origin, row, column = axes
        plane = ImagePlane.from_dicom(origin.tolist(), [*row, *column], SPACING_MM)
        start, count = int(batch.rim_start[place]), int(batch.rim_count[place])
        own = batch.points[:, start : start + count + 3].T.tolist()
        made = [Mark.at_plane(plane, u, v) for u, v in own]
        return PlaneRecord.of(plane, (256, 320)), made[:-3], NecroticArc(*made[-3:])

    def image(place: int) -> ImageRecord:
        series = f"1.2.3.{batch.hips.visit[number][1:]}.{side + 1}"
        return ImageRecord("1.2.3", series, f"{series}.{place + 1}", 1, f"1.2.826.0.{frame + 1}")

    plane, rim, arc = marks(slices[0])
    beside = tuple(
        NeighbourSlice(image(place), near, tuple(rims), (arcs,))
        for place in slices[1:]
        for near, rims, arcs in (marks(place),)
    )
    return ReadView(
        view=_VIEWS[side],
        finding=Finding.NECROSIS,
        image=image(slices[0]),
        plane=plane,
        passport=None,
        rim=tuple(rim),
        arcs=(arc,),
        observations=(),
        neighbours=beside,
        landmarks=(),
        contour=(),
    )
