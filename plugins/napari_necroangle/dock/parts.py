"""Small pieces of the dock: headings, buttons and lists that keep values with their words."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from qtpy.QtCore import QEvent, QSignalBlocker, Qt
from qtpy.QtGui import QHelpEvent, QPaintEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

__all__ = ["ChoiceList", "Fold", "button", "heading", "hold", "note", "rule"]

Value = TypeVar("Value")


_PADDING_PX = 2
"""Room that the style takes of a list's field."""


class _ElidedList(QComboBox):
    """A drop-down list: words that do not fit end in an ellipsis, and stand in the tip."""

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Paint as Qt does, with the words that fit."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_words()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        """The tip says all of what was cut."""
        if isinstance(event, QHelpEvent) and self.shown_words() != self.currentText():
            QToolTip.showText(event.globalPos(), f"{self.currentText()}\n{self.toolTip()}", self)
            return True
        return bool(super().event(event))

    def shown_words(self) -> str:
        """The present choice, as far as there is room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        room, cut = field.width() - _PADDING_PX, Qt.TextElideMode.ElideRight
        return str(self.fontMetrics().elidedText(self.currentText(), cut, room))


class ChoiceList(Generic[Value]):
    """A drop-down list of values, each shown by its words.

    Parameters
    ----------
    tip
        Shown when the mouse rests on it.
    on_pick
        Called with the value that the reader picks; never for a value set by the program.
    """

    def __init__(self, tip: str, on_pick: Callable[[Value], None]) -> None:
        self.widget = _ElidedList()
        self.widget.setToolTip(tip)
        self.widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.widget.setMinimumWidth(60)
        self.widget.activated.connect(self._picked)
        self._on_pick = on_pick
        self._values: list[Value] = []

    def offer(self, choices: Iterable[tuple[Value, str]], now: Value) -> None:
        """Offer these values with their words, and show the present one."""
        pairs = list(choices)
        words = [text for _, text in pairs]
        shown = [self.widget.itemText(index) for index in range(self.widget.count())]
        with QSignalBlocker(self.widget):
            if words != shown:
                self.widget.clear()
                self.widget.addItems(words)
            self._values = [value for value, _ in pairs]
            self.show(now)

    def show(self, now: Value) -> None:
        """Show a value."""
        with QSignalBlocker(self.widget):
            self.widget.setCurrentIndex(self._values.index(now) if now in self._values else -1)

    def pick(self, value: Value) -> None:
        """Pick a value as the reader would."""
        self.widget.setCurrentIndex(self._values.index(value))
        self._on_pick(value)

    def _picked(self, index: int) -> None:
        self._on_pick(self._values[index])


def heading(text: str) -> QLabel:
    """The title of a section."""
    label = QLabel(text)
    label.setObjectName("necroangle_heading")
    return label


def note(text: str = "") -> QLabel:
    """A line of words that wraps."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def rule() -> QFrame:
    """A thin line between sections."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setObjectName("necroangle_rule")
    return line


def button(
    text: str, tip: str, on_click: Callable[[], object], *, held: bool = False
) -> QPushButton:
    """A button; one that is held shows which of several things is on."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setCheckable(held)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.clicked.connect(lambda: on_click())
    return made


class Fold(QWidget):
    """A section that can be folded to one line which still says the main thing.

    Parameters
    ----------
    inner
        What is folded.
    tip
        Shown when the mouse rests on the line.
    is_open
        Whether it is open at first.
    """

    def __init__(self, inner: QWidget, tip: str, *, is_open: bool = False) -> None:
        super().__init__()
        self._inner = inner
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._words = ""
        self.line = button("", tip, self._turn)
        self.line.setObjectName("necroangle_fold")
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.line)
        layout.addWidget(inner)
        self.open(is_open)

    @property
    def is_open(self) -> bool:
        """Whether all of it is shown."""
        return not self._inner.isHidden()

    def open(self, is_open: bool) -> None:
        """Open or fold it."""
        self._inner.setVisible(is_open)
        self.say(self._words)

    def say(self, words: str) -> None:
        """What its line says."""
        self._words = words
        self.line.setText(f"{'▾' if self.is_open else '▸'}  {words}")

    def _turn(self) -> None:
        self.open(not self.is_open)


def hold(buttons: Sequence[tuple[QPushButton, bool]]) -> None:
    """Show which of some buttons are on."""
    for one, is_on in buttons:
        one.setChecked(is_on)
