"""``necroangle remeasure``: readings of any number, measured again into the cohort table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import NO_READINGS, refusals_told, told_if_not_written
from necroangle.cli.readings.measuring import (
    admission,
    measuring_options,
    tell_admitted,
    tell_misfits,
)
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from necroangle.batch import Refusal, Scheduler, Stream
    from necroangle.cli.readings.measuring import Asked
    from necroangle.ledger.store import CohortStore
    from necroangle.remeasure import Decide, Remeasured
    from necroangle.review import Differences

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("remeasure")
@click.argument("readings", nargs=-1, required=True)
@measuring_options
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes on this machine.  [default: all cores for 5,000 readings or more, else 1]",
)
@click.option(
    "--scheduler", metavar="URL", help="A Dask scheduler (tls://host:8786) that does the work."
)
@click.option(
    "--tls-ca", metavar="FILE", type=_FILE, help="Certificates that it must be signed by."
)
@click.option("--tls-cert", metavar="FILE", type=_FILE, help="The certificate of this program.")
@click.option("--tls-key", metavar="FILE", type=_FILE, help="Its private key.")
@click.option("--insecure", is_flag=True, help="Take a scheduler on another machine without TLS.")
@click.option("--dry-run", is_flag=True, help="Measure and compare, and write nothing.")
@click.option("--yes", is_flag=True, help="Overwrite rows that changed without asking.")
@click.option(
    "--report",
    "reports",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Write the differences to a .txt, .csv or .html file; give it again for several.",
)
@click.option(
    "--keep/--no-keep",
    default=True,
    show_default=True,
    help="Keep the readings' bytes in the table, so that a later change can be explained.",
)
@click.option(
    "--policy",
    type=click.Choice(["any", "none", "threshold"]),
    default="any",
    show_default=True,
    help="Exit code 1 if any reading was refused, never, or if more than --threshold were.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    help="Refused readings that --policy threshold allows, per cent.",
)
@click.option(
    "--failures",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    help="Write what was refused to a CSV file: file, place, reason.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    readings: tuple[str, ...],
    asked: Asked,
    workers: int | None,
    scheduler: str | None,
    dry_run: bool,
    yes: bool,
    reports: tuple[Path, ...],
    keep: bool,
    policy: str,
    threshold: float,
    failures: str | None,
    **secured: Any,
) -> None:
    """Measure readings again: files, folders, globs, ZIP archives, manifests, packs and URLs.

    A manifest is a .txt file with a path a line; a pack is what `necroangle pack` writes. New rows
    are written a thousand readings at a time, each thousand in one transaction: a run that was cut
    off is simply started again. A row that would change is shown first, with the reason (marks
    edited, geometry corrected, method or software version, settings), hips that change grade on
    top, and is overwritten only when you say so, or with --yes.

    Exit code: 3 if changed rows wait for --yes; else as --policy says; 2 if there was nothing to
    measure or the table cannot be opened.
    """
    from necroangle.batch import Plan, open_stream
    from necroangle.ledger.admission import known_subjects

    cluster = _cluster(scheduler, **secured)
    stream = open_stream(readings, Plan(asked.methods(), asked.settings(readings)))
    if not stream.count and not stream.refusals:
        raise click.UsageError(NO_READINGS)
    for path in reports:
        _writer_of(path)
    store = _store(asked.cohort, dry_run=dry_run)
    gate, known = admission(store, asked), known_subjects(store)
    told = _run(
        stream,
        store,
        _processes(workers, stream.count),
        _decision(reports, yes=yes),
        scheduler=cluster,
        keep=keep,
        write=not dry_run,
        actor=asked.actor,
        admit=gate.of_reading,
    )
    _report(told, failures, reports, shown=yes or dry_run)
    tell_admitted(None if dry_run else store, asked, gate, known)
    waits = bool(told.changed) and not told.is_overwritten and not dry_run
    context.exit(3 if waits else _exit_code(told, policy, threshold))


def _cluster(
    address: str | None,
    *,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    insecure: bool,
) -> Scheduler | None:
    """The cluster that was asked for."""
    from necroangle.batch import Scheduler

    if address is None:
        if tls_ca or tls_cert or tls_key or insecure:
            raise click.UsageError("--tls-ca, --tls-cert, --tls-key, --insecure: no --scheduler")
        return None
    return Scheduler(address, tls_ca, tls_cert, tls_key, insecure)


def _processes(wanted: int | None, count: int) -> int:
    import os

    if wanted is not None:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") and count >= 5000 else 1


def _store(cohort: str | None, *, dry_run: bool) -> CohortStore | None:
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    place = cohort_here(cohort)
    if dry_run and "://" not in str(place) and not Path(place).exists():
        return None
    return CohortStore.open(place, create=not dry_run)


def _decision(reports: tuple[Path, ...], *, yes: bool) -> Decide:
    """Whether changed rows are overwritten: as asked for, or as the person at the screen says."""

    def decide(differences: Differences) -> bool:
        if yes:
            return True
        _write_reports(differences, reports)
        _show(differences)
        if not sys.stdin.isatty():
            return False
        return click.confirm("Overwrite these rows?", default=False)

    return decide


def _run(
    stream: Stream, store: CohortStore | None, workers: int, decide: Decide, **options: object
) -> Remeasured:
    """Measure, with a bar and the remaining time on standard error where that is a terminal."""
    from necroangle.remeasure import remeasure

    with bars() as shown:
        bar = shown.begin("measuring", stream.count)

        def ask(differences: Differences) -> bool:
            shown.stop()
            return decide(differences)

        return remeasure(
            stream,
            store,
            ask,
            workers=workers,
            progress=bar.on,
            **options,  # type: ignore[arg-type]
        )


def _exit_code(told: Remeasured, policy: str, threshold: float) -> int:
    refused = len({one.file for one in told.refusals})
    allowed = {
        "any": 0.0,
        "none": float("inf"),
        "threshold": threshold / 100 * (told.measured + refused),
    }
    return int(refused > allowed[policy])


def _writer_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".txt", ".csv", ".html"):
        raise click.UsageError(
            f"--report {path.name}: give it a name that ends in .txt, .csv or .html"
        )
    return suffix


def _write_reports(differences: Differences, reports: tuple[Path, ...]) -> None:
    from necroangle.review import as_csv, as_html, as_text
    from necroangle.storage import write_atomically

    writers = {".txt": as_text, ".csv": as_csv, ".html": as_html}
    for path in reports:
        with told_if_not_written(path.name):
            write_atomically(path, writers[_writer_of(path)](differences).encode())


def _show(differences: Differences) -> None:
    """The differences on the screen, as far as a person would read them there."""
    from necroangle.review import as_text

    say(*as_text(differences, _MOST_SHOWN).split("\n"))
    more = len(differences.rows) - _MOST_SHOWN
    if more > 0:
        say("", f"... and {more} more; see --report FILE")


def _report(
    told: Remeasured, failures: str | None, reports: tuple[Path, ...], *, shown: bool
) -> None:

    if shown or not told.changed:
        _write_reports(told.differences, reports)
        if told.differences.rows:
            _show(told.differences)
    refusals = sorted(set(told.refusals))
    say(
        f"{told.measured} measured: {told.new} new, {told.changed} changed, "
        f"{told.unchanged} unchanged" + (f"; {len(refusals)} refused" if refusals else "")
    )
    if told.changed and shown is False and not told.is_overwritten:
        say("the changed rows were not overwritten: run again with --yes")
    if failures is not None:
        _write_failures(Path(failures), refusals)
    tell_misfits(told.misfits)
    refusals_told(refusals[:_MOST_SHOWN])
    if len(refusals) > _MOST_SHOWN:
        say(f"... and {len(refusals) - _MOST_SHOWN} more; see --failures FILE", err=True)


_MOST_SHOWN = 50


def _write_failures(path: Path, refusals: list[Refusal]) -> None:
    """The table of refusals; no cell of it is a formula to a spreadsheet, nor a line break."""
    from necroangle.plain_text import csv_line, harmless
    from necroangle.storage import write_atomically

    lines = [map(harmless, (one.file, one.place, one.problem)) for one in refusals]
    text = "".join(map(csv_line, (("file", "place", "reason"), *lines)))
    write_atomically(path, text.encode())
