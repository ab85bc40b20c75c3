"""The error budget of an angle: rim, shape of the head, arc ends and slice, for many hips at once.

``V(angle) = V(rim) + V(shape) + V(ends) + V(slice)``; in A + B what both views share is kept.

- *rim*: data. Residuals of the rim marks, with their correlation along the rim.
- *shape*: a prior, corrected by the residuals (:mod:`.rim_shape`): no head is quite round.
- *ends*: spread and habit of the reader. Data where the study knows its readers, else a prior with
  few degrees of freedom (:class:`necroangle.protocol.noise.EndNoise`).
- *slice*: the distance of the slice from the head's centre is data. The slope of the angle along it
  is a prior of the lesion's tilt, corrected where neighbouring slices are marked.

``V(marking) = V(rim) + the ends' spread``: what a second marking of the same slices would show.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry.arc import each
from necroangle.geometry.sphere import Spheres
from necroangle.geometry.vectors import dot3, quadratic3
from necroangle.measurement.angles import ViewAngles
from necroangle.measurement.grades import stored
from necroangle.measurement.heads import Judges
from necroangle.measurement.marks import PlaneColumns, ReadingBatch
from necroangle.measurement.method import Settings
from necroangle.measurement.rim_shape import RimErrors, Rims, rim_errors
from necroangle.measurement.slices import measured_slope
from necroangle.measurement.stack_heads import Stacks
from necroangle.measurement.uncertainty import Estimates, Noise
from necroangle.protocol.pair_error import (
    RADIUS_MM,
    STEP_MM,
    TILT_SQUARED,
    slope_per_mm,
)

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Bools = NDArray[np.bool_]

_DEG = 180.0 / math.pi
_LEAST_DOF = 4.0
_ONE_SIDED_95 = 1.6448536269514722

JointCentres = tuple[Spheres, Places]
"""Spheres whose centres are used, and (R,) which is whose: -1 for none."""

Centres = JointCentres | Stacks
"""Centres of the hips, or of the views."""


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """The errors of V views and R hips, with the parts that they are made of.

    Attributes
    ----------
    views, cna
        The angles and the combined angles, with their errors, degrees.
    rim, shape, ends, bias, slices
        (V,) variances of the views' angles, radians²: of the rim, of the head's shape, of the arc
        ends from one mark to the next, of the reader's habit, and of the slice.
    rim_middle_deg
        (V,) direction of the middle of the rim in the plane, from +u towards +v; NaN without one.
    """

    views: Estimates
    cna: Estimates
    rim: Array
    shape: Array
    ends: Array
    bias: Array
    slices: Array
    rim_middle_deg: Array


def budget_of(
    batch: ReadingBatch,
    judges: Judges,
    angles: ViewAngles,
    centres: Centres | None,
    stacks: Stacks,
    noise: Noise,
    settings: Settings,
) -> Budget:
    """The errors of what was measured.

    Parameters
    ----------
    centres
        The centres that the angles are about; None for those of the views' own circles.
    noise
        (R,) click noise of the rims.
    """
    hip = batch.hip
    rims, flat_plane = _rims(batch, angles, settings)
    pull = _pull(angles)
    scale = np.where(batch.flat, rims.radius_mm / RADIUS_MM, 1.0)
    coupled = (batch.view_of >= 0).all(axis=0) & ~batch.flat_hip
    coupled[hip[(rims.count == 0) | flat_plane]] = False
    errors = rim_errors(rims, pull, hip, coupled, settings.rim_sd_mm * scale)
    rim = _rim(errors, angles, centres, hip, noise)
    sd, habit, dof = _reader_noise(batch, settings)
    spread = sd[hip] * scale
    ends = spread * spread * angles.angles.ends
    lever = habit[hip] * scale * angles.angles.outward
    slices = _slices(batch, judges, angles, rims.radius_mm, stacks, noise, spread)
    freedom = _by_hip(errors.freedom, batch)
    parts = _Parts(rim, errors.shape, ends, lever, slices)
    missed = _overlooked(batch, judges, stacks, angles, rims.radius_mm, noise, spread)
    value = stored(angles.angles.angle_deg)
    views = parts.estimates(value, freedom[hip], dof[hip], missed, (0.0, 360.0))
    both = parts.summed(
        batch, errors.shared, _rim_of_sums(batch, rim, errors, angles, centres, noise)
    )
    total = stored(_by_hip(value, batch))
    overlooked = np.sqrt(_by_hip(missed * missed, batch))
    cna = both.estimates(total, freedom, dof, overlooked, (0.0, 720.0))
    return Budget(
        views, cna, rim, errors.shape, ends, lever * lever, slices, _middles(errors, rims)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """(K,) parts of the variance, radians²; the reader's habit as a lever, radians."""

    rim: Array
    shape: Array
    ends: Array
    lever: Array
    slices: Array

    def summed(self, batch: ReadingBatch, shared: Array, rim: Array) -> "_Parts":
        """(R,) the parts of A + B; habits add before they are squared."""
        shape = _by_hip(self.shape, batch) + 2 * shared
        ends, lever, slices = (_by_hip(one, batch) for one in (self.ends, self.lever, self.slices))
        return _Parts(rim, shape, ends, lever, slices)

    def estimates(
        self,
        value_deg: Array,
        freedom: Array,
        end_dof: Array,
        overlooked_deg: Array,
        limits: tuple[float, float],
    ) -> Estimates:
        """The values with their errors; degrees of freedom by Welch and Satterthwaite."""
        held = self.rim + self.shape
        marked = self.ends + self.lever * self.lever
        total = held + marked + self.slices
        with np.errstate(all="ignore"):
            share = held * held / np.maximum(freedom / 2, _LEAST_DOF) + marked * marked / end_dof
            dof = np.where(share > 1e-12 * total * total, total * total / share, math.inf)
        known = total > 0
        return Estimates(
            value=value_deg,
            se=np.where(known, np.sqrt(np.where(known, total, 0.0)) * _DEG, 0.0),
            dof=np.where(known, dof, math.inf),
            marking=np.where(known, np.sqrt(np.maximum(self.rim + self.ends, 0.0)) * _DEG, 0.0),
            overlooked=overlooked_deg,
            limits=limits,
        )


