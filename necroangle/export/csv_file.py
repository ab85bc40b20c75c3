"""CSV in UTF-8: data and codebook."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from necroangle.export.columns import ExportColumn, Missing
from necroangle.export.table import REASONS, ExportTable
from necroangle.plain_text import quoted

BOM = b"\xef\xbb\xbf"
"""Excel takes a CSV without it for one in the system's old code page."""

CODEBOOK_HEADING = (
    "name",
    "label",
    "kind",
    "unit",
    "values",
    "missing",
    "measure",
    "level",
    "meaning",
    "source",
    "sas_v5_name",
)

_WORDS = np.array([reason.word if reason else "" for reason in REASONS], dtype=object)


def csv_bytes(heading: Sequence[str], rows: Iterable[Sequence[str]], *, bom: bool) -> bytes:
    """A CSV with a heading, of cells that are quoted already."""
    lines = "\n".join([",".join(heading), *map(",".join, rows), ""])
    return (BOM if bom else b"") + lines.encode()


def quoted_texts(table: ExportTable) -> Iterator[list[str]]:
    """The cells of every column, texts quoted; what is missing is empty."""
    for column, texts in zip(table.columns, table.texts, strict=True):
        cells: list[str] = texts.tolist()
        if column.kind == "text":
            safe = {text: quoted(text) for text in set(cells)}
            yield [safe[text] for text in cells]
        else:
            yield cells


def data_csv(table: ExportTable, *, bom: bool = False) -> bytes:
    r"""The table as CSV: numbers in full, ISO dates, ``\n`` line ends.

    What is missing is empty; why stands in columns at the end, ``<name>_missing_reason``.

    Parameters
    ----------
    table
        The table.
    bom
        Whether to begin with a byte order mark, for Excel.

    Examples
    --------
    >>> columns = (ExportColumn("id", "text", "Id", can_miss=False), ExportColumn("x", "real", "X"))
    >>> table = ExportTable.of(columns, [("=1", -0.5), ("00123", None)], unit="row", keys=1)
    >>> print(data_csv(table).decode(), end="")
    id,x,x_missing_reason
    00123,,not_done
    '=1,-0.5,
    """
    asked = [place for place, column in enumerate(table.columns) if column.can_miss]
    names = [column.name for column in table.columns]
    names += [table.columns[place].reason_name for place in asked]
    lines = map(",".join, zip(*quoted_texts(table), strict=True))
    if not asked:
        return csv_bytes(names, zip(lines), bom=bom)
    return csv_bytes(names, zip(lines, _reasons(table, asked), strict=True), bom=bom)


def _reasons(table: ExportTable, asked: Sequence[int]) -> Iterator[str]:
    """Why values are missing, row by row; thousands of rows lack the same few sets of values."""
    why = np.stack([table.data[place].why for place in asked], axis=1)
    raw, width = why.tobytes(), len(asked)
    rows = [raw[start : start + width] for start in range(0, len(raw), width)]
    lines = {row: ",".join(_WORDS[np.frombuffer(row, np.int8)]) for row in set(rows)}
    return map(lines.__getitem__, rows)


def codebook_rows(
    columns: Iterable[ExportColumn], short_names: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """The codebook, one row per column, in the order of :data:`CODEBOOK_HEADING`."""
    missing = "; ".join(
        f"{reason.code} (SPSS), .{reason.letter} (Stata, SAS), {reason.word} = {reason.label}"
        for reason in Missing
    )
    for column, short in zip(columns, short_names, strict=True):
        yield (
            column.name,
            column.label,
            "date (YYYY-MM-DD)" if column.kind == "date" else column.kind,
            column.unit,
            "; ".join(f"{code} = {label}" for code, label in column.values),
            missing if column.can_miss else "",
            column.measure,
            column.level,
            column.meaning or column.label,
            column.source,
            short,
        )
