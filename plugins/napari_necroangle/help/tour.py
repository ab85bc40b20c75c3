"""The tour: one sample hip in four steps, in a folder that is gone when the tour is over."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reader import copy_sample
from napari_necroangle.reading.case import CaseKey
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.steps import Flow, Step
from necroangle.dicom.visits import Visit
from necroangle.terms import Laterality, View

__all__ = ["Tour", "TourCard", "TourStep"]

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

    Attributes
    ----------
    step
        The step that it waits for.
    words
        What to do, one or two plain sentences.
    view
        The view whose picture it points at; None for the result.
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
    """What lay on the desk when the tour began."""

    key: CaseKey | None
    folder: Path | None
    readings: Path | None
    reader: str


class Tour:
    """Takes a reader through the sample hip; it resumes nothing and leaves nothing behind.

    Parameters
    ----------
    desk
        What lies on the desk.
    open_folder
        Opens a folder in the window.
    take
        Takes up a hip of the open folder in the window.
    """

    def __init__(
        self,
        desk: Desk,
        open_folder: Callable[[Path], object],
        take: Callable[[Visit, Laterality, tuple[View, View]], object],
    ) -> None:
        self._desk, self._open, self._take = desk, open_folder, take
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._before = _Before(None, None, None, "")
        self._keeps_readings = False
        self._sessions: list[ReadingSession] = []

    @property
    def is_running(self) -> bool:
        """Whether the tour is under way."""
        return self._place is not None

    def begin(self) -> None:
        """Open a sample hip of its own; nothing while a worklist hands the cases out."""
        desk = self._desk
        if self.is_running or desk.is_handed_out:
            return
        self._before = _Before(desk.key, desk.folder, desk.readings, desk.reader)
        self._place = tempfile.TemporaryDirectory(
            prefix="necroangle-tour-", ignore_cleanup_errors=True
        )
        desk.reader = desk.reader or _READER
        folder = copy_sample(SAMPLE, Path(self._place.name) / "tour")
        readings = folder.parent / "readings"
        self._open(folder)
        self._keeps_readings = desk.readings != readings.resolve()
        if self._keeps_readings:
            desk.keep_readings_in(readings)

    def card(self) -> TourCard | None:
        """What the tour waits for; None where none is under way."""
        flow = self._desk.flow
        if not self.is_running or flow is None:
            return None
        if flow.case.session not in self._sessions:
            self._sessions.append(flow.case.session)
        return _card(flow, is_saved=any(one.file_sha256 for one in self._sessions))

    def end(self, *, reopen: bool = True) -> None:
        """Forget what was marked, remove the sample, and put what lay on the desk back.

        Parameters
        ----------
        reopen
            Whether to open again what was open before; not where the window closes.
        """
        if self._place is None:
            return
        place, self._place = self._place, None
        for session in self._sessions:
            _forget(session)
        self._sessions = []
        self._desk.close_folder()
        self._put_back(reopen=reopen)
        place.cleanup()

    def _put_back(self, *, reopen: bool) -> None:
        before, desk = self._before, self._desk
        desk.reader = before.reader
        if self._keeps_readings and before.readings is not None:
            desk.keep_readings_in(before.readings)
        if not reopen or before.folder is None:
            return
        self._open(before.folder)
        key = before.key
        visit = next((one for one in desk.visits if key and one.label == key.visit), None)
        if key is not None and visit is not None:
            self._take(visit, key.side, key.views)
        desk.readings = before.readings


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
                "the exact place. The same for the other end. Then click between, on the dead side."
            )
            return TourCard(TourStep.ARC, words, view)
    words = (
        "Both angles added are the combined necrotic angle. Its interval and grade stand beside "
        f"it. {key_label('save')} saves the reading."
    )
    return TourCard(TourStep.RESULT, words, None)
