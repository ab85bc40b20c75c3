"""``import.do``: Stata 14 and later."""

from collections.abc import Iterator

from necroangle.export.missing import Missing
from necroangle.export.model import ExportColumn, ExportTable

__all__ = ["stata_script"]

_HEAD = """\
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
        for line in _lines(column, number, reasons.get(column.name, ""))
    ]
    drops = [f"drop {reason}" for reason in reasons.values()]
    return _HEAD + "\n".join([*lines, "", *drops, "compress", ""])


def _lines(column: ExportColumn, number: int, reason: str) -> Iterator[str]:
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
    yield f"label variable {name} {_text(column.label)}"
    yield from _value_labels(column, f"L{number}")


def _value_labels(column: ExportColumn, label: str) -> Iterator[str]:
    if column.kind in {"text", "date"}:
        return
    words = [(str(code), word) for code, word in column.values]
    if column.can_miss:
        words += [(f".{one.letter}", one.label) for one in Missing]
    if words:
        pairs = " ".join(f"{code} {_text(word)}" for code, word in words)
        yield f"label define {label} {pairs}"
        yield f"label values {column.name} {label}"


def _text(text: str) -> str:
    return f'`"{text}"\''
