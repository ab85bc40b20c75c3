"""``necroangle anchor``: what the ledger is now, to be kept elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from necroangle.cli.given import cohort_option, output_option, write_data


@click.command("anchor")
@cohort_option
@click.option(
    "--sign",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Private Ed25519 key to sign it with.  [default: the study's, if it names one]",
)
@click.option(
    "--anew",
    metavar="REASON",
    help="The file of anchors was lost: begin another, and say why; this is recorded.",
)
@click.option("--as", "by", metavar="NAME", default="", help="Who starts it again.")
@output_option
def command(
    cohort: str | None, sign: Path | None, anew: str | None, by: str, output: Path | None
) -> None:
    """Print what the ledger is now: last event, its hash, time, number of rows.

    Kept elsewhere, the line proves later that nothing before it was changed, cut off or put back:
    `necroangle verify --anchors FILE`. It holds nothing of any patient.
    """
    from necroangle.errors import CohortError
    from necroangle.ledger.anchors import encode_anchor, last_anchor, signer_of
    from necroangle.ledger.records import Entry
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    store = CohortStore.open(cohort_here(cohort), create=False)
    if anew is not None:
        if store.anchors is None or last_anchor(store.anchors) is not None:
            raise CohortError("there are anchors: nothing is started again")
        if not anew.strip():
            raise CohortError("say why the anchors are started again")
        now = store.anchor()
        told = {"events": 0 if now is None else now.seq}
        store.record([Entry("anchors", ("anew",), told, anew)], actor=by)
    anchor = store.anchor()
    if anchor is None:
        raise CohortError(f"{store.name}: its ledger is empty: there is nothing to prove")
    if sign is not None:
        anchor = signer_of(sign).sign(anchor)
    write_data(f"{encode_anchor(anchor)}\n", output)
