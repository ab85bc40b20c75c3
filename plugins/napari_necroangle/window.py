"""A napari window with the reading dock, and a picture of it."""

from pathlib import Path

import napari
from napari.viewer import Viewer
from qtpy.QtCore import QEventLoop, QTimer

from napari_necroangle.canvas.hosts import NapariHost
from napari_necroangle.dock.dock import ReadingDock
from necroangle.errors import NecroangleError

__all__ = ["HipReading", "open_window", "save_picture", "settle"]

DRAWING_MS = 1500
DOCK_NAME = "Hip reading (NecroAngle)"
"""As napari's menu of plugins names it, so that the menu shows this one and builds no other."""


class HipReading(ReadingDock):
    """The dock in napari's own window: what *Plugins > Hip reading* opens.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the first view; the second gets a canvas beside it.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        host = NapariHost(napari_viewer)
        self.viewer = host.viewer
        super().__init__(host)


def open_window(size: tuple[int, int], *, reader: str = "") -> HipReading:
    """Open a napari window with the dock in it.

    Parameters
    ----------
    size
        (width, height), pixels.
    reader
        The reader's code, or empty.
    """
    viewer = napari.Viewer(title="necroangle")
    viewer.window.resize(*size)
    dock = HipReading(viewer)
    dock.workspace.reader = reader
    menu = viewer.window.window_menu
    viewer.window.add_dock_widget(dock, name=DOCK_NAME, area="right", menu=menu)
    settle(100)
    viewer.window.resize(*size)
    settle(200)
    return dock


def settle(milliseconds: int) -> None:
    """Let the window draw for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def save_picture(dock: HipReading, path: Path) -> None:
    """Save a picture of the whole window, once it is drawn, and close it.

    Raises
    ------
    NecroangleError
        If the file cannot be written.
    """
    settle(DRAWING_MS)
    picture = dock.window().grab()
    if not picture.save(str(path)):
        raise NecroangleError(f"{path.name}: the picture cannot be written")
    dock.shutdown()
    dock.viewer.close()
