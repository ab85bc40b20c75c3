"""A hundred reading windows opened and closed: no canvas stays alive, and memory does not grow.

    xvfb-run -a -s '-screen 0 1920x1080x24' python benchmarks/windows_opened.py

Each window opens a study with two visits, shows a rim that is drawn, and is closed, by turns with
what is marked kept or dropped. Then it is counted what is still alive of napari's canvases, models
and layers and of ours. Memory is that of the process; its slope is taken after the first twenty.
Exit code 1 where anything is alive, or memory grows by more than 0.5 MiB a window.
"""

import argparse
import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil

_ROOT = Path(__file__).resolve().parents[1]
WARM = 20
MOST_MIB = 0.5
KINDS = ("QtViewer", "VispyCanvas", "ViewerModel", "Image", "Canvas", "PlaneView", "ReadingDock")
"""What would hold a window's pictures: none of it may be alive after it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        study = Path(
            shutil.copytree(_ROOT / "sample_dicoms" / "two_visits", Path(folder) / "study")
        )
        return windows(asked.windows, study)


def windows(count: int, study: Path) -> int:
    held, process = [], psutil.Process()
    for number in range(count):
        open_and_close(study, keeps=bool(number % 2))
        gc.collect()
        held.append(process.memory_info().rss / 1024**2)
        if number % 10 == 9:
            print(f"{number + 1:>4} windows {held[-1]:>7.0f} MiB  alive: {alive() or 'nothing'}")
    late = held[min(WARM, len(held) // 2) :]
    slope = float(np.polyfit(np.arange(len(late)), late, 1)[0])
    left = alive()
    print(f"memory: {held[0]:.0f} MiB after the first, {held[-1]:.0f} after the last window")
    print(f"slope after the first {len(held) - len(late)}: {slope:+.2f} MiB a window")
    missed = bool(left) or slope > MOST_MIB
    print(f"target: nothing alive, {MOST_MIB} MiB: {'MISS' if missed else 'ok'}")
    return int(missed)


def open_and_close(study: Path, *, keeps: bool) -> None:
    from napari_necroangle.reading.draft import Role
    from napari_necroangle.window import close_window, open_window, settle

    dock: Any = open_window((1280, 800), reader="r1")
    dock.open_folder(study)
    settle(30)
    case, plane = dock.workspace.case, dock.planes[0]
    turns = np.radians(np.linspace(100.0, 320.0, 12))
    at = np.array(plane.lens.centre_mm) + 20.0 * np.column_stack((np.cos(turns), np.sin(turns)))
    case.aim_at(plane.view, Role.RIM)
    case.draw(plane.view, plane.slice_index, [(u, v) for u, v in at.tolist()])
    case.end_stroke(plane.view)
    settle(30)
    if not keeps:
        dock.workspace.give_up_unsaved()
    close_window(dock)


def alive() -> dict[str, int]:
    """How many of each kind there are."""
    gc.collect()
    return dict(Counter(name for one in gc.get_objects() if (name := type(one).__name__) in KINDS))


if __name__ == "__main__":
    sys.exit(main())
