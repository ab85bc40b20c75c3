"""The differences as text, as CSV and as one HTML page."""

import html
from collections import Counter
from collections.abc import Iterator

from necroangle.measurement import show_deg
from necroangle.plain_text import csv_line, harmless
from necroangle.review.differences import Differences, RowDifference

SHOWN_CELLS = 6
"""Changed columns that the text names; the CSV has them all."""

_HEAD = ("hip", "visit", "reader", "method", "CNA before", "after", "change", "why")
_CSV_KEY = ("subject", "laterality", "visit", "reader", "read_no", "method")
_CSV_HEAD = (*_CSV_KEY, "causes", "details", "changes_category", "column", "before", "after")

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; color: #1a1a1a }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.grade { font-weight: 600 } .quiet { color: #666 }
"""


def as_text(differences: Differences, most: int | None = None) -> str:
    """A summary, then one paragraph for each row, the hips that change grade on top.

    Parameters
    ----------
    differences
        What changed.
    most
        How many rows get a paragraph; all by default.
    """
    lines = [_summary(differences)]
    for row in differences.rows[:most]:
        lines += ["", *_paragraph(row)]
    return "\n".join(lines)


def as_csv(differences: Differences) -> str:
    """One line for each changed column, text cells made harmless for a spreadsheet."""
    lines = [csv_line(_CSV_HEAD)]
    for row in differences.rows:
        cells = [(cell.column, cell.before, cell.after) for cell in row.cells] or [("", None, None)]
        about = ("; ".join(row.causes), "; ".join(row.details), int(row.changes_category))
        for column, before, after in cells:
            lines.append(csv_line((*row.key, *about, column, before, after)))
    return "".join(lines)


def as_html(differences: Differences) -> str:
    """One page that needs no other file."""
    rows = "\n".join(_html_row(row) for row in differences.rows)
    head = "".join(f"<th>{title}</th>" for title in _HEAD)
    table = f"<table><tr>{head}</tr>\n{rows}\n</table>" if differences.rows else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Re-measurement</title><style>{_STYLE}</style></head><body>"
        f"<h1>Re-measurement</h1><p>{html.escape(_summary(differences))}</p>"
        f"{_html_causes(differences)}{table}</body></html>\n"
    )


def _summary(differences: Differences) -> str:
    changed = len(differences.rows)
    if not changed:
        return f"no differences: {differences.unchanged} rows are the same in every column"
    grades = len(differences.category_changes)
    hips = "1 hip changes" if grades == 1 else f"{grades} hips change"
    rows = "1 row differs" if changed == 1 else f"{changed} rows differ"
    return f"{rows}, {differences.unchanged} the same; {hips} grade"


def _causes(differences: Differences) -> Counter[str]:
    return Counter(str(cause) for row in differences.rows for cause in row.causes)


def _paragraph(row: RowDifference) -> Iterator[str]:
    key = row.key
    mark = "GRADE " if row.changes_category else ""
    yield harmless(
        f"{mark}{key.subject} {key.laterality} {key.visit}, reader {key.reader}, "
        f"read {key.read_no}, {key.method}"
    )
    yield f"  why: {harmless('; '.join((*row.causes, *row.details)))}"
    if row.cna_before_deg != row.cna_after_deg:
        yield f"  CNA: {_angles(row)}"
    if row.changes_category:
        yield f"  grade: {row.category_before} became {row.category_after}"
    names = [cell.column for cell in row.cells]
    if names:
        more = f" and {len(names) - SHOWN_CELLS} more" if len(names) > SHOWN_CELLS else ""
        yield f"  columns: {', '.join(names[:SHOWN_CELLS])}{more}"


def _angles(row: RowDifference) -> str:
    change = "" if row.change_deg is None else f" ({row.change_deg:+.4f}°)"
    return f"{show_deg(row.cna_before_deg)} became {show_deg(row.cna_after_deg)}{change}"


def _html_causes(differences: Differences) -> str:
    counts = _causes(differences).most_common()
    items = "".join(f"<li>{html.escape(cause)}: {count}</li>" for cause, count in counts)
    return f"<ul>{items}</ul>" if items else ""


def _html_row(row: RowDifference) -> str:
    key = row.key
    why = html.escape("; ".join(row.causes))
    details = (
        f'<br><span class="quiet">{_safe("; ".join(row.details))}</span>' if row.details else ""
    )
    grade = ""
    if row.changes_category:
        told = html.escape(f"{row.category_before} → {row.category_after}")
        grade = f'<br><span class="grade">{told}</span>'
    change = "" if row.change_deg is None else f"{row.change_deg:+.3f}°"
    words = (
        f"{key.subject} {key.laterality}",
        key.visit,
        f"{key.reader} #{key.read_no}",
        key.method,
    )
    texts = "".join(f"<td>{_safe(word)}</td>" for word in words)
    numbers = (show_deg(row.cna_before_deg), show_deg(row.cna_after_deg), change)
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f"<tr>{texts}{cells}<td>{why}{grade}{details}</td></tr>"


def _safe(text: str) -> str:
    return html.escape(harmless(text))
