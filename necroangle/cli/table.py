"""``necroangle table``: the cohort table on the screen, as JSON or as CSV."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from necroangle.measurement.row import CohortRow

__all__ = ["command"]

PIPE_WIDTH = 100
"""Width of the printed table where there is no terminal to ask."""

METHOD_WIDTH = 28
"""What the column of methods adds to it."""


@click.command("table")
@click.option(
    "--cohort",
    metavar="FILE",
    help="The cohort table: an SQLite file or a database URL.  [default: the study's, else "
    "cohort.sqlite]",
)
@click.option("--json", "as_json", is_flag=True, help="Every column as JSON, digits in full.")
@click.option("--csv", "as_csv", is_flag=True, help="Every column as CSV, digits in full.")
@click.option("--all-columns", is_flag=True, help="Print every column, one row below the other.")
@click.option(
    "--as-kept",
    is_flag=True,
    help="With what was measured after the hip was replaced, or dated after death.",
)
def command(
    cohort: str | None, as_json: bool, as_csv: bool, all_columns: bool, as_kept: bool
) -> None:
    """Print the cohort table, ordered by subject, side, visit, reader and read.

    After a replacement or death a row says no angle, stage or type as one of the natural hip.
    """
    from necroangle.analysis.stored import rows_that_leave
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, protocol_here

    if as_json + as_csv + all_columns > 1:
        raise click.UsageError("choose one of --json, --csv and --all-columns")
    store = CohortStore.open(cohort_here(cohort), create=False)
    rows = store.rows() if as_kept else [row for row, _ in rows_that_leave(store, protocol_here())]
    if as_json or as_csv:
        _write(rows, as_json=as_json)
    elif not rows:
        click.echo("the cohort table has no rows")
    else:
        several = _is_several(rows) and not all_columns
        tables = [_record(row) for row in rows] if all_columns else [_overview(rows)]
        _print(tables, PIPE_WIDTH + METHOD_WIDTH * several)


def _write(rows: Sequence[CohortRow], *, as_json: bool) -> None:
    """UTF-8 with plain line ends, whatever the system's habit."""
    from necroangle.ledger.table import to_csv, to_json

    text = to_json(rows) if as_json else to_csv(rows)
    click.echo(text.encode(), nl=False)


def _is_several(rows: Sequence[CohortRow]) -> bool:
    """Whether a reading was measured by more than one method."""
    return len({row.key[:-1] for row in rows}) < len(rows)


def _print(tables: Sequence[Table], pipe_width: int) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = pipe_width
    for table in tables:
        console.print(table)


def _overview(rows: Sequence[CohortRow]) -> Table:
    """One line per row with the main columns, the methods below."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from necroangle.ledger.table import HEADINGS, main_cells, show_cell

    table = Table(box=box.SIMPLE, pad_edge=False, caption_justify="left")
    several = _is_several(rows)
    kept = [several or heading != "method" for heading in HEADINGS]
    for heading in compress(HEADINGS, kept):
        angle = heading.startswith(("A", "B", "CNA"))
        table.add_column(
            heading,
            justify="right" if angle else "left",
            no_wrap=heading != "flags",
            overflow="fold",
            min_width=12 if heading == "flags" else None,
        )
    for row in rows:
        table.add_row(*map(Text, compress(main_cells(row), kept)))
    methods = ", ".join(sorted({show_cell(row["method"]) for row in rows}))
    table.caption = Text(f"{len(rows)} rows; ± is half the 95 % interval; methods: {methods}")
    return table


def _record(row: CohortRow) -> Table:
    """Every column of one row, one below the other."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from necroangle.ledger.table import all_cells
    from necroangle.plain_text import harmless

    table = Table(
        title=Text(harmless(str(row.key))), title_justify="left", box=box.SIMPLE, show_header=False
    )
    for name, cell in all_cells(row):
        table.add_row(Text(name), Text(cell, overflow="fold"))
    return table
