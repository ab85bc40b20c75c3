"""Memory and cost per reading of packs of 10,000, 100,000 and 1,000,000 readings.

``python benchmarks/batch_memory.py`` (``--largest 100000`` for a short run). Each pack is measured
by a fresh process; the peak is of that process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import pyarrow.parquet as parquet
from batch_corpus import noisy_files
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.batch.pack import table_of
from necroangle.batch.sources import SourceItem

_MEASURE = """
import resource, sys, time
from necroangle.batch import open_stream
start = time.process_time()
rows = sum(len(one.columns) for one in open_stream([sys.argv[1]]).results())
spent = time.process_time() - start
print(rows, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_pack(path: Path, count: int) -> None:
    """A pack of noisy hips."""
    files = noisy_files(count)
    writer = None
    while some := [SourceItem(name, None, raw) for name, raw in islice(files, 1000)]:
        table = table_of(some)
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=1_000_000)
    largest = parser.parse_args().largest
    table = Table(title="One process, packed readings", box=SIMPLE)
    for heading in ("readings", "rows", "µs per reading", "peak MiB"):
        table.add_column(heading, justify="right")
    costs: list[float] = []
    peaks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (10_000, 100_000, 1_000_000):
            if count > largest:
                break
            path = Path(folder) / f"{count}.parquet"
            write_pack(path, count)
            found = subprocess.run(
                [sys.executable, "-c", _MEASURE, str(path)],
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
                capture_output=True,
                check=True,
                text=True,
            )
            rows, spent, peak = found.stdout.split()
            costs.append(1e6 * float(spent) / count)
            peaks.append(float(peak))
            table.add_row(f"{count:,}", rows, f"{costs[-1]:.1f}", f"{peaks[-1]:.0f}")
            path.unlink()
    console = Console(width=100)
    console.print(table)
    for label, ratio, target in (
        ("cost per reading, largest over smallest", costs[-1] / costs[0], 1.2),
        ("peak memory, largest over smallest", peaks[-1] / peaks[0], 1.2),
    ):
        verdict = "pass" if ratio <= target else "MISS"
        console.print(f"{ratio:8.2f} {label}; target <= {target:g}: {verdict}")


if __name__ == "__main__":
    main()
