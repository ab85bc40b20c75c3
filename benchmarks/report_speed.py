"""The report of a study of 200 hips at 4 visits: CPU time and memory.

Usage: python benchmarks/report_speed.py [--hips 200]

The readings are made, by one reader at each visit and by a second one at the first; stages and
scores are entered. The report is gathered and written as HTML and PDF, each hip with a drawing of
every reading from its marks.
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from hipmaker import make_reading

from necroangle.annotation import encode_reading, sha256_of
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.ledger.records import Entry
from necroangle.measurement import measure
from necroangle.protocol.study import NO_STUDY
from necroangle.studyreport import gather, write_html, write_pdf
from necroangle.terms import Laterality

VISITS = ("m00", "m12", "m24", "m36")
STAGES = ("2", "3A", "3B", "4")


def main() -> None:
    """Print each step's CPU time, the size of the files, and the memory at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hips", type=int, default=200)
    hips = parser.parse_args().hips
    with TemporaryDirectory() as name:
        folder = Path(name)
        with CohortStore.open(folder / "c.sqlite") as store:
            made = list(rows(hips))
            kept = {str(row["annotation_sha256"]): raw for row, raw in made}
            store.upsert([row for row, _ in made], kept, "benchmark")
            store.record(entries(hips), actor="bench")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start = time.process_time()
        report = gather(folder / "c.sqlite", NO_STUDY, datetime.now(UTC))
        gathered = time.process_time()
        write_html(report, folder / "r.html")
        written = time.process_time()
        pages = write_pdf(report, folder / "r.pdf")
        printed = time.process_time()
        sizes = [(folder / file).stat().st_size / 1e6 for file in ("r.html", "r.pdf")]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{hips} hips x {len(VISITS)} visits: gathered {gathered - start:.1f} s, HTML "
        f"{written - gathered:.1f} s ({sizes[0]:.1f} MB), PDF {printed - written:.1f} s "
        f"({sizes[1]:.1f} MB, {pages} pages); memory {peak:.0f} MB at most, {before:.0f} before"
    )


def rows(hips: int) -> Iterator[tuple[CohortRow, bytes]]:
    """Rows of the cohort, each with its reading."""
    random = np.random.default_rng(200)
    for number in range(hips):
        a, b = random.uniform(60, 170), random.uniform(50, 160)
        for place, visit in enumerate(VISITS):
            for reader in ("kim", "lee") if not place else ("kim",):
                reading = make_reading(
                    float(np.clip(a + random.normal(0, 8), 10, 200)),
                    float(np.clip(b + random.normal(0, 8), 10, 200)),
                    subject=f"S{number // 2:03}",
                    laterality=Laterality.LEFT if number % 2 else Laterality.RIGHT,
                    visit=visit,
                    reader=reader,
                )
                raw = encode_reading(reading)
                yield to_row(reading, measure(reading), sha256_of(raw)), raw


def entries(hips: int) -> list[Entry]:
    """Stages and scores of each visit."""
    random = np.random.default_rng(201)
    found = []
    for number in range(hips):
        key = f"S{number // 2:03}", "L" if number % 2 else "R"
        stage = 0
        for visit in VISITS:
            values = {"arco": STAGES[stage], "vas": float(random.integers(0, 9)), "vas_scale": 10,
                      "hhs": float(random.integers(40, 100))}  # fmt: skip
            found.append(Entry("visit", (*key, visit), values))
            stage = min(stage + int(random.random() < 0.2), 3)
    return found


if __name__ == "__main__":
    main()
