"""The tools of the view that is being read: what a click sets, and what was found."""

from collections.abc import Callable

from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_necroangle.dock.parts import ChoiceList, button, heading, hold
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import LANDMARKS, Role
from napari_necroangle.reading.findings import finding_command
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.texts import CHOICES, LANDMARK_WORDS, OBSERVATIONS, VIEWS
from necroangle.terms import Finding, LandmarkName, Observation, UnreadReason, View

__all__ = ["ViewPanel"]

_TOOLS = (
    ("rim", "Rim", "Points on the healthy round contour of the head"),
    ("start", "One end", "Where the necrosis meets the surface, on one side"),
    ("end", "Far end", "Where the necrosis meets the surface, on the other side"),
    ("via", "Between", "On the surface between the ends, on the dead side"),
    ("another_arc", "New arc", "Mark a second necrotic arc"),
    ("remove", "Remove", "Take away the point touched last"),
    ("undo", "Undo", "Take the last step back"),
    ("redo", "Redo", "Take it again"),
)
"""Commands with their names and what they are for."""

_AIMS = {"rim": Role.RIM, "start": Role.START, "end": Role.END, "via": Role.VIA}


class ViewPanel(QWidget):
    """Tools and finding of the view that is being read.

    Parameters
    ----------
    case
        Gives the case that is read, or None.
    run
        Does a command on a view.
    """

    def __init__(self, case: Callable[[], Case | None], run: Callable[[str, View], None]) -> None:
        super().__init__()
        self._case = case
        self._run = run
        self._place = 0
        self.title = heading("")
        self.tools = {name: self._tool(name, words, tip) for name, words, tip in _TOOLS}
        self.normal = self._tool(
            "normal", "No necrosis", "Both views show no necrosis on the slices shown"
        )
        self.clear = button("Clear view", "Take all marks of this view away", self._runner("clear"))
        self.finding: ChoiceList[Finding | UnreadReason | None] = ChoiceList(
            "What you found on this view, or why it was not read (keys 5 to 0)", self._chosen
        )
        self.landmark: ChoiceList[LandmarkName | None] = ChoiceList(
            "A point for derived indices: the next click sets it (key L: next)", self._aim_landmark
        )
        self.outline = self._tool("outline", "Outline", "The lesion's outline, for its extent")
        self.beside = self._tool(
            "beside", "Neighbours", "Mark neighbouring slices too: clicks on them count there"
        )
        self.beside.setCheckable(True)
        self.observations = {one: QCheckBox(words) for one, words in OBSERVATIONS.items()}
        self.on_landmark: Callable[[LandmarkName, View], None] = lambda *_: None
        self.extras = self._lay_out()

    @property
    def view(self) -> View | None:
        """The view whose tools are shown."""
        case = self._case()
        return case.session.draft.views[self._place].view if case is not None else None

    def turn_to(self, view: View) -> None:
        """Show the tools of a view."""
        case = self._case()
        if case is not None:
            self._place = [one.view for one in case.session.draft.views].index(view)
        self.refresh()

    def refresh(self) -> None:
        """Show the case as it stands."""
        case, view = self._case(), self.view
        if case is None or view is None:
            return
        draft = case.session.draft.view(view)
        aim = case.aim(view)
        self.title.setText(f"{VIEWS[view]}: next click sets")
        role = aim.role if aim is not None else None
        hold([(self.tools[name], role is one) for name, one in _AIMS.items()])
        hold([(self.outline, role is Role.CONTOUR)])
        self.beside.setChecked(case.beside_on)
        self.tools["another_arc"].setEnabled(any(arc.complete() for arc in draft.arcs))
        self.tools["remove"].setEnabled(bool(draft.all_marks))
        self.tools["undo"].setEnabled(case.session.can_undo)
        self.tools["redo"].setEnabled(case.session.can_redo)
        self.clear.setEnabled(draft.is_bound or draft.choice is not None)
        self.finding.offer(((None, "Finding: not decided"), *CHOICES.items()), draft.choice)
        self._show_landmarks(case, view)
        for observation, box in self.observations.items():
            box.blockSignals(True)
            box.setChecked(observation in draft.observations)
            box.blockSignals(False)

    def _show_landmarks(self, case: Case, view: View) -> None:
        aim = case.aim(view)
        there = {one.name for one in case.session.draft.view(view).landmarks}
        words = (
            (name, f"{'✓ ' if name in there else ''}{LANDMARK_WORDS[name].capitalize()}")
            for name in LANDMARKS
        )
        is_one = aim is not None and aim.role is Role.LANDMARK
        now = LANDMARKS[aim.index] if aim is not None and is_one else None
        self.landmark.offer(((None, "Landmark …"), *words), now)

    def _lay_out(self) -> QWidget:
        grid = QGridLayout()
        grid.setSpacing(4)
        for number, one in enumerate(self.tools.values()):
            grid.addWidget(one, number // 4, number % 4)
        found = QHBoxLayout()
        found.setSpacing(4)
        found.addWidget(self.finding.widget, 3)
        found.addWidget(self.normal, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(grid)
        layout.addLayout(found)
        return self._extras()

    def _extras(self) -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        seen, marks = QHBoxLayout(), QHBoxLayout()
        for observation, box in self.observations.items():
            box.clicked.connect(self._observer(observation))
            seen.addWidget(box)
        marks.setSpacing(4)
        for one in (self.outline, self.beside, self.clear):
            marks.addWidget(one)
        column.addWidget(self.landmark.widget)
        column.addLayout(marks)
        column.addLayout(seen)
        return made

    def _tool(self, name: str, words: str, tip: str) -> QPushButton:
        key = key_label(name)
        shown = f"{words} {key}" if len(key) == 1 else words
        is_aim = name in (*_AIMS, "outline")
        made = button(shown, f"{tip} (key {key})", self._runner(name), held=is_aim)
        made.setObjectName("necroangle_tool")
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        return made

    def _runner(self, name: str) -> Callable[[], None]:
        def run() -> None:
            if self.view is not None:
                self._run(name, self.view)

        return run

    def _chosen(self, choice: Finding | UnreadReason | None) -> None:
        if self.view is not None:
            self._run(finding_command(choice), self.view)

    def _aim_landmark(self, name: LandmarkName | None) -> None:
        if name is not None and self.view is not None:
            self.on_landmark(name, self.view)

    def _observer(self, observation: Observation) -> Callable[[bool], None]:
        def observe(seen: bool) -> None:
            case, view = self._case(), self.view
            if case is not None and view is not None:
                case.session.observe(view, observation, seen)

        return observe
