"""A cohort that is kept, for the benchmarks of export and verification.

Two hips of each patient, five visits of each hip; the marks of five hundred hips, drawn at random,
come again in other patients, so that angles and doubts are as varied as in a study.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from hipmaker import make_reading

from necroangle.annotation import encode_reading, sha256_of
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.measurement import measure
from necroangle.terms import Laterality

__all__ = ["kept_cohort", "kept_rows"]

_MADE = 500
_AT_ONCE = 5_000


def kept_rows(count: int) -> Iterator[tuple[CohortRow, bytes]]:
    """Measured rows, and the bytes of their readings."""
    chance = np.random.default_rng(1)
    readings = [
        make_reading(a, b, laterality=side)
        for a, b in chance.uniform(20.0, 175.0, (_MADE // 2, 2)).tolist()
        for side in Laterality
    ]
    made = [(encode_reading(one), to_row(one, measure(one), "")) for one in readings]
    for number in range(count):
        raw, row = made[number // 5 % 2 + 2 * (number % (_MADE // 2))]
        key = {"subject": f"S{number // 10:06}", "visit": f"m{number % 5 * 6:02}"}
        for name, value in key.items():
            raw = raw.replace(f'"{name}": "{row[name]}"'.encode(), f'"{name}": "{value}"'.encode())
        yield CohortRow.of({**row, **key, "annotation_sha256": sha256_of(raw)}), raw


def kept_cohort(path: Path, count: int) -> CohortStore:
    """A new cohort of so many rows with their readings."""
    store = CohortStore.open(path)
    some: list[tuple[CohortRow, bytes]] = []
    for number, one in enumerate(kept_rows(count), start=1):
        some.append(one)
        if len(some) == _AT_ONCE or number == count:
            readings = {str(row["annotation_sha256"]): raw for row, raw in some}
            store.upsert([row for row, _ in some], readings, "benchmark")
            some = []
    return store
