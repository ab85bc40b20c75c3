"""``necroangle servers``: which servers are named, whether they are there, what they take."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import write_data
from necroangle.cli.images.serving import file_option
from necroangle.cli.screen import ScreenColumn, say, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from necroangle.pacs.servers import Server

_COLUMNS = (
    ScreenColumn("server"),
    ScreenColumn("kind"),
    ScreenColumn("address"),
    ScreenColumn("AE title"),
    ScreenColumn("credential"),
)


@click.command(name="servers")
@click.argument("name", required=False)
@file_option
@click.option("--example", is_flag=True, help="Print a file of servers to begin with.")
@click.option(
    "--set-credential",
    is_flag=True,
    help="Ask for the token or password of NAME and keep it in the system's keyring.",
)
@click.option("--forget-credential", is_flag=True, help="Take it out of the keyring.")
def command(
    name: str | None,
    servers_path: Path | None,
    example: bool,
    set_credential: bool,
    forget_credential: bool,
) -> None:
    """List the servers; with NAME, ask that one whether it is there and what it accepts.

    Over DICOM this is a C-ECHO and a negotiation, over DICOMweb a search for one study. The exit
    code is 2 where it is not there or refuses.
    """
    from necroangle.pacs import servers

    if example:
        write_data(servers.EXAMPLE, None)
        return
    found = servers.load_servers(servers_path)
    if name is None:
        if set_credential or forget_credential:
            raise click.UsageError("a credential goes with the NAME of a server")
        show_table(_COLUMNS, [_cells(server) for server in found.named.values()])
        say("", str(found.path))
        return
    server = found.of(name)
    if set_credential:
        word = "Password" if getattr(server.how, "user", "") else "Token"
        servers.keep_credential(server, click.prompt(word, hide_input=True))
        say(f"{name}: kept in the keyring")
    elif forget_credential:
        servers.forget_credential(server)
        say(f"{name}: taken out of the keyring")
    else:
        _ask(server)


def _cells(server: Server) -> tuple[str, ...]:
    how = server.how
    is_web = how.__struct_config__.tag == "dicomweb"
    return (
        server.name,
        "DICOMweb" if is_web else "DICOM",
        how.address,
        getattr(how, "ae_title", ""),
        server.variable if is_web else "",
    )


def _ask(server: Server) -> None:
    from necroangle.pacs.transfer import connect

    with closing(connect(server)) as connection:
        found = connection.abilities()
    say(f"{server.name} ({server.how.address}) is there")
    for words, ones in (
        ("accepts", found.answers),
        ("refuses", found.refuses),
        ("not said", found.unknown),
    ):
        for one in ones:
            say(f"{words}  {one}")
