"""The reading dock: it puts desk, canvases and panels together, and computes nothing itself."""

from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeyEvent, QShowEvent
from qtpy.QtWidgets import QApplication, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from napari_necroangle._asker import Asker
from napari_necroangle._canvases import Canvases
from napari_necroangle._case import Case
from napari_necroangle._closing import WindowGuard
from napari_necroangle._commands import Commands
from napari_necroangle._desk import Desk
from napari_necroangle._dock_parts import DockParts
from napari_necroangle._guide import guide_line
from napari_necroangle._help_sheet import HelpSheet
from napari_necroangle._panel_study import StudyActions
from napari_necroangle._plane_view import PlaneView
from napari_necroangle._saving import Saving
from napari_necroangle._second_canvas import DOCK_WIDTH_PX, dock_of
from napari_necroangle._store import load_into, readings_beside
from napari_necroangle._study import Visit
from napari_necroangle._theme import SHEET
from necroangle.annotation import load_reading
from necroangle.dicom import SeriesSummary
from necroangle.errors import NecroangleError
from necroangle.terms import Laterality, View

__all__ = ["ReadingDock"]

LAYOUT_MS = 60
"""How long after a resize the canvases are fitted: Qt lays docks out in several steps."""


class ReadingDock(QWidget):
    """Read a hip: open a folder, mark both views, see the angle, save.

    Parameters
    ----------
    napari_viewer
        The viewer whose canvas shows the first view; the second gets a canvas beside it.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer: Any = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.desk = Desk()
        self.asker = Asker(self)
        self.saving = Saving(self.desk, lambda: self.asker)
        self.canvases: Canvases | None = None
        self.commands = Commands(self.desk, lambda: self.planes, self)
        self.help: HelpSheet | None = None
        actions = StudyActions(
            self.ask_folder, self.ask_reading, self.take, self.show_series, self.open_neighbour
        )
        self.parts = DockParts(self.desk, self.commands, actions, self._run, self.ask_readings)
        self._guard: WindowGuard | None = None
        self._arranging = _timer(self, self.arrange)
        self._fitting = _timer(self, self._fit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.parts, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setStyleSheet(SHEET)
        self.setMinimumWidth(DOCK_WIDTH_PX)
        self.refresh()

    @property
    def planes(self) -> tuple[PlaneView, ...]:
        """What the canvases show."""
        return tuple(self.canvases.planes) if self.canvases is not None else ()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Put up the second canvas once the dock stands in its window."""
        super().showEvent(event)
        self._arranging.start(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A key that no field of the dock wants is one of the canvas."""
        if self.canvases is not None and self.desk.case is not None:
            self.canvases.send(event)

    def arrange(self) -> None:
        """Build the second canvas and lay all side by side, once."""
        window, panel = self.window(), dock_of(self)
        if not isinstance(window, QMainWindow) or panel is None or self.canvases is not None:
            return
        self.canvases = Canvases(self.viewer, window, panel, self.commands, self._on_step)
        self.help = HelpSheet(window)
        self.help.setStyleSheet(SHEET)
        self._guard = WindowGuard(window, self.may_close, self.shutdown, self._fit_soon)
        if self.desk.case is not None:
            self._show_case(self.desk.case)
        self._fit_soon()

    def ask_folder(self) -> None:
        """Ask for a folder and open it."""
        folder = self.asker.folder("Open the folder of a study", self.desk.folder)
        if folder is not None:
            self.open_folder(folder)

    def open_folder(self, folder: Path) -> None:
        """Open a folder at its first visit; cases begun in another one are kept."""
        self._leave_case()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self.desk.open(folder)
        except NecroangleError as error:
            self.asker.tell("This folder cannot be opened", str(error))
        finally:
            QApplication.restoreOverrideCursor()
        visit = next((one for one in self.desk.visits if one.pairs), None)
        if visit is not None:
            self.take(visit, visit.sides[0], visit.pairs[0])
        else:
            self.refresh()

    def take(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> None:
        """Take up a hip of a visit."""
        self._leave_case()
        try:
            self.desk.take(visit, side, views)
        except NecroangleError as error:
            self.asker.tell("A series cannot be shown", str(error))
        case = self.desk.case
        if case is not None:
            case.session.listen(self.refresh)
            self._show_case(case)

    def open_neighbour(self, step: int) -> bool:
        """Open the hip so many places further in the folder, if there is one."""
        key = self.desk.neighbour(step)
        if key is None:
            return False
        visit = next(one for one in self.desk.visits if one.label == key.visit)
        self.take(visit, key.side, key.views)
        return True

    def show_series(self, view: View, series: SeriesSummary) -> None:
        """Show another series for a view; its marks stay where they are."""
        try:
            self.desk.show_series(view, series)
        except NecroangleError as error:
            self.asker.tell("This series cannot be shown", str(error))
        if self.desk.case is not None:
            self._show_case(self.desk.case)

    def ask_reading(self) -> None:
        """Ask for a saved reading and go on with it."""
        path = self.asker.reading_file(self.desk.readings)
        if path is not None:
            self.open_reading(path)

    def open_reading(self, path: Path) -> None:
        """Go on with a saved reading, on the visit and the series that it was made on."""
        try:
            reading = load_reading(path)
            visit, views = self.saving.place_of(reading)
            self.take(visit, reading.laterality, views)
            if self.desk.case is not None and self.saving.may_replace(self.desk.case):
                load_into(self.desk.case.session, path)
                self.desk.readings = readings_beside(path, self.desk.readings)
                self.desk.forget_choices()
                self.take(visit, reading.laterality, views)
        except NecroangleError as error:
            self.asker.tell("This reading cannot be opened", str(error))

    def ask_readings(self) -> None:
        """Ask where readings are saved."""
        folder = self.asker.folder("Save readings in this folder", self.desk.readings)
        if folder is not None:
            self.desk.keep_readings_in(folder)
            self.refresh()

    def save(self) -> Path | None:
        """Save the reading of the case; the path, or None where it was not saved."""
        self.parts.entries.commit()
        path = self.saving.save()
        if self.desk.case is not None:
            self.desk.reader = self.desk.case.session.draft.reader
        self.refresh()
        return path

    def may_close(self) -> bool:
        """Whether the window may close: asks where something is unsaved."""
        self.parts.entries.commit()
        return self.saving.may_close()

    def shutdown(self) -> None:
        """Take the second canvas and all that hangs on the viewer down."""
        self._leave_case()
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        if self.help is not None:
            self.help.setParent(None)
            self.help.deleteLater()
            self.help = None
        if self.canvases is not None:
            canvases, self.canvases = self.canvases, None
            canvases.close()

    def turn_to(self, view: View) -> None:
        """Show the tools of a view, and make its canvas the active one."""
        if self.desk.case is None:
            return
        self.parts.tools.turn_to(view)
        place = [one.view for one in self.desk.case.session.draft.views].index(view)
        if self.canvases is not None:
            self.canvases.turn_to(place)

    def toggle_layout(self) -> None:
        """One canvas, or two."""
        if self.canvases is not None:
            self.canvases.toggle_layout()
            self._fit_soon()

    def toggle_help(self) -> None:
        """Show or hide all keys."""
        if self.help is not None:
            self.help.toggle()

    def refresh(self) -> None:
        """Show everything as it stands."""
        for plane in self.planes:
            plane.follow()
            plane.refresh()
        magnified = any(plane.settling is not None for plane in self.planes)
        flow, view = self.desk.flow, self.parts.tools.view
        against = self.desk.contradictions()
        line = (
            guide_line(flow, view, against, magnified=magnified)
            if flow and view is not None
            else ""
        )
        self.parts.refresh(line, against, self.saving)

    def _run(self, name: str, view: View) -> None:
        """Do what a button says, and give the keys back to the canvas."""
        self.commands.run(name, view)
        if self.canvases is not None and name != "help":
            self.canvases.focus()

    def _run_key(self, name: str, _: View) -> None:
        """Do what a key says, on the active view, whichever canvas has heard it."""
        view = self.parts.tools.view
        if view is not None:
            self.parts.entries.commit()
            self.commands.run(name, view)

    def _show_case(self, case: Case) -> None:
        if self.canvases is not None:
            self.canvases.show_case(case, self._run_key)
        flow = self.desk.flow
        now = flow.view_of(flow.current) if flow is not None else None
        self.parts.begin()
        self.turn_to(now or case.session.draft.views[0].view)
        self.refresh()

    def _leave_case(self) -> None:
        self.parts.entries.commit()
        if self.desk.case is not None:
            self.desk.case.session.unlisten(self.refresh)

    def _on_step(self) -> None:
        """The other canvas draws where this one's slice cuts it."""
        for plane in self.planes:
            plane.draw_reference()
        self.parts.tools.refresh()

    def _fit_soon(self) -> None:
        self._fitting.start(LAYOUT_MS)

    def _fit(self) -> None:
        if self.canvases is not None:
            self.canvases.fit()


def _timer(parent: QWidget, on_end: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(on_end)
    return timer
