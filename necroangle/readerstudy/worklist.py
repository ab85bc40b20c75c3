"""The worklist: which hips a reader study shows to whom, as one strict file.

It belongs to the study's coordinator. It holds pseudonyms and relative folders, never a name, a
date of a visit or an absolute path. Its id is a digest of what it says: once reading has begun, an
edited worklist has another id and is refused.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from necroangle.annotation.words import Identifier, Software, UtcTime
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import ReadingError
from necroangle.storage import write_atomically
from necroangle.terms import Laterality, View

__all__ = [
    "CONSENSUS",
    "SUFFIX",
    "StudyCase",
    "Worklist",
    "check_worklist",
    "decode_worklist",
    "load_worklist",
    "save_worklist",
    "worklist_id",
]

SUFFIX = ".worklist.json"

CONSENSUS = "consensus"
"""The reader under which adjudicated readings are kept; nobody else may have this code."""

MAX_BYTES = 16 << 20

_PAIRS = ((View.CORONAL, View.SAGITTAL), (View.AP, View.FROG_LEG), (View.AP, View.CROSS_TABLE))
_WINDOWS_NAMES = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}


class StudyCase(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, order=True):
    """One hip at one visit.

    Attributes
    ----------
    subject, laterality, visit
        The key, as a reading has it: pseudonyms.
    views
        The A view and the B view that are read.
    folder
        Where its images lie, relative to the study's folder, with forward slashes; ``"."`` for
        the study's folder itself.
    method
        Name of the method that the study measures by; empty for the usual one.
    """

    subject: Identifier
    laterality: Laterality
    visit: Identifier
    views: tuple[View, View]
    folder: Annotated[str, Meta(min_length=1, max_length=1000)]
    method: Annotated[str, Meta(max_length=64)] = ""

    @property
    def key(self) -> tuple[str, Laterality, str]:
        """What makes it one case: subject, side and visit."""
        return (self.subject, self.laterality, self.visit)


class Worklist(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reader study.

    Attributes
    ----------
    format, version
        ``"necroangle.worklist"``, 1.
    study
        The folder of the images, relative to the worklist's own folder.
    seed
        From it follow every reader's order, the repeated cases and the case codes.
    readers
        Their codes.
    repeats
        How many cases each reader reads a second time.
    washout_days
        Days between the end of a reader's first session and the start of her second.
    blinded
        Whether subject, visit and earlier readings are hidden.
    idle_limit_s
        A pause longer than this does not count as reading time.
    cases
        The hips.
    made_at, software
        When (UTC) and by what program.
    """

    format: Literal["necroangle.worklist"]
    version: Literal[1]
    study: Annotated[str, Meta(min_length=1, max_length=1000)]
    seed: Annotated[int, Meta(ge=0, lt=1 << 62)]
    readers: Annotated[tuple[Identifier, ...], Meta(min_length=1)]
    repeats: Annotated[int, Meta(ge=0)]
    washout_days: Annotated[int, Meta(ge=0, le=3650)]
    blinded: bool
    idle_limit_s: Annotated[float, Meta(gt=0, le=3600)]
    cases: Annotated[tuple[StudyCase, ...], Meta(min_length=1)]
    made_at: UtcTime
    software: Software


_DECODER = msgspec.json.Decoder(Worklist)


def worklist_id(worklist: Worklist) -> str:
    """What a reading names its worklist by: a digest of all it says, however the file is laid out.

    Examples
    --------
    >>> from necroangle.readerstudy.making import make_worklist
    >>> hip = StudyCase(
    ...     subject="P1", laterality=Laterality.LEFT, visit="m00", views=_PAIRS[0], folder="."
    ... )
    >>> first = make_worklist([hip], ["r1"], made_at="2026-01-31T08:15:00.000Z")
    >>> worklist_id(first)[:3], worklist_id(first) == worklist_id(first)
    ('wl-', True)
    >>> worklist_id(msgspec.structs.replace(first, seed=8)) == worklist_id(first)
    False
    """
    return "wl-" + hashlib.sha256(msgspec.json.encode(worklist)).hexdigest()[:24]


