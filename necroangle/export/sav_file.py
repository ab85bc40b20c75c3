"""SPSS: variable and value labels, measurement level, three user-missing values, fixed widths."""

from datetime import date
from pathlib import Path

from necroangle.export.frame import writer_frame
from necroangle.export.lazily import extra_module, readstat_told
from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable
from necroangle.export.texts import cut_bytes

__all__ = ["write_sav"]

_WIDTHS = (64, 256, 2048)
"""Bytes of a text variable: the first that holds every text, so that files can be put together."""

_EPOCH = date(1582, 10, 14)
"""Day from which SPSS counts, in seconds."""

_SECONDS_PER_DAY = 86_400.0
_FORMATS = {"whole": "F8.0", "real": "F12.4", "date": "DATE11"}
_VALUE_LABEL_BYTES = 120
_MISSING_LABELS = {reason.code: reason.label for reason in Missing}


def write_sav(table: ExportTable, path: Path, title: str) -> None:
    """Write an SPSS file.

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
        If pyreadstat is not installed.
    """
    pyreadstat = extra_module("pyreadstat", "sav")
    frame = writer_frame(table, missing_codes=True, text=str, epoch=_EPOCH)
    for column in table.columns:
        if column.kind == "text" and len(frame):
            frame.loc[0, column.name] = _padded(frame[column.name].tolist())
        elif column.kind == "date":
            frame[column.name] *= _SECONDS_PER_DAY
    coded = [c for c in table.columns if c.kind in {"whole", "real"}]
    missing = {c.name: sorted(_MISSING_LABELS) for c in coded if c.can_miss}
    with readstat_told(pyreadstat):
        pyreadstat.write_sav(
            frame,
            str(path),
            file_label=cut_bytes(title, 64),
            column_labels={column.name: column.label for column in table.columns},
            variable_value_labels={c.name: labels for c in coded if (labels := _value_labels(c))},
            missing_ranges=missing,
            variable_measure={column.name: column.measure for column in table.columns},
            variable_format={c.name: _FORMATS[c.kind] for c in table.columns if c.kind in _FORMATS},
        )


def _padded(texts: list[str]) -> str:
    """The first text, with spaces up to the width: SPSS sets the width by the longest."""
    longest = max(len(text.encode()) for text in texts)
    width = next(width for width in _WIDTHS if longest <= width)
    return texts[0] + " " * (width - len(texts[0].encode()))


def _value_labels(column: ExportColumn) -> dict[int, str]:
    labels = dict(column.values) | (_MISSING_LABELS if column.can_miss else {})
    return {code: cut_bytes(label, _VALUE_LABEL_BYTES) for code, label in labels.items()}
