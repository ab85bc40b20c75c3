"""The worklist: which hips a reader study shows to whom, as one strict file.

It belongs to the study's coordinator. It holds pseudonyms and relative folders, never a name, a
date of a visit or an absolute path. Its id is a digest of what it says: once reading has begun, an
edited worklist has another id and is refused.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from necroangle import __version__
from necroangle.annotation.words import Identifier, Software, UtcTime
from necroangle.decoding import MalformedError, converted, from_json
from necroangle.errors import ReadingError, system_words
from necroangle.moments import utc_now
from necroangle.storage import write_atomically
from necroangle.terms import VIEW_PAIRS, Laterality, View

SUFFIX = ".worklist.json"

CONSENSUS = "consensus"
"""The reader under which adjudicated readings are kept; nobody else may have this code."""

MAX_BYTES = 16 << 20

_PAIR_NAMES = {"mr" if b is View.SAGITTAL else str(b): (a, b) for a, b in VIEW_PAIRS}
"""What a table of cases names a pair by: its lateral radiograph, or ``mr``, the usual one."""

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


class Worklist(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
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
        Days between the end of a reader's first session and the start of their second.
    blinded
        Whether subject, visit and earlier readings are hidden.
    idle_limit_s
        A pause longer than this does not count as reading time.
    cases
        The hips.
    made_at, software
        When (UTC) and by what program.
    held_back
        How many cases come in the second session for the first time; None: as many as come twice,
        up to half of the others.
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
    held_back: Annotated[int, Meta(ge=0)] | None = None


_DECODER = msgspec.json.Decoder(Worklist)


def worklist_id(worklist: Worklist) -> str:
    """What a reading names its worklist by: a digest of all it says, however the file is laid out.

    Examples
    --------
    >>> hip = StudyCase(
    ...     subject="P1",
    ...     laterality=Laterality.LEFT,
    ...     visit="m00",
    ...     views=(View.CORONAL, View.SAGITTAL),
    ...     folder=".",
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
        raise ReadingError(f"cannot be read: {system_words(error)}", file=path.name) from error
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
            "is there already; give another name, for readers may have begun on it",
            file=path.name,
        )
    content = msgspec.json.format(msgspec.json.encode(worklist), indent=1) + b"\n"
    try:
        write_atomically(path, content)
    except OSError as error:
        raise ReadingError(f"cannot be written: {system_words(error)}", file=path.name) from error


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
                f"{case.subject} {case.laterality} {case.visit} occurs twice", place=place
            )
        if case.views not in VIEW_PAIRS:
            raise ReadingError("no pair of views that belong together", place=f"{place}.views")
        _check_path(case.folder, f"{place}.folder", may_climb=False)
        seen.add(case.key)
    if worklist.repeats > len(worklist.cases):
        raise ReadingError(
            f"{worklist.repeats} repeats of {len(worklist.cases)} cases: no case is read three "
            "times",
            place="$.repeats",
        )
    if worklist.held_back and worklist.repeats + worklist.held_back > len(worklist.cases):
        raise ReadingError(
            f"{worklist.held_back} held back and {worklist.repeats} repeats of "
            f"{len(worklist.cases)} cases: a repeated case is shown in both sessions",
            place="$.held_back",
        )


def _check_reader(reader: str, folded: list[str], place: str) -> None:
    name = reader.casefold()
    if folded.count(name) > 1:
        raise ReadingError(f"the reader {reader!r} occurs twice", place=place)
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


IDLE_LIMIT_S = 60.0


_CSV_COLUMNS = ("subject", "laterality", "visit", "folder", "views", "method")
_CSV_NEEDED = _CSV_COLUMNS[:3]


