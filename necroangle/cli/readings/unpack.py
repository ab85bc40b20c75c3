"""``necroangle unpack``: the reading files of a pack, byte for byte as they were."""

from pathlib import Path

import click

from necroangle.cli.screen import say


@click.command("unpack")
@click.argument("packed", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def command(context: click.Context, packed: Path, folder: Path) -> None:
    """Put the reading files of a pack in a folder, byte for byte as they were.

    What lies there with other content is left alone. Exit code: 0 if all files lie there now, 1 if
    some were refused, 2 if the folder cannot be written.
    """
    from necroangle.batch.pack import unpack
    from necroangle.plain_text import counted

    found = unpack(packed, folder)
    say(f"{counted(found.count, 'reading')} unpacked in {folder}")
    for refusal in found.refusals:
        say(str(refusal), err=True)
    context.exit(1 if found.refusals else 0)
