"""``necroangle fhir``: a reading as a FHIR bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from necroangle.annotation import HipReading
    from necroangle.batch.study_settings import Measuring

_PAGE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("fhir")
@click.argument("reading", type=click.Path(path_type=Path))
@click.option("--html", type=_PAGE, help="A page of your own in place of the reading's report.")
@click.option("--pdf", type=_PAGE, help="The same to print.")
@click.option("--no-pages", is_flag=True, help="Attach no page.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the bundle to FILE in place of the screen.",
)
@click.option(
    "--identifiers",
    is_flag=True,
    help="The identifiers of the images as they are: for the hospital's own server. "
    "Without it they are replaced, and notes and dates left out.",
)
@click.option("--secret", type=_PAGE, help="The study's secret: the same identifiers in every run.")
def command(
    reading: Path,
    html: Path | None,
    pdf: Path | None,
    no_pages: bool,
    output: Path | None,
    identifiers: bool,
    secret: Path | None,
) -> None:
    """Write a reading as a FHIR R5 bundle (IHE IMR): report, observations, imaging selections.

    The patient is the pseudonym. The reading's report is attached as HTML and PDF, as `necroangle
    report --reading` makes it; `--html` and `--pdf` attach other pages.
    """
    from necroangle.annotation import encode_reading, load_reading, sha256_of
    from necroangle.batch.study_settings import measuring_of
    from necroangle.cli.given import write_data
    from necroangle.dicom.pseudonym import IdentifierCodes, SubjectNames, new_key
    from necroangle.interop.fhir import bundle_of, encoded
    from necroangle.interop.headers import Hidden
    from necroangle.measurement import measure
    from necroangle.study import study_here

    kept = load_reading(reading)
    if not identifiers:
        key = None if secret is None else SubjectNames.from_secret_file(secret).code_key()
        kept = Hidden(IdentifierCodes(key or new_key())).reading(kept)
    measuring = measuring_of(study_here())
    measured = measure(kept, measuring.method, measuring.settings)
    named = (("text/html", html), ("application/pdf", pdf))
    pages = tuple((kind, file.read_bytes()) for kind, file in named if file is not None)
    if not (pages or no_pages):
        pages = _own_pages(kept, measuring)
    bundle = bundle_of(kept, measured, sha256_of(encode_reading(kept)), pages)
    write_data(encoded(bundle).decode(), output)


def _own_pages(reading: HipReading, measuring: Measuring) -> tuple[tuple[str, bytes], ...]:
    """The report of the reading itself, made without its images."""
    from necroangle.studyreport import page_of, reading_html, reading_pdf

    page = page_of(reading, None, measuring)
    return ("text/html", reading_html(page)), ("application/pdf", reading_pdf(page))
