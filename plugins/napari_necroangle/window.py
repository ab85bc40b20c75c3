"""The window of ``necroangle read``, the dock in napari's own window, and a picture of either."""

from collections.abc import Callable
from pathlib import Path

from napari.qt import get_qapp
from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QEventLoop, Qt, QTimer
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMainWindow, QMenu

from napari_necroangle.canvas.hosts import NapariHost, OwnHost
from napari_necroangle.canvas.view import make_ready
from napari_necroangle.dock.dock import ReadingDock
from napari_necroangle.reading.keys import REPEATED, key_label, keys_in_use
from necroangle.errors import NecroangleError

DRAWING_MS = 1500


class HipReading(ReadingDock):
    """The dock in napari's own window: what *Plugins > Hip reading* opens.

    ``napari_viewer``: the viewer whose canvas shows the first view; the second gets a canvas
    beside it.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        host = NapariHost(napari_viewer)
        self.viewer = host.viewer
        super().__init__(host)

    def event(self, event: QEvent) -> bool:
        """What is taken out of napari's window by a script ends: nobody could bring it back."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shutdown()
            self.deleteLater()
        return super().event(event)


class ReadingWindow(QMainWindow):
    """A window of our own: canvases, dock and a small menu; none of napari's is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("necroangle")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        host = OwnHost(self)
        self.dock = dock = ReadingDock(host)
        host.hold(dock)
        files = self.menuBar().addMenu("&File")
        self._add(files, "&Open folder…", dock.ask_folder, "Ctrl+O")
        self._add(files, "Open &from server…", dock.ask_server)
        self._add(files, "Open &reading…", dock.ask_reading)
        self._offer(files, "&Save", "save")
        files.addSeparator()
        self._add(files, "&Quit", self.close, "Ctrl+Q")
        edit = self.menuBar().addMenu("&Edit")
        self._offer(edit, "&Undo", "undo")
        self._offer(edit, "&Redo", "redo")
        view = self.menuBar().addMenu("&View")
        self._add(view, "&Full screen", dock.toggle_full_screen, "F11")
        self._offer(view, "&One canvas or two", "layout")
        self._offer(view, "&Reset", "reset_view")
        help_ = self.menuBar().addMenu("&Help")
        self._offer(help_, "All &keys", "help")
        self._add(help_, "&Tour", dock.guide.begin)

    def _offer(self, menu: QMenu, words: str, name: str) -> None:
        """A command with its keys: a key alone is only named, for it is heard by the canvas."""
        keys = [one.key.replace("Control", "Ctrl") for one in keys_in_use() if one.name == name]
        held = [key.replace("-", "+") for key in keys if "-" in key]
        shown = words if held else f"{words}\t{key_label(name)}"
        self._add(menu, shown, lambda: self.dock.do(name), *held, again=name in REPEATED)

    def _add(
        self, menu: QMenu, words: str, run: Callable[[], object], *keys: str, again: bool = False
    ) -> None:
        action = menu.addAction(words)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.setAutoRepeat(again)
        action.triggered.connect(lambda: run())


def open_window(size: tuple[int, int], *, reader: str = "") -> ReadingDock:
    """Open a window of our own.

    ``size``: (width, height), logical pixels.
    """
    get_qapp()
    make_ready()
    window = ReadingWindow()
    window.dock.workspace.reader = reader
    window.resize(*size)
    window.show()
    settle(200)
    return window.dock


def close_window(dock: ReadingDock) -> None:
    """Close the window of a dock without a question."""
    window = dock.window()
    dock.shutdown()
    window.close()
    settle(20)


def settle(milliseconds: int) -> None:
    """Let the window draw for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def save_picture(dock: ReadingDock, path: Path) -> None:
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
    close_window(dock)
