"""What a reader study and a comparison of two readings need of the window they happen in."""

from typing import Protocol

from napari_necroangle.dock.dialogs import Asker
from napari_necroangle.dock.saving import Saving
from napari_necroangle.modes.workspace import Desk

__all__ = ["Host"]


class Host(Protocol):
    """The window."""

    desk: Desk
    asker: Asker
    saving: Saving

    def leave_case(self) -> None:
        """Take up what is still being typed, and listen to the case no longer."""

    def show_desk(self) -> None:
        """Show what now lies on the desk, a case or nothing."""

    def show_first(self) -> None:
        """Show the first hip of the open folder, where there is one."""

    def offer_unsaved(self) -> None:
        """Offer what an earlier window left unsaved."""

    def refresh(self) -> None:
        """Show everything as it stands."""
