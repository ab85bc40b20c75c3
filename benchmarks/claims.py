"""What is said of the angle beside what is true, by a hand that shares none of the assumptions.

The readings are those of ``tests/support/doubtinghand.py``. Three tables: how often the 95 %
interval holds the truth, in each row and each mixture, with what three other ways make of the same
marks; what is said of the grade; and how often an unchanged hip is called changed.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from doubtinghand import MIXTURES, ROWS, Case, Hips, read_by_two, read_hips

from necroangle.geometry.circle import fit_circles
from necroangle.geometry.point_sets import PointSets
from necroangle.measurement import DEFAULTS, Measured, method_named
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.row import RowColumns
from necroangle.protocol.noise import EndNoise, StudyNoise
from necroangle.protocol.pair_error import PAIR_COLUMNS, PairRead, pair_error
from necroangle.protocol.repeat_reads import SingleRead, noise_of_repeats

__all__ = ["change_rows", "coverage_rows", "grade_rows", "reader_rows"]

Array = NDArray[np.float64]

PART = 1000
SAMPLING = 2.0
"""A target is missed where a share lies beyond it by more than so many sampling errors."""

KNOWN = EndNoise(1.0, 0.3, 80.0, "repeats")
_HA, _CENTRE = (method_named(name) for name in ("ha_mr_midslice", "centre_plane"))


def coverage_rows(count: int, pool: Executor) -> Iterator[tuple[str, ...]]:
    """Cells of the first table: what, coverage, widths, errors; last whether the target is met."""
    cases = (*ROWS, *MIXTURES)
    for case, found in zip(cases, pool.map(_covered, cases, [count] * len(cases)), strict=True):
        a, b, cna, before, width, narrow, *errors = found
        met = all(
            case.least - _slack(case.least, count) <= one <= case.most + _slack(case.most, count)
            for one in (a, b, cna)
        )
        yield (
            case.name,
            f"{a:.3f} {b:.3f} {cna:.3f}",
            f"{before:.3f}",
            f"{width:.0f} ({width / narrow:.2f})",
            *(f"{one:.1f}" for one in errors),
            "pass" if met and round(width / narrow, 2) <= case.widest else "MISS",
        )


def _slack(share: float, count: int) -> float:
    return float(SAMPLING * np.sqrt(share * (1 - share) / count))


def _covered(case: Case, count: int) -> tuple[float, ...]:
    """Coverage of A, B, CNA; of marking alone; both widths; errors of ours and of three others."""
    within, widths, errors = [], [], []
    for first in range(0, count, PART):
        (hips,) = read_hips(case, min(PART, count - first), 1000 + first)
        found, truth = measure_batch(hips.batch, judged=False), hips.truth_deg
        kept = ~np.isin(np.arange(len(found)), list(found.refused))
        low, high = found.view_bounds
        held = ((low <= truth.ravel()) & (truth.ravel() <= high)).reshape(-1, 2)
        total, reach = truth.sum(axis=1), 1.96 * found.cna.marking
        low, high = found.cna_bounds
        off = found.cna.value - total
        both = (low <= total) & (total <= high)
        within.append(np.array((*held.T, both, abs(off) <= reach))[:, kept])
        widths.append(np.array((high - low, 2 * reach))[:, kept])
        others = _three_points(hips), _cobb(hips), _square(hips)
        errors.append(np.array((off, *(one - total for one in others)))[:, kept])
    shares, wide, off = (np.concatenate(some, axis=1) for some in (within, widths, errors))
    return (*shares.mean(axis=1), *wide.mean(axis=1), *np.sqrt((off**2).mean(axis=1)))


def _rims(hips: Hips, points: Array) -> tuple[PointSets, Array]:
    """The rims of all views, and (2, 2, V) the ends of their arcs."""
    batch = hips.batch
    sets = PointSets.of_runs(points, batch.rim_start[batch.own], batch.rim_count[batch.own])
    return sets, points[:, batch.arc_start[batch.own] + np.arange(2)[:, None]]


def _three_points(hips: Hips) -> Array:
    """(N,) by an angle tool: the head's centre by its first, middle and last mark."""
    sets, ends = _rims(hips, hips.batch.points)
    number = sets.count.astype(int)
    places = np.array((0 * number, number // 2, number - 1))
    (ax, bx, cx), (ay, by, cy) = np.take_along_axis(sets.points, places[None], 1)
    twice = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    sa, sb, sc = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    centre = np.array(
        (
            sa * (by - cy) + sb * (cy - ay) + sc * (ay - by),
            sa * (cx - bx) + sb * (ax - cx) + sc * (bx - ax),
        )
    )
    return _between(ends - (centre / twice)[:, None])


def _cobb(hips: Hips) -> Array:
    """(N,) by a Cobb tool: lines along the rim at both ends of the arc."""
    sets, ends = _rims(hips, hips.batch.points)
    away = sets.points[:, :, None] - ends[:, None]
    far = np.where((sets.keep[:, None] > 0), np.hypot(*away), np.inf)
    nearest = np.argmin(np.where(far > 5.0, far, np.inf), axis=0)
    lines = np.take_along_axis(away, nearest[None, None], 1)[:, 0]
    return 360.0 - _between(lines)


def _square(hips: Hips) -> Array:
    """(N,) with pixels taken as square."""
    sets, ends = _rims(hips, hips.pixels)
    return _between(ends - fit_circles(sets).centre_mm[:, None])


def _between(arms: Array) -> Array:
    """(N,) sums of both views' angles between two arms, each 0 to 180 degrees."""
    cosine = (arms[:, 0] * arms[:, 1]).sum(axis=0) / np.prod(np.hypot(*arms), axis=0)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))).reshape(-1, 2).sum(axis=1))


