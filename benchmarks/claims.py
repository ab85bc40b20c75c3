"""What is said of the angle beside what is true, by a hand that shares none of the assumptions.

The readings are those of ``tests/support/doubtinghand.py``. Three tables: how often the 95 %
interval holds the truth, in each row and in the mixture, with what three other ways make of the
same marks; what is said of the grade; and how often an unchanged hip is called changed.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from doubtinghand import MIXTURE, ROWS, Case, read_hips

from necroangle.annotation import HipReading, ReadView
from necroangle.geometry import PlanePoints, fit_circle
from necroangle.measurement import DEFAULTS, Measured, measure_many
from necroangle.measurement.row import RowColumns
from necroangle.protocol.noise import EndNoise
from necroangle.protocol.pair_error import PAIR_COLUMNS, PairRead, pair_error

__all__ = ["CELLS", "change_rows", "coverage_rows", "grade_rows"]

Array = NDArray[np.float64]

PART = 1000
KNOWN = EndNoise(1.0, 0.3, 80.0, "repeats")
CELLS = tuple(product((0.0, 10.0, 20.0), (0.0, 2.0, 3.0, 4.0)))
"""Tilt of the lesion, degrees, and how far slices lie off the centre, mm."""


def coverage_rows(count: int, pool: ProcessPoolExecutor) -> Iterator[tuple[str, ...]]:
    """Cells of the first table: what, coverage, widths, errors; last whether the target is met."""
    cases = (*ROWS, MIXTURE)
    for case, found in zip(cases, pool.map(_covered, cases, [count] * len(cases)), strict=True):
        a, b, cna, before, width, narrow, *errors = found
        wide = 2.1 if case.span_deg[1] < 150 else 1.8
        met = all(case.least <= one <= case.most for one in (a, b, cna)) and width <= wide * narrow
        yield (
            case.name,
            f"{a:.3f} {b:.3f} {cna:.3f}",
            f"{before:.3f}",
            f"{width:.0f} ({narrow:.0f})",
            *(f"{one:.1f}" for one in errors),
            "pass" if met else "MISS",
        )


def _covered(case: Case, count: int) -> tuple[float, ...]:
    """Coverage of A, B, CNA; of marking alone; both widths; errors of ours and of three others."""
    within, widths, errors = [], [], []
    for first in range(0, count, PART):
        (hips,) = read_hips(case, min(PART, count - first), 1000 + first)
        found, truth = measure_many(hips.readings), hips.truth_deg
        low, high = found.views.angle.bounds()
        held = (low <= truth.ravel()) & (truth.ravel() <= high)
        total, reach = truth.sum(axis=1), 1.96 * found.cna.marking
        low, high = found.cna.bounds()
        off = found.cna.value - total
        within.append(
            np.array((held[::2], held[1::2], (low <= total) & (total <= high), abs(off) <= reach))
        )
        widths.append(np.array((high - low, 2 * reach)))
        others = np.array([_others(one) for one in hips.readings]).T
        errors.append(np.array((off, *(one - total for one in others))))
    parts = (np.concatenate(some, axis=1) for some in (within, widths, errors))
    shares, wide, off = parts
    return (*shares.mean(axis=1), *wide.mean(axis=1), *np.sqrt((off**2).mean(axis=1)))


def _others(reading: HipReading) -> tuple[float, float, float]:
    """The combined angle by a three-point angle, a Cobb angle, and with pixels taken as square."""
    found = np.zeros(3)
    for view in reading.views:
        assert isinstance(view, ReadView)
        plane, arc = view.plane.plane(), view.arcs[0]
        rim = np.array([mark.pixel for mark in view.rim])
        ends = np.array([mark.pixel for mark in (arc.start, arc.end)])
        found[2] += _between(ends - fit_circle(PlanePoints(rim)).circle.centre_mm)
        scale = np.array((plane.row_spacing_mm, plane.column_spacing_mm))
        rim, ends = rim * scale, ends * scale
        by_eye = rim[[0, len(rim) // 2, -1]]
        found[0] += _between(ends - fit_circle(PlanePoints(by_eye)).circle.centre_mm)
        lines = []
        for end in ends:
            away = rim - end
            far = np.hypot(*away.T)
            lines.append(away[np.argmin(np.where(far > 5.0, far, np.inf))])
        found[1] += 180.0 - _between(np.array(lines))
    return tuple(found.tolist())


def _between(arms: Array) -> float:
    """Angle between two arms, 0 to 180 degrees: what an angle tool gives."""
    cosine = arms[0] @ arms[1] / np.prod(np.hypot(*arms.T))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def grade_rows(count: int, pool: ProcessPoolExecutor) -> list[tuple[float, float, int]]:
    """Said and true share of the stated grade in ten bins of what is said, with their numbers."""
    sizes = [min(PART, count - first) for first in range(0, count, PART)]
    parts = list(pool.map(_graded, sizes, range(len(sizes))))
    said, right = (np.concatenate(some) for some in zip(*parts, strict=True))
    bins = np.minimum((said * 10).astype(int), 9)
    return [
        (
            float(said[bins == one].mean()),
            float(right[bins == one].mean()),
            int((bins == one).sum()),
        )
        for one in range(10)
        if (bins == one).any()
    ]


def _graded(count: int, seed: int) -> tuple[Array, Array]:
    (hips,) = read_hips(MIXTURE, count, 500_000 + seed)
    found = measure_many(hips.readings)
    cuts = np.array((200.0, 250.0, 300.0))
    true = np.searchsorted(cuts, hips.truth_deg.sum(axis=1), side="right")
    grade = np.searchsorted(cuts, found.cna.value, side="right")
    return 1 - found.another_grade, (grade == true).astype(float)


def change_rows(count: int, pool: ProcessPoolExecutor) -> Iterator[tuple[str, ...]]:
    """Cells of the third table: unchanged hips called changed, limit, power for 25 degrees.

    With a reader nobody knows, and one whom the study knows.
    """
    for cell, found in zip(CELLS, pool.map(_changed, CELLS, [count] * len(CELLS)), strict=True):
        false, limit, power, false_known, limit_known, power_known = found
        yield (
            f"tilt {cell[0]:g}, slices +-{cell[1]:g} mm",
            f"{100 * false:.1f} %",
            f"{limit:.1f}",
            f"{power:.2f}",
            f"{100 * false_known:.1f} %",
            f"{limit_known:.1f}",
            f"{power_known:.2f}",
            "pass" if max(false, false_known) <= 0.07 else "MISS",
        )


def _changed(cell: tuple[float, float], count: int) -> tuple[float, ...]:
    tilt, offset = cell
    case = replace(MIXTURE, tilt_deg=tilt, tilt_sd_deg=0.0, offset_mm=offset, end_spread=0.0)
    before, after = read_hips(case, count, 9000 + int(10 * tilt + offset), visits=2)
    found: list[float] = []
    for settings in (DEFAULTS, replace(DEFAULTS, end_noise=KNOWN)):
        pairs = [
            _pair_reads(measure_many(visit.readings, None, settings)) for visit in (before, after)
        ]
        errors = [pair_error(one, other) for one, other in zip(*pairs, strict=True)]
        change = np.array([other.cna_deg - one.cna_deg for one, other in zip(*pairs, strict=True)])
        limits = np.array([error.mdc95_deg for error in errors])
        found += [
            float(np.mean(np.abs(change) > limits)),
            float(limits.mean()),
            float(np.mean(25.0 - change > limits)),
        ]
    return tuple(found)


def _pair_reads(found: Measured) -> list[PairRead]:
    files = ["" for _ in range(len(found))]
    cells = RowColumns.measured(files, files, found, PAIR_COLUMNS).cells(PAIR_COLUMNS)
    rows = (PairRead.of_row(dict(zip(PAIR_COLUMNS, one, strict=True))) for one in cells)
    return [row for row in rows if row is not None]
