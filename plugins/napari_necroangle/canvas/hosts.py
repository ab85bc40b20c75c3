"""The window round the canvases and the dock: one of our own, or napari's, guarded.

What a host gives is :class:`Host`; nobody else asks which it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from napari.components import ViewerModel
from napari.qt import QtViewer, get_stylesheet
from napari.settings import get_settings
from napari.utils.action_manager import action_manager
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QSplitter, QWidget

from napari_necroangle.canvas.view import PlaneView

DOCK_WIDTH_PX = 340
_NAPARI_DOCKS = ("layer list", "layer controls")


class Host(ABC):
    """The window that canvases and dock stand in.

    ``owns_models``: whether nobody else shows anything in the models of the canvases.
    """

    window: QMainWindow
    owns_models = False

    def __init__(self) -> None:
        self.viewers: tuple[QtViewer, ...] = ()
        self._guard: _LayerGuard | None = None
        self._reactions: list[Callable[[], None]] = []

    @property
    @abstractmethod
    def theme(self) -> str:
        """The name of napari's theme that is shown."""

    @property
    @abstractmethod
    def _another_theme(self) -> Any:
        """The event of another theme."""

    def follow_theme(self, react: Callable[[], None]) -> None:
        """Call this whenever another theme is shown."""
        self._reactions.append(react)
        self._another_theme.connect(react)

    @abstractmethod
    def take_in(self, dock: QWidget, on_hidden: Callable[[], None]) -> bool:
        """Put the canvases beside a dock; False as long as the dock stands in no window.

        Where the reader hides the dock, the host says so; it may be taken in again.
        """

    @abstractmethod
    def guard(self, planes: Sequence[PlaneView]) -> None:
        """Keep what is not ours from changing what the canvases show."""

    def show_canvases(self, shown: Sequence[bool]) -> None:
        """Show some of the canvases, and hide the others."""
        for viewer, is_shown in zip(self.viewers, shown, strict=True):
            viewer.setVisible(is_shown)

    @abstractmethod
    def share_width(self) -> None:
        """Give the dock its width, and the canvases the rest in equal parts."""

    def close(self) -> None:
        """Take everything of ours out of the window."""
        for react in self._reactions:
            self._another_theme.disconnect(react)
        if self._guard is not None:
            self._guard.close()
        self._reactions, self._guard = [], None


_PUT_ASIDE = "Hip reading shows its picture alone: your layers come back when the dock is closed."
_LEAST_PX = 160
"""No canvas can be dragged to less."""


class OwnHost(Host):
    """A window of our own: two canvases and the dock beside each other, and nothing of napari's."""

    owns_models = True

    def __init__(self, window: QMainWindow) -> None:
        super().__init__()
        self.window = window
        self.viewers = (_viewer(), _viewer())
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
        self.follow_theme(self._dress)
        self._dress()

    @property
    def theme(self) -> str:
        """The name of the theme of napari's settings."""
        return str(get_settings().appearance.theme)

    @property
    def _another_theme(self) -> Any:
        return get_settings().appearance.events.theme

    def hold(self, dock: QWidget) -> None:
        """Put a dock beside the canvases."""
        self._parts.addWidget(dock)
        self._parts.setStretchFactor(0, 1)

    def take_in(self, dock: QWidget, on_hidden: Callable[[], None]) -> bool:  # noqa: ARG002
        """The canvases are there, and the dock cannot be hidden."""
        return True

    def guard(self, planes: Sequence[PlaneView]) -> None:
        """No menu and no list of napari's is here; what a script adds or removes is undone."""
        self._guard = _LayerGuard(planes, self.window, lambda *_: None)

    def show_canvases(self, shown: Sequence[bool]) -> None:
        """In equal parts."""
        super().show_canvases(shown)
        self._canvases.setSizes([self._canvases.width() * is_shown for is_shown in shown])

    def share_width(self) -> None:
        """Give the dock its width, or that to which it was dragged; the canvases the rest."""
        self._parts.setSizes([self.window.width() - self._dock_px, self._dock_px])

    def close(self) -> None:
        """Take the canvases down."""
        super().close()
        viewers, self.viewers = self.viewers, ()
        for viewer in viewers:
            close_viewer(viewer)

    def _dress(self) -> None:
        self.window.setStyleSheet(get_stylesheet(self.theme))
        for viewer in self.viewers:
            viewer.viewer.theme = self.theme

    def _note_width(self) -> None:
        self._dock_px = self._parts.sizes()[-1]


