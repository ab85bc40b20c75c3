"""The one walk of a folder: into a store on the disk, or in memory."""

import errno
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from necroangle.dicom.archive import Budget, StackFiles, is_archive, member_headers, members
from necroangle.dicom.pictures import AS_PICTURE, PICTURES, picture_pixels
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.records import RECOGNISED, FrameHeader, Refusal, Scan
from necroangle.dicom.scanner import HeaderScanner
from necroangle.dicom.series import group_refusals, numbered, summarise
from necroangle.dicom.store import ARRIVING, DATABASE, Entry, MemoryStore, Stamp, Store
from necroangle.errors import DicomError
from necroangle.storage import can_write_in

BATCH = 500
"""Files read between two commits."""

MAX_FILES = 5_000_000
"""A tree of more files is refused: open a part of it."""

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
    if (not beside.exists() or os.access(beside, os.W_OK)) and can_write_in(folder, DATABASE):
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
    return replace(
        scan,
        refused=group_refusals(scan.refused),
        aside=group_refusals(scan.aside),
        recognised=group_refusals(scan.recognised),
    )


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

    As :func:`necroangle.dicom.scan_folder` says it, but each refused file stands for itself. What
    is found is read from this folder whatever the current one is by then, in any process.
    """
    folder = folder.absolute()
    entries = sorted(store.entries(), key=lambda entry: (_member(entry) is not None, entry.file))
    told = [entry.refusal for entry in entries if entry.refusal is not None]
    with_dicom = any(e.frames and e.frames[0].syntax not in PICTURES for e in entries)
    hushed = (RECOGNISED, AS_PICTURE) if with_dicom else (RECOGNISED,)
    refused = [one for one in told if one.stage not in hushed]
    recognised = [one for one in told if one.stage == RECOGNISED]
    images, unsound = _films([entry for entry in entries if entry.frames], folder)
    refused += unsound
    kept = _without_copies(images, folder)
    frames = [frame for entry in kept for frame in entry.frames]
    series, more, aside = summarise(frames, folder)
    paths = store.stamps()
    return Scan(
        series=tuple(series),
        refused=_ordered(numbered([*refused, *more], paths)),
        aside=_ordered(numbered(aside, paths)),
        skipped=len(entries) - len(images) - len(refused),
        recognised=_ordered(recognised),
        copies=len(images) - len(kept),
        walked=len(entries),
    )


def _films(images: list[Entry], folder: Path) -> tuple[list[Entry], list[Refusal]]:
    """The images that count, and the refusals of pictures that are no grey values.

    Pictures are scanned films where a folder holds nothing else: beside DICOM images they are
    those of a disc's viewer. The pictures of one folder are of one study.
    """
    pictures = [entry for entry in images if entry.frames[0].syntax in PICTURES]
    if len(pictures) < len(images):
        return [entry for entry in images if entry.frames[0].syntax not in PICTURES], []
    studies: dict[str, list[str]] = defaultdict(list)
    for entry in pictures:
        studies[_folder_of(entry.file)].append(entry.frames[0].source.study_uid)
    sound, refused = [], []
    with StackFiles(folder) as files:
        for entry in pictures:
            (frame,) = entry.frames
            try:
                with files.path(entry.file) as path:
                    picture_pixels(path, entry.file, frame.source.instance_uid)
            except DicomError as error:
                refused.append(Refusal.of(error, entry.file))
                continue
            source = replace(frame.source, study_uid=min(studies[_folder_of(entry.file)]))
            sound.append(replace(entry, frames=(replace(frame, source=source),)))
    return sound, refused


def _folder_of(file: str) -> str:
    return file.rpartition("/")[0]


def _ordered(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(refusals, key=lambda refusal: (refusal.place, refusal.tag)))


def _walk(folder: Path, own_file: str) -> dict[bytes, Stamp]:
    """Every file by its relative path, with its stamp.

    A folder that cannot be entered stands for itself: its path ends with a slash, and its stamp
    is no size but -1, and the system's number of the error.
    """
    own, arriving = os.fsencode(own_file), os.fsencode(ARRIVING)
    found: dict[bytes, Stamp] = {}
    todo = [(os.fsencode(folder), b"")]
    while todo:
        if len(found) + len(todo) > MAX_FILES:
            raise DicomError(
                f"more than {MAX_FILES} files: open a part of it", file=folder.name, stage="open"
            )
        place, prefix = todo.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != arriving:
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
        self._begin()

    def _begin(self) -> None:
        """Know no patient: another process may have given numbers, or joined two of them."""
        self._numbers: dict[str, int] = {}
        self._learnt: set[int] = set()
        self._asked: set[str] = set()
        self._last = self._store.last_patient()

    def run(
        self, paths: list[bytes], stamps: dict[bytes, Stamp], progress: Progress | None
    ) -> None:
        done: dict[bytes, Stamp] = {}
        entries: list[Entry] = []
        try:
            for count, path in enumerate(paths, start=1):
                found = self._safe_entries(path, stamps[path])
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
        with self._store.turn() as is_changed:
            if is_changed:
                self._begin()
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

    def _safe_entries(self, path: bytes, stamp: Stamp) -> list[Entry]:
        """The one net round every file: a fault on one odd file must not lose all the others."""
        try:
            return list(self._entries(path, stamp))
        except Exception as error:
            return [_faulty(path, os.fsdecode(path), error)]

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
                budget = Budget((self._folder / file).stat().st_size)
                names: set[str] = set()
                for number, info in enumerate(infos, start=1):
                    place = f"{file}!{info.filename}"
                    if place in names:
                        yield _second_of_a_name(path, place, number)
                        continue
                    names.add(place)
                    if only in (None, place):
                        read = partial(member_headers, archive, info, place, self._scanner, budget)
                        yield _judged(path, place, read)
        except DicomError as error:
            yield Entry(path, file, refusal=Refusal.of(error, file))


def _second_of_a_name(path: bytes, place: str, number: int) -> Entry:
    """The refusal of a member that only its number tells from another of its archive."""
    file = f"{place} (member {number})"
    return Entry(
        path, file, refusal=Refusal(file, "a member whose name is another's", stage="open")
    )


def _judged(path: bytes, file: str, read: Callable[[], tuple[FrameHeader, ...]]) -> Entry:
    try:
        return Entry(path, file, read())
    except DicomError as error:
        return Entry(path, file, refusal=Refusal.of(error, file))
    except Exception as error:
        return _faulty(path, file, error)


def _faulty(path: bytes, file: str, error: Exception) -> Entry:
    reason = f"reading the header failed ({type(error).__name__}): an internal error"
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