def load_worklist(path: Path) -> Worklist:
    """Read a worklist file.

    Raises
    ------
    ReadingError
        Naming file and place: not readable, an unknown or missing key, or parts that contradict.

    Examples
    --------
    >>> load_worklist(Path("nowhere.worklist.json"))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: nowhere.worklist.json: cannot be read: No such file or directory
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadingError(f"cannot be read: {error.strerror}", file=path.name) from error
    if len(raw) > MAX_BYTES:
        raise ReadingError("larger than 16 MiB: not a worklist", file=path.name)
    return decode_worklist(raw, file=path.name)


def decode_worklist(raw: bytes, *, file: str = "") -> Worklist:
    """Decode and check the bytes of a worklist file.

    Raises
    ------
    ReadingError
        As for :func:`load_worklist`.
    """
    try:
        worklist = from_json(raw, _DECODER)
        check_worklist(worklist)
    except ReadingError as error:
        raise ReadingError(error.problem, place=error.place, file=file) from error
    except MalformedError as error:
        problem = error.problem if error.misfit else f"no worklist: {error.problem}"
        raise ReadingError(problem, place=error.place, file=file) from error
    return worklist


def save_worklist(worklist: Worklist, path: Path) -> None:
    """Write a worklist file, never over another one: readers may have begun on that.

    Raises
    ------
    ReadingError
        If the worklist is not valid, a file lies there, or the disk refuses.
    """
    check_worklist(worklist)
    if path.exists():
        raise ReadingError(
            "lies there already; give another name, for readers may have begun on it",
            file=path.name,
        )
    content = msgspec.json.format(msgspec.json.encode(worklist), indent=1) + b"\n"
    try:
        write_atomically(path, content)
    except OSError as error:
        raise ReadingError(f"cannot be written: {error.strerror}", file=path.name) from error


def check_worklist(worklist: Worklist) -> None:
    """Refuse a worklist whose parts contradict each other.

    Raises
    ------
    ReadingError
        Naming the place and what to do.
    """
    _check_path(worklist.study, "$.study", may_climb=True)
    folded = [reader.casefold() for reader in worklist.readers]
    for index, reader in enumerate(worklist.readers):
        _check_reader(reader, folded, f"$.readers[{index}]")
    seen: set[tuple[str, Laterality, str]] = set()
    for index, case in enumerate(worklist.cases):
        place = f"$.cases[{index}]"
        if case.key in seen:
            raise ReadingError(
                f"{case.subject} {case.laterality} {case.visit} stands there twice", place=place
            )
        if case.views not in _PAIRS:
            raise ReadingError("no pair of views that belong together", place=f"{place}.views")
        _check_path(case.folder, f"{place}.folder", may_climb=False)
        seen.add(case.key)
    if worklist.repeats > len(worklist.cases):
        raise ReadingError(
            f"{worklist.repeats} repeats of {len(worklist.cases)} cases: no case is read three "
            "times",
            place="$.repeats",
        )


def _check_reader(reader: str, folded: list[str], place: str) -> None:
    name = reader.casefold()
    if folded.count(name) > 1:
        raise ReadingError(f"the reader {reader!r} stands there twice", place=place)
    if name == CONSENSUS:
        raise ReadingError(f"{reader!r} is kept for adjudicated readings", place=place)
    if name.endswith(".") or name.split(".")[0] in _WINDOWS_NAMES:
        raise ReadingError(f"{reader!r} cannot name a folder on every system", place=place)


def _check_path(path: str, place: str, *, may_climb: bool) -> None:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or ":" in parts[0] or "\0" in path:
        raise ReadingError("must be a relative path with forward slashes", place=place)
    if ".." in parts and not may_climb:
        raise ReadingError("must lie within the study's folder", place=place)
