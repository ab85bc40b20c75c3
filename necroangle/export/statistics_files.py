"""Files of the statistics programs: SPSS, Stata and SAS, with labels and three missing values.

SPSS files are written whole by pyreadstat. Stata files are written by pandas and SAS transport
files by pyreadstat, in which a missing number is the plain ``.``; the three reasons are then put
in their places, as ``.a .b .c``. (pyreadstat can write Stata's letters itself, from columns of
objects: five times slower, with the time of day in the file, so that the same table no longer
gives the same bytes, and only where the export extra is installed.)
"""

import re
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Missing, cut_bytes, short_names
from necroangle.export.table import REASONS, ExportTable
from necroangle.extras import extra_module

_CODES = np.array([reason.code if reason else 0 for reason in REASONS], dtype=np.float64)
_MISSING_LABELS = {reason.code: reason.label for reason in Missing}

_SPSS_EPOCH = np.datetime64("1582-10-14")
"""Day from which SPSS counts, in seconds."""

_SPSS_WIDTHS = (64, 256, 2048)
"""Bytes of a text variable: the first that holds every text, so that files can be put together."""

_SPSS_FORMATS = {"whole": "F8.0", "real": "F12.4", "date": "DATE11"}
_SPSS_LABEL_BYTES = 120
_SECONDS_PER_DAY = 86_400.0

_EPOCH = np.datetime64("1960-01-01")
"""Day from which Stata and SAS count."""

_STATA_WRITTEN = datetime(2000, 1, 1)
"""Stamp of every file, so that the same table gives the same bytes."""

_STATA_SIZES = {65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1, 32768: 8}
"""Bytes of a variable by its kind; any other kind is the width of a text."""

_STATA_FIRST_LETTER = 2147483621
"""Value label key of ``.``; ``.a`` is one more."""

SAS_LARGEST = 7.0e75
"""SAS transport files hold the numbers of the IBM 360: 5.4e-79 to 7.2e75. What is smaller becomes
0, what is larger is refused."""

_SAS_RECORD = 80
_SAS_NAMESTR_BYTES = 140
_SAS_V5_TEXT_BYTES = 200
_SAS_V5_LABEL_BYTES = 40


