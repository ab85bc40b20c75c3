"""``necroangle erase``: a patient whose consent was withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import say

if TYPE_CHECKING:
    from necroangle.keeping.erase import Traces
    from necroangle.study import Study


@click.command("erase")
@click.argument("subject")
@click.option("--reason", required=True, metavar="TEXT", help="Why; without the pseudonym.")
@click.option("--as", "actor", required=True, metavar="NAME", help="Who.")
@click.option("--yes", is_flag=True, help="Erase; without it, what would be erased is shown.")
def command(subject: str, reason: str, actor: str, yes: bool) -> None:
    """Erase all that the study of this folder holds of SUBJECT. It cannot be undone.

    Events of the ledger lose what they said and keep their seals, so the chain still verifies; an
    event says how many were erased, when, by whom and why. Rows, kept readings, reading files,
    exports and reports with the patient are removed. Files that name the patient among others, and
    backups from before, are listed: they are for you to deal with.
    """
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.keeping.erase import erase, find_traces
    from necroangle.keeping.here import the_study
    from necroangle.plain_text import counted

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}")
    study = the_study()
    if not yes:
        found = find_traces(study, subject)
        say(f"would erase: {counted(found.events, 'event')} and what is made of them")
        _list(study, found, "would remove")
        say("nothing was erased: say --yes")
        return
    found, erased = erase(study, subject, actor=actor, reason=reason)
    if erased is not None:
        say(
            f"erased: {counted(erased.events, 'event')}, {counted(erased.rows, 'row')}, "
            f"{counted(erased.readings, 'kept reading')}; event {erased.seq} says so"
        )
        if erased.mentions:
            numbers = ", ".join(map(str, erased.mentions))
            say(f"note: events of others name this patient and stay: {numbers}")
    _list(study, found, "removed")
    say(
        "exports and reports that were given to others, copies and backups elsewhere, and the "
        "images are not reached from here"
    )
    if found.kept:
        raise SystemExit(1)


def _list(study: Study, found: Traces, word: str) -> None:

    kept = dict(found.kept)
    told = (
        *((word, one) for one in (*found.readings, *found.made) if one not in kept),
        *((f"NOT removed ({why}), remove it by hand", one) for one, why in found.kept),
        *(("look at, it names the patient or may", one) for one in found.others),
        *(("a backup from before", one) for one in found.backups),
    )
    for said, one in told:
        say(f"{said}: {one.relative_to(study.folder)!s}")
