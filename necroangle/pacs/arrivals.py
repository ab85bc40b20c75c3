"""Objects that come into a folder: each whole and checked, or not at all.

What is on its way lies in a folder of its own within, which the index passes over, and is removed
when the fetch ends, however it ends. A file is named after its UIDs by a hash: no letter that a
server sends becomes part of a path, the path stays short, and a second fetch finds what is there.
"""

import contextlib
import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pydicom import dcmread

from necroangle.dicom import guard
from necroangle.dicom.attributes import LONGEST_UID
from necroangle.dicom.header import subject_of
from necroangle.dicom.pseudonym import SubjectNames
from necroangle.dicom.store import ARRIVING
from necroangle.errors import DicomError
from necroangle.storage import rename_over, sync_file, sync_folder

_UID = re.compile(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*")
_LEFTOVER_S = 24 * 3600
"""What lies on its way for a day belongs to no fetch that still runs."""

_TAGS = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *("PatientID", "ClinicalTrialSubjectID", "PatientIdentityRemoved"),
]


def is_uid(text: str) -> bool:
    """Whether a text can be an identifier, as the loader takes them.

    Examples
    --------
    >>> is_uid("1.2.840.1"), is_uid("1.2/../../x"), is_uid("..")
    (True, False, False)
    """
    return len(text) <= LONGEST_UID and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Which object of a study: its series, itself, and its kind where the server says it."""

    series_uid: str
    instance_uid: str
    sop_class: str = ""


@dataclass(frozen=True, slots=True)
class DicomObject:
    """What a file on the disk is.

    Attributes
    ----------
    study_uid, key
        Its identifiers.
    syntax
        Transfer syntax UID; empty where the file states none.
    subject
        The subject's pseudonym, or None; never an identifier of a patient.
    """

    study_uid: str
    key: ObjectKey
    syntax: str
    subject: str | None


def identified(path: Path, file: str, names: SubjectNames | None = None) -> DicomObject:
    """What a DICOM file is, after its elements have been walked.

    Parameters
    ----------
    path, file
        The file, and its name for messages.
    names
        The study's names of its subjects.

    Raises
    ------
    DicomError
        If it is no DICOM file, is damaged or cut short, or lacks an identifier.
    """
    if guard.walked(path, file) is None:
        raise DicomError("no DICOM object", file=file, stage="open")
    try:
        with guard.pydicom_door(file, "reading the header", stage="header"):
            dataset = dcmread(path, stop_before_pixels=True, force=True, specific_tags=_TAGS)
            texts = {tag: str(dataset.get(tag) or "").strip(" \0") for tag in _TAGS[:4]}
            for tag, text in texts.items():
                if not is_uid(text):
                    raise DicomError("no valid UID" if text else "absent", tag=tag)
            syntax = str(dataset.file_meta.get("TransferSyntaxUID", ""))
            sop_class, instance, study, series = texts.values()
            key = ObjectKey(series, instance, sop_class)
            return DicomObject(study, key, syntax, subject_of(dataset, names))
    except DicomError as error:
        raise error.placed(file=file, stage="header") from None


class Arrivals:
    """The folder that objects come into.

    Parameters
    ----------
    folder
        Made where it is missing.
    names
        The study's names: a patient whom they do not know is refused.

    Raises
    ------
    OSError
        If the folder cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> key = ObjectKey("1.2.3", "1.2.3.4")
    >>> with Arrivals(Path(tempfile.mkdtemp())) as arrivals:
    ...     arrivals.has("1.2", key)
    False
    """

    def __init__(self, folder: Path, names: SubjectNames | None = None) -> None:
        self.folder, self._names = folder, names
        self._numbers = count()
        self.on_arrival: Callable[[], object] = lambda: None
        """Called after each object."""
        way = folder / ARRIVING
        way.mkdir(parents=True, exist_ok=True)
        _sweep(way)
        self.way = way / secrets.token_hex(8)
        """Where objects on their way lie; of this fetch alone."""
        self.way.mkdir(mode=0o700)

    def __enter__(self) -> "Arrivals":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.way, ignore_errors=True)
        with contextlib.suppress(OSError):  # another fetch has objects on their way
            self.way.parent.rmdir()

    def path(self, study_uid: str, key: ObjectKey) -> Path:
        """Where an object lies, or will lie."""
        names = (
            f"study-{_short(study_uid)}",
            f"series-{_short(key.series_uid)}",
            f"{_short(key.instance_uid)}.dcm",
        )
        return self.folder.joinpath(*names)

    def has(self, study_uid: str, key: ObjectKey) -> bool:
        """Whether an object is there."""
        return self.path(study_uid, key).is_file()

    @contextlib.contextmanager
    def part(self) -> Iterator[Path]:
        """A free name for an object on its way; what is left there afterwards is removed."""
        path = self.way / f"{next(self._numbers)}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def admit(self, part: Path, study_uid: str, keys: dict[str, ObjectKey]) -> ObjectKey:
        """Give a whole object its place, if it is one that was asked for.

        Parameters
        ----------
        part
            The file, which is moved.
        study_uid
            The study that was asked for.
        keys
            The objects that were asked for, by their instance UID.

        Raises
        ------
        DicomError
            If it is no DICOM object, damaged, of a patient whom the names do not know, or not one
            that was asked for.
        OSError
            If the disk refuses.
        """
        found = identified(part, "", self._names)
        key = keys.get(found.key.instance_uid)
        if key is None or found.study_uid != study_uid or found.key.series_uid != key.series_uid:
            raise DicomError("another object than was asked for")
        path = self.path(study_uid, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        sync_file(part)
        rename_over(part, path)
        sync_folder(path.parent)
        self.on_arrival()
        return key


def _short(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:20]


def _sweep(way: Path) -> None:
    """Remove what a fetch left that was killed."""
    oldest = time.time() - _LEFTOVER_S
    for path in way.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path)
