"""Parquet: typed columns with their labels, units and codes in the file's metadata."""

import json
from collections.abc import Mapping
from pathlib import Path

from necroangle.export.lazily import extra_module
from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable

__all__ = ["METADATA_KEY", "write_parquet"]

METADATA_KEY = "necroangle"
"""Key of the provenance in the file's metadata; each field has its own under label, unit..."""


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
    pa = extra_module("pyarrow", "parquet")
    kinds = {"text": pa.string(), "whole": pa.int64(), "real": pa.float64(), "date": pa.date32()}
    words = pa.dictionary(pa.int8(), pa.string())
    fields, arrays = [], []
    empty: dict[Missing, None] = dict.fromkeys(Missing)
    said = [reason.word for reason in Missing]
    for place, column in enumerate(table.columns):
        plain = table.filled(place, empty)
        fields.append(pa.field(column.name, kinds[column.kind], metadata=_about(column)))
        arrays.append(pa.array(plain, kinds[column.kind]))
    for place, column in enumerate(table.columns):
        if column.can_miss:
            codes: list[int | None] = [None] * len(table.rows)
            for code, reason in enumerate(Missing):
                for row in table.gaps[place].get(reason, ()):
                    codes[row] = code
            why = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), said)
            fields.append(pa.field(column.reason_name, words))
            arrays.append(why)
    metadata = {METADATA_KEY: json.dumps(dict(facts), ensure_ascii=False, default=str)}
    schema = pa.schema(fields, metadata=metadata)
    made = pa.Table.from_arrays(arrays, schema=schema)
    extra_module("pyarrow.parquet", "parquet").write_table(made, str(path))


def _about(column: ExportColumn) -> dict[str, str]:
    return {
        "label": column.label,
        "unit": column.unit,
        "measure": column.measure,
        "values": json.dumps(dict(column.values), ensure_ascii=False),
        "meaning": column.meaning or column.label,
        "source": column.source,
    }
