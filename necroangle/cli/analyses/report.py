"""``necroangle report``: the study's report, to look at and to print."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, images_option, method_option, told_if_not_written
from necroangle.cli.screen import bars, say
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.studyreport import StudyReport


@click.command("report")
@cohort_option
@method_option
@click.option(
    "--out",
    default=Path("report.html"),
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The HTML file: it opens offline, in any browser.",
)
@click.option(
    "--pdf", type=click.Path(dir_okay=False, path_type=Path), help="The same to print, as PDF."
)
@click.option(
    "--figures",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for each figure as SVG, PNG, and CSV of what it shows, and each table as CSV.",
)
@click.option(
    "--reading",
    "reading_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The report of this reading file alone, one page.",
)
@images_option("Folder with the DICOM files, for pictures of the slices; again for several.")
@click.option(
    "--neighbours",
    type=click.IntRange(0, 10),
    default=2,
    show_default=True,
    help="With --images: slices on each side of the marked one, to scroll through.",
)
def command(
    cohort: str | None,
    method: str | None,
    out: Path,
    pdf: Path | None,
    figures: Path | None,
    reading_file: Path | None,
    images: tuple[Path, ...],
    neighbours: int,
) -> None:
    """One file with flow, baseline, figures, time to failure, agreement, and a page for each hip.

    Pseudonyms only; after a replacement or death nothing is shown. Needs the extra report.
    docs/report.md shows one.
    """
    from necroangle.batch import settings_of_study
    from necroangle.review import index_images
    from necroangle.study import cohort_here, protocol_here, study_here
    from necroangle.studyreport import Look, gather, write_html, write_pdf
    from necroangle.studyreport.pages import need_libraries

    need_libraries()
    if reading_file is not None:
        if figures is not None or cohort is not None or method is not None:
            raise click.UsageError("--reading goes with --out, --pdf and --images alone")
        _write_reading(reading_file, images, out, pdf)
        return
    protocol = protocol_here().overridden({"method": method})
    now = datetime.now().astimezone()
    with bars() as shown:
        places = index_images(images, shown.begin("finding the images").to) if images else None
        bar, study = shown.begin("hips"), study_here()
        look = Look(places, settings_of_study(study), neighbours)
        exports = study.exports if study else None
        report = gather(cohort_here(cohort), protocol, now, look, bar.on, exports)
        with told_if_not_written(out):
            write_html(report, out)
        with told_if_not_written(pdf or out):
            pages = write_pdf(report, pdf) if pdf is not None else 0
        if figures is not None:
            with told_if_not_written(figures):
                _write_figures(report, figures)
    hips, drawn = counted(len(report.hips), "hip"), counted(len(report.figures), "figure")
    say(f"{out}: {hips}, {drawn}")
    if pdf is not None:
        say(f"{pdf}: {pages} pages")
    for reason in report.silent:
        say(f"left out: {reason}")


def _write_reading(file: Path, images: Sequence[Path], out: Path, pdf: Path | None) -> None:
    from necroangle.annotation import load_reading
    from necroangle.batch.study_settings import measuring_of
    from necroangle.review import index_images
    from necroangle.study import study_here
    from necroangle.studyreport import page_of, write_reading_html, write_reading_pdf

    places = index_images(images) if images else None
    page = page_of(load_reading(file), places, measuring_of(study_here()))
    write_reading_html(page, out)
    say(f"{out}: {page.title}")
    if pdf is not None:
        write_reading_pdf(page, pdf)
        say(f"{pdf}: 1 page")


def _write_figures(report: StudyReport, folder: Path) -> None:
    from necroangle.analysis.printing import rows_as_csv
    from necroangle.storage import write_atomically
    from necroangle.studyreport.tables import tables_of

    folder.mkdir(parents=True, exist_ok=True)
    for one in report.figures:
        write_atomically(folder / f"{one.name}.svg", one.svg().encode())
        write_atomically(folder / f"{one.name}.png", one.png())
        write_atomically(folder / f"{one.name}.csv", rows_as_csv(one.rows).encode())
    for table in tables_of(report).values():
        write_atomically(folder / f"table_{table.name}.csv", rows_as_csv(table.cells).encode())
