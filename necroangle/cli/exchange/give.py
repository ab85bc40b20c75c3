"""``necroangle give``: readings as files of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from necroangle.cli.given import (
    out_option,
    reading_files,
    readings_argument,
    refusals_told,
    told_if_not_written,
)
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from pathlib import Path

_POINTS = "points.csv"


@click.command("give")
@readings_argument
@click.option(
    "--as",
    "form",
    type=click.Choice(["slicer", "csv"]),
    required=True,
    help="slicer: markups, a file each. csv: all marks in one table, points.csv.",
)
@out_option("Where the files go.")
@click.option(
    "--system",
    type=click.Choice(["LPS", "RAS"]),
    default="LPS",
    show_default=True,
    help="Coordinate system of the markups.",
)
@click.pass_context
def command(
    context: click.Context,
    readings: tuple[Path, ...],
    form: Literal["slicer", "csv"],
    out: Path,
    system: Literal["LPS", "RAS"],
) -> None:
    """Write readings for other tools. The files stay in the study: they name the images.

    `necroangle take` takes them in again. Exit code: 0 if all were written, 1 if some were refused,
    2 if there was nothing to write.
    """
    from necroangle.annotation import HipReading, load_reading
    from necroangle.batch.study_settings import measuring_of
    from necroangle.errors import NecroangleError
    from necroangle.interop.points_csv import points_table
    from necroangle.interop.slicer import write_markups
    from necroangle.plain_text import counted
    from necroangle.storage import write_atomically
    from necroangle.study import study_here

    files, shut = reading_files(readings)
    refused = [str(one) for one in shut]
    kept: list[HipReading] = []
    measuring = measuring_of(study_here())
    written = 0
    with bars() as shown, told_if_not_written(out):
        bar = shown.begin("writing", len(files))
        for file in files:
            try:
                reading = load_reading(file)
                if form == "slicer":
                    written += len(write_markups(reading, out, system, measuring))
                kept.append(reading)
            except NecroangleError as error:
                words = str(error)
                refused.append(words if file.name in words else f"{file.name}: {words}")
            bar.on()
        if form == "csv":
            out.mkdir(parents=True, exist_ok=True)
            write_atomically(out / _POINTS, points_table(kept).encode())
            written = 1
    told = refusals_told(refused)
    say(f"{counted(written, 'file')} of {counted(len(kept), 'reading')} in {out}{told}")
    context.exit(1 if refused else 0)