def write_sav(table: ExportTable, path: Path, title: str) -> None:
    """Write an SPSS file: labels, measurement level, three user-missing values, fixed widths.

    Parameters
    ----------
    table
        The table.
    path
        The file.
    title
        Its label, at most 64 bytes of which are kept.

    Raises
    ------
    CohortError
        If pyreadstat is not installed, or a whole number is one of the codes for missing.
    """
    pyreadstat = extra_module("export", "pyreadstat", "sav", CohortError)
    coded = [place for place, c in enumerate(table.columns) if c.kind in {"whole", "real"}]
    frame = _frame(
        table,
        number=lambda place: _with_codes(table, place),
        text=_padded,
        day=lambda days: _days_since(_SPSS_EPOCH, days) * _SECONDS_PER_DAY,
    )
    columns = [table.columns[place] for place in coded]
    labels = {
        column.name: {
            code: cut_bytes(label, _SPSS_LABEL_BYTES)
            for code, label in (dict(column.values) | _missing_labels(column)).items()
        }
        for column in columns
        if column.values or column.can_miss
    }
    with _readstat_errors(pyreadstat):
        pyreadstat.write_sav(
            frame,
            str(path),
            file_label=cut_bytes(title, 64),
            column_labels={column.name: column.label for column in table.columns},
            variable_value_labels=labels,
            missing_ranges={c.name: sorted(_MISSING_LABELS) for c in columns if c.can_miss},
            variable_measure={column.name: column.measure for column in table.columns},
            variable_format={
                c.name: _SPSS_FORMATS[c.kind] for c in table.columns if c.kind in _SPSS_FORMATS
            },
        )


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
    frame = _frame(
        table,
        number=lambda place: table.data[place].values,
        text=list,
        day=lambda days: days.astype("datetime64[s]"),
    )
    dates = [column.name for column in table.columns if column.kind == "date"]
    letters = {_STATA_FIRST_LETTER + n: reason.label for n, reason in enumerate(Missing, 1)}
    labels: dict[object, dict[float, str]] = {}
    for column in table.columns:
        found = dict(column.values) | (letters if _missing_labels(column) else {})
        if found:
            labels[column.name] = {float(code): label for code, label in found.items()}
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=_STATA_WRITTEN,
        data_label=title[:80],
        variable_labels={column.name: column.label for column in table.columns},
        value_labels=labels,
        convert_dates=dict.fromkeys(dates, "td"),
    )
    with path.open("rb") as file:
        head = file.read(2048)
        places = struct.unpack_from("<14Q", head, head.index(b"<map>") + len(b"<map>"))
        file.seek(places[2] + len(b"<variable_types>"))
        types = struct.unpack(f"<{len(table.columns)}H", file.read(2 * len(table.columns)))
    sizes = [_STATA_SIZES.get(kind, kind) for kind in types]
    # a double of .a, .b or .c, little end first
    marks = [struct.pack("<Q", 0x7FE0 << 48 | n << 40) for n in range(1, len(REASONS))]
    _mark_missing(path, table, sizes, places[9] + len(b"<data>"), marks)


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
    pyreadstat = extra_module("export", "pyreadstat", "xpt", CohortError)
    names = [column.name for column in table.columns]
    labels = [column.label for column in table.columns]
    limit = None
    if version == 5:
        short = dict(zip(names, short_names(table.columns), strict=True))
        table, limit = _texts_first(table), _SAS_V5_TEXT_BYTES
        names = [short[column.name] for column in table.columns]
        labels = [cut_bytes(column.label, _SAS_V5_LABEL_BYTES) for column in table.columns]
    frame = _frame(
        table,
        number=lambda place: table.data[place].values,
        text=lambda texts: [cut_bytes(text, limit) for text in texts] if limit else texts,
        day=lambda days: _days_since(_EPOCH, days),
    )
    for column, cells in zip(table.columns, table.data, strict=True):
        if column.kind in {"whole", "real"} and np.any(np.abs(cells.values) > SAS_LARGEST):
            raise CohortError(
                f"column {column.name}: SAS transport files hold no number above {SAS_LARGEST:g}"
            )
    frame = frame.set_axis(names, axis="columns")
    pairs = zip(names, table.columns, strict=True)
    dates = [name for name, column in pairs if column.kind == "date"]
    with _readstat_errors(pyreadstat):
        pyreadstat.write_xport(
            frame,
            str(path),
            file_label="",
            column_labels=dict(zip(names, labels, strict=True)),
            table_name="COHORT",
            file_format_version=version,
            variable_format=dict.fromkeys(dates, "YYMMDD10"),
        )
    sizes, start = _sas_layout(path.read_bytes(), len(table.columns))
    _mark_missing(path, table, sizes, start, [reason.letter.upper().encode() for reason in Missing])


