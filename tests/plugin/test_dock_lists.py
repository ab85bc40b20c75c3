"""The dock's lists: words that do not fit are cut with an ellipsis, and nothing is lost."""

from typing import Any

import pytest
from qtpy.QtCore import QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

pytestmark = pytest.mark.screen

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
