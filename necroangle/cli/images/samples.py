"""``necroangle samples``: the sample studies in a folder of one's own."""

from pathlib import Path

import click

from necroangle.cli.screen import say
from necroangle.plain_text import counted


@click.command("samples")
@click.argument(
    "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("sample_dicoms")
)
def command(folder: Path) -> None:
    """Put the sample studies in FOLDER (by default sample_dicoms).

    Eight studies of seven phantom patients with known truth, their reading files, and a clinical
    table. They show no patient. A file of yours is never overwritten.
    """
    from necroangle.samples import copy_samples

    count = copy_samples(folder)
    written = f"{counted(count, 'file')} written to {folder}"
    say(written if count else f"{folder}: all are there")
    say(f"Read a hip:           necroangle read {folder / 'plain'}")
    say(f"Measure all readings: necroangle measure {folder / 'readings'}")
