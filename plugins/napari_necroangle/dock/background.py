"""Long work in a thread of its own, while the window goes on being drawn."""

from collections.abc import Callable
from typing import Generic

from qtpy.QtCore import QEventLoop, QThread, QTimer

from napari_necroangle.modes.workspace import Progress, T

TELL_MS = 50


class _Work(QThread, Generic[T]):
    """Work in a thread.

    ``at``: how much is done, of how much; None before it says so.
    ``found``, ``error``: what it gave, or why it ended.
    """

    def __init__(self, work: Callable[[Progress], T]) -> None:
        super().__init__()
        self._work = work
        self.at: tuple[int, int] | None = None
        self.found: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """What the thread does."""
        try:
            self.found.append(self._work(self._note))
        except BaseException as error:
            self.error = error

    def _note(self, done: int, total: int) -> None:
        self.at = done, total


def done_in_thread(work: Callable[[Progress], T], progress: Progress | None = None) -> T:
    """What some work gives, done in a thread of its own; the window is drawn meanwhile.

    Mouse and keys wait until it is done, as they would if the window did it itself: nothing is
    opened or closed under what is being opened. The work touches nothing of the window.

    Parameters
    ----------
    work
        Called with a function to be told how much is done, of how much.
    progress
        Told the same, a few times a second, on the thread of the window.

    Raises
    ------
    Exception
        What the work raises.
    """
    running = _Work(work)
    loop, telling = QEventLoop(), QTimer()

    def tell() -> None:
        if progress is not None and running.at is not None:
            progress(*running.at)

    telling.timeout.connect(tell)
    telling.start(TELL_MS)
    running.finished.connect(loop.quit)
    running.start()
    loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    telling.stop()
    running.wait()
    tell()
    if running.error is not None:
        raise running.error
    return running.found[0]
