"""Both views of many hips together: what they say of each other, the noise, and the sum."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.balls import fit_balls
from necroangle.geometry.triple import cross3, dot3, quadratic2
from necroangle.measurement.projection import PlaneColumns, in_patient
from necroangle.measurement.settings import Settings
from necroangle.measurement.uncertainty import aspin_shift
from necroangle.measurement.vector.arcs import each
from necroangle.measurement.vector.heads import Heads
from necroangle.measurement.vector.sheet import Sheet

__all__ = ["Estimates", "Judges", "Noise", "estimates", "judge_heads", "pooled_noise_of"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]

_SURE_ROUNDNESS = 1e-9
"""Product of the principal spreads, of sum 1, above which marks are far from one plane."""

_HIPS_AT_ONCE = 512
_DEG = 180.0 / math.pi


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """What the two views of P hips say of each other: :class:`necroangle.measurement.HeadJudge`.

    Attributes
    ----------
    centre_gap, radius_gap, a_offset, b_offset, a_unit, b_unit
        (P,) mm.
    p_value
        (P,) NaN where the marks have no freedom left.
    sure
        (P,) whether the marks are surely not in one plane.
    """

    centre_gap: Array
    radius_gap: Array
    p_value: Array
    a_offset: Array
    b_offset: Array
    a_unit: Array
    b_unit: Array
    sure: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """(K,) variance of a rim mark, mm², and the freedom behind it."""

    variance: Array
    dof: Array


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """(K,) values with standard error, freedom and shift: :class:`Estimate`, K times."""

    value: Array
    se: Array
    dof: Array
    shift: Array

    def bounds(self) -> tuple[Array, Array]:
        """Lower and upper bounds of the 95 % intervals."""
        from scipy.special import stdtrit

        quantile = stdtrit(np.minimum(self.dof, 1e9), 0.975) + self.shift
        reach = np.where(self.se > 0, quantile * self.se, 0.0)
        return self.value - reach, self.value + reach

    def below(self, cut: float) -> Array:
        """Probabilities that the true values lie below a cut."""
        from scipy.special import stdtr

        with np.errstate(all="ignore"):
            chance = stdtr(np.minimum(self.dof, 1e9), (cut - self.value) / self.se)
        return np.asarray(np.where(self.se > 0, chance, (self.value < cut).astype(float)))

    @property
    def mdc95(self) -> Array:
        """Smallest changes that are real."""
        return np.asarray(1.96 * math.sqrt(2.0) * self.se)


def estimates(
    value: Array, rim_factor: Array, ends: Array, noise: Noise, settings: Settings
) -> Estimates:
    """Angles with their standard errors: :func:`necroangle.measurement.angle_estimate`, K times."""
    rim = noise.variance * rim_factor
    end = settings.end_point_sd_mm * settings.end_point_sd_mm * ends
    total = rim + end
    with np.errstate(all="ignore"):
        shares = rim / total, end / total
        share = shares[0] * shares[0] / noise.dof + shares[1] * shares[1] / settings.end_point_dof
        dof = np.where(share > 1e-12, 1.0 / share, math.inf)
        shift = aspin_shift(shares[0], noise.dof)
    known = ~(total <= 0.0)
    return Estimates(
        value=value,
        se=np.where(known, np.sqrt(np.where(known, total, 0.0)) * _DEG, 0.0),
        dof=np.where(known, dof, math.inf),
        shift=np.where(known, shift, 0.0),
    )


def pooled_noise_of(sheet: Sheet, heads: Heads, settings: Settings) -> Noise:
    """(R,) click noise of the rims of both views."""
    size = sheet.size
    rim = sheet.rim_count > 0
    rss, freedom = np.zeros(size), np.zeros(size)
    for side in (0, 1):
        some = rim & (sheet.side == side)
        rss[sheet.hip[some]] += heads.rss[some]
        freedom[sheet.hip[some]] += heads.count[some] - 3
    free = freedom > 0
    with np.errstate(all="ignore"):
        variance = np.where(free, rss / freedom, settings.rim_sd_mm**2)
    return Noise(variance, np.where(free, freedom, math.inf))


def judge_heads(sheet: Sheet, heads: Heads, a: Places, b: Places) -> Judges:
    """Hold the two views of each of P hips against each other.

    Parameters
    ----------
    a, b
        (P,) the A views and the B views.
    """
    normals = cross3(sheet.planes.row, sheet.planes.column)
    centres = in_patient((heads.u, heads.v), sheet.planes)
    shared = cross3([part[a] for part in normals], [part[b] for part in normals])
    length = np.sqrt(dot3(shared, shared))
    with np.errstate(all="ignore"):
        gap = dot3([part[b] - part[a] for part in centres], shared) / length
        a_offset, a_unit = _offsets(sheet, heads, normals, centres, a, b)
        b_offset, b_unit = _offsets(sheet, heads, normals, centres, b, a)
        parts = [
            _joint_spheres(sheet, heads, a[some], b[some])
            for some in (slice(k, k + _HIPS_AT_ONCE) for k in range(0, len(a), _HIPS_AT_ONCE))
        ]
        rss, round_ = np.concatenate([np.zeros((2, 0)), *map(np.array, parts)], axis=1)
        p_value = _p_values(rss, heads, a, b)
    radii = each(math.hypot, heads.radius[a], a_offset), each(math.hypot, heads.radius[b], b_offset)
    return Judges(
        centre_gap=np.where(length > 0, gap, 0.0),
        radius_gap=radii[1] - radii[0],
        p_value=p_value,
        a_offset=a_offset,
        b_offset=b_offset,
        a_unit=a_unit,
        b_unit=b_unit,
        sure=(round_ > _SURE_ROUNDNESS) & np.isfinite(rss),
    )


def _offsets(
    sheet: Sheet,
    heads: Heads,
    normals: tuple[Array, Array, Array],
    centres: tuple[Array, Array, Array],
    slices: Places,
    others: Places,
) -> tuple[Array, Array]:
    """Signed distances of slices from the other views' centres, and their errors for 1 mm."""
    normal = [part[slices] for part in normals]
    size = np.abs(np.array(normal))
    largest = np.take_along_axis(np.array(normal), np.argmax(size, axis=0)[None], axis=0)[0]
    facing = np.where(largest > 0, 1.0, -1.0)
    origin = [part[slices] for part in sheet.planes.origin]
    between = [part[others] - start for part, start in zip(centres, origin, strict=True)]
    row, column = ([part[others] for part in axis] for axis in sheet.planes[1:])
    across = dot3(row, normal), dot3(column, normal)
    uu, uv, _, vv, _, _ = heads.covariance[:, others]
    unit = np.sqrt(quadratic2((uu, uv, vv), across))
    return 0.0 - facing * dot3(between, normal), unit


