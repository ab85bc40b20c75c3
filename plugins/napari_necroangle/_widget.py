"""The reading dock: it puts desk, canvases and panels together, and computes nothing itself."""

from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QApplication, QLabel, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from napari_necroangle._asker import Asker
from napari_necroangle._case import Case
from napari_necroangle._closing import WindowGuard
from napari_necroangle._desk import Desk
from napari_necroangle._fields import button, heading, rule
from napari_necroangle._interaction import Interaction
from napari_necroangle._panel_entries import EntriesPanel
from napari_necroangle._panel_result import ResultPanel
from napari_necroangle._panel_study import StudyActions, StudyPanel
from napari_necroangle._panel_view import ViewPanel
from napari_necroangle._plane_view import PlaneView
from napari_necroangle._saving import Saving
from napari_necroangle._second_canvas import (
    DOCK_WIDTH_PX,
    SecondCanvas,
    dock_of,
    hide_napari_docks,
    hide_slice_numbers,
    lay_side_by_side,
    share_width,
)
from napari_necroangle._store import load_into
from napari_necroangle._study import Visit
from napari_necroangle._theme import SHEET
from napari_necroangle._words import VIEWS
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
        self.study = StudyPanel(
            self.desk,
            StudyActions(self.ask_folder, self.ask_reading, self.take, self.show_series),
        )
        self.entries = EntriesPanel(lambda: self.desk.case)
        self.steps = ViewPanel(lambda: self.desk.case, self._slice_index, self._go_to)
        self.result = ResultPanel()
        self.save_button = button("Save reading", "Save in the readings folder", self.save)
        self.save_button.setObjectName("necroangle_save")
        self.status = QLabel()
        self.status.setObjectName("necroangle_status")
        self.status.setWordWrap(True)
        self.second: SecondCanvas | None = None
        self.planes: list[PlaneView] = []
        self._hands: list[Interaction] = []
        self._guard: WindowGuard | None = None
        self._arranging = QTimer(self)
        self._arranging.setSingleShot(True)
        self._arranging.timeout.connect(self.arrange)
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.timeout.connect(self._fit)
        self._lay_out()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Put up the second canvas once the dock stands in its window."""
        super().showEvent(event)
        self._arranging.start(0)

    def arrange(self) -> None:
        """Build the second canvas and lay all side by side; once, or again after a resize."""
        window, panel = self.window(), dock_of(self)
        if not isinstance(window, QMainWindow) or panel is None:
            return
        if self.second is not None:
            return
        self.second = SecondCanvas(self.viewer, "Second view")
        hide_napari_docks(window)
        lay_side_by_side(window, self.second.dock, panel)
        self.planes = [PlaneView(self.viewer), PlaneView(self.second.model)]
        self._hands = [
            Interaction(plane, self._toucher(place)) for place, plane in enumerate(self.planes)
        ]
        for plane in self.planes:
            plane.model.dims.events.current_step.connect(self._on_step)
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
                self.desk.readings = path.parent
                self.desk.forget_choices()
                self.take(visit, reading.laterality, views)
        except NecroangleError as error:
            self.asker.tell("This reading cannot be opened", str(error))

    def save(self) -> Path | None:
        """Save the reading of the case; the path, or None where it was not saved."""
        self.entries.commit()
        path = self.saving.save()
        if self.desk.case is not None:
            self.desk.reader = self.desk.case.session.draft.reader
        self.refresh()
        return path

    def may_close(self) -> bool:
        """Whether the window may close: asks where something is unsaved."""
        self.entries.commit()
        return self.saving.may_close()

    def shutdown(self) -> None:
        """Take the second canvas and all that hangs on the viewer down."""
        self._leave_case()
        for hands, plane in zip(self._hands, self.planes, strict=True):
            plane.model.dims.events.current_step.disconnect(self._on_step)
            hands.close()
            plane.close()
        self._hands, self.planes = [], []
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        if self.second is not None:
            self.second.close()
            self.second = None

    def refresh(self) -> None:
        """Show everything as it stands."""
        case = self.desk.case
        for plane in self.planes:
            plane.follow()
            plane.refresh()
        self.study.refresh()
        self.entries.refresh()
        self.steps.refresh()
        self.result.show_outcome(case.session.outcome() if case is not None else None)
        for part in self._parts:
            part.setVisible(case is not None)
        self.status.setText(self.saving.status())
        self.status.setToolTip(self.saving.status_tip())

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(8, 4, 10, 8)
        column.setSpacing(6)
        column.addWidget(self.study)
        self._parts: list[QWidget] = [rule(), self.entries, rule(), self.steps]
        for part in self._parts:
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(scroll, 1)
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(8, 0, 10, 6)
        foot.setSpacing(4)
        foot.addWidget(rule())
        foot.addWidget(heading("Combined necrotic angle"))
        foot.addWidget(self.result)
        foot.addWidget(self.save_button)
        foot.addWidget(self.status)
        layout.addWidget(self._foot)
        self._parts.append(self._foot)
        self.setStyleSheet(SHEET)
        self.setMinimumWidth(DOCK_WIDTH_PX)

    def _show_case(self, case: Case) -> None:
        views = [draft.view for draft in case.session.draft.views]
        for plane, hands, view in zip(self.planes, self._hands, views, strict=False):
            picture = case.pictures.get(view)
            if picture is None:
                plane.clear()
                continue
            plane.show(case, picture)
            hands.bind_keys()
        if self.second is not None and self.second.dock is not None:
            self.second.dock.setWindowTitle(VIEWS[views[1]])
        hide_slice_numbers(self.window())
        self.steps.turn_to(views[0])
        self.refresh()

    def _leave_case(self) -> None:
        self.entries.commit()
        if self.desk.case is not None:
            self.desk.case.session.unlisten(self.refresh)

    def _plane(self, view: View) -> PlaneView | None:
        shown = (plane for plane in self.planes if plane.picture is not None)
        return next((plane for plane in shown if plane.view is view), None)

    def _slice_index(self, view: View) -> int:
        plane = self._plane(view)
        return plane.slice_index if plane is not None else 0

    def _go_to(self, view: View, index: int) -> None:
        plane = self._plane(view)
        if plane is not None:
            plane.go_to(index)

    def _toucher(self, place: int) -> Any:
        def touch() -> None:
            if self.desk.case is not None:
                self.steps.turn_to(self.desk.case.session.draft.views[place].view)

        return touch

    def _on_step(self) -> None:
        self.steps.refresh()

    def _fit_soon(self) -> None:
        self._fitting.start(LAYOUT_MS)

    def _fit(self) -> None:
        """Share the window's width, then fit the pictures to what they got."""
        window, panel = self.window(), dock_of(self)
        if not isinstance(window, QMainWindow) or panel is None or self.second is None:
            return
        share_width(window, (self.second.dock, panel))
        QApplication.processEvents()
        for plane in self.planes:
            plane.fit()
