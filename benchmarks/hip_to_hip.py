"""Time from asking for the next hip to its pictures, and memory over many hips.

    xvfb-run -a -s '-screen 0 1920x1080x24' python benchmarks/hip_to_hip.py

Hips of two series each, 40 slices of 512 x 512 pixels, are opened one after the other. The time
ends when a frame that was asked for after both canvases took the new pictures is on the screen.
Beside the time by the clock, which means little on a busy machine, stands that of the processor,
of all threads together; the target is of the smaller one. With the next hip read ahead and
without, in turns; then many more, for the resident memory of the process: its peak, and its slope
after the first ten.
"""

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import napari_necroangle.modes.workspace as workspace_module
import numpy as np
import psutil
from made_hips import write_hips
from napari_necroangle.dock.dock import ReadingDock
from napari_necroangle.modes.workspace import Prefetch
from napari_necroangle.window import close_window, open_window, settle
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from necroangle.dicom import SeriesSummary, read_volume
from necroangle.imaging import Volume

SIZE_PX = (1700, 950)
TARGET_S = 0.5
WARM = 10
"""Hips before the slope is taken: caches fill."""
LONGEST_S = 20.0
MIB = 1024**2


class Reading:
    """What the workspace reads volumes by: those that were read ahead are there at once."""

    def __init__(self) -> None:
        self.ahead, self.hits = Prefetch(), 0

    def __call__(self, series: SeriesSummary) -> Volume:
        volume = self.ahead.take(series)
        self.hits += volume is not None
        return read_volume(series) if volume is None else volume


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timed", type=int, default=20, help="hips opened with, and without")
    parser.add_argument("--hips", type=int, default=100, help="hips opened for the memory")
    parser.add_argument("--made", type=int, default=12, help="hips on the disk, walked to and fro")
    asked = parser.parse_args()
    reading = Reading()
    workspace_module.read_volume = reading
    with tempfile.TemporaryDirectory() as folder:
        write_hips(Path(folder), asked.made)
        dock = open_window(SIZE_PX, reader="r1")
        dock.open_folder(Path(folder))
        settle(800)
        missed = time_hips(dock, reading, asked.timed)
        measure_memory(dock, reading, asked.hips)
        reading.ahead.close()
        close_window(dock)
    return int(missed)


def time_hips(dock: ReadingDock, reading: Reading, count: int) -> bool:
    """Open hips with and without reading ahead, in turns, and print both; whether it was slow."""
    times: dict[str, list[tuple[float, float]]] = {"read ahead": [], "read when asked": []}
    walk = to_and_fro(dock)
    for _ in range(4):
        open_next(dock, next(walk))
    reading.hits = 0
    for number in range(2 * count):
        step = next(walk)
        name = list(times)[number % 2]
        if name == "read ahead":
            aim(reading, dock, step)
        settle(400)
        times[name].append(open_next(dock, step))
    print(f"{'next hip':<18}{'median s':>9}{'p95 s':>8}{'CPU s':>8}{'p95 s':>8}")
    for name, taken in times.items():
        middle, late = np.median(taken, axis=0), np.percentile(taken, 95, axis=0)
        figures = zip(middle, late, strict=True)
        print(f"{name:<18}" + "".join(f"{one:>9.3f}{most:>8.3f}" for one, most in figures))
    print(f"{reading.hits} volumes were there")
    slow = bool(np.median(times["read ahead"], axis=0).min() > TARGET_S)
    print(f"target with reading ahead: {TARGET_S} s, {'MISS' if slow else 'ok'}")
    return slow


def measure_memory(dock: ReadingDock, reading: Reading, count: int) -> None:
    """Open many hips, and print the slope and the peak of resident memory."""
    process, walk, found = psutil.Process(), to_and_fro(dock), []
    for _ in range(count):
        step = next(walk)
        aim(reading, dock, step)
        open_next(dock, step)
        settle(60)
        gc.collect()
        found.append(process.memory_info().rss / MIB)
    late = np.array(found[WARM:])
    slope = float(np.polyfit(np.arange(len(late)), late, 1)[0])
    print(
        f"memory over {count} hips: {found[0]:.0f} MiB at the first, {max(found):.0f} at the peak"
    )
    print(f"slope after the first {WARM}: {slope:+.2f} MiB a hip")


def aim(reading: Reading, dock: ReadingDock, step: int) -> None:
    """Read the hip so many places further ahead."""
    reading.ahead.aim_at(dock.free.likeliest(dock.free.key_at(step)))


def to_and_fro(dock: ReadingDock) -> Any:
    """Steps that walk the folder from end to end and back, for ever."""
    step = 1
    while True:
        if dock.free.key_at(step) is None:
            step = -step
        yield step


def open_next(dock: ReadingDock, step: int) -> tuple[float, float]:
    """Open the hip so many places further; seconds until it is on the screen, and of CPU."""
    start, cpu = time.perf_counter(), time.process_time()
    frames: list[None] = []
    native = dock.canvases.native
    assert dock.mode.neighbour(step) == ""
    native.frameSwapped.connect(lambda: frames.append(None))
    wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while not frames and time.perf_counter() - start < LONGEST_S:
        QApplication.processEvents(wait, 20)
    taken = time.perf_counter() - start, time.process_time() - cpu
    native.frameSwapped.disconnect()
    return taken


if __name__ == "__main__":
    sys.exit(main())
