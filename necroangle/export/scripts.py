"""Scripts that read ``cohort.csv`` into R, SPSS, Stata and Python: types, labels, codes.

R is plain R, Python needs pandas and nothing else; SPSS's script runs in PSPP too.
"""

import json
import math
from collections.abc import Iterator

import numpy as np

from necroangle.export.columns import TEXT_LIMIT, ExportColumn, Missing, cut_bytes
from necroangle.export.table import ExportTable

_R_HEAD = """\
# Reads cohort.csv as it was exported by necroangle: types, labels, codes as factors.
# In R: source("import.R", encoding = "UTF-8"); the table is then `cohort`.
# Why a value is NA stands in <name>_missing_reason. Two hips of one patient are correlated:
# cluster by patient_id.

if (!exists("cohort_folder")) cohort_folder <- "."
cohort <- read.csv(file.path(cohort_folder, "cohort.csv"), colClasses = "character",
                   na.strings = character(0), encoding = "UTF-8", check.names = FALSE)
names(cohort)[1] <- sub("^\\ufeff", "", names(cohort)[1])

.text <- function(name, label) {
  x <- sub("^'", "", cohort[[name]])
  why <- cohort[[paste0(name, "_missing_reason")]]
  if (!is.null(why)) x[why != ""] <- NA
  attr(x, "label") <- label
  x
}
.number <- function(name, label) {
  x <- as.numeric(ifelse(cohort[[name]] == "", NA, cohort[[name]]))
  attr(x, "label") <- label
  x
}
.date <- function(name, label) {
  x <- as.Date(ifelse(cohort[[name]] == "", NA, cohort[[name]]))
  attr(x, "label") <- label
  x
}
.code <- function(name, label, codes, labels, ordered) {
  x <- factor(cohort[[name]], levels = as.character(codes), labels = labels, ordered = ordered)
  attr(x, "label") <- label
  x
}

"""


def r_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into R with labels, factors and types."""
    return _R_HEAD + "".join(map(_r_line, table.columns)) + "\n"


def _r_line(column: ExportColumn) -> str:
    name, label = _r_text(column.name), _r_text(column.label)
    if column.values and column.kind == "whole":
        codes = ", ".join(str(code) for code, _ in column.values)
        labels = ", ".join(_r_text(word) for _, word in column.values)
        ordered = "TRUE" if column.measure == "ordinal" else "FALSE"
        call = f".code({name}, {label}, c({codes}), c({labels}), {ordered})"
    else:
        kind = {"text": ".text", "date": ".date"}.get(column.kind, ".number")
        call = f"{kind}({name}, {label})"
    return f"cohort[[{name}]] <- {call}\n"


def _r_text(text: str) -> str:
    """A string literal of R: JSON's escapes are R's."""
    return json.dumps(text, ensure_ascii=False)


_SPSS_HEAD = """\
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

_SPSS_LEVELS = {"nominal": "NOMINAL", "ordinal": "ORDINAL", "scale": "SCALE"}
_SPSS_WIDTHS = (64, 256, TEXT_LIMIT + 48)


def spss_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into SPSS or PSPP."""
    asked = [column for column in table.columns if column.can_miss]
    lines = [
        *_spss_variables(table),
        *(f"    {column.reason_name} A16" for column in asked),
        "  .",
        "",
        *(line for column in table.columns for line in _spss_values(column)),
        *_spss_clashes(table),
        "* Values first: a declared missing value would no longer compare equal to its code.",
        "EXECUTE.",
        "",
        *(line for column in table.columns for line in _spss_labels(column)),
        "",
        *(f"DELETE VARIABLES {c.reason_name}." for c in asked if c.kind in {"whole", "real"}),
        "EXECUTE.",
    ]
    return _SPSS_HEAD + "\n".join(lines) + "\n"


def _spss_variables(table: ExportTable) -> Iterator[str]:
    for column, cells in zip(table.columns, table.data, strict=True):
        if isinstance(cells.values, list):
            longest = max((len(text.encode()) for text in set(cells.values)), default=0) + 1
            yield f"    {column.name} A{next(w for w in _SPSS_WIDTHS if longest <= w)}"
        else:
            yield f"    {column.name} {'SDATE10' if column.kind == 'date' else 'F32.0'}"


def _spss_values(column: ExportColumn) -> Iterator[str]:
    """Take the guard from texts; give each missing number its code."""
    name = column.name
    if column.kind == "text":
        yield f'IF (SUBSTR({name}, 1, 1) = "\'") {name} = SUBSTR({name}, 2).'
    elif column.kind != "date" and column.can_miss:
        for reason in Missing:
            yield f"IF ({column.reason_name} = '{reason.word}') {name} = {reason.code}."


def _spss_clashes(table: ExportTable) -> Iterator[str]:
    """Move by a hair what is the code of a missing value by chance, so that it stays a value."""
    codes = [float(reason.code) for reason in Missing]
    for column, cells in zip(table.columns, table.data, strict=True):
        if column.kind in {"whole", "real"} and column.can_miss:
            for code in np.intersect1d(cells.values, codes).tolist():
                hair = math.nextafter(code, 0.0)
                yield f"IF ({column.reason_name} = '' AND {column.name} = {code:g})"
                yield f"  {column.name} = {hair!r}."


def _spss_labels(column: ExportColumn) -> Iterator[str]:
    name = column.name
    yield f"VARIABLE LABELS {name} {_spss_text(column.label)}."
    numeric = column.kind in {"whole", "real"}
    if numeric:
        yield f"FORMATS {name} ({'F8.0' if column.kind == 'whole' else 'F12.4'})."
        yield f"VARIABLE LEVEL {name} ({_SPSS_LEVELS[column.measure]})."
    missing = [(one.code, one.label) for one in Missing] if numeric and column.can_miss else []
    labels = [
        f"  {code} {_spss_text(cut_bytes(word, 120))}" for code, word in (*column.values, *missing)
    ]
    if labels:
        yield f"VALUE LABELS {name}"
        yield "\n".join(labels) + "."
    if missing:
        yield f"MISSING VALUES {name} ({', '.join(str(code) for code, _ in missing)})."


def _spss_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_STATA_HEAD = """\
* Reads cohort.csv as it was exported by necroangle: labels, codes, and .a .b .c where a value is
* missing (a not applicable, b image not readable, c not done).
* Set the working folder to this one first: cd "folder".
* Two hips of one patient are correlated: vce(cluster patient_id), with encode where a number is
* needed.

