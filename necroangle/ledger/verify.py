"""Is the cohort what it was? The chain, the rows, every angle, the readings and their files.

First one look at the database; then the folder of reading files, where it is asked for; then every
kept reading is measured again and held against the rows that were measured from it.
"""

import math
import os
import re
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from necroangle.annotation import (
    SUFFIX,
    HipReading,
    decode_reading,
    names_reading,
    read_bytes,
    sha256_of,
)
from necroangle.annotation.quick import decode_many
from necroangle.entries import KINDS
from necroangle.errors import CohortError, NecroangleError, ReadingError
from necroangle.ledger.anchors import AnchorCheck
from necroangle.ledger.records import WITHDRAWN_READING, decode_key
from necroangle.ledger.schema import CONTENT, ROWS
from necroangle.ledger.store import CohortStore
from necroangle.ledger.verification import (
    Counts,
    LedgerState,
    MeasuredCells,
    Problem,
    Verification,
    check_ledger,
    check_records,
    check_rows,
)
from necroangle.measurement import Method, RadiusPrior, Settings, measure, method_named
from necroangle.measurement.columns import COLUMNS, KEY, NAMES
from necroangle.measurement.marks import lay_out
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.method import DEFAULT_METHODS
from necroangle.measurement.plausibility_cohort import (
    Misfit,
    ReadingPrint,
    held_together,
    prints_of,
    told_of_rows,
)
from necroangle.measurement.row import Cell, RowKey, to_row
from necroangle.protocol.noise import UNKNOWN_READER, EndNoise

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = [
    "COMPARED",
    "Again",
    "Counts",
    "Problem",
    "Task",
    "Verification",
    "measure_again",
    "verify",
]

Progress = Callable[[int, int], None]
ReadingId = tuple[str, ...]
Kept = Callable[[str], bytes | None]

Again = Callable[
    [Sequence[bytes], Method, Settings, Sequence[str], list[ReadingPrint] | None],
    Sequence[tuple[Cell, ...] | None],
]
"""Measures the bytes of readings and gives the named cells of each row, bit for bit those of
:func:`to_row`; None where it cannot. What the readings are held together by is put in the list,
where there is one. It must be a plain function, for other processes to find it.
"""

DRIFT = 1e-9
"""A number that comes out further off than this has drifted."""

_GIVEN = ("centre", "radius_prior_mm", "radius_prior_sd_mm", "radius_prior_source")
_ENDS = ("end_sd_mm", "end_bias_mm", "end_dof", "end_source")
_VIEW_ANGLES = ("deg", "span_deg", "start_deg", "end_deg", "middle_deg")
_ANGLES = (*(f"{side}_{name}" for side in "ab" for name in _VIEW_ANGLES), "cna_deg")
_WORDS = ("a_view", "a_status", "b_view", "b_status", "modality", "ha_grade", "ha_risk", "kerboul")
_BEFORE_BUDGET = (*KEY, *_GIVEN, *_ANGLES, *_WORDS)
"""What is held against rows that were measured before the error budget (version 5 of the table)."""

_JUDGED = frozenset({"annotation_sha256", "software_version", "flags"}) | {
    f"{side}_{name}" for side in "ab" for name in ("flags", "rim_misplaced")
}
COMPARED = tuple(name for name in NAMES if name not in _JUDGED)
"""The columns that are needed to measure again and to compare: every number and every category."""

_UNITS = {column.name: column.unit for column in COLUMNS if column.kind == "real"}
_CHUNK = 500
_COMPARED_OF = itemgetter(*(NAMES.index(name) for name in COMPARED))
_FLAGS_OF = itemgetter(*(NAMES.index(name) for name in ("a_flags", "b_flags", "flags")))
_AT_ONCE = 500
_PART = ".part"
_NAMED = re.compile(r".+__[LR]__.+__.+__\d+" + re.escape(SUFFIX))
_OLD_S = 3600.0
"""A temporary file that is older than this was left by a program that was cut off."""


class Task(NamedTuple):
    """A reading to measure again.

    Attributes
    ----------
    place
        What it is called in a problem.
    sha256
        The hash that it was kept under.
    raw
        Its bytes.
    rows
        The cells of :data:`COMPARED` of each row that was measured from it.
    """

    place: str
    sha256: str
    raw: bytes
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(slots=True)
class FoundFiles:
    """What a folder holds.

    Attributes
    ----------
    by_hash
        SHA-256 to the file, for the files that rows were measured from.
    count
        Reading files, all of them.
    """

    by_hash: dict[str, Path] = field(default_factory=dict)
    count: int = 0


