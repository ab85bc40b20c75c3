"""What the commands share that speak with a server: which one, and the names of subjects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import together

if TYPE_CHECKING:
    from necroangle.dicom.pseudonym import SubjectNames
    from necroangle.pacs.servers import Server

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

file_option = click.option(
    "--servers",
    "servers_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that names the servers; by default your own (`necroangle servers` says where).",
)
server_options = together(
    click.option("--server", "name", required=True, help="Name of the server in that file."),
    file_option,
    click.option(
        "--subjects", type=_FILE, help="CSV of the study: patient_id,pseudonym. Names the subjects."
    ),
    click.option(
        "--secret", type=_FILE, help="The study's secret: names the subjects by a keyed hash."
    ),
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


def subject_names(subjects: Path | None, secret: Path | None) -> SubjectNames | None:
    """The study's names, from the options.

    Raises
    ------
    click.UsageError
        If both are given.
    DicomError
        If the file cannot be used.
    """
    from necroangle.cli.images.series import names_of

    return names_of(subjects, secret, as_json=False, identifiers=False)
