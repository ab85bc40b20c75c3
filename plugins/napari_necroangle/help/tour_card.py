"""The tour's card over the window, beside what it speaks of."""

from collections.abc import Callable

from qtpy.QtCore import QRect, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

__all__ = ["CardOverWindow"]

WIDTH_PX = 300
GAP_PX = 10
_TEXT_PX = WIDTH_PX - 28
_DOWN = 0.7
"""How far down a picture its card stands: below the head, above the scale bar."""


class CardOverWindow(QFrame):
    """A short text with an arrow to what it speaks of; the mouse passes everything beside it.

    Parameters
    ----------
    window
        The window that it lies over.
    on_leave
        Called where the reader skips the tour, or closes its last card.
    """

    def __init__(self, window: QWidget, on_leave: Callable[[], None]) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("necroangle_tour")
        self.setFixedWidth(WIDTH_PX)
        self.title, self.arrow = QLabel(), QLabel()
        self.title.setObjectName("necroangle_tour_title")
        self.arrow.setObjectName("necroangle_tour_title")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setFixedWidth(_TEXT_PX)
        self.leave = QPushButton("Skip the tour")
        self.leave.setToolTip("End the tour; nothing of it is kept")
        self.leave.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.leave.clicked.connect(lambda: on_leave())
        top, foot = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.arrow)
        foot.addStretch(1)
        foot.addWidget(self.leave)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.addLayout(top)
        layout.addWidget(self.words)
        layout.addLayout(foot)
        self.hide()

    def say(self, title: str, words: str, *, is_last: bool) -> None:
        """Say what to do."""
        self.title.setText(title)
        self.words.setText(words)
        self.leave.setText("Close the tour" if is_last else "Skip the tour")

    def point_at(self, target: QWidget, *, at_top: bool = False) -> None:
        """Stand beside a part of the window, in front of it where there is no room."""
        if not target.isVisible():
            return
        self.words.setFixedHeight(self.words.heightForWidth(_TEXT_PX))
        self.adjustSize()
        place = QRect(target.mapTo(self._window, target.rect().topLeft()), target.size())
        left, right = place.left() - WIDTH_PX - GAP_PX, place.right() + GAP_PX
        top = place.top() if at_top else place.top() + round(_DOWN * place.height())
        top = max(0, min(top, self._window.height() - self.height() - GAP_PX))
        if left >= 0:
            self._stand(left, top, "►")
        elif right + WIDTH_PX <= self._window.width():
            self._stand(right, top, "◄")
        else:
            self._stand(place.left() + GAP_PX, place.bottom() - self.height() - GAP_PX, "▲")

    def _stand(self, x: int, y: int, arrow: str) -> None:
        self.arrow.setText(arrow)
        self.move(x, y)
        self.show()
        self.raise_()
