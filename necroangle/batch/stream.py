"""Readings of any number to rows: in chunks, by one process or many, each row final."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from necroangle.annotation import HipReading, decode_reading, sha256_of
from necroangle.batch.duplicates import key_numbers, one_row_per_key, shared_numbers
from necroangle.batch.engine import Scheduler, run_here, run_in_processes, run_on_cluster
from necroangle.batch.sources import Source, SourceItem, open_sources
from necroangle.batch.worker import BatchResult, ChunkResult, Plan, Refusal, measure_chunk
from necroangle.errors import ReadingError
from necroangle.measurement import DEFAULTS, Method, Settings, settings_from_repeats
from necroangle.measurement.plausibility_cohort import held_together, told_of_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from necroangle.measurement.plausibility_cohort import ReadingPrint
    from necroangle.measurement.row import Cell, RowColumns, RowKey

CHUNK = 1000
"""Readings at once: more does not go faster."""

Admit = Callable[["RowKey", bool], str]
"""Whether a row may enter the cohort: its key, and whether its reading unites others; why not."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Readings to be measured, opened and counted.

    Build it with :func:`open_stream`.

    Attributes
    ----------
    count
        How many reading files there are.
    refusals
        What could not be opened.
    """

    sources: Sequence[Source]
    plan: Plan
    chunk: int
    count: int
    refusals: tuple[Refusal, ...]

    def results(
        self,
        workers: int = 1,
        scheduler: Scheduler | str | None = None,
        *,
        keep: bool = False,
        admit: Admit | None = None,
    ) -> Iterator[ChunkResult]:
        """Measure, chunk by chunk; every row is final, and no key comes twice.

        The rows do not depend on the order of the files, nor on who measures them.

        Parameters
        ----------
        workers
            Number of processes on this machine.
        scheduler
            A Dask scheduler, or its address on this machine, whose workers are used instead.
        keep
            Whether the results bring the readings' bytes along.
        admit
            Says of each row why it may not enter the cohort; its file is then refused.
        """
        if isinstance(scheduler, str):
            scheduler = Scheduler(scheduler)
        numbers = key_numbers(self.sources)
        shared = shared_numbers(numbers)
        work = partial(measure_items, plan=self.plan, keep=keep)
        chunks = self._chunks(numbers, shared, load=scheduler is not None)
        if scheduler is not None:
            found = run_on_cluster(work, chunks, scheduler)
        elif workers > 1:
            found = run_in_processes(work, chunks, workers)
        else:
            found = run_here(work, chunks)
        for result in found:
            columns, refusals = one_row_per_key(result.columns)
            prints = result.prints
            if admit is not None:
                columns, prints, shut_out = _admitted(columns, prints, admit)
                refusals += shut_out
            told = tuple(sorted((*result.refusals, *refusals)))
            kept = _kept(columns, result.contents)
            yield ChunkResult(columns, told, result.count, kept, prints)

    def _chunks(
        self, numbers: NDArray[np.uint64], shared: NDArray[np.uint64], *, load: bool
    ) -> Iterator[list[SourceItem | Refusal]]:
        """First the keys that one file has; then those of several, the files of a key together."""
        is_shared = np.isin(numbers, shared)
        chunk: list[SourceItem | Refusal] = []
        duplicates: list[tuple[int, str, SourceItem | Refusal]] = []
        items = (item for source in self.sources for item in source.items())
        for item, number, is_duplicate in zip(items, numbers, is_shared, strict=True):
            if is_duplicate:
                name = item.file if isinstance(item, Refusal) else item.name
                duplicates.append((int(number), name, item))
                continue
            chunk.append(_at_hand(item) if load else item)
            if len(chunk) >= self.chunk:
                yield chunk
                chunk = []
        duplicates.sort(key=lambda one: one[:2])
        last = 0
        for number, _, item in duplicates:
            if len(chunk) >= self.chunk and number != last:
                yield chunk
                chunk = []
            chunk.append(_at_hand(item) if load else item)
            last = number
        if chunk:
            yield chunk


def open_stream(
    places: Iterable[Path | str], plan: Plan | None = None, chunk: int = CHUNK
) -> Stream:
    """Open readings to be measured.

    Parameters
    ----------
    places
        As for :func:`necroangle.batch.sources.open_sources`.
    plan
        By which methods and settings; by default the method of each reading's kind of image.
    chunk
        How many readings are worked on at once.

    Examples
    --------
    >>> stream = open_stream(["nowhere.reading.json"])
    >>> [str(one) for result in stream.results() for one in result.refusals]
    ['nowhere.reading.json: there is no such file']
    """
    sources, refusals = open_sources(places)
    count = sum(source.count for source in sources)
    return Stream(sources, plan or Plan(), chunk, count, tuple(refusals))


def measure_items(
    items: Sequence[SourceItem | Refusal], plan: Plan, *, keep: bool = False
) -> ChunkResult:
    """The worker function: read some files where that has not been done, and measure them."""
    refusals: list[Refusal] = []
    files: list[tuple[str, bytes]] = []
    expected: dict[str, str] = {}
    for item in items:
        raw = item if isinstance(item, Refusal) else item.load()
        if isinstance(raw, Refusal):
            refusals.append(raw)
        elif isinstance(item, SourceItem):
            files.append((item.name, raw))
            if item.sha256 is not None:
                expected[item.name] = item.sha256
    found = measure_chunk(files, plan)
    columns, damaged = _as_packed(found.columns, expected)
    told = tuple(sorted((*refusals, *found.refusals, *damaged)))
    contents = {sha256_of(raw): raw for _, raw in files} if keep else {}
    return ChunkResult(columns, told, len(files), _kept(columns, contents), found.prints)


def measure_files(
    paths: Iterable[Path | str],
    method: Method | None = None,
    progress: Progress | None = None,
    settings: Settings = DEFAULTS,
    workers: int = 1,
    *,
    keep: bool = False,
    admit: Admit | None = None,
) -> BatchResult:
    """Measure reading files.

    Parameters
    ----------
    paths
        As for :func:`necroangle.batch.sources.open_sources`.
    method
        How; by default the method of each reading's kind of image.
    progress
        Called after every chunk.
    settings
        What is taken as given: end-point noise, which centre.
    workers
        Number of processes.
    keep
        Whether the result brings the readings' bytes along.
    admit
        As for :meth:`Stream.results`.

    Returns
    -------
    BatchResult
        A row or a refusal for every file. Two files that number one reading with different
        content are both refused; copies of one file give one row.

    Examples
    --------
    >>> print(*measure_files(["nowhere.reading.json"]).refusals)
    nowhere.reading.json: there is no such file
    """
    stream = open_stream(paths, Plan((method,), settings))
    refusals, parts, done = list(stream.refusals), [], 0
    contents: dict[str, bytes] = {}
    prints: list[ReadingPrint] = []
    for result in stream.results(workers, keep=keep, admit=admit):
        prints.extend(result.prints)
        parts.append(result.columns)
        contents.update(result.contents)
        refusals.extend(result.refusals)
        done += result.count
        if progress is not None:
            progress(done, stream.count)
    rows = sorted((row for part in parts for row in part.rows()), key=lambda row: row.key)
    misfits = (*sorted(set(told_of_rows(map(flags_of_row, rows)))), *held_together(prints))
    return BatchResult(tuple(rows), tuple(sorted(refusals)), contents, misfits)


def flags_of_row(row: Mapping[str, Cell]) -> tuple[str, tuple[str | None, ...]]:
    """A reading's name and the flags of its row, for what is told of rows."""
    name = f"{row['subject']} {row['laterality']} {row['visit']}, reader {row['reader']}"
    flags = tuple(None if cell is None else str(cell) for cell in map(row.get, _FLAG_COLUMNS))
    return f"{name}, read {row['read_no']}", flags


