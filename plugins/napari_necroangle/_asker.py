"""Questions to the reader, in one place, so that a test can answer them."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

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

    def reading_file(self, start: Path | None) -> Path | None:
        """Ask for a saved reading; None if the reader turns away."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, "Open a reading", str(start or Path.home()), "Readings (*.reading.json)"
        )
        return Path(chosen) if chosen else None

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