def verify(
    store: CohortStore,
    *,
    readings: Path | None = None,
    head: str = "",
    workers: int = 1,
    progress: Progress | None = None,
    again: Again | None = None,
    anchors: Sequence[Path] = (),
    key: str = "",
) -> Verification:
    """Verify a cohort: nothing is written.

    The anchors beside the cohort are held against it whatever else is asked for.

    Parameters
    ----------
    store
        The cohort.
    readings
        Folder of its reading files, or None where they are not to be looked at.
    head
        Hash of an event that was noted earlier: it must still be in the chain.
    workers
        Processes that measure again.
    progress
        Called with the number of readings measured again and of all.
    again
        Measures many readings at once; see :data:`Again`.
    anchors
        More files that hold anchors: kept copies, exports' ``provenance.json``, HTML reports.
    key
        Public key (Base64) that every anchor must be signed by; empty for any.

    Raises
    ------
    CohortError
        If the folder of readings is missing, or anchors cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> store = CohortStore.open(Path(tempfile.mkdtemp()) / "cohort.sqlite")
    >>> verify(store).is_clean
    True
    """
    if readings is not None and not readings.is_dir():
        raise CohortError(f"{readings}: no such folder of reading files")
    run = _Run(store, head, store.anchor_check(anchors, key))
    problems = list(run.database())
    if run.was_stopped:  # perhaps by a text that is no UTF-8; slower, so only then
        run = _Run(store, head, store.anchor_check(anchors, key))
        problems = list(run.database(any_letters=True))
    found = FoundFiles()
    if readings is not None:
        problems += run.files(readings, found)
    prints: list[ReadingPrint] = []
    problems += measure_again(run.tasks(found, progress), workers, again, prints)
    counts = Counts(
        events=run.ledger.events,
        rows=run.row_count,
        records=sum(len(run.ledger.records.get(kind, ())) for kind in KINDS),
        contents=len(run.kept),
        files=found.count,
        recomputed=run.recomputed,
        without_marks=run.row_count - run.recomputed,
        anchors=run.ledger.anchors.count,
        erased=len(run.ledger.erased),
    )
    misfits = (*sorted(run.flagged), *held_together(prints))
    notes = (*run.ledger.notes, *run.ledger.anchors.notes)
    return Verification(tuple(sorted(set(problems))), counts, run.ledger.head, misfits, notes)


