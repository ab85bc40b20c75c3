"""``necroangle table``: the cohort table on the screen, as JSON or as CSV."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import data_only, output_option, write_data
from necroangle.cli.screen import ScreenColumn, say, screen_width, table_lines
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from necroangle.ledger.store import CohortStore
    from necroangle.measurement.row import CohortRow, RowKey

_OTHER_LINES = 7
"""Lines of a screen that are no rows: heading, rule, caption, the next prompt."""

_NUMBERS = frozenset({"A", "B", "CNA"})
_YIELDS = {"method": 4, "category": 3, "reader": 2, "A": 1, "B": 1}
"""Which columns give way on a narrow screen, the highest first."""


@click.command("table")
@click.option(
    "--cohort",
    metavar="FILE",
    help="The cohort table: an SQLite file or a database URL.  [default: the study's, else "
    "cohort.sqlite]",
)
@click.option("--json", "as_json", is_flag=True, help="Every column as JSON, digits in full.")
@click.option("--csv", "as_csv", is_flag=True, help="Every column as CSV, digits in full.")
@output_option
@click.option("--all-columns", is_flag=True, help="Print every column, one row below the other.")
@click.option(
    "--all", "every_row", is_flag=True, help="Print every row; to a terminal else a screenful."
)
@click.option(
    "--as-kept",
    is_flag=True,
    help="With what was measured after the hip was replaced, or dated after death.",
)
def command(
    cohort: str | None,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
    all_columns: bool,
    every_row: bool,
    as_kept: bool,
) -> None:
    """Print the cohort table, ordered by subject, side, visit, reader and read.

    A terminal is given as many rows as it shows at once, and the number of all; a file or another
    program is given every row. After a replacement or death a row says no angle, stage or type as
    one of the natural hip.
    """
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here

    if as_json + as_csv + all_columns > 1:
        raise click.UsageError("choose one of --json, --csv and --all-columns")
    data_only(output, as_json or as_csv, "--json or --csv")
    store = CohortStore.open(cohort_here(cohort), create=False)
    if as_json or as_csv:
        _write(_rows(store, as_kept=as_kept), as_json=as_json, output=output)
        return
    keys = store.keys()
    if not keys:
        say("the cohort table has no rows")
        return
    is_terminal = sys.stdout.isatty()
    height = (
        shutil.get_terminal_size().lines - _OTHER_LINES if is_terminal and not every_row else None
    )
    first = None if height is None else keys[: max(height, 1)]
    rows = _rows(store, first, as_kept=as_kept)
    if all_columns:
        lines = _records(rows, len(keys), height)
    else:
        several = len({key[:-1] for key in keys}) < len(keys)
        lines = _overview(rows, keys, height, several=several)
    say(*lines)


def _write(rows: Sequence[CohortRow], *, as_json: bool, output: Path | None) -> None:
    from necroangle.ledger.table import to_csv, to_json

    write_data(to_json(rows) if as_json else to_csv(rows), output)


def _rows(
    store: CohortStore, keys: Sequence[RowKey] | None = None, *, as_kept: bool
) -> Sequence[CohortRow]:
    """The rows as they may leave, or as they are kept; all, or those of some keys."""
    from necroangle.analysis.stored import rows_that_leave
    from necroangle.study import protocol_here

    subjects = None if keys is None else {key.subject for key in keys}
    if not as_kept:
        found = [row for row, _ in rows_that_leave(store, protocol_here(), subjects)]
    else:
        found = list(store.rows() if subjects is None else store.rows_of(subjects).values())
    if keys is None:
        return found
    by_key = {row.key: row for row in found}
    return [by_key[key] for key in keys if key in by_key]


def _overview(
    rows: Sequence[CohortRow],
    keys: Sequence[RowKey],
    height: int | None,
    *,
    several: bool,
) -> Iterator[str]:
    """One line per row with the main columns, more where it has many flags; the methods below."""
    from necroangle.ledger.table import HEADINGS, main_cells

    kept = [at for at, name in enumerate(HEADINGS) if several or name != "method"]
    columns = [_column(HEADINGS[place]) for place in kept]
    cells = [[found[place] for place in kept] for found in map(main_cells, rows)]
    width = screen_width()
    lines, shown = table_lines(columns, cells, width, height)
    yield from lines
    yield ""
    methods = ", ".join(sorted({key.method for key in keys}))
    caption = f"{_count(shown, len(keys))}; ± is half the 95 % interval; methods: {methods}"
    yield caption


def _column(name: str) -> ScreenColumn:
    return ScreenColumn(name, name in _NUMBERS, wraps=name == "flags", yields=_YIELDS.get(name, 0))


def _records(rows: Sequence[CohortRow], count: int, height: int | None) -> Iterator[str]:
    """Every column of each row, one below the other."""
    from necroangle.ledger.table import all_cells
    from necroangle.measurement.columns import NAMES

    longest = max(map(len, NAMES))
    shown = 0
    for shown, row in enumerate(rows, start=1):
        yield str(row.key)
        yield ""
        for name, cell in all_cells(row):
            yield f"  {name:{longest}}   {cell}"
        yield ""
        if height is not None and (shown + 1) * (len(NAMES) + 3) > height:
            break
    yield _count(shown, count)


def _count(shown: int, count: int) -> str:
    if shown < count:
        return f"the first {shown} of {counted(count, 'row')}, --all prints every one"
    return f"{counted(count, 'row')}"
