"""``necroangle pack``: many reading files in one, for archives of millions."""

from pathlib import Path

import click

from necroangle.cli.given import refusals_told
from necroangle.cli.screen import say


@click.command("pack")
@click.argument("readings", nargs=-1, required=True)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default="readings.parquet",
    show_default=True,
    help="The pack; an old one is replaced.",
)
@click.pass_context
def command(context: click.Context, readings: tuple[str, ...], output: Path) -> None:
    """Pack reading files into one Parquet file, byte for byte.

    `necroangle remeasure` reads the pack as it is; `necroangle unpack` gives the files back.
    Exit code: 0 if every file was packed, 1 if some could not be read, 2 if nothing could be done.
    """
    from necroangle.batch.pack import pack
    from necroangle.plain_text import counted

    found = pack(readings, output)
    say(f"{counted(found.count, 'reading')} packed in {output}")
    refusals_told(found.refusals)
    context.exit(1 if found.refusals else 0)
