"""How fast the cohort is written and verified, beside plain sqlite3 in the same run.

    python benchmarks/cohort_speed.py --rows 100000 --readings 100000 --workers 2

Upsert: ``rows`` measured rows into a new SQLite file, with an event of the ledger for each; the
same rows once more (nothing changes); the same with one column changed; beside it, sqlite3's
``executemany`` of the same tuples into the same table without a ledger, with the same ``PRAGMA``s.

Verify: ``readings`` kept readings with their rows: chain, rows, hashes, and every angle measured
again from its marks, as ``necroangle verify`` does; beside it, the bare decoding and measuring of
one reading after the other.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from hipmaker import make_reading

from necroangle.annotation import decode_reading, encode_reading, sha256_of
from necroangle.batch.again import cells_again
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.ledger.verify import verify
from necroangle.measurement import measure
from necroangle.measurement.columns import COLUMNS, KEY

AT_ONCE = 10_000
MEASURED_ALONE = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--readings", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="necroangle-speed-") as folder:
        upsert_speed(Path(folder), asked.rows)
    with tempfile.TemporaryDirectory(prefix="necroangle-speed-") as folder:
        return verify_speed(Path(folder), asked.readings, asked.workers)


def upsert_speed(folder: Path, count: int) -> None:
    some = rows(count)
    changed = [CohortRow.of({**row, "rim_sd_mm": 0.5}) for row in some]
    plain = seconds(lambda: plain_sqlite(folder / "plain.sqlite", some))
    store = CohortStore.open(folder / "cohort.sqlite")
    ours = seconds(lambda: store.upsert(some))
    same = seconds(lambda: store.upsert(some))
    other = seconds(lambda: store.upsert(changed))
    chain = seconds(lambda: verify(store))
    print(f"{count} rows of {len(COLUMNS)} columns          seconds    rows/s   / sqlite3")
    for name, found in (
        ("sqlite3 executemany, no ledger", plain),
        ("upsert, all new, with ledger", ours),
        ("upsert, nothing changed", same),
        ("upsert, all changed", other),
        (f"verify chain and rows ({2 * count} events)", chain),
    ):
        print(f"{name:<42}{found:>8.2f}{count / found:>10.0f}{found / plain:>10.2f}")


def verify_speed(folder: Path, count: int, workers: int) -> int:
    store = CohortStore.open(folder / "cohort.sqlite")
    for start in range(0, count, AT_ONCE):
        some, readings = [], {}
        for number in range(start, min(start + AT_ONCE, count)):
            row, sha256, raw = measured(number)
            some.append(row)
            readings[sha256] = raw
        store.upsert(some, readings, "benchmark")
    alone = seconds(lambda: measure_alone(store)) / MEASURED_ALONE * count
    print(f"\n{count} kept readings                     seconds  readings/s  / measuring alone")
    print(f"{'decode and measure alone, one process':<42}{alone:>8.1f}{count / alone:>10.0f}")
    start_s = time.perf_counter()
    result = verify(store, workers=workers, again=cells_again)
    took = time.perf_counter() - start_s
    name = f"verify, {workers} process{'es' * (workers > 1)}"
    print(f"{name:<42}{took:>8.1f}{count / took:>10.0f}{took / alone:>10.2f}")
    return 0 if result.is_clean and result.counts.recomputed == count else 1


BASE = make_reading()
BASE_RAW = encode_reading(BASE)
BASE_ROW = to_row(BASE, measure(BASE), sha256_of(BASE_RAW))


def rows(count: int) -> list[CohortRow]:
    return [CohortRow.of({**BASE_ROW, "subject": f"S{number:06}"}) for number in range(count)]


def measured(number: int) -> tuple[CohortRow, str, bytes]:
    """A reading of another subject: the same marks, so the same angles."""
    raw = BASE_RAW.replace(b'"subject": "S01"', f'"subject": "S{number:06}"'.encode())
    changed = {"subject": f"S{number:06}", "annotation_sha256": sha256_of(raw)}
    return CohortRow.of({**BASE_ROW, **changed}), sha256_of(raw), raw


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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
