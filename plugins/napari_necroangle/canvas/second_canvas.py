"""The canvas beside napari's own: a second viewer model in a dock, and how the docks lie."""

from collections.abc import Sequence
from typing import Any

from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QApplication, QDockWidget, QLabel, QMainWindow, QWidget

__all__ = [
    "DOCK_WIDTH_PX",
    "SecondCanvas",
    "dock_of",
    "hide_napari_docks",
    "hide_slice_numbers",
    "lay_side_by_side",
    "share_width",
    "show_welcome",
]

DOCK_WIDTH_PX = 340
_NAPARI_DOCKS = ("layer list", "layer controls")
_SLICE_NUMBERS = ("slice_label", "slice_label_sep")


class SecondCanvas:
    """A second napari canvas in a dock.

    Parameters
    ----------
    viewer
        The main viewer, in whose window it is docked.
    name
        The dock's title.
    """

    def __init__(self, viewer: Any, name: str) -> None:
        self.model = ViewerModel()
        self.model.theme = viewer.theme
        self.canvas: Any = QtViewer(self.model)
        self.dock: Any = viewer.window.add_dock_widget(
            self.canvas, name=name, area="right", add_vertical_stretch=False
        )

    def call(self, name: str) -> None:
        """Give the dock another title; napari's own title bar does not follow the window's."""
        self.dock.name = name
        self.dock.setWindowTitle(name)
        for label in self.dock.titleBarWidget().findChildren(QLabel):
            label.setText(name)

    def close(self) -> None:
        """Take the canvas down; napari counts one that is left behind as a leak."""
        if self.canvas is None:
            return
        self.canvas.close()
        self.canvas.setParent(None)
        self.canvas.deleteLater()
        self.canvas = self.dock = None
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def dock_of(widget: QWidget) -> QDockWidget | None:
    """The dock that holds a widget."""
    parent: QObject | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def hide_napari_docks(window: QMainWindow) -> None:
    """Hide napari's layer docks; the Window menu brings them back."""
    for dock in window.findChildren(QDockWidget):
        if dock.objectName() in _NAPARI_DOCKS:
            dock.hide()


def hide_slice_numbers(window: QWidget) -> None:
    """Hide the sliders' numbers, which count from 0; the canvas says the slice, from 1."""
    for label in window.findChildren(QWidget):
        if label.objectName() in _SLICE_NUMBERS:
            label.hide()


def show_welcome(window: QMainWindow, on: bool) -> None:
    """Show napari's welcome on its empty canvas, or not: it invites to another way of opening."""
    centre = window.centralWidget()
    found: Any = centre.findChild(QtViewer) if centre is not None else None
    if found is not None:
        found.show_welcome_screen = on


def lay_side_by_side(window: QMainWindow, canvas: QDockWidget, panel: QDockWidget) -> None:
    """From left to right: napari's canvas, the second one just as wide, the panel."""
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, canvas)
    window.splitDockWidget(canvas, panel, Qt.Orientation.Horizontal)
    share_width(window, (canvas, panel))


def share_width(window: QMainWindow, docks: Sequence[QDockWidget], *, alone: bool = False) -> None:
    """Give both canvases the same width beside the panel's own, or all of it to one alone."""
    free = window.width() - DOCK_WIDTH_PX
    width = max(free if alone else free // 2, 100)
    window.resizeDocks(list(docks), [width, DOCK_WIDTH_PX], Qt.Orientation.Horizontal)
