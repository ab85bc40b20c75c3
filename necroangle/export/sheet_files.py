"""Excel workbooks and Parquet files: a missing value is empty, and why stands in a column beside.

In Excel texts are never formulas nor links; codebook and provenance have sheets of their own. In
Parquet labels, units and codes stand in the file's metadata.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Missing, Value, short_names
from necroangle.export.csv_file import CODEBOOK_HEADING, codebook_rows
from necroangle.export.table import ExportTable
from necroangle.extras import extra_module

METADATA_KEY = "necroangle"
"""Key of the provenance in a Parquet file's metadata; each field has its own: label, unit..."""

_CREATED = datetime(2000, 1, 1)
"""Stamp of every workbook, so that the same table gives the same bytes."""

_LAST_ROW = 1_048_575
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}


def write_xlsx(table: ExportTable, path: Path, facts: Mapping[str, object]) -> None:
    """Write an Excel workbook.

    A missing value is an empty cell; why it is missing stands in ``<name>_missing_reason``, as in
    the CSV.

    Parameters
    ----------
    table
        The table.
    path
        The file.
    facts
        What stands in the sheet "provenance".

    Raises
    ------
    CohortError
        If XlsxWriter is not installed, or the table has more rows than a sheet.
    """
    if len(table) > _LAST_ROW:
        raise CohortError(f"{len(table)} rows; an Excel sheet has {_LAST_ROW}: use another")
    xlsxwriter = extra_module("export", "xlsxwriter", "xlsx", CohortError)
    with xlsxwriter.Workbook(str(path), _OPTIONS) as book:
        book.set_properties({"created": _CREATED, "title": "necroangle export"})
        bold = book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        _write_data(book.add_worksheet("data"), table, bold, day)
        codebook = codebook_rows(table.columns, short_names(table.columns))
        _write_texts(book.add_worksheet("codebook"), [CODEBOOK_HEADING, *codebook], bold)
        lines = [("item", "value"), *((name, str(value)) for name, value in facts.items())]
        _write_texts(book.add_worksheet("provenance"), lines, bold)


def _write_texts(sheet: Any, rows: Iterable[Sequence[str]], bold: Any) -> None:
    for number, row in enumerate(rows):
        for place, text in enumerate(row):
            if text:
                sheet.write_string(number, place, text, None if number else bold)


def _write_data(sheet: Any, table: ExportTable, bold: Any, day: Any) -> None:
    asked = [place for place, column in enumerate(table.columns) if column.can_miss]
    names = [column.name for column in table.columns]
    reasons = [table.columns[place].reason_name for place in asked]
    sheet.freeze_panes(1, 0)
    for place, name in enumerate([*names, *reasons]):
        sheet.write_string(0, place, name, bold)
    cells = _Cells(sheet, table.columns, day)
    for number, row in enumerate(table.rows, 1):
        cells.write(number, row)
        for place, source in enumerate(asked, len(names)):
            cell = row[source]
            if type(cell) is Missing:
                sheet.write_string(number, place, cell.word)


class _Cells:
    """Writes the values of a row by the kind of their columns."""

    def __init__(self, sheet: Any, columns: Sequence[ExportColumn], day: Any) -> None:
        def write_day(row: int, place: int, cell: object) -> None:
            sheet.write_datetime(row, place, cell, day)

        number, text = sheet.write_number, sheet.write_string
        by_kind = {"text": text, "whole": number, "real": number, "date": write_day}
        self._writers = tuple(by_kind[column.kind] for column in columns)

    def write(self, number: int, row: Sequence[Value]) -> None:
        """Write a row; what is missing, or an empty text, leaves the cell empty."""
        for place, (write, cell) in enumerate(zip(self._writers, row, strict=True)):
            if type(cell) is not Missing and cell != "":
                write(number, place, cell)


def write_parquet(table: ExportTable, path: Path, facts: Mapping[str, object]) -> None:
    """Write a Parquet file.

    A missing value is null; why it is missing stands in ``<name>_missing_reason``, as in the CSV.

    Parameters
    ----------
    table
        The table.
    path
        The file.
    facts
        Provenance, kept as JSON under :data:`METADATA_KEY`.

    Raises
    ------
    CohortError
        If pyarrow is not installed.
    """
    pa = extra_module("export", "pyarrow", "parquet", CohortError)
    kinds = {"text": pa.string(), "whole": pa.int64(), "real": pa.float64(), "date": pa.date32()}
    words = pa.dictionary(pa.int8(), pa.string())
    said = pa.array([reason.word for reason in Missing])
    fields, arrays, why_fields, why_arrays = [], [], [], []
    for column, (values, why) in zip(table.columns, table.data, strict=True):
        gone = why > 0
        plain: Any = np.array(values, dtype=object) if isinstance(values, list) else values
        if column.kind == "whole":
            plain = np.where(gone, 0, values).astype(np.int64)
        fields.append(pa.field(column.name, kinds[column.kind], metadata=_about(column)))
        arrays.append(pa.array(plain, kinds[column.kind], mask=gone))
        if column.can_miss:
            codes = pa.array(np.maximum(why - 1, 0).astype(np.int8), mask=~gone)
            why_fields.append(pa.field(column.reason_name, words))
            why_arrays.append(pa.DictionaryArray.from_arrays(codes, said))
    metadata = {METADATA_KEY: json.dumps(dict(facts), ensure_ascii=False, default=str)}
    schema = pa.schema([*fields, *why_fields], metadata=metadata)
    made = pa.Table.from_arrays([*arrays, *why_arrays], schema=schema)
    extra_module("export", "pyarrow.parquet").write_table(made, str(path))


def _about(column: ExportColumn) -> dict[str, str]:
    return {
        "label": column.label,
        "unit": column.unit,
        "measure": column.measure,
        "values": json.dumps(dict(column.values), ensure_ascii=False),
        "meaning": column.meaning or column.label,
        "source": column.source,
    }
