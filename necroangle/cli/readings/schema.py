"""``necroangle schema``: the JSON Schema of the reading file."""

import json
from pathlib import Path

import click

from necroangle.cli.given import output_option, write_data


@click.command("schema")
@output_option
def command(output: Path | None) -> None:
    """Print the JSON Schema (2020-12) of the reading file."""
    from necroangle.annotation import reading_schema

    write_data(f"{json.dumps(reading_schema(), indent=1)}\n", output)
