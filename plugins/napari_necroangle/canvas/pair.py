"""Two canvases side by side, or one at a time; napari's own furniture is guarded here alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QLabel, QMainWindow, QWidget

from napari_necroangle.canvas.mouse import Hands, Interaction, SampledPath
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.texts import VIEWS
from necroangle.terms import View

__all__ = [
    "DOCK_WIDTH_PX",
    "Canvases",
    "HostGuard",
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
_PLANE = 2
"""How many dimensions a canvas shows."""
_SLICE_NUMBERS = ("slice_label", "slice_label_sep")


class HostGuard:
    """Keeps napari from changing what a canvas shows under the letters that stand on it.

    The canvas is black in every theme; the shortcuts of the window's menus are off; axes that are
    exchanged, a third dimension and a grid are set back; a layer of ours that is taken away comes
    back; a dock of ours that is closed is hidden, and the menus bring it back.

    Parameters
    ----------
    window
        The main window.
    models
        The viewer models of the canvases.
    docks
        Ours.
    on_losing, on_lost
        Called before a layer is taken out of a model, and once all events are done.
    """

    def __init__(
        self,
        window: QMainWindow,
        models: Sequence[ViewerModel],
        docks: Sequence[Any],
        on_losing: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._models, self._on_losing, self._on_lost = tuple(models), on_losing, on_lost
        self._shortcuts = [
            (action, action.shortcuts())
            for action in _actions_of(window.menuBar())
            if action.shortcuts()
        ]
        for action, _ in self._shortcuts:
            action.setShortcuts([])
        for dock in docks:
            dock.destroyOnClose = dock.hide
        for model in self._models:
            model.canvas.background_color_override = "black"
            model.dims.events.order.connect(self._set_back)
            model.dims.events.ndisplay.connect(self._set_back)
            model.canvas.grid.events.enabled.connect(self._set_back)
            model.layers.events.removing.connect(self._note)
            model.layers.events.removed.connect(self._look_soon)

    def release(self) -> None:
        """Let napari have its window back."""
        for action, shortcuts in self._shortcuts:
            action.setShortcuts(shortcuts)
        for model in self._models:
            model.canvas.background_color_override = None
            model.dims.events.order.disconnect(self._set_back)
            model.dims.events.ndisplay.disconnect(self._set_back)
            model.canvas.grid.events.enabled.disconnect(self._set_back)
            model.layers.events.removing.disconnect(self._note)
            model.layers.events.removed.disconnect(self._look_soon)
        self._models, self._shortcuts = (), []

    def _set_back(self) -> None:
        for model in self._models:
            dims, order = model.dims, tuple(range(model.dims.ndim))
            if dims.ndisplay != _PLANE:
                dims.ndisplay = _PLANE
            if tuple(dims.order) != order:
                dims.order = order
            if model.canvas.grid.enabled:
                model.canvas.grid.enabled = False

    def _note(self) -> None:
        self._on_losing()

    def _look_soon(self) -> None:
        QTimer.singleShot(0, self._look)

    def _look(self) -> None:
        if self._models:
            self._on_lost()


def _actions_of(menu: Any) -> Iterator[Any]:
    """Every action of a menu and of the menus in it; napari's belong to no window."""
    for action in menu.actions():
        yield action
        if action.menu() is not None:
            yield from _actions_of(action.menu())


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
            self.canvas,
            name=name,
            area="right",
            add_vertical_stretch=False,
            menu=viewer.window.window_menu,
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


_MERGES_MOVES = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
"""Whether Qt leaves moves of the mouse out where the machine is busy."""
SMALL_PX = 1100
"""A window narrower than this begins with one canvas."""


