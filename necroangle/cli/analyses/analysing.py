"""What commands that print an analysis share: options, the analysis set, how it is written."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from necroangle.cli.given import (
    cohort_option,
    data_only,
    method_option,
    output_option,
    together,
    write_data,
)
from necroangle.cli.screen import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from necroangle.analysis import AnalysisSet


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which cohort an analysis is wanted, and in which form.

    Attributes
    ----------
    cohort, method
        The cohort table and the measuring method; None for the study's.
    table
        Which of the command's tables is wanted as data.
    as_json
        Whether as JSON; else, where it is data, as CSV.
    is_data
        Whether data are wanted, and not words for the screen.
    output
        The file to write; None for standard output.
    """

    cohort: str | None
    method: str | None
    table: str
    as_json: bool
    is_data: bool
    output: Path | None

    def analysis(self, **overrides: Any) -> AnalysisSet:
        """The analysis set of that cohort, by the study's protocol and what is to override it."""
        from necroangle.analysis.stored import analysis_of
        from necroangle.ledger.store import CohortStore
        from necroangle.study import cohort_here, protocol_here

        protocol = protocol_here().overridden({"method": self.method, **overrides})
        with CohortStore.open(cohort_here(self.cohort), create=False) as store:
            return analysis_of(store, protocol)

    def write(self, rows: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()) -> None:
        """Rows as JSON with their notes, or as CSV, to the file or to standard output."""
        from necroangle.analysis.printing import rows_as_csv, rows_as_json

        write_data(rows_as_json(rows, notes) if self.as_json else rows_as_csv(rows), self.output)


def analysis_options(
    tables: Sequence[str], meaning: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Options of a command that prints an analysis; it takes them as one value, ``asked``.

    Two forms of data at once are refused, and what needs one without.

    Parameters
    ----------
    tables
        What ``--table`` offers, the usual one first.
    meaning
        What the tables are, for ``--help``.
    """
    options = together(
        cohort_option,
        method_option,
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

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_asked(
            cohort: str | None,
            method: str | None,
            table: str,
            as_json: bool,
            as_csv: bool,
            output: Path | None,
            **others: Any,
        ) -> None:
            if as_json and as_csv:
                raise click.UsageError("choose one of --json and --csv")
            if table != tables[0] and not (as_json or as_csv):
                raise click.UsageError(f"--table {table} needs --csv or --json")
            data_only(output, as_json or as_csv, "--json or --csv")
            asked = Asked(cohort, method, table, as_json, as_json or as_csv, output)
            command(asked=asked, **others)

        return options(with_asked)

    return with_options


def say_notes(notes: Sequence[str]) -> None:
    """Print notes below a table, each begun by a dash."""
    for note in notes:
        say(f"- {note}")