def _by_hip(values: Array, batch: ReadingBatch) -> Array:
    """(R,) sums of (V,) values over the views of each hip."""
    return np.asarray(np.bincount(batch.hip, values, batch.size), np.float64)


def _rims(batch: ReadingBatch, angles: ViewAngles, settings: Settings) -> tuple[Rims, Bools]:
    """The rims behind the angles; and whether a plane has no direction towards superior."""
    runs = angles.rims
    assert runs is not None  # noqa: S101
    superior, lying = _superior(runs.planes, batch.flat)
    prior = settings.radius_prior
    given = math.pow(settings.rim_sd_mm / prior.sd_mm, 2) if prior else 0.0
    weight = np.where(batch.views.calibrated, given, 0.0)
    rims = Rims(
        *(runs.points, runs.start, runs.count, runs.centre_mm, runs.radius_mm), superior, weight
    )
    return rims, lying


def _superior(planes: PlaneColumns, flat: Bools) -> tuple[Array, Bools]:
    """(2, V) unit vectors towards superior in the planes: up in the image of a radiograph."""
    u, v = planes.row[2] + 0.0, planes.column[2] + 0.0
    length = np.sqrt(u * u + v * v)
    lying = ~(length > 1e-3)
    nowhere = lying | flat
    size = np.where(nowhere, 1.0, length)
    return np.array((np.where(nowhere, 0.0, u / size), np.where(nowhere, -1.0, v / size))), lying


def _pull(angles: ViewAngles) -> Array:
    """(2, V) derivatives of the angles by their circles' centres, radians per mm."""
    assert angles.rims is not None  # noqa: S101
    gradient, planes = list(angles.gradient), angles.rims.planes
    return np.array((dot3(planes.row, gradient), dot3(planes.column, gradient)))


def _reader_noise(batch: ReadingBatch, settings: Settings) -> tuple[Array, Array, Array]:
    """(R,) spread, habit and degrees of freedom of who read."""
    numbers = {
        name: (one.sd_mm, one.bias_mm, one.dof)
        for name in set(batch.hips.reader)
        for one in (settings.noise_of(name),)
    }
    columns = np.array([numbers[name] for name in batch.hips.reader], float).reshape(-1, 3).T
    sd, habit, dof = columns
    return sd, habit, dof


def _rim(
    errors: RimErrors, angles: ViewAngles, centres: Centres | None, hip: Places, noise: Noise
) -> Array:
    """(V,) variance of each angle by the rim's noise."""
    if centres is None:
        return errors.rim
    if isinstance(centres, Stacks):
        return centres.of_views(angles.gradient, errors.inflation)
    spheres, place = centres
    factor = _about_centre(spheres, place[hip], angles.gradient)
    return np.where(place[hip] >= 0, noise.variance[hip] * errors.inflation * factor, 0.0)


