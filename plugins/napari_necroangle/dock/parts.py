"""Small pieces of the dock, and its style made from the theme that napari shows."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Generic, TypedDict, TypeVar, Unpack

import numpy as np
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt
from qtpy.QtGui import QHelpEvent, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from napari_necroangle.reading.keys import key_label

Value = TypeVar("Value")

Part = QWidget | QLayout | tuple[QWidget, int]
"""What is laid out; a widget with its stretch."""
Cell = tuple[QWidget, int, int] | tuple[QWidget, int, int, int, int]
"""A part with row and column, and how many of them it takes."""
Layout = TypeVar("Layout", bound=QBoxLayout)


class How(TypedDict, total=False):
    """How parts are laid out: in which widget, if any, with how many pixels between and around."""

    into: QWidget | None
    spacing: int
    margins: tuple[int, int, int, int]


_PADDING_PX = 2
"""Room that the style takes of a list's field."""
_EDGE_PX = 6
"""What it takes of an area of words."""


class _WheelPasser(QObject):
    """Leaves the wheel to the dock."""

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802
        """The wheel is not heard; all else is."""
        is_wheel = event.type() == QEvent.Type.Wheel
        if is_wheel:
            event.ignore()
        return is_wheel


def pass_wheel(field: QWidget, focus: Qt.FocusPolicy = Qt.FocusPolicy.StrongFocus) -> None:
    """Let the wheel over a field scroll the dock: it changes no entry, and takes no focus."""
    field.setFocusPolicy(focus)
    field.installEventFilter(_WheelPasser(field))


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
        """The present choice, or why there is none, as far as there is room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        room, cut = field.width() - _PADDING_PX, Qt.TextElideMode.ElideRight
        words = self.currentText() or self.placeholderText()
        return str(self.fontMetrics().elidedText(words, cut, room))


class ChoiceList(Generic[Value]):
    """A drop-down list of values, each shown by its words.

    The mouse does not give it the keys: an arrow that turns a slice afterwards picks nothing.

    ``on_pick``: called with the value that the reader picks; never for a value set by the
    program.
    """

    def __init__(self, tip: str, on_pick: Callable[[Value], None]) -> None:
        self.widget = _ElidedList()
        self.widget.setToolTip(tip)
        self.widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.widget.setMinimumWidth(60)
        pass_wheel(self.widget, Qt.FocusPolicy.TabFocus)
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

    def have_none(self, words: str) -> None:
        """Offer nothing, and say why."""
        with QSignalBlocker(self.widget):
            self.widget.clear()
            self.widget.setPlaceholderText(words)
        self._values = []

    def show(self, now: Value) -> None:
        """Show a value."""
        with QSignalBlocker(self.widget):
            self.widget.setCurrentIndex(self._values.index(now) if now in self._values else -1)

    def _picked(self, index: int) -> None:
        self._on_pick(self._values[index])


def row(*parts: Part, **how: Unpack[How]) -> QHBoxLayout:
    """Parts beside each other, as the layout of a widget or to be put into another layout."""
    return _laid(QHBoxLayout(), parts, **how)


def column(*parts: Part, **how: Unpack[How]) -> QVBoxLayout:
    """Parts below each other, likewise."""
    return _laid(QVBoxLayout(), parts, **how)


def _laid(
    layout: Layout,
    parts: Iterable[Part],
    into: QWidget | None = None,
    spacing: int = 4,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Layout:
    if into is not None:
        into.setLayout(layout)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QLayout):
            layout.addLayout(part)
        elif isinstance(part, tuple):
            layout.addWidget(*part)
        else:
            layout.addWidget(part)
    return layout


def grid(*cells: Cell, into: QWidget | None = None, spacing: int = 4) -> QGridLayout:
    """Parts at their row and column; some take several rows and columns."""
    layout = QGridLayout(into)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part, *place in cells:
        layout.addWidget(part, *place)
    return layout


def label(text: str = "", name: str = "", tip: str = "") -> QLabel:
    """Words in one line; the style sheet knows them by a name."""
    made = QLabel(text)
    made.setObjectName(name and f"necroangle_{name}")
    made.setToolTip(tip)
    return made


def heading(text: str) -> QLabel:
    """The title of a section."""
    return label(text, "heading")


def note(text: str = "", name: str = "", tip: str = "") -> QLabel:
    """Words that wrap."""
    made = label(text, name, tip)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def rule() -> QFrame:
    """A thin line between sections."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setObjectName("necroangle_rule")
    return line


def button(
    text: str, tip: str, on_click: Callable[[], object], *, held: bool = False, name: str = ""
) -> QPushButton:
    """A button; one that is held shows which of several things is on.

    One with a name is known by it to the style sheet, and takes the width that it is given.
    """
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setCheckable(held)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.clicked.connect(lambda: on_click())
    if name:
        made.setObjectName(f"necroangle_{name}")
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return made


def command(
    run: Callable[[str], object],
    name: str,
    words: str,
    tip: str,
    *,
    held: bool = False,
    is_tool: bool = False,
) -> QPushButton:
    """A button that does a command; its tip names the key. A tool is a small one among others."""
    tip = f"{tip} (key {key_label(name)})"
    return button(words, tip, partial(run, name), held=held, name="tool" if is_tool else "")


def with_key(name: str, words: str) -> str:
    """What a button says of its command, and its key where that is one letter."""
    key = key_label(name)
    return f"{words} {key}" if len(key) == 1 else words


class Fold(QWidget):
    """A section that can be folded to one line which still says the main thing."""

    def __init__(self, inner: QWidget, tip: str, *, is_open: bool = False) -> None:
        super().__init__()
        self._inner = inner
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._words = ""
        self.on_open: Callable[[], object] = str
        self.line = button("", tip, self._turn, name="fold")
        column(self.line, inner, into=self, spacing=3)
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
        if self.is_open:
            self.on_open()


