"""A reader's own folder in a study: the cases on their list, saved, submitted, locked, reopened.

Three layers, bottom up: reading files that are decoded once until they change; the history, which
keeps every version that was ever submitted under the digest of its content, write-protected; and
:class:`ReaderWorklist`, which decides what may be saved now.
"""

from collections.abc import Iterator
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
    decode_reading,
    encode_reading,
    file_name_of,
    read_bytes,
    save_reading,
    sha256_of,
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
from necroangle.readerstudy.order import ListedCase, reading_list
from necroangle.readerstudy.worklist import Worklist, worklist_id
from necroangle.storage import write_atomically
from necroangle.terms import UnreadReason

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SavedReading:
    """A reading file: where, what it says, and the digest of its bytes."""

    path: Path
    reading: HipReading
    sha256: str


class ReadingFiles:
    """Reads reading files, and remembers what they say until they change.

    Examples
    --------
    >>> ReadingFiles().read(Path("nowhere.reading.json"))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: nowhere.reading.json: there is no such file
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, SavedReading]] = {}

    def read(self, path: Path) -> SavedReading:
        """What a file says.

        Raises
        ------
        ReadingError
            If it is not a valid reading.
        """
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        raw = read_bytes(path)
        saved = SavedReading(path, decode_reading(raw, file=path.name), sha256_of(raw))
        self._known[path] = (stamp, saved)
        return saved


def _stamp(path: Path) -> _Stamp:
    try:
        facts = path.stat()
    except OSError as error:
        raise ReadingError("there is no such file", file=path.name) from error
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns)


HISTORY_FOLDER = "history"

VERSION_SUFFIX = ".version.json"
"""Not that of a reading file: a batch over the readings does not take up old versions."""

_READ_ONLY = 0o444


def version_path(readings: Path, sha256: str) -> Path:
    """Where a version is kept.

    Examples
    --------
    >>> version_path(Path("readings"), "ab" * 32).as_posix()[:20]
    'readings/history/aba'
    """
    return readings / HISTORY_FOLDER / f"{sha256}{VERSION_SUFFIX}"


def keep_version(readings: Path, content: bytes) -> Path:
    """Keep the bytes of a reading file for ever; keeping them twice is keeping them once.

    Raises
    ------
    ReadingError
        If other bytes lie under this digest: the history was tampered with.
    OSError
        If the disk refuses.
    """
    path = version_path(readings, sha256_of(content))
    if path.exists():
        if read_bytes(path) != content:
            raise ReadingError(
                "the kept version is not what its name says; get it back from a backup",
                file=path.name,
            )
        return path
    write_atomically(path, content)
    path.chmod(_READ_ONLY)
    return path


def kept_versions(readings: Path, files: ReadingFiles) -> Iterator[SavedReading | ReadingError]:
    """Every version of a folder, and for each that is damaged why it cannot be used."""
    folder = readings / HISTORY_FOLDER
    for path in sorted(folder.glob(f"*{VERSION_SUFFIX}")) if folder.is_dir() else []:
        try:
            saved = files.read(path)
            if path.name != f"{saved.sha256}{VERSION_SUFFIX}":
                raise ReadingError("its content is not what its name says", file=path.name)
            yield saved
        except ReadingError as error:
            yield error


@dataclass(frozen=True, slots=True)
class ReaderState:
    """Where a reader stands.

    Attributes
    ----------
    items
        The reader's list.
    progress
        How far they have come.
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


class ReaderWorklist:
    """One reader's part of a study.

    Parameters
    ----------
    worklist
        The study.
    reader
        One of its readers.
    readings
        Where the study keeps its readings; theirs lie in a sub-folder.

    Raises
    ------
    ReadingError
        If the worklist has no such reader.

    Attributes
    ----------
    worklist, reader, folder
        The study, the reader, and their own folder.
    listed
        Their list.
    """

    def __init__(self, worklist: Worklist, reader: str, readings: Path) -> None:
        self.worklist = worklist
        self.reader = reader
        self.listed = reading_list(worklist, reader)
        self.folder = reader_folder(readings, reader)
        self._files = ReadingFiles()

    def state(self, today: date) -> ReaderState:
        """Where the reader stands today (UTC).

        Raises
        ------
        ReadingError
            If their readings were made on another worklist, or two claim one place.
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
        return ReaderState(items, progress_of(items), tuple(filter(None, doubts)))

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
            raise ReadingError("a reading of another worklist is here", file=path.name)
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
            raise ReadingError("the reading is there; nothing to restore", file=path.name)
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
            raise ReadingError("this reading was submitted and its file is gone; put it back")


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
