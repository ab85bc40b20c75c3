"""A reader study in the window: from case to case, submitted, reopened; identities stay hidden."""

from pathlib import Path

from napari_necroangle.dock.host import Host
from napari_necroangle.modes.reader_worklist import StudyDesk
from napari_necroangle.modes.worklist import StudyRoom
from necroangle.errors import NecroangleError
from necroangle.readerstudy import CaseItem, ListedCase, Status

__all__ = ["StudyMode"]

_BRING_BACK = "Bring it back"


class StudyMode:
    """Reads the cases of a worklist.

    Parameters
    ----------
    host
        The window.

    Attributes
    ----------
    room
        The study that is open, or None.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.room: StudyRoom | None = None
        self._readings_before: Path | None = None

    def begin(self, path: Path, reader: str) -> bool:
        """Open a worklist at the next case to read; whether it could be opened."""
        host = self._host
        try:
            study = StudyDesk(path, reader)
        except (NecroangleError, OSError) as error:
            host.asker.tell("This worklist cannot be opened", str(error))
            return False
        host.leave_case()
        self._readings_before = host.desk.readings
        host.desk.close_folder()
        self.room = StudyRoom(host.desk, study)
        host.desk.is_handed_out, host.desk.reader = True, reader
        host.saving.writer = self
        host.offer_unsaved()
        listed = self.room.next()
        if listed is None or not self.open(listed):
            host.show_desk()
        return True

    def close(self) -> None:
        """End the study; what is not saved is kept."""
        if self.room is None:
            return
        host, desk = self._host, self._host.desk
        host.leave_case()
        self.room.leave()
        self.room = None
        desk.close_folder()
        desk.readings, desk.is_handed_out = self._readings_before, False
        host.saving.writer = None
        host.offer_unsaved()
        host.show_desk()

    def open(self, listed: ListedCase) -> bool:
        """Open a case of the list; whether it is open now."""
        room, host = self._room(), self._host
        item = next(one for one in room.state.items if one.listed == listed)
        if item.status is Status.MISSING and not self._bring_back(item):
            return False
        if item.status is Status.LOCKED:
            host.asker.tell("This case is not open yet", f"{listed.label} {item.words}.")
            return False
        host.leave_case()
        try:
            room.open(listed)
        except (NecroangleError, OSError) as error:
            host.asker.tell("This case cannot be opened", self.words(str(error)))
            host.show_desk()
            return False
        host.show_desk()
        if room.problem:
            host.asker.tell(f"{listed.label}: a series cannot be shown", self.words(room.problem))
        return True

    def open_neighbour(self, step: int) -> bool:
        """Open the case so many places further in the list, if there is one."""
        listed = self._room().neighbour(step)
        return listed is not None and self.open(listed)

    def open_next(self) -> str:
        """Open the next case to read; words where there is none."""
        listed = self._room().next()
        if listed is not None:
            self.open(listed)
            return ""
        return self._room().end_words()

    def go_next(self) -> None:
        """Open the next case to read, or say in the dock that there is none."""
        words = self.open_next()
        if words and self._host.desk.case is not None:
            self._host.desk.case.notice = words
            self._host.refresh()

    def reopen(self) -> None:
        """Open the submitted case again, for a reason that is kept."""
        room, host = self._room(), self._host
        words = "Why is it reopened? The reason is kept, and so is the submitted version."
        reason = host.asker.text("Reopen a submitted reading", words)
        if not reason:
            return
        host.leave_case()
        try:
            room.reopen(reason)
        except (NecroangleError, OSError) as error:
            host.asker.tell("It cannot be reopened", self.words(str(error)))
        host.show_desk()

    def act(self) -> None:
        """Note that the reader did something."""
        if self.room is not None:
            self.room.act()

    def write(self, *, final: bool) -> Path:
        """Save the open case, or submit it."""
        return self._room().save(submit=final).path

    def saved_words(self, _: Path) -> str:
        """What to say of a saved case: its file's name would tell whose it is."""
        return "Saved, not submitted"

    def words(self, words: str) -> str:
        """Words without any subject, visit or folder, where the study is blinded."""
        return self._room().study.masked(words)

    def _room(self) -> StudyRoom:
        assert self.room is not None  # noqa: S101
        return self.room

    def _bring_back(self, item: CaseItem) -> bool:
        words = f"{item.listed.label} was submitted, but its file is gone. The history has it."
        answer = self._host.asker.choose("A reading is missing", words, (_BRING_BACK,))
        if answer != _BRING_BACK:
            return False
        try:
            self._room().bring_back(item.listed)
        except (NecroangleError, OSError) as error:
            self._host.asker.tell("It cannot be brought back", self.words(str(error)))
            return False
        return True
