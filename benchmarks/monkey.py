"""A monkey in the reading window: thousands of random acts, in our window or in napari's.

    xvfb-run -a -s '-screen 0 1920x1080x24' python benchmarks/monkey.py --steps 10000 --host own

Seeded keys (all of napari's shortcuts and ours), clicks, drags, strokes, wheel, menus, buttons,
dialogs and napari's own actions on the models. After each: no exception, no warning of Qt, letters
and titles are those of the slice that is really drawn, picture and marks lie on each other, a saved
reading measures to the number on the screen, dock and canvases are there. ``--host plain`` sends
the same list to a plain napari, the control: there the keys change something. Exit code 1 where
anything was wrong, or where the control changed nothing.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

EVERY = 500
_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests" / "support"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--host", choices=("own", "napari", "plain"), default="own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--troubles", type=int, default=1, help="after which it ends")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder  # a home of its own: no settings and no drafts of the user
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        return monkey(asked, Path(folder))


def monkey(asked: argparse.Namespace, folder: Path) -> int:
    from monkey import run
    from monkeyrooms import study_copy

    start = time.perf_counter()
    room = open_room(asked.host, study_copy(_ROOT / "sample_dicoms", folder))
    gc.collect()
    gc.freeze()  # napari collects garbage at each layer that goes, a quarter of a second
    done = run(room, asked.seed, asked.steps, stop_at=asked.troubles, each=tell)
    for one in done.troubles:
        print(one, file=sys.stderr)
    print(
        f"{asked.host}, seed {asked.seed}: {done.steps} steps, {done.changed} keys changed napari, "
        f"{done.dialogs} dialogs, {done.compared} saved readings measured, "
        f"{done.theirs} errors of napari's own menus, {len(done.troubles)} troubles, "
        f"{time.perf_counter() - start:.0f} s"
    )
    return int(not done.changed if asked.host == "plain" else bool(done.troubles))


def tell(done: Any) -> None:
    """Say now and then how far it is, and how much memory that took."""
    if done.steps % EVERY == 0:
        held = psutil.Process().memory_info().rss / 1024**2
        words = f"{done.steps} steps, {time.process_time():.0f} s of CPU, {held:.0f} MiB"
        print(words, file=sys.stderr, flush=True)


def open_room(host: str, study: Path) -> Any:
    """A window with the study open."""
    from monkeyrooms import NapariRoom, PlainRoom, ReadingRoom
    from napari_necroangle.window import open_window, settle

    if host == "own":
        dock: Any = open_window((1280, 800), reader="r1")
        dock.open_folder(study)
        settle(500)
        return ReadingRoom(dock)
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1280, 800)
    settle(500)
    if host == "plain":
        viewer.add_image(np.random.default_rng(1).random((11, 40, 60)))
        return PlainRoom(viewer)
    room = NapariRoom(viewer)
    room.dock.workspace.reader = "r1"
    room.dock.open_folder(study)
    settle(500)
    return room


if __name__ == "__main__":
    sys.exit(main())
