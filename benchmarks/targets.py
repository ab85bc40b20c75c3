"""The accuracy targets, each measured as a ratio or a share, by simulation with fixed seeds."""

import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from estimators import EACH, RADIUS_MM, exact_scipy_centre, fitted_centres, make_rims
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from doubtinghand import Case, read_hips

from necroangle.errors import NecroangleError
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.measurement import Settings
from necroangle.measurement.measuring import measure_batch
from necroangle.protocol.noise import EndNoise
from necroangle.selftest import Clicks, dome_pressed_in, round_hip, simulate
from necroangle.terms import ArcoStage

__all__ = ["Effort", "Target", "all_targets"]

Array = NDArray[np.float64]
SEED = 7


@dataclass(frozen=True)
class Effort:
    """How many repetitions: rims for a circle, readings for an angle, calls of a library."""

    rims: int
    readings: int
    calls: int


@dataclass(frozen=True)
class Target:
    """One target and what was found.

    Attributes
    ----------
    name, what
        Its short name, and what is measured where.
    found, limit
        For people.
    passed
        Whether every figure keeps the limit.
    """

    name: str
    what: str
    found: str
    limit: str
    passed: bool


def all_targets(effort: Effort, processes: int) -> Iterator[Target]:
    """Every target, one after the other."""
    yield from centre_reaches_bound(effort)
    yield library_is_worse(effort)
    with ProcessPoolExecutor(processes) as pool:
        yield from intervals_keep_promise(effort, pool)
    yield agrees_with_scipy(effort)
    yield from collapse_is_undone(effort)
    yield refuses_what_is_no_circle()


def centre_reaches_bound(effort: Effort) -> Iterator[Target]:
    """G1: root mean square error of the centre along the arc's middle over the bound."""
    cases = (
        ("arc 150° to 300°, 8 to 30 marks, 0.2 and 0.5 mm", (150, 180, 220, 300), (0.2, 0.5), 1.03),
        ("arc 90°, 8 to 30 marks, 0.5 and 1 mm", (90,), (0.5, 1.0), 1.10),
    )
    for what, arcs, noises, limit in cases:
        scores = []
        for seed, (arc, count, noise) in enumerate(product(arcs, (8, 12, 30), noises)):
            rims = make_rims(arc, count, noise, effort.rims, SEED + seed)
            scores.append(rims.score(fitted_centres(rims.points_mm))[0])
        found = f"{min(scores):.3f} to {max(scores):.3f}"
        yield Target(
            "G1", f"centre error / bound: {what}", found, f"<= {limit:.2f}", max(scores) <= limit
        )


def library_is_worse(effort: Effort) -> Target:
    """G2: error of scikit-image's circle over ours, on the same rims."""
    rims = make_rims(90.0, 30, 1.0, effort.calls, SEED)
    each = EACH["scikit-image CircleModel"]
    theirs = rims.score(np.array([each(one) for one in rims.points_mm]))[0]
    ratio = theirs / rims.score(fitted_centres(rims.points_mm))[0]
    what = "CircleModel's centre error / ours: arc 90°, 30 marks, 1 mm"
    return Target("G2", what, f"{ratio:.2f}", ">= 1.5", ratio >= 1.5)


def intervals_keep_promise(effort: Effort, pool: ProcessPoolExecutor) -> Iterator[Target]:
    """G3 and G4: the stated standard error, and the share of 95 % intervals that hold the truth.

    Both are those of ``measure``; the true spread is that of its angles.
    """
    cells = [
        Clicks(float(arc), count, 0.5, end)
        for arc, count, end in product((120, 180, 220, 300), (5, 12, 30), (0.5, 1.0))
    ]
    seeds = range(SEED, SEED + len(cells))
    readings = max(effort.readings, 4000)
    runs = list(pool.map(_simulated, cells, [readings] * len(cells), seeds))
    ratios, shares = ([run[part] for run in runs] for part in (0, 1))
    where = "arcs 120° to 300°, 5 to 30 marks, ends 1 x and 2 x the rim"
    yield Target(
        "G3",
        f"stated error of marking / true: {where}",
        f"{min(ratios):.3f} to {max(ratios):.3f}",
        "0.97 to 1.20",
        all(0.97 <= ratio <= 1.20 for ratio in ratios),
    )
    pooled = float(np.mean(shares))
    lowest = cells[int(np.argmin(shares))]
    found = f"{min(shares):.3f} ({_named(lowest)}) to {max(shares):.3f}, together {pooled:.4f}"
    yield Target(
        "G4",
        f"coverage of the 95 % interval, round heads: {where}",
        found,
        ">= 0.95 less 3 sampling errors",
        min(shares) >= 0.95 - 3 * (0.95 * 0.05 / readings) ** 0.5,
    )


