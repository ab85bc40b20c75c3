"""A cohort measured again: what changes is shown with its cause before anything is overwritten."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO

import msgspec

from necroangle.annotation import HipReading, decode_reading
from necroangle.batch import ChunkResult, Refusal, Scheduler, Stream
from necroangle.batch.stream import Admit, flags_of_row
from necroangle.errors import ReadingError
from necroangle.ledger.store import CohortStore
from necroangle.measurement.plausibility_cohort import (
    Misfit,
    ReadingPrint,
    held_together,
    told_of_rows,
)
from necroangle.measurement.row import CohortRow, RowKey
from necroangle.review import Differences, RowDifference, compare_rows, merged

__all__ = ["Remeasured", "remeasure"]

DETAILED = 50_000
"""So many changed rows keep all their changed columns; of more, only angles and categories."""

Decide = Callable[[Differences], bool]
"""Shown the differences, says whether the rows may be overwritten."""


@dataclass(slots=True)
class Remeasured:
    """What measuring again found and did.

    Attributes
    ----------
    differences
        Rows that changed, and rows of the table that no reading was given for.
    new, changed, unchanged
        Numbers of rows. New rows are written at once: they overwrite nothing.
    is_overwritten
        Whether the changed rows were written.
    refusals
        Readings that gave no row.
    misfits
        What speaks against the readings, by themselves and held together.
    """

    differences: Differences = field(default_factory=lambda: Differences((), 0))
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    is_overwritten: bool = False
    refusals: list[Refusal] = field(default_factory=list)
    misfits: tuple[Misfit, ...] = ()

    @property
    def measured(self) -> int:
        """Number of rows that were measured."""
        return self.new + self.changed + self.unchanged


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One chunk beside the table."""

    new: list[CohortRow]
    changed: list[CohortRow]
    contents: Mapping[str, bytes]
    differences: Differences


def remeasure(
    stream: Stream,
    store: CohortStore | None,
    decide: Decide,
    *,
    workers: int = 1,
    scheduler: Scheduler | str | None = None,
    keep: bool = True,
    write: bool = True,
    actor: str = "",
    admit: Admit | None = None,
    progress: Callable[[int], None] | None = None,
) -> Remeasured:
    """Measure readings again into a cohort.

    Rows that are new are written chunk by chunk. Rows that would change are held back on disk
    until ``decide`` has seen all differences. Where nothing changes, nothing is written.

    Parameters
    ----------
    stream
        The readings, as :func:`necroangle.batch.open_stream` gives them.
    store
        The cohort; None where there is none yet and none is to be made (then nothing is written).
    decide
        Asked once, if any row would change.
    workers, scheduler
        As for :meth:`necroangle.batch.Stream.results`.
    keep
        Whether the readings' bytes are kept in the cohort, so that a later change can be explained
        and every angle verified with no file at hand.
    write
        False for a dry run: nothing is written, and nobody is asked.
    actor
        Who did it, for the ledger.
    admit
        As for :meth:`necroangle.batch.Stream.results`.
    progress
        Called with the number of readings after every chunk.

    Raises
    ------
    CohortError
        If the table cannot be read or written.
    """
    told = Remeasured(refusals=list(stream.refusals))
    found: list[Differences] = []
    missing: set[RowKey] = set() if store is None else set(store.keys())
    methods: set[str] = set()
    kept = 0
    prints: list[ReadingPrint] = []
    doubted: set[Misfit] = set()
    with tempfile.TemporaryFile() as held:
        for result in stream.results(workers, scheduler, keep=keep, admit=admit):
            part = _beside(result, store)
            prints.extend(result.prints)
            doubted.update(told_of_rows(map(flags_of_row, result.columns.rows())))
            keys = result.columns.keys()
            missing.difference_update(keys)
            methods.update(key.method for key in keys)
            _count(told, part, result)
            if store is not None and write and part.new:
                store.upsert(part.new, _of(part.new, part.contents), actor)
            _hold(held, part)
            kept += len(part.changed)
            found.append(part.differences if kept <= DETAILED else _brief(part.differences))
            if progress is not None:
                progress(result.count)
        gone = (RowDifference.gone(key) for key in sorted(missing) if key.method in methods)
        told.differences = merged([*found, Differences(tuple(gone), 0)])
        if write and store is not None and told.changed and decide(told.differences):
            for rows, contents in _held(held):
                store.upsert(rows, contents, actor)
            told.is_overwritten = True
    told.misfits = (*sorted(doubted), *held_together(prints))
    return told


def _beside(result: ChunkResult, store: CohortStore | None) -> _Part:
    rows = result.columns.rows()
    old = {} if store is None else store.rows_of({row.key.subject for row in rows})
    new = [row for row in rows if row.key not in old]
    changed = [row for row in rows if row.key in old and old[row.key] != row]
    unchanged = len(rows) - len(new) - len(changed)
    differences = Differences((), unchanged)
    if changed and store is not None:
        before = [old[row.key] for row in changed]
        former = _readings(store.contents({str(row["annotation_sha256"]) for row in before}))
        present = _readings(result.contents.items())
        explained = compare_rows(before, changed, former.get, present.get)
        differences = replace(explained, unchanged=unchanged)
    return _Part(new, changed, result.contents, differences)


def _readings(contents: Iterable[tuple[str, bytes]]) -> dict[str, HipReading]:
    found: dict[str, HipReading] = {}
    for sha256, raw in contents:
        try:
            found[sha256] = decode_reading(raw)
        except ReadingError:  # its former content is then not known: said so in the difference
            continue
    return found


def _count(told: Remeasured, part: _Part, result: ChunkResult) -> None:
    told.new += len(part.new)
    told.changed += len(part.changed)
    told.unchanged += part.differences.unchanged
    told.refusals.extend(result.refusals)


def _of(rows: Sequence[CohortRow], contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The kept readings that some rows were measured from."""
    wanted = {str(row["annotation_sha256"]) for row in rows}
    return {sha256: contents[sha256] for sha256 in sorted(wanted & contents.keys())}


def _brief(differences: Differences) -> Differences:
    rows = tuple(
        row if row.changes_category else replace(row, cells=(), details=())
        for row in differences.rows
    )
    return Differences(rows, differences.unchanged)


def _hold(held: IO[bytes], part: _Part) -> None:
    if part.changed:
        cells = [row.cells for row in part.changed]
        frame = msgspec.msgpack.encode((cells, _of(part.changed, part.contents)))
        held.write(len(frame).to_bytes(8, "big"))
        held.write(frame)


def _held(held: IO[bytes]) -> Iterator[tuple[list[CohortRow], dict[str, bytes]]]:
    held.seek(0)
    while size := held.read(8):
        frame = held.read(int.from_bytes(size, "big"))
        cells, contents = msgspec.msgpack.decode(frame)
        yield [CohortRow(tuple(one)) for one in cells], contents
