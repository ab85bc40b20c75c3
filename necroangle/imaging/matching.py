"""Two pictures of one thing laid on each other within the plane, and how sure their place is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

GRID_MM = 0.6
"""Both pictures lie on one grid of this step, about the places that were marked on them."""

LARGEST_TURN_DEG = 20.0
"""A turn is looked for up to this, either way."""

_SLACK_MM = 0.25
"""Edges lie this much elsewhere in another slice: a residual there says less."""

_NOISE_MM = 3.0
"""How far residuals are correlated."""

_STEPS_MM = (-1.5, 0.0, 1.5)
_TURN_STEP_DEG = 2.0
"""A match is found from twice as far away."""
_MOST_ROUNDS, _STARTS = 25, 3
_LEAST_STEP = 2e-4

_LEAST_PLACES = 100
"""Fewer places of the grid hold no motion."""

Place = tuple[float, float, float]
"""Turn in radians, u and v in mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of both pictures, (M, M) each, M odd, the marked places in the middle.

    Attributes
    ----------
    prior, today
        Grey values.
    prior_weight, today_weight
        0 to 1: what of them counts.
    is_lit
        Whether the gain still varies along the picture.
    """

    prior: Array
    today: Array
    prior_weight: Array
    today_weight: Array
    is_lit: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """A match.

    Attributes
    ----------
    place
        Turn of the earlier picture from +u towards +v, radians, and its shift, mm.
    errors
        Standard errors of what was free.
    match
        Correlation of the two pictures there.
    """

    place: Place
    errors: tuple[float, ...]
    match: float

    @property
    def turn_deg(self) -> float:
        """The turn, degrees."""
        return math.degrees(self.place[0])

    @property
    def turn_se_deg(self) -> float:
        """Its standard error, where it was free."""
        return math.degrees(self.errors[0])


class _Matcher:
    """A part's values at any place: of today's picture, and of the earlier one moved there."""

    def __init__(self, part: Part, step: int = 1) -> None:
        from scipy.ndimage import spline_filter

        self.part = part
        middle = len(part.today) // 2
        every = slice(middle % step, None, step)
        numbers = np.arange(len(part.today))[every] - middle
        v, u = np.meshgrid(numbers * GRID_MM, numbers * GRID_MM, indexing="ij")
        weight = part.today_weight[every, every]
        self.chosen = weight > 1e-2
        self.u, self.v, self._middle = u[self.chosen], v[self.chosen], middle
        self.weight = weight[self.chosen]
        self.today = part.today[every, every][self.chosen]
        self._spline = spline_filter(part.prior, order=3)
        slopes = np.gradient(part.prior, GRID_MM)
        self._steepness: Array = np.hypot(*slopes)
        self._slope_v: Array = np.asarray(slopes[0])
        self._slope_u: Array = np.asarray(slopes[1])
        self.light = self._lights()

    def moved(self, place: Place) -> tuple[Array, Array, Array, Array]:
        """Weight, grey value and slopes along u and v of the earlier picture, moved to a place."""
        from scipy.ndimage import map_coordinates

        at = self._before(place)
        weight, slope_u, slope_v = (
            map_coordinates(one, at, order=1, mode="constant")
            for one in (self.part.prior_weight, self._slope_u, self._slope_v)
        )
        grey = map_coordinates(self._spline, at, order=3, mode="nearest", prefilter=False)
        return self.weight * weight, grey, slope_u, slope_v

    def unlike(self, place: Place) -> float:
        """Weighted mean square of the residuals at a place, quickly; the noise is as known."""
        from scipy.ndimage import map_coordinates

        at = self._before(place)
        weight, grey, steepness = (
            map_coordinates(one, at, order=1, mode="constant")
            for one in (self.part.prior_weight, self.part.prior, self._steepness)
        )
        noise = 0.02 if self.part.is_lit else 0.3
        weight = self.weight * weight / (noise**2 + (_SLACK_MM * steepness) ** 2)
        residual = _residual(self.basis(grey), self.today, weight)[0]
        return float(np.sum(weight * residual**2) / max(float(weight.sum()), 1e-12))

    def _before(self, place: Place) -> Array:
        """(2, N) where in the earlier picture today's places lie, grid steps down and along."""
        cosine, sine = math.cos(place[0]), math.sin(place[0])
        x, y = self.u - place[1], self.v - place[2]
        return np.array((cosine * y - sine * x, cosine * x + sine * y)) / GRID_MM + self._middle

    def basis(self, grey: Array) -> Array:
        """(N, k) what today's grey values are a sum of, but for the motion."""
        if self.part.is_lit:
            return self.light * grey[:, None]
        return np.column_stack((grey, np.ones(len(grey))))

    def _lights(self) -> Array:
        largest = max(float(np.abs(self.u).max(initial=1.0)), 1.0)
        return np.column_stack((np.ones(len(self.u)), self.u / largest, self.v / largest))

    def slopes(self, place: Place, slope_u: Array, slope_v: Array) -> Array:
        """(N, 3) how the moved grey value changes with turn, u and v."""
        cosine, sine = math.cos(place[0]), math.sin(place[0])
        x, y = self.u - place[1], self.v - place[2]
        turn = slope_u * (cosine * y - sine * x) - slope_v * (cosine * x + sine * y)
        return np.column_stack(
            (turn, sine * slope_v - cosine * slope_u, -sine * slope_u - cosine * slope_v)
        )


