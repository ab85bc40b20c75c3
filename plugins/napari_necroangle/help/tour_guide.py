"""The tour in the window: it opens the sample, shows the card, and puts everything back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from qtpy.QtWidgets import QWidget

from napari_necroangle.canvas.pair import Canvases
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.help.tour import Tour, TourCard, TourStep
from napari_necroangle.help.tour_card import CardOverWindow
from napari_necroangle.modes.workspace import Desk
from necroangle.dicom.visits import Visit
from necroangle.terms import Laterality, View

__all__ = ["TourGuide", "TourPlace"]


class TourPlace(Protocol):
    """The dock that the tour is given in."""

    desk: Desk
    canvases: Canvases | None

    @property
    def planes(self) -> Sequence[PlaneView]:
        """What the canvases show."""

    def open_folder(self, folder: Path) -> None:
        """Open a folder at its first visit."""

    def take(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> object:
        """Take up a hip of the open folder."""

    def leave_case(self) -> object:
        """Have no more to do with the case that is before the reader."""

    def refresh(self) -> None:
        """Show everything as it stands."""


class TourGuide:
    """Gives the tour in a dock.

    Parameters
    ----------
    place
        The dock.
    result
        Gives the part of the dock that shows the result.

    Attributes
    ----------
    tour
        Where the reader is in it.
    card_over
        The card; None before there is a window.
    """

    def __init__(self, place: TourPlace, result: Callable[[], QWidget]) -> None:
        self._place, self._result = place, result
        self.tour = Tour(place.desk, place.open_folder, place.take)
        self.card_over: CardOverWindow | None = None

    def arrange(self, window: QWidget, sheet: str) -> None:
        """Make the card, over a window, in the dock's style."""
        self.card_over = CardOverWindow(window, self.leave)
        self.card_over.setStyleSheet(sheet)

    def begin(self) -> None:
        """Read a sample hip in four steps; what lies on the desk is put back afterwards."""
        self._place.leave_case()
        self.tour.begin()
        self._place.refresh()

    def leave(self) -> None:
        """End the tour, if one is under way; nothing of it is kept."""
        if not self.tour.is_running:
            return
        self._place.leave_case()
        self.tour.end()
        if self._place.desk.case is None:
            for plane in self._place.planes:
                plane.clear()
        self._place.refresh()

    def close(self) -> None:
        """End the tour, and take the card away: the window goes."""
        self.tour.end(reopen=False)
        if self.card_over is not None:
            self.card_over.setParent(None)
            self.card_over.deleteLater()
            self.card_over = None

    def show(self) -> None:
        """Put the card beside what it speaks of, or hide it."""
        if self.card_over is None:
            return
        card, canvases, case = self.tour.card(), self._place.canvases, self._place.desk.case
        if card is None or canvases is None or case is None:
            self.card_over.hide()
            return
        self.card_over.say(card.title, card.words, is_last=card.step is TourStep.END)
        views = [one.view for one in case.session.draft.views]
        target = self._target(card, canvases, views)
        self.card_over.point_at(target, at_top=card.view is None)

    def _target(self, card: TourCard, canvases: Canvases, views: list[View]) -> QWidget:
        if card.view not in views:
            return self._result()
        shown: QWidget = canvases.native_of(views.index(card.view))
        alone: QWidget = canvases.native
        return shown if shown.isVisible() else alone
