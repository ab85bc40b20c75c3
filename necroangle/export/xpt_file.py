"""SAS transport: version 8 with the names in full, version 5 with short names for older readers.

The file is written by pyreadstat, in which a missing number is SAS's plain ``.``; the three
reasons are then put in their places as ``.A``, ``.B`` and ``.C``. The format holds numbers of
5.4e-79 to 7.2e75; what is smaller becomes 0.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from necroangle.errors import CohortError
from necroangle.export.frame import writer_frame
from necroangle.export.lazily import extra_module, readstat_told
from necroangle.export.model import ExportColumn, ExportTable
from necroangle.export.texts import cut_bytes

__all__ = ["short_names", "write_xpt"]

LARGEST = 7.0e75
"""The format's numbers, those of the IBM 360, end soon above it."""

_EPOCH = date(1960, 1, 1)
"""Day from which SAS counts."""

_RECORD = 80
_NAMESTR_BYTES = 140
_V5_TEXT_BYTES = 200
_V5_LABEL_BYTES = 40


def short_names(columns: Sequence[ExportColumn]) -> tuple[str, ...]:
    """Names of at most 8 letters and digits, each once, in the order of the columns.

    Examples
    --------
    >>> columns = [ExportColumn(n, "real", "X") for n in ("hip_id", "cna_cor_deg", "cna_cor_se")]
    >>> short_names(columns)
    ('HIP_ID', 'CNACOR01', 'CNACOR02')
    """
    wanted = [column.name.upper() for column in columns]
    taken = {name for name in wanted if len(name) <= 8}
    found = []
    for name in wanted:
        if len(name) > 8:
            stem = re.sub("_", "", name)[:6]
            name = next(
                short
                for number in range(1, 1000)
                if (short := f"{stem[: 8 - len(f'{number:02}')]}{number:02}") not in taken
            )
            taken.add(name)
        found.append(name)
    return tuple(found)


def write_xpt(table: ExportTable, path: Path, *, version: Literal[5, 8] = 8) -> None:
    """Write a SAS transport file.

    Parameters
    ----------
    table
        The table.
    path
        The file.
    version
        8, or 5 (what the FDA takes): names of 8 letters (:func:`short_names`), labels of 40 bytes,
        texts of 200 bytes. In version 5 the texts stand before the numbers, since it does not say
        how many rows it has, and readers that look for blanks at its end (pandas) otherwise lose
        the last row.

    Raises
    ------
    CohortError
        If pyreadstat is not installed, or a number is above 7e75.
    """
    pyreadstat = extra_module("pyreadstat", "xpt")
    short = dict(zip(table.columns, short_names(table.columns), strict=True))
    if version == 5:
        table = _texts_first(table)
    names = [column.name for column in table.columns]
    labels = [column.label for column in table.columns]
    if version == 5:
        names = [short[column] for column in table.columns]
        labels = [cut_bytes(label, _V5_LABEL_BYTES) for label in labels]
    limit = _V5_TEXT_BYTES if version == 5 else None
    frame = writer_frame(
        table,
        missing_codes=False,
        epoch=_EPOCH,
        text=(lambda text: cut_bytes(text, limit)) if limit else str,
    )
    large = [name for name in frame.select_dtypes("number") if (frame[name].abs() > LARGEST).any()]
    if large:
        raise CohortError(
            f"column {large[0]}: SAS transport files hold no number above {LARGEST:g}"
        )
    frame = frame.set_axis(names, axis="columns")
    columns = zip(names, table.columns, strict=True)
    dates = [name for name, column in columns if column.kind == "date"]
    with readstat_told(pyreadstat):
        pyreadstat.write_xport(
            frame,
            str(path),
            file_label="",
            column_labels=dict(zip(names, labels, strict=True)),
            table_name="COHORT",
            file_format_version=version,
            variable_format=dict.fromkeys(dates, "YYMMDD10"),
        )
    _mark_missing(path, table)


def _texts_first(table: ExportTable) -> ExportTable:
    order = sorted(range(len(table.columns)), key=lambda n: table.columns[n].kind != "text")
    rows = tuple(tuple(row[place] for place in order) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in order), rows=rows)


def _mark_missing(path: Path, table: ExportTable) -> None:
    if not table.rows:
        return
    sizes, start = _layout(path.read_bytes(), len(table.columns))
    offsets = [sum(sizes[:place]) for place in range(len(sizes))]
    data = np.memmap(path, np.uint8, "r+", start, (len(table.rows), sum(sizes)))
    for column, gaps, offset in zip(table.columns, table.gaps, offsets, strict=True):
        if column.kind != "text":
            for reason, rows in gaps.items():
                data[rows, offset] = ord(reason.letter.upper())
    data.flush()


def _layout(raw: bytes, columns: int) -> tuple[list[int], int]:
    """Bytes of every variable, and where the first row begins."""
    heading = re.search(rb"HEADER RECORD\*{7}NAMST(?:R|V8)", raw) or re.search(
        rb"HEADER RECORD\*{7}NAMESTR", raw
    )
    first = (heading.start() if heading else 0) + _RECORD
    places = range(first, first + columns * _NAMESTR_BYTES, _NAMESTR_BYTES)
    sizes = [struct.unpack_from(">h", raw, place + 4)[0] for place in places]
    rows = re.compile(rb"HEADER RECORD\*{7}OBS").search(raw, places[-1])
    return sizes, (rows.start() if rows else 0) + _RECORD
