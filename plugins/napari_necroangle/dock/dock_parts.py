"""The parts of the dock from top to bottom: study, key, steps, tools, extras, result, saving."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_necroangle.dock.commands import Commands
from napari_necroangle.dock.panel_entries import EntriesPanel
from napari_necroangle.dock.panel_followup import FollowupPanel
from napari_necroangle.dock.panel_offer import TourOffer
from napari_necroangle.dock.panel_result import ResultPanel
from napari_necroangle.dock.panel_steps import StepsPanel
from napari_necroangle.dock.panel_study import StudyActions, StudyPanel
from napari_necroangle.dock.panel_view import ViewPanel
from napari_necroangle.dock.parts import Fold, button, heading, rule
from napari_necroangle.dock.saving import Saving
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.contradictions import Contradiction
from napari_necroangle.reading.keys import GROUPS, key_label, keys_of
from napari_necroangle.reading.steps import Step
from napari_necroangle.store.first_run import note_offer, was_offered
from necroangle.terms import View

__all__ = ["DockParts"]


class DockParts(QWidget):
    """All panels of the dock.

    Parameters
    ----------
    desk
        What lies on the desk.
    commands
        What buttons do.
    actions
        What the study panel asks for.
    run
        Does a command on a view, and gives the keys back to the canvas.
    on_readings
        Called to choose where readings are saved.
    on_tour
        Called to begin the tour.
    """

    def __init__(
        self,
        desk: Desk,
        commands: Commands,
        actions: StudyActions,
        run: Callable[[str, View], None],
        on_readings: Callable[[], None],
        on_tour: Callable[[], None],
    ) -> None:
        super().__init__()
        self._desk, self._run = desk, run
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.study = StudyPanel(desk, actions)
        self.entries = EntriesPanel(lambda: desk.case, lambda: desk.is_handed_out)
        self.steps = StepsPanel(lambda: desk.flow, commands.go_to)
        self.tools = ViewPanel(lambda: desk.case, run)
        self.tools.on_landmark = self._landmark(commands)
        self.result = ResultPanel()
        self.recall = commands.recall
        self.followup = FollowupPanel(
            self.recall, commands.compare_with, lambda name: self._runner(name)()
        )
        self.who = Fold(self.entries.who, "Whose hip this is, and who reads it")
        self.extras = Fold(self._extras(), "Optional: landmarks, outline, neighbours, stage, notes")
        self.offer = TourOffer(is_first=not was_offered(), on_tour=on_tour, on_answer=note_offer)
        self.tour = button("Tour", "A sample hip in four steps; nothing of it is kept", on_tour)
        self.keys = Fold(_keys_sheet(self.tour), "Every key; H shows them larger")
        self.keys.say("Keys")
        self.save_button = self._button("Save", "save", "Save in the readings folder")
        self.save_next_button = self._button(
            "Save, next hip", "save_next", "Save, and open the next hip of the folder"
        )
        self.save_next_button.setObjectName("necroangle_save")
        self.keys_button = self._button("All keys", "help", "Show every key")
        self.folder_button = button("Change…", "Save readings in another folder", on_readings)
        self.status, self.folder = QLabel(), QLabel()
        self.status.setObjectName("necroangle_status")
        self.status.setWordWrap(True)
        self.folder.setObjectName("necroangle_folder")
        self._lay_out()

    def put_above(self, parts: Sequence[QWidget]) -> None:
        """Put panels above the study: offers, a worklist, a comparison."""
        for place, part in enumerate(parts):
            self._column.insertWidget(place, part)

    def begin(self) -> None:
        """Another case lies on the desk: ask for what its key lacks."""
        self.who.open(not self.entries.is_complete())
        self.extras.open(False)

    def refresh(self, line: str, against: Sequence[Contradiction], saving: Saving) -> None:
        """Show everything as it stands."""
        case, flow = self._desk.case, self._desk.flow
        self.study.refresh()
        self.entries.refresh()
        self.steps.refresh(line)
        self.tools.refresh()
        self.who.say(self.entries.summary())
        self.extras.say("Extras: landmarks, outline, notes")
        if flow is not None and flow.current is Step.MORE and not self.extras.is_open:
            self.extras.open(True)
            QTimer.singleShot(0, self._show_extras)
        self.result.show_outcome(case.session.outcome() if case is not None else None)
        self.result.show_doubts(against)
        self.result.show_change(self.recall.words())
        for part in self._with_case:
            part.setVisible(case is not None)
        is_free = not self._desk.is_handed_out
        self.who.setVisible(case is not None and is_free)
        self.folder_button.setVisible(is_free)
        self._name_save_next(is_free)
        self.followup.refresh()
        self.offer.setVisible(case is None and is_free)
        self.tour.setEnabled(not self._desk.is_handed_out)
        self.status.setText(saving.status())
        self.status.setVisible(bool(self.status.text()))
        self.folder.setText(f"Readings: {saving.folder_words()}")
        self.folder.setToolTip(saving.status_tip())

    def _name_save_next(self, is_free: bool) -> None:
        """Say what comes after saving: nothing, where two readings are compared."""
        case = self._desk.case
        session = case.session if case is not None else None
        is_listed = session is not None and session.draft.conduct.worklist is not None
        words = "Submit, next case" if is_listed else "Save, next hip"
        if session is not None and session.is_locked:
            words = "Next case"
        self.save_next_button.setText(words)
        self.save_next_button.setVisible(is_free or is_listed)

    def _show_extras(self) -> None:
        """Scroll to what has been unfolded, as far as a small screen needs it."""
        self._scroll.ensureWidgetVisible(self.extras, 0, 0)

    def _extras(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tools.extras)
        column.addWidget(self.entries.stage)
        return made

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(8, 4, 10, 8)
        column.setSpacing(6)
        self._column = column
        column.addWidget(self.study)
        column.addWidget(self.offer)
        above = [self.who, rule(), self.steps, self.tools, self.extras, self.keys]
        for part in above:
            column.addWidget(part)
        column.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(scroll, 1)
        foot = self._foot()
        layout.addWidget(foot)
        self._with_case: tuple[QWidget, ...] = (*above, foot)

    def _foot(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(8, 0, 10, 6)
        column.setSpacing(4)
        saving, where = QHBoxLayout(), QHBoxLayout()
        saving.setSpacing(4)
        saving.addWidget(self.keys_button)
        saving.addWidget(self.save_button)
        saving.addWidget(self.save_next_button, 1)
        where.addWidget(self.folder, 1)
        where.addWidget(self.folder_button)
        for part in (rule(), heading("Combined necrotic angle"), self.result, self.followup):
            column.addWidget(part)
        column.addLayout(saving)
        column.addWidget(self.status)
        column.addLayout(where)
        return made

    def _button(self, words: str, name: str, tip: str) -> QPushButton:
        return button(words, f"{tip} (key {key_label(name)})", self._runner(name))

    def _runner(self, name: str) -> Callable[[], None]:
        def run() -> None:
            view = self.tools.view
            if view is not None:
                self._run(name, view)

        return run

    def _landmark(self, commands: Commands) -> Callable[..., None]:
        return lambda name, view: commands.aim_at_landmark(name, view)


def _keys_sheet(tour: QWidget) -> QWidget:
    """Every key in one compact text, and the tour."""
    groups = (
        f"<b>{name}</b>: "
        + ", ".join(f'<span style="color:#f0e442">{key}</span>&nbsp;{words}' for key, words in keys)
        for name, keys in ((name, keys_of(name)) for name in GROUPS)
    )
    sheet = QLabel("<br>".join(groups))
    sheet.setObjectName("necroangle_keys")
    sheet.setWordWrap(True)
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(sheet)
    column.addWidget(tour)
    return made
