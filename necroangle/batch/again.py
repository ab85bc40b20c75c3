"""Chosen cells of the rows of kept readings, many at once: for whoever holds rows against marks."""

from collections.abc import Iterator, Sequence

import numpy as np

from necroangle.annotation import HipReading
from necroangle.annotation.quick import decode_many
from necroangle.errors import ReadingError
from necroangle.measurement import Method, Settings
from necroangle.measurement.marks import lay_out
from necroangle.measurement.measuring import measure_batch
from necroangle.measurement.plausibility_cohort import ReadingPrint, prints_of
from necroangle.measurement.row import Cell, RowColumns

_JUDGED = frozenset(f"{side}_{name}" for side in "ab" for name in ("flags", "rim_misplaced"))
"""Columns that say which rim marks look misplaced; without them nobody needs to look."""


def cells_again(
    raws: Sequence[bytes],
    method: Method,
    settings: Settings,
    names: Sequence[str],
    prints: list[ReadingPrint] | None = None,
) -> list[tuple[Cell, ...] | None]:
    """Measure readings, and give some cells of each row; None for what cannot be measured.

    Parameters
    ----------
    raws
        The bytes of reading files.
    method, settings
        How.
    names
        The columns that are asked for.
    prints
        What the readings are held together by is put here, where it is asked for.

    Examples
    --------
    >>> from necroangle.annotation import encode_reading
    >>> from necroangle.measurement import DEFAULTS, method_named
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> raw = encode_reading(readings_of(sample_studies()["plain"])[0])
    >>> method = method_named("ha_mr_midslice")
    >>> cells_again([raw, b"{}"], method, DEFAULTS, ["modality", "ha_grade"])
    [('mr', 2), None]
    """
    places: list[int] = []

    def readings() -> Iterator[HipReading]:
        for place, found in enumerate(decode_many(raws)):
            if not isinstance(found, ReadingError):
                places.append(place)
                yield found

    batch = lay_out(readings())
    measured = measure_batch(batch, method, settings, judged=not _JUDGED.isdisjoint(names))
    if prints is not None:
        prints += prints_of(measured)
    rows = RowColumns.measured([str(place) for place in places], [], measured, names)
    found: list[tuple[Cell, ...] | None] = [None] * len(raws)
    for place, cells in zip(rows.files, rows.cells(names), strict=True):
        found[int(place)] = cells
    for hip in np.flatnonzero(batch.doubtful).tolist():  # to be looked at by themselves
        found[places[hip]] = None
    return found
