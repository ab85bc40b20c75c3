"""``python -m napari_necroangle FOLDER``: the reading window with a study open."""

import gc
import logging
import os
import signal
import sys
from pathlib import Path

import click

from necroangle.cli.given import subject_names
from necroangle.cli.readings.read import with_options
from necroangle.errors import ReadingError


@click.command()
@with_options
def main(
    folder: Path | None,
    reader: str,
    reading: Path | None,
    worklist: Path | None,
    adjudicate: tuple[Path, Path] | None,
    size: str,
    screenshot: Path | None,
    keys: bool,
    subjects: Path | None,
    secret: Path | None,
) -> None:
    """Open the reading window."""
    _take_keys(shows_them=keys)
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        click.echo(
            "necroangle: there is no display; run on a desktop, or under xvfb-run for pictures",
            err=True,
        )
        raise SystemExit(2)
    logging.getLogger("vispy").setLevel(logging.ERROR)  # a virtual screen has no size in mm
    from napari.qt import get_qapp

    from napari_necroangle.window import open_window, save_picture

    width, height = (int(part) for part in size.split("x"))
    dock = open_window((width, height), reader=reader)
    dock.workspace.names = subject_names(subjects, secret)
    if folder is not None:
        dock.open_folder(folder)
    if reading is not None:
        dock.open_reading(reading)
    if worklist is not None:
        dock.open_worklist(worklist, reader)
    elif adjudicate is not None:
        dock.compare(*adjudicate)
    if screenshot is not None:
        save_picture(dock, screenshot)
        return
    # napari collects garbage with every picture that is taken away, and looks through all modules
    # for it each time (0.2 s): what is there now stays for good, and is looked through no more
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    get_qapp().exec()


def _take_keys(*, shows_them: bool) -> None:
    """Use the reader's own keys; list them where that is asked for."""
    from napari_necroangle.reading.keys import keys_as_toml
    from napari_necroangle.store.readings import own_keys_path, take_own_keys

    try:
        take_own_keys()
    except ReadingError as error:
        click.echo(f"necroangle: {error} (in {own_keys_path().parent})", err=True)
        raise SystemExit(2) from None
    if shows_them:
        there = "" if own_keys_path().exists() else ": not there yet; put in what you change"
        click.echo(f"# {own_keys_path()}{there}\n{keys_as_toml()}", nl=False)
        raise SystemExit(0)


if __name__ == "__main__":
    main()
