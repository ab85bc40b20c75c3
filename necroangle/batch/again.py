"""Chosen cells of the rows of kept readings, many at once: for whoever holds rows against marks."""

from collections.abc import Sequence

from necroangle.batch.worker import Plan, measure_chunk
from necroangle.measurement import Method, Settings
from necroangle.measurement.row import Cell

__all__ = ["cells_again"]


def cells_again(
    raws: Sequence[bytes], method: Method, settings: Settings, names: Sequence[str]
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
    items = [(str(place), raw) for place, raw in enumerate(raws)]
    columns = measure_chunk(items, Plan((method,), settings)).columns
    found: list[tuple[Cell, ...] | None] = [None] * len(raws)
    for place, cells in zip(columns.files, columns.cells(names), strict=True):
        found[int(place)] = cells
    return found