def _residual(basis: Array, values: Array, weight: Array) -> tuple[Array, Array]:
    weighted = (basis * weight[:, None]).T
    found = np.linalg.lstsq(weighted @ basis, weighted @ values, rcond=None)[0]
    return np.asarray(values - basis @ found), np.asarray(found)


def best_shift(part: Part) -> tuple[float, float]:
    """Where the earlier rim lies from today's marked centre, mm: (u, v)."""
    matcher = _Matcher(part, step=2)
    u, v = min(
        ((u, v) for u in _STEPS_MM for v in _STEPS_MM), key=lambda at: matcher.unlike((0.0, *at))
    )
    found = refined(part, (0.0, u, v), free=(1, 2))
    return (u, v) if found is None else found.place[1:]


def fit_turn(part: Part, shift: tuple[float, float], near: float | None = None) -> Fit | None:
    """The best match over all turns, from several starts; None where none holds.

    Parameters
    ----------
    near
        A turn to start from beside the best ones, degrees.
    """
    matcher = _Matcher(part, step=2)
    turns = np.arange(-LARGEST_TURN_DEG, LARGEST_TURN_DEG + 0.1, _TURN_STEP_DEG)
    tried = sorted(
        (matcher.unlike((math.radians(turn), shift[0] + u, shift[1] + v)), turn, u, v)
        for turn in turns.tolist()
        for u in (-1.0, 0.0, 1.0)
        for v in (-1.0, 0.0, 1.0)
    )
    starts: list[tuple[float, float, float]] = [] if near is None else [(near, 0.0, 0.0)]
    for _, turn, u, v in tried:
        if all(abs(turn - other[0]) > 2.5 for other in starts):
            starts.append((turn, u, v))
        if len(starts) == _STARTS:
            break
    found = [
        refined(part, (math.radians(turn), shift[0] + u, shift[1] + v)) for turn, u, v in starts
    ]
    kept = [
        one
        for one in found
        if one is not None
        and abs(one.turn_deg) <= LARGEST_TURN_DEG
        and math.dist(one.place[1:], shift) < 4.0
    ]
    return max(kept, key=lambda one: one.match, default=None)


