"""Free reading: the reader chooses the folder, the visit and the hip."""

from collections.abc import Callable, Hashable
from pathlib import Path

from napari_necroangle.modes.mode import CaseRow, Mode, Window
from napari_necroangle.modes.saving import ENTRIES, may_enter, may_replace, ready_to_save
from napari_necroangle.modes.workspace import OpenCase
from napari_necroangle.reading.case import CaseKey
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.texts import SIDES, breakable
from napari_necroangle.store.readings import (
    default_folder,
    load_into,
    next_read_no,
    path_of,
    readings_beside,
    save_session,
)
from napari_necroangle.store.recovery import (
    Recovered,
    Remains,
    remains,
    restore,
    series_of,
    views_of,
    visit_of,
    visit_with,
    whose,
)
from necroangle.annotation import (
    HipReading,
    ReadingKey,
    file_name_of,
    load_reading,
    read_bytes,
    sha256_of,
)
from necroangle.dicom import SeriesSummary
from necroangle.dicom.visits import Visit
from necroangle.errors import NecroangleError, ReadingError, system_words
from necroangle.terms import Laterality, View

_AS_NEXT = "Save as read {}"
_OPEN_SAVED = "Open the saved one"
_ICONS = {"read": "✓", "begun": "◐", "to read": "○", "not readable": "×"}