_FLAG_COLUMNS = ("a_flags", "b_flags", "flags")


def settings_of_repeats(
    paths: Iterable[Path | str], settings: Settings = DEFAULTS, needed: int = 1
) -> Settings:
    """Settings whose end-point noise is that of the repeat reads among reading files.

    Reads of one hip at one visit by one reader are compared. A file that cannot be read is passed
    over here: measuring it tells why.

    Parameters
    ----------
    paths
        As for :func:`necroangle.batch.sources.open_sources`.
    settings
        Everything else.
    needed
        Degrees of freedom below which a reader's repeats say nothing.

    Raises
    ------
    MethodError
        If no reader marked enough arcs twice.
    """
    groups: dict[tuple[str, str, str, str], list[HipReading]] = {}
    for source in open_sources(paths)[0]:
        for item in source.items():
            raw = item if isinstance(item, Refusal) else item.load()
            if isinstance(raw, Refusal):
                continue
            try:
                reading = decode_reading(raw)
            except ReadingError:
                continue
            groups.setdefault(reading.key[:4], []).append(reading)
    return settings_from_repeats(groups.values(), settings, needed)


def _kept(columns: RowColumns, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The bytes of those readings that gave rows."""
    wanted = set(columns.data["annotation_sha256"]) if contents else set()
    return {sha256: raw for sha256, raw in contents.items() if sha256 in wanted}


def _admitted(
    columns: RowColumns, prints: Sequence[ReadingPrint], admit: Admit
) -> tuple[RowColumns, tuple[ReadingPrint, ...], list[Refusal]]:
    """The rows that may enter, with their prints; and the files that may not."""
    unites = {one.key for one in prints if one.is_consensus}
    keys = columns.keys()
    problems = [admit(key, key[:_READING_PARTS] in unites) for key in keys]
    if not any(problems):
        return columns, tuple(prints), []
    kept = [place for place, problem in enumerate(problems) if not problem]
    out = {key[:_READING_PARTS] for key, problem in zip(keys, problems, strict=True) if problem}
    refused = {
        Refusal(file, "", problem)
        for file, problem in zip(columns.files, problems, strict=True)
        if problem
    }
    return columns.select(kept), tuple(one for one in prints if one.key not in out), sorted(refused)


_READING_PARTS = 5
"""So much of a row's key says which reading it was measured from."""


def _at_hand(item: SourceItem | Refusal) -> SourceItem | Refusal:
    return item if isinstance(item, Refusal) else item.loaded()


def _as_packed(columns: RowColumns, expected: dict[str, str]) -> tuple[RowColumns, list[Refusal]]:
    """Without the rows of files that are not what they were when they were packed."""
    if not expected:
        return columns, []
    pairs = list(zip(columns.files, columns.data["annotation_sha256"], strict=True))
    bad = {file for file, digest in pairs if expected.get(file, digest) != digest}
    if not bad:
        return columns, []
    kept = [place for place, (file, _) in enumerate(pairs) if file not in bad]
    problem = "its content is damaged: it is not what was packed"
    return columns.select(kept), [Refusal(file, "", problem) for file in sorted(bad)]
