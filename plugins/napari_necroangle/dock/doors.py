"""What can be opened, asked for by its file or folder."""

from pathlib import Path
from typing import Protocol

from napari_necroangle.dock.dialogs import Asker
from napari_necroangle.modes.workspace import Desk

__all__ = ["Doors", "House"]


class House(Protocol):
    """The window, as far as its doors go."""

    desk: Desk
    asker: Asker

    def open_folder(self, folder: Path) -> None:
        """Open the folder of a study."""

    def open_reading(self, path: Path) -> None:
        """Go on with a saved reading."""

    def open_worklist(self, path: Path, reader: str) -> bool:
        """Read the cases of a reader study."""

    def compare(self, first: Path, second: Path) -> bool:
        """Compare two readers' readings."""

    def refresh(self) -> None:
        """Show everything as it stands."""


class Doors:
    """Asks what to open, and opens it.

    Parameters
    ----------
    house
        The window.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def folder(self) -> None:
        """Ask for a folder and open it."""
        folder = self._house.asker.folder("Open the folder of a study", self._house.desk.folder)
        if folder is not None:
            self._house.open_folder(folder)

    def reading(self) -> None:
        """Ask for a saved reading and go on with it."""
        path = self._house.asker.reading_file(self._house.desk.readings)
        if path is not None:
            self._house.open_reading(path)

    def worklist(self) -> None:
        """Ask for a worklist and the reader's code, and open it."""
        house = self._house
        path = house.asker.worklist_file(house.desk.folder)
        if path is None:
            return
        reader = house.asker.text("Open a worklist", "Your code as a reader:", house.desk.reader)
        if reader:
            house.open_worklist(path, reader)

    def two_readings(self) -> None:
        """Ask for two readers' readings of one hip, and compare them."""
        house = self._house
        first = house.asker.reading_file(house.desk.readings, "The first reader's reading")
        second = first and house.asker.reading_file(first.parent, "The second reader's reading")
        if first is not None and second is not None:
            house.compare(first, second)

    def readings(self) -> None:
        """Ask where readings are saved."""
        house = self._house
        folder = house.asker.folder("Save readings in this folder", house.desk.readings)
        if folder is not None:
            house.desk.keep_readings_in(folder)
            house.refresh()
