"""Readings a second of the batch, beside its limit and a plain script; and what each kind costs.

``python benchmarks/batch_speed.py``. All rates are of one run, over the same files in a warm cache,
measured in turns, best of several; the ratios are what counts. ``--kinds`` measures the mixed
corpus, every kind of reading and every method, in processor time; ``--beside FOLDER`` measures it
with the program in another folder too, such as a checkout of an earlier version, in turns.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from batch_corpus import KINDS, kind_items, write_files
from plain_script import plain_script
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.annotation import decode_reading
from necroangle.annotation.quick import Texts, decode_quickly
from necroangle.batch import Plan, measure_chunk, measure_file, open_stream
from necroangle.batch.sources import SourceItem
from necroangle.batch.stream import CHUNK, measure_items
from necroangle.measurement import measure, method_named

Triple = tuple[float, float, float]


class LeanMark(msgspec.Struct):
    patient_mm: Triple


class LeanArc(msgspec.Struct):
    start: LeanMark
    end: LeanMark
    via: LeanMark


class LeanPlane(msgspec.Struct):
    origin_mm: Triple
    row_cosine: Triple
    column_cosine: Triple


class LeanView(msgspec.Struct):
    plane: LeanPlane
    rim: tuple[LeanMark, ...]
    arcs: tuple[LeanArc, ...]


class LeanReading(msgspec.Struct):
    """What an angle needs, and nothing else: the limit."""

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    views: tuple[LeanView, LeanView]


Timed = tuple[int, float]
"""Readings, and the seconds that they took."""

ONE, TWO = "chunk after chunk, one process", "chunk after chunk, two processes"
_LEAN = msgspec.json.Decoder(LeanReading)


def lean(paths: list[Path]) -> None:
    """Read and parse, as lean as it goes."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        _LEAN.decode(os.read(descriptor, 1 << 20))
        os.close(descriptor)


def parsed(raws: list[bytes]) -> None:
    for raw in raws:
        _LEAN.decode(raw)


def validated(raws: list[bytes]) -> None:
    """Every field with its type and pattern, no other field, no key twice: as the batch does it."""
    texts = Texts()
    for raw in raws:
        if (reading := decode_quickly(raw)) is not None:
            texts.add(reading)
    assert all(texts.sound())


def batch(paths: list[Path]) -> None:
    """The worker function over chunks: read, hash, strict schema, checks, everything measured."""
    for first in range(0, len(paths), CHUNK):
        some = paths[first : first + CHUNK]
        measure_items([SourceItem(str(path), str(path)) for path in some], Plan())


def streamed(folder: Path, workers: int) -> None:
    """The whole road: search, rival claims, measure."""
    for _ in open_stream([folder]).results(workers):
        pass


def plain(paths: list[Path]) -> None:
    plain_script(paths)


def one_by_one(paths: list[Path]) -> None:
    for path in paths:
        measure_file(path)


def steadily(folder: Path, workers: int) -> Timed:
    """The same, from when each process has given its first thousand: starting them is no part."""
    results = open_stream([folder]).results(workers)
    for _ in range(workers):
        next(results)
    start = time.perf_counter()
    return sum(one.count for one in results), time.perf_counter() - start


