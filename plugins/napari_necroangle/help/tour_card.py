"""The tour's card over the window, beside what it speaks of, and its offer in the dock."""

from collections.abc import Callable

from qtpy.QtCore import QRect, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_necroangle._fields import button, note

__all__ = ["CardOverWindow", "TourOffer"]

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
        self.words = note()
        self.words.setFixedWidth(_TEXT_PX)
        self.leave = button("Skip the tour", "End the tour; nothing of it is kept", on_leave)
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


class TourOffer(QWidget):
    """The way into the tour while no study is open; a first start is asked in words, once.

    Parameters
    ----------
    is_first
        Whether the reader has not been offered it before.
    on_tour
        Called to begin it.
    on_answer
        Called once the reader has answered.
    """

    def __init__(
        self, *, is_first: bool, on_tour: Callable[[], None], on_answer: Callable[[], None]
    ) -> None:
        super().__init__()
        self._on_tour, self._on_answer = on_tour, on_answer
        self.words = note()
        self.words.setText(
            "New here? The tour reads a sample hip in four steps. Nothing of it is kept."
        )
        self.words.setObjectName("necroangle_instruction")
        self.tour = button("Take the tour", "A sample hip in four steps", self._begin)
        self.later = button("No, thanks", "The button of the tour stays here", self._answered)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.tour)
        buttons.addWidget(self.later)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.words)
        layout.addLayout(buttons)
        self._ask(is_first)

    def _ask(self, is_first: bool) -> None:
        self.words.setVisible(is_first)
        self.later.setVisible(is_first)

    def _answered(self) -> None:
        self._ask(False)
        self._on_answer()

    def _begin(self) -> None:
        self._answered()
        self._on_tour()
