"""Where a walk keeps what it has read of each file: in memory, or in a database on the disk."""

import hashlib
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

import msgspec

from necroangle import __version__
from necroangle.dicom.pseudonym import SubjectNames, new_key
from necroangle.dicom.records import FrameHeader, Refusal
from necroangle.errors import DicomError

DATABASE = ".necroangle-index.sqlite"
"""Name of the index beside the study."""

ARRIVING = ".necroangle-arriving"
"""Folder of objects that are on their way from a server: passed over."""

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

    def turn(self) -> AbstractContextManager[bool]:
        """A time in which nobody else writes; says whether somebody else has since the last."""


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

    def turn(self) -> AbstractContextManager[bool]:
        """Nobody else knows of it."""
        return nullcontext(False)


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
                (self._version,) = self._db.execute("PRAGMA data_version").fetchone()
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
            "SELECT patient, owner, file FROM entries WHERE patient > 0 AND study_uid = ? "
            "UNION SELECT patient, owner, file FROM entries WHERE patient > 0 AND series_uid = ?"
        )
        with self._said():
            for uid in uids:
                for patient, owner, file in self._db.execute(query, (uid, uid)):
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
    def turn(self) -> Iterator[bool]:
        """A time in which nobody else writes; says whether somebody else has since the last."""
        with self._said(), self._alone():
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
            changed, self._version = version != self._version, version
            yield changed

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._said(), nullcontext() if self._db.in_transaction else self._alone():
            self._db.execute("DELETE FROM report")
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """All or nothing, while no other process can write."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
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
        """Make the tables where there are none, or none of this form.

        Another process may make them at the same moment: what is there is looked at once more
        while no other can write, and all of it is made in one step.
        """
        if self._is_ready():
            return
        with self._alone():
            if not self._is_ready():
                self._make_tables()

    def _is_ready(self) -> bool:
        """Whether the index has this form; one that is not ready keeps its key, if it has one."""
        (count,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (mark,) = self._db.execute("PRAGMA application_id").fetchone()
        if count and mark != APPLICATION_ID:
            raise DicomError(
                "another kind of database, not an index", file=self.path.name, stage="index"
            )
        key, made_with = self._key_and_form() if count else (b"", ())
        self.key = key or new_key()
        return made_with == self._form_and_names()

    def _make_tables(self) -> None:
        for name in _NAMES:
            self._db.execute(f"DROP TABLE IF EXISTS {name}")
        self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for table in filter(str.strip, _TABLES.split(";")):
            self._db.execute(table)
        self._db.execute("INSERT INTO about VALUES (?, ?, ?)", (*self._form_and_names(), self.key))

    def _form_and_names(self) -> tuple[str, str]:
        return _form(), "" if self.names is None else self.names.fingerprint(self.key)

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
