"""Reading time: how long a reader was at work on a case, pauses left out."""

import time
from collections.abc import Callable

__all__ = ["ReadingClock"]


class ReadingClock:
    """Counts active time: the time between two acts, unless it is longer than a pause.

    Of a gap longer than the idle limit nothing counts. The time is taken from a clock that is
    never set back.

    Parameters
    ----------
    idle_limit_s
        The longest gap that counts.
    start_s
        What was counted before, when a case is taken up again.
    now
        The clock, seconds.

    Examples
    --------
    >>> moments = iter([0.0, 10.0, 500.0, 520.0])
    >>> clock = ReadingClock(idle_limit_s=60, now=lambda: next(moments))
    >>> for _ in range(4):  # at 0, 10, 500 and 520 s: 10 + 20, the pause of 490 s left out
    ...     clock.act()
    >>> clock.seconds
    30.0
    """

    def __init__(
        self,
        idle_limit_s: float = 60.0,
        start_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_limit_s = idle_limit_s
        self._now = now
        self._last: float | None = None
        self.seconds = start_s

    def act(self) -> None:
        """Note that the reader did something: a mark, a key, another slice."""
        now = self._now()
        gap = 0.0 if self._last is None else now - self._last
        if 0.0 < gap <= self._idle_limit_s:
            self.seconds += gap
        self._last = now

    def stop(self) -> None:
        """Note that she left the case; what follows does not count until the next act."""
        self._last = None