def agrees_with_scipy(effort: Effort) -> Target:
    """G5: our centre beside scipy's, one by one and over arrays, on the same rims."""
    gaps = []
    for seed, (arc, count) in enumerate(product((90, 120, 220, 300), (5, 12, 30))):
        rims = make_rims(arc, count, 0.5, max(effort.calls // 100, 20), SEED + seed).points_mm
        many = fitted_centres(rims)
        for points, centre in zip(rims, many, strict=True):
            one = np.array(fit_circle(PlanePoints(points)).circle.centre_mm)
            reference = exact_scipy_centre(points)
            gaps.append(max(np.abs(one - reference).max(), np.abs(centre - reference).max()))
    worst = float(max(gaps))
    what = "centre beside scipy least_squares: arc 90° to 300°, 5 to 30 marks"
    return Target("G5", what, f"{worst:.1e} mm", "<= 1e-6 mm", worst <= 1e-6)


def collapse_is_undone(effort: Effort) -> Iterator[Target]:
    """G7: bias of one angle with the dome pressed in by 2 mm, with and without the stage said."""
    clicks = Clicks(220.0, 16, 0.5, 0.5)
    for stage, limit in ((ArcoStage.STAGE_3B, 0.2), (None, None)):
        pressed = dome_pressed_in(round_hip(clicks, 120.0, arco=stage), 2.0)
        count = max(effort.readings // 4, 500)
        bias = float(simulate(pressed, 240.0, clicks, count, seed=SEED).errors_deg.mean()) / 2
        said = "sector left out" if limit else "all marks taken (for comparison)"
        what = f"bias of an angle, dome sunk by 2 mm, {said}"
        text = f"below {limit}°" if limit else ""
        yield Target("G7", what, f"{bias:+.2f}°", text, limit is None or abs(bias) < limit)


def refuses_what_is_no_circle() -> Target:
    """G8: what gives no circle is refused with a sentence."""
    short = np.radians(np.linspace(0, 50, 9))
    bad = (
        np.column_stack((np.arange(9.0), 2 * np.arange(9.0))),
        np.ones((9, 2)),
        np.array([[0.0, 0.0], [24.0, 3.0], [24.0, 3.0]]),
        np.array([[0.0, 24.0], [24.0, 0.0]]),
        np.array([[0.0, 24.0], [24.0, 0.0], [np.nan, 1.0]]),
        RADIUS_MM * np.column_stack((np.cos(short), np.sin(short))),
    )
    refused = sum(_is_refused(points) for points in bad)
    what = "refused: on a line, coincident, two marks, not finite, arc of 50°"
    return Target("G8", what, f"{refused} of {len(bad)}", "all", refused == len(bad))


def _is_refused(points: Array) -> bool:
    try:
        fit_circle(PlanePoints(points))
    except NecroangleError:
        return True
    return False


def _named(clicks: Clicks) -> str:
    return f"{clicks.rim_span_deg:g}°, {clicks.rim_count} marks, ends {clicks.end_sd_mm:g} mm"


def _angle_deg(clicks: Clicks) -> float:
    """The necrotic angle of a view that is simulated: less where little of the rim is seen."""
    return min(120.0, clicks.rim_span_deg - 20.0)


def _simulated(clicks: Clicks, readings: int, seed: int) -> tuple[float, float]:
    """Stated error of marking over the true spread, and the share of intervals with the truth."""
    half = _angle_deg(clicks) / 2
    case = Case(
        "round head",
        marks=(clicks.rim_count, clicks.rim_count),
        span_deg=(clicks.rim_span_deg, clicks.rim_span_deg),
        rim_sd_mm=clicks.rim_sd_mm,
        rim_middle_deg=(0.0, 0.0),
        end_sd_mm=clicks.end_sd_mm,
        half_deg=(half, half),
    )
    settings = Settings(EndNoise(clicks.end_sd_mm, 0.0, math.inf, "simulation"))
    (hips,) = read_hips(case, readings, seed)
    found = measure_batch(hips.batch, None, settings, judged=False)
    total = hips.truth_deg.sum(axis=1)
    low, high = found.cna_bounds
    stated = float(np.sqrt(np.mean(found.cna.marking**2)))
    spread = float(np.std(found.cna.value - total, ddof=1))
    return stated / spread, float(np.mean((low <= total) & (total <= high)))
