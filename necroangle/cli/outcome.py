"""``necroangle outcome``: the quantities of the study, from the cohort table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from necroangle.analysis import OutcomePlan, Outcomes
    from necroangle.analysis.signed_rank import TestKind
    from necroangle.ledger.store import CohortStore
    from necroangle.study import StudyConfig

__all__ = ["command"]

PIPE_WIDTH = 100
"""Width of the printed table where there is no terminal to ask."""

_TABLES = ("quantities", "hips", "visits")
_RULES = ("auto", "event", "reaches", "collapse", "arco_progression")
_TESTS: dict[str, TestKind] = {
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
    type=click.FloatRange(min=0),
    help="A change of the angle by more than this is counted.  [default: 20]",
)
@click.option(
    "--failure", type=click.Choice(_RULES), default="auto", help="Rule of radiographic failure."
)
@click.option(
    "--quantiles", type=click.Choice(["7", "6"]), default="7", help="Type of the quartiles."
)
@click.option("--wilcoxon", type=click.Choice(list(_TESTS)), default="auto", help="How P is found.")
@click.option(
    "--zeros",
    type=click.Choice(["wilcoxon", "pratt"]),
    default="wilcoxon",
    help="Differences of zero: dropped, or ranked.",
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
    """The outcomes of the cohort that is meant, by the study's plan and what was asked."""
    from necroangle.analysis import OutcomePlan, outcomes_of
    from necroangle.clinical import clinical_tables
    from necroangle.ledger.store import CohortStore
    from necroangle.study import cohort_here, study_here

    study = study_here()
    plan = _plan_of(study.config) if study else OutcomePlan()
    with CohortStore.open(cohort_here(asked["cohort"]), create=False) as store:
        rows, clinical, consensus = store.rows(), clinical_tables(store), _consensus(store)
    return outcomes_of(rows, clinical, _with_asked(plan, asked), consensus)


def _plan_of(config: StudyConfig) -> OutcomePlan:
    from necroangle.analysis import OutcomePlan, VisitPlan

    return OutcomePlan(
        visits=tuple(
            VisitPlan(visit.name, visit.months, visit.before_days, visit.after_days)
            for visit in config.visits
        ),
        index_visit=config.index_visit,
        readers=config.readers,
        method=config.method,
        change_threshold_deg=config.cut_offs.change_deg,
        failure_stages=config.failure.reaches,
        tha_is_failure=config.failure.tha,
    )


def _with_asked(plan: OutcomePlan, asked: dict[str, Any]) -> OutcomePlan:
    """The plan, with what the command line says in its place."""
    said = {
        "method": asked["method"],
        "readers": asked["readers"] or None,
        "index_visit": asked["index_visit"],
        "change_threshold_deg": asked["threshold_deg"],
    }
    return replace(
        plan,
        failure_rule=asked["failure"],
        quantile_type=int(asked["quantiles"]),
        test=_TESTS[asked["wilcoxon"]],
        zeros=asked["zeros"],
        **{name: value for name, value in said.items() if value is not None},
    )


def _consensus(store: CohortStore) -> frozenset[tuple[str, ...]]:
    """The readings that are a consensus."""
    from necroangle.ledger.measured import READING_FILE

    found = store.current(READING_FILE)
    return frozenset(record.key for record in found if record.values["consensus_of"])


def _write(outcomes: Outcomes, table: str, *, as_json: bool) -> None:
    """UTF-8 with plain line ends, whatever the system's habit."""
    from necroangle.analysis.tables import table_rows
    from necroangle.analysis.writing import rows_as_csv, rows_as_json

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
