"""``necroangle lock``: a named state for analysis."""

from __future__ import annotations

import click

from necroangle.cli.screen import say
from necroangle.plain_text import counted


@click.command("lock")
@click.argument("name", required=False)
@click.option("--open", "is_opened", is_flag=True, help="Open the state that is locked.")
@click.option("--reason", metavar="TEXT", default="", help="Why.")
@click.option("--as", "actor", metavar="NAME", default="", help="Who.")
def command(name: str | None, is_opened: bool, reason: str, actor: str) -> None:
    """Lock the cohort of this study under NAME: nothing that is analysed changes any more.

    Exports and reports carry the name. `--open` opens it again, with a reason; a name is used once.
    Without NAME, say what is locked. Queries can be answered and patients erased all the same.
    """
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.keeping.here import the_study
    from necroangle.keeping.lock import lock, open_lock
    from necroangle.ledger.store import CohortStore

    study = the_study()
    store = CohortStore.open(study.cohort, create=False, study=study)
    if name is None and not is_opened:
        found = store.locked()
        say(
            "open: no state is locked"
            if found is None
            else f"locked: {found.name}, since {found.at} by {found.actor}, "
            f"{counted(found.seq, 'event')}"
        )
        return
    if not reason.strip() or not actor.strip():
        raise click.UsageError("say who you are (--as) and why (--reason)")
    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}")
    if is_opened:
        say(f"open again: {open_lock(store, actor=actor, reason=reason)}")
        return
    canonical = lock(store, str(name), actor=actor, reason=reason)
    say(f"locked: {name}")
    say(f"canonical sha256: {canonical}")
