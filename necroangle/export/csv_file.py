"""CSV in UTF-8: data and codebook."""

from collections.abc import Iterable, Iterator, Sequence

from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable
from necroangle.plain_text import quoted

__all__ = ["CODEBOOK_HEADING", "codebook_rows", "csv_bytes", "csv_columns", "data_csv"]

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


def csv_bytes(heading: Sequence[str], rows: Iterable[Sequence[str]], *, bom: bool) -> bytes:
    """A CSV with a heading, of cells that are quoted already."""
    lines = "\n".join([",".join(heading), *map(",".join, rows), ""])
    return (BOM if bom else b"") + lines.encode()


def csv_columns(table: ExportTable) -> Iterator[tuple[str, Sequence[str]]]:
    """Name and cells of every column: what is missing is empty, the reasons stand at the end."""
    words = {reason: reason.word for reason in Missing}
    for place, column in enumerate(table.columns):
        if column.kind == "text":
            texts = table.filled(place, dict.fromkeys(Missing, ""))
            safe = {text: quoted(text) for text in set(texts)}
            yield column.name, [safe[text] for text in texts]
        else:
            texts = list(table.written[place])
            for rows in table.gaps[place].values():
                for row in rows:
                    texts[row] = ""
            yield column.name, texts
    for place, column in enumerate(table.columns):
        if column.can_miss:
            yield column.reason_name, table.filled(place, words, "")


def data_csv(table: ExportTable, *, bom: bool = False) -> bytes:
    r"""The table as CSV: numbers in full, ISO dates, ``\n`` line ends.

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
    names, columns = zip(*csv_columns(table), strict=True)
    return csv_bytes(names, zip(*columns, strict=True), bom=bom)


def codebook_rows(
    columns: Iterable[ExportColumn], short_names: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """The codebook, one row per column, in the order of :data:`CODEBOOK_HEADING`."""
    for column, short in zip(columns, short_names, strict=True):
        yield (
            column.name,
            column.label,
            _type(column),
            column.unit,
            "; ".join(f"{code} = {label}" for code, label in column.values),
            _missing_codes() if column.can_miss else "",
            column.measure,
            column.level,
            column.meaning or column.label,
            column.source,
            short,
        )


def _type(column: ExportColumn) -> str:
    return "date (YYYY-MM-DD)" if column.kind == "date" else column.kind


def _missing_codes() -> str:
    return "; ".join(
        f"{reason.code} (SPSS), .{reason.letter} (Stata, SAS), {reason.word} = {reason.label}"
        for reason in Missing
    )
