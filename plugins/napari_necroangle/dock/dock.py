"""The reading dock: it puts mode, canvases and panels together, and computes nothing itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeyEvent, QShowEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QSizePolicy,
    QTextEdit,
    QWidget,
)

from napari_necroangle.canvas.hosts import DOCK_WIDTH_PX, Host
from napari_necroangle.canvas.looking import Second, SecondPane
from napari_necroangle.canvas.pair import Canvases
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.background import done_in_thread
from napari_necroangle.dock.choose import BoardPanel, RecoveryPrompt, StudyPanel
from napari_necroangle.dock.commands import Commands
from napari_necroangle.dock.contents import DockParts
from napari_necroangle.dock.dialogs import QtDialogs, WindowGuard
from napari_necroangle.dock.parts import column, style_sheet
from napari_necroangle.help.overlay import HelpSheet
from napari_necroangle.help.tour import TourGuide
from napari_necroangle.modes.adjudication import AdjudicationMode
from napari_necroangle.modes.free import FreeReading
from napari_necroangle.modes.mode import Mode
from napari_necroangle.modes.saving import may_close
from napari_necroangle.modes.worklist import Worklist
from napari_necroangle.modes.workspace import Progress, T, Workspace
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.guidance import Contradiction, guide_line
from napari_necroangle.store.readings import take_own_keys
from necroangle.dicom import SeriesSummary
from necroangle.errors import NecroangleError
from necroangle.interop.saved import write_report
from necroangle.terms import View

_SAVES = ("save", "save_next", "submit")
"""Commands that see to it themselves where the keys go then."""

AHEAD_MS = 500
"""How long after a hip was opened the series of the next one are read."""

MEASURE_MS = 200
"""How long after a move of a drag its angles are shown: to measure takes longer than to draw."""

LAYOUT_MS = 60
"""How long after a resize the canvases are fitted: Qt lays docks out in several steps."""


class ReadingDock(QWidget):
    """Read a hip: open a folder, mark both views, see the angle, save."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        take_own_keys()
        self._host = host
        self.workspace = Workspace()
        self.workspace.do = self._do
        self._is_busy, self._closes_then = False, False
        self.dialogs: Any = QtDialogs(self)
        self.canvases: Canvases | None = None
        self.free = FreeReading(self)
        self.mode: Mode = self.free
        self.commands = Commands(self, lambda: self.planes)
        self._second = SecondPane()
        self.commands.beside.show = self._show_second
        self._second.on_pointed = self.commands.looking.pointed_beside
        self.commands.looking.on_point = self._second.show_cross
        self.help: HelpSheet | None = None
        self.guide = TourGuide(self, self.free, self._tour_target)
        self.recovery = RecoveryPrompt(self, lambda shown: self._turn(shown.get))
        self.board = BoardPanel(self)
        opening = (
            ("Open folder…", "Open the folder of a DICOM study", self.ask_folder),
            ("Open reading…", "Go on with a saved reading of this study", self.ask_reading),
            ("Open worklist…", "Read the cases of a reader study", self._ask_worklist),
            (
                "Compare two…",
                "Lay two readers' readings of one hip over each other, and agree on one",
                self._ask_two_readings,
            ),
        )
        study = StudyPanel(self, opening, self.free.take, self.show_series)
        self.parts = DockParts(
            self,
            self.commands,
            study,
            self._run,
            self._ask_readings_folder,
            self.guide.begin,
            self._ask_report,
        )
        self.parts.look.on_done = self.focus_canvas
        self.parts.entries.on_reader = self.free.read_as
        self.parts.put_above((self.recovery, self.board))
        self._guard: WindowGuard | None = None
        self._arranging = _timer(self, self.arrange)
        self._fitting = _timer(self, self._fit)
        self._reading_ahead = _timer(self, lambda: self.workspace.ahead.aim_at(self.mode.ahead()))
        self._measuring = _timer(self, self._measure_drag)
        column(self.parts, into=self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._follow_theme()
        self.setMinimumWidth(DOCK_WIDTH_PX)
        self._against: tuple[Contradiction, ...] = ()
        self.refresh()

    @property
    def planes(self) -> tuple[PlaneView, ...]:
        """What the canvases show."""
        return self.canvases.planes if self.canvases is not None else ()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Put up the canvases once the dock stands in its window."""
        super().showEvent(event)
        self._arranging.start(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A key is one of the canvas, unless something is being typed; Enter ends a line."""
        types = isinstance(QApplication.focusWidget(), QLineEdit | QAbstractSpinBox | QTextEdit)
        ends = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers()
        if types or ends:
            event.accept()
        elif self.canvases is not None and self.workspace.case is not None:
            self.canvases.send(event)

    def arrange(self) -> None:
        """Put up the canvases beside the dock, where they are not up."""
        if self.canvases is not None or not self._host.take_in(self, self.put_away):
            return
        window = self._host.window
        self.canvases = Canvases(self._host, self.commands, self.do, self._on_look)
        self.commands.looking.tell = self._tell
        self._tell("")  # a status bar that comes later moves the pictures
        if self._guard is None:
            self.help = HelpSheet(window, self.focus_canvas)
            self.guide.arrange(window)
            self._guard = WindowGuard(window, self.may_close, self.shutdown, self._fit_soon)
        self._host.follow_theme(self._follow_theme)
        self._follow_theme()
        if self.workspace.case is not None:
            self._show_case(self.workspace.case)
        self._fit_soon()

    def put_away(self) -> None:
        """Take the canvases down; what is open stays open, and is shown when they are up again."""
        self._second.take_away()
        if self.canvases is not None:
            canvases, self.canvases = self.canvases, None
            canvases.close()
        self._host.close()

    def open_folder(self, folder: Path) -> None:
        """Open a folder at its first visit; cases begun in another one are kept."""
        self.read_freely()
        self.leave_case()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self.free.open_folder(folder, self.parts.study.show_progress)
        finally:
            QApplication.restoreOverrideCursor()

    def _do(self, work: Callable[[Progress], T], progress: Progress | None = None) -> T:
        """Do long work in a thread: the window is drawn meanwhile, and closes after it."""
        self._is_busy = True
        try:
            return done_in_thread(work, progress)
        finally:
            self._is_busy = False
            if self._closes_then:
                self._closes_then = False
                QTimer.singleShot(0, self, self._host.window.close)

    def open_reading(self, path: Path) -> None:
        """Go on with a saved reading, on the visit and the series that it was made on."""
        self.free.open_reading(path)

    def open_worklist(self, path: Path, reader: str) -> bool:
        """Read the cases of a reader study; whether the worklist could be opened."""
        return self.enter(lambda: Worklist(self, path, reader), "This worklist cannot be opened")

    def compare(self, first: Path, second: Path) -> bool:
        """Compare two readers' readings of one hip; whether they could be compared."""
        return self.enter(
            lambda: AdjudicationMode(self, first, second), "These readings cannot be compared"
        )

    def enter(self, make: Callable[[], Mode], refusal: str) -> bool:
        """Begin another mode; where it cannot be begun, it is said, and reading goes on freely."""
        self.read_freely()
        self.leave_case()
        try:
            self.mode = make()
        except (NecroangleError, OSError) as error:
            self.dialogs.tell(refusal, str(error))
            self.show_current()
            return False
        if not self.mode.begin():
            self.mode = self.free
            self.show_current()
            return False
        return True

    def read_freely(self) -> None:
        """End the mode that is under way; the reader chooses the hip again."""
        if self.mode is not self.free:
            self.mode.close()
            self._show_guests()
            self.mode = self.free
            self.mode.begin()

    def show_current(self) -> None:
        """Show what is open now: a case, or nothing."""
        case = self.workspace.case
        if case is not None:
            case.session.listen(self.refresh)
            self._show_case(case)
            return
        if self.canvases is not None:
            self.canvases.clear()
        self.refresh()

    def show_series(self, view: View, series: SeriesSummary) -> None:
        """Show another series for a view; its marks stay where they are."""
        try:
            self.workspace.show_series(view, series)
        except NecroangleError as error:
            self.dialogs.tell("This series cannot be shown", self.mode.mask(str(error)))
        if self.workspace.case is not None:
            self.workspace.case.notice = ""
            self._show_case(self.workspace.case)

    def offer_unsaved(self) -> None:
        """Offer what an earlier window left unsaved."""
        self.recovery.look()

    def go_to_slices(self) -> None:
        """Turn the canvases to the slices that the mode wants to be seen."""
        self._turn(self.mode.slice_of)

    def _turn(self, slice_of: Callable[[View], int | None]) -> None:
        for plane in self.planes:
            index = slice_of(plane.view) if plane.picture is not None else None
            if index is not None:
                plane.go_to(index)

    def save(self, *, final: bool = False) -> Path | None:
        """Save or submit the reading of the case; its path, or None where it was not saved."""
        self.parts.entries.commit()
        path = self.mode.save(final=final)
        if path is not None and self.workspace.case is not None:
            self.workspace.case.notice = ""
        self.focus_canvas()
        self.commands.followup.look(again=True)
        self.refresh()
        return path

    def may_close(self) -> bool:
        """Whether the window may close: asks where something is unsaved."""
        if self._is_busy:
            self._closes_then = True
            return False
        self.parts.entries.commit()
        self.guide.leave()
        return may_close(self.workspace, self.dialogs)

    def shutdown(self) -> None:
        """Take the canvases and all that hangs on the window down."""
        self.leave_case()
        self._reading_ahead.stop()
        self.workspace.ahead.close()
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        self.guide.close()
        self.workspace.autosave.close()
        if self.help is not None:
            self.help.setParent(None)
            self.help.deleteLater()
            self.help = None
        self.put_away()

    def turn_to(self, view: View) -> None:
        """Show the tools of a view, and make its canvas the active one."""
        if self.workspace.case is None:
            return
        self.parts.tools.turn_to(view)
        self._say_next()
        place = [one.view for one in self.workspace.case.session.draft.views].index(view)
        if self.canvases is not None:
            self.canvases.turn_to(place)
            self.commands.beside.refresh(view)

    def focus_canvas(self) -> None:
        """Let the canvas have the keys; where the reader is not known, the field for the code."""
        missing = self.parts.entries.first_missing() if self.workspace.case is not None else None
        if missing is not None and self.parts.who.isVisible():
            self.parts.who.open(True)
            missing.setFocus()
        elif self.canvases is not None:
            self.canvases.focus()

    def toggle_layout(self) -> None:
        """One canvas, or two."""
        if self.canvases is not None:
            self.canvases.toggle_layout()
            self._fit_soon()

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no more."""
        window = self._host.window
        window.setWindowState(window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def toggle_help(self) -> None:
        """Show or hide all keys."""
        if self.help is not None:
            self.help.toggle()

    def refresh(self) -> None:
        """Show the case as it stands: all of it, but in a drag only what the drag is about.

        Marks and lines follow every move, the angles a few times a second; the other canvas, the
        steps and the doubts once the mouse is let go.
        """
        case = self.workspace.case
        if case is None or case.session.is_settled:
            self.refresh_all()
            return
        self.mode.act()
        for plane in self.planes:
            if plane.is_active:
                plane.draw_drag()
        if not self._measuring.isActive():
            self._measuring.start(MEASURE_MS)

    def _measure_drag(self) -> None:
        """Show what the drag that is under way has come to."""
        case = self.workspace.case
        if case is None or case.session.is_settled:
            return
        for plane in self.planes:
            plane.follow()
            if plane.is_active:
                plane.refresh()
        self.commands.followup.draw()
        self.parts.result.show_outcome(case.session.outcome())
        self.parts.result.show_change(self.commands.followup.words())

    def refresh_all(self) -> None:
        """Show everything as it stands."""
        self.mode.act()
        self.board.refresh()
        for plane in self.planes:
            plane.follow()
            plane.refresh()
        self.commands.followup.draw()
        self._against = self.workspace.contradictions()
        self.parts.refresh(self._against)
        self._say_next()
        self.guide.show()

    def _say_next(self) -> None:
        """Say what to do now."""
        flow, view = self.workspace.flow, self.parts.tools.view
        magnified = any(plane.settling is not None for plane in self.planes)
        line = ""
        if flow is not None and view is not None:
            line = guide_line(flow, view, self._against, magnified=magnified)
        self.parts.steps.line.setText(line)

    def _show_second(self, view: View, second: Second | None) -> None:
        """Show a second picture over the canvas that is not read, or that canvas again."""
        first = self.commands.looking.plane(view)
        if second is None or first is None or self.canvases is None:
            self._second.take_away()
            return
        if self.canvases.is_single:
            self.toggle_layout()
        self._second.put(self.canvases.other_native, first, second)

    def _tell(self, words: str) -> None:
        self._host.window.statusBar().showMessage(words)

    def _run(self, name: str) -> None:
        """Do what a button says, and give the keys back to the canvas."""
        self.do(name)
        if self.canvases is not None and name not in ("help", *_SAVES):
            self.canvases.focus()

    def do(self, name: str) -> None:
        """Do what a key, a button or the menu says, on the active view."""
        self.mode.act()
        self.parts.entries.commit()
        self.commands.run(name, self.parts.tools.view)

    def _show_case(self, case: Case) -> None:
        try:
            self.workspace.follow_scales()
        except NecroangleError as error:
            case.notice = f"The radiograph is not in the scale of its marks: {error}."
        if self.canvases is not None:
            self.canvases.show_case(case)
            self._show_guests()
        flow = self.workspace.flow
        now = flow.view_of(flow.current) if flow is not None else None
        self.parts.begin()
        self.turn_to(now or case.session.draft.views[0].view)
        self.refresh()
        self.focus_canvas()
        self._reading_ahead.start(AHEAD_MS)

    def leave_case(self) -> None:
        """Take up what is still being typed, and listen to the case no longer."""
        self.parts.entries.commit()
        if self.workspace.case is not None:
            self.workspace.case.session.unlisten(self.refresh)

    def _on_look(self) -> None:
        """A canvas shows something else: the other one draws where its slice cuts it."""
        self.mode.act()
        for plane in self.planes:
            plane.draw_reference()
        self.parts.tools.refresh()
        self._say_next()

    def _show_guests(self) -> None:
        """Draw what the mode draws beside the reader's own marks."""
        for plane in self.planes:
            if plane.picture is not None:
                index = self.mode.slice_of(plane.view)
                lines = self.mode.drawings(plane.view) if index is not None else ()
                plane.show_guests(lines, index or 0)

    def _tour_target(self, view: View | None) -> QWidget | None:
        """The canvas of a view, or the result; None before there is a hip to show."""
        case, canvases = self.workspace.case, self.canvases
        if case is None or canvases is None:
            return None
        views = [one.view for one in case.session.draft.views]
        if view not in views:
            return self.parts.result
        shown: QWidget = canvases.native_of(views.index(view))
        alone: QWidget = canvases.native
        return shown if shown.isVisible() else alone

    def ask_folder(self) -> None:
        """Ask for a folder, and open it."""
        folder = self.dialogs.folder("Open the folder of a study", self.workspace.folder)
        if folder is not None:
            self.open_folder(folder)

    def ask_server(self) -> None:
        """Ask for studies of a server, fetch them, and open their folder."""
        from napari_necroangle.dock.server import fetch_in_window

        came = fetch_in_window(self, self.dialogs, self.workspace.folder, self.workspace.names)
        if came is not None:
            folder, self.workspace.names = came
            self.open_folder(folder)

    def ask_reading(self) -> None:
        """Ask for a saved reading, and go on with it."""
        path = self.dialogs.reading_file(self.workspace.readings)
        if path is not None:
            self.open_reading(path)

    def _ask_worklist(self) -> None:
        path = self.dialogs.worklist_file(self.workspace.folder)
        words = "Your code as a reader:"
        reader = path and self.dialogs.text("Open a worklist", words, self.workspace.reader)
        if path is not None and reader:
            self.open_worklist(path, reader)

    def _ask_two_readings(self) -> None:
        ask = self.dialogs.reading_file
        first = ask(self.workspace.readings, "The first reader's reading")
        second = first and ask(first.parent, "The second reader's reading")
        if first is not None and second is not None:
            self.compare(first, second)

    def _ask_readings_folder(self) -> None:
        folder = self.dialogs.folder("Save readings in this folder", self.workspace.readings)
        if folder is not None:
            self.workspace.keep_readings_in(folder)
            self.refresh()

    def _ask_report(self) -> None:
        """Write the saved reading of the case as DICOM objects, in a folder that is asked for."""
        now = self.workspace.current
        if now is None or now.saved is None:
            return
        title = "Write the report for the archive in this folder; it carries the patient"
        folder = self.dialogs.folder(title, now.saved.parent)
        if folder is None:
            return
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            count = write_report(now.saved, self.workspace.scan, folder)
        except (NecroangleError, OSError) as error:
            self.dialogs.tell("No report was written", self.mode.mask(str(error)))
        else:
            self._tell(f"{count} DICOM files for the archive: necroangle send takes them there.")
        finally:
            QApplication.restoreOverrideCursor()

    def _follow_theme(self) -> None:
        sheet = style_sheet(self._host.theme)
        for part in (self, self.help, self.guide.card_over):
            if part is not None:
                part.setStyleSheet(sheet)

    def _fit_soon(self) -> None:
        self._fitting.start(LAYOUT_MS)

    def _fit(self) -> None:
        if self.canvases is not None:
            self.canvases.share_width()
            self.guide.show()


def _timer(parent: QWidget, on_end: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.timeout.connect(on_end)
    return timer
