"""``necroangle audit``: the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, write_data
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from datetime import datetime

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("audit")
@click.option("--subject", metavar="SUBJECT", help="Only this patient.")
@click.option("--person", metavar="NAME", help="Only what this person did or read.")
@click.option("--kind", metavar="KIND", help="Only this kind: visit, measurement, reading_file...")
@click.option("--since", type=_DAY, metavar="DAY", help="From this day on, UTC (2026-01-31).")
@click.option("--until", type=_DAY, metavar="DAY", help="Up to this day, which is included.")
@cohort_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .csv or .html file.  [default: CSV on the screen]",
)
def command(
    subject: str | None,
    person: str | None,
    kind: str | None,
    since: datetime | None,
    until: datetime | None,
    cohort: str | None,
    output: Path | None,
) -> None:
    """Every event in order: when, who, what of which patient, old and new value, why.

    Readings and measured rows are in it. Times are UTC, as the writer's clock said them; on a
    server, its own time and user stand beside. An event that was erased says so.
    """
    import msgspec

    from necroangle.keeping.audit import Wanted, audit_trail, to_csv, to_html
    from necroangle.ledger.anchors import with_own_hash
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    if output is not None and output.suffix not in (".csv", ".html"):
        raise click.UsageError("--output: give a name that ends with .csv or .html")
    days = [f"{day:%Y-%m-%d}" if day else "" for day in (since, until)]
    store = CohortStore.open(cohort_here(cohort), create=False)
    lines = audit_trail(store, Wanted(subject, person, kind, *days))
    if output is None:
        for text in to_csv(lines):
            write_data(text, None)
        return
    anchor = store.anchor()
    if output.suffix == ".html":
        state = {} if anchor is None else msgspec.structs.asdict(anchor)
        pieces = to_html(lines, "Audit trail", state)
    else:
        pieces = to_csv(lines)
    text = "".join(pieces)
    raw = text.encode()
    whole = with_own_hash(raw, ".html") if output.suffix == ".html" else raw
    write_data(whole, output)
    say(f"{output}: {text.count('<tr><td>') or text.count(chr(10)) - 1} events")
