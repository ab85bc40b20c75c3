"""Making a worklist: the cases, and how many of them come twice."""

import csv
import io
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from necroangle import __version__
from necroangle.decoding import MalformedError, converted
from necroangle.errors import ReadingError
from necroangle.moments import utc_now
from necroangle.readerstudy.worklist import StudyCase, Worklist, check_worklist
from necroangle.terms import View

__all__ = ["cases_of_csv", "count_of_repeats", "make_worklist"]

IDLE_LIMIT_S = 60.0

MAX_BYTES = 16 << 20

_COLUMNS = ("subject", "laterality", "visit", "folder", "views", "method")
_NEEDED = _COLUMNS[:3]
_PAIRS = {
    "": (View.CORONAL, View.SAGITTAL),
    "mr": (View.CORONAL, View.SAGITTAL),
    "frog_leg": (View.AP, View.FROG_LEG),
    "cross_table": (View.AP, View.CROSS_TABLE),
}


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
) -> Worklist:
    """Make a worklist; the cases are put in the order of their keys, so that none is betrayed.

    Parameters
    ----------
    cases, readers, study, repeats, washout_days, seed, blinded, idle_limit_s
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
        raise ReadingError(f"cannot be read: {error.strerror}", file=path.name) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadingError("no valid CSV in UTF-8", file=path.name) from error
    if not set(_NEEDED) <= found <= set(_COLUMNS):
        raise ReadingError(
            f"row 1: the columns are {', '.join(_NEEDED)} and, where needed, "
            f"{', '.join(_COLUMNS[3:])}",
            file=path.name,
        )
    return tuple(_case(row, number, path.name) for number, row in enumerate(rows, start=2))


def _case(row: dict[str | Any, str | Any], number: int, file: str) -> StudyCase:
    if None in row:
        raise ReadingError("more cells than columns", place=_row(number), file=file)
    cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    views = cells["views"]
    if views not in _PAIRS:
        known = ", ".join(filter(None, _PAIRS))
        raise ReadingError(f"views: one of {known}, found {views!r}", place=_row(number), file=file)
    values = {**cells, "folder": cells["folder"] or ".", "views": _PAIRS[views]}
    try:
        return converted(values, StudyCase)
    except MalformedError as error:
        problem = f"{error.place.removeprefix('$.')}: {error.problem}"
        raise ReadingError(problem, place=_row(number), file=file) from error


def _row(number: int) -> str:
    return f"row {number}"