def _joint_spheres(sheet: Sheet, heads: Heads, a: Places, b: Places) -> tuple[Array, Array]:
    """(P,) residuals of the spheres through the points of both circles, and their roundness."""
    used = heads.used
    points = np.concatenate([_in_patient(sheet, used.points[:, :, one], one) for one in (a, b)], 1)
    keep = np.concatenate([used.keep[:, one] for one in (a, b)]) > 0
    order = np.argsort(~keep, axis=0, kind="stable")
    number = keep.sum(axis=0)
    longest = int(number.max(initial=1))
    order = order[:longest]
    weight = (np.arange(longest)[:, None] < number).astype(float)
    packed = np.take_along_axis(points, order[None], axis=1) * weight
    balls = fit_balls(packed, number.astype(float), weight)
    return balls.rss_mm2, balls.roundness


def _in_patient(sheet: Sheet, points: Array, views: Places) -> Array:
    """(3, N, P) patient mm of (2, N, P) points of some views."""
    planes = PlaneColumns(
        *(tuple(part[views] for part in axis) for axis in sheet.planes)  # type: ignore[arg-type]
    )
    return np.array(in_patient(points, planes))


def _p_values(rss: Array, heads: Heads, a: Places, b: Places) -> Array:
    from scipy.special import fdtrc

    count = heads.count[a] + heads.count[b]
    freedom, apart = count - 6, heads.rss[a] + heads.rss[b]
    ratio = np.maximum(0.0, (rss - apart) / 2) / (apart / freedom)
    none = (freedom < 1) | (apart < 1e-12 * count)
    return np.where(none, np.nan, fdtrc(2, freedom, ratio))
