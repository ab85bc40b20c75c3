"""``necroangle restore``: a study from its backup."""

from __future__ import annotations

from pathlib import Path

import click

from necroangle.cli.screen import say


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--verify", "is_verified", is_flag=True, help="Verify all that was put back.")
@click.option("--database", metavar="URL", help="An empty database for the cohort, not a file.")
@click.option("--as", "actor", metavar="NAME", default="", help="Who.")
@click.option("--reason", metavar="TEXT", default="", help="Why later events are given up.")
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    folder: Path,
    is_verified: bool,
    database: str | None,
    actor: str,
    reason: str,
) -> None:
    """Put the study of the backup FILE in FOLDER, here or on another machine.

    FOLDER is new or empty; or it is the study's own, whose cohort is then replaced (the old file is
    set aside). Where the study has later events, these are given up, which needs a name and a
    reason and is recorded. Exit code: 1 if what was put back is not what was backed up.
    """
    from necroangle.keeping.backup import restore

    done = restore(file, folder, actor=actor, reason=reason, place=database)
    say(f"{folder}: the study as it was at {done.manifest.at}")
    if done.given_up:
        say(f"note: later events up to {done.given_up} were given up; this is recorded")
    if done.erased_again:
        say(f"note: patients erased since, erased again: {done.erased_again}")
    say(f"canonical sha256: {done.canonical_sha256}")
    is_same = done.erased_again or done.canonical_sha256 == done.manifest.canonical_sha256
    if not is_same:
        say(f"the backup says {done.manifest.canonical_sha256}: it is not the same", err=True)
    elif is_verified:
        say("the same as in the backup")
    clean = not is_verified or _is_clean(folder)
    context.exit(0 if is_same and clean else 1)


def _is_clean(folder: Path) -> bool:
    from necroangle.batch.again import cells_again
    from necroangle.ledger.store import CohortStore
    from necroangle.ledger.verify import verify
    from necroangle.plain_text import counted
    from necroangle.study import open_study

    study = open_study(folder)
    store = CohortStore.open(study.cohort, create=False, study=study)
    found = verify(store, readings=study.readings, again=cells_again)
    for problem in found.problems:
        say(str(problem))
    if found.is_clean:
        events, rows = counted(found.counts.events, "event"), counted(found.counts.rows, "row")
        say(f"{events}, {rows}: no problem was found")
    return found.is_clean
