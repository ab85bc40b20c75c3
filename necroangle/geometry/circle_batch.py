"""Many head circles at once: the same two estimators over the rows of one array.

Each row is one rim. Rows are worked on in blocks that fit the processor's cache, turned so that
the rims of a block lie side by side in memory: every sum over the marks then runs along them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CircleBatch", "fit_circles", "hyper_circles"]

Rows = NDArray[np.float64]
Block = Callable[[Rows, Rows], tuple[Rows, Rows, Rows]]

BLOCK_ROWS = 2048
_NEWTON_STEPS = 12
_MAX_STEPS = 60
_STEP_MM = 1e-9
_ROUNDING = 1e-12
_ROUNDING_MM2 = 1e-24
"""An objective that grows by no more than its own rounding has not grown: the step is sound."""


@dataclass(frozen=True, slots=True, eq=False)
class CircleBatch:
    """Circles of many rims.

    Attributes
    ----------
    centres_mm
        (K, 2) plane mm; not a number where a rim gives no circle.
    radii_mm
        (K,) mm; likewise.
    valid
        (K,) whether the rim gave a circle.
    """

    centres_mm: Rows
    radii_mm: Rows
    valid: NDArray[np.bool_]


def hyper_circles(rims_mm: Rows) -> CircleBatch:
    """HyperLS circle of each rim: algebraic, without essential bias, and no iteration on points.

    Parameters
    ----------
    rims_mm
        (K, N, 2) plane mm: K rims of N marks each, N >= 3.

    References
    ----------
    A. Al-Sharadqah and N. Chernov, Electron. J. Statist. 3 (2009) 886, doi 10.1214/09-EJS419.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 220, 20))
    >>> rim = np.column_stack((10 + 24 * np.cos(turn), 5 + 24 * np.sin(turn)))
    >>> batch = hyper_circles(np.stack((rim, np.zeros_like(rim))))
    >>> batch.valid.tolist(), batch.centres_mm[0].round(6).tolist()
    ([True, False], [10.0, 5.0])
    """
    return _in_blocks(rims_mm, _hyper_block)


def fit_circles(rims_mm: Rows) -> CircleBatch:
    """Geometric least-squares circle of each rim, started from HyperLS.

    The same minimum as :func:`necroangle.geometry.fit_circle` finds for one rim.

    Parameters
    ----------
    rims_mm
        (K, N, 2) plane mm: K rims of N marks each, N >= 3.

    Examples
    --------
    >>> turn = np.radians(np.arange(0, 220, 20))
    >>> rim = np.column_stack((10 + 24 * np.cos(turn), 5 + 24 * np.sin(turn)))
    >>> fit_circles(rim[None]).radii_mm.round(6).tolist()
    [24.0]
    """
    return _in_blocks(rims_mm, _geometric_block)


def _in_blocks(rims_mm: Rows, fit: Block) -> CircleBatch:
    rims = np.asarray(rims_mm, float)
    count = len(rims)
    found = np.empty((3, count))
    for first in range(0, count, BLOCK_ROWS):
        block = slice(first, min(first + BLOCK_ROWS, count))
        x, y = np.ascontiguousarray(rims[block].transpose(2, 1, 0))
        middle_x, middle_y = x.mean(axis=0), y.mean(axis=0)
        x -= middle_x
        y -= middle_y
        with np.errstate(all="ignore"):  # such a rim is told as not valid
            a, b, radius = fit(x, y)
        found[:, block] = a + middle_x, b + middle_y, radius
    valid = np.asarray(np.isfinite(found).all(axis=0))
    found[:, ~valid] = np.nan
    return CircleBatch(found[:2].T, found[2], valid)


def _hyper_block(x: Rows, y: Rows) -> tuple[Rows, Rows, Rows]:
    """Centre and radius of (N, K) marks about their means, one rim a column."""
    n = x.shape[0]
    z = x * x + y * y

    def mean(p: Rows, q: Rows) -> Rows:
        return np.asarray(np.einsum("ij,ij->j", p, q) / n)

    mxx, myy, mxy = mean(x, x), mean(y, y), mean(x, y)
    mxz, myz, mzz = mean(x, z), mean(y, z), mean(z, z)
    mz = mxx + myy
    cov, var = mxx * myy - mxy * mxy, mzz - mz * mz
    flat = ~(cov > 1e-12 * mz * mz)
    a1 = var * mz + 4 * cov * mz - mxz * mxz - myz * myz
    a0 = mxz * (mxz * myy - myz * mxy) + myz * (myz * mxx - mxz * mxy) - var * cov
    a2 = 4 * cov - 3 * mz * mz - mzz
    t = np.zeros_like(mz)
    for _ in range(_NEWTON_STEPS):
        step = (a0 + t * (a1 + t * (a2 + 4 * t * t))) / (a1 + t * (2 * a2 + 16 * t * t))
        t = t - step
        if not np.any(np.abs(step) > 1e-14 * mz):
            break
    det = 2 * (t * t - t * mz + cov)
    det[flat] = np.nan
    a = (mxz * (myy - t) - myz * mxy) / det
    b = (myz * (mxx - t) - mxz * mxy) / det
    return a, b, np.sqrt(a * a + b * b + mz - 2 * t)


def _geometric_block(x: Rows, y: Rows) -> tuple[Rows, Rows, Rows]:
    a, b, radius = _hyper_block(x, y)
    rows = np.flatnonzero(np.isfinite(a))
    damping = np.full(len(rows), 1e-4)
    state = _State.at(x[:, rows], y[:, rows], a[rows], b[rows])
    for _ in range(_MAX_STEPS):
        if not len(rows):
            break
        step_a, step_b = state.step(damping)
        moved = _State.at(state.x, state.y, state.a + step_a, state.b + step_b)
        better = ~(moved.objective > state.objective * (1.0 + _ROUNDING) + _ROUNDING_MM2)
        damping = np.where(better, damping * 0.1, damping * 10.0)
        state.take(moved, better)
        open_ = (np.hypot(step_a, step_b) > _STEP_MM) & (damping < 1e8)
        if not open_.all():
            a[rows], b[rows], radius[rows] = state.a, state.b, state.radius
            rows, damping, state = rows[open_], damping[open_], state.at_rows(open_)
    a[rows], b[rows], radius[rows] = state.a, state.b, state.radius
    return a, b, radius


@dataclass(slots=True, eq=False)
class _State:
    """Where each rim's search stands, with the sums that its next step needs."""

    x: Rows
    y: Rows
    a: Rows
    b: Rows
    radius: Rows
    objective: Rows
    sums: tuple[Rows, Rows, Rows, Rows, Rows]

    @classmethod
    def at(cls, x: Rows, y: Rows, a: Rows, b: Rows) -> "_State":
        n = x.shape[0]
        dx, dy = x - a, y - b
        r = np.sqrt(dx * dx + dy * dy)
        radius = r.mean(axis=0)
        gap_x, gap_y = dx.sum(axis=0), dy.sum(axis=0)
        dx /= r
        dy /= r
        mean_u, mean_v = dx.mean(axis=0), dy.mean(axis=0)
        uu = np.einsum("ij,ij->j", dx, dx) - n * mean_u * mean_u
        uv = np.einsum("ij,ij->j", dx, dy) - n * mean_u * mean_v
        pull_a, pull_b = gap_x - n * mean_u * radius, gap_y - n * mean_v * radius
        vv = (n - n * (mean_u * mean_u + mean_v * mean_v)) - uu
        r -= radius
        objective = np.einsum("ij,ij->j", r, r)
        return cls(x, y, a, b, radius, objective, (uu, uv, vv, pull_a, pull_b))

    def step(self, damping: Rows) -> tuple[Rows, Rows]:
        uu, uv, vv, pull_a, pull_b = self.sums
        uu, vv = uu + damping, vv + damping
        det = uu * vv - uv * uv
        return (vv * pull_a - uv * pull_b) / det, (uu * pull_b - uv * pull_a) / det

    def take(self, other: "_State", chosen: NDArray[np.bool_]) -> None:
        for name in ("a", "b", "radius", "objective"):
            np.copyto(getattr(self, name), getattr(other, name), where=chosen)
        for mine, theirs in zip(self.sums, other.sums, strict=True):
            np.copyto(mine, theirs, where=chosen)

    def at_rows(self, chosen: NDArray[np.bool_]) -> "_State":
        return _State(
            self.x[:, chosen],
            self.y[:, chosen],
            self.a[chosen],
            self.b[chosen],
            self.radius[chosen],
            self.objective[chosen],
            tuple(part[chosen] for part in self.sums),  # type: ignore[arg-type]
        )
