"""A study as one file, and the study from that file, on this machine or another.

The backup is a ZIP file with the cohort as an SQLite file (from a server, too), its anchors,
``study.toml``, the secret, the reading files, and a manifest with the SHA-256 of each and what the
cohort comes to: the last event's hash, and a hash of all rows, records and kept readings.
"""

import contextlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from necroangle import __version__
from necroangle.errors import CohortError, system_words
from necroangle.ledger.anchors import Anchor, last_anchor
from necroangle.ledger.copying import copy_cohort
from necroangle.ledger.erasure import erased_numbers
from necroangle.ledger.records import RESTORED, Entry
from necroangle.ledger.store import CohortStore
from necroangle.moments import utc_now
from necroangle.storage import (
    name_problem,
    rename_over,
    scratch_folder,
    sha256_of,
    sync_file,
    write_atomically,
)
from necroangle.study import Study, open_study

_COHORT, _ANCHORS, _MANIFEST = "cohort.sqlite", "cohort.sqlite.anchors", "manifest.json"
_STUDY, _SECRET, _READINGS = "study.toml", "secret.key", "readings"
_MOST_BYTES = 1 << 36
_AT_ONCE = 1 << 20


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup holds.

    Attributes
    ----------
    format, software, at
        What made it, and when.
    anchor
        What the ledger was; None where it had no events.
    canonical_sha256
        Hash of rows, records and kept readings: :meth:`CohortStore.canonical_sha256`.
    files
        SHA-256 of every other file by its name.
    """

    format: str
    software: str
    at: str
    anchor: Anchor | None
    canonical_sha256: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Attributes
    ----------
    manifest
        What the backup said.
    canonical_sha256
        The same hash now.
    given_up
        The last event that the study had and the backup has not; 0 where there is none.
    erased_again
        Patients whose consent was withdrawn after the backup was made.
    """

    manifest: Manifest
    canonical_sha256: str
    given_up: int = 0
    erased_again: int = 0


def make_backup(study: Study, file: Path) -> Manifest:
    """Write the whole study to a file, which stands there whole or not at all.

    Nothing that was erased before is in it.

    Raises
    ------
    CohortError
        If the cohort cannot be read, or the file cannot be written or is there already.
    """
    if file.exists():
        raise CohortError(f"{file}: it is there already; give another name")
    store = CohortStore.open(study.cohort, create=False, study=study)
    try:
        with scratch_folder(file.absolute()) as folder:
            copy = folder / _COHORT
            copy_cohort(store, copy)
            part = folder / file.name
            made = _zipped(study, CohortStore.open(copy), part)
            part.chmod(0o600)  # the secret is in it
            sync_file(part)
            rename_over(part, file)
    except OSError as error:
        raise CohortError(f"{file}: cannot be written ({system_words(error)})") from error
    return made


def _zipped(study: Study, copy: CohortStore, file: Path) -> Manifest:
    hashes = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in _sources(study, copy):
            archive.write(source, name)
            hashes[name] = _sha256(source)
        anchor, canonical = copy.anchor(), copy.canonical_sha256()
        software = f"necroangle {__version__}"
        made = Manifest("necroangle.backup", software, utc_now(), anchor, canonical, hashes)
        archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(made)))
    return made


def _sources(study: Study, copy: CohortStore) -> Iterator[tuple[str, Path]]:
    yield _COHORT, Path(copy.name)
    yield _STUDY, study.folder / _STUDY
    if study.anchors.is_file():
        yield _ANCHORS, study.anchors
    secret = study.folder / Path(study.protocol.secret).expanduser()
    if secret.is_file():
        yield _SECRET, secret
    if study.readings.is_dir():
        for one in sorted(study.readings.rglob("*")):
            if one.is_file() and not one.is_symlink() and not one.name.endswith(".part"):
                yield f"{_READINGS}/{one.relative_to(study.readings).as_posix()}", one


def _sha256(file: Path) -> str:
    return sha256_of(file.read_bytes())


def read_manifest(file: Path) -> Manifest:
    """The manifest of a backup.

    Raises
    ------
    CohortError
        If the file is no backup, or cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return msgspec.json.decode(_bytes(archive, _MANIFEST), type=Manifest)
    except (OSError, zipfile.BadZipFile, KeyError, msgspec.MsgspecError) as error:
        raise CohortError(f"{file}: no backup of a study") from error


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of the archive; never more than the archive says that it holds."""
    info = archive.getinfo(name)
    if info.file_size > _MOST_BYTES:
        raise CohortError(f"{name}: too large for a backup")
    with archive.open(info) as stream:
        raw = stream.read(info.file_size + 1)
    if len(raw) > info.file_size:
        raise CohortError(f"{name}: larger than it says")
    return raw


