"""False alarms and power of every check: ``python benchmarks/plausibility.py``.

Sound hips and planted mistakes are those of ``tests/support/clinichips.py``. ``--quick`` takes a
tenth of them.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.annotation import HipReading
from necroangle.measurement import RadiusPrior, Settings, measure_draft
from necroangle.measurement.doubts import flags_of
from necroangle.measurement.measuring import measure_many
from necroangle.measurement.plausibility import CHECKS
from necroangle.measurement.plausibility_cohort import held_together, prints_of
from necroangle.terms import Flag

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from clinichips import (
    COHORT_MISTAKES,
    MISTAKES,
    clinic_cohort,
    clinic_hips,
    clinic_readings,
    mistaken,
)

OF_READINGS = frozenset(str(check.name) for check in CHECKS if check.scope == "reading")
MOST_FALSE = 0.02
SEED, PLANTED_SEED = 20261130, 77


def told_of(readings: Iterable[HipReading]) -> list[set[str]]:
    """The checks of one reading that each raises; "refused" among them where there is no row."""
    measured = measure_many(readings)
    found = []
    for hip in range(len(measured)):
        bits = int(measured.doubts[hip])
        for view in measured.batch.view_of[:, hip].tolist():
            bits |= int(measured.views.doubts[view]) if view >= 0 else 0
        told = {str(flag) for flag in flags_of(bits)} & OF_READINGS
        found.append(told | ({"refused"} if hip in measured.refused else set()))
    return found


def wrong_priors(count: int) -> float:
    """Share of sound hips whose radius, known within 0.5 mm, is held to contradict the rim."""
    chance, found = np.random.default_rng(SEED), 0
    for hip in clinic_hips(count, SEED):
        known = RadiusPrior(hip.radius_mm + float(chance.normal(0, 0.5)), 0.5, "visit m00")
        told = measure_draft(hip.reading(), Settings(radius_prior=known))
        found += any(
            Flag.PRIOR_UNLIKE_RIM in view.flags for view in (told.a, told.b) if view is not None
        )
    return found / count


def print_sound(count: int, console: Console) -> bool:
    """Print the share of sound hips that raise each check; whether all keep the limit."""
    told = told_of(clinic_readings(count, SEED))
    numbers = Counter(word for one in told for word in one)
    priors = wrong_priors(count // 5)
    pairs = clinic_cohort(count // 4, SEED)
    between = held_together(prints_of(measure_many(hip.reading() for hip in pairs)))
    together = Counter(one.check for one in between)
    table = Table(title=f"False alarms: {count} readings, {len(pairs) // 2} pairs", box=SIMPLE)
    for heading in ("check", "scope", "false alarms"):
        table.add_column(heading, justify="right" if heading == "false alarms" else "left")
    met = True
    for check in CHECKS:
        alone = check.scope == "reading"
        share = numbers[check.name] / count if alone else together[check.name] / (len(pairs) / 2)
        share = priors if check.name == Flag.PRIOR_UNLIKE_RIM else share
        met &= share <= MOST_FALSE
        table.add_row(str(check.name), check.scope, f"{share:.4f}")
    table.add_row("any of them", "reading", f"{sum(map(bool, told)) / count:.4f}")
    table.add_row("refused", "reading", f"{numbers['refused'] / count:.4f}")
    console.print(table)
    return met


def print_planted(count: int, console: Console) -> None:
    """Print what share of each planted mistake is told, and by which checks."""
    table = Table(title=f"Planted mistakes, {count} hips each", box=SIMPLE)
    for heading in ("mistake", "told", "refused", "by"):
        table.add_column(heading, justify="right" if heading in ("told", "refused") else "left")
    for name in MISTAKES:
        told = told_of(mistaken(name, count, PLANTED_SEED))
        words = Counter(word for one in told for word in one - {"refused"})
        by = ", ".join(f"{word} {number / count:.2f}" for word, number in words.most_common(3))
        refused = sum("refused" in one for one in told) / count
        table.add_row(name, f"{sum(map(bool, told)) / count:.2f}", f"{refused:.2f}", by)
    for name, (check, plant) in COHORT_MISTAKES.items():
        hips = plant(clinic_cohort(count // 20, PLANTED_SEED))
        found = held_together(prints_of(measure_many(hip.reading() for hip in hips)))
        words = Counter(one.check for one in found)
        by = ", ".join(f"{word} {number}" for word, number in words.most_common(3))
        table.add_row(name, str(words[check]), "", f"of {len(hips) // 2} pairs: {by}")
    console.print(table)


def main() -> None:
    """Measure and print; exit code 1 where a check has too many false alarms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the hips")
    size = 500 if parser.parse_args().quick else 5000
    console = Console(width=118)
    met = print_sound(size, console)
    print_planted(size // 10, console)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
