"""The report as one HTML file: it opens offline, asks for nothing, runs no script."""

from base64 import b64encode
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from necroangle.errors import CohortError
from necroangle.extras import need_extra
from necroangle.ledger.anchors import with_own_hash
from necroangle.storage import write_atomically
from necroangle.studyreport.content import StudyReport
from necroangle.studyreport.tables import (
    angle_words,
    change_words,
    doubts_of,
    stage_words,
    tables_of,
)

if TYPE_CHECKING:
    from jinja2 import Template


def write_html(report: StudyReport, path: Path) -> None:
    """Write the report; the file appears whole or not at all.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    write_atomically(path, with_own_hash(html_of(report).encode("utf-8"), ".html"))


def html_of(report: StudyReport) -> str:
    """The text of the file. Every word of the cohort is escaped by the template."""
    template = environment("page.html.j2")
    return template.render(report=report, tables=tables_of(report))


def environment(name: str) -> "Template":
    """A template of this package, with the filters that they share.

    Raises
    ------
    CohortError
        If Jinja2 or matplotlib is not installed.
    """
    need_libraries()
    from jinja2 import Environment, StrictUndefined

    source = (files("necroangle.studyreport") / name).read_text("utf-8")
    shared = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    shared.filters.update(
        number=number, jpeg=_jpeg_url, angle=angle_words, change=change_words, stages=stage_words,
        doubts=doubts_of,
    )  # fmt: skip
    return shared.from_string(source)


def _jpeg_url(picture: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(picture).decode()}"


def need_libraries() -> None:
    """Refuse where the libraries of the extra are missing, and say how to get them."""
    need_extra("report", "jinja2", "matplotlib", what="a report", error=CohortError)


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}{unit}"
