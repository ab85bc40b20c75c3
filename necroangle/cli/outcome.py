"""``necroangle outcome``: the quantities of the study, from the cohort table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from necroangle.analysis import Outcomes

__all__ = ["command"]

PIPE_WIDTH = 100
"""Width of the printed table where there is no terminal to ask."""

_TABLES = ("quantities", "hips", "visits")
_RULES = ("auto", "event", "reaches", "collapse", "arco_progression")
_TESTS = {
    "auto": "auto",
    "exact": "exact",
    "normal": "normal",
    "normal-corrected": "normal_cc",
}


@click.command("outcome")
@click.option("--cohort", metavar="FILE", help="The cohort table.  [default: the study's]")
@click.option("--method", metavar="NAME", help="Measuring method, where the cohort has several.")
@click.option(
    "--reader",
    "readers",
    metavar="NAME",
    multiple=True,
    help="Whose first read counts where there is no consensus; again for a second choice.",
)
@click.option("--index-visit", metavar="NAME", help="The baseline.")
@click.option(
    "--threshold-deg",
    type=click.FloatRange(min=0, max=720),
    help="A change of the angle by more than this is counted.  [default: the study's, else 20]",
)
@click.option(
    "--failure",
    type=click.Choice(_RULES),
    help="Rule of radiographic failure.  [default: the study's, else auto]",
)
@click.option(
    "--quantiles",
    type=click.Choice(["7", "6"]),
    help="Type of the quartiles.  [default: the study's, else 7]",
)
@click.option(
    "--wilcoxon",
    type=click.Choice(list(_TESTS)),
    help="How P is found.  [default: the study's, else auto]",
)
@click.option(
    "--zeros",
    type=click.Choice(["wilcoxon", "pratt"]),
    help="Differences of zero: dropped, or ranked.  [default: the study's, else dropped]",
)
@click.option("--by-visit", is_flag=True, help="Print every visit against the baseline, too.")
@click.option(
    "--table",
    "table",
    type=click.Choice(_TABLES),
    default="quantities",
    help="What --json and --csv give: quantities, hips, or hips at visits.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, digits in full.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, digits in full.")
def command(as_json: bool, as_csv: bool, by_visit: bool, table: str, **asked: Any) -> None:
    """Patients, hips, stages, failure, change of the angle, pain, hip score, replacements.

    Within a study folder everything comes from study.toml; an option goes before it. Each number
    has its rule beside it (--csv, --json); docs/outcome.md explains them.
    """
    if as_json and as_csv:
        raise click.UsageError("choose one of --json and --csv")
    if table != "quantities" and not (as_json or as_csv):
        raise click.UsageError(f"--table {table} needs --csv or --json")
    outcomes = _outcomes(asked)
    if as_json or as_csv:
        _write(outcomes, table, as_json=as_json)
    else:
        _print(outcomes, by_visit=by_visit)


def _outcomes(asked: dict[str, Any]) -> Outcomes:
    """The outcomes of the cohort that is meant, by the study's protocol and what was asked."""
    from necroangle.analysis import outcomes_of
    from necroangle.analysis.stored import analysis_of
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, protocol_here

    quantiles, test = asked["quantiles"], asked["wilcoxon"]
    protocol = protocol_here().overridden(
        {
            "method": asked["method"],
            "readers": asked["readers"] or None,
            "index_visit": asked["index_visit"],
            "cut_offs.change_deg": asked["threshold_deg"],
            "failure.rule": asked["failure"],
            "statistics.quantiles": quantiles and int(quantiles),
            "statistics.wilcoxon": test and _TESTS[test],
            "statistics.zeros": asked["zeros"],
        }
    )
    with CohortStore.open(cohort_here(asked["cohort"]), create=False) as store:
        return outcomes_of(analysis_of(store, protocol))


def _write(outcomes: Outcomes, table: str, *, as_json: bool) -> None:
    """UTF-8 with plain line ends, whatever the system's habit."""
    from necroangle.analysis.printing import rows_as_csv, rows_as_json, table_rows

    rows = table_rows(outcomes, table)
    text = rows_as_json(rows, outcomes.notes) if as_json else rows_as_csv(rows)
    click.echo(text.encode(), nl=False)


def _print(outcomes: Outcomes, *, by_visit: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from necroangle.analysis.printing import by_visit_lines, main_lines, test_notes
    from necroangle.plain_text import harmless

    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(_table(("quantity", "of", "found"), main_lines(outcomes)))
    if by_visit:
        console.print(_table(("visit", "quantity", "found"), by_visit_lines(outcomes)))
    for note in (*outcomes.notes, *test_notes(outcomes.quantities)):
        console.print(Text(f"- {harmless(note)}"))


def _table(headings: tuple[str, str, str], lines: Iterable[tuple[str, str, str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    return table
