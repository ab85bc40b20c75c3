"""The one walk of a folder: into a store on the disk, or in memory."""

import errno
import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import msgspec

from necroangle import __version__
from necroangle.dicom.archive import StackFiles, is_archive, member_headers, members
from necroangle.dicom.pseudonym import SubjectNames, new_key
from necroangle.dicom.records import FrameHeader, Refusal, Scan
from necroangle.dicom.scanner import HeaderScanner
from necroangle.dicom.series import group_refusals, numbered, summarise
from necroangle.errors import DicomError

__all__ = [
    "DATABASE",
    "Changes",
    "IndexStore",
    "MemoryStore",
    "index_path",
    "refresh_index",
    "scan_folder",
    "scan_index",
]

DATABASE = ".necroangle-index.sqlite"
"""Name of the index beside the study."""

APPLICATION_ID = 0x6E61_6978
"""Marks an SQLite file as such an index: no other database is ever written to."""

_TABLES = """
CREATE TABLE about (form TEXT NOT NULL, names TEXT NOT NULL, key BLOB NOT NULL);
CREATE TABLE files (path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER) WITHOUT ROWID;
CREATE TABLE entries (owner BLOB NOT NULL, file BLOB NOT NULL, patient INTEGER NOT NULL,
    study_uid TEXT, series_uid TEXT, frames BLOB, problem TEXT, tag TEXT, stage TEXT);
CREATE INDEX entries_owner ON entries (owner);
CREATE INDEX entries_study ON entries (study_uid);
CREATE INDEX entries_series ON entries (series_uid);
CREATE TABLE report (line TEXT NOT NULL);
"""

_frames_type = tuple[FrameHeader, ...]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_frames_type)

Stamp = tuple[int, int]
"""Size in bytes and time of last change in ns."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or a member of an archive: an image, refused, or no image at all.

    Attributes
    ----------
    owner
        Path of the file on disk, relative to the folder, as the system's bytes.
    file
        Path as shown; ``archive.zip!member`` in an archive.
    frames
        The image's frames, or nothing.
    refusal
        Why it is refused, or None. With neither, it is no image.
    patient
        Number of its patient in this index; 0 where the file does not say.
    """

    owner: bytes
    file: str
    frames: tuple[FrameHeader, ...] = ()
    refusal: Refusal | None = None
    patient: int = 0


class Store(Protocol):
    """Where a walk keeps what it has read."""

    @property
    def names(self) -> SubjectNames | None:
        """The study's names of its subjects, or None for those that the files carry."""

    @property
    def own_file(self) -> str:
        """Name of the store's own file, which is passed over."""

    def stamps(self) -> dict[bytes, Stamp]:
        """Every file that has been read, with its stamp at that time."""

    def forget(self, paths: Collection[bytes]) -> None:
        """Drop files that are gone or have changed."""

    def keep(self, stamps: dict[bytes, Stamp], entries: Sequence[Entry]) -> None:
        """Add files that have been read, and what they hold."""

    def entries(self) -> Iterable[Entry]:
        """Everything that has been read."""

    def patients_of(self, uids: Iterable[str]) -> dict[int, list[tuple[bytes, str]]]:
        """Patients that earlier walks met under any of these study or series UIDs."""

    def renumber(self, patient: int, number: int) -> None:
        """Give a patient another's number: they turned out to be the same."""

    def last_patient(self) -> int:
        """The highest number given to a patient so far; 0 if none."""


class MemoryStore:
    """What one walk reads, kept until the program forgets it.

    Parameters
    ----------
    names
        The study's names of its subjects, or None for those that the files carry.
    """

    own_file = DATABASE

    def __init__(self, names: SubjectNames | None = None) -> None:
        self.names = names
        self._stamps: dict[bytes, Stamp] = {}
        self._entries: list[Entry] = []

    def stamps(self) -> dict[bytes, Stamp]:
        """Every file that has been read, with its stamp at that time."""
        return dict(self._stamps)

    def forget(self, paths: Collection[bytes]) -> None:
        """Drop files that are gone or have changed."""
        for path in paths:
            del self._stamps[path]
        self._entries = [entry for entry in self._entries if entry.owner in self._stamps]

    def keep(self, stamps: dict[bytes, Stamp], entries: Sequence[Entry]) -> None:
        """Add files that have been read, and what they hold."""
        self._stamps.update(stamps)
        self._entries.extend(entries)

    def entries(self) -> Iterable[Entry]:
        """Everything that has been read; its frames keep the patient's own key."""
        return self._entries

    def patients_of(self, uids: Iterable[str]) -> dict[int, list[tuple[bytes, str]]]:  # noqa: ARG002
        """Nobody: one process gives every patient one key, and needs no number."""
        return {}

    def renumber(self, patient: int, number: int) -> None:
        """Nothing: no earlier walk numbered anybody."""

    def last_patient(self) -> int:
        """The highest number given to a patient so far; 0 if none."""
        return max((entry.patient for entry in self._entries), default=0)


