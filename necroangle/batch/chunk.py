"""The plain worker function: some readings as bytes in, columns of rows and refusals out.

It needs no image, no database and no state: any engine may run it, anywhere.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from necroangle.annotation import HipReading, sha256_of
from necroangle.annotation.quick import decode_quickly
from necroangle.batch.array_rows import array_columns
from necroangle.batch.columns import RowColumns
from necroangle.batch.record import Refusal
from necroangle.batch.single import measure_bytes
from necroangle.measurement import DEFAULTS, Method, Settings, method_named
from necroangle.measurement.vector import Measured, is_vectorised, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from necroangle.measurement.row import CohortRow

__all__ = ["ChunkResult", "Plan", "measure_chunk"]

Item = tuple[str, bytes]
"""The name of a reading file, for refusals, and its bytes."""

_MR, _RADIOGRAPH = method_named("ha_mr_midslice"), method_named("kerboul_radiograph")


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
    """

    columns: RowColumns
    refusals: tuple[Refusal, ...]
    count: int
    contents: Mapping[str, bytes] = field(default_factory=dict)


def measure_chunk(items: Sequence[Item], plan: Plan) -> ChunkResult:
    """Measure some readings: in arrays what can be, one by one what cannot.

    Both give the same bits, so that it makes no difference with which others a reading is
    measured. A thousand at once is a good number: more does not go faster.

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
    with _no_collection():
        return _measure_chunk(items, plan)


def _measure_chunk(items: Sequence[Item], plan: Plan) -> ChunkResult:
    quick = _Quick([], [], [])
    found = _measured(items, plan, quick)
    parts: list[RowColumns] = []
    refusals: list[Refusal] = []
    for method in plan.methods:
        slow = set(range(len(items)))
        if found is not None:
            part, done = _in_arrays(quick, method, found, plan.settings)
            parts.append(part)
            slow.difference_update(done)
        told = [(items[k][0], _one(items[k], method, plan)) for k in sorted(slow)]
        refusals.extend(one for _, one in told if isinstance(one, Refusal))
        rows = [(name, one) for name, one in told if not isinstance(one, Refusal)]
        parts.append(RowColumns.of([name for name, _ in rows], [row for _, row in rows]))
    return ChunkResult(RowColumns.joined(parts), tuple(sorted(set(refusals))), len(items))


@dataclass(frozen=True, slots=True)
class _Quick:
    """Place, name and hash of each file that was decoded for the arrays."""

    places: list[int]
    files: list[str]
    sha256: list[str]

    def decoded(self, items: Sequence[Item]) -> Iterator[HipReading]:
        """The readings that can be decoded, one after the other."""
        for place, (name, raw) in enumerate(items):
            if (reading := decode_quickly(raw)) is not None:
                self.places.append(place)
                self.files.append(name)
                self.sha256.append(sha256_of(raw))
                yield reading
                del reading


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for reference cycles: a chunk makes thousands of objects and none.

    Its cost would grow with all that the program holds.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _one(item: Item, method: Method | None, plan: Plan) -> CohortRow | Refusal:
    return measure_bytes(*item, method, plan.settings)


def _measured(items: Sequence[Item], plan: Plan, quick: _Quick) -> Measured | None:
    """The readings measured in arrays; None where that cannot be done, or fails."""
    methods = [method or _MR for method in plan.methods]
    if not any(is_vectorised(one, plan.settings) for one in methods):
        return None
    try:
        return measured(quick.decoded(items), plan.settings)
    except Exception:  # each by itself then, so that the one at fault is told by name
        return None


def _in_arrays(
    quick: _Quick, method: Method | None, found: Measured, settings: Settings
) -> tuple[RowColumns, list[int]]:
    """The rows of what was measured in arrays by a method, and the places of these among all."""
    flat = found.flat.tolist()
    methods = [method or (_RADIOGRAPH if one else _MR) for one in flat]
    takes = {one: is_vectorised(one, settings) for one in set(methods)}
    pairs = zip(methods, flat, strict=True)
    fits = np.array([takes[one] and one.radiograph == is_flat for one, is_flat in pairs], bool)
    columns = array_columns(quick.files, quick.sha256, methods, found, settings)
    sure = np.flatnonzero(found.sure & fits)
    if len(sure) < len(methods):
        columns = columns.select(sure.tolist())
    return columns, [quick.places[one] for one in sure.tolist()]
