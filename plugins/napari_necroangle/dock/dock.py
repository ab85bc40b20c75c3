"""The reading dock: it puts desk, canvases and panels together, and computes nothing itself."""

from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeyEvent, QShowEvent
from qtpy.QtWidgets import QApplication, QMainWindow, QSizePolicy, QVBoxLayout, QWidget

from napari_necroangle.canvas.pair import Canvases
from napari_necroangle.canvas.second_canvas import DOCK_WIDTH_PX, dock_of
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.adjudication_mode import CouncilMode
from napari_necroangle.dock.closing import WindowGuard
from napari_necroangle.dock.commands import Commands
from napari_necroangle.dock.dialogs import Asker
from napari_necroangle.dock.dock_parts import DockParts
from napari_necroangle.dock.doors import Doors
from napari_necroangle.dock.offers import Offers
from napari_necroangle.dock.panel_adjudication import AdjudicationActions, AdjudicationPanel
from napari_necroangle.dock.panel_study import StudyActions
from napari_necroangle.dock.panel_worklist import WorklistActions, WorklistPanel
from napari_necroangle.dock.saving import Saving
from napari_necroangle.dock.theme import SHEET
from napari_necroangle.dock.worklist_mode import StudyMode
from napari_necroangle.help.overlay import HelpSheet
from napari_necroangle.help.tour_guide import TourGuide
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.guidance import guide_line
from napari_necroangle.store.readings import load_into, readings_beside
from necroangle.annotation import load_reading
from necroangle.dicom import SeriesSummary
from necroangle.dicom.visits import Visit
from necroangle.errors import NecroangleError
from necroangle.terms import Laterality, View

__all__ = ["ReadingDock"]

REST_MS = 150
"""How long after the last move of a drag all else is shown as it stands."""