def restore(
    file: Path, folder: Path, *, actor: str = "", reason: str = "", place: str | None = None
) -> Restored:
    """Put a study back from its backup.

    Parameters
    ----------
    file
        The backup.
    folder
        An empty or new folder; or the study's own, whose cohort is then replaced, while reading
        files that lie there are left as they are.
    actor, reason
        Who and why; needed where the study has later events, which are given up.
    place
        URL of an empty database for the cohort; by default it becomes a file, and ``study.toml``
        says so.

    Raises
    ------
    CohortError
        If the backup is damaged, the folder holds something else, or no reason is given.
    """
    manifest = read_manifest(file)
    is_there = (folder / _STUDY).is_file()
    if folder.exists() and not is_there and any(folder.iterdir()):
        raise CohortError(f"{folder}: it holds other files; give a new folder")
    try:
        with zipfile.ZipFile(file) as archive:
            _check(archive, manifest, file)
            return _put(archive, manifest, folder, place, (actor, reason))
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise CohortError(f"{file}: cannot be restored ({error})") from error


def _check(archive: zipfile.ZipFile, manifest: Manifest, file: Path) -> None:
    for name, sha256 in manifest.files.items():
        if problem := name_problem(name):
            raise CohortError(f"{file}: the name {name!r:.80} {problem}")
        try:
            raw = _bytes(archive, name)
        except (KeyError, zipfile.BadZipFile, OSError, EOFError, zlib.error) as error:
            raise CohortError(f"{file}: {name} is missing or damaged") from error
        if sha256_of(raw) != sha256:
            raise CohortError(f"{file}: {name} was changed: its hash does not fit")


def _put(
    archive: zipfile.ZipFile,
    manifest: Manifest,
    folder: Path,
    place: str | None,
    who: tuple[str, str],
) -> Restored:
    given_up, erased = _given_up(manifest, folder, who)
    folder.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder / "restore") as part:
        copy = part / _COHORT
        copy.write_bytes(_bytes(archive, _COHORT))
        for name in manifest.files:
            if name not in (_COHORT, _ANCHORS):
                _once(folder / name, _bytes(archive, name))
        study = open_study(folder)
        if place is not None or isinstance(study.cohort, str):
            study = _named(study, place or _COHORT)
        if _ANCHORS in manifest.files:
            _once(study.anchors, _bytes(archive, _ANCHORS))
        _replace(study, copy)
    store = CohortStore.open(study.cohort, create=False, study=study)
    if given_up and manifest.anchor is not None:
        lost = msgspec.structs.replace(manifest.anchor, at=utc_now(), lost=given_up, key="")
        store.keep(msgspec.structs.replace(lost, signature=""))
        told = {"events": manifest.anchor.seq, "given_up": given_up}
        store.record([Entry(RESTORED, (manifest.at, lost.at), told, who[1])], actor=who[0])
    again = store.erase_numbers(erased, actor=who[0])
    return Restored(manifest, store.canonical_sha256(), given_up, again)


def _given_up(manifest: Manifest, folder: Path, who: tuple[str, str]) -> tuple[int, frozenset[int]]:
    """The last event of the study that stands there, where the backup ends before it."""
    if not (folder / _STUDY).is_file():
        return 0, frozenset()
    study = open_study(folder)
    last = last_anchor(study.anchors)
    ends = 0 if manifest.anchor is None else manifest.anchor.seq
    given_up = 0 if last is None else max(last.seq, last.lost)  # the latter: it was cut off
    if given_up <= ends:
        return 0, frozenset()
    if not who[1].strip() or not who[0].strip():
        raise CohortError(
            f"{folder}: the study has {given_up} events, the backup ends with event {ends}: to "
            "give the others up, say who you are (--as) and why (--reason)"
        )
    erased: frozenset[int] = frozenset()
    with contextlib.suppress(CohortError):  # where it is gone or damaged, nothing can be told
        store = CohortStore.open(study.cohort, create=False, study=study)
        with store.reading() as connection:
            erased = erased_numbers(connection)
    return given_up, frozenset(seq for seq in erased if seq <= ends)


def _once(path: Path, content: bytes) -> None:
    """Write a file where none lies."""
    if not path.exists():
        write_atomically(path, content)
        if path.name == _SECRET:
            path.chmod(0o600)


def _named(study: Study, place: str) -> Study:
    """The study, with its cohort in a database, or in a file again."""
    path = study.folder / _STUDY
    text = path.read_text("utf-8")
    write_atomically(path, text.replace(f'"{study.protocol.cohort}"', f'"{place}"').encode())
    return open_study(study.folder)


def _replace(study: Study, copy: Path) -> None:
    """Put the cohort in its place; what stood there is set aside."""
    target = study.cohort
    if isinstance(target, str):
        copy_cohort(CohortStore.open(copy), target)
        return
    if target.exists():
        aside = target.with_name(f"{target.name}.before-restore.bak")
        number = 2
        while aside.exists():
            aside = target.with_name(f"{target.name}.before-restore.{number}.bak")
            number += 1
        rename_over(target, aside)
        for name in ("-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                target.with_name(target.name + name).unlink()
    shutil.copyfile(copy, target)
    sync_file(target)
    os.utime(target)
