"""The foot of the dock: the combined angle, its grade, and what to doubt."""

from collections.abc import Sequence

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_necroangle.dock.parts import note
from napari_necroangle.reading.contradictions import Contradiction
from napari_necroangle.reading.outcome import Outcome
from napari_necroangle.reading.texts import VIEWS, grade_lines, interval_line
from necroangle.measurement import show_deg

__all__ = ["ResultPanel"]

DOUBTS_SHOWN = 4
"""So many doubts are listed; the rest stand in the tool tip."""


class ResultPanel(QWidget):
    """Angles, grade and doubts, as measured."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = QLabel()
        self.sum.setObjectName("necroangle_sum")
        self.sum.setToolTip("Combined necrotic angle: A + B")
        self.parts = note()
        self.interval = note()
        self.interval.setObjectName("necroangle_interval")
        self.interval.setToolTip("Marking error only: the slice was chosen by you")
        self.grade = note()
        self.grade.setObjectName("necroangle_grade")
        self.grade.setToolTip("Modified Kerboul grade (Ha 2006) and the probability that it holds")
        self.risk = note()
        self.change = note()
        self.change.setObjectName("necroangle_change")
        self.change.setToolTip(
            "Difference of the combined angles with its 95 % interval. MDC95, the minimal "
            "detectable change: a smaller one may be marking error alone"
        )
        self.change.hide()
        self.doubts = note()
        self.doubts.setObjectName("necroangle_doubts")
        beside = QVBoxLayout()
        beside.setSpacing(0)
        beside.addWidget(self.grade)
        beside.addWidget(self.risk)
        top = QHBoxLayout()
        top.addWidget(self.sum)
        top.addLayout(beside, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.interval)
        layout.addWidget(self.parts)
        layout.addWidget(self.change)
        layout.addWidget(self.doubts)

    def show_outcome(self, outcome: Outcome | None) -> None:
        """Show what is measured."""
        self.sum.setText(show_deg(outcome.hip.cna_deg if outcome else None))
        grade, risk = grade_lines(outcome) if outcome else ("", "")
        self.grade.setText(grade)
        self.risk.setText(risk)
        self.parts.setText(_parts(outcome) if outcome else "")
        self.interval.setText(interval_line(outcome) if outcome else "")
        self.interval.setVisible(bool(self.interval.text()))

    def show_doubts(self, against: Sequence[Contradiction]) -> None:
        """Show what speaks against it."""
        lines = [("✖ " if one.blocks else "• ") + one.words for one in against]
        hidden = len(lines) - DOUBTS_SHOWN
        more = [f"… and {hidden} more"] if hidden > 0 else []
        self.doubts.setText("\n".join([*lines[:DOUBTS_SHOWN], *more]))
        self.doubts.setToolTip("\n".join(lines))
        self.doubts.setVisible(bool(lines))

    def show_change(self, words: str) -> None:
        """Show the change since another visit; nothing where there is none."""
        self.change.setText(words)
        self.change.setVisible(bool(words))


def _parts(outcome: Outcome) -> str:
    words = []
    for letter, view in zip("AB", outcome.views, strict=True):
        angle = view.measurement.angle_deg if view.measurement is not None else None
        words.append(f"{letter} {show_deg(angle)} ({VIEWS[view.view]})")
    return "   +   ".join(words)
