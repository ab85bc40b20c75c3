"""Every accuracy target, and our circle beside the libraries': ``python benchmarks/accuracy.py``.

What is said of the angle, of its grade and of its change stands beside what is true
(:mod:`claims`). In full 6,000 hips a row, 2,000 pairs a cell, 20,000 hips for the grades; it takes
some minutes. ``--quick`` takes a twelfth of that and is less sharp; ``--claims`` leaves out what is
measured of circles.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from claims import change_rows, coverage_rows, grade_rows, reader_rows
from estimators import BATCH, EACH, Rims, make_rims
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from targets import Effort, all_targets

FULL = Effort(rims=40_000, readings=6_000, calls=4_000)
QUICK = Effort(rims=20_000, readings=500, calls=1_000)
ARCS_DEG = (90.0, 120.0, 180.0, 220.0)


def print_targets(effort: Effort, processes: int, console: Console) -> bool:
    """Print the table of targets; whether all are met."""
    table = Table(title="Accuracy targets", box=SIMPLE, pad_edge=False)
    for heading in ("", "what", "found", "target", ""):
        table.add_column(heading, justify="right" if heading == "found" else "left")
    met = True
    for target in all_targets(effort, processes):
        verdict = ("pass" if target.passed else "MISS") if target.limit else ""
        table.add_row(target.name, target.what, target.found, target.limit, verdict)
        met &= target.passed
    console.print(table)
    return met


def print_claims(effort: Effort, processes: int, console: Console) -> bool:
    """Print what is said of the angle beside what is true; whether all targets are met."""
    unknown, known = ("false", "MDC95", "power"), ("known: false", "MDC95", "power")
    tables = {
        "95 % interval (marking: by the error of marking alone, as of a round head)": (
            *("case", "A, B, CNA hold", "marking", "width (ratio)", "rmse: here"),
            *("three-point angle", "Cobb angle", "square pixels", ""),
        ),
        "Unchanged hips called changed; power for 25 degrees: reader unknown, reader known": (
            ("case", *unknown, *known, "")
        ),
        "Two readers": ("case", *unknown, "without comparisons", ""),
        "Probability of the stated grade, said less true in points, in bins (hips)": (
            ("case", "of what is said: 0 to 0.1, 0.1 to 0.2, ... that hold hips", "")
        ),
    }
    met = True
    with ProcessPoolExecutor(processes) as pool:
        rows = (
            coverage_rows(effort.readings, pool),
            change_rows(effort.readings // 3, pool),
            reader_rows(effort.readings // 3, pool),
            grade_rows(effort.readings * 10 // 3, pool),
        )
        for (title, names), some in zip(tables.items(), rows, strict=True):
            met &= print_table(title, names, some, console)
    return met


def print_table(
    title: str, names: tuple[str, ...], rows: Iterable[tuple[str, ...]], console: Console
) -> bool:
    """Print rows that end by a verdict; whether all pass."""
    table, met = Table(title=title, box=SIMPLE, pad_edge=False), True
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
        met &= row[-1] == "pass"
    console.print(table)
    return met


def print_estimators(effort: Effort, marks: int, noise_mm: float, console: Console) -> None:
    """Print every estimator on the same rims: error over the bound, bias, fits a second."""
    every = [
        make_rims(arc, marks, noise_mm, effort.calls, seed) for seed, arc in enumerate(ARCS_DEG)
    ]
    table = Table(
        title=f"Centre error / bound (bias, mm) along the arc's middle: {marks} marks, "
        f"noise {noise_mm:g} mm",
        box=SIMPLE,
        pad_edge=False,
    )
    table.add_column("circle")
    for arc in ARCS_DEG:
        table.add_column(f"arc {arc:g}°", justify="right")
    table.add_column("fits/s", justify="right")
    for name, row in _rows(every):
        table.add_row(name, *row)
    console.print(table)


def _rows(every: list[Rims]) -> Iterator[tuple[str, list[str]]]:
    for name, fit in BATCH.items():
        yield name, _row(every, fit)
    for name, fit in EACH.items():
        yield name, _row(every, lambda rims, fit=fit: np.array([fit(one) for one in rims]))


def _row(every: list[Rims], fit: Callable[..., np.ndarray]) -> list[str]:
    """Cells of one estimator; its rate is that of the last arc."""
    cells, seconds = [], 0.0
    for rims in every:
        start = time.perf_counter()
        centres = fit(rims.points_mm)
        seconds = time.perf_counter() - start
        ratio, bias = rims.score(centres)
        cells.append(f"{ratio:.2f} ({bias:+.2f})")
    return [*cells, f"{len(every[-1].points_mm) / seconds:,.0f}"]


def main() -> None:
    """Measure and print; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--claims", action="store_true", help="without what is of circles alone")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    console = Console(width=160)
    met = print_claims(effort, arguments.processes, console)
    if not arguments.claims:
        met &= print_targets(effort, arguments.processes, console)
        for marks, noise_mm in ((12, 0.5), (30, 1.0)):
            print_estimators(effort, marks, noise_mm, console)
    seconds = sum(os.times()[:4])
    console.print(f"{seconds:.0f} s of CPU")
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
