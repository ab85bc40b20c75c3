"""The plain worker function: some readings as bytes in, columns of rows and refusals out.

It needs no image, no database and no state: any engine may run it, anywhere.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from necroangle.annotation import HipReading, sha256_of
from necroangle.annotation.keys import count_keys, expected_keys
from necroangle.batch.array_rows import array_columns
from necroangle.batch.columns import RowColumns
from necroangle.batch.record import Refusal
from necroangle.batch.single import measure_bytes
from necroangle.measurement import DEFAULTS, Method, Settings, method_named
from necroangle.measurement.vector import Measured, is_vectorised, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from necroangle.cohort import CohortRow

__all__ = ["ChunkResult", "Plan", "measure_chunk"]

Item = tuple[str, bytes]
"""The name of a reading file, for refusals, and its bytes."""

_MR, _RADIOGRAPH = method_named("ha_mr_midslice"), method_named("kerboul_radiograph")
_DECODER = msgspec.json.Decoder(HipReading)


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
    quick = [_decoded(raw) for _, raw in items]
    places = [place for place, reading in enumerate(quick) if reading is not None]
    readings = [reading for reading in quick if reading is not None]
    found = _measured(readings, plan)
    parts: list[RowColumns] = []
    refusals: list[Refusal] = []
    for method in plan.methods:
        slow = set(range(len(items)))
        if found is not None:
            part, done = _in_arrays(items, places, readings, method, found, plan.settings)
            parts.append(part)
            slow.difference_update(done)
        told = [(items[k][0], _one(items[k], method, plan)) for k in sorted(slow)]
        refusals.extend(one for _, one in told if isinstance(one, Refusal))
        rows = [(name, one) for name, one in told if not isinstance(one, Refusal)]
        parts.append(RowColumns.of([name for name, _ in rows], [row for _, row in rows]))
    return ChunkResult(RowColumns.joined(parts), tuple(sorted(set(refusals))), len(items))


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


def _decoded(raw: bytes) -> HipReading | None:
    """The reading, where it is one of the present version and each key stands once.

    With no backslash in the file, every colon in it stands after a key or in a text, and the time
    of saving holds two: a file with just as many colons as it should have keys, and two, has no
    key twice. Where there are more, the keys are counted.
    """
    try:
        reading = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    keys = expected_keys(reading)
    plain = raw.count(b":") == keys + 2 and b"\\" not in raw
    return reading if plain or count_keys(raw) == keys else None


def _measured(readings: list[HipReading], plan: Plan) -> Measured | None:
    """The readings measured in arrays; None where that cannot be done, or fails."""
    methods = [method or _MR for method in plan.methods]
    if not readings or not any(is_vectorised(one, plan.settings) for one in methods):
        return None
    try:
        return measured(readings, plan.settings)
    except Exception:  # each by itself then, so that the one at fault is told by name
        return None


def _in_arrays(
    items: Sequence[Item],
    places: list[int],
    readings: list[HipReading],
    method: Method | None,
    found: Measured,
    settings: Settings,
) -> tuple[RowColumns, list[int]]:
    """The rows of what was measured in arrays by a method, and the places of these among all."""
    flat = found.flat.tolist()
    methods = [method or (_RADIOGRAPH if one else _MR) for one in flat]
    takes = {one: is_vectorised(one, settings) for one in set(methods)}
    pairs = zip(methods, flat, strict=True)
    fits = np.array([takes[one] and one.radiograph == is_flat for one, is_flat in pairs], bool)
    files = [items[place][0] for place in places]
    sha256 = [sha256_of(items[place][1]) for place in places]
    columns = array_columns(files, readings, sha256, methods, found, settings)
    sure = np.flatnonzero(found.sure & fits)
    if len(sure) < len(readings):
        columns = columns.select(sure.tolist())
    return columns, [places[one] for one in sure.tolist()]
