"""A reader's own folder in a study: her cases, saved, submitted, locked and reopened."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from necroangle.annotation import (
    FIRST_REVISION,
    SUFFIX,
    HipReading,
    ReadingKey,
    Revision,
    UnreadView,
    encode_reading,
    file_name_of,
    read_bytes,
    save_reading,
)
from necroangle.errors import ReadingError
from necroangle.readerstudy.cases import (
    CaseItem,
    Progress,
    Status,
    case_list,
    clock_doubt,
    conduct_of,
    progress_of,
)
from necroangle.readerstudy.files import ReadingFiles, SavedReading
from necroangle.readerstudy.history import keep_version, kept_versions, version_path
from necroangle.readerstudy.order import ListedCase, reading_list
from necroangle.readerstudy.worklist import Worklist, worklist_id
from necroangle.storage import write_atomically
from necroangle.terms import UnreadReason

__all__ = ["DeskState", "ReaderDesk", "reader_folder"]


@dataclass(frozen=True, slots=True)
class DeskState:
    """Where a reader stands.

    Attributes
    ----------
    items
        Her list.
    progress
        How far she has come.
    doubts
        What someone should look at, in plain sentences.
    """

    items: tuple[CaseItem, ...]
    progress: Progress
    doubts: tuple[str, ...]


def reader_folder(readings: Path, reader: str) -> Path:
    """The sub-folder of a reader, so that nobody comes upon another one's readings.

    Examples
    --------
    >>> reader_folder(Path("readings"), "r1").as_posix()
    'readings/r1'
    """
    return readings / reader


class ReaderDesk:
    """One reader's part of a study.

    Parameters
    ----------
    worklist
        The study.
    reader
        One of its readers.
    readings
        Where the study keeps its readings; hers lie in a sub-folder.

    Raises
    ------
    ReadingError
        If the worklist has no such reader.

    Attributes
    ----------
    worklist, reader, folder
        The study, the reader, and her own folder.
    listed
        Her list.
    """

    def __init__(self, worklist: Worklist, reader: str, readings: Path) -> None:
        self.worklist = worklist
        self.reader = reader
        self.listed = reading_list(worklist, reader)
        self.folder = reader_folder(readings, reader)
        self._files = ReadingFiles()

    def state(self, today: date) -> DeskState:
        """Where she stands today (UTC).

        Raises
        ------
        ReadingError
            If her readings were made on another worklist, or two claim one place.
        """
        doubts: list[str] = []
        readings = [saved.reading for saved in self._saved(doubts)]
        versions = self._versions(doubts)
        before = [version.reading for version in versions]
        items = case_list(self.worklist, self.reader, today, readings, before)
        doubts.extend(_changed(readings, versions))
        doubts.append(clock_doubt([*readings, *before], today))
        gone = sum(item.status is Status.MISSING for item in items)
        if gone:
            doubts.append(f"{gone} submitted readings are gone from {self.folder.name}")
        return DeskState(items, progress_of(items), tuple(filter(None, doubts)))

    def path_of(self, listed: ListedCase) -> Path:
        """Where the reading of a case is kept."""
        return self.folder / file_name_of(ReadingKey(*listed.case.key, self.reader, listed.read_no))

    def load(self, listed: ListedCase) -> SavedReading | None:
        """What is saved of a case, submitted or not; None where nothing is.

        Raises
        ------
        ReadingError
            If the file is not a valid reading, or of another worklist.
        """
        path = self.path_of(listed)
        if not path.exists():
            return None
        saved = self._files.read(path)
        if saved.reading.conduct.worklist != worklist_id(self.worklist):
            raise ReadingError("a reading of another worklist lies here", file=path.name)
        return saved

    def save(
        self,
        listed: ListedCase,
        reading: HipReading,
        *,
        today: date,
        duration_s: float | None,
        replaces: str | None = None,
        submit: bool = False,
    ) -> SavedReading:
        """Save the reading of a case, or submit it, which locks it.

        Parameters
        ----------
        listed, reading
            The case, and what was marked; how it was conducted and its revision are filled in.
        today
            Today in UTC.
        duration_s
            Active reading time.
        replaces
            SHA-256 of the file that was loaded or saved before; None for a new one.
        submit
            Whether it is final.

        Raises
        ------
        ReadingError
            If the case is locked, submitted, or missing, the reading is of another hip or reader,
            or another version lies there: nothing is changed.
        OSError
            If the history cannot be written: the reading is then not submitted.
        """
        self._refuse_other_case(listed, reading)
        self._refuse_closed(listed, today)
        before = self.load(listed)
        content = replace(
            reading,
            conduct=conduct_of(self.worklist, listed, duration_s, submitted=submit),
            revision=before.reading.revision if before else FIRST_REVISION,
        )
        if submit:
            _refuse_undone(content)
            _refuse_unseen(before, replaces)
            keep_version(self.folder, encode_reading(content))
        path = self.path_of(listed)
        return SavedReading(path, content, save_reading(content, path, replaces=replaces))

    def reopen(self, listed: ListedCase, reason: str, *, saved_at: str) -> SavedReading:
        """Open a submitted reading again; the submitted version stays in the history.

        Parameters
        ----------
        listed
            The case.
        reason
            Why, in words; kept in the reading.
        saved_at
            Now in UTC, ``2026-01-31T08:15:00.000Z``.

        Raises
        ------
        ReadingError
            If the case was not submitted, or no reason is given.
        OSError
            If the history cannot be written: the reading then stays locked.
        """
        if not reason.strip():
            raise ReadingError("say why the reading is reopened", place="$.revision.reason")
        before = self.load(listed)
        if before is None or not before.reading.conduct.submitted:
            raise ReadingError("this case was not submitted: it is open")
        keep_version(self.folder, read_bytes(before.path))
        old = before.reading
        revision = Revision(
            number=old.revision.number + 1,
            previous_sha256=before.sha256,
            reason=reason.strip(),
        )
        conduct = replace(old.conduct, submitted=False)
        reading = replace(old, revision=revision, conduct=conduct, saved_at=saved_at)
        digest = save_reading(reading, before.path, replaces=before.sha256)
        return SavedReading(before.path, reading, digest)

    def bring_back(self, listed: ListedCase) -> SavedReading:
        """Put the last submitted version of a missing reading back in its place.

        Raises
        ------
        ReadingError
            If the reading is there, or the history does not have it.
        OSError
            If the disk refuses.
        """
        path = self.path_of(listed)
        if path.exists():
            raise ReadingError("the reading is there; nothing to bring back", file=path.name)
        wanted = (*listed.case.key, self.reader, listed.read_no)
        found = [one for one in self._versions([]) if tuple(one.reading.key) == wanted]
        if not found:
            raise ReadingError("the history has no version of it", file=path.name)
        last = max(found, key=lambda one: one.reading.revision.number)
        write_atomically(path, read_bytes(version_path(self.folder, last.sha256)))
        return SavedReading(path, last.reading, last.sha256)

    def _saved(self, doubts: list[str]) -> list[SavedReading]:
        found: list[SavedReading] = []
        paths = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        for path in paths:
            try:
                found.append(self._files.read(path))
            except ReadingError as error:
                doubts.append(str(error))
                continue
            if found[-1].reading.reader != self.reader:
                doubts.append(f"{path.name}: a reading of someone else; move it out of this folder")
        return found

    def _versions(self, doubts: list[str]) -> list[SavedReading]:
        found: list[SavedReading] = []
        for version in kept_versions(self.folder, self._files):
            if isinstance(version, ReadingError):
                doubts.append(str(version))
            else:
                found.append(version)
        return found

    def _refuse_other_case(self, listed: ListedCase, reading: HipReading) -> None:
        wanted = (*listed.case.key, self.reader, listed.read_no)
        if tuple(reading.key) != wanted:
            raise ReadingError("the reading is of another case, reader or repeat than the list's")
        views = tuple(view.view for view in reading.views)
        if views != listed.case.views:
            raise ReadingError(
                f"the study reads {' and '.join(listed.case.views)} here, "
                f"found {' and '.join(views)}",
                place="$.views",
            )

    def _refuse_closed(self, listed: ListedCase, today: date) -> None:
        items = {item.listed: item for item in self.state(today).items}
        item = items.get(listed)
        if item is None:
            raise ReadingError("the case is not on this reader's list")
        if item.status is Status.SUBMITTED:
            raise ReadingError("this reading is submitted and locked; reopen it with a reason")
        if item.status is Status.LOCKED:
            raise ReadingError(f"this case cannot be read yet: it {item.words}")
        if item.status is Status.MISSING:
            raise ReadingError("this reading was submitted and its file is gone; bring it back")


def _refuse_undone(reading: HipReading) -> None:
    for index, view in enumerate(reading.views):
        if isinstance(view, UnreadView) and view.reason is UnreadReason.NOT_DONE:
            raise ReadingError(
                f"the {view.view.label} view is not done: mark it, or say why it cannot be read",
                place=f"$.views[{index}]",
            )


def _refuse_unseen(before: SavedReading | None, replaces: str | None) -> None:
    if replaces != (before.sha256 if before else None):
        raise ReadingError(
            "another version of this reading was saved meanwhile, or its file is gone; open the "
            "case again"
        )


def _changed(readings: list[HipReading], versions: list[SavedReading]) -> list[str]:
    """Submitted readings that no longer say what was submitted."""
    kept = [version.reading for version in versions]
    return [
        f"the reading {reading.key} was changed after it was submitted"
        for reading in readings
        if reading.conduct.submitted and reading not in kept
    ]
