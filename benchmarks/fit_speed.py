"""How many circles a second, and how long one hip takes: ``python benchmarks/fit_speed.py``.

Each ratio is of two rates measured in turns within one run, best of several, on the same rims.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from estimators import BATCH, EACH, make_rims
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.measurement import measure
from necroangle.selftest import Clicks, click_noise, round_hip

GEOMETRIC = "necroangle fit_circles (geometric)"
TARGETS = (
    (GEOMETRIC, "scikit-image CircleModel", 10.0),
    (GEOMETRIC, "scipy least_squares (lm)", 100.0),
)
FRAME_MS = 1000.0 / 60.0


def rate(work: Callable[[], object], fits: int) -> float:
    """Fits a second of one go."""
    start = time.perf_counter()
    work()
    return fits / (time.perf_counter() - start)


def best_rates(names: tuple[str, str], rims: int, calls: int, turns: int) -> tuple[float, float]:
    """Best rate of a batch estimator and of a per-call one, measured in turns."""
    many = make_rims(220.0, 12, 0.5, rims, seed=1).points_mm
    few = many[:calls]
    batch, each = BATCH[names[0]], EACH[names[1]]
    pairs = [
        (rate(lambda: batch(many), rims), rate(lambda: [each(one) for one in few], calls))
        for _ in range(turns)
    ]
    ours, theirs = np.array(pairs).T
    return float(ours.max()), float(theirs.max())


def latency_ms(readings: int, turns: int) -> tuple[float, float]:
    """(mean, 95th percentile) time of a whole ``measure`` of a noisy reading, ms, best turn."""
    chance = np.random.default_rng(2)
    clicks = Clicks(220.0, 12, 0.5, 1.0)
    faultless = round_hip(clicks, 110.0)
    noisy = [click_noise(faultless, clicks, chance) for _ in range(readings)]
    measure(faultless)
    found = []
    for _ in range(turns):
        times = []
        for reading in noisy:
            start = time.perf_counter()
            measure(reading)
            times.append(1000.0 * (time.perf_counter() - start))
        found.append((float(np.mean(times)), float(np.percentile(times, 95))))
    return min(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    quick = parser.parse_args().quick
    rims, calls, turns = (40_000, 400, 3) if quick else (200_000, 2_000, 7)
    table = Table(title="Fits a second: 12 marks, arc 220°, noise 0.5 mm", box=SIMPLE)
    for heading in ("vectorised", "fits/s", "one call a fit", "fits/s", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading.endswith(("s", "o")) else "left")
    for ours, theirs, target in TARGETS:
        fast, slow = best_rates((ours, theirs), rims, calls, turns)
        verdict = "pass" if fast >= target * slow else "MISS"
        cells = (f"{fast:,.0f}", theirs, f"{slow:,.0f}", f"{fast / slow:.0f}", f">= {target:.0f}")
        table.add_row(ours, *cells, verdict)
    console = Console(width=140)
    console.print(table)
    mean, slow = latency_ms(100 if quick else 300, 3)
    verdict = "pass" if slow < FRAME_MS / 2 else "MISS"
    console.print(
        f"One hip with everything (measure, 12 + 12 rim marks): {mean:.2f} ms on average, "
        f"{slow:.2f} ms for 19 in 20; a frame is {FRAME_MS:.1f} ms: {verdict}"
    )


if __name__ == "__main__":
    main()
