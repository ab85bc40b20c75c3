"""Mutation fuzz of the DICOM loader: no crash, no hang, no exception but DicomError.

    python benchmarks/fuzz_loader.py --mutants 20000 --seed 1 [--folder REAL_FILES ...]

Every mutant is a file of its own: it is scanned, and what opens is decoded. Workers have a limit
on memory; one that dies or stays silent counts, and a new one goes on behind the mutant at fault.
A mutant is made again from the seed and its number alone (``--only N`` writes it to a file).
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom.data

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from dicombytes import MR_IMAGE, encapsulated, mr_file  # noqa: E402
from dicommutants import find_seeds, mutant  # noqa: E402

from necroangle.dicom import read_volume, scan_folder  # noqa: E402
from necroangle.errors import DicomError  # noqa: E402

HANG_S = 60.0
SLOW_S = 5.0
MEMORY_MIB = 3072
OWN = [ROOT / "sample_dicoms", Path(pydicom.data.__file__).parent / "test_files"]

Found = tuple[int, str, str, float]


@dataclass
class Tally:
    """What became of the mutants."""

    outcomes: Counter[str] = field(default_factory=Counter)
    undeclared: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    slowest: list[tuple[float, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, found: Found) -> None:
        number, outcome, detail, seconds = found
        with self.lock:
            self.outcomes[outcome] += 1
            self.slowest = sorted([*self.slowest, (seconds, number)], reverse=True)[:5]
            if outcome in ("undeclared", "crash", "hang"):
                self.undeclared[detail] += 1
                self.first.setdefault(detail, number)


def try_one(path: Path) -> tuple[str, str]:
    try:
        scan = scan_folder(path.parent)
        for series in scan.series:
            read_volume(series)
    except DicomError:
        return "refused at the pixels", ""
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return "undeclared", f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
    if scan.series:
        return "opened", ""
    return ("refused at the header", "") if scan.refused else ("skipped", "")


def write_coded(folder: Path) -> None:
    """One small slice in each compressed encoding: the decoders meet spoilt frames, too."""
    noise = np.random.default_rng(0).integers(0, 4096, (16, 16)).astype("<u2")
    frames = {
        "4.57": [
            imagecodecs.jpeg8_encode(noise, lossless=True, predictor=number)
            for number in range(1, 8)
        ],
        "4.70": [imagecodecs.ljpeg_encode(noise)],
        "4.51": [imagecodecs.jpeg8_encode(noise, level=90, bitspersample=12)],
        "4.80": [imagecodecs.jpegls_encode(noise)],
        "4.90": [imagecodecs.jpeg2k_encode(noise, reversible=True, codecformat="j2k")],
        "4.201": [imagecodecs.htj2k_encode(noise)],
    }
    for end, coded in frames.items():
        for number, frame in enumerate(coded):
            padded = bytes(frame) + b"\0" * (len(frame) % 2)
            values = {**MR_IMAGE, "PixelData": None}
            extra = {0x7FE00010: encapsulated(padded)}
            data = mr_file(values, extra, f"1.2.840.10008.1.2.{end}")
            (folder / f"{end}-{number}").write_bytes(data)


def weighted(seeds: list[Path]) -> list[Path]:
    """Files that open stand there four times: their copies get furthest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.dcm")
        opening = []
        for seed in seeds:
            path.write_bytes(seed.read_bytes())
            if try_one(path)[0] == "opened":
                opening.append(seed)
    return seeds + 3 * opening


def work(pipe: Connection, seeds: list[Path], seed: int, numbers: range) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    with contextlib.suppress(ImportError):
        import resource

        limit = MEMORY_MIB * 1024**2
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mutant.dcm")
        for number in numbers:
            path.write_bytes(mutant(seeds, seed, number)[1])
            before = time.monotonic()
            outcome, detail = try_one(path)
            pipe.send((number, outcome, detail, time.monotonic() - before))


def watch(tally: Tally, seeds: list[Path], seed: int, numbers: range) -> None:
    while numbers:
        ours, theirs = multiprocessing.Pipe()
        worker = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, seeds, seed, numbers), daemon=True
        )
        worker.start()
        theirs.close()
        while numbers:
            if not ours.poll(HANG_S):
                tally.add((numbers[0], "hang", f"more than {HANG_S:g} s", HANG_S))
            else:
                try:
                    tally.add(ours.recv())
                    numbers = numbers[1:]
                    continue
                except EOFError:
                    worker.join()
                    tally.add((numbers[0], "crash", f"exit code {worker.exitcode}", 0.0))
            numbers = numbers[1:]
            break
        worker.kill()
        worker.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, action="append", default=[])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", type=int, help="write this mutant to mutant.dcm and stop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_coded(Path(folder))
        run(options, weighted(find_seeds([*OWN, Path(folder), *options.folder])))


def run(options: argparse.Namespace, seeds: list[Path]) -> None:
    """Try all mutants, or write the one that is asked for."""
    if options.only is not None:
        name, data = mutant(seeds, options.seed, options.only)
        Path("mutant.dcm").write_bytes(data)
        print(f"mutant {options.only} of {name}: mutant.dcm, {len(data)} bytes")
        return
    tally, before = Tally(), time.monotonic()
    threads = [
        threading.Thread(
            target=watch,
            args=(tally, seeds, options.seed, range(start, options.mutants, options.workers)),
        )
        for start in range(options.workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report(tally, len(set(seeds)), time.monotonic() - before)


def report(tally: Tally, seeds: int, seconds: float) -> None:
    total = sum(tally.outcomes.values())
    print(f"{total} mutants of {seeds} files in {seconds:.0f} s")
    for outcome, count in tally.outcomes.most_common():
        print(f"  {outcome}: {count}")
    slow = ", ".join(f"{seconds:.2f} s (mutant {number})" for seconds, number in tally.slowest)
    print(f"  slowest: {slow}")
    print(
        f"  undeclared exceptions, crashes and hangs: {sum(tally.undeclared.values())} (wanted: 0)"
    )
    for detail, count in tally.undeclared.most_common():
        print(f"    {count} x {detail}, first mutant {tally.first[detail]}")


if __name__ == "__main__":
    main()
