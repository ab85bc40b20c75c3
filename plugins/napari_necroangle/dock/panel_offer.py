"""What is offered at the top of the dock: readings left unsaved, and the tour."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from napari_necroangle.dock.parts import button, note
from napari_necroangle.store.keeping import offer_words
from napari_necroangle.store.recovery import Recovered

__all__ = ["OfferPanel", "TourOffer"]


class OfferPanel(QFrame):
    """Offers one unsaved reading after the other; hidden where there is none.

    Parameters
    ----------
    name_of
        What the reader knows an unsaved reading by.
    take_up, put_aside
        Called with the reading: it is opened, or never offered again.

    Attributes
    ----------
    waiting
        What is still to be offered, the one that is shown first.
    """

    def __init__(
        self,
        name_of: Callable[[Recovered], str],
        take_up: Callable[[Recovered], object],
        put_aside: Callable[[Recovered], object],
    ) -> None:
        super().__init__()
        self.setObjectName("necroangle_offer")
        self._name_of = name_of
        self.waiting: tuple[Recovered, ...] = ()
        self.words = note()
        self.take_button = button(
            "Take it up", "Open it as it was, on the same slice", self._does(take_up)
        )
        self.later_button = button("Later", "Offer it again at the next start", self._drop_first)
        self.aside_button = button(
            "Put aside",
            "Offer it no more; it is moved to the folder .autosave/set_aside, not deleted",
            self._does(put_aside),
        )
        self._lay_out()
        self.offer(())

    def offer(self, found: tuple[Recovered, ...]) -> None:
        """Offer these readings."""
        self.waiting = found
        self.setVisible(bool(found))
        if found:
            count = f" (1 of {len(found)})" if len(found) > 1 else ""
            self.words.setText(offer_words(found[0], self._name_of(found[0])) + count)

    def _does(self, act: Callable[[Recovered], object]) -> Callable[[], None]:
        def run() -> None:
            first = self.waiting[0]
            self._drop_first()
            act(first)

        return run

    def _drop_first(self) -> None:
        self.offer(self.waiting[1:])

    def _lay_out(self) -> None:
        row = QWidget()
        buttons = QHBoxLayout(row)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(4)
        for one in (self.take_button, self.later_button, self.aside_button):
            buttons.addWidget(one, 1)
        self.take_button.setObjectName("necroangle_offer_take")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        layout.addWidget(self.words)
        layout.addWidget(row)


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
