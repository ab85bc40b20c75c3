"""``necroangle read``: napari with the reading dock, in a process of its own."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from necroangle.cli.given import names_options, together
from necroangle.cli.screen import say

with_options = together(
    click.argument(
        "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False
    ),
    click.option("--reader", default="", help="Your code as a reader."),
    click.option(
        "--reading",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A saved reading to go on with.",
    ),
    click.option(
        "--worklist",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Read the cases of a reader study; say your code with --reader.",
    ),
    click.option(
        "--adjudicate",
        nargs=2,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Compare two readers' readings of one hip, and agree on one.",
    ),
    click.option("--screenshot", type=click.Path(path_type=Path), help="Save a picture and exit."),
    click.option("--size", default="1700x950", show_default=True, help="Window size in pixels."),
    click.option(
        "--keys", is_flag=True, help="Say where your own keys stand, and list all, and exit."
    ),
    names_options,
)
"""What a window can be opened with: by this command, and by the window's own."""


@click.command()
@with_options
def command(
    folder: Path | None,
    reader: str,
    reading: Path | None,
    worklist: Path | None,
    adjudicate: tuple[Path, Path] | None,
    screenshot: Path | None,
    size: str,
    keys: bool,
    subjects: Path | None,
    secret: Path | None,
) -> None:
    """Open a study in the reading window."""
    _refuse_mixture(folder, reader, reading, worklist, adjudicate)
    if find_spec("napari") is None or find_spec("qtpy") is None:
        say('necroangle: napari is not installed; pip install "necroangle[gui]"', err=True)
        raise SystemExit(2)
    options = {
        "--reader": reader,
        "--reading": reading,
        "--worklist": worklist,
        "--screenshot": screenshot,
        "--size": size,
        "--subjects": subjects,
        "--secret": secret,
    }
    given = [part for name, value in options.items() if value for part in (name, str(value))]
    given += ["--keys"] if keys else []
    if adjudicate is not None:
        given += ["--adjudicate", *(str(path) for path in adjudicate)]
    place = [str(folder)] if folder is not None else []
    arguments = [sys.executable, "-m", "napari_necroangle", *given, "--", *place]
    raise SystemExit(subprocess.run(arguments, check=False).returncode)


def _refuse_mixture(
    folder: Path | None,
    reader: str,
    reading: Path | None,
    worklist: Path | None,
    adjudicate: tuple[Path, Path] | None,
) -> None:
    """A worklist says itself what is read; it needs to know by whom."""
    if worklist is not None and not reader:
        raise click.UsageError("--worklist needs --reader: your code in the study")
    if worklist is not None and (folder or reading or adjudicate):
        raise click.UsageError("--worklist stands alone: it says which folder is read")
    if adjudicate is not None and reading is not None:
        raise click.UsageError("give either --adjudicate or --reading")
