"""Autosave: whatever the reader does is on the disk before they do the next thing.

Every finished step of a watched session is added to its autosave file at once. The process may be
killed at any moment: nothing is lost but the drag in progress. When the reading is saved, its
autosave goes.

A line of the file is the CRC-32 of its text in 8 hexadecimal digits, a blank, and one line of JSON.
The first line says what the file is, every other one is a whole draft: the last good line is the
reading as it was. A line that was being written when the power went is seen by its sum and left
aside.
"""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from zlib import crc32

import msgspec
from filelock import lock_descriptor
from msgspec import Meta, Struct
from platformdirs import user_state_path

from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.reading.session import ReadingSession
from necroangle import __version__
from necroangle.decoding import MalformedError, converted, from_json
from necroangle.errors import ReadingError, system_words
from necroangle.moments import utc_now
from necroangle.storage import BINARY, can_write_in, sync, sync_folder
from necroangle.terms import UnreadReason, View


def try_lock(descriptor: int) -> bool:
    """Lock an open file for as long as it is open, also against this very process.

    Returns
    -------
    bool
        False where someone else holds it. A file system that knows no locks refuses nobody.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as mine, open(mine.name, "rb") as other:
    ...     try_lock(mine.fileno()), try_lock(other.fileno())
    (True, False)
    """
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError:
        return True


class Shown(Struct, frozen=True, forbid_unknown_fields=True):
    """What a canvas showed: a stack of a series, and a slice of it counted from 0."""

    view: View
    series_uid: str
    stack_no: int
    slice_index: int