def grade_rows(count: int, pool: Executor) -> Iterator[tuple[str, ...]]:
    """Of each mixture: what is said of the stated grade less what is true, points, in ten bins."""
    sizes = [min(PART, count - first) for first in range(0, count, PART)]
    for case in MIXTURES:
        parts = list(pool.map(_graded, [case] * len(sizes), sizes, range(len(sizes))))
        said, right = (np.concatenate(some) for some in zip(*parts, strict=True))
        bins = np.minimum((said * 10).astype(int), 9)
        cells, met = [], True
        for one in np.unique(bins).tolist():
            some = bins == one
            share, number = float(right[some].mean()), int(some.sum())
            above = float(said[some].mean()) - share
            met &= above <= 0.03 + _slack(max(share, 1 / number), number)
            cells.append(f"{100 * above:+.1f} ({number})")
        yield case.name, "  ".join(cells), "pass" if met else "MISS"


def _graded(case: Case, count: int, seed: int) -> tuple[Array, Array]:
    (hips,) = read_hips(case, count, 500_000 + seed)
    found = measure_batch(hips.batch, judged=False)
    kept = ~np.isin(np.arange(len(found)), list(found.refused))
    cuts = np.array((200.0, 250.0, 300.0))
    true = np.searchsorted(cuts, hips.truth_deg.sum(axis=1), side="right")
    grade = np.searchsorted(cuts, found.cna.value, side="right")
    return 1 - found.another_grade[kept], (grade == true).astype(float)[kept]


@dataclass(frozen=True)
class Cell:
    """Pairs of readings: how the lesion is tilted, where the slices lie, and what is asked for.

    Attributes
    ----------
    name
        For the table.
    case
        Head, hand and slices.
    most_false
        Limit of the share of unchanged hips that are called changed.
    least_power
        Least share of changes of 25 degrees that are called so, by a reader who is known.
    """

    name: str
    case: Case
    most_false: float
    least_power: float


def _cells() -> Iterator[Cell]:
    hand = replace(MIXTURES[0], tilt_sd_deg=0.0, end_spread=0.0)
    powers = {0.0: 0.92, 2.0: 0.80, 3.0: 0.65, 4.0: 0.0}
    for tilt in (0.0, 10.0, 20.0):
        for off, power in powers.items():
            case = replace(hand, tilt_deg=tilt, offset_mm=off)
            yield Cell(f"tilt {tilt:g}, slices +-{off:g} mm", case, 0.07, power)
    for tilt in (20.0, 28.0):
        case = replace(hand, tilt_deg=tilt, offset_mm=3.0, follow_mm=1.0)
        yield Cell(f"tilt {tilt:g}, slices within 1 mm of the first", case, 0.08, 0.0)
    for tilt in (0.0, 20.0, 28.0):
        case = replace(hand, tilt_deg=tilt, neighbours=1)
        yield Cell(f"tilt {tilt:g}, with neighbours", case, 0.08, 0.95)
    solid = replace(MIXTURES[1], end_spread=0.0)
    yield Cell("solid irregular lesions, slices +-2 mm", solid, 0.07, 0.0)