def refined(part: Part, start: Place, free: tuple[int, ...] = (0, 1, 2)) -> Fit | None:
    """The match near a place, with its errors; None where nothing holds it.

    Gauss and Newton's steps, with weights that outliers and edges lose.

    Parameters
    ----------
    part
        What is matched.
    start
        Where to begin.
    free
        Which of turn, u and v may change.
    """
    matcher, place = _Matcher(part), start
    limits, count = np.array((0.05, 0.7, 0.7))[list(free)], len(free)
    found = _equations(matcher, place, free, 0.0)
    for _ in range(_MOST_ROUNDS):
        if found is None:
            return None
        step = np.clip(found.step()[:count], -limits, limits)
        moved = list(place)
        for at, one in zip(free, step.tolist(), strict=True):
            moved[at] += one
        place = (moved[0], moved[1], moved[2])
        found = _equations(matcher, place, free, found.spread)
        if float(np.abs(step).max()) < _LEAST_STEP:
            break
    if found is None:
        return None
    covariance = found.covariance(matcher)[:count, :count]
    errors = tuple(math.sqrt(max(one, 0.0)) for one in np.diag(covariance).tolist())
    if not all(map(math.isfinite, (*place, *errors))):
        return None
    return Fit(place, errors, found.match)


@dataclass(frozen=True, slots=True, eq=False)
class _Equations:
    """The least squares at one place.

    Attributes
    ----------
    along
        (N, k) how each residual changes with what is free and with the gains.
    weight, residual
        (N,) each.
    inverse
        (k, k) of the weighted normal matrix.
    spread
        Of the residuals, robust.
    match
        Correlation of the two pictures.
    """

    along: Array
    weight: Array
    residual: Array
    inverse: Array
    spread: float
    match: float

    def step(self) -> Array:
        """(k,) what brings the residuals down."""
        return np.asarray(self.inverse @ (self.along.T @ (self.weight * self.residual)))

    def covariance(self, matcher: "_Matcher") -> Array:
        """(k, k) from the residuals as they are: neighbours are correlated."""
        scores = self.along * (self.weight * self.residual)[:, None]
        return np.asarray(self.inverse @ _scatter(matcher, scores) @ self.inverse)


def _equations(
    matcher: "_Matcher", place: Place, free: tuple[int, ...], spread: float
) -> _Equations | None:
    """The least squares at a place; None where too little is left, or nothing tells."""
    weight, grey, slope_u, slope_v = matcher.moved(place)
    basis, inside = matcher.basis(grey), weight > 0.5
    if inside.sum() < _LEAST_PLACES:
        return None
    if not spread:
        spread = _spread(_residual(basis, matcher.today, weight)[0][inside])
    noise = spread**2 + (_SLACK_MM * np.hypot(slope_u, slope_v)) ** 2
    residual, _ = _residual(basis, matcher.today, weight / noise)
    steady = weight / noise / (1.0 + residual**2 / (9.0 * noise))
    residual, gains = _residual(basis, matcher.today, steady)
    gain = matcher.light @ gains if matcher.part.is_lit else np.full(len(grey), gains[0])
    moves = matcher.slopes(place, slope_u, slope_v)[:, list(free)] * gain[:, None]
    along = np.hstack((moves, basis))
    try:
        inverse = np.asarray(np.linalg.inv((along * steady[:, None]).T @ along), float)
    except np.linalg.LinAlgError:
        return None
    match = _correlation(grey, matcher.today / np.where(gain == 0.0, 1.0, gain), steady)
    return _Equations(along, steady, residual, inverse, _spread(residual[inside]), match)


def _spread(residual: Array) -> float:
    return max(1.4826 * float(np.median(np.abs(residual))), 1e-4)


def _correlation(first: Array, second: Array, weight: Array) -> float:
    first = first - np.average(first, weights=weight)
    second = second - np.average(second, weights=weight)
    size = math.sqrt(float(np.sum(weight * first**2)) * float(np.sum(weight * second**2)))
    return float(np.sum(weight * first * second)) / size if size > 0 else 0.0


def _scatter(matcher: _Matcher, scores: Array) -> Array:
    """(k, k) covariance of the summed scores, whose neighbours are correlated."""
    from scipy.ndimage import gaussian_filter

    reach = _NOISE_MM / GRID_MM
    maps = np.zeros((scores.shape[1], *matcher.chosen.shape))
    maps[:, matcher.chosen] = scores.T
    near = np.array([gaussian_filter(one, reach, truncate=3.0) for one in maps])
    found = maps.reshape(len(maps), -1) @ near.reshape(len(maps), -1).T
    return np.asarray((found + found.T) * (math.pi * reach**2))
