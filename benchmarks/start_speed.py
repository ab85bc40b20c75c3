"""What it costs to start each command that touches the table: CPU seconds, the best and the median.

Usage: python benchmarks/start_speed.py [--turns 7] [--limit 0.5] [COMMAND...]

Each command is a process of its own in the study of the samples: ten hips, two readers, nothing new
to measure. Beside it, in turns: an empty program, and the imports of SQLAlchemy, of numpy and of
``scipy.special``, which are what commands stand on; a ratio to them depends little on the machine.
Python keeps what it compiled, as it does where a wheel was installed. Exit code 1 where a command
that needs no numpy takes longer than the limit.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from starts import CORE, STARTS, make_started_study

NOTHING, DATABASE, NUMPY, SCIPY = (
    "pass",
    "import sqlalchemy",
    "import numpy",
    "import scipy.special",
)


def main() -> int:
    """Print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--limit", type=float, default=0.5)
    parser.add_argument("commands", nargs="*")
    asked = parser.parse_args()
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="necroangle-start-") as folder:
        make_started_study(Path(folder))
        os.chdir(here)
        return show_all(Path(folder) / "study", asked)


def show_all(study: Path, asked: argparse.Namespace) -> int:
    floor = {
        code: median_s(lambda code=code: cpu_s([sys.executable, "-c", code], study), asked.turns)
        for code in (NOTHING, DATABASE, NUMPY, SCIPY)
    }
    for code, (best, median) in floor.items():
        print(f"{best:6.3f} {median:6.3f} {'':6} python -c {code!r}")
    late = 0
    for words, allowed in STARTS:
        if words.split()[0] not in (asked.commands or [words.split()[0]]) or "--help" in words[1:]:
            continue
        stands_on = [floor[NOTHING][0]]
        stands_on += [floor[DATABASE][0] - floor[NOTHING][0]] if "sqlalchemy" in allowed else []
        stands_on += [floor[NUMPY][0] - floor[NOTHING][0]] if "numpy" in allowed else []
        stands_on += [floor[SCIPY][0] - floor[NUMPY][0]] if "scipy" in allowed else []
        best, median = median_s(lambda words=words: started_s(words, study), asked.turns)
        print(f"{best:6.3f} {median:6.3f} {best / sum(stands_on):5.2f}x {words}", flush=True)
        late += allowed <= CORE and best > asked.limit
    return int(late > 0)


def started_s(words: str, study: Path) -> float:
    """CPU seconds of a command in a copy of the study, so that it meets the same each time."""
    with tempfile.TemporaryDirectory(prefix="necroangle-start-") as folder:
        copy = shutil.copytree(study, Path(folder) / "study")
        if words.startswith("restore"):
            cpu_s([sys.executable, "-m", "necroangle", "backup", "kept.tar"], copy)
        return cpu_s([sys.executable, "-m", "necroangle", *words.split()], copy)


def cpu_s(command: list[str], folder: Path) -> float:
    """CPU seconds, user and system, of a process."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    running = subprocess.Popen(command, cwd=folder, env=environment, **quiet)
    assert running.stderr is not None
    told = running.stderr.read()
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"{command}: {told.decode()}")
    return used.ru_utime + used.ru_stime


def median_s(turn, turns: int) -> tuple[float, float]:
    """The best and the median of several turns, after one that does not count."""
    turn()
    found = [turn() for _ in range(turns)]
    return min(found), statistics.median(found)


if __name__ == "__main__":
    sys.exit(main())
