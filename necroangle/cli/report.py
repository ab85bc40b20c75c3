"""``necroangle report``: the study's report, to look at and to print."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import bars

if TYPE_CHECKING:
    from necroangle.studyreport import StudyReport

__all__ = ["command"]


@click.command("report")
@click.option("--cohort", metavar="FILE", help="The cohort table.  [default: the study's]")
@click.option("--method", metavar="NAME", help="Measuring method, where the cohort has several.")
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
    help="Folder for each figure as SVG, PNG, and CSV of what it shows.",
)
def command(
    cohort: str | None, method: str | None, out: Path, pdf: Path | None, figures: Path | None
) -> None:
    """One file with flow, baseline, figures, time to failure, agreement, and a page for each hip.

    Pseudonyms only; after a replacement or death nothing is shown. Needs the extra report.
    docs/report.md shows one.
    """
    from necroangle.study import cohort_here, protocol_here
    from necroangle.studyreport import gather, write_html, write_pdf
    from necroangle.studyreport.pages import need_extra

    need_extra()
    protocol = protocol_here().overridden({"method": method})
    with bars() as shown:
        bar = shown.begin("hips")
        report = gather(cohort_here(cohort), protocol, datetime.now().astimezone(), bar.on)
        write_html(report, out)
        pages = write_pdf(report, pdf) if pdf is not None else 0
        if figures is not None:
            _write_figures(report, figures)
    click.echo(f"{out}: {len(report.hips)} hips, {len(report.figures)} figures")
    if pdf is not None:
        click.echo(f"{pdf}: {pages} pages")
    for reason in report.silent:
        click.echo(f"left out: {reason}")


def _write_figures(report: StudyReport, folder: Path) -> None:
    from necroangle.analysis.printing import rows_as_csv
    from necroangle.storage import write_atomically

    folder.mkdir(parents=True, exist_ok=True)
    for one in report.figures:
        write_atomically(folder / f"{one.name}.svg", one.svg().encode())
        write_atomically(folder / f"{one.name}.png", one.png())
        write_atomically(folder / f"{one.name}.csv", rows_as_csv(one.rows).encode())
