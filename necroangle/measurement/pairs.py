"""Both views of a hip held against each other: whether they show one and the same head."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import SphereFit
from necroangle.geometry.arc import each
from necroangle.geometry.point_sets import PointSets, parts_of, runs
from necroangle.geometry.sphere import Spheres, ball_fault, fit_spheres
from necroangle.geometry.vectors import cross3, dot3, quadratic2
from necroangle.measurement.heads import Heads
from necroangle.measurement.marks import PlaneColumns, ReadingBatch, in_patient

Array = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class HeadJudge:
    """What the two views say of each other.

    Attributes
    ----------
    sphere
        The joint sphere, patient LPS mm.
    centre_gap_mm
        How far the two circles' centres differ along the line that both slices share (mostly up
        and down): 0 when both show one head that has not moved.
    radius_gap_mm
        Difference of the head's radius, B view less A view, each circle brought to the centre.
    p_value
        Chance of the two circles to differ this much from one sphere by click noise alone (F test
        of 4 against 6 parameters); None where the marks have no freedom left.
    a_offset_mm, b_offset_mm
        Signed distance of each slice from the centre that the other view found: coronal positive
        behind it, sagittal positive to the patient's left.
    a_offset_unit, b_offset_unit
        Standard error of each offset for a click noise of 1 mm.

    References
    ----------
    F test of nested least squares: ``((RSS_sphere - RSS_two) / 2) / (RSS_two / (n - 6))``.

    Examples
    --------
    >>> from necroangle.measurement.measure import measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> judge = measure(readings_of(sample_studies()["plain"])[0]).judge
    >>> round(judge.sphere.sphere.radius_mm, 3), abs(round(judge.centre_gap_mm, 6))
    (24.0, 0.0)
    >>> round(judge.a_offset_mm, 2), round(judge.b_offset_mm, 2)  # of the two marked slices
    (0.3, 0.6)
    """

    sphere: SphereFit
    centre_gap_mm: float
    radius_gap_mm: float
    p_value: float | None
    a_offset_mm: float
    b_offset_mm: float
    a_offset_unit: float
    b_offset_unit: float


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """What the two views of P hips say of each other: :class:`HeadJudge`, P times.

    Attributes
    ----------
    hip
        (P,) which hips; growing.
    spheres
        The joint spheres.
    centre_gap, radius_gap, a_offset, b_offset, a_unit, b_unit
        (P,) mm.
    p_value
        (P,) NaN where the marks have no freedom left.
    """

    hip: Places
    spheres: Spheres
    centre_gap: Array
    radius_gap: Array
    p_value: Array
    a_offset: Array
    b_offset: Array
    a_unit: Array
    b_unit: Array

    def judge(self, place: int) -> HeadJudge:
        """One of them by itself."""
        p_value = float(self.p_value[place])
        return HeadJudge(
            sphere=self.spheres.sphere(place),
            centre_gap_mm=float(self.centre_gap[place]),
            radius_gap_mm=float(self.radius_gap[place]),
            p_value=None if math.isnan(p_value) else p_value,
            a_offset_mm=float(self.a_offset[place]),
            b_offset_mm=float(self.b_offset[place]),
            a_offset_unit=float(self.a_unit[place]),
            b_offset_unit=float(self.b_unit[place]),
        )


def judge_heads(batch: ReadingBatch, heads: Heads, free: NDArray[np.bool_]) -> Judges:
    """Hold the two views of every hip against each other that has both, in one frame.

    Parameters
    ----------
    free
        (R,) the hips that can be measured so far.
    """
    both = (batch.view_of >= 0).all(axis=0) & free & ~batch.flat_hip & ~batch.frames_differ
    both[batch.hip[~heads.there]] = False
    hip = np.flatnonzero(both)
    spheres, problems = _joint_spheres(heads, *batch.view_of[:, hip])
    if problems:  # both views in one plane: they say nothing of each other
        kept = np.ones(len(hip), bool)
        kept[list(problems)] = False
        hip, spheres = hip[kept], spheres.some(kept)
    return _judged(batch, heads, hip, spheres)


def _judged(batch: ReadingBatch, heads: Heads, hip: Places, spheres: Spheres) -> Judges:
    a, b = batch.view_of[:, hip]
    planes, radius = batch.own_planes, heads.circles.radius_mm
    normals = planes.normal
    u, v = heads.circles.centre_mm
    centres = in_patient((u, v), planes)
    shared = cross3([part[a] for part in normals], [part[b] for part in normals])
    length = np.sqrt(dot3(shared, shared))
    with np.errstate(all="ignore"):
        gap = dot3([part[b] - part[a] for part in centres], shared) / length
        a_offset, a_unit = _offsets(planes, heads, normals, centres, a, b)
        b_offset, b_unit = _offsets(planes, heads, normals, centres, b, a)
        p_value = _p_values(spheres.rss_mm2, heads, a, b)
    radii = each(math.hypot, radius[a], a_offset), each(math.hypot, radius[b], b_offset)
    return Judges(
        hip=hip,
        spheres=spheres,
        centre_gap=np.where(length > 0, gap, 0.0),
        radius_gap=radii[1] - radii[0],
        p_value=p_value,
        a_offset=a_offset,
        b_offset=b_offset,
        a_unit=a_unit,
        b_unit=b_unit,
    )


def _offsets(
    planes: PlaneColumns,
    heads: Heads,
    normals: tuple[Array, Array, Array],
    centres: tuple[Array, Array, Array],
    slices: Places,
    others: Places,
) -> tuple[Array, Array]:
    """Signed distances of slices from the other views' centres, and their errors for 1 mm."""
    normal = [part[slices] for part in normals]
    facing = facing_of(normal)
    origin = [part[slices] for part in planes.origin]
    between = [part[others] - start for part, start in zip(centres, origin, strict=True)]
    row, column = ([part[others] for part in axis] for axis in planes[1:])
    across = dot3(row, normal), dot3(column, normal)
    uu, uv, _, vv, _, _ = heads.circles.covariance[:, others]
    unit = np.sqrt(quadratic2((uu, uv, vv), across))
    return 0.0 - facing * dot3(between, normal), unit


