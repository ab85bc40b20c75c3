"""The reading being made: one hip, one visit, with every step of it kept. No Qt and no napari."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from napari_necroangle._draft import Handle, MarkedSlice, ReadingDraft, Role, ViewDraft
from napari_necroangle._history import History
from napari_necroangle._outcome import Outcome, outcome_of
from napari_necroangle._record import draft_of, reading_of
from necroangle.annotation import Conduct, HipReading, Mark, Revision
from necroangle.errors import ReadingError
from necroangle.terms import (
    ArcoStage,
    Finding,
    JicType,
    Laterality,
    Observation,
    UnreadReason,
    View,
)

__all__ = ["Entries", "ReadingSession"]


class Entries(TypedDict, total=False):
    """What the reader types or picks beside the marks."""

    laterality: Laterality
    subject: str
    visit: str
    reader: str
    read_no: int
    arco: ArcoStage | None
    jic: JicType | None
    notes: str
    conduct: Conduct
    revision: Revision
    consensus_of: tuple[str, ...]


class ReadingSession:
    """The document under the reader's hands.

    The draft is the truth; pictures and numbers are made from it after each change. Every change
    but a running drag is a step that can be undone.

    Parameters
    ----------
    views
        The A view and the B view.
    entries
        What is known from the start.

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
        self._started_as = self._history.now.views
        self._outcome: tuple[ReadingDraft, Outcome] | None = None
        self._listeners: list[Callable[[], None]] = []
        self.file_sha256: str | None = None
        """SHA-256 of the file that a save replaces; None for a reading not yet in a file."""

    @property
    def draft(self) -> ReadingDraft:
        """All that was entered."""
        return self._history.now

    @property
    def is_unsaved(self) -> bool:
        """Whether something would be lost if the session were dropped now."""
        if self._saved is not None:
            return self.draft != self._saved
        return self.draft.views != self._started_as

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

    def place(
        self, view: View, handle: Handle, on: MarkedSlice, uv_mm: tuple[float, float]
    ) -> None:
        """Set a new mark, or an arc's point anew.

        Parameters
        ----------
        view, handle
            Where it belongs. An arc point says that there is necrosis.
        on
            The slice that is shown.
        uv_mm
            Plane mm: along the row, down the column.

        Raises
        ------
        ReadingError
            If the view is marked on another slice: marks of one view lie on one slice.
        """
        draft = self._on_slice(view, on)
        changed = draft.with_mark(handle, Mark.at_plane(on.plane.plane(), *uv_mm))
        if handle.role is not Role.RIM:
            changed = replace(changed, choice=Finding.NECROSIS)
        self._step(self.draft.with_view(changed))

    def move(self, view: View, handle: Handle, uv_mm: tuple[float, float]) -> None:
        """Move a mark within a drag; :meth:`settle` ends the drag and makes it one step."""
        draft = self.draft.view(view)
        assert draft.on is not None  # noqa: S101
        mark = Mark.at_plane(draft.on.plane.plane(), *uv_mm)
        self._history.change(self.draft.with_view(draft.with_mark(handle, mark)))
        self._tell()

    def settle(self) -> None:
        """End a drag."""
        self._history.settle()
        self._tell()

    def remove(self, view: View, handle: Handle) -> None:
        """Take a mark away."""
        self._step(self.draft.with_view(_tidy(self.draft.view(view).without_mark(handle))))

    def clear(self, view: View) -> None:
        """Take all marks and the finding of a view away."""
        self._step(self.draft.with_view(ViewDraft(view)))

    def choose(
        self, view: View, choice: Finding | UnreadReason | None, on: MarkedSlice | None = None
    ) -> None:
        """Say what was found on a view, or why it was not read.

        Parameters
        ----------
        view
            The view.
        choice
            What was found; None takes it back.
        on
            The slice that is shown; not needed where the view has marks or was not read.
        """
        draft = self.draft.view(view)
        keeps = draft.on if draft.is_bound else None
        where = keeps or (on if isinstance(choice, Finding) else None)
        self._step(self.draft.with_view(replace(draft, choice=choice, on=where)))

    def observe(self, view: View, observation: Observation, seen: bool) -> None:
        """Note what else was seen on a view, or take it back."""
        draft = self.draft.view(view)
        kept = [item for item in draft.observations if item is not observation]
        observations = (*kept, observation) if seen else tuple(kept)
        self._step(self.draft.with_view(replace(draft, observations=observations)))

    def enter(self, **entries: Unpack[Entries]) -> None:
        """Enter what stands beside the marks."""
        self._step(replace(self.draft, **entries))

    def undo(self) -> None:
        """Take back the last step."""
        self._history.undo()
        self._tell()

    def redo(self) -> None:
        """Take the last undone step again."""
        self._history.redo()
        self._tell()

    def outcome(self) -> Outcome:
        """What the draft measures, and what is missing."""
        if self._outcome is None or self._outcome[0] is not self.draft:
            self._outcome = (self.draft, outcome_of(self.draft))
        return self._outcome[1]

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

    def mark_saved(self, sha256: str) -> None:
        """Note that the draft is in a file; what the file does not hold stays unsaved."""
        self.file_sha256 = sha256
        views = zip(self.draft.views, self.outcome().views, strict=True)
        if not any(outcome.missing and draft.is_bound for draft, outcome in views):
            self._saved = self.draft
        self._tell()

    def _on_slice(self, view: View, on: MarkedSlice) -> ViewDraft:
        """The view, laid on a slice where it lies on none yet."""
        draft = self.draft.view(view)
        if draft.is_bound and draft.on is not None and draft.on.image != on.image:
            raise ReadingError(
                f"the {view} marks lie on another slice; go there, or clear them to start anew",
                place=view,
            )
        return draft if draft.is_bound else replace(draft, on=on)

    def _step(self, draft: ReadingDraft) -> None:
        self._history.settle()
        self._history.change(draft)
        self.settle()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _tidy(draft: ViewDraft) -> ViewDraft:
    """Without its last arc mark a view is no longer known to be necrotic; without any, free."""
    if draft.choice is Finding.NECROSIS and not draft.arcs:
        draft = replace(draft, choice=None)
    return draft if draft.is_bound or draft.choice else replace(draft, on=None)
