"""The report of one reading: a page for the surgeon, as HTML and as PDF."""

import io
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from necroangle import __version__
from necroangle.annotation import HipReading, encode_reading, sha256_of
from necroangle.batch.study_settings import BY_IMAGE, Measuring
from necroangle.dicom import GuardedReader
from necroangle.measurement import HipMeasurement
from necroangle.review.pictures import ImagePlaces
from necroangle.storage import write_atomically
from necroangle.studyreport.content import (
    Look,
    ViewDrawing,
    doubts_of_marks,
    drawings_of,
    grade_words,
    pictures_of,
)
from necroangle.studyreport.pages import environment, need_libraries

SIDES = {"L": "left hip", "R": "right hip"}


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """What the page of a reading says.

    Attributes
    ----------
    title, sum, grade
        Whose hip, the angle with its interval, the grade with its probabilities.
    lines
        Name and value of every other number.
    doubts
        What is to be looked at, one sentence each.
    drawings, pictures
        The views from their marks; both slices with marks and without, JPEG, where images are at
        hand.
    source
        Method, software, and the hash of the reading.
    """

    title: str
    sum: str
    grade: str
    lines: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    drawings: tuple[ViewDrawing, ...]
    pictures: tuple[bytes, ...]
    source: str


def page_of(
    reading: HipReading, images: ImagePlaces | None = None, measuring: Measuring = BY_IMAGE
) -> ReadingPage:
    """The page of a reading, measured as its study does.

    Raises
    ------
    NecroangleError
        If the reading cannot be measured.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> page = page_of(readings_of(sample_studies()["plain"])[0])
    >>> page.title, page.sum.startswith("CNA ")
    ('PHANTOM-01, right hip, visit baseline', True)
    """
    found = measuring.measure(reading)
    with GuardedReader() as decoder:
        pictures = pictures_of(reading, found, images, decoder)
        drawings = drawings_of(reading, found, Look(), decoder)
    total = found.cna.show_deg() if found.cna else "not measured: a view is missing"
    return ReadingPage(
        f"{reading.subject}, {SIDES[reading.laterality]}, visit {reading.visit}",
        f"CNA {total}",
        grade_words(found),
        tuple(_lines(reading, found)),
        doubts_of_marks(found),
        drawings,
        pictures,
        f"{found.method.title}; necroangle {__version__}; reading "
        f"{sha256_of(encode_reading(reading))[:16]}; intervals are 95 %",
    )


def _lines(reading: HipReading, found: HipMeasurement) -> list[tuple[str, str]]:
    lines = [
        (f"{letter}, {view.view.label}", view.estimate.show_deg())
        for letter, view in (("A", found.a), ("B", found.b))
        if view is not None
    ]
    for letter, view in (("A", found.a), ("B", found.b)):
        if view is not None and view.circle is not None and not found.method.radiograph:
            lines.append((f"{letter}, radius of the head", f"{view.circle.radius_mm:.1f} mm"))
    lines.append(("read by", f"{reading.reader}, read {reading.read_no}"))
    return lines


def write_reading_html(page: ReadingPage, path: Path) -> None:
    """Write the page; the file appears whole or not at all.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    write_atomically(path, reading_html(page))


def reading_html(page: ReadingPage) -> bytes:
    """The page as one HTML file that opens offline.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    html: str = environment("reading.html.j2").render(page=page)
    return html.encode("utf-8")


def write_reading_pdf(page: ReadingPage, path: Path) -> None:
    """Write the page as PDF; the file appears whole or not at all.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    write_atomically(path, reading_pdf(page))


def reading_pdf(page: ReadingPage) -> bytes:
    """The page as one sheet of A4 with real text.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    need_libraries()
    import matplotlib as mpl
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(8.27, 11.69))
    drawing.text(0.08, 0.945, page.title, fontsize=14, weight="bold")
    drawing.text(0.08, 0.915, page.sum, fontsize=14)
    drawing.text(0.08, 0.89, _wrapped(page.grade), fontsize=10, va="top")
    top = 0.82
    if page.pictures:
        from matplotlib.image import imread

        axes = drawing.add_axes((0.08, 0.44, 0.84, 0.38))
        axes.imshow(imread(io.BytesIO(page.pictures[0]), format="jpeg"))
        axes.axis("off")
        top = 0.42
    told = [f"{name}: {value}" for name, value in page.lines]
    told += ["", *(f"- {doubt}" for doubt in page.doubts), "", page.source]
    text = "\n".join(_wrapped(line) for line in told)
    drawing.text(0.08, top, text, fontsize=9, va="top", linespacing=1.4)
    stream = io.BytesIO()
    facts: dict[str, Any] = {"Title": page.title, "CreationDate": None}
    with mpl.rc_context({"pdf.fonttype": 42}):
        drawing.savefig(stream, format="pdf", metadata=facts)
    return stream.getvalue()


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 92))
