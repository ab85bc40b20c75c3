"""The rooms of :mod:`monkey`: the window of our own, napari's with our dock, and napari alone.

A reading room says what on the screen contradicts what napari really draws, and what a saved file
says otherwise than the screen.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monkey import Act, let_go, menu_actions
from qtpy.QtWidgets import QApplication

MOST_LAYERS = 3
"""So many layers of theirs a user of napari keeps."""


def plugin_action(window: Any) -> Any:
    """*Plugins > Hip reading* of napari's menu."""
    return next(
        one for one in menu_actions(window.menuBar()) if one.text().startswith("Hip reading")
    )


def napari_window(viewer: Any) -> Any:
    """The main window of a viewer, and the widget of its canvas."""
    from napari.qt import QtViewer

    for window in QApplication.topLevelWidgets():
        for one in window.findChildren(QtViewer):
            if one.viewer == viewer:
                return window, one.canvas.native
    raise LookupError("the viewer has no window")


class PlainRoom:
    """napari alone, with a stack: the control."""

    layer_lists = 1

    def __init__(self, viewer: Any) -> None:
        self.models, self.dock = (viewer,), None
        self.window, native = napari_window(viewer)
        self.natives = (native,)

    def do_dock(self, act: Act) -> None:
        """There is no dock of ours."""

    def troubles(self) -> list[str]:
        """Nothing here says what it shows."""
        return []


class ReadingRoom:
    """The window of our own."""

    layer_lists = 0

    def __init__(self, dock: Any) -> None:
        self.dock, self.window = dock, dock.window()
        self.compared = 0
        self._measured: tuple[object, ...] = ()

    @property
    def models(self) -> Sequence[Any]:
        """The models of the canvases."""
        return [plane.model for plane in self.dock.planes]

    @property
    def natives(self) -> Sequence[Any]:
        """The canvases that are shown."""
        return [one.native for one in self.dock.canvases.all if one.native.isVisible()]

    def troubles(self) -> list[str]:
        """What contradicts itself on the screen now."""
        found = self._lost()
        if found:
            return found
        for canvas, viewer in zip(self.dock.canvases.all, self.dock._host.viewers, strict=True):
            found += [
                f"{canvas.plane.sketch.texts}: {one}" for one in _contradictions(canvas, viewer)
            ]
        return found + self._wrong_file()

    def do_dock(self, act: Act) -> None:
        """Drag the splitter, or give the window another size."""
        if act.word == "resize":
            self.window.resize(*act.one_of(((960, 540), (1280, 800), (1700, 950))))
        elif act.word == "shrink":
            self.dock._host._parts.moveSplitter(int(act.chances[0] * 2000), 1)

    def _lost(self) -> list[str]:
        if not self.dock.isVisible() or not self.window.isVisible():
            return ["the dock cannot be seen"]
        if len(self.window.findChildren(type(self.dock))) + self.dock.isWindow() > 1:
            return ["there are two docks"]
        if len(self.dock.planes) != 2 or not self.natives:
            return [f"{len(self.dock.planes)} canvases, and none is shown"]
        if min(min(one.width(), one.height()) for one in self.natives) < 50:
            return ["a canvas is too small to be seen"]
        return []

    def _wrong_file(self) -> list[str]:
        """What the saved reading says otherwise than the screen."""
        from necroangle.annotation import load_reading
        from necroangle.measurement import measure
        from necroangle.measurement.grades import show_deg

        now = self.dock.workspace.current
        if now is None or now.saved is None or now.case.session.is_unsaved:
            return []
        state = (now.saved, now.saved.stat().st_mtime_ns)
        if state == self._measured or not now.case.session.is_settled:
            return []
        self._measured = state
        self.compared += 1
        said, shown = show_deg(measure(load_reading(now.saved)).cna_deg), self.dock.parts.result.sum
        same = shown.text() == said
        return [] if same else [f"{now.saved.name}: {said} in the file, {shown.text()} shown"]


