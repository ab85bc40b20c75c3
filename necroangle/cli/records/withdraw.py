"""``necroangle withdraw``: a reading or a record out of the cohort, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say
from necroangle.entries import KINDS

if TYPE_CHECKING:
    from necroangle.ledger.store import CohortStore

_READING = ("SUBJECT", "SIDE", "VISIT", "READER", "READ_NO")


@click.command("withdraw")
@click.argument("kind", type=click.Choice(("reading", *KINDS)))
@click.argument("key", nargs=-1, required=True)
@click.option(
    "--with-children", is_flag=True, help="And the records and readings that belong to it."
)
@click.option("--put-back", is_flag=True, help="Let a withdrawn reading be measured again.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@click.option("--as", "actor", required=True, metavar="NAME", help="Who.")
@cohort_option
def command(
    kind: str,
    key: tuple[str, ...],
    with_children: bool,
    put_back: bool,
    reason: str,
    actor: str,
    cohort: str | None,
) -> None:
    """Take a reading, or a record of a KIND with this KEY, out of the cohort; its history stays.

    Keys: reading SUBJECT SIDE VISIT READER [READ_NO]; subject SUBJECT; hip SUBJECT SIDE; treatment
    SUBJECT SIDE [NUMBER]; visit SUBJECT SIDE VISIT; event SUBJECT SIDE EVENT [NUMBER]. A withdrawn
    reading counts nowhere, and its file is not measured again while it is not put back.
    """
    from necroangle.clinical import withdraw_record
    from necroangle.clinical.identity import refuse_as_name
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    if problem := refuse_as_name(actor):
        raise click.UsageError(f"--as: {problem}")
    if put_back and kind != "reading":
        raise click.UsageError(
            "--put-back is for a reading; `necroangle edit --create` for records"
        )
    store = CohortStore.open(cohort_here(cohort), create=False)
    if kind == "reading":
        _reading(store, key, actor, reason, put_back=put_back)
        return
    who = {"actor": actor, "reason": reason}
    for one in withdraw_record(store, kind, key, **who, with_children=with_children):
        say(f"withdrawn: {one}")


def _reading(
    store: CohortStore, key: tuple[str, ...], actor: str, reason: str, *, put_back: bool
) -> None:
    from necroangle.ledger.withdrawal import (
        put_back as let_in,
    )
    from necroangle.ledger.withdrawal import (
        readings_of,
        withdraw_reading,
        withdrawn_readings,
    )

    if not 4 <= len(key) <= len(_READING):
        raise click.UsageError(f"the key of a reading is: {' '.join(_READING)}")
    key = (key[0], {"l": "L", "r": "R"}.get(key[1].lower(), key[1]), *key[2:])
    there = withdrawn_readings(store) if put_back else readings_of(store, key[:4])
    found = sorted(one for one in there if one[: len(key)] == key)
    if len(found) != 1:
        reads = ", ".join(one[4] for one in found)
        problem = f"there are several: say which read, {reads}" if found else "there is none"
        raise click.UsageError(f"reading {' '.join(key)}: {problem}")
    subject, side, visit, reader, number = found[0]
    own = (subject, side, visit, reader, number)
    if put_back:
        let_in(store, own, actor=actor, reason=reason)
        say("put back: measure its file again")
        return
    rows = withdraw_reading(store, own, actor=actor, reason=reason)
    say(f"withdrawn: reading {' '.join(own)}, {rows} row{'s' if rows > 1 else ''}")
