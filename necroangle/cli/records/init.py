"""``necroangle init``: a new study folder."""

from __future__ import annotations

from pathlib import Path

import click

from necroangle.cli.screen import say


@click.command("init")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--id", "study", metavar="NAME", help="The study's id; by default the folder's name.")
@click.option(
    "--method",
    default="ha_mr_midslice",
    show_default=True,
    metavar="NAME",
    help="The measuring method whose angles the outcomes use.",
)
@click.option(
    "--reader", "readers", metavar="NAME", multiple=True, help="A reader; may be repeated."
)
def command(folder: Path, study: str | None, method: str, readers: tuple[str, ...]) -> None:
    """Make a study folder: configuration, readings, cohort table, exports, reports, secret.

    The folder may hold other files; they are not touched. Commands run in it need no further
    flags.
    """
    from necroangle.ledger.store import CohortStore
    from necroangle.measurement import method_named
    from necroangle.study import init_study

    made = init_study(folder, study or folder.absolute().name, method_named(method).name, readers)
    CohortStore.open(made.cohort)
    say(f"study {made.protocol.study} made in {folder}")
    say("  study.toml     what the study is: look at visits, windows and readers")
    say("  readings/      reading files")
    say("  cohort.sqlite  the cohort table")
    say("  exports/       tables for other programs")
    say("  reports/       reports")
    say("  secret.key     keys of exported images follow from it: keep it, share it never")