class Context(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the reader was.

    ``visit``: the visit's label in the study; a pseudonym, never a folder's name.
    ``case_code``: the code under which a worklist showed the hip; empty outside of a reader
    study.
    """

    visit: str = ""
    shown: tuple[Shown, ...] = ()
    case_code: str = ""
    duration_s: Annotated[float, Meta(ge=0)] = 0.0


class AutosaveHeader(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line: what the file is, and the process that wrote it."""

    format: Literal["necroangle.autosave"]
    version: Literal[1, 2]
    software: str
    process: int


class AutosaveState(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Any other line: the reading after one more edit.

    Attributes
    ----------
    edit
        Number of the edit in its file, from 1.
    at
        When: UTC, ``2026-01-31T08:15:00.000Z``.
    file_sha256
        SHA-256 of the reading file that a save replaces, or None.
    """

    edit: int
    at: str
    file_sha256: str | None
    context: Context
    draft: ReadingDraft


def line_of(content: AutosaveHeader | AutosaveState) -> bytes:
    r"""The line of a header or a state.

    Raises
    ------
    ReadingError
        If a text holds half of a surrogate pair, which no file can hold.

    Examples
    --------
    >>> line_of(AutosaveHeader(format="necroangle.autosave", version=1, software="x", process=7))
    b'b7deb4df {"format":"necroangle.autosave","version":1,"software":"x","process":7}\n'
    """
    try:
        text = msgspec.json.encode(content)
    except UnicodeEncodeError as error:
        raise ReadingError("a text holds half of a surrogate pair; type it again") from error
    return b"%08x %s\n" % (crc32(text), text)


def last_state(raw: bytes) -> tuple[AutosaveState, int]:
    """The last state that a file holds whole, and how many later lines are damaged.

    Raises
    ------
    ReadingError
        If it is no autosave file of versions 1 and 2, or holds no whole state.

    Examples
    --------
    >>> last_state(b"")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: no autosave file: its first line is damaged
    """
    first, *others = raw.split(b"\n")
    header = _checked(first)
    if header is None:
        raise ReadingError("no autosave file: its first line is damaged")
    try:
        version = from_json(header, _HEADER).version
    except MalformedError as error:
        raise ReadingError(f"no autosave file of versions 1 and 2: {error}") from error
    lines = [line for line in reversed(others) if line]
    for damaged, line in enumerate(lines):
        with suppress(ReadingError):
            return _state(line, version), damaged
    raise ReadingError("no state of the reading is left whole in it")


def _checked(line: bytes) -> bytes | None:
    """The text of a line whose sum is right."""
    found, _, text = line.partition(b" ")
    return text if text and found == b"%08x" % crc32(text) else None


def _state(line: bytes, version: int) -> AutosaveState:
    text = _checked(line)
    if text is None:
        raise ReadingError("a line that was not written whole")
    try:
        if version == 1:
            return converted(_of_today(from_json(text, _PLAIN)), AutosaveState)
        return from_json(text, _STATE)
    except MalformedError as error:
        raise ReadingError(f"a state that cannot be read: {error}") from error


def _of_today(state: dict[str, Any]) -> dict[str, Any]:
    """A state of version 1: one choice a view, and at first ARCO stage and JIC type by themselves.

    What it lacks is refused where it is put into the schema.
    """
    draft = state.get("draft")
    if not isinstance(draft, dict) or not isinstance(draft.get("views"), list):
        return state
    now = {name: one for name, one in draft.items() if name not in ("arco", "jic")}
    if {"arco", "jic"} <= draft.keys():
        entered = {name: draft[name] for name in ("arco", "jic")}
        now["entries"] = {name: one for name, one in entered.items() if one is not None}
    now["views"] = [_view_of_today(one) if isinstance(one, dict) else one for one in draft["views"]]
    return {**state, "draft": now}


def _view_of_today(view: dict[str, Any]) -> dict[str, Any]:
    now = {name: one for name, one in view.items() if name != "choice"}
    name = "reason" if view.get("choice") in list(UnreadReason) else "finding"
    return {**now, name: view.get("choice")}


_PLAIN = msgspec.json.Decoder(dict[str, Any])
_HEADER = msgspec.json.Decoder(AutosaveHeader)
_STATE = msgspec.json.Decoder(AutosaveState)


SUFFIX = ".autosave"

MAX_BYTES = 8 << 20
"""A file that has grown to this size is begun anew with the present state."""

SLOW_SYNC_S = 0.010
"""Where flushing to the disk takes longer, it is done once in :data:`SYNC_EVERY_S`."""

SYNC_EVERY_S = 1.0

APP = "necroangle"
"""The name of our folders among the user's."""

_FOLDER = ".autosave"

Contexts = Callable[[], Context]


def autosave_folder(readings: Path) -> Path:
    """Where autosaves of a folder of readings are written.

    In it, as ``.autosave``; in the user's state folder where it cannot be written.
    """
    beside, apart, *_ = autosave_places(readings)
    return beside if can_write_in(readings) else apart


def autosave_places(readings: Path) -> tuple[Path, ...]:
    """Where they may lie: beside the readings, in the user's state folder, in that of version 0.1.

    Outside of the readings they go by a digest of their folder, so that no folder's name is kept.
    """
    name = hashlib.blake2b(os.fsencode(readings.resolve()), digest_size=12).hexdigest()
    states = (user_state_path(APP, appauthor=False), _older_state() / APP)
    return (readings / _FOLDER, *dict.fromkeys(state / f"autosave-{name}" for state in states))


def _older_state() -> Path:
    """The state folder as version 0.1 knew it: on a Mac it was that of Linux."""
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_STATE_HOME")
    return Path(home) if home else Path.home() / ".local" / "state"


class Autosave:
    """Keeps every reading in the making, each in the folder that first kept it.

    ``trouble``: called with one plain sentence when a state could not be written, and with an
    empty one when it can be again. An edit never fails because of its autosave.

    Examples
    --------
    >>> import tempfile
    >>> from napari_necroangle.store.recovery import recoverable
    >>> from necroangle.terms import UnreadReason, View
    >>> folder = Path(tempfile.mkdtemp())
    >>> autosave = Autosave()
    >>> session = ReadingSession((View.CORONAL, View.SAGITTAL))
    >>> autosave.watch(session, folder)
    >>> session.choose(View.CORONAL, UnreadReason.NOT_READABLE)
    >>> autosave.close()  # or a crash
    >>> [found.draft == session.draft for found in recoverable(folder)]
    [True]
    """

    def __init__(self, trouble: Callable[[str], object] = str) -> None:
        self._trouble = trouble
        self._watches: dict[int, _Watch] = {}

    def watch(
        self,
        session: ReadingSession,
        readings: Path,
        context: Contexts = Context,
        *,
        replaces: Path | None = None,
    ) -> None:
        """Keep a session from now on.

        Parameters
        ----------
        session
            The session, as it stands: only what is changed from now on is kept.
        context
            Says where the reader is; asked at every step.
        replaces
            The autosave file that the session was recovered from: the session is kept at once,
            then that file goes.
        """
        watch = self._watches.get(id(session))
        if watch is None:
            watch = _Watch(session, context, autosave_folder(readings), self._trouble)
            self._watches[id(session)] = watch
            session.listen(watch.note)
        if replaces is not None:
            watch.take_over(replaces)

    def forget(self, session: ReadingSession) -> None:
        """Keep a session no longer, and drop its autosave: the reader gave it up."""
        watch = self._watches.pop(id(session), None)
        if watch is not None:
            session.unlisten(watch.note)
            watch.drop()

    def close(self) -> None:
        """Watch no longer; what was not saved stays and is offered at the next start."""
        for watch in self._watches.values():
            watch.session.unlisten(watch.note)
            watch.close()
        self._watches.clear()


class _Watch:
    """One session with its autosave file, which is there while something is unsaved."""

    def __init__(
        self,
        session: ReadingSession,
        context: Contexts,
        folder: Path,
        trouble: Callable[[str], object],
    ) -> None:
        self.session = session
        self._context, self._folder, self._trouble = context, folder, trouble
        self._safe: ReadingDraft | None = session.draft
        self._kept: tuple[ReadingDraft, str | None] = (session.draft, session.file_sha256)
        self._file: _OpenFile | None = None
        self._edits = 0
        self._is_failing = False

    def note(self) -> None:
        """Keep the present state if a step has just ended."""
        session = self.session
        now = (session.draft, session.file_sha256)
        if not session.is_settled or now == self._kept:
            return
        if now[1] != self._kept[1]:
            self._safe = None if session.is_unsaved else session.draft
        if session.draft == self._safe:
            self.drop()
            self._kept = now
        elif self._write():
            self._kept = now

    def take_over(self, old: Path) -> None:
        """Keep a recovered session, and let the file it came from go."""
        self._safe = None
        if self._write():
            with suppress(OSError):
                old.unlink(missing_ok=True)

    def drop(self) -> None:
        """Remove the file: all it holds is safe elsewhere, or given up."""
        if self._file is not None:
            self._file.remove()
            self._file = None

    def close(self) -> None:
        """Leave the file where it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self) -> bool:
        self._edits += 1
        try:
            line = line_of(self._state())
            if self._file is not None and self._file.size + len(line) <= MAX_BYTES:
                self._file.append(line)
            else:
                self._begin_file(line)
        except (OSError, ReadingError) as error:
            words = system_words(error) if isinstance(error, OSError) else str(error)
            self._trouble(f"This reading is not kept against a crash: {words}. Save it soon.")
            self._is_failing = True
            return False
        if self._is_failing:
            self._trouble("")
            self._is_failing = False
        return True

    def _begin_file(self, line: bytes) -> None:
        old = self._file
        self._file = _OpenFile(self._folder, line)
        if old is not None:
            old.remove()

    def _state(self) -> AutosaveState:
        return AutosaveState(
            edit=self._edits,
            at=utc_now(),
            file_sha256=self.session.file_sha256,
            context=self._context(),
            draft=self.session.draft,
        )


class _OpenFile:
    """An autosave file of this process, locked while it is open."""

    def __init__(self, folder: Path, first: bytes) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | BINARY
        self._descriptor = os.open(self.path, flags, 0o600)
        self.size = 0
        self._synced_at, self._sync_s = 0.0, 0.0
        try:
            while not try_lock(self._descriptor):  # another window is looking at it just now
                time.sleep(0.001)
            header = AutosaveHeader(
                format="necroangle.autosave",
                version=2,
                software=f"necroangle {__version__}",
                process=os.getpid(),
            )
            self.append(line_of(header) + first)
            sync_folder(folder)
        except BaseException:
            self.remove()
            raise

    def append(self, line: bytes) -> None:
        """Add a line whole, or leave the file as it was."""
        try:
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(28, "the disk is full")
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(line)
        self._sync()

    def remove(self) -> None:
        """Close and delete it; one that cannot be deleted is offered once more, no harm."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._descriptor)

    def _sync(self) -> None:
        """Flush to the disk, which guards against a power cut, not too often where it is slow."""
        begun = time.monotonic()
        if self._sync_s > SLOW_SYNC_S and begun - self._synced_at < SYNC_EVERY_S:
            return
        sync(self._descriptor)
        self._synced_at = time.monotonic()
        self._sync_s = self._synced_at - begun