def make_worklist(
    cases: Iterable[StudyCase],
    readers: Iterable[str],
    *,
    study: str = ".",
    repeats: int = 0,
    washout_days: int = 14,
    seed: int = 1,
    blinded: bool = True,
    idle_limit_s: float = IDLE_LIMIT_S,
    made_at: str | None = None,
    held_back: int | None = None,
) -> Worklist:
    """Make a worklist; the cases are put in the order of their keys, so that none is betrayed.

    Parameters
    ----------
    cases, readers, study, repeats, washout_days, seed, blinded, idle_limit_s, held_back
        As in :class:`necroangle.readerstudy.Worklist`.
    made_at
        UTC, ``2026-01-31T08:15:00.000Z``; now by default.

    Raises
    ------
    ReadingError
        If the parts contradict each other.

    Examples
    --------
    >>> make_worklist([], ["r1"])
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: $.cases: Expected `array` of length >= 1
    """
    values = {
        "format": "necroangle.worklist",
        "version": 1,
        "study": study,
        "seed": seed,
        "readers": list(readers),
        "repeats": repeats,
        "washout_days": washout_days,
        "blinded": blinded,
        "idle_limit_s": idle_limit_s,
        "cases": [msgspec.to_builtins(case) for case in sorted(cases)],
        "made_at": made_at or utc_now(),
        "software": f"necroangle {__version__}",
        "held_back": held_back,
    }
    try:
        worklist = converted(values, Worklist)
    except MalformedError as error:
        raise ReadingError(error.problem, place=error.place) from error
    check_worklist(worklist)
    return worklist


def count_of_repeats(text: str, cases: int) -> int:
    """How many cases come twice: a number of them, or a fraction with a decimal point.

    Raises
    ------
    ReadingError
        If it is neither.

    Examples
    --------
    >>> count_of_repeats("0.2", 60), count_of_repeats("12", 60), count_of_repeats("0.01", 60)
    (12, 12, 1)
    >>> count_of_repeats("1.0", 60)  # with a point: all of them
    60
    >>> count_of_repeats("half", 60)
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: repeats: a number (12) or a fraction (0.2), found 'half'
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    is_fraction = "." in text and 0 <= value <= 1
    if not is_fraction and not (text.isascii() and text.isdecimal()):
        raise ReadingError(f"repeats: a number (12) or a fraction (0.2), found {text!r}")
    if not is_fraction:
        return int(text)
    wanted = int((value * cases).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return max(wanted, 1) if value else 0


def cases_of_csv(path: Path) -> tuple[StudyCase, ...]:
    """The cases of a table: UTF-8, comma-separated, one hip and visit a row.

    Columns: ``subject``, ``laterality`` (L or R) and ``visit``; where needed ``folder`` (within
    the study), ``views`` (``mr``, ``frog_leg`` or ``cross_table``) and ``method``.

    Raises
    ------
    ReadingError
        Naming file and row.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b"\xff"
        table = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        found, rows = set(table.fieldnames or ()), list(table)
    except OSError as error:
        raise ReadingError(f"cannot be read: {system_words(error)}", file=path.name) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadingError("no valid CSV in UTF-8", file=path.name) from error
    if not set(_CSV_NEEDED) <= found <= set(_CSV_COLUMNS):
        raise ReadingError(
            f"row 1: the columns are {', '.join(_CSV_NEEDED)} and, where needed, "
            f"{', '.join(_CSV_COLUMNS[3:])}",
            file=path.name,
        )
    return tuple(_case(row, number, path.name) for number, row in enumerate(rows, start=2))


def _case(row: dict[str | Any, str | Any], number: int, file: str) -> StudyCase:
    if None in row:
        raise ReadingError("more cells than columns", place=_row(number), file=file)
    cells = {name: (row.get(name) or "").strip() for name in _CSV_COLUMNS}
    views = cells["views"] or "mr"
    if views not in _PAIR_NAMES:
        known = ", ".join(_PAIR_NAMES)
        raise ReadingError(f"views: one of {known}, found {views!r}", place=_row(number), file=file)
    values = {**cells, "folder": cells["folder"] or ".", "views": _PAIR_NAMES[views]}
    try:
        return converted(values, StudyCase)
    except MalformedError as error:
        problem = f"{error.place.removeprefix('$.')}: {error.problem}"
        raise ReadingError(problem, place=_row(number), file=file) from error


def _row(number: int) -> str:
    return f"row {number}"