def _rim_of_sums(
    batch: ReadingBatch,
    rim: Array,
    errors: RimErrors,
    angles: ViewAngles,
    centres: Centres | None,
    noise: Noise,
) -> Array:
    """(R,) the same of A + B. About one centre the views' gradients add before they are squared."""
    if centres is None:
        return _by_hip(rim, batch)
    if isinstance(centres, Stacks):
        return centres.of_sums(batch, angles.gradient, errors.inflation)
    spheres, place = centres
    gradient = np.array([_by_hip(part, batch) for part in angles.gradient])
    inflation = np.ones(batch.size)
    np.maximum.at(inflation, batch.hip, errors.inflation)
    factor = _about_centre(spheres, place, gradient)
    return np.where(place >= 0, noise.variance * inflation * factor, 0.0)


def _about_centre(spheres: Spheres, place: Places, gradient: Array) -> Array:
    """``gᵀ M g`` of gradients by the centres of some spheres."""
    if not len(spheres.count):
        return np.zeros(len(place))
    xx, xy, xz, _, yy, yz, _, zz, _, _ = spheres.covariance[:, place]
    return quadratic3((xx, xy, xz, yy, yz, zz), list(gradient))


def _slices(
    batch: ReadingBatch,
    judges: Judges,
    angles: ViewAngles,
    radius_mm: Array,
    stacks: Stacks,
    noise: Noise,
    spread: Array,
) -> Array:
    """(V,) variance of each angle by where its slice lies, radians²."""
    if not angles.on_own_slice:
        return np.zeros(len(batch.own))
    arcs = angles.arcs
    prior = each(slope_per_mm, np.abs(arcs.extent_deg), radius_mm[arcs.circle])
    square = np.bincount(arcs.circle, prior * prior, len(batch.own)) * _tilt_squared(batch)
    for view in np.flatnonzero(batch.has_neighbours & (square > 0)).tolist():
        found = measured_slope(stacks.slices.get(view))
        if found is not None:
            slope, weight = found
            error = spread[view] ** 2 * angles.angles.ends[view] / weight
            share = square[view] / (square[view] + error)
            square[view] = (share * slope) ** 2 + share * error
    where = _distance_squared(batch, judges, stacks, noise)
    return np.where(batch.flat, 0.0, square * where)


def _tilt_squared(batch: ReadingBatch) -> Array:
    """(V,) mean square of the tangent of a lesion's tilt out of the views' slices."""
    return np.array(TILT_SQUARED)[batch.side]


def _distance_squared(batch: ReadingBatch, judges: Judges, stacks: Stacks, noise: Noise) -> Array:
    """(V,) mean square of the slice's distance from the head's centre, mm²."""
    step = np.array(batch.views.step_mm, float)
    found = np.where(np.isnan(step), STEP_MM, step) ** 2 / 12.0
    for side, offset, unit in (
        (0, judges.a_offset, judges.a_unit),
        (1, judges.b_offset, judges.b_unit),
    ):
        found[batch.view_of[side, judges.hip]] = (
            offset * offset + noise.variance[judges.hip] * unit * unit
        )
    views, square = stacks.distance_squared(batch)
    found[views] = square
    return found


def _overlooked(
    batch: ReadingBatch,
    judges: Judges,
    stacks: Stacks,
    angles: ViewAngles,
    radius_mm: Array,
    noise: Noise,
    spread: Array,
) -> Array:
    """(V,) what may be necrotic at the head's centre where the slice shows nothing, degrees.

    One-sided at 95 %: the largest cap, tilted as lesions are, that the slice just fails to show;
    at least an arc too short to be marked. 0 where an arc is marked.
    """
    found = np.zeros(len(batch.own))
    some = np.flatnonzero(angles.angles.angle_deg == 0)
    if not len(some):
        return found
    size = np.bincount(batch.hip, radius_mm, batch.size) / np.maximum(
        np.bincount(batch.hip, radius_mm > 0, batch.size), 1
    )
    radius = np.where(radius_mm > 0, radius_mm, size[batch.hip])[some]
    radius = np.where(radius > 0, radius, RADIUS_MM)
    where = np.where(batch.flat, 0.0, _distance_squared(batch, judges, stacks, noise))[some]
    seen = np.sqrt(np.maximum(radius * radius - where, 0.0))
    chord = seen - _ONE_SIDED_95 * np.sqrt(_tilt_squared(batch)[some] * where)
    hidden = 2 * each(math.acos, np.clip(chord / radius, -1.0, 1.0))
    shortest = _ONE_SIDED_95 * math.sqrt(2.0) * spread[some] / radius
    found[some] = np.maximum(hidden, shortest) * _DEG
    return found


def _middles(errors: RimErrors, rims: Rims) -> Array:
    """(V,) direction of the middle of each rim."""
    (u, v), (last_u, last_v) = errors.ends
    first, last = each(math.atan2, v, u) * _DEG, each(math.atan2, last_v, last_u) * _DEG
    return np.where(rims.count > 0, first + ((last - first) % 360.0) / 2, np.nan)
