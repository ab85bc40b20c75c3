"""The report as a PDF with real text: the sentences, then each figure on a page of A4."""

import io
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from necroangle.analysis.baseline import lines_of
from necroangle.storage import write_atomically
from necroangle.studyreport.content import StudyReport
from necroangle.studyreport.pages import need_extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

__all__ = ["write_pdf"]

A4_IN = (8.27, 11.69)
LINES, LETTERS = 62, 96


def write_pdf(report: StudyReport, path: Path) -> int:
    """Write the report; the file appears whole or not at all. Gives the number of pages.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    need_extra()
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    stream = io.BytesIO()
    facts: dict[str, Any] = {
        "Title": f"Report of the study {report.study}",
        "Creator": report.provenance.software,
        "CreationDate": report.provenance.made,
    }
    pages = 0
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(stream, metadata=facts) as pdf:
        for drawing in _pages(report):
            pdf.savefig(drawing)
            pages += 1
    write_atomically(path, stream.getvalue())
    return pages


def _pages(report: StudyReport) -> "Iterator[Drawing]":
    yield from _text_pages(f"Report of the study {report.study}", _first(report))
    yield from _text_pages("Baseline by ARCO stage", _baseline(report), mono=True)
    for number, figure in enumerate(report.figures, 1):
        drawing = figure.draw()
        drawing.set_size_inches(*A4_IN)
        engine: Any = drawing.get_layout_engine()
        engine.set(rect=(0.08, 0.45, 0.84, 0.46))
        drawing.text(0.08, 0.945, f"{number}. {figure.title}", fontsize=13, weight="bold")
        drawing.text(0.08, 0.42, _wrapped(figure.caption), fontsize=9, va="top")
        yield drawing
    if report.events is not None:
        yield from _text_pages("Time to failure, and what foretells it", _events(report))
    if report.agreement is not None:
        yield from _text_pages("Agreement of the readers", _agreement(report))


def _first(report: StudyReport) -> list[str]:
    made = report.provenance.made.strftime("%Y-%m-%d %H:%M")
    return [
        f"{report.provenance.software}, {made}; pseudonyms only.",
        "",
        *(f"- {one.journal}" for one in report.sentences),
        "",
        "Rules and doubts",
        *(f"- {note}" for note in (*report.outcomes.notes, *report.silent)),
        "",
        "Flow: step, patients, hips",
        *(f"- {one.step}: {one.patients} patients, {one.hips} hips" for one in report.flow),
    ]


def _baseline(report: StudyReport) -> list[str]:
    groups, found_lines = lines_of(report.baseline)
    lines = [f"{'':<26}" + "".join(f"{name:<26}" for name in groups)]
    for one in found_lines:
        title = f"{one.variable}: {one.level}" if one.level else one.variable
        lines.append(f"{title:<26}" + "".join(f"{text:<26}" for text in one.texts(groups)))
    return lines


def _events(report: StudyReport) -> list[str]:
    assert report.events is not None  # noqa: S101
    return [
        f"- {one.quantity.replace('_', ' ')}, {one.group}: {one.text}"
        for one in report.events.quantities
    ]


def _agreement(report: StudyReport) -> list[str]:
    assert report.agreement is not None  # noqa: S101
    return [
        f"- {one.quantity}, {one.statistic}, {one.readers}: {one.text}"
        for one in report.agreement.rows
    ]


def _text_pages(title: str, lines: Sequence[str], *, mono: bool = False) -> "Iterator[Drawing]":
    from matplotlib.figure import Figure as Drawing

    told = list(lines) if mono else [part for line in lines for part in _parts(line)]
    size, font = (7, "monospace") if mono else (9, "sans-serif")
    for first in range(0, max(len(told), 1), LINES):
        drawing = Drawing(figsize=A4_IN)
        drawing.text(0.08, 0.945, title, fontsize=13, weight="bold")
        text = "\n".join(told[first : first + LINES])
        drawing.text(0.08, 0.92, text, fontsize=size, family=font, va="top", linespacing=1.35)
        yield drawing


def _parts(line: str) -> list[str]:
    return textwrap.wrap(line, LETTERS, subsequent_indent="  ") or [""]


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LETTERS))
