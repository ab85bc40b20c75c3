"""Nothing lost: eight writers at once, killed with SIGKILL at random, over and over.

    python benchmarks/nothing_lost.py --trials 500 --pg-trials 100

After every trial: each write that was acknowledged is there, the chain of events holds, every
angle comes out again from the kept marks, no reading file is torn, and the counter that all the
writers share has neither lost nor doubled a count. PostgreSQL is a private server, started for the
purpose with fsync on. Exit code 1 if anything was lost.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from killedwriters import Trial, run_trial
from postgres import find_programs, fresh_database, running_server

Place = Callable[[int, Path], Path | str]
LONGEST_S = {"SQLite": 0.5, "PostgreSQL": 2.0}  # a connection to a server takes its time
HEADING = f"{'store':<12}{'trials':>8}{'killed':>8}{'acknowledged':>14}{'unheard':>9}{'lost':>6}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=500, help="on SQLite")
    parser.add_argument("--pg-trials", type=int, default=100, help="on PostgreSQL")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(HEADING + f"{'seconds':>9}")
    lost = run("SQLite", asked.trials, asked, lambda _, folder: folder / "cohort.sqlite")
    programs = find_programs()
    if asked.pg_trials and programs is None:
        print("PostgreSQL is not installed (Debian package postgresql): not tried")
        return 1
    if asked.pg_trials and programs is not None:
        with running_server(programs, settings="-c listen_addresses=''") as socket:
            lost += run(
                "PostgreSQL",
                asked.pg_trials,
                asked,
                lambda number, _: fresh_database(socket, f"trial{number}"),
            )
    return 1 if lost else 0


def run(name: str, trials: int, asked: argparse.Namespace, place: Place) -> int:
    """Run the trials of one store and print their line; how much was lost or wrong."""
    start, done = time.perf_counter(), []
    for number in range(trials):
        folder = Path(tempfile.mkdtemp(prefix="necroangle-lost-"))
        seed = asked.seed * 1_000_003 + number
        trial = run_trial(
            place(number, folder),
            folder / "readings",
            writers=asked.writers,
            seed=seed,
            longest_s=LONGEST_S[name],
        )
        done.append(trial)
        for problem in trial.problems:
            print(f"{name} seed {seed}: {problem}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    print(line(name, done) + f"{time.perf_counter() - start:>9.0f}", flush=True)
    return sum(len(trial.problems) for trial in done)


def line(name: str, done: list[Trial]) -> str:
    killed = sum(trial.killed for trial in done)
    acknowledged = sum(trial.acknowledged for trial in done)
    unheard = sum(trial.unheard for trial in done)
    lost = sum(len(trial.problems) for trial in done)
    return f"{name:<12}{len(done):>8}{killed:>8}{acknowledged:>14}{unheard:>9}{lost:>6}"


if __name__ == "__main__":
    sys.exit(main())
