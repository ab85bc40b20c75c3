"""The worklist on the reader's desk: the next case, its session, saving and submitting it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from napari_necroangle.reading.session import ReadingSession
from necroangle.moments import utc_text
from necroangle.readerstudy import (
    CaseItem,
    ListedCase,
    ReaderState,
    ReaderWorklist,
    ReadingClock,
    SavedReading,
    conduct_of,
    load_worklist,
    next_case,
)

__all__ = ["OpenCase", "StudyDesk"]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is being read.

    Attributes
    ----------
    listed
        Its place in the list; ``listed.label`` is all that a blinded reader is shown.
    session
        The reading being made, or made and reopened.
    clock
        Her active time; call ``act`` at every key, click and slice.
    """

    listed: ListedCase
    session: ReadingSession
    clock: ReadingClock


class StudyDesk:
    """One reader at one worklist.

    Parameters
    ----------
    path
        The worklist file.
    reader
        Her code.
    readings
        Where the study keeps its readings; by default the folder ``readings`` beside the images.
    now
        The present moment, UTC.

    Raises
    ------
    ReadingError
        If the worklist cannot be read, was edited after reading began, or has no such reader.

    Attributes
    ----------
    worklist, folder, images
        The study, her folder of readings, and the folder of the images.
    """

    def __init__(
        self,
        path: Path,
        reader: str,
        readings: Path | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.worklist = load_worklist(path)
        self.images = (path.parent / self.worklist.study).resolve()
        self._desk = ReaderWorklist(
            self.worklist, reader, readings or self.images.parent / "readings"
        )
        self._now = now or _utc_now
        self.folder = self._desk.folder
        self.state()

    @property
    def reader(self) -> str:
        """Her code."""
        return self._desk.reader

    def state(self) -> ReaderState:
        """Her list, how far she is, and what someone should look at.

        Raises
        ------
        ReadingError
            If her readings were made on another worklist, or two claim one place.
        """
        return self._desk.state(self._today())

    def masked(self, words: str) -> str:
        """Words for the reader's eyes: in a blinded study without any subject, visit or folder."""
        if not self.worklist.blinded:
            return words
        named = {name for case in self.worklist.cases for name in (case.subject, case.visit)}
        named |= {part for case in self.worklist.cases for part in Path(case.folder).parts}
        for name in sorted(named, key=len, reverse=True):
            words = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "(hidden)", words)
        return words

    def next(self, after: ListedCase | None = None) -> CaseItem | None:
        """The next case to read; None where nothing is open now."""
        return next_case(self.state().items, after.read_order if after is not None else 0)

    def images_of(self, listed: ListedCase) -> Path:
        """The folder of a case's images."""
        return self.images / listed.case.folder

    def open(self, listed: ListedCase) -> OpenCase:
        """Take up a case: what is saved of it, or an empty reading.

        Raises
        ------
        ReadingError
            If its file is not a valid reading of this worklist.
        """
        case = listed.case
        session = ReadingSession(
            case.views,
            laterality=case.laterality,
            subject=case.subject,
            visit=case.visit,
            reader=self.reader,
            read_no=listed.read_no,
            conduct=conduct_of(self.worklist, listed, None),
        )
        saved = self._desk.load(listed)
        spent = 0.0
        if saved is not None:
            session.restore(saved.reading, saved.sha256)
            spent = saved.reading.conduct.duration_s or 0.0
        return OpenCase(listed, session, ReadingClock(self.worklist.idle_limit_s, spent))

    def save(self, case: OpenCase, *, submit: bool = False) -> SavedReading:
        """Save the case, or submit it: it is then locked.

        Raises
        ------
        ReadingError
            If the case is locked or submitted, a view is not done, or another version lies there.
        OSError
            If the disk refuses. Nothing is changed in either case.
        """
        now = self._now()
        saved = self._desk.save(
            case.listed,
            case.session.reading(now),
            today=now.astimezone(UTC).date(),
            duration_s=case.clock.seconds,
            replaces=case.session.file_sha256,
            submit=submit,
        )
        case.session.mark_saved(saved.sha256)
        return saved

    def reopen(self, listed: ListedCase, reason: str) -> OpenCase:
        """Open a submitted case again; both versions are kept.

        Raises
        ------
        ReadingError
            If it was not submitted, or no reason is given.
        """
        self._desk.reopen(listed, reason, saved_at=utc_text(self._now()))
        return self.open(listed)

    def bring_back(self, listed: ListedCase) -> SavedReading:
        """Put a submitted reading whose file is gone back in its place.

        Raises
        ------
        ReadingError
            If it is there, or the history does not have it.
        """
        return self._desk.bring_back(listed)

    def _today(self) -> date:
        return self._now().astimezone(UTC).date()


def _utc_now() -> datetime:
    return datetime.now(UTC)
