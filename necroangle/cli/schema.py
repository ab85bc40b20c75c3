"""``necroangle schema``: the JSON Schema of the reading file."""

import json

import click

__all__ = ["command"]


@click.command("schema")
def command() -> None:
    """Print the JSON Schema (2020-12) of the reading file."""
    from necroangle.annotation import reading_schema

    click.echo(json.dumps(reading_schema(), indent=1))
