"""The worklist of a reader study chooses what is read; identities stay hidden."""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from napari_necroangle.modes.mode import Action, Board, CaseRow, Mode, Window
from napari_necroangle.modes.saving import saved_by
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import Context
from napari_necroangle.store.recovery import Recovered, Remains, remains, restore, views_of
from necroangle.dicom.visits import Visit
from necroangle.errors import DicomError, NecroangleError, ReadingError
from necroangle.moments import utc_text
from necroangle.readerstudy import (
    CaseItem,
    ListedCase,
    Progress,
    ReaderState,
    ReaderWorklist,
    ReadingClock,
    SavedReading,
    Status,
    conduct_of,
    load_worklist,
    next_case,
)

_BRING_BACK = "Bring it back"
_CLOSED = (Status.LOCKED, Status.MISSING)
_ICONS = {Status.OPEN: "○", Status.SUBMITTED: "✓", Status.LOCKED: "◷", Status.MISSING: "!"}


@dataclass(frozen=True, slots=True)
class ListCase:
    """A case of the list that is being read.

    ``listed``: its place in the list; ``listed.label`` is all that a blinded reader is shown.
    ``clock``: the active reading time; call ``act`` at every key, click and slice.
    """

    listed: ListedCase
    session: ReadingSession
    clock: ReadingClock


