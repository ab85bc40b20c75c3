"""A reader study on the desk: which case is open, what may be done with it, and its time. No Qt."""

from pathlib import Path

from napari_necroangle.modes.reader_worklist import OpenCase, StudyDesk
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.store.autosave_file import Context
from napari_necroangle.store.keeping import offers_for_case, views_of
from napari_necroangle.store.recovery import Recovered, Remains, restore
from necroangle.dicom.visits import Visit
from necroangle.errors import DicomError, ReadingError
from necroangle.readerstudy import CaseItem, ListedCase, ReaderState, SavedReading, Status
from necroangle.terms import View

__all__ = ["StudyRoom"]

_CLOSED = (Status.LOCKED, Status.MISSING)


class StudyRoom:
    """One reader at one worklist, with the images of her case on the desk.

    Parameters
    ----------
    desk
        What lies before her.
    study
        Her worklist.

    Attributes
    ----------
    study
        Her worklist.
    state
        Where she stands, as of the last step that could change it.
    now
        The case that is open, or None.
    problem
        Why an image of the open case cannot be shown; empty where all are.
    """

    def __init__(self, desk: Desk, study: StudyDesk) -> None:
        self._desk = desk
        self.study = study
        self.state: ReaderState = study.state()
        self.now: OpenCase | None = None
        self.problem = ""
        self._begun: dict[str, OpenCase] = {}
        desk.readings = study.folder

    @property
    def item(self) -> CaseItem | None:
        """The open case as it stands in her list."""
        now = self.now
        return self._item(now.listed) if now is not None else None

    @property
    def is_blinded(self) -> bool:
        """Whether subject, visit and folders are hidden."""
        return self.study.worklist.blinded

    def open(self, listed: ListedCase) -> OpenCase:
        """Put a case on the desk: begun before, saved, or new; a submitted one is only looked at.

        Raises
        ------
        NecroangleError
            If the folder of its images cannot be read.
        ReadingError
            If it cannot be read yet, its file is gone, or its images are not where they should be.
        """
        item = self._item(listed)
        if item.status in _CLOSED:
            raise ReadingError(f"{listed.label}: {item.words}")
        case = self._begun.get(listed.code) or self.study.open(listed)
        case.session.is_locked = item.status is Status.SUBMITTED
        self._show(case)
        self._begun[listed.code] = case
        if not case.session.is_locked:
            self._keep(case)
        return case

    def leave(self) -> None:
        """Put the case aside; its time stands still."""
        if self.now is not None:
            self.now.clock.stop()

    def act(self) -> None:
        """Note that the reader did something: her time goes on."""
        if self.now is not None and not self.now.session.is_locked:
            self.now.clock.act()

    def save(self, *, submit: bool) -> SavedReading:
        """Save the open case, or submit it, which locks it.

        Raises
        ------
        ReadingError
            As for :meth:`napari_necroangle.modes.reader_worklist.StudyDesk.save`.
        OSError
            If the disk refuses.
        """
        now = self._open_case()
        now.clock.act()
        saved = self.study.save(now, submit=submit)
        if submit:
            now.session.is_locked = True
            self._desk.keeping.forget(now.session)
        self.state = self.study.state()
        return saved

    def reopen(self, reason: str) -> None:
        """Open the submitted case again; both versions are kept.

        Raises
        ------
        ReadingError
            If it was not submitted, or no reason is given.
        OSError
            If the disk refuses.
        """
        listed = self._open_case().listed
        again = self.study.reopen(listed, reason)
        self._begun[listed.code] = again
        self.state = self.study.state()
        self.open(listed)

    def bring_back(self, listed: ListedCase) -> None:
        """Put a submitted reading whose file is gone back in its place.

        Raises
        ------
        ReadingError
            If the history does not have it.
        """
        self.study.bring_back(listed)
        self.state = self.study.state()

    def next(self) -> ListedCase | None:
        """The case to read after the open one; None where nothing is open now."""
        self.state = self.study.state()
        item = self.study.next(self.now.listed if self.now is not None else None)
        if item is None or (self.now is not None and item.listed == self.now.listed):
            return None
        return item.listed

    def neighbour(self, step: int) -> ListedCase | None:
        """The case so many places further in her list that can be looked at, if there is one."""
        seen = [one.listed for one in self.state.items if one.status not in _CLOSED]
        if self.now is None:
            return seen[0] if seen else None
        at = seen.index(self.now.listed) + step
        return seen[at] if 0 <= at < len(seen) else None

    def end_words(self) -> str:
        """What to say where nothing more can be read now."""
        progress = self.state.progress
        if progress.opens_on is not None:
            return f"Submitted. The next session opens on {progress.opens_on}."
        left = progress.to_read + progress.locked + progress.missing
        return "Submitted. Nothing else is open now." if left else "Submitted. All cases are done."

    def left_unsaved(self) -> Remains:
        """What earlier windows left unsaved of her cases."""
        left = self._desk.keeping.left_in(self.study.folder)
        codes = (item.listed.code for item in self.state.items)
        return Remains(offers_for_case(left.recovered, codes), left.set_aside)

    def listed_of(self, found: Recovered) -> ListedCase:
        """The case that an unsaved reading is of."""
        code = found.context.case_code
        return next(one.listed for one in self.state.items if one.listed.code == code)

    def recover(self, found: Recovered) -> None:
        """Take an unsaved reading up; undo brings back what was saved of it.

        Raises
        ------
        NecroangleError
            If its images cannot be read.
        ReadingError
            If another window has taken it up, or the case was submitted meanwhile.
        """
        draft = restore(found)
        listed = self.listed_of(found)
        if listed.case.views != views_of(found):
            raise ReadingError("it is of another kind of image than the worklist's case")
        case = self.open(listed)
        if case.session.is_locked:
            raise ReadingError(f"{listed.label} was submitted meanwhile; reopen it to change it")
        case.clock.seconds = max(case.clock.seconds, found.context.duration_s)
        try:
            self._desk.show_series_of(found.context.shown)
        finally:
            case.session.recover(draft, case.session.file_sha256)
            self._keep(case, replaces=found.path)

    def _item(self, listed: ListedCase) -> CaseItem:
        return next(one for one in self.state.items if one.listed == listed)

    def _open_case(self) -> OpenCase:
        if self.now is None:
            raise ReadingError("no case of the worklist is open")
        return self.now

    def _show(self, case: OpenCase) -> None:
        folder = self.study.images_of(case.listed)
        if self._desk.folder != folder:
            self._desk.open(folder)
            self._desk.readings = self.study.folder
        visit = self._visit_of(case.listed)
        self.leave()
        self.now, self.problem = case, ""
        listed, handed_out = case.listed.case, (case.listed.code, case.session)
        try:
            self._desk.take(visit, listed.laterality, listed.views, handed_out=handed_out)
        except DicomError as error:
            self.problem = str(error)

    def _visit_of(self, listed: ListedCase) -> Visit:
        """The visit of the opened folder that a case is of; a nameless one by being alone."""
        case = listed.case
        visits = self._desk.visits
        named = [one for one in visits if (one.subject, one.visit) == (case.subject, case.visit)]
        nameless = [one for one in visits if not (one.subject and one.visit)]
        found = named or (nameless if len(visits) == 1 else [])
        if len(found) != 1 or not _shows(found[0], case.views):
            raise ReadingError(
                f"the images of {listed.label} are not where the worklist says; tell the "
                "coordinator its code"
            )
        return found[0]

    def _keep(self, case: OpenCase, *, replaces: Path | None = None) -> None:
        key = self._desk.key
        assert key is not None  # noqa: S101

        def context() -> Context:
            found = self._desk.context(key, is_named=not self.is_blinded)
            return Context(
                visit=found.visit,
                shown=found.shown,
                case_code=case.listed.code,
                duration_s=case.clock.seconds,
            )

        self._desk.keeping.watch(self.study.folder, case.session, context, replaces=replaces)


def _shows(visit: Visit, views: tuple[View, View]) -> bool:
    kinds = {series.kind for series in visit.series}
    return ("radiograph" if views[0].is_radiograph else "stack") in kinds
