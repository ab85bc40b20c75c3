"""The reading being made: one hip, one visit, with every step of it kept: undo and redo."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from napari_necroangle.reading import edits
from napari_necroangle.reading.draft import (
    Handle,
    MarkedSlice,
    ReadingDraft,
    ViewDraft,
    draft_of,
    reading_of,
)
from napari_necroangle.reading.outcome import Outcome, ViewOutcome, outcome_of, view_outcome
from necroangle.annotation import Conduct, HipReading, ReaderEntries, Revision
from necroangle.batch.study_settings import BY_IMAGE, Measuring
from necroangle.protocol.noise import EndNoise
from necroangle.terms import Finding, Laterality, Observation, UnreadReason, View

State = TypeVar("State")


class History(Generic[State]):
    """A value with its past and its undone future.

    A drag changes the value many times and is one step: ``change`` moves the value, ``settle``
    ends the step.

    Examples
    --------
    >>> history = History(0)
    >>> for value in (1, 2, 3):
    ...     history.change(value)
    >>> history.settle()
    >>> history.undo(), history.redo()
    (0, 3)
    >>> history.redo()  # nothing to redo: stays as it is
    3
    """

    def __init__(self, state: State) -> None:
        self._now = state
        self._settled = state
        self._past: list[State] = []
        self._future: list[State] = []

    @property
    def now(self) -> State:
        """The value as it stands."""
        return self._now

    @property
    def settled(self) -> State:
        """The value before the step that is under way, or as it stands."""
        return self._settled

    @property
    def is_settled(self) -> bool:
        """Whether no step is under way."""
        return self._now == self._settled

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past) or not self.is_settled

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._future)

    def change(self, state: State) -> None:
        """Change the value within the current step."""
        self._now = state

    def settle(self) -> None:
        """End the step; one that changed nothing leaves no trace."""
        if self._now == self._settled:
            return
        self._past.append(self._settled)
        self._future.clear()
        self._settled = self._now

    def undo(self) -> State:
        """Take back the last step, and return the value."""
        self.settle()
        if self._past:
            self._future.append(self._settled)
            self._now = self._settled = self._past.pop()
        return self._now

    def redo(self) -> State:
        """Take the last undone step again, and return the value."""
        self.settle()
        if self._future:
            self._past.append(self._settled)
            self._now = self._settled = self._future.pop()
        return self._now


Point = tuple[float, float]


class Entries(TypedDict, total=False):
    """What the reader types or picks beside the marks."""

    laterality: Laterality
    subject: str
    visit: str
    reader: str
    read_no: int
    entries: ReaderEntries
    notes: str
    conduct: Conduct
    revision: Revision
    consensus_of: tuple[str, ...]


class ReadingSession:
    """The document under the reader's hands.

    The draft is the truth; pictures and numbers are made from it after each change. Every change
    but a running drag is a step that can be undone.

    Examples
    --------
    >>> session = ReadingSession((View.CORONAL, View.SAGITTAL), laterality=Laterality.LEFT)
    >>> session.choose(View.CORONAL, UnreadReason.NOT_READABLE)
    >>> session.draft.view(View.CORONAL).choice.value
    'not_readable'
    >>> session.undo()
    >>> session.draft.view(View.CORONAL).choice is None
    True
    """

    def __init__(self, views: tuple[View, View], **entries: Unpack[Entries]) -> None:
        first, second = views
        laterality = entries.pop("laterality", Laterality.RIGHT)
        draft = ReadingDraft((ViewDraft(first), ViewDraft(second)), laterality)
        self._history = History(replace(draft, **entries))
        self._saved: ReadingDraft | None = None
        self._started_as = _content(self._history.now)
        self._outcome: tuple[ReadingDraft, Outcome] | None = None
        self._measuring = BY_IMAGE
        self._drawn: dict[View, tuple[ViewDraft, ViewOutcome]] = {}
        self._listeners: list[Callable[[], None]] = []
        self.file_sha256: str | None = None
        """SHA-256 of the file that a save replaces; None for a reading not yet in a file."""
        self.is_locked = False
        """Whether it was submitted: no edit changes it any more."""

    @property
    def draft(self) -> ReadingDraft:
        """All that was entered."""
        return self._history.now

    @property
    def is_unsaved(self) -> bool:
        """Whether something would be lost if the session were dropped now."""
        if self._saved is not None:
            return self.draft != self._saved
        return _content(self.draft) != self._started_as

    @property
    def is_settled(self) -> bool:
        """Whether no drag is under way that has moved a mark."""
        return self._history.is_settled

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return self._history.can_redo

    def listen(self, listener: Callable[[], None]) -> None:
        """Call a function after every change, once however often it is given."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """Call it no longer."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def place(self, view: View, handle: Handle, on: MarkedSlice, uv_mm: Point) -> None:
        """Set a new mark, or an arc's point anew.

        ``view`` and ``handle``: where it belongs. An arc point says that there is necrosis.
        ``uv_mm``: plane mm: along the row, down the column.

        Raises
        ------
        ReadingError
            If the view, or its neighbour, is marked on another slice.
        """
        self._edit(edits.placed(self.draft.view(view), handle, on, uv_mm))

    def move(self, view: View, handle: Handle, uv_mm: Point) -> None:
        """Move a mark within a drag; :meth:`settle` ends the drag and makes it one step."""
        self._change(edits.moved(self.draft.view(view), handle, uv_mm))

    def draw(self, view: View, handle: Handle, on: MarkedSlice, points_mm: Sequence[Point]) -> None:
        """Lay a rim, an arc or an outline within a stroke, anew at each call of one stroke.

        :meth:`settle` ends the stroke and makes it one step.

        Raises
        ------
        ReadingError
            As for :meth:`place`.
        """
        before = self._history.settled.view(view)
        self._change(edits.drawn(before, handle, on, points_mm))

    def move_to(self, view: View, on: MarkedSlice) -> None:
        """Carry a view to another slice (:func:`napari_necroangle.reading.edits.carried_to`)."""
        self._edit(edits.carried_to(self.draft.view(view), on))

    def rescale(self, view: View, on: MarkedSlice) -> None:
        """Scale a view's picture anew (:func:`napari_necroangle.reading.edits.rescaled`)."""
        self._edit(edits.rescaled(self.draft.view(view), on))

    def declare_free(self, view: View, on: MarkedSlice) -> None:
        """Say that a neighbouring slice shows no necrosis.

        Raises
        ------
        ReadingError
            If it is the view's own slice, or of another series.
        """
        self._edit(edits.freed(self.draft.view(view), on))

    def settle(self) -> None:
        """End a drag."""
        self._history.settle()
        self._tell()

    def remove(self, view: View, handle: Handle) -> None:
        """Take a mark away."""
        self._edit(edits.tidy(self.draft.view(view).with_mark(handle, None)))

    def clear(self, view: View) -> None:
        """Take all marks and the finding of a view away."""
        self._edit(ViewDraft(view))

    def choose(
        self, view: View, choice: Finding | UnreadReason | None, on: MarkedSlice | None = None
    ) -> None:
        """Say what was found on a view, or why it was not read.

        ``on``: the slice that is shown; not needed where the view has marks or was not
        read.
        """
        self._edit(edits.chosen(self.draft.view(view), choice, on))

    def choose_both(self, choice: Finding, on: Mapping[View, MarkedSlice]) -> None:
        """Say the same of both views, in one step."""
        draft = self.draft
        for view, slice_ in on.items():
            draft = draft.with_view(edits.chosen(draft.view(view), choice, slice_))
        self._step(draft)

    def observe(self, view: View, observation: Observation, seen: bool) -> None:
        """Note what else was seen on a view, or take it back."""
        draft = self.draft.view(view)
        kept = [item for item in draft.observations if item is not observation]
        observations = (*kept, observation) if seen else tuple(kept)
        self._edit(replace(draft, observations=observations))

    def enter(self, **entries: Unpack[Entries]) -> None:
        """Enter what stands beside the marks."""
        self._step(replace(self.draft, **entries))

    def undo(self) -> None:
        """Take back the last step."""
        if not self.is_locked:
            self._history.undo()
        self._tell()

    def redo(self) -> None:
        """Take the last undone step again."""
        if not self.is_locked:
            self._history.redo()
        self._tell()

    def outcome(self) -> Outcome:
        """What the draft measures, and what is missing."""
        if self._outcome is None or self._outcome[0] is not self.draft:
            first, second = (self.drawn(one.view) for one in self.draft.views)
            found = outcome_of(self.draft, (first, second), self._measuring)
            self._outcome = (self.draft, found)
        return self._outcome[1]

    def measure_by(self, measuring: Measuring) -> None:
        """Measure as a study does from here on."""
        if measuring != self._measuring:
            self._measuring, self._outcome = measuring, None

    @property
    def end_noise(self) -> EndNoise:
        """How the study takes the reader to mark arc ends."""
        return self._measuring.settings.noise_of(self.draft.reader)

    def drawn(self, view: View) -> ViewOutcome:
        """Circle and arcs of a view, without its measurement: far cheaper than :meth:`outcome`."""
        draft = self.draft.view(view)
        known = self._drawn.get(view)
        if known is None or known[0] is not draft:
            known = self._drawn[view] = (draft, view_outcome(draft))
        return known[1]

    def reading(self, saved_at: datetime | None = None) -> HipReading:
        """The reading as it stands: a view that is not complete is a view not read."""
        return reading_of(self.draft, self.outcome().entries, saved_at or datetime.now(UTC))

    def restore(self, reading: HipReading, sha256: str) -> None:
        """Take up a reading from its file; unsaved marks can be brought back by undo."""
        self.file_sha256 = sha256
        if not self.is_unsaved:
            self._history = History(draft_of(reading))
        self._saved = draft_of(reading)
        self._step(self._saved)

    def recover(self, draft: ReadingDraft, file_sha256: str | None) -> None:
        """Take up an unsaved draft of an earlier window; undo brings back what was there.

        ``file_sha256``: SHA-256 of the file that a save replaces; None for a reading not
        yet in a file.
        """
        self.file_sha256 = file_sha256
        self._step(draft)

    def mark_saved(self, sha256: str) -> None:
        """Note that the draft is in a file; what the file does not hold stays unsaved."""
        self.file_sha256 = sha256
        views = zip(self.draft.views, self.outcome().views, strict=True)
        if not any(outcome.missing and draft.is_bound for draft, outcome in views):
            self._saved = self.draft
        self._tell()

    def _edit(self, changed: ViewDraft) -> None:
        self._step(self.draft.with_view(changed))

    def _change(self, changed: ViewDraft) -> None:
        if not self.is_locked:
            self._history.change(self.draft.with_view(changed))
        self._tell()

    def _step(self, draft: ReadingDraft) -> None:
        if self.is_locked:
            self._tell()
            return
        self._history.settle()
        self._history.change(draft)
        self.settle()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _content(draft: ReadingDraft) -> tuple[object, ...]:
    """What a reader would miss, were it lost: all but whose reading it is."""
    return (draft.views, draft.entries, draft.notes)
