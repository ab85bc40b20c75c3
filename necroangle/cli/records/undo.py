"""``necroangle undo``: an import of a clinical table, taken back."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from necroangle.clinical.undoing import UndoPlan
    from necroangle.ledger.store import CohortStore


@click.command("undo")
@click.argument("table", metavar="[IMPORT]", default="")
@click.option("--dry-run", is_flag=True, help="Say what would be undone, and write nothing.")
@click.option("--leave-changed", is_flag=True, help="Leave what was changed since; undo the rest.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option("--as", "actor", default="", metavar="NAME", help="Who.")
@cohort_option
@click.pass_context
def command(
    context: click.Context,
    table: str,
    dry_run: bool,
    leave_changed: bool,
    reason: str,
    actor: str,
    cohort: str | None,
) -> None:
    """Undo the last import of a table: every record is again as it was. Without IMPORT: list them.

    IMPORT is the table's file, or its hash as the list shows it. What was changed after the import
    is never overwritten: it forbids the undoing, or is left as it is. A subject or hip to which
    other records belong by now stays. The import and the undoing both stay in the history.

    Exit code: 0 if it was undone, or could be (--dry-run); 1 if later changes forbid it.
    """
    from necroangle.clinical.undoing import imports_of, plan_undo
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    store = CohortStore.open(cohort_here(cohort), create=False)
    if not table:
        runs = imports_of(store)
        for run in runs:
            say(str(run))
        say(f"{len(runs)} import{'' if len(runs) == 1 else 's'}")
        return
    plan = plan_undo(store, _hash_of(table))
    _tell(plan)
    if plan.changed and not leave_changed:
        say("nothing was undone; --leave-changed undoes the rest", err=True)
        context.exit(1)
    elif dry_run:
        say(f"would undo {_counts(plan)}")
    else:
        _write(store, plan, actor, reason)


def _hash_of(table: str) -> str:
    path = Path(table)
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if not re.fullmatch("[0-9a-fA-F]{6,64}", table):
        raise click.UsageError(f"{table}: no file, and no hash of a table; `necroangle undo` lists")
    return table


def _tell(plan: UndoPlan) -> None:

    for one in plan.changed:
        say(f"changed since, left as it is: {one}", err=True)
    for one in plan.kept:
        say(f"other records belong to it, it stays: {one}", err=True)


def _counts(plan: UndoPlan) -> str:
    gone = sum(one.values is None for one in plan.entries)
    return f"the import of {plan.run.at}: {gone} withdrawn, {len(plan.entries) - gone} as before"


def _write(store: CohortStore, plan: UndoPlan, actor: str, reason: str) -> None:
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.clinical.undoing import undo_import
    from necroangle.errors import CohortError

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}" if actor else "say who, with --as NAME")
    done = undo_import(store, plan, actor=actor, reason=reason)
    if done.conflicts:
        raise CohortError(f"{done.conflicts[0]}; {len(done.conflicts)} records were left")
    say(f"undone {_counts(plan)}")
