"""The steps of a hip: which are done, which is now, and what to do."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_necroangle.dock.parts import button, note
from napari_necroangle.reading.guidance import STEP_TIPS, step_words
from napari_necroangle.reading.steps import Flow, Step

__all__ = ["StepsPanel"]

_PLACES = {
    Step.HEAD_A: (0, 0, 2),
    Step.HEAD_B: (0, 2, 2),
    Step.ARC_A: (1, 0, 2),
    Step.ARC_B: (1, 2, 2),
    Step.SLICES: (2, 0, 1),
    Step.MORE: (2, 1, 1),
    Step.SAVE: (2, 2, 2),
}
"""Row, column and columns taken, of each step."""


class StepsPanel(QWidget):
    """The list of steps, and one line on what to do now.

    Parameters
    ----------
    flow
        Gives where the reader is, or None.
    on_step
        Called with a step that the reader goes to.
    """

    def __init__(self, flow: Callable[[], Flow | None], on_step: Callable[[Step], None]) -> None:
        super().__init__()
        self._flow = flow
        self.steps: dict[Step, QPushButton] = {
            step: button("", STEP_TIPS[step], self._goer(step, on_step), held=True) for step in Step
        }
        self.line = note()
        self.line.setObjectName("necroangle_instruction")
        self.line.setMinimumHeight(62)
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        grid = QGridLayout()
        grid.setSpacing(4)
        for step, (row, column, span) in _PLACES.items():
            self.steps[step].setObjectName("necroangle_step")
            self.steps[step].setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(self.steps[step], row, column, 1, span)
        for column in range(4):
            grid.setColumnStretch(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(grid)
        layout.addWidget(self.line)

    def refresh(self, words: str) -> None:
        """Show the steps as they stand, with the line on what to do."""
        flow = self._flow()
        if flow is None:
            return
        for state in flow.states():
            one = self.steps[state.step]
            one.setText(step_words(flow, state))
            one.setChecked(state.is_current)
        for step, one in self.steps.items():
            one.setEnabled(step in flow.steps)
            if step not in flow.steps:
                one.setText("–")
        self.line.setText(words)

    def _goer(self, step: Step, on_step: Callable[[Step], None]) -> Callable[[], None]:
        return lambda: on_step(step)
