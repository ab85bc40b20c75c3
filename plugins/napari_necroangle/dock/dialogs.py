"""Questions to the reader, in one place, so that a test can answer them."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

__all__ = ["Asker"]


class Asker:
    """Asks by dialogs.

    Parameters
    ----------
    parent
        The widget that the dialogs stand before.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def folder(self, title: str, start: Path | None) -> Path | None:
        """Ask for a folder; None if the reader turns away."""
        chosen = QFileDialog.getExistingDirectory(self._parent, title, str(start or Path.home()))
        return Path(chosen) if chosen else None

    def reading_file(self, start: Path | None, title: str = "Open a reading") -> Path | None:
        """Ask for a saved reading; None if the reader turns away."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, title, str(start or Path.home()), "Readings (*.reading.json)"
        )
        return Path(chosen) if chosen else None

    def worklist_file(self, start: Path | None) -> Path | None:
        """Ask for the worklist of a reader study; None if the reader turns away."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, "Open a worklist", str(start or Path.home()), "Worklists (*.json)"
        )
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
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        clicked = box.clickedButton()
        return next((answer for answer, one in buttons.items() if one is clicked), None)

    def tell(self, title: str, words: str) -> None:
        """Tell what went wrong."""
        QMessageBox.warning(self._parent, title, words)