class _Run:
    """One verification, from the database to the files to the angles."""

    def __init__(self, store: CohortStore, head: str, anchors: AnchorCheck) -> None:
        self._store = store
        self.ledger = LedgerState([head] if head else [], anchors)
        self.was_stopped = False
        self._rows: dict[str, list[tuple[Cell, ...]]] = {}
        self._readings: dict[str, tuple[str, ...]] = {}
        self.kept: set[str] = set()
        self.flagged: set[Misfit] = set()
        self.row_count = self.recomputed = 0

    def database(self, *, any_letters: bool = False) -> Iterator[Problem]:
        """The ledger, the rows and the records, in one look at the database.

        Parameters
        ----------
        any_letters
            Whether a text that is no UTF-8 (tampered with) is read, so that it can be named.
        """
        self.ledger.anchors.load()
        try:
            with self._store.reading() as connection:
                if any_letters:
                    _take_any_letters(connection)
                yield from check_ledger(connection, self.ledger)
                for found in check_rows(connection, self.ledger.measured):
                    if isinstance(found, Problem):
                        yield found
                    else:
                        self._remember(found)
                count = sa.select(sa.func.count()).select_from(ROWS)
                self.row_count = int(connection.scalar(count) or 0)
                self.kept = set(connection.execute(sa.select(CONTENT.c.sha256)).scalars())
        except CohortError as error:
            self.was_stopped = True
            yield Problem("database", "file", f"{error}; take a backup")
        yield from self._without_anchors()
        yield from check_records(self.ledger.records)
        yield from self._kept_as_said()

    def _without_anchors(self) -> Iterator[Problem]:
        beside = self._store.anchors
        is_there = beside is not None and beside.exists() and beside.stat().st_size
        if beside is not None and not is_there and self.ledger.events:
            yield Problem(
                "anchor",
                beside.name,
                "is missing or empty, so nothing proves that the ledger was not replaced: "
                "put it back, or compare the ledger with a kept one and run "
                "`necroangle anchor --anew`",
            )

    def _remember(self, found: MeasuredCells) -> None:
        self._readings[found.sha256] = found.reading
        if found.cells:
            self._rows.setdefault(found.sha256, []).append(_COMPARED_OF(found.cells))
            flags = [None if one is None else str(one) for one in _FLAGS_OF(found.cells)]
            if any(flags):
                subject, side, visit, reader, read_no = found.reading
                name = f"{subject} {side} {visit}, reader {reader}, read {read_no}"
                self.flagged.update(told_of_rows([(name, flags)]))

    def files(self, folder: Path, found: FoundFiles) -> Iterator[Problem]:
        """The folder of reading files."""
        older = {sha256: key for sha256, (key, _) in self.ledger.readings.items()}
        gone = self.ledger.records.get(WITHDRAWN_READING, set())
        return check_files(folder, self._readings, older, self._kept_bytes, found, gone)

    def tasks(self, found: FoundFiles, progress: Progress | None) -> Iterator[Task]:
        """Every kept reading, then those that only a file holds."""
        only_files = sorted((self._rows.keys() & found.by_hash.keys()) - self.kept)
        total = len(self.kept) + len(only_files)
        for done, (place, sha256, raw) in enumerate(self._sources(only_files, found), start=1):
            rows = tuple(self._rows.get(sha256, ()))
            self.recomputed += len(rows)
            yield Task(place, sha256, raw, rows)
            if progress is not None:
                progress(done, total)

    def _sources(
        self, only_files: list[str], found: FoundFiles
    ) -> Iterator[tuple[str, str, bytes]]:
        kept = sorted(self.kept)
        for start in range(0, len(kept), _AT_ONCE):  # each in a short look: writers may go on
            some = kept[start : start + _AT_ONCE]
            for sha256, raw in self._store.contents_between(some[0], some[-1]):
                if sha256 in self.kept:
                    yield self._name(sha256), sha256, raw
        for sha256 in only_files:
            try:
                yield found.by_hash[sha256].name, sha256, read_bytes(found.by_hash[sha256])
            except ReadingError as error:
                yield error.file, sha256, b""

    def _kept_as_said(self) -> Iterator[Problem]:
        """Kept readings that no event tells of, and the other way round."""
        for sha256 in sorted(self.kept - self.ledger.readings.keys()):
            yield Problem("reading", f"{sha256:.16}...", "no event tells of it: added from outside")
        for sha256 in sorted(self.ledger.readings.keys() - self.kept):
            yield Problem(
                "reading", self._name(sha256), "is not kept any more: removed from outside"
            )

    def _name(self, sha256: str) -> str:
        key, seq = self.ledger.readings.get(sha256, ("", 0))
        return f"{' '.join(decode_key(key))} (event {seq})" if seq else f"{sha256:.16}..."

    def _kept_bytes(self, sha256: str) -> bytes | None:
        return next((raw for _, raw in self._store.contents([sha256])), None)


def _take_any_letters(connection: sa.Connection) -> None:
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and driver is not None:
        driver.text_factory = _lenient


def _lenient(raw: bytes) -> str:
    return raw.decode(errors="replace")


