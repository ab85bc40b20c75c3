"""The middle of the dock: one view at a time, what to click next and what was found."""

from collections.abc import Callable

from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from napari_necroangle._case import Case
from napari_necroangle._draft import Role
from napari_necroangle._fields import ChoiceList, button, hold, note
from napari_necroangle._words import CHOICES, OBSERVATIONS, VIEWS, instruction
from necroangle.measurement import show_deg
from necroangle.terms import Finding, Observation, UnreadReason, View

__all__ = ["ViewPanel"]

_ROLES = {
    Role.RIM: ("Rim points", "Points on the healthy round contour of the head (key 1)"),
    Role.START: ("One arc end", "Where the necrosis meets the surface, on one side (key 2)"),
    Role.END: ("Other arc end", "Where the necrosis meets the surface, other side (key 3)"),
    Role.VIA: ("Point between", "On the surface between the ends, on the dead side (key 4)"),
}


class ViewPanel(QWidget):
    """Steps and finding of the view that is being read.

    Parameters
    ----------
    case
        Gives the case that is read, or None.
    slice_index
        Gives the slice that a view shows.
    on_go_to
        Called with a view and a slice to be shown.
    """

    def __init__(
        self,
        case: Callable[[], Case | None],
        slice_index: Callable[[View], int],
        on_go_to: Callable[[View, int], None],
    ) -> None:
        super().__init__()
        self._case = case
        self._slice_index = slice_index
        self._on_go_to = on_go_to
        self._place = 0
        self.tabs = [button("", "", self._tab_turner(place), held=True) for place in (0, 1)]
        self.instruction = note()
        self.instruction.setObjectName("necroangle_instruction")
        self.elsewhere = button("", "Show the slice that carries the marks", self._go_to_marks)
        self.roles = {
            role: button(words, tip, self._aimer(role), held=True)
            for role, (words, tip) in _ROLES.items()
        }
        self.next = button("Next", "Go on to the arc (key Enter)", self._act(Case.next_aim))
        self.another = button(
            "Another arc", "Mark a second necrotic arc", self._act(Case.aim_at_new_arc)
        )
        self.remove = button(
            "Remove point", "Take away the point touched last", self._act(Case.remove_selected)
        )
        self.clear = button("Clear view", "Take all marks away", self._act(Case.clear))
        self.undo = button("Undo", "Take the last step back (Ctrl+Z)", self._undo)
        self.redo = button("Redo", "Take it again (Ctrl+Shift+Z)", self._redo)
        self.finding: ChoiceList[Finding | UnreadReason | None] = ChoiceList(
            "What you found on this view, or why it was not read", self._chosen
        )
        self.observations = {
            observation: QCheckBox(words) for observation, words in OBSERVATIONS.items()
        }
        self._lay_out()

    @property
    def view(self) -> View | None:
        """The view whose steps are shown."""
        case = self._case()
        return case.session.draft.views[self._place].view if case is not None else None

    def turn_to(self, view: View) -> None:
        """Show the steps of a view."""
        case = self._case()
        if case is not None:
            self._place = [one.view for one in case.session.draft.views].index(view)
        self.refresh()

    def refresh(self) -> None:
        """Show the case as it stands."""
        case = self._case()
        self.setEnabled(case is not None)
        view = self.view
        if case is None or view is None:
            return
        self._show_tabs(case)
        draft = case.session.draft.view(view)
        outcome = case.session.outcome().view(view)
        aim = case.aim(view)
        self.instruction.setText(case.notice or instruction(draft, outcome, aim))
        hold([(one, aim is not None and aim.role is role) for role, one in self.roles.items()])
        marked = case.marks_index(view)
        is_elsewhere = marked is not None and marked != self._slice_index(view)
        self.elsewhere.setVisible(is_elsewhere)
        self.elsewhere.setText(f"Marks are on slice {(marked or 0) + 1}: show it")
        self.next.setEnabled(
            outcome.circle is not None and aim is not None and aim.role is Role.RIM
        )
        self.another.setEnabled(any(arc.complete() for arc in draft.arcs))
        self.remove.setEnabled(bool(draft.marks))
        self.clear.setEnabled(draft.is_bound or draft.choice is not None)
        self.undo.setEnabled(case.session.can_undo)
        self.redo.setEnabled(case.session.can_redo)
        self.finding.offer(((None, "Not decided"), *CHOICES.items()), draft.choice)
        for observation, box in self.observations.items():
            box.blockSignals(True)
            box.setChecked(observation in draft.observations)
            box.blockSignals(False)

    def _show_tabs(self, case: Case) -> None:
        views = zip(self.tabs, case.session.draft.views, case.session.outcome().views, strict=True)
        for place, (tab, draft, outcome) in enumerate(views):
            tab.setChecked(place == self._place)
            angle = outcome.measurement.angle_deg if outcome.measurement else None
            done = "–" if outcome.missing else "not read"
            tab.setText(f"{VIEWS[draft.view]}   {show_deg(angle) if angle is not None else done}")
            tab.setToolTip(outcome.missing or "complete")

    def _lay_out(self) -> None:
        tabs = QHBoxLayout()
        tabs.setSpacing(4)
        for tab in self.tabs:
            tab.setObjectName("necroangle_tab")
            tabs.addWidget(tab)
        steps = QGridLayout()
        steps.setSpacing(4)
        order = (*self.roles.values(), self.next, self.another)
        for number, one in enumerate(order):
            steps.addWidget(one, number // 2, number % 2)
        edits = QHBoxLayout()
        edits.setSpacing(4)
        for one in (self.undo, self.redo, self.remove, self.clear):
            edits.addWidget(one)
        seen = QHBoxLayout()
        for observation, box in self.observations.items():
            box.clicked.connect(self._observer(observation))
            seen.addWidget(box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        self.instruction.setMinimumHeight(46)
        layout.addLayout(tabs)
        layout.addWidget(self.instruction)
        layout.addWidget(self.elsewhere)
        layout.addLayout(steps)
        layout.addLayout(edits)
        layout.addWidget(self.finding.widget)
        layout.addLayout(seen)

    def _tab_turner(self, place: int) -> Callable[[], None]:
        def turn() -> None:
            self._place = place
            self.refresh()

        return turn

    def _aimer(self, role: Role) -> Callable[[], None]:
        return self._act(lambda case, view: case.aim_at(view, role))

    def _act(self, action: Callable[[Case, View], None]) -> Callable[[], None]:
        def act() -> None:
            case, view = self._case(), self.view
            if case is not None and view is not None:
                case.notice = ""
                action(case, view)

        return act

    def _undo(self) -> None:
        self._act(lambda case, _: case.session.undo())()

    def _redo(self) -> None:
        self._act(lambda case, _: case.session.redo())()

    def _go_to_marks(self) -> None:
        case, view = self._case(), self.view
        index = case.marks_index(view) if case is not None and view is not None else None
        if view is not None and index is not None:
            self._on_go_to(view, index)

    def _chosen(self, choice: Finding | UnreadReason | None) -> None:
        self._act(lambda case, view: case.choose(view, choice, self._slice_index(view)))()

    def _observer(self, observation: Observation) -> Callable[[bool], None]:
        def observe(seen: bool) -> None:
            self._act(lambda case, view: case.session.observe(view, observation, seen))()

        return observe