class IndexStore:
    """The database of one folder.

    Parameters
    ----------
    path
        The file; made if it is not there.
    names
        The study's names of its subjects, or None for those that the files carry. An index that
        was made with other names is made anew.

    Attributes
    ----------
    key
        The index's own key, for codes that stand for its identifiers.

    Raises
    ------
    DicomError
        If it cannot be opened, or is a file of another kind.
    """

    def __init__(self, path: Path, names: SubjectNames | None = None) -> None:
        self.path = path
        self.own_file = path.name
        self.names = names
        self.key = b""
        with self._said():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            try:
                self._check_form()
            except BaseException:
                self._db.close()
                raise

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def stamps(self) -> dict[bytes, Stamp]:
        """Every file that has been read, with its stamp at that time."""
        with self._said():
            rows = self._db.execute("SELECT path, size, mtime_ns FROM files").fetchall()
        return {path: (size, mtime_ns) for path, size, mtime_ns in rows}

    def forget(self, paths: Collection[bytes]) -> None:
        """Drop files that are gone or have changed."""
        if not paths:
            return
        names = [(path,) for path in paths]
        with self._changing():
            self._db.executemany("DELETE FROM entries WHERE owner = ?", names)
            self._db.executemany("DELETE FROM files WHERE path = ?", names)

    def keep(self, stamps: dict[bytes, Stamp], entries: Sequence[Entry]) -> None:
        """Add files that have been read, and what they hold: all of it or nothing."""
        with self._changing():
            self._db.executemany("DELETE FROM entries WHERE owner = ?", [(x,) for x in stamps])
            self._db.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)",
                [(path, *stamp) for path, stamp in stamps.items()],
            )
            self._db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entries)
            )

    def entries(self) -> Iterator[Entry]:
        """Everything that has been read; ``patient_key`` is the patient's number."""
        columns = "owner, file, patient, frames, problem, tag, stage"
        with self._said():
            rows = self._db.execute(f"SELECT {columns} FROM entries").fetchall()  # noqa: S608
        for owner, file, patient, frames, *refused in rows:
            yield _entry(owner, os.fsdecode(file), patient, frames, refused)

    def patients_of(self, uids: Iterable[str]) -> dict[int, list[tuple[bytes, str]]]:
        """Patients known under any of these study or series UIDs, each with some of its files."""
        found: dict[int, list[tuple[bytes, str]]] = {}
        query = (
            "SELECT patient, owner, file FROM entries WHERE patient > 0 AND study_uid = ?1 "
            "UNION SELECT patient, owner, file FROM entries WHERE patient > 0 AND series_uid = ?1"
        )
        with self._said():
            for uid in uids:
                for patient, owner, file in self._db.execute(query, (uid,)):
                    found.setdefault(patient, []).append((owner, os.fsdecode(file)))
        return found

    def renumber(self, patient: int, number: int) -> None:
        """Give a patient another's number: they turned out to be the same."""
        with self._changing():
            self._db.execute(
                "UPDATE entries SET patient = ?2 WHERE patient = ?1", (patient, number)
            )

    def last_patient(self) -> int:
        """The highest number given to a patient so far; 0 if none."""
        with self._said():
            (number,) = self._db.execute("SELECT max(patient) FROM entries").fetchone()
        return number or 0

    def report(self) -> list[str] | None:
        """The lines kept by :meth:`keep_report`, or None if anything has changed since."""
        with self._said():
            lines = [line for (line,) in self._db.execute("SELECT line FROM report")]
        return lines[1:] if lines else None

    def keep_report(self, lines: Iterable[str]) -> None:
        """Keep what was found to be in the folder, until something changes."""
        with self._changing():
            self._db.executemany("INSERT INTO report VALUES (?)", [("",), *((x,) for x in lines)])

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._said():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute("DELETE FROM report")
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DicomError(
                f"the index cannot be used ({type(error).__name__}): if it is damaged, delete it "
                "and run again; if it cannot be written here, name another place",
                file=self.path.name,
                stage="index",
                cause=type(error).__name__,
            ) from None

    def _check_form(self) -> None:
        form = _form()
        (mark,) = self._db.execute("PRAGMA application_id").fetchone()
        (count,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if count and mark != APPLICATION_ID:
            raise DicomError(
                "another kind of database, not an index", file=self.path.name, stage="index"
            )
        self.key, made_with = self._key_and_form() if count else (b"", ())
        self.key = self.key or new_key()
        named = "" if self.names is None else self.names.fingerprint(self.key)
        if made_with == (form, named):
            return
        self._db.executescript("".join(f"DROP TABLE IF EXISTS {name};" for name in _NAMES))
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._db.executescript(_TABLES)
        self._db.execute("INSERT INTO about VALUES (?, ?, ?)", (form, named, self.key))

    def _key_and_form(self) -> tuple[bytes, tuple[str, ...]]:
        """The key of an index, which outlives its form, and what its rows were made with."""
        try:
            form, named, key = self._db.execute("SELECT form, names, key FROM about").fetchone()
        except (sqlite3.OperationalError, TypeError):
            return b"", ()
        return key, (form, named)


_NAMES = ("about", "files", "entries", "report")


@cache
def _form() -> str:
    """What the entries look like: an index of another form is made anew."""
    schema = msgspec.json.encode(msgspec.json.schema(_frames_type))
    return f"{__version__} {hashlib.blake2b(schema, digest_size=8).hexdigest()}"


def _row(entry: Entry) -> tuple[object, ...]:
    file = os.fsencode(entry.file)
    if not entry.frames:
        told = entry.refusal
        said = (None,) * 3 if told is None else (told.reason, told.tag, told.stage)
        return (entry.owner, file, 0, None, None, None, *said)
    source = entry.frames[0].source
    frames = _encoder.encode([replace(f, file="", patient_key="") for f in entry.frames])
    uids = (source.study_uid, source.series_uid)
    return (entry.owner, file, entry.patient, *uids, frames, None, None, None)


def _entry(
    owner: bytes, file: str, patient: int, frames: bytes | None, refused: Sequence[str | None]
) -> Entry:
    if frames is None:
        reason, tag, stage = refused
        if reason is None:
            return Entry(owner, file)
        return Entry(owner, file, refusal=Refusal(file, reason, tag or "", stage=stage or ""))
    key = str(patient) if patient else ""
    whole = (replace(frame, file=file, patient_key=key) for frame in _decoder.decode(frames))
    return Entry(owner, file, tuple(whole), patient=patient)


BATCH = 500
"""Files read between two commits."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """How many files were read, were known already, and are gone since the last run."""

    read: int
    known: int
    gone: int


def index_path(folder: Path) -> Path:
    """Where the index of a folder is kept: in it, or in the user's cache if it is read-only."""
    beside = folder / DATABASE
    if os.access(beside if beside.exists() else folder, os.W_OK):
        return beside
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    cache = (Path(home) if home else Path.home() / ".cache") / "necroangle"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = hashlib.blake2b(os.fsencode(folder.resolve()), digest_size=12).hexdigest()
    return cache / f"index-{name}.sqlite"


def scan_folder(
    folder: Path,
    progress: Progress | None = None,
    names: SubjectNames | None = None,
) -> Scan:
    """Find the series of a folder and of all folders below it, reading headers only.

    Slices are ordered by position and plane, spacing and step come from
    ``ImagePositionPatient``, ``ImageOrientationPatient`` and ``PixelSpacing`` alone. A file that
    cannot be used is refused with its reason, and the scan goes on. ZIP archives are looked into.

    Parameters
    ----------
    folder
        The folder. Links to folders are not followed.
    progress
        Called with (files read, files in all) after each file.
    names
        The study's names of its subjects: from its list or its secret. A patient whom they do not
        know is refused. Without them, a de-identified study's own.

    Raises
    ------
    DicomError
        If the folder itself is no folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "notes.txt").write_text("no DICOM")
    ...     scan_folder(Path(folder)).tally()
    FileTally(opened=0, refused=0, aside=0, copies=0, skipped=1, unreadable=0)
    >>> scan_folder(Path("nowhere"))
    Traceback (most recent call last):
    ...
    necroangle.errors.DicomError: nowhere: no folder; give the folder that holds the study
    """
    store = MemoryStore(names)
    refresh_index(folder, store, progress)
    scan = scan_index(folder, store)
    return replace(scan, refused=group_refusals(scan.refused), aside=group_refusals(scan.aside))


def refresh_index(folder: Path, store: Store, progress: Progress | None = None) -> Changes:
    """Read what is new or has changed in a folder, and forget what is gone.

    A run that is interrupted keeps what it has read; the next one goes on from there.

    Parameters
    ----------
    folder
        The folder. Links to folders are not followed.
    store
        Its index: its names are those that the subjects are given.
    progress
        Called with (files read, files to read) after each file.

    Raises
    ------
    DicomError
        If the folder is no folder, or the index cannot be written.
    """
    if not folder.is_dir():
        raise DicomError(
            "no folder; give the folder that holds the study", file=folder.name, stage="open"
        )
    known = store.stamps()
    found = _walk(folder, store.own_file)
    if found == known:
        return Changes(0, len(found), 0)
    changed = [path for path, stamp in found.items() if known.get(path) != stamp]
    gone = known.keys() - found.keys()
    store.forget(gone | (known.keys() & set(changed)))
    changed.sort()
    _Reading(folder, store).run(changed, found, progress)
    return Changes(len(changed), len(found) - len(changed), len(gone))


def scan_index(folder: Path, store: Store) -> Scan:
    """What the folder holds, from its index alone.

    As :func:`necroangle.dicom.scan_folder` says it, but each refused file stands for itself.
    """
    entries = sorted(store.entries(), key=lambda entry: (_member(entry) is not None, entry.file))
    refused = [entry.refusal for entry in entries if entry.refusal is not None]
    images = [entry for entry in entries if entry.frames]
    kept = _without_copies(images, folder)
    frames = [frame for entry in kept for frame in entry.frames]
    series, more, aside = summarise(frames, folder)
    paths = store.stamps()
    return Scan(
        series=tuple(series),
        refused=_ordered(numbered([*refused, *more], paths)),
        aside=_ordered(numbered(aside, paths)),
        skipped=len(entries) - len(images) - len(refused),
        copies=len(images) - len(kept),
        walked=len(entries),
    )


def _ordered(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(refusals, key=lambda refusal: (refusal.place, refusal.tag)))


def _walk(folder: Path, own_file: str) -> dict[bytes, Stamp]:
    """Every file by its relative path, with its stamp.

    A folder that cannot be entered stands for itself: its path ends with a slash, and its stamp
    is no size but -1, and the system's number of the error.
    """
    own = os.fsencode(own_file)
    found: dict[bytes, Stamp] = {}
    todo = [(os.fsencode(folder), b"")]
    while todo:
        place, prefix = todo.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((entry.path, prefix + entry.name + b"/"))
                    elif not entry.name.startswith(own) and not _links_to_folder(entry):
                        found[prefix + entry.name] = _stamp(entry)
        except OSError as error:
            found[prefix or b"./"] = (-1, error.errno or 0)
    return found


def _links_to_folder(entry: "os.DirEntry[bytes]") -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False


def _stamp(entry: "os.DirEntry[bytes]") -> Stamp:
    try:
        info = entry.stat()
    except OSError:
        return (-1, -1)
    return (info.st_size, info.st_mtime_ns)


class _Reading:
    """Reads files in batches and tells their patients apart."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder, self._store = folder, store
        self._scanner = HeaderScanner(store.names)
        self._numbers: dict[str, int] = {}
        self._learnt: set[int] = set()
        self._asked: set[str] = set()
        self._last = store.last_patient()

    def run(
        self, paths: list[bytes], stamps: dict[bytes, Stamp], progress: Progress | None
    ) -> None:
        done: dict[bytes, Stamp] = {}
        entries: list[Entry] = []
        try:
            for count, path in enumerate(paths, start=1):
                found = list(self._entries(path, stamps[path]))
                done[path] = stamps[path]
                entries.extend(found)
                if progress is not None:
                    progress(count, len(paths))
                if len(done) >= BATCH:
                    self._commit(done, entries)
                    done, entries = {}, []
        finally:
            self._commit(done, entries)

    def _commit(self, done: dict[bytes, Stamp], entries: list[Entry]) -> None:
        images = [entry for entry in entries if entry.frames and entry.frames[0].patient_key]
        self._learn({uid for entry in images for uid in _uids(entry)})
        self._store.keep(done, [self._numbered(entry) for entry in entries])

    def _numbered(self, entry: Entry) -> Entry:
        key = entry.frames[0].patient_key if entry.frames else ""
        if not key:
            return entry
        if key not in self._numbers:
            self._last += 1
            self._numbers[key] = self._last
            self._learnt.add(self._last)
        return replace(entry, patient=self._numbers[key])

    def _learn(self, uids: Collection[str]) -> None:
        """Look again at one file of each patient that earlier runs saw under these UIDs.

        The index holds no more of a patient than a number, so only a file can say whether the
        patient of a new file is the same.
        """
        known = self._store.patients_of(set(uids) - self._asked)
        self._asked.update(uids)
        for patient, files in known.items():
            if patient in self._learnt:
                continue
            self._learnt.add(patient)
            key = next(filter(None, (self._key(owner, file) for owner, file in files[:3])), "")
            if self._numbers.setdefault(key, patient) != patient:
                self._store.renumber(patient, self._numbers[key])
            self._numbers.pop("", None)

    def _key(self, owner: bytes, file: str) -> str:
        for entry in self._entries(owner, only=file):
            if entry.frames:
                return entry.frames[0].patient_key
        return ""

    def _entries(
        self, path: bytes, stamp: Stamp = (0, 0), only: str | None = None
    ) -> Iterator[Entry]:
        file = os.fsdecode(path)
        if file.endswith("/"):
            yield Entry(path, file, refusal=_unreadable(file, stamp[1]))
            return
        found = _judged(path, file, partial(self._scanner.headers, self._folder / file, file))
        if found.frames or found.refusal or not is_archive(self._folder / file):
            yield found
        else:
            yield from self._members(path, file, only)

    def _members(self, path: bytes, file: str, only: str | None) -> Iterator[Entry]:
        try:
            with members(self._folder / file, file) as (archive, infos):
                for info in infos:
                    place = f"{file}!{info.filename}"
                    if only in (None, place):
                        read = partial(member_headers, archive, info, place, self._scanner)
                        yield _judged(path, place, read)
        except DicomError as error:
            yield Entry(path, file, refusal=Refusal.of(error, file))


def _judged(path: bytes, file: str, read: Callable[[], tuple[FrameHeader, ...]]) -> Entry:
    try:
        return Entry(path, file, read())
    except DicomError as error:
        return Entry(path, file, refusal=Refusal.of(error, file))
    except Exception as error:
        # the one net: a fault of ours on one odd file must not lose a listing of thousands
        cause = type(error).__name__
        reason = f"reading the header failed ({cause}): an internal error"
        return Entry(path, file, refusal=Refusal(file, reason, stage="header"))


def _unreadable(place: str, number: int) -> Refusal:
    cause = errno.errorcode.get(number, "unknown error")
    reason = f"a folder that cannot be entered ({cause}): what it holds is not listed"
    return Refusal(place, reason, stage="open")


def _uids(entry: Entry) -> tuple[str, str]:
    source = entry.frames[0].source
    return source.study_uid, source.series_uid


def _without_copies(entries: list[Entry], folder: Path) -> list[Entry]:
    """The images without byte-equal copies of an earlier one; unpacked files come first."""
    repeated = Counter(entry.frames[0].source.instance_uid for entry in entries)
    if len(repeated) == len(entries):
        return entries
    seen: set[tuple[str, object]] = set()
    kept = []
    with StackFiles(folder) as files:
        for entry in entries:
            uid = entry.frames[0].source.instance_uid
            if repeated[uid] > 1:
                content = (uid, files.fingerprint(entry.file))
                if content in seen:
                    continue
                seen.add(content)
            kept.append(entry)
    return kept


def _member(entry: Entry) -> str | None:
    owner = os.fsdecode(entry.owner)
    return None if entry.file == owner else entry.file[len(owner) + 1 :]
