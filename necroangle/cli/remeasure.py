"""``necroangle remeasure``: readings of any number, measured again into the cohort table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from necroangle.batch import ChunkResult, Plan, Refusal, Stream
    from necroangle.cohort import CohortRow, CohortStore, RowKey

__all__ = ["command"]


@click.command("remeasure")
@click.argument("readings", nargs=-1, required=True)
@click.option(
    "--cohort",
    default="cohort.sqlite",
    show_default=True,
    metavar="FILE",
    help="The cohort table: an SQLite file, made where there is none, or a database URL.",
)
@click.option(
    "--method",
    "method_names",
    metavar="NAME",
    multiple=True,
    help="Method, by default by image kind; give it again for several.",
)
@click.option(
    "--end-sd-mm",
    type=click.FloatRange(min=0, min_open=True),
    help="Noise of marking an arc's end along the surface.  [default: 1 mm]",
)
@click.option("--centre", type=click.Choice(["circles", "sphere"]), default="circles")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes on this machine.  [default: all cores for 5,000 readings or more, else 1]",
)
@click.option(
    "--scheduler", metavar="URL", help="A Dask scheduler (tcp://host:8786) that does the work."
)
@click.option("--dry-run", is_flag=True, help="Measure and count, and write nothing.")
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
    readings: tuple[str, ...],
    cohort: str,
    method_names: tuple[str, ...],
    end_sd_mm: float | None,
    centre: str,
    workers: int | None,
    scheduler: str | None,
    dry_run: bool,
    policy: str,
    threshold: float,
    failures: str | None,
) -> None:
    """Measure readings again: files, folders, globs, ZIP archives, manifests, packs and URLs.

    A manifest is a .txt file with a path a line; a pack is what `necroangle pack` writes. Rows are
    written a thousand readings at a time, each thousand in one transaction: a run that was cut off
    is simply started again, and what stands in the table already is not written twice.
    Exit code: as --policy says; 2 if there was nothing to measure or the table cannot be opened.
    """
    from necroangle.batch import open_stream

    stream = open_stream(readings, _plan(method_names, end_sd_mm, centre))
    if not stream.count and not stream.refusals:
        raise click.UsageError("no reading files (*.reading.json) in what was given")
    table = _Table.open(cohort, dry_run=dry_run)
    tally = _Tally(list(stream.refusals))
    for result in _with_progress(stream, _processes(workers, stream.count), scheduler):
        tally.add(result, table)
    _report(tally, failures)
    context.exit(tally.exit_code(policy, threshold))


def _plan(names: tuple[str, ...], end_sd_mm: float | None, centre: str) -> Plan:
    from necroangle.batch import Plan
    from necroangle.measurement import Settings, method_named

    methods = tuple(dict.fromkeys(map(method_named, names))) or (None,)
    settings = Settings(centre=centre) if end_sd_mm is None else Settings(end_sd_mm, centre=centre)
    return Plan(methods, settings)


def _processes(wanted: int | None, count: int) -> int:
    import os

    if wanted is not None:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") and count >= 5000 else 1


def _with_progress(stream: Stream, workers: int, scheduler: str | None) -> Iterator[ChunkResult]:
    """Measure, with rate and remaining time on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("measuring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.speed:,.0f} readings/s" if console.is_terminal else ""),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=stream.count)
        for result in stream.results(workers, scheduler):
            yield result
            bar.advance(task, result.count)


@dataclass(slots=True)
class _Table:
    """The cohort table; or, in a dry run, only what stands in it."""

    store: CohortStore | None
    known: dict[RowKey, CohortRow]

    @classmethod
    def open(cls, cohort: str, *, dry_run: bool) -> _Table:
        from pathlib import Path

        from necroangle.cohort.store import CohortStore

        if not dry_run:
            return cls(CohortStore.open(cohort), {})
        if "://" not in cohort and not Path(cohort).exists():
            return cls(None, {})
        rows = CohortStore.open(cohort, create=False).rows()
        return cls(None, {row.key: row for row in rows})

    def put(self, rows: tuple[CohortRow, ...]) -> tuple[int, int, int]:
        """Numbers of rows that are new, changed and unchanged."""
        if self.store is not None:
            changes = self.store.upsert(rows)
            return changes.inserted, changes.updated, changes.unchanged
        old = [self.known.get(row.key) for row in rows]
        new = sum(one is None for one in old)
        same = sum(one == row for one, row in zip(old, rows, strict=True))
        return new, len(rows) - new - same, same


@dataclass(slots=True)
class _Tally:
    """What has come of the readings so far."""

    refusals: list[Refusal]
    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, result: ChunkResult, table: _Table) -> None:
        new, changed, unchanged = table.put(result.columns.rows())
        self.new += new
        self.changed += changed
        self.unchanged += unchanged
        self.refusals.extend(result.refusals)

    @property
    def measured(self) -> int:
        """Number of rows."""
        return self.new + self.changed + self.unchanged

    def exit_code(self, policy: str, threshold: float) -> int:
        refused = len({one.file for one in self.refusals})
        allowed = {
            "any": 0.0,
            "none": float("inf"),
            "threshold": threshold / 100 * (self.measured + refused),
        }
        return int(refused > allowed[policy])


def _report(tally: _Tally, failures: str | None) -> None:
    from pathlib import Path

    from necroangle.cohort.printing import harmless

    refusals = sorted(set(tally.refusals))
    click.echo(
        f"{tally.measured} measured: {tally.new} new, {tally.changed} changed, "
        f"{tally.unchanged} unchanged" + (f"; {len(refusals)} refused" if refusals else "")
    )
    if failures is not None:
        _write_failures(Path(failures), refusals)
    for refusal in refusals[:_MOST_SHOWN]:
        click.echo(harmless(str(refusal)), err=True)
    if len(refusals) > _MOST_SHOWN:
        click.echo(f"... and {len(refusals) - _MOST_SHOWN} more; see --failures FILE", err=True)


_MOST_SHOWN = 50


def _write_failures(path: Path, refusals: list[Refusal]) -> None:
    """The table of refusals; no cell of it is a formula to a spreadsheet, nor a line break."""
    import io

    from necroangle.cohort.printing import harmless
    from necroangle.storage import write_atomically

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "place", "reason"))
    for one in refusals:
        cells = (harmless(cell) for cell in (one.file, one.place, one.problem))
        writer.writerow([f"'{cell}" if cell[:1] in set("=+-@") else cell for cell in cells])
    write_atomically(path, text.getvalue().encode())
