"""Undo and redo by snapshots: a draft is a few hundred bytes, so every step is kept whole."""

from typing import Generic, TypeVar

__all__ = ["History"]

State = TypeVar("State")


class History(Generic[State]):
    """A value with its past and its undone future.

    A drag changes the value many times and is one step: ``change`` moves the value, ``settle``
    ends the step.

    Parameters
    ----------
    state
        The value at the start.

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
