"""``necroangle edit``: one clinical record, cell by cell, with a reason."""

from __future__ import annotations

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say
from necroangle.entries import KINDS


@click.command("edit")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("key", nargs=-1, required=True)
@click.option(
    "--set",
    "changes",
    metavar="FIELD=VALUE",
    multiple=True,
    help="New value; a missing code (-99) says why there is none, nothing takes it out.",
)
@click.option("--withdraw", is_flag=True, help="Withdraw the whole record; its history stays.")
@click.option("--create", is_flag=True, help="Make the record where there is none.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--as", "actor", required=True, metavar="NAME", help="Who.")
@cohort_option
def command(
    kind: str,
    key: tuple[str, ...],
    changes: tuple[str, ...],
    withdraw: bool,
    create: bool,
    reason: str,
    actor: str,
    cohort: str | None,
) -> None:
    """Change the record of a KIND with this KEY.

    Keys: subject SUBJECT; hip SUBJECT SIDE; treatment SUBJECT SIDE [NUMBER]; visit SUBJECT SIDE
    VISIT; event SUBJECT SIDE EVENT [NUMBER].
    """
    from necroangle.clinical import edit_record, withdraw_record
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, study_here

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}")
    if withdraw == bool(changes):
        raise click.UsageError("give --set FIELD=VALUE, or --withdraw")
    store = CohortStore.open(cohort_here(cohort), create=False)
    if withdraw:
        withdraw_record(store, kind, key, actor=actor, reason=reason)
        say("withdrawn")
        return
    study = study_here()
    values, doubts = edit_record(
        store,
        kind,
        key,
        _changes(changes),
        actor=actor,
        reason=reason,
        protocol=study.protocol if study is not None else None,
        create=create,
    )
    _tell(values, [str(doubt) for doubt in doubts])


def _changes(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for change in given:
        name, equals, value = change.partition("=")
        if not equals or name in found:
            raise click.UsageError(f"--set {name}: write FIELD=VALUE, each field once")
        found[name] = value
    return found


def _tell(values: dict[str, str | int | float | None], doubts: list[str]) -> None:
    from necroangle.ledger.table import show_cell

    for doubt in doubts:
        say(f"warning  {doubt}", err=True)
    for name, value in values.items():
        say(f"{name:24} {show_cell(value)}")
