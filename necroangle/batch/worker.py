"""The plain worker function: some readings as bytes in, columns of rows and refusals out.

It needs no image, no database and no state: any engine may run it, anywhere.
"""

from __future__ import annotations

import os
import stat
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from necroangle.annotation import HipReading, decode_reading, read_bytes, sha256_of
from necroangle.annotation.file import MAX_BYTES
from necroangle.annotation.quick import decode_many
from necroangle.errors import ReadingError
from necroangle.measurement import DEFAULTS, Method, Settings
from necroangle.measurement.marks import ReadingBatch, lay_out
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.plausibility_cohort import prints_of
from necroangle.measurement.refusals import Refused
from necroangle.measurement.row import RowColumns
from necroangle.storage import BINARY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from necroangle.measurement.plausibility_cohort import Misfit, ReadingPrint
    from necroangle.measurement.row import CohortRow

Item = tuple[str, bytes]
"""The name of a reading file, for refusals, and its bytes."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | BINARY
"""A named pipe is opened without waiting for its other end, and then refused."""


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A reading file that gave no row.

    Attributes
    ----------
    file
        As it was given, or as it lies in the folder that was given.
    place
        Where in the file, as far as that is known.
    problem
        What was found and what to do.
    """

    file: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``file: place: problem``."""
        return ": ".join(part for part in (self.file, self.place, self.problem) if part)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch gave, in an order that does not depend on the order of the files.

    Attributes
    ----------
    rows
        Ordered by key.
    refusals
        Ordered by file.
    contents
        The bytes of the readings that gave rows, by their SHA-256, where they were asked for.
    misfits
        What speaks against the readings, by themselves and held together.
    """

    rows: tuple[CohortRow, ...]
    refusals: tuple[Refusal, ...]
    contents: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    misfits: tuple[Misfit, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """How readings are measured.

    Attributes
    ----------
    methods
        Each gives a row of its own; None is the method of the reading's kind of image.
    settings
        What is taken as given.
    """

    methods: tuple[Method | None, ...] = (None,)
    settings: Settings = field(default=DEFAULTS)


@dataclass(frozen=True, slots=True, eq=False)
class ChunkResult:
    """What some readings gave.

    Attributes
    ----------
    columns
        The rows of those that were measured.
    refusals
        Those that were not.
    count
        How many readings there were.
    contents
        The bytes of the readings that gave rows, by their SHA-256, where they were asked for.
    prints
        What the readings are held together by.
    """

    columns: RowColumns
    refusals: tuple[Refusal, ...]
    count: int
    contents: Mapping[str, bytes] = field(default_factory=dict)
    prints: tuple[ReadingPrint, ...] = ()


def measure_chunk(items: Sequence[Item], plan: Plan) -> ChunkResult:
    """Measure some readings at once.

    It makes no difference to the bits with which others a reading is measured. A thousand at once
    is a good number: more does not go faster.

    Parameters
    ----------
    items
        Names and bytes of reading files.
    plan
        By which methods and settings.

    Examples
    --------
    >>> from necroangle.annotation import encode_reading
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> raw = encode_reading(readings_of(sample_studies()["plain"])[0])
    >>> found = measure_chunk([("a", raw), ("b", b"{}")], Plan())
    >>> found.columns.rows()[0]["ha_grade"], found.columns.files
    (2, ['a'])
    >>> print(*found.refusals)
    b: $: Object missing required field ...
    """
    try:
        return _measure_chunk(items, plan)
    except Exception:  # the door of the batch: each by itself then, so that one file is named
        found = [_alone(item, plan) for item in items]
        if len(items) > 1 and all(fault is None for _, fault in found):
            raise  # no reading shows it alone: it is a fault of the program
    rows = RowColumns.joined([part.columns for part, _ in found])
    refusals = {one for part, _ in found for one in part.refusals}
    refusals |= {fault for _, fault in found if fault is not None}
    prints = tuple(one for part, _ in found for one in part.prints)
    return ChunkResult(rows, tuple(sorted(refusals)), len(items), prints=prints)


def measure_bytes(
    name: str, raw: bytes, method: Method | None = None, settings: Settings = DEFAULTS
) -> CohortRow | Refusal:
    """Measure the bytes of a reading file: one of :func:`measure_chunk`.

    An error of the program itself is told as a refusal too, with the line of code it came from.

    Parameters
    ----------
    name
        The file's name, for a refusal.
    raw
        Its bytes.
    method
        How; by default the method of the reading's kind of image.
    settings
        What is taken as given.
    """
    found = measure_chunk([(name, raw)], Plan((method,), settings))
    return found.refusals[0] if found.refusals else found.columns.rows()[0]


def measure_file(
    path: Path, method: Method | None = None, settings: Settings = DEFAULTS
) -> CohortRow | Refusal:
    """Measure one reading file: read once, hash, decode, measure; nothing else is touched.

    Examples
    --------
    >>> print(measure_file(Path("nowhere.reading.json")))
    nowhere.reading.json: there is no such file
    """
    raw = read_or_refuse(str(path), str(path))
    return raw if isinstance(raw, Refusal) else measure_bytes(str(path), raw, method, settings)


def read_or_refuse(path: str, name: str) -> bytes | Refusal:
    """The bytes of a reading file, or why there are none."""
    raw = _quickly(path)
    if raw is not None:
        return raw
    try:
        return read_bytes(Path(path))
    except ReadingError as error:
        return Refusal(name, error.place, error.problem)


def _quickly(path: str) -> bytes | None:
    """The bytes of a regular file of at most 1 MiB, in three calls; None for anything else."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
            return None
        raw = os.read(descriptor, state.st_size + 1)
        return raw if len(raw) == state.st_size else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _measure_chunk(items: Sequence[Item], plan: Plan) -> ChunkResult:
    decoded = _Decoded(items)
    batch = lay_out(decoded.readings())
    decoded.look_closer(batch)
    files = decoded.files
    sha256 = [sha256_of(items[place][1]) for place in decoded.places]
    parts: list[RowColumns] = []
    refusals = {*decoded.refusals}
    prints: dict[tuple[str | int, ...], ReadingPrint] = {}
    for method in plan.methods:
        found = measure_batch(batch, method, plan.settings)
        parts.append(RowColumns.measured(files, sha256, found))
        refusals |= {
            Refusal(files[hip], one.place, one.problem) for hip, one in found.refused.items()
        }
        prints |= {one.key: one for one in prints_of(found)}
    rows, told = RowColumns.joined(parts), tuple(sorted(refusals))
    return ChunkResult(rows, told, len(items), prints=tuple(prints.values()))


class _Decoded:
    """Files as they are decoded, one after the other: what became a reading, and what did not."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.places: list[int] = []
        self.refusals: list[Refusal] = []

    def readings(self) -> Iterator[HipReading]:
        """The readings; each is let go before the next is decoded."""
        for place, found in enumerate(decode_many(raw for _, raw in self.items)):
            if isinstance(found, ReadingError):
                name = self.items[place][0]
                self.refusals.append(Refusal(name, found.place, found.problem))
            else:
                self.places.append(place)
                yield found
            del found

    def look_closer(self, batch: ReadingBatch) -> None:
        """Refuse those of the doubtful readings that contradict themselves."""
        for hip in np.flatnonzero(batch.doubtful).tolist():
            try:
                decode_reading(self.items[self.places[hip]][1])
            except ReadingError as error:
                batch.refused[hip] = Refused(ReadingError, error.problem, error.place)

    @property
    def files(self) -> list[str]:
        """The names of the files that became readings."""
        return [self.items[place][0] for place in self.places]


def _alone(item: Item, plan: Plan) -> tuple[ChunkResult, Refusal | None]:
    """One file of a chunk that failed, and the fault of the program that it shows, if it does."""
    try:
        return _measure_chunk([item], plan), None
    except Exception as error:
        nothing = ChunkResult(RowColumns.of([], []), (), 1)
        fault = Refusal(item[0], _line_of_code(error), f"internal error: {error!r:.200}")
        return nothing, fault


def _line_of_code(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name} line {last.lineno}"
