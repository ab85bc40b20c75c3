"""The tour: one sample hip in four steps with a card over the window; nothing of it is kept."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from qtpy.QtCore import QRect, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_necroangle.modes.free import FreeReading
from napari_necroangle.modes.mode import Window
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.case import CaseKey
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow, Step
from necroangle.dicom.visits import Visit
from necroangle.samples import sample_folder
from necroangle.terms import Laterality, View

WIDTH_PX = 300
GAP_PX = 10
_TEXT_PX = WIDTH_PX - 28
_DOWN = 0.7
"""How far down a picture its card stands: below the head, above the scale bar."""


class CardOverWindow(QFrame):
    """A short text with an arrow to what it speaks of; the mouse passes everything beside it."""

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


SAMPLE = "plain"
_READER = "tour"


class TourStep(StrEnum):
    """One step of the tour."""

    HEAD = "Head circle"
    SLICE = "Slice"
    ARC = "Arc"
    RESULT = "Result"
    END = "Done"


@dataclass(frozen=True, slots=True)
class TourCard:
    """What a card of the tour says, and of what.

    ``view``: the view whose picture it points at; None for the result.
    """

    step: TourStep
    words: str
    view: View | None

    @property
    def title(self) -> str:
        """Which of the four it is, and its name."""
        if self.step is TourStep.END:
            return "Tour: done"
        return f"Tour {list(TourStep).index(self.step) + 1} of 4: {self.step.value}"


@dataclass(frozen=True, slots=True)
class _Before:
    """What was open when the tour began."""

    key: CaseKey | None
    folder: Path | None
    readings: Path | None
    reader: str


class Tour:
    """Takes a reader through the sample hip; it resumes nothing and leaves nothing behind."""

    def __init__(
        self,
        workspace: Workspace,
        open_folder: Callable[[Path], object],
        take: Callable[[Visit, Laterality, tuple[View, View]], object],
    ) -> None:
        self._workspace, self._open, self._take = workspace, open_folder, take
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._before = _Before(None, None, None, "")
        self._keeps_readings = False
        self._sessions: list[ReadingSession] = []

    @property
    def is_running(self) -> bool:
        """Whether the tour is under way."""
        return self._place is not None

    def begin(self) -> None:
        """Open a sample hip of its own."""
        space = self._workspace
        if self.is_running:
            return
        self._before = _Before(space.key, space.folder, space.readings, space.reader)
        self._place = tempfile.TemporaryDirectory(
            prefix="necroangle-tour-", ignore_cleanup_errors=True
        )
        space.reader = space.reader or _READER
        place = Path(self._place.name) / "tour"
        folder = shutil.copytree(sample_folder(SAMPLE), place / SAMPLE)
        readings = place / "readings"
        self._open(folder)
        self._keeps_readings = space.readings != readings.resolve()
        if self._keeps_readings:
            space.keep_readings_in(readings)

    def card(self) -> TourCard | None:
        """What the tour waits for; None where none is under way."""
        flow = self._workspace.flow
        if not self.is_running or flow is None:
            return None
        if flow.case.session not in self._sessions:
            self._sessions.append(flow.case.session)
        return _card(flow, is_saved=any(one.file_sha256 for one in self._sessions))

    def end(self, *, reopen: bool = True) -> None:
        """Forget what was marked, remove the sample, and put what was open back.

        ``reopen``: whether to open again what was open before; not where the window closes.
        """
        if self._place is None:
            return
        place, self._place = self._place, None
        for session in self._sessions:
            _forget(session)
        self._sessions = []
        self._workspace.close_folder()
        self._put_back(reopen=reopen)
        place.cleanup()

    def _put_back(self, *, reopen: bool) -> None:
        before, space = self._before, self._workspace
        space.reader = before.reader
        if self._keeps_readings and before.readings is not None:
            space.keep_readings_in(before.readings)
        if not reopen or before.folder is None:
            return
        self._open(before.folder)
        key = before.key
        visit = next((one for one in space.visits if key and one.label == key.visit), None)
        if key is not None and visit is not None:
            self._take(visit, key.side, key.views)
        space.readings = before.readings


def _forget(session: ReadingSession) -> None:
    """Go back to where nothing is unsaved: to its beginning, or to what was saved in the tour."""
    while session.can_undo and (session.file_sha256 is None or session.is_unsaved):
        session.undo()
    while session.is_unsaved and session.can_redo:
        session.redo()


def _card(flow: Flow, *, is_saved: bool) -> TourCard:
    """The first step that is not done."""
    first, second = (one.view for one in flow.case.session.draft.views)
    if is_saved:
        words = "That was a whole hip. What you marked here is thrown away with the tour."
        return TourCard(TourStep.END, words, None)
    if not flow.is_done(Step.HEAD_A):
        words = (
            "Press the mouse on the rim of the round head and draw along it, as far as it is "
            "healthy, in one go. A circle is fitted to it."
        )
        return TourCard(TourStep.HEAD, words, first)
    if not flow.is_done(Step.HEAD_B) or not flow.is_done(Step.SLICES):
        words = (
            "This picture already shows the slice through your circle's centre. Turn the wheel "
            f"to look round; {key_label('jump')} comes back to it. Then draw the rim here too."
        )
        return TourCard(TourStep.SLICE, words, second)
    for step, view in ((Step.ARC_A, first), (Step.ARC_B, second)):
        if not flow.is_done(step):
            words = (
                "Click one end of the dark band where it meets the surface; it is magnified: click "
                "the exact place. The same for the other end. Then click between, on the necrotic "
                "side."
            )
            return TourCard(TourStep.ARC, words, view)
    words = (
        "Both angles added are the combined necrotic angle. Its interval and grade stand beside "
        f"it. {key_label('save')} saves the reading."
    )
    return TourCard(TourStep.RESULT, words, None)


class TourGuide:
    """Gives the tour in a window."""

    def __init__(
        self, window: Window, free: FreeReading, target: Callable[[View | None], QWidget | None]
    ) -> None:
        self._window, self._target = window, target
        self.tour = Tour(window.workspace, free.open_folder, free.take)
        self.card_over: CardOverWindow | None = None

    def arrange(self, window: QWidget) -> None:
        """Make the card, over a window."""
        self.card_over = CardOverWindow(window, self.leave)

    def begin(self) -> None:
        """Read a sample hip in four steps; what is open now is put back afterwards."""
        if self._window.mode.may_choose_hip:
            self._window.leave_case()
            self.tour.begin()
            self._window.refresh()

    def leave(self) -> None:
        """End the tour, if one is under way; nothing of it is kept."""
        if self.tour.is_running:
            self._window.leave_case()
            self.tour.end()
            self._window.show_current()

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
        card = self.tour.card()
        target = self._target(card.view) if card is not None else None
        if card is None or target is None:
            self.card_over.hide()
            return
        self.card_over.say(card.title, card.words, is_last=card.step is TourStep.END)
        self.card_over.point_at(target, at_top=card.view is None)
