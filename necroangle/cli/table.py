"""``necroangle table``: the cohort table on the screen, as JSON or as CSV."""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from necroangle.ledger.store import CohortStore
    from necroangle.measurement.row import CohortRow, RowKey

__all__ = ["command"]

PIPE_WIDTH = 100
"""Width of the printed table where there is no terminal to ask."""

METHOD_WIDTH = 28
"""What the column of methods adds to it."""

_RIGHT = frozenset({"A", "B", "CNA"})
_LEAST_FLAGS = 12
_GAP = "   "
_OTHER_LINES = 7
"""Lines of a screen that are no rows: heading, rule, caption, the next prompt."""


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
    store = CohortStore.open(cohort_here(cohort), create=False)
    if as_json or as_csv:
        _write(_rows(store, as_kept=as_kept), as_json=as_json)
        return
    keys = store.keys()
    if not keys:
        click.echo("the cohort table has no rows")
        return
    is_terminal = sys.stdout.isatty()
    screen = shutil.get_terminal_size((PIPE_WIDTH, 24))
    height = screen.lines - _OTHER_LINES if is_terminal and not every_row else None
    first = None if height is None else keys[: max(height, 1)]
    rows = _rows(store, first, as_kept=as_kept)
    if all_columns:
        lines = _records(rows, len(keys), height)
    else:
        several = len({key[:-1] for key in keys}) < len(keys)
        width = screen.columns if is_terminal else PIPE_WIDTH + METHOD_WIDTH * several
        lines = _overview(rows, keys, width, height, several=several)
    click.echo("\n".join(lines))


def _write(rows: Sequence[CohortRow], *, as_json: bool) -> None:
    """UTF-8 with plain line ends, whatever the system's habit."""
    from necroangle.ledger.table import to_csv, to_json

    text = to_json(rows) if as_json else to_csv(rows)
    click.echo(text.encode(), nl=False)


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
    width: int,
    height: int | None,
    *,
    several: bool,
) -> Iterator[str]:
    """One line per row with the main columns, more where it has many flags; the methods below.

    Drawn here and not by a library: a table of 20,000 rows took that a quarter of a minute.
    """
    from necroangle.ledger.table import HEADINGS, main_cells
    from necroangle.plain_text import harmless

    kept = [place for place, name in enumerate(HEADINGS) if several or name != "method"]
    headings = [HEADINGS[place] for place in kept]
    cells = [[found[place] for place in kept] for found in map(main_cells, rows)]
    widths = [max(map(_width, column)) for column in zip(headings, *cells, strict=True)]
    room = width - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1) - 1
    widths[-1] = max(min(widths[-1], room), _LEAST_FLAGS)
    yield ""
    yield _line(headings, headings, widths)
    yield " " + "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    shown = used = 0
    for row in cells:
        flags = textwrap.wrap(row[-1], widths[-1]) or [""]
        used += len(flags)
        if height is not None and shown and used > height:
            break
        shown += 1
        yield _line(headings, [*row[:-1], flags[0]], widths)
        for more in flags[1:]:
            yield _line(headings, [*[""] * (len(row) - 1), more], widths)
    yield ""
    methods = harmless(", ".join(sorted({key.method for key in keys})))
    caption = f"{_count(shown, len(keys))}; ± is half the 95 % interval; methods: {methods}"
    yield textwrap.fill(caption, width)


def _records(rows: Sequence[CohortRow], count: int, height: int | None) -> Iterator[str]:
    """Every column of each row, one below the other."""
    from necroangle.ledger.table import all_cells
    from necroangle.measurement.columns import NAMES
    from necroangle.plain_text import harmless

    longest = max(map(len, NAMES))
    shown = 0
    for shown, row in enumerate(rows, start=1):
        yield harmless(str(row.key))
        yield ""
        for name, cell in all_cells(row):
            yield f"  {name:{longest}}{_GAP}{cell}"
        yield ""
        if height is not None and (shown + 1) * (len(NAMES) + 3) > height:
            break
    yield _count(shown, count)


def _count(shown: int, count: int) -> str:
    if shown < count:
        return f"the first {shown} of {count} rows, --all prints every one"
    return f"{count} rows"


def _line(headings: Sequence[str], cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        " " * (width - _width(cell)) + cell
        if heading in _RIGHT
        else cell + " " * (width - _width(cell))
        for heading, cell, width in zip(headings, cells, widths, strict=True)
    )
    return f" {_GAP.join(padded)}".rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on a screen; letters of East Asia take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