_STAMP = re.compile(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d")
_HEADINGS_BYTES = 9 * _SAS_RECORD


def transport_file(
    columns: Mapping[str, Sequence[str] | Sequence[float]],
    labels: Mapping[str, str],
    *,
    name: str,
    label: str,
    stamp: datetime,
) -> bytes:
    """A SAS transport file of version 5 as bytes: the same table gives the same ones.

    Parameters
    ----------
    columns
        By name of at most 8 letters; a number that is missing is not a number.
    labels
        Of each column, at most 40 letters.
    name, label
        Of the table.
    stamp
        When it says that it was made.

    Raises
    ------
    CohortError
        If pyreadstat is not installed.
    """
    pyreadstat = extra_module("export", "pyreadstat", "xpt", CohortError)
    frame = pd.DataFrame(
        {
            column: pd.Series(
                cells, dtype=object if any(isinstance(one, str) for one in cells) else float
            )
            for column, cells in columns.items()
        }
    )
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.xpt"
        with _readstat_errors(pyreadstat):
            pyreadstat.write_xport(
                frame,
                str(path),
                file_label=label,
                column_labels=dict(labels),
                table_name=name,
                file_format_version=5,
            )
        raw = path.read_bytes()
    made = f"{stamp:%d%b%y:%H:%M:%S}".upper().encode()
    return _STAMP.sub(made, raw[:_HEADINGS_BYTES]) + raw[_HEADINGS_BYTES:]


def _frame(
    table: ExportTable,
    *,
    number: Callable[[int], Any],
    text: Callable[[list[str]], list[str]],
    day: Callable[[NDArray[Any]], Any],
) -> pd.DataFrame:
    """Texts as objects, numbers and dates as the writer takes them."""
    series: dict[str, Any] = {}
    for place, (column, cells) in enumerate(zip(table.columns, table.data, strict=True)):
        if isinstance(cells.values, list):
            series[column.name] = pd.Series(text(cells.values), dtype=object)
        else:
            series[column.name] = day(cells.values) if column.kind == "date" else number(place)
    return pd.DataFrame(series)


def _with_codes(table: ExportTable, place: int) -> NDArray[np.float64]:
    """The numbers with SPSS's codes for what is missing.

    A number that is one of the codes by chance, a visit 98 days before the baseline, moves by its
    last binary digit, so that no value reads as missing.
    """
    values, why = table.data[place]
    numbers = np.array(values, dtype=np.float64)
    clash = np.flatnonzero(np.isin(numbers, _CODES[1:]))
    numbers[clash] = np.nextafter(numbers[clash], 0.0)
    return np.where(why > 0, _CODES[why], numbers)


def _padded(texts: list[str]) -> list[str]:
    """The first text with spaces up to the width: SPSS sets the width by the longest."""
    if not texts:
        return texts
    longest = max(len(text.encode()) for text in set(texts))
    width = next(width for width in _SPSS_WIDTHS if longest <= width)
    return [texts[0] + " " * (width - len(texts[0].encode())), *texts[1:]]


def _missing_labels(column: ExportColumn) -> dict[int, str]:
    has_codes = column.can_miss and column.kind in {"whole", "real"}
    return _MISSING_LABELS if has_codes else {}


def _days_since(epoch: np.datetime64, days: NDArray[Any]) -> NDArray[np.float64]:
    """Days from an epoch, NaN where a date is missing."""
    return (days - epoch) / np.timedelta64(1, "D")


def _mark_missing(
    path: Path, table: ExportTable, sizes: Sequence[int], start: int, marks: Sequence[bytes]
) -> None:
    """Put the reason in place of every plain missing number or date.

    Parameters
    ----------
    path
        The file.
    table
        What it holds.
    sizes
        Bytes of every variable.
    start
        Where the first row begins.
    marks
        What a missing value of each reason begins with.
    """
    if not len(table):
        return
    data = np.memmap(path, np.uint8, "r+", start, (len(table), sum(sizes)))
    offset = 0
    for column, cells, size in zip(table.columns, table.data, sizes, strict=True):
        for place, mark in enumerate(marks, 1):
            rows = np.flatnonzero(cells.why == place)
            if column.kind != "text" and rows.size:
                data[rows, offset : offset + len(mark)] = np.frombuffer(mark, np.uint8)
        offset += size
    data.flush()


def _texts_first(table: ExportTable) -> ExportTable:
    order = sorted(range(len(table.columns)), key=lambda n: table.columns[n].kind != "text")
    columns = tuple(table.columns[place] for place in order)
    return replace(table, columns=columns, data=tuple(table.data[place] for place in order))


def _sas_layout(raw: bytes, columns: int) -> tuple[list[int], int]:
    """Bytes of every variable, and where the first row begins."""
    heading = re.search(rb"HEADER RECORD\*{7}NAMST(?:R|V8)", raw) or re.search(
        rb"HEADER RECORD\*{7}NAMESTR", raw
    )
    first = (heading.start() if heading else 0) + _SAS_RECORD
    places = range(first, first + columns * _SAS_NAMESTR_BYTES, _SAS_NAMESTR_BYTES)
    sizes = [struct.unpack_from(">h", raw, place + 4)[0] for place in places]
    rows = re.compile(rb"HEADER RECORD\*{7}OBS").search(raw, places[-1])
    return sizes, (rows.start() if rows else 0) + _SAS_RECORD


@contextmanager
def _readstat_errors(pyreadstat: Any) -> Iterator[None]:
    """What pyreadstat refuses, a full disk among others, as an error of writing."""
    try:
        yield
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
        raise OSError(str(error)) from error
