"""The report as a PDF with real text on A4: sentences, tables, figures, and each hip."""

import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from necroangle.ledger.anchors import with_own_hash
from necroangle.storage import write_atomically
from necroangle.studyreport.content import HipPage, StudyReport, ViewDrawing
from necroangle.studyreport.figures import Figure
from necroangle.studyreport.pages import need_libraries
from necroangle.studyreport.tables import Table, tables_of, visits_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    Box = tuple[float, float, float, float]
    """Left, bottom, width and height as shares of the sheet."""

A4_PT = (595.0, 842.0)
LEFT_PT, RIGHT_PT, TOP_PT, BOTTOM_PT = 48.0, 547.0, 800.0, 48.0
TEXT_PT, TABLE_PT, LEADING = 9.0, 7.5, 1.3
LETTER = 0.55
"""Mean width of a letter beside the size of its font; bold is a tenth wider."""


def write_pdf(report: StudyReport, path: Path) -> int:
    """Write the report; the file appears whole or not at all. Gives the number of pages.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    need_libraries()
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    stream = io.BytesIO()
    facts: dict[str, Any] = {
        "Title": f"Report of the study {report.study}",
        "Creator": report.provenance.software,
        "CreationDate": report.provenance.made,
        "Subject": f"locked state: {report.provenance.state or 'none'}",
        "Keywords": report.provenance.anchor,
    }
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(stream, metadata=facts) as pdf:
        sheets = _Sheets(f"{report.study}, {report.provenance.made:%Y-%m-%d}", pdf.savefig)
        _write(report, sheets)
        sheets.turn()
    write_atomically(path, with_own_hash(stream.getvalue(), ".pdf"))
    return sheets.number


def _write(report: StudyReport, sheets: "_Sheets") -> None:
    tables = tables_of(report)
    sheets.heading(f"Report of the study {report.study}", 15)
    made = report.provenance.made.strftime("%Y-%m-%d %H:%M")
    sheets.text(
        f"{report.provenance.software}, {made}. Pseudonyms only. After a replacement or death no "
        "angle or stage is shown."
    )
    sheets.heading("Results in sentences")
    sheets.points([one.journal for one in report.sentences])
    for name in ("flow", "baseline"):
        if name in tables:
            sheets.table(tables[name])
    for number, figure in enumerate(report.figures, 1):
        sheets.figure(figure, number)
    for name in ("time_to_failure", "failure_rules", "agreement", "grades_that_flip",
                 "calibration", "queries", "flags"):  # fmt: skip
        if name in tables:
            sheets.table(tables[name])
        if name == "time_to_failure" and report.events is not None:
            sheets.points(report.events.notes)
        if name == "agreement" and report.agreement is not None:
            sheets.points(report.agreement.notes)
    sheets.heading("Rules and doubts")
    sheets.points([*report.outcomes.notes, *report.silent])
    sheets.table(tables["provenance"])
    for hip in report.hips:
        _write_hip(hip, sheets)


def _write_hip(hip: HipPage, sheets: "_Sheets") -> None:
    sheets.turn()
    sheets.heading(hip.name, 13)
    sheets.text(hip.summary)
    sheets.table(visits_table(hip), titled=False)
    for one in hip.visits:
        if one.pictures:
            sheets.picture(one.pictures[0], f"{hip.name}, {one.visit.planned.name}")
    drawn = [
        (f"{one.visit.planned.name}: {view.label}", view)
        for one in hip.visits
        if not one.pictures
        for view in one.drawings
    ]
    sheets.views(drawn)


class _Sheets:
    """Sheets of A4 that are filled from top to bottom; a full one is handed on.

    Parameters
    ----------
    footer
        Stands below every sheet, before its number.
    hand_on
        Takes a sheet that is done.
    """

    def __init__(self, footer: str, hand_on: "Callable[[Drawing], None]") -> None:
        self.number = 0
        self._footer, self._hand_on = footer, hand_on
        self._sheet: Drawing | None = None
        self._down = TOP_PT

    def turn(self) -> None:
        """Begin the next sheet with what comes."""
        if self._sheet is not None:
            self._hand_on(self._sheet)
        self._sheet, self._down = None, TOP_PT

    def _need(self, points: float) -> None:
        if self._sheet is not None and self._down - points < BOTTOM_PT:
            self.turn()

    @property
    def _paper(self) -> "Drawing":
        if self._sheet is None:
            from matplotlib.figure import Figure as Drawing

            self._sheet = Drawing(figsize=(A4_PT[0] / 72, A4_PT[1] / 72))
            self._foot(self._sheet)
        return self._sheet

    def _foot(self, sheet: "Drawing") -> None:
        self.number += 1
        place = (LEFT_PT / A4_PT[0], 24 / A4_PT[1])
        sheet.text(*place, f"{self._footer}    page {self.number}", fontsize=7, color="0.35")

    def _say(self, text: str, x_pt: float, size: float, *, bold: bool = False) -> None:
        self._paper.text(
            x_pt / A4_PT[0], self._down / A4_PT[1], text, fontsize=size, va="top",
            linespacing=LEADING, weight="bold" if bold else "normal", parse_math=False,
        )  # fmt: skip

    def heading(self, text: str, size: float = 11) -> None:
        """A heading, which stays with what follows."""
        self._need(size + 60)
        self._down -= 8
        self._say(text, LEFT_PT, size, bold=True)
        self._down -= size + 8

    def text(self, text: str, indent_pt: float = 0.0) -> None:
        """A paragraph."""
        lines = _wrapped(text, RIGHT_PT - LEFT_PT - indent_pt, TEXT_PT)
        height = len(lines) * TEXT_PT * LEADING
        self._need(height)
        self._say("\n".join(lines), LEFT_PT + indent_pt, TEXT_PT)
        self._down -= height + 3

    def points(self, texts: Sequence[str]) -> None:
        """Paragraphs with a dash before each."""
        for text in texts:
            self._need(TEXT_PT * LEADING * len(_wrapped(text, RIGHT_PT - LEFT_PT - 10, TEXT_PT)))
            self._say("–", LEFT_PT, TEXT_PT)
            self.text(text, 10)

    def table(self, table: Table, *, titled: bool = True) -> None:
        """A table; its headings stand again on every sheet that it reaches."""
        self._need(140)
        if titled:
            self.heading(table.title)
            self.text(table.caption)
        total = sum(table.shares)
        widths = [(RIGHT_PT - LEFT_PT) * share / total for share in table.shares]
        head = _fitted(table.columns, widths, bold=True)
        self._need(_height(head) + 40)
        self._row(head, widths, bold=True)
        for span, row in table.spans():
            cells = _fitted(row if span else ("", *row[1:]), widths)
            if self._down - _height(cells) < BOTTOM_PT:
                self.turn()
                self._row(head, widths, bold=True)
                cells = _fitted(row, widths)
            self._row(cells, widths, ruled=span > 0)
        self._down -= 6

    def _row(
        self,
        cells: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        bold: bool = False,
        ruled: bool = True,
    ) -> None:
        x_pt = LEFT_PT
        if ruled:
            self._rule("0.2" if bold else "0.75")
        self._down -= 2.5
        for place, (lines, width) in enumerate(zip(cells, widths, strict=True)):
            self._say("\n".join(lines), x_pt, TABLE_PT, bold=bold or not place)
            x_pt += width
        self._down -= _height(cells) - 2.5

    def _rule(self, colour: str) -> None:
        from matplotlib.lines import Line2D

        y = self._down / A4_PT[1]
        ends = [LEFT_PT / A4_PT[0], RIGHT_PT / A4_PT[0]]
        self._paper.add_artist(Line2D(ends, [y, y], color=colour, linewidth=0.6))

    def figure(self, figure: Figure, number: int) -> None:
        """A figure on a sheet of its own, drawn anew."""
        self.turn()
        drawing = figure.draw()
        wide, high = drawing.get_size_inches()
        share = min(high / wide * 0.84 * A4_PT[0] / A4_PT[1], 0.8)
        drawing.set_size_inches(A4_PT[0] / 72, A4_PT[1] / 72)
        engine: Any = drawing.get_layout_engine()
        engine.set(rect=(0.08, 0.92 - share, 0.84, share))
        drawing.text(0.08, 0.945, f"{number}. {figure.title}", fontsize=12, weight="bold")
        caption = "\n".join(_wrapped(figure.caption, RIGHT_PT - LEFT_PT, TEXT_PT))
        drawing.text(0.08, 0.9 - share, caption, fontsize=TEXT_PT, va="top")
        self._foot(drawing)
        self._hand_on(drawing)

    def _box(self, x_pt: float, width_pt: float, height_pt: float) -> "Box":
        return (x_pt / A4_PT[0], (self._down - height_pt) / A4_PT[1], width_pt / A4_PT[0],
                height_pt / A4_PT[1])  # fmt: skip

    def picture(self, jpeg: bytes, caption: str) -> None:
        """A picture over the whole width, with its caption above."""
        from PIL import Image

        picture = np.asarray(Image.open(io.BytesIO(jpeg)))
        width = RIGHT_PT - LEFT_PT
        height = width * picture.shape[0] / picture.shape[1]
        self._need(height + 24)
        self.text(caption)
        axes = self._paper.add_axes(self._box(LEFT_PT, width, height))
        axes.axis("off")
        axes.imshow(picture, aspect="auto")
        self._down -= height + 8

    def views(self, drawn: Sequence[tuple[str, ViewDrawing]]) -> None:
        """Drawings of views, four in a row, each with its label below."""
        side, gap = 116.0, 11.0
        for first in range(0, len(drawn), 4):
            self._need(side + 40)
            some = drawn[first : first + 4]
            for place, (_, view) in enumerate(some):
                _draw_view(self._paper, self._box(LEFT_PT + place * (side + gap), side, side), view)
            self._down -= side + 3
            fitted = [_wrapped(label, side, 7.0) for label, _ in some]
            for place, lines in enumerate(fitted):
                self._say("\n".join(lines), LEFT_PT + place * (side + gap), 7.0)
            self._down -= max(map(len, fitted)) * 7.0 * LEADING + 8


def _wrapped(text: str, width_pt: float, size: float, *, bold: bool = False) -> list[str]:
    letters = int(width_pt / (size * LETTER * (1.1 if bold else 1.0)))
    return textwrap.wrap(text, max(letters, 4)) or [""]


def _fitted(
    texts: Sequence[str], widths: Sequence[float], *, bold: bool = False
) -> list[list[str]]:
    return [
        _wrapped(text, width - 6, TABLE_PT, bold=bold or not place)
        for place, (text, width) in enumerate(zip(texts, widths, strict=True))
    ]


def _height(cells: Sequence[Sequence[str]]) -> float:
    return max(map(len, cells)) * TABLE_PT * LEADING + 5


def _draw_view(sheet: "Drawing", box: "Box", view: ViewDrawing) -> None:
    """A view from its marks: the head circle, the sectors of necrosis, the rim marks.

    Straight on the sheet: axes, of which a large study has thousands, take most of the time.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle, Wedge
    from matplotlib.transforms import Affine2D, Bbox, TransformedBbox

    circle = view.measured.circle
    if circle is None:
        return
    u, v = circle.centre_mm
    reach = 1.25 * circle.radius_mm
    x, y, width, height = box
    place = (
        Affine2D().translate(reach - u, -reach - v).scale(width / 2 / reach, -height / 2 / reach)
    )
    place.translate(x, y)
    drawn: list[Any] = [
        Wedge((u, v), circle.radius_mm, *arc.interval_deg(), facecolor="#ef9a9a",
              edgecolor="#c62828", hatch="//", linewidth=1)
        for arc in view.measured.arcs
    ]  # fmt: skip
    drawn.append(Circle((u, v), circle.radius_mm, fill=False, edgecolor="#37474f", linewidth=1.2))
    if view.rim_mm:
        marks = zip(*view.rim_mm, strict=True)
        drawn.append(Line2D(*marks, linestyle="", marker=".", color="#1565c0", markersize=3))
    for one in drawn:
        one.set_transform(place + sheet.transFigure)
        sheet.add_artist(one)
        one.set_clip_box(TransformedBbox(Bbox.from_bounds(*box), sheet.transFigure))
