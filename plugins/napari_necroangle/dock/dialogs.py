"""Questions to the reader in one place, and the last one before a window closes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QCoreApplication, QEvent, QObject
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMainWindow, QMessageBox, QWidget


class QtDialogs:
    """Asks by dialogs."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def folder(self, title: str, start: Path | None) -> Path | None:
        """Ask for a folder; None if the reader turns away."""
        chosen = QFileDialog.getExistingDirectory(self._parent, title, str(start or Path.home()))
        return Path(chosen) if chosen else None

    def reading_file(self, start: Path | None, title: str = "Open a reading") -> Path | None:
        """Ask for a saved reading; None if the reader turns away."""
        return self._file(title, start, "Readings (*.reading.json)")

    def worklist_file(self, start: Path | None) -> Path | None:
        """Ask for the worklist of a reader study; None if the reader turns away."""
        return self._file("Open a worklist", start, "Worklists (*.json)")

    def study_list(self, start: Path | None) -> Path | None:
        """Ask for a list of studies to fetch; None if the reader turns away."""
        kinds = "Tables (*.csv *.tsv *.txt *.xlsx *.xls *.ods)"
        return self._file("Open a list of studies", start, kinds)

    def _file(self, title: str, start: Path | None, kinds: str) -> Path | None:
        at = str(start or Path.home())
        chosen, _ = QFileDialog.getOpenFileName(self._parent, title, at, kinds)
        return Path(chosen) if chosen else None

    def names_file(self, start: Path | None, is_secret: bool) -> Path | None:
        """Ask for the study's list of pseudonyms, or its secret; None if the reader turns away."""
        title = "Open the study's secret" if is_secret else "Open the study's list of pseudonyms"
        kinds = "All files (*)" if is_secret else "Lists (*.csv)"
        begin = str(start or Path.home())
        chosen, _ = QFileDialog.getOpenFileName(self._parent, title, begin, kinds)
        return Path(chosen) if chosen else None

    def text(self, title: str, words: str, start: str = "") -> str:
        """Ask for a line of text; empty if the reader turns away."""
        found, is_given = QInputDialog.getText(self._parent, title, words, text=start)
        return str(found).strip() if is_given else ""

    def choose(self, title: str, words: str, answers: Sequence[str]) -> str | None:
        """Ask a question with these answers; None if the reader turns away."""
        box = QMessageBox(self._parent)
        box.setWindowTitle(title)
        box.setText(words)
        buttons = {
            answer: box.addButton(answer, QMessageBox.ButtonRole.AcceptRole) for answer in answers
        }
        box.addButton("Go back", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        clicked = box.clickedButton()
        return next((answer for answer, one in buttons.items() if one is clicked), None)

    def tell(self, title: str, words: str) -> None:
        """Tell what went wrong."""
        QMessageBox.warning(self._parent, title, words)


class WindowGuard(QObject):
    """Watches a main window's close and resize.

    ``may_close``: asks the reader where something is unsaved; False keeps the window open.
    ``on_close`` and ``on_resize``: called once the window has agreed to close, and after it was
    resized.
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
        """Watch no longer; the window, which lives on in napari, holds nothing of the dock then."""
        self._window.removeEventFilter(self)
        self.deleteLater()

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
        self._window.removeEventFilter(self)
        QCoreApplication.sendEvent(watched, event)
        if event.isAccepted():
            self._on_close()
        else:
            self._window.installEventFilter(self)
        return True
