"""A mouse move to its frame while a rim point is dragged, beside napari alone.

    xvfb-run -a -s '-screen 0 1920x1080x24' python benchmarks/drag_speed.py

Two are measured in turns, block by block, in one process: napari alone (its window as large, its
canvas as large, the same stack and points, the same point dragged), and the
reading window with all that it shows. A move is sent once the frame of the last one is on the
screen, and 15 ms after it at the earliest: napari drops faster ones. The targets are of CPU time
of the main thread, which holds on a busy machine; and no shader program may be built in a drag.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import napari
import numpy as np
from made_hips import RADIUS_MM, SLICES, write_hips
from napari.qt import QtViewer
from napari_necroangle.dock.dock import ReadingDock
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.window import close_window, open_window, settle
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QEventLoop, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QWidget
from vispy.gloo import Program

SIZE_PX = (1700, 950)
GAP_S = 0.016
MOST_CPU_MS, MOST_RATIO = 8.0, 0.6
PLAIN, OURS = "napari alone", "reading window"
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
Array = NDArray[np.float64]
Move = tuple[float, float]
"""Seconds from the event to its frame, and of CPU on this thread."""


class Canvas:
    """A canvas that can be dragged on, and the frames that it shows."""

    def __init__(self, model: Any, native: Any) -> None:
        self.model, self.native, self.frames = model, native, 0
        native.frameSwapped.connect(self._count)

    def drag(self, uv_mm: tuple[float, float], moves: int) -> list[Move]:
        """Drag the point at plane mm on loops, back to where it was; seconds of each move."""
        start = self._pixel(uv_mm)
        self._send(QEvent.Type.MouseMove, start, NONE, NONE)
        settle(100)
        self._send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
        settle(150)
        turns = np.linspace(0, 4 * np.pi, moves, endpoint=False) + 0.1
        path = start + 25.0 * np.column_stack((np.sin(turns), np.cos(turns) - 1))
        times = [self._move(one) for one in path]
        self._send(QEvent.Type.MouseMove, start, NONE, LEFT)
        settle(50)
        self._send(QEvent.Type.MouseButtonRelease, start, LEFT, NONE)
        settle(150)
        return times

    def _move(self, pixel: Array) -> tuple[float, float]:
        """Seconds from the event to its frame, and those of them that this thread was at work."""
        QApplication.processEvents()
        before, start, cpu = self.frames, time.perf_counter(), time.thread_time()
        self._send(QEvent.Type.MouseMove, pixel, NONE, LEFT)
        while self.frames == before and time.perf_counter() - start < 2:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
        taken = time.perf_counter() - start
        while time.perf_counter() - start < GAP_S:
            QApplication.processEvents()
        return taken, time.thread_time() - cpu

    def _count(self) -> None:
        self.frames += 1

    def _pixel(self, uv_mm: tuple[float, float]) -> Array:
        camera, size = self.model.scene.camera, (self.native.width(), self.native.height())
        middle_mm = np.array(camera.center[:0:-1])
        return np.array(size) / 2 + (np.array(uv_mm) - middle_mm) * camera.zoom

    def _send(self, kind: Any, pixel: Array, button: Any, buttons: Any) -> None:
        place = QPointF(*pixel.tolist())
        there = QPointF(self.native.mapToGlobal(place.toPoint()))
        event = QMouseEvent(kind, place, there, button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.native, event)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=160, help="of each, in all")
    parser.add_argument("--blocks", type=int, default=8, help="in which they are measured in turns")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_hips(Path(folder), 1)
        dock = open_window(SIZE_PX, reader="r1")
        dock.open_folder(Path(folder))
        settle(500)
        mark(dock)
        ours = Canvas(dock.planes[0].model, dock.canvases.native)
        plain, floor, point = open_plain(dock, ours)
        canvases = {PLAIN: floor, OURS: ours}
        moves = asked.moves // asked.blocks
        times, built = measure(dock, canvases, point, asked.blocks, moves)
        missed = tell(times, built, f"{ours.native.width()} x {ours.native.height()}")
        plain.close()
        close_window(dock)
    return int(missed)


def mark(dock: ReadingDock) -> None:
    """Mark rim and arc on both views, and make the first canvas the active one."""
    case = dock.workspace.case
    for view in (one.view for one in case.session.draft.views):
        picture = case.pictures[view]
        middle = picture.volume.planes[SLICES // 2].patient_to_plane(picture.centre_mm())[0]
        for role, turns in ((Role.RIM, range(120, 360, 20)), (Role.START, (200, 320, 260))):
            case.aim_at(view, role)
            for turn in turns:
                along = RADIUS_MM * np.array((np.cos(np.radians(turn)), np.sin(np.radians(turn))))
                case.click(view, SLICES // 2, tuple((middle + along).tolist()))
    dock.turn_to(dock.planes[0].view)
    settle(500)


def open_plain(dock: ReadingDock, ours: Canvas) -> tuple[napari.Viewer, Canvas, int]:
    """Napari alone, with a canvas of the same size on the same stack and points."""
    plane = dock.planes[0]
    volume = plane.picture.volume
    viewer = napari.Viewer(title="napari alone")
    viewer.window.resize(*SIZE_PX)
    units = ("mm",) * 3
    viewer.add_image(
        volume.pixels, scale=volume.scale_mm, units=units, contrast_limits=volume.shown_window()
    )
    places = [(one.index, *one.uv_mm[::-1]) for one in plane.sketch.marks]
    scale, size_mm = (volume.scale_mm[0], 1.0, 1.0), 9.0 / plane.lens.zoom
    points = viewer.add_points(np.array(places), scale=scale, units=units, size=size_mm)
    room = viewer.window.add_dock_widget(QWidget(), area="right")
    main_window = room.window()
    for one in main_window.findChildren(QDockWidget):
        if one.objectName() in ("layer list", "layer controls"):
            one.hide()
    native = main_window.centralWidget().findChild(QtViewer).canvas.native
    for _ in range(4):
        settle(200)
        width = room.width() + native.width() - ours.native.width()
        main_window.resizeDocks([room], [width], Qt.Orientation.Horizontal)
    settle(300)
    viewer.scene.camera.center = plane.model.scene.camera.center
    viewer.scene.camera.zoom = plane.model.scene.camera.zoom
    viewer.dims.set_current_step(0, plane.slice_index)
    points.mode = "select"
    settle(300)
    return viewer, Canvas(viewer, native), 3


def measure(
    dock: ReadingDock, canvases: dict[str, Canvas], point: int, blocks: int, moves: int
) -> tuple[dict[str, list[Move]], dict[str, int]]:
    """Seconds of every move, in turns, and how many shader programs were built meanwhile."""
    built: list[str] = []
    set_shaders, now = Program.set_shaders, ""

    def counted(program: Any, *given: Any, **named: Any) -> Any:
        built.append(now)
        return set_shaders(program, *given, **named)

    Program.set_shaders = counted
    times: dict[str, list[Move]] = {name: [] for name in canvases}
    for block in range(2 * blocks):
        for now in list(times) if block % 2 else reversed(list(times)):
            uv_mm = dock.planes[0].uv_of(Handle(Role.RIM, point))
            times[now].extend(canvases[now].drag(uv_mm, moves // 2))
    return times, {name: built.count(name) for name in times}


def tell(times: dict[str, list[Move]], built: dict[str, int], size: str) -> bool:
    """Print what was found; whether a target is missed."""
    floor, floor_cpu = np.median(times[PLAIN], axis=0)
    print(f"canvas {size} pixels, {len(times[PLAIN])} moves of each")
    print(
        f"{'':<16}{'median ms':>10}{'p95 ms':>9}{'ratio':>8}{'CPU ms':>9}{'ratio':>8}{'shaders':>9}"
    )
    for name, moves in times.items():
        wall, cpu = np.median(moves, axis=0)
        late = np.percentile([taken for taken, _ in moves], 95) * 1e3
        print(
            f"{name:<16}{wall * 1e3:>10.1f}{late:>9.1f}{wall / floor:>8.2f}"
            f"{cpu * 1e3:>9.1f}{cpu / floor_cpu:>8.2f}{built[name]:>9}"
        )
    cpu = np.median(times[OURS], axis=0)[1]
    missed = bool(cpu * 1e3 > MOST_CPU_MS or cpu / floor_cpu > MOST_RATIO or built[OURS])
    print(f"targets: {MOST_CPU_MS} ms, {MOST_RATIO}, no shader: {'MISS' if missed else 'ok'}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