class WorklistSession:
    """One reader at one worklist.

    ``readings``: where the study keeps its readings; by default the folder ``readings`` beside
    the images.

    Raises
    ------
    ReadingError
        If the worklist cannot be read, was edited after reading began, or has no such reader.
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
        self.own = ReaderWorklist(
            self.worklist, reader, readings or self.images.parent / "readings"
        )
        self._now = now or partial(datetime.now, UTC)
        self.folder = self.own.folder
        self.state()

    def state(self) -> ReaderState:
        """The reader's list, how far it is done, and what someone should look at.

        Raises
        ------
        ReadingError
            If the readings were made on another worklist, or two claim one place.
        """
        return self.own.state(self._now().astimezone(UTC).date())

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

    def open(self, listed: ListedCase) -> ListCase:
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
            reader=self.own.reader,
            read_no=listed.read_no,
            conduct=conduct_of(self.worklist, listed, None),
        )
        saved = self.own.load(listed)
        spent = 0.0
        if saved is not None:
            session.restore(saved.reading, saved.sha256)
            spent = saved.reading.conduct.duration_s or 0.0
        return ListCase(listed, session, ReadingClock(self.worklist.idle_limit_s, spent))

    def save(self, case: ListCase, *, submit: bool = False) -> SavedReading:
        """Save the case, or submit it: it is then locked.

        Raises
        ------
        ReadingError
            If the case is locked or submitted, a view is not done, or another version lies there.
        OSError
            If the disk refuses. Nothing is changed in either case.
        """
        now = self._now()
        saved = self.own.save(
            case.listed,
            case.session.reading(now),
            today=now.astimezone(UTC).date(),
            duration_s=case.clock.seconds,
            replaces=case.session.file_sha256,
            submit=submit,
        )
        case.session.mark_saved(saved.sha256)
        return saved

    def reopen(self, listed: ListedCase, reason: str) -> ListCase:
        """Open a submitted case again; both versions are kept.

        Raises
        ------
        ReadingError
            If it was not submitted, or no reason is given.
        """
        self.own.reopen(listed, reason, saved_at=utc_text(self._now()))
        return self.open(listed)


class Worklist(Mode):
    """Reads the cases of a reader study, from case to case.

    ``state``: where the reader stands, as of the last step that could change it.

    Raises
    ------
    ReadingError
        As for :class:`WorklistSession`.
    """

    case_words = "case of the list"

    def __init__(self, window: Window, path: Path, reader: str) -> None:
        self._window, self._workspace = window, window.workspace
        self.study = WorklistSession(path, reader)
        self.state: ReaderState = self.study.state()
        self.now: ListCase | None = None
        self._problem = ""
        self._begun: dict[str, ListCase] = {}
        self._readings_before = self._workspace.readings

    def next_words(self) -> str:
        """What the button that goes on says: a submitted case is only left, for one to read."""
        if self.now is None or not self.now.session.is_locked:
            return "Submit, next case"
        return "Next case" if self.state.progress.to_read else ""

    def begin(self) -> bool:
        """Open the next case to read."""
        space, window = self._workspace, self._window
        space.close_folder()
        space.readings, space.reader = self.study.folder, self.study.own.reader
        window.offer_unsaved()
        listed = self._next()
        if listed is None or not self.open(listed):
            window.show_current()
        return True

    def close(self) -> None:
        """Put the case aside; its time stands still."""
        if self.now is not None:
            self.now.clock.stop()
        self._window.leave_case()
        self._workspace.close_folder()
        self._workspace.readings = self._readings_before

    def cases(self) -> tuple[CaseRow, ...]:
        """The reader's list in its order."""
        now = self.now.listed if self.now is not None else None
        return tuple(
            CaseRow(
                item.listed,
                item_words(item),
                f"{item.listed.label}: {item.words}",
                is_open=item.listed == now,
                is_done=item.status is not Status.OPEN and item.listed != now,
                in_turn=item.status not in _CLOSED,
            )
            for item in self.state.items
        )

    def open(self, key: Hashable) -> bool:
        """Open a case of the list; whether it is open now."""
        item = next((one for one in self.state.items if one.listed == key), None)
        if item is None:
            return False
        listed, dialogs = item.listed, self._window.dialogs
        if item.status is Status.MISSING and not self._bring_back(item):
            return False
        if item.status is Status.LOCKED:
            dialogs.tell("This case is not open yet", f"{listed.label} {item.words}.")
            return False
        self._window.leave_case()
        try:
            self._take(listed)
        except (NecroangleError, OSError) as error:
            dialogs.tell("This case cannot be opened", self.mask(str(error)))
            self._window.show_current()
            return False
        self._window.show_current()
        if self._problem:
            words = self.mask(self._problem)
            dialogs.tell(f"{listed.label}: a series cannot be shown", words)
        return True

    def next(self) -> str:
        """Open the next case to read; words where there is none."""
        listed = self._next()
        if listed is not None:
            self.open(listed)
            return ""
        progress = self.state.progress
        if progress.opens_on is not None:
            return f"Submitted. The next session opens on {progress.opens_on}."
        left = progress.to_read + progress.locked + progress.missing
        return "Submitted. Nothing else is open now." if left else "Submitted. All cases are done."

    def reopen(self) -> None:
        """Open the submitted case again, for a reason that is kept with both versions."""
        if self.now is None:
            return
        dialogs, listed = self._window.dialogs, self.now.listed
        words = "Why is it reopened? The reason is kept, and so is the submitted version."
        reason = dialogs.text("Reopen a submitted reading", words)
        if not reason:
            return
        self._window.leave_case()
        try:
            self._begun[listed.code] = self.study.reopen(listed, reason)
            self.state = self.study.state()
            self._take(listed)
        except (NecroangleError, OSError) as error:
            dialogs.tell("It cannot be reopened", self.mask(str(error)))
        self._window.show_current()

    def save(self, *, final: bool) -> Path | None:
        """Save the open case, or submit it, which locks it."""
        now = self.now
        if now is None:
            return None
        return saved_by(self._window, self, lambda: self._write(now, final=final), final=final)

    def saved_words(self, _: Path) -> str:
        """What is said of a saved case: its file's name would tell whose it is."""
        return "Saved, not submitted"

    def unsaved(self) -> Remains:
        """What earlier windows left unsaved of the reader's cases."""
        left = remains(self.study.folder)
        codes = {item.listed.code for item in self.state.items}
        own = (one for one in left.recovered if one.context.case_code in codes)
        return Remains(tuple(own), left.set_aside)

    def recover(self, found: Recovered) -> None:
        """Take an unsaved reading up; undo brings back what was saved of it.

        Raises
        ------
        NecroangleError
            If its images cannot be read.
        ReadingError
            If another window has taken it up, or the case was submitted meanwhile.
        """
        draft, listed = restore(found), self._listed_of(found)
        if listed.case.views != views_of(found):
            raise ReadingError("it is of another kind of image than the worklist's case")
        case = self._take(listed)
        if case.session.is_locked:
            raise ReadingError(f"{listed.label} was submitted meanwhile; reopen it to change it")
        case.clock.seconds = max(case.clock.seconds, found.context.duration_s)
        try:
            self._workspace.show_series_of(found.context.shown)
        finally:
            case.session.recover(draft, case.session.file_sha256)
            self._keep(case, replaces=found.path)

    def label(self, found: Recovered) -> str:
        """The code of its case alone."""
        return self._listed_of(found).label

    def mask(self, words: str) -> str:
        """Words without any subject, visit or folder, where the study is blinded."""
        return self.study.masked(words)

    def board(self) -> Board:
        """How far the reader is, and the list's buttons."""
        progress, now = self.state.progress, self.now
        doubts = "\n".join(f"• {one}" for one in self.state.doubts)
        if doubts and self.study.worklist.blinded:
            number = len(self.state.doubts)
            count = f"{number} thing{'s' if number > 1 else ''}"
            doubts = f"Tell the coordinator: {count} to look at (necroangle worklist status)."
        is_locked = now is not None and now.session.is_locked
        on_case = (
            Action("Reopen…", "Change a submitted reading: both versions are kept", self.reopen)
            if is_locked
            else Action(
                "Submit",
                f"Lock this reading (key {key_label('submit')})",
                partial(self._window.save, final=True),
                is_enabled=now is not None,
            )
        )
        return Board(
            heading=f"Reader study · reader {self.study.own.reader}",
            leave=Action(
                "Close worklist",
                "Back to reading freely; nothing is lost",
                self._window.read_freely,
            ),
            words=progress_words(progress),
            progress=(progress.submitted, progress.total),
            doubts=doubts,
            actions=(
                Action(
                    "Next case",
                    "Open the next case to read",
                    self._go_next,
                    is_enabled=progress.to_read > 0,
                ),
                on_case,
            ),
        )

    def act(self) -> None:
        """The reader did something: the reading time goes on."""
        if self.now is not None and not self.now.session.is_locked:
            self.now.clock.act()

    def _next(self) -> ListedCase | None:
        """The case to read after the open one; None where nothing is open now."""
        self.state = self.study.state()
        item = self.study.next(self.now.listed if self.now is not None else None)
        if item is None or (self.now is not None and item.listed == self.now.listed):
            return None
        return item.listed

    def _go_next(self) -> None:
        words = self.next()
        if words and self._workspace.case is not None:
            self._workspace.case.notice = words
            self._window.refresh()

    def _write(self, now: ListCase, *, final: bool) -> Path:
        now.clock.act()
        saved = self.study.save(now, submit=final)
        if final:
            now.session.is_locked = True
            self._workspace.autosave.forget(now.session)
        self.state = self.study.state()
        return saved.path

    def _bring_back(self, item: CaseItem) -> bool:
        """Ask whether a submitted reading whose file is gone is put back in its place."""
        dialogs = self._window.dialogs
        words = f"{item.listed.label} was submitted, but its file is gone. The history has it."
        if dialogs.choose("A reading is missing", words, (_BRING_BACK,)) != _BRING_BACK:
            return False
        try:
            self.study.own.bring_back(item.listed)
        except (NecroangleError, OSError) as error:
            dialogs.tell("It cannot be brought back", self.mask(str(error)))
            return False
        self.state = self.study.state()
        return True

    def _listed_of(self, found: Recovered) -> ListedCase:
        code = found.context.case_code
        return next(one.listed for one in self.state.items if one.listed.code == code)

    def _take(self, listed: ListedCase) -> ListCase:
        """Take a case up: begun before, saved, or new; a submitted one is only looked at.

        Raises
        ------
        NecroangleError
            If the folder of its images cannot be read.
        ReadingError
            If it cannot be read yet, its file is gone, or its images are not where they should be.
        """
        item = next(one for one in self.state.items if one.listed == listed)
        if item.status in _CLOSED:
            raise ReadingError(f"{listed.label}: {item.words}")
        case = self._begun.get(listed.code) or self.study.open(listed)
        case.session.is_locked = item.status is Status.SUBMITTED
        self._show(case)
        self._begun[listed.code] = case
        if not case.session.is_locked:
            self._keep(case)
        return case

    def _show(self, case: ListCase) -> None:
        space, folder = self._workspace, self.study.images_of(case.listed)
        if space.folder != folder:
            space.open(folder)
            space.readings = self.study.folder
        visit = self._visit_of(case.listed)
        if self.now is not None:
            self.now.clock.stop()
        self.now, self._problem = case, ""
        listed, handed_out = case.listed.case, (case.listed.code, case.session)
        try:
            space.take(visit, listed.laterality, listed.views, handed_out=handed_out)
        except DicomError as error:
            self._problem = str(error)

    def _visit_of(self, listed: ListedCase) -> Visit:
        """The visit of the opened folder that a case is of; a nameless one by being alone."""
        case, visits = listed.case, self._workspace.visits
        named = [one for one in visits if (one.subject, one.visit) == (case.subject, case.visit)]
        nameless = [one for one in visits if not (one.subject and one.visit)]
        found = named or (nameless if len(visits) == 1 else [])
        kind = "radiograph" if case.views[0].is_radiograph else "stack"
        if len(found) != 1 or all(one.kind != kind for one in found[0].series):
            raise ReadingError(
                f"the images of {listed.label} are not where the worklist says; tell the "
                "coordinator its code"
            )
        return found[0]

    def _keep(self, case: ListCase, *, replaces: Path | None = None) -> None:
        """Keep the case against a crash, with its code and its time, and no name."""
        space, one = self._workspace, self._workspace.current
        if one is None:
            return

        def context() -> Context:
            found = space.context(one, is_named=not self.study.worklist.blinded)
            return Context(
                visit=found.visit,
                shown=found.shown,
                case_code=case.listed.code,
                duration_s=case.clock.seconds,
            )

        space.autosave.watch(case.session, self.study.folder, context, replaces=replaces)


def item_words(item: CaseItem) -> str:
    """A row of the list: a sign, what the case is called, and how it stands."""
    icon = "◐" if item.words in ("begun", "reopened") else _ICONS[item.status]
    is_later = item.status is Status.LOCKED and item.opens_on is None
    return f"{icon}  {item.listed.label} – {'later' if is_later else item.words}"


def progress_words(progress: Progress) -> str:
    """How far the reader is, in one line.

    Examples
    --------
    >>> progress_words(Progress(14, 3, 7, 4, 0, None))
    '3 of 14 submitted, 7 to read, 4 wait for the first session'
    """
    words = [f"{progress.submitted} of {progress.total} submitted"]
    if progress.to_read:
        words.append(f"{progress.to_read} to read")
    if progress.locked:
        when = f"open on {progress.opens_on}" if progress.opens_on else "wait for the first session"
        words.append(f"{progress.locked} {when}")
    if progress.missing:
        words.append(f"{progress.missing} gone")
    return ", ".join(words)
