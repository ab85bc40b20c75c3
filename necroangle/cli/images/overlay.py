"""``necroangle overlay``: the quality picture of every reading."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import (
    images_option,
    reading_files,
    readings_argument,
    told_if_not_written,
    write_data,
)
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.review import PictureReport


@click.command("overlay")
@readings_argument
@images_option(required=True)
@click.option(
    "--out",
    default=Path("pictures"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the pictures go, and missing.csv with the images that were not found.",
)
@click.option(
    "--method",
    "method_name",
    metavar="NAME",
    help="Method; by default the study's, else by image kind.",
)
@click.option(
    "--pdf",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A contact sheet of all pictures, eight on a page.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes; the pictures do not depend on it.",
)
@click.pass_context
def command(
    context: click.Context,
    readings: tuple[Path, ...],
    images: tuple[Path, ...],
    out: Path,
    method_name: str | None,
    pdf: Path | None,
    workers: int,
) -> None:
    """Draw every reading: both slices with circle, rays, arc, numbers and flags.

    Identity in a picture is the pseudonym alone. An image that is in none of the folders is listed
    and drawn black; the others go on. Exit code: 0 if all were drawn with their images, 1 if some
    were not, 2 if there was nothing to draw.
    """
    from necroangle.batch.study_settings import measuring_of
    from necroangle.measurement import measure, method_named
    from necroangle.review import draw_files, index_images, write_contact_sheet
    from necroangle.study import study_here

    files, shut = reading_files(readings)
    measuring = measuring_of(study_here())
    measured = measuring.measure
    if method_name:
        measured = partial(measure, method=method_named(method_name), settings=measuring.settings)
    with bars() as shown:
        places = index_images(images, shown.begin("finding the images").to)
        bar = shown.begin("drawing", len(files))
        report = draw_files(
            files,
            places,
            out,
            measured=measured,
            workers=workers,
            progress=bar.on,
        )
        if pdf is not None and report.pictures:
            with told_if_not_written(pdf.name):
                write_contact_sheet(report.pictures, pdf, shown.begin("contact sheet").on)
    _tell(report, [str(one) for one in shut], out)
    context.exit(1 if report.missing or report.refused or shut else 0)


def _tell(report: PictureReport, shut: Sequence[str], out: Path) -> None:
    from necroangle.plain_text import counted, csv_line

    table = out / "missing.csv"
    lines = [(one.file, one.view, one.why) for one in report.missing]
    lines += [(name, "", why) for name, why in report.refused]
    write_data("".join(map(csv_line, (("reading", "view", "why"), *lines))), table)
    for line in (*map(str, report.missing), *(f"{n}: {why}" for n, why in report.refused), *shut):
        say(line, err=True)
    words = f"{len(report.pictures)} drawn in {out}"
    if report.missing:
        words += f"; {counted(len(report.missing), 'image')} not drawn (see {table.name})"
    if report.refused:
        words += f"; {counted(len(report.refused), 'reading')} refused"
    say(words)
