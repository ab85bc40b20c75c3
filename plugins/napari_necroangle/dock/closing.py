"""The last question before a window closes, so that no mark is lost with it."""

from collections.abc import Callable

from qtpy.QtCore import QCoreApplication, QEvent, QObject
from qtpy.QtWidgets import QMainWindow

__all__ = ["WindowGuard"]


class WindowGuard(QObject):
    """Watches a main window's close and resize.

    Parameters
    ----------
    window
        The window.
    may_close
        Asks the reader where something is unsaved; False keeps the window open.
    on_close, on_resize
        Called once the window has agreed to close, and after it was resized.
    """

    def __init__(
        self,
        window: QMainWindow,
        may_close: Callable[[], bool],
        on_close: Callable[[], None],
        on_resize: Callable[[], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._may_close = may_close
        self._on_close = on_close
        self._on_resize = on_resize
        window.installEventFilter(self)

    def release(self) -> None:
        """Watch no longer."""
        self._window.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask first; then let the window decide, and go down only if it does close."""
        if event.type() == QEvent.Type.Resize:
            self._on_resize()
            return False
        if event.type() != QEvent.Type.Close:
            return False
        if not self._may_close():
            event.ignore()
            return True
        self.release()
        QCoreApplication.sendEvent(watched, event)
        if event.isAccepted():
            self._on_close()
        else:
            self._window.installEventFilter(self)
        return True