def rates(
    works: dict[str, tuple[Callable[[], Timed | None], int]],
    turns: int,
    clock: Callable[[], float],
) -> dict[str, float]:
    """Best rate of each work, measured in turns; some take their own time."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(turns):
        for name, (work, count) in works.items():
            start = clock()
            done, taken = work() or (count, clock() - start)
            best[name] = max(best[name], done / taken)
    return best


SINGLE = "one plain reading alone, measure()"


def kind_costs(readings: int) -> dict[str, float]:
    """Microseconds of processor time a reading, by kind, each once."""
    found = {}
    for name, kind in KINDS.items():
        items = kind_items(kind, readings)
        plan = Plan((method_named(kind.method) if kind.method else None,), kind.settings)
        measure_chunk(items[:50], plan)
        start = time.process_time()
        measure_chunk(items, plan)
        found[name] = 1e6 * (time.process_time() - start) / readings
    alone = [decode_reading(raw) for _, raw in kind_items(next(iter(KINDS.values())), 100)]
    start = time.process_time()
    for reading in alone:
        measure(reading)
    found[SINGLE] = 1e6 * (time.process_time() - start) / len(alone)
    return found


def print_kinds(readings: int, turns: int, beside: Path | None, console: Console) -> None:
    """The least cost of each kind in several turns, here and with the program in another folder."""
    here: list[dict[str, float]] = []
    there: list[dict[str, float]] = []
    folders = [Path(__file__).parents[1], *([beside] if beside else [])]
    command = [sys.executable, __file__, "--kinds-once", "--readings", str(readings)]
    for _ in range(turns):
        for folder, found in zip(folders, (here, there), strict=False):
            place = os.environ | {"PYTHONPATH": str(folder)}
            answer = subprocess.run(command, env=place, capture_output=True, check=True)
            found.append(json.loads(answer.stdout))
    least = {name: min(one[name] for one in here) for name in here[0]}
    before = {name: min(one[name] for one in there) for name in there[0]} if there else {}
    first = next(iter(KINDS))
    table = Table(title=f"Processor time a reading, {readings:,} of each kind", box=SIMPLE)
    for heading in ("kind", "µs", "of plain", "µs before", "of before"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for name, cost in least.items():
        old = before.get(name)
        cells = (f"{old:,.0f}", f"{cost / old:.2f}") if old else ("", "")
        table.add_row(name, f"{cost:,.0f}", f"{cost / least[first]:.2f}", *cells)
    console.print(table)
    lines = [("dearest kind, of plain", max(least[name] for name in KINDS) / least[first], 3.0)]
    if before:
        lines.append(("plain, of before", least[first] / before[first], 1.0))
        lines.append(("one alone, of before", least[SINGLE] / before[SINGLE], 1.3))
    for name, value, target in lines:
        verdict = "pass" if value <= target else "MISS"
        console.print(f"{value:8.2f} {name}; target <= {target:g}: {verdict}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--cpu", action="store_true", help="count this process's own time: for a busy machine"
    )
    parser.add_argument("--kinds", action="store_true", help="the mixed corpus, kind by kind")
    parser.add_argument("--beside", type=Path, help="a folder with another version of the program")
    parser.add_argument("--kinds-once", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.kinds_once:
        print(json.dumps(kind_costs(wanted.readings)))
        return
    if wanted.kinds or wanted.beside:
        console = Console(width=120)
        print_kinds(min(wanted.readings, 1000), wanted.turns, wanted.beside, console)
        return
    clock = time.process_time if wanted.cpu else time.perf_counter
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_files(folder, wanted.readings)
        raws = [path.read_bytes() for path in paths[:2000]]
        few = paths[: max(200, wanted.readings // 50)]
        count = len(paths)
        works: dict[str, tuple[Callable[[], Timed | None], int]] = {
            "limit: read, lean parse": (partial(lean, paths), count),
            "batch, one core": (partial(batch, paths), count),
            "with search and rival claims": (partial(streamed, folder, 1), count),
            "json, pydantic, scikit-image": (partial(plain, few), len(few)),
            "necroangle, one by one": (partial(one_by_one, few), len(few)),
            "full validation alone": (partial(validated, raws), len(raws)),
            "lean parse alone": (partial(parsed, raws), len(raws)),
            "search and rival claims, two processes": (partial(streamed, folder, 2), count),
            ONE: (partial(steadily, folder, 1), count),
            TWO: (partial(steadily, folder, 2), count),
        }
        if wanted.cpu:
            for label in (ONE, TWO, "search and rival claims, two processes"):
                del works[label]
        best = rates(works, wanted.turns, clock)
    table = Table(title=f"{count:,} readings of {len(raws[0]):,} bytes", box=SIMPLE)
    table.add_column("")
    table.add_column("readings/s", justify="right")
    for label, rate in best.items():
        table.add_row(label, f"{rate:,.0f}")
    console = Console(width=120)
    console.print(table)
    for line in verdicts(best):
        console.print(line)


def verdicts(best: dict[str, float]) -> list[str]:
    """The ratios and their targets."""
    ours = best["batch, one core"]
    validation = ours * (1 / best["full validation alone"] - 1 / best["lean parse alone"])
    found = (
        ("of the limit", ours / best["limit: read, lean parse"], 0.4, ">="),
        ("times the plain script", ours / best["json, pydantic, scikit-image"], 10.0, ">="),
        (
            "times one process, with two",
            best.get(TWO, math.nan) / best.get(ONE, math.nan),
            1.7,
            ">=",
        ),
        ("times one by one", ours / best["necroangle, one by one"], 1.0, ">="),
        ("share of full validation in the batch", validation, 0.1, "<="),
    )
    return [
        f"{value:8.2f} {name}; target {sign} {target:g}: "
        f"{'pass' if (value >= target) == (sign == '>=') else 'MISS'}"
        for name, value, target, sign in found
    ]


if __name__ == "__main__":
    main()
