"""Saving, and going on with what is saved: whatever could lose marks is asked about."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from napari_necroangle.dock.dialogs import Asker
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.case import Case, CaseKey
from napari_necroangle.reading.texts import SIDES, VIEWS
from napari_necroangle.store.readings import load_into, next_read_no, path_of, save_session
from necroangle.annotation import HipReading, ReadView
from necroangle.dicom.visits import Visit
from necroangle.errors import ReadingError
from necroangle.terms import View

__all__ = ["Saving", "Writer"]

_FIELDS = {
    "$.subject": "Patient",
    "$.visit": "Visit",
    "$.reader": "Reader",
    "$.notes": "Notes",
}
_SAVE_ANYWAY = "Save without it"
_AS_NEXT = "Save as read {}"
_OPEN_SAVED = "Open the saved one"
_GO_BACK, _KEEP, _DISCARD = "Go back", "Close, offer them next time", "Close and lose them"
_REPLACE = "Open it, Undo brings these marks back"


class Writer(Protocol):
    """Writes a reading that was handed out: by a worklist, or by a comparison of two."""

    def write(self, *, final: bool) -> Path:
        """Write it, or submit it where that is another thing; raises as the disk or study does."""

    def saved_words(self, path: Path) -> str:
        """What to say of a reading that is saved."""

    def words(self, words: str) -> str:
        """Words for this reader's eyes."""


