"""Stata: variable and value labels, and the extended missing values .a .b .c.

The file is written by pandas, in which a missing number is Stata's plain ``.``; the three reasons
are then put in their places.
"""

import struct
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from necroangle.export.frame import writer_frame
from necroangle.export.missing import Missing
from necroangle.export.model import ExportTable

__all__ = ["write_dta"]

_WRITTEN = datetime(2000, 1, 1)
"""Stamp of every file, so that the same table gives the same bytes."""

_EPOCH = date(1960, 1, 1)
"""Day from which Stata counts."""

_DOUBLE = 65526
_SIZES = {_DOUBLE: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1, 32768: 8}
_FIRST_LETTER = 2147483621
"""Value label key of ``.``; ``.a`` is one more."""


def write_dta(table: ExportTable, path: Path, title: str) -> None:
    """Write a Stata file of version 118 (Stata 14 and later).

    Parameters
    ----------
    table
        The table.
    path
        The file.
    title
        Its label, of which 80 letters are kept.
    """
    frame = writer_frame(table, missing_codes=False, text=str, epoch=_EPOCH)
    dates = [column.name for column in table.columns if column.kind == "date"]
    for name in dates:
        frame[name] = pd.to_datetime(frame[name], unit="D", origin=pd.Timestamp(_EPOCH))
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=_WRITTEN,
        data_label=title[:80],
        variable_labels={column.name: column.label for column in table.columns},
        value_labels=_value_labels(table),
        convert_dates=dict.fromkeys(dates, "td"),
    )
    _mark_missing(path, table)


def _value_labels(table: ExportTable) -> dict[object, dict[float, str]]:
    missing = {
        float(_FIRST_LETTER + 1 + "abc".index(reason.letter)): reason.label for reason in Missing
    }
    found: dict[object, dict[float, str]] = {}
    for column in table.columns:
        labels = {float(code): label for code, label in column.values}
        if column.can_miss and column.kind in {"whole", "real"}:
            labels |= missing
        if labels:
            found[column.name] = labels
    return found


def _extended(reason: Missing) -> bytes:
    """Eight bytes of ``.a``, ``.b`` or ``.c`` as a double, little end first."""
    bits = 0x7FE0 << 48 | (1 + "abc".index(reason.letter)) << 40
    return struct.pack("<Q", bits)


def _mark_missing(path: Path, table: ExportTable) -> None:
    """Put the reason in place of every plain missing number."""
    sizes, start = _layout(path, len(table.columns))
    offsets = [sum(sizes[:place]) for place in range(len(sizes))]
    if not table.rows:
        return
    shape = (len(table.rows), sum(sizes))
    data = np.memmap(path, np.uint8, "r+", start, shape)
    for column, gaps, offset in zip(table.columns, table.gaps, offsets, strict=True):
        if column.kind != "text":
            for reason, rows in gaps.items():
                data[rows, offset : offset + 8] = np.frombuffer(_extended(reason), np.uint8)
    data.flush()


def _layout(path: Path, columns: int) -> tuple[list[int], int]:
    """Bytes of every variable, and where the first row begins."""
    with path.open("rb") as file:
        head = file.read(2048)
        places = struct.unpack_from("<14Q", head, head.index(b"<map>") + len(b"<map>"))
        file.seek(places[2] + len(b"<variable_types>"))
        types = struct.unpack(f"<{columns}H", file.read(2 * columns))
    return [_SIZES.get(kind, kind) for kind in types], places[9] + len(b"<data>")
