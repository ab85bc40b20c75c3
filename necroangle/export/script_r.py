"""``import.R``: base R, no package needed."""

import json

from necroangle.export.model import ExportColumn, ExportTable

__all__ = ["r_script"]

_HEAD = """\
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
    return _HEAD + "".join(map(_line, table.columns)) + "\n"


def _line(column: ExportColumn) -> str:
    name, label = _text(column.name), _text(column.label)
    if column.values and column.kind == "whole":
        codes = ", ".join(str(code) for code, _ in column.values)
        labels = ", ".join(_text(word) for _, word in column.values)
        ordered = "TRUE" if column.measure == "ordinal" else "FALSE"
        call = f".code({name}, {label}, c({codes}), c({labels}), {ordered})"
    else:
        kind = {"text": ".text", "date": ".date"}.get(column.kind, ".number")
        call = f"{kind}({name}, {label})"
    return f"cohort[[{name}]] <- {call}\n"


def _text(text: str) -> str:
    """A string literal of R: JSON's escapes are R's."""
    return json.dumps(text, ensure_ascii=False)
