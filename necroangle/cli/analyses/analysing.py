"""What commands that print an analysis share: options, the analysis set, how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from necroangle.cli.given import data_only, output_option, write_data
from necroangle.cli.screen import screen_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from necroangle.analysis import AnalysisSet

__all__ = ["analysis_here", "analysis_options", "check_output", "say_notes", "write_rows"]

Run = TypeVar("Run", bound="Callable[..., None]")


def analysis_options(tables: Sequence[str], meaning: str) -> Callable[[Run], Run]:
    """Options of a command that prints an analysis: cohort, method, tables, and form of data.

    Parameters
    ----------
    tables
        What ``--table`` offers, the usual one first.
    meaning
        What the tables are, for ``--help``.
    """
    options = (
        click.option("--cohort", metavar="FILE", help="The cohort table.  [default: the study's]"),
        click.option(
            "--method", metavar="NAME", help="Measuring method, where the cohort has several."
        ),
        click.option(
            "--table",
            type=click.Choice(list(tables)),
            default=tables[0],
            help=f"What --json and --csv give: {meaning}",
        ),
        click.option("--json", "as_json", is_flag=True, help="As JSON, digits in full."),
        click.option("--csv", "as_csv", is_flag=True, help="As CSV, digits in full."),
        output_option,
    )

    def with_options(run: Run) -> Run:
        for option in reversed(options):
            run = option(run)
        return run

    return with_options


def check_output(
    table: str, usual: str, output: Path | None, *, as_json: bool, as_csv: bool
) -> None:
    """Refuse two forms of data at once, and what needs one without."""
    if as_json and as_csv:
        raise click.UsageError("choose one of --json and --csv")
    if table != usual and not (as_json or as_csv):
        raise click.UsageError(f"--table {table} needs --csv or --json")
    data_only(output, as_json or as_csv, "--json or --csv")


def analysis_here(cohort: str | None, asked: Mapping[str, Any]) -> AnalysisSet:
    """The analysis set of the cohort that is meant, by the study's protocol and what was asked."""
    from necroangle.analysis.stored import analysis_of
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, protocol_here

    protocol = protocol_here().overridden(asked)
    with CohortStore.open(cohort_here(cohort), create=False) as store:
        return analysis_of(store, protocol)


def write_rows(
    rows: Sequence[Mapping[str, Any]], notes: Sequence[str], output: Path | None, *, as_json: bool
) -> None:
    """Rows as JSON with their notes, or as CSV, to the file or to standard output."""
    from necroangle.analysis.printing import rows_as_csv, rows_as_json

    write_data(rows_as_json(rows, notes) if as_json else rows_as_csv(rows), output)


def say_notes(notes: Sequence[str]) -> None:
    """Print notes below a table, each begun by a dash."""
    from necroangle.plain_text import harmless

    for note in notes:
        click.echo("\n  ".join(wrapped(f"- {harmless(note)}", screen_width() - 2)))
