"""The index of a folder brought up to date: only what has changed is read."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from necroangle.dicom.archive import content_digest, is_archive, member_headers, members
from necroangle.dicom.grouping import numbered, summarise
from necroangle.dicom.index_store import DATABASE, Entry, IndexStore, Stamp
from necroangle.dicom.records import FrameHeader, Refusal, Scan
from necroangle.dicom.scanner import HeaderScanner
from necroangle.errors import DicomError

__all__ = ["Changes", "index_path", "refresh_index", "scan_index"]

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


def refresh_index(folder: Path, store: IndexStore, progress: Progress | None = None) -> Changes:
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
    found = _walk(folder, store.path)
    if found == known:
        return Changes(0, len(found), 0)
    changed = [path for path, stamp in found.items() if known.get(path) != stamp]
    gone = known.keys() - found.keys()
    store.forget(gone | (known.keys() & set(changed)))
    changed.sort()
    _Reading(folder, store).run(changed, found, progress)
    return Changes(len(changed), len(found) - len(changed), len(gone))


def scan_index(folder: Path, store: IndexStore) -> Scan:
    """What the folder holds, from its index alone.

    As :func:`necroangle.dicom.scan_folder` says it, but each refused file stands for itself.
    """
    entries = sorted(store.entries(), key=lambda entry: (_member(entry) is not None, entry.file))
    refused = [entry.refusal for entry in entries if entry.refusal is not None]
    images = [entry for entry in entries if entry.frames]
    kept = _without_copies(images, folder)
    frames = [frame for entry in kept for frame in entry.frames]
    series, more = summarise(frames, folder)
    owners = {entry.owner for entry in entries}
    paths = store.stamps().keys()
    skipped = len(images) - len(kept) + len(paths - owners)
    every = numbered([*refused, *more], paths)
    ordered = sorted(every, key=lambda refusal: (refusal.place, refusal.tag))
    return Scan(tuple(series), tuple(ordered), skipped)


def _walk(folder: Path, database: Path) -> dict[bytes, Stamp]:
    """Every file, by its relative path, with its stamp."""
    own = os.fsencode(database.name)
    found: dict[bytes, Stamp] = {}
    todo = [(os.fsencode(folder), b"")]
    while todo:
        place, prefix = todo.pop()
        try:
            entries = os.scandir(place)
        except OSError:
            continue
        with entries:
            for entry in entries:
                name = entry.name
                if entry.is_dir(follow_symlinks=False):
                    todo.append((entry.path, prefix + name + b"/"))
                elif not name.startswith(own) and not _links_to_folder(entry):
                    found[prefix + name] = _stamp(entry)
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

    def __init__(self, folder: Path, store: IndexStore) -> None:
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
                found = list(self._entries(path))
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

    def _entries(self, path: bytes, only: str | None = None) -> Iterator[Entry]:
        file = os.fsdecode(path)
        found = self._judged(path, file, partial(self._scanner.headers, self._folder / file, file))
        if found is not None:
            yield found
        elif is_archive(self._folder / file):
            yield from self._members(path, file, only)

    def _members(self, path: bytes, file: str, only: str | None) -> Iterator[Entry]:
        try:
            with members(self._folder / file, file) as (archive, infos):
                for info in infos:
                    place = f"{file}!{info.filename}"
                    if only not in (None, place):
                        continue
                    read = partial(member_headers, archive, info, place, self._scanner)
                    found = self._judged(path, place, read)
                    if found is not None:
                        yield found
        except DicomError as error:
            yield Entry(path, file, refusal=Refusal.of(error, file))

    @staticmethod
    def _judged(
        path: bytes, file: str, read: Callable[[], tuple[FrameHeader, ...]]
    ) -> Entry | None:
        try:
            frames = read()
        except DicomError as error:
            return Entry(path, file, refusal=Refusal.of(error, file))
        return Entry(path, file, frames) if frames else None


def _uids(entry: Entry) -> tuple[str, str]:
    source = entry.frames[0].source
    return source.study_uid, source.series_uid


def _without_copies(entries: list[Entry], folder: Path) -> list[Entry]:
    """The images without those whose bytes equal an earlier one's; unpacked files first."""
    repeated = Counter(entry.frames[0].source.instance_uid for entry in entries)
    seen: set[tuple[str, bytes]] = set()
    kept = []
    for entry in entries:
        uid = entry.frames[0].source.instance_uid
        if repeated[uid] > 1:
            content = (uid, content_digest(folder / os.fsdecode(entry.owner), _member(entry)))
            if content in seen:
                continue
            seen.add(content)
        kept.append(entry)
    return kept


def _member(entry: Entry) -> str | None:
    owner = os.fsdecode(entry.owner)
    return None if entry.file == owner else entry.file[len(owner) + 1 :]
