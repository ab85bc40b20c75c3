"""``necroangle enrol``: the study's list of subjects and hips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from necroangle.ledger.store import CohortStore
    from necroangle.protocol.enrolment import Enrolment

_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods")


@click.command("enrol")
@click.argument("what", nargs=-1, metavar="[TABLE | SUBJECT [SIDE]]")
@click.option("--remove", is_flag=True, help="Take SUBJECT out of the list; needs --reason.")
@click.option("--freeze", is_flag=True, help="Close the list: no subject is added by accident.")
@click.option("--thaw", is_flag=True, help="Open a closed list again; needs --reason.")
@click.option("--new-subjects", is_flag=True, help="Add to a closed list; needs --reason.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@click.option("--as", "actor", default="", metavar="NAME", help="Who.")
@cohort_option
def command(
    what: tuple[str, ...],
    remove: bool,
    freeze: bool,
    thaw: bool,
    new_subjects: bool,
    reason: str,
    actor: str,
    cohort: str | None,
) -> None:
    """Keep the study's list of subjects and hips; without arguments, print it.

    A TABLE has a column subject and, where it is known, a column laterality (L, R, both). Once a
    list stands, a reading or a clinical record of another subject or hip is refused everywhere,
    with the name that may be meant; --new-subjects takes it and puts it in the list.
    """
    from necroangle.ledger.admission import enrolment_of
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    store = CohortStore.open(cohort_here(cohort))
    if not what and not (freeze or thaw):
        _print(enrolment_of(store))
        return
    _check(actor, reason, why=remove or thaw or new_subjects)
    if what and not remove:
        _enrol(store, what, actor, reason, new_subjects=new_subjects)
    elif remove:
        _remove(store, what, actor, reason)
    if freeze or thaw:
        _freeze(store, actor, reason, frozen=freeze)


def _check(actor: str, reason: str, *, why: bool) -> None:
    from necroangle.clinical.identity import refuse_as_name

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}" if actor else "say who, with --as NAME")
    if why and not reason.strip():
        raise click.UsageError("say why, with --reason TEXT")


def _enrol(
    store: CohortStore, what: tuple[str, ...], actor: str, reason: str, *, new_subjects: bool
) -> None:
    from necroangle.clinical.cells import parse_key_part
    from necroangle.clinical.enrolling import read_list, sides_of
    from necroangle.errors import CohortError
    from necroangle.ledger.admission import enrol

    if len(what) == 1 and what[0].lower().endswith(_TABLES):
        sides = read_list(Path(what[0]))
    elif len(what) > 2:
        raise click.UsageError("give a table, or SUBJECT and SIDE")
    else:
        try:
            sides = {parse_key_part("subject", what[0]): sides_of(" ".join(what[1:]))}
        except ValueError as error:
            raise CohortError(str(error)) from error
    done = enrol(store, sides, actor=actor, reason=reason, new_subjects=new_subjects)
    count = len(sides)
    say(
        f"{count} subject{'s' if count > 1 else ''}: {done.created} new, {done.changed} changed, "
        f"{count - done.created - done.changed} in the list already"
    )


def _remove(store: CohortStore, what: tuple[str, ...], actor: str, reason: str) -> None:
    from necroangle.ledger.admission import strike

    if len(what) != 1:
        raise click.UsageError("--remove takes one SUBJECT")
    strike(store, what[0], actor=actor, reason=reason)
    say(f"{what[0]} is out of the list; what the cohort holds of it stays")


def _freeze(store: CohortStore, actor: str, reason: str, *, frozen: bool) -> None:
    from necroangle.ledger.admission import freeze

    freeze(store, actor=actor, reason=reason, frozen=frozen)
    say("the list is closed" if frozen else "the list is open")


def _print(listed: Enrolment) -> None:

    if not listed.stands:
        say("there is no list: a reading of any subject is taken")
        return
    for subject, sides in sorted(listed.sides.items()):
        say(f"{subject}  {' '.join(sorted(sides)) or 'either side'}")
    state = "closed" if listed.is_frozen else "open"
    count = len(listed.sides)
    say(f"{count} subject{'' if count == 1 else 's'}; the list is {state}")
