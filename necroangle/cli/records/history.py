"""``necroangle history``: who changed a record, when, what and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option
from necroangle.cli.screen import say
from necroangle.entries import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from necroangle.ledger.records import Event
    from necroangle.measurement.row import Cell


@click.command("history")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("key", nargs=-1, required=True)
@cohort_option
def command(kind: str, key: tuple[str, ...], cohort: str | None) -> None:
    """Print every change of the record of a KIND with this KEY: when, who, what, why."""
    from necroangle.clinical.cells import parse_key
    from necroangle.errors import CohortError
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    found = CohortStore.open(cohort_here(cohort), create=False).history(kind, parse_key(kind, key))
    if not found:
        raise CohortError(f"there never was a {kind} {' '.join(key)}")
    before: Mapping[str, Cell] = {}
    for event in found:
        why = f": {event.reason}" if event.reason else ""
        say(f"{event.at}  {event.actor or 'unnamed'}  {event.action}{why}")
        for line in _differences(before, event):
            say(f"    {line}")
        before = event.values or {}


def _differences(before: Mapping[str, Cell], event: Event) -> Iterator[str]:
    """What an event changed, field by field."""
    after = event.values or {}
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new or (name in before) != (name in after):
            yield f"{name}: {_shown(old)} -> {_shown(new)}"


def _shown(cell: Cell) -> str:
    return "nothing" if cell is None else str(cell)