def change_rows(count: int, pool: Executor) -> Iterator[tuple[str, ...]]:
    """Cells of the third table: unchanged hips called changed, limit, power for 25 degrees.

    By a reader nobody knows, and by one whom the study knows; the first as unlike as readers are.
    """
    cells = list(_cells())
    for cell, found in zip(cells, pool.map(_changed, cells, [count] * len(cells)), strict=True):
        false, limit, power, false_known, limit_known, power_known = found
        most = cell.most_false + _slack(cell.most_false, count)
        least = cell.least_power - _slack(cell.least_power, count)
        yield (
            cell.name,
            *(f"{100 * false:.1f} %", f"{limit:.1f}", f"{power:.2f}"),
            *(f"{100 * false_known:.1f} %", f"{limit_known:.1f}", f"{power_known:.2f}"),
            "pass" if max(false, false_known) <= most and power_known >= least else "MISS",
        )


def _changed(cell: Cell, count: int) -> tuple[float, ...]:
    """False changes, limit and power by a reader nobody knows; and by one who is known."""
    found: list[float] = []
    method = _CENTRE if cell.case.neighbours else _HA
    for spread, settings in ((0.35, DEFAULTS), (0.0, replace(DEFAULTS, end_noise=KNOWN))):
        case = replace(cell.case, end_spread=spread)
        reads: list[list[PairRead | None]] = [[], []]
        for first in range(0, count, PART):
            visits = read_hips(case, min(PART, count - first), 9000 + first, visits=2)
            for visit, hips in zip(reads, visits, strict=True):
                visit += _pair_reads(measure_batch(hips.batch, method, settings, judged=False))
        change, limits = _limits(*reads)
        found += [
            float(np.mean(np.abs(change) > limits)),
            float(limits.mean()),
            float(np.mean(25.0 - change > limits)),
        ]
    return tuple(found)


def _limits(
    before: list[PairRead | None], after: list[PairRead | None], noise: StudyNoise | None = None
) -> tuple[Array, Array]:
    """Changes and their limits, of the pairs that have both."""
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a and b]
    errors = [pair_error(a, b, noise) for a, b in pairs]
    change = np.array([b.cna_deg - a.cna_deg for a, b in pairs])
    return change, np.array([error.mdc95_deg for error in errors])


def _pair_reads(found: Measured) -> list[PairRead | None]:
    """What the cohort table says of each reading; None of one without a row."""
    files = ["" for _ in range(len(found))]
    cells = iter(RowColumns.measured(files, files, found, PAIR_COLUMNS).cells(PAIR_COLUMNS))
    return [
        None
        if place in found.refused
        else PairRead.of_row(dict(zip(PAIR_COLUMNS, next(cells), strict=True)))
        for place in range(len(found))
    ]


COMPARED = 20
"""So many hips were read by both readers of a study."""


def reader_rows(count: int, pool: Executor) -> Iterator[tuple[str, ...]]:
    """Two readers at two visits: unchanged hips called changed, limit, power for 25 degrees."""
    for habit in (0.3, 1.0):
        studies = max(count // 100, 10)
        found = np.array(list(pool.map(_two_readers, [habit] * studies, range(studies))))
        false, limit, power, judged = found.mean(axis=0)
        most = 0.07 + SAMPLING * float(found[:, 0].std()) / studies**0.5
        yield (
            f"two readers, bias of sd {habit:g} mm, {COMPARED} hips compared, {studies} studies",
            *(f"{100 * false:.1f} %", f"{limit:.1f}", f"{power:.2f}"),
            "two readers: not judged" if not judged else "JUDGED",
            "pass" if false <= most and not judged else "MISS",
        )


def _two_readers(habit_sd_mm: float, seed: int) -> tuple[float, float, float, float]:
    """One study of two readers: 100 pairs; and whether they are judged without comparisons."""
    chance = np.random.default_rng((77, seed))
    one, other = chance.normal(0, habit_sd_mm, 2).tolist()
    case = replace(MIXTURES[0], end_spread=0.0, habit_sd_mm=0.0)
    compared = read_by_two(case, COMPARED, 40_000 + seed, (one, other), one_visit=True)
    reads = [
        SingleRead(f"S{hip}", "L", "m00", f"r{reader}", 1, float(cna))
        for reader, hips in enumerate(compared, 1)
        for hip, cna in enumerate(measure_batch(hips.batch, judged=False).cna.value)
    ]
    noise = noise_of_repeats(reads, 10)
    pairs = [
        _pair_reads(measure_batch(hips.batch, judged=False))
        for hips in read_by_two(case, 100, 50_000 + seed, (one, other))
    ]
    change, limits = _limits(pairs[0], pairs[1], noise)
    alone = [pair_error(a, b).is_judged for a, b in zip(*pairs, strict=True) if a and b]
    return (
        float(np.mean(np.abs(change) > limits)),
        float(limits.mean()),
        float(np.mean(25.0 - change > limits)),
        float(any(alone)),
    )
