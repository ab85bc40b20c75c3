"""The window round the canvases and the dock: one of our own, or napari's, guarded.

What a host gives is :class:`Host`; nobody else asks which it is.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from napari.components import ViewerModel
from napari.qt import QtViewer, get_stylesheet
from napari.settings import get_settings
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QSplitter, QWidget

from napari_necroangle.canvas.view import PlaneView

__all__ = ["DOCK_WIDTH_PX", "Host", "NapariHost", "OwnHost", "close_viewer"]

DOCK_WIDTH_PX = 340
_NAPARI_DOCKS = ("layer list", "layer controls")


class Host(Protocol):
    """The window that canvases and dock stand in."""

    window: QMainWindow
    viewers: tuple[QtViewer, ...]

    @property
    def theme(self) -> str:
        """The name of napari's theme that is shown."""

    def follow_theme(self, react: Callable[[], None]) -> None:
        """Call this whenever another theme is shown."""

    def take_in(self, dock: QWidget) -> bool:
        """Make room beside a dock; False as long as the dock stands in no window."""

    def guard(self, planes: Sequence[PlaneView]) -> None:
        """Keep what is not ours from changing what the canvases show."""

    def show_canvases(self, shown: Sequence[bool]) -> None:
        """Show some of the canvases, and hide the others."""

    def share_width(self) -> None:
        """Give the dock its width, and the canvases the rest in equal parts."""

    def close(self) -> None:
        """Take everything of ours out of the window."""


_LEAST_PX = 160
"""No canvas can be dragged to less."""


class OwnHost:
    """A window of our own: two canvases and the dock beside each other, and nothing of napari's.

    Parameters
    ----------
    window
        The window; it is empty.
    """

    def __init__(self, window: QMainWindow) -> None:
        self.window = window
        self.viewers: tuple[QtViewer, ...] = (QtViewer(ViewerModel()), QtViewer(ViewerModel()))
        self._canvases, self._parts = QSplitter(), QSplitter()
        for viewer in self.viewers:
            viewer.canvas.native.setMinimumSize(_LEAST_PX, _LEAST_PX)
            self._canvases.addWidget(viewer)
        self._parts.addWidget(self._canvases)
        for splitter in (self._canvases, self._parts):
            splitter.setChildrenCollapsible(False)
        self._parts.splitterMoved.connect(self._note_width)
        self._dock_px = DOCK_WIDTH_PX
        window.setCentralWidget(self._parts)
        self._reactions: list[Callable[[], None]] = []
        self.follow_theme(self._dress)
        self._dress()

    @property
    def theme(self) -> str:
        """The name of the theme of napari's settings."""
        return str(get_settings().appearance.theme)

    def follow_theme(self, react: Callable[[], None]) -> None:
        """Call this whenever another theme is shown."""
        self._reactions.append(react)
        get_settings().appearance.events.theme.connect(react)

    def take_in(self, dock: QWidget) -> bool:
        """Put a dock beside the canvases."""
        if self._parts.indexOf(dock) < 0:
            self._parts.addWidget(dock)
            self._parts.setStretchFactor(0, 1)
        return True

    def guard(self, planes: Sequence[PlaneView]) -> None:
        """Nothing else can change the canvases: no menu and no list of napari's is here."""

    def show_canvases(self, shown: Sequence[bool]) -> None:
        """Show some of the canvases, in equal parts, and hide the others."""
        for viewer, is_shown in zip(self.viewers, shown, strict=True):
            viewer.setVisible(is_shown)
        self._canvases.setSizes([self._canvases.width() * is_shown for is_shown in shown])

    def share_width(self) -> None:
        """Give the dock its width, or that to which it was dragged; the canvases the rest."""
        self._parts.setSizes([self.window.width() - self._dock_px, self._dock_px])

    def close(self) -> None:
        """Take the canvases down."""
        for react in self._reactions:
            get_settings().appearance.events.theme.disconnect(react)
        viewers, self.viewers, self._reactions = self.viewers, (), []
        for viewer in viewers:
            close_viewer(viewer)

    def _dress(self) -> None:
        self.window.setStyleSheet(get_stylesheet(self.theme))
        for viewer in self.viewers:
            viewer.viewer.theme = self.theme

    def _note_width(self) -> None:
        self._dock_px = self._parts.sizes()[-1]


