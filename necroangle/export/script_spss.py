"""``import.sps``: SPSS and PSPP."""

import math
from collections.abc import Iterator

from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable
from necroangle.export.texts import TEXT_LIMIT, cut_bytes

__all__ = ["spss_script"]

_HEAD = """\
* Encoding: UTF-8.
* Reads cohort.csv as it was exported by necroangle: labels, codes and missing values.
* Set the working folder to this one first: CD 'folder'.
* Two hips of one patient are correlated: cluster by patient_id.

GET DATA
  /TYPE=TXT
  /FILE='cohort.csv'
  /ENCODING='UTF8'
  /DELCASE=LINE
  /DELIMITERS=","
  /QUALIFIER='"'
  /ARRANGEMENT=DELIMITED
  /FIRSTCASE=2
  /VARIABLES=
"""

_LEVELS = {"nominal": "NOMINAL", "ordinal": "ORDINAL", "scale": "SCALE"}
_WIDTHS = (64, 256, TEXT_LIMIT + 48)


def spss_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into SPSS or PSPP."""
    asked = [column for column in table.columns if column.can_miss]
    lines = [
        *_variables(table),
        *(f"    {column.reason_name} A16" for column in asked),
        "  .",
        "",
        *(line for column in table.columns for line in _values(column)),
        *_clashes(table),
        "* Values first: a declared missing value would no longer compare equal to its code.",
        "EXECUTE.",
        "",
        *(line for column in table.columns for line in _labels(column)),
        "",
        *(f"DELETE VARIABLES {c.reason_name}." for c in asked if c.kind in {"whole", "real"}),
        "EXECUTE.",
    ]
    return _HEAD + "\n".join(lines) + "\n"


def _variables(table: ExportTable) -> Iterator[str]:
    for column, texts in zip(table.columns, table.written, strict=True):
        if column.kind == "text":
            longest = max((len(text.encode()) for text in texts), default=0) + 1
            yield f"    {column.name} A{next(w for w in _WIDTHS if longest <= w)}"
        else:
            yield f"    {column.name} {'SDATE10' if column.kind == 'date' else 'F32.0'}"


def _values(column: ExportColumn) -> Iterator[str]:
    """Take the guard from texts; give each missing number its code."""
    name = column.name
    if column.kind == "text":
        yield f'IF (SUBSTR({name}, 1, 1) = "\'") {name} = SUBSTR({name}, 2).'
    elif column.kind != "date" and column.can_miss:
        for reason in Missing:
            yield f"IF ({column.reason_name} = '{reason.word}') {name} = {reason.code}."


def _clashes(table: ExportTable) -> Iterator[str]:
    """Move by a hair what is the code of a missing value by chance, so that it stays a value."""
    codes = {float(reason.code) for reason in Missing}
    for column, cells in zip(table.columns, table.cells, strict=True):
        if column.kind == "real" and column.can_miss:
            for code in sorted(codes.intersection(c for c in cells if type(c) is float)):
                hair = math.nextafter(code, 0.0)
                yield f"IF ({column.reason_name} = '' AND {column.name} = {code:g})"
                yield f"  {column.name} = {hair!r}."


def _labels(column: ExportColumn) -> Iterator[str]:
    name = column.name
    yield f"VARIABLE LABELS {name} {_text(column.label)}."
    numeric = column.kind in {"whole", "real"}
    if numeric:
        yield f"FORMATS {name} ({'F8.0' if column.kind == 'whole' else 'F12.4'})."
        yield f"VARIABLE LEVEL {name} ({_LEVELS[column.measure]})."
    missing = [(one.code, one.label) for one in Missing] if numeric and column.can_miss else []
    labels = [
        f"  {code} {_text(cut_bytes(word, 120))}" for code, word in (*column.values, *missing)
    ]
    if labels:
        yield f"VALUE LABELS {name}"
        yield "\n".join(labels) + "."
    if missing:
        yield f"MISSING VALUES {name} ({', '.join(str(code) for code, _ in missing)})."


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
