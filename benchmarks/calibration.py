"""What a calibration says of readers whose bias and spread are known, and what it buys.

    python benchmarks/calibration.py            # 500 calibrations a row, 300 readers
    python benchmarks/calibration.py --quick    # 60 and 60

One table: how often the intervals of bias and spread hold the true ones, of readers who mark the
phantoms' truth with known errors, through the whole road from reading to report. The other: width
and coverage of the combined angle's 95 % interval in the mixture of ``claims.py``, as of a reader
nobody knows and as of one whom a calibration of 20 hips knows. Exit code 1 where a target is
missed.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from doubtinghand import MIXTURE, read_hips
from knownreader import KnownReader, read_all

from necroangle.calibration import (
    Calibration,
    Truths,
    calibrated,
    make_calibration,
    noise_of,
    reader_error,
)
from necroangle.measurement import DEFAULTS, Settings, measure_many

__all__ = ["READERS", "bought", "held"]

Array = NDArray[np.float64]

READERS = {
    "ends 1 mm, no bias": KnownReader(),
    "ends 1 mm, bias +0.5, rim bias 0.2": KnownReader(1.0, 0.5, rim_bias_mm=0.2),
    "ends 0.7 mm, bias -0.4": KnownReader(0.7, -0.4, slice_miss=0.1),
    "ends 1.5 mm, 0.35 shared by a hip's ends": KnownReader(1.5, 0.3, 0.35),
}
PART = 25
HIPS_A_READER = 30


def held(name: str, runs: int, seed: int) -> Array:
    """(4,) share of intervals that hold the truth: bias and spread of ends, of rim marks."""
    reader = READERS[name]
    calibration = _calibration(seed)
    truths = Truths(calibration)
    chance = np.random.default_rng(seed)
    true = (reader.end_bias_mm, np.hypot(reader.end_sd_mm, reader.hip_sd_mm))
    true += (reader.rim_bias_mm, reader.rim_sd_mm)
    found = np.zeros(4)
    for _ in range(runs):
        result = calibrated(calibration, read_all(calibration, truths, reader, chance), truths)
        for place, error in enumerate((result.ends, result.rim)):
            found[2 * place] += error.bias_low <= true[2 * place] <= error.bias_high
            found[2 * place + 1] += error.sd_low <= true[2 * place + 1] <= error.sd_high
    return found / runs


def _calibration(seed: int) -> Calibration:
    folder = Path(tempfile.mkdtemp())
    return make_calibration(folder / "hips", folder / "truth.json", "r1", seed=seed)


def bought(readers: int, seed: int) -> Array:
    """(readers, 5): true spread; coverage and width as of a reader nobody knows, and calibrated."""
    chance = np.random.default_rng(seed)
    rows = []
    for number in range(readers):
        sd = float(np.exp(chance.normal(0, MIXTURE.end_spread)))
        habit = float(chance.normal(0, MIXTURE.habit_sd_mm))
        ends = chance.normal(habit, sd, (20, 4))
        known = noise_of("r1", reader_error(ends.tolist())).of_ends
        case = replace(MIXTURE, end_sd_mm=sd, end_spread=0.0, habit_mm=habit, habit_sd_mm=0.0)
        (hips,) = read_hips(case, HIPS_A_READER, seed * 100_000 + number)
        truth = hips.truth_deg.sum(axis=1)
        row = [sd]
        for settings in (DEFAULTS, Settings(end_noise=known)):
            low, high = measure_many(hips.readings, None, settings).cna_bounds
            row += [float(np.mean((low <= truth) & (truth <= high))), float(np.mean(high - low))]
        rows.append(row)
    return np.array(rows)


def coverage_table(runs: int, pool: ProcessPoolExecutor) -> tuple[Table, bool]:
    """Of every reader, how often the intervals hold."""
    title = f"Intervals that hold the truth, {runs} calibrations of 20 hips"
    table = Table(title=title, box=SIMPLE, pad_edge=False)
    for name in ("reader", "ends: bias", "spread", "rim: bias", "spread", ""):
        table.add_column(name, justify="left" if name == "reader" else "right")
    met = True
    for name, shares in _covered(runs, pool):
        # a share of this many runs has a chance of its own; the exact one lies within
        chance = 2 * np.sqrt(0.05 * 0.95 / runs)
        good = bool(np.all((shares >= 0.945 - chance) & (shares <= 0.96 + chance)))
        met &= good
        table.add_row(name, *(f"{one:.3f}" for one in shares), "pass" if good else "MISS")
    return table, met


def _covered(runs: int, pool: ProcessPoolExecutor) -> Iterator[tuple[str, Array]]:
    parts = max(runs // PART, 1)
    for place, name in enumerate(READERS):
        seeds = [1000 * place + number for number in range(parts)]
        found = list(pool.map(held, [name] * parts, [runs // parts] * parts, seeds))
        yield name, np.mean(found, axis=0)


GROUPS = (
    ("all readers", 0.0, np.inf, 0.93),
    ("careful: ends below 0.8 mm", 0.0, 0.8, 0.92),
    ("usual", 0.8, 1.3, 0.92),
    ("careless: ends above 1.3 mm", 1.3, np.inf, 0.92),
)


def bought_table(readers: int, pool: ProcessPoolExecutor) -> tuple[Table, bool]:
    """What the interval of the combined angle gains."""
    title = f"95 % interval of the combined angle, {readers} readers, {HIPS_A_READER} hips each"
    table = Table(title=title, box=SIMPLE, pad_edge=False)
    for name in ("", "readers", "nobody knows: holds", "width", "calibrated: holds", "width", ""):
        table.add_column(name, justify="right" if name else "left")
    parts = max(readers // PART, 1)
    sizes = [readers // parts] * parts
    rows = np.concatenate(list(pool.map(bought, sizes, range(1, parts + 1))))
    met = True
    for name, low, high, least in GROUPS:
        some = rows[(rows[:, 0] >= low) & (rows[:, 0] < high)]
        if not len(some):
            continue
        _, before, wide, after, own = some.mean(axis=0)
        good = bool(after >= least - 2 * np.sqrt(0.05 / (len(some) * HIPS_A_READER)))
        met &= good
        cells = (f"{before:.3f}", f"{wide:.0f}°", f"{after:.3f}", f"{own:.0f}°")
        table.add_row(name, str(len(some)), *cells, "pass" if good else "MISS")
    return table, met


def main() -> int:
    """Print both tables; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    runs, readers = (50, 50) if asked.quick else (500, 300)
    console, met = Console(width=110), True
    with ProcessPoolExecutor(asked.processes) as pool:
        for made, count in ((bought_table, readers), (coverage_table, runs)):
            table, good = made(count, pool)
            console.print(table)
            met &= good
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
