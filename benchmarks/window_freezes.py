"""How long the reading window does not answer: the longest pieces of work on its thread.

    xvfb-run -a -s '-screen 0 1920x1080x24' python benchmarks/window_freezes.py [FOLDER]

A timer ticks every 10 ms while the window shows, the tour begins, the first rim is drawn, a folder
is opened and the next hips are shown; what runs between two ticks is one piece, in which neither
the mouse nor a key is answered. Told are the longest by the clock, and of CPU of the window's own
thread, which means more on a busy machine. With ``--where``, our lines in which the longest were;
with ``--deep``, those of every library.
FOLDER: images of your own for the last two; by default made hips, 40 slices of 512 x 512 pixels.
Exit code 1 where a piece takes more than 0.2 s of CPU.
"""

import argparse
import gc
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

LIMIT_S = 0.2
TICK_MS = 10
SIZE_PX = (1700, 950)


class Ticks:
    """A timer on the window's thread, and what stood between its ticks."""

    def __init__(self, shows_where: bool) -> None:
        from qtpy.QtCore import QTimer

        self.worst: tuple[float, float] = (0.0, 0.0)
        self.pieces: list[tuple[float, Counter[str]]] = []
        self._where: Counter[str] = Counter()
        self._last = (time.perf_counter(), time.thread_time())
        self._thread = threading.get_ident()
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        if shows_where:
            threading.Thread(target=self._watch, daemon=True).start()

    def tick(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        clock, cpu = (after - before for after, before in zip(now, self._last, strict=True))
        self.worst = max(self.worst[0], clock), max(self.worst[1], cpu)
        if cpu > LIMIT_S / 4:
            self.pieces.append((cpu, self._where))
        self._where, self._last = Counter(), now

    def _watch(self) -> None:
        while True:
            time.sleep(0.004)
            frame = sys._current_frames().get(self._thread)  # noqa: SLF001
            lines = []
            while frame is not None:
                lines.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
                frame = frame.f_back
            for file, line, name in set(lines):
                if "necroangle" in file or "--deep" in sys.argv:
                    self._where[f"{'/'.join(file.split('/')[-2:])} {line} {name}"] += 1

    def of(self, what: str, work: Callable[[], object], wait_ms: int) -> bool:
        """Do some work, wait, and print the longest pieces of it; whether one was too long."""
        from napari_necroangle.window import settle
        from qtpy.QtCore import QTimer

        settle(100)
        self.worst, self.pieces = (0.0, 0.0), []
        QTimer.singleShot(0, work)
        settle(wait_ms)
        clock, cpu = self.worst
        more = ", ".join(f"{one:.2f}" for one, _ in sorted(self.pieces, key=lambda p: -p[0])[1:4])
        print(f"{what:<28}{clock:>8.3f}{cpu:>8.3f}  {more}", flush=True)
        for one, where in sorted(self.pieces, key=lambda p: -p[0])[:2]:
            for line, count in where.most_common(40):
                print(f"        {one:.2f} {count:>4} {line}")
        return cpu > LIMIT_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--hips", type=int, default=4)
    parser.add_argument("--where", action="store_true")
    parser.add_argument("--deep", action="store_true")
    asked = parser.parse_args()
    start = time.process_time()
    from made_hips import write_hips
    from napari_necroangle.window import close_window, open_window

    loaded = time.process_time()
    dock = open_window(SIZE_PX, reader="r1")
    shown = time.process_time()
    print(f"imports {loaded - start:.2f} s of CPU, window {shown - loaded:.2f}")
    gc.collect()
    gc.freeze()  # as the window's own process does
    ticks = Ticks(asked.where)
    print(f"{'longest piece':<28}{'clock':>8}{'CPU s':>8}  the next ones")
    late = [ticks.of("window, idle", lambda: None, 500)]
    late.append(ticks.of("tour begins", dock.guide.begin, 3000))
    late.append(ticks.of("first rim", lambda: draw_rim(dock), 2000))
    late.append(ticks.of("second rim", lambda: draw_rim(dock, 2.0), 2000))
    late.append(ticks.of("tour ends", dock.guide.leave, 1500))
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        if asked.folder is None:
            write_hips(folder, asked.hips)
        late.append(ticks.of("folder opens", lambda: dock.open_folder(folder), 4000))
        late.extend(
            ticks.of(f"next hip {number}", lambda: dock.mode.neighbour(1), 2500)
            for number in (1, 2, 3)
        )
        close_window(dock)
    return int(any(late))


def draw_rim(dock: object, more_mm: float = 0.0) -> None:
    """A stroke round the middle of the first picture, as the mouse draws one."""
    plane, case = dock.planes[0], dock.workspace.case
    picture = plane.picture.volume.planes[plane.slice_index]
    middle = np.array(plane.picture.volume.pixels[plane.slice_index].shape) / 2
    u, v = middle[1] * picture.column_spacing_mm, middle[0] * picture.row_spacing_mm
    turn = np.radians(np.arange(170, 390, 5))
    radius = 24.0 + more_mm
    case.draw(
        plane.view,
        plane.slice_index,
        [(u + radius * float(np.cos(t)), v + radius * float(np.sin(t))) for t in turn],
    )
    case.end_stroke(plane.view)
    dock.commands.stroked()


if __name__ == "__main__":
    sys.exit(main())
