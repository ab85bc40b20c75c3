"""What every mode asks before it writes, and says after: what could lose marks is asked about."""

from collections.abc import Callable
from pathlib import Path

from napari_necroangle.modes.mode import Dialogs, Mode, Window
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.case import Case, CaseKey
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.texts import SIDES, VIEWS, breakable
from necroangle.errors import NecroangleError, ReadingError, system_words
from necroangle.ledger.admission import admission_of_folder
from necroangle.measurement.row import RowKey
from necroangle.protocol.free_text import free_text_problem

ENTRIES = {"$.subject": "Patient", "$.visit": "Visit", "$.reader": "Reader", "$.notes": "Notes"}
"""The typed entries by their place in a reading file."""

_SAVE_ANYWAY = "Save without it"
_SAVE_AS_IT_IS = "Save it as it is"
_UNMARKED = "Neither view has a mark or a finding."
_SAY_IT = (
    "Where there is no necrosis, or a view cannot be read, say so: "
    "No necrosis, or the list Finding."
)
_KEEP, _DISCARD = "Close, offer them next time", "Close and lose them"
_REPLACE = "Open it, Undo brings these marks back"


def ready_to_save(workspace: Workspace, dialogs: Dialogs, *, must_be_complete: bool) -> bool:
    """Whether the open case may be written now; if not, the reader has been told why.

    ``must_be_complete``: whether a view that is begun and not complete forbids it; else it is
    asked about.
    """
    case = workspace.case
    if case is None:
        return False
    draft = case.session.draft
    lacking = [name for name in ("subject", "visit", "reader") if not getattr(draft, name)]
    if lacking:
        name = ENTRIES[f"$.{lacking[0]}"]
        dialogs.tell("Not saved yet", f"{name}: enter a code first. Your marks are kept.")
        return False
    wrong = [one.words for one in workspace.contradictions() if one.blocks]
    if wrong:
        words = f"{' '.join(wrong)} Correct it first. Your marks are kept."
        dialogs.tell("Not saved: it cannot be right", words)
        return False
    if not _may_keep_notes(draft.notes, dialogs):
        return False
    if not any(view.is_bound or view.choice for view in draft.views):
        return _may_save_unmarked(case, dialogs, must_be_complete=must_be_complete)
    return _may_save_incomplete(case, dialogs, must_be_complete=must_be_complete)


def _may_keep_notes(notes: str, dialogs: Dialogs) -> bool:
    """Ask before notes are saved that seem to tell who somebody is."""
    problem = free_text_problem(notes)
    if not problem:
        return True
    words = f"The notes hold what looks like {problem}. They are kept with the reading: remove it."
    return dialogs.choose("Notes", words, (_SAVE_AS_IT_IS,)) == _SAVE_AS_IT_IS


def may_enter(session: ReadingSession, folder: Path, dialogs: Dialogs) -> bool:
    """Whether a reading may be saved in a study's folder; a hip or reader it lacks is asked about.

    The file is the reader's work and is saved where they say so; the study's table refuses it.
    """
    try:
        gate = admission_of_folder(folder)
        key = session.reading().key
    except NecroangleError:  # said when it is written
        return True
    problem = gate.of_reading(RowKey(*key, ""), is_consensus=False) if gate is not None else ""
    if not problem:
        return True
    words = f"{breakable(problem)}\nThe table of the study will not take this reading as it is."
    return dialogs.choose("Not of this study", words, (_SAVE_AS_IT_IS,)) == _SAVE_AS_IT_IS


def saved_by(window: Window, mode: Mode, write: Callable[[], Path], *, final: bool) -> Path | None:
    """Write the open case where it is ready; its path, or None where the reader was told why not.

    ``final``: whether it is submitted with it: it has to be complete then.
    """
    space, dialogs = window.workspace, window.dialogs
    if space.current is None or not ready_to_save(space, dialogs, must_be_complete=final):
        return None
    try:
        space.current.saved = path = write()
    except ReadingError as error:
        title = "Not submitted" if final else "Not saved"
        dialogs.tell(title, mode.mask(f"{error}. Your marks are kept."))
    except OSError as error:
        words = f"The file cannot be written: {system_words(error)}. Your marks are kept."
        dialogs.tell("Not saved", mode.mask(words))
    else:
        return path
    return None


def status_words(workspace: Workspace, mode: Mode) -> str:
    """One line on whether the open case is saved."""
    now = workspace.current
    if now is None:
        return ""
    if now.case.session.is_locked:
        return "Submitted and locked"
    if now.case.session.is_unsaved:
        return f"Not saved. {workspace.trouble}" if workspace.trouble else "Not saved"
    return mode.saved_words(now.saved) if now.saved is not None else ""


def folder_words(workspace: Workspace) -> str:
    """The readings folder, short: its end, from the reader's home where it lies there."""
    folder = workspace.readings
    if folder is None:
        return ""
    if folder.is_relative_to(Path.home()):
        return str(Path("~") / folder.relative_to(Path.home()))
    return str(Path("…", *folder.parts[-2:]))


def may_close(workspace: Workspace, dialogs: Dialogs) -> bool:
    """Ask before unsaved marks are left; they are offered again unless the reader drops them."""
    lost = workspace.unsaved
    if not lost:
        return True
    words = "These readings are not saved:\n" + "\n".join(map(_name, lost))
    answer = dialogs.choose("Unsaved marks", words, (_KEEP, _DISCARD))
    if answer == _DISCARD:
        workspace.give_up_unsaved()
    return answer in (_KEEP, _DISCARD)


def may_replace(case: Case, dialogs: Dialogs) -> bool:
    """Ask before a saved reading takes the place of unsaved marks."""
    if not case.session.is_unsaved:
        return True
    words = "This hip has unsaved marks. Open the saved reading in their place?"
    return dialogs.choose("Unsaved marks", words, (_REPLACE,)) == _REPLACE


def _may_save_unmarked(case: Case, dialogs: Dialogs, *, must_be_complete: bool) -> bool:
    """Whether a hip may be saved of which neither view has a mark or a finding.

    That is no reading, and least of all one without necrosis; but its stage or its notes may be.
    """
    draft = case.session.draft
    if must_be_complete or not (draft.entries or draft.notes):
        title = "Not submitted: nothing is read" if must_be_complete else "Nothing to save yet"
        dialogs.tell(title, f"{_UNMARKED} {_SAY_IT}")
        return False
    words = f"{_UNMARKED} The file would say that neither view was read. {_SAY_IT}"
    return dialogs.choose("Nothing is marked", words, (_SAVE_ANYWAY,)) == _SAVE_ANYWAY


def _may_save_incomplete(case: Case, dialogs: Dialogs, *, must_be_complete: bool) -> bool:
    views = zip(case.session.draft.views, case.session.outcome().views, strict=True)
    lost = [view for draft, view in views if view.missing and (draft.is_bound or draft.choice)]
    if not lost:
        return True
    if must_be_complete:
        lacking = " ".join(f"{VIEWS[view.view]}: {view.missing}." for view in lost)
        dialogs.tell("Not submitted: it is not complete", f"{lacking} Nothing is lost.")
        return False
    words = "\n".join(
        f"The {VIEWS[view.view].lower()} view is not complete ({view.missing}): "
        "the file would say that it was not read."
        for view in lost
    )
    return dialogs.choose("Not complete", words, (_SAVE_ANYWAY,)) == _SAVE_ANYWAY


def _name(key: CaseKey) -> str:
    """A case as the reader knows it: by its code alone where it was handed out."""
    return f"{key.code or key.visit}, {SIDES[key.side].lower()} hip"