class FreeReading(Mode):
    """Reads the hips of a folder as the reader chooses them."""

    may_choose_hip = True
    case_words = "hip of the folder"

    def __init__(self, window: Window) -> None:
        self._window = window
        self._workspace = window.workspace

    def begin(self) -> bool:
        """Show the first hip of the open folder, and offer what was left unsaved."""
        visit = next((one for one in self._workspace.visits if one.pairs), None)
        if visit is not None:
            self._workspace.read_beforehand(visit, visit.sides[0], visit.pairs[0])
            self.take(visit, visit.sides[0], visit.pairs[0])
        else:
            self._window.show_current()
        self._window.offer_unsaved()
        return True

    def close(self) -> None:
        """Put down the case that is open."""
        self._window.leave_case()

    def open_folder(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Open a folder at its first hip; cases begun in another one are kept.

        ``progress``: told how many of its files were looked at, and how many there are.
        """
        try:
            self._workspace.open(folder, progress)
        except NecroangleError as error:
            self._window.dialogs.tell("This folder cannot be opened", str(error))
        self.begin()

    def open_reading(self, path: Path) -> None:
        """Go on with a saved reading, on the visit and the series that it was made on."""
        space = self._workspace
        try:
            reading = load_reading(path)
            visit, views = self._place_of(reading)
            self.take(visit, reading.laterality, views)
            if space.case is not None and may_replace(space.case, self._window.dialogs):
                load_into(space.case.session, path)
                space.readings = readings_beside(path, space.readings)
                space.forget_choices()
                self.take(visit, reading.laterality, views)
        except NecroangleError as error:
            self._window.dialogs.tell("This reading cannot be opened", str(error))

    def take(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> None:
        """Take up a hip of a visit."""
        self._window.leave_case()
        try:
            self._workspace.take(visit, side, views)
            self._open_own(visit, side, views)
        except NecroangleError as error:
            self._window.dialogs.tell("A series cannot be shown", str(error))
        self._window.show_current()

    def read_as(self, reader: str) -> None:
        """Know the reader by the code typed: their own saved reading of the open hip opens."""
        space = self._workspace
        space.reader = reader
        visit, key = space.visit, space.key
        if visit is not None and key is not None and self._own_file(visit, key.side) is not None:
            self.take(visit, key.side, key.views)

    def cases(self) -> tuple[CaseRow, ...]:
        """The hips of the folder as they stand: read, begun, to read, or not readable and why.

        Visits stand in the order of their names, the right hip before the left.
        """
        now = self._workspace.key
        at = None if now is None else (now.visit, now.side)
        visits = {visit.label: visit for visit in self._workspace.visits}
        rows = []
        for key in self._keys():
            visit = visits[key.visit]
            state, lacks = self._state(key, visit), _lacks(key, visit)
            rows.append(
                CaseRow(
                    key,
                    f"{_ICONS[state]}  {key.visit}, {SIDES[key.side].lower()} – {state}{lacks}",
                    is_open=(key.visit, key.side) == at,
                    is_done=state in ("read", "not readable"),
                    can_open=state != "not readable",
                )
            )
        for visit in visits.values():
            if not visit.pairs:
                words = f"×  {visit.label} – no slices or radiographs of a hip"
                rows.append(CaseRow(visit.label, words, is_done=True, can_open=False))
        return tuple(rows)

    def open(self, key: Hashable) -> bool:
        """Open a hip of the folder."""
        visits = {visit.label: visit for visit in self._workspace.visits}
        if not isinstance(key, CaseKey) or key.visit not in visits:
            return False
        self.take(visits[key.visit], key.side, key.views)
        return True

    def next(self) -> str:
        """Open the next hip of the folder; words where there is none."""
        words = self.neighbour(1)
        return "Saved. This was the last hip of the folder." if words else ""

    def next_words(self) -> str:
        """What the button that saves and goes on says."""
        return "Save, next hip"

    def save(self, *, final: bool) -> Path | None:  # noqa: ARG002
        """Save the reading of the hip; where another one lies in its place, ask."""
        space = self._workspace
        if space.current is None or space.readings is None:
            return None
        if not ready_to_save(space, self._window.dialogs, must_be_complete=False):
            return None
        if not may_enter(space.current.case.session, space.readings, self._window.dialogs):
            return None
        path = self._write(space.current, space.readings)
        space.reader = space.current.case.session.draft.reader
        return path

    def unsaved(self) -> Remains:
        """What earlier windows left unsaved of the readings of the open folder."""
        space = self._workspace
        if space.folder is None:
            return Remains((), ())
        left = remains(default_folder(space.folder))
        freely = (one for one in left.recovered if not one.context.case_code)
        own = (one for one in freely if not one.draft.consensus_of)
        here = (one for one in own if visit_of(one, space.visits) is not None)
        return Remains(tuple(here), left.set_aside)

    def recover(self, found: Recovered) -> None:
        """Take an unsaved reading of the open folder up, on the series that it was read on.

        Raises
        ------
        DicomError
            If a series cannot be read.
        ReadingError
            If another window has taken it up, or its images are not in the open folder.
        """
        space = self._workspace
        draft = restore(found)
        visit = visit_of(found, space.visits)
        if visit is None:
            raise ReadingError("its images are not in the open folder; open their folder first")
        one = space.take(visit, draft.laterality, views_of(found))
        try:
            space.show_series_of(found.context.shown)
        finally:
            one.case.session.recover(draft, self._file_of(one.case.session, found))
            space.watch(one, replaces=found.path)

    def label(self, found: Recovered) -> str:
        """Whose hip at which visit, and by whom."""
        draft = found.draft
        by = f" by {draft.reader}" if draft.reader else ""
        hip = f"{SIDES[draft.laterality].lower()} hip"
        return f"A reading of {whose(found) or 'a hip'}, {hip}{by}".rstrip()

    def ahead(self) -> tuple[SeriesSummary, ...]:
        """The likeliest series of the hip that comes next in the folder."""
        space, key = self._workspace, self.key_at(1)
        if not isinstance(key, CaseKey):
            return ()
        (visit,) = (one for one in space.visits if one.label == key.visit)
        found = (space.likeliest(visit, view, key.side) for view in key.views)
        return tuple(one[0] for one in found if one)

    def _own_file(self, visit: Visit, side: Laterality) -> Path | None:
        """The reader's own reading of a hip, the last one; None where there is none."""
        space, found = self._workspace, None
        if space.readings is None or not (visit.subject and visit.visit and space.reader):
            return None
        key = ReadingKey(visit.subject, side, visit.visit, space.reader, 1)
        while (path := space.readings / file_name_of(key)).exists():
            key, found = key._replace(read_no=key.read_no + 1), path
        return found

    def _open_own(self, visit: Visit, side: Laterality, views: tuple[View, View]) -> None:
        """Go on with the reader's own saved reading of a hip in which nothing is done yet."""
        space, path = self._workspace, self._own_file(visit, side)
        session = space.case.session if space.case is not None else None
        if path is None or session is None or session.is_unsaved or session.file_sha256:
            return
        reading = load_reading(path)
        if tuple(one.view for one in reading.views) != views:
            return
        load_into(session, path)
        space.forget_choices()
        now = space.take(visit, side, views)
        now.saved, now.case.notice = path, f"Your saved reading is open: {breakable(path.name)}."

    def _state(self, key: CaseKey, visit: Visit) -> str:
        if all(visit.lacks(view) for view in key.views):
            return "not readable"
        begun = self._workspace.begun(key)
        if begun is not None and begun.session.is_unsaved:
            return "begun"
        return "read" if self._own_file(visit, key.side) is not None else "to read"

    def _keys(self) -> tuple[CaseKey, ...]:
        folder = self._workspace.folder
        return tuple(
            CaseKey(folder, visit.label, side, visit.pairs[0])
            for visit in self._workspace.visits
            if folder is not None and visit.pairs
            for side in visit.sides
        )

    def _place_of(self, reading: HipReading) -> tuple[Visit, tuple[View, View]]:
        """The visit of the open folder that a reading was made on, and its pair of views.

        Raises
        ------
        ReadingError
            If none of its images is in the folder.
        """
        first, second = (view.view for view in reading.views)
        uids, visits = series_of(reading.views), self._workspace.visits
        visit = visit_with(uids, visits)
        if visit is None and not uids:
            visit = next((one for one in visits if one.visit == reading.visit), None)
        if visit is None:
            raise ReadingError("its images are not in the open folder; open their folder first")
        return visit, (first, second)

    def _write(self, now: OpenCase, folder: Path) -> Path | None:
        session, dialogs = now.case.session, self._window.dialogs
        try:
            now.saved = save_session(session, folder)
        except ReadingError as error:
            return self._settle_refusal(now, folder, error)
        except OSError as error:
            words = f"The file cannot be written: {system_words(error)}. Your marks are kept."
            dialogs.tell("Not saved", words)
            return None
        return now.saved

    def _settle_refusal(self, now: OpenCase, folder: Path, error: ReadingError) -> Path | None:
        """A malformed entry is said; another reading in the place is kept, and asked about."""
        session, dialogs = now.case.session, self._window.dialogs
        path = path_of(session, folder)
        if error.place in ENTRIES:
            words = "letters, digits, dot, dash and single underscores only, at most 64"
            dialogs.tell("Not saved yet", f"{ENTRIES[error.place]}: {words}.")
            return None
        if not path.exists():
            dialogs.tell("Not saved", str(error))
            return None
        number = next_read_no(session, folder)
        as_next = _AS_NEXT.format(number)
        words = f"Another reading lies in {path.name}. It is left as it is."
        answer = dialogs.choose("Already there", words, (as_next, _OPEN_SAVED))
        if answer == as_next:
            session.enter(read_no=number)
            return self._write(now, folder)
        if answer == _OPEN_SAVED and may_replace(now.case, dialogs):
            load_into(session, path)
            now.saved = path
        return None

    def _file_of(self, session: ReadingSession, found: Recovered) -> str | None:
        """The file that a recovered reading replaces; a file that is still as it was is loaded."""
        if self._workspace.readings is None or found.file_sha256 is None:
            return found.file_sha256
        asked = ReadingSession(views_of(found))
        asked.recover(found.draft, None)
        try:
            path = path_of(asked, self._workspace.readings)
            if not path.exists():
                return None
            if sha256_of(read_bytes(path)) == found.file_sha256:
                load_into(session, path)
        except NecroangleError:
            return found.file_sha256
        return found.file_sha256


def _lacks(key: CaseKey, visit: Visit) -> str:
    """Which view of a hip has no series, and what there is in place of it."""
    lacks = [words for view in key.views if (words := visit.lacks(view))]
    return f": {lacks[0]}" if lacks else ""
