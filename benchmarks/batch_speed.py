"""Readings a second of the batch, beside its limit and a plain script.

``python benchmarks/batch_speed.py``. All rates are of one run, over the same files in a warm cache,
measured in turns, best of several; the ratios are what counts.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from batch_corpus import write_files
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from necroangle.annotation import HipReading
from necroangle.batch import Plan, measure_file, open_stream
from necroangle.batch.leaf import Leaf
from necroangle.batch.stream import CHUNK, measure_leaves

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


TWO = "the same, two processes"
_LEAN = msgspec.json.Decoder(LeanReading)
_STRICT = msgspec.json.Decoder(HipReading)


def lean(paths: list[Path]) -> None:
    """Read and parse, as lean as it goes."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        _LEAN.decode(os.read(descriptor, 1 << 20))
        os.close(descriptor)


def parsed(decoder: Any, raws: list[bytes]) -> None:
    for raw in raws:
        decoder.decode(raw)


def batch(paths: list[Path]) -> None:
    """The worker function over chunks: read, hash, strict schema, checks, everything measured."""
    for first in range(0, len(paths), CHUNK):
        some = paths[first : first + CHUNK]
        measure_leaves([Leaf(str(path), path) for path in some], Plan())


def streamed(folder: Path, workers: int) -> None:
    """The whole road: search, rival claims, measure."""
    for _ in open_stream([folder]).results(workers):
        pass


def one_by_one(paths: list[Path]) -> None:
    for path in paths:
        measure_file(path)


def plain_script() -> Callable[[list[Path]], None]:
    """json, pydantic and scikit-image, a file at a time: how one would write it first."""
    import pydantic
    from skimage.measure import CircleModel

    class Mark(pydantic.BaseModel):
        patient_mm: Triple
        pixel: tuple[float, float]

    class Arc(pydantic.BaseModel):
        start: Mark
        end: Mark
        via: Mark

    class Plane(pydantic.BaseModel):
        origin_mm: Triple
        row_cosine: Triple
        column_cosine: Triple
        row_spacing_mm: float
        column_spacing_mm: float

    class View(pydantic.BaseModel):
        view: str
        plane: Plane
        rim: list[Mark]
        arcs: list[Arc]

    class Reading(pydantic.BaseModel):
        subject: str
        laterality: str
        visit: str
        reader: str
        read_no: int
        views: list[View]

    def in_plane(plane: Plane, marks: list[Mark]) -> np.ndarray[Any, Any]:
        axes = np.array((plane.row_cosine, plane.column_cosine))
        points = np.array([mark.patient_mm for mark in marks])
        return np.asarray((points - plane.origin_mm) @ axes.T)

    def angle(view: View) -> float:
        circle = CircleModel.from_estimate(in_plane(view.plane, view.rim))
        total = 0.0
        for arc in view.arcs:
            ends = in_plane(view.plane, [arc.start, arc.end, arc.via]) - circle.center
            first, last, via = np.degrees(np.arctan2(ends[:, 1], ends[:, 0]))
            turn, middle = (last - first) % 360, (via - first) % 360
            total += turn if middle < turn else 360 - turn
        return total

    def run(paths: list[Path]) -> None:
        rows = []
        for path in paths:
            with path.open() as file:
                reading = Reading.model_validate(json.load(file))
            a, b = (angle(view) for view in reading.views)
            rows.append({"subject": reading.subject, "a": a, "b": b, "cna": a + b})

    return run


def rates(
    works: dict[str, tuple[Callable[[], object], int]], turns: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Best rate of each work, measured in turns."""
    best = dict.fromkeys(works, 0.0)
    for _ in range(turns):
        for name, (work, count) in works.items():
            start = clock()
            work()
            best[name] = max(best[name], count / (clock() - start))
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--cpu", action="store_true", help="count this process's own time: for a busy machine"
    )
    wanted = parser.parse_args()
    clock = time.process_time if wanted.cpu else time.perf_counter
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_files(folder, wanted.readings)
        raws = [path.read_bytes() for path in paths[:2000]]
        few = paths[: max(200, wanted.readings // 50)]
        count = len(paths)
        works: dict[str, tuple[Callable[[], object], int]] = {
            "limit: read, lean parse": (partial(lean, paths), count),
            "batch, one core": (partial(batch, paths), count),
            "with search and rival claims": (partial(streamed, folder, 1), count),
            TWO: (partial(streamed, folder, 2), count),
            "json, pydantic, scikit-image": (partial(plain_script(), few), len(few)),
            "necroangle, one by one": (partial(one_by_one, few), len(few)),
            "strict schema alone": (partial(parsed, _STRICT, raws), len(raws)),
            "lean schema alone": (partial(parsed, _LEAN, raws), len(raws)),
        }
        if wanted.cpu:
            del works[TWO]
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
    validation = ours * (1 / best["strict schema alone"] - 1 / best["lean schema alone"])
    found = (
        ("of the limit", ours / best["limit: read, lean parse"], 0.4, ">="),
        ("times the plain script", ours / best["json, pydantic, scikit-image"], 10.0, ">="),
        (
            "times one process, with two",
            best.get(TWO, math.nan) / best["with search and rival claims"],
            1.7,
            ">=",
        ),
        ("times one by one", ours / best["necroangle, one by one"], 1.0, ">="),
        ("share of the schema's strictness in the batch", validation, 0.1, "<="),
    )
    return [
        f"{value:8.2f} {name}; target {sign} {target:g}: "
        f"{'pass' if (value >= target) == (sign == '>=') else 'MISS'}"
        for name, value, target, sign in found
    ]


if __name__ == "__main__":
    main()