version 14
clear
import delimited using "cohort.csv", varnames(nonames) rowrange(2) stringcols(_all) ///
    bindquotes(strict) encoding("utf-8")
"""


def stata_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into Stata.

    The columns are read by their number, since a heading of more than 32 letters is cut.
    """
    asked = [column.name for column in table.columns if column.can_miss]
    first = len(table.columns) + 1
    reasons = {name: f"v{number}" for number, name in enumerate(asked, first)}
    lines = [
        line
        for number, column in enumerate(table.columns, 1)
        for line in _stata_lines(column, number, reasons.get(column.name, ""))
    ]
    drops = [f"drop {reason}" for reason in reasons.values()]
    return _STATA_HEAD + "\n".join([*lines, "", *drops, "compress", ""])


def _stata_lines(column: ExportColumn, number: int, reason: str) -> Iterator[str]:
    name, raw = column.name, f"v{number}"
    yield ""
    if column.kind == "text":
        yield f"rename {raw} {name}"
        yield f'replace {name} = substr({name}, 2, .) if substr({name}, 1, 1) == "\'"'
    elif column.kind == "date":
        yield f'generate long {name} = date({raw}, "YMD")'
        yield f"format {name} %td"
        yield f"drop {raw}"
    else:
        yield f"generate double {name} = real({raw})"
        yield f"drop {raw}"
    if reason and column.kind != "text":
        for one in Missing:
            yield f'replace {name} = .{one.letter} if {reason} == "{one.word}"'
    yield f"label variable {name} {_stata_text(column.label)}"
    yield from _stata_labels(column, f"L{number}")


def _stata_labels(column: ExportColumn, label: str) -> Iterator[str]:
    if column.kind in {"text", "date"}:
        return
    words = [(str(code), word) for code, word in column.values]
    if column.can_miss:
        words += [(f".{one.letter}", one.label) for one in Missing]
    if words:
        pairs = " ".join(f"{code} {_stata_text(word)}" for code, word in words)
        yield f"label define {label} {pairs}"
        yield f"label values {column.name} {label}"


def _stata_text(text: str) -> str:
    return f'`"{text}"\''


_PYTHON_HEAD = '''\
"""Reads cohort.csv as it was exported by necroangle: types, labels, codes as categories.

    import runpy

    cohort = runpy.run_path("import.py")["load"]()
    cohort.attrs["labels"]["cna_deg"]

Why a value is missing stands in <name>_missing_reason. Two hips of one patient are correlated:
cluster by patient_id.
"""

import json
from pathlib import Path

import pandas as pd

COLUMNS = json.loads(
    r"""
'''

_PYTHON_TAIL = '''
"""
)


def load(folder=Path(__file__).resolve().parent, codes_as_labels=True):
    """The table: string, Int64, Float64, dates, and categories where there are codes."""
    raw = pd.read_csv(
        Path(folder) / "cohort.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    found = {column["name"]: _typed(raw, column, codes_as_labels) for column in COLUMNS}
    reasons = {name: raw[name].astype("string") for name in raw if name not in found}
    frame = pd.DataFrame({**found, **reasons})
    frame.attrs["labels"] = {column["name"]: column["label"] for column in COLUMNS}
    frame.attrs["units"] = {column["name"]: column["unit"] for column in COLUMNS}
    frame.attrs["values"] = {column["name"]: column["values"] for column in COLUMNS}
    return frame


def _typed(raw, column, codes_as_labels):
    text, kind = raw[column["name"]], column["kind"]
    why = raw.get(column["name"] + "_missing_reason")
    gone = text.eq("") if kind != "text" else why.ne("") if why is not None else text.ne(text)
    if kind == "text":
        return text.str.replace("^'", "", regex=True).astype("string").mask(gone)
    if kind == "date":
        return pd.to_datetime(text.mask(gone))
    if kind == "real":
        numbers = [None if cell == "" else float(cell) for cell in text]
        return pd.Series(numbers, dtype="Float64")
    codes = pd.Series([None if cell == "" else int(cell) for cell in text], dtype="Int64")
    if not (column["values"] and codes_as_labels):
        return codes
    labels = {code: label for code, label in column["values"]}
    ordered = column["measure"] == "ordinal"
    kinds = pd.CategoricalDtype(list(labels.values()), ordered=ordered)
    return codes.map(labels, na_action="ignore").astype(kinds)


if __name__ == "__main__":
    cohort = load()
    print(cohort.dtypes.to_string())
    print(f"{len(cohort)} rows, {cohort.patient_id.nunique()} patients")
'''


def python_script(table: ExportTable) -> str:
    """The script that reads ``cohort.csv`` into a pandas data frame."""
    columns = [
        {
            "name": column.name,
            "kind": column.kind,
            "label": column.label,
            "unit": column.unit,
            "measure": column.measure,
            "values": column.values,
        }
        for column in table.columns
    ]
    lines = ",\n".join(json.dumps(column) for column in columns)
    return f"{_PYTHON_HEAD}[\n{lines}\n]{_PYTHON_TAIL}"
