"""``necroangle send``: files to the hospital's archive, with the patient's identity."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import subject_names
from necroangle.cli.images.serving import chosen_server, server_options
from necroangle.cli.screen import bars, say
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.pacs.servers import Server
    from necroangle.pacs.transfer import Outgoing, Sent


@click.command(name="send")
@click.argument(
    "files",
    metavar="FILES...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@server_options
@click.option("--yes", is_flag=True, help="Do not ask: for scripts.")
def command(
    files: tuple[Path, ...],
    name: str,
    servers_path: Path | None,
    subjects: Path | None,
    secret: Path | None,
    yes: bool,
) -> None:
    """Send DICOM files, and those of folders, to a server as they are: with the patient's identity.

    It asks first. What the server has already is not sent again: after a cut, run the same command
    once more. What is stored stays there; only the hospital can remove it. The exit code is 1 where
    a file was not stored.
    """
    from necroangle.pacs.transfer import outgoing_files

    server = chosen_server(name, servers_path)
    outgoing = outgoing_files(files, subject_names(subjects, secret))
    ready = [one for one in outgoing if one.found is not None]
    if ready and not yes:
        labels = ", ".join(sorted({one.label for one in ready}))
        say(
            f"{counted(len(ready), 'object')} of {labels} will go to {server.name} "
            f"({server.how.address}) with the real name and number of each patient."
        )
        click.confirm("Send?", abort=True)
    done = _send(server, outgoing)
    for one in done:
        note = f": {one.note}" if one.note else ""
        label = f"{one.outgoing.label}  " if one.outgoing.label else ""
        say(f"{one.state}  {label}{one.outgoing.file}{note}")
    counts = Counter(one.state for one in done)
    say(
        f"{counts['sent']} sent, {counts['there']} there already, "
        f"{len(done) - counts['sent'] - counts['there']} not sent"
    )
    if counts["sent"] + counts["there"] < len(done):
        raise click.exceptions.Exit(1)


def _send(server: Server, outgoing: Sequence[Outgoing]) -> list[Sent]:
    from necroangle.pacs.transfer import send_files

    with bars() as shown:
        return send_files(server, outgoing, progress=shown.begin("sending").to)
