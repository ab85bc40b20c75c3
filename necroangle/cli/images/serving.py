"""What the commands share that speak with a server: which one, and how subjects are named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import names_options, together

if TYPE_CHECKING:
    from necroangle.pacs.servers import Server

file_option = click.option(
    "--servers",
    "servers_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that names the servers; by default your own (`necroangle servers` says where).",
)
server_options = together(
    click.option("--server", "name", required=True, help="Name of the server in that file."),
    file_option,
    names_options,
)
"""The options that say which server, and how subjects are named."""


def chosen_server(name: str, path: Path | None) -> Server:
    """The server of a name.

    Raises
    ------
    ServerError
        If there is no such file, or no such name in it.
    """
    from necroangle.pacs.servers import load_servers

    return load_servers(path).of(name)