class Canvases:
    """napari's own canvas and the one beside it.

    Parameters
    ----------
    viewer
        The main viewer.
    window, panel
        Its window, and the dock that the canvases leave room for.
    hands
        Is told what the mouse does.
    on_step
        Called when a canvas turns to another slice.

    Attributes
    ----------
    planes
        What the canvases show.
    is_single
        Whether only one of them is shown.
    """

    def __init__(
        self,
        viewer: Any,
        window: QMainWindow,
        panel: QDockWidget,
        hands: Hands,
        on_step: Callable[[], None],
    ) -> None:
        self._window, self._panel = window, panel
        self._on_step = on_step
        self._run: Callable[[str, View], None] | None = None
        self._slices = [0, 0]
        self.second = SecondCanvas(viewer, "Sagittal or lateral")
        hide_napari_docks(window)
        show_welcome(window, False)
        lay_side_by_side(window, self.second.dock, panel)
        self.planes: Sequence[PlaneView] = (PlaneView(viewer), PlaneView(self.second.model))
        self._paths = [
            SampledPath(self.native_of(place), plane) for place, plane in enumerate(self.planes)
        ]
        self._mouse = [
            Interaction(plane, hands, path.path)
            for plane, path in zip(self.planes, self._paths, strict=True)
        ]
        QCoreApplication.setAttribute(_MERGES_MOVES, False)
        models = [plane.model for plane in self.planes]
        docks = (self.second.dock, panel)
        self._guard = HostGuard(window, models, docks, self._note_slices, self._bring_back)
        self._active = 0
        self.is_single = False
        for plane in self.planes:
            plane.model.dims.events.current_step.connect(on_step)
        if window.width() < SMALL_PX:
            self.toggle_layout()

    def show_case(self, case: Case, run: Callable[[str, View], None]) -> None:
        """Show both views of a case; keys act by ``run``."""
        self._run = run
        views = [draft.view for draft in case.session.draft.views]
        for plane, mouse, view in zip(self.planes, self._mouse, views, strict=True):
            picture = case.pictures.get(view)
            if picture is None:
                plane.clear()
                continue
            plane.show(case, picture)
            mouse.bind_keys(run)
        self.second.call(VIEWS[views[1]])
        hide_slice_numbers(self._window)

    def clear(self) -> None:
        """Show nothing."""
        for plane in self.planes:
            plane.clear()

    def turn_to(self, place: int) -> None:
        """Make a canvas the active one: keys go to it, and alone it is the one shown."""
        self._active = place
        for at, plane in enumerate(self.planes):
            plane.is_active = at == place
        self._lay()
        if self.is_single:
            share_width(self._window, (self.second.dock, self._panel), alone=True)
        self.focus()

    def focus(self) -> None:
        """Let the active canvas have the keys."""
        self.native.setFocus()

    def send(self, event: QKeyEvent) -> None:
        """Hand a key to the active canvas."""
        self.focus()
        QApplication.sendEvent(self.native, event)

    @property
    def native(self) -> Any:
        """The widget of the active canvas: the one that hears mouse and keys."""
        return self.native_of(self._active)

    def native_of(self, place: int) -> Any:
        """The widget of the first or the second canvas."""
        found: Any = self.second.canvas
        first = self._window.centralWidget()
        if place == 0 and first is not None:
            found = first.findChild(QtViewer)
        return found.canvas.native

    def toggle_layout(self) -> None:
        """One canvas, or two."""
        self.is_single = not self.is_single
        self._lay()

    def fit(self) -> None:
        """Share the window's width, then fit the pictures to what they got."""
        share_width(self._window, (self.second.dock, self._panel), alone=self.is_single)
        QApplication.processEvents()
        for plane in self.planes:
            plane.fit()

    def close(self) -> None:
        """Take the second canvas and all that hangs on the viewer down."""
        self.is_single = False
        self._guard.release()
        self._lay()
        for mouse, plane in zip(self._mouse, self.planes, strict=True):
            plane.model.dims.events.current_step.disconnect(self._on_step)
            mouse.close()
            plane.close()
        for path in self._paths:
            path.close()
        QCoreApplication.setAttribute(_MERGES_MOVES, True)
        self._mouse, self._paths, self.planes = [], [], ()
        show_welcome(self._window, True)
        self.second.close()

    def _note_slices(self) -> None:
        """Note what is shown: without its picture a canvas turns to another slice."""
        if all(plane.has_all_layers() for plane in self.planes):
            self._slices = [plane.slice_index for plane in self.planes]

    def _bring_back(self) -> None:
        """Show a picture again whose layers were taken away."""
        for place, (plane, mouse) in enumerate(zip(self.planes, self._mouse, strict=True)):
            if plane.bring_back(self._slices[place]) and self._run is not None:
                mouse.bind_keys(self._run)

    def _lay(self) -> None:
        first = self._window.centralWidget()
        shows = (not self.is_single or self._active == 0, not self.is_single or self._active == 1)
        if first is not None and first.isHidden() == shows[0]:
            first.setVisible(shows[0])
        if self.second.dock.isHidden() == shows[1]:
            self.second.dock.setVisible(shows[1])