class NapariHost:
    """napari's own window: the first view in its canvas, the second in one of ours beside it.

    While a hip is read the shortcuts of napari's menus are off and its layer docks are hidden; a
    picture that is taken out of a model comes back; a dock of ours that is closed is hidden, and
    napari's menu brings it back. All is as it was once the host is closed.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer: Any = getattr(viewer, "__wrapped__", viewer)
        self.viewers: tuple[QtViewer, ...] = ()
        self._panel: Any = None
        self._docks: list[QDockWidget] = []
        self._shortcuts: list[tuple[Any, Any]] = []
        self._planes: Sequence[PlaneView] = ()
        self._slices: list[int] = []
        self._reactions: list[Callable[[], None]] = []

    @property
    def theme(self) -> str:
        """The name of the theme that is shown."""
        return str(self.viewer.theme)

    def follow_theme(self, react: Callable[[], None]) -> None:
        """Call this whenever another theme is shown."""
        self._reactions.append(react)
        self.viewer.events.theme.connect(react)

    def take_in(self, dock: QWidget) -> bool:
        """Put the second canvas beside napari's own, once the dock stands in napari's window."""
        window, panel = dock.window(), _dock_of(dock)
        centre: Any = window.centralWidget() if isinstance(window, QMainWindow) else None
        first = centre.findChild(QtViewer) if centre is not None else None
        if not isinstance(window, QMainWindow) or first is None or panel is None:
            return False
        self.window, self._panel = window, panel
        second = QtViewer(ViewerModel())
        centre.layout().addWidget(second)
        self.viewers = (first, second)
        first.show_welcome_screen = False  # it invites to another way of opening
        panel.destroyOnClose = panel.hide
        for one in window.findChildren(QDockWidget):
            if one.objectName() in _NAPARI_DOCKS and not one.isHidden():
                one.hide()
                self._docks.append(one)
        for action in _actions_of(window.menuBar()):
            if action.shortcuts():
                self._shortcuts.append((action, action.shortcuts()))
                action.setShortcuts([])
        self.follow_theme(self._pass_theme)
        self._pass_theme()
        return True

    def guard(self, planes: Sequence[PlaneView]) -> None:
        """Let a picture that is taken out of a model come back."""
        self._planes = planes
        for plane in planes:
            plane.model.layers.events.removing.connect(self._note_slices)
            plane.model.layers.events.removed.connect(self._look_soon)

    def show_canvases(self, shown: Sequence[bool]) -> None:
        """Show some of the canvases, and hide the others."""
        for viewer, is_shown in zip(self.viewers, shown, strict=True):
            viewer.setVisible(is_shown)

    def share_width(self) -> None:
        """Give the dock its width; the canvases share the rest."""
        self.window.resizeDocks([self._panel], [DOCK_WIDTH_PX], Qt.Orientation.Horizontal)

    def close(self) -> None:
        """Let napari have its window back."""
        for react in self._reactions:
            self.viewer.events.theme.disconnect(react)
        self._reactions = []
        for plane in self._planes:
            plane.model.layers.events.removing.disconnect(self._note_slices)
            plane.model.layers.events.removed.disconnect(self._look_soon)
        self._planes = ()
        for action, shortcuts in self._shortcuts:
            action.setShortcuts(shortcuts)
        for one in self._docks:
            one.show()
        self._shortcuts, self._docks = [], []
        if self.viewers:
            first, second = self.viewers
            self.viewers = ()
            first.show_welcome_screen = True
            close_viewer(second)
            del self.window, self._panel  # a window that is held is not let go by Qt

    def _pass_theme(self) -> None:
        self.viewers[1].viewer.theme = self.viewer.theme

    def _note_slices(self) -> None:
        """Note what is shown: without its picture a canvas turns to another slice."""
        if all(plane.has_picture for plane in self._planes):
            self._slices = [plane.slice_index for plane in self._planes]

    def _look_soon(self) -> None:
        QTimer.singleShot(0, self._bring_back)

    def _bring_back(self) -> None:
        for plane, index in zip(self._planes, self._slices, strict=False):
            if not plane.has_picture:
                plane.bring_back(index)


def close_viewer(viewer: QtViewer) -> None:
    """Take a canvas of ours down; napari counts one that is left behind as a leak."""
    viewer.viewer.layers.clear()
    viewer.close()
    viewer.setParent(None)
    viewer.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _dock_of(widget: QWidget) -> Any:
    """The dock of napari's that holds a widget; None for none."""
    parent: QObject | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent


def _actions_of(menu: Any) -> Iterator[Any]:
    """Every action of a menu and of the menus in it; napari's belong to no window."""
    for action in menu.actions():
        yield action
        if action.menu() is not None:
            yield from _actions_of(action.menu())