class WordsArea(QScrollArea):
    """Words that take as much room as they need, up to a height; the rest is scrolled to."""

    def __init__(self, words: QLabel, most_px: int) -> None:
        super().__init__()
        self._words, self._most_px = words, most_px
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(words)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def fit(self) -> None:
        """Take the room for the words of now."""
        wide_px = self.maximumViewportSize().width()  # as without the bar for scrolling
        height_px = max(self._words.heightForWidth(wide_px), 0) + _EDGE_PX
        bar = Qt.ScrollBarPolicy
        fits = height_px <= self._most_px  # a bar that is there makes the words need it
        self.setVerticalScrollBarPolicy(bar.ScrollBarAlwaysOff if fits else bar.ScrollBarAsNeeded)
        self.setFixedHeight(min(height_px, self._most_px))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Another width is another height."""
        super().resizeEvent(event)
        self.fit()


def hold(buttons: Sequence[tuple[QPushButton, bool]]) -> None:
    """Show which of some buttons are on."""
    for one, is_on in buttons:
        one.setChecked(is_on)


LEAST_TARGET_PX = 24
"""No button is lower or narrower: for a pen and a finger."""

LEAST_CONTRAST = 4.5
"""Of a text and what it stands on: WCAG 2.1, 1.4.3."""

_WARNING, _CHANGE = "#e3b617", "#cc79a7"

_SHEET = """
QLabel#necroangle_heading { font-weight: 600; color: %(quiet)s; padding-top: 2px; }
QFrame#necroangle_rule { color: %(line)s; max-height: 1px; background: %(line)s; }
QLabel#necroangle_instruction {
    background: %(raised)s; color: %(text)s; border-left: 3px solid %(accent)s;
    border-radius: 4px; padding: 6px 8px;
}
QLabel#necroangle_sum { font-size: 30px; font-weight: 600; color: %(text)s; }
QLabel#necroangle_grade { font-size: 16px; font-weight: 600; color: %(text)s; }
QLabel#necroangle_doubts { color: %(warning)s; }
QLabel#necroangle_status { color: %(quiet)s; }
QLabel#necroangle_folder { color: %(quiet)s; font-size: 11px; }
QLabel#necroangle_keys { font-size: 11px; color: %(quiet)s; }
QLabel#necroangle_help {
    background: #1b222b; color: #eaf4fb; border: 1px solid #56b4e9; border-radius: 6px;
    padding: 14px 18px;
}
QFrame#necroangle_tour { background: #10344a; border: 1px solid #56b4e9; border-radius: 6px; }
QFrame#necroangle_tour QLabel { color: #eaf4fb; background: transparent; }
QLabel#necroangle_tour_title { font-weight: 600; font-size: 14px; }
QLabel#necroangle_change { color: %(change)s; }
QFrame#necroangle_offer { background: #3a2f10; border: 1px solid #e69f00; border-radius: 4px; }
QFrame#necroangle_offer QLabel { color: #ffe9b8; background: transparent; }
QListWidget { background: %(raised)s; color: %(text)s; border: 1px solid %(line)s; }
QListWidget::item:selected { background: %(accent)s; color: %(text)s; }
QProgressBar { background: %(raised)s; border: 1px solid %(line)s; border-radius: 3px; }
QProgressBar::chunk { background: %(accent)s; }
QPushButton#necroangle_fold { text-align: left; background: transparent; color: %(quiet)s; }
QPushButton#necroangle_step { padding: 4px 2px; }
QPushButton#necroangle_tool { padding: 3px 0px; }
QPushButton { padding: 3px 6px; min-height: 20px; }
QComboBox, QLineEdit, QAbstractSpinBox { min-height: 22px; }
QCheckBox { min-height: 24px; }
QPushButton:checked { background: %(accent)s; color: %(text)s; }
QPushButton:disabled { color: %(faint)s; min-height: 18px; }
QPushButton#necroangle_save { font-weight: 600; padding: 7px; }
QPushButton#necroangle_save:enabled { background: %(accent)s; color: %(text)s; }
"""


@cache
def style_sheet(theme: str) -> str:
    """The dock's style sheet for one of napari's themes."""
    found = get_theme(theme)
    background, raised, text = (
        found.background.as_hex(format="long"),
        found.foreground.as_hex(format="long"),
        found.text.as_hex(format="long"),
    )
    return _SHEET % {
        "text": text,
        "raised": raised,
        "line": found.secondary.as_hex(format="long"),
        "accent": found.current.as_hex(format="long"),
        "quiet": readable(found.icon.as_hex(format="long"), background, text),
        "faint": _mixed(text, background, 0.5),
        "warning": readable(_WARNING, background, text),
        "change": readable(_CHANGE, background, text),
    }


def readable(colour: str, background: str, text: str) -> str:
    """A colour, taken towards the text's own until it can be read on a background.

    Examples
    --------
    >>> readable("#e3b617", "#23242b", "#f0f1f2")
    '#e3b617'
    >>> contrast(readable("#e3b617", "#ebe7e6", "#1e1e21"), "#ebe7e6") >= LEAST_CONTRAST
    True
    """
    shares = (step / 20 for step in range(21))
    tried = (_mixed(colour, text, share) for share in shares)
    return next((one for one in tried if contrast(one, background) >= LEAST_CONTRAST), text)


def contrast(first: str, second: str) -> float:
    """Contrast of two colours, 1 to 21, by WCAG 2.1.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = _rgb(colour) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _mixed(first: str, second: str, share: float) -> str:
    parts = np.rint((1 - share) * _rgb(first) + share * _rgb(second)).astype(int).tolist()
    return "#" + "".join(f"{part:02x}" for part in parts)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], float)
