"""What it costs to keep a study of 36,000 readings: verify, measure, audit, backup, erase.

    python benchmarks/keeping_speed.py --rows 36000

CPU time, and the peak of memory, each command in a process of its own, on a
study of readings in files and in the ledger: ten readings of each patient, two hips and five
visits. The same with a quarter of the rows: the last column is the ratio of the times a row, 1
where the cost is linear.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kept_cohort import kept_cohort, kept_rows

from necroangle.annotation import ReadingKey, file_name_of
from necroangle.study import init_study
from necroangle.terms import Laterality

COMMANDS = {
    "measure": ("measure", "readings"),
    "verify": ("verify",),
    "queries": ("queries", "--json"),
    "audit": ("audit", "--output", "reports/audit.csv"),
    "backup": ("backup", "kept.zip"),
    "erase": ("erase", "S000000", "--as", "kim", "--reason", "consent withdrawn", "--yes"),
}
NOT_LINEAR = 1.6


def main() -> int:
    """Print the figures; 1 where a command's cost grows faster than the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=36_000)
    rows = parser.parse_args().rows
    few, many = (figures(count) for count in (rows // 4, rows))
    print(f"{'':10}{rows // 4:>12,} rows{'':13}{rows:>12,} rows")
    print(f"{'':10}{'CPU s':>8}{'MB':>8}{'':14}{'CPU s':>8}{'MB':>8}{'ms a row':>10}{'ratio':>8}")
    worst = 0.0
    for name, (cpu, peak) in many.items():
        ratio = cpu / rows / (few[name][0] / (rows // 4))
        worst = max(worst, ratio)
        print(f"{name:10}{few[name][0]:>8.1f}{few[name][1]:>8.0f}{'':14}{cpu:>8.1f}{peak:>8.0f}"
              f"{1000 * cpu / rows:>10.3f}{ratio:>8.2f}")  # fmt: skip
    return int(worst > NOT_LINEAR)


def figures(count: int) -> dict[str, tuple[float, float]]:
    """CPU s and peak MB of each command on a study of so many readings."""
    with tempfile.TemporaryDirectory(prefix="necroangle-keeping-") as folder:
        study = init_study(Path(folder) / "study", "kept")
        kept_cohort(study.folder / "cohort.sqlite", count)
        for row, raw in kept_rows(count):
            side = Laterality(str(row["laterality"]))
            parts = (str(row["subject"]), side, str(row["visit"]), str(row["reader"]))
            key = ReadingKey(*parts, int(str(row["read_no"])))
            (study.readings / file_name_of(key)).write_bytes(raw)
        return {name: cost(study.folder, command) for name, command in COMMANDS.items()}


def cost(folder: Path, command: tuple[str, ...]) -> tuple[float, float]:
    """CPU s and peak MB of one command."""
    process = subprocess.Popen(
        [sys.executable, "-m", "necroangle", *command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        raise SystemExit(f"{' '.join(command)} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / _KB_A_MB


_KB_A_MB = 1024 if sys.platform == "linux" else 1 << 20

if __name__ == "__main__":
    sys.exit(main())
