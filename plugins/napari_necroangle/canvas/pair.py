"""Two canvases side by side, or one at a time where the screen is small."""

from collections.abc import Callable, Sequence
from typing import Any

from napari.qt import QtViewer
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow

from napari_necroangle.canvas.mouse import Hands, Interaction
from napari_necroangle.canvas.second_canvas import (
    SecondCanvas,
    hide_napari_docks,
    hide_slice_numbers,
    lay_side_by_side,
    share_width,
    show_welcome,
)
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.texts import VIEWS
from necroangle.terms import View

__all__ = ["Canvases"]

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
        self.second = SecondCanvas(viewer, "Sagittal or lateral")
        hide_napari_docks(window)
        show_welcome(window, False)
        lay_side_by_side(window, self.second.dock, panel)
        self.planes: Sequence[PlaneView] = (PlaneView(viewer), PlaneView(self.second.model))
        self._mouse = [Interaction(plane, hands) for plane in self.planes]
        self._active = 0
        self.is_single = False
        for plane in self.planes:
            plane.model.dims.events.current_step.connect(on_step)
        if window.width() < SMALL_PX:
            self.toggle_layout()

    def show_case(self, case: Case, run: Callable[[str, View], None]) -> None:
        """Show both views of a case; keys act by ``run``."""
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
        self._lay()
        for mouse, plane in zip(self._mouse, self.planes, strict=True):
            plane.model.dims.events.current_step.disconnect(self._on_step)
            mouse.close()
            plane.close()
        self._mouse, self.planes = [], ()
        show_welcome(self._window, True)
        self.second.close()

    def _lay(self) -> None:
        first = self._window.centralWidget()
        shows = (not self.is_single or self._active == 0, not self.is_single or self._active == 1)
        if first is not None and first.isHidden() == shows[0]:
            first.setVisible(shows[0])
        if self.second.dock.isHidden() == shows[1]:
            self.second.dock.setVisible(shows[1])
