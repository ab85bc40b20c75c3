"""All panels of the dock in the order of work, and what of them a low screen shows."""

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QScrollArea, QSizePolicy, QWidget

from napari_necroangle.dock.choose import BoardPanel, RecoveryPrompt, StudyPanel, TourOffer
from napari_necroangle.dock.commands import Commands
from napari_necroangle.dock.looks import LookPanel
from napari_necroangle.dock.panels import (
    EntriesPanel,
    FollowupPanel,
    ResultPanel,
    StepsPanel,
    ViewPanel,
)
from napari_necroangle.dock.parts import (
    Fold,
    button,
    column,
    command,
    heading,
    label,
    note,
    row,
    rule,
)
from napari_necroangle.modes.mode import Window
from napari_necroangle.modes.saving import folder_words, status_words
from napari_necroangle.reading.guidance import Contradiction
from napari_necroangle.reading.keys import GROUPS, key_label, keys_of
from napari_necroangle.reading.steps import Step
from napari_necroangle.store.readings import note_offer, was_offered

LOW_PX = 600
"""A dock that is lower than this has no room for everything at once."""


class DockParts(QWidget):
    """All panels of the dock."""

    def __init__(
        self,
        window: Window,
        commands: Commands,
        study: StudyPanel,
        run: Callable[[str], None],
        on_readings: Callable[[], None],
        on_tour: Callable[[], None],
        on_report: Callable[[], None],
    ) -> None:
        super().__init__()
        self._window, self._run = window, run
        space = self._workspace = window.workspace
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.study = study
        self.entries = EntriesPanel(lambda: space.case, lambda: not window.mode.may_choose_hip)
        self.steps = StepsPanel(lambda: space.flow, commands.go_to)
        self.tools = ViewPanel(lambda: space.case, run, commands.aim_at_landmark)
        self.look = LookPanel(commands, lambda: self.tools.view, run)
        self.result = ResultPanel()
        self._overlay = commands.followup
        self.followup = FollowupPanel(self._overlay, commands.compare_with, run)
        self.who = Fold(self.entries.who, "Whose hip this is, and who reads it")
        self.extras = Fold(self._extras(), "Optional: landmarks, outline, neighbours, stage, notes")
        self.looks = Fold(self.look, "Contrast of the active view, cross and loupe at the mouse")
        self.look.on_words = lambda words: self.looks.say(f"Look: {words}")
        self.offer = TourOffer(is_first=not was_offered(), on_tour=on_tour, on_answer=note_offer)
        self.tour = button("Tour", "A sample hip in four steps; nothing of it is kept", on_tour)
        self.keys = Fold(_keys_sheet(self.tour), f"Every key ({key_label('help')}: larger)")
        self.keys.say("Keys")
        for fold in (self.who, self.looks, self.extras, self.keys):
            fold.on_open = partial(self._reveal_soon, fold)
        self.save_button = command(run, "save", "Save", "Save in the readings folder")
        self.save_next_button = command(
            run, "save_next", "Save, next hip", "Save, and open the next hip of the folder"
        )
        self.save_next_button.setObjectName("necroangle_save")
        self.keys_button = command(run, "help", "All keys", "Show every key")
        self.folder_button = button("Change…", "Save readings in another folder", on_readings)
        self.report_button = button(
            "Report to PACS (SR)…",
            "The saved reading as DICOM: structured report, presentation states, key objects",
            on_report,
        )
        self.status, self.folder = note(name="status"), label(name="folder")
        self._above: tuple[RecoveryPrompt | BoardPanel, ...] = ()
        self._lay_out()

    def put_above(self, parts: Sequence[RecoveryPrompt | BoardPanel]) -> None:
        """Put panels above the study: offers, a worklist, a comparison."""
        self._above = tuple(parts)
        for place, part in enumerate(parts):
            self._column.insertWidget(place, part)

    def begin(self) -> None:
        """Another case is open: ask for what its key lacks."""
        self.who.open(self.entries.first_missing() is not None)
        self.extras.open(False)
        self._lay_low()
        QTimer.singleShot(0, self, self._show_first)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """On a low screen, room for the steps and the tools."""
        super().resizeEvent(event)
        self._lay_low()

    def _lay_low(self) -> None:
        """Leave out what can be done without."""
        is_low = self.height() < LOW_PX
        self._title.setVisible(not is_low)
        self._where.setVisible(not is_low)
        if is_low and self._workspace.case is not None:
            QTimer.singleShot(0, self, self._show_first)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Where the result below takes more room, the tools stay in sight."""
        if isinstance(event, QResizeEvent) and event.size().height() < event.oldSize().height():
            QTimer.singleShot(0, self, self._show_tools)
        return super().eventFilter(watched, event)

    def _show_tools(self) -> None:
        is_first = any(part.comes_first for part in self._above)
        if self._workspace.case is not None and not is_first:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
            self._scroll.ensureWidgetVisible(self.tools, 0, 0)

    def _show_first(self) -> None:
        # what has been folded takes its place only now, and the list its length
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        self._scroll.verticalScrollBar().setValue(self._first_y())
        if self.height() >= LOW_PX:
            self._show_tools()

    def _first_y(self) -> int:
        """Where the list begins: all of it, or what a low screen has room for.

        That is an offer or what is compared, then what the key lacks, then the steps.
        """
        above = next((part for part in self._above if part.comes_first), None)
        if above is not None:
            return above.y()
        asks = self.who.isVisible() and self.who.is_open
        return 0 if self.height() >= LOW_PX else (self.who if asks else self.steps).y()

    def refresh(self, against: Sequence[Contradiction]) -> None:
        """Show everything as it stands."""
        case, flow = self._workspace.case, self._workspace.flow
        self.study.refresh()
        self.entries.refresh()
        self.steps.refresh()
        self.tools.refresh()
        self.look.refresh()
        self.who.say(self.entries.summary())
        self.extras.say("Extras: landmarks, outline, notes")
        if flow is not None and flow.current is Step.MORE and not self.extras.is_open:
            self.extras.open(True)
            self._reveal_soon(self.extras)
        self.result.show_outcome(case.session.outcome() if case is not None else None)
        self.result.show_doubts(against)
        self.result.show_change(self._overlay.words())
        for part in self._with_case:
            part.setVisible(case is not None)
        is_free = self._window.mode.may_choose_hip
        self.who.setVisible(case is not None and is_free)
        self.folder_button.setVisible(is_free)
        self.save_button.setEnabled(case is not None and not case.session.is_locked)
        now = self._workspace.current
        is_saved = now is not None and now.saved is not None and not now.case.session.is_unsaved
        self.report_button.setVisible(is_free and is_saved)
        words = self._window.mode.next_words()
        self.save_next_button.setText(words)
        self.save_next_button.setVisible(bool(words))
        self.followup.refresh()
        self.offer.setVisible(case is None and is_free)
        self.tour.setEnabled(is_free)
        self.status.setText(status_words(self._workspace, self._window.mode))
        self.status.setVisible(bool(self.status.text()))
        self.folder.setText(f"Readings: {folder_words(self._workspace)}")
        self.folder.setToolTip(f"Folder: {self._workspace.readings or ''}")

    def _reveal_soon(self, fold: Fold) -> None:
        """Scroll to what has been unfolded, as far as a small screen needs it: its line stays."""

        def reveal() -> None:
            bar = self._scroll.verticalScrollBar()
            self._scroll.ensureWidgetVisible(fold, 0, 0)
            bar.setValue(min(bar.value(), fold.y()))

        QTimer.singleShot(0, self, reveal)

    def _extras(self) -> QWidget:
        made = QWidget()
        column(self.tools.extras, self.entries.stage, into=made)
        return made

    def _lay_out(self) -> None:
        inner = QWidget()
        above = (self.who, rule(), self.steps, self.tools, self.looks, self.extras, self.keys)
        self._column = column(
            self.study, self.offer, *above, into=inner, spacing=6, margins=(8, 4, 10, 8)
        )
        self._column.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setFocusPolicy(
            Qt.FocusPolicy.NoFocus
        )  # else a click beside a field takes the arrows
        scroll.viewport().installEventFilter(self)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = self._foot()
        column((scroll, 1), foot, into=self)
        self._with_case: tuple[QWidget, ...] = (*above, foot)

    def _foot(self) -> QWidget:
        made = QWidget()
        self._title, self._where = heading("Combined necrotic angle"), QWidget()
        row((self.folder, 1), self.folder_button, into=self._where)
        shown = (rule(), self._title, self.result, self.followup)
        saving = row(self.keys_button, self.save_button, (self.save_next_button, 1))
        below = (saving, self.status, self.report_button, self._where)
        column(*shown, *below, into=made, margins=(8, 0, 10, 6))
        return made


def _keys_sheet(tour: QWidget) -> QWidget:
    """Every key in one compact text, and the tour."""
    groups = (
        f"<u>{name}</u>: " + ", ".join(f"<b>{key}</b>&nbsp;{words}" for key, words in keys)
        for name, keys in ((name, keys_of(name)) for name in GROUPS)
    )
    sheet = label("<br>".join(groups), "keys")
    sheet.setWordWrap(True)
    made = QWidget()
    column(sheet, tour, into=made)
    return made