class NapariRoom(ReadingRoom):
    """napari's own window with the dock."""

    layer_lists = 1

    def __init__(self, viewer: Any) -> None:
        window, _ = napari_window(viewer)
        self._viewer = viewer
        plugin_action(window).trigger()
        let_go(longer=True)
        super().__init__(next(iter(viewer.window.dock_widgets.values())))
        self._panel = self.dock.parent()

    def do_dock(self, act: Act) -> None:
        """Close, hide, float, move the dock, or bring napari's docks back."""
        from qtpy.QtWidgets import QDockWidget

        panel = self._panel
        if act.word == "x":
            panel.destroyOnClose()
        elif act.word == "eye":
            panel.hide()
        elif act.word == "float":
            panel.setFloating(not panel.isFloating())
        elif act.word == "menu":
            plugin_action(self.window).trigger()
        elif act.word == "layer list":
            for one in self.window.findChildren(QDockWidget):
                if one.objectName() in ("layer list", "layer controls"):
                    one.setVisible(act.chances[0] < 0.5)
        elif act.word == "resize":
            self.window.resize(*act.one_of(((1100, 700), (1280, 800), (1700, 950))))
        let_go(longer=True)
        self._bring_back()

    def _bring_back(self) -> None:
        """A dock that is hidden comes back by napari's menu, the same one.

        While it is away the layers are the user's, who does not keep many: each one is put aside
        and brought back with the dock.
        """
        if self._panel.isHidden():
            if len(self._viewer.layers) > MOST_LAYERS:
                self._viewer.layers.clear()
            plugin_action(self.window).trigger()
            let_go(longer=True)

    def troubles(self) -> list[str]:
        """What contradicts itself on the screen now; a hidden dock is asked for first."""
        if self._panel.isHidden():
            let_go(longer=True)
            self._bring_back()
        return super().troubles()


def _contradictions(canvas: Any, viewer: Any) -> list[str]:
    """What stands over a picture otherwise than napari really draws it.

    Which slice is drawn is told by its pixels, and where by the transform of the drawn picture.
    """
    from napari_necroangle.canvas.overlay import Anchor

    plane = canvas.plane
    if plane.picture is None:
        return []
    if not plane.is_undisturbed:
        return [f"the layers are {[one.name for one in plane.model.layers]}"]
    if not plane.image.visible:
        return ["the picture is hidden"]
    drawn = np.asarray(plane.image._slice.image.view)
    volume, texts = plane.picture.volume, plane.sketch.texts
    places = [at for at, one in enumerate(volume.pixels) if np.array_equal(one, drawn)]
    if not places:
        return [f"no slice of the stack is drawn, but {drawn.shape}"]
    if plane.sketch.index not in places:
        return [f"slice {places} is drawn, marks are of {plane.sketch.index}"]
    found = []
    title = texts.get(Anchor.TOP_LEFT, "").split("\n")[0]
    if len(volume.pixels) > 1 and not any(f" {at + 1} / " in title for at in places):
        found.append(f"slice {places} is drawn")
    if not plane.view.is_radiograph:
        letters = volume.planes[plane.sketch.index].edge_letters()
        stand = {name: texts[Anchor[name.upper()]] for name in letters}
        if stand != letters:
            found.append(f"the letters are {letters}")
    return found + _misplaced(canvas, viewer)


def _misplaced(canvas: Any, viewer: Any) -> list[str]:
    """Whether the picture lies elsewhere than the marks over it."""
    plane = canvas.plane
    if not canvas.native.isVisible():
        return []
    corners = np.array([(0.0, 0.0), (50.0, 0.0), (0.0, 50.0)])
    node = viewer.canvas.layer_to_visual[plane.image].node
    there = node.get_transform("visual", "canvas").map(corners + 0.5)
    there = there[:, :2] / there[:, 3:]
    _, down, across = plane.picture.volume.scale_mm
    ours = np.array([canvas.place_px((u * across, v * down)) for u, v in corners])
    away = float(np.abs(there - ours).max())
    return [] if away < 0.5 else [f"picture and marks are {away:.1f} pixels apart"]


def study_copy(samples: Path, to: Path) -> Path:
    """A copy of the study with two visits, with room for readings beside it."""
    return Path(shutil.copytree(samples / "two_visits", to / "two_visits"))
