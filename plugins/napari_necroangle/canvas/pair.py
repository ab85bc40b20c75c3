"""The canvases beside each other: which is active, which are shown, and what lies on each."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.qt import QtViewer
from qtpy.QtCore import QCoreApplication, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication

from napari_necroangle.canvas.hosts import Host
from napari_necroangle.canvas.mouse import CanvasFilter, Hands, HeldKeys, Mouse
from napari_necroangle.canvas.overlay import Ground, Overlay
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case

_MERGES_MOVES = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
"""Whether Qt leaves moves of the mouse out where the machine is busy."""


class _EveryMove:
    """Qt leaves no move of the mouse out as long as a window of ours is open.

    That is one setting of the whole program; it is as it was once the last one is closed.
    """

    windows, before = 0, True

    @classmethod
    def begin(cls) -> None:
        """One more window is open."""
        if cls.windows == 0:
            cls.before = QCoreApplication.testAttribute(_MERGES_MOVES)
        cls.windows += 1
        QCoreApplication.setAttribute(_MERGES_MOVES, False)

    @classmethod
    def end(cls) -> None:
        """One is closed."""
        cls.windows -= 1
        if cls.windows == 0:
            QCoreApplication.setAttribute(_MERGES_MOVES, cls.before)


SMALL_PX = 1100
"""A window narrower than this begins with one canvas."""


class Canvas:
    """A napari canvas with what lies on it: the overlay, and a filter that has mouse and keys."""

    def __init__(
        self, viewer: QtViewer, hands: Hands, on_key: Callable[[str], None], keys: HeldKeys
    ) -> None:
        self._viewer: Any = viewer
        self.native: Any = viewer.canvas.native
        self.plane = PlaneView(viewer.viewer)
        lens = self.plane.lens
        self.ground = Ground(
            self.native,
            lambda uv_mm: lens.to_px(uv_mm, self._size_px),
            lambda places_px: lens.to_mm(places_px, self._size_px),
        )
        viewer.dims.hide()  # they count from 0
        viewer.setAcceptDrops(False)
        self.native.setMouseTracking(True)
        self._overlay = Overlay(self.ground, self.plane.sketch)
        self._filter = CanvasFilter(self.ground, (viewer,), Mouse(self.plane, hands), on_key, keys)

    def place_px(self, uv_mm: tuple[float, float]) -> tuple[float, float]:
        """Where a point, plane mm, stands on the canvas: logical pixels."""
        x, y = self.ground.to_px(np.array([uv_mm]))[0].tolist()
        return x, y

    def close(self) -> None:
        """Leave napari's canvas as it was found, and hold nothing of it: else it is not let go."""
        self._filter.close()
        self._overlay.close_over()
        self.plane.close()
        self._viewer.dims.show()
        self._viewer.setAcceptDrops(True)
        del self._viewer, self.native, self.ground, self._filter, self._overlay

    @property
    def _size_px(self) -> tuple[int, int]:
        return self.native.width(), self.native.height()


class Canvases:
    """The canvases of a window."""

    def __init__(
        self, host: Host, hands: Hands, on_key: Callable[[str], None], on_look: Callable[[], None]
    ) -> None:
        self._host, self._on_look = host, on_look
        keys = HeldKeys()
        self.all = tuple(Canvas(viewer, hands, on_key, keys) for viewer in host.viewers)
        _EveryMove.begin()
        self._active = 0
        self.is_single = host.window.width() < SMALL_PX
        for event in self._looks():
            event.connect(on_look)
        host.guard(self.planes)
        if host.owns_models:
            for plane in self.planes:
                plane.keep_layer()
        self._lay()

    @property
    def planes(self) -> tuple[PlaneView, ...]:
        """What they show."""
        return tuple(one.plane for one in self.all)

    def show_case(self, case: Case) -> None:
        """Show the views of a case."""
        for plane, draft in zip(self.planes, case.session.draft.views, strict=True):
            picture = case.pictures.get(draft.view)
            if picture is None:
                plane.clear()
            else:
                plane.show(case, picture)

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
        """The widget of one of the canvases."""
        return self.all[place].native

    @property
    def other_native(self) -> Any:
        """The widget of the canvas that is not the active one."""
        return self.native_of(1 - self._active)

    def toggle_layout(self) -> None:
        """One canvas, or all."""
        self.is_single = not self.is_single
        self._lay()

    def share_width(self) -> None:
        """Share the window's width; each picture fits itself to what its canvas gets."""
        self._host.share_width()

    def close(self) -> None:
        """Take all that lies on the canvases away."""
        self.is_single = False
        self._lay()
        for event in self._looks():
            event.disconnect(self._on_look)
        for one in self.all:
            one.close()
        self.all = ()
        _EveryMove.end()

    def _looks(self) -> Iterator[Any]:
        """The events of what is shown: slice and zoom."""
        for plane in self.planes:
            yield from (plane.model.dims.events.current_step, plane.model.scene.camera.events.zoom)

    def _lay(self) -> None:
        shown = [not self.is_single or place == self._active for place in range(len(self.all))]
        self._host.show_canvases(shown)