def measure_again(
    tasks: Iterable[Task],
    workers: int = 1,
    again: Again | None = None,
    prints: list[ReadingPrint] | None = None,
) -> Iterator[Problem]:
    """The problems of readings and of the angles that were measured from them.

    Parameters
    ----------
    tasks
        Taken as they are needed, so that not all readings are in memory at once.
    workers
        Processes. The problems come in the order of the tasks whatever their number.
    again
        Measures many readings at once; what it does not give, or gives otherwise than it is
        stored, is measured by itself. Without it each is.
    prints
        What the readings are held together by is put here, where it is asked for.
    """
    rest = iter(tasks)
    check = partial(_check_all, again=again, is_printed=prints is not None)
    kept = prints if prints is not None else []
    if workers <= 1:
        while chunk := list(islice(rest, _CHUNK)):
            yield from _taken(check(chunk), kept)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pending: deque[Future[_Checked]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        while chunk := list(islice(rest, _CHUNK)):
            pending.append(pool.submit(check, chunk))
            if len(pending) > 2 * workers:
                yield from _taken(pending.popleft().result(), kept)
        while pending:
            yield from _taken(pending.popleft().result(), kept)


_Checked = tuple[list[Problem], list[ReadingPrint]]


def _taken(checked: _Checked, kept: list[ReadingPrint]) -> list[Problem]:
    problems, prints = checked
    kept.extend(prints)
    return problems


def _check_all(tasks: Sequence[Task], again: Again | None, *, is_printed: bool) -> _Checked:
    intact = [sha256_of(task.raw) == task.sha256 for task in tasks]
    prints: list[ReadingPrint] = []
    same, printed = set[int](), set[int]()
    if again:
        same, printed = _same(tasks, intact, again, prints if is_printed else None)
    problems = [
        problem
        for place, task in enumerate(tasks)
        if place not in same
        for problem in _check(task, intact[place])
    ]
    rest = [
        task.raw
        for place, task in enumerate(tasks)
        if intact[place] and task.rows and place not in printed
    ]
    return problems, [*prints, *_prints(rest)] if is_printed else []


def _prints(raws: Sequence[bytes]) -> list[ReadingPrint]:
    """What readings are held together by; those that cannot be read are told elsewhere."""
    batch = lay_out(one for one in decode_many(raws) if not isinstance(one, ReadingError))
    return prints_of(measure_batch(batch, judged=False))


def _same(
    tasks: Sequence[Task], intact: Sequence[bool], again: Again, prints: list[ReadingPrint] | None
) -> tuple[set[int], set[int]]:
    """The tasks of which every row comes out as it is stored; and those that were put in prints.

    These are measured by the default methods as they stand: so nothing is measured twice for them.
    """
    groups: dict[tuple[Method, Settings], list[tuple[int, tuple[Cell, ...]]]] = {}
    differ = {place for place, whole in enumerate(intact) if not whole}
    for place, task in enumerate(tasks):
        for cells in task.rows if intact[place] else ():
            row = dict(zip(COMPARED, cells, strict=True))
            try:
                how = method_named(str(row["method"])), _settings(row)
            except NecroangleError:
                differ.add(place)
            else:
                groups.setdefault(how, []).append((place, cells))
    printed: set[int] = set()
    for (method, settings), rows in groups.items():
        raws = [tasks[place].raw for place, _ in rows]
        plain = method in DEFAULT_METHODS and settings.centre == "circles"
        plain = plain and settings.radius_prior is None
        found = again(raws, method, settings, COMPARED, prints if plain else None)
        if plain and prints is not None:
            printed.update(place for place, _ in rows)
        differ.update(
            place for (place, cells), one in zip(rows, found, strict=True) if cells != one
        )
    return set(range(len(tasks))) - differ, printed


def _check(task: Task, intact: bool) -> Iterator[Problem]:
    if not intact:
        yield Problem("reading", task.place, "its bytes were changed: the hash does not fit")
        return
    if not task.rows:
        return
    try:
        reading = decode_reading(task.raw)
    except NecroangleError as error:
        yield Problem("reading", task.place, str(error))
        return
    for cells in task.rows:
        yield from _compare(reading, task.sha256, dict(zip(COMPARED, cells, strict=True)))


def _compare(reading: HipReading, sha256: str, row: dict[str, Cell]) -> Iterator[Problem]:
    name = str(RowKey(*(row[part] for part in KEY)))  # type: ignore[arg-type]
    try:
        method = method_named(str(row["method"]))
        again = to_row(reading, measure(reading, method, _settings(row)), sha256)
    except NecroangleError as error:
        yield Problem("row", name, f"cannot be measured again: {error}")
        return
    is_old = row["end_bias_mm"] is None and row["end_sd_mm"] is not None
    for column in _BEFORE_BUDGET if is_old else COMPARED:
        stored, found = row[column], again[column]
        if column in _UNITS and isinstance(stored, float) and isinstance(found, float):
            if abs(stored - found) > DRIFT:
                yield Problem(
                    "row",
                    f"{name}, column {column}",
                    f"stored {stored!r}, measured again {found!r}: drift {found - stored:.3g} "
                    f"{_UNITS[column]}".rstrip(),
                )
        elif stored != found:
            yield Problem(
                "row",
                f"{name}, column {column}",
                f"stored {stored!r:.60}, its reading says {found!r:.60}",
            )


def _settings(row: dict[str, Cell]) -> Settings:
    """What was taken as given when the row was measured."""
    radius, sd, source = (row[name] for name in _GIVEN[1:])
    prior = None
    if isinstance(radius, float) and isinstance(sd, float):
        prior = RadiusPrior(radius, sd, str(source))
    centre = "sphere" if row["centre"] == "sphere" else "circles"
    return Settings(_end_noise(row), radius_prior=prior, centre=centre)


def _end_noise(row: dict[str, Cell]) -> EndNoise:
    """How the reader marked arc ends, as the row says."""
    sd, bias, dof, source = (row[name] for name in _ENDS)
    if not isinstance(sd, float):
        return UNKNOWN_READER
    if not isinstance(bias, float):  # measured before the error budget
        return EndNoise(sd)
    return EndNoise(sd, bias, dof if isinstance(dof, float) else math.inf, str(source))


class _Look:
    """A look at one file after the other, remembering which readings a problem explains."""

    def __init__(
        self,
        measured: Mapping[str, ReadingId],
        older: Mapping[str, str],
        kept: Kept,
        found: FoundFiles,
        withdrawn: Collection[ReadingId],
    ) -> None:
        self._measured, self._older, self._kept = measured, older, kept
        self._withdrawn = withdrawn
        self._hashes = {key: sha256 for sha256, key in measured.items()}
        self.found = found
        self.explained: set[ReadingId] = set()

    def at(self, file: Path) -> str:
        """The problem of a file; nothing where a row was measured from it."""
        try:
            raw = read_bytes(file)
            sha256 = sha256_of(raw)
            if sha256 in self._measured:
                self.found.by_hash.setdefault(sha256, file)
                return _misnamed(file.name, self._measured[sha256])
            key = tuple(map(str, decode_reading(raw).key))
        except ReadingError as error:
            return ": ".join(part for part in (error.place, error.problem) if part)
        self.explained.add(key)
        if key in self._withdrawn:  # it may stand there: the ledger says why it does not count
            return "" if sha256 in self._older else "withdrawn, and changed since"
        if sha256 in self._older:
            return "an older version than the one that was measured; put the newer one back"
        return _changed(raw, self._hashes.get(key), self._kept)


def _misnamed(name: str, key: ReadingId) -> str:
    """Whether a file that is named after a reading holds another; other names say nothing."""
    # a Mac's share may give an accent or a Korean syllable back in parts
    name, own = (unicodedata.normalize("NFC", one) for one in (name, "__".join(key)))
    if _NAMED.fullmatch(name) and name.removesuffix(SUFFIX) != own:
        return f"holds the reading {' '.join(key)}, which its name denies: files were exchanged"
    return ""


def check_files(
    folder: Path,
    measured: Mapping[str, ReadingId],
    older: Mapping[str, str],
    kept: Kept,
    found: FoundFiles,
    withdrawn: Collection[ReadingId] = (),
) -> Iterator[Problem]:
    """The problems of a folder of reading files; ``found`` is filled on the way.

    Parameters
    ----------
    folder
        Searched with all its sub-folders.
    measured
        SHA-256 to the key of the reading, for the readings that rows were measured from.
    older
        SHA-256 to the name of the reading, for versions that were replaced.
    kept
        The bytes that are kept under a hash, or None.
    withdrawn
        Keys of the readings that were withdrawn: their files may stand there.
    """
    look = _Look(measured, older, kept, found, withdrawn)
    for file in _walk(folder):
        name = file.relative_to(folder).as_posix()
        if file.name.endswith(_PART):
            if time.time() - file.stat().st_mtime > _OLD_S:
                yield Problem("file", name, "left by a program that was cut off; remove it")
            continue
        found.count += 1
        problem = look.at(file)
        if problem:
            yield Problem("file", name, problem)
    yield from _lost(measured, look)


def _lost(measured: Mapping[str, ReadingId], look: "_Look") -> Iterator[Problem]:
    for sha256, key in sorted(measured.items(), key=lambda one: one[1]):
        if sha256 not in look.found.by_hash and key not in look.explained:
            yield Problem(
                "file",
                " ".join(key),
                "no file holds the reading that was measured: lost or changed",
            )


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if names_reading(name.removesuffix(_PART)) or (
                name.startswith(".") and SUFFIX in name and name.endswith(_PART)
            ):
                yield Path(parent, name)


def _changed(raw: bytes, sha256: str | None, kept: Kept) -> str:
    if sha256 is None:
        return (
            "an orphan: no row was measured from it; `necroangle measure` measures it, or says why "
            "not"
        )
    before = kept(sha256)
    where = "" if before is None else f" in {_first_difference(before, raw)}"
    return f"changed{where} since it was measured; run `necroangle measure`, or put it back"


def _first_difference(before: bytes, now: bytes) -> str:
    lines = zip(before.split(b"\n"), now.split(b"\n"), strict=False)
    for number, (old, new) in enumerate(lines, start=1):
        if old != new:
            return f"line {number} ({old.strip().decode(errors='replace'):.60})"
    return "its length"