def facing_of(normal: Sequence[Array]) -> Array:
    """(K,) 1 or -1: slices' normals so turned that they look to the left, behind or upward."""
    size = np.abs(np.array(normal))
    largest = np.take_along_axis(np.array(normal), np.argmax(size, axis=0)[None], axis=0)[0]
    return np.where(largest > 0, 1.0, -1.0)


def _joint_spheres(heads: Heads, a: Places, b: Places) -> tuple[Spheres, dict[int, str]]:
    """Spheres through the points of both circles; which give none, and why."""
    views = np.array((a, b)).T.ravel()
    places = runs(heads.used_start[views], heads.count[views])
    return spheres_of_runs(heads.used_mm[:, places], heads.count[a] + heads.count[b])


def spheres_of_runs(points_mm: Array, count: Places) -> tuple[Spheres, dict[int, str]]:
    """Spheres through sets of (3, M) patient points that stand one after the other.

    Also which of the sets give none, and why.
    """
    found = Spheres.none(len(count))
    problems: dict[int, str] = {}
    start = np.cumsum(count) - count
    for some in parts_of(count):
        sets = PointSets.of_runs(points_mm, start[some], count[some])
        spheres = fit_spheres(sets)
        found.put(some, spheres)
        problems |= {int(some[place]): text for place, text in spheres.faults(sets).items()}
    empty = np.flatnonzero(count == 0).tolist()
    problems |= dict.fromkeys(empty, ball_fault(np.zeros((0, 3))))
    return found, problems


def _p_values(rss: Array, heads: Heads, a: Places, b: Places) -> Array:
    from scipy.special import fdtrc

    count = heads.count[a] + heads.count[b]
    own = heads.circles.rss_mm2
    freedom, apart = count - 6, own[a] + own[b]
    ratio = np.maximum(0.0, (rss - apart) / 2) / (apart / freedom)
    none = (freedom < 1) | (apart < 1e-12 * count)
    return np.where(none, np.nan, fdtrc(2, freedom, ratio))
