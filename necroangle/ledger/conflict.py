"""What a write does to what stands there: decided in one place, with no database at hand."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Outcome", "State", "decide"]


class Outcome(StrEnum):
    """What becomes of an entry; the first three are actions of the ledger."""

    CREATE = "create"
    CHANGE = "change"
    WITHDRAW = "withdraw"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


class State(NamedTuple):
    """The last event of a key: its number and content; None where it was withdrawn."""

    seq: int = 0
    payload: str | None = None

    @property
    def revision(self) -> int:
        """What a writer sees: 0 where there is nothing."""
        return self.seq if self.payload is not None else 0


def decide(state: State, wanted: str | None, expected: int | None) -> Outcome:
    """What becomes of a wish.

    What stands there already is never a conflict, whoever wrote it: both wanted the same.

    Parameters
    ----------
    state
        What stands there; ``State()`` where there was never anything.
    wanted
        The new content, or None to withdraw.
    expected
        The revision that the writer saw, or None for no check.

    Examples
    --------
    >>> decide(State(), '{"sex":"F"}', 0).value
    'create'
    >>> decide(State(7, '{"sex":"M"}'), '{"sex":"F"}', 5).value
    'conflict'
    >>> decide(State(7, '{"sex":"F"}'), '{"sex":"F"}', 5).value
    'unchanged'
    """
    if state.payload == wanted:
        return Outcome.UNCHANGED
    if expected is not None and expected != state.revision:
        return Outcome.CONFLICT
    if wanted is None:
        return Outcome.WITHDRAW
    return Outcome.CREATE if state.payload is None else Outcome.CHANGE
