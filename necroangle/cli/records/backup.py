"""``necroangle backup``: the whole study as one file."""

from __future__ import annotations

from pathlib import Path

import click

from necroangle.cli.screen import say
from necroangle.plain_text import counted


@click.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def command(file: Path | None) -> None:
    """Write the study of this folder to FILE: cohort, anchors, study.toml, secret, readings.

    By default FILE is named by study and day. A cohort on a server is in it, too, as a file. Keep
    it where the study is not; the study's secret is in it, so only its owner may read it. Images,
    exports and reports are not in it.
    """
    from datetime import UTC, datetime

    from necroangle.keeping.backup import make_backup
    from necroangle.keeping.here import the_study

    study = the_study()
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    place = file or Path(f"{study.protocol.study}-{day}.backup.zip")
    made = make_backup(study, place)
    events = 0 if made.anchor is None else made.anchor.seq
    say(f"{place}: {counted(len(made.files), 'file')}, {counted(events, 'event')}")
    say(f"canonical sha256: {made.canonical_sha256}")
