"""The dock's lists: words that do not fit are cut with an ellipsis, and nothing is lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QHelpEvent, QWheelEvent
from qtpy.QtWidgets import QApplication, QToolTip

pytestmark = pytest.mark.screen

LEFT = Qt.MouseButton.LeftButton
WORDS = "right, 11 slices, 3.8 mm apart, 208 × 208"


@pytest.fixture
def offered(qtbot: Any) -> Any:
    """A list that offers long and short words."""
    from napari_necroangle.dock.parts import ChoiceList

    found: ChoiceList[int] = ChoiceList("The series", lambda _: None)
    qtbot.addWidget(found.widget)
    found.offer(((1, WORDS), (2, "short")), 1)
    found.widget.show()
    return found


def test_words_that_fit_are_shown_whole(offered: Any) -> None:
    offered.widget.resize(600, 28)
    assert offered.widget.shown_words() == WORDS


@pytest.mark.parametrize("width", [90, 140, 200])
def test_words_that_do_not_fit_end_in_an_ellipsis(offered: Any, width: int) -> None:
    offered.widget.resize(width, 28)
    shown = offered.widget.shown_words()
    assert shown.endswith("…")
    assert WORDS.startswith(shown[:-1].rstrip())
    assert offered.widget.fontMetrics().horizontalAdvance(shown) < width
    assert offered.widget.currentText() == WORDS


def test_the_tip_says_what_was_cut(offered: Any) -> None:
    offered.widget.resize(120, 28)
    spot = QPoint(5, 5)
    rests = QHelpEvent(QHelpEvent.Type.ToolTip, spot, offered.widget.mapToGlobal(spot))
    QApplication.sendEvent(offered.widget, rests)
    assert QToolTip.text() == f"{WORDS}\nThe series"


@pytest.fixture
def scrolled(qtbot: Any) -> Iterator[Any]:
    """A low scroll area, with a list and a number above what is out of sight."""
    from napari_necroangle.dock.parts import ChoiceList, pass_wheel
    from qtpy.QtWidgets import QLineEdit, QScrollArea, QSpinBox, QVBoxLayout, QWidget

    area, inner, number, line = QScrollArea(), QWidget(), QSpinBox(), QLineEdit()
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # as the dock's
    picked: list[int] = []
    found: ChoiceList[int] = ChoiceList("The finding", picked.append)
    found.offer(((1, "not decided"), (2, "necrosis"), (3, "no necrosis")), 1)
    pass_wheel(number)
    column = QVBoxLayout(inner)
    for part in (line, found.widget, number):
        column.addWidget(part)
    column.addSpacing(600)
    area.setWidget(inner)
    area.resize(300, 200)
    qtbot.addWidget(area)
    area.show()
    area.activateWindow()
    line.setFocus()
    qtbot.waitUntil(line.hasFocus, timeout=60_000)
    yield line, found.widget, number, picked
    area.close()


def test_the_wheel_over_a_field_is_handed_on_and_enters_nothing(scrolled: Any) -> None:
    line, chosen, number, picked = scrolled
    for field in (chosen, number):
        at = QPointF(5, 5)
        there = QPointF(field.mapToGlobal(at.toPoint()))
        down, none = QPoint(0, -120), Qt.MouseButton.NoButton
        phase, held = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
        event = QWheelEvent(at, there, QPoint(), down, none, held, phase, False)
        QApplication.sendEvent(field, event)
        assert not event.isAccepted(), "Qt hands it on to what scrolls"
    assert (chosen.currentIndex(), number.value(), picked) == (0, 0, [])
    assert line.hasFocus()


def test_a_list_that_was_opened_by_mouse_does_not_keep_the_keys(scrolled: Any, qtbot: Any) -> None:
    line, chosen, _, picked = scrolled
    qtbot.mouseClick(chosen, LEFT)
    chosen.hidePopup()
    assert line.hasFocus()
    assert picked == []


@pytest.mark.parametrize("width", [200, 260, 320])
def test_words_are_whole_from_the_first_time_they_are_shown(qtbot: Any, width: int) -> None:
    """Every line of them, with no bar for scrolling, up to the most; beyond it there is one."""
    from napari_necroangle.dock.parts import WordsArea, note
    from qtpy.QtWidgets import QVBoxLayout, QWidget

    room, words = QWidget(), note()
    area = WordsArea(words, 76)
    QVBoxLayout(room).addWidget(area)
    area.hide()
    room.resize(width, 300)
    qtbot.addWidget(room)
    room.show()
    words.setText("an arc end lies 5.2 mm off the circle; it is measured where that passes it")
    area.fit()
    area.show()
    qtbot.wait(50)
    assert not area.verticalScrollBar().isVisible()
    assert words.height() >= words.heightForWidth(words.width())
    words.setText("many words " * 60)
    area.fit()
    qtbot.wait(50)
    assert area.verticalScrollBar().isVisible()
    assert area.height() == 76


def test_a_fold_shows_all_of_its_words_and_says_that_it_was_opened(qtbot: Any) -> None:
    from napari_necroangle.dock.parts import Fold, note
    from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget

    words, column, area, opened = note("many words " * 60), QWidget(), QScrollArea(), []
    fold = Fold(words, "All keys")
    fold.on_open = lambda: opened.append(fold.is_open)
    layout = QVBoxLayout(column)
    layout.addWidget(fold)
    layout.addStretch(1)
    area.setWidget(column)
    area.setWidgetResizable(True)
    area.resize(300, 200)
    qtbot.addWidget(area)
    area.show()
    qtbot.mouseClick(fold.line, LEFT)
    qtbot.wait(50)
    assert opened == [True]
    assert words.height() >= words.heightForWidth(words.width())
    qtbot.mouseClick(fold.line, LEFT)
    assert opened == [True]