class Saving:
    """Saves the case on the desk.

    Parameters
    ----------
    desk
        What lies on the desk.
    asker
        Gives who asks the reader.

    Attributes
    ----------
    writer
        Who writes what was handed out; None where the reader chose the hip herself.
    """

    def __init__(self, desk: Desk, asker: Callable[[], Asker]) -> None:
        self._desk = desk
        self._asker = asker
        self._saved: dict[int, Path] = {}
        self.writer: Writer | None = None

    def save(self, *, final: bool = False) -> Path | None:
        """Save the case's reading, or submit it; its path, or None where it was not saved."""
        case, folder = self._desk.case, self._desk.readings
        if case is None or folder is None:
            return None
        problem = self._entry_problem(case)
        if problem:
            self._asker().tell("Not saved yet", problem)
            return None
        if not self._is_meaningful() or not self._may_save_incomplete(case, final):
            return None
        if self.writer is not None:
            return self._hand_over(case, self.writer, final)
        return self._write(case, folder)

    def status(self) -> str:
        """One line on whether the case is saved."""
        case = self._desk.case
        if case is None:
            return ""
        if case.session.is_locked:
            return "Submitted and locked"
        if case.session.is_unsaved:
            return (
                f"Not saved. {self._desk.trouble}".rstrip() if self._desk.trouble else "Not saved"
            )
        path = self._saved.get(id(case))
        if path is None:
            return ""
        return self.writer.saved_words(path) if self.writer is not None else f"Saved: {path.name}"

    def folder_words(self) -> str:
        """The readings folder, short: its end, from the reader's home where it lies there."""
        folder = self._desk.readings
        if folder is None:
            return ""
        if folder.is_relative_to(Path.home()):
            return str(Path("~") / folder.relative_to(Path.home()))
        return str(Path("…", *folder.parts[-2:]))

    def status_tip(self) -> str:
        """Where it is, or will be, saved."""
        return f"Folder: {self._desk.readings}" if self._desk.readings is not None else ""

    def may_close(self) -> bool:
        """Ask before unsaved marks are left; they are offered again unless she gives them up."""
        lost = self._desk.unsaved
        if not lost:
            return True
        names = "\n".join(_name(key) for key in lost)
        words = f"These readings are not saved:\n{names}"
        answer = self._asker().choose("Unsaved marks", words, (_GO_BACK, _KEEP, _DISCARD))
        if answer == _DISCARD:
            self._desk.give_up_unsaved()
        return answer in (_KEEP, _DISCARD)

    def may_replace(self, case: Case) -> bool:
        """Ask before a saved reading takes the place of unsaved marks."""
        if not case.session.is_unsaved:
            return True
        words = "This hip has unsaved marks. Open the saved reading in their place?"
        return self._asker().choose("Unsaved marks", words, (_REPLACE,)) == _REPLACE

    def place_of(self, reading: HipReading) -> tuple[Visit, tuple[View, View]]:
        """The visit of the open folder that a reading was made on, and its pair of views.

        Raises
        ------
        ReadingError
            If none of its images is in the folder.
        """
        read = [view for view in reading.views if isinstance(view, ReadView)]
        uids = {view.image.series_uid for view in read}
        first, second = (view.view for view in reading.views)
        for visit in self._desk.visits:
            if any(series.series_uid in uids for series in visit.series):
                return visit, (first, second)
        for visit in self._desk.visits:
            if not read and visit.visit == reading.visit:
                return visit, (first, second)
        raise ReadingError("its images are not in the open folder; open their folder first")

    def _entry_problem(self, case: Case) -> str:
        draft = case.session.draft
        for name in ("subject", "visit", "reader"):
            if not getattr(draft, name):
                return f"{_FIELDS[f'$.{name}']}: enter a code first. Your marks are kept."
        return ""

    def _is_meaningful(self) -> bool:
        """A number under the wrong side, or of two heads, is worse than none: it is not saved."""
        wrong = [one.words for one in self._desk.contradictions() if one.blocks]
        if wrong:
            words = f"{' '.join(wrong)} Correct it first. Your marks are kept."
            self._asker().tell("Not saved: it cannot be right", words)
        return not wrong

    def _may_save_incomplete(self, case: Case, final: bool) -> bool:
        views = zip(case.session.draft.views, case.session.outcome().views, strict=True)
        lost = [view for draft, view in views if view.missing and (draft.is_bound or draft.choice)]
        if not lost:
            return True
        if final and self.writer is not None:
            lacking = " ".join(f"{VIEWS[view.view]}: {view.missing}." for view in lost)
            self._asker().tell("Not submitted: it is not complete", f"{lacking} Nothing is lost.")
            return False
        words = "\n".join(
            f"The {VIEWS[view.view].lower()} view is not complete ({view.missing}): "
            "the file would say that it was not read."
            for view in lost
        )
        return self._asker().choose("Not complete", words, (_SAVE_ANYWAY,)) == _SAVE_ANYWAY

    def _hand_over(self, case: Case, writer: Writer, final: bool) -> Path | None:
        try:
            path = writer.write(final=final)
        except ReadingError as error:
            words = writer.words(f"{error}. Your marks are kept.")
            self._asker().tell("Not submitted" if final else "Not saved", words)
            return None
        except OSError as error:
            words = f"The file cannot be written: {error.strerror}. Your marks are kept."
            self._asker().tell("Not saved", words)
            return None
        self._saved[id(case)] = path
        return path

    def _write(self, case: Case, folder: Path) -> Path | None:
        try:
            path = save_session(case.session, folder)
        except ReadingError as error:
            return self._settle_refusal(case, folder, error)
        except OSError as error:
            words = f"The file cannot be written: {error.strerror}. Your marks are kept."
            self._asker().tell("Not saved", words)
            return None
        self._saved[id(case)] = path
        return path

    def _settle_refusal(self, case: Case, folder: Path, error: ReadingError) -> Path | None:
        path = path_of(case.session, folder)
        if error.place in _FIELDS:
            words = "letters, digits, dot, dash and single underscores only, at most 64"
            self._asker().tell("Not saved yet", f"{_FIELDS[error.place]}: {words}.")
            return None
        if not path.exists():
            self._asker().tell("Not saved", str(error))
            return None
        number = next_read_no(case.session, folder)
        as_next = _AS_NEXT.format(number)
        words = f"Another reading lies in {path.name}. It is left as it is."
        answer = self._asker().choose("Already there", words, (as_next, _OPEN_SAVED))
        if answer == as_next:
            case.session.enter(read_no=number)
            return self._write(case, folder)
        if answer == _OPEN_SAVED and self.may_replace(case):
            load_into(case.session, path)
            self._saved[id(case)] = path
        return None


def _name(key: CaseKey) -> str:
    """A case as the reader knows it: by its code alone where it was handed out."""
    return f"{key.code or key.visit}, {SIDES[key.side].lower()} hip"