class NapariHost(Host):
    """napari's own window: the first view in its canvas, the second in one of ours beside it.

    While hips are read, the shortcuts of napari's menus are off and its layer docks are hidden.
    Our picture alone is in the viewer: layers that are there, or that are opened meanwhile, are put
    aside, and a picture that is taken out comes back. Once the dock is hidden all is as it was;
    napari's menu brings the dock back.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer: Any = getattr(viewer, "__wrapped__", viewer)
        self._panel: Any = None
        self._docks: list[QDockWidget] = []
        self._shortcuts: list[tuple[Any, Any]] = []
        self._aside: list[Any] = []
        self._on_hidden: Callable[[], None] = lambda: None

    @property
    def theme(self) -> str:
        """The name of the theme that is shown."""
        return str(self.viewer.theme)

    @property
    def _another_theme(self) -> Any:
        return self.viewer.events.theme

    def take_in(self, dock: QWidget, on_hidden: Callable[[], None]) -> bool:
        """Put the second canvas beside napari's own, once the dock stands in napari's window."""
        panel = _dock_of(dock)
        window = panel and panel.parent()  # a dock that floats is a window by itself
        centre: Any = window.centralWidget() if isinstance(window, QMainWindow) else None
        first = centre.findChild(QtViewer) if centre is not None else None
        if not isinstance(window, QMainWindow) or first is None:
            return False
        living: QWidget = window.findChildren(type(dock))[0]
        if living is not dock:  # one window has one: the living one comes back in its place
            QTimer.singleShot(0, panel, panel.destroyOnClose)
            _dock_of(living).show()
            return False
        self.window, self._panel, self._on_hidden = window, panel, on_hidden
        second = _viewer()
        centre.layout().addWidget(second)
        self.viewers = (first, second)
        for one in self.viewers:  # docks that come back beside them leave them that much
            one.canvas.native.setMinimumSize(_LEAST_PX, _LEAST_PX)
        first.show_welcome_screen = False  # it invites to another way of opening
        panel.destroyOnClose = panel.hide
        panel.visibilityChanged.connect(self._look_soon)
        self._put_aside(self.viewer, _taken_out(self.viewer, list(self.viewer.layers)))
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
        """Let nothing but our pictures be in the models, and let those come back."""
        self._guard = _LayerGuard(planes, self._panel, self._put_aside)

    def share_width(self) -> None:
        """Give the dock its width; the canvases share the rest."""
        self.window.resizeDocks([self._panel], [DOCK_WIDTH_PX], Qt.Orientation.Horizontal)

    def close(self) -> None:
        """Let napari have its window back."""
        if not self.viewers:
            return
        self._panel.visibilityChanged.disconnect(self._look_soon)
        super().close()
        for action, shortcuts in self._shortcuts:
            action.setShortcuts(shortcuts)
        for one in self._docks:
            one.show()
        self.viewer.layers.extend(self._aside)
        (first, second), self.viewers = self.viewers, ()
        self._shortcuts, self._docks, self._aside = [], [], []
        self._on_hidden = lambda: None
        first.show_welcome_screen = True
        first.canvas.native.setMinimumSize(0, 0)
        close_viewer(second)
        del self.window, self._panel  # a window that is held is not let go by Qt

    def _pass_theme(self) -> None:
        self.viewers[1].viewer.theme = self.viewer.theme

    def _look_soon(self) -> None:
        QTimer.singleShot(0, self._panel, self._look)

    def _look(self) -> None:
        if self.viewers and self._panel.isHidden():
            self._on_hidden()

    def _put_aside(self, model: ViewerModel, others: Sequence[Any]) -> None:
        """Keep the layers of napari's own viewer; it is said that they are not gone."""
        if model is self.viewer and others:
            self._aside += others
            show_info(_PUT_ASIDE)


class _LayerGuard:
    """Our pictures alone are in the models: other layers are taken out, and ours come back.

    Another layer would change the numbers of the slices. What was done is looked at once all events
    of it are over.
    """

    def __init__(
        self,
        planes: Sequence[PlaneView],
        context: QObject,
        on_taken: Callable[[ViewerModel, Sequence[Any]], None],
    ) -> None:
        self._planes, self._context, self._on_taken = planes, context, on_taken
        self._slices: list[int] = []
        for event, react in self._events():
            event.connect(react)

    def close(self) -> None:
        """Look no longer."""
        for event, react in self._events():
            event.disconnect(react)
        self._planes = ()

    def _events(self) -> list[tuple[Any, Callable[[], None]]]:
        """What is listened to in the models, and by whom."""
        found: list[tuple[Any, Callable[[], None]]] = []
        for plane in self._planes:
            told = plane.model.layers.events
            found += [(told.removing, self._note_slices), (told.removed, self._look_soon)]
            found += [(told.inserting, self._note_slices), (told.inserted, self._look_soon)]
        return found

    def _note_slices(self) -> None:
        """Note what is shown: with other layers, or without its own, a canvas turns to another."""
        if all(plane.is_undisturbed for plane in self._planes):
            self._slices = [plane.slice_index for plane in self._planes]

    def _look_soon(self) -> None:
        QTimer.singleShot(0, self._context, self._look)

    def _look(self) -> None:
        disturbed = [plane for plane in self._planes if not plane.is_undisturbed]
        for plane in disturbed:
            others = _taken_out(plane.model, plane.others)
            if others:
                self._on_taken(plane.model, others)
        for plane, index in zip(self._planes, self._slices, strict=False):
            if plane in disturbed:
                plane.bring_back(index)


def _taken_out(model: ViewerModel, layers: Sequence[Any]) -> Sequence[Any]:
    for layer in layers:
        model.layers.remove(layer)
    return layers


def _viewer() -> QtViewer:
    """A canvas of ours.

    It binds napari's keys anew, each to what it is bound to already; were that told, napari would
    write the words of every invitation again for each key, and none is shown here.
    """
    with action_manager.events.shortcut_changed.blocker():
        return QtViewer(ViewerModel())


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
