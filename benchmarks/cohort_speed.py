"""What a cohort costs a row, written and verified, beside plain sqlite3 in the same run.

    python benchmarks/cohort_speed.py --rows 20000

CPU time in one process. Upsert: measured rows into a new SQLite file, with an event of the ledger
for each; the same rows once more (nothing changes); the same with one column changed; beside it,
sqlite3's ``executemany`` of the same tuples into the same table without a ledger, with the same
``PRAGMA``s.

Verify: kept readings with their rows: the chain of events, the rows against it, the hashes of the
readings, and every angle measured again from its marks, as ``necroangle verify`` does; beside it,
the chain and the rows alone, and the bare decoding and measuring of one reading after the other.
"""

import argparse
import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from kept_cohort import kept_cohort, kept_rows

from necroangle.annotation import decode_reading
from necroangle.batch.again import cells_again
from necroangle.cohort import CohortRow, CohortStore
from necroangle.ledger.verify import verify
from necroangle.measurement import measure
from necroangle.measurement.columns import COLUMNS, KEY

LIMIT_US = 150.0
MEASURED_ALONE = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="necroangle-speed-") as folder:
        upsert_cost(Path(folder), asked.rows)
    with tempfile.TemporaryDirectory(prefix="necroangle-speed-") as folder:
        return verify_cost(Path(folder), asked.rows)


def upsert_cost(folder: Path, count: int) -> None:
    some = [row for row, _ in kept_rows(count)]
    changed = [CohortRow.of({**row, "rim_sd_mm": 0.5}) for row in some]
    plain = cpu_us(lambda: plain_sqlite(folder / "plain.sqlite", some), count)
    store = CohortStore.open(folder / "cohort.sqlite")
    print(f"{count} rows of {len(COLUMNS)} columns, CPU µs a row                   / sqlite3")
    show("sqlite3 executemany, no ledger", plain, plain)
    show("upsert, all new, with ledger", cpu_us(lambda: store.upsert(some), count), plain)
    show("upsert, nothing changed", cpu_us(lambda: store.upsert(some), count), plain)
    show("upsert, all changed", cpu_us(lambda: store.upsert(changed), count), plain)


def verify_cost(folder: Path, count: int) -> int:
    store = kept_cohort(folder / "cohort.sqlite", count)
    alone = cpu_us(lambda: measure_alone(store), MEASURED_ALONE)
    found = []
    whole = cpu_us(lambda: found.append(verify(store, again=cells_again)), count)
    rows = CohortStore.open(folder / "rows.sqlite")
    rows.upsert([row for row, _ in kept_rows(count)])
    chain = cpu_us(lambda: verify(rows), count)
    print(f"\n{count} kept readings, CPU µs a row                     / one by one")
    show("decode and measure one by one", alone, alone)
    show("verify: chain and rows alone", chain, alone)
    show("verify: chain, rows, hashes, angles", whole, alone)
    print(f"at most {LIMIT_US:g} is aimed at")
    return 0 if found[0].is_clean and found[0].counts.recomputed == count else 1


def show(name: str, cost_us: float, beside_us: float) -> None:
    print(f"{name:<42}{cost_us:>8.0f}{cost_us / beside_us:>14.2f}")


def measure_alone(store: CohortStore) -> None:
    for number, (_, raw) in enumerate(store.contents(), start=1):
        measure(decode_reading(raw))
        if number == MEASURED_ALONE:
            return


def plain_sqlite(path: Path, some: list[CohortRow]) -> None:
    names = ", ".join(column.name for column in COLUMNS)
    marks = ", ".join("?" * len(COLUMNS))
    kinds = {"text": "TEXT", "whole": "INTEGER", "real": "REAL"}
    columns = ", ".join(f"{column.name} {kinds[column.kind]}" for column in COLUMNS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"CREATE TABLE cohort ({columns}, PRIMARY KEY ({', '.join(KEY)}))")
        connection.execute("BEGIN IMMEDIATE")
        insert = f"INSERT INTO cohort ({names}) VALUES ({marks})"
        connection.executemany(insert, [row.cells for row in some])
        connection.execute("COMMIT")


def cpu_us(work: Callable[[], object], rows: int) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return (time.process_time() - start) / rows * 1e6


if __name__ == "__main__":
    sys.exit(main())