AHEAD_MS = 500
"""How long after a hip was opened the series of the next one are read."""

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
        self.guide = TourGuide(self, lambda: self.parts.result)
        self.study = StudyMode(self)
        self.council = CouncilMode(self, lambda: self.planes)
        self.offers = Offers(self, self.study, self.council, lambda: self.planes)
        self.worklist, self.adjudication = self._guests()
        doors = Doors(self)
        actions = StudyActions(
            doors.folder,
            doors.reading,
            doors.worklist,
            doors.two_readings,
            self.take,
            self.show_series,
            self.open_neighbour,
        )
        self.parts = DockParts(
            self.desk, self.commands, actions, self._run, doors.readings, self.guide.begin
        )
        self.parts.put_above((self.offers.panel, self.worklist, self.adjudication))
        self._guard: WindowGuard | None = None
        self._arranging = _timer(self, self.arrange)
        self._fitting = _timer(self, self._fit)
        self._resting = _timer(self, self.refresh_all)
        self._reading_ahead = _timer(self, self.desk.aim_at_next)
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
        self.guide.arrange(window, SHEET)
        self._guard = WindowGuard(window, self.may_close, self.shutdown, self._fit_soon)
        if self.desk.case is not None:
            self._show_case(self.desk.case)
        self._fit_soon()

    def open_folder(self, folder: Path) -> None:
        """Open a folder at its first visit; cases begun in another one are kept."""
        self.leave_case()
        self.study.close()
        self.council.close()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self.desk.open(folder)
        except NecroangleError as error:
            self.asker.tell("This folder cannot be opened", str(error))
        finally:
            QApplication.restoreOverrideCursor()
        self.show_first()

    def show_first(self) -> None:
        """Show the first hip of the open folder, where there is one, and offer what is unsaved."""
        visit = next((one for one in self.desk.visits if one.pairs), None)
        if visit is not None:
            self.take(visit, visit.sides[0], visit.pairs[0])
        else:
            self.show_desk()
        self.offer_unsaved()

    def take(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> None:
        """Take up a hip of a visit."""
        self.leave_case()
        try:
            self.desk.take(visit, side, views)
        except NecroangleError as error:
            self.asker.tell("A series cannot be shown", str(error))
        self.show_desk()

    def show_desk(self) -> None:
        """Show what now lies on the desk: a case, or nothing."""
        case = self.desk.case
        if case is not None:
            case.session.listen(self.refresh)
            self._show_case(case)
            return
        if self.canvases is not None:
            self.canvases.clear()
        self.refresh()

    def open_next(self) -> str:
        """Open what is to be read next; words where there is nothing."""
        if self.study.room is not None:
            return self.study.open_next()
        if self.desk.is_handed_out:
            return "The consensus is saved."
        return "" if self.open_neighbour(1) else "Saved. This was the last hip of the folder."

    def open_neighbour(self, step: int) -> bool:
        """Open the hip so many places further in the folder or the list, if there is one."""
        if self.study.room is not None:
            return self.study.open_neighbour(step)
        if self.desk.is_handed_out:
            return False
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
            words = self.study.words(str(error)) if self.study.room is not None else str(error)
            self.asker.tell("This series cannot be shown", words)
        if self.desk.case is not None:
            self._show_case(self.desk.case)

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

    def open_worklist(self, path: Path, reader: str) -> bool:
        """Read the cases of a reader study; whether the worklist could be opened."""
        self.council.close()
        self.study.close()
        return self.study.begin(path, reader)

    def compare(self, first: Path, second: Path) -> bool:
        """Compare two readers' readings of one hip; whether they could be compared."""
        self.study.close()
        self.council.close()
        return self.council.begin(first, second)

    def offer_unsaved(self) -> None:
        """Offer what an earlier window left unsaved."""
        self.offers.look()

    def save(self, *, final: bool = False) -> Path | None:
        """Save or submit the reading of the case; its path, or None where it was not saved."""
        self.parts.entries.commit()
        path = self.saving.save(final=final)
        self.commands.recall.look(again=True)
        if self.desk.case is not None and not self.desk.is_handed_out:
            self.desk.reader = self.desk.case.session.draft.reader
        self.refresh()
        return path

    def may_close(self) -> bool:
        """Whether the window may close: asks where something is unsaved."""
        self.parts.entries.commit()
        self.guide.leave()
        return self.saving.may_close()

    def shutdown(self) -> None:
        """Take the second canvas and all that hangs on the viewer down."""
        self.leave_case()
        self._resting.stop()
        self._reading_ahead.stop()
        self.desk.ahead.close()
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        self.guide.close()
        self.desk.keeping.close()
        self.council.clear()
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
        """Show the case as it stands: all of it, but in a drag only what the drag is about.

        The angle in the dock follows every move; the other canvas, the texts on this one, the steps
        and the doubts as soon as the mouse rests.
        """
        case = self.desk.case
        if case is None or case.session.is_settled:
            self.refresh_all()
            return
        self.study.act()
        for plane in self.planes:
            plane.follow()
            if plane.is_active:
                plane.refresh(with_texts=False)
        self.commands.recall.draw()
        self.parts.result.show_outcome(case.session.outcome())
        self.parts.result.show_change(self.commands.recall.words())
        self._resting.start(REST_MS)

    def refresh_all(self) -> None:
        """Show everything as it stands."""
        self._resting.stop()
        self.study.act()
        self.worklist.refresh()
        self.adjudication.refresh()
        self.council.show_or_hide()
        for plane in self.planes:
            plane.follow()
            plane.refresh()
        self.commands.recall.draw()
        magnified = any(plane.settling is not None for plane in self.planes)
        flow, view = self.desk.flow, self.parts.tools.view
        against = self.desk.contradictions()
        line = (
            guide_line(flow, view, against, magnified=magnified)
            if flow and view is not None
            else ""
        )
        self.parts.refresh(line, against, self.saving)
        self.guide.show()

    def _run(self, name: str, view: View) -> None:
        """Do what a button says, and give the keys back to the canvas."""
        self.study.act()
        self.commands.run(name, view)
        if self.canvases is not None and name != "help":
            self.canvases.focus()

    def _run_key(self, name: str, _: View) -> None:
        """Do what a key says, on the active view, whichever canvas has heard it."""
        view = self.parts.tools.view
        self.study.act()
        if view is not None:
            self.parts.entries.commit()
            self.commands.run(name, view)

    def _show_case(self, case: Case) -> None:
        if self.canvases is not None:
            self.canvases.show_case(case, self._run_key)
            self.council.draw()
        flow = self.desk.flow
        now = flow.view_of(flow.current) if flow is not None else None
        self.parts.begin()
        self.turn_to(now or case.session.draft.views[0].view)
        self.refresh()
        self._reading_ahead.start(AHEAD_MS)

    def leave_case(self) -> None:
        """Take up what is still being typed, and listen to the case no longer."""
        self.parts.entries.commit()
        if self.desk.case is not None:
            self.desk.case.session.unlisten(self.refresh)

    def _on_step(self) -> None:
        """The other canvas draws where this one's slice cuts it."""
        self.study.act()
        for plane in self.planes:
            plane.draw_reference()
        self.parts.tools.refresh()

    def _submit(self) -> None:
        if self.parts.tools.view is not None:
            self._run("submit", self.parts.tools.view)

    def _guests(self) -> tuple[WorklistPanel, AdjudicationPanel]:
        """The panels of a reader study and of a comparison."""
        study, council = self.study, self.council
        worklist = WorklistPanel(
            lambda: study.room,
            WorklistActions(study.open, study.go_next, self._submit, study.reopen, study.close),
        )
        actions = AdjudicationActions(council.start, council.close)
        return worklist, AdjudicationPanel(lambda: council.council, actions)

    def _fit_soon(self) -> None:
        self._fitting.start(LAYOUT_MS)

    def _fit(self) -> None:
        if self.canvases is not None:
            self.canvases.fit()
            self.guide.show()


def _timer(parent: QWidget, on_end: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(on_end)
    return timer
